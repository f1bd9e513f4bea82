#include "case.h"

#include "check.h"
#include "file.h"
#include "form.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	struct arena *a;
	struct test_case *c;
	struct step **tail;
	struct step *open; /* has its request and waits for the response */
	unsigned client;
	bool repeat, from_server;
	struct fault f;
};

/* A line of the header comment. */
static void
header_line(struct reader *r, const char *line)
{
	static const struct {
		const char *key;
		size_t offset;
	} texts[] = {
	    {"id", offsetof(struct test_case, id)},
	    {"title", offsetof(struct test_case, title)},
	    {"family", offsetof(struct test_case, family)},
	    {"level", offsetof(struct test_case, level)},
	    {"after", offsetof(struct test_case, after)},
	};
	const char *colon = strchr(line, ':');
	const char *key, *value;

	if (colon == NULL)
		return;
	key = arena_printf(r->a, "%.*s", (int)(colon - line), line);
	value = text_trim(r->a, colon + 1);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(texts[i].key, key) == 0)
			*(const char **)(void *)((char *)r->c +
						 texts[i].offset) = value;
	if (strcmp(key, "clause") == 0)
		words_add(r->a, &r->c->clauses, value);
	if (strcmp(key, "needs") == 0)
		words_split(r->a, &r->c->needs, value);
}

/* "# [Client-B]", "# [REPEAT] until ...": what is said between messages. */
static void
directive(struct reader *r, const char *line)
{
	if (strncmp(line, "# ", 2) == 0)
		line += 2;
	if (strncmp(line, "[Client-", 8) == 0 && line[9] == ']') {
		if (line[8] >= 'A' && line[8] <= 'H')
			r->client = (unsigned)(line[8] - 'A');
	} else if (strncmp(line, "[REPEAT]", 8) == 0) {
		r->repeat = true;
	} else if (strncmp(line, "[Server-to-Client]", 18) == 0) {
		r->from_server = true;
	} else if (strncmp(line, "[Client-to-Server]", 18) == 0) {
		r->from_server = false;
	}
}

static void
read_words(struct reader *r, const char *text, bool is_comment)
{
	char *rest = arena_strdup(r->a, text), *line;
	bool is_header =
	    is_comment && strncmp(text_trim(r->a, text), "id:", 3) == 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		line = text_trim(r->a, line);
		if (is_header)
			header_line(r, line);
		else
			directive(r, line);
	}
}

/* A value without a name is there to be refused: nobody claims it. */
static void
note_value(uint32_t *list, unsigned *count, unsigned room, const struct node *n)
{
	uint32_t value = n->value == NULL ? 0 : (uint32_t)node_number(n);

	if (schema_value(n->tag, value) == NULL)
		return;
	for (unsigned i = 0; i < *count; i++)
		if (list[i] == value)
			return;
	if (*count < room)
		list[(*count)++] = value;
}

static void
note_needs(struct reader *r, const struct node *n)
{
	struct test_case *c = r->c;

	if (n->tag == TAG_OPERATION)
		note_value(c->operations, &c->operation_count, 32, n);
	if (n->tag == TAG_OBJECT_TYPE)
		note_value(c->objects, &c->object_count, 16, n);
	if (n->tag == TAG_AUTHENTICATION &&
	    !words_have(&c->needs, "credentials"))
		words_add(r->a, &c->needs, "credentials");
	for (const struct node *k = n->first; k != NULL; k = k->next)
		note_needs(r, k);
}

/*
 * The version in a message's header, before the message is read: a case of a
 * version to come may have items of types to come.
 */
static unsigned
peek_version(const struct element *e, unsigned version)
{
	for (; e != NULL; e = e->next) {
		const char *value;

		if (e->kind != ELEMENT_TAG)
			continue;
		value = xml_attribute(e, "value");
		if (value != NULL &&
		    strcmp(e->name, "ProtocolVersionMajor") == 0)
			version = (unsigned)atoi(value) << 4 & 0xf0;
		if (value != NULL &&
		    strcmp(e->name, "ProtocolVersionMinor") == 0)
			return version | ((unsigned)atoi(value) & 15);
		if (strcmp(e->name, "BatchItem") != 0)
			version = peek_version(e->first, version);
	}
	return version;
}

static enum err
read_request(struct reader *r, const struct element *e)
{
	struct step *s = ARENA_NEW(r->a, struct step);
	enum err rc = OK;

	if (r->open != NULL)
		return fault_say(&r->f, ERR_SYNTAX,
		    "line %u: a request before the answer to the last one",
		    e->line);
	if (r->c->steps == NULL &&
	    peek_version(e->first, VERSION_NONE) != VERSION_NONE)
		r->c->version = peek_version(e->first, VERSION_NONE);
	TRY(form_read(r->a, e, false, &s->request, &r->f));
	s->n = ++r->c->step_count;
	s->client = r->client;
	s->repeat = r->repeat;
	s->from_server = r->from_server;
	r->repeat = false;
	*r->tail = r->open = s;
	r->tail = &s->next;
	note_needs(r, s->request);
	if (s->client >= r->c->clients)
		r->c->clients = s->client + 1;
	if (s->from_server && !words_have(&r->c->needs, "server-to-client"))
		words_add(r->a, &r->c->needs, "server-to-client");
out:
	return rc;
}

static enum err
read_message(struct reader *r, const struct element *e)
{
	struct step *s = r->open;

	if (strcmp(e->name, "RequestMessage") == 0)
		return read_request(r, e);
	if (strcmp(e->name, "ResponseMessage") != 0)
		return fault_say(&r->f, ERR_SYNTAX,
		    "line %u: <%s> is no message", e->line, e->name);
	if (s == NULL)
		return fault_say(&r->f, ERR_SYNTAX,
		    "line %u: an answer to no request", e->line);
	r->open = NULL;
	return form_read(r->a, e, true, &s->response, &r->f);
}

/*
 * Where the subject ends that a committee note's case is about: "TC-WRAP" of
 * "TC-WRAP-3-14", "TC_141" of "TC_141_11_Key_Wrapping...".
 */
static const char *
subject_end(const char *stem)
{
	const char *p = stem + 2;

	if (*p == '_')
		return p + 1 + strcspn(p + 1, "_");
	while (*p != 0 && !(p[0] == '-' && p[1] >= '0' && p[1] <= '9'))
		p++;
	return p;
}

/* "mandatory/SKLC-M-1-12.xml" -> family "SKLC-M", level "mandatory". */
static void
name_case(struct reader *r, const char *root, const char *path)
{
	const char *base = strrchr(root, '/');
	const char *slash = strrchr(path, '/');
	const char *stem = slash == NULL ? path : slash + 1;
	const char *mark = NULL;
	size_t octets = strlen(path);

	base = base == NULL ? root : base + 1;
	if (octets > 4 && strcmp(path + octets - 4, ".xml") == 0)
		octets -= 4;
	r->c->id = arena_printf(r->a, "%s/%.*s", base, (int)octets, path);
	r->c->title = arena_printf(r->a, "%.*s", (int)strcspn(stem, "."), stem);
	r->c->level = "must";
	/* should the file not even say so itself */
	r->c->version = version_parse(
	    arena_printf(r->a, "%.*s", (int)strcspn(path, "/"), path));
	r->c->family = slash == NULL ? base
				     : arena_printf(r->a, "%.*s",
					   (int)(slash - path), path);
	/* an OASIS name: the subject up to M(andatory) or O(ptional) */
	for (const char *p = stem; *p != 0 && mark == NULL; p++)
		if (strncmp(p, "-M-", 3) == 0 || strncmp(p, "-O-", 3) == 0)
			mark = p + 2;
	if (mark == NULL && strncmp(stem, "TC", 2) == 0)
		mark = subject_end(stem);
	if (mark == NULL)
		return;
	r->c->family = arena_printf(r->a, "%.*s", (int)(mark - stem), stem);
	if (slash != NULL) {
		const char *from = slash;

		while (from > path && from[-1] != '/')
			from--;
		r->c->level =
		    arena_printf(r->a, "%.*s", (int)(slash - from), from);
	}
}

/*
 * Cases that go on where another ended.
 *
 * Source: what the cases themselves say, see vectors/README.md
 */
static void
name_predecessor(struct reader *r)
{
	static const struct {
		const char *stem, *after;
	} pairs[] = {
	    {"SASED-M-3-", "SASED-M-2-"},
	    {"TL-M-3-", "TL-M-2-"},
	    {"TC-CREG-2-", "TC-CREG-1-"},
	    {"TC-CREG-3-", "TC-CREG-2-"},
	    {"TC-OTP-1-", "TC-OTP-SETUP-1-"},
	    {"TC-OTP-2-", "TC-OTP-1-"},
	    {"TC-OTP-3-", "TC-OTP-2-"},
	    {"TC-OTP-4-", "TC-OTP-3-"},
	    {"TC-OTP-5-", "TC-OTP-4-"},
	    {"TC-OTP-CLEANUP-1-", "TC-OTP-5-"},
	};
	const char *slash = strrchr(r->c->id, '/');
	const char *stem = slash == NULL ? r->c->id : slash + 1;

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		size_t octets = strlen(pairs[i].stem);

		if (strncmp(stem, pairs[i].stem, octets) == 0)
			r->c->after = arena_printf(r->a, "%.*s%s%s",
			    (int)(stem - r->c->id), r->c->id, pairs[i].after,
			    stem + octets);
	}
}

static void
name_features(struct reader *r)
{
	static const struct {
		const char *glob, *feature;
	} rows[] = {
	    {"*/MSGENC-HTTPS-*", "https"},
	    {"*/MSGENC-JSON-*", "json"},
	    {"*/MSGENC-XML-*", "xml"},
	    {"*/SUITEB_*", "suite-b"},
	    {"*/TC_32_*", "asynchronous"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (text_matches(rows[i].glob, r->c->id) &&
		    !words_have(&r->c->needs, rows[i].feature))
			words_add(r->a, &r->c->needs, rows[i].feature);
}

static enum err
read_case(struct reader *r, struct bytes text)
{
	struct element *top, *root;
	enum err rc = OK;

	TRY(xml_read(r->a, text, &top, &r->f));
	root = xml_root(top);
	for (struct element *e = top; e != NULL; e = e->next)
		if (e->kind == ELEMENT_COMMENT)
			read_words(r, e->text, true);
	if (root == NULL || (strcmp(root->name, "KMIP") != 0 &&
				strcmp(root->name, "KmipTestCase") != 0))
		return fault_say(&r->f, ERR_SYNTAX,
		    "the root is neither <KMIP> nor <KmipTestCase>");
	for (struct element *e = root->first; e != NULL; e = e->next) {
		if (e->kind == ELEMENT_TAG)
			TRY(read_message(r, e));
		else
			read_words(r, e->text, e->kind == ELEMENT_COMMENT);
	}
	if (r->open != NULL || r->c->steps == NULL)
		rc = fault_say(&r->f, ERR_SYNTAX, "%s",
		    r->open != NULL ? "the last request has no answer"
				    : "no messages");
out:
	return rc;
}

struct test_case *
case_parse(
    struct arena *a, const char *root, const char *path, struct bytes text)
{
	struct reader r = {.a = a, .c = ARENA_NEW(a, struct test_case)};

	r.tail = &r.c->steps;
	r.c->path = arena_printf(a, "%s/%s", root, path);
	name_case(&r, root, path);
	name_predecessor(&r);
	name_features(&r);
	if (read_case(&r, text) != OK)
		r.c->broken = arena_strdup(a, r.f.text);
	return r.c;
}

struct test_case *
case_read(struct arena *a, const char *root, const char *path)
{
	struct buf text = {0};
	struct test_case *c;
	struct fault f = {""};
	char *name = arena_printf(a, "%s/%s", root, path);

	if (file_read(name, XML_MAX_OCTETS, &text, &f) == OK) {
		c = case_parse(a, root, path,
		    (struct bytes){
			arena_copy(a, buf_peek(&text)), text.octets});
	} else {
		c = case_parse(a, root, path, BYTES_NONE);
		c->broken = arena_strdup(a, f.text);
	}
	buf_clear(&text);
	return c;
}
