#include "claims.h"
#include "clock.h"
#include "command.h"
#include "corpus.h"
#include "mutate.h"
#include "nae_mutate.h"
#include "nae_play.h"
#include "options.h"
#include "order.h"
#include "play.h"
#include "proof.h"
#include "report.h"
#include "results.h"
#include "schema.h"
#include "show.h"
#include "version.h"
#include "waiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A run from its command line to its exit code. */
struct run {
	struct arena *a;
	struct options opt;
	struct target target;
	struct bench bench;
	struct tests tests;
	struct waivers *waivers;
	FILE *results;
	const char *results_path;
	struct tally tally;
	struct words passed; /* ids, for those that come after */
	struct proof proof;
	struct arena *chain; /* owns the bench's story */
	size_t done;
	int64_t started_ms;
	struct fault f;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned
oldest_claimed(const struct target *t)
{
	for (int i = 0; i < VERSIONS; i++)
		if (target_claims_version(t, version_at(i)))
			return version_at(i);
	return version_at(0);
}

static enum err
read_waivers(struct run *r)
{
	enum err rc = OK;

	TRY(waivers_new(&r->waivers));
	for (size_t i = 0; i < r->opt.waivers.count; i++)
		TRY(waivers_read(r->waivers, r->opt.waivers.at[i], &r->f));
out:
	return rc;
}

/* Broken copies of each case, beside the case itself. */
static void
add_mutations(struct run *r)
{
	struct test *last = r->tests.first;

	/* behind the list, which the loop must not run into */
	for (size_t left = r->tests.count; left > 0; left--, last = last->next)
		if (play_case(last) != NULL)
			mutate_add_case(r->a, play_case(last), &r->tests);
		else if (nae_play_case(last) != NULL)
			nae_mutate_add_case(
			    r->a, nae_play_case(last), &r->tests);
}

static enum err
read_tests(struct run *r)
{
	enum err rc = OK;

	tests_init(&r->tests);
	claims_add(r->a, &r->target, &r->tests);
	mutate_add(r->a, &r->target, &r->tests);
	if (r->target.nae_port != 0)
		nae_mutate_add(r->a, &r->target, &r->tests);
	for (size_t i = 0; i < r->opt.vectors.count; i++)
		TRY(corpus_read(r->a, r->opt.vectors.at[i], &r->tests, &r->f));
	if (r->opt.mutate)
		add_mutations(r);
	order_select(r->a, &r->tests, &r->opt.only);
	order_shuffle(r->a, &r->tests, r->opt.seed);
out:
	return rc;
}

static enum err
open_results(struct run *r)
{
	const char *dir = r->opt.report;

	if (dir != NULL && mkdir(dir, 0777) != 0 && errno != EEXIST)
		return fault_say(
		    &r->f, ERR_OPEN, "%s: %s", dir, strerror(errno));
	if (dir == NULL) {
		const char *tmp = getenv("TMPDIR");
		char *path = arena_printf(
		    r->a, "%s/touchstone.XXXXXX", tmp == NULL ? "/tmp" : tmp);
		int fd = mkstemp(path);

		r->results_path = path;
		r->results = fd < 0 ? NULL : fdopen(fd, "w");
	} else {
		r->results_path = arena_printf(r->a, "%s/results.jsonl", dir);
		r->results = fopen(r->results_path, "w");
	}
	if (r->results == NULL)
		return fault_say(&r->f, ERR_OPEN, "%s: %s", r->results_path,
		    strerror(errno));
	return OK;
}

/* Where it listens, for one protocol and the other. */
static const char *
addresses(const struct run *r)
{
	const struct target *t = &r->target;
	const char *kmip =
	    arena_printf(r->a, "%s:%u", t->host, (unsigned)t->port);
	const char *nae =
	    arena_printf(r->a, "%s:%u", t->nae_host, (unsigned)t->nae_port);

	if (t->nae_port == 0)
		return kmip;
	return t->port == 0 ? nae
			    : arena_printf(r->a, "%s, NAE-XML %s", kmip, nae);
}

static enum err
put_head(struct run *r)
{
	char started[32];
	time_t now = time(NULL);
	struct tm tm;
	const struct run_head head = {.suite_version = SUITE_VERSION,
	    .seed = r->opt.seed,
	    .started = started,
	    .target = {r->target.name, addresses(r), r->target.sha256},
	    .laboratory = r->target.laboratory,
	    .vectors = {r->opt.vectors.at, r->opt.vectors.count},
	    .planned = r->tests.count};

	gmtime_r(&now, &tm);
	strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return results_put_head(r->results, &head);
}

/* The command that runs this test alone. */
static const char *
repeat_command(struct run *r, struct arena *a, const struct test *t)
{
	struct buf text = {0};
	char *command;

	buf_printf(&text, "touchstone run --target %s", r->opt.target);
	for (size_t i = 0; i < r->opt.vectors.count; i++)
		buf_printf(&text, " --vectors %s", r->opt.vectors.at[i]);
	if (r->opt.mutate)
		buf_text(&text, " --mutate");
	buf_printf(&text, " --seed %llu --only '%s'",
	    (unsigned long long)r->opt.seed, t->id);
	command = arena_strdup(a, buf_peek_text(&text));
	buf_clear(&text);
	return command;
}

/* "ERR_MISSING" -> "missing": what of the comparison was broken. */
static const char *
kind_name(struct arena *a, enum err kind)
{
	char *name = arena_strdup(a, err_name(kind) + strlen("ERR_"));

	for (char *p = name; *p != 0; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	return name;
}

/* What differed, for a finding of any kind but OK. */
static struct difference
difference_of(struct arena *a, const struct outcome *o)
{
	const struct finding *f = &o->finding;

	return (struct difference){.step = o->step,
	    .path = f->path,
	    .at_octet = f->path[0] != 0,
	    .offset_octets = f->offset,
	    .expected = f->expected,
	    .got = f->got,
	    .rule = f->rule != NULL ? f->rule : kind_name(a, f->kind)};
}

static enum err
put_result(struct run *r, struct arena *a, const struct test *t,
    struct outcome *o, int64_t ms)
{
	bool differs = o->verdict == VERDICT_FAIL && o->finding.kind != OK;
	struct difference d = {0};
	struct test_result x = {.id = t->id,
	    .family = t->family,
	    .version = t->version,
	    .level = t->level,
	    .title = t->title,
	    .mark = t->mark,
	    .clauses = {t->clauses.at, t->clauses.count},
	    .reason = o->reason,
	    .difference = differs ? &d : NULL,
	    .ms = (double)ms,
	    .repeat = repeat_command(r, a, t)};
	const struct waiver_note *note = NULL;
	struct fault why = {""};

	if (differs)
		d = difference_of(a, o);
	x.steps = wire_record(o->wire, &x.step_count);
	x.verdict = waiver_judge(r->waivers, t->id, o->verdict, x.difference,
	    time(NULL), &note, &why);
	x.waiver = note;
	if (why.text[0] != 0)
		x.reason = x.reason == NULL
			       ? why.text
			       : arena_printf(a, "%s; %s", x.reason, why.text);
	r->tally.count[x.verdict]++;
	if (x.verdict == VERDICT_PASS || x.verdict == VERDICT_WAIVED)
		words_add(r->a, &r->passed, t->id);
	if (x.verdict == VERDICT_PASS && play_case(t) != NULL)
		proof_add(r->a, &r->proof, play_case(t));
	if (x.verdict == VERDICT_PASS && nae_play_case(t) != NULL)
		proof_add_nae(r->a, &r->proof, nae_play_case(t));
	return results_put_test(r->results, &x);
}

static void
show_progress(struct run *r, const char *id)
{
	int64_t ms = now_ms() - r->started_ms;

	if (r->opt.quiet)
		return;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%zu/%zu, %zu red, %lld s  %s", r->done,
		    r->tests.count, tally_bad(&r->tally),
		    (long long)(ms / 1000), id);
	else if (r->done > 0 && r->done % 100 == 0)
		fprintf(stderr, "%zu/%zu, %zu red, %lld s\n", r->done,
		    r->tests.count, tally_bad(&r->tally),
		    (long long)(ms / 1000));
}

/* The test stands alone, or its chain is over: leave no object behind. */
static void
end_chain(struct run *r, const struct test *t)
{
	if (t->is_followed)
		return;
	play_clear_away(r->chain, &r->bench, r->bench.version);
	arena_free(r->chain);
	r->chain = arena_new();
	r->bench.story = story_new(r->chain);
}

static enum err
run_test(struct run *r, const struct test *t)
{
	struct arena *a = arena_new();
	struct outcome o = {.verdict = VERDICT_UNKNOWN};
	int64_t start = now_ms();
	const char *claim;
	enum err rc;

	show_progress(r, t->id);
	o.wire = wire_new(a, r->bench.doors, r->bench.flags);
	claim = t->unclaimed(a, t, &r->target);
	if (claim != NULL) {
		o.verdict = VERDICT_NOT_CLAIMED;
		o.reason = claim;
	} else if (t->after != NULL && !words_have(&r->passed, t->after)) {
		outcome_not_run(
		    a, &o, arena_printf(a, "%s did not pass", t->after));
	} else {
		t->run(a, t, &r->bench, &o);
	}
	wire_close(o.wire);
	end_chain(r, t);
	rc = put_result(r, a, t, &o, now_ms() - start);
	arena_free(a);
	r->done++;
	return rc;
}

/* Of a part of the tests nothing follows for a waiver of another. */
static void
note_idle_waivers(struct run *r, struct words *notes)
{
	const struct waiver *w;

	if (r->opt.only.count != 0)
		return;
	for (size_t n = 0; (w = waiver_find_idle(r->waivers, &n)) != NULL; n++)
		words_add(r->a, notes,
		    arena_printf(r->a,
			"%s:%u: no test that was judged is named by [%s]",
			w->note.file, w->note.line, w->pattern));
}

static enum err
put_tail(struct run *r)
{
	struct words unproven = {0};
	struct words notes = {0};
	struct run_tail tail = {.tally = r->tally,
	    .ms = (double)(now_ms() - r->started_ms),
	    .exit = tally_exit(&r->tally, r->opt.min_tests)};

	proof_unproven(r->a, &r->proof, &r->target, &unproven);
	tail.unproven.at = unproven.at;
	tail.unproven.count = unproven.count;
	note_idle_waivers(r, &notes);
	tail.notes.at = notes.at;
	tail.notes.count = notes.count;
	return results_put_tail(r->results, &tail);
}

/* Everything that people read comes from the record just written. */
static enum err
show_reports(struct run *r, int *code)
{
	struct results *results = NULL;
	enum err rc = OK;

	TRY(results_read(r->results_path, &results, &r->f));
	TRY(report_terminal(stdout, results, isatty(STDOUT_FILENO)));
	if (r->opt.report != NULL)
		TRY(report_write(r->opt.report, results, &r->f));
	*code = results->tail.exit;
out:
	results_free(results);
	return rc;
}

static enum err
run_all(struct run *r, int *code)
{
	enum err rc = OK;

	TRY(target_read(r->a, r->opt.target, &r->target, &r->f));
	TRY(read_waivers(r));
	TRY(read_tests(r));
	r->bench = (struct bench){.target = &r->target,
	    .seed = r->opt.seed,
	    .flags = r->opt.show_secrets ? SHOW_SECRETS : 0,
	    .version = oldest_claimed(&r->target)};
	r->chain = arena_new();
	r->bench.story = story_new(r->chain);
	TRY(clock_open(r->target.clock, &r->bench.clock, &r->f));
	TRY(doors_new(&r->target, &r->bench.doors, &r->f));
	TRY(open_results(r));
	fprintf(stderr, "touchstone %s: %zu tests, target %s, seed %llu\n",
	    SUITE_VERSION, r->tests.count, r->target.name,
	    (unsigned long long)r->opt.seed);
	r->started_ms = now_ms();
	TRY(put_head(r));
	for (struct test *t = r->tests.first; t != NULL; t = t->next)
		TRY(run_test(r, t));
	if (isatty(STDERR_FILENO) && !r->opt.quiet)
		fputs("\r\033[K", stderr);
	TRY(put_tail(r));
	TRY(show_reports(r, code));
out:
	if (r->results != NULL)
		fclose(r->results);
	if (r->results_path != NULL && r->opt.report == NULL)
		unlink(r->results_path);
	return rc;
}

int
command_run(int argc, char **argv)
{
	struct run r = {.a = arena_new()};
	int code = EXIT_COULD_NOT_TELL;
	enum err rc;

	rc = options_read(r.a, argc, argv, &r.opt, &r.f);
	if (rc == OK && r.opt.target == NULL)
		rc = fault_say(&r.f, ERR_USAGE, "--target FILE is needed");
	if (rc == OK && !r.opt.has_seed && getrandom(&r.opt.seed, 4, 0) != 4)
		rc = fault_say(&r.f, ERR_READ, "no randomness for a seed");
	if (rc == OK)
		rc = run_all(&r, &code);
	if (rc != OK)
		code = command_refuse(
		    "run", "%s", r.f.text[0] == 0 ? err_text(rc) : r.f.text);
	doors_free(r.bench.doors);
	clock_close(r.bench.clock);
	waivers_free(r.waivers);
	arena_free(r.chain);
	arena_free(r.a);
	return code;
}
