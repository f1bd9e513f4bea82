#include "token/wrap.h"

#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

enum { SEMIBLOCK = 8, BLOCK = 16, ROUNDS = 6 };

bool
wrap_needs_padding(const struct object *key)
{
	/* A private key goes as PKCS#8, of any length. */
	return key->class == CKO_PRIVATE_KEY ||
	       key->value_octets % SEMIBLOCK != 0;
}

/* The length of a DER structure by its head; 0: it is not one. */
static size_t
der_octets(struct bytes der)
{
	size_t octets = 0, i, more;

	if (der.octets < 2)
		return 0;
	if (der.at[1] < 0x80)
		return 2 + (size_t)der.at[1];
	more = der.at[1] & 0x7f;
	if (more < 1 || more > 3 || der.octets < 2 + more)
		return 0;
	for (i = 0; i < more; i++)
		octets = octets << 8 | der.at[2 + i];
	return 2 + more + octets;
}

/* What belongs to one wrapping, all in a session of SoftHSM of its own. */
struct wrapping {
	CK_FUNCTION_LIST *softhsm;
	CK_SESSION_HANDLE session;
	struct secret *value; /* of the key, filled up to semiblocks */
	size_t octets;        /* without the filling */
};

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/*
 * The value of a key that may leave the card wrapped: wrapped under a key for
 * this once, and unwrapped as plain octets.
 */
static CK_RV
value_read(
    struct wrapping *w, const struct object *key, CK_ULONG wrapped_octets)
{
	CK_MECHANISM make = {CKM_AES_KEY_GEN, NULL, 0};
	CK_MECHANISM pad = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG length = 32;
	CK_ATTRIBUTE once[] = {
	    {CKA_VALUE_LEN, &length, sizeof(length)},
	    {CKA_TOKEN, &no, 1},
	    {CKA_WRAP, &yes, 1},
	    {CKA_UNWRAP, &yes, 1},
	};
	CK_ATTRIBUTE plain[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_TOKEN, &no, 1},
	    {CKA_SENSITIVE, &no, 1},
	    {CKA_EXTRACTABLE, &yes, 1},
	};
	CK_ATTRIBUTE value = {CKA_VALUE, NULL, 0};
	CK_OBJECT_HANDLE with, seen;
	CK_BYTE *wrapped = mem_zalloc(wrapped_octets, 1);
	CK_RV rv = wrapped != NULL ? CKR_OK : CKR_HOST_MEMORY;

	if (rv == CKR_OK)
		rv = w->softhsm->C_GenerateKey(
		    w->session, &make, once, 4, &with);
	if (rv == CKR_OK)
		rv = w->softhsm->C_WrapKey(w->session, &pad, with, key->backing,
		    wrapped, &wrapped_octets);
	if (rv == CKR_OK)
		rv = w->softhsm->C_UnwrapKey(w->session, &pad, with, wrapped,
		    wrapped_octets, plain, 5, &seen);
	if (rv == CKR_OK)
		rv = w->softhsm->C_GetAttributeValue(
		    w->session, seen, &value, 1);
	if (rv == CKR_OK && secret_new(value.ulValueLen, &w->value) != OK)
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK) {
		value.pValue = secret_fill(w->value);
		rv = w->softhsm->C_GetAttributeValue(
		    w->session, seen, &value, 1);
	}
	if (rv == CKR_OK)
		w->octets = key->class == CKO_PRIVATE_KEY
				? der_octets(secret_peek(w->value))
				: key->value_octets;
	mem_free(wrapped);
	return rv;
}

/* The wrapping key for single blocks, which itself may only wrap. */
static CK_RV
cipher_begin(struct wrapping *w, const struct object *with)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_ATTRIBUTE changes[] = {{CKA_TOKEN, &no, 1}, {CKA_ENCRYPT, &yes, 1}};
	CK_OBJECT_HANDLE copy;
	CK_RV rv = w->softhsm->C_CopyObject(
	    w->session, with->backing, changes, 2, &copy);

	return rv == CKR_OK ? w->softhsm->C_EncryptInit(w->session, &ecb, copy)
			    : rv;
}

/*
 * The semiblocks of the value stand in out behind the first, which is for the
 * integrity check.
 *
 * spec: rfc5649 4.1; rfc3394 2.2.1
 */
static CK_RV
wrap_semiblocks(struct wrapping *w, CK_BYTE *out, size_t semiblocks)
{
	uint8_t block[BLOCK], sealed[BLOCK], step[SEMIBLOCK];
	CK_ULONG octets;
	uint64_t t = 0;
	size_t round, i, k;
	CK_RV rv = CKR_OK;

	bytes_put_u32(out, 0xa65959a6);
	bytes_put_u32(out + 4, (uint32_t)w->octets);
	if (semiblocks == 1) {
		memcpy(block, out, BLOCK);
		octets = BLOCK;
		return w->softhsm->C_EncryptUpdate(
		    w->session, block, BLOCK, out, &octets);
	}
	for (round = 0; round < ROUNDS; round++) {
		for (i = 1; rv == CKR_OK && i <= semiblocks; i++) {
			memcpy(block, out, SEMIBLOCK);
			memcpy(
			    block + SEMIBLOCK, out + i * SEMIBLOCK, SEMIBLOCK);
			octets = BLOCK;
			rv = w->softhsm->C_EncryptUpdate(
			    w->session, block, BLOCK, sealed, &octets);
			bytes_put_u64(step, ++t);
			for (k = 0; k < SEMIBLOCK; k++)
				out[k] = sealed[k] ^ step[k];
			memcpy(
			    out + i * SEMIBLOCK, sealed + SEMIBLOCK, SEMIBLOCK);
		}
	}
	secret_wipe(block, sizeof(block));
	return rv;
}

CK_RV
wrap_padded(struct turn *turn, struct object *with, struct object *key,
    CK_BYTE *out, CK_ULONG *out_len)
{
	CK_MECHANISM pad = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	struct wrapping w = {.softhsm = turn->softhsm};
	CK_ULONG room = *out_len, most = 0, need;
	size_t semiblocks;
	CK_RV rv = partition_take(turn->part, &w.session);

	if (rv != CKR_OK)
		return rv;
	/* May these two do this at all? */
	rv = w.softhsm->C_WrapKey(
	    w.session, &pad, with->backing, key->backing, NULL, &most);
	if (rv == CKR_OK)
		rv = value_read(&w, key, most);
	if (rv == CKR_OK &&
	    (w.octets == 0 || w.octets > secret_peek(w.value).octets))
		rv = CKR_KEY_NOT_WRAPPABLE;
	semiblocks = (w.octets + SEMIBLOCK - 1) / SEMIBLOCK;
	need = (semiblocks + 1) * SEMIBLOCK;
	if (rv == CKR_OK) {
		*out_len = need;
		if (out != NULL && room < need)
			rv = CKR_BUFFER_TOO_SMALL;
	}
	if (rv == CKR_OK && out != NULL) {
		rv = cipher_begin(&w, with);
		memset(out, 0, need);
		memcpy(out + SEMIBLOCK, secret_peek(w.value).at, w.octets);
		if (rv == CKR_OK)
			rv = wrap_semiblocks(&w, out, semiblocks);
		if (rv != CKR_OK)
			secret_wipe(out, need);
	}
	secret_free(w.value);
	/* With the session goes all that was made in it. */
	partition_give(turn->part, w.session, false);
	return rv;
}
