#include "device/syslog_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "device/appliance.h"

#define SOURCE "Syslog" /* in the system log */

enum {
	HOST_OCTETS = 256,
	PORT_OCTETS = 8,
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
	struct syslog_server *server; /* NULL: it is */
	char host[HOST_OCTETS];
	char port[PORT_OCTETS];
	int kind; /* SOCK_DGRAM or SOCK_STREAM */
	struct addresses found;
	int code; /* getaddrinfo's */
};

enum server_state {
	SERVER_IDLE,
	SERVER_LOOKUP,
	SERVER_CONNECTING,
	SERVER_OPEN,
	SERVER_WAITING, /* it failed */
};

/* A server by one protocol, for all logs that go there. */
struct syslog_server {
	struct syslog_servers *of;
	struct syslog_server *next;
	unsigned users; /* plans */
	char host[HOST_OCTETS];
	unsigned port;
	enum logs_protocol protocol;
	enum server_state state;
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

struct syslog_servers {
	struct appliance *appliance;
	struct loop_pool *pool; /* looks up names */
	struct syslog_server *first;
	struct loop_task flushing;
};

/* ---- what the system log is told, in a turn of its own ---- */

static void
server_alarm(struct syslog_server *server, const char *reason)
{
	if (server->is_alarmed)
		return;
	server->is_alarmed = true;
	server->is_calm = false;
	server->is_told = false;
	(void)snprintf(server->reason, sizeof(server->reason), "%s", reason);
	loop_later(server->of->appliance->loop, &server->of->flushing);
}

void
syslog_server_lose(struct syslog_server *server, const char *reason)
{
	server->lost++;
	server_alarm(server, reason);
}

static void
server_tell(struct syslog_server *server)
{
	struct appliance *appliance = server->of->appliance;
	const char *protocol = server->protocol == LOGS_TCP ? "tcp" : "udp";

	if (!server->is_alarmed || server->is_told)
		return;
	server->is_told = true;
	if (!server->is_calm) {
		logs_add_system(appliance, SOURCE,
		    "Messages to %s port %u (%s) do not get through: %s.",
		    server->host, server->port, protocol, server->reason);
		return;
	}
	logs_add_system(appliance, SOURCE,
	    "Messages to %s port %u (%s) get through again; known to be lost: "
	    "%llu.",
	    server->host, server->port, protocol,
	    (unsigned long long)server->lost);
	server->is_alarmed = false;
	server->lost = 0;
}

/* ---- a server ---- */

static void
server_close(struct syslog_server *server)
{
	if (server->lookup != NULL)
		server->lookup->server = NULL;
	server->lookup = NULL;
	loop_fd_free(server->watch);
	server->watch = NULL;
	if (server->fd >= 0)
		(void)close(server->fd);
	server->fd = -1;
	if (server->protocol == LOGS_UDP)
		buf_drop(&server->queue, server->sent_octets);
	server->sent_octets = 0;
	server->is_full = false;
	server->state = SERVER_IDLE;
}

static void
server_fail(struct syslog_server *server, const char *reason)
{
	struct loop *loop = server->of->appliance->loop;

	server_close(server);
	server->state = SERVER_WAITING;
	server->failures++;
	server_alarm(server, reason);
	loop_timer_set(server->timer, loop_now_ms(loop) + server->wait_ms);
	server->wait_ms *= 2;
	if (server->wait_ms > SYSLOG_MOST_MS)
		server->wait_ms = SYSLOG_MOST_MS;
}

/* The first message that has not gone, without its line feed.
 * false: no more of it now. */
static bool
send_datagram(struct syslog_server *server)
{
	const uint8_t *at = server->queue.at + server->sent_octets;
	const uint8_t *end =
	    memchr(at, '\n', server->queue.octets - server->sent_octets);
	size_t octets = (size_t)(end - at);
	ssize_t sent =
	    send(server->fd, at, octets, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno == EAGAIN)
		return false;
	if (sent < 0 && errno == ECONNREFUSED) {
		/* as in server_drain */
		server->lost++;
		server_fail(server, strerror(errno));
		return false;
	}
	if (sent < 0)
		syslog_server_lose(server, strerror(errno));
	server->sent_octets += octets + 1;
	return true;
}

/* What has gone is dropped in whole messages: a new connection begins with one.
 */
static bool
send_stream(struct syslog_server *server)
{
	size_t left = server->queue.octets - server->sent_octets;
	ssize_t sent = send(server->fd, server->queue.at + server->sent_octets,
	    left, MSG_DONTWAIT | MSG_NOSIGNAL);
	const uint8_t *end;
	size_t gone;

	if (sent < 0 && errno == EAGAIN)
		return false;
	if (sent < 0) {
		server_fail(server, strerror(errno));
		return false;
	}
	gone = server->sent_octets + (size_t)sent;
	end = memrchr(server->queue.at, '\n', gone);
	server->sent_octets = gone;
	if (end != NULL) {
		size_t whole = (size_t)(end - server->queue.at) + 1;

		buf_drop(&server->queue, whole);
		server->sent_octets -= whole;
	}
	return true;
}

static void
server_send(struct syslog_server *server)
{
	bool (*send_some)(struct syslog_server * server) =
	    server->protocol == LOGS_TCP ? send_stream : send_datagram;
	unsigned sends = 0;
	enum err rc = OK;

	while (server->state == SERVER_OPEN &&
	       server->sent_octets < server->queue.octets &&
	       sends++ < SENDS_PER_TURN)
		if (!send_some(server))
			break;
	if (server->state != SERVER_OPEN)
		return;
	if (server->protocol == LOGS_UDP) {
		buf_drop(&server->queue, server->sent_octets);
		server->sent_octets = 0;
	}
	server->is_full = server->queue.octets != 0;
	rc = loop_fd_want(
	    server->watch, LOOP_READ | (server->is_full ? LOOP_WRITE : 0));
	if (rc != OK)
		server_fail(server, err_text(rc));
}

static void
server_opened(struct syslog_server *server)
{
	struct loop *loop = server->of->appliance->loop;

	server->state = SERVER_OPEN;
	loop_timer_set(server->timer, loop_now_ms(loop) + SYSLOG_CALM_MS);
	server_send(server);
}

/* A server says nothing; what it says is thrown away, its end is seen. */
static void
server_drain(struct syslog_server *server)
{
	char room[DRAIN_OCTETS];
	ssize_t got;

	got = recv(server->fd, room, sizeof(room), MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got < 0) {
		/* UDP: the answer to one that went before */
		server->lost += errno == ECONNREFUSED;
		server_fail(server, strerror(errno));
	} else if (got == 0 && server->protocol == LOGS_TCP)
		server_fail(server, "the server closed the connection");
}

static void server_connect(struct syslog_server *server);

/* Not at this address: the others are tried before it counts as a failure. */
static void
server_refused(struct syslog_server *server, const char *reason)
{
	if (server->protocol != LOGS_TCP ||
	    (server->failures + 1) % server->addresses.count == 0) {
		server_fail(server, reason);
		return;
	}
	server_close(server);
	server->failures++;
	server_connect(server);
}

static void
server_ready(void *ctx, unsigned ready)
{
	struct syslog_server *server = ctx;
	socklen_t octets = sizeof(int);
	int error = 0;

	if (server->state == SERVER_CONNECTING) {
		(void)getsockopt(
		    server->fd, SOL_SOCKET, SO_ERROR, &error, &octets);
		if (error != 0)
			server_refused(server, strerror(error));
		else
			server_opened(server);
		return;
	}
	if ((ready & LOOP_READ) != 0)
		server_drain(server);
	if (server->state == SERVER_OPEN && (ready & LOOP_WRITE) != 0)
		server_send(server);
}

static void
server_connect(struct syslog_server *server)
{
	struct loop *loop = server->of->appliance->loop;
	bool is_stream = server->protocol == LOGS_TCP;
	size_t k = server->failures % server->addresses.count;
	const struct sockaddr_storage *address = &server->addresses.at[k];
	enum err rc = OK;

	server->fd = socket(address->ss_family,
	    (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK |
		SOCK_CLOEXEC,
	    0);
	if (server->fd < 0 ||
	    (connect(server->fd, (const struct sockaddr *)address,
		 server->addresses.octets[k]) != 0 &&
		errno != EINPROGRESS)) {
		server_refused(server, strerror(errno));
		return;
	}
	rc = loop_fd_new(loop, server->fd,
	    is_stream ? LOOP_READ | LOOP_WRITE : LOOP_READ, server_ready,
	    server, &server->watch);
	if (rc != OK) {
		server_fail(server, err_text(rc));
		return;
	}
	if (!is_stream) {
		server_opened(server);
		return;
	}
	server->state = SERVER_CONNECTING;
	loop_timer_set(server->timer, loop_now_ms(loop) + SYSLOG_CONNECT_MS);
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
	struct syslog_server *server = lookup->server;

	if (server != NULL)
		server->lookup = NULL;
	if (server != NULL && rc == OK) {
		server->addresses = lookup->found;
		if (lookup->code == 0)
			server_connect(server);
		else
			server_fail(server, gai_strerror(lookup->code));
	}
	mem_free(lookup);
}

/* An address is one at once; a name may take a server of names long. */
static enum err
server_find(struct syslog_server *server)
{
	struct lookup *lookup = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(lookup));
	(void)snprintf(lookup->host, sizeof(lookup->host), "%s", server->host);
	(void)snprintf(lookup->port, sizeof(lookup->port), "%u", server->port);
	lookup->kind = server->protocol == LOGS_TCP ? SOCK_STREAM : SOCK_DGRAM;
	look_up(lookup, AI_NUMERICHOST);
	if (lookup->code == 0) {
		server->addresses = lookup->found;
		server_connect(server);
		goto out;
	}
	lookup->server = server;
	TRY(loop_submit(server->of->pool, lookup_work, lookup_done, lookup));
	server->lookup = lookup;
	server->state = SERVER_LOOKUP;
	lookup = NULL; /* the job's */
out:
	mem_free(lookup);
	return rc;
}

static void
server_open(struct syslog_server *server)
{
	enum err rc = server_find(server);

	if (rc != OK)
		server_fail(server, err_text(rc));
}

static void
server_due(void *ctx)
{
	struct syslog_server *server = ctx;

	switch (server->state) {
	case SERVER_CONNECTING:
		server_refused(server, strerror(ETIMEDOUT));
		return;
	case SERVER_OPEN: /* for so long */
		server->wait_ms = SYSLOG_FIRST_MS;
		server->is_calm = true;
		server->is_told = false;
		server_tell(server);
		return;
	case SERVER_WAITING:
		server->state = SERVER_IDLE;
		server_open(server);
		return;
	case SERVER_IDLE:
	case SERVER_LOOKUP:
		return;
	}
}

/* ---- servers come and go with the settings ---- */

static enum err
server_new(struct syslog_servers *servers, const char *host, unsigned port,
    enum logs_protocol protocol, struct syslog_server **out)
{
	struct syslog_server *server = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(server));
	server->of = servers;
	server->fd = -1;
	server->wait_ms = SYSLOG_FIRST_MS;
	(void)snprintf(server->host, sizeof(server->host), "%s", host);
	server->port = port;
	server->protocol = protocol;
	buf_init(&server->queue, SYSLOG_QUEUE_OCTETS);
	TRY(loop_timer_new(
	    servers->appliance->loop, server_due, server, &server->timer));
	loop_timer_patient(server->timer);
	server->next = servers->first;
	servers->first = server;
	*out = server;
	server = NULL;
out:
	mem_free(server);
	return rc;
}

enum err
syslog_server_use(struct syslog_servers *servers, const char *host,
    unsigned port, enum logs_protocol protocol, struct syslog_server **out)
{
	struct syslog_server *server;
	enum err rc = OK;

	for (server = servers->first; server != NULL; server = server->next)
		if (server->port == port && server->protocol == protocol &&
		    strcmp(server->host, host) == 0)
			break;
	if (server == NULL)
		TRY(server_new(servers, host, port, protocol, &server));
	server->users++;
	*out = server;
out:
	return rc;
}

void
syslog_server_leave(struct syslog_server *server)
{
	struct syslog_server **p;

	if (server == NULL || --server->users != 0)
		return;
	for (p = &server->of->first; *p != server; p = &(*p)->next)
		;
	*p = server->next;
	server_close(server);
	loop_timer_free(server->timer);
	buf_clear(&server->queue);
	mem_free(server);
}

/* ---- messages ---- */

void
syslog_server_put(struct syslog_server *server, struct bytes message)
{
	struct syslog_servers *servers = server->of;

	if (buf_put(&server->queue, message) != OK)
		syslog_server_lose(server, "the queue is full");
	loop_later(servers->appliance->loop, &servers->flushing);
}

/* What a turn has queued goes out in the next, in few system calls. */
static void
flush(void *ctx)
{
	struct syslog_servers *servers = ctx;
	struct syslog_server *server;

	for (server = servers->first; server != NULL; server = server->next) {
		if (server->queue.octets != 0 && server->state == SERVER_IDLE)
			server_open(server);
		else if (server->queue.octets != 0 &&
			 server->state == SERVER_OPEN && !server->is_full)
			server_send(server);
		server_tell(server);
	}
}

/* ---- the appliance's ---- */

enum err
syslog_servers_new(struct appliance *appliance, struct syslog_servers **out)
{
	struct syslog_servers *servers = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(servers));
	servers->appliance = appliance;
	servers->flushing = (struct loop_task){.fn = flush, .ctx = servers};
	TRY(loop_pool_new(appliance->loop, "syslog", 1, &servers->pool));
	*out = servers;
	servers = NULL;
out:
	mem_free(servers);
	return rc;
}

void
syslog_servers_free(struct syslog_servers *servers)
{
	if (servers == NULL)
		return;
	assert(servers->first == NULL);
	loop_task_cancel(&servers->flushing);
	mem_free(servers); /* the loop has the pool */
}
