#include "store/rig_test.h"

/*
 * Anything, in any order, against a model so simple that it must be right: a
 * list of what each object is, searched from end to end.
 */
enum { OBJECTS_MAX = 200, TEXTS = 5, OWNERS = 3, TEAMS = 2, DEPTH = 4 };

/* The last one is that of older versions of keys; it is in nobody's list. */
enum { HIDDEN = 2 };
static const char *const owners[OWNERS] = {"alice", "bob", "\2"};
static const char *const teams[TEAMS] = {"red", "blue"};

/* Whose objects: an owner's, or behind these a team's. */
enum { SCOPES = OWNERS + TEAMS };
static const char *const scopes[SCOPES] = {
    "alice", "bob", "\2", "\1red", "\1blue"};
static const uint32_t types[] = {OBJECT_TYPE_SYMMETRIC_KEY,
    OBJECT_TYPE_PUBLIC_KEY, OBJECT_TYPE_SECRET_DATA, OBJECT_TYPE_TEMPLATE};

/* The last two are longer than the index keeps, and differ at the end. */
static char texts[TEXTS][300];

struct thing {
	bool there;
	uint8_t id[OBJECT_ID_MAX_OCTETS];
	uint8_t id_octets;
	uint8_t owner;
	uint8_t teams; /* a bit each */
	uint32_t type;
	uint32_t state;
	/* places in texts; TEXTS: none */
	uint8_t name;
	uint8_t group;
	uint8_t custom;
	uint64_t version; /* what the filter asks for */
};

/* In order of creation; a place is never used again. */
struct things {
	unsigned count;
	struct thing thing[OBJECTS_MAX];
};

struct play {
	struct rig *rig;
	uint64_t seed;
	struct things now;
	struct things durable;
	struct things mark[DEPTH];
	unsigned depth;
};

static unsigned
die(struct play *p, unsigned sides)
{
	return any(&p->seed, sides);
}

static struct bytes
id_of(const struct thing *t)
{
	return (struct bytes){t->id, t->id_octets};
}

/* Those whose bit is not set may do nothing, and are in the card or not. */
static void
share(struct object *o, const struct thing *t)
{
	struct card_permission permissions[TEAMS] = {0};
	size_t count = 0;
	size_t k;

	o->card = NULL;
	for (k = 0; k < TEAMS; k++) {
		bool may = (t->teams >> k & 1) != 0;

		if (!may && k == 0)
			continue;
		permissions[count].group = bytes_of_text(teams[k]);
		permissions[count++].use[USE_EXPORT].grant =
		    may ? CARD_ALWAYS : CARD_NEVER;
	}
	if (t->teams == 0 && t->version % 2 == 0)
		return;
	assert_ok(ARENA_NEW(o->arena, o->card));
	assert_ok(card_set_permissions(o->arena, o->card, permissions, count));
}

static void
dress(struct object *o, const struct thing *t)
{
	share(o, t);
	if (t->name < TEXTS)
		give(o, TAG_NAME, texts[t->name]);
	if (t->group < TEXTS)
		give(o, TAG_OBJECT_GROUP, texts[t->group]);
	if (t->custom < TEXTS) {
		give_custom(o, "C", texts[t->custom]);
		/* the same again is one term, and twice in the object */
		give_custom(o, "C", texts[t->custom]);
	}
	o->value_version = t->version;
}

static struct thing *
some_thing(struct play *p)
{
	return p->now.count == 0 ? NULL : &p->now.thing[die(p, p->now.count)];
}

static void
play_insert(struct play *p)
{
	struct thing *t = &p->now.thing[p->now.count];
	struct object *o;

	if (p->now.count == OBJECTS_MAX)
		return;
	*t = (struct thing){
	    .there = true,
	    .owner = (uint8_t)die(p, OWNERS),
	    .teams = (uint8_t)die(p, 1 << TEAMS),
	    .type = types[die(p, LENGTH(types))],
	    .name = (uint8_t)die(p, TEXTS + 1),
	    .group = (uint8_t)die(p, TEXTS + 1),
	    .custom = (uint8_t)die(p, TEXTS + 1),
	    .version = die(p, 4),
	};
	o = object_of(p->rig, owners[t->owner], t->type);
	t->state = object_state(o);
	t->id_octets = (uint8_t)o->id.octets;
	memcpy(t->id, o->id.at, o->id.octets);
	dress(o, t);
	assert_ok(store_insert(p->rig->st, o));
	p->now.count++;
}

static void
play_update(struct play *p)
{
	struct thing *t = some_thing(p);
	struct object *o;

	if (t == NULL || !t->there)
		return;
	t->name = (uint8_t)die(p, TEXTS + 1);
	t->group = (uint8_t)die(p, TEXTS + 1);
	t->version = die(p, 4);
	if (die(p, 2) == 0)
		t->teams = (uint8_t)die(p, 1 << TEAMS);
	if (die(p, 4) == 0)
		t->owner = (uint8_t)die(p, OWNERS);
	if (t->state != 0)
		t->state = 1 + die(p, STATE_DESTROYED_COMPROMISED);
	o = changed(p->rig, id_of(t));
	for (struct attr *one = o->attrs.first, *next; one; one = next) {
		next = one->next;
		if (one->def->tag == TAG_NAME ||
		    one->def->tag == TAG_OBJECT_GROUP ||
		    one->def->tag == TAG_ATTRIBUTE)
			attr_remove(&o->attrs, one);
	}
	dress(o, t);
	assert_ok(
	    arena_copy(o->arena, bytes_of_text(owners[t->owner]), &o->owner));
	if (t->state != 0)
		assert_ok(
		    attr_set_number(o->arena, &o->attrs, TAG_STATE, t->state));
	assert_ok(store_update(p->rig->st, o));
}

static void
play_delete(struct play *p)
{
	struct thing *t = some_thing(p);

	if (t == NULL)
		return;
	assert_err(
	    store_delete(p->rig->st, id_of(t)), t->there ? OK : ERR_NOT_FOUND);
	t->there = false;
}

static void
play_find(struct play *p)
{
	struct thing *t = some_thing(p);
	const struct object *o;

	if (t == NULL)
		return;
	if (!t->there) {
		assert_not_there(p->rig, id_of(t));
		return;
	}
	assert_ok(store_find(p->rig->st, id_of(t), &o));
	assert_int_equal(object_state(o), t->state);
	assert_int_equal(o->value_version, t->version);
	assert_true(bytes_equal_text(o->owner, owners[t->owner]));
	assert_true(
	    (attr_find(&o->attrs, TAG_NAME) != NULL) == (t->name < TEXTS));
	assert_true(bytes_equal_text(attr_octets(&o->attrs, TAG_OBJECT_GROUP),
	    t->group < TEXTS ? texts[t->group] : ""));
}

/* ---- Locate ---- */

struct wish {
	struct thing like; /* TEXTS, 0: whatever */
	unsigned in;       /* a bit for each scope; 0: all */
	struct bytes scopes[SCOPES];
	bool by_id;
	bool by_version;
	unsigned states;
	struct store_query query;
	struct bytes terms[3];
};

static bool
version_matches(void *ctx, const struct object *o)
{
	const struct wish *w = ctx;

	return o->value_version == w->like.version;
}

static bool
text_matches(uint8_t want, uint8_t have)
{
	return want == TEXTS || want == have;
}

static bool
thing_in(const struct thing *t, unsigned scope)
{
	return scope < OWNERS ? t->owner == scope
			      : (t->teams >> (scope - OWNERS) & 1) != 0;
}

static bool
thing_in_any(const struct thing *t, unsigned in)
{
	unsigned k;

	for (k = 0; k < SCOPES; k++) {
		if ((in >> k & 1) != 0 && thing_in(t, k))
			return true;
	}
	return in == 0 && t->owner != HIDDEN;
}

static bool
thing_matches(const struct wish *w, const struct thing *t)
{
	return t->there && thing_in_any(t, w->in) &&
	       text_matches(w->like.name, t->name) &&
	       text_matches(w->like.group, t->group) &&
	       text_matches(w->like.custom, t->custom) &&
	       (w->like.type == 0 || w->like.type == t->type) &&
	       (w->states == 0 || (w->states >> t->state & 1) != 0) &&
	       (!w->by_id || bytes_equal(id_of(&w->like), id_of(t))) &&
	       (!w->by_version || w->like.version == t->version);
}

static uint8_t
some_text(struct play *p)
{
	return (uint8_t)(die(p, 2) == 0 ? TEXTS : die(p, TEXTS));
}

static void
wish_term(struct play *p, struct wish *w, enum tag tag, const char *custom,
    uint8_t text)
{
	if (text < TEXTS)
		w->terms[w->query.term_count++] =
		    term_of(p->rig, tag, custom, texts[text]);
}

static void
make_wish(struct play *p, struct wish *w)
{
	const struct thing *other = some_thing(p);
	unsigned k;

	*w = (struct wish){
	    .in = die(p, 1 << SCOPES),
	    .like = {.name = some_text(p),
		.group = some_text(p),
		.custom = some_text(p),
		.type = die(p, 2) == 0 ? 0 : types[die(p, LENGTH(types))],
		.version = die(p, 4)},
	    .by_version = die(p, 4) == 0,
	    .states = die(p, 2) == 0 ? 0 : 1 + die(p, 127),
	};
	if (other != NULL && die(p, 8) == 0) {
		w->by_id = true;
		w->like.id_octets = other->id_octets;
		memcpy(w->like.id, other->id, other->id_octets);
	}
	w->query = (struct store_query){
	    .scopes = w->scopes,
	    .id = w->by_id ? id_of(&w->like) : BYTES_NONE,
	    .terms = w->terms,
	    .object_type = w->like.type,
	    .states = w->states,
	    .filter = w->by_version ? version_matches : NULL,
	    .ctx = w,
	    .offset_items = die(p, 3) == 0 ? die(p, 5) : 0,
	    .max_items = die(p, 3) == 0 ? 1 + die(p, 5) : 0,
	    .count_all = die(p, 2) == 0,
	};
	for (k = 0; k < SCOPES; k++) {
		if ((w->in >> k & 1) != 0)
			w->scopes[w->query.scope_count++] =
			    bytes_of_text(scopes[k]);
	}
	wish_term(p, w, TAG_NAME, NULL, w->like.name);
	wish_term(p, w, TAG_OBJECT_GROUP, NULL, w->like.group);
	wish_term(p, w, TAG_ATTRIBUTE, "C", w->like.custom);
}

static void
play_locate(struct play *p)
{
	struct wish w;
	struct store_found found;
	size_t matches = 0;
	size_t given = 0;
	unsigned k;

	make_wish(p, &w);
	assert_ok(store_locate(p->rig->st, p->rig->arena, &w.query, &found));
	for (k = p->now.count; k-- > 0;) {
		const struct thing *t = &p->now.thing[k];

		if (!thing_matches(&w, t))
			continue;
		if (matches++ < w.query.offset_items ||
		    (w.query.max_items != 0 && given == w.query.max_items))
			continue;
		if (given >= found.id_count)
			fail_msg("%zu found, more expected", given);
		assert_true(bytes_equal(found.ids[given], id_of(t)));
		given++;
	}
	assert_int_equal(found.id_count, given);
	assert_int_equal(found.located, w.query.count_all ? matches : 0);
	arena_reset(p->rig->arena);
}

static bool
has_name(const struct thing *t, uint8_t name)
{
	return t->there && t->name == name && t->state != STATE_DESTROYED &&
	       t->state != STATE_DESTROYED_COMPROMISED;
}

static void
play_name(struct play *p)
{
	uint8_t name = (uint8_t)die(p, TEXTS);
	uint8_t owner = (uint8_t)die(p, OWNERS + 1);
	const struct thing *except = die(p, 2) == 0 ? some_thing(p) : NULL;
	bool want = false;
	bool taken;
	unsigned k;

	for (k = 0; k < p->now.count; k++) {
		const struct thing *t = &p->now.thing[k];

		want = want || (has_name(t, name) && t != except &&
				   (owner == OWNERS || owner == t->owner));
	}
	assert_ok(store_name_taken(p->rig->st,
	    owner < OWNERS ? bytes_of_text(owners[owner]) : BYTES_NONE,
	    term_of(p->rig, TAG_NAME, NULL, texts[name]),
	    except != NULL ? id_of(except) : BYTES_NONE, &taken));
	assert_int_equal(taken, want);
	arena_reset(p->rig->arena);
}

/* By name: the first scope that has one, and there the oldest. */
static void
play_find_name(struct play *p)
{
	uint8_t name = (uint8_t)die(p, TEXTS);
	unsigned count = die(p, 4);
	unsigned in[3];
	struct bytes asked[3];
	const struct thing *want = NULL;
	const struct object *o;
	unsigned k;
	unsigned n;

	for (k = 0; k < count; k++) {
		in[k] = die(p, SCOPES);
		asked[k] = bytes_of_text(scopes[in[k]]);
	}
	for (k = 0; k < (count != 0 ? count : 1); k++) {
		for (n = 0; n < p->now.count && want == NULL; n++) {
			const struct thing *t = &p->now.thing[n];

			if (has_name(t, name) &&
			    (count == 0 || thing_in(t, in[k])))
				want = t;
		}
	}
	assert_err(store_find_name(p->rig->st, asked, count,
		       bytes_of_text(texts[name]), &o),
	    want != NULL ? OK : ERR_NOT_FOUND);
	if (want != NULL)
		assert_true(bytes_equal(o->id, id_of(want)));
}

/* ---- groups ---- */

static void
play_savepoint(struct play *p)
{
	if (p->depth == DEPTH)
		return;
	assert_ok(store_savepoint(p->rig->st));
	p->mark[p->depth++] = p->now;
}

/* What is undone keeps its place, so that it can be looked for. */
static void
go_back(struct play *p, const struct things *to)
{
	unsigned k;

	for (k = 0; k < p->now.count; k++) {
		if (k < to->count)
			p->now.thing[k] = to->thing[k];
		else
			p->now.thing[k].there = false;
	}
}

static void
play_savepoint_end(struct play *p)
{
	if (p->depth == 0)
		return;
	p->depth--;
	if (die(p, 2) == 0) {
		assert_ok(store_release(p->rig->st));
	} else {
		assert_ok(store_rollback_to(p->rig->st));
		go_back(p, &p->mark[p->depth]);
	}
}

static void
play_turn_end(struct play *p)
{
	enum err rc;
	bool full = die(p, 3) == 0;

	while (p->depth > 0)
		play_savepoint_end(p);
	if (full)
		vfs_disk_full(die(p, 3) * 3000);
	rc = store_commit(p->rig->st);
	vfs_disk_full(UINT64_MAX);
	if (rc == OK) {
		p->durable = p->now;
	} else {
		assert_true(full);
		assert_err(rc, ERR_DISK_FULL);
		go_back(p, &p->durable);
		p->durable = p->now;
	}
	if (die(p, 10) == 0)
		rig_reopen(p->rig);
	if (die(p, 10) == 0)
		store_idle(p->rig->st);
}

static void
play_on(struct play *p)
{
	switch (die(p, 20)) {
	case 0:
	case 1:
	case 2:
		play_insert(p);
		break;
	case 3:
	case 4:
	case 5:
		play_update(p);
		break;
	case 6:
		play_delete(p);
		break;
	case 7:
	case 8:
	case 9:
		play_find(p);
		break;
	case 10:
		play_savepoint(p);
		break;
	case 11:
		play_savepoint_end(p);
		break;
	case 12:
	case 13:
		play_turn_end(p);
		break;
	case 14:
		play_name(p);
		break;
	case 15:
	case 16:
		play_find_name(p);
		break;
	default:
		play_locate(p);
	}
}

static int
setup_play(void **state)
{
	unsigned k;
	struct rig *rig;
	int rc = rig_make(state);

	rig = *state;
	/* so small that most objects are read from the file again */
	rig->options = (struct store_options){
	    .lab = true, .cache_octets = 20000, .log_pages = 50};
	rig_open(rig);
	for (k = 0; k < TEXTS; k++)
		(void)snprintf(
		    texts[k], sizeof(texts[k]), "%0*u", k < 3 ? 2 : 200, k);
	return rc;
}

static void
test_the_store_is_what_the_model_says(void **state)
{
	static struct play p;
	unsigned round;
	unsigned n;

	for (round = 1; round <= ROUNDS(15); round++) {
		p = (struct play){.rig = *state, .seed = round};
		for (n = 0; n < ROUNDS(1000); n++)
			play_on(&p);
		play_turn_end(&p);
		assert_ok(store_check(p.rig->st));
		/* the next round begins with nothing */
		while (p.now.count > 0) {
			struct thing *t = &p.now.thing[--p.now.count];

			if (t->there)
				assert_ok(store_delete(p.rig->st, id_of(t)));
		}
		assert_ok(store_commit(p.rig->st));
	}
}

/* ---- what Locate costs ---- */

static uint64_t
rows_for(struct rig *rig, const struct store_query *query, size_t want)
{
	struct store_stats before;
	struct store_stats after;
	struct store_found found;

	assert_ok(store_stats(rig->st, &before));
	assert_ok(store_locate(rig->st, rig->arena, query, &found));
	assert_ok(store_stats(rig->st, &after));
	assert_int_equal(found.id_count, want);
	return after.index_rows - before.index_rows;
}

/* Most alike: Active keys in one group; every thousandth is something else. */
static void
fill(struct rig *rig, unsigned from, unsigned to)
{
	char name[32];
	unsigned n;

	for (n = from; n < to; n++) {
		bool rare = n % 1000 == 50;
		struct object *o = object_of(rig, "alice",
		    rare ? OBJECT_TYPE_SECRET_DATA : OBJECT_TYPE_SYMMETRIC_KEY);

		(void)snprintf(name, sizeof(name), "key-%u", n);
		give(o, TAG_NAME, name);
		give(o, TAG_OBJECT_GROUP, "all");
		assert_ok(attr_set_number(o->arena, &o->attrs, TAG_STATE,
		    rare ? STATE_DESTROYED : STATE_ACTIVE));
		if (rare)
			give_custom(o, "Rare", "yes");
		share(o, &(struct thing){.teams = n % 3 == 0});
		assert_ok(store_insert(rig->st, o));
		if (n % 500 == 0)
			assert_ok(store_commit(rig->st));
	}
	assert_ok(store_commit(rig->st));
}

static const struct {
	const char *name;
	enum tag tag; /* 0: no term */
	const char *custom;
	const char *text;
	uint32_t type;
	unsigned states;
	bool all_in_group; /* as a second term */
	bool of_team;      /* of what is shared with the first one, too */
} costs[] = {
    {"by name", TAG_NAME, NULL, "key-7", 0, 0, false, false},
    {"by custom attribute", TAG_ATTRIBUTE, "Rare", "yes", 0, 0, false, false},
    {"by type", 0, NULL, NULL, OBJECT_TYPE_SECRET_DATA, 0, false, false},
    {"by state", 0, NULL, NULL, 0, STORE_STATE(STATE_DESTROYED), false, false},
    {"by name in a large group", TAG_NAME, NULL, "key-7", 0, 0, true, false},
    {"by a large group, few of that type", TAG_OBJECT_GROUP, NULL, "all",
	OBJECT_TYPE_SECRET_DATA, 0, false, false},
    {"by a large group, few in that state", TAG_OBJECT_GROUP, NULL, "all", 0,
	STORE_STATE(STATE_DESTROYED), false, false},
    {"by name, of several scopes", TAG_NAME, NULL, "key-7", 0, 0, true, true},
    {"by type, of several scopes", 0, NULL, NULL, OBJECT_TYPE_SECRET_DATA, 0,
	false, true},
};

static void
test_cost_goes_with_what_is_found(void **state)
{
	struct rig *rig = *state;
	uint64_t few[LENGTH(costs)];
	unsigned many = ROUNDS(20000);
	int pass;
	size_t k;

	for (pass = 0; pass < 2; pass++) {
		/* of the rare ones, one at first and twenty then */
		fill(rig, pass == 0 ? 0 : 100, pass == 0 ? 100 : many);
		for (k = 0; k < LENGTH(costs); k++) {
			struct bytes terms[2];
			struct bytes asked[] = {bytes_of_text("alice"),
			    bytes_of_text("bob"),
			    bytes_of_text(scopes[OWNERS])};
			struct store_query query = {
			    .scopes = asked,
			    .scope_count = costs[k].of_team ? 3 : 1,
			    .terms = terms,
			    .object_type = costs[k].type,
			    .states = costs[k].states,
			    .max_items = 1,
			};
			uint64_t rows;

			if (costs[k].all_in_group)
				terms[query.term_count++] =
				    term_of(rig, TAG_OBJECT_GROUP, NULL, "all");
			if (costs[k].tag != 0)
				terms[query.term_count++] =
				    term_of(rig, costs[k].tag, costs[k].custom,
					costs[k].text);
			rows = rows_for(rig, &query, 1);
			if (pass == 0)
				few[k] = rows;
			else if (rows > few[k] + 64)
				fail_msg("%s: %llu rows of 100, %llu of %u",
				    costs[k].name, (unsigned long long)few[k],
				    (unsigned long long)rows, many);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_the_store_is_what_the_model_says, setup_play,
		rig_teardown),
	    STORE_TEST_LAB(test_cost_goes_with_what_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
