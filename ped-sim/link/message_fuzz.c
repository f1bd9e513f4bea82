/* Whatever is read is written as the same octets. */
#include <stdlib.h>

#include "link/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct ped_message message;
	struct buf out;

	buf_init(&out, octets + 1);
	if (ped_message_read(in, &message) == OK &&
	    (ped_message_write(&message, &out) != OK ||
		!bytes_equal(buf_peek(&out), in)))
		abort();
	buf_clear(&out);
	return 0;
}
