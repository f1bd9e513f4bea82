#include "tls.h"

#include "arena.h"
#include "hex.h"
#include "mem.h"
#include "target.h"
#include "ttlv.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct door {
	const struct target *target;
	const struct identity *identity; /* NULL: plain, without ctx */
	const char *host;
	int64_t port;
	SSL_CTX *ctx;
	struct addrinfo *address; /* of link_begin(); NULL: not looked up */
};

struct link {
	const struct door *door;
	SSL *ssl; /* NULL: plain */
	int fd;
	int64_t deadline_ms;
	SSL_SESSION *session; /* of links that do not wait: the newest */
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* OpenSSL's own words for the last thing that went wrong. */
static const char *
openssl_words(void)
{
	static char text[256];
	unsigned long e = ERR_peek_last_error();

	if (e == 0)
		return "no reason given";
	snprintf(text, sizeof text, "%s",
	    ERR_reason_error_string(e) == NULL ? "unknown"
					       : ERR_reason_error_string(e));
	return text;
}

static enum err
load_identity(struct door *d, struct fault *f)
{
	const struct identity *id = d->identity;
	const char *bad = NULL;

	if (SSL_CTX_use_certificate_chain_file(d->ctx, id->certificate) != 1)
		bad = id->certificate;
	else if (SSL_CTX_use_PrivateKey_file(
		     d->ctx, id->key, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(d->ctx) != 1)
		bad = id->key;
	else if (SSL_CTX_load_verify_locations(d->ctx, id->ca, NULL) != 1)
		bad = id->ca;
	if (bad != NULL)
		return fault_say(f, ERR_OPEN, "identity %s: %s: %s", id->name,
		    bad, openssl_words());
	return OK;
}

static enum err
set_versions(struct door *d, struct fault *f)
{
	const char *word = d->target->tls_version;
	int low = TLS1_2_VERSION, high = TLS1_3_VERSION;

	if (word != NULL && strcmp(word, "1.2") == 0)
		high = TLS1_2_VERSION;
	else if (word != NULL && strcmp(word, "1.3") == 0)
		low = TLS1_3_VERSION;
	else if (word != NULL)
		return fault_say(f, ERR_SYNTAX, "tls-version is 1.2 or 1.3");
	SSL_CTX_set_min_proto_version(d->ctx, low);
	SSL_CTX_set_max_proto_version(d->ctx, high);
	return OK;
}

static enum err
prepare_tls(struct door *d, struct fault *f)
{
	enum err rc = OK;

	d->ctx = SSL_CTX_new(TLS_client_method());
	if (d->ctx == NULL) {
		rc = fault_say(f, ERR_NOMEM, "%s", openssl_words());
		goto out;
	}
	ERR_clear_error();
	TRY(set_versions(d, f));
	TRY(load_identity(d, f));
	SSL_CTX_set_verify(d->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(d->ctx, SSL_MODE_AUTO_RETRY);
out:
	return rc;
}

static enum err
new_door(const struct target *t, const struct identity *id, const char *host,
    int64_t port, struct door **out, struct fault *f)
{
	struct door *d = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(d));
	d->target = t;
	d->identity = id;
	d->host = host;
	d->port = port;
	if (id != NULL)
		TRY(prepare_tls(d, f));
	*out = d;
	d = NULL;
out:
	door_free(d);
	return rc;
}

enum err
door_new(const struct target *t, const struct identity *id, struct door **out,
    struct fault *f)
{
	return new_door(t, id, t->host, t->port, out, f);
}

enum err
door_new_nae(const struct target *t, const struct identity *id,
    struct door **out, struct fault *f)
{
	return new_door(
	    t, t->nae_tls ? id : NULL, t->nae_host, t->nae_port, out, f);
}

void
door_free(struct door *d)
{
	if (d == NULL)
		return;
	SSL_CTX_free(d->ctx);
	if (d->address != NULL)
		freeaddrinfo(d->address);
	mem_free(d);
}

/* Wait until the socket can be read or written; ERR_TIMEOUT at the deadline. */
static enum err
wait_for(struct link *l, short events)
{
	struct pollfd p = {.fd = l->fd, .events = events};
	int64_t left;
	int n;

	do {
		left = l->deadline_ms - now_ms();
		if (left <= 0)
			return ERR_TIMEOUT;
		n = poll(&p, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? OK : ERR_TIMEOUT;
}

/* What OpenSSL wants before it goes on: OK to try again. */
static enum err
wait_for_ssl(struct link *l, int result)
{
	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(l, POLLIN);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(l, POLLOUT);
	default:
		return ERR_CLOSED;
	}
}

static enum err
connect_one(struct link *l, const struct addrinfo *to)
{
	socklen_t size = sizeof(int);
	int on = 1, broken = 0;
	enum err rc;

	l->fd = socket(to->ai_family,
	    to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	if (l->fd < 0)
		return ERR_CONNECT;
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(l->fd, to->ai_addr, to->ai_addrlen) == 0)
		return OK;
	if (errno != EINPROGRESS)
		return ERR_CONNECT;
	rc = wait_for(l, POLLOUT);
	if (rc != OK)
		return rc;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &broken, &size) != 0 ||
	    broken != 0) {
		errno = broken;
		return ERR_CONNECT;
	}
	return OK;
}

static enum err
connect_any(struct link *l, struct fault *f)
{
	const char *host = l->door->host;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char port[8];
	enum err rc = ERR_CONNECT;
	int n;

	snprintf(port, sizeof port, "%u", (unsigned)l->door->port);
	n = getaddrinfo(host, port, &hints, &list);
	if (n != 0)
		return fault_say(
		    f, ERR_CONNECT, "%s: %s", host, gai_strerror(n));
	for (struct addrinfo *to = list; to != NULL && rc != OK;
	     to = to->ai_next) {
		if (l->fd >= 0)
			close(l->fd);
		rc = connect_one(l, to);
	}
	if (rc != OK)
		rc = fault_say(f, rc, "%s port %s: %s", host, port,
		    rc == ERR_TIMEOUT ? err_text(rc) : strerror(errno));
	freeaddrinfo(list);
	return rc;
}

static enum err
shake_hands(struct link *l, struct fault *f)
{
	long verified;
	enum err rc = OK;
	int n;

	ERR_clear_error();
	while ((n = SSL_connect(l->ssl)) != 1) {
		rc = wait_for_ssl(l, n);
		if (rc != OK)
			break;
	}
	if (rc == ERR_TIMEOUT)
		return fault_say(f, rc, "TLS handshake: no answer in time");
	verified = SSL_get_verify_result(l->ssl);
	if (rc != OK && verified != X509_V_OK)
		return fault_say(f, ERR_HANDSHAKE,
		    "TLS handshake: we refuse the server's certificate: %s",
		    X509_verify_cert_error_string(verified));
	if (rc != OK)
		return fault_say(f, ERR_HANDSHAKE,
		    "TLS handshake as identity %s: %s", l->door->identity->name,
		    ERR_peek_last_error() == 0 ? "the server closed"
					       : openssl_words());
	return OK;
}

enum err
link_open(struct door *d, struct link **out, struct fault *f)
{
	struct link *l = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(l));
	l->door = d;
	l->fd = -1;
	l->deadline_ms = now_ms() + d->target->connect_timeout_ms;
	TRY(connect_any(l, f));
	if (d->ctx != NULL) {
		l->ssl = SSL_new(d->ctx);
		if (l->ssl == NULL || SSL_set_fd(l->ssl, l->fd) != 1) {
			rc = fault_say(f, ERR_NOMEM, "%s", openssl_words());
			goto out;
		}
		TRY(shake_hands(l, f));
	}
	*out = l;
	l = NULL;
out:
	link_close(l);
	return rc;
}

void
link_close(struct link *l)
{
	if (l == NULL)
		return;
	if (l->ssl != NULL && SSL_is_init_finished(l->ssl))
		SSL_shutdown(l->ssl);
	SSL_free(l->ssl);
	if (l->fd >= 0)
		close(l->fd);
	ERR_clear_error();
	mem_free(l);
}

/* A plain socket would not move: OK to try again. */
static enum err
wait_for_socket(struct link *l, short events)
{
	if (errno == EINTR)
		return OK;
	if (errno != EAGAIN)
		return ERR_CLOSED;
	return wait_for(l, events);
}

static enum err
send_some_plain(struct link *l, const uint8_t *at, size_t octets, size_t *sent)
{
	ssize_t n;
	enum err rc;

	while ((n = send(l->fd, at, octets, MSG_NOSIGNAL)) < 0) {
		rc = wait_for_socket(l, POLLOUT);
		if (rc != OK)
			return rc;
	}
	*sent = (size_t)n;
	return OK;
}

static enum err
send_some(struct link *l, const uint8_t *at, size_t octets, size_t *sent)
{
	enum err rc;
	int n;

	if (l->ssl == NULL)
		return send_some_plain(l, at, octets, sent);
	for (;;) {
		ERR_clear_error();
		n = SSL_write_ex(l->ssl, at, octets, sent);
		if (n == 1)
			return OK;
		rc = wait_for_ssl(l, n);
		if (rc != OK)
			return rc;
	}
}

enum err
link_send(
    struct link *l, struct bytes octets, size_t record_octets, struct fault *f)
{
	l->deadline_ms = now_ms() + l->door->target->answer_timeout_ms;
	while (octets.octets > 0) {
		size_t count = octets.octets, sent = 0;
		enum err rc;

		if (record_octets > 0 && count > record_octets)
			count = record_octets;
		rc = send_some(l, octets.at, count, &sent);
		if (rc != OK)
			return fault_say(f, rc, "sending: %s", err_text(rc));
		octets.at += sent;
		octets.octets -= sent;
	}
	return OK;
}

/* Some octets, at least one and at most `room`. */
static enum err
receive_some(struct link *l, uint8_t *at, size_t room, size_t *got)
{
	enum err rc;
	int n;

	for (;;) {
		if (l->ssl == NULL) {
			ssize_t count = recv(l->fd, at, room, 0);

			*got = count > 0 ? (size_t)count : 0;
			if (count > 0)
				return OK;
			rc = count == 0 ? ERR_CLOSED
					: wait_for_socket(l, POLLIN);
		} else {
			ERR_clear_error();
			n = SSL_read_ex(l->ssl, at, room, got);
			if (n == 1)
				return OK;
			rc = wait_for_ssl(l, n);
		}
		if (rc != OK)
			return rc;
	}
}

/* Exactly so many octets behind what `out` holds. */
static enum err
receive_exactly(struct link *l, size_t octets, struct buf *out)
{
	while (octets > 0) {
		size_t room = octets < 65536 ? octets : 65536, got = 0;
		uint8_t *tail = buf_reserve(out, room);
		enum err rc = receive_some(l, tail, room, &got);

		if (rc != OK)
			return rc;
		out->octets += got;
		octets -= got;
	}
	return OK;
}

enum err
link_receive_more(struct link *l, size_t least, struct buf *out)
{
	l->deadline_ms = now_ms() + l->door->target->answer_timeout_ms;
	while (least > 0) {
		size_t room = least < 65536 ? 65536 : least, got = 0;
		enum err rc =
		    receive_some(l, buf_reserve(out, room), room, &got);

		if (rc != OK)
			return rc;
		out->octets += got;
		least -= got < least ? got : least;
	}
	return OK;
}

bool
link_is_quiet(struct link *l)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	uint8_t octet;
	size_t got;

	if (l->ssl != NULL) {
		int n = SSL_peek_ex(l->ssl, &octet, 1, &got);

		return n != 1 &&
		       SSL_get_error(l->ssl, n) == SSL_ERROR_WANT_READ;
	}
	return poll(&p, 1, 0) == 0;
}

enum err
link_receive(struct link *l, struct buf *out, struct fault *f)
{
	size_t start = out->octets, octets;
	enum err rc = OK;

	l->deadline_ms = now_ms() + l->door->target->answer_timeout_ms;
	TRY(receive_exactly(l, TTLV_HEADER_OCTETS, out));
	TRY(ttlv_message_octets(out->at + start, &octets));
	TRY(receive_exactly(l, octets - TTLV_HEADER_OCTETS, out));
out:
	if (rc != OK)
		rc = fault_say(f, rc, "receiving: %s, after %zu octets",
		    err_text(rc), out->octets - start);
	return rc;
}

char *
tls_sha256(struct arena *a, struct bytes in)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned octets = 0;
	struct buf text = {0};
	char *out;

	if (EVP_Digest(in.at, in.octets, digest, &octets, EVP_sha256(), NULL) !=
	    1)
		octets = 0;
	hex_write((struct bytes){digest, octets}, &text);
	out = arena_strdup(a, buf_peek_text(&text));
	buf_clear(&text);
	return out;
}

/* --- links that never wait ----------------------------------------------- */

/* struct ticket is OpenSSL's session under a name of ours. */
void
ticket_free(struct ticket *t)
{
	SSL_SESSION_free((SSL_SESSION *)t);
}

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct link *l = SSL_get_app_data(ssl);

	if (l == NULL)
		return 0;
	SSL_SESSION_free(l->session);
	l->session = session;
	return 1; /* it is ours now */
}

/* The door's address, and its way of keeping sessions and reading ahead. */
static enum err
prepare(struct door *d, struct fault *f)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char port[8];
	int n;

	if (d->address != NULL)
		return OK;
	snprintf(port, sizeof port, "%u", (unsigned)d->port);
	n = getaddrinfo(d->host, port, &hints, &d->address);
	if (n != 0)
		return fault_say(
		    f, ERR_CONNECT, "%s: %s", d->host, gai_strerror(n));
	SSL_CTX_set_session_cache_mode(
	    d->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(d->ctx, keep_session);
	/* one read() for a record instead of two */
	SSL_CTX_set_read_ahead(d->ctx, 1);
	return OK;
}

static enum err
begin_connect(struct link *l, struct fault *f)
{
	const struct addrinfo *to = l->door->address;
	int on = 1;

	l->fd = socket(to->ai_family,
	    to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	if (l->fd >= 0)
		setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (l->fd >= 0 && (connect(l->fd, to->ai_addr, to->ai_addrlen) == 0 ||
			      errno == EINPROGRESS))
		return OK;
	return fault_say(f, ERR_CONNECT, "%s port %u: %s", l->door->host,
	    (unsigned)l->door->port, strerror(errno));
}

enum err
link_begin(
    struct door *d, struct ticket *resume, struct link **out, struct fault *f)
{
	struct link *l = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(prepare(d, f));
	TRY(MEM_NEW(l));
	l->door = d;
	l->fd = -1;
	TRY(begin_connect(l, f));
	l->ssl = SSL_new(d->ctx);
	if (l->ssl == NULL || SSL_set_fd(l->ssl, l->fd) != 1 ||
	    SSL_set_app_data(l->ssl, l) != 1 ||
	    (resume != NULL &&
		SSL_set_session(l->ssl, (SSL_SESSION *)resume) != 1)) {
		rc = fault_say(f, ERR_NOMEM, "%s", openssl_words());
		goto out;
	}
	SSL_set_connect_state(l->ssl);
	*out = l;
	l = NULL;
out:
	link_drop(l);
	return rc;
}

int
link_descriptor(const struct link *l)
{
	return l->fd;
}

enum err
link_advance(struct link *l, enum link_wish *wish)
{
	int n = SSL_do_handshake(l->ssl);

	*wish = LINK_READY;
	if (n == 1)
		return OK;
	switch (SSL_get_error(l->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		*wish = LINK_WANTS_READ;
		return OK;
	case SSL_ERROR_WANT_WRITE:
		*wish = LINK_WANTS_WRITE;
		return OK;
	default:
		ERR_clear_error();
		return ERR_HANDSHAKE;
	}
}

/* Nothing moved: is that all for now, or for good? */
static enum err
nothing_now(struct link *l, int result)
{
	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return OK;
	default:
		ERR_clear_error();
		return ERR_CLOSED;
	}
}

enum err
link_try_send(struct link *l, struct bytes octets, size_t *sent)
{
	int n;

	*sent = 0;
	n = SSL_write_ex(l->ssl, octets.at, octets.octets, sent);
	return n == 1 ? OK : nothing_now(l, n);
}

enum err
link_try_receive(struct link *l, uint8_t *at, size_t room, size_t *got)
{
	int n;

	*got = 0;
	n = SSL_read_ex(l->ssl, at, room, got);
	return n == 1 ? OK : nothing_now(l, n);
}

bool
link_has_more(const struct link *l)
{
	return SSL_has_pending(l->ssl) == 1;
}

bool
link_is_resumed(const struct link *l)
{
	return SSL_session_reused(l->ssl) == 1;
}

struct ticket *
link_take_ticket(struct link *l)
{
	struct ticket *t = (struct ticket *)l->session;

	l->session = NULL;
	return t;
}

void
link_drop(struct link *l)
{
	struct linger at_once = {.l_onoff = 1};

	if (l == NULL)
		return;
	if (l->fd >= 0)
		setsockopt(
		    l->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	if (l->ssl != NULL)
		/* else freeing would throw the session away as broken */
		SSL_set_shutdown(
		    l->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_SESSION_free(l->session);
	SSL_free(l->ssl);
	if (l->fd >= 0)
		close(l->fd);
	mem_free(l);
}
