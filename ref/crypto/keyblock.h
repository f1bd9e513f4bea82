/*
 * Key Blocks, as values of objects have them: their formats, and the key in
 * them.
 *
 * Source: KMIP 1.4 section 2.1
 */
#ifndef CRYPTO_KEYBLOCK_H
#define CRYPTO_KEYBLOCK_H

#include "crypto/keyformat.h"
#include "wire/item.h"

enum { KEYBLOCK_FIELDS_MAX = 8 };

struct keyblock_format {
	uint32_t format;
	uint32_t object_type; /* 0: several */
	/* transparent asymmetric keys only */
	uint32_t algorithm;
	struct {
		enum tag tag;
		size_t at; /* in struct keyparts */
	} field[KEYBLOCK_FIELDS_MAX];
};

/* NULL: keys are not kept in it. */
const struct keyblock_format *keyblock_format_find(uint32_t format);

/* Its equals: the nth format, in an order of preference; NULL behind the last.
 */
const struct keyblock_format *keyblock_format_nth(size_t n);

/* The Key Material when it is there and not wrapped; else NULL. */
struct item *keyblock_material(const struct item *block);

/* The octets of a symmetric key's or a secret's material. */
struct bytes keyblock_symmetric(const struct item *material);

/*
 * An asymmetric key's numbers, borrowed from the block.
 *
 * ERR_KEY_FORMAT  not a format for that type of object, or wrapped
 * ERR_FIELD       the material is not what the format says; f tells where
 */
enum err keyblock_parts(uint32_t object_type, const struct item *block,
    struct keyparts *parts, struct fault *f) MUST_CHECK;

/* And into the Key Material of a transparent format. */
enum err keyblock_add_parts(struct arena *a, const struct keyblock_format *fmt,
    const struct keyparts *parts, struct item *material) MUST_CHECK;

/*
 * A value: a structure of that tag with a Key Block of octets. The material is
 * borrowed.
 *
 * algorithm  0: neither Cryptographic Algorithm nor Length
 */
enum err keyblock_make(struct arena *a, enum tag tag, uint32_t format,
    uint32_t algorithm, uint32_t key_bits, struct bytes material,
    struct item **out) MUST_CHECK;

#endif
