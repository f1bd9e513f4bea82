/*
 * First-time initialization: what makes a delivered appliance somebody's.
 *
 * Until then it has no administrator, no key server and no door but the serial
 * console. The answers come one by one from a dialogue there, or all at once
 * from a file; each is checked as it comes, and what they say is done in one
 * change: settings, clock, services, the account `admin` and the audit line,
 * all of it or nothing. The services are started when that is durable.
 *
 * An answer file has lines of "key = value", each key of answer.def once at
 * most, in any order. Blank lines and lines that begin with # say nothing.
 * "password-file = PATH" stands for "password"; that file's first line is it.
 * Neither file may be read by others than its owner. "license-file = PATH" is a
 * license (device/licence.h) in its package, which is installed with the rest,
 * so that clients need not wait for it; it is verified as any package is. The
 * dialogue asks for none: it is installed later, as software is.
 *
 * req: KS-02-018 KS-02-020 KS-15-034 KS-15-035 KS-15-037 KS-19-003
 * req: KS-25-017 ESKM-184
 */
#ifndef DEVICE_INITIALIZE_H
#define DEVICE_INITIALIZE_H

#include "base/buf.h"
#include "device/change.h"

struct initialization;

enum answer {
#define SETTING_ANSWER(symbol, ...) symbol,
#define ANSWER(symbol, ...)         symbol,
#include "device/answer.def"
#undef SETTING_ANSWER
#undef ANSWER
	ANSWER_COUNT,
};

enum { INITIALIZATION_FILE_OCTETS = 16384 };

/* The first administrator. req: KS-02-018 */
#define INITIALIZATION_ADMIN "admin"

/* As it is asked for: "Hostname". */
const char *answer_name(enum answer which);
/* Is it asked for? Not what its setting's feature is still missing for. */
bool answer_is_there(enum answer which);

enum err initialization_new(
    struct appliance *appliance, struct initialization **out) MUST_CHECK;

/* Gives up what has not come to its change. Accepts NULL; wipes. */
void initialization_free(struct initialization *init);

/* What holds where nothing is answered; NULL: it must be. Borrowed. */
const char *
initialization_shown(const struct initialization *init, enum answer which);

/*
 * An answer, as typed. Of the password only that there is one is checked here.
 *
 * ERR_FIELD    why: the name, the value, the rule
 * ERR_FEATURE  its setting is not yet there: why says so
 */
enum err initialization_set(struct initialization *init, enum answer which,
    struct bytes typed, char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/*
 * All answers of a file.
 *
 * ERR_FIELD, ERR_FEATURE  why begins with the line's number where there is one
 */
enum err initialization_read(struct initialization *init, struct bytes text,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/*
 * Carry it out. `done` is called once, from the loop, later; with an error
 * nothing has been done, and `why` says for what. Some answers may be given
 * anew then, and it be run again.
 *
 * ERR_FIELD    the password breaks a rule, or is missing; or what should be a
 *              license is none
 * ERR_DENIED   the appliance has an administrator
 */
typedef void initialization_fn(void *ctx, enum err rc, const char *why);
void initialization_run(
    struct initialization *init, initialization_fn *done, void *ctx);

/* The keys of the answer file, a line each. Appended. */
enum err initialization_help(struct buf *out) MUST_CHECK;

#endif
