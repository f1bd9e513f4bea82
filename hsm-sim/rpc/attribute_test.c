#include "rpc/attribute.h"

#include "base/mem.h"
#include "rpc/hex_test.h"

enum { ARENA_OCTETS = 1 << 20 };

static CK_ULONG class = CKO_SECRET_KEY;
static CK_ULONG allowed[] = {CKM_AES_GCM, CKM_AES_ECB};
static CK_BBOOL yes = 1;
static uint8_t label[] = {'k', 'e', 'k'};
static CK_ATTRIBUTE inner[] = {
    {CKA_TOKEN, &yes, sizeof(yes)},
    {CKA_CLASS, &class, sizeof(class)},
};
static CK_ATTRIBUTE deep4 = {CKA_WRAP_TEMPLATE, NULL, 0};
static CK_ATTRIBUTE deep3 = {CKA_WRAP_TEMPLATE, &deep4, sizeof(deep4)};
static CK_ATTRIBUTE deep2 = {CKA_WRAP_TEMPLATE, &deep3, sizeof(deep3)};
static CK_ATTRIBUTE deep1 = {CKA_WRAP_TEMPLATE, &deep2, sizeof(deep2)};
static CK_ATTRIBUTE deep0 = {CKA_WRAP_TEMPLATE, &deep1, sizeof(deep1)};

/* An attribute on its way to the card, and the octets that it is. */
static const struct {
	const char *name;
	CK_ATTRIBUTE in;
	const char *octets;
} goes[] = {
    {"octets", {CKA_LABEL, label, 3}, "#3 01 #3 6b656b"},
    {"no octets", {CKA_LABEL, label, 0}, "#3 01 #0"},
    {"no pointer", {CKA_LABEL, NULL, 3}, "#3 00 #3"},
    {"not available", {CKA_LABEL, NULL, CK_UNAVAILABLE_INFORMATION},
	"#3 00 #ffffffffffffffff"},
    {"a flag", {CKA_TOKEN, &yes, 1}, "#1 01 #1 01"},
    {"a number", {CKA_CLASS, &class, 8}, "#0 02 #4"},
    {"a number of four octets", {CKA_CLASS, &class, 4}, "#0 01 #4 04000000"},
    {"a vendor's", {0x80000001, &class, 8}, "#80000001 01 #8 0400000000000000"},
    {"numbers", {CKA_ALLOWED_MECHANISMS, allowed, sizeof(allowed)},
	"#40000600 03 #2 #1087 #1081"},
    {"no numbers", {CKA_ALLOWED_MECHANISMS, allowed, 0}, "#40000600 03 #0"},
    {"numbers and a half", {CKA_ALLOWED_MECHANISMS, allowed, 9},
	"#40000600 01 #9 871000000000000081"},
    {"a template", {CKA_WRAP_TEMPLATE, inner, sizeof(inner)},
	"#40000211 04 #2  #1 01 #1 01  #0 02 #4"},
    {"an empty template", {CKA_UNWRAP_TEMPLATE, inner, 0}, "#40000212 04 #0"},
    {"a template and a half", {CKA_WRAP_TEMPLATE, inner, 25},
	"#40000211 00 #19"},
    {"templates in templates", {CKA_WRAP_TEMPLATE, &deep2, sizeof(deep2)},
	"#40000211 04 #1  #40000211 04 #1  #40000211 04 #1 "
	"#40000211 00 #0"},
};

static void
an_attribute_is_these_octets(void **state)
{
	struct buf out;
	char want[512];
	size_t k;

	(void)state;
	buf_init(&out, HEX_OCTETS_MAX);
	for (k = 0; k < sizeof(goes) / sizeof(goes[0]); k++) {
		assert_int_equal(template_write(&goes[k].in, 1, &out), OK);
		(void)snprintf(want, sizeof(want), "01 #1 %s", goes[k].octets);
		assert_hex(goes[k].name, buf_peek(&out), want);
		buf_reset(&out);
	}
	assert_int_equal(template_write(NULL, 7, &out), OK);
	assert_hex("no pointer", buf_peek(&out), "00 #7");
	buf_reset(&out);
	assert_int_equal(template_write(inner, 0, &out), OK);
	assert_hex("none", buf_peek(&out), "01 #0");
	buf_clear(&out);
}

static void
what_is_too_much_does_not_go(void **state)
{
	static CK_ATTRIBUTE many[RPC_ATTRIBUTES_MAX + 1];
	static CK_ULONG numbers[RPC_ATTRIBUTES_MAX + 1];
	CK_ATTRIBUTE array = {CKA_ALLOWED_MECHANISMS, numbers, sizeof(numbers)};
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_int_equal(
	    template_write(many, RPC_ATTRIBUTES_MAX + 1, &out), ERR_COUNT);
	assert_int_equal(
	    template_write_rooms(many, RPC_ATTRIBUTES_MAX + 1, &out),
	    ERR_COUNT);
	assert_int_equal(template_write(&array, 1, &out), ERR_COUNT);
	assert_int_equal(template_write(&deep0, 1, &out), ERR_DEPTH);
	buf_reset(&out);
	/* and one less of each does */
	array.ulValueLen -= sizeof(numbers[0]);
	assert_int_equal(template_write(many, RPC_ATTRIBUTES_MAX, &out), OK);
	assert_int_equal(
	    template_write_rooms(many, RPC_ATTRIBUTES_MAX, &out), OK);
	assert_int_equal(template_write(&array, 1, &out), OK);
	assert_int_equal(template_write(&deep1, 1, &out), OK);
	buf_clear(&out);
}

/* What is read is written as it was, and each of its octets is needed. */
static void
an_attribute_comes_as_it_went(void **state)
{
	struct arena *arena;
	struct buf again;
	char text[512];
	size_t k, cut;

	(void)state;
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	buf_init(&again, HEX_OCTETS_MAX);
	for (k = 0; k < sizeof(goes) / sizeof(goes[0]); k++) {
		struct hex h;
		struct bytes in;
		CK_ATTRIBUTE *at;
		CK_ULONG count;

		(void)snprintf(text, sizeof(text), "01 #1 %s", goes[k].octets);
		h = hex(text);
		in = (struct bytes){h.at, h.octets};
		assert_int_equal(template_read(arena, &in, &at, &count), OK);
		assert_int_equal(in.octets, 0);
		assert_int_equal(count, 1);
		assert_int_equal(at->type, goes[k].in.type);
		assert_int_equal(at->ulValueLen, goes[k].in.ulValueLen);
		assert_int_equal(template_write(at, count, &again), OK);
		assert_hex(goes[k].name, buf_peek(&again), text);
		buf_reset(&again);
		for (cut = 0; cut < h.octets; cut++) {
			in = (struct bytes){h.at, cut};
			assert_int_equal(template_read(arena, &in, &at, &count),
			    ERR_TRUNCATED);
		}
		arena_reset(arena);
	}
	buf_clear(&again);
	arena_free(arena);
}

static void
what_is_no_template_is_refused(void **state)
{
	static const struct {
		const char *name;
		const char *octets;
		bool rooms;
		enum err want;
	} rows[] = {
	    {"a flag of 2", "02 #1 #3 00 #3", false, ERR_VALUE},
	    {"a form that there is not", "01 #1 #3 05 #0", false, ERR_CHOICE},
	    {"a label as a number", "01 #1 #3 02 #0", false, ERR_CHOICE},
	    {"a number as octets", "01 #1 #0 01 #8 #4", false, ERR_CHOICE},
	    {"numbers as octets", "01 #1 #40000600 01 #8 #4", false,
		ERR_CHOICE},
	    {"a template as octets", "01 #1 #40000211 01 #7 01020304050607",
		false, ERR_CHOICE},
	    {"a label as a template", "01 #1 #3 04 #0", false, ERR_CHOICE},
	    {"more attributes than may be", "01 #401", false, ERR_COUNT},
	    {"more numbers than may be", "01 #1 #40000600 03 #401", false,
		ERR_COUNT},
	    {"more attributes in one than may be", "01 #1 #40000211 04 #401",
		false, ERR_COUNT},
	    {"five deep",
		"01 #1 #40000211 04 #1 #40000211 04 #1 #40000211 04 #1 "
		"#40000211 04 #1 #40000211 00 #0",
		false, ERR_DEPTH},
	    {"a room for a template's octets", "01 #1 #40000211 01 #8", true,
		ERR_CHOICE},
	    {"a label's room of attributes", "01 #1 #3 04 #0", true,
		ERR_CHOICE},
	    {"a room as a number", "01 #1 #0 02 #8", true, ERR_CHOICE},
	    {"rooms in rooms in rooms", "01 #1 #40000211 04 #1 04 #0", true,
		ERR_CHOICE},
	    {"more rooms than may be", "01 #401", true, ERR_COUNT},
	    {"more rooms in one than may be", "01 #1 #40000211 04 #401", true,
		ERR_COUNT},
	    {"more room than there is", "01 #1 #3 01 #ffffffffffffffff", true,
		ERR_NOMEM},
	};
	struct arena *arena;
	size_t k;

	(void)state;
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct hex h = hex(rows[k].octets);
		struct bytes in = {h.at, h.octets};
		CK_ATTRIBUTE *at;
		CK_ULONG count;

		print_message("%s\n", rows[k].name);
		assert_int_equal(
		    rows[k].rooms ? template_read_rooms(arena, &in, &at, &count)
				  : template_read(arena, &in, &at, &count),
		    rows[k].want);
		arena_reset(arena);
	}
	arena_free(arena);
}

/* ---- rooms and values ---- */

/* What a caller asks for: a value of each form, and what has no room. */
struct asked {
	CK_ULONG key_type;
	uint8_t text[8];
	CK_ULONG mechanisms[2];
	CK_BBOOL token;
	uint8_t more[4];
	CK_ATTRIBUTE nested[2];
	CK_ATTRIBUTE at[7];
};

static void
ask(struct asked *a)
{
	memset(a, 0x5a, sizeof(*a));
	a->nested[0] = (CK_ATTRIBUTE){0, &a->token, 1};
	a->nested[1] = (CK_ATTRIBUTE){0, NULL, 0};
	a->at[0] = (CK_ATTRIBUTE){CKA_KEY_TYPE, &a->key_type, 8};
	a->at[1] = (CK_ATTRIBUTE){CKA_LABEL, a->text, 8};
	a->at[2] = (CK_ATTRIBUTE){CKA_VALUE, a->more, 4};
	a->at[3] = (CK_ATTRIBUTE){CKA_ID, a->more, 4};
	a->at[4] = (CK_ATTRIBUTE){CKA_MODULUS, NULL, 99};
	a->at[5] = (CK_ATTRIBUTE){CKA_ALLOWED_MECHANISMS, a->mechanisms, 16};
	a->at[6] =
	    (CK_ATTRIBUTE){CKA_WRAP_TEMPLATE, a->nested, sizeof(a->nested)};
}

#define ROOMS                                                          \
	"01 #7  #100 01 #8  #3 01 #8  #11 01 #4  #102 01 #4  #120 00 " \
	" #40000600 01 #10  #40000211 04 #2  01 #1  00"

/* As a token fills them: sensitive, too small, a mere length. */
static void
fill(CK_ATTRIBUTE *at)
{
	static const CK_ULONG key_type = CKK_AES, mechanism = CKM_AES_GCM;
	CK_ATTRIBUTE *nested = at[6].pValue;

	memcpy(at[0].pValue, &key_type, 8);
	memcpy(at[1].pValue, "kek", 3);
	at[1].ulValueLen = 3;
	at[2].ulValueLen = CK_UNAVAILABLE_INFORMATION; /* sensitive */
	at[3].ulValueLen = 5;                          /* too small */
	at[4].ulValueLen = 256;
	memcpy(at[5].pValue, &mechanism, 8);
	at[5].ulValueLen = 8;
	nested[0].type = CKA_TOKEN;
	*(CK_BBOOL *)nested[0].pValue = 1;
	nested[1].type = CKA_CLASS;
	nested[1].ulValueLen = 8;
}

#define VALUES                                                       \
	"#100 #8 02 #1f  #3 #3 01 6b656b  #11 #ffffffffffffffff 00 " \
	" #102 #5 00  #120 #100 00  #40000600 #8 03 #1087 "          \
	" #40000211 #30 04  #1 #1 01 01  #0 #8 00"

static void
values_come_into_their_rooms(void **state)
{
	struct asked asked, same;
	struct arena *arena;
	struct buf out;
	struct hex h;
	struct bytes in;
	CK_ATTRIBUTE *at;
	CK_ULONG count;
	size_t cut;

	(void)state;
	assert_int_equal(arena_new(ARENA_OCTETS, &arena), OK);
	buf_init(&out, HEX_OCTETS_MAX);
	ask(&asked);
	assert_int_equal(template_write_rooms(asked.at, 7, &out), OK);
	assert_hex("rooms", buf_peek(&out), ROOMS);

	h = hex(ROOMS);
	for (cut = 0; cut < h.octets; cut++) {
		in = (struct bytes){h.at, cut};
		assert_int_equal(template_read_rooms(arena, &in, &at, &count),
		    ERR_TRUNCATED);
		arena_reset(arena);
	}
	in = (struct bytes){h.at, h.octets};
	assert_int_equal(template_read_rooms(arena, &in, &at, &count), OK);
	assert_int_equal(in.octets, 0);
	assert_int_equal(count, 7);
	assert_int_equal(at[0].ulValueLen, 8);
	assert_null(at[4].pValue);
	assert_int_equal(at[6].ulValueLen, 2 * sizeof(*at));
	fill(at);
	buf_reset(&out);
	assert_int_equal(template_write_values(at, count, &out), OK);
	assert_hex("values", buf_peek(&out), VALUES);

	h = hex(VALUES);
	for (cut = 0; cut < h.octets; cut++) {
		ask(&same);
		in = (struct bytes){h.at, cut};
		assert_int_equal(
		    template_read_values(&in, same.at, 7), ERR_TRUNCATED);
	}
	in = (struct bytes){h.at, h.octets};
	assert_int_equal(template_read_values(&in, asked.at, 7), OK);
	assert_int_equal(in.octets, 0);
	assert_int_equal(asked.key_type, CKK_AES);
	assert_memory_equal(asked.text, "kekZZZZZ", 8);
	assert_int_equal(asked.at[1].ulValueLen, 3);
	assert_int_equal(asked.at[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	assert_int_equal(asked.at[3].ulValueLen, 5);
	assert_memory_equal(asked.more, "ZZZZ", 4);
	assert_int_equal(asked.at[4].ulValueLen, 256);
	assert_int_equal(asked.mechanisms[0], CKM_AES_GCM);
	assert_int_equal(asked.mechanisms[1], 0x5a5a5a5a5a5a5a5a);
	assert_int_equal(asked.token, 1);
	assert_int_equal(asked.nested[0].type, CKA_TOKEN);
	assert_int_equal(asked.nested[1].type, CKA_CLASS);
	assert_int_equal(asked.nested[1].ulValueLen, 8);
	buf_clear(&out);
	arena_free(arena);
}

/* A card that means ill, or another card than the one that was asked. */
static void
values_that_were_not_asked_for_are_refused(void **state)
{
	static const struct {
		const char *name;
		const char *octets;
	} rows[] = {
	    {"another attribute", "#101 #3 01 6b656b"},
	    {"octets beyond the room", "#3 #9 01 010203040506070809"},
	    {"nothing, though there is room", "#3 #3 00"},
	    {"a number for a label", "#3 #8 02 #1"},
	    {"octets of no length", "#3 #ffffffffffffffff 01"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct hex h = hex(rows[k].octets);
		struct bytes in = {h.at, h.octets};
		struct asked asked;

		print_message("%s\n", rows[k].name);
		ask(&asked);
		assert_int_equal(
		    template_read_values(&in, asked.at + 1, 1), ERR_UNEXPECTED);
		assert_memory_equal(asked.text, "ZZZZZZZZ", 8);
		assert_int_equal(asked.at[1].ulValueLen, 8);
	}
}

static void
rows_are_sorted(void **state)
{
	static const CK_ATTRIBUTE_TYPE types[] = {
#define ATTRIBUTE(type, value) type,
#include "rpc/attribute.def"
#undef ATTRIBUTE
	};
	size_t k;

	(void)state;
	for (k = 1; k < sizeof(types) / sizeof(types[0]); k++)
		assert_true(types[k - 1] < types[k]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_attribute_is_these_octets),
	    cmocka_unit_test(what_is_too_much_does_not_go),
	    cmocka_unit_test(an_attribute_comes_as_it_went),
	    cmocka_unit_test(what_is_no_template_is_refused),
	    cmocka_unit_test(values_come_into_their_rooms),
	    cmocka_unit_test(values_that_were_not_asked_for_are_refused),
	    cmocka_unit_test(rows_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
