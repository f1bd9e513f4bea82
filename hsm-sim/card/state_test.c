#include "card/state.h"

#include <fcntl.h>

#include "card/rig_test.h"

static struct state one, two;

/* Each octet of each field is something. */
static void
state_fill(struct state *s, unsigned slots)
{
	uint8_t *p = (uint8_t *)s;
	size_t k;

	memset(s, 0, sizeof(*s));
	for (k = 0; k < sizeof(*s); k++)
		p[k] = (uint8_t)(k % 251 + 1);
	s->model = CARD_LUNA7;
	s->slots = slots;
	s->initialized = s->zeroized = s->tampered = s->battery_out = true;
	s->has_rpv = s->so.lock.set = s->so.expired = s->domain.set = true;
	s->serial[STATE_SERIAL_OCTETS] = s->label[CARD_LABEL_OCTETS] = '\0';
	for (k = 0; k < CARD_SLOTS_MAX; k++) {
		struct state_partition *part = &s->partitions[k];
		size_t role;

		part->present = part->initialized = true;
		part->domain.set = part->challenge.set = true;
		part->label[CARD_LABEL_OCTETS] = '\0';
		part->serial[STATE_SERIAL_OCTETS] = '\0';
		part->token[STATE_SERIAL_OCTETS] = '\0';
		part->uuid[STATE_UUID_OCTETS] = '\0';
		for (role = 0; role < STATE_ROLES; role++)
			part->roles[role].lock.set = part->roles[role].expired =
			    true;
	}
}

static struct buf file;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&file, 1 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_clear(&file);
	return 0;
}

/* What was read, written once more, is what was written before. */
static void
what_is_written_is_read(void **state)
{
	static const unsigned slots[] = {0, 1, 2, CARD_SLOTS_MAX};
	struct buf again;
	size_t k;

	(void)state;
	buf_init(&again, 1 << 20);
	for (k = 0; k < LENGTH(slots); k++) {
		buf_reset(&file);
		buf_reset(&again);
		state_fill(&one, slots[k]);
		assert_int_equal(state_write(&one, &file), OK);
		assert_int_equal(state_read(buf_peek(&file), &two), OK);
		assert_int_equal(two.slots, slots[k]);
		assert_memory_equal(two.key, one.key, sizeof(one.key));
		assert_string_equal(two.label, one.label);
		assert_int_equal(two.so.failed_ms, one.so.failed_ms);
		assert_int_equal(two.so.lock.rounds, one.so.lock.rounds);
		assert_int_equal(state_write(&two, &again), OK);
		assert_true(bytes_equal(buf_peek(&file), buf_peek(&again)));
	}
	buf_clear(&again);
}

/* Each octet of it counts, and so does where it ends. */
static void
a_change_is_seen(void **state)
{
	size_t k;

	(void)state;
	state_fill(&one, 1);
	assert_int_equal(state_write(&one, &file), OK);
	for (k = 0; k < file.octets; k++) {
		file.at[k] ^= 0x10;
		assert_int_not_equal(state_read(buf_peek(&file), &two), OK);
		file.at[k] ^= 0x10;
	}
	for (k = 0; k < file.octets; k++)
		assert_int_not_equal(
		    state_read((struct bytes){file.at, k}, &two), OK);
	assert_int_equal(buf_put(&file, TEXT("x")), OK);
	assert_int_equal(state_read(buf_peek(&file), &two), ERR_TRAILING);
}

/* Sealed anew, so that the field itself is looked at. */
static enum err
read_with(size_t at, uint8_t octet)
{
	uint8_t was = file.at[at];
	struct bytes body = {file.at, file.octets - SEAL_CHECK_OCTETS};
	uint8_t *check = file.at + body.octets;
	enum err rc;

	file.at[at] = octet;
	assert_int_equal(seal_check(body, check), OK);
	rc = state_read(buf_peek(&file), &two);
	file.at[at] = was;
	assert_int_equal(seal_check(body, check), OK);
	return rc;
}

static void
versions_and_values_are_looked_at(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t octet;
		enum err want;
	} cases[] = {
	    {"as it is", 0, 'T', OK},
	    {"another file", 6, '2', ERR_VERSION},
	    {"a newer version that we can read", 9, 2, OK},
	    {"one that we cannot", 11, 2, ERR_VERSION},
	    {"a body that is longer", 15, 0xff, ERR_TRAILING},
	    {"a model there is not", 16, 2, ERR_VALUE},
	    {"a truth that is none", 16 + 1 + 16 + 32, 2, ERR_VALUE},
	};
	size_t k;

	(void)state;
	state_fill(&one, 1);
	assert_int_equal(state_write(&one, &file), OK);
	for (k = 0; k < LENGTH(cases); k++) {
		enum err got = read_with(cases[k].at, cases[k].octet);

		if (cases[k].want == ERR_TRAILING ? got == OK
						  : got != cases[k].want)
			fail_msg("%s: expected %s, got %s", cases[k].name,
			    err_name(cases[k].want), err_name(got));
	}
}

static void
more_slots_than_there_can_be_are_refused(void **state)
{
	(void)state;
	state_fill(&one, 1);
	one.slots = CARD_SLOTS_MAX + 1;
	assert_int_equal(state_write(&one, &file), ERR_VALUE);
}

/*
 * hsm-sim/card/kept has a file of each version that was ever released, made by
 * that release; each must still load.
 */
static void
files_of_old_releases_load(void **state)
{
	int dir_fd = open("hsm-sim/card/kept/1", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_true(dir_fd >= 0);
	assert_int_equal(state_load(dir_fd, &one), OK);
	close(dir_fd);
	assert_int_equal(one.model, CARD_K6);
	assert_true(one.initialized && one.has_rpv);
	assert_string_equal(one.label, "hsm");
	assert_int_equal(one.slots, 1);
	assert_string_equal(one.partitions[0].label, "keys");
	assert_true(one.partitions[0].challenge.set);
	assert_true(one.partitions[0].roles[CARD_USER].lock.set);
	assert_int_equal(one.partitions[0].roles[CARD_USER].failures, 1);
	assert_int_equal(one.partitions[0].policies[20], 10);
	assert_int_equal(one.partitions[0].policies[23], 1);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(what_is_written_is_read),
	    CASE(a_change_is_seen),
	    CASE(versions_and_values_are_looked_at),
	    CASE(more_slots_than_there_can_be_are_refused),
	    CASE(files_of_old_releases_load),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/state", tests, NULL, NULL);
}
