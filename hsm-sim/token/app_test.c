#include <pthread.h>

#include "token/rig_test.h"

static struct token_rig rig;

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
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	token_rig_stop(&rig);
	return 0;
}

static CK_STATE
state_of(struct token_app *app, CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;

	assert_int_equal(token_C_GetSessionInfo(app, session, &info), CKR_OK);
	return info.state;
}

/* ---- two applications ---- */

static void
login_is_one_applications(void **state)
{
	CK_SESSION_HANDLE a = rig_user(rig.a);
	CK_SESSION_HANDLE b = rig_session(rig.b, CKF_RW_SESSION);
	CK_OBJECT_HANDLE key = rig_aes(rig.a, a, "mine", true), found;
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	CK_BYTE in[16] = {0}, out[16];
	CK_ULONG out_len = sizeof(out);

	(void)state;
	assert_int_equal(state_of(rig.a, a), CKS_RW_USER_FUNCTIONS);
	assert_int_equal(state_of(rig.b, b), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(rig_find(rig.a, a, "mine", &found), 1);
	assert_int_equal(found, key);
	/* SoftHSM is logged in; the other application is not. */
	assert_int_equal(rig_find(rig.b, b, "mine", &found), 0);
	assert_int_equal(
	    token_C_EncryptInit(rig.b, b, &m, key), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(
	    token_C_DestroyObject(rig.b, b, key), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(token_C_Logout(rig.b, b), CKR_USER_NOT_LOGGED_IN);
	/* And now it is, with a handle of its own. */
	assert_int_equal(rig_login(rig.b, b, CKU_USER, USER_PIN), CKR_OK);
	assert_int_equal(rig_find(rig.b, b, "mine", &found), 1);
	assert_int_not_equal(found, key);
	assert_int_equal(token_C_EncryptInit(rig.b, b, &m, found), CKR_OK);
	assert_int_equal(
	    token_C_Encrypt(rig.b, b, in, 16, out, &out_len), CKR_OK);
	/* The first one's logout is its own. */
	assert_int_equal(token_C_Logout(rig.a, a), CKR_OK);
	assert_int_equal(state_of(rig.b, b), CKS_RW_USER_FUNCTIONS);
	assert_int_equal(token_C_DestroyObject(rig.b, b, found), CKR_OK);
}

static void
private_objects_are_made_by_the_logged_in(void **state)
{
	CK_SESSION_HANDLE a = rig_user(rig.a);
	CK_SESSION_HANDLE b = rig_session(rig.b, CKF_RW_SESSION);
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE templ[] = {
	    {CKA_CLASS, &class, sizeof(class)}, YES(CKA_PRIVATE)};
	CK_OBJECT_HANDLE object;

	(void)state;
	assert_int_equal(token_C_CreateObject(rig.b, b, templ, 2, &object),
	    CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(
	    token_C_CreateObject(rig.a, a, templ, 2, &object), CKR_OK);
	templ[1].pValue = &rig_no;
	assert_int_equal(
	    token_C_CreateObject(rig.b, b, templ, 2, &object), CKR_OK);
}

static void
sessions_are_one_applications(void **state)
{
	CK_SESSION_HANDLE a = rig_session(rig.a, 0);
	CK_SESSION_HANDLE b = rig_session(rig.b, 0);
	CK_SESSION_INFO info;

	(void)state;
	assert_int_equal(token_C_GetSessionInfo(rig.b, a, &info),
	    CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(
	    token_C_CloseSession(rig.b, a), CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(token_C_CloseAllSessions(rig.b, 1), CKR_OK);
	assert_int_equal(token_C_GetSessionInfo(rig.b, b, &info),
	    CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(token_C_GetSessionInfo(rig.a, a, &info), CKR_OK);
}

static void
session_objects_are_one_applications(void **state)
{
	CK_SESSION_HANDLE a1 = rig_session(rig.a, 0);
	CK_SESSION_HANDLE a2 = rig_session(rig.a, 0);
	CK_SESSION_HANDLE b = rig_session(rig.b, 0);
	CK_OBJECT_HANDLE object = rig_data(rig.a, a1, "here", false), found;
	CK_ULONG size;

	(void)state;
	/* All sessions of its application see it, no other's. */
	assert_int_equal(rig_find(rig.a, a2, "here", &found), 1);
	assert_int_equal(found, object);
	assert_int_equal(rig_find(rig.b, b, "here", &found), 0);
	assert_int_equal(token_C_GetObjectSize(rig.b, b, object, &size),
	    CKR_OBJECT_HANDLE_INVALID);
	/* It ends with the session that made it. */
	assert_int_equal(token_C_CloseSession(rig.a, a1), CKR_OK);
	assert_int_equal(rig_find(rig.a, a2, "here", &found), 0);
	assert_int_equal(token_C_GetObjectSize(rig.a, a2, object, &size),
	    CKR_OBJECT_HANDLE_INVALID);
}

static void
public_token_objects_are_shared(void **state)
{
	CK_SESSION_HANDLE a = rig_session(rig.a, CKF_RW_SESSION);
	CK_SESSION_HANDLE b = rig_session(rig.b, CKF_RW_SESSION);
	CK_OBJECT_HANDLE object = rig_data(rig.a, a, "shared", true), found;
	CK_ATTRIBUTE label = LABEL("renamed");
	CK_ULONG size;

	(void)state;
	assert_int_equal(rig_find(rig.b, b, "shared", &found), 1);
	assert_int_equal(
	    token_C_SetAttributeValue(rig.b, b, found, &label, 1), CKR_OK);
	assert_int_equal(rig_find(rig.a, a, "shared", &found), 0);
	assert_int_equal(rig_find(rig.a, a, "renamed", &found), 1);
	assert_int_equal(found, object);
	assert_int_equal(rig_find(rig.b, b, "renamed", &found), 1);
	assert_int_equal(token_C_DestroyObject(rig.b, b, found), CKR_OK);
	assert_int_equal(token_C_GetObjectSize(rig.a, a, object, &size),
	    CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(
	    token_C_DestroyObject(rig.a, a, object), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(rig_find(rig.a, a, "renamed", &found), 0);
}

static void
handles_are_not_guessed_or_used_again(void **state)
{
	CK_SESSION_HANDLE a = rig_session(rig.a, 0);
	CK_OBJECT_HANDLE first = rig_data(rig.a, a, "h", false), next;
	CK_SESSION_HANDLE b = rig_session(rig.b, 0);

	(void)state;
	assert_int_equal(token_C_DestroyObject(rig.a, a, first), CKR_OK);
	next = rig_data(rig.a, a, "h", false);
	assert_int_not_equal(first, next);
	/* Both applications count alike; the rest of a handle is random. */
	assert_int_equal((uint32_t)a, (uint32_t)b);
	assert_int_not_equal(a >> 32, b >> 32);
}

/* ---- logins ---- */

static void
one_role_at_a_time(void **state)
{
	CK_SESSION_HANDLE rw = rig_session(rig.a, CKF_RW_SESSION), ro, no;

	(void)state;
	assert_int_equal(rig_login(rig.a, rw, 7, "x"), CKR_USER_TYPE_INVALID);
	assert_int_equal(rig_login(rig.a, rw, CKU_CONTEXT_SPECIFIC, "x"),
	    CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(token_C_Login(rig.a, rw, CKU_USER, NULL, 0),
	    CKR_ARGUMENTS_BAD); /* no trusted path here */
	assert_int_equal(
	    rig_login(rig.a, rw, CKU_USER, "wrong"), CKR_PIN_INCORRECT);
	ro = rig_session(rig.a, 0);
	assert_int_equal(
	    rig_login(rig.a, rw, CKU_SO, SO_PIN), CKR_SESSION_READ_ONLY_EXISTS);
	assert_int_equal(token_C_CloseSession(rig.a, ro), CKR_OK);
	assert_int_equal(rig_login(rig.a, rw, CKU_SO, SO_PIN), CKR_OK);
	assert_int_equal(state_of(rig.a, rw), CKS_RW_SO_FUNCTIONS);
	assert_int_equal(
	    rig_login(rig.a, rw, CKU_SO, SO_PIN), CKR_USER_ALREADY_LOGGED_IN);
	assert_int_equal(rig_login(rig.a, rw, CKU_USER, USER_PIN),
	    CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	assert_int_equal(
	    token_C_OpenSession(rig.a, 1, CKF_SERIAL_SESSION, NULL, NULL, &no),
	    CKR_SESSION_READ_WRITE_SO_EXISTS);
	assert_int_equal(token_C_Logout(rig.a, rw), CKR_OK);
	assert_int_equal(state_of(rig.a, rw), CKS_RW_PUBLIC_SESSION);
	ro = rig_session(rig.a, 0);
	assert_int_equal(rig_login(rig.a, ro, CKU_USER, USER_PIN), CKR_OK);
	assert_int_equal(state_of(rig.a, ro), CKS_RO_USER_FUNCTIONS);
	assert_int_equal(state_of(rig.a, rw), CKS_RW_USER_FUNCTIONS);
}

static void
the_last_session_is_the_login(void **state)
{
	CK_SESSION_HANDLE one = rig_user(rig.a);
	CK_SESSION_HANDLE two = rig_session(rig.a, 0);

	(void)state;
	assert_int_equal(token_C_CloseSession(rig.a, one), CKR_OK);
	assert_int_equal(state_of(rig.a, two), CKS_RO_USER_FUNCTIONS);
	assert_int_equal(token_C_CloseSession(rig.a, two), CKR_OK);
	two = rig_session(rig.a, 0);
	assert_int_equal(state_of(rig.a, two), CKS_RO_PUBLIC_SESSION);
}

/* What a logout takes away: handles, session objects, operations. */
static void
logout_takes_private_things_away(void **state)
{
	/* While another is logged in, SoftHSM keeps everything. */
	CK_SESSION_HANDLE other = rig_user(rig.b);
	CK_SESSION_HANDLE s = rig_user(rig.a);
	CK_OBJECT_HANDLE token_key = rig_aes(rig.a, s, "token key", true);
	CK_OBJECT_HANDLE session_key = rig_aes(rig.a, s, "session key", false);
	CK_OBJECT_HANDLE public = rig_data(rig.a, s, "public", false), found;
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	CK_BYTE in[16] = {0}, out[16];
	CK_ULONG n = sizeof(out), size;

	(void)state;
	assert_int_equal(state_of(rig.b, other), CKS_RW_USER_FUNCTIONS);
	assert_int_equal(token_C_EncryptInit(rig.a, s, &m, token_key), CKR_OK);
	assert_int_equal(token_C_Logout(rig.a, s), CKR_OK);
	assert_int_equal(token_C_Encrypt(rig.a, s, in, 16, out, &n),
	    CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(rig_login(rig.a, s, CKU_USER, USER_PIN), CKR_OK);
	assert_int_equal(token_C_EncryptInit(rig.a, s, &m, token_key),
	    CKR_KEY_HANDLE_INVALID);
	assert_int_equal(rig_find(rig.a, s, "session key", &found), 0);
	assert_int_equal(token_C_GetObjectSize(rig.a, s, session_key, &size),
	    CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(
	    token_C_GetObjectSize(rig.a, s, public, &size), CKR_OK);
	assert_int_equal(rig_find(rig.a, s, "token key", &found), 1);
	assert_int_not_equal(found, token_key);
	assert_int_equal(token_C_DestroyObject(rig.a, s, found), CKR_OK);
}

/* req: KSC-127  the rule holds for PKCS#11 too */
static void
first_password_is_good_for_a_change_only(void **state)
{
	CK_SESSION_HANDLE s = rig_session(rig.a, CKF_RW_SESSION);
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG length = 16;
	CK_ATTRIBUTE templ = {CKA_VALUE_LEN, &length, sizeof(length)};
	CK_OBJECT_HANDLE key;
	CK_TOKEN_INFO info;
	CK_BYTE out[20];
	CK_ULONG n = sizeof(out);
	CK_MECHANISM sha = {CKM_SHA_1, NULL, 0};

	(void)state;
	assert_int_equal(rig_login(rig.a, s, CKU_SO, SO_PIN), CKR_OK);
	assert_int_equal(
	    token_C_InitPIN(rig.a, s, octets("brand-new"), 9), CKR_OK);
	assert_int_equal(token_C_Logout(rig.a, s), CKR_OK);
	assert_int_equal(rig_login(rig.a, s, CKU_USER, "brand-new"), CKR_OK);
	assert_int_equal(state_of(rig.a, s), CKS_RW_USER_FUNCTIONS);
	assert_int_equal(token_C_GetTokenInfo(rig.a, 1, &info), CKR_OK);
	assert_true(info.flags & CKF_USER_PIN_TO_BE_CHANGED);
	assert_int_equal(token_C_GenerateKey(rig.a, s, &m, &templ, 1, &key),
	    CKR_PIN_EXPIRED);
	assert_int_equal(
	    token_C_FindObjectsInit(rig.a, s, NULL, 0), CKR_PIN_EXPIRED);
	/* Nobody's rights are in a digest. */
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha), CKR_OK);
	assert_int_equal(
	    token_C_Digest(rig.a, s, octets("x"), 1, out, &n), CKR_OK);
	assert_int_equal(token_C_SetPIN(rig.a, s, octets("wrong"), 5,
			     octets(USER_PIN), strlen(USER_PIN)),
	    CKR_PIN_INCORRECT);
	assert_int_equal(token_C_SetPIN(rig.a, s, octets("brand-new"), 9,
			     octets(USER_PIN), strlen(USER_PIN)),
	    CKR_OK);
	assert_int_equal(
	    token_C_GenerateKey(rig.a, s, &m, &templ, 1, &key), CKR_OK);
	assert_int_equal(token_C_GetTokenInfo(rig.a, 1, &info), CKR_OK);
	assert_false(info.flags & CKF_USER_PIN_TO_BE_CHANGED);
}

/* A role that gets a new password loses its logins, wherever they are. */
static void
reset_role_is_logged_out(void **state)
{
	CK_SESSION_HANDLE a = rig_user(rig.a);
	CK_SESSION_HANDLE b = rig_session(rig.b, CKF_RW_SESSION);
	CK_OBJECT_HANDLE key = rig_aes(rig.a, a, "k", false);
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};

	(void)state;
	assert_int_equal(rig_login(rig.b, b, CKU_SO, SO_PIN), CKR_OK);
	assert_int_equal(
	    token_C_InitPIN(rig.b, b, octets("brand-new"), 9), CKR_OK);
	assert_int_equal(
	    token_C_EncryptInit(rig.a, a, &m, key), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(state_of(rig.a, a), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(token_C_Logout(rig.b, b), CKR_OK);
	/* Without a login C_SetPIN is the user's, who proves it. */
	assert_int_equal(token_C_SetPIN(rig.b, b, octets("brand-new"), 9,
			     octets(USER_PIN), strlen(USER_PIN)),
	    CKR_OK);
	assert_int_equal(state_of(rig.b, b), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(rig_login(rig.a, a, CKU_USER, USER_PIN), CKR_OK);
}

/* req: KSC-117  the Crypto User changes nothing of the Crypto Officer's */
static void
crypto_user_uses_and_no_more(void **state)
{
	CK_SESSION_HANDLE a = rig_user(rig.a);
	CK_SESSION_HANDLE b = rig_session(rig.b, CKF_RW_SESSION);
	CK_OBJECT_HANDLE theirs = rig_aes(rig.a, a, "kept", true), key, made;
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG length = 16, n = 16;
	CK_ATTRIBUTE templ[] = {{CKA_VALUE_LEN, &length, sizeof(length)}};
	CK_ATTRIBUTE label = LABEL("changed");
	CK_BYTE block[16] = {0};

	(void)state;
	assert_int_equal(
	    rig_login(rig.b, b, TOKEN_CKU_LIMITED, LIMITED_PIN), CKR_OK);
	assert_int_equal(state_of(rig.b, b), CKS_RW_USER_FUNCTIONS);
	assert_int_equal(rig_find(rig.b, b, "kept", &key), 1);
	assert_int_equal(token_C_EncryptInit(rig.b, b, &ecb, key), CKR_OK);
	assert_int_equal(
	    token_C_Encrypt(rig.b, b, block, 16, block, &n), CKR_OK);
	assert_int_equal(token_C_SetAttributeValue(rig.b, b, key, &label, 1),
	    CKR_ACTION_PROHIBITED);
	assert_int_equal(
	    token_C_DestroyObject(rig.b, b, key), CKR_ACTION_PROHIBITED);
	assert_int_equal(token_C_CopyObject(rig.b, b, key, NULL, 0, &made),
	    CKR_ACTION_PROHIBITED);
	assert_int_equal(token_C_GenerateKey(rig.b, b, &gen, templ, 1, &made),
	    CKR_ACTION_PROHIBITED);
	assert_int_equal(rig_find(rig.a, a, "kept", &key), 1);
	assert_int_equal(key, theirs);
	assert_int_equal(token_C_DestroyObject(rig.a, a, key), CKR_OK);
}

static void
read_only_sessions_leave_the_token_alone(void **state)
{
	CK_SESSION_HANDLE rw = rig_user(rig.a);
	CK_SESSION_HANDLE ro = rig_session(rig.a, 0);
	CK_OBJECT_HANDLE key = rig_aes(rig.a, rw, "t", true), made;
	CK_OBJECT_HANDLE mine = rig_aes(rig.a, ro, "s", false);
	CK_ATTRIBUTE label = LABEL("x"), to_token = YES(CKA_TOKEN);

	(void)state;
	assert_int_equal(token_C_SetAttributeValue(rig.a, ro, key, &label, 1),
	    CKR_SESSION_READ_ONLY);
	assert_int_equal(
	    token_C_DestroyObject(rig.a, ro, key), CKR_SESSION_READ_ONLY);
	assert_int_equal(
	    token_C_CopyObject(rig.a, ro, mine, &to_token, 1, &made),
	    CKR_SESSION_READ_ONLY);
	assert_int_equal(
	    token_C_SetAttributeValue(rig.a, ro, mine, &label, 1), CKR_OK);
	assert_int_equal(
	    token_C_CopyObject(rig.a, rw, mine, &to_token, 1, &made), CKR_OK);
	assert_int_equal(token_C_DestroyObject(rig.a, ro, mine), CKR_OK);
	assert_int_equal(token_C_DestroyObject(rig.a, rw, made), CKR_OK);
	assert_int_equal(token_C_DestroyObject(rig.a, rw, key), CKR_OK);
}

static void
sessions_are_bounded(void **state)
{
	CK_SESSION_HANDLE s, first = rig_session(rig.a, 0);
	unsigned i;

	(void)state;
	for (i = 1; i < TOKEN_SESSIONS_MAX; i++)
		s = rig_session(rig.a, 0);
	assert_int_equal(
	    token_C_OpenSession(rig.a, 1, CKF_SERIAL_SESSION, NULL, NULL, &s),
	    CKR_SESSION_COUNT);
	assert_int_equal(token_C_CloseSession(rig.a, first), CKR_OK);
	assert_int_equal(
	    token_C_OpenSession(rig.a, 1, CKF_SERIAL_SESSION, NULL, NULL, &s),
	    CKR_OK);
}

/* ---- what the card ends ---- */

/*
 * Every session sees it, once; and slot 2 goes on. The partition has its roles
 * again afterwards, for the tests that follow.
 */
static void
partition_made_anew_ends_sessions(void **state)
{
	CK_SESSION_HANDLE a = rig_user(rig.a);
	CK_SESSION_HANDLE a2 = rig_session(rig.a, 0), other, found;
	CK_SESSION_HANDLE b = rig_session(rig.b, 0);
	CK_SESSION_INFO info;
	CK_SLOT_ID slot = 0;

	(void)state;
	assert_int_equal(card_partition_init(rig.card.card, 2, "par2",
			     TEXT(SO_PIN), TEXT("domain")),
	    CARD_OK);
	assert_int_equal(token_C_OpenSession(
			     rig.a, 2, CKF_SERIAL_SESSION, NULL, NULL, &other),
	    CKR_OK);
	(void)rig_aes(rig.a, a, "gone", true);
	assert_int_equal(
	    token_C_WaitForSlotEvent(rig.a, CKF_DONT_BLOCK, &slot, NULL),
	    CKR_OK);
	assert_int_equal(slot, 2);
	assert_int_equal(
	    token_C_WaitForSlotEvent(rig.a, CKF_DONT_BLOCK, &slot, NULL),
	    CKR_NO_EVENT);
	/* PKCS#11 does not do this under somebody's session ... */
	assert_int_equal(
	    token_C_InitToken(rig.b, 1, octets(SO_PIN), strlen(SO_PIN),
		octets("par1                            ")),
	    CKR_SESSION_EXISTS);
	/* ... but an administrator does. */
	rig_roles(rig.card.card);
	assert_int_equal(
	    token_C_GetSessionInfo(rig.a, a, &info), CKR_DEVICE_REMOVED);
	assert_int_equal(token_C_GetSessionInfo(rig.a, a, &info),
	    CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(token_C_GetSessionInfo(rig.a, a2, &info),
	    CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(
	    token_C_OpenSession(rig.b, 1, CKF_SERIAL_SESSION, NULL, NULL, &b),
	    CKR_DEVICE_REMOVED);
	assert_int_equal(token_C_GetSessionInfo(rig.a, other, &info), CKR_OK);
	assert_int_equal(
	    token_C_WaitForSlotEvent(rig.a, CKF_DONT_BLOCK, &slot, NULL),
	    CKR_OK);
	assert_int_equal(slot, 1);
	a = rig_user(rig.a);
	assert_int_equal(rig_find(rig.a, a, "gone", &found), 0);
}

static void
init_token_wants_the_officers_password(void **state)
{
	CK_BYTE label[] = "par1 again                      ";
	CK_TOKEN_INFO info;

	(void)state;
	assert_int_equal(token_C_InitToken(rig.a, 1, octets("wrong"), 5, label),
	    CKR_PIN_INCORRECT);
	assert_int_equal(token_C_GetTokenInfo(rig.a, 1, &info), CKR_OK);
	assert_memory_equal(info.label, "par1  ", 6);
	assert_true(info.flags & CKF_USER_PIN_INITIALIZED);
	assert_true(info.flags & CKF_SO_PIN_COUNT_LOW);
	assert_int_equal(
	    token_C_InitToken(rig.a, 1, octets(SO_PIN), strlen(SO_PIN), label),
	    CKR_OK);
	assert_int_equal(token_C_GetTokenInfo(rig.a, 1, &info), CKR_OK);
	assert_memory_equal(info.label, label, 32);
	assert_false(info.flags & CKF_USER_PIN_INITIALIZED);
	assert_false(info.flags & CKF_SO_PIN_COUNT_LOW);
	rig_roles(rig.card.card);
}

/* ---- many at once ---- */

enum { THREADS = 4, ROUNDS = 40 };

static void *
come_and_go(void *arg)
{
	struct token_app *app;
	CK_SESSION_HANDLE s, found;
	CK_OBJECT_HANDLE key;
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	CK_BYTE block[16] = {0};
	CK_ULONG n;
	unsigned i;
	long *bad = arg;

	for (i = 0; i < ROUNDS; i++) {
		if (token_app_new(rig.token, &app) != OK)
			continue;
		s = CK_INVALID_HANDLE;
		*bad += token_C_OpenSession(app, 1,
			    CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			    &s) != CKR_OK;
		*bad += rig_login(app, s, CKU_USER, USER_PIN) != CKR_OK;
		*bad += rig_find(app, s, "everybody's", &key) != 1;
		n = sizeof(block);
		*bad += token_C_EncryptInit(app, s, &m, key) != CKR_OK;
		*bad += token_C_Encrypt(app, s, block, 16, block, &n) != CKR_OK;
		found = rig_aes(app, s, "own", i % 8 == 0);
		*bad += token_C_DestroyObject(app, s, found) != CKR_OK;
		if (i % 2 == 0)
			*bad += token_C_Logout(app, s) != CKR_OK;
		token_app_free(app);
	}
	return NULL;
}

static void
applications_come_and_go(void **state)
{
	CK_SESSION_HANDLE s = rig_user(rig.a);
	CK_OBJECT_HANDLE key = rig_aes(rig.a, s, "everybody's", true);
	pthread_t threads[THREADS];
	long bad[THREADS] = {0};
	unsigned i;

	(void)state;
	/* Each of them is the last user at times: SoftHSM is logged out. */
	assert_int_equal(token_C_Logout(rig.a, s), CKR_OK);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, come_and_go, &bad[i]), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(bad[i], 0);
	}
	assert_int_equal(rig_login(rig.a, s, CKU_USER, USER_PIN), CKR_OK);
	assert_int_equal(rig_find(rig.a, s, "everybody's", &key), 1);
	assert_int_equal(token_C_DestroyObject(rig.a, s, key), CKR_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(login_is_one_applications),
	    T(private_objects_are_made_by_the_logged_in),
	    T(sessions_are_one_applications),
	    T(session_objects_are_one_applications),
	    T(public_token_objects_are_shared),
	    T(handles_are_not_guessed_or_used_again),
	    T(one_role_at_a_time),
	    T(the_last_session_is_the_login),
	    T(logout_takes_private_things_away),
	    T(first_password_is_good_for_a_change_only),
	    T(reset_role_is_logged_out),
	    T(crypto_user_uses_and_no_more),
	    T(read_only_sessions_leave_the_token_alone),
	    T(sessions_are_bounded),
	    T(partition_made_anew_ends_sessions),
	    T(init_token_wants_the_officers_password),
	    T(applications_come_and_go),
	};

	return cmocka_run_group_tests(tests, group_up, group_down);
}
