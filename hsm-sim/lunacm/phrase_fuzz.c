/* Any line; what was read of it lies within it. */
#include "lunacm/phrase.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct phrase phrase;
	size_t k;

	if (phrase_read((struct bytes){data, octets}, &phrase) != OK)
		return 0;
	for (k = 0; k < PHRASE_OPTIONS_MAX; k++) {
		struct bytes v = phrase.value[k];

		if (v.octets != 0 &&
		    (phrase.command == NULL || v.at < phrase.text ||
			v.at + v.octets > phrase.text + PHRASE_OCTETS ||
			!bytes_is_utf8(v)))
			__builtin_trap();
	}
	(void)luna_role_find(phrase.value[0]);
	return 0;
}
