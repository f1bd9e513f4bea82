/* Options: what is taken, what is refused, and the help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/child_test.h"
#include "base/options.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { ARGUMENTS_MAX = 8, SAID_OCTETS = 2048 };

struct taken {
	const char *dir;
	bool dry;
	unsigned slots;
	unsigned model;
};

static const char *const models[] = {"k6", "luna7", NULL};

static void
more(FILE *to)
{
	fputs("\nMore.\n", to);
}

static const struct options_form ours = {
    .name = "sample",
    .version = "1.2",
    .usage = "usage: sample [options]\n",
    .more = more,
};
static const struct options_form vendors = {
    .name = "Sample",
    .version = "1.2",
    .usage = "usage: Sample [options]\n",
    .is_vendors = true,
};

/* Words of one blank each, as of argv. */
static void
read_line(const struct options_form *form, const char *line, struct taken *to)
{
	const struct options_row rows[] = {
	    {"dir", "DIR", "where all is", .text = &to->dir},
	    {"dry", NULL,
		"do nothing of what would be done otherwise, but say all of "
		"it; one word more than fits",
		.flag = &to->dry},
	    {"slots", "N", "how many (1)", .number = &to->slots, .least = 1,
		.most = 64},
	    {"model-of-the-card", NULL, "what it is (k6)", .choice = &to->model,
		.choices = models},
	};
	static char words[128]; /* what is taken points into it */
	char *argv[ARGUMENTS_MAX + 1] = {words};
	char *rest = words;
	int argc = 0;

	(void)snprintf(words, sizeof(words), "%s%s%s", form->name,
	    *line != '\0' ? " " : "", line);
	while (argc < ARGUMENTS_MAX && rest != NULL)
		argv[argc++] = strsep(&rest, " ");
	argv[argc] = NULL;
	*to = (struct taken){.slots = 1};
	optind = 1;
	options_read(form, rows, LENGTH(rows), argc, argv);
}

static void
test_taken(void **state)
{
	static const struct {
		const char *line;
		struct taken want;
	} cases[] = {
	    {"", {NULL, false, 1, 0}},
	    {"--dir a", {"a", false, 1, 0}},
	    {"--dir=a --dry", {"a", true, 1, 0}},
	    {"--slots 64", {NULL, false, 64, 0}},
	    {"--slots 1 --model-of-the-card luna7", {NULL, false, 1, 1}},
	    {"--model-of-the-card luna7 --model-of-the-card k6",
		{NULL, false, 1, 0}},
	    {"--dir --dry", {"--dry", false, 1, 0}},
	};
	struct taken got;

	(void)state;
	for (size_t k = 0; k < LENGTH(cases); k++) {
		const struct taken *want = &cases[k].want;

		print_message("%s\n", cases[k].line);
		read_line(&ours, cases[k].line, &got);
		if (want->dir == NULL)
			assert_null(got.dir);
		else
			assert_string_equal(got.dir, want->dir);
		assert_int_equal(got.dry, want->dry);
		assert_int_equal(got.slots, want->slots);
		assert_int_equal(got.model, want->model);
	}
	read_line(&vendors, "-dir a -slots 2", &got);
	assert_string_equal(got.dir, "a");
	assert_int_equal(got.slots, 2);
}

/* How the program ends that is started with this line, and what it says. */
static int
end_of(const struct options_form *form, const char *line, FILE *out, FILE *err)
{
	struct taken got;
	int status;
	pid_t child;

	(void)fflush(NULL);
	child = child_fork();
	if (child == 0) {
		if (dup2(fileno(out), STDOUT_FILENO) < 0 ||
		    dup2(fileno(err), STDERR_FILENO) < 0)
			_exit(99);
		read_line(form, line, &got);
		_exit(100); /* it goes on */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
assert_said(FILE *from, const char *want)
{
	char said[SAID_OCTETS];

	rewind(from);
	said[fread(said, 1, sizeof(said) - 1, from)] = '\0';
	assert_string_equal(said, want);
}

static void
assert_ends(const struct options_form *form, const char *line, int status,
    const char *out, const char *err)
{
	FILE *to_out = tmpfile();
	FILE *to_err = tmpfile();

	assert_non_null(to_out);
	assert_non_null(to_err);
	print_message("%s %s\n", form->name, line);
	assert_int_equal(end_of(form, line, to_out, to_err), status);
	assert_said(to_out, out);
	assert_said(to_err, err);
	(void)fclose(to_out);
	(void)fclose(to_err);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *line;
		const char *says;
	} cases[] = {
	    {"--slots 0", "sample: --slots 0: 1 to 64; see --help\n"},
	    {"--slots 65", "sample: --slots 65: 1 to 64; see --help\n"},
	    {"--slots 99999999999999999999",
		"sample: --slots 99999999999999999999: 1 to 64; see --help\n"},
	    {"--slots 3x", "sample: --slots 3x: 1 to 64; see --help\n"},
	    {"--slots -1", "sample: --slots -1: 1 to 64; see --help\n"},
	    {"--slots +1", "sample: --slots +1: 1 to 64; see --help\n"},
	    {"--slots=", "sample: --slots : 1 to 64; see --help\n"},
	    {"--model-of-the-card k7",
		"sample: --model-of-the-card k7: no such choice; see "
		"--help\n"},
	    {"--model-of-the-card k", /* no beginnings of words */
		"sample: --model-of-the-card k: no such choice; see --help\n"},
	    {"a", "sample: not understood: a; see --help\n"},
	    {"--dry a", "sample: not understood: a; see --help\n"},
	    {"--dir", "sample: option '--dir' requires an argument\n"},
	    {"--dry=1", "sample: option '--dry' doesn't allow an argument\n"},
	    {"--no", "sample: unrecognized option '--no'\n"},
	};

	(void)state;
	for (size_t k = 0; k < LENGTH(cases); k++)
		assert_ends(&ours, cases[k].line, 2, "", cases[k].says);
	assert_ends(
	    &vendors, "-slots 65", 2, "Error: -slots 65: 1 to 64\n", "");
	assert_ends(&vendors, "a", 2, "Error: not understood: a\n", "");
	assert_ends(
	    &vendors, "-no", 2, "", "Sample: unrecognized option '-no'\n");
}

static void
test_help(void **state)
{
	(void)state;
	/* what stands behind it is not read any more */
	assert_ends(&ours, "--help --no", 0,
	    "usage: sample [options]\n"
	    "\n"
	    "  --dir DIR  where all is\n"
	    "  --dry      do nothing of what would be done otherwise, but say "
	    "all of it; one\n"
	    "             word more than fits\n"
	    "  --slots N  how many (1)\n"
	    "  --model-of-the-card k6|luna7\n"
	    "             what it is (k6)\n"
	    "  --version\n"
	    "  --help\n"
	    "\n"
	    "More.\n",
	    "");
	assert_ends(&ours, "--version", 0, "sample 1.2\n", "");
	assert_ends(&vendors, "-help", 0,
	    "usage: Sample [options]\n"
	    "\n"
	    "  -dir DIR  where all is\n"
	    "  -dry      do nothing of what would be done otherwise, but say "
	    "all of it; one\n"
	    "            word more than fits\n"
	    "  -slots N  how many (1)\n"
	    "  -model-of-the-card k6|luna7\n"
	    "            what it is (k6)\n"
	    "  -version\n"
	    "  -help\n",
	    "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_taken),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
