#include "device/service.h"

#include "base/mem.h"
#include "device/rig_test.h"

/* A service that comes and goes as the test lets it. */
struct fake {
	struct services *services;
	bool at_once; /* settles while it is called */
	enum err rc;
	unsigned starts;
	unsigned stops;
};

struct test {
	struct bench bench;
	struct services *services;
	struct fake fake;
};

static enum err
fake_start(void *ctx)
{
	struct fake *fake = ctx;

	fake->starts++;
	if (fake->rc == OK && fake->at_once)
		service_started(fake->services, SERVICE_SSH);
	return fake->rc;
}

static void
fake_stop(void *ctx)
{
	struct fake *fake = ctx;

	fake->stops++;
	if (fake->at_once)
		service_stopped(fake->services, SERVICE_SSH);
}

static void
open_services(struct test *t)
{
	const struct service_functions functions = {
	    .start = fake_start, .stop = fake_stop, .ctx = &t->fake};

	assert_ok(services_new(&t->bench.appliance, &t->services));
	t->fake = (struct fake){.services = t->services};
	service_offer(t->services, SERVICE_SSH, &functions);
}

static int
setup(void **state)
{
	struct test *t;

	assert_ok(MEM_NEW(t));
	*state = t;
	bench_make(&t->bench);
	open_services(t);
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;

	if (t == NULL)
		return 0;
	services_free(t->services);
	bench_remove(&t->bench);
	mem_free(t);
	return 0;
}

/* The device starts anew. */
static void
reboot(struct test *t)
{
	services_free(t->services);
	store_close(t->bench.appliance.store);
	bench_open(&t->bench);
	open_services(t);
}

static void
assert_shown(struct test *t, const char *want)
{
	assert_string_equal(
	    service_status_text(service_status(t->services, SERVICE_SSH)),
	    want);
}

static void
assert_calls(struct test *t, unsigned starts, unsigned stops)
{
	assert_int_equal(t->fake.starts, starts);
	assert_int_equal(t->fake.stops, stops);
}

/* req: KS-24-011 */
static void
test_a_service_is_shown_on_its_way(void **state)
{
	struct test *t = *state;
	struct services *s = t->services;

	assert_shown(t, "Stopped");
	assert_ok(service_start(s, SERVICE_SSH));
	assert_shown(t, "Starting...");
	service_started(s, SERVICE_SSH);
	assert_shown(t, "Started");
	assert_calls(t, 1, 0);

	assert_ok(service_restart(s, SERVICE_SSH));
	assert_shown(t, "Restarting...");
	assert_calls(t, 1, 1);
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Restarting...");
	assert_calls(t, 2, 1);
	service_started(s, SERVICE_SSH);
	assert_shown(t, "Started");

	assert_ok(service_stop(s, SERVICE_SSH));
	assert_shown(t, "Stopping...");
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Stopped");
	assert_calls(t, 2, 2);
}

static void
test_one_that_settles_at_once_is_there_at_once(void **state)
{
	struct test *t = *state;

	t->fake.at_once = true;
	assert_ok(service_start(t->services, SERVICE_SSH));
	assert_shown(t, "Started");
	assert_ok(service_restart(t->services, SERVICE_SSH));
	assert_shown(t, "Started");
	assert_calls(t, 2, 1);
	assert_ok(service_stop(t->services, SERVICE_SSH));
	assert_shown(t, "Stopped");
}

static void
test_what_is_so_already_is_refused(void **state)
{
	struct test *t = *state;
	struct services *s = t->services;

	assert_err(service_stop(s, SERVICE_SSH), ERR_FIELD);
	assert_ok(service_start(s, SERVICE_SSH));
	assert_err(service_start(s, SERVICE_SSH), ERR_FIELD);
	service_started(s, SERVICE_SSH);
	assert_err(service_start(s, SERVICE_SSH), ERR_FIELD);
	assert_ok(service_stop(s, SERVICE_SSH));
	assert_err(service_stop(s, SERVICE_SSH), ERR_FIELD);
	assert_calls(t, 1, 1);
	service_stopped(s, SERVICE_SSH);
	/* a restart of what is stopped is a start */
	assert_ok(service_restart(s, SERVICE_SSH));
	assert_shown(t, "Starting...");
	service_started(s, SERVICE_SSH);
	assert_ok(service_restart(s, SERVICE_SSH));
	assert_err(service_restart(s, SERVICE_SSH), ERR_FIELD);
	assert_err(service_start(s, SERVICE_SSH), ERR_FIELD);
	assert_calls(t, 2, 2);
}

static void
test_one_that_is_not_there_yet_says_so(void **state)
{
	struct test *t = *state;
	struct services *s = t->services;

	assert_string_equal(service_status_text(service_status(s, SERVICE_WEB)),
	    "Not available");
	assert_err(service_start(s, SERVICE_WEB), ERR_FEATURE);
	assert_err(service_stop(s, SERVICE_WEB), ERR_FEATURE);
	assert_err(service_restart(s, SERVICE_WEB), ERR_FEATURE);
	services_start(s); /* though its startup is enabled */
	assert_int_equal(service_status(s, SERVICE_WEB), SERVICE_ABSENT);
}

static void
test_a_second_thought_on_the_way(void **state)
{
	struct test *t = *state;
	struct services *s = t->services;

	/* stopped before it is started: that it is started comes too late */
	assert_ok(service_start(s, SERVICE_SSH));
	assert_ok(service_stop(s, SERVICE_SSH));
	service_started(s, SERVICE_SSH);
	assert_shown(t, "Stopping...");
	/* started before it is stopped */
	assert_ok(service_start(s, SERVICE_SSH));
	assert_shown(t, "Restarting...");
	assert_calls(t, 1, 1);
	/* and stopped all the same */
	assert_ok(service_stop(s, SERVICE_SSH));
	assert_shown(t, "Stopping...");
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Stopped");
	assert_calls(t, 1, 1);
	/* stopped while it comes up again */
	assert_ok(service_start(s, SERVICE_SSH));
	service_started(s, SERVICE_SSH);
	assert_ok(service_restart(s, SERVICE_SSH));
	service_stopped(s, SERVICE_SSH);
	assert_ok(service_stop(s, SERVICE_SSH));
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Stopped");
	assert_calls(t, 3, 3);
}

static void
test_one_that_cannot_start_is_stopped(void **state)
{
	struct test *t = *state;
	struct services *s = t->services;

	t->fake.rc = ERR_SYSTEM;
	assert_err(service_start(s, SERVICE_SSH), ERR_SYSTEM);
	assert_shown(t, "Stopped");
	/* later, or by itself */
	t->fake.rc = OK;
	assert_ok(service_start(s, SERVICE_SSH));
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Stopped");
	assert_ok(service_start(s, SERVICE_SSH));
	service_started(s, SERVICE_SSH);
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Stopped");
	/* in a restart */
	assert_ok(service_start(s, SERVICE_SSH));
	service_started(s, SERVICE_SSH);
	t->fake.rc = ERR_SYSTEM;
	assert_ok(service_restart(s, SERVICE_SSH));
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Stopped");
	service_stopped(s, SERVICE_SSH); /* nothing comes of it */
	assert_calls(t, 5, 1);
	/* or on the way up of one: it is not tried for ever */
	t->fake.rc = OK;
	assert_ok(service_start(s, SERVICE_SSH));
	service_started(s, SERVICE_SSH);
	assert_ok(service_restart(s, SERVICE_SSH));
	service_stopped(s, SERVICE_SSH);
	assert_calls(t, 7, 2);
	service_stopped(s, SERVICE_SSH);
	assert_shown(t, "Stopped");
	assert_calls(t, 7, 2);
}

/* req: KS-24-013 KS-24-014 */
static void
test_startup_is_kept_and_done(void **state)
{
	static const struct {
		bool enabled;
		unsigned starts;
	} steps[] = {{false, 0}, {true, 1}, {false, 0}};
	struct test *t = *state;
	size_t k;

	/* on a new device it is enabled */
	services_start(t->services);
	assert_calls(t, 1, 0);
	for (k = 0; k < LENGTH(steps); k++) {
		unsigned starts = t->fake.starts;

		assert_ok(service_keep_startup(
		    t->services, SERVICE_SSH, steps[k].enabled));
		assert_ok(store_commit(t->bench.appliance.store));
		/* what runs goes on, what is stopped stays so */
		assert_calls(t, starts, 0);
		reboot(t);
		assert_int_equal(service_startup(t->services, SERVICE_SSH),
		    steps[k].enabled);
		services_start(t->services);
		assert_calls(t, steps[k].starts, 0);
	}
}

static void
test_startup_that_cannot_be_read_is_not_enabled(void **state)
{
	struct test *t = *state;

	assert_ok(record_put(t->bench.appliance.store, "service",
	    bytes_of_text("ssh"), bytes_of_text("enabled or some such thing")));
	assert_false(service_startup(t->services, SERVICE_SSH));
	services_start(t->services);
	assert_calls(t, 0, 0);
}

static void
test_new_devices_start_what_the_table_says(void **state)
{
	struct test *t = *state;
	unsigned k;

	for (k = 0; k < SERVICE_COUNT; k++)
		assert_int_equal(service_startup(t->services, (enum service)k),
		    service_row((enum service)k)->startup);
	assert_true(service_startup(t->services, SERVICE_KEY_SERVER));
	assert_false(service_startup(t->services, SERVICE_SNMP));
}

static void
test_services_are_found_by_their_word(void **state)
{
	static const struct {
		const char *word;
		size_t octets;
		bool found;
		enum service want;
	} rows[] = {
	    {"key-server", 10, true, SERVICE_KEY_SERVER},
	    {"k", 1, true, SERVICE_KEY_SERVER},
	    {"ssh", 3, true, SERVICE_SSH},
	    {"sn", 2, true, SERVICE_SNMP},
	    {"s", 1, false, 0},
	    {"", 0, false, 0},
	    {"ssh2", 4, false, 0},
	    {"ssh\0", 4, false, 0},
	    {"SSH", 3, false, 0},
	};
	enum service got;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		struct bytes word = {
		    (const uint8_t *)rows[k].word, rows[k].octets};

		assert_int_equal(service_find(word, &got), rows[k].found);
		if (rows[k].found)
			assert_int_equal(got, rows[k].want);
	}
	/* the guide's names */
	assert_string_equal(
	    service_row(SERVICE_KEY_SERVER)->name, "NAE Server");
	assert_string_equal(service_row(SERVICE_SNMP)->name, "SNMP Agent");
	assert_string_equal(
	    service_row(SERVICE_SSH)->name, "SSH Administration");
	assert_string_equal(
	    service_row(SERVICE_WEB)->name, "Web Administration");
}

#define SERVICE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SERVICE_TEST(test_a_service_is_shown_on_its_way),
	    SERVICE_TEST(test_one_that_settles_at_once_is_there_at_once),
	    SERVICE_TEST(test_what_is_so_already_is_refused),
	    SERVICE_TEST(test_one_that_is_not_there_yet_says_so),
	    SERVICE_TEST(test_a_second_thought_on_the_way),
	    SERVICE_TEST(test_one_that_cannot_start_is_stopped),
	    SERVICE_TEST(test_startup_is_kept_and_done),
	    SERVICE_TEST(test_startup_that_cannot_be_read_is_not_enabled),
	    SERVICE_TEST(test_new_devices_start_what_the_table_says),
	    SERVICE_TEST(test_services_are_found_by_their_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
