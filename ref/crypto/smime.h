/*
 * Signed text as S/MIME: a mail that any mail program takes, and that
 * `openssl smime -verify` judges.
 *
 * Both forms sign the same octets, the entity
 *
 *	Content-Type: text/plain; charset=utf-8 CRLF
 *	Content-Transfer-Encoding: 8bit CRLF
 *	CRLF
 *	the text, each LF of it as CR LF
 *
 * SMIME_MULTIPART shows it, and has the signature behind it; SMIME_OPAQUE has
 * it in base64 within the signature. The certificate is in both. Signed are
 * also the time and the entity's digest (SHA-256); the signature is RSA's,
 * PKCS#1 v1.5. Lines of the mail end with CR LF. Nothing in it is chosen
 * freely: the same text, certificate, key and second give the same octets, and
 * whoever has text, certificate, second and signature can write all of it
 * again (docs/signed-logs.md has it octet by octet).
 *
 * Memory is bounded, however long the text is: it is read twice, in pieces.
 *
 * Source: RFC 8551, RFC 1847, RFC 2315; KS-20-067 KS-20-069 KS-20-070
 */
#ifndef CRYPTO_SMIME_H
#define CRYPTO_SMIME_H

#include "base/bytes.h"

enum smime_form {
	SMIME_MULTIPART, /* the text can be read as it is */
	SMIME_OPAQUE,    /* it cannot */
};

/*
 * Read octets at a place in the text.
 *
 * room  of `at`; fewer octets may come, none only at the end
 */
typedef enum err smime_read_fn(void *ctx, uint64_t place, uint8_t *at,
    size_t room, size_t *octets) MUST_CHECK;

/* The next octets of the mail. */
typedef enum err smime_write_fn(void *ctx, struct bytes octets) MUST_CHECK;

struct smime_order {
	enum smime_form form;
	struct bytes certificate; /* DER */
	struct bytes key;         /* of it: RSA, PKCS#8 */
	int64_t at_s;             /* when: wall time */
	uint64_t octets;          /* of the text: its first ones */
	smime_read_fn *read;
	void *read_ctx;
	smime_write_fn *write;
	void *write_ctx;
};

/*
 * Worker: it takes as long as the text is long. From any thread.
 *
 * ERR_VALUE      there is a CR in the text, which would be lost, or it is not
 *                empty and does not end with LF
 * ERR_TRUNCATED  it is shorter than it was said to be, or changes
 * ERR_FIELD      the certificate is none, or not the key's; or the year has not
 *                four digits
 * others         read's, write's, ERR_CRYPTO, ERR_NOMEM
 *
 * What has been written when it fails is for the caller to throw away.
 */
enum err smime_sign(const struct smime_order *order) MUST_CHECK;

#endif
