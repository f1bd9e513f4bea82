#include "results.h"

#include <errno.h>
#include <string.h>

#include "json.h"
#include "mem.h"

/* The members of a record, for the writer and the reader alike. */
enum kind { TEXT, TEXTS, FLAG, UNSIGNED, SIZE, U64, INT, REAL, WORD };

struct field {
	const char *name;
	enum kind kind;
	bool needed; /* a line without it is refused */
	size_t at;
};

#define FIELD(name, kind, needed, of, member)                   \
	{                                                       \
		name, kind, needed, offsetof(struct of, member) \
	}
#define END                          \
	{                            \
		NULL, TEXT, false, 0 \
	}

/* clang-format off */
static const struct field head_fields[] = {
	FIELD("suite_version", TEXT,  true,  run_head, suite_version),
	FIELD("seed",          U64,   false, run_head, seed),
	FIELD("started",       TEXT,  true,  run_head, started),
	FIELD("laboratory",    FLAG,  true,  run_head, laboratory),
	FIELD("vectors",       TEXTS, false, run_head, vectors),
	FIELD("planned",       SIZE,  true,  run_head, planned),
	END
};

static const struct field target_fields[] = {
	FIELD("name",        TEXT, true,  run_head, target.name),
	FIELD("address",     TEXT, false, run_head, target.address),
	FIELD("file_sha256", TEXT, false, run_head, target.file_sha256),
	END
};

static const struct field test_fields[] = {
	FIELD("id",      TEXT,  true,  test_result, id),
	FIELD("family",  TEXT,  true,  test_result, family),
	FIELD("version", TEXT,  true,  test_result, version),
	FIELD("level",   TEXT,  false, test_result, level),
	FIELD("mark",    TEXT,  false, test_result, mark),
	FIELD("title",   TEXT,  false, test_result, title),
	FIELD("clause",  TEXTS, false, test_result, clauses),
	FIELD("verdict", WORD,  true,  test_result, verdict),
	FIELD("reason",  TEXT,  false, test_result, reason),
	FIELD("ms",      REAL,  false, test_result, ms),
	FIELD("repeat",  TEXT,  false, test_result, repeat),
	END
};

static const struct field difference_fields[] = {
	FIELD("step",     UNSIGNED, false, difference, step),
	FIELD("path",     TEXT,     false, difference, path),
	FIELD("expected", TEXT,     false, difference, expected),
	FIELD("got",      TEXT,     false, difference, got),
	FIELD("rule",     TEXT,     false, difference, rule),
	END
};

static const struct field step_fields[] = {
	FIELD("n",            UNSIGNED, true,  exchange, n),
	FIELD("client",       TEXT,     false, exchange, client),
	FIELD("sent_hex",     TEXT,     false, exchange, sent_hex),
	FIELD("received_hex", TEXT,     false, exchange, received_hex),
	FIELD("sent_xml",     TEXT,     false, exchange, sent_xml),
	FIELD("received_xml", TEXT,     false, exchange, received_xml),
	END
};

static const struct field waiver_fields[] = {
	FIELD("file",    TEXT,     false, waiver_note, file),
	FIELD("line",    UNSIGNED, false, waiver_note, line),
	FIELD("reason",  TEXT,     true,  waiver_note, reason),
	FIELD("link",    TEXT,     false, waiver_note, link),
	FIELD("expires", TEXT,     true,  waiver_note, expires),
	END
};

static const struct field tail_fields[] = {
	FIELD("ms",       REAL,  false, run_tail, ms),
	FIELD("unproven", TEXTS, false, run_tail, unproven),
	FIELD("notes",    TEXTS, false, run_tail, notes),
	FIELD("exit",     INT,   true,  run_tail, exit),
	END
};
/* clang-format on */

/* --- writing ------------------------------------------------------------- */

static enum err
put_texts(struct js *o, const char *name, const struct texts *t)
{
	struct js *a = NULL;
	enum err rc = OK;

	TRY(js_array_new(&a));
	for (size_t i = 0; i < t->count; i++)
		TRY(js_add_string(a, t->at[i]));
	rc = js_put(o, name, a);
	a = NULL; /* now the object's */
out:
	js_free(a);
	return rc;
}

static enum err
put_field(struct js *o, const struct field *f, const void *at)
{
	const char *text;

	switch (f->kind) {
	case TEXT:
		memcpy(&text, at, sizeof text);
		return text == NULL ? OK : js_put_string(o, f->name, text);
	case TEXTS:
		return put_texts(o, f->name, at);
	case FLAG:
		return js_put_bool(o, f->name, *(const bool *)at);
	case UNSIGNED:
		return js_put_integer(o, f->name, *(const unsigned *)at);
	case SIZE:
		return js_put_integer(
		    o, f->name, (int64_t)(*(const size_t *)at));
	case U64:
		return js_put_integer(
		    o, f->name, (int64_t)(*(const uint64_t *)at));
	case INT:
		return js_put_integer(o, f->name, *(const int *)at);
	case REAL:
		return js_put_real(o, f->name, *(const double *)at);
	case WORD:
		return js_put_string(
		    o, f->name, verdict_word(*(const enum verdict *)at));
	}
	return ERR_RANGE;
}

static enum err
put_fields(struct js *o, const struct field *f, const void *record)
{
	enum err rc = OK;

	for (; f->name != NULL; f++)
		TRY(put_field(o, f, (const char *)record + f->at));
out:
	return rc;
}

/* A member object made of a record's fields. */
static enum err
put_record(
    struct js *o, const char *name, const struct field *f, const void *record)
{
	struct js *member = NULL;
	enum err rc = OK;

	TRY(js_object_new(&member));
	TRY(put_fields(member, f, record));
	rc = js_put(o, name, member);
	member = NULL; /* now the object's */
out:
	js_free(member);
	return rc;
}

static enum err
put_difference(struct js *o, const struct difference *d)
{
	struct js *member = NULL;
	enum err rc = OK;

	TRY(js_object_new(&member));
	TRY(put_fields(member, difference_fields, d));
	if (d->at_octet)
		TRY(js_put_integer(
		    member, "offset", (int64_t)d->offset_octets));
	rc = js_put(o, "difference", member);
	member = NULL; /* now the object's */
out:
	js_free(member);
	return rc;
}

static enum err
put_steps(struct js *o, const struct exchange *step, size_t count)
{
	struct js *a = NULL, *member = NULL;
	enum err rc = OK;

	TRY(js_array_new(&a));
	for (size_t i = 0; i < count; i++) {
		TRY(js_object_new(&member));
		TRY(put_fields(member, step_fields, &step[i]));
		rc = js_add(a, member);
		member = NULL; /* now the array's */
		if (rc != OK)
			goto out;
	}
	rc = js_put(o, "steps", a);
	a = NULL; /* now the object's */
out:
	js_free(member);
	js_free(a);
	return rc;
}

static enum err
put_tally(struct js *o, const struct tally *t)
{
	struct js *member = NULL;
	enum err rc = OK;

	TRY(js_object_new(&member));
	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		TRY(js_put_integer(
		    member, verdict_word(v), (int64_t)t->count[v]));
	rc = js_put(o, "counts", member);
	member = NULL; /* now the object's */
out:
	js_free(member);
	return rc;
}

static enum err
line_begin(const char *type, struct js **out)
{
	enum err rc = OK;

	TRY(js_object_new(out));
	TRY(js_put_string(*out, "type", type));
out:
	return rc;
}

static enum err
line_end(FILE *to, const struct js *o)
{
	enum err rc = OK;

	TRY(js_write_line(to, o));
	if (fflush(to) != 0)
		rc = ERR_WRITE;
out:
	return rc;
}

enum err
results_put_head(FILE *to, const struct run_head *h)
{
	struct js *o = NULL;
	enum err rc = OK;

	TRY(line_begin("run", &o));
	TRY(put_fields(o, head_fields, h));
	TRY(put_record(o, "target", target_fields, h));
	TRY(line_end(to, o));
out:
	js_free(o);
	return rc;
}

enum err
results_put_test(FILE *to, const struct test_result *t)
{
	struct js *o = NULL;
	enum err rc = OK;

	TRY(line_begin("test", &o));
	TRY(put_fields(o, test_fields, t));
	if (t->difference != NULL)
		TRY(put_difference(o, t->difference));
	if (t->waiver != NULL)
		TRY(put_record(o, "waiver", waiver_fields, t->waiver));
	TRY(put_steps(o, t->steps, t->step_count));
	TRY(line_end(to, o));
out:
	js_free(o);
	return rc;
}

enum err
results_put_tail(FILE *to, const struct run_tail *t)
{
	struct js *o = NULL;
	enum err rc = OK;

	TRY(line_begin("end", &o));
	TRY(put_tally(o, &t->tally));
	TRY(put_fields(o, tail_fields, t));
	TRY(line_end(to, o));
out:
	js_free(o);
	return rc;
}

/* --- reading ------------------------------------------------------------- */

/* What a struct results points into. */
struct results_own {
	struct js **line;
	size_t line_count, line_room;
	void **block;
	size_t block_count, block_room;
	size_t test_room;
	bool head, tail; /* seen */
};

/* Memory that goes with the results. */
static enum err
own_array(struct results_own *own, size_t count, size_t octets, void **out)
{
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_GROW(own->block, &own->block_room, own->block_count + 1));
	*out = mem_zalloc(count, octets);
	if (*out == NULL)
		TRY(ERR_NOMEM);
	own->block[own->block_count++] = *out;
out:
	return rc;
}

static enum err
get_texts(struct results_own *own, const struct js *a, struct texts *out)
{
	const char **at;
	void *block;
	enum err rc = OK;

	TRY(own_array(own, js_count(a), sizeof *at, &block));
	at = block;
	for (size_t i = 0; i < js_count(a); i++) {
		at[i] = js_string_at(a, i);
		if (at[i] == NULL)
			TRY(ERR_SYNTAX);
	}
	out->at = at;
	out->count = js_count(a);
out:
	return rc;
}

static bool
get_word(const struct js *o, const char *name, enum verdict *out)
{
	const char *word = js_find_string(o, name);

	return word != NULL && verdict_of_word(word, out);
}

static enum err
get_field(struct results_own *own, const struct js *o, const struct field *f,
    void *at)
{
	const char *text;
	int64_t n = 0;
	bool there = false;

	switch (f->kind) {
	case TEXT:
		text = js_find_string(o, f->name);
		memcpy(at, &text, sizeof text);
		there = text != NULL;
		break;
	case TEXTS:
		return get_texts(own, js_find(o, f->name), at);
	case FLAG:
		there = js_find_bool(o, f->name, at);
		break;
	case UNSIGNED:
		there = js_find_integer(o, f->name, &n) && n >= 0 &&
			n <= UINT32_MAX;
		if (there)
			*(unsigned *)at = (unsigned)n;
		break;
	case SIZE:
		there = js_find_integer(o, f->name, &n) && n >= 0;
		if (there)
			*(size_t *)at = (size_t)n;
		break;
	case U64:
		there = js_find_integer(o, f->name, &n);
		if (there)
			*(uint64_t *)at = (uint64_t)n;
		break;
	case INT:
		there = js_find_integer(o, f->name, &n) && n >= INT32_MIN &&
			n <= INT32_MAX;
		if (there)
			*(int *)at = (int)n;
		break;
	case REAL:
		there = js_find_real(o, f->name, at);
		break;
	case WORD:
		there = get_word(o, f->name, at);
		break;
	}
	return there || !f->needed ? OK : ERR_SYNTAX;
}

static enum err
get_fields(struct results_own *own, const struct js *o, const struct field *f,
    void *record, struct fault *why)
{
	enum err rc = OK;

	for (; f->name != NULL; f++) {
		rc = get_field(own, o, f, (char *)record + f->at);
		if (rc == ERR_SYNTAX)
			TRY(fault_say(
			    why, rc, "`%s` is missing or wrong", f->name));
		TRY(rc);
	}
out:
	return rc;
}

static enum err
get_difference(struct results_own *own, const struct js *o,
    struct test_result *t, struct fault *why)
{
	struct difference *d;
	void *block;
	int64_t offset;
	enum err rc = OK;

	TRY(own_array(own, 1, sizeof *d, &block));
	d = block;
	TRY(get_fields(own, o, difference_fields, d, why));
	if (js_find_integer(o, "offset", &offset) && offset >= 0) {
		d->at_octet = true;
		d->offset_octets = (size_t)offset;
	}
	t->difference = d;
out:
	return rc;
}

static enum err
get_waiver(struct results_own *own, const struct js *o, struct test_result *t,
    struct fault *why)
{
	void *block;
	enum err rc = OK;

	TRY(own_array(own, 1, sizeof *t->waiver, &block));
	TRY(get_fields(own, o, waiver_fields, block, why));
	t->waiver = block;
out:
	return rc;
}

static enum err
get_steps(struct results_own *own, const struct js *a, struct test_result *t,
    struct fault *why)
{
	struct exchange *step;
	void *block;
	enum err rc = OK;

	TRY(own_array(own, js_count(a), sizeof *step, &block));
	step = block;
	for (size_t i = 0; i < js_count(a); i++)
		TRY(get_fields(own, js_at(a, i), step_fields, &step[i], why));
	t->steps = step;
	t->step_count = js_count(a);
out:
	return rc;
}

static enum err
get_head(struct results *r, const struct js *o, struct fault *why)
{
	enum err rc = OK;

	if (r->own->head)
		TRY(fault_say(why, ERR_SYNTAX, "a second `run` line"));
	TRY(get_fields(r->own, o, head_fields, &r->head, why));
	TRY(get_fields(
	    r->own, js_find(o, "target"), target_fields, &r->head, why));
	r->own->head = true;
out:
	return rc;
}

static enum err
get_test(struct results *r, const struct js *o, struct fault *why)
{
	struct test_result *t;
	const struct js *part;
	enum err rc = OK;

	TRY(MEM_GROW(r->tests, &r->own->test_room, r->test_count + 1));
	t = &r->tests[r->test_count];
	memset(t, 0, sizeof *t);
	TRY(get_fields(r->own, o, test_fields, t, why));
	if ((part = js_find(o, "difference")) != NULL)
		TRY(get_difference(r->own, part, t, why));
	if ((part = js_find(o, "waiver")) != NULL)
		TRY(get_waiver(r->own, part, t, why));
	TRY(get_steps(r->own, js_find(o, "steps"), t, why));
	r->test_count++;
out:
	return rc;
}

static enum err
get_tail(struct results *r, const struct js *o, struct fault *why)
{
	const struct js *counts = js_find(o, "counts");
	enum err rc = OK;

	TRY(get_fields(r->own, o, tail_fields, &r->tail, why));
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		int64_t n;

		if (!js_find_integer(counts, verdict_word(v), &n) || n < 0)
			TRY(fault_say(why, ERR_SYNTAX, "no count of `%s`",
			    verdict_word(v)));
		r->tail.tally.count[v] = (size_t)n;
	}
	r->own->tail = true;
out:
	return rc;
}

/* What the results point into must stay: takes the line. */
static enum err
own_line(struct results_own *own, struct js *line)
{
	enum err rc = OK;

	TRY(MEM_GROW(own->line, &own->line_room, own->line_count + 1));
	own->line[own->line_count++] = line;
	line = NULL;
out:
	js_free(line);
	return rc;
}

static enum err
get_line(struct results *r, const struct js *line, struct fault *why)
{
	const struct results_own *own = r->own;
	const char *type = js_find_string(line, "type");
	enum err rc = OK;

	if (own->tail)
		TRY(fault_say(why, ERR_SYNTAX, "a line after the `end`"));
	if (type == NULL)
		TRY(fault_say(why, ERR_SYNTAX, "`type` is missing"));
	if (strcmp(type, "run") == 0)
		TRY(get_head(r, line, why));
	else if (!own->head)
		TRY(fault_say(why, ERR_SYNTAX, "a line before the `run`"));
	else if (strcmp(type, "test") == 0)
		TRY(get_test(r, line, why));
	else if (strcmp(type, "end") == 0)
		TRY(get_tail(r, line, why));
	else
		TRY(fault_say(why, ERR_SYNTAX, "type `%s`", type));
out:
	return rc;
}

/* What the tests themselves say, and whether the record agrees with it. */
static void
check_whole(struct results *r)
{
	struct results_own *own = r->own;
	struct tally t = {{0}};

	for (size_t i = 0; i < r->test_count; i++)
		t.count[r->tests[i].verdict]++;
	if (r->incomplete == NULL && !own->tail)
		r->incomplete = "the record ends before the run did";
	else if (r->incomplete == NULL && r->test_count != r->head.planned)
		r->incomplete = "fewer or more tests than were planned";
	else if (r->incomplete == NULL &&
		 memcmp(&t, &r->tail.tally, sizeof t) != 0)
		r->incomplete = "the counts disagree with the tests";
	if (r->incomplete == NULL)
		return;
	r->tail.tally = t;
	r->tail.exit = 2;
}

enum err
results_read(const char *path, struct results **out, struct fault *f)
{
	struct results *r = NULL;
	struct js *line = NULL;
	FILE *from = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(r));
	TRY(MEM_NEW(r->own));
	from = fopen(path, "re");
	if (from == NULL)
		TRY(fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno)));
	for (unsigned n = 1;; n++) {
		struct fault why = {""};

		rc = js_read_line(from, &line, &why);
		if (rc == ERR_TRUNCATED) {
			rc = OK;
			break;
		}
		if (rc == OK && line == NULL)
			break;
		if (rc == OK)
			rc = own_line(r->own, line);
		if (rc == OK)
			rc = get_line(r, line, &why);
		if (rc == ERR_SYNTAX || rc == ERR_READ)
			TRY(fault_say(f, rc, "%s:%u: %s", path, n, why.text));
		TRY(rc);
	}
	if (!r->own->head)
		TRY(fault_say(f, ERR_SYNTAX, "%s: no `run` line", path));
	check_whole(r);
	*out = r;
	r = NULL; /* now the caller's */
out:
	if (from != NULL)
		fclose(from);
	results_free(r);
	return rc;
}

void
results_free(struct results *r)
{
	struct results_own *own;

	if (r == NULL)
		return;
	own = r->own;
	if (own != NULL) {
		for (size_t i = 0; i < own->line_count; i++)
			js_free(own->line[i]);
		for (size_t i = 0; i < own->block_count; i++)
			mem_free(own->block[i]);
		mem_free(own->line);
		mem_free(own->block);
	}
	mem_free(own);
	mem_free(r->tests);
	mem_free(r);
}
