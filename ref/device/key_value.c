#include "device/key_value.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/keyblock.h"
#include "crypto/pki.h"
#include "wire/ttlv.h"

enum { TEXT_MAX_OCTETS = 2 * OBJECT_VALUE_MAX_OCTETS };

/* ---- octets ---- */

enum err
key_octets_new(struct key_call *call, const struct key_algorithm *algorithm,
    const struct keygen_pair *pair, struct key_octets *out)
{
	struct secret *key = NULL;
	struct fault f = {{0}};
	enum err rc = OK;

	*out = (struct key_octets){0};
	if (algorithm->family == FAMILY_RSA) {
		/* made beforehand, of the size that was asked for */
		if (pair == NULL || pair->private_key == NULL ||
		    pair->algorithm != algorithm->algorithm ||
		    pair->key_bits != algorithm->key_bits)
			return ERR_CRYPTO;
		out->object_type = OBJECT_TYPE_PRIVATE_KEY;
		out->format = KEY_FORMAT_TYPE_PKCS_1;
		return arena_copy(
		    call->arena, secret_peek(pair->private_key), &out->octets);
	}
	TRY(keygen_symmetric(call->appliance->env, algorithm->algorithm,
	    algorithm->key_bits, &f, &key));
	out->object_type = OBJECT_TYPE_SYMMETRIC_KEY;
	out->format = KEY_FORMAT_TYPE_RAW;
	TRY(arena_copy(call->arena, secret_peek(key), &out->octets));
out:
	secret_free(key);
	return rc;
}

static enum err
rsa_parts(struct bytes pkcs_1, struct keyparts *parts)
{
	struct fault f = {{0}};

	return keyformat_read(KEY_FORMAT_TYPE_PKCS_1, true, pkcs_1, parts, &f);
}

/* SHA-1 of a key, or of RSA's SubjectPublicKeyInfo; in the arena. */
static enum err
fingerprint_of(
    struct arena *a, const struct key_octets *octets, struct bytes *out)
{
	uint8_t digest[DIGEST_MAX_OCTETS];
	struct bytes in = octets->octets;
	struct keyparts parts;
	struct fault f = {{0}};
	size_t length;
	enum err rc = OK;

	if (octets->object_type == OBJECT_TYPE_PRIVATE_KEY) {
		TRY(rsa_parts(octets->octets, &parts));
		TRY(keyformat_write(
		    KEY_FORMAT_TYPE_X_509, false, &parts, a, &in, &f));
	}
	TRY(digest_make(HASHING_ALGORITHM_SHA_1, in, digest, &length));
	TRY(arena_copy(a, (struct bytes){digest, length}, out));
out:
	return rc;
}

/* req: KS-28-037 KS-28-039 */
enum err
key_card_fill(struct key_call *call, struct arena *a,
    const struct key_octets *octets, const struct key_algorithm *algorithm,
    struct card *card)
{
	struct env *env = call->appliance->env;
	uint8_t iv[CARD_IV_MOST_OCTETS];
	enum err rc = OK;

	card->created_s = env_wall_s(env);
	card->iv = BYTES_NONE;
	if (algorithm != NULL && algorithm->iv_octets != 0) {
		TRY(env_random_public(env, iv, algorithm->iv_octets));
		TRY(arena_copy(
		    a, (struct bytes){iv, algorithm->iv_octets}, &card->iv));
	}
	TRY(fingerprint_of(a, octets, &card->fingerprint));
out:
	return rc;
}

/* ---- values ---- */

enum err
key_value_set(struct key_call *call, struct object *o,
    const struct key_octets *octets, uint32_t algorithm, uint32_t key_bits)
{
	enum tag tag = octets->object_type == OBJECT_TYPE_PRIVATE_KEY
			   ? TAG_PRIVATE_KEY
			   : TAG_SYMMETRIC_KEY;
	uint64_t version = o->value_version + 1;
	struct bytes sealed;
	struct item *value;
	struct buf encoded;
	enum err rc = OK;

	buf_init(&encoded, OBJECT_VALUE_MAX_OCTETS);
	if (call->keystore == NULL)
		TRY(ERR_HSM);
	TRY(keyblock_make(call->arena, tag, octets->format, algorithm, key_bits,
	    octets->octets, &value));
	TRY(ttlv_write(value, &encoded));
	TRY(keystore_seal(call->keystore, call->loan, o->id, version,
	    buf_peek(&encoded), call->arena, &sealed));
	TRY(object_set_value(o, sealed, true));
	o->value_version = version;
out:
	buf_clear(&encoded);
	return rc;
}

/* The private key's numbers, in whichever format it is kept. */
static enum err
open_rsa(
    struct key_call *call, const struct item *block, struct key_octets *out)
{
	struct keyparts parts;
	struct fault f = {{0}};
	enum err rc = OK;

	out->format = KEY_FORMAT_TYPE_PKCS_1;
	if (item_number(block, TAG_KEY_FORMAT_TYPE, 0) ==
	    KEY_FORMAT_TYPE_PKCS_1) {
		const struct item *material = keyblock_material(block);

		if (material == NULL || material->type != BYTE_STRING)
			return ERR_KEY_FORMAT;
		out->octets = material->octets;
		return OK;
	}
	TRY(keyblock_parts(OBJECT_TYPE_PRIVATE_KEY, block, &parts, &f));
	if (parts.algorithm != CRYPTOGRAPHIC_ALGORITHM_RSA)
		TRY(ERR_KEY_FORMAT);
	TRY(keyformat_write(KEY_FORMAT_TYPE_PKCS_1, true, &parts, call->arena,
	    &out->octets, &f));
out:
	return rc;
}

static enum err
open_symmetric(const struct item *block, struct key_octets *out)
{
	const struct item *material = keyblock_material(block);
	int64_t format = item_number(block, TAG_KEY_FORMAT_TYPE, 0);

	if (material == NULL ||
	    (format != KEY_FORMAT_TYPE_RAW &&
		format != KEY_FORMAT_TYPE_TRANSPARENT_SYMMETRIC_KEY))
		return ERR_KEY_FORMAT;
	out->format = KEY_FORMAT_TYPE_RAW;
	out->octets = keyblock_symmetric(material);
	return OK;
}

enum err
key_value_open(
    struct key_call *call, const struct object *o, struct key_octets *out)
{
	struct bytes plain;
	struct item *value;
	const struct item *block;
	enum err rc = OK;

	*out = (struct key_octets){.object_type = o->object_type};
	if (o->value.octets == 0)
		TRY(ERR_KEY_VALUE);
	if ((o->object_type != OBJECT_TYPE_SYMMETRIC_KEY &&
		o->object_type != OBJECT_TYPE_PRIVATE_KEY) ||
	    !o->value_sealed)
		TRY(ERR_KEY_FORMAT);
	if (call->keystore == NULL)
		TRY(ERR_HSM);
	TRY(keystore_open(call->keystore, call->loan, o->id, o->value_version,
	    o->value, call->arena, &plain));
	TRY(ttlv_parse(call->arena, plain, &value));
	block = item_find(value, TAG_KEY_BLOCK);
	if (block == NULL)
		TRY(ERR_KEY_FORMAT);
	TRY(o->object_type == OBJECT_TYPE_PRIVATE_KEY
		? open_rsa(call, block, out)
		: open_symmetric(block, out));
out:
	return rc;
}

/* ---- versions ---- */

enum err
key_version_id(
    struct arena *a, struct bytes id, uint32_t number, struct bytes *out)
{
	const char *text;
	enum err rc = OK;

	TRY(arena_printf(
	    a, &text, "%.*s.%u", (int)id.octets, (const char *)id.at, number));
	*out = bytes_of_text(text);
out:
	return rc;
}

/* The object that holds a version's bytes; 0: the default one. */
static enum err
version_object(struct key_call *call, const struct object *key, uint32_t number,
    const struct object **out)
{
	uint32_t newest = key_versions(key);
	struct bytes id;
	enum err rc = OK;

	*out = key;
	if (number == 0 || number == newest)
		return OK;
	if (newest == 0)
		return ERR_NOT_VERSIONED;
	if (number > newest)
		return ERR_KEY_VERSION;
	TRY(key_version_id(call->arena, key->id, number, &id));
	rc = store_find(call->appliance->store, id, out);
	/* a key without one of its versions is damaged */
	TRY(rc == ERR_NOT_FOUND ? ERR_STORE : rc);
out:
	return rc;
}

enum err
key_version_info(struct key_call *call, const struct object *key,
    uint32_t number, struct key_version *out)
{
	const struct object *o;
	const struct card *card;
	struct key_octets octets;
	enum err rc = OK;

	*out = (struct key_version){.state = CARD_ACTIVE};
	TRY(version_object(call, key, number, &o));
	card = o->card;
	out->number = number != 0 ? number : key_versions(key);
	out->unique_id = key->id;
	if (out->number != 0)
		TRY(key_version_id(
		    call->arena, key->id, out->number, &out->unique_id));
	if (card != NULL) {
		out->state = card->state;
		out->created_s = card->created_s;
		out->iv = card->iv;
		out->fingerprint = card->fingerprint;
	}
	if (out->created_s == 0)
		out->created_s = attr_number(&o->attrs, TAG_INITIAL_DATE, 0);
	if (out->fingerprint.octets != 0 || o->value.octets == 0)
		return OK;
	/* made by KMIP, which has no such thing */
	rc = key_value_open(call, o, &octets);
	if (rc == ERR_KEY_FORMAT)
		return OK;
	TRY(rc);
	TRY(fingerprint_of(call->arena, &octets, &out->fingerprint));
out:
	return rc;
}

enum err
key_bytes(struct key_call *call, const struct object *key, uint32_t number,
    struct key_material *out)
{
	const struct object *o;
	struct key_octets octets;
	enum err rc = OK;

	*out = (struct key_material){.state = CARD_ACTIVE};
	TRY(version_object(call, key, number, &o));
	TRY(key_value_open(call, o, &octets));
	out->octets = octets.octets;
	out->algorithm =
	    (uint32_t)attr_number(&key->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0);
	out->key_bits =
	    (uint32_t)attr_number(&key->attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0);
	out->version = number != 0 ? number : key_versions(key);
	if (o->card != NULL) {
		out->state = o->card->state;
		out->iv = o->card->iv;
	}
out:
	return rc;
}

/* ---- as text ---- */

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err
key_hex_read(struct arena *a, struct bytes text, struct bytes *out)
{
	uint8_t *octets;
	size_t k;
	enum err rc = OK;

	if (text.octets % 2 != 0)
		return ERR_VALUE;
	TRY(ARENA_ARRAY(a, octets, text.octets / 2 + 1));
	for (k = 0; k < text.octets / 2; k++) {
		int high = hex_digit(text.at[2 * k]);
		int low = hex_digit(text.at[2 * k + 1]);

		if (high < 0 || low < 0)
			TRY(ERR_VALUE);
		octets[k] = (uint8_t)(high << 4 | low);
	}
	*out = (struct bytes){octets, text.octets / 2};
out:
	return rc;
}

enum err
key_hex_text(struct arena *a, struct bytes octets, struct bytes *out)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t *text;
	size_t k;
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, text, 2 * octets.octets));
	for (k = 0; k < octets.octets; k++) {
		text[2 * k] = (uint8_t)digits[octets.at[k] >> 4];
		text[2 * k + 1] = (uint8_t)digits[octets.at[k] & 15];
	}
	*out = (struct bytes){text, 2 * octets.octets};
out:
	return rc;
}

static enum err
pem_text(
    struct arena *a, enum pki_pem kind, struct bytes der, struct bytes *out)
{
	struct buf text;
	enum err rc = OK;

	buf_init(&text, TEXT_MAX_OCTETS);
	TRY(pki_pem_write(kind, der, &text));
	TRY(arena_copy(a, buf_peek(&text), out));
out:
	buf_clear(&text);
	return rc;
}

enum err
key_text(struct key_call *call, const struct object *key, uint32_t number,
    struct bytes *out)
{
	struct key_material material;
	enum err rc = OK;

	TRY(key_bytes(call, key, number, &material));
	TRY(key->object_type == OBJECT_TYPE_PRIVATE_KEY
		? pem_text(call->arena, PKI_RSA_PRIVATE, material.octets, out)
		: key_hex_text(call->arena, material.octets, out));
out:
	return rc;
}

/* req: KS-28-307 */
enum err
key_public_text(struct key_call *call, const struct object *key,
    uint32_t number, struct bytes *out)
{
	struct key_material material;
	struct keyparts parts;
	struct fault f = {{0}};
	struct bytes der;
	enum err rc = OK;

	if (key->object_type != OBJECT_TYPE_PRIVATE_KEY)
		TRY(ERR_KEY_FORMAT);
	TRY(key_bytes(call, key, number, &material));
	TRY(rsa_parts(material.octets, &parts));
	TRY(keyformat_write(
	    KEY_FORMAT_TYPE_PKCS_1, false, &parts, call->arena, &der, &f));
	TRY(pem_text(call->arena, PKI_RSA_PUBLIC, der, out));
out:
	return rc;
}
