/* Any octets as an account's record; what can be read is written and read
 * again alike. */
#include "device/admin.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes name = bytes_of_text("a");
	struct admin admin, again;
	struct buf once, twice;

	if (admin_decode(name, (struct bytes){data, octets}, &admin) != OK)
		return 0;
	buf_init(&once, 1 << 20);
	buf_init(&twice, 1 << 20);
	if (admin_encode(&admin, &once) != OK ||
	    admin_decode(name, buf_peek(&once), &again) != OK ||
	    admin_encode(&again, &twice) != OK ||
	    !bytes_equal(buf_peek(&once), buf_peek(&twice)))
		__builtin_trap();
	admin_drop(&again);
	admin_drop(&admin);
	buf_clear(&twice);
	buf_clear(&once);
	return 0;
}
