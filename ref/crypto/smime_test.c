/*
 * OpenSSL reads and judges what is signed here, as `openssl smime -verify`
 * does.
 */
#include "crypto/smime.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "crypto/ossl.h"
#include "crypto/pki.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define assert_err(call, want)                                     \
	do {                                                       \
		enum err got_ = (call);                            \
		if (got_ != (want))                                \
			fail_msg("%s: expected %s, got %s", #call, \
			    err_name(want), err_name(got_));       \
	} while (0)
#define assert_ok(call) assert_err(call, OK)

/* 2026-01-01, a Thursday; 2050-01-01, the first second of four digits */
enum { NOW_S = 1767225600, DAY_S = 24 * 3600 };
static const int64_t four_digits_s = 2524608000;

enum { MAIL_MAX_OCTETS = 4 * 1024 * 1024, LONG_OCTETS = 200 * 1000 };

static const enum smime_form forms[] = {SMIME_MULTIPART, SMIME_OPAQUE};

static struct secret *key, *other_key;
static struct buf certificate, other_certificate, mail, text;

static void
identity_make(struct secret **own, struct buf *der)
{
	struct pki_subject subject = {.field = {""}};
	struct pki_order order = {.purpose = PKI_MAIL,
	    .serial = 5,
	    .from_s = NOW_S,
	    .until_s = NOW_S + 10 * DAY_S};
	struct buf request;
	const char *why;

	buf_init(&request, PKI_TEXT_MAX_OCTETS);
	buf_init(der, PKI_TEXT_MAX_OCTETS);
	assert_ok(pki_key_new(1024, bytes_of_text("seed"), own));
	assert_ok(pki_subject_set(
	    &subject, PKI_COMMON_NAME, bytes_of_text("logsigner"), &why));
	assert_ok(pki_request_new(secret_peek(*own), &subject, &request, &why));
	order.request = buf_peek(&request);
	order.key = secret_peek(*own);
	assert_ok(pki_issue(&order, der, &why));
	buf_clear(&request);
}

static int
set_up(void **state)
{
	(void)state;
	assert_ok(ossl_init());
	identity_make(&key, &certificate);
	identity_make(&other_key, &other_certificate);
	buf_init(&mail, MAIL_MAX_OCTETS);
	buf_init(&text, MAIL_MAX_OCTETS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(key);
	secret_free(other_key);
	buf_clear(&certificate);
	buf_clear(&other_certificate);
	buf_clear(&mail);
	buf_clear(&text);
	return 0;
}

/* ---- signing ---- */

static enum err
text_read(void *ctx, uint64_t place, uint8_t *at, size_t room, size_t *octets)
{
	struct bytes from = buf_peek(ctx);

	*octets = 0;
	if (place >= from.octets)
		return OK;
	*octets = from.octets - (size_t)place;
	if (*octets > room)
		*octets = room;
	memcpy(at, from.at + place, *octets);
	return OK;
}

static enum err
mail_write(void *ctx, struct bytes octets)
{
	return buf_put(ctx, octets);
}

static struct smime_order
order_of(enum smime_form form)
{
	return (struct smime_order){
	    .form = form,
	    .certificate = buf_peek(&certificate),
	    .key = secret_peek(key),
	    .at_s = NOW_S,
	    .octets = text.octets,
	    .read = text_read,
	    .read_ctx = &text,
	    .write = mail_write,
	    .write_ctx = &mail,
	};
}

static enum err
sign(enum smime_form form)
{
	const struct smime_order order = order_of(form);

	buf_reset(&mail);
	return smime_sign(&order);
}

static void
text_set(const char *s)
{
	buf_reset(&text);
	assert_ok(buf_put_text(&text, s));
}

/* Lines of 50 octets, the last one cut short. */
static void
text_of(size_t octets)
{
	buf_reset(&text);
	while (text.octets + 50 < octets)
		assert_ok(buf_printf(&text,
		    "2026-01-01 00:00:00 [admin]: line %014zu\n", text.octets));
	while (text.octets + 1 < octets)
		assert_ok(buf_put_text(&text, "x"));
	if (octets != 0)
		assert_ok(buf_put_text(&text, "\n"));
	assert_int_equal(text.octets, octets);
}

/* ---- judging ---- */

static X509 *
parsed(const struct buf *der)
{
	const unsigned char *at = der->at;
	X509 *cert = d2i_X509(NULL, &at, (long)der->octets);

	assert_non_null(cert);
	return cert;
}

/*
 * As `openssl smime -verify -nointern -certfile -text -noverify`: is the
 * signature good? The text goes to `shown`.
 */
static bool
judge(struct bytes in, const struct buf *by, BIO *shown)
{
	BIO *bio = BIO_new_mem_buf(in.at, (int)in.octets);
	STACK_OF(X509) *certificates = sk_X509_new_null();
	X509 *cert = parsed(by);
	BIO *content = NULL;
	PKCS7 *p7 = SMIME_read_PKCS7(bio, &content);
	bool good;

	sk_X509_push(certificates, cert);
	good = p7 != NULL &&
	       PKCS7_verify(p7, certificates, NULL, content, shown,
		   PKCS7_TEXT | PKCS7_NOINTERN | PKCS7_NOVERIFY) == 1;
	ERR_clear_error();
	PKCS7_free(p7);
	BIO_free(content);
	sk_X509_pop_free(certificates, X509_free);
	BIO_free(bio);
	return good;
}

static bool
is_good(struct bytes in)
{
	BIO *shown = BIO_new(BIO_s_mem());
	bool good = judge(in, &certificate, shown);

	BIO_free(shown);
	return good;
}

/* What OpenSSL shows is the text, each LF of it as CR LF. */
static void
is_text(BIO *shown)
{
	char *at;
	long left = BIO_get_mem_data(shown, &at);
	size_t k;

	for (k = 0; k < text.octets; k++) {
		if (text.at[k] == '\n') {
			assert_true(left > 0 && *at == '\r');
			at++;
			left--;
		}
		assert_true(left > 0 && (uint8_t)*at == text.at[k]);
		at++;
		left--;
	}
	assert_int_equal(left, 0);
}

static void
check(enum smime_form form, const char *what)
{
	BIO *shown = BIO_new(BIO_s_mem());

	assert_ok(sign(form));
	if (!judge(buf_peek(&mail), &certificate, shown))
		fail_msg("%s, form %d: does not verify", what, (int)form);
	is_text(shown);
	BIO_free(shown);
}

/* ---- the tests ---- */

/* req: KS-20-067 KS-20-069 KS-20-070 KS-20-114 KS-20-115 */
static void
test_texts_come_back(void **state)
{
	static const struct {
		const char *what;
		const char *text;
	} rows[] = {
	    {"nothing", ""},
	    {"an empty line", "\n"},
	    {"a line", "2026-01-01 00:00:00 [admin]: Logged in\n"},
	    {"lines that look like a mail's", "--\n.\nFrom here\n\n--=_\n"},
	    {"blanks at the end of a line", "a \nb\t\n"},
	    {"other letters", "Gr\xc3\xbc\xc3\x9f Gott\n"},
	};
	size_t k, f;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		text_set(rows[k].text);
		for (f = 0; f < LENGTH(forms); f++)
			check(forms[f], rows[k].what);
	}
}

/* Around a line of base64, and around a piece as it is read. */
static void
test_lengths(void **state)
{
	static const size_t around[] = {1, 48, 96, 127, 16384, 32768};
	size_t k, f, octets;

	(void)state;
	for (k = 0; k < LENGTH(around); k++) {
		for (octets = around[k] - 1; octets <= around[k] + 1;
		     octets++) {
			text_of(octets);
			for (f = 0; f < LENGTH(forms); f++)
				check(forms[f], "a length");
		}
	}
	text_of(LONG_OCTETS);
	for (f = 0; f < LENGTH(forms); f++)
		check(forms[f], "a long one");
}

/* OpenSSL reads lines in pieces of 1023 octets. */
static void
test_long_lines(void **state)
{
	static const size_t around[] = {1023, 2046, 8192};
	size_t k, f, octets;

	(void)state;
	for (k = 0; k < LENGTH(around); k++) {
		for (octets = around[k] - 2; octets <= around[k] + 2;
		     octets++) {
			buf_reset(&text);
			while (text.octets < octets)
				assert_ok(buf_put_text(&text, "x"));
			assert_ok(buf_put_text(&text, "\nanother\n"));
			for (f = 0; f < LENGTH(forms); f++)
				check(forms[f], "a long line");
		}
	}
}

/* Changed to `other`, for a moment: refused. */
static void
is_seen(size_t place, uint8_t other)
{
	uint8_t was = mail.at[place];

	assert_int_not_equal(was, other);
	mail.at[place] = other;
	if (is_good(buf_peek(&mail)))
		fail_msg("octet %zu: the change is not seen", place);
	mail.at[place] = was;
}

/* Where that stands last; mail.octets: nowhere. */
static size_t
place_of(const char *what)
{
	size_t octets = strlen(what), k;

	for (k = mail.octets - octets + 1; k-- > 0;) {
		if (memcmp(mail.at + k, what, octets) == 0)
			return k;
	}
	return mail.octets;
}

static bool
has(const char *what)
{
	return place_of(what) != mail.octets;
}

/* As it was, it is taken. req: KS-20-116 */
static void
test_changes_are_seen(void **state)
{
	enum { VALUE_DIGITS = 128 * 4 / 3 }; /* of a key of 1024 bits */
	static const char shown[] = "first line\r\nlast line";
	size_t k, end, left = VALUE_DIGITS;

	(void)state;
	text_set("first line\nlast line\n");
	assert_ok(sign(SMIME_MULTIPART));
	end = place_of(shown) + strlen(shown);
	/* to OpenSSL any end of a line is one */
	for (k = place_of(shown); k < end; k++)
		if (mail.at[k] != '\r' && mail.at[k] != '\n')
			is_seen(k, mail.at[k] ^ 1);
	/* the signature's value stands last; its last digit has idle bits */
	for (k = place_of("\r\n\r\n--=_") - 1; mail.at[k] == '='; k--)
		;
	while (left != 0) {
		k--;
		if (mail.at[k] == '\r' || mail.at[k] == '\n')
			continue;
		is_seen(k, mail.at[k] == 'A' ? 'B' : 'A');
		left--;
	}
	assert_true(is_good(buf_peek(&mail)));
}

/* req: KS-20-110 */
static void
test_another_certificate_does_not_verify_it(void **state)
{
	BIO *shown = BIO_new(BIO_s_mem());
	struct smime_order order;
	size_t f;

	(void)state;
	text_set("a line\n");
	for (f = 0; f < LENGTH(forms); f++) {
		assert_ok(sign(forms[f]));
		assert_false(judge(buf_peek(&mail), &other_certificate, shown));
		assert_true(judge(buf_peek(&mail), &certificate, shown));
		order = order_of(forms[f]);
		order.key = secret_peek(other_key);
		assert_err(smime_sign(&order), ERR_FIELD);
		order = order_of(forms[f]);
		order.certificate.octets--;
		assert_err(smime_sign(&order), ERR_FIELD);
	}
	BIO_free(shown);
}

/* Opaque: no line can be read. req: KS-20-072 */
static void
test_what_can_be_read(void **state)
{
	(void)state;
	text_set("Downloaded Cert logsigner\n");
	assert_ok(sign(SMIME_MULTIPART));
	assert_true(has("Downloaded Cert logsigner\r\n"));
	assert_true(has("Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n"));
	assert_ok(sign(SMIME_OPAQUE));
	assert_false(has("Downloaded"));
	assert_true(has("Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n"));
}

/* Nothing is chosen freely. */
static void
test_the_same_gives_the_same(void **state)
{
	struct buf first;
	size_t f;

	(void)state;
	buf_init(&first, MAIL_MAX_OCTETS);
	text_set("a line\n");
	for (f = 0; f < LENGTH(forms); f++) {
		buf_reset(&first);
		assert_ok(sign(forms[f]));
		assert_ok(buf_put(&first, buf_peek(&mail)));
		assert_ok(sign(forms[f]));
		assert_true(bytes_equal(buf_peek(&first), buf_peek(&mail)));
	}
	buf_clear(&first);
}

static void
test_times(void **state)
{
	static const struct {
		int64_t at_s;
		enum err want;
		const char *date;
	} rows[] = {
	    {NOW_S + 59, OK, "Date: Thu, 1 Jan 2026 00:00:59 +0000\r\n"},
	    {four_digits_s - 1, OK, "Date: Fri, 31 Dec 2049 23:59:59 +0000"},
	    {four_digits_s, OK, "Date: Sat, 1 Jan 2050 00:00:00 +0000\r\n"},
	    {INT64_C(253402300799), OK, "Date: Fri, 31 Dec 9999 23:59:59"},
	    {INT64_C(253402300800), ERR_FIELD, NULL},
	};
	size_t k, f;

	(void)state;
	text_set("a line\n");
	for (k = 0; k < LENGTH(rows); k++) {
		for (f = 0; f < LENGTH(forms); f++) {
			struct smime_order order = order_of(forms[f]);

			order.at_s = rows[k].at_s;
			buf_reset(&mail);
			assert_err(smime_sign(&order), rows[k].want);
			if (rows[k].want != OK)
				continue;
			assert_true(has(rows[k].date));
			assert_true(is_good(buf_peek(&mail)));
		}
	}
}

static void
test_texts_that_are_refused(void **state)
{
	static const struct {
		const char *text;
		size_t more; /* octets that are not there */
		enum err want;
	} rows[] = {
	    {"a line\n", 0, OK},
	    {"a line", 0, ERR_VALUE},
	    {"a line\r\n", 0, ERR_VALUE},
	    {"a\rline\n", 0, ERR_VALUE},
	    {"a line\n", 1, ERR_TRUNCATED},
	};
	size_t k, f;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		text_set(rows[k].text);
		for (f = 0; f < LENGTH(forms); f++) {
			struct smime_order order = order_of(forms[f]);

			order.octets += rows[k].more;
			buf_reset(&mail);
			assert_err(smime_sign(&order), rows[k].want);
		}
	}
}

/* A text that is another one when it is read again. */
static enum err
fickle_read(void *ctx, uint64_t place, uint8_t *at, size_t room, size_t *octets)
{
	unsigned *times = ctx;

	(void)place;
	assert_true(room >= 2);
	at[0] = (*times)++ == 0 ? 'a' : 'b';
	at[1] = '\n';
	*octets = 2;
	return OK;
}

static enum err
deaf_write(void *ctx, struct bytes octets)
{
	(void)ctx;
	(void)octets;
	return ERR_DISK_FULL;
}

static void
test_failures_of_others(void **state)
{
	unsigned times;
	size_t f;

	(void)state;
	for (f = 0; f < LENGTH(forms); f++) {
		struct smime_order order;

		text_set("a\n");
		order = order_of(forms[f]);
		order.read = fickle_read;
		order.read_ctx = &times;
		times = 0;
		assert_err(smime_sign(&order), ERR_TRUNCATED);
		times = 1;
		assert_ok(smime_sign(&order));
		order.write = deaf_write;
		assert_err(smime_sign(&order), ERR_DISK_FULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts_come_back),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_long_lines),
	    cmocka_unit_test(test_changes_are_seen),
	    cmocka_unit_test(test_another_certificate_does_not_verify_it),
	    cmocka_unit_test(test_what_can_be_read),
	    cmocka_unit_test(test_the_same_gives_the_same),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_texts_that_are_refused),
	    cmocka_unit_test(test_failures_of_others),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
