#include "model/attr.h"

#include <stdio.h>
#include <string.h>

#include "model/cmocka_test.h"

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	return arena_new(1 << 20, &arena) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	arena = NULL;
	return 0;
}

static void
must(enum err rc)
{
	assert_int_equal(rc, OK);
}

/* ---- trees, from rows ---- */

struct node {
	int depth; /* 1 is the root; 0 ends the rows */
	uint32_t tag;
	enum item_type type;
	int64_t number;
	const char *text;
};

#define S(depth, tag)                                  \
	{                                              \
		(depth), TAG_##tag, STRUCTURE, 0, NULL \
	}
#define N(depth, tag, type, number)                      \
	{                                                \
		(depth), TAG_##tag, type, (number), NULL \
	}
#define I(depth, tag, number) N(depth, tag, INTEGER, number)
#define E(depth, tag, number) N(depth, tag, ENUMERATION, number)
#define D(depth, tag, number) N(depth, tag, DATE_TIME, number)
#define T(depth, tag, text)                                \
	{                                                  \
		(depth), TAG_##tag, TEXT_STRING, 0, (text) \
	}

enum { NODE_MAX = 16, DEPTH_MAX = 8 };

static struct item *
build(const struct node *nodes)
{
	struct item *at[DEPTH_MAX] = {NULL};

	for (size_t i = 0; i < NODE_MAX && nodes[i].depth != 0; i++) {
		const struct node *n = &nodes[i];

		must(item_add(arena, at[n->depth - 1], (enum tag)n->tag,
		    n->type, &at[n->depth]));
		if (n->text != NULL)
			at[n->depth]->octets = bytes_of_text(n->text);
		else if (n->type != STRUCTURE)
			at[n->depth]->number = n->number;
	}
	return at[1];
}

/* ---- what was read, as text ---- */

static char shown[2048];
static size_t shown_at;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *format, ...)
{
	va_list args;
	int octets;

	va_start(args, format);
	octets =
	    vsnprintf(shown + shown_at, sizeof(shown) - shown_at, format, args);
	va_end(args);
	assert_true(octets >= 0);
	shown_at += (size_t)octets;
	assert_true(shown_at < sizeof(shown));
}

static void
say_value(const struct item *value)
{
	if (value->type == STRUCTURE) {
		say("{");
		ITEM_EACH (value, child) {
			say(child == value->first ? "" : " ");
			say_value(child);
		}
		say("}");
	} else if (item_has_octets(value)) {
		say("'%.*s'", (int)value->octets.octets, value->octets.at);
	} else {
		say("%lld", (long long)value->number);
	}
}

static void
say_name(const struct attr_def *def, struct bytes vendor, struct bytes name)
{
	if (def != NULL && def->tag != TAG_ATTRIBUTE)
		say("%s", def->name);
	else
		say("%s%.*s:%.*s", def == NULL ? "?" : "", (int)vendor.octets,
		    vendor.at, (int)name.octets, name.at);
}

/* "Name#1{'a' 1}; x:ID'b'" */
static const char *
show_list(const struct attr_list *list)
{
	size_t count = 0;

	shown_at = 0;
	say("%s", "");
	ATTR_EACH (list, one) {
		uint32_t tag = one->def->tag != TAG_ATTRIBUTE
				   ? one->def->tag
				   : TAG_ATTRIBUTE_VALUE;

		assert_int_equal(one->value->tag, tag);
		assert_null(one->value->next);
		say(one == list->first ? "" : "; ");
		say_name(one->def, one->vendor, one->name);
		if (one->index_given)
			say("#%d", one->index);
		else
			assert_int_equal(one->index, 0);
		say(one->value->type == STRUCTURE || item_has_octets(one->value)
			? ""
			: " ");
		say_value(one->value);
		count++;
	}
	assert_int_equal(list->count, count);
	return shown;
}

static const char *
show_refs(const struct attr_ref *first)
{
	shown_at = 0;
	say("%s", "");
	for (const struct attr_ref *ref = first; ref != NULL; ref = ref->next) {
		say(ref == first ? "" : "; ");
		say_name(ref->def, ref->vendor, ref->name);
		if (ref->index >= 0)
			say("#%d", ref->index);
	}
	return shown;
}

/* ---- reading ---- */

/* Of the longest a name may be, and one octet more; filled in by main. The
 * custom ones have "x-" before that. */
static char longest_name[ATTR_NAME_MAX_OCTETS + 1];
static char long_name[ATTR_NAME_MAX_OCTETS + 2];
static char longest_custom[ATTR_NAME_MAX_OCTETS + 3];
static char long_custom[ATTR_NAME_MAX_OCTETS + 4];

static const struct {
	const char *name;
	enum version v;
	struct node nodes[NODE_MAX];
	enum err want;
	const char *list;
} reads[] = {
    {"a Template-Attribute: Names of templates are not attributes", V1_0,
	{S(1, TEMPLATE_ATTRIBUTE), S(2, NAME), T(3, NAME_VALUE, "t"),
	    E(3, NAME_TYPE, 1), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Cryptographic Length"),
	    I(3, ATTRIBUTE_VALUE, 128)},
	OK, "Cryptographic Length 128"},
    {"a 1.x payload, structured and custom", V1_2,
	{S(1, REQUEST_PAYLOAD), T(2, UNIQUE_IDENTIFIER, "1"), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Name"), S(3, ATTRIBUTE_VALUE),
	    T(4, NAME_VALUE, "a"), E(4, NAME_TYPE, 1), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "x-ID"), T(3, ATTRIBUTE_VALUE, "b")},
	OK, "Name{'a' 1}; x:ID'b'"},
    {"an index that is given", V1_1,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "Name"),
	    I(3, ATTRIBUTE_INDEX, 2), S(3, ATTRIBUTE_VALUE),
	    T(4, NAME_VALUE, "a"), E(4, NAME_TYPE, 1)},
	OK, "Name#2{'a' 1}"},
    {"index 0 given is not index 0 assumed", V1_1,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Contact Information"),
	    I(3, ATTRIBUTE_INDEX, 0), T(3, ATTRIBUTE_VALUE, "c")},
	OK, "Contact Information#0'c'"},
    {"two of a date, as Locate has them for a range", V1_0,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Initial Date"), D(3, ATTRIBUTE_VALUE, 1),
	    S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "Initial Date"),
	    D(3, ATTRIBUTE_VALUE, 9)},
	OK, "Initial Date 1; Initial Date 9"},
    {"the server's own custom attribute", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "y-a"),
	    I(3, ATTRIBUTE_VALUE, -1)},
	OK, "y:a -1"},
    {"a custom attribute called like no other", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "x-"),
	    S(3, ATTRIBUTE_VALUE), I(4, BATCH_COUNT, 1)},
	OK, "x:{1}"},
    {"z- is no prefix", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "z-a"),
	    I(3, ATTRIBUTE_VALUE, 1)},
	ERR_ATTR_UNKNOWN, ""},
    {"X- is no prefix", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "X-a"),
	    I(3, ATTRIBUTE_VALUE, 1)},
	ERR_ATTR_UNKNOWN, ""},
    {"x alone is no prefix", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "x"),
	    I(3, ATTRIBUTE_VALUE, 1)},
	ERR_ATTR_UNKNOWN, ""},
    {"a name is compared octet by octet", V1_0,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Cryptographic  Length"),
	    I(3, ATTRIBUTE_VALUE, 128)},
	ERR_ATTR_UNKNOWN, ""},
    {"the XML name is not the name", V1_0,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "CryptographicLength"),
	    I(3, ATTRIBUTE_VALUE, 128)},
	ERR_ATTR_UNKNOWN, ""},
    {"the row of all custom attributes is none", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Custom Attribute"), I(3, ATTRIBUTE_VALUE, 1)},
	ERR_ATTR_UNKNOWN, ""},
    {"Alternative Name came with 1.2", V1_2,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Alternative Name"), S(3, ATTRIBUTE_VALUE),
	    T(4, ALTERNATIVE_NAME_VALUE, "n"), E(4, ALTERNATIVE_NAME_TYPE, 1)},
	OK, "Alternative Name{'n' 1}"},
    {"and is not in 1.1", V1_1,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Alternative Name"), S(3, ATTRIBUTE_VALUE),
	    T(4, ALTERNATIVE_NAME_VALUE, "n"), E(4, ALTERNATIVE_NAME_TYPE, 1)},
	ERR_ATTR_UNKNOWN, ""},
    {"the longest custom name", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, longest_custom), I(3, ATTRIBUTE_VALUE, 1)},
	OK, NULL},
    {"one octet longer", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, long_custom), I(3, ATTRIBUTE_VALUE, 1)},
	ERR_LIMIT, ""},

    {"Attributes, under their tags and as vendor attributes", V2_0,
	{S(1, ATTRIBUTES), I(2, CRYPTOGRAPHIC_LENGTH, 256), S(2, ATTRIBUTE),
	    T(3, VENDOR_IDENTIFICATION, "x"), T(3, ATTRIBUTE_NAME, "ID"),
	    T(3, ATTRIBUTE_VALUE, "b"), S(2, ATTRIBUTE),
	    T(3, VENDOR_IDENTIFICATION, "a.B_9"), T(3, ATTRIBUTE_NAME, "ID"),
	    T(3, ATTRIBUTE_VALUE, "c"), S(2, NAME), T(3, NAME_VALUE, "n"),
	    E(3, NAME_TYPE, 1)},
	OK, "Cryptographic Length 256; x:ID'b'; a.B_9:ID'c'; Name{'n' 1}"},
    {"a 2.x payload: those in its Attributes", V2_1,
	{S(1, REQUEST_PAYLOAD), T(2, UNIQUE_IDENTIFIER, "1"), S(2, ATTRIBUTES),
	    E(3, STATE, 1)},
	OK, "State 1"},
    {"a 2.x payload: its New, not its Current Attribute", V2_1,
	{S(1, REQUEST_PAYLOAD), S(2, CURRENT_ATTRIBUTE), T(3, COMMENT, "a"),
	    S(2, NEW_ATTRIBUTE), T(3, COMMENT, "b")},
	OK, "Comment'b'"},
    {"a Current Attribute by itself", V2_1,
	{S(1, CURRENT_ATTRIBUTE), T(2, COMMENT, "a")}, OK, "Comment'a'"},
    {"Common Attributes by themselves", V2_1,
	{S(1, COMMON_ATTRIBUTES), T(2, COMMENT, "a")}, OK, "Comment'a'"},
    {"Private Key Attributes by themselves", V2_0,
	{S(1, PRIVATE_KEY_ATTRIBUTES), T(2, COMMENT, "a")}, OK, "Comment'a'"},
    {"Public Key Attributes by themselves", V2_0,
	{S(1, PUBLIC_KEY_ATTRIBUTES), T(2, COMMENT, "a")}, OK, "Comment'a'"},
    {"a tag that is no attribute", V2_1,
	{S(1, ATTRIBUTES), I(2, BATCH_COUNT, 1)}, ERR_ATTR_UNKNOWN, ""},
    {"Rotate Latest came with 2.1", V2_1,
	{S(1, ATTRIBUTES), N(2, ROTATE_LATEST, BOOLEAN, 1)}, OK,
	"Rotate Latest 1"},
    {"and is not in 2.0", V2_0,
	{S(1, ATTRIBUTES), N(2, ROTATE_LATEST, BOOLEAN, 1)}, ERR_ATTR_UNKNOWN,
	""},
    {"Operation Policy Name went with 2.0", V2_0,
	{S(1, ATTRIBUTES), T(2, OPERATION_POLICY_NAME, "p")}, ERR_ATTR_UNKNOWN,
	""},
    {"a field of a certificate's subject", V2_0,
	{S(1, ATTRIBUTES), T(2, CERTIFICATE_SUBJECT_CN, "cn")}, OK,
	"Certificate Subject CN'cn'"},
    {"a vendor with a hyphen", V2_0,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "a-b"),
	    T(3, ATTRIBUTE_NAME, "ID"), T(3, ATTRIBUTE_VALUE, "c")},
	ERR_VALUE, ""},
    {"a vendor without a name", V2_0,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, ""),
	    T(3, ATTRIBUTE_NAME, "ID"), T(3, ATTRIBUTE_VALUE, "c")},
	ERR_VALUE, ""},
    {"the longest vendor and name", V2_0,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE),
	    T(3, VENDOR_IDENTIFICATION, longest_name),
	    T(3, ATTRIBUTE_NAME, longest_name), T(3, ATTRIBUTE_VALUE, "")},
	OK, NULL},
    {"a longer name", V2_0,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, long_name), T(3, ATTRIBUTE_VALUE, "")},
	ERR_LIMIT, ""},
    {"a longer vendor", V2_0,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE),
	    T(3, VENDOR_IDENTIFICATION, long_name), T(3, ATTRIBUTE_NAME, "ID"),
	    T(3, ATTRIBUTE_VALUE, "")},
	ERR_LIMIT, ""},
};

static void
test_both_forms_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(reads); i++) {
		struct attr_list list = {0};
		struct fault fault = {{0}};
		struct item *holder = build(reads[i].nodes);
		enum err rc =
		    attr_read_list(arena, holder, reads[i].v, &list, &fault);

		if (rc != reads[i].want)
			fail_msg("%s: expected %s, got %s", reads[i].name,
			    err_name(reads[i].want), err_name(rc));
		if ((rc != OK) != (fault.text[0] != '\0'))
			fail_msg("%s: fault \"%s\"", reads[i].name, fault.text);
		if (reads[i].list != NULL &&
		    strcmp(show_list(&list), reads[i].list) != 0)
			fail_msg("%s: expected\n%s\ngot\n%s", reads[i].name,
			    reads[i].list, shown);
	}
}

static void
test_nothing_is_read_of_nothing(void **state)
{
	struct attr_list list = {0};
	struct fault fault;

	(void)state;
	assert_int_equal(attr_read_list(arena, NULL, V2_1, &list, &fault), OK);
	assert_null(list.first);
}

static void
test_a_fault_shows_no_octets_that_harm(void **state)
{
	static const struct node nodes[NODE_MAX] = {S(1, REQUEST_PAYLOAD),
	    S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "a\x1b[2J\xc3\xa4"),
	    I(3, ATTRIBUTE_VALUE, 1)};
	struct attr_list list = {0};
	struct fault fault = {{0}};
	enum err rc = attr_read_list(arena, build(nodes), V1_0, &list, &fault);

	(void)state;
	assert_int_equal(rc, ERR_ATTR_UNKNOWN);
	assert_non_null(strstr(fault.text, "\"a?[2J??\""));
}

/* `count` attributes in a payload; is it too many? */
static enum err
read_many(size_t count)
{
	struct attr_list list = {0};
	struct fault fault;
	struct item *holder;
	enum err rc = OK;

	TRY(item_add_structure(arena, NULL, TAG_ATTRIBUTES, &holder));
	while (count-- != 0)
		TRY(item_add_text(arena, holder, TAG_OBJECT_GROUP, "g"));
	TRY(attr_read_list(arena, holder, V2_1, &list, &fault));
out:
	return rc;
}

static void
test_a_list_has_a_limit(void **state)
{
	(void)state;
	must(read_many(ATTR_LIST_MAX));
	assert_int_equal(read_many(ATTR_LIST_MAX + 1), ERR_LIMIT);
}

/* ---- references ---- */

static const struct {
	const char *name;
	enum version v;
	struct node nodes[NODE_MAX];
	enum err want;
	const char *refs;
} refs[] = {
    {"names", V1_0,
	{S(1, REQUEST_PAYLOAD), T(2, UNIQUE_IDENTIFIER, "1"),
	    T(2, ATTRIBUTE_NAME, "State"), T(2, ATTRIBUTE_NAME, "x-ID"),
	    T(2, ATTRIBUTE_NAME, "no such")},
	OK, "State; x:ID; ?:no such"},
    {"a name and its index", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, "Name"),
	    I(2, ATTRIBUTE_INDEX, 3)},
	OK, "Name#3"},
    {"an index below 0", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, "Name"),
	    I(2, ATTRIBUTE_INDEX, -1)},
	ERR_INDEX, ""},
    {"a name twice", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, "Object Type"),
	    T(2, ATTRIBUTE_NAME, "State"), T(2, ATTRIBUTE_NAME, "Object Type")},
	ERR_REPEATED, ""},
    {"a custom name twice", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, "x-a"),
	    T(2, ATTRIBUTE_NAME, "x-a")},
	ERR_REPEATED, ""},
    {"two custom names", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, "x-a"),
	    T(2, ATTRIBUTE_NAME, "y-a")},
	OK, "x:a; y:a"},
    {"an unknown name twice", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, "no such"),
	    T(2, ATTRIBUTE_NAME, "no such")},
	ERR_REPEATED, ""},
    {"a name too long", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, long_name)}, ERR_LIMIT,
	""},
    {"a name that 1.1 does not have", V1_1,
	{S(1, REQUEST_PAYLOAD), T(2, ATTRIBUTE_NAME, "Alternative Name")}, OK,
	"?:Alternative Name"},
    {"references by tag and by name", V2_0,
	{S(1, REQUEST_PAYLOAD), E(2, ATTRIBUTE_REFERENCE, TAG_STATE),
	    S(2, ATTRIBUTE_REFERENCE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, "ID")},
	OK, "State; x:ID"},
    {"a reference to what is no attribute", V2_0,
	{S(1, REQUEST_PAYLOAD), E(2, ATTRIBUTE_REFERENCE, TAG_BATCH_COUNT)}, OK,
	"?:"},
    {"a reference to vendor attributes at large", V2_0,
	{S(1, REQUEST_PAYLOAD), E(2, ATTRIBUTE_REFERENCE, TAG_ATTRIBUTE)}, OK,
	"?:"},
    {"a reference to what 2.0 does not have", V2_0,
	{S(1, REQUEST_PAYLOAD), E(2, ATTRIBUTE_REFERENCE, TAG_ROTATE_NAME)}, OK,
	"?:"},
    {"a reference twice", V2_0,
	{S(1, REQUEST_PAYLOAD), E(2, ATTRIBUTE_REFERENCE, TAG_STATE),
	    E(2, ATTRIBUTE_REFERENCE, TAG_STATE)},
	ERR_REPEATED, ""},
    {"two that there are not", V2_0,
	{S(1, REQUEST_PAYLOAD), E(2, ATTRIBUTE_REFERENCE, TAG_BATCH_COUNT),
	    E(2, ATTRIBUTE_REFERENCE, TAG_BATCH_ITEM)},
	OK, "?:; ?:"},
    {"a vendor with a blank", V2_0,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE_REFERENCE),
	    T(3, VENDOR_IDENTIFICATION, "x "), T(3, ATTRIBUTE_NAME, "ID")},
	ERR_VALUE, ""},
};

static void
test_references_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(refs); i++) {
		struct attr_ref *first;
		struct fault fault = {{0}};
		enum err rc = attr_read_refs(
		    arena, build(refs[i].nodes), refs[i].v, &first, &fault);

		if (rc != refs[i].want)
			fail_msg("%s: expected %s, got %s", refs[i].name,
			    err_name(refs[i].want), err_name(rc));
		if ((rc != OK) != (fault.text[0] != '\0'))
			fail_msg("%s: fault \"%s\"", refs[i].name, fault.text);
		if (rc == OK && strcmp(show_refs(first), refs[i].refs) != 0)
			fail_msg("%s: expected\n%s\ngot\n%s", refs[i].name,
			    refs[i].refs, shown);
	}
}

/* One attribute, of a 2.x tree or (v < V2_0) a 1.x payload. */
static struct attr *
one_of(const struct node *nodes, enum version v)
{
	struct attr_list list = {0};
	struct fault fault;

	must(attr_read_list(arena, build(nodes), v, &list, &fault));
	assert_int_equal(list.count, 1);
	return list.first;
}

static void
test_a_reference_matches_what_it_names(void **state)
{
	static const struct node held[NODE_MAX] = {S(1, ATTRIBUTES),
	    S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, "ID"), I(3, ATTRIBUTE_VALUE, 1)};
	struct attr *one = one_of(held, V2_1);
	struct attr_ref ref = {.def = one->def,
	    .vendor = one->vendor,
	    .name = one->name,
	    .index = -1};

	(void)state;
	one->index = 2;
	assert_true(attr_ref_matches(&ref, one));
	ref.index = 2;
	assert_true(attr_ref_matches(&ref, one));
	ref.index = 0;
	assert_false(attr_ref_matches(&ref, one));
	ref.index = -1;
	ref.vendor = bytes_of_text("y");
	assert_false(attr_ref_matches(&ref, one));
	ref.vendor = one->vendor;
	ref.name = bytes_of_text("id");
	assert_false(attr_ref_matches(&ref, one));
	ref.name = one->name;
	ref.def = attr_def_any(TAG_STATE);
	assert_false(attr_ref_matches(&ref, one));
}

/* ---- writing ---- */

static const struct {
	const char *name;
	enum version from; /* the version of `nodes` */
	struct node nodes[NODE_MAX];
	int32_t index;
	enum version to;
	struct node wrote[NODE_MAX]; /* into a Response Payload */
	struct node ref[NODE_MAX];
} writes[] = {
    {"a plain one to 1.x", V2_1,
	{S(1, ATTRIBUTES), I(2, CRYPTOGRAPHIC_LENGTH, 128)}, 0, V1_0,
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Cryptographic Length"),
	    I(3, ATTRIBUTE_VALUE, 128)},
	{S(1, RESPONSE_PAYLOAD), T(2, ATTRIBUTE_NAME, "Cryptographic Length")}},
    {"a plain one to 2.x", V1_0,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Cryptographic Length"),
	    I(3, ATTRIBUTE_VALUE, 128)},
	0, V2_0,
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTES),
	    I(3, CRYPTOGRAPHIC_LENGTH, 128)},
	{S(1, RESPONSE_PAYLOAD),
	    E(2, ATTRIBUTE_REFERENCE, TAG_CRYPTOGRAPHIC_LENGTH)}},
    {"an instance with an index to 1.x", V2_1,
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 1)},
	3, V1_4,
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "Name"),
	    I(3, ATTRIBUTE_INDEX, 3), S(3, ATTRIBUTE_VALUE),
	    T(4, NAME_VALUE, "a"), E(4, NAME_TYPE, 1)},
	{S(1, RESPONSE_PAYLOAD), T(2, ATTRIBUTE_NAME, "Name")}},
    {"and to 2.x, which has no index", V2_1,
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 1)},
	3, V2_1,
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTES), S(3, NAME),
	    T(4, NAME_VALUE, "a"), E(4, NAME_TYPE, 1)},
	{S(1, RESPONSE_PAYLOAD), E(2, ATTRIBUTE_REFERENCE, TAG_NAME)}},
    {"a 1.x custom attribute to 2.x", V1_2,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "x-ID"),
	    T(3, ATTRIBUTE_VALUE, "v")},
	0, V2_1,
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTES), S(3, ATTRIBUTE),
	    T(4, VENDOR_IDENTIFICATION, "x"), T(4, ATTRIBUTE_NAME, "ID"),
	    T(4, ATTRIBUTE_VALUE, "v")},
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTE_REFERENCE),
	    T(3, VENDOR_IDENTIFICATION, "x"), T(3, ATTRIBUTE_NAME, "ID")}},
    {"and back", V2_1,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "y"),
	    T(3, ATTRIBUTE_NAME, "a-b"), I(3, ATTRIBUTE_VALUE, 7)},
	1, V1_0,
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTE), T(3, ATTRIBUTE_NAME, "y-a-b"),
	    I(3, ATTRIBUTE_INDEX, 1), I(3, ATTRIBUTE_VALUE, 7)},
	{S(1, RESPONSE_PAYLOAD), T(2, ATTRIBUTE_NAME, "y-a-b")}},
    {"another vendor's is not there for 1.x", V2_1,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "xy"),
	    T(3, ATTRIBUTE_NAME, "ID"), I(3, ATTRIBUTE_VALUE, 7)},
	0, V1_4, {S(1, RESPONSE_PAYLOAD)}, {S(1, RESPONSE_PAYLOAD)}},
    {"a type that came with 2.0 is not there for 1.x", V2_1,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, "ID"),
	    N(3, ATTRIBUTE_VALUE, DATE_TIME_EXTENDED, 7)},
	0, V1_4, {S(1, RESPONSE_PAYLOAD)}, {S(1, RESPONSE_PAYLOAD)}},
    {"nor inside a structure", V2_1,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, "ID"), S(3, ATTRIBUTE_VALUE),
	    I(4, BATCH_COUNT, 1), N(4, BATCH_COUNT, DATE_TIME_EXTENDED, 7)},
	0, V1_4, {S(1, RESPONSE_PAYLOAD)}, {S(1, RESPONSE_PAYLOAD)}},
    {"but for 2.0", V2_1,
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, "ID"),
	    N(3, ATTRIBUTE_VALUE, DATE_TIME_EXTENDED, 7)},
	0, V2_0,
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTES), S(3, ATTRIBUTE),
	    T(4, VENDOR_IDENTIFICATION, "x"), T(4, ATTRIBUTE_NAME, "ID"),
	    N(4, ATTRIBUTE_VALUE, DATE_TIME_EXTENDED, 7)},
	{S(1, RESPONSE_PAYLOAD), S(2, ATTRIBUTE_REFERENCE),
	    T(3, VENDOR_IDENTIFICATION, "x"), T(3, ATTRIBUTE_NAME, "ID")}},
    {"what came later is left out", V2_1,
	{S(1, ATTRIBUTES), N(2, SENSITIVE, BOOLEAN, 1)}, 0, V1_3,
	{S(1, RESPONSE_PAYLOAD)}, {S(1, RESPONSE_PAYLOAD)}},
    {"what went is left out", V1_4,
	{S(1, REQUEST_PAYLOAD), S(2, ATTRIBUTE),
	    T(3, ATTRIBUTE_NAME, "Operation Policy Name"),
	    T(3, ATTRIBUTE_VALUE, "p")},
	0, V2_0, {S(1, RESPONSE_PAYLOAD)}, {S(1, RESPONSE_PAYLOAD)}},
};

static void
test_both_forms_are_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(writes); i++) {
		struct attr *one = one_of(writes[i].nodes, writes[i].from);
		struct item *payload;
		struct item *names;

		one->index = writes[i].index;
		must(item_add_structure(
		    arena, NULL, TAG_RESPONSE_PAYLOAD, &payload));
		must(item_add_structure(
		    arena, NULL, TAG_RESPONSE_PAYLOAD, &names));
		must(attr_write(arena, payload, writes[i].to, one));
		must(attr_write_ref(arena, names, writes[i].to, one));
		/* once, however many there are */
		must(attr_write_ref(arena, names, writes[i].to, one));
		if (!item_equal(payload, build(writes[i].wrote)))
			fail_msg("%s: the attribute", writes[i].name);
		if (!item_equal(names, build(writes[i].ref)))
			fail_msg("%s: its name", writes[i].name);
	}
}

static void
test_attributes_share_one_structure(void **state)
{
	static const struct node held[NODE_MAX] = {
	    S(1, ATTRIBUTES), T(2, COMMENT, "a")};
	static const struct node want[NODE_MAX] = {S(1, RESPONSE_PAYLOAD),
	    S(2, ATTRIBUTES), T(3, COMMENT, "a"), T(3, COMMENT, "a")};
	static const struct node want_bare[NODE_MAX] = {
	    S(1, COMMON_ATTRIBUTES), T(2, COMMENT, "a"), T(2, COMMENT, "a")};
	struct attr *one = one_of(held, V2_1);
	struct item *payload;
	struct item *bare;

	(void)state;
	must(item_add_structure(arena, NULL, TAG_RESPONSE_PAYLOAD, &payload));
	must(item_add_structure(arena, NULL, TAG_COMMON_ATTRIBUTES, &bare));
	for (int i = 0; i < 2; i++) {
		must(attr_write(arena, payload, V2_1, one));
		must(attr_write(arena, bare, V2_1, one));
	}
	assert_true(item_equal(payload, build(want)));
	assert_true(item_equal(bare, build(want_bare)));
}

/* Shaping an answer must not reach the object that the store shares. */
static void
test_what_is_written_is_a_copy(void **state)
{
	static const struct node held[NODE_MAX] = {S(1, ATTRIBUTES), S(2, NAME),
	    T(3, NAME_VALUE, "a"), E(3, NAME_TYPE, 1)};
	struct attr *one = one_of(held, V2_1);
	const struct item *from = one->value->first;
	struct item *payload;
	struct item *to;

	(void)state;
	must(item_add_structure(arena, NULL, TAG_RESPONSE_PAYLOAD, &payload));
	must(attr_write(arena, payload, V2_1, one));
	to = item_find(payload, TAG_ATTRIBUTES)->first->first;
	assert_ptr_not_equal(to, from);
	assert_ptr_not_equal(to->octets.at, from->octets.at);
	assert_true(item_equal(to, from));
}

/* ---- every attribute ---- */

/* What the structured ones cannot be without. */
static const struct {
	enum tag tag;
	struct node first;
	struct node second;
	struct node third;
} fields[] = {
    {TAG_NAME, T(2, NAME_VALUE, "n"), E(2, NAME_TYPE, 1), {0}},
    {TAG_LINK, E(2, LINK_TYPE, 0x101), T(2, LINKED_OBJECT_IDENTIFIER, "7"),
	{0}},
    {TAG_APPLICATION_SPECIFIC_INFORMATION, T(2, APPLICATION_NAMESPACE, "n"),
	T(2, APPLICATION_DATA, "d"), {0}},
    {TAG_DIGEST, E(2, HASHING_ALGORITHM, 6),
	{2, TAG_DIGEST_VALUE, BYTE_STRING, 0, "d"}, {0}},
    {TAG_USAGE_LIMITS, N(2, USAGE_LIMITS_TOTAL, LONG_INTEGER, 9),
	N(2, USAGE_LIMITS_COUNT, LONG_INTEGER, 9), E(2, USAGE_LIMITS_UNIT, 1)},
    {TAG_ALTERNATIVE_NAME, T(2, ALTERNATIVE_NAME_VALUE, "a"),
	E(2, ALTERNATIVE_NAME_TYPE, 1), {0}},
    {TAG_REVOCATION_REASON, E(2, REVOCATION_REASON_CODE, 1), {0}, {0}},
    {TAG_CRYPTOGRAPHIC_PARAMETERS, E(2, BLOCK_CIPHER_MODE, 1), {0}, {0}},
    {TAG_CRYPTOGRAPHIC_DOMAIN_PARAMETERS, I(2, QLENGTH, 256), {0}, {0}},
    {TAG_KEY_VALUE_LOCATION, T(2, KEY_VALUE_LOCATION_VALUE, "u"),
	E(2, KEY_VALUE_LOCATION_TYPE, 1), {0}},
    {TAG_RANDOM_NUMBER_GENERATOR, E(2, RNG_ALGORITHM, 1), {0}, {0}},
    {TAG_CERTIFICATE_IDENTIFIER, T(2, ISSUER, "i"), {0}, {0}},
    {TAG_CERTIFICATE_ISSUER, T(2, CERTIFICATE_ISSUER_DISTINGUISHED_NAME, "i"),
	{0}, {0}},
    {TAG_CERTIFICATE_SUBJECT, T(2, CERTIFICATE_SUBJECT_DISTINGUISHED_NAME, "s"),
	{0}, {0}},
    {TAG_X_509_CERTIFICATE_IDENTIFIER,
	{2, TAG_ISSUER_DISTINGUISHED_NAME, BYTE_STRING, 0, "i"},
	{2, TAG_CERTIFICATE_SERIAL_NUMBER, BYTE_STRING, 0, "s"}, {0}},
    {TAG_X_509_CERTIFICATE_ISSUER,
	{2, TAG_ISSUER_DISTINGUISHED_NAME, BYTE_STRING, 0, "i"}, {0}, {0}},
    {TAG_X_509_CERTIFICATE_SUBJECT,
	{2, TAG_SUBJECT_DISTINGUISHED_NAME, BYTE_STRING, 0, "s"}, {0}, {0}},
    {TAG_ROTATE_NAME, T(2, ROTATE_NAME_VALUE, "r"), E(2, ROTATE_NAME_TYPE, 1),
	{0}},
};

/* Any value that it may have. */
static struct item *
some_value(const struct attr_def *def, enum tag tag)
{
	struct node nodes[NODE_MAX] = {{1, tag, def->type, 1, NULL}};

	if (def->type == TEXT_STRING || def->type == BYTE_STRING)
		nodes[0].text = "t";
	/* which has no values but extensions */
	if (def->tag == TAG_OPAQUE_DATA_TYPE)
		nodes[0].number = 0x80000001;
	for (size_t i = 0; i < LENGTH(fields); i++)
		if (fields[i].tag == def->tag) {
			nodes[1] = fields[i].first;
			nodes[2] = fields[i].second;
			nodes[3] = fields[i].third;
		}
	return build(nodes);
}

/* The payload of an Add Attribute. */
static struct item *
request_of(const struct attr_def *def, enum version v)
{
	struct item *payload;
	struct item *holder;

	must(item_add_structure(arena, NULL, TAG_REQUEST_PAYLOAD, &payload));
	if (v < V2_0) {
		must(
		    item_add_structure(arena, payload, TAG_ATTRIBUTE, &holder));
		must(item_add_text(
		    arena, holder, TAG_ATTRIBUTE_NAME, def->name));
		item_append(holder, some_value(def, TAG_ATTRIBUTE_VALUE));
	} else {
		must(item_add_structure(
		    arena, payload, TAG_NEW_ATTRIBUTE, &holder));
		item_append(holder, some_value(def, def->tag));
	}
	return payload;
}

/* It is there in the answer of a version that has it, and in no other. */
static void
answer(const struct attr *one, enum version v)
{
	struct item *payload;
	struct fault fault = {{0}};
	enum err rc = OK;

	must(item_add_structure(arena, NULL, TAG_RESPONSE_PAYLOAD, &payload));
	must(item_add_text(arena, payload, TAG_UNIQUE_IDENTIFIER, "a"));
	must(attr_write(arena, payload, v, one));
	if (payload->first == payload->last) {
		assert_null(attr_def_of_tag(one->def->tag, v));
		return;
	}
	assert_non_null(attr_def_of_tag(one->def->tag, v));
	rc = schema_shape_payload(payload, OPERATION_GET_ATTRIBUTES, v, &fault);
	if (rc == OK)
		rc = schema_check_payload(
		    payload, OPERATION_GET_ATTRIBUTES, v, &fault);
	if (rc != OK || payload->first == payload->last)
		fail_msg("%s to %x: %s, %s", one->def->name, v, err_name(rc),
		    fault.text);
}

static void
test_every_attribute_goes_from_any_version_to_any(void **state)
{
	size_t travelled = 0;

	(void)state;
	for (uint32_t tag = 0x420000; tag < 0x420200; tag++)
		for (size_t i = 0; i < VERSION_COUNT; i++) {
			enum version v = schema_versions[i];
			const struct attr_def *def = attr_def_of_tag(tag, v);
			struct attr_list list = {0};
			struct fault fault = {{0}};
			struct item *payload;
			enum err rc;

			if (def == NULL || tag == TAG_ATTRIBUTE)
				continue;
			payload = request_of(def, v);
			rc = schema_check_payload(
			    payload, OPERATION_ADD_ATTRIBUTE, v, &fault);
			if (rc == OK)
				rc = attr_read_list(
				    arena, payload, v, &list, &fault);
			if (rc != OK)
				fail_msg("%s from %x: %s, %s", def->name, v,
				    err_name(rc), fault.text);
			assert_int_equal(list.count, 1);
			assert_ptr_equal(list.first->def, def);
			assert_int_equal(list.first->value->type, def->type);
			for (size_t k = 0; k < VERSION_COUNT; k++)
				answer(list.first, schema_versions[k]);
			arena_reset(arena);
			travelled++;
		}
	assert_true(travelled > 350);
}

/* ---- lists ---- */

static void
add_name(struct attr_list *list, const char *text)
{
	struct node nodes[NODE_MAX] = {S(1, ATTRIBUTES), S(2, NAME),
	    T(3, NAME_VALUE, text), E(3, NAME_TYPE, 1)};

	must(attr_add(arena, list, one_of(nodes, V2_1)));
}

/* spec: kmip-1.4 2.1.1 */
static void
test_an_instance_keeps_its_index(void **state)
{
	struct attr_list list = {0};
	struct attr *second;

	(void)state;
	add_name(&list, "a");
	must(attr_add_number(arena, &list, TAG_STATE, STATE_ACTIVE));
	add_name(&list, "b");
	add_name(&list, "c");
	second = list.first->next->next;
	assert_int_equal(list.first->index, 0);
	assert_int_equal(list.first->next->index, 0);
	assert_int_equal(second->index, 1);
	assert_int_equal(list.last->index, 2);

	attr_remove(&list, second);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.last->index, 2);
	add_name(&list, "d");
	assert_int_equal(list.last->index, 3);

	attr_remove(&list, list.last);
	assert_int_equal(list.last->index, 2);
	attr_remove(&list, list.first);
	assert_int_equal(list.first->def->tag, TAG_STATE);
	attr_remove(&list, list.last);
	attr_remove(&list, list.first);
	assert_int_equal(list.count, 0);
	assert_null(list.first);
	assert_null(list.last);
	add_name(&list, "e");
	assert_int_equal(list.first->index, 0);
}

/* However they came into the list. */
static void
test_a_new_index_is_behind_the_highest(void **state)
{
	static const int32_t held[] = {5, 2};
	struct attr_list list = {0};

	(void)state;
	for (size_t i = 0; i < LENGTH(held); i++) {
		struct node nodes[NODE_MAX] = {
		    S(1, ATTRIBUTES), T(2, OBJECT_GROUP, "g")};
		struct attr *one = one_of(nodes, V2_1);

		one->index = held[i];
		attr_append(&list, one);
	}
	must(attr_add_octets(
	    arena, &list, TAG_OBJECT_GROUP, bytes_of_text("g")));
	assert_int_equal(list.last->index, 6);
	list.last->index = INT32_MAX;
	assert_int_equal(
	    attr_add_octets(arena, &list, TAG_OBJECT_GROUP, bytes_of_text("g")),
	    ERR_INDEX);
}

static void
test_one_value_is_one_value(void **state)
{
	struct attr_list list = {0};

	(void)state;
	must(
	    attr_add_octets(arena, &list, TAG_COMMENT, bytes_of_text("first")));
	assert_int_equal(
	    attr_add_octets(arena, &list, TAG_COMMENT, bytes_of_text("second")),
	    ERR_ATTR_SINGLE);
	must(attr_add_octets(
	    arena, &list, TAG_OBJECT_GROUP, bytes_of_text("g")));
	must(attr_add_octets(
	    arena, &list, TAG_OBJECT_GROUP, bytes_of_text("g")));
	assert_true(bytes_equal_text(attr_octets(&list, TAG_COMMENT), "first"));
	assert_null(attr_octets(&list, TAG_DESCRIPTION).at);

	must(attr_set_number(arena, &list, TAG_STATE, STATE_ACTIVE));
	must(attr_set_number(arena, &list, TAG_STATE, STATE_DEACTIVATED));
	assert_int_equal(attr_number(&list, TAG_STATE, 0), STATE_DEACTIVATED);
	assert_int_equal(attr_number(&list, TAG_INITIAL_DATE, -5), -5);
	assert_int_equal(list.count, 4);
}

/* x:a and x:b are two attributes, y:a a third: each has its own indexes. */
static void
test_custom_attributes_are_told_apart(void **state)
{
	static const char *const called[][2] = {
	    {"x", "a"}, {"x", "b"}, {"y", "a"}, {"x", "a"}};
	static const int32_t index[] = {0, 0, 0, 1};
	struct attr_list list = {0};

	(void)state;
	for (size_t i = 0; i < LENGTH(called); i++) {
		struct node nodes[NODE_MAX] = {S(1, ATTRIBUTES),
		    S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, called[i][0]),
		    T(3, ATTRIBUTE_NAME, called[i][1]),
		    I(3, ATTRIBUTE_VALUE, 1)};

		must(attr_add(arena, &list, one_of(nodes, V2_1)));
		assert_int_equal(list.last->index, index[i]);
	}
}

static void
test_a_list_cannot_outgrow_its_limit(void **state)
{
	struct attr_list list = {0};

	(void)state;
	for (size_t i = 0; i < ATTR_LIST_MAX; i++)
		must(attr_add_octets(
		    arena, &list, TAG_OBJECT_GROUP, bytes_of_text("g")));
	assert_int_equal(
	    attr_add_octets(arena, &list, TAG_OBJECT_GROUP, bytes_of_text("g")),
	    ERR_LIMIT);
	assert_int_equal(list.count, ATTR_LIST_MAX);
}

/* ---- rules ---- */

enum { NOW_S = 1000 };

#define VENDOR(vendor, value)                                               \
	{                                                                   \
		S(1, ATTRIBUTES), S(2, ATTRIBUTE),                          \
		    T(3, VENDOR_IDENTIFICATION, vendor),                    \
		    T(3, ATTRIBUTE_NAME, "a"), I(3, ATTRIBUTE_VALUE, value) \
	}
#define USAGE(total, count)                                        \
	{                                                          \
		S(1, ATTRIBUTES), S(2, USAGE_LIMITS),              \
		    N(3, USAGE_LIMITS_TOTAL, LONG_INTEGER, total), \
		    N(3, USAGE_LIMITS_COUNT, LONG_INTEGER, count), \
		    E(3, USAGE_LIMITS_UNIT, 1)                     \
	}

static const struct {
	const char *name;
	struct node nodes[NODE_MAX];
	enum attr_rule rule;
	uint32_t state;
	enum err want;
} changes[] = {
    {"Comment is added", {S(1, ATTRIBUTES), T(2, COMMENT, "")},
	ATTR_SET_BY_CLIENT, STATE_ACTIVE, OK},
    {"State is not", {S(1, ATTRIBUTES), E(2, STATE, 1)}, ATTR_SET_BY_CLIENT,
	STATE_ACTIVE, ERR_ATTR_READ_ONLY},
    {"nor modified", {S(1, ATTRIBUTES), E(2, STATE, 1)}, ATTR_MODIFY_CLIENT,
	STATE_ACTIVE, ERR_ATTR_READ_ONLY},
    {"nor deleted", {S(1, ATTRIBUTES), E(2, STATE, 1)}, ATTR_DELETE_CLIENT,
	STATE_ACTIVE, ERR_ATTR_READ_ONLY},
    {"nor given", {S(1, ATTRIBUTES), E(2, STATE, 1)}, ATTR_GIVEN,
	STATE_PRE_ACTIVE, ERR_ATTR_READ_ONLY},
    {"an algorithm is given at creation",
	{S(1, ATTRIBUTES), E(2, CRYPTOGRAPHIC_ALGORITHM, 3)}, ATTR_GIVEN,
	STATE_PRE_ACTIVE, OK},
    {"and not added later",
	{S(1, ATTRIBUTES), E(2, CRYPTOGRAPHIC_ALGORITHM, 3)},
	ATTR_SET_BY_CLIENT, STATE_PRE_ACTIVE, ERR_ATTR_READ_ONLY},
    {"an Activation Date that is past is given",
	{S(1, ATTRIBUTES), D(2, ACTIVATION_DATE, NOW_S - 1)}, ATTR_GIVEN,
	STATE_PRE_ACTIVE, OK},
    {"and so is a Process Start Date",
	{S(1, ATTRIBUTES), D(2, PROCESS_START_DATE, NOW_S - 1)}, ATTR_GIVEN, 0,
	OK},
    {"Activation Date changes while Pre-Active",
	{S(1, ATTRIBUTES), D(2, ACTIVATION_DATE, NOW_S + 1)},
	ATTR_MODIFY_CLIENT, STATE_PRE_ACTIVE, OK},
    {"and not while Active",
	{S(1, ATTRIBUTES), D(2, ACTIVATION_DATE, NOW_S + 1)},
	ATTR_MODIFY_CLIENT, STATE_ACTIVE, ERR_LIFECYCLE},
    {"nor is it added then",
	{S(1, ATTRIBUTES), D(2, ACTIVATION_DATE, NOW_S + 1)},
	ATTR_SET_BY_CLIENT, STATE_ACTIVE, ERR_LIFECYCLE},
    {"it is of use on an object without a state",
	{S(1, ATTRIBUTES), D(2, ACTIVATION_DATE, NOW_S + 1)},
	ATTR_MODIFY_CLIENT, 0, OK},
    {"it is never deleted",
	{S(1, ATTRIBUTES), D(2, ACTIVATION_DATE, NOW_S + 1)},
	ATTR_DELETE_CLIENT, STATE_PRE_ACTIVE, ERR_ATTR_READ_ONLY},
    {"Deactivation Date changes while Active",
	{S(1, ATTRIBUTES), D(2, DEACTIVATION_DATE, NOW_S + 1)},
	ATTR_MODIFY_CLIENT, STATE_ACTIVE, OK},
    {"and not when Deactivated",
	{S(1, ATTRIBUTES), D(2, DEACTIVATION_DATE, NOW_S + 1)},
	ATTR_MODIFY_CLIENT, STATE_DEACTIVATED, ERR_LIFECYCLE},
    {"nor is it added then",
	{S(1, ATTRIBUTES), D(2, DEACTIVATION_DATE, NOW_S + 1)},
	ATTR_SET_BY_CLIENT, STATE_COMPROMISED, ERR_LIFECYCLE},
    {"Process Start Date changes until it is reached",
	{S(1, ATTRIBUTES), D(2, PROCESS_START_DATE, NOW_S + 1)},
	ATTR_MODIFY_CLIENT, STATE_ACTIVE, OK},
    {"and not at that moment",
	{S(1, ATTRIBUTES), D(2, PROCESS_START_DATE, NOW_S)}, ATTR_MODIFY_CLIENT,
	STATE_ACTIVE, ERR_LIFECYCLE},
    {"nor in another state",
	{S(1, ATTRIBUTES), D(2, PROCESS_START_DATE, NOW_S + 1)},
	ATTR_MODIFY_CLIENT, STATE_DEACTIVATED, ERR_LIFECYCLE},
    {"one that is past is added",
	{S(1, ATTRIBUTES), D(2, PROCESS_START_DATE, NOW_S - 1)},
	ATTR_SET_BY_CLIENT, STATE_ACTIVE, OK},
    {"the client's own attribute changes", VENDOR("x", 1), ATTR_MODIFY_CLIENT,
	STATE_ACTIVE, OK},
    {"another vendor's, too", VENDOR("acme", 1), ATTR_MODIFY_CLIENT,
	STATE_ACTIVE, OK},
    {"the server's does not", VENDOR("y", 1), ATTR_MODIFY_CLIENT, STATE_ACTIVE,
	ERR_ATTR_READ_ONLY},
    {"nor is it deleted", VENDOR("y", 1), ATTR_DELETE_CLIENT, STATE_ACTIVE,
	ERR_ATTR_READ_ONLY},
    {"nor given", VENDOR("y", 1), ATTR_GIVEN, STATE_PRE_ACTIVE,
	ERR_ATTR_READ_ONLY},
    {"nor added", VENDOR("y", 1), ATTR_SET_BY_CLIENT, STATE_ACTIVE,
	ERR_ATTR_READ_ONLY},
    {"the client's own is deleted", VENDOR("x", 1), ATTR_DELETE_CLIENT,
	STATE_ACTIVE, OK},
    {"Usage Limits change before they are used", USAGE(9, 9),
	ATTR_MODIFY_CLIENT, STATE_ACTIVE, OK},
    {"and not after", USAGE(9, 8), ATTR_MODIFY_CLIENT, STATE_ACTIVE,
	ERR_ATTR_READ_ONLY},
    {"nor are they deleted then", USAGE(9, 8), ATTR_DELETE_CLIENT, STATE_ACTIVE,
	ERR_ATTR_READ_ONLY},
};

static void
test_rules_bind_the_client(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(changes); i++) {
		enum err rc = attr_check_client(one_of(changes[i].nodes, V2_1),
		    changes[i].rule, V2_1, changes[i].state, NOW_S);

		if (rc != changes[i].want)
			fail_msg("%s: expected %s, got %s", changes[i].name,
			    err_name(changes[i].want), err_name(rc));
	}
}

/* ---- Locate ---- */

/* spec: kmip-1.4 4.9 */
static const struct {
	const char *name;
	struct node asked[NODE_MAX];
	struct node held[NODE_MAX];
	bool want;
} matches[] = {
    {"a text", {S(1, ATTRIBUTES), T(2, OBJECT_GROUP, "g")},
	{S(1, ATTRIBUTES), T(2, OBJECT_GROUP, "g")}, true},
    {"another text", {S(1, ATTRIBUTES), T(2, OBJECT_GROUP, "g")},
	{S(1, ATTRIBUTES), T(2, OBJECT_GROUP, "G")}, false},
    {"the same text of another attribute",
	{S(1, ATTRIBUTES), T(2, COMMENT, "g")},
	{S(1, ATTRIBUTES), T(2, OBJECT_GROUP, "g")}, false},
    {"every bit asked for",
	{S(1, ATTRIBUTES), I(2, CRYPTOGRAPHIC_USAGE_MASK, 0x4)},
	{S(1, ATTRIBUTES), I(2, CRYPTOGRAPHIC_USAGE_MASK, 0xc)}, true},
    {"not every bit asked for",
	{S(1, ATTRIBUTES), I(2, CRYPTOGRAPHIC_USAGE_MASK, 0xc)},
	{S(1, ATTRIBUTES), I(2, CRYPTOGRAPHIC_USAGE_MASK, 0x4)}, false},
    {"a structure",
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 1)},
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 1)},
	true},
    {"a structure with another field",
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 2)},
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 1)},
	false},
    {"its first field only",
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a")},
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 1)},
	true},
    {"its last field only",
	{S(1, ATTRIBUTES), S(2, LINK), T(3, LINKED_OBJECT_IDENTIFIER, "7")},
	{S(1, ATTRIBUTES), S(2, LINK), E(3, LINK_TYPE, 0x101),
	    T(3, LINKED_OBJECT_IDENTIFIER, "7")},
	true},
    {"a field that it does not have",
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a"),
	    E(3, NAME_TYPE, 1)},
	{S(1, ATTRIBUTES), S(2, NAME), T(3, NAME_VALUE, "a")}, false},
    {"Usage Limits at least as large", USAGE(5, 5), USAGE(9, 5), true},
    {"Usage Limits with a smaller count", USAGE(5, 5), USAGE(9, 4), false},
    {"Usage Limits with a smaller total", USAGE(5, 5), USAGE(4, 5), false},
    {"Usage Limits asked for by the count alone",
	{S(1, ATTRIBUTES), S(2, USAGE_LIMITS),
	    N(3, USAGE_LIMITS_COUNT, LONG_INTEGER, 5)},
	USAGE(9, 9), true},
    {"Usage Limits of another unit",
	{S(1, ATTRIBUTES), S(2, USAGE_LIMITS), E(3, USAGE_LIMITS_UNIT, 2)},
	USAGE(9, 9), false},
    {"a field twice, which it has once",
	{S(1, ATTRIBUTES), S(2, X_509_CERTIFICATE_SUBJECT),
	    T(3, SUBJECT_ALTERNATIVE_NAME, "a"),
	    T(3, SUBJECT_ALTERNATIVE_NAME, "a")},
	{S(1, ATTRIBUTES), S(2, X_509_CERTIFICATE_SUBJECT),
	    T(3, SUBJECT_ALTERNATIVE_NAME, "a")},
	false},
    {"an empty structure, of a number",
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, "a"), S(3, ATTRIBUTE_VALUE)},
	VENDOR("x", 1), false},
    {"a vendor attribute", VENDOR("x", 1), VENDOR("x", 1), true},
    {"another value", VENDOR("x", 1), VENDOR("x", 2), false},
    {"another vendor", VENDOR("x", 1), VENDOR("y", 1), false},
    {"the same number as another type", VENDOR("x", 1),
	{S(1, ATTRIBUTES), S(2, ATTRIBUTE), T(3, VENDOR_IDENTIFICATION, "x"),
	    T(3, ATTRIBUTE_NAME, "a"), N(3, ATTRIBUTE_VALUE, LONG_INTEGER, 1)},
	false},
};

static void
test_values_are_compared_as_locate_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(matches); i++)
		if (attr_matches(one_of(matches[i].asked, V2_1),
			one_of(matches[i].held, V2_1)) != matches[i].want)
			fail_msg("%s: expected %d", matches[i].name,
			    matches[i].want);
}

int
main(void)
{
#define ARENA_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    ARENA_TEST(test_both_forms_are_read),
	    ARENA_TEST(test_nothing_is_read_of_nothing),
	    ARENA_TEST(test_a_fault_shows_no_octets_that_harm),
	    ARENA_TEST(test_a_list_has_a_limit),
	    ARENA_TEST(test_references_are_read),
	    ARENA_TEST(test_a_reference_matches_what_it_names),
	    ARENA_TEST(test_both_forms_are_written),
	    ARENA_TEST(test_attributes_share_one_structure),
	    ARENA_TEST(test_what_is_written_is_a_copy),
	    ARENA_TEST(test_every_attribute_goes_from_any_version_to_any),
	    ARENA_TEST(test_an_instance_keeps_its_index),
	    ARENA_TEST(test_a_new_index_is_behind_the_highest),
	    ARENA_TEST(test_one_value_is_one_value),
	    ARENA_TEST(test_custom_attributes_are_told_apart),
	    ARENA_TEST(test_a_list_cannot_outgrow_its_limit),
	    ARENA_TEST(test_rules_bind_the_client),
	    ARENA_TEST(test_values_are_compared_as_locate_has_it),
	};
#undef ARENA_TEST

	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(longest_name, 'n', sizeof(longest_name) - 1);
	memset(longest_custom, 'n', sizeof(longest_custom) - 1);
	memset(long_custom, 'n', sizeof(long_custom) - 1);
	memcpy(longest_custom, "x-", 2);
	memcpy(long_custom, "x-", 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
