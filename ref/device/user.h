/*
 * Users and groups: who may come for keys. They are no administrators, whose
 * accounts are in device/admin.h, and neither opens the other's doors.
 *
 * Records: "user" NAME; "user.attribute" NAME/ATTRIBUTE; "group" NAME;
 * "group.member" GROUP/USER and "user.group" USER/GROUP, each membership
 * under both names. Names may have no slash, so each prefix is one name's.
 * Nothing of it is kept in memory but what a session has taken (struct
 * key_user), so the cost of a login is that of the user's own records, however
 * many others there are.
 *
 * The functions that write do so in the turn's group, in a savepoint of their
 * own where they write more than once. They are called by the `apply` of an
 * administrator's change, or by the request of a user who administers users;
 * who may has been asked before.
 *
 * Errors beside those named: the store's.
 *
 * req: KS-31-001 KS-31-003 ESKM-167 ESKM-168 ESKM-169
 */
#ifndef DEVICE_USER_H
#define DEVICE_USER_H

#include "device/lockout.h"
#include "device/password.h"
#include "store/record.h"

struct appliance;

enum {
	USER_NAME_OCTETS = 64, /* req: KS-31-017; of groups as well, ours */
	USER_ATTRIBUTES_MOST = 100, /* ours, as those of a key */
	USER_ATTRIBUTE_OCTETS = 64, /* its name; req: KS-31-033 */
	USER_VALUE_OCTETS = 1000,   /* its value; req: KS-31-035 */
	USER_GROUPS_MOST = 1000,    /* of one user; ours */
	USER_WHY_OCTETS = 160,
};

/* ---------------------------------------------------------------------------
 * Who asks: a session's principal for keys
 */

struct key_user {
	char name[USER_NAME_OCTETS + 1]; /* "": a global session */
	bool administers;                /* User Administration Permission */
	bool may_change_password;        /* its own; req: KS-31-026 */
	const struct bytes *groups;      /* names, in the order of octets */
	size_t group_count;
	/* for queries of the store: the name, "" for what is global, and each
	 * group's scope (model/card.h) */
	const struct bytes *scopes;
	size_t scope_count;
	/* ---- user.c's own; the struct may be moved ---- */
	void *memory;
	uint64_t generation;
	int64_t serial;
};

/*
 * A session without a user: global keys and no others. Nothing to be cleared,
 * and never out of date.
 *
 * req: KS-03-020 KS-03-031 KS-03-032 KS-03-060 KS-28-017 KS-28-021 KS-28-026
 */
void key_user_global(struct key_user *out);

/*
 * As the directory has this user now; whoever calls has made sure who it is (a
 * certificate; logins have it made for them).
 *
 * ERR_NOT_FOUND  there is no such user; *out is a global session
 *
 * req: KS-03-024 KS-28-023
 */
enum err key_user_take(struct appliance *appliance, struct bytes name,
    struct key_user *out) MUST_CHECK;

/*
 * Before each request of a session: what has become of permissions and groups
 * meanwhile. It compares two numbers, and reads only when a user, a group or a
 * membership has changed.
 *
 * ERR_NOT_FOUND  the user is gone (one of the same name that was made anew is
 *                another one): the session ends
 */
enum err
key_user_refresh(struct appliance *appliance, struct key_user *user) MUST_CHECK;

void key_user_clear(struct key_user *user); /* a global session again */

static inline bool
key_user_is_global(const struct key_user *user)
{
	return user->name[0] == '\0';
}

bool key_user_in_group(const struct key_user *user, struct bytes group);

/* ---------------------------------------------------------------------------
 * Users
 */

struct user {
	char name[USER_NAME_OCTETS + 1];
	bool administers;      /* User Administration Permission */
	bool changes_password; /* Change Password Permission */
	struct password_hash password;
	struct lockout lockout;
	int64_t serial; /* user_create's: no two users ever have the same */
};

/*
 * Can it be entered? why: the rule that it breaks, to stand behind the field's
 * name and the value. Names of groups have the rule of names of users. A
 * password that passes here still has to pass password_check.
 *
 * req: KS-31-016 KS-31-018 KS-31-022 KS-31-031 KS-31-032 KS-31-034
 */
bool user_name_is_valid(struct bytes name, const char **why);
bool user_password_is_valid(struct bytes password, const char **why);
bool user_attribute_is_valid(struct bytes attribute, const char **why);
bool user_value_is_valid(struct bytes value, const char **why);

/*
 * ERR_NOT_FOUND
 * ERR_STORE      the record cannot be read; the log says whose
 */
enum err
user_read(struct store *st, struct bytes name, struct user *out) MUST_CHECK;

/*
 * The name is valid, the password has been judged and hashed
 * (new_password_begin, own: false, in device/login.h).
 *
 * ERR_EXISTS  there is one of that name
 */
enum err user_create(struct appliance *appliance, struct user *user) MUST_CHECK;

/* For a user who comes by another way: no two ever have the same, whatever they
 * are called. */
enum err user_serial_next(struct store *st, int64_t *out) MUST_CHECK;

/*
 * In place of what there is of it: permissions and password. A new password is
 * the only one from here on, and ends no lockout. req: ESKM-145
 *
 * ERR_NOT_FOUND
 */
enum err
user_write(struct appliance *appliance, const struct user *user) MUST_CHECK;

/*
 * With its attributes and memberships. A user who is made anew is in no group.
 *
 * ERR_NOT_FOUND
 * ERR_DENIED     it owns keys: why says so
 *
 * req: KS-31-046 KS-31-047 KS-31-050
 */
enum err user_delete(struct appliance *appliance, struct bytes name,
    char why[USER_WHY_OCTETS]) MUST_CHECK;

/*
 * Names behind `after` (BYTES_NONE: from the first) in the order of octets,
 * `most` of them at most (0: all): of users, of groups, of the groups of a
 * user, of the members of a group. `each` may write; its error ends the walk.
 */
typedef enum err user_name_fn(void *ctx, struct bytes name);
enum err user_each(struct store *st, struct bytes after, size_t most,
    user_name_fn *each, void *ctx) MUST_CHECK;

/* ---- custom attributes; in the order of their names ---- */

typedef enum err
user_attribute_fn(void *ctx, struct bytes attribute, struct bytes value);
enum err user_attribute_each(struct store *st, struct bytes user,
    user_attribute_fn *each, void *ctx) MUST_CHECK;

/*
 * Set or replace one; name and value are valid.
 *
 * ERR_NOT_FOUND  there is no such user
 * ERR_LIMIT      it has USER_ATTRIBUTES_MOST others
 */
enum err user_attribute_put(struct store *st, struct bytes user,
    struct bytes attribute, struct bytes value) MUST_CHECK;

/* ERR_NOT_FOUND  there is no such user, or it has no such attribute */
enum err user_attribute_delete(
    struct store *st, struct bytes user, struct bytes attribute) MUST_CHECK;

/* ---------------------------------------------------------------------------
 * Groups
 */

/* ERR_NOT_FOUND */
enum err group_find(struct store *st, struct bytes group) MUST_CHECK;

/* ERR_EXISTS  there is one of that name, which is valid */
enum err
group_create(struct appliance *appliance, struct bytes group) MUST_CHECK;

/*
 * With its memberships. What it was permitted on keys stays there, and is
 * nobody's until there is a group of this name again (as the guide has it for
 * a change of directories).
 *
 * ERR_NOT_FOUND
 */
enum err
group_delete(struct appliance *appliance, struct bytes group) MUST_CHECK;

/*
 * ERR_NOT_FOUND  there is no such group, or no such user: why says which;
 *                group_remove: or the user is none of its members
 * ERR_EXISTS     group_add: it is one of them already
 * ERR_LIMIT      it is in USER_GROUPS_MOST others
 *
 * req: KS-31-041 KS-31-045
 */
enum err group_add(struct appliance *appliance, struct bytes group,
    struct bytes user, char why[USER_WHY_OCTETS]) MUST_CHECK;
enum err group_remove(struct appliance *appliance, struct bytes group,
    struct bytes user, char why[USER_WHY_OCTETS]) MUST_CHECK;

enum err group_each(struct store *st, struct bytes after, size_t most,
    user_name_fn *each, void *ctx) MUST_CHECK;
enum err group_of_user_each(struct store *st, struct bytes user,
    struct bytes after, size_t most, user_name_fn *each, void *ctx) MUST_CHECK;
enum err group_member_each(struct store *st, struct bytes group,
    struct bytes after, size_t most, user_name_fn *each, void *ctx) MUST_CHECK;

/* ---------------------------------------------------------------------------
 * Logins
 */

enum user_verdict {
	USER_OK,
	/* no such user, a wrong password, a locked account: whoever asks is
	 * told the same */
	USER_REFUSED,
	USER_FAILED, /* it could not be found out: rc of done */
};

/*
 * In the caller's memory, from user_login_begin to done; zeroed but for what
 * is set.
 *
 * The password is verified on a worker of the users' own (administrators do
 * not wait for it), unless it is remembered as right: then `done` comes in the
 * next turn, so that requests that carry credentials stay cheap. What is
 * remembered goes with the password's hash: a changed password is a forgotten
 * one. A user who does not exist takes as long.
 *
 * With Enable Account Lockout on, failures are counted, durably before the
 * verdict is told. While an account is locked, attempts are ignored: they are
 * refused whatever the password is, and do not prolong it. At the end of the
 * duration the count begins anew; it does so with a success, too.
 *
 * req: KS-03-075 KS-03-076 KS-03-078 KS-03-079 KS-03-080 KS-03-082 ESKM-145
 */
struct user_login {
	/* ---- set by who asks ---- */
	struct bytes name;     /* as sent; copied */
	struct bytes password; /* copied, and the copy wiped */
	/* From the loop, later, once. */
	void (*done)(struct user_login *login, enum user_verdict verdict);
	void *ctx;
	/* ---- for done ---- */
	struct key_user user; /* USER_OK: done's to move or to clear */
	enum err rc;
};

/* ERR_NOMEM: it has not begun, and done is not called */
enum err user_login_begin(
    struct appliance *appliance, struct user_login *login) MUST_CHECK;

/* What appliance_open and appliance_close call; the settings are there. */
enum err users_open(struct appliance *appliance) MUST_CHECK;
void users_close(struct appliance *appliance); /* harmless when not open */

#endif
