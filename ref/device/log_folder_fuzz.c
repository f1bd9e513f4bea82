#include "device/log_folder.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read as a name of a log's file is written as that name. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_archive archive;
	char name[LOG_NAME_OCTETS * 2];
	char again[LOG_NAME_OCTETS];

	if (size >= sizeof(name))
		return 0;
	memcpy(name, data, size);
	name[size] = '\0';
	log_name_read(name, &archive);
	if (archive.kind == LOG_NAME_OTHER)
		return 0;
	log_name_write(&archive, again);
	if (strcmp(name, again) != 0)
		__builtin_trap();
	return 0;
}
