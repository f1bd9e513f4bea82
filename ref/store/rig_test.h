/*
 * For the tests of this folder: a store in a directory of its own, and objects
 * to put into it.
 */
#ifndef STORE_RIG_TEST_H
#define STORE_RIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child_test.h"
#include "store/store.h"
#include "store/vfs.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Under make torture every run is repeated for each allocation. */
#ifdef TORTURE
#define ROUNDS(n) 2
#else
#define ROUNDS(n) (n)
#endif

#define assert_err(call, want)                                     \
	do {                                                       \
		enum err got_ = (call);                            \
		if (got_ != (want))                                \
			fail_msg("%s: expected %s, got %s", #call, \
			    err_name(want), err_name(got_));       \
	} while (0)
#define assert_ok(call) assert_err(call, OK)

struct rig {
	char dir[256];
	struct env *env;
	struct store_options options;
	struct store *st;
	struct arena *arena; /* for what a test asks for */
};

static inline void
rig_open(struct rig *rig)
{
	assert_ok(store_open(rig->dir, rig->env, &rig->options, &rig->st));
}

static inline void
rig_reopen(struct rig *rig)
{
	store_close(rig->st);
	rig->st = NULL;
	rig_open(rig);
}

static inline void
rig_dir_make(struct rig *rig)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(rig->dir, sizeof(rig->dir), "%s/store.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(rig->dir));
}

static inline void
rig_dir_remove(struct rig *rig)
{
	static const char *const names[] = {
	    "store.db", "store.db-wal", "store.db-journal"};
	char path[300];
	size_t k;

	for (k = 0; k < LENGTH(names); k++) {
		(void)snprintf(path, sizeof(path), "%s/%s", rig->dir, names[k]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(rig->dir), 0);
}

/* Everything but an open store. */
static inline int
rig_make(void **state)
{
	struct rig *rig;

	assert_ok(MEM_NEW(rig));
	*state = rig;
	rig_dir_make(rig);
	assert_ok(env_new(&rig->env));
	assert_ok(arena_new(16 * 1024 * 1024, &rig->arena));
	return 0;
}

static inline int
rig_setup(void **state)
{
	int rc = rig_make(state);

	rig_open(*state);
	return rc;
}

/* On the laboratory's disk. */
static inline int
rig_setup_lab(void **state)
{
	struct rig *rig;
	int rc = rig_make(state);

	rig = *state;
	rig->options.lab = true;
	rig_open(rig);
	return rc;
}

static inline int
rig_teardown(void **state)
{
	struct rig *rig = *state;

	vfs_disk_full(UINT64_MAX);
	vfs_fail_io(0, false);
	vfs_slow_sync(0);
	if (rig == NULL)
		return 0;
	store_close(rig->st);
	arena_free(rig->arena);
	env_free(rig->env);
	rig_dir_remove(rig);
	mem_free(rig);
	return 0;
}

#define STORE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define STORE_TEST_LAB(f) \
	cmocka_unit_test_setup_teardown(f, rig_setup_lab, rig_teardown)
#define STORE_TEST_CLOSED(f) \
	cmocka_unit_test_setup_teardown(f, rig_make, rig_teardown)

/*
 * Any number below `below`, the same in each run. xorshift64*; *seed is not 0.
 */
static inline unsigned
any(uint64_t *seed, unsigned below)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (unsigned)((*seed * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* ---- objects ---- */

static inline struct object *
object_of(struct rig *rig, const char *owner, uint32_t type)
{
	struct object *o;

	assert_ok(object_new(rig->env, type, bytes_of_text(owner), &o));
	return o;
}

static inline struct attr *
attr_of_text(struct arena *a, enum tag tag, const char *vendor,
    const char *name, const char *text)
{
	struct attr *one;
	struct item *value;

	assert_ok(ARENA_NEW(a, one));
	one->def = attr_def_any(tag);
	assert_non_null(one->def);
	if (tag == TAG_NAME) {
		assert_ok(item_add_structure(a, NULL, TAG_NAME, &value));
		assert_ok(item_add_text(a, value, TAG_NAME_VALUE, text));
		assert_ok(item_add_number(a, value, TAG_NAME_TYPE, ENUMERATION,
		    NAME_TYPE_UNINTERPRETED_TEXT_STRING));
	} else {
		bool custom = tag == TAG_ATTRIBUTE;

		assert_ok(item_add(a, NULL, custom ? TAG_ATTRIBUTE_VALUE : tag,
		    TEXT_STRING, &value));
		value->octets = bytes_of_text(text);
	}
	if (vendor != NULL) {
		one->vendor = bytes_of_text(vendor);
		one->name = bytes_of_text(name);
	}
	one->value = value;
	return one;
}

static inline void
give(struct object *o, enum tag tag, const char *text)
{
	assert_ok(attr_add(o->arena, &o->attrs,
	    attr_of_text(o->arena, tag, NULL, NULL, text)));
}

static inline void
give_custom(struct object *o, const char *name, const char *text)
{
	assert_ok(attr_add(o->arena, &o->attrs,
	    attr_of_text(o->arena, TAG_ATTRIBUTE, "x", name, text)));
}

static inline struct object *
named(struct rig *rig, const char *owner, const char *name)
{
	struct object *o = object_of(rig, owner, OBJECT_TYPE_SYMMETRIC_KEY);

	give(o, TAG_NAME, name);
	assert_ok(
	    object_set_value(o, bytes_of_text("sealed octets of a key"), true));
	o->value_version = 1;
	return o;
}

static inline struct bytes
term_of(struct rig *rig, enum tag tag, const char *custom, const char *text)
{
	struct attr *one = attr_of_text(
	    rig->arena, tag, custom != NULL ? "x" : NULL, custom, text);
	struct bytes term;

	assert_ok(object_term(rig->arena, one, &term));
	assert_true(term.octets != 0);
	return term;
}

/* ---- the store ---- */

/* Its identifier, in the rig's arena. */
static inline struct bytes
insert(struct rig *rig, struct object *take)
{
	struct bytes id;

	assert_ok(arena_copy(rig->arena, take->id, &id));
	assert_ok(store_insert(rig->st, take));
	return id;
}

static inline struct object *
changed(struct rig *rig, struct bytes id)
{
	const struct object *old;
	struct object *o;

	assert_ok(store_find(rig->st, id, &old));
	assert_ok(object_clone(old, &o));
	return o;
}

static inline void
assert_there(struct rig *rig, struct bytes id)
{
	const struct object *o;

	assert_ok(store_find(rig->st, id, &o));
	assert_true(bytes_equal(o->id, id));
}

static inline void
assert_not_there(struct rig *rig, struct bytes id)
{
	const struct object *o = (const struct object *)rig;

	assert_err(store_find(rig->st, id, &o), ERR_NOT_FOUND);
	assert_null(o);
}

#endif
