/* A body, sealed as a card would: whatever is read is written as the same. */
#include <stdlib.h>
#include <string.h>

#include "card/state.h"

enum { HEAD_OCTETS = 16, BODY_MOST_OCTETS = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
file_make(struct bytes body, struct buf *file)
{
	uint8_t head[HEAD_OCTETS] = "TSCARD1\n\0\1\0\1";
	uint8_t check[SEAL_CHECK_OCTETS];

	bytes_put_u32(head + 12, (uint32_t)body.octets);
	if (buf_put(file, (struct bytes){head, sizeof(head)}) != OK ||
	    buf_put(file, body) != OK ||
	    seal_check(buf_peek(file), check) != OK ||
	    buf_put(file, (struct bytes){check, sizeof(check)}) != OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static struct state state, again;
	struct buf file, copy;

	if (octets > BODY_MOST_OCTETS)
		return 0;
	buf_init(&file, 2 * BODY_MOST_OCTETS);
	buf_init(&copy, 2 * BODY_MOST_OCTETS);
	file_make((struct bytes){data, octets}, &file);
	if (state_read(buf_peek(&file), &state) == OK &&
	    (state_write(&state, &copy) != OK ||
		!bytes_equal(buf_peek(&file), buf_peek(&copy)) ||
		state_read(buf_peek(&copy), &again) != OK))
		abort();
	/* And as a file by itself, which is hardly ever whole. */
	(void)!state_read((struct bytes){data, octets}, &state);
	buf_clear(&file);
	buf_clear(&copy);
	return 0;
}
