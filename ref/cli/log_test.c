#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "cli/desk_test.h"
#include "crypto/pki.h"
#include "device/log_sign.h"
#include "device/logs.h"

enum { LINES = 30, CERTIFICATE_OCTETS = 16 * 1024 };

static struct desk desk;
static bool has_room;
static unsigned asked_for_room;

/* A key takes long to be made: the tests share an appliance, and begin with
 * empty logs. */
static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_keep_logs(&desk);
	log_signer_ready(desk_appliance(&desk));
	desk_account(&desk, "root", true, CONTROLS_ALL);
	desk_account(
	    &desk, "logger", false, 1U << CONTROL_LOGGING | 1U << CONTROL_SSH);
	desk_account(&desk, "other", false, 1U << CONTROL_SSH);
	bench_turn(&desk.bench);
	(void)alarm(0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

static int
begin(void **state)
{
	struct logs_file file;

	(void)state;
	(void)alarm(DESK_PATIENCE_S);
	(void)desk_sit_as(&desk, "root");
	(void)desk_types(&desk, "config\nedit log signing system sign no form "
				"multipart\nexit");
	while (logs_find(desk_appliance(&desk), LOG_SYSTEM, bytes_of_text("1"),
		   &file) == OK)
		assert_ok(
		    logs_clear(desk_appliance(&desk), LOG_SYSTEM, file.serial));
	assert_ok(logs_clear(desk_appliance(&desk), LOG_SYSTEM, 0));
	return 0;
}

static void
says(const char *lines, const char *want)
{
	desk_says(&desk, lines, want);
}

static void
says_not(const char *line, const char *want)
{
	const char *said = desk_type(&desk, line);

	if (strstr(said, want) != NULL)
		fail_msg(
		    "%s\nnot expected: %s\n         got: %s", line, want, said);
}

static void
add_lines(const char *what, unsigned count)
{
	char line[100];
	unsigned k;

	for (k = 0; k < count; k++) {
		(void)snprintf(
		    line, sizeof(line), "2026-01-01 %s %03u", what, k);
		logs_add(
		    desk_appliance(&desk), LOG_SYSTEM, bytes_of_text(line));
	}
	bench_turn(&desk.bench);
}

/* ---- showing ---- */

/* req: KS-21-064 KS-21-066 KS-21-070 */
static void
the_last_lines_are_shown(void **state)
{
	(void)state;
	add_lines("line", LINES);
	says("show log system 2", "=2026-01-01 line 028\n"
				  "=2026-01-01 line 029\n.0\n");
	says_not("show log system 2", "line 027");
	says("show log system", "=2026-01-01 line 010\n");
	says_not("show log system", "line 009");
	says("show log system lines 25", "line 005");
	says_not("show log system lines 25", "line 004");
	says("show log activity", ".0\n");
	says_not("show log activity", "line");
	says("show log audit 1", "[root]:");
	says("show log client-event", ".0\n");
	says("show log kmip-agent", "only where the HSM Management feature");
	says("config", ".0\n");
	says("edit features hsm-management yes", ".0\n");
	says("show log kmip-agent", ".0\n");
}

static void
what_cannot_be_shown(void **state)
{
	(void)state;
	says("show log system 0", "=Error: Lines: 0: 1 to 1000\n.1\n");
	says("show log system 1001", "=Error: Lines: 1001: 1 to 1000\n");
	says("show log system wrap 19",
	    "=Error: Wrap Lines: 19: 20 to 1000, or No\n");
	says("show log system file", "=Error: Show Log: file: its value is "
				     "missing\n");
	says("show log system file 1", "=Error: Log File: 1: there is no such "
				       "file");
	says(
	    "show log system colour red", "=Error: Lines: colour: 1 to 1000\n");
	says("show log system 1 colour red",
	    "=Error: Show Log: colour: file, lines or wrap\n");
	says("show log cars", "unknown command");
	says("show log files cars", "=Error: Log: cars: one of system audit "
				    "activity client-event kmip-agent\n");
	says("show log files", "=Error: Log: it is missing\n");
	assert_non_null(strstr(desk_audited(&desk), "it is missing"));
}

/* In characters, not in octets. req: KS-21-067 */
static void
long_lines_are_wrapped(void **state)
{
	static const char line[] = "01234567890123456789"       /* 20 */
				   "0123456789\xc3\xbc\xc3\xbc" /* 12 */
				   "89012345678";

	(void)state;
	logs_add(desk_appliance(&desk), LOG_SYSTEM, bytes_of_text(line));
	bench_turn(&desk.bench);
	says("show log system 1 wrap 20", "=01234567890123456789\n"
					  "=0123456789\xc3\xbc\xc3\xbc"
					  "89012345\n=678\n.0\n");
	says("show log system 1 wrap no", line);
	says("show log system 1", line);
	says("show log system wrap 42 lines 1", "8901234567\n=8\n.0\n");
	says("show log system wrap 43 lines 1", line);
}

/* ---- files ---- */

/* req: KS-21-065 KS-21-069 KS-21-071 KS-21-072 KS-21-075 */
static void
files_are_rotated_and_cleared(void **state)
{
	char line[100], stamp[LOGS_STAMP_OCTETS];
	struct logs_file file;

	(void)state;
	add_lines("old", 2);
	says("log rotate system", "a command of configuration mode");
	(void)desk_type(&desk, "config");
	says("log rotate system", ".0\n");
	assert_string_equal(desk_audited(&desk), "[root]: System Log: rotated");
	add_lines("new", 1);
	says("show log system", "Log Rotation: Successfully rotated System "
				"Log.\n=2026-01-01 new 000\n.0\n");
	says_not("show log system file Current", "old");
	assert_ok(logs_find(
	    desk_appliance(&desk), LOG_SYSTEM, bytes_of_text("1"), &file));
	memcpy(stamp, file.name, sizeof(stamp));
	says("show log files system", stamp);
	says("show log files system", "       0  Current ");
	says("show log system file 1",
	    "=2026-01-01 old 000\n=2026-01-01 old 001\n.0\n");
	(void)snprintf(line, sizeof(line), "show log system file %s", stamp);
	says(line, "old 001\n.0\n");

	(void)snprintf(line, sizeof(line), "log clear system %s", stamp);
	says(line, ".0\n");
	(void)snprintf(line, sizeof(line), "System Log: %s cleared", stamp);
	assert_non_null(strstr(desk_audited(&desk), line));
	says("show log system", "new 000");
	says("show log system file 1", "there is no such file");
	says("log clear system", ".0\n");
	assert_non_null(
	    strstr(desk_audited(&desk), "System Log: Current cleared"));
	says_not("show log system", "new 000");
	says("log clear system 1", "there is no such file");
}

/* req: KS-21-007 KS-21-008 KS-21-069 KS-21-074 */
static void
the_audit_log_is_left_alone(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} rows[] = {
	    {"log rotate audit", "Audit Log: it cannot be rotated by hand"},
	    {"log clear audit", "Audit Log: it cannot be cleared by hand"},
	    {"log clear audit Current",
		"Audit Log: it cannot be cleared by hand"},
	};
	char line[100];
	size_t k;

	(void)state;
	(void)desk_types(&desk, "config\nedit host name one");
	for (k = 0; k < LENGTH(rows); k++) {
		says(rows[k].line, rows[k].want);
		(void)snprintf(line, sizeof(line), ": %s", rows[k].want);
		assert_non_null(strstr(desk_audited(&desk), line));
		says("show log audit", "Hostname: one");
	}
	says("show log files audit", "Current");
	says_not("show log files audit", "\n=       1");
}

/* req: KS-20-101 */
static void
what_needs_the_logging_access_control(void **state)
{
	static const char *const lines[] = {
	    "log rotate system",
	    "log clear system",
	    "log signing certificate recreate",
	    "edit log signing system sign yes",
	};
	size_t k;

	(void)state;
	(void)desk_sit_as(&desk, "other");
	(void)desk_type(&desk, "config");
	for (k = 0; k < LENGTH(lines); k++)
		says(lines[k], "\"Logging\"");
	/* what anybody may look at */
	says("show log system", ".0\n");
	says("log download system", ".0\n");
	says("log signing certificate download", "END CERTIFICATE");
	(void)desk_sit_as(&desk, "logger");
	(void)desk_type(&desk, "config");
	for (k = 0; k < LENGTH(lines); k++)
		if (k != 2) /* keys take long */
			says(lines[k], ".0\n");
}

/* ---- downloads ---- */

static bool
room(void *ctx)
{
	assert_ptr_equal(ctx, &desk);
	asked_for_room++;
	return has_room;
}

/* What a door would send: the lines, and their ends. */
static void
downloaded(const char *line, struct buf *out)
{
	const char *at = desk_type(&desk, line);
	size_t octets;

	buf_init(out, sizeof(desk.said));
	for (; *at == CLI_SAY; at += octets + 1) {
		octets = strcspn(at, "\n");
		assert_ok(buf_put(
		    out, (struct bytes){(const uint8_t *)at + 1, octets}));
	}
	assert_int_equal(strncmp(at, ".0\n", 3), 0);
}

/* req: KS-21-076 */
static void
all_of_a_file_is_downloaded(void **state)
{
	struct buf got;

	(void)state;
	add_lines("line", 2);
	downloaded("log download system", &got);
	assert_true(bytes_equal_text(
	    buf_peek(&got), "2026-01-01 line 000\n2026-01-01 line 001\n"));
	buf_clear(&got);
	assert_ok(logs_rotate(desk_appliance(&desk), LOG_SYSTEM));
	downloaded("log download system 1", &got);
	assert_true(bytes_equal_text(
	    buf_peek(&got), "2026-01-01 line 000\n2026-01-01 line 001\n"));
	buf_clear(&got);
	says("log download", "=Error: Log: it is missing\n");
	says("log download cars", "=Error: Log: cars: one of");
	says("log download system 2", "there is no such file");
	says("log download system 1 2", "what is \"2\" for?");
}

/* As `openssl smime -verify -nointern -certfile -text -noverify`. */
static bool
verifies(const struct buf *mail, const struct buf *der, const char *want)
{
	BIO *bio = BIO_new_mem_buf(mail->at, (int)mail->octets);
	BIO *shown = BIO_new(BIO_s_mem());
	BIO *content = NULL;
	STACK_OF(X509) *certificates = sk_X509_new_null();
	const unsigned char *at = der->at;
	PKCS7 *p7 = SMIME_read_PKCS7(bio, &content);
	char *text;
	long octets;
	bool good;

	assert_non_null(p7);
	sk_X509_push(certificates, d2i_X509(NULL, &at, (long)der->octets));
	good = PKCS7_verify(p7, certificates, NULL, content, shown,
		   PKCS7_TEXT | PKCS7_NOINTERN | PKCS7_NOVERIFY) == 1;
	octets = BIO_get_mem_data(shown, &text);
	/* of another signer's nothing is shown */
	assert_int_equal(octets, good ? strlen(want) : 0);
	assert_memory_equal(text, want, (size_t)octets);
	ERR_clear_error();
	PKCS7_free(p7);
	sk_X509_pop_free(certificates, X509_free);
	BIO_free(content);
	BIO_free(shown);
	BIO_free(bio);
	return good;
}

static bool
is_of_form(const struct buf *mail, const char *form)
{
	const char *type = strcmp(form, "opaque") == 0
			       ? "Content-Type: application/pkcs7-mime;"
			       : "Content-Type: multipart/signed;";

	return memmem(mail->at, mail->octets, type, strlen(type)) != NULL;
}

/* req: KS-20-063 KS-20-066 KS-20-067 KS-20-103 KS-20-107 KS-20-112 */
static void
a_download_is_signed_where_that_is_set(void **state)
{
	static const char *const forms[] = {"multipart", "opaque"};
	static const char want[] =
	    "2026-01-01 line 000\r\n2026-01-01 line 001\r\n";
	struct buf old_der, new_der, got, before;
	char line[100];
	size_t k;

	(void)state;
	add_lines("line", 2);
	buf_init(&old_der, CERTIFICATE_OCTETS);
	buf_init(&new_der, CERTIFICATE_OCTETS);
	assert_ok(log_signer_certificate(desk_appliance(&desk), &old_der));
	(void)desk_type(&desk, "config");
	for (k = 0; k < LENGTH(forms); k++) {
		(void)snprintf(line, sizeof(line),
		    "edit log signing system sign yes form %s", forms[k]);
		says(line, ".0\n");
		downloaded("log download system", &got);
		assert_true(verifies(&got, &old_der, want));
		assert_true(is_of_form(&got, forms[k]));
		if (k == 0)
			before = got;
		else
			buf_clear(&got);
	}
	/* others are not, or in their own form, and what is kept is not */
	says_not("log download audit", "MIME");
	says("edit log signing audit sign yes", ".0\n");
	downloaded("log download audit", &got);
	assert_true(is_of_form(&got, "multipart"));
	buf_clear(&got);
	says("show log system 1", "=2026-01-01 line 001\n");

	says("log signing certificate recreate", "was recreated");
	assert_string_equal(
	    desk_audited(&desk), "[root]: Cert logsigner: recreated");
	assert_ok(log_signer_certificate(desk_appliance(&desk), &new_der));
	says("edit log signing system form multipart", ".0\n");
	downloaded("log download system", &got);
	assert_true(verifies(&got, &new_der, want));
	assert_false(verifies(&got, &old_der, want));
	assert_true(verifies(&before, &old_der, want));
	assert_false(verifies(&before, &new_der, want));
	buf_clear(&got);
	buf_clear(&before);
	buf_clear(&old_der);
	buf_clear(&new_der);
}

static void
a_download_that_cannot_be_signed(void **state)
{
	struct appliance *appliance = desk_appliance(&desk);
	struct buf value;

	(void)state;
	add_lines("line", 2);
	says("config", ".0\n");
	says("edit log signing system sign yes", ".0\n");
	buf_init(&value, CERTIFICATE_OCTETS);
	assert_ok(record_get(appliance->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), &value));
	assert_ok(record_delete(appliance->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT)));
	/* nothing of it leaves, in the clear least of all */
	says("log download system",
	    "=Error: the log is not signed: no such object\n.1\n");
	says_not("log download system", "line 000");
	says("show log signing certificate", "=Error: ");
	says("log signing certificate download", "=Error: ");
	value.at[value.octets - 20] ^= 1;
	assert_ok(record_put(appliance->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), buf_peek(&value)));
	says("log download system", "=Error: the log is not signed: sealed");
	value.at[value.octets - 20] ^= 1;
	assert_ok(record_put(appliance->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), buf_peek(&value)));
	says("log download system", "MIME-Version: 1.0\r\n");
	buf_clear(&value);
}

/* A door whose peer does not take it: a slice, and then nothing. */
static void
a_slow_door_is_waited_for(void **state)
{
	struct principal who = {
	    .name = "root", .door = DOOR_SSH, .peer = "192.0.2.7"};
	const struct cli_entry entry = {
	    .door = DOOR_SSH, .peer = "192.0.2.7", .who = &who, .room = room};
	struct buf fast;
	size_t k, octets;

	(void)state;
	add_lines("line", 4000);
	downloaded("log download system", &fast);
	assert_int_equal(fast.octets, 1000 * 20 + 3000 * 21);
	(void)desk_sit(&desk, &entry);
	desk_forget(&desk);
	has_room = false;
	asked_for_room = 0;
	cli_input(desk.cli, bytes_of_text("log download system"));
	for (k = 0; k < 10; k++)
		assert_ok(rig_turns(&desk.bench.rig, 1));
	octets = desk.octets;
	assert_true(octets > 0 && octets <= 2 * CLI_SLICE_OCTETS);
	assert_false(cli_waits(desk.cli));
	assert_int_equal(asked_for_room, 1);
	/* told while there is none: it asks, and waits again */
	cli_has_room(desk.cli);
	for (k = 0; k < 10; k++)
		assert_ok(rig_turns(&desk.bench.rig, 1));
	assert_int_equal(desk.octets, octets);
	assert_int_equal(asked_for_room, 2);
	has_room = true;
	cli_has_room(desk.cli);
	(void)desk_wait(&desk);
	assert_true(desk.octets > octets);
	assert_non_null(strstr(desk.said, "line 3999\n.0\n"));
	buf_clear(&fast);
	/* one who leaves in the middle */
	has_room = false;
	cli_input(desk.cli, bytes_of_text("log download system"));
	for (k = 0; k < 3; k++)
		assert_ok(rig_turns(&desk.bench.rig, 1));
	desk_stand(&desk);
	assert_ok(rig_turns(&desk.bench.rig, 3));
}

/* ---- the certificate ---- */

/* req: KS-20-105 KS-20-106 KS-20-110 KS-20-118 ESKM-220 */
static void
the_certificate_is_shown_and_downloaded(void **state)
{
	struct buf der, pem;
	char *shown;

	(void)state;
	buf_init(&der, CERTIFICATE_OCTETS);
	buf_init(&pem, CERTIFICATE_OCTETS);
	assert_ok(log_signer_certificate(desk_appliance(&desk), &der));
	assert_ok(pki_pem_write(PKI_CERTIFICATE, buf_peek(&der), &pem));
	buf_clear(&der);
	downloaded("log signing certificate download", &der);
	assert_true(bytes_equal(buf_peek(&pem), buf_peek(&der)));
	assert_string_equal(
	    desk_audited(&desk), "[root]: Downloaded Cert logsigner");
	shown = strdup(desk_type(&desk, "show log signing certificate"));
	assert_non_null(shown);
	assert_non_null(strstr(shown, "=Certificate Name: logsigner\n"));
	assert_non_null(strstr(shown, "=Thumbprint (SHA-1): "));
	assert_non_null(strstr(shown, "=Thumbprint (SHA-256): "));
	assert_non_null(strstr(shown, "=Subject: CN=logsigner\n"));
	free(shown);
	says("show log signing certificate x", "unknown command");
	says("log signing certificate download x", "unknown command");
	buf_clear(&der);
	buf_clear(&pem);
}

#define TEST(fn) cmocka_unit_test_setup(fn, begin)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_last_lines_are_shown),
	    TEST(what_cannot_be_shown),
	    TEST(long_lines_are_wrapped),
	    TEST(files_are_rotated_and_cleared),
	    TEST(the_audit_log_is_left_alone),
	    TEST(what_needs_the_logging_access_control),
	    TEST(all_of_a_file_is_downloaded),
	    TEST(a_download_is_signed_where_that_is_set),
	    TEST(a_download_that_cannot_be_signed),
	    TEST(a_slow_door_is_waited_for),
	    TEST(the_certificate_is_shown_and_downloaded),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
