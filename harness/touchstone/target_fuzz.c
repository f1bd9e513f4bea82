/* A target file is read or refused with a line number. */
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = arena_new();
	struct target t;
	struct fault f;

	(void)!target_parse(
	    a, "/nowhere/fuzz.conf", (struct bytes){data, octets}, &t, &f);
	arena_free(a);
	return 0;
}
