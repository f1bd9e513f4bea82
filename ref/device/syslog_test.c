/*
 * Syslog: what a message looks like, and servers that are slow, dead, or come
 * back. A real one, rsyslogd, is in spec-tests/syslog.bats.
 */
#include "device/syslog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <sys/socket.h>

#include "device/audit.h"
#include "device/logs.h"
#include "device/rig_test.h"
#include "device/syslog_server.h"

enum {
	NOW_S = 1125656628, /* 2005-09-02 10:23:48 */
	TEXT_OCTETS = 16 * 1024,
	LINE_OCTETS = 8000,
	SMALL_OCTETS = 64 * 1024,
};

/* What does not come in so many turns does not come: where memory is refused
 * that is a matter of course, and turns are slow. */
#ifdef TORTURE
enum { TURNS_MOST = 50 * 1000 };
#else
enum { TURNS_MOST = 500 * 1000 };
#endif

static struct bench bench;
#define APPLIANCE (&bench.appliance)

/* What the system log has. */
static char system_log[TEXT_OCTETS];

static void
watched(void *ctx, enum log_type type, struct bytes line)
{
	size_t used = strlen(system_log);

	(void)ctx;
	if (type == LOG_SYSTEM && used + line.octets + 2 < sizeof(system_log))
		(void)snprintf(system_log + used, sizeof(system_log) - used,
		    "%.*s\n", (int)line.octets, (const char *)line.at);
}

static struct logs_watch watch = {.added = watched};

static unsigned turns;

static void
turn(void)
{
	if (++turns > TURNS_MOST)
		fail_msg("nothing comes any more");
	bench_turn(&bench);
}

static int
set_up(void **state)
{
	(void)state;
	turns = 0;
	bench_make(&bench);
	system_log[0] = '\0';
	env_set_wall_s(bench.rig.env, NOW_S);
	assert_ok(settings_new(APPLIANCE->store, &APPLIANCE->settings));
	assert_ok(
	    clock_new(APPLIANCE->store, bench.rig.env, &APPLIANCE->clock));
	assert_ok(logs_open(APPLIANCE));
	assert_ok(syslogs_new(APPLIANCE, &APPLIANCE->syslogs));
	logs_watch(APPLIANCE, &watch);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_end_jobs(bench.rig.loop);
	logs_close(APPLIANCE);
	syslogs_free(APPLIANCE->syslogs);
	clock_free(APPLIANCE->clock);
	settings_free(APPLIANCE->settings);
	bench_remove(&bench);
	return 0;
}

/* ---- settings ---- */

static void
set(enum log_type type, enum logs_field field, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(APPLIANCE->settings, logs_setting(type, field),
	    bytes_of_text(value), &changed, why));
}

static void
settle(void)
{
	turn();
	settings_settle(APPLIANCE->settings, true);
}

static void
set_server(enum log_type type, unsigned server, const char *host, unsigned port,
    const char *protocol)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", port);
	set(type, server == 1 ? LOGS_SERVER_1 : LOGS_SERVER_2, host);
	set(type, server == 1 ? LOGS_PORT_1 : LOGS_PORT_2, text);
	set(type, server == 1 ? LOGS_PROTOCOL_1 : LOGS_PROTOCOL_2, protocol);
	set(type, LOGS_SYSLOG, "yes");
	settle();
}

static void
add(enum log_type type, const char *line)
{
	logs_add(APPLIANCE, type, bytes_of_text(line));
	turn();
}

/* ---- servers ---- */

/* port  0: a free one, which it becomes */
static int
server_new(int kind, unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t octets = sizeof(at);
	const int one = 1;
	const int small = SMALL_OCTETS;
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)*port);
	assert_return_code(fd, errno);
	assert_return_code(
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), errno);
	if (kind == SOCK_STREAM)
		assert_return_code(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small,
				       sizeof(small)),
		    errno);
	assert_return_code(
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)), errno);
	if (kind == SOCK_STREAM)
		assert_return_code(listen(fd, 8), errno);
	assert_return_code(
	    getsockname(fd, (struct sockaddr *)&at, &octets), errno);
	*port = ntohs(at.sin_port);
	return fd;
}

/* The next octets, however many turns it takes. */
static size_t
take(int fd, char *room, size_t octets)
{
	ssize_t got;

	while ((got = recv(fd, room, octets, MSG_DONTWAIT)) < 0) {
		assert_int_equal(errno, EAGAIN);
		turn();
	}
	return (size_t)got;
}

/* A message over UDP, or a line over TCP without its end. */
static void
assert_message(int fd, int kind, const char *want)
{
	char room[LINE_OCTETS + 256] = "";
	size_t used = 0;

	if (kind == SOCK_DGRAM)
		used = take(fd, room, sizeof(room) - 1);
	else
		do {
			size_t got = take(fd, room + used, 1);

			assert_int_not_equal(got, 0);
			used += got;
		} while (room[used - 1] != '\n');
	room[used - (kind == SOCK_STREAM)] = '\0';
	assert_string_equal(room, want);
}

static bool
has_come(int fd)
{
	char octet;

	turn();
	return recv(fd, &octet, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

static int
accept_one(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		turn();
	return fd;
}

static void
pass(int64_t ms)
{
	rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) + ms);
	turn();
}

/* ---- messages ---- */

/* req: KS-20-048 KS-20-049 KS-20-058 KS-20-059 KS-20-061 KS-20-062 */
static void
test_form(void **state)
{
	static const struct {
		enum log_type type;
		const char *facility; /* NULL: as it is at first */
		const char *want;
	} cases[] = {
	    {LOG_SYSTEM, NULL, "<142>Sep  2 10:23:48 demo System: x [y]: z"},
	    {LOG_SYSTEM, "local0",
		"<134>Sep  2 10:23:48 demo System: x [y]: z"},
	    {LOG_ACTIVITY, "local7",
		"<190>Sep  2 10:23:48 demo Activity: x [y]: z"},
	    {LOG_CLIENT_EVENT, "local3",
		"<158>Sep  2 10:23:48 demo ClientEvent: x [y]: z"},
	    {LOG_KMIP_AGENT, "local5",
		"<174>Sep  2 10:23:48 demo KMIPAgent: x [y]: z"},
	};
	char why[SETTING_WHY_OCTETS];
	unsigned port = 0;
	int fd = server_new(SOCK_DGRAM, &port);
	bool changed;
	size_t k;

	(void)state;
	assert_ok(setting_set(APPLIANCE->settings, SETTING_HOST_NAME,
	    bytes_of_text("demo"), &changed, why));
	for (k = 0; k < LENGTH(cases); k++) {
		if (cases[k].facility != NULL)
			set(cases[k].type, LOGS_FACILITY, cases[k].facility);
		set_server(cases[k].type, 1, "127.0.0.1", port, "udp");
		add(cases[k].type, "x [y]: z");
		assert_message(fd, SOCK_DGRAM, cases[k].want);
	}
	/* each is enabled by itself. req: KS-20-100 */
	set(LOG_SYSTEM, LOGS_SYSLOG, "no");
	settle();
	add(LOG_SYSTEM, "not this");
	assert_false(has_come(fd));
	add(LOG_ACTIVITY, "but this");
	assert_message(
	    fd, SOCK_DGRAM, "<190>Sep  2 10:23:48 demo Activity: but this");
	(void)close(fd);
}

/* A line as long as a log can have it. */
static void
test_long(void **state)
{
	char line[LINE_OCTETS + 1] = "";
	char want[LINE_OCTETS + 64];
	unsigned port = 0;
	int fd = server_new(SOCK_DGRAM, &port);

	(void)state;
	memset(line, 'l', LINE_OCTETS);
	(void)snprintf(want, sizeof(want),
	    "<142>Sep  2 10:23:48 touchstone System: %s", line);
	set_server(LOG_SYSTEM, 1, "127.0.0.1", port, "udp");
	add(LOG_SYSTEM, line);
	assert_message(fd, SOCK_DGRAM, want);
	(void)close(fd);
}

/* req: KS-20-047 KS-20-050 KS-20-051 KS-20-098 */
static void
test_two_servers(void **state)
{
	unsigned udp_port = 0;
	unsigned tcp_port = 0;
	int udp = server_new(SOCK_DGRAM, &udp_port);
	int listener = server_new(SOCK_STREAM, &tcp_port);
	int tcp;

	(void)state;
	set_server(LOG_SYSTEM, 1, "127.0.0.1", udp_port, "udp");
	set_server(LOG_SYSTEM, 2, "localhost", tcp_port, "tcp");
	set_server(LOG_ACTIVITY, 1, "localhost", tcp_port, "tcp");
	add(LOG_SYSTEM, "one");
	add(LOG_ACTIVITY, "two");
	add(LOG_SYSTEM, "three");
	tcp = accept_one(listener);
	assert_message(
	    udp, SOCK_DGRAM, "<142>Sep  2 10:23:48 touchstone System: one");
	assert_message(
	    udp, SOCK_DGRAM, "<142>Sep  2 10:23:48 touchstone System: three");
	assert_message(
	    tcp, SOCK_STREAM, "<142>Sep  2 10:23:48 touchstone System: one");
	assert_message(
	    tcp, SOCK_STREAM, "<142>Sep  2 10:23:48 touchstone Activity: two");
	assert_message(
	    tcp, SOCK_STREAM, "<142>Sep  2 10:23:48 touchstone System: three");
	/* without the second: its connection goes with the last that used it */
	set(LOG_SYSTEM, LOGS_SERVER_2, "");
	settle();
	add(LOG_SYSTEM, "four");
	assert_message(
	    udp, SOCK_DGRAM, "<142>Sep  2 10:23:48 touchstone System: four");
	assert_false(has_come(tcp));
	set(LOG_ACTIVITY, LOGS_SYSLOG, "no");
	settle();
	assert_true(has_come(tcp)); /* its end */
	assert_string_equal(system_log, "one\nthree\nfour\n");
	(void)close(udp);
	(void)close(tcp);
	(void)close(listener);
}

/* ---- servers in trouble ---- */

static bool
waits_for(int64_t ms)
{
	int64_t due_ms;

	turn();
	return loop_next_due(bench.rig.loop, &due_ms) &&
	       due_ms - env_elapsed_ms(bench.rig.env) == ms;
}

static unsigned
told(const char *text)
{
	const char *at = system_log;
	unsigned count = 0;

	for (; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

/* It is not there for a while, and then has each message once. */
static void
test_dead(void **state)
{
	static const int64_t waits_ms[] = {SYSLOG_FIRST_MS, 2000, 4000, 8000,
	    16000, 32000, SYSLOG_MOST_MS, SYSLOG_MOST_MS};
	unsigned port = 0;
	int listener = server_new(SOCK_STREAM, &port);
	size_t k;
	int fd;

	(void)state;
	(void)close(listener);
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "tcp");
	add(LOG_ACTIVITY, "one");
	for (k = 0; k < LENGTH(waits_ms); k++) {
		while (!waits_for(waits_ms[k]))
			;
		if (k + 1 < LENGTH(waits_ms))
			pass(waits_ms[k]);
	}
	assert_int_equal(told("do not get through: Connection refused."), 1);
	add(LOG_ACTIVITY, "two");
	listener = server_new(SOCK_STREAM, &port);
	pass(SYSLOG_MOST_MS);
	fd = accept_one(listener);
	assert_message(
	    fd, SOCK_STREAM, "<142>Sep  2 10:23:48 touchstone Activity: one");
	assert_message(
	    fd, SOCK_STREAM, "<142>Sep  2 10:25:51 touchstone Activity: two");
	assert_int_equal(told("get through again"), 0);
	pass(SYSLOG_CALM_MS);
	assert_int_equal(told("get through again; known to be lost: 0."), 1);
	assert_false(has_come(fd));
	(void)close(fd);
	(void)close(listener);
}

/* A connection that breaks within a message: the next begins with a whole one.
 */
static void
test_broken(void **state)
{
	char line[LINE_OCTETS + 1] = "";
	char want[LINE_OCTETS + 64];
	char part[64];
	unsigned port = 0;
	int listener = server_new(SOCK_STREAM, &port);
	int fd;

	(void)state;
	memset(line, 'l', LINE_OCTETS);
	(void)snprintf(want, sizeof(want),
	    "<142>Sep  2 10:23:48 touchstone Activity: %s", line);
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "tcp");
	/* more than the system takes for a reader who does not read */
	while (told("do not get through: the queue is full.") == 0)
		add(LOG_ACTIVITY, line);
	fd = accept_one(listener);
	assert_int_not_equal(take(fd, part, sizeof(part)), 0);
	(void)close(fd);
	while (!waits_for(SYSLOG_FIRST_MS))
		;
	pass(SYSLOG_FIRST_MS);
	fd = accept_one(listener);
	assert_message(fd, SOCK_STREAM, want);
	assert_int_equal(told("do not get through"), 1);
	(void)close(fd);
	(void)close(listener);
}

/* One that reads nothing: the queue is full some time, and what is lost is
 * counted; all others come, in their order. */
static void
test_slow(void **state)
{
	char line[LINE_OCTETS + 1] = "";
	unsigned port = 0;
	int listener = server_new(SOCK_STREAM, &port);
	char room[LINE_OCTETS * 2] = "";
	char text[128];
	unsigned made = 0;
	unsigned lost = 0;
	unsigned came = 0;
	int fd;

	(void)state;
	memset(line, 'l', LINE_OCTETS);
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "tcp");
	for (; told("do not get through: the queue is full.") == 0; made++)
		add(LOG_ACTIVITY, line);
	for (; made % 7 != 0; made++)
		add(LOG_ACTIVITY, line);
	assert_int_equal(told("do not get through"), 1);
	fd = accept_one(listener);
	pass(SYSLOG_CALM_MS);
	assert_int_equal(
	    sscanf(strstr(system_log, "lost: "), "lost: %u.", &lost), 1);
	assert_true(lost > 0);
	while (came < made - lost) {
		size_t got = take(fd, room, sizeof(room));
		size_t k;

		for (k = 0; k < got; k++)
			came += room[k] == '\n';
	}
	assert_int_equal(came, made - lost);
	assert_false(has_come(fd));
	/* and what comes now gets through */
	add(LOG_ACTIVITY, "at last");
	assert_message(fd, SOCK_STREAM,
	    "<142>Sep  2 10:23:58 touchstone Activity: at last");
	(void)snprintf(text, sizeof(text), "lost: %u.", lost);
	assert_int_equal(told(text), 1);
	(void)close(fd);
	(void)close(listener);
}

/*
 * One that reads nothing costs a queue, and no more for each line that comes
 * when that is full: neither memory nor a line of the system log.
 */
static void
test_deaf(void **state)
{
	enum { MORE = 1000 };
	char line[LINE_OCTETS + 1] = "";
	unsigned port = 0;
	int listener = server_new(SOCK_STREAM, &port);
	size_t told_octets;
	size_t octets;
	unsigned k;

	(void)state;
	memset(line, 'l', LINE_OCTETS);
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "tcp");
	while (told("do not get through: the queue is full.") == 0)
		add(LOG_ACTIVITY, line);
	for (k = 0; k < MORE; k++)
		add(LOG_ACTIVITY, line);
	told_octets = strlen(system_log);
	octets = mallinfo2().uordblks;
	for (k = 0; k < MORE; k++)
		add(LOG_ACTIVITY, line);
	assert_int_equal(mallinfo2().uordblks, octets);
	assert_int_equal(strlen(system_log), told_octets);
	(void)close(listener);
}

/* A queue that a server gets at once is some turns' work, and keeps its order.
 */
static void
test_burst(void **state)
{
	enum { BURST = 1000, A_TURN_MOST = 128 };
	unsigned port = 0;
	int fd = server_new(SOCK_DGRAM, &port);
	char line[32];
	char want[96];
	char room[96];
	unsigned came = 0;
	unsigned in_turn;
	unsigned k;

	(void)state;
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "udp");
	for (k = 0; k < BURST; k++) {
		(void)snprintf(line, sizeof(line), "line %u", k);
		logs_add(APPLIANCE, LOG_ACTIVITY, bytes_of_text(line));
	}
	for (k = 0; came < BURST; k++) {
		ssize_t got;

		assert_true(k < TURNS_MOST);
		assert_ok(rig_turns(&bench.rig, 1));
		for (in_turn = 0;
		     (got = recv(fd, room, sizeof(room) - 1, MSG_DONTWAIT)) > 0;
		     in_turn++) {
			room[got] = '\0';
			(void)snprintf(want, sizeof(want),
			    "<142>Sep  2 10:23:48 touchstone Activity: "
			    "line %u",
			    came++);
			assert_string_equal(room, want);
		}
		assert_true(in_turn <= A_TURN_MOST);
	}
	assert_false(has_come(fd));
	(void)close(fd);
}

/* UDP's server is not there: it is noticed with the next message. */
static void
test_refused(void **state)
{
	unsigned port = 0;
	int fd = server_new(SOCK_DGRAM, &port);

	(void)state;
	(void)close(fd);
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "udp");
	add(LOG_ACTIVITY, "one");
	while (told("do not get through: Connection refused.") == 0)
		add(LOG_ACTIVITY, "two");
	fd = server_new(SOCK_DGRAM, &port);
	pass(SYSLOG_FIRST_MS);
	assert_message(
	    fd, SOCK_DGRAM, "<142>Sep  2 10:23:48 touchstone Activity: two");
	pass(SYSLOG_CALM_MS);
	assert_int_equal(told("get through again; known to be lost: 1."), 1);
	(void)close(fd);
}

/* In the middle of several: what has gone is lost, and does not go again. */
static void
test_refused_among_others(void **state)
{
	static const char *const lines[] = {"one", "two", "three"};
	unsigned port = 0;
	int fd = server_new(SOCK_DGRAM, &port);
	size_t k;

	(void)state;
	(void)close(fd);
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "udp");
	for (k = 0; k < LENGTH(lines); k++)
		logs_add(APPLIANCE, LOG_ACTIVITY, bytes_of_text(lines[k]));
	while (told("do not get through: Connection refused.") == 0)
		turn();
	fd = server_new(SOCK_DGRAM, &port);
	pass(SYSLOG_FIRST_MS);
	assert_message(
	    fd, SOCK_DGRAM, "<142>Sep  2 10:23:48 touchstone Activity: two");
	assert_message(
	    fd, SOCK_DGRAM, "<142>Sep  2 10:23:48 touchstone Activity: three");
	pass(SYSLOG_CALM_MS);
	assert_int_equal(told("get through again; known to be lost: 1."), 1);
	(void)close(fd);
}

/* ---- the audit log ---- */

static void
audit(uint64_t session, const char *event)
{
	const struct principal by = {
	    .name = "ann", .door = DOOR_SSH, .syslog_session = session};

	assert_ok(audit_add(APPLIANCE, &by, event));
}

#define AUDIT_LINE(pri, event)                        \
	"<" pri ">Sep  2 10:23:48 touchstone Audit: " \
	"2005-09-02 10:23:48 [ann]: " event

/* req: KS-20-055 KS-20-056 KS-20-057 */
static void
test_sessions(void **state)
{
	unsigned port = 0;
	int fd = server_new(SOCK_DGRAM, &port);
	uint64_t before;
	uint64_t between;
	uint64_t behind;

	(void)state;
	before = syslog_session_begin(APPLIANCE);
	assert_int_not_equal(before, 0);
	set_server(LOG_AUDIT, 1, "127.0.0.1", port, "udp");
	between = syslog_session_begin(APPLIANCE);
	set(LOG_AUDIT, LOGS_FACILITY, "local6");
	settle();
	behind = syslog_session_begin(APPLIANCE);
	audit(before, "before");
	audit(between, "between");
	audit(behind, "behind");
	audit(0, "none");
	assert_false(recv(fd, &before, 0, MSG_DONTWAIT | MSG_PEEK) >= 0);
	assert_message(fd, SOCK_DGRAM, AUDIT_LINE("142", "between"));
	assert_message(fd, SOCK_DGRAM, AUDIT_LINE("182", "behind"));
	assert_message(fd, SOCK_DGRAM, AUDIT_LINE("182", "none"));
	/* the last line of a session is its own, too */
	audit(between, "between's end");
	syslog_session_end(APPLIANCE, between);
	assert_message(fd, SOCK_DGRAM, AUDIT_LINE("142", "between's end"));
	/* and that it has ended is nothing to the others */
	turn();
	turn();
	audit(before, "before's end");
	audit(behind, "behind's end");
	assert_message(fd, SOCK_DGRAM, AUDIT_LINE("182", "behind's end"));
	assert_false(has_come(fd));
	syslog_session_end(APPLIANCE, before);
	syslog_session_end(APPLIANCE, behind);
	assert_false(has_come(fd));
	/* other logs' sessions make no difference */
	set_server(LOG_ACTIVITY, 1, "127.0.0.1", port, "udp");
	add(LOG_ACTIVITY, "x");
	assert_message(
	    fd, SOCK_DGRAM, "<142>Sep  2 10:23:48 touchstone Activity: x");
	(void)close(fd);
}

/* A line that is undone has never been. */
static void
test_undone(void **state)
{
	unsigned port = 0;
	int fd = server_new(SOCK_DGRAM, &port);

	(void)state;
	set_server(LOG_AUDIT, 1, "127.0.0.1", port, "udp");
	audit(0, "undone");
	vfs_disk_full(0);
	assert_false(has_come(fd));
	vfs_disk_full(UINT64_MAX);
	pass(1000);
	audit(0, "done");
	assert_message(fd, SOCK_DGRAM,
	    "<142>Sep  2 10:23:49 touchstone Audit: "
	    "2005-09-02 10:23:49 [ann]: done");
	(void)close(fd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_form),
	    TEST(test_long),
	    TEST(test_two_servers),
	    TEST(test_dead),
	    TEST(test_broken),
	    TEST(test_slow),
	    TEST(test_deaf),
	    TEST(test_burst),
	    TEST(test_refused),
	    TEST(test_refused_among_others),
	    TEST(test_sessions),
	    TEST(test_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
