#include "device/statistics.h"

#include <math.h>
#include <sys/stat.h>

#include "device/rig_test.h"

struct test {
	struct rig rig;
	char dir[256];
	struct statistics *s;
	struct statistics_counts *counts;
	struct statistics_tally tallies[3];
};

static struct test test;

static void
write_file(struct test *t, const char *name, const char *text)
{
	char path[400];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Ticks of two processors: in use, and idle. */
static void
set_cpus(struct test *t, unsigned used_0, unsigned idle_0, unsigned used_1,
    unsigned idle_1)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
	    "cpu  %u 0 0 %u 0 0 0 0 0 0\n"
	    "cpu0 %u 0 0 %u 0 0 0 0 0 0\n"
	    "cpu1 0 %u 0 0 %u 0 0 0 0 0\n"
	    "intr 12345\nctxt 99\n",
	    used_0 + used_1, idle_0 + idle_1, used_0, idle_0, used_1, idle_1);
	write_file(t, "stat", text);
}

static void
set_octets(struct test *t, uint64_t in, uint64_t out)
{
	char text[600];

	(void)snprintf(text, sizeof(text),
	    "Inter-|   Receive         |  Transmit\n"
	    " face |bytes    packets errs drop fifo frame compressed multicast|"
	    "bytes    packets errs drop fifo colls carrier compressed\n"
	    "    lo: 777 1 0 0 0 0 0 0 888 1 0 0 0 0 0 0\n"
	    "  eth0: %llu 5 0 0 0 0 0 0 %llu 6 0 0 0 0 0 0\n"
	    "  eth1:%llu 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0\n",
	    (unsigned long long)in, (unsigned long long)out,
	    (unsigned long long)in * 2);
	write_file(t, "net/dev", text);
}

static const char *
name_of(size_t row)
{
	static const char *const names[] = {"Total", "Fetch", "Carry"};

	return names[row];
}

static void
begin(struct test *t, const char *ethernet)
{
	assert_ok(statistics_new(t->rig.loop, t->dir, ethernet, &t->s));
	t->counts = statistics_counts(t->s);
	assert_ok(statistics_lend(
	    t->s, PROTOCOL_KMIP, t->tallies, LENGTH(t->tallies), name_of));
}

static int
setup(void **state)
{
	struct test *t = &test;
	char path[400];

	memset(t, 0, sizeof(*t));
	assert_ok(rig_init(&t->rig));
	bench_dir_make(t->dir);
	(void)snprintf(path, sizeof(path), "%s/net", t->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	set_cpus(t, 100, 900, 0, 1000);
	set_octets(t, 5000, 6000);
	begin(t, "");
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;

	statistics_free(t->s);
	rig_clear(&t->rig);
	bench_dir_remove(t->dir);
	return 0;
}

static void
move_to(struct test *t, int64_t ms)
{
	rig_move_to(&t->rig, ms);
	assert_ok(rig_turns(&t->rig, 2));
}

/* ---- by the second ---- */

struct wanted {
	size_t row;
	size_t seen;
	struct statistics_line line;
};

static void
keep(void *ctx, const struct statistics_line *line)
{
	struct wanted *wanted = ctx;

	if (wanted->seen++ == wanted->row)
		wanted->line = *line;
}

static struct statistics_line
request_line(struct test *t, size_t row)
{
	struct wanted wanted = {.row = row};

	statistics_each_request(t->s, PROTOCOL_KMIP, keep, &wanted);
	assert_int_equal(wanted.seen, LENGTH(t->tallies));
	return wanted.line;
}

static struct statistics_line
connection_line(struct test *t, size_t row)
{
	struct wanted wanted = {.row = row};

	statistics_each_connection(t->s, keep, &wanted);
	assert_int_equal(wanted.seen, CONNECTION_ROWS);
	return wanted.line;
}

/* req: KS-22-069 KS-22-070 KS-22-088 KS-22-089 KS-22-007 */
static void
test_a_second_is_counted_for_itself(void **state)
{
	struct test *t = *state;
	struct statistics_line line;

	move_to(t, 10000);
	t->tallies[1].successful += 3;
	t->tallies[1].failed += 1;
	line = request_line(t, 1);
	assert_string_equal(line.name, "Fetch");
	assert_int_equal(line.current, 4);
	assert_int_equal(line.maximum, 4);
	assert_int_equal(line.total, 4);
	assert_int_equal(line.tally.successful, 3);
	assert_int_equal(line.tally.failed, 1);
	/* the same second still */
	move_to(t, 10999);
	assert_int_equal(request_line(t, 1).current, 4);
	/* the next */
	move_to(t, 11000);
	assert_int_equal(request_line(t, 1).current, 0);
	t->tallies[1].successful += 2;
	line = request_line(t, 1);
	assert_int_equal(line.current, 2);
	assert_int_equal(line.maximum, 4);
	assert_int_equal(line.total, 6);
	assert_int_equal(request_line(t, 2).total, 0);
}

/* Peaks of 5, 9 and 3, the last of them still going on. req: KS-22-024 */
static void
test_the_maximum_is_that_of_all_seconds(void **state)
{
	static const unsigned peaks[] = {5, 9, 3};
	struct test *t = *state;
	size_t k;

	for (k = 0; k < LENGTH(peaks); k++) {
		move_to(t, (int64_t)(k + 1) * 1000 + 500);
		t->counts->came[CONNECTION_SSL] += peaks[k];
	}
	assert_int_equal(connection_line(t, CONNECTION_SSL).current, 3);
	assert_int_equal(connection_line(t, CONNECTION_SSL).maximum, 9);
	assert_int_equal(connection_line(t, CONNECTION_SSL).total, 17);
	assert_int_equal(connection_line(t, CONNECTION_CLEAR).maximum, 0);
	/* and when that one has ended */
	move_to(t, (int64_t)(k + 1) * 1000 + 500);
	assert_int_equal(connection_line(t, CONNECTION_SSL).current, 0);
	assert_int_equal(connection_line(t, CONNECTION_SSL).maximum, 9);
}

/* Whoever looks sees the second it is, though the timer has not rung yet; and a
 * leap of the clock makes no second of what came in an hour. */
static void
test_a_late_timer_loses_nothing(void **state)
{
	struct test *t = *state;

	move_to(t, 2000);
	t->counts->came[CONNECTION_TOTAL] += 7;
	move_to(t, 2000 + 3600 * 1000);
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).current, 0);
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).maximum, 7);
	/* between two turns */
	t->counts->came[CONNECTION_TOTAL] += 2;
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).current, 2);
}

/* req: KS-22-025 KS-22-026 KS-22-027 KS-22-016 */
static void
test_connections_are_open_until_they_are_gone(void **state)
{
	struct test *t = *state;
	size_t row;

	t->counts->came[CONNECTION_CLEAR] = 5;
	t->counts->gone[CONNECTION_CLEAR] = 2;
	assert_int_equal(connection_line(t, CONNECTION_CLEAR).open, 3);
	assert_int_equal(connection_line(t, CONNECTION_CLEAR).total, 5);
	t->counts->gone[CONNECTION_CLEAR] = 5;
	assert_int_equal(connection_line(t, CONNECTION_CLEAR).open, 0);
	assert_int_equal(connection_line(t, CONNECTION_CLEAR).total, 5);
	for (row = 0; row < CONNECTION_ROWS; row++)
		assert_int_equal(
		    connection_line(t, row).stays, row <= CONNECTION_SSL);
}

/* ---- samples ---- */

static struct statistics_rate
rate(struct test *t, size_t interface, enum flow flow)
{
	struct statistics_rate rate;

	statistics_rate(t->s, interface, flow, &rate);
	return rate;
}

static void
is(double got, double want)
{
	if (fabs(got - want) > 0.001)
		fail_msg("expected %f, got %f", want, got);
}

/* req: KS-22-008 KS-22-009 KS-22-015 */
static void
test_processors_are_asked_every_three_seconds(void **state)
{
	struct test *t = *state;

	assert_int_equal(statistics_cpus(t->s), 0);
	set_cpus(t, 175, 1125, 300, 1000);
	move_to(t, 2999);
	assert_int_equal(statistics_cpus(t->s), 0);
	move_to(t, 3000);
	assert_int_equal(statistics_cpus(t->s), 2);
	assert_int_equal(statistics_cpu_permille(t->s, 0), 250);
	assert_int_equal(statistics_cpu_permille(t->s, 1), 1000);
	set_cpus(t, 475, 1125, 300, 1300);
	move_to(t, 5999);
	assert_int_equal(statistics_cpu_permille(t->s, 0), 250);
	move_to(t, 6000);
	assert_int_equal(statistics_cpu_permille(t->s, 0), 1000);
	assert_int_equal(statistics_cpu_permille(t->s, 1), 0);
}

/* Idle ticks that go back, and none at all. */
static void
test_use_is_from_none_to_all(void **state)
{
	struct test *t = *state;

	set_cpus(t, 200, 800, 0, 2000);
	move_to(t, 3000);
	assert_int_equal(statistics_cpu_permille(t->s, 0), 0);
	set_cpus(t, 500, 700, 0, 2000);
	move_to(t, 6000);
	assert_int_equal(statistics_cpu_permille(t->s, 0), 1000);
	assert_int_equal(statistics_cpu_permille(t->s, 1), 0);
}

/* req: KS-22-010 KS-22-011 KS-22-012 KS-22-029 KS-22-032 KS-22-035 KS-22-036
 * req: KS-22-037 KS-22-038 KS-22-039 KS-22-040 KS-22-041 */
static void
test_throughput_is_octets_by_time_to_the_millisecond(void **state)
{
	struct test *t = *state;

	t->counts->octets[FLOW_INCOMING] = 7000;
	t->counts->octets[FLOW_OUTGOING] = 700;
	/* the timer is late */
	move_to(t, 3500);
	assert_string_equal(statistics_interface_name(t->s, 0), "Key Server");
	is(rate(t, 0, FLOW_INCOMING).current, 2000);
	is(rate(t, 0, FLOW_OUTGOING).current, 200);
	t->counts->octets[FLOW_INCOMING] += 30000;
	move_to(t, 6999);
	is(rate(t, 0, FLOW_INCOMING).current, 30000 * 1000.0 / 3499);
	move_to(t, 10000);
	is(rate(t, 0, FLOW_INCOMING).current, 0);
	is(rate(t, 0, FLOW_INCOMING).maximum, 30000 * 1000.0 / 3499);
	is(rate(t, 0, FLOW_INCOMING).average,
	    (2000 + 30000 * 1000.0 / 3499 + 0) / 3);
	is(rate(t, 0, FLOW_OUTGOING).average, 200 / 3.0);
	assert_int_equal(statistics_octets(t->s, 0, FLOW_INCOMING), 37000);
}

/* req: KS-22-028 KS-22-031 KS-22-042 KS-22-043 */
static void
test_interfaces_are_the_systems_but_for_the_loopback(void **state)
{
	struct test *t = *state;

	assert_int_equal(statistics_interfaces(t->s), 3);
	assert_string_equal(statistics_interface_name(t->s, 1), "eth0");
	assert_string_equal(statistics_interface_name(t->s, 2), "eth1");
	set_octets(t, 5000 + 3000, 6000 + 600);
	move_to(t, 3000);
	is(rate(t, 1, FLOW_INCOMING).current, 1000);
	is(rate(t, 1, FLOW_OUTGOING).current, 200);
	is(rate(t, 2, FLOW_INCOMING).current, 2000);
	is(rate(t, 0, FLOW_INCOMING).current, 0);
	assert_int_equal(statistics_octets(t->s, 1, FLOW_INCOMING), 8000);
	/* one that was taken out and put in again */
	set_octets(t, 100, 100);
	move_to(t, 6000);
	is(rate(t, 1, FLOW_INCOMING).current, 0);
	is(rate(t, 1, FLOW_INCOMING).maximum, 1000);
}

static void
test_interfaces_are_those_that_are_named(void **state)
{
	struct test *t = *state;

	statistics_free(t->s);
	begin(t, "lo eth1 eth");
	assert_int_equal(statistics_interfaces(t->s), 3);
	assert_string_equal(statistics_interface_name(t->s, 1), "lo");
	assert_string_equal(statistics_interface_name(t->s, 2), "eth1");
}

static void
test_a_system_that_says_nothing_is_no_trouble(void **state)
{
	struct test *t = *state;

	write_file(t, "stat", "cpu0\ncpu1 1 2\ncpux 1 2 3 4 5\ncpu2 a b c d\n");
	write_file(t, "net/dev", "eth0: 1 2 3\neth1\n: \n");
	statistics_free(t->s);
	begin(t, "");
	move_to(t, 3000);
	assert_int_equal(statistics_cpus(t->s), 0);
	assert_int_equal(statistics_interfaces(t->s), 1);
	write_file(t, "stat", "");
	move_to(t, 6000);
	assert_int_equal(statistics_cpus(t->s), 0);
}

/* ---- from when on ---- */

/* req: KS-22-004 KS-22-006; the totals: docs/decisions.md, KS-22-005 */
static void
test_a_reset_takes_averages_and_maximums(void **state)
{
	struct test *t = *state;
	enum flow flow;
	size_t k;

	t->tallies[1].successful = 4;
	t->counts->came[CONNECTION_TOTAL] = 6;
	t->counts->octets[FLOW_INCOMING] = 9000;
	t->counts->octets[FLOW_OUTGOING] = 900;
	set_octets(t, 8000, 6600);
	set_cpus(t, 200, 900, 0, 1100);
	move_to(t, 3000);
	t->tallies[1].successful += 2;
	is(rate(t, 0, FLOW_INCOMING).maximum, 3000);
	is(rate(t, 1, FLOW_OUTGOING).maximum, 200);
	move_to(t, 4000);
	statistics_reset(t->s);
	assert_int_equal(request_line(t, 1).current, 0);
	assert_int_equal(request_line(t, 1).maximum, 0);
	assert_int_equal(request_line(t, 1).total, 6);
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).maximum, 0);
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).total, 6);
	for (k = 0; k < 2; k++) {
		for (flow = 0; flow < FLOWS; flow++) {
			is(rate(t, k, flow).maximum, 0);
			is(rate(t, k, flow).average, 0);
		}
	}
	assert_int_equal(statistics_cpus(t->s), 0);
	/* sampling begins there */
	t->counts->octets[FLOW_INCOMING] += 600;
	move_to(t, 6000);
	is(rate(t, 0, FLOW_INCOMING).current, 0);
	move_to(t, 7000);
	is(rate(t, 0, FLOW_INCOMING).current, 200);
	is(rate(t, 0, FLOW_INCOMING).average, 200);
	is(rate(t, 0, FLOW_OUTGOING).current, 0);
	assert_int_equal(statistics_cpus(t->s), 2);
}

/* req: KS-22-014 KS-22-006 */
static void
test_a_start_begins_anew(void **state)
{
	struct test *t = *state;

	move_to(t, 3600 * 1000);
	assert_int_equal(statistics_uptime_ms(t->s), 3600 * 1000);
	t->counts->came[CONNECTION_TOTAL] = 6;
	move_to(t, 3601 * 1000);
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).maximum, 6);
	statistics_free(t->s);
	begin(t, "");
	assert_int_equal(statistics_uptime_ms(t->s), 0);
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).maximum, 0);
	assert_int_equal(connection_line(t, CONNECTION_TOTAL).total, 0);
	move_to(t, 3601 * 1000 + 1500);
	assert_int_equal(statistics_uptime_ms(t->s), 1500);
}

static void
test_tallies_are_there_while_they_are_lent(void **state)
{
	struct test *t = *state;
	struct wanted wanted = {.row = 0};

	statistics_each_request(t->s, PROTOCOL_NAE, keep, &wanted);
	assert_int_equal(wanted.seen, 0);
	statistics_take_back(t->s, PROTOCOL_KMIP);
	statistics_each_request(t->s, PROTOCOL_KMIP, keep, &wanted);
	assert_int_equal(wanted.seen, 0);
	move_to(t, 5000);
	/* what was counted before is of no second */
	t->tallies[0].successful = 9;
	assert_ok(statistics_lend(t->s, PROTOCOL_KMIP, t->tallies, 3, name_of));
	assert_int_equal(request_line(t, 0).current, 0);
	assert_int_equal(request_line(t, 0).total, 9);
}

int
main(void)
{
#define STATISTICS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    STATISTICS_TEST(test_a_second_is_counted_for_itself),
	    STATISTICS_TEST(test_the_maximum_is_that_of_all_seconds),
	    STATISTICS_TEST(test_a_late_timer_loses_nothing),
	    STATISTICS_TEST(test_connections_are_open_until_they_are_gone),
	    STATISTICS_TEST(test_processors_are_asked_every_three_seconds),
	    STATISTICS_TEST(test_use_is_from_none_to_all),
	    STATISTICS_TEST(
		test_throughput_is_octets_by_time_to_the_millisecond),
	    STATISTICS_TEST(
		test_interfaces_are_the_systems_but_for_the_loopback),
	    STATISTICS_TEST(test_interfaces_are_those_that_are_named),
	    STATISTICS_TEST(test_a_system_that_says_nothing_is_no_trouble),
	    STATISTICS_TEST(test_a_reset_takes_averages_and_maximums),
	    STATISTICS_TEST(test_a_start_begins_anew),
	    STATISTICS_TEST(test_tallies_are_there_while_they_are_lent),
	};
#undef STATISTICS_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
