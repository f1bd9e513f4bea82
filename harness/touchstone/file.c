#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum err
file_read(const char *path, size_t max_octets, struct buf *out, struct fault *f)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *from = is_stdin ? stdin : fopen(path, "rb");
	size_t start = out->octets, count;
	enum err rc = OK;

	if (from == NULL)
		return fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno));
	do {
		count = fread(buf_reserve(out, 65536), 1, 65536, from);
		out->octets += count;
		if (out->octets - start > max_octets) {
			rc = fault_say(f, ERR_SIZE, "%s: more than %zu octets",
			    path, max_octets);
			goto out;
		}
	} while (count > 0);
	if (ferror(from))
		rc = fault_say(f, ERR_READ, "%s: %s", path, strerror(errno));
out:
	if (!is_stdin)
		fclose(from);
	return rc;
}
