/*
 * Any octets, first as a call from a module, then as an answer from a card.
 *
 * A call that is read must give the same octets when it is written again (but
 * for rooms, which are cut to what they may be); an answer must stay in the
 * rooms of who asked, which the sanitizer watches.
 */
#include "rpc/wire.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_OCTETS = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
read_call(struct arena *arena, struct bytes in)
{
	struct buf out, again;
	union call_args args;
	enum call_id call;

	buf_init(&out, RPC_FRAME_OCTETS_MAX);
	buf_init(&again, RPC_FRAME_OCTETS_MAX);
	if (wire_call_read(arena, &in, &call, &args) != OK)
		goto out;
	must(wire_call_write(call, &args, &out) == OK);
	in = buf_peek(&out);
	if (wire_call_read(arena, &in, &call, &args) != OK)
		goto out; /* the arena is full */
	must(in.octets == 0);
	must(wire_call_write(call, &args, &again) == OK);
	must(bytes_equal(buf_peek(&out), buf_peek(&again)));
	(void)wire_answer_write(call, &args, CKR_OK, &out);
out:
	buf_clear(&out);
	buf_clear(&again);
}

/* An application that has room of each kind, none of it much. */
static void
read_answer(struct bytes in)
{
	union call_args args;
	CK_ATTRIBUTE nested[2], at[4];
	CK_ULONG count[CALL_ARGS_MAX];
	struct bytes head;
	enum call_id call;
	uint8_t *room[8];
	size_t k;
	CK_RV rv;

	if (bytes_split(&in, 1, &head) != OK)
		return;
	call = (enum call_id)(head.at[0] % CALL_COUNT);
	memset(&args, 0, sizeof(args));
	/* of their own, so that one step beyond is seen */
	for (k = 0; k < sizeof(room) / sizeof(room[0]); k++) {
		room[k] = malloc(16);
		must(room[k] != NULL);
	}
	nested[0] = (CK_ATTRIBUTE){0, room[6], 16};
	nested[1] = (CK_ATTRIBUTE){0, NULL, 0};
	at[0] = (CK_ATTRIBUTE){CKA_CLASS, room[0], 8};
	at[1] = (CK_ATTRIBUTE){CKA_LABEL, room[1], 16};
	at[2] = (CK_ATTRIBUTE){CKA_ALLOWED_MECHANISMS, room[2], 16};
	at[3] = (CK_ATTRIBUTE){CKA_WRAP_TEMPLATE, nested, sizeof(nested)};
	for (k = 0; calls[call].kinds[k] != CALL_END; k++) {
		enum call_kind kind = calls[call].kinds[k];
		static CK_TOKEN_INFO info;

		count[k] = kind == CALL_OCTETS_OUT ? 16 : 2;
		args.arg[k] = (struct call_arg){room[k], count[k], &count[k]};
		if (kind == CALL_TEMPLATE_OUT)
			args.arg[k] = (struct call_arg){at, 4, NULL};
		if (kind == CALL_SLOT_INFO || kind == CALL_TOKEN_INFO ||
		    kind == CALL_SESSION_INFO || kind == CALL_MECHANISM_INFO)
			args.arg[k].at = &info;
	}
	(void)wire_answer_read(&in, call, &args, &rv);
	for (k = 0; k < sizeof(room) / sizeof(room[0]); k++)
		free(room[k]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static struct arena *arena;
	struct bytes in = {data, octets};
	struct wire_hello hello;
	struct bytes body;

	if (arena == NULL)
		must(arena_new(ARENA_OCTETS, &arena) == OK);
	if (octets >= WIRE_HELLO_OCTETS)
		(void)wire_hello_read(data, &hello);
	(void)wire_frame_peek(in, &body);
	read_call(arena, in);
	arena_reset(arena);
	read_answer(in);
	return 0;
}
