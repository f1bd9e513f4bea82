#include "cli/ssh_door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "cli/desk_test.h"
#include "cli/ssh_key.h"
#include "cli/ssh_peer_test.h"

static struct desk desk;
static struct ssh_door *door;

/* ---- until something has come ---- */

struct awaits {
	bool (*has_come)(void);
	struct loop_task look;
};

static void
look(void *ctx)
{
	struct awaits *awaits = ctx;

	if (awaits->has_come())
		loop_stop(desk.bench.rig.loop);
}

static void
await(bool (*has_come)(void))
{
	struct awaits awaits = {.has_come = has_come};

	/* what has been put in its way; the rest comes from outside */
	assert_ok(rig_turns(&desk.bench.rig, 4));
	awaits.look = (struct loop_task){.fn = look, .ctx = &awaits};
	loop_each_turn(desk.bench.rig.loop, &awaits.look);
	if (!has_come())
		assert_ok(loop_run(desk.bench.rig.loop));
	loop_task_cancel(&awaits.look);
}

static enum service_status
status(void)
{
	return service_status(desk_appliance(&desk)->services, SERVICE_SSH);
}

/* One that cannot be started is stopped again. */
static bool
has_started(void)
{
	return status() == SERVICE_STARTED || status() == SERVICE_STOPPED;
}

static bool
is_stopped(void)
{
	return status() == SERVICE_STOPPED;
}

static bool
nobody_is_there(void)
{
	return ssh_door_connections(door) == 0;
}

static bool
somebody_is_there(void)
{
	return ssh_door_connections(door) != 0;
}

/* ---- the other end ---- */

static int caller;

/* Let in, or sent away: where memory is refused, there is none for it. */
static bool
caller_is_answered(void)
{
	char octet;
	ssize_t got = recv(caller, &octet, 1, MSG_PEEK | MSG_DONTWAIT);

	return somebody_is_there() || got == 0 || (got < 0 && errno != EAGAIN);
}

static struct sockaddr_in
address(const char *text, unsigned port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	assert_int_equal(inet_pton(AF_INET, text, &at.sin_addr), 1);
	return at;
}

/* Somebody comes; -1: nobody listens there. */
static int
comes(unsigned port)
{
	struct sockaddr_in at = address("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Somebody else has a port. */
static int
holds(unsigned *port)
{
	struct sockaddr_in at = address("127.0.0.1", 0);
	socklen_t octets = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &octets), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* ---- life ---- */

static int
set_up(void **state)
{
	const struct cli_entry everybody = {.door = DOOR_NONE, .peer = ""};

	(void)state;
	desk_make(&desk);
	assert_ok(ssh_door_new(desk_appliance(&desk), "127.0.0.1:0", &door));
	(void)desk_sit(&desk, &everybody);
	(void)desk_type(&desk, "config");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_stand(&desk);
	loop_end_jobs(desk.bench.rig.loop);
	ssh_door_free(door);
	door = NULL;
	desk_remove(&desk);
	return 0;
}

static void
start(void)
{
	assert_ok(service_start(desk_appliance(&desk)->services, SERVICE_SSH));
	await(has_started);
	assert_int_equal(status(), SERVICE_STARTED);
}

/* ---- tests ---- */

/* req: KS-24-004 ESKM-163 */
static void
the_first_start_makes_the_key_and_no_other_does(void **state)
{
	struct secret *first = NULL, *second = NULL;
	struct services *services = desk_appliance(&desk)->services;

	(void)state;
	assert_err(ssh_key_read(desk_appliance(&desk), &first), ERR_NOT_FOUND);
	assert_int_equal(ssh_door_port(door), 0);
	start();
	assert_int_not_equal(ssh_door_port(door), 0);
	assert_non_null(strstr(desk_audited(&desk), "SSH key: created"));
	assert_ok(ssh_key_read(desk_appliance(&desk), &first));
	assert_ok(service_stop(services, SERVICE_SSH));
	await(is_stopped);
	assert_int_equal(ssh_door_port(door), 0);
	start();
	assert_ok(ssh_key_read(desk_appliance(&desk), &second));
	assert_true(secret_equal(first, second));
	secret_free(first);
	secret_free(second);
}

static void
who_says_nothing_has_two_minutes(void **state)
{
	char heard[256];
	int fd;

	(void)state;
	start();
	fd = caller = comes(ssh_door_port(door));
	assert_true(fd >= 0);
	await(caller_is_answered);
	assert_true(somebody_is_there());
	assert_true(recv(fd, heard, sizeof(heard), 0) > 0); /* its greeting */
	desk_advance(&desk, SSH_GRACE_MS - 1);
	assert_ok(rig_turns(&desk.bench.rig, 4));
	assert_true(somebody_is_there());
	assert_int_equal(recv(fd, heard, sizeof(heard), MSG_DONTWAIT), -1);
	desk_advance(&desk, 1);
	assert_ok(rig_turns(&desk.bench.rig, 1));
	await(nobody_is_there);
	assert_int_equal(recv(fd, heard, sizeof(heard), 0), 0);
	close(fd);
}

/* req: KS-19-030 KS-AA-027 */
static void
a_port_that_somebody_has_is_refused_and_the_old_one_serves(void **state)
{
	char line[128];
	unsigned taken, before;
	int other, fd;

	(void)state;
	start();
	before = ssh_door_port(door);
	other = holds(&taken);
	(void)snprintf(
	    line, sizeof(line), "edit ras settings ssh-port %u", taken);
	assert_non_null(
	    strstr(desk_type(&desk, line), "=Error: SSH Admin Server Port: "));
	assert_non_null(strstr(desk.said, ": Address already in use\n.1\n"));
	assert_non_null(strstr(desk_audited(&desk), "Address already in use"));
	assert_int_equal(
	    setting_number(desk_appliance(&desk)->settings, SETTING_SSH_PORT),
	    22);
	assert_int_equal(ssh_door_port(door), before);
	fd = comes(before);
	assert_true(fd >= 0);
	close(fd);
	/* what is set elsewhere is nothing to it */
	assert_non_null(
	    strstr(desk_type(&desk, "edit host name other"), ".0\n"));
	/* and once the other has gone it can be had */
	close(other);
	assert_non_null(strstr(desk_type(&desk, line), ".0\n"));
	/* it has moved when that is said */
	assert_int_equal(ssh_door_port(door), taken);
	fd = comes(taken);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(comes(before), -1);
}

/* req: KS-19-028 */
static void
an_address_that_is_another_machines_is_refused(void **state)
{
	unsigned before;

	(void)state;
	start();
	before = ssh_door_port(door);
	assert_non_null(
	    strstr(desk_type(&desk, "edit ras settings ssh-ip 192.0.2.9"),
		"=Error: SSH Admin Server IP: 192.0.2.9: "));
	assert_int_equal(ssh_door_port(door), before);
	assert_non_null(strstr(
	    desk_type(&desk, "edit ras settings ssh-ip 127.0.0.1"), ".0\n"));
	assert_int_equal(ssh_door_port(door), before);
}

/* Then nobody can know whether it can be had when it starts. */
static void
while_it_is_stopped_any_place_may_be_set(void **state)
{
	char line[128];
	unsigned taken;
	int other = holds(&taken);

	(void)state;
	(void)snprintf(
	    line, sizeof(line), "edit ras settings ssh-port %u", taken);
	assert_non_null(strstr(desk_type(&desk, line), ".0\n"));
	assert_ok(service_start(desk_appliance(&desk)->services, SERVICE_SSH));
	await(is_stopped); /* there is no key yet: it tries when it is made */
	assert_int_equal(ssh_door_port(door), 0);
	/* now it is said at once */
	assert_non_null(
	    strstr(desk_type(&desk, "service start ssh"), "=Error: "));
	assert_true(is_stopped());
	close(other);
	start();
	assert_int_equal(ssh_door_port(door), taken);
}

static void
what_is_no_place_is_refused(void **state)
{
	static const char *const bad[] = {
	    "127.0.0.1",
	    "127.0.0.1:",
	    "127.0.0.1:65536",
	    "127.0.0.1:2x",
	    "[::1]",
	};
	struct ssh_door *none = NULL;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(bad); k++) {
		assert_err(ssh_door_new(desk_appliance(&desk), bad[k], &none),
		    ERR_CONFIG);
		assert_null(none);
	}
}

/* ---- a download ---- */

/* A client in a thread of its own, which begins to take what it asked for,
 * stops, and takes the rest when it is told to. */
struct slow {
	unsigned port;
	int begun[2], go_on[2]; /* pipes */
	size_t octets;          /* that it got */
	bool whole;
};

static bool begun;

static bool
has_begun(void)
{
	return begun;
}

static void
it_begins(void *ctx, unsigned ready)
{
	struct slow *slow = ctx;
	char octet;

	(void)ready;
	if (read(slow->begun[0], &octet, 1) == 1)
		begun = true;
}

static void
take(struct slow *slow, ssh_channel channel)
{
	static char in[64 * 1024];
	char octet = 0;
	int got = ssh_channel_read(channel, in, 1, 0);

	if (got != 1 || write(slow->begun[1], &octet, 1) != 1 ||
	    read(slow->go_on[0], &octet, 1) != 1)
		return;
	do {
		slow->octets += (size_t)got;
		got = ssh_channel_read(channel, in, sizeof(in), 0);
	} while (got > 0);
	slow->whole = got == 0 && ssh_channel_get_exit_status(channel) == 0;
}

static void *
downloads(void *ctx)
{
	struct slow *slow = ctx;
	ssh_session session = client_open(slow->port);
	ssh_channel channel = NULL;
	char octet = 0;

	if (session != NULL &&
	    client_log_in(session, "root", DESK_PASSWORD) == SSH_AUTH_SUCCESS)
		channel = ssh_channel_new(session);
	if (channel != NULL && ssh_channel_open_session(channel) == SSH_OK &&
	    ssh_channel_request_exec(channel, "log download system") == SSH_OK)
		take(slow, channel);
	ssh_channel_free(channel);
	client_close(session);
	/* it never came to it */
	(void)!write(slow->begun[1], &octet, 1);
	return NULL;
}

/* What it does not take is not put in its way: nobody may leave so much. */
static void
a_download_waits_for_whoever_takes_it_slowly(void **state)
{
	enum { LINES = 17 * 1024, LINE_OCTETS = 1023 };
	const size_t all = (size_t)LINES * (LINE_OCTETS + 1);
	struct slow slow = {.octets = 0};
	struct loop_fd *watch;
	pthread_t thread;

	(void)state;
	desk_stand(&desk);
	ssh_door_free(door);
	desk_keep_logs(&desk);
	assert_ok(ssh_door_new(desk_appliance(&desk), "127.0.0.1:0", &door));
	desk_account(&desk, "root", true, CONTROLS_ALL);
	desk_fill_log(&desk, LINES, LINE_OCTETS);
	start();
	slow.port = ssh_door_port(door);
	assert_int_equal(pipe(slow.begun), 0);
	assert_int_equal(pipe(slow.go_on), 0);
	begun = false;
	assert_ok(loop_fd_new(desk.bench.rig.loop, slow.begun[0], LOOP_READ,
	    it_begins, &slow, &watch));
	assert_int_equal(pthread_create(&thread, NULL, downloads, &slow), 0);
	await(has_begun);
	loop_fd_free(watch);
	/* as many turns as all of it would have taken */
	assert_ok(
	    rig_turns(&desk.bench.rig, 4 * (unsigned)(all / CLI_SLICE_OCTETS)));
	assert_int_equal(write(slow.go_on[1], "", 1), 1);
	await(nobody_is_there);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(slow.begun[0]);
	close(slow.begun[1]);
	close(slow.go_on[0]);
	close(slow.go_on[1]);
	assert_true(slow.whole);
	assert_true(slow.octets > all); /* the start is in it, too */
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_first_start_makes_the_key_and_no_other_does),
	    TEST(who_says_nothing_has_two_minutes),
	    TEST(a_port_that_somebody_has_is_refused_and_the_old_one_serves),
	    TEST(an_address_that_is_another_machines_is_refused),
	    TEST(while_it_is_stopped_any_place_may_be_set),
	    TEST(what_is_no_place_is_refused),
	    TEST(a_download_waits_for_whoever_takes_it_slowly),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
