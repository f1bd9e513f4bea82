/*
 * Reports, each made from the record of a run (results.h) and nothing else.
 *
 * They list tests by version, family and id, whatever order they ran in, so
 * that two runs can be compared line by line. What a run could not tell is red
 * in each of them, and what was skipped is green in none.
 */
#ifndef TOUCHSTONE_REPORT_H
#define TOUCHSTONE_REPORT_H

#include "err.h"
#include "results.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * For a person at a terminal: a table, each failure in full, and the last line
 * `N passed, N failed, N not-claimed, N not-run, N waived`. All red verdicts
 * count as failed there: nobody who reads that line alone is misled.
 *
 * colour  whether `to` is a terminal that shows it
 *
 * ERR_WRITE, ERR_NOMEM
 */
enum err
report_terminal(FILE *to, const struct results *r, bool colour) MUST_CHECK;

/* https://testanything.org/tap-version-13-specification.html */
enum err report_tap(FILE *to, const struct results *r) MUST_CHECK;

/*
 * JUnit XML, valid by the schemas of Apache Ant and of Jenkins alike. What is
 * not claimed, not run or waived is <skipped> with its reason, what is unknown
 * an <error>, and so is a run that could not tell.
 */
enum err report_junit(FILE *to, const struct results *r) MUST_CHECK;

/* One page that needs nothing else. */
enum err report_html(FILE *to, const struct results *r) MUST_CHECK;

/*
 * Write results.tap, junit.xml and report.html into `dir`, beside
 * results.jsonl. A report appears whole or not at all.
 *
 * ERR_OPEN, ERR_WRITE  `f` says which file and why
 */
enum err report_write(
    const char *dir, const struct results *r, struct fault *f) MUST_CHECK;

/* --- for the renderers --------------------------------------------------- */

/* The tests in the order reports list them. */
struct view {
	const struct test_result **test;
	size_t test_count;
	const char **version, **family; /* each once, sorted */
	size_t version_count, family_count;
};

enum err view_new(const struct results *r, struct view **out) MUST_CHECK;
void view_free(struct view *v);

/* The tests of one version and family, next to each other. */
size_t view_find(const struct view *v, const char *version, const char *family,
    size_t *count);

/* How those tests, or all of `count`, came out. */
struct tally view_tally(const struct test_result *const *test, size_t count);

/* The marks of NAE-XML tests, mark.def. */
struct mark {
	const char *letter, *word, *meaning;
};

/* NULL past the last one. */
const struct mark *view_mark(size_t i);

/* How the tests of that mark came out. */
struct tally view_mark_tally(const struct view *v, const struct mark *m);

/* Whether any test has a mark. */
bool view_has_marks(const struct view *v);

/* The exchange that shows the difference: the one it names, else the last;
 * NULL when nothing was exchanged. */
const struct exchange *view_exchange(const struct test_result *t);

/* "conforms", "does not conform", "could not tell". */
const char *view_outcome(const struct results *r);

#endif
