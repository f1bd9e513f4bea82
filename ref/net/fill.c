#include "net/fill.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "device/key.h"
#include "device/user.h"

enum {
	NUMBER_MOST = 999999, /* six digits */
	NAME_OCTETS = 12,     /* "u000000", and room for any number */
	ARENA_OCTETS = 64 * 1024,
};

static const char all[] = "all";

struct fill {
	struct appliance *appliance;
	unsigned first, count, users;
};

static struct bytes
name_of(char name[NAME_OCTETS], char letter, unsigned number)
{
	(void)snprintf(name, NAME_OCTETS, "%c%06u", letter, number);
	return bytes_of_text(name);
}

static enum err
fill_users(const struct fill *fill)
{
	struct appliance *appliance = fill->appliance;
	struct bytes group = bytes_of_text(all);
	struct user user = {.name = ""};
	char why[USER_WHY_OCTETS];
	unsigned k;
	enum err rc = OK;

	TRY(password_hash(appliance->env, appliance->password_iterations,
	    bytes_of_text(FILL_PASSWORD), &user.password));
	rc = group_create(appliance, group);
	if (rc == ERR_EXISTS)
		rc = OK;
	TRY(rc);
	for (k = 0; k < fill->count; k++) {
		char name[NAME_OCTETS];
		struct bytes text = name_of(name, 'u', fill->first + k);

		(void)snprintf(user.name, sizeof(user.name), "%s", name);
		TRY(user_create(appliance, &user));
		TRY(group_add(appliance, group, text, why));
	}
out:
	return rc;
}

static enum err
fill_key(const struct fill *fill, struct arena *arena, unsigned number)
{
	struct card_permission permission = {.group = bytes_of_text(all)};
	char name[NAME_OCTETS], owner[NAME_OCTETS];
	struct key_spec spec = {
	    .name = name_of(name, 'k', number),
	    .owner = name_of(owner, 'u', number % fill->users),
	    .algorithm = key_algorithm_of_word(bytes_of_text("AES"), 0),
	    .exportable = true,
	    .deletable = true,
	    .permissions = &permission,
	    .permission_count = 1,
	};
	struct key_call call;
	enum err rc;

	permission.use[USE_ENCRYPT].grant = CARD_ALWAYS;
	permission.use[USE_DECRYPT].grant = CARD_ALWAYS;
	key_call_init(&call, fill->appliance, arena);
	rc = key_create(&call, &spec, NULL, NULL);
	if (rc != OK && call.why[0] != '\0')
		log_line("net", LOG_ERROR, "laboratory: fill: %s", call.why);
	arena_reset(arena);
	return rc;
}

static enum err
fill_keys(const struct fill *fill)
{
	struct arena *arena = NULL;
	unsigned k;
	enum err rc = OK;

	TRY(arena_new(ARENA_OCTETS, &arena));
	for (k = 0; k < fill->count; k++)
		TRY(fill_key(fill, arena, fill->first + k));
out:
	arena_free(arena);
	return rc;
}

static bool
fits(const struct fill *fill)
{
	return fill->count != 0 && fill->count <= FILL_MOST &&
	       fill->users != 0 && fill->users <= NUMBER_MOST + 1 &&
	       fill->first <= NUMBER_MOST + 1 - fill->count;
}

enum err
fill_line(struct server *server, const char *line, struct buf *out)
{
	struct fill fill = {.appliance = server_appliance(server), .users = 1};
	char end;
	bool users;
	enum err rc = OK;

	if (strncmp(line, "fill ", 5) != 0)
		return ERR_NOT_FOUND;
	users = sscanf(line, "fill users %u %u%c", &fill.first, &fill.count,
		    &end) == 2;
	if (!users && sscanf(line, "fill keys %u %u %u%c", &fill.first,
			  &fill.count, &fill.users, &end) != 3)
		return ERR_VALUE;
	if (!fits(&fill))
		return ERR_VALUE;
	TRY(users ? fill_users(&fill) : fill_keys(&fill));
	TRY(buf_put_text(out, "ok"));
out:
	return rc;
}
