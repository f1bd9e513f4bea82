/*
 * Hold what an NAE-XML server answered against what a case expects, element by
 * element and octet by octet.
 *
 * What may differ is written in the case (nae_piece.def) or a named rule
 * (rule.def); nothing else is let through here.
 */
#ifndef TOUCHSTONE_NAE_MATCH_H
#define TOUCHSTONE_NAE_MATCH_H

#include "nae_body.h"
#include "rule.h"

/*
 * One root element. OK binds the variables of the expected one.
 *
 * ERR_TAG      another root element
 * ERR_MISSING  an expected element is not there
 * ERR_SURPLUS  one that is not expected
 * ERR_ORDER    those that are expected, in another order
 * ERR_VALUE    another text, other data
 * ERR_LENGTH   less or more data, chunks of other sizes
 * ERR_SYNTAX   white space beside elements
 */
enum err nae_match(struct arena *a, const struct nae_expected *x,
    const struct nae_message *expected, struct nae_message *got,
    struct nae_vars *v, const struct rules *rules,
    struct finding *f) MUST_CHECK;

/*
 * What every answer is, whatever a case expects: <XxxResponse>, Success true
 * or false, FatalError and ErrorString when it is false.
 *
 * spec: nae-xml 2.3
 */
enum err
nae_check_envelope(const struct nae_message *got, struct finding *f) MUST_CHECK;

/* It tells of failure; of one that ends the connection. */
bool nae_is_failure(const struct nae_message *m);
bool nae_is_fatal(const struct nae_message *m);

#endif
