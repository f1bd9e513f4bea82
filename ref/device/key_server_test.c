/*
 * Key servers as they are set: fields, what they ask of each other, records.
 */
#include "device/key_server.h"

#include "base/buf.h"
#include "crypto/ossl.h"
#include "crypto/pki.h"
#include "crypto/random.h"
#include "device/accounts_test.h"
#include "device/ca.h"

#define NAME(text) bytes_of_text(text)

/* 2026-01-01 */
enum { NOW_S = 1767225600, DAY_S = 24 * 3600, DAYS = 100 };

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

/* ---- certificates, put into the store as they are ---- */

struct id {
	struct secret *key;
	struct buf certificate;
};

static struct id ca, other_ca, server_crt, foreign_crt, old_crt;

/* issuer NULL: its own */
static void
id_make(
    struct id *id, const char *name, const struct id *issuer, int64_t from_s)
{
	struct pki_subject subject = {.field = {{0}}};
	struct pki_order order = {
	    .purpose = issuer == NULL ? PKI_CA : PKI_SERVER,
	    .serial = 7,
	    .from_s = from_s,
	    .until_s = from_s + DAYS * DAY_S};
	struct buf request;
	const char *why;

	buf_init(&request, CERT_DER_MAX_OCTETS);
	buf_init(&id->certificate, CERT_DER_MAX_OCTETS);
	assert_ok(pki_subject_set(&subject, PKI_COMMON_NAME, NAME(name), &why));
	assert_ok(pki_key_new(768, NAME("seed"), &id->key));
	assert_ok(
	    pki_request_new(secret_peek(id->key), &subject, &request, &why));
	order.request = buf_peek(&request);
	order.key = secret_peek(issuer == NULL ? id->key : issuer->key);
	if (issuer != NULL)
		order.issuer = buf_peek(&issuer->certificate);
	assert_ok(pki_issue(&order, &id->certificate, &why));
	buf_clear(&request);
}

static void
id_drop(struct id *id)
{
	secret_free(id->key);
	buf_clear(&id->certificate);
}

static void
cert_put(enum cert_kind kind, const char *name, const struct id *id)
{
	struct cert cert;

	cert_init(&cert, kind, NAME(name));
	if (kind != CERT_KNOWN_CA)
		assert_ok(buf_put(&cert.key, NAME("sealed")));
	if (id == NULL)
		assert_ok(buf_put(&cert.request, NAME("asked for")));
	else
		assert_ok(
		    buf_put(&cert.certificate, buf_peek(&id->certificate)));
	assert_ok(cert_write(STORE, &cert));
	cert_clear(&cert);
}

static int
set_up_all(void **state)
{
	(void)state;
	assert_ok(ossl_init());
	id_make(&ca, "ca", NULL, NOW_S - DAY_S);
	id_make(&other_ca, "other", NULL, NOW_S - DAY_S);
	id_make(&server_crt, "server", &ca, NOW_S - DAY_S);
	id_make(&foreign_crt, "foreign", &other_ca, NOW_S - DAY_S);
	id_make(&old_crt, "old", &ca, NOW_S - (DAYS + 1) * DAY_S);
	return 0;
}

static int
tear_down_all(void **state)
{
	(void)state;
	id_drop(&ca);
	id_drop(&other_ca);
	id_drop(&server_crt);
	id_drop(&foreign_crt);
	id_drop(&old_crt);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	env_set_random(bench.rig.env, random_drbg, NULL);
	env_set_wall_s(bench.rig.env, NOW_S);
	assert_ok(settings_new(STORE, &APPLIANCE->settings));
	assert_ok(clock_new(STORE, bench.rig.env, &APPLIANCE->clock));
	assert_ok(credentials_new(APPLIANCE, &APPLIANCE->credentials));
	assert_ok(key_servers_new(&APPLIANCE->key_servers));
	account_put(&bench, "root", true, CONTROLS_ALL);
	account_put(&bench, "carol", false,
	    CONTROLS_ALL & ~CONTROL_BIT(CONTROL_KEY_SERVER));
	cert_put(CERT_LOCAL_CA, "ca", &ca);
	cert_put(CERT_KNOWN_CA, "other", &other_ca);
	cert_put(CERT_DEVICE, "server", &server_crt);
	cert_put(CERT_DEVICE, "foreign", &foreign_crt);
	cert_put(CERT_DEVICE, "old", &old_crt);
	cert_put(CERT_DEVICE, "pending", NULL);
	bench_turn(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	key_servers_free(APPLIANCE->key_servers);
	credentials_free(APPLIANCE->credentials);
	clock_free(APPLIANCE->clock);
	settings_free(APPLIANCE->settings);
	bench_remove(&bench);
	return 0;
}

/* ---- changes ---- */

static struct change change;
static enum err change_rc;
static const char *who = "root";
static struct key_server server; /* to be written */
static const char *profile;

static void
changed(struct change *c, enum err rc)
{
	(void)c;
	change_rc = rc;
}

static enum err
do_write(struct change *c)
{
	return key_server_write(c, &server);
}

static enum err
do_delete(struct change *c)
{
	return key_server_delete(c, server.number);
}

static enum err
do_profile_create(struct change *c)
{
	return ca_profile_create(c, NAME(profile));
}

static enum err
do_profile_delete(struct change *c)
{
	return ca_profile_delete(c, NAME(profile));
}

static const char *
run(enum err (*apply)(struct change *c), enum act act)
{
	change = (struct change){.by = {.door = DOOR_SERIAL},
	    .act = act,
	    .apply = apply,
	    .done = changed};
	(void)snprintf(change.by.name, sizeof(change.by.name), "%s", who);
	change_run(APPLIANCE, &change);
	bench_turn(&bench);
	return change_rc == OK ? "" : change.why;
}

/*
 * What is set, as "word=value word=value", over what is there or, without a
 * number, over the defaults; "" or why not.
 */
static const char *
set(enum key_protocol protocol, unsigned number, const char *text)
{
	static char why[CHANGE_WHY_OCTETS];

	if (number == 0)
		key_server_init(&server, protocol);
	else
		assert_ok(key_server_read(STORE, number, &server));
	while (*text != '\0') {
		size_t word = strcspn(text, "=");
		size_t value = strcspn(text + word + 1, " ");
		struct bytes typed = {(const uint8_t *)text + word + 1, value};
		enum key_server_field field;

		assert_true(key_server_field_find(protocol,
		    (struct bytes){(const uint8_t *)text, word}, &field));
		if (key_server_set(&server, field, typed, why) != OK)
			return why;
		text += word + 1 + value;
		text += *text == ' ';
	}
	return run(do_write, ACT_KEY_SERVER);
}

/* ---- the rows ---- */

static void
test_rows(void **state)
{
	enum key_protocol protocol;
	enum key_server_field k, other, found;

	(void)state;
	for (k = 0; k < KEY_SERVER_FIELD_COUNT; k++) {
		const struct key_server_row *row = key_server_row(k);

		assert_true(*row->word != '\0' && *row->name != '\0');
		assert_true(*row->clause != '\0');
		assert_true(row->has[KEY_NAE] || row->has[KEY_KMIP]);
		for (other = 0; other < k; other++)
			assert_string_not_equal(
			    row->word, key_server_row(other)->word);
		for (protocol = 0; protocol < KEY_PROTOCOL_COUNT; protocol++) {
			assert_int_equal(key_server_field_find(
					     protocol, NAME(row->word), &found),
			    row->has[protocol]);
			if (row->has[protocol])
				assert_int_equal(found, k);
		}
	}
	assert_false(key_server_field_find(KEY_NAE, NAME("allow-"), &found));
	assert_true(key_server_field_find(KEY_NAE, NAME("allow-c"), &found));
	assert_int_equal(found, KEY_SERVER_CONFIG);
	assert_false(key_server_field_find(KEY_NAE, NAME(""), &found));
}

/* req: KS-03-143 ESKM-025 KS-03-132 */
static void
test_defaults(void **state)
{
	static const struct {
		enum key_server_field field;
		const char *nae, *kmip;
	} want[] = {
	    {KEY_SERVER_IP, "[All]", "[All]"},
	    {KEY_SERVER_PORT, "9000", "5696"},
	    {KEY_SERVER_SSL, "no", "yes"},
	    {KEY_SERVER_CERTIFICATE, "[None]", "[None]"},
	    {KEY_SERVER_TIMEOUT, "3600", "3600"},
	    {KEY_SERVER_CONFIG, "no", "no"},
	    {KEY_SERVER_EXPORT, "no", "no"},
	    {KEY_SERVER_PASSWORD, "Optional", "Optional"},
	    {KEY_SERVER_CLIENT, "Not Used", "Used for SSL session only"},
	    {KEY_SERVER_TRUST, "Default", "Default"},
	    {KEY_SERVER_USER, "[None]", "[None]"},
	    {KEY_SERVER_SOURCE_IP, "no", "no"},
	};
	struct key_server one;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(want); k++) {
		key_server_init(&one, KEY_NAE);
		assert_string_equal(
		    key_server_shown(&one, want[k].field), want[k].nae);
		key_server_init(&one, KEY_KMIP);
		assert_string_equal(
		    key_server_shown(&one, want[k].field), want[k].kmip);
	}
	assert_string_equal(
	    key_server_shown(&one, KEY_SERVER_PROFILE), "keysecure-6.2");
}

/* req: KS-03-144 KS-03-151 KS-03-153 ESKM-094 */
static void
test_values(void **state)
{
	static const struct {
		enum key_server_field field;
		const char *typed;
		const char *shown; /* NULL: refused */
	} cases[] = {
	    {KEY_SERVER_IP, "127.0.0.2", "127.0.0.2"},
	    {KEY_SERVER_IP, "[all]", "[All]"},
	    {KEY_SERVER_IP, "all", "[All]"},
	    {KEY_SERVER_IP, "::1", "::1"},
	    {KEY_SERVER_IP, "0.0.0.0", NULL},
	    {KEY_SERVER_IP, "localhost", NULL},
	    {KEY_SERVER_PORT, "1", "1"},
	    {KEY_SERVER_PORT, "65535", "65535"},
	    {KEY_SERVER_PORT, "any", "Any"},
	    {KEY_SERVER_PORT, "0", NULL},
	    {KEY_SERVER_PORT, "65536", NULL},
	    {KEY_SERVER_TIMEOUT, "3600", "3600"},
	    {KEY_SERVER_TIMEOUT, "3601", NULL},
	    {KEY_SERVER_TIMEOUT, "1", "1"},
	    {KEY_SERVER_TIMEOUT, "0", NULL},
	    {KEY_SERVER_CERTIFICATE, "server", "server"},
	    {KEY_SERVER_CERTIFICATE, "none", "[None]"},
	    {KEY_SERVER_CERTIFICATE, "7up", NULL},
	    {KEY_SERVER_PASSWORD, "req", "Required"},
	    {KEY_SERVER_PASSWORD, "optional", "Optional"},
	    {KEY_SERVER_PASSWORD, "no", NULL},
	    {KEY_SERVER_CLIENT, "not", "Not Used"},
	    {KEY_SERVER_CLIENT, "session", "Used for SSL session only"},
	    {KEY_SERVER_CLIENT, "session-",
		"Used for SSL session and username"},
	    {KEY_SERVER_CLIENT, "required", NULL},
	    {KEY_SERVER_USER, "UID", "UID"},
	    {KEY_SERVER_USER, "CN", "CN"},
	    {KEY_SERVER_USER, "SN", "SN"},
	    {KEY_SERVER_USER, "E", "E"},
	    {KEY_SERVER_USER, "E_ND", "E_ND"},
	    {KEY_SERVER_USER, "OU", "OU"},
	    {KEY_SERVER_USER, "DN", NULL},
	    {KEY_SERVER_SOURCE_IP, "yes", "yes"},
	    {KEY_SERVER_SOURCE_IP, "maybe", NULL},
	};
	struct key_server one;
	char why[CHANGE_WHY_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		key_server_init(&one, KEY_NAE);
		assert_err(key_server_set(
			       &one, cases[k].field, NAME(cases[k].typed), why),
		    cases[k].shown != NULL ? OK : ERR_FIELD);
		if (cases[k].shown != NULL)
			assert_string_equal(
			    key_server_shown(&one, cases[k].field),
			    cases[k].shown);
	}
	key_server_init(&one, KEY_NAE);
	assert_err(key_server_set(&one, KEY_SERVER_TIMEOUT, NAME("3601"), why),
	    ERR_FIELD);
	assert_string_equal(why, "Connection Timeout (sec): 3601: 1 to 3600");
}

/* ---- what fields ask of each other ---- */

/* req: KS-03-133 KS-03-141 KS-03-152 KS-03-157 */
static void
test_fields_together(void **state)
{
	static const struct {
		enum key_protocol protocol;
		const char *text;
		const char *why;
	} cases[] = {
	    {KEY_NAE, "", ""},
	    {KEY_NAE, "ssl=yes",
		"Server Certificate: [None]: Use SSL needs one"},
	    {KEY_NAE, "ssl=yes certificate=server", ""},
	    {KEY_NAE, "ssl=yes certificate=foreign", ""},
	    {KEY_NAE, "certificate=nobody",
		"Server Certificate: nobody: there is no such certificate"},
	    {KEY_NAE, "certificate=old",
		"Server Certificate: old: is not active"},
	    {KEY_NAE, "certificate=pending",
		"Server Certificate: pending: is not active"},
	    {KEY_NAE, "trusted-ca=Others",
		"Trusted CA List Profile: Others: there is no such profile"},
	    {KEY_NAE, "client-certificate=session",
		"Client Certificate Authentication: Used for SSL session "
		"only: needs Use SSL"},
	    {KEY_NAE, "ssl=yes certificate=server client-certificate=session",
		""},
	    {KEY_NAE,
		"ssl=yes certificate=server "
		"client-certificate=session-and-username",
		"Username Field in Client Certificate: [None]: the field that "
		"has the user name is to be chosen"},
	    {KEY_NAE,
		"ssl=yes certificate=server username-field=CN "
		"client-certificate=session-and-username",
		""},
	    /* it has no effect, and may stand */
	    {KEY_NAE,
		"ssl=yes certificate=server username-field=CN "
		"client-certificate=session",
		""},
	    {KEY_NAE, "source-ip=yes",
		"Require Client Certificate to Contain Source IP: yes: needs "
		"Client Certificate Authentication"},
	    {KEY_NAE,
		"ssl=yes certificate=server client-certificate=session "
		"source-ip=yes",
		""},
	    {KEY_KMIP, "", "Server Certificate: [None]: Use SSL needs one"},
	    {KEY_KMIP, "certificate=server", ""},
	    {KEY_KMIP, "certificate=foreign",
		"Server Certificate: foreign: is not signed by a local CA"},
	    {KEY_KMIP, "certificate=server ssl=no",
		"Use SSL: no: KMIP requires it"},
	    {KEY_KMIP, "certificate=server client-certificate=not-used",
		"Client Certificate Authentication: Not Used: KMIP requires "
		"it"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		const char *why = set(cases[k].protocol, 0, cases[k].text);

		if (strcmp(why, cases[k].why) != 0)
			fail_msg("%s\nexpected: %s\n     got: %s",
			    cases[k].text, cases[k].why, why);
		if (change_rc == OK && *why == '\0')
			assert_string_equal(run(do_delete, ACT_KEY_SERVER), "");
	}
}

/* ---- records ---- */

static char walked[64];

static enum err
walk(void *ctx, const struct key_server *one)
{
	size_t used = strlen(walked);

	(void)ctx;
	(void)snprintf(walked + used, sizeof(walked) - used, "%u:%s ",
	    one->number, key_protocol_name(one->protocol));
	return OK;
}

static const char *
all(void)
{
	walked[0] = '\0';
	assert_ok(key_server_each(STORE, walk, NULL));
	return walked;
}

/* req: KS-01-112 KS-03-001 KS-03-002 KS-03-028 ESKM-026 */
static void
test_servers_have_settings_of_their_own(void **state)
{
	struct key_server one;

	(void)state;
	assert_string_equal(set(KEY_NAE, 0, "port=9000"), "");
	assert_int_equal(server.number, 1);
	assert_string_equal(set(KEY_KMIP, 0, "certificate=server"), "");
	assert_int_equal(server.number, 2);
	assert_string_equal(set(KEY_NAE, 0, "port=9001"), "");
	assert_string_equal(all(), "1:NAE-XML 2:KMIP 3:NAE-XML ");

	assert_string_equal(set(KEY_NAE, 3,
				"ip=127.0.0.2 timeout=60 password=Required "
				"allow-export=yes"),
	    "");
	assert_ok(key_server_read(STORE, 3, &one));
	assert_string_equal(one.field[KEY_SERVER_IP].text, "127.0.0.2");
	assert_int_equal(one.field[KEY_SERVER_TIMEOUT].number, 60);
	assert_int_equal(one.field[KEY_SERVER_PASSWORD].number, 1);
	assert_int_equal(one.field[KEY_SERVER_EXPORT].number, 1);
	assert_int_equal(one.field[KEY_SERVER_CONFIG].number, 0);
	assert_int_equal(one.field[KEY_SERVER_PORT].number, 9001);
	assert_ok(key_server_read(STORE, 1, &one));
	assert_string_equal(one.field[KEY_SERVER_IP].text, "All");
	assert_int_equal(one.field[KEY_SERVER_TIMEOUT].number, 3600);
	assert_int_equal(one.field[KEY_SERVER_EXPORT].number, 0);

	/* a number that is free again is the next one's */
	server.number = 1;
	assert_string_equal(run(do_delete, ACT_KEY_SERVER), "");
	assert_string_equal(all(), "2:KMIP 3:NAE-XML ");
	assert_string_equal(set(KEY_NAE, 0, "port=9002"), "");
	assert_string_equal(all(), "1:NAE-XML 2:KMIP 3:NAE-XML ");
	server.number = 7;
	assert_string_equal(run(do_delete, ACT_KEY_SERVER),
	    "Key Server: 7: there is no such key server");
	assert_err(key_server_read(STORE, 7, &one), ERR_NOT_FOUND);
	assert_err(key_server_read(STORE, 0, &one), ERR_NOT_FOUND);
	assert_err(
	    key_server_read(STORE, KEY_SERVERS_MOST + 1, &one), ERR_NOT_FOUND);
}

static void
test_a_port_has_one_server(void **state)
{
	(void)state;
	assert_string_equal(set(KEY_NAE, 0, "ip=127.0.0.2 port=9000"), "");
	assert_string_equal(set(KEY_NAE, 0, "ip=127.0.0.3 port=9000"), "");
	assert_string_equal(set(KEY_NAE, 0, "ip=127.0.0.3 port=9000"),
	    "Port: 9000: key server 2 has it");
	assert_string_equal(
	    set(KEY_NAE, 0, "port=9000"), "Port: 9000: key server 2 has it");
	assert_string_equal(set(KEY_NAE, 0, "port=9001"), "");
	assert_string_equal(
	    set(KEY_NAE, 3, "port=9000"), "Port: 9000: key server 2 has it");
	/* itself is not in its way */
	assert_string_equal(set(KEY_NAE, 3, "port=9001"), "");
	assert_string_equal(set(KEY_NAE, 0, "port=Any"), "");
	assert_string_equal(set(KEY_NAE, 0, "port=Any"), "");
}

static void
test_there_are_no_more_than_the_most(void **state)
{
	unsigned k;

	(void)state;
	for (k = 0; k < KEY_SERVERS_MOST; k++)
		assert_string_equal(set(KEY_NAE, 0, "port=Any"), "");
	assert_int_equal(server.number, KEY_SERVERS_MOST);
	assert_string_equal(set(KEY_NAE, 0, "port=Any"),
	    "Key Server: there are 64 of them already");
}

/* req: KS-15-081 */
static void
test_who_may_not(void **state)
{
	(void)state;
	who = "carol";
	assert_string_equal(set(KEY_NAE, 0, ""),
	    "Access denied: \"Key Server\" access control is required.");
	who = "root";
	assert_string_equal(all(), "");
	assert_string_equal(set(KEY_NAE, 0, ""), "");
}

/* A profile that a key server has. */
static void
test_what_a_server_has_stays(void **state)
{
	unsigned number;

	(void)state;
	profile = "Clients";
	assert_string_equal(run(do_profile_create, ACT_CA), "");
	assert_string_equal(set(KEY_NAE, 0, "trusted-ca=Clients"), "");
	assert_ok(
	    key_server_with(STORE, KEY_SERVER_TRUST, NAME("Clients"), &number));
	assert_int_equal(number, 1);
	assert_ok(key_server_with(
	    STORE, KEY_SERVER_CERTIFICATE, NAME("Clients"), &number));
	assert_int_equal(number, 0);
	assert_string_equal(run(do_profile_delete, ACT_CA),
	    "Trusted CA List Profile: Clients: key server 1 has it");
	assert_string_equal(set(KEY_NAE, 1, "trusted-ca=Default"), "");
	assert_string_equal(run(do_profile_delete, ACT_CA), "");
}

static enum err
audit_keep(void *ctx, struct bytes line)
{
	(void)snprintf(ctx, CHANGE_EVENT_OCTETS, "%.*s", (int)line.octets,
	    (const char *)line.at);
	return OK;
}

static const char *
audited(void)
{
	static char line[CHANGE_EVENT_OCTETS];

	assert_ok(audit_last(STORE, 1, audit_keep, line));
	return strstr(line, "]: ") != NULL ? strstr(line, "]: ") + 3 : line;
}

static void
test_what_the_audit_log_has(void **state)
{
	(void)state;
	assert_string_equal(set(KEY_NAE, 0, "port=9001"), "");
	assert_string_equal(
	    audited(), "Key Server 1 (NAE-XML) created: Port: 9001");
	assert_string_equal(set(KEY_NAE, 1, "timeout=60 ip=127.0.0.1"), "");
	assert_string_equal(audited(),
	    "Key Server 1 (NAE-XML) changed: IP: 127.0.0.1, Connection "
	    "Timeout (sec): 60");
	assert_string_not_equal(set(KEY_NAE, 1, "ssl=yes"), "");
	assert_non_null(strstr(audited(), "Refused: "));
	server.number = 1;
	assert_string_equal(run(do_delete, ACT_KEY_SERVER), "");
	assert_string_equal(audited(), "Key Server 1 (NAE-XML) deleted");
}

static void
test_damaged_records(void **state)
{
	/* a field is the length of its name, the name, four octets of length
	 */
	static const struct {
		const char *key;
		const char *protocol;
		enum err want;
	} cases[] = {
	    {"001", "nae-xml", OK},
	    {"001", "ftp", ERR_STORE},
	    {"000", "nae-xml", ERR_STORE},
	    {"1", "nae-xml", ERR_STORE},
	    {"abc", "nae-xml", ERR_STORE},
	    {"065", "nae-xml", ERR_STORE},
	};
	struct buf value;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		uint8_t head[] = {8, 'p', 'r', 'o', 't', 'o', 'c', 'o', 'l', 0,
		    0, 0, (uint8_t)strlen(cases[k].protocol)};

		buf_init(&value, 100);
		assert_ok(buf_put(&value, (struct bytes){head, sizeof(head)}));
		assert_ok(buf_put_text(&value, cases[k].protocol));
		assert_ok(record_put(
		    STORE, "key.server", NAME(cases[k].key), buf_peek(&value)));
		assert_err(key_server_each(STORE, walk, NULL), cases[k].want);
		assert_ok(
		    record_delete(STORE, "key.server", NAME(cases[k].key)));
		buf_clear(&value);
	}
}

/* ---- what became of it ---- */

static unsigned followed;

static void
follow(void *ctx)
{
	assert_ptr_equal(ctx, &followed);
	followed++;
}

static void
test_whoever_opens_ports_is_told(void **state)
{
	struct key_server_status status = {.listens = true, .port = 9001};

	(void)state;
	key_servers_follow(APPLIANCE->key_servers, follow, &followed);
	assert_string_equal(set(KEY_NAE, 0, "port=9001"), "");
	assert_int_equal(followed, 1);
	assert_string_not_equal(set(KEY_NAE, 0, "port=9001"), "");
	assert_int_equal(followed, 1);
	key_server_tell(APPLIANCE->key_servers, 1, &status);
	status = (struct key_server_status){.port = 7};
	key_server_status(APPLIANCE->key_servers, 1, &status);
	assert_true(status.listens);
	assert_int_equal(status.port, 9001);
	key_server_status(APPLIANCE->key_servers, 2, &status);
	assert_false(status.listens);
	key_servers_follow(APPLIANCE->key_servers, NULL, NULL);
	assert_string_equal(set(KEY_NAE, 0, "port=9002"), "");
	assert_int_equal(followed, 1);
}

int
main(void)
{
#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_values),
	    BENCH_TEST(test_fields_together),
	    BENCH_TEST(test_servers_have_settings_of_their_own),
	    BENCH_TEST(test_a_port_has_one_server),
	    BENCH_TEST(test_there_are_no_more_than_the_most),
	    BENCH_TEST(test_who_may_not),
	    BENCH_TEST(test_what_a_server_has_stays),
	    BENCH_TEST(test_what_the_audit_log_has),
	    BENCH_TEST(test_damaged_records),
	    BENCH_TEST(test_whoever_opens_ports_is_told),
	};
#undef BENCH_TEST

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
