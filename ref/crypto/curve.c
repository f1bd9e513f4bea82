#include "crypto/curve.h"

#include "wire/schema.h"

/* clang-format off */
static const struct curve curves[] = {
#define CURVE(symbol, name_, bits_, order_octets_, oid_)                  \
	{ .number = RECOMMENDED_CURVE_##symbol, .name = (name_),          \
	  .bits = (bits_), .order_octets = (order_octets_),               \
	  .oid = { (const uint8_t *)(oid_), sizeof(oid_) - 1 } },
#include "crypto/curve.def"
#undef CURVE
};
/* clang-format on */

enum { CURVES = sizeof(curves) / sizeof(curves[0]) };

const struct curve *
curve_at(size_t index)
{
	return index < CURVES ? &curves[index] : NULL;
}

const struct curve *
curve_find(uint32_t number)
{
	size_t k;

	for (k = 0; k < CURVES; k++) {
		if (curves[k].number == number)
			return &curves[k];
	}
	return NULL;
}

const struct curve *
curve_find_oid(struct bytes oid)
{
	size_t k;

	for (k = 0; k < CURVES; k++) {
		if (bytes_equal(curves[k].oid, oid))
			return &curves[k];
	}
	return NULL;
}

const struct curve *
curve_find_bits(uint32_t bits)
{
	static const uint32_t nist[] = {RECOMMENDED_CURVE_P_192,
	    RECOMMENDED_CURVE_P_224, RECOMMENDED_CURVE_P_256,
	    RECOMMENDED_CURVE_P_384, RECOMMENDED_CURVE_P_521};
	const struct curve *curve;
	size_t k;

	for (k = 0; k < sizeof(nist) / sizeof(nist[0]); k++) {
		curve = curve_find(nist[k]);
		if (curve->bits == bits)
			return curve;
	}
	return NULL;
}
