/*
 * results.jsonl: the master record of a run, one JSON object a line. All
 * reports are made from it and from nothing else, at any later time.
 *
 *   {"type":"run",  ...}     one, first        struct run_head
 *   {"type":"test", ...}     one per test      struct test_result
 *   {"type":"end",  ...}     one, last         struct run_tail
 *
 * Members bear the names of the fields below; an absent optional is left out.
 * A file without its "end" line is the record of a run that was cut off.
 */
#ifndef TOUCHSTONE_RESULTS_H
#define TOUCHSTONE_RESULTS_H

#include "err.h"
#include "verdict.h"

#include <stdint.h>
#include <stdio.h>

/* Every pointer is borrowed; in what was read, from the struct results. */
struct texts {
	const char *const *at;
	size_t count;
};

struct run_head {
	const char *suite_version;
	uint64_t seed;
	const char *started; /* RFC 3339, UTC */
	struct {
		const char *name, *address, *file_sha256;
	} target;
	bool laboratory; /* faults and clocks were under the suite's hand */
	struct texts vectors; /* the directories the cases came from */
	size_t planned;       /* test lines to follow */
};

/* The first difference between what was expected and what was received. */
struct difference {
	unsigned step;    /* the exchange it was found in, from 1; 0: none */
	const char *path; /* ResponseMessage/BatchItem[0]/ResultStatus */
	bool at_octet;    /* whether the next field means anything */
	size_t offset_octets; /* in the received message */
	const char *expected, *got;
	const char *rule; /* of the comparer, that was broken */
};

/* One request and its answer. What did not happen is NULL. */
struct exchange {
	unsigned n;         /* from 1 */
	const char *client; /* the identity that asked */
	const char *sent_hex, *received_hex;
	const char *sent_xml, *received_xml;
};

/* The waiver that a verdict rests on. */
struct waiver_note {
	const char *file;
	unsigned line;
	const char *reason, *link, *expires;
};

struct test_result {
	const char *id, *family, *version, *level, *title;
	const char *mark; /* F fact, I inferred, C our choice; NULL: none */
	struct texts clauses;
	enum verdict verdict;
	const char *reason;                  /* NULL: the verdict says it all */
	const struct difference *difference; /* NULL: none */
	const struct exchange *steps;
	size_t step_count;
	double ms;
	const char *repeat;               /* the command that runs it alone */
	const struct waiver_note *waiver; /* NULL: none */
};

struct run_tail {
	struct tally tally;
	double ms;
	struct texts unproven; /* claims of the target that no test proved */
	struct texts notes;    /* "OASIS: not run: no such directory" */
	int exit;              /* see tally_exit */
};

/*
 * Append a line. Flushed line by line: when the tool is killed, what was judged
 * until then is there.
 *
 * ERR_WRITE  errno says why
 * ERR_NOMEM
 */
enum err results_put_head(FILE *to, const struct run_head *h) MUST_CHECK;
enum err results_put_test(FILE *to, const struct test_result *t) MUST_CHECK;
enum err results_put_tail(FILE *to, const struct run_tail *t) MUST_CHECK;

struct results {
	struct run_head head;
	struct test_result *tests;
	size_t test_count;
	struct run_tail tail;   /* counted from the tests when not complete */
	const char *incomplete; /* why the run is not whole; NULL: it is */
	struct results_own *own;
};

/*
 * Read a whole record.
 *
 * A record that is cut off, or whose "end" line does not agree with its tests,
 * is read as far as it goes: `incomplete` says why and tail.exit is 2.
 *
 * ERR_OPEN, ERR_READ  errno's text is in `f`
 * ERR_SYNTAX          a line that is no line of a record; `f` says which
 * ERR_NOMEM
 */
enum err results_read(
    const char *path, struct results **out, struct fault *f) MUST_CHECK;

/* Accepts NULL. */
void results_free(struct results *r);

#endif
