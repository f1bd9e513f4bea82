/*
 * A child restores a backup, and its power is cut before the first write of the
 * file layer, before the second, and so on until it gets through; and the same
 * at the start that brings it into force. What the next start then has is what
 * there was or what was restored; what was told is there.
 *
 * req: KS-23-086
 */
#include "device/restore_rig_test.h"

#include <limits.h>

#ifdef TORTURE
#define CUTS_MOST 2u
#else
#define CUTS_MOST UINT_MAX
#endif

static struct restore_rig rig;
static struct bench at; /* where it happens */
static bool *told;

/* Stores as they are before the two: closed, each in a directory. */
static char to_restore[256];
static char to_apply[256];

/* ---- directories ---- */

static void
copy_store(const char *from, const char *to)
{
	char path[300];
	char octets[65536];
	ssize_t got;
	int in, out;

	(void)snprintf(path, sizeof(path), "%s/store.db", from);
	in = open(path, O_RDONLY);
	(void)snprintf(path, sizeof(path), "%s/store.db", to);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(in >= 0 && out >= 0);
	while ((got = read(in, octets, sizeof(octets))) > 0)
		assert_int_equal(write(out, octets, (size_t)got), got);
	assert_int_equal(got, 0);
	(void)close(in);
	(void)close(out);
}

static void
open_in(const char *dir)
{
	struct appliance *appliance = &at.appliance;

	bench_make_in(&at, dir);
	env_set_random(at.rig.env, random_drbg, NULL);
	env_set_wall_s(at.rig.env, KEY_RIG_WALL_S);
	appliance->keystore = rig.keys.keystore;
	appliance->vault = rig.vault;
	assert_ok(settings_new(appliance->store, &appliance->settings));
	assert_ok(clock_new(appliance->store, at.rig.env, &appliance->clock));
	assert_ok(credentials_new(appliance, &appliance->credentials));
	assert_ok(policies_new(appliance, &appliance->policies));
	assert_ok(restores_new(appliance, &appliance->restores));
}

static void
leave(void)
{
	struct appliance *appliance = &at.appliance;

	loop_end_jobs(appliance->loop);
	restores_free(appliance->restores);
	policies_free(appliance->policies);
	credentials_free(appliance->credentials);
	clock_free(appliance->clock);
	settings_free(appliance->settings);
	bench_leave(&at);
}

static void
state_of(struct store *st, struct buf *out)
{
	const struct state_source source = {
	    .store = st,
	    .keystore = rig.keys.keystore,
	    .vault = rig.vault,
	    .key = TEXT("a key of the caller's"),
	};

	buf_reset(out);
	assert_ok(state_each(&source, restore_rig_line, out));
}

/* ---- what the child does ---- */

static enum err child_rc;

static void
child_done(void *ctx, enum err rc, const char *why)
{
	(void)ctx;
	(void)why;
	child_rc = rc;
	*told = rc == OK;
	loop_stop(at.rig.loop);
}

static void
restore_all(void)
{
	static const struct approvals none;
	struct backup_selection selection;
	struct restore *restore;

	backup_selection_init(&selection);
	backup_selection_all(&selection);
	assert_ok(restore_open(&at.appliance, rig.backups, "foo",
	    TEXT(BACKUP_PASSWORD), child_done, NULL, &restore));
	assert_ok(loop_run(at.rig.loop));
	assert_ok(child_rc);
	*told = false;
	restore_begin(restore, &selection, &rig_admin, &none, child_done, NULL);
	assert_ok(loop_run(at.rig.loop));
	assert_ok(child_rc);
	restore_drop(restore);
}

static void
child_restores(const char *dir, enum vfs_power how, uint64_t seed, unsigned nth)
{
	open_in(dir);
	(void)unlink(at.rig.clock_path);
	vfs_power_off(how, seed, nth);
	restore_all();
	store_close(at.appliance.store);
	_exit(0);
}

static void
child_starts(const char *dir, enum vfs_power how, uint64_t seed, unsigned nth)
{
	unsigned count;

	bench_make_in(&at, dir);
	(void)unlink(at.rig.clock_path);
	vfs_power_off(how, seed, nth);
	assert_ok(restore_apply(at.appliance.store, NULL, NULL, &count));
	assert_int_equal(count, 1);
	*told = true;
	store_close(at.appliance.store);
	_exit(0);
}

/* ---- what is found ---- */

static void
assert_state(const char *what, unsigned nth, const struct buf *want)
{
	char text[100];
	struct buf got;

	(void)snprintf(
	    text, sizeof(text), "%s, cut before write %u", what, nth);
	buf_init(&got, STATE_TEXT_OCTETS);
	state_of(at.appliance.store, &got);
	restore_rig_assert_same(text, &got, want);
	assert_ok(store_check(at.appliance.store));
	buf_clear(&got);
}

/* What is found before the next start brings it into force, and after. */
static void
assert_one_end(const char *what, const char *dir, unsigned nth)
{
	unsigned pending, count;

	bench_make_in(&at, dir);
	assert_ok(restores_pending(at.appliance.store, &pending));
	assert_true(pending <= 1);
	if (strcmp(what, "restoring") == 0) {
		assert_true(pending == 1 || !*told);
		assert_state(what, nth, &rig.before);
	} else {
		assert_true(pending == 0 || !*told);
		assert_state(
		    what, nth, pending == 1 ? &rig.before : &rig.after);
	}
	assert_ok(restore_apply(at.appliance.store, NULL, NULL, &count));
	assert_int_equal(count, pending);
	assert_state("the next start", nth,
	    pending == 0 && strcmp(what, "restoring") == 0 ? &rig.before
							   : &rig.after);
	bench_leave(&at);
}

static unsigned
cut_everywhere(const char *what, const char *from,
    void (*run)(const char *, enum vfs_power, uint64_t, unsigned),
    enum vfs_power how, uint64_t seed)
{
	unsigned nth = 0;
	bool cut = true;

	while (cut && nth < CUTS_MOST) {
		char dir[256];
		pid_t child;

		nth++;
		*told = false;
		bench_dir_make(dir);
		copy_store(from, dir);
		child = child_fork();
		if (child == 0) {
			run(dir, how, seed, nth);
		}
		cut = child_was_killed(child, "a restore");
		assert_one_end(what, dir, nth);
		bench_dir_remove(dir);
	}
	return CUTS_MOST < UINT_MAX ? UINT_MAX : nth - 1;
}

static void
test_a_power_cut_while_it_restores(void **state)
{
	(void)state;
	assert_true(cut_everywhere("restoring", to_restore, child_restores,
			VFS_DROP, 1) >= 10);
	assert_true(cut_everywhere("restoring", to_restore, child_restores,
			VFS_TEAR, 7) >= 10);
}

static void
test_a_power_cut_while_it_comes_into_force(void **state)
{
	(void)state;
	assert_true(cut_everywhere(
			"starting", to_apply, child_starts, VFS_DROP, 1) >= 5);
	assert_true(cut_everywhere(
			"starting", to_apply, child_starts, VFS_TEAR, 7) >= 5);
}

/* ---- the two stores ---- */

static void
make_key(const char *name, const char *owner)
{
	struct key_spec spec = key_rig_spec(name, owner);

	spec.versioned = true;
	assert_ok(key_create(&rig.keys.call, &spec, NULL, NULL));
}

static int
set_up(void **state)
{
	struct buf value;
	unsigned count;

	(void)state;
	told = child_share(sizeof(*told));
	restore_rig_make(&rig);
	buf_init(&value, 1000);
	assert_ok(fields_put_text(&value, "rule", "one"));
	assert_ok(
	    record_put(STORE(&rig), "policy", TEXT("p"), buf_peek(&value)));
	make_key("Key1", "user1");
	make_key("Key2", "");
	key_rig_turn(&rig.keys);
	restore_rig_backup(&rig, "foo");
	/* another Key1, no Key2, another policy */
	assert_ok(key_delete(&rig.keys.call, key_rig_find(&rig.keys, "Key1")));
	assert_ok(key_delete(&rig.keys.call, key_rig_find(&rig.keys, "Key2")));
	make_key("Key1", "");
	make_key("Key3", "");
	assert_ok(
	    record_put(STORE(&rig), "policy", TEXT("q"), buf_peek(&value)));
	assert_ok(record_delete(STORE(&rig), "policy", TEXT("p")));
	key_rig_turn(&rig.keys);
	restore_rig_state(&rig, &rig.before);
	store_close(STORE(&rig));
	bench_dir_make(to_restore);
	copy_store(rig.keys.bench.dir, to_restore);
	/* the same, switched on; and in force, in the rig's own */
	bench_dir_make(to_apply);
	copy_store(to_restore, to_apply);
	open_in(to_apply);
	restore_all();
	leave();
	bench_open(&rig.keys.bench);
	store_close(STORE(&rig));
	copy_store(to_apply, rig.keys.bench.dir);
	bench_open(&rig.keys.bench);
	assert_ok(restore_apply(STORE(&rig), NULL, NULL, &count));
	restore_rig_state(&rig, &rig.after);
	assert_false(bytes_equal(buf_peek(&rig.before), buf_peek(&rig.after)));
	buf_clear(&value);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bench_dir_remove(to_restore);
	bench_dir_remove(to_apply);
	restore_rig_clear(&rig);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_power_cut_while_it_restores),
	    cmocka_unit_test(test_a_power_cut_while_it_comes_into_force),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
