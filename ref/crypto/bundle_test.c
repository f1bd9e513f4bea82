/*
 * What OpenSSL writes is read, in every form; and what lacks something is not.
 */
#include "crypto/bundle.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/ossl.h"
#include "crypto/pki.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define PASSWORD      "Rope7.Candle"

enum { NOW_S = 1767225600, DAY_S = 24 * 3600, TEXT_MOST = 256 * 1024 };

/* A root, what it signed, and what that signed; and their keys. */
enum { ROOT, MIDDLE, LEAF, PEOPLE };
static X509 *cert[PEOPLE];
static EVP_PKEY *key[PEOPLE];
static EVP_PKEY *ec;

static void
person_make(int who, const char *name)
{
	struct pki_subject subject = {.field = {""}};
	struct secret *own = NULL;
	struct secret *signer = NULL;
	struct buf request, der, issuer;
	struct pki_order order = {.purpose = who == LEAF ? PKI_CLIENT : PKI_CA,
	    .serial = (uint64_t)who + 1,
	    .from_s = NOW_S,
	    .until_s = NOW_S + 10 * DAY_S};
	const unsigned char *at;
	unsigned char *text = NULL;
	const char *why;
	int octets;

	buf_init(&request, PKI_TEXT_MAX_OCTETS);
	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	buf_init(&issuer, PKI_TEXT_MAX_OCTETS);
	assert_int_equal(pki_key_new(1024, bytes_of_text("seed"), &own), OK);
	assert_int_equal(pki_subject_set(&subject, PKI_COMMON_NAME,
			     bytes_of_text(name), &why),
	    OK);
	assert_int_equal(
	    pki_request_new(secret_peek(own), &subject, &request, &why), OK);
	order.request = buf_peek(&request);
	order.key = secret_peek(own);
	if (who != ROOT) {
		octets = i2d_X509(cert[who - 1], &text);
		assert_int_equal(
		    buf_put(&issuer, (struct bytes){text, (size_t)octets}), OK);
		OPENSSL_free(text);
		text = NULL;
		octets = i2d_PrivateKey(key[who - 1], &text);
		assert_int_equal(
		    secret_copy((struct bytes){text, (size_t)octets}, &signer),
		    OK);
		OPENSSL_free(text);
		order.issuer = buf_peek(&issuer);
		order.key = secret_peek(signer);
	}
	assert_int_equal(pki_issue(&order, &der, &why), OK);
	at = der.at;
	cert[who] = d2i_X509(NULL, &at, (long)der.octets);
	at = secret_peek(own).at;
	key[who] = d2i_AutoPrivateKey(NULL, &at, (long)secret_peek(own).octets);
	assert_non_null(cert[who]);
	assert_non_null(key[who]);
	secret_free(own);
	secret_free(signer);
	buf_clear(&request);
	buf_clear(&der);
	buf_clear(&issuer);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(ossl_init(), OK);
	person_make(ROOT, "root");
	person_make(MIDDLE, "middle");
	person_make(LEAF, "leaf");
	ec = EVP_EC_gen("P-256");
	assert_non_null(ec);
	return 0;
}

static int
tear_down(void **state)
{
	int k;

	(void)state;
	for (k = 0; k < PEOPLE; k++) {
		X509_free(cert[k]);
		EVP_PKEY_free(key[k]);
	}
	EVP_PKEY_free(ec);
	return 0;
}

/* ---- writing them ---- */

static void
put_bag(BIO *out)
{
	PKCS7 *bag = PKCS7_new();
	int k;

	assert_int_equal(PKCS7_set_type(bag, NID_pkcs7_signed), 1);
	assert_int_equal(PKCS7_content_new(bag, NID_pkcs7_data), 1);
	for (k = ROOT; k < PEOPLE; k++)
		assert_int_equal(PKCS7_add_certificate(bag, cert[k]), 1);
	assert_int_equal(PEM_write_bio_PKCS7(out, bag), 1);
	PKCS7_free(bag);
}

static void
put_box(BIO *out, EVP_PKEY *of)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	unsigned char *der = NULL;
	PKCS12 *box;
	int octets;

	sk_X509_push(others, cert[ROOT]);
	sk_X509_push(others, cert[MIDDLE]);
	box = PKCS12_create(PASSWORD, "leaf", of,
	    of != NULL ? cert[LEAF] : NULL, others, 0, 0, 10, 10, 0);
	assert_non_null(box);
	octets = i2d_PKCS12(box, &der);
	assert_true(PEM_write_bio(out, "PKCS12", "", der, octets) > 0);
	OPENSSL_free(der);
	PKCS12_free(box);
	sk_X509_free(others);
}

/*
 * r m l: the certificates; R L: their keys in PKCS#8; 1: the leaf's in PKCS#1;
 * e: encrypted; E: a key of a curve; 7: a bag; 2: PKCS12, 0: without a key; j:
 * another block; x: one that is cut off.
 */
static void
put(BIO *out, char what)
{
	switch (what) {
	case 'r':
		assert_int_equal(PEM_write_bio_X509(out, cert[ROOT]), 1);
		break;
	case 'm':
		assert_int_equal(PEM_write_bio_X509(out, cert[MIDDLE]), 1);
		break;
	case 'l':
		assert_int_equal(PEM_write_bio_X509(out, cert[LEAF]), 1);
		break;
	case 'R':
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
				     out, key[ROOT], NULL, NULL, 0, NULL, NULL),
		    1);
		break;
	case 'L':
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
				     out, key[LEAF], NULL, NULL, 0, NULL, NULL),
		    1);
		break;
	case '1':
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(
				     out, key[LEAF], NULL, NULL, 0, NULL, NULL),
		    1);
		break;
	case 'e':
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(out, key[LEAF],
				     EVP_aes_256_cbc(), PASSWORD,
				     (int)strlen(PASSWORD), NULL, NULL),
		    1);
		break;
	case 'E':
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
				     out, ec, NULL, NULL, 0, NULL, NULL),
		    1);
		break;
	case '7':
		put_bag(out);
		break;
	case '2':
		put_box(out, key[LEAF]);
		break;
	case '0':
		put_box(out, NULL);
		break;
	case 'j':
		BIO_puts(
		    out, "-----BEGIN ROPE-----\nAAAA\n-----END ROPE-----\n");
		break;
	case 'x':
		BIO_puts(out, "-----BEGIN CERTIFICATE-----\nMIIB\n");
		break;
	default:
		BIO_printf(out, "%c", what);
	}
}

static void
text_make(const char *parts, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at;
	long octets;

	for (; *parts != '\0'; parts++)
		put(bio, *parts);
	octets = BIO_get_mem_data(bio, &at);
	buf_init(out, TEXT_MOST);
	assert_int_equal(
	    buf_put(out, (struct bytes){(const uint8_t *)at, (size_t)octets}),
	    OK);
	BIO_free(bio);
}

/* ---- reading them ---- */

/* req: KS-28-288 KS-28-289 KS-28-290 KS-28-291 */
static const struct {
	const char *what;
	const char *parts;
	const char *password;
	size_t count;    /* of certificates; 0: it is refused ... */
	const char *why; /* ... with this */
} cases[] = {
    {"X.509 and its key", "lL", "", 1, NULL},
    {"the key first, as PKCS#1", "1l", "", 1, NULL},
    {"a chain in any order", "rLlm", "", 3, NULL},
    {"one between is missing", "rLl", "", 1, NULL},
    {"blank lines between", "l\n\nL\n", "", 1, NULL},
    {"a bag", "7L", "", 3, NULL},
    {"PKCS#12", "2", PASSWORD, 3, NULL},
    {"an encrypted key", "le", PASSWORD, 1, NULL},
    {"no key", "l", "", 0, "its private key is missing"},
    {"a bag, no key", "7", "", 0, "its private key is missing"},
    {"PKCS#12, no key", "0", PASSWORD, 0, "its private key is missing"},
    {"no certificate", "L", "", 0, "there is no certificate in it"},
    {"another's key", "lR", "", 0, "the private key is another certificate's"},
    {"two keys", "lLR", "", 0, "there is more than one private key in it"},
    {"a key, and one in PKCS#12", "2L", PASSWORD, 0,
	"there is more than one private key in it"},
    {"a key of a curve", "lE", "", 0, "its key is no RSA key"},
    {"PKCS#12, no password", "2", "", 0, "its PKCS12 block needs a password"},
    {"PKCS#12, another password", "2", "rope", 0,
	"the password does not open its PKCS12 block"},
    {"encrypted, no password", "le", "", 0,
	"the password does not open its private key"},
    {"encrypted, another password", "le", "rope", 0,
	"the password does not open its private key"},
    {"another block", "lLj", "", 0,
	"there is a block in it that is neither a certificate nor a private "
	"key"},
    {"cut off", "Lx", "", 0, "a block in it cannot be read"},
    {"nothing", "", "", 0, "must have 1 to 65536 octets"},
    {"no blocks", "#", "", 0, "its private key is missing"},
};

static void
test_what_is_read(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct bundle bundle;
		struct buf text;
		const char *why;
		enum err rc;

		text_make(cases[k].parts, &text);
		rc = bundle_read(buf_peek(&text),
		    bytes_of_text(cases[k].password), &bundle, &why);
		if (rc != (cases[k].count != 0 ? OK : ERR_FIELD))
			fail_msg("%s: %s, %s", cases[k].what, err_name(rc),
			    why != NULL ? why : "");
		if (rc != OK && strcmp(why, cases[k].why) != 0)
			fail_msg("%s: %s", cases[k].what, why);
		if (bundle.count != cases[k].count)
			fail_msg("%s: %zu certificates, not %zu", cases[k].what,
			    bundle.count, cases[k].count);
		assert_int_equal(rc == OK, bundle.key != NULL);
		bundle_clear(&bundle);
		buf_clear(&text);
	}
}

/* The leaf, the middle, the root; and the leaf's key. */
static void
test_its_own_stands_first(void **state)
{
	static const int order[] = {LEAF, MIDDLE, ROOT};
	const unsigned char *at;
	struct bundle bundle;
	EVP_PKEY *got;
	struct buf text;
	const char *why;
	size_t k;

	(void)state;
	text_make("rmlL", &text);
	assert_int_equal(
	    bundle_read(buf_peek(&text), BYTES_NONE, &bundle, &why), OK);
	for (k = 0; k < LENGTH(order); k++) {
		X509 *x;

		at = bundle.certificate[k].at;
		x = d2i_X509(NULL, &at, (long)bundle.certificate[k].octets);
		assert_int_equal(X509_cmp(x, cert[order[k]]), 0);
		X509_free(x);
	}
	at = secret_peek(bundle.key).at;
	got =
	    d2i_AutoPrivateKey(NULL, &at, (long)secret_peek(bundle.key).octets);
	assert_int_equal(EVP_PKEY_eq(got, key[LEAF]), 1);
	EVP_PKEY_free(got);
	bundle_clear(&bundle);
	buf_clear(&text);
}

static void
test_what_is_one(void **state)
{
	static const struct {
		const char *parts;
		bool is;
	} looks[] = {{"l", true}, {"Ll", true}, {"7", true}, {"2", true},
	    {"L", false}, {"1", false}, {"", false}};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(looks); k++) {
		struct buf text;

		text_make(looks[k].parts, &text);
		assert_int_equal(bundle_is(buf_peek(&text)), looks[k].is);
		buf_clear(&text);
	}
}

/* At most 64 certificates are looked at, and 65536 octets. */
static void
test_limits(void **state)
{
	char parts[80];
	struct bundle bundle;
	struct buf text;
	const char *why;

	(void)state;
	memset(parts, 'r', sizeof(parts));
	parts[62] = 'l';
	parts[63] = 'L';
	parts[64] = 'm';
	parts[65] = '\0';
	text_make(parts, &text);
	assert_int_equal(
	    bundle_read(buf_peek(&text), BYTES_NONE, &bundle, &why), OK);
	assert_int_equal(bundle.count, 3);
	bundle_clear(&bundle);
	buf_clear(&text);
	parts[65] = 'r';
	parts[66] = '\0';
	text_make(parts, &text);
	assert_int_equal(
	    bundle_read(buf_peek(&text), BYTES_NONE, &bundle, &why), ERR_FIELD);
	assert_string_equal(why, "there are more than 64 certificates in it");
	buf_clear(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_read),
	    cmocka_unit_test(test_its_own_stands_first),
	    cmocka_unit_test(test_what_is_one),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
