/*
 * The certificate store, local CAs and lists of trusted ones, with a SoftHSM
 * token under the keystore.
 */
#include "device/cert_work.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "base/secret.h"
#include "crypto/ossl.h"
#include "crypto/random.h"
#include "device/accounts_test.h"
#include "device/ca.h"

#define MODULE_PATH "/usr/lib/softhsm/libsofthsm2.so"
#define NAME(text)  bytes_of_text(text)

/* 2026-01-01; a power of ten seconds is easy to move by */
enum { NOW_S = 1767225600, DAY_S = 24 * 3600 };

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

static const struct principal admin_ = {.name = "root", .door = DOOR_SERIAL};

static struct root_config root_settings;

static void
ready(void *ctx)
{
	*(bool *)ctx = true;
}

/* The HSM has been asked; again a second later where that failed. */
static void
wait_for_root(const bool *is_ready)
{
	while (!*is_ready) {
		bench_turn(&bench);
		if (loop_jobs(bench.rig.loop) == 0)
			rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) +
						    ROOT_PROBE_EVERY_MS);
	}
}

/* One process has one login at the token, so all tests share the appliance. */
static int
set_up(void **state)
{
	static bool is_ready;

	(void)state;
	assert_ok(ossl_init());
	bench_make(&bench);
	env_set_random(bench.rig.env, random_drbg, NULL);
	root_settings = (struct root_config){
	    .dir = bench.dir,
	    .env = bench.rig.env,
	    .loop = bench.rig.loop,
	    .store = STORE,
	    .module = MODULE_PATH,
	    .token = "touchstone",
	    .kek = "kek-1",
	    .ready = ready,
	    .ctx = &is_ready,
	};
	assert_ok(root_new(&root_settings, &APPLIANCE->root));
	wait_for_root(&is_ready);
	env_set_wall_s(bench.rig.env, NOW_S);
	assert_ok(settings_new(STORE, &APPLIANCE->settings));
	assert_ok(clock_new(STORE, bench.rig.env, &APPLIANCE->clock));
	assert_ok(credentials_new(APPLIANCE, &APPLIANCE->credentials));
	assert_ok(cert_shop_new(bench.rig.loop, STORE, &APPLIANCE->certs));
	account_put(&bench, "root", true, CONTROLS_ALL);
	bench_turn(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	cert_shop_free(APPLIANCE->certs);
	credentials_free(APPLIANCE->credentials);
	clock_free(APPLIANCE->clock);
	settings_free(APPLIANCE->settings);
	loop_end_jobs(bench.rig.loop);
	root_free(APPLIANCE->root);
	bench_remove(&bench);
	return 0;
}

static void
nothing(void *ctx)
{
	(void)ctx;
}

/* A group is committed at the end of a turn. */
static void
turn_until_stopped(void)
{
	struct loop_task turn = {.fn = nothing};

	loop_later(bench.rig.loop, &turn);
	assert_ok(loop_run(bench.rig.loop));
}

static void
refreshed(struct root_wait *wait, enum err rc)
{
	(void)rc;
	loop_stop(wait->ctx);
}

static void
crypto_user(bool in)
{
	struct root_wait wait = {.done = refreshed, .ctx = bench.rig.loop};

	if (in)
		root_login(APPLIANCE->root, &wait);
	else
		root_logout(APPLIANCE->root, &wait);
	turn_until_stopped();
	assert_err(keystore_check(root_keystore(APPLIANCE->root)),
	    in ? OK : ERR_HSM_LOGGED_OUT);
}

/* ---- changes ---- */

static struct change change;
static enum err change_rc;

static void
changed(struct change *c, enum err rc)
{
	(void)c;
	change_rc = rc;
	loop_stop(bench.rig.loop);
}

/* What a test changes next. */
static struct {
	enum cert_kind kind;
	const char *name, *other;
	struct bytes text;
	int64_t most_days;
	struct cert_work *work;
} ask;

static enum err
do_install(struct change *c)
{
	return cert_install(
	    c, ask.kind, NAME(ask.name), ask.text, ask.most_days);
}

static enum err
do_known(struct change *c)
{
	return cert_install_known(c, NAME(ask.name), ask.text);
}

static enum err
do_delete(struct change *c)
{
	return cert_delete(c, ask.kind, NAME(ask.name));
}

static enum err
do_create(struct change *c)
{
	return ca_profile_create(c, NAME(ask.name));
}

static enum err
do_add(struct change *c)
{
	return ca_profile_add(c, NAME(ask.name), NAME(ask.other));
}

static enum err
do_remove(struct change *c)
{
	return ca_profile_remove(c, NAME(ask.name), NAME(ask.other));
}

static enum err
do_profile_delete(struct change *c)
{
	return ca_profile_delete(c, NAME(ask.name));
}

static enum err
do_work(struct change *c)
{
	return cert_work_write(ask.work, c);
}

static void
run(enum err (*apply)(struct change *c), enum act act)
{
	change = (struct change){
	    .by = admin_, .act = act, .apply = apply, .done = changed};
	change_run(APPLIANCE, &change);
	turn_until_stopped();
}

static void does(enum err (*apply)(struct change *c))
{
	run(apply, ACT_CERTIFICATE);
	if (change_rc != OK)
		fail_msg(
		    "expected OK, got %s: %s", err_name(change_rc), change.why);
}

static void
fails(enum err (*apply)(struct change *c), const char *why)
{
	run(apply, ACT_CERTIFICATE);
	assert_int_not_equal(change_rc, OK);
	assert_string_equal(change.why, why);
}

/* ---- work ---- */

static enum err work_rc;

static void
worked(struct cert_work *work, enum err rc)
{
	(void)work;
	work_rc = rc;
	loop_stop(bench.rig.loop);
}

static struct cert_work *
work_of(enum cert_task task, enum cert_kind kind, const char *name)
{
	struct cert_work *work;
	const char *why;

	assert_ok(cert_work_new(APPLIANCE, &work));
	work->task = task;
	work->kind = kind;
	(void)snprintf(work->name, sizeof(work->name), "%s", name);
	assert_ok(
	    pki_subject_set(&work->subject, PKI_COMMON_NAME, NAME(name), &why));
	work->key_bits = 768; /* they are made fast */
	work->days = 1000;
	work->most_days = 500;
	work->done = worked;
	return work;
}

static void
begin(struct cert_work *work)
{
	cert_work_begin(work);
	assert_ok(loop_run(bench.rig.loop));
}

/* Worked, and kept. */
static void
makes(struct cert_work *work)
{
	begin(work);
	if (work_rc != OK)
		fail_msg(
		    "expected OK, got %s: %s", err_name(work_rc), work->why);
	ask.work = work;
	does(do_work);
}

/* Refused, before or when it is kept; dropped. */
static void
refuses(struct cert_work *work, const char *why)
{
	begin(work);
	assert_int_not_equal(work_rc, OK);
	assert_string_equal(work->why, why);
	cert_work_drop(work);
}

static struct buf
pem(enum pki_pem kind, const struct buf *der)
{
	struct buf text;

	buf_init(&text, PKI_TEXT_MAX_OCTETS);
	assert_ok(pki_pem_write(kind, buf_peek(der), &text));
	return text;
}

static struct buf
request_of(enum cert_kind kind, const char *name)
{
	struct cert cert;
	struct buf text;

	assert_ok(cert_read(STORE, kind, NAME(name), &cert));
	text = pem(PKI_REQUEST, &cert.request);
	cert_clear(&cert);
	return text;
}

static void
state_is(enum cert_kind kind, const char *name, const char *want)
{
	enum cert_state state;
	struct cert cert;

	assert_ok(cert_read(STORE, kind, NAME(name), &cert));
	assert_ok(cert_state(&cert, env_wall_s(bench.rig.env), &state));
	assert_string_equal(cert_state_text(kind, state), want);
	cert_clear(&cert);
}

static void
make_ca(const char *name)
{
	struct cert_work *work = work_of(CERT_ROOT, CERT_LOCAL_CA, name);

	makes(work);
	cert_work_drop(work);
}

static void
make_request(enum cert_kind kind, const char *name)
{
	struct cert_work *work = work_of(CERT_REQUEST, kind, name);

	makes(work);
	cert_work_drop(work);
}

/* The work is the caller's. */
static struct cert_work *
sign_of(const char *ca, enum pki_purpose purpose, int64_t days,
    enum cert_kind kind, const char *name)
{
	struct cert_work *work = work_of(CERT_SIGN, CERT_LOCAL_CA, ca);
	struct buf text = request_of(kind, name);

	assert_ok(buf_put(&work->text, buf_peek(&text)));
	work->purpose = purpose;
	work->days = days;
	buf_clear(&text);
	return work;
}

static struct buf
sign(const char *ca, enum pki_purpose purpose, int64_t days,
    enum cert_kind kind, const char *name)
{
	struct cert_work *work = sign_of(ca, purpose, days, kind, name);
	struct buf text;

	makes(work);
	text = pem(PKI_CERTIFICATE, &work->cert.certificate);
	cert_work_drop(work);
	return text;
}

/* ---- certificates ---- */

/*
 * req: KS-03-111 KS-34-014 KS-34-032 KS-03-123 KS-34-028 KS-34-036 KS-06-136
 */
static void
test_from_request_to_expiry(void **state)
{
	struct buf text, other;

	(void)state;
	make_ca("maker");
	make_request(CERT_DEVICE, "web");
	make_request(CERT_DEVICE, "web2");
	state_is(CERT_DEVICE, "web", "Request Pending");
	text = sign("maker", PKI_SERVER, 10, CERT_DEVICE, "web");
	other = sign("maker", PKI_SERVER, 10, CERT_DEVICE, "web2");
	state_is(CERT_DEVICE, "web", "Request Pending");
	ask.kind = CERT_DEVICE;
	ask.name = "web";
	ask.text = buf_peek(&other);
	fails(do_install, "Certificate Response: is no certificate for the key "
			  "of this one");
	state_is(CERT_DEVICE, "web", "Request Pending");
	ask.text = NAME("-----BEGIN CERTIFICATE-----\n");
	fails(do_install, "Certificate Response: the line -----END "
			  "CERTIFICATE----- is missing");
	ask.text = buf_peek(&text);
	does(do_install);
	assert_string_equal(change.event, "Certificate web installed");
	state_is(CERT_DEVICE, "web", "Active");
	ask.name = "none";
	fails(
	    do_install, "Certificate Name: none: there is no such certificate");
	env_set_wall_s(bench.rig.env, NOW_S - 1);
	state_is(CERT_DEVICE, "web", "Not Yet Valid");
	env_set_wall_s(bench.rig.env, NOW_S + 10 * DAY_S + 1);
	state_is(CERT_DEVICE, "web", "Expired");
	env_set_wall_s(bench.rig.env, NOW_S);
	buf_clear(&text);
	buf_clear(&other);
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		const char *why;
	} rows[] = {
	    {"web.example-1_a", NULL},
	    {"1web",
		"Certificate Name: 1web: 1 to 64 letters, digits, underscores, "
		"periods and hyphens, a letter first"},
	    {"", "Certificate Name: (empty): 1 to 64 letters, digits, "
		 "underscores, "
		 "periods and hyphens, a letter first"},
	    {"a b",
		"Certificate Name: a b: 1 to 64 letters, digits, underscores, "
		"periods and hyphens, a letter first"},
	};
	char why[CHANGE_WHY_OCTETS];
	struct cert cert;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		enum err rc =
		    cert_check_name(CERT_DEVICE, NAME(rows[k].name), why);

		assert_err(rc, rows[k].why == NULL ? OK : ERR_FIELD);
		if (rows[k].why != NULL)
			assert_string_equal(why, rows[k].why);
		assert_err(
		    cert_read(STORE, CERT_DEVICE, NAME(rows[k].name), &cert),
		    ERR_NOT_FOUND);
	}
	make_request(CERT_DEVICE, "taken");
	refuses(work_of(CERT_REQUEST, CERT_DEVICE, "taken"),
	    "Certificate Name: taken: a certificate has this name already");
}

/* req: KS-03-110 KS-03-096 KS-35-038 */
static void
test_key_sizes(void **state)
{
	static const struct {
		enum cert_kind kind;
		const char *bits;
		enum err want;
	} rows[] = {
	    {CERT_DEVICE, "512", ERR_FIELD},
	    {CERT_DEVICE, "768", OK},
	    {CERT_DEVICE, "1024", OK},
	    {CERT_DEVICE, "2048", OK},
	    {CERT_DEVICE, "3072", OK},
	    {CERT_DEVICE, "4096", OK},
	    {CERT_DEVICE, "8192", ERR_FIELD},
	    {CERT_LOCAL_CA, "1024", ERR_FIELD},
	    {CERT_LOCAL_CA, "2048", OK},
	    {CERT_LOCAL_CA, "3072", OK},
	    {CERT_LOCAL_CA, "4096", OK},
	};
	char out[ENTRY_OCTETS];
	struct pki_facts facts;
	struct cert_work *work;
	struct arena *a;
	int64_t number;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++)
		assert_err(entry_read(cert_key_sizes(rows[k].kind),
			       NAME(rows[k].bits), out, &number),
		    rows[k].want);
	/* and the key has it */
	work = work_of(CERT_REQUEST, CERT_DEVICE, "small");
	work->key_bits = 1024;
	makes(work);
	assert_ok(arena_new(1 << 20, &a));
	assert_ok(
	    pki_facts(PKI_REQUEST, buf_peek(&work->cert.request), a, &facts));
	assert_int_equal(facts.key_bits, 1024);
	arena_free(a);
	cert_work_drop(work);
}

/* req: KS-34-016 */
static void
test_self_signed(void **state)
{
	struct cert_work *work;
	struct pki_facts facts;
	struct cert cert;
	struct arena *a;

	(void)state;
	make_request(CERT_DEVICE, "self");
	work = work_of(CERT_SELF_SIGN, CERT_DEVICE, "self");
	makes(work);
	assert_string_equal(
	    change.event, "Certificate self self-signed: 1000 days");
	cert_work_drop(work);
	state_is(CERT_DEVICE, "self", "Active");
	assert_ok(cert_read(STORE, CERT_DEVICE, NAME("self"), &cert));
	assert_ok(arena_new(1 << 20, &a));
	assert_ok(
	    pki_facts(PKI_CERTIFICATE, buf_peek(&cert.certificate), a, &facts));
	assert_string_equal(facts.issuer, facts.subject);
	assert_ok(pki_signed_by(
	    buf_peek(&cert.certificate), buf_peek(&cert.certificate)));
	arena_free(a);
	cert_clear(&cert);
	refuses(work_of(CERT_SELF_SIGN, CERT_DEVICE, "self"),
	    "Certificate Name: self: is no pending request");
	refuses(work_of(CERT_SELF_SIGN, CERT_DEVICE, "nobody"),
	    "Certificate Name: nobody: there is no such certificate");
}

/* A key of its own and its certificate, as PEM. */
static struct buf
foreign(unsigned bits)
{
	struct pki_subject subject = {.field = {"foreign"}};
	struct buf request, der, text;
	struct secret *key;
	const char *why;
	char *at;
	struct pki_order order;

	buf_init(&request, PKI_TEXT_MAX_OCTETS);
	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	assert_ok(pki_key_new(bits, NAME("seed"), &key));
	assert_ok(pki_request_new(secret_peek(key), &subject, &request, &why));
	order = (struct pki_order){.purpose = PKI_CA,
	    .request = buf_peek(&request),
	    .key = secret_peek(key),
	    .from_s = NOW_S,
	    .until_s = NOW_S + 100 * DAY_S};
	assert_ok(pki_issue(&order, &der, &why));
	text = pem(PKI_CERTIFICATE, &der);
	/* the same lines of another kind */
	buf_reset(&der);
	assert_ok(buf_put(&der, secret_peek(key)));
	buf_clear(&request);
	request = pem(PKI_CERTIFICATE, &der);
	assert_ok(buf_put(&request, (struct bytes){(const uint8_t *)"", 1}));
	for (at = (char *)request.at; (at = strstr(at, "CERTIFICATE")) != NULL;)
		memcpy(at, "PRIVATE KEY", strlen("PRIVATE KEY"));
	assert_ok(
	    buf_put(&text, (struct bytes){request.at, request.octets - 1}));
	buf_clear(&request);
	buf_clear(&der);
	secret_free(key);
	return text;
}

static struct cert_work *
import_of(const char *name, const struct buf *text)
{
	struct cert_work *work = work_of(CERT_IMPORT, CERT_DEVICE, name);

	assert_ok(buf_put(&work->text, buf_peek(text)));
	return work;
}

/* req: KS-34-041 KS-34-053 */
static void
test_import(void **state)
{
	struct buf fits = foreign(2048);
	struct buf long_ = foreign(3072);
	struct cert_work *work;

	(void)state;
	work = import_of("in", &fits);
	makes(work);
	assert_string_equal(
	    change.event, "Certificate in imported: CN=foreign, 2048 bits");
	cert_work_drop(work);
	state_is(CERT_DEVICE, "in", "Active");
	refuses(import_of("in2", &long_),
	    "Certificate: its key is longer than can be imported");
	refuses(import_of("in", &fits),
	    "Certificate Name: in: a certificate has this name already");
	buf_clear(&fits);
	buf_clear(&long_);
}

/* ---- keys ---- */

struct look {
	struct bytes wanted;
	bool found;
};

static enum err
look_for(void *ctx, struct bytes key, struct bytes value)
{
	struct look *look = ctx;

	(void)key;
	look->found =
	    look->found || memmem(value.at, value.octets, look->wanted.at,
			       look->wanted.octets) != NULL;
	return OK;
}

static void
test_keys_are_sealed(void **state)
{
	struct buf text = foreign(1024);
	struct buf certificate;
	struct secret *key;
	struct look look = {.found = false};
	struct cert_work *work = import_of("sealed", &text);
	const char *why;

	(void)state;
	buf_init(&certificate, PKI_TEXT_MAX_OCTETS);
	assert_ok(pki_import(
	    buf_peek(&text), BYTES_NONE, 2048, &certificate, &key, &why));
	makes(work);
	cert_work_drop(work);
	/* of the second half: its primes */
	look.wanted = secret_peek(key);
	look.wanted.at += look.wanted.octets - 32;
	look.wanted.octets = 32;
	assert_ok(record_each(STORE, "certificate", look_for, &look));
	assert_false(look.found);
	look.wanted = buf_peek(&certificate);
	assert_ok(record_each(STORE, "certificate", look_for, &look));
	assert_true(look.found);
	secret_free(key);
	buf_clear(&certificate);
	buf_clear(&text);
}

/* req: KS-01-062 */
static void
test_without_the_crypto_user(void **state)
{
	static const char no[] = "keys of certificates cannot be used: the "
				 "Crypto User is not logged in to the HSM";
	struct buf text = foreign(1024);
	struct cert_work *late;

	(void)state;
	make_ca("locked");
	make_request(CERT_DEVICE, "pending");
	late = work_of(CERT_REQUEST, CERT_DEVICE, "late");
	begin(late);
	assert_ok(work_rc);
	crypto_user(false);
	refuses(work_of(CERT_REQUEST, CERT_DEVICE, "never"), no);
	refuses(work_of(CERT_SELF_SIGN, CERT_DEVICE, "pending"), no);
	refuses(import_of("never", &text), no);
	refuses(work_of(CERT_ROOT, CERT_LOCAL_CA, "never"), no);
	refuses(sign_of("locked", PKI_CLIENT, 1, CERT_DEVICE, "pending"), no);
	ask.work = late;
	fails(do_work, no);
	ask.kind = CERT_DEVICE;
	ask.name = "pending";
	ask.text = buf_peek(&text);
	fails(do_install, no);
	fails(do_delete, no);
	crypto_user(true);
	does(do_work);
	does(do_delete);
	cert_work_drop(late);
	buf_clear(&text);
}

/* With the cache off the HSM lends its key for each of them. */
static void
test_with_loans(void **state)
{
	struct keystore *ks = root_keystore(APPLIANCE->root);
	struct buf text;

	(void)state;
	keystore_set_cache(ks, false);
	assert_true(keystore_lends(ks));
	make_ca("lender");
	make_request(CERT_DEVICE, "lent");
	text = sign("lender", PKI_SERVER, 5, CERT_DEVICE, "lent");
	buf_clear(&text);
	keystore_set_cache(ks, true);
	crypto_user(true);
	assert_false(keystore_lends(ks));
}

/* A sealed key belongs to its name: in another record it does not open. */
static void
test_a_key_of_another_name(void **state)
{
	struct cert a, b;

	(void)state;
	make_request(CERT_DEVICE, "first");
	make_request(CERT_DEVICE, "second");
	assert_ok(cert_read(STORE, CERT_DEVICE, NAME("first"), &a));
	assert_ok(cert_read(STORE, CERT_DEVICE, NAME("second"), &b));
	buf_reset(&b.key);
	assert_ok(buf_put(&b.key, buf_peek(&a.key)));
	assert_ok(cert_write(STORE, &b));
	bench_turn(&bench);
	cert_clear(&a);
	cert_clear(&b);
	begin(ask.work = work_of(CERT_SELF_SIGN, CERT_DEVICE, "second"));
	assert_err(work_rc, ERR_SEAL);
	cert_work_drop(ask.work);
}

static void
test_dropped_at_work(void **state)
{
	struct cert_work *work = work_of(CERT_REQUEST, CERT_DEVICE, "dropped");
	struct cert cert;

	(void)state;
	cert_work_begin(work);
	cert_work_drop(work);
	while (loop_jobs(bench.rig.loop) != 0)
		bench_turn(&bench);
	assert_err(cert_read(STORE, CERT_DEVICE, NAME("dropped"), &cert),
	    ERR_NOT_FOUND);
}

/* ---- local CAs ---- */

static char listed[2000];

static enum err
list_issued(void *ctx, const struct ca_issued *issued)
{
	struct pki_facts facts;
	struct arena *a;

	(void)ctx;
	assert_ok(arena_new(1 << 20, &a));
	assert_ok(pki_facts(PKI_CERTIFICATE, issued->certificate, a, &facts));
	(void)snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed),
	    "%s %s;", facts.serial, facts.subject);
	arena_free(a);
	return OK;
}

static const char *
issued_by(const char *ca)
{
	listed[0] = '\0';
	assert_ok(ca_issued_each(STORE, NAME(ca), list_issued, NULL));
	return listed;
}

/* req: KS-35-026 KS-35-027 KS-35-028 KS-35-029 */
static void
test_serial_numbers(void **state)
{
	struct cert_work *first, *second;
	char want[100];
	uint64_t last;
	struct cert root;
	struct pki_facts facts;
	struct arena *a;
	struct buf text;

	(void)state;
	make_ca("one");
	make_ca("two");
	make_request(CERT_DEVICE, "numbered");
	assert_ok(ca_serial_last(STORE, &last));
	text = sign("one", PKI_SERVER, 1, CERT_DEVICE, "numbered");
	buf_clear(&text);
	text = sign("two", PKI_SERVER, 1, CERT_DEVICE, "numbered");
	buf_clear(&text);
	text = sign("one", PKI_SERVER, 1, CERT_DEVICE, "numbered");
	buf_clear(&text);
	(void)snprintf(want, sizeof(want),
	    "0x%llX CN=numbered;0x%llX "
	    "CN=numbered;",
	    (unsigned long long)last + 1, (unsigned long long)last + 3);
	assert_string_equal(issued_by("one"), want);
	(void)snprintf(want, sizeof(want), "%llX CN=numbered;",
	    (unsigned long long)last + 2);
	assert_non_null(strstr(issued_by("two"), want));

	/* one that fails leaves no gap, and two at once no number twice */
	refuses(sign_of("one", PKI_CLIENT, 501, CERT_DEVICE, "numbered"),
	    "Certificate Duration (days): 501: 1 to 500, the CA's Maximum User "
	    "Certificate Duration");
	first = sign_of("one", PKI_SERVER, 1, CERT_DEVICE, "numbered");
	second = sign_of("two", PKI_SERVER, 1, CERT_DEVICE, "numbered");
	cert_work_begin(first);
	begin(second);
	while (loop_jobs(bench.rig.loop) != 0)
		bench_turn(&bench);
	assert_int_equal(first->serial, last + 4);
	assert_int_equal(second->serial, last + 5);
	ask.work = second;
	does(do_work);
	ask.work = first;
	does(do_work);
	cert_work_drop(first);
	cert_work_drop(second);
	assert_ok(ca_serial_last(STORE, &last));
	text = sign("one", PKI_SERVER, 1, CERT_DEVICE, "numbered");
	buf_clear(&text);
	(void)snprintf(want, sizeof(want), "%llX CN=numbered;",
	    (unsigned long long)last + 1);
	assert_non_null(strstr(issued_by("one"), want));

	assert_ok(cert_read(STORE, CERT_LOCAL_CA, NAME("one"), &root));
	assert_ok(arena_new(1 << 20, &a));
	assert_ok(
	    pki_facts(PKI_CERTIFICATE, buf_peek(&root.certificate), a, &facts));
	assert_string_equal(facts.serial, "0x0");
	/* req: KS-35-022 */
	assert_string_equal(facts.subject, facts.issuer);
	arena_free(a);
	cert_clear(&root);
}

/* req: KS-03-098 KS-03-099 KS-35-040 KS-35-041 */
static void
test_durations_of_a_root(void **state)
{
	static const struct {
		int64_t days, most_days;
		const char *why;
	} rows[] = {
	    {0, 1, "CA Certificate Duration (days): 0: 1 to 36500"},
	    {36501, 1, "CA Certificate Duration (days): 36501: 1 to 36500"},
	    {10, 0,
		"Maximum User Certificate Duration (days): 0: 1 to 10, the "
		"CA's own duration"},
	    {10, 11,
		"Maximum User Certificate Duration (days): 11: 1 to 10, the "
		"CA's own duration"},
	};
	struct cert_work *work;
	struct pki_facts facts;
	struct arena *a;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		work = work_of(CERT_ROOT, CERT_LOCAL_CA, "timed");
		work->days = rows[k].days;
		work->most_days = rows[k].most_days;
		refuses(work, rows[k].why);
	}
	work = work_of(CERT_ROOT, CERT_LOCAL_CA, "timed");
	work->days = work->most_days = 10;
	makes(work);
	assert_string_equal(change.event,
	    "Local CA timed created: CN=timed, 768 bits, 10 days, of user "
	    "certificates at most 10");
	assert_ok(arena_new(1 << 20, &a));
	assert_ok(pki_facts(
	    PKI_CERTIFICATE, buf_peek(&work->cert.certificate), a, &facts));
	assert_int_equal(facts.from_s, NOW_S);
	assert_int_equal(facts.until_s, NOW_S + 10 * DAY_S);
	arena_free(a);
	cert_work_drop(work);
	make_request(CERT_DEVICE, "outlives");
	env_set_wall_s(bench.rig.env, NOW_S + DAY_S);
	refuses(sign_of("timed", PKI_CLIENT, 10, CERT_DEVICE, "outlives"),
	    "Certificate Duration (days): 10: 1 to 9, when the CA's own "
	    "certificate ends");
	env_set_wall_s(bench.rig.env, NOW_S + 11 * DAY_S);
	refuses(sign_of("timed", PKI_CLIENT, 1, CERT_DEVICE, "outlives"),
	    "Certificate Authority Name: timed: is not active");
	env_set_wall_s(bench.rig.env, NOW_S);
}

/* req: KS-35-043 KS-35-047 KS-35-048 KS-35-052 KS-35-055 KS-35-057
 * req: KS-03-101 KS-03-105 KS-03-106 */
static void
test_intermediate(void **state)
{
	struct buf text, leaf;

	(void)state;
	make_ca("top");
	make_request(CERT_LOCAL_CA, "middle");
	make_request(CERT_DEVICE, "below");
	state_is(CERT_LOCAL_CA, "middle", "CA Certificate Request Pending");
	refuses(sign_of("middle", PKI_SERVER, 1, CERT_DEVICE, "below"),
	    "Certificate Authority Name: middle: is not active");
	text = sign("top", PKI_SERVER, 100, CERT_LOCAL_CA, "middle");
	ask.kind = CERT_LOCAL_CA;
	ask.name = "middle";
	ask.text = buf_peek(&text);
	ask.most_days = 50;
	fails(do_install,
	    "Certificate Response: is no certificate of a certificate "
	    "authority: its basicConstraints do not say CA:TRUE, or its "
	    "keyUsage lacks keyCertSign");
	buf_clear(&text);
	/* as a CA it may last longer than users' do */
	text = sign("top", PKI_CA, 600, CERT_LOCAL_CA, "middle");
	ask.text = buf_peek(&text);
	ask.most_days = 0;
	fails(do_install,
	    "Maximum User Certificate Duration (days): 0: 1 to 1000, the "
	    "duration of the CA that has signed it");
	ask.most_days = 1001;
	fails(do_install,
	    "Maximum User Certificate Duration (days): 1001: 1 to 1000, the "
	    "duration of the CA that has signed it");
	ask.most_days = 1000;
	does(do_install);
	state_is(CERT_LOCAL_CA, "middle", "Active");
	leaf = sign("middle", PKI_SERVER, 600, CERT_DEVICE, "below");
	buf_clear(&leaf);
	buf_clear(&text);
	/* of a signer that is gone nobody knows */
	make_ca("gone");
	make_request(CERT_LOCAL_CA, "orphan");
	text = sign("gone", PKI_CA, 100, CERT_LOCAL_CA, "orphan");
	ask.name = "gone";
	does(do_delete);
	ask.name = "orphan";
	ask.text = buf_peek(&text);
	ask.most_days = 1;
	fails(do_install, "Certificate Response: is signed by none of the "
			  "local and known CAs");
	buf_clear(&text);
}

static void
test_what_changed_meanwhile(void **state)
{
	struct cert_work *work;

	(void)state;
	make_ca("passing");
	make_request(CERT_DEVICE, "waits");
	work = sign_of("passing", PKI_SERVER, 1, CERT_DEVICE, "waits");
	begin(work);
	assert_ok(work_rc);
	ask.kind = CERT_LOCAL_CA;
	ask.name = "passing";
	does(do_delete);
	ask.work = work;
	fails(do_work, "Certificate Authority Name: passing: there is no such "
		       "certificate authority");
	make_ca("passing");
	ask.work = work;
	fails(do_work, "Certificate Authority Name: passing: has been changed "
		       "meanwhile");
	assert_string_equal(issued_by("passing"), "");
	cert_work_drop(work);
	work = work_of(CERT_REQUEST, CERT_DEVICE, "raced");
	begin(work);
	make_request(CERT_DEVICE, "raced");
	ask.work = work;
	fails(do_work,
	    "Certificate Name: raced: a certificate has this name already");
	cert_work_drop(work);
}

/* ---- who is trusted ---- */

static enum err
list_name(void *ctx, struct bytes name)
{
	(void)ctx;
	(void)snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed),
	    "%.*s;", (int)name.octets, (const char *)name.at);
	return OK;
}

static enum err
list_cert(void *ctx, const struct cert *cert)
{
	(void)ctx;
	return list_name(NULL, NAME(cert->name));
}

static const char *
profiles(void)
{
	listed[0] = '\0';
	assert_ok(ca_profile_each(STORE, list_name, NULL));
	return listed;
}

static const char *
members(const char *profile)
{
	listed[0] = '\0';
	assert_ok(ca_profile_members(STORE, NAME(profile), list_cert, NULL));
	return listed;
}

/*
 * req: KS-19-026 KS-03-159 KS-35-005 ESKM-086 KS-35-006 KS-35-007 KS-35-009
 * req: KS-35-013 KS-35-014 KS-35-015 KS-35-017 KS-35-018 ESKM-084
 * req: KS-35-062
 */
static void
test_profiles(void **state)
{
	struct buf text = foreign(1024);
	struct buf leaf;
	char *key = strstr((char *)text.at, "-----BEGIN PRIVATE KEY");

	(void)state;
	assert_non_null(key);
	ask.text = (struct bytes){text.at, (size_t)(key - (char *)text.at)};
	assert_string_equal(profiles(), "Default;");
	assert_string_equal(members("Default"), "");
	make_ca("mine");
	ask.name = "Default";
	ask.other = "theirs";
	fails(do_add, "Certificate Authority: theirs: is neither a local nor a "
		      "known CA");
	ask.name = "theirs";
	does(do_known);
	fails(do_known, "Certificate Name: theirs: a certificate authority has "
			"this name already");
	ask.name = "mine";
	fails(do_known, "Certificate Name: mine: a certificate authority has "
			"this name already");
	/* known or made here is not trusted yet */
	assert_string_equal(members("Default"), "");
	ask.name = "Default";
	does(do_add);
	ask.other = "mine";
	does(do_add);
	assert_string_equal(
	    change.event, "Trusted CA List profile Default: mine added");
	fails(
	    do_add, "Certificate Authority: mine: is in this profile already");
	assert_string_equal(members("Default"), "mine;theirs;");
	/* one in use stays */
	ask.kind = CERT_LOCAL_CA;
	ask.name = "mine";
	fails(do_delete,
	    "Certificate Authority Name: mine: the Trusted CA List "
	    "profile Default has it");
	ask.name = "Default";
	does(do_remove);
	fails(do_remove, "Certificate Authority: mine: is not in this profile");
	assert_string_equal(members("Default"), "theirs;");
	ask.name = "mine";
	does(do_delete);

	ask.name = "Clients";
	ask.other = "theirs";
	fails(do_add, "Trusted CA List Profile: Clients: there is no such "
		      "profile");
	does(do_create);
	fails(do_create, "Trusted CA List Profile: Clients: there is one of "
			 "this name already");
	assert_string_equal(profiles(), "Clients;Default;");
	does(do_add);
	assert_string_equal(members("Clients"), "theirs;");
	does(do_profile_delete);
	fails(do_profile_delete,
	    "Trusted CA List Profile: Clients: there is no "
	    "such profile");
	assert_err(ca_profile_members(STORE, NAME("Clients"), list_cert, NULL),
	    ERR_NOT_FOUND);
	ask.name = "Default";
	fails(do_profile_delete, "Trusted CA List Profile: Default: this one "
				 "stays");
	fails(do_create, "Trusted CA List Profile: Default: there is one of "
			 "this name already");
	does(do_remove);
	assert_string_equal(members("Default"), "");

	/* a certificate that is no CA's is none to be known */
	make_ca("issuer");
	make_request(CERT_DEVICE, "user");
	leaf = sign("issuer", PKI_CLIENT, 1, CERT_DEVICE, "user");
	ask.text = buf_peek(&leaf);
	ask.name = "user";
	fails(do_known,
	    "Certificate: is no certificate of a certificate authority: its "
	    "basicConstraints do not say CA:TRUE, or its keyUsage lacks "
	    "keyCertSign");
	buf_clear(&leaf);
	buf_clear(&text);
}

static void
test_what_settings_have(void **state)
{
	(void)state;
	assert_null(ca_setting_with(
	    APPLIANCE->settings, TEXT_CERTIFICATE, NAME("used")));
	assert_string_equal(
	    ca_setting_with(APPLIANCE->settings, TEXT_PROFILE, NAME("Default")),
	    setting_row(SETTING_WEB_PROFILE)->name);
	assert_string_equal(ca_setting_with(APPLIANCE->settings,
				TEXT_CERTIFICATE, NAME("[Default]")),
	    setting_row(SETTING_WEB_SERVER_CERT)->name);
}

static void
test_damaged_records(void **state)
{
	struct cert cert;

	(void)state;
	assert_ok(record_put(STORE, "certificate", NAME("bad"), NAME("x")));
	assert_ok(record_put(STORE, "certificate", NAME("empty"), BYTES_NONE));
	assert_ok(
	    record_put(STORE, "ca.profile", NAME("bad"), NAME("\6member")));
	assert_err(
	    cert_read(STORE, CERT_DEVICE, NAME("bad"), &cert), ERR_STORE);
	assert_err(
	    cert_read(STORE, CERT_DEVICE, NAME("empty"), &cert), ERR_STORE);
	assert_err(
	    ca_profile_members(STORE, NAME("bad"), list_cert, NULL), ERR_STORE);
	assert_ok(record_delete(STORE, "certificate", NAME("bad")));
	assert_ok(record_delete(STORE, "certificate", NAME("empty")));
	assert_ok(record_delete(STORE, "ca.profile", NAME("bad")));
	bench_turn(&bench);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_from_request_to_expiry),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_key_sizes),
	    cmocka_unit_test(test_self_signed),
	    cmocka_unit_test(test_import),
	    cmocka_unit_test(test_keys_are_sealed),
	    cmocka_unit_test(test_without_the_crypto_user),
	    cmocka_unit_test(test_with_loans),
	    cmocka_unit_test(test_a_key_of_another_name),
	    cmocka_unit_test(test_dropped_at_work),
	    cmocka_unit_test(test_serial_numbers),
	    cmocka_unit_test(test_durations_of_a_root),
	    cmocka_unit_test(test_intermediate),
	    cmocka_unit_test(test_what_changed_meanwhile),
	    cmocka_unit_test(test_profiles),
	    cmocka_unit_test(test_what_settings_have),
	    cmocka_unit_test(test_damaged_records),
	};

	return cmocka_run_group_tests_name(
	    "device/cert", tests, set_up, tear_down);
}
