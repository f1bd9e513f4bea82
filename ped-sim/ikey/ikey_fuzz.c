/*
 * Whatever is read as an iKey is written as the same octets. Since nothing that
 * a fuzzer makes has a right MAC, the input's fields get one.
 */
#include <stdlib.h>
#include <string.h>

#include "ikey/crypt.h"
#include "ikey/ikey.h"

enum { MAC_AT = IKEY_OCTETS - CRYPT_MAC_OCTETS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	uint8_t in[IKEY_OCTETS];
	uint8_t out[IKEY_OCTETS];
	struct ikey key;

	if (ikey_read((struct bytes){data, octets}, &key) == OK &&
	    octets != IKEY_OCTETS)
		abort();
	if (octets < MAC_AT)
		return 0;
	memcpy(in, data, MAC_AT);
	if (crypt_hmac(bytes_of_text(IKEY_PRODUCT_KEY),
		(struct bytes){in, MAC_AT}, in + MAC_AT) != OK)
		abort();
	if (ikey_read((struct bytes){in, sizeof(in)}, &key) == OK &&
	    (ikey_write(&key, out) != OK || memcmp(in, out, sizeof(in)) != 0))
		abort();
	return 0;
}
