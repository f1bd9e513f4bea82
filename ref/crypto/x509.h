/*
 * What an X.509 certificate says, for the attributes of a Certificate object.
 *
 * Source: RFC 5280; KMIP 1.4 sections 3.8 to 3.16, KMIP 2.1 section 4.6
 */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "base/arena.h"
#include "wire/schema.h"

/* The fields of a name that KMIP 2.x has attributes for, in its order. */
enum x509_field {
	X509_CN,
	X509_O,
	X509_OU,
	X509_EMAIL,
	X509_C,
	X509_ST,
	X509_L,
	X509_UID,
	X509_SERIAL_NUMBER,
	X509_TITLE,
	X509_DC,
	X509_DN_QUALIFIER,
	X509_FIELD_COUNT
};

enum { X509_ALTS_MAX = 16, X509_VALUES_MAX = 4 };

struct x509_entity {
	struct bytes der;  /* the distinguished name as it is encoded */
	struct bytes text; /* as RFC 2253 writes it */
	/* values as UTF-8; a field may stand several times (OU, DC) */
	struct bytes field[X509_FIELD_COUNT][X509_VALUES_MAX];
	size_t field_count[X509_FIELD_COUNT];
	/* alternative names: each GeneralName's own DER, and as text */
	struct bytes alt_der[X509_ALTS_MAX];
	struct bytes alt_text[X509_ALTS_MAX];
	size_t alt_count;
};

struct x509_facts {
	struct x509_entity subject;
	struct x509_entity issuer;
	struct bytes serial_der;      /* the whole INTEGER */
	struct bytes serial_text;     /* in hexadecimal, upper case */
	uint32_t signature_algorithm; /* DIGITAL_SIGNATURE_ALGORITHM_, or 0 */
	uint32_t key_algorithm;       /* CRYPTOGRAPHIC_ALGORITHM_, or 0 */
	uint32_t key_bits;
	int64_t not_before_s;
	int64_t not_after_s;
};

/*
 * Read one DER certificate, with nothing behind it. Everything is in the arena
 * or borrowed from `der`. Nothing is verified.
 *
 * ERR_FIELD  not a certificate
 * ERR_NOMEM
 */
enum err
x509_read(struct arena *a, struct bytes der, struct x509_facts *out) MUST_CHECK;

#endif
