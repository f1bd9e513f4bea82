#include "store/record.h"
#include "store/rig_test.h"

/*
 * A child writes groups to a store until its power is cut; the parent opens
 * what is left, again and again. What the store holds after G groups follows
 * from G alone, so that any other content is a loss, or a half.
 *
 * Group g: three objects (g, 0) to (g, 2); (g - 1, 1) becomes Active; (g - 2,
 * 2) goes; the record "last" becomes g, and the log gets its line g.
 */
enum { OBJECTS = 3, WINDOW = 12 };

static struct bytes
id_of(char text[32], uint64_t g, unsigned k)
{
	(void)snprintf(text, 32, "%llu-%u", (unsigned long long)g, k);
	return bytes_of_text(text);
}

static enum err
add(struct store *st, struct env *env, uint64_t g, unsigned k)
{
	struct object *o = NULL;
	struct object *take;
	char text[32];
	enum err rc = OK;

	TRY(object_new(
	    env, OBJECT_TYPE_SYMMETRIC_KEY, bytes_of_text("alice"), &o));
	TRY(arena_copy(o->arena, id_of(text, g, k), &o->id));
	attr_find(&o->attrs, TAG_UNIQUE_IDENTIFIER)->value->octets = o->id;
	TRY(attr_add_octets(o->arena, &o->attrs, TAG_OBJECT_GROUP, o->id));
	TRY(object_set_value(o, o->id, true));
	take = o;
	o = NULL;
	TRY(store_insert(st, take));
out:
	object_free(o);
	return rc;
}

static enum err
activate(struct store *st, uint64_t g, unsigned k)
{
	const struct object *old;
	struct object *o = NULL;
	struct object *take;
	char text[32];
	enum err rc = OK;

	TRY(store_find(st, id_of(text, g, k), &old));
	TRY(object_clone(old, &o));
	TRY(object_set_state(o, STATE_ACTIVE, 1));
	take = o;
	o = NULL;
	TRY(store_update(st, take));
out:
	object_free(o);
	return rc;
}

static enum err
write_group(struct store *st, struct env *env, uint64_t g)
{
	char text[32];
	unsigned k;
	enum err rc = OK;

	for (k = 0; k < OBJECTS; k++)
		TRY(add(st, env, g, k));
	if (g >= 2)
		TRY(activate(st, g - 1, 1));
	if (g >= 3)
		TRY(store_delete(st, id_of(text, g - 2, 2)));
	TRY(store_meta_put(
	    st, "groups", (struct bytes){(const uint8_t *)&g, sizeof(g)}));
	TRY(record_put(
	    st, "power", bytes_of_text("last"), id_of(text, g, OBJECTS)));
	TRY(store_log_add(st, "audit", (int64_t)g, id_of(text, g, OBJECTS)));
	TRY(store_commit(st));
out:
	return rc;
}

static enum err
groups_in(struct store *st, uint64_t *groups)
{
	struct buf b;
	enum err rc = OK;

	*groups = 0;
	buf_init(&b, sizeof(*groups));
	rc = store_meta_get(st, "groups", &b);
	if (rc == OK)
		memcpy(groups, b.at, sizeof(*groups));
	if (rc == ERR_NOT_FOUND)
		rc = OK;
	buf_clear(&b);
	return rc;
}

/* What the child tells as it goes; outlives it. */
struct told {
	uint64_t groups; /* acknowledged */
	bool opened;
};

struct cut {
	bool lab;
	enum vfs_power how;
	uint64_t seed;
	unsigned nth; /* 0: the parent kills */
};

/* Ends by SIGKILL; any other end is a failure. */
static void
child_run(const struct rig *rig, const struct cut *cut, struct told *told,
    int tell_fd)
{
	/* a small log, so that checkpoints are cut, too */
	struct store_options options = {.lab = cut->lab, .log_pages = 40};
	struct store *st;
	uint64_t g;

	if (cut->nth != 0) {
		if (vfs_register() != OK)
			_exit(10);
		vfs_power_off(cut->how, cut->seed, cut->nth);
	}
	if (store_open(rig->dir, rig->env, &options, &st) != OK)
		_exit(11);
	told->opened = true;
	if (groups_in(st, &g) != OK)
		_exit(12);
	for (;;) {
		if (write_group(st, rig->env, ++g) != OK)
			_exit(13);
		told->groups = g;
		if (write(tell_fd, "+", 1) != 1)
			_exit(14);
		store_idle(st);
	}
}

static void
child_watch(pid_t child, int told_fd, unsigned kill_after)
{
	char c;
	unsigned groups = 0;

	/* to the end of file where the child dies by itself */
	while ((kill_after == 0 || groups < kill_after) &&
	       read(told_fd, &c, 1) == 1)
		groups++;
	if (kill_after != 0)
		(void)kill(child, SIGKILL);
	assert_true(child_was_killed(child, "the writer"));
}

static void
assert_object(struct rig *rig, uint64_t g, unsigned k, uint64_t groups)
{
	const struct object *o;
	char text[32];
	struct bytes id = id_of(text, g, k);

	if (k == 2 && g + 2 <= groups) {
		assert_not_there(rig, id);
		return;
	}
	assert_ok(store_find(rig->st, id, &o));
	assert_int_equal(object_state(o),
	    k == 1 && g + 1 <= groups ? STATE_ACTIVE : STATE_PRE_ACTIVE);
	assert_true(bytes_equal(o->value, id));
	assert_true(bytes_equal(attr_octets(&o->attrs, TAG_OBJECT_GROUP), id));
}

static enum err
assert_line(void *ctx, const struct store_log_line *line)
{
	char text[32];

	++*(uint64_t *)ctx;
	assert_int_equal(line->number, *(uint64_t *)ctx);
	assert_int_equal(line->wall_ms, line->number);
	assert_true(
	    bytes_equal(line->text, id_of(text, line->number, OBJECTS)));
	return OK;
}

/* Record and log tell of the same groups. */
static void
assert_record_and_log(struct rig *rig, uint64_t groups)
{
	struct buf b;
	char text[32];
	uint64_t lines = 0;

	assert_ok(
	    store_log_each(rig->st, "audit", 1, SIZE_MAX, assert_line, &lines));
	assert_int_equal(lines, groups);
	buf_init(&b, sizeof(text));
	assert_err(record_get(rig->st, "power", bytes_of_text("last"), &b),
	    groups != 0 ? OK : ERR_NOT_FOUND);
	if (groups != 0)
		assert_true(
		    bytes_equal(buf_peek(&b), id_of(text, groups, OBJECTS)));
	buf_clear(&b);
}

/* Sets *acknowledged to what is there, where the next child goes on. */
static void
assert_content(struct rig *rig, uint64_t *acknowledged)
{
	struct store_stats stats;
	uint64_t groups;
	uint64_t g;
	unsigned k;

	/* the layer saves the real syncs, of which there would be thousands */
	rig->options.lab = true;
	rig_open(rig);
	assert_ok(groups_in(rig->st, &groups));
	/* the last one may be durable, and not yet acknowledged */
	if (groups != *acknowledged && groups != *acknowledged + 1)
		fail_msg("%llu groups acknowledged, %llu found",
		    (unsigned long long)*acknowledged,
		    (unsigned long long)groups);
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(
	    stats.objects, groups * OBJECTS - (groups > 2 ? groups - 2 : 0));
	for (g = groups > WINDOW ? groups - WINDOW : 1; g <= groups; g++)
		for (k = 0; k < OBJECTS; k++)
			assert_object(rig, g, k, groups);
	assert_record_and_log(rig, groups);
	assert_ok(store_check(rig->st));
	store_close(rig->st);
	rig->st = NULL;
	*acknowledged = groups;
}

/* Answers whether the child got as far as an open store. */
static bool
round_run(struct rig *rig, const struct cut *cut, unsigned kill_after,
    struct told *told)
{
	int pipe_fd[2];
	pid_t child;

	told->opened = false;
	assert_int_equal(pipe(pipe_fd), 0);
	child = child_fork();
	if (child == 0) {
		close(pipe_fd[0]);
		child_run(rig, cut, told, pipe_fd[1]);
	}
	close(pipe_fd[1]);
	child_watch(child, pipe_fd[0], kill_after);
	close(pipe_fd[0]);
	assert_content(rig, &told->groups);
	return told->opened;
}

static struct told *
told_new(void)
{
	return child_share(sizeof(struct told));
}

/* A store that is checked from end to end each time shall not grow large. */
static void
begin_anew(struct rig *rig, struct told *told)
{
	rig_dir_remove(rig);
	rig_dir_make(rig);
	told->groups = 0;
}

static void
cut_at_every_kind_of_point(struct rig *rig, enum vfs_power how)
{
	struct told *told = told_new();
	unsigned opened = 0;
	uint64_t groups = 0;
	unsigned n;

	for (n = 0; n < ROUNDS(100); n++) {
		uint64_t before = n % 20 == 0 ? 0 : told->groups;
		struct cut cut = {
		    .lab = true,
		    .how = how,
		    .seed = n * 7919u + 1,
		    /* the first ones fall into the making of the file */
		    .nth = n < 20 ? n + 1 : 1 + n * 6007u % 500,
		};

		if (before == 0)
			begin_anew(rig, told);
		opened += round_run(rig, &cut, 0, told);
		groups += told->groups - before;
	}
	/* a test whose cuts all came too early would prove nothing */
	assert_true(ROUNDS(100) != 100 || opened >= 60);
	assert_true(ROUNDS(100) != 100 || groups >= 200);
	munmap(told, sizeof(*told));
}

static void
test_a_power_cut_loses_nothing_acknowledged(void **state)
{
	cut_at_every_kind_of_point(*state, VFS_DROP);
}

static void
test_torn_writes_lose_nothing_acknowledged(void **state)
{
	cut_at_every_kind_of_point(*state, VFS_TEAR);
}

static void
test_a_killed_process_loses_nothing_acknowledged(void **state)
{
	struct told *told = told_new();
	unsigned n;

	for (n = 0; n < ROUNDS(30); n++) {
		struct cut cut = {.lab = n % 2 == 0};

		if (n % 10 == 0)
			begin_anew(*state, told);
		(void)round_run(*state, &cut, 1 + n * 13 % 40, told);
	}
	munmap(told, sizeof(*told));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_TEST_CLOSED(test_a_power_cut_loses_nothing_acknowledged),
	    STORE_TEST_CLOSED(test_torn_writes_lose_nothing_acknowledged),
	    STORE_TEST_CLOSED(test_a_killed_process_loses_nothing_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
