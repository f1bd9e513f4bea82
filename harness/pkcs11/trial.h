/*
 * Trials: what the program asks of a PKCS#11 module, each a row of a table.
 *
 * A group (group.def) adds its rows to the list; many are made from tables over
 * functions and mechanisms. A row runs in a process of its own (runner.h), with
 * the functions of module.h.
 */
#ifndef PKCS11_TRIAL_H
#define PKCS11_TRIAL_H

#include "arena.h"

#include <p11-kit/pkcs11.h>

#define BASE  "pkcs11-base-2.40 "
#define MECH  "pkcs11-curr-2.40 "
#define CURR3 "pkcs11-curr-3.0 " /* mechanisms younger than 2.40 */

enum need {
	NEED_NOTHING = 0,
	NEED_PIN = 1 << 0,
	NEED_SO_PIN = 1 << 1,
	NEED_INIT_TOKEN = 1 << 2, /* may undo what is on the token */
	NEED_FRESH = 1 << 3,      /* C_Initialize is the trial's own to call */
};

/* A mechanism that the module must list, with flags, for a trial to be due. */
struct claim {
	const char *name; /* NULL: none */
	CK_MECHANISM_TYPE type;
	CK_FLAGS flags;
	CK_ULONG key_size; /* 0: any; in the unit of C_GetMechanismInfo */
};

#define CLAIM(mechanism, with)                                       \
	{                                                            \
		.name = #mechanism, .type = mechanism, .flags = with \
	}

enum { CLAIMS_MAX = 3 };

struct trial {
	const char *id;     /* "session/close-twice": group, then name */
	const char *title;  /* a sentence about the module */
	const char *clause; /* "pkcs11-base-2.40 5.6" */
	unsigned needs;     /* of enum need */
	struct claim claims[CLAIMS_MAX];
	void (*run)(const struct trial *t);
	const void *row; /* of the group's own table */
	int variant;     /* likewise */
};

struct trials {
	struct arena *arena; /* where ids and titles that are made live */
	struct trial *at;
	size_t count, room;
};

void trials_add(struct trials *ts, struct trial t);
void trials_add_all(struct trials *ts, const struct trial *t, size_t count);

#define TRIALS_ADD(ts, array) \
	trials_add_all((ts), (array), sizeof(array) / sizeof((array)[0]))

/* Add the rows of every group, in the order of group.def. */
void trials_collect(struct trials *ts);

#define GROUP(name, what) void name##_trials(struct trials *ts);
#include "group.def"
#undef GROUP

#endif
