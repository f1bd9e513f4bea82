#include "device/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "device/appliance.h"
#include "device/clients.h"
#include "device/hardware.h"
#include "device/statistics.h"

/* A label's value is a text with three octets that are written otherwise. */
static enum err
put_label(struct buf *out, const char *value)
{
	enum err rc = OK;

	for (; *value != '\0'; value++) {
		if (*value == '\n')
			TRY(buf_put_text(out, "\\n"));
		else if (*value == '\\' || *value == '"')
			TRY(buf_printf(out, "\\%c", *value));
		else
			TRY(buf_printf(out, "%c", *value));
	}
out:
	return rc;
}

static enum err
put_family(
    struct buf *out, const char *name, const char *type, const char *help)
{
	return buf_printf(
	    out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- uptime, processors, clients ---- */

static enum err
put_system(struct statistics *s, struct buf *out)
{
	static const char cpu[] = "touchstone_cpu_utilization_ratio";
	int64_t ms = statistics_uptime_ms(s);
	size_t k;
	enum err rc = OK;

	TRY(put_family(out, "touchstone_uptime_seconds", "gauge",
	    "Time since the device was started."));
	TRY(buf_printf(out, "touchstone_uptime_seconds %" PRId64 ".%03d\n",
	    ms / 1000, (int)(ms % 1000)));
	TRY(put_family(
	    out, cpu, "gauge", "Part of its time that a processor is in use."));
	for (k = 0; k < statistics_cpus(s); k++) {
		unsigned permille = statistics_cpu_permille(s, k);

		TRY(buf_printf(out, "%s{cpu=\"%zu\"} %u.%03u\n", cpu, k + 1,
		    permille / 1000, permille % 1000));
	}
out:
	return rc;
}

static enum err
put_clients(const struct clients *clients, struct buf *out)
{
	enum err rc = OK;

	TRY(put_family(out, "touchstone_clients", "gauge",
	    "Addresses with connections to key servers."));
	TRY(buf_printf(
	    out, "touchstone_clients %zu\n", clients_count(clients)));
	TRY(put_family(out, "touchstone_licensed_clients", "gauge",
	    "Addresses that may have connections at one time."));
	TRY(buf_printf(
	    out, "touchstone_licensed_clients %zu\n", clients_most(clients)));
out:
	return rc;
}

/* ---- connections ---- */

struct writing {
	struct buf *out;
	const char *name;
	const char *word; /* of the protocol */
	size_t row;
	enum err rc;
};

static enum err
put_connection(const struct writing *w, const char *kind, uint64_t value)
{
	return buf_printf(
	    w->out, "%s{kind=\"%s\"} %" PRIu64 "\n", w->name, kind, value);
}

/* The first is the sum of others, which whoever reads this can make himself. */
static void
total_of(void *ctx, const struct statistics_line *line)
{
	struct writing *w = ctx;

	if (w->row++ != CONNECTION_TOTAL && w->rc == OK)
		w->rc = put_connection(w, line->word, line->total);
}

static void
open_of(void *ctx, const struct statistics_line *line)
{
	struct writing *w = ctx;

	if (w->row++ != CONNECTION_TOTAL && line->stays && w->rc == OK)
		w->rc = put_connection(w, line->word, line->open);
}

static enum err
put_connections(struct statistics *s, struct buf *out)
{
	struct writing total = {
	    .out = out, .name = "touchstone_connections_total"};
	struct writing open = {
	    .out = out, .name = "touchstone_connections_open"};
	enum err rc = OK;

	TRY(put_family(out, total.name, "counter",
	    "Connections to key servers, and what became of handshakes."));
	statistics_each_connection(s, total_of, &total);
	TRY(total.rc);
	TRY(put_family(
	    out, open.name, "gauge", "Connections to key servers now."));
	statistics_each_connection(s, open_of, &open);
	TRY(open.rc);
out:
	return rc;
}

/* ---- requests ---- */

static enum err
put_request(const struct writing *w, const char *operation, const char *result,
    uint64_t value)
{
	enum err rc = OK;

	TRY(buf_printf(
	    w->out, "%s{protocol=\"%s\",operation=\"", w->name, w->word));
	TRY(put_label(w->out, operation));
	TRY(buf_printf(
	    w->out, "\",result=\"%s\"} %" PRIu64 "\n", result, value));
out:
	return rc;
}

/* The first row is of all, also of those that have no row. */
static void
operation_of(void *ctx, const struct statistics_line *line)
{
	struct writing *w = ctx;

	if (w->row++ == 0 || w->rc != OK)
		return;
	w->rc = put_request(w, line->name, "success", line->tally.successful);
	if (w->rc == OK)
		w->rc =
		    put_request(w, line->name, "failure", line->tally.failed);
}

static void
request_of(void *ctx, const struct statistics_line *line)
{
	struct writing *w = ctx;

	if (w->row++ != 0 || w->rc != OK)
		return;
	w->rc = buf_printf(w->out,
	    "%s{protocol=\"%s\",result=\"success\"} %" PRIu64
	    "\n%s{protocol=\"%s\",result=\"failure\"} %" PRIu64 "\n",
	    w->name, w->word, line->tally.successful, w->name, w->word,
	    line->tally.failed);
}

static enum err
put_tallies(struct statistics *s, const char *name, statistics_line_fn *each,
    struct buf *out)
{
	enum statistics_protocol which;
	enum err rc = OK;

	for (which = 0; which < PROTOCOLS; which++) {
		struct writing w = {.out = out,
		    .name = name,
		    .word = statistics_protocol_word(which)};

		statistics_each_request(s, which, each, &w);
		TRY(w.rc);
	}
out:
	return rc;
}

static enum err
put_requests(struct statistics *s, struct buf *out)
{
	static const char requests[] = "touchstone_requests_total";
	static const char operations[] = "touchstone_operations_total";
	enum err rc = OK;

	TRY(put_family(out, requests, "counter", "Requests of clients."));
	TRY(put_tallies(s, requests, request_of, out));
	TRY(put_family(out, operations, "counter", "Operations of clients."));
	TRY(put_tallies(s, operations, operation_of, out));
out:
	return rc;
}

/* ---- octets ---- */

static enum err
put_traffic(struct statistics *s, struct buf *out)
{
	static const char server[] = "touchstone_key_server_bytes_total";
	static const char network[] = "touchstone_network_bytes_total";
	enum flow flow;
	size_t k;
	enum err rc = OK;

	TRY(put_family(out, server, "counter",
	    "Requests and answers of key servers, without TLS, TCP and IP."));
	for (flow = 0; flow < FLOWS; flow++)
		TRY(buf_printf(out, "%s{direction=\"%s\"} %" PRIu64 "\n",
		    server, flow_word(flow), statistics_octets(s, 0, flow)));
	TRY(put_family(
	    out, network, "counter", "All that passes an Ethernet interface."));
	for (k = 1; k < statistics_interfaces(s); k++) {
		for (flow = 0; flow < FLOWS; flow++) {
			TRY(buf_printf(out, "%s{interface=\"", network));
			TRY(put_label(out, statistics_interface_name(s, k)));
			TRY(buf_printf(out,
			    "\",direction=\"%s\"} %" PRIu64 "\n",
			    flow_word(flow), statistics_octets(s, k, flow)));
		}
	}
out:
	return rc;
}

/* ---- health ---- */

static enum err
put_health(const struct hardware *hw, struct buf *out)
{
	static const char supply[] = "touchstone_power_supply_operational";
	static const char fan[] = "touchstone_fans_operational";
	unsigned n;
	enum err rc = OK;

	TRY(put_family(out, supply, "gauge", "1: the power supply is well."));
	for (n = 0; n < hardware_supplies(hw); n++)
		TRY(buf_printf(out, "%s{supply=\"%u\"} %d\n", supply, n + 1,
		    hardware_supply_warning(hw, n) == NULL));
	TRY(put_family(out, fan, "gauge", "1: all fans are well."));
	TRY(buf_printf(out, "%s %d\n", fan, hardware_fan_warning(hw) == NULL));
out:
	return rc;
}

enum err
metrics_write(struct appliance *appliance, struct buf *out)
{
	struct statistics *s = appliance->statistics;
	enum err rc = OK;

	TRY(put_system(s, out));
	TRY(put_connections(s, out));
	TRY(put_clients(appliance->clients, out));
	TRY(put_requests(s, out));
	TRY(put_traffic(s, out));
	if (appliance->hardware != NULL)
		TRY(put_health(appliance->hardware, out));
out:
	return rc;
}
