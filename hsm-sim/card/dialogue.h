/*
 * What the card and a person say to each other through the PED.
 *
 * The PED shows and reads; which iKey, in what order, and how often is decided
 * here. Texts are in text.def. What comes out is the secret that was delivered,
 * right or wrong: the card judges it. What was not delivered (no iKey, another
 * kind, an iKey twice, no PIN) is asked for again, and counts nothing.
 */
#ifndef CARD_DIALOGUE_H
#define CARD_DIALOGUE_H

#include "card/port.h"
#include "ikey/ikey.h"

enum title {
#define TITLE(code, colour, origin, text) code,
#include "card/text.def"
	TITLE_END
};

enum { CHALLENGE_ROOM = CARD_CHALLENGE_OCTETS + 1 };

struct dialogue;

/*
 * Take the PED for one operation; a remote one that is still to prove that it
 * knows the remote PED vector is asked for the orange iKey first.
 *
 * vector  the card's; NULL: it has none
 *
 * Those of port_begin; CARD_PIN_INCORRECT: another orange iKey, or its PIN
 */
enum card_rv dialogue_new(struct env *env, struct port *port,
    enum port_which which, const struct secret *vector, struct dialogue **out);
/* The PED goes back to its waiting text; accepts NULL. */
void dialogue_free(struct dialogue *d);

/* The secret of a keyset, from as many of its iKeys as it takes. */
enum card_rv
dialogue_login(struct dialogue *d, enum title title, struct secret **secret);

/*
 * Imprint iKeys with a fresh secret; or, should the person want that, read one
 * that they have.
 *
 * secret  what the iKeys carry now
 */
enum card_rv dialogue_imprint(struct dialogue *d, enum title title,
    const struct secret *fresh, struct secret **secret);

/* Show the challenge, until it has been written down. */
enum card_rv
dialogue_challenge(struct dialogue *d, const char challenge[CHALLENGE_ROOM]);

#endif
