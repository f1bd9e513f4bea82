/*
 * NAE-XML on the wire: root elements one behind the other, nothing between
 * them, and binary data in elements that are no XML.
 *
 *   <CryptoResponse><ID>6</ID><Success>true</Success></CryptoResponse>
 *   <Data><Size>32</Size>...32 octets...</Data>
 *
 * This reads answers, and strictly: a server that writes what no answer has
 * (declarations, attributes, comments, text beside elements, references other
 * than the five and numbers, a raw `>`) is found out here and not in a client.
 *
 * spec: nae-xml 2.1
 */
#ifndef TOUCHSTONE_NAE_H
#define TOUCHSTONE_NAE_H

#include "arena.h"
#include "buf.h"
#include "finding.h"

#define NAE_MAX_HEADER_OCTETS ((size_t)1 << 20)
#define NAE_MAX_CHUNK_OCTETS  ((size_t)16 << 20)
#define NAE_MAX_DATA_OCTETS   ((size_t)68 << 20)
#define NAE_MAX_DEPTH         16

/* The element that is read as data. */
#define NAE_DATA "Data"

struct nae_element {
	const char *name;
	const char *text;   /* decoded; "" where children stand */
	size_t offset;      /* of its `<` in what came */
	size_t text_offset; /* of the first octet behind its start tag */
	struct nae_element *parent, *first, *last, *next;
	bool is_taken; /* by the comparer: an expected one is this */
};

/* One chunk of data. */
struct nae_chunk {
	size_t offset; /* of its first octet in what came */
	struct bytes octets;
};

/* One root element. */
struct nae_message {
	struct nae_element *root; /* without children: data */
	const struct nae_chunk *chunks;
	size_t chunk_count;
	size_t octets; /* all of it */
	bool has_blank;
	size_t blank; /* offset of the first white space beside elements */
};

bool nae_is_data(const struct nae_message *m);

/*
 * Read the root element that begins at `offset` of `in`.
 *
 * in    what came of a connection; borrowed: chunks point into it
 * need  ERR_TRUNCATED: at least so many octets are missing
 *
 * ERR_TRUNCATED  read more, try again
 * ERR_SYNTAX     no such text
 * ERR_TAG        a tag that closes another element, a name that is none
 * ERR_SURPLUS    an attribute, a declaration, a comment
 * ERR_TYPE       text beside elements
 * ERR_UTF8, ERR_DEPTH, ERR_SIZE, ERR_LENGTH
 */
enum err nae_read(struct arena *a, struct bytes in, size_t offset,
    struct nae_message *out, size_t *need, struct finding *f) MUST_CHECK;

/* The first child of that name, or NULL. */
struct nae_element *nae_find(const struct nae_element *e, const char *name);

/* The text of that child, or NULL. */
const char *nae_text(const struct nae_element *e, const char *name);

/* All data; in the arena. */
struct bytes nae_data(struct arena *a, const struct nae_message *m);

/* "KeyInfoResponse/KeyVersionList/KeyVersion[1]"; cut off at its size. */
void nae_path(const struct nae_element *e, char *out, size_t room);

/* Fill the finding for an element; hands the kind back. */
enum err nae_finding(struct finding *f, enum err kind,
    const struct nae_element *at, size_t offset) MUST_CHECK;

/* Append text as element content: < > & are references. */
void nae_escape(struct buf *out, struct bytes text);

/* Append an AuthRequest. */
void nae_put_auth(struct buf *out, struct bytes user, struct bytes password);

/* Append <Data> with chunks of so many octets each; 0: one chunk. */
void nae_put_data(struct buf *out, struct bytes data, size_t chunk_octets);

/*
 * What was sent or came, for people and for the record: hexadecimal, and text
 * in which what is no text stands as {hex ...}. Passwords and key data are
 * masked unless flags has SHOW_SECRETS (show.h). No more than NAE_SHOW_OCTETS
 * of it.
 */
#define NAE_SHOW_OCTETS ((size_t)32 << 10)
void
nae_show(struct bytes in, unsigned flags, struct buf *hex, struct buf *text);

#endif
