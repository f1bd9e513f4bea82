#include "net/kmip_port.h"

#include "base/mem.h"
#include "kmip/kmip.h"
#include "wire/ttlv.h"

static enum err
frame(void *state, struct bytes in, size_t *octets)
{
	(void)state;
	return ttlv_message_octets(in, octets);
}

static enum err
opened(void *ctx, struct conn *conn, void **state)
{
	struct key_guest *guest = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(guest));
	TRY(key_gate_enter(ctx, conn, guest));
	*state = guest;
	guest = NULL;
out:
	mem_free(guest);
	return rc;
}

static void
closed(void *ctx, void *state)
{
	(void)ctx;
	key_guest_clear(state);
	mem_free(state);
}

/* No octets: there was no memory for an answer, so nothing can be promised. */
static void
answer(void *ctx, uint64_t number, struct bytes octets)
{
	struct conn *conn = ctx;

	if (octets.octets == 0)
		conn_finish(conn);
	conn_answer(conn, number, octets);
}

/* req: VLT-029 */
static void
message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	const struct key_gate *gate = ctx;
	const struct key_guest *guest = state;

	kmip_message(gate->engine, &guest->door, octets, answer, conn, number);
}

/* req: KS-01-003 KS-03-085 */
const struct protocol kmip_protocol = {
    .name = "kmip",
    .expects = key_gate_expects,
    .frame = frame,
    .opened = opened,
    .message = message,
    .closed = closed,
};
