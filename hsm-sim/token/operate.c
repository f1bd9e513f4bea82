/*
 * Encryption, decryption, digests, signatures; and random numbers.
 *
 * Each operation is under way in a session of SoftHSM of its own, so that two
 * can be in one session here, and so that one that has failed is gone for
 * certain: that session is closed.
 *
 * What every operation follows:
 *
 *	a length query, and CKR_BUFFER_TOO_SMALL, leave it as it was
 *	any other failure ends it
 *	a one-shot call after an update is refused, and the operation goes on
 *	an update after a one-shot call's length query is refused, and ends it
 *
 * Source: PKCS#11 2.40 base, sections 5.2 and 5.8 to 5.12, 5.14
 */
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "token/app.h"

enum {
	USE = TURN_USE | TURN_BACKING,
	RSA_OCTETS_MAX = 16384 / 8,
	PKCS1_OCTETS = 11, /* around a message, at least */
};

typedef CK_RV
one_shot_fn(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
typedef CK_RV init_fn(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);

static const CK_FLAGS op_flag[OP_KINDS] = {
    [OP_ENCRYPT] = CKF_ENCRYPT,
    [OP_DECRYPT] = CKF_DECRYPT,
    [OP_DIGEST] = CKF_DIGEST,
    [OP_SIGN] = CKF_SIGN,
    [OP_VERIFY] = CKF_VERIFY,
};

/* SoftHSM takes no NULL for no octets. */
static CK_BYTE *
some(CK_BYTE *data)
{
	static CK_BYTE none[1];

	return data != NULL ? data : none;
}

/* What SoftHSM says where the standard has a better word for it. */
static CK_RV
better_rv(enum op_kind kind, CK_RV rv)
{
	if (rv != CKR_GENERAL_ERROR && rv != CKR_FUNCTION_FAILED &&
	    rv != CKR_DATA_INVALID)
		return rv;
	if (kind == OP_DECRYPT)
		return CKR_ENCRYPTED_DATA_INVALID;
	if (kind == OP_VERIFY)
		return CKR_SIGNATURE_INVALID;
	return CKR_FUNCTION_FAILED;
}

/* ---- beginning ---- */

static const CK_MECHANISM_TYPE pad_hashes[PAD_HASHES] = {
    [PAD_SHA1] = CKM_SHA_1,
    [PAD_SHA224] = CKM_SHA224,
    [PAD_SHA256] = CKM_SHA256,
    [PAD_SHA384] = CKM_SHA384,
    [PAD_SHA512] = CKM_SHA512,
};
static const CK_RSA_PKCS_MGF_TYPE pad_mgfs[PAD_HASHES] = {
    [PAD_SHA1] = CKG_MGF1_SHA1,
    [PAD_SHA224] = CKG_MGF1_SHA224,
    [PAD_SHA256] = CKG_MGF1_SHA256,
    [PAD_SHA384] = CKG_MGF1_SHA384,
    [PAD_SHA512] = CKG_MGF1_SHA512,
};

static CK_RV
oaep_begin(struct op *op, const CK_RSA_PKCS_OAEP_PARAMS *params)
{
	enum pad_hash hash;

	for (hash = 0; hash < PAD_HASHES; hash++) {
		if (pad_hashes[hash] == params->hashAlg)
			op->pad.hash = hash;
		if (pad_mgfs[hash] == params->mgf)
			op->pad.mgf = hash;
	}
	if (params->ulSourceDataLen > 0) {
		op->pad_label = mem_zalloc(params->ulSourceDataLen, 1);
		if (op->pad_label == NULL)
			return CKR_HOST_MEMORY;
		memcpy(op->pad_label, params->pSourceData,
		    params->ulSourceDataLen);
		op->pad.label =
		    (struct bytes){op->pad_label, params->ulSourceDataLen};
	}
	op->oaep = true;
	return pad_oaep_room(&op->pad, op->key->value_octets) > 0
		   ? CKR_OK
		   : CKR_KEY_SIZE_RANGE;
}

/* The hash of an ECDSA mechanism that has one; of all others its own type. */
static CK_MECHANISM_TYPE
hash_of(CK_MECHANISM_TYPE type)
{
	switch (type) {
	case CKM_ECDSA_SHA1:
		return CKM_SHA_1;
	case CKM_ECDSA_SHA224:
		return CKM_SHA224;
	case CKM_ECDSA_SHA256:
		return CKM_SHA256;
	case CKM_ECDSA_SHA384:
		return CKM_SHA384;
	case CKM_ECDSA_SHA512:
		return CKM_SHA512;
	default:
		return type;
	}
}

static CK_RV
backing_init(struct turn *turn, struct op *op, enum op_kind kind,
    const CK_MECHANISM *mechanism)
{
	CK_FUNCTION_LIST *f = turn->softhsm;
	CK_MECHANISM m = *mechanism;
	init_fn *init = NULL;
	int tries;
	CK_RV rv = CKR_OK;

	switch (kind) {
	case OP_DIGEST:
		return f->C_DigestInit(op->backing, &m);
	case OP_ENCRYPT:
		init = f->C_EncryptInit;
		break;
	case OP_DECRYPT:
		init = f->C_DecryptInit;
		break;
	case OP_SIGN:
		init = f->C_SignInit;
		break;
	case OP_VERIFY:
		init = f->C_VerifyInit;
		break;
	case OP_FIND:
	case OP_KINDS:
		return CKR_GENERAL_ERROR;
	}
	if (op->oaep)
		m = (CK_MECHANISM){CKM_RSA_X_509, NULL, 0};
	/* A shadow may go while it is taken: the next one will do. */
	for (tries = 0; tries < 3; tries++) {
		rv = init(op->backing, &m, partition_use(turn->part, op->key));
		if (rv != CKR_KEY_HANDLE_INVALID &&
		    rv != CKR_OBJECT_HANDLE_INVALID)
			break;
		rv = CKR_KEY_HANDLE_INVALID;
	}
	return rv == CKR_ARGUMENTS_BAD ? CKR_MECHANISM_PARAM_INVALID : rv;
}

/*
 * SoftHSM's ECDSA takes a hash: that is made in a session of its own.
 *
 * spec: pkcs11-2.40-curr 2.3.7
 */
static CK_RV
hashed_begin(struct turn *turn, struct op *op, enum op_kind kind)
{
	CK_MECHANISM hash = {hash_of(op->mechanism->type), NULL, 0};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	CK_RV rv = backing_init(turn, op, kind, &ecdsa);

	op->plain = op->backing;
	op->backing = CK_INVALID_HANDLE;
	if (rv == CKR_OK)
		rv = partition_take(turn->part, &op->backing);
	return rv == CKR_OK ? turn->softhsm->C_DigestInit(op->backing, &hash)
			    : rv;
}

static CK_RV
op_begin(struct turn *turn, enum op_kind kind, const CK_MECHANISM *mechanism,
    CK_OBJECT_HANDLE key)
{
	struct op *op = &turn->session->ops[kind];
	const struct mechanism *row;
	CK_RV rv;

	if (mechanism == NULL)
		return CKR_ARGUMENTS_BAD;
	if (!op_allowed(turn->session, kind))
		return CKR_OPERATION_ACTIVE;
	rv = mechanism_check(
	    mechanism, op_flag[kind], turn->app->token->fips, &row);
	if (rv != CKR_OK)
		return rv;
	if (kind != OP_DIGEST) {
		op->key = turn_object(turn, key);
		if (op->key == NULL)
			return CKR_KEY_HANDLE_INVALID;
		rv = mechanism_key(row, op_flag[kind], op->key);
	}
	if (rv == CKR_OK && row->type == CKM_RSA_PKCS_OAEP)
		rv = oaep_begin(op, mechanism->pParameter);
	if (rv == CKR_OK)
		rv = partition_take(turn->part, &op->backing);
	op->mechanism = row;
	if (rv == CKR_OK)
		rv = hash_of(row->type) != row->type
			 ? hashed_begin(turn, op, kind)
			 : backing_init(turn, op, kind, mechanism);
	op->phase = OP_READY;
	if (rv != CKR_OK)
		op_end(turn->session, kind, false);
	return rv;
}

static CK_RV
init_call(struct token_app *app, const char *name, CK_SESSION_HANDLE session,
    enum op_kind kind, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	struct turn turn;
	CK_RV rv = turn_begin(
	    &turn, app, name, session, kind == OP_DIGEST ? TURN_BACKING : USE);

	return rv == CKR_OK
		   ? turn_end(&turn, op_begin(&turn, kind, mechanism, key))
		   : rv;
}

/* ---- RSA that gives back what it encrypted ---- */

static size_t
rsa_room(const struct op *op)
{
	const size_t modulus = op->key->value_octets;

	if (op->oaep)
		return pad_oaep_room(&op->pad, modulus);
	if (op->mechanism->type == CKM_RSA_PKCS)
		return modulus > PKCS1_OCTETS ? modulus - PKCS1_OCTETS : 0;
	return modulus;
}

/*
 * SoftHSM wants room for a whole modulus, though the message is shorter; and
 * its operation is over before it is known whether there is room.
 */
static CK_RV
rsa_decrypt(struct turn *turn, struct op *op, CK_BYTE *in, CK_ULONG in_len,
    CK_BYTE *out, CK_ULONG *out_len)
{
	const CK_MECHANISM again = {op->mechanism->type, NULL, 0};
	uint8_t plain[RSA_OCTETS_MAX];
	struct bytes message = {plain, 0};
	CK_ULONG octets = sizeof(plain);
	CK_RV rv;

	if (out == NULL) {
		*out_len = rsa_room(op);
		return CKR_OK;
	}
	rv = turn->softhsm->C_Decrypt(op->backing, in, in_len, plain, &octets);
	message.octets = octets;
	if (rv == CKR_OK && op->oaep &&
	    pad_oaep_open(&op->pad, plain, octets, &message) != OK)
		rv = CKR_ENCRYPTED_DATA_INVALID;
	if (rv == CKR_OK && message.octets > *out_len) {
		rv = backing_init(turn, op, OP_DECRYPT, &again);
		if (rv == CKR_OK)
			rv = CKR_BUFFER_TOO_SMALL;
	} else if (rv == CKR_OK) {
		memcpy(out, message.at, message.octets);
	}
	*out_len = message.octets;
	secret_wipe(plain, sizeof(plain));
	return rv;
}

static CK_RV
oaep_encrypt(struct turn *turn, struct op *op, CK_BYTE *in, CK_ULONG in_len,
    CK_BYTE *out, CK_ULONG *out_len)
{
	const size_t modulus = op->key->value_octets;
	uint8_t padded[RSA_OCTETS_MAX];
	CK_ULONG room = *out_len;
	CK_RV rv;

	*out_len = modulus;
	if (out == NULL)
		return CKR_OK;
	if (room < modulus)
		return CKR_BUFFER_TOO_SMALL;
	if (pad_oaep_close(&op->pad, turn->token->env,
		(struct bytes){in, in_len}, padded, modulus) != OK)
		return token_rv(turn->token, CARD_RNG);
	rv = turn->softhsm->C_Encrypt(
	    op->backing, padded, modulus, out, out_len);
	secret_wipe(padded, sizeof(padded));
	return rv;
}

/* ---- one-shot ---- */

/* Data of this length: can that be? */
static CK_RV
length_check(const struct op *op, enum op_kind kind, CK_ULONG octets)
{
	const CK_RV refused = kind == OP_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE
						 : CKR_DATA_LEN_RANGE;
	const struct mechanism *row = op->mechanism;
	size_t block = row->block_octets;

	if (kind == OP_DECRYPT && row->type == CKM_AES_CBC_PAD)
		block = 16;
	if (kind == OP_DECRYPT &&
	    (row->type == CKM_DES3_CBC_PAD || row->type == CKM_DES_CBC_PAD))
		block = 8;
	if (block > 0 && octets % block != 0)
		return refused;
	if (row->type != CKM_RSA_PKCS && row->type != CKM_RSA_X_509 &&
	    row->type != CKM_RSA_PKCS_OAEP)
		return CKR_OK;
	if (op->key->value_octets > RSA_OCTETS_MAX)
		return CKR_KEY_SIZE_RANGE;
	if (kind == OP_DECRYPT)
		return octets == op->key->value_octets ? CKR_OK : refused;
	return octets <= rsa_room(op) ? CKR_OK : refused;
}

/*
 * The end of an operation that hashes: all of the data, or what came in parts.
 * Room is asked for before the digest is over.
 */
static CK_RV
hashed_end(struct turn *turn, struct op *op, enum op_kind kind, CK_BYTE *in,
    CK_ULONG in_len, bool parts, CK_BYTE *out, CK_ULONG *out_len)
{
	CK_FUNCTION_LIST *f = turn->softhsm;
	CK_BYTE digest[64] = {0};
	CK_ULONG n = sizeof(digest), need = 0;
	CK_RV rv = CKR_OK;

	if (kind == OP_SIGN) {
		rv = f->C_Sign(op->plain, digest, n, NULL, &need);
		if (rv != CKR_OK || out == NULL || *out_len < need) {
			*out_len = need;
			return rv == CKR_OK && out != NULL
				   ? CKR_BUFFER_TOO_SMALL
				   : rv;
		}
	}
	rv = parts ? f->C_DigestFinal(op->backing, digest, &n)
		   : f->C_Digest(op->backing, in, in_len, digest, &n);
	if (rv == CKR_OK)
		rv = kind == OP_SIGN
			 ? f->C_Sign(op->plain, digest, n, out, out_len)
			 : f->C_Verify(op->plain, digest, n, out, *out_len);
	return rv;
}

static CK_RV
one_shot(struct turn *turn, struct op *op, enum op_kind kind, CK_BYTE *in,
    CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	CK_FUNCTION_LIST *f = turn->softhsm;
	one_shot_fn *shoot = NULL;

	if (op->plain != CK_INVALID_HANDLE)
		return hashed_end(
		    turn, op, kind, in, in_len, false, out, out_len);
	switch (kind) {
	case OP_ENCRYPT:
		if (op->oaep)
			return oaep_encrypt(turn, op, in, in_len, out, out_len);
		shoot = f->C_Encrypt;
		break;
	case OP_DECRYPT:
		if (op->mechanism->keys == KEY_RSA)
			return rsa_decrypt(turn, op, in, in_len, out, out_len);
		shoot = f->C_Decrypt;
		break;
	case OP_DIGEST:
		shoot = f->C_Digest;
		break;
	case OP_SIGN:
		shoot = f->C_Sign;
		break;
	case OP_VERIFY:
		return f->C_Verify(op->backing, in, in_len, out, *out_len);
	case OP_FIND:
	case OP_KINDS:
		return CKR_GENERAL_ERROR;
	}
	return shoot(op->backing, in, in_len, out, out_len);
}

/* Of a verification, out is the signature. */
static CK_RV
whole_call(struct token_app *app, const char *name, CK_SESSION_HANDLE session,
    enum op_kind kind, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
    CK_ULONG *out_len)
{
	struct turn turn;
	struct op *op;
	bool stays;
	CK_RV rv = turn_begin(
	    &turn, app, name, session, kind == OP_DIGEST ? TURN_BACKING : USE);

	if (rv != CKR_OK)
		return rv;
	op = &turn.session->ops[kind];
	if (op->phase == OP_IDLE)
		return turn_end(&turn, CKR_OPERATION_NOT_INITIALIZED);
	if (op->phase == OP_PARTS)
		return turn_end(&turn, CKR_OPERATION_ACTIVE);
	if ((in == NULL && in_len > 0) || out_len == NULL ||
	    (kind == OP_VERIFY && out == NULL))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = length_check(op, kind, in_len);
	if (rv == CKR_OK)
		rv = better_rv(kind,
		    one_shot(&turn, op, kind, some(in), in_len, out, out_len));
	stays = rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && out == NULL);
	if (stays)
		op->phase = OP_QUERIED;
	else
		op_end(turn.session, kind, rv == CKR_OK);
	return turn_end(&turn, rv);
}

/* ---- in parts ---- */

static CK_RV
part(struct turn *turn, struct op *op, enum op_kind kind, CK_BYTE *in,
    CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	CK_FUNCTION_LIST *f = turn->softhsm;

	if (op->plain != CK_INVALID_HANDLE)
		return f->C_DigestUpdate(op->backing, in, in_len);
	switch (kind) {
	case OP_ENCRYPT:
		return f->C_EncryptUpdate(
		    op->backing, in, in_len, out, out_len);
	case OP_DECRYPT:
		return f->C_DecryptUpdate(
		    op->backing, in, in_len, out, out_len);
	case OP_DIGEST:
		return f->C_DigestUpdate(op->backing, in, in_len);
	case OP_SIGN:
		return f->C_SignUpdate(op->backing, in, in_len);
	case OP_VERIFY:
		return f->C_VerifyUpdate(op->backing, in, in_len);
	case OP_FIND:
	case OP_KINDS:
		break;
	}
	return CKR_GENERAL_ERROR;
}

/* Can an operation go on in parts? Where it cannot, it has ended. */
static CK_RV
parts_check(struct turn *turn, enum op_kind kind)
{
	struct op *op = &turn->session->ops[kind];
	CK_RV rv = CKR_OK;

	if (op->phase == OP_IDLE)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (op->phase == OP_QUERIED)
		rv = CKR_OPERATION_ACTIVE;
	else if (!op->mechanism->parts)
		rv = CKR_FUNCTION_NOT_SUPPORTED;
	if (rv != CKR_OK)
		op_end(turn->session, kind, false);
	return rv;
}

static CK_RV
update(struct turn *turn, enum op_kind kind, CK_BYTE *in, CK_ULONG in_len,
    CK_BYTE *out, CK_ULONG *out_len)
{
	struct op *op = &turn->session->ops[kind];
	const bool gives = kind == OP_ENCRYPT || kind == OP_DECRYPT;
	CK_RV rv = parts_check(turn, kind);

	if (rv != CKR_OK)
		return rv;
	if ((in == NULL && in_len > 0) || (gives && out_len == NULL))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = better_rv(
		    kind, part(turn, op, kind, some(in), in_len, out, out_len));
	if (rv == CKR_OK && !(gives && out == NULL))
		op->phase = OP_PARTS;
	if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
		op_end(turn->session, kind, false);
	return rv;
}

static CK_RV
update_call(struct token_app *app, const char *name, CK_SESSION_HANDLE session,
    enum op_kind kind, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
    CK_ULONG *out_len)
{
	struct turn turn;
	CK_RV rv = turn_begin(
	    &turn, app, name, session, kind == OP_DIGEST ? TURN_BACKING : USE);

	return rv == CKR_OK ? turn_end(&turn,
				  update(&turn, kind, in, in_len, out, out_len))
			    : rv;
}

static CK_RV
last(struct turn *turn, struct op *op, enum op_kind kind, CK_BYTE *out,
    CK_ULONG *out_len)
{
	CK_FUNCTION_LIST *f = turn->softhsm;

	if (op->plain != CK_INVALID_HANDLE)
		return hashed_end(turn, op, kind, NULL, 0, true, out, out_len);
	switch (kind) {
	case OP_ENCRYPT:
		return f->C_EncryptFinal(op->backing, out, out_len);
	case OP_DECRYPT:
		return f->C_DecryptFinal(op->backing, out, out_len);
	case OP_DIGEST:
		return f->C_DigestFinal(op->backing, out, out_len);
	case OP_SIGN:
		return f->C_SignFinal(op->backing, out, out_len);
	case OP_VERIFY:
		return f->C_VerifyFinal(op->backing, out, *out_len);
	case OP_FIND:
	case OP_KINDS:
		break;
	}
	return CKR_GENERAL_ERROR;
}

/* Of a verification, out is the signature. */
static CK_RV
final_call(struct token_app *app, const char *name, CK_SESSION_HANDLE session,
    enum op_kind kind, CK_BYTE *out, CK_ULONG *out_len)
{
	struct turn turn;
	CK_RV rv = turn_begin(
	    &turn, app, name, session, kind == OP_DIGEST ? TURN_BACKING : USE);

	if (rv != CKR_OK)
		return rv;
	rv = parts_check(&turn, kind);
	if (rv != CKR_OK)
		return turn_end(&turn, rv);
	if (out_len == NULL || (kind == OP_VERIFY && out == NULL))
		rv = CKR_ARGUMENTS_BAD;
	else
		rv = better_rv(kind,
		    last(&turn, &turn.session->ops[kind], kind, out, out_len));
	if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && out == NULL))
		turn.session->ops[kind].phase = OP_PARTS;
	else
		op_end(turn.session, kind, rv == CKR_OK);
	return turn_end(&turn, rv);
}

/* ---- two at once ---- */

/*
 * Data goes into one of them, its way in or out of the cipher into the other.
 * The cipher is asked for room first: what does not fit goes into neither.
 * Input and output may be the same place.
 */
static CK_RV
dual_call(struct token_app *app, const char *name, CK_SESSION_HANDLE session,
    enum op_kind cipher, enum op_kind other, CK_BYTE *in, CK_ULONG in_len,
    CK_BYTE *out, CK_ULONG *out_len)
{
	struct turn turn;
	CK_ULONG need = 0;
	CK_RV rv = turn_begin(&turn, app, name, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (turn.session->ops[cipher].phase == OP_IDLE ||
	    turn.session->ops[other].phase == OP_IDLE)
		return turn_end(&turn, CKR_OPERATION_NOT_INITIALIZED);
	if (out_len == NULL)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = update(&turn, cipher, in, in_len, NULL, &need);
	if (rv == CKR_OK && (out == NULL || *out_len < need)) {
		*out_len = need;
		return turn_end(
		    &turn, out == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL);
	}
	if (rv == CKR_OK && cipher == OP_ENCRYPT)
		rv = update(&turn, other, in, in_len, NULL, NULL);
	if (rv == CKR_OK)
		rv = update(&turn, cipher, in, in_len, out, out_len);
	if (rv == CKR_OK && cipher == OP_DECRYPT)
		rv = update(&turn, other, out, *out_len, NULL, NULL);
	if (rv != CKR_OK) {
		op_end(turn.session, cipher, false);
		op_end(turn.session, other, false);
	}
	return turn_end(&turn, rv);
}

/* ---- the functions ---- */

/* req: KSC-007, KSC-111, KSC-116 */
CK_RV
token_C_EncryptInit(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return init_call(app, __func__, session, OP_ENCRYPT, mechanism, key);
}

CK_RV
token_C_Encrypt(struct token_app *app, CK_SESSION_HANDLE session, CK_BYTE *data,
    CK_ULONG data_len, CK_BYTE *encrypted_data, CK_ULONG *encrypted_data_len)
{
	return whole_call(app, __func__, session, OP_ENCRYPT, data, data_len,
	    encrypted_data, encrypted_data_len);
}

CK_RV
token_C_EncryptUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	return update_call(
	    app, __func__, session, OP_ENCRYPT, in, in_len, out, out_len);
}

CK_RV
token_C_EncryptFinal(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *last_part, CK_ULONG *last_part_len)
{
	return final_call(
	    app, __func__, session, OP_ENCRYPT, last_part, last_part_len);
}

CK_RV
token_C_DecryptInit(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return init_call(app, __func__, session, OP_DECRYPT, mechanism, key);
}

CK_RV
token_C_Decrypt(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *encrypted_data, CK_ULONG encrypted_data_len, CK_BYTE *data,
    CK_ULONG *data_len)
{
	return whole_call(app, __func__, session, OP_DECRYPT, encrypted_data,
	    encrypted_data_len, data, data_len);
}

CK_RV
token_C_DecryptUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	return update_call(
	    app, __func__, session, OP_DECRYPT, in, in_len, out, out_len);
}

CK_RV
token_C_DecryptFinal(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *last_part, CK_ULONG *last_part_len)
{
	return final_call(
	    app, __func__, session, OP_DECRYPT, last_part, last_part_len);
}

CK_RV
token_C_DigestInit(
    struct token_app *app, CK_SESSION_HANDLE session, CK_MECHANISM *mechanism)
{
	return init_call(
	    app, __func__, session, OP_DIGEST, mechanism, CK_INVALID_HANDLE);
}

CK_RV
token_C_Digest(struct token_app *app, CK_SESSION_HANDLE session, CK_BYTE *data,
    CK_ULONG data_len, CK_BYTE *digest, CK_ULONG *digest_len)
{
	return whole_call(app, __func__, session, OP_DIGEST, data, data_len,
	    digest, digest_len);
}

CK_RV
token_C_DigestUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len)
{
	return update_call(
	    app, __func__, session, OP_DIGEST, in, in_len, NULL, NULL);
}

CK_RV
token_C_DigestKey(
    struct token_app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	struct object *which;
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	rv = parts_check(&turn, OP_DIGEST);
	if (rv != CKR_OK)
		return turn_end(&turn, rv);
	which = turn_object(&turn, key);
	if (which == NULL)
		rv = CKR_KEY_HANDLE_INVALID;
	else if (which->class != CKO_SECRET_KEY)
		rv = CKR_KEY_INDIGESTIBLE;
	else
		rv = turn.softhsm->C_DigestKey(
		    turn.session->ops[OP_DIGEST].backing, which->backing);
	if (rv == CKR_OK)
		turn.session->ops[OP_DIGEST].phase = OP_PARTS;
	else
		op_end(turn.session, OP_DIGEST, false);
	object_unref(which);
	return turn_end(&turn, rv);
}

CK_RV
token_C_DigestFinal(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *digest, CK_ULONG *digest_len)
{
	return final_call(
	    app, __func__, session, OP_DIGEST, digest, digest_len);
}

/* req: KSC-008, KSC-111, KSC-115, KSC-116 */
CK_RV
token_C_SignInit(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return init_call(app, __func__, session, OP_SIGN, mechanism, key);
}

CK_RV
token_C_Sign(struct token_app *app, CK_SESSION_HANDLE session, CK_BYTE *data,
    CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len)
{
	return whole_call(app, __func__, session, OP_SIGN, data, data_len,
	    signature, signature_len);
}

CK_RV
token_C_SignUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len)
{
	return update_call(
	    app, __func__, session, OP_SIGN, in, in_len, NULL, NULL);
}

CK_RV
token_C_SignFinal(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *signature, CK_ULONG *signature_len)
{
	return final_call(
	    app, __func__, session, OP_SIGN, signature, signature_len);
}

CK_RV
token_C_VerifyInit(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return init_call(app, __func__, session, OP_VERIFY, mechanism, key);
}

CK_RV
token_C_Verify(struct token_app *app, CK_SESSION_HANDLE session, CK_BYTE *data,
    CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	return whole_call(app, __func__, session, OP_VERIFY, data, data_len,
	    signature, &signature_len);
}

CK_RV
token_C_VerifyUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len)
{
	return update_call(
	    app, __func__, session, OP_VERIFY, in, in_len, NULL, NULL);
}

CK_RV
token_C_VerifyFinal(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *signature, CK_ULONG signature_len)
{
	return final_call(
	    app, __func__, session, OP_VERIFY, signature, &signature_len);
}

CK_RV
token_C_DigestEncryptUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	return dual_call(app, __func__, session, OP_ENCRYPT, OP_DIGEST, in,
	    in_len, out, out_len);
}

CK_RV
token_C_DecryptDigestUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	return dual_call(app, __func__, session, OP_DECRYPT, OP_DIGEST, in,
	    in_len, out, out_len);
}

CK_RV
token_C_SignEncryptUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	return dual_call(app, __func__, session, OP_ENCRYPT, OP_SIGN, in,
	    in_len, out, out_len);
}

CK_RV
token_C_DecryptVerifyUpdate(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	return dual_call(app, __func__, session, OP_DECRYPT, OP_VERIFY, in,
	    in_len, out, out_len);
}

/* ---- recovery of what was signed: no mechanism here has it ---- */

static CK_RV
not_supported(
    struct token_app *app, const char *name, CK_SESSION_HANDLE session)
{
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, name, session, TURN_USE);

	return rv == CKR_OK ? turn_end(&turn, CKR_FUNCTION_NOT_SUPPORTED) : rv;
}

CK_RV
token_C_SignRecoverInit(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)mechanism;
	(void)key;
	return not_supported(app, __func__, session);
}

CK_RV
token_C_SignRecover(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
    CK_ULONG *signature_len)
{
	(void)data;
	(void)data_len;
	(void)signature;
	(void)signature_len;
	return not_supported(app, __func__, session);
}

CK_RV
token_C_VerifyRecoverInit(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)mechanism;
	(void)key;
	return not_supported(app, __func__, session);
}

CK_RV
token_C_VerifyRecover(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *signature, CK_ULONG signature_len, CK_BYTE *data,
    CK_ULONG *data_len)
{
	(void)signature;
	(void)signature_len;
	(void)data;
	(void)data_len;
	return not_supported(app, __func__, session);
}

/* ---- random numbers ---- */

static CK_RV
random_call(struct token_app *app, const char *name, CK_SESSION_HANDLE session,
    CK_BYTE *data, CK_ULONG data_len, bool seed)
{
	struct turn turn;
	CK_SESSION_HANDLE backing;
	CK_RV rv = turn_begin(&turn, app, name, session, TURN_BACKING);

	if (rv != CKR_OK)
		return rv;
	if (data == NULL && data_len > 0)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = partition_take(turn.part, &backing);
	if (rv == CKR_OK) {
		rv = seed ? turn.softhsm->C_SeedRandom(
				backing, some(data), data_len)
			  : turn.softhsm->C_GenerateRandom(
				backing, some(data), data_len);
		partition_give(turn.part, backing, true);
	}
	return turn_end(&turn, rv);
}

CK_RV
token_C_SeedRandom(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *seed, CK_ULONG seed_len)
{
	return random_call(app, __func__, session, seed, seed_len, true);
}

CK_RV
token_C_GenerateRandom(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *random, CK_ULONG random_len)
{
	return random_call(app, __func__, session, random, random_len, false);
}
