#include "device/syslog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/logs.h"
#include "device/transfer.h"

#define SOURCE "Syslog" /* in the system log */

enum {
	SERVERS = 2,
	/* spec: RFC 3164 4.1.1 */
	LOCAL0 = 16,
	INFORMATIONAL = 6,
	HOST_OCTETS = 256,
	PORT_OCTETS = 8,
	TAG_OCTETS = 32,
	HEADER_OCTETS = HOST_OCTETS + TAG_OCTETS + 64,
	AUDIT_OCTETS = 1024 * 1024, /* of one group */
	MESSAGE_OCTETS = HEADER_OCTETS + LOGS_LINE_MAX_OCTETS + 1,
	REASON_OCTETS = 128,
	DRAIN_OCTETS = 512,
	SENDS_PER_TURN = 128, /* to each server: others have to be served */
	ADDRESSES_MOST = 4,   /* of a name */
};

struct addresses {
	struct sockaddr_storage at[ADDRESSES_MOST];
	socklen_t octets[ADDRESSES_MOST];
	size_t count;
};

/* A name that a thread looks up, by itself: who asked may be gone. */
struct lookup {
	struct sink *sink; /* NULL: it is */
	char host[HOST_OCTETS];
	char port[PORT_OCTETS];
	int kind; /* SOCK_DGRAM or SOCK_STREAM */
	struct addresses found;
	int code; /* getaddrinfo's */
};

enum sink_state {
	SINK_IDLE,
	SINK_LOOKUP,
	SINK_CONNECTING,
	SINK_OPEN,
	SINK_WAITING, /* it failed */
};

/* A server by one protocol, for all logs that go there. */
struct sink {
	struct syslogs *of;
	struct sink *next;
	unsigned users; /* plans */
	char host[HOST_OCTETS];
	unsigned port;
	enum logs_protocol protocol;
	enum sink_state state;
	struct lookup *lookup;
	struct addresses addresses;
	size_t failures; /* one that fails makes room for the next */
	int fd;
	struct loop_fd *watch;
	struct loop_timer *timer; /* of the state */
	int64_t wait_ms;          /* after the next failure */
	struct buf queue;         /* messages, each with its line feed */
	/* TCP: of the first of them; UDP: of those that have gone */
	size_t sent_octets;
	bool is_full; /* the socket: it tells when it takes more */
	uint64_t lost;
	bool is_alarmed; /* the system log has a line about it */
	bool is_calm;    /* ... and is to have one that it is over */
	bool is_told;    /* ... in this turn */
	char reason[REASON_OCTETS];
};

/* Where the lines of a log go. */
struct plan {
	struct sink *sinks[SERVERS]; /* NULL: no server */
	unsigned facility;
};

/* The audit log's, for the sessions that began with it. */
struct audit_plan {
	struct plan plan;
	uint64_t number;
	unsigned sessions;
	bool is_old;
	struct audit_plan *next; /* the one before */
};

struct syslogs {
	struct appliance *appliance;
	struct loop_pool *pool; /* looks up names */
	struct logs_watch logs;
	struct settings_watch settings;
	struct plan plans[LOG_TYPE_COUNT]; /* but for the audit log */
	struct audit_plan *audit;          /* the settings' comes first */
	struct sink *sinks;
	struct loop_task flushing;
	struct loop_task leaving; /* sessions have ended */
	/* lines of the open group: number of the plan, length, octets */
	struct buf group;
	struct store_waiter waiter;
	bool waits;
};

/* ---- what the system log is told, in a turn of its own ---- */

static void
sink_alarm(struct sink *sink, const char *reason)
{
	if (sink->is_alarmed)
		return;
	sink->is_alarmed = true;
	sink->is_calm = false;
	sink->is_told = false;
	(void)snprintf(sink->reason, sizeof(sink->reason), "%s", reason);
	loop_later(sink->of->appliance->loop, &sink->of->flushing);
}

static void
sink_lose(struct sink *sink, const char *reason)
{
	sink->lost++;
	sink_alarm(sink, reason);
}

static void
sink_tell(struct sink *sink)
{
	struct appliance *appliance = sink->of->appliance;
	const char *protocol = sink->protocol == LOGS_TCP ? "tcp" : "udp";

	if (!sink->is_alarmed || sink->is_told)
		return;
	sink->is_told = true;
	if (!sink->is_calm) {
		logs_add_system(appliance, SOURCE,
		    "Messages to %s port %u (%s) do not get through: %s.",
		    sink->host, sink->port, protocol, sink->reason);
		return;
	}
	logs_add_system(appliance, SOURCE,
	    "Messages to %s port %u (%s) get through again; known to be lost: "
	    "%llu.",
	    sink->host, sink->port, protocol, (unsigned long long)sink->lost);
	sink->is_alarmed = false;
	sink->lost = 0;
}

/* ---- a server ---- */

static void
sink_close(struct sink *sink)
{
	if (sink->lookup != NULL)
		sink->lookup->sink = NULL;
	sink->lookup = NULL;
	loop_fd_free(sink->watch);
	sink->watch = NULL;
	if (sink->fd >= 0)
		(void)close(sink->fd);
	sink->fd = -1;
	if (sink->protocol == LOGS_UDP)
		buf_drop(&sink->queue, sink->sent_octets);
	sink->sent_octets = 0;
	sink->is_full = false;
	sink->state = SINK_IDLE;
}

static void
sink_fail(struct sink *sink, const char *reason)
{
	struct loop *loop = sink->of->appliance->loop;

	sink_close(sink);
	sink->state = SINK_WAITING;
	sink->failures++;
	sink_alarm(sink, reason);
	loop_timer_set(sink->timer, loop_now_ms(loop) + sink->wait_ms);
	sink->wait_ms *= 2;
	if (sink->wait_ms > SYSLOG_MOST_MS)
		sink->wait_ms = SYSLOG_MOST_MS;
}

/* The first message that has not gone, without its line feed.
 * false: no more of it now. */
static bool
send_datagram(struct sink *sink)
{
	const uint8_t *at = sink->queue.at + sink->sent_octets;
	const uint8_t *end =
	    memchr(at, '\n', sink->queue.octets - sink->sent_octets);
	size_t octets = (size_t)(end - at);
	ssize_t sent = send(sink->fd, at, octets, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno == EAGAIN)
		return false;
	if (sent < 0 && errno == ECONNREFUSED) {
		/* as in sink_drain */
		sink->lost++;
		sink_fail(sink, strerror(errno));
		return false;
	}
	if (sent < 0)
		sink_lose(sink, strerror(errno));
	sink->sent_octets += octets + 1;
	return true;
}

/* What has gone is dropped in whole messages: a new connection begins with one.
 */
static bool
send_stream(struct sink *sink)
{
	size_t left = sink->queue.octets - sink->sent_octets;
	ssize_t sent = send(sink->fd, sink->queue.at + sink->sent_octets, left,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	const uint8_t *end;
	size_t gone;

	if (sent < 0 && errno == EAGAIN)
		return false;
	if (sent < 0) {
		sink_fail(sink, strerror(errno));
		return false;
	}
	gone = sink->sent_octets + (size_t)sent;
	end = memrchr(sink->queue.at, '\n', gone);
	sink->sent_octets = gone;
	if (end != NULL) {
		size_t whole = (size_t)(end - sink->queue.at) + 1;

		buf_drop(&sink->queue, whole);
		sink->sent_octets -= whole;
	}
	return true;
}

static void
sink_send(struct sink *sink)
{
	bool (*send_some)(struct sink * sink) =
	    sink->protocol == LOGS_TCP ? send_stream : send_datagram;
	unsigned sends = 0;
	enum err rc = OK;

	while (sink->state == SINK_OPEN &&
	       sink->sent_octets < sink->queue.octets &&
	       sends++ < SENDS_PER_TURN)
		if (!send_some(sink))
			break;
	if (sink->state != SINK_OPEN)
		return;
	if (sink->protocol == LOGS_UDP) {
		buf_drop(&sink->queue, sink->sent_octets);
		sink->sent_octets = 0;
	}
	sink->is_full = sink->queue.octets != 0;
	rc = loop_fd_want(
	    sink->watch, LOOP_READ | (sink->is_full ? LOOP_WRITE : 0));
	if (rc != OK)
		sink_fail(sink, err_text(rc));
}

static void
sink_opened(struct sink *sink)
{
	struct loop *loop = sink->of->appliance->loop;

	sink->state = SINK_OPEN;
	loop_timer_set(sink->timer, loop_now_ms(loop) + SYSLOG_CALM_MS);
	sink_send(sink);
}

/* A server says nothing; what it says is thrown away, its end is seen. */
static void
sink_drain(struct sink *sink)
{
	char room[DRAIN_OCTETS];
	ssize_t got;

	got = recv(sink->fd, room, sizeof(room), MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got < 0) {
		/* UDP: the answer to one that went before */
		sink->lost += errno == ECONNREFUSED;
		sink_fail(sink, strerror(errno));
	} else if (got == 0 && sink->protocol == LOGS_TCP)
		sink_fail(sink, "the server closed the connection");
}

static void sink_connect(struct sink *sink);

/* Not at this address: the others are tried before it counts as a failure. */
static void
sink_refused(struct sink *sink, const char *reason)
{
	if (sink->protocol != LOGS_TCP ||
	    (sink->failures + 1) % sink->addresses.count == 0) {
		sink_fail(sink, reason);
		return;
	}
	sink_close(sink);
	sink->failures++;
	sink_connect(sink);
}

static void
sink_ready(void *ctx, unsigned ready)
{
	struct sink *sink = ctx;
	socklen_t octets = sizeof(int);
	int error = 0;

	if (sink->state == SINK_CONNECTING) {
		(void)getsockopt(
		    sink->fd, SOL_SOCKET, SO_ERROR, &error, &octets);
		if (error != 0)
			sink_refused(sink, strerror(error));
		else
			sink_opened(sink);
		return;
	}
	if ((ready & LOOP_READ) != 0)
		sink_drain(sink);
	if (sink->state == SINK_OPEN && (ready & LOOP_WRITE) != 0)
		sink_send(sink);
}

static void
sink_connect(struct sink *sink)
{
	struct loop *loop = sink->of->appliance->loop;
	bool is_stream = sink->protocol == LOGS_TCP;
	size_t k = sink->failures % sink->addresses.count;
	const struct sockaddr_storage *address = &sink->addresses.at[k];
	enum err rc = OK;

	sink->fd = socket(address->ss_family,
	    (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK |
		SOCK_CLOEXEC,
	    0);
	if (sink->fd < 0 || (connect(sink->fd, (const struct sockaddr *)address,
				 sink->addresses.octets[k]) != 0 &&
				errno != EINPROGRESS)) {
		sink_refused(sink, strerror(errno));
		return;
	}
	rc = loop_fd_new(loop, sink->fd,
	    is_stream ? LOOP_READ | LOOP_WRITE : LOOP_READ, sink_ready, sink,
	    &sink->watch);
	if (rc != OK) {
		sink_fail(sink, err_text(rc));
		return;
	}
	if (!is_stream) {
		sink_opened(sink);
		return;
	}
	sink->state = SINK_CONNECTING;
	loop_timer_set(sink->timer, loop_now_ms(loop) + SYSLOG_CONNECT_MS);
}

/* ---- its address ---- */

static void
look_up(struct lookup *lookup, int flags)
{
	const struct addrinfo hints = {
	    .ai_socktype = lookup->kind, .ai_flags = flags | AI_NUMERICSERV};
	struct addresses *out = &lookup->found;
	struct addrinfo *found = NULL;
	const struct addrinfo *one;

	lookup->code = getaddrinfo(lookup->host, lookup->port, &hints, &found);
	if (lookup->code != 0)
		return;
	for (one = found; one != NULL && out->count < ADDRESSES_MOST;
	     one = one->ai_next) {
		memcpy(&out->at[out->count], one->ai_addr, one->ai_addrlen);
		out->octets[out->count++] = one->ai_addrlen;
	}
	freeaddrinfo(found);
}

static void
lookup_work(void *ctx)
{
	look_up(ctx, 0);
}

static void
lookup_done(void *ctx, enum err rc)
{
	struct lookup *lookup = ctx;
	struct sink *sink = lookup->sink;

	if (sink != NULL)
		sink->lookup = NULL;
	if (sink != NULL && rc == OK) {
		sink->addresses = lookup->found;
		if (lookup->code == 0)
			sink_connect(sink);
		else
			sink_fail(sink, gai_strerror(lookup->code));
	}
	mem_free(lookup);
}

/* An address is one at once; a name may take a server of names long. */
static enum err
sink_find(struct sink *sink)
{
	struct lookup *lookup = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(lookup));
	(void)snprintf(lookup->host, sizeof(lookup->host), "%s", sink->host);
	(void)snprintf(lookup->port, sizeof(lookup->port), "%u", sink->port);
	lookup->kind = sink->protocol == LOGS_TCP ? SOCK_STREAM : SOCK_DGRAM;
	look_up(lookup, AI_NUMERICHOST);
	if (lookup->code == 0) {
		sink->addresses = lookup->found;
		sink_connect(sink);
		goto out;
	}
	lookup->sink = sink;
	TRY(loop_submit(sink->of->pool, lookup_work, lookup_done, lookup));
	sink->lookup = lookup;
	sink->state = SINK_LOOKUP;
	lookup = NULL; /* the job's */
out:
	mem_free(lookup);
	return rc;
}

static void
sink_open(struct sink *sink)
{
	enum err rc = sink_find(sink);

	if (rc != OK)
		sink_fail(sink, err_text(rc));
}

static void
sink_due(void *ctx)
{
	struct sink *sink = ctx;

	switch (sink->state) {
	case SINK_CONNECTING:
		sink_refused(sink, strerror(ETIMEDOUT));
		return;
	case SINK_OPEN: /* for so long */
		sink->wait_ms = SYSLOG_FIRST_MS;
		sink->is_calm = true;
		sink->is_told = false;
		sink_tell(sink);
		return;
	case SINK_WAITING:
		sink->state = SINK_IDLE;
		sink_open(sink);
		return;
	case SINK_IDLE:
	case SINK_LOOKUP:
		return;
	}
}

/* ---- servers come and go with the settings ---- */

static enum err
sink_new(struct syslogs *syslogs, const char *host, unsigned port,
    enum logs_protocol protocol, struct sink **out)
{
	struct sink *sink = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(sink));
	sink->of = syslogs;
	sink->fd = -1;
	sink->wait_ms = SYSLOG_FIRST_MS;
	(void)snprintf(sink->host, sizeof(sink->host), "%s", host);
	sink->port = port;
	sink->protocol = protocol;
	buf_init(&sink->queue, SYSLOG_QUEUE_OCTETS);
	TRY(loop_timer_new(
	    syslogs->appliance->loop, sink_due, sink, &sink->timer));
	loop_timer_patient(sink->timer);
	sink->next = syslogs->sinks;
	syslogs->sinks = sink;
	*out = sink;
	sink = NULL;
out:
	mem_free(sink);
	return rc;
}

static enum err
sink_use(struct syslogs *syslogs, const char *host, unsigned port,
    enum logs_protocol protocol, struct sink **out)
{
	struct sink *sink;
	enum err rc = OK;

	for (sink = syslogs->sinks; sink != NULL; sink = sink->next)
		if (sink->port == port && sink->protocol == protocol &&
		    strcmp(sink->host, host) == 0)
			break;
	if (sink == NULL)
		TRY(sink_new(syslogs, host, port, protocol, &sink));
	sink->users++;
	*out = sink;
out:
	return rc;
}

static void
sink_leave(struct sink *sink)
{
	struct sink **p;

	if (sink == NULL || --sink->users != 0)
		return;
	for (p = &sink->of->sinks; *p != sink; p = &(*p)->next)
		;
	*p = sink->next;
	sink_close(sink);
	loop_timer_free(sink->timer);
	buf_clear(&sink->queue);
	mem_free(sink);
}

/* ---- plans ---- */

static const struct {
	enum logs_field host;
	enum logs_field port;
	enum logs_field protocol;
} servers[SERVERS] = {
    {LOGS_SERVER_1, LOGS_PORT_1, LOGS_PROTOCOL_1},
    {LOGS_SERVER_2, LOGS_PORT_2, LOGS_PROTOCOL_2},
};

static void
plan_leave(struct plan *plan)
{
	size_t k;

	for (k = 0; k < SERVERS; k++)
		sink_leave(plan->sinks[k]);
	*plan = (struct plan){{NULL}, 0};
}

/* As the settings are. req: KS-20-048 KS-20-049 KS-20-098 KS-20-100 KS-AA-045
 * req: KS-AA-057 */
static enum err
plan_read(struct syslogs *syslogs, enum log_type type, struct plan *plan)
{
	const struct settings *settings = syslogs->appliance->settings;
	size_t k;
	enum err rc = OK;

	*plan = (struct plan){{NULL}, 0};
	plan->facility = LOCAL0 + (unsigned)setting_number(settings,
				      logs_setting(type, LOGS_FACILITY));
	if (setting_number(settings, logs_setting(type, LOGS_SYSLOG)) == 0)
		goto out;
	for (k = 0; k < SERVERS; k++) {
		const char *host =
		    setting_text(settings, logs_setting(type, servers[k].host));
		int64_t port = setting_number(
		    settings, logs_setting(type, servers[k].port));
		int64_t protocol = setting_number(
		    settings, logs_setting(type, servers[k].protocol));

		if (host[0] != '\0')
			TRY(sink_use(syslogs, host, (unsigned)port,
			    (enum logs_protocol)protocol, &plan->sinks[k]));
	}
out:
	if (rc != OK)
		plan_leave(plan);
	return rc;
}

static enum err
audit_plan_new(struct syslogs *syslogs)
{
	struct audit_plan *plan = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(plan));
	TRY(plan_read(syslogs, LOG_AUDIT, &plan->plan));
	plan->number = syslogs->audit != NULL ? syslogs->audit->number + 1 : 1;
	plan->next = syslogs->audit;
	syslogs->audit = plan;
	plan = NULL;
out:
	mem_free(plan);
	return rc;
}

/* Plans that no session has any more, but for the settings' own. */
static void
audit_plans_drop(struct syslogs *syslogs)
{
	struct audit_plan **p = &syslogs->audit;
	bool again = false;

	while (*p != NULL) {
		struct audit_plan *plan = *p;

		if (plan == syslogs->audit || plan->sessions != 0) {
			p = &plan->next;
			continue;
		}
		/* the session's last lines are durable a turn later */
		if (!plan->is_old || syslogs->waits) {
			plan->is_old = again = true;
			p = &plan->next;
			continue;
		}
		*p = plan->next;
		plan_leave(&plan->plan);
		mem_free(plan);
	}
	if (again)
		loop_later(syslogs->appliance->loop, &syslogs->leaving);
}

static void
sessions_left(void *ctx)
{
	audit_plans_drop(ctx);
}

/* The settings' own where that one is gone. */
static struct plan *
audit_plan_find(struct syslogs *syslogs, uint64_t number)
{
	struct audit_plan *plan;

	for (plan = syslogs->audit; plan != NULL; plan = plan->next)
		if (plan->number == number)
			return &plan->plan;
	return &syslogs->audit->plan;
}

/* req: KS-20-055 KS-20-056 */
static void
followed(void *ctx, enum setting which)
{
	struct syslogs *syslogs = ctx;
	struct plan plan;
	enum logs_field field;
	enum log_type type;
	enum err rc = OK;

	if (!logs_setting_of(which, &type, &field) || field < LOGS_SYSLOG ||
	    field > LOGS_FACILITY)
		return;
	if (type == LOG_AUDIT) {
		TRY(audit_plan_new(syslogs));
		audit_plans_drop(syslogs);
	} else {
		TRY(plan_read(syslogs, type, &plan));
		plan_leave(&syslogs->plans[type]);
		syslogs->plans[type] = plan;
	}
out:
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "syslog settings are not followed: %s", err_text(rc));
}

/* ---- messages ---- */

/* spec: RFC 3164 4.1 req: KS-20-058 KS-20-059 KS-20-061 */
static size_t
write_message(struct syslogs *syslogs, enum log_type type, unsigned facility,
    struct bytes line, char out[MESSAGE_OCTETS])
{
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct appliance *appliance = syslogs->appliance;
	char stamp[CLOCK_TEXT_OCTETS]; /* yyyy-mm-dd hh:mm:ss */
	char tag[TAG_OCTETS];
	const char *from = log_row(type)->title;
	char *to = tag;
	size_t used;

	clock_text(appliance->clock, env_wall_s(appliance->env), stamp);
	for (; *from != '\0'; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	used = (size_t)snprintf(out, HEADER_OCTETS,
	    "<%u>%s %c%c %s %s %s: ", facility * 8 + INFORMATIONAL,
	    months[(stamp[5] - '0') * 10 + stamp[6] - '0' - 1],
	    stamp[8] == '0' ? ' ' : stamp[8], stamp[9], stamp + 11,
	    setting_text(appliance->settings, SETTING_HOST_NAME), tag);
	memcpy(out + used, line.at, line.octets);
	used += line.octets;
	out[used++] = '\n';
	return used;
}

static void
plan_send(struct syslogs *syslogs, const struct plan *plan, enum log_type type,
    struct bytes line)
{
	char message[MESSAGE_OCTETS];
	struct bytes octets = {(const uint8_t *)message, 0};
	size_t k;

	for (k = 0; k < SERVERS; k++) {
		struct sink *sink = plan->sinks[k];

		if (sink == NULL)
			continue;
		if (octets.octets == 0)
			octets.octets = write_message(
			    syslogs, type, plan->facility, line, message);
		if (buf_put(&sink->queue, octets) != OK)
			sink_lose(sink, "the queue is full");
		loop_later(syslogs->appliance->loop, &syslogs->flushing);
	}
}

/* What a turn has queued goes out in the next, in few system calls. */
static void
flush(void *ctx)
{
	struct syslogs *syslogs = ctx;
	struct sink *sink;

	for (sink = syslogs->sinks; sink != NULL; sink = sink->next) {
		if (sink->queue.octets != 0 && sink->state == SINK_IDLE)
			sink_open(sink);
		else if (sink->queue.octets != 0 && sink->state == SINK_OPEN &&
			 !sink->is_full)
			sink_send(sink);
		sink_tell(sink);
	}
}

static void
added(void *ctx, enum log_type type, struct bytes line)
{
	struct syslogs *syslogs = ctx;

	if (type != LOG_AUDIT)
		plan_send(syslogs, &syslogs->plans[type], type, line);
}

/* ---- the audit log ---- */

struct group_line {
	uint64_t plan;
	size_t octets;
};

static void
group_ended(struct store_waiter *waiter, enum err rc)
{
	struct syslogs *syslogs = waiter->ctx;
	struct bytes left = buf_peek(&syslogs->group);
	struct bytes head;
	struct bytes line;
	struct group_line about;

	syslogs->waits = false;
	while (rc == OK && left.octets != 0) {
		if (bytes_split(&left, sizeof(about), &head) != OK)
			break;
		memcpy(&about, head.at, sizeof(about));
		if (bytes_split(&left, about.octets, &line) != OK)
			break;
		plan_send(syslogs, audit_plan_find(syslogs, about.plan),
		    LOG_AUDIT, line);
	}
	buf_reset(&syslogs->group);
}

/* A line too many for memory is one that is lost: the log itself has it. */
void
syslog_audit(struct appliance *appliance, uint64_t session, struct bytes line)
{
	struct syslogs *syslogs = appliance->syslogs;
	struct group_line about = {session, line.octets};
	struct bytes head = {(const uint8_t *)&about, sizeof(about)};
	uint8_t *tail;
	size_t k;
	enum err rc = OK;

	if (syslogs == NULL)
		return;
	if (about.plan == 0)
		about.plan = syslogs->audit->number;
	TRY(buf_reserve(&syslogs->group, head.octets + line.octets, &tail));
	memcpy(tail, head.at, head.octets);
	memcpy(tail + head.octets, line.at, line.octets);
	buf_added(&syslogs->group, head.octets + line.octets);
	if (!syslogs->waits) {
		syslogs->waiter.done = group_ended;
		syslogs->waiter.ctx = syslogs;
		store_wait(appliance->store, &syslogs->waiter);
		syslogs->waits = true;
	}
	return;
out:
	for (k = 0; k < SERVERS; k++) {
		struct sink *sink =
		    audit_plan_find(syslogs, about.plan)->sinks[k];

		if (sink != NULL)
			sink_lose(sink, err_text(rc));
	}
}

uint64_t
syslog_session_begin(struct appliance *appliance)
{
	struct syslogs *syslogs = appliance->syslogs;

	if (syslogs == NULL)
		return 0;
	syslogs->audit->sessions++;
	return syslogs->audit->number;
}

void
syslog_session_end(struct appliance *appliance, uint64_t session)
{
	struct syslogs *syslogs = appliance->syslogs;
	struct audit_plan *plan;

	if (syslogs == NULL)
		return;
	for (plan = syslogs->audit; plan != NULL; plan = plan->next)
		if (plan->number == session)
			plan->sessions--;
	audit_plans_drop(syslogs);
}

/* ---- the appliance's ---- */

enum err
syslogs_new(struct appliance *appliance, struct syslogs **out)
{
	struct syslogs *syslogs = NULL;
	unsigned k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(syslogs));
	syslogs->appliance = appliance;
	buf_init(&syslogs->group, AUDIT_OCTETS);
	syslogs->flushing = (struct loop_task){.fn = flush, .ctx = syslogs};
	syslogs->leaving =
	    (struct loop_task){.fn = sessions_left, .ctx = syslogs};
	TRY(loop_pool_new(appliance->loop, "syslog", 1, &syslogs->pool));
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		if (k != LOG_AUDIT)
			TRY(plan_read(
			    syslogs, (enum log_type)k, &syslogs->plans[k]));
	TRY(audit_plan_new(syslogs));
	syslogs->logs = (struct logs_watch){.added = added, .ctx = syslogs};
	logs_watch(appliance, &syslogs->logs);
	syslogs->settings =
	    (struct settings_watch){.follow = followed, .ctx = syslogs};
	settings_watch(appliance->settings, &syslogs->settings);
	*out = syslogs;
	syslogs = NULL;
out:
	syslogs_free(syslogs);
	return rc;
}

void
syslogs_free(struct syslogs *syslogs)
{
	unsigned k;

	if (syslogs == NULL)
		return;
	if (syslogs->waits)
		store_unwait(syslogs->appliance->store, &syslogs->waiter);
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		plan_leave(&syslogs->plans[k]);
	while (syslogs->audit != NULL) {
		struct audit_plan *plan = syslogs->audit;

		syslogs->audit = plan->next;
		plan_leave(&plan->plan);
		mem_free(plan);
	}
	loop_task_cancel(&syslogs->flushing);
	loop_task_cancel(&syslogs->leaving);
	buf_clear(&syslogs->group);
	mem_free(syslogs); /* the loop has the pool */
}
