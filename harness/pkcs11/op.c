#include "op.h"

#include "trial.h"

const struct op ops[OP_COUNT] = {
    [OP_ENCRYPT] = {"encrypt", BASE "5.8", CKF_ENCRYPT, CKA_ENCRYPT, true, true,
	true, false, OP_DECRYPT},
    [OP_DECRYPT] = {"decrypt", BASE "5.9", CKF_DECRYPT, CKA_DECRYPT, true, true,
	true, true, OP_ENCRYPT},
    [OP_DIGEST] = {"digest", BASE "5.10", CKF_DIGEST, 0, false, true, false,
	false, OP_DIGEST},
    [OP_SIGN] = {"sign", BASE "5.11", CKF_SIGN, CKA_SIGN, true, true, false,
	true, OP_VERIFY},
    [OP_VERIFY] = {"verify", BASE "5.12", CKF_VERIFY, CKA_VERIFY, true, false,
	false, false, OP_SIGN},
};

CK_RV
op_init(enum op_kind kind, CK_SESSION_HANDLE s, CK_MECHANISM *m,
    CK_OBJECT_HANDLE key)
{
	switch (kind) {
	case OP_ENCRYPT:
		return ASK(C_EncryptInit, (s, m, key));
	case OP_DECRYPT:
		return ASK(C_DecryptInit, (s, m, key));
	case OP_DIGEST:
		return ASK(C_DigestInit, (s, m));
	case OP_SIGN:
		return ASK(C_SignInit, (s, m, key));
	case OP_VERIFY:
		return ASK(C_VerifyInit, (s, m, key));
	case OP_COUNT:
		break;
	}
	return RV_END;
}

CK_RV
op_one(enum op_kind kind, CK_SESSION_HANDLE s, struct bytes data, CK_BYTE *out,
    CK_ULONG *n)
{
	CK_BYTE *in = (CK_BYTE *)data.at;
	CK_ULONG octets = data.octets;

	switch (kind) {
	case OP_ENCRYPT:
		return ASK(C_Encrypt, (s, in, octets, out, n));
	case OP_DECRYPT:
		return ASK(C_Decrypt, (s, in, octets, out, n));
	case OP_DIGEST:
		return ASK(C_Digest, (s, in, octets, out, n));
	case OP_SIGN:
		return ASK(C_Sign, (s, in, octets, out, n));
	case OP_VERIFY:
		return ASK(C_Verify, (s, in, octets, out, *n));
	case OP_COUNT:
		break;
	}
	return RV_END;
}

CK_RV
op_update(enum op_kind kind, CK_SESSION_HANDLE s, struct bytes data,
    CK_BYTE *out, CK_ULONG *n)
{
	CK_BYTE *in = (CK_BYTE *)data.at;
	CK_ULONG octets = data.octets;

	switch (kind) {
	case OP_ENCRYPT:
		return ASK(C_EncryptUpdate, (s, in, octets, out, n));
	case OP_DECRYPT:
		return ASK(C_DecryptUpdate, (s, in, octets, out, n));
	case OP_DIGEST:
		return ASK(C_DigestUpdate, (s, in, octets));
	case OP_SIGN:
		return ASK(C_SignUpdate, (s, in, octets));
	case OP_VERIFY:
		return ASK(C_VerifyUpdate, (s, in, octets));
	case OP_COUNT:
		break;
	}
	return RV_END;
}

CK_RV
op_final(enum op_kind kind, CK_SESSION_HANDLE s, CK_BYTE *out, CK_ULONG *n)
{
	switch (kind) {
	case OP_ENCRYPT:
		return ASK(C_EncryptFinal, (s, out, n));
	case OP_DECRYPT:
		return ASK(C_DecryptFinal, (s, out, n));
	case OP_DIGEST:
		return ASK(C_DigestFinal, (s, out, n));
	case OP_SIGN:
		return ASK(C_SignFinal, (s, out, n));
	case OP_VERIFY:
		return ASK(C_VerifyFinal, (s, out, *n));
	case OP_COUNT:
		break;
	}
	return RV_END;
}
