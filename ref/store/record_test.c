#include "store/record.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/rig_test.h"

/* ---- records ---- */

static void
put(struct rig *rig, const char *kind, const char *key, const char *value)
{
	assert_ok(record_put(
	    rig->st, kind, bytes_of_text(key), bytes_of_text(value)));
}

/* value NULL: there is none */
static void
assert_record(
    struct rig *rig, const char *kind, const char *key, const char *value)
{
	struct buf b;
	enum err want = value != NULL ? OK : ERR_NOT_FOUND;

	buf_init(&b, RECORD_VALUE_MAX_OCTETS);
	assert_err(record_get(rig->st, kind, bytes_of_text(key), &b), want);
	if (value != NULL)
		assert_true(bytes_equal_text(buf_peek(&b), value));
	buf_clear(&b);
}

static void
test_a_record_is_read_as_it_was_written(void **state)
{
	struct rig *rig = *state;

	assert_record(rig, "admin", "alice", NULL);
	put(rig, "admin", "alice", "one");
	put(rig, "admin", "bob", "");
	put(rig, "setting", "alice", "of another kind");
	put(rig, "admin", "", "a key may be empty");
	assert_record(rig, "admin", "alice", "one");
	put(rig, "admin", "alice", "two");
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_record(rig, "admin", "alice", "two");
	assert_record(rig, "admin", "bob", "");
	assert_record(rig, "admin", "", "a key may be empty");
	assert_record(rig, "setting", "alice", "of another kind");
	assert_record(rig, "admin", "carol", NULL);
	assert_record(rig, "adm", "alice", NULL);
}

static void
test_only_what_is_there_is_deleted(void **state)
{
	struct rig *rig = *state;

	put(rig, "admin", "alice", "one");
	put(rig, "setting", "alice", "other");
	assert_err(record_delete(rig->st, "admin", bytes_of_text("bob")),
	    ERR_NOT_FOUND);
	assert_ok(record_delete(rig->st, "admin", bytes_of_text("alice")));
	assert_err(record_delete(rig->st, "admin", bytes_of_text("alice")),
	    ERR_NOT_FOUND);
	assert_record(rig, "admin", "alice", NULL);
	assert_record(rig, "setting", "alice", "other");
}

static void
test_kinds_are_told_in_order(void **state)
{
	static const char *const want[] = {"admin", "adm\xc3\xa4", "setting"};
	char kind[RECORD_KIND_MAX_OCTETS + 1] = "";
	struct rig *rig = *state;
	size_t k;

	assert_err(record_kind_next(rig->st, kind), ERR_NOT_FOUND);
	put(rig, "setting", "a", "1");
	put(rig, "setting", "b", "2");
	put(rig, want[1], "c", "3");
	put(rig, "admin", "", "4");
	for (k = 0; k < LENGTH(want); k++) {
		assert_ok(record_kind_next(rig->st, kind));
		assert_string_equal(kind, want[k]);
	}
	assert_err(record_kind_next(rig->st, kind), ERR_NOT_FOUND);
}

static void
test_record_limits_have_two_sides(void **state)
{
	struct rig *rig = *state;
	static uint8_t octets[RECORD_VALUE_MAX_OCTETS + 1];
	static const char kind[] = "a-kind-of-thirty-two-octets-here";
	char longer[sizeof(kind) + 1];
	struct bytes key = {octets, RECORD_KEY_MAX_OCTETS};
	struct bytes value = {octets, RECORD_VALUE_MAX_OCTETS};
	struct buf b;

	assert_int_equal(strlen(kind), RECORD_KIND_MAX_OCTETS);
	(void)snprintf(longer, sizeof(longer), "%s+", kind);
	assert_err(record_put(rig->st, longer, key, value), ERR_LIMIT);
	assert_err(record_put(rig->st, "", key, value), ERR_LIMIT);
	key.octets++;
	assert_err(record_put(rig->st, kind, key, value), ERR_LIMIT);
	key.octets--;
	value.octets++;
	assert_err(record_put(rig->st, kind, key, value), ERR_LIMIT);
	value.octets--;
	/* none of these has opened a group */
	assert_false(store_must_wait(rig->st));
	assert_ok(record_put(rig->st, kind, key, value));
	buf_init(&b, RECORD_VALUE_MAX_OCTETS);
	assert_ok(record_get(rig->st, kind, key, &b));
	assert_true(bytes_equal(buf_peek(&b), value));
	buf_clear(&b);
}

struct walk {
	struct rig *rig;
	char seen[256];
	unsigned left; /* then it has enough */
	const char *writes;
};

static enum err
walk_on(void *ctx, struct bytes key, struct bytes value)
{
	struct walk *w = ctx;
	size_t at = strlen(w->seen);

	if (w->left-- == 0)
		return ERR_CLOSED;
	if (w->writes != NULL)
		put(w->rig, "k", w->writes, "late");
	w->writes = NULL;
	(void)snprintf(w->seen + at, sizeof(w->seen) - at, "%.*s=%.*s;",
	    (int)key.octets, (const char *)key.at, (int)value.octets,
	    (const char *)value.at);
	return OK;
}

static const struct {
	const char *name;
	const char *kind;
	unsigned left;
	const char *writes;
	enum err want;
	const char *seen;
} walks[] = {
    {"all, by octets", "k", 9, NULL, OK, "=0;a=1;a-=2;aa=3;b=4;\xff=5;"},
    {"an error ends it", "k", 2, NULL, ERR_CLOSED, "=0;a=1;"},
    {"none of that kind", "j", 9, NULL, OK, ""},
    {"what is written behind is seen", "k", 9, "ab", OK,
	"=0;a=1;a-=2;aa=3;ab=late;b=4;\xff=5;"},
};

static void
test_a_kind_is_walked_in_the_order_of_keys(void **state)
{
	struct rig *rig = *state;
	size_t k;

	put(rig, "k", "b", "4");
	put(rig, "k", "\xff", "5");
	put(rig, "k", "a-", "2");
	put(rig, "k", "aa", "3");
	put(rig, "k", "a", "1");
	put(rig, "k", "", "0");
	put(rig, "kk", "a", "another kind");
	for (k = 0; k < LENGTH(walks); k++) {
		struct walk w = {.rig = rig,
		    .left = walks[k].left,
		    .writes = walks[k].writes};
		enum err got = record_each(rig->st, walks[k].kind, walk_on, &w);

		if (got != walks[k].want || strcmp(w.seen, walks[k].seen) != 0)
			fail_msg("%s: expected %s %s, got %s %s", walks[k].name,
			    err_name(walks[k].want), walks[k].seen,
			    err_name(got), w.seen);
	}
}

/* Those of a prefix, some at a time. */
static const struct {
	const char *name;
	const char *prefix;
	const char *after;
	size_t most;
	const char *seen;
} parts[] = {
    {"none but those that begin so", "a/", "", 0, "a/=0;a/x=1;a/y=2;"},
    {"behind one that is there", "a/", "a/x", 0, "a/y=2;"},
    {"behind one that is not", "a/", "a/w", 0, "a/x=1;a/y=2;"},
    {"behind the last", "a/", "a/y", 0, ""},
    {"behind one before the prefix", "a/", "a", 0, "a/=0;a/x=1;a/y=2;"},
    {"behind one past the prefix", "a/", "b", 0, ""},
    {"so many", "a/", "", 2, "a/=0;a/x=1;"},
    {"so many behind", "a/", "a/", 1, "a/x=1;"},
    {"as many as there are", "a/", "", 3, "a/=0;a/x=1;a/y=2;"},
    {"another prefix", "b/", "", 0, "b/x=5;"},
    {"a prefix that none has", "c", "", 0, ""},
    {"no prefix", "", "a/y", 2, "aa=4;b/x=5;"},
};

static void
test_a_prefix_is_walked_from_where_it_was_left(void **state)
{
	struct rig *rig = *state;
	size_t k;

	put(rig, "k", "a", "before");
	put(rig, "k", "a/", "0");
	put(rig, "k", "a/x", "1");
	put(rig, "k", "a/y", "2");
	put(rig, "k", "aa", "4");
	put(rig, "k", "b/x", "5");
	put(rig, "kk", "a/z", "another kind");
	for (k = 0; k < LENGTH(parts); k++) {
		struct walk w = {.rig = rig, .left = 9};

		assert_ok(record_each_prefix(rig->st, "k",
		    bytes_of_text(parts[k].prefix),
		    bytes_of_text(parts[k].after), parts[k].most, walk_on, &w));
		if (strcmp(w.seen, parts[k].seen) != 0)
			fail_msg("%s: expected %s, got %s", parts[k].name,
			    parts[k].seen, w.seen);
	}
}

/* ---- logs ---- */

static enum err
add(struct rig *rig, const char *log, int64_t wall_ms, const char *line)
{
	return store_log_add(rig->st, log, wall_ms, bytes_of_text(line));
}

struct lines {
	char seen[256];
	enum err rc;
};

static enum err
line_on(void *ctx, const struct store_log_line *line)
{
	struct lines *l = ctx;
	size_t at = strlen(l->seen);

	(void)snprintf(l->seen + at, sizeof(l->seen) - at, "%u@%u=%.*s;",
	    (unsigned)line->number, (unsigned)line->wall_ms,
	    (int)line->text.octets, (const char *)line->text.at);
	return l->rc;
}

static void
assert_lines(struct rig *rig, const char *log, uint64_t from, size_t lines,
    const char *want)
{
	struct lines l = {.rc = OK};

	assert_ok(store_log_each(rig->st, log, from, lines, line_on, &l));
	assert_string_equal(l.seen, want);
}

static void
test_lines_are_numbered_as_they_come(void **state)
{
	struct rig *rig = *state;
	struct lines l = {.rc = ERR_CLOSED};
	uint64_t last;

	assert_ok(store_log_last(rig->st, "audit", &last));
	assert_int_equal(last, 0);
	assert_ok(add(rig, "audit", 50, "one"));
	assert_ok(add(rig, "system", 51, "another log"));
	/* the wall clock may go back; the numbers do not */
	assert_ok(add(rig, "audit", 40, "two"));
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_ok(add(rig, "audit", 60, ""));
	assert_ok(store_log_last(rig->st, "audit", &last));
	assert_int_equal(last, 3);
	assert_lines(rig, "audit", 1, 9, "1@50=one;2@40=two;3@60=;");
	assert_lines(rig, "audit", 0, 2, "1@50=one;2@40=two;");
	assert_lines(rig, "audit", 2, 1, "2@40=two;");
	assert_lines(rig, "audit", 4, 9, "");
	assert_lines(rig, "audit", UINT64_MAX, 9, "");
	assert_lines(rig, "audit", 1, 0, "");
	assert_lines(rig, "none", 1, 9, "");
	assert_err(
	    store_log_each(rig->st, "audit", 1, 9, line_on, &l), ERR_CLOSED);
	assert_string_equal(l.seen, "1@50=one;");
}

static void
test_a_line_is_one_line(void **state)
{
	struct rig *rig = *state;
	static char text[STORE_LOG_LINE_MAX_OCTETS + 2];
	static const char *const refused[] = {
	    "a\nb", "a\rb", "\t", "a\x1b[1m", "\x7f"};
	uint64_t last;
	size_t k;

	for (k = 0; k < LENGTH(refused); k++)
		assert_err(add(rig, "audit", 1, refused[k]), ERR_VALUE);
	memset(text, 'x', STORE_LOG_LINE_MAX_OCTETS + 1);
	assert_err(add(rig, "audit", 1, text), ERR_LIMIT);
	assert_err(add(rig, "", 1, "x"), ERR_LIMIT);
	text[STORE_LOG_NAME_MAX_OCTETS + 1] = '\0';
	assert_err(add(rig, text, 1, "x"), ERR_LIMIT);
	assert_ok(store_log_last(rig->st, "audit", &last));
	assert_int_equal(last, 0);
	text[STORE_LOG_NAME_MAX_OCTETS] = '\0';
	assert_ok(add(rig, text, 1, "x"));
	memset(text, 'x', STORE_LOG_LINE_MAX_OCTETS);
	text[STORE_LOG_LINE_MAX_OCTETS] = '\0';
	assert_ok(add(rig, "audit", 1, text));
	assert_ok(add(rig, "audit", 1, " ~\xc3\xa9\\"));
}

/* ---- with the turn's group ---- */

static void
test_a_record_and_its_line_are_undone_together(void **state)
{
	struct rig *rig = *state;

	put(rig, "admin", "alice", "before");
	assert_ok(add(rig, "audit", 1, "before"));
	assert_ok(store_savepoint(rig->st));
	put(rig, "admin", "alice", "undone");
	put(rig, "admin", "bob", "undone");
	assert_ok(record_delete(rig->st, "admin", bytes_of_text("alice")));
	assert_ok(add(rig, "audit", 2, "undone"));
	assert_ok(store_rollback_to(rig->st));
	assert_record(rig, "admin", "alice", "before");
	assert_record(rig, "admin", "bob", NULL);
	assert_lines(rig, "audit", 1, 9, "1@1=before;");
	assert_ok(add(rig, "audit", 3, "after"));
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_record(rig, "admin", "alice", "before");
	/* no number is lost with what was undone */
	assert_lines(rig, "audit", 1, 9, "1@1=before;2@3=after;");
}

static void
test_a_full_disk_takes_a_record_and_its_line(void **state)
{
	struct rig *rig = *state;
	static uint8_t octets[200000];
	enum err rc;

	put(rig, "admin", "alice", "before");
	assert_ok(store_commit(rig->st));
	vfs_disk_full(16 * 1024);
	put(rig, "admin", "bob", "lost");
	assert_ok(add(rig, "audit", 1, "lost"));
	/* now, or when the group is made durable */
	rc = record_put(
	    rig->st, "big", BYTES_NONE, (struct bytes){octets, sizeof(octets)});
	assert_true(rc == OK || rc == ERR_DISK_FULL);
	assert_err(store_commit(rig->st), ERR_DISK_FULL);
	vfs_disk_full(UINT64_MAX);
	assert_record(rig, "admin", "bob", NULL);
	assert_record(rig, "admin", "alice", "before");
	assert_lines(rig, "audit", 1, 9, "");
	put(rig, "admin", "bob", "again");
	assert_ok(add(rig, "audit", 2, "again"));
	assert_ok(store_commit(rig->st));
	rig_reopen(rig);
	assert_record(rig, "admin", "bob", "again");
	assert_lines(rig, "audit", 1, 9, "1@2=again;");
}

static void
test_who_reads_a_record_waits_for_it(void **state)
{
	struct rig *rig = *state;

	put(rig, "admin", "alice", "one");
	store_request(rig->st);
	assert_false(store_must_wait(rig->st));
	assert_record(rig, "admin", "bob", NULL);
	assert_true(store_must_wait(rig->st));
	store_request(rig->st);
	assert_lines(rig, "audit", 1, 9, "");
	assert_true(store_must_wait(rig->st));
	assert_ok(store_commit(rig->st));
	store_request(rig->st);
	assert_record(rig, "admin", "alice", "one");
	assert_false(store_must_wait(rig->st));
}

/* ---- a store that nobody has opened ---- */

/* value NULL: there is none */
static void
assert_peeked(
    const char *dir, const char *key, const char *value, unsigned oldest)
{
	struct buf b;
	unsigned got = 0;
	enum err want = value != NULL ? OK : ERR_NOT_FOUND;

	buf_init(&b, RECORD_VALUE_MAX_OCTETS);
	assert_err(
	    record_peek(dir, "software", bytes_of_text(key), &b, &got), want);
	assert_int_equal(got, oldest);
	if (value != NULL)
		assert_true(bytes_equal_text(buf_peek(&b), value));
	buf_clear(&b);
}

/* Where a database has the version of its schema: SQLite's file format, 1.3 */
enum { SCHEMA_AT = 60, SCHEMA_OCTETS = 4 };

static void
write_file(const char *dir, const void *at, size_t octets, off_t where)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/store.db", dir);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, at, octets, where), octets);
	(void)close(fd);
}

static void
test_a_record_is_seen_before_the_store_is_opened(void **state)
{
	struct rig *rig = *state;
	uint8_t newer[SCHEMA_OCTETS];
	struct store *st;
	unsigned oldest;
	struct buf b;

	put(rig, "software", "state", "6.2.0");
	assert_ok(store_commit(rig->st));
	assert_ok(store_oldest_reader(rig->st, &oldest));
	assert_in_range(oldest, 1, store_schema());
	store_close(rig->st);
	rig->st = NULL;
	assert_peeked(rig->dir, "state", "6.2.0", oldest);
	assert_peeked(rig->dir, "other", NULL, 0);
	assert_peeked("/nowhere", "state", NULL, 0);
	/* a later release's, which this one cannot open */
	bytes_put_u16(newer, store_schema() + 1);
	bytes_put_u16(newer + 2, store_schema() + 1);
	write_file(rig->dir, newer, sizeof(newer), SCHEMA_AT);
	assert_err(store_open(rig->dir, rig->env, &rig->options, &st),
	    ERR_STORE_VERSION);
	assert_peeked(rig->dir, "state", "6.2.0", store_schema() + 1);
	/* none at all */
	write_file(rig->dir, "nothing of SQLite's", 19, 0);
	buf_init(&b, 100);
	assert_err(record_peek(rig->dir, "software", bytes_of_text("state"), &b,
		       &oldest),
	    ERR_STORE);
	buf_clear(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_TEST(test_a_record_is_read_as_it_was_written),
	    STORE_TEST(test_only_what_is_there_is_deleted),
	    STORE_TEST(test_a_prefix_is_walked_from_where_it_was_left),
	    STORE_TEST(test_kinds_are_told_in_order),
	    STORE_TEST(test_record_limits_have_two_sides),
	    STORE_TEST(test_a_kind_is_walked_in_the_order_of_keys),
	    STORE_TEST(test_lines_are_numbered_as_they_come),
	    STORE_TEST(test_a_line_is_one_line),
	    STORE_TEST(test_a_record_and_its_line_are_undone_together),
	    STORE_TEST_LAB(test_a_full_disk_takes_a_record_and_its_line),
	    STORE_TEST(test_who_reads_a_record_waits_for_it),
	    STORE_TEST(test_a_record_is_seen_before_the_store_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
