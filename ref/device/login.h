/*
 * Logging administrators in, and locking them out.
 *
 * A login asks, in this order: is the account locked at this door; is the
 * password right (on a worker; an account that does not exist takes as long);
 * may it come through this door. The last is told only to who knew the
 * password. What has changed meanwhile counts: the account is read again when
 * the worker is done, and a password that was changed is verified again.
 *
 * The count of failures is durable before the verdict is given, in the group
 * of its audit line: a kill gives no more attempts. Serial and remote failures
 * are counted apart, web and SSH together; by the setting's one-minute rule
 * all together. Five lock. An attempt while locked restarts the time (not by
 * the one-minute rule), is audited and raises a trap.
 *
 * Who was right is remembered in memory (device/remembered.h), and requests
 * that carry credentials stay cheap. A lockout forgets the account, and is
 * looked at before.
 *
 * A turn takes up a few of those that wait, so that many at once do not hold
 * the loop.
 *
 * req: KS-15-047 KS-17-016
 * req: KS-15-006 KS-15-007 KS-15-008 KS-15-009 KS-15-010 KS-15-011 KS-15-012
 * req: KS-15-013 KS-15-014 KS-15-017 KS-15-019 KS-15-020 KS-15-021 KS-15-022
 * req: KS-15-023 KS-02-010 KS-02-011 KS-02-012 KS-02-013
 */
#ifndef DEVICE_LOGIN_H
#define DEVICE_LOGIN_H

#include "device/admin.h"
#include "device/principal.h"

struct appliance;

/*
 * What appliance_open and appliance_close call; the settings are there. Jobs
 * have been ended before (loop_end_jobs); whoever still waits is not told.
 *
 * ERR_ENTROPY, ERR_NOMEM
 */
enum err logins_open(struct appliance *appliance) MUST_CHECK;
void logins_close(struct appliance *appliance); /* harmless when not open */

/* req: KS-15-015 KS-15-016 */
#define LOGIN_LOCKED_TEXT "Account has been locked."

enum login_verdict {
	LOGIN_OK,
	LOGIN_WRONG,
	LOGIN_LOCKED, /* what to say: LOGIN_LOCKED_TEXT; SSH has its own */
	LOGIN_DOOR,   /* right, but lacks the access control of this door */
	LOGIN_FAILED, /* it could not be found out: rc of done */
};

/* In the caller's memory, from login_begin to done; zeroed but for what is
 * set. */
struct login {
	/* ---- set by who asks ---- */
	enum door door;
	const char *peer;      /* "" at the serial console */
	struct bytes name;     /* as typed; copied */
	struct bytes password; /* copied, and the copy wiped */
	/* From the loop, later, once. */
	void (*done)(struct login *login, enum login_verdict verdict);
	void *ctx;
	/* ---- for done ---- */
	struct principal principal; /* LOGIN_OK */
	enum admin_must must;       /* LOGIN_OK: and has to be changed first */
	enum err rc;
	/* ---- login_begin's own ---- */
	struct login_job *job;
};

/* ERR_NOMEM: it has not begun, and done is not called */
enum err
login_begin(struct appliance *appliance, struct login *login) MUST_CHECK;

/* Nobody waits any longer: no done. It counts all the same. */
void login_leave(struct login *login);

/* Forget what is remembered of a name; BYTES_NONE: of all. */
void login_forget(struct appliance *appliance, struct bytes name);

/*
 * A new password of one's own, or of somebody else's, on workers: the current
 * one (one's own only), the rules, the history (one's own only), the hash. What
 * comes back is for the `apply` of a change.
 *
 * The current password is verified as in a login, and counts as one: wrong
 * ones lock the account.
 *
 * A user's (device/user.h) has the same rules, without a history, and one more;
 * it does not expire. req: KS-17-041 KS-17-042 KS-32-006
 *
 * A backup's has them, too, with nobody's name, and no hash of it is kept.
 *
 * req: KS-17-002 KS-17-004 KS-17-039 KS-17-040 KS-31-020 KS-31-021 KS-31-022
 */
struct new_password {
	/* ---- set by who asks ---- */
	const char *user; /* copied */
	bool own;
	bool of_user; /* a user's, not an administrator's; own is false then */
	bool of_backup; /* neither's: user is "", and there is no hash of it */
	struct bytes current; /* own; copied, as the next */
	struct bytes password;
	enum door door;
	void (*done)(struct new_password *request, enum err rc);
	void *ctx;
	/* ---- for done ---- */
	struct password_hash hash; /* OK */
	char why[PASSWORD_WHY_OCTETS];
	/* ---- new_password_begin's own ---- */
	struct login_job *job;
};

/*
 * rc of done, where why says what to tell:
 *
 * ERR_FIELD           not a good password, or used before
 * ERR_AUTHENTICATION  the current one is wrong
 * ERR_DENIED          the account is locked at this door; or has its password
 *                     elsewhere
 *
 * Others: password_check's, the store's; why is "".
 *
 * The rules are those of now, and no present password is held against them.
 *
 * req: KS-15-044 KS-15-059 KS-17-025 KS-17-026 KS-17-060 KS-17-061
 * req: KS-17-012 KS-17-022 KS-17-024 KS-17-033 KS-17-038
 */
enum err new_password_begin(
    struct appliance *appliance, struct new_password *request) MUST_CHECK;
void new_password_leave(struct new_password *request);

/*
 * Into an account that was read, before admin_write: hash, stamp, history.
 *
 * must  ADMIN_MUST_NOT: of one's own choice, and so one of the history when
 *       that is on; ADMIN_MUST_FIRST, ADMIN_MUST_RESET: it is none
 *
 * req: KS-17-023 KS-17-028 KS-17-029 KS-17-030
 */
void admin_set_password(struct appliance *appliance, struct admin *admin,
    const struct password_hash *hash, enum admin_must must);

#endif
