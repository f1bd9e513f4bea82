/* Any octets as a record's value; what can be read is written back alike. */
#include "device/fields.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct field field;
	struct bytes found;
	struct buf again;
	char name[256];
	int64_t number = 0;
	bool whole;

	buf_init(&again, octets);
	while (fields_next(&in, &field) == OK) {
		memcpy(name, field.name.at, field.name.octets);
		name[field.name.octets] = '\0';
		if (fields_put(&again, name, field.value) != OK)
			__builtin_trap();
		(void)fields_number(
		    (struct bytes){data, octets}, name, &number);
	}
	if (again.octets + in.octets != octets ||
	    (again.octets != 0 && memcmp(again.at, data, again.octets) != 0))
		__builtin_trap();
	whole = in.octets == 0;
	/* damage is seen wherever it is */
	if ((fields_find((struct bytes){data, octets}, "", &found) ==
		ERR_NOT_FOUND) != whole)
		__builtin_trap();
	buf_clear(&again);
	return 0;
}
