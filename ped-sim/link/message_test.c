#include "link/message.h"

#include "ikey/sample_test.h"

static const struct {
	enum ped_code code;
	const char *fields;
	bool is_answer;
} rows[] = {
#define ASK(code, number, fields)    {code, fields, false},
#define ANSWER(code, number, fields) {code, fields, true},
#include "link/message.def"
#undef ASK
#undef ANSWER
};

/* Octets by hand, from message.def. */
/* clang-format off */
static const struct {
	const char *hex;
	struct ped_message message;
} samples[] = {
	{ "01", { .code = PED_IDLE } },
	{ "02 0005 48 69 0a c3a9", { .code = PED_SHOW,
	  .text = { (const uint8_t *)"Hi\n\xc3\xa9", 5 } } },
	{ "05 0003 3e3031 01 10", { .code = PED_NUMBER, .number = { 1, 16 },
	  .text = { (const uint8_t *)">01", 3 } } },
	{ "06 0000", { .code = PED_PIN } },
	{ "07", { .code = PED_KEY_READ } },
	{ "08 0002 00ff", { .code = PED_KEY_WRITE,
	  .octets = { (const uint8_t *)"\0\xff", 2 } } },
	{ "44 00", { .code = PED_DIGITS } },
	{ "44 04 31323334", { .code = PED_DIGITS,
	  .octets = { (const uint8_t *)"1234", 4 } } },
	{ "48 02 03 01 0001 aa", { .code = PED_SHARE, .number = { 2, 3, 1 },
	  .octets = { (const uint8_t *)"\xaa", 1 } } },
};

static const struct {
	const char *name;
	const char *hex;
	enum err want;
} refused[] = {
	{ "nothing",                     "",                   ERR_TRUNCATED },
	{ "no such row",                 "00",                 ERR_CHOICE },
	{ "no such row, 7f",             "7f",                 ERR_CHOICE },
	{ "more than the row",           "01 00",              ERR_TRAILING },
	{ "no length",                   "02",                 ERR_TRUNCATED },
	{ "half a length",               "02 00",              ERR_TRUNCATED },
	{ "a text that is shorter",      "02 0003 6162",       ERR_TRUNCATED },
	{ "a text that is longer",       "02 0001 6162",       ERR_TRAILING },
	{ "half a character",            "02 0001 c3",         ERR_UTF8 },
	{ "one number of two",           "05 0001 31 01",      ERR_TRUNCATED },
	{ "three numbers of two",        "05 0001 31 01 02 03", ERR_TRAILING },
	{ "a letter among digits",       "44 02 3161",         ERR_VALUE },
	{ "below the digits",            "44 01 2f",           ERR_VALUE },
	{ "above the digits",            "44 01 3a",           ERR_VALUE },
	{ "fewer digits than are said",  "44 02 31",           ERR_TRUNCATED },
	{ "octets that are not there",   "48 02 03 01 0001",   ERR_TRUNCATED },
};
/* clang-format on */

static void
messages_are_written_and_read_as_their_rows_say(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(samples); k++) {
		const struct ped_message *want = &samples[k].message;
		struct ped_message got;
		struct buf out;

		print_message("%s\n", ped_message_name(want->code));
		buf_init(&out, 1024);
		assert_int_equal(ped_message_write(want, &out), OK);
		assert_hex(buf_peek(&out), samples[k].hex);
		assert_int_equal(ped_message_read(buf_peek(&out), &got), OK);
		assert_int_equal(got.code, want->code);
		assert_memory_equal(got.number, want->number, 3);
		assert_true(bytes_equal(got.text, want->text));
		assert_true(bytes_equal(got.octets, want->octets));
		buf_clear(&out);
	}
}

static void
what_no_row_allows_is_refused(void **state)
{
	uint8_t octets[64];
	struct ped_message got;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(refused); k++) {
		size_t count = hex_read(refused[k].hex, octets, sizeof(octets));

		print_message("%s\n", refused[k].name);
		assert_int_equal(
		    ped_message_read((struct bytes){octets, count}, &got),
		    refused[k].want);
	}
}

/* Each row's number is its own, and its fields are words that are known. */
static void
each_row_can_be_said(void **state)
{
	size_t k;
	size_t n;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		const struct ped_message empty = {.code = rows[k].code};
		struct ped_message got;
		struct buf out;

		for (n = 0; n < k; n++)
			assert_int_not_equal(rows[n].code, rows[k].code);
		assert_non_null(ped_message_name(rows[k].code));
		assert_int_equal(
		    ped_message_is_answer(rows[k].code), rows[k].is_answer);
		buf_init(&out, 64);
		assert_int_equal(ped_message_write(&empty, &out), OK);
		assert_int_equal(ped_message_read(buf_peek(&out), &got), OK);
		assert_int_equal(got.code, rows[k].code);
		buf_clear(&out);
	}
	assert_string_equal(ped_message_name(PED_ENTER), "PED_ENTER");
	assert_null(ped_message_name(0));
	assert_null(ped_message_name(0x141));
}

static void
a_field_has_at_most_what_its_length_can_say(void **state)
{
	static const uint8_t octets[65536];
	static uint8_t digits[256];
	struct ped_message m = {.code = PED_KEY, .octets = {octets, 65535}};
	struct buf out;

	(void)state;
	memset(digits, '7', sizeof(digits));
	buf_init(&out, 1 << 20);
	assert_int_equal(ped_message_write(&m, &out), OK);
	m.octets.octets = 65536;
	assert_int_equal(ped_message_write(&m, &out), ERR_LENGTH);
	m = (struct ped_message){.code = PED_DIGITS, .octets = {digits, 255}};
	assert_int_equal(ped_message_write(&m, &out), OK);
	m.octets.octets = 256;
	assert_int_equal(ped_message_write(&m, &out), ERR_LENGTH);
	m = (struct ped_message){.code = PED_SHOW, .text = {digits, 256}};
	assert_int_equal(ped_message_write(&m, &out), OK);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_are_written_and_read_as_their_rows_say),
	    cmocka_unit_test(what_no_row_allows_is_refused),
	    cmocka_unit_test(each_row_can_be_said),
	    cmocka_unit_test(a_field_has_at_most_what_its_length_can_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
