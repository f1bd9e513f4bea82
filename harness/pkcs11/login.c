/*
 * Logging in and out.
 *
 * A trial gives at most one wrong PIN and the right one after it, so that no
 * counter of attempts grows; the SO's, which destroys more when it is used up,
 * only with --init-token.
 */
#include "module.h"
#include "trial.h"

#include <string.h>

/* As long as the right one, so that only its value can be wrong. */
static struct bytes
wrong_pin(struct bytes right)
{
	static CK_BYTE wrong[1024];
	size_t octets = right.octets;

	memcpy(wrong, right.at, octets);
	wrong[octets - 1] = wrong[octets - 1] == 'x' ? 'y' : 'x';
	return (struct bytes){wrong, octets};
}

static void
user_states(const struct trial *t)
{
	CK_SESSION_HANDLE ro = session_open(false), rw = session_open(true);
	CK_SESSION_HANDLE late;

	(void)t;
	JUDGE(ask_login(ro, CKU_USER, user_pin), CKR_OK);
	session_is(ro, CKS_RO_USER_FUNCTIONS);
	session_is(rw, CKS_RW_USER_FUNCTIONS);
	late = session_open(false);
	session_is(late, CKS_RO_USER_FUNCTIONS);
	MUST(C_Logout, (rw));
	session_is(ro, CKS_RO_PUBLIC_SESSION);
	session_is(rw, CKS_RW_PUBLIC_SESSION);
	session_is(late, CKS_RO_PUBLIC_SESSION);
}

static void
so_states(const struct trial *t)
{
	CK_SESSION_HANDLE one = session_open(true), two = session_open(true);

	(void)t;
	JUDGE(ask_login(one, CKU_SO, so_pin), CKR_OK);
	session_is(one, CKS_RW_SO_FUNCTIONS);
	session_is(two, CKS_RW_SO_FUNCTIONS);
	MUST(C_Logout, (two));
	session_is(one, CKS_RW_PUBLIC_SESSION);
}

static void
twice(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user(), other = session_open(false);

	(void)t;
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_USER_ALREADY_LOGGED_IN);
	JUDGE(ask_login(other, CKU_USER, user_pin), CKR_USER_ALREADY_LOGGED_IN);
	session_is(s, CKS_RW_USER_FUNCTIONS);
}

static void
so_over_user(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();

	(void)t;
	JUDGE(ask_login(s, CKU_SO, so_pin), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	session_is(s, CKS_RW_USER_FUNCTIONS);
}

static void
user_over_so(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);

	(void)t;
	JUDGE(ask_login(s, CKU_SO, so_pin), CKR_OK);
	JUDGE(ask_login(s, CKU_USER, user_pin),
	    CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	session_is(s, CKS_RW_SO_FUNCTIONS);
}

static void
wrong_user_pin(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);

	(void)t;
	JUDGE(ask_login(s, CKU_USER, wrong_pin(user_pin)), CKR_PIN_INCORRECT);
	session_is(s, CKS_RW_PUBLIC_SESSION);
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_OK);
}

static void
wrong_so_pin(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);

	(void)t;
	JUDGE(ask_login(s, CKU_SO, wrong_pin(so_pin)), CKR_PIN_INCORRECT);
	session_is(s, CKS_RW_PUBLIC_SESSION);
	JUDGE(ask_login(s, CKU_SO, so_pin), CKR_OK);
}

static void
unknown_user(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);

	(void)t;
	JUDGE(ask_login(s, 0x7ffe1234, user_pin), CKR_USER_TYPE_INVALID);
	session_is(s, CKS_RW_PUBLIC_SESSION);
}

static void
logout_without(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);

	(void)t;
	WANT(C_Logout, (s), CKR_USER_NOT_LOGGED_IN);
}

static void
logout_twice(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();

	(void)t;
	MUST(C_Logout, (s));
	WANT(C_Logout, (s), CKR_USER_NOT_LOGGED_IN);
}

static void
so_beside_ro(const struct trial *t)
{
	CK_SESSION_HANDLE rw = session_open(true), ro = session_open(false);

	(void)t;
	JUDGE(ask_login(rw, CKU_SO, so_pin), CKR_SESSION_READ_ONLY_EXISTS);
	MUST(C_CloseSession, (ro));
	JUDGE(ask_login(rw, CKU_SO, so_pin), CKR_OK);
}

static void
so_in_ro(const struct trial *t)
{
	CK_SESSION_HANDLE ro = session_open(false);

	(void)t;
	JUDGE(ask_login(ro, CKU_SO, so_pin), CKR_SESSION_READ_ONLY_EXISTS,
	    CKR_SESSION_READ_ONLY);
}

static void
ro_beside_so(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true), ro;

	(void)t;
	JUDGE(ask_login(s, CKU_SO, so_pin), CKR_OK);
	WANT(C_OpenSession, (slot, CKF_SERIAL_SESSION, NULL, NULL, &ro),
	    CKR_SESSION_READ_WRITE_SO_EXISTS);
}

static void
last_session_ends_it(const struct trial *t)
{
	CK_SESSION_HANDLE one = session_user(), two = session_open(true);

	(void)t;
	MUST(C_CloseSession, (one));
	session_is(two, CKS_RW_USER_FUNCTIONS);
	MUST(C_CloseSession, (two));
	session_is(session_open(true), CKS_RW_PUBLIC_SESSION);
}

static void
close_all_ends_it(const struct trial *t)
{
	(void)t;
	session_user();
	MUST(C_CloseAllSessions, (slot));
	session_is(session_open(true), CKS_RW_PUBLIC_SESSION);
}

static void
finalize_ends_it(const struct trial *t)
{
	(void)t;
	session_user();
	MUST(C_Finalize, (NULL));
	MUST(C_Initialize, (NULL));
	session_is(session_open(true), CKS_RW_PUBLIC_SESSION);
}

/* Private session objects are destroyed by C_Logout, handles to private ones
 * of the token become void. */
static void
logout_takes_private(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct attrs a = {0};
	CK_OBJECT_HANDLE of_session, of_token, public, first;
	CK_ULONG size;

	(void)t;
	attr_number(&a, CKA_CLASS, CKO_DATA);
	attr_bool(&a, CKA_PRIVATE, true);
	attr_bool(&a, CKA_TOKEN, false);
	attr_text(&a, CKA_LABEL, LABEL);
	attr_text(&a, CKA_APPLICATION, "logout_takes_private");
	MUST(C_CreateObject, (s, a.at, a.count, &of_session));
	attr_bool(&a, CKA_TOKEN, true);
	MUST(C_CreateObject, (s, a.at, a.count, &of_token));
	attr_bool(&a, CKA_TOKEN, false);
	attr_bool(&a, CKA_PRIVATE, false);
	MUST(C_CreateObject, (s, a.at, a.count, &public));
	MUST(C_Logout, (s));
	WANT(
	    C_GetObjectSize, (s, of_session, &size), CKR_OBJECT_HANDLE_INVALID);
	WANT(C_GetObjectSize, (s, of_token, &size), CKR_OBJECT_HANDLE_INVALID);
	holds(get_number(s, public, CKA_CLASS) == CKO_DATA,
	    "the public session object", "still there");
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_OK);
	WANT(
	    C_GetObjectSize, (s, of_session, &size), CKR_OBJECT_HANDLE_INVALID);
	attr_bool(&a, CKA_PRIVATE, true);
	attr_drop(&a, CKA_TOKEN);
	same_number("private objects found after the next login",
	    find(s, &a, &first), 1);
	holds(get_bool(s, first, CKA_TOKEN), "the one found",
	    "that of the token");
}

/* --- PINs ---------------------------------------------------------------- */

static void
init_pin_by_user(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();

	(void)t;
	WANT(C_InitPIN, (s, (CK_UTF8CHAR *)user_pin.at, user_pin.octets),
	    CKR_USER_NOT_LOGGED_IN);
}

static void
init_pin_by_nobody(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);

	(void)t;
	WANT(C_InitPIN, (s, (CK_UTF8CHAR *)user_pin.at, user_pin.octets),
	    CKR_USER_NOT_LOGGED_IN);
}

/*
 * As a trial must leave it, whatever the module did: the user's PIN. Nothing is
 * judged here, and no PIN is given that must be wrong.
 */
static CK_SESSION_HANDLE
fresh_login(CK_USER_TYPE who, struct bytes pin)
{
	CK_SESSION_HANDLE s = CK_INVALID_HANDLE;

	(void)p11->C_CloseAllSessions(slot);
	(void)p11->C_OpenSession(
	    slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s);
	(void)p11->C_Login(s, who, (CK_UTF8CHAR *)pin.at, pin.octets);
	return s;
}

static CK_RV
change_back(void)
{
	struct bytes other = wrong_pin(user_pin);
	CK_SESSION_HANDLE s = fresh_login(CKU_USER, other);

	return p11->C_SetPIN(s, (CK_UTF8CHAR *)other.at, other.octets,
	    (CK_UTF8CHAR *)user_pin.at, user_pin.octets);
}

static void
restore_by_user(void)
{
	(void)change_back();
}

/* A PIN of the SO's giving may have to be changed by the user before it is good
 * for anything; so another is given, and changed. */
static void
restore_by_so(void)
{
	struct bytes other = wrong_pin(user_pin);
	CK_SESSION_HANDLE s = fresh_login(CKU_SO, so_pin);

	if (p11->C_InitPIN(s, (CK_UTF8CHAR *)other.at, other.octets) !=
		CKR_OK ||
	    change_back() == CKR_OK)
		return;
	s = fresh_login(CKU_SO, so_pin);
	(void)p11->C_InitPIN(s, (CK_UTF8CHAR *)user_pin.at, user_pin.octets);
}

static void
init_pin(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);
	struct bytes other = wrong_pin(user_pin);

	(void)t;
	JUDGE(ask_login(s, CKU_SO, so_pin), CKR_OK);
	at_end(restore_by_so);
	MUST(C_InitPIN, (s, (CK_UTF8CHAR *)other.at, other.octets));
	MUST(C_Logout, (s));
	JUDGE(ask_login(s, CKU_USER, other), CKR_OK, CKR_PIN_EXPIRED);
	session_is(s, CKS_RW_USER_FUNCTIONS);
}

static void
init_pin_length(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);

	(void)t;
	if (token.ulMinPinLen < 2)
		not_claimed("ulMinPinLen is %lu", token.ulMinPinLen);
	JUDGE(ask_login(s, CKU_SO, so_pin), CKR_OK);
	at_end(restore_by_so);
	WANT(C_InitPIN, (s, (CK_UTF8CHAR *)"x", 1), CKR_PIN_LEN_RANGE,
	    CKR_PIN_INVALID);
	MUST(C_Logout, (s));
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_OK);
}

static CK_RV
set_pin(CK_SESSION_HANDLE s, struct bytes old, struct bytes new)
{
	return ASK(C_SetPIN, (s, (CK_UTF8CHAR *)old.at, old.octets,
				 (CK_UTF8CHAR *)new.at, new.octets));
}

static void
set_pin_ro(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);

	(void)t;
	JUDGE(set_pin(s, user_pin, user_pin), CKR_SESSION_READ_ONLY);
}

static void
set_pin_and_back(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct bytes other = wrong_pin(user_pin);

	(void)t;
	JUDGE(set_pin(s, user_pin, other), CKR_OK);
	at_end(restore_by_user);
	MUST(C_Logout, (s));
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_PIN_INCORRECT);
	JUDGE(ask_login(s, CKU_USER, other), CKR_OK);
	JUDGE(set_pin(s, other, user_pin), CKR_OK);
	at_end(NULL);
	MUST(C_Logout, (s));
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_OK);
}

static void
set_pin_wrong_old(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();

	(void)t;
	JUDGE(set_pin(s, wrong_pin(user_pin), user_pin), CKR_PIN_INCORRECT);
	MUST(C_Logout, (s));
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_OK);
}

static const struct trial trials[] = {
    {"login/user-states",
	"The user's login shows in all sessions, open and to come, and so "
	"does its end",
	BASE "5.6", NEED_PIN, .run = user_states},
    {"login/so-states", "The SO's login shows in all sessions", BASE "5.6",
	NEED_SO_PIN, .run = so_states},
    {"login/twice", "A second login of the user is refused", BASE "5.6",
	NEED_PIN, .run = twice},
    {"login/so-over-user", "The SO cannot log in while the user is", BASE "5.6",
	NEED_PIN | NEED_SO_PIN, .run = so_over_user},
    {"login/user-over-so", "The user cannot log in while the SO is", BASE "5.6",
	NEED_PIN | NEED_SO_PIN, .run = user_over_so},
    {"login/wrong-user-pin", "A wrong PIN of the user is refused", BASE "5.6",
	NEED_PIN, .run = wrong_user_pin},
    {"login/wrong-so-pin", "A wrong PIN of the SO is refused", BASE "5.6",
	NEED_SO_PIN | NEED_INIT_TOKEN, .run = wrong_so_pin},
    {"login/unknown-user", "A user type that nobody has is refused", BASE "5.6",
	NEED_PIN, .run = unknown_user},
    {"login/logout-without", "C_Logout without a login is refused", BASE "5.6",
	.run = logout_without},
    {"login/logout-twice", "A second C_Logout is refused", BASE "5.6", NEED_PIN,
	.run = logout_twice},
    {"login/so-beside-ro", "The SO cannot log in while a R/O session is open",
	BASE "5.6", NEED_SO_PIN, .run = so_beside_ro},
    {"login/so-in-ro", "The SO cannot log in through a R/O session", BASE "5.6",
	NEED_SO_PIN, .run = so_in_ro},
    {"login/ro-beside-so", "While the SO is in no R/O session can be opened",
	BASE "5.6", NEED_SO_PIN, .run = ro_beside_so},
    {"login/last-session-ends-it",
	"The login ends with the last session, not with the one it came by",
	BASE "5.6", NEED_PIN, .run = last_session_ends_it},
    {"login/close-all-ends-it", "C_CloseAllSessions ends the login", BASE "5.6",
	NEED_PIN, .run = close_all_ends_it},
    {"login/finalize-ends-it", "C_Finalize ends the login", BASE "5.4",
	NEED_PIN, .run = finalize_ends_it},
    {"login/logout-takes-private",
	"C_Logout destroys private session objects and voids handles of "
	"private token objects",
	BASE "5.6", NEED_PIN, .run = logout_takes_private},
    {"login/init-pin-by-user", "The user cannot call C_InitPIN", BASE "5.5",
	NEED_PIN | NEED_INIT_TOKEN, .run = init_pin_by_user},
    {"login/init-pin-by-nobody", "Nobody can call C_InitPIN without a login",
	BASE "5.5", NEED_PIN | NEED_INIT_TOKEN, .run = init_pin_by_nobody},
    {"login/init-pin", "The SO gives the user a PIN", BASE "5.5",
	NEED_PIN | NEED_SO_PIN | NEED_INIT_TOKEN, .run = init_pin},
    {"login/init-pin-length", "C_InitPIN refuses a PIN that is too short",
	BASE "5.5", NEED_PIN | NEED_SO_PIN | NEED_INIT_TOKEN,
	.run = init_pin_length},
    {"login/set-pin-ro", "C_SetPIN is refused in a R/O session", BASE "5.5",
	NEED_PIN | NEED_INIT_TOKEN, .run = set_pin_ro},
    {"login/set-pin", "C_SetPIN changes the user's PIN, and back", BASE "5.5",
	NEED_PIN | NEED_INIT_TOKEN, .run = set_pin_and_back},
    {"login/set-pin-wrong-old", "C_SetPIN refuses a wrong old PIN", BASE "5.5",
	NEED_PIN | NEED_INIT_TOKEN, .run = set_pin_wrong_old},
};

void
login_trials(struct trials *ts)
{
	TRIALS_ADD(ts, trials);
}
