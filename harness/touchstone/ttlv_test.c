#include "ttlv.h"

#include "check.h"
#include "file.h"
#include "hex.h"
#include "schema.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each accepted message has a refused twin, one octet or one field away. */
static const struct row {
	const char *name, *hex;
	enum err want;
	size_t offset;
	const char *path, *spec;
} rows[] = {
    {"an Integer", "4200200200000004 0000000800000000", OK, 0, "",
	"kmip-1.4 9.1.2"},
    {"an Integer of three octets", "4200200200000003 0000000800000000",
	ERR_LENGTH, 4, "CompromiseDate", "kmip-1.4 9.1.1.3"},
    {"an Integer of length 0", "4200200200000000", ERR_LENGTH, 4,
	"CompromiseDate", "kmip-1.4 9.1.1.3"},
    {"an Integer without its padding", "4200200200000004 00000008",
	ERR_TRUNCATED, 4, "CompromiseDate", "kmip-1.4 9.1.1.3"},
    {"padding that is not zero", "4200200200000004 0000000800000001",
	ERR_PADDING, 15, "CompromiseDate", "kmip-1.4 9.1.1.3"},
    {"the first octet of the padding", "4200200200000004 0000000801000000",
	ERR_PADDING, 12, "CompromiseDate", "kmip-1.4 9.1.1.3"},
    {"seven octets", "42002002000000", ERR_TRUNCATED, 0, "", ""},
    {"nothing", "", ERR_TRUNCATED, 0, "", ""},
    {"an extension tag", "5400010200000004 0000000800000000", OK, 0, "",
	"kmip-1.4 9.1.3.1"},
    {"a tag of nobody", "6200010200000004 0000000800000000", ERR_TAG, 0,
	"0x620001", "kmip-1.4 9.1.3.1"},
    {"type 0b", "4200010b00000008 00055e633f4d1fdf", OK, 0, "",
	"kmip-2.1 10.1.2"},
    {"type 0c", "4200010c00000008 00055e633f4d1fdf", ERR_TYPE, 3,
	"ActivationDate", "kmip-2.1 10.1.2"},
    {"type 00", "4200010000000008 00055e633f4d1fdf", ERR_TYPE, 3,
	"ActivationDate", "kmip-2.1 10.1.2"},
    {"true", "4200200600000008 0000000000000001", OK, 0, "",
	"kmip-1.4 9.1.1.4"},
    {"neither true nor false", "4200200600000008 0000000000000002", ERR_BOOLEAN,
	8, "CompromiseDate", "kmip-1.4 9.1.1.4"},
    {"true in its high octet", "4200200600000008 0100000000000001", ERR_BOOLEAN,
	8, "CompromiseDate", "kmip-1.4 9.1.1.4"},
    {"a Big Integer of 8 octets", "4200200400000008 fffffffffffffffe", OK, 0,
	"", "kmip-1.4 9.1.1.4"},
    {"a Big Integer of 7 octets", "4200200400000007 fffffffffffffe00",
	ERR_LENGTH, 4, "CompromiseDate", "kmip-1.4 9.1.1.4"},
    {"a Big Integer of none", "4200200400000000", ERR_LENGTH, 4,
	"CompromiseDate", "kmip-1.4 9.1.1.4"},
    {"an empty Text String", "42000a0700000000", OK, 0, "", "kmip-1.4 9.1.1.4"},
    {"a Text String in UTF-8", "42000a0700000002 cebb000000000000", OK, 0, "",
	"kmip-1.4 9.1.1.4"},
    {"an overlong octet", "42000a0700000002 c1bb000000000000", ERR_UTF8, 8,
	"AttributeName", "RFC 3629 3"},
    {"a cut off character", "42000a0700000002 41ce000000000000", ERR_UTF8, 9,
	"AttributeName", "RFC 3629 3"},
    {"a surrogate", "42000a0700000003 eda0800000000000", ERR_UTF8, 8,
	"AttributeName", "RFC 3629 3"},
    {"a child that fills its parent",
	"4200690100000010 42006a0200000004 0000000100000000", OK, 0, "",
	"kmip-1.4 9.1.1.3"},
    {"a child that ends past its parent",
	"4200690100000008 42006a0200000004 0000000100000000", ERR_PARENT, 12,
	"ProtocolVersion/ProtocolVersionMajor", "kmip-1.4 9.1.1.3"},
    {"a parent longer than the message",
	"4200690100000018 42006a0200000004 0000000100000000", ERR_TRUNCATED, 4,
	"ProtocolVersion", "kmip-1.4 9.1.1.3"},
    {"a structure of four octets", "4200690100000004 42006a02", ERR_LENGTH, 4,
	"ProtocolVersion", "kmip-1.4 9.1.1.3"},
    {"octets behind the message", "42000a0700000000 42000a0700000000",
	ERR_TRAILING, 8, "AttributeName", "kmip-1.4 9.1"},
    {"4 GiB that are not there", "42000a07ffffffff 41414141", ERR_TRUNCATED, 4,
	"AttributeName", "kmip-1.4 9.1.1.3"},
    {"any tag below a Vendor Extension",
	"42009c0100000010 0142420200000004 0000000100000000", OK, 0, "",
	"kmip-1.4 6.16"},
    {"the same tag below another",
	"42007c0100000010 0142420200000004 0000000100000000", ERR_TAG, 8,
	"ResponsePayload/0x014242", "kmip-1.4 9.1.3.1"},
};

static void
of_hex(const char *hex, struct buf *out)
{
	struct fault f = {""};

	if (hex_read(bytes_of_text(hex), out, &f) != OK)
		fail_msg("%.40s: %s", hex, f.text);
}

static void
decode_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct buf in = {0}, back = {0};
		struct finding f;
		struct node *n;

		of_hex(r->hex, &in);
		if (ttlv_decode(a, buf_peek(&in), &n, &f) != r->want ||
		    f.offset != r->offset || strcmp(f.path, r->path) != 0)
			fail_msg("%s: expected %s at %zu, %s; got %s at %zu, "
				 "%s (%s)",
			    r->name, err_name(r->want), r->offset, r->path,
			    err_name(f.kind), f.offset, f.path, r->spec);
		if (r->want == OK) {
			ttlv_encode(n, &back);
			assert_int_equal(back.octets, in.octets);
			assert_memory_equal(back.at, in.at, in.octets);
		}
		buf_clear(&in);
		buf_clear(&back);
		arena_free(a);
	}
}

/* A chain of structures; TTLV_MAX_DEPTH levels are taken, one more is not. */
static void
depth(void **state)
{
	static const struct {
		unsigned levels;
		enum err want;
	} cases[] = {{TTLV_MAX_DEPTH, OK}, {TTLV_MAX_DEPTH + 1, ERR_DEPTH},
	    {10000, ERR_DEPTH}};

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		unsigned levels = cases[k].levels;
		struct arena *a = arena_new();
		struct buf in = {0};
		struct finding f;
		struct node *n;

		for (unsigned i = levels; i > 0; i--)
			buf_put(&in,
			    (struct bytes){(const uint8_t[]){0x42, 0, 0x7b, 1,
					       0, (uint8_t)((i - 1) * 8 >> 16),
					       (uint8_t)((i - 1) * 8 >> 8),
					       (uint8_t)((i - 1) * 8)},
				8});
		assert_int_equal(
		    ttlv_decode(a, buf_peek(&in), &n, &f), cases[k].want);
		buf_clear(&in);
		arena_free(a);
	}
}

static void
items(void **state)
{
	(void)state;
	for (unsigned count = TTLV_MAX_ITEMS - 1; count <= TTLV_MAX_ITEMS;
	     count++) {
		struct arena *a = arena_new();
		struct buf in = {0};
		struct finding f;
		struct node *n;
		uint8_t head[8] = {0x42, 0, 0x7b, 1};

		bytes_put_number(head + 4, 4, (uint64_t)count * 8);
		buf_put(&in, (struct bytes){head, 8});
		bytes_put_number(head, 8, 0x42000a0700000000);
		for (unsigned i = 0; i < count; i++)
			buf_put(&in, (struct bytes){head, 8});
		assert_int_equal(ttlv_decode(a, buf_peek(&in), &n, &f),
		    count < TTLV_MAX_ITEMS ? OK : ERR_ITEMS);
		buf_clear(&in);
		arena_free(a);
	}
}

static void
message_octets(void **state)
{
	static const struct {
		const char *hex;
		enum err want;
		size_t octets;
	} cases[] = {
	    {"42007b0100000010", OK, 24},
	    {"42007b0101fffff8", OK, TTLV_MAX_OCTETS},
	    {"42007b0102000000", ERR_SIZE, 0},
	    {"42007b0200000010", ERR_TYPE, 0},
	    {"485454502f312e31", ERR_TAG, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf in = {0};
		size_t octets = 0;

		of_hex(cases[i].hex, &in);
		assert_int_equal(
		    ttlv_message_octets(in.at, &octets), cases[i].want);
		assert_int_equal(octets, cases[i].octets);
		buf_clear(&in);
	}
}

/*
 * The shared rows: name, version, kind, hex, source. A row that is to be
 * refused may be well-formed and wrong one level up; then the schema refuses
 * it. Other rows decode and encode to themselves; messages among them agree
 * with the schema of their version but for those in `odd`.
 */
static bool
is_odd(const char *name)
{
	/* what is wrong with each: docs of the rows, or plain to see */
	static const char *const odd[] = {
	    /* Usage Limits without Usage Limits Count, required in 3.21 */
	    "tc11_5.1_t2_add_attribute_request",
	    "uc10_5.1_t2_client_a_add_attribute_request",
	    /* Criticality Indicator before Vendor Identification */
	    "uc10_7.1_t0_create_request", "uc10_7.2_t0_create_request",
	    /* Batch Order Option before Batch Error Continuation Option */
	    "uc10_11.1_t2_client_b_get_symmetric_key_get_attribute_list_"
	    "request"};

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (strcmp(odd[i], name) == 0)
			return true;
	return false;
}

static void
shared_row(char **column)
{
	const char *name = column[0], *kind = column[2];
	unsigned version = version_parse(column[1]);
	struct arena *a = arena_new();
	struct buf in = {0}, back = {0};
	struct finding f;
	struct node *n;
	enum err rc;

	of_hex(column[3], &in);
	rc = ttlv_decode(a, buf_peek(&in), &n, &f);
	if (rc == OK && version != VERSION_NONE && kind[0] == 'r')
		rc = check_tree(n, version, &f);
	if (rc == OK && strcmp(kind, "malformed-reject") == 0)
		rc = check_tree(n, 0x14, &f);
	if (strcmp(kind, "malformed-reject") == 0 || is_odd(name)) {
		if (rc == OK)
			fail_msg("%s: expected a refusal, got OK", name);
	} else if (strcmp(kind, "malformed-robust") != 0) {
		if (rc != OK)
			fail_msg("%s: expected OK, got %s at %zu, %s", name,
			    err_name(rc), f.offset, f.path);
		ttlv_encode(n, &back);
		assert_int_equal(back.octets, in.octets);
		assert_memory_equal(back.at, in.at, in.octets);
	}
	buf_clear(&in);
	buf_clear(&back);
	arena_free(a);
}

static size_t
shared_file(const char *path)
{
	struct buf text = {0};
	struct fault f;
	char *line, *rest, *column[5];
	size_t count = 0;

	if (file_read(path, 1u << 20, &text, &f) != OK)
		fail_msg("%s", f.text);
	rest = (char *)(uintptr_t)buf_peek_text(&text);
	line = strsep(&rest, "\n");
	assert_string_equal(line, "name\tversion\tkind\thex\tsource note");
	while ((line = strsep(&rest, "\n")) != NULL && *line != 0) {
		for (int i = 0; i < 5; i++)
			column[i] = strsep(&line, "\t");
		assert_non_null(column[4]);
		shared_row(column);
		count++;
	}
	buf_clear(&text);
	return count;
}

static void
shared_rows(void **state)
{
	const char *dir = getenv("TTLV");
	size_t count = 0;
	struct dirent *entry;
	char path[512];
	DIR *d;

	(void)state;
	if (dir == NULL)
		dir = "../shared/vectors/ttlv";
	d = opendir(dir);
	if (d == NULL) {
		print_message("# TTLV rows: not run: no directory %s\n", dir);
		skip();
	}
	while ((entry = readdir(d)) != NULL) {
		if (strstr(entry->d_name, ".tsv") == NULL)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		count += shared_file(path);
	}
	closedir(d);
	assert_true(count >= 1100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decode_rows),
	    cmocka_unit_test(depth),
	    cmocka_unit_test(items),
	    cmocka_unit_test(message_octets),
	    cmocka_unit_test(shared_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
