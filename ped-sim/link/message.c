#include "link/message.h"

#include <assert.h>
#include <string.h>

struct row {
	enum ped_code code;
	const char *name;
	const char *fields; /* words of message.def, a blank between them */
	bool is_answer;
};

static const struct row rows[] = {
#define ASK(code, number, fields)    {code, #code, fields, false},
#define ANSWER(code, number, fields) {code, #code, fields, true},
#include "link/message.def"
#undef ASK
#undef ANSWER
};

/* What a message may consist of, by the words of message.def. */
enum kind { NUMBER, TEXT, DIGITS, OCTETS, KINDS };

static const struct {
	const char *word;
	size_t length_octets; /* of its length; NUMBER has none */
} kinds[KINDS] = {
    [NUMBER] = {"u8", 0},
    [TEXT] = {"text", 2},
    [DIGITS] = {"digits", 1},
    [OCTETS] = {"octets", 2},
};

static const struct row *
row_find(unsigned number)
{
	size_t k;

	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
		if ((unsigned)rows[k].code == number)
			return &rows[k];
	return NULL;
}

const char *
ped_message_name(unsigned number)
{
	const struct row *row = row_find(number);

	return row != NULL ? row->name : NULL;
}

bool
ped_message_is_answer(enum ped_code code)
{
	const struct row *row = row_find(code);

	assert(row != NULL);
	return row->is_answer;
}

/* The next word of a row's fields; false: that was all. */
static bool
next_kind(const char **fields, enum kind *kind)
{
	size_t octets = strcspn(*fields, " ");

	if (octets == 0)
		return false;
	for (*kind = 0; *kind < KINDS; ++*kind)
		if (strlen(kinds[*kind].word) == octets &&
		    memcmp(kinds[*kind].word, *fields, octets) == 0)
			break;
	assert(*kind < KINDS);
	*fields += octets;
	*fields += **fields == ' ';
	return true;
}

/* ---- writing ---- */

static enum err
put_counted(struct bytes in, size_t length_octets, struct buf *out)
{
	uint8_t length[2];
	enum err rc = OK;

	if (in.octets >> (8 * length_octets) != 0)
		TRY(ERR_LENGTH);
	bytes_put_u16(length, (uint32_t)in.octets);
	TRY(buf_put(
	    out, (struct bytes){length + 2 - length_octets, length_octets}));
	TRY(buf_put(out, in));
out:
	return rc;
}

enum err
ped_message_write(const struct ped_message *m, struct buf *out)
{
	const struct row *row = row_find(m->code);
	const char *fields;
	const uint8_t code = (uint8_t)m->code;
	unsigned numbers = 0;
	enum kind kind;
	enum err rc = OK;

	assert(row != NULL);
	TRY(buf_put(out, (struct bytes){&code, 1}));
	for (fields = row->fields; next_kind(&fields, &kind);) {
		if (kind == NUMBER)
			TRY(buf_put(
			    out, (struct bytes){&m->number[numbers++], 1}));
		else
			TRY(put_counted(kind == TEXT ? m->text : m->octets,
			    kinds[kind].length_octets, out));
	}
out:
	return rc;
}

/* ---- reading ---- */

static enum err
take_number(struct bytes *in, uint8_t *out)
{
	struct bytes one;
	enum err rc = OK;

	TRY(bytes_split(in, 1, &one));
	*out = one.at[0];
out:
	return rc;
}

static enum err
take_counted(struct bytes *in, size_t length_octets, struct bytes *out)
{
	struct bytes length;
	size_t octets = 0;
	size_t k;
	enum err rc = OK;

	TRY(bytes_split(in, length_octets, &length));
	for (k = 0; k < length_octets; k++)
		octets = octets << 8 | length.at[k];
	TRY(bytes_split(in, octets, out));
out:
	return rc;
}

static enum err
check_digits(struct bytes digits)
{
	size_t k;

	for (k = 0; k < digits.octets; k++)
		if (digits.at[k] < '0' || digits.at[k] > '9')
			return ERR_VALUE;
	return OK;
}

static enum err
take_field(struct bytes *in, enum kind kind, unsigned *numbers,
    struct ped_message *out)
{
	enum err rc = OK;

	switch (kind) {
	case NUMBER:
		TRY(take_number(in, &out->number[(*numbers)++]));
		break;
	case TEXT:
		TRY(take_counted(in, kinds[kind].length_octets, &out->text));
		if (!bytes_is_utf8(out->text))
			TRY(ERR_UTF8);
		break;
	case DIGITS:
		TRY(take_counted(in, kinds[kind].length_octets, &out->octets));
		TRY(check_digits(out->octets));
		break;
	case OCTETS:
		TRY(take_counted(in, kinds[kind].length_octets, &out->octets));
		break;
	case KINDS:
		assert(false);
	}
out:
	return rc;
}

enum err
ped_message_read(struct bytes in, struct ped_message *out)
{
	const struct row *row;
	const char *fields;
	unsigned numbers = 0;
	enum kind kind;
	uint8_t code;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	TRY(take_number(&in, &code));
	row = row_find(code);
	if (row == NULL)
		TRY(ERR_CHOICE);
	out->code = row->code;
	for (fields = row->fields; next_kind(&fields, &kind);)
		TRY(take_field(&in, kind, &numbers, out));
	if (in.octets != 0)
		TRY(ERR_TRAILING);
out:
	return rc;
}
