#include "net/service_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "device/rig_test.h"

/* One octet is a message; its answer is given when the test says. */
struct test {
	struct bench bench;
	struct services *services;
	struct service_port *port;
	unsigned number; /* of the port that it once had */
	int client[2];
	struct conn *conn; /* with a message unanswered; NULL: none */
	uint64_t message;
};

static enum err
frame(void *state, struct bytes in, size_t *octets)
{
	(void)state;
	*octets = 1;
	return in.octets == 0 ? ERR_TRUNCATED : OK;
}

static void
message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	struct test *t = ctx;

	(void)state;
	(void)octets;
	t->conn = conn;
	t->message = number;
}

static const struct protocol protocol = {
    .name = "test", .frame = frame, .message = message};

static void
answer(struct test *t)
{
	struct conn *conn = t->conn;

	t->conn = NULL;
	conn_answer(conn, t->message, bytes_of_text("!"));
}

static int
setup(void **state)
{
	struct service_port_config config = {
	    .service = SERVICE_KEY_SERVER,
	    .listen = {.address = "127.0.0.1:0",
		.backlog = 16,
		.connections = 16,
		.rules = {.protocol = &protocol,
		    .limits = {.message_octets = 100,
			.unanswered = 16,
			.handshake_ms = 60000,
			.message_ms = 60000,
			.idle_ms = 60000}}},
	};
	struct test *t;

	assert_ok(MEM_NEW(t));
	*state = t;
	*t = (struct test){.client = {-1, -1}};
	bench_make(&t->bench);
	assert_ok(services_new(&t->bench.appliance, &t->services));
	config.loop = t->bench.rig.loop;
	config.services = t->services;
	config.listen.rules.ctx = t;
	assert_ok(service_port_new(&config, &t->port));
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;
	size_t k;

	if (t == NULL)
		return 0;
	service_port_free(t->port);
	if (t->conn != NULL)
		answer(t);
	services_free(t->services);
	for (k = 0; k < LENGTH(t->client); k++)
		if (t->client[k] >= 0)
			close(t->client[k]);
	bench_remove(&t->bench);
	mem_free(t);
	return 0;
}

static enum service_status
status(struct test *t)
{
	return service_status(t->services, SERVICE_KEY_SERVER);
}

static void
start(struct test *t)
{
	assert_ok(service_start(t->services, SERVICE_KEY_SERVER));
	assert_int_equal(status(t), SERVICE_STARTING);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STARTED);
	t->number = listener_port(service_port_listener(t->port));
}

static int
join(struct test *t, size_t k)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)t->number)};
	int rc;

	if (t->client[k] >= 0)
		close(t->client[k]);
	t->client[k] = socket(AF_INET, SOCK_STREAM, 0);
	rc = connect(t->client[k], (struct sockaddr *)&at, sizeof(at));
	bench_turn(&t->bench);
	return rc;
}

/* 1: an answer; 0: it is closed; -1: nothing yet */
static ssize_t
hear(struct test *t, size_t k)
{
	char octet;

	return recv(t->client[k], &octet, 1, MSG_DONTWAIT);
}

static void
ask(struct test *t, size_t k)
{
	assert_int_equal(send(t->client[k], "?", 1, 0), 1);
	bench_turn(&t->bench);
	assert_non_null(t->conn);
}

/* req: KS-24-008 KS-24-009 */
static void
test_a_port_is_open_while_its_service_runs(void **state)
{
	struct test *t = *state;

	assert_null(service_port_listener(t->port));
	assert_int_equal(status(t), SERVICE_STOPPED);
	start(t);
	assert_int_equal(join(t, 0), 0);
	assert_ok(service_stop(t->services, SERVICE_KEY_SERVER));
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STOPPED);
	assert_null(service_port_listener(t->port));
	assert_int_equal(hear(t, 0), 0);
	assert_int_equal(join(t, 1), -1);
}

/* req: KS-24-011 */
static void
test_without_connections_it_is_over_at_the_turns_end(void **state)
{
	struct test *t = *state;

	start(t);
	assert_ok(service_stop(t->services, SERVICE_KEY_SERVER));
	assert_int_equal(status(t), SERVICE_STOPPING);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STOPPED);
}

static void
test_one_that_is_stopped_at_once_was_never_started(void **state)
{
	struct test *t = *state;

	assert_ok(service_start(t->services, SERVICE_KEY_SERVER));
	assert_ok(service_stop(t->services, SERVICE_KEY_SERVER));
	assert_int_equal(status(t), SERVICE_STOPPING);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STOPPED);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STOPPED);
}

static void
test_what_was_received_is_answered_first(void **state)
{
	struct test *t = *state;

	start(t);
	assert_int_equal(join(t, 0), 0);
	ask(t, 0);
	assert_ok(service_stop(t->services, SERVICE_KEY_SERVER));
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STOPPING);
	assert_int_equal(join(t, 1), -1); /* nobody else */
	answer(t);
	bench_turn(&t->bench);
	assert_int_equal(hear(t, 0), 1);
	assert_int_equal(hear(t, 0), 0);
	assert_int_equal(status(t), SERVICE_STOPPED);
}

static void
test_what_hangs_does_not_hold_it(void **state)
{
	struct test *t = *state;

	start(t);
	assert_int_equal(join(t, 0), 0);
	ask(t, 0);
	assert_ok(service_stop(t->services, SERVICE_KEY_SERVER));
	rig_move_to(&t->bench.rig, SERVICE_PORT_PATIENCE_MS - 1);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STOPPING);
	rig_move_to(&t->bench.rig, SERVICE_PORT_PATIENCE_MS);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STOPPED);
	assert_int_equal(hear(t, 0), 0);
	answer(t); /* into nothing */
}

/* req: KS-24-010 */
static void
test_a_restart_closes_connections_and_opens_the_same_port(void **state)
{
	struct test *t = *state;
	unsigned number;

	start(t);
	number = t->number;
	assert_int_equal(join(t, 0), 0);
	ask(t, 0);
	assert_ok(service_restart(t->services, SERVICE_KEY_SERVER));
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_RESTARTING);
	answer(t);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STARTED);
	assert_int_equal(hear(t, 0), 1);
	assert_int_equal(hear(t, 0), 0);
	assert_int_equal(listener_port(service_port_listener(t->port)), number);
	assert_int_equal(join(t, 1), 0);
	ask(t, 1);
	answer(t);
	bench_turn(&t->bench);
	assert_int_equal(hear(t, 1), 1);
	/* the patience with those before has ended with them */
	rig_move_to(&t->bench.rig, SERVICE_PORT_PATIENCE_MS);
	bench_turn(&t->bench);
	assert_int_equal(status(t), SERVICE_STARTED);
}

static void
test_a_port_that_is_taken_stays_closed(void **state)
{
	struct test *t = *state;
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	start(t);
	assert_ok(service_stop(t->services, SERVICE_KEY_SERVER));
	bench_turn(&t->bench);
	at.sin_port = htons((uint16_t)t->number);
	t->client[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(t->client[0], (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(t->client[0], 1), 0);
	assert_err(service_start(t->services, SERVICE_KEY_SERVER), ERR_SYSTEM);
	assert_int_equal(status(t), SERVICE_STOPPED);
	assert_null(service_port_listener(t->port));
	close(t->client[0]);
	t->client[0] = -1;
	start(t);
}

static void
test_one_that_runs_can_be_freed(void **state)
{
	struct test *t = *state;

	start(t);
	assert_int_equal(join(t, 0), 0);
	ask(t, 0);
	assert_ok(service_stop(t->services, SERVICE_KEY_SERVER));
	service_port_free(t->port);
	t->port = NULL;
	assert_int_equal(hear(t, 0), 0);
}

#define PORT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PORT_TEST(test_a_port_is_open_while_its_service_runs),
	    PORT_TEST(test_without_connections_it_is_over_at_the_turns_end),
	    PORT_TEST(test_one_that_is_stopped_at_once_was_never_started),
	    PORT_TEST(test_what_was_received_is_answered_first),
	    PORT_TEST(test_what_hangs_does_not_hold_it),
	    PORT_TEST(
		test_a_restart_closes_connections_and_opens_the_same_port),
	    PORT_TEST(test_a_port_that_is_taken_stays_closed),
	    PORT_TEST(test_one_that_runs_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
