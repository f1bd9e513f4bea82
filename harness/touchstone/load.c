/*
 * touchstone load: so many requests, how long each took, and what the client
 * and the server spent on them.
 *
 * Two ways, named in every line. In an open loop request k is due at a time of
 * its own, whatever the server does; it waits when no connection has room, and
 * its latency counts from when it was due. In a closed loop each connection
 * asks again when it was answered: good for capacity, and its times are called
 * service times, because a server that stands still is simply not asked.
 */
#include "load.h"

#include "command.h"
#include "json.h"
#include "mem.h"
#include "where.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* clang-format off */
#define OPTIONS \
	/* where the server is, and who we are to it */ \
	OPTION(TARGET,     "target",     1) \
	OPTION(IDENTITY,   "identity",   1) \
	OPTION(HOST,       "host",       1) \
	OPTION(PORT,       "port",       1) \
	OPTION(CERT,       "cert",       1) \
	OPTION(KEY,        "key",        1) \
	OPTION(CA,         "ca",         1) \
	OPTION(VERSION,    "version",    1) \
	OPTION(TLS,        "tls",        1) \
	/* what is asked */ \
	OPTION(OP,         "op",         1) \
	OPTION(MIX,        "mix",        1) \
	OPTION(OBJECTS,    "objects",    1) \
	OPTION(POPULATION, "population", 1) \
	OPTION(PICK,       "pick",       1) \
	OPTION(SEED,       "seed",       1) \
	/* how it is asked */ \
	OPTION(CONNS,      "conns",      1) \
	OPTION(THREADS,    "threads",    1) \
	OPTION(DEPTH,      "depth",      1) \
	OPTION(CLOSED,     "closed",     0) \
	OPTION(RATE,       "rate",       1) \
	OPTION(POISSON,    "poisson",    0) \
	OPTION(HANDSHAKE,  "handshake",  1) \
	OPTION(FOR,        "for",        1) \
	OPTION(COUNT,      "count",      1) \
	OPTION(WARM_UP,    "warm-up",    1) \
	OPTION(SWEEP,      "sweep",      0) \
	OPTION(LIMIT,      "limit-p99-ms", 1) \
	/* what is told */ \
	OPTION(SERVER_PID, "server-pid", 1) \
	OPTION(JSON,       "json",       1) \
	OPTION(HGRM,       "hgrm",       1)
/* clang-format on */

enum option_id {
#define OPTION(id, word, value) OPT_##id,
	OPTIONS
#undef OPTION
	    OPTIONS_END
};

static const struct option options[] = {
#define OPTION(id, word, value) {word, value, NULL, OPT_##id},
    OPTIONS
#undef OPTION
    {0},
};

static const char usage[] =
    "usage: touchstone load WHERE --op get|create|register|locate | --mix "
    "get=80,...\n\n"
    "  WHERE: as for touchstone kmip; --tls 1.2|1.3\n"
    "  --conns 32        connections      --threads 1   of this client\n"
    "  --depth 1         requests under way on each connection\n"
    "  --closed          ask again when answered (the default)\n"
    "  --rate N          an open loop of N requests a second; --poisson draws\n"
    "                    the gaps, --sweep raises N by a tenth until p99 is\n"
    "                    past --limit-p99-ms 10 or fewer than 99 % are done\n"
    "  --handshake full|resume   a fresh connection for each request\n"
    "  --for 10s | --count N     --warm-up N   requests before, cut off\n"
    "  --objects 1000    registered first, for get and locate; --population\n"
    "                    FILE keeps them for the next time\n"
    "  --pick uniform|zipf       which of them\n"
    "  --server-pid PID|FILE     tell the CPU time of that process\n"
    "  --json FILE       JSON lines       --hgrm FILE   all percentiles\n"
    "  --seed N\n\n"
    "Exit code: 0 all was answered rightly, 1 not all, 2 the run is invalid "
    "or\n"
    "could not be made.\n";

/* How far a generator may be trusted. */
enum trust { TRUST_GOOD, TRUST_MARKED, TRUST_INVALID };

static const char *const trust_word[] = {
    [TRUST_GOOD] = "ok",
    [TRUST_MARKED] = "marked",
    [TRUST_INVALID] = "invalid",
};

struct call {
	struct arena *a;
	const char *option[OPTIONS_END];
	struct target target;
	const struct identity *identity;
	struct mix_plan mix_plan;
	struct load_plan plan;
	double limit_p99_ms;
	FILE *json;
	bool wrong; /* not all was answered rightly */
	struct fault f;
};

/* --- words -----------------------------------------------------------------
 */

static enum err
take_number(struct call *c, enum option_id id, double least, double most,
    double otherwise, double *out)
{
	const char *text = c->option[id];
	char *end;

	*out = otherwise;
	if (text == NULL)
		return OK;
	*out = strtod(text, &end);
	if (id == OPT_FOR && strcmp(end, "s") == 0)
		end++;
	if (end == text || *end != '\0' || !(*out >= least && *out <= most))
		return fault_say(&c->f, ERR_USAGE, "--%s takes %g to %g",
		    options[id].name, least, most);
	return OK;
}

static enum err
take_count(struct call *c, enum option_id id, unsigned least, unsigned most,
    unsigned otherwise, unsigned *out)
{
	double x;
	enum err rc = OK;

	TRY(take_number(c, id, least, most, otherwise, &x));
	*out = (unsigned)x;
out:
	return rc;
}

/* "get=80,locate=20" */
static enum err
take_mix(struct call *c, const char *text)
{
	char *rest = arena_strdup(c->a, text), *pair;

	while ((pair = strsep(&rest, ",")) != NULL) {
		char *weight = strchr(pair, '='), *end = NULL;
		unsigned long n = 1;
		enum load_op op;

		if (weight != NULL) {
			*weight++ = '\0';
			n = strtoul(weight, &end, 10);
		}
		for (op = 0; op < OP_COUNT; op++)
			if (strcmp(pair, load_op_word(op)) == 0)
				break;
		if (op == OP_COUNT || n < 1 || n > 1000000 ||
		    (end != NULL && (*end != '\0' || end == weight)))
			return fault_say(&c->f, ERR_USAGE,
			    "`%s`: get, create, register, locate, each with "
			    "=WEIGHT",
			    pair);
		c->mix_plan.weight[op] = (unsigned)n;
	}
	return OK;
}

static enum err
take_word(struct call *c, enum option_id id, const char *const *words,
    int otherwise, int *out)
{
	*out = otherwise;
	if (c->option[id] == NULL)
		return OK;
	for (*out = 0; words[*out] != NULL; (*out)++)
		if (strcmp(words[*out], c->option[id]) == 0)
			return OK;
	return fault_say(
	    &c->f, ERR_USAGE, "--%s: no `%s`", options[id].name, c->option[id]);
}

/* A number, or a file that holds one. */
static enum err
take_pid(struct call *c)
{
	const char *text = c->option[OPT_SERVER_PID];
	char line[32] = "", *end;
	FILE *from;

	if (text == NULL)
		return OK;
	c->plan.server_pid = (int)strtol(text, &end, 10);
	if (*end == '\0' && c->plan.server_pid > 0)
		return OK;
	from = fopen(text, "re");
	if (from == NULL)
		return fault_say(
		    &c->f, ERR_OPEN, "%s: %s", text, strerror(errno));
	if (fgets(line, sizeof line, from) != NULL)
		c->plan.server_pid = (int)strtol(line, NULL, 10);
	fclose(from);
	return c->plan.server_pid > 0
		   ? OK
		   : fault_say(&c->f, ERR_SYNTAX, "%s holds no process", text);
}

static enum err
take_seed(struct call *c)
{
	const char *text = c->option[OPT_SEED];
	char *end;

	if (text == NULL) {
		if (getrandom(&c->plan.seed, 4, 0) != 4)
			return ERR_READ;
	} else {
		c->plan.seed = strtoull(text, &end, 10);
		if (*text == '\0' || *end != '\0')
			return fault_say(
			    &c->f, ERR_USAGE, "--seed takes a number");
	}
	c->mix_plan.seed = c->plan.seed;
	return OK;
}

static enum err
take_where(struct call *c)
{
	const struct where where = {
	    .target = c->option[OPT_TARGET],
	    .identity = c->option[OPT_IDENTITY],
	    .host = c->option[OPT_HOST],
	    .port = c->option[OPT_PORT],
	    .cert = c->option[OPT_CERT],
	    .key = c->option[OPT_KEY],
	    .ca = c->option[OPT_CA],
	    .version = c->option[OPT_VERSION],
	};
	enum err rc = OK;

	TRY(where_find(c->a, &where, &c->target, &c->identity,
	    &c->mix_plan.version, &c->f));
	if (c->option[OPT_TLS] != NULL)
		c->target.tls_version = c->option[OPT_TLS];
	c->plan.target = &c->target;
	c->plan.identity = c->identity;
	c->mix_plan.username = c->identity->username;
	c->mix_plan.password = c->identity->password;
out:
	return rc;
}

static enum err
take_words(struct call *c, int argc, char **argv)
{
	static const char *const picks[] = {"uniform", "zipf", NULL};
	static const char *const handshakes[] = {
	    "none", "full", "resume", NULL};
	struct load_plan *p = &c->plan;
	unsigned objects;
	double count;
	int id, word;
	enum err rc = OK;

	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (id < 0 || id >= OPTIONS_END)
			TRY(fault_say(&c->f, ERR_USAGE, "see --help"));
		c->option[id] = optarg != NULL ? optarg : "";
	}
	if (optind != argc)
		TRY(fault_say(&c->f, ERR_USAGE, "what is `%s`?", argv[optind]));
	if (c->option[OPT_CLOSED] != NULL && c->option[OPT_RATE] != NULL)
		TRY(fault_say(
		    &c->f, ERR_USAGE, "--closed has no --rate: choose one"));
	TRY(take_where(c));
	TRY(take_mix(c, c->option[OPT_MIX] != NULL  ? c->option[OPT_MIX]
			: c->option[OPT_OP] != NULL ? c->option[OPT_OP]
						    : "get"));
	TRY(take_count(c, OPT_OBJECTS, 1, 10000000, 1000, &objects));
	c->mix_plan.objects = objects;
	TRY(take_word(c, OPT_PICK, picks, PICK_UNIFORM, &word));
	c->mix_plan.pick = (enum pick)word;
	TRY(take_word(c, OPT_HANDSHAKE, handshakes, HANDSHAKE_NONE, &word));
	p->handshake = (enum handshake)word;
	TRY(take_count(c, OPT_CONNS, 1, 10000, 32, &p->connections));
	TRY(take_count(c, OPT_THREADS, 1, 64, 1, &p->threads));
	TRY(take_count(c, OPT_DEPTH, 1, 1000, 1, &p->depth));
	if (p->threads > p->connections)
		TRY(fault_say(
		    &c->f, ERR_USAGE, "more threads than connections"));
	if (p->handshake != HANDSHAKE_NONE && p->depth > 1)
		TRY(fault_say(&c->f, ERR_USAGE,
		    "--handshake asks once on each connection: no --depth"));
	TRY(take_number(c, OPT_RATE, 0.1, 1e7,
	    c->option[OPT_SWEEP] != NULL ? 1000 : 0, &p->rate));
	p->poisson = c->option[OPT_POISSON] != NULL;
	TRY(take_number(c, OPT_FOR, 0.01, LOAD_SECONDS_MAX, 10, &p->seconds));
	TRY(take_number(c, OPT_COUNT, 1, 1e12, 0, &count));
	p->count = (uint64_t)count;
	if (p->count > 0 && p->rate > 0)
		TRY(fault_say(&c->f, ERR_USAGE, "--rate goes --for a time"));
	TRY(take_number(c, OPT_WARM_UP, 0, 1e9, 10.0 * p->connections, &count));
	p->warm_up = (uint64_t)count;
	TRY(take_number(c, OPT_LIMIT, 0.001, 1e6, 10, &c->limit_p99_ms));
	TRY(take_pid(c));
	TRY(take_seed(c));
out:
	return rc;
}

/* --- telling ---------------------------------------------------------------
 */

static bool
is_open(const struct call *c)
{
	return c->plan.rate > 0;
}

static const char *
mode_word(const struct call *c)
{
	return is_open(c) ? "open" : "closed";
}

static const struct percentile {
	const char *word;
	double percent;
} percentiles[] = {
    {"p50", 50},
    {"p90", 90},
    {"p99", 99},
    {"p99.9", 99.9},
    {"p99.99", 99.99},
};

enum { PERCENTILES = sizeof percentiles / sizeof *percentiles };

static void
tell_times(const struct call *c, const struct hist *h)
{
	const char *what = is_open(c) ? "latency" : "service";

	for (size_t i = 0; i < PERCENTILES; i++) {
		const struct percentile *p = &percentiles[i];

		printf(" %s_%s_us=", what, p->word);
		if (hist_tells(h, p->percent))
			printf("%.1f",
			    (double)hist_percentile_ns(h, p->percent) / 1e3);
		else
			putchar('-');
	}
	printf(" %s_max_us=%.1f", what, (double)h->max_ns / 1e3);
}

static enum err
json_times(const struct call *c, struct js *o, const struct hist *h)
{
	struct js *times = NULL;
	enum err rc = OK;

	TRY(js_object_new(&times));
	for (size_t i = 0; i < PERCENTILES; i++) {
		const struct percentile *p = &percentiles[i];

		if (hist_tells(h, p->percent))
			TRY(js_put_integer(times, p->word,
			    (int64_t)hist_percentile_ns(h, p->percent)));
	}
	TRY(js_put_integer(times, "max", (int64_t)h->max_ns));
	rc = js_put(o, is_open(c) ? "latency_ns" : "service_ns", times);
	times = NULL; /* now the line's */
out:
	js_free(times);
	return rc;
}

/* One operation and class, or all classes of it. */
static enum err
tell_line(struct call *c, const struct load_result *r, enum load_op op,
    const char *class, const struct hist *h)
{
	struct js *o = NULL;
	enum err rc = OK;

	if (h->count == 0)
		return OK;
	printf("op=%s result=%s mode=%s n=%llu per_s=%.0f", load_op_word(op),
	    class, mode_word(c), (unsigned long long)h->count,
	    (double)h->count / r->seconds);
	tell_times(c, h);
	putchar('\n');
	if (c->json == NULL)
		return OK;
	TRY(js_object_new(&o));
	TRY(js_put_string(o, "type", "line"));
	TRY(js_put_string(o, "op", load_op_word(op)));
	TRY(js_put_string(o, "result", class));
	TRY(js_put_string(o, "mode", mode_word(c)));
	TRY(js_put_integer(o, "n", (int64_t)h->count));
	TRY(json_times(c, o, h));
	TRY(js_write_line(c->json, o));
out:
	js_free(o);
	return rc;
}

static void
tell_reasons(const struct load_result *r, enum load_op op)
{
	for (unsigned i = 0; i < REASON_MAX; i++)
		if (r->tally->reason[op][i] > 0)
			printf("op=%s result=refused reason=0x%08x n=%llu\n",
			    load_op_word(op), i,
			    (unsigned long long)r->tally->reason[op][i]);
}

static enum err
tell_op(struct call *c, const struct load_result *r, enum load_op op)
{
	const struct load_tally *t = r->tally;
	enum err rc = OK;

	TRY(tell_line(c, r, op, "all", &t->all[op]));
	for (enum load_class k = 0; k < CLASS_COUNT; k++) {
		const struct hist *h = &t->by_class[op][k];

		/* all of them successes: that line stands above */
		if (k != CLASS_SUCCESS || h->count < t->all[op].count)
			TRY(tell_line(c, r, op, load_class_word(k), h));
		if (k != CLASS_SUCCESS && k != CLASS_LATE && h->count > 0)
			c->wrong = true;
	}
	tell_reasons(r, op);
out:
	return rc;
}

static enum err
tell_seconds(struct call *c, const struct load_result *r)
{
	struct js *o = NULL;
	enum err rc = OK;

	for (size_t i = 0;
	     c->json != NULL && (double)i < r->seconds && i < LOAD_SECONDS_MAX;
	     i++) {
		TRY(js_object_new(&o));
		TRY(js_put_string(o, "type", "second"));
		TRY(js_put_integer(o, "second", (int64_t)i));
		TRY(js_put_integer(o, "answered", (int64_t)r->second[i]));
		TRY(js_write_line(c->json, o));
		js_free(o);
		o = NULL;
	}
out:
	js_free(o);
	return rc;
}

/* All operations in one. */
static enum err
sum_up(const struct load_result *r, struct hist **out)
{
	enum err rc = OK;

	TRY(MEM_NEW(*out));
	hist_init(*out);
	for (enum load_op op = 0; op < OP_COUNT; op++)
		hist_merge(*out, &r->tally->all[op]);
out:
	return rc;
}

/* Rule 2 of a load tool: it proves itself. A full core, or requests that left
 * late though a connection was idle, measure the client. */
static enum trust
judge_generator(const struct load_result *r, const struct hist *all)
{
	uint64_t lag_ns = hist_percentile_ns(r->lag, 99);

	if (r->client_cpus > 0.95 && r->lag->count > 0)
		return TRUST_INVALID;
	if (lag_ns > 100000 && lag_ns > hist_percentile_ns(all, 99) / 10)
		return TRUST_INVALID;
	return r->client_cpus > 0.80 ? TRUST_MARKED : TRUST_GOOD;
}

static enum err
tell_sum(struct call *c, const struct load_result *r, enum trust trust,
    uint64_t late)
{
	const struct load_plan *p = &c->plan;
	double done = (double)r->answered / r->seconds;
	struct js *o = NULL;
	enum err rc = OK;

	printf("sum mode=%s", mode_word(c));
	if (is_open(c))
		printf(" asked_per_s=%.0f", p->rate);
	printf(" done_per_s=%.0f answered=%llu late=%llu", done,
	    (unsigned long long)r->answered, (unsigned long long)late);
	if (is_open(c))
		printf(" lag_p99_us=%.1f",
		    (double)hist_percentile_ns(r->lag, 99) / 1e3);
	if (p->handshake != HANDSHAKE_NONE)
		printf(" connected=%llu resumed=%llu",
		    (unsigned long long)r->connected,
		    (unsigned long long)r->resumed);
	printf(" client_us=%.2f client_cpu=%.2f", r->client_us, r->client_cpus);
	if (p->server_pid != 0)
		printf(" server_us=%.2f", r->server_us);
	printf(" seconds=%.2f generator=%s\n", r->seconds, trust_word[trust]);
	if (c->json == NULL)
		return OK;
	TRY(js_object_new(&o));
	TRY(js_put_string(o, "type", "sum"));
	TRY(js_put_string(o, "mode", mode_word(c)));
	if (is_open(c))
		TRY(js_put_real(o, "asked_per_s", p->rate));
	TRY(js_put_real(o, "done_per_s", done));
	TRY(js_put_integer(o, "answered", (int64_t)r->answered));
	TRY(js_put_integer(o, "late", (int64_t)late));
	TRY(js_put_integer(
	    o, "lag_p99_ns", (int64_t)hist_percentile_ns(r->lag, 99)));
	TRY(js_put_integer(o, "connected", (int64_t)r->connected));
	TRY(js_put_integer(o, "resumed", (int64_t)r->resumed));
	TRY(js_put_real(o, "client_us", r->client_us));
	TRY(js_put_real(o, "client_cpu", r->client_cpus));
	if (p->server_pid != 0)
		TRY(js_put_real(o, "server_us", r->server_us));
	TRY(js_put_real(o, "seconds", r->seconds));
	TRY(js_put_string(o, "generator", trust_word[trust]));
	TRY(js_write_line(c->json, o));
out:
	js_free(o);
	return rc;
}

/* The file that plotters of HdrHistogram read. */
static enum err
write_hgrm(struct call *c, const struct hist *h)
{
	const char *path = c->option[OPT_HGRM];
	FILE *to;
	uint64_t seen = 0;
	bool bad;

	if (path == NULL)
		return OK;
	to = fopen(path, "we");
	if (to == NULL)
		return fault_say(
		    &c->f, ERR_OPEN, "%s: %s", path, strerror(errno));
	fprintf(to, "%12s %14s %10s %14s\n\n", "Value", "Percentile",
	    "TotalCount", "1/(1-Percentile)");
	for (unsigned i = 0; i < HIST_CELLS; i++) {
		double share;

		if (h->cell[i] == 0)
			continue;
		seen += h->cell[i];
		share = (double)seen / (double)h->count;
		fprintf(to, "%12.3f %14.12f %10llu",
		    (double)hist_cell_top_ns(i) / 1e3, share,
		    (unsigned long long)seen);
		if (seen < h->count)
			fprintf(to, " %14.2f", 1 / (1 - share));
		putc('\n', to);
	}
	fprintf(to, "#[Max = %.3f, Total count = %llu]\n",
	    (double)h->max_ns / 1e3, (unsigned long long)h->count);
	bad = ferror(to) != 0;
	bad |= fclose(to) != 0;
	return bad ? fault_say(&c->f, ERR_WRITE, "%s", path) : OK;
}

static enum err
tell_head(struct call *c)
{
	const struct load_plan *p = &c->plan;
	struct js *o = NULL;
	enum err rc = OK;

	printf("load target=%s mode=%s connections=%u threads=%u depth=%u "
	       "handshake=%s objects=%zu warm_up=%llu seed=%llu\n",
	    c->target.name, mode_word(c), p->connections, p->threads, p->depth,
	    p->handshake == HANDSHAKE_NONE ? "none" : c->option[OPT_HANDSHAKE],
	    c->mix_plan.objects, (unsigned long long)p->warm_up,
	    (unsigned long long)p->seed);
	fflush(stdout);
	if (c->json == NULL)
		return OK;
	TRY(js_object_new(&o));
	TRY(js_put_string(o, "type", "load"));
	TRY(js_put_string(o, "target", c->target.name));
	TRY(js_put_string(o, "mode", mode_word(c)));
	TRY(js_put_integer(o, "connections", p->connections));
	TRY(js_put_integer(o, "threads", p->threads));
	TRY(js_put_integer(o, "depth", p->depth));
	TRY(js_put_integer(o, "objects", (int64_t)c->mix_plan.objects));
	TRY(js_put_integer(o, "warm_up", (int64_t)p->warm_up));
	TRY(js_put_integer(o, "seed", (int64_t)p->seed));
	TRY(js_write_line(c->json, o));
out:
	js_free(o);
	return rc;
}

/* --- running ---------------------------------------------------------------
 */

/* Register what get and locate will ask for, or take it from last time. */
static enum err
populate(struct call *c)
{
	const char *path = c->option[OPT_POPULATION];
	const unsigned *weight = c->mix_plan.weight;
	struct load_plan p = c->plan;
	struct load_result *r = NULL;
	enum err rc = OK;

	if (weight[OP_GET] == 0 && weight[OP_LOCATE] == 0 && path == NULL)
		return OK;
	if (path != NULL) {
		rc = mix_load(p.mix, path, &c->f);
		if (rc != ERR_OPEN)
			goto out;
	}
	p.populating = true;
	p.count = c->mix_plan.objects;
	p.warm_up = 0;
	p.rate = 0;
	p.handshake = HANDSHAKE_NONE;
	TRY(load_run(&p, &r, &c->f));
	if (r->tally->by_class[OP_REGISTER][CLASS_SUCCESS].count < p.count)
		TRY(fault_say(&c->f, ERR_VALUE,
		    "of %llu objects only %llu were registered",
		    (unsigned long long)p.count,
		    (unsigned long long)r->tally
			->by_class[OP_REGISTER][CLASS_SUCCESS]
			.count));
	printf("population objects=%llu seconds=%.2f\n",
	    (unsigned long long)p.count, r->seconds);
	if (path != NULL)
		TRY(mix_save(p.mix, path, &c->f));
out:
	load_result_free(r);
	return rc;
}

/* One run; `past` when a sweep has gone far enough. */
static enum err
run_once(struct call *c, bool *past, enum trust *trust)
{
	struct load_result *r = NULL;
	struct hist *all = NULL;
	uint64_t late = 0, p99_ns;
	enum err rc = OK;

	TRY(load_run(&c->plan, &r, &c->f));
	TRY(sum_up(r, &all));
	for (enum load_op op = 0; op < OP_COUNT; op++) {
		TRY(tell_op(c, r, op));
		late += r->tally->by_class[op][CLASS_LATE].count;
	}
	*trust = judge_generator(r, all);
	TRY(tell_seconds(c, r));
	TRY(tell_sum(c, r, *trust, late));
	TRY(write_hgrm(c, all));
	if (r->answered == 0)
		TRY(fault_say(&c->f, ERR_CLOSED, "nothing was answered"));
	p99_ns = hist_percentile_ns(all, 99);
	*past = (double)p99_ns / 1e6 > c->limit_p99_ms ||
		(double)r->answered < 0.99 * c->plan.rate * r->seconds;
out:
	fflush(stdout);
	mem_free(all);
	load_result_free(r);
	return rc;
}

static enum err
run(struct call *c, enum trust *trust)
{
	double best = 0;
	bool past = false;
	enum err rc = OK;

	if (c->option[OPT_JSON] != NULL) {
		c->json = fopen(c->option[OPT_JSON], "we");
		if (c->json == NULL)
			TRY(fault_say(&c->f, ERR_OPEN, "%s: %s",
			    c->option[OPT_JSON], strerror(errno)));
	}
	TRY(mix_new(&c->mix_plan, &c->plan.mix));
	TRY(tell_head(c));
	TRY(populate(c));
	TRY(run_once(c, &past, trust));
	if (c->option[OPT_SWEEP] == NULL)
		goto out;
	while (!past && *trust != TRUST_INVALID) {
		best = c->plan.rate;
		c->plan.rate *= 1.1;
		TRY(run_once(c, &past, trust));
	}
	printf("knee rate_per_s=%.0f ended_by=%s\n", best,
	    past ? "server" : "generator");
	*trust = TRUST_GOOD; /* the sweep ends where the generator does */
out:
	return rc;
}

int
command_load(int argc, char **argv)
{
	struct call c = {.a = NULL};
	enum trust trust = TRUST_GOOD;
	int code;
	enum err rc = OK;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_COULD_NOT_TELL : EXIT_CONFORMS;
	}
	c.a = arena_new();
	TRY(take_words(&c, argc, argv));
	TRY(run(&c, &trust));
out:
	if (rc == OK && c.json != NULL && fflush(c.json) != 0)
		rc = ERR_WRITE;
	code = trust == TRUST_INVALID ? EXIT_COULD_NOT_TELL
	       : c.wrong              ? EXIT_DIFFERS
				      : EXIT_CONFORMS;
	if (rc != OK)
		code = command_refuse("load", "%s",
		    c.f.text[0] != '\0' ? c.f.text : err_text(rc));
	if (c.json != NULL)
		fclose(c.json);
	mix_free(c.plan.mix);
	arena_free(c.a);
	return code;
}
