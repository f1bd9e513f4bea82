/*
 * What touchstone load asks follows the schema, and no answer passes that is
 * not the one to what was asked.
 */
#include "load.h"

#include "check.h"
#include "message.h"
#include "schema.h"
#include "touchstone_tags.h"
#include "ttlv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct mix_plan plan = {
    .version = 0x14,
    .seed = 42,
    .weight = {[OP_GET] = 1},
    .objects = 3,
};

static struct mix *
mix_of(const struct mix_plan *p)
{
	struct mix *m;

	assert_int_equal(mix_new(p, &m), OK);
	return m;
}

/* --- answers ---------------------------------------------------------------
 */

/* An answer that tells of an identifier, and below it what `more` puts. */
struct says {
	uint32_t status, reason;
	const char *id, *id_2;
	const uint8_t *key;
	size_t key_octets;
};

static void
put_key(struct arena *a, struct node *payload, const struct says *s)
{
	struct node *n;

	n = put_structure(a, payload, TAG_SYMMETRIC_KEY);
	n = put_structure(a, n, TAG_KEY_BLOCK);
	n = put_structure(a, n, TAG_KEY_VALUE);
	put_bytes(a, n, TAG_KEY_MATERIAL, TYPE_BYTE_STRING,
	    (struct bytes){s->key, s->key_octets});
}

static struct buf
answer(const struct says *s)
{
	struct arena *a = arena_new();
	struct node *root = put_structure(a, NULL, TAG_RESPONSE_MESSAGE);
	struct node *n = put_structure(a, root, TAG_RESPONSE_HEADER);
	struct buf out = {0};

	put_number(a, n, TAG_BATCH_COUNT, TYPE_INTEGER, 1);
	n = put_structure(a, root, TAG_BATCH_ITEM);
	put_enum(a, n, TAG_RESULT_STATUS, s->status);
	if (s->reason != 0)
		put_enum(a, n, TAG_RESULT_REASON, s->reason);
	if (s->id != NULL) {
		n = put_structure(a, n, TAG_RESPONSE_PAYLOAD);
		put_text(a, n, TAG_UNIQUE_IDENTIFIER, s->id);
		if (s->id_2 != NULL)
			put_text(a, n, TAG_UNIQUE_IDENTIFIER, s->id_2);
		if (s->key != NULL)
			put_key(a, n, s);
	}
	ttlv_encode(root, &out);
	arena_free(a);
	return out;
}

static enum load_class
judged(struct mix *m, enum load_op op, uint64_t subject, const struct says *s,
    uint32_t *reason)
{
	const struct flight f = {.op = op, .subject = subject};
	struct buf octets = answer(s);
	enum load_class class = mix_judge(m, &f, buf_peek(&octets), reason);

	buf_clear(&octets);
	return class;
}

/* Object 1 is known as "id-1", object 2 as "another". */
static struct mix *
populated(void)
{
	struct mix *m = mix_of(&plan);
	uint32_t reason;

	assert_int_equal(
	    judged(m, OP_REGISTER, 1, &(struct says){.id = "id-1"}, &reason),
	    CLASS_SUCCESS);
	assert_int_equal(
	    judged(m, OP_REGISTER, 2, &(struct says){.id = "another"}, &reason),
	    CLASS_SUCCESS);
	return m;
}

/* The key that a Register of that object carries. */
static void
key_sent(struct mix *m, uint64_t subject, uint8_t *out)
{
	const struct flight f = {.op = OP_REGISTER, .subject = subject};
	struct arena *a = arena_new();
	struct buf octets = {0};
	struct finding found;
	struct node *root, *n;
	static const uint32_t path[] = {TAG_BATCH_ITEM, TAG_REQUEST_PAYLOAD,
	    TAG_SYMMETRIC_KEY, TAG_KEY_BLOCK, TAG_KEY_VALUE, TAG_KEY_MATERIAL,
	    0};

	mix_write(m, &f, &octets);
	assert_int_equal(ttlv_decode(a, buf_peek(&octets), &root, &found), OK);
	n = node_find_path(root, path);
	assert_non_null(n);
	assert_int_equal(n->length, LOAD_KEY_OCTETS);
	memcpy(out, n->value, LOAD_KEY_OCTETS);
	buf_clear(&octets);
	arena_free(a);
}

static void
answers_are_held_against_what_was_asked(void **state)
{
	struct mix *m = populated();
	uint8_t key[LOAD_KEY_OCTETS], other[LOAD_KEY_OCTETS],
	    flipped[LOAD_KEY_OCTETS];
	const struct {
		const char *name;
		enum load_op op;
		struct says says;
		enum load_class want;
		uint32_t reason;
	} cases[] = {
	    /* clang-format off */
		{ "the key", OP_GET,
		  { .id = "id-1", .key = key, .key_octets = 32 },
		  CLASS_SUCCESS, 0 },
		{ "one bit of it wrong", OP_GET,
		  { .id = "id-1", .key = flipped, .key_octets = 32 },
		  CLASS_WRONG, 0 },
		{ "the key of another", OP_GET,
		  { .id = "id-1", .key = other, .key_octets = 32 },
		  CLASS_WRONG, 0 },
		{ "half the key", OP_GET,
		  { .id = "id-1", .key = key, .key_octets = 16 },
		  CLASS_WRONG, 0 },
		{ "no key", OP_GET, { .id = "id-1" }, CLASS_WRONG, 0 },
		{ "another's identifier", OP_GET,
		  { .id = "another", .key = key, .key_octets = 32 },
		  CLASS_WRONG, 0 },
		{ "the identifier and more", OP_GET,
		  { .id = "id-10", .key = key, .key_octets = 32 },
		  CLASS_WRONG, 0 },
		{ "success, and no payload", OP_GET, { .id = NULL },
		  CLASS_WRONG, 0 },
		{ "refused", OP_GET, { .status = 1, .reason = 0x0c },
		  CLASS_REFUSED, 0x0c },
		{ "refused for no reason", OP_GET, { .status = 1 },
		  CLASS_REFUSED, 0 },
		{ "refused, and yet the key", OP_GET,
		  { .status = 1, .reason = 1, .id = "id-1", .key = key,
		    .key_octets = 32 }, CLASS_REFUSED, 1 },
		{ "found", OP_LOCATE, { .id = "id-1" }, CLASS_SUCCESS, 0 },
		{ "found another", OP_LOCATE, { .id = "another" },
		  CLASS_WRONG, 0 },
		{ "found two", OP_LOCATE, { .id = "id-1", .id_2 = "another" },
		  CLASS_WRONG, 0 },
		{ "made", OP_CREATE, { .id = "new" }, CLASS_SUCCESS, 0 },
		{ "made without an identifier", OP_CREATE, { .id = "" },
		  CLASS_WRONG, 0 },
	    /* clang-format on */
	};

	(void)state;
	key_sent(m, 1, key);
	key_sent(m, 2, other);
	memcpy(flipped, key, sizeof flipped);
	flipped[31] ^= 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t subject =
		    cases[i].op == OP_CREATE ? (uint64_t)1 << 40 : 1;
		uint32_t reason;
		enum load_class got =
		    judged(m, cases[i].op, subject, &cases[i].says, &reason);

		if (got != cases[i].want || reason != cases[i].reason)
			fail_msg("%s: expected %s, got %s, reason %u",
			    cases[i].name, load_class_word(cases[i].want),
			    load_class_word(got), reason);
	}
	mix_free(m);
}

/* Cut off anywhere, with lengths that lie: wrong, and nothing is read that is
 * not there (the octets lie at the end of their block, for ASan). */
static void
broken_answers_are_wrong(void **state)
{
	struct mix *m = populated();
	const struct flight f = {.op = OP_GET, .subject = 1};
	uint8_t key[LOAD_KEY_OCTETS];
	struct buf whole;
	uint32_t reason;

	(void)state;
	key_sent(m, 1, key);
	whole = answer(
	    &(struct says){.id = "id-1", .key = key, .key_octets = sizeof key});
	for (size_t octets = 0; octets < whole.octets; octets++) {
		uint8_t *cut = malloc(octets);

		memcpy(cut, whole.at, octets);
		assert_int_equal(
		    mix_judge(m, &f, (struct bytes){cut, octets}, &reason),
		    CLASS_WRONG);
		free(cut);
	}
	for (size_t at = 0; at + 8 <= whole.octets; at += 8) {
		uint8_t was[4];

		memcpy(was, whole.at + at + 4, 4);
		memset(whole.at + at + 4, 0xff, 4);
		(void)mix_judge(m, &f, buf_peek(&whole), &reason);
		memcpy(whole.at + at + 4, was, 4);
	}
	assert_int_equal(
	    mix_judge(m, &f, buf_peek(&whole), &reason), CLASS_SUCCESS);
	buf_clear(&whole);
	mix_free(m);
}

/* --- requests --------------------------------------------------------------
 */

static void
requests_follow_the_schema(void **state)
{
	(void)state;
	for (int v = 0; v < VERSIONS; v++) {
		struct mix_plan p = plan;
		struct mix *m;
		uint32_t reason;

		p.version = version_at(v);
		p.username = v % 2 == 0 ? NULL : "user";
		m = mix_of(&p);
		/* identifiers of each length modulo the padding */
		for (int pad = 0; pad < 8; pad++) {
			judged(m, OP_REGISTER, 1,
			    &(struct says){.id = &"12345678"[pad]}, &reason);
			for (enum load_op op = 0; op < OP_COUNT; op++) {
				const struct flight f = {
				    .op = op, .subject = 1};
				struct arena *a = arena_new();
				struct buf octets = {0};
				struct finding found;
				struct node *root;
				enum err rc;

				mix_write(m, &f, &octets);
				rc = ttlv_decode(
				    a, buf_peek(&octets), &root, &found);
				if (rc == OK)
					rc =
					    check_tree(root, p.version, &found);
				if (rc != OK)
					fail_msg("%s, %s: %s at %s",
					    load_op_word(op),
					    version_name(p.version),
					    err_name(rc), found.path);
				buf_clear(&octets);
				arena_free(a);
			}
		}
		mix_free(m);
	}
}

static void
the_mix_is_drawn_as_weighed_and_repeats(void **state)
{
	struct mix_plan p = plan;
	size_t drawn[OP_COUNT] = {0}, subject[100] = {0};
	uint64_t random = 7, again = 7, serial = 0, serial_again = 0, last = 0;
	struct mix *m;

	(void)state;
	p.weight[OP_GET] = 80;
	p.weight[OP_LOCATE] = 10;
	p.weight[OP_CREATE] = 10;
	p.objects = 100;
	p.pick = PICK_ZIPF;
	m = mix_of(&p);
	for (int i = 0; i < 100000; i++) {
		struct flight f, g;

		mix_draw(m, &random, &serial, &f);
		mix_draw(m, &again, &serial_again, &g);
		assert_int_equal(f.op, g.op);
		assert_int_equal(f.subject, g.subject);
		drawn[f.op]++;
		if (f.op == OP_CREATE) {
			assert_true(f.subject > last);
			last = f.subject;
		} else {
			assert_true(f.subject < p.objects);
			subject[f.subject]++;
		}
	}
	assert_in_range(drawn[OP_GET], 79000, 81000);
	assert_in_range(drawn[OP_LOCATE], 9500, 10500);
	assert_in_range(drawn[OP_CREATE], 9500, 10500);
	assert_int_equal(drawn[OP_REGISTER], 0);
	/* the first is drawn twice as often as the second, tenfold the tenth */
	assert_in_range(subject[0], subject[1] * 18 / 10, subject[1] * 22 / 10);
	assert_in_range(subject[0], subject[9] * 8, subject[9] * 12);
	assert_true(subject[99] > 0);
	mix_free(m);
}

static void
a_population_is_kept_for_the_next_time(void **state)
{
	char path[] = "/tmp/load_test.XXXXXX";
	const struct flight get = {.op = OP_GET, .subject = 2};
	struct mix_plan p = plan;
	struct mix *m = mix_of(&plan), *again;
	struct buf was = {0}, is = {0};
	struct fault f = {""};
	uint32_t reason;

	(void)state;
	for (uint64_t i = 0; i < plan.objects; i++)
		judged(m, OP_REGISTER, i, &(struct says){.id = &"abcdef"[i]},
		    &reason);
	assert_int_equal(close(mkstemp(path)), 0);
	assert_int_equal(mix_save(m, path, &f), OK);
	p.seed = 43;
	again = mix_of(&p);
	assert_int_equal(mix_load(again, path, &f), OK);
	mix_write(m, &get, &was);
	mix_write(again, &get, &is);
	assert_int_equal(was.octets, is.octets);
	assert_memory_equal(was.at, is.at, is.octets);
	mix_free(again);

	p.objects = 4;
	again = mix_of(&p);
	assert_int_equal(mix_load(again, path, &f), ERR_RANGE);
	assert_int_equal(mix_load(again, "/dev/null", &f), ERR_SYNTAX);
	assert_int_equal(mix_load(again, "/nonexistent", &f), ERR_OPEN);
	mix_free(again);
	mix_free(m);
	buf_clear(&was);
	buf_clear(&is);
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_are_held_against_what_was_asked),
	    cmocka_unit_test(broken_answers_are_wrong),
	    cmocka_unit_test(requests_follow_the_schema),
	    cmocka_unit_test(the_mix_is_drawn_as_weighed_and_repeats),
	    cmocka_unit_test(a_population_is_kept_for_the_next_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
