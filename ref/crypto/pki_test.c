/*
 * OpenSSL judges what is made here, as a peer would: with chains, purposes and
 * host names.
 */
#include "crypto/pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/ossl.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define assert_err(call, want)                                     \
	do {                                                       \
		enum err got_ = (call);                            \
		if (got_ != (want))                                \
			fail_msg("%s: expected %s, got %s", #call, \
			    err_name(want), err_name(got_));       \
	} while (0)
#define assert_ok(call) assert_err(call, OK)

/* 2026-01-01 */
enum { NOW_S = 1767225600, DAY_S = 24 * 3600 };

static const char *why;
static struct secret *root_key, *leaf_key;
static struct buf root_request, root, leaf_request, leaf;

static void
request_make(struct secret **key, const char *name, struct buf *out)
{
	struct pki_subject subject = {.field = {""}};

	buf_init(out, PKI_TEXT_MAX_OCTETS);
	assert_ok(pki_key_new(1024, bytes_of_text("seed"), key));
	assert_ok(pki_subject_set(
	    &subject, PKI_COMMON_NAME, bytes_of_text(name), &why));
	assert_ok(
	    pki_subject_set(&subject, PKI_COUNTRY, bytes_of_text("US"), &why));
	assert_ok(pki_request_new(secret_peek(*key), &subject, out, &why));
}

static struct pki_order
order_of(enum pki_purpose purpose, uint64_t serial)
{
	return (struct pki_order){
	    .purpose = purpose,
	    .request = buf_peek(&leaf_request),
	    .issuer = buf_peek(&root),
	    .key = secret_peek(root_key),
	    .serial = serial,
	    .from_s = NOW_S,
	    .until_s = NOW_S + 10 * DAY_S,
	};
}

static int
set_up(void **state)
{
	struct pki_order order;

	(void)state;
	assert_ok(ossl_init());
	request_make(&root_key, "root", &root_request);
	request_make(&leaf_key, "leaf", &leaf_request);
	buf_init(&root, PKI_TEXT_MAX_OCTETS);
	buf_init(&leaf, PKI_TEXT_MAX_OCTETS);
	order = order_of(PKI_CA, 0);
	order.request = buf_peek(&root_request);
	order.issuer = BYTES_NONE;
	assert_ok(pki_issue(&order, &root, &why));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(root_key);
	secret_free(leaf_key);
	buf_clear(&root_request);
	buf_clear(&leaf_request);
	buf_clear(&root);
	buf_clear(&leaf);
	return 0;
}

static X509 *
parsed(const struct buf *der)
{
	const unsigned char *at = der->at;
	X509 *cert = d2i_X509(NULL, &at, (long)der->octets);

	assert_non_null(cert);
	return cert;
}

/* As `openssl verify -x509_strict -purpose`, at a second. */
static int
verdict(const struct buf *der, int purpose, int64_t at_s)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *ca = parsed(&root);
	X509 *cert = parsed(der);
	X509_VERIFY_PARAM *param;
	int said;

	assert_int_equal(X509_STORE_add_cert(store, ca), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)at_s);
	assert_int_equal(
	    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT), 1);
	assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, purpose), 1);
	(void)X509_verify_cert(ctx);
	said = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(ca);
	X509_free(cert);
	return said;
}

/* req: KS-19-047 KS-34-025 KS-34-034 */
static void
test_purposes(void **state)
{
	static const struct {
		enum pki_purpose purpose;
		int server, client, mail;
	} rows[] = {
	    {PKI_SERVER, X509_V_OK, X509_V_ERR_INVALID_PURPOSE,
		X509_V_ERR_INVALID_PURPOSE},
	    {PKI_CLIENT, X509_V_ERR_INVALID_PURPOSE, X509_V_OK,
		X509_V_ERR_INVALID_PURPOSE},
	    {PKI_MAIL, X509_V_ERR_INVALID_PURPOSE, X509_V_ERR_INVALID_PURPOSE,
		X509_V_OK},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		struct pki_order order = order_of(rows[k].purpose, 7);

		buf_reset(&leaf);
		assert_ok(pki_issue(&order, &leaf, &why));
		assert_int_equal(verdict(&leaf, X509_PURPOSE_SSL_SERVER, NOW_S),
		    rows[k].server);
		assert_int_equal(verdict(&leaf, X509_PURPOSE_SSL_CLIENT, NOW_S),
		    rows[k].client);
		assert_int_equal(verdict(&leaf, X509_PURPOSE_SMIME_SIGN, NOW_S),
		    rows[k].mail);
		assert_err(pki_is_ca(buf_peek(&leaf), &why), ERR_FIELD);
		assert_ok(pki_signed_by(buf_peek(&leaf), buf_peek(&root)));
		assert_err(
		    pki_signed_by(buf_peek(&root), buf_peek(&leaf)), ERR_FIELD);
	}
}

static void
test_times(void **state)
{
	struct pki_order order = order_of(PKI_SERVER, 8);
	static const struct {
		int64_t at_s;
		int want;
	} rows[] = {
	    {NOW_S - 1, X509_V_ERR_CERT_NOT_YET_VALID},
	    {NOW_S, X509_V_OK},
	    {NOW_S + 10 * DAY_S - 1, X509_V_OK},
	    {NOW_S + 10 * DAY_S + 1, X509_V_ERR_CERT_HAS_EXPIRED},
	};
	size_t k;

	(void)state;
	buf_reset(&leaf);
	assert_ok(pki_issue(&order, &leaf, &why));
	/* the root is as old */
	for (k = 1; k < LENGTH(rows) - 1; k++)
		assert_int_equal(
		    verdict(&leaf, X509_PURPOSE_SSL_SERVER, rows[k].at_s),
		    rows[k].want);
	assert_int_not_equal(
	    verdict(&leaf, X509_PURPOSE_SSL_SERVER, rows[0].at_s), X509_V_OK);
	assert_int_not_equal(
	    verdict(&leaf, X509_PURPOSE_SSL_SERVER, rows[3].at_s), X509_V_OK);
}

static void
test_facts(void **state)
{
	struct pki_order order = order_of(PKI_SERVER, UINT64_C(0xfedcba987));
	struct pki_facts facts;
	struct arena *a;

	(void)state;
	assert_ok(arena_new(1 << 20, &a));
	buf_reset(&leaf);
	assert_ok(pki_issue(&order, &leaf, &why));
	assert_ok(pki_facts(PKI_CERTIFICATE, buf_peek(&leaf), a, &facts));
	assert_string_equal(facts.subject, "CN=leaf,C=US");
	assert_string_equal(facts.issuer, "CN=root,C=US");
	assert_string_equal(facts.serial, "0xFEDCBA987");
	assert_int_equal(facts.key_bits, 1024);
	assert_int_equal(facts.from_s, NOW_S);
	assert_int_equal(facts.until_s, NOW_S + 10 * DAY_S);
	assert_ok(pki_facts(PKI_CERTIFICATE, buf_peek(&root), a, &facts));
	assert_string_equal(facts.serial, "0x0");
	assert_ok(pki_facts(PKI_REQUEST, buf_peek(&leaf_request), a, &facts));
	assert_string_equal(facts.subject, "CN=leaf,C=US");
	assert_err(
	    pki_facts(PKI_CERTIFICATE, buf_peek(&leaf_request), a, &facts),
	    ERR_FIELD);
	assert_ok(pki_same_key(PKI_CERTIFICATE, buf_peek(&leaf), PKI_REQUEST,
	    buf_peek(&leaf_request)));
	assert_err(pki_same_key(PKI_CERTIFICATE, buf_peek(&root), PKI_REQUEST,
		       buf_peek(&leaf_request)),
	    ERR_FIELD);
	arena_free(a);
}

/* Another octet of it, and it is not what its key has signed. */
static void
test_a_request_that_was_changed(void **state)
{
	struct pki_order order = order_of(PKI_CLIENT, 9);
	struct buf changed;
	size_t k;

	(void)state;
	buf_init(&changed, PKI_TEXT_MAX_OCTETS);
	assert_ok(buf_put(&changed, buf_peek(&leaf_request)));
	for (k = 0; memcmp(changed.at + k, "leaf", 4) != 0; k++)
		;
	changed.at[k] = 'L';
	order.request = buf_peek(&changed);
	buf_reset(&leaf);
	assert_err(pki_issue(&order, &leaf, &why), ERR_FIELD);
	assert_string_equal(why, "is not signed by the key in it");
	order.request = bytes_of_text("0");
	assert_err(pki_issue(&order, &leaf, &why), ERR_FIELD);
	assert_string_equal(why, "is no certificate request");
	assert_int_equal(leaf.octets, 0);
	buf_clear(&changed);
}

/* A request with names beside its subject, and one that would be a CA. */
static struct buf
foreign_request(EVP_PKEY *key, int nid, const char *value)
{
	X509_REQ *request = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	unsigned char *der = NULL;
	struct buf out;
	int octets;

	buf_init(&out, PKI_TEXT_MAX_OCTETS);
	assert_non_null(ext);
	assert_true(sk_X509_EXTENSION_push(list, ext) > 0);
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN",
		MBSTRING_ASC, (const unsigned char *)"foreign", -1, -1, 0),
	    1);
	assert_int_equal(X509_REQ_add_extensions(request, list), 1);
	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	octets = i2d_X509_REQ(request, &der);
	assert_true(octets > 0);
	assert_ok(buf_put(&out, (struct bytes){der, (size_t)octets}));
	OPENSSL_free(der);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(request);
	return out;
}

static void
test_what_a_request_asks_for(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct pki_order order = order_of(PKI_SERVER, 10);
	struct buf named = foreign_request(
	    key, NID_subject_alt_name, "DNS:a.example,IP:10.0.0.1");
	struct buf greedy =
	    foreign_request(key, NID_basic_constraints, "critical,CA:TRUE");
	X509 *cert;

	(void)state;
	order.request = buf_peek(&named);
	buf_reset(&leaf);
	assert_ok(pki_issue(&order, &leaf, &why));
	cert = parsed(&leaf);
	assert_int_equal(X509_check_host(cert, "a.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(cert, "b.example", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(cert, "10.0.0.1", 0), 1);
	assert_int_equal(X509_get_key_usage(cert), X509v3_KU_DIGITAL_SIGNATURE);
	X509_free(cert);
	order.request = buf_peek(&greedy);
	buf_reset(&leaf);
	assert_ok(pki_issue(&order, &leaf, &why));
	assert_err(pki_is_ca(buf_peek(&leaf), &why), ERR_FIELD);
	buf_clear(&named);
	buf_clear(&greedy);
	EVP_PKEY_free(key);
}

static void
test_keys_nobody_should_trust(void **state)
{
	static const struct {
		const char *type;
		size_t bits;
		const char *why;
	} rows[] = {
	    {"RSA", 512, "its RSA key has not 768 to 8192 bits"},
	    {"RSA", 768, NULL},
	    {"ED25519", 0, "its key is neither an RSA nor an EC key"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		EVP_PKEY *key = rows[k].bits != 0 ? EVP_RSA_gen(rows[k].bits)
						  : EVP_PKEY_Q_keygen(NULL,
							NULL, rows[k].type);
		struct pki_order order = order_of(PKI_CLIENT, 11);
		X509_REQ *request = X509_REQ_new();
		unsigned char *der = NULL;
		int octets;

		assert_int_equal(
		    X509_NAME_add_entry_by_txt(
			X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
			(const unsigned char *)"x", -1, -1, 0),
		    1);
		assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
		assert_true(X509_REQ_sign(request, key,
				rows[k].bits != 0 ? EVP_sha256() : NULL) > 0);
		octets = i2d_X509_REQ(request, &der);
		order.request = (struct bytes){der, (size_t)octets};
		buf_reset(&leaf);
		if (rows[k].why == NULL) {
			assert_ok(pki_issue(&order, &leaf, &why));
		} else {
			assert_err(pki_issue(&order, &leaf, &why), ERR_FIELD);
			assert_string_equal(why, rows[k].why);
		}
		OPENSSL_free(der);
		X509_REQ_free(request);
		EVP_PKEY_free(key);
	}
}

/* req: KS-19-042 KS-03-114 KS-34-021 KS-34-020 */
static void
test_pem(void **state)
{
	static const struct {
		const char *first, *middle, *last;
		const char *why;
	} rows[] = {
	    {"-----BEGIN CERTIFICATE REQUEST-----",
		"AAEC\nAwQ=", "-----END CERTIFICATE REQUEST-----\n", NULL},
	    {"  -----BEGIN CERTIFICATE REQUEST----- \r", "AAEC\r\n\r\n  AwQ=\r",
		"-----END CERTIFICATE REQUEST-----", NULL},
	    {"", "AAECAwQ=", "-----END CERTIFICATE REQUEST-----",
		"the line -----BEGIN CERTIFICATE REQUEST----- is missing"},
	    {"-----BEGIN CERTIFICATE REQUEST-----", "AAECAwQ=", "",
		"the line -----END CERTIFICATE REQUEST----- is missing"},
	    {"-----BEGIN CERTIFICATE REQUEST-----",
		"AAECAwQ=", "-----END CERTIFICATE-----",
		"the line -----END CERTIFICATE REQUEST----- is missing"},
	    {"-----BEGIN CERTIFICATE-----",
		"AAECAwQ=", "-----END CERTIFICATE-----",
		"the line -----BEGIN CERTIFICATE REQUEST----- is missing"},
	    {"hello\n-----BEGIN CERTIFICATE REQUEST-----",
		"AAECAwQ=", "-----END CERTIFICATE REQUEST-----",
		"the line -----BEGIN CERTIFICATE REQUEST----- is missing"},
	    {"-----BEGIN CERTIFICATE REQUEST-----",
		"AAECAwQ=", "-----END CERTIFICATE REQUEST-----\nx",
		"something follows the last line"},
	    {"-----BEGIN CERTIFICATE REQUEST-----", "AAECAwQ",
		"-----END CERTIFICATE REQUEST-----", "lines are missing"},
	    {"-----BEGIN CERTIFICATE REQUEST-----", "",
		"-----END CERTIFICATE REQUEST-----", "lines are missing"},
	    {"-----BEGIN CERTIFICATE REQUEST-----", "AAEC=AwQ",
		"-----END CERTIFICATE REQUEST-----", "a line is no base64"},
	    {"-----BEGIN CERTIFICATE REQUEST-----", "AA EC",
		"-----END CERTIFICATE REQUEST-----", "a line is no base64"},
	    {"-----BEGIN CERTIFICATE REQUEST-----", "AAEC====",
		"-----END CERTIFICATE REQUEST-----", "a line is no base64"},
	};
	struct buf der;
	size_t k;

	(void)state;
	buf_init(&der, 100);
	for (k = 0; k < LENGTH(rows); k++) {
		char text[300];
		enum err rc;

		(void)snprintf(text, sizeof(text), "%s\n%s\n%s", rows[k].first,
		    rows[k].middle, rows[k].last);
		buf_reset(&der);
		rc = pki_pem_read(PKI_REQUEST, bytes_of_text(text), &der, &why);
		if (rows[k].why == NULL) {
			assert_ok(rc);
			assert_int_equal(der.octets, 5);
			assert_memory_equal(der.at, "\0\1\2\3\4", 5);
		} else {
			if (rc != ERR_FIELD || why == NULL ||
			    strcmp(why, rows[k].why) != 0)
				fail_msg("row %zu: expected \"%s\", got %s, "
					 "\"%s\"",
				    k, rows[k].why, err_name(rc),
				    why != NULL ? why : "");
			assert_int_equal(der.octets, 0);
		}
	}
	buf_clear(&der);
}

/* req: KS-28-257  each kind there and back, and for no other kind */
static void
test_pem_kinds(void **state)
{
	static const char *const labels[] = {"CERTIFICATE",
	    "CERTIFICATE REQUEST", "RSA PRIVATE KEY", "RSA PUBLIC KEY"};
	struct buf text, der;
	enum pki_pem kind, other;
	char want[200];

	(void)state;
	buf_init(&text, 200);
	buf_init(&der, 200);
	for (kind = PKI_CERTIFICATE; kind <= PKI_RSA_PUBLIC; kind++) {
		buf_reset(&text);
		assert_ok(pki_pem_write(kind,
		    (struct bytes){(const uint8_t *)"\0\1\2\3\4", 5}, &text));
		(void)snprintf(want, sizeof(want),
		    "-----BEGIN %s-----\nAAECAwQ=\n-----END %s-----\n",
		    labels[kind], labels[kind]);
		assert_true(bytes_equal_text(buf_peek(&text), want));
		for (other = PKI_CERTIFICATE; other <= PKI_RSA_PUBLIC;
		     other++) {
			enum err rc;

			buf_reset(&der);
			rc = pki_pem_read(other, buf_peek(&text), &der, &why);
			assert_int_equal(rc, other == kind ? OK : ERR_FIELD);
		}
	}
	buf_clear(&text);
	buf_clear(&der);
}

static void
test_pem_too_long(void **state)
{
	struct buf text, der;

	(void)state;
	buf_init(&text, 2 * PKI_TEXT_MAX_OCTETS);
	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	while (text.octets <= PKI_TEXT_MAX_OCTETS)
		assert_ok(buf_put_text(&text, "\n"));
	assert_err(pki_pem_read(PKI_CERTIFICATE, buf_peek(&text), &der, &why),
	    ERR_FIELD);
	assert_string_equal(why, "longer than 65536 octets");
	buf_clear(&text);
	buf_clear(&der);
}

static void
test_subjects(void **state)
{
	static const char a64[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct {
		enum pki_field field;
		const char *text;
		const char *why;
	} rows[] = {
	    {PKI_COMMON_NAME, a64, NULL},
	    {PKI_COMMON_NAME, "", NULL},
	    {PKI_COMMON_NAME,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"at most 64 characters"},
	    {PKI_ORGANIZATION, "Z\xc3\xbcrich & Co, Inc.", NULL},
	    {PKI_ORGANIZATION, "Z\xfcrich", "must be UTF-8 text"},
	    {PKI_UNIT, "a\nb", "must be one line of text"},
	    {PKI_COUNTRY, "DE", NULL},
	    {PKI_COUNTRY, "", NULL},
	    {PKI_COUNTRY, "D", "two letters, as US"},
	    {PKI_COUNTRY, "DEU", "two letters, as US"},
	    {PKI_COUNTRY, "D3", "two letters, as US"},
	    {PKI_EMAIL, "a@b.example", NULL},
	    {PKI_EMAIL, "\xc3\xbc@b.example", "ASCII characters only"},
	};
	struct pki_subject subject = {.field = {""}};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		enum err rc = pki_subject_set(
		    &subject, rows[k].field, bytes_of_text(rows[k].text), &why);

		if (rows[k].why == NULL) {
			assert_ok(rc);
			assert_string_equal(
			    subject.field[rows[k].field], rows[k].text);
		} else {
			assert_err(rc, ERR_FIELD);
			assert_string_equal(why, rows[k].why);
		}
	}
	subject.field[PKI_COMMON_NAME][0] = '\0';
	buf_reset(&leaf);
	assert_err(
	    pki_request_new(secret_peek(leaf_key), &subject, &leaf, &why),
	    ERR_FIELD);
	assert_string_equal(why, "a common name is needed");
}

/* PEM text of a certificate and a key, encrypted where there is a password. */
static struct buf
pem_of(const struct buf *certificate, const struct secret *key,
    const char *password)
{
	const unsigned char *at = secret_peek(key).at;
	EVP_PKEY *pkey =
	    d2i_AutoPrivateKey(NULL, &at, (long)secret_peek(key).octets);
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf out;
	char *text;
	long octets;

	buf_init(&out, PKI_TEXT_MAX_OCTETS);
	assert_non_null(pkey);
	assert_int_equal(
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey,
		password != NULL ? EVP_aes_128_cbc() : NULL, password,
		password != NULL ? (int)strlen(password) : 0, NULL, NULL),
	    1);
	octets = BIO_get_mem_data(bio, &text);
	assert_ok(buf_put(
	    &out, (struct bytes){(const uint8_t *)text, (size_t)octets}));
	if (certificate != NULL)
		assert_ok(pki_pem_write(
		    PKI_CERTIFICATE, buf_peek(certificate), &out));
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return out;
}

/* req: KS-34-041 KS-34-042 KS-34-051 */
static void
test_import(void **state)
{
	const struct {
		const struct buf *certificate;
		const struct secret *key;
		const char *encrypted, *given;
		unsigned most_bits;
		const char *why;
	} rows[] = {
	    {&root, root_key, NULL, "", 2048, NULL},
	    {&root, root_key, "secret", "secret", 2048, NULL},
	    {&root, root_key, "secret", "Secret", 2048,
		"the Private Key Password does not open its private key"},
	    {&root, root_key, "secret", "", 2048,
		"the Private Key Password does not open its private key"},
	    {&root, leaf_key, NULL, "", 2048,
		"the private key is another certificate's"},
	    {&root, root_key, NULL, "", 1023,
		"its key is longer than can be imported"},
	    {&root, root_key, NULL, "", 1024, NULL},
	    {NULL, root_key, NULL, "", 2048, "there is no certificate in it"},
	};
	struct secret *key;
	struct buf text;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		text =
		    pem_of(rows[k].certificate, rows[k].key, rows[k].encrypted);
		buf_reset(&leaf);
		if (rows[k].why == NULL) {
			assert_ok(pki_import(buf_peek(&text),
			    bytes_of_text(rows[k].given), rows[k].most_bits,
			    &leaf, &key, &why));
			assert_true(
			    bytes_equal(buf_peek(&leaf), buf_peek(&root)));
			assert_true(secret_equal(key, root_key));
			secret_free(key);
		} else {
			assert_err(pki_import(buf_peek(&text),
				       bytes_of_text(rows[k].given),
				       rows[k].most_bits, &leaf, &key, &why),
			    ERR_FIELD);
			assert_string_equal(why, rows[k].why);
			assert_null(key);
		}
		buf_clear(&text);
	}
	buf_init(&text, PKI_TEXT_MAX_OCTETS);
	assert_ok(pki_pem_write(PKI_CERTIFICATE, buf_peek(&root), &text));
	assert_err(
	    pki_import(buf_peek(&text), BYTES_NONE, 2048, &leaf, &key, &why),
	    ERR_FIELD);
	assert_string_equal(
	    why, "its private key is missing, or cannot be read");
	buf_clear(&text);
}

static void
test_ca_or_not(void **state)
{
	(void)state;
	assert_ok(pki_is_ca(buf_peek(&root), &why));
	assert_ok(pki_signed_by(buf_peek(&root), buf_peek(&root)));
	assert_err(pki_is_ca(buf_peek(&root_request), &why), ERR_FIELD);
	assert_string_equal(why, "is no certificate");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_purposes),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_a_request_that_was_changed),
	    cmocka_unit_test(test_what_a_request_asks_for),
	    cmocka_unit_test(test_keys_nobody_should_trust),
	    cmocka_unit_test(test_pem),
	    cmocka_unit_test(test_pem_kinds),
	    cmocka_unit_test(test_pem_too_long),
	    cmocka_unit_test(test_subjects),
	    cmocka_unit_test(test_import),
	    cmocka_unit_test(test_ca_or_not),
	};

	return cmocka_run_group_tests_name(
	    "crypto/pki", tests, set_up, tear_down);
}
