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

struct lines {
	unsigned count;
	char last[STORE_LOG_LINE_MAX_OCTETS + 1];
};

static enum err
keep_line(void *ctx, const struct store_log_line *line)
{
	struct lines *lines = ctx;

	lines->count++;
	(void)snprintf(lines->last, sizeof(lines->last), "%.*s",
	    (int)line->text.octets, (const char *)line->text.at);
	return OK;
}

static void
read_log(struct lines *lines)
{
	memset(lines, 0, sizeof(*lines));
	assert_ok(store_log_each(
	    desk.bench.appliance.store, "client", 1, 1000, keep_line, lines));
}

#define EVENT(in) "<RecordEventRequest>" in "</RecordEventRequest>"
#define DONE      "<Success>true</Success>"

/* req: KS-20-005 */
static void
test_events(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *line; /* behind the date; NULL: none is written */
	} cases[] = {
	    {"hello, counted as sent",
		EVENT("<ID>8</ID><MessageSize>8</MessageSize>"
		      "<Message>aGVsbG8=</Message>"),
		"INFO 10.0.0.5 [-] - 8 hello"},
	    {"counted as it is",
		EVENT("<MessageSize>5</MessageSize>"
		      "<Message>aGVsbG8=</Message>"),
		"INFO 10.0.0.5 [-] - - hello"},
	    {"counted in another way",
		EVENT("<MessageSize>6</MessageSize>"
		      "<Message>aGVsbG8=</Message>"),
		NULL},
	    {"not counted", EVENT("<Message>aGVsbG8=</Message>"),
		"INFO 10.0.0.5 [-] - - hello"},
	    {"by the guide's other name",
		"<RecordMessageRequest><Message>aGVsbG8=</Message>"
		"</RecordMessageRequest>",
		"INFO 10.0.0.5 [-] - - hello"},
	    /* "a\n[2012" */
	    {"a line that is somebody else's",
		EVENT("<Message>YQpbMjAxMg==</Message>"),
		"INFO 10.0.0.5 [-] - - a\\x0A[2012"},
	    {"an ID that is one",
		EVENT("<ID>1&#10;2\\</ID><Message>YQ=="
		      "</Message>"),
		"INFO 10.0.0.5 [-] - 1\\x0A2\\\\ a"},
	    /* ff, a */
	    {"no UTF-8", EVENT("<Message>/2E=</Message>"),
		"INFO 10.0.0.5 [-] - - \\xFFa"},
	    {"nothing", EVENT("<Message></Message>"), "INFO 10.0.0.5 [-] - - "},
	    {"no base64", EVENT("<Message>a</Message>"), NULL},
	    {"no message", EVENT(""), NULL},
	};
	struct lines lines;
	unsigned count = 0;
	size_t k;

	(void)state;
	desk_call(&desk);
	for (k = 0; k < LENGTH(cases); k++) {
		expect(cases[k].in,
		    cases[k].line != NULL ? DONE : "<Success>false");
		read_log(&lines);
		count += cases[k].line != NULL;
		assert_int_equal(lines.count, count);
		if (cases[k].line != NULL &&
		    (lines.last[0] != '[' ||
			strcmp(lines.last + 22, cases[k].line) != 0))
			fail_msg("%s: expected %s, got %s", cases[k].name,
			    cases[k].line, lines.last);
	}
}

/* A long message is lines, each of which the log takes; too long is none. */
static void
test_long_event(void **state)
{
	static const size_t sizes[] = {64 << 10, (64 << 10) + 3};
	struct lines lines;
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
	read_log(&lines);
	assert_int_equal(lines.count, 64);
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
