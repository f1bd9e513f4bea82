#include "nae/rig_test.h"
#include "nae/request.h"

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
expect(const char *name, const char *in, const char *want, bool ends)
{
	const char *got = desk_ask(&desk, in);

	if (strcmp(got, want) != 0)
		fail_msg("%s: expected\n%s\ngot\n%s", name, want, got);
	if (desk.finished != ends)
		fail_msg(
		    "%s: it %s", name, ends ? "goes on" : "has come to an end");
}

#define REFUSED(name, id, fatal, code, text)                                 \
	"<" name "Response>" id "<Success>false</Success><FatalError>" fatal \
	"</FatalError><ErrorID>" code "</ErrorID><ErrorString>" text         \
	"</ErrorString></" name "Response>"

/* Each on a connection of its own. spec: nae-xml 2.2 2.3 2.4 2.6 */
static void
test_sessions(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *want;
		bool ends;
	} cases[] = {
	    {"the first version that is ours",
		"<VersionRequest><MessageVersion>1.0</MessageVersion><ID>1</ID>"
		"<VersionList><Version>9.9</Version><Version>2.10</Version>"
		"<Version>2.9</Version></VersionList></VersionRequest>",
		"<VersionResponse><ID>1</ID><Success>true</Success>"
		"<Version>2.10</Version></VersionResponse>",
		false},
	    {"none that is ours",
		"<VersionRequest><ID>1</ID><VersionList><Version>1.9</Version>"
		"<Version>2.11</Version><Version>3.2</Version></VersionList>"
		"</VersionRequest>",
		REFUSED("Version", "<ID>1</ID>", "true", "10007",
		    "No supported protocol version"),
		true},
	    {"an empty list", "<VersionRequest><VersionList/></VersionRequest>",
		REFUSED("Version", "", "false", "10003",
		    "Missing element: Version"),
		false},
	    {"no list", "<VersionRequest></VersionRequest>",
		REFUSED("Version", "", "false", "10003",
		    "Missing element: VersionList"),
		false},
	    {"a version too late",
		"<DeviceInfoRequest/><VersionRequest><ID>2</ID><VersionList>"
		"<Version>2.9</Version></VersionList></VersionRequest>",
		"<DeviceInfoResponse><Success>true</Success><ModelNumber>Model"
		"</ModelNumber><BoxID>Box</BoxID><SoftwareVersion>0.1.0"
		"</SoftwareVersion></DeviceInfoResponse>" REFUSED("Version",
		    "<ID>2</ID>", "true", "10006", "Request out of sequence"),
		true},
	    {"a login",
		"<AuthRequest><ID>2</ID><User>alice</User><Passwd>" PASSWORD
		"</Passwd></AuthRequest>",
		"<AuthResponse><ID>2</ID><Success>true</Success>"
		"</AuthResponse>",
		false},
	    {"a wrong password",
		"<AuthRequest><ID>2</ID><User>alice</User><Passwd>x" PASSWORD
		"</Passwd></AuthRequest><DeviceInfoRequest/>",
		REFUSED("Auth", "<ID>2</ID>", "true", "10102",
		    "Authentication failed"),
		true},
	    {"nobody",
		"<AuthRequest><User>nobody</User><Passwd>" PASSWORD
		"</Passwd></AuthRequest>",
		REFUSED("Auth", "", "true", "10102", "Authentication failed"),
		true},
	    {"a second login",
		"<AuthRequest><User>alice</User><Passwd>" PASSWORD
		"</Passwd></AuthRequest><AuthRequest><User>alice</"
		"User><Passwd>" PASSWORD "</Passwd></AuthRequest>",
		"<AuthResponse><Success>true</Success></AuthResponse>" REFUSED(
		    "Auth", "", "true", "10006", "Request out of sequence"),
		true},
	    {"a login without a password",
		"<AuthRequest><User>alice</User></AuthRequest>",
		REFUSED(
		    "Auth", "", "false", "10003", "Missing element: Passwd"),
		false},
	    {"a request that nobody knows",
		"<FooRequest><ID>7</ID></FooRequest>",
		REFUSED(
		    "Error", "<ID>7</ID>", "false", "10002", "Unknown request"),
		false},
	    {"an element that is none", "<RandGen><Size>1</Size></RandGen>",
		REFUSED("Error", "", "false", "10002", "Unknown request"),
		false},
	    {"not XML", "<A></B>",
		REFUSED("Error", "", "true", "10001", "Malformed request"),
		true},
	    {"text", "GET / HTTP/1.0\r\n\r\n",
		REFUSED("Error", "", "true", "10001", "Malformed request"),
		true},
	    {"too deep", "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
		REFUSED("Error", "", "true", "10005", "Request too large"),
		true},
	    {"an ID of 64 octets",
		"<DeviceInfoRequest><ID>"
		"0123456789012345678901234567890123456789012345678901234567890"
		"123</ID></DeviceInfoRequest>",
		"<DeviceInfoResponse><ID>"
		"0123456789012345678901234567890123456789012345678901234567890"
		"123</ID><Success>true</Success><ModelNumber>Model"
		"</ModelNumber><BoxID>Box</BoxID><SoftwareVersion>0.1.0"
		"</SoftwareVersion></DeviceInfoResponse>",
		false},
	    {"one of 65",
		"<DeviceInfoRequest><ID>"
		"0123456789012345678901234567890123456789012345678901234567890"
		"1234</ID></DeviceInfoRequest>",
		REFUSED("DeviceInfo", "", "false", "10004",
		    "Invalid value for element: ID"),
		false},
	    {"two IDs",
		"<DeviceInfoRequest><ID>1</ID><ID>2</ID>"
		"</DeviceInfoRequest>",
		REFUSED("DeviceInfo", "<ID>1</ID>", "false", "10004",
		    "Invalid value for element: ID"),
		false},
	    {"an ID with references",
		"<FooRequest><ID>a&lt;&#98;&#x63;&gt;</ID></FooRequest>",
		REFUSED("Error", "<ID>a&lt;bc&gt;</ID>", "false", "10002",
		    "Unknown request"),
		false},
	    {"data that nobody asked for", "<Data><Size>1</Size>a</Data>",
		REFUSED("Error", "", "true", "10307", "Malformed data element"),
		true},
	    {"another name, answered as it was sent",
		"<RandomGenerateRequest><Size>0</Size></RandomGenerateRequest>",
		REFUSED("RandomGenerate", "", "false", "10004",
		    "Invalid value for element: Size"),
		false},
	    {"a version of its own",
		"<DeviceInfoRequest><MessageVersion>1.0</MessageVersion>"
		"</DeviceInfoRequest>",
		REFUSED("DeviceInfo", "", "true", "10007",
		    "No supported protocol version"),
		true},
	};
	size_t k;

	(void)state;
	desk_user(&desk, "alice", false);
	for (k = 0; k < LENGTH(cases); k++) {
		desk_call(&desk);
		expect(
		    cases[k].name, cases[k].in, cases[k].want, cases[k].ends);
	}
}

/* spec: nae-xml 2.4 2.1 */
static void
test_strict(void **state)
{
	static const char alias[] =
	    "<RandomGenerateRequest><Size>1</Size></RandomGenerateRequest>";
	static const char foreign[] =
	    "<DeviceInfoRequest><Foo/></DeviceInfoRequest>";

	(void)state;
	desk_call(&desk);
	assert_null(strstr(desk_ask(&desk, foreign), "false"));
	assert_int_equal(nae_unknown_elements(desk.nae), 1);
	desk_hang_up(&desk);
	desk.config.strict = true;
	desk_anew(&desk);
	desk_call(&desk);
	expect("an alias", alias,
	    REFUSED("Error", "", "false", "10002", "Unknown request"), false);
	expect("an element", foreign,
	    REFUSED("DeviceInfo", "", "false", "10004",
		"Invalid value for element: Foo"),
	    false);
}

/* The octets behind the answer's header, which are checked and cut off. */
static struct bytes
random_octets(struct bytes heard, size_t size)
{
	static const char head[] =
	    "<RandGenResponse><Success>true</Success></RandGenResponse><Data>";
	struct bytes got = BYTES_NONE;
	struct bytes part;

	assert_ok(bytes_split(&heard, sizeof(head) - 1, &part));
	assert_true(bytes_equal_text(part, head));
	while (size != 0) {
		size_t some = size < NAE_CHUNK_OCTETS ? size : NAE_CHUNK_OCTETS;
		char text[40];

		(void)snprintf(text, sizeof(text), "<Size>%zu</Size>", some);
		assert_ok(bytes_split(&heard, strlen(text), &part));
		assert_true(bytes_equal_text(part, text));
		assert_ok(bytes_split(&heard, some, &got));
		size -= some;
	}
	assert_true(bytes_equal_text(heard, "</Data>"));
	return got;
}

/* spec: nae-xml 2.8 */
static void
test_random(void **state)
{
	static const size_t sizes[] = {
	    1, 32, 4096, 4097, 65536, 65537, 131071, 131072};
	char text[100];
	size_t k;

	(void)state;
	desk_call(&desk);
	for (k = 0; k < LENGTH(sizes); k++) {
		uint8_t before[8] = {0};
		struct bytes got;

		(void)snprintf(text, sizeof(text),
		    "<RandGenRequest><Size>%zu</Size></RandGenRequest>",
		    sizes[k]);
		buf_reset(&desk.heard);
		desk_feed(&desk, bytes_of_text(text));
		got = random_octets(buf_peek(&desk.heard), sizes[k]);
		if (got.octets < sizeof(before))
			continue;
		memcpy(before, got.at, sizeof(before));
		buf_reset(&desk.heard);
		desk_feed(&desk, bytes_of_text(text));
		got = random_octets(buf_peek(&desk.heard), sizes[k]);
		assert_memory_not_equal(before, got.at, sizeof(before));
	}
	expect("one more",
	    "<RandGenRequest><Size>131073</Size></RandGenRequest>",
	    REFUSED("RandGen", "", "false", "10004",
		"Invalid value for element: Size"),
	    false);
	assert_int_equal(nae_statistic(desk.nae, STAT_RANDOM)->successful, 14);
	assert_int_equal(nae_statistic(desk.nae, STAT_RANDOM)->failed, 1);
	assert_int_equal(nae_statistic(desk.nae, STAT_TOTAL)->successful, 14);
}

#define RANDOM "<RandGenRequest><Size>1</Size></RandGenRequest>"
#define RANDOM_AS(user, password)                                \
	"<RandGenRequest><User>" user "</User><Passwd>" password \
	"</Passwd><Size>1</Size></RandGenRequest>"

/* Whom a door lets in, and with what. */
static void
test_doors(void **state)
{
	static const struct {
		const char *name;
		const char *certificate;
		bool needs_password;
		const char *in;
		unsigned code; /* 0: answered */
	} cases[] = {
	    /* req: KS-03-031 KS-28-017 */
	    {"a global session", "", false, RANDOM, 0},
	    /* req: KS-03-033 ESKM-092 */
	    {"none where a password is needed", "", true, RANDOM, 10101},
	    {"after a login", "", true,
		"<AuthRequest><User>alice</User><Passwd>" PASSWORD
		"</Passwd></AuthRequest>" RANDOM,
		0},
	    {"with a password of its own", "", true,
		RANDOM_AS("alice", PASSWORD), 0},
	    {"with a wrong one", "", true, RANDOM_AS("alice", "wrong"), 10102},
	    {"with half of it", "", true,
		"<RandGenRequest><User>alice</User><Size>1</Size>"
		"</RandGenRequest>",
		10003},
	    {"it holds for that request only", "", true,
		RANDOM_AS("alice", PASSWORD) RANDOM, 10101},
	    /* req: KS-03-037 KS-03-156 */
	    {"a certificate's user", "alice", false, RANDOM, 0},
	    /* req: KS-03-038 KS-03-039 */
	    {"a certificate is not enough", "alice", true, RANDOM, 10101},
	    {"both", "alice", true,
		"<AuthRequest><User>alice</User><Passwd>" PASSWORD
		"</Passwd></AuthRequest>" RANDOM,
		0},
	    /* req: KS-03-040 ESKM-099 */
	    {"another user's password", "alice", false,
		"<AuthRequest><User>bob</User><Passwd>" PASSWORD
		"</Passwd></AuthRequest>",
		10103},
	    {"another user's for a request", "alice", false,
		RANDOM_AS("bob", PASSWORD), 10103},
	    /* req: KS-03-041 */
	    {"the same user's wrong password", "alice", false,
		"<AuthRequest><User>alice</User><Passwd>" PASSWORD
		"x</Passwd></AuthRequest>",
		10102},
	};
	size_t k;

	(void)state;
	desk_user(&desk, "alice", false);
	desk_user(&desk, "bob", false);
	for (k = 0; k < LENGTH(cases); k++) {
		char want[40] = "</Data>";
		const char *got;

		desk.door.user = bytes_of_text(cases[k].certificate);
		desk.door.needs_password = cases[k].needs_password;
		desk_call(&desk);
		buf_reset(&desk.heard);
		desk_feed(&desk, bytes_of_text(cases[k].in));
		assert_ok(buf_put(
		    &desk.heard, (struct bytes){(const uint8_t *)"", 1}));
		if (cases[k].code != 0)
			(void)snprintf(want, sizeof(want),
			    "<ErrorID>%u</ErrorID>", cases[k].code);
		got = memmem(
		    desk.heard.at, desk.heard.octets, want, strlen(want));
		if (got == NULL)
			fail_msg("%s: expected %s, got %s", cases[k].name, want,
			    (const char *)desk.heard.at);
		if (desk.finished != (cases[k].code > 10100))
			fail_msg("%s: wrong about the end", cases[k].name);
	}
}

/* Octet by octet it is the same. spec: nae-xml 1.2 */
static void
test_portions(void **state)
{
	static const char in[] =
	    "<VersionRequest><MessageVersion>1.0</MessageVersion><ID>1</ID>"
	    "<VersionList><Version>2.9</Version></VersionList>"
	    "</VersionRequest><AuthRequest><ID>2</ID><User>alice</"
	    "User><Passwd>" PASSWORD
	    "</Passwd></AuthRequest><DeviceInfoRequest><ID>2</ID>"
	    "</DeviceInfoRequest>\n";
	static const char want[] =
	    "<VersionResponse><ID>1</ID><Success>true</Success><Version>2.9"
	    "</Version></VersionResponse><AuthResponse><ID>2</ID><Success>true"
	    "</Success></AuthResponse><DeviceInfoResponse><ID>2</ID><Success>"
	    "true</Success><ModelNumber>Model</ModelNumber><BoxID>Box</BoxID>"
	    "<SoftwareVersion>0.1.0</SoftwareVersion></DeviceInfoResponse>";
	size_t portion;
	size_t k;

	(void)state;
	desk_user(&desk, "alice", false);
	for (portion = 1; portion < sizeof(in); portion += 7) {
		desk_call(&desk);
		for (k = 0; k < sizeof(in) - 1; k += portion) {
			size_t left = sizeof(in) - 1 - k;

			desk_feed(&desk, (struct bytes){(const uint8_t *)in + k,
					     left < portion ? left : portion});
		}
		assert_int_equal(desk.heard.octets, sizeof(want) - 1);
		assert_memory_equal(desk.heard.at, want, sizeof(want) - 1);
		assert_false(nae_conn_is_inside(desk.conn));
	}
}

static void
set(enum setting which, const char *value)
{
	struct settings *settings = desk.bench.appliance.settings;
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(
	    setting_set(settings, which, bytes_of_text(value), &changed, why));
}

/* A peer that goes while its password is looked at is forgotten; its guess has
 * counted. req: KS-03-078 */
static void
test_gone(void **state)
{
	struct bytes in = bytes_of_text(RANDOM_AS("alice", "xk9#qzm8"));

	(void)state;
	desk_user(&desk, "alice", false);
	set(SETTING_USER_LOCKOUT_FAILURES, "1");
	set(SETTING_USER_LOCKOUT, "yes");
	desk_call(&desk);
	nae_feed(desk.conn, &in);
	assert_true(nae_conn_is_busy(desk.conn));
	assert_int_equal(nae_busy(desk.nae), 1);
	desk_hang_up(&desk);
	while (nae_busy(desk.nae) != 0)
		bench_turn(&desk.bench);
	assert_int_equal(desk.heard.octets, 0);
	desk_call(&desk);
	assert_non_null(strstr(
	    desk_ask(&desk, RANDOM_AS("alice", PASSWORD)), "<ErrorID>10102<"));
}

/* The tables: names resolve, codes go up, every meaning is an error. */
static void
test_tables(void **state)
{
	unsigned last = 0;
	size_t k;

	(void)state;
	for (k = 0; nae_row_nth(k) != NULL; k++) {
		const struct nae_row *row = nae_row_nth(k);
		char name[64];

		(void)snprintf(name, sizeof(name), "%sRequest", row->name);
		assert_ptr_equal(nae_row_named(bytes_of_text(name), true), row);
		assert_true(row->mark == 'F' || row->mark == 'C');
		assert_non_null(row->run);
	}
	assert_int_equal(k, NAE_REQUEST_COUNT);
	for (k = 0; k < NAE_ERROR_COUNT; k++) {
		const struct nae_error_row *row =
		    nae_error_row((enum nae_error)k);

		assert_true(k == 0 || row->code > last);
		last = row->code;
	}
	for (k = 0; k < STAT_COUNT; k++)
		assert_non_null(nae_statistic_name((enum nae_statistic)k));
}

#define NAE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NAE_TEST(test_sessions),
	    NAE_TEST(test_strict),
	    NAE_TEST(test_random),
	    NAE_TEST(test_doors),
	    NAE_TEST(test_portions),
	    NAE_TEST(test_gone),
	    cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
