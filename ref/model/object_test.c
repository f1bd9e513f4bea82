#include "model/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cmocka_test.h"

static struct env *env;
static struct arena *arena;

/* The octet of which all randomness consists. */
static uint8_t random_octet;

static enum err
random_fill(void *ctx, uint8_t *out, size_t octets)
{
	(void)ctx;
	memset(out, random_octet, octets);
	return OK;
}

static int
set_up(void **state)
{
	(void)state;
	env = NULL;
	if (arena_new(1 << 20, &arena) != OK || env_new(&env) != OK)
		return -1;
	env_set_random(env, random_fill, NULL);
	random_octet = 0xff;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	env_free(env);
	arena_free(arena);
	arena = NULL;
	return 0;
}

static void
must(enum err rc)
{
	assert_int_equal(rc, OK);
}

static struct object *
object_of(uint32_t type)
{
	struct object *o;

	must(object_new(env, type, bytes_of_text("alice"), &o));
	return o;
}

static int64_t
date(const struct object *o, enum tag tag)
{
	return attr_number(&o->attrs, tag, -1);
}

/* ---- birth ---- */

static void
test_a_new_object_has_what_the_server_sets(void **state)
{
	int64_t before_s = env_wall_s(env);
	struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);

	(void)state;
	assert_true(bytes_equal_text(o->owner, "alice"));
	assert_int_equal(o->object_type, OBJECT_TYPE_SYMMETRIC_KEY);
	assert_true(
	    bytes_equal(attr_octets(&o->attrs, TAG_UNIQUE_IDENTIFIER), o->id));
	assert_int_equal(date(o, TAG_OBJECT_TYPE), OBJECT_TYPE_SYMMETRIC_KEY);
	assert_int_equal(object_state(o), STATE_PRE_ACTIVE);
	assert_in_range(date(o, TAG_INITIAL_DATE), before_s, env_wall_s(env));
	assert_int_equal(
	    date(o, TAG_INITIAL_DATE), date(o, TAG_LAST_CHANGE_DATE));
	assert_int_equal(o->attrs.count, 5);
	object_free(o);
}

/* The milliseconds in it, once the rest is as expected. */
static int64_t
uuid_ms(const struct object *o, const char *rest)
{
	char digits[13] = {0};

	assert_int_equal(o->id.octets, 36);
	assert_memory_equal(o->id.at + 13, rest, 36 - 13);
	assert_int_equal(o->id.at[8], '-');
	memcpy(digits, o->id.at, 8);
	memcpy(digits + 8, o->id.at + 9, 4);
	return strtoll(digits, NULL, 16);
}

static void
test_an_identifier_is_a_uuid_of_time_and_chance(void **state)
{
	int64_t before_ms = env_wall_ms(env);
	struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);

	(void)state;
	assert_in_range(
	    uuid_ms(o, "-7fff-bfff-ffffffffffff"), before_ms, env_wall_ms(env));
	object_free(o);
	random_octet = 0;
	env_set_random(env, random_fill, NULL); /* not what was drawn before */
	o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);
	assert_in_range(
	    uuid_ms(o, "-7000-8000-000000000000"), before_ms, env_wall_ms(env));
	object_free(o);
}

static void
test_a_template_has_no_state(void **state)
{
	struct object *o = object_of(OBJECT_TYPE_TEMPLATE);

	(void)state;
	assert_int_equal(object_state(o), 0);
	assert_null(attr_find(&o->attrs, TAG_STATE));
	must(object_set_state(o, STATE_DESTROYED, 77));
	assert_null(attr_find(&o->attrs, TAG_STATE));
	assert_int_equal(date(o, TAG_DESTROY_DATE), 77);
	object_free(o);
}

static void
test_an_object_needs_randomness_and_a_short_owner(void **state)
{
	static uint8_t owner[OBJECT_OWNER_MAX_OCTETS + 1];
	struct object *o;

	(void)state;
	memset(owner, 'a', sizeof(owner));
	must(object_new(env, OBJECT_TYPE_SYMMETRIC_KEY,
	    (struct bytes){owner, sizeof(owner) - 1}, &o));
	object_free(o);
	assert_int_equal(object_new(env, OBJECT_TYPE_SYMMETRIC_KEY,
			     (struct bytes){owner, sizeof(owner)}, &o),
	    ERR_LIMIT);
	assert_null(o);
	env_break_random(env, true);
	assert_int_equal(object_new(env, OBJECT_TYPE_SYMMETRIC_KEY,
			     bytes_of_text("alice"), &o),
	    ERR_ENTROPY);
	assert_null(o);
}

/* ---- the value ---- */

static void
test_a_value_is_copied_replaced_and_wiped(void **state)
{
	struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);
	struct bytes first;
	struct bytes second;

	(void)state;
	must(object_set_value(o, bytes_of_text("first"), true));
	first = o->value;
	assert_true(bytes_equal_text(first, "first"));
	assert_true(o->value_sealed);
	must(object_set_value(o, bytes_of_text("second"), false));
	second = o->value;
	assert_true(bytes_equal_text(second, "second"));
	assert_false(o->value_sealed);
	/* the arena still has them: nothing is left there */
	assert_true(bytes_equal(
	    first, (struct bytes){(const uint8_t *)"\0\0\0\0\0", 5}));
	o->value_sealed = true;
	o->value_version = 3;
	object_drop_value(o);
	assert_false(o->value_sealed);
	assert_true(bytes_equal(
	    second, (struct bytes){(const uint8_t *)"\0\0\0\0\0\0", 6}));
	assert_int_equal(o->value.octets, 0);
	assert_int_equal(o->value_version, 0);
	object_free(o);
}

static void
test_a_value_has_a_limit(void **state)
{
	static uint8_t value[OBJECT_VALUE_MAX_OCTETS + 1];
	struct object *o = object_of(OBJECT_TYPE_OPAQUE_OBJECT);
	struct object *copy;

	(void)state;
	must(object_set_value(
	    o, (struct bytes){value, OBJECT_VALUE_MAX_OCTETS}, true));
	assert_int_equal(
	    object_set_value(o, (struct bytes){value, sizeof(value)}, true),
	    ERR_LIMIT);
	assert_int_equal(o->value.octets, OBJECT_VALUE_MAX_OCTETS);
	/* and the largest fits its clone */
	must(object_clone(o, &copy));
	assert_int_equal(copy->value.octets, OBJECT_VALUE_MAX_OCTETS);
	object_free(copy);
	object_free(o);
}

static void
test_secrets_are_told_from_what_is_public(void **state)
{
	static const struct {
		uint32_t type;
		bool is_secret;
	} types[] = {
	    {OBJECT_TYPE_CERTIFICATE, false},
	    {OBJECT_TYPE_SYMMETRIC_KEY, true},
	    {OBJECT_TYPE_PUBLIC_KEY, false},
	    {OBJECT_TYPE_PRIVATE_KEY, true},
	    {OBJECT_TYPE_SPLIT_KEY, true},
	    {OBJECT_TYPE_TEMPLATE, false},
	    {OBJECT_TYPE_SECRET_DATA, true},
	    {OBJECT_TYPE_OPAQUE_OBJECT, true},
	    {OBJECT_TYPE_PGP_KEY, true},
	    {OBJECT_TYPE_CERTIFICATE_REQUEST, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(types); i++)
		if (object_type_is_secret(types[i].type) != types[i].is_secret)
			fail_msg("object type %u", types[i].type);
}

static void
test_a_clone_changes_nothing(void **state)
{
	struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);
	struct object *copy;

	(void)state;
	must(object_set_value(o, bytes_of_text("value"), true));
	o->value_version = 9;
	must(attr_add_octets(
	    o->arena, &o->attrs, TAG_OBJECT_GROUP, bytes_of_text("a")));
	must(attr_add_octets(
	    o->arena, &o->attrs, TAG_OBJECT_GROUP, bytes_of_text("b")));
	attr_remove(&o->attrs, attr_find(&o->attrs, TAG_OBJECT_GROUP));

	must(object_clone(o, &copy));
	assert_true(bytes_equal(copy->id, o->id));
	assert_true(bytes_equal(copy->owner, o->owner));
	assert_int_equal(copy->object_type, o->object_type);
	assert_true(bytes_equal(copy->value, o->value));
	assert_true(copy->value_sealed);
	assert_int_equal(copy->value_version, 9);
	assert_int_equal(copy->attrs.count, o->attrs.count);
	assert_int_equal(attr_find(&copy->attrs, TAG_OBJECT_GROUP)->index, 1);

	must(object_set_state(copy, STATE_ACTIVE, 5));
	object_drop_value(copy);
	assert_int_equal(object_state(o), STATE_PRE_ACTIVE);
	assert_int_equal(date(o, TAG_ACTIVATION_DATE), -1);
	assert_true(bytes_equal_text(o->value, "value"));
	object_free(o);
	/* what it has is its own */
	assert_true(
	    bytes_equal_text(attr_octets(&copy->attrs, TAG_OBJECT_GROUP), "b"));
	object_free(copy);
}

/* ---- states ---- */

/* spec: kmip-1.4 3.24, 3.27, 3.28, 3.30 */
static const struct {
	const char *name;
	uint32_t before;
	uint32_t then;
	enum tag date;
} comings[] = {
    {"Activate", STATE_PRE_ACTIVE, STATE_ACTIVE, TAG_ACTIVATION_DATE},
    {"Revoke", STATE_ACTIVE, STATE_DEACTIVATED, TAG_DEACTIVATION_DATE},
    {"a compromise", STATE_ACTIVE, STATE_COMPROMISED, TAG_COMPROMISE_DATE},
    {"Destroy", STATE_DEACTIVATED, STATE_DESTROYED, TAG_DESTROY_DATE},
    {"Destroy of a compromised one", STATE_COMPROMISED,
	STATE_DESTROYED_COMPROMISED, TAG_DESTROY_DATE},
    {"a compromise after Destroy", STATE_DESTROYED, STATE_DESTROYED_COMPROMISED,
	TAG_COMPROMISE_DATE},
};

static void
test_a_state_comes_with_its_date(void **state)
{
	static const enum tag dates[] = {TAG_ACTIVATION_DATE,
	    TAG_DEACTIVATION_DATE, TAG_COMPROMISE_DATE, TAG_DESTROY_DATE};

	(void)state;
	for (size_t i = 0; i < LENGTH(comings); i++) {
		struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);

		must(attr_set_number(
		    o->arena, &o->attrs, TAG_STATE, comings[i].before));
		must(object_set_state(o, comings[i].then, 1234));
		assert_int_equal(object_state(o), comings[i].then);
		assert_int_equal(date(o, TAG_LAST_CHANGE_DATE), 1234);
		for (size_t k = 0; k < LENGTH(dates); k++)
			if (date(o, dates[k]) !=
			    (dates[k] == comings[i].date ? 1234 : -1))
				fail_msg("%s: %s", comings[i].name,
				    schema_tag_name(dates[k]));
		object_free(o);
	}
}

enum { NONE = -1 };

/* spec: kmip-1.4 3.22 */
static const struct {
	const char *name;
	uint32_t state;
	int64_t activation_s; /* NONE: it has none */
	int64_t deactivation_s;
	int64_t last_change_s;
	int64_t due_s; /* before the tick */
	int64_t now_s;
	uint32_t want;
	int64_t want_change_s;
} ticks[] = {
    {"no dates", STATE_PRE_ACTIVE, NONE, NONE, 5, INT64_MAX, INT64_MAX,
	STATE_PRE_ACTIVE, 5},
    {"before the Activation Date", STATE_PRE_ACTIVE, 100, NONE, 5, 100, 99,
	STATE_PRE_ACTIVE, 5},
    {"at the Activation Date", STATE_PRE_ACTIVE, 100, NONE, 5, 100, 100,
	STATE_ACTIVE, 100},
    {"after it", STATE_PRE_ACTIVE, 100, NONE, 5, 100, 200, STATE_ACTIVE, 100},
    {"a date that was past at creation", STATE_PRE_ACTIVE, 100, NONE, 150, 100,
	200, STATE_ACTIVE, 150},
    {"before the Deactivation Date", STATE_ACTIVE, 100, 200, 100, 200, 199,
	STATE_ACTIVE, 100},
    {"at the Deactivation Date", STATE_ACTIVE, 100, 200, 100, 200, 200,
	STATE_DEACTIVATED, 200},
    {"both at once", STATE_PRE_ACTIVE, 100, 200, 5, 100, 300, STATE_DEACTIVATED,
	200},
    {"one of both", STATE_PRE_ACTIVE, 100, 200, 5, 100, 199, STATE_ACTIVE, 100},
    {"Deactivation alone does not end what has not begun", STATE_PRE_ACTIVE,
	NONE, 200, 5, INT64_MAX, 300, STATE_PRE_ACTIVE, 5},
    {"the largest date is none", STATE_PRE_ACTIVE, INT64_MAX, NONE, 5,
	INT64_MAX, INT64_MAX, STATE_PRE_ACTIVE, 5},
    {"a deactivated one", STATE_DEACTIVATED, 100, 200, 150, INT64_MAX, 300,
	STATE_DEACTIVATED, 150},
    {"a compromised one", STATE_COMPROMISED, 100, 200, 150, INT64_MAX, 300,
	STATE_COMPROMISED, 150},
    {"a destroyed one", STATE_DESTROYED, 100, 200, 150, INT64_MAX, 300,
	STATE_DESTROYED, 150},
};

static void
set_date(struct object *o, enum tag tag, int64_t date_s)
{
	if (date_s != NONE)
		must(attr_set_number(o->arena, &o->attrs, tag, date_s));
}

static void
test_dates_bring_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(ticks); i++) {
		struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);
		bool changed;

		set_date(o, TAG_STATE, ticks[i].state);
		set_date(o, TAG_ACTIVATION_DATE, ticks[i].activation_s);
		set_date(o, TAG_DEACTIVATION_DATE, ticks[i].deactivation_s);
		set_date(o, TAG_LAST_CHANGE_DATE, ticks[i].last_change_s);
		if (object_due_s(o) != ticks[i].due_s)
			fail_msg("%s: due at %lld", ticks[i].name,
			    (long long)object_due_s(o));
		must(object_tick(o, ticks[i].now_s, &changed));
		if (object_state(o) != ticks[i].want ||
		    changed != (ticks[i].want != ticks[i].state) ||
		    date(o, TAG_LAST_CHANGE_DATE) != ticks[i].want_change_s)
			fail_msg("%s: state %u, changed %d, at %lld",
			    ticks[i].name, object_state(o), changed,
			    (long long)date(o, TAG_LAST_CHANGE_DATE));
		/* the dates are those that were set */
		assert_int_equal(
		    date(o, TAG_ACTIVATION_DATE), ticks[i].activation_s);
		assert_int_equal(
		    date(o, TAG_DEACTIVATION_DATE), ticks[i].deactivation_s);
		object_free(o);
	}
}

/* spec: kmip-1.4 3.25, 3.26 */
static const struct {
	const char *name;
	int64_t activation_s;
	int64_t process_s;
	int64_t protect_s;
	int64_t deactivation_s;
	enum err want;
} orders[] = {
    {"all in order", 1, 2, 3, 4, OK},
    {"all the same", 1, 1, 1, 1, OK},
    {"Process Start before Activation", 3, 2, 5, 6, ERR_FIELD},
    {"Process Start without Activation", NONE, 2, 5, 6, OK},
    {"Protect Stop after Deactivation", 1, 2, 5, 4, ERR_FIELD},
    {"Protect Stop without Deactivation", 1, 2, 5, NONE, OK},
    {"Protect Stop before Process Start is allowed", 1, 5, 2, 6, OK},
};

static void
test_dates_have_an_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(orders); i++) {
		struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);
		struct fault fault = {{0}};
		enum err rc;

		set_date(o, TAG_ACTIVATION_DATE, orders[i].activation_s);
		set_date(o, TAG_PROCESS_START_DATE, orders[i].process_s);
		set_date(o, TAG_PROTECT_STOP_DATE, orders[i].protect_s);
		set_date(o, TAG_DEACTIVATION_DATE, orders[i].deactivation_s);
		rc = object_check_dates(o, &fault);
		if (rc != orders[i].want ||
		    (rc != OK) != (fault.text[0] != '\0'))
			fail_msg("%s: %s, \"%s\"", orders[i].name, err_name(rc),
			    fault.text);
		object_free(o);
	}
}

/* ---- the stored form ---- */

static struct bytes
hex_read(const char *hex)
{
	size_t octets = 0;
	uint8_t *at;
	unsigned value;
	int used;

	must(ARENA_ARRAY(arena, at, strlen(hex) / 2 + 1));
	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		at[octets++] = (uint8_t)value;
		hex += used;
	}
	return (struct bytes){at, octets};
}

/* clang-format off */
#define HEAD "54534f42 0001 0001 "
#define ID    "420094 07 00000001 6100000000000000 "
#define TYPE2 "420057 05 00000004 0000000200000000 "
#define GROUP "420056 07 00000001 6700000000000000 "
/* instance 3 of Object Group */
#define GROUP3 \
	"420008 01 00000020 420009 02 00000004 0000000300000000 " GROUP
/* x-b, instances 0 and 1, a Boolean and a structure */
#define CUSTOM \
	"420008 01 00000030 42009d 07 00000001 7800000000000000 " \
	"42000a 07 00000001 6200000000000000 " \
	"42000b 06 00000008 0000000000000001 "
#define CUSTOM1 \
	"420008 01 00000048 42009d 07 00000001 7800000000000000 " \
	"42000a 07 00000001 6200000000000000 " \
	"420009 02 00000004 0000000100000000 " \
	"42000b 01 00000010 42000d 02 00000004 0000000100000000 "
/* deletable, restricted; of 2 versions one is active, made at the second 7 */
#define HEAD_CARD "54534f42 0002 0002 "
#define CARD \
	"01 01 00000002 00000000 00000001 00000001 00000000 " \
	"0000000000000007 02 a0a1 00 0001 01 67 00 01 02 01 70 00 00 00 00 "
/* clang-format on */

static const struct {
	const char *name;
	const char *hex;
	enum err want;
	size_t attrs;
} stored[] = {
    {"the least", HEAD "420125 01 00000020 " ID TYPE2, OK, 2},
    {"every form", HEAD "420125 01 000000d0 " ID TYPE2 GROUP3 CUSTOM CUSTOM1,
	OK, 5},
    {"an older reader's future",
	"54534f42 0002 0001 420125 01 00000020 " ID TYPE2, OK, 2},
    {"written for newer readers only",
	"54534f42 0003 0003 420125 01 00000020 " ID TYPE2, ERR_STORE_VERSION,
	0},
    {"a card", HEAD_CARD "420125 01 00000020 " ID TYPE2 CARD, OK, 2},
    {"a card that is not there", HEAD_CARD "420125 01 00000020 " ID TYPE2,
	ERR_VALUE, 0},
    {"a card where none is", HEAD "420125 01 00000020 " ID TYPE2 CARD,
	ERR_VALUE, 0},
    {"more behind a card", HEAD_CARD "420125 01 00000020 " ID TYPE2 CARD "00",
	ERR_VALUE, 0},
    {"nothing", "", ERR_VALUE, 0},
    {"no magic", "54534f43 0001 0001 420125 01 00000020 " ID TYPE2, ERR_VALUE,
	0},
    {"cut in the magic", "54534f42 0001 00", ERR_VALUE, 0},
    {"cut in the header", HEAD "420125 01 000000", ERR_VALUE, 0},
    {"cut in the attributes", HEAD "420125 01 00000020 " ID, ERR_VALUE, 0},
    {"more behind it", HEAD "420125 01 00000020 " ID TYPE2 GROUP, ERR_VALUE, 0},
    {"another structure", HEAD "420126 01 00000020 " ID TYPE2, ERR_VALUE, 0},
    {"not a structure", HEAD "420125 08 00000020 " ID TYPE2, ERR_VALUE, 0},
    {"no identifier", HEAD "420125 01 00000010 " TYPE2, ERR_VALUE, 0},
    {"another identifier",
	HEAD "420125 01 00000020 420094 07 00000001 6200000000000000 " TYPE2,
	ERR_VALUE, 0},
    {"another object type",
	HEAD "420125 01 00000020 " ID "420057 05 00000004 0000000300000000",
	ERR_VALUE, 0},
    {"a tag that is no attribute",
	HEAD "420125 01 00000030 " ID TYPE2
	     "42000d 02 00000004 0000000100000000",
	ERR_VALUE, 0},
    {"an attribute of another type",
	HEAD "420125 01 00000030 " ID TYPE2
	     "420056 08 00000001 6700000000000000",
	ERR_VALUE, 0},
    {"an Attribute that is not a structure",
	HEAD "420125 01 00000030 " ID TYPE2
	     "420008 02 00000004 0000000100000000",
	ERR_VALUE, 0},
    {"an Attribute with nothing in it",
	HEAD "420125 01 00000028 " ID TYPE2 "420008 01 00000000", ERR_VALUE, 0},
    {"an index of 0, which is written without",
	HEAD "420125 01 00000048 " ID TYPE2
	     "420008 01 00000020 420009 02 00000004 0000000000000000 " GROUP,
	ERR_VALUE, 0},
    {"an index below 0",
	HEAD "420125 01 00000048 " ID TYPE2
	     "420008 01 00000020 420009 02 00000004 ffffffff00000000 " GROUP,
	ERR_VALUE, 0},
    {"an index and no value",
	HEAD "420125 01 00000038 " ID TYPE2
	     "420008 01 00000010 420009 02 00000004 0000000300000000",
	ERR_VALUE, 0},
    {"an index and two values",
	HEAD
	"420125 01 00000058 " ID TYPE2
	"420008 01 00000030 420009 02 00000004 0000000300000000 " GROUP GROUP,
	ERR_VALUE, 0},
    {"a value in an Attribute for nothing",
	HEAD "420125 01 00000038 " ID TYPE2 "420008 01 00000010 " GROUP,
	ERR_VALUE, 0},
    {"a vendor and no name",
	HEAD "420125 01 00000048 " ID TYPE2
	     "420008 01 00000020 42009d 07 00000001 7800000000000000 "
	     "42000b 06 00000008 0000000000000001",
	ERR_VALUE, 0},
    {"a custom value under another tag",
	HEAD "420125 01 00000058 " ID TYPE2
	     "420008 01 00000030 42009d 07 00000001 7800000000000000 "
	     "42000a 07 00000001 6200000000000000 " GROUP,
	ERR_VALUE, 0},
    {"an indexed value that is an Attribute",
	HEAD "420125 01 00000040 " ID TYPE2
	     "420008 01 00000018 420009 02 00000004 0000000300000000 "
	     "420008 01 00000000",
	ERR_VALUE, 0},
};

static void
test_only_what_was_stored_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(stored); i++) {
		struct bytes hex = hex_read(stored[i].hex);
		struct buf again;
		struct object *o;
		enum err rc = object_decode(bytes_of_text("a"),
		    bytes_of_text("alice"), OBJECT_TYPE_SYMMETRIC_KEY, hex, &o);

		if (rc != stored[i].want)
			fail_msg("%s: expected %s, got %s", stored[i].name,
			    err_name(stored[i].want), err_name(rc));
		if (rc != OK) {
			assert_null(o);
			continue;
		}
		assert_int_equal(o->attrs.count, stored[i].attrs);
		/* what it writes is the same again, but for the version */
		buf_init(&again, 4096);
		must(object_encode_attrs(o, &again));
		assert_memory_equal(again.at, hex.at, 4);
		assert_int_equal(again.octets, hex.octets);
		assert_memory_equal(again.at + 8, hex.at + 8, hex.octets - 8);
		assert_memory_equal(
		    again.at + 4, o->card != NULL ? "\0\2\0\2" : "\0\1\0\1", 4);
		buf_clear(&again);
		object_free(o);
	}
}

static void
test_what_is_stored_comes_back(void **state)
{
	struct bytes hex =
	    hex_read(HEAD "420125 01 000000d0 " ID TYPE2 GROUP3 CUSTOM CUSTOM1);
	const struct attr *one;
	struct object *o;

	(void)state;
	must(object_decode(bytes_of_text("a"), bytes_of_text("alice"),
	    OBJECT_TYPE_SYMMETRIC_KEY, hex, &o));
	assert_true(bytes_equal_text(o->id, "a"));
	assert_true(bytes_equal_text(o->owner, "alice"));
	assert_int_equal(o->object_type, OBJECT_TYPE_SYMMETRIC_KEY);
	/* it has its own octets */
	memset((uint8_t *)hex.at, 0, hex.octets);
	ATTR_EACH (&o->attrs, each)
		assert_null(each->value->next);
	one = attr_find(&o->attrs, TAG_OBJECT_GROUP);
	assert_int_equal(one->index, 3);
	assert_true(bytes_equal_text(one->value->octets, "g"));
	one = one->next;
	assert_int_equal(one->def->tag, TAG_ATTRIBUTE);
	assert_int_equal(one->index, 0);
	assert_true(bytes_equal_text(one->vendor, "x"));
	assert_true(bytes_equal_text(one->name, "b"));
	assert_int_equal(one->value->type, BOOLEAN);
	one = one->next;
	assert_int_equal(one->index, 1);
	assert_int_equal(item_number(one->value, TAG_BATCH_COUNT, -1), 1);
	object_free(o);
}

/* An object with `count` attributes beside its first five. */
static enum err
store_and_load(size_t count)
{
	struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);
	struct object *loaded = NULL;
	struct buf out;
	enum err rc = OK;

	buf_init(&out, 1 << 20);
	while (count-- != 0)
		TRY(attr_add_octets(o->arena, &o->attrs, TAG_OBJECT_GROUP,
		    bytes_of_text("a group of some length")));
	TRY(object_encode_attrs(o, &out));
	TRY(object_decode(
	    o->id, o->owner, o->object_type, buf_peek(&out), &loaded));
	assert_int_equal(loaded->attrs.count, o->attrs.count);
out:
	object_free(loaded);
	object_free(o);
	buf_clear(&out);
	return rc;
}

static void
test_the_most_attributes_come_back(void **state)
{
	(void)state;
	must(store_and_load(ATTR_LIST_MAX - 5));
}

/* One attribute more than any list has, written by hand. */
static void
test_more_attributes_are_refused(void **state)
{
	enum { COUNT = ATTR_LIST_MAX + 1, ITEM_OCTETS = 16 };
	struct bytes head = hex_read(HEAD "420125 01 00002010 ");
	struct bytes items = hex_read(ID TYPE2 GROUP);
	struct object *o;
	uint8_t *at;

	(void)state;
	assert_int_equal(COUNT * ITEM_OCTETS, 0x2010);
	must(ARENA_ARRAY(arena, at, 16 + COUNT * ITEM_OCTETS));
	memcpy(at, head.at, 16);
	memcpy(at + 16, items.at, 3 * ITEM_OCTETS);
	for (size_t i = 3; i < COUNT; i++)
		memcpy(at + 16 + i * ITEM_OCTETS, items.at + 2 * ITEM_OCTETS,
		    ITEM_OCTETS);
	assert_int_equal(object_decode(bytes_of_text("a"), BYTES_NONE, 2,
			     (struct bytes){at, 16 + COUNT * ITEM_OCTETS}, &o),
	    ERR_LIMIT);
	/* and one less is not */
	bytes_put_u32(at + 12, 0x2000);
	must(object_decode(bytes_of_text("a"), BYTES_NONE, 2,
	    (struct bytes){at, COUNT * ITEM_OCTETS}, &o));
	assert_int_equal(o->attrs.count, ATTR_LIST_MAX);
	object_free(o);
}

static void
test_encoding_keeps_within_its_buffer(void **state)
{
	struct object *o = object_of(OBJECT_TYPE_SYMMETRIC_KEY);
	struct buf out;
	size_t octets;

	(void)state;
	buf_init(&out, 4096);
	must(object_encode_attrs(o, &out));
	octets = out.octets;
	buf_clear(&out);
	buf_init(&out, octets);
	must(object_encode_attrs(o, &out));
	buf_clear(&out);
	buf_init(&out, octets - 1);
	assert_int_equal(object_encode_attrs(o, &out), ERR_LIMIT);
	buf_clear(&out);
	object_free(o);
}

/* ---- terms ---- */

/* A value under its own tag, or (vendor != NULL) a custom one. */
struct value {
	const char *vendor;
	const char *name;
	uint32_t tag;
	enum item_type type;
	int64_t number;
	const char *text;
	/* of a structure: a text and an enumeration */
	uint32_t text_tag;
	uint32_t number_tag;
};

static struct attr *
attr_of(const struct value *v)
{
	uint32_t tag = v->vendor != NULL ? TAG_ATTRIBUTE_VALUE : v->tag;
	struct attr *one;

	must(ARENA_NEW(arena, one));
	one->def = attr_def_any(v->vendor != NULL ? TAG_ATTRIBUTE : v->tag);
	if (v->vendor != NULL) {
		one->vendor = bytes_of_text(v->vendor);
		one->name = bytes_of_text(v->name);
	}
	must(item_add(arena, NULL, (enum tag)tag, v->type, &one->value));
	if (v->type != STRUCTURE) {
		if (v->text != NULL)
			one->value->octets = bytes_of_text(v->text);
		else
			one->value->number = v->number;
		return one;
	}
	if (v->text_tag != 0)
		must(item_add_text(
		    arena, one->value, (enum tag)v->text_tag, v->text));
	if (v->number_tag != 0)
		must(item_add_number(arena, one->value, (enum tag)v->number_tag,
		    ENUMERATION, v->number));
	return one;
}

#define NAME(text, type)                                         \
	{                                                        \
		NULL, NULL, TAG_NAME, STRUCTURE, (type), (text), \
		    TAG_NAME_VALUE, TAG_NAME_TYPE                \
	}
#define PLAIN(tag, type, number, text)                              \
	{                                                           \
		NULL, NULL, TAG_##tag, type, (number), (text), 0, 0 \
	}
#define CUSTOM_OF(vendor, name, type, number, text)               \
	{                                                         \
		(vendor), (name), 0, type, (number), (text), 0, 0 \
	}

static const struct {
	const char *name;
	struct value value;
	const char *hex; /* NULL: not found by a key */
} terms[] = {
    {"a Name, by its value", NAME("key", 1), "420053 07 6b6579"},
    {"a Name of another type", NAME("key", 2), "420053 07 6b6579"},
    {"a Name asked for by its type alone",
	{NULL, NULL, TAG_NAME, STRUCTURE, 1, NULL, 0, TAG_NAME_TYPE}, NULL},
    {"an Object Group", PLAIN(OBJECT_GROUP, TEXT_STRING, 0, "g"),
	"420056 07 67"},
    {"a State", PLAIN(STATE, ENUMERATION, 2, NULL),
	"42008d 05 0000000000000002"},
    {"a Link, by what it links to",
	{NULL, NULL, TAG_LINK, STRUCTURE, 0x101, "7",
	    TAG_LINKED_OBJECT_IDENTIFIER, TAG_LINK_TYPE},
	"42004a 07 37"},
    {"an Alternative Name",
	{NULL, NULL, TAG_ALTERNATIVE_NAME, STRUCTURE, 1, "n",
	    TAG_ALTERNATIVE_NAME_VALUE, TAG_ALTERNATIVE_NAME_TYPE},
	"4200bf 07 6e"},
    {"Application Specific Information, by its data",
	{NULL, NULL, TAG_APPLICATION_SPECIFIC_INFORMATION, STRUCTURE, 0, "d",
	    TAG_APPLICATION_DATA, 0},
	"420004 07 64"},
    {"the same, asked for by its namespace alone",
	{NULL, NULL, TAG_APPLICATION_SPECIFIC_INFORMATION, STRUCTURE, 0, "d",
	    TAG_APPLICATION_NAMESPACE, 0},
	NULL},
    {"what is not indexed", PLAIN(COMMENT, TEXT_STRING, 0, "c"), NULL},
    {"a custom text", CUSTOM_OF("x", "ab", TEXT_STRING, 0, "v"),
	"420008 0001 0002 78 6162 07 76"},
    {"a custom number", CUSTOM_OF("x", "ab", INTEGER, -1, NULL),
	"420008 0001 0002 78 6162 02 ffffffffffffffff"},
    {"vendor and name do not run together",
	CUSTOM_OF("xa", "b", TEXT_STRING, 0, "v"),
	"420008 0002 0001 7861 62 07 76"},
    {"a custom structure, by its kind",
	CUSTOM_OF("x", "ab", STRUCTURE, 0, NULL), "420008 0001 0002 78 6162"},
};

static void
test_a_term_says_what_is_looked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(terms); i++) {
		struct bytes want = BYTES_NONE;
		struct bytes got;

		if (terms[i].hex != NULL)
			want = hex_read(terms[i].hex);
		must(object_term(arena, attr_of(&terms[i].value), &got));
		if (!bytes_equal(want, got))
			fail_msg("%s: not as expected", terms[i].name);
	}
}

int
main(void)
{
#define OBJECT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    OBJECT_TEST(test_a_new_object_has_what_the_server_sets),
	    OBJECT_TEST(test_an_identifier_is_a_uuid_of_time_and_chance),
	    OBJECT_TEST(test_a_template_has_no_state),
	    OBJECT_TEST(test_an_object_needs_randomness_and_a_short_owner),
	    OBJECT_TEST(test_a_value_is_copied_replaced_and_wiped),
	    OBJECT_TEST(test_a_value_has_a_limit),
	    OBJECT_TEST(test_secrets_are_told_from_what_is_public),
	    OBJECT_TEST(test_a_clone_changes_nothing),
	    OBJECT_TEST(test_a_state_comes_with_its_date),
	    OBJECT_TEST(test_dates_bring_states),
	    OBJECT_TEST(test_dates_have_an_order),
	    OBJECT_TEST(test_only_what_was_stored_is_decoded),
	    OBJECT_TEST(test_what_is_stored_comes_back),
	    OBJECT_TEST(test_the_most_attributes_come_back),
	    OBJECT_TEST(test_more_attributes_are_refused),
	    OBJECT_TEST(test_encoding_keeps_within_its_buffer),
	    OBJECT_TEST(test_a_term_says_what_is_looked_for),
	};
#undef OBJECT_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
