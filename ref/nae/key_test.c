#include "crypto/pki.h"
#include "device/cert.h"
#include "device/user.h"
#include "nae/rig_test.h"

static struct desk desk;

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_keys(&desk);
	desk_user(&desk, "root", true);
	desk_user(&desk, "alice", false);
	desk_user(&desk, "bob", false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

/* "": a global session */
static void
log_in(const char *user)
{
	char text[200];

	desk_call(&desk);
	if (user[0] == '\0')
		return;
	(void)snprintf(text, sizeof(text),
	    "<AuthRequest><User>%s</User><Passwd>" PASSWORD
	    "</Passwd></AuthRequest>",
	    user);
	assert_non_null(strstr(desk_ask(&desk, text), "<Success>true"));
}

struct talk {
	const char *in;
	const char *want; /* a part of the answer */
};

static void
talk(const struct talk *talk, size_t count)
{
	size_t k;

	for (k = 0; k < count; k++) {
		const char *got = desk_ask(&desk, talk[k].in);

		if (strstr(got, talk[k].want) == NULL)
			fail_msg("%s: expected %s, got %s", talk[k].in,
			    talk[k].want, got);
	}
}
#define TALK(...)                                                 \
	do {                                                      \
		static const struct talk talk_[] = {__VA_ARGS__}; \
		talk(talk_, LENGTH(talk_));                       \
	} while (0)

#define DONE          "<Success>true</Success>"
#define CODE(code)    "<ErrorID>" code "</ErrorID>"
#define ASK(name, in) "<" name "Request>" in "</" name "Request>"
#define NAMED(name)   "<KeyName>" name "</KeyName>"
#define AES           "<Algorithm>AES</Algorithm>"
#define GEN(name, in) ASK("KeyGen", NAMED(name) AES in)

/* The one client whose octets are known. spec: nae-xml 1.2 req: KS-01-004 */
static void
test_real_client(void **state)
{
	const char *got;

	(void)state;
	log_in("alice");
	TALK({ASK("KeyImport", NAMED("k") AES
		  "<KeyData>000102030405060708090A0B0C0D0E0F</KeyData>"
		  "<Exportable/>"),
	    DONE});
	desk_call(&desk);
	got = desk_ask(&desk,
	    "<VersionRequest><MessageVersion>1.0</MessageVersion><ID>1</ID>"
	    "<VersionList><Version>2.9</Version></VersionList>"
	    "</VersionRequest><AuthRequest><ID>2</ID><User>alice</User>"
	    "<Passwd>" PASSWORD "</Passwd></AuthRequest><KeyExportRequest>"
	    "<ID>2</ID><KeyName>k</KeyName></KeyExportRequest>\n");
	assert_string_equal(got,
	    "<VersionResponse><ID>1</ID><Success>true</Success><Version>2.9"
	    "</Version></VersionResponse><AuthResponse><ID>2</ID><Success>true"
	    "</Success></AuthResponse><KeyExportResponse><ID>2</ID><Success>"
	    "true</Success><KeyName>k</KeyName><Algorithm>AES</Algorithm>"
	    "<KeyData>000102030405060708090A0B0C0D0E0F</KeyData>"
	    "</KeyExportResponse>");
}

/* spec: nae-xml 2.5 2.7 */
static void
test_making(void **state)
{
	(void)state;
	log_in("alice");
	TALK({GEN("k1", "<KeySize>128</KeySize>"), DONE NAMED("k1")},
	    {GEN("k1", ""), CODE("10202")}, {GEN("1k", ""), CODE("10203")},
	    {GEN("k2", "<KeySize>100</KeySize>"), CODE("10303")},
	    {ASK("KeyGen", NAMED("k2") "<Algorithm>AES-256</Algorithm>"),
		CODE("10301")},
	    {ASK("KeyGen", NAMED("k2")), "Missing element: Algorithm"},
	    {ASK("KeyGen", AES), DONE "<KeyName>key-"},
	    {GEN("", ""), DONE "<KeyName>key-"},
	    {GEN("k2", "<KeySize>0</KeySize>"), CODE("10004")},
	    {ASK("KeyGen", NAMED("d") "<Algorithm>DES</Algorithm>"
				      "<KeySize>64</KeySize>"),
		DONE},
	    {ASK("KeyGen", NAMED("e") "<Algorithm>DESede</Algorithm>"
				      "<KeySize>192</KeySize>"),
		DONE},
	    {GEN("k2#", ""), DONE NAMED("k2")},
	    {GEN("k3#1", ""), CODE("10004")},
	    {GEN("k3", "<KeyVersionState>Active</KeyVersionState>"),
		CODE("10206")},
	    {GEN("k3",
		 "<VersionedKey/><KeyVersionState>active</KeyVersionState>"),
		"Invalid value for element: KeyVersionState"},
	    {GEN("k3", "<Owner>bob</Owner>"), CODE("10105")},
	    {GEN("k3", "<CurveID>1</CurveID>"),
		"Invalid value for element: CurveID"},
	    {GEN("k3", "<Exportable>maybe</Exportable>"),
		"Invalid value for element: Exportable"},
	    {GEN("k3", "<Exportable/><Deletable>true</Deletable>"), DONE},
	    {ASK("KeyInfo", NAMED("k3")),
		NAMED("k3") AES "<KeySize>256</KeySize><Owner>alice</Owner>"
				"<Exportable>true</Exportable><Deletable>true"
				"</Deletable><VersionedKey>false"
				"</VersionedKey><UniqueID>"},
	    {ASK("KeyInfo", NAMED("k1")),
		"<KeySize>128</KeySize><Owner>alice</Owner><Exportable>false"
		"</Exportable><Deletable>false</Deletable>"},
	    {ASK("KeyDel", NAMED("k1")), CODE("10205")},
	    {ASK("KeyExport", NAMED("k1")), CODE("10204")},
	    {ASK("KeyDel", NAMED("k3#1")), CODE("10004")},
	    {ASK("KeyDel", NAMED("k3")), DONE},
	    {ASK("KeyDel", NAMED("k3")), CODE("10201")}, );
	log_in("root");
	TALK({GEN("k4", "<Owner>bob</Owner>"), DONE},
	    {GEN("k5", "<Owner>nobody</Owner>"), CODE("10501")},
	    {ASK("KeyInfo", NAMED("k4")), CODE("10201")}, );
	log_in("bob");
	TALK({ASK("KeyInfo", NAMED("k4")), "<Owner>bob</Owner>"},
	    {ASK("KeyInfo", NAMED("k1")), CODE("10201")},
	    /* a name is one on the whole appliance */
	    {GEN("k1", ""), CODE("10202")}, );
}

/* req: KS-03-061 KS-03-062 KS-03-063 KS-28-139 */
static void
test_global(void **state)
{
	(void)state;
	log_in("");
	TALK({GEN("g", "<Exportable/><Deletable/>"), DONE},
	    {GEN("h",
		 "<Permissions><Permission><Group>x</Group><Operation>Encrypt"
		 "</Operation></Permission></Permissions>"),
		"Invalid value for element: Permissions"},
	    {GEN("h", "<Owner>alice</Owner>"), CODE("10105")}, );
	log_in("bob");
	TALK({ASK("KeyInfo", NAMED("g")),
		 "<KeySize>256</KeySize><Exportable>true"},
	    {ASK("KeyExport", NAMED("g")), DONE}, {GEN("mine", ""), DONE}, );
	log_in("");
	TALK({ASK("KeyInfo", NAMED("mine")), CODE("10201")},
	    {ASK("KeyDel", NAMED("g")), DONE}, );
}

/*
 * req: KS-03-145 KS-03-146 KS-03-147 KS-03-148 KS-38-092 KS-38-095
 * req: ESKM-067 ESKM-068
 */
static void
test_gates(void **state)
{
	(void)state;
	log_in("alice");
	TALK({GEN("k", "<Exportable/><Deletable/><VersionedKey/>"), DONE});
	desk.door.allows_config = false;
	desk.door.allows_export = false;
	log_in("alice");
	TALK({GEN("k2", ""), CODE("10106")},
	    {ASK("KeyImport", NAMED("k2") AES "<KeyData>00</KeyData>"),
		CODE("10106")},
	    {ASK("KeyDel", NAMED("k")), CODE("10106")},
	    {ASK("KeyVersionGen", NAMED("k")), CODE("10106")},
	    {ASK("KeyVersionModify",
		 NAMED("k#1") "<KeyVersionState>Active</KeyVersionState>"),
		CODE("10106")},
	    {ASK("KeyClone", NAMED("k") "<NewKeyName>k2</NewKeyName>"),
		CODE("10106")},
	    {ASK("KeyModify", NAMED("k") "<Exportable/>"), CODE("10106")},
	    {ASK("KeyExport", NAMED("k")), CODE("10106")},
	    {ASK("KeyNames", ""), "<KeyCount>1</KeyCount>"},
	    {ASK("KeyInfo", NAMED("k")), DONE}, );
	desk.door.allows_export = true;
	log_in("alice");
	TALK({ASK("KeyExport", NAMED("k")), DONE},
	    {ASK("KeyDel", NAMED("k")), CODE("10106")}, );
}

/* req: KS-28-040 KS-28-044 KS-28-176 KS-28-181 KS-28-185 KS-28-188 */
static void
test_versions(void **state)
{
	(void)state;
	log_in("alice");
	TALK({GEN("v", "<VersionedKey/><Exportable/>"), DONE},
	    {GEN("plain", "<Exportable/>"), DONE},
	    {ASK("KeyVersionGen", NAMED("v")),
		NAMED("v") "<Version>2</Version>"},
	    {ASK("KeyVersionGen", NAMED("v")), "<Version>3</Version>"},
	    {ASK("KeyVersionGen", NAMED("v#2")), CODE("10004")},
	    {ASK("KeyVersionGen", NAMED("plain")), CODE("10206")},
	    {ASK("KeyVersionGen", NAMED("nobody")), CODE("10201")},
	    {ASK("KeyVersionModify",
		 NAMED("v#1") "<KeyVersionState>Retired</KeyVersionState>"),
		DONE},
	    {ASK("KeyVersionModify",
		 NAMED("v#2") "<KeyVersionState>Restricted</KeyVersionState>"),
		DONE},
	    {ASK("KeyVersionModify",
		 NAMED("v#3") "<KeyVersionState>Restricted</KeyVersionState>"),
		CODE("10208")},
	    {ASK("KeyVersionModify",
		 NAMED("v#4") "<KeyVersionState>Active</KeyVersionState>"),
		CODE("10207")},
	    {ASK("KeyVersionModify",
		 NAMED("v#0") "<KeyVersionState>Active</KeyVersionState>"),
		CODE("10207")},
	    {ASK("KeyVersionModify",
		 NAMED("v") "<KeyVersionState>Active</KeyVersionState>"),
		CODE("10004")},
	    {ASK("KeyVersionModify", NAMED("v#1")), CODE("10003")},
	    {ASK("KeyInfo", NAMED("v")),
		"<NumKeyVersions>3</NumKeyVersions><NumActiveVersions>1"
		"</NumActiveVersions><NumRestrictedVersions>1"
		"</NumRestrictedVersions><NumRetiredVersions>1"
		"</NumRetiredVersions><KeyVersionList><KeyVersion>"
		"<KeyVersionNumber>1</KeyVersionNumber><KeyVersionState>Retired"
		"</KeyVersionState>"},
	    {ASK("KeyInfo", NAMED("v#1")), CODE("10208")},
	    {ASK("KeyInfo", NAMED("v#2")), DONE},
	    {ASK("KeyInfo", NAMED("v#4")), CODE("10207")},
	    {ASK("KeyInfo", NAMED("plain#1")), CODE("10206")},
	    {ASK("KeyInfo", NAMED("v#all")), CODE("10004")},
	    {ASK("KeyExport", NAMED("v#1")), CODE("10208")},
	    {ASK("KeyExport", NAMED("v#2")), CODE("10208")},
	    {ASK("KeyExport", NAMED("v#3")), "<KeyData>"},
	    {ASK("KeyExport", NAMED("v#all")),
		"<KeyVersionList><KeyVersion><KeyVersionNumber>3</"
		"KeyVersionNumber>"},
	    {ASK("KeyExport", NAMED("plain#all")), CODE("10206")}, );
}

#define PERMISSION(operation)                                            \
	"<Permissions><Permission><Group>g</Group><Operation>" operation \
	"</Operation></Permission></Permissions>"

/* req: KS-03-025 */
static void
test_permissions(void **state)
{
	char why[USER_WHY_OCTETS];

	(void)state;
	assert_ok(group_create(&desk.bench.appliance, bytes_of_text("g")));
	assert_ok(group_add(&desk.bench.appliance, bytes_of_text("g"),
	    bytes_of_text("bob"), why));
	bench_turn(&desk.bench);
	log_in("alice");
	TALK({GEN("k", "<Exportable/><Deletable/>" PERMISSION("Export")), DONE},
	    {GEN("k2", PERMISSION("MAC")),
		"Invalid value for element: Operation"},
	    {GEN("k2", PERMISSION("Info")),
		"Invalid value for element: Operation"},
	    {GEN("k2", "<Permissions><Permission><Group>h</Group><Operation>"
		       "Export</Operation></Permission></Permissions>"),
		CODE("10503")},
	    {GEN("k2", "<Permissions><Permission><Operation>Export"
		       "</Operation></Permission></Permissions>"),
		"Missing element: Group"},
	    {GEN("k2", "<Permissions><Permission><Group>g</Group>"
		       "</Permission></Permissions>"),
		"Missing element: Operation"},
	    {GEN("k2", "<Permissions><Permission><Group>g</Group><Operation>"
		       "Export</Operation><Policy>p</Policy></Permission>"
		       "</Permissions>"),
		"Invalid value for element: Policy"},
	    {GEN("k2", ""), DONE}, );
	log_in("bob");
	TALK({ASK("KeyExport", NAMED("k")), DONE},
	    {ASK("KeyInfo", NAMED("k")),
		"<Permissions><Permission><Group>g</Group><Operation>Export"
		"</Operation></Permission></Permissions>"},
	    {ASK("KeyDel", NAMED("k")), CODE("10105")},
	    {ASK("KeyModify", NAMED("k") "<Exportable>false</Exportable>"),
		CODE("10105")},
	    {ASK("KeyClone", NAMED("k") "<NewKeyName>k3</NewKeyName>"),
		CODE("10105")},
	    {ASK("KeyInfo", NAMED("k2")), CODE("10201")}, );
	log_in("alice");
	TALK({ASK("KeyModify", NAMED("k") PERMISSION("Encrypt")), DONE},
	    {ASK("KeyModify", NAMED("k2") PERMISSION("Sign")),
		"Invalid value for element: Operation"},
	    {ASK("KeyInfo", NAMED("k")), "<Operation>Encrypt</Operation></Per"},
	    {ASK("KeyInfo", NAMED("k2")), DONE}, );
	log_in("bob");
	TALK({ASK("KeyExport", NAMED("k")), CODE("10105")},
	    {ASK("KeyInfo", NAMED("k")), DONE}, );
	log_in("alice");
	TALK({ASK("KeyModify", NAMED("k") "<Permissions/>"), DONE});
	log_in("bob");
	TALK({ASK("KeyInfo", NAMED("k")), CODE("10201")});
}

static void
test_modify(void **state)
{
	(void)state;
	log_in("alice");
	TALK({GEN("k", ""), DONE}, {GEN("other", ""), DONE},
	    {ASK("KeyModify", NAMED("k") "<NewKeyName>k9</NewKeyName>"
					 "<Exportable/><Deletable/>"),
		DONE},
	    {ASK("KeyInfo", NAMED("k")), CODE("10201")},
	    {ASK("KeyInfo", NAMED("k9")),
		"<Exportable>true</Exportable><Deletable>true</Deletable>"},
	    {ASK("KeyModify", NAMED("k9") "<NewKeyName>other</NewKeyName>"),
		CODE("10202")},
	    {ASK("KeyModify", NAMED("k9") "<NewKeyName>1</NewKeyName>"),
		CODE("10203")},
	    {ASK("KeyModify", NAMED("k9") "<Owner>bob</Owner>"), CODE("10105")},
	    {ASK("KeyClone", NAMED("k9") "<NewKeyName>c</NewKeyName>"
					 "<Exportable>false</Exportable>"),
		DONE NAMED("c")},
	    {ASK("KeyInfo", NAMED("c")),
		"<Exportable>false</Exportable><Deletable>true</Deletable>"},
	    {ASK("KeyClone", NAMED("k9") "<NewKeyName>c</NewKeyName>"),
		CODE("10202")},
	    {ASK("KeyClone", NAMED("k9")), CODE("10003")},
	    {ASK("KeyModify", NAMED("k9") "<Owner></Owner>"), DONE}, );
	log_in("");
	TALK({ASK("KeyInfo", NAMED("k9")), DONE});
}

/* spec: nae-xml 2.7 */
static void
test_lists(void **state)
{
	(void)state;
	log_in("alice");
	TALK({GEN("a", ""), DONE}, {GEN("b", ""), DONE},
	    {ASK("KeyImport", NAMED("c") AES
		 "<KeyData>000102030405060708090a0b0c0d0e0f</KeyData>"),
		"<Fingerprint>56178B86A57FAC22899A9964185C2CC96E7DA589"
		"</Fingerprint>" NAMED("c")},
	    {ASK("KeyNames", ""),
		DONE "<KeyNameList>" NAMED("a") NAMED("b") NAMED(
		    "c") "</KeyNameList><KeyCount>3</KeyCount><TotalKeys>3"},
	    {ASK("KeyNames", "<Offset>1</Offset><MaxKeys>1</MaxKeys>"),
		DONE "<KeyNameList>" NAMED(
		    "b") "</KeyNameList><KeyCount>1</KeyCount><TotalKeys>3"},
	    {ASK("KeyNames",
		 "<Fingerprint>56178b86a57fac22899a9964185c2cc96e7da589"
		 "</Fingerprint>"),
		"<KeyNameList>" NAMED("c") "</KeyNameList>"},
	    {ASK("KeyNames", "<Fingerprint>5</Fingerprint>"),
		"Invalid value for element: Fingerprint"},
	    {ASK("KeyNames", "<MaxKeys>0</MaxKeys>"),
		"Invalid value for element: MaxKeys"},
	    {ASK("KeyQuery", "<Offset>2</Offset>"),
		"<KeyList><Key>" NAMED("c") AES}, );
	log_in("bob");
	TALK({ASK("KeyNames", ""),
		 "<KeyNameList></KeyNameList><KeyCount>0</KeyCount>"},
	    {ASK("KeyQuery", ""), "<KeyList></KeyList>"}, );
}

static void
keep_cert(enum cert_kind kind, const char *name, struct bytes der)
{
	struct cert cert;

	cert_init(&cert, kind, bytes_of_text(name));
	if (kind != CERT_KNOWN_CA)
		assert_ok(buf_put_text(&cert.key, "sealed"));
	assert_ok(buf_put(&cert.certificate, der));
	assert_ok(cert_write(desk.bench.appliance.store, &cert));
	cert_clear(&cert);
}

/* A CA signs the request, and both certificates are kept. */
static void
certify(struct bytes request)
{
	static const uint8_t seed[32] = {1};
	struct pki_subject subject = {.field = {[PKI_COMMON_NAME] = "ca"}};
	struct pki_order order = {.purpose = PKI_CA,
	    .serial = 1,
	    .from_s = 0,
	    .until_s = INT64_C(4000000000)};
	struct secret *key;
	struct buf ca_request;
	struct buf ca;
	struct buf leaf;
	const char *why;

	buf_init(&ca_request, 1 << 16);
	buf_init(&ca, 1 << 16);
	buf_init(&leaf, 1 << 16);
	assert_ok(pki_key_new(2048, (struct bytes){seed, sizeof(seed)}, &key));
	order.key = secret_peek(key);
	assert_ok(pki_request_new(order.key, &subject, &ca_request, &why));
	order.request = buf_peek(&ca_request);
	assert_ok(pki_issue(&order, &ca, &why));
	order.purpose = PKI_SERVER;
	order.request = request;
	order.issuer = buf_peek(&ca);
	order.serial = 2;
	assert_ok(pki_issue(&order, &leaf, &why));
	keep_cert(CERT_KNOWN_CA, "ca", buf_peek(&ca));
	keep_cert(CERT_DEVICE, "web", buf_peek(&leaf));
	bench_turn(&desk.bench);
	buf_clear(&ca_request);
	buf_clear(&ca);
	buf_clear(&leaf);
	secret_free(key);
}

#define SUBJECT                                                      \
	"<Subject><CommonName>web</CommonName><Country>DE</Country>" \
	"</Subject>"

/* spec: nae-xml 2.9 */
static void
test_certificates(void **state)
{
	struct bytes text;
	struct buf der;
	struct arena *arena;
	struct pki_facts facts;
	const char *why;
	const char *got;

	(void)state;
	log_in("alice");
	TALK({ASK("KeyGen", NAMED("r") "<Algorithm>RSA</Algorithm>"
				       "<KeySize>2048</KeySize>"),
		 DONE},
	    {GEN("a", ""), DONE},
	    {ASK("CSRCreate", NAMED("a") SUBJECT), CODE("10302")},
	    {ASK("CSRCreate", NAMED("r")), "Missing element: Subject"},
	    {ASK("CSRCreate", NAMED("r") "<Subject/>"),
		"Missing element: Country"},
	    {ASK("CSRCreate", NAMED("r") "<Subject><Country>Germany</Country>"
					 "</Subject>"),
		"Invalid value for element: Country"},
	    {ASK("KeyCertificateExport", NAMED("a")), CODE("10302")},
	    {ASK("KeyCertificateExport", NAMED("r")), CODE("10401")}, );
	got = desk_ask(&desk, ASK("CSRCreate", NAMED("r") SUBJECT));
	got = strstr(got, "-----BEGIN");
	assert_non_null(got);
	text = bytes_of_text(got);
	text.octets = (size_t)(strstr(got, "</CSRData>") - got);
	assert_ok(arena_new(1 << 20, &arena));
	buf_init(&der, 1 << 20);
	assert_ok(pki_pem_read(PKI_REQUEST, text, &der, &why));
	assert_ok(pki_facts(PKI_REQUEST, buf_peek(&der), arena, &facts));
	assert_int_equal(facts.key_bits, 2048);
	assert_non_null(strstr(facts.subject, "CN=web"));
	certify(buf_peek(&der));
	buf_clear(&der);
	arena_free(arena);
	got = desk_ask(&desk, ASK("KeyCertificateExport", NAMED("r")));
	assert_non_null(strstr(got, DONE "<CertificateData>-----BEGIN"));
	/* its own, then the CA's, and no more */
	got = strstr(strstr(got, "-----BEGIN") + 1, "-----BEGIN");
	assert_non_null(got);
	assert_null(strstr(got + 1, "-----BEGIN"));
}

/* A worker makes them. */
static void
test_rsa(void **state)
{
	(void)state;
	log_in("alice");
	TALK({ASK("KeyGen", NAMED("r") "<Algorithm>RSA</Algorithm>"
				       "<KeySize>1024</KeySize><VersionedKey/>"
				       "<Exportable/>"),
		 DONE NAMED("r")},
	    {ASK("KeyGen", NAMED("r") "<Algorithm>RSA</Algorithm>"),
		CODE("10202")},
	    {ASK("KeyGen", NAMED("s") "<Algorithm>RSA</Algorithm>"
				      "<KeySize>1025</KeySize>"),
		CODE("10303")},
	    {ASK("KeyVersionGen", NAMED("r")), "<Version>2</Version>"},
	    {ASK("KeyExport", NAMED("r#1")),
		"<KeyData>-----BEGIN RSA PRIVATE KEY-----"},
	    {ASK("PublicKeyExport", NAMED("r")),
		"<KeyData>-----BEGIN RSA PUBLIC KEY-----"},
	    {GEN("a", ""), DONE},
	    {ASK("PublicKeyExport", NAMED("a")), CODE("10302")}, );
}

#define NAE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NAE_TEST(test_real_client),
	    NAE_TEST(test_making),
	    NAE_TEST(test_global),
	    NAE_TEST(test_gates),
	    NAE_TEST(test_versions),
	    NAE_TEST(test_permissions),
	    NAE_TEST(test_modify),
	    NAE_TEST(test_lists),
	    NAE_TEST(test_rsa),
	    NAE_TEST(test_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
