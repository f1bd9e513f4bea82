#include "device/user.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/fields.h"
#include "device/user_memory.h"
#include "model/card.h"

#define KIND_USER      "user"
#define KIND_ATTRIBUTE "user.attribute"
#define KIND_GROUP     "group"
#define KIND_MEMBER    "group.member"
#define KIND_GROUPS    "user.group"

/* The last serial number that a user was given. */
#define META_SERIAL "user.serial"

enum {
	RECORD_OCTETS = 1024, /* of a user */
	/* a name, a slash, another name */
	PAIR_OCTETS = USER_NAME_OCTETS + 1 + USER_NAME_OCTETS,
	SERIAL_OCTETS = 8,
	OWNS_OCTETS = 4096, /* room for the one object that is looked for */
};

/* ---------------------------------------------------------------------------
 * What can be entered
 */

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_of_a_name(uint8_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-';
}

/* A letter, then letters, digits, underscores, periods and hyphens; 64 at most:
 * names of users, of groups and of attributes. */
static bool
name_is_valid(struct bytes name, const char *missing, const char **why)
{
	size_t k;

	*why = NULL;
	if (name.octets == 0)
		*why = missing;
	for (k = 0; k < name.octets; k++) {
		if (!is_of_a_name(name.at[k]))
			*why = "letters, digits, underscores, periods and "
			       "hyphens only";
	}
	if (*why == NULL && !is_letter(name.at[0]))
		*why = "must start with a letter";
	if (*why == NULL && name.octets > USER_NAME_OCTETS)
		*why = "at most 64 characters";
	return *why == NULL;
}

_Static_assert((int)USER_NAME_OCTETS == (int)USER_ATTRIBUTE_OCTETS,
    "one rule for all three names");

/* req: KS-31-016 KS-31-017 KS-31-018 */
bool
user_name_is_valid(struct bytes name, const char **why)
{
	return name_is_valid(name, "a name is needed", why);
}

/* req: KS-31-031 KS-31-032 KS-31-033 */
bool
user_attribute_is_valid(struct bytes attribute, const char **why)
{
	return name_is_valid(attribute, "an attribute name is needed", why);
}

/* req: KS-31-034 KS-31-035 */
bool
user_value_is_valid(struct bytes value, const char **why)
{
	size_t k;

	*why = NULL;
	for (k = 0; k < value.octets; k++) {
		uint8_t c = value.at[k];

		if ((c < ' ' || c > '~') && c != '\t' && c != '\n' && c != '\r')
			*why = "printable ASCII characters, spaces, tabs, \\n "
			       "and \\r only";
	}
	if (*why == NULL && value.octets > USER_VALUE_OCTETS)
		*why = "at most 1000 characters";
	return *why == NULL;
}

/* req: KS-31-022 */
bool
user_password_is_valid(struct bytes password, const char **why)
{
	*why = NULL;
	if (password.octets != 0 &&
	    memchr(password.at, '<', password.octets) != NULL)
		*why = "Passwords must not contain the less than character (<)";
	return *why == NULL;
}

/* ---------------------------------------------------------------------------
 * Keys of records
 */

static bool
is_name(struct bytes name)
{
	const char *why;

	return user_name_is_valid(name, &why);
}

struct pair {
	uint8_t octets[PAIR_OCTETS];
};

/* "first/second", or with BYTES_NONE the prefix of all those of `first`. */
static struct bytes
pair_key(struct pair *pair, struct bytes first, struct bytes second)
{
	assert(first.octets <= USER_NAME_OCTETS);
	assert(second.octets <= USER_NAME_OCTETS);
	if (first.octets != 0)
		memcpy(pair->octets, first.at, first.octets);
	pair->octets[first.octets] = '/';
	if (second.octets != 0)
		memcpy(
		    pair->octets + first.octets + 1, second.at, second.octets);
	return (struct bytes){pair->octets, first.octets + 1 + second.octets};
}

/* What stands behind the prefix. */
static struct bytes
second_of(struct bytes key, size_t first_octets)
{
	return (struct bytes){
	    key.at + first_octets + 1, key.octets - first_octets - 1};
}

static enum err
is_there(struct store *st, const char *kind, struct bytes key)
{
	struct buf value;
	enum err rc;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	rc = record_get(st, kind, key, &value);
	buf_clear(&value);
	return rc;
}

struct names {
	size_t first_octets; /* of a pair; 0: the key is the name */
	bool pairs;
	user_name_fn *each;
	void *ctx;
};

static enum err
name_on(void *ctx, struct bytes key, struct bytes value)
{
	const struct names *names = ctx;

	(void)value;
	return names->each(names->ctx,
	    names->pairs ? second_of(key, names->first_octets) : key);
}

static enum err
names_each(struct store *st, const char *kind, struct bytes after, size_t most,
    user_name_fn *each, void *ctx)
{
	struct names names = {.each = each, .ctx = ctx};

	return record_each_prefix(
	    st, kind, BYTES_NONE, after, most, name_on, &names);
}

static enum err
pairs_each(struct store *st, const char *kind, struct bytes first,
    struct bytes after, size_t most, user_name_fn *each, void *ctx)
{
	struct names names = {first.octets, true, each, ctx};
	struct pair from, prefix;

	if (!is_name(first))
		return OK;
	return record_each_prefix(st, kind,
	    pair_key(&prefix, first, BYTES_NONE), pair_key(&from, first, after),
	    most, name_on, &names);
}

/* ---------------------------------------------------------------------------
 * The record of a user
 */

static enum err
encode(const struct user *user, struct buf *out)
{
	enum err rc = OK;

	TRY(fields_put_number(out, "serial", user->serial));
	TRY(fields_put_number(out, "administers", user->administers));
	TRY(fields_put_number(out, "changes-password", user->changes_password));
	TRY(fields_put_number(out, "failures", user->lockout.failures));
	TRY(fields_put_number(out, "locked-until", user->lockout.until_ms));
	TRY(fields_put_text(out, "password", user->password.line));
out:
	return rc;
}

static enum err
decode_number(struct bytes value, const char *name, int64_t most, int64_t *out)
{
	enum err rc = OK;

	*out = 0;
	TRY(fields_number(value, name, out));
	if (*out < 0 || *out > most)
		TRY(ERR_VALUE);
out:
	return rc;
}

static enum err
decode_password(struct bytes value, struct password_hash *out)
{
	struct bytes line;
	enum err rc = OK;

	TRY(fields_find(value, "password", &line));
	if (line.octets >= sizeof(out->line))
		TRY(ERR_VALUE);
	memcpy(out->line, line.at, line.octets);
	if (strlen(out->line) != line.octets || !password_hash_is_valid(out))
		TRY(ERR_VALUE);
out:
	return rc == ERR_NOT_FOUND ? ERR_MISSING : rc;
}

static enum err
decode(struct bytes name, struct bytes value, struct user *out)
{
	int64_t administers, changes;
	enum err rc = OK;

	memcpy(out->name, name.at, name.octets);
	TRY(decode_number(value, "serial", INT64_MAX, &out->serial));
	TRY(decode_number(value, "administers", 1, &administers));
	TRY(decode_number(value, "changes-password", 1, &changes));
	TRY(decode_number(
	    value, "failures", INT64_MAX, &out->lockout.failures));
	TRY(decode_number(
	    value, "locked-until", INT64_MAX, &out->lockout.until_ms));
	TRY(decode_password(value, &out->password));
	out->administers = administers != 0;
	out->changes_password = changes != 0;
out:
	return rc;
}

enum err
user_read(struct store *st, struct bytes name, struct user *out)
{
	struct buf value;
	enum err rc = OK;

	*out = (struct user){.name = ""};
	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	/* whatever somebody sends: what no user is called, none is */
	if (!is_name(name))
		TRY(ERR_NOT_FOUND);
	TRY(record_get(st, KIND_USER, name, &value));
	rc = decode(name, buf_peek(&value), out);
	if (rc != OK) {
		log_line("device", LOG_ERROR,
		    "the record of the user %.*s cannot be read: %s",
		    (int)name.octets, (const char *)name.at, err_text(rc));
		rc = ERR_STORE;
	}
out:
	buf_clear(&value);
	return rc;
}

static enum err
put(struct store *st, const struct user *user)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(encode(user, &value));
	TRY(record_put(
	    st, KIND_USER, bytes_of_text(user->name), buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

enum err
user_lockout_write(struct store *st, const struct user *user)
{
	return put(st, user);
}

enum err
user_serial_next(struct store *st, int64_t *out)
{
	uint8_t octets[SERIAL_OCTETS];
	struct buf value;
	enum err rc = OK;

	*out = 0;
	buf_init(&value, STORE_META_VALUE_MAX_OCTETS);
	rc = store_meta_get(st, META_SERIAL, &value);
	if (rc == OK && value.octets != SERIAL_OCTETS)
		TRY(ERR_STORE);
	if (rc == OK)
		*out = (int64_t)((uint64_t)bytes_u32(value.at) << 32 |
				 bytes_u32(value.at + 4));
	else if (rc != ERR_NOT_FOUND)
		TRY(rc);
	++*out;
	bytes_put_u64(octets, (uint64_t)*out);
	rc = store_meta_put(
	    st, META_SERIAL, (struct bytes){octets, SERIAL_OCTETS});
out:
	buf_clear(&value);
	return rc;
}

enum err
user_create(struct appliance *appliance, struct user *user)
{
	struct store *st = appliance->store;
	enum err rc = OK;

	assert(is_name(bytes_of_text(user->name)));
	rc = is_there(st, KIND_USER, bytes_of_text(user->name));
	if (rc != ERR_NOT_FOUND)
		return rc == OK ? ERR_EXISTS : rc;
	rc = store_savepoint(st);
	if (rc != OK)
		return rc;
	TRY(user_serial_next(st, &user->serial));
	TRY(put(st, user));
out:
	users_changed(appliance);
	return store_savepoint_end(st, rc);
}

enum err
user_write(struct appliance *appliance, const struct user *user)
{
	struct user was;
	enum err rc = OK;

	TRY(user_read(appliance->store, bytes_of_text(user->name), &was));
	assert(was.serial == user->serial);
	TRY(put(appliance->store, user));
	users_changed(appliance);
out:
	return rc;
}

/* ---- deleting one ---- */

struct leaving {
	struct store *st;
	struct bytes name;
};

static enum err
leave_group(void *ctx, struct bytes group)
{
	const struct leaving *l = ctx;
	struct pair pair;
	enum err rc = OK;

	TRY(record_delete(l->st, KIND_MEMBER, pair_key(&pair, group, l->name)));
	TRY(record_delete(l->st, KIND_GROUPS, pair_key(&pair, l->name, group)));
out:
	return rc;
}

static enum err
drop_attribute(void *ctx, struct bytes key, struct bytes value)
{
	struct store *st = ctx;

	(void)value;
	return record_delete(st, KIND_ATTRIBUTE, key);
}

/* Anything but destroyed objects? Whether or not there is such a user. */
static enum err
owns_keys(struct appliance *appliance, struct bytes name, bool *owns)
{
	struct store_query query = {
	    .scopes = &name,
	    .scope_count = 1,
	    .states = STORE_STATES_ALL & ~STORE_STATE(STATE_DESTROYED) &
		      ~STORE_STATE(STATE_DESTROYED_COMPROMISED),
	    .max_items = 1,
	};
	struct store_found found = {.id_count = 0};
	struct arena *a = NULL;
	enum err rc = OK;

	*owns = false;
	TRY(arena_new(OWNS_OCTETS, &a));
	TRY(store_locate(appliance->store, a, &query, &found));
	*owns = found.id_count != 0;
out:
	arena_free(a);
	return rc;
}

enum err
user_delete(
    struct appliance *appliance, struct bytes name, char why[USER_WHY_OCTETS])
{
	struct store *st = appliance->store;
	struct leaving leaving = {st, name};
	struct pair prefix;
	bool owns;
	enum err rc = OK;

	*why = '\0';
	if (!is_name(name))
		return ERR_NOT_FOUND;
	TRY(is_there(st, KIND_USER, name));
	TRY(owns_keys(appliance, name, &owns));
	/* req: KS-31-050 */
	if (owns) {
		(void)snprintf(why, USER_WHY_OCTETS,
		    "it owns keys, and a user that is a key owner cannot be "
		    "deleted");
		TRY(ERR_DENIED);
	}
	rc = store_savepoint(st);
	if (rc != OK)
		return rc;
	rc = pairs_each(
	    st, KIND_GROUPS, name, BYTES_NONE, 0, leave_group, &leaving);
	if (rc == OK)
		rc = record_each_prefix(st, KIND_ATTRIBUTE,
		    pair_key(&prefix, name, BYTES_NONE), BYTES_NONE, 0,
		    drop_attribute, st);
	if (rc == OK)
		rc = record_delete(st, KIND_USER, name);
	users_changed(appliance);
	rc = store_savepoint_end(st, rc);
out:
	return rc;
}

enum err
user_each(struct store *st, struct bytes after, size_t most, user_name_fn *each,
    void *ctx)
{
	return names_each(st, KIND_USER, after, most, each, ctx);
}

/* ---- custom attributes ---- */

struct attributes {
	size_t first_octets;
	user_attribute_fn *each;
	void *ctx;
};

static enum err
attribute_on(void *ctx, struct bytes key, struct bytes value)
{
	const struct attributes *attributes = ctx;

	return attributes->each(
	    attributes->ctx, second_of(key, attributes->first_octets), value);
}

enum err
user_attribute_each(
    struct store *st, struct bytes user, user_attribute_fn *each, void *ctx)
{
	struct attributes attributes = {user.octets, each, ctx};
	struct pair prefix;

	if (!is_name(user))
		return OK;
	return record_each_prefix(st, KIND_ATTRIBUTE,
	    pair_key(&prefix, user, BYTES_NONE), BYTES_NONE, 0, attribute_on,
	    &attributes);
}

static enum err
count_attribute(void *ctx, struct bytes attribute, struct bytes value)
{
	size_t *count = ctx;

	(void)attribute;
	(void)value;
	++*count;
	return OK;
}

enum err
user_attribute_put(struct store *st, struct bytes user, struct bytes attribute,
    struct bytes value)
{
	struct pair pair;
	size_t count = 0;
	enum err rc = OK;

	if (!is_name(user))
		return ERR_NOT_FOUND;
	TRY(is_there(st, KIND_USER, user));
	rc = is_there(st, KIND_ATTRIBUTE, pair_key(&pair, user, attribute));
	if (rc == ERR_NOT_FOUND) {
		TRY(user_attribute_each(st, user, count_attribute, &count));
		rc = count < USER_ATTRIBUTES_MOST ? OK : ERR_LIMIT;
	}
	TRY(rc);
	TRY(record_put(
	    st, KIND_ATTRIBUTE, pair_key(&pair, user, attribute), value));
out:
	return rc;
}

enum err
user_attribute_delete(
    struct store *st, struct bytes user, struct bytes attribute)
{
	struct pair pair;

	if (!is_name(user) || !is_name(attribute))
		return ERR_NOT_FOUND;
	return record_delete(
	    st, KIND_ATTRIBUTE, pair_key(&pair, user, attribute));
}

/* ---------------------------------------------------------------------------
 * Groups
 */

enum err
group_find(struct store *st, struct bytes group)
{
	return is_name(group) ? is_there(st, KIND_GROUP, group) : ERR_NOT_FOUND;
}

enum err
group_create(struct appliance *appliance, struct bytes group)
{
	enum err rc = group_find(appliance->store, group);

	assert(is_name(group));
	if (rc != ERR_NOT_FOUND)
		return rc == OK ? ERR_EXISTS : rc;
	return record_put(appliance->store, KIND_GROUP, group, BYTES_NONE);
}

static enum err
drop_member(void *ctx, struct bytes user)
{
	const struct leaving *l = ctx;
	struct leaving member = {l->st, user};

	return leave_group(&member, l->name);
}

enum err
group_delete(struct appliance *appliance, struct bytes group)
{
	struct store *st = appliance->store;
	struct leaving leaving = {st, group};
	enum err rc = OK;

	TRY(group_find(st, group));
	rc = store_savepoint(st);
	if (rc != OK)
		return rc;
	rc = pairs_each(
	    st, KIND_MEMBER, group, BYTES_NONE, 0, drop_member, &leaving);
	if (rc == OK)
		rc = record_delete(st, KIND_GROUP, group);
	users_changed(appliance);
	rc = store_savepoint_end(st, rc);
out:
	return rc;
}

static enum err
count_name(void *ctx, struct bytes name)
{
	size_t *count = ctx;

	(void)name;
	++*count;
	return OK;
}

/* Are there both of them? */
static enum err
find_both(struct store *st, struct bytes group, struct bytes user,
    char why[USER_WHY_OCTETS])
{
	const char *lacks = "there is no such group";
	enum err rc = OK;

	*why = '\0';
	TRY(group_find(st, group));
	lacks = "there is no such local user";
	/* req: KS-31-041 */
	if (!is_name(user))
		TRY(ERR_NOT_FOUND);
	TRY(is_there(st, KIND_USER, user));
out:
	if (rc == ERR_NOT_FOUND)
		(void)snprintf(why, USER_WHY_OCTETS, "%s", lacks);
	return rc;
}

static enum err
groups_fit(struct store *st, struct bytes user, char why[USER_WHY_OCTETS])
{
	size_t count = 0;
	enum err rc = OK;

	TRY(group_of_user_each(st, user, BYTES_NONE, 0, count_name, &count));
	if (count >= USER_GROUPS_MOST) {
		(void)snprintf(why, USER_WHY_OCTETS,
		    "a user is in %d groups at most", USER_GROUPS_MOST);
		TRY(ERR_LIMIT);
	}
out:
	return rc;
}

enum err
group_add(struct appliance *appliance, struct bytes group, struct bytes user,
    char why[USER_WHY_OCTETS])
{
	struct store *st = appliance->store;
	struct pair pair;
	enum err rc = OK;

	TRY(find_both(st, group, user, why));
	rc = is_there(st, KIND_MEMBER, pair_key(&pair, group, user));
	if (rc == OK) {
		(void)snprintf(
		    why, USER_WHY_OCTETS, "it is in this group already");
		TRY(ERR_EXISTS);
	}
	if (rc != ERR_NOT_FOUND)
		TRY(rc);
	TRY(groups_fit(st, user, why));
	rc = store_savepoint(st);
	if (rc != OK)
		return rc;
	rc = record_put(
	    st, KIND_MEMBER, pair_key(&pair, group, user), BYTES_NONE);
	if (rc == OK)
		rc = record_put(
		    st, KIND_GROUPS, pair_key(&pair, user, group), BYTES_NONE);
	users_changed(appliance);
	rc = store_savepoint_end(st, rc);
out:
	return rc;
}

enum err
group_remove(struct appliance *appliance, struct bytes group, struct bytes user,
    char why[USER_WHY_OCTETS])
{
	struct store *st = appliance->store;
	struct leaving leaving = {st, user};
	struct pair pair;
	enum err rc = OK;

	TRY(find_both(st, group, user, why));
	rc = is_there(st, KIND_MEMBER, pair_key(&pair, group, user));
	if (rc == ERR_NOT_FOUND)
		(void)snprintf(why, USER_WHY_OCTETS, "it is not in this group");
	TRY(rc);
	rc = store_savepoint(st);
	if (rc != OK)
		return rc;
	rc = leave_group(&leaving, group);
	users_changed(appliance);
	rc = store_savepoint_end(st, rc);
out:
	return rc;
}

enum err
group_each(struct store *st, struct bytes after, size_t most,
    user_name_fn *each, void *ctx)
{
	return names_each(st, KIND_GROUP, after, most, each, ctx);
}

enum err
group_of_user_each(struct store *st, struct bytes user, struct bytes after,
    size_t most, user_name_fn *each, void *ctx)
{
	return pairs_each(st, KIND_GROUPS, user, after, most, each, ctx);
}

enum err
group_member_each(struct store *st, struct bytes group, struct bytes after,
    size_t most, user_name_fn *each, void *ctx)
{
	return pairs_each(st, KIND_MEMBER, group, after, most, each, ctx);
}

/* ---------------------------------------------------------------------------
 * Who asks
 */

static const struct bytes nobody = {(const uint8_t *)"", 0};

void
key_user_global(struct key_user *out)
{
	*out = (struct key_user){.scopes = &nobody, .scope_count = 1};
}

/* What a principal's `memory` is. */
struct key_user_block {
	size_t holders;
	struct bytes list[]; /* groups, scopes, and the octets of both */
};

void
key_user_share(const struct key_user *user, struct key_user *out)
{
	struct key_user_block *block = user->memory;

	if (block != NULL)
		block->holders++;
	*out = *user;
}

void
key_user_clear(struct key_user *user)
{
	struct key_user_block *block = user->memory;

	if (block != NULL && --block->holders == 0)
		mem_free(block);
	key_user_global(user);
}

bool
key_user_in_group(const struct key_user *user, struct bytes group)
{
	size_t least = 0, most = user->group_count;

	while (least < most) {
		size_t middle = least + (most - least) / 2;
		int order = bytes_compare(user->groups[middle], group);

		if (order == 0)
			return true;
		if (order < 0)
			least = middle + 1;
		else
			most = middle;
	}
	return false;
}

struct gathered {
	struct buf names; /* each with an octet before it: its length */
	size_t count;
};

static enum err
gather(void *ctx, struct bytes group)
{
	struct gathered *g = ctx;
	const uint8_t octets = (uint8_t)group.octets;
	enum err rc = OK;

	TRY(buf_put(&g->names, (struct bytes){&octets, 1}));
	TRY(buf_put(&g->names, group));
	g->count++;
out:
	return rc;
}

/*
 * One block: the groups, the scopes, and the octets that both point to, which
 * are the user's name and each group's with CARD_GROUP_MARK before it.
 */
static enum err
settle_groups(struct key_user *out, const struct gathered *g)
{
	size_t name_octets = strlen(out->name);
	size_t count = g->count;
	size_t places = count + count + 2;
	const uint8_t *in = g->names.at;
	struct key_user_block *block;
	struct bytes *groups, *scopes;
	uint8_t *to;
	size_t k;

	block = mem_zalloc(1, sizeof(*block) + places * sizeof(*groups) +
				  name_octets + g->names.octets);
	if (block == NULL)
		return ERR_NOMEM;
	block->holders = 1;
	out->memory = block;
	groups = block->list;
	scopes = groups + count;
	to = (uint8_t *)(groups + places);
	memcpy(to, out->name, name_octets);
	scopes[0] = (struct bytes){to, name_octets};
	scopes[1] = nobody;
	to += name_octets;
	for (k = 0; k < count; k++) {
		size_t octets = *in++;

		*to++ = CARD_GROUP_MARK;
		memcpy(to, in, octets);
		groups[k] = (struct bytes){to, octets};
		scopes[k + 2] = (struct bytes){to - 1, octets + 1};
		to += octets;
		in += octets;
	}
	out->groups = groups;
	out->group_count = count;
	out->scopes = scopes;
	out->scope_count = count + 2;
	return OK;
}

/* From what has been read of the user. */
enum err
key_user_make(
    struct appliance *appliance, const struct user *user, struct key_user *out)
{
	struct gathered g = {.count = 0};
	enum err rc = OK;

	key_user_global(out);
	buf_init(&g.names, USER_GROUPS_MOST * (USER_NAME_OCTETS + 1));
	TRY(group_of_user_each(appliance->store, bytes_of_text(user->name),
	    BYTES_NONE, 0, gather, &g));
	memcpy(out->name, user->name, sizeof(out->name));
	TRY(settle_groups(out, &g));
	out->administers = user->administers;
	/* req: KS-31-026 */
	out->may_change_password = user->administers || user->changes_password;
	out->serial = user->serial;
	out->generation = users_generation(appliance);
out:
	buf_clear(&g.names);
	if (rc != OK)
		key_user_clear(out);
	return rc;
}

enum err
key_user_take(
    struct appliance *appliance, struct bytes name, struct key_user *out)
{
	struct user user;
	enum err rc = OK;

	key_user_global(out);
	TRY(user_read(appliance->store, name, &user));
	TRY(key_user_make(appliance, &user, out));
out:
	return rc;
}

enum err
key_user_refresh(struct appliance *appliance, struct key_user *user)
{
	struct key_user now;
	enum err rc = OK;

	if (key_user_is_global(user) ||
	    user->generation == users_generation(appliance))
		return OK;
	TRY(key_user_take(appliance, bytes_of_text(user->name), &now));
	if (now.serial != user->serial) {
		key_user_clear(&now);
		TRY(ERR_NOT_FOUND);
	}
	key_user_clear(user);
	*user = now;
out:
	return rc;
}
