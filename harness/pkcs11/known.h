/*
 * Known answers: what a mechanism makes of a key and an input, published or
 * made with an independent library; and the keys for them.
 */
#ifndef PKCS11_KNOWN_H
#define PKCS11_KNOWN_H

#include "module.h"
#include "op.h"
#include "trial.h"

enum key_kind {
	KEY_NONE,
	KEY_AES,
	KEY_DES3,
	KEY_GENERIC,
	KEY_RSA,     /* testRSA2048 of RFC 9500 */
	KEY_EC,      /* P-256, of RFC 6979 A.2.5 */
	KEY_ED25519, /* of RFC 8032 7.1, test 2 */
};

enum param {
	PARAM_NONE,
	PARAM_IV,
	PARAM_CTR,
	PARAM_GCM,
	PARAM_OAEP,
	PARAM_PSS
};

enum { /* what the row says of each kind of operation */
	DO_ENCRYPT = 1 << OP_ENCRYPT,
	DO_DECRYPT = 1 << OP_DECRYPT,
	DO_DIGEST = 1 << OP_DIGEST,
	DO_SIGN = 1 << OP_SIGN,
	DO_VERIFY = 1 << OP_VERIFY,
	DO_CRYPT = DO_ENCRYPT | DO_DECRYPT,
	DO_MAC = DO_SIGN | DO_VERIFY,
};

struct known {
	const char *source; /* "SP800-38A-F.2.1" */
	const char *name;   /* "CKM_AES_CBC" */
	CK_MECHANISM_TYPE type;
	const char *clause;
	unsigned kinds;     /* of operation, DO_x */
	bool random_output; /* of encrypt and sign: only the inverse is known */
	bool no_parts;      /* single-part only */
	bool lives;         /* the group "state" takes it through its life */
	size_t block_octets; /* of which inputs must be multiples; 0: any */
	bool pads;           /* encrypt takes any length all the same */
	size_t most_octets;  /* of one input to sign or encrypt; 0: any */
	enum key_kind key;
	const char *key_hex;
	enum param param;
	const char *iv, *aad; /* iv: the counter block as well */
	CK_MECHANISM_TYPE hash;
	const char *in, *out;
};

extern const struct known knowns[];
extern const size_t known_count;

/* The parameter's structs, for a mechanism to point to. */
struct mechanism {
	CK_MECHANISM m;
	union {
		CK_AES_CTR_PARAMS ctr;
		CK_GCM_PARAMS gcm;
		CK_RSA_PKCS_OAEP_PARAMS oaep;
		CK_RSA_PKCS_PSS_PARAMS pss;
	} param;
};

/* The mechanism of a row, its parameter with it. `out` must stay in place. */
void known_mechanism(const struct known *k, struct mechanism *out);

/*
 * The key of a row for one kind of operation, as a session object.
 *
 * may  whether the key's attribute allows the operation
 *
 * When the token lets no known key in, the trial is not claimed.
 */
CK_OBJECT_HANDLE known_key(
    CK_SESSION_HANDLE s, const struct known *k, enum op_kind kind, bool may);

/* The template of that key, for trials that change it first. */
void known_template(const struct known *k, enum op_kind kind, struct attrs *t);

/* C_CreateObject; when it refuses known keys the trial is not claimed. */
CK_OBJECT_HANDLE key_import(CK_SESSION_HANDLE s, struct attrs *t);

/* A generated secret key of 16 octets that may do `usage`. */
CK_OBJECT_HANDLE
aes_key(CK_SESSION_HANDLE s, CK_ATTRIBUTE_TYPE usage);

/* What most trials with a secret key begin with: class, type, session. */
void secret_template(struct attrs *t, CK_KEY_TYPE type, struct bytes value);

/* DER: the OID of P-256; an OCTET STRING of at most 127. */
#define P256_OID "06082a8648ce3d030107"
struct bytes octet_string(struct bytes content);

#define RFC6979_POINT                                                        \
	"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" \
	"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"

#endif
