#include "net/echo_port.h"

#include "wire/ttlv.h"

static enum err
opened(void *ctx, struct conn *conn, void **state)
{
	(void)ctx;
	(void)conn;
	*state = NULL;
	return OK;
}

static void
closed(void *ctx, void *state)
{
	(void)ctx;
	(void)state;
}

static void
message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	(void)ctx;
	(void)state;
	conn_answer(conn, number, octets);
}

const struct protocol echo_protocol = {
    .name = "echo",
    .frame = ttlv_message_octets,
    .opened = opened,
    .message = message,
    .closed = closed,
};
