/*
 * The card: what a Luna HSM knows, keeps and forgets.
 *
 * Two models on one engine:
 *
 *	CARD_K6     the built-in card. Trusted path (PED) authentication, one
 *	            partition in slot 1, made by the Security Officer. Blue,
 *	            red, black iKeys; activation, battery, two-hour rule.
 *	CARD_LUNA7  an external HSM or a service: password authentication,
 *	            partitions with a Security Officer of their own in the slots
 *	            1 to n; Crypto Officer and Crypto User.
 *
 * The card is the only user of SoftHSMv2. A partition is one SoftHSM token,
 * whose PIN is 32 random octets that nobody outside the card ever sees: a
 * role's secret opens it, and while the partition is activated the card holds
 * it in locked memory (and, sealed, in battery-backed memory).
 *
 * From any thread. What talks to the PED waits for people, in virtual time, and
 * holds the PED meanwhile; nothing else is held up by it, but another operation
 * that needs the PED is refused with CARD_PED_BUSY.
 *
 * A verdict on a secret is counted durably before it is told: a crash refunds
 * no attempt.
 */
#ifndef CARD_CARD_H
#define CARD_CARD_H

#include <p11-kit/pkcs11.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/secret.h"

enum card_rv {
#define RV(code, standard, luna, text) code,
#include "card/rv.def"
#undef RV
	CARD_RV_END
};

/* "CARD_OK", "no error"; the PKCS#11 code, standard or the vendor's. */
const char *card_rv_name(enum card_rv rv);
const char *card_rv_text(enum card_rv rv);
CK_RV card_rv_code(enum card_rv rv, bool luna);

/* Whose partition's domain was not named: C_InitToken, lunacm's option. */
#define CARD_DEFAULT_DOMAIN "default domain"

struct card;
struct wait_room; /* base/wait.h: threads that wait in virtual time */

enum card_model { CARD_K6, CARD_LUNA7 };

enum card_lockout {
	CARD_LOCKOUT_SO_RESET, /* until the Security Officer resets it */
	CARD_LOCKOUT_TIMED,    /* for CARD_LOCKOUT_MS */
	CARD_LOCKOUT_PERMANENT,
};

enum {
	CARD_SO_ATTEMPTS = 3,            /* K6: then the HSM is zeroized */
	CARD_PARTITION_SO_ATTEMPTS = 10, /* LUNA7: then the partition is */
	CARD_USER_ATTEMPTS =
	    10, /* then the role is locked; policy 20 lowers it */
	CARD_LOCKOUT_MS = 600 * 1000,
	CARD_BATTERY_MS = 7200 * 1000, /* from here on activation is lost */
	CARD_PED_MS = 100 * 1000, /* for each thing that the PED asks for */
	CARD_RPV_MS = 480 * 1000, /* for the orange iKey and its PIN */
	CARD_REMOTE_IDLE_MS = 1800 * 1000,
	CARD_SLOTS_MAX = 64,
	CARD_LABEL_OCTETS = 32,
	CARD_PASSWORD_LEAST_OCTETS = 4, /* of CARD_LUNA7's roles */
	CARD_PASSWORD_MOST_OCTETS = 255,
	CARD_POLICIES = 64,
	CARD_CHALLENGE_OCTETS = 19, /* XXXX-XXXX-XXXX-XXXX */
};

/* Borrowed for as long as the card lives, strings included. */
struct card_config {
	const char *dir; /* exists: card.nv, card.batt, tokens/, ped.sock */
	struct env *env;
	struct wait_room *waits;
	const char *softhsm_module;
	enum card_model model;
	unsigned slots; /* CARD_LUNA7: partitions, 1 to CARD_SLOTS_MAX */
	enum card_lockout lockout;
	/* true: `hsm deactivate` ends what the battery holds too, as Luna does;
	 * false: it leaves that for two hours, as the guide has it.
	 * docs/decisions.md, KS-05-101 */
	bool deactivate_ends_auto;
	unsigned kdf_rounds; /* of passwords; 0: the card's own */
	bool fips;           /* FIPS 140-2 approved operation mode */
	bool lab;            /* faults, tamper and battery are there */
	/* Laboratory: the power fails at this step of what is written, counted
	 * from power on; 0: at none. As `fault cut nth=N` later. */
	unsigned cut;
};

/*
 * Power on: state and battery are read, what a crash cut short is finished,
 * and what the two-hour rule leaves of an activation is restored. Sets
 * SOFTHSM2_CONF: before the first thread.
 *
 * CARD_STATE  the directory is another card's at present, or its state is not
 *             readable; the log says which
 */
enum card_rv card_new(const struct card_config *config, struct card **out);
void card_free(struct card *card); /* in order; accepts NULL */

/* ---- slots, as PKCS#11 sees them ---- */

struct card_slot {
	bool present;     /* there is a partition */
	bool initialized; /* it has a Security Officer and a label */
	bool ped;         /* authenticates by the trusted path */
	bool has_user;    /* Crypto Officer (black iKey) is initialized */
	bool has_limited; /* Crypto User of CARD_LUNA7 */
	bool activated;
	bool user_low, user_final, user_locked; /* attempts that are left */
	bool so_low, so_final, so_locked;
	char label[CARD_LABEL_OCTETS + 1];
	char serial[16 + 1]; /* stays through initialization and restarts */
	char uuid[24 + 1];   /* likewise; hexadecimal digits */
	const char *manufacturer;
	const char *model; /* "K6 Base", "Cryptovisor7" */
	const char *firmware;
	uint64_t capacity_octets; /* storage for objects */
};

unsigned card_slots(const struct card *card);
bool card_fips(const struct card *card);
/* CARD_ARGUMENT  there is no slot of that number */
enum card_rv card_slot(struct card *card, unsigned slot, struct card_slot *out);

/*
 * SoftHSM's functions; the card initialized it, and will finalize it in
 * card_free and no sooner. While a partition is activated, or one of its users
 * (not the Security Officer) is logged in, its SoftHSM token is logged in as
 * CKU_USER; afterwards it is logged out, and SoftHSM's private handles end.
 */
CK_FUNCTION_LIST *card_backing(struct card *card);

/*
 * SoftHSM frees a session under whoever uses it: calls of it for a slot stand
 * between begin and end (any number of threads, not nested; no call of the
 * card in between but card_backing_slot and _logouts, card_epoch and
 * card_login_check), and the card closes the partition's sessions there, or
 * logs it out, when no call is under way. Its sessions are all closed before
 * the epoch goes up: none of them may be used, or closed, afterwards.
 */
void card_backing_begin(struct card *card, unsigned slot);
void card_backing_end(struct card *card, unsigned slot);

/*
 * SoftHSM's number of the partition's token: stays for as long as the epoch.
 * Cheap, without a lock. false: it has none at present.
 */
bool card_backing_slot(struct card *card, unsigned slot, CK_SLOT_ID *out);

/*
 * Goes up when the partition's token was logged out of in SoftHSM: handles of
 * its private objects there have ended. Compare it between begin and end.
 * Cheap, without a lock.
 */
uint64_t card_backing_logouts(struct card *card, unsigned slot);

/*
 * Goes up when a partition was zeroized or made anew: its sessions and objects
 * are gone. Compare it between begin and end. Cheap, without a lock.
 */
uint64_t card_epoch(struct card *card, unsigned slot);

/*
 * Time has passed: battery-backed memory notes that there is still power, and
 * what is over its time ends. The daemon calls it once a second, or in the
 * laboratory whenever time was moved.
 */
void card_tick(struct card *card);

/* ---- roles ---- */

enum card_role {
	CARD_NOBODY,
	CARD_SO,      /* K6: of the HSM; LUNA7: of the partition */
	CARD_USER,    /* Crypto Officer; KeySecure's "Crypto User" */
	CARD_LIMITED, /* LUNA7's Crypto User: uses keys, changes nothing */
};

/* Who is logged in, for one application. Zeroed: nobody. Only read it. */
struct card_login {
	enum card_role role;
	unsigned slot; /* 0: the HSM itself, whose only role is K6's SO */
	uint64_t epoch, generation; /* at the login */
	bool expired; /* first password: nothing but card_password works */
};

/*
 * password  what PKCS#11 calls the PIN: the challenge, or the role's password
 *           (LUNA7). No octets: the trusted path only, which always means the
 *           PED (K6).
 *
 * A K6 partition that is activated takes the challenge alone; one that is not
 * wants the black iKey too (and is activated by it where policy 22 says so);
 * one whose battery still has its activation is restored without the PED.
 *
 * *out is written on CARD_OK only. A login is given back with card_logout,
 * once.
 */
enum card_rv card_login(struct card *card, unsigned slot, enum card_role role,
    struct bytes password, struct card_login *out);
void card_logout(struct card *card, struct card_login *login);

/*
 * Is it still good? Cheap, without a lock.
 *
 * CARD_NOT_LOGGED_IN  it never was, or its role was reset, the partition
 *                     deactivated or gone
 * CARD_PIN_EXPIRED    its first password is still to be changed
 */
enum card_rv
card_login_check(struct card *card, const struct card_login *login);

/* ---- partitions with passwords (CARD_LUNA7) ---- */

/* Destroys all contents; no login is needed. The roles are gone but the SO. */
enum card_rv card_partition_init(struct card *card, unsigned slot,
    const char *label, struct bytes so_password, struct bytes domain);
/*
 * By the SO: CARD_USER, whose first password expires. By the user, password
 * changed: CARD_LIMITED. A role that is there already gets a new password, is
 * no longer locked, and its logins are over.
 *
 * CARD_RIGHTS  not by this role
 */
enum card_rv card_role_init(struct card *card, const struct card_login *by,
    enum card_role role, struct bytes password);
/* Of the role that is logged in; the login stays. Wrong ones are counted. */
enum card_rv card_password(struct card *card, struct card_login *login,
    struct bytes old_password, struct bytes new_password);

/* ---- the built-in card (CARD_K6) ---- */

/* Blue and red iKeys, local PED only. CARD_INITIALIZED: zeroize it first. */
enum card_rv card_initialize(struct card *card, const char *label);
/* Blue iKey. */
enum card_rv card_so_login(struct card *card, struct card_login *out);
/* Red and black iKeys; the challenge is shown on the PED, once. */
enum card_rv card_create_partition(
    struct card *card, const struct card_login *so, const char *label);
/* Black iKey, always. */
enum card_rv card_activate(struct card *card);
enum card_rv card_deactivate(struct card *card);
/* Blue login and black iKey: a new challenge on the PED; unlocks the role. */
enum card_rv
card_reset_password(struct card *card, const struct card_login *so);
/* Imprint the orange iKey, at the local PED. */
enum card_rv card_remote_init(struct card *card, const struct card_login *so);
/*
 * Take over the connection of a PedClient (ped.sock, "remote"), and have the
 * orange iKey presented within CARD_RPV_MS.
 */
enum card_rv card_remote_connect(struct card *card);
void card_remote_disconnect(struct card *card);

/* Everything, at once and for good. Comes to its end after a crash amid it. */
enum card_rv card_zeroize(struct card *card);

struct card_status {
	bool initialized, tampered, zeroized;
	bool has_partition, activated, auto_activation; /* battery holds one */
	bool has_rpv;
	enum { CARD_PED_NONE, CARD_PED_LOCAL, CARD_PED_REMOTE_ON } ped;
	unsigned so_attempts_left, user_attempts_left;
	bool user_locked;
	char label[CARD_LABEL_OCTETS + 1];
	char serial[16 + 1];
	unsigned char policies[CARD_POLICIES]; /* partition's, by number */
};
void card_status(struct card *card, struct card_status *out);
/* CARD_POLICY: there is no such policy, or its capability is narrower. */
enum card_rv card_policy_set(struct card *card, const struct card_login *so,
    unsigned policy, unsigned value);

/* ---- laboratory ---- */

/*
 * Before each PKCS#11 call: latency is spent here, and where a fault was laid
 * for this call of `op` ("C_WrapKey") it is true, and *rv what to answer.
 */
bool card_fault(struct card *card, const char *op, CK_RV *rv);

/*
 * One line of the control socket; docs/card.md lists those of the card. The
 * answer is "ok ..." or "error ...", without an end of line.
 *
 * ERR_NOT_FOUND  the line is none of the card's: nothing was answered
 * ERR_LIMIT, ERR_NOMEM
 */
enum err card_lab_command(
    struct card *card, const char *line, struct buf *answer) MUST_CHECK;

#endif
