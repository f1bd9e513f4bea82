/*
 * What a client sends, cut up as it comes: bare root elements one after
 * another, some of them with binary data in them.
 *
 * A header is a root element as a whole; what is in it is read by element.h.
 * A data element is never held: its octets are handed on as they come, decoded
 * where they are base64.
 *
 *	<Data><Size>16</Size>16 octets<Size>3</Size>3 octets</Data>
 *	<DataSingle><Size>16</Size>16 octets</DataSingle>
 *	<Base64Data><Size>4</Size>AAEC<Size>4</Size>Aw==</Base64Data>
 *	<Base64DataSingle>AAECAw==</Base64DataSingle>
 *
 * Octets may come in portions of any size, one by one if need be. Time and
 * memory go with what has come, never with what a number announces.
 *
 * Source: protocol note sections 1.1, 1.2 and 2.1
 */
#ifndef NAE_FRAME_H
#define NAE_FRAME_H

#include "base/buf.h"
#include "nae/text.h"

enum {
	FRAME_HEADER_OCTETS = 1 << 20, /* the most in a header */
	FRAME_DEPTH = 16,              /* elements within elements */
	FRAME_CHUNK_OCTETS = 16 << 20, /* the most in one Size */
	FRAME_DATA_OCTETS = 64 << 20,  /* the default for a data element */
	FRAME_WORD_OCTETS = 40,        /* a tag within a data element */
	FRAME_SCRATCH_OCTETS = 3072,   /* base64 decoded at a time */
};

enum frame_part {
	FRAME_MORE,   /* all is used up: come again with more */
	FRAME_HEADER, /* a root element, as a whole */
	FRAME_DATA,   /* a data element begins */
	FRAME_PIECE,  /* octets of it */
	FRAME_END,    /* it ends */
};

/* frame.c's own. */
struct frame {
	size_t data_octets; /* the most in one data element */
	struct buf head;    /* a header that has not come as a whole */
	uint8_t state;
	uint8_t quote;   /* the one that a value of a tag began with */
	bool slash;      /* the last octet of a tag was one */
	bool begun;      /* no XML declaration any more */
	unsigned depth;  /* elements that are open */
	size_t elements; /* that this header has */
	/* a data element */
	uint8_t kind;
	bool single_done;
	uint8_t word_octets;
	uint8_t digits;
	uint8_t word[FRAME_WORD_OCTETS];
	size_t left_octets; /* of the present chunk */
	size_t size_octets; /* what Size says so far */
	size_t total_octets;
	struct base64 base64;
	uint8_t scratch[FRAME_SCRATCH_OCTETS]; /* the last: frame_peek */
};

/* data_octets  the most in one data element, counted as they are sent */
void frame_init(struct frame *f, size_t data_octets);
void frame_clear(struct frame *f); /* wipes; harmless on a zeroed one */

/*
 * The next part of what *in begins with; *in keeps the rest. To be called
 * again and again until it says FRAME_MORE.
 *
 * octets  FRAME_HEADER, FRAME_PIECE: borrowed until the next call, and no
 *         longer than what *in points to
 *
 * After an error the rest of the stream means nothing:
 *
 * ERR_MESSAGE  not a header
 * ERR_VALUE    not a data element
 * ERR_LIMIT    header, chunk or data beyond what is taken
 * ERR_NOMEM
 */
enum err frame_next(struct frame *f, struct bytes *in, enum frame_part *part,
    struct bytes *octets) MUST_CHECK;

/*
 * How many octets of `in` frame_next would take before it gives something that
 * others may have to wait for: a header, the beginning of a data element, its
 * end. All of them where it does not come to that, and at least one. It changes
 * nothing; what is wrong is for frame_next to say.
 */
size_t frame_peek(const struct frame *f, struct bytes in);

/* How many elements the header has that was given last. */
size_t frame_elements(const struct frame *f);

/* Is it between two root elements? */
bool frame_is_idle(const struct frame *f);

#endif
