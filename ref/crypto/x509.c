#include "crypto/x509.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

static const int field_nids[X509_FIELD_COUNT] = {
    [X509_CN] = NID_commonName,
    [X509_O] = NID_organizationName,
    [X509_OU] = NID_organizationalUnitName,
    [X509_EMAIL] = NID_pkcs9_emailAddress,
    [X509_C] = NID_countryName,
    [X509_ST] = NID_stateOrProvinceName,
    [X509_L] = NID_localityName,
    [X509_UID] = NID_userId,
    [X509_SERIAL_NUMBER] = NID_serialNumber,
    [X509_TITLE] = NID_title,
    [X509_DC] = NID_domainComponent,
    [X509_DN_QUALIFIER] = NID_dnQualifier,
};

/* spec: kmip-1.4 9.1.3.2.7 */
static const struct {
	int nid;
	uint32_t algorithm;
} signatures[] = {
    {NID_md2WithRSAEncryption,
	DIGITAL_SIGNATURE_ALGORITHM_MD2_WITH_RSA_ENCRYPTION},
    {NID_md5WithRSAEncryption,
	DIGITAL_SIGNATURE_ALGORITHM_MD5_WITH_RSA_ENCRYPTION},
    {NID_sha1WithRSAEncryption,
	DIGITAL_SIGNATURE_ALGORITHM_SHA_1_WITH_RSA_ENCRYPTION},
    {NID_sha224WithRSAEncryption,
	DIGITAL_SIGNATURE_ALGORITHM_SHA_224_WITH_RSA_ENCRYPTION},
    {NID_sha256WithRSAEncryption,
	DIGITAL_SIGNATURE_ALGORITHM_SHA_256_WITH_RSA_ENCRYPTION},
    {NID_sha384WithRSAEncryption,
	DIGITAL_SIGNATURE_ALGORITHM_SHA_384_WITH_RSA_ENCRYPTION},
    {NID_sha512WithRSAEncryption,
	DIGITAL_SIGNATURE_ALGORITHM_SHA_512_WITH_RSA_ENCRYPTION},
    {NID_rsassaPss, DIGITAL_SIGNATURE_ALGORITHM_RSASSA_PSS},
    {NID_dsaWithSHA1, DIGITAL_SIGNATURE_ALGORITHM_DSA_WITH_SHA_1},
    {NID_dsa_with_SHA224, DIGITAL_SIGNATURE_ALGORITHM_DSA_WITH_SHA224},
    {NID_dsa_with_SHA256, DIGITAL_SIGNATURE_ALGORITHM_DSA_WITH_SHA256},
    {NID_ecdsa_with_SHA1, DIGITAL_SIGNATURE_ALGORITHM_ECDSA_WITH_SHA_1},
    {NID_ecdsa_with_SHA224, DIGITAL_SIGNATURE_ALGORITHM_ECDSA_WITH_SHA224},
    {NID_ecdsa_with_SHA256, DIGITAL_SIGNATURE_ALGORITHM_ECDSA_WITH_SHA256},
    {NID_ecdsa_with_SHA384, DIGITAL_SIGNATURE_ALGORITHM_ECDSA_WITH_SHA384},
    {NID_ecdsa_with_SHA512, DIGITAL_SIGNATURE_ALGORITHM_ECDSA_WITH_SHA512},
};

static const struct {
	int type;
	uint32_t algorithm;
} key_types[] = {
    {EVP_PKEY_RSA, CRYPTOGRAPHIC_ALGORITHM_RSA},
    {EVP_PKEY_RSA_PSS, CRYPTOGRAPHIC_ALGORITHM_RSA},
    {EVP_PKEY_DSA, CRYPTOGRAPHIC_ALGORITHM_DSA},
    {EVP_PKEY_EC, CRYPTOGRAPHIC_ALGORITHM_ECDSA},
};

/* What BIO holds, into the arena. */
static enum err
take_bio(struct arena *a, BIO *bio, struct bytes *out)
{
	char *at;
	long octets = BIO_get_mem_data(bio, &at);

	if (octets < 0)
		return ERR_NOMEM;
	return arena_copy(
	    a, (struct bytes){(const uint8_t *)at, (size_t)octets}, out);
}

static enum err
read_field(struct arena *a, X509_NAME *name, enum x509_field f,
    struct x509_entity *out)
{
	int at = -1;
	enum err rc = OK;

	while (
	    out->field_count[f] < X509_VALUES_MAX &&
	    (at = X509_NAME_get_index_by_NID(name, field_nids[f], at)) >= 0) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, at);
		unsigned char *utf8 = NULL;
		int octets =
		    ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));

		if (octets < 0)
			return ERR_FIELD;
		rc = arena_copy(a, (struct bytes){utf8, (size_t)octets},
		    &out->field[f][out->field_count[f]++]);
		OPENSSL_free(utf8);
		TRY(rc);
	}
out:
	return rc;
}

static enum err
read_name(struct arena *a, X509_NAME *name, struct x509_entity *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	enum x509_field f;
	int octets;
	enum err rc = OK;

	if (bio == NULL)
		TRY(ERR_NOMEM);
	octets = i2d_X509_NAME(name, &der);
	if (octets < 0)
		TRY(ERR_FIELD);
	TRY(arena_copy(a, (struct bytes){der, (size_t)octets}, &out->der));
	if (X509_NAME_print_ex(bio, name, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0)
		TRY(ERR_FIELD);
	TRY(take_bio(a, bio, &out->text));
	for (f = 0; f < X509_FIELD_COUNT; f++)
		TRY(read_field(a, name, f, out));
out:
	OPENSSL_free(der);
	BIO_free(bio);
	return rc;
}

static enum err
read_alts(struct arena *a, const X509 *cert, int nid, struct x509_entity *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, nid, NULL, NULL);
	unsigned char *der = NULL;
	BIO *bio = NULL;
	enum err rc = OK;
	int n;

	for (n = 0; names != NULL && n < sk_GENERAL_NAME_num(names) &&
		    out->alt_count < X509_ALTS_MAX;
	     n++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, n);
		int octets = i2d_GENERAL_NAME(name, &der);

		bio = BIO_new(BIO_s_mem());
		if (octets < 0 || bio == NULL)
			TRY(ERR_NOMEM);
		TRY(arena_copy(a, (struct bytes){der, (size_t)octets},
		    &out->alt_der[out->alt_count]));
		if (GENERAL_NAME_print(bio, name) < 0)
			TRY(ERR_FIELD);
		TRY(take_bio(a, bio, &out->alt_text[out->alt_count]));
		out->alt_count++;
		OPENSSL_free(der);
		der = NULL;
		BIO_free(bio);
		bio = NULL;
	}
out:
	OPENSSL_free(der);
	BIO_free(bio);
	GENERAL_NAMES_free(names);
	return rc;
}

static enum err
read_serial(struct arena *a, const X509 *cert, struct x509_facts *out)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
	unsigned char *der = NULL;
	char *text = NULL;
	int octets;
	enum err rc = OK;

	if (number == NULL || (text = BN_bn2hex(number)) == NULL)
		TRY(ERR_NOMEM);
	octets = i2d_ASN1_INTEGER(serial, &der);
	if (octets < 0)
		TRY(ERR_FIELD);
	TRY(arena_copy(
	    a, (struct bytes){der, (size_t)octets}, &out->serial_der));
	TRY(arena_copy(a, bytes_of_text(text), &out->serial_text));
out:
	OPENSSL_free(der);
	OPENSSL_free(text);
	BN_free(number);
	return rc;
}

static void
read_algorithms(const X509 *cert, struct x509_facts *out)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	int nid = X509_get_signature_nid(cert);
	size_t k;

	for (k = 0; k < sizeof(signatures) / sizeof(signatures[0]); k++) {
		if (signatures[k].nid == nid)
			out->signature_algorithm = signatures[k].algorithm;
	}
	if (key == NULL)
		return;
	for (k = 0; k < sizeof(key_types) / sizeof(key_types[0]); k++) {
		if (key_types[k].type == EVP_PKEY_get_base_id(key))
			out->key_algorithm = key_types[k].algorithm;
	}
	if (EVP_PKEY_get_bits(key) > 0)
		out->key_bits = (uint32_t)EVP_PKEY_get_bits(key);
}

static enum err
read_time(const ASN1_TIME *time, int64_t *out)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days;
	int seconds;
	enum err rc = OK;

	if (epoch == NULL)
		TRY(ERR_NOMEM);
	if (!ASN1_TIME_diff(&days, &seconds, epoch, time))
		TRY(ERR_FIELD);
	*out = (int64_t)days * 86400 + seconds;
out:
	ASN1_TIME_free(epoch);
	return rc;
}

enum err
x509_read(struct arena *a, struct bytes der, struct x509_facts *out)
{
	const unsigned char *at = der.at;
	X509 *cert = NULL;
	enum err rc = OK;

	*out = (struct x509_facts){0};
	if (der.octets > INT32_MAX)
		TRY(ERR_FIELD);
	cert = d2i_X509(NULL, &at, (long)der.octets);
	if (cert == NULL || at != der.at + der.octets)
		TRY(ERR_FIELD);
	TRY(read_name(a, X509_get_subject_name(cert), &out->subject));
	TRY(read_name(a, X509_get_issuer_name(cert), &out->issuer));
	TRY(read_alts(a, cert, NID_subject_alt_name, &out->subject));
	TRY(read_alts(a, cert, NID_issuer_alt_name, &out->issuer));
	TRY(read_serial(a, cert, out));
	read_algorithms(cert, out);
	TRY(read_time(X509_get0_notBefore(cert), &out->not_before_s));
	TRY(read_time(X509_get0_notAfter(cert), &out->not_after_s));
out:
	X509_free(cert);
	ERR_clear_error();
	return rc;
}
