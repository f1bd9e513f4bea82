/*
 * Hold an answer against the one that a case expects, value by value.
 *
 * The answer has passed check_tree() before: order, types and fields are those
 * of the version. What remains is presence and values. What may differ is
 * either written in the vector (struct leniency) or a named rule (rule.def);
 * nothing else is let through here.
 */
#ifndef TOUCHSTONE_COMPARE_H
#define TOUCHSTONE_COMPARE_H

#include "finding.h"
#include "rule.h"
#include "story.h"
#include "vars.h"

struct comparison {
	const struct rules *rules;
	struct vars *vars;
	const struct story *story;  /* with this exchange's request */
	const struct node *request; /* as sent */
	unsigned version;
	int64_t now; /* when the answer came */
	int64_t now_tolerance_s;
};

/*
 * OK binds the placeholders of the expected answer.
 *
 * ERR_MISSING  an expected item is not there
 * ERR_SURPLUS  an item that is not expected
 * ERR_ORDER    items that all match, in another order
 * ERR_TYPE, ERR_VALUE
 *
 * f   expected and got read "Integer 1", "(absent)", "TextString
 *     $UNIQUE_IDENTIFIER_0": the same in each run, so that a waiver can match
 *     them; `rule` is the named rule that would allow it and is switched off
 */
enum err compare_answer(struct comparison *c, const struct node *expected,
    const struct node *got, struct finding *f) MUST_CHECK;

#endif
