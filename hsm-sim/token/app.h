/*
 * Inside of the token: applications, their sessions and handles, and how each
 * call begins and ends.
 *
 * Locks, in the order they are taken: an application's login, a session,
 * `making` of a partition, then the application's table or the partition's.
 */
#ifndef TOKEN_APP_H
#define TOKEN_APP_H

#include "token/mechanism.h"
#include "token/pad.h"
#include "token/partition.h"
#include "token/token.h"

enum {
	APP_CHAINS = 64, /* of the session table */
	APP_RANDOM = 64, /* handles' worth of randomness */
};

struct token {
	struct card *card;
	struct env *env;
	bool luna, fips;
	unsigned slots;
	struct partition *partitions; /* by slot number; 0 is none */
	pthread_mutex_t lock;         /* of the list of applications */
	struct token_app *apps;
};

/* A handle that an application was given. */
struct handle {
	struct handle *by_value, *by_object; /* next of its chain */
	CK_OBJECT_HANDLE value;
	struct object *object; /* counted */
};

struct app_slot {
	struct card_login login;
	unsigned sessions, read_only;
	uint64_t epoch;       /* of the sessions */
	uint64_t logins_over; /* so many logins have ended */
	uint64_t seen_epoch;  /* by C_WaitForSlotEvent */
	struct index objects; /* its session objects */
};

struct token_app {
	struct token *token;
	struct token_app *next, **at; /* of the token's list */
	pthread_mutex_t login_lock;   /* one C_Login or the like at a time */
	pthread_mutex_t lock;         /* of all below; held for moments */
	struct app_slot *slots;       /* by slot number */
	struct session *sessions[APP_CHAINS];
	unsigned session_count;
	struct handle **by_value, **by_object;
	size_t handle_chains, handle_count;
	uint32_t random[APP_RANDOM];
	unsigned random_left;
	uint32_t handles_made;
};

/* What can be under way in a session. */
enum op_kind {
	OP_ENCRYPT,
	OP_DECRYPT,
	OP_DIGEST,
	OP_SIGN,
	OP_VERIFY,
	OP_FIND,
	OP_KINDS
};

struct op {
	enum {
		OP_IDLE,
		OP_READY,   /* initialized */
		OP_QUERIED, /* one-shot, and so far only the length was asked */
		OP_PARTS,   /* some data went in */
	} phase;
	const struct mechanism *mechanism;
	CK_SESSION_HANDLE backing; /* the session of SoftHSM it is in */
	struct object *key;        /* counted */
	/* ECDSA of a hash that is made here: the digest is under way in
	 * `backing`, the plain operation in this one. */
	CK_SESSION_HANDLE plain;
	/* RSA-OAEP that is made here, of the plain RSA operation. */
	bool oaep;
	struct pad_oaep pad;
	uint8_t *pad_label;
};

struct session {
	struct session *next; /* of its chain */
	struct token_app *app;
	CK_SESSION_HANDLE handle;
	unsigned slot;
	CK_FLAGS flags;
	unsigned refs;        /* by the table and by calls; app's lock */
	pthread_mutex_t lock; /* one call at a time; of all below */
	bool closed;
	uint64_t epoch, logins_over; /* what is below belongs to them */
	/* In SoftHSM, the one that its session objects belong to. */
	CK_SESSION_HANDLE backing;
	struct op ops[OP_KINDS];
	struct object **found; /* of a search, counted */
	size_t found_count, found_at;
};

/* ---- a call ---- */

/* What a call needs. */
enum {
	TURN_USE = 1,     /* fails while the role's password has expired */
	TURN_BACKING = 2, /* uses SoftHSM: card_backing_begin to _end */
};

/* One call, from its begin to its end: no other is in its session meanwhile. */
struct turn {
	struct token_app *app;
	struct token *token;
	struct session *session;
	struct partition *part;
	CK_FUNCTION_LIST *softhsm;
	unsigned flags;
	struct card_login login; /* role CARD_NOBODY: none, or it has ended */
};

/*
 * name  of the function, "token_C_Encrypt": for faults of the laboratory
 *
 * On CKR_OK the session is the caller's until turn_end, which hands its second
 * argument on. CKR_SESSION_HANDLE_INVALID, CKR_DEVICE_REMOVED,
 * CKR_PIN_EXPIRED, a fault's own.
 */
CK_RV turn_begin(struct turn *turn, struct token_app *app, const char *name,
    CK_SESSION_HANDLE handle, unsigned flags);
CK_RV turn_end(struct turn *turn, CK_RV rv);

/* A fault of the laboratory for a call without a session. */
bool token_fault(struct token_app *app, const char *name, CK_RV *rv);

/* What the card answered, as this application wants it. */
CK_RV token_rv(const struct token *token, enum card_rv rv);

/* Does it see private objects? */
bool turn_sees_private(const struct turn *turn);

/* The application's part of this slot; behind its lock. */
struct app_slot *turn_slot(const struct turn *turn);

/* ---- handles ---- */

/* One that was never there before; no other application can guess it. */
CK_RV app_handle_new(struct token_app *app, CK_ULONG *value);

/* The application's handle of an object: the one it has, or a new one. */
CK_RV app_handle(
    struct token_app *app, struct object *object, CK_OBJECT_HANDLE *value);

/*
 * The object that this call means by a handle, counted; NULL: there is none
 * that it can see.
 */
struct object *turn_object(struct turn *turn, CK_OBJECT_HANDLE handle);

/* Its handle, if it has one, is no longer good. */
void app_handle_drop(struct token_app *app, struct object *object);

/* ---- what ends with a session or a login ---- */

/*
 * A login of this slot is over: handles of private objects are no longer good,
 * private session objects go, and what is under way in each session ends
 * before its next turn.
 */
void app_login_over(struct token_app *app, unsigned slot);

/*
 * The power was lost, or the partition is another one: the sessions of this
 * slot are all gone, and what SoftHSM had of them is closed already.
 */
void app_slot_removed(struct token_app *app, unsigned slot);

/* May such an operation begin, beside what is under way? */
bool op_allowed(const struct session *session, enum op_kind kind);

/* With the session's lock, and between card_backing_begin and _end. */
void op_end(struct session *session, enum op_kind kind, bool clean);
void session_end_all(struct session *session);

/* The session of SoftHSM that session objects of this one are made in. */
CK_RV session_backing(struct turn *turn, CK_SESSION_HANDLE *backing);

/* Close those of a slot (of all where slot is 0) or the one that is named.
 * Not from within a call of one of them. */
void
session_close_all(struct token_app *app, unsigned slot, CK_SESSION_HANDLE only);

#endif
