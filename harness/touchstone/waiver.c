#include "waiver.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "json.h"
#include "mem.h"

/* The words of a section; what is behind GOT is not empty. */
enum word { PATH, EXPECTED, GOT, REASON, LINK, EXPIRES, WORD_COUNT };

static const char *const words[WORD_COUNT] = {
    [PATH] = "path",
    [EXPECTED] = "expected",
    [GOT] = "got",
    [REASON] = "reason",
    [LINK] = "link",
    [EXPIRES] = "expires",
};

struct waivers {
	struct section {
		char *pattern, *file;
		char *value[WORD_COUNT];
		struct waiver waiver; /* points into the above */
	} * section;
	size_t count, room;
};

enum err
waivers_new(struct waivers **out)
{
	return MEM_NEW(*out);
}

void
waivers_free(struct waivers *ws)
{
	if (ws == NULL)
		return;
	for (size_t i = 0; i < ws->count; i++) {
		struct section *s = &ws->section[i];

		mem_free(s->pattern);
		mem_free(s->file);
		for (enum word w = 0; w < WORD_COUNT; w++)
			mem_free(s->value[w]);
	}
	mem_free(ws->section);
	mem_free(ws);
}

/* Cuts the blanks off both ends, in place. */
static char *
trimmed(char *text)
{
	char *end;

	while (isblank((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* A day that exists, written 2027-03-31. */
static bool
is_date(const char *text)
{
	struct tm day = {0}, same;
	const char *end = strptime(text, "%Y-%m-%d", &day);
	time_t t;

	if (strlen(text) != 10 || end == NULL || *end != '\0')
		return false;
	same = day;
	t = timegm(&same);
	return gmtime_r(&t, &same) != NULL && same.tm_mday == day.tm_mday;
}

static enum err
unquoted(const char *text, char **out, struct fault *f)
{
	struct js *list = NULL;
	char *json = NULL;
	enum err rc = OK;

	if (text[0] != '"')
		return MEM_STRDUP(*out, text);
	/* a list of one: the reader takes no bare string */
	TRY(MEM_ARRAY(json, strlen(text) + 3));
	json[0] = '[';
	memcpy(json + 1, text, strlen(text));
	json[strlen(text) + 1] = ']';
	TRY(js_parse(json, strlen(json), &list, f));
	if (js_count(list) != 1 || js_string_at(list, 0) == NULL)
		TRY(fault_say(f, ERR_SYNTAX, "text behind the string"));
	TRY(MEM_STRDUP(*out, js_string_at(list, 0)));
out:
	js_free(list);
	mem_free(json);
	return rc;
}

/* Nothing but its heading so far: it shares what the next one has. */
static bool
is_heading(const struct section *s)
{
	for (enum word i = 0; i < WORD_COUNT; i++)
		if (s->value[i] != NULL)
			return false;
	return true;
}

/* The words are those of `s`, which stays their owner. */
static void
section_fill(struct section *to, const struct section *s)
{
	struct waiver *w = &to->waiver;

	w->pattern = to->pattern;
	w->path = s->value[PATH];
	w->expected = s->value[EXPECTED];
	w->got = s->value[GOT];
	w->note.file = to->file;
	w->note.reason = s->value[REASON];
	w->note.link = s->value[LINK];
	w->note.expires = s->value[EXPIRES];
}

/* Is the section that was being read whole? */
static enum err
section_end(struct waivers *ws, size_t first, struct fault *f)
{
	struct section *s;

	if (ws->count == first)
		return OK;
	s = &ws->section[ws->count - 1];
	for (enum word i = 0; i < WORD_COUNT; i++)
		if (s->value[i] == NULL)
			return fault_say(f, ERR_SYNTAX, "[%s] has no `%s`",
			    s->pattern, words[i]);
	section_fill(s, s);
	for (size_t i = ws->count - 1;
	     i > first && is_heading(&ws->section[i - 1]); i--)
		section_fill(&ws->section[i - 1], s);
	return OK;
}

static enum err
section_begin(struct waivers *ws, const char *path, unsigned line, char *text,
    struct fault *f)
{
	char *end = strchr(text, ']');
	struct section *s;
	enum err rc = OK;

	if (end == NULL || end[1] != '\0' || end == text + 1)
		TRY(fault_say(f, ERR_SYNTAX, "a section is [TEST-ID-GLOB]"));
	*end = '\0';
	TRY(MEM_GROW(ws->section, &ws->room, ws->count + 1));
	s = &ws->section[ws->count];
	memset(s, 0, sizeof *s);
	ws->count++;
	s->waiver.note.line = line;
	TRY(MEM_STRDUP(s->pattern, trimmed(text + 1)));
	TRY(MEM_STRDUP(s->file, path));
out:
	return rc;
}

static enum err
section_word(struct section *s, char *text, struct fault *f)
{
	char *is = strchr(text, '=');
	const char *name;
	enum word w;
	enum err rc = OK;

	if (is == NULL)
		TRY(fault_say(
		    f, ERR_SYNTAX, "neither [SECTION] nor WORD = VALUE"));
	*is = '\0';
	name = trimmed(text);
	for (w = 0; w < WORD_COUNT && strcmp(name, words[w]) != 0; w++)
		;
	if (w == WORD_COUNT)
		TRY(fault_say(f, ERR_SYNTAX, "no such word: `%s`", name));
	if (s->value[w] != NULL)
		TRY(fault_say(f, ERR_SYNTAX, "`%s` stands twice", name));
	TRY(unquoted(trimmed(is + 1), &s->value[w], f));
	if (s->value[w][0] == '\0' && w > GOT)
		TRY(fault_say(f, ERR_SYNTAX, "`%s` is empty", name));
	if (w == EXPIRES && !is_date(s->value[w]))
		TRY(fault_say(f, ERR_SYNTAX, "`expires` is a day, 2027-03-31"));
out:
	return rc;
}

enum err
waivers_read(struct waivers *ws, const char *path, struct fault *f)
{
	const size_t first = ws->count;
	struct fault why = {""};
	FILE *from = NULL;
	char *line = NULL;
	size_t room = 0;
	unsigned n = 0;
	enum err rc = OK;

	from = fopen(path, "re");
	if (from == NULL)
		return fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno));
	while (getline(&line, &room, from) >= 0) {
		char *text = trimmed(line);

		n++;
		if (text[0] == '\0' || text[0] == '#')
			continue;
		if (text[0] == '[') {
			if (ws->count > first &&
			    !is_heading(&ws->section[ws->count - 1]))
				TRY(section_end(ws, first, &why));
			TRY(section_begin(ws, path, n, text, &why));
		} else if (ws->count == first) {
			TRY(fault_say(
			    &why, ERR_SYNTAX, "before any [SECTION]"));
		} else {
			TRY(section_word(
			    &ws->section[ws->count - 1], text, &why));
		}
	}
	if (ferror(from) != 0)
		TRY(fault_say(&why, ERR_READ, "%s", strerror(errno)));
	TRY(section_end(ws, first, &why));
out:
	if (why.text[0] != '\0')
		rc = fault_say(f, rc, "%s:%u: %s", path, n, why.text);
	mem_free(line);
	fclose(from);
	return rc;
}

const struct waiver *
waivers_at(const struct waivers *ws, size_t n)
{
	return ws != NULL && n < ws->count ? &ws->section[n].waiver : NULL;
}

static bool
names(const struct waiver *w, const char *id)
{
	return fnmatch(w->pattern, id, 0) == 0;
}

const struct waiver *
waiver_find(const struct waivers *ws, const char *id)
{
	for (size_t i = 0; ws != NULL && i < ws->count; i++)
		if (names(&ws->section[i].waiver, id))
			return &ws->section[i].waiver;
	return NULL;
}

/* A difference that lacks a part is written with an empty one. */
static bool
same(const char *waived, const char *found)
{
	return strcmp(waived, found != NULL ? found : "") == 0;
}

static bool
excuses(const struct waiver *w, const struct difference *d)
{
	return d != NULL && same(w->path, d->path) &&
	       same(w->expected, d->expected) && same(w->got, d->got);
}

/* Dates written 2027-03-31 compare as texts. */
static bool
expired(const struct waiver *w, time_t today)
{
	struct tm day;
	char text[16];

	if (gmtime_r(&today, &day) == NULL)
		return true;
	strftime(text, sizeof text, "%Y-%m-%d", &day);
	return strcmp(text, w->note.expires) > 0;
}

static const struct waiver *
find_excuse(const struct waivers *ws, const char *id,
    const struct difference *d, time_t today)
{
	const struct waiver *found = NULL;

	for (size_t i = 0; i < ws->count; i++) {
		const struct waiver *w = &ws->section[i].waiver;

		if (!names(w, id) || !excuses(w, d))
			continue;
		if (!expired(w, today))
			return w;
		if (found == NULL)
			found = w;
	}
	return found;
}

static void
mark(struct waivers *ws, const char *id)
{
	for (size_t i = 0; i < ws->count; i++)
		if (names(&ws->section[i].waiver, id))
			ws->section[i].waiver.judged = true;
}

enum verdict
waiver_judge(struct waivers *ws, const char *id, enum verdict earned,
    const struct difference *d, time_t today, const struct waiver_note **note,
    struct fault *why)
{
	const struct waiver *named = waiver_find(ws, id), *excuse;

	*note = NULL;
	why->text[0] = '\0';
	if (named == NULL || (earned != VERDICT_PASS && earned != VERDICT_FAIL))
		return earned;
	mark(ws, id);
	if (earned == VERDICT_PASS) {
		*note = &named->note;
		snprintf(why->text, sizeof why->text,
		    "passes, but %s:%u waives it", named->note.file,
		    named->note.line);
		return VERDICT_WAIVER_STALE;
	}
	excuse = find_excuse(ws, id, d, today);
	if (excuse == NULL) {
		snprintf(why->text, sizeof why->text,
		    "not the difference that %s:%u waives", named->note.file,
		    named->note.line);
		return VERDICT_FAIL;
	}
	*note = &excuse->note;
	if (!expired(excuse, today))
		return VERDICT_WAIVED;
	snprintf(why->text, sizeof why->text,
	    "the waiver at %s:%u expired on %s", excuse->note.file,
	    excuse->note.line, excuse->note.expires);
	return VERDICT_FAIL;
}

const struct waiver *
waiver_find_idle(const struct waivers *ws, size_t *n)
{
	for (; ws != NULL && *n < ws->count; (*n)++)
		if (!ws->section[*n].waiver.judged)
			return &ws->section[*n].waiver;
	return NULL;
}
