/*
 * What the limit programs share: clocks, an end with a word, sockets of the
 * loopback, and throw-away credentials made in memory (one CA, one server, one
 * client certificate).
 *
 * A limit program does one thing a server must do and nothing else, as well as
 * this machine can. A server's own cost is read as a ratio to it, taken in the
 * same run: absolute numbers from two machines, or from one shared machine at
 * two times, say nothing about each other.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

uint64_t clock_ns(clockid_t id);
uint64_t now_ns(void);

/* One line to standard error, exit code 1. */
void
die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A listener of the loopback at a free port, and where it is. */
int listen_somewhere(struct sockaddr_in *address);

/* What is written is sent at once. */
void no_delay(int fd);

struct credential {
	EVP_PKEY *key;
	X509 *certificate;
};

struct pki {
	struct credential ca, server, client;
};

/* RSA-2048 or ECDSA P-256, signed with SHA-256. */
void pki_make(struct pki *p, bool ecdsa);

/*
 * version  TLS1_2_VERSION or TLS1_3_VERSION: that one and no other
 * ahead    read ahead: one read() for a record instead of two
 * resume   sessions may be resumed
 *
 * Both sides ask for the other's certificate.
 */
SSL_CTX *pki_context(
    const struct pki *p, bool is_server, int version, bool ahead, bool resume);

#endif
