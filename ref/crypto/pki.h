/*
 * Certificates made and judged: key pairs, requests (PKCS#10), certificates,
 * and PEM, in which people carry them about.
 *
 * Nothing here keeps anything; keys and certificates are DER in the caller's
 * memory. From any thread; what is marked "worker" takes from a millisecond to
 * seconds and stays off the loop.
 *
 * Where an answer is no, ERR_FIELD, `*why` says why in words that stand behind
 * a field's name.
 *
 * Source: RFC 5280, RFC 2986, RFC 7468
 */
#ifndef CRYPTO_PKI_H
#define CRYPTO_PKI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/secret.h"

/* ---- names ---- */

/* What a person enters about a subject, in the guide's order. */
enum pki_field {
	PKI_COMMON_NAME,
	PKI_ORGANIZATION,
	PKI_UNIT,
	PKI_LOCALITY,
	PKI_STATE,
	PKI_COUNTRY,
	PKI_EMAIL,
	PKI_FIELD_COUNT
};

enum { PKI_TEXT_OCTETS = 4 * 128 };

/* UTF-8; "": it is not in the name. */
struct pki_subject {
	char field[PKI_FIELD_COUNT][PKI_TEXT_OCTETS + 1];
};

/* "Common Name" */
const char *pki_field_name(enum pki_field field);

/*
 * Take what was typed into the subject.
 *
 * ERR_FIELD  too long, or of characters that the field does not have
 */
enum err pki_subject_set(struct pki_subject *subject, enum pki_field field,
    struct bytes typed, const char **why) MUST_CHECK;

/* ---- PEM ---- */

enum pki_pem {
	PKI_CERTIFICATE,
	PKI_REQUEST,
	PKI_RSA_PRIVATE, /* PKCS#1, as crypto/keyformat.h reads it */
	PKI_RSA_PUBLIC,
};

/* Both ways: what people paste is no longer than this. */
enum { PKI_TEXT_MAX_OCTETS = 64 * 1024 };

/*
 * The one PEM block of that kind in a text, as DER, added to `der`. Blank lines
 * and blanks at the ends of lines do no harm; any other text does.
 *
 * ERR_FIELD  the first or the last line is missing, another kind, more than
 *            one, or no base64
 */
enum err pki_pem_read(enum pki_pem kind, struct bytes text, struct buf *der,
    const char **why) MUST_CHECK;

/* Lines of 64, each with its end. Appended. */
enum err
pki_pem_write(enum pki_pem kind, struct bytes der, struct buf *text) MUST_CHECK;

/* ---- keys, requests and certificates ---- */

/*
 * Worker. An RSA key, as PKCS#8.
 *
 * seed  of the caller's source, in addition to this thread's own
 */
enum err
pki_key_new(unsigned bits, struct bytes seed, struct secret **out) MUST_CHECK;

/*
 * Worker. Ask for a certificate for this key: PKCS#10, SHA-256, appended.
 *
 * ERR_FIELD  the subject is empty
 */
enum err pki_request_new(struct bytes key, const struct pki_subject *subject,
    struct buf *der, const char **why) MUST_CHECK;

enum pki_purpose {
	PKI_SERVER,
	PKI_CLIENT,
	PKI_CA,   /* of further certificates */
	PKI_MAIL, /* signs mails: the log signing certificate */
	PKI_PURPOSE_COUNT
};

struct pki_order {
	enum pki_purpose purpose;
	struct bytes request; /* DER */
	struct bytes issuer;  /* its certificate; none: the request's own key */
	struct bytes key;     /* the issuer's, or the request's; PKCS#8 */
	uint64_t serial;
	int64_t from_s; /* wall time */
	int64_t until_s;
};

/*
 * Worker. Make the certificate that a request asks for: X.509 v3, SHA-256,
 * appended as DER. Subject, key and alternative names are the request's; all
 * other extensions that it asks for are left out.
 *
 * ERR_FIELD  the request is none, is not signed by the key in it, or has a key
 *            that nobody should trust
 */
enum err pki_issue(const struct pki_order *order, struct buf *der,
    const char **why) MUST_CHECK;

/*
 * Worker (a password is stretched). A certificate and its private key out of
 * one PEM text, in either order; the key may be PKCS#8 or of its algorithm's
 * own format, encrypted or not.
 *
 * password   for an encrypted key
 * most_bits  an RSA key is not longer
 *
 * ERR_FIELD  one of them is missing or unreadable, they do not belong
 *            together, or the password is wrong
 */
enum err
pki_import(struct bytes text, struct bytes password, unsigned most_bits,
    struct buf *certificate, struct secret **key, const char **why) MUST_CHECK;

/* What a person is shown. Text is printable ASCII, in the arena. */
struct pki_facts {
	const char *subject; /* RFC 2253 */
	const char *issuer;  /* a request's: "" */
	const char *serial;  /* "0x7"; a request's: "" */
	unsigned key_bits;
	int64_t from_s; /* a request's: 0 */
	int64_t until_s;
};

/*
 * Of a certificate or a request. Nothing is verified.
 *
 * ERR_FIELD  it is none
 */
enum err pki_facts(enum pki_pem kind, struct bytes der, struct arena *a,
    struct pki_facts *out) MUST_CHECK;

/*
 * Do two of these, certificates, requests or public keys, have the same public
 * key? ERR_FIELD: no, or one is none.
 */
enum err pki_same_key(enum pki_pem kind_a, struct bytes a, enum pki_pem kind_b,
    struct bytes b) MUST_CHECK;

/*
 * May this certificate sign others? basicConstraints says that it is a CA, and
 * keyUsage, where it is there, that its key signs certificates.
 */
enum err pki_is_ca(struct bytes certificate, const char **why) MUST_CHECK;

/* Has the key of this CA signed that certificate? Its name, too. ERR_FIELD:
 * no. */
enum err pki_signed_by(struct bytes certificate, struct bytes ca) MUST_CHECK;

#endif
