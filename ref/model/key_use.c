#include "model/key_use.h"

#include "model/object.h"
#include "wire/schema_enums.h"

static const struct key_use_row rows[USE_COUNT] = {
#define USE(symbol, word, title, families, right, guard, clause) \
	[symbol] = {word, title, families, right, guard, clause},
#include "model/key_use.def"
#undef USE
};

const struct key_use_row *
key_use_row(enum key_use use)
{
	return &rows[use];
}

enum err
key_use_find(struct bytes word, enum key_use *out)
{
	size_t k;

	for (k = 0; k < USE_COUNT; k++) {
		if (bytes_equal_text(word, rows[k].word)) {
			*out = (enum key_use)k;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

static enum key_family
family_of_algorithm(uint32_t algorithm)
{
	switch (algorithm) {
	case CRYPTOGRAPHIC_ALGORITHM_AES:
	case CRYPTOGRAPHIC_ALGORITHM_3DES:
	case CRYPTOGRAPHIC_ALGORITHM_DES:
	case CRYPTOGRAPHIC_ALGORITHM_RC4:
	case CRYPTOGRAPHIC_ALGORITHM_SEED:
		return FAMILY_CIPHER;
	case CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA1:
	case CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA256:
	case CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA384:
	case CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA512:
		return FAMILY_HMAC;
	case CRYPTOGRAPHIC_ALGORITHM_RSA:
		return FAMILY_RSA;
	default:
		return FAMILY_OTHER;
	}
}

enum key_family
key_family(const struct object *o)
{
	switch (o->object_type) {
	case OBJECT_TYPE_SYMMETRIC_KEY:
	case OBJECT_TYPE_PRIVATE_KEY:
	case OBJECT_TYPE_PUBLIC_KEY:
	case OBJECT_TYPE_TEMPLATE:
		return family_of_algorithm((uint32_t)attr_number(
		    &o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0));
	default:
		return FAMILY_OTHER;
	}
}

enum key_family
key_family_with(enum key_family family, bool certified)
{
	return certified ? (enum key_family)(family | FAMILY_CERTIFIED)
			 : family;
}

bool
key_has_use(const struct object *o, enum key_use use)
{
	unsigned families = rows[use].families;

	if (families == FAMILY_ANY)
		return true;
	return o->object_type != OBJECT_TYPE_TEMPLATE &&
	       (key_family(o) & families) != 0;
}
