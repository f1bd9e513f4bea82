/* Whatever is read as a record can be reported in every way. */
#include "report.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	int fd = memfd_create("results", MFD_CLOEXEC);
	FILE *nowhere = fopen("/dev/null", "we");
	struct results *r;
	struct fault f;
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (nowhere == NULL || write(fd, data, octets) != (ssize_t)octets)
		abort();
	if (results_read(path, &r, &f) == OK) {
		if (report_terminal(nowhere, r, true) != OK ||
		    report_tap(nowhere, r) != OK ||
		    report_junit(nowhere, r) != OK ||
		    report_html(nowhere, r) != OK)
			abort();
		results_free(r);
	}
	fclose(nowhere);
	close(fd);
	return 0;
}
