/*
 * The commands about the permissions that groups have on a key.
 *
 * What is typed for a use is Never, Always, or Policy and a policy's name.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/form.h"
#include "device/key.h"

enum { KEY_CAP_OCTETS = 4 * 1024 * 1024 };

static const char key_field[] = "Key Name";
static const char group_field[] = "Group";

/* Of those that groups may have: they come first, so that a word's place is its
 * use. One | too many is at the front. */
static const char use_words[] =
#define OF_RIGHT_GROUP(word) "|" word
#define OF_RIGHT_VISIBLE(word)
#define OF_RIGHT_OWNER(word)
#define USE(symbol, word, title, families, right, ...) OF_##right(word)
#include "model/key_use.def"
#undef USE
    ;
static const struct entry_rule use_rule = {
    .type = ENTRY_CHOICE, .choices = use_words + 1};
/* In the order of enum card_grant. */
static const struct entry_rule grant_rule = {
    .type = ENTRY_CHOICE, .choices = "Never|Always|Policy"};

/* What a command has gathered. */
struct work {
	struct form form;
	struct change change;
	struct arena *arena;
	struct bytes key; /* in the arena, as are names of policies */
	struct card_permission permission;
	bool given[KEY_PERMISSIONS]; /* the others stay as they are */
	bool removes;
	/* the uses that are asked for, and the questions */
	enum key_use asked[KEY_PERMISSIONS];
	struct form_field questions[KEY_PERMISSIONS];
};

static void
work_drop(void *state)
{
	struct work *work = state;

	arena_free(work->arena);
	mem_free(work);
}

static enum err
find_key(struct key_call *call, struct bytes name, const struct object **out,
    char why[ENTRY_WHY_OCTETS])
{
	enum err rc = key_find(call, NULL, 0, name, out);

	if (rc != ERR_NOT_FOUND)
		return rc;
	entry_refuse(key_field, name, "there is no such key", why);
	return ERR_FIELD;
}

/* ---- show ---- */

static void
say_permission(struct cli *cli, const struct card_permission *permission,
    enum key_family family)
{
	size_t use;

	cli_say(cli, "Group: %.*s", (int)permission->group.octets,
	    (const char *)permission->group.at);
	for (use = 0; use < KEY_PERMISSIONS; use++) {
		const struct key_use_row *row = key_use_row((enum key_use)use);
		enum card_grant grant = permission->use[use].grant;
		struct bytes policy = permission->use[use].policy;

		if ((row->families & family) == 0)
			continue;
		if (grant == CARD_POLICY)
			cli_say(cli, "  %s: %s: %.*s", row->title,
			    card_grant_text(grant), (int)policy.octets,
			    (const char *)policy.at);
		else
			cli_say(cli, "  %s: %s", row->title,
			    card_grant_text(grant));
	}
}

/* req: KS-28-135 KS-29-026 */
void
key_permission_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	char why[ENTRY_WHY_OCTETS] = "";
	const struct object *key;
	struct arena *a = NULL;
	struct key_call call;
	size_t k;
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	if (arg_count == 0) {
		cli_refuse(cli, "%s: it is missing", key_field);
		return;
	}
	TRY(arena_new(KEY_CAP_OCTETS, &a));
	key_call_init(&call, cli_appliance(cli), a);
	TRY(find_key(&call, args[0], &key, why));
	for (k = 0; key->card != NULL && k < key->card->permission_count; k++)
		say_permission(
		    cli, &key->card->permissions[k], key_family(key));
out:
	arena_free(a);
	if (rc != OK)
		cli_fail(cli, "%s", *why != '\0' ? why : err_text(rc));
	else
		cli_done(cli);
}

/* ---- change ---- */

/* Those that there are, with the group's as it was typed, or without. */
static enum err
permissions_edit(struct work *work, const struct card *card,
    struct card_permission **out, size_t *count)
{
	size_t had = card != NULL ? card->permission_count : 0;
	const struct card_permission *was =
	    card_find_permission(card, work->permission.group);
	struct card_permission now = work->permission;
	size_t use, k;
	enum err rc = OK;

	TRY(ARENA_ARRAY(work->arena, *out, had + 1));
	*count = 0;
	for (use = 0; was != NULL && use < KEY_PERMISSIONS; use++)
		if (!work->given[use])
			now.use[use] = was->use[use];
	for (k = 0; k < had; k++)
		if (&card->permissions[k] != was)
			(*out)[(*count)++] = card->permissions[k];
		else if (!work->removes)
			(*out)[(*count)++] = now;
	if (was == NULL)
		(*out)[(*count)++] = now;
out:
	return rc;
}

static enum err
apply(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	struct bytes group = work->permission.group;
	struct card_permission *permissions;
	struct key_change edit = {.has_permissions = true};
	const struct object *key;
	struct key_call call;
	enum err rc = OK;

	(void)snprintf(change->event, sizeof(change->event),
	    "Key %.*s: permissions of group %.*s %s", (int)work->key.octets,
	    (const char *)work->key.at, (int)group.octets,
	    (const char *)group.at, work->removes ? "removed" : "changed");
	key_call_init(&call, change->appliance, work->arena);
	TRY(find_key(&call, work->key, &key, change->why));
	if (work->removes && card_find_permission(key->card, group) == NULL) {
		entry_refuse(group_field, group,
		    "it has no permissions on this key", change->why);
		TRY(ERR_FIELD);
	}
	TRY(permissions_edit(
	    work, key->card, &permissions, &edit.permission_count));
	edit.permissions = permissions;
	rc = key_modify(&call, key, &edit);
	if (rc != OK)
		(void)snprintf(
		    change->why, sizeof(change->why), "%s", call.why);
out:
	return rc;
}

static void
work_run(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change.apply = apply;
	cli_change(cli, &work->change, NULL, "");
}

/* With a key and a group. NULL: the command has ended. */
static struct work *
work_new(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;
	enum err rc = OK;

	if (arg_count < 2) {
		cli_refuse(cli, "%s: it is missing",
		    arg_count == 0 ? key_field : group_field);
		return NULL;
	}
	work = cli_keep(cli, sizeof(*work), work_drop);
	if (work == NULL)
		return NULL;
	TRY(arena_new(KEY_CAP_OCTETS, &work->arena));
	TRY(arena_copy(work->arena, args[0], &work->key));
	TRY(arena_copy(work->arena, args[1], &work->permission.group));
out:
	if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	return rc == OK ? work : NULL;
}

/* One grant, with the name behind it where it takes one. */
static enum err
take_grant(struct work *work, enum key_use use, struct bytes grant,
    struct bytes policy, char why[FORM_WHY_OCTETS])
{
	const char *title = key_use_row(use)->title;
	char kept[ENTRY_OCTETS];
	int64_t place;
	enum err rc = OK;

	TRY(entry_take(title, &grant_rule, grant, kept, &place, why));
	work->given[use] = true;
	work->permission.use[use].grant = (enum card_grant)place;
	if (place != CARD_POLICY)
		goto out;
	if (policy.octets == 0) {
		entry_refuse(title, grant,
		    "the name of an authorization policy is missing", why);
		TRY(ERR_FIELD);
	}
	TRY(arena_copy(work->arena, policy, &work->permission.use[use].policy));
out:
	return rc;
}

/* USE GRANT ..., in any order. */
static enum err
take_grants(struct work *work, const struct bytes *args, size_t arg_count,
    char why[FORM_WHY_OCTETS])
{
	char kept[ENTRY_OCTETS];
	int64_t use;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < arg_count; k += 2) {
		bool has_name = k + 2 < arg_count;

		TRY(entry_take(
		    "Permission", &use_rule, args[k], kept, &use, why));
		TRY(take_grant(work, (enum key_use)use,
		    k + 1 < arg_count ? args[k + 1] : BYTES_NONE,
		    has_name ? args[k + 2] : BYTES_NONE, why));
		if (work->permission.use[use].grant == CARD_POLICY)
			k++;
	}
out:
	return rc;
}

/* ---- the dialogue: a question for each use; an empty answer leaves it ---- */

static enum err
take_answer(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	struct bytes grant = line, policy = BYTES_NONE;
	const uint8_t *blank =
	    line.octets != 0 ? memchr(line.at, ' ', line.octets) : NULL;

	if (line.octets == 0)
		return OK;
	if (blank != NULL) {
		grant.octets = (size_t)(blank - line.at);
		policy =
		    (struct bytes){blank + 1, line.octets - grant.octets - 1};
	}
	return take_grant(work, work->asked[work->form.at], grant, policy, why);
}

static const struct form_field questions[USE_COUNT] = {
#define USE(symbol, word, title, ...) \
	[symbol] = {                  \
	    CLI_VALUE, title " (Never, Always or Policy NAME):", take_answer},
#include "model/key_use.def"
#undef USE
};

/* req: KS-28-143 KS-28-146 KS-28-147 */
static void
ask_uses(struct cli *cli)
{
	struct work *work = cli_state(cli);
	char why[ENTRY_WHY_OCTETS] = "";
	const struct object *key;
	struct key_call call;
	size_t count = 0;
	size_t use;
	enum err rc = OK;

	key_call_init(&call, cli_appliance(cli), work->arena);
	rc = find_key(&call, work->key, &key, why);
	if (rc != OK) {
		cli_refuse(cli, "%s", *why != '\0' ? why : err_text(rc));
		return;
	}
	for (use = 0; use < KEY_PERMISSIONS; use++) {
		if ((key_use_row((enum key_use)use)->families &
			key_family(key)) == 0)
			continue;
		work->asked[count] = (enum key_use)use;
		work->questions[count++] = questions[use];
	}
	form_run(cli, &work->form, work->questions, count, work_run);
}

/* req: KS-28-136 KS-28-149 KS-28-150 KS-28-151 KS-29-026 */
void
key_permission_set(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = work_new(cli, args, arg_count);
	char why[FORM_WHY_OCTETS] = "";
	enum err rc;

	if (work == NULL)
		return;
	if (arg_count == 2) {
		ask_uses(cli);
		return;
	}
	rc = take_grants(work, args + 2, arg_count - 2, why);
	if (rc != OK)
		cli_refuse(cli, "%s", *why != '\0' ? why : err_text(rc));
	else
		work_run(cli);
}

void
key_permission_remove(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 2))
		return;
	work = work_new(cli, args, arg_count);
	if (work == NULL)
		return;
	work->removes = true;
	work_run(cli);
}
