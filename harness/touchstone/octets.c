#include "octets.h"

#include "check.h"
#include "file.h"
#include "hex.h"
#include "hostile.h"
#include "schema.h"
#include "touchstone_tags.h"
#include "ttlv.h"

#include <ctype.h>
#include <string.h>

#define VECTOR_MAX_OCTETS ((size_t)4 << 20)

const char *
octets_judge(struct arena *a, struct bytes octets)
{
	struct finding f;
	struct node *n;
	unsigned version;
	char *word;

	if (ttlv_decode(a, octets, &n, &f) == OK &&
	    (n->tag == TAG_REQUEST_MESSAGE || n->tag == TAG_RESPONSE_MESSAGE)) {
		version = check_version_of(n);
		if (version_index(version) < 0)
			version = version_at(VERSIONS - 1);
		(void)!check_tree(n, version, &f);
	}
	if (f.kind == OK)
		return "accept";
	word = arena_strdup(a, err_name(f.kind) + strlen("ERR_"));
	for (char *p = word; *p != 0; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	return word;
}

static void
header_line(struct arena *a, struct octets_vector *v, const char *line)
{
	const char *colon = strchr(line, ':');
	const char *key, *value;

	if (colon == NULL) {
		v->broken = arena_printf(a, "`%s` is not key: value", line);
		return;
	}
	key = arena_printf(a, "%.*s", (int)(colon - line), line);
	value = text_trim(a, colon + 1);
	if (strcmp(key, "id") == 0)
		v->id = value;
	else if (strcmp(key, "clause") == 0)
		words_add(a, &v->clauses, value);
	else if (strcmp(key, "expect") == 0)
		v->expect = value;
	else if (strcmp(key, "comment") == 0)
		v->comment = v->comment == NULL
				 ? value
				 : arena_printf(a, "%s %s", v->comment, value);
	else if (strcmp(key, "level") == 0)
		v->level = value;
	else
		v->broken = arena_printf(a, "no key `%s`", key);
}

static bool
is_kind(struct arena *a, const char *word)
{
	char *name = arena_printf(a, "ERR_%s", word);

	if (strcmp(word, "accept") == 0)
		return true;
	for (char *p = name + 4; *p != 0; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	for (int rc = OK + 1; rc < ERR_COUNT; rc++)
		if (strcmp(err_name((enum err)rc), name) == 0)
			return true;
	return false;
}

static void
parse(struct arena *a, struct octets_vector *v, struct bytes text)
{
	char *rest = (char *)arena_copy(a, text), *line;
	struct buf octets = {0};
	struct fault f = {""};

	while ((line = strsep(&rest, "\n")) != NULL && *line != 0)
		if (*line != '#')
			header_line(a, v, line);
	if (v->broken == NULL &&
	    (v->expect == NULL || v->comment == NULL || v->clauses.count == 0))
		v->broken = "expect, comment or clause is not there";
	else if (v->broken == NULL && !is_kind(a, v->expect))
		v->broken = arena_printf(a, "expect: no kind `%s`", v->expect);
	if (rest == NULL)
		rest = arena_strdup(a, "");
	if (hex_read(bytes_of_text(rest), &octets, &f) != OK)
		v->broken = arena_strdup(a, f.text);
	v->octets =
	    (struct bytes){arena_copy(a, buf_peek(&octets)), octets.octets};
	buf_clear(&octets);
}

struct octets_vector *
octets_parse(
    struct arena *a, const char *root, const char *path, struct bytes text)
{
	struct octets_vector *v = ARENA_NEW(a, struct octets_vector);
	const char *base = strrchr(root, '/');
	size_t octets = strlen(path);

	base = base == NULL ? root : base + 1;
	if (octets > 5 && strcmp(path + octets - 5, ".ttlv") == 0)
		octets -= 5;
	v->path = arena_printf(a, "%s/%s", root, path);
	v->id = arena_printf(a, "%s/%.*s", base, (int)octets, path);
	v->level = "must";
	parse(a, v, text);
	return v;
}

struct octets_vector *
octets_read(struct arena *a, const char *root, const char *path)
{
	struct buf text = {0};
	struct octets_vector *v;
	struct fault f = {""};
	enum err rc;

	rc = file_read(
	    arena_printf(a, "%s/%s", root, path), VECTOR_MAX_OCTETS, &text, &f);
	v = octets_parse(a, root, path, buf_peek(&text));
	if (rc != OK)
		v->broken = arena_strdup(a, f.text);
	buf_clear(&text);
	return v;
}

static const char *
unclaimed(struct arena *a, const struct test *t, const struct target *target)
{
	(void)a;
	(void)t;
	if (target->port == 0)
		return "KMIP";
	return target_claims_family(target, "ttlv") ? NULL : "family ttlv";
}

/* What can be asked of a server that gets these octets? */
static enum hostile_want
wanted(struct arena *a, const struct octets_vector *v)
{
	bool is_whole = strcmp(v->expect, "accept") == 0;
	struct bytes message = v->octets;
	struct finding f;
	struct node *n;
	enum err rc = ttlv_decode(a, message, &n, &f);

	/* what stands behind a message is the next one */
	if (rc == ERR_TRAILING) {
		is_whole = true;
		message.octets = f.offset;
		rc = ttlv_decode(a, message, &n, &f);
	}
	if (rc == OK && is_whole && n->tag == TAG_REQUEST_MESSAGE)
		return HOSTILE_ANSWER;
	return HOSTILE_REFUSAL;
}

static void
run(struct arena *a, const struct test *t, const struct bench *b,
    struct outcome *o)
{
	const struct octets_vector *v = t->own;
	const char *said;

	if (v->broken != NULL) {
		outcome_unknown(
		    a, o, arena_printf(a, "%s: %s", v->path, v->broken));
		return;
	}
	said = octets_judge(a, v->octets);
	if (strcmp(said, v->expect) != 0) {
		outcome_unknown(a, o,
		    arena_printf(a, "our own codec: expected %s, got %s",
			v->expect, said));
		return;
	}
	if (hostile_send(a, b, o, 1, v->octets, 0, wanted(a, v)))
		o->verdict = VERDICT_PASS;
}

struct test *
octets_test(struct arena *a, const struct octets_vector *v)
{
	struct test *t = ARENA_NEW(a, struct test);

	t->id = v->id;
	t->family = "ttlv";
	t->version = "any";
	t->level = v->level;
	t->title = v->comment;
	t->clauses = v->clauses;
	t->unclaimed = unclaimed;
	t->run = run;
	t->own = v;
	return t;
}
