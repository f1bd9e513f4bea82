#include "token/rig_test.h"

static struct token_rig rig;
static CK_SESSION_HANDLE s; /* of application a, the user logged in */
static CK_OBJECT_HANDLE aes, public, private;

static void
make_rsa(void)
{
	CK_MECHANISM m = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG bits = 2048;
	CK_ATTRIBUTE of_public[] = {
	    {CKA_MODULUS_BITS, &bits, sizeof(bits)},
	    YES(CKA_TOKEN),
	    YES(CKA_ENCRYPT),
	    YES(CKA_VERIFY),
	    LABEL("rsa public"),
	};
	CK_ATTRIBUTE of_private[] = {
	    YES(CKA_TOKEN),
	    YES(CKA_DECRYPT),
	    YES(CKA_SIGN),
	    LABEL("rsa private"),
	};

	assert_int_equal(
	    token_C_GenerateKeyPair(rig.a, s, &m, of_public, LENGTH(of_public),
		of_private, LENGTH(of_private), &public, &private),
	    CKR_OK);
}

static int
group_up(void **state)
{
	(void)state;
	token_rig_init(&rig);
	token_rig_start(&rig);
	s = rig_user(rig.a);
	make_rsa();
	(void)rig_aes(rig.a, s, "aes", true);
	token_rig_stop(&rig);
	return 0;
}

static int
group_down(void **state)
{
	(void)state;
	token_rig_clear(&rig);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	token_rig_start(&rig);
	s = rig_user(rig.a);
	assert_int_equal(rig_find(rig.a, s, "aes", &aes), 1);
	assert_int_equal(rig_find(rig.a, s, "rsa public", &public), 1);
	assert_int_equal(rig_find(rig.a, s, "rsa private", &private), 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	token_rig_stop(&rig);
	return 0;
}

static CK_BYTE iv[16];
static CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
static CK_MECHANISM cbc = {CKM_AES_CBC, iv, sizeof(iv)};
static CK_MECHANISM cbc_pad = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
static CK_MECHANISM rsa_pkcs = {CKM_RSA_PKCS, NULL, 0};
static CK_MECHANISM sha256_rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};

/* ---- what begins an operation ---- */

static void
operations_begin_with_what_fits(void **state)
{
	CK_GCM_PARAMS gcm = {iv, 12, 96, NULL, 0, 128};
	CK_GCM_PARAMS no_iv = {NULL, 12, 96, NULL, 0, 128};
	CK_GCM_PARAMS odd_tag = {iv, 12, 96, NULL, 0, 127};
	CK_GCM_PARAMS long_tag = {iv, 12, 96, NULL, 0, 136};
	CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 128};
	CK_AES_CTR_PARAMS no_counter = {.ulCounterBits = 0};
	CK_RSA_PKCS_OAEP_PARAMS oaep = {
	    CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_RSA_PKCS_OAEP_PARAMS md5 = {
	    CKM_MD5, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_RSA_PKCS_OAEP_PARAMS no_label = {
	    CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 5};
	const struct {
		CK_MECHANISM m;
		CK_OBJECT_HANDLE key;
		CK_RV want;
	} cases[] = {
	    {ecb, aes, CKR_OK},
	    {ecb, 0, CKR_KEY_HANDLE_INVALID},
	    {ecb, public, CKR_KEY_TYPE_INCONSISTENT},
	    {{CKM_AES_ECB, iv, 16}, aes, CKR_MECHANISM_PARAM_INVALID},
	    {{0x7fffffff, NULL, 0}, aes, CKR_MECHANISM_INVALID},
	    {sha256, aes, CKR_MECHANISM_INVALID},
	    {cbc, aes, CKR_OK},
	    {{CKM_AES_CBC, iv, 15}, aes, CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_AES_CBC, iv, 17}, aes, CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_AES_CBC, NULL, 16}, aes, CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_AES_CBC, NULL, 0}, aes, CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_DES3_CBC, iv, 8}, aes, CKR_KEY_TYPE_INCONSISTENT},
	    {{CKM_AES_GCM, &gcm, sizeof(gcm)}, aes, CKR_OK},
	    {{CKM_AES_GCM, &gcm, 8}, aes, CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_AES_GCM, &no_iv, sizeof(gcm)}, aes,
		CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_AES_GCM, &odd_tag, sizeof(gcm)}, aes,
		CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_AES_GCM, &long_tag, sizeof(gcm)}, aes,
		CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_AES_CTR, &ctr, sizeof(ctr)}, aes, CKR_OK},
	    {{CKM_AES_CTR, &no_counter, sizeof(ctr)}, aes,
		CKR_MECHANISM_PARAM_INVALID},
	    {rsa_pkcs, public, CKR_OK},
	    {rsa_pkcs, private, CKR_KEY_TYPE_INCONSISTENT},
	    {{CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)}, public, CKR_OK},
	    {{CKM_RSA_PKCS_OAEP, &md5, sizeof(oaep)}, public,
		CKR_MECHANISM_PARAM_INVALID},
	    {{CKM_RSA_PKCS_OAEP, &no_label, sizeof(oaep)}, public,
		CKR_MECHANISM_PARAM_INVALID},
	};
	CK_SESSION_HANDLE own;
	CK_RV rv;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		CK_MECHANISM m = cases[i].m;

		own = rig_session(rig.a, 0);
		rv = token_C_EncryptInit(rig.a, own, &m, cases[i].key);
		if (rv != cases[i].want)
			fail_msg(
			    "case %zu: 0x%lx, not 0x%lx", i, rv, cases[i].want);
		assert_int_equal(token_C_CloseSession(rig.a, own), CKR_OK);
	}
	assert_int_equal(
	    token_C_EncryptInit(rig.a, s, NULL, aes), CKR_ARGUMENTS_BAD);
	assert_int_equal(token_C_SignInit(rig.a, s, &rsa_pkcs, public),
	    CKR_KEY_TYPE_INCONSISTENT);
	/* It was made without CKA_DERIVE. */
	assert_int_equal(token_C_DeriveKey(rig.a, s,
			     &(CK_MECHANISM){CKM_AES_ECB_ENCRYPT_DATA,
				 &(CK_KEY_DERIVATION_STRING_DATA){iv, 16},
				 sizeof(CK_KEY_DERIVATION_STRING_DATA)},
			     aes, NULL, 0, &(CK_OBJECT_HANDLE){0}),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* ---- what ends one ---- */

static bool
active(void)
{
	CK_BYTE out[64];
	CK_ULONG n = sizeof(out);
	CK_RV rv = token_C_GetOperationState(rig.a, s, out, &n);

	assert_true(
	    rv == CKR_STATE_UNSAVEABLE || rv == CKR_OPERATION_NOT_INITIALIZED);
	return rv == CKR_STATE_UNSAVEABLE;
}

static void
one_shot_ends_it(void **state)
{
	CK_BYTE in[48] = {0}, out[64];
	CK_ULONG n;

	(void)state;
	assert_int_equal(token_C_Encrypt(rig.a, s, in, 16, out, &n),
	    CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(token_C_EncryptInit(rig.a, s, &cbc, aes), CKR_OK);
	assert_int_equal(
	    token_C_EncryptInit(rig.a, s, &cbc, aes), CKR_OPERATION_ACTIVE);
	/* A length query and too little room leave it. */
	assert_int_equal(token_C_Encrypt(rig.a, s, in, 48, NULL, &n), CKR_OK);
	assert_int_equal(n, 48);
	n = 47;
	assert_int_equal(
	    token_C_Encrypt(rig.a, s, in, 48, out, &n), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 48);
	assert_int_equal(token_C_Encrypt(rig.a, s, in, 48, out, &n), CKR_OK);
	assert_false(active());
	/* All else ends it. */
	assert_int_equal(token_C_EncryptInit(rig.a, s, &cbc, aes), CKR_OK);
	assert_int_equal(
	    token_C_Encrypt(rig.a, s, in, 47, out, &n), CKR_DATA_LEN_RANGE);
	assert_false(active());
	assert_int_equal(token_C_DecryptInit(rig.a, s, &cbc, aes), CKR_OK);
	assert_int_equal(token_C_Decrypt(rig.a, s, in, 47, out, &n),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_false(active());
	assert_int_equal(token_C_DecryptInit(rig.a, s, &cbc_pad, aes), CKR_OK);
	assert_int_equal(token_C_Decrypt(rig.a, s, in, 48, out, &n),
	    CKR_ENCRYPTED_DATA_INVALID);
	assert_false(active());
	assert_int_equal(token_C_EncryptInit(rig.a, s, &cbc, aes), CKR_OK);
	assert_int_equal(
	    token_C_Encrypt(rig.a, s, in, 48, out, NULL), CKR_ARGUMENTS_BAD);
	assert_false(active());
	assert_int_equal(token_C_EncryptInit(rig.a, s, &cbc, aes), CKR_OK);
	assert_int_equal(
	    token_C_Encrypt(rig.a, s, NULL, 48, out, &n), CKR_ARGUMENTS_BAD);
	assert_false(active());
}

static void
parts_and_one_shot_do_not_mix(void **state)
{
	CK_BYTE in[32] = {0}, out[64], whole[32];
	CK_ULONG n = sizeof(out), m;

	(void)state;
	/* After a part, a one-shot call is refused, and it goes on. */
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha256), CKR_OK);
	assert_int_equal(token_C_DigestUpdate(rig.a, s, in, 32), CKR_OK);
	assert_int_equal(
	    token_C_Digest(rig.a, s, in, 32, out, &n), CKR_OPERATION_ACTIVE);
	n = 31;
	assert_int_equal(
	    token_C_DigestFinal(rig.a, s, out, &n), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(token_C_DigestFinal(rig.a, s, out, &n), CKR_OK);
	assert_int_equal(n, 32);
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha256), CKR_OK);
	m = sizeof(whole);
	assert_int_equal(token_C_Digest(rig.a, s, in, 32, whole, &m), CKR_OK);
	assert_memory_equal(out, whole, 32);
	/* After a one-shot's query, a part is refused, and ends it. */
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha256), CKR_OK);
	assert_int_equal(token_C_Digest(rig.a, s, in, 32, NULL, &n), CKR_OK);
	assert_int_equal(
	    token_C_DigestUpdate(rig.a, s, in, 32), CKR_OPERATION_ACTIVE);
	assert_false(active());
	/* A final call's own query is none of a one-shot. */
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha256), CKR_OK);
	assert_int_equal(token_C_DigestFinal(rig.a, s, NULL, &n), CKR_OK);
	assert_int_equal(token_C_DigestUpdate(rig.a, s, in, 32), CKR_OK);
	assert_int_equal(token_C_DigestFinal(rig.a, s, out, &n), CKR_OK);
	assert_memory_equal(out, whole, 32);
	/* Some mechanisms take no parts. */
	assert_int_equal(
	    token_C_SignInit(rig.a, s, &rsa_pkcs, private), CKR_OK);
	assert_int_equal(
	    token_C_SignUpdate(rig.a, s, in, 5), CKR_FUNCTION_NOT_SUPPORTED);
	assert_false(active());
}

static void
signatures_are_judged(void **state)
{
	CK_BYTE data[] = "data", signature[256];
	CK_ULONG n = sizeof(signature);

	(void)state;
	assert_int_equal(
	    token_C_SignInit(rig.a, s, &sha256_rsa, private), CKR_OK);
	assert_int_equal(token_C_SignUpdate(rig.a, s, data, 2), CKR_OK);
	assert_int_equal(token_C_SignUpdate(rig.a, s, data + 2, 2), CKR_OK);
	assert_int_equal(token_C_SignFinal(rig.a, s, signature, &n), CKR_OK);
	assert_int_equal(n, 256);
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &sha256_rsa, public), CKR_OK);
	assert_int_equal(
	    token_C_Verify(rig.a, s, data, 4, signature, n), CKR_OK);
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &sha256_rsa, public), CKR_OK);
	assert_int_equal(token_C_Verify(rig.a, s, data, 3, signature, n),
	    CKR_SIGNATURE_INVALID);
	assert_false(active());
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &sha256_rsa, public), CKR_OK);
	assert_int_equal(token_C_Verify(rig.a, s, data, 4, signature, n - 1),
	    CKR_SIGNATURE_LEN_RANGE);
	assert_false(active());
	/* What RSA has no room for. */
	assert_int_equal(
	    token_C_SignInit(rig.a, s, &rsa_pkcs, private), CKR_OK);
	assert_int_equal(token_C_Sign(rig.a, s, signature, 246, data, &n),
	    CKR_DATA_LEN_RANGE);
	assert_false(active());
}

/* ECDSA of data is ECDSA of its hash, in parts and at once. */
static void
ecdsa_hashes_first(void **state)
{
	static const CK_BYTE p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_MECHANISM gen = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_MECHANISM plain = {CKM_ECDSA, NULL, 0};
	CK_MECHANISM hashed = {CKM_ECDSA_SHA256, NULL, 0};
	CK_ATTRIBUTE of_public[] = {
	    {CKA_EC_PARAMS, (void *)(uintptr_t)p256, sizeof(p256)},
	    YES(CKA_VERIFY),
	};
	CK_ATTRIBUTE of_private = YES(CKA_SIGN);
	CK_OBJECT_HANDLE ec_public, ec_private;
	CK_BYTE data[] = "data", digest[32], signature[64];
	CK_ULONG n = sizeof(digest), m = 63;

	(void)state;
	assert_int_equal(token_C_GenerateKeyPair(rig.a, s, &gen, of_public, 2,
			     &of_private, 1, &ec_public, &ec_private),
	    CKR_OK);
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha256), CKR_OK);
	assert_int_equal(token_C_Digest(rig.a, s, data, 4, digest, &n), CKR_OK);
	assert_int_equal(
	    token_C_SignInit(rig.a, s, &hashed, ec_private), CKR_OK);
	assert_int_equal(token_C_SignUpdate(rig.a, s, data, 3), CKR_OK);
	assert_int_equal(token_C_SignUpdate(rig.a, s, data + 3, 1), CKR_OK);
	assert_int_equal(
	    token_C_SignFinal(rig.a, s, signature, &m), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(m, 64);
	assert_int_equal(token_C_SignFinal(rig.a, s, signature, &m), CKR_OK);
	assert_false(active());
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &plain, ec_public), CKR_OK);
	assert_int_equal(
	    token_C_Verify(rig.a, s, digest, 32, signature, m), CKR_OK);
	assert_int_equal(
	    token_C_SignInit(rig.a, s, &plain, ec_private), CKR_OK);
	assert_int_equal(
	    token_C_Sign(rig.a, s, digest, 32, signature, &m), CKR_OK);
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &hashed, ec_public), CKR_OK);
	assert_int_equal(
	    token_C_Verify(rig.a, s, data, 4, signature, m), CKR_OK);
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &hashed, ec_public), CKR_OK);
	assert_int_equal(token_C_VerifyUpdate(rig.a, s, data, 3), CKR_OK);
	assert_int_equal(
	    token_C_VerifyFinal(rig.a, s, signature, m), CKR_SIGNATURE_INVALID);
	assert_false(active());
	assert_int_equal(token_C_VerifyInit(rig.a, s, &hashed, ec_private),
	    CKR_KEY_TYPE_INCONSISTENT);
}

/* ---- two at a time ---- */

/* spec: pkcs11-2.40 5.12 */
static void
dual_functions_do_both(void **state)
{
	CK_BYTE in[32] = "two blocks of sixteen octets", out[32], back[32];
	CK_BYTE one[32], two[32];
	CK_ULONG n = 16, m = sizeof(one), k = 0;

	(void)state;
	assert_int_equal(token_C_DigestEncryptUpdate(rig.a, s, in, 16, out, &n),
	    CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha256), CKR_OK);
	assert_int_equal(token_C_DigestEncryptUpdate(rig.a, s, in, 16, out, &n),
	    CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(token_C_EncryptInit(rig.a, s, &cbc, aes), CKR_OK);
	/* With a digest and a cipher, nothing else begins. */
	assert_int_equal(token_C_SignInit(rig.a, s, &sha256_rsa, private),
	    CKR_OPERATION_ACTIVE);
	/* What does not fit goes into neither. */
	n = 31;
	assert_int_equal(token_C_DigestEncryptUpdate(rig.a, s, in, 32, out, &n),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 32);
	assert_int_equal(
	    token_C_DigestEncryptUpdate(rig.a, s, in, 32, NULL, &n), CKR_OK);
	assert_int_equal(n, 32);
	/* In place. */
	memcpy(out, in, 32);
	assert_int_equal(
	    token_C_DigestEncryptUpdate(rig.a, s, out, 32, out, &n), CKR_OK);
	assert_int_equal(token_C_DigestFinal(rig.a, s, one, &m), CKR_OK);
	assert_int_equal(token_C_EncryptFinal(rig.a, s, NULL, &k), CKR_OK);
	assert_int_equal(token_C_EncryptFinal(rig.a, s, two, &k), CKR_OK);
	assert_int_equal(k, 0);
	assert_memory_not_equal(out, in, 32);
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha256), CKR_OK);
	assert_int_equal(token_C_DecryptInit(rig.a, s, &cbc, aes), CKR_OK);
	n = 32;
	assert_int_equal(
	    token_C_DecryptDigestUpdate(rig.a, s, out, 32, back, &n), CKR_OK);
	assert_memory_equal(back, in, 32);
	assert_int_equal(token_C_DigestFinal(rig.a, s, two, &m), CKR_OK);
	assert_memory_equal(one, two, 32);
}

static void
sign_and_encrypt_at_once(void **state)
{
	CK_BYTE in[16] = "a single block", out[16], back[16], signature[256];
	CK_ULONG n = 16, m = sizeof(signature);

	(void)state;
	assert_int_equal(
	    token_C_SignInit(rig.a, s, &sha256_rsa, private), CKR_OK);
	assert_int_equal(token_C_EncryptInit(rig.a, s, &ecb, aes), CKR_OK);
	assert_int_equal(
	    token_C_SignEncryptUpdate(rig.a, s, in, 16, out, &n), CKR_OK);
	assert_int_equal(token_C_SignFinal(rig.a, s, signature, &m), CKR_OK);
	assert_true(active());
	assert_int_equal(token_C_EncryptFinal(rig.a, s, back, &n), CKR_OK);
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &sha256_rsa, public), CKR_OK);
	assert_int_equal(token_C_DecryptInit(rig.a, s, &ecb, aes), CKR_OK);
	n = 16;
	assert_int_equal(
	    token_C_DecryptVerifyUpdate(rig.a, s, out, 16, back, &n), CKR_OK);
	assert_memory_equal(back, in, 16);
	assert_int_equal(token_C_VerifyFinal(rig.a, s, signature, m), CKR_OK);
	/* One that fails takes both along. */
	assert_int_equal(
	    token_C_VerifyInit(rig.a, s, &sha256_rsa, public), CKR_OK);
	assert_int_equal(
	    token_C_DecryptVerifyUpdate(rig.a, s, NULL, 16, back, &n),
	    CKR_ARGUMENTS_BAD);
	assert_false(active());
}

/* ---- RSA-OAEP ---- */

static void
oaep_with_every_hash(void **state)
{
	static const struct {
		CK_MECHANISM_TYPE hash;
		CK_RSA_PKCS_MGF_TYPE mgf;
		CK_ULONG label_octets, room;
	} cases[] = {
	    {CKM_SHA_1, CKG_MGF1_SHA1, 0, 214},
	    {CKM_SHA_1, CKG_MGF1_SHA1, 5, 214},
	    {CKM_SHA256, CKG_MGF1_SHA256, 0, 190},
	    {CKM_SHA256, CKG_MGF1_SHA1, 5, 190},
	    {CKM_SHA512, CKG_MGF1_SHA512, 5, 126},
	};
	CK_BYTE in[215] = "message", sealed[256], out[256];
	CK_ULONG n, m;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		CK_RSA_PKCS_OAEP_PARAMS p = {cases[i].hash, cases[i].mgf,
		    CKZ_DATA_SPECIFIED,
		    cases[i].label_octets > 0 ? octets("label") : NULL,
		    cases[i].label_octets};
		CK_MECHANISM oaep = {CKM_RSA_PKCS_OAEP, &p, sizeof(p)};

		assert_int_equal(
		    token_C_EncryptInit(rig.a, s, &oaep, public), CKR_OK);
		assert_int_equal(token_C_Encrypt(rig.a, s, in,
				     cases[i].room + 1, sealed, &n),
		    CKR_DATA_LEN_RANGE);
		assert_int_equal(
		    token_C_EncryptInit(rig.a, s, &oaep, public), CKR_OK);
		n = 255;
		assert_int_equal(
		    token_C_Encrypt(rig.a, s, in, cases[i].room, sealed, &n),
		    CKR_BUFFER_TOO_SMALL);
		assert_int_equal(n, 256);
		assert_int_equal(
		    token_C_Encrypt(rig.a, s, in, cases[i].room, sealed, &n),
		    CKR_OK);
		assert_int_equal(
		    token_C_DecryptInit(rig.a, s, &oaep, private), CKR_OK);
		assert_int_equal(
		    token_C_Decrypt(rig.a, s, sealed, n, NULL, &m), CKR_OK);
		assert_int_equal(m, cases[i].room);
		/* Too little room, and once more. */
		m = cases[i].room - 1;
		assert_int_equal(token_C_Decrypt(rig.a, s, sealed, n, out, &m),
		    CKR_BUFFER_TOO_SMALL);
		assert_int_equal(m, cases[i].room);
		assert_int_equal(
		    token_C_Decrypt(rig.a, s, sealed, n, out, &m), CKR_OK);
		assert_int_equal(m, cases[i].room);
		assert_memory_equal(out, in, m);
		assert_false(active());
		/* Another label, another hash. */
		p.pSourceData = octets("other");
		p.ulSourceDataLen = 5;
		assert_int_equal(
		    token_C_DecryptInit(rig.a, s, &oaep, private), CKR_OK);
		m = sizeof(out);
		assert_int_equal(token_C_Decrypt(rig.a, s, sealed, n, out, &m),
		    CKR_ENCRYPTED_DATA_INVALID);
		assert_false(active());
	}
}

/* The message is shorter than the modulus, and so may the buffer be. */
static void
rsa_decrypts_into_what_the_message_needs(void **state)
{
	CK_BYTE in[] = "short", sealed[256], out[5];
	CK_ULONG n = sizeof(sealed), m = 4;

	(void)state;
	assert_int_equal(
	    token_C_EncryptInit(rig.a, s, &rsa_pkcs, public), CKR_OK);
	assert_int_equal(token_C_Encrypt(rig.a, s, in, 5, sealed, &n), CKR_OK);
	assert_int_equal(
	    token_C_DecryptInit(rig.a, s, &rsa_pkcs, private), CKR_OK);
	assert_int_equal(token_C_Decrypt(rig.a, s, sealed, n, out, &m),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(m, 5);
	assert_int_equal(token_C_Decrypt(rig.a, s, sealed, n, out, &m), CKR_OK);
	assert_memory_equal(out, in, 5);
	sealed[255] ^= 1;
	assert_int_equal(
	    token_C_DecryptInit(rig.a, s, &rsa_pkcs, private), CKR_OK);
	assert_int_equal(token_C_Decrypt(rig.a, s, sealed, n - 1, out, &m),
	    CKR_ENCRYPTED_DATA_LEN_RANGE);
}

/* ---- faults of the laboratory ---- */

static void
faults_are_what_is_answered(void **state)
{
	CK_BYTE out[8];

	(void)state;
	(void)card_rig_lab(&rig.card,
	    "fault add op=C_GenerateRandom nth=2 rv=CKR_DEVICE_ERROR");
	assert_int_equal(token_C_GenerateRandom(rig.a, s, out, 8), CKR_OK);
	assert_int_equal(
	    token_C_GenerateRandom(rig.a, s, out, 8), CKR_DEVICE_ERROR);
	assert_int_equal(token_C_GenerateRandom(rig.a, s, out, 8), CKR_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(operations_begin_with_what_fits),
	    T(one_shot_ends_it),
	    T(parts_and_one_shot_do_not_mix),
	    T(signatures_are_judged),
	    T(ecdsa_hashes_first),
	    T(dual_functions_do_both),
	    T(sign_and_encrypt_at_once),
	    T(oaep_with_every_hash),
	    T(rsa_decrypts_into_what_the_message_needs),
	    T(faults_are_what_is_answered),
	};

	return cmocka_run_group_tests(tests, group_up, group_down);
}
