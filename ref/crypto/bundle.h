/*
 * A private key with its certificate, as people carry them about: PEM blocks in
 * one text, in any order,
 *
 *	CERTIFICATE ...      X.509, one or a chain of them
 *	PKCS7                a bag of certificates
 *	... PRIVATE KEY      PKCS#8 or PKCS#1, encrypted or not
 *	PKCS12               key and certificates, under a password
 *
 * Source: RFC 7468, RFC 2315, RFC 7292; guide chapter 28
 */
#ifndef CRYPTO_BUNDLE_H
#define CRYPTO_BUNDLE_H

#include "base/buf.h"
#include "base/secret.h"

enum {
	BUNDLE_CHAIN_MOST = 8,
	BUNDLE_TEXT_OCTETS = 64 * 1024,
};

struct bundle {
	struct secret *key; /* PKCS#8 */
	/* DER: the key's own first, behind each the one that has signed it */
	struct buf certificate[BUNDLE_CHAIN_MOST];
	size_t count;
};

/* Has the text a certificate in it, of whatever form? */
bool bundle_is(struct bytes text);

/*
 * Worker: with a password it takes as long as the text says, without one a
 * millisecond or two. Certificates that are not of the chain
 * are passed over.
 *
 * password  of an encrypted key or of PKCS12; none: what needs one is refused
 *
 * ERR_FIELD  no RSA key, no certificate of it, a block of another kind, or the
 *            password is wrong; *why, in words that stand behind a field's name
 */
enum err bundle_read(struct bytes text, struct bytes password,
    struct bundle *out, const char **why) MUST_CHECK;

/* Harmless on a zeroed one. */
void bundle_clear(struct bundle *bundle);

#endif
