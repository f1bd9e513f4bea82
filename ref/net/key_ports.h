/*
 * The ports of the key servers that are set (device/key_server.h): opened when
 * the service starts, closed when it stops, and following what is changed.
 *
 *	address, port           another socket; connections at the old one go on
 *	SSL, certificate, CAs   other TLS for those who come from now on
 *	all else                another gate for them
 *	deleted                 nobody is let in any more, what has been
 *	                        received is answered, and all are closed
 *
 * One that cannot be opened (somebody else has the port, its private key cannot
 * be opened now) is told of, in the log and to whoever looks at the server, and
 * tried again every KEY_PORTS_RETRY_MS. Nobody is let in meanwhile: not by
 * rules that are no longer those that were set.
 *
 * req: KS-01-112 KS-03-001 KS-03-002 KS-03-140 ESKM-019
 */
#ifndef NET_KEY_PORTS_H
#define NET_KEY_PORTS_H

#include "net/key_gate.h"
#include "net/listen.h"

struct key_ports;

enum { KEY_PORTS_RETRY_MS = 5000 };

/* What serves a protocol. */
struct key_engine {
	const struct protocol *protocol; /* whose ctx is a struct key_gate */
	void *engine;
};

struct key_ports_config {
	struct appliance *appliance;
	struct key_engine engine[KEY_PROTOCOL_COUNT]; /* borrowed */
	/* of each server; idle_ms is the server's own */
	struct listen_config listen;
	const char *ciphers; /* TLS 1.2; borrowed, both */
	const char *suites;  /* TLS 1.3 */
};

enum err key_ports_new(
    const struct key_ports_config *config, struct key_ports **out) MUST_CHECK;

/* Closes everything now. Accepts NULL. */
void key_ports_free(struct key_ports *ports);

void key_ports_open(struct key_ports *ports);

/* Accept no more, answer what has been received: it is finished when there are
 * no connections. */
void key_ports_finish(struct key_ports *ports);
unsigned key_ports_connections(const struct key_ports *ports);

/* What is left is closed now. key_ports_open() opens them again. */
void key_ports_close(struct key_ports *ports);

/* Does one wait for the HSM to open its key? */
bool key_ports_wait(const struct key_ports *ports);

/* Those that listen, in the order of their numbers. */
typedef enum err key_port_fn(void *ctx, unsigned number, unsigned port);
enum err key_ports_each(
    const struct key_ports *ports, key_port_fn *each, void *ctx) MUST_CHECK;

#endif
