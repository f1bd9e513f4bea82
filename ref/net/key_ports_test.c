/*
 * Ports of key servers without TLS: the stories of spec-tests/key-servers.bats
 * and two-factor.bats have that.
 */
#include "net/key_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "device/ear_test.h"
#include "device/licence_rig_test.h"

/* Each octet is a message; its answer says what the door was like. */
static enum err
frame(void *state, struct bytes in, size_t *octets)
{
	(void)state;
	*octets = 1;
	return in.octets == 0 ? ERR_TRUNCATED : OK;
}

/* They all came when there was room, and took their time. */
static bool all_expected;

static bool
expects(void *ctx, struct bytes source)
{
	return all_expected || key_gate_expects(ctx, source);
}

static enum err
opened(void *ctx, struct conn *conn, void **state)
{
	struct key_guest *guest = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(guest));
	TRY(key_gate_enter(ctx, conn, guest));
	assert_int_equal(memcmp(guest->door.origin.at, "127.0.0.", 8), 0);
	*state = guest;
	guest = NULL;
out:
	mem_free(guest);
	return rc;
}

static void
closed(void *ctx, void *state)
{
	(void)ctx;
	key_guest_clear(state);
	mem_free(state);
}

static void
message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	const struct key_guest *guest = state;

	(void)ctx;
	(void)octets;
	conn_answer(conn, number,
	    bytes_of_text(guest->door.needs_password ? "P" : "-"));
}

static const struct protocol protocol = {.name = "test",
    .expects = expects,
    .frame = frame,
    .opened = opened,
    .message = message,
    .closed = closed};

static struct bench bench;
static struct key_ports *ports;
static struct statistics_counts counts;
static struct ear ear;
#define APPLIANCE (&bench.appliance)

static int
set_up(void **state)
{
	const struct key_ports_config config = {
	    .appliance = APPLIANCE,
	    .engine = {[KEY_NAE] = {.protocol = &protocol}},
	    .listen = {.backlog = 16,
		.connections = 16,
		.rules = {.limits = {.message_octets = 100,
			      .unanswered = 4,
			      .handshake_ms = 1000,
			      .message_ms = 1000},
		    .counts = &counts}},
	};

	(void)state;
	bench_make(&bench);
	counts = (struct statistics_counts){.came = {0}};
	assert_ok(clients_new(&APPLIANCE->clients));
	assert_ok(settings_new(bench.appliance.store, &APPLIANCE->settings));
	assert_ok(
	    clock_new(bench.appliance.store, bench.rig.env, &APPLIANCE->clock));
	assert_ok(logs_open(APPLIANCE));
	ear_open(&ear, APPLIANCE);
	all_expected = false;
	assert_ok(credentials_new(APPLIANCE, &APPLIANCE->credentials));
	assert_ok(key_servers_new(&APPLIANCE->key_servers));
	assert_ok(licences_new(APPLIANCE, &APPLIANCE->licences));
	assert_ok(key_ports_new(&config, &ports));
	licence_put(&bench, 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	key_ports_free(ports);
	licences_free(APPLIANCE->licences);
	key_servers_free(APPLIANCE->key_servers);
	credentials_free(APPLIANCE->credentials);
	logs_close(APPLIANCE);
	ear_close(&ear);
	clock_free(APPLIANCE->clock);
	settings_free(APPLIANCE->settings);
	clients_free(APPLIANCE->clients);
	bench_remove(&bench);
	return 0;
}

/* ---- changes ---- */

static struct key_server server;
static struct change change;
static enum err change_rc;
static unsigned told_listening; /* ports that were open when it was told */

static enum err
do_write(struct change *c)
{
	return key_server_write(c, &server);
}

static enum err
do_delete(struct change *c)
{
	return key_server_delete(c, server.number);
}

static enum err
count_port(void *ctx, unsigned number, unsigned port)
{
	(void)number;
	(void)port;
	++*(unsigned *)ctx;
	return OK;
}

static void
changed(struct change *c, enum err rc)
{
	(void)c;
	change_rc = rc;
	told_listening = 0;
	assert_ok(key_ports_each(ports, count_port, &told_listening));
}

static void run(enum err (*apply)(struct change *c))
{
	change = (struct change){
	    .act = ACT_KEY_SERVER, .apply = apply, .done = changed};
	change_run(APPLIANCE, &change);
	bench_turn(&bench);
	bench_turn(&bench);
	assert_ok(change_rc);
}

static void
field(enum key_server_field which, const char *value)
{
	char why[CHANGE_WHY_OCTETS];

	assert_ok(key_server_set(&server, which, bytes_of_text(value), why));
}

/* On the loopback, at that port; its number is in `server`. */
static void
make(enum key_protocol of, const char *port)
{
	key_server_init(&server, of);
	field(KEY_SERVER_IP, "127.0.0.1");
	field(KEY_SERVER_PORT, port);
	run(do_write);
}

static unsigned
port_of(unsigned number)
{
	struct key_server_status status;

	key_server_status(APPLIANCE->key_servers, number, &status);
	assert_true(status.listens == (status.port != 0));
	return status.port;
}

static const char *
why_not(unsigned number)
{
	static struct key_server_status status;

	key_server_status(APPLIANCE->key_servers, number, &status);
	assert_false(status.listens);
	return status.why;
}

/* ---- clients ---- */

/* From 127.0.0.`device`; -1: nobody listens there */
static int
join_from(unsigned device, unsigned port)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(0x7f000000 + device)};
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		return -1;
	}
	bench_turn(&bench);
	return fd;
}

static int
join(unsigned port)
{
	return join_from(1, port);
}

/* Its answer; 'x': it is closed. */
static char
ask(int fd)
{
	char answer = 'x';

	if (send(fd, "?", 1, MSG_NOSIGNAL) != 1)
		return 'x';
	bench_turn(&bench);
	bench_turn(&bench);
	return recv(fd, &answer, 1, MSG_DONTWAIT) == 1 ? answer : 'x';
}

static enum err
list(void *ctx, unsigned number, unsigned port)
{
	assert_int_equal(port_of(number), port);
	++*(unsigned *)ctx;
	return OK;
}

static unsigned
listening(void)
{
	unsigned count = 0;

	assert_ok(key_ports_each(ports, list, &count));
	return count;
}

/* ---- the tests ---- */

static void
test_ports_come_and_go_with_the_service(void **state)
{
	unsigned port;
	int fd;

	(void)state;
	make(KEY_NAE, "Any");
	assert_int_equal(listening(), 0);
	key_ports_open(ports);
	assert_int_equal(listening(), 1);
	port = port_of(1);
	fd = join(port);
	assert_int_equal(ask(fd), '-');
	assert_int_equal(key_ports_connections(ports), 1);
	key_ports_finish(ports);
	assert_int_equal(join(port), -1);
	bench_turn(&bench);
	assert_int_equal(ask(fd), 'x');
	close(fd);
	assert_int_equal(key_ports_connections(ports), 0);
	key_ports_close(ports);
	assert_string_equal(why_not(1), "");
	/* Any has been that one from then on */
	key_ports_open(ports);
	assert_int_equal(port_of(1), port);
	/* one that is made now comes at once */
	make(KEY_NAE, "Any");
	assert_int_equal(listening(), 2);
	assert_int_not_equal(port_of(2), port);
}

/* req: KS-03-002 */
static void
test_a_change_is_for_those_who_come_then(void **state)
{
	int before, after;

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	before = join(port_of(1));
	field(KEY_SERVER_PASSWORD, "Required");
	run(do_write);
	after = join(port_of(1));
	assert_int_equal(ask(before), '-');
	assert_int_equal(ask(after), 'P');
	field(KEY_SERVER_PASSWORD, "Optional");
	run(do_write);
	assert_int_equal(ask(before), '-');
	assert_int_equal(ask(after), 'P');
	close(before);
	close(after);
	after = join(port_of(1));
	assert_int_equal(ask(after), '-');
	assert_int_equal(key_ports_connections(ports), 1);
	close(after);
}

/* req: KS-03-142 */
static void
test_a_connection_has_the_patience_that_it_came_with(void **state)
{
	int before, after;

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	field(KEY_SERVER_TIMEOUT, "60");
	run(do_write);
	before = join(port_of(1));
	assert_int_equal(ask(before), '-');
	field(KEY_SERVER_TIMEOUT, "30");
	run(do_write);
	after = join(port_of(1));
	assert_int_equal(ask(after), '-');
	rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) + 31000);
	bench_turn(&bench);
	bench_turn(&bench);
	assert_int_equal(ask(after), 'x');
	assert_int_equal(ask(before), '-');
	rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) + 61000);
	bench_turn(&bench);
	bench_turn(&bench);
	assert_int_equal(ask(before), 'x');
	close(before);
	close(after);
}

/* req: KS-03-140 ESKM-019 */
static void
test_another_port_leaves_connections_at_the_old_one(void **state)
{
	char text[16];
	unsigned old, fresh;
	int fd, other;

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	old = port_of(1);
	fd = join(old);
	/* a port that is free, as another one shows */
	make(KEY_NAE, "Any");
	fresh = port_of(2);
	run(do_delete);
	assert_ok(key_server_read(bench.appliance.store, 1, &server));
	(void)snprintf(text, sizeof(text), "%u", fresh);
	field(KEY_SERVER_PORT, text);
	run(do_write);
	assert_int_equal(port_of(1), fresh);
	assert_int_equal(join(old), -1);
	assert_int_equal(ask(fd), '-');
	other = join(fresh);
	assert_int_equal(ask(other), '-');
	assert_int_equal(key_ports_connections(ports), 2);
	close(fd);
	close(other);
	bench_turn(&bench);
	assert_int_equal(key_ports_connections(ports), 0);
}

static void
test_who_is_deleted_closes(void **state)
{
	unsigned port;
	int fd;

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	port = port_of(1);
	fd = join(port);
	assert_int_equal(ask(fd), '-');
	run(do_delete);
	assert_int_equal(ask(fd), 'x');
	assert_int_equal(join(port), -1);
	assert_int_equal(listening(), 0);
	assert_string_equal(why_not(1), "");
	close(fd);
	/* the next one of this number is no kin of it */
	make(KEY_NAE, "Any");
	assert_int_equal(server.number, 1);
	assert_int_equal(listening(), 1);
}

static void
test_a_port_that_is_taken_is_tried_again(void **state)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t octets = sizeof(at);
	int holder = socket(AF_INET, SOCK_STREAM, 0);
	char text[16];
	int fd;

	(void)state;
	assert_int_equal(bind(holder, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(holder, 1), 0);
	assert_int_equal(
	    getsockname(holder, (struct sockaddr *)&at, &octets), 0);
	(void)snprintf(text, sizeof(text), "%u", ntohs(at.sin_port));
	key_ports_open(ports);
	make(KEY_NAE, text);
	assert_string_equal(why_not(1), "Address already in use");
	rig_move_to(
	    &bench.rig, env_elapsed_ms(bench.rig.env) + KEY_PORTS_RETRY_MS);
	bench_turn(&bench);
	assert_string_equal(why_not(1), "Address already in use");
	close(holder);
	rig_move_to(
	    &bench.rig, env_elapsed_ms(bench.rig.env) + KEY_PORTS_RETRY_MS - 1);
	bench_turn(&bench);
	assert_int_equal(listening(), 0);
	rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) + 1);
	bench_turn(&bench);
	assert_int_equal(port_of(1), ntohs(at.sin_port));
	fd = join(port_of(1));
	assert_int_equal(ask(fd), '-');
	close(fd);
}

/* Whatever else is changed leaves them alone. */
static enum err
do_nothing(struct change *c)
{
	(void)c;
	return OK;
}

static void
test_other_changes_touch_nothing(void **state)
{
	struct key_server_status status;
	int fd;

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	fd = join(port_of(1));
	run(do_nothing);
	assert_int_equal(ask(fd), '-');
	key_server_status(APPLIANCE->key_servers, 1, &status);
	assert_true(status.listens);
	close(fd);
}

static void
tell_client(void *ctx, const char *address, unsigned connections)
{
	assert_string_equal(address, "127.0.0.1");
	*(unsigned *)ctx += connections;
}

static unsigned
connected(void)
{
	unsigned connections = 0;

	clients_each(APPLIANCE->clients, tell_client, &connections);
	return connections;
}

/* req: KS-22-018 KS-22-025 KS-22-026 KS-22-044 KS-22-045 KS-22-046 */
static void
test_who_is_in_is_counted(void **state)
{
	int first;
	int second;

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	first = join(port_of(1));
	second = join(port_of(1));
	assert_int_equal(ask(first), '-');
	assert_int_equal(connected(), 2);
	assert_int_equal(clients_count(APPLIANCE->clients), 1);
	assert_int_equal(counts.came[CONNECTION_TOTAL], 2);
	assert_int_equal(counts.came[CONNECTION_CLEAR], 2);
	assert_int_equal(counts.came[CONNECTION_SSL], 0);
	assert_int_equal(counts.gone[CONNECTION_TOTAL], 0);
	assert_int_equal(counts.octets[FLOW_INCOMING], 1);
	assert_int_equal(counts.octets[FLOW_OUTGOING], 1);
	close(first);
	bench_turn(&bench);
	bench_turn(&bench);
	assert_int_equal(connected(), 1);
	assert_int_equal(counts.came[CONNECTION_CLEAR], 2);
	assert_int_equal(counts.gone[CONNECTION_CLEAR], 1);
	close(second);
	bench_turn(&bench);
	bench_turn(&bench);
	assert_int_equal(connected(), 0);
	assert_int_equal(counts.gone[CONNECTION_TOTAL], 2);
}

/* req: KS-25-008 KS-25-009 KS-22-018 */
static void
test_who_finds_no_place_is_not_let_in(void **state)
{
	int fd[4];
	unsigned k;

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	licence_put(&bench, 2);
	fd[0] = join_from(1, port_of(1));
	fd[1] = join_from(2, port_of(1));
	fd[2] = join_from(3, port_of(1));
	assert_int_equal(ask(fd[0]), '-');
	assert_int_equal(ask(fd[1]), '-');
	assert_int_equal(ask(fd[2]), 'x');
	close(fd[2]);
	/* it has been no connection */
	assert_int_equal(counts.came[CONNECTION_TOTAL], 2);
	assert_int_equal(key_ports_connections(ports), 2);
	/* who is in may open more, also at another server */
	make(KEY_NAE, "Any");
	fd[2] = join_from(2, port_of(2));
	assert_int_equal(ask(fd[2]), '-');
	close(fd[1]);
	bench_turn(&bench);
	fd[3] = join_from(3, port_of(1));
	assert_int_equal(ask(fd[3]), 'x');
	close(fd[3]);
	close(fd[2]);
	bench_turn(&bench);
	fd[3] = join_from(3, port_of(1));
	assert_int_equal(ask(fd[3]), '-');
	fd[1] = join_from(2, port_of(1));
	assert_int_equal(ask(fd[1]), 'x');
	for (k = 0; k < LENGTH(fd); k++)
		if (k != 2)
			close(fd[k]);
}

/* Its line of the system log, and the trap's. */
static void
is_told(unsigned device)
{
	char line[120];

	(void)snprintf(line, sizeof(line),
	    "License: Client 127.0.0.%u refused: the licensed number of "
	    "clients, 1, is connected\n",
	    device);
	assert_non_null(strstr(ear_text(&ear, LOG_SYSTEM), line));
}

/* req: KS-20-011 */
static void
test_who_is_refused_is_told_of(void **state)
{
	int fd[2];

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	fd[0] = join_from(1, port_of(1));
	assert_int_equal(ask(fd[0]), '-');
	assert_int_equal(ear.lines[LOG_SYSTEM], 0);
	fd[1] = join_from(2, port_of(1));
	is_told(2);
	close(fd[1]);
	/* one whose place was taken while it said who it is */
	all_expected = true;
	fd[1] = join_from(3, port_of(1));
	assert_int_equal(ask(fd[1]), 'x');
	is_told(3);
	assert_int_equal(clients_count(APPLIANCE->clients), 1);
	close(fd[0]);
	close(fd[1]);
}

/* req: KS-25-010 */
static void
test_without_a_licence_nobody_is_let_in(void **state)
{
	int fd;

	(void)state;
	clients_limit(APPLIANCE->clients, 0);
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	fd = join(port_of(1));
	assert_int_equal(ask(fd), 'x');
	close(fd);
	licence_put(&bench, 1);
	fd = join(port_of(1));
	assert_int_equal(ask(fd), '-');
	close(fd);
}

/* req: KS-25-016 */
static void
test_another_licence_puts_nobody_out(void **state)
{
	int fd[3];

	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	licence_put(&bench, 2);
	fd[0] = join_from(1, port_of(1));
	fd[1] = join_from(2, port_of(1));
	licence_put(&bench, 1);
	assert_int_equal(ask(fd[0]), '-');
	assert_int_equal(ask(fd[1]), '-');
	close(fd[1]);
	bench_turn(&bench);
	fd[1] = join_from(2, port_of(1));
	assert_int_equal(ask(fd[1]), 'x');
	licence_put(&bench, 3);
	fd[2] = join_from(3, port_of(1));
	assert_int_equal(ask(fd[2]), '-');
	close(fd[0]);
	close(fd[1]);
	close(fd[2]);
}

static void
test_a_change_is_in_force_when_it_is_told(void **state)
{
	(void)state;
	key_ports_open(ports);
	make(KEY_NAE, "Any");
	assert_int_equal(told_listening, 1);
	make(KEY_NAE, "Any");
	assert_int_equal(told_listening, 2);
	server.number = 1;
	run(do_delete);
	assert_int_equal(told_listening, 1);
}

int
main(void)
{
#define PORTS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    PORTS_TEST(test_ports_come_and_go_with_the_service),
	    PORTS_TEST(test_a_change_is_for_those_who_come_then),
	    PORTS_TEST(test_a_connection_has_the_patience_that_it_came_with),
	    PORTS_TEST(test_another_port_leaves_connections_at_the_old_one),
	    PORTS_TEST(test_who_is_deleted_closes),
	    PORTS_TEST(test_a_port_that_is_taken_is_tried_again),
	    PORTS_TEST(test_other_changes_touch_nothing),
	    PORTS_TEST(test_who_is_in_is_counted),
	    PORTS_TEST(test_who_finds_no_place_is_not_let_in),
	    PORTS_TEST(test_who_is_refused_is_told_of),
	    PORTS_TEST(test_without_a_licence_nobody_is_let_in),
	    PORTS_TEST(test_another_licence_puts_nobody_out),
	    PORTS_TEST(test_a_change_is_in_force_when_it_is_told),
	};
#undef PORTS_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
