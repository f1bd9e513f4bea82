#include "net/status_ports.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/metrics.h"
#include "net/http_port.h"

static http_serve_fn serve_health;
static http_serve_fn serve_metrics;

struct row {
	const char *word;
	const char *name;
	enum setting enable;
	enum setting address;
	enum setting port;
	unsigned methods;
	size_t answer_octets;
	http_serve_fn *serve;
};

static const struct row rows[] = {
    /* req: KS-04-009 KS-04-010 KS-04-011 */
    {"health-check", "Health Check", SETTING_HEALTH_CHECK,
	SETTING_HEALTH_CHECK_ADDRESS, SETTING_HEALTH_CHECK_PORT,
	HTTP_GET | HTTP_HEAD | HTTP_POST, 256, serve_health},
    {"metrics", "Metrics", SETTING_METRICS, SETTING_METRICS_ADDRESS,
	SETTING_METRICS_PORT, HTTP_GET | HTTP_HEAD, METRICS_MOST_OCTETS,
	serve_metrics},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct one {
	const struct row *row;
	struct status_ports *owner;
	struct http_port *port; /* NULL: it is not open */
	struct loop_timer *retry;
	char address[SETTING_VALUE_OCTETS]; /* of the port */
	int64_t number;
};

struct status_ports {
	struct appliance *appliance;
	struct one one[ROWS];
	struct settings_watch settings;
	bool is_over;
};

/* ---- what is answered ---- */

/* req: KS-04-003 KS-04-004 KS-04-006 KS-04-008 */
static void
serve_health(
    void *ctx, const struct http_request *request, struct http_answer *answer)
{
	struct one *one = ctx;
	const char *outage = appliance_outage(one->owner->appliance);
	enum err rc;

	(void)request;
	if (outage != NULL) {
		log_line("net", LOG_INFO, "Health Check: 500: %s", outage);
		answer->status = 500;
		answer->reason = "Internal Server Error";
	}
	/* the status has said it, too */
	rc = buf_put_text(answer->body, outage == NULL
					    ? "Health Check Succeeded\n"
					    : "Health Check Failed\n");
	(void)rc;
}

static void
serve_metrics(
    void *ctx, const struct http_request *request, struct http_answer *answer)
{
	struct one *one = ctx;

	if (strcmp(request->path, "/metrics") != 0) {
		answer->status = 404;
		answer->reason = "Not Found";
		return;
	}
	answer->type = METRICS_TYPE;
	if (metrics_write(one->owner->appliance, answer->body) == OK)
		return;
	buf_reset(answer->body);
	answer->status = 500;
	answer->reason = "Internal Server Error";
}

/* ---- open and closed ---- */

static void
shut(struct one *one)
{
	loop_timer_stop(one->retry);
	if (one->port == NULL)
		return;
	log_line("net", LOG_INFO, "%s is closed", one->row->name);
	http_port_free(one->port);
	one->port = NULL;
}

static void
try_to_open(void *ctx)
{
	struct one *one = ctx;
	const struct row *row = one->row;
	struct loop *loop = one->owner->appliance->loop;
	const struct http_port_config config = {
	    .env = one->owner->appliance->env,
	    .loop = loop,
	    .address = one->address,
	    .port = (unsigned)one->number,
	    .methods = row->methods,
	    .answer_octets = row->answer_octets,
	    .serve = row->serve,
	    .ctx = one,
	};
	enum err rc = http_port_new(&config, &one->port);

	if (rc == OK) {
		log_line("net", LOG_INFO, "%s listens at %s, port %u",
		    row->name, one->address, http_port_number(one->port));
		return;
	}
	log_line("net", LOG_ERROR, "%s cannot listen at %s, port %u: %s",
	    row->name, one->address, config.port,
	    rc == ERR_SYSTEM ? strerror(errno) : err_text(rc));
	loop_timer_set(one->retry, loop_now_ms(loop) + STATUS_PORTS_RETRY_MS);
}

/* As it is set now. */
static void
apply(struct one *one)
{
	const struct row *row = one->row;
	const struct settings *settings = one->owner->appliance->settings;
	const char *address = setting_text(settings, row->address);
	int64_t number = setting_number(settings, row->port);

	if (setting_number(settings, row->enable) == 0) {
		shut(one);
		return;
	}
	if (one->port != NULL && number == one->number &&
	    strcmp(address, one->address) == 0)
		return;
	shut(one);
	memcpy(one->address, address, strlen(address) + 1);
	one->number = number;
	try_to_open(one);
}

static void
follow(void *ctx, enum setting which)
{
	struct status_ports *ports = ctx;
	size_t k;

	for (k = 0; k < ROWS && !ports->is_over; k++) {
		if (which == rows[k].enable || which == rows[k].address ||
		    which == rows[k].port)
			apply(&ports->one[k]);
	}
}

enum err
status_ports_new(struct appliance *appliance, struct status_ports **out)
{
	struct status_ports *ports = NULL;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(ports));
	ports->appliance = appliance;
	for (k = 0; k < ROWS; k++) {
		struct one *one = &ports->one[k];

		one->row = &rows[k];
		one->owner = ports;
		TRY(loop_timer_new(
		    appliance->loop, try_to_open, one, &one->retry));
	}
	for (k = 0; k < ROWS; k++)
		apply(&ports->one[k]);
	ports->settings =
	    (struct settings_watch){.follow = follow, .ctx = ports};
	settings_watch(appliance->settings, &ports->settings);
	*out = ports;
	ports = NULL;
out:
	status_ports_free(ports);
	return rc;
}

/* Settings are not followed any more when it is freed: they go with it. */
void
status_ports_free(struct status_ports *ports)
{
	size_t k;

	if (ports == NULL)
		return;
	for (k = 0; k < ROWS; k++) {
		http_port_free(ports->one[k].port);
		loop_timer_free(ports->one[k].retry);
	}
	mem_free(ports);
}

/* req: KS-04-015 */
void
status_ports_close(struct status_ports *ports)
{
	size_t k;

	ports->is_over = true;
	for (k = 0; k < ROWS; k++)
		shut(&ports->one[k]);
}

enum err
status_ports_each(
    const struct status_ports *ports, status_port_fn *each, void *ctx)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < ROWS; k++)
		if (ports->one[k].port != NULL)
			TRY(each(ctx, rows[k].word,
			    http_port_number(ports->one[k].port)));
out:
	return rc;
}
