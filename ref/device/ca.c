#include "device/ca.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/fields.h"
#include "device/key_server.h"

static const char profile_kind[] = "ca.profile";
static const char issued_kind[] = "ca.issued";
static const char serial_kind[] = "ca.serial";
static const char serial_key[] = "last";
static const char profile_field[] = "Trusted CA List Profile";
static const char member_field[] = "Certificate Authority";

enum {
	PROFILE_MAX_OCTETS = 64 * 1024,
	SERIAL_DIGITS = 16,
	SERIAL_MAX_OCTETS = 256,
	FIELD_ROOM_OCTETS = 64,
	ISSUED_KEY_OCTETS = CERT_NAME_OCTETS + 1 + SERIAL_DIGITS,
};

static enum err
refuse(const char *field, struct bytes value, const char *rule,
    char why[CHANGE_WHY_OCTETS])
{
	entry_refuse(field, value, rule, why);
	return ERR_FIELD;
}

/* ---------------------------------------------------------------------------
 * Profiles
 */

struct profiles {
	ca_profile_fn *each;
	void *ctx;
	bool told; /* about Default */
};

static enum err
profiles_tell_default(struct profiles *walk)
{
	walk->told = true;
	return walk->each(walk->ctx, bytes_of_text(CA_PROFILE_DEFAULT));
}

static enum err
profiles_one(void *ctx, struct bytes key, struct bytes value)
{
	struct profiles *walk = ctx;
	int order = bytes_compare(key, bytes_of_text(CA_PROFILE_DEFAULT));
	enum err rc = OK;

	(void)value;
	if (!walk->told && order >= 0)
		TRY(profiles_tell_default(walk));
	if (order != 0)
		TRY(walk->each(walk->ctx, key));
out:
	return rc;
}

enum err
ca_profile_each(struct store *st, ca_profile_fn *each, void *ctx)
{
	struct profiles walk = {.each = each, .ctx = ctx};
	enum err rc = OK;

	TRY(record_each(st, profile_kind, profiles_one, &walk));
	if (!walk.told)
		TRY(profiles_tell_default(&walk));
out:
	return rc;
}

/* The record's value. Default has one even where it has no record. */
static enum err
profile_read(struct store *st, struct bytes profile, struct buf *value)
{
	char why[CHANGE_WHY_OCTETS];
	enum err rc;

	/* one kind of name for all of them */
	if (cert_check_name(CERT_KNOWN_CA, profile, why) != OK)
		return ERR_NOT_FOUND;
	rc = record_get(st, profile_kind, profile, value);
	if (rc == ERR_NOT_FOUND &&
	    bytes_equal_text(profile, CA_PROFILE_DEFAULT))
		rc = OK;
	return rc;
}

/* The next member of a record's value. ERR_NOT_FOUND: there is none left */
static enum err
member_next(struct bytes *value, struct bytes *member)
{
	struct field field;
	enum err rc;

	do {
		rc = fields_next(value, &field);
	} while (rc == OK && !bytes_equal_text(field.name, "member"));
	if (rc == OK)
		*member = field.value;
	return rc;
}

static enum err
damaged(struct bytes profile, enum err rc)
{
	log_line("device", LOG_ERROR,
	    "the Trusted CA List profile %.*s cannot be read: %s",
	    (int)profile.octets, (const char *)profile.at, err_text(rc));
	return ERR_STORE;
}

enum err
ca_profile_members(
    struct store *st, struct bytes profile, cert_fn *each, void *ctx)
{
	struct cert ca = {.most_days = 0};
	struct buf value;
	struct bytes left, member;
	enum err rc = OK;

	buf_init(&value, PROFILE_MAX_OCTETS);
	TRY(profile_read(st, profile, &value));
	left = buf_peek(&value);
	while ((rc = member_next(&left, &member)) == OK) {
		rc = cert_read_ca(st, member, &ca);
		if (rc == ERR_NOT_FOUND)
			TRY(damaged(profile, rc));
		TRY(rc);
		rc = each(ctx, &ca);
		cert_clear(&ca);
		TRY(rc);
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
	else
		rc = damaged(profile, rc);
out:
	buf_clear(&value);
	return rc;
}

enum err
ca_profile_create(struct change *change, struct bytes profile)
{
	struct store *st = change->appliance->store;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, PROFILE_MAX_OCTETS);
	(void)snprintf(change->event, sizeof(change->event),
	    "Trusted CA List profile %.*s created", (int)profile.octets,
	    (const char *)profile.at);
	TRY(cert_check_name(CERT_KNOWN_CA, profile, change->why));
	rc = profile_read(st, profile, &value);
	if (rc == OK)
		rc = refuse(profile_field, profile,
		    "there is one of this name already", change->why);
	else if (rc == ERR_NOT_FOUND)
		rc = record_put(st, profile_kind, profile, BYTES_NONE);
out:
	buf_clear(&value);
	return rc;
}

/* As the value is without, or with one more, in the order of names. */
struct edit {
	struct bytes ca;
	bool adds;
	bool had; /* it was in it */
};

static enum err
edit_copy(struct bytes value, struct edit *edit, struct buf *out)
{
	bool placed = !edit->adds;
	struct bytes member;
	enum err rc = OK;

	while ((rc = member_next(&value, &member)) == OK) {
		int order = bytes_compare(edit->ca, member);

		edit->had = edit->had || order == 0;
		if (!placed && order < 0) {
			TRY(fields_put(out, "member", edit->ca));
			placed = true;
		}
		if (order != 0)
			TRY(fields_put(out, "member", member));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
	TRY(rc);
	if (!placed)
		TRY(fields_put(out, "member", edit->ca));
out:
	return rc;
}

static enum err
profile_edit(struct change *change, struct bytes profile, struct edit *edit)
{
	struct store *st = change->appliance->store;
	struct buf before, after;
	enum err rc = OK;

	buf_init(&before, PROFILE_MAX_OCTETS);
	buf_init(&after, PROFILE_MAX_OCTETS);
	(void)snprintf(change->event, sizeof(change->event),
	    "Trusted CA List profile %.*s: %.*s %s", (int)profile.octets,
	    (const char *)profile.at, (int)edit->ca.octets,
	    (const char *)edit->ca.at, edit->adds ? "added" : "removed");
	rc = profile_read(st, profile, &before);
	if (rc == ERR_NOT_FOUND)
		rc = refuse(profile_field, profile, "there is no such profile",
		    change->why);
	TRY(rc);
	rc = edit_copy(buf_peek(&before), edit, &after);
	if (rc == ERR_LIMIT)
		rc = refuse(profile_field, profile,
		    "there is no room for another CA in it", change->why);
	else if (rc != OK && rc != ERR_NOMEM)
		rc = damaged(profile, rc);
	TRY(rc);
	if (edit->had == edit->adds)
		TRY(refuse(member_field, edit->ca,
		    edit->adds ? "is in this profile already"
			       : "is not in this profile",
		    change->why));
	TRY(record_put(st, profile_kind, profile, buf_peek(&after)));
out:
	buf_clear(&before);
	buf_clear(&after);
	return rc;
}

/* req: KS-35-017 ESKM-084 */
enum err
ca_profile_add(struct change *change, struct bytes profile, struct bytes name)
{
	struct edit edit = {.ca = name, .adds = true};
	struct cert ca = {.most_days = 0};
	enum err rc = OK;

	rc = cert_read_ca(change->appliance->store, name, &ca);
	if (rc == ERR_NOT_FOUND)
		rc = refuse(member_field, name,
		    "is neither a local nor a known CA", change->why);
	TRY(rc);
	if (ca.certificate.octets == 0)
		TRY(refuse(member_field, name, "is not active", change->why));
	TRY(profile_edit(change, profile, &edit));
out:
	cert_clear(&ca);
	return rc;
}

enum err
ca_profile_remove(struct change *change, struct bytes profile, struct bytes ca)
{
	struct edit edit = {.ca = ca, .adds = false};

	return profile_edit(change, profile, &edit);
}

enum err
ca_profile_delete(struct change *change, struct bytes profile)
{
	struct appliance *appliance = change->appliance;
	char rule[CHANGE_WHY_OCTETS];
	const char *setting =
	    ca_setting_with(appliance->settings, TEXT_PROFILE, profile);
	unsigned server;
	enum err rc = OK;

	(void)snprintf(change->event, sizeof(change->event),
	    "Trusted CA List profile %.*s deleted", (int)profile.octets,
	    (const char *)profile.at);
	/* req: KS-35-015 */
	if (bytes_equal_text(profile, CA_PROFILE_DEFAULT))
		TRY(refuse(
		    profile_field, profile, "this one stays", change->why));
	if (setting != NULL) {
		(void)snprintf(
		    rule, sizeof(rule), "the setting \"%s\" has it", setting);
		TRY(refuse(profile_field, profile, rule, change->why));
	}
	TRY(key_server_with(
	    appliance->store, KEY_SERVER_TRUST, profile, &server));
	if (server != 0) {
		(void)snprintf(
		    rule, sizeof(rule), "key server %u has it", server);
		TRY(refuse(profile_field, profile, rule, change->why));
	}
	rc = record_delete(appliance->store, profile_kind, profile);
	if (rc == ERR_NOT_FOUND)
		rc = refuse(profile_field, profile, "there is no such profile",
		    change->why);
out:
	return rc;
}

struct seek {
	struct bytes ca;
	struct buf *profile;
};

static enum err
seek_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct seek *seek = ctx;
	struct bytes member;
	enum err rc;

	while ((rc = member_next(&value, &member)) == OK) {
		if (bytes_equal(member, seek->ca) && seek->profile->octets == 0)
			TRY(buf_put(seek->profile, key));
	}
	if (rc == ERR_NOT_FOUND)
		return OK;
	rc = damaged(key, rc);
out:
	return rc;
}

enum err
ca_profile_with(struct store *st, struct bytes ca, struct buf *profile)
{
	struct seek seek = {ca, profile};

	return record_each(st, profile_kind, seek_one, &seek);
}

const char *
ca_setting_with(
    const struct settings *settings, enum entry_kind kind, struct bytes name)
{
	enum setting k;

	for (k = 0; k < SETTING_COUNT; k++) {
		const struct setting_row *row = setting_row(k);

		if (row->rule.type == ENTRY_TEXT && row->rule.kind == kind &&
		    bytes_equal_text(name, setting_text(settings, k)))
			return row->name;
	}
	return NULL;
}

/* ---------------------------------------------------------------------------
 * What was signed
 */

static struct bytes
issued_key(struct bytes ca, uint64_t serial, char room[ISSUED_KEY_OCTETS + 1])
{
	(void)snprintf(room, ISSUED_KEY_OCTETS + 1, "%.*s %016llx",
	    (int)ca.octets, (const char *)ca.at, (unsigned long long)serial);
	return bytes_of_text(room);
}

static bool
read_hex(struct bytes digits, uint64_t *out)
{
	size_t k;

	*out = 0;
	for (k = 0; k < digits.octets; k++) {
		uint8_t c = digits.at[k];

		if (c >= '0' && c <= '9')
			*out = *out << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*out = *out << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return digits.octets == SERIAL_DIGITS;
}

/* Is it one of this CA's? */
static bool
issued_of(struct bytes key, struct bytes ca, uint64_t *serial)
{
	struct bytes head;

	return bytes_split(&key, ca.octets, &head) == OK &&
	       bytes_equal(head, ca) && bytes_split(&key, 1, &head) == OK &&
	       head.at[0] == ' ' && read_hex(key, serial);
}

struct issued {
	struct store *st;
	struct bytes ca;
	ca_issued_fn *each;
	void *ctx;
};

static enum err
issued_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct issued *walk = ctx;
	struct ca_issued issued;
	enum err rc = OK;

	if (!issued_of(key, walk->ca, &issued.serial))
		return OK;
	if (fields_find(value, "certificate", &issued.certificate) != OK) {
		log_line("device", LOG_ERROR, "%.*s: cannot be read",
		    (int)key.octets, (const char *)key.at);
		TRY(ERR_STORE);
	}
	TRY(walk->each(walk->ctx, &issued));
out:
	return rc;
}

enum err
ca_issued_each(struct store *st, struct bytes ca, ca_issued_fn *each, void *ctx)
{
	struct issued walk = {st, ca, each, ctx};

	return record_each(st, issued_kind, issued_one, &walk);
}

static enum err
issued_delete_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct issued *walk = ctx;
	uint64_t serial;

	(void)value;
	return issued_of(key, walk->ca, &serial)
		   ? record_delete(walk->st, issued_kind, key)
		   : OK;
}

enum err
ca_issued_delete_all(struct store *st, struct bytes ca)
{
	struct issued walk = {.st = st, .ca = ca};

	return record_each(st, issued_kind, issued_delete_one, &walk);
}

/* Two may be signed at once, and kept in either order. */
static enum err
serial_raise(struct store *st, uint64_t serial)
{
	struct buf value;
	uint64_t last;
	enum err rc = OK;

	buf_init(&value, SERIAL_MAX_OCTETS);
	TRY(ca_serial_last(st, &last));
	if (last >= serial)
		goto out;
	TRY(fields_put_number(&value, "last", (int64_t)serial));
	TRY(record_put(
	    st, serial_kind, bytes_of_text(serial_key), buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

enum err
ca_issued_add(struct store *st, struct bytes ca, uint64_t serial,
    struct bytes certificate)
{
	char room[ISSUED_KEY_OCTETS + 1];
	struct buf value;
	enum err rc = OK;

	buf_init(&value, CERT_DER_MAX_OCTETS + FIELD_ROOM_OCTETS);
	TRY(fields_put(&value, "certificate", certificate));
	TRY(record_put(
	    st, issued_kind, issued_key(ca, serial, room), buf_peek(&value)));
	TRY(serial_raise(st, serial));
out:
	buf_clear(&value);
	return rc;
}

enum err
ca_serial_last(struct store *st, uint64_t *out)
{
	struct buf value;
	int64_t last = 0;
	enum err rc = OK;

	buf_init(&value, SERIAL_MAX_OCTETS);
	*out = 0;
	rc = record_get(st, serial_kind, bytes_of_text(serial_key), &value);
	if (rc == ERR_NOT_FOUND)
		rc = OK;
	TRY(rc);
	rc = fields_number(buf_peek(&value), "last", &last);
	if (rc != OK || last < 0) {
		log_line("device", LOG_ERROR,
		    "the last serial number cannot be read");
		TRY(ERR_STORE);
	}
	*out = (uint64_t)last;
out:
	buf_clear(&value);
	return rc;
}
