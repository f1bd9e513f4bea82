/*
 * The ports that say how the device is: closed at first, and open as their
 * settings say. What HTTP there is: http_port_test.c.
 */
#include "net/status_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "device/clients.h"
#include "device/metrics.h"
#include "device/rig_test.h"
#include "device/statistics.h"

enum {
	SAID_OCTETS = 64 << 10,
	TURNS_MOST = 1000,
	TRIES = 20,
	PORT_OCTETS = 8,
};

struct test {
	struct bench bench;
	struct status_ports *ports;
	char open[128]; /* "health-check metrics" */
	unsigned port;  /* of the last one that is open */
	char said[SAID_OCTETS];
};

static struct test test;

static int
set_up(void **state)
{
	struct test *t = &test;
	struct appliance *a = &t->bench.appliance;

	(void)signal(SIGPIPE, SIG_IGN);
	memset(t, 0, sizeof(*t));
	bench_make(&t->bench);
	assert_ok(settings_new(a->store, &a->settings));
	assert_ok(statistics_new(a->loop, "/proc", "", &a->statistics));
	assert_ok(clients_new(&a->clients));
	assert_ok(status_ports_new(a, &t->ports));
	*state = t;
	return 0;
}

static int
tear_down(void **state)
{
	struct test *t = *state;
	struct appliance *a = &t->bench.appliance;

	vfs_disk_full(UINT64_MAX);
	status_ports_free(t->ports);
	clients_free(a->clients);
	statistics_free(a->statistics);
	settings_free(a->settings);
	bench_remove(&t->bench);
	return 0;
}

static void
put(struct test *t, enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS] = "";
	bool changed;

	if (setting_set(t->bench.appliance.settings, which,
		bytes_of_text(value), &changed, why) != OK)
		fail_msg("%s", why);
}

static void
settle(struct test *t)
{
	bench_turn(&t->bench);
	settings_settle(t->bench.appliance.settings, true);
}

static void
set(struct test *t, enum setting which, const char *value)
{
	put(t, which, value);
	settle(t);
}

static enum err
list(void *ctx, const char *word, unsigned port)
{
	struct test *t = ctx;

	if (*t->open != '\0')
		(void)strcat(t->open, " ");
	(void)strcat(t->open, word);
	t->port = port;
	return OK;
}

static const char *
open_ports(struct test *t)
{
	*t->open = '\0';
	assert_ok(status_ports_each(t->ports, list, t));
	return t->open;
}

/* A port that nobody else has, bound: its number is the caller's until the
 * descriptor is closed. */
static int
hold(unsigned *port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t octets = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_return_code(fd, errno);
	assert_return_code(bind(fd, (struct sockaddr *)&at, octets), errno);
	assert_return_code(listen(fd, 1), errno);
	assert_return_code(
	    getsockname(fd, (struct sockaddr *)&at, &octets), errno);
	*port = ntohs(at.sin_port);
	return fd;
}

static void
put_port(struct test *t, enum setting which, unsigned port)
{
	char text[PORT_OCTETS];

	(void)snprintf(text, sizeof(text), "%u", port);
	put(t, which, text);
}

static void
set_port(struct test *t, enum setting which, unsigned port)
{
	put_port(t, which, port);
	settle(t);
}

struct status {
	enum setting enable, address, port;
	const char *word;
};

static const struct status health = {SETTING_HEALTH_CHECK,
    SETTING_HEALTH_CHECK_ADDRESS, SETTING_HEALTH_CHECK_PORT, "health-check"};
static const struct status metrics = {
    SETTING_METRICS, SETTING_METRICS_ADDRESS, SETTING_METRICS_PORT, "metrics"};

/* At some port: one that was free may be somebody's by now. Not at `not`. */
static unsigned
open_at_some(struct test *t, const struct status *row, unsigned not )
{
	unsigned tries;
	unsigned port;

	set(t, row->address, "127.0.0.1");
	for (tries = 0; tries < TRIES; tries++) {
		int fd = hold(&port);

		(void)close(fd);
		if (port == not )
			continue;
		set_port(t, row->port, port);
		set(t, row->enable, "yes");
		if (strstr(open_ports(t), row->word) != NULL)
			return port;
	}
	fail_msg("no port is free");
	return 0;
}

static int
come(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_return_code(fd, errno);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	assert_int_equal(errno, ECONNREFUSED);
	(void)close(fd);
	return -1;
}

/* Until the server closes. */
static const char *
ask(struct test *t, unsigned port, const char *request)
{
	int fd = come(port);
	size_t octets = 0;
	unsigned turns;
	ssize_t got = -1;

	assert_true(fd >= 0);
	assert_int_equal(
	    send(fd, request, strlen(request), 0), strlen(request));
	for (turns = 0; turns < TURNS_MOST && got != 0; turns++) {
		bench_turn(&t->bench);
		got = recv(fd, t->said + octets, SAID_OCTETS - 1 - octets,
		    MSG_DONTWAIT);
		octets += got > 0 ? (size_t)got : 0;
	}
	assert_int_equal(got, 0);
	t->said[octets] = '\0';
	(void)close(fd);
	return t->said;
}

static void
assert_has(const char *said, const char *want)
{
	if (strstr(said, want) == NULL)
		fail_msg("expected: %s\n     got: %s", want, said);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- closed and open ---- */

/* req: KS-AA-013 */
static void
a_new_device_has_none_open(void **state)
{
	struct test *t = *state;

	assert_string_equal(open_ports(t), "");
	/* nor for another setting that changes, or a number without a yes */
	set(t, SETTING_HOST_NAME, "demo");
	set(t, SETTING_METRICS_PORT, "9465");
	set(t, SETTING_METRICS_ADDRESS, "127.0.0.1");
	assert_string_equal(open_ports(t), "");
	(void)open_at_some(t, &metrics, 0);
	assert_string_equal(open_ports(t), "metrics");
	set(t, SETTING_METRICS, "no");
	assert_string_equal(open_ports(t), "");
}

/* What is answered when the change is told: no turn is between. */
static void
it_is_open_and_closed_as_soon_as_that_is_settled(void **state)
{
	struct test *t = *state;
	unsigned port = open_at_some(t, &metrics, 0);
	int fd = come(port);

	assert_true(fd >= 0);
	(void)close(fd);
	set(t, SETTING_METRICS, "no");
	assert_int_equal(come(port), -1);
}

/* req: KS-04-002 KS-AA-013 */
static void
another_port_closes_the_one_before(void **state)
{
	struct test *t = *state;
	unsigned first = open_at_some(t, &health, 0);
	unsigned second = open_at_some(t, &health, first);
	int fd;

	assert_int_equal(come(first), -1);
	assert_has(ask(t, second, GET("/")), "200 OK");
	/* there and back again leaves a connection alone */
	fd = come(second);
	assert_true(fd >= 0);
	bench_turn(&t->bench);
	put_port(t, SETTING_HEALTH_CHECK_PORT, first);
	put_port(t, SETTING_HEALTH_CHECK_PORT, second);
	settle(t);
	bench_turn(&t->bench);
	assert_int_equal(
	    send(fd, GET("/"), strlen(GET("/")), 0), strlen(GET("/")));
	bench_turn(&t->bench);
	bench_turn(&t->bench);
	assert_true(recv(fd, t->said, 12, 0) == 12);
	assert_memory_equal(t->said, "HTTP/1.1 200", 12);
	(void)close(fd);
}

/* req: KS-04-022 */
static void
another_address_does_too(void **state)
{
	struct test *t = *state;
	unsigned port = open_at_some(t, &metrics, 0);

	set(t, SETTING_METRICS_ADDRESS, "127.0.0.2");
	assert_int_equal(come(port), -1);
}

/* Events, not time: the port is free, and nothing happens before it is due. */
static void
a_port_that_is_taken_is_tried_again(void **state)
{
	struct test *t = *state;
	unsigned tries;
	unsigned port;

	for (tries = 0; tries < TRIES; tries++) {
		int64_t now_ms = env_elapsed_ms(t->bench.rig.env);
		int fd = hold(&port);

		set_port(t, SETTING_METRICS_PORT, port);
		set(t, SETTING_METRICS, "yes");
		assert_string_equal(open_ports(t), "");
		rig_move_to(&t->bench.rig, now_ms + STATUS_PORTS_RETRY_MS);
		bench_turn(&t->bench);
		assert_string_equal(open_ports(t), "");
		(void)close(fd);
		rig_move_to(
		    &t->bench.rig, now_ms + 2 * STATUS_PORTS_RETRY_MS - 1);
		bench_turn(&t->bench);
		assert_string_equal(open_ports(t), "");
		rig_move_to(&t->bench.rig, now_ms + 2 * STATUS_PORTS_RETRY_MS);
		bench_turn(&t->bench);
		if (strcmp(open_ports(t), "metrics") == 0)
			return;
		set(t, SETTING_METRICS, "no"); /* somebody was faster */
	}
	fail_msg("no port is free");
}

/* Who does not want it any more does not get it. */
static void
a_port_that_is_disabled_is_not_tried_again(void **state)
{
	struct test *t = *state;
	unsigned port;
	int fd = hold(&port);
	int64_t due_ms;

	set_port(t, SETTING_METRICS_PORT, port);
	set(t, SETTING_METRICS, "yes");
	set(t, SETTING_METRICS, "no");
	(void)close(fd);
	while (loop_next_due(t->bench.rig.loop, &due_ms) &&
	       due_ms <= 3 * STATUS_PORTS_RETRY_MS) {
		rig_move_to(&t->bench.rig, due_ms);
		bench_turn(&t->bench);
	}
	assert_string_equal(open_ports(t), "");
}

/* req: KS-04-015 */
static void
a_device_that_ends_answers_nobody(void **state)
{
	struct test *t = *state;
	unsigned port = open_at_some(t, &health, 0);

	status_ports_close(t->ports);
	assert_int_equal(come(port), -1);
	assert_string_equal(open_ports(t), "");
	/* and a setting does not bring it back */
	set(t, SETTING_HEALTH_CHECK, "no");
	set(t, SETTING_HEALTH_CHECK, "yes");
	assert_string_equal(open_ports(t), "");
}

/* ---- what they answer ---- */

/* req: KS-04-003 KS-04-004 KS-04-006 KS-04-009 KS-04-010 KS-04-011 */
static void
health_check_says_how_the_device_is(void **state)
{
	struct test *t = *state;
	unsigned port = open_at_some(t, &health, 0);
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_has(ask(t, port, GET("/")), "200 OK\r\n");
	assert_has(t->said, "\r\n\r\nHealth Check Succeeded\n");
	assert_has(ask(t, port, GET("/any/other")), "200 OK\r\n");
	assert_has(ask(t, port,
		       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
		       "ab"),
	    "200 OK\r\n");
	assert_has(
	    ask(t, port, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), "200 OK\r\n");
	assert_null(strstr(t->said, "Succeeded"));
	assert_has(ask(t, port, "PUT / HTTP/1.1\r\nHost: x\r\n\r\n"), " 501 ");
	/* and when it is not well */
	vfs_disk_full(0);
	assert_ok(setting_set(t->bench.appliance.settings, SETTING_HOST_NAME,
	    bytes_of_text("other"), &changed, why));
	bench_turn(&t->bench);
	settings_settle(t->bench.appliance.settings, false);
	assert_true(store_fails(t->bench.appliance.store));
	assert_has(ask(t, port, GET("/")), "500 Internal Server Error\r\n");
	assert_has(t->said, "\r\n\r\nHealth Check Failed\n");
	/* and well again */
	vfs_disk_full(UINT64_MAX);
	set(t, SETTING_HOST_NAME, "third");
	assert_has(ask(t, port, GET("/")), "200 OK\r\n");
}

static void
metrics_are_at_their_path_alone(void **state)
{
	struct test *t = *state;
	unsigned port = open_at_some(t, &metrics, 0);

	assert_has(ask(t, port, GET("/metrics")), "200 OK\r\n");
	assert_has(t->said, "Content-Type: " METRICS_TYPE "\r\n");
	assert_has(
	    t->said, "\r\n\r\n# HELP touchstone_uptime_seconds Time since");
	assert_has(ask(t, port, GET("/metrics?x=y")), "200 OK\r\n");
	assert_has(ask(t, port, GET("/")), " 404 ");
	assert_null(strstr(t->said, "touchstone_"));
	assert_has(ask(t, port, GET("/metrics/")), " 404 ");
	assert_has(ask(t, port, GET("/metric")), " 404 ");
	assert_has(ask(t, port, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
	    "200 OK");
	assert_null(strstr(t->said, "touchstone_"));
	assert_has(ask(t, port,
		       "POST /metrics HTTP/1.1\r\nHost: x\r\n"
		       "Content-Length: 0\r\n\r\n"),
	    " 501 ");
}

/* Each is open by itself. */
static void
the_two_do_not_answer_for_each_other(void **state)
{
	struct test *t = *state;
	unsigned metrics_port = open_at_some(t, &metrics, 0);
	unsigned health_port = open_at_some(t, &health, metrics_port);

	assert_string_equal(open_ports(t), "health-check metrics");
	assert_null(
	    strstr(ask(t, health_port, GET("/metrics")), "touchstone_"));
	assert_null(strstr(ask(t, metrics_port, GET("/metrics")), "Succeeded"));
	set(t, SETTING_HEALTH_CHECK, "no");
	assert_string_equal(open_ports(t), "metrics");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_new_device_has_none_open),
	    TEST(it_is_open_and_closed_as_soon_as_that_is_settled),
	    TEST(another_port_closes_the_one_before),
	    TEST(another_address_does_too),
	    TEST(a_port_that_is_taken_is_tried_again),
	    TEST(a_port_that_is_disabled_is_not_tried_again),
	    TEST(a_device_that_ends_answers_nobody),
	    TEST(health_check_says_how_the_device_is),
	    TEST(metrics_are_at_their_path_alone),
	    TEST(the_two_do_not_answer_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
