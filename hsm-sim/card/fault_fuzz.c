/* Any line is answered, or is none of ours. */
#include <stdlib.h>
#include <string.h>

#include "card/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct faults *faults;
	struct buf answer;
	char line[300];
	unsigned delay_ms;
	CK_RV rv;
	enum err rc;

	if (octets >= sizeof(line) || faults_new(&faults) != OK)
		return 0;
	memcpy(line, data, octets);
	line[octets] = '\0';
	buf_init(&answer, 65536);
	rc = faults_command(faults, line, &answer);
	if ((rc != OK && rc != ERR_NOT_FOUND) ||
	    (rc == OK) != (answer.octets != 0))
		abort();
	(void)faults_strike(faults, "C_GenerateKey", &rv, &delay_ms);
	buf_clear(&answer);
	faults_free(faults);
	return 0;
}
