#include "nae_case.h"

#include "file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CASE_MAX_OCTETS    ((size_t)1 << 20)
#define CASE_MAX_VARIABLES 64

static const char *const requests[] = {
#define NAE_REQUEST(name, section) name,
#include "nae_request.def"
#undef NAE_REQUEST
};

static const char *const algorithms[] = {
#define NAE_ALGORITHM(name) name,
#include "nae_algorithm.def"
#undef NAE_ALGORITHM
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static bool
is_one_of(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

bool
nae_is_request(const char *word)
{
	return is_one_of(requests, COUNT(requests), word);
}

bool
nae_is_algorithm(const char *word)
{
	return is_one_of(algorithms, COUNT(algorithms), word);
}

/* --- the file ------------------------------------------------------------ */

struct parser {
	struct arena *a;
	const char *root;
	struct nae_case *c;
	struct nae_step *step, **tail;
	struct buf body;        /* of the step, joined */
	unsigned line, current; /* connection */
};

static void
broken(struct parser *p, const char *why, const char *what)
{
	if (p->c->broken == NULL)
		p->c->broken =
		    arena_printf(p->a, "line %u: %s `%s`", p->line, why, what);
}

static void
header_line(struct parser *p, const char *line)
{
	struct nae_case *c = p->c;
	const struct {
		const char *key;
		const char **text;
		struct words *words;
	} keys[] = {{"id", &c->id, NULL}, {"title", &c->title, NULL},
	    {"clause", NULL, &c->clauses}, {"level", &c->level, NULL},
	    {"mark", &c->mark, NULL}, {"twin", &c->twin, NULL},
	    {"after", &c->after, NULL}, {"family", &c->family, NULL},
	    {"needs", NULL, &c->needs}, {"version", NULL, &c->versions}};
	size_t octets = strcspn(line, ":");
	const char *value;

	for (size_t i = 0; line[octets] != 0 && i < COUNT(keys); i++) {
		if (strlen(keys[i].key) != octets ||
		    memcmp(keys[i].key, line, octets) != 0)
			continue;
		value = text_trim(p->a, line + octets + 1);
		if (keys[i].text != NULL)
			*keys[i].text = value;
		else
			words_add(p->a, keys[i].words, value);
		return;
	}
	broken(p, "no header", line);
}

/* The body of the step before is complete. */
static void
end_step(struct parser *p)
{
	struct nae_step *s = p->step;
	bool has_body = p->body.octets > 0;
	struct fault f = {""};

	if (s == NULL)
		return;
	if (has_body != (s->act == NAE_SEND || s->act == NAE_EXPECT)) {
		p->line = s->line;
		broken(
		    p, has_body ? "a body below" : "no body below", "the step");
	} else if (has_body &&
		   nae_body_read(p->a,
		       arena_strdup(p->a, buf_peek_text(&p->body)), p->root,
		       s->act == NAE_SEND, &s->body, &f) != OK) {
		p->line = s->line;
		broken(p, f.text, "in the body");
	}
	buf_clear(&p->body);
	p->step = NULL;
}

/* A name of a connection; a new one when it is connected. */
static unsigned
connection_of(struct parser *p, const char *name, bool is_new)
{
	struct nae_case *c = p->c;

	for (unsigned i = 0; i < c->connection_count; i++)
		if (strcmp(c->connections[i], name) == 0)
			return i;
	if (!is_new || c->connection_count == NAE_MAX_CONNECTIONS) {
		broken(p, "no connection", name);
		return 0;
	}
	c->connections[c->connection_count] = name;
	return c->connection_count++;
}

/* `as A`, `as $USER with PASSWORD`. */
static void
take_user(struct parser *p, struct nae_step *s, char **rest)
{
	const char *word;

	s->user = strsep(rest, " ");
	if (s->user == NULL) {
		broken(p, "nobody behind", "as");
		return;
	}
	if (s->user[0] != '$') {
		if (!words_have(&p->c->users, s->user))
			words_add(p->a, &p->c->users, s->user);
		return;
	}
	word = strsep(rest, " ");
	s->password = strsep(rest, " ");
	if (word == NULL || strcmp(word, "with") != 0 || s->password == NULL)
		broken(p, "no `with PASSWORD` behind", s->user);
}

static void
take_words(struct parser *p, struct nae_step *s, char *rest)
{
	const char *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == 0)
			continue;
		if (s->act == NAE_CONNECT && strcmp(word, "as") == 0) {
			take_user(p, s, &rest);
		} else if (s->act == NAE_SEND && strcmp(word, "split") == 0) {
			word = strsep(&rest, " ");
			s->split_octets =
			    word == NULL ? 0 : strtoul(word, NULL, 10);
			if (s->split_octets == 0)
				broken(p, "no number behind", "split");
		} else {
			p->current =
			    connection_of(p, word, s->act == NAE_CONNECT);
		}
	}
}

static void
step_line(struct parser *p, const char *line)
{
	static const char *const acts[] = {[NAE_CONNECT] = "connect",
	    [NAE_SEND] = "send",
	    [NAE_EXPECT] = "expect",
	    [NAE_CLOSED] = "closed",
	    [NAE_QUIET] = "quiet",
	    [NAE_CLOSE] = "close"};
	char *rest = arena_strdup(p->a, line);
	const char *word = strsep(&rest, " ");
	struct nae_step *s = ARENA_NEW(p->a, struct nae_step);
	size_t act = 0;

	end_step(p);
	while (act < COUNT(acts) && strcmp(acts[act], word) != 0)
		act++;
	if (act == COUNT(acts)) {
		broken(p, "no step", word);
		return;
	}
	s->act = (enum nae_act)act;
	s->line = p->line;
	s->n = ++p->c->step_count;
	if (p->c->connection_count == 0) {
		if (s->act != NAE_CONNECT)
			broken(p, "no connection for", line);
		if (rest == NULL || strncmp(rest, "as ", 3) == 0)
			(void)connection_of(p, "1", true);
	}
	take_words(p, s, rest);
	s->connection = p->current;
	*p->tail = s;
	p->tail = &s->next;
	p->step = s;
}

/* Joined as it is; within braces with a blank. */
static void
body_line(struct parser *p, const char *line)
{
	const char *before = buf_peek_text(&p->body);
	const char *open = strrchr(before, '{'), *close = strrchr(before, '}');

	if (open != NULL && (close == NULL || close < open))
		buf_text(&p->body, " ");
	buf_text(&p->body, line);
}

static void
read_lines(struct parser *p, struct bytes text)
{
	char *rest = (char *)arena_copy(p->a, text), *line;
	bool in_header = true;

	while ((line = strsep(&rest, "\n")) != NULL) {
		bool is_inner = *line == ' ' || *line == '\t';

		p->line++;
		if (*line == '#')
			continue;
		line = text_trim(p->a, line);
		if (*line == 0)
			in_header = false;
		else if (in_header)
			header_line(p, line);
		else if (!is_inner)
			step_line(p, line);
		else if (p->step == NULL)
			broken(p, "no step above", line);
		else
			body_line(p, line);
	}
	end_step(p);
}

/* --- what it takes ------------------------------------------------------- */

static void
note(struct arena *a, struct words *w, const char *word)
{
	if (!words_have(w, word))
		words_add(a, w, word);
}

/* <NameRequest>, <Algorithm>NAME< in the text that is sent. */
static void
note_text(struct arena *a, struct nae_case *c, const char *text)
{
	static const char end[] = "Request", algorithm[] = "Algorithm>";

	for (const char *t = strchr(text, '<'); t != NULL;
	     t = strchr(t + 1, '<')) {
		size_t octets = strcspn(t + 1, "> /<");
		const char *name = arena_printf(a, "%.*s", (int)octets, t + 1);
		const char *word;

		if (strncmp(t + 1, algorithm, strlen(algorithm)) == 0) {
			t += strlen(algorithm);
			word = arena_printf(
			    a, "%.*s", (int)strcspn(t + 1, "<"), t + 1);
			if (nae_is_algorithm(word))
				note(a, &c->algorithms, word);
		} else if (octets > strlen(end) &&
			   strcmp(name + octets - strlen(end), end) == 0) {
			word = arena_printf(
			    a, "%.*s", (int)(octets - strlen(end)), name);
			if (nae_is_request(word))
				note(a, &c->requests, word);
		}
	}
}

static bool
ends_with(const char *text, const char *end)
{
	size_t octets = strlen(text);

	return octets >= strlen(end) &&
	       strcmp(text + octets - strlen(end), end) == 0;
}

static void
note_send(struct arena *a, struct nae_case *c, const struct nae_piece *p)
{
	static const char user[] = "USER_";
	const char *before = "";

	for (; p != NULL; p = p->next) {
		if (p->kind == PIECE_LITERAL) {
			note_text(a, c, p->source);
			before = p->source;
		} else if (p->kind == PIECE_VARIABLE &&
			   strncmp(p->name, user, strlen(user)) == 0) {
			note(a, &c->users, p->name + strlen(user));
		} else if (p->kind == PIECE_VARIABLE) {
			if (ends_with(before, "KeyName>"))
				note(a, &c->made_keys, p->name);
			else if (ends_with(before, "<User>"))
				note(a, &c->made_users, p->name);
			else if (ends_with(before, "<Group>"))
				note(a, &c->made_groups, p->name);
			before = "";
		}
	}
}

static bool
tells_of_failure(const struct nae_piece *p)
{
	for (; p != NULL; p = p->next)
		if (p->kind == PIECE_LITERAL &&
		    (strstr(p->source, "<Success>false") != NULL ||
			strstr(p->source, "<Verified>false") != NULL))
			return true;
	return false;
}

static void
note_steps(struct arena *a, struct nae_case *c)
{
	for (const struct nae_step *s = c->steps; s != NULL; s = s->next) {
		if (s->act == NAE_SEND)
			note_send(a, c, s->body);
		if (s->user != NULL)
			note(a, &c->requests, "Auth");
		if (s->act == NAE_CLOSED ||
		    (s->act == NAE_EXPECT && tells_of_failure(s->body)))
			c->is_refusal = true;
	}
}

static void
check(struct parser *p)
{
	struct nae_case *c = p->c;

	p->line = 1;
	if (c->title == NULL || c->clauses.count == 0 || c->mark == NULL)
		broken(p, "not there:", "title, clause or mark");
	else if (strlen(c->mark) != 1 || strchr("FIC", *c->mark) == NULL)
		broken(p, "mark is F, I or C, not", c->mark);
	if (c->steps == NULL)
		broken(p, "not there:", "steps");
	note_steps(p->a, c);
	if (c->made_keys.count + c->made_users.count + c->made_groups.count >
	    CASE_MAX_VARIABLES)
		broken(p, "too many", "variables");
}

/* The folder of the file; the directory of the vectors when there is none. */
static const char *
family_of(struct arena *a, const char *root, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = strrchr(root, '/');
	char *folder;

	base = base == NULL ? root : base + 1;
	if (slash == NULL)
		return base;
	folder = arena_printf(a, "%.*s", (int)(slash - path), path);
	return arena_printf(a, "%s-%s", base,
	    strrchr(folder, '/') == NULL ? folder : strrchr(folder, '/') + 1);
}

struct nae_case *
nae_case_parse(
    struct arena *a, const char *root, const char *path, struct bytes text)
{
	struct nae_case *c = ARENA_NEW(a, struct nae_case);
	struct parser p = {.a = a, .root = root, .c = c, .tail = &c->steps};
	const char *base = strrchr(root, '/');
	size_t octets = strlen(path);

	if (ends_with(path, ".nae"))
		octets -= strlen(".nae");
	c->path = arena_printf(a, "%s/%s", root, path);
	c->id = arena_printf(
	    a, "%s/%.*s", base == NULL ? root : base + 1, (int)octets, path);
	c->level = "must";
	c->family = family_of(a, root, path);
	if (memchr(text.at, 0, text.octets) != NULL)
		broken(&p, "a NUL octet in", path);
	else
		read_lines(&p, text);
	check(&p);
	if (c->title == NULL)
		c->title = c->id;
	buf_clear(&p.body);
	return c;
}

struct nae_case *
nae_case_read(struct arena *a, const char *root, const char *path)
{
	struct buf text = {0};
	struct nae_case *c;
	struct fault f = {""};
	enum err rc;

	rc = file_read(
	    arena_printf(a, "%s/%s", root, path), CASE_MAX_OCTETS, &text, &f);
	(void)buf_reserve(&text, 1); /* even an empty file has an address */
	c = nae_case_parse(a, root, path, buf_peek(&text));
	if (rc != OK)
		c->broken = arena_strdup(a, f.text);
	buf_clear(&text);
	return c;
}
