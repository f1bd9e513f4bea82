#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "token/index.h"

enum { MANY = 500, LABELS = 50 };

static struct object objects[MANY];
static char labels[LABELS][8];

/* Ten objects of each label, of two classes; identifiers are their own. */
static struct object *
object(size_t i)
{
	struct object *o = &objects[i];

	memset(o, 0, sizeof(*o));
	(void)snprintf(
	    labels[i % LABELS], sizeof(labels[0]), "l%zu", i % LABELS);
	o->class = i % 2 == 0 ? CKO_SECRET_KEY : CKO_DATA;
	o->label = (uint8_t *)labels[i % LABELS];
	o->label_octets = strlen(labels[i % LABELS]);
	o->id = (uint8_t *)&o->slot;
	o->id_octets = sizeof(o->slot);
	o->slot = (unsigned)i;
	o->octets = 10;
	return o;
}

static size_t
count(const struct index *index, enum index_way way, struct bytes key)
{
	struct object *o = index_first(index, way, key);
	size_t n = 0;

	for (; o != NULL; o = index_next(o, way))
		n += bytes_equal(index_key(o, way), key);
	return n;
}

/* All objects from this one on are in it, and no others. */
static void
check(const struct index *index, size_t first)
{
	const CK_OBJECT_CLASS data = CKO_DATA;
	size_t i, want;

	assert_int_equal(index->count, MANY - first);
	assert_int_equal(index->octets, 10 * (MANY - first));
	assert_int_equal(count(index, BY_ALL, BYTES_NONE), MANY - first);
	for (i = 0; i < MANY; i++) {
		want = i >= first ? 1 : 0;
		assert_int_equal(
		    count(index, BY_ID, index_key(&objects[i], BY_ID)), want);
	}
	want = 0;
	for (i = first; i < MANY; i++)
		want += objects[i].class == CKO_DATA;
	assert_int_equal(
	    count(index, BY_CLASS,
		(struct bytes){(const uint8_t *)&data, sizeof(data)}),
	    want);
	for (want = 0, i = first; i < MANY; i++)
		want += i % LABELS == 7;
	assert_int_equal(count(index, BY_LABEL, bytes_of_text("l7")), want);
	assert_int_equal(count(index, BY_LABEL, bytes_of_text("l")), 0);
}

static void
objects_come_and_go(void **state)
{
	struct index index = {.count = 0};
	size_t i;

	(void)state;
	assert_null(index_first(&index, BY_LABEL, bytes_of_text("l7")));
	for (i = 0; i < MANY; i++)
		assert_int_equal(index_add(&index, object(i)), OK);
	check(&index, 0);
	for (i = 0; i < MANY / 2; i++)
		index_remove(&index, &objects[i]);
	check(&index, MANY / 2);
	for (; i < MANY; i++)
		index_remove(&index, &objects[i]);
	check(&index, MANY);
	index_clear(&index);
	index_clear(&index);
}

/* A search looks at few: at most a handful of others share a chain. */
static void
chains_are_short(void **state)
{
	struct index index = {.count = 0};
	struct object *o;
	size_t i, n, longest = 0;

	(void)state;
	for (i = 0; i < MANY; i++)
		assert_int_equal(index_add(&index, object(i)), OK);
	for (i = 0; i < MANY; i++) {
		o = index_first(&index, BY_ID, index_key(&objects[i], BY_ID));
		for (n = 0; o != NULL; n++)
			o = index_next(o, BY_ID);
		longest = n > longest ? n : longest;
	}
	assert_in_range(longest, 1, 8);
	index_clear(&index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_come_and_go),
	    cmocka_unit_test(chains_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
