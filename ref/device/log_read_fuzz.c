/*
 * What people and files give to the readers of logs: a name finds a file if and
 * only if one is called so, and the last lines of any file are its last lines,
 * wherever blocks end.
 */
#include <fcntl.h>
#include <ftw.h>

#include "base/visit_test.h"
#include "device/appliance.h"
#include "device/log_folder.h"
#include "device/logs.h"

enum { FILES = 3, TEXT_OCTETS = 300 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static struct {
	struct rig rig;
	struct appliance appliance;
	char dir[64];
	char logs_dir[80];
	char path[256]; /* of the first archive */
	bool is_open;
} desk;

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
unmake(void)
{
	(void)nftw(desk.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
make(void)
{
	static const struct store_options options = {.lab = true};
	struct appliance *a = &desk.appliance;
	struct log_archive archive = {.kind = LOG_NAME_ARCHIVE, .serial = 1};
	struct logs_file file;
	char name[LOG_NAME_OCTETS];
	unsigned k;

	(void)snprintf(desk.dir, sizeof(desk.dir), "/dev/shm/logs.XXXXXX");
	visit_must(mkdtemp(desk.dir) != NULL);
	(void)atexit(unmake);
	(void)snprintf(
	    desk.logs_dir, sizeof(desk.logs_dir), "%s/logs", desk.dir);
	visit_must(rig_init(&desk.rig) == OK);
	a->env = desk.rig.env;
	a->loop = desk.rig.loop;
	a->logs_dir = desk.logs_dir;
	visit_must(
	    store_open(desk.dir, desk.rig.env, &options, &a->store) == OK);
	visit_must(settings_new(a->store, &a->settings) == OK);
	visit_must(clock_new(a->store, a->env, &a->clock) == OK);
	visit_must(logs_open(a) == OK);
	for (k = 0; k < FILES; k++)
		visit_must(logs_rotate(a, LOG_SYSTEM) == OK);
	visit_must(logs_find_serial(a, LOG_SYSTEM, 1, &file) == OK);
	(void)strcpy(archive.stamp, file.name);
	log_name_write(&archive, name);
	(void)snprintf(
	    desk.path, sizeof(desk.path), "%s/system/%s", desk.logs_dir, name);
	desk.is_open = true;
}

/* ---- names ---- */

static bool
is_called(struct bytes name, uint64_t serial)
{
	struct logs_file file;
	char number[16];

	visit_must(
	    logs_find_serial(&desk.appliance, LOG_SYSTEM, serial, &file) == OK);
	(void)snprintf(number, sizeof(number), "%u", file.number);
	return bytes_equal_text(name, file.name) ||
	       (serial != 0 && bytes_equal_text(name, number));
}

static void
find(struct bytes name)
{
	struct logs_file file;
	enum err rc = logs_find(&desk.appliance, LOG_SYSTEM, name, &file);
	uint64_t serial;
	unsigned called = 0;

	visit_must(rc == OK || rc == ERR_NOT_FOUND);
	for (serial = 0; serial <= FILES; serial++)
		called += is_called(name, serial);
	visit_must(called == (rc == OK));
	visit_must(rc != OK || is_called(name, file.serial));
}

/* ---- the last lines ---- */

static uint8_t text[TEXT_OCTETS]; /* the file */
static size_t text_octets;
static uint8_t told[TEXT_OCTETS]; /* without line feeds */
static size_t told_octets;

static enum err
tell(void *ctx, struct bytes line)
{
	(void)ctx;
	visit_must(told_octets + line.octets <= sizeof(told));
	visit_must(memchr(line.at, '\n', line.octets) == NULL);
	memcpy(told + told_octets, line.at, line.octets);
	told_octets += line.octets;
	return OK;
}

static void
write_file(struct bytes unit, size_t times)
{
	int fd;

	text_octets = 0;
	while (times-- != 0 && text_octets + unit.octets < sizeof(text)) {
		memcpy(text + text_octets, unit.at, unit.octets);
		text_octets += unit.octets;
	}
	text[text_octets++] = '\n';
	fd = open(desk.path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	visit_must(fd >= 0);
	visit_must(write(fd, text, text_octets) == (ssize_t)text_octets);
	(void)close(fd);
}

static void
read_last(size_t lines)
{
	size_t from = text_octets;
	size_t feeds = 0;
	size_t at = 0;

	while (from > 0 && (text[from - 1] != '\n' || ++feeds <= lines))
		from--;
	if (lines == 0)
		from = text_octets;
	told_octets = 0;
	visit_must(
	    logs_last(&desk.appliance, LOG_SYSTEM, 1, lines, tell, NULL) == OK);
	for (; from < text_octets; from++)
		if (text[from] != '\n')
			visit_must(
			    at < told_octets && told[at++] == text[from]);
	visit_must(at == told_octets);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	if (!desk.is_open)
		make();
	find((struct bytes){data, octets});
	if (octets < 4)
		return 0;
	write_file((struct bytes){data + 3, octets - 3},
	    (size_t)data[0] * data[1] + 1);
	read_last(data[2]);
	return 0;
}
