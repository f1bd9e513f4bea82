/*
 * What requests leave in the Activity Log, octet by octet but for the date.
 */
#include "nae/rig_test.h"

static struct desk desk;

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_keys(&desk);
	desk_user(&desk, "alice", false);
	desk_user(&desk, "root", true);
	desk_call(&desk);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

#define ASK(name, in)  "<" name "Request>" in "</" name "Request>"
#define NAMED(name)    "<KeyName>" name "</KeyName>"
#define AES            "<Algorithm>AES</Algorithm>"
#define AUTH(password) "<User>alice</User><Passwd>" password "</Passwd>"
#define KEY_DATA       "000102030405060708090A0B0C0D0E0F"

enum { DATE_OCTETS = sizeof("[2005-09-12 10:23:47] ") - 1 };

/* Line for line without their dates. */
static void
assert_log(const char *name, const char *want)
{
	const char *got = ear_text(&desk.ear, LOG_ACTIVITY);
	char said[4096];
	size_t octets = 0;

	while (*got != '\0') {
		size_t line = strcspn(got, "\n") + 1;

		assert_true(line > DATE_OCTETS);
		memcpy(said + octets, got + DATE_OCTETS, line - DATE_OCTETS);
		octets += line - DATE_OCTETS;
		got += line;
	}
	said[octets] = '\0';
	if (strcmp(said, want) != 0)
		fail_msg("%s\nexpected: %s     got: %s", name, want, said);
}

struct talk {
	const char *in;
	const char *want;
};

static void
talk(const struct talk *talk, size_t count)
{
	size_t k;

	for (k = 0; k < count; k++) {
		ear_forget(&desk.ear);
		(void)desk_ask(&desk, talk[k].in);
		assert_log(talk[k].in, talk[k].want);
	}
}
#define TALK(...)                                                 \
	do {                                                      \
		static const struct talk talk_[] = {__VA_ARGS__}; \
		talk(talk_, LENGTH(talk_));                       \
	} while (0)

/* req: KS-21-018 KS-21-025 KS-21-028 KS-21-029 KS-21-030 KS-21-035 */
static void
test_who(void **state)
{
	(void)state;
	TALK(
	    {ASK("Version",
		 "<ID>1</ID><VersionList><Version>2.9</Version></VersionList>"),
		"INFO 10.0.0.5 [-] - 1 Version - [-] - [Success]\n"},
	    {ASK("Auth", "<ID>2</ID>" AUTH(PASSWORD)),
		"INFO 10.0.0.5 [-] alice 2 Auth - [alice] - [Success]\n"},
	    {ASK("RandGen", "<ID>42</ID><Size>32</Size>"),
		"INFO 10.0.0.5 [-] alice 42 RandGen - [32] - [Success]\n"});
	desk_call(&desk);
	TALK({ASK("Auth", AUTH("wrong")),
	    "ERROR 10.0.0.5 [-] - - Auth - [alice] 10102 "
	    "[Authentication failed]\n"});
	desk_call(&desk);
	TALK({ASK("RandGen", "<Size>8</Size>" AUTH(PASSWORD)),
		 "INFO 10.0.0.5 [-] alice - RandGen - [8] - [Success]\n"},
	    {ASK("RandomGenerate", "<Size>8</Size>"),
		"INFO 10.0.0.5 [-] - - RandomGenerate - [8] - [Success]\n"});
	desk.door.origin = bytes_of_text("10.0.0.5 [client 1]");
	desk_call(&desk);
	TALK({ASK("DeviceInfo", ""),
	    "INFO 10.0.0.5 [client 1] - - DeviceInfo - [-] - [Success]\n"});
}

/* req: KS-21-015 KS-21-024 KS-21-033 KS-21-034 */
static void
test_what_is_no_request(void **state)
{
	(void)state;
	TALK({ASK("Nonsense", "<ID>5</ID>"),
		 "ERROR 10.0.0.5 [-] - 5 Nonsense - [-] 10002 "
		 "[Unknown request]\n"},
	    {"<Key>1</Key>", "ERROR 10.0.0.5 [-] - - Key - [-] 10002 "
			     "[Unknown request]\n"},
	    {ASK("KeyInfo", "<ID>6</ID>"),
		"ERROR 10.0.0.5 [-] - 6 KeyInfo - [-] 10003 "
		"[Missing element: KeyName]\n"},
	    {ASK("KeyInfo", NAMED("a b]\n\\")),
		"ERROR 10.0.0.5 [-] - - KeyInfo a\\x20b]\\x0a\\\\ [-] 10201 "
		"[Key not found]\n"},
	    {"<a", ""},
	    {"<", "ERROR 10.0.0.5 [-] - - - - [-] 10001 "
		  "[Malformed request]\n"});
}

/* req: KS-21-031 KS-21-032 KS-21-036 KS-21-037 KS-21-038 KS-21-039
 * req: KS-21-040 KS-21-043 KS-21-044 */
static void
test_keys(void **state)
{
	(void)state;
#define LINE(type, detail) \
	"INFO 10.0.0.5 [-] - - " type " k1 [" detail "] - [Success]\n"
	TALK({ASK("KeyGen", NAMED("k1") AES "<KeySize>128</KeySize>"
					    "<Deletable>true</Deletable>"
					    "<Exportable/>"),
		 LINE("KeyGen", "AES 128 Deletable true Exportable true")},
	    {ASK("KeyInfo", NAMED("k1")), LINE("KeyInfo", "-")},
	    {ASK("KeyExport", NAMED("k1")), LINE("KeyExport", "-")},
	    {ASK("KeyDel", NAMED("k1")), LINE("KeyDel", "-")},
	    {ASK("KeyGen", NAMED("k1") AES "<Deletable>true</Deletable>"),
		LINE("KeyGen", "AES 256 Deletable true")},
	    {ASK("KeyDelete", NAMED("k1")), LINE("KeyDelete", "-")},
	    {ASK("KeyImport", NAMED("k1") AES "<KeyData>" KEY_DATA "</KeyData>"
					      "<Deletable>true</Deletable>"
					      "<Exportable>false</Exportable>"),
		LINE("KeyImport", "AES Deletable true Exportable false")},
	    {ASK("KeyDel", NAMED("k1")), LINE("KeyDel", "-")},
	    {ASK("KeyImport",
		 NAMED("k1") AES "<KeySize>128</KeySize>"
				 "<KeyData>" KEY_DATA "</KeyData>"),
		LINE("KeyImport", "AES 128")},
	    {ASK("KeyNames", ""),
		"INFO 10.0.0.5 [-] - - KeyNames - [-] - [Success]\n"},
	    {ASK("KeyQuery", ""),
		"INFO 10.0.0.5 [-] - - KeyQuery - [-] - [Success]\n"},
	    {ASK("KeyGen", NAMED("k1") "<Algorithm>ROT13</Algorithm>"
				       "<Exportable>maybe</Exportable>"),
		"ERROR 10.0.0.5 [-] - - KeyGen k1 [ROT13 Exportable maybe] "
		"10301 [Unsupported algorithm]\n"},
	    {ASK("KeyGen", NAMED("k1") AES),
		"ERROR 10.0.0.5 [-] - - KeyGen k1 [AES 256] 10202 "
		"[Key already exists]\n"},
	    {ASK("KeyGen", NAMED("k1")),
		"ERROR 10.0.0.5 [-] - - KeyGen k1 [-] 10003 "
		"[Missing element: Algorithm]\n"});
#undef LINE
}

#define OPERATION(action, key, algorithm)                                \
	"<Action>" action "</Action>" NAMED(key) "<Algorithm>" algorithm \
						 "</Algorithm>"
#define DATA "<Data><Size>4</Size>abcd</Data>"

/* Nothing before all of it has come. req: KS-21-016 KS-21-017 KS-21-045 */
static void
test_operations(void **state)
{
#define LINE(result, key, rest) result " 10.0.0.5 [-] - 9 Crypto " key " " rest
	(void)state;
	TALK({ASK("KeyGen", NAMED("k1") AES),
		 "INFO 10.0.0.5 [-] - - KeyGen k1 [AES 256] - [Success]\n"},
	    {"<CryptoRequest><ID>9</ID>" OPERATION("ENCRYPT", "k1",
		 "AES") "</CryptoRequest><Data><Size>4</Size>ab",
		""},
	    {"cd</Data>", LINE("INFO", "k1",
			      "[1 ENCRYPT AES/ECB/PKCS5Padding]"
			      " - [Success]\n")},
	    {ASK("Crypto", "<ID>9</ID>" OPERATION("ENCRYPT", "k1", "AES/ROT")),
		""},
	    {DATA, LINE("ERROR", "k1",
		       "[1 ENCRYPT AES/ROT] 10301 "
		       "[Unsupported algorithm]\n")},
	    {ASK("Crypto", "<ID>9</ID><Action>ENCRYPT</Action>") DATA,
		LINE("ERROR", "-",
		    "[1 ENCRYPT -] 10003 "
		    "[Missing element: Algorithm]\n")},
	    /* three of a batch, each on its own */
	    {ASK("Crypto",
		 "<ID>9</ID><Operation>" OPERATION("ENCRYPT", "k1",
		     "AES/CBC/PKCS5Padding") "</"
					     "Operation><"
					     "Operation>" OPERATION("MAC",
						 "none",
						 "HmacSHA256") "</Operation>"
							       "<Operation"
							       ">" OPERATION(
								   "ROAST",
								   "k1",
								   "AES") "<"
									  "/"
									  "O"
									  "p"
									  "e"
									  "r"
									  "a"
									  "t"
									  "i"
									  "o"
									  "n"
									  ">")
		    DATA DATA,
		""},
	    {DATA, LINE("INFO", "k1",
		       "[1 ENCRYPT AES/CBC/PKCS5Padding] - "
		       "[Success]\n") LINE("ERROR", "none",
		       "[2 MAC HmacSHA256] 10201 "
		       "[Key not found]\n") LINE("ERROR", "k1",
		       "[3 ROAST AES] 10004 "
		       "[Invalid value for element: Action]\n")},
	    /* the end of all of them is each one's */
	    {ASK("Crypto",
		 "<ID>9</ID><Operation>" OPERATION("ENCRYPT", "k1",
		     "AES") "</Operation><Operation>" OPERATION("ENCRYPT", "k1",
		     "AES") "</Operation>") DATA
		"<Data><Size>4</Size>abcd</Nonsense>",
		LINE("ERROR", "k1",
		    "[1 ENCRYPT AES/ECB/PKCS5Padding] 10307 "
		    "[Malformed data element]\n") LINE("ERROR", "k1",
		    "[2 ENCRYPT AES/ECB/PKCS5Padding] 10307 "
		    "[Malformed data element]\n")});
}

/* req: KS-21-017 */
static void
test_one_who_leaves(void **state)
{
	(void)state;
	TALK({ASK("KeyGen", NAMED("k1") AES),
		 "INFO 10.0.0.5 [-] - - KeyGen k1 [AES 256] - [Success]\n"},
	    {"<CryptoRequest><ID>9</ID>" OPERATION("ENCRYPT", "k1",
		 "AES") "</CryptoRequest><Data><Size>4</Size>ab",
		""});
	desk_hang_up(&desk);
	assert_log("gone", LINE("ERROR", "k1",
			       "[1 ENCRYPT AES/ECB/PKCS5Padding] 10902 "
			       "[Server busy]\n"));
#undef LINE
}

/* The time is that of the end. req: KS-21-021 */
static void
test_time(void **state)
{
	(void)state;
	(void)desk_ask(&desk, ASK("KeyGen", NAMED("k1") AES));
	(void)desk_ask(
	    &desk, "<CryptoRequest>" OPERATION("ENCRYPT", "k1",
		       "AES") "</CryptoRequest><Data><Size>4</Size>ab");
	ear_forget(&desk.ear);
	rig_move_to(&desk.bench.rig, INT64_C(1126520627000));
	(void)desk_ask(&desk, "cd</Data>");
	assert_non_null(strstr(
	    ear_text(&desk.ear, LOG_ACTIVITY), "[2005-09-12 10:23:47] INFO"));
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LOG_TEST(test_who),
	    LOG_TEST(test_what_is_no_request),
	    LOG_TEST(test_keys),
	    LOG_TEST(test_operations),
	    LOG_TEST(test_one_who_leaves),
	    LOG_TEST(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
