/*
 * Whatever is parsed is written as the same octets, and can be printed; the
 * arena's cap holds.
 */
#include <stdlib.h>

#include "wire/item.h"
#include "wire/ttlv.h"

enum { ARENA_OCTETS = 1 << 20, PRINT_OCTETS = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct arena *a = NULL;
	struct item *item;
	struct item *copy;
	struct buf out;

	buf_init(&out, PRINT_OCTETS);
	if (arena_new(ARENA_OCTETS, &a) != OK)
		return 0;
	if (ttlv_parse(a, in, &item) == OK) {
		if (ttlv_octets(item) != octets ||
		    ttlv_write(item, &out) != OK ||
		    !bytes_equal(buf_peek(&out), in))
			abort();
		if (item_copy(a, item, &copy) == OK && !item_equal(item, copy))
			abort();
		buf_reset(&out);
		if (item_print(item, &out) != OK)
			abort();
	}
	if (arena_octets(a) > ARENA_OCTETS)
		abort();
	buf_clear(&out);
	arena_free(a);
	return 0;
}
