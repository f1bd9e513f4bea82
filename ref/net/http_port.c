#include "net/http_port.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"

enum { DATE_OCTETS = 40, LENGTH_OCTETS = 24 };

/*
 * A connection. The library tells nobody when it has freed one; but it is held
 * here too, and then has no functions any more that it would call.
 */
struct visitor {
	struct bufferevent *socket;
	int64_t until_ms;
	bool is_cut;
	struct visitor *next; /* younger */
	struct visitor *prev;
};

struct http_port {
	struct http_port_config config;
	struct evhttp *http;
	struct evhttp_bound_socket *bound;
	unsigned number;
	struct visitor ring; /* oldest first, around one that is none */
	unsigned count;
	struct loop_task
	    sweep; /* at the end of each turn, while there are any */
	struct loop_timer *patience;
	struct loop_timer *pause;
};

/* ---- connections ---- */

static void
let_go(struct http_port *port, struct visitor *visitor)
{
	visitor->next->prev = visitor->prev;
	visitor->prev->next = visitor->next;
	port->count--;
	(void)bufferevent_decref(visitor->socket);
	mem_free(visitor);
}

static bool
is_over(const struct visitor *visitor)
{
	bufferevent_event_cb told = NULL;

	bufferevent_getcb(visitor->socket, NULL, NULL, &told, NULL);
	return told == NULL;
}

static void
sweep(void *ctx)
{
	struct http_port *port = ctx;
	struct visitor *visitor = port->ring.next;

	while (visitor != &port->ring) {
		struct visitor *next = visitor->next;

		if (is_over(visitor))
			let_go(port, visitor);
		visitor = next;
	}
	if (port->count == 0)
		loop_task_cancel(&port->sweep);
}

/* The library sees its end, and frees it. */
static void
cut(struct visitor *visitor)
{
	visitor->is_cut = true;
	(void)shutdown(bufferevent_getfd(visitor->socket), SHUT_RDWR);
}

/* The oldest that is not cut; NULL: there is none. */
static struct visitor *
oldest(struct http_port *port)
{
	struct visitor *visitor = port->ring.next;

	while (visitor != &port->ring && visitor->is_cut)
		visitor = visitor->next;
	return visitor != &port->ring ? visitor : NULL;
}

static void
watch_time(struct http_port *port)
{
	const struct visitor *visitor = oldest(port);

	if (visitor != NULL)
		loop_timer_set(port->patience, visitor->until_ms);
	else
		loop_timer_stop(port->patience);
}

static void
life_is_over(void *ctx)
{
	struct http_port *port = ctx;
	int64_t now_ms = loop_now_ms(port->config.loop);
	struct visitor *visitor = oldest(port);

	while (visitor != NULL && visitor->until_ms <= now_ms) {
		cut(visitor);
		visitor = oldest(port);
	}
	watch_time(port);
}

static void
let_in(struct http_port *port, struct visitor *visitor)
{
	if (port->count >= HTTP_PORT_CONNECTIONS && oldest(port) != NULL)
		cut(oldest(port));
	visitor->until_ms = loop_now_ms(port->config.loop) + HTTP_PORT_LIFE_MS;
	visitor->next = &port->ring;
	visitor->prev = port->ring.prev;
	visitor->prev->next = visitor;
	port->ring.prev = visitor;
	port->count++;
	if (port->count == 1)
		loop_each_turn(port->config.loop, &port->sweep);
	watch_time(port);
}

/*
 * NULL, for want of memory: the library goes on with one of its own, which has
 * no more than its own patience.
 */
static struct bufferevent *
visitor_comes(struct event_base *events, void *ctx)
{
	struct visitor *visitor = NULL;

	if (MEM_NEW(visitor) != OK)
		return NULL;
	visitor->socket =
	    bufferevent_socket_new(events, -1, BEV_OPT_CLOSE_ON_FREE);
	if (visitor->socket == NULL) {
		mem_free(visitor);
		return NULL;
	}
	bufferevent_incref(visitor->socket);
	let_in(ctx, visitor);
	return visitor->socket;
}

/* No descriptors are left: those who wait would keep us busy for nothing. */
static void
cannot_accept(struct evconnlistener *listener, void *ctx)
{
	struct http_port *port = ctx;

	log_line(
	    "net", LOG_WARN, "HTTP port %u: %s", port->number, strerror(errno));
	(void)evconnlistener_disable(listener);
	loop_timer_set(
	    port->pause, loop_now_ms(port->config.loop) + HTTP_PORT_PAUSE_MS);
}

static void
pause_is_over(void *ctx)
{
	struct http_port *port = ctx;

	(void)evconnlistener_enable(
	    evhttp_bound_socket_get_listener(port->bound));
}

/* ---- requests ---- */

static enum http_method
method_of(const struct evhttp_request *request)
{
	switch ((int)evhttp_request_get_command(request)) {
	case EVHTTP_REQ_HEAD:
		return HTTP_HEAD;
	case EVHTTP_REQ_POST:
		return HTTP_POST;
	}
	return HTTP_GET;
}

/* The library would ask the machine for the time. */
static enum err
put_date(struct http_port *port, struct evkeyvalq *headers)
{
	time_t now_s = (time_t)env_wall_s(port->config.env);
	struct tm tm;
	char text[DATE_OCTETS];

	if (gmtime_r(&now_s, &tm) == NULL ||
	    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) ==
		0 ||
	    evhttp_add_header(headers, "Date", text) != 0)
		return ERR_NOMEM;
	return OK;
}

static enum err
put_headers(struct http_port *port, struct evkeyvalq *headers,
    const struct http_answer *answer)
{
	char length[LENGTH_OCTETS];
	enum err rc = OK;

	TRY(put_date(port, headers));
	(void)snprintf(length, sizeof(length), "%zu", answer->body->octets);
	if (evhttp_add_header(headers, "Content-Type", answer->type) != 0 ||
	    evhttp_add_header(headers, "Content-Length", length) != 0 ||
	    evhttp_add_header(headers, "Cache-Control", "no-store") != 0 ||
	    evhttp_add_header(headers, "Connection", "close") != 0)
		TRY(ERR_NOMEM);
out:
	return rc;
}

/* The library has read all of it. */
static void
requested(struct evhttp_request *request, void *ctx)
{
	struct http_port *port = ctx;
	struct http_request in = {.method = method_of(request)};
	struct buf body;
	struct http_answer answer = {
	    .status = 200, .reason = "OK", .type = "text/plain", .body = &body};
	struct evbuffer *out = NULL;
	enum err rc = OK;

	buf_init(&body, port->config.answer_octets);
	in.path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	if (in.path == NULL)
		in.path = "";
	port->config.serve(port->config.ctx, &in, &answer);
	TRY(put_headers(
	    port, evhttp_request_get_output_headers(request), &answer));
	out = evbuffer_new();
	if (out == NULL)
		TRY(ERR_NOMEM);
	if (in.method != HTTP_HEAD && body.octets != 0 &&
	    evbuffer_add(out, buf_peek(&body).at, body.octets) != 0)
		TRY(ERR_NOMEM);
	evhttp_send_reply(request, (int)answer.status, answer.reason, out);
out:
	if (rc != OK)
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	if (out != NULL)
		evbuffer_free(out);
	buf_clear(&body);
}

/* ---- the port ---- */

static enum err
read_number(struct http_port *port)
{
	struct sockaddr_storage got = {0};
	socklen_t octets = sizeof(got);
	const struct sockaddr_in6 *in6 = (const void *)&got;
	const struct sockaddr_in *in4 = (const void *)&got;

	if (getsockname(evhttp_bound_socket_get_fd(port->bound),
		(struct sockaddr *)&got, &octets) != 0)
		return ERR_SYSTEM;
	port->number =
	    ntohs(got.ss_family == AF_INET6 ? in6->sin6_port : in4->sin_port);
	return OK;
}

static enum err
bind_to(struct http_port *port, const char *address)
{
	port->bound = evhttp_bind_socket_with_handle(
	    port->http, address, (ev_uint16_t)port->config.port);
	return port->bound != NULL ? OK : ERR_SYSTEM;
}

static enum err
open_socket(struct http_port *port)
{
	bool all = strcmp(port->config.address, "All") == 0;
	enum err rc = OK;

	rc = bind_to(port, all ? "::" : port->config.address);
	/* a machine without the newer kind */
	if (rc == ERR_SYSTEM && all && errno != EADDRINUSE && errno != EACCES)
		rc = bind_to(port, "0.0.0.0");
	TRY(rc);
	TRY(read_number(port));
	evconnlistener_set_error_cb(
	    evhttp_bound_socket_get_listener(port->bound), cannot_accept);
out:
	return rc;
}

static ev_uint16_t
methods_of(unsigned methods)
{
	unsigned out = 0;

	out |= methods & HTTP_GET ? EVHTTP_REQ_GET : 0;
	out |= methods & HTTP_HEAD ? EVHTTP_REQ_HEAD : 0;
	out |= methods & HTTP_POST ? EVHTTP_REQ_POST : 0;
	return (ev_uint16_t)out;
}

enum err
http_port_new(const struct http_port_config *config, struct http_port **out)
{
	struct http_port *port = NULL;
	enum err rc = OK;
	int why = 0;

	*out = NULL;
	TRY(MEM_NEW(port));
	port->config = *config;
	port->ring.next = &port->ring;
	port->ring.prev = &port->ring;
	port->sweep = (struct loop_task){.fn = sweep, .ctx = port};
	TRY(loop_timer_new(config->loop, life_is_over, port, &port->patience));
	TRY(loop_timer_new(config->loop, pause_is_over, port, &port->pause));
	port->http = evhttp_new(loop_events(config->loop));
	if (port->http == NULL)
		TRY(ERR_NOMEM);
	evhttp_set_allowed_methods(port->http, methods_of(config->methods));
	evhttp_set_max_headers_size(port->http, HTTP_PORT_HEAD_OCTETS);
	evhttp_set_max_body_size(port->http, HTTP_PORT_BODY_OCTETS);
	evhttp_set_timeout(port->http, HTTP_PORT_LIFE_MS / 1000);
	evhttp_set_bevcb(port->http, visitor_comes, port);
	evhttp_set_gencb(port->http, requested, port);
	TRY(open_socket(port));
	port->config.address = NULL;
	*out = port;
	port = NULL;
out:
	why = errno;
	http_port_free(port);
	errno = why;
	return rc;
}

void
http_port_free(struct http_port *port)
{
	if (port == NULL)
		return;
	if (port->http != NULL)
		evhttp_free(port->http);
	while (port->count != 0)
		let_go(port, port->ring.next);
	loop_task_cancel(&port->sweep);
	loop_timer_free(port->patience);
	loop_timer_free(port->pause);
	mem_free(port);
}

unsigned
http_port_number(const struct http_port *port)
{
	return port->number;
}

unsigned
http_port_connections(const struct http_port *port)
{
	return port->count;
}
