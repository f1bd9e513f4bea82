#include "rpc/record.h"

#include <string.h>

/*
 * Places of a member: `at` of the number, the array or the pointer, `length`
 * of the number that says how many octets the pointer has.
 */
struct field {
	enum record_kind record;
	enum { NUMBER, FIXED, OCTETS } kind;
	size_t at;
	size_t octets; /* FIXED */
	size_t length; /* OCTETS */
};

/* clang-format off */
static const struct field fields[] = {
#define RECORD(record, type)
#define FIELD_NUMBER(record, type, member)                     \
	{ RECORD_##record, NUMBER, offsetof(type, member),     \
	  sizeof(((type *)NULL)->member), 0 },
#define FIELD_FIXED(record, type, member)                      \
	{ RECORD_##record, FIXED, offsetof(type, member),      \
	  sizeof(((type *)NULL)->member), 0 },
#define FIELD_OCTETS(record, type, member, length)             \
	{ RECORD_##record, OCTETS, offsetof(type, member),     \
	  sizeof(((type *)NULL)->member), offsetof(type, length) },
#include "rpc/record.def"
#undef RECORD
#undef FIELD_NUMBER
#undef FIELD_FIXED
#undef FIELD_OCTETS
};

static const size_t sizes[RECORD_COUNT] = {
#define RECORD(record, type) sizeof(type),
#define FIELD_NUMBER(record, type, member)
#define FIELD_FIXED(record, type, member)
#define FIELD_OCTETS(record, type, member, length)
#include "rpc/record.def"
#undef RECORD
#undef FIELD_NUMBER
#undef FIELD_FIXED
#undef FIELD_OCTETS
};
/* clang-format on */

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

size_t
record_octets(enum record_kind kind)
{
	return sizes[kind];
}

static CK_ULONG
get_number(const uint8_t *at)
{
	CK_ULONG v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static enum err
field_write(
    const struct field *f, const uint8_t *from, bool contents, struct buf *out)
{
	const void *p;
	enum err rc = OK;

	switch (f->kind) {
	case NUMBER:
		TRY(item_put_number(out, get_number(from + f->at)));
		break;
	case FIXED:
		if (contents)
			TRY(buf_put(
			    out, (struct bytes){from + f->at, f->octets}));
		break;
	case OCTETS:
		memcpy(&p, from + f->at, sizeof(p));
		if (contents) {
			TRY(item_put_octets(
			    out, p, get_number(from + f->length)));
		} else {
			TRY(item_put_flag(out, p != NULL));
			TRY(item_put_number(out, get_number(from + f->length)));
		}
		break;
	}
out:
	return rc;
}

enum err
record_write(
    enum record_kind kind, const void *from, bool contents, struct buf *out)
{
	enum err rc = OK;
	size_t k;

	for (k = 0; k < FIELD_COUNT; k++) {
		if (fields[k].record == kind)
			TRY(field_write(&fields[k], from, contents, out));
	}
out:
	return rc;
}

static enum err
field_read(const struct field *f, struct bytes *in, uint8_t *to)
{
	struct bytes body;
	CK_ULONG number;
	void *p;
	enum err rc = OK;

	switch (f->kind) {
	case NUMBER:
		TRY(item_take_number(in, &number));
		memcpy(to + f->at, &number, sizeof(number));
		break;
	case FIXED:
		TRY(bytes_split(in, f->octets, &body));
		memcpy(to + f->at, body.at, body.octets);
		break;
	case OCTETS:
		TRY(item_take_octets(in, &p, &number));
		memcpy(to + f->at, &p, sizeof(p));
		memcpy(to + f->length, &number, sizeof(number));
		break;
	}
out:
	return rc;
}

enum err
record_read(enum record_kind kind, struct bytes *in, void *to)
{
	enum err rc = OK;
	size_t k;

	for (k = 0; k < FIELD_COUNT; k++) {
		if (fields[k].record == kind)
			TRY(field_read(&fields[k], in, to));
	}
out:
	return rc;
}
