#include "device/clock.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets);

/*
 * A zone, a line feed, a time. A zone that is one can be read; a time in it is
 * told as it was typed, or was no time.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets)
{
	const uint8_t *end = memchr(at, '\n', octets);
	char zone[CLOCK_ZONE_OCTETS] = "Europe/Berlin";
	char why[CLOCK_WHY_OCTETS] = "";
	struct bytes text = {at, octets};
	int64_t wall_s;

	if (end != NULL) {
		struct bytes name = {at, (size_t)(end - at)};

		text = (struct bytes){end + 1, octets - name.octets - 1};
		if (clock_check_zone(name, zone, why) != OK && *why == '\0')
			__builtin_trap(); /* refused without a word */
		if (*why != '\0')
			return 0;
	}
	if (clock_read_in(zone, text, &wall_s) == OK &&
	    (text.octets != CLOCK_TEXT_OCTETS - 1 ||
		wall_s < -INT64_C(62200000000) ||
		wall_s > INT64_C(253500000000)))
		__builtin_trap(); /* a time of no year from 0 to 9999 */
	return 0;
}
