#include "wire/testing.h"

#include <dirent.h>
#include <stdint.h>

#include "wire/item.h"
#include "wire/ttlv.h"

enum { ARENA_OCTETS = 16 << 20, SMALL_ARENA_OCTETS = 64 << 10 };

struct parse_case {
	const char *name;
	const char *in;
	enum err want;
};

/* clang-format off */
/* Each accepted one with its refused twin, an octet or a field away. */
static const struct parse_case parse_cases[] = {
    {"no octets",                       "", ERR_TRUNCATED},
    {"seven octets of a header",        "42000d02000000", ERR_TRUNCATED},
    {"a header without its value",      "42000d0200000004", ERR_TRUNCATED},
    {"half a value",                    "42000d0200000004 0000", ERR_TRUNCATED},
    {"a value without its padding",     "42000d0200000004 00000001", ERR_TRUNCATED},
    {"half a padding",                  "42000d0200000004 00000001 000000", ERR_TRUNCATED},
    {"integer",                         "42000d0200000004 00000001 00000000", OK},
    {"integer, padding not zero",       "42000d0200000004 00000001 00000001", ERR_PADDING},
    {"integer, padding not zero early", "42000d0200000004 00000001 80000000", ERR_PADDING},
    {"integer of 3 octets",             "42000d0200000003 00000100 00000000", ERR_LENGTH},
    {"integer of 5 octets",             "42000d0200000005 00000001 00000000", ERR_LENGTH},
    {"integer of 8 octets",             "42000d0200000008 00000001 00000000", ERR_LENGTH},
    {"integer of 0 octets",             "42000d0200000000", ERR_LENGTH},
    {"an item behind the item",         "42000d0200000004 00000001 00000000 42000d0200000004 00000001 00000000", ERR_TRAILING},
    {"an octet behind the item",        "42000d0200000004 00000001 00000000 00", ERR_TRAILING},
    {"long integer",                    "42009603 00000008 8000000000000000", OK},
    {"long integer of 4 octets",        "42009603 00000004 80000000 00000000", ERR_LENGTH},
    {"long integer of 16 octets",       "42009603 00000010 8000000000000000 0000000000000000", ERR_LENGTH},
    {"big integer",                     "42005204 00000008 0000000000000001", OK},
    {"big integer of 16 octets",        "42005204 00000010 0000000000000001 0000000000000001", OK},
    {"big integer of 0 octets",         "42005204 00000000", ERR_LENGTH},
    {"big integer of 7 octets",         "42005204 00000007 0000000000000100", ERR_LENGTH},
    {"big integer of 12 octets",        "42005204 0000000c 0000000000000001 0000000000000000", ERR_LENGTH},
    {"enumeration",                     "42005705 00000004 ffffffff 00000000", OK},
    {"enumeration of 8 octets",         "42005705 00000008 00000002 00000000", ERR_LENGTH},
    {"enumeration, padding not zero",   "42005705 00000004 00000002 00000100", ERR_PADDING},
    {"boolean, false",                  "42001006 00000008 0000000000000000", OK},
    {"boolean, true",                   "42001006 00000008 0000000000000001", OK},
    {"boolean, 2",                      "42001006 00000008 0000000000000002", ERR_VALUE},
    {"boolean, all bits",               "42001006 00000008 ffffffffffffffff", ERR_VALUE},
    {"boolean, 1 elsewhere",            "42001006 00000008 0100000000000000", ERR_VALUE},
    {"boolean of 4 octets",             "42001006 00000004 00000001 00000000", ERR_LENGTH},
    {"boolean of 1 octet",              "42001006 00000001 01000000 00000000", ERR_LENGTH},
    {"text, empty",                     "42005507 00000000", OK},
    {"text of 8 octets, no padding",    "42005507 00000008 6162636465666768", OK},
    {"text of 3 octets",                "42005507 00000003 6162630000000000", OK},
    {"text, padding not zero",          "42005507 00000003 6162630000000001", ERR_PADDING},
    {"text, padding missing",           "42005507 00000003 616263", ERR_TRUNCATED},
    {"text, two-octet character",       "42005507 00000002 c3a9000000000000", OK},
    {"text, half a character",          "42005507 00000001 c300000000000000", ERR_UTF8},
    {"text, overlong",                  "42005507 00000002 c0af000000000000", ERR_UTF8},
    {"text, last character there is",   "42005507 00000004 f48fbfbf00000000", OK},
    {"text, past the last character",   "42005507 00000004 f490808000000000", ERR_UTF8},
    {"text, before the surrogates",     "42005507 00000003 ed9fbf0000000000", OK},
    {"text, a surrogate",               "42005507 00000003 eda0800000000000", ERR_UTF8},
    {"octets, empty",                   "42004308 00000000", OK},
    {"octets, anything",                "42004308 00000002 c000000000000000", OK},
    {"octets, padding not zero",        "42004308 00000002 c000010000000000", ERR_PADDING},
    {"date",                            "42000109 00000008 ffffffffffffffff", OK},
    {"date of 4 octets",                "42000109 00000004 00000000 00000000", ERR_LENGTH},
    {"interval",                        "4200490a 00000004 ffffffff 00000000", OK},
    {"interval of 8 octets",            "4200490a 00000008 00000000 00000001", ERR_LENGTH},
    {"extended date",                   "4200920b 00000008 0000000000000001", OK},
    {"extended date of 4 octets",       "4200920b 00000004 00000001 00000000", ERR_LENGTH},
    {"type 0",                          "42000d00 00000004 00000001 00000000", ERR_TYPE},
    {"type 0c",                         "42000d0c 00000004 00000001 00000000", ERR_TYPE},
    {"type ff",                         "42000dff 00000004 00000001 00000000", ERR_TYPE},
    {"a tag of no version",             "54000102 00000004 00000001 00000000", OK},
    {"a tag that begins with 00",       "00000d02 00000004 00000001 00000000", ERR_UNEXPECTED},
    {"a tag that begins with 43",       "43000d02 00000004 00000001 00000000", ERR_UNEXPECTED},
    {"such a tag in a structure",       "42007801 00000010 01424202 00000004 00000001 00000000", ERR_UNEXPECTED},
    {"and in a Vendor Extension",       "42009c01 00000010 01424202 00000004 00000001 00000000", OK},
    {"and below one",                   "42009c01 00000018 42007801 00000010 01424202 00000004 00000001 00000000", OK},
    {"and behind one",                  "42007801 00000018 42009c01 00000000 01424202 00000004 00000001 00000000", ERR_UNEXPECTED},
    {"structure, empty",                "42007801 00000000", OK},
    {"structure with an empty one",     "42007801 00000008 42007701 00000000", OK},
    {"structure of 4 octets",           "42007801 00000004 00000000", ERR_LENGTH},
    {"structure of 12 octets",          "42007801 0000000c 42007701 00000000 00000000", ERR_LENGTH},
    {"structure, longer than the input","42007801 00000010 42007701 00000000", ERR_TRUNCATED},
    {"structure, shorter than input",   "42007801 00000000 42007701 00000000", ERR_TRAILING},
    {"length with all bits",            "42007801 ffffffff 42007701 00000000", ERR_TRUNCATED},
    {"text length with all bits",       "42005507 ffffffff 6162636465666768", ERR_TRUNCATED},
    {"two children",                    "42007801 00000020 42000d02000000040000000100000000 42000d02000000040000000100000000", OK},
    {"the first child takes the second","42007801 00000020 42005507000000180000000100000000 42000d02000000040000000100000000", OK},
    {"a child ends past its parent",    "42007801 00000018 42007701 00000008 42000d02 00000004 00000001 00000000", ERR_TRUNCATED},
    {"a child's padding past its parent","42007801 00000010 42007701 00000000 42005507 00000001", ERR_TRUNCATED},
    {"a child overruns into its uncle", "42007801 00000028 42007701 00000010 42005507 00000010 6162636465666768 42000d02000000040000000100000000", ERR_TRUNCATED},
    {"and within its parent",           "42007801 00000028 42007701 00000010 42005507 00000008 6162636465666768 42000d02000000040000000100000000", OK},
};

static const struct {
	const char *name;
	const char *in;
	int64_t want;
} number_cases[] = {
    {"integer",         "42002002 00000004 0000000800000000", 8},
    {"negative",        "42002002 00000004 ffffffff00000000", -1},
    {"least integer",   "42002002 00000004 8000000000000000", INT32_MIN},
    {"long integer",    "42002003 00000008 01b69b4ba5749200", 123456789000000000},
    {"least long",      "42002003 00000008 8000000000000000", INT64_MIN},
    {"enumeration",     "42002005 00000004 000000ff00000000", 255},
    {"extension value", "42002005 00000004 8000000100000000", 0x80000001},
    {"true",            "42002006 00000008 0000000000000001", 1},
    {"false",           "42002006 00000008 0000000000000000", 0},
    {"date",            "42002009 00000008 0000000047da67f8", 1205495800},
    {"before 1970",     "42002009 00000008 ffffffffffffffff", -1},
    {"interval",        "4200200a 00000004 000d2f0000000000", 864000},
    {"long interval",   "4200200a 00000004 ffffffff00000000", 4294967295},
    {"extended date",   "4200200b 00000008 0000000000000001", 1},
};
/* clang-format on */

/* What was parsed is written as the same octets. */
static void
assert_round_trip(const char *name, const struct item *item, struct bytes in)
{
	struct buf out;

	buf_init(&out, (size_t)16 << 20);
	assert_int_equal(ttlv_octets(item), in.octets);
	assert_int_equal(ttlv_write(item, &out), OK);
	if (!bytes_equal(buf_peek(&out), in))
		fail_msg("%s: written otherwise than read", name);
	buf_clear(&out);
}

static void
each_rule_accepts_and_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parse_cases); i++) {
		const struct parse_case *k = &parse_cases[i];
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct bytes in = testing_hex(a, k->in);
		struct item *item;
		enum err got = ttlv_parse(a, in, &item);

		if (got != k->want)
			fail_msg("%s: expected %s, got %s (kmip-1.4 9.1.1)",
			    k->name, err_name(k->want), err_name(got));
		assert_true((item != NULL) == (got == OK));
		if (got == OK)
			assert_round_trip(k->name, item, in);
		arena_free(a);
	}
}

static void
numbers_have_their_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(number_cases); i++) {
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct bytes in = testing_hex(a, number_cases[i].in);
		struct item *item;

		assert_int_equal(ttlv_parse(a, in, &item), OK);
		if (item->number != number_cases[i].want)
			fail_msg("%s: got %lld", number_cases[i].name,
			    (long long)item->number);
		assert_round_trip(number_cases[i].name, item, in);
		arena_free(a);
	}
}

/* Structures in each other, `depth` of them, made from the inside out. */
static struct bytes
nested(struct arena *a, size_t depth)
{
	struct bytes out = {NULL, depth * TTLV_HEADER_OCTETS};
	uint8_t *at;

	assert_int_equal(ARENA_ARRAY(a, at, out.octets), OK);
	for (size_t i = 0; i < depth; i++) {
		uint8_t *header = at + i * TTLV_HEADER_OCTETS;

		bytes_put_u24(header, TAG_KEY_VALUE);
		header[3] = STRUCTURE;
		bytes_put_u32(header + 4,
		    (uint32_t)((depth - i - 1) * TTLV_HEADER_OCTETS));
	}
	out.at = at;
	return out;
}

static void
depth_has_a_limit(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct bytes in;
	struct item *item;

	(void)state;
	in = nested(a, TTLV_MAX_DEPTH);
	assert_int_equal(ttlv_parse(a, in, &item), OK);
	assert_round_trip("deepest", item, in);
	in = nested(a, TTLV_MAX_DEPTH + 1);
	assert_int_equal(ttlv_parse(a, in, &item), ERR_DEPTH);
	in = nested(a, 100000);
	assert_int_equal(ttlv_parse(a, in, &item), ERR_DEPTH);
	arena_free(a);
}

/* A structure with `count` empty texts in it. */
static struct bytes
crowd(struct arena *a, size_t count)
{
	struct bytes out = {NULL, (count + 1) * TTLV_HEADER_OCTETS};
	uint8_t *at;

	assert_int_equal(ARENA_ARRAY(a, at, out.octets), OK);
	for (size_t i = 0; i <= count; i++) {
		bytes_put_u24(at + i * TTLV_HEADER_OCTETS, TAG_NAME_VALUE);
		at[i * TTLV_HEADER_OCTETS + 3] = TEXT_STRING;
	}
	at[3] = STRUCTURE;
	bytes_put_u32(at + 4, (uint32_t)(count * TTLV_HEADER_OCTETS));
	out.at = at;
	return out;
}

static void
items_have_a_limit(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct bytes in;
	struct item *item;

	(void)state;
	in = crowd(a, TTLV_MAX_ITEMS - 1);
	assert_int_equal(ttlv_parse(a, in, &item), OK);
	assert_round_trip("most items", item, in);
	in = crowd(a, TTLV_MAX_ITEMS);
	assert_int_equal(ttlv_parse(a, in, &item), ERR_COUNT);
	arena_free(a);
}

static void
the_arena_bounds_what_is_allocated(void **state)
{
	struct arena *outer = testing_arena(ARENA_OCTETS);
	struct arena *a = testing_arena(4096);
	struct bytes in = crowd(outer, 4096);
	struct item *item;

	(void)state;
	assert_int_equal(ttlv_parse(a, in, &item), ERR_NOMEM);
	assert_null(item);
	assert_true(arena_octets(a) <= 4096);
	arena_reset(a);
	/* small messages take little: no more items than headers fit */
	assert_int_equal(ttlv_parse(a, crowd(outer, 3), &item), OK);
	assert_true(arena_octets(a) <= 5 * sizeof(*item) + 64);
	arena_free(a);
	arena_free(outer);
}

static void
a_message_says_its_length(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	size_t octets;

	(void)state;
	assert_int_equal(
	    ttlv_message_octets(testing_hex(a, "42007801000000"), &octets),
	    ERR_TRUNCATED);
	assert_int_equal(
	    ttlv_message_octets(testing_hex(a, "4200780100000010"), &octets),
	    OK);
	assert_int_equal(octets, 24);
	assert_int_equal(
	    ttlv_message_octets(testing_hex(a, "42007801ffffffff"), &octets),
	    OK);
	assert_int_equal(octets, (size_t)UINT32_MAX + 8);
	assert_int_equal(
	    ttlv_message_octets(testing_hex(a, "4200780200000004"), &octets),
	    ERR_UNEXPECTED);
	assert_int_equal(
	    ttlv_message_octets(testing_hex(a, "474554202f204854"), &octets),
	    ERR_UNEXPECTED);
	arena_free(a);
}

static void
writing_stays_within_the_buf(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *item;
	struct buf out;

	(void)state;
	assert_int_equal(item_add_structure(a, NULL, TAG_NAME, &item), OK);
	assert_int_equal(item_add_text(a, item, TAG_NAME_VALUE, "abc"), OK);
	assert_int_equal(ttlv_octets(item), 24);
	buf_init(&out, 24);
	assert_int_equal(ttlv_write(item, &out), OK);
	assert_int_equal(ttlv_write(item, &out), ERR_LIMIT);
	assert_int_equal(out.octets, 24);
	assert_true(bytes_equal(buf_peek(&out),
	    testing_hex(a, "42005301 00000010 42005507 00000003 "
			   "6162630000000000")));
	buf_clear(&out);
	arena_free(a);
}

/* Well-formed, and for the schema or the dispatcher to refuse. */
static const char *const well_formed[] = {
    "message_batch_count_0_no_items",
    "message_batch_count_1_no_items",
    "message_batch_count_255_no_items",
    "asi_missing_namespace",
};

static bool
is_well_formed(const char *name)
{
	for (size_t i = 0; i < COUNT(well_formed); i++)
		if (strcmp(name, well_formed[i]) == 0)
			return true;
	return false;
}

/* Columns of a row, NULs between; how many there were. */
static size_t
columns(char *row, char **out, size_t room)
{
	size_t count = 0;

	while (count < room) {
		out[count++] = row;
		row = strchr(row, '\t');
		if (row == NULL)
			break;
		*row++ = '\0';
	}
	return count;
}

static void
row_is_right(char *row)
{
	char *column[5];
	struct arena *outer;
	struct arena *a;
	struct item *item;
	struct bytes in;
	enum err rc;
	bool is_reject;
	bool is_either;

	assert_true(columns(row, column, COUNT(column)) >= 4);
	is_reject = strcmp(column[2], "malformed-reject") == 0 &&
		    !is_well_formed(column[0]);
	is_either = strcmp(column[2], "malformed-robust") == 0;
	outer = testing_arena(ARENA_OCTETS);
	a = testing_arena(SMALL_ARENA_OCTETS);
	in = testing_hex(outer, column[3]);
	rc = ttlv_parse(a, in, &item);
	if (!is_either && (rc != OK) != is_reject)
		fail_msg("%s: %s, got %s", column[0], column[2], err_name(rc));
	if (rc == OK)
		assert_round_trip(column[0], item, in);
	assert_true(arena_octets(a) <= SMALL_ARENA_OCTETS);
	arena_free(a);
	arena_free(outer);
}

static unsigned
file_is_right(const char *directory, const char *name)
{
	struct buf text;
	char path[4096];
	char *save = NULL;
	char *row;
	unsigned row_count = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	testing_read(path, &text);
	(void)strtok_r((char *)text.at, "\n", &save); /* the header */
	while ((row = strtok_r(NULL, "\n", &save)) != NULL) {
		row_is_right(row);
		row_count++;
	}
	buf_clear(&text);
	return row_count;
}

static void
shared_rows_get_their_right_answer(void **state)
{
	const char *path =
	    testing_directory("TTLV_VECTORS", "../shared/vectors/ttlv");
	struct dirent *entry;
	unsigned row_count = 0;
	DIR *directory;

	(void)state;
	if (path == NULL) {
		print_message("TTLV_VECTORS: not run\n");
		skip();
	}
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length > 4 &&
		    strcmp(entry->d_name + length - 4, ".tsv") == 0)
			row_count += file_is_right(path, entry->d_name);
	}
	(void)closedir(directory);
	print_message("%u rows\n", row_count);
	assert_true(row_count >= 1100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_rule_accepts_and_refuses),
	    cmocka_unit_test(numbers_have_their_values),
	    cmocka_unit_test(depth_has_a_limit),
	    cmocka_unit_test(items_have_a_limit),
	    cmocka_unit_test(the_arena_bounds_what_is_allocated),
	    cmocka_unit_test(a_message_says_its_length),
	    cmocka_unit_test(writing_stays_within_the_buf),
	    cmocka_unit_test(shared_rows_get_their_right_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
