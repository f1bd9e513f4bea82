#include "base/erase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char secret[] = "a key that was sealed, and then was not";
static char dir[200];

static const char *
in_dir(const char *name)
{
	static char path[2][300];
	static unsigned turn;

	turn = 1 - turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static void
make_file(const char *name)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	assert_int_not_equal(fputs(secret, f), EOF);
	assert_int_equal(fclose(f), 0);
}

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(in_dir(name), &st) == 0;
}

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(
	    dir, sizeof(dir), "%s/erase.XXXXXX", tmp != NULL ? tmp : "/tmp");
	return mkdtemp(dir) == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	return erase_path(dir) != OK;
}

/* Seen by who still has it open: its name is gone, and so is what it said. */
static void
a_file_is_overwritten_before_it_is_removed(void **state)
{
	char seen[sizeof(secret)] = "";
	char zeros[sizeof(secret)] = "";
	int fd;

	(void)state;
	make_file("key");
	fd = open(in_dir("key"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(erase_in(dir, "key"), OK);
	assert_false(is_there("key"));
	assert_int_equal(read(fd, seen, sizeof(seen)), sizeof(secret) - 1);
	assert_memory_equal(seen, zeros, sizeof(seen));
	close(fd);
}

static void
a_folder_goes_with_all_that_is_in_it(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir("hsm"), 0700), 0);
	assert_int_equal(mkdir(in_dir("hsm/tokens"), 0700), 0);
	make_file("hsm/pin");
	make_file("hsm/tokens/object");
	make_file("beside");
	assert_int_equal(erase_path(in_dir("hsm")), OK);
	assert_false(is_there("hsm"));
	assert_true(is_there("beside"));
	assert_int_equal(erase_sync_dir(dir), OK);
}

/* What a link leads to is somebody else's. */
static void
links_are_removed_and_not_followed(void **state)
{
	char seen[sizeof(secret)] = "";
	int fd;

	(void)state;
	make_file("elsewhere");
	assert_int_equal(mkdir(in_dir("hsm"), 0700), 0);
	assert_int_equal(symlink(in_dir("elsewhere"), in_dir("hsm/link")), 0);
	assert_int_equal(erase_path(in_dir("hsm")), OK);
	fd = open(in_dir("elsewhere"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, seen, sizeof(seen)), sizeof(secret) - 1);
	assert_string_equal(seen, secret);
	close(fd);
}

static void
what_is_not_there_is_erased(void **state)
{
	(void)state;
	assert_int_equal(erase_path(in_dir("none")), OK);
	assert_int_equal(erase_sync_dir(in_dir("none")), ERR_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_is_overwritten_before_it_is_removed),
	    cmocka_unit_test(a_folder_goes_with_all_that_is_in_it),
	    cmocka_unit_test(links_are_removed_and_not_followed),
	    cmocka_unit_test(what_is_not_there_is_erased),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
