/*
 * The mechanisms of the card, and what has to be right before one is used.
 *
 * Source: PKCS#11 2.40 current mechanisms
 */
#ifndef TOKEN_MECHANISM_H
#define TOKEN_MECHANISM_H

#include "token/object.h"

/* Prime field, named curve, point uncompressed. */
#define EC_CURVES (CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS)

enum mechanism_keys {
#define KEYS(name, type, other) name,
#include "token/mechanism.def"
	KEYS_END
};

enum mechanism_param {
	PARAM_NONE,
	PARAM_IV8,
	PARAM_IV16,
	PARAM_CTR,
	PARAM_GCM,
	PARAM_OAEP,
	PARAM_PSS,
	PARAM_ECDH,
	PARAM_OCTETS, /* any, but some */
	PARAM_STRING,
	PARAM_AES_DATA,
	PARAM_DES_DATA,
};

struct mechanism {
	CK_MECHANISM_TYPE type;
	CK_FLAGS flags;
	enum mechanism_keys keys;
	CK_ULONG min, max;
	enum mechanism_param param;
	size_t block_octets;
	bool parts;
};

extern const struct mechanism mechanisms[];
extern const size_t mechanisms_count;

/*
 * With an HSM in FIPS 140-2 approved operation mode, what rests on MD5, DES
 * with one or two keys, EdDSA or bare RSA is not offered.
 */
bool mechanism_offered(const struct mechanism *mechanism, bool fips);

/* NULL: there is none. */
const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type);

/*
 * May this be done with that mechanism, and are its parameters in order?
 *
 * flag  CKF_ENCRYPT, CKF_WRAP ...: what for
 * fips  is the HSM in FIPS mode?
 *
 * CKR_ARGUMENTS_BAD            no mechanism
 * CKR_MECHANISM_INVALID        not known, not offered, or not for this
 * CKR_MECHANISM_PARAM_INVALID
 */
CK_RV mechanism_check(const CK_MECHANISM *mechanism, CK_FLAGS flag, bool fips,
    const struct mechanism **out);

/* The type of the keys that it makes. */
CK_KEY_TYPE mechanism_key_type(const struct mechanism *mechanism);

/*
 * Is this a key for it: class, type, size, and what it may be used for?
 *
 * CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED
 */
CK_RV mechanism_key(
    const struct mechanism *mechanism, CK_FLAGS flag, const struct object *key);

#endif
