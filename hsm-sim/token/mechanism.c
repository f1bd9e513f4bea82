#include "token/mechanism.h"

const struct mechanism mechanisms[] = {
#define MECH(type, flags, key, min, max, parameter, block, parts) \
	{type, flags, key, min, max, parameter, block, parts},
#include "token/mechanism.def"
};
const size_t mechanisms_count = sizeof(mechanisms) / sizeof(mechanisms[0]);

static const struct {
	CK_KEY_TYPE type, other;
} key_types[] = {
#define KEYS(name, type, other) {type, other},
#include "token/mechanism.def"
};

const struct mechanism *
mechanism_find(CK_MECHANISM_TYPE type)
{
	size_t i;

	for (i = 0; i < mechanisms_count; i++)
		if (mechanisms[i].type == type)
			return &mechanisms[i];
	return NULL;
}

static bool
hash_known(CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf)
{
	static const struct {
		CK_MECHANISM_TYPE hash;
		CK_RSA_PKCS_MGF_TYPE mgf;
	} pairs[] = {
	    {CKM_SHA_1, CKG_MGF1_SHA1},
	    {CKM_SHA224, CKG_MGF1_SHA224},
	    {CKM_SHA256, CKG_MGF1_SHA256},
	    {CKM_SHA384, CKG_MGF1_SHA384},
	    {CKM_SHA512, CKG_MGF1_SHA512},
	};
	bool has_hash = false, has_mgf = false;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		has_hash |= pairs[i].hash == hash;
		has_mgf |= pairs[i].mgf == mgf;
	}
	return has_hash && has_mgf;
}

/* A pointer and a count: some octets, or none at all. */
static bool
octets_ok(const void *at, CK_ULONG octets)
{
	return at != NULL || octets == 0;
}

static bool
data_ok(const void *at, CK_ULONG octets, CK_ULONG block)
{
	return at != NULL && octets > 0 && octets % block == 0;
}

static bool
oaep_ok(const CK_RSA_PKCS_OAEP_PARAMS *p)
{
	return hash_known(p->hashAlg, p->mgf) &&
	       (p->source == CKZ_DATA_SPECIFIED ||
		   (p->source == 0 && p->ulSourceDataLen == 0)) &&
	       octets_ok(p->pSourceData, p->ulSourceDataLen);
}

static bool
param_ok(const struct mechanism *row, const CK_MECHANISM *m)
{
	const void *p = m->pParameter;
	const CK_ULONG octets = m->ulParameterLen;
	size_t need = 0;

	switch (row->param) {
	case PARAM_NONE:
		return octets == 0;
	case PARAM_OCTETS:
		return p != NULL && octets > 0;
	case PARAM_IV8:
		need = 8;
		break;
	case PARAM_IV16:
		need = 16;
		break;
	case PARAM_CTR:
		need = sizeof(CK_AES_CTR_PARAMS);
		break;
	case PARAM_GCM:
		need = sizeof(CK_GCM_PARAMS);
		break;
	case PARAM_OAEP:
		need = sizeof(CK_RSA_PKCS_OAEP_PARAMS);
		break;
	case PARAM_PSS:
		need = sizeof(CK_RSA_PKCS_PSS_PARAMS);
		break;
	case PARAM_ECDH:
		need = sizeof(CK_ECDH1_DERIVE_PARAMS);
		break;
	case PARAM_STRING:
		need = sizeof(CK_KEY_DERIVATION_STRING_DATA);
		break;
	case PARAM_AES_DATA:
		need = sizeof(CK_AES_CBC_ENCRYPT_DATA_PARAMS);
		break;
	case PARAM_DES_DATA:
		need = sizeof(CK_DES_CBC_ENCRYPT_DATA_PARAMS);
		break;
	}
	if (p == NULL || octets != need)
		return false;
	if (row->param == PARAM_CTR) {
		const CK_AES_CTR_PARAMS *ctr = p;

		return ctr->ulCounterBits >= 1 && ctr->ulCounterBits <= 128;
	}
	if (row->param == PARAM_GCM) {
		const CK_GCM_PARAMS *gcm = p;

		return gcm->pIv != NULL && gcm->ulIvLen > 0 &&
		       octets_ok(gcm->pAAD, gcm->ulAADLen) &&
		       gcm->ulTagBits >= 32 && gcm->ulTagBits <= 128 &&
		       gcm->ulTagBits % 8 == 0;
	}
	if (row->param == PARAM_OAEP)
		return oaep_ok(p);
	if (row->param == PARAM_PSS) {
		const CK_RSA_PKCS_PSS_PARAMS *pss = p;

		return hash_known(pss->hashAlg, pss->mgf);
	}
	if (row->param == PARAM_ECDH) {
		const CK_ECDH1_DERIVE_PARAMS *ecdh = p;

		return ecdh->pPublicData != NULL && ecdh->ulPublicDataLen > 0 &&
		       octets_ok(ecdh->pSharedData, ecdh->ulSharedDataLen);
	}
	if (row->param == PARAM_STRING) {
		const CK_KEY_DERIVATION_STRING_DATA *string = p;

		return data_ok(string->pData, string->ulLen,
		    row->keys == KEY_AES ? 16 : 8);
	}
	if (row->param == PARAM_AES_DATA) {
		const CK_AES_CBC_ENCRYPT_DATA_PARAMS *aes = p;

		return data_ok(aes->pData, aes->length, 16);
	}
	if (row->param == PARAM_DES_DATA) {
		const CK_DES_CBC_ENCRYPT_DATA_PARAMS *des = p;

		return data_ok(des->pData, des->length, 8);
	}
	return true;
}

/* req: KSC-158 */
bool
mechanism_offered(const struct mechanism *mechanism, bool fips)
{
	if (!fips)
		return true;
	if (mechanism->type == CKM_MD5 || mechanism->type == CKM_MD5_RSA_PKCS ||
	    mechanism->type == CKM_RSA_X_509)
		return false;
	return mechanism->keys != KEY_MD5 && mechanism->keys != KEY_DES &&
	       mechanism->keys != KEY_DES2 && mechanism->keys != KEY_EDWARDS;
}

CK_RV
mechanism_check(const CK_MECHANISM *mechanism, CK_FLAGS flag, bool fips,
    const struct mechanism **out)
{
	const struct mechanism *row;

	*out = NULL;
	if (mechanism == NULL)
		return CKR_ARGUMENTS_BAD;
	row = mechanism_find(mechanism->mechanism);
	if (row == NULL || (row->flags & flag) == 0 ||
	    !mechanism_offered(row, fips))
		return CKR_MECHANISM_INVALID;
	if (!param_ok(row, mechanism))
		return CKR_MECHANISM_PARAM_INVALID;
	*out = row;
	return CKR_OK;
}

CK_KEY_TYPE
mechanism_key_type(const struct mechanism *mechanism)
{
	return key_types[mechanism->keys].type;
}

static CK_OBJECT_CLASS
class_for(enum mechanism_keys keys, CK_FLAGS flag)
{
	switch (keys) {
	case KEY_RSA:
	case KEY_DSA:
	case KEY_DH:
	case KEY_EC:
	case KEY_EDWARDS:
		return (flag & (CKF_ENCRYPT | CKF_VERIFY | CKF_WRAP)) != 0
			   ? CKO_PUBLIC_KEY
			   : CKO_PRIVATE_KEY;
	case KEY_NONE:
	case KEY_AES:
	case KEY_DES:
	case KEY_DES2:
	case KEY_DES3:
	case KEY_GENERIC:
	case KEY_MD5:
	case KEY_SHA1:
	case KEY_SHA224:
	case KEY_SHA256:
	case KEY_SHA384:
	case KEY_SHA512:
	case KEYS_END:
		break;
	}
	return CKO_SECRET_KEY;
}

CK_RV
mechanism_key(
    const struct mechanism *mechanism, CK_FLAGS flag, const struct object *key)
{
	if (key->class != class_for(mechanism->keys, flag) ||
	    (key->key_type != key_types[mechanism->keys].type &&
		key->key_type != key_types[mechanism->keys].other))
		return CKR_KEY_TYPE_INCONSISTENT;
	if ((atomic_load(&key->usage) & flag) == 0)
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	return CKR_OK;
}
