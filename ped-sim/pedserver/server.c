#include "pedserver/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "pedserver/relay.h"

enum {
	HELLO_OCTETS = 128, /* of a PedClient's first line */
	ASKERS_MAX = 4,     /* at the admin port */
	COMMAND_OCTETS = 16,
	BACKLOG = 8,
	VALUE_COLUMN = 42, /* before it there are so many */
};

/* What a PED tells of itself when it is there, and what is shown without. */
#define FIRMWARE    "2.7.1-5"
#define PROTOCOL    "1.0.1-0"
#define NO_FIRMWARE "0.0.0-0"

/* Somebody who waits for his other half. fd is -1 where nobody does. */
struct guest {
	struct server *server;
	int fd;
	struct loop_fd *watch;
	struct buf in;
};

/* Somebody at the admin port. */
struct asker {
	struct server *server;
	int fd;
	struct loop_fd *watch;
	char line[COMMAND_OCTETS];
	size_t octets;
};

struct port {
	struct server *server;
	int fd;
	struct loop_fd *watch;
	void (*came)(struct server *server, int fd);
};

struct server {
	struct loop *loop;
	const struct settings *settings;
	void (*stopped)(void *ctx);
	void *ctx;
	struct port clients, admin, usb;
	struct guest ped, client;
	struct asker askers[ASKERS_MAX];
	struct relay_config relay_config;
	struct relay *relay;
	struct loop_timer *idle;

	/* the client that is connected; no hostname: none is */
	int client_fd; /* borrowed from guest or relay */
	char client_host[HELLO_OCTETS];
	char client_version[HELLO_OCTETS];
	char client_ip[INET_ADDRSTRLEN];

	/* times in milliseconds; idle ones are of whole seconds' gaps */
	int64_t began_ms;
	int64_t connected_ms; /* since when */
	int64_t used_ms;      /* when the last frame passed */
	int64_t idle_ms;      /* of this connection, up to then */
	int64_t total_ms;     /* of connections before this one */
	int64_t total_idle_ms;
};

/* ---- connection times ---- */

static bool
is_connected(const struct server *server)
{
	return server->client_host[0] != '\0';
}

/* Up to now: since the last frame, and all together. */
static int64_t
gap_ms(struct server *server)
{
	int64_t gap = loop_now_ms(server->loop) - server->used_ms;

	return gap - gap % 1000;
}

static void
count_connect(struct server *server)
{
	server->connected_ms = loop_now_ms(server->loop);
	server->used_ms = server->connected_ms;
	server->idle_ms = 0;
}

static void
count_disconnect(struct server *server)
{
	int64_t now_ms = loop_now_ms(server->loop);

	if (!is_connected(server))
		return;
	server->total_ms += now_ms - server->connected_ms;
	server->total_idle_ms += server->idle_ms + gap_ms(server);
	server->client_host[0] = '\0';
}

static void
frame_passed(void *ctx)
{
	struct server *server = ctx;

	server->idle_ms += gap_ms(server);
	server->used_ms = loop_now_ms(server->loop);
	loop_timer_set(server->idle,
	    server->used_ms + (int64_t)server->settings->idle_timeout_s * 1000);
}

/* ---- guests ---- */

static void
guest_leave(struct guest *guest)
{
	loop_fd_free(guest->watch);
	guest->watch = NULL;
	if (guest->fd >= 0)
		close(guest->fd);
	guest->fd = -1;
	buf_clear(&guest->in);
}

/* Both go: each comes again, if it wants to, and begins anew. */
static void
part(void *ctx)
{
	struct server *server = ctx;

	loop_timer_stop(server->idle);
	relay_free(server->relay);
	server->relay = NULL;
	count_disconnect(server);
}

static void
been_idle(void *ctx)
{
	log_line("pedserver", LOG_INFO, "idle for too long");
	part(ctx);
}

static struct relay_end
guest_take(struct guest *guest)
{
	struct relay_end end = {.fd = guest->fd, .in = guest->in};

	guest->fd = -1;
	buf_init(&guest->in, RELAY_FRAME_OCTETS);
	guest_leave(guest);
	return end;
}

static void
pair(struct server *server)
{
	struct relay_end ped, client;

	if (server->ped.fd < 0 || !is_connected(server) ||
	    server->relay != NULL)
		return;
	ped = guest_take(&server->ped);
	client = guest_take(&server->client);
	if (relay_new_take(
		&server->relay_config, &ped, &client, &server->relay) != OK)
		count_disconnect(server);
	else
		frame_passed(server); /* it is used from now on */
}

/* "PedClient VERSION HOSTNAME", without its end. */
static bool
read_hello(struct server *server, char *line)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	socklen_t octets = sizeof(from);
	char *word = strsep(&line, " ");
	char *host = line != NULL ? strrchr(line, ' ') : NULL;

	if (strcmp(word, "PedClient") != 0 || host == NULL || host[1] == '\0' ||
	    !bytes_is_utf8(bytes_of_text(line)))
		return false;
	*host++ = '\0';
	(void)snprintf(
	    server->client_host, sizeof(server->client_host), "%s", host);
	(void)snprintf(
	    server->client_version, sizeof(server->client_version), "%s", line);
	(void)getpeername(server->client.fd, (struct sockaddr *)&from, &octets);
	(void)inet_ntop(AF_INET, &from.sin_addr, server->client_ip,
	    sizeof(server->client_ip));
	return true;
}

/* Its first line, if it is whole. ERR_MESSAGE: it is none of a PedClient. */
static enum err
take_hello(struct server *server)
{
	struct buf *in = &server->client.in;
	uint8_t *end;
	char line[HELLO_OCTETS];
	size_t octets;
	enum err rc = OK;

	if (is_connected(server) || in->octets == 0)
		return OK;
	end = memchr(in->at, '\n', in->octets);
	octets = end != NULL ? (size_t)(end - in->at) : in->octets;
	if (octets >= sizeof(line) || memchr(in->at, '\0', octets) != NULL)
		TRY(ERR_MESSAGE);
	if (end == NULL)
		goto out;
	memcpy(line, in->at, octets);
	line[octets] = '\0';
	buf_drop(in, octets + 1);
	if (!read_hello(server, line))
		TRY(ERR_MESSAGE);
	count_connect(server);
out:
	return rc;
}

/* What comes before there is a pair is kept, up to a frame. */
static void
guest_ready(void *ctx, unsigned ready)
{
	struct guest *guest = ctx;
	struct server *server = guest->server;
	size_t room = RELAY_FRAME_OCTETS - guest->in.octets;
	uint8_t *tail;
	ssize_t got;
	enum err rc = OK;

	(void)ready;
	if (room == 0)
		TRY(ERR_LENGTH);
	TRY(buf_reserve(&guest->in, room, &tail));
	got = recv(guest->fd, tail, room, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		goto out;
	if (got <= 0)
		TRY(ERR_CLOSED);
	buf_added(&guest->in, (size_t)got);
	if (guest == &server->client)
		TRY(take_hello(server));
	pair(server);
out:
	if (rc == OK)
		return;
	if (rc != ERR_CLOSED)
		log_line("pedserver", LOG_WARN, "%s is sent off: %s",
		    guest == &server->ped ? "a PED" : "a client", err_text(rc));
	if (guest == &server->client)
		count_disconnect(server);
	guest_leave(guest);
}

static void
guest_enter(struct guest *guest, int fd)
{
	guest->fd = fd;
	if (loop_fd_new(guest->server->loop, fd, LOOP_READ, guest_ready, guest,
		&guest->watch) != OK)
		guest_leave(guest);
}

/* There is one plug: who was there has been pulled out. */
static void
ped_came(struct server *server, int fd)
{
	if (server->relay != NULL)
		part(server);
	guest_leave(&server->ped);
	guest_enter(&server->ped, fd);
	pair(server);
}

/* What he said last may still be on its way through. */
static bool
has_hung_up(int fd)
{
	struct pollfd line = {.fd = fd, .events = POLLRDHUP};

	return poll(&line, 1, 0) == 1;
}

/*
 * One at a time; but who has hung up makes room, and who has not said who he
 * is.
 */
static void
client_came(struct server *server, int fd)
{
	const int on = 1;

	if (is_connected(server) && has_hung_up(server->client_fd))
		part(server);
	if (is_connected(server)) {
		log_line("pedserver", LOG_WARN,
		    "another client is refused: one is connected");
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	guest_leave(&server->client);
	guest_enter(&server->client, fd);
	server->client_fd = fd;
}

/* ---- show ---- */

static enum err
put_value(
    struct buf *out, unsigned indent, const char *label, const char *value)
{
	return buf_printf(out, "%*s%-*s%s\n", (int)indent, "",
	    (int)(VALUE_COLUMN - indent), label, value);
}

static enum err
put_seconds(struct buf *out, const char *label, int64_t ms)
{
	char value[32];

	(void)snprintf(value, sizeof(value), "%" PRId64 " (secs)", ms / 1000);
	return put_value(out, 6, label, value);
}

/* And how much of the whole that is; all of nothing. */
static enum err
put_share(struct buf *out, const char *label, int64_t ms, int64_t whole_ms)
{
	char value[48];
	int64_t percent = 100;

	if (whole_ms / 1000 != 0)
		percent = ms / 1000 * 100 / (whole_ms / 1000);
	(void)snprintf(value, sizeof(value),
	    "%" PRId64 " (secs) (%" PRId64 "%%)", ms / 1000, percent);
	return put_value(out, 6, label, value);
}

static enum err
put_number(struct buf *out, const char *label, unsigned number)
{
	char value[16];

	(void)snprintf(value, sizeof(value), "%u", number);
	return put_value(out, 6, label, value);
}

/* req: KS-05-060, KS-05-061, KS-05-062 */
static enum err
show_server(struct server *server, bool has_ped, struct buf *out)
{
	const struct settings *settings = server->settings;
	enum err rc = OK;

	TRY(buf_put_text(out, "   Server Information:\n"));
	TRY(put_value(out, 6, "Hostname:", settings->hostname));
	TRY(put_value(out, 6, "IP:", settings->ip));
	TRY(put_value(
	    out, 6, "Firmware Version:", has_ped ? FIRMWARE : NO_FIRMWARE));
	TRY(put_value(out, 6,
	    "PedII Protocol Version:", has_ped ? PROTOCOL : NO_FIRMWARE));
	TRY(put_value(out, 6, "Software Version:", SERVER_VERSION));
	TRY(buf_put_text(out, "\n"));
	TRY(put_value(out, 6,
	    "Ped2 Connection Status:", has_ped ? "Connected" : "Disconnected"));
	/* whose iKeys they are passes through, sealed */
	TRY(put_value(out, 6, "Ped2 RPK Count", "0"));
	TRY(put_value(out, 6, "Ped2 RPK Serial Numbers", "(none)"));
	TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

/* req: KS-05-063 */
static enum err
show_client(struct server *server, struct buf *out)
{
	enum err rc = OK;

	if (!is_connected(server)) {
		TRY(put_value(out, 3, "Client Information:", "Not Available"));
	} else {
		TRY(buf_put_text(out, "   Client Information:\n"));
		TRY(put_value(out, 6, "Hostname:", server->client_host));
		TRY(put_value(out, 6, "IP:", server->client_ip));
		TRY(put_value(
		    out, 6, "Software Version:", server->client_version));
	}
	TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

/* req: KS-05-064 to KS-05-067 */
static enum err
show_ports(struct server *server, struct buf *out)
{
	const struct settings *settings = server->settings;
	enum err rc = OK;

	TRY(buf_put_text(out, "   Operating Information:\n"));
	TRY(put_number(out, "Server Port:", settings->port));
	TRY(put_value(out, 6, "External Server Interface:",
	    settings->external_server ? "Yes" : "No"));
	TRY(put_number(out, "Admin Port:", settings->admin_port));
	TRY(put_value(out, 6, "External Admin Interface:",
	    settings->external_admin ? "Yes" : "No"));
	TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

/* req: KS-05-068, KS-05-069, KS-05-070 */
static enum err
show_times(struct server *server, struct buf *out)
{
	int64_t now_ms = loop_now_ms(server->loop);
	int64_t up_ms = now_ms - server->began_ms;
	int64_t current_ms = 0, gap = 0, idle = 0, total_ms, total_idle_ms;
	enum err rc = OK;

	if (is_connected(server)) {
		current_ms = now_ms - server->connected_ms;
		gap = gap_ms(server);
		idle = server->idle_ms + gap;
	}
	total_ms = server->total_ms + current_ms;
	total_idle_ms = server->total_idle_ms + idle;
	TRY(put_seconds(out, "Server Up Time:", up_ms));
	TRY(put_share(out, "Server Idle Time:", up_ms - total_ms, up_ms));
	TRY(put_seconds(out, "Idle Timeout Value:",
	    (int64_t)server->settings->idle_timeout_s * 1000));
	TRY(buf_put_text(out, "\n"));
	TRY(put_seconds(out, "Current Connection Time:", current_ms));
	TRY(put_seconds(out, "Current Connection Idle Time:", gap));
	TRY(put_share(
	    out, "Current Connection Total Idle Time:", idle, current_ms));
	TRY(put_seconds(out, "Total Connection Time:", total_ms));
	TRY(put_share(
	    out, "Total Connection Idle Time:", total_idle_ms, total_ms));
	TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

enum err
server_show(struct server *server, struct buf *out)
{
	bool has_ped = server->relay != NULL || server->ped.fd >= 0;
	enum err rc = OK;

	TRY(show_server(server, has_ped, out));
	TRY(show_client(server, out));
	TRY(show_ports(server, out));
	TRY(show_times(server, out));
out:
	return rc;
}

enum err
server_status(struct server *server, struct buf *out)
{
	return buf_printf(out, " ped=%s client=%s pair=%s",
	    server->relay != NULL || server->ped.fd >= 0 ? "attached" : "none",
	    is_connected(server) ? "connected" : "none",
	    server->relay != NULL ? "yes" : "no");
}

/* ---- the admin port ---- */

static void
asker_leave(struct asker *asker)
{
	loop_fd_free(asker->watch);
	asker->watch = NULL;
	if (asker->fd >= 0)
		close(asker->fd);
	asker->fd = -1;
	asker->octets = 0;
}

static void
port_close(struct port *port)
{
	loop_fd_free(port->watch);
	port->watch = NULL;
	if (port->fd >= 0)
		close(port->fd);
	port->fd = -1;
}

/* Everything is let go of before it is said. */
static enum err
stop(struct server *server, struct buf *out)
{
	port_close(&server->clients);
	port_close(&server->admin);
	port_close(&server->usb);
	(void)unlink(server->settings->usb);
	server->stopped(server->ctx);
	return buf_put_text(out, SHUTDOWN_PASSED "\n");
}

static enum err
show(struct server *server, struct buf *out)
{
	enum err rc = OK;

	TRY(server_show(server, out));
	TRY(buf_put_text(out, SHOW_PASSED "\n"));
out:
	return rc;
}

static const struct {
	const char *line;
	enum err (*run)(struct server *server, struct buf *out);
} commands[] = {
    {"show\n", show},
    {"stop\n", stop},
};

static void
answer(struct asker *asker)
{
	struct bytes line = {(const uint8_t *)asker->line, asker->octets};
	struct buf out;
	size_t k;

	buf_init(&out, 4096);
	for (k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
		if (bytes_equal_text(line, commands[k].line) &&
		    commands[k].run(asker->server, &out) == OK)
			(void)!send(asker->fd, out.at, out.octets,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	buf_clear(&out);
}

static void
asker_ready(void *ctx, unsigned ready)
{
	struct asker *asker = ctx;
	ssize_t got = recv(asker->fd, asker->line + asker->octets,
	    sizeof(asker->line) - asker->octets, MSG_DONTWAIT);

	(void)ready;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0) {
		asker->octets += (size_t)got;
		if (asker->octets < sizeof(asker->line) &&
		    memchr(asker->line, '\n', asker->octets) == NULL)
			return;
		answer(asker);
	}
	asker_leave(asker);
}

static void
asker_came(struct server *server, int fd)
{
	size_t k;

	for (k = 0; k < ASKERS_MAX; k++) {
		struct asker *asker = &server->askers[k];

		if (asker->fd >= 0)
			continue;
		asker->fd = fd;
		if (loop_fd_new(server->loop, fd, LOOP_READ, asker_ready, asker,
			&asker->watch) != OK)
			asker_leave(asker);
		return;
	}
	close(fd);
}

/* ---- ports ---- */

static void
somebody_came(void *ctx, unsigned ready)
{
	struct port *port = ctx;
	int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)ready;
	if (fd >= 0)
		port->came(port->server, fd);
}

static enum err
port_open(struct port *port, const struct sockaddr *at, socklen_t octets)
{
	const int on = 1;
	enum err rc = OK;

	port->fd = socket(
	    at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (port->fd < 0)
		TRY(ERR_SYSTEM);
	(void)setsockopt(port->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(port->fd, at, octets) != 0 || listen(port->fd, BACKLOG) != 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(port->server->loop, port->fd, LOOP_READ, somebody_came,
	    port, &port->watch));
out:
	return rc;
}

/* req: KS-05-065, KS-05-067  every interface, or loopback only */
static enum err
open_tcp(struct port *port, unsigned number, bool external)
{
	const struct sockaddr_in at = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)number),
	    .sin_addr.s_addr = htonl(external ? INADDR_ANY : INADDR_LOOPBACK),
	};

	return port_open(port, (const struct sockaddr *)&at, sizeof(at));
}

static enum err
open_usb(struct port *port, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	mode_t mask;
	enum err rc = OK;

	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof(at.sun_path))
		return ERR_SYSTEM;
	memcpy(at.sun_path, path, strlen(path));
	(void)unlink(path);
	mask = umask(0077);
	rc = port_open(port, (struct sockaddr *)&at, sizeof(at));
	(void)umask(mask);
	return rc;
}

static enum err
open_ports(struct server *server, char why[BACKGROUND_WORDS_OCTETS])
{
	const struct settings *s = server->settings;
	char what[BACKGROUND_WORDS_OCTETS / 2];
	enum err rc = OK;

	(void)snprintf(what, sizeof(what), "server port %u", s->port);
	TRY(open_tcp(&server->clients, s->port, s->external_server));
	(void)snprintf(what, sizeof(what), "admin port %u", s->admin_port);
	TRY(open_tcp(&server->admin, s->admin_port, s->external_admin));
	(void)snprintf(what, sizeof(what), "%.100s", s->usb);
	TRY(open_usb(&server->usb, s->usb));
out:
	if (rc != OK)
		(void)snprintf(why, BACKGROUND_WORDS_OCTETS, "%s: %s", what,
		    strerror(errno));
	return rc;
}

/* ---- life ---- */

static void
guest_init(struct guest *guest, struct server *server)
{
	guest->server = server;
	guest->fd = -1;
	buf_init(&guest->in, RELAY_FRAME_OCTETS);
}

static void
port_init(struct port *port, struct server *server,
    void (*came)(struct server *server, int fd))
{
	port->server = server;
	port->fd = -1;
	port->came = came;
}

enum err
server_new(struct loop *loop, const struct settings *settings,
    void (*stopped)(void *ctx), void *ctx, struct server **out,
    char why[BACKGROUND_WORDS_OCTETS])
{
	struct server *server = NULL;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	(void)snprintf(why, BACKGROUND_WORDS_OCTETS, "%s", err_text(ERR_NOMEM));
	TRY(MEM_NEW(server));
	server->loop = loop;
	server->settings = settings;
	server->stopped = stopped;
	server->ctx = ctx;
	server->began_ms = loop_now_ms(loop);
	server->relay_config = (struct relay_config){
	    .loop = loop, .frame = frame_passed, .over = part, .ctx = server};
	port_init(&server->clients, server, client_came);
	port_init(&server->admin, server, asker_came);
	port_init(&server->usb, server, ped_came);
	guest_init(&server->ped, server);
	guest_init(&server->client, server);
	for (k = 0; k < ASKERS_MAX; k++) {
		server->askers[k].server = server;
		server->askers[k].fd = -1;
	}
	TRY(loop_timer_new(loop, been_idle, server, &server->idle));
	TRY(open_ports(server, why));
	*out = server;
	server = NULL;
out:
	server_free(server);
	return rc;
}

void
server_free(struct server *server)
{
	size_t k;

	if (server == NULL)
		return;
	relay_free(server->relay);
	guest_leave(&server->ped);
	guest_leave(&server->client);
	for (k = 0; k < ASKERS_MAX; k++)
		asker_leave(&server->askers[k]);
	port_close(&server->clients);
	port_close(&server->admin);
	if (server->usb.fd >= 0)
		(void)unlink(server->settings->usb);
	port_close(&server->usb);
	loop_timer_free(server->idle);
	mem_free(server);
}
