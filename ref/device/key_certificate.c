/*
 * Certificates that are imported as keys: device/key.h.
 */
#include "crypto/bundle.h"
#include "crypto/keyformat.h"
#include "crypto/x509.h"
#include "device/birth.h"
#include "device/key.h"
#include "device/key_work.h"
#include "wire/ttlv.h"

static const char text_field[] = "Certificate";

/* "U.cn", in the arena. */
static enum err
certificate_id(
    struct arena *a, struct bytes key_id, unsigned n, struct bytes *out)
{
	const char *text;
	enum err rc = OK;

	TRY(arena_printf(a, &text, "%.*s.c%u", (int)key_id.octets,
	    (const char *)key_id.at, n));
	*out = bytes_of_text(text);
out:
	return rc;
}

/* ERR_NOT_FOUND */
static enum err
certificate_object(struct key_call *call, const struct object *key, unsigned n,
    const struct object **out)
{
	struct bytes id;
	enum err rc = OK;

	if (key->object_type != OBJECT_TYPE_PRIVATE_KEY)
		TRY(ERR_NOT_FOUND);
	TRY(certificate_id(call->arena, key->id, n, &id));
	TRY(store_find(call->appliance->store, id, out));
out:
	return rc;
}

bool
key_is_certified(struct key_call *call, const struct object *key)
{
	const struct object *o;

	return certificate_object(call, key, 1, &o) == OK;
}

enum err
key_certificate(struct key_call *call, const struct object *key, unsigned n,
    struct bytes *out)
{
	const struct object *o;
	struct item *value;
	enum err rc = OK;

	*out = BYTES_NONE;
	TRY(certificate_object(call, key, n, &o));
	if (o->value.octets == 0)
		TRY(ERR_NOT_FOUND);
	TRY(ttlv_parse(call->arena, o->value, &value));
	*out = item_octets(value, TAG_CERTIFICATE_VALUE);
out:
	return rc;
}

/* ---- making them ---- */

static enum err
learn(struct key_call *call, struct object *o, struct bytes der)
{
	struct attr_list *attrs = &o->attrs;
	struct x509_facts facts;
	enum err rc = OK;

	TRY(x509_read(call->arena, der, &facts));
	TRY(attr_add_number(
	    o->arena, attrs, TAG_CERTIFICATE_TYPE, CERTIFICATE_TYPE_X_509));
	TRY(attr_add_number(
	    o->arena, attrs, TAG_CERTIFICATE_LENGTH, (int64_t)der.octets));
	TRY(attr_add_number(
	    o->arena, attrs, TAG_KEY_FORMAT_TYPE, KEY_FORMAT_TYPE_RAW));
	if (facts.signature_algorithm != 0)
		TRY(attr_add_number(o->arena, attrs,
		    TAG_DIGITAL_SIGNATURE_ALGORITHM,
		    facts.signature_algorithm));
	if (facts.key_algorithm != 0)
		TRY(attr_add_number(o->arena, attrs,
		    TAG_CRYPTOGRAPHIC_ALGORITHM, facts.key_algorithm));
	if (facts.key_bits != 0)
		TRY(attr_add_number(
		    o->arena, attrs, TAG_CRYPTOGRAPHIC_LENGTH, facts.key_bits));
	TRY(birth_add_certificate(o, &facts));
	TRY(birth_add_digest(o, der, KEY_FORMAT_TYPE_RAW));
out:
	return rc;
}

static enum err
set_value(struct key_call *call, struct object *o, struct bytes der)
{
	struct item *value;
	struct buf encoded;
	enum err rc = OK;

	buf_init(&encoded, OBJECT_VALUE_MAX_OCTETS);
	TRY(item_add_structure(call->arena, NULL, TAG_CERTIFICATE, &value));
	TRY(item_add_number(call->arena, value, TAG_CERTIFICATE_TYPE,
	    ENUMERATION, CERTIFICATE_TYPE_X_509));
	TRY(item_add_octets(
	    call->arena, value, TAG_CERTIFICATE_VALUE, BYTE_STRING, der));
	TRY(ttlv_write(value, &encoded));
	TRY(object_set_value(o, buf_peek(&encoded), false));
out:
	buf_clear(&encoded);
	return rc;
}

/* Number n of `count`, linked with the one before and the one behind it. */
static enum err
put_certificate(struct key_call *call, const struct object *key, unsigned n,
    size_t count, struct bytes der)
{
	int64_t now_s = env_wall_s(call->appliance->env);
	struct object *o = NULL;
	struct object *take;
	struct bytes id;
	enum err rc = OK;

	TRY(certificate_id(call->arena, key->id, n, &id));
	TRY(object_new_as(
	    call->appliance->env, id, OBJECT_TYPE_CERTIFICATE, key->owner, &o));
	TRY(learn(call, o, der));
	if (n == 1)
		TRY(birth_add_link(o, LINK_TYPE_PRIVATE_KEY_LINK, key->id));
	if (n < count) {
		TRY(certificate_id(call->arena, key->id, n + 1, &id));
		TRY(birth_add_link(o, LINK_TYPE_CERTIFICATE_LINK, id));
	}
	TRY(set_value(call, o, der));
	TRY(birth_complete(o, 0, now_s, false));
	TRY(object_set_state(o, STATE_ACTIVE, now_s));
	TRY(key_card_need(o));
	o->card->deletable = key->card == NULL || key->card->deletable;
	take = o;
	o = NULL;
	TRY(store_insert(call->appliance->store, take));
out:
	object_free(o);
	return rc;
}

/* The link of a key that is not stored yet. */
static enum err
link_key(struct key_call *call, struct object *key)
{
	struct bytes id;
	enum err rc = OK;

	TRY(certificate_id(call->arena, key->id, 1, &id));
	TRY(birth_add_link(key, LINK_TYPE_CERTIFICATE_LINK, id));
out:
	return rc;
}

enum err
key_certificates_copy(
    struct key_call *call, const struct object *from, struct object *to)
{
	struct bytes der[BUNDLE_CHAIN_MOST];
	size_t count = 0;
	unsigned n;
	enum err rc = OK;

	while (count < BUNDLE_CHAIN_MOST) {
		rc = key_certificate(
		    call, from, (unsigned)count + 1, &der[count]);
		if (rc == ERR_NOT_FOUND)
			break;
		TRY(rc);
		count++;
	}
	rc = OK;
	if (count == 0)
		goto out;
	TRY(link_key(call, to));
	for (n = 1; n <= count; n++)
		TRY(put_certificate(call, to, n, count, der[n - 1]));
out:
	return rc;
}

/* ---- importing ---- */

static enum err
read_key(struct key_call *call, const struct bundle *bundle,
    struct key_octets *out, uint32_t *key_bits)
{
	struct keyparts parts;
	struct fault f = {{0}};
	enum err rc = OK;

	*out = (struct key_octets){.object_type = OBJECT_TYPE_PRIVATE_KEY,
	    .format = KEY_FORMAT_TYPE_PKCS_1};
	TRY(keyformat_read(KEY_FORMAT_TYPE_PKCS_8, true,
	    secret_peek(bundle->key), &parts, &f));
	TRY(keyformat_write(KEY_FORMAT_TYPE_PKCS_1, true, &parts, call->arena,
	    &out->octets, &f));
	*key_bits = parts.key_bits;
out:
	return rc;
}

static enum err
insert_all(
    struct key_call *call, struct object **key, const struct bundle *bundle)
{
	struct object *take;
	unsigned n;
	enum err rc = OK;

	TRY(link_key(call, *key));
	for (n = 1; n <= bundle->count; n++)
		TRY(put_certificate(call, *key, n, bundle->count,
		    buf_peek(&bundle->certificate[n - 1])));
	take = *key;
	*key = NULL;
	TRY(store_insert(call->appliance->store, take));
out:
	return rc;
}

enum err
key_import_certificate(struct key_call *call, const struct key_spec *spec,
    uint32_t key_bits, const struct bundle *bundle, const struct object **out)
{
	struct store *st = call->appliance->store;
	struct key_spec real = *spec;
	struct key_octets octets;
	struct object *key = NULL;
	struct bytes id;
	uint32_t bits;
	enum err rc = OK;

	if (out != NULL)
		*out = NULL;
	TRY(read_key(call, bundle, &octets, &bits));
	real.algorithm = key_algorithm_of(CRYPTOGRAPHIC_ALGORITHM_RSA, bits);
	real.certified = true;
	if (real.algorithm == NULL || (key_bits != 0 && key_bits != bits))
		TRY(key_refuse(call, ERR_KEY_DATA, text_field, BYTES_NONE,
		    "the length of its key is not one of the algorithm's"));
	TRY(key_check(call, &real));
	TRY(key_build(call, &real, &octets, false, &key));
	TRY(arena_copy(call->arena, key->id, &id));
	TRY(store_savepoint(st));
	TRY(store_savepoint_end(st, insert_all(call, &key, bundle)));
	if (out != NULL)
		TRY(store_find(st, id, out));
out:
	object_free(key);
	return rc;
}

/* ---- with their key ---- */

/* Whose they are, and whether they can be deleted, is as of their key. */
static enum err
follow(struct key_call *call, const struct object *key,
    const struct object *certificate)
{
	bool deletable = key->card == NULL || key->card->deletable;
	struct object *o = NULL;
	struct object *take;
	enum err rc = OK;

	if (bytes_equal(certificate->owner, key->owner) &&
	    (certificate->card == NULL || certificate->card->deletable) ==
		deletable)
		return OK;
	TRY(key_edit(call, certificate, &o));
	TRY(key_card_need(o));
	o->card->deletable = deletable;
	TRY(arena_copy(o->arena, key->owner, &o->owner));
	take = o;
	o = NULL;
	TRY(key_put(call, take));
out:
	object_free(o);
	return rc;
}

static enum err
remove_one(struct key_call *call, const struct object *key,
    const struct object *certificate)
{
	(void)key;
	return store_delete(call->appliance->store, certificate->id);
}

/* KMIP clients may have destroyed any of them. */
static enum err
each_certificate(struct key_call *call, const struct object *key,
    enum err (*fn)(struct key_call *call, const struct object *key,
	const struct object *certificate))
{
	const struct object *certificate;
	unsigned n;
	enum err rc = OK;

	for (n = 1; n <= BUNDLE_CHAIN_MOST; n++) {
		rc = certificate_object(call, key, n, &certificate);
		if (rc == OK)
			rc = fn(call, key, certificate);
		TRY(rc == ERR_NOT_FOUND ? OK : rc);
	}
	rc = OK;
out:
	return rc;
}

enum err
key_certificates_follow(struct key_call *call, const struct object *key)
{
	return each_certificate(call, key, follow);
}

enum err
key_certificates_delete(struct key_call *call, const struct object *key)
{
	return each_certificate(call, key, remove_one);
}
