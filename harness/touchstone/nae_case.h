/*
 * A case of NAE-XML: a conversation, read from a text file (vectors/README.md).
 *
 *   title:  A key is made and its owner exports it
 *   clause: nae-xml 2.7
 *   mark:   F
 *   twin:   nae/export/not-exportable
 *
 *   connect as B
 *   send
 *   	<KeyGenRequest><ID>1</ID><KeyName>$KEY</KeyName>
 *   	<Algorithm>AES</Algorithm><Exportable/></KeyGenRequest>
 *   expect
 *   	<KeyGenResponse><ID>1</ID><Success>true</Success>
 *   	<KeyName>$KEY</KeyName></KeyGenResponse>
 *
 * Header lines, an empty line, steps. A step's body is what is indented below
 * it (nae_body.h). `#` begins a comment line.
 *
 *   connect [NAME] [as A]          a connection; `as A` authenticates as user A
 *                                  of the target file
 *   connect [NAME] as $U with PASSWORD   ... as a user that the case has made
 *   send [NAME] [split N]          all octets at once, or N at a time
 *   expect [NAME]                  root elements to come, one after the other
 *   closed [NAME]                  the server has closed the connection
 *   quiet [NAME]                   nothing has come so far
 *   close [NAME]                   we close it
 *
 * NAME is any word, and the last one when left out. When an answer tells of a
 * fatal error, the connection must be closed behind it; a connection that is
 * open at the end must still answer.
 */
#ifndef TOUCHSTONE_NAE_CASE_H
#define TOUCHSTONE_NAE_CASE_H

#include "nae_body.h"

enum nae_act {
	NAE_CONNECT,
	NAE_SEND,
	NAE_EXPECT,
	NAE_CLOSED,
	NAE_QUIET,
	NAE_CLOSE,
};

#define NAE_MAX_CONNECTIONS 8

struct nae_step {
	unsigned n, line; /* from 1 */
	enum nae_act act;
	unsigned connection;
	const char *user;     /* of the target file, or "$NAME"; NULL: nobody */
	const char *password; /* of "$NAME" */
	size_t split_octets;  /* 0: all at once */
	struct nae_piece *body;
	struct nae_step *next;
};

struct nae_case {
	const char *id, *path, *title, *family, *level;
	const char *mark; /* "F", "I", "C": see docs/nae-xml.md */
	const char *twin, *after;
	struct words clauses, needs, versions;

	struct nae_step *steps;
	unsigned step_count;
	const char *connections[NAE_MAX_CONNECTIONS];
	unsigned connection_count;

	/* what its requests take, each once */
	struct words requests, algorithms, users;
	/* variables that stand for keys, users and groups */
	struct words made_keys, made_users, made_groups;
	bool is_refusal; /* an answer that it expects tells of failure */

	const char *broken; /* why the file is no case; NULL: it is one */
};

/* As case_read() and case_parse(). */
struct nae_case *
nae_case_read(struct arena *a, const char *root, const char *path);
struct nae_case *nae_case_parse(
    struct arena *a, const char *root, const char *path, struct bytes text);

/* Is it the name of a request, of an algorithm? */
bool nae_is_request(const char *word);
bool nae_is_algorithm(const char *word);

#endif
