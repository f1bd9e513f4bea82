#include "crypto/bundle.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ossl.h"

enum {
	CERTIFICATES_MOST = 64, /* that are looked at */
	PASSWORD_OCTETS = 256,
};

/* What has been found so far. */
struct found {
	STACK_OF(X509) * certificates;
	EVP_PKEY *key;
	unsigned keys; /* blocks of private keys */
	char password[PASSWORD_OCTETS + 1];
	bool has_password;
	bool asked;
};

static enum err
no(const char *text, const char **why)
{
	*why = text;
	ossl_forget();
	return ERR_FIELD;
}

bool
bundle_is(struct bytes text)
{
	static const char *const begins[] = {"-----BEGIN CERTIFICATE-----",
	    "-----BEGIN X509 CERTIFICATE-----",
	    "-----BEGIN TRUSTED CERTIFICATE-----", "-----BEGIN PKCS7-----",
	    "-----BEGIN PKCS #7 SIGNED DATA-----", "-----BEGIN PKCS12-----"};
	size_t k;

	for (k = 0; k < sizeof(begins) / sizeof(begins[0]); k++) {
		if (text.octets != 0 && memmem(text.at, text.octets, begins[k],
					    strlen(begins[k])) != NULL)
			return true;
	}
	return false;
}

/* ---- blocks ---- */

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* Takes it, on failure too. */
static enum err
keep_certificate(struct found *found, X509 *take, const char **why)
{
	enum err rc = OK;

	if (sk_X509_num(found->certificates) >= CERTIFICATES_MOST)
		TRY(no("there are more than 64 certificates in it", why));
	if (sk_X509_push(found->certificates, take) <= 0)
		TRY(ossl_err("sk_X509_push", ERR_NOMEM));
	take = NULL;
out:
	X509_free(take);
	return rc;
}

static enum err
keep_all(struct found *found, const STACK_OF(X509) * all, const char **why)
{
	enum err rc = OK;
	int k;

	for (k = 0; k < sk_X509_num(all); k++) {
		X509 *cert = sk_X509_value(all, k);

		if (X509_up_ref(cert) != 1)
			TRY(ossl_err("X509_up_ref", ERR_CRYPTO));
		TRY(keep_certificate(found, cert, why));
	}
out:
	return rc;
}

static enum err
take_x509(struct found *found, const unsigned char *der, long octets,
    const char **why)
{
	X509 *cert = d2i_X509(NULL, &der, octets);

	if (cert == NULL)
		return no("a certificate in it cannot be read", why);
	return keep_certificate(found, cert, why);
}

static enum err
take_pkcs7(struct found *found, const unsigned char *der, long octets,
    const char **why)
{
	PKCS7 *bag = d2i_PKCS7(NULL, &der, octets);
	enum err rc = OK;

	if (bag == NULL || !PKCS7_type_is_signed(bag) || bag->d.sign == NULL)
		TRY(no("its PKCS7 block cannot be read", why));
	if (bag->d.sign->cert != NULL)
		TRY(keep_all(found, bag->d.sign->cert, why));
out:
	PKCS7_free(bag);
	return rc;
}

static enum err
take_pkcs12(struct found *found, const unsigned char *der, long octets,
    const char **why)
{
	PKCS12 *box = d2i_PKCS12(NULL, &der, octets);
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	STACK_OF(X509) *others = NULL;
	enum err rc = OK;

	if (box == NULL)
		TRY(no("its PKCS12 block cannot be read", why));
	/* nothing is stretched for who has none */
	if (!found->has_password)
		TRY(no("its PKCS12 block needs a password", why));
	if (PKCS12_parse(box, found->password, &key, &cert, &others) != 1)
		TRY(no("the password does not open its PKCS12 block", why));
	if (key != NULL) {
		found->keys++;
		EVP_PKEY_free(found->key);
		found->key = key;
		key = NULL; /* now found's */
	}
	if (cert != NULL) {
		rc = keep_certificate(found, cert, why);
		cert = NULL;
		TRY(rc);
	}
	if (others != NULL)
		TRY(keep_all(found, others, why));
out:
	sk_X509_pop_free(others, X509_free);
	X509_free(cert);
	EVP_PKEY_free(key);
	PKCS12_free(box);
	return rc;
}

static enum err
take_block(struct found *found, const char *name, const unsigned char *der,
    long octets, const char **why)
{
	static const char *const x509[] = {PEM_STRING_X509, PEM_STRING_X509_OLD,
	    PEM_STRING_X509_TRUSTED, NULL};
	static const char *const pkcs7[] = {
	    PEM_STRING_PKCS7, PEM_STRING_PKCS7_SIGNED, NULL};
	static const char *const keys[] = {PEM_STRING_PKCS8,
	    PEM_STRING_PKCS8INF, PEM_STRING_RSA, PEM_STRING_ECPRIVATEKEY, NULL};

	if (is_one_of(name, x509))
		return take_x509(found, der, octets, why);
	if (is_one_of(name, pkcs7))
		return take_pkcs7(found, der, octets, why);
	if (strcmp(name, "PKCS12") == 0)
		return take_pkcs12(found, der, octets, why);
	if (!is_one_of(name, keys))
		return no("there is a block in it that is neither a "
			  "certificate nor a private key",
		    why);
	found->keys++; /* read later */
	return OK;
}

/* Certificates, and what PKCS12 has. */
static enum err
take_blocks(struct found *found, BIO *bio, const char **why)
{
	char *name = NULL;
	char *header = NULL;
	unsigned char *der = NULL;
	long octets = 0;
	enum err rc = OK;

	while (
	    rc == OK && PEM_read_bio(bio, &name, &header, &der, &octets) == 1) {
		rc = take_block(found, name, der, octets, why);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)octets); /* perhaps a key */
	}
	TRY(rc);
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		TRY(no("a block in it cannot be read", why));
	ossl_forget();
out:
	return rc;
}

/* A pem_password_cb: nobody is asked at a terminal. */
static int
give_password(char *room, int room_octets, int writes, void *ctx)
{
	struct found *found = ctx;
	size_t octets = strlen(found->password);

	(void)writes;
	found->asked = true;
	if (octets == 0 || octets > (size_t)room_octets)
		return -1;
	memcpy(room, found->password, octets);
	return (int)octets;
}

/* The one private key. req: KS-28-291 */
static enum err
take_key(struct found *found, BIO *bio, const char **why)
{
	enum err rc = OK;

	if (found->keys == 0)
		TRY(no("its private key is missing", why));
	if (found->keys > 1)
		TRY(no("there is more than one private key in it", why));
	if (found->key == NULL) {
		if (BIO_reset(bio) != 1)
			TRY(ossl_err("BIO_reset", ERR_SYSTEM));
		found->key =
		    PEM_read_bio_PrivateKey(bio, NULL, give_password, found);
	}
	if (found->key == NULL)
		TRY(no(found->asked
			   ? "the password does not open its private key"
			   : "its private key cannot be read",
		    why));
	if (EVP_PKEY_get_base_id(found->key) != EVP_PKEY_RSA)
		TRY(no("its key is no RSA key", why));
out:
	return rc;
}

/* ---- the chain ---- */

/* Taken out of those that were found; NULL: there is none. */
static X509 *
certificate_of_key(struct found *found)
{
	int k;

	for (k = 0; k < sk_X509_num(found->certificates); k++) {
		if (X509_check_private_key(
			sk_X509_value(found->certificates, k), found->key) == 1)
			return sk_X509_delete(found->certificates, k);
	}
	ossl_forget();
	return NULL;
}

static X509 *
issuer_of(struct found *found, X509 *cert)
{
	int k;

	/* a root has none but itself */
	if (X509_check_issued(cert, cert) == X509_V_OK)
		return NULL;
	for (k = 0; k < sk_X509_num(found->certificates); k++) {
		if (X509_check_issued(sk_X509_value(found->certificates, k),
			cert) == X509_V_OK)
			return sk_X509_delete(found->certificates, k);
	}
	return NULL;
}

static enum err
put_certificate(X509 *cert, struct bundle *out)
{
	struct buf *to = &out->certificate[out->count++];
	unsigned char *der = NULL;
	int octets = i2d_X509(cert, &der);
	enum err rc = OK;

	buf_init(to, BUNDLE_TEXT_OCTETS);
	if (octets < 0)
		TRY(ossl_err("i2d_X509", ERR_CRYPTO));
	TRY(buf_put(to, (struct bytes){der, (size_t)octets}));
out:
	OPENSSL_free(der);
	return rc;
}

static enum err
put_chain(struct found *found, struct bundle *out, const char **why)
{
	X509 *cert = NULL;
	X509 *next = NULL;
	enum err rc = OK;

	if (sk_X509_num(found->certificates) == 0)
		TRY(no("there is no certificate in it", why));
	cert = certificate_of_key(found);
	if (cert == NULL)
		TRY(no("the private key is another certificate's", why));
	while (cert != NULL && out->count < BUNDLE_CHAIN_MOST) {
		TRY(put_certificate(cert, out));
		next = issuer_of(found, cert);
		X509_free(cert);
		cert = next;
	}
out:
	X509_free(cert);
	return rc;
}

static enum err
put_key(const EVP_PKEY *key, struct bundle *out)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int octets = 0;
	enum err rc = OK;

	if (info == NULL || (octets = i2d_PKCS8_PRIV_KEY_INFO(info, &der)) < 0)
		TRY(ossl_err("EVP_PKEY2PKCS8", ERR_CRYPTO));
	TRY(secret_copy((struct bytes){der, (size_t)octets}, &out->key));
out:
	OPENSSL_clear_free(der, octets > 0 ? (size_t)octets : 0);
	PKCS8_PRIV_KEY_INFO_free(info);
	return rc;
}

static enum err
set_password(struct found *found, struct bytes password, const char **why)
{
	if (password.octets > PASSWORD_OCTETS ||
	    (password.octets != 0 &&
		memchr(password.at, '\0', password.octets) != NULL))
		return no("no password is longer than 256 characters", why);
	if (password.octets != 0)
		memcpy(found->password, password.at, password.octets);
	found->has_password = password.octets != 0;
	return OK;
}

/* req: KS-28-288 KS-28-289 KS-28-290 */
enum err
bundle_read(struct bytes text, struct bytes password, struct bundle *out,
    const char **why)
{
	struct found found = {.keys = 0};
	BIO *bio = NULL;
	enum err rc = OK;

	*out = (struct bundle){.count = 0};
	*why = NULL;
	if (text.octets == 0 || text.octets > BUNDLE_TEXT_OCTETS)
		TRY(no("must have 1 to 65536 octets", why));
	TRY(set_password(&found, password, why));
	found.certificates = sk_X509_new_null();
	bio = BIO_new_mem_buf(text.at, (int)text.octets);
	if (found.certificates == NULL || bio == NULL)
		TRY(ossl_err("BIO_new_mem_buf", ERR_NOMEM));
	TRY(take_blocks(&found, bio, why));
	TRY(take_key(&found, bio, why));
	TRY(put_chain(&found, out, why));
	TRY(put_key(found.key, out));
out:
	if (rc != OK)
		bundle_clear(out);
	sk_X509_pop_free(found.certificates, X509_free);
	EVP_PKEY_free(found.key);
	BIO_free(bio);
	secret_wipe(found.password, sizeof(found.password));
	return rc;
}

void
bundle_clear(struct bundle *bundle)
{
	size_t k;

	for (k = 0; k < bundle->count; k++)
		buf_clear(&bundle->certificate[k]);
	secret_free(bundle->key);
	*bundle = (struct bundle){.count = 0};
}
