#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "command.h"
#include "mem.h"

/* --- the tests, ordered -------------------------------------------------- */

/* strverscmp: BL-M-2 before BL-M-10, and 1.9 before 1.10 */
static int
by_place(const void *a, const void *b)
{
	const struct test_result *x = *(const struct test_result *const *)a;
	const struct test_result *y = *(const struct test_result *const *)b;
	int order = strverscmp(x->version, y->version);

	if (order == 0)
		order = strverscmp(x->family, y->family);
	return order != 0 ? order : strverscmp(x->id, y->id);
}

static int
by_text(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and keeps one of each. */
static size_t
unique(const char **text, size_t count)
{
	size_t kept = 0;

	qsort(text, count, sizeof *text, by_text);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(text[kept - 1], text[i]) != 0)
			text[kept++] = text[i];
	return kept;
}

enum err
view_new(const struct results *r, struct view **out)
{
	struct view *v = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(v));
	TRY(MEM_ARRAY(v->test, r->test_count));
	TRY(MEM_ARRAY(v->version, r->test_count));
	TRY(MEM_ARRAY(v->family, r->test_count));
	for (size_t i = 0; i < r->test_count; i++) {
		v->test[i] = &r->tests[i];
		v->version[i] = r->tests[i].version;
		v->family[i] = r->tests[i].family;
	}
	v->test_count = r->test_count;
	qsort(v->test, v->test_count, sizeof *v->test, by_place);
	v->version_count = unique(v->version, r->test_count);
	v->family_count = unique(v->family, r->test_count);
	*out = v;
	v = NULL; /* now the caller's */
out:
	view_free(v);
	return rc;
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	mem_free(v->test);
	mem_free(v->version);
	mem_free(v->family);
	mem_free(v);
}

size_t
view_find(const struct view *v, const char *version, const char *family,
    size_t *count)
{
	size_t first = 0, end;

	while (first < v->test_count &&
	       (strcmp(v->test[first]->version, version) != 0 ||
		   strcmp(v->test[first]->family, family) != 0))
		first++;
	for (end = first; end < v->test_count &&
			  strcmp(v->test[end]->version, version) == 0 &&
			  strcmp(v->test[end]->family, family) == 0;
	     end++)
		;
	*count = end - first;
	return first;
}

struct tally
view_tally(const struct test_result *const *test, size_t count)
{
	struct tally t = {{0}};

	for (size_t i = 0; i < count; i++)
		t.count[test[i]->verdict]++;
	return t;
}

static const struct mark marks[] = {
#define MARK(letter, word, meaning) {letter, word, meaning},
#include "mark.def"
#undef MARK
};

const struct mark *
view_mark(size_t i)
{
	return i < sizeof marks / sizeof *marks ? &marks[i] : NULL;
}

struct tally
view_mark_tally(const struct view *v, const struct mark *m)
{
	struct tally t = {{0}};

	for (size_t i = 0; i < v->test_count; i++)
		if (v->test[i]->mark != NULL &&
		    strcmp(v->test[i]->mark, m->letter) == 0)
			t.count[v->test[i]->verdict]++;
	return t;
}

bool
view_has_marks(const struct view *v)
{
	for (size_t i = 0; i < v->test_count; i++)
		if (v->test[i]->mark != NULL)
			return true;
	return false;
}

const struct exchange *
view_exchange(const struct test_result *t)
{
	for (size_t i = 0; t->difference != NULL && i < t->step_count; i++)
		if (t->steps[i].n == t->difference->step)
			return &t->steps[i];
	return t->step_count > 0 ? &t->steps[t->step_count - 1] : NULL;
}

const char *
view_outcome(const struct results *r)
{
	switch (r->tail.exit) {
	case 0:
		return "conforms";
	case 1:
		return "does not conform";
	default:
		return "could not tell";
	}
}

/* --- files --------------------------------------------------------------- */

static const struct {
	const char *file;
	enum err (*render)(FILE *to, const struct results *r);
} reports[] = {
    {"results.tap", report_tap},
    {"junit.xml", report_junit},
    {"report.html", report_html},
};

static enum err
write_one(const char *dir, size_t n, const struct results *r, struct fault *f)
{
	struct buf path_text = {0}, part_text = {0};
	const char *path, *part;
	FILE *to = NULL;
	enum err rc = OK;

	buf_printf(&path_text, "%s/%s", dir, reports[n].file);
	buf_printf(&part_text, "%s/%s.part", dir, reports[n].file);
	path = buf_peek_text(&path_text);
	part = buf_peek_text(&part_text);
	to = fopen(part, "we");
	if (to == NULL)
		TRY(fault_say(f, ERR_OPEN, "%s: %s", part, strerror(errno)));
	TRY(reports[n].render(to, r));
	rc = fclose(to) == 0 ? OK : ERR_WRITE;
	to = NULL;
	if (rc != OK || rename(part, path) != 0)
		TRY(fault_say(f, ERR_WRITE, "%s: %s", path, strerror(errno)));
out:
	if (to != NULL)
		fclose(to);
	if (rc != OK)
		unlink(part);
	buf_clear(&path_text);
	buf_clear(&part_text);
	return rc;
}

enum err
report_write(const char *dir, const struct results *r, struct fault *f)
{
	enum err rc = OK;

	for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
		TRY(write_one(dir, i, r, f));
out:
	return rc;
}

int
command_report(int argc, char **argv)
{
	struct results *r = NULL;
	struct fault f = {""};
	struct buf path = {0};
	int code = EXIT_COULD_NOT_TELL;
	enum err rc = OK;

	if (argc != 2 || argv[1][0] == '-')
		return command_refuse("report", "one directory, please");
	buf_printf(&path, "%s/results.jsonl", argv[1]);
	TRY(results_read(buf_peek_text(&path), &r, &f));
	TRY(report_write(argv[1], r, &f));
	TRY(report_terminal(stdout, r, isatty(STDOUT_FILENO) == 1));
	code = r->tail.exit;
out:
	if (rc != OK)
		code = command_refuse(
		    "report", "%s", f.text[0] != '\0' ? f.text : err_text(rc));
	results_free(r);
	buf_clear(&path);
	return code;
}
