#include "claims.h"

#include "check.h"
#include "message.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <string.h>

/* What one of these tests asks. */
struct claim {
	unsigned version;
	uint32_t function; /* of Query; 0: Discover Versions */
	uint32_t tag;      /* of the answer's items */
	const char *what;
};

static const char *
unclaimed(struct arena *a, const struct test *t, const struct target *target)
{
	const struct claim *c = t->own;

	(void)a;
	if (c->function == 0 &&
	    !target_claims_operation(target, OPERATION_DISCOVER_VERSIONS))
		return "operation DiscoverVersions";
	if (c->function != 0 &&
	    !target_claims_operation(target, OPERATION_QUERY))
		return "operation Query";
	return NULL;
}

/* Send the claim's question; the payload of a well-formed, good answer. */
static const struct node *
ask(struct arena *a, const struct claim *c, const struct bench *b,
    struct outcome *o)
{
	static const uint32_t path[] = {
	    TAG_BATCH_ITEM, TAG_RESPONSE_PAYLOAD, 0};
	struct node *m = message_new(a, c->version), *p, *answer;
	struct fault why = {""};
	enum err rc;

	p = message_item(a, m,
	    c->function == 0 ? OPERATION_DISCOVER_VERSIONS : OPERATION_QUERY);
	if (c->function != 0)
		put_enum(a, p, TAG_QUERY_FUNCTION, c->function);
	o->step = 1;
	rc = wire_ask(o->wire, 1, 0, m, &answer, &o->finding, &why);
	if (rc == ERR_CONNECT || rc == ERR_HANDSHAKE) {
		outcome_unknown(a, o, why.text);
		return NULL;
	}
	if (rc == OK)
		rc = check_tree(answer, c->version, &o->finding);
	if (rc == OK) {
		p = node_find_path(answer, path);
		if (p != NULL)
			return p;
		rc = finding_at(&o->finding, ERR_MISSING, answer);
		finding_expected(&o->finding, "a Response Payload");
		finding_got(&o->finding, "(absent)");
	}
	outcome_fail(a, b, o, why.text[0] == 0 ? err_text(rc) : why.text);
	return NULL;
}

/* What the answer's item says, in the words of the target file. */
static const char *
said(struct arena *a, const struct claim *c, const struct node *n)
{
	if (c->function == 0)
		return arena_printf(a, "%lld.%lld",
		    (long long)node_number(n->first),
		    (long long)node_number(n->first->next));
	return schema_value_name(c->tag, (uint32_t)node_number(n));
}

static const struct words *
claimed_words(const struct claim *c, const struct target *t)
{
	if (c->function == 0)
		return &t->versions;
	return c->tag == TAG_OPERATION ? &t->operations : &t->objects;
}

static bool
is_in_version(const struct claim *c, const char *word)
{
	const struct value_row *row;

	if (c->function == 0)
		return true;
	row = schema_value_by_xml(c->tag, word);
	return row != NULL && schema_alive(row->since, row->until, c->version);
}

/* An operation that a server sends to a client is no server's to answer. */
static bool
is_servers_own(const struct claim *c, const char *word)
{
	return c->tag == TAG_OPERATION &&
	       (strcmp(word, "Notify") == 0 || strcmp(word, "Put") == 0);
}

static void
contradict(struct arena *a, const struct bench *b, struct outcome *o,
    const struct node *at, const char *expected, const char *got,
    const char *why)
{
	(void)!finding_at(&o->finding,
	    strcmp(got, "(absent)") == 0 ? ERR_MISSING : ERR_SURPLUS, at);
	finding_expected(&o->finding, "%s", expected);
	finding_got(&o->finding, "%s", got);
	outcome_fail(a, b, o, why);
}

static void
run(struct arena *a, const struct test *t, const struct bench *b,
    struct outcome *o)
{
	const struct claim *c = t->own;
	const struct words *claimed = claimed_words(c, b->target);
	const struct node *payload = ask(a, c, b, o);
	struct words have = {0};

	if (payload == NULL)
		return;
	o->verdict = VERDICT_PASS;
	for (const struct node *n = payload->first; n != NULL; n = n->next) {
		const char *word;

		if (n->tag != c->tag)
			continue;
		word = arena_strdup(a, said(a, c, n));
		words_add(a, &have, word);
		if (words_have(claimed, word) || is_servers_own(c, word))
			continue;
		contradict(a, b, o, n, "(absent)", word,
		    arena_printf(a,
			"the server says %s %s and the target "
			"file does not claim it",
			c->what, word));
		return;
	}
	for (size_t i = 0; i < claimed->count; i++) {
		const char *word = claimed->at[i];

		if (words_have(&have, word) || !is_in_version(c, word))
			continue;
		contradict(a, b, o, payload, word, "(absent)",
		    arena_printf(a,
			"the target file claims %s %s and the "
			"server does not say it",
			c->what, word));
		return;
	}
}

static void
add(struct arena *a, struct tests *list, const char *id, struct claim claim,
    const char *clause)
{
	struct test *t = ARENA_NEW(a, struct test);
	struct claim *c = ARENA_NEW(a, struct claim);

	*c = claim;
	t->id = id;
	t->family = "claims";
	t->version = arena_strdup(a, version_name(c->version));
	t->level = "must";
	t->title = arena_printf(a,
	    "%s: what the server says is what the "
	    "target file claims",
	    c->what);
	words_add(a, &t->clauses, clause);
	t->unclaimed = unclaimed;
	t->run = run;
	t->own = c;
	tests_add(list, t);
}

void
claims_add(struct arena *a, const struct target *t, struct tests *list)
{
	unsigned newest = 0;

	for (int i = 0; i < VERSIONS; i++) {
		unsigned v = version_at(i);
		const char *name, *spec;

		if (!target_claims_version(t, v))
			continue;
		newest = v;
		name = arena_strdup(a, version_name(v));
		spec = arena_printf(a, "kmip-%s %s", name,

		    v == 0x21   ? "6.1.40"
		    : v == 0x20 ? "6.1.37"
		    : v == 0x10 ? "4.24"
				: "4.25");
		add(a, list, arena_printf(a, "claims/operations/%s", name),
		    (struct claim){v, QUERY_FUNCTION_QUERY_OPERATIONS,
			TAG_OPERATION, "operation"},
		    spec);
		add(a, list, arena_printf(a, "claims/objects/%s", name),
		    (struct claim){v, QUERY_FUNCTION_QUERY_OBJECTS,
			TAG_OBJECT_TYPE, "object type"},
		    spec);
	}
	if (newest >= 0x11)
		add(a, list, "claims/versions",
		    (struct claim){newest, 0, TAG_PROTOCOL_VERSION, "version"},
		    "kmip-1.4 4.26");
}
