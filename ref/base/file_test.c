#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SMALL_OCTETS = 1000, LARGE_OCTETS = 5000 };

static uint8_t sent[LARGE_OCTETS];
static uint8_t got[LARGE_OCTETS];

static int
file_new(void)
{
	int fd = memfd_create("file_test", MFD_CLOEXEC);
	size_t k;

	assert_true(fd >= 0);
	for (k = 0; k < sizeof(sent); k++)
		sent[k] = (uint8_t)(k % 251);
	memset(got, 0, sizeof(got));
	return fd;
}

static void
what_is_written_is_read(void **state)
{
	int fd = file_new();

	(void)state;
	assert_int_equal(file_write(fd, (struct bytes){sent, 100}), OK);
	assert_int_equal(file_write(fd, (struct bytes){sent + 100, 200}), OK);
	assert_int_equal(
	    file_write_at(fd, (struct bytes){sent + 300, 700}, 300), OK);
	assert_int_equal(file_read_at(fd, got, SMALL_OCTETS, 0), OK);
	assert_memory_equal(got, sent, SMALL_OCTETS);
	assert_int_equal(file_read_at(fd, got, 10, 990), OK);
	assert_memory_equal(got, sent + 990, 10);
	assert_int_equal(file_read_at(fd, got, 11, 990), ERR_TRUNCATED);
	assert_int_equal(file_read_at(fd, got, 0, 5000), OK);
	assert_int_equal(close(fd), 0);
}

/* The first call that is too long for the file writes what still fits. */
static void
a_part_is_no_success(void **state)
{
	struct rlimit limit = {SMALL_OCTETS, RLIM_INFINITY};
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	int fd = file_new();

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &none), 0);
	limit.rlim_max = none.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(
	    file_write(fd, (struct bytes){sent, LARGE_OCTETS}), ERR_SYSTEM);
	assert_int_equal(
	    file_write_at(fd, (struct bytes){sent, LARGE_OCTETS}, 1),
	    ERR_SYSTEM);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), SMALL_OCTETS);
	assert_int_equal(close(fd), 0);
	assert_int_equal(file_write(fd, (struct bytes){sent, 1}), ERR_SYSTEM);
	assert_int_equal(file_read_at(fd, got, 1, 0), ERR_SYSTEM);
}

static void
a_full_disk_is_told_apart(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(
	    file_write(fd, (struct bytes){sent, 1}), ERR_DISK_FULL);
	assert_int_equal(close(fd), 0);
}

/* It can be written and read, and nothing is left of it. */
static void
a_nameless_file_is_in_no_folder(void **state)
{
	char folder[] = "/tmp/file_test.XXXXXX";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(file_nameless(folder, &fd), OK);
	assert_int_equal(file_write_at(fd, (struct bytes){sent, 100}, 0), OK);
	assert_int_equal(file_read_at(fd, got, 100, 0), OK);
	assert_int_equal(rmdir(folder), 0); /* it was empty */
	assert_int_equal(close(fd), 0);
	assert_int_equal(file_nameless(folder, &fd), ERR_SYSTEM);
	assert_int_equal(fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(a_part_is_no_success),
	    cmocka_unit_test(a_full_disk_is_told_apart),
	    cmocka_unit_test(a_nameless_file_is_in_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
