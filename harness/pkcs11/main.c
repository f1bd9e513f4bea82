/*
 * touchstone-p11: does a PKCS#11 module do what the specification says?
 *
 *	touchstone-p11 --module FILE [--slot N | --token LABEL]
 *	    [--pin-file FILE] [--so-pin-file FILE] [--init-token]
 *	    [--only GLOB]... [--list] [--limit SECONDS]
 *	    [--waivers FILE]... [--json FILE] [--tap FILE] [--junit FILE]
 *
 * docs/pkcs11.md is its manual. Exit status: 0 conforms, 1 does not, 2 could
 * not tell (a crash, a wrong command line, or nothing was judged).
 */
#include "module.h"
#include "runner.h"
#include "trial.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "mem.h"
#include "report.h"
#include "results.h"
#include "text.h"
#include "version.h"
#include "waiver.h"

enum {
	PIN_MAX_OCTETS = 1024,
	LIMIT_SECONDS = 60,
	LIMIT_MAX_SECONDS = 86400,
	EXIT_COULD_NOT_TELL = 2,
};

struct program {
	struct arena *a;
	struct runner runner;
	struct trials trials;
	struct words only;
	struct waivers *waivers;
	const char *json, *tap, *junit;
	bool list;
	char *record_path; /* of the master record */
	FILE *record;
	struct tally tally;
	struct timespec started;
	struct fault f;
};

enum choice {
	OPTION_HELP,
	OPTION_MODULE,
	OPTION_SLOT,
	OPTION_TOKEN,
	OPTION_PIN_FILE,
	OPTION_SO_PIN_FILE,
	OPTION_INIT_TOKEN,
	OPTION_ONLY,
	OPTION_LIST,
	OPTION_LIMIT,
	OPTION_WAIVERS,
	OPTION_JSON,
	OPTION_TAP,
	OPTION_JUNIT,
};

static const struct option options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"module", required_argument, NULL, OPTION_MODULE},
    {"slot", required_argument, NULL, OPTION_SLOT},
    {"token", required_argument, NULL, OPTION_TOKEN},
    {"pin-file", required_argument, NULL, OPTION_PIN_FILE},
    {"so-pin-file", required_argument, NULL, OPTION_SO_PIN_FILE},
    {"init-token", no_argument, NULL, OPTION_INIT_TOKEN},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"list", no_argument, NULL, OPTION_LIST},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"waivers", required_argument, NULL, OPTION_WAIVERS},
    {"json", required_argument, NULL, OPTION_JSON},
    {"tap", required_argument, NULL, OPTION_TAP},
    {"junit", required_argument, NULL, OPTION_JUNIT},
    {NULL, 0, NULL, 0},
};

static void
usage(FILE *to)
{
	fputs("usage: touchstone-p11 --module FILE [--slot N | --token LABEL]\n"
	      "           [--pin-file FILE] [--so-pin-file FILE] "
	      "[--init-token]\n"
	      "           [--only GLOB]... [--list] [--limit SECONDS]\n"
	      "           [--waivers FILE]... [--json FILE] [--tap FILE] "
	      "[--junit FILE]\n",
	    to);
}

/* A whole number in the C way of writing it. */
static enum err
read_number(
    struct program *p, const char *words, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(words, &end, 0);
	if (errno != 0 || end == words || *end != '\0' || *out > max)
		return fault_say(&p->f, ERR_USAGE,
		    "`%s` is no number up to %lu", words, max);
	return OK;
}

/* The first line of a file. */
static enum err
read_pin(struct program *p, const char *path, struct bytes *out)
{
	struct buf b = {0};
	enum err rc = OK;
	const uint8_t *end;

	TRY(file_read(path, PIN_MAX_OCTETS, &b, &p->f));
	out->at = arena_copy(p->a, buf_peek(&b));
	end = memchr(out->at, '\n', b.octets);
	out->octets = end == NULL ? b.octets : (size_t)(end - out->at);
out:
	buf_clear(&b);
	return rc;
}

static enum err
read_option(struct program *p, enum choice choice, const char *value)
{
	struct module_options *m = &p->runner.module;
	unsigned long seconds;
	enum err rc = OK;

	switch (choice) {
	case OPTION_HELP:
		usage(stdout);
		exit(EXIT_SUCCESS);
	case OPTION_MODULE:
		m->path = value;
		break;
	case OPTION_SLOT:
		m->has_slot = true;
		TRY(read_number(p, value, ~0UL, &m->slot));
		break;
	case OPTION_TOKEN:
		m->label = value;
		break;
	case OPTION_PIN_FILE:
		TRY(read_pin(p, value, &user_pin));
		break;
	case OPTION_SO_PIN_FILE:
		TRY(read_pin(p, value, &so_pin));
		break;
	case OPTION_INIT_TOKEN:
		p->runner.may_init_token = true;
		break;
	case OPTION_ONLY:
		words_add(p->a, &p->only, value);
		break;
	case OPTION_LIST:
		p->list = true;
		break;
	case OPTION_LIMIT:
		TRY(read_number(p, value, LIMIT_MAX_SECONDS, &seconds));
		p->runner.limit_ms = (int)seconds * 1000;
		break;
	case OPTION_WAIVERS:
		TRY(waivers_read(p->waivers, value, &p->f));
		break;
	case OPTION_JSON:
		p->json = value;
		break;
	case OPTION_TAP:
		p->tap = value;
		break;
	case OPTION_JUNIT:
		p->junit = value;
		break;
	}
out:
	return rc;
}

static enum err
read_options(struct program *p, int argc, char **argv)
{
	enum err rc = OK;
	int c;

	p->runner.limit_ms = LIMIT_SECONDS * 1000;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return fault_say(&p->f, ERR_USAGE, "see --help");
		TRY(read_option(p, (enum choice)c, optarg));
	}
	if (optind < argc)
		return fault_say(
		    &p->f, ERR_USAGE, "what is `%s`?", argv[optind]);
	if (!p->list && p->runner.module.path == NULL)
		return fault_say(&p->f, ERR_USAGE, "--module FILE is needed");
out:
	return rc;
}

static bool
is_chosen(const struct program *p, const struct trial *t)
{
	bool chosen = p->only.count == 0;

	for (size_t i = 0; i < p->only.count; i++)
		chosen |= text_matches(p->only.at[i], t->id);
	return chosen;
}

static void
print_list(const struct program *p)
{
	for (size_t i = 0; i < p->trials.count; i++) {
		const struct trial *t = &p->trials.at[i];

		if (!is_chosen(p, t))
			continue;
		printf("%s\t%s\t%s\t%s%s%s\n", t->id, t->title, t->clause,
		    t->needs & NEED_PIN ? " pin" : "",
		    t->needs & NEED_SO_PIN ? " so-pin" : "",
		    t->needs & NEED_INIT_TOKEN ? " init-token" : "");
	}
}

/* --- the record ---------------------------------------------------------- */

static double
elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - since->tv_sec) * 1e3 +
	       (double)(now.tv_nsec - since->tv_nsec) / 1e6;
}

static enum err
open_record(struct program *p)
{
	const char *tmp = getenv("TMPDIR");
	int fd = -1;

	if (p->json != NULL) {
		p->record_path = arena_strdup(p->a, p->json);
		p->record = fopen(p->json, "w");
	} else {
		p->record_path = arena_printf(p->a, "%s/touchstone-p11.XXXXXX",
		    tmp == NULL ? "/tmp" : tmp);
		fd = mkstemp(p->record_path);
		p->record = fd < 0 ? NULL : fdopen(fd, "w");
	}
	if (p->record == NULL)
		return fault_say(
		    &p->f, ERR_OPEN, "%s: %s", p->record_path, strerror(errno));
	return OK;
}

/* A text of the token: of a fixed size, with blanks behind it. */
static const char *
padded(struct program *p, const CK_UTF8CHAR *words, size_t octets)
{
	while (
	    octets > 0 && (words[octets - 1] == ' ' || words[octets - 1] == 0))
		octets--;
	return arena_printf(p->a, "%.*s", (int)octets, (const char *)words);
}

static enum err
put_head(struct program *p, size_t planned)
{
	const struct facts *f = &p->runner.facts;
	char started[32];
	time_t now = time(NULL);
	struct tm tm;
	const struct run_head head = {.suite_version = SUITE_VERSION,
	    .started = started,
	    .target = {arena_printf(p->a, "%s (%s %u.%u)",
			   p->runner.module.path,
			   padded(p, f->library.libraryDescription,
			       sizeof f->library.libraryDescription),
			   f->library.libraryVersion.major,
			   f->library.libraryVersion.minor),
		arena_printf(p->a, "slot 0x%lx, token `%s`", f->slot,
		    padded(p, f->token.label, sizeof f->token.label)),
		""},
	    .planned = planned};

	gmtime_r(&now, &tm);
	strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return results_put_head(p->record, &head);
}

static const char *
group_of(struct arena *a, const struct trial *t)
{
	return arena_printf(a, "%.*s", (int)strcspn(t->id, "/"), t->id);
}

static enum err
put_trial(struct program *p, struct arena *a, const struct trial *t,
    const struct outcome *o, double ms)
{
	struct difference d = {
	    .path = o->what, .expected = o->expected, .got = o->got};
	struct test_result x = {.id = t->id,
	    .family = group_of(a, t),
	    .version = "pkcs11-2.40",
	    .level = "must",
	    .title = t->title,
	    .clauses = {&t->clause, 1},
	    .reason = o->reason[0] != '\0' ? o->reason : NULL,
	    .difference = o->what[0] != '\0' ? &d : NULL,
	    .ms = ms,
	    .repeat =
		arena_printf(a, "touchstone-p11 --module %s --only %s ...",
		    p->runner.module.path, t->id)};
	struct fault why = {""};

	x.verdict = waiver_judge(p->waivers, t->id, o->verdict, x.difference,
	    time(NULL), &x.waiver, &why);
	if (why.text[0] != '\0')
		x.reason = x.reason == NULL
			       ? why.text
			       : arena_printf(a, "%s; %s", x.reason, why.text);
	p->tally.count[x.verdict]++;
	return results_put_test(p->record, &x);
}

/* A waiver of what was not even judged excuses nothing. */
static void
note_idle_waivers(struct program *p, struct words *notes)
{
	const struct waiver *w;

	if (p->only.count != 0)
		return;
	for (size_t n = 0; (w = waiver_find_idle(p->waivers, &n)) != NULL; n++)
		words_add(p->a, notes,
		    arena_printf(p->a,
			"%s:%u: no check that was judged is named by [%s]",
			w->note.file, w->note.line, w->pattern));
}

static enum err
put_tail(struct program *p)
{
	struct words notes = {0};
	struct run_tail tail = {.tally = p->tally,
	    .ms = elapsed_ms(&p->started),
	    .exit = tally_exit(&p->tally, 0)};

	note_idle_waivers(p, &notes);
	tail.notes.at = notes.at;
	tail.notes.count = notes.count;
	return results_put_tail(p->record, &tail);
}

/* --- the reports, from the record ---------------------------------------- */

static enum err
write_report(struct program *p, const char *path,
    enum err (*report)(FILE *, const struct results *),
    const struct results *results)
{
	FILE *to;
	enum err rc;

	if (path == NULL)
		return OK;
	to = fopen(path, "w");
	if (to == NULL)
		return fault_say(
		    &p->f, ERR_OPEN, "%s: %s", path, strerror(errno));
	rc = report(to, results);
	if (fclose(to) != 0 && rc == OK)
		rc = ERR_WRITE;
	return rc == OK ? OK
			: fault_say(&p->f, rc, "%s: %s", path, err_text(rc));
}

static enum err
show_reports(struct program *p, int *code)
{
	struct results *results = NULL;
	enum err rc = OK;

	TRY(results_read(p->record_path, &results, &p->f));
	TRY(report_terminal(stdout, results, isatty(STDOUT_FILENO)));
	TRY(write_report(p, p->tap, report_tap, results));
	TRY(write_report(p, p->junit, report_junit, results));
	*code = results->tail.exit;
out:
	results_free(results);
	return rc;
}

/* --- the run ------------------------------------------------------------- */

static enum err
try_one(struct program *p, const struct trial *t)
{
	struct arena *a = arena_new();
	struct timespec began;
	struct outcome o;
	enum err rc;

	clock_gettime(CLOCK_MONOTONIC, &began);
	runner_try(&p->runner, t, &o);
	rc = put_trial(p, a, t, &o, elapsed_ms(&began));
	arena_free(a);
	return rc;
}

static enum err
run_all(struct program *p, int *code)
{
	size_t planned = 0;
	enum err rc = OK;

	for (size_t i = 0; i < p->trials.count; i++)
		planned += is_chosen(p, &p->trials.at[i]);
	TRY(runner_survey(&p->runner, &p->f));
	TRY(open_record(p));
	clock_gettime(CLOCK_MONOTONIC, &p->started);
	TRY(put_head(p, planned));
	for (size_t i = 0; i < p->trials.count; i++)
		if (is_chosen(p, &p->trials.at[i]))
			TRY(try_one(p, &p->trials.at[i]));
	TRY(put_tail(p));
	TRY(show_reports(p, code));
out:
	if (p->record != NULL)
		fclose(p->record);
	if (p->record != NULL && p->json == NULL)
		unlink(p->record_path);
	return rc;
}

int
main(int argc, char **argv)
{
	struct program p = {.a = arena_new()};
	int code = EXIT_COULD_NOT_TELL;
	enum err rc;

	(void)signal(SIGPIPE, SIG_IGN);
	p.trials.arena = p.a;
	trials_collect(&p.trials);
	rc = waivers_new(&p.waivers);
	if (rc == OK)
		rc = read_options(&p, argc, argv);
	if (rc == OK && p.list) {
		print_list(&p);
		code = EXIT_SUCCESS;
	} else if (rc == OK) {
		rc = run_all(&p, &code);
	}
	if (rc != OK) {
		fprintf(stderr, "touchstone-p11: %s\n",
		    p.f.text[0] == '\0' ? err_text(rc) : p.f.text);
		code = EXIT_COULD_NOT_TELL;
	}
	waivers_free(p.waivers);
	mem_free(p.trials.at);
	arena_free(p.a);
	return code;
}
