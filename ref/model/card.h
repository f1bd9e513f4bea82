/*
 * What an object is to the appliance beyond what KMIP has attributes for: may a
 * client delete it, which groups may do what with it, and which version of a
 * versioned key it holds.
 *
 * An object without a card (whatever KMIP makes) is deletable, has one version
 * and no permissions; so has a new key none. A card lies in its object's arena
 * and is stored with its attributes.
 *
 * req: KS-29-030
 *
 * Versions. The key itself, U, has all metadata and the bytes of its newest
 * version, which is the default one. The bytes of an older version n are an
 * object of their own, "U.n", with a card and next to no attributes; its owner
 * is nobody's scope, so that only who has U gets at it.
 *
 * Scopes. Whose lists an object is in: its owner's, those of each group that
 * may do anything with it, and those of the policies by which they may. A scope
 * is the owner's name ("": global keys), or what card_group_scope and
 * card_policy_scope make of others.
 *
 * Source: guide chapter 28
 */
#ifndef MODEL_CARD_H
#define MODEL_CARD_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/key_use.h"

enum {
	CARD_VERSIONS_MOST = 4000, /* req: KS-28-048 KS-28-100 */
	CARD_NAME_OCTETS = 64,     /* of a group or a policy */
	CARD_GROUPS_MOST = 1000,   /* that a key has permissions for */
	CARD_IV_MOST_OCTETS = 16,
	CARD_FINGERPRINT_OCTETS = 20,
	CARD_SCOPE_OCTETS = 1 + CARD_NAME_OCTETS,
	CARD_GROUP_MARK = 1, /* begins a group's scope, and no owner's name */
};

enum card_grant { CARD_NEVER, CARD_ALWAYS, CARD_POLICY, CARD_GRANT_COUNT };

/* "Never", "Always", "Authorization Policy" */
const char *card_grant_text(enum card_grant grant);

struct card_permission {
	struct bytes group;
	struct {
		enum card_grant grant;
		struct bytes policy; /* its name, of CARD_POLICY only */
	} use[KEY_PERMISSIONS];
};

enum card_state {
	CARD_ACTIVE,
	CARD_RESTRICTED,
	CARD_RETIRED,
	CARD_STATE_COUNT
};

/* "Active", "Restricted", "Retired" */
const char *card_state_text(enum card_state state);

struct card {
	bool deletable;
	/* of a versioned key: the number of the newest version, whose bytes are
	 * in this object, and how many there are in each state; 0: it is none
	 */
	uint32_t newest;
	uint32_t count[CARD_STATE_COUNT];
	/* of "U.n": n; 0: it is a key itself */
	uint32_t version;
	/* of the version whose bytes are here */
	enum card_state state;
	int64_t created_s;
	struct bytes iv;          /* none: the algorithm has none */
	struct bytes fingerprint; /* SHA-1 of the key, or of its public half;
				     none: not known */
	const struct card_permission *permissions; /* a group once */
	size_t permission_count;
};

enum err card_copy(
    struct arena *a, const struct card *from, struct card **out) MUST_CHECK;

/* Its permissions, in place of those that it has; copied into the arena. */
enum err card_set_permissions(struct arena *a, struct card *card,
    const struct card_permission *permissions, size_t count) MUST_CHECK;

/* What it says of a group; NULL: nothing, so never. Harmless on NULL. */
const struct card_permission *
card_find_permission(const struct card *card, struct bytes group);

/* May that group do anything at all? */
bool card_permits_any(const struct card_permission *permission);

/* The scope of a group's keys; ERR_LIMIT: the name is too long. */
enum err card_group_scope(
    struct arena *a, struct bytes group, struct bytes *scope) MUST_CHECK;

/* The same of a policy: who would delete it asks for a key there. */
enum err card_policy_scope(
    struct arena *a, struct bytes policy, struct bytes *scope) MUST_CHECK;

/* All that a card gives, each once: CARD_SCOPES_MOST of each permission at
 * most. */
enum { CARD_SCOPES_MOST = 1 + KEY_PERMISSIONS };
enum err card_scopes(struct arena *a, const struct card *card,
    struct bytes *scopes, size_t *count) MUST_CHECK;

/* Is it one of these? Harmless on NULL. */
bool card_in_scope(const struct card *card, struct bytes scope);

/* Is it one that a card gives, and no owner's? */
bool card_scope_is_shared(struct bytes scope);

/* Owns all older versions: in nobody's scopes. */
struct bytes card_version_owner(void);

/*
 * The stored form, appended to `out`; and back, all of `in`, into the arena.
 *
 * ERR_VALUE  no such card
 */
enum err card_encode(const struct card *card, struct buf *out) MUST_CHECK;
enum err
card_decode(struct arena *a, struct bytes in, struct card **out) MUST_CHECK;

#endif
