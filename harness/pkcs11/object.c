/* Objects: made, found, read, changed, copied, destroyed. */
#include "known.h"
#include "module.h"
#include "trial.h"

#include <string.h>

/* A public data object of the session, as most trials here want one. */
static void
data_template(struct attrs *t, const char *application)
{
	attr_number(t, CKA_CLASS, CKO_DATA);
	attr_bool(t, CKA_TOKEN, false);
	attr_bool(t, CKA_PRIVATE, false);
	attr_text(t, CKA_LABEL, LABEL);
	attr_text(t, CKA_APPLICATION, application);
	attr_text(t, CKA_VALUE, "sixteen octets..");
}

static CK_OBJECT_HANDLE
create(CK_SESSION_HANDLE s, struct attrs *t)
{
	CK_OBJECT_HANDLE o = CK_INVALID_HANDLE;

	MUST(C_CreateObject, (s, t->at, t->count, &o));
	holds(o != CK_INVALID_HANDLE, "the new object's handle",
	    "not CK_INVALID_HANDLE");
	return o;
}

static void
create_data(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	o = create(s, &a);
	same_number("CKA_CLASS", get_number(s, o, CKA_CLASS), CKO_DATA);
	holds(!get_bool(s, o, CKA_TOKEN), "CKA_TOKEN", "CK_FALSE");
	holds(!get_bool(s, o, CKA_PRIVATE), "CKA_PRIVATE", "CK_FALSE");
	holds(get_bool(s, o, CKA_MODIFIABLE), "CKA_MODIFIABLE",
	    "CK_TRUE, the default");
	same_octets("CKA_LABEL", get_octets(s, o, CKA_LABEL), text(LABEL));
	same_octets(
	    "CKA_VALUE", get_octets(s, o, CKA_VALUE), text("sixteen octets.."));
	same_octets("CKA_OBJECT_ID, not given", get_octets(s, o, CKA_OBJECT_ID),
	    BYTES_NONE);
}

static void
create_certificate(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	attr_number(&a, CKA_CLASS, CKO_CERTIFICATE);
	attr_number(&a, CKA_CERTIFICATE_TYPE, CKC_X_509);
	attr_bool(&a, CKA_TOKEN, false);
	attr_bool(&a, CKA_PRIVATE, false);
	attr_text(&a, CKA_LABEL, LABEL);
	attr_octets(&a, CKA_SUBJECT, hex("3000"));
	attr_octets(&a, CKA_ID, hex("0102"));
	attr_octets(&a, CKA_VALUE, hex("30020500"));
	o = create(s, &a);
	same_number("CKA_CERTIFICATE_TYPE",
	    get_number(s, o, CKA_CERTIFICATE_TYPE), CKC_X_509);
	same_octets("CKA_VALUE", get_octets(s, o, CKA_VALUE), hex("30020500"));
}

static void
create_without_class(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_drop(&a, CKA_CLASS);
	WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_TEMPLATE_INCOMPLETE);
	same_number("objects made all the same", find(s, &a, &o), 0);
}

static void
create_without_value(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	secret_template(&a, CKK_AES, text("sixteen octets.."));
	key_import(s, &a);
	attr_drop(&a, CKA_VALUE);
	WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_TEMPLATE_INCOMPLETE);
}

static void
create_unknown_attribute(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_text(&a, CKA_VENDOR_DEFINED | 0x7ffe1234, "x");
	WANT(
	    C_CreateObject, (s, a.at, a.count, &o), CKR_ATTRIBUTE_TYPE_INVALID);
}

static void
create_wrong_attribute(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_octets(&a, CKA_MODULUS, hex("c5"));
	WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_ATTRIBUTE_TYPE_INVALID,
	    CKR_TEMPLATE_INCONSISTENT);
}

static void
create_bad_value(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_octets(&a, CKA_PRIVATE, hex("0000"));
	WANT(C_CreateObject, (s, a.at, a.count, &o),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	attr_bool(&a, CKA_PRIVATE, false);
	attr_number(&a, CKA_CLASS, 0x7ffe1234);
	WANT(C_CreateObject, (s, a.at, a.count, &o),
	    CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT);
}

static void
create_read_only(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	secret_template(&a, CKK_AES, text("sixteen octets.."));
	attr_bool(&a, CKA_LOCAL, true);
	WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_ATTRIBUTE_READ_ONLY,
	    CKR_TEMPLATE_INCONSISTENT);
}

static void
create_conflict(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	secret_template(&a, CKK_AES, text("sixteen octets.."));
	attr_number(&a, CKA_VALUE_LEN, 32);
	WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_TEMPLATE_INCONSISTENT,
	    CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_VALUE_INVALID);
}

static void
create_key_length(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	secret_template(&a, CKK_AES, text("sixteen octets.."));
	key_import(s, &a);
	attr_text(&a, CKA_VALUE, "seventeen octets.");
	WANT(C_CreateObject, (s, a.at, a.count, &o),
	    CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT,
	    CKR_KEY_SIZE_RANGE);
}

static void
create_private_without_login(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_bool(&a, CKA_PRIVATE, true);
	WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_USER_NOT_LOGGED_IN);
	attr_bool(&a, CKA_PRIVATE, false);
	create(s, &a);
}

static void
create_nowhere(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};

	data_template(&a, t->id);
	WANT(C_CreateObject, (s, a.at, a.count, NULL), CKR_ARGUMENTS_BAD);
	CK_OBJECT_HANDLE o;
	WANT(C_CreateObject, (s, NULL, 1, &o), CKR_ARGUMENTS_BAD);
}

/* --- searches ------------------------------------------------------------ */

static void
find_in_pieces(const struct trial *t)
{
	enum { MANY = 5 };
	CK_SESSION_HANDLE s = session_public();
	CK_OBJECT_HANDLE made[MANY], found[MANY];
	struct attrs a = {0};
	CK_ULONG n, all = 0;

	data_template(&a, t->id);
	for (int i = 0; i < MANY; i++)
		made[i] = create(s, &a);
	MUST(C_FindObjectsInit, (s, a.at, a.count));
	do {
		n = 0;
		MUST(C_FindObjects,
		    (s, found + all, MANY - all < 2 ? 1 : 2, &n));
		holds(n <= 2 && all + n <= MANY, "objects in an array of two",
		    "two at most, five in all");
		all += n;
	} while (n > 0 && all < MANY);
	same_number("objects found in all", all, MANY);
	MUST(C_FindObjects, (s, found, 1, &n));
	same_number("objects found after the last", n, 0);
	MUST(C_FindObjectsFinal, (s));
	for (int i = 0; i < MANY; i++) {
		int times = 0;

		for (int j = 0; j < MANY; j++)
			times += made[i] == found[j];
		same_number("times that each was found", (CK_ULONG)times, 1);
	}
}

static void
find_twice(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	struct attrs a = {0};

	data_template(&a, t->id);
	MUST(C_FindObjectsInit, (s, a.at, a.count));
	WANT(C_FindObjectsInit, (s, a.at, a.count), CKR_OPERATION_ACTIVE);
	MUST(C_FindObjectsFinal, (s));
	MUST(C_FindObjectsInit, (s, a.at, a.count));
}

static void
find_without(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_OBJECT_HANDLE o;
	CK_ULONG n;

	(void)t;
	WANT(C_FindObjects, (s, &o, 1, &n), CKR_OPERATION_NOT_INITIALIZED);
	WANT(C_FindObjectsFinal, (s), CKR_OPERATION_NOT_INITIALIZED);
}

static void
find_none(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	create(s, &a);
	same_number("objects found", find(s, &a, &o), 1);
	attr_text(&a, CKA_VALUE, "sixteen octets.!");
	same_number("objects found with another value", find(s, &a, &o), 0);
	attr_text(&a, CKA_VALUE, "sixteen octets.");
	same_number("objects found with a shorter value", find(s, &a, &o), 0);
}

static void
find_all(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0}, none = {0};
	CK_OBJECT_HANDLE o;
	CK_ULONG before = find(s, &none, &o);

	data_template(&a, t->id);
	create(s, &a);
	same_number("objects found without a template, with one more",
	    find(s, &none, &o), before + 1);
}

static void
find_other_session(const struct trial *t)
{
	CK_SESSION_HANDLE one = session_open(false), two = session_open(false);
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;
	CK_ULONG n;

	data_template(&a, t->id);
	create(one, &a);
	MUST(C_FindObjectsInit, (one, a.at, a.count));
	WANT(C_FindObjects, (two, &o, 1, &n), CKR_OPERATION_NOT_INITIALIZED);
	MUST(C_FindObjects, (one, &o, 1, &n));
	same_number("objects found", n, 1);
}

static void
find_private(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_bool(&a, CKA_TOKEN, true);
	attr_bool(&a, CKA_PRIVATE, true);
	create(s, &a);
	same_number("objects found by the user", find(s, &a, &o), 1);
	MUST(C_Logout, (s));
	same_number("private objects found by nobody", find(s, &a, &o), 0);
	attr_drop(&a, CKA_PRIVATE);
	same_number("the same, not said to be private", find(s, &a, &o), 0);
}

/* --- attributes ---------------------------------------------------------- */

/* Of two attributes the first cannot be had: marked, and the other is given. */
static void
get_one_of_two(const struct trial *t, CK_ATTRIBUTE_TYPE type, CK_ULONG room,
    CK_RV right, const char *marked)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;
	CK_BYTE value[16], label[64];
	CK_ATTRIBUTE want[2] = {
	    {type, value, room}, {CKA_LABEL, label, sizeof label}};

	data_template(&a, t->id);
	o = create(s, &a);
	WANT(C_GetAttributeValue, (s, o, want, 2), right);
	same_number(marked, want[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	same_octets("the other attribute",
	    (struct bytes){label, want[1].ulValueLen}, text(LABEL));
}

static void
get_too_small(const struct trial *t)
{
	get_one_of_two(t, CKA_VALUE, 15, CKR_BUFFER_TOO_SMALL,
	    "ulValueLen of what did not fit");
}

static void
get_unknown(const struct trial *t)
{
	get_one_of_two(t, CKA_MODULUS, 16, CKR_ATTRIBUTE_TYPE_INVALID,
	    "ulValueLen of what it does not have");
}

static void
get_sensitive(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;
	CK_BYTE value[16], label[64];
	CK_ATTRIBUTE want[2] = {
	    {CKA_VALUE, value, sizeof value}, {CKA_LABEL, label, sizeof label}};

	attr_bool(&a, CKA_TOKEN, false);
	attr_bool(&a, CKA_SENSITIVE, t->variant == 0);
	attr_bool(&a, CKA_EXTRACTABLE, t->variant == 0);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_text(&a, CKA_LABEL, LABEL);
	MUST(C_GenerateKey, (s, &m, a.at, a.count, &o));
	WANT(C_GetAttributeValue, (s, o, want, 2), CKR_ATTRIBUTE_SENSITIVE);
	same_number("ulValueLen of the value", want[0].ulValueLen,
	    CK_UNAVAILABLE_INFORMATION);
	same_octets("the other attribute",
	    (struct bytes){label, want[1].ulValueLen}, text(LABEL));
	want[0].pValue = NULL;
	WANT(C_GetAttributeValue, (s, o, want, 1), CKR_ATTRIBUTE_SENSITIVE);
}

static void
get_handle(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	CK_BYTE value[16];
	CK_ATTRIBUTE want = {CKA_VALUE, value, sizeof value};
	struct attrs a = {0};
	CK_ULONG size;

	data_template(&a, t->id);
	create(s, &a);
	WANT(C_GetAttributeValue, (s, no_object(), &want, 1),
	    CKR_OBJECT_HANDLE_INVALID);
	WANT(C_SetAttributeValue, (s, no_object(), &want, 1),
	    CKR_OBJECT_HANDLE_INVALID);
	WANT(C_GetObjectSize, (s, no_object(), &size),
	    CKR_OBJECT_HANDLE_INVALID);
	WANT(C_DestroyObject, (s, no_object()), CKR_OBJECT_HANDLE_INVALID);
	CK_OBJECT_HANDLE copy;
	WANT(C_CopyObject, (s, no_object(), a.at, 0, &copy),
	    CKR_OBJECT_HANDLE_INVALID);
}

static void
set_label(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0}, change = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	o = create(s, &a);
	attr_text(&change, CKA_LABEL, "another label");
	MUST(C_SetAttributeValue, (s, o, change.at, change.count));
	same_octets(
	    "CKA_LABEL", get_octets(s, o, CKA_LABEL), text("another label"));
}

static void
set_read_only(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0}, change = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	o = create(s, &a);
	attr_number(&change, CKA_CLASS, CKO_CERTIFICATE);
	WANT(C_SetAttributeValue, (s, o, change.at, change.count),
	    CKR_ATTRIBUTE_READ_ONLY);
	same_number("CKA_CLASS", get_number(s, o, CKA_CLASS), CKO_DATA);
}

static void
set_unmodifiable(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0}, change = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_bool(&a, CKA_MODIFIABLE, false);
	o = create(s, &a);
	attr_text(&change, CKA_LABEL, "another label");
	WANT(C_SetAttributeValue, (s, o, change.at, change.count),
	    CKR_ACTION_PROHIBITED);
	same_octets("CKA_LABEL", get_octets(s, o, CKA_LABEL), text(LABEL));
}

/* Attributes that go one way only. */
static void
set_one_way(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE_TYPE type =
	    t->variant == 0 ? CKA_SENSITIVE : CKA_EXTRACTABLE;
	bool final = t->variant == 0;
	struct attrs a = {0}, change = {0};
	CK_OBJECT_HANDLE o;

	attr_bool(&a, CKA_TOKEN, false);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_text(&a, CKA_LABEL, LABEL);
	attr_bool(&a, CKA_SENSITIVE, true);
	attr_bool(&a, type, final);
	MUST(C_GenerateKey, (s, &m, a.at, a.count, &o));
	attr_bool(&change, type, !final);
	WANT(C_SetAttributeValue, (s, o, change.at, change.count),
	    CKR_ATTRIBUTE_READ_ONLY);
	holds(get_bool(s, o, type) == final, "the attribute", "as it was");
}

/* --- copies, sizes, ends ------------------------------------------------- */

static void
copy(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0}, change = {0};
	CK_OBJECT_HANDLE o, other = CK_INVALID_HANDLE;

	data_template(&a, t->id);
	o = create(s, &a);
	attr_text(&change, CKA_LABEL, "the copy's label");
	MUST(C_CopyObject, (s, o, change.at, change.count, &other));
	holds(other != o, "the copy's handle", "one of its own");
	same_octets("CKA_VALUE of the copy", get_octets(s, other, CKA_VALUE),
	    text("sixteen octets.."));
	same_octets("CKA_LABEL of the copy", get_octets(s, other, CKA_LABEL),
	    text("the copy's label"));
	same_octets("CKA_LABEL of the original", get_octets(s, o, CKA_LABEL),
	    text(LABEL));
	MUST(C_DestroyObject, (s, o));
	same_octets("CKA_VALUE of the copy alone",
	    get_octets(s, other, CKA_VALUE), text("sixteen octets.."));
}

static void
copy_uncopyable(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o, other;
	CK_RV rv;

	data_template(&a, t->id);
	attr_bool(&a, CKA_COPYABLE, false);
	rv = WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_OK,
	    CKR_ATTRIBUTE_TYPE_INVALID);
	if (rv != CKR_OK)
		not_claimed("the token has no CKA_COPYABLE");
	WANT(C_CopyObject, (s, o, a.at, 0, &other), CKR_ACTION_PROHIBITED);
}

static void
copy_less_sensitive(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0}, change = {0};
	CK_OBJECT_HANDLE o, other;

	(void)t;
	attr_bool(&a, CKA_TOKEN, false);
	attr_bool(&a, CKA_SENSITIVE, true);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_text(&a, CKA_LABEL, LABEL);
	MUST(C_GenerateKey, (s, &m, a.at, a.count, &o));
	attr_bool(&change, CKA_SENSITIVE, false);
	WANT(C_CopyObject, (s, o, change.at, change.count, &other),
	    CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_READ_ONLY);
}

static void
size(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;
	CK_ULONG octets = 0;
	CK_RV rv;

	data_template(&a, t->id);
	o = create(s, &a);
	rv = WANT(C_GetObjectSize, (s, o, &octets), CKR_OK,
	    CKR_INFORMATION_SENSITIVE);
	if (rv == CKR_OK)
		holds(octets > 0, "the size",
		    "some octets, or "
		    "CK_UNAVAILABLE_INFORMATION");
}

static void
destroy(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public(), other = session_open(false);
	struct attrs a = {0};
	CK_OBJECT_HANDLE o, first;

	data_template(&a, t->id);
	o = create(s, &a);
	MUST(C_DestroyObject, (other, o));
	WANT(C_DestroyObject, (s, o), CKR_OBJECT_HANDLE_INVALID);
	same_number("objects found", find(s, &a, &first), 0);
}

static void
destroy_undestroyable(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;
	CK_RV rv;

	data_template(&a, t->id);
	attr_bool(&a, CKA_DESTROYABLE, false);
	rv = WANT(C_CreateObject, (s, a.at, a.count, &o), CKR_OK,
	    CKR_ATTRIBUTE_TYPE_INVALID);
	if (rv != CKR_OK)
		not_claimed("the token has no CKA_DESTROYABLE");
	WANT(C_DestroyObject, (s, o), CKR_ACTION_PROHIBITED);
}

static void
token_object_stays(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	data_template(&a, t->id);
	attr_bool(&a, CKA_TOKEN, true);
	create(s, &a);
	MUST(C_Finalize, (NULL));
	MUST(C_Initialize, (NULL));
	s = session_user();
	same_number(
	    "objects found after a new C_Initialize", find(s, &a, &o), 1);
	MUST(C_DestroyObject, (s, o));
	MUST(C_Finalize, (NULL));
	MUST(C_Initialize, (NULL));
	same_number(
	    "objects found after its end", find(session_user(), &a, &o), 0);
}

#define MADE "5.7, 4.1.1"

static const struct trial trials[] = {
    {"object/create-data", "A data object has what it was made with",
	BASE "4.5", .run = create_data},
    {"object/create-certificate", "A certificate is kept as it was given",
	BASE "4.6", .run = create_certificate},
    {"object/create-without-class", "An object needs a class", BASE MADE,
	.run = create_without_class},
    {"object/create-without-value", "A secret key needs a value", BASE MADE,
	NEED_PIN, .run = create_without_value},
    {"object/create-unknown-attribute",
	"An attribute that nobody has is refused", BASE MADE,
	.run = create_unknown_attribute},
    {"object/create-wrong-attribute",
	"An attribute of another class is refused", BASE MADE,
	.run = create_wrong_attribute},
    {"object/create-bad-value", "A value that cannot be is refused", BASE MADE,
	.run = create_bad_value},
    {"object/create-read-only",
	"An attribute that only the token sets is refused", BASE MADE, NEED_PIN,
	.run = create_read_only},
    {"object/create-conflict", "Attributes that contradict are refused",
	BASE MADE, NEED_PIN, .run = create_conflict},
    {"object/create-key-length", "An AES key of 17 octets is refused",
	MECH "2.8.2", NEED_PIN, .run = create_key_length},
    {"object/create-private-without-login",
	"A private object is refused without a login", BASE "5.7",
	.run = create_private_without_login},
    {"object/create-nowhere", "C_CreateObject refuses NULL", BASE "5.7",
	.run = create_nowhere},
    {"object/find-in-pieces", "A short array is filled again and again",
	BASE "5.7", .run = find_in_pieces},
    {"object/find-twice", "A second search in a session is refused", BASE "5.7",
	.run = find_twice},
    {"object/find-without", "Nothing is found before a search began",
	BASE "5.7", .run = find_without},
    {"object/find-none", "All of the template must match", BASE "5.7",
	.run = find_none},
    {"object/find-all", "An empty template finds all", BASE "5.7",
	.run = find_all},
    {"object/find-other-session", "A search is its session's own", BASE "5.7",
	.run = find_other_session},
    {"object/find-private", "Private objects are found by the user only",
	BASE "5.7", NEED_PIN, .run = find_private},
    {"object/get-too-small",
	"C_GetAttributeValue marks what does not fit and gives the rest",
	BASE "5.7", .run = get_too_small},
    {"object/get-unknown",
	"C_GetAttributeValue marks what is not there and gives the rest",
	BASE "5.7", .run = get_unknown},
    {"object/get-sensitive", "The value of a sensitive key stays in",
	BASE "5.7", NEED_PIN, {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)},
	.run = get_sensitive},
    {"object/get-unextractable", "The value of an unextractable key stays in",
	BASE "5.7", NEED_PIN, {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)},
	.run = get_sensitive, .variant = 1},
    {"object/handle", "A handle of no object is refused everywhere", BASE "5.7",
	.run = get_handle},
    {"object/set-label", "C_SetAttributeValue changes a label", BASE "5.7",
	.run = set_label},
    {"object/set-read-only", "C_SetAttributeValue refuses the class",
	BASE "4.1.2", .run = set_read_only},
    {"object/set-unmodifiable",
	"An object that is not CKA_MODIFIABLE stays as it is", BASE "4.1.2",
	.run = set_unmodifiable},
    {"object/set-sensitive", "CKA_SENSITIVE cannot be taken back", BASE "4.10",
	NEED_PIN, {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)}, .run = set_one_way},
    {"object/set-extractable", "CKA_EXTRACTABLE cannot be given back",
	BASE "4.10", NEED_PIN, {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)},
	.run = set_one_way, .variant = 1},
    {"object/copy", "A copy is an object of its own", BASE "5.7, 4.1.3",
	.run = copy},
    {"object/copy-uncopyable", "What is not CKA_COPYABLE is not copied",
	BASE "5.7, 4.1.3", .run = copy_uncopyable},
    {"object/copy-less-sensitive", "A copy is not less sensitive",
	BASE "5.7, 4.1.3", NEED_PIN, {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)},
	.run = copy_less_sensitive},
    {"object/size", "C_GetObjectSize has an answer", BASE "5.7", .run = size},
    {"object/destroy", "A destroyed object is gone for all sessions",
	BASE "5.7", .run = destroy},
    {"object/destroy-undestroyable",
	"What is not CKA_DESTROYABLE is not destroyed", BASE "5.7",
	.run = destroy_undestroyable},
    {"object/token-object-stays",
	"A token object outlives C_Finalize, a destroyed one does not",
	BASE "4.4", NEED_PIN, .run = token_object_stays},
};

void
object_trials(struct trials *ts)
{
	TRIALS_ADD(ts, trials);
}
