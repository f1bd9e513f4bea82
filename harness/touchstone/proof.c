#include "proof.h"

#include "schema.h"
#include "touchstone_tags.h"

static void
add(struct arena *a, struct proof *p, const char *what, const char *word)
{
	const char *text = arena_printf(a, "%s %s", what, word);

	if (!words_have(&p->words, text))
		words_add(a, &p->words, text);
}

void
proof_add(struct arena *a, struct proof *p, const struct test_case *c)
{
	add(a, p, "KMIP", version_name(c->version));
	for (unsigned i = 0; i < c->operation_count; i++)
		add(a, p, "operation",
		    schema_value_name(TAG_OPERATION, c->operations[i]));
	for (unsigned i = 0; i < c->object_count; i++)
		add(a, p, "object type",
		    schema_value_name(TAG_OBJECT_TYPE, c->objects[i]));
	for (size_t i = 0; i < c->needs.count; i++)
		add(a, p, "feature", c->needs.at[i]);
}

static void
add_all(struct arena *a, struct proof *p, const char *what,
    const struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		add(a, p, what, words->at[i]);
}

void
proof_add_nae(struct arena *a, struct proof *p, const struct nae_case *c)
{
	add_all(a, p, "NAE-XML", &c->versions);
	add_all(a, p, "request", &c->requests);
	add_all(a, p, "algorithm", &c->algorithms);
	add_all(a, p, "feature", &c->needs);
}

static void
list(struct arena *a, const struct proof *p, const char *what,
    const struct words *claimed, struct words *out)
{
	for (size_t i = 0; i < claimed->count; i++) {
		const char *text =
		    arena_printf(a, "%s %s", what, claimed->at[i]);

		if (!words_have(&p->words, text))
			words_add(a, out, text);
	}
}

void
proof_unproven(struct arena *a, const struct proof *p, const struct target *t,
    struct words *out)
{
	list(a, p, "KMIP", &t->versions, out);
	list(a, p, "operation", &t->operations, out);
	list(a, p, "object type", &t->objects, out);
	list(a, p, "feature", &t->features, out);
	if (t->nae_port == 0)
		return;
	list(a, p, "NAE-XML", &t->nae_versions, out);
	list(a, p, "request", &t->nae_requests, out);
	list(a, p, "algorithm", &t->nae_algorithms, out);
}
