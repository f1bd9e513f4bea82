/*
 * What a function of the tool can answer: OK or one row of err.def.
 *
 * A function that can fail returns `enum err` and nothing else; results go out
 * through pointers, and a result that is dropped is a compiler error.
 */
#ifndef TOUCHSTONE_ERR_H
#define TOUCHSTONE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
	OK = 0,
#define ERR(code, text) code,
#include "err.def"
#undef ERR
	ERR_COUNT
};

/* Sets `rc` and leaves sideways; the only macro with control flow in it. */
#define TRY(call)                 \
	do {                      \
		rc = (call);      \
		if (rc != OK)     \
			goto out; \
	} while (0)

/* "ERR_NOMEM"; for logs.  Never NULL. */
const char *err_name(enum err rc);

/* "out of memory"; for people.  Never NULL. */
const char *err_text(enum err rc);

/*
 * Detail for a person, filled by whoever finds the fault: "target.conf:12:
 * `port` takes 1 to 65535".  Cut off at its size.  Never holds key material.
 */
struct fault {
	char text[512];
};

/*
 * Write the detail and hand the code back: TRY(fault_say(f, ERR_SYNTAX, ...)).
 *
 * f   may be NULL: nobody wants to know
 */
enum err fault_say(struct fault *f, enum err rc, const char *format,
    ...) MUST_CHECK __attribute__((format(printf, 3, 4)));

#endif
