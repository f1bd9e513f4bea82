/*
 * A port that is a service of the device: opened when it is started, closed
 * when it is stopped, at the same address each time. It is open at once, and
 * "Starting..." to the end of the turn. req: KS-24-011
 *
 * It is stopped in order: nobody is let in any more, what has been received is
 * answered, and then connections are closed. One that takes longer than
 * SERVICE_PORT_PATIENCE_MS (elapsed time) is closed without its answer.
 */
#ifndef NET_SERVICE_PORT_H
#define NET_SERVICE_PORT_H

#include "device/service.h"
#include "net/listen.h"

struct service_port;

enum { SERVICE_PORT_PATIENCE_MS = 10000 };

/* Ports that come and go with it. */
struct service_fellows {
	void (*open)(void *ctx);
	void (*finish)(void *ctx); /* in order */
	unsigned (*connections)(void *ctx);
	void (*close)(void *ctx); /* now */
	void *ctx;
};

struct service_port_config {
	struct loop *loop;
	struct services *services;
	enum service service;
	/* Its strings and what it points to are borrowed. Port 0 takes any
	 * once, and that one from then on. */
	struct listen_config listen;
	const struct service_fellows *fellows; /* or NULL; borrowed */
};

/* Offers the service, which is stopped. */
enum err service_port_new(const struct service_port_config *config,
    struct service_port **out) MUST_CHECK;

/* Closes everything now. Accepts NULL. The service is not called any more. */
void service_port_free(struct service_port *port);

/* At the end of the program: let nobody in any more, answer what has been
 * received, and close. The service is not called. */
void service_port_finish(struct service_port *port);

/* Connections that are open now, with those of its fellows. */
unsigned service_port_connections(const struct service_port *port);

/* Borrowed until the service stops; NULL: the port is closed. */
struct listener *service_port_listener(struct service_port *port);

#endif
