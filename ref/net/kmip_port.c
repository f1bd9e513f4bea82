#include "net/kmip_port.h"

#include "kmip/kmip.h"
#include "wire/ttlv.h"

/* No octets: there was no memory for an answer, so nothing can be promised. */
static void
answer(void *ctx, uint64_t number, struct bytes octets)
{
	struct conn *conn = ctx;

	if (octets.octets == 0)
		conn_finish(conn);
	conn_answer(conn, number, octets);
}

static enum err
frame(void *state, struct bytes in, size_t *octets)
{
	(void)state;
	return ttlv_message_octets(in, octets);
}

/* Whoever has no name of its own would own nothing. */
static enum err
opened(void *ctx, struct conn *conn, void **state)
{
	(void)ctx;
	*state = NULL;
	return conn_peer(conn)->name.octets != 0 ? OK : ERR_AUTHENTICATION;
}

/* req: VLT-029 */
static void
message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	(void)state;
	kmip_message(ctx, conn_peer(conn)->name, octets, answer, conn, number);
}

/* req: KS-01-003 KS-03-085 */
const struct protocol kmip_protocol = {
    .name = "kmip",
    .frame = frame,
    .opened = opened,
    .message = message,
};
