#include "rpc/wire.h"

#include <assert.h>
#include <string.h>

#include "rpc/attribute.h"
#include "rpc/mechanism.h"
#include "rpc/record.h"

/* ---- hello ---- */

static const uint8_t magic[8] = {'H', 'S', 'I', 'M', '-', 'P', '1', '1'};

void
wire_hello_write(const struct wire_hello *hello, uint8_t out[WIRE_HELLO_OCTETS])
{
	memset(out, 0, WIRE_HELLO_OCTETS);
	memcpy(out, magic, sizeof(magic));
	bytes_put_u16(out + 8, hello->version);
	bytes_put_u16(out + 10, hello->status);
	memcpy(out + 16, hello->name, WIRE_NAME_OCTETS);
}

enum err
wire_hello_read(const uint8_t in[WIRE_HELLO_OCTETS], struct wire_hello *out)
{
	uint32_t status = bytes_u16(in + 10);

	if (memcmp(in, magic, sizeof(magic)) != 0 || status >= WIRE_HELLO_END ||
	    bytes_u32(in + 12) != 0)
		return ERR_MESSAGE;
	out->version = bytes_u16(in + 8);
	out->status = (enum wire_status)status;
	memcpy(out->name, in + 16, WIRE_NAME_OCTETS);
	return OK;
}

/* ---- frames ---- */

enum err
wire_frame_begin(struct buf *out)
{
	static const uint8_t none[WIRE_LENGTH_OCTETS];

	buf_reset(out);
	return buf_put(out, (struct bytes){none, sizeof(none)});
}

void
wire_frame_end(struct buf *out)
{
	bytes_put_u32(out->at, (uint32_t)(out->octets - WIRE_LENGTH_OCTETS));
}

enum err
wire_frame_peek(struct bytes in, struct bytes *body)
{
	struct bytes head;
	uint32_t octets;
	enum err rc = OK;

	TRY(bytes_split(&in, WIRE_LENGTH_OCTETS, &head));
	octets = bytes_u32(head.at);
	if (octets > RPC_FRAME_OCTETS_MAX)
		TRY(ERR_LIMIT);
	TRY(bytes_split(&in, octets, body));
out:
	return rc;
}

/* ---- what both ends know of a kind ---- */

/* The struct that a kind fills in; RECORD_COUNT: none. */
static enum record_kind
kind_record(enum call_kind kind)
{
	if (kind == CALL_SLOT_INFO)
		return RECORD_SLOT_INFO;
	if (kind == CALL_TOKEN_INFO)
		return RECORD_TOKEN_INFO;
	if (kind == CALL_SESSION_INFO)
		return RECORD_SESSION_INFO;
	if (kind == CALL_MECHANISM_INFO)
		return RECORD_MECHANISM_INFO;
	return RECORD_COUNT;
}

/* Does an argument come back? */
static bool
comes_back(enum call_kind kind, const struct call_arg *arg, CK_RV rv)
{
	switch (kind) {
	case CALL_OCTETS_OUT:
	case CALL_NUMBERS_OUT:
		return arg->count != NULL &&
		       (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL);
	case CALL_FOUND_OUT:
		return arg->count != NULL && rv == CKR_OK;
	case CALL_FILL:
	case CALL_NUMBER_OUT:
	case CALL_SLOT_INFO:
	case CALL_TOKEN_INFO:
	case CALL_SESSION_INFO:
	case CALL_MECHANISM_INFO:
		return arg->at != NULL && rv == CKR_OK;
	case CALL_TEMPLATE_OUT:
		return arg->at != NULL &&
		       (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL ||
			   rv == CKR_ATTRIBUTE_SENSITIVE ||
			   rv == CKR_ATTRIBUTE_TYPE_INVALID);
	case CALL_END:
	case CALL_SESSION:
	case CALL_NUMBER:
	case CALL_BOOL:
	case CALL_OCTETS:
	case CALL_LABEL:
	case CALL_MECHANISM:
	case CALL_TEMPLATE:
	case CALL_CALLBACK:
	case CALL_RESERVED:
		break;
	}
	return false;
}

/* ---- a call, from the module ---- */

static enum err
write_arg(enum call_kind kind, const struct call_arg *arg, struct buf *out)
{
	CK_ULONG room;
	enum err rc = OK;

	switch (kind) {
	case CALL_SESSION:
	case CALL_NUMBER:
		TRY(item_put_number(out, arg->number));
		break;
	case CALL_BOOL:
		TRY(item_put_octet(out, (uint8_t)arg->number));
		break;
	case CALL_OCTETS:
		TRY(item_put_octets(out, arg->at, arg->number));
		break;
	case CALL_LABEL:
		TRY(item_put_octets(out, arg->at, CALL_LABEL_OCTETS));
		break;
	case CALL_OCTETS_OUT:
	case CALL_NUMBERS_OUT:
		/* without a pointer nobody has set what it points to */
		room = arg->at != NULL && arg->count != NULL ? *arg->count : 0;
		TRY(item_put_flag(out, arg->at != NULL));
		TRY(item_put_flag(out, arg->count != NULL));
		TRY(item_put_number(out, room));
		break;
	case CALL_FOUND_OUT:
		TRY(item_put_flag(out, arg->at != NULL));
		TRY(item_put_flag(out, arg->count != NULL));
		TRY(item_put_number(out, arg->number));
		break;
	case CALL_FILL:
		if (arg->at != NULL && arg->number > RPC_OCTETS_MAX)
			TRY(ERR_LIMIT);
		TRY(item_put_flag(out, arg->at != NULL));
		TRY(item_put_number(out, arg->number));
		break;
	case CALL_NUMBER_OUT:
	case CALL_SLOT_INFO:
	case CALL_TOKEN_INFO:
	case CALL_SESSION_INFO:
	case CALL_MECHANISM_INFO:
	case CALL_RESERVED:
		TRY(item_put_flag(out, arg->at != NULL));
		break;
	case CALL_MECHANISM:
		TRY(mechanism_write(arg->at, true, out));
		break;
	case CALL_TEMPLATE:
		TRY(template_write(arg->at, arg->number, out));
		break;
	case CALL_TEMPLATE_OUT:
		TRY(template_write_rooms(arg->at, arg->number, out));
		break;
	case CALL_CALLBACK:
	case CALL_END:
		break;
	}
out:
	return rc;
}

enum { HEAD_OCTETS = 2 + 4 }; /* number, length of the arguments */

enum err
wire_call_write(enum call_id call, const union call_args *args, struct buf *out)
{
	const struct call *row = &calls[call];
	size_t start = out->octets;
	uint8_t *head;
	enum err rc = OK;
	size_t k;

	TRY(buf_reserve(out, HEAD_OCTETS, &head));
	bytes_put_u16(head, row->number);
	buf_added(out, HEAD_OCTETS);
	for (k = 0; row->kinds[k] != CALL_END; k++)
		TRY(write_arg(row->kinds[k], &args->arg[k], out));
	bytes_put_u32(
	    out->at + start + 2, (uint32_t)(out->octets - start - HEAD_OCTETS));
out:
	return rc;
}

/* ---- a call, to the token ---- */

/* Room for `arg->number` elements, and a place for how many there will be. */
static enum err
read_room(struct arena *a, struct bytes *in, CK_ULONG max, size_t element,
    struct call_arg *arg)
{
	bool there, count;
	enum err rc = OK;

	TRY(item_take_flag(in, &there));
	TRY(item_take_flag(in, &count));
	TRY(item_take_number(in, &arg->number));
	if (arg->number > max)
		arg->number = max;
	if (there) {
		arg->at = arena_alloc(a, arg->number, element);
		if (arg->at == NULL)
			TRY(ERR_NOMEM);
	}
	if (count) {
		TRY(ARENA_NEW(a, arg->count));
		*arg->count = arg->number;
	}
out:
	return rc;
}

static enum err
read_arg(struct arena *a, struct bytes *in, enum call_kind kind,
    struct call_arg *arg)
{
	CK_ATTRIBUTE *attributes;
	CK_MECHANISM *mechanism;
	uint8_t octet;
	size_t octets;
	bool there;
	enum err rc = OK;

	switch (kind) {
	case CALL_SESSION:
	case CALL_NUMBER:
		TRY(item_take_number(in, &arg->number));
		break;
	case CALL_BOOL:
		TRY(item_take_octet(in, &octet));
		arg->number = octet;
		break;
	case CALL_OCTETS:
		TRY(item_take_octets(in, &arg->at, &arg->number));
		break;
	case CALL_LABEL:
		TRY(item_take_octets(in, &arg->at, &arg->number));
		if (arg->number != CALL_LABEL_OCTETS)
			TRY(ERR_LENGTH);
		break;
	case CALL_OCTETS_OUT:
		TRY(read_room(a, in, RPC_OCTETS_MAX, 1, arg));
		break;
	case CALL_NUMBERS_OUT:
	case CALL_FOUND_OUT:
		TRY(read_room(a, in, RPC_NUMBERS_MAX, sizeof(CK_ULONG), arg));
		break;
	case CALL_FILL:
		TRY(item_take_flag(in, &there));
		TRY(item_take_number(in, &arg->number));
		if (there && arg->number > RPC_OCTETS_MAX)
			TRY(ERR_LIMIT);
		if (there) {
			arg->at = arena_alloc(a, arg->number, 1);
			if (arg->at == NULL)
				TRY(ERR_NOMEM);
		}
		break;
	case CALL_NUMBER_OUT:
	case CALL_RESERVED:
	case CALL_SLOT_INFO:
	case CALL_TOKEN_INFO:
	case CALL_SESSION_INFO:
	case CALL_MECHANISM_INFO:
		TRY(item_take_flag(in, &there));
		octets = kind_record(kind) == RECORD_COUNT
			     ? sizeof(CK_ULONG)
			     : record_octets(kind_record(kind));
		if (there) {
			arg->at = arena_alloc(a, 1, octets);
			if (arg->at == NULL)
				TRY(ERR_NOMEM);
		}
		break;
	case CALL_MECHANISM:
		TRY(mechanism_read(a, in, &mechanism));
		arg->at = mechanism;
		break;
	case CALL_TEMPLATE:
		TRY(template_read(a, in, &attributes, &arg->number));
		arg->at = attributes;
		break;
	case CALL_TEMPLATE_OUT:
		TRY(template_read_rooms(a, in, &attributes, &arg->number));
		arg->at = attributes;
		break;
	case CALL_CALLBACK:
	case CALL_END:
		break;
	}
out:
	return rc;
}

enum err
wire_call_read(struct arena *a, struct bytes *in, enum call_id *call,
    union call_args *args)
{
	struct bytes head, body;
	enum err rc = OK;
	size_t k;

	memset(args, 0, sizeof(*args));
	*call = CALL_COUNT;
	TRY(bytes_split(in, HEAD_OCTETS, &head));
	TRY(bytes_split(in, bytes_u32(head.at + 2), &body));
	*call = call_find(bytes_u16(head.at));
	if (*call == CALL_COUNT)
		TRY(ERR_CHOICE);
	for (k = 0; calls[*call].kinds[k] != CALL_END; k++)
		TRY(read_arg(a, &body, calls[*call].kinds[k], &args->arg[k]));
	if (body.octets != 0)
		TRY(ERR_TRAILING);
out:
	return rc;
}

/* ---- an answer, from the token ---- */

/* A length or count, and with CKR_OK as many elements, where there is room. */
static enum err
write_out(const struct call_arg *arg, CK_RV rv, bool numbers, struct buf *out)
{
	const CK_ULONG *number = arg->at;
	bool follows = rv == CKR_OK && arg->at != NULL;
	enum err rc = OK;
	CK_ULONG k;

	/* more than the room: the token's mistake, and not to be passed on */
	if (follows && *arg->count > arg->number)
		TRY(ERR_LENGTH);
	TRY(item_put_number(out, *arg->count));
	TRY(item_put_flag(out, follows));
	if (follows && !numbers)
		TRY(buf_put(out, (struct bytes){arg->at, *arg->count}));
	for (k = 0; follows && numbers && k < *arg->count; k++)
		TRY(item_put_number(out, number[k]));
out:
	return rc;
}

static enum err
write_back(
    enum call_kind kind, const struct call_arg *arg, CK_RV rv, struct buf *out)
{
	const CK_ULONG *number = arg->at;

	if (kind == CALL_TEMPLATE_OUT)
		return template_write_values(arg->at, arg->number, out);
	if (kind == CALL_NUMBER_OUT)
		return item_put_number(out, *number);
	if (kind == CALL_FILL)
		return buf_put(out, (struct bytes){arg->at, arg->number});
	if (kind_record(kind) != RECORD_COUNT)
		return record_write(kind_record(kind), arg->at, true, out);
	return write_out(arg, rv, kind != CALL_OCTETS_OUT, out);
}

enum err
wire_answer_write(
    enum call_id call, const union call_args *args, CK_RV rv, struct buf *out)
{
	const enum call_kind *kinds = calls[call].kinds;
	enum err rc = OK;
	size_t k;

	TRY(item_put_number(out, rv));
	for (k = 0; kinds[k] != CALL_END; k++) {
		if (comes_back(kinds[k], &args->arg[k], rv))
			TRY(write_back(kinds[k], &args->arg[k], rv, out));
	}
out:
	return rc;
}

/* ---- an answer, to the module ---- */

static enum err
read_out(
    struct bytes *in, enum call_kind kind, const struct call_arg *arg, CK_RV rv)
{
	CK_ULONG room = kind == CALL_FOUND_OUT ? arg->number : *arg->count;
	CK_ULONG *number = arg->at;
	struct bytes body;
	bool follows;
	CK_ULONG n, k;
	enum err rc = OK;

	TRY(item_take_number(in, &n));
	TRY(item_take_flag(in, &follows));
	if (follows != (rv == CKR_OK && arg->at != NULL))
		TRY(ERR_UNEXPECTED);
	if (follows && n > room)
		TRY(ERR_LENGTH);
	if (follows && kind == CALL_OCTETS_OUT) {
		TRY(bytes_split(in, n, &body));
		if (n != 0)
			memcpy(arg->at, body.at, n);
	}
	for (k = 0; follows && kind != CALL_OCTETS_OUT && k < n; k++)
		TRY(item_take_number(in, &number[k]));
	*arg->count = n;
out:
	return rc;
}

static enum err
read_back(
    struct bytes *in, enum call_kind kind, const struct call_arg *arg, CK_RV rv)
{
	struct bytes body;
	enum err rc = OK;

	if (kind == CALL_TEMPLATE_OUT) {
		TRY(template_read_values(in, arg->at, arg->number));
	} else if (kind == CALL_NUMBER_OUT) {
		TRY(item_take_number(in, arg->at));
	} else if (kind == CALL_FILL) {
		TRY(bytes_split(in, arg->number, &body));
		memcpy(arg->at, body.at, body.octets);
	} else if (kind_record(kind) != RECORD_COUNT) {
		TRY(record_read(kind_record(kind), in, arg->at));
	} else {
		TRY(read_out(in, kind, arg, rv));
	}
out:
	return rc;
}

enum err
wire_answer_read(
    struct bytes *in, enum call_id call, const union call_args *args, CK_RV *rv)
{
	const enum call_kind *kinds = calls[call].kinds;
	enum err rc = OK;
	size_t k;

	TRY(item_take_number(in, rv));
	for (k = 0; kinds[k] != CALL_END; k++) {
		if (comes_back(kinds[k], &args->arg[k], *rv))
			TRY(read_back(in, kinds[k], &args->arg[k], *rv));
	}
out:
	return rc;
}
