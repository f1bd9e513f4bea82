/*
 * The body of a step of an NAE-XML case: what is sent, or what is to come.
 *
 *   <CryptoRequest><ID>1</ID><Action>ENCRYPT</Action>
 *     <KeyName>$KEY</KeyName><Algorithm>AES</Algorithm></CryptoRequest>
 *   {data hex 6bc1bee22e409f96e93d7e117393172a}
 *
 * Lines are joined without their indentation and their ends, in braces with a
 * blank. What is no text stands in braces; nae_piece.def has the words.
 *
 * $NAME is a variable. Known from the start are $USER_A and $PASSWORD_A (B, C
 * ... likewise) and $CERTIFICATE and $CA of the target file. Of any other the
 * first use decides: in a request the tool chooses a name that no other test
 * has, in an answer it takes what the server says.
 */
#ifndef TOUCHSTONE_NAE_BODY_H
#define TOUCHSTONE_NAE_BODY_H

#include "nae.h"
#include "target.h"

enum nae_piece_kind {
	PIECE_LITERAL, /* text as it stands */
	PIECE_VARIABLE,
#define PIECE(kind, word, takes, in_request, in_answer, meaning) PIECE_##kind,
#include "nae_piece.def"
#undef PIECE
};

struct nae_piece {
	enum nae_piece_kind kind;
	const char *source;  /* as it stands in the file */
	struct bytes octets; /* of a literal, hex, text, file */
	const char *name;    /* of a variable; the label of a PEM */
	size_t count;
	uint8_t octet;                  /* that fills */
	size_t chunk_octets;            /* of data; 0: any */
	struct nae_piece *inner, *next; /* of data: what it is made of */
};

/*
 * Read a body.
 *
 * text        the lines, joined
 * root        directory of the vectors, for {file}
 * is_request  whether it is sent
 *
 * ERR_SYNTAX, ERR_OPEN  `f` says where
 */
enum err nae_body_read(struct arena *a, const char *text, const char *root,
    bool is_request, struct nae_piece **out, struct fault *f) MUST_CHECK;

/* --- variables ----------------------------------------------------------- */

struct nae_vars;

/* id  of the test: no two tests choose the same names */
struct nae_vars *nae_vars_new(
    struct arena *a, const struct target *t, uint64_t seed, const char *id);

/* NULL: not bound. */
const struct bytes *nae_vars_find(const struct nae_vars *v, const char *name);
void nae_vars_bind(struct nae_vars *v, const char *name, struct bytes value);

/* How many are bound, and back to that: for a try that failed. */
size_t nae_vars_mark(const struct nae_vars *v);
void nae_vars_return(struct nae_vars *v, size_t mark);

/* --- making -------------------------------------------------------------- */

/* Append the octets to send; names that are not bound are chosen. */
void nae_body_send(
    const struct nae_piece *body, struct nae_vars *v, struct buf *out);

/* An expected answer: elements with marks in their text, see nae_match.h. */
struct nae_expected {
	const struct nae_message *messages;
	size_t message_count;
	const struct nae_piece **marks;
	size_t mark_count;
};

/* Stands for marks[i] in the text of an expected element. */
#define NAE_MARK_OCTETS ((size_t)3)
bool nae_mark_at(const char *text, size_t *i);

/* The element that {more} becomes. */
#define NAE_MORE "_more"

/*
 * ERR_SYNTAX  it is no XML with the variables as they are; `f` says where
 */
enum err nae_body_expect(struct arena *a, const struct nae_piece *body,
    const struct nae_vars *v, struct nae_expected *out,
    struct fault *f) MUST_CHECK;

#endif
