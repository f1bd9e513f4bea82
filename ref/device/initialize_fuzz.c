/* Any octets as an answer file. What is taken is taken again, alike. */
#include "device/initialize.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct initialization *init = NULL;
	char why[CHANGE_WHY_OCTETS] = "";
	enum answer which;
	enum err rc;

	/* no appliance is asked before it is run */
	if (initialization_new(NULL, &init) != OK)
		return 0;
	rc = initialization_read(init, (struct bytes){data, octets}, why);
	if (rc != OK && rc != ERR_NOMEM && *why == '\0')
		__builtin_trap();
	for (which = 0; rc == OK && which < ANSWER_COUNT; which++) {
		const char *shown = initialization_shown(init, which);

		if (answer_is_there(which) && shown != NULL &&
		    initialization_set(
			init, which, bytes_of_text(shown), why) != OK)
			__builtin_trap();
	}
	initialization_free(init);
	return 0;
}
