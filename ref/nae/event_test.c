#include "device/cert.h"
#include "nae/rig_test.h"

static struct desk desk;

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

static void
expect(const char *in, const char *want)
{
	const char *got = desk_ask(&desk, in);

	if (strstr(got, want) == NULL)
		fail_msg("%s: expected %s, got %s", in, want, got);
}

/* ---- events ---- */

/* One line, and this behind its date. */
static void
assert_line(const char *name, enum log_type type, const char *want)
{
	const char *got = ear_text(&desk.ear, type);
	size_t octets = strlen(want);

	if (desk.ear.lines[type] != 1 || strlen(got) != 22 + octets + 1 ||
	    memcmp(got + 22, want, octets) != 0)
		fail_msg("%s\nexpected: %s\n     got: %s", name, want, got);
}

#define EVENT(in) "<RecordEventRequest>" in "</RecordEventRequest>"
#define DONE      "<Success>true</Success>"

/* Behind the date; each is in both logs. req: KS-20-005 KS-21-046 KS-21-047 */
static void
test_events(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *event;
		const char *activity;
	} cases[] = {
	    {"hello, counted as sent",
		EVENT("<ID>8</ID><MessageSize>8</MessageSize>"
		      "<Message>aGVsbG8=</Message>"),
		"INFO 10.0.0.5 [-] - 8 [hello]",
		"INFO 10.0.0.5 [-] - 8 RecordEvent - [-] - [Success]"},
	    {"counted as it is",
		EVENT("<MessageSize>5</MessageSize>"
		      "<Message>aGVsbG8=</Message>"),
		"INFO 10.0.0.5 [-] - - [hello]",
		"INFO 10.0.0.5 [-] - - RecordEvent - [-] - [Success]"},
	    {"counted in another way",
		EVENT("<MessageSize>6</MessageSize>"
		      "<Message>aGVsbG8=</Message>"),
		"ERROR 10.0.0.5 [-] - - [hello]",
		"ERROR 10.0.0.5 [-] - - RecordEvent - [-] 10004 [Invalid value "
		"for element: MessageSize]"},
	    {"by the guide's other name",
		"<RecordMessageRequest><Message>aGVsbG8=</Message>"
		"</RecordMessageRequest>",
		"INFO 10.0.0.5 [-] - - [hello]",
		"INFO 10.0.0.5 [-] - - RecordMessage - [-] - [Success]"},
	    /* "a\n[2012" */
	    {"a line that is somebody else's",
		EVENT("<Message>YQpbMjAxMg==</Message>"),
		"INFO 10.0.0.5 [-] - - [a\\x0a[2012]",
		"INFO 10.0.0.5 [-] - - RecordEvent - [-] - [Success]"},
	    {"an ID that is one",
		EVENT("<ID>1&#10;2\\</ID><Message>YQ==</Message>"),
		"INFO 10.0.0.5 [-] - 1\\x0a2\\\\ [a]",
		"INFO 10.0.0.5 [-] - 1\\x0a2\\\\ RecordEvent - [-] - "
		"[Success]"},
	    /* ff, a */
	    {"no UTF-8", EVENT("<Message>/2E=</Message>"),
		"INFO 10.0.0.5 [-] - - [\\xffa]",
		"INFO 10.0.0.5 [-] - - RecordEvent - [-] - [Success]"},
	    {"nothing", EVENT("<Message></Message>"),
		"INFO 10.0.0.5 [-] - - [-]",
		"INFO 10.0.0.5 [-] - - RecordEvent - [-] - [Success]"},
	    {"no base64", EVENT("<Message>a</Message>"),
		"ERROR 10.0.0.5 [-] - - [-]",
		"ERROR 10.0.0.5 [-] - - RecordEvent - [-] 10004 [Invalid value "
		"for element: Message]"},
	    {"no message", EVENT(""), "ERROR 10.0.0.5 [-] - - [-]",
		"ERROR 10.0.0.5 [-] - - RecordEvent - [-] 10003 [Missing "
		"element: Message]"},
	};
	size_t k;

	(void)state;
	desk_call(&desk);
	for (k = 0; k < LENGTH(cases); k++) {
		bool good = strncmp(cases[k].event, "INFO", 4) == 0;

		ear_forget(&desk.ear);
		expect(cases[k].in, good ? DONE : "<Success>false");
		assert_line(cases[k].name, LOG_CLIENT_EVENT, cases[k].event);
		assert_line(cases[k].name, LOG_ACTIVITY, cases[k].activity);
	}
}

/* A long message is lines, each of which the log takes; too long is none. */
static void
test_long_event(void **state)
{
	static const size_t sizes[] = {64 << 10, (64 << 10) + 3};
	size_t k;

	(void)state;
	desk_call(&desk);
	for (k = 0; k < LENGTH(sizes); k++) {
		struct buf in;
		size_t n;

		buf_init(&in, 1 << 20);
		assert_ok(buf_put_text(&in, "<RecordEventRequest><Message>"));
		/* "AAAA" is three octets of zero, which take four each */
		for (n = 0; n + 3 <= sizes[k]; n += 3)
			assert_ok(buf_put_text(&in, "AAAA"));
		if (n != sizes[k])
			assert_ok(buf_put_text(&in, "AA=="));
		assert_ok(buf_put_text(&in, "</Message></RecordEventRequest>"));
		assert_ok(buf_put(&in, (struct bytes){(uint8_t *)"", 1}));
		expect((const char *)in.at, k == 0 ? DONE : "<ErrorID>10004");
		buf_clear(&in);
	}
	/* the one that was too long has left that it came */
	assert_int_equal(desk.ear.lines[LOG_CLIENT_EVENT], 64 + 1);
}

/* ---- certificates ---- */

static void
write_cert(enum cert_kind kind, const char *name, const char *der)
{
	struct cert cert;

	cert_init(&cert, kind, bytes_of_text(name));
	if (kind != CERT_KNOWN_CA)
		assert_ok(buf_put_text(&cert.key, "sealed"));
	assert_ok(
	    buf_put_text(der[0] != '\0' ? &cert.certificate : &cert.request,
		der[0] != '\0' ? der : "request"));
	assert_ok(cert_write(desk.bench.appliance.store, &cert));
	cert_clear(&cert);
}

static void
test_certificates(void **state)
{
	(void)state;
	write_cert(CERT_DEVICE, "web", "abc");
	write_cert(CERT_DEVICE, "asked-for", "");
	write_cert(CERT_KNOWN_CA, "theirs", "def");
	write_cert(CERT_LOCAL_CA, "ours", "ghi");
	bench_turn(&desk.bench);
	desk_call(&desk);
	expect("<CertificateExportRequest><CertificateName>web"
	       "</CertificateName></CertificateExportRequest>",
	    DONE "<CertificateName>web</CertificateName><CertificateData>"
		 "-----BEGIN CERTIFICATE-----\nYWJj\n"
		 "-----END CERTIFICATE-----\n</CertificateData>");
	expect("<CertificateExportRequest><CertificateName>asked-for"
	       "</CertificateName></CertificateExportRequest>",
	    "<ErrorID>10401");
	expect("<CertificateExportRequest><CertificateName>theirs"
	       "</CertificateName></CertificateExportRequest>",
	    "<ErrorID>10401");
	expect("<CAExportRequest><CAName>theirs</CAName></CAExportRequest>",
	    DONE "<CAName>theirs</CAName><CertificateData>"
		 "-----BEGIN CERTIFICATE-----\nZGVm\n");
	expect("<CAExportRequest><CAName>ours</CAName></CAExportRequest>",
	    "\nZ2hp\n");
	expect("<CAExportRequest><CAName>web</CAName></CAExportRequest>",
	    "<ErrorID>10402");
}

#define NAE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NAE_TEST(test_events),
	    NAE_TEST(test_long_event),
	    NAE_TEST(test_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
