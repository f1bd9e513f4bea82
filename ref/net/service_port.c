#include "net/service_port.h"

#include "base/mem.h"

struct service_port {
	struct service_port_config config;
	struct listener *listener;
	char *address;           /* the one that it got; NULL: not yet opened */
	struct loop_task opened; /* next turn: it is started */
	struct loop_task task;   /* while it stops */
	struct loop_timer *patience;
};

static void
close_port(struct service_port *port)
{
	const struct service_fellows *fellows = port->config.fellows;

	if (fellows != NULL)
		fellows->close(fellows->ctx);
	loop_task_cancel(&port->opened);
	loop_task_cancel(&port->task);
	loop_timer_stop(port->patience);
	listener_free(port->listener);
	port->listener = NULL;
}

static void
is_open(void *ctx)
{
	struct service_port *port = ctx;

	service_started(port->config.services, port->config.service);
}

static enum err
start(void *ctx)
{
	struct service_port *port = ctx;
	const struct service_port_config *c = &port->config;
	struct listen_config listen = c->listen;
	enum err rc = OK;

	if (port->address != NULL)
		listen.address = port->address;
	TRY(listener_new(c->loop, &listen, &port->listener));
	if (port->address == NULL) {
		port->address = mem_strdup(listener_address(port->listener));
		if (port->address == NULL)
			TRY(ERR_NOMEM);
	}
	if (c->fellows != NULL)
		c->fellows->open(c->fellows->ctx);
	loop_later(c->loop, &port->opened);
out:
	if (rc != OK)
		close_port(port);
	return rc;
}

static void
is_over(struct service_port *port)
{
	close_port(port);
	service_stopped(port->config.services, port->config.service);
}

/* At the end of each turn while it stops. */
static void
look(void *ctx)
{
	struct service_port *port = ctx;

	if (service_port_connections(port) == 0)
		is_over(port);
}

static void
patience_is_over(void *ctx)
{
	is_over(ctx);
}

static void
stop(void *ctx)
{
	struct service_port *port = ctx;
	struct loop *loop = port->config.loop;

	loop_task_cancel(&port->opened);
	service_port_finish(port);
	loop_each_turn(loop, &port->task);
	loop_timer_set(
	    port->patience, loop_now_ms(loop) + SERVICE_PORT_PATIENCE_MS);
}

enum err
service_port_new(
    const struct service_port_config *config, struct service_port **out)
{
	struct service_functions functions = {.start = start, .stop = stop};
	struct service_port *port = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(port));
	port->config = *config;
	port->opened = (struct loop_task){.fn = is_open, .ctx = port};
	port->task = (struct loop_task){.fn = look, .ctx = port};
	TRY(loop_timer_new(
	    config->loop, patience_is_over, port, &port->patience));
	functions.ctx = port;
	service_offer(config->services, config->service, &functions);
	*out = port;
	port = NULL;
out:
	mem_free(port);
	return rc;
}

void
service_port_free(struct service_port *port)
{
	if (port == NULL)
		return;
	close_port(port);
	loop_timer_free(port->patience);
	mem_free(port->address);
	mem_free(port);
}

void
service_port_finish(struct service_port *port)
{
	const struct service_fellows *fellows = port->config.fellows;

	if (port->listener != NULL)
		listener_finish(port->listener);
	if (fellows != NULL)
		fellows->finish(fellows->ctx);
}

unsigned
service_port_connections(const struct service_port *port)
{
	const struct service_fellows *fellows = port->config.fellows;
	unsigned count = 0;

	if (port->listener != NULL)
		count = listener_connections(port->listener);
	if (fellows != NULL)
		count += fellows->connections(fellows->ctx);
	return count;
}

struct listener *
service_port_listener(struct service_port *port)
{
	return port->listener;
}
