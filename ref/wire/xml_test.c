#include "wire/testing.h"

#include <inttypes.h>

#include "wire/item.h"
#include "wire/ttlv.h"
#include "wire/xml.h"

enum { ARENA_OCTETS = 16 << 20 };

#define ONE_OF(type, value) \
	"<BatchCount type=\"" type "\" value=\"" value "\"/>"

/* clang-format off */
/* Read, and encoded in binary: by hand, from KMIP 1.4 section 9.1. */
static const struct {
	const char *name;
	const char *xml;
	const char *hex; /* NULL: refused */
	enum err want;
} cases[] = {
    {"integer",                 ONE_OF("Integer", "8"), "42000d0200000004 0000000800000000", OK},
    {"integer, negative",       ONE_OF("Integer", "-1"), "42000d0200000004 ffffffff00000000", OK},
    {"integer, least",          ONE_OF("Integer", "-2147483648"), "42000d0200000004 8000000000000000", OK},
    {"integer, too small",      ONE_OF("Integer", "-2147483649"), NULL, ERR_VALUE},
    {"integer, most",           ONE_OF("Integer", "2147483647"), "42000d0200000004 7fffffff00000000", OK},
    {"integer, too large",      ONE_OF("Integer", "2147483648"), NULL, ERR_VALUE},
    {"integer, hexadecimal",    ONE_OF("Integer", "0xfffffffe"), "42000d0200000004 fffffffe00000000", OK},
    {"integer, 33 bits",        ONE_OF("Integer", "0x100000000"), NULL, ERR_VALUE},
    {"integer, nothing",        ONE_OF("Integer", ""), NULL, ERR_VALUE},
    {"integer, a sign",         ONE_OF("Integer", "-"), NULL, ERR_VALUE},
    {"integer, a prefix",       ONE_OF("Integer", "0x"), NULL, ERR_VALUE},
    {"integer, a word",         ONE_OF("Integer", "eight"), NULL, ERR_VALUE},
    {"integer, more behind",    ONE_OF("Integer", "8 "), NULL, ERR_VALUE},
    {"integer, past 64 bits",   ONE_OF("Integer", "18446744073709551624"), NULL, ERR_VALUE},
    {"mask, names",             "<CryptographicUsageMask type=\"Integer\" value=\"Encrypt  Decrypt\"/>", "42002c0200000004 0000000c00000000", OK},
    {"mask, bars and numbers",  "<CryptographicUsageMask type=\"Integer\" value=\"Encrypt|8|0x10\"/>", "42002c0200000004 0000001c00000000", OK},
    {"mask, nothing",           "<CryptographicUsageMask type=\"Integer\" value=\"\"/>", "42002c0200000004 0000000000000000", OK},
    {"mask, no such name",      "<CryptographicUsageMask type=\"Integer\" value=\"Encrypt Fold\"/>", NULL, ERR_VALUE},
    {"long integer",            ONE_OF("LongInteger", "123456789000000000"), "42000d0300000008 01b69b4ba5749200", OK},
    {"long integer, least",     ONE_OF("LongInteger", "-9223372036854775808"), "42000d0300000008 8000000000000000", OK},
    {"long integer, too small", ONE_OF("LongInteger", "-9223372036854775809"), NULL, ERR_VALUE},
    {"long integer, too large", ONE_OF("LongInteger", "9223372036854775808"), NULL, ERR_VALUE},
    {"long, hexadecimal",       ONE_OF("LongInteger", "0xffffffffffffffff"), "42000d0300000008 ffffffffffffffff", OK},
    {"big integer",             ONE_OF("BigInteger", "00000000000000ff"), "42000d0400000008 00000000000000ff", OK},
    {"big integer, short",      ONE_OF("BigInteger", "000000000000ff"), NULL, ERR_VALUE},
    {"big integer, nothing",    ONE_OF("BigInteger", ""), NULL, ERR_VALUE},
    {"enumeration, name",       "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>", "4200570500000004 0000000200000000", OK},
    {"enumeration, spelled out","<ObjectType type=\"Enumeration\" value=\"Symmetric Key\"/>", "4200570500000004 0000000200000000", OK},
    {"enumeration, number",     "<ObjectType type=\"Enumeration\" value=\"0x80000002\"/>", "4200570500000004 8000000200000000", OK},
    {"enumeration, no name",    "<ObjectType type=\"Enumeration\" value=\"SkeletonKey\"/>", NULL, ERR_VALUE},
    {"enumeration, 33 bits",    "<ObjectType type=\"Enumeration\" value=\"0x100000000\"/>", NULL, ERR_VALUE},
    {"enumeration, negative",   "<ObjectType type=\"Enumeration\" value=\"-1\"/>", NULL, ERR_VALUE},
    {"enumeration, of a tag",   "<AttributeReference type=\"Enumeration\" value=\"State\"/>", "42013b0500000004 0042008d00000000", OK},
    {"boolean, true",           ONE_OF("Boolean", "true"), "42000d0600000008 0000000000000001", OK},
    {"boolean, false",          ONE_OF("Boolean", "false"), "42000d0600000008 0000000000000000", OK},
    {"boolean, maybe",          ONE_OF("Boolean", "maybe"), NULL, ERR_VALUE},
    {"boolean, nothing",        ONE_OF("Boolean", ""), NULL, ERR_VALUE},
    {"text",                    ONE_OF("TextString", "a&lt;&#x20AC;"), "42000d0700000005 613ce282ac000000", OK},
    {"text, nothing",           ONE_OF("TextString", ""), "42000d0700000000", OK},
    {"text, XML's own entities",ONE_OF("TextString", "&lt;&amp;&#38;&gt;&quot;&apos;"), "42000d0700000006 3c26263e22270000", OK},
    {"text, no such entity",    ONE_OF("TextString", "&secret;"), NULL, ERR_MESSAGE},
    {"text, no such character", ONE_OF("TextString", "&#0;"), NULL, ERR_MESSAGE},
    {"text, not UTF-8",         ONE_OF("TextString", "\xc3"), NULL, ERR_MESSAGE},
    {"octets",                  ONE_OF("ByteString", "00fFA5"), "42000d0800000003 00ffa50000000000", OK},
    {"octets, nothing",         ONE_OF("ByteString", ""), "42000d0800000000", OK},
    {"octets, half of one",     ONE_OF("ByteString", "00f"), NULL, ERR_VALUE},
    {"octets, no digit",        ONE_OF("ByteString", "00fg"), NULL, ERR_VALUE},
    {"date",                    ONE_OF("DateTime", "2008-03-14T11:56:40+00:00"), "42000d0900000008 0000000047da67f8", OK},
    {"date, Zulu",              ONE_OF("DateTime", "2008-03-14T11:56:40Z"), "42000d0900000008 0000000047da67f8", OK},
    {"date, east",              ONE_OF("DateTime", "2008-03-14T12:56:40+01:00"), "42000d0900000008 0000000047da67f8", OK},
    {"date, west",              ONE_OF("DateTime", "2008-03-14T08:26:40-03:30"), "42000d0900000008 0000000047da67f8", OK},
    {"date, a second before",   ONE_OF("DateTime", "1969-12-31T23:59:59Z"), "42000d0900000008 ffffffffffffffff", OK},
    {"date, leap day",          ONE_OF("DateTime", "2000-02-29T00:00:00Z"), "42000d0900000008 0000000038bb0c00", OK},
    {"date, no leap day",       ONE_OF("DateTime", "1900-02-29T00:00:00Z"), NULL, ERR_VALUE},
    {"date, month 13",          ONE_OF("DateTime", "2008-13-14T11:56:40Z"), NULL, ERR_VALUE},
    {"date, month 0",           ONE_OF("DateTime", "2008-00-14T11:56:40Z"), NULL, ERR_VALUE},
    {"date, day 0",             ONE_OF("DateTime", "2008-03-00T11:56:40Z"), NULL, ERR_VALUE},
    {"date, hour 24",           ONE_OF("DateTime", "2008-03-14T24:00:00Z"), NULL, ERR_VALUE},
    {"date, second 60",         ONE_OF("DateTime", "2008-03-14T11:56:60Z"), NULL, ERR_VALUE},
    {"date, day only",          ONE_OF("DateTime", "2008-03-14"), NULL, ERR_VALUE},
    {"date, half a zone",       ONE_OF("DateTime", "2008-03-14T11:56:40+01"), NULL, ERR_VALUE},
    {"date, a fraction",        ONE_OF("DateTime", "2008-03-14T11:56:40.5Z"), NULL, ERR_VALUE},
    {"date, the largest",       ONE_OF("DateTime", "0x7fffffffffffffff"), "42000d0900000008 7fffffffffffffff", OK},
    {"interval",                ONE_OF("Interval", "4294967295"), "42000d0a00000004 ffffffff00000000", OK},
    {"interval, too long",      ONE_OF("Interval", "4294967296"), NULL, ERR_VALUE},
    {"interval, negative",      ONE_OF("Interval", "-1"), NULL, ERR_VALUE},
    {"extended date",           ONE_OF("DateTimeExtended", "1970-01-01T00:00:01.000002Z"), "42000d0b00000008 00000000000f4242", OK},
    {"extended date, before",   ONE_OF("DateTimeExtended", "1969-12-31T23:59:59.999999Z"), "42000d0b00000008 ffffffffffffffff", OK},
    {"type, unknown",           ONE_OF("Whole", "8"), NULL, ERR_TYPE},
    {"type, of 3.0",            ONE_OF("Reference", "8"), NULL, ERR_TYPE},
    {"no value",                "<BatchCount type=\"Integer\"/>", NULL, ERR_TYPE},
    {"a structure's value",     "<Name value=\"a\"/>", NULL, ERR_TYPE},
    {"structure, empty",        "<Name/>", "4200530100000000", OK},
    {"structure, said so",      "<Name type=\"Structure\"></Name>", "4200530100000000", OK},
    {"a value with children",   "<NameValue type=\"TextString\" value=\"a\"><Name/></NameValue>", NULL, ERR_TYPE},
    {"blanks between",          "<?xml version=\"1.0\"?>\n<!-- a --><Name>\r\n\t <NameType type=\"Enumeration\" value=\"URI\"/>\n</Name>\n", "4200530100000010 42005405000000040000000200000000", OK},
    {"text between",            "<Name>a<NameType type=\"Enumeration\" value=\"URI\"/></Name>", NULL, ERR_MESSAGE},
    {"more text between",       "<Name>\n  a b c\n<NameType type=\"Enumeration\" value=\"URI\"/></Name>", NULL, ERR_MESSAGE},
    {"CDATA between",           "<Name><![CDATA[ ]]></Name>", NULL, ERR_MESSAGE},
    {"element, unknown",        "<SkeletonKey/>", NULL, ERR_UNEXPECTED},
    {"element, spelled badly",  "<batchcount type=\"Integer\" value=\"8\"/>", NULL, ERR_UNEXPECTED},
    {"attribute, unknown",      "<BatchCount type=\"Integer\" value=\"8\" unit=\"1\"/>", NULL, ERR_MESSAGE},
    {"another's name space",    "<a:Name xmlns:a=\"urn:b\"/>", NULL, ERR_MESSAGE},
    {"a tag by number",         "<TTLV tag=\"0x540001\" name=\"Ours\" type=\"Integer\" value=\"8\"/>", "5400010200000004 0000000800000000", OK},
    {"no number",               "<TTLV name=\"Ours\" type=\"Integer\" value=\"8\"/>", NULL, ERR_MESSAGE},
    {"a tag of four octets",    "<TTLV tag=\"0x1420001\" type=\"Integer\" value=\"8\"/>", NULL, ERR_VALUE},
    {"a name and a number",     "<Name tag=\"0x420053\"/>", NULL, ERR_MESSAGE},
    {"an attribute's value",    "<Attribute><AttributeName type=\"TextString\" value=\"State\"/><AttributeValue type=\"Enumeration\" value=\"Active\"/></Attribute>",
	"4200080100000020 42000a0700000005 5374617465000000 42000b0500000004 0000000200000000", OK},
    {"another's value",         "<Attribute><AttributeName type=\"TextString\" value=\"State\"/><AttributeValue type=\"Enumeration\" value=\"SymmetricKey\"/></Attribute>", NULL, ERR_VALUE},
    {"nothing",                 "", NULL, ERR_MESSAGE},
    {"no XML",                  "GET / HTTP/1.1\r\n\r\n", NULL, ERR_MESSAGE},
    {"unclosed",                "<Name>", NULL, ERR_MESSAGE},
    {"closed by another",       "<Name></Link>", NULL, ERR_MESSAGE},
    {"two roots",               "<Name/><Name/>", NULL, ERR_MESSAGE},
    {"a document type",         "<!DOCTYPE Name><Name/>", NULL, ERR_MESSAGE},
    {"an entity",               "<!DOCTYPE Name [<!ENTITY a \"b\">]><NameValue type=\"TextString\" value=\"&a;\"/>", NULL, ERR_MESSAGE},
    {"a file",                  "<!DOCTYPE Name [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Name>&a;</Name>", NULL, ERR_MESSAGE},
    {"a bomb",                  "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><NameValue type=\"TextString\" value=\"&c;\"/>", NULL, ERR_MESSAGE},
};

/* Written, exactly so. */
static const struct {
	const char *name;
	const char *hex;
	const char *xml; /* NULL: refused */
} written[] = {
    {"a structure",    "4200530100000020 4200550700000004 613c2226000000004200540500000004 0000000200000000",
	"<Name>\n  <NameValue type=\"TextString\" value=\"a&lt;&quot;&amp;\"/>\n  <NameType type=\"Enumeration\" value=\"URI\"/>\n</Name>\n"},
    {"empty",          "4200530100000000", "<Name/>\n"},
    {"no such value",  "4200540500000004 0000006300000000", "<NameType type=\"Enumeration\" value=\"0x00000063\"/>\n"},
    {"a mask",         "42002c0200000004 8000000c00000000", "<CryptographicUsageMask type=\"Integer\" value=\"Encrypt Decrypt 0x80000000\"/>\n"},
    {"an empty mask",  "42002c0200000004 0000000000000000", "<CryptographicUsageMask type=\"Integer\" value=\"0\"/>\n"},
    {"a date",         "4200010900000008 0000000047da67f8", "<ActivationDate type=\"DateTime\" value=\"2008-03-14T11:56:40+00:00\"/>\n"},
    {"before 1970",    "4200010900000008 ffffffffffffffff", "<ActivationDate type=\"DateTime\" value=\"1969-12-31T23:59:59+00:00\"/>\n"},
    {"the last year",  "4200010900000008 0000003afff4417f", "<ActivationDate type=\"DateTime\" value=\"9999-12-31T23:59:59+00:00\"/>\n"},
    {"and after it",   "4200010900000008 0000003afff44180", "<ActivationDate type=\"DateTime\" value=\"0x0000003afff44180\"/>\n"},
    {"microseconds",   "4201740b00000008 ffffffffffffffff", "<SubmissionDate type=\"DateTimeExtended\" value=\"1969-12-31T23:59:59.999999+00:00\"/>\n"},
    {"a vendor's",     "5400010200000004 0000000800000000", "<TTLV tag=\"0x540001\" type=\"Integer\" value=\"8\"/>\n"},
    {"a line feed",    "4200550700000001 0a00000000000000", "<NameValue type=\"TextString\" value=\"&#10;\"/>\n"},
    {"a bell",         "4200550700000001 0700000000000000", NULL},
};
/* clang-format on */

static void
assert_octets(const char *name, const struct item *item, struct bytes want)
{
	struct buf out;

	buf_init(&out, (size_t)1 << 20);
	assert_int_equal(ttlv_write(item, &out), OK);
	if (!bytes_equal(buf_peek(&out), want))
		fail_msg("%s: other octets", name);
	buf_clear(&out);
}

static void
each_form_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct item *item;
		enum err got = xml_parse(a, bytes_of_text(cases[i].xml), &item);

		if (got != cases[i].want)
			fail_msg("%s: expected %s, got %s", cases[i].name,
			    err_name(cases[i].want), err_name(got));
		assert_true((item != NULL) == (got == OK));
		if (got == OK)
			assert_octets(
			    cases[i].name, item, testing_hex(a, cases[i].hex));
		arena_free(a);
	}
}

static void
each_form_is_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct bytes in = testing_hex(a, written[i].hex);
		struct item *item;
		struct item *back;
		struct buf out;

		buf_init(&out, 4096);
		assert_int_equal(ttlv_parse(a, in, &item), OK);
		if (written[i].xml == NULL) {
			assert_int_equal(xml_write(item, &out), ERR_VALUE);
		} else {
			assert_int_equal(xml_write(item, &out), OK);
			if (!bytes_equal_text(buf_peek(&out), written[i].xml))
				fail_msg("%s: got %.*s", written[i].name,
				    (int)out.octets, (char *)out.at);
			assert_int_equal(
			    xml_parse(a, buf_peek(&out), &back), OK);
			if (!item_equal(item, back))
				fail_msg("%s: read otherwise", written[i].name);
		}
		buf_clear(&out);
		arena_free(a);
	}
}

/* `count` times a text, between two others. */
static void
repeat(struct buf *out, const char *before, const char *text, size_t count,
    const char *after)
{
	testing_put(out, before, strlen(before));
	for (size_t i = 0; i < count; i++)
		testing_put(out, text, strlen(text));
	testing_put(out, after, strlen(after));
}

static enum err
parse_depth(size_t depth)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *item;
	struct buf xml;
	enum err rc;

	buf_init(&xml, (size_t)16 << 20);
	repeat(&xml, "", "<Name>", depth, "");
	repeat(&xml, "", "</Name>", depth, "");
	rc = xml_parse(a, buf_peek(&xml), &item);
	buf_clear(&xml);
	arena_free(a);
	return rc;
}

static enum err
parse_count(size_t count, size_t cap_octets)
{
	struct arena *a = testing_arena(cap_octets);
	struct item *item;
	struct buf xml;
	enum err rc;

	buf_init(&xml, (size_t)16 << 20);
	repeat(&xml, "<Name>", "<Name/>", count, "</Name>");
	rc = xml_parse(a, buf_peek(&xml), &item);
	assert_true(arena_octets(a) <= cap_octets);
	buf_clear(&xml);
	arena_free(a);
	return rc;
}

static void
limits_are_those_of_ttlv(void **state)
{
	(void)state;
	assert_int_equal(parse_depth(TTLV_MAX_DEPTH), OK);
	assert_int_equal(parse_depth(TTLV_MAX_DEPTH + 1), ERR_DEPTH);
	assert_int_equal(parse_depth(100000), ERR_DEPTH);
	assert_int_equal(parse_count(TTLV_MAX_ITEMS - 1, ARENA_OCTETS), OK);
	assert_int_equal(parse_count(TTLV_MAX_ITEMS, ARENA_OCTETS), ERR_COUNT);
	assert_int_equal(parse_count(1000, 4096), ERR_NOMEM);
}

/* A value of a megabyte is one like any other. */
static void
long_values_are_read(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *item;
	struct buf xml;

	(void)state;
	buf_init(&xml, (size_t)16 << 20);
	repeat(&xml, "<DigestValue type=\"ByteString\" value=\"", "a5", 1 << 20,
	    "\"/>");
	assert_int_equal(xml_parse(a, buf_peek(&xml), &item), OK);
	assert_int_equal(item->octets.octets, 1 << 20);
	buf_clear(&xml);
	arena_free(a);
}

/* Is it somewhere in the heap? -1: there is none to be seen (ASan's). */
static int
heap_holds(struct bytes what)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uintptr_t from;
	uintptr_t to;
	char line[512];
	int found = -1;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "[heap]") == NULL ||
		    sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) != 2)
			continue;
		found = memmem((void *)from, to - from, what.at, what.octets) !=
			NULL;
		break;
	}
	(void)fclose(maps);
	return found;
}

/* A key's digits are gone with the arena: nothing of libxml2's keeps them. */
static void
memory_is_wiped(void **state)
{
	static const char xml[] =
	    "<KeyMaterial type=\"ByteString\" value=\"%s\"/>";
	struct arena *a = testing_arena(ARENA_OCTETS);
	uint8_t key[16];
	char digits[2 * sizeof(key) + 1];
	char text[128];
	struct item *item;
	int while_there;

	(void)state;
	/* on the stack only, and made here: it is in no file */
	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)(0x91 + 7 * i);
		(void)snprintf(digits + 2 * i, 3, "%02x", key[i]);
	}
	(void)snprintf(text, sizeof(text), xml, digits);
	assert_int_equal(xml_parse(a, bytes_of_text(text), &item), OK);
	while_there = heap_holds((struct bytes){key, sizeof(key)});
	arena_free(a);
	if (while_there < 0) {
		print_message("no heap to look into: not run\n");
		skip();
	}
	assert_int_equal(while_there, 1);
	assert_int_equal(heap_holds((struct bytes){key, sizeof(key)}), 0);
	assert_int_equal(heap_holds(bytes_of_text(digits)), 0);
}

/* The time of an answer: two printings of one message differ in it. */
static struct item *
time_stamp(const struct item *message)
{
	struct item *none = NULL;

	return message->first != NULL
		   ? item_find(message->first, TAG_TIME_STAMP)
		   : none;
}

static void
encoding_is_right(const char *directory, const char *name, unsigned *count)
{
	char path[4096];
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *item;
	struct item *want;
	struct buf xml;
	struct buf hex;

	(void)snprintf(path, sizeof(path), "%s/%s.xml", directory, name);
	testing_read(path, &xml);
	(void)snprintf(path, sizeof(path), "%s/%s.hex", directory, name);
	testing_read(path, &hex);
	/* without the NUL that testing_read put there */
	if (xml_parse(a, (struct bytes){xml.at, xml.octets - 1}, &item) != OK)
		fail_msg("%s is not read", name);
	assert_int_equal(
	    ttlv_parse(a, testing_hex(a, (char *)hex.at), &want), OK);
	if (time_stamp(want) != NULL)
		time_stamp(item)->number = time_stamp(want)->number;
	assert_octets(name, item, testing_hex(a, (char *)hex.at));
	(*count)++;
	buf_clear(&xml);
	buf_clear(&hex);
	arena_free(a);
}

/* The messages that the profiles print in several encodings. */
static void
printed_messages_encode_as_printed(void **state)
{
	const char *path =
	    testing_directory("ENCODINGS", "../shared/vectors/encodings");
	unsigned count = 0;
	struct buf index;
	char index_path[4096];
	char *save = NULL;
	char *row;

	(void)state;
	if (path == NULL) {
		print_message("ENCODINGS: not run\n");
		skip();
	}
	(void)snprintf(index_path, sizeof(index_path), "%s/INDEX.tsv", path);
	testing_read(index_path, &index);
	(void)strtok_r((char *)index.at, "\n", &save);
	while ((row = strtok_r(NULL, "\n", &save)) != NULL) {
		row[strcspn(row, "\t")] = '\0';
		encoding_is_right(path, row, &count);
	}
	buf_clear(&index);
	assert_true(count >= 36);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_form_is_read),
	    cmocka_unit_test(each_form_is_written),
	    cmocka_unit_test(limits_are_those_of_ttlv),
	    cmocka_unit_test(long_values_are_read),
	    cmocka_unit_test(memory_is_wiped),
	    cmocka_unit_test(printed_messages_encode_as_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
