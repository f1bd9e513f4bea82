#include "rpc/attribute.h"

#include <string.h>

enum form {
	FORM_ABSENT,
	FORM_OCTETS,
	FORM_NUMBER,
	FORM_NUMBERS,
	FORM_TEMPLATE,
};

static const struct row {
	CK_ATTRIBUTE_TYPE type;
	enum form form;
} rows[] = {
#define ATTRIBUTE(type, value) {type, FORM_##value},
#include "rpc/attribute.def"
#undef ATTRIBUTE
};

/* What a value of that type is; OCTETS where no row says otherwise. */
static enum form
type_form(CK_ATTRIBUTE_TYPE type)
{
	size_t first = 0, end = sizeof(rows) / sizeof(rows[0]);

	while (first < end) {
		size_t mid = first + (end - first) / 2;

		if (rows[mid].type == type)
			return rows[mid].form;
		if (rows[mid].type < type)
			first = mid + 1;
		else
			end = mid;
	}
	return FORM_OCTETS;
}

/* How a value of that length goes. */
static enum form
value_form(CK_ATTRIBUTE_TYPE type, CK_ULONG octets)
{
	enum form form = type_form(type);

	switch (form) {
	case FORM_NUMBER:
		return octets == sizeof(CK_ULONG) ? form : FORM_OCTETS;
	case FORM_NUMBERS:
		return octets % sizeof(CK_ULONG) == 0 ? form : FORM_OCTETS;
	case FORM_TEMPLATE:
		return octets % sizeof(CK_ATTRIBUTE) == 0 ? form : FORM_ABSENT;
	case FORM_ABSENT:
	case FORM_OCTETS:
		break;
	}
	return form;
}

/* The i-th number at a pointer that need not be aligned. */
static CK_ULONG
number_at(const void *at, CK_ULONG i)
{
	CK_ULONG v;

	memcpy(&v, (const uint8_t *)at + i * sizeof(v), sizeof(v));
	return v;
}

static enum err
put_numbers(const void *at, CK_ULONG count, struct buf *out)
{
	enum err rc = OK;
	CK_ULONG k;

	for (k = 0; k < count; k++)
		TRY(item_put_number(out, number_at(at, k)));
out:
	return rc;
}

static enum err
take_numbers(struct bytes *in, void *to, CK_ULONG count)
{
	CK_ULONG v, k;
	enum err rc = OK;

	for (k = 0; k < count; k++) {
		TRY(item_take_number(in, &v));
		memcpy((uint8_t *)to + k * sizeof(v), &v, sizeof(v));
	}
out:
	return rc;
}

static enum err
take_count(struct bytes *in, CK_ULONG max, CK_ULONG *count)
{
	enum err rc = OK;

	TRY(item_take_number(in, count));
	if (*count > max)
		TRY(ERR_COUNT);
out:
	return rc;
}

/* ---- to the card ---- */

static enum err
write_attributes(
    const CK_ATTRIBUTE *at, CK_ULONG count, unsigned depth, struct buf *out)
{
	enum err rc = OK;
	CK_ULONG k;

	if (count > RPC_ATTRIBUTES_MAX)
		TRY(ERR_COUNT);
	if (depth > RPC_DEPTH_MAX)
		TRY(ERR_DEPTH);
	for (k = 0; k < count; k++) {
		const void *value = at[k].pValue;
		CK_ULONG octets = at[k].ulValueLen;
		enum form form = value == NULL ? FORM_ABSENT
					       : value_form(at[k].type, octets);

		TRY(item_put_number(out, at[k].type));
		TRY(item_put_octet(out, (uint8_t)form));
		switch (form) {
		case FORM_ABSENT:
			TRY(item_put_number(out, octets));
			break;
		case FORM_OCTETS:
			TRY(item_put_number(out, octets));
			TRY(buf_put(out, (struct bytes){value, octets}));
			break;
		case FORM_NUMBER:
			TRY(put_numbers(value, 1, out));
			break;
		case FORM_NUMBERS:
			octets /= sizeof(CK_ULONG);
			if (octets > RPC_ATTRIBUTES_MAX)
				TRY(ERR_COUNT);
			TRY(item_put_number(out, octets));
			TRY(put_numbers(value, octets, out));
			break;
		case FORM_TEMPLATE:
			octets /= sizeof(CK_ATTRIBUTE);
			TRY(item_put_number(out, octets));
			TRY(write_attributes(value, octets, depth + 1, out));
			break;
		}
	}
out:
	return rc;
}

enum err
template_write(const CK_ATTRIBUTE *at, CK_ULONG count, struct buf *out)
{
	enum err rc = OK;

	TRY(item_put_flag(out, at != NULL));
	TRY(item_put_number(out, count));
	if (at != NULL)
		TRY(write_attributes(at, count, 1, out));
out:
	return rc;
}

static enum err
read_numbers(
    struct arena *a, struct bytes *in, CK_ULONG count, CK_ATTRIBUTE *to)
{
	CK_ULONG *numbers;
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, numbers, count));
	TRY(take_numbers(in, numbers, count));
	to->pValue = numbers;
	to->ulValueLen = count * sizeof(*numbers);
out:
	return rc;
}

static enum err
read_attributes(struct arena *a, struct bytes *in, CK_ULONG count,
    unsigned depth, CK_ATTRIBUTE **at)
{
	CK_ATTRIBUTE *nested;
	struct bytes body;
	CK_ULONG k, n;
	uint8_t form;
	enum err rc = OK;

	if (depth > RPC_DEPTH_MAX)
		TRY(ERR_DEPTH);
	TRY(ARENA_ARRAY(a, *at, count));
	for (k = 0; k < count; k++) {
		CK_ATTRIBUTE *to = &(*at)[k];

		TRY(item_take_number(in, &to->type));
		TRY(item_take_octet(in, &form));
		if (form > FORM_OCTETS && form != type_form(to->type))
			TRY(ERR_CHOICE);
		switch ((enum form)form) {
		case FORM_ABSENT:
			TRY(item_take_number(in, &to->ulValueLen));
			break;
		case FORM_OCTETS:
			TRY(item_take_number(in, &n));
			/* octets that another form is for are no octets */
			if (value_form(to->type, n) != FORM_OCTETS)
				TRY(ERR_CHOICE);
			TRY(bytes_split(in, n, &body));
			to->pValue = item_unconst(body.at);
			to->ulValueLen = n;
			break;
		case FORM_NUMBER:
			TRY(read_numbers(a, in, 1, to));
			break;
		case FORM_NUMBERS:
			TRY(take_count(in, RPC_ATTRIBUTES_MAX, &n));
			TRY(read_numbers(a, in, n, to));
			break;
		case FORM_TEMPLATE:
			TRY(take_count(in, RPC_ATTRIBUTES_MAX, &n));
			TRY(read_attributes(a, in, n, depth + 1, &nested));
			to->pValue = nested;
			to->ulValueLen = n * sizeof(CK_ATTRIBUTE);
			break;
		}
	}
out:
	return rc;
}

enum err
template_read(
    struct arena *a, struct bytes *in, CK_ATTRIBUTE **at, CK_ULONG *count)
{
	bool there;
	enum err rc = OK;

	*at = NULL;
	TRY(item_take_flag(in, &there));
	TRY(item_take_number(in, count));
	if (there && *count > RPC_ATTRIBUTES_MAX)
		TRY(ERR_COUNT);
	if (there)
		TRY(read_attributes(a, in, *count, 1, at));
out:
	return rc;
}

/* ---- rooms ---- */

enum err
template_write_rooms(const CK_ATTRIBUTE *at, CK_ULONG count, struct buf *out)
{
	const CK_ATTRIBUTE *nested;
	CK_ULONG k, n, j;
	enum err rc = OK;

	TRY(item_put_flag(out, at != NULL));
	TRY(item_put_number(out, count));
	if (at == NULL)
		goto out;
	if (count > RPC_ATTRIBUTES_MAX)
		TRY(ERR_COUNT);
	for (k = 0; k < count; k++) {
		TRY(item_put_number(out, at[k].type));
		if (at[k].pValue == NULL) {
			TRY(item_put_octet(out, FORM_ABSENT));
			continue;
		}
		if (type_form(at[k].type) != FORM_TEMPLATE) {
			TRY(item_put_octet(out, FORM_OCTETS));
			TRY(item_put_number(out, at[k].ulValueLen));
			continue;
		}
		nested = at[k].pValue;
		n = at[k].ulValueLen / sizeof(*nested);
		if (n > RPC_ATTRIBUTES_MAX)
			TRY(ERR_COUNT);
		TRY(item_put_octet(out, FORM_TEMPLATE));
		TRY(item_put_number(out, n));
		for (j = 0; j < n; j++) {
			bool room = nested[j].pValue != NULL;

			TRY(item_put_octet(
			    out, room ? FORM_OCTETS : FORM_ABSENT));
			if (room)
				TRY(item_put_number(out, nested[j].ulValueLen));
		}
	}
out:
	return rc;
}

/*
 * A room in the arena, with its length before it, which the attribute's own
 * length will not tell any more once the token has been there.
 */
struct room {
	CK_ULONG octets;
	_Alignas(16) uint8_t at[];
};

static enum err
room_new(struct arena *a, CK_ULONG octets, CK_ATTRIBUTE *to)
{
	struct room *room;

	if (octets > RPC_OCTETS_MAX)
		octets = RPC_OCTETS_MAX;
	room = arena_alloc(a, 1, sizeof(*room) + octets);
	if (room == NULL)
		return ERR_NOMEM;
	room->octets = octets;
	to->pValue = room->at;
	to->ulValueLen = octets;
	return OK;
}

static CK_ULONG
room_octets(const CK_ATTRIBUTE *at)
{
	const uint8_t *value = at->pValue;

	return value == NULL
		   ? 0
		   : ((const struct room *)(const void *)(value -
							  offsetof(
							      struct room, at)))
			 ->octets;
}

static enum err
read_room(struct arena *a, struct bytes *in, bool nested, CK_ATTRIBUTE *to)
{
	CK_ATTRIBUTE *inner;
	CK_ULONG k, n;
	uint8_t form;
	enum err rc = OK;

	TRY(item_take_octet(in, &form));
	switch (form) {
	case FORM_ABSENT:
		break;
	case FORM_OCTETS:
		if (!nested && type_form(to->type) == FORM_TEMPLATE)
			TRY(ERR_CHOICE);
		TRY(item_take_number(in, &n));
		TRY(room_new(a, n, to));
		break;
	case FORM_TEMPLATE:
		if (nested || type_form(to->type) != FORM_TEMPLATE)
			TRY(ERR_CHOICE);
		TRY(take_count(in, RPC_ATTRIBUTES_MAX, &n));
		TRY(room_new(a, n * sizeof(*inner), to));
		inner = to->pValue;
		for (k = 0; k < n; k++)
			TRY(read_room(a, in, true, &inner[k]));
		break;
	default:
		TRY(ERR_CHOICE);
	}
out:
	return rc;
}

enum err
template_read_rooms(
    struct arena *a, struct bytes *in, CK_ATTRIBUTE **at, CK_ULONG *count)
{
	bool there;
	enum err rc = OK;
	CK_ULONG k;

	*at = NULL;
	TRY(item_take_flag(in, &there));
	TRY(item_take_number(in, count));
	if (!there)
		goto out;
	if (*count > RPC_ATTRIBUTES_MAX)
		TRY(ERR_COUNT);
	TRY(ARENA_ARRAY(a, *at, *count));
	for (k = 0; k < *count; k++) {
		TRY(item_take_number(in, &(*at)[k].type));
		TRY(read_room(a, in, false, &(*at)[k]));
	}
out:
	return rc;
}

/* ---- values ---- */

/* How a value comes back; `nested` inside of a template. */
static enum form
answer_form(const CK_ATTRIBUTE *at, CK_ULONG room, bool nested)
{
	enum form form;

	if (at->pValue == NULL ||
	    at->ulValueLen == CK_UNAVAILABLE_INFORMATION ||
	    at->ulValueLen > room)
		return FORM_ABSENT;
	form = value_form(at->type, at->ulValueLen);
	return nested && form == FORM_TEMPLATE ? FORM_ABSENT : form;
}

static enum err
write_values(
    const CK_ATTRIBUTE *at, CK_ULONG count, bool nested, struct buf *out)
{
	enum err rc = OK;
	CK_ULONG k;

	for (k = 0; k < count; k++) {
		const void *value = at[k].pValue;
		CK_ULONG octets = at[k].ulValueLen;
		enum form form =
		    answer_form(&at[k], room_octets(&at[k]), nested);

		TRY(item_put_number(out, at[k].type));
		TRY(item_put_number(out, octets));
		TRY(item_put_octet(out, (uint8_t)form));
		switch (form) {
		case FORM_ABSENT:
			break;
		case FORM_OCTETS:
			TRY(buf_put(out, (struct bytes){value, octets}));
			break;
		case FORM_NUMBER:
		case FORM_NUMBERS:
			TRY(put_numbers(value, octets / sizeof(CK_ULONG), out));
			break;
		case FORM_TEMPLATE:
			TRY(write_values(
			    value, octets / sizeof(CK_ATTRIBUTE), true, out));
			break;
		}
	}
out:
	return rc;
}

enum err
template_write_values(const CK_ATTRIBUTE *at, CK_ULONG count, struct buf *out)
{
	return write_values(at, count, false, out);
}

static enum err
read_values(struct bytes *in, CK_ATTRIBUTE *at, CK_ULONG count, bool nested)
{
	CK_ATTRIBUTE got;
	struct bytes body;
	enum err rc = OK;
	uint8_t form;
	CK_ULONG k;

	for (k = 0; k < count; k++) {
		CK_ULONG room = at[k].ulValueLen;

		got.pValue = at[k].pValue;
		TRY(item_take_number(in, &got.type));
		TRY(item_take_number(in, &got.ulValueLen));
		TRY(item_take_octet(in, &form));
		if ((!nested && got.type != at[k].type) ||
		    form != answer_form(&got, room, nested))
			TRY(ERR_UNEXPECTED);
		at[k].type = got.type;
		at[k].ulValueLen = got.ulValueLen;
		switch ((enum form)form) {
		case FORM_ABSENT:
			break;
		case FORM_OCTETS:
			TRY(bytes_split(in, got.ulValueLen, &body));
			memcpy(at[k].pValue, body.at, body.octets);
			break;
		case FORM_NUMBER:
		case FORM_NUMBERS:
			TRY(take_numbers(in, at[k].pValue,
			    got.ulValueLen / sizeof(CK_ULONG)));
			break;
		case FORM_TEMPLATE:
			TRY(read_values(in, at[k].pValue,
			    got.ulValueLen / sizeof(CK_ATTRIBUTE), true));
			break;
		}
	}
out:
	return rc;
}

enum err
template_read_values(struct bytes *in, CK_ATTRIBUTE *at, CK_ULONG count)
{
	return read_values(in, at, count, false);
}
