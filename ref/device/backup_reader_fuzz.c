/*
 * Backup files: what anybody may bring. The first octet says which part of the
 * reader gets the rest: a header; rows, as who knows the password could write
 * them; or a whole file. vectors/README.md says where its first inputs are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/ossl.h"
#include "device/backup_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets);

static const char *
dir_once(void)
{
	static char dir[] = "/tmp/backup_fuzz.XXXXXX";
	static bool made;

	if (!made && (ossl_init() != OK || mkdtemp(dir) == NULL))
		abort();
	made = true;
	return dir;
}

static void
header(struct bytes in)
{
	struct backup_header out;
	size_t octets;

	if (backup_header_read(in, &out, &octets) == OK && octets > in.octets)
		abort();
}

static void
rows(struct bytes in)
{
	struct backup_row row;
	struct object *o;
	bool sealed;

	if (backup_row_read(in, &row) != OK ||
	    !bytes_equal_text(row.kind, BACKUP_KIND_OBJECT))
		return;
	if (backup_object_read(&row, &o, &sealed) == OK)
		object_free(o);
}

/* Never one that is whole: its keys are derived in no time, though. */
static void
file(struct bytes in)
{
	const char *dir = dir_once();
	struct backup_header said;
	struct backup_reader *r;
	char why[BACKUP_WHY_OCTETS];
	char path[256];
	int fd;

	if (backup_header_read(in, &said, NULL) == OK && said.iterations > 10)
		return;
	(void)snprintf(path, sizeof(path), "%s/f_0_bkp", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, in.at, in.octets) != (ssize_t)in.octets)
		abort();
	(void)close(fd);
	if (backup_reader_open(dir, "f", bytes_of_text("p"), &r, why) == OK)
		backup_reader_close(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets)
{
	struct bytes in = {at, octets};
	struct bytes which;

	if (bytes_split(&in, 1, &which) != OK)
		return 0;
	switch (which.at[0] % 3) {
	case 0:
		header(in);
		break;
	case 1:
		rows(in);
		break;
	default:
		file(in);
		break;
	}
	return 0;
}
