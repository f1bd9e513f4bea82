/*
 * The functions of call.def: their numbers, their types, and what they are
 * made of.
 *
 * Nothing here is written for one function. A module that calls the token in
 * its own process passes a row's parameters on:
 *
 *	#define CALL(number, name, effect, ...)                          \
 *		static CK_RV own_##name(                                 \
 *		    CALL_LIST(CALL_EACH(CALL_PARAM, __VA_ARGS__)))       \
 *		{                                                        \
 *			return token_##name(                             \
 *			    app CALL_EACH(CALL_PASS, __VA_ARGS__));      \
 *		}
 *
 * One that is apart from it gathers them in union call_args, and whoever moves
 * arguments walks the row's kinds.
 */
#ifndef TOKEN_CALL_H
#define TOKEN_CALL_H

#include <p11-kit/pkcs11.h>

struct token_app;

/* ---- rows to macros ---- */

/* clang-format off */

/* m(kind, name) for each of a row's arguments. */
#define CALL_EACH(m, ...)                                                    \
	CALL_NTH(__VA_ARGS__, CALL_EACH6, CALL_EACH5, CALL_EACH4,            \
	    CALL_EACH3, CALL_EACH2, CALL_EACH1, )(m, __VA_ARGS__)
#define CALL_NTH(a, b, c, d, e, f, each, ...) each
#define CALL_EACH1(m, a)      m a
#define CALL_EACH2(m, a, ...) m a CALL_EACH1(m, __VA_ARGS__)
#define CALL_EACH3(m, a, ...) m a CALL_EACH2(m, __VA_ARGS__)
#define CALL_EACH4(m, a, ...) m a CALL_EACH3(m, __VA_ARGS__)
#define CALL_EACH5(m, a, ...) m a CALL_EACH4(m, __VA_ARGS__)
#define CALL_EACH6(m, a, ...) m a CALL_EACH5(m, __VA_ARGS__)

/* A list that begins with a comma, without it. */
#define CALL_LIST(...)        CALL_REST(__VA_ARGS__)
#define CALL_REST(empty, ...) __VA_ARGS__

/* ", CK_BYTE *data, CK_ULONG data_octets" */
#define CALL_PARAM(kind, n)         CALL_PARAM_##kind(n)
#define CALL_PARAM_SESSION(n)       , CK_SESSION_HANDLE n
#define CALL_PARAM_NUMBER(n)        , CK_ULONG n
#define CALL_PARAM_BOOL(n)          , CK_BBOOL n
#define CALL_PARAM_OCTETS(n)        , CK_BYTE *n, CK_ULONG n##_octets
#define CALL_PARAM_OCTETS_OUT(n)    , CK_BYTE *n, CK_ULONG *n##_octets
#define CALL_PARAM_FILL(n)          , CK_BYTE *n, CK_ULONG n##_octets
#define CALL_PARAM_LABEL(n)         , CK_BYTE *n
#define CALL_PARAM_NUMBER_OUT(n)    , CK_ULONG *n
#define CALL_PARAM_NUMBERS_OUT(n)   , CK_ULONG *n, CK_ULONG *n##_count
#define CALL_PARAM_FOUND_OUT(n)     , CK_ULONG *n, CK_ULONG n##_max, \
				      CK_ULONG *n##_count
#define CALL_PARAM_MECHANISM(n)     , CK_MECHANISM *n
#define CALL_PARAM_TEMPLATE(n)      , CK_ATTRIBUTE *n, CK_ULONG n##_count
#define CALL_PARAM_TEMPLATE_OUT(n)  , CK_ATTRIBUTE *n, CK_ULONG n##_count
#define CALL_PARAM_SLOT_INFO(n)     , CK_SLOT_INFO *n
#define CALL_PARAM_TOKEN_INFO(n)    , CK_TOKEN_INFO *n
#define CALL_PARAM_SESSION_INFO(n)  , CK_SESSION_INFO *n
#define CALL_PARAM_MECHANISM_INFO(n) , CK_MECHANISM_INFO *n
#define CALL_PARAM_CALLBACK(n)      , void *n##_context, CK_NOTIFY n
#define CALL_PARAM_RESERVED(n)      , void *n

/* ", data, data_octets" */
#define CALL_PASS(kind, n)          CALL_PASS_##kind(n)
#define CALL_PASS_SESSION(n)        , n
#define CALL_PASS_NUMBER(n)         , n
#define CALL_PASS_BOOL(n)           , n
#define CALL_PASS_OCTETS(n)         , n, n##_octets
#define CALL_PASS_OCTETS_OUT(n)     , n, n##_octets
#define CALL_PASS_FILL(n)           , n, n##_octets
#define CALL_PASS_LABEL(n)          , n
#define CALL_PASS_NUMBER_OUT(n)     , n
#define CALL_PASS_NUMBERS_OUT(n)    , n, n##_count
#define CALL_PASS_FOUND_OUT(n)      , n, n##_max, n##_count
#define CALL_PASS_MECHANISM(n)      , n
#define CALL_PASS_TEMPLATE(n)       , n, n##_count
#define CALL_PASS_TEMPLATE_OUT(n)   , n, n##_count
#define CALL_PASS_SLOT_INFO(n)      , n
#define CALL_PASS_TOKEN_INFO(n)     , n
#define CALL_PASS_SESSION_INFO(n)   , n
#define CALL_PASS_MECHANISM_INFO(n) , n
#define CALL_PASS_CALLBACK(n)       , n##_context, n
#define CALL_PASS_RESERVED(n)       , n

/* ---- the token's functions ---- */

/* token_C_GetSlotList and so on; token.h says what they promise. */
#define CALL(number, name, effect, ...) \
	CK_RV token_##name(             \
	    struct token_app *app CALL_EACH(CALL_PARAM, __VA_ARGS__));
#include "token/call.def"
#undef CALL

/* The same as a table, for whoever calls them by row. */
struct token_calls {
#define CALL(number, name, effect, ...) \
	CK_RV (*name)(                  \
	    struct token_app *app CALL_EACH(CALL_PARAM, __VA_ARGS__));
#include "token/call.def"
#undef CALL
};
/* clang-format on */

/* ---- the rows, to be walked ---- */

enum call_id {
#define CALL(number, name, effect, ...) CALL_##name,
#include "token/call.def"
#undef CALL
	CALL_COUNT
};

enum call_kind {
	CALL_END, /* behind a row's last argument */
	CALL_SESSION,
	CALL_NUMBER,
	CALL_BOOL,
	CALL_OCTETS,
	CALL_OCTETS_OUT,
	CALL_FILL,
	CALL_LABEL,
	CALL_NUMBER_OUT,
	CALL_NUMBERS_OUT,
	CALL_FOUND_OUT,
	CALL_MECHANISM,
	CALL_TEMPLATE,
	CALL_TEMPLATE_OUT,
	CALL_SLOT_INFO,
	CALL_TOKEN_INFO,
	CALL_SESSION_INFO,
	CALL_MECHANISM_INFO,
	CALL_CALLBACK,
	CALL_RESERVED,
};

enum call_effect {
	CALL_QUIET,
	CALL_LOCAL,
	CALL_WIDE,
	CALL_INIT,
	CALL_ONE_SHOT,
};

enum { CALL_ARGS_MAX = 6, CALL_LABEL_OCTETS = 32 };

struct call {
	unsigned number;
	const char *name; /* "C_GetSlotList" */
	enum call_effect effect;
	enum call_kind kinds[CALL_ARGS_MAX + 1]; /* CALL_END ends them */
};

extern const struct call calls[CALL_COUNT];

/* By its number in the function list; CALL_COUNT: no such row. */
enum call_id call_find(unsigned number);

/* ---- one call's arguments ---- */

/*
 * One argument, whatever its kind:
 *
 * at      what the pointer points to; NULL as it was given
 * number  the value of SESSION, NUMBER, BOOL; a length, count or maximum that
 *         goes in; of RESERVED whether it was NULL (0) or not (1)
 * count   where a length or count comes out (OCTETS_OUT, NUMBERS_OUT,
 *         FOUND_OUT); NULL as it was given
 */
struct call_arg {
	void *at;
	CK_ULONG number;
	CK_ULONG *count;
};

/* The arguments by position, and by the names that a row gives them. */
union call_args {
	struct call_arg arg[CALL_ARGS_MAX];
#define CALL_ARG(kind, n) struct call_arg n;
#define CALL(number, name, effect, ...)          \
	struct call_args_##name {                \
		CALL_EACH(CALL_ARG, __VA_ARGS__) \
	} name;
#include "token/call.def"
#undef CALL
};

#endif
