/*
 * Waivers: failures that are known, reasoned and dated, as data.
 *
 * A file of sections, one waiver each:
 *
 *   # The appliance answers Locate without Located Items (bug 4711).
 *   [BL-M-1?-*]
 *   path     = ResponseMessage/BatchItem[0]/ResponsePayload/LocatedItems
 *   expected = Integer 1
 *   got      = (absent)
 *   reason   = Located Items came with firmware 6.2.1
 *   link     = https://bugs.example/4711
 *   expires  = 2027-03-31
 *
 * The section's name is a glob (fnmatch) over test ids; names that follow one
 * another share what comes below them. The other words are all needed and
 * stand once. path, expected and got must be what the report says, to the
 * letter and empty where it says nothing: a waiver excuses one difference, not
 * a test. link is a URL or a clause. expires is the last day on which it holds,
 * UTC. A value is the rest of its line without blanks around it; one that
 * begins with a double quote is a JSON string, which is how line feeds and
 * outer blanks are said. Comments start a line with #.
 */
#ifndef TOUCHSTONE_WAIVER_H
#define TOUCHSTONE_WAIVER_H

#include "err.h"
#include "results.h"

#include <stdbool.h>
#include <time.h>

struct waiver {
	const char *pattern; /* of test ids */
	const char *path, *expected, *got;
	struct waiver_note note; /* as the report shows it */
	bool judged;             /* a test with such an id was judged */
};

struct waivers;

enum err waivers_new(struct waivers **out) MUST_CHECK;

/* Accepts NULL. */
void waivers_free(struct waivers *ws);

/*
 * Add the waivers of a file. On failure the list is only good for freeing.
 *
 * ERR_OPEN, ERR_READ  `f` has errno's text
 * ERR_SYNTAX          an unknown, missing or repeated word, or no date; `f` has
 *                     file and line
 * ERR_NOMEM
 */
enum err
waivers_read(struct waivers *ws, const char *path, struct fault *f) MUST_CHECK;

/* The n-th waiver, in the order of the files; NULL past the end. */
const struct waiver *waivers_at(const struct waivers *ws, size_t n);

/*
 * The first waiver that names this test, NULL when none does. `ws` may be NULL:
 * no waivers.
 */
const struct waiver *waiver_find(const struct waivers *ws, const char *id);

/*
 * What becomes of a verdict that a test earned on `today`.
 *
 *   pass, no waiver names it                         pass
 *   pass, one does, expired or not                   waiver-stale
 *   fail, a waiver names it with this difference     waived
 *   fail, the same, but past its date                fail, and `why` says so
 *   fail, waivers name it with other differences     fail, and `why` says so
 *   anything else                                    as it was
 *
 * ws    may be NULL: no waivers
 * d     NULL when the test has none: such a failure cannot be waived
 * note  the waiver that the answer rests on, or NULL; borrowed from `ws`
 * why   one sentence when a waiver changed or failed to change the verdict,
 *       else empty
 */
enum verdict waiver_judge(struct waivers *ws, const char *id,
    enum verdict earned, const struct difference *d, time_t today,
    const struct waiver_note **note, struct fault *why);

/*
 * The first waiver at or behind the n-th that named no test that was judged,
 * NULL when each did. After a run of all tests such a one is of no use.
 */
const struct waiver *waiver_find_idle(const struct waivers *ws, size_t *n);

#endif
