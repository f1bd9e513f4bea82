#include <stdlib.h>

#include "crypto/bundle.h"
#include "crypto/ossl.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return ossl_init() == OK ? 0 : -1;
}

/* Without a password nothing is stretched. What is read is whole. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = {data, size};
	struct bundle bundle;
	const char *why;
	enum err rc = bundle_read(text, BYTES_NONE, &bundle, &why);

	if (rc == ERR_FIELD && why == NULL)
		abort();
	if (rc == OK &&
	    (bundle.key == NULL || bundle.count == 0 ||
		bundle.certificate[0].octets == 0 || !bundle_is(text)))
		abort();
	bundle_clear(&bundle);
	return 0;
}
