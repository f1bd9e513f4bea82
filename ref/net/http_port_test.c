#include "net/http_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "device/rig_test.h"

enum {
	SAID_OCTETS = 16 << 10,
	CLIENTS = HTTP_PORT_CONNECTIONS + 1,
	TURNS = 64, /* what is on its way has come by then */
};

struct client {
	int fd;
	bool ended;
	char said[SAID_OCTETS];
	size_t octets;
};

struct test {
	struct rig rig;
	struct http_port *port;
	unsigned served;
	enum http_method method; /* of the last request */
	char path[64];
	unsigned status;
	size_t body_octets; /* of the answers; 0: "Yes." */
	struct client client[CLIENTS];
};

static void
serve(void *ctx, const struct http_request *request, struct http_answer *answer)
{
	static const uint8_t piece[4096];
	struct test *t = ctx;
	size_t k;

	t->served++;
	t->method = request->method;
	(void)snprintf(t->path, sizeof(t->path), "%s", request->path);
	if (t->status != 200) {
		answer->status = t->status;
		answer->reason = "No";
	}
	if (t->body_octets == 0)
		assert_ok(buf_put_text(answer->body, "Yes.\n"));
	for (k = 0; k < t->body_octets; k += sizeof(piece))
		assert_ok(buf_put(
		    answer->body, (struct bytes){piece, sizeof(piece)}));
}

static struct test test;

static void
open_port(struct test *t, unsigned methods)
{
	const struct http_port_config config = {
	    .env = t->rig.env,
	    .loop = t->rig.loop,
	    .address = "127.0.0.1",
	    .methods = methods,
	    .answer_octets = 64 << 20,
	    .serve = serve,
	    .ctx = t,
	};

	assert_ok(http_port_new(&config, &t->port));
}

static int
setup(void **state)
{
	size_t k;

	(void)signal(SIGPIPE, SIG_IGN);
	memset(&test, 0, sizeof(test));
	test.status = 200;
	for (k = 0; k < CLIENTS; k++)
		test.client[k].fd = -1;
	assert_ok(rig_init(&test.rig));
	open_port(&test, HTTP_GET | HTTP_HEAD | HTTP_POST);
	*state = &test;
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;
	size_t k;

	for (k = 0; k < CLIENTS; k++)
		if (t->client[k].fd >= 0)
			close(t->client[k].fd);
	http_port_free(t->port);
	rig_clear(&t->rig);
	return 0;
}

/* ---- clients ---- */

static void
come(struct test *t, struct client *client)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)http_port_number(t->port))};

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client->fd >= 0);
	assert_int_equal(
	    connect(client->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
	client->octets = 0;
	client->ended = false;
	client->said[0] = '\0';
}

static void
hear(struct client *client)
{
	while (!client->ended && client->octets + 1 < sizeof(client->said)) {
		char *at = client->said + client->octets;
		ssize_t got = recv(client->fd, at,
		    sizeof(client->said) - client->octets - 1, 0);

		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			client->ended = true;
			return;
		}
		client->octets += (size_t)got;
		client->said[client->octets] = '\0';
	}
}

static void
turn(struct test *t, struct client *client)
{
	unsigned k;

	for (k = 0; k < TURNS; k++) {
		assert_ok(rig_turns(&t->rig, 1));
		hear(client);
	}
}

static void
say(struct client *client, const char *text)
{
	assert_int_equal(
	    send(client->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static const char *
ask(struct test *t, const char *text)
{
	struct client *client = &t->client[0];

	if (client->fd >= 0)
		close(client->fd);
	come(t, client);
	say(client, text);
	turn(t, client);
	return client->said;
}

static void
has(const char *said, const char *want)
{
	if (strstr(said, want) == NULL)
		fail_msg("expected: %s\n     got: %s", want, said);
}

/* ---- what is answered ---- */

static void
test_a_request_is_answered_and_its_connection_closed(void **state)
{
	struct test *t = *state;
	const char *said = ask(t, "GET /a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n");

	has(said, "HTTP/1.1 200 OK\r\n");
	has(said, "Content-Type: text/plain\r\n");
	has(said, "Content-Length: 5\r\n");
	has(said, "Connection: close\r\n");
	has(said, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
	has(said, "\r\n\r\nYes.\n");
	assert_string_equal(t->path, "/a/b");
	assert_int_equal(t->method, HTTP_GET);
	assert_true(t->client[0].ended);
	assert_int_equal(http_port_connections(t->port), 0);
}

static void
test_head_is_answered_without_a_body(void **state)
{
	struct test *t = *state;
	const char *said = ask(t, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");

	has(said, "HTTP/1.1 200 OK\r\n");
	has(said, "Content-Length: 5\r\n");
	assert_null(strstr(said, "Yes."));
	assert_int_equal(t->method, HTTP_HEAD);
	assert_true(t->client[0].ended);
}

static void
test_a_status_of_its_own_is_told(void **state)
{
	struct test *t = *state;

	t->status = 500;
	has(ask(t, "GET / HTTP/1.0\r\n\r\n"), " 500 No\r\n");
}

/* req: KS-04-012 */
static void
test_the_answer_waits_for_the_last_octet_of_the_request(void **state)
{
	struct test *t = *state;
	struct client *client = &t->client[0];

	come(t, client);
	say(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n");
	turn(t, client);
	assert_int_equal(t->served, 0);
	say(client, "\r\nab");
	turn(t, client);
	assert_int_equal(t->served, 0);
	assert_int_equal(client->octets, 0);
	say(client, "c");
	turn(t, client);
	assert_int_equal(t->served, 1);
	assert_int_equal(t->method, HTTP_POST);
	has(client->said, "200 OK");
}

static void
test_an_answer_that_is_long_comes_as_a_whole(void **state)
{
	struct test *t = *state;
	struct client *client = &t->client[0];
	size_t octets = 0;
	unsigned k;

	t->body_octets = 3 << 20;
	come(t, client);
	say(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	for (k = 0; k < 100000 && !client->ended; k++) {
		assert_ok(rig_turns(&t->rig, 1));
		hear(client);
		octets += client->octets;
		client->octets = 0;
	}
	assert_true(octets > t->body_octets && octets < t->body_octets + 1000);
}

/* ---- what is refused ---- */

static void
test_other_methods_are_not_served(void **state)
{
	struct test *t = *state;
	static const char *const methods[] = {
	    "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "BREW"};
	char line[80];
	size_t k;

	for (k = 0; k < LENGTH(methods); k++) {
		(void)snprintf(line, sizeof(line),
		    "%s / HTTP/1.1\r\nHost: x\r\n\r\n", methods[k]);
		has(ask(t, line), "HTTP/1.1 501 ");
	}
	http_port_free(t->port);
	open_port(t, HTTP_GET);
	has(ask(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
	    "HTTP/1.1 501 ");
	assert_int_equal(t->served, 0);
	has(ask(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 ");
}

/* One octet apart. */
static void
test_a_body_has_a_limit(void **state)
{
	static char line[HTTP_PORT_BODY_OCTETS + 200];
	struct test *t = *state;
	int head = snprintf(line, sizeof(line),
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
	    HTTP_PORT_BODY_OCTETS);

	memset(line + head, 'x', HTTP_PORT_BODY_OCTETS);
	has(ask(t, line), "HTTP/1.1 200 ");
	(void)snprintf(line, sizeof(line),
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
	    HTTP_PORT_BODY_OCTETS + 1);
	has(ask(t, line), "HTTP/1.1 413 ");
	assert_int_equal(t->served, 1);
}

/* Whose length nobody has said beforehand. */
static void
test_a_body_in_chunks_has_the_same_limit(void **state)
{
	static char line[HTTP_PORT_BODY_OCTETS + 200];
	struct test *t = *state;
	int head;

	head = snprintf(line, sizeof(line),
	    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "%x\r\n",
	    HTTP_PORT_BODY_OCTETS);
	memset(line + head, 'x', HTTP_PORT_BODY_OCTETS);
	(void)snprintf(
	    line + head + HTTP_PORT_BODY_OCTETS, 20, "\r\n0\r\n\r\n");
	has(ask(t, line), "HTTP/1.1 200 ");
	(void)snprintf(
	    line + head + HTTP_PORT_BODY_OCTETS, 20, "\r\n1\r\nx\r\n0\r\n\r\n");
	assert_null(strstr(ask(t, line), "HTTP/1.1 200 "));
	assert_int_equal(t->served, 1);
}

static void
test_a_head_has_a_limit(void **state)
{
	static char line[HTTP_PORT_HEAD_OCTETS + 200];
	struct test *t = *state;
	int head =
	    snprintf(line, sizeof(line), "GET / HTTP/1.1\r\nHost: x\r\nA: ");

	memset(line + head, 'x', HTTP_PORT_HEAD_OCTETS);
	(void)snprintf(line + head + HTTP_PORT_HEAD_OCTETS, 20, "\r\n\r\n");
	assert_null(strstr(ask(t, line), "HTTP/1.1 200 "));
	assert_true(t->client[0].ended);
	(void)snprintf(line + head + HTTP_PORT_HEAD_OCTETS / 2, 20, "\r\n\r\n");
	has(ask(t, line), "HTTP/1.1 200 ");
	assert_int_equal(t->served, 1);
}

static void
test_what_is_no_http_is_not_served(void **state)
{
	static const char *const lines[] = {"\x16\x03\x01\x02\x01\x01\r\n\r\n",
	    "GET\r\n\r\n", "GET / SPDY/1\r\n\r\n", "\r\n\r\n\r\n"};
	struct test *t = *state;
	size_t k;

	for (k = 0; k < LENGTH(lines); k++)
		assert_null(strstr(ask(t, lines[k]), " 200 "));
	assert_int_equal(t->served, 0);
}

/* ---- patience ---- */

static void
test_a_connection_has_its_time_and_no_more(void **state)
{
	struct test *t = *state;
	struct client *slow = &t->client[1];
	unsigned k;

	come(t, slow);
	say(slow, "GET / HTTP/1.1\r\n");
	turn(t, slow);
	/* an octet now and then does not lengthen it */
	for (k = 1; k < 10; k++) {
		rig_move_to(&t->rig, HTTP_PORT_LIFE_MS * k / 10);
		say(slow, "x");
		turn(t, slow);
		assert_false(slow->ended);
	}
	rig_move_to(&t->rig, HTTP_PORT_LIFE_MS - 1);
	turn(t, slow);
	assert_false(slow->ended);
	assert_int_equal(http_port_connections(t->port), 1);
	rig_move_to(&t->rig, HTTP_PORT_LIFE_MS);
	turn(t, slow);
	assert_true(slow->ended);
	assert_int_equal(http_port_connections(t->port), 0);
	assert_int_equal(t->served, 0);
}

static void
test_who_does_not_take_the_answer_loses_it(void **state)
{
	struct test *t = *state;
	struct client *client = &t->client[1];
	int k;

	t->body_octets = 32 << 20;
	come(t, client);
	say(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	for (k = 0; k < TURNS; k++)
		assert_ok(rig_turns(&t->rig, 1));
	assert_int_equal(t->served, 1);
	assert_int_equal(http_port_connections(t->port), 1);
	rig_move_to(&t->rig, HTTP_PORT_LIFE_MS);
	for (k = 0; k < TURNS; k++)
		assert_ok(rig_turns(&t->rig, 1));
	assert_int_equal(http_port_connections(t->port), 0);
}

static void
test_the_first_of_too_many_goes(void **state)
{
	struct test *t = *state;
	size_t k;

	for (k = 0; k < HTTP_PORT_CONNECTIONS; k++) {
		come(t, &t->client[k]);
		say(&t->client[k], "GET / HTTP/1.1\r\n");
		turn(t, &t->client[k]);
	}
	assert_int_equal(http_port_connections(t->port), HTTP_PORT_CONNECTIONS);
	come(t, &t->client[k]);
	say(&t->client[k], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(t, &t->client[k]);
	has(t->client[k].said, "200 OK");
	turn(t, &t->client[0]);
	turn(t, &t->client[1]);
	assert_true(t->client[0].ended);
	assert_false(t->client[1].ended);
	say(&t->client[1], "Host: x\r\n\r\n");
	turn(t, &t->client[1]);
	has(t->client[1].said, "200 OK");
}

/* With all that is going on. */
static void
test_a_port_is_closed_at_once(void **state)
{
	struct test *t = *state;
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)http_port_number(t->port))};
	struct client *client = &t->client[0];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	come(t, client);
	say(client, "GET / HTTP/1.1\r\n");
	turn(t, client);
	http_port_free(t->port);
	t->port = NULL;
	turn(t, client);
	assert_true(client->ended);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
}

static void
test_a_port_that_is_taken_says_so(void **state)
{
	struct test *t = *state;
	struct http_port_config config = {
	    .env = t->rig.env,
	    .loop = t->rig.loop,
	    .address = "127.0.0.1",
	    .port = http_port_number(t->port),
	    .serve = serve,
	};
	struct http_port *second = NULL;

	assert_err(http_port_new(&config, &second), ERR_SYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	assert_null(second);
	config.address = "192.0.2.1";
	config.port = 0;
	assert_err(http_port_new(&config, &second), ERR_SYSTEM);
	assert_int_equal(errno, EADDRNOTAVAIL);
}

int
main(void)
{
#define PORT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    PORT_TEST(test_a_request_is_answered_and_its_connection_closed),
	    PORT_TEST(test_head_is_answered_without_a_body),
	    PORT_TEST(test_a_status_of_its_own_is_told),
	    PORT_TEST(test_the_answer_waits_for_the_last_octet_of_the_request),
	    PORT_TEST(test_an_answer_that_is_long_comes_as_a_whole),
	    PORT_TEST(test_other_methods_are_not_served),
	    PORT_TEST(test_a_body_has_a_limit),
	    PORT_TEST(test_a_body_in_chunks_has_the_same_limit),
	    PORT_TEST(test_a_head_has_a_limit),
	    PORT_TEST(test_what_is_no_http_is_not_served),
	    PORT_TEST(test_a_connection_has_its_time_and_no_more),
	    PORT_TEST(test_who_does_not_take_the_answer_loses_it),
	    PORT_TEST(test_the_first_of_too_many_goes),
	    PORT_TEST(test_a_port_is_closed_at_once),
	    PORT_TEST(test_a_port_that_is_taken_says_so),
	};
#undef PORT_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
