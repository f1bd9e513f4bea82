#include "token/rig_test.h"

static struct token_rig rig;
static CK_SESSION_HANDLE s; /* of application a, the user logged in */

static int
group_up(void **state)
{
	(void)state;
	token_rig_init(&rig);
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
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	token_rig_stop(&rig);
	return 0;
}

static CK_MECHANISM key_wrap = {CKM_AES_KEY_WRAP, NULL, 0};
static CK_MECHANISM key_wrap_pad = {CKM_AES_KEY_WRAP_PAD, NULL, 0};

/* A secret key of a value; whether it may leave at all is asked for. */
static CK_OBJECT_HANDLE
secret_key(CK_KEY_TYPE type, const void *value, CK_ULONG octets_of_value,
    bool extractable)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE templ[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_VALUE, (void *)(uintptr_t)value, octets_of_value},
	    YES(CKA_SENSITIVE),
	    {CKA_EXTRACTABLE, extractable ? &rig_yes : &rig_no, 1},
	    YES(CKA_WRAP),
	    YES(CKA_UNWRAP),
	};
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

	assert_int_equal(
	    token_C_CreateObject(rig.a, s, templ, LENGTH(templ), &key), CKR_OK);
	return key;
}

/* spec: rfc5649 6 */
static const CK_BYTE kek_value[24] = {0x58, 0x40, 0xdf, 0x6e, 0x29, 0xb0, 0x2a,
    0xf1, 0xab, 0x49, 0x3b, 0x70, 0x5b, 0xf1, 0x6e, 0xa1, 0xae, 0x83, 0x38,
    0xf4, 0xdc, 0xc1, 0x76, 0xa8};
static const struct {
	CK_BYTE value[20];
	CK_ULONG octets;
	CK_BYTE wrapped[32];
	CK_ULONG wrapped_octets;
} padded[] = {
    {{0xc3, 0x7b, 0x7e, 0x64, 0x92, 0x58, 0x43, 0x40, 0xbe, 0xd1, 0x22, 0x07,
	 0x80, 0x89, 0x41, 0x15, 0x50, 0x68, 0xf7, 0x38},
	20,
	{0x13, 0x8b, 0xde, 0xaa, 0x9b, 0x8f, 0xa7, 0xfc, 0x61, 0xf9, 0x77, 0x42,
	    0xe7, 0x22, 0x48, 0xee, 0x5a, 0xe6, 0xae, 0x53, 0x60, 0xd1, 0xae,
	    0x6a, 0x5f, 0x54, 0xf3, 0x73, 0xfa, 0x54, 0x3b, 0x6a},
	32},
    {{0x46, 0x6f, 0x72, 0x50, 0x61, 0x73, 0x69}, 7,
	{0xaf, 0xbe, 0xb0, 0xf0, 0x7d, 0xfb, 0xf5, 0x41, 0x92, 0x00, 0xf2, 0xcc,
	    0xb5, 0x0b, 0xb2, 0x4f},
	16},
};

static void
odd_lengths_wrap_as_the_rfc_has_it(void **state)
{
	CK_OBJECT_HANDLE kek =
	    secret_key(CKK_AES, kek_value, sizeof(kek_value), false);
	CK_OBJECT_HANDLE key;
	CK_BYTE out[64];
	CK_ULONG n;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(padded); i++) {
		key = secret_key(CKK_GENERIC_SECRET, padded[i].value,
		    padded[i].octets, true);
		assert_int_equal(token_C_WrapKey(rig.a, s, &key_wrap_pad, kek,
				     key, NULL, &n),
		    CKR_OK);
		assert_int_equal(n, padded[i].wrapped_octets);
		n--;
		assert_int_equal(
		    token_C_WrapKey(rig.a, s, &key_wrap_pad, kek, key, out, &n),
		    CKR_BUFFER_TOO_SMALL);
		assert_int_equal(n, padded[i].wrapped_octets);
		assert_int_equal(
		    token_C_WrapKey(rig.a, s, &key_wrap_pad, kek, key, out, &n),
		    CKR_OK);
		assert_int_equal(n, padded[i].wrapped_octets);
		assert_memory_equal(out, padded[i].wrapped, n);
		/* Without padding there is no such length. */
		n = sizeof(out);
		assert_int_equal(
		    token_C_WrapKey(rig.a, s, &key_wrap, kek, key, out, &n),
		    CKR_KEY_SIZE_RANGE);
		/* A key that stays stays. */
		key = secret_key(CKK_GENERIC_SECRET, padded[i].value,
		    padded[i].octets, false);
		assert_int_equal(
		    token_C_WrapKey(rig.a, s, &key_wrap_pad, kek, key, out, &n),
		    CKR_KEY_UNEXTRACTABLE);
	}
}

/* What leaves as PKCS#8 comes back as the key that it was. */
static void
private_keys_wrap_and_unwrap(void **state)
{
	static const CK_BYTE p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_OBJECT_HANDLE kek =
	    secret_key(CKK_AES, kek_value, sizeof(kek_value), false);
	CK_MECHANISM gen = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_EC;
	CK_ATTRIBUTE of_public[] = {
	    {CKA_EC_PARAMS, (void *)(uintptr_t)p256, sizeof(p256)},
	    YES(CKA_VERIFY),
	};
	CK_ATTRIBUTE of_private[] = {YES(CKA_SIGN), YES(CKA_EXTRACTABLE)};
	CK_ATTRIBUTE again[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    YES(CKA_SIGN),
	};
	CK_OBJECT_HANDLE public, private, back;
	CK_BYTE wrapped[512], signature[64];
	CK_ULONG n = sizeof(wrapped), m = sizeof(signature);

	(void)state;
	assert_int_equal(token_C_GenerateKeyPair(rig.a, s, &gen, of_public, 2,
			     of_private, 2, &public, &private),
	    CKR_OK);
	assert_int_equal(
	    token_C_WrapKey(rig.a, s, &key_wrap_pad, kek, private, wrapped, &n),
	    CKR_OK);
	assert_int_equal(token_C_UnwrapKey(rig.a, s, &key_wrap_pad, kek,
			     wrapped, n, again, 3, &back),
	    CKR_OK);
	assert_int_equal(token_C_SignInit(rig.a, s, &ecdsa, back), CKR_OK);
	assert_int_equal(
	    token_C_Sign(rig.a, s, wrapped, 32, signature, &m), CKR_OK);
	assert_int_equal(token_C_VerifyInit(rig.a, s, &ecdsa, public), CKR_OK);
	assert_int_equal(
	    token_C_Verify(rig.a, s, wrapped, 32, signature, m), CKR_OK);
	wrapped[0] ^= 1;
	assert_int_equal(token_C_UnwrapKey(rig.a, s, &key_wrap_pad, kek,
			     wrapped, n, again, 3, &back),
	    CKR_WRAPPED_KEY_INVALID);
}

static void
refusals_name_what_is_wrong(void **state)
{
	CK_OBJECT_HANDLE kek =
	    secret_key(CKK_AES, kek_value, sizeof(kek_value), true);
	CK_OBJECT_HANDLE generic =
	    secret_key(CKK_GENERIC_SECRET, kek_value, 24, true);
	CK_OBJECT_CLASS class = CKO_SECRET_KEY, data = CKO_DATA;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET, des = CKK_DES;
	CK_ATTRIBUTE templ[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    YES(CKA_TOKEN),
	};
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0};
	CK_MECHANISM with_param = {CKM_AES_KEY_GEN, &class, sizeof(class)};
	CK_MECHANISM pair = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG length = 16, n = 64;
	CK_ATTRIBUTE of_aes[] = {
	    {CKA_VALUE_LEN, &length, sizeof(length)},
	    {CKA_KEY_TYPE, &des, sizeof(des)},
	    {CKA_CLASS, &data, sizeof(data)},
	};
	CK_SESSION_HANDLE ro = rig_session(rig.a, 0);
	CK_OBJECT_HANDLE made;
	CK_BYTE out[64];

	(void)state;
	assert_int_equal(token_C_WrapKey(rig.a, s, &key_wrap, 0, kek, out, &n),
	    CKR_WRAPPING_KEY_HANDLE_INVALID);
	assert_int_equal(token_C_WrapKey(rig.a, s, &key_wrap, kek, 0, out, &n),
	    CKR_KEY_HANDLE_INVALID);
	assert_int_equal(
	    token_C_WrapKey(rig.a, s, &key_wrap, generic, kek, out, &n),
	    CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(token_C_WrapKey(rig.a, s, &gen, kek, generic, out, &n),
	    CKR_MECHANISM_INVALID);
	assert_int_equal(
	    token_C_WrapKey(rig.a, s, &key_wrap, kek, generic, out, &n),
	    CKR_OK);
	assert_int_equal(
	    token_C_UnwrapKey(rig.a, s, &key_wrap, 0, out, n, templ, 2, &made),
	    CKR_UNWRAPPING_KEY_HANDLE_INVALID);
	assert_int_equal(token_C_UnwrapKey(rig.a, s, &key_wrap, generic, out, n,
			     templ, 2, &made),
	    CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(token_C_UnwrapKey(
			     rig.a, s, &key_wrap, kek, out, n, templ, 0, &made),
	    CKR_TEMPLATE_INCOMPLETE);
	assert_int_equal(token_C_UnwrapKey(rig.a, ro, &key_wrap, kek, out, n,
			     templ, 3, &made),
	    CKR_SESSION_READ_ONLY);
	assert_int_equal(token_C_UnwrapKey(
			     rig.a, s, &key_wrap, kek, out, n, templ, 2, &made),
	    CKR_OK);
	assert_int_equal(
	    token_C_GenerateKey(rig.a, s, &with_param, of_aes, 1, &made),
	    CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(token_C_GenerateKey(rig.a, s, &pair, of_aes, 1, &made),
	    CKR_MECHANISM_INVALID);
	assert_int_equal(token_C_GenerateKey(rig.a, s, &gen, of_aes, 2, &made),
	    CKR_TEMPLATE_INCONSISTENT);
	of_aes[1] = of_aes[2];
	assert_int_equal(token_C_GenerateKey(rig.a, s, &gen, of_aes, 2, &made),
	    CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(
	    token_C_GenerateKey(rig.a, s, &gen, of_aes, 1, &made), CKR_OK);
}

/* A pair that there is no room for leaves neither half. */
static void
pairs_are_whole(void **state)
{
	static const CK_BYTE p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_MECHANISM gen = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE of_public[] = {
	    {CKA_EC_PARAMS, (void *)(uintptr_t)p256, sizeof(p256)},
	    YES(CKA_TOKEN),
	    LABEL("pair"),
	};
	CK_ATTRIBUTE of_private[] = {YES(CKA_TOKEN), LABEL("pair")};
	struct token_storage storage, now;
	CK_OBJECT_HANDLE public, private, big;
	CK_ULONG size, room;
	CK_BYTE *value;
	CK_ATTRIBUTE fill[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    YES(CKA_TOKEN),
	    {CKA_VALUE, NULL, 0},
	};

	(void)state;
	assert_int_equal(token_C_GenerateKeyPair(rig.a, s, &gen, of_public, 3,
			     of_private, 2, &public, &private),
	    CKR_OK);
	assert_int_equal(rig_find(rig.a, s, "pair", &big), 2);
	assert_int_equal(
	    token_C_GetObjectSize(rig.a, s, public, &size), CKR_OK);
	assert_int_equal(token_C_DestroyObject(rig.a, s, public), CKR_OK);
	assert_int_equal(token_C_DestroyObject(rig.a, s, private), CKR_OK);
	/* Leave room for the public half, and a little. */
	assert_int_equal(token_C_CreateObject(rig.a, s, fill, 2, &big), CKR_OK);
	assert_int_equal(token_C_GetObjectSize(rig.a, s, big, &room), CKR_OK);
	assert_int_equal(token_C_DestroyObject(rig.a, s, big), CKR_OK);
	assert_int_equal(token_storage(rig.token, 1, &storage), CARD_OK);
	room = storage.total_octets - storage.used_octets - size - room - 10;
	value = calloc(room, 1);
	fill[2].pValue = value;
	fill[2].ulValueLen = room;
	assert_int_equal(token_C_CreateObject(rig.a, s, fill, 3, &big), CKR_OK);
	free(value);
	assert_int_equal(token_storage(rig.token, 1, &storage), CARD_OK);
	assert_int_equal(token_C_GenerateKeyPair(rig.a, s, &gen, of_public, 3,
			     of_private, 2, &public, &private),
	    CKR_DEVICE_MEMORY);
	assert_int_equal(token_storage(rig.token, 1, &now), CARD_OK);
	assert_int_equal(now.used_octets, storage.used_octets);
	assert_int_equal(now.objects, storage.objects);
	assert_int_equal(rig_find(rig.a, s, "pair", &public), 0);
	assert_int_equal(token_C_DestroyObject(rig.a, s, big), CKR_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(odd_lengths_wrap_as_the_rfc_has_it),
	    T(private_keys_wrap_and_unwrap),
	    T(refusals_name_what_is_wrong),
	    T(pairs_are_whole),
	};

	return cmocka_run_group_tests(tests, group_up, group_down);
}
