/*
 * How a command ended: the line behind it, in the words of PKCS#11.
 */
#ifndef LUNACM_RESULT_H
#define LUNACM_RESULT_H

#include "card/card.h"

struct result {
	CK_RV code;
	const char *name; /* "CKR_PIN_INCORRECT" */
	const char *text; /* for people; NULL when all is well */
};

struct result result_ok(void);

/* What the tool itself finds. */
struct result result_slot(void); /* there is none of that number */
struct result result_arguments(const char *text); /* static */
struct result result_canceled(void);
struct result result_removed(void); /* the card is not there */

/* What the card answered: "CARD_PIN_INCORRECT". One it cannot have: general. */
struct result result_of(const char *code);

#endif
