#include "crypto/pki.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/ossl.h"

enum {
	RSA_LEAST_BITS = 768, /* req: KS-03-110 */
	RSA_MOST_BITS = 8192, /* a peer's: longer ones only cost time */
	RSA_EXPONENT_BITS = 64,
	EC_LEAST_BITS = 224,
	ALTS_MOST = 100,
	BASE64_LINE = 64,
};

static const char unreadable_request[] = "is no certificate request";
static const char unreadable_certificate[] = "is no certificate";

static enum err
no(const char *text, const char **why)
{
	*why = text;
	ossl_forget();
	return ERR_FIELD;
}

/* ---------------------------------------------------------------------------
 * Names
 */

/*
 * spec: rfc-5280 A.1  the upper bounds, in characters
 */
/* clang-format off */
static const struct {
	const char *name;
	int nid;
	unsigned most;
	const char *too_long;
} fields[] = {
	[PKI_COMMON_NAME]  = { "Common Name", NID_commonName, 64,
	    "at most 64 characters" },
	[PKI_ORGANIZATION] = { "Organization Name", NID_organizationName, 64,
	    "at most 64 characters" },
	[PKI_UNIT]         = { "Organizational Unit Name",
	    NID_organizationalUnitName, 64, "at most 64 characters" },
	[PKI_LOCALITY]     = { "Locality Name", NID_localityName, 128,
	    "at most 128 characters" },
	[PKI_STATE]        = { "State or Province Name",
	    NID_stateOrProvinceName, 128, "at most 128 characters" },
	[PKI_COUNTRY]      = { "Country Name", NID_countryName, 2,
	    "two letters, as US" },
	[PKI_EMAIL]        = { "Email Address", NID_pkcs9_emailAddress, 128,
	    "at most 128 characters" },
};
/* clang-format on */

const char *
pki_field_name(enum pki_field field)
{
	return fields[field].name;
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* NULL: it can be entered. */
static const char *
text_breaks(enum pki_field field, struct bytes typed)
{
	size_t k, characters = 0;

	if (!bytes_is_utf8(typed))
		return "must be UTF-8 text";
	for (k = 0; k < typed.octets; k++) {
		if (typed.at[k] < 0x20 || typed.at[k] == 0x7f)
			return "must be one line of text";
		if (field == PKI_COUNTRY && !is_letter(typed.at[k]))
			return fields[field].too_long;
		if (field == PKI_EMAIL && typed.at[k] >= 0x80)
			return "ASCII characters only";
		characters += (typed.at[k] & 0xc0) != 0x80;
	}
	if (characters > fields[field].most ||
	    (field == PKI_COUNTRY && characters == 1))
		return fields[field].too_long;
	return NULL;
}

enum err
pki_subject_set(struct pki_subject *subject, enum pki_field field,
    struct bytes typed, const char **why)
{
	*why = text_breaks(field, typed);
	if (*why != NULL)
		return ERR_FIELD;
	memcpy(subject->field[field], typed.at, typed.octets);
	subject->field[field][typed.octets] = '\0';
	return OK;
}

/* ---------------------------------------------------------------------------
 * PEM
 */

static const char *const labels[] = {
    [PKI_CERTIFICATE] = "CERTIFICATE",
    [PKI_REQUEST] = "CERTIFICATE REQUEST",
    [PKI_RSA_PRIVATE] = "RSA PRIVATE KEY",
    [PKI_RSA_PUBLIC] = "RSA PUBLIC KEY",
};

static const char *const first_missing[] = {
    [PKI_CERTIFICATE] = "the line -----BEGIN CERTIFICATE----- is missing",
    [PKI_REQUEST] = "the line -----BEGIN CERTIFICATE REQUEST----- is missing",
    [PKI_RSA_PRIVATE] = "the line -----BEGIN RSA PRIVATE KEY----- is missing",
    [PKI_RSA_PUBLIC] = "the line -----BEGIN RSA PUBLIC KEY----- is missing",
};

static const char *const last_missing[] = {
    [PKI_CERTIFICATE] = "the line -----END CERTIFICATE----- is missing",
    [PKI_REQUEST] = "the line -----END CERTIFICATE REQUEST----- is missing",
    [PKI_RSA_PRIVATE] = "the line -----END RSA PRIVATE KEY----- is missing",
    [PKI_RSA_PUBLIC] = "the line -----END RSA PUBLIC KEY----- is missing",
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line that is not blank, without the blanks around it. */
static bool
line_take(struct bytes *text, struct bytes *line)
{
	const uint8_t *end;

	while (text->octets != 0) {
		end = memchr(text->at, '\n', text->octets);
		line->at = text->at;
		line->octets =
		    end != NULL ? (size_t)(end - text->at) : text->octets;
		text->at += line->octets;
		text->octets -= line->octets;
		if (end != NULL) {
			text->at++;
			text->octets--;
		}
		while (line->octets != 0 && is_blank(line->at[0])) {
			line->at++;
			line->octets--;
		}
		while (
		    line->octets != 0 && is_blank(line->at[line->octets - 1]))
			line->octets--;
		if (line->octets != 0)
			return true;
	}
	return false;
}

static bool
is_edge(struct bytes line, const char *which, const char *label)
{
	char edge[64];

	(void)snprintf(edge, sizeof(edge), "-----%s %s-----", which, label);
	return bytes_equal_text(line, edge);
}

/* The base64 between the edges, in one piece. */
static enum err
block_take(
    enum pki_pem kind, struct bytes text, struct buf *base64, const char **why)
{
	struct bytes line;
	enum err rc = OK;

	if (!line_take(&text, &line) || !is_edge(line, "BEGIN", labels[kind]))
		TRY(no(first_missing[kind], why));
	for (;;) {
		if (!line_take(&text, &line))
			TRY(no(last_missing[kind], why));
		if (line.at[0] == '-')
			break;
		TRY(buf_put(base64, line));
	}
	if (!is_edge(line, "END", labels[kind]))
		TRY(no(last_missing[kind], why));
	if (line_take(&text, &line))
		TRY(no("something follows the last line", why));
out:
	return rc;
}

/* Strict: EVP_DecodeBlock takes white space and padding anywhere. */
static enum err
base64_read(struct bytes in, struct buf *der, const char **why)
{
	size_t padding = 0;
	uint8_t *tail;
	size_t k;
	int octets;
	enum err rc = OK;

	while (padding < 2 && padding < in.octets &&
	       in.at[in.octets - 1 - padding] == '=')
		padding++;
	for (k = 0; k < in.octets - padding; k++) {
		uint8_t c = in.at[k];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '+' &&
		    c != '/')
			TRY(no("a line is no base64", why));
	}
	if (in.octets == 0 || in.octets % 4 != 0)
		TRY(no("lines are missing", why));
	TRY(buf_reserve(der, in.octets / 4 * 3, &tail));
	octets = EVP_DecodeBlock(tail, in.at, (int)in.octets);
	if (octets < (int)padding)
		TRY(no("a line is no base64", why));
	buf_added(der, (size_t)octets - padding);
out:
	return rc;
}

enum err
pki_pem_read(
    enum pki_pem kind, struct bytes text, struct buf *der, const char **why)
{
	struct buf base64;
	enum err rc = OK;

	buf_init(&base64, PKI_TEXT_MAX_OCTETS);
	*why = NULL;
	if (text.octets > PKI_TEXT_MAX_OCTETS)
		TRY(no("longer than 65536 octets", why));
	TRY(block_take(kind, text, &base64, why));
	TRY(base64_read(buf_peek(&base64), der, why));
out:
	buf_clear(&base64);
	return rc;
}

enum err
pki_pem_write(enum pki_pem kind, struct bytes der, struct buf *text)
{
	char line[BASE64_LINE + 1];
	struct bytes head;
	enum err rc = OK;

	TRY(buf_printf(text, "-----BEGIN %s-----\n", labels[kind]));
	while (der.octets != 0) {
		size_t most = BASE64_LINE / 4 * 3;

		TRY(bytes_split(
		    &der, der.octets < most ? der.octets : most, &head));
		(void)EVP_EncodeBlock(
		    (unsigned char *)line, head.at, (int)head.octets);
		TRY(buf_printf(text, "%s\n", line));
	}
	TRY(buf_printf(text, "-----END %s-----\n", labels[kind]));
out:
	secret_wipe(line, sizeof(line)); /* it may be a key's */
	return rc;
}

/* ---------------------------------------------------------------------------
 * DER in and out
 */

static enum err
read_certificate(struct bytes der, X509 **out)
{
	const unsigned char *at = der.at;

	*out = NULL;
	if (der.octets > PKI_TEXT_MAX_OCTETS)
		return ERR_FIELD;
	*out = d2i_X509(NULL, &at, (long)der.octets);
	if (*out != NULL && at == der.at + der.octets)
		return OK;
	X509_free(*out);
	*out = NULL;
	return ossl_err("d2i_X509", ERR_FIELD);
}

static enum err
read_request(struct bytes der, X509_REQ **out)
{
	const unsigned char *at = der.at;

	*out = NULL;
	if (der.octets > PKI_TEXT_MAX_OCTETS)
		return ERR_FIELD;
	*out = d2i_X509_REQ(NULL, &at, (long)der.octets);
	if (*out != NULL && at == der.at + der.octets)
		return OK;
	X509_REQ_free(*out);
	*out = NULL;
	return ossl_err("d2i_X509_REQ", ERR_FIELD);
}

static enum err
read_key(struct bytes der, EVP_PKEY **out)
{
	const unsigned char *at = der.at;

	*out = d2i_AutoPrivateKey(NULL, &at, (long)der.octets);
	return *out != NULL ? OK : ossl_err("d2i_AutoPrivateKey", ERR_CRYPTO);
}

static enum err
write_key(const EVP_PKEY *key, struct secret **out)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int octets = 0;
	enum err rc = OK;

	if (info == NULL || (octets = i2d_PKCS8_PRIV_KEY_INFO(info, &der)) < 0)
		TRY(ossl_err("EVP_PKEY2PKCS8", ERR_CRYPTO));
	TRY(secret_copy((struct bytes){der, (size_t)octets}, out));
out:
	OPENSSL_clear_free(der, octets > 0 ? (size_t)octets : 0);
	PKCS8_PRIV_KEY_INFO_free(info);
	return rc;
}

/* What an i2d function has made: taken over, and freed. */
static enum err
take_der(unsigned char *der, int octets, struct buf *out)
{
	enum err rc;

	if (octets < 0)
		return ossl_err("i2d", ERR_CRYPTO);
	rc = buf_put(out, (struct bytes){der, (size_t)octets});
	OPENSSL_free(der);
	return rc;
}

static enum err
write_certificate(X509 *cert, struct buf *out)
{
	unsigned char *der = NULL;
	int octets = i2d_X509(cert, &der);

	return take_der(der, octets, out);
}

/* ---------------------------------------------------------------------------
 * Keys and requests
 */

enum err
pki_key_new(unsigned bits, struct bytes seed, struct secret **out)
{
	EVP_PKEY *key = NULL;
	enum err rc = OK;

	*out = NULL;
	RAND_add(seed.at, (int)seed.octets, 0.0);
	key = EVP_RSA_gen(bits);
	if (key == NULL)
		TRY(ossl_err("EVP_RSA_gen", ERR_CRYPTO));
	TRY(write_key(key, out));
out:
	EVP_PKEY_free(key);
	return rc;
}

static enum err
name_put(const struct pki_subject *subject, X509_NAME *name, const char **why)
{
	/* most general first, as names are written */
	static const enum pki_field order[PKI_FIELD_COUNT] = {PKI_COUNTRY,
	    PKI_STATE, PKI_LOCALITY, PKI_ORGANIZATION, PKI_UNIT,
	    PKI_COMMON_NAME, PKI_EMAIL};
	size_t k;
	enum err rc = OK;

	if (subject->field[PKI_COMMON_NAME][0] == '\0')
		TRY(no("a common name is needed", why));
	for (k = 0; k < PKI_FIELD_COUNT; k++) {
		const char *text = subject->field[order[k]];

		if (*text != '\0' &&
		    X509_NAME_add_entry_by_NID(name, fields[order[k]].nid,
			MBSTRING_UTF8, (const unsigned char *)text, -1, -1,
			0) != 1)
			TRY(ossl_err("X509_NAME_add_entry_by_NID", ERR_CRYPTO));
	}
out:
	return rc;
}

enum err
pki_request_new(struct bytes key_der, const struct pki_subject *subject,
    struct buf *out, const char **why)
{
	X509_REQ *request = X509_REQ_new();
	EVP_PKEY *key = NULL;
	unsigned char *der = NULL;
	int octets;
	enum err rc = OK;

	*why = NULL;
	TRY(read_key(key_der, &key));
	if (request == NULL)
		TRY(ossl_err("X509_REQ_new", ERR_NOMEM));
	TRY(name_put(subject, X509_REQ_get_subject_name(request), why));
	if (X509_REQ_set_version(request, 0) != 1 ||
	    X509_REQ_set_pubkey(request, key) != 1 ||
	    X509_REQ_sign(request, key, EVP_sha256()) == 0)
		TRY(ossl_err("X509_REQ_sign", ERR_CRYPTO));
	octets = i2d_X509_REQ(request, &der);
	TRY(take_der(der, octets, out));
out:
	EVP_PKEY_free(key);
	X509_REQ_free(request);
	return rc;
}

/* A key that this server vouches for. */
static enum err
judge_key(const EVP_PKEY *key, const char **why)
{
	BIGNUM *e = NULL;
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;
	enum err rc = OK;

	if (key == NULL)
		TRY(no("its public key cannot be read", why));
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
		if (bits < RSA_LEAST_BITS || bits > RSA_MOST_BITS)
			TRY(no("its RSA key has not 768 to 8192 bits", why));
		if (EVP_PKEY_get_bn_param(key, "e", &e) != 1)
			TRY(ossl_err("EVP_PKEY_get_bn_param", ERR_CRYPTO));
		if (!BN_is_odd(e) || BN_is_one(e) ||
		    BN_num_bits(e) > RSA_EXPONENT_BITS)
			TRY(no("its RSA key has an exponent that is not to be "
			       "trusted",
			    why));
	} else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		if (bits < EC_LEAST_BITS)
			TRY(no("its EC key has less than 224 bits", why));
	} else {
		TRY(no("its key is neither an RSA nor an EC key", why));
	}
out:
	BN_free(e);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Certificates
 */

/* clang-format off */
static const struct {
	const char *constraints;
	const char *usage;
	const char *extended; /* NULL: none */
} purposes[] = {
	[PKI_SERVER] = { "critical,CA:FALSE",
	    "critical,digitalSignature,keyEncipherment", "serverAuth" },
	[PKI_CLIENT] = { "critical,CA:FALSE",
	    "critical,digitalSignature,keyEncipherment", "clientAuth" },
	[PKI_CA]     = { "critical,CA:TRUE",
	    "critical,keyCertSign,cRLSign", NULL },
	[PKI_MAIL]   = { "critical,CA:FALSE",
	    "critical,digitalSignature,nonRepudiation", "emailProtection" },
};
/* clang-format on */

static const char *
usage_of(enum pki_purpose purpose, const EVP_PKEY *key)
{
	/* an EC key enciphers nothing */
	if (purpose != PKI_CA && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		return "critical,digitalSignature";
	return purposes[purpose].usage;
}

static enum err
extension_put(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	enum err rc = OK;

	if (ext == NULL || X509_add_ext(cert, ext, -1) != 1)
		TRY(ossl_err("X509_add_ext", ERR_CRYPTO));
out:
	X509_EXTENSION_free(ext);
	return rc;
}

/* The names that the request asks for beside its subject's. */
static enum err
alts_put(X509 *cert, X509_REQ *request, const char **why)
{
	STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(request);
	GENERAL_NAMES *names =
	    X509V3_get_d2i(asked, NID_subject_alt_name, NULL, NULL);
	enum err rc = OK;

	if (names == NULL)
		goto out;
	if (sk_GENERAL_NAME_num(names) > ALTS_MOST)
		TRY(no("asks for more than 100 alternative names", why));
	if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) != 1)
		TRY(ossl_err("X509_add1_ext_i2d", ERR_CRYPTO));
out:
	ossl_forget();
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
	return rc;
}

static enum err
extensions_put(X509 *cert, X509 *issuer, X509_REQ *request,
    enum pki_purpose purpose, const char **why)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	X509V3_CTX ctx;
	enum err rc = OK;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	TRY(extension_put(
	    cert, &ctx, NID_basic_constraints, purposes[purpose].constraints));
	TRY(extension_put(cert, &ctx, NID_key_usage, usage_of(purpose, key)));
	if (purposes[purpose].extended != NULL)
		TRY(extension_put(
		    cert, &ctx, NID_ext_key_usage, purposes[purpose].extended));
	TRY(extension_put(cert, &ctx, NID_subject_key_identifier, "hash"));
	TRY(extension_put(cert, &ctx, NID_authority_key_identifier, "keyid"));
	if (purpose != PKI_CA)
		TRY(alts_put(cert, request, why));
out:
	return rc;
}

static enum err
times_put(X509 *cert, int64_t from_s, int64_t until_s)
{
	enum err rc = OK;

	if (ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from_s) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)until_s) == NULL)
		TRY(ossl_err("ASN1_TIME_set", ERR_CRYPTO));
out:
	return rc;
}

/* Signed by the key that it is about, which is one to vouch for. */
static enum err
judge_request(X509_REQ *request, const char **why)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	enum err rc = OK;

	TRY(judge_key(key, why));
	if (X509_NAME_entry_count(X509_REQ_get_subject_name(request)) == 0)
		TRY(no("its subject is empty", why));
	if (X509_REQ_verify(request, key) != 1)
		TRY(no("is not signed by the key in it", why));
out:
	return rc;
}

enum err
pki_issue(const struct pki_order *order, struct buf *der, const char **why)
{
	X509 *cert = X509_new();
	X509 *issuer = NULL;
	X509_REQ *request = NULL;
	EVP_PKEY *key = NULL;
	enum err rc = OK;

	*why = NULL;
	if (cert == NULL)
		TRY(ossl_err("X509_new", ERR_NOMEM));
	if (read_request(order->request, &request) != OK)
		TRY(no(unreadable_request, why));
	TRY(judge_request(request, why));
	TRY(read_key(order->key, &key));
	if (order->issuer.octets != 0)
		TRY(read_certificate(order->issuer, &issuer));
	if (X509_set_version(cert, X509_VERSION_3) != 1 ||
	    ASN1_INTEGER_set_uint64(
		X509_get_serialNumber(cert), order->serial) != 1 ||
	    X509_set_subject_name(cert, X509_REQ_get_subject_name(request)) !=
		1 ||
	    X509_set_issuer_name(cert,
		issuer != NULL ? X509_get_subject_name(issuer)
			       : X509_REQ_get_subject_name(request)) != 1 ||
	    X509_set_pubkey(cert, X509_REQ_get0_pubkey(request)) != 1)
		TRY(ossl_err("X509", ERR_CRYPTO));
	TRY(times_put(cert, order->from_s, order->until_s));
	TRY(extensions_put(cert, issuer != NULL ? issuer : cert, request,
	    order->purpose, why));
	if (X509_sign(cert, key, EVP_sha256()) == 0)
		TRY(ossl_err("X509_sign", ERR_CRYPTO));
	TRY(write_certificate(cert, der));
out:
	EVP_PKEY_free(key);
	X509_REQ_free(request);
	X509_free(issuer);
	X509_free(cert);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Import
 */

struct password {
	struct bytes text;
	bool asked;
};

/* A pem_password_cb: nobody is asked at a terminal. */
static int
password_give(char *room, int room_octets, int writes, void *ctx)
{
	struct password *password = ctx;

	(void)writes;
	password->asked = true;
	if (password->text.octets == 0 ||
	    password->text.octets > (size_t)room_octets)
		return -1;
	memcpy(room, password->text.at, password->text.octets);
	return (int)password->text.octets;
}

static enum err
import_key(BIO *bio, struct bytes password, EVP_PKEY **out, const char **why)
{
	struct password ask = {password, false};
	enum err rc = OK;

	*out = PEM_read_bio_PrivateKey(bio, NULL, password_give, &ask);
	if (*out == NULL && ask.asked)
		TRY(no("the Private Key Password does not open its private key",
		    why));
	if (*out == NULL)
		TRY(no("its private key is missing, or cannot be read", why));
out:
	return rc;
}

static enum err
judge_import(
    X509 *cert, const EVP_PKEY *key, unsigned most_bits, const char **why)
{
	enum err rc = OK;

	TRY(judge_key(key, why));
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	    EVP_PKEY_get_bits(key) > (int)most_bits)
		TRY(no("its key is longer than can be imported", why));
	if (X509_check_private_key(cert, key) != 1)
		TRY(no("the private key is another certificate's", why));
out:
	return rc;
}

enum err
pki_import(struct bytes text, struct bytes password, unsigned most_bits,
    struct buf *certificate, struct secret **key_out, const char **why)
{
	BIO *bio = NULL;
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	enum err rc = OK;

	*key_out = NULL;
	*why = NULL;
	if (text.octets == 0 || text.octets > PKI_TEXT_MAX_OCTETS)
		TRY(no("must have 1 to 65536 octets", why));
	bio = BIO_new_mem_buf(text.at, (int)text.octets);
	if (bio == NULL)
		TRY(ossl_err("BIO_new_mem_buf", ERR_NOMEM));
	cert = PEM_read_bio_X509(
	    bio, NULL, password_give, &(struct password){BYTES_NONE, false});
	if (cert == NULL)
		TRY(no("there is no certificate in it", why));
	if (BIO_reset(bio) != 1)
		TRY(ossl_err("BIO_reset", ERR_SYSTEM));
	TRY(import_key(bio, password, &key, why));
	TRY(judge_import(cert, key, most_bits, why));
	TRY(write_certificate(cert, certificate));
	TRY(write_key(key, key_out));
out:
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(bio);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Looking at them
 */

static enum err
name_text(const X509_NAME *name, struct arena *a, const char **out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at;
	long octets;
	enum err rc = OK;

	if (bio == NULL)
		TRY(ossl_err("BIO_new", ERR_NOMEM));
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		TRY(ossl_err("X509_NAME_print_ex", ERR_FIELD));
	octets = BIO_get_mem_data(bio, &at);
	TRY(arena_printf(a, out, "%.*s", (int)octets, octets > 0 ? at : ""));
out:
	BIO_free(bio);
	return rc;
}

static enum err
serial_text(const X509 *cert, struct arena *a, const char **out)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *text = number != NULL ? BN_bn2hex(number) : NULL;
	const char *digits = text;
	enum err rc = OK;

	if (text == NULL)
		TRY(ossl_err("BN_bn2hex", ERR_NOMEM));
	while (digits[0] == '0' && digits[1] != '\0')
		digits++;
	TRY(digits[0] == '-' ? arena_printf(a, out, "-0x%s", digits + 1)
			     : arena_printf(a, out, "0x%s", digits));
out:
	OPENSSL_free(text);
	BN_free(number);
	return rc;
}

static enum err
time_s(const ASN1_TIME *time, int64_t *out)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, seconds;
	enum err rc = OK;

	if (epoch == NULL)
		TRY(ossl_err("ASN1_TIME_set", ERR_NOMEM));
	if (ASN1_TIME_diff(&days, &seconds, epoch, time) != 1)
		TRY(ossl_err("ASN1_TIME_diff", ERR_FIELD));
	*out = (int64_t)days * 24 * 3600 + seconds;
out:
	ASN1_TIME_free(epoch);
	return rc;
}

static unsigned
bits_of(const EVP_PKEY *key)
{
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

	ossl_forget();
	return bits > 0 ? (unsigned)bits : 0;
}

static enum err
certificate_facts(struct bytes der, struct arena *a, struct pki_facts *out)
{
	X509 *cert = NULL;
	enum err rc = OK;

	TRY(read_certificate(der, &cert));
	TRY(name_text(X509_get_subject_name(cert), a, &out->subject));
	TRY(name_text(X509_get_issuer_name(cert), a, &out->issuer));
	TRY(serial_text(cert, a, &out->serial));
	TRY(time_s(X509_get0_notBefore(cert), &out->from_s));
	TRY(time_s(X509_get0_notAfter(cert), &out->until_s));
	out->key_bits = bits_of(X509_get0_pubkey(cert));
out:
	X509_free(cert);
	return rc;
}

enum err
pki_facts(
    enum pki_pem kind, struct bytes der, struct arena *a, struct pki_facts *out)
{
	X509_REQ *request = NULL;
	enum err rc = OK;

	*out = (struct pki_facts){.subject = "", .issuer = "", .serial = ""};
	if (kind == PKI_CERTIFICATE)
		return certificate_facts(der, a, out);
	TRY(read_request(der, &request));
	TRY(name_text(X509_REQ_get_subject_name(request), a, &out->subject));
	out->key_bits = bits_of(X509_REQ_get0_pubkey(request));
out:
	X509_REQ_free(request);
	return rc;
}

/* The caller's own reference. */
static enum err
public_key(enum pki_pem kind, struct bytes der, EVP_PKEY **out)
{
	const unsigned char *at = der.at;
	X509 *cert = NULL;
	X509_REQ *request = NULL;
	enum err rc = OK;

	if (kind == PKI_CERTIFICATE) {
		TRY(read_certificate(der, &cert));
		*out = X509_get_pubkey(cert);
	} else if (kind == PKI_RSA_PUBLIC) {
		*out = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.octets);
	} else {
		TRY(read_request(der, &request));
		*out = X509_REQ_get_pubkey(request);
	}
	if (*out == NULL)
		TRY(ossl_err("public key", ERR_FIELD));
out:
	X509_REQ_free(request);
	X509_free(cert);
	return rc;
}

enum err
pki_same_key(
    enum pki_pem kind_a, struct bytes a, enum pki_pem kind_b, struct bytes b)
{
	EVP_PKEY *key_a = NULL;
	EVP_PKEY *key_b = NULL;
	enum err rc = OK;

	TRY(public_key(kind_a, a, &key_a));
	TRY(public_key(kind_b, b, &key_b));
	if (EVP_PKEY_eq(key_a, key_b) != 1)
		TRY(ossl_err("EVP_PKEY_eq", ERR_FIELD));
out:
	EVP_PKEY_free(key_a);
	EVP_PKEY_free(key_b);
	return rc;
}

enum err
pki_is_ca(struct bytes certificate, const char **why)
{
	X509 *cert = NULL;
	enum err rc = OK;

	*why = NULL;
	if (read_certificate(certificate, &cert) != OK)
		TRY(no(unreadable_certificate, why));
	TRY(judge_key(X509_get0_pubkey(cert), why));
	/* 1: basicConstraints says so; others are guesses */
	if (X509_check_ca(cert) != 1)
		TRY(no("is no certificate of a certificate authority: its "
		       "basicConstraints do not say CA:TRUE, or its keyUsage "
		       "lacks keyCertSign",
		    why));
out:
	ossl_forget();
	X509_free(cert);
	return rc;
}

enum err
pki_signed_by(struct bytes certificate, struct bytes ca)
{
	X509 *cert = NULL;
	X509 *issuer = NULL;
	enum err rc = OK;

	TRY(read_certificate(certificate, &cert));
	TRY(read_certificate(ca, &issuer));
	if (X509_NAME_cmp(X509_get_issuer_name(cert),
		X509_get_subject_name(issuer)) != 0 ||
	    X509_verify(cert, X509_get0_pubkey(issuer)) != 1)
		TRY(ossl_err("X509_verify", ERR_FIELD));
out:
	X509_free(cert);
	X509_free(issuer);
	return rc;
}
