/*
 * The module under test, as a trial in its own process sees it.
 *
 * A trial is a straight line: the first answer that is not as the specification
 * has it ends the process with the verdict. So nothing here hands an error
 * back, and nothing needs to be cleaned up by the trial: whatever ends it
 * removes the objects that it left on the token.
 */
#ifndef PKCS11_MODULE_H
#define PKCS11_MODULE_H

#include "bytes.h"
#include "verdict.h"

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

/* The label of every object that a trial makes. */
#define LABEL "touchstone-p11"

extern CK_FUNCTION_LIST *p11;
extern CK_SLOT_ID slot;     /* of the token under test */
extern CK_TOKEN_INFO token; /* as it was when the program began */

/* --- the two PINs; at NULL when none was given --------------------------- */

extern struct bytes user_pin, so_pin;

/* --- asking and judging -------------------------------------------------- */

/* No return value: CK_RV is 32 bits of it at most. */
#define RV_END (~(CK_RV)0)

/*
 * Call a function of the module; its name and arguments, as they stand here,
 * go into the finding. ASK leaves the answer to the caller, WANT takes one of
 * those listed and gives it back, MUST takes CKR_OK only.
 */
#define ASK(fn, args)       (module_calls(#fn #args), p11->fn args)
#define WANT(fn, args, ...) JUDGE(ASK(fn, args), __VA_ARGS__)
#define MUST(fn, args)      ((void)WANT(fn, args, CKR_OK))

/* The same for an answer that is there already. */
#define JUDGE(rv, ...) module_judge((rv), (const CK_RV[]){__VA_ARGS__, RV_END})

/* What is called now, for the finding and for the one who finds us dead. */
void module_calls(const char *text);
CK_RV module_judge(CK_RV rv, const CK_RV *right);

/* Each ends the trial. */
void fail(const char *what, const char *expected, const char *got)
    __attribute__((noreturn));
void not_claimed(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* Go on only when it holds. `what` is what was looked at: "ulMaxKeySize". */
void holds(bool condition, const char *what, const char *expected);
void same_number(const char *what, CK_ULONG got, CK_ULONG expected);
void same_octets(const char *what, struct bytes got, struct bytes expected);

/* Call it when the trial ends, however it does: what must not stay as it is. */
void at_end(void (*undo)(void));

/* --- sessions ------------------------------------------------------------ */

/* A R/W session when `rw`, else a R/O one. */
CK_SESSION_HANDLE session_open(bool rw);
/* A R/W session of the user. */
CK_SESSION_HANDLE session_user(void);
/* In R/W when the token can be written, nobody logged in. */
CK_SESSION_HANDLE session_public(void);
CK_RV ask_login(CK_SESSION_HANDLE s, CK_USER_TYPE who, struct bytes pin);
/* ulState must be this. */
void session_is(CK_SESSION_HANDLE s, CK_STATE state);
/* Handles that name nothing. */
CK_SESSION_HANDLE no_session(void);
CK_OBJECT_HANDLE no_object(void);

/* --- templates ----------------------------------------------------------- */

enum { ATTRS_MAX = 32 };

struct attrs {
	CK_ATTRIBUTE at[ATTRS_MAX];
	CK_ULONG number[ATTRS_MAX]; /* values live here */
	CK_ULONG count;
};

/* Set, or replace what was set before. The octets are borrowed. */
void attr_bool(struct attrs *t, CK_ATTRIBUTE_TYPE type, bool value);
void attr_number(struct attrs *t, CK_ATTRIBUTE_TYPE type, CK_ULONG value);
void attr_octets(struct attrs *t, CK_ATTRIBUTE_TYPE type, struct bytes value);
void attr_text(struct attrs *t, CK_ATTRIBUTE_TYPE type, const char *value);
void attr_drop(struct attrs *t, CK_ATTRIBUTE_TYPE type);

/* Read one attribute, which must be there. */
bool get_bool(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type);
CK_ULONG
get_number(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type);
/* Lives as long as the process. */
struct bytes
get_octets(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type);

/* How many objects a search finds; *first is the first, 0 when there is none.
 */
CK_ULONG find(CK_SESSION_HANDLE s, struct attrs *t, CK_OBJECT_HANDLE *first);

/* Octets of hexadecimal, which live as long as the process. */
struct bytes hex(const char *digits);
struct bytes text(const char *words);

/* --- for the runner ------------------------------------------------------ */

enum { FACT_MECHANISMS_MAX = 512 };

/* What the token says of itself, found out by the first process. */
struct facts {
	char error[512]; /* empty: the rest holds */
	CK_INFO library;
	CK_SLOT_ID slot;
	CK_SLOT_INFO slot_info;
	CK_TOKEN_INFO token;
	CK_ULONG mechanism_count;
	struct fact_mechanism {
		CK_MECHANISM_TYPE type;
		CK_MECHANISM_INFO info;
	} mechanisms[FACT_MECHANISMS_MAX];
};

/* How a trial ended; in one piece through a pipe. */
struct outcome {
	enum verdict verdict;
	char what[512], expected[512], got[512]; /* what: empty without one */
	char reason[512];
};

struct module_options {
	const char *path;
	const char *label; /* of the token; NULL: any */
	bool has_slot;
	CK_SLOT_ID slot;
};

struct trial;

/*
 * In a child: load the module, find the token, say what it is. Objects that an
 * earlier run left there are removed.
 *
 * where  shared with the parent: the function that is being called
 */
void
module_survey(const struct module_options *o, struct facts *out, char *where);

/* In a child: run one trial. Does not return; the outcome goes to `to`. */
void module_try(const struct module_options *o, const struct facts *f,
    const struct trial *t, int to, char *where) __attribute__((noreturn));

enum { WHERE_OCTETS = 256 };

const struct fact_mechanism *
facts_find(const struct facts *f, CK_MECHANISM_TYPE type);

/* "CKR_OK", "CKR_VENDOR_DEFINED + 0x67", "0x1234"; lives until the second next
 * call. */
const char *rv_name(CK_RV rv);

#endif
