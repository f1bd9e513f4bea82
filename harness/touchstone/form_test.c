#include "form.h"

#include "buf.h"
#include "hex.h"
#include "show.h"
#include "tree_test.h"
#include "ttlv.h"

#include <string.h>

/* XML and the octets that it stands for; NULL: it is refused. */
static const struct row {
	const char *name, *xml, *hex;
} rows[] = {
    {"Integer", NUMBER("BatchCount", "8"),
	"42000d020000000400000008"
	"00000000"},
    {"a negative Integer", NUMBER("BatchCount", "-1"),
	"42000d0200000004ffffffff00000000"},
    {"Integer in hexadecimal", NUMBER("BatchCount", "0x8"),
	"42000d02000000040000000800000000"},
    {"an Integer too large", NUMBER("BatchCount", "4294967296"), NULL},
    {"no Integer", NUMBER("BatchCount", "eight"), NULL},
    {"mask names", NUMBER("CryptographicUsageMask", "Encrypt Decrypt"),
	"42002c02000000040000000c00000000"},
    {"a mask name of nobody", NUMBER("CryptographicUsageMask", "Encript"),
	NULL},
    {"Long Integer", ITEM("UsageLimitsTotal", "LongInteger", "500"),
	"420097030000000800000000000001f4"},
    {"Big Integer, its sign in front", ITEM("Modulus", "BigInteger", "fe"),
	"4200520400000008fffffffffffffffe"},
    {"Big Integer of eight octets",
	ITEM("Modulus", "BigInteger", "0000000000000001"),
	"42005204000000080000000000000001"},
    {"Big Integer of half an octet", ITEM("Modulus", "BigInteger", "f"), NULL},
    {"Enumeration by name", ENUM("ObjectType", "SymmetricKey"),
	"42005705000000040000000200000000"},
    {"Enumeration by number", ENUM("ObjectType", "0x00000002"),
	"42005705000000040000000200000000"},
    {"an Enumeration of nobody", ENUM("ObjectType", "Symmetric"), NULL},
    {"both spellings of Not Authorised", ENUM("ResultReason", "NotAuthorized"),
	"42007e05000000040000003900000000"},
    {"a tag as value", ENUM("AttributeReference", "State"),
	"42013b0500000004 0042008d00000000"},
    {"true", ITEM("BatchOrderOption", "Boolean", "true"),
	"42001006000000080000000000000001"},
    {"maybe", ITEM("BatchOrderOption", "Boolean", "maybe"), NULL},
    {"Text String", TEXT("NameValue", "a&amp;b"),
	"4200550700000003612662 0000000000"},
    {"Byte String", OCTETS("Data", "0102"),
	"4200c2080000000201020000 00000000"},
    {"a Byte String of half an octet", OCTETS("Data", "010"), NULL},
    {"Date Time", DATE("InitialDate", "2008-03-14T11:56:40+00:00"),
	"4200390900000008 0000000047da67f8"},
    {"Date Time in another zone",
	DATE("InitialDate", "2008-03-14T12:56:40+01:00"),
	"4200390900000008 0000000047da67f8"},
    {"no Date Time", DATE("InitialDate", "2008-03-14"), NULL},
    {"Interval", ITEM("LeaseTime", "Interval", "864000"),
	"4200490a00000004 000d2f0000000000"},
    {"a negative Interval", ITEM("LeaseTime", "Interval", "-1"), NULL},
    {"a vendor's tag",
	"<TTLV tag=\"0x540001\" name=\"x\" "
	"type=\"Integer\" value=\"1\"/>",
	"540001020000000400000001 00000000"},
    {"a tag of nobody", NUMBER("BatchCounts", "1"), NULL},
    {"a type of nobody", ITEM("BatchCount", "Int", "1"), NULL},
    {"a value without a type", "<BatchCount value=\"1\"/>", NULL},
    {"a type without a value", "<BatchCount type=\"Integer\"/>", NULL},
    {"an attribute's names are its own",
	IN("Attribute",
	    TEXT("AttributeName", "State") ENUM("AttributeValue", "Active")),
	"420008010000002042000a07000000055374617465000000"
	"42000b05000000040000000200000000"},
    {"and no other's",
	IN("Attribute",
	    TEXT("AttributeName", "State") ENUM("AttributeValue", "AES")),
	NULL},
    {"`match` without a reason",
	"<BatchCount type=\"Integer\" value=\"1\" match=\"any\"/>", NULL},
    {"`match` of nobody",
	"<BatchCount type=\"Integer\" value=\"1\" match=\"some\" "
	"why=\"w\"/>",
	NULL},
    {"an entity of its own",
	"<!DOCTYPE a [<!ENTITY b \"c\">]><NameValue type=\"TextString\" "
	"value=\"&b;\"/>",
	NULL},
    {"an unclosed tag", "<BatchItem>", NULL},
    {"nothing", "", NULL},
};

static enum err
read_row(struct arena *a, const char *xml, struct node **out)
{
	struct element *top;
	struct fault f = {""};
	enum err rc;

	*out = NULL;
	rc = xml_read(a, bytes_of_text(xml), &top, &f);
	if (rc == OK)
		rc = form_read(a, xml_root(top), true, out, &f);
	if (rc != OK)
		assert_true(f.text[0] != 0);
	return rc;
}

static void
to_octets_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct buf want = {0}, got = {0}, xml = {0}, again = {0};
		struct fault f;
		struct node *n;
		enum err rc = read_row(a, r->xml, &n);

		if ((rc == OK) != (r->hex != NULL))
			fail_msg("%s: %s", r->name, err_name(rc));
		if (rc == OK) {
			assert_int_equal(
			    hex_read(bytes_of_text(r->hex), &want, &f), OK);
			ttlv_encode(n, &got);
			if (!bytes_equal(buf_peek(&want), buf_peek(&got)))
				fail_msg("%s: other octets", r->name);
			/* what we show is what we read */
			show_xml(n, 0, SHOW_SECRETS, &xml);
			assert_int_equal(
			    read_row(a, buf_peek_text(&xml), &n), OK);
			ttlv_encode(n, &again);
			if (!bytes_equal(buf_peek(&want), buf_peek(&again)))
				fail_msg("%s: not back: %s", r->name,
				    buf_peek_text(&xml));
		}
		buf_clear(&want);
		buf_clear(&got);
		buf_clear(&xml);
		buf_clear(&again);
		arena_free(a);
	}
}

/* Key material is masked in both forms, at its octets, and only there. */
static void
secrets_are_masked(void **state)
{
	static const char xml[] = IN("KeyValue",
	    OCTETS("KeyMaterial", "c0ffee") TEXT("NameValue", "name"));
	struct arena *a = arena_new();
	struct node *n = tree_of(a, xml);
	struct buf octets = {0}, hex = {0}, text = {0};

	(void)state;
	ttlv_encode(n, &octets);
	show_hex(buf_peek(&octets), n, 0, &hex);
	show_xml(n, 0, 0, &text);
	assert_null(strstr(buf_peek_text(&hex), "c0ffee"));
	assert_non_null(
	    strstr(buf_peek_text(&hex), "00000003******0000000000"));
	assert_null(strstr(buf_peek_text(&text), "c0ffee"));
	assert_non_null(strstr(buf_peek_text(&text), "name"));
	hex.octets = text.octets = 0;
	show_hex(buf_peek(&octets), n, SHOW_SECRETS, &hex);
	show_xml(n, 0, SHOW_SECRETS, &text);
	assert_non_null(strstr(buf_peek_text(&hex), "c0ffee"));
	assert_non_null(strstr(buf_peek_text(&text), "c0ffee"));
	buf_clear(&octets);
	buf_clear(&hex);
	buf_clear(&text);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(to_octets_and_back),
	    cmocka_unit_test(secrets_are_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
