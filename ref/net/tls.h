/*
 * TLS 1.2 and 1.3 on non-blocking sockets: the door to OpenSSL's libssl.
 *
 * The server's side only. Sessions are resumed (they are kept in this process).
 * Plaintext does not stay in the library's buffers: a record is wiped when it
 * has been read.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"

struct tls;
struct tls_conn;

/* From memory, in DER; borrowed until tls_new returns. */
struct tls_material {
	const struct bytes *chain; /* our certificate, then those above it */
	size_t chain_count;
	struct bytes key; /* PKCS#8 */
	/* Who may issue clients', roots or not; none: nobody is let in. */
	const struct bytes *trust;
	size_t trust_count;
};

struct tls_config {
	const char *certificate; /* PEM file: ours, then the chain */
	const char *key;         /* PEM file */
	const char *trust;       /* PEM file: who may issue clients' */
	const struct tls_material *material; /* in place of the files, or NULL
					      */
	bool anonymous;      /* clients are not asked for a certificate */
	const char *ciphers; /* TLS 1.2, in OpenSSL's notation */
	const char *suites;  /* TLS 1.3 */
};

/*
 * ERR_CONFIG  a file, a list or some material is not usable; the log says
 *             which and why
 */
enum err tls_new(const struct tls_config *config, struct tls **out) MUST_CHECK;

/* Accepts NULL; connections keep what they need. */
void tls_free(struct tls *tls);

/* What a call that could not go on waits for. */
enum tls_wait { TLS_WAIT_NONE, TLS_WAIT_READ, TLS_WAIT_WRITE };

/* fd is borrowed, non-blocking, and outlives the tls_conn. */
enum err
tls_conn_new(struct tls *tls, int fd, struct tls_conn **out) MUST_CHECK;
void tls_conn_free(struct tls_conn *t); /* accepts NULL */

/*
 * Each of these does what it can: OK with *wait set means "call again when the
 * socket is so", with TLS_WAIT_NONE that it is done.
 *
 * ERR_AUTHENTICATION  the peer's certificate is missing or not good
 * ERR_CLOSED          the peer ended its side in order (reading only: what
 *                     is left can still be written)
 * ERR_SYSTEM          the connection is broken
 * ERR_MESSAGE         the peer does not speak TLS as we do
 *
 * After any other error than a reader's ERR_CLOSED only tls_conn_free() is
 * left; tls_why() says what happened.
 */
enum err tls_accept(struct tls_conn *t, enum tls_wait *wait) MUST_CHECK;

/* *got octets; 0 only when it has to wait. */
enum err tls_read(struct tls_conn *t, uint8_t *at, size_t room_octets,
    size_t *got, enum tls_wait *wait) MUST_CHECK;

/* *put octets of in were taken; the next call begins with those after it. */
enum err tls_write(struct tls_conn *t, struct bytes in, size_t *put,
    enum tls_wait *wait) MUST_CHECK;

/* Octets were received that tls_read has not given out yet. */
bool tls_pending(const struct tls_conn *t);

/* Tell the peer that no more comes; best effort, once. */
void tls_goodbye(struct tls_conn *t);

/* Give back the record buffers until they are needed again. */
void tls_rest(struct tls_conn *t);

/*
 * The peer's certificate, once tls_accept is done; text in UTF-8.
 *
 * name     the subject's only Common Name; NULL: it has none or several, and
 *          is nobody in particular
 * subject  all of it, by RFC 2253; NULL: there is no certificate
 */
enum err
tls_peer(const struct tls_conn *t, char **name, char **subject) MUST_CHECK;

enum tls_field { TLS_UID, TLS_CN, TLS_SURNAME, TLS_EMAIL, TLS_OU };

/*
 * The only value of a field of its subject, in UTF-8, appended.
 *
 * ERR_NOT_FOUND       none, or no certificate
 * ERR_AUTHENTICATION  several, an empty one, or one with a NUL in it
 */
enum err tls_peer_field(
    const struct tls_conn *t, enum tls_field field, struct buf *out) MUST_CHECK;

/* Is this address, "10.0.0.5" or "::1", one of its subjectAltName? */
bool tls_peer_has_address(const struct tls_conn *t, const char *address);

bool tls_resumed(const struct tls_conn *t);
const char *tls_version(const struct tls_conn *t); /* "TLSv1.3"; static */

/* What the last error was, for the log; borrowed until the next call. */
const char *tls_why(const struct tls_conn *t);

#endif
