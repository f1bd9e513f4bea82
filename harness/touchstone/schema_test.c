#include "schema.h"

#include "touchstone_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Bisected, so sorted; each name leads back to its number. */
static void
tags(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_tags(); i++) {
		const struct tag_row *t = schema_tag_at(i);

		if (i > 0)
			assert_true(schema_tag_at(i - 1)->tag < t->tag);
		assert_ptr_equal(schema_tag(t->tag), t);
		assert_ptr_equal(schema_tag_by_xml(t->xml), t);
		assert_ptr_equal(schema_tag_by_name(t->name), t);
		assert_true(t->until == 0 || t->since <= t->until);
	}
	assert_null(schema_tag(0x420000));
	assert_null(schema_tag_by_xml("NoSuchTag"));
	assert_string_equal(schema_tag_name(0x540001), "0x540001");
}

/* One shape for each version, kind, tag and key; fields that are there. */
static void
shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_shapes(); i++) {
		const struct shape *s = schema_shape_at(i);

		assert_ptr_equal(
		    schema_shape(s->version, s->kind, s->tag, s->key), s);
		for (unsigned k = 0; k < s->count; k++) {
			const struct field *f = schema_field(s, k);

			if (f->tag > GROUP_ANY && schema_tag(f->tag) == NULL)
				fail_msg("a field without a tag: %x", f->tag);
			if (f->tag > GROUP_ANY &&
			    !schema_tag_in(f->tag, s->version))
				fail_msg("%s in %s of %s",
				    schema_tag_name(f->tag),
				    schema_tag_name(s->tag),
				    version_name(s->version));
		}
	}
}

/* Facts looked up by hand in the documents, one against its neighbour. */
static void
facts(void **state)
{
	static const struct {
		const char *xml;
		unsigned version;
		unsigned types;
		bool there;
	} cases[] = {
	    {"AsynchronousIndicator", 0x14, 1u << TYPE_BOOLEAN, true},
	    {"AsynchronousIndicator", 0x20, 1u << TYPE_ENUMERATION, true},
	    {"UniqueIdentifier", 0x14, 1u << TYPE_TEXT_STRING, true},
	    {"UniqueIdentifier", 0x20,
		1u << TYPE_TEXT_STRING | 1u << TYPE_INTEGER |
		    1u << TYPE_ENUMERATION,
		true},
	    {"TemplateAttribute", 0x14, 1u << TYPE_STRUCTURE, true},
	    {"TemplateAttribute", 0x20, 1u << TYPE_STRUCTURE, false},
	    {"ServerCorrelationValue", 0x14, 1u << TYPE_TEXT_STRING, true},
	    {"ServerCorrelationValue", 0x13, 1u << TYPE_TEXT_STRING, false},
	    {"RotateDate", 0x20, 1u << TYPE_DATE_TIME, false},
	    {"RotateDate", 0x21, 1u << TYPE_DATE_TIME, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct tag_row *t = schema_tag_by_xml(cases[i].xml);

		assert_non_null(t);
		if (schema_tag_types(t->tag, cases[i].version) !=
			cases[i].types ||
		    schema_tag_in(t->tag, cases[i].version) != cases[i].there)
			fail_msg("%s in %s", cases[i].xml,
			    version_name(cases[i].version));
	}
}

static void
values(void **state)
{
	const struct value_row *row;

	(void)state;
	row = schema_value_by_xml(TAG_CRYPTOGRAPHIC_ALGORITHM, "AES");
	assert_non_null(row);
	assert_int_equal(row->value, 3);
	assert_null(schema_value_by_xml(TAG_CRYPTOGRAPHIC_ALGORITHM, "Raw"));
	/* under another tag's name: Mask Generator Hashing Algorithm */
	assert_non_null(schema_value_by_xml(
	    TAG_MASK_GENERATOR_HASHING_ALGORITHM, "SHA_256"));
	row = schema_value(TAG_KEY_FORMAT_TYPE, 0x0e);
	assert_true(schema_alive(row->since, row->until, 0x14));
	assert_false(schema_alive(row->since, row->until, 0x20));
	assert_true(schema_is_mask(TAG_CRYPTOGRAPHIC_USAGE_MASK));
	assert_false(schema_is_mask(TAG_CRYPTOGRAPHIC_LENGTH));
	assert_string_equal(
	    schema_value_name(TAG_OBJECT_TYPE, 0x80000001), "0x80000001");
}

static void
versions(void **state)
{
	(void)state;
	for (int i = 0; i < VERSIONS; i++) {
		assert_int_equal(version_index(version_at(i)), i);
		assert_int_equal(
		    version_parse(version_name(version_at(i))), version_at(i));
	}
	assert_int_equal(version_index(0x30), -1);
	assert_int_equal(version_parse("1.5"), VERSION_NONE);
	assert_int_equal(version_parse("1.40"), VERSION_NONE);
}

static void
attributes(void **state)
{
	const struct attribute_row *row;

	(void)state;
	row = schema_attribute("Compromise Date", 15);
	assert_non_null(row);
	assert_int_equal(row->tag, TAG_COMPROMISEDATE);
	assert_null(schema_attribute("Compromise Dat", 14));
	assert_null(schema_attribute("Custom Attribute", 16));
	row = schema_attribute("Sensitive", 9);
	assert_int_equal(row->versions >> version_index(0x14) & 1, 1);
	assert_int_equal(row->versions >> version_index(0x13) & 1, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tags),
	    cmocka_unit_test(shapes),
	    cmocka_unit_test(facts),
	    cmocka_unit_test(values),
	    cmocka_unit_test(versions),
	    cmocka_unit_test(attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
