#include "x509.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

void
x509_sha256(struct bytes in, uint8_t out[X509_SHA256_OCTETS])
{
	/* nobody takes a digest of zeros for one of anything */
	memset(out, 0, X509_SHA256_OCTETS);
	if (EVP_Digest(in.at, in.octets, out, NULL, EVP_sha256(), NULL) != 1)
		ERR_clear_error();
}

static void
thumbprint(struct bytes in, const char *name, const EVP_MD *md, struct buf *out)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned octets = 0;

	if (EVP_Digest(in.at, in.octets, digest, &octets, md, NULL) != 1)
		octets = 0;
	buf_text(out, name);
	for (unsigned i = 0; i < octets; i++)
		buf_printf(out, "%c%02X", i == 0 ? ' ' : ':', digest[i]);
}

void
x509_thumbprints(struct bytes certificate, struct buf *out)
{
	thumbprint(certificate, "SHA-1", EVP_sha1(), out);
	thumbprint(certificate, ", SHA-256", EVP_sha256(), out);
}

static X509 *
of_der(struct bytes der)
{
	const unsigned char *at = der.at;
	X509 *x = d2i_X509(NULL, &at, (long)der.octets);

	if (x != NULL && at != der.at + der.octets) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

static X509 *
of_text(struct bytes text)
{
	BIO *bio = BIO_new_mem_buf(text.at, (int)text.octets);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return x != NULL ? x : of_der(text);
}

/* Made by an i2d function; freed. */
static void
take(unsigned char *der, int octets, struct buf *out)
{
	if (octets > 0)
		buf_put(out, (struct bytes){der, (size_t)octets});
	OPENSSL_free(der);
}

enum err
x509_read(struct bytes text, struct x509 *out, struct fault *f)
{
	X509 *x = of_text(text);
	EVP_PKEY *key = x != NULL ? X509_get0_pubkey(x) : NULL;
	unsigned char *der = NULL;
	enum err rc = OK;
	int octets;

	if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		TRY(fault_say(f, ERR_SYNTAX,
		    "no certificate with an RSA key, in PEM or DER"));
	octets = i2d_X509(x, &der);
	take(der, octets, &out->certificate);
	der = NULL;
	octets = i2d_X509_NAME(X509_get_issuer_name(x), &der);
	take(der, octets, &out->issuer);
	der = NULL;
	octets = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &der);
	take(der, octets, &out->serial);
	out->key_octets = (size_t)EVP_PKEY_get_size(key);
out:
	X509_free(x);
	ERR_clear_error();
	return rc;
}

void
x509_clear(struct x509 *x)
{
	buf_clear(&x->certificate);
	buf_clear(&x->issuer);
	buf_clear(&x->serial);
	x->key_octets = 0;
}

bool
x509_has_signed(
    const struct x509 *x, struct bytes octets, struct bytes signature)
{
	X509 *cert = of_der(buf_peek(&x->certificate));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = cert != NULL && ctx != NULL &&
		    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
			X509_get0_pubkey(cert)) == 1 &&
		    EVP_DigestVerify(ctx, signature.at, signature.octets,
			octets.at, octets.octets) == 1;

	EVP_MD_CTX_free(ctx);
	X509_free(cert);
	ERR_clear_error();
	return good;
}
