/*
 * For tests that install something: a vendor with keys of his own, and packages
 * of his in files without a name. What is wrong with one is done to its parts,
 * before it is signed, or to its octets, after it.
 */
#ifndef DEVICE_PACKAGE_RIG_TEST_H
#define DEVICE_PACKAGE_RIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "device/package.h"
#include "device/package_format.h"

enum { VENDOR_TEXT_OCTETS = 4096 };

struct vendor {
	EVP_PKEY *signer;
	uint8_t fingerprint[32];
	uint8_t key[AEAD_KEY_OCTETS];
	char trust[VENDOR_TEXT_OCTETS];
};

/* bits: of the signing key; tests need not wait for a long one */
static inline void
vendor_make(struct vendor *v, unsigned bits, uint8_t key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	char base64[64];
	int octets;

	v->signer = EVP_RSA_gen(bits);
	assert_true(bio != NULL && v->signer != NULL);
	octets = i2d_PublicKey(v->signer, &der);
	assert_true(
	    octets > 0 && EVP_Digest(der, (size_t)octets, v->fingerprint, NULL,
			      EVP_sha256(), NULL) == 1);
	memset(v->key, key, sizeof(v->key));
	(void)EVP_EncodeBlock((unsigned char *)base64, v->key, sizeof(v->key));
	assert_true(PEM_write_bio(bio, "RSA PUBLIC KEY", "", der, octets) > 0 &&
		    BIO_printf(bio,
			"-----BEGIN PACKAGE KEY-----\n%s\n"
			"-----END PACKAGE KEY-----\n",
			base64) > 0);
	octets = BIO_read(bio, v->trust, sizeof(v->trust) - 1);
	assert_true(octets > 0);
	v->trust[octets] = '\0';
	OPENSSL_free(der);
	BIO_free(bio);
}

static inline void
vendor_clear(struct vendor *v)
{
	EVP_PKEY_free(v->signer);
}

/* What a package is made of. Zeroed but for these it is a good one. */
struct parcel {
	const char *manifest; /* its lines */
	struct bytes content; /* of all components */
	/* otherwise than it should be */
	bool in_the_clear;
	bool unsigned_;
	uint8_t oldest_reader;       /* 0: 1 */
	const struct vendor *signer; /* NULL: the vendor's own key */
	int lie;                     /* added to the length of the manifest */
	size_t cut; /* octets of the plain text that are missing */
};

static inline uint8_t *
parcel_plain(const struct parcel *p, size_t *octets)
{
	size_t manifest = strlen(p->manifest);
	uint8_t *plain = OPENSSL_zalloc(4 + manifest + p->content.octets + 1);

	assert_true(plain != NULL);
	bytes_put_u32(plain, (uint32_t)((int)manifest + p->lie));
	memcpy(plain + 4, p->manifest, manifest);
	if (p->content.octets != 0)
		memcpy(plain + 4 + manifest, p->content.at, p->content.octets);
	*octets = 4 + manifest + p->content.octets - p->cut;
	return plain;
}

static inline size_t
parcel_seal(const struct vendor *v, const uint8_t *salt, const uint8_t *plain,
    size_t octets, uint8_t *out)
{
	static const char purpose[] = "touchstone package";
	uint8_t in[sizeof(purpose) - 1 + PACKAGE_SALT_OCTETS];
	uint8_t key[AEAD_KEY_OCTETS];
	uint8_t nonce[AEAD_NONCE_OCTETS] = {0};
	size_t written = 0;
	uint64_t number;

	memcpy(in, purpose, sizeof(purpose) - 1);
	memcpy(in + sizeof(purpose) - 1, salt, PACKAGE_SALT_OCTETS);
	assert_true(HMAC(EVP_sha256(), v->key, sizeof(v->key), in, sizeof(in),
			key, NULL) != NULL);
	for (number = 0; octets != 0; number++) {
		uint8_t last = octets <= PACKAGE_CHUNK_OCTETS;
		size_t chunk = last ? octets : PACKAGE_CHUNK_OCTETS;

		bytes_put_u64(nonce + 4, number);
		assert_true(
		    aead_seal(key, nonce, (struct bytes){&last, 1},
			(struct bytes){plain, chunk}, out + written) == OK);
		written += chunk + AEAD_TAG_OCTETS;
		plain += chunk;
		octets -= chunk;
	}
	return written;
}

static inline size_t
parcel_sign(EVP_PKEY *signer, const uint8_t *at, size_t octets, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t room = PACKAGE_SIGNATURE_MOST_OCTETS;

	assert_true(
	    ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, signer) == 1 &&
	    EVP_DigestSign(ctx, out, &room, at, octets) == 1);
	EVP_MD_CTX_free(ctx);
	return room;
}

/* The package's octets: OPENSSL_free them. */
static inline uint8_t *
parcel_write(const struct vendor *v, const struct parcel *p, size_t *octets)
{
	const struct vendor *signer = p->signer != NULL ? p->signer : v;
	size_t signature = (size_t)EVP_PKEY_get_size(signer->signer);
	size_t plain_octets;
	uint8_t *plain = parcel_plain(p, &plain_octets);
	size_t room =
	    PACKAGE_HEAD_OCTETS + plain_octets +
	    (plain_octets / PACKAGE_CHUNK_OCTETS + 1) * AEAD_TAG_OCTETS +
	    signature;
	uint8_t *at = OPENSSL_zalloc(room);
	size_t body;

	assert_true(at != NULL);
	memcpy(at, PACKAGE_MAGIC, strlen(PACKAGE_MAGIC));
	at[PACKAGE_AT_VERSION] = PACKAGE_VERSION;
	at[PACKAGE_AT_OLDEST_READER] =
	    p->oldest_reader != 0 ? p->oldest_reader : PACKAGE_VERSION;
	at[PACKAGE_AT_CIPHER] =
	    p->in_the_clear ? PACKAGE_CLEAR : PACKAGE_AES_256_GCM;
	at[PACKAGE_AT_SIGNATURE] =
	    p->unsigned_ ? PACKAGE_UNSIGNED : PACKAGE_RSA_SHA_256;
	bytes_put_u32(at + PACKAGE_AT_SIGNATURE_OCTETS, (uint32_t)signature);
	memset(at + PACKAGE_AT_SALT, 's', PACKAGE_SALT_OCTETS);
	memcpy(at + PACKAGE_AT_FINGERPRINT, signer->fingerprint, 32);
	body = PACKAGE_HEAD_OCTETS;
	if (p->in_the_clear) {
		memcpy(at + body, plain, plain_octets);
		body += plain_octets;
	} else {
		body += parcel_seal(
		    v, at + PACKAGE_AT_SALT, plain, plain_octets, at + body);
	}
	*octets = body + signature;
	bytes_put_u64(at + PACKAGE_AT_OCTETS, *octets);
	(void)parcel_sign(signer->signer, at, body, at + body);
	OPENSSL_free(plain);
	return at;
}

/* A file with these octets, without a name. */
static inline int
parcel_file(const uint8_t *at, size_t octets)
{
	int fd = memfd_create("package", MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, at, octets) == (ssize_t)octets);
	return fd;
}

static inline int
parcel_make(const struct vendor *v, const struct parcel *p)
{
	size_t octets;
	uint8_t *at = parcel_write(v, p, &octets);
	int fd = parcel_file(at, octets);

	OPENSSL_free(at);
	return fd;
}

#endif
