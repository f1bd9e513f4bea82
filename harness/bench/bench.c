#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

uint64_t
clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("limit: ", stderr);
	vfprintf(stderr, format, args);
	putc('\n', stderr);
	va_end(args);
	ERR_print_errors_fp(stderr);
	exit(1);
}

int
listen_somewhere(struct sockaddr_in *address)
{
	socklen_t octets = sizeof *address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (bind(fd, (struct sockaddr *)address, sizeof *address) != 0 ||
	    listen(fd, 512) != 0 ||
	    getsockname(fd, (struct sockaddr *)address, &octets) != 0)
		die("listen: %s", strerror(errno));
	return fd;
}

void
no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void
issue(struct credential *c, const struct credential *ca, const char *name,
    long serial, bool ecdsa)
{
	const struct credential *by = ca != NULL ? ca : c;
	X509_EXTENSION *constraints;
	X509_NAME *subject;
	X509V3_CTX context;

	c->key = ecdsa ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
		       : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	c->certificate = X509_new();
	if (c->key == NULL || c->certificate == NULL)
		die("no key for %s", name);
	X509_set_version(c->certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c->certificate), serial);
	X509_gmtime_adj(X509_getm_notBefore(c->certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c->certificate), 86400);
	X509_set_pubkey(c->certificate, c->key);
	subject = X509_get_subject_name(c->certificate);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(
	    c->certificate, X509_get_subject_name(by->certificate));
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(
	    &context, by->certificate, c->certificate, NULL, NULL, 0);
	constraints = X509V3_EXT_conf_nid(NULL, &context, NID_basic_constraints,
	    ca != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (constraints == NULL ||
	    X509_add_ext(c->certificate, constraints, -1) != 1 ||
	    X509_sign(c->certificate, by->key, EVP_sha256()) == 0)
		die("no certificate for %s", name);
	X509_EXTENSION_free(constraints);
}

void
pki_make(struct pki *p, bool ecdsa)
{
	issue(&p->ca, NULL, "limit CA", 1, ecdsa);
	issue(&p->server, &p->ca, "limit server", 2, ecdsa);
	issue(&p->client, &p->ca, "limit client", 3, ecdsa);
}

SSL_CTX *
pki_context(
    const struct pki *p, bool is_server, int version, bool ahead, bool resume)
{
	const struct credential *us = is_server ? &p->server : &p->client;
	SSL_CTX *ctx =
	    SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, version) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, version) != 1 ||
	    SSL_CTX_use_certificate(ctx, us->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, us->key) != 1 ||
	    X509_STORE_add_cert(
		SSL_CTX_get_cert_store(ctx), p->ca.certificate) != 1)
		die("no TLS context");
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_read_ahead(ctx, ahead);
	if (!is_server) {
		SSL_CTX_set_session_cache_mode(
		    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		return ctx;
	}
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"limit", 5);
	SSL_CTX_set_num_tickets(ctx, resume ? 1 : 0);
	if (!resume) {
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	}
	return ctx;
}
