/* Any answer; what was read of it lies within it. */
#include "lunacm/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static bool
lies_in(const struct reply *reply, struct bytes b)
{
	return b.octets <= REPLY_OCTETS && b.at >= reply->text &&
	       b.at + b.octets <= reply->text + REPLY_OCTETS &&
	       bytes_is_utf8(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct reply reply;
	uint64_t number;
	size_t k;

	if (reply_read((struct bytes){data, octets}, &reply) != OK)
		return 0;
	for (k = 0; k < reply.fields; k++) {
		if (!lies_in(&reply, reply.field[k].name) ||
		    !lies_in(&reply, reply.field[k].value))
			__builtin_trap();
	}
	if (reply.kind != REPLY_OK && !lies_in(&reply, reply.said))
		__builtin_trap();
	if (reply_number(&reply, "n", &number) == ERR_MISSING &&
	    reply.kind == REPLY_OK && reply.fields == 1 &&
	    bytes_equal_text(reply.field[0].name, "n"))
		__builtin_trap();
	return 0;
}
