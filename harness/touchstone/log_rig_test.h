/*
 * For the test and the fuzz entry of log_verify: a certificate of their own,
 * and logs that its key has signed.
 */
#ifndef TOUCHSTONE_LOG_RIG_TEST_H
#define TOUCHSTONE_LOG_RIG_TEST_H

#include "log_verify.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

struct log_identity {
	EVP_PKEY *key;
	struct x509 x509;
};

static inline void
rig_must(bool good)
{
	if (!good)
		abort();
}

static inline void
log_identity_make(struct log_identity *id)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	unsigned char *der = NULL;
	int octets;

	id->key = EVP_RSA_gen(1024);
	rig_must(id->key != NULL && X509_set_version(cert, 2) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x1234);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	rig_must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		     (const unsigned char *)"signer", -1, -1, 0) == 1);
	rig_must(X509_set_issuer_name(cert, name) == 1 &&
		 X509_set_pubkey(cert, id->key) == 1 &&
		 X509_sign(cert, id->key, EVP_sha256()) > 0);
	octets = i2d_X509(cert, &der);
	rig_must(octets > 0 && x509_read((struct bytes){der, (size_t)octets},
				   &id->x509, NULL) == OK);
	OPENSSL_free(der);
	X509_free(cert);
}

static inline void
log_identity_clear(struct log_identity *id)
{
	EVP_PKEY_free(id->key);
	x509_clear(&id->x509);
}

/* Appended. `at` as in struct log_parts. */
static inline void
log_sign(const struct log_identity *id, enum log_form form, const char *at,
    const char *text, struct buf *out)
{
	struct log_parts parts = {.form = form, .text = bytes_of_text(text)};
	struct buf entity = {0}, octets = {0};
	uint8_t signature[512];
	size_t room = sizeof signature;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	memcpy(parts.at, at, strlen(at) + 1);
	log_entity(parts.text, &entity);
	x509_sha256(buf_peek(&entity), parts.digest);
	log_signed_octets(&parts, &octets);
	rig_must(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, id->key) == 1 &&
	    EVP_DigestSign(ctx, signature, &room, octets.at, octets.octets) ==
		1);
	parts.signature = (struct bytes){signature, room};
	log_write(&parts, &id->x509, out);
	EVP_MD_CTX_free(ctx);
	buf_clear(&entity);
	buf_clear(&octets);
}

#endif
