/*
 * Each function out of turn. The rows of call.def are put to the module three
 * times: before C_Initialize, after C_Finalize, and with a handle that names
 * nothing.
 */
#include "module.h"
#include "trial.h"

#include <string.h>

enum handle { NONE, SLOT, SESSION, PARALLEL };

/* PARALLEL functions are remnants of 1.0 and answer one thing. */
struct call {
	const char *name, *clause;
	enum handle handle;
	CK_RV (*run)(CK_SESSION_HANDLE s, CK_SLOT_ID id);
};

/* A stub that answers CKR_FUNCTION_NOT_SUPPORTED is allowed for each function
 * (5.4, C_GetFunctionList), at any time. */
static CK_RV
supported(CK_RV rv)
{
	if (rv == CKR_FUNCTION_NOT_SUPPORTED)
		not_claimed("the function answers CKR_FUNCTION_NOT_SUPPORTED");
	return rv;
}

/* Sound arguments of every kind; few functions need many of them. */
#define CALL(name, args, handle, clause)                                    \
	static CK_RV call_##name(CK_SESSION_HANDLE s, CK_SLOT_ID id)        \
	{                                                                   \
		CK_BYTE in[64] = "0123456789abcdef", out[64];               \
		CK_ULONG n = sizeof out;                                    \
		CK_OBJECT_HANDLE o = no_object();                           \
		CK_MECHANISM m = {CKM_SHA256, NULL, 0};                     \
		CK_ATTRIBUTE a = {CKA_LABEL, in, 4};                        \
		CK_INFO info;                                               \
		CK_SLOT_INFO slot_info;                                     \
		CK_TOKEN_INFO token_info;                                   \
		CK_SESSION_INFO session_info;                               \
		CK_MECHANISM_INFO mechanism_info;                           \
                                                                            \
		(void)s, (void)id, (void)in, (void)out, (void)n, (void)o;   \
		(void)m, (void)a, (void)info, (void)slot_info;              \
		(void)token_info, (void)session_info, (void)mechanism_info; \
		return supported(ASK(name, args));                          \
	}
#include "call.def"
#undef CALL

static const struct call calls[] = {
#define CALL(name, args, handle, clause) \
	{#name, BASE clause, handle, call_##name},
#include "call.def"
#undef CALL
};

static void
uninitialized(const struct call *c)
{
	CK_RV rv = c->run(no_session(), slot);

	if (c->handle == PARALLEL)
		JUDGE(rv, CKR_CRYPTOKI_NOT_INITIALIZED,
		    CKR_FUNCTION_NOT_PARALLEL);
	else
		JUDGE(rv, CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void
before_initialize(const struct trial *t)
{
	uninitialized(t->row);
}

static void
after_finalize(const struct trial *t)
{
	MUST(C_Finalize, (NULL));
	uninitialized(t->row);
}

static void
bad_handle(const struct trial *t)
{
	const struct call *c = t->row;

	switch (c->handle) {
	case SLOT:
		JUDGE(c->run(0, 0x7ffe1234), CKR_SLOT_ID_INVALID);
		break;
	case SESSION:
		JUDGE(c->run(no_session(), slot), CKR_SESSION_HANDLE_INVALID);
		break;
	case PARALLEL:
		JUDGE(c->run(no_session(), slot), CKR_SESSION_HANDLE_INVALID,
		    CKR_FUNCTION_NOT_PARALLEL);
		break;
	case NONE:
		break;
	}
}

static const struct {
	const char *when, *sentence;
	unsigned needs;
	void (*run)(const struct trial *t);
} turns[] = {
    {"before", "Before C_Initialize %s answers that it was not called",
	NEED_FRESH, before_initialize},
    {"after", "After C_Finalize %s answers that Cryptoki is not initialized", 0,
	after_finalize},
    {"handle", "%s refuses a handle that names nothing", 0, bad_handle},
};

/* The sentence with the function's name in it. */
static const char *
sentence(struct arena *a, const char *form, const char *name)
{
	size_t before = strcspn(form, "%");

	return arena_printf(
	    a, "%.*s%s%s", (int)before, form, name, form + before + 2);
}

void
calls_trials(struct trials *ts)
{
	for (size_t n = 0; n < sizeof turns / sizeof *turns; n++)
		for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
			const struct call *c = &calls[i];

			if (turns[n].run == bad_handle && c->handle == NONE)
				continue;
			trials_add(
			    ts, (struct trial){
				    .id = arena_printf(ts->arena, "calls/%s/%s",
					turns[n].when, c->name),
				    .title = sentence(
					ts->arena, turns[n].sentence, c->name),
				    .clause = c->clause,
				    .needs = turns[n].needs,
				    .run = turns[n].run,
				    .row = c});
		}
}
