#include "nae_case.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "title: t\nclause: nae-xml 2.3\nmark: C\n"
#define SEND "send\n <RandGenRequest/>\n"

static const struct row {
	const char *name, *text;
	const char *says; /* part of why it is no case; NULL: it is one */
} rows[] = {
    {"a case", HEAD "\nconnect\n" SEND "closed\n", NULL},
    {"a comment", HEAD "# c\n\n# d\nconnect\n# e\n" SEND, NULL},
    {"nothing", "", "title, clause or mark"},
    {"no title", "clause: c\nmark: C\n\nconnect\n", "title, clause or mark"},
    {"no clause", "title: t\nmark: C\n\nconnect\n", "title, clause or mark"},
    {"no mark", "title: t\nclause: c\n\nconnect\n", "title, clause or mark"},
    {"a mark of nobody", "title: t\nclause: c\nmark: X\n\nconnect\n",
	"mark is F, I or C, not `X`"},
    {"a header of nobody", HEAD "colour: red\n\nconnect\n",
	"line 4: no header `colour: red`"},
    {"no steps", HEAD "\n", "not there: `steps`"},
    {"a step of nobody", HEAD "\nconnect\nwait 1\n", "line 6: no step `wait`"},
    {"a step without connection", HEAD "\n" SEND, "no connection for `send`"},
    {"another connection", HEAD "\nconnect a\nsend b\n <A/>\n",
	"no connection `b`"},
    {"nine connections",
	HEAD "\nconnect a\nconnect b\nconnect c\nconnect d\nconnect e\n"
	     "connect f\nconnect g\nconnect h\nconnect i\n",
	"no connection `i`"},
    {"nothing to send", HEAD "\nconnect\nsend\nclosed\n",
	"line 6: no body below"},
    {"a body too many", HEAD "\nconnect\n <A/>\n", "line 5: a body below"},
    {"a body without step", HEAD "\n <A/>\n", "no step above"},
    {"a body that is none", HEAD "\nconnect\nsend\n {hexx}\n",
	"{hexx} is nothing"},
    {"as nobody", HEAD "\nconnect as\n", "nobody behind `as`"},
    {"as a user without password", HEAD "\nconnect as $USER\n",
	"no `with PASSWORD` behind `$USER`"},
    {"as a user with one", HEAD "\nconnect as $USER with secret\n", NULL},
    {"split by nothing", HEAD "\nconnect\nsend split x\n <A/>\n",
	"no number behind `split`"},
    {"split", HEAD "\nconnect\nsend split 7\n <A/>\n", NULL},
};

static void
files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		const struct nae_case *c =
		    nae_case_parse(a, "nae", "x/y.nae", bytes_of_text(r->text));

		if ((c->broken == NULL) != (r->says == NULL) ||
		    (r->says != NULL && strstr(c->broken, r->says) == NULL))
			fail_msg("%s: %s", r->name,
			    c->broken == NULL ? "is a case" : c->broken);
		arena_free(a);
	}
}

static void
what_it_takes(void **state)
{
	static const char text[] = HEAD
	    "twin: nae/z\nneeds: nae-large\nversion: 2.9\n\n"
	    "connect one as B\nsend\n <KeyGenRequest><KeyName>$KEY</KeyName>\n"
	    "\t<Algorithm>SEED</Algorithm></KeyGenRequest>\n"
	    "\t{data hex 00\n\t01}\n"
	    "connect two\nsend split 3\n <UserCreateRequest><User>$U</User>"
	    "<User>$USER_C</User>"
	    "</UserCreateRequest><SmeltRequest/>\nexpect one\n"
	    " <AResponse><Success>false</Success></AResponse>\n";
	struct arena *a = arena_new();
	const struct nae_case *c =
	    nae_case_parse(a, "v/nae", "x/y.nae", bytes_of_text(text));
	const struct nae_step *s = c->steps;

	(void)state;
	assert_null(c->broken);
	assert_string_equal(c->id, "nae/x/y");
	assert_string_equal(c->path, "v/nae/x/y.nae");
	assert_string_equal(c->family, "nae-x");
	assert_string_equal(c->twin, "nae/z");
	assert_true(words_have(&c->needs, "nae-large"));
	assert_true(words_have(&c->versions, "2.9"));
	assert_int_equal(c->requests.count, 3);
	assert_true(words_have(&c->requests, "Auth"));
	assert_true(words_have(&c->requests, "KeyGen"));
	assert_true(words_have(&c->requests, "UserCreate"));
	assert_int_equal(c->algorithms.count, 1);
	assert_true(words_have(&c->algorithms, "SEED"));
	assert_true(words_have(&c->users, "B"));
	assert_true(words_have(&c->users, "C"));
	assert_int_equal(c->made_users.count, 1);
	assert_true(words_have(&c->made_keys, "KEY"));
	assert_true(words_have(&c->made_users, "U"));
	assert_true(c->is_refusal);
	assert_int_equal(c->step_count, 5);
	assert_int_equal(c->connection_count, 2);
	assert_int_equal(s->next->connection, 0);
	assert_int_equal(s->next->next->next->connection, 1);
	assert_int_equal(s->next->next->next->split_octets, 3);
	assert_int_equal(s->next->next->next->next->connection, 0);
	arena_free(a);
}

/* --- the project's own --------------------------------------------------- */

#define OWN "vectors/nae"

struct own {
	struct arena *a;
	struct nae_case *cases[2048];
	size_t count;
};

static void
read_folder(struct own *own, const char *below)
{
	const char *path = arena_printf(own->a, OWN "/%s", below);
	DIR *d = opendir(path);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		const char *name = arena_printf(
		    own->a, "%s%s%s", below, *below == 0 ? "" : "/", e->d_name);
		size_t octets = strlen(name);

		if (e->d_name[0] == '.')
			continue;
		if (e->d_type == DT_DIR) {
			read_folder(own, name);
		} else if (octets > 4 &&
			   strcmp(name + octets - 4, ".nae") == 0) {
			assert_in_range(own->count, 0, 2047);
			own->cases[own->count++] =
			    nae_case_read(own->a, OWN, name);
		}
	}
	closedir(d);
}

static const struct nae_case *
find(const struct own *own, const char *id)
{
	for (size_t i = 0; id != NULL && i < own->count; i++)
		if (strcmp(own->cases[i]->id, id) == 0)
			return own->cases[i];
	return NULL;
}

/* Each is a case; and what is accepted has a twin that is refused. */
static void
our_own_files(void **state)
{
	struct own own = {.a = arena_new()};

	(void)state;
	read_folder(&own, "");
	assert_in_range(own.count, 250, 2048);
	for (size_t i = 0; i < own.count; i++) {
		const struct nae_case *c = own.cases[i];
		const struct nae_case *twin = find(&own, c->twin);

		if (c->broken != NULL)
			fail_msg("%s: %s", c->path, c->broken);
		if (twin == NULL)
			fail_msg("%s: no twin %s", c->path, c->twin);
		if (!c->is_refusal && !twin->is_refusal)
			fail_msg("%s: its twin is not refused either", c->path);
	}
	arena_free(own.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files),
	    cmocka_unit_test(what_it_takes),
	    cmocka_unit_test(our_own_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
