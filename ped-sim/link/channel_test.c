#include "link/channel.h"

#include "ikey/sample_test.h"

/*
 * Both ends with known keys: 32 times 11 hex the card's, 22 the PED's. What
 * they send was worked out by Python's cryptography from channel.h.
 */
static const char hello_card[] =
    "0027 545350454431 43"
    "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13";
static const char hello_ped[] =
    "0027 545350454431 50"
    "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20";
static const char *const from_card[] = {
    "0023 81d600f48d05a45aa7726a77e682cdcdb780b2"
    "ccdfa8a5995cdd6e15c09d0e71d880b0",
    "0023 f607c76be03bb8374649c9e5fc9fa57e74a6af"
    "f4c66f1842d5d62d5ef58f5eddc4ba8d",
};
static const char from_ped[] = "0012 4d18 1ee235ea9626dcd50c52448583487b7c";
static const char idle[] = "Awaiting command...";

struct pair {
	struct env *env;
	uint8_t octet;
	struct bytes chosen;
	struct channel *card, *ped;
	struct buf wire, room;
};

static struct channel *
end_of(struct pair *p, enum channel_side side, uint8_t octet)
{
	struct channel *ch;

	p->octet = octet;
	assert_int_equal(channel_new(p->env, side, &ch), OK);
	return ch;
}

static void
pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->chosen = (struct bytes){&p->octet, 1};
	assert_int_equal(env_new(&p->env), OK);
	env_set_random(p->env, chosen_random, &p->chosen);
	p->card = end_of(p, CHANNEL_CARD, 0x11);
	p->ped = end_of(p, CHANNEL_PED, 0x22);
	buf_init(&p->wire, 1 << 16);
	buf_init(&p->room, 1 << 16);
}

static void
pair_clear(struct pair *p)
{
	buf_clear(&p->wire);
	buf_clear(&p->room);
	channel_free(p->card);
	channel_free(p->ped);
	env_free(p->env);
}

/* One frame of hex, taken by `ch`. */
static enum err
take_hex(
    struct pair *p, struct channel *ch, const char *hex, struct bytes *message)
{
	uint8_t frame[1024];
	size_t octets = hex_read(hex, frame, sizeof(frame));

	return channel_take(
	    ch, (struct bytes){frame, octets}, &p->room, message);
}

static void
pair_open(struct pair *p)
{
	struct bytes none;

	pair_init(p);
	assert_int_equal(take_hex(p, p->card, hello_ped, &none), OK);
	assert_int_equal(take_hex(p, p->ped, hello_card, &none), OK);
}

static void
both_ends_say_what_another_implementation_says(void **state)
{
	struct bytes message;
	struct pair p;
	size_t k;

	(void)state;
	pair_init(&p);
	assert_int_equal(channel_hello(p.card, &p.wire), OK);
	assert_hex(buf_peek(&p.wire), hello_card);
	buf_reset(&p.wire);
	assert_int_equal(channel_hello(p.ped, &p.wire), OK);
	assert_hex(buf_peek(&p.wire), hello_ped);
	assert_false(channel_is_open(p.card));
	assert_int_equal(take_hex(&p, p.card, hello_ped, &message), OK);
	assert_int_equal(message.octets, 0);
	assert_true(channel_is_open(p.card));
	assert_int_equal(take_hex(&p, p.ped, hello_card, &message), OK);
	for (k = 0; k < LENGTH(from_card); k++) {
		buf_reset(&p.wire);
		assert_int_equal(
		    channel_put(p.card, bytes_of_text(idle), &p.wire), OK);
		assert_hex(buf_peek(&p.wire), from_card[k]);
		assert_int_equal(
		    take_hex(&p, p.ped, from_card[k], &message), OK);
		assert_true(bytes_equal_text(message, idle));
	}
	buf_reset(&p.wire);
	assert_int_equal(channel_put(p.ped, bytes_of_text("OK"), &p.wire), OK);
	assert_hex(buf_peek(&p.wire), from_ped);
	assert_int_equal(take_hex(&p, p.card, from_ped, &message), OK);
	assert_true(bytes_equal_text(message, "OK"));
	pair_clear(&p);
}

static void
the_same_words_never_look_the_same(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_put(p.card, bytes_of_text(idle), &p.wire), OK);
	assert_int_equal(channel_put(p.card, bytes_of_text(idle), &p.wire), OK);
	assert_int_equal(p.wire.octets % 2, 0);
	assert_memory_not_equal(
	    p.wire.at + 2, p.wire.at + p.wire.octets / 2 + 2, sizeof(idle) - 1);
	assert_null(memmem(p.wire.at, p.wire.octets, "command", 7));
	pair_clear(&p);
}

/* ---- frames that are not the next one ---- */

/* Which of the card's frames the PED gets, and how the last one fares. */
/* clang-format off */
static const struct {
	const char *name;
	unsigned frames[3];
	unsigned count;
	enum err want;
} orders[] = {
	{ "in order",           { 0, 1, 2 }, 3, OK },
	{ "the first is lost",  { 1 },       1, ERR_SEAL },
	{ "the second is lost", { 0, 2 },    2, ERR_SEAL },
	{ "one comes twice",    { 0, 0 },    2, ERR_SEAL },
	{ "an old one",         { 0, 1, 0 }, 3, ERR_SEAL },
};
/* clang-format on */

static void
a_frame_out_of_order_ends_the_channel(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(orders); k++) {
		struct bytes frames[3];
		struct bytes message;
		struct pair p;
		unsigned n;
		enum err rc = OK;

		print_message("%s\n", orders[k].name);
		pair_open(&p);
		for (n = 0; n < 3; n++)
			assert_int_equal(
			    channel_put(p.card, bytes_of_text(idle), &p.wire),
			    OK);
		for (n = 0; n < 3; n++)
			frames[n] =
			    (struct bytes){p.wire.at + n * p.wire.octets / 3,
				p.wire.octets / 3};
		for (n = 0; n < orders[k].count; n++) {
			assert_int_equal(rc, OK);
			rc = channel_take(p.ped, frames[orders[k].frames[n]],
			    &p.room, &message);
		}
		assert_int_equal(rc, orders[k].want);
		if (rc != OK) {
			/* not even the frame that was due is taken now */
			assert_int_equal(message.octets, 0);
			assert_int_equal(p.room.octets, 0);
			assert_int_equal(
			    channel_take(p.ped, frames[orders[k].count - 1],
				&p.room, &message),
			    ERR_SEAL);
			buf_reset(&p.wire);
			assert_int_equal(
			    channel_put(p.ped, bytes_of_text("OK"), &p.wire),
			    ERR_CLOSED);
			assert_int_equal(p.wire.octets, 0);
		}
		pair_clear(&p);
	}
}

static void
each_bit_of_a_frame_counts(void **state)
{
	uint8_t frame[64];
	size_t octets = hex_read(from_card[0], frame, sizeof(frame));
	struct bytes message;
	size_t bit;

	(void)state;
	for (bit = 0; bit < 8 * octets; bit++) {
		struct pair p;

		pair_open(&p);
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    channel_take(p.ped, (struct bytes){frame, octets}, &p.room,
			&message),
		    bit < 16 ? ERR_LENGTH : ERR_SEAL);
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
		pair_clear(&p);
	}
}

/* What was sealed for one side is nothing to the other. */
static void
a_frame_sent_back_is_refused(void **state)
{
	struct bytes message;
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(
	    take_hex(&p, p.card, from_card[0], &message), ERR_SEAL);
	pair_clear(&p);
	pair_open(&p);
	assert_int_equal(take_hex(&p, p.ped, from_card[0], &message), OK);
	pair_clear(&p);
}

/* ---- hellos ---- */

#define POINT "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* clang-format off */
static const struct {
	const char *name;
	const char *hex;
	enum err want;
} hellos[] = {
	{ "the PED's",           "0027 545350454431 50" POINT,    OK },
	{ "the card's own",      "0027 545350454431 43" POINT,    ERR_VERSION },
	{ "of no side",          "0027 545350454431 51" POINT,    ERR_VERSION },
	{ "of another protocol", "0027 545350454432 50" POINT,    ERR_VERSION },
	{ "with more behind it", "0028 545350454431 50" POINT "00", ERR_VERSION },
	{ "that ends early",     "0007 545350454431 50",          ERR_VERSION },
	{ "of a point of order 2", "0027 545350454431 50" ZEROS,  ERR_SEAL },
	{ "a part of a frame",   "0027 545350454431 50",          ERR_LENGTH },
	{ "with another frame",  "0027 545350454431 50" POINT "0001 00",
	  ERR_LENGTH },
};
/* clang-format on */

static void
assert_hello(const char *hex, enum channel_side from, bool is_one)
{
	uint8_t frame[64];
	size_t octets = hex_read(hex, frame, sizeof(frame));

	assert_int_equal(
	    channel_is_hello((struct bytes){frame, octets}, from), is_one);
}

static void
a_hello_is_of_the_other_side(void **state)
{
	struct bytes message;
	struct pair p;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(hellos); k++) {
		print_message("%s\n", hellos[k].name);
		pair_init(&p);
		assert_int_equal(take_hex(&p, p.card, hellos[k].hex, &message),
		    hellos[k].want);
		assert_int_equal(channel_is_open(p.card), hellos[k].want == OK);
		pair_clear(&p);
	}
	assert_hello(hello_ped, CHANNEL_PED, true);
	assert_hello(hello_ped, CHANNEL_CARD, false);
	assert_hello(hello_card, CHANNEL_CARD, true);
	assert_hello("", CHANNEL_CARD, false);
	assert_hello("0007 545350454431 50", CHANNEL_PED, false);
	assert_hello(from_card[0], CHANNEL_CARD, false);
	/* and there is one hello only */
	pair_open(&p);
	assert_int_equal(take_hex(&p, p.card, hello_ped, &message), ERR_SEAL);
	pair_clear(&p);
}

static void
without_randomness_there_is_no_channel(void **state)
{
	struct channel *ch;
	struct env *env;

	(void)state;
	assert_int_equal(env_new(&env), OK);
	env_break_random(env, true);
	assert_int_equal(channel_new(env, CHANNEL_PED, &ch), ERR_ENTROPY);
	assert_null(ch);
	channel_free(ch);
	env_free(env);
}

/* ---- lengths ---- */

/* clang-format off */
static const struct {
	const char *hex; /* and zeros behind it, `octets` in all */
	size_t octets;
	size_t frame_octets;
	enum err want;
} lengths[] = {
	{ "",      0,    0,    OK },
	{ "00",    1,    0,    OK },
	{ "0000",  2,    0,    ERR_LENGTH },
	{ "0001",  2,    0,    OK },
	{ "0001",  3,    3,    OK },
	{ "0001",  4,    3,    OK },
	{ "1000",  4097, 0,    OK },
	{ "1000",  4098, 4098, OK },
	{ "1001",  4099, 0,    ERR_LENGTH },
	{ "ffff",  2,    0,    ERR_LENGTH },
};
/* clang-format on */

static void
frames_are_cut_by_their_length(void **state)
{
	static uint8_t in[CHANNEL_FRAME_MOST_OCTETS + 3];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(lengths); k++) {
		size_t got;

		print_message("%s of %zu\n", lengths[k].hex, lengths[k].octets);
		(void)hex_read(lengths[k].hex, in, sizeof(in));
		assert_int_equal(
		    channel_frame((struct bytes){in, lengths[k].octets}, &got),
		    lengths[k].want);
		assert_int_equal(got, lengths[k].frame_octets);
	}
}

static void
a_message_fits_a_frame_or_is_refused(void **state)
{
	static const uint8_t zeros[CHANNEL_FRAME_MOST_OCTETS];
	struct bytes longest = {zeros, CHANNEL_FRAME_MOST_OCTETS - 16};
	struct bytes message;
	struct pair p;

	(void)state;
	pair_open(&p);
	longest.octets++;
	assert_int_equal(channel_put(p.card, longest, &p.wire), ERR_LENGTH);
	assert_int_equal(p.wire.octets, 0);
	longest.octets--;
	assert_int_equal(channel_put(p.card, longest, &p.wire), OK);
	assert_int_equal(p.wire.octets, 2 + CHANNEL_FRAME_MOST_OCTETS);
	assert_int_equal(
	    channel_take(p.ped, buf_peek(&p.wire), &p.room, &message), OK);
	assert_true(bytes_equal(message, longest));
	pair_clear(&p);
}

/* ---- proofs ---- */

/* Under 32 times 33 hex; by Python's hmac from channel.h. */
static const char proof_card[] =
    "24cdc5bd993237fc061936ede4c08233ca3d3d8f29a32c3670f4ed4bad53e489";
static const char proof_ped[] =
    "e126f63f446c19e3ba54560e281c94b5418ba1c39966d523b0ce09114e1b86db";

static void
each_side_proves_the_vector_in_its_own_way(void **state)
{
	uint8_t octets[32];
	uint8_t proof[CHANNEL_PROOF_OCTETS];
	const struct bytes got = {proof, sizeof(proof)};
	struct secret *vector;
	struct pair p;

	(void)state;
	memset(octets, 0x33, sizeof(octets));
	vector = secret_of((struct bytes){octets, sizeof(octets)});
	pair_open(&p);
	assert_int_equal(
	    channel_proof(p.card, CHANNEL_CARD, vector, proof), OK);
	assert_hex(got, proof_card);
	assert_int_equal(channel_proof(p.ped, CHANNEL_CARD, vector, proof), OK);
	assert_hex(got, proof_card);
	assert_int_equal(channel_proof(p.ped, CHANNEL_PED, vector, proof), OK);
	assert_hex(got, proof_ped);
	assert_string_not_equal(proof_card, proof_ped);
	pair_clear(&p);
	secret_free(vector);
}

/* Somebody between has a channel to each: the proofs of the two differ. */
static void
a_proof_is_of_one_vector_and_one_channel(void **state)
{
	uint8_t octets[32] = {0};
	uint8_t proof[CHANNEL_PROOF_OCTETS];
	uint8_t relayed[CHANNEL_PROOF_OCTETS];
	struct secret *vector;
	struct secret *another;
	struct bytes message;
	struct pair p;
	struct pair between;

	(void)state;
	vector = secret_of((struct bytes){octets, sizeof(octets)});
	octets[31] = 1;
	another = secret_of((struct bytes){octets, sizeof(octets)});
	pair_open(&p);
	assert_int_equal(channel_proof(p.card, CHANNEL_PED, vector, proof), OK);
	assert_int_equal(
	    channel_proof(p.ped, CHANNEL_PED, another, relayed), OK);
	assert_memory_not_equal(proof, relayed, sizeof(proof));

	pair_init(&between);
	channel_free(between.card);
	between.card = end_of(&between, CHANNEL_CARD, 0x44);
	assert_int_equal(channel_hello(between.card, &between.wire), OK);
	assert_int_equal(channel_take(between.ped, buf_peek(&between.wire),
			     &between.room, &message),
	    OK);
	assert_int_equal(
	    channel_proof(between.ped, CHANNEL_PED, vector, relayed), OK);
	assert_memory_not_equal(proof, relayed, sizeof(proof));
	pair_clear(&between);
	pair_clear(&p);
	secret_free(vector);
	secret_free(another);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_ends_say_what_another_implementation_says),
	    cmocka_unit_test(the_same_words_never_look_the_same),
	    cmocka_unit_test(a_frame_out_of_order_ends_the_channel),
	    cmocka_unit_test(each_bit_of_a_frame_counts),
	    cmocka_unit_test(a_frame_sent_back_is_refused),
	    cmocka_unit_test(a_hello_is_of_the_other_side),
	    cmocka_unit_test(without_randomness_there_is_no_channel),
	    cmocka_unit_test(frames_are_cut_by_their_length),
	    cmocka_unit_test(a_message_fits_a_frame_or_is_refused),
	    cmocka_unit_test(each_side_proves_the_vector_in_its_own_way),
	    cmocka_unit_test(a_proof_is_of_one_vector_and_one_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
