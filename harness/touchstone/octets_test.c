#include "octets.h"

#include "corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "id: ttlv/x\nclause: kmip-1.4 9.1\ncomment: c\n"

static const struct row {
	const char *name, *text;
	const char *broken; /* part of what is wrong; NULL: nothing */
} rows[] = {
    {"whole", HEAD "expect: accept\n\n42000a07 00000000 # empty\n", NULL},
    {"a kind of failure", HEAD "expect: utf8\n\n42000a07\n", NULL},
    {"a kind of nobody", HEAD "expect: bad\n\n42000a07\n", "no kind `bad`"},
    {"no expectation", HEAD "\n42\n", "is not there"},
    {"no clause", "id: a\nexpect: accept\ncomment: c\n\n42\n", "is not there"},
    {"half an octet", HEAD "expect: accept\n\n4\n", "two hexadecimal"},
    {"a key of nobody", HEAD "expects: accept\n\n42\n", "no key `expects`"},
    {"no key", HEAD "accept\n\n42\n", "not key: value"},
    {"nothing", "", "is not there"},
};

static void
files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct octets_vector *v =
		    octets_parse(a, "d", "f.ttlv", bytes_of_text(r->text));

		if ((v->broken == NULL) != (r->broken == NULL) ||
		    (v->broken != NULL && strstr(v->broken, r->broken) == NULL))
			fail_msg("%s: expected %s, got %s", r->name, r->broken,
			    v->broken);
		arena_free(a);
	}
}

/* Each vector of ours gets the answer from our codec that it names. */
static void
our_vectors(void **state)
{
	struct arena *a = arena_new();
	struct tests list;
	struct fault f = {""};

	(void)state;
	tests_init(&list);
	if (corpus_read(a, "vectors/ttlv", &list, &f) != OK)
		fail_msg("%s", f.text);
	assert_true(list.count >= 30);
	for (const struct test *t = list.first; t != NULL; t = t->next) {
		const struct octets_vector *v = t->own;

		if (v->broken != NULL)
			fail_msg("%s: %s", v->path, v->broken);
		if (strncmp(v->id, "ttlv/", 5) != 0 ||
		    strstr(v->path, v->id) == NULL)
			fail_msg("%s: its id is %s", v->path, v->id);
		if (strcmp(octets_judge(a, v->octets), v->expect) != 0)
			fail_msg("%s: expected %s, got %s", v->id, v->expect,
			    octets_judge(a, v->octets));
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files),
	    cmocka_unit_test(our_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
