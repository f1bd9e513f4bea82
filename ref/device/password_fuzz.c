/* Any octets as the line of a password; one that is valid is text, and has
 * parts of their only lengths. */
#include "device/password.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct password_hash hash = {.line = ""};
	const char *salt, *sum;

	memcpy(hash.line, data,
	    octets < sizeof(hash.line) ? octets : sizeof(hash.line));
	if (!password_hash_is_valid(&hash))
		return 0;
	salt = strchr(hash.line, '$');
	salt = salt != NULL ? strchr(salt + 1, '$') : NULL;
	sum = salt != NULL ? strchr(salt + 1, '$') : NULL;
	if (sum == NULL || sum - salt != 1 + 24 || strlen(sum) != 1 + 44)
		__builtin_trap();
	return 0;
}
