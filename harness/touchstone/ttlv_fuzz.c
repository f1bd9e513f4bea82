/* Whatever decodes encodes to itself, and no schema trips over it. */
#include "check.h"
#include "schema.h"
#include "show.h"
#include "ttlv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = arena_new();
	struct buf back = {0}, text = {0};
	struct finding f;
	struct node *n;

	if (ttlv_decode(a, (struct bytes){data, octets}, &n, &f) == OK) {
		for (int i = 0; i < VERSIONS; i++)
			(void)!check_tree(n, version_at(i), &f);
		show_xml(n, 0, 0, &text);
		ttlv_encode(n, &back);
		if (back.octets != octets || memcmp(back.at, data, octets) != 0)
			abort();
	}
	buf_clear(&back);
	buf_clear(&text);
	arena_free(a);
	return 0;
}
