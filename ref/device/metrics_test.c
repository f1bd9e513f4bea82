/*
 * Metrics: the page as a whole, the format's rules, and that no row of the
 * tables is left out or there twice.
 */
#include "device/metrics.h"

#include <ctype.h>
#include <sys/stat.h>

#include "device/clients.h"
#include "device/hardware.h"
#include "device/rig_test.h"
#include "device/statistics.h"

enum { PAGE_OCTETS = 64 << 10, SAMPLES = 256, NAME_OCTETS = 128 };

struct test {
	struct bench bench;
	char proc[300];
	struct statistics_counts *counts;
	struct statistics_tally kmip[3];
	struct statistics_tally nae[2];
	char page[PAGE_OCTETS + 1];
};

static struct test test;

static const char *kmip_names[] = {"Total", "Get", "Create"};
static const char *const nae_names[] = {"Total", "Key Information"};

static const char *
kmip_name(size_t row)
{
	return kmip_names[row];
}

static const char *
nae_name(size_t row)
{
	return nae_names[row];
}

static void
write_file(struct test *t, const char *name, const char *text)
{
	char path[400];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%.290s/%s", t->proc, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Two processors and two interfaces. */
static void
set_proc(struct test *t, unsigned used, unsigned idle)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "cpu  1 0 0 1 0 0 0 0 0 0\ncpu0 %u 0 0 %u 0 0 0 0 0 0\n"
	    "cpu1 %u 0 0 0 0 0 0 0 0 0\n",
	    used, idle, used + idle);
	write_file(t, "stat", text);
	write_file(t, "net/dev",
	    "Inter-|   Receive  |  Transmit\n face |bytes  |bytes\n"
	    "    lo: 777 1 0 0 0 0 0 0 888 1 0 0 0 0 0 0\n"
	    "  eth0: 5000 5 0 0 0 0 0 0 6000 6 0 0 0 0 0 0\n"
	    "  eth1: 70 5 0 0 0 0 0 0 80 6 0 0 0 0 0 0\n");
}

static int
set_up(void **state)
{
	struct test *t = &test;
	struct appliance *a = &t->bench.appliance;
	char path[400];
	const struct hardware_config hardware = {
	    .appliance = a, .model = "k460", .powered_on = true};

	memset(t, 0, sizeof(*t));
	kmip_names[1] = "Get";
	bench_make(&t->bench);
	(void)snprintf(t->proc, sizeof(t->proc), "%.255s/proc", t->bench.dir);
	(void)snprintf(path, sizeof(path), "%.290s/net", t->proc);
	assert_int_equal(mkdir(t->proc, 0700), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	set_proc(t, 100, 900);
	assert_ok(statistics_new(a->loop, t->proc, "", &a->statistics));
	t->counts = statistics_counts(a->statistics);
	assert_ok(statistics_lend(
	    a->statistics, PROTOCOL_KMIP, t->kmip, LENGTH(t->kmip), kmip_name));
	assert_ok(statistics_lend(
	    a->statistics, PROTOCOL_NAE, t->nae, LENGTH(t->nae), nae_name));
	assert_ok(clients_new(&a->clients));
	clients_limit(a->clients, 3);
	assert_ok(hardware_new(&hardware, &a->hardware));
	*state = t;
	return 0;
}

static int
tear_down(void **state)
{
	struct test *t = *state;
	struct appliance *a = &t->bench.appliance;

	hardware_free(a->hardware);
	clients_free(a->clients);
	statistics_free(a->statistics);
	bench_remove(&t->bench);
	return 0;
}

static const char *
page(struct test *t)
{
	struct buf out;

	buf_init(&out, PAGE_OCTETS);
	assert_ok(metrics_write(&t->bench.appliance, &out));
	memcpy(t->page, out.at, out.octets);
	t->page[out.octets] = '\0';
	buf_clear(&out);
	return t->page;
}

/* ---- the page ---- */

static const char whole_page[] =
    "# HELP touchstone_uptime_seconds Time since the device was started.\n"
    "# TYPE touchstone_uptime_seconds gauge\n"
    "touchstone_uptime_seconds 3.007\n"
    "# HELP touchstone_cpu_utilization_ratio Part of its time that a processor "
    "is in use.\n"
    "# TYPE touchstone_cpu_utilization_ratio gauge\n"
    "touchstone_cpu_utilization_ratio{cpu=\"1\"} 0.045\n"
    "touchstone_cpu_utilization_ratio{cpu=\"2\"} 1.000\n"
    "# HELP touchstone_connections_total Connections to key servers, and what "
    "became of handshakes.\n"
    "# TYPE touchstone_connections_total counter\n"
    "touchstone_connections_total{kind=\"non-ssl\"} 2\n"
    "touchstone_connections_total{kind=\"ssl\"} 18446744073709551615\n"
    "touchstone_connections_total{kind=\"ssl-handshake\"} 4\n"
    "touchstone_connections_total{kind=\"ssl-resume\"} 5\n"
    "touchstone_connections_total{kind=\"ssl-handshake-failed\"} 6\n"
    "# HELP touchstone_connections_open Connections to key servers now.\n"
    "# TYPE touchstone_connections_open gauge\n"
    "touchstone_connections_open{kind=\"non-ssl\"} 1\n"
    "touchstone_connections_open{kind=\"ssl\"} 18446744073709551615\n"
    "# HELP touchstone_clients Addresses with connections to key servers.\n"
    "# TYPE touchstone_clients gauge\n"
    "touchstone_clients 1\n"
    "# HELP touchstone_licensed_clients Addresses that may have connections at "
    "one time.\n"
    "# TYPE touchstone_licensed_clients gauge\n"
    "touchstone_licensed_clients 3\n"
    "# HELP touchstone_requests_total Requests of clients.\n"
    "# TYPE touchstone_requests_total counter\n"
    "touchstone_requests_total{protocol=\"nae-xml\",result=\"success\"} 7\n"
    "touchstone_requests_total{protocol=\"nae-xml\",result=\"failure\"} 8\n"
    "touchstone_requests_total{protocol=\"kmip\",result=\"success\"} 9\n"
    "touchstone_requests_total{protocol=\"kmip\",result=\"failure\"} 0\n"
    "# HELP touchstone_operations_total Operations of clients.\n"
    "# TYPE touchstone_operations_total counter\n"
    "touchstone_operations_total{protocol=\"nae-xml\","
    "operation=\"Key Information\",result=\"success\"} 10\n"
    "touchstone_operations_total{protocol=\"nae-xml\","
    "operation=\"Key Information\",result=\"failure\"} 11\n"
    "touchstone_operations_total{protocol=\"kmip\",operation=\"Get\","
    "result=\"success\"} 12\n"
    "touchstone_operations_total{protocol=\"kmip\",operation=\"Get\","
    "result=\"failure\"} 0\n"
    "touchstone_operations_total{protocol=\"kmip\",operation=\"Create\","
    "result=\"success\"} 0\n"
    "touchstone_operations_total{protocol=\"kmip\",operation=\"Create\","
    "result=\"failure\"} 13\n"
    "# HELP touchstone_key_server_bytes_total Requests and answers of key "
    "servers, without TLS, TCP and IP.\n"
    "# TYPE touchstone_key_server_bytes_total counter\n"
    "touchstone_key_server_bytes_total{direction=\"incoming\"} 14\n"
    "touchstone_key_server_bytes_total{direction=\"outgoing\"} 15\n"
    "# HELP touchstone_network_bytes_total All that passes an Ethernet "
    "interface.\n"
    "# TYPE touchstone_network_bytes_total counter\n"
    "touchstone_network_bytes_total{interface=\"eth0\","
    "direction=\"incoming\"} 5000\n"
    "touchstone_network_bytes_total{interface=\"eth0\","
    "direction=\"outgoing\"} 6000\n"
    "touchstone_network_bytes_total{interface=\"eth1\","
    "direction=\"incoming\"} 70\n"
    "touchstone_network_bytes_total{interface=\"eth1\","
    "direction=\"outgoing\"} 80\n"
    "# HELP touchstone_power_supply_operational 1: the power supply is well.\n"
    "# TYPE touchstone_power_supply_operational gauge\n"
    "touchstone_power_supply_operational{supply=\"1\"} 1\n"
    "touchstone_power_supply_operational{supply=\"2\"} 0\n"
    "# HELP touchstone_fans_operational 1: all fans are well.\n"
    "# TYPE touchstone_fans_operational gauge\n"
    "touchstone_fans_operational 1\n";

static void
the_page_says_what_was_counted(void **state)
{
	struct test *t = *state;
	struct appliance *a = &t->bench.appliance;
	struct client *client;

	t->counts->came[CONNECTION_CLEAR] = 2;
	t->counts->gone[CONNECTION_CLEAR] = 1;
	t->counts->came[CONNECTION_SSL] = UINT64_MAX;
	t->counts->came[CONNECTION_HANDSHAKES] = 4;
	t->counts->came[CONNECTION_RESUMES] = 5;
	t->counts->came[CONNECTION_FAILED] = 6;
	t->counts->octets[FLOW_INCOMING] = 14;
	t->counts->octets[FLOW_OUTGOING] = 15;
	t->nae[0] = (struct statistics_tally){7, 8};
	t->nae[1] = (struct statistics_tally){10, 11};
	t->kmip[0] = (struct statistics_tally){9, 0};
	t->kmip[1] = (struct statistics_tally){12, 0};
	t->kmip[2] = (struct statistics_tally){0, 13};
	assert_ok(client_enter(a->clients, bytes_of_text("10.0.0.1"), &client));
	assert_ok(hardware_set_supply(a->hardware, 1, SUPPLY_UNPLUGGED));
	set_proc(t, 109, 1091);
	rig_move_to(&t->bench.rig, STATISTICS_SAMPLE_MS + 7);
	bench_turn(&t->bench);
	(void)page(t);
	client_leave(a->clients, client);
	assert_string_equal(t->page, whole_page);
}

/* ---- the format ---- */

/* spec: prometheus text format 0.0.4, label values */
static void
a_label_is_escaped(void **state)
{
	static const struct {
		const char *name;
		const char *want;
	} cases[] = {
	    {"Get", "operation=\"Get\","},
	    {"", "operation=\"\","},
	    {"a\\b", "operation=\"a\\\\b\","},
	    {"a\"b", "operation=\"a\\\"b\","},
	    {"a\nb", "operation=\"a\\nb\","},
	    {"\\n", "operation=\"\\\\n\","},
	    {"\"} 1\n", "operation=\"\\\"} 1\\n\","},
	    {"%s{}=,#", "operation=\"%s{}=,#\","},
	    {"Schl\xc3\xbcssel", "operation=\"Schl\xc3\xbcssel\","},
	};
	struct test *t = *state;
	size_t k;

	for (k = 0; k < LENGTH(cases); k++) {
		kmip_names[1] = cases[k].name;
		if (strstr(page(t), cases[k].want) == NULL)
			fail_msg("%s: expected %s in:\n%s", cases[k].name,
			    cases[k].want, t->page);
	}
}

struct reading {
	char family[NAME_OCTETS]; /* the last one's */
	char families[SAMPLES][NAME_OCTETS];
	size_t family_count;
	char samples[SAMPLES][NAME_OCTETS]; /* with their labels */
	size_t count;
};

static void
read_help(struct reading *r, const char *line)
{
	size_t k;

	assert_int_equal(sscanf(line, "# HELP %127s", r->family), 1);
	for (k = 0; k < r->family_count; k++)
		assert_string_not_equal(r->families[k], r->family);
	(void)strcpy(r->families[r->family_count++], r->family);
	assert_true(strlen(line) > strlen("# HELP  ") + strlen(r->family));
}

static void
read_type(struct reading *r, const char *line)
{
	char name[NAME_OCTETS];
	char type[16];

	assert_int_equal(sscanf(line, "# TYPE %127s %15s", name, type), 2);
	assert_string_equal(name, r->family);
	if (strcmp(type, "counter") != 0)
		assert_string_equal(type, "gauge");
	/* counters, and only they, say so. */
	assert_int_equal(strcmp(type, "counter") == 0,
	    strcmp(name + strlen(name) - 6, "_total") == 0);
}

static void
read_sample(struct reading *r, const char *line)
{
	const char *value = strrchr(line, ' ');
	size_t octets = strcspn(line, "{ ");
	size_t k;

	assert_non_null(value);
	assert_int_equal(octets, strlen(r->family));
	assert_memory_equal(line, r->family, octets);
	assert_true(isdigit((unsigned char)value[1]));
	assert_int_equal(strspn(value + 1, "0123456789."), strlen(value + 1));
	octets = (size_t)(value - line);
	assert_true(octets < NAME_OCTETS);
	memcpy(r->samples[r->count], line, octets);
	r->samples[r->count][octets] = '\0';
	for (k = 0; k < r->count; k++)
		assert_string_not_equal(r->samples[k], r->samples[r->count]);
	r->count++;
}

static void
read_page(struct test *t, struct reading *r)
{
	char *line;

	memset(r, 0, sizeof(*r));
	(void)page(t);
	assert_int_equal(t->page[strlen(t->page) - 1], '\n');
	for (line = strtok(t->page, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		assert_true(r->count + 1 < SAMPLES);
		if (strncmp(line, "# HELP ", 7) == 0)
			read_help(r, line);
		else if (line[0] == '#')
			read_type(r, line);
		else
			read_sample(r, line);
	}
}

static unsigned
samples_of(const struct reading *r, const char *name, const char *label,
    const char *value)
{
	char want[NAME_OCTETS];
	unsigned count = 0;
	size_t k;

	(void)snprintf(want, sizeof(want), "%s=\"%s\"", label, value);
	for (k = 0; k < r->count; k++)
		count += strncmp(r->samples[k], name, strlen(name)) == 0 &&
			 strstr(r->samples[k], want) != NULL;
	return count;
}

/* spec: prometheus text format 0.0.4 */
static void
each_row_of_the_tables_is_there_once(void **state)
{
	static struct reading r;
	struct test *t = *state;

	read_page(t, &r);
	/* the sum of others is nobody's sample */
#define CONNECTION(symbol, word, name, stays, ...)                        \
	assert_int_equal(                                                 \
	    samples_of(&r, "touchstone_connections_total", "kind", word), \
	    symbol != CONNECTION_TOTAL);                                  \
	assert_int_equal(                                                 \
	    samples_of(&r, "touchstone_connections_open", "kind", word),  \
	    symbol != CONNECTION_TOTAL && (stays));
#define FLOW(symbol, word, ...)                                              \
	assert_int_equal(samples_of(&r, "touchstone_key_server_bytes_total", \
			     "direction", word),                             \
	    1);                                                              \
	assert_int_equal(samples_of(&r, "touchstone_network_bytes_total",    \
			     "direction", word),                             \
	    2);
#define PROTOCOL(symbol, word, ...)                                            \
	assert_int_equal(                                                      \
	    samples_of(&r, "touchstone_requests_total", "protocol", word), 2); \
	assert_int_equal(                                                      \
	    samples_of(&r, "touchstone_operations_total", "protocol", word),   \
	    2 * ((symbol == PROTOCOL_KMIP ? LENGTH(t->kmip)                    \
					  : LENGTH(t->nae)) -                  \
		    1));
#include "device/statistics.def"
#undef CONNECTION
#undef FLOW
#undef PROTOCOL
	assert_int_equal(
	    samples_of(&r, "touchstone_operations_total", "operation", "Total"),
	    0);
}

/* ---- what may be missing ---- */

static void
a_device_without_supplies_says_nothing_of_them(void **state)
{
	struct test *t = *state;
	struct appliance *a = &t->bench.appliance;
	struct hardware *hardware = a->hardware;

	a->hardware = NULL;
	assert_null(strstr(page(t), "supply"));
	assert_null(strstr(t->page, "fan"));
	assert_non_null(strstr(t->page, "touchstone_clients 0\n"));
	a->hardware = hardware;
}

static void
who_lends_nothing_has_no_samples(void **state)
{
	struct test *t = *state;

	statistics_take_back(t->bench.appliance.statistics, PROTOCOL_KMIP);
	assert_null(strstr(page(t), "protocol=\"kmip\""));
	assert_non_null(strstr(t->page, "protocol=\"nae-xml\""));
}

/* Wherever it ends. */
static void
a_page_without_room_is_an_error(void **state)
{
	struct test *t = *state;
	size_t whole = strlen(page(t));
	size_t room;
	struct buf out;

	for (room = 0; room < whole; room++) {
		buf_init(&out, room);
		assert_err(metrics_write(&t->bench.appliance, &out), ERR_LIMIT);
		buf_clear(&out);
	}
	buf_init(&out, whole + 1); /* its last print ends with a 0 */
	assert_ok(metrics_write(&t->bench.appliance, &out));
	buf_clear(&out);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_page_says_what_was_counted),
	    TEST(a_label_is_escaped),
	    TEST(each_row_of_the_tables_is_there_once),
	    TEST(a_device_without_supplies_says_nothing_of_them),
	    TEST(who_lends_nothing_has_no_samples),
	    TEST(a_page_without_room_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
