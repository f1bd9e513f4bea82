/*
 * Any octets as a key in any format. What is read as a key must come out of
 * each format that can hold it, and be the same key when it is read again.
 */
#include "crypto/keyformat.h"

#include <stdlib.h>

#include "crypto/ossl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
same_when_read_again(uint32_t format, bool is_private,
    const struct keyparts *parts, struct arena *a)
{
	struct keyparts again;
	struct bytes first, second;
	struct fault f;

	if (keyformat_write(format, is_private, parts, a, &first, &f) != OK)
		return;
	must(keyformat_read(format, is_private, first, &again, &f) == OK);
	must(again.algorithm == parts->algorithm);
	must(again.key_bits == parts->key_bits);
	must(again.curve == parts->curve);
	must(keyformat_write(format, is_private, &again, a, &second, &f) == OK);
	must(bytes_equal(first, second));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static const uint32_t formats[] = {KEY_FORMAT_TYPE_PKCS_1,
	    KEY_FORMAT_TYPE_PKCS_8, KEY_FORMAT_TYPE_X_509,
	    KEY_FORMAT_TYPE_ECPRIVATEKEY};
	static struct arena *arena;
	struct keyparts parts;
	struct bytes in, head;
	struct fault f;
	bool is_private;
	size_t k;

	if (arena == NULL)
		must(ossl_init() == OK && arena_new(1 << 20, &arena) == OK);
	in = (struct bytes){data, octets};
	if (bytes_split(&in, 1, &head) != OK)
		return 0;
	is_private = (head.at[0] & 4) != 0;
	if (keyformat_read(
		formats[head.at[0] & 3], is_private, in, &parts, &f) == OK) {
		for (k = 0; k < 4; k++) {
			same_when_read_again(
			    formats[k], is_private, &parts, arena);
			same_when_read_again(formats[k], false, &parts, arena);
		}
	}
	arena_reset(arena);
	return 0;
}
