#include "card/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "card/rig_test.h"

static char dir[256];
static int dir_fd;
static struct steps steps;

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(
	    dir, sizeof(dir), "%s/file.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(&steps, 0, sizeof(steps));
	return dir_fd < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(dir_fd);
	return nftw(dir, card_rig_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void
assert_content(const char *name, const char *want)
{
	struct buf file;

	buf_init(&file, 100);
	assert_int_equal(file_get(dir_fd, name, &file), OK);
	assert_true(bytes_equal_text(buf_peek(&file), want));
	buf_clear(&file);
}

static void
a_file_is_replaced_whole(void **state)
{
	struct buf file;
	struct stat st;

	(void)state;
	buf_init(&file, 8);
	assert_int_equal(file_get(dir_fd, "a", &file), ERR_NOT_FOUND);
	assert_int_equal(file_put(dir_fd, "a", TEXT("one"), &steps), OK);
	assert_int_equal(steps.passed, 6);
	assert_content("a", "one");
	assert_int_equal(
	    file_put(dir_fd, "a", TEXT("and another"), &steps), OK);
	assert_content("a", "and another");
	assert_int_equal(file_put(dir_fd, "a", BYTES_NONE, &steps), OK);
	assert_content("a", "");
	assert_int_equal(fstatat(dir_fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Too large for who asks. */
	assert_int_equal(file_put(dir_fd, "a", TEXT("123456789"), &steps), OK);
	assert_int_equal(file_get(dir_fd, "a", &file), ERR_LIMIT);
	buf_clear(&file);
}

/* At each step: what was there, or what is to be there. */
static void
a_cut_leaves_one_of_the_two(void **state)
{
	unsigned step;

	(void)state;
	assert_int_equal(file_put(dir_fd, "a", TEXT("before"), &steps), OK);
	for (step = 1; step <= 6; step++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			steps.left = step;
			(void)!file_put(dir_fd, "a", TEXT("after!"), &steps);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_content("a", step < 5 ? "before" : "after!");
		assert_int_equal(
		    file_put(dir_fd, "a", TEXT("before"), &steps), OK);
	}
}

static void
what_cannot_be_written_leaves_what_was_there(void **state)
{
	(void)state;
	assert_int_equal(
	    file_put(dir_fd, "no/such", TEXT("x"), &steps), ERR_SYSTEM);
	assert_int_equal(file_put(dir_fd, "a", TEXT("one"), &steps), OK);
	assert_int_equal(mkdirat(dir_fd, "a.new", 0700), 0);
	assert_int_equal(
	    file_put(dir_fd, "a", TEXT("two"), &steps), ERR_SYSTEM);
	assert_content("a", "one");
}

static void
a_folder_goes_with_its_files(void **state)
{
	int folder_fd;

	(void)state;
	assert_int_equal(mkdirat(dir_fd, "f", 0700), 0);
	folder_fd = openat(dir_fd, "f", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_put(folder_fd, "a", TEXT("1"), &steps), OK);
	assert_int_equal(file_put(folder_fd, "b", TEXT("2"), &steps), OK);
	assert_int_equal(file_sync_folder(folder_fd), OK);
	close(folder_fd);
	steps.passed = 0;
	assert_int_equal(file_remove_folder(dir_fd, "f", &steps), OK);
	assert_int_equal(steps.passed, 3);
	assert_int_not_equal(faccessat(dir_fd, "f", F_OK, 0), 0);
	assert_int_equal(file_remove_folder(dir_fd, "f", &steps), OK);
	/* One that has a folder in it is not of ours. */
	assert_int_equal(mkdirat(dir_fd, "g", 0700), 0);
	assert_int_equal(mkdirat(dir_fd, "g/h", 0700), 0);
	assert_int_equal(file_remove_folder(dir_fd, "g", &steps), ERR_SYSTEM);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(a_file_is_replaced_whole),
	    CASE(a_cut_leaves_one_of_the_two),
	    CASE(what_cannot_be_written_leaves_what_was_there),
	    CASE(a_folder_goes_with_its_files),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/file", tests, NULL, NULL);
}
