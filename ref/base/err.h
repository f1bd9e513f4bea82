/*
 * Errors: one enum, one idiom.
 *
 * A function that can fail returns enum err and nothing else; results go out
 * through pointers. TRY() is the only macro with control flow in it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
	OK = 0,
#define ERR(code, reason, text) code,
#include "base/err.def"
#undef ERR
	ERR_END
};

#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * Set rc, and go to out when it is not OK. Needs both in the function; rc may
 * be of another enum whose 0 is success, as its calls are then.
 */
#define TRY(call)                  \
	do {                       \
		rc = (call);       \
		if ((int)rc != OK) \
			goto out;  \
	} while (0)

/* The code's own name, "ERR_TRUNCATED", for the log. Static. */
const char *err_name(enum err rc);

/* What a person reads. Static. */
const char *err_text(enum err rc);

#endif
