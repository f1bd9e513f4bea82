#include "device/restore_files.h"

#include <sys/stat.h>

#include "device/backup.h"
#include "device/rig_test.h"

enum { PIECE_OCTETS = 1024 * 1024 };

static struct bench bench;
static char dir[300];

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	(void)snprintf(dir, sizeof(dir), "%s/backup", bench.dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	bench.appliance.backup_dir = dir;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bench_remove(&bench);
	return 0;
}

/* req: KS-23-077 */
static void
test_an_upload_of_more_than_100_mb_is_refused(void **state)
{
	static const uint8_t piece[PIECE_OCTETS];
	struct restore_files *files;
	unsigned k;

	(void)state;
	assert_ok(restore_files_new(&bench.appliance, &files));
	for (k = 0; k < 100; k++)
		assert_ok(restore_files_add(
		    files, (struct bytes){piece, sizeof(piece)}));
	assert_err(
	    restore_files_add(files, (struct bytes){piece, 1}), ERR_LIMIT);
	restore_files_free(files);
}

static void
test_what_is_no_backup_is_refused(void **state)
{
	struct restore_files *files;

	(void)state;
	assert_ok(restore_files_new(&bench.appliance, &files));
	assert_ok(restore_files_add(files, bytes_of_text("no backup at all")));
	assert_err(restore_files_end(files), ERR_VALUE);
	restore_files_free(files);
	bench.appliance.backup_dir = NULL;
	assert_err(restore_files_new(&bench.appliance, &files), ERR_FEATURE);
	assert_ok(restore_files_tidy(&bench.appliance));
	bench.appliance.backup_dir = dir;
}

/* Nothing of them stays, whether they were given back or left behind. */
static void
test_files_go(void **state)
{
	struct restore_files *files;
	char folder[400], own[400];
	mode_t umask_was;
	struct stat st;

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/.incoming", dir);
	umask_was = umask(0);
	assert_ok(restore_files_new(&bench.appliance, &files));
	(void)umask(umask_was);
	(void)snprintf(own, sizeof(own), "%s", restore_files_dir(files));
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	restore_files_free(files);
	assert_int_not_equal(stat(own, &st), 0);
	assert_int_equal(mkdir(own, 0700), 0);
	assert_ok(restore_files_tidy(&bench.appliance));
	assert_int_not_equal(stat(folder, &st), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_upload_of_more_than_100_mb_is_refused),
	    cmocka_unit_test(test_what_is_no_backup_is_refused),
	    cmocka_unit_test(test_files_go),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
