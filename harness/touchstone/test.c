#include "test.h"

#include <string.h>

void
tests_init(struct tests *list)
{
	*list = (struct tests){.tail = &list->first};
}

void
tests_add(struct tests *list, struct test *t)
{
	*list->tail = t;
	list->tail = &t->next;
	list->count++;
}

struct test *
tests_find(const struct tests *list, const char *id)
{
	for (struct test *t = list->first; t != NULL; t = t->next)
		if (strcmp(t->id, id) == 0)
			return t;
	return NULL;
}

void
outcome_not_run(struct arena *a, struct outcome *o, const char *why)
{
	o->verdict = VERDICT_NOT_RUN;
	o->reason = arena_strdup(a, why);
}

void
outcome_unknown(struct arena *a, struct outcome *o, const char *why)
{
	o->verdict = VERDICT_UNKNOWN;
	o->reason = arena_strdup(a, why);
}

void
outcome_fail(
    struct arena *a, const struct bench *b, struct outcome *o, const char *why)
{
	struct fault f = {""};
	bool is_alive = o->is_alive != NULL
			    ? o->is_alive(a, b, &f)
			    : wire_is_alive(o->wire, b->version, &f);

	if (!is_alive) {
		outcome_unknown(a, o,
		    arena_printf(
			a, "%s; then the target was dead: %s", why, f.text));
		return;
	}
	o->verdict = VERDICT_FAIL;
	o->reason = arena_strdup(a, why);
}
