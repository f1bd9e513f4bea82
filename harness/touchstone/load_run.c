#include "load.h"

#include "mem.h"
#include "tls.h"
#include "ttlv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 64,            /* taken from the poller at once */
	ANSWER_MAX = 4 << 20,   /* octets of an answer */
	READ_OCTETS = 16 << 10, /* of a TLS record */
	FAILURES_MAX = 3,       /* of a connection, one after the other */
};

/* What every thread does next, one after the other. */
enum phase { PHASE_CONNECT, PHASE_WARM_UP, PHASE_MEASURE };

struct connection {
	struct worker *worker;
	struct link *link;     /* NULL: to be opened */
	struct ticket *ticket; /* of the last link, for the next */
	bool up;               /* hands are shaken */
	unsigned failures;
	struct flight *flight; /* a ring of the plan's depth */
	unsigned first, count;
	struct buf out, in;
	size_t sent; /* of `out` */
};

struct worker {
	pthread_t thread;
	const struct load_plan *plan;
	pthread_barrier_t *barrier;
	unsigned number;
	struct door *door;
	int poller;
	struct connection *connection;
	unsigned connections, idle_at;
	uint64_t random, serial;

	enum phase phase;
	uint64_t start_ns, end_ns;
	uint64_t issued, finished, limit; /* of the phase; limit 0: none */
	uint64_t next_due_ns;             /* of an open loop */
	bool starved; /* it was due, and no connection had room */

	struct load_tally tally;
	struct hist lag;
	uint64_t answered, resumed, connected, cpu_ns;
	uint64_t second[LOAD_SECONDS_MAX];
	enum err rc;
	struct fault f;
};

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* --- counting ------------------------------------------------------------- */

static void
record(struct worker *w, const struct flight *f, enum load_class class,
    uint32_t reason, uint64_t at_ns)
{
	uint64_t took_ns = at_ns > f->due_ns ? at_ns - f->due_ns : 0;
	size_t second = (size_t)((at_ns - w->start_ns) / 1000000000u);

	w->finished++;
	if (w->phase != PHASE_MEASURE)
		return;
	hist_add(&w->tally.all[f->op], took_ns);
	hist_add(&w->tally.by_class[f->op][class], took_ns);
	if (class == CLASS_REFUSED)
		w->tally.reason[f->op][reason < REASON_MAX ? reason
							   : REASON_MAX - 1]++;
	if (class != CLASS_SUCCESS && class != CLASS_REFUSED &&
	    class != CLASS_WRONG)
		return;
	w->answered++;
	if (second < LOAD_SECONDS_MAX)
		w->second[second]++;
}

/* --- connections ---------------------------------------------------------- */

static enum err
watch(struct connection *c, int how, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};

	if (epoll_ctl(c->worker->poller, how, link_descriptor(c->link), &e) !=
	    0)
		return fault_say(
		    &c->worker->f, ERR_OPEN, "epoll: %s", strerror(errno));
	return OK;
}

static enum err
connection_open(struct connection *c)
{
	struct worker *w = c->worker;
	bool resume = w->plan->handshake == HANDSHAKE_RESUME;
	enum err rc = OK;

	c->up = false;
	c->out.octets = c->in.octets = c->sent = 0;
	TRY(link_begin(w->door, resume ? c->ticket : NULL, &c->link, &w->f));
	TRY(watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT));
out:
	return rc;
}

static void
connection_close(struct connection *c)
{
	struct ticket *t;

	if (c->link == NULL)
		return;
	t = link_take_ticket(c->link);
	if (t != NULL) {
		ticket_free(c->ticket);
		c->ticket = t;
	}
	link_drop(c->link);
	c->link = NULL;
}

static enum err
flush_out(struct connection *c)
{
	size_t left = c->out.octets - c->sent, sent;
	bool waited = c->sent > 0;
	enum err rc = OK;

	TRY(link_try_send(
	    c->link, (struct bytes){c->out.at + c->sent, left}, &sent));
	c->sent += sent;
	if (c->sent == c->out.octets) {
		c->out.octets = c->sent = 0;
		if (waited)
			TRY(watch(c, EPOLL_CTL_MOD, EPOLLIN));
	} else {
		TRY(watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT));
	}
out:
	return rc;
}

/* Ask the next thing. The link must be up, and the ring have room. */
static enum err
ask(struct connection *c, uint64_t due_ns)
{
	struct worker *w = c->worker;
	const struct load_plan *plan = w->plan;
	struct flight *f = &c->flight[(c->first + c->count) % plan->depth];

	if (plan->populating)
		mix_populate(w->number + w->issued * plan->threads, f);
	else
		mix_draw(plan->mix, &w->random, &w->serial, f);
	f->due_ns = due_ns;
	c->count++;
	w->issued++;
	mix_write(plan->mix, f, &c->out);
	return flush_out(c);
}

static bool
may_ask(const struct worker *w)
{
	return w->limit == 0 ? w->phase == PHASE_MEASURE : w->issued < w->limit;
}

/* A closed loop asks again as soon as there is room. */
static enum err
keep_busy(struct connection *c)
{
	struct worker *w = c->worker;
	bool open = w->plan->rate > 0 && w->phase == PHASE_MEASURE;
	enum err rc = OK;

	while (!open && c->up && c->count < w->plan->depth && may_ask(w))
		TRY(ask(c, now_ns()));
out:
	return rc;
}

/* The whole message that stands in front, judged; false: not all of it yet. */
static enum err
take_answer(struct connection *c, bool *taken)
{
	struct worker *w = c->worker;
	struct flight *f = &c->flight[c->first];
	size_t octets;
	uint32_t reason;
	enum load_class class;
	enum err rc = OK;

	*taken = false;
	if (c->in.octets < TTLV_HEADER_OCTETS)
		return OK;
	octets = TTLV_HEADER_OCTETS + bytes_number(c->in.at + 4, 4);
	if (octets > ANSWER_MAX || c->count == 0)
		TRY(ERR_SIZE);
	if (c->in.octets < octets)
		return OK;
	class = mix_judge(
	    w->plan->mix, f, (struct bytes){c->in.at, octets}, &reason);
	record(w, f, class, reason, now_ns());
	c->first = (c->first + 1) % w->plan->depth;
	c->count--;
	c->failures = 0;
	c->in.octets -= octets;
	memmove(c->in.at, c->in.at + octets, c->in.octets);
	*taken = true;
out:
	return rc;
}

static enum err
receive(struct connection *c)
{
	bool taken = false, more = true;
	size_t got;
	enum err rc = OK;

	while (more) {
		TRY(link_try_receive(c->link, buf_reserve(&c->in, READ_OCTETS),
		    READ_OCTETS, &got));
		c->in.octets += got;
		/* level-triggered: what is still in the socket wakes us again
		 */
		more = got > 0 && link_has_more(c->link);
		do
			TRY(take_answer(c, &taken));
		while (taken);
	}
out:
	return rc;
}

static enum err
came_up(struct connection *c)
{
	struct worker *w = c->worker;
	enum err rc = OK;

	c->up = true;
	if (w->phase == PHASE_MEASURE) {
		w->connected++;
		w->resumed += link_is_resumed(c->link);
	}
	TRY(watch(c, EPOLL_CTL_MOD, EPOLLIN));
	/* in handshake mode the request was due when connecting began */
	if (c->count > 0) {
		mix_write(w->plan->mix, &c->flight[c->first], &c->out);
		TRY(flush_out(c));
	}
out:
	return rc;
}

static enum err
advance(struct connection *c)
{
	enum link_wish wish;
	enum err rc = OK;

	TRY(link_advance(c->link, &wish));
	switch (wish) {
	case LINK_READY:
		TRY(came_up(c));
		break;
	case LINK_WANTS_READ:
		TRY(watch(c, EPOLL_CTL_MOD, EPOLLIN));
		break;
	case LINK_WANTS_WRITE:
		TRY(watch(c, EPOLL_CTL_MOD, EPOLLOUT));
		break;
	}
out:
	return rc;
}

/* --- a fresh connection for each request ---------------------------------- */

static bool
shakes(const struct worker *w)
{
	return w->plan->handshake != HANDSHAKE_NONE;
}

static enum err
shake(struct connection *c, uint64_t due_ns)
{
	struct worker *w = c->worker;
	struct flight *f = &c->flight[0];

	mix_draw(w->plan->mix, &w->random, &w->serial, f);
	f->due_ns = due_ns;
	c->first = 0;
	c->count = 1;
	w->issued++;
	return connection_open(c);
}

static enum err
shaken(struct connection *c)
{
	struct worker *w = c->worker;

	connection_close(c);
	if ((w->plan->rate > 0 && w->phase == PHASE_MEASURE) || !may_ask(w))
		return OK;
	return shake(c, now_ns());
}

/* The connection is gone, and what was under way with it. */
static enum err
connection_broke(struct connection *c, enum err why)
{
	struct worker *w = c->worker;
	uint64_t at_ns = now_ns();

	for (; c->count > 0; c->count--) {
		record(w, &c->flight[c->first], CLASS_CLOSED, 0, at_ns);
		c->first = (c->first + 1) % w->plan->depth;
	}
	if (++c->failures > FAILURES_MAX)
		return fault_say(&w->f, why, "%s, %u times one after the other",
		    err_text(why), c->failures);
	if (shakes(w))
		return shaken(c);
	connection_close(c);
	return connection_open(c);
}

/* --- the loop --------------------------------------------------------------
 */

static enum err
ready(struct connection *c, uint32_t events)
{
	struct worker *w = c->worker;
	enum err rc = OK;

	if (c->link == NULL)
		goto out; /* closed by what came before in the same batch */
	if (!c->up)
		rc = advance(c);
	else if ((events & EPOLLOUT) != 0 && c->out.octets > 0)
		rc = flush_out(c);
	if (rc == OK && c->up)
		rc = receive(c);
	if (rc == ERR_CLOSED || rc == ERR_HANDSHAKE || rc == ERR_SIZE) {
		TRY(connection_broke(c, rc));
		goto out;
	}
	TRY(rc);
	if (shakes(w) && c->up && c->count == 0)
		TRY(shaken(c));
	else if (!shakes(w))
		TRY(keep_busy(c));
out:
	return rc;
}

/* The next connection that has room, in turn; NULL: all are busy. */
static struct connection *
find_idle(struct worker *w)
{
	for (unsigned i = 0; i < w->connections; i++) {
		struct connection *c = &w->connection[w->idle_at];

		w->idle_at = (w->idle_at + 1) % w->connections;
		if (shakes(w) ? c->link == NULL
			      : c->up && c->count < w->plan->depth)
			return c;
	}
	return NULL;
}

/* Of one thread: so many requests a second, on the whole. */
static uint64_t
gap_ns(struct worker *w)
{
	double mean = 1e9 * w->plan->threads / w->plan->rate;
	double u = (double)((load_random(&w->random) >> 11) + 1) * 0x1p-53;

	return (uint64_t)(w->plan->poisson ? -log(u) * mean : mean);
}

/* Send what is due; how long nothing else will be, in ns. */
static enum err
send_due(struct worker *w, uint64_t *wait_ns)
{
	struct connection *c;
	uint64_t at_ns = now_ns();
	enum err rc = OK;

	*wait_ns = 100000000;
	while (w->next_due_ns < w->end_ns) {
		if (w->next_due_ns > at_ns &&
		    w->next_due_ns > (at_ns = now_ns())) {
			*wait_ns = w->next_due_ns - at_ns;
			break;
		}
		c = find_idle(w);
		w->starved |= c == NULL;
		if (c == NULL)
			break; /* an answer will wake us */
		/* our own fault only if somebody could have asked in time */
		if (!w->starved)
			hist_add(&w->lag, at_ns - w->next_due_ns);
		w->starved = false;
		TRY(shakes(w) ? shake(c, w->next_due_ns)
			      : ask(c, w->next_due_ns));
		w->next_due_ns += gap_ns(w);
	}
out:
	return rc;
}

static bool
is_over(const struct worker *w)
{
	if (w->phase == PHASE_CONNECT) {
		for (unsigned i = 0; i < w->connections; i++)
			if (!w->connection[i].up)
				return false;
		return true;
	}
	if (w->limit > 0)
		return w->finished >= w->limit;
	return now_ns() >= w->end_ns;
}

/* A server that says nothing more must not hold us for ever. */
static enum err
check_alive(struct worker *w, uint64_t *last_ns, uint64_t *last_finished)
{
	uint64_t at_ns = now_ns();
	uint64_t patience_ns =
	    (uint64_t)w->plan->target->answer_timeout_ms * 1000000;

	if (w->finished != *last_finished || w->phase == PHASE_MEASURE) {
		*last_finished = w->finished;
		*last_ns = at_ns;
	}
	if (at_ns - *last_ns <= patience_ns)
		return OK;
	return fault_say(&w->f, ERR_TIMEOUT, "no answer for %lld ms",
	    (long long)w->plan->target->answer_timeout_ms);
}

/* So long, but not past the end of the measuring. */
static uint64_t
until_end(const struct worker *w, uint64_t wait_ns)
{
	uint64_t at_ns = now_ns();

	if (w->phase != PHASE_MEASURE || w->limit > 0)
		return wait_ns;
	if (at_ns >= w->end_ns)
		return 0;
	return wait_ns < w->end_ns - at_ns ? wait_ns : w->end_ns - at_ns;
}

static enum err
loop(struct worker *w)
{
	const bool open = w->plan->rate > 0 && w->phase == PHASE_MEASURE;
	struct epoll_event events[EVENTS];
	uint64_t last_ns = now_ns(), last_finished = 0, wait_ns;
	enum err rc = OK;

	while (!is_over(w)) {
		struct timespec wait;
		int n;

		wait_ns = 100000000;
		if (open)
			TRY(send_due(w, &wait_ns));
		wait_ns = until_end(w, wait_ns);
		wait = (struct timespec){(time_t)(wait_ns / 1000000000),
		    (long)(wait_ns % 1000000000)};
		n = epoll_pwait2(w->poller, events, EVENTS, &wait, NULL);
		for (int i = 0; i < n; i++)
			TRY(ready(events[i].data.ptr, events[i].events));
		TRY(check_alive(w, &last_ns, &last_finished));
	}
out:
	return rc;
}

static enum err
run_phase(struct worker *w, enum phase phase, uint64_t limit)
{
	enum err rc = OK;

	w->phase = phase;
	w->issued = w->finished = 0;
	w->limit = limit;
	w->start_ns = now_ns();
	w->end_ns = w->start_ns + (uint64_t)(w->plan->seconds * 1e9);
	w->next_due_ns = w->start_ns + gap_ns(w) * w->number / w->plan->threads;
	for (unsigned i = 0; i < w->connections; i++) {
		struct connection *c = &w->connection[i];

		if (phase == PHASE_CONNECT)
			TRY(connection_open(c));
		else if (!shakes(w))
			TRY(keep_busy(c));
		else if (may_ask(w) &&
			 !(w->plan->rate > 0 && phase == PHASE_MEASURE))
			TRY(shake(c, w->start_ns));
	}
	TRY(loop(w));
out:
	return rc;
}

/* What was asked, or was to be, and had no answer when the time was over. */
static void
count_late(struct worker *w)
{
	const uint64_t end_ns = w->end_ns;
	const uint64_t patience_ns =
	    (uint64_t)w->plan->target->answer_timeout_ms * 1000000;
	struct flight f;

	for (unsigned i = 0; i < w->connections; i++) {
		struct connection *c = &w->connection[i];

		for (; c->count > 0; c->count--) {
			f = c->flight[c->first];
			c->first = (c->first + 1) % w->plan->depth;
			if (end_ns > f.due_ns + patience_ns)
				record(w, &f, CLASS_TIMEOUT, 0, end_ns);
			else if (w->plan->rate > 0)
				record(w, &f, CLASS_LATE, 0, end_ns);
		}
	}
	for (; w->plan->rate > 0 && w->next_due_ns < end_ns;
	     w->next_due_ns += gap_ns(w)) {
		mix_draw(w->plan->mix, &w->random, &w->serial, &f);
		f.due_ns = w->next_due_ns;
		record(w, &f, CLASS_LATE, 0, end_ns);
	}
}

/* The share of one thread, the first ones taking what is left over. */
static uint64_t
share(const struct worker *w, uint64_t all)
{
	return all / w->plan->threads + (w->number < all % w->plan->threads);
}

static enum err
work(struct worker *w)
{
	const struct load_plan *plan = w->plan;
	uint64_t cpu_ns;
	enum err rc = OK;

	if (!shakes(w))
		TRY(run_phase(w, PHASE_CONNECT, 0));
	if (share(w, plan->warm_up) > 0)
		TRY(run_phase(w, PHASE_WARM_UP, share(w, plan->warm_up)));
out:
	/* once to be counted as ready, once to begin */
	pthread_barrier_wait(w->barrier);
	pthread_barrier_wait(w->barrier);
	cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (rc == OK && (plan->count == 0 || share(w, plan->count) > 0)) {
		rc = run_phase(w, PHASE_MEASURE, share(w, plan->count));
		if (plan->count > 0)
			w->end_ns = now_ns();
		count_late(w);
	}
	w->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	return rc;
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	/* wake when asked, not up to 50 us later */
	prctl(PR_SET_TIMERSLACK, 1ul);
	w->rc = work(w);
	return NULL;
}

/* --- threads ---------------------------------------------------------------
 */

static void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; w->connection != NULL && i < w->connections; i++) {
		struct connection *c = &w->connection[i];

		connection_close(c);
		ticket_free(c->ticket);
		mem_free(c->flight);
		buf_clear(&c->in);
		buf_clear(&c->out);
	}
	mem_free(w->connection);
	door_free(w->door);
	if (w->poller >= 0)
		close(w->poller);
	mem_free(w);
}

static enum err
worker_new(const struct load_plan *plan, unsigned number,
    pthread_barrier_t *barrier, struct worker **out, struct fault *f)
{
	struct worker *w = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(w));
	w->plan = plan;
	w->number = number;
	w->barrier = barrier;
	w->poller = -1;
	w->connections = plan->connections / plan->threads +
			 (number < plan->connections % plan->threads);
	w->random = plan->seed + number;
	w->serial = (uint64_t)number << 32;
	hist_init(&w->lag);
	for (enum load_op op = 0; op < OP_COUNT; op++) {
		hist_init(&w->tally.all[op]);
		for (enum load_class c = 0; c < CLASS_COUNT; c++)
			hist_init(&w->tally.by_class[op][c]);
	}
	TRY(MEM_ARRAY(w->connection, w->connections));
	for (unsigned i = 0; i < w->connections; i++) {
		w->connection[i].worker = w;
		TRY(MEM_ARRAY(w->connection[i].flight, plan->depth));
	}
	TRY(door_new(plan->target, plan->identity, &w->door, f));
	w->poller = epoll_create1(EPOLL_CLOEXEC);
	if (w->poller < 0)
		TRY(fault_say(f, ERR_OPEN, "epoll: %s", strerror(errno)));
	*out = w;
	w = NULL; /* now the caller's */
out:
	worker_free(w);
	return rc;
}

static void
add_up(struct load_result *r, const struct worker *w)
{
	for (enum load_op op = 0; op < OP_COUNT; op++) {
		hist_merge(&r->tally->all[op], &w->tally.all[op]);
		for (enum load_class c = 0; c < CLASS_COUNT; c++)
			hist_merge(&r->tally->by_class[op][c],
			    &w->tally.by_class[op][c]);
		for (unsigned i = 0; i < REASON_MAX; i++)
			r->tally->reason[op][i] += w->tally.reason[op][i];
	}
	hist_merge(r->lag, &w->lag);
	for (size_t i = 0; i < LOAD_SECONDS_MAX; i++)
		r->second[i] += w->second[i];
	r->answered += w->answered;
	r->resumed += w->resumed;
	r->connected += w->connected;
}

static enum err
result_new(struct load_result **out)
{
	struct load_result *r = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(r));
	TRY(MEM_NEW(r->tally));
	TRY(MEM_NEW(r->lag));
	hist_init(r->lag);
	for (enum load_op op = 0; op < OP_COUNT; op++) {
		hist_init(&r->tally->all[op]);
		for (enum load_class c = 0; c < CLASS_COUNT; c++)
			hist_init(&r->tally->by_class[op][c]);
	}
	*out = r;
	r = NULL; /* now the caller's */
out:
	load_result_free(r);
	return rc;
}

void
load_result_free(struct load_result *r)
{
	if (r == NULL)
		return;
	mem_free(r->tally);
	mem_free(r->lag);
	mem_free(r);
}

static enum err
find_server_clock(const struct load_plan *plan, clockid_t *id, struct fault *f)
{
	if (plan->server_pid == 0)
		return OK;
	if (clock_getcpuclockid(plan->server_pid, id) != 0)
		return fault_say(
		    f, ERR_NOT_FOUND, "no process %d", plan->server_pid);
	return OK;
}

/* Start the threads, let them measure together, and wait for them. */
static enum err
run_threads(struct worker **w, unsigned count, const struct load_plan *plan,
    pthread_barrier_t *barrier, struct load_result *r, struct fault *f)
{
	clockid_t server = CLOCK_PROCESS_CPUTIME_ID;
	uint64_t start_ns, busiest_ns = 0, all_ns = 0, server_ns;
	enum err rc = OK;

	TRY(find_server_clock(plan, &server, f));
	for (unsigned i = 0; i < count; i++)
		/* half of them started would leave the rest at the barrier */
		if (pthread_create(&w[i]->thread, NULL, worker_main, w[i]) != 0)
			abort();
	pthread_barrier_wait(barrier);
	server_ns = clock_ns(server);
	start_ns = now_ns();
	pthread_barrier_wait(barrier);
	for (unsigned i = 0; i < count; i++)
		pthread_join(w[i]->thread, NULL);
	r->seconds = (double)(now_ns() - start_ns) / 1e9;
	server_ns = clock_ns(server) - server_ns;
	for (unsigned i = 0; i < count; i++) {
		add_up(r, w[i]);
		all_ns += w[i]->cpu_ns;
		if (w[i]->cpu_ns > busiest_ns)
			busiest_ns = w[i]->cpu_ns;
		if (rc == OK && w[i]->rc != OK) {
			rc = w[i]->rc;
			*f = w[i]->f;
		}
	}
	r->client_cpus = (double)busiest_ns / 1e9 / r->seconds;
	if (r->answered > 0) {
		r->client_us = (double)all_ns / 1e3 / (double)r->answered;
		r->server_us = (double)server_ns / 1e3 / (double)r->answered;
	}
out:
	return rc;
}

enum err
load_run(
    const struct load_plan *plan, struct load_result **out, struct fault *f)
{
	pthread_barrier_t barrier;
	struct load_result *r = NULL;
	struct worker **w = NULL;
	enum err rc = OK;

	*out = NULL;
	pthread_barrier_init(&barrier, NULL, plan->threads + 1);
	TRY(MEM_ARRAY(w, plan->threads));
	for (unsigned i = 0; i < plan->threads; i++)
		TRY(worker_new(plan, i, &barrier, &w[i], f));
	TRY(result_new(&r));
	TRY(run_threads(w, plan->threads, plan, &barrier, r, f));
	*out = r;
	r = NULL; /* now the caller's */
out:
	for (unsigned i = 0; w != NULL && i < plan->threads; i++)
		worker_free(w[i]);
	mem_free(w);
	load_result_free(r);
	pthread_barrier_destroy(&barrier);
	return rc;
}
