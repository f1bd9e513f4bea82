/*
 * Placeholders of a case: $NOW, and names that stand for what the server said.
 *
 *	$NOW, $NOW-60, $NOW+3600       the clock, when the request is made
 *	$..._RANDOM...                 chosen by us before its first use
 *	$UNIQUE_IDENTIFIER_0, $SHORT_UNIQUE_IDENTIFIER_0, $KEY_MATERIAL,
 *	$KEY_VALUE, $DIGEST_VALUE      bound by the first answer that has it,
 *	                               and then the same in every other
 *	any other                      bound anew by every answer that has it
 *
 * A name that a request uses and no answer has marked is looked up by its tag
 * in the answers so far: $IV_COUNTER_NONCE is the latest IV/Counter/Nonce.
 */
#ifndef TOUCHSTONE_VARS_H
#define TOUCHSTONE_VARS_H

#include "err.h"
#include "node.h"

struct vars;

/*
 * a       owns them
 * seed    of the random ones
 * prefix  put before every Name Value; NULL: none
 */
struct vars *vars_new(struct arena *a, uint64_t seed, const char *prefix);

/* The seed of one test of a run: no two tests choose the same. */
uint64_t vars_seed(uint64_t seed, const char *id);

/* Leave the test identifiers out of the requests. */
void vars_leave_out(struct vars *v);

/* An attribute x-ID (2.x: vendor x, name ID). */
bool vars_is_test_identifier(const struct node *n);

/*
 * Make the request of a step: a copy whose placeholders have their values.
 *
 * now   seconds since 1970
 *
 * ERR_NOT_FOUND  a name that has no value yet; `f` has it
 * ERR_LENGTH     its value does not fit the type of the item
 */
enum err vars_fill(struct vars *v, struct arena *a, const struct node *request,
    int64_t now, struct node **out, struct fault *f) MUST_CHECK;

/* Remember the items of an answer, for names without a mark. */
void vars_see(struct vars *v, const struct node *response);

enum vars_answer {
	VARS_EQUAL,
	VARS_OTHER,   /* bound to another value */
	VARS_UNBOUND, /* no value yet, or one that may change: take this one */
	VARS_DATE,    /* $NOW: see vars_now_offset */
};

/* What the placeholder of an expected item says of the item that came. */
enum vars_answer vars_look(
    const struct vars *v, const struct node *expected, const struct node *got);
void vars_bind(struct vars *v, const char *placeholder, const struct node *got);

/* $NOW-60 -> -60; false when the placeholder is none of $NOW. */
bool vars_now_offset(const char *placeholder, int64_t *seconds);

/* The text as requests carry it: with the prefix. */
const char *vars_prefix(const struct vars *v);

#endif
