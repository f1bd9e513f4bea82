/*
 * From the errors of ref/base to what the card answers; rv.def has the rest.
 */
#ifndef CARD_RV_H
#define CARD_RV_H

#include "card/card.h"

/*
 * ERR_SEAL is a wrong secret. What has no row of its own is a matter of the
 * card's state, which cannot be written or read.
 */
enum card_rv rv_of(enum err rc) MUST_CHECK;

#endif
