/*
 * The laboratory's lines, and faults as the calls of PKCS#11 meet them.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "card/rig_test.h"

static struct card_rig rig;

static int
set_up(void **state)
{
	(void)state;
	card_rig_init(&rig, CARD_K6);
	card_rig_on(&rig);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	card_rig_clear(&rig);
	return 0;
}

static void
only_the_laboratory_has_them(void **state)
{
	static const char *const lines[] = {"fault list", "tamper",
	    "battery remove", "decommission", "ped unplug", "fault cut nth=1",
	    "fault rng stuck"};
	struct card_status status;
	size_t k;

	(void)state;
	card_rig_off(&rig);
	rig.config.lab = false;
	rig.config.cut = 1; /* is not looked at */
	card_rig_on(&rig);
	for (k = 0; k < LENGTH(lines); k++)
		assert_string_equal(card_rig_lab(&rig, lines[k]),
		    "error not in the laboratory");
	card_status(rig.card, &status);
	assert_false(status.tampered || status.zeroized);
}

/* What is nobody's here may be another's: base/lab has lines too. */
static void
lines_of_others_are_not_answered(void **state)
{
	static const char *const lines[] = {"status", "clock", "power drop",
	    "faults", "tampered", "pedal", "fault disk-full on", ""};
	struct buf answer;
	size_t k;

	(void)state;
	buf_init(&answer, 1000);
	for (k = 0; k < LENGTH(lines); k++) {
		assert_int_equal(card_lab_command(rig.card, lines[k], &answer),
		    ERR_NOT_FOUND);
		assert_int_equal(answer.octets, 0);
	}
	buf_clear(&answer);
}

static void
what_is_not_understood_is_an_error(void **state)
{
	static const char *const lines[] = {"tamper lid", "battery",
	    "battery out", "decommission now", "ped", "ped pull",
	    "fault cut nth=0", "fault cut nth=", "fault cut 1",
	    "fault cut nth=1x", "fault link cut", "fault add op=C_Sign"};
	struct card_status status;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(lines); k++) {
		const char *answer;

		answer = card_rig_lab(&rig, lines[k]);
		if (strncmp(answer, "error ", 6) != 0)
			fail_msg("%s: %s", lines[k], answer);
	}
	card_status(rig.card, &status);
	assert_false(status.tampered || status.zeroized);
}

static void
a_fault_answers_for_its_call_once(void **state)
{
	CK_RV rv = CKR_OK;

	(void)state;
	assert_false(card_fault(rig.card, "C_Sign", &rv));
	assert_string_equal(
	    card_rig_lab(&rig, "fault add op=C_Sign nth=2 rv=CKR_DEVICE_ERROR"),
	    "ok");
	assert_false(card_fault(rig.card, "C_Sign", &rv));
	assert_true(card_fault(rig.card, "C_Sign", &rv));
	assert_int_equal(rv, CKR_DEVICE_ERROR);
	assert_false(card_fault(rig.card, "C_Sign", &rv));
	assert_string_equal(
	    card_rig_lab(&rig, "fault list"), "ok struck=1 rng=ok full=off");
}

/* A call that takes 5 ms ends when 5 ms have passed, and no sooner. */
static void *
slow_call(void *ctx)
{
	_Atomic bool *done = ctx;
	CK_RV rv;

	wait_errand_begin(rig.waits);
	assert_false(card_fault(rig.card, "C_Sign", &rv));
	*done = true;
	wait_errand_end(rig.waits);
	return NULL;
}

static void
latency_is_spent_in_virtual_time(void **state)
{
	_Atomic bool done = false;
	pthread_t thread;
	int64_t due_ms;

	(void)state;
	assert_string_equal(
	    card_rig_lab(&rig, "fault latency op=C_Sign ms=5"), "ok");
	assert_int_equal(pthread_create(&thread, NULL, slow_call, &done), 0);
	while (!wait_next_due(rig.waits, &due_ms))
		(void)wait_settled(rig.waits);
	assert_int_equal(due_ms, 5);
	card_rig_pass(&rig, 4);
	while (!wait_settled(rig.waits))
		;
	assert_false(done);
	card_rig_pass(&rig, 1);
	while (!wait_settled(rig.waits))
		;
	assert_true(done);
	pthread_join(thread, NULL);
}

/* The program ends: a call that hangs does not hold it up. */
static void
a_call_that_hangs_ends_with_the_program(void **state)
{
	CK_RV rv = CKR_OK;

	(void)state;
	assert_string_equal(
	    card_rig_lab(&rig, "fault latency op=* ms=3600000"), "ok");
	wait_room_close(rig.waits);
	assert_true(card_fault(rig.card, "C_Sign", &rv));
	assert_int_equal(rv, CKR_DEVICE_REMOVED);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(only_the_laboratory_has_them),
	    CASE(lines_of_others_are_not_answered),
	    CASE(what_is_not_understood_is_an_error),
	    CASE(a_fault_answers_for_its_call_once),
	    CASE(latency_is_spent_in_virtual_time),
	    CASE(a_call_that_hangs_ends_with_the_program),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/lab", tests, NULL, NULL);
}
