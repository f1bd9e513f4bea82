/*
 * A PKCS#11 module that lies: SoftHSM, but for what the environment says.
 *
 *	LIE=C_Name=NUMBER   that function does nothing and answers the number
 *	LIE=all=NUMBER      all of them, but those that say what token there is
 *	LIE=NAME            one of the lies at the end of this file
 *
 * LIAR_OF names the module that it stands before. spec-tests/pkcs11-liar.bats
 * builds it, and shows which check of touchstone-p11 notices which lie.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static CK_FUNCTION_LIST *real; /* what it does */
static CK_FUNCTION_LIST list;  /* what it says */

/* --- one answer for everything ------------------------------------------- */

static CK_RV constant;

/* In place of functions of any arguments, which it leaves alone. */
static CK_RV
answer_constant(void)
{
	return constant;
}

static const struct {
	const char *name;
	size_t at;
} members[] = {
#define CALL(name, args, handle, clause) \
	{#name, offsetof(CK_FUNCTION_LIST, name)},
#include "call.def"
#undef CALL
};

/* Without these the program would find no token to ask anything of. */
static bool
is_needed(const char *name)
{
	static const char *const needed[] = {"C_Finalize", "C_GetInfo",
	    "C_GetSlotList", "C_GetSlotInfo", "C_GetTokenInfo",
	    "C_GetMechanismList", "C_GetMechanismInfo"};

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (strcmp(name, needed[i]) == 0)
			return true;
	return false;
}

static void
lie_constant(const char *name, const char *number)
{
	void (*answer)(void) = (void (*)(void))answer_constant;
	size_t octets = strcspn(name, "=");

	constant = strtoul(number, NULL, 0);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const char *member = members[i].name;
		bool all = strncmp(name, "all=", 4) == 0 && !is_needed(member);
		bool this = strlen(member) == octets &&
			    strncmp(name, member, octets) == 0;

		if (all || this)
			memcpy((char *)&list + members[i].at, &answer,
			    sizeof answer);
	}
}

/* --- lies of their own --------------------------------------------------- */

static CK_RV
crash(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	(void)s, (void)info;
	raise(SIGSEGV);
	return CKR_OK;
}

static CK_RV
hang(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	(void)s, (void)info;
	while (true)
		pause();
	return CKR_OK;
}

/* A R/O session says that it is R/W. */
static CK_RV
rw_always(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	CK_RV rv = real->C_GetSessionInfo(s, info);

	if (rv == CKR_OK && info->state == CKS_RO_PUBLIC_SESSION)
		info->state = CKS_RW_PUBLIC_SESSION;
	return rv;
}

static CK_RV
any_pin(CK_SESSION_HANDLE s, CK_USER_TYPE who, CK_UTF8CHAR *pin, CK_ULONG n)
{
	CK_RV rv = real->C_Login(s, who, pin, n);

	return rv == CKR_PIN_INCORRECT ? CKR_OK : rv;
}

static CK_RV
leaks(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a, CK_ULONG n)
{
	CK_RV rv = real->C_GetAttributeValue(s, o, a, n);

	return rv == CKR_ATTRIBUTE_SENSITIVE ? CKR_OK : rv;
}

static CK_RV
wraps_all(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE with,
    CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *n)
{
	CK_RV rv = real->C_WrapKey(s, m, with, key, out, n);

	return rv == CKR_KEY_UNEXTRACTABLE ? CKR_OK : rv;
}

static CK_RV
flips_a_bit(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG octets, CK_BYTE *out,
    CK_ULONG *n)
{
	CK_RV rv = real->C_Encrypt(s, in, octets, out, n);

	if (rv == CKR_OK && out != NULL && *n > 0)
		out[*n - 1] ^= 1;
	return rv;
}

static CK_RV
verifies_all(
    CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG octets, CK_BYTE *sig, CK_ULONG n)
{
	CK_RV rv = real->C_Verify(s, in, octets, sig, n);

	return rv == CKR_SIGNATURE_INVALID ? CKR_OK : rv;
}

/* A digest goes on after its answer. */
static CK_MECHANISM digest;

static CK_RV
keeps_mechanism(CK_SESSION_HANDLE s, CK_MECHANISM *m)
{
	if (m != NULL)
		digest = *m;
	return real->C_DigestInit(s, m);
}

static CK_RV
goes_on(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG octets, CK_BYTE *out,
    CK_ULONG *n)
{
	CK_RV rv = real->C_Digest(s, in, octets, out, n);

	if (rv == CKR_OK && out != NULL)
		(void)real->C_DigestInit(s, &digest);
	return rv;
}

/* A signature is ended by too small a buffer, or by a question. */
static CK_RV
ends_early(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG octets, CK_BYTE *out,
    CK_ULONG *n)
{
	CK_BYTE room[1024];
	CK_ULONG most = sizeof room;
	CK_RV rv = real->C_Sign(s, in, octets, out, n);

	if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && out == NULL))
		(void)real->C_Sign(s, in, octets, room, &most);
	return rv;
}

static CK_RV
not_random(CK_SESSION_HANDLE s, CK_BYTE *out, CK_ULONG n)
{
	CK_RV rv = real->C_GenerateRandom(s, out, n);

	if (rv == CKR_OK)
		memset(out, 0x5a, n);
	return rv;
}

/* A short array is filled as if nothing more were there. */
static CK_RV
silent_about_more(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *n)
{
	CK_ULONG room = slots == NULL ? 0 : *n, count = 16;
	CK_SLOT_ID all[16];
	CK_RV rv = real->C_GetSlotList(present, slots, n);

	if (rv != CKR_BUFFER_TOO_SMALL)
		return rv;
	rv = real->C_GetSlotList(present, all, &count);
	memcpy(slots, all, room * sizeof *slots);
	*n = room;
	return rv;
}

static CK_RV
finds_private(CK_SESSION_HANDLE s, CK_ATTRIBUTE *a, CK_ULONG n)
{
	static CK_UTF8CHAR pin[] = "1234";

	/* logs in for the search, which nobody asked for */
	(void)real->C_Login(s, CKU_USER, pin, sizeof pin - 1);
	return real->C_FindObjectsInit(s, a, n);
}

static CK_RV
misses_one(
    CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *found, CK_ULONG room, CK_ULONG *n)
{
	CK_RV rv = real->C_FindObjects(s, found, room, n);

	if (rv == CKR_OK && *n > 1)
		(*n)--;
	return rv;
}

static CK_RV
stays_logged_in(CK_SESSION_HANDLE s)
{
	(void)s;
	return CKR_OK;
}

static CK_RV
closes_all(CK_SESSION_HANDLE s)
{
	CK_SESSION_INFO info;
	CK_RV rv = real->C_GetSessionInfo(s, &info);

	return rv == CKR_OK ? real->C_CloseAllSessions(info.slotID) : rv;
}

static CK_RV
keeps_objects(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o)
{
	CK_ULONG size;

	return real->C_GetObjectSize(s, o, &size);
}

/* Every AES key is the same. */
static CK_RV
same_key(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_ATTRIBUTE *a, CK_ULONG n,
    CK_OBJECT_HANDLE *o)
{
	static CK_BYTE value[32];
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE t[40];
	CK_ULONG count = 0;

	if (m->mechanism != CKM_AES_KEY_GEN || n > 32)
		return real->C_GenerateKey(s, m, a, n, o);
	for (CK_ULONG i = 0; i < n; i++)
		if (a[i].type == CKA_VALUE_LEN)
			t[count++] = (CK_ATTRIBUTE){
			    CKA_VALUE, value, *(CK_ULONG *)a[i].pValue};
		else
			t[count++] = a[i];
	t[count++] = (CK_ATTRIBUTE){CKA_CLASS, &class, sizeof class};
	t[count++] = (CK_ATTRIBUTE){CKA_KEY_TYPE, &type, sizeof type};
	return real->C_CreateObject(s, t, count, o);
}

/* --- the choice ---------------------------------------------------------- */

static void
choose(const char *lie)
{
	const char *number = strchr(lie, '=');

	if (number != NULL) {
		lie_constant(lie, number + 1);
		return;
	}
#define LIE(name, member, function) \
	if (strcmp(lie, name) == 0) \
	list.member = function
	LIE("crash", C_GetSessionInfo, crash);
	LIE("hang", C_GetSessionInfo, hang);
	LIE("rw-always", C_GetSessionInfo, rw_always);
	LIE("any-pin", C_Login, any_pin);
	LIE("leaks", C_GetAttributeValue, leaks);
	LIE("wraps-all", C_WrapKey, wraps_all);
	LIE("flips-a-bit", C_Encrypt, flips_a_bit);
	LIE("verifies-all", C_Verify, verifies_all);
	LIE("goes-on", C_DigestInit, keeps_mechanism);
	LIE("goes-on", C_Digest, goes_on);
	LIE("ends-early", C_Sign, ends_early);
	LIE("not-random", C_GenerateRandom, not_random);
	LIE("silent-about-more", C_GetSlotList, silent_about_more);
	LIE("finds-private", C_FindObjectsInit, finds_private);
	LIE("misses-one", C_FindObjects, misses_one);
	LIE("stays-logged-in", C_Logout, stays_logged_in);
	LIE("closes-all", C_CloseSession, closes_all);
	LIE("keeps-objects", C_DestroyObject, keeps_objects);
	LIE("same-key", C_GenerateKey, same_key);
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	const char *lie = getenv("LIE"), *of = getenv("LIAR_OF");
	CK_C_GetFunctionList get_list;
	void *module = of == NULL ? NULL : dlopen(of, RTLD_NOW | RTLD_LOCAL);

	if (out == NULL)
		return CKR_ARGUMENTS_BAD;
	if (module == NULL)
		return CKR_GENERAL_ERROR;
	*(void **)&get_list = dlsym(module, "C_GetFunctionList");
	if (get_list == NULL || get_list(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	list = *real;
	list.C_GetFunctionList = C_GetFunctionList;
	if (lie != NULL)
		choose(lie);
	*out = &list;
	return CKR_OK;
}
