/*
 * A test case: messages to send and what to expect, read from XML.
 *
 * The format is that of the OASIS test cases (vectors/README.md describes it
 * with our additions): under one root, <RequestMessage> and <ResponseMessage>
 * in turn, with a header comment of `key: value` lines and directives between
 * them.
 */
#ifndef TOUCHSTONE_CASE_H
#define TOUCHSTONE_CASE_H

#include "err.h"
#include "node.h"
#include "text.h"

/* One exchange. */
struct step {
	unsigned n;      /* from 1 */
	unsigned client; /* 0: A, 1: B, ... */
	bool repeat;     /* until the answer is the expected one */
	bool from_server;
	struct node *request, *response; /* with placeholders */
	struct step *next;
};

struct test_case {
	const char *id;   /* "oasis/1.2/mandatory/SKLC-M-1-12" */
	const char *path; /* of its file */
	const char *title;
	const char *family; /* "SKLC-M"; "create" */
	const char *level;  /* "mandatory"; "must" */
	struct words clauses;
	struct words needs; /* features, see feature.def */
	const char *after;  /* the case that must pass before, or NULL */
	unsigned version;   /* of its first request */

	struct step *steps;
	unsigned step_count;
	unsigned clients; /* identities that it takes */

	/* of its requests, each once: values of Operation and Object Type */
	uint32_t operations[32], objects[16];
	unsigned operation_count, object_count;

	const char *broken; /* why the file is no case; NULL: it is one */

	struct test_case *next;
};

/*
 * Read a case from its file.
 *
 * a     owns it
 * root  the directory of vectors; the case's id is the name of that directory
 *       and the path below it, without .xml, unless its header has an id
 * path  of the file, below root
 *
 * A file that is no case is not an error here: it becomes a case that is
 * `broken`, because a test that silently is not there is worse than one that
 * cannot be run.
 */
struct test_case *
case_read(struct arena *a, const char *root, const char *path);

/* The same from text that is there already. */
struct test_case *case_parse(
    struct arena *a, const char *root, const char *path, struct bytes text);

#endif
