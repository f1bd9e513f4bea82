#include "model/card.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- words ---- */

const char *
card_grant_text(enum card_grant grant)
{
	static const char *const texts[] = {
	    [CARD_NEVER] = "Never",
	    [CARD_ALWAYS] = "Always",
	    [CARD_POLICY] = "Authorization Policy",
	};
	_Static_assert(COUNT(texts) == CARD_GRANT_COUNT, "a text for each");

	return texts[grant];
}

const char *
card_state_text(enum card_state state)
{
	static const char *const texts[] = {
	    [CARD_ACTIVE] = "Active",
	    [CARD_RESTRICTED] = "Restricted",
	    [CARD_RETIRED] = "Retired",
	};
	_Static_assert(COUNT(texts) == CARD_STATE_COUNT, "a text for each");

	return texts[state];
}

/* ---- permissions ---- */

static enum err
permission_copy(struct arena *a, const struct card_permission *from,
    struct card_permission *to)
{
	enum err rc = OK;
	size_t use;

	*to = *from;
	TRY(arena_copy(a, from->group, &to->group));
	for (use = 0; use < KEY_PERMISSIONS; use++) {
		if (from->use[use].policy.octets != 0)
			TRY(arena_copy(
			    a, from->use[use].policy, &to->use[use].policy));
	}
out:
	return rc;
}

enum err
card_set_permissions(struct arena *a, struct card *card,
    const struct card_permission *permissions, size_t count)
{
	struct card_permission *copies = NULL;
	enum err rc = OK;
	size_t k;

	if (count > CARD_GROUPS_MOST)
		return ERR_LIMIT;
	if (count != 0)
		TRY(ARENA_ARRAY(a, copies, count));
	for (k = 0; k < count; k++)
		TRY(permission_copy(a, &permissions[k], &copies[k]));
	card->permissions = copies;
	card->permission_count = count;
out:
	return rc;
}

const struct card_permission *
card_find_permission(const struct card *card, struct bytes group)
{
	size_t k;

	for (k = 0; card != NULL && k < card->permission_count; k++) {
		if (bytes_equal(card->permissions[k].group, group))
			return &card->permissions[k];
	}
	return NULL;
}

bool
card_permits_any(const struct card_permission *permission)
{
	size_t use;

	for (use = 0; use < KEY_PERMISSIONS; use++) {
		if (permission->use[use].grant != CARD_NEVER)
			return true;
	}
	return false;
}

enum err
card_copy(struct arena *a, const struct card *from, struct card **out)
{
	struct card *card;
	enum err rc = OK;

	*out = NULL;
	TRY(ARENA_NEW(a, card));
	*card = *from;
	if (from->iv.octets != 0)
		TRY(arena_copy(a, from->iv, &card->iv));
	if (from->fingerprint.octets != 0)
		TRY(arena_copy(a, from->fingerprint, &card->fingerprint));
	TRY(card_set_permissions(
	    a, card, from->permissions, from->permission_count));
	*out = card;
out:
	return rc;
}

/* ---- scopes ---- */

/* No name begins with a control character. */
enum { MARK_GROUP = CARD_GROUP_MARK, MARK_VERSION = 2, MARK_POLICY = 3 };

static enum err
scope_make(
    struct arena *a, uint8_t mark, struct bytes name, struct bytes *scope)
{
	uint8_t *at;
	enum err rc = OK;

	if (name.octets == 0 || name.octets > CARD_NAME_OCTETS)
		return ERR_LIMIT;
	TRY(ARENA_ARRAY(a, at, 1 + name.octets));
	at[0] = mark;
	memcpy(at + 1, name.at, name.octets);
	*scope = (struct bytes){at, 1 + name.octets};
out:
	return rc;
}

static bool
scope_read(struct bytes scope, uint8_t mark, struct bytes *name)
{
	struct bytes head;

	*name = scope;
	return bytes_split(name, 1, &head) == OK && head.at[0] == mark;
}

enum err
card_group_scope(struct arena *a, struct bytes group, struct bytes *scope)
{
	return scope_make(a, MARK_GROUP, group, scope);
}

enum err
card_policy_scope(struct arena *a, struct bytes policy, struct bytes *scope)
{
	return scope_make(a, MARK_POLICY, policy, scope);
}

/* Does it name the policy for any use? */
static bool
permission_has_policy(
    const struct card_permission *permission, struct bytes policy)
{
	size_t use;

	for (use = 0; use < KEY_PERMISSIONS; use++)
		if (permission->use[use].grant == CARD_POLICY &&
		    bytes_equal(permission->use[use].policy, policy))
			return true;
	return false;
}

static bool
card_has_policy(const struct card *card, struct bytes policy)
{
	size_t k;

	for (k = 0; k < card->permission_count; k++)
		if (permission_has_policy(&card->permissions[k], policy))
			return true;
	return false;
}

bool
card_in_scope(const struct card *card, struct bytes scope)
{
	const struct card_permission *permission;
	struct bytes name;

	if (card == NULL)
		return false;
	if (scope_read(scope, MARK_POLICY, &name))
		return card_has_policy(card, name);
	if (!scope_read(scope, MARK_GROUP, &name))
		return false;
	permission = card_find_permission(card, name);
	return permission != NULL && card_permits_any(permission);
}

/* Once each, whatever permissions name it. */
static enum err
policy_scopes(struct arena *a, const struct card_permission *permission,
    struct bytes *scopes, size_t *count)
{
	struct bytes scope;
	size_t use, k;
	enum err rc = OK;

	for (use = 0; use < KEY_PERMISSIONS; use++) {
		if (permission->use[use].grant != CARD_POLICY)
			continue;
		TRY(card_policy_scope(a, permission->use[use].policy, &scope));
		for (k = 0; k < *count && !bytes_equal(scopes[k], scope); k++)
			;
		if (k == *count)
			scopes[(*count)++] = scope;
	}
out:
	return rc;
}

enum err
card_scopes(struct arena *a, const struct card *card, struct bytes *scopes,
    size_t *count)
{
	size_t k;
	enum err rc = OK;

	*count = 0;
	for (k = 0; k < card->permission_count; k++) {
		const struct card_permission *one = &card->permissions[k];

		if (!card_permits_any(one))
			continue;
		TRY(card_group_scope(a, one->group, &scopes[(*count)++]));
		TRY(policy_scopes(a, one, scopes, count));
	}
out:
	return rc;
}

bool
card_scope_is_shared(struct bytes scope)
{
	struct bytes name;

	return scope_read(scope, MARK_GROUP, &name) ||
	       scope_read(scope, MARK_POLICY, &name);
}

struct bytes
card_version_owner(void)
{
	static const uint8_t owner[] = {MARK_VERSION};

	return (struct bytes){owner, sizeof(owner)};
}

/* ---- the stored form ----
 *
 * Numbers are big-endian; a text is its length (1) and its octets.
 *
 *	flags (1)  state (1)  newest (4)  version (4)
 *	versions in each state (4 each)  creation date (8)
 *	default IV  fingerprint                          texts
 *	permissions (2), and of each
 *		group                                    text
 *		of each use: grant (1), and of a policy its name
 */

enum {
	FLAG_DELETABLE = 1,
	HEAD_OCTETS = 1 + 1 + 4 + 4 + 4 * CARD_STATE_COUNT + 8,
};

static enum err
put_text(struct buf *out, struct bytes text)
{
	uint8_t length = (uint8_t)text.octets;
	enum err rc = OK;

	if (text.octets > UINT8_MAX)
		return ERR_LIMIT;
	TRY(buf_put(out, (struct bytes){&length, 1}));
	TRY(buf_put(out, text));
out:
	return rc;
}

static enum err
put_permission(struct buf *out, const struct card_permission *permission)
{
	enum err rc = OK;
	size_t use;

	TRY(put_text(out, permission->group));
	for (use = 0; use < KEY_PERMISSIONS; use++) {
		uint8_t grant = (uint8_t)permission->use[use].grant;

		TRY(buf_put(out, (struct bytes){&grant, 1}));
		if (grant == CARD_POLICY)
			TRY(put_text(out, permission->use[use].policy));
	}
out:
	return rc;
}

enum err
card_encode(const struct card *card, struct buf *out)
{
	uint8_t head[HEAD_OCTETS];
	uint8_t count[2];
	uint8_t *at = head;
	enum err rc = OK;
	size_t k;

	*at++ = card->deletable ? FLAG_DELETABLE : 0;
	*at++ = (uint8_t)card->state;
	bytes_put_u32(at, card->newest);
	bytes_put_u32(at + 4, card->version);
	at += 8;
	for (k = 0; k < CARD_STATE_COUNT; k++, at += 4)
		bytes_put_u32(at, card->count[k]);
	bytes_put_u64(at, (uint64_t)card->created_s);
	TRY(buf_put(out, (struct bytes){head, sizeof(head)}));
	TRY(put_text(out, card->iv));
	TRY(put_text(out, card->fingerprint));
	bytes_put_u16(count, (uint32_t)card->permission_count);
	TRY(buf_put(out, (struct bytes){count, sizeof(count)}));
	for (k = 0; k < card->permission_count; k++)
		TRY(put_permission(out, &card->permissions[k]));
out:
	return rc;
}

static enum err
take_text(struct bytes *in, struct bytes *text)
{
	struct bytes length;
	enum err rc = OK;

	TRY(bytes_split(in, 1, &length));
	TRY(bytes_split(in, length.at[0], text));
out:
	return rc;
}

static enum err
take_permission(struct bytes *in, struct card_permission *permission)
{
	struct bytes grant;
	enum err rc = OK;
	size_t use;

	TRY(take_text(in, &permission->group));
	if (permission->group.octets == 0 ||
	    permission->group.octets > CARD_NAME_OCTETS)
		TRY(ERR_VALUE);
	for (use = 0; use < KEY_PERMISSIONS; use++) {
		TRY(bytes_split(in, 1, &grant));
		if (grant.at[0] >= CARD_GRANT_COUNT)
			TRY(ERR_VALUE);
		permission->use[use].grant = (enum card_grant)grant.at[0];
		if (grant.at[0] == CARD_POLICY)
			TRY(take_text(in, &permission->use[use].policy));
	}
out:
	return rc;
}

static enum err
take_head(struct bytes *in, struct card *card)
{
	struct bytes head;
	enum err rc = OK;
	size_t k;

	TRY(bytes_split(in, HEAD_OCTETS, &head));
	if (head.at[0] > FLAG_DELETABLE || head.at[1] >= CARD_STATE_COUNT)
		TRY(ERR_VALUE);
	card->deletable = (head.at[0] & FLAG_DELETABLE) != 0;
	card->state = (enum card_state)head.at[1];
	card->newest = bytes_u32(head.at + 2);
	card->version = bytes_u32(head.at + 6);
	for (k = 0; k < CARD_STATE_COUNT; k++)
		card->count[k] = bytes_u32(head.at + 10 + 4 * k);
	head.at += 10 + 4 * CARD_STATE_COUNT;
	card->created_s = (int64_t)((uint64_t)bytes_u32(head.at) << 32 |
				    bytes_u32(head.at + 4));
	if (card->newest > CARD_VERSIONS_MOST ||
	    card->version > CARD_VERSIONS_MOST)
		TRY(ERR_VALUE);
out:
	return rc;
}

static enum err
take_permissions(struct arena *a, struct bytes *in, struct card *card)
{
	struct card_permission *permissions = NULL;
	struct bytes count;
	enum err rc = OK;
	size_t k;

	TRY(bytes_split(in, 2, &count));
	card->permission_count = bytes_u16(count.at);
	if (card->permission_count > CARD_GROUPS_MOST)
		TRY(ERR_VALUE);
	if (card->permission_count != 0)
		TRY(ARENA_ARRAY(a, permissions, card->permission_count));
	for (k = 0; k < card->permission_count; k++)
		TRY(take_permission(in, &permissions[k]));
	card->permissions = permissions;
out:
	return rc;
}

enum err
card_decode(struct arena *a, struct bytes in, struct card **out)
{
	struct card *card;
	enum err rc = OK;

	*out = NULL;
	TRY(arena_copy(a, in, &in));
	TRY(ARENA_NEW(a, card));
	TRY(take_head(&in, card));
	TRY(take_text(&in, &card->iv));
	TRY(take_text(&in, &card->fingerprint));
	if (card->iv.octets > CARD_IV_MOST_OCTETS)
		TRY(ERR_VALUE);
	TRY(take_permissions(a, &in, card));
	if (in.octets != 0)
		TRY(ERR_VALUE);
	*out = card;
out:
	return rc == ERR_TRUNCATED ? ERR_VALUE : rc;
}
