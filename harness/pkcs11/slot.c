/* Slots, tokens, lists of mechanisms. */
#include "module.h"
#include "trial.h"

#include <string.h>

enum { LIST_MAX = 1024 };

/* Slots and mechanisms are numbers of one type. */
typedef CK_RV list_function(CK_ULONG *list, CK_ULONG *count);

static CK_RV
all_slots(CK_ULONG *list, CK_ULONG *count)
{
	return ASK(C_GetSlotList, (CK_FALSE, list, count));
}

static CK_RV
slots_with_token(CK_ULONG *list, CK_ULONG *count)
{
	return ASK(C_GetSlotList, (CK_TRUE, list, count));
}

static CK_RV
mechanisms(CK_ULONG *list, CK_ULONG *count)
{
	return ASK(C_GetMechanismList, (slot, list, count));
}

/* A list asked for by its length first, then with one place too few. */
static void
list_rules(list_function *ask)
{
	CK_ULONG list[LIST_MAX], n = 0, all;

	JUDGE(ask(NULL, &n), CKR_OK);
	all = n;
	holds(all > 0 && all <= LIST_MAX, "the length of the list", "some");
	JUDGE(ask(list, &n), CKR_OK);
	same_number("the length of the list, the second time", n, all);
	for (CK_ULONG i = 0; i + 1 < n; i++)
		for (CK_ULONG j = i + 1; j < n; j++)
			holds(list[i] != list[j], "what is on the list",
			    "each but once");
	n = all - 1;
	JUDGE(ask(list, &n), CKR_BUFFER_TOO_SMALL);
	same_number("the length that a short array is told", n, all);
	JUDGE(ask(list, NULL), CKR_ARGUMENTS_BAD);
}

static void
slot_list(const struct trial *t)
{
	list_rules(t->variant ? slots_with_token : all_slots);
}

static void
mechanism_list(const struct trial *t)
{
	(void)t;
	list_rules(mechanisms);
}

static void
slot_info(const struct trial *t)
{
	CK_SLOT_INFO info;

	(void)t;
	MUST(C_GetSlotInfo, (slot, &info));
	holds(info.flags & CKF_TOKEN_PRESENT, "its flags",
	    "CKF_TOKEN_PRESENT, as the slot is listed with a token");
	same_number("flags that 2.40 does not have",
	    info.flags & ~(CK_FLAGS)(CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE |
				     CKF_HW_SLOT),
	    0);
	WANT(C_GetSlotInfo, (slot, NULL), CKR_ARGUMENTS_BAD);
}

static void
token_info(const struct trial *t)
{
	CK_TOKEN_INFO info;

	(void)t;
	MUST(C_GetTokenInfo, (slot, &info));
	holds(info.flags & CKF_TOKEN_INITIALIZED, "its flags",
	    "CKF_TOKEN_INITIALIZED");
	holds(info.ulMinPinLen <= info.ulMaxPinLen, "ulMinPinLen",
	    "no more than ulMaxPinLen");
	holds(memchr(info.label, 0, sizeof info.label) == NULL, "label",
	    "blanks behind it, no NUL");
	holds(memchr(info.serialNumber, 0, sizeof info.serialNumber) == NULL,
	    "serialNumber", "blanks behind it, no NUL");
	WANT(C_GetTokenInfo, (slot, NULL), CKR_ARGUMENTS_BAD);
}

/* Session counts are exact, or said to be unavailable. */
static void
token_counts(const struct trial *t)
{
	CK_TOKEN_INFO before, after;

	(void)t;
	MUST(C_GetTokenInfo, (slot, &before));
	session_open(false);
	session_public();
	MUST(C_GetTokenInfo, (slot, &after));
	if (after.ulSessionCount == CK_UNAVAILABLE_INFORMATION)
		not_claimed("ulSessionCount is CK_UNAVAILABLE_INFORMATION");
	same_number("ulSessionCount with two sessions more",
	    after.ulSessionCount, before.ulSessionCount + 2);
	if (after.ulRwSessionCount != CK_UNAVAILABLE_INFORMATION &&
	    !(token.flags & CKF_WRITE_PROTECTED))
		same_number("ulRwSessionCount with one more",
		    after.ulRwSessionCount, before.ulRwSessionCount + 1);
}

static void
mechanism_info(const struct trial *t)
{
	CK_MECHANISM_TYPE list[LIST_MAX];
	CK_MECHANISM_INFO info;
	CK_ULONG n = LIST_MAX;

	(void)t;
	MUST(C_GetMechanismList, (slot, list, &n));
	for (CK_ULONG i = 0; i < n; i++) {
		MUST(C_GetMechanismInfo, (slot, list[i], &info));
		holds(info.ulMinKeySize <= info.ulMaxKeySize,
		    "ulMinKeySize of a mechanism",
		    "no more than its ulMaxKeySize");
	}
	WANT(C_GetMechanismInfo, (slot, list[0], NULL), CKR_ARGUMENTS_BAD);
}

static void
mechanism_unknown(const struct trial *t)
{
	CK_MECHANISM_INFO info;

	(void)t;
	WANT(C_GetMechanismInfo, (slot, CKM_VENDOR_DEFINED | 0x7ffe1234, &info),
	    CKR_MECHANISM_INVALID);
}

static void
no_event(const struct trial *t)
{
	CK_SLOT_ID which;
	CK_RV rv;

	(void)t;
	/* events of before this process may be waiting: take them */
	do {
		rv = WANT(C_WaitForSlotEvent, (CKF_DONT_BLOCK, &which, NULL),
		    CKR_OK, CKR_NO_EVENT, CKR_FUNCTION_NOT_SUPPORTED);
		if (rv == CKR_FUNCTION_NOT_SUPPORTED)
			not_claimed("it answers CKR_FUNCTION_NOT_SUPPORTED");
	} while (rv == CKR_OK);
}

/* --- C_InitToken --------------------------------------------------------- */

static void
init_token_session_open(const struct trial *t)
{
	CK_UTF8CHAR label[32];

	(void)t;
	memcpy(label, token.label, sizeof label);
	session_open(false);
	WANT(C_InitToken,
	    (slot, (CK_UTF8CHAR *)so_pin.at, so_pin.octets, label),
	    CKR_SESSION_EXISTS);
}

static void
init_token_wrong_pin(const struct trial *t)
{
	CK_UTF8CHAR label[32], wrong[] = "touchstone-wrong";
	CK_SESSION_HANDLE s;

	(void)t;
	memcpy(label, token.label, sizeof label);
	WANT(C_InitToken, (slot, wrong, sizeof wrong - 1, label),
	    CKR_PIN_INCORRECT, CKR_PIN_LEN_RANGE);
	/* and the right one after, so that the attempts begin anew */
	s = session_open(true);
	JUDGE(ask_login(s, CKU_SO, so_pin), CKR_OK);
}

static const struct trial trials[] = {
    {"slot/list",
	"C_GetSlotList of all slots counts, fills, and refuses a "
	"short array",
	BASE "5.5", .run = slot_list},
    {"slot/list-with-token", "The same of slots with a token", BASE "5.5",
	.run = slot_list, .variant = 1},
    {"slot/info", "C_GetSlotInfo tells that the token is there", BASE "5.5",
	.run = slot_info},
    {"slot/token-info", "C_GetTokenInfo tells flags, lengths, padded texts",
	BASE "5.5", .run = token_info},
    {"slot/token-counts", "C_GetTokenInfo counts this application's sessions",
	BASE "3.2", .run = token_counts},
    {"slot/mechanism-list",
	"C_GetMechanismList counts, fills, and refuses a short array",
	BASE "5.5", .run = mechanism_list},
    {"slot/mechanism-info", "C_GetMechanismInfo knows each that is listed",
	BASE "5.5", .run = mechanism_info},
    {"slot/mechanism-unknown",
	"C_GetMechanismInfo refuses a mechanism that nobody has", BASE "5.5",
	.run = mechanism_unknown},
    {"slot/no-event", "C_WaitForSlotEvent does not block when told not to",
	BASE "5.5", .run = no_event},
    {"slot/init-token-session-open",
	"C_InitToken is refused while a session is open", BASE "5.5",
	NEED_SO_PIN | NEED_INIT_TOKEN, .run = init_token_session_open},
    {"slot/init-token-wrong-pin", "C_InitToken refuses a wrong SO PIN",
	BASE "5.5", NEED_SO_PIN | NEED_INIT_TOKEN, .run = init_token_wrong_pin},
};

void
slot_trials(struct trials *ts)
{
	TRIALS_ADD(ts, trials);
}
