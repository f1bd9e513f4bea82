#include "store/rig_test.h"

/* ---- what happens to a group when the disk fails under it ---- */

struct heard {
	struct store_waiter waiter;
	unsigned times;
	enum err rc;
};

static void
on_heard(struct store_waiter *w, enum err rc)
{
	struct heard *h = w->ctx;

	h->times++;
	h->rc = rc;
}

struct scene {
	struct rig *rig;
	struct bytes kept; /* Pre-Active before, Active after */
	struct bytes gone; /* there before, not after */
	struct bytes made; /* not there before, there after */
	struct heard heard;
};

static struct object *
big(struct rig *rig, const char *name)
{
	static uint8_t octets[20000]; /* several pages */
	struct object *o = named(rig, "alice", name);

	assert_ok(
	    object_set_value(o, (struct bytes){octets, sizeof(octets)}, true));
	return o;
}

static void
scene_set(struct scene *s, struct rig *rig)
{
	*s = (struct scene){.rig = rig};
	s->kept = insert(rig, named(rig, "alice", "kept"));
	s->gone = insert(rig, big(rig, "gone"));
	assert_ok(store_commit(rig->st));
}

static enum err
scene_write(struct scene *s)
{
	struct store *st = s->rig->st;
	struct object *o = big(s->rig, "made");
	const struct object *old;
	enum err rc = OK;

	assert_ok(arena_copy(s->rig->arena, o->id, &s->made));
	TRY(store_insert(st, o));
	TRY(store_find(st, s->kept, &old));
	TRY(object_clone(old, &o));
	assert_ok(object_set_state(o, STATE_ACTIVE, 1));
	TRY(store_update(st, o));
	TRY(store_delete(st, s->gone));
	TRY(store_meta_put(st, "k", bytes_of_text("v")));
	s->heard =
	    (struct heard){.waiter = {.done = on_heard, .ctx = &s->heard}};
	store_wait(st, &s->heard.waiter);
out:
	return rc;
}

static void
assert_scene(struct scene *s, bool after)
{
	const struct object *o;
	struct buf b;

	buf_init(&b, 16);
	assert_ok(store_find(s->rig->st, s->kept, &o));
	assert_int_equal(
	    object_state(o), after ? STATE_ACTIVE : STATE_PRE_ACTIVE);
	if (after) {
		assert_there(s->rig, s->made);
		assert_not_there(s->rig, s->gone);
	} else {
		assert_there(s->rig, s->gone);
		assert_not_there(s->rig, s->made);
	}
	assert_err(
	    store_meta_get(s->rig->st, "k", &b), after ? OK : ERR_NOT_FOUND);
	buf_clear(&b);
	assert_ok(store_check(s->rig->st));
}

/* The whole of it, and what it answered. */
static enum err
scene_play(struct scene *s)
{
	enum err wrote;
	enum err rc;

	s->heard = (struct heard){0};
	wrote = scene_write(s);
	rc = store_commit(s->rig->st);
	if (wrote != OK) {
		/* who could not write was told so, and the group failed */
		assert_int_equal(rc, wrote);
		return wrote;
	}
	assert_int_equal(s->heard.times, 1);
	assert_int_equal(s->heard.rc, rc);
	return rc;
}

static void
remove_if_there(struct rig *rig, struct bytes id)
{
	enum err rc = store_delete(rig->st, id);

	assert_true(rc == OK || rc == ERR_NOT_FOUND);
}

static void
set_up_again(struct rig *rig, struct scene *s)
{
	vfs_fail_io(0, false);
	vfs_disk_full(UINT64_MAX);
	remove_if_there(rig, s->made);
	remove_if_there(rig, s->kept);
	remove_if_there(rig, s->gone);
	assert_ok(store_meta_delete(rig->st, "k"));
	assert_ok(store_commit(rig->st));
	scene_set(s, rig);
}

/*
 * Every read, write and sync of a group fails once, in its turn. Whatever
 * fails, the group is there as a whole or not at all, and the next one is as
 * good as ever.
 */
static void
every_call_fails(struct rig *rig, bool lasting, bool reopen)
{
	struct scene s = {0};
	unsigned failed = 0;
	unsigned nth;

	for (nth = 1;; nth++) {
		struct vfs_stats before;
		struct vfs_stats after;
		enum err rc;

		set_up_again(rig, &s);
		if (reopen)
			rig_reopen(rig);
		vfs_stats(&before);
		vfs_fail_io(nth, lasting);
		rc = scene_play(&s);
		vfs_stats(&after);
		vfs_fail_io(0, false);
		assert_scene(&s, rc == OK);
		if (after.faults == before.faults) {
			assert_ok(rc);
			break;
		}
		assert_err(rc, ERR_STORE);
		failed++;
		/* the same again, on a disk that works */
		assert_ok(scene_play(&s));
		assert_scene(&s, true);
		rig_reopen(rig);
		assert_scene(&s, true);
		if (nth == ROUNDS(1000))
			break;
	}
	assert_true(failed >= ROUNDS(10));
}

static void
test_any_call_may_fail_once(void **state)
{
	every_call_fails(*state, false, false);
}

static void
test_any_call_may_be_the_last(void **state)
{
	every_call_fails(*state, true, false);
}

static void
test_any_call_may_fail_on_a_cold_cache(void **state)
{
	every_call_fails(*state, false, true);
}

static void
test_a_full_disk_refuses_writes_and_serves_reads(void **state)
{
	struct rig *rig = *state;
	struct scene s;
	uint64_t room;
	unsigned refused = 0;

	scene_set(&s, rig);
	for (room = 0;; room += 4000) {
		enum err rc;

		vfs_disk_full(room);
		rc = scene_play(&s);
		if (rc == OK)
			break;
		assert_err(rc, ERR_DISK_FULL);
		refused++;
		assert_scene(&s, false);
	}
	assert_scene(&s, true);
	assert_true(refused >= 5);
	vfs_disk_full(UINT64_MAX);
	rig_reopen(rig);
	assert_scene(&s, true);
}

static void
test_a_failed_group_fails_whoever_is_in_it(void **state)
{
	struct rig *rig = *state;
	struct heard reader = {0};
	struct scene s;
	const struct object *o;

	scene_set(&s, rig);
	assert_ok(scene_write(&s));
	store_request(rig->st);
	assert_ok(store_find(rig->st, s.made, &o));
	assert_true(store_must_wait(rig->st));
	reader.waiter = (struct store_waiter){.done = on_heard, .ctx = &reader};
	store_wait(rig->st, &reader.waiter);
	vfs_disk_full(0);
	assert_err(store_commit(rig->st), ERR_DISK_FULL);
	assert_int_equal(s.heard.rc, ERR_DISK_FULL);
	assert_int_equal(reader.rc, ERR_DISK_FULL);
	assert_int_equal(reader.times, 1);
	assert_scene(&s, false);
}

static void
test_a_failed_checkpoint_costs_nothing(void **state)
{
	struct rig *rig = *state;
	struct scene s;
	struct store_stats stats;

	scene_set(&s, rig);
	assert_ok(scene_play(&s));
	vfs_fail_io(1, true);
	store_idle(rig->st);
	vfs_fail_io(0, false);
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.checkpoints, 0);
	assert_scene(&s, true);
	assert_ok(store_delete(rig->st, s.made));
	assert_ok(store_commit(rig->st));
	store_idle(rig->st);
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.checkpoints, 1);
	assert_ok(store_check(rig->st));
}

static void
test_a_store_that_cannot_be_made_is_no_store(void **state)
{
	struct rig *rig = *state;
	struct vfs_stats before;
	struct vfs_stats after;
	enum err rc;
	unsigned nth;

	rig->options.lab = true;
	assert_ok(vfs_register());
	for (nth = 1;; nth++) {
		vfs_stats(&before);
		vfs_fail_io(nth, false);
		rc = store_open(rig->dir, rig->env, &rig->options, &rig->st);
		vfs_fail_io(0, false);
		vfs_stats(&after);
		if (rc == OK) {
			/* then it is one, whatever failed */
			assert_ok(store_check(rig->st));
			(void)insert(rig, named(rig, "alice", "key"));
			assert_ok(store_commit(rig->st));
			store_close(rig->st);
			rig->st = NULL;
		} else {
			assert_err(rc, ERR_STORE);
			assert_null(rig->st);
		}
		if (after.faults == before.faults)
			break;
		/* the next begins with nothing, too */
		rig_dir_remove(rig);
		rig_dir_make(rig);
	}
	assert_ok(rc);
	assert_true(nth > 10);
}

static int
setup_small_log(void **state)
{
	struct rig *rig;
	int rc = rig_make(state);

	rig = *state;
	rig->options.lab = true;
	rig->options.log_pages = 1;
	rig_open(rig);
	return rc;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_TEST_LAB(test_any_call_may_fail_once),
	    STORE_TEST_LAB(test_any_call_may_be_the_last),
	    STORE_TEST_LAB(test_any_call_may_fail_on_a_cold_cache),
	    STORE_TEST_LAB(test_a_full_disk_refuses_writes_and_serves_reads),
	    STORE_TEST_LAB(test_a_failed_group_fails_whoever_is_in_it),
	    cmocka_unit_test_setup_teardown(
		test_a_failed_checkpoint_costs_nothing, setup_small_log,
		rig_teardown),
	    STORE_TEST_CLOSED(test_a_store_that_cannot_be_made_is_no_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
