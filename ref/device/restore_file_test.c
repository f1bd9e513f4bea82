/*
 * Backups that are damaged: each octet of a small one changed, each length it
 * can be cut to, and a thousand places of a large one, changed and cut. All are
 * refused, and nothing is changed, not even what is staged.
 *
 * req: KS-23-018 ESKM-129 ESKM-130
 */
#include "device/restore_rig_test.h"

#ifdef TORTURE
enum { LARGE_KEYS = 1, LARGE_PLACES = 1, STEP = 2000 };
#else
enum { LARGE_KEYS = 600, LARGE_PLACES = 1000, STEP = 1 };
#endif
enum { SMALL_MOST_OCTETS = 65536 };

static struct restore_rig rig;
static char path[400];
static uint64_t groups; /* made durable before it was tried */

static int
set_up(void **state)
{
	(void)state;
	restore_rig_make(&rig);
	assert_ok(record_put(STORE(&rig), "group", TEXT("all"), BYTES_NONE));
	(void)snprintf(path, sizeof(path), "%s/foo_0_bkp", rig.backups);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	restore_drop(rig.restore);
	rig.restore = NULL;
	restore_rig_clear(&rig);
	return 0;
}

static void
make_keys(unsigned count)
{
	unsigned k;

	for (k = 0; k < count; k++) {
		char name[20];
		struct key_spec spec = key_rig_spec(name, "user1");

		(void)snprintf(name, sizeof(name), "Key%u", k);
		spec.name = TEXT(name);
		if (key_rig_has(&rig.keys, name))
			continue;
		assert_ok(key_create(&rig.keys.call, &spec, NULL, NULL));
		key_rig_turn(&rig.keys);
	}
}

static int
file_open(off_t *octets)
{
	int fd = open(path, O_RDWR);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*octets = st.st_size;
	return fd;
}

/* What is wrong with it is told, and not only that it is. */
static void
assert_refused(const char *what, off_t place)
{
	enum err rc = restore_rig_look(&rig, "foo", BACKUP_PASSWORD);

	if (rc == OK)
		fail_msg("%s at %lld: accepted", what, (long long)place);
	if (rig.why[0] == '\0')
		fail_msg("%s at %lld: no words", what, (long long)place);
	if (store_groups(STORE(&rig)) != groups)
		fail_msg("%s at %lld: something was written", what,
		    (long long)place);
}

static void
change_octet(int fd, off_t place, uint8_t by)
{
	uint8_t octet;

	assert_int_equal(pread(fd, &octet, 1, place), 1);
	octet ^= by;
	assert_int_equal(pwrite(fd, &octet, 1, place), 1);
}

static void
begin(void)
{
	restore_rig_backup(&rig, "foo");
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_ok(store_commit(STORE(&rig)));
	groups = store_groups(STORE(&rig));
	restore_rig_state(&rig, &rig.before);
}

static void
end(void)
{
	restore_rig_state(&rig, &rig.after);
	restore_rig_assert_same("damaged", &rig.after, &rig.before);
	assert_int_equal(restore_rig_count(&rig, "restore.row"), 0);
	/* and is whole again */
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
}

static void
test_each_octet_of_a_small_backup_counts(void **state)
{
	off_t octets, k;
	int fd;

	(void)state;
	begin();
	fd = file_open(&octets);
	assert_in_range(octets, 1000, SMALL_MOST_OCTETS);
	for (k = 0; k < octets; k += STEP) {
		uint8_t by = (uint8_t)(1 << (k % 8));

		change_octet(fd, k, by);
		assert_refused("changed", k);
		change_octet(fd, k, by);
	}
	(void)close(fd);
	end();
}

static void
test_each_cut_of_a_small_backup_is_seen(void **state)
{
	uint8_t whole[SMALL_MOST_OCTETS];
	off_t octets, k;
	int fd;

	(void)state;
	begin();
	fd = file_open(&octets);
	assert_int_equal(pread(fd, whole, sizeof(whole), 0), octets);
	for (k = octets - 1; k >= 0; k -= STEP) {
		assert_int_equal(ftruncate(fd, k), 0);
		assert_refused("cut", k);
	}
	assert_int_equal(pwrite(fd, whole, (size_t)octets, 0), octets);
	/* one octet more */
	assert_int_equal(pwrite(fd, "", 1, octets), 1);
	assert_refused("longer", octets);
	assert_int_equal(ftruncate(fd, octets), 0);
	(void)close(fd);
	end();
}

/* xorshift64*: the same places in each run */
static off_t
any_place(uint64_t *seed, off_t octets)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (off_t)((*seed * 0x2545f4914f6cdd1du >> 16) % (uint64_t)octets);
}

static void
test_places_of_a_large_backup_count(void **state)
{
	uint64_t seed = 20261121;
	off_t octets;
	unsigned k;
	int fd;

	(void)state;
	make_keys(LARGE_KEYS);
	begin();
	fd = file_open(&octets);
	assert_true(octets > 4 * SMALL_MOST_OCTETS || STEP != 1);
	for (k = 0; k < LARGE_PLACES; k++) {
		off_t place = any_place(&seed, octets);

		change_octet(fd, place, 0x10);
		assert_refused("changed", place);
		change_octet(fd, place, 0x10);
	}
	(void)close(fd);
	end();
}

/* What is cut off goes back before the next one. */
static void
test_cuts_of_a_large_backup_are_seen(void **state)
{
	uint64_t seed = 20261122;
	uint8_t *whole = NULL;
	off_t octets;
	unsigned k;
	int fd;

	(void)state;
	make_keys(LARGE_KEYS);
	begin();
	fd = file_open(&octets);
	assert_true(octets > 4 * SMALL_MOST_OCTETS || STEP != 1);
	assert_ok(MEM_ARRAY(whole, (size_t)octets));
	assert_int_equal(pread(fd, whole, (size_t)octets, 0), octets);
	for (k = 0; k < LARGE_PLACES; k++) {
		off_t place = any_place(&seed, octets);

		assert_int_equal(ftruncate(fd, place), 0);
		assert_refused("cut", place);
		assert_int_equal(
		    pwrite(fd, whole + place, (size_t)(octets - place), place),
		    octets - place);
	}
	(void)close(fd);
	mem_free(whole);
	end();
}

static void
test_only_its_password_opens_it(void **state)
{
	static const char *const wrong[] = {"", "Lamp7.Orchi", "Lamp7.Orchid ",
	    "lamp7.Orchid", "Lamp7.Orchid-Wharf", "x"};
	size_t k;

	(void)state;
	begin();
	for (k = 0; k < LENGTH(wrong); k++) {
		assert_err(restore_rig_look(&rig, "foo", wrong[k]), ERR_SEAL);
		assert_int_equal(store_groups(STORE(&rig)), groups);
	}
	end();
}

/* What was good when it was opened, and is not when it is read. */
static void
test_a_backup_that_is_changed_while_it_is_restored(void **state)
{
	struct backup_selection selection;
	off_t octets;
	int fd;

	(void)state;
	begin();
	backup_selection_init(&selection);
	backup_selection_all(&selection);
	fd = file_open(&octets);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	change_octet(fd, octets - 100, 1);
	assert_err(restore_rig_run(&rig, &selection), ERR_SEAL);
	change_octet(fd, octets - 100, 1);
	restore_rig_restart(&rig, 0);
	while (restore_rig_count(&rig, "restore.row") != 0)
		bench_turn(&rig.keys.bench);
	(void)close(fd);
	end();
}

/* No room for what is staged: nothing is restored. */
static void
test_a_full_disk_restores_nothing(void **state)
{
	struct backup_selection selection;

	(void)state;
	begin();
	backup_selection_init(&selection);
	backup_selection_all(&selection);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	vfs_disk_full(8192);
	assert_err(restore_rig_run(&rig, &selection), ERR_DISK_FULL);
	vfs_disk_full(UINT64_MAX);
	restore_rig_restart(&rig, 0);
	while (restore_rig_count(&rig, "restore.row") != 0)
		bench_turn(&rig.keys.bench);
	end();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_octet_of_a_small_backup_counts),
	    cmocka_unit_test(test_each_cut_of_a_small_backup_is_seen),
	    cmocka_unit_test(test_only_its_password_opens_it),
	    cmocka_unit_test(test_places_of_a_large_backup_count),
	    cmocka_unit_test(test_cuts_of_a_large_backup_are_seen),
	    cmocka_unit_test(
		test_a_backup_that_is_changed_while_it_is_restored),
	    cmocka_unit_test(test_a_full_disk_restores_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
