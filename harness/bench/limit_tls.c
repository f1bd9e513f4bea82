/*
 * limit_tls: the ceiling of a request/answer service on this machine.
 *
 * A server process answers a request of fixed size with an answer of fixed
 * size and does nothing else: no parsing, no lock, no disk, one thread, epoll
 * and OpenSSL. A load process keeps every connection busy at depth 1.
 *
 *   limit_tls [-v 1.2|1.3] [-k rsa|ecdsa] [-m ping|full|resume] [-c 32]
 *             [-t seconds] [-q octets asked] [-r octets answered] [-a]
 *
 *   -m ping    the connections stay; their handshakes are not measured
 *   -m full    each request on a fresh connection, with a full handshake
 *   -m resume  the same with the last session resumed
 *   -a         read ahead
 *
 * One line of key=value pairs. server_us and client_us are CPU time of either
 * process for each request: what other programs on a shared machine disturb
 * least.
 */
#include "bench.h"
#include "touchstone/hist.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS = 64, RECORD_OCTETS = 16384 };

enum mode { PING, FULL, RESUME };

static struct {
	const char *version, *key, *mode_word;
	enum mode mode;
	int connections, asked, answered;
	bool ahead;
	double seconds;
} o = {"1.3", "rsa", "ping", PING, 32, 200, 200, false, 2};

static struct sockaddr_in address;
static char zeros[RECORD_OCTETS];

/* Octets read, 0: none now, -1: closed. */
static int
read_some(SSL *ssl, char *to)
{
	int n = SSL_read(ssl, to, RECORD_OCTETS);

	if (n > 0)
		return n;
	return SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ ? 0 : -1;
}

/* At depth 1 the socket's buffer is empty: all of it goes, or it is closed. */
static bool
write_all(SSL *ssl, int octets)
{
	return SSL_write(ssl, zeros, octets) == octets;
}

/* --- the server ------------------------------------------------------------
 */

struct served {
	int fd, got;
	bool up;
	SSL *ssl;
};

static void
served_close(struct served *s)
{
	SSL_free(s->ssl);
	close(s->fd);
	free(s);
	ERR_clear_error();
}

/* false: closed */
static bool
served_shake(struct served *s)
{
	int n = SSL_accept(s->ssl);

	s->up = n == 1;
	if (s->up || SSL_get_error(s->ssl, n) == SSL_ERROR_WANT_READ)
		return true;
	served_close(s);
	return false;
}

static void
served_ready(struct served *s)
{
	char octets[RECORD_OCTETS];
	int n;

	if (!s->up && (!served_shake(s) || !s->up || !SSL_has_pending(s->ssl)))
		return;
	do {
		n = read_some(s->ssl, octets);
		for (s->got += n > 0 ? n : 0; s->got >= o.asked;
		     s->got -= o.asked)
			if (!write_all(s->ssl, o.answered))
				n = -1;
		if (n < 0) {
			served_close(s);
			return;
		}
		/* level-triggered: the next request wakes us again */
	} while (n > 0 && SSL_has_pending(s->ssl));
}

static void
serve_new(int listener, int poller, SSL_CTX *ctx)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct served *s;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	no_delay(fd);
	s = calloc(1, sizeof *s);
	if (s == NULL)
		die("out of memory");
	s->fd = fd;
	s->ssl = SSL_new(ctx);
	SSL_set_fd(s->ssl, fd);
	e.data.ptr = s;
	epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
}

static void
serve(int listener, SSL_CTX *ctx)
{
	int poller = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = {.events = EPOLLIN}, ready[EVENTS];

	fcntl(listener, F_SETFL, O_NONBLOCK);
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		int n = epoll_wait(poller, ready, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (ready[i].data.ptr == NULL)
				serve_new(listener, poller, ctx);
			else
				served_ready(ready[i].data.ptr);
		}
	}
}

/* --- the load --------------------------------------------------------------
 */

struct asking {
	int fd, got;
	bool up;
	SSL *ssl;
	SSL_SESSION *session;
	uint64_t since_ns;
};

static struct {
	SSL_CTX *ctx;
	int poller;
	struct asking *all;
	struct hist took;
	uint64_t resumed;
} load;

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct asking *a = SSL_get_app_data(ssl);

	SSL_SESSION_free(a->session);
	a->session = session;
	return 1;
}

static void
asking_close(struct asking *a)
{
	struct linger at_once = {.l_onoff = 1};

	/* reset: no TIME_WAIT, which would use up the ports */
	setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	SSL_set_shutdown(a->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(a->ssl);
	close(a->fd);
}

static void
asking_ask(struct asking *a)
{
	a->got = 0;
	if (!write_all(a->ssl, o.asked))
		die("the server closed the connection");
}

/* Is the connection up, now or before? */
static bool
asking_shake(struct asking *a)
{
	int n;

	if (a->up)
		return true;
	n = SSL_connect(a->ssl);
	if (n != 1 && SSL_get_error(a->ssl, n) != SSL_ERROR_WANT_READ)
		die("the handshake failed");
	if (n != 1)
		return false;
	a->up = true;
	load.resumed += SSL_session_reused(a->ssl) == 1;
	return true;
}

static void
asking_open(struct asking *a)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = a};

	a->since_ns = now_ns();
	a->got = 0;
	a->up = false;
	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(a->fd, (struct sockaddr *)&address, sizeof address) != 0)
		die("connect: %s", strerror(errno));
	fcntl(a->fd, F_SETFL, O_NONBLOCK);
	no_delay(a->fd);
	a->ssl = SSL_new(load.ctx);
	SSL_set_fd(a->ssl, a->fd);
	SSL_set_app_data(a->ssl, a);
	if (o.mode == RESUME && a->session != NULL)
		SSL_set_session(a->ssl, a->session);
	SSL_set_connect_state(a->ssl);
	epoll_ctl(load.poller, EPOLL_CTL_ADD, a->fd, &e);
	/* the first flight; on a busy machine the answers may be there already
	 */
	if (asking_shake(a) && o.mode != PING)
		asking_ask(a);
}

/* Is all of an answer there? */
static bool
asking_answered(struct asking *a)
{
	char octets[RECORD_OCTETS];
	int n;

	while ((n = read_some(a->ssl, octets)) > 0)
		a->got += n;
	if (n < 0)
		die("the server closed the connection");
	return a->got >= o.answered;
}

static void
took(struct asking *a)
{
	uint64_t at_ns = now_ns();

	hist_add(&load.took, at_ns - a->since_ns);
	a->since_ns = at_ns;
}

static void
asking_ready(struct asking *a)
{
	bool was_up = a->up;

	if (!asking_shake(a))
		return;
	if (!was_up) {
		if (o.mode != PING)
			asking_ask(a);
		return;
	}
	if (!asking_answered(a))
		return;
	took(a);
	if (o.mode != PING) {
		asking_close(a);
		asking_open(a);
	} else {
		asking_ask(a);
	}
}

static void
run_until(uint64_t end_ns, bool shaking_only)
{
	struct epoll_event ready[EVENTS];
	int up = 0;

	while (shaking_only ? up < o.connections : now_ns() < end_ns) {
		int n = epoll_wait(load.poller, ready, EVENTS, 100);

		for (int i = 0; i < n; i++)
			asking_ready(ready[i].data.ptr);
		up = 0;
		for (int i = 0; shaking_only && i < o.connections; i++)
			up += load.all[i].up;
	}
}

static void
report(pid_t server)
{
	clockid_t clock;
	uint64_t start_ns, server_ns, client_ns;
	double n, seconds;

	if (clock_getcpuclockid(server, &clock) != 0)
		die("no clock of the server");
	for (int i = 0; i < o.connections; i++)
		asking_open(&load.all[i]);
	if (o.mode == PING)
		run_until(0, true);
	hist_init(&load.took);
	load.resumed = 0;
	start_ns = now_ns();
	server_ns = clock_ns(clock);
	client_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; o.mode == PING && i < o.connections; i++) {
		load.all[i].since_ns = start_ns;
		asking_ask(&load.all[i]);
	}
	run_until(start_ns + (uint64_t)(o.seconds * 1e9), false);
	server_ns = clock_ns(clock) - server_ns;
	client_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - client_ns;
	seconds = (double)(now_ns() - start_ns) / 1e9;
	n = (double)load.took.count;
	if (n == 0)
		die("nothing was answered");
	if (o.mode == RESUME && (double)load.resumed < 0.9 * n)
		die("only %llu sessions were resumed",
		    (unsigned long long)load.resumed);
	printf(
	    "tls=%s key=%s mode=%s connections=%d ahead=%d n=%.0f per_s=%.0f "
	    "service_p50_us=%.1f service_p99_us=%.1f server_us=%.3f "
	    "client_us=%.3f\n",
	    o.version, o.key, o.mode_word, o.connections, o.ahead, n,
	    n / seconds, (double)hist_percentile_ns(&load.took, 50) / 1e3,
	    (double)hist_percentile_ns(&load.took, 99) / 1e3,
	    (double)server_ns / 1e3 / n, (double)client_ns / 1e3 / n);
}

/* ---------------------------------------------------------------------------
 */

static void
options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "v:k:m:c:t:q:r:a")) != -1) {
		switch (c) {
		case 'v':
			o.version = optarg;
			break;
		case 'k':
			o.key = optarg;
			break;
		case 'm':
			o.mode_word = optarg;
			break;
		case 'c':
			o.connections = atoi(optarg);
			break;
		case 't':
			o.seconds = atof(optarg);
			break;
		case 'q':
			o.asked = atoi(optarg);
			break;
		case 'r':
			o.answered = atoi(optarg);
			break;
		case 'a':
			o.ahead = true;
			break;
		default:
			exit(2);
		}
	}
	o.mode = strcmp(o.mode_word, "full") == 0     ? FULL
		 : strcmp(o.mode_word, "resume") == 0 ? RESUME
						      : PING;
	if (o.connections < 1 || o.seconds <= 0 || o.asked < 1 ||
	    o.asked > RECORD_OCTETS || o.answered < 1 ||
	    o.answered > RECORD_OCTETS)
		die("an option is out of its range");
}

int
main(int argc, char **argv)
{
	struct pki pki = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
	SSL_CTX *server_ctx;
	pid_t server;
	int listener, version;

	options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	version =
	    strcmp(o.version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
	pki_make(&pki, strcmp(o.key, "ecdsa") == 0);
	server_ctx =
	    pki_context(&pki, true, version, o.ahead, o.mode == RESUME);
	load.ctx = pki_context(&pki, false, version, o.ahead, o.mode == RESUME);
	SSL_CTX_sess_set_new_cb(load.ctx, keep_session);
	listener = listen_somewhere(&address);
	server = fork();
	if (server < 0)
		die("fork: %s", strerror(errno));
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener, server_ctx);
	}
	close(listener);
	load.poller = epoll_create1(EPOLL_CLOEXEC);
	load.all = calloc((size_t)o.connections, sizeof *load.all);
	if (load.all == NULL)
		die("out of memory");
	report(server);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
