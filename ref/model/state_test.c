#include "model/state.h"

#include "model/cmocka_test.h"

/* spec: kmip-1.4 3.22, kmip-2.1 4.57  the transitions, by their numbers there;
 * all others are refused */
static const struct {
	const char *number;
	uint32_t now;
	enum event event;
	uint32_t then;
} transitions[] = {
    {"2", STATE_PRE_ACTIVE, EVENT_DESTROY, STATE_DESTROYED},
    {"3", STATE_PRE_ACTIVE, EVENT_COMPROMISE, STATE_COMPROMISED},
    {"4", STATE_PRE_ACTIVE, EVENT_ACTIVATE, STATE_ACTIVE},
    {"5", STATE_ACTIVE, EVENT_COMPROMISE, STATE_COMPROMISED},
    {"6", STATE_ACTIVE, EVENT_DEACTIVATE, STATE_DEACTIVATED},
    {"7", STATE_DEACTIVATED, EVENT_DESTROY, STATE_DESTROYED},
    {"8", STATE_DEACTIVATED, EVENT_COMPROMISE, STATE_COMPROMISED},
    {"9", STATE_COMPROMISED, EVENT_DESTROY, STATE_DESTROYED_COMPROMISED},
    {"10", STATE_DESTROYED, EVENT_COMPROMISE, STATE_DESTROYED_COMPROMISED},
};

static uint32_t
listed(uint32_t now, enum event event)
{
	for (size_t i = 0; i < LENGTH(transitions); i++)
		if (transitions[i].now == now && transitions[i].event == event)
			return transitions[i].then;
	return 0;
}

static void
test_only_the_listed_transitions_happen(void **state)
{
	size_t done = 0;

	(void)state;
	/* on both sides of what is a state, too */
	for (uint32_t now = 0; now <= STATE_DESTROYED_COMPROMISED + 1; now++)
		for (enum event e = 0; e < EVENT_COUNT; e++) {
			uint32_t want = listed(now, e);
			uint32_t then = 77;
			enum err rc = state_next(now, e, &then);

			if (rc != (want != 0 ? OK : ERR_LIFECYCLE) ||
			    then != (want != 0 ? want : 77))
				fail_msg("state %u, event %d: expected %u, "
					 "got %s, %u",
				    now, (int)e, want, err_name(rc), then);
			done += want != 0;
		}
	assert_int_equal(done, LENGTH(transitions));
}

/* spec: kmip-1.4 3.22 */
static const struct {
	uint32_t state;
	bool protect;
	bool process;
} uses[] = {
    {0, false, false},
    {STATE_PRE_ACTIVE, false, false},
    {STATE_ACTIVE, true, true},
    {STATE_DEACTIVATED, false, true},
    {STATE_COMPROMISED, false, true},
    {STATE_DESTROYED, false, false},
    {STATE_DESTROYED_COMPROMISED, false, false},
};

static void
test_a_state_says_what_a_key_may_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(uses); i++)
		if (state_allows_protect(uses[i].state) != uses[i].protect ||
		    state_allows_process(uses[i].state) != uses[i].process)
			fail_msg("state %u", uses[i].state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_the_listed_transitions_happen),
	    cmocka_unit_test(test_a_state_says_what_a_key_may_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
