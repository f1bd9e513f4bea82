/*
 * The built-in card, whose partition opens by the trusted path: what an
 * application of PKCS#11 sees of that.
 */
#include "card/k6_rig_test.h"
#include "token/token.h"

static struct k6 k6;
static struct token *token;
static struct token_app *a, *b;

static int
set_up(void **state)
{
	(void)state;
	k6_init(&k6);
	assert_int_equal(
	    token_new(k6.rig.card, k6.rig.rig.env, false, &token), OK);
	assert_int_equal(token_app_new(token, &a), OK);
	assert_int_equal(token_app_new(token, &b), OK);
	return 0;
}

static int
set_up_made(void **state)
{
	set_up(state);
	k6_make(&k6);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	token_app_free(a);
	token_app_free(b);
	token_free(token);
	k6_clear(&k6);
	return 0;
}

static CK_SESSION_HANDLE
session(struct token_app *app)
{
	CK_SESSION_HANDLE s = CK_INVALID_HANDLE;

	assert_int_equal(
	    token_C_OpenSession(
		app, 1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s),
	    CKR_OK);
	return s;
}

static CK_RV
login(struct token_app *app, CK_SESSION_HANDLE s, const char *challenge)
{
	return token_C_Login(app, s, CKU_USER, (CK_BYTE *)(uintptr_t)challenge,
	    strlen(challenge));
}

static CK_STATE
state_of(struct token_app *app, CK_SESSION_HANDLE s)
{
	CK_SESSION_INFO info;

	assert_int_equal(token_C_GetSessionInfo(app, s, &info), CKR_OK);
	return info.state;
}

static CK_FLAGS
flags(void)
{
	CK_TOKEN_INFO info;

	assert_int_equal(token_C_GetTokenInfo(a, 1, &info), CKR_OK);
	return info.flags;
}

static CK_OBJECT_HANDLE
aes(CK_SESSION_HANDLE s)
{
	static CK_BBOOL yes = CK_TRUE;
	CK_ULONG length = 32;
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE templ[] = {
	    {CKA_VALUE_LEN, &length, sizeof(length)},
	    {CKA_TOKEN, &yes, 1},
	    {CKA_ENCRYPT, &yes, 1},
	};
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

	assert_int_equal(token_C_GenerateKey(a, s, &m, templ, 3, &key), CKR_OK);
	return key;
}

static CK_RV
encrypts(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	CK_BYTE block[16] = {0};
	CK_ULONG n = sizeof(block);
	CK_RV rv = token_C_EncryptInit(a, s, &m, key);

	return rv == CKR_OK ? token_C_Encrypt(a, s, block, 16, block, &n) : rv;
}

static void
no_partition_is_no_token(void **state)
{
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO info;
	CK_SESSION_HANDLE s;
	CK_SLOT_ID list;
	CK_ULONG count = 1;

	(void)state;
	assert_int_equal(token_C_GetSlotList(a, CK_TRUE, NULL, &count), CKR_OK);
	assert_int_equal(count, 0);
	count = 1;
	assert_int_equal(
	    token_C_GetSlotList(a, CK_FALSE, &list, &count), CKR_OK);
	assert_int_equal(list, 1);
	assert_int_equal(token_C_GetSlotInfo(a, 1, &slot), CKR_OK);
	assert_false(slot.flags & CKF_TOKEN_PRESENT);
	assert_int_equal(
	    token_C_GetTokenInfo(a, 1, &info), CKR_TOKEN_NOT_PRESENT);
	assert_int_equal(
	    token_C_OpenSession(a, 1, CKF_SERIAL_SESSION, NULL, NULL, &s),
	    CKR_TOKEN_NOT_PRESENT);
	assert_int_equal(token_C_GetSlotInfo(a, 2, &slot), CKR_SLOT_ID_INVALID);
	/* It comes, and that is an event. */
	k6_make(&k6);
	assert_int_equal(
	    token_C_WaitForSlotEvent(a, CKF_DONT_BLOCK, &list, NULL), CKR_OK);
	assert_int_equal(token_C_GetSlotInfo(a, 1, &slot), CKR_OK);
	assert_true(slot.flags & CKF_TOKEN_PRESENT);
	assert_int_equal(token_C_GetTokenInfo(a, 1, &info), CKR_OK);
	assert_memory_equal(info.label, "keys  ", 6);
	assert_memory_equal(info.model, "K6 Base         ", 16);
	assert_int_equal(info.firmwareVersion.major, 6);
}

/* Secrets are made and changed at the PED and the console. */
static void
pkcs11_sets_no_secrets(void **state)
{
	CK_SESSION_HANDLE s;
	CK_BYTE pin[] = "12345678", label[33] = "keys";

	(void)state;
	assert_true(flags() & CKF_PROTECTED_AUTHENTICATION_PATH);
	assert_true(flags() & CKF_USER_PIN_INITIALIZED);
	assert_int_equal(
	    token_C_InitToken(a, 1, pin, 8, label), CKR_FUNCTION_REJECTED);
	assert_int_equal(
	    token_C_InitToken(a, 1, NULL, 0, label), CKR_FUNCTION_REJECTED);
	s = session(a);
	assert_int_equal(
	    token_C_SetPIN(a, s, pin, 8, pin, 8), CKR_FUNCTION_REJECTED);
	assert_int_equal(token_C_InitPIN(a, s, pin, 8), CKR_USER_NOT_LOGGED_IN);
	k6_script(&k6, to_login_so);
	assert_int_equal(token_C_Login(a, s, CKU_SO, NULL, 0), CKR_OK);
	person_done(&k6.person);
	assert_int_equal(state_of(a, s), CKS_RW_SO_FUNCTIONS);
	assert_int_equal(token_C_InitPIN(a, s, pin, 8), CKR_FUNCTION_REJECTED);
	assert_int_equal(token_C_Logout(a, s), CKR_OK);
}

/* Once it is activated, the challenge is enough; without, nobody gets in. */
static void
challenge_is_enough_once_activated(void **state)
{
	CK_SESSION_HANDLE s = session(a), t = session(b);

	(void)state;
	assert_int_equal(login(a, s, k6.challenge), CKR_DEVICE_ERROR);
	k6_script(&k6, to_login_user);
	assert_int_equal(login(a, s, k6.challenge), CKR_OK);
	person_done(&k6.person);
	person_end(&k6.person);
	assert_int_equal(state_of(a, s), CKS_RW_USER_FUNCTIONS);
	assert_int_equal(state_of(b, t), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(login(b, t, "AAAA-AAAA-AAAA-AAAA"), CKR_PIN_INCORRECT);
	assert_true(flags() & CKF_USER_PIN_COUNT_LOW);
	assert_int_equal(login(b, t, k6.challenge), CKR_OK);
	assert_false(flags() & CKF_USER_PIN_COUNT_LOW);
	/* Without the challenge it is the PED, activated or not. */
	assert_int_equal(token_C_Logout(b, t), CKR_OK);
	assert_int_equal(
	    token_C_Login(b, t, CKU_USER, NULL, 0), CKR_DEVICE_ERROR);
}

/* Sessions stay, logins end, and handles of private keys with them. */
static void
deactivation_logs_out(void **state)
{
	CK_SESSION_HANDLE s = session(a), t = session(b);
	CK_OBJECT_HANDLE key, found;
	CK_ULONG count;

	(void)state;
	k6_activate(&k6);
	assert_int_equal(login(a, s, k6.challenge), CKR_OK);
	key = aes(s);
	assert_int_equal(encrypts(s, key), CKR_OK);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	assert_int_equal(encrypts(s, key), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(state_of(a, s), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(state_of(b, t), CKS_RW_PUBLIC_SESSION);
	k6_activate(&k6);
	assert_int_equal(login(a, s, k6.challenge), CKR_OK);
	assert_int_equal(encrypts(s, key), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(token_C_FindObjectsInit(a, s, NULL, 0), CKR_OK);
	assert_int_equal(token_C_FindObjects(a, s, &found, 1, &count), CKR_OK);
	assert_int_equal(count, 1);
	assert_int_equal(token_C_FindObjectsFinal(a, s), CKR_OK);
	assert_int_equal(encrypts(s, found), CKR_OK);
}

/* Every open application sees it, on its next call, and once. */
static void
zeroization_ends_everything(void **state)
{
	CK_SESSION_HANDLE s = session(a), t = session(b);
	CK_SESSION_INFO info;
	CK_TOKEN_INFO token_info;
	CK_OBJECT_HANDLE key;

	(void)state;
	k6_activate(&k6);
	assert_int_equal(login(a, s, k6.challenge), CKR_OK);
	key = aes(s);
	assert_int_equal(encrypts(s, key), CKR_OK);
	assert_int_equal(card_zeroize(k6.rig.card), CARD_OK);
	assert_int_equal(encrypts(s, key), CKR_DEVICE_REMOVED);
	assert_int_equal(encrypts(s, key), CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(
	    token_C_GetSessionInfo(b, t, &info), CKR_DEVICE_REMOVED);
	assert_int_equal(
	    token_C_GetSessionInfo(b, t, &info), CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(
	    token_C_GetTokenInfo(a, 1, &token_info), CKR_TOKEN_NOT_PRESENT);
	assert_int_equal(
	    token_C_OpenSession(a, 1, CKF_SERIAL_SESSION, NULL, NULL, &s),
	    CKR_TOKEN_NOT_PRESENT);
}

/* The vendor's return codes, for who chose them. */
static void
vendor_codes_on_request(void **state)
{
	struct token *luna;
	struct token_app *app;
	CK_SESSION_HANDLE s;
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG length = 16;
	CK_ATTRIBUTE templ = {CKA_VALUE_LEN, &length, sizeof(length)};
	CK_OBJECT_HANDLE key;

	(void)state;
	k6_activate(&k6);
	assert_int_equal(
	    token_new(k6.rig.card, k6.rig.rig.env, true, &luna), OK);
	assert_int_equal(token_app_new(luna, &app), OK);
	s = session(app);
	assert_int_equal(login(app, s, "AAAA-AAAA-AAAA-AAAA"), 0x80000067);
	assert_int_equal(
	    token_C_GenerateKey(app, s, &m, &templ, 1, &key), 0x8000001a);
	assert_int_equal(token_C_Login(app, s, CKU_USER, NULL, 0), 0x8000002e);
	token_app_free(app);
	token_free(luna);
}

#define BARE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define MADE(test) cmocka_unit_test_setup_teardown(test, set_up_made, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BARE(no_partition_is_no_token),
	    MADE(pkcs11_sets_no_secrets),
	    MADE(challenge_is_enough_once_activated),
	    MADE(deactivation_logs_out),
	    MADE(zeroization_ends_everything),
	    MADE(vendor_codes_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
