/*
 * Who may ask for what: every request, by every kind of session, of keys with
 * every permission and mark, through doors with every switch. What is expected
 * follows from the tables alone, request.def and model/key_use.def; nothing
 * else lets a request pass, and nothing else stops it.
 */
#include "device/user.h"
#include "nae/request.h"
#include "nae/rig_test.h"

enum { DOORS = 4, NAME_OCTETS = 32, TEXT_OCTETS = 1024 };

static struct desk desk;
#define APPLIANCE (&desk.bench.appliance)

/* ---- sessions ---- */

enum who { GLOBAL, STRANGER, OWNER, MEMBER, ADMINISTRATOR, WHO_COUNT };

static const char *const users[WHO_COUNT] = {
    "", "carol", "alice", "bob", "root"};

static struct key_door doors[DOORS][WHO_COUNT];
static struct nae_conn *conns[DOORS][WHO_COUNT];

/* Each kind of session through each kind of door. */
static void
sessions_open(void)
{
	struct nae_way way = {.answer = desk_answer,
	    .finish = desk_finish,
	    .ready = desk_ready,
	    .ctx = &desk};
	unsigned door;
	int who;

	for (door = 0; door < DOORS; door++) {
		for (who = 0; who < WHO_COUNT; who++) {
			doors[door][who] = desk.door;
			doors[door][who].allows_config = (door & 1) != 0;
			doors[door][who].allows_export = (door & 2) != 0;
			doors[door][who].user = bytes_of_text(users[who]);
			assert_ok(nae_conn_new(desk.nae, &doors[door][who],
			    &way, &conns[door][who]));
		}
	}
}

static void
sessions_close(void)
{
	unsigned door;
	int who;

	for (door = 0; door < DOORS; door++) {
		for (who = 0; who < WHO_COUNT; who++) {
			nae_conn_free(conns[door][who]);
			conns[door][who] = NULL;
		}
	}
}

static int
set_up(void **state)
{
	char why[USER_WHY_OCTETS];
	int who;

	(void)state;
	desk_make(&desk);
	desk_keys(&desk);
	for (who = STRANGER; who < WHO_COUNT; who++)
		desk_user(&desk, users[who], who == ADMINISTRATOR);
	assert_ok(group_create(APPLIANCE, bytes_of_text("g")));
	assert_ok(group_add(
	    APPLIANCE, bytes_of_text("g"), bytes_of_text(users[MEMBER]), why));
	bench_turn(&desk.bench);
	sessions_open();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	sessions_close();
	desk_remove(&desk);
	return 0;
}

/* ---- asking ---- */

/* The error's code, 0 for none. */
static unsigned
ask(struct nae_conn *conn, const char *text)
{
	struct bytes in = bytes_of_text(text);
	const char *code;
	unsigned k;

	buf_reset(&desk.heard);
	desk.finished = false;
	for (k = 0; k < TURNS; k++) {
		desk.ready = false;
		nae_feed(conn, &in);
		if (!nae_conn_is_busy(conn) && in.octets == 0)
			break;
		while (!desk.ready)
			bench_turn(&desk.bench);
	}
	assert_ok(buf_put(&desk.heard, (struct bytes){(const uint8_t *)"", 1}));
	/* nothing here is fatal: the sessions are used again */
	if (desk.finished)
		fail_msg("%s: %s", text, (const char *)desk.heard.at);
	code = strstr((const char *)desk.heard.at, "<ErrorID>");
	return code != NULL ? (unsigned)atoi(code + strlen("<ErrorID>")) : 0;
}

/* ---- what is asked for ---- */

/*
 * Each request as somebody would send it who may: $K is a key that is there, $N
 * a name that is new.
 */
static const struct sent {
	const char *name;
	const char *fields;
	bool of_others; /* which takes the permission to administer */
} requests[] = {
    {"DeviceInfo", "", false},
    {"RandGen", "<Size>1</Size>", false},
    {"KeyGen", "<KeyName>$N</KeyName><Algorithm>AES</Algorithm>", false},
    {"KeyVersionGen", "<KeyName>$K</KeyName>", false},
    {"KeyVersionModify",
	"<KeyName>$K#1</KeyName><KeyVersionState>Active"
	"</KeyVersionState>",
	false},
    {"KeyDel", "<KeyName>$K</KeyName>", false},
    {"KeyInfo", "<KeyName>$K</KeyName>", false},
    {"KeyNames", "", false},
    {"KeyQuery", "", false},
    {"KeyClone", "<KeyName>$K</KeyName><NewKeyName>$N</NewKeyName>", false},
    {"KeyModify", "<KeyName>$K</KeyName>", false},
    {"KeyImport",
	"<KeyName>$N</KeyName><Algorithm>AES</Algorithm><KeyData>"
	"000102030405060708090A0B0C0D0E0F</KeyData>",
	false},
    {"KeyExport", "<KeyName>$K</KeyName>", false},
    {"PublicKeyExport", "<KeyName>$K</KeyName>", false},
    {"UserCreate", "<User>$N</User><Passwd>" PASSWORD "</Passwd>", false},
    {"UserDelete", "<User>nobody</User>", false},
    {"UserModify",
	"<User>alice</User><ModifyUserInfo>false"
	"</ModifyUserInfo>",
	true},
    {"UserInfo", "", false},
    {"UserQuery", "", false},
    {"UserGroupCreate", "<Group>$N</Group>", false},
    {"UserGroupDelete", "<Group>nobody</Group>", false},
    {"UserGroupAddUsers",
	"<Group>g</Group><UserList><User>nobody</User>"
	"</UserList>",
	false},
    {"UserGroupRemoveUsers",
	"<Group>g</Group><UserList><User>nobody</User>"
	"</UserList>",
	false},
    {"UserGroupInfo", "<Group>g</Group>", false},
    {"UserGroupQuery", "", false},
    {"KeyCertificateExport", "<KeyName>$K</KeyName>", false},
    {"CSRCreate",
	"<KeyName>$K</KeyName><Subject><CommonName>x</CommonName><Country>DE"
	"</Country></Subject>",
	false},
    {"RecordEvent", "<Message>YQ==</Message>", false},
    {"CertificateExport", "<CertificateName>nobody</CertificateName>", false},
    {"CAExport", "<CAName>nobody</CAName>", false},
    {"CertificateSign",
	"<CAName>nobody</CAName><CSRData>x</CSRData><Usage>client</Usage>"
	"<ExpiryDays>1</ExpiryDays>",
	false},
};

static const struct sent *
request_of(const struct nae_row *row)
{
	size_t k;

	for (k = 0; k < LENGTH(requests); k++) {
		if (strcmp(requests[k].name, row->name) == 0)
			return &requests[k];
	}
	fail_msg("no request is known for %s", row->name);
	return NULL;
}

static unsigned serial; /* of the latest new name */

/* A request about that key. */
static void
request_write(char out[TEXT_OCTETS], const char *name, const char *fields,
    const char *key, const char *behind)
{
	int used = snprintf(out, TEXT_OCTETS, "<%sRequest>", name);
	const char *at;

	serial++;
	for (at = fields; *at != '\0'; at++) {
		char *to = out + used;
		size_t room = TEXT_OCTETS - (size_t)used;

		if (at[0] != '$')
			used += snprintf(to, room, "%c", *at);
		else if (*++at == 'K')
			used += snprintf(to, room, "%s", key);
		else
			used += snprintf(to, room, "n%u", serial);
	}
	(void)snprintf(out + used, TEXT_OCTETS - (size_t)used, "</%sRequest>%s",
	    name, behind);
}

/* ---- keys ---- */

struct sample {
	const char *algorithm;
	uint32_t key_bits;
	bool is_global;
	int permission; /* of the group; -1: none */
	bool exportable;
	bool deletable;
	/* ---- made of it ---- */
	char name[NAME_OCTETS];
	enum key_family family;
};

static struct keygen_pair pair; /* all RSA keys here */

static void
sample_make(struct sample *sample)
{
	struct arena *arena;
	struct card_permission permission = {.group = bytes_of_text("g")};
	struct key_spec spec = {
	    .algorithm = key_algorithm_of_word(
		bytes_of_text(sample->algorithm), sample->key_bits),
	    .exportable = sample->exportable,
	    .deletable = sample->deletable,
	    .owner = bytes_of_text(users[sample->is_global ? GLOBAL : OWNER]),
	    .versioned = true,
	};
	struct key_call call;

	assert_non_null(spec.algorithm);
	sample->family = spec.algorithm->family;
	(void)snprintf(sample->name, sizeof(sample->name), "k%u", ++serial);
	spec.name = bytes_of_text(sample->name);
	if (sample->permission >= 0) {
		permission.use[sample->permission].grant = CARD_ALWAYS;
		spec.permissions = &permission;
		spec.permission_count = 1;
	}
	assert_ok(arena_new(1 << 20, &arena));
	key_call_init(&call, APPLIANCE, arena);
	call.keystore = desk.keystore;
	assert_ok(key_create(
	    &call, &spec, sample->family == FAMILY_RSA ? &pair : NULL, NULL));
	arena_free(arena);
	bench_turn(&desk.bench);
}

static void
sample_drop(struct sample *sample)
{
	const struct object *key;
	struct key_call call;
	struct arena *arena;

	assert_ok(arena_new(1 << 20, &arena));
	key_call_init(&call, APPLIANCE, arena);
	call.keystore = desk.keystore;
	if (key_find(&call, NULL, 0, bytes_of_text(sample->name), &key) == OK)
		assert_ok(key_delete(&call, key));
	arena_free(arena);
	bench_turn(&desk.bench);
}

/* ---- what the tables say ---- */

/* Of a request that names no key. */
static unsigned
expected(const struct nae_row *row, enum who who, const struct key_door *door)
{
	if (row->session >= SESSION_USER && who == GLOBAL)
		return 10104;
	if (row->session == SESSION_ADMIN && who != ADMINISTRATOR)
		return 10105;
	if ((row->gate == GATE_CONFIG && !door->allows_config) ||
	    (row->gate == GATE_EXPORT && !door->allows_export))
		return 10106;
	return 0;
}

/* Of a use of a key. */
static unsigned
expected_of(const struct sample *sample, enum who who, enum key_use use)
{
	const struct key_use_row *row = key_use_row(use);
	bool owns = sample->is_global || who == OWNER;
	bool permits = who == MEMBER && sample->permission >= 0;

	if (!owns && !permits)
		return 10201;
	if ((row->families & sample->family) == 0)
		return 10302;
	if (row->guard == GUARD_EXPORTABLE && !sample->exportable)
		return 10204;
	if (row->guard == GUARD_DELETABLE && !sample->deletable)
		return 10205;
	if (owns || row->right == RIGHT_VISIBLE)
		return 0;
	return row->right == RIGHT_GROUP && sample->permission == (int)use
		   ? 0
		   : 10105;
}

/* Is it one that is about who asks, and for what? */
static bool
is_refusal(unsigned code)
{
	return (code >= 10101 && code <= 10108) || code == 10201 ||
	       code == 10204 || code == 10205 || code == 10302;
}

static void
compare(unsigned door, enum who who, const char *text, unsigned want,
    const struct sample *sample)
{
	unsigned got = ask(conns[door][who], text);

	if (got == want || (want == 0 && !is_refusal(got)))
		return;
	fail_msg("%s as \"%s\" (config %d, export %d%s%s, permission %d): "
		 "expected %u, got %s",
	    text, users[who], (door & 1) != 0, (door & 2) != 0,
	    sample != NULL && sample->exportable ? ", exportable" : "",
	    sample != NULL && sample->deletable ? ", deletable" : "",
	    sample != NULL ? sample->permission : -1, want,
	    (const char *)desk.heard.at);
}

/* ---- the matrix ---- */

/* Sessions that are still new, and what has a test of its own. */
static bool
is_elsewhere(const struct nae_row *row)
{
	return row->run == nae_version || row->run == nae_auth ||
	       row->data != NULL;
}

/* req: KS-31-025 KS-03-145 KS-03-146 KS-03-147 KS-38-092 */
static void
test_requests(void **state)
{
	char text[TEXT_OCTETS];
	unsigned door;
	size_t n;
	int who;

	(void)state;
	for (n = 0; nae_row_nth(n) != NULL; n++) {
		const struct nae_row *row = nae_row_nth(n);
		const struct sent *sent;

		if (is_elsewhere(row) || row->use != USE_COUNT)
			continue;
		sent = request_of(row);
		for (door = 0; door < DOORS; door++) {
			for (who = 0; who < WHO_COUNT; who++) {
				unsigned want = expected(
				    row, (enum who)who, &doors[door][who]);

				if (want == 0 && sent->of_others &&
				    who != ADMINISTRATOR)
					want = 10105;
				request_write(
				    text, row->name, sent->fields, "", "");
				compare(door, (enum who)who, text, want, NULL);
			}
		}
	}
}

/* Every request that names a key, of one key; it is made anew once gone. */
static void
ask_all(struct sample *sample, unsigned door, enum who who)
{
	char text[TEXT_OCTETS];
	size_t n;

	for (n = 0; nae_row_nth(n) != NULL; n++) {
		const struct nae_row *row = nae_row_nth(n);
		unsigned want;

		if (is_elsewhere(row) || row->use == USE_COUNT)
			continue;
		want = expected(row, who, &doors[door][who]);
		if (want == 0)
			want = expected_of(sample, who, row->use);
		request_write(
		    text, row->name, request_of(row)->fields, sample->name, "");
		compare(door, who, text, want, sample);
		if (want == 0 && row->run == nae_key_delete)
			sample_make(sample);
	}
}

/* What is done with keys, and what it has to be allowed as. */
static const struct {
	const char *action;
	enum key_use use;
	const char *algorithm[3]; /* of ciphers, HMAC and RSA keys */
} actions[] = {
    {"ENCRYPT", USE_ENCRYPT, {"AES/ECB/NoPadding", "AES", "RSA"}},
    {"DECRYPT", USE_DECRYPT, {"AES/ECB/NoPadding", "AES", "RSA"}},
    {"MAC", USE_MAC, {"HmacSHA256", "HmacSHA256", "HmacSHA256"}},
    {"MACV", USE_MAC_VERIFY, {"HmacSHA256", "HmacSHA256", "HmacSHA256"}},
    {"SIGN", USE_SIGN, {"SHA256withRSA", "SHA256withRSA", "SHA256withRSA"}},
    {"SIGNV", USE_SIGN_VERIFY,
	{"SHA256withRSA", "SHA256withRSA", "SHA256withRSA"}},
};

static void
act_all(const struct sample *sample, unsigned door, enum who who)
{
	char fields[TEXT_OCTETS / 2];
	char text[TEXT_OCTETS];
	size_t k;

	if (nae_row_named(bytes_of_text("CryptoRequest"), true) == NULL)
		return;
	for (k = 0; k < LENGTH(actions); k++) {
		int family = sample->family == FAMILY_CIPHER ? 0
			     : sample->family == FAMILY_HMAC ? 1
							     : 2;
		bool verifies = actions[k].use == USE_MAC_VERIFY ||
				actions[k].use == USE_SIGN_VERIFY;

		(void)snprintf(fields, sizeof(fields),
		    "<Action>%s</Action><KeyName>$K</KeyName>"
		    "<Algorithm>%s</Algorithm>%s",
		    actions[k].action, actions[k].algorithm[family],
		    verifies ? "<Value>00112233</Value>" : "");
		request_write(text, "Crypto", fields, sample->name,
		    "<Data><Size>19</Size>\x01\x01\x01"
		    "0123456789abcdef"
		    "</Data>");
		compare(door, who, text,
		    expected_of(sample, who, actions[k].use), sample);
	}
}

/* All marks, switches and sessions for keys of one kind. */
static void
ask_about(
    const char *algorithm, uint32_t key_bits, bool is_global, int permission)
{
	unsigned door;
	unsigned mark;
	int who;

	for (mark = 0; mark < 4; mark++) {
		struct sample sample = {.algorithm = algorithm,
		    .key_bits = key_bits,
		    .is_global = is_global,
		    .permission = permission,
		    .exportable = (mark & 1) != 0,
		    .deletable = (mark & 2) != 0};

		sample_make(&sample);
		for (door = 0; door < DOORS; door++) {
			for (who = 0; who < WHO_COUNT; who++) {
				ask_all(&sample, door, (enum who)who);
				act_all(&sample, door, (enum who)who);
			}
		}
		sample_drop(&sample);
	}
}

/*
 * req: KS-03-020 KS-03-021 KS-03-023 KS-03-024 KS-03-025 KS-03-062 KS-03-063
 * req: KS-28-023 KS-28-024 KS-28-025 KS-28-026 KS-28-138 KS-28-140
 */
static void
test_keys(void **state)
{
	static const struct {
		const char *algorithm;
		uint32_t key_bits;
		enum key_family family;
	} kinds[] = {
	    {"AES", 128, FAMILY_CIPHER},
	    {"HmacSHA256", 256, FAMILY_HMAC},
	    {"RSA", 512, FAMILY_RSA},
	};
	struct fault fault = {{0}};
	size_t k;
	int use;

	(void)state;
	assert_ok(keygen_pair_begin_short(&pair, desk.bench.rig.env,
	    CRYPTOGRAPHIC_ALGORITHM_RSA, 512, &fault));
	assert_ok(keygen_pair_work(&pair));
	for (k = 0; k < LENGTH(kinds); k++) {
		ask_about(kinds[k].algorithm, kinds[k].key_bits, true, -1);
		for (use = -1; use <= USE_EXPORT; use++) {
			if (use >= 0 &&
			    (key_use_row((enum key_use)use)->families &
				kinds[k].family) == 0)
				continue;
			ask_about(
			    kinds[k].algorithm, kinds[k].key_bits, false, use);
#ifdef TORTURE
			break;
#endif
		}
	}
	keygen_pair_clear(&pair);
}

#define NAE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NAE_TEST(test_requests),
	    NAE_TEST(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
