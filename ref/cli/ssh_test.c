#include "cli/ssh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/ssh_peer_test.h"

enum { PATIENCE_S = 60, SEEN_OCTETS = 64 * 1024 };

/* ---- clients: each fills in what it saw, which is looked at afterwards ----
 */

struct sight {
	/* what to do */
	const char *command; /* NULL: a shell */
	const char *typed;
	/* what came of it */
	int logged_in;
	bool session; /* there was one */
	char seen[SEEN_OCTETS];
	int status;
	char *banner;
};

static int
log_in(ssh_session session, const char *password)
{
	return client_log_in(session, "bob", password);
}

static void
look(ssh_channel channel, struct sight *sight)
{
	size_t octets = 0;
	int got;

	while ((got = ssh_channel_read(channel, sight->seen + octets,
		    (uint32_t)(sizeof(sight->seen) - 1 - octets), 0)) > 0)
		octets += (size_t)got;
	sight->seen[octets] = '\0';
	sight->status = ssh_channel_get_exit_status(channel);
}

static void
one_session(unsigned port, void *ctx)
{
	struct sight *sight = ctx;
	ssh_session session = client_open(port);
	ssh_channel channel = NULL;

	if (session == NULL)
		return;
	sight->logged_in = log_in(session, "right");
	channel = ssh_channel_new(session);
	if (ssh_channel_open_session(channel) == SSH_OK &&
	    (sight->command != NULL
		    ? ssh_channel_request_exec(channel, sight->command)
		    : ssh_channel_request_shell(channel)) == SSH_OK) {
		sight->session = true;
		(void)ssh_channel_write(
		    channel, sight->typed, (uint32_t)strlen(sight->typed));
		(void)ssh_channel_send_eof(channel);
		look(channel, sight);
	}
	ssh_channel_free(channel);
	client_close(session);
}

/* ---- tests ---- */

static struct host host;

static int
set_up(void **state)
{
	(void)state;
	(void)alarm(PATIENCE_S);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)alarm(0);
	return 0;
}

static void
serve(host_client_fn *run, void *ctx)
{
	assert_int_equal(host_serve(&host, run, ctx), OK);
}

/* req: KS-02-006 */
static void
what_is_given_is_run_and_its_status_told(void **state)
{
	static const struct {
		struct sight does;
		const char *seen;
		int status;
	} rows[] = {
	    {{.command = "one\ntwo", .typed = ""}, "one\ntwo\n", 0},
	    {{.command = "one\nfail\ntwo", .typed = ""}, "one\n", 1},
	    {{.command = "exit\none", .typed = ""}, "", 0},
	    {{.command = NULL, .typed = "one\ntwo\n"}, "one\ntwo\n", 0},
	    {{.command = NULL, .typed = "one\nfail\ntwo\n"}, "one\n", 1},
	    {{.command = NULL, .typed = "exit\none\n"}, "", 0},
	};
	static struct sight sight;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		sight = rows[k].does;
		serve(one_session, &sight);
		assert_int_equal(sight.logged_in, SSH_AUTH_SUCCESS);
		assert_true(sight.session);
		assert_string_equal(sight.seen, rows[k].seen);
		assert_int_equal(sight.status, rows[k].status);
		assert_int_equal(host.asked[PEER_LOGIN], 1);
		assert_int_equal(host.asked[PEER_SESSION], 1);
	}
}

static void
guess(unsigned port, void *ctx)
{
	struct sight *sight = ctx;
	ssh_session session = client_open(port);
	unsigned k;

	if (session == NULL)
		return;
	for (k = 0; k < PEER_TRIES_MAX; k++)
		(void)log_in(session, "wrong");
	sight->banner = ssh_get_issue_banner(session);
	/* one more, and it is the right one */
	sight->logged_in = log_in(session, "right");
	client_close(session);
}

/* req: KS-15-018 */
static void
so_many_passwords_are_taken_and_no_more(void **state)
{
	struct sight sight = {.logged_in = SSH_AUTH_SUCCESS};

	(void)state;
	serve(guess, &sight);
	assert_int_not_equal(sight.logged_in, SSH_AUTH_SUCCESS);
	assert_int_equal(host.asked[PEER_LOGIN], PEER_TRIES_MAX);
	assert_int_equal(host.asked[PEER_SESSION], 0);
	assert_non_null(sight.banner);
	assert_non_null(strstr(sight.banner, "No."));
	ssh_string_free_char(sight.banner);
}

static void
enter_without_a_password(unsigned port, void *ctx)
{
	struct sight *sight = ctx;
	ssh_session session = client_open(port);
	ssh_channel channel;

	if (session == NULL)
		return;
	sight->logged_in = client_log_in(session, "bob", NULL);
	channel = ssh_channel_new(session);
	sight->session =
	    channel != NULL && ssh_channel_open_session(channel) == SSH_OK;
	ssh_channel_free(channel);
	client_close(session);
}

static void
without_a_password_there_is_no_session(void **state)
{
	struct sight sight = {.logged_in = SSH_AUTH_SUCCESS, .session = true};

	(void)state;
	serve(enter_without_a_password, &sight);
	assert_int_equal(sight.logged_in, SSH_AUTH_DENIED);
	assert_false(sight.session);
	assert_int_equal(host.asked[PEER_LOGIN], 0);
	assert_int_equal(host.asked[PEER_SESSION], 0);
}

struct refusals {
	int second_channel, subsystem, forward, listen, second_exec, exec;
	struct sight sight;
};

static void
ask_for_more(unsigned port, void *ctx)
{
	struct refusals *got = ctx;
	ssh_session session = client_open(port);
	ssh_channel channel, other;

	if (session == NULL)
		return;
	got->sight.logged_in = log_in(session, "right");
	other = ssh_channel_new(session);
	got->forward =
	    ssh_channel_open_forward(other, "192.0.2.1", 22, "127.0.0.1", 22);
	ssh_channel_free(other);
	got->listen = ssh_channel_listen_forward(session, NULL, 2222, NULL);
	channel = ssh_channel_new(session);
	if (ssh_channel_open_session(channel) == SSH_OK) {
		other = ssh_channel_new(session);
		got->second_channel = ssh_channel_open_session(other);
		ssh_channel_free(other);
		got->subsystem = ssh_channel_request_sftp(channel);
		got->exec = ssh_channel_request_exec(channel, "one");
		got->second_exec = ssh_channel_request_exec(channel, "two");
		look(channel, &got->sight);
	}
	ssh_channel_free(channel);
	client_close(session);
}

static void
one_session_is_to_be_had_and_nothing_else(void **state)
{
	static struct refusals got;

	(void)state;
	memset(&got, 0, sizeof(got));
	serve(ask_for_more, &got);
	assert_int_equal(got.sight.logged_in, SSH_AUTH_SUCCESS);
	assert_int_not_equal(got.forward, SSH_OK);
	assert_int_not_equal(got.listen, SSH_OK);
	assert_int_not_equal(got.second_channel, SSH_OK);
	assert_int_not_equal(got.subsystem, SSH_OK);
	assert_int_equal(got.exec, SSH_OK);
	assert_int_not_equal(got.second_exec, SSH_OK);
	assert_string_equal(got.sight.seen, "one\n");
	assert_int_equal(host.asked[PEER_SESSION], 1);
	assert_int_equal(host.asked[PEER_LINE], 1);
}

static void
ask_and_ask(unsigned port, void *ctx)
{
	unsigned *refused = ctx;
	ssh_session session = client_open(port);

	if (session == NULL)
		return;
	while (*refused <= 2 * PEER_REQUESTS_MAX &&
	       client_log_in(session, "bob", NULL) == SSH_AUTH_DENIED)
		(*refused)++;
	client_close(session);
}

static void
who_asks_for_other_things_all_the_time_is_cut_off(void **state)
{
	unsigned refused = 0;

	(void)state;
	serve(ask_and_ask, &refused);
	assert_in_range(refused, PEER_REQUESTS_MAX / 2, PEER_REQUESTS_MAX + 1);
	assert_int_equal(host.asked[PEER_LOGIN], 0);
}

static void
talk_nonsense(unsigned port, void *ctx)
{
	static const char words[] = "GET / HTTP/1.1\r\n\r\n";
	int fd = client_connect(port);
	char heard[256];

	(void)ctx;
	(void)!write(fd, words, sizeof(words) - 1);
	(void)shutdown(fd, SHUT_WR);
	while (read(fd, heard, sizeof(heard)) > 0)
		;
	close(fd);
}

static void
what_is_no_ssh_ends_at_once(void **state)
{
	(void)state;
	serve(talk_nonsense, NULL);
	assert_int_equal(host.asked[PEER_LOGIN], 0);
	assert_int_equal(host.asked[PEER_GONE], 1);
}

/* ---- host keys ---- */

static void
a_host_key_is_made_and_known_again(void **state)
{
	struct secret *one = NULL, *other = NULL;
	uint8_t bad[HOSTKEY_OCTETS + 1];
	struct bytes key;

	(void)state;
	assert_int_equal(ossl_init(), OK);
	assert_int_equal(ssh_hostkey_make(&one), OK);
	if (ssh_hostkey_make(&other) != OK) {
		secret_free(one);
		fail();
	}
	key = secret_peek(one);
	assert_true(key.octets <= HOSTKEY_OCTETS);
	assert_true(ssh_hostkey_is_valid(key));
	assert_false(secret_equal(one, other));
	/* its refused twins */
	memset(bad, 0, sizeof(bad));
	memcpy(bad, key.at, key.octets);
	assert_false(ssh_hostkey_is_valid((struct bytes){bad, key.octets / 2}));
	assert_false(ssh_hostkey_is_valid((struct bytes){bad, sizeof(bad)}));
	assert_false(ssh_hostkey_is_valid(BYTES_NONE));
	assert_false(ssh_hostkey_is_valid(bytes_of_text("ssh-ed25519 AAAA")));
	bad[key.octets / 2] ^= 1;
	assert_false(ssh_hostkey_is_valid((struct bytes){bad, key.octets}));
	secret_free(one);
	secret_free(other);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_given_is_run_and_its_status_told),
	    TEST(so_many_passwords_are_taken_and_no_more),
	    TEST(without_a_password_there_is_no_session),
	    TEST(one_session_is_to_be_had_and_nothing_else),
	    TEST(who_asks_for_other_things_all_the_time_is_cut_off),
	    TEST(what_is_no_ssh_ends_at_once),
	    TEST(a_host_key_is_made_and_known_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
