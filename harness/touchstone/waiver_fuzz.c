/* Whatever is read as waivers judges any test, and breaks nothing. */
#include "waiver.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	int fd = memfd_create("waivers", MFD_CLOEXEC);
	const struct waiver_note *note;
	struct waivers *ws;
	struct fault f;
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (write(fd, data, octets) != (ssize_t)octets ||
	    waivers_new(&ws) != OK)
		abort();
	if (waivers_read(ws, path, &f) == OK) {
		const struct waiver *w = waivers_at(ws, 0);
		struct difference d = {.path = "p"};

		if (w != NULL) {
			d.path = w->path;
			d.expected = w->expected;
			d.got = w->got;
		}
		if (waiver_judge(ws, "A", VERDICT_FAIL, &d, 0, &note, &f) ==
			VERDICT_WAIVED &&
		    waiver_find(ws, "A") == NULL)
			abort();
	}
	waivers_free(ws);
	close(fd);
	return 0;
}
