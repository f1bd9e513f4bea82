#include "device/cert_work.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "device/appliance.h"
#include "device/ca.h"

enum {
	THREADS = 2,
	DAY_S = 24 * 3600,
	SEAL_ROOM_OCTETS = 128 * 1024,
	SEAL_NAME_OCTETS = 32 + CERT_NAME_OCTETS,
	SEAL_VERSION = 1, /* a key of this name is made once */
	FACTS_OCTETS = 4 * CERT_DER_MAX_OCTETS,
};

/*
 * A serial number is taken when the signing begins, and given back when nothing
 * came of it, unless a later one is in use by then.
 */
struct cert_shop {
	struct loop_pool *pool; /* the loop's */
	uint64_t last_serial;
};

enum err
cert_shop_new(struct loop *loop, struct store *st, struct cert_shop **out)
{
	struct cert_shop *shop = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(shop));
	TRY(ca_serial_last(st, &shop->last_serial));
	TRY(loop_pool_new(loop, "certificates", THREADS, &shop->pool));
	*out = shop;
	shop = NULL;
out:
	mem_free(shop);
	return rc;
}

void
cert_shop_free(struct cert_shop *shop)
{
	mem_free(shop);
}

static void
serial_take(struct cert_work *work)
{
	work->serial = ++work->appliance->certs->last_serial;
	work->has_serial = true;
}

static void
serial_give_back(struct cert_work *work)
{
	struct cert_shop *shop = work->appliance->certs;

	if (work->has_serial && shop != NULL &&
	    shop->last_serial == work->serial)
		shop->last_serial--;
	work->has_serial = false;
}

/* ---- its beginning and its end ---- */

enum err
cert_work_new(struct appliance *appliance, struct cert_work **out)
{
	struct cert_work *work = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(work));
	work->appliance = appliance;
	buf_init(&work->text, PKI_TEXT_MAX_OCTETS);
	buf_init(&work->request, CERT_DER_MAX_OCTETS);
	cert_init(&work->cert, CERT_DEVICE, BYTES_NONE);
	*out = work;
out:
	return rc;
}

static void
work_free(struct cert_work *work)
{
	buf_clear(&work->text);
	buf_clear(&work->request);
	cert_clear(&work->cert);
	cert_clear(&work->before);
	secret_free(work->password);
	secret_free(work->key);
	mem_free(work);
}

void
cert_work_drop(struct cert_work *work)
{
	if (work == NULL)
		return;
	serial_give_back(work);
	loop_task_cancel(&work->later);
	keystore_loan_end(&work->loan);
	work->dropped = true;
	if (!work->works)
		work_free(work);
}

/* The end, told in a turn of its own. */
static void
tell(void *ctx)
{
	struct cert_work *work = ctx;

	work->done(work, work->rc);
}

static void
finish(struct cert_work *work, enum err rc)
{
	keystore_loan_end(&work->loan);
	secret_free(work->key);
	work->key = NULL;
	work->rc = rc;
	if (rc != OK)
		serial_give_back(work);
	if (rc == ERR_FIELD && work->why[0] == '\0' && work->rule != NULL)
		(void)snprintf(work->why, sizeof(work->why), "%.*s: %s",
		    (int)work->field.octets, (const char *)work->field.at,
		    work->rule);
	work->later = (struct loop_task){.fn = tell, .ctx = work};
	loop_later(work->appliance->loop, &work->later);
}

/* ---- on a worker ---- */

static enum err
make_key(struct cert_work *work)
{
	struct bytes seed = {work->seed, sizeof(work->seed)};
	enum err rc = OK;

	work->field = bytes_of_text(pki_field_name(PKI_COMMON_NAME));
	TRY(pki_key_new(work->key_bits, seed, &work->key));
	TRY(pki_request_new(secret_peek(work->key), &work->subject,
	    &work->cert.request, &work->rule));
out:
	return rc;
}

static enum err
make_certificate(struct cert_work *work, enum pki_purpose purpose,
    struct bytes request, struct bytes issuer)
{
	struct pki_order order = {
	    .purpose = purpose,
	    .request = request,
	    .issuer = issuer,
	    .key = secret_peek(work->key),
	    .serial = work->serial,
	    .from_s = work->from_s,
	    .until_s = work->from_s + work->days * DAY_S,
	};

	work->field = bytes_of_text("Certificate Request");
	return pki_issue(&order, &work->cert.certificate, &work->rule);
}

static enum err
make_root(struct cert_work *work)
{
	enum err rc = OK;

	TRY(make_key(work));
	TRY(make_certificate(
	    work, PKI_CA, buf_peek(&work->cert.request), BYTES_NONE));
out:
	return rc;
}

static enum err
make_self_signed(struct cert_work *work)
{
	return make_certificate(
	    work, PKI_SERVER, buf_peek(&work->before.request), BYTES_NONE);
}

static enum err
make_import(struct cert_work *work)
{
	work->field = bytes_of_text("Certificate");
	return pki_import(buf_peek(&work->text),
	    work->password != NULL ? secret_peek(work->password) : BYTES_NONE,
	    CERT_IMPORT_MOST_BITS, &work->cert.certificate, &work->key,
	    &work->rule);
}

static enum err
make_signed(struct cert_work *work)
{
	return make_certificate(work, work->purpose, buf_peek(&work->request),
	    buf_peek(&work->before.certificate));
}

/* ---- on the loop, before ---- */

static enum err
refuse(struct cert_work *work, const char *field, const char *rule)
{
	(void)snprintf(work->why, sizeof(work->why), "%s: %s", field, rule);
	return ERR_FIELD;
}

static enum err
refuse_days(struct cert_work *work, const char *field, int64_t days,
    int64_t most, const char *because)
{
	if (days >= 1 && days <= most)
		return OK;
	work->about = CERT_OF_DAYS;
	(void)snprintf(work->why, sizeof(work->why), "%s: %lld: 1 to %lld%s",
	    field, (long long)days, (long long)most, because);
	return ERR_FIELD;
}

static enum err
prepare_new(struct cert_work *work)
{
	struct appliance *appliance = work->appliance;
	struct bytes name = bytes_of_text(work->name);
	enum err rc = OK;

	cert_init(&work->cert, work->kind, name);
	work->cert.most_days = work->most_days;
	TRY(cert_check_new(appliance->store, work->kind, name, work->why));
	TRY(env_random(appliance->env, work->seed, sizeof(work->seed)));
out:
	return rc;
}

/* req: KS-03-098 KS-35-040 */
static enum err
prepare_root(struct cert_work *work)
{
	enum err rc = OK;

	work->kind = CERT_LOCAL_CA;
	TRY(refuse_days(work, "CA Certificate Duration (days)", work->days,
	    CERT_DAYS_MOST, ""));
	TRY(refuse_days(work, "Maximum User Certificate Duration (days)",
	    work->most_days, work->days, ", the CA's own duration"));
	TRY(prepare_new(work));
out:
	return rc;
}

static enum err
prepare_import(struct cert_work *work)
{
	work->kind = CERT_DEVICE;
	return prepare_new(work);
}

static enum err
prepare_self_signed(struct cert_work *work)
{
	struct bytes name = bytes_of_text(work->name);
	uint8_t random[8];
	size_t k;
	enum err rc = OK;

	work->kind = CERT_DEVICE;
	cert_init(&work->cert, work->kind, name);
	TRY(cert_find(work->appliance->store, work->kind, name, &work->before,
	    work->why));
	if (work->before.request.octets == 0 ||
	    work->before.certificate.octets != 0) {
		entry_refuse(cert_name_field(work->kind), name,
		    "is no pending request", work->why);
		TRY(ERR_FIELD);
	}
	TRY(refuse_days(work, "Certificate Duration (days)", work->days,
	    CERT_DAYS_MOST, ""));
	/* nobody counts them: one of its issuer's must not come twice */
	TRY(env_random(work->appliance->env, random, sizeof(random)));
	random[0] &= 0x7f;
	for (k = 0; k < sizeof(random); k++)
		work->serial = work->serial << 8 | random[k];
out:
	return rc;
}

/* No certificate outlives the one that vouches for it. */
static enum err
check_end(struct cert_work *work)
{
	struct pki_facts facts;
	struct arena *a = NULL;
	enum err rc = OK;

	TRY(arena_new(FACTS_OCTETS, &a));
	TRY(pki_facts(
	    PKI_CERTIFICATE, buf_peek(&work->before.certificate), a, &facts));
	TRY(refuse_days(work, "Certificate Duration (days)", work->days,
	    (facts.until_s - work->from_s) / DAY_S,
	    ", when the CA's own certificate ends"));
out:
	arena_free(a);
	return rc;
}

static enum err
prepare_signed(struct cert_work *work)
{
	struct bytes name = bytes_of_text(work->name);
	enum cert_state state;
	const char *rule;
	enum err rc = OK;

	work->kind = CERT_LOCAL_CA;
	cert_init(&work->cert, work->kind, name);
	TRY(cert_find(work->appliance->store, work->kind, name, &work->before,
	    work->why));
	TRY(cert_state(&work->before, work->from_s, &state));
	/* req: KS-35-043 */
	if (state != CERT_ACTIVE) {
		entry_refuse(cert_name_field(work->kind), name, "is not active",
		    work->why);
		TRY(ERR_FIELD);
	}
	work->about = CERT_OF_REQUEST;
	rc = pki_pem_read(
	    PKI_REQUEST, buf_peek(&work->text), &work->request, &rule);
	if (rc == ERR_FIELD)
		rc = refuse(work, "Certificate Request", rule);
	TRY(rc);
	if (work->purpose != PKI_CA)
		TRY(refuse_days(work, "Certificate Duration (days)", work->days,
		    work->before.most_days,
		    ", the CA's Maximum User Certificate Duration"));
	TRY(check_end(work));
	serial_take(work);
out:
	return rc;
}

/* ---- the tasks ---- */

static const struct task {
	enum err (*prepare)(struct cert_work *work); /* on the loop */
	enum err (*make)(struct cert_work *work);    /* on a worker */
	bool opens; /* the key of `before`; or makes one */
} tasks[] = {
    [CERT_REQUEST] = {prepare_new, make_key, false},
    [CERT_SELF_SIGN] = {prepare_self_signed, make_self_signed, true},
    [CERT_IMPORT] = {prepare_import, make_import, false},
    [CERT_ROOT] = {prepare_root, make_root, false},
    [CERT_SIGN] = {prepare_signed, make_signed, true},
};

/* ---- the keystore, before it or after it ---- */

static struct bytes
seal_name(enum cert_kind kind, const char *name, char room[SEAL_NAME_OCTETS])
{
	(void)snprintf(
	    room, SEAL_NAME_OCTETS, "%s/%s", cert_record_kind(kind), name);
	return bytes_of_text(room);
}

static const struct keystore_loan *
lent(const struct cert_work *work)
{
	return work->loan.done != NULL ? &work->loan : NULL;
}

static enum err
seal(struct cert_work *work)
{
	struct keystore *ks = root_keystore(work->appliance->root);
	char room[SEAL_NAME_OCTETS];
	struct bytes sealed;
	struct arena *a = NULL;
	enum err rc = OK;

	TRY(arena_new(SEAL_ROOM_OCTETS, &a));
	TRY(keystore_seal(ks, lent(work),
	    seal_name(work->kind, work->name, room), SEAL_VERSION,
	    secret_peek(work->key), a, &sealed));
	TRY(buf_put(&work->cert.key, sealed));
out:
	arena_free(a);
	return rc;
}

enum err
cert_key_open(struct appliance *appliance, enum cert_kind kind,
    const char *name, struct bytes sealed, const struct keystore_loan *loan,
    struct secret **out)
{
	struct keystore *ks = root_keystore(appliance->root);
	char room[SEAL_NAME_OCTETS];
	struct bytes plain;
	struct arena *a = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(arena_new(SEAL_ROOM_OCTETS, &a));
	TRY(keystore_open(ks, loan, seal_name(kind, name, room), SEAL_VERSION,
	    sealed, a, &plain));
	TRY(secret_copy(plain, out));
out:
	arena_free(a);
	return rc;
}

static void make_begin(struct cert_work *work);

/* The keystore can be used, with the loan or without. */
static void
keys_ready(struct cert_work *work)
{
	bool opens = tasks[work->task].opens;
	enum err rc =
	    opens ? cert_key_open(work->appliance, work->kind, work->name,
			buf_peek(&work->before.key), lent(work), &work->key)
		  : seal(work);

	if (rc == ERR_HSM || rc == ERR_HSM_LOGGED_OUT || rc == ERR_HSM_OTHER)
		(void)snprintf(work->why, sizeof(work->why),
		    "keys of certificates cannot be used: %s", err_text(rc));
	if (rc == OK && opens)
		make_begin(work);
	else
		finish(work, rc);
}

static void
loan_done(struct keystore_loan *loan)
{
	keys_ready(loan->ctx);
}

static void
keys_need(struct cert_work *work)
{
	struct root *root = work->appliance->root;
	struct keystore *ks = root_keystore(root);
	enum err rc = OK;

	TRY(cert_ready(work->appliance, work->why));
	if (keystore_lends(ks)) {
		work->loan.done = loan_done;
		work->loan.ctx = work;
		TRY(keystore_lend(ks, root_pool(root), &work->loan));
	} else {
		keys_ready(work);
	}
out:
	if (rc != OK)
		finish(work, rc);
}

/* ---- the worker ---- */

static void
make_work(void *ctx)
{
	struct cert_work *work = ctx;

	work->rc = tasks[work->task].make(work);
}

static void
make_done(void *ctx, enum err rc)
{
	struct cert_work *work = ctx;

	work->works = false;
	if (work->dropped) {
		work_free(work);
		return;
	}
	if (rc == OK)
		rc = work->rc;
	if (rc == OK && !tasks[work->task].opens)
		keys_need(work);
	else
		finish(work, rc);
}

static void
make_begin(struct cert_work *work)
{
	enum err rc;

	work->works = true;
	rc = loop_submit(
	    work->appliance->certs->pool, make_work, make_done, work);
	if (rc != OK) {
		work->works = false;
		finish(work, rc);
	}
}

void
cert_work_begin(struct cert_work *work)
{
	const struct task *task = &tasks[work->task];
	enum err rc = OK;

	work->from_s = env_wall_s(work->appliance->env);
	/* before a key is made that could not be kept */
	TRY(cert_ready(work->appliance, work->why));
	TRY(task->prepare(work));
	if (task->opens)
		keys_need(work);
	else
		make_begin(work);
out:
	if (rc != OK)
		finish(work, rc);
}

/* ---------------------------------------------------------------------------
 * Keeping it
 */

static enum err
write_new(struct cert_work *work, struct change *change)
{
	struct store *st = change->appliance->store;
	enum err rc = OK;

	TRY(cert_check_new(
	    st, work->kind, bytes_of_text(work->name), change->why));
	TRY(cert_write(st, &work->cert));
out:
	return rc;
}

/* What it was made from, as it is by now. */
static enum err
read_again(struct cert_work *work, struct change *change, struct cert *now)
{
	struct bytes name = bytes_of_text(work->name);
	enum err rc = OK;

	TRY(cert_find(
	    change->appliance->store, work->kind, name, now, change->why));
	if (!bytes_equal(buf_peek(&now->key), buf_peek(&work->before.key)) ||
	    !bytes_equal(buf_peek(&now->certificate),
		buf_peek(&work->before.certificate))) {
		entry_refuse(cert_name_field(work->kind), name,
		    "has been changed meanwhile", change->why);
		TRY(ERR_FIELD);
	}
out:
	return rc;
}

static enum err
write_self_signed(struct cert_work *work, struct change *change)
{
	struct cert now = {.most_days = 0};
	enum err rc = OK;

	TRY(read_again(work, change, &now));
	TRY(buf_put(&now.certificate, buf_peek(&work->cert.certificate)));
	TRY(cert_write(change->appliance->store, &now));
out:
	cert_clear(&now);
	return rc;
}

static enum err
write_signed(struct cert_work *work, struct change *change)
{
	struct cert now = {.most_days = 0};
	enum err rc = OK;

	TRY(read_again(work, change, &now));
	TRY(ca_issued_add(change->appliance->store, bytes_of_text(work->name),
	    work->serial, buf_peek(&work->cert.certificate)));
	/* it is in the open group: nobody else gets the number */
	work->has_serial = false;
out:
	cert_clear(&now);
	return rc;
}

static void
tell_event(const struct cert_work *work, struct change *change,
    const struct pki_facts *facts)
{
	static const char *const purposes[PKI_PURPOSE_COUNT] = {
	    [PKI_SERVER] = "server",
	    [PKI_CLIENT] = "client",
	    [PKI_CA] = "intermediate CA",
	    [PKI_MAIL] = "mail",
	};
	char *event = change->event;
	size_t room = sizeof(change->event);

	switch (work->task) {
	case CERT_REQUEST:
		(void)snprintf(event, room, "%s %s requested: %s, %u bits",
		    work->kind == CERT_DEVICE ? "Certificate" : "Local CA",
		    work->name, facts->subject, facts->key_bits);
		break;
	case CERT_SELF_SIGN:
		(void)snprintf(event, room,
		    "Certificate %s self-signed: "
		    "%lld days",
		    work->name, (long long)work->days);
		break;
	case CERT_IMPORT:
		(void)snprintf(event, room,
		    "Certificate %s imported: %s, %u bits", work->name,
		    facts->subject, facts->key_bits);
		break;
	case CERT_ROOT:
		(void)snprintf(event, room,
		    "Local CA %s created: %s, %u bits, %lld days, of user "
		    "certificates at most %lld",
		    work->name, facts->subject, facts->key_bits,
		    (long long)work->days, (long long)work->most_days);
		break;
	case CERT_SIGN:
		(void)snprintf(event, room,
		    "Local CA %s signed %s: %s, serial number %s, %lld days",
		    work->name, facts->subject, purposes[work->purpose],
		    facts->serial, (long long)work->days);
		break;
	}
}

enum err
cert_work_write(struct cert_work *work, struct change *change)
{
	bool made = work->cert.certificate.octets != 0;
	struct pki_facts facts;
	struct arena *a = NULL;
	enum err rc = OK;

	TRY(arena_new(FACTS_OCTETS, &a));
	TRY(pki_facts(made ? PKI_CERTIFICATE : PKI_REQUEST,
	    buf_peek(made ? &work->cert.certificate : &work->cert.request), a,
	    &facts));
	tell_event(work, change, &facts);
	TRY(cert_ready(change->appliance, change->why));
	if (work->task == CERT_SELF_SIGN)
		TRY(write_self_signed(work, change));
	else if (work->task == CERT_SIGN)
		TRY(write_signed(work, change));
	else
		TRY(write_new(work, change));
out:
	arena_free(a);
	return rc;
}
