#include "device/cert.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "crypto/pki.h"
#include "device/appliance.h"
#include "device/ca.h"
#include "device/fields.h"
#include "device/key_server.h"

_Static_assert((int)CERT_DER_MAX_OCTETS == (int)PKI_TEXT_MAX_OCTETS,
    "what can be read can be kept");

enum { VALUE_MAX_OCTETS = 4 * CERT_DER_MAX_OCTETS };

#define KIND_DEVICE   "certificate"
#define KIND_LOCAL_CA "ca.local"
#define KIND_KNOWN_CA "ca.known"

/* clang-format off */
static const struct {
	const char *record;
	const char *name_field;
	const char *text_field; /* what is pasted to be installed */
	const char *word;       /* in the audit log */
	const char *pending;
	enum entry_kind setting; /* which has its name */
	struct entry_rule key_sizes;
} kinds[] = {
	[CERT_DEVICE] = { KIND_DEVICE, "Certificate Name",
	    "Certificate Response", "Certificate", "Request Pending",
	    TEXT_CERTIFICATE,
	    { .type = ENTRY_CHOICE, .choices = "768|1024|2048|3072|4096" } },
	[CERT_LOCAL_CA] = { KIND_LOCAL_CA, "Certificate Authority Name",
	    "Certificate Response", "Local CA",
	    "CA Certificate Request Pending", ENTRY_KIND_COUNT,
	    { .type = ENTRY_CHOICE, .choices = "2048|3072|4096" } },
	[CERT_KNOWN_CA] = { KIND_KNOWN_CA, "Certificate Name",
	    "Certificate", "Known CA", "", ENTRY_KIND_COUNT,
	    { .type = ENTRY_CHOICE, .choices = "" } },
};
/* clang-format on */

void
cert_init(struct cert *cert, enum cert_kind kind, struct bytes name)
{
	size_t octets =
	    name.octets < CERT_NAME_OCTETS ? name.octets : CERT_NAME_OCTETS;

	*cert = (struct cert){.kind = kind};
	if (octets != 0)
		memcpy(cert->name, name.at, octets);
	buf_init(&cert->request, CERT_DER_MAX_OCTETS);
	buf_init(&cert->key, CERT_DER_MAX_OCTETS);
	buf_init(&cert->certificate, CERT_DER_MAX_OCTETS);
}

void
cert_clear(struct cert *cert)
{
	buf_clear(&cert->request);
	buf_clear(&cert->key);
	buf_clear(&cert->certificate);
}

/* ---- what can be entered ---- */

const char *
cert_name_field(enum cert_kind kind)
{
	return kinds[kind].name_field;
}

const char *
cert_record_kind(enum cert_kind kind)
{
	return kinds[kind].record;
}

const struct entry_rule *
cert_key_sizes(enum cert_kind kind)
{
	return &kinds[kind].key_sizes;
}

enum err
cert_check_name(
    enum cert_kind kind, struct bytes name, char why[CHANGE_WHY_OCTETS])
{
	static const struct entry_rule rule = {
	    .type = ENTRY_TEXT, .kind = TEXT_NAME};
	char kept[ENTRY_OCTETS];
	int64_t number;
	enum err rc = entry_read(&rule, name, kept, &number);

	if (rc == ERR_FIELD)
		entry_refuse(kinds[kind].name_field, name,
		    entry_kind_rule(TEXT_NAME), why);
	return rc;
}

static enum err
refuse(enum cert_kind kind, struct bytes name, const char *rule,
    char why[CHANGE_WHY_OCTETS])
{
	entry_refuse(kinds[kind].name_field, name, rule, why);
	return ERR_FIELD;
}

enum err
cert_check_new(struct store *st, enum cert_kind kind, struct bytes name,
    char why[CHANGE_WHY_OCTETS])
{
	struct cert cert = {.most_days = 0};
	enum err rc = OK;

	TRY(cert_check_name(kind, name, why));
	rc = kind == CERT_DEVICE ? cert_read(st, kind, name, &cert)
				 : cert_read_ca(st, name, &cert);
	if (rc == OK)
		rc = refuse(kind, name,
		    kind == CERT_DEVICE
			? "a certificate has this name already"
			: "a certificate authority has this name already",
		    why);
	else if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	cert_clear(&cert);
	return rc;
}

/* ---- the record ---- */

static enum err
put_der(struct buf *value, const char *name, const struct buf *der)
{
	return der->octets != 0 ? fields_put(value, name, buf_peek(der)) : OK;
}

enum err
cert_write(struct store *st, const struct cert *cert)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, VALUE_MAX_OCTETS);
	TRY(put_der(&value, "request", &cert->request));
	TRY(put_der(&value, "key", &cert->key));
	TRY(put_der(&value, "certificate", &cert->certificate));
	TRY(fields_put_number(&value, "most-days", cert->most_days));
	TRY(record_put(st, kinds[cert->kind].record, bytes_of_text(cert->name),
	    buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

static enum err
read_der(struct bytes value, const char *name, struct buf *out)
{
	struct bytes der;
	enum err rc = fields_find(value, name, &der);

	if (rc == OK)
		rc = buf_put(out, der);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* Is this one of its kind? */
static bool
is_whole(const struct cert *cert)
{
	if (cert->kind == CERT_KNOWN_CA)
		return cert->certificate.octets != 0;
	return cert->key.octets != 0 &&
	       (cert->request.octets != 0 || cert->certificate.octets != 0);
}

static enum err
decode(enum cert_kind kind, struct bytes name, struct bytes value,
    struct cert *out)
{
	char why[CHANGE_WHY_OCTETS];
	enum err rc = OK;

	cert_init(out, kind, name);
	if (cert_check_name(kind, name, why) != OK)
		TRY(ERR_VALUE);
	TRY(read_der(value, "request", &out->request));
	TRY(read_der(value, "key", &out->key));
	TRY(read_der(value, "certificate", &out->certificate));
	TRY(fields_number(value, "most-days", &out->most_days));
	if (out->most_days < 0 || out->most_days > CERT_DAYS_MOST ||
	    !is_whole(out))
		TRY(ERR_VALUE);
out:
	if (rc != OK)
		cert_clear(out);
	if (rc != OK && rc != ERR_NOMEM) {
		log_line("device", LOG_ERROR,
		    "the record \"%s\" of %s cannot be read: %s",
		    kinds[kind].record, out->name, err_text(rc));
		rc = ERR_STORE;
	}
	return rc;
}

enum err
cert_read(
    struct store *st, enum cert_kind kind, struct bytes name, struct cert *out)
{
	char why[CHANGE_WHY_OCTETS];
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	*out = (struct cert){.kind = kind};
	/* whatever somebody types: what nothing is called, nothing is */
	if (cert_check_name(kind, name, why) != OK)
		TRY(ERR_NOT_FOUND);
	TRY(record_get(st, kinds[kind].record, name, &value));
	TRY(decode(kind, name, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

enum err
cert_find(struct store *st, enum cert_kind kind, struct bytes name,
    struct cert *out, char why[CHANGE_WHY_OCTETS])
{
	enum err rc = cert_read(st, kind, name, out);

	if (rc == ERR_NOT_FOUND)
		rc = refuse(kind, name,
		    kind == CERT_DEVICE
			? "there is no such certificate"
			: "there is no such certificate authority",
		    why);
	return rc;
}

enum err
cert_read_ca(struct store *st, struct bytes name, struct cert *out)
{
	enum err rc = cert_read(st, CERT_LOCAL_CA, name, out);

	if (rc == ERR_NOT_FOUND)
		rc = cert_read(st, CERT_KNOWN_CA, name, out);
	return rc;
}

struct walk {
	enum cert_kind kind;
	cert_fn *each;
	void *ctx;
};

static enum err
walk_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;
	struct cert cert;
	enum err rc = OK;

	TRY(decode(walk->kind, key, value, &cert));
	rc = walk->each(walk->ctx, &cert);
	cert_clear(&cert);
out:
	return rc;
}

enum err
cert_each(struct store *st, enum cert_kind kind, cert_fn *each, void *ctx)
{
	struct walk walk = {kind, each, ctx};

	return record_each(st, kinds[kind].record, walk_one, &walk);
}

/* ---- how it stands ---- */

enum cert_state
cert_state_at(const struct pki_facts *facts, int64_t wall_s)
{
	if (wall_s < facts->from_s)
		return CERT_EARLY;
	return wall_s <= facts->until_s ? CERT_ACTIVE : CERT_EXPIRED;
}

enum err
cert_state(const struct cert *cert, int64_t wall_s, enum cert_state *out)
{
	struct pki_facts facts;
	struct arena *a = NULL;
	enum err rc = OK;

	*out = CERT_PENDING;
	if (cert->certificate.octets == 0)
		goto out;
	TRY(arena_new(4 * CERT_DER_MAX_OCTETS, &a));
	TRY(pki_facts(
	    PKI_CERTIFICATE, buf_peek(&cert->certificate), a, &facts));
	*out = cert_state_at(&facts, wall_s);
out:
	arena_free(a);
	return rc;
}

const char *
cert_state_text(enum cert_kind kind, enum cert_state state)
{
	static const char *const texts[] = {
	    [CERT_EARLY] = "Not Yet Valid",
	    [CERT_ACTIVE] = "Active",
	    [CERT_EXPIRED] = "Expired",
	};

	return state == CERT_PENDING ? kinds[kind].pending : texts[state];
}

enum err
cert_ready(struct appliance *appliance, char why[CHANGE_WHY_OCTETS])
{
	enum err rc = appliance->root != NULL
			  ? keystore_check(root_keystore(appliance->root))
			  : ERR_HSM;

	if (rc != OK)
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "keys of certificates cannot be used: %s", err_text(rc));
	return rc;
}

/* ---------------------------------------------------------------------------
 * Installing
 */

/* PEM as it was pasted, or what is wrong with it. */
static enum err
read_pasted(enum cert_kind kind, struct bytes text, struct buf *der,
    char why[CHANGE_WHY_OCTETS])
{
	const char *rule;
	enum err rc = pki_pem_read(PKI_CERTIFICATE, text, der, &rule);

	if (rc == ERR_FIELD)
		(void)snprintf(why, CHANGE_WHY_OCTETS, "%s: %s",
		    kinds[kind].text_field, rule);
	return rc;
}

static enum err
refuse_text(enum cert_kind kind, const char *rule, char why[CHANGE_WHY_OCTETS])
{
	(void)snprintf(
	    why, CHANGE_WHY_OCTETS, "%s: %s", kinds[kind].text_field, rule);
	return ERR_FIELD;
}

static enum err
check_key(
    const struct cert *cert, struct bytes der, char why[CHANGE_WHY_OCTETS])
{
	bool asked = cert->request.octets != 0;
	enum err rc = pki_same_key(PKI_CERTIFICATE, der,
	    asked ? PKI_REQUEST : PKI_CERTIFICATE,
	    buf_peek(asked ? &cert->request : &cert->certificate));

	if (rc == ERR_FIELD)
		rc = refuse_text(cert->kind,
		    "is no certificate for the key of this one", why);
	return rc;
}

static enum err
check_ca(enum cert_kind kind, struct bytes der, char why[CHANGE_WHY_OCTETS])
{
	const char *rule;
	enum err rc = pki_is_ca(der, &rule);

	return rc == ERR_FIELD ? refuse_text(kind, rule, why) : rc;
}

struct signer {
	struct bytes der;
	bool found;
	int64_t days; /* the longest of those that fit */
	const char *self;
};

static enum err
signer_look(void *ctx, const struct cert *ca)
{
	struct signer *signer = ctx;
	struct pki_facts facts;
	struct arena *a = NULL;
	int64_t days;
	enum err rc = OK;

	if (ca->certificate.octets == 0 || strcmp(ca->name, signer->self) == 0)
		return OK;
	rc = pki_signed_by(signer->der, buf_peek(&ca->certificate));
	if (rc == ERR_FIELD)
		return OK;
	TRY(rc);
	TRY(arena_new(4 * CERT_DER_MAX_OCTETS, &a));
	TRY(pki_facts(PKI_CERTIFICATE, buf_peek(&ca->certificate), a, &facts));
	days = (facts.until_s - facts.from_s) / (24 * 3600);
	signer->found = true;
	if (days > signer->days)
		signer->days = days;
out:
	arena_free(a);
	return rc;
}

/* req: KS-03-101 KS-03-105 KS-03-106 KS-35-043 KS-35-047 KS-35-048 */
static enum err
check_intermediate(struct change *change, struct cert *cert, struct bytes der,
    int64_t most_days)
{
	struct store *st = change->appliance->store;
	struct signer signer = {.der = der, .self = cert->name};
	enum err rc = OK;

	TRY(check_ca(cert->kind, der, change->why));
	TRY(cert_each(st, CERT_LOCAL_CA, signer_look, &signer));
	TRY(cert_each(st, CERT_KNOWN_CA, signer_look, &signer));
	if (!signer.found)
		TRY(refuse_text(cert->kind,
		    "is signed by none of the local and known CAs",
		    change->why));
	if (most_days < 1 || most_days > signer.days) {
		(void)snprintf(change->why, sizeof(change->why),
		    "Maximum User Certificate Duration (days): %lld: 1 to "
		    "%lld, the duration of the CA that has signed it",
		    (long long)most_days, (long long)signer.days);
		TRY(ERR_FIELD);
	}
	cert->most_days = most_days;
out:
	return rc;
}

enum err
cert_install(struct change *change, enum cert_kind kind, struct bytes name,
    struct bytes text, int64_t most_days)
{
	struct store *st = change->appliance->store;
	struct cert cert = {.most_days = 0};
	struct buf der;
	enum err rc = OK;

	buf_init(&der, CERT_DER_MAX_OCTETS);
	(void)snprintf(change->event, sizeof(change->event),
	    "%s %.*s installed", kinds[kind].word, (int)name.octets,
	    (const char *)name.at);
	TRY(cert_ready(change->appliance, change->why));
	TRY(cert_find(st, kind, name, &cert, change->why));
	TRY(read_pasted(kind, text, &der, change->why));
	TRY(check_key(&cert, buf_peek(&der), change->why));
	if (kind == CERT_LOCAL_CA)
		TRY(check_intermediate(
		    change, &cert, buf_peek(&der), most_days));
	buf_reset(&cert.certificate);
	TRY(buf_put(&cert.certificate, buf_peek(&der)));
	TRY(cert_write(st, &cert));
out:
	cert_clear(&cert);
	buf_clear(&der);
	return rc;
}

enum err
cert_install_known(struct change *change, struct bytes name, struct bytes text)
{
	struct store *st = change->appliance->store;
	struct cert cert;
	enum err rc = OK;

	cert_init(&cert, CERT_KNOWN_CA, name);
	(void)snprintf(change->event, sizeof(change->event),
	    "Known CA %s installed", cert.name);
	TRY(cert_check_new(st, CERT_KNOWN_CA, name, change->why));
	TRY(read_pasted(CERT_KNOWN_CA, text, &cert.certificate, change->why));
	TRY(check_ca(CERT_KNOWN_CA, buf_peek(&cert.certificate), change->why));
	TRY(cert_write(st, &cert));
out:
	cert_clear(&cert);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Deleting
 */

static enum err
check_unused(struct change *change, enum cert_kind kind, struct bytes name)
{
	const char *setting = ca_setting_with(
	    change->appliance->settings, kinds[kind].setting, name);
	char rule[CHANGE_WHY_OCTETS];
	struct buf profile;
	unsigned server = 0;
	enum err rc = OK;

	buf_init(&profile, CERT_NAME_OCTETS);
	if (setting != NULL) {
		(void)snprintf(
		    rule, sizeof(rule), "the setting \"%s\" has it", setting);
		TRY(refuse(kind, name, rule, change->why));
	}
	if (kind == CERT_DEVICE)
		TRY(key_server_with(change->appliance->store,
		    KEY_SERVER_CERTIFICATE, name, &server));
	if (server != 0) {
		(void)snprintf(
		    rule, sizeof(rule), "key server %u has it", server);
		TRY(refuse(kind, name, rule, change->why));
	}
	if (kind != CERT_DEVICE)
		TRY(ca_profile_with(change->appliance->store, name, &profile));
	if (profile.octets != 0) {
		(void)snprintf(rule, sizeof(rule),
		    "the Trusted CA List profile %.*s has it",
		    (int)profile.octets, (const char *)profile.at);
		TRY(refuse(kind, name, rule, change->why));
	}
out:
	buf_clear(&profile);
	return rc;
}

enum err
cert_delete(struct change *change, enum cert_kind kind, struct bytes name)
{
	struct store *st = change->appliance->store;
	struct cert cert = {.most_days = 0};
	enum err rc = OK;

	(void)snprintf(change->event, sizeof(change->event), "%s %.*s deleted",
	    kinds[kind].word, (int)name.octets, (const char *)name.at);
	if (kind != CERT_KNOWN_CA)
		TRY(cert_ready(change->appliance, change->why));
	TRY(cert_find(st, kind, name, &cert, change->why));
	TRY(check_unused(change, kind, name));
	TRY(record_delete(st, kinds[kind].record, name));
	if (kind == CERT_LOCAL_CA)
		TRY(ca_issued_delete_all(st, name));
out:
	cert_clear(&cert);
	return rc;
}
