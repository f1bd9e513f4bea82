#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/env.h"

/* A source that counts: no octet comes twice within 255. */
struct source {
	uint8_t next;
	unsigned calls;
	size_t octets;
	bool fails;
};

static enum err
count_up(void *ctx, uint8_t *out, size_t octets)
{
	struct source *s = ctx;
	size_t k;

	s->calls++;
	s->octets += octets;
	for (k = 0; k < octets; k++)
		out[k] = s->fails ? 0xee : ++s->next;
	return s->fails ? ERR_ENTROPY : OK;
}

static struct env *
env_of(struct source *s)
{
	struct env *env;

	assert_int_equal(env_new(&env), OK);
	env_set_random(env, count_up, s);
	return env;
}

static void
public_octets_come_once_and_in_order(void **state)
{
	struct source s = {0};
	struct env *env = env_of(&s);
	uint8_t got[7];
	uint8_t want = 0;
	size_t k;
	size_t n;

	(void)state;
	/* several times what is drawn at a time, and no multiple of it: what
	 * is left over is not handed out together with what is new */
	for (n = 0; n < 1000; n++) {
		memset(got, 0, sizeof(got));
		assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
		if (n % 146 == 0)
			want = (uint8_t)(got[0] - 1);
		for (k = 0; k < sizeof(got); k++)
			assert_int_equal(got[k], ++want);
	}
	/* 146 times 7 octets of 1024 */
	assert_int_equal(s.calls, 7);
	env_free(env);
}

static void
secret_octets_are_never_drawn_in_advance(void **state)
{
	struct source s = {0};
	struct env *env = env_of(&s);
	uint8_t got[32];
	size_t drawn;

	(void)state;
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	drawn = s.octets;
	assert_int_equal(env_random(env, got, sizeof(got)), OK);
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.octets, drawn + sizeof(got));
	env_free(env);
}

static void
more_than_is_drawn_comes_from_the_source(void **state)
{
	static uint8_t got[5000];
	struct source s = {0};
	struct env *env = env_of(&s);

	(void)state;
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	assert_int_equal(s.octets, sizeof(got));
	assert_int_equal(got[sizeof(got) - 1], (uint8_t)sizeof(got));
	env_free(env);
}

/* Whatever lies ready. */
static void
a_broken_source_is_seen_at_once(void **state)
{
	static const uint8_t nothing[16];
	struct source s = {0};
	struct env *env = env_of(&s);
	uint8_t got[16];

	(void)state;
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	env_break_random(env, true);
	assert_int_equal(env_random_public(env, got, sizeof(got)), ERR_ENTROPY);
	assert_memory_equal(got, nothing, sizeof(got));
	env_break_random(env, false);
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	assert_int_equal(got[0], sizeof(got) + 1);
	assert_int_equal(s.calls, 1);
	env_free(env);
}

static void
a_draw_that_failed_is_not_handed_out(void **state)
{
	static const uint8_t nothing[16];
	struct source s = {.fails = true};
	struct env *env = env_of(&s);
	uint8_t got[16];
	int k;

	(void)state;
	for (k = 0; k < 3; k++) {
		memset(got, 0x11, sizeof(got));
		assert_int_equal(
		    env_random_public(env, got, sizeof(got)), ERR_ENTROPY);
		assert_memory_equal(got, nothing, sizeof(got));
	}
	s.fails = false;
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	assert_int_equal(got[0], 1);
	env_free(env);
}

static void
another_source_starts_afresh(void **state)
{
	struct source first = {0};
	struct source second = {.next = 100};
	struct env *env = env_of(&first);
	uint8_t got[4];

	(void)state;
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	env_set_random(env, count_up, &second);
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	assert_int_equal(got[0], 101);
	env_free(env);
}

/*
 * 1024 octets are drawn, and the source comes round after 256: what was handed
 * out was there four times.
 */
static void
what_was_handed_out_is_wiped_here(void **state)
{
	struct source s = {0};
	struct env *env = env_of(&s);
	const uint8_t *at = (const uint8_t *)env;
	uint8_t got[64];
	unsigned found = 0;
	size_t k;

	(void)state;
	assert_int_equal(env_random_public(env, got, sizeof(got)), OK);
	for (k = 0; k + sizeof(got) <= 1024; k++)
		found += memcmp(at + k, got, sizeof(got)) == 0;
	assert_int_equal(found, 3);
	env_free(env);
}

/* Between two readings of the machine's clocks little time passes. */
static void
assert_near(int64_t got_ms, int64_t want_ms)
{
	assert_in_range(got_ms - want_ms + 10000, 10000, 70000);
}

static void
elapsed_time_can_be_ahead_of_the_machines(void **state)
{
	struct env *env = env_of(&(struct source){0});
	int64_t elapsed_ms = env_elapsed_ms(env);
	int64_t wall_ms = env_wall_ms(env);

	(void)state;
	assert_int_equal(env_ahead_ms(env), 0);
	env_set_ahead_ms(env, 86400000);
	assert_int_equal(env_ahead_ms(env), 86400000);
	assert_near(env_elapsed_ms(env), elapsed_ms + 86400000);
	assert_near(env_wall_ms(env), wall_ms);
	/* and never goes back */
	env_set_ahead_ms(env, 86399999);
	assert_int_equal(env_ahead_ms(env), 86400000);
	env_free(env);
}

static void
wall_time_moves_alone(void **state)
{
	struct env *env = env_of(&(struct source){0});
	int64_t elapsed_ms = env_elapsed_ms(env);
	int64_t wall_ms = env_wall_ms(env);

	(void)state;
	env_set_wall_offset_ms(env, env_wall_offset_ms(env) + 3600000);
	assert_near(env_wall_ms(env), wall_ms + 3600000);
	assert_near(env_elapsed_ms(env), elapsed_ms);
	env_set_wall_s(env, 1000000000);
	assert_near(env_wall_ms(env), INT64_C(1000000000000));
	assert_near(env_elapsed_ms(env), elapsed_ms);
	env_free(env);
}

static void
a_boot_of_the_machine_has_one_name(void **state)
{
	struct env *env = env_of(&(struct source){0});
	char once[ENV_BOOT_OCTETS] = "?";
	char twice[ENV_BOOT_OCTETS] = "";

	(void)state;
	env_boot(env, once);
	env_boot(env, twice);
	assert_string_equal(once, twice);
	assert_int_equal(strlen(once), 36);
	assert_null(strchr(once, '\n'));
	env_free(env);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_octets_come_once_and_in_order),
	    cmocka_unit_test(secret_octets_are_never_drawn_in_advance),
	    cmocka_unit_test(more_than_is_drawn_comes_from_the_source),
	    cmocka_unit_test(a_broken_source_is_seen_at_once),
	    cmocka_unit_test(a_draw_that_failed_is_not_handed_out),
	    cmocka_unit_test(another_source_starts_afresh),
	    cmocka_unit_test(what_was_handed_out_is_wiped_here),
	    cmocka_unit_test(elapsed_time_can_be_ahead_of_the_machines),
	    cmocka_unit_test(wall_time_moves_alone),
	    cmocka_unit_test(a_boot_of_the_machine_has_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
