/*
 * A port that speaks HTTP, for what answers at once and from memory: the door
 * to libevent's evhttp.
 *
 * A connection has one request and its answer, and HTTP_PORT_LIFE_MS of elapsed
 * time for both, whatever it does with it; the answer is not begun before the
 * request is there as a whole. What a peer can make the server hold is bounded
 * by HTTP_PORT_HEAD_OCTETS and HTTP_PORT_BODY_OCTETS: a longer head is answered
 * with 400, a longer body with 413, and other methods than those of the port
 * with 501. One connection more than the port takes costs the one its life that
 * came first: who is slow does not keep others out, and who asks is answered in
 * the turn in which the request is there.
 *
 * req: KS-04-012
 *
 * Source: RFC 9110, RFC 9112
 */
#ifndef NET_HTTP_PORT_H
#define NET_HTTP_PORT_H

#include "base/buf.h"
#include "base/loop.h"

struct http_port;

enum {
	HTTP_PORT_LIFE_MS = 10000,
	HTTP_PORT_HEAD_OCTETS = 8 << 10,
	HTTP_PORT_BODY_OCTETS = 64 << 10,
	HTTP_PORT_CONNECTIONS = 64,
	HTTP_PORT_PAUSE_MS = 1000, /* after the system could not accept */
};

enum http_method {
	HTTP_GET = 1 << 0,
	HTTP_HEAD = 1 << 1,
	HTTP_POST = 1 << 2,
};

struct http_request {
	enum http_method method;
	const char *path; /* as it came, without what follows a '?' */
};

/* 200 and nothing, at first. */
struct http_answer {
	unsigned status;
	const char *reason; /* static */
	const char *type;   /* static */
	struct buf *body;   /* the port's; what HEAD does not get */
};

typedef void http_serve_fn(
    void *ctx, const struct http_request *request, struct http_answer *answer);

struct http_port_config {
	struct env *env; /* Date */
	struct loop *loop;
	const char *address;  /* "127.0.0.1", "::1"; "All": every one */
	unsigned port;        /* 0: any */
	unsigned methods;     /* HTTP_GET | ... */
	size_t answer_octets; /* the most; a longer one is a 500 */
	http_serve_fn *serve;
	void *ctx;
};

/*
 * config  copied; what it points to is borrowed, but for the address
 *
 * ERR_SYSTEM  it cannot be bound; errno says why
 * ERR_NOMEM
 */
enum err http_port_new(
    const struct http_port_config *config, struct http_port **out) MUST_CHECK;

/* Closes everything now. Accepts NULL. */
void http_port_free(struct http_port *port);

unsigned http_port_number(const struct http_port *port);

/* Connections that are open now. */
unsigned http_port_connections(const struct http_port *port);

#endif
