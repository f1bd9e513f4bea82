#include "store/rig_test.h"

#include <sys/stat.h>

/* ---- objects ---- */

static void
test_what_is_inserted_is_found_again(void **state)
{
	struct rig *rig = *state;
	struct object *o = named(rig, "alice", "key");
	struct object *copy;
	const struct object *found;
	struct buf was;
	struct buf is;
	struct bytes id;
	int reopened;

	buf_init(&was, OBJECT_CAP_OCTETS);
	buf_init(&is, OBJECT_CAP_OCTETS);
	give(o, TAG_OBJECT_GROUP, "group");
	give_custom(o, "Purpose", "backup");
	assert_ok(object_encode_attrs(o, &was));
	assert_ok(object_clone(o, &copy));
	id = insert(rig, o);
	assert_ok(store_commit(rig->st));
	for (reopened = 0; reopened < 2; reopened++) {
		assert_ok(store_find(rig->st, id, &found));
		buf_reset(&is);
		assert_ok(object_encode_attrs(found, &is));
		assert_true(bytes_equal(buf_peek(&is), buf_peek(&was)));
		assert_true(bytes_equal(found->id, copy->id));
		assert_true(bytes_equal(found->owner, copy->owner));
		assert_int_equal(found->object_type, copy->object_type);
		assert_true(bytes_equal(found->value, copy->value));
		assert_int_equal(found->value_sealed, copy->value_sealed);
		assert_int_equal(found->value_version, copy->value_version);
		rig_reopen(rig);
	}
	object_free(copy);
	buf_clear(&was);
	buf_clear(&is);
}

static void
test_an_identifier_is_taken_once(void **state)
{
	struct rig *rig = *state;
	struct object *twin;
	const struct object *o;
	struct bytes id = insert(rig, named(rig, "alice", "first"));

	twin = changed(rig, id);
	give(twin, TAG_OBJECT_GROUP, "second");
	assert_err(store_insert(rig->st, twin), ERR_EXISTS);
	/* and nothing of it stayed, nor does the group fail */
	assert_ok(store_find(rig->st, id, &o));
	assert_null(attr_find(&o->attrs, TAG_OBJECT_GROUP));
	assert_ok(store_commit(rig->st));
	assert_ok(store_check(rig->st));
	assert_there(rig, id);
}

static void
test_only_what_is_there_is_updated_or_deleted(void **state)
{
	struct rig *rig = *state;
	struct object *o = named(rig, "alice", "never stored");
	struct bytes id;

	assert_ok(arena_copy(rig->arena, o->id, &id));
	assert_err(store_update(rig->st, o), ERR_NOT_FOUND);
	assert_err(store_delete(rig->st, id), ERR_NOT_FOUND);
	assert_not_there(rig, id);

	id = insert(rig, named(rig, "alice", "stored"));
	o = changed(rig, id);
	assert_ok(object_set_state(o, STATE_ACTIVE, 1));
	assert_ok(store_update(rig->st, o));
	assert_ok(store_delete(rig->st, id));
	assert_not_there(rig, id);
	assert_err(store_delete(rig->st, id), ERR_NOT_FOUND);
	assert_ok(store_commit(rig->st));
	assert_ok(store_check(rig->st));
}

static void
test_limits_have_two_sides(void **state)
{
	struct rig *rig = *state;
	static uint8_t text[OBJECT_ID_MAX_OCTETS + 1];
	struct object *o;
	int longer;

	memset(text, 'i', sizeof(text));
	for (longer = 0; longer < 2; longer++) {
		struct bytes id = {text, OBJECT_ID_MAX_OCTETS + (size_t)longer};

		o = object_of(rig, "alice", OBJECT_TYPE_SECRET_DATA);
		assert_ok(arena_copy(o->arena, id, &o->id));
		attr_find(&o->attrs, TAG_UNIQUE_IDENTIFIER)->value->octets =
		    o->id;
		assert_err(store_insert(rig->st, o), longer ? ERR_LIMIT : OK);
	}
	o = object_of(rig, "alice", OBJECT_TYPE_SECRET_DATA);
	o->id = BYTES_NONE;
	assert_err(store_insert(rig->st, o), ERR_LIMIT);
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_there(rig, (struct bytes){text, OBJECT_ID_MAX_OCTETS});
}

static void
test_borrowing_ends_with_the_turn(void **state)
{
	struct rig *rig = *state;
	struct bytes id = insert(rig, named(rig, "alice", "key"));
	const struct object *first;
	const struct object *second;
	struct object *o;

	assert_ok(store_commit(rig->st));
	assert_ok(store_find(rig->st, id, &first));
	o = changed(rig, id);
	assert_ok(object_set_state(o, STATE_ACTIVE, 1));
	assert_ok(store_update(rig->st, o));
	assert_ok(store_find(rig->st, id, &second));
	assert_ok(store_delete(rig->st, id));
	/* still readable, each as it was: ASan watches */
	assert_int_equal(object_state(first), STATE_PRE_ACTIVE);
	assert_int_equal(object_state(second), STATE_ACTIVE);
	assert_ok(store_commit(rig->st));
}

/* ---- small named values ---- */

static void
assert_meta(struct rig *rig, const char *key, const char *want)
{
	struct buf b;

	buf_init(&b, 1024);
	if (want == NULL) {
		assert_err(store_meta_get(rig->st, key, &b), ERR_NOT_FOUND);
	} else {
		assert_ok(store_meta_get(rig->st, key, &b));
		assert_true(bytes_equal_text(buf_peek(&b), want));
	}
	buf_clear(&b);
}

static void
test_named_values(void **state)
{
	struct rig *rig = *state;
	static char key[STORE_META_KEY_MAX_OCTETS + 2];
	static uint8_t value[STORE_META_VALUE_MAX_OCTETS + 1];

	assert_meta(rig, "a.b", NULL);
	assert_ok(store_meta_put(rig->st, "a.b", bytes_of_text("one")));
	assert_ok(store_meta_put(rig->st, "a.c", bytes_of_text("")));
	assert_ok(store_meta_put(rig->st, "a.b", bytes_of_text("two")));
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_meta(rig, "a.b", "two");
	assert_meta(rig, "a.c", "");
	assert_ok(store_meta_delete(rig->st, "a.b"));
	assert_ok(store_meta_delete(rig->st, "a.b"));
	assert_meta(rig, "a.b", NULL);

	memset(key, 'k', STORE_META_KEY_MAX_OCTETS + 1);
	assert_err(store_meta_put(rig->st, key, BYTES_NONE), ERR_LIMIT);
	key[STORE_META_KEY_MAX_OCTETS] = '\0';
	assert_err(
	    store_meta_put(rig->st, key, (struct bytes){value, sizeof(value)}),
	    ERR_LIMIT);
	assert_ok(store_meta_put(
	    rig->st, key, (struct bytes){value, STORE_META_VALUE_MAX_OCTETS}));
	assert_err(store_meta_put(rig->st, "", BYTES_NONE), ERR_LIMIT);
	assert_ok(store_commit(rig->st));
}

/* ---- groups ---- */

struct heard {
	struct store_waiter waiter;
	unsigned times;
	enum err rc;
	struct rig *rig;
	struct object *then; /* to be inserted when called */
};

static void
on_heard(struct store_waiter *w, enum err rc)
{
	struct heard *h = w->ctx;

	h->times++;
	h->rc = rc;
	if (h->then != NULL) {
		assert_ok(store_insert(h->rig->st, h->then));
		h->then = NULL;
	}
}

static void
listen(struct rig *rig, struct heard *h)
{
	*h = (struct heard){.waiter = {.done = on_heard, .ctx = h}, .rig = rig};
	store_wait(rig->st, &h->waiter);
}

static void
test_who_must_wait(void **state)
{
	struct rig *rig = *state;
	struct store *st = rig->st;
	struct bytes old = insert(rig, named(rig, "alice", "old"));
	struct bytes new;
	struct bytes alice = bytes_of_text("alice");
	struct store_query query = {.scopes = &alice, .scope_count = 1};
	struct store_found found;
	const struct object *o;

	assert_ok(store_commit(st));
	/* readers alone do not */
	store_request(st);
	assert_there(rig, old);
	assert_ok(store_locate(st, rig->arena, &query, &found));
	assert_false(store_must_wait(st));
	/* a writer does */
	store_request(st);
	new = insert(rig, named(rig, "alice", "new"));
	assert_true(store_must_wait(st));
	/* readers of what is durable do not, readers of what is new do */
	store_request(st);
	assert_ok(store_find(st, old, &o));
	assert_false(store_must_wait(st));
	assert_ok(store_find(st, new, &o));
	assert_true(store_must_wait(st));
	store_request(st);
	assert_ok(store_locate(st, rig->arena, &query, &found));
	assert_true(store_must_wait(st));
	/* and who misses what may have been deleted just now */
	assert_ok(store_delete(st, old));
	store_request(st);
	assert_not_there(rig, old);
	assert_true(store_must_wait(st));
	assert_ok(store_commit(st));
	store_request(st);
	assert_ok(store_find(st, new, &o));
	assert_false(store_must_wait(st));
}

static void
test_waiters_hear_once_and_may_begin_the_next_group(void **state)
{
	struct rig *rig = *state;
	struct heard first;
	struct heard gone;
	struct heard last;
	struct store_stats stats;
	struct bytes id;

	(void)insert(rig, named(rig, "alice", "one"));
	listen(rig, &first);
	listen(rig, &gone);
	listen(rig, &last);
	first.then = named(rig, "alice", "two");
	assert_ok(arena_copy(rig->arena, first.then->id, &id));
	store_unwait(rig->st, &gone.waiter);
	assert_int_equal(first.times + last.times, 0);
	assert_ok(store_commit(rig->st));
	assert_int_equal(first.times, 1);
	assert_int_equal(first.rc, OK);
	assert_int_equal(gone.times, 0);
	assert_int_equal(last.times, 1);
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.groups, 2);
	assert_there(rig, id);
}

/* Who is in the list while it is called may leave it. */
static void
unwait_next(struct store_waiter *w, enum err rc)
{
	struct heard *h = w->ctx;

	(void)rc;
	store_unwait(h->rig->st, h->waiter.next);
}

static void
test_a_waiter_may_dismiss_another(void **state)
{
	struct rig *rig = *state;
	struct heard first;
	struct heard second;
	struct heard third;
	struct store_waiter *second_waiter = &second.waiter;

	(void)insert(rig, named(rig, "alice", "one"));
	listen(rig, &first);
	listen(rig, &second);
	listen(rig, &third);
	first.waiter.done = unwait_next;
	assert_ptr_equal(first.waiter.next, second_waiter);
	assert_ok(store_commit(rig->st));
	assert_int_equal(second.times, 0);
	assert_int_equal(third.times, 1);
}

static void
test_rollback_undoes_what_came_after_the_point(void **state)
{
	struct rig *rig = *state;
	struct store *st = rig->st;
	struct bytes before = insert(rig, named(rig, "alice", "before"));
	struct bytes kept;
	struct bytes inner;
	struct bytes outer;
	const struct object *o;
	struct object *next;

	assert_ok(store_commit(st));

	/* undone: an insert, a delete, an update, a value, an owner */
	assert_ok(store_savepoint(st));
	next = changed(rig, before);
	assert_ok(object_set_state(next, STATE_ACTIVE, 1));
	assert_ok(store_update(st, next));
	outer = insert(rig, named(rig, "bob", "outer"));
	assert_ok(store_meta_put(st, "k", bytes_of_text("v")));
	assert_ok(store_rollback_to(st));
	assert_not_there(rig, outer);
	assert_ok(store_find(st, before, &o));
	assert_int_equal(object_state(o), STATE_PRE_ACTIVE);
	assert_meta(rig, "k", NULL);

	/* in two levels, the inner one undone, the outer one kept */
	assert_ok(store_savepoint(st));
	kept = insert(rig, named(rig, "bob", "kept"));
	assert_ok(store_savepoint(st));
	inner = insert(rig, named(rig, "bob", "inner"));
	assert_ok(store_delete(st, kept));
	assert_ok(store_delete(st, before));
	assert_ok(store_rollback_to(st));
	assert_there(rig, kept);
	assert_ok(store_release(st));
	/* one that nothing was written in */
	assert_ok(store_savepoint(st));
	assert_ok(store_savepoint(st));
	assert_ok(store_release(st));
	assert_ok(store_rollback_to(st));
	assert_ok(store_commit(st));
	assert_ok(store_check(st));
	rig_reopen(rig);
	assert_there(rig, before);
	assert_there(rig, kept);
	assert_not_there(rig, inner);
	assert_not_there(rig, outer);
}

/*
 * Inserts before a change that has the database make its savepoints: in the
 * inner point, in the outer one, and more of them than are noted.
 */
static void
test_inserts_are_undone_as_changes_are(void **state)
{
	struct rig *rig = *state;
	struct store *st = rig->st;
	struct bytes before = insert(rig, named(rig, "alice", "before"));
	struct bytes made[24];
	char name[16];
	size_t k = 0;
	size_t n;

	assert_ok(store_commit(st));
	assert_ok(store_savepoint(st));
	made[k++] = insert(rig, named(rig, "alice", "outer"));
	assert_ok(store_savepoint(st));
	made[k++] = insert(rig, named(rig, "carol", "inner"));
	assert_ok(store_delete(st, before));
	made[k++] = insert(rig, named(rig, "carol", "after it"));
	assert_ok(store_delete(st, made[1]));
	assert_ok(store_update(st, changed(rig, made[0])));
	assert_ok(store_rollback_to(st));
	assert_there(rig, made[0]); /* read anew */
	assert_not_there(rig, made[1]);
	assert_not_there(rig, made[2]);
	/* what the outer savepoint has seen, it must not bring back */
	assert_ok(store_rollback_to(st));
	for (n = 0; n < k; n++)
		assert_not_there(rig, made[n]);
	assert_there(rig, before);
	assert_ok(store_check(st));

	assert_ok(store_savepoint(st));
	for (n = 0; n < LENGTH(made); n++) {
		(void)snprintf(name, sizeof(name), "many %zu", n);
		made[n] = insert(rig, named(rig, "alice", name));
	}
	assert_ok(store_rollback_to(st));
	for (n = 0; n < LENGTH(made); n++)
		assert_not_there(rig, made[n]);
	assert_ok(store_commit(st));
	assert_ok(store_check(st));
	rig_reopen(rig);
	for (n = 0; n < LENGTH(made); n++)
		assert_not_there(rig, made[n]);
	assert_there(rig, before);
}

/* ---- names ---- */

static void
assert_taken(struct rig *rig, const char *owner, const char *name,
    struct bytes except, bool want)
{
	bool taken = !want;

	assert_ok(store_name_taken(rig->st,
	    owner != NULL ? bytes_of_text(owner) : BYTES_NONE,
	    term_of(rig, TAG_NAME, NULL, name), except, &taken));
	if (taken != want)
		fail_msg("%s of %s: expected %s", name,
		    owner != NULL ? owner : "anybody", want ? "taken" : "free");
}

/* spec: kmip-1.4 3.2, kmip-2.1 4.32 */
static void
test_a_name_is_held_by_living_objects(void **state)
{
	struct rig *rig = *state;
	struct object *o;
	struct bytes id = insert(rig, named(rig, "alice", "n"));
	char longer[400];

	assert_taken(rig, "alice", "n", BYTES_NONE, true);
	assert_taken(rig, NULL, "n", BYTES_NONE, true);
	assert_taken(rig, "alice", "m", BYTES_NONE, false);
	assert_taken(rig, "alice", "n", id, false);
	assert_taken(rig, NULL, "n", id, false);
	assert_taken(rig, "bob", "n", BYTES_NONE, false);
	(void)insert(rig, named(rig, "bob", "b"));
	assert_taken(rig, "bob", "n", BYTES_NONE, false);

	o = changed(rig, id);
	assert_ok(object_set_state(o, STATE_DESTROYED, 1));
	assert_ok(store_update(rig->st, o));
	assert_taken(rig, "alice", "n", BYTES_NONE, false);
	assert_taken(rig, NULL, "n", BYTES_NONE, false);

	/* names that the index cuts differ behind the cut */
	memset(longer, 'l', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	(void)insert(rig, named(rig, "alice", longer));
	assert_taken(rig, "alice", longer, BYTES_NONE, true);
	longer[sizeof(longer) - 2] = 'm';
	assert_taken(rig, "alice", longer, BYTES_NONE, false);
	assert_ok(store_commit(rig->st));
	assert_ok(store_check(rig->st));
}

/* ---- due states ---- */

static struct bytes
insert_due(struct rig *rig, enum tag tag, int64_t at_s)
{
	struct object *o = named(rig, "alice", "due");

	assert_ok(attr_set_number(o->arena, &o->attrs, tag, at_s));
	return insert(rig, o);
}

static uint32_t
state_of(struct rig *rig, struct bytes id)
{
	const struct object *o;

	assert_ok(store_find(rig->st, id, &o));
	return object_state(o);
}

/* spec: kmip-1.4 3.22 */
static void
test_states_come_when_they_are_due(void **state)
{
	struct rig *rig = *state;
	struct bytes late;
	struct bytes soon;
	struct bytes never = insert(rig, named(rig, "alice", "never"));

	assert_true(store_next_due_s(rig->st) == INT64_MAX);
	late = insert_due(rig, TAG_ACTIVATION_DATE, 2000);
	assert_int_equal(store_next_due_s(rig->st), 2000);
	soon = insert_due(rig, TAG_ACTIVATION_DATE, 1000);
	assert_int_equal(store_next_due_s(rig->st), 1000);
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_int_equal(store_next_due_s(rig->st), 1000);

	assert_ok(store_tick(rig->st, 999));
	assert_int_equal(state_of(rig, soon), STATE_PRE_ACTIVE);
	assert_ok(store_tick(rig->st, 1000));
	assert_int_equal(state_of(rig, soon), STATE_ACTIVE);
	assert_int_equal(state_of(rig, late), STATE_PRE_ACTIVE);
	assert_int_equal(store_next_due_s(rig->st), 2000);
	/* what is undone is due again */
	assert_ok(store_commit(rig->st));
	assert_ok(store_savepoint(rig->st));
	assert_ok(store_tick(rig->st, 3000));
	assert_true(store_next_due_s(rig->st) == INT64_MAX);
	assert_ok(store_rollback_to(rig->st));
	assert_int_equal(store_next_due_s(rig->st), 2000);
	assert_int_equal(state_of(rig, late), STATE_PRE_ACTIVE);
	assert_ok(store_tick(rig->st, 3000));
	assert_int_equal(state_of(rig, late), STATE_ACTIVE);
	assert_int_equal(state_of(rig, never), STATE_PRE_ACTIVE);
	assert_ok(store_commit(rig->st));
	assert_ok(store_check(rig->st));
}

/* ---- the file ---- */

static void
test_the_file_is_ours_alone(void **state)
{
	struct rig *rig = *state;
	static const char *const names[] = {"store.db", "store.db-wal"};
	struct store *second;
	struct stat st;
	char path[300];
	size_t k;

	(void)insert(rig, named(rig, "alice", "key"));
	assert_ok(store_commit(rig->st));
	for (k = 0; k < LENGTH(names); k++) {
		(void)snprintf(path, sizeof(path), "%s/%s", rig->dir, names[k]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_err(
	    store_open(rig->dir, rig->env, &rig->options, &second), ERR_CONFIG);
	assert_null(second);
	assert_ok(store_check(rig->st));
}

static void
test_a_directory_is_needed(void **state)
{
	struct rig *rig = *state;
	struct store *st;

	assert_err(store_open("/nowhere/at/all", rig->env, &rig->options, &st),
	    ERR_STORE);
	assert_null(st);
}

static void
test_idle_time_empties_the_log(void **state)
{
	struct rig *rig = *state;
	struct store_stats stats;
	int k;

	store_close(rig->st);
	rig->options.log_pages = 100;
	rig_open(rig);
	for (k = 0; k < 40; k++) {
		(void)insert(rig, named(rig, "alice", "key"));
		assert_ok(store_commit(rig->st));
		if (k == 5)
			store_idle(rig->st); /* not worth it yet */
	}
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.checkpoints, 0);
	store_idle(rig->st);
	store_idle(rig->st);
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.checkpoints, 1);
	assert_int_equal(stats.objects, 40);
	assert_ok(store_check(rig->st));
}

/* A portion at a time, and not while a group is open. */
static void
test_who_writes_much_empties_the_log_as_he_goes(void **state)
{
	struct rig *rig = *state;
	struct store_stats stats;
	unsigned k;

	for (k = 0; k < 2 * STORE_BULK_PAGES; k++) {
		assert_ok(store_meta_put(
		    rig->st, "test.key", (struct bytes){(uint8_t *)"x", 1}));
		store_relieve(rig->st);
		assert_ok(store_commit(rig->st));
		store_idle(rig->st); /* not worth it yet */
	}
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.checkpoints, 0);
	store_relieve(rig->st);
	store_relieve(rig->st);
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.checkpoints, 1);
	assert_ok(store_check(rig->st));
}

/* In the database or in its log. */
static bool
files_hold(struct rig *rig, const char *octets)
{
	static const char *const names[] = {"store.db", "store.db-wal"};
	bool found = false;
	char path[300];
	size_t k;

	for (k = 0; k < LENGTH(names); k++) {
		struct stat st;
		FILE *f;
		char *text;

		(void)snprintf(path, sizeof(path), "%s/%s", rig->dir, names[k]);
		assert_int_equal(stat(path, &st), 0);
		text = mem_zalloc((size_t)st.st_size + 1, 1);
		assert_non_null(text);
		f = fopen(path, "re");
		assert_non_null(f);
		assert_int_equal(
		    fread(text, 1, (size_t)st.st_size, f), st.st_size);
		fclose(f);
		found = found || memmem(text, (size_t)st.st_size, octets,
				     strlen(octets));
		mem_free(text);
	}
	return found;
}

static void
test_what_is_dropped_leaves_no_octets(void **state)
{
	struct rig *rig = *state;
	static const char marker[] = "octets that nobody may find again";
	static char large[9000];
	struct object *o;
	struct bytes ids[3];
	size_t k;

	for (k = 0; k + sizeof(marker) < sizeof(large); k += sizeof(marker))
		memcpy(large + k, marker, sizeof(marker));
	for (k = 0; k < LENGTH(ids); k++) {
		o = named(rig, "alice", "key");
		/* in the row, and in pages of its own */
		assert_ok(object_set_value(o,
		    k == 0 ? bytes_of_text(marker)
			   : (struct bytes){(uint8_t *)large, sizeof(large)},
		    true));
		ids[k] = insert(rig, o);
	}
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_true(files_hold(rig, marker));
	/* deleted, or without its value, as Destroy leaves it */
	assert_ok(store_delete(rig->st, ids[0]));
	assert_ok(store_delete(rig->st, ids[1]));
	o = changed(rig, ids[2]);
	object_drop_value(o);
	assert_ok(store_update(rig->st, o));
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_false(files_hold(rig, marker));
}

static void
find_scan(void *ctx, const char *statement, const char *step)
{
	unsigned *steps = ctx;

	++*steps;
	if (strncmp(step, "SEARCH ", 7) != 0)
		fail_msg("%s: %s", statement, step);
}

static void
test_no_statement_scans(void **state)
{
	struct rig *rig = *state;
	unsigned steps = 0;

	assert_ok(store_plans(rig->st, find_scan, &steps));
	assert_true(steps >= 15);
}

/* ---- walks ---- */

struct seen {
	struct rig *rig;
	size_t count;
	bool deletes;
};

static enum err
see_holder(void *ctx, const struct object *o)
{
	struct seen *seen = ctx;

	seen->count++;
	return seen->deletes ? store_delete(seen->rig->st, o->id) : OK;
}

static size_t
holders(struct rig *rig, const char *name, bool deletes)
{
	struct seen seen = {.rig = rig, .deletes = deletes};

	assert_ok(
	    store_name_each(rig->st, bytes_of_text(name), see_holder, &seen));
	return seen.count;
}

static void
test_all_holders_of_a_name_are_seen(void **state)
{
	static char name[200];
	static char other[200];
	struct rig *rig = *state;

	(void)insert(rig, named(rig, "alice", "key"));
	(void)insert(rig, named(rig, "bob", "key"));
	(void)insert(rig, named(rig, "", "key"));
	(void)insert(rig, named(rig, "", "key2"));
	assert_int_equal(holders(rig, "key", false), 3);
	assert_int_equal(holders(rig, "ke", false), 0);
	assert_int_equal(holders(rig, "key", true), 3);
	assert_int_equal(holders(rig, "key", false), 0);
	assert_int_equal(holders(rig, "key2", false), 1);
	/* names that the index cuts; only their ends differ */
	memset(name, 'a', sizeof(name) - 1);
	memset(other, 'a', sizeof(other) - 1);
	other[sizeof(other) - 2] = 'b';
	(void)insert(rig, named(rig, "alice", name));
	assert_int_equal(holders(rig, name, false), 1);
	assert_int_equal(holders(rig, other, false), 0);
}

static void
test_walks_show_each_object_once(void **state)
{
	struct rig *rig = *state;
	struct object *o = NULL;
	struct bytes ids[20];
	struct bytes last = BYTES_NONE;
	int64_t row = 0;
	size_t k;

	for (k = 0; k < LENGTH(ids); k++)
		ids[k] = insert(rig, named(rig, k % 2 ? "alice" : "", "key"));
	for (k = 0; k < LENGTH(ids); k++) {
		assert_ok(store_next(rig->st, &row, &o));
		assert_true(bytes_equal(o->id, ids[k]));
		assert_true(bytes_equal(
		    o->value, bytes_of_text("sealed octets of a key")));
		object_free(o);
	}
	assert_err(store_next(rig->st, &row, &o), ERR_NOT_FOUND);
	assert_null(o);
	for (k = 0; k < LENGTH(ids); k++) {
		assert_ok(store_next_id(rig->st, last, &o));
		assert_true(bytes_compare(o->id, last) > 0);
		assert_ok(arena_copy(rig->arena, o->id, &last));
		object_free(o);
	}
	assert_err(store_next_id(rig->st, last, &o), ERR_NOT_FOUND);
}

/* What a group has written is read again, and goes with it. */
static void
test_memory_gives_up_what_a_group_wrote(void **state)
{
	struct rig *rig = *state;
	struct store_stats stats;
	struct object *o;
	struct bytes id = insert(rig, named(rig, "alice", "key"));
	struct bytes lost;

	store_trim(rig->st);
	assert_ok(store_stats(rig->st, &stats));
	assert_int_equal(stats.cached_objects, 0);
	assert_there(rig, id);
	assert_int_equal(holders(rig, "key", false), 1);
	assert_ok(store_commit(rig->st));
	assert_there(rig, id);
	/* a group that is not durable takes all of it along */
	lost = insert(rig, named(rig, "alice", "lost"));
	o = changed(rig, id);
	give(o, TAG_NAME, "more");
	assert_ok(store_update(rig->st, o));
	store_trim(rig->st);
	assert_there(rig, lost);
	assert_int_equal(holders(rig, "more", false), 1);
	vfs_disk_full(0);
	assert_err(store_commit(rig->st), ERR_DISK_FULL);
	vfs_disk_full(UINT64_MAX);
	assert_not_there(rig, lost);
	assert_int_equal(holders(rig, "more", false), 0);
	assert_int_equal(holders(rig, "key", false), 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_TEST(test_what_is_inserted_is_found_again),
	    STORE_TEST(test_an_identifier_is_taken_once),
	    STORE_TEST(test_only_what_is_there_is_updated_or_deleted),
	    STORE_TEST(test_limits_have_two_sides),
	    STORE_TEST(test_borrowing_ends_with_the_turn),
	    STORE_TEST(test_named_values),
	    STORE_TEST(test_who_must_wait),
	    STORE_TEST(test_waiters_hear_once_and_may_begin_the_next_group),
	    STORE_TEST(test_a_waiter_may_dismiss_another),
	    STORE_TEST(test_rollback_undoes_what_came_after_the_point),
	    STORE_TEST(test_inserts_are_undone_as_changes_are),
	    STORE_TEST(test_a_name_is_held_by_living_objects),
	    STORE_TEST(test_states_come_when_they_are_due),
	    STORE_TEST(test_the_file_is_ours_alone),
	    STORE_TEST_CLOSED(test_a_directory_is_needed),
	    STORE_TEST(test_idle_time_empties_the_log),
	    STORE_TEST(test_who_writes_much_empties_the_log_as_he_goes),
	    STORE_TEST(test_what_is_dropped_leaves_no_octets),
	    STORE_TEST(test_no_statement_scans),
	    STORE_TEST(test_all_holders_of_a_name_are_seen),
	    STORE_TEST(test_walks_show_each_object_once),
	    STORE_TEST_LAB(test_memory_gives_up_what_a_group_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
