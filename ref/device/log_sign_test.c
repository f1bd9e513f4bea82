#include "device/log_sign.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "crypto/ossl.h"
#include "crypto/pki.h"
#include "device/fields.h"
#include "device/rig_test.h"

enum { MAIL_MAX_OCTETS = 1024 * 1024, BIT_OF_KEY = 100 };

static const char log_text[] =
    "2006-07-06 11:24:26 [admin]: Downloaded Cert logsigner\n"
    "2006-07-06 12:30:17 [admin]: User admin login has expired.\n";

/* Keys take long to be made: the tests share an appliance, and leave it with a
 * certificate. */
static struct bench bench;
static char vault[300], from_path[300], to_path[300];
static unsigned calls;
static enum err ended;

#define APPLIANCE (&bench.appliance)

static void
file_make(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int
set_up(void **state)
{
	(void)state;
	assert_ok(ossl_init());
	bench_make(&bench);
	(void)snprintf(vault, sizeof(vault), "%s/vault.key", bench.dir);
	(void)snprintf(from_path, sizeof(from_path), "%s/log", bench.dir);
	(void)snprintf(to_path, sizeof(to_path), "%s/signed", bench.dir);
	APPLIANCE->vault = vault;
	assert_ok(appliance_open(APPLIANCE));
	file_make(from_path, log_text);
	log_signer_ready(APPLIANCE);
	bench_turn(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_end_jobs(bench.rig.loop);
	appliance_close(APPLIANCE);
	bench_remove(&bench);
	return 0;
}

static enum err
keep_line(void *ctx, struct bytes line)
{
	char *last = ctx;

	assert_true(line.octets < 200);
	memcpy(last, line.at, line.octets);
	last[line.octets] = '\0';
	return OK;
}

static void
is_audited(const char *want)
{
	char last[200] = "";

	assert_ok(audit_last(APPLIANCE->store, 1, keep_line, last));
	assert_string_equal(last + strlen("yyyy-mm-dd hh:mm:ss "), want);
}

static void
certificate_get(struct buf *der)
{
	buf_init(der, PKI_TEXT_MAX_OCTETS);
	assert_ok(log_signer_certificate(APPLIANCE, der));
}

/* ---- signing ---- */

static void
signed_it(struct log_sign *sign, enum err rc)
{
	assert_ptr_equal(sign->ctx, &bench);
	calls++;
	ended = rc;
	loop_stop(bench.rig.loop);
}

static struct log_sign *
sign_new(enum smime_form form)
{
	struct log_sign *sign;

	assert_ok(log_sign_new(APPLIANCE, &sign));
	sign->form = form;
	sign->from = open(from_path, O_RDONLY | O_CLOEXEC);
	sign->octets = strlen(log_text);
	sign->to =
	    open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	sign->done = signed_it;
	sign->ctx = &bench;
	return sign;
}

/* What done says; the file is closed then. */
static enum err
sign_run(struct log_sign *sign)
{
	enum err rc = log_sign_begin(sign);
	unsigned before = calls;

	if (rc == OK) {
		assert_ok(loop_run(bench.rig.loop));
		assert_int_equal(calls, before + 1);
		rc = ended;
	}
	log_sign_drop(sign);
	return rc;
}

/* As `openssl smime -verify -nointern -certfile -text -noverify`. */
static bool
verifies(struct bytes mail, struct bytes der)
{
	BIO *bio = BIO_new_mem_buf(mail.at, (int)mail.octets);
	BIO *shown = BIO_new(BIO_s_mem());
	BIO *content = NULL;
	STACK_OF(X509) *certificates = sk_X509_new_null();
	const unsigned char *at = der.at;
	PKCS7 *p7 = SMIME_read_PKCS7(bio, &content);
	bool good;

	assert_non_null(p7);
	sk_X509_push(certificates, d2i_X509(NULL, &at, (long)der.octets));
	good = PKCS7_verify(p7, certificates, NULL, content, shown,
		   PKCS7_TEXT | PKCS7_NOINTERN | PKCS7_NOVERIFY) == 1;
	ERR_clear_error();
	PKCS7_free(p7);
	sk_X509_pop_free(certificates, X509_free);
	BIO_free(content);
	BIO_free(shown);
	BIO_free(bio);
	return good;
}

static void
mail_read(struct buf *mail)
{
	int fd = open(to_path, O_RDONLY | O_CLOEXEC);
	uint8_t *tail;
	ssize_t octets;

	assert_true(fd >= 0);
	buf_init(mail, MAIL_MAX_OCTETS);
	assert_ok(buf_reserve(mail, MAIL_MAX_OCTETS, &tail));
	octets = read(fd, tail, MAIL_MAX_OCTETS);
	assert_true(octets > 0);
	buf_added(mail, (size_t)octets);
	close(fd);
}

/* ---- the tests ---- */

/* Made once, by the appliance itself; a start with one keeps it.
 * req: KS-20-064 */
static void
the_first_start_makes_one(void **state)
{
	struct buf first, again;
	struct pki_facts facts;
	struct arena *a;

	(void)state;
	certificate_get(&first);
	is_audited("[system]: Cert logsigner: created");
	assert_ok(arena_new(1 << 20, &a));
	assert_ok(pki_facts(PKI_CERTIFICATE, buf_peek(&first), a, &facts));
	assert_string_equal(facts.subject, "CN=logsigner");
	assert_int_equal(facts.key_bits, LOG_SIGNER_BITS);
	assert_int_equal(
	    facts.until_s - facts.from_s, LOG_SIGNER_DAYS * 24 * 3600);
	arena_free(a);

	log_signer_ready(APPLIANCE);
	bench_turn(&bench);
	certificate_get(&again);
	assert_true(bytes_equal(buf_peek(&first), buf_peek(&again)));
	buf_clear(&first);
	buf_clear(&again);
}

/* A start that ends before its first turn: what it made is kept. */
static void
a_start_that_ends_at_once(void **state)
{
	struct buf first, again;

	(void)state;
	assert_ok(record_delete(APPLIANCE->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT)));
	log_signer_ready(APPLIANCE);
	certificate_get(&first);
	appliance_close(APPLIANCE);
	store_close(APPLIANCE->store);
	bench_open(&bench);
	assert_ok(appliance_open(APPLIANCE));
	log_signer_ready(APPLIANCE);
	bench_turn(&bench);
	certificate_get(&again);
	assert_true(bytes_equal(buf_peek(&first), buf_peek(&again)));
	buf_clear(&first);
	buf_clear(&again);
}

/* The key is nowhere in the clear. */
static void
the_key_is_sealed(void **state)
{
	static const uint8_t pkcs8[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1,
	    1, 1, 0x05, 0, 0x04, 0x82}; /* rsaEncryption, and a key */
	struct bytes key;
	struct buf value;
	size_t k;

	(void)state;
	buf_init(&value, PKI_TEXT_MAX_OCTETS);
	assert_ok(record_get(APPLIANCE->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), &value));
	assert_ok(fields_find(buf_peek(&value), "key", &key));
	assert_true(key.octets > 1000);
	assert_memory_equal(key.at, "TSVT", 4);
	for (k = 0; k + sizeof(pkcs8) <= value.octets; k++)
		assert_memory_not_equal(value.at + k, pkcs8, sizeof(pkcs8));
	buf_clear(&value);
}

/* req: KS-20-063 KS-20-104 */
static void
files_are_signed(void **state)
{
	static const enum smime_form forms[] = {SMIME_MULTIPART, SMIME_OPAQUE};
	struct buf der, mail;
	size_t k;

	(void)state;
	certificate_get(&der);
	for (k = 0; k < LENGTH(forms); k++) {
		assert_ok(sign_run(sign_new(forms[k])));
		mail_read(&mail);
		assert_true(verifies(buf_peek(&mail), buf_peek(&der)));
		buf_clear(&mail);
	}
	buf_clear(&der);
}

static void
record_write(struct bytes value)
{
	assert_ok(record_put(APPLIANCE->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), value));
}

static void
what_goes_wrong(void **state)
{
	struct log_sign *sign;
	struct buf value;

	(void)state;
	sign = sign_new(SMIME_OPAQUE);
	sign->octets++;
	assert_err(sign_run(sign), ERR_TRUNCATED);

	sign = sign_new(SMIME_OPAQUE);
	close(sign->to);
	sign->to = open(to_path, O_RDONLY | O_CLOEXEC);
	assert_err(sign_run(sign), ERR_SYSTEM);

	sign = sign_new(SMIME_OPAQUE);
	close(sign->from);
	sign->from = -1;
	assert_err(sign_run(sign), ERR_SYSTEM);

	assert_ok(sign_run(sign_new(SMIME_OPAQUE)));
	buf_init(&value, PKI_TEXT_MAX_OCTETS);
	assert_ok(record_get(APPLIANCE->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), &value));
	value.at[value.octets - BIT_OF_KEY] ^= 1;
	record_write(buf_peek(&value));
	assert_err(sign_run(sign_new(SMIME_OPAQUE)), ERR_SEAL);
	record_write(bytes_of_text("no fields"));
	assert_err(sign_run(sign_new(SMIME_OPAQUE)), ERR_TRUNCATED);
	record_write(BYTES_NONE);
	assert_err(sign_run(sign_new(SMIME_OPAQUE)), ERR_STORE);
	assert_ok(record_delete(APPLIANCE->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT)));
	assert_err(sign_run(sign_new(SMIME_OPAQUE)), ERR_NOT_FOUND);
	value.at[value.octets - BIT_OF_KEY] ^= 1;
	record_write(buf_peek(&value));
	assert_ok(sign_run(sign_new(SMIME_OPAQUE)));
	buf_clear(&value);
}

static void
nobody_waits_any_more(void **state)
{
	struct log_sign *sign;
	struct log_renewal *renewal;
	unsigned before = calls;

	(void)state;
	sign = sign_new(SMIME_OPAQUE);
	assert_ok(log_sign_begin(sign));
	log_sign_drop(sign);
	assert_ok(log_renewal_new(APPLIANCE, &renewal));
	assert_ok(log_renewal_begin(renewal));
	log_renewal_drop(renewal);
	while (loop_jobs(bench.rig.loop) != 0)
		assert_ok(rig_turns(&bench.rig, 1));
	assert_int_equal(calls, before);
	log_sign_drop(NULL);
	log_renewal_drop(NULL);
}

/* ---- recreated ---- */

static void
renewed(struct log_renewal *renewal, enum err rc)
{
	(void)renewal;
	ended = rc;
	loop_stop(bench.rig.loop);
}

static enum err
renewal_apply(struct change *change)
{
	return log_renewal_write(change->ctx, change);
}

static void
change_done(struct change *change, enum err rc)
{
	(void)change;
	ended = rc;
}

/* Old logs verify with the old certificate alone, new ones with the new.
 * req: KS-20-076 */
static void
old_signatures_and_new(void **state)
{
	struct log_renewal *renewal;
	struct change change = {
	    .act = ACT_LOGGING, .apply = renewal_apply, .done = change_done};
	struct buf old_der, new_der, old_mail, new_mail;

	(void)state;
	certificate_get(&old_der);
	assert_ok(sign_run(sign_new(SMIME_MULTIPART)));
	mail_read(&old_mail);

	assert_ok(log_renewal_new(APPLIANCE, &renewal));
	renewal->done = renewed;
	assert_ok(log_renewal_begin(renewal));
	assert_ok(loop_run(bench.rig.loop));
	assert_ok(ended);
	change.ctx = renewal;
	ended = ERR_SYSTEM;
	change_run(APPLIANCE, &change);
	bench_turn(&bench);
	assert_ok(ended);
	log_renewal_drop(renewal);

	certificate_get(&new_der);
	assert_ok(sign_run(sign_new(SMIME_MULTIPART)));
	mail_read(&new_mail);
	assert_true(verifies(buf_peek(&old_mail), buf_peek(&old_der)));
	assert_true(verifies(buf_peek(&new_mail), buf_peek(&new_der)));
	assert_false(verifies(buf_peek(&old_mail), buf_peek(&new_der)));
	assert_false(verifies(buf_peek(&new_mail), buf_peek(&old_der)));
	buf_clear(&old_der);
	buf_clear(&new_der);
	buf_clear(&old_mail);
	buf_clear(&new_mail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_start_makes_one),
	    cmocka_unit_test(a_start_that_ends_at_once),
	    cmocka_unit_test(the_key_is_sealed),
	    cmocka_unit_test(files_are_signed),
	    cmocka_unit_test(what_goes_wrong),
	    cmocka_unit_test(nobody_waits_any_more),
	    cmocka_unit_test(old_signatures_and_new),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
