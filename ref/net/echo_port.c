#include "net/echo_port.h"

#include "wire/ttlv.h"

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
    .message = message,
};
