/*
 * Software is installed, rolled back, and cut short: the power goes before the
 * first write of an upgrade, before the second, and so on until it gets
 * through; and the same of a rollback. Each time the old version is there or
 * the new one, whole, with the administrators that belong to it.
 */
#include "device/software.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/version.h"
#include "crypto/ossl.h"
#include "device/accounts_test.h"
#include "device/fields.h"
#include "device/package_rig_test.h"
#include "device/restore.h"
#include "device/software_install.h"

#ifdef TORTURE
#define CUTS_MOST 2u
#else
#define CUTS_MOST 1000u
#endif

enum { PROGRAM_OCTETS = 150 * 1024, NOTES_OCTETS = 10, WALL_S = 1790000000 };

#define SETTING_KEY "session-settings/autologout"
#define OTHER_KEY   "host/name" /* no administrator's */

static struct vendor vendor;
static struct package_trust *trust;
static uint8_t content[PROGRAM_OCTETS + NOTES_OCTETS];

static struct bench bench;
static char software_dir[300];
static bool *told;

static const struct principal somebody = {.name = "root", .door = DOOR_SERIAL};
static const struct approvals nobody;

/* ---- an appliance ---- */

static void
open_in(const char *dir)
{
	struct appliance *a = &bench.appliance;

	bench_make_in(&bench, dir);
	env_set_wall_s(bench.rig.env, WALL_S);
	(void)snprintf(software_dir, sizeof(software_dir), "%s/software", dir);
	a->software_dir = software_dir;
	a->trust = trust;
	assert_ok(settings_new(a->store, &a->settings));
	assert_ok(clock_new(a->store, bench.rig.env, &a->clock));
	assert_ok(credentials_new(a, &a->credentials));
}

static void
leave(void)
{
	struct appliance *a = &bench.appliance;

	loop_end_jobs(a->loop);
	credentials_free(a->credentials);
	clock_free(a->clock);
	settings_free(a->settings);
	bench_leave(&bench);
}

static void
put_setting(const char *key, const char *value)
{
	assert_ok(record_put(bench.appliance.store, "setting",
	    bytes_of_text(key), bytes_of_text(value)));
}

static void
make_first(char dir[256])
{
	bench_dir_make(dir);
	open_in(dir);
	account_put(&bench, "root", true, CONTROLS_ALL);
	account_put(&bench, "ann", false, 0);
	put_setting(SETTING_KEY, "33");
	put_setting(OTHER_KEY, "first");
	bench_turn(&bench);
}

/* The next start. */
static void
again(void)
{
	char dir[256];

	memcpy(dir, bench.dir, sizeof(dir));
	leave();
	open_in(dir);
}

/* ---- installing ---- */

static struct {
	struct software_install *install;
	bool done;
	enum err rc;
	char why[CHANGE_WHY_OCTETS];
	char stages[2048];
} it;

static void
stage(void *ctx, const char *text)
{
	size_t octets = strlen(it.stages);

	(void)ctx;
	(void)snprintf(
	    it.stages + octets, sizeof(it.stages) - octets, "%s\n", text);
}

static void
installed(void *ctx, enum err rc, const char *why)
{
	(void)ctx;
	assert_false(it.done);
	it.done = true;
	it.rc = rc;
	(void)snprintf(it.why, sizeof(it.why), "%s", why);
	*told = rc == OK;
	loop_stop(bench.rig.loop);
}

static enum err
begin(int fd)
{
	const struct software_install_config config = {
	    .appliance = &bench.appliance,
	    .fd = fd,
	    .by = &somebody,
	    .approvals = &nobody,
	    .stage = stage,
	    .done = installed,
	};

	memset(&it, 0, sizeof(it));
	return software_install_new(&config, &it.install);
}

static int
package(const char *version)
{
	char manifest[300];
	const struct parcel parcel = {
	    .manifest = manifest, .content = {content, sizeof(content)}};

	(void)snprintf(manifest, sizeof(manifest),
	    "type = software\nproduct = touchstone-ref\nmade = 1\n"
	    "version = %s\ncomponent = touchstone-ref %d\n"
	    "component = notes.txt %d\n",
	    version, PROGRAM_OCTETS, NOTES_OCTETS);
	return parcel_make(&vendor, &parcel);
}

static enum err
install_file(int fd)
{
	assert_ok(begin(fd));
	(void)close(fd);
	assert_ok(loop_run(bench.rig.loop));
	assert_true(it.done);
	software_install_drop(it.install);
	return it.rc;
}

static enum err
install(const char *version)
{
	return install_file(package(version));
}

/* ---- rolling back ---- */

static void
rolled_back(struct change *change, enum err rc)
{
	it.rc = rc;
	*told = rc == OK;
	(void)snprintf(it.why, sizeof(it.why), "%s", change->why);
	it.done = true;
}

static enum err
roll_back(void)
{
	struct change change = {.by = somebody,
	    .act = ACT_ROLLBACK,
	    .approvals = &nobody,
	    .apply = software_rollback,
	    .done = rolled_back};

	it.done = false;
	change_run(&bench.appliance, &change);
	bench_turn(&bench);
	assert_true(it.done);
	return it.rc;
}

/* ---- what is found ---- */

static bool
has_account(const char *name)
{
	struct admin admin;
	enum err rc =
	    admin_read(bench.appliance.store, bytes_of_text(name), &admin);

	if (rc == OK)
		admin_drop(&admin);
	else
		assert_err(rc, ERR_NOT_FOUND);
	return rc == OK;
}

static bool
has_setting(const char *key, const char *value)
{
	struct buf got;
	bool same;

	buf_init(&got, 100);
	assert_ok(record_get(
	    bench.appliance.store, "setting", bytes_of_text(key), &got));
	same = bytes_equal_text(buf_peek(&got), value);
	buf_clear(&got);
	return same;
}

static enum err
count_one(void *ctx, struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	++*(unsigned *)ctx;
	return OK;
}

static unsigned
set_aside(void)
{
	unsigned count = 0;

	assert_ok(record_each(
	    bench.appliance.store, "software.account", count_one, &count));
	return count;
}

static void
assert_runs(const char *version, const char *previous)
{
	struct software software;

	assert_ok(software_read(bench.appliance.store, &software));
	assert_string_equal(software.version, version);
	assert_string_equal(software.previous, previous);
}

static void
path_of(const char *dir, const char *version, char out[SOFTWARE_PATH_OCTETS])
{
	*out = '\0';
	if (*version != '\0')
		(void)snprintf(out, SOFTWARE_PATH_OCTETS,
		    "%s/software/%s/touchstone-ref", dir, version);
}

/* What a start finds to run, before the store is opened. */
static struct software_start
assert_starts(const char *dir, const char *version, enum software_trial trial)
{
	char want[SOFTWARE_PATH_OCTETS];
	struct software_start start;

	path_of(dir, version, want);
	assert_ok(software_program(dir, &start));
	assert_string_equal(start.path, want);
	assert_int_equal(start.trial, trial);
	return start;
}

/* The one before it, where it was tried. */
static void
assert_starts_back(const char *dir, const char *version, const char *previous)
{
	char want[SOFTWARE_PATH_OCTETS];
	struct software_start start =
	    assert_starts(dir, version, SOFTWARE_TRIED);

	path_of(dir, previous, want);
	assert_string_equal(start.back, want);
}

static void
assert_file(
    const char *version, const char *name, struct bytes want, mode_t mode)
{
	static uint8_t got[PROGRAM_OCTETS + 1];
	char path[SOFTWARE_PATH_OCTETS];
	struct stat st;
	int fd;

	(void)snprintf(
	    path, sizeof(path), "%s/%s/%s", software_dir, version, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof(got)), want.octets);
	assert_memory_equal(got, want.at, want.octets);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, mode);
	(void)close(fd);
}

static void
assert_whole(const char *version)
{
	assert_file(version, "touchstone-ref",
	    (struct bytes){content, PROGRAM_OCTETS}, 0700);
	assert_file(version, "notes.txt",
	    (struct bytes){content + PROGRAM_OCTETS, NOTES_OCTETS}, 0600);
}

static bool
is_there(const char *version)
{
	char path[SOFTWARE_PATH_OCTETS];

	(void)snprintf(path, sizeof(path), "%s/%s", software_dir, version);
	return access(path, F_OK) == 0;
}

/* ---- tests ---- */

/* req: KS-25-004 KS-25-005 KS-25-025 */
static void
test_an_upgrade_is_installed(void **state)
{
	struct software software;
	char dir[256];

	(void)state;
	make_first(dir);
	assert_starts(dir, "", SOFTWARE_TRUSTED);
	software_ready(&bench.appliance);
	bench_turn(&bench);
	assert_ok(software_read(bench.appliance.store, &software));
	assert_int_equal(software.installed_s, WALL_S);
	assert_runs(VERSION, "");
	env_set_wall_s(bench.rig.env, WALL_S + 77);
	assert_ok(install("6.2.0"));
	assert_non_null(strstr(it.stages, "Installing touchstone-ref: 100 %"));
	assert_runs("6.2.0", VERSION);
	assert_ok(software_read(bench.appliance.store, &software));
	assert_int_equal(software.installed_s, WALL_S + 77);
	assert_whole("6.2.0");
	/* root, ann and a setting */
	assert_int_equal(set_aside(), 3);
	leave();
	assert_starts(dir, "6.2.0", SOFTWARE_NEW);
	open_in(dir);
	software_ready(&bench.appliance);
	assert_runs("6.2.0", VERSION);
	assert_whole("6.2.0");
	leave();
	bench_dir_remove(dir);
}

/* req: KS-25-036 KS-25-037 KS-25-039 KS-25-044 */
static void
test_one_step_back_and_no_more(void **state)
{
	char dir[256];

	(void)state;
	make_first(dir);
	assert_err(roll_back(), ERR_FIELD);
	assert_non_null(strstr(it.why, "no version to roll back to"));
	account_put(&bench, "eve", false, 0);
	assert_ok(install("6.2.0p1"));
	account_put(&bench, "cid", false, 0);
	account_delete(&bench, "eve");
	assert_ok(install("6.2.0p2"));
	account_delete(&bench, "ann");
	account_put(&bench, "dan", true, CONTROLS_ALL);
	put_setting(SETTING_KEY, "44");
	put_setting(OTHER_KEY, "later");
	assert_ok(roll_back());
	again();
	assert_runs("6.2.0p1", "");
	assert_true(has_account("ann") && has_account("cid"));
	assert_false(has_account("dan") || has_account("eve"));
	assert_true(has_setting(SETTING_KEY, "33"));
	assert_true(has_setting(OTHER_KEY, "later"));
	assert_int_equal(set_aside(), 0);
	assert_err(roll_back(), ERR_FIELD);
	assert_runs("6.2.0p1", "");
	assert_true(is_there("6.2.0p2"));
	software_ready(&bench.appliance);
	assert_false(is_there("6.2.0p2"));
	assert_whole("6.2.0p1");
	assert_ok(install("6.2.0p3"));
	assert_runs("6.2.0p3", "6.2.0p1");
	leave();
	bench_dir_remove(dir);
}

/* Another built-in release than the one of the last start. */
static void
test_another_delivery_has_been_installed_then(void **state)
{
	struct software software;
	struct buf value;
	char dir[256];

	(void)state;
	make_first(dir);
	buf_init(&value, 1000);
	assert_ok(fields_put_text(&value, "version", "0.0.9"));
	assert_ok(fields_put_text(&value, "folder", ""));
	assert_ok(fields_put_number(&value, "installed", WALL_S - 1000));
	assert_ok(record_put(bench.appliance.store, "software",
	    bytes_of_text("state"), buf_peek(&value)));
	software_ready(&bench.appliance);
	assert_runs(VERSION, "");
	assert_ok(software_read(bench.appliance.store, &software));
	assert_int_equal(software.installed_s, WALL_S);
	/* and is the same one at the next */
	env_set_wall_s(bench.rig.env, WALL_S + 77);
	software_ready(&bench.appliance);
	assert_ok(software_read(bench.appliance.store, &software));
	assert_int_equal(software.installed_s, WALL_S);
	buf_clear(&value);
	leave();
	bench_dir_remove(dir);
}

/* A version that is none is no path. */
static void
test_what_starts_is_a_version(void **state)
{
	struct buf value;
	char dir[256];

	(void)state;
	make_first(dir);
	buf_init(&value, 100);
	assert_ok(fields_put_text(&value, "folder", "../6.2.0"));
	assert_ok(record_put(bench.appliance.store, "software",
	    bytes_of_text("state"), buf_peek(&value)));
	leave();
	assert_starts(dir, "", SOFTWARE_TRUSTED);
	buf_clear(&value);
	bench_dir_remove(dir);
}

/* 6.3.0 after 6.2.0, whose program knows stores up to this one's form. */
static void
put_state(int64_t schema)
{
	struct buf value;

	buf_init(&value, 1000);
	assert_ok(fields_put_text(&value, "version", "6.3.0"));
	assert_ok(fields_put_text(&value, "folder", "6.3.0"));
	assert_ok(fields_put_text(&value, "previous", "6.2.0"));
	assert_ok(fields_put_text(&value, "previous-folder", "6.2.0"));
	assert_ok(fields_put_number(&value, "previous-schema", schema));
	assert_ok(record_put(bench.appliance.store, "software",
	    bytes_of_text("state"), buf_peek(&value)));
	buf_clear(&value);
}

static void
test_what_cannot_go_back_is_told(void **state)
{
	char path[SOFTWARE_PATH_OCTETS];
	unsigned oldest;
	char dir[256];

	(void)state;
	make_first(dir);
	assert_ok(install("6.2.0"));
	assert_ok(install("6.3.0"));
	assert_ok(store_oldest_reader(bench.appliance.store, &oldest));
	assert_in_range(oldest, 1, store_schema());
	put_state((int64_t)oldest - 1);
	assert_err(roll_back(), ERR_FIELD);
	assert_non_null(strstr(it.why, "cannot read what is stored"));
	put_state(oldest);
	(void)snprintf(
	    path, sizeof(path), "%s/6.2.0/touchstone-ref", software_dir);
	assert_int_equal(chmod(path, 0600), 0);
	if (access(path, X_OK) != 0) {
		assert_err(roll_back(), ERR_FIELD);
		assert_non_null(strstr(it.why, "is gone"));
	}
	assert_int_equal(unlink(path), 0);
	assert_err(roll_back(), ERR_FIELD);
	assert_non_null(strstr(it.why, "is gone"));
	assert_runs("6.3.0", "6.2.0");
	leave();
	bench_dir_remove(dir);
}

/* req: KS-25-027 */
static void
test_what_is_refused_changes_nothing(void **state)
{
	const struct parcel none = {
	    .manifest = "type = software\nproduct = touchstone-ref\nmade = 1\n"
			"version = 6.2.0\ncomponent = touchstone-ref 3\n",
	    .content = bytes_of_text("#!/")};
	char dir[256];
	int fd;

	(void)state;
	make_first(dir);
	assert_err(install(VERSION), ERR_FIELD);
	assert_non_null(strstr(it.why, "not newer"));
	assert_err(install("0.0.1"), ERR_FIELD);
	assert_err(install_file(parcel_make(&vendor, &none)), ERR_FIELD);
	assert_non_null(strstr(it.why, "no program"));
	fd = package("6.2.0");
	assert_int_equal(ftruncate(fd, 1000), 0);
	assert_err(install_file(fd), ERR_SEAL);
	bench.appliance.trust = NULL;
	assert_err(install("6.2.0"), ERR_CONFIG);
	bench.appliance.trust = trust;
	assert_runs(VERSION, "");
	assert_int_equal(set_aside(), 0);
	assert_false(is_there("6.2.0"));
	assert_ok(install("6.2.0"));
	leave();
	bench_dir_remove(dir);
}

/* In each of its turns. */
static void
test_one_that_is_dropped_was_nothing(void **state)
{
	unsigned turns;
	char dir[256];
	int fd;

	(void)state;
	make_first(dir);
	fd = package("6.2.0");
	for (turns = 1; turns < 6; turns++) {
		struct software_install *one;

		assert_ok(begin(fd));
		one = it.install;
		/* and there is only one at a time */
		assert_err(begin(fd), ERR_EXISTS);
		assert_null(it.install);
		assert_ok(rig_turns(&bench.rig, turns));
		if (!it.done)
			software_install_drop(one);
		assert_false(it.done);
		assert_ok(rig_turns(&bench.rig, 2));
	}
	assert_runs(VERSION, "");
	/* one that has written some, which the next one does not add to */
	assert_ok(begin(fd));
	while (strstr(it.stages, "Installing") == NULL)
		assert_ok(rig_turns(&bench.rig, 1));
	software_install_drop(it.install);
	assert_ok(install_file(fd));
	assert_runs("6.2.0", VERSION);
	assert_whole("6.2.0");
	leave();
	bench_dir_remove(dir);
}

/* ---- power ---- */

static void
child_upgrades(const char *dir, enum vfs_power how, uint64_t seed, unsigned nth)
{
	open_in(dir);
	(void)unlink(bench.rig.clock_path);
	vfs_power_off(how, seed, nth);
	assert_ok(install("6.2.0"));
	store_close(bench.appliance.store);
	_exit(0);
}

/* req: KS-25-032 */
static void
assert_upgraded_or_not(const char *dir)
{
	struct software software;
	bool is_new;

	open_in(dir);
	assert_ok(software_read(bench.appliance.store, &software));
	is_new = strcmp(software.version, "6.2.0") == 0;
	assert_true(is_new || !*told);
	assert_runs(is_new ? "6.2.0" : VERSION, is_new ? VERSION : "");
	assert_int_equal(set_aside(), is_new ? 3 : 0);
	if (is_new)
		assert_whole("6.2.0");
	leave();
	assert_starts(dir, is_new ? "6.2.0" : "",
	    is_new ? SOFTWARE_NEW : SOFTWARE_TRUSTED);
	/* what was left behind is in nobody's way */
	open_in(dir);
	software_ready(&bench.appliance);
	bench_turn(&bench);
	assert_true(is_there("6.2.0") == is_new);
	if (!is_new)
		assert_ok(install("6.2.0"));
	assert_whole("6.2.0");
	assert_ok(store_check(bench.appliance.store));
	leave();
}

static void
child_rolls_back(
    const char *dir, enum vfs_power how, uint64_t seed, unsigned nth)
{
	open_in(dir);
	(void)unlink(bench.rig.clock_path);
	vfs_power_off(how, seed, nth);
	assert_ok(roll_back());
	store_close(bench.appliance.store);
	_exit(0);
}

static void
assert_rolled_back_or_not(const char *dir)
{
	struct software software;
	bool is_back;

	open_in(dir);
	assert_ok(software_read(bench.appliance.store, &software));
	is_back = strcmp(software.version, VERSION) == 0;
	assert_true(is_back || !*told);
	assert_runs(is_back ? VERSION : "6.2.0", is_back ? "" : VERSION);
	assert_true(has_account("ann") == is_back);
	assert_true(has_account("dan") == !is_back);
	assert_true(has_setting(SETTING_KEY, is_back ? "33" : "44"));
	assert_true(has_setting(OTHER_KEY, "later"));
	assert_int_equal(set_aside(), is_back ? 0 : 3);
	assert_whole("6.2.0");
	if (!is_back)
		assert_ok(roll_back());
	assert_true(has_account("ann"));
	assert_ok(store_check(bench.appliance.store));
	leave();
	assert_starts(dir, "", SOFTWARE_TRUSTED);
}

static void
child_falls_back(
    const char *dir, enum vfs_power how, uint64_t seed, unsigned nth)
{
	char event[SOFTWARE_EVENT_OCTETS];

	open_in(dir);
	(void)unlink(bench.rig.clock_path);
	vfs_power_off(how, seed, nth);
	assert_ok(software_fall_back(bench.appliance.store, event));
	*told = true;
	store_close(bench.appliance.store);
	_exit(0);
}

/* Whoever starts then finds that it was tried still, or that it is over. */
static void
assert_fallen_back_or_falls(const char *dir)
{
	char event[SOFTWARE_EVENT_OCTETS];
	struct software software;

	open_in(dir);
	assert_ok(software_read(bench.appliance.store, &software));
	if (strcmp(software.version, "6.2.0") == 0) {
		assert_false(*told);
		leave();
		assert_starts_back(dir, "6.2.0", "");
		open_in(dir);
		assert_int_equal(set_aside(), 3);
		assert_true(has_account("dan"));
		assert_ok(software_fall_back(bench.appliance.store, event));
	}
	assert_runs(VERSION, "");
	assert_true(has_account("ann") && !has_account("dan"));
	assert_true(has_setting(SETTING_KEY, "33"));
	assert_int_equal(set_aside(), 0);
	assert_ok(store_check(bench.appliance.store));
	leave();
	assert_starts(dir, "", SOFTWARE_TRUSTED);
}

/* Where both begin. */
static void
make_upgraded(char dir[256])
{
	make_first(dir);
	assert_ok(install("6.2.0"));
	account_delete(&bench, "ann");
	account_put(&bench, "dan", true, CONTROLS_ALL);
	put_setting(SETTING_KEY, "44");
	put_setting(OTHER_KEY, "later");
	bench_turn(&bench);
}

static void
try_it(const char *dir, const char *version)
{
	struct software_start start = assert_starts(dir, version, SOFTWARE_NEW);

	software_try(&start);
}

static void
make_tried(char dir[256])
{
	make_upgraded(dir);
	leave();
	try_it(dir, "6.2.0");
	open_in(dir);
}

/* How many cuts there are. */
static unsigned
cut_everywhere(void (*make)(char *),
    void (*run)(const char *, enum vfs_power, uint64_t, unsigned),
    void (*found)(const char *), enum vfs_power how)
{
	unsigned nth = 0;
	bool cut = true;

	while (cut && nth < CUTS_MOST) {
		char dir[256];
		pid_t child;

		nth++;
		make(dir);
		leave();
		*told = false;
		child = child_fork();
		if (child == 0)
			run(dir, how, nth, nth);
		cut = child_was_killed(child, "the child");
		found(dir);
		bench_dir_remove(dir);
	}
	assert_true(!cut || CUTS_MOST < 1000);
	return nth - 1;
}

static void
test_a_power_cut_during_an_upgrade(void **state)
{
	unsigned least = CUTS_MOST < 10 ? 1 : 10;

	(void)state;
	assert_true(cut_everywhere(make_first, child_upgrades,
			assert_upgraded_or_not, VFS_DROP) >= least);
	assert_true(cut_everywhere(make_first, child_upgrades,
			assert_upgraded_or_not, VFS_TEAR) >= least);
}

static void
test_a_power_cut_during_a_rollback(void **state)
{
	unsigned least = CUTS_MOST < 10 ? 1 : 4;

	(void)state;
	assert_true(cut_everywhere(make_upgraded, child_rolls_back,
			assert_rolled_back_or_not, VFS_DROP) >= least);
	assert_true(cut_everywhere(make_upgraded, child_rolls_back,
			assert_rolled_back_or_not, VFS_TEAR) >= least);
}

static void
test_a_power_cut_while_it_falls_back(void **state)
{
	unsigned least = CUTS_MOST < 10 ? 1 : 4;

	(void)state;
	assert_true(cut_everywhere(make_tried, child_falls_back,
			assert_fallen_back_or_falls, VFS_DROP) >= least);
	assert_true(cut_everywhere(make_tried, child_falls_back,
			assert_fallen_back_or_falls, VFS_TEAR) >= least);
}

/* ---- the first start ---- */

static void
test_what_does_not_come_up_is_rolled_back(void **state)
{
	char event[SOFTWARE_EVENT_OCTETS];
	char dir[256];

	(void)state;
	make_first(dir);
	assert_ok(install("6.2.0p1"));
	account_put(&bench, "cid", false, 0);
	assert_ok(install("6.2.0p2"));
	leave();
	try_it(dir, "6.2.0p2");
	assert_starts_back(dir, "6.2.0p2", "6.2.0p1");
	open_in(dir);
	assert_ok(software_fall_back(bench.appliance.store, event));
	assert_string_equal(
	    event, "Version 6.2.0p2 did not come up; rolled back to 6.2.0p1");
	assert_runs("6.2.0p1", "");
	assert_true(has_account("ann") && has_account("cid"));
	assert_int_equal(set_aside(), 0);
	assert_err(roll_back(), ERR_FIELD);
	/* it may come again, and has one more start */
	assert_ok(install("6.2.0p2"));
	leave();
	assert_starts(dir, "6.2.0p2", SOFTWARE_NEW);
	bench_dir_remove(dir);
}

static void
test_what_came_up_once_is_trusted(void **state)
{
	char dir[256];

	(void)state;
	make_first(dir);
	software_trust(&bench.appliance);
	assert_ok(install("6.2.0"));
	leave();
	try_it(dir, "6.2.0");
	open_in(dir);
	software_trust(&bench.appliance);
	leave();
	assert_starts(dir, "6.2.0", SOFTWARE_TRUSTED);
	open_in(dir);
	assert_runs("6.2.0", VERSION);
	assert_int_equal(set_aside(), 3);
	assert_ok(roll_back());
	leave();
	bench_dir_remove(dir);
}

static void
test_without_a_way_back_it_starts_once_more(void **state)
{
	char path[SOFTWARE_PATH_OCTETS];
	unsigned oldest;
	char dir[256];

	(void)state;
	make_first(dir);
	assert_ok(install("6.2.0"));
	assert_ok(install("6.3.0"));
	assert_ok(store_oldest_reader(bench.appliance.store, &oldest));
	put_state((int64_t)oldest);
	leave();
	try_it(dir, "6.3.0");
	assert_starts_back(dir, "6.3.0", "6.2.0");
	/* the store became what 6.2.0 cannot read */
	open_in(dir);
	put_state((int64_t)oldest - 1);
	leave();
	assert_starts(dir, "6.3.0", SOFTWARE_TRUSTED);
	open_in(dir);
	put_state((int64_t)oldest);
	leave();
	assert_starts_back(dir, "6.3.0", "6.2.0");
	path_of(dir, "6.2.0", path);
	assert_int_equal(unlink(path), 0);
	assert_starts(dir, "6.3.0", SOFTWARE_TRUSTED);
	bench_dir_remove(dir);
}

static int
set_up(void **state)
{
	size_t k;

	(void)state;
	child_dirs_in_memory();
	told = child_share(sizeof(*told));
	assert_ok(ossl_init());
	vendor_make(&vendor, 2048, 7);
	assert_ok(package_trust_read(bytes_of_text(vendor.trust), &trust));
	for (k = 0; k < sizeof(content); k++)
		content[k] = (uint8_t)(k * 11 + (k >> 9));
	memcpy(content, "\177ELF", 4);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	package_trust_free(trust);
	vendor_clear(&vendor);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_upgrade_is_installed),
	    cmocka_unit_test(test_one_step_back_and_no_more),
	    cmocka_unit_test(test_another_delivery_has_been_installed_then),
	    cmocka_unit_test(test_what_starts_is_a_version),
	    cmocka_unit_test(test_what_cannot_go_back_is_told),
	    cmocka_unit_test(test_what_is_refused_changes_nothing),
	    cmocka_unit_test(test_one_that_is_dropped_was_nothing),
	    cmocka_unit_test(test_a_power_cut_during_an_upgrade),
	    cmocka_unit_test(test_a_power_cut_during_a_rollback),
	    cmocka_unit_test(test_a_power_cut_while_it_falls_back),
	    cmocka_unit_test(test_what_does_not_come_up_is_rolled_back),
	    cmocka_unit_test(test_what_came_up_once_is_trusted),
	    cmocka_unit_test(test_without_a_way_back_it_starts_once_more),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
