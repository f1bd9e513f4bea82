#include "rpc/mechanism.h"

#include <string.h>

#include "rpc/record.h"

enum form { FORM_ABSENT, FORM_OCTETS, FORM_NUMBER, FORM_RECORD };

/* A row's parameter is a record, or one of the two that are none. */
enum { RECORD_OCTETS = RECORD_COUNT, RECORD_NUMBER };

static const struct row {
	CK_MECHANISM_TYPE type;
	unsigned parameter;
} rows[] = {
#define MECHANISM(type, parameter) {type, RECORD_##parameter},
#include "rpc/mechanism.def"
#undef MECHANISM
};

static const struct row *
row_find(CK_MECHANISM_TYPE type)
{
	size_t first = 0, end = sizeof(rows) / sizeof(rows[0]);

	while (first < end) {
		size_t mid = first + (end - first) / 2;

		if (rows[mid].type == type)
			return &rows[mid];
		if (rows[mid].type < type)
			first = mid + 1;
		else
			end = mid;
	}
	return NULL;
}

/* The form that a parameter of that row has when nothing is wrong with it. */
static enum form
row_form(const struct row *row)
{
	if (row->parameter == RECORD_OCTETS)
		return FORM_OCTETS;
	if (row->parameter == RECORD_NUMBER)
		return FORM_NUMBER;
	return FORM_RECORD;
}

static bool
length_fits(const struct row *row, CK_ULONG octets)
{
	switch (row_form(row)) {
	case FORM_NUMBER:
		return octets == sizeof(CK_ULONG);
	case FORM_RECORD:
		return octets ==
		       record_octets((enum record_kind)row->parameter);
	case FORM_OCTETS:
	case FORM_ABSENT:
		break;
	}
	return true;
}

enum err
mechanism_write(const CK_MECHANISM *m, bool contents, struct buf *out)
{
	const struct row *row;
	enum form form = FORM_ABSENT;
	CK_ULONG number;
	enum err rc = OK;

	TRY(item_put_flag(out, m != NULL));
	if (m == NULL)
		goto out;
	row = row_find(m->mechanism);
	if (row == NULL && m->ulParameterLen != 0)
		TRY(ERR_CHOICE);
	if (row != NULL && m->pParameter != NULL &&
	    length_fits(row, m->ulParameterLen))
		form = row_form(row);
	TRY(item_put_number(out, m->mechanism));
	TRY(item_put_octet(out, (uint8_t)form));
	switch (form) {
	case FORM_ABSENT:
		TRY(item_put_number(out, m->ulParameterLen));
		break;
	case FORM_OCTETS:
		TRY(item_put_number(out, m->ulParameterLen));
		if (contents)
			TRY(buf_put(out,
			    (struct bytes){m->pParameter, m->ulParameterLen}));
		break;
	case FORM_NUMBER:
		memcpy(&number, m->pParameter, sizeof(number));
		TRY(item_put_number(out, number));
		break;
	case FORM_RECORD:
		TRY(record_write((enum record_kind)row->parameter,
		    m->pParameter, contents, out));
		break;
	}
out:
	return rc;
}

enum err
mechanism_read(struct arena *a, struct bytes *in, CK_MECHANISM **out)
{
	const struct row *row;
	struct bytes body;
	CK_MECHANISM *m;
	CK_ULONG *number;
	bool there;
	uint8_t form;
	enum err rc = OK;

	*out = NULL;
	TRY(item_take_flag(in, &there));
	if (!there)
		goto out;
	TRY(ARENA_NEW(a, m));
	TRY(item_take_number(in, &m->mechanism));
	TRY(item_take_octet(in, &form));
	row = row_find(m->mechanism);
	if (form != FORM_ABSENT && (row == NULL || form != row_form(row)))
		TRY(ERR_CHOICE);
	switch ((enum form)form) {
	case FORM_ABSENT:
		TRY(item_take_number(in, &m->ulParameterLen));
		if (row == NULL && m->ulParameterLen != 0)
			TRY(ERR_CHOICE);
		break;
	case FORM_OCTETS:
		TRY(item_take_number(in, &m->ulParameterLen));
		TRY(bytes_split(in, m->ulParameterLen, &body));
		m->pParameter = item_unconst(body.at);
		break;
	case FORM_NUMBER:
		TRY(ARENA_NEW(a, number));
		TRY(item_take_number(in, number));
		m->pParameter = number;
		m->ulParameterLen = sizeof(*number);
		break;
	case FORM_RECORD:
		m->ulParameterLen =
		    record_octets((enum record_kind)row->parameter);
		m->pParameter = arena_alloc(a, 1, m->ulParameterLen);
		if (m->pParameter == NULL)
			TRY(ERR_NOMEM);
		TRY(record_read(
		    (enum record_kind)row->parameter, in, m->pParameter));
		break;
	}
	*out = m;
out:
	return rc;
}
