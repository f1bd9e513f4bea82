/*
 * What is read is written, and read again as the same: but for a text with a
 * character that XML cannot carry.
 */
#include <stdlib.h>

#include "wire/item.h"
#include "wire/xml.h"

enum { ARENA_OCTETS = 1 << 20, XML_OCTETS = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = NULL;
	struct arena *b = NULL;
	struct item *item;
	struct item *again;
	struct buf out;
	enum err rc;

	buf_init(&out, XML_OCTETS);
	if (arena_new(ARENA_OCTETS, &a) != OK ||
	    arena_new(2 * ARENA_OCTETS, &b) != OK)
		abort();
	if (xml_parse(a, (struct bytes){data, octets}, &item) == OK) {
		rc = xml_write(item, &out);
		if (rc != OK && rc != ERR_VALUE)
			abort();
		if (rc == OK && (xml_parse(b, buf_peek(&out), &again) != OK ||
				    !item_equal(item, again)))
			abort();
	}
	if (arena_octets(a) > ARENA_OCTETS)
		abort();
	buf_clear(&out);
	arena_free(a);
	arena_free(b);
	return 0;
}
