#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct clock_file some = {
    .magic = CLOCK_MAGIC, .elapsed_ms = 1999, .wall_offset_ms = 5000};

/* A file with these octets; its name is the caller's to free. */
static char *
file_of(const void *at, size_t octets)
{
	char *path = strdup("/tmp/touchstone-clock.XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, at, octets), octets);
	close(fd);
	return path;
}

static void
a_laboratory_has_its_own_time(void **state)
{
	const struct clock_file *clock;
	struct clock_file later = some;
	char *path = file_of(&some, sizeof(some));
	struct fault f = {""};
	FILE *to;

	(void)state;
	assert_int_equal(clock_open(path, &clock, &f), OK);
	assert_int_equal(clock_now(clock), 6);
	later.elapsed_ms += 3600 * 1000;
	to = fopen(path, "r+");
	assert_non_null(to);
	assert_int_equal(fwrite(&later, sizeof(later), 1, to), 1);
	fclose(to);
	assert_int_equal(clock_now(clock), 3606);
	clock_close(clock);
	unlink(path);
	free(path);
}

static void
everybody_else_has_the_machines(void **state)
{
	const struct clock_file *clock = &some;
	struct fault f = {""};
	time_t before = time(NULL);
	int64_t now;

	(void)state;
	assert_int_equal(clock_open(NULL, &clock, &f), OK);
	assert_null(clock);
	now = clock_now(clock);
	assert_true(before <= now && now <= time(NULL));
	clock_close(clock);
}

static void
what_is_no_clock_is_refused(void **state)
{
	const struct clock_file *clock;
	struct clock_file other = some;
	struct fault f = {""};
	char *path;

	(void)state;
	other.magic[7] = '2';
	path = file_of(&other, sizeof(other));
	assert_int_equal(clock_open(path, &clock, &f), ERR_SYNTAX);
	assert_null(clock);
	assert_non_null(strstr(f.text, path));
	assert_int_equal(truncate(path, sizeof(other) - 1), 0);
	assert_int_equal(clock_open(path, &clock, &f), ERR_SYNTAX);
	unlink(path);
	assert_int_equal(clock_open(path, &clock, &f), ERR_OPEN);
	assert_non_null(strstr(f.text, "No such file"));
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_laboratory_has_its_own_time),
	    cmocka_unit_test(everybody_else_has_the_machines),
	    cmocka_unit_test(what_is_no_clock_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
