#include "net/key_ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/key_tls.h"

enum { ADDRESS_OCTETS = KEY_SERVER_TEXT_OCTETS + 16 };

/* A socket that was: its connections go on. */
struct former {
	struct former *next;
	struct listener *listener;
};

/* As long as it has connections, also when its server is gone. */
struct key_port {
	struct key_port *next;
	struct key_ports *owner;
	struct key_server server; /* as it was last seen in the store */
	bool is_known;            /* `server` is filled in */
	bool changed;             /* since it was applied */
	bool is_there;            /* in the store */
	struct key_gate gate;
	struct buf parts;             /* what `tls` is made of */
	struct tls *tls;              /* NULL: none yet, or it has none */
	struct keystore_loan loan;    /* done != NULL: under way */
	struct listener *listener;    /* NULL: it is not open */
	char address[ADDRESS_OCTETS]; /* what that was asked for */
	unsigned any_port;            /* Any took this one; 0: none yet */
	struct former *formers;
	struct loop_timer *retry;
	char why[KEY_SERVER_WHY_OCTETS];
};

struct key_ports {
	struct key_ports_config config;
	struct key_port *first; /* in the order of numbers */
	bool is_open;
	struct loop_task sweep; /* at the end of each turn */
};

/* ---------------------------------------------------------------------------
 * Sockets that were
 */

static void
forget_formers(struct key_port *port, bool all)
{
	struct former **at = &port->formers;

	while (*at != NULL) {
		struct former *former = *at;

		if (!all && listener_connections(former->listener) != 0) {
			at = &former->next;
			continue;
		}
		*at = former->next;
		listener_free(former->listener);
		mem_free(former);
	}
}

/*
 * Nobody comes in here any more; those who are in stay, or, with `finish`, get
 * the answers that they wait for.
 */
static void
shut(struct key_port *port, bool finish)
{
	struct former *former = NULL;

	if (port->listener == NULL)
		return;
	if (finish)
		listener_finish(port->listener);
	else
		listener_stop(port->listener);
	/* without memory for them they are closed now */
	if (MEM_NEW(former) == OK) {
		former->listener = port->listener;
		former->next = port->formers;
		port->formers = former;
	} else {
		listener_free(port->listener);
	}
	port->listener = NULL;
}

/* ---------------------------------------------------------------------------
 * What is told
 */

static void
tell(struct key_port *port)
{
	struct key_server_status status = {.listens = port->listener != NULL};

	if (port->listener != NULL)
		status.port = listener_port(port->listener);
	memcpy(status.why, port->why, sizeof(status.why));
	if (port->is_there)
		key_server_tell(port->owner->config.appliance->key_servers,
		    port->server.number, &status);
}

static void
say_open(struct key_port *port)
{
	log_line("net", LOG_INFO, "key server %u (%s) listens at %s",
	    port->server.number, key_protocol_name(port->server.protocol),
	    listener_address(port->listener));
	port->why[0] = '\0';
	tell(port);
}

/* Once for each reason, and again later. */
static void
not_open(struct key_port *port, const char *why)
{
	const struct key_ports *ports = port->owner;
	struct loop *loop = ports->config.appliance->loop;

	shut(port, false);
	if (strcmp(port->why, why) != 0)
		log_line("net", LOG_ERROR, "key server %u (%s) is not open: %s",
		    port->server.number,
		    key_protocol_name(port->server.protocol), why);
	(void)snprintf(port->why, sizeof(port->why), "%s", why);
	tell(port);
	loop_timer_set(port->retry, loop_now_ms(loop) + KEY_PORTS_RETRY_MS);
}

/* ---------------------------------------------------------------------------
 * Sockets
 */

static struct conn_rules
rules_of(struct key_port *port)
{
	const struct key_ports_config *config = &port->owner->config;
	const struct key_server *server = &port->server;
	struct conn_rules rules = config->listen.rules;

	rules.tls = port->tls;
	rules.protocol = config->engine[server->protocol].protocol;
	rules.ctx = &port->gate;
	/* req: KS-03-142 */
	rules.limits.idle_ms = server->field[KEY_SERVER_TIMEOUT].number * 1000;
	return rules;
}

/*
 * "[::]:9000" takes both kinds of addresses.
 *
 * req: KS-03-137 KS-03-138 ESKM-016 ESKM-017 ESKM-018
 */
static void
wanted_address(
    const struct key_port *port, const char *all, char out[ADDRESS_OCTETS])
{
	const struct key_server_value *field = port->server.field;
	const char *ip = field[KEY_SERVER_IP].text;
	unsigned number = (unsigned)field[KEY_SERVER_PORT].number;

	if (number == 0)
		number = port->any_port;
	if (strcmp(ip, "All") == 0)
		ip = all;
	(void)snprintf(out, ADDRESS_OCTETS,
	    strchr(ip, ':') != NULL ? "[%s]:%u" : "%s:%u", ip, number);
}

static enum err
open_socket(struct key_port *port, const char *address)
{
	struct listen_config listen = port->owner->config.listen;

	listen.address = address;
	listen.rules = rules_of(port);
	listen.quiet = true;
	return listener_new(
	    port->owner->config.appliance->loop, &listen, &port->listener);
}

/* There is TLS, where it has any. */
static void
open_port(struct key_port *port)
{
	bool all = strcmp(port->server.field[KEY_SERVER_IP].text, "All") == 0;
	struct conn_rules rules = rules_of(port);
	char address[ADDRESS_OCTETS];
	enum err rc = OK;

	wanted_address(port, "::", address);
	port->changed = false;
	if (port->listener != NULL && strcmp(address, port->address) == 0) {
		rc = listener_set_rules(port->listener, &rules);
		if (rc != OK)
			not_open(port, err_text(rc));
		return;
	}
	shut(port, false);
	memcpy(port->address, address, sizeof(address));
	rc = open_socket(port, address);
	/* a machine without the newer kind */
	if (rc == ERR_SYSTEM && all && errno != EADDRINUSE && errno != EACCES) {
		wanted_address(port, "0.0.0.0", address);
		rc = open_socket(port, address);
	}
	if (rc != OK) {
		not_open(
		    port, rc == ERR_SYSTEM ? strerror(errno) : err_text(rc));
		return;
	}
	if (port->server.field[KEY_SERVER_PORT].number == 0) {
		port->any_port = listener_port(port->listener);
		wanted_address(port, "::", port->address);
	}
	say_open(port);
}

/* ---------------------------------------------------------------------------
 * TLS
 */

static void
make_tls(struct key_port *port)
{
	const struct key_ports_config *config = &port->owner->config;
	enum err rc;

	rc = key_tls_make(config->appliance, &port->server,
	    buf_peek(&port->parts),
	    port->loan.done != NULL ? &port->loan : NULL, config->ciphers,
	    config->suites, &port->tls);
	keystore_loan_end(&port->loan);
	port->loan.done = NULL;
	if (rc == OK)
		open_port(port);
	else
		not_open(port, err_text(rc));
}

static void
lent(struct keystore_loan *loan)
{
	make_tls(loan->ctx);
}

static void
drop_tls(struct key_port *port)
{
	keystore_loan_end(&port->loan);
	port->loan.done = NULL;
	tls_free(port->tls);
	port->tls = NULL;
	buf_clear(&port->parts);
}

/* As what is in the store has it now: the same, or another. */
static enum err
gather(struct key_port *port, bool *same)
{
	struct store *st = port->owner->config.appliance->store;
	struct buf parts;
	enum err rc = OK;

	buf_init(&parts, KEY_TLS_PARTS_MAX_OCTETS);
	TRY(key_tls_gather(st, &port->server, &parts));
	*same = port->tls != NULL &&
		bytes_equal(buf_peek(&parts), buf_peek(&port->parts));
	if (*same)
		goto out;
	drop_tls(port);
	port->parts = parts;
	buf_init(&parts, KEY_TLS_PARTS_MAX_OCTETS);
out:
	buf_clear(&parts);
	return rc;
}

static void
set_up_tls(struct key_port *port)
{
	struct root *root = port->owner->config.appliance->root;
	struct keystore *ks = root_keystore(root);
	bool same = false;
	enum err rc = OK;

	rc = gather(port, &same);
	if (rc == OK && same) {
		if (port->changed || port->listener == NULL)
			open_port(port);
		return;
	}
	if (rc == OK && keystore_lends(ks)) {
		/* nobody comes in by what is no longer so */
		shut(port, false);
		port->loan = (struct keystore_loan){.done = lent, .ctx = port};
		rc = keystore_lend(ks, root_pool(root), &port->loan);
		if (rc != OK)
			port->loan.done = NULL;
	} else if (rc == OK) {
		make_tls(port);
	}
	if (rc == ERR_NOT_FOUND)
		not_open(port, "its certificate or its Trusted CA List "
			       "profile is not there");
	else if (rc != OK)
		not_open(port, err_text(rc));
}

/* ---------------------------------------------------------------------------
 * A server and its port
 */

static void
set_gate(struct key_port *port)
{
	const struct key_ports_config *config = &port->owner->config;
	const struct key_server *server = &port->server;
	const struct key_server_value *field = server->field;

	port->gate = (struct key_gate){
	    .appliance = config->appliance,
	    .engine = config->engine[server->protocol].engine,
	    .door = {.protocol = server->protocol,
		.profile = (enum key_profile)field[KEY_SERVER_PROFILE].number,
		.uses_ssl = field[KEY_SERVER_SSL].number != 0,
		.allows_config = field[KEY_SERVER_CONFIG].number != 0,
		.allows_export = field[KEY_SERVER_EXPORT].number != 0,
		/* req: KS-03-150 */
		.needs_password = server->protocol == KEY_NAE &&
				  field[KEY_SERVER_PASSWORD].number != 0},
	    .client = (enum key_client)field[KEY_SERVER_CLIENT].number,
	    .user_field = (enum key_user_field)field[KEY_SERVER_USER].number,
	    .needs_source_ip = field[KEY_SERVER_SOURCE_IP].number != 0,
	};
}

/* As it is set now. */
static void
apply(struct key_port *port)
{
	const struct key_ports *ports = port->owner;

	loop_timer_stop(port->retry);
	if (!ports->is_open || !port->is_there)
		return;
	set_gate(port);
	if (ports->config.engine[port->server.protocol].protocol == NULL) {
		not_open(port, err_text(ERR_FEATURE));
	} else if (port->server.field[KEY_SERVER_SSL].number != 0) {
		set_up_tls(port);
	} else if (port->changed || port->listener == NULL) {
		/* req: KS-03-030 */
		drop_tls(port);
		open_port(port);
	}
}

static void
try_again(void *ctx)
{
	apply(ctx);
}

static void
port_free(struct key_port *port)
{
	if (port == NULL)
		return;
	loop_timer_free(port->retry);
	forget_formers(port, true);
	listener_free(port->listener);
	drop_tls(port);
	mem_free(port);
}

/* In its place; NULL: there is no memory. */
static struct key_port *
port_of(struct key_ports *ports, unsigned number)
{
	struct key_port **at = &ports->first;
	struct key_port *port = NULL;
	enum err rc = OK;

	while (*at != NULL && (*at)->server.number < number)
		at = &(*at)->next;
	while (*at != NULL && (*at)->server.number == number) {
		if ((*at)->is_there)
			return *at;
		at = &(*at)->next; /* one that is gone, of that number */
	}
	TRY(MEM_NEW(port));
	port->owner = ports;
	port->is_there = true;
	port->server.number = number;
	buf_init(&port->parts, KEY_TLS_PARTS_MAX_OCTETS);
	TRY(loop_timer_new(
	    ports->config.appliance->loop, try_again, port, &port->retry));
	port->next = *at;
	*at = port;
	return port;
out:
	port_free(port);
	log_line("net", LOG_ERROR, "key server %u is not open: %s", number,
	    err_text(rc));
	return NULL;
}

/* ---------------------------------------------------------------------------
 * All of them
 */

struct seen {
	struct key_ports *ports;
	bool is_there[KEY_SERVERS_MOST + 1];
};

static bool
is_same(const struct key_server *a, const struct key_server *b)
{
	enum key_server_field k;

	for (k = 0; k < KEY_SERVER_FIELD_COUNT; k++)
		if (strcmp(a->field[k].text, b->field[k].text) != 0)
			return false;
	return a->protocol == b->protocol;
}

static void
remove_port(struct key_port *port)
{
	struct key_server_status status = {.listens = false};

	loop_timer_stop(port->retry);
	shut(port, true);
	drop_tls(port);
	port->is_there = false;
	key_server_tell(port->owner->config.appliance->key_servers,
	    port->server.number, &status);
	log_line(
	    "net", LOG_INFO, "key server %u is deleted", port->server.number);
}

static enum err
see(void *ctx, const struct key_server *server)
{
	struct seen *seen = ctx;
	struct key_port *port = port_of(seen->ports, server->number);

	seen->is_there[server->number] = true;
	/* deleted, and one of another kind made in its place: what the old one
	 * has open does not become the new one's */
	if (port != NULL && port->server.protocol != server->protocol &&
	    port->is_known) {
		remove_port(port);
		port = port_of(seen->ports, server->number);
	}
	if (port == NULL)
		return OK;
	port->changed = port->changed || !is_same(&port->server, server);
	port->server = *server;
	port->is_known = true;
	return OK;
}

static void
follow(struct key_ports *ports)
{
	struct seen seen = {.ports = ports};
	struct key_port *port;
	enum err rc;

	rc = key_server_each(seen.ports->config.appliance->store, see, &seen);
	if (rc != OK) {
		log_line("net", LOG_ERROR, "key servers cannot be read: %s",
		    err_text(rc));
		return;
	}
	for (port = seen.ports->first; port != NULL; port = port->next) {
		if (port->is_there && !seen.is_there[port->server.number])
			remove_port(port);
		else
			apply(port);
	}
}

static void
something_changed(void *ctx)
{
	struct key_ports *ports = ctx;

	if (ports->is_open)
		follow(ports);
}

/* What has no connections any more. */
static void
sweep(void *ctx)
{
	struct key_ports *ports = ctx;
	struct key_port **at = &ports->first;

	while (*at != NULL) {
		struct key_port *port = *at;

		if (port->formers != NULL)
			forget_formers(port, false);
		if (port->is_there || port->formers != NULL) {
			at = &port->next;
			continue;
		}
		*at = port->next;
		port_free(port);
	}
}

enum err
key_ports_new(const struct key_ports_config *config, struct key_ports **out)
{
	struct key_ports *ports = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(ports));
	ports->config = *config;
	ports->sweep = (struct loop_task){.fn = sweep, .ctx = ports};
	loop_each_turn(config->appliance->loop, &ports->sweep);
	key_servers_follow(
	    config->appliance->key_servers, something_changed, ports);
	*out = ports;
out:
	return rc;
}

void
key_ports_free(struct key_ports *ports)
{
	if (ports == NULL)
		return;
	key_servers_follow(ports->config.appliance->key_servers, NULL, NULL);
	loop_task_cancel(&ports->sweep);
	while (ports->first != NULL) {
		struct key_port *port = ports->first;

		ports->first = port->next;
		port_free(port);
	}
	mem_free(ports);
}

void
key_ports_open(struct key_ports *ports)
{
	ports->is_open = true;
	follow(ports);
}

void
key_ports_finish(struct key_ports *ports)
{
	struct key_port *port;
	struct former *former;

	ports->is_open = false;
	for (port = ports->first; port != NULL; port = port->next) {
		loop_timer_stop(port->retry);
		shut(port, true);
		for (former = port->formers; former != NULL;
		     former = former->next)
			listener_finish(former->listener);
		drop_tls(port);
		port->why[0] = '\0';
		tell(port);
	}
}

unsigned
key_ports_connections(const struct key_ports *ports)
{
	const struct key_port *port;
	const struct former *former;
	unsigned count = 0;

	for (port = ports->first; port != NULL; port = port->next) {
		if (port->listener != NULL)
			count += listener_connections(port->listener);
		for (former = port->formers; former != NULL;
		     former = former->next)
			count += listener_connections(former->listener);
	}
	return count;
}

void
key_ports_close(struct key_ports *ports)
{
	struct key_port *port;

	key_ports_finish(ports);
	for (port = ports->first; port != NULL; port = port->next)
		forget_formers(port, true);
}

bool
key_ports_wait(const struct key_ports *ports)
{
	const struct key_port *port;

	for (port = ports->first; port != NULL; port = port->next)
		if (port->loan.done != NULL)
			return true;
	return false;
}

enum err
key_ports_each(const struct key_ports *ports, key_port_fn *each, void *ctx)
{
	const struct key_port *port;
	enum err rc = OK;

	for (port = ports->first; port != NULL; port = port->next) {
		if (port->listener != NULL)
			TRY(each(ctx, port->server.number,
			    listener_port(port->listener)));
	}
out:
	return rc;
}
