#include "card/battery.h"

#include <fcntl.h>

#include "card/rig_test.h"
#include "card/seal.h"

static struct card_rig rig; /* without a card */
static int dir_fd;
static struct steps steps;
static struct battery *battery;
static struct secret *key;
static uint8_t card_key[SEAL_KEY_OCTETS] = {1, 2, 3};
static const struct bytes half = {card_key, sizeof(card_key)};

static int
set_up(void **state)
{
	(void)state;
	card_rig_init(&rig, CARD_K6);
	dir_fd = open(rig.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(
	    secret_copy(TEXT("0123456789abcdef0123456789abcdef"), &key), OK);
	return battery_new(rig.rig.env, dir_fd, &steps, &battery) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	battery_free(battery);
	battery = NULL;
	secret_free(key);
	close(dir_fd);
	card_rig_clear(&rig);
	return 0;
}

static void
outage(int64_t ms)
{
	battery_free(battery);
	card_rig_pass(&rig, ms);
	assert_int_equal(
	    battery_new(rig.rig.env, dir_fd, &steps, &battery), OK);
}

static void
assert_holds(bool want, bool want_stopped, int64_t want_ms)
{
	struct secret *got = NULL;
	bool stopped;
	int64_t age_ms;
	bool holds = battery_holds(battery, &stopped, &age_ms);

	assert_int_equal(holds, want);
	if (!want) {
		assert_int_equal(
		    battery_open(battery, half, &got), ERR_NOT_FOUND);
		return;
	}
	assert_int_equal(stopped, want_stopped);
	assert_int_equal(age_ms, want_ms);
	assert_int_equal(battery_open(battery, half, &got), OK);
	assert_true(secret_equal(got, key));
	secret_free(got);
}

static void
it_holds_what_it_was_given(void **state)
{
	(void)state;
	assert_holds(false, false, 0);
	assert_int_equal(battery_stop(battery), OK); /* nothing to stop */
	assert_holds(false, false, 0);
	assert_int_equal(battery_hold(battery, half, key), OK);
	assert_holds(true, false, 0);
	outage(5000);
	assert_holds(true, false, 5000);
	assert_int_equal(battery_drop(battery), OK);
	assert_holds(false, false, 0);
	outage(0);
	assert_holds(false, false, 0);
}

/* The time is that since there was power last, which is noted as it passes. */
static void
its_time_runs_while_there_is_no_power(void **state)
{
	(void)state;
	assert_int_equal(battery_hold(battery, half, key), OK);
	card_rig_pass(&rig, 100000);
	battery_beat(battery);
	assert_holds(true, false, 0);
	outage(7000);
	assert_holds(true, false, 7000);
	battery_beat(battery);
	assert_holds(true, false, 0);
	outage(-1);
	assert_holds(true, false, -1);
}

static void
what_was_deactivated_ages_with_power_too(void **state)
{
	(void)state;
	assert_int_equal(battery_hold(battery, half, key), OK);
	assert_int_equal(battery_stop(battery), OK);
	card_rig_pass(&rig, 3000);
	battery_beat(battery);
	assert_holds(true, true, 3000);
	/* Once more does not start it anew. */
	assert_int_equal(battery_stop(battery), OK);
	assert_holds(true, true, 3000);
	outage(4000);
	assert_holds(true, true, 7000);
	assert_int_equal(battery_hold(battery, half, key), OK);
	assert_holds(true, false, 0);
}

static void
it_opens_to_its_card_only(void **state)
{
	static const uint8_t other[SEAL_KEY_OCTETS] = {9};
	struct secret *got;

	(void)state;
	assert_int_equal(battery_hold(battery, half, key), OK);
	assert_int_equal(
	    battery_open(battery, (struct bytes){other, sizeof(other)}, &got),
	    ERR_SEAL);
	assert_null(got);
}

/* Each octet but the time of power: a change is a dead battery. */
static void
a_damaged_file_holds_nothing(void **state)
{
	enum { TIME_AT = 152, ZEROS_AT = 148, OCTETS = 160 };
	uint8_t image[OCTETS];
	size_t k;

	(void)state;
	assert_int_equal(battery_hold(battery, half, key), OK);
	for (k = 0; k < OCTETS; k++) {
		bool stopped;
		int64_t age_ms;
		int fd = openat(dir_fd, "card.batt", O_RDWR);

		battery_free(battery);
		assert_int_equal(read(fd, image, OCTETS), OCTETS);
		image[k] ^= 0x10;
		assert_int_equal(pwrite(fd, image, OCTETS, 0), OCTETS);
		assert_int_equal(
		    battery_new(rig.rig.env, dir_fd, &steps, &battery), OK);
		if (battery_holds(battery, &stopped, &age_ms) !=
		    (k >= ZEROS_AT))
			fail_msg("octet %zu", k);
		close(fd);
		assert_int_equal(battery_hold(battery, half, key), OK);
	}
	assert_int_equal(TIME_AT + 8, OCTETS);
}

/* The one place that the check leaves out, since it is written all the time. */
static void
a_time_that_no_clock_has_is_a_dead_battery(void **state)
{
	enum { TIME_AT = 152 };
	static const struct {
		uint8_t first;
		bool holds;
	} cases[] = {{0x7f, true}, {0x80, false}, {0xff, false}};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		bool stopped;
		int64_t age_ms;
		int fd;

		assert_int_equal(battery_hold(battery, half, key), OK);
		battery_free(battery);
		fd = openat(dir_fd, "card.batt", O_RDWR);
		assert_int_equal(pwrite(fd, &cases[k].first, 1, TIME_AT), 1);
		close(fd);
		assert_int_equal(
		    battery_new(rig.rig.env, dir_fd, &steps, &battery), OK);
		if (battery_holds(battery, &stopped, &age_ms) != cases[k].holds)
			fail_msg("%02x", cases[k].first);
		assert_true(age_ms <= 0);
	}
}

/* Neither it nor the card's file has what is in it in clear. */
static void
it_is_sealed(void **state)
{
	uint8_t image[160];
	int fd;

	(void)state;
	assert_int_equal(battery_hold(battery, half, key), OK);
	fd = openat(dir_fd, "card.batt", O_RDONLY);
	assert_int_equal(read(fd, image, sizeof(image)), sizeof(image));
	close(fd);
	assert_null(memmem(image, sizeof(image), "0123456789", 10));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(it_holds_what_it_was_given),
	    CASE(its_time_runs_while_there_is_no_power),
	    CASE(what_was_deactivated_ages_with_power_too),
	    CASE(it_opens_to_its_card_only),
	    CASE(a_damaged_file_holds_nothing),
	    CASE(a_time_that_no_clock_has_is_a_dead_battery),
	    CASE(it_is_sealed),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/battery", tests, NULL, NULL);
}
