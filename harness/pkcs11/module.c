#include "module.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "buf.h"
#include "die.h"
#include "hex.h"
#include "trial.h"

CK_FUNCTION_LIST *p11;
CK_SLOT_ID slot;
CK_TOKEN_INFO token;
struct bytes user_pin, so_pin;

static struct arena *lasting; /* as long as the process */
static char *where;
static int outcome_to = -1;
static bool littered; /* a token object may have been made */
static void (*undo)(void);

/* --- judging ------------------------------------------------------------- */

const char *
rv_name(CK_RV rv)
{
	static char text[2][48];
	static size_t turn;

	switch (rv) {
#define RV(name)   \
	case name: \
		return #name;
#include "rv.def"
#undef RV
	}
	turn ^= 1;
	if (rv & CKR_VENDOR_DEFINED)
		snprintf(text[turn], sizeof text[turn],
		    "CKR_VENDOR_DEFINED + 0x%lx", rv & ~CKR_VENDOR_DEFINED);
	else
		snprintf(text[turn], sizeof text[turn], "0x%lx", rv);
	return text[turn];
}

void
module_calls(const char *words)
{
	snprintf(where, WHERE_OCTETS, "%s", words);
}

/* Objects on the token that a trial made, of this run or an earlier one. A
 * module that destroys nothing and says it did is left to it. */
static void
tidy(void)
{
	enum { ROUNDS = 16 };
	CK_OBJECT_HANDLE found[64];
	CK_ATTRIBUTE label = {CKA_LABEL, LABEL, sizeof LABEL - 1};
	CK_SESSION_HANDLE s;
	CK_ULONG count = 0;

	if (p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
		NULL, &s) != CKR_OK)
		return;
	if (user_pin.at != NULL)
		(void)p11->C_Login(
		    s, CKU_USER, (CK_UTF8CHAR *)user_pin.at, user_pin.octets);
	for (int round = 0; round < ROUNDS; round++) {
		if (p11->C_FindObjectsInit(s, &label, 1) != CKR_OK)
			break;
		if (p11->C_FindObjects(s, found, 64, &count) != CKR_OK)
			count = 0;
		(void)p11->C_FindObjectsFinal(s);
		for (CK_ULONG i = 0; i < count; i++)
			(void)p11->C_DestroyObject(s, found[i]);
		if (count < 64)
			break;
	}
}

static void __attribute__((noreturn)) end(const struct outcome *o)
{
	if (write(outcome_to, o, sizeof *o) != sizeof *o)
		die("the outcome could not be handed over");
	if (undo != NULL)
		undo();
	if (littered) {
		(void)p11->C_CloseAllSessions(slot);
		tidy();
	}
	(void)p11->C_Finalize(NULL);
	_exit(0);
}

void
at_end(void (*how)(void))
{
	undo = how;
}

void
fail(const char *what, const char *expected, const char *got)
{
	struct outcome o = {.verdict = VERDICT_FAIL};

	snprintf(o.what, sizeof o.what, "%s", what);
	snprintf(o.expected, sizeof o.expected, "%s", expected);
	snprintf(o.got, sizeof o.got, "%s", got);
	end(&o);
}

void
not_claimed(const char *format, ...)
{
	struct outcome o = {.verdict = VERDICT_NOT_CLAIMED};
	va_list ap;

	va_start(ap, format);
	vsnprintf(o.reason, sizeof o.reason, format, ap);
	va_end(ap);
	end(&o);
}

CK_RV
module_judge(CK_RV rv, const CK_RV *right)
{
	struct buf expected = {0};

	for (const CK_RV *r = right; *r != RV_END; r++)
		if (rv == *r)
			return rv;
	for (const CK_RV *r = right; *r != RV_END; r++) {
		buf_text(&expected, r == right ? "" : " or ");
		buf_text(&expected, rv_name(*r));
	}
	fail(where, buf_peek_text(&expected), rv_name(rv));
}

void
holds(bool condition, const char *what, const char *expected)
{
	if (!condition)
		fail(what, expected, "otherwise");
}

void
same_number(const char *what, CK_ULONG got, CK_ULONG expected)
{
	char g[24], e[24];

	if (got == expected)
		return;
	snprintf(g, sizeof g, "0x%lx", got);
	snprintf(e, sizeof e, "0x%lx", expected);
	fail(what, e, g);
}

void
same_octets(const char *what, struct bytes got, struct bytes expected)
{
	struct buf g = {0}, e = {0};

	if (bytes_equal(got, expected))
		return;
	hex_write(got, &g);
	hex_write(expected, &e);
	fail(what, buf_peek_text(&e), buf_peek_text(&g));
}

/* --- sessions ------------------------------------------------------------ */

CK_SESSION_HANDLE
session_open(bool rw)
{
	CK_SESSION_HANDLE s = CK_INVALID_HANDLE;
	CK_FLAGS flags = CKF_SERIAL_SESSION | (rw ? CKF_RW_SESSION : 0);

	MUST(C_OpenSession, (slot, flags, NULL, NULL, &s));
	return s;
}

CK_RV
ask_login(CK_SESSION_HANDLE s, CK_USER_TYPE who, struct bytes pin)
{
	module_calls(who == CKU_SO ? "C_Login(s, CKU_SO, pin)"
				   : "C_Login(s, CKU_USER, pin)");
	return p11->C_Login(s, who, (CK_UTF8CHAR *)pin.at, pin.octets);
}

CK_SESSION_HANDLE
session_user(void)
{
	CK_SESSION_HANDLE s = session_open(true);

	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_OK);
	return s;
}

CK_SESSION_HANDLE
session_public(void)
{
	return session_open(!(token.flags & CKF_WRITE_PROTECTED));
}

void
session_is(CK_SESSION_HANDLE s, CK_STATE state)
{
	CK_SESSION_INFO info;

	memset(&info, 0xa5, sizeof info);
	MUST(C_GetSessionInfo, (s, &info));
	same_number("state of the session", info.state, state);
}

CK_SESSION_HANDLE
no_session(void)
{
	return 0x7ffe1234;
}

CK_OBJECT_HANDLE
no_object(void)
{
	return 0x7ffe1234;
}

/* --- templates ----------------------------------------------------------- */

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static CK_ATTRIBUTE *
attr_slot(struct attrs *t, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < t->count; i++)
		if (t->at[i].type == type)
			return &t->at[i];
	if (t->count == ATTRS_MAX)
		die("a template of more than %d attributes", ATTRS_MAX);
	t->at[t->count].type = type;
	return &t->at[t->count++];
}

void
attr_bool(struct attrs *t, CK_ATTRIBUTE_TYPE type, bool value)
{
	CK_ATTRIBUTE *a = attr_slot(t, type);

	a->pValue = value ? &yes : &no;
	a->ulValueLen = sizeof yes;
	if (type == CKA_TOKEN && value)
		littered = true;
}

void
attr_number(struct attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	CK_ATTRIBUTE *a = attr_slot(t, type);

	t->number[a - t->at] = value;
	a->pValue = &t->number[a - t->at];
	a->ulValueLen = sizeof value;
}

void
attr_octets(struct attrs *t, CK_ATTRIBUTE_TYPE type, struct bytes value)
{
	CK_ATTRIBUTE *a = attr_slot(t, type);

	a->pValue = (void *)value.at;
	a->ulValueLen = value.octets;
}

void
attr_text(struct attrs *t, CK_ATTRIBUTE_TYPE type, const char *value)
{
	attr_octets(t, type, text(value));
}

void
attr_drop(struct attrs *t, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < t->count; i++) {
		if (t->at[i].type != type)
			continue;
		t->count--;
		for (CK_ULONG j = i; j < t->count; j++) {
			bool own = t->at[j + 1].pValue == &t->number[j + 1];

			t->at[j] = t->at[j + 1];
			t->number[j] = t->number[j + 1];
			if (own)
				t->at[j].pValue = &t->number[j];
		}
		return;
	}
}

static const char *
attr_words(CK_ATTRIBUTE_TYPE type)
{
	return arena_printf(lasting, "C_GetAttributeValue of 0x%lx", type);
}

static void
get(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type, void *to,
    CK_ULONG octets)
{
	CK_ATTRIBUTE a = {type, to, octets};

	module_calls(attr_words(type));
	JUDGE(p11->C_GetAttributeValue(s, o, &a, 1), CKR_OK);
	same_number("its ulValueLen", a.ulValueLen, octets);
}

bool
get_bool(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;

	get(s, o, type, &value, sizeof value);
	return value != CK_FALSE;
}

CK_ULONG
get_number(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG value = 0;

	get(s, o, type, &value, sizeof value);
	return value;
}

struct bytes
get_octets(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE a = {type, NULL, 0};

	module_calls(attr_words(type));
	JUDGE(p11->C_GetAttributeValue(s, o, &a, 1), CKR_OK);
	holds(a.ulValueLen != CK_UNAVAILABLE_INFORMATION, attr_words(type),
	    "a length");
	a.pValue = arena_take(lasting, a.ulValueLen + 1);
	JUDGE(p11->C_GetAttributeValue(s, o, &a, 1), CKR_OK);
	return (struct bytes){a.pValue, a.ulValueLen};
}

CK_ULONG
find(CK_SESSION_HANDLE s, struct attrs *t, CK_OBJECT_HANDLE *first)
{
	CK_OBJECT_HANDLE found[16];
	CK_ULONG count, all = 0;

	*first = CK_INVALID_HANDLE;
	MUST(C_FindObjectsInit, (s, t->at, t->count));
	do {
		count = 0;
		MUST(C_FindObjects, (s, found, 16, &count));
		if (all == 0 && count > 0)
			*first = found[0];
		all += count;
	} while (count > 0);
	MUST(C_FindObjectsFinal, (s));
	return all;
}

struct bytes
hex(const char *digits)
{
	struct buf b = {0};

	if (hex_read(text(digits), &b, NULL) != OK)
		die("not hexadecimal: %s", digits);
	/* a buf of nothing has no place, and NULL asks for a length */
	buf_reserve(&b, 1);
	return buf_peek(&b);
}

struct bytes
text(const char *words)
{
	return (struct bytes){(const uint8_t *)words, strlen(words)};
}

/* --- for the runner ------------------------------------------------------ */

/* NULL: it is in p11 now; else what is wrong. */
static const char *
load(const char *path)
{
	CK_C_GetFunctionList get_list;
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (module == NULL)
		return dlerror();
	*(void **)&get_list = dlsym(module, "C_GetFunctionList");
	if (get_list == NULL)
		return "it has no C_GetFunctionList";
	module_calls("C_GetFunctionList(&list)");
	if (get_list(&p11) != CKR_OK || p11 == NULL)
		return "C_GetFunctionList does not answer CKR_OK with a list";
	return NULL;
}

static bool
labelled(const CK_TOKEN_INFO *t, const char *label)
{
	size_t octets = strlen(label);

	if (octets > sizeof t->label || memcmp(t->label, label, octets) != 0)
		return false;
	for (size_t i = octets; i < sizeof t->label; i++)
		if (t->label[i] != ' ')
			return false;
	return true;
}

static const char *
choose(const struct module_options *o, struct facts *f)
{
	CK_SLOT_ID slots[64];
	CK_ULONG count = 64;
	const char *wrong = "no such token; see --slot and --token";
	CK_RV rv = ASK(C_GetSlotList, (CK_TRUE, slots, &count));

	if (rv != CKR_OK)
		return rv_name(rv);
	for (CK_ULONG i = 0; i < count; i++) {
		if (o->has_slot && slots[i] != o->slot)
			continue;
		rv = ASK(C_GetTokenInfo, (slots[i], &f->token));
		if (rv != CKR_OK) {
			wrong = rv_name(rv);
			continue;
		}
		if (o->label != NULL && !labelled(&f->token, o->label))
			continue;
		if (!o->has_slot && o->label == NULL &&
		    !(f->token.flags & CKF_TOKEN_INITIALIZED))
			continue;
		f->slot = slots[i];
		rv = ASK(C_GetSlotInfo, (f->slot, &f->slot_info));
		return rv == CKR_OK ? NULL : rv_name(rv);
	}
	return wrong;
}

static const char *
list_mechanisms(struct facts *f)
{
	CK_MECHANISM_TYPE types[FACT_MECHANISMS_MAX];
	CK_ULONG count = FACT_MECHANISMS_MAX;
	CK_RV rv = ASK(C_GetMechanismList, (f->slot, types, &count));

	if (rv != CKR_OK)
		return rv_name(rv);
	for (CK_ULONG i = 0; i < count; i++) {
		struct fact_mechanism *m = &f->mechanisms[f->mechanism_count];

		m->type = types[i];
		rv = ASK(C_GetMechanismInfo, (f->slot, m->type, &m->info));
		if (rv == CKR_OK)
			f->mechanism_count++;
	}
	return NULL;
}

void
module_survey(const struct module_options *o, struct facts *out, char *shared)
{
	const char *wrong;
	CK_RV rv;

	where = shared;
	lasting = arena_new();
	wrong = load(o->path);
	if (wrong == NULL) {
		rv = ASK(C_Initialize, (NULL));
		wrong = rv == CKR_OK ? NULL : rv_name(rv);
	}
	if (wrong == NULL) {
		rv = ASK(C_GetInfo, (&out->library));
		wrong = rv == CKR_OK ? NULL : rv_name(rv);
	}
	if (wrong == NULL)
		wrong = choose(o, out);
	if (wrong == NULL)
		wrong = list_mechanisms(out);
	if (wrong == NULL) {
		slot = out->slot;
		tidy();
		(void)ASK(C_Finalize, (NULL));
	} else {
		snprintf(out->error, sizeof out->error, "%s: %s",
		    where[0] != '\0' ? where : o->path, wrong);
	}
}

void
module_try(const struct module_options *o, const struct facts *f,
    const struct trial *t, int to, char *shared)
{
	const struct outcome pass = {.verdict = VERDICT_PASS};
	const char *wrong;

	where = shared;
	outcome_to = to;
	lasting = arena_new();
	wrong = load(o->path);
	if (wrong != NULL)
		die("%s: %s", o->path, wrong);
	slot = f->slot;
	token = f->token;
	if (!(t->needs & NEED_FRESH))
		MUST(C_Initialize, (NULL));
	t->run(t);
	end(&pass);
}

const struct fact_mechanism *
facts_find(const struct facts *f, CK_MECHANISM_TYPE type)
{
	for (CK_ULONG i = 0; i < f->mechanism_count; i++)
		if (f->mechanisms[i].type == type)
			return &f->mechanisms[i];
	return NULL;
}
