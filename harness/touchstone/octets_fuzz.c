/* A vector of octets is read or said to be none. */
#include "octets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = arena_new();
	struct octets_vector *v =
	    octets_parse(a, "fuzz", "f.ttlv", (struct bytes){data, octets});

	octets_judge(a, v->octets);
	arena_free(a);
	return 0;
}
