/*
 * Logging administrators in, and locking them out.
 *
 * A login asks, in this order: is the door open to administrators at all; is
 * the account locked at it; is the password right (on a worker; an account
 * that does not exist takes as long); may it come through this door. Only the
 * last two are told apart from a wrong password, and only to who knew it.
 *
 * The count of failures is durable before the verdict is given, in the group
 * of its audit line: a kill gives no more attempts. Serial and remote failures
 * are counted apart, web and SSH together.
 *
 * Verdicts on a password are remembered in memory, under an HMAC whose key is
 * made at each start, and forgotten with any change of the account: requests
 * that carry credentials stay cheap. Lockouts go before it.
 *
 * req: KS-15-006 to KS-15-023, KS-02-010 to KS-02-013
 */
#ifndef DEVICE_LOGIN_H
#define DEVICE_LOGIN_H

#include "device/admin.h"
#include "device/principal.h"

struct appliance;

/*
 * What appliance_open and appliance_close call; the settings are there. Jobs
 * have been ended before (loop_end_jobs).
 *
 * ERR_ENTROPY, ERR_NOMEM
 */
enum err logins_open(struct appliance *appliance) MUST_CHECK;
void logins_close(struct appliance *appliance); /* harmless when not open */

enum login_verdict {
	LOGIN_OK,
	LOGIN_WRONG,
	LOGIN_LOCKED, /* "Account has been locked."; SSH: "Permission Denied" */
	LOGIN_DOOR,   /* right, but lacks the access control of this door */
	LOGIN_FAILED, /* it could not be found out: rc of done */
};

/* In the caller's memory, from login_begin to done. */
struct login {
	/* ---- set by who asks ---- */
	enum door door;
	const char *peer;      /* "" at the serial console */
	struct bytes name;     /* as typed; copied */
	struct bytes password; /* copied, and that wiped */
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

/* ERR_NOMEM, ERR_CLOSED ...: it has not begun, and done is not called */
enum err
login_begin(struct appliance *appliance, struct login *login) MUST_CHECK;

/* Nobody waits any longer: no done. It counts all the same. */
void login_leave(struct login *login);

/* Forget what is remembered of a name; BYTES_NONE: of all. */
void login_forget(struct appliance *appliance, struct bytes name);

/*
 * A new password of one's own, or of somebody else's, on workers: the rules,
 * the history (one's own only), the hash. What comes back is for the `apply`
 * of a change.
 */
struct new_password {
	/* ---- set by who asks ---- */
	const char *user;
	bool own;             /* consult the history */
	struct bytes current; /* own: verified again, and counted if wrong */
	struct bytes password;
	enum door door;
	void (*done)(struct new_password *request, enum err rc);
	void *ctx;
	/* ---- for done: ERR_FIELD has why ---- */
	struct password_hash hash;
	char why[PASSWORD_WHY_OCTETS];
	/* ---- its own ---- */
	struct login_job *job;
};
enum err new_password_begin(
    struct appliance *appliance, struct new_password *request) MUST_CHECK;
void new_password_leave(struct new_password *request);

/* Into an account that was read, before admin_write: hash, stamp, history. */
void admin_set_password(struct appliance *appliance, struct admin *admin,
    const struct password_hash *hash, enum admin_must must);

#endif
