#include "device/statistics.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { PAGE_OCTETS = 64 << 10 };

static const char *const connection_words[] = {
#define CONNECTION(symbol, word, name, stays, clause) [symbol] = word,
#define FLOW(...)
#define PROTOCOL(...)
#include "device/statistics.def"
#undef CONNECTION
};

static const char *const connection_names[] = {
#define CONNECTION(symbol, word, name, stays, clause) [symbol] = name,
#include "device/statistics.def"
#undef CONNECTION
};

static const bool connection_stays[] = {
#define CONNECTION(symbol, word, name, stays, clause) [symbol] = stays,
#include "device/statistics.def"
#undef CONNECTION
};
#undef FLOW

static const char *const flow_words[] = {
#define CONNECTION(...)
#define FLOW(symbol, word, name, clause) [symbol] = word,
#include "device/statistics.def"
#undef FLOW
};

static const char *const flow_names[] = {
#define FLOW(symbol, word, name, clause) [symbol] = name,
#include "device/statistics.def"
#undef FLOW
#undef PROTOCOL
};

static const char *const protocol_words[] = {
#define FLOW(...)
#define PROTOCOL(symbol, word, name, clause) [symbol] = word,
#include "device/statistics.def"
#undef PROTOCOL
};

static const char *const protocol_names[] = {
#define PROTOCOL(symbol, word, name, clause) [symbol] = name,
#include "device/statistics.def"
#undef PROTOCOL
#undef FLOW
#undef CONNECTION
};

/* Of what is counted by the second. */
struct seconds {
	uint64_t before; /* the present one */
	uint64_t maximum;
};

struct table {
	const struct statistics_tally *tallies;
	struct seconds *seconds; /* as many; ours */
	size_t count;
	statistics_name_fn *name;
};

struct sampled {
	uint64_t before; /* at the last sample */
	double current;
	double sum;
	double maximum;
	uint64_t count;
};

struct interface {
	char name[STATISTICS_NAME_OCTETS];
	uint64_t octets[FLOWS]; /* as the system says now */
	struct sampled flow[FLOWS];
};

struct cpu {
	uint64_t all; /* at the last sample */
	uint64_t idle;
	unsigned permille;
};

struct statistics {
	struct loop *loop;
	const char *ethernet;
	char *stat; /* paths */
	char *dev;
	int64_t started_ms;
	struct loop_timer *timer;

	struct statistics_counts counts;
	int64_t second;
	struct seconds connection[CONNECTION_ROWS];
	struct table table[PROTOCOLS];

	int64_t sampled_ms;
	struct cpu cpu[STATISTICS_CPUS_MOST];
	size_t cpu_count;
	bool has_cpu; /* there is a sample, and not only a beginning */
	struct interface interface[1 + STATISTICS_INTERFACES_MOST];
	size_t interface_count;
	char page[PAGE_OCTETS]; /* what the system says */
};

/* ---- by the second ---- */

static uint64_t
sum(const struct statistics_tally *tally)
{
	return tally->successful + tally->failed;
}

static void
end_second(struct seconds *seconds, uint64_t now)
{
	uint64_t count = now - seconds->before;

	if (count > seconds->maximum)
		seconds->maximum = count;
	seconds->before = now;
}

/*
 * Is it another second than when this was last called? What was counted since
 * belongs to that one: nothing happens while the loop sleeps.
 */
static void
follow_time(struct statistics *s)
{
	int64_t second = loop_now_ms(s->loop) / STATISTICS_SECOND_MS;
	size_t k;
	size_t row;

	if (second == s->second)
		return;
	s->second = second;
	for (row = 0; row < CONNECTION_ROWS; row++)
		end_second(&s->connection[row], s->counts.came[row]);
	for (k = 0; k < PROTOCOLS; k++)
		for (row = 0; row < s->table[k].count; row++)
			end_second(&s->table[k].seconds[row],
			    sum(&s->table[k].tallies[row]));
}

static void
tell(const struct seconds *seconds, struct statistics_line *line)
{
	line->current = line->total - seconds->before;
	line->maximum =
	    line->current > seconds->maximum ? line->current : seconds->maximum;
}

void
statistics_each_connection(
    struct statistics *s, statistics_line_fn *each, void *ctx)
{
	const struct statistics_counts *counts = &s->counts;
	size_t row;

	follow_time(s);
	for (row = 0; row < CONNECTION_ROWS; row++) {
		struct statistics_line line = {
		    .word = connection_words[row],
		    .name = connection_names[row],
		    .total = counts->came[row],
		    .open = counts->came[row] - counts->gone[row],
		    .stays = connection_stays[row],
		};

		tell(&s->connection[row], &line);
		each(ctx, &line);
	}
}

void
statistics_each_request(struct statistics *s, enum statistics_protocol which,
    statistics_line_fn *each, void *ctx)
{
	const struct table *table = &s->table[which];
	size_t row;

	follow_time(s);
	for (row = 0; row < table->count; row++) {
		struct statistics_line line = {
		    .word = "",
		    .name = table->name(row),
		    .total = sum(&table->tallies[row]),
		    .tally = table->tallies[row],
		};

		tell(&table->seconds[row], &line);
		each(ctx, &line);
	}
}

/* ---- what the system says ---- */

/* false: it says nothing, and what was said last stands. */
static bool
read_page(struct statistics *s, const char *path)
{
	size_t used = 0;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while (got > 0 && used < sizeof(s->page) - 1) {
		got = read(fd, s->page + used, sizeof(s->page) - 1 - used);
		if (got > 0)
			used += (size_t)got;
	}
	close(fd);
	s->page[used] = '\0';
	return got >= 0 && used != 0;
}

static char *
next_line(char **rest)
{
	return strsep(rest, "\n");
}

/* As many numbers as there are in the line, up to `most`. */
static size_t
read_numbers(const char *text, uint64_t *out, size_t most)
{
	size_t count = 0;

	while (count < most) {
		char *end;

		out[count] = strtoull(text, &end, 10);
		if (end == text)
			break;
		text = end;
		count++;
	}
	return count;
}

/* "cpu3 USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL ...": ticks */
static void
read_cpu(struct statistics *s, const char *line, bool is_sample)
{
	enum { IDLE = 3, IOWAIT = 4, FIRST = 8 };
	uint64_t ticks[FIRST] = {0};
	uint64_t all = 0;
	struct cpu *cpu = &s->cpu[s->cpu_count];
	size_t count = read_numbers(strchr(line, ' '), ticks, FIRST);
	uint64_t idle;
	size_t k;

	if (count <= IDLE || s->cpu_count == STATISTICS_CPUS_MOST)
		return;
	for (k = 0; k < count; k++)
		all += ticks[k];
	idle = ticks[IDLE] + ticks[IOWAIT];
	/* ticks of waiting may go back by some */
	if (is_sample && all > cpu->all) {
		uint64_t passed = all - cpu->all;
		uint64_t rest = idle > cpu->idle ? idle - cpu->idle : 0;

		if (rest > passed)
			rest = passed;
		cpu->permille =
		    (unsigned)(((passed - rest) * 1000 + passed / 2) / passed);
	}
	cpu->all = all;
	cpu->idle = idle;
	s->cpu_count++;
}

/* req: KS-22-008 KS-22-015 */
static void
read_cpus(struct statistics *s, bool is_sample)
{
	char *rest = s->page;
	char *line;

	if (!read_page(s, s->stat))
		return;
	s->cpu_count = 0;
	while ((line = next_line(&rest)) != NULL)
		if (strncmp(line, "cpu", 3) == 0 && line[3] >= '0' &&
		    line[3] <= '9' && strchr(line, ' ') != NULL)
			read_cpu(s, line, is_sample);
	s->has_cpu = s->cpu_count != 0 && (is_sample || s->has_cpu);
}

/* Is it one of the words of `ethernet`? */
static bool
is_ours(const struct statistics *s, const char *name)
{
	size_t octets = strlen(name);
	const char *at = s->ethernet;

	if (*at == '\0')
		return strcmp(name, "lo") != 0;
	while (*at != '\0') {
		size_t word = strcspn(at, " ");

		if (word == octets && memcmp(at, name, octets) == 0)
			return true;
		at += word + strspn(at + word, " ");
	}
	return false;
}

/* NULL: there is no room for it. */
static struct interface *
interface_named(struct statistics *s, const char *name)
{
	struct interface *in;
	size_t k;

	for (k = 1; k < s->interface_count; k++)
		if (strcmp(s->interface[k].name, name) == 0)
			return &s->interface[k];
	if (s->interface_count == 1 + STATISTICS_INTERFACES_MOST ||
	    strlen(name) >= sizeof(in->name))
		return NULL;
	in = &s->interface[s->interface_count++];
	memset(in, 0, sizeof(*in));
	memcpy(in->name, name, strlen(name));
	return in;
}

/* "  eth0: OCTETS PACKETS ...", received first, then sent */
static void
read_interface(struct statistics *s, char *line)
{
	enum { RECEIVED = 0, SENT = 8, NUMBERS };
	uint64_t number[NUMBERS];
	struct interface *in;
	char *colon = strchr(line, ':');
	size_t count;
	bool is_new;

	if (colon == NULL)
		return;
	*colon = '\0';
	line += strspn(line, " ");
	if (!is_ours(s, line) ||
	    read_numbers(colon + 1, number, NUMBERS) != NUMBERS)
		return;
	count = s->interface_count;
	in = interface_named(s, line);
	if (in == NULL)
		return;
	is_new = s->interface_count != count;
	in->octets[FLOW_INCOMING] = number[RECEIVED];
	in->octets[FLOW_OUTGOING] = number[SENT];
	/* what was before it was there is no throughput */
	if (is_new) {
		in->flow[FLOW_INCOMING].before = number[RECEIVED];
		in->flow[FLOW_OUTGOING].before = number[SENT];
	}
}

/* req: KS-22-010 KS-22-028 KS-22-043 */
static void
read_interfaces(struct statistics *s)
{
	char *rest = s->page;
	char *line;

	memcpy(
	    s->interface[0].octets, s->counts.octets, sizeof(s->counts.octets));
	if (!read_page(s, s->dev))
		return;
	while ((line = next_line(&rest)) != NULL)
		read_interface(s, line);
}

/* ---- samples ---- */

/* req: KS-22-011 KS-22-029 */
static void
take(struct sampled *flow, uint64_t now, int64_t passed_ms)
{
	/* a counter that began anew says nothing about what was before */
	uint64_t octets = now >= flow->before ? now - flow->before : 0;

	flow->before = now;
	flow->current = (double)octets * 1000 / (double)passed_ms;
	flow->sum += flow->current;
	flow->count++;
	if (flow->current > flow->maximum)
		flow->maximum = flow->current;
}

static void
sample(struct statistics *s)
{
	int64_t now_ms = loop_now_ms(s->loop);
	int64_t passed_ms = now_ms - s->sampled_ms;
	size_t k;
	size_t flow;

	s->sampled_ms = now_ms;
	read_cpus(s, true);
	read_interfaces(s);
	for (k = 0; k < s->interface_count; k++)
		for (flow = 0; flow < FLOWS; flow++)
			take(&s->interface[k].flow[flow],
			    s->interface[k].octets[flow], passed_ms);
}

/* Where the first sample will have begun. */
static void
begin_sampling(struct statistics *s)
{
	size_t k;
	size_t flow;

	s->sampled_ms = loop_now_ms(s->loop);
	s->has_cpu = false;
	read_cpus(s, false);
	for (k = 0; k < s->cpu_count; k++)
		s->cpu[k].permille = 0;
	read_interfaces(s);
	for (k = 0; k < s->interface_count; k++)
		for (flow = 0; flow < FLOWS; flow++)
			s->interface[k].flow[flow] = (struct sampled){
			    .before = s->interface[k].octets[flow]};
}

static void
ticks(void *ctx)
{
	struct statistics *s = ctx;
	int64_t now_ms = loop_now_ms(s->loop);

	follow_time(s);
	if (now_ms - s->sampled_ms >= STATISTICS_SAMPLE_MS)
		sample(s);
	loop_timer_set(s->timer,
	    (now_ms / STATISTICS_SECOND_MS + 1) * STATISTICS_SECOND_MS);
}

size_t
statistics_cpus(const struct statistics *s)
{
	return s->has_cpu ? s->cpu_count : 0;
}

unsigned
statistics_cpu_permille(const struct statistics *s, size_t cpu)
{
	assert(cpu < s->cpu_count);
	return s->cpu[cpu].permille;
}

size_t
statistics_interfaces(const struct statistics *s)
{
	return s->interface_count;
}

const char *
statistics_interface_name(const struct statistics *s, size_t k)
{
	assert(k < s->interface_count);
	return s->interface[k].name;
}

void
statistics_rate(const struct statistics *s, size_t interface, enum flow which,
    struct statistics_rate *out)
{
	const struct sampled *flow = &s->interface[interface].flow[which];

	assert(interface < s->interface_count);
	*out = (struct statistics_rate){
	    .current = flow->current,
	    .average = flow->count != 0 ? flow->sum / (double)flow->count : 0,
	    .maximum = flow->maximum,
	};
}

uint64_t
statistics_octets(const struct statistics *s, size_t interface, enum flow flow)
{
	assert(interface < s->interface_count);
	return interface == 0 ? s->counts.octets[flow]
			      : s->interface[interface].octets[flow];
}

const char *
flow_name(enum flow flow)
{
	return flow_names[flow];
}

const char *
flow_word(enum flow flow)
{
	return flow_words[flow];
}

/* ---- all of it ---- */

enum err
statistics_new(struct loop *loop, const char *proc, const char *ethernet,
    struct statistics **out)
{
	struct statistics *s = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(s));
	s->loop = loop;
	s->ethernet = ethernet;
	s->interface_count = 1;
	(void)snprintf(
	    s->interface[0].name, sizeof(s->interface[0].name), "Key Server");
	TRY(mem_printf(&s->stat, "%s/stat", proc));
	TRY(mem_printf(&s->dev, "%s/net/dev", proc));
	TRY(loop_timer_new(loop, ticks, s, &s->timer));
	loop_timer_patient(s->timer);
	s->started_ms = loop_now_ms(loop);
	s->second = s->started_ms / STATISTICS_SECOND_MS;
	begin_sampling(s);
	ticks(s);
	*out = s;
	s = NULL;
out:
	statistics_free(s);
	return rc;
}

void
statistics_free(struct statistics *s)
{
	size_t k;

	if (s == NULL)
		return;
	for (k = 0; k < PROTOCOLS; k++)
		mem_free(s->table[k].seconds);
	loop_timer_free(s->timer);
	mem_free(s->stat);
	mem_free(s->dev);
	mem_free(s);
}

struct statistics_counts *
statistics_counts(struct statistics *s)
{
	return &s->counts;
}

enum err
statistics_lend(struct statistics *s, enum statistics_protocol which,
    const struct statistics_tally *tallies, size_t count,
    statistics_name_fn *name)
{
	struct seconds *seconds = NULL;
	size_t row;
	enum err rc = OK;

	TRY(MEM_ARRAY(seconds, count));
	for (row = 0; row < count; row++)
		seconds[row].before = sum(&tallies[row]);
	statistics_take_back(s, which);
	s->table[which] = (struct table){
	    .tallies = tallies,
	    .seconds = seconds,
	    .count = count,
	    .name = name,
	};
out:
	return rc;
}

void
statistics_take_back(struct statistics *s, enum statistics_protocol which)
{
	mem_free(s->table[which].seconds);
	s->table[which] = (struct table){.count = 0};
}

static void
forget(struct seconds *seconds, uint64_t now)
{
	*seconds = (struct seconds){.before = now};
}

void
statistics_reset(struct statistics *s)
{
	size_t k;
	size_t row;

	for (row = 0; row < CONNECTION_ROWS; row++)
		forget(&s->connection[row], s->counts.came[row]);
	for (k = 0; k < PROTOCOLS; k++)
		for (row = 0; row < s->table[k].count; row++)
			forget(&s->table[k].seconds[row],
			    sum(&s->table[k].tallies[row]));
	begin_sampling(s);
}

/* req: KS-22-014 */
int64_t
statistics_uptime_ms(struct statistics *s)
{
	return loop_now_ms(s->loop) - s->started_ms;
}

const char *
statistics_protocol_name(enum statistics_protocol which)
{
	return protocol_names[which];
}

const char *
statistics_protocol_word(enum statistics_protocol which)
{
	return protocol_words[which];
}
