/*
 * A copy of the store is one moment of it, whatever is written meanwhile.
 */
#include <pthread.h>
#include <sys/stat.h>

#include "store/record.h"
#include "store/rig_test.h"

enum { COPIES = 10, PAIRS_MEANWHILE = 60, SPAN_OCTETS = 3000 };

static char copy_dir[300];

/* Two records that are one change: a moment has both or none. */
static void
put_pair(struct rig *rig, unsigned n)
{
	uint8_t value[SPAN_OCTETS];
	char key[16];

	memset(value, (int)n, sizeof(value));
	(void)snprintf(key, sizeof(key), "%u", n % 100);
	assert_ok(record_put(rig->st, "left", bytes_of_text(key),
	    (struct bytes){value, sizeof(value)}));
	assert_ok(store_insert(
	    rig->st, object_of(rig, "alice", OBJECT_TYPE_TEMPLATE)));
	(void)snprintf((char *)value, sizeof(value), "%u", n);
	assert_ok(record_put(rig->st, "last", bytes_of_text("n"),
	    (struct bytes){value, strlen((char *)value)}));
	assert_ok(store_commit(rig->st));
	store_idle(rig->st);
}

struct seen {
	unsigned last;
	uint64_t objects;
};

static struct seen
look(struct rig *rig)
{
	struct store_options options = {.copy = true};
	struct store_stats stats;
	struct seen seen;
	struct store *copy;
	struct buf value;

	buf_init(&value, 100);
	assert_ok(store_open(copy_dir, rig->env, &options, &copy));
	assert_ok(store_check(copy));
	assert_ok(store_stats(copy, &stats));
	assert_ok(record_get(copy, "last", bytes_of_text("n"), &value));
	assert_ok(buf_put(&value, (struct bytes){(const uint8_t *)"", 1}));
	seen.last = (unsigned)strtoul((char *)value.at, NULL, 10);
	seen.objects = stats.objects;
	buf_clear(&value);
	store_close(copy);
	assert_ok(store_erase(copy_dir));
	return seen;
}

static void *
work(void *ctx)
{
	store_copy_work(ctx);
	return NULL;
}

static void
test_a_copy_is_one_moment(void **state)
{
	struct rig *rig = *state;
	unsigned n = 0;
	unsigned k;

	rig->options.log_pages = 1; /* checkpoints whenever there may be one */
	rig_open(rig);
	(void)snprintf(copy_dir, sizeof(copy_dir), "%s/copy", rig->dir);
	assert_int_equal(mkdir(copy_dir, 0700), 0);
	put_pair(rig, ++n);
	for (k = 0; k < ROUNDS(COPIES); k++) {
		struct store_copy *copy;
		struct seen seen;
		unsigned before = n;
		unsigned more = (unsigned)ROUNDS(PAIRS_MEANWHILE);
		pthread_t thread;

		assert_ok(store_copy_new(rig->st, copy_dir, &copy));
		assert_int_equal(pthread_create(&thread, NULL, work, copy), 0);
		while (more-- > 0)
			put_pair(rig, ++n);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_ok(store_copy_end(copy));
		seen = look(rig);
		assert_in_range(seen.last, before, n);
		assert_int_equal(seen.objects, seen.last);
		put_pair(rig, ++n); /* the checkpoint that was held off */
	}
	assert_int_equal(rmdir(copy_dir), 0);
}

static void
test_the_log_waits_for_a_copy(void **state)
{
	struct rig *rig = *state;
	struct store_stats before;
	struct store_stats after;
	struct store_copy *copy;

	rig->options.log_pages = 1;
	rig_open(rig);
	(void)snprintf(copy_dir, sizeof(copy_dir), "%s/copy", rig->dir);
	assert_int_equal(mkdir(copy_dir, 0700), 0);
	put_pair(rig, 1);
	assert_ok(store_stats(rig->st, &before));
	assert_ok(store_copy_new(rig->st, copy_dir, &copy));
	put_pair(rig, 2);
	assert_ok(store_stats(rig->st, &after));
	assert_int_equal(after.checkpoints, before.checkpoints);
	store_copy_work(copy);
	assert_ok(store_copy_end(copy));
	assert_int_equal(look(rig).last, 2);
	put_pair(rig, 3);
	assert_ok(store_stats(rig->st, &after));
	assert_int_equal(after.checkpoints, before.checkpoints + 1);
	assert_int_equal(rmdir(copy_dir), 0);
}

static void
test_a_copy_that_cannot_be_made_says_so(void **state)
{
	struct rig *rig = *state;
	struct store_copy *copy;

	assert_ok(store_copy_new(rig->st, "/nowhere/at/all", &copy));
	store_copy_work(copy);
	assert_err(store_copy_end(copy), ERR_SYSTEM);
	/* nobody did the work: it is no copy */
	assert_ok(store_copy_new(rig->st, rig->dir, &copy));
	assert_err(store_copy_end(copy), ERR_CLOSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST_CLOSED(test_a_copy_is_one_moment),
	    STORE_TEST_CLOSED(test_the_log_waits_for_a_copy),
	    STORE_TEST(test_a_copy_that_cannot_be_made_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
