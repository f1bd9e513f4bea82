#include "crypto/keyblock.h"

#include <stddef.h>

/*
 * Key formats: which objects can be in them, and for transparent ones where
 * each number of the Key Material goes.
 *
 * Source: KMIP 1.4 section 2.1.7
 */

static const struct keyblock_format formats[] = {
#define AT(tag, member)                                      \
	{                                                    \
		TAG_##tag, offsetof(struct keyparts, member) \
	}
#define RSA_PRIVATE                                                           \
	{                                                                     \
		AT(MODULUS, modulus), AT(PRIVATE_EXPONENT, private_exponent), \
		    AT(PUBLIC_EXPONENT, public_exponent), AT(P, prime_p),     \
		    AT(Q, prime_q), AT(PRIME_EXPONENT_P, exponent_p),         \
		    AT(PRIME_EXPONENT_Q, exponent_q),                         \
		    AT(CRT_COEFFICIENT, coefficient)                          \
	}
    /* req: KS-AE-008 */
    {KEY_FORMAT_TYPE_RAW, 0, 0, {{0}}},
    /* req: KS-AE-009 */
    {KEY_FORMAT_TYPE_OPAQUE, 0, 0, {{0}}},
    {KEY_FORMAT_TYPE_PKCS_1, 0, 0, {{0}}},
    {KEY_FORMAT_TYPE_PKCS_8, OBJECT_TYPE_PRIVATE_KEY, 0, {{0}}},
    {KEY_FORMAT_TYPE_X_509, 0, 0, {{0}}},
    {KEY_FORMAT_TYPE_ECPRIVATEKEY, OBJECT_TYPE_PRIVATE_KEY, 0, {{0}}},
    {KEY_FORMAT_TYPE_TRANSPARENT_SYMMETRIC_KEY, 0, 0, {{0}}},
    {KEY_FORMAT_TYPE_TRANSPARENT_RSA_PRIVATE_KEY, OBJECT_TYPE_PRIVATE_KEY,
	CRYPTOGRAPHIC_ALGORITHM_RSA, RSA_PRIVATE},
    {KEY_FORMAT_TYPE_TRANSPARENT_RSA_PUBLIC_KEY, OBJECT_TYPE_PUBLIC_KEY,
	CRYPTOGRAPHIC_ALGORITHM_RSA,
	{AT(MODULUS, modulus), AT(PUBLIC_EXPONENT, public_exponent)}},
    {KEY_FORMAT_TYPE_TRANSPARENT_DSA_PRIVATE_KEY, OBJECT_TYPE_PRIVATE_KEY,
	CRYPTOGRAPHIC_ALGORITHM_DSA, {AT(P, p), AT(Q, q), AT(G, g), AT(X, x)}},
    {KEY_FORMAT_TYPE_TRANSPARENT_DSA_PUBLIC_KEY, OBJECT_TYPE_PUBLIC_KEY,
	CRYPTOGRAPHIC_ALGORITHM_DSA, {AT(P, p), AT(Q, q), AT(G, g), AT(Y, y)}},
    {KEY_FORMAT_TYPE_TRANSPARENT_DH_PRIVATE_KEY, OBJECT_TYPE_PRIVATE_KEY,
	CRYPTOGRAPHIC_ALGORITHM_DH,
	{AT(P, p), AT(Q, q), AT(G, g), AT(J, j), AT(X, x)}},
    {KEY_FORMAT_TYPE_TRANSPARENT_DH_PUBLIC_KEY, OBJECT_TYPE_PUBLIC_KEY,
	CRYPTOGRAPHIC_ALGORITHM_DH,
	{AT(P, p), AT(Q, q), AT(G, g), AT(J, j), AT(Y, y)}},
#define EC_PRIVATE(name)                                                 \
	{                                                                \
		KEY_FORMAT_TYPE_TRANSPARENT_##name##_PRIVATE_KEY,        \
		    OBJECT_TYPE_PRIVATE_KEY, CRYPTOGRAPHIC_ALGORITHM_EC, \
		{                                                        \
			AT(RECOMMENDED_CURVE, curve), AT(D, d)           \
		}                                                        \
	}
#define EC_PUBLIC(name)                                                   \
	{                                                                 \
		KEY_FORMAT_TYPE_TRANSPARENT_##name##_PUBLIC_KEY,          \
		    OBJECT_TYPE_PUBLIC_KEY, CRYPTOGRAPHIC_ALGORITHM_EC,   \
		{                                                         \
			AT(RECOMMENDED_CURVE, curve), AT(Q_STRING, point) \
		}                                                         \
	}
    /* the first of each is what an answer has where the version knows it */
    EC_PRIVATE(EC),
    EC_PUBLIC(EC),
    EC_PRIVATE(ECDSA),
    EC_PUBLIC(ECDSA),
    EC_PRIVATE(ECDH),
    EC_PUBLIC(ECDH),
    EC_PRIVATE(ECMQV),
    EC_PUBLIC(ECMQV),
};

const struct keyblock_format *
keyblock_format_nth(size_t n)
{
	return n < sizeof(formats) / sizeof(formats[0]) ? &formats[n] : NULL;
}

const struct keyblock_format *
keyblock_format_find(uint32_t format)
{
	size_t k;

	for (k = 0; k < sizeof(formats) / sizeof(formats[0]); k++) {
		if (formats[k].format == format)
			return &formats[k];
	}
	return NULL;
}

static enum err
parts_of_items(const struct keyblock_format *fmt, const struct item *material,
    struct keyparts *parts)
{
	enum err rc = OK;
	size_t k;

	parts->algorithm = fmt->algorithm;
	parts->is_private = fmt->object_type == OBJECT_TYPE_PRIVATE_KEY;
	for (k = 0; k < KEYBLOCK_FIELDS_MAX && fmt->field[k].tag != 0; k++) {
		const struct item *item =
		    item_find(material, fmt->field[k].tag);
		char *at = (char *)parts + fmt->field[k].at;

		if (item == NULL)
			continue;
		if (item->type == ENUMERATION)
			*(uint32_t *)(void *)at = (uint32_t)item->number;
		else if (item->type == BIG_INTEGER)
			TRY(keyformat_number(
			    item->octets, (struct bytes *)(void *)at));
		else
			*(struct bytes *)(void *)at = item->octets;
	}
out:
	return rc;
}

enum err
keyblock_add_parts(struct arena *a, const struct keyblock_format *fmt,
    const struct keyparts *parts, struct item *material)
{
	enum err rc = OK;
	size_t k;

	for (k = 0; k < KEYBLOCK_FIELDS_MAX && fmt->field[k].tag != 0; k++) {
		const char *at = (const char *)parts + fmt->field[k].at;
		enum tag tag = fmt->field[k].tag;
		struct bytes octets;

		if (tag == TAG_RECOMMENDED_CURVE) {
			TRY(item_add_number(a, material, tag, ENUMERATION,
			    *(const uint32_t *)(const void *)at));
			continue;
		}
		octets = *(const struct bytes *)(const void *)at;
		if (octets.octets == 0)
			continue;
		if (tag != TAG_Q_STRING)
			TRY(keyformat_big_integer(octets, a, &octets));
		TRY(item_add_octets(a, material, tag,
		    tag == TAG_Q_STRING ? BYTE_STRING : BIG_INTEGER, octets));
	}
out:
	return rc;
}

/*
 * What a Key Block holds
 */

/* The Key Material when it is there and not wrapped; else NULL. */
struct item *
keyblock_material(const struct item *block)
{
	const struct item *key_value = item_find(block, TAG_KEY_VALUE);

	if (key_value == NULL || key_value->type != STRUCTURE)
		return NULL;
	return item_find(key_value, TAG_KEY_MATERIAL);
}

enum err
keyblock_parts(uint32_t object_type, const struct item *block,
    struct keyparts *parts, struct fault *f)
{
	uint32_t format = (uint32_t)item_number(block, TAG_KEY_FORMAT_TYPE, 0);
	const struct keyblock_format *fmt = keyblock_format_find(format);
	const struct item *material = keyblock_material(block);
	enum err rc = OK;

	*parts = (struct keyparts){0};
	if (fmt == NULL || material == NULL ||
	    (fmt->object_type != 0 && fmt->object_type != object_type))
		TRY(ERR_KEY_FORMAT);
	if (fmt->algorithm == 0) {
		if (material->type != BYTE_STRING)
			TRY(ERR_FIELD);
		TRY(keyformat_read(format,
		    object_type == OBJECT_TYPE_PRIVATE_KEY, material->octets,
		    parts, f));
	} else {
		if (material->type != STRUCTURE)
			TRY(ERR_FIELD);
		TRY(parts_of_items(fmt, material, parts));
		TRY(keyformat_measure(parts, f));
	}
out:
	return rc;
}

/* The octets of a symmetric key's or a secret's material. */
struct bytes
keyblock_symmetric(const struct item *material)
{
	return material->type == STRUCTURE ? item_octets(material, TAG_KEY)
					   : material->octets;
}

enum err
keyblock_make(struct arena *a, enum tag tag, uint32_t format,
    uint32_t algorithm, uint32_t key_bits, struct bytes material,
    struct item **out)
{
	struct item *value;
	struct item *block;
	struct item *key_value;
	enum err rc = OK;

	TRY(item_add_structure(a, NULL, tag, &value));
	if (tag == TAG_SECRET_DATA)
		TRY(item_add_number(a, value, TAG_SECRET_DATA_TYPE, ENUMERATION,
		    SECRET_DATA_TYPE_PASSWORD));
	TRY(item_add_structure(a, value, TAG_KEY_BLOCK, &block));
	TRY(item_add_number(
	    a, block, TAG_KEY_FORMAT_TYPE, ENUMERATION, format));
	TRY(item_add_structure(a, block, TAG_KEY_VALUE, &key_value));
	TRY(item_add_octets(
	    a, key_value, TAG_KEY_MATERIAL, BYTE_STRING, material));
	if (algorithm != 0) {
		TRY(item_add_number(a, block, TAG_CRYPTOGRAPHIC_ALGORITHM,
		    ENUMERATION, algorithm));
		TRY(item_add_number(
		    a, block, TAG_CRYPTOGRAPHIC_LENGTH, INTEGER, key_bits));
	}
	*out = value;
out:
	return rc;
}
