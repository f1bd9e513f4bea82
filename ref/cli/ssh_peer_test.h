/*
 * For the tests of ssh.c: both ends of one connection. The thread under test
 * has one; a client, in a thread of its own, the other; and the caller's thread
 * is the loop, whose session says to each line what it is told to say.
 *
 *	user "bob", password "right"   is let in; others see "No."
 *	line "fail"                    a command that fails
 *	line "exit"                    the session ends
 *	any other line                 "=" and the line, and it went well
 */
#ifndef CLI_SSH_PEER_TEST_H
#define CLI_SSH_PEER_TEST_H

#include <errno.h>
#include <libssh/libssh.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/ssh.h"
#include "crypto/ossl.h"

enum {
	HOST_QUESTIONS = PEER_GONE + 1,
	HOST_ASKS_OCTETS = 1024 * 1024,
	/* libssh's client may wait for a connection that it has closed */
	CLIENT_TIMEOUT_S = 30,
};

struct host {
	struct queue *asks;
	struct ssh_peer *peer;
	unsigned asked[HOST_QUESTIONS];
	bool over; /* the session has ended */
};

typedef void host_client_fn(unsigned port, void *ctx);

struct host_client {
	host_client_fn *run;
	unsigned port;
	void *ctx;
};

static inline void
host_say(struct host *host, enum cli_mark mark, const char *text)
{
	if (ssh_peer_say(host->peer, mark, bytes_of_text(text)) != OK)
		ssh_peer_cut(host->peer);
}

static inline void
host_end(struct host *host)
{
	host->over = true;
	ssh_peer_end(host->peer);
}

static inline void
host_hear_line(struct host *host, struct bytes line)
{
	if (bytes_equal_text(line, "exit")) {
		host_say(host, CLI_END, "0");
		host_say(host, CLI_BYE, "");
		host_end(host);
		return;
	}
	if (bytes_equal_text(line, "fail")) {
		host_say(host, CLI_END, "1");
	} else {
		if (ssh_peer_say(host->peer, CLI_SAY, line) != OK)
			ssh_peer_cut(host->peer);
		host_say(host, CLI_END, "0");
	}
	host_say(host, CLI_PROMPT, "host# ");
}

static inline void
host_log_in(struct host *host, struct bytes text)
{
	static const uint8_t right[] = "bob\0right";
	static const struct bytes login = {right, sizeof(right) - 1};
	bool welcome = bytes_equal(text, login);

	if (ssh_peer_answer(host->peer, welcome, welcome ? "" : "No.") != OK)
		ssh_peer_cut(host->peer);
}

static inline void
host_hear(struct host *host, const struct message *message)
{
	host->asked[message->kind]++;
	switch ((enum peer_question)message->kind) {
	case PEER_LOGIN:
		host_log_in(host, message_text(message));
		break;
	case PEER_SESSION:
		host_say(host, CLI_PROMPT, "host# ");
		break;
	case PEER_LINE:
		if (!host->over)
			host_hear_line(host, message_text(message));
		break;
	case PEER_COMPLETE:
		host_say(host, CLI_COMPLETE, "");
		break;
	case PEER_BREAK:
		host_say(host, CLI_PROMPT, "host# ");
		break;
	case PEER_ROOM:
		break;
	case PEER_OVER:
		host_end(host);
		break;
	case PEER_GONE:
		break;
	}
}

static inline void *
host_client_thread(void *ctx)
{
	struct host_client *client = ctx;

	client->run(client->port, client->ctx);
	return NULL;
}

/* Where the client finds it. */
static inline enum err
host_listen(int *fd, unsigned *port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t octets = sizeof(at);

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(*fd, 1) != 0 ||
	    getsockname(*fd, (struct sockaddr *)&at, &octets) != 0)
		return ERR_SYSTEM;
	*port = ntohs(at.sin_port);
	return OK;
}

/*
 * One connection, from its beginning until both ends are gone.
 *
 * What ssh_hostkey_make and ssh_peer_new return.
 */
static inline enum err
host_serve(struct host *host, host_client_fn *run, void *ctx)
{
	struct host_client client = {.run = run, .ctx = ctx};
	struct ssh_peer_config config = {.from = host};
	struct secret *key = NULL;
	struct message *message;
	pthread_t thread;
	int fd = -1;
	enum err rc = OK;

	memset(host, 0, sizeof(*host));
	TRY(ossl_init());
	TRY(ssh_hostkey_make(&key));
	TRY(queue_new(HOST_ASKS_OCTETS, &host->asks));
	TRY(host_listen(&fd, &client.port));
	if (pthread_create(&thread, NULL, host_client_thread, &client) != 0)
		abort();
	do {
		config.fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	} while (config.fd < 0 && errno == EINTR); /* a fuzzer's clock */
	config.key = secret_peek(key);
	config.asks = host->asks;
	rc = ssh_peer_new(&config, &host->peer);
	while (rc == OK && host->asked[PEER_GONE] == 0) {
		struct pollfd poll_fd = {
		    .fd = queue_fd(host->asks), .events = POLLIN};

		(void)poll(&poll_fd, 1, -1);
		while ((message = queue_take(host->asks)) != NULL) {
			host_hear(host, message);
			message_free(message);
		}
	}
	if (rc == OK)
		ssh_peer_cut(host->peer);
	ssh_peer_free(host->peer);
	host->peer = NULL;
	(void)pthread_join(thread, NULL);
out:
	if (fd >= 0)
		close(fd);
	queue_free(host->asks);
	secret_free(key);
	return rc;
}

/* ---- for clients ---- */

/* After the key exchange; NULL: there was none. */
static inline ssh_session
client_open(unsigned port)
{
	static const bool no = false;
	static const long timeout_s = CLIENT_TIMEOUT_S;
	ssh_session session = ssh_new();

	if (session == NULL)
		abort();
	if (ssh_options_set(session, SSH_OPTIONS_HOST, "127.0.0.1") != SSH_OK ||
	    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) !=
		SSH_OK ||
	    ssh_options_set(session, SSH_OPTIONS_PORT, &port) != SSH_OK ||
	    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &timeout_s) != SSH_OK)
		abort();
	if (ssh_connect(session) == SSH_OK)
		return session;
	fprintf(stderr, "no connection: %s\n", ssh_get_error(session));
	ssh_free(session);
	return NULL;
}

static inline void
client_close(ssh_session session)
{
	if (session == NULL)
		return;
	ssh_disconnect(session);
	ssh_free(session);
}

/* What is under way goes on when something comes; false: nothing will. */
static inline bool
client_wait(ssh_session session)
{
	struct pollfd fd = {.fd = ssh_get_fd(session), .events = POLLIN};

	return fd.fd >= 0 && ssh_is_connected(session) && poll(&fd, 1, -1) > 0;
}

/* NULL: without one. SSH_AUTH_ERROR: the connection has ended. */
static inline int
client_log_in(ssh_session session, const char *name, const char *password)
{
	int got;

	ssh_set_blocking(session, 0);
	do {
		got = password != NULL
			  ? ssh_userauth_password(session, name, password)
			  : ssh_userauth_none(session, name);
	} while (got == SSH_AUTH_AGAIN && client_wait(session));
	ssh_set_blocking(session, 1);
	return got == SSH_AUTH_AGAIN ? SSH_AUTH_ERROR : got;
}

/* Without SSH. */
static inline int
client_connect(unsigned port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		abort();
	return fd;
}

#endif
