/*
 * A line that the card answers on its administration socket (card/admin.h):
 *
 *	say TEXT               it is under way
 *	ok NAME=VALUE ...      it is done
 *	error CODE TEXT        it is not
 *
 * Fields stand between single blanks, a name before its first `=`; %XX in
 * a value is the octet of that number.
 */
#ifndef LUNACM_REPLY_H
#define LUNACM_REPLY_H

#include "base/buf.h"

enum { REPLY_OCTETS = 4096, REPLY_FIELDS_MAX = 32 };

enum reply_kind { REPLY_SAY, REPLY_OK, REPLY_ERROR };

struct reply_field {
	struct bytes name, value;
};

/* All of it lies in text. */
struct reply {
	enum reply_kind kind;
	struct bytes said; /* SAY, ERROR: words for a person */
	char code[40];     /* ERROR: "CARD_PIN_INCORRECT" */
	struct reply_field field[REPLY_FIELDS_MAX]; /* OK */
	size_t fields;
	uint8_t text[REPLY_OCTETS];
};

/*
 * Read a line, without its end. Does not keep `in`.
 *
 * ERR_LENGTH      longer than REPLY_OCTETS, or a code that is none
 * ERR_COUNT       more than REPLY_FIELDS_MAX fields
 * ERR_UNEXPECTED  no word that an answer begins with
 * ERR_MISSING     a field without `=` or a name
 * ERR_REPEATED    a field stands twice
 * ERR_VALUE       a control character, also an encoded one, or % without its
 *                 two digits
 * ERR_UTF8
 */
enum err reply_read(struct bytes in, struct reply *out) MUST_CHECK;

/* Borrowed from the reply; false: it has no such field. */
bool
reply_find(const struct reply *reply, const char *name, struct bytes *value);

/* A decimal number, digits only. ERR_MISSING, ERR_VALUE */
enum err reply_number(
    const struct reply *reply, const char *name, uint64_t *out) MUST_CHECK;

#endif
