/*
 * The commands about statistics.
 */
#include "device/statistics.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "device/change.h"
#include "device/clients.h"

/* docs/decisions.md, KS-22-030 */
#define OCTETS_OF_MB 1e6

enum { OPEN_OCTETS = 24 };

static void
say_uptime(struct cli *cli, int64_t ms)
{
	int64_t s = ms / 1000;

	cli_say(cli, "System Uptime: %" PRId64 " days, %02d:%02d:%02d",
	    s / 86400, (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

static void
say_cpus(struct cli *cli, const struct statistics *s)
{
	size_t k;

	cli_say(cli, "System Statistics");
	for (k = 0; k < statistics_cpus(s); k++) {
		unsigned permille = statistics_cpu_permille(s, k);

		cli_say(cli, "  CPU Utilization, CPU %zu: %u.%u%%", k + 1,
		    permille / 10, permille % 10);
	}
	if (statistics_cpus(s) == 0)
		cli_say(cli, "  CPU Utilization: no sample yet");
}

/* req: KS-22-027 */
static void
say_connection(void *ctx, const struct statistics_line *line)
{
	char open[OPEN_OCTETS] = "-";

	if (line->stays)
		(void)snprintf(open, sizeof(open), "%" PRIu64, line->open);
	cli_say(ctx, "  %-23s  %14" PRIu64 "  %14" PRIu64 "  %10s  %10" PRIu64,
	    line->name, line->current, line->maximum, open, line->total);
}

static void
say_connections(struct cli *cli, struct statistics *s)
{
	cli_say(cli, "Connection Statistics");
	cli_say(cli, "  %-23s  %14s  %14s  %10s  %10s", "", "Current/second",
	    "Maximum/second", "Open", "Total");
	statistics_each_connection(s, say_connection, cli);
}

static void
say_interface(struct cli *cli, const struct statistics *s, size_t k)
{
	struct statistics_rate rate;
	double total = 0;
	enum flow flow;

	cli_say(cli, "  %s Interface Statistics%s%s",
	    k == 0 ? statistics_interface_name(s, k) : "Ethernet",
	    k == 0 ? "" : ": ", k == 0 ? "" : statistics_interface_name(s, k));
	for (flow = 0; flow < FLOWS; flow++) {
		statistics_rate(s, k, flow, &rate);
		total += rate.current;
		cli_say(cli, "    Current %s: %.6f", flow_name(flow),
		    rate.current / OCTETS_OF_MB);
		cli_say(cli, "    Average %s: %.6f", flow_name(flow),
		    rate.average / OCTETS_OF_MB);
		cli_say(cli, "    Maximum %s: %.6f", flow_name(flow),
		    rate.maximum / OCTETS_OF_MB);
	}
	cli_say(cli, "    Total Throughput: %.6f", total / OCTETS_OF_MB);
}

static void
say_throughput(struct cli *cli, const struct statistics *s)
{
	size_t k;

	cli_say(cli, "Throughput Statistics (megabytes per second)");
	for (k = 0; k < statistics_interfaces(s); k++)
		say_interface(cli, s, k);
}

static void
say_client(void *ctx, const char *address, unsigned connections)
{
	cli_say(ctx, "  %-45s  %u", address, connections);
}

static void
say_clients(struct cli *cli, const struct clients *clients)
{
	cli_say(cli, "License Usage: %zu", clients_count(clients));
	cli_say(cli, "  Licensed Clients: %zu", clients_most(clients));
	cli_say(
	    cli, "  %-45s  %s", "Client IP Address", "Number of Connections");
	clients_each(clients, say_client, cli);
}

/* req: KS-22-001 KS-22-013 KS-22-014 KS-22-015 KS-22-023 KS-22-024 KS-22-025
 * req: KS-22-026 KS-22-028 KS-22-031 KS-22-036 KS-22-037 KS-22-039 KS-22-040
 * req: KS-22-041 KS-22-042 KS-22-044 KS-22-045 */
void
statistics_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	const struct appliance *appliance = cli_appliance(cli);
	struct statistics *s = appliance->statistics;

	(void)args;
	(void)arg_count;
	say_uptime(cli, statistics_uptime_ms(s));
	say_cpus(cli, s);
	say_connections(cli, s);
	say_throughput(cli, s);
	say_clients(cli, appliance->clients);
	cli_done(cli);
}

/* ---- requests ---- */

/* req: KS-22-069 KS-22-070 KS-22-071 KS-22-072 KS-22-088 KS-22-089 KS-22-090
 * req: KS-22-091 */
static void
say_request(void *ctx, const struct statistics_line *line)
{
	cli_say(ctx,
	    "  %-23s  %14" PRIu64 "  %14" PRIu64 "  %21" PRIu64 "  %17" PRIu64
	    "  %10" PRIu64,
	    line->name, line->current, line->maximum, line->tally.successful,
	    line->tally.failed, line->total);
}

static void
show_requests(struct cli *cli, enum statistics_protocol which)
{
	cli_say(cli, "%s", statistics_protocol_name(which));
	cli_say(cli, "  %-23s  %14s  %14s  %21s  %17s  %10s", "Operations",
	    "Current/second", "Maximum/second", "Successful Operations",
	    "Failed Operations", "Total");
	statistics_each_request(
	    cli_appliance(cli)->statistics, which, say_request, cli);
	cli_done(cli);
}

void
statistics_show_nae(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	show_requests(cli, PROTOCOL_NAE);
}

void
statistics_show_kmip(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	show_requests(cli, PROTOCOL_KMIP);
}

/* ---- reset ---- */

static void
drop(void *state)
{
	mem_free(state);
}

/* Nothing is written but the audit line. */
static enum err
say_so(struct change *change)
{
	(void)snprintf(
	    change->event, sizeof(change->event), "reset statistics");
	return OK;
}

static enum err
reset(struct cli *cli, struct change *change)
{
	(void)change;
	statistics_reset(cli_appliance(cli)->statistics);
	return OK;
}

/* req: KS-22-003 */
void
statistics_begin_anew(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct change *change = cli_keep(cli, sizeof(*change), drop);

	(void)args;
	(void)arg_count;
	if (change == NULL)
		return;
	change->apply = say_so;
	cli_change(cli, change, reset, "");
}
