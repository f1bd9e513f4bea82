/*
 * For tests of the token: a card with two partitions, whose first one has its
 * three roles, and applications.
 */
#ifndef TOKEN_RIG_TEST_H
#define TOKEN_RIG_TEST_H

#include "card/rig_test.h"
#include "token/token.h"

#define SO_PIN      "so-password"
#define USER_PIN    "user-password"
#define LIMITED_PIN "limited-password"

struct token_rig {
	struct card_rig card;
	struct token *token;
	struct token_app *a, *b;
};

static inline CK_BYTE *
octets(const char *text)
{
	return (CK_BYTE *)(uintptr_t)text;
}

static inline CK_RV
rig_login(struct token_app *app, CK_SESSION_HANDLE session, CK_USER_TYPE type,
    const char *pin)
{
	return token_C_Login(app, session, type, octets(pin), strlen(pin));
}

static inline CK_SESSION_HANDLE
rig_session(struct token_app *app, CK_FLAGS more)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

	assert_int_equal(token_C_OpenSession(app, 1, CKF_SERIAL_SESSION | more,
			     NULL, NULL, &session),
	    CKR_OK);
	return session;
}

/* A session that the Crypto Officer is logged in to. */
static inline CK_SESSION_HANDLE
rig_user(struct token_app *app)
{
	CK_SESSION_HANDLE session = rig_session(app, CKF_RW_SESSION);

	assert_int_equal(rig_login(app, session, CKU_USER, USER_PIN), CKR_OK);
	return session;
}

/* The roles of slot 1, through the card. */
static inline void
rig_roles(struct card *card)
{
	struct card_login so, user;

	assert_int_equal(
	    card_partition_init(card, 1, "par1", TEXT(SO_PIN), TEXT("domain")),
	    CARD_OK);
	assert_int_equal(
	    card_login(card, 1, CARD_SO, TEXT(SO_PIN), &so), CARD_OK);
	assert_int_equal(
	    card_role_init(card, &so, CARD_USER, TEXT("first-password")),
	    CARD_OK);
	card_logout(card, &so);
	assert_int_equal(
	    card_login(card, 1, CARD_USER, TEXT("first-password"), &user),
	    CARD_OK);
	assert_int_equal(
	    card_password(card, &user, TEXT("first-password"), TEXT(USER_PIN)),
	    CARD_OK);
	assert_int_equal(
	    card_role_init(card, &user, CARD_LIMITED, TEXT(LIMITED_PIN)),
	    CARD_OK);
	card_logout(card, &user);
}

/* Once for all tests of a program: making a partition takes its time. */
static inline void
token_rig_init(struct token_rig *r)
{
	card_rig_init(&r->card, CARD_LUNA7);
	card_rig_on(&r->card);
	rig_roles(r->card.card);
}

/* For each test: two applications. */
static inline void
token_rig_start(struct token_rig *r)
{
	assert_int_equal(
	    token_new(r->card.card, r->card.rig.env, false, &r->token), OK);
	assert_int_equal(token_app_new(r->token, &r->a), OK);
	assert_int_equal(token_app_new(r->token, &r->b), OK);
}

static inline void
token_rig_stop(struct token_rig *r)
{
	token_app_free(r->a);
	token_app_free(r->b);
	token_free(r->token);
	r->a = r->b = NULL;
	r->token = NULL;
}

static inline void
token_rig_clear(struct token_rig *r)
{
	card_rig_clear(&r->card);
}

/* ---- objects ---- */

static CK_BBOOL rig_yes = CK_TRUE, rig_no = CK_FALSE;

#define YES(type)                               \
	{                                       \
		type, &rig_yes, sizeof(rig_yes) \
	}
#define NO(type)                              \
	{                                     \
		type, &rig_no, sizeof(rig_no) \
	}
#define LABEL(text)                                   \
	{                                             \
		CKA_LABEL, octets(text), strlen(text) \
	}

/* An AES key for all uses, and private. */
static inline CK_OBJECT_HANDLE
rig_aes(struct token_app *app, CK_SESSION_HANDLE session, const char *label,
    bool on_token)
{
	CK_ULONG length = 32;
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE templ[] = {
	    {CKA_VALUE_LEN, &length, sizeof(length)},
	    {CKA_TOKEN, on_token ? &rig_yes : &rig_no, 1},
	    YES(CKA_ENCRYPT),
	    YES(CKA_DECRYPT),
	    YES(CKA_WRAP),
	    YES(CKA_UNWRAP),
	    YES(CKA_SENSITIVE),
	    LABEL(label),
	};
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

	assert_int_equal(
	    token_C_GenerateKey(app, session, &m, templ, LENGTH(templ), &key),
	    CKR_OK);
	return key;
}

/* A public data object. */
static inline CK_OBJECT_HANDLE
rig_data(struct token_app *app, CK_SESSION_HANDLE session, const char *label,
    bool on_token)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE templ[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_TOKEN, on_token ? &rig_yes : &rig_no, 1},
	    NO(CKA_PRIVATE),
	    {CKA_VALUE, octets("value"), 5},
	    LABEL(label),
	};
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

	assert_int_equal(
	    token_C_CreateObject(app, session, templ, LENGTH(templ), &object),
	    CKR_OK);
	return object;
}

/* How many have this label; *first is one of them. */
static inline CK_ULONG
rig_find(struct token_app *app, CK_SESSION_HANDLE session, const char *label,
    CK_OBJECT_HANDLE *first)
{
	CK_ATTRIBUTE templ[] = {LABEL(label)};
	CK_OBJECT_HANDLE found[16];
	CK_ULONG count = 0;

	assert_int_equal(
	    token_C_FindObjectsInit(app, session, templ, 1), CKR_OK);
	assert_int_equal(
	    token_C_FindObjects(app, session, found, 16, &count), CKR_OK);
	assert_int_equal(token_C_FindObjectsFinal(app, session), CKR_OK);
	*first = count > 0 ? found[0] : CK_INVALID_HANDLE;
	return count;
}

#endif
