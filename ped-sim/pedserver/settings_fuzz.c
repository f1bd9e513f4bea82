/* What is read is read the same once more when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "pedserver/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	char fault[SETTINGS_FAULT_OCTETS];
	struct settings first;
	struct settings second;
	struct buf text;

	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	buf_init(&text, SETTINGS_FILE_OCTETS);
	first.port = first.admin_port = first.idle_timeout_s = 1;
	if (settings_read(&first, (struct bytes){data, octets}, fault) == OK &&
	    settings_write(&first, &text) == OK &&
	    (settings_read(&second, buf_peek(&text), fault) != OK ||
		strcmp(first.hostname, second.hostname) != 0 ||
		strcmp(first.ip, second.ip) != 0 ||
		strcmp(first.usb, second.usb) != 0 ||
		strcmp(first.log, second.log) != 0 ||
		first.port != second.port ||
		first.admin_port != second.admin_port ||
		first.idle_timeout_s != second.idle_timeout_s ||
		first.external_server != second.external_server ||
		first.external_admin != second.external_admin))
		abort();
	buf_clear(&text);
	return 0;
}
