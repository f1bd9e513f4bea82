/*
 * The tool's second door to OpenSSL: digests, and certificates with the
 * signatures that they vouch for.
 */
#ifndef TOUCHSTONE_X509_H
#define TOUCHSTONE_X509_H

#include "buf.h"
#include "err.h"

enum { X509_SHA256_OCTETS = 32 };

void x509_sha256(struct bytes in, uint8_t out[X509_SHA256_OCTETS]);

/* "SHA-1 AB:CD..., SHA-256 ...", as programs show the thumbprints of a
 * certificate in DER. Appended. */
void x509_thumbprints(struct bytes certificate, struct buf *out);

/* What of a certificate a signature refers to. Zeroed it is empty. */
struct x509 {
	struct buf certificate; /* DER, as the rest */
	struct buf issuer;
	struct buf serial;
	size_t key_octets; /* of its RSA key */
};

/*
 * From a text in PEM, or DER.
 *
 * ERR_SYNTAX  no certificate with an RSA key: `f` says so
 */
enum err
x509_read(struct bytes text, struct x509 *out, struct fault *f) MUST_CHECK;
void x509_clear(struct x509 *x);

/* Has its key signed these octets, as PKCS#1 v1.5 does with SHA-256? */
bool x509_has_signed(
    const struct x509 *x, struct bytes octets, struct bytes signature);

#endif
