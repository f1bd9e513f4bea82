/*
 * Every row of call.def, there and back, with all its pointers and without
 * any; and each octet of it is needed.
 */
#include "rpc/wire.h"

#include "base/mem.h"
#include "rpc/hex_test.h"

enum { ARENA_OCTETS = 1 << 20, ROOM = 8 };

/* What the pointers of one argument point to. */
struct target {
	uint8_t octets[32];
	CK_ULONG count;
	CK_ULONG numbers[ROOM];
	CK_MECHANISM mechanism;
	CK_ATTRIBUTE attribute;
	CK_TOKEN_INFO info; /* the largest one */
};

static const uint8_t sample[32] = "an argument of thirty-two octets";

/* An argument as an application gives it. */
static void
give(enum call_kind kind, bool there, struct target *t, struct call_arg *arg)
{
	memset(t, 0, sizeof(*t));
	memset(arg, 0, sizeof(*arg));
	memcpy(t->octets, sample, sizeof(sample));
	t->mechanism = (CK_MECHANISM){CKM_AES_CBC, t->octets, 16};
	t->attribute = (CK_ATTRIBUTE){CKA_LABEL, t->octets, 5};
	switch (kind) {
	case CALL_SESSION:
	case CALL_NUMBER:
		arg->number = 0x8000000100000002;
		break;
	case CALL_BOOL:
		arg->number = 0x7f;
		break;
	case CALL_OCTETS:
		arg->at = there ? t->octets : NULL;
		arg->number = sizeof(t->octets);
		break;
	case CALL_OCTETS_OUT:
		arg->at = there ? t->octets : NULL;
		arg->count = there ? &t->count : NULL;
		t->count = sizeof(t->octets);
		break;
	case CALL_FILL:
		arg->at = there ? t->octets : NULL;
		arg->number = sizeof(t->octets);
		break;
	case CALL_LABEL:
		arg->at = there ? t->octets : NULL;
		break;
	case CALL_NUMBER_OUT:
		arg->at = there ? t->numbers : NULL;
		break;
	case CALL_NUMBERS_OUT:
		arg->at = there ? t->numbers : NULL;
		arg->count = there ? &t->count : NULL;
		t->count = ROOM;
		break;
	case CALL_FOUND_OUT:
		arg->at = there ? t->numbers : NULL;
		arg->count = there ? &t->count : NULL;
		arg->number = ROOM;
		break;
	case CALL_MECHANISM:
		arg->at = there ? &t->mechanism : NULL;
		break;
	case CALL_TEMPLATE:
	case CALL_TEMPLATE_OUT:
		arg->at = there ? &t->attribute : NULL;
		arg->number = 1;
		break;
	case CALL_SLOT_INFO:
	case CALL_TOKEN_INFO:
	case CALL_SESSION_INFO:
	case CALL_MECHANISM_INFO:
		arg->at = there ? &t->info : NULL;
		break;
	case CALL_RESERVED:
		arg->at = there ? t->octets : NULL;
		break;
	case CALL_CALLBACK:
	case CALL_END:
		break;
	}
}

/* The same argument, as the token sees it. */
static void
assert_same(enum call_kind kind, const struct call_arg *gave,
    const struct call_arg *got)
{
	const CK_MECHANISM *m = got->at;
	const CK_ATTRIBUTE *attribute = got->at;

	assert_int_equal(gave->at == NULL, got->at == NULL);
	assert_int_equal(gave->count == NULL, got->count == NULL);
	if (kind == CALL_LABEL || kind == CALL_RESERVED)
		return; /* of a length that is known, or of none */
	if (gave->count != NULL) {
		/* what one says in its count, or beside it */
		assert_int_equal(got->number,
		    kind == CALL_FOUND_OUT ? gave->number : *gave->count);
		assert_int_equal(*got->count, got->number);
		return;
	}
	if (kind != CALL_OCTETS_OUT && kind != CALL_NUMBERS_OUT)
		assert_int_equal(gave->number, got->number);
	if (gave->at == NULL)
		return;
	if (kind == CALL_OCTETS)
		assert_memory_equal(got->at, sample, sizeof(sample));
	if (kind == CALL_MECHANISM) {
		assert_int_equal(m->mechanism, CKM_AES_CBC);
		assert_int_equal(m->ulParameterLen, 16);
		assert_memory_equal(m->pParameter, sample, 16);
	}
	if (kind == CALL_TEMPLATE) {
		assert_int_equal(attribute->type, CKA_LABEL);
		assert_int_equal(attribute->ulValueLen, 5);
		assert_memory_equal(attribute->pValue, sample, 5);
	}
	if (kind == CALL_TEMPLATE_OUT)
		assert_int_equal(attribute->ulValueLen, 5);
}

/* What a token does with what comes out of it. */
static void
fill(enum call_kind kind, const struct call_arg *arg)
{
	CK_ATTRIBUTE *attribute = arg->at;
	CK_ULONG *numbers = arg->at;

	if (arg->at == NULL)
		return;
	switch (kind) {
	case CALL_OCTETS_OUT:
		memcpy(arg->at, "out", 3);
		*arg->count = 3;
		break;
	case CALL_FILL:
		memset(arg->at, 0xf1, arg->number);
		break;
	case CALL_NUMBER_OUT:
		numbers[0] = 77;
		break;
	case CALL_NUMBERS_OUT:
	case CALL_FOUND_OUT:
		numbers[0] = 88;
		numbers[1] = 99;
		*arg->count = 2;
		break;
	case CALL_TEMPLATE_OUT:
		memcpy(attribute->pValue, "att", 3);
		attribute->ulValueLen = 3;
		break;
	case CALL_SLOT_INFO:
		memset(arg->at, 0x22, sizeof(CK_SLOT_INFO));
		break;
	case CALL_TOKEN_INFO:
		memset(arg->at, 0x22, sizeof(CK_TOKEN_INFO));
		break;
	case CALL_SESSION_INFO:
		memset(arg->at, 0x22, sizeof(CK_SESSION_INFO));
		break;
	case CALL_MECHANISM_INFO:
		memset(arg->at, 0x22, sizeof(CK_MECHANISM_INFO));
		break;
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
}

/* Each of the struct's fields came; what lies between them is nobody's. */
static void
assert_info(enum call_kind kind, const struct target *t)
{
	const void *at = &t->info;
	const CK_SLOT_INFO *slot = at;
	const CK_SESSION_INFO *session = at;
	const CK_MECHANISM_INFO *mechanism = at;
	const CK_ULONG n = 0x2222222222222222;

	if (kind == CALL_SLOT_INFO) {
		assert_memory_equal(slot->slotDescription,
		    "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", 16);
		assert_int_equal(slot->manufacturerID[31], 0x22);
		assert_int_equal(slot->flags, n);
		assert_int_equal(slot->firmwareVersion.minor, 0x22);
	} else if (kind == CALL_TOKEN_INFO) {
		assert_int_equal(t->info.label[31], 0x22);
		assert_int_equal(t->info.serialNumber[15], 0x22);
		assert_int_equal(t->info.flags, n);
		assert_int_equal(t->info.ulMinPinLen, n);
		assert_int_equal(t->info.ulFreePrivateMemory, n);
		assert_int_equal(t->info.utcTime[15], 0x22);
	} else if (kind == CALL_SESSION_INFO) {
		assert_int_equal(session->slotID, n);
		assert_int_equal(session->ulDeviceError, n);
	} else {
		assert_int_equal(mechanism->ulMinKeySize, n);
		assert_int_equal(mechanism->flags, n);
	}
}

/* ... and what the application then has. */
static void
assert_came(enum call_kind kind, const struct call_arg *arg,
    const struct target *t, CK_RV rv)
{
	bool all = rv == CKR_OK;

	if (arg->at == NULL)
		return;
	switch (kind) {
	case CALL_OCTETS_OUT:
		assert_int_equal(t->count,
		    all || rv == CKR_BUFFER_TOO_SMALL ? 3 : sizeof(t->octets));
		assert_memory_equal(t->octets, all ? "out" : "an ", 3);
		break;
	case CALL_FILL:
		assert_int_equal(t->octets[31], all ? 0xf1 : sample[31]);
		break;
	case CALL_NUMBER_OUT:
		assert_int_equal(t->numbers[0], all ? 77 : 0);
		break;
	case CALL_NUMBERS_OUT:
		assert_int_equal(
		    t->count, all || rv == CKR_BUFFER_TOO_SMALL ? 2 : ROOM);
		assert_int_equal(t->numbers[1], all ? 99 : 0);
		break;
	case CALL_FOUND_OUT:
		assert_int_equal(t->count, all ? 2 : 0);
		assert_int_equal(t->numbers[1], all ? 99 : 0);
		break;
	case CALL_TEMPLATE_OUT:
		all = rv != CKR_KEY_HANDLE_INVALID;
		assert_int_equal(t->attribute.ulValueLen, all ? 3 : 5);
		assert_memory_equal(t->octets, all ? "att" : "an ", 3);
		break;
	case CALL_SLOT_INFO:
	case CALL_TOKEN_INFO:
	case CALL_SESSION_INFO:
	case CALL_MECHANISM_INFO:
		if (all)
			assert_info(kind, t);
		else
			assert_int_equal(((const uint8_t *)&t->info)[0], 0);
		break;
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
}

static void
give_all(enum call_id call, bool there, struct target t[CALL_ARGS_MAX],
    union call_args *args)
{
	size_t k;

	memset(args, 0, sizeof(*args));
	for (k = 0; calls[call].kinds[k] != CALL_END; k++)
		give(calls[call].kinds[k], there, &t[k], &args->arg[k]);
}

static void
a_call_comes_as_it_went(void **state)
{
	struct target t[CALL_ARGS_MAX];
	union call_args gave, got;
	struct arena *arena;
	struct buf out;
	unsigned id;
	size_t k;

	(void)state;
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	buf_init(&out, ARENA_OCTETS);
	for (id = 0; id < 2 * CALL_COUNT; id++) {
		enum call_id call = (enum call_id)(id / 2), found;
		struct bytes in;

		print_message("%s%s\n", calls[call].name,
		    id % 2 == 0 ? "" : ", without pointers");
		give_all(call, id % 2 == 0, t, &gave);
		assert_int_equal(wire_call_write(call, &gave, &out), OK);
		in = buf_peek(&out);
		assert_int_equal(wire_call_read(arena, &in, &found, &got), OK);
		assert_int_equal(in.octets, 0);
		assert_int_equal(found, call);
		for (k = 0; calls[call].kinds[k] != CALL_END; k++)
			assert_same(
			    calls[call].kinds[k], &gave.arg[k], &got.arg[k]);
		arena_reset(arena);
		buf_reset(&out);
	}
	buf_clear(&out);
	arena_free(arena);
}

enum { HEAD_OCTETS = 6 };

static void
a_call_cut_short_or_longer_is_refused(void **state)
{
	struct target t[CALL_ARGS_MAX];
	union call_args gave, got;
	struct arena *arena;
	struct buf out;
	unsigned id;
	uint32_t cut;

	(void)state;
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	buf_init(&out, ARENA_OCTETS);
	for (id = 0; id < CALL_COUNT; id++) {
		enum call_id call = (enum call_id)id, found;
		struct bytes in;

		print_message("%s\n", calls[call].name);
		give_all(call, true, t, &gave);
		assert_int_equal(wire_call_write(call, &gave, &out), OK);
		assert_int_equal(buf_put_text(&out, "x"), OK);
		for (cut = 0; cut <= out.octets - HEAD_OCTETS; cut++) {
			enum err want = ERR_TRUNCATED;

			if (cut == out.octets - HEAD_OCTETS - 1)
				continue; /* as it should be */
			if (cut == out.octets - HEAD_OCTETS)
				want = ERR_TRAILING;
			bytes_put_u32(out.at + 2, cut);
			in = buf_peek(&out);
			assert_int_equal(
			    wire_call_read(arena, &in, &found, &got), want);
			/* the frame's next call would still be found */
			assert_int_equal(
			    in.octets, out.octets - HEAD_OCTETS - cut);
			arena_reset(arena);
		}
		bytes_put_u32(out.at + 2, cut);
		in = buf_peek(&out);
		assert_int_equal(
		    wire_call_read(arena, &in, &found, &got), ERR_TRUNCATED);
		buf_reset(&out);
	}
	buf_clear(&out);
	arena_free(arena);
}

static void
what_is_no_call_is_refused(void **state)
{
	static const struct {
		const char *name;
		const char *octets;
		enum err want;
	} rows[] = {
	    {"C_CloseSession", "000d 00000008 #1", OK},
	    {"C_Initialize", "0000 00000008 #1", ERR_CHOICE},
	    {"no function at all", "0044 00000008 #1", ERR_CHOICE},
	    {"half a head", "000d 0000", ERR_TRUNCATED},
	    {"C_GetSlotList", "0004 0000000b 01 01 01 #10", OK},
	    {"the same, a flag of 2", "0004 0000000b 01 02 01 #10", ERR_VALUE},
	    {"C_InitToken", /**/
		"0009 0000003b #1 01 #1 31 01 #20 "
		"2020202020202020202020202020202020202020202020202020202020"
		"202020",
		OK},
	    {"the same, with a label of 31 octets",
		"0009 0000003a #1 01 #1 31 01 #1f "
		"2020202020202020202020202020202020202020202020202020202020"
		"2020",
		ERR_LENGTH},
	    {"C_GenerateRandom", "0040 00000011 #1 01 #20", OK},
	    {"the same, of more than a frame holds",
		"0040 00000011 #1 01 #1000000", ERR_LIMIT},
	    {"C_SeedRandom", "003f 00000012 #1 01 #1 aa", OK},
	    {"the same, of more than a frame holds",
		"003f 00000012 #1 01 #1000000 aa", ERR_LIMIT},
	    {"the same, of more than there is", "003f 00000012 #1 01 #2 aa",
		ERR_TRUNCATED},
	};
	struct arena *arena;
	size_t k;

	(void)state;
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct hex h = hex(rows[k].octets);
		struct bytes in = {h.at, h.octets};
		union call_args args;
		enum call_id call;

		print_message("%s\n", rows[k].name);
		assert_int_equal(
		    wire_call_read(arena, &in, &call, &args), rows[k].want);
		arena_reset(arena);
	}
	arena_free(arena);
}

/* A room may be called as large as one likes; it is made as large as it may. */
static void
rooms_have_an_end(void **state)
{
	CK_ULONG numbers[1], count = CK_UNAVAILABLE_INFORMATION;
	uint8_t octets[1];
	union call_args gave = {.C_FindObjects = {
				    .session = {.number = 1},
				    .objects = {numbers, count, &count},
				}};
	union call_args got;
	struct arena *arena;
	struct buf out;
	struct bytes in;
	enum call_id call;

	(void)state;
	assert_int_equal(arena_new(2 * RPC_FRAME_OCTETS_MAX, &arena), OK);
	buf_init(&out, ARENA_OCTETS);
	assert_int_equal(wire_call_write(CALL_C_FindObjects, &gave, &out), OK);
	in = buf_peek(&out);
	assert_int_equal(wire_call_read(arena, &in, &call, &got), OK);
	assert_int_equal(got.C_FindObjects.objects.number, RPC_NUMBERS_MAX);
	arena_reset(arena);

	gave = (union call_args){.C_DigestFinal = {
				     .session = {.number = 1},
				     .digest = {octets, 0, &count},
				 }};
	buf_reset(&out);
	assert_int_equal(wire_call_write(CALL_C_DigestFinal, &gave, &out), OK);
	in = buf_peek(&out);
	assert_int_equal(wire_call_read(arena, &in, &call, &got), OK);
	assert_int_equal(got.C_DigestFinal.digest.number, RPC_OCTETS_MAX);
	arena_free(arena);

	/* with too little memory the call is known, and the next one found */
	assert_int_equal(buf_put_text(&out, "next"), OK);
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	in = buf_peek(&out);
	assert_int_equal(wire_call_read(arena, &in, &call, &got), ERR_NOMEM);
	assert_int_equal(call, CALL_C_DigestFinal);
	assert_int_equal(in.octets, 4);
	arena_free(arena);
	buf_clear(&out);
}

static void
an_answer_comes_as_it_went(void **state)
{
	static const CK_RV rvs[] = {CKR_OK, CKR_BUFFER_TOO_SMALL,
	    CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID,
	    CKR_KEY_HANDLE_INVALID};
	enum { RVS = sizeof(rvs) / sizeof(rvs[0]) };
	struct target t[CALL_ARGS_MAX];
	union call_args gave, got;
	struct arena *arena;
	struct buf out, answer;
	unsigned id;
	size_t k, cut;

	(void)state;
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	buf_init(&out, ARENA_OCTETS);
	buf_init(&answer, ARENA_OCTETS);
	for (id = 0; id < RVS * CALL_COUNT; id++) {
		enum call_id call = (enum call_id)(id / RVS), found;
		const enum call_kind *kinds = calls[call].kinds;
		CK_RV rv = rvs[id % RVS], came;
		struct bytes in;

		print_message("%s, 0x%lx\n", calls[call].name, rv);
		give_all(call, true, t, &gave);
		assert_int_equal(wire_call_write(call, &gave, &out), OK);
		in = buf_peek(&out);
		assert_int_equal(wire_call_read(arena, &in, &found, &got), OK);
		for (k = 0; kinds[k] != CALL_END; k++)
			fill(kinds[k], &got.arg[k]);
		assert_int_equal(
		    wire_answer_write(call, &got, rv, &answer), OK);
		for (cut = 0; cut < answer.octets; cut++) {
			in = (struct bytes){answer.at, cut};
			give_all(call, true, t, &gave);
			assert_int_equal(
			    wire_answer_read(&in, call, &gave, &came),
			    ERR_TRUNCATED);
		}
		give_all(call, true, t, &gave);
		in = buf_peek(&answer);
		assert_int_equal(wire_answer_read(&in, call, &gave, &came), OK);
		assert_int_equal(in.octets, 0);
		assert_int_equal(came, rv);
		for (k = 0; kinds[k] != CALL_END; k++)
			assert_came(kinds[k], &gave.arg[k], &t[k], rv);
		buf_reset(&out);
		buf_reset(&answer);
		arena_reset(arena);
	}
	buf_clear(&out);
	buf_clear(&answer);
	arena_free(arena);
}

/* Asking for a length: it comes alone, with CKR_OK. */
static void
a_length_is_told_without_a_pointer(void **state)
{
	CK_ULONG count = 0;
	union call_args args = {
	    .C_DigestFinal = {{.number = 1}, {NULL, 0, &count}}};
	struct hex h = hex("#0 #20 00"), more = hex("#0 #1 01 aa");
	struct bytes in = {h.at, h.octets};
	struct buf out;
	CK_RV rv;

	(void)state;
	assert_int_equal(
	    wire_answer_read(&in, CALL_C_DigestFinal, &args, &rv), OK);
	assert_int_equal(count, 32);
	in = (struct bytes){more.at, more.octets};
	assert_int_equal(wire_answer_read(&in, CALL_C_DigestFinal, &args, &rv),
	    ERR_UNEXPECTED);
	buf_init(&out, ARENA_OCTETS);
	assert_int_equal(
	    wire_answer_write(CALL_C_DigestFinal, &args, CKR_OK, &out), OK);
	assert_hex("a length", buf_peek(&out), "#0 #20 00");
	buf_clear(&out);
}

/* Neither a token nor a card can make somebody write beyond his room. */
static void
an_answer_does_not_leave_its_room(void **state)
{
	static const struct {
		const char *name;
		const char *octets;
		enum err want;
	} rows[] = {
	    {"as many as there is room for", "#0 #2 01 #7 #8", OK},
	    {"one more", "#0 #3 01 #7 #8 #9", ERR_LENGTH},
	    {"all that can be said", "#0 #ffffffffffffffff 01", ERR_LENGTH},
	    {"a flag of 2", "#0 #2 02 #7 #8", ERR_VALUE},
	    {"what should follow does not", "#0 #2 00", ERR_UNEXPECTED},
	    {"what should not follow does", "#150 #2 01 #7 #8", ERR_UNEXPECTED},
	    {"too small a room", "#150 #3 00", OK},
	};
	CK_ULONG numbers[3], count, room[1];
	union call_args args = {
	    .C_GetSlotList = {{.number = 1}, {numbers, 0, &count}}};
	union call_args token = {
	    .C_GetSlotList = {{.number = 1}, {room, 1, &count}}};
	struct buf out;
	size_t k;
	CK_RV rv;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct hex h = hex(rows[k].octets);
		struct bytes in = {h.at, h.octets};

		print_message("%s\n", rows[k].name);
		numbers[2] = 5;
		count = 2;
		assert_int_equal(
		    wire_answer_read(&in, CALL_C_GetSlotList, &args, &rv),
		    rows[k].want);
		assert_int_equal(numbers[2], 5);
	}
	buf_init(&out, ARENA_OCTETS);
	count = 2;
	assert_int_equal(
	    wire_answer_write(CALL_C_GetSlotList, &token, CKR_OK, &out),
	    ERR_LENGTH);
	count = 1;
	room[0] = 3;
	buf_reset(&out);
	assert_int_equal(
	    wire_answer_write(CALL_C_GetSlotList, &token, CKR_OK, &out), OK);
	assert_hex("one", buf_peek(&out), "#0 #1 01 #3");
	buf_clear(&out);
}

static void
a_hello_is_these_octets(void **state)
{
	static const struct wire_hello hello = {
	    WIRE_VERSION, WIRE_HELLO_FULL, "abcdefghijklmno"};
	static const char text[] = "4853494d2d503131 0001 0003 00000000 "
				   "6162636465666768696a6b6c6d6e6f00";
	struct hex h = hex(text);
	uint8_t out[WIRE_HELLO_OCTETS];
	struct wire_hello got;
	size_t k;

	(void)state;
	wire_hello_write(&hello, out);
	assert_hex("hello", (struct bytes){out, sizeof(out)}, text);
	assert_int_equal(h.octets, WIRE_HELLO_OCTETS);
	assert_int_equal(wire_hello_read(h.at, &got), OK);
	assert_int_equal(got.version, WIRE_VERSION);
	assert_int_equal(got.status, WIRE_HELLO_FULL);
	assert_memory_equal(got.name, hello.name, sizeof(got.name));
	for (k = 0; k < 16; k++) {
		if (k == 8 || k == 9)
			continue; /* the version is judged by who reads it */
		h = hex(text);
		h.at[k] ^= 0x80;
		assert_int_equal(wire_hello_read(h.at, &got), ERR_MESSAGE);
	}
	h = hex(text);
	h.at[11] = WIRE_HELLO_END;
	assert_int_equal(wire_hello_read(h.at, &got), ERR_MESSAGE);
}

static void
a_frame_has_a_length(void **state)
{
	static const struct {
		const char *name;
		const char *octets;
		enum err want;
		size_t body;
	} rows[] = {
	    {"nothing yet", "", ERR_TRUNCATED, 0},
	    {"half a length", "0000", ERR_TRUNCATED, 0},
	    {"a length", "00000002", ERR_TRUNCATED, 0},
	    {"half a body", "00000002 01", ERR_TRUNCATED, 0},
	    {"a frame", "00000002 0102", OK, 2},
	    {"a frame and more", "00000001 0102", OK, 1},
	    {"no body", "00000000", OK, 0},
	    {"the largest", "01000000 00", ERR_TRUNCATED, 0},
	    {"one more", "01000001 00", ERR_LIMIT, 0},
	};
	struct bytes body;
	struct buf out;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct hex h = hex(rows[k].octets);
		struct bytes in = {h.at, h.octets};

		print_message("%s\n", rows[k].name);
		body = BYTES_NONE;
		assert_int_equal(wire_frame_peek(in, &body), rows[k].want);
		assert_int_equal(body.octets, rows[k].body);
	}
	buf_init(&out, 64);
	assert_int_equal(wire_frame_begin(&out), OK);
	assert_int_equal(buf_put_text(&out, "ab"), OK);
	wire_frame_end(&out);
	assert_hex("written", buf_peek(&out), "00000002 6162");
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_call_comes_as_it_went),
	    cmocka_unit_test(a_call_cut_short_or_longer_is_refused),
	    cmocka_unit_test(what_is_no_call_is_refused),
	    cmocka_unit_test(rooms_have_an_end),
	    cmocka_unit_test(an_answer_comes_as_it_went),
	    cmocka_unit_test(a_length_is_told_without_a_pointer),
	    cmocka_unit_test(an_answer_does_not_leave_its_room),
	    cmocka_unit_test(a_hello_is_these_octets),
	    cmocka_unit_test(a_frame_has_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
