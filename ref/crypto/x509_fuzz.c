#include <stdlib.h>

#include "crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x509_facts facts;
	struct arena *a;

	if (arena_new(1 << 20, &a) != OK)
		abort();
	if (x509_read(a, (struct bytes){data, size}, &facts) == OK &&
	    facts.subject.der.octets == 0)
		abort();
	arena_free(a);
	return 0;
}
