#include "net/echo_port.h"

#include "wire/ttlv.h"

static enum err
frame(void *state, struct bytes in, size_t *octets)
{
	(void)state;
	return ttlv_message_octets(in, octets);
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
    .frame = frame,
    .message = message,
};
