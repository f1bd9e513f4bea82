#include "device/hardware.h"

#include <sys/stat.h>

#include "device/rig_test.h"

struct test {
	struct bench bench;
	char path[300];
	struct hardware *hw;
	struct trap_watch watch;
	unsigned traps;
	enum trap trap; /* the last one */
	char text[80];
};

static struct test test;

static void
raised(void *ctx, enum trap trap, const char *text)
{
	struct test *t = ctx;

	t->traps++;
	t->trap = trap;
	(void)snprintf(t->text, sizeof(t->text), "%s", text);
}

static void
begin(struct test *t, const char *model, bool powered_on)
{
	const struct hardware_config config = {
	    .appliance = &t->bench.appliance,
	    .model = model,
	    .path = t->path,
	    .powered_on = powered_on,
	};

	hardware_free(t->hw);
	assert_ok(hardware_new(&config, &t->hw));
}

static int
setup(void **state)
{
	struct test *t = &test;

	memset(t, 0, sizeof(*t));
	bench_make(&t->bench);
	(void)snprintf(
	    t->path, sizeof(t->path), "%.255s/hardware", t->bench.dir);
	t->watch = (struct trap_watch){.raised = raised, .ctx = t};
	appliance_watch_traps(&t->bench.appliance, &t->watch);
	begin(t, "k460", true);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;

	hardware_free(t->hw);
	bench_remove(&t->bench);
	return 0;
}

/* NULL: no warning */
static void
supply_is(struct test *t, unsigned n, const char *status, const char *warning)
{
	const char *got = hardware_supply_warning(t->hw, n);

	assert_string_equal(hardware_supply_status(t->hw, n), status);
	assert_string_equal(
	    got != NULL ? got : "", warning != NULL ? warning : "");
}

static void
fans_are(struct test *t, const char *status, bool warns)
{
	assert_string_equal(hardware_fan_status(t->hw), status);
	assert_int_equal(hardware_fan_warning(t->hw) != NULL, warns);
	if (warns)
		assert_string_equal(hardware_fan_warning(t->hw),
		    "Fan failure; please contact support immediately.");
}

/* req: KS-26-011 KS-26-012 KS-26-013 KS-26-014 KS-26-015 KS-26-016 */
static void
test_a_supply_has_one_of_three_values(void **state)
{
	static const struct {
		enum supply is;
		const char *status;
		const char *warning;
	} cases[] = {
	    {SUPPLY_UNPLUGGED, "Not receiving power",
		"A power supply is not plugged in or is malfunctioning."},
	    {SUPPLY_OK, "Operational", NULL},
	    {SUPPLY_REMOVED, "Removed or damaged",
		"A power supply has been removed or damaged."},
	    {SUPPLY_DAMAGED, "Removed or damaged",
		"A power supply has been removed or damaged."},
	    {SUPPLY_OK, "Operational", NULL},
	};
	struct test *t = *state;
	size_t k;

	supply_is(t, 0, "Operational", NULL);
	supply_is(t, 1, "Operational", NULL);
	for (k = 0; k < LENGTH(cases); k++) {
		assert_ok(hardware_set_supply(t->hw, 1, cases[k].is));
		supply_is(t, 1, cases[k].status, cases[k].warning);
		supply_is(t, 0, "Operational", NULL);
	}
}

/* Whatever was there before it was of this model. req: KS-26-010 */
static void
test_what_runs_has_power(void **state)
{
	struct test *t = *state;

	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_REMOVED));
	begin(t, "k150", true);
	supply_is(t, 0, "Operational", NULL);
}

/* What a management station is to be told; nobody tells one yet. */
static void
test_each_change_of_a_status_raises_one_trap(void **state)
{
	struct test *t = *state;

	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_UNPLUGGED));
	assert_int_equal(t->traps, 1);
	assert_int_equal(t->trap, TRAP_POWER_SUPPLY);
	assert_string_equal(t->text, "Power supply 1: Not receiving power");
	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_UNPLUGGED));
	assert_int_equal(t->traps, 1);
	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_DAMAGED));
	assert_int_equal(t->traps, 2);
	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_REMOVED));
	assert_int_equal(t->traps, 2);
	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_OK));
	assert_int_equal(t->traps, 3);
	assert_string_equal(t->text, "Power supply 1: Operational");
}

/* The same of a fan. */
static void
test_a_fan_that_fails_raises_a_trap(void **state)
{
	struct test *t = *state;

	assert_ok(hardware_set_fan(t->hw, 1, FAN_STOPPED));
	assert_int_equal(t->traps, 1);
	assert_int_equal(t->trap, TRAP_FAN);
	assert_string_equal(t->text, "Fan 2: Failure");
	assert_ok(hardware_set_fan(t->hw, 1, FAN_BROKEN));
	assert_ok(hardware_set_fan(t->hw, 1, FAN_OK));
	assert_int_equal(t->traps, 1);
}

/* req: KS-26-019 KS-26-020 KS-26-021 */
static void
test_one_fan_is_enough_for_a_failure(void **state)
{
	static const enum fan states[] = {FAN_STOPPED, FAN_UNFED, FAN_BROKEN};
	struct test *t = *state;
	size_t k;

	fans_are(t, "Operational", false);
	for (k = 0; k < LENGTH(states); k++) {
		assert_ok(hardware_set_fan(t->hw, 0, states[k]));
		fans_are(t, "Failure", true);
		assert_ok(hardware_set_fan(t->hw, 1, states[k]));
		assert_ok(hardware_set_fan(t->hw, 0, FAN_OK));
		fans_are(t, "Failure", true);
		assert_ok(hardware_set_fan(t->hw, 1, FAN_OK));
		fans_are(t, "Operational", true);
	}
}

/* req: KS-26-022 KS-26-023 */
static void
test_the_warning_goes_with_the_fault_and_the_power(void **state)
{
	struct test *t = *state;

	assert_ok(hardware_set_fan(t->hw, 0, FAN_BROKEN));
	/* power without repair, repair without power, and both */
	begin(t, "k460", true);
	fans_are(t, "Failure", true);
	assert_ok(hardware_set_fan(t->hw, 0, FAN_OK));
	fans_are(t, "Operational", true);
	begin(t, "k460", false);
	fans_are(t, "Operational", true);
	begin(t, "k460", true);
	fans_are(t, "Operational", false);
	begin(t, "k460", false);
	fans_are(t, "Operational", false);
}

static void
test_harm_outlives_the_process(void **state)
{
	struct test *t = *state;

	assert_ok(hardware_set_supply(t->hw, 1, SUPPLY_REMOVED));
	assert_ok(hardware_set_fan(t->hw, 1, FAN_STOPPED));
	t->traps = 0;
	begin(t, "k460", true);
	supply_is(t, 0, "Operational", NULL);
	supply_is(t, 1, "Removed or damaged",
	    "A power supply has been removed or damaged.");
	fans_are(t, "Failure", true);
	/* it is no change */
	assert_int_equal(t->traps, 0);
	/* what the model does not have is nothing to it */
	begin(t, "k150", true);
	assert_int_equal(hardware_supplies(t->hw), 1);
	supply_is(t, 0, "Operational", NULL);
}

/* req: KS-AB-053 KS-26-010 */
static void
test_models_have_their_supplies(void **state)
{
	static const struct {
		const char *model;
		unsigned supplies;
	} cases[] = {
	    {"k460", 2}, {"i460", 2}, {"i450", 2}, {"k150", 1}, {"i150", 1}};
	const struct hardware_config none = {.model = "k470"};
	struct test *t = *state;
	struct hardware *hw = NULL;
	size_t k;

	for (k = 0; k < LENGTH(cases); k++) {
		begin(t, cases[k].model, true);
		assert_int_equal(hardware_supplies(t->hw), cases[k].supplies);
		assert_true(hardware_supplies(t->hw) <= HARDWARE_SUPPLIES_MOST);
		assert_err(
		    hardware_set_supply(t->hw, cases[k].supplies, SUPPLY_OK),
		    ERR_NOT_FOUND);
		assert_err(hardware_set_fan(t->hw, HARDWARE_FANS_MOST, FAN_OK),
		    ERR_NOT_FOUND);
	}
	assert_err(hardware_new(&none, &hw), ERR_CONFIG);
	assert_null(hw);
}

/* req: KS-26-007 */
static void
test_the_last_supply_with_power_is_the_devices(void **state)
{
	struct test *t = *state;

	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_DAMAGED));
	assert_err(
	    hardware_set_supply(t->hw, 1, SUPPLY_UNPLUGGED), ERR_FEATURE);
	supply_is(t, 1, "Operational", NULL);
	/* the other may change as it likes */
	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_UNPLUGGED));
	assert_ok(hardware_set_supply(t->hw, 0, SUPPLY_OK));
	assert_ok(hardware_set_supply(t->hw, 1, SUPPLY_UNPLUGGED));
	begin(t, "k150", true);
	assert_err(
	    hardware_set_supply(t->hw, 0, SUPPLY_UNPLUGGED), ERR_FEATURE);
}

static void
test_a_file_that_says_nonsense_harms_nothing(void **state)
{
	struct test *t = *state;
	FILE *file = fopen(t->path, "w");

	assert_non_null(file);
	assert_true(fputs("supply 0 removed\nsupply 3 removed\nfan x\nfan 9 "
			  "broken\nsupply 1 gone\n\nfan-warnings\n",
			file) >= 0);
	assert_int_equal(fclose(file), 0);
	begin(t, "k460", false);
	supply_is(t, 0, "Operational", NULL);
	supply_is(t, 1, "Operational", NULL);
	fans_are(t, "Operational", false);
}

/* req: KS-25-003 */
static void
test_the_box_id_is_made_once(void **state)
{
	struct test *t = *state;
	char path[300];
	char first[32];
	struct hardware_config config = {
	    .appliance = &t->bench.appliance, .model = "k460"};
	struct hardware *hw;
	unsigned k;

	/* one that has no place for it has none */
	assert_string_equal(hardware_box_id(t->hw), "");
	(void)snprintf(path, sizeof(path), "%.255s/box-id", t->bench.dir);
	config.box_path = path;
	for (k = 0; k < 2; k++) {
		assert_ok(hardware_new(&config, &hw));
		if (k == 0)
			(void)snprintf(
			    first, sizeof(first), "%s", hardware_box_id(hw));
		assert_int_equal(strlen(first), strlen("TS-01234567"));
		assert_string_equal(hardware_box_id(hw), first);
		hardware_free(hw);
	}
	/* another device has another one */
	assert_int_equal(unlink(path), 0);
	assert_ok(hardware_new(&config, &hw));
	assert_string_not_equal(hardware_box_id(hw), first);
	hardware_free(hw);
	assert_int_equal(truncate(path, 5), 0);
	assert_err(hardware_new(&config, &hw), ERR_CONFIG);
	assert_int_equal(truncate(path, 0), 0);
	assert_err(hardware_new(&config, &hw), ERR_CONFIG);
}

int
main(void)
{
#define HARDWARE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    HARDWARE_TEST(test_a_supply_has_one_of_three_values),
	    HARDWARE_TEST(test_what_runs_has_power),
	    HARDWARE_TEST(test_each_change_of_a_status_raises_one_trap),
	    HARDWARE_TEST(test_a_fan_that_fails_raises_a_trap),
	    HARDWARE_TEST(test_one_fan_is_enough_for_a_failure),
	    HARDWARE_TEST(test_the_warning_goes_with_the_fault_and_the_power),
	    HARDWARE_TEST(test_harm_outlives_the_process),
	    HARDWARE_TEST(test_models_have_their_supplies),
	    HARDWARE_TEST(test_the_last_supply_with_power_is_the_devices),
	    HARDWARE_TEST(test_a_file_that_says_nonsense_harms_nothing),
	    HARDWARE_TEST(test_the_box_id_is_made_once),
	};
#undef HARDWARE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
