#include "card/fault.h"

#include "card/rig_test.h"

static struct faults *faults;

static int
set_up(void **state)
{
	(void)state;
	return faults_new(&faults) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	faults_free(faults);
	return 0;
}

static const char *
say(const char *words)
{
	static char text[2048];
	struct buf answer;

	buf_init(&answer, sizeof(text) - 1);
	assert_int_equal(faults_command(faults, words, &answer), OK);
	memcpy(text, answer.at, answer.octets);
	text[answer.octets] = '\0';
	buf_clear(&answer);
	return text;
}

/* CKR_OK: it does not fail. */
static CK_RV
call(const char *op)
{
	unsigned delay_ms;
	CK_RV rv = CKR_OK;

	return faults_strike(faults, op, &rv, &delay_ms) ? rv : CKR_OK;
}

static void
the_nth_call_fails_and_as_often_as_was_said(void **state)
{
	static const CK_RV wants[] = {
	    CKR_OK, CKR_OK, CKR_DEVICE_ERROR, CKR_DEVICE_ERROR, CKR_OK};
	size_t k;

	(void)state;
	assert_string_equal(
	    say("add op=C_WrapKey nth=3 times=2 rv=CKR_DEVICE_ERROR"), "ok");
	for (k = 0; k < LENGTH(wants); k++) {
		assert_int_equal(call("C_Sign"), CKR_OK);
		assert_int_equal(call("C_WrapKey"), wants[k]);
	}
	assert_string_equal(say("list"), "ok struck=2 rng=ok full=off");
}

/* Ordered: the first in the list goes first, the next has the next call. */
static void
of_two_for_one_call_the_first_strikes(void **state)
{
	(void)state;
	assert_string_equal(say("add op=* nth=1 rv=0x30"), "ok");
	assert_string_equal(
	    say("add op=C_Sign nth=1 rv=CKR_DEVICE_MEMORY"), "ok");
	assert_string_equal(say("list"),
	    "ok struck=0 rng=ok full=off add:op=*,nth=1,times=1,rv=0x30 "
	    "add:op=C_Sign,nth=1,times=1,rv=0x31");
	assert_int_equal(call("C_Sign"), CKR_DEVICE_ERROR);
	assert_int_equal(call("C_Sign"), CKR_DEVICE_MEMORY);
	assert_int_equal(call("C_Sign"), CKR_OK);
}

static void
latency_is_the_same_in_each_run(void **state)
{
	static unsigned first[8];
	CK_RV rv;
	unsigned delay_ms, run, k;

	(void)state;
	for (run = 0; run < 2; run++) {
		unsigned seen = 0;

		assert_string_equal(
		    say("latency op=C_Sign ms=5 jitter=2"), "ok");
		for (k = 0; k < LENGTH(first); k++) {
			assert_false(
			    faults_strike(faults, "C_Sign", &rv, &delay_ms));
			assert_in_range(delay_ms, 5, 7);
			seen |= 1u << (delay_ms - 5);
			if (run == 0)
				first[k] = delay_ms;
			assert_int_equal(delay_ms, first[k]);
		}
		assert_true(seen != 1 && seen != 2 && seen != 4);
		assert_false(faults_strike(faults, "C_Verify", &rv, &delay_ms));
		assert_int_equal(delay_ms, 0);
		faults_free(faults);
		assert_int_equal(faults_new(&faults), OK);
	}
}

static void
rng_and_full_stop_what_needs_them(void **state)
{
	static const struct {
		const char *op;
		CK_RV stuck, full;
	} cases[] = {
	    {"C_GenerateRandom", CKR_DEVICE_ERROR, CKR_OK},
	    {"C_GenerateKey", CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY},
	    {"C_GenerateKeyPair", CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY},
	    {"C_CreateObject", CKR_OK, CKR_DEVICE_MEMORY},
	    {"C_UnwrapKey", CKR_OK, CKR_DEVICE_MEMORY},
	    {"C_Sign", CKR_OK, CKR_OK},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_string_equal(say("rng stuck"), "ok");
		assert_true(faults_rng_stuck(faults));
		assert_int_equal(call(cases[k].op), cases[k].stuck);
		assert_string_equal(say("rng ok"), "ok");
		assert_string_equal(say("full on"), "ok");
		assert_int_equal(call(cases[k].op), cases[k].full);
		assert_string_equal(say("full off"), "ok");
		assert_int_equal(call(cases[k].op), CKR_OK);
	}
	assert_string_equal(say("rng stuck"), "ok");
	assert_string_equal(say("clear"), "ok");
	assert_false(faults_rng_stuck(faults));
	assert_int_equal(call("C_GenerateKey"), CKR_OK);
}

static void
what_is_not_understood_changes_nothing(void **state)
{
	static const char *const lines[] = {
	    "add",
	    "add op=C_Sign",
	    "add op=C_Sign nth=1",
	    "add op=C_Sign nth=0 rv=0x30",
	    "add op=C_Sign nth=1 rv=0",
	    "add op=C_Sign nth=1 rv=0x0",
	    "add op=C_Sign nth=1 rv=CKR_NONSENSE",
	    "add op=C_Sign nth=-1 rv=0x30",
	    "add op=C_Sign nth=1x rv=0x30",
	    "add op=C_Sign nth=1 nth=2 rv=0x30",
	    "add op=Sign nth=1 rv=0x30",
	    "add op=C_Sign nth=1 times=0 rv=0x30",
	    "add op=C_Sign nth=1 rv=0x30 why=not",
	    "add op=C_"
	    "ThisNameIsLongerThanAnyFunctionHas nth=1 rv=0x30",
	    "latency op=C_Sign",
	    "latency op=C_Sign ms=3600001",
	    "rng",
	    "rng stucked",
	    "full",
	    "full yes",
	};
	struct buf answer;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(lines); k++) {
		if (memcmp(say(lines[k]), "error", 5) != 0)
			fail_msg("%s", lines[k]);
	}
	assert_string_equal(say("list"), "ok struck=0 rng=ok full=off");
	buf_init(&answer, 100);
	assert_int_equal(
	    faults_command(faults, "cut nth=1", &answer), ERR_NOT_FOUND);
	assert_int_equal(answer.octets, 0);
	buf_clear(&answer);
}

static void
there_is_room_for_so_many(void **state)
{
	unsigned k;

	(void)state;
	for (k = 0; k < FAULTS_MAX; k++)
		assert_string_equal(say("add op=C_Sign nth=99 rv=0x30"), "ok");
	assert_string_equal(
	    say("latency op=C_Sign ms=1"), "error too many faults");
	assert_string_equal(say("clear"), "ok");
	assert_string_equal(say("latency op=C_Sign ms=1"), "ok");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(the_nth_call_fails_and_as_often_as_was_said),
	    CASE(of_two_for_one_call_the_first_strikes),
	    CASE(latency_is_the_same_in_each_run),
	    CASE(rng_and_full_stop_what_needs_them),
	    CASE(what_is_not_understood_changes_nothing),
	    CASE(there_is_room_for_so_many),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/fault", tests, NULL, NULL);
}
