#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum {
	ACCEPTS_PER_TURN = 16, /* then those who are in come first */
	SAY_AGAIN_MS = 1000,   /* a flood must not fill the log */
	HOST_OCTETS = 64,
};

/* Connections with the rules of before. */
struct elders {
	struct elders *next;
	struct conn_set *set;
};

struct listener {
	struct loop *loop;
	struct conn_set *set;
	struct elders *elders;
	unsigned connections;
	int fd;
	int spare_fd; /* given up to take and close one when all are used */
	struct loop_fd *watch;
	char address[HOST_OCTETS + 16];
	unsigned port;
	int64_t said_ms;
	unsigned refused; /* since it was last said */
	bool has_said;
};

/* getaddrinfo would take 65536 for 0. */
static bool
is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits != 0 && digits <= 5 && text[digits] == '\0' &&
	       strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* "host:port" or "[host]:port", numbers only. */
static enum err
read_address(const char *text, struct addrinfo **out)
{
	const struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	    .ai_socktype = SOCK_STREAM,
	};
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t octets;
	char copy[HOST_OCTETS];
	enum err rc = OK;

	*out = NULL;
	if (colon == NULL || !is_port(colon + 1))
		TRY(ERR_CONFIG);
	octets = (size_t)(colon - text);
	if (octets >= 2 && host[0] == '[' && host[octets - 1] == ']') {
		host++;
		octets -= 2;
	} else if (memchr(text, ':', octets) != NULL)
		TRY(ERR_CONFIG);
	if (octets == 0 || octets >= sizeof(copy))
		TRY(ERR_CONFIG);
	memcpy(copy, host, octets);
	copy[octets] = '\0';
	if (getaddrinfo(copy, colon + 1, &hints, out) != 0)
		TRY(ERR_CONFIG);
out:
	if (rc != OK)
		log_line("net", LOG_ERROR, "%s: not an address and port", text);
	return rc;
}

static unsigned
write_address(const struct sockaddr_storage *from, char *out, size_t room)
{
	char host[INET6_ADDRSTRLEN] = "?";
	unsigned port = 0;

	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)from;
		const struct in6_addr *address = &in6->sin6_addr;

		port = ntohs(in6->sin6_port);
		/* a socket of the newer kind takes the older kind's peers */
		if (IN6_IS_ADDR_V4MAPPED(address)) {
			(void)inet_ntop(
			    AF_INET, address->s6_addr + 12, host, sizeof(host));
			(void)snprintf(out, room, "%s:%u", host, port);
			return port;
		}
		(void)inet_ntop(AF_INET6, address, host, sizeof(host));
		(void)snprintf(out, room, "[%s]:%u", host, port);
	} else {
		const struct sockaddr_in *in4 = (const void *)from;

		(void)inet_ntop(AF_INET, &in4->sin_addr, host, sizeof(host));
		port = ntohs(in4->sin_port);
		(void)snprintf(out, room, "%s:%u", host, port);
	}
	return port;
}

static enum err
open_socket(struct listener *l, const struct addrinfo *at, unsigned backlog)
{
	struct sockaddr_storage got = {0};
	socklen_t octets = sizeof(got);
	int one = 1;
	enum err rc = OK;

	l->fd = socket(
	    at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		TRY(ERR_SYSTEM);
	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* inherited by what is accepted */
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(l->fd, at->ai_addr, at->ai_addrlen) != 0 ||
	    listen(l->fd, (int)backlog) != 0 ||
	    getsockname(l->fd, (struct sockaddr *)&got, &octets) != 0)
		TRY(ERR_SYSTEM);
	l->port = write_address(&got, l->address, sizeof(l->address));
out:
	return rc;
}

static void
refuse(struct listener *l, int fd, const char *why)
{
	int64_t now_ms = loop_now_ms(l->loop);

	if (fd >= 0)
		close(fd);
	l->refused++;
	if (l->has_said && now_ms - l->said_ms < SAY_AGAIN_MS)
		return;
	log_line("net", LOG_WARN, "%s: %u connections closed at once: %s",
	    l->address, l->refused, why);
	l->refused = 0;
	l->said_ms = now_ms;
	l->has_said = true;
}

/* Without descriptors left, those who wait would keep us busy for nothing. */
static void
refuse_without_descriptor(struct listener *l)
{
	if (l->spare_fd >= 0)
		close(l->spare_fd);
	refuse(
	    l, accept4(l->fd, NULL, NULL, SOCK_CLOEXEC), "no descriptors left");
	l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Those who are gone. */
static void
sweep(struct listener *l)
{
	struct elders **at = &l->elders;

	while (*at != NULL) {
		struct elders *elders = *at;

		if (conn_set_count(elders->set) != 0) {
			at = &elders->next;
			continue;
		}
		*at = elders->next;
		conn_set_free(elders->set);
		mem_free(elders);
	}
}

static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage from = {0};
	socklen_t octets = sizeof(from);
	char address[HOST_OCTETS + 16];
	int fd = accept4(l->fd, (struct sockaddr *)&from, &octets,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	enum err rc = OK;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		refuse_without_descriptor(l);
		return false;
	}
	/* else nobody is there any more: another time */
	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR;
	sweep(l);
	if (listener_connections(l) >= l->connections) {
		refuse(l, fd, "all connections are in use");
		return true;
	}
	(void)write_address(&from, address, sizeof(address));
	rc = conn_take(l->set, fd, address);
	/* else it has been told already */
	if (rc != OK && rc != ERR_DENIED)
		refuse(l, -1, err_text(rc));
	return true;
}

static void
accept_ready(void *ctx, unsigned ready)
{
	struct listener *l = ctx;
	int k;

	(void)ready;
	for (k = 0; k < ACCEPTS_PER_TURN && accept_one(l); k++)
		;
}

enum err
listener_new(struct loop *loop, const struct listen_config *config,
    struct listener **out)
{
	struct addrinfo *at = NULL;
	struct listener *l = NULL;
	int why = 0;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(l));
	l->loop = loop;
	l->connections = config->connections;
	l->fd = -1;
	l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	TRY(read_address(config->address, &at));
	TRY(conn_set_new(loop, &config->rules, &l->set));
	rc = open_socket(l, at, config->backlog);
	why = errno;
	if (rc != OK && !config->quiet)
		log_line("net", LOG_ERROR, "%s: %s", config->address,
		    strerror(errno));
	TRY(rc);
	TRY(loop_fd_new(loop, l->fd, LOOP_READ, accept_ready, l, &l->watch));
	*out = l;
	l = NULL;
out:
	if (at != NULL)
		freeaddrinfo(at);
	listener_free(l);
	errno = why;
	return rc;
}

void
listener_stop(struct listener *l)
{
	loop_fd_free(l->watch);
	l->watch = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	listener_stop(l);
	conn_set_free(l->set);
	while (l->elders != NULL) {
		struct elders *elders = l->elders;

		l->elders = elders->next;
		conn_set_free(elders->set);
		mem_free(elders);
	}
	if (l->spare_fd >= 0)
		close(l->spare_fd);
	mem_free(l);
}

const char *
listener_address(const struct listener *l)
{
	return l->address;
}

unsigned
listener_port(const struct listener *l)
{
	return l->port;
}

unsigned
listener_connections(const struct listener *l)
{
	const struct elders *elders;
	unsigned count = conn_set_count(l->set);

	for (elders = l->elders; elders != NULL; elders = elders->next)
		count += conn_set_count(elders->set);
	return count;
}

enum err
listener_set_rules(struct listener *l, const struct conn_rules *rules)
{
	struct elders *elders = NULL;
	struct conn_set *set = NULL;
	enum err rc = OK;

	sweep(l);
	TRY(MEM_NEW(elders));
	TRY(conn_set_new(l->loop, rules, &set));
	elders->set = l->set;
	elders->next = l->elders;
	l->elders = elders;
	l->set = set;
	elders = NULL;
out:
	mem_free(elders);
	return rc;
}

void
listener_finish(struct listener *l)
{
	const struct elders *elders;

	listener_stop(l);
	conn_set_finish(l->set);
	for (elders = l->elders; elders != NULL; elders = elders->next)
		conn_set_finish(elders->set);
}
