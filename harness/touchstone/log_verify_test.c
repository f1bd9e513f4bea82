#include "log_verify.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "log_rig_test.h"

static const char now[] = "20261121232601Z";
static const char text[] =
    "2006-07-06 09:15:02 [admin]: Logged in\n"
    "2006-07-06 11:24:26 [admin]: Downloaded Cert logsigner\n"
    "2006-07-06 12:30:17 [Gr\xc3\xbcn]: User login has expired.\n";
static const enum log_form forms[] = {LOG_MULTIPART, LOG_OPAQUE};

static struct log_identity own, other;

static int
set_up(void **state)
{
	(void)state;
	log_identity_make(&own);
	log_identity_make(&other);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	log_identity_clear(&own);
	log_identity_clear(&other);
	return 0;
}

static bool
is_genuine(struct bytes file, const struct x509 *by)
{
	struct log_report found = {0};
	bool genuine;

	log_verify(file, by, NULL, &found);
	genuine = found.genuine;
	log_report_clear(&found);
	return genuine;
}

/* What is said of it; "": genuine. */
static void
says(const struct buf *file, const struct x509 *by, const char *log,
    const char *want)
{
	struct bytes given = log != NULL ? bytes_of_text(log) : BYTES_NONE;
	struct log_report found = {0};

	log_verify(buf_peek(file), by, log != NULL ? &given : NULL, &found);
	if (found.genuine != (*want == '\0') ||
	    strstr(buf_peek_text(&found.why), want) == NULL)
		fail_msg("expected: %s\n     got: %s", want,
		    buf_peek_text(&found.why));
	log_report_clear(&found);
}

/* OpenSSL takes what log_write writes: it is no private format. */
static bool
openssl_verifies(const struct buf *file)
{
	BIO *bio = BIO_new_mem_buf(file->at, (int)file->octets);
	STACK_OF(X509) *by = sk_X509_new_null();
	const unsigned char *at = own.x509.certificate.at;
	BIO *content = NULL, *shown = BIO_new(BIO_s_mem());
	PKCS7 *p7 = SMIME_read_PKCS7(bio, &content);
	bool good;

	sk_X509_push(
	    by, d2i_X509(NULL, &at, (long)own.x509.certificate.octets));
	good = p7 != NULL &&
	       PKCS7_verify(p7, by, NULL, content, shown,
		   PKCS7_TEXT | PKCS7_NOINTERN | PKCS7_NOVERIFY) == 1;
	ERR_clear_error();
	PKCS7_free(p7);
	sk_X509_pop_free(by, X509_free);
	BIO_free(content);
	BIO_free(shown);
	BIO_free(bio);
	return good;
}

static void
genuine_ones(void **state)
{
	static const struct {
		const char *at, *text;
	} rows[] = {
	    {now, text},
	    {now, ""},
	    {now, "\n"},
	    {now, "--=_0123456789abcdef0123456789abcdef\n--=_\n--=_\n"},
	    {now, "MIME-Version: 1.0\nContent-Type: multipart/signed;\n\n"},
	    {"19500101000000Z", text},
	    {"20491231235959Z", text},
	    {"20500101000000Z", text},
	    {"99991231235959Z", text},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t k = 0; k < 2; k++) {
			struct log_report found = {0};
			struct buf file = {0};

			log_sign(
			    &own, forms[k], rows[i].at, rows[i].text, &file);
			log_verify(buf_peek(&file), &own.x509, NULL, &found);
			assert_string_equal(buf_peek_text(&found.why), "");
			assert_true(found.genuine);
			assert_int_equal(found.form, forms[k]);
			assert_string_equal(found.at, rows[i].at);
			assert_string_equal(
			    buf_peek_text(&found.text), rows[i].text);
			assert_true(openssl_verifies(&file));
			assert_false(is_genuine(buf_peek(&file), &other.x509));
			log_report_clear(&found);
			buf_clear(&file);
		}
}

/* Each octet changed, twice over; taken away; and doubled. */
static void
each_change_is_seen(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct buf file = {0}, cut = {0};

		log_sign(&own, forms[k], now, text, &file);
		for (size_t i = 0; i < file.octets; i++) {
			for (unsigned bit = 1; bit < 0x40; bit <<= 5) {
				file.at[i] ^= (uint8_t)bit;
				if (is_genuine(buf_peek(&file), &own.x509))
					fail_msg("octet %zu, bit %x", i, bit);
				file.at[i] ^= (uint8_t)bit;
			}
			for (size_t twice = 0; twice < 2; twice++) {
				buf_clear(&cut);
				buf_put(
				    &cut, (struct bytes){file.at, i + twice});
				buf_put(&cut,
				    (struct bytes){file.at + i + 1 - twice,
					file.octets - i - 1 + twice});
				/* the same octet beside it */
				if (cut.octets == file.octets)
					continue;
				if (is_genuine(buf_peek(&cut), &own.x509))
					fail_msg("octet %zu, %zu times", i,
					    2 * twice);
			}
			assert_false(
			    is_genuine((struct bytes){file.at, i}, &own.x509));
		}
		assert_true(is_genuine(buf_peek(&file), &own.x509));
		buf_clear(&file);
		buf_clear(&cut);
	}
}

/* In the file, once. */
static void
change(struct buf *file, const char *from, const char *to)
{
	uint8_t *at = memmem(file->at, file->octets, from, strlen(from));

	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
}

static void
what_was_changed_is_told(void **state)
{
	static const struct {
		const char *from, *to, *log, *want;
	} rows[] = {
	    {"Logged in", "Logged on", NULL,
		"the text was changed: its digest is not the signed one\n"
		"which line, only the log itself can tell"},
	    {"Logged in", "Logged on", text,
		"line 1 of the log: expected \"2006-07-06 09:15:02 [admin]: "
		"Logged in\", got "},
	    {"Downloaded", "Downloaeed", text, "line 2 of the log"},
	    {"expired", "expire\x07", NULL,
		"line 3 of the log has an octet that no log has: \\x07"},
	    {"\xc3\xbc", "\xc3\xc3", NULL,
		"line 3 of the log has an octet that no log has: \\xc3"},
	    {"Subject", "subject", NULL,
		"line 4 of the file: expected \"Subject"},
	    {"26 23:26", "26 23:27", NULL, "line 2 of the file"},
	    {"multipart/signed", "multipart/sIgned", NULL,
		"the signature is no base64"},
	    {"8bit", "7bit", NULL, "its parts cannot be found"},
	    {"smime.p7s", "smime.p7m", NULL, "of the file: expected"},
	    {"AQcC", "AQ-C", NULL, "the signature is no base64"},
	    {"MII", "AII", NULL, "the signature cannot be read"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf file = {0};

		log_sign(&own, LOG_MULTIPART, now, text, &file);
		change(&file, rows[i].from, rows[i].to);
		says(&file, &own.x509, rows[i].log, rows[i].want);
		buf_clear(&file);
	}
}

static void
signatures_of_others(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct log_identity liar = {.key = other.key, .x509 = own.x509};
		struct buf file = {0};

		log_sign(&own, forms[k], now, text, &file);
		says(&file, &own.x509, text, "");
		says(&file, &own.x509, "another\n",
		    "line 1 of the log that was given");
		says(&file, &other.x509, NULL,
		    "the certificate in it is not the one");
		buf_clear(&file);
		/* another key under this certificate */
		log_sign(&liar, forms[k], now, text, &file);
		says(&file, &own.x509, NULL,
		    "the signature is not this certificate's");
		buf_clear(&file);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(genuine_ones),
	    cmocka_unit_test(each_change_is_seen),
	    cmocka_unit_test(what_was_changed_is_told),
	    cmocka_unit_test(signatures_of_others),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
