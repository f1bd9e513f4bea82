#include "net/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/rig_test.h"

/* A protocol that never gets so far as to speak. */
static enum err
frame(void *state, struct bytes in, size_t *octets)
{
	(void)state;
	(void)in;
	(void)octets;
	return ERR_TRUNCATED;
}

static enum err
opened(void *ctx, struct conn *conn, void **state)
{
	unsigned *count = ctx;

	(void)conn;
	*state = NULL;
	++*count;
	return OK;
}

static void
closed(void *ctx, void *state)
{
	unsigned *count = ctx;

	(void)state;
	--*count;
}

static const struct protocol mute = {
    .name = "mute", .frame = frame, .opened = opened, .closed = closed};

struct port {
	struct rig rig;
	struct listener *listener;
	unsigned open;
	int client[8];
};

static int
set_up(void **state)
{
	struct port *p = calloc(1, sizeof(*p));

	*state = p;
	if (p == NULL)
		return -1;
	memset(p->client, 0xff, sizeof(p->client));
	return rig_init(&p->rig) != OK;
}

static int
tear_down(void **state)
{
	struct port *p = *state;
	size_t k;

	listener_free(p->listener);
	for (k = 0; k < 8; k++) {
		if (p->client[k] >= 0)
			close(p->client[k]);
	}
	rig_clear(&p->rig);
	free(p);
	return 0;
}

static enum err
open_at(struct port *p, const char *address, unsigned connections)
{
	const struct listen_config config = {
	    .address = address,
	    .backlog = 16,
	    .connections = connections,
	    .rules = {.protocol = &mute,
		.ctx = &p->open,
		.limits = {.message_octets = 100,
		    .unanswered = 1,
		    .handshake_ms = 1000,
		    .message_ms = 1000,
		    .idle_ms = 1000}},
	};

	return listener_new(p->rig.loop, &config, &p->listener);
}

static void
join(struct port *p, size_t k)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)listener_port(p->listener))};

	p->client[k] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    connect(p->client[k], (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(rig_turns(&p->rig, 1), OK);
}

static bool
is_closed(struct port *p, size_t k)
{
	char octet;

	return recv(p->client[k], &octet, 1, MSG_DONTWAIT) == 0;
}

static void
test_addresses_are_read(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} cases[] = {
	    {"127.0.0.1:0", OK}, {"127.0.0.1", ERR_CONFIG},
	    {"127.0.0.1:", ERR_CONFIG}, {":0", ERR_CONFIG},
	    {"127.0.0.1:65536", ERR_CONFIG}, {"127.0.0.1:http", ERR_CONFIG},
	    {"localhost:0", ERR_CONFIG}, /* names may change their meaning */
	    {"::1:0", ERR_CONFIG}, {"[::1:0", ERR_CONFIG}, {"[]:0", ERR_CONFIG},
	    {"192.0.2.1:0", ERR_SYSTEM}, /* not ours */
	};
	struct port *p = *state;
	size_t k;

	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		enum err rc = open_at(p, cases[k].text, 1);

		if (rc != cases[k].want)
			fail_msg("%s\nexpected: %s\n     got: %s",
			    cases[k].text, err_name(cases[k].want),
			    err_name(rc));
		listener_free(p->listener);
		p->listener = NULL;
	}
}

static void
test_a_port_that_is_taken_is_refused(void **state)
{
	struct port *p = *state;
	struct listener *first;

	assert_int_equal(open_at(p, "127.0.0.1:0", 1), OK);
	assert_true(listener_port(p->listener) != 0);
	first = p->listener;
	assert_int_equal(open_at(p, listener_address(first), 1), ERR_SYSTEM);
	p->listener = first;
}

static void
test_connections_are_counted_up_to_the_limit(void **state)
{
	struct port *p = *state;

	assert_int_equal(open_at(p, "127.0.0.1:0", 2), OK);
	join(p, 0);
	join(p, 1);
	assert_int_equal(listener_connections(p->listener), 2);
	join(p, 2);
	assert_true(is_closed(p, 2));
	assert_false(is_closed(p, 0));
	assert_int_equal(listener_connections(p->listener), 2);
	/* one leaves, one may come */
	close(p->client[0]);
	p->client[0] = -1;
	assert_int_equal(rig_turns(&p->rig, 1), OK);
	assert_int_equal(listener_connections(p->listener), 1);
	join(p, 3);
	assert_false(is_closed(p, 3));
	assert_int_equal(p->open, 2);
}

static void
test_a_finished_port_takes_nobody(void **state)
{
	struct port *p = *state;
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	assert_int_equal(open_at(p, "127.0.0.1:0", 2), OK);
	at.sin_port = htons((uint16_t)listener_port(p->listener));
	join(p, 0);
	listener_finish(p->listener);
	assert_int_equal(rig_turns(&p->rig, 1), OK);
	assert_int_equal(listener_connections(p->listener), 0);
	assert_true(is_closed(p, 0));
	p->client[1] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    connect(p->client[1], (struct sockaddr *)&at, sizeof(at)), -1);
	assert_int_equal(p->open, 0);
}

int
main(void)
{
#define PORT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    PORT_TEST(test_addresses_are_read),
	    PORT_TEST(test_a_port_that_is_taken_is_refused),
	    PORT_TEST(test_connections_are_counted_up_to_the_limit),
	    PORT_TEST(test_a_finished_port_takes_nobody),
	};
#undef PORT_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
