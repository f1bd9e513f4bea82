/*
 * Reset to factory settings: all that the appliance was ever given is gone.
 *
 * It is asked for by a change, and is durable before anything is lost; from
 * then on only its end ends it:
 *
 *	1. the change: a record in the store, and the audit line
 *	2. the mark, a file in DIR; the process leaves and starts again
 *	3. a start that finds the mark has the card zeroized, erases what is in
 *	   DIR and belongs to the appliance, removes the mark and starts again
 *
 * A start that finds the record without the mark goes on with step 2; one that
 * finds the mark does all of step 3 anew. While the card does not answer, there
 * is no end of it, and no appliance: nothing is made that would be erased.
 *
 * What DIR was given from outside stays: touchstone.conf, and what it names.
 */
#ifndef DEVICE_FACTORY_H
#define DEVICE_FACTORY_H

#include "base/loop.h"
#include "device/change.h"

struct factory_reset;

/* The apply of a change with ACT_FACTORY_RESET and LEAVE_RESET. */
enum err factory_apply(struct change *change) MUST_CHECK;

/* Was it asked for? A store that cannot be read was not. */
bool factory_is_asked(struct store *st);

/* ERR_SYSTEM  the log says why */
enum err factory_mark(const char *dir) MUST_CHECK;
bool factory_is_marked(const char *dir);

/*
 * Step 3, but for the last start: `done` is called from the loop, once.
 *
 * dir, card  as in struct root_config, borrowed until it is done
 *
 * ERR_HSM     the card does not answer, or refuses: the files are gone, the
 *             mark is there
 * ERR_SYSTEM  a file is left, and the mark as well
 */
typedef void factory_fn(void *ctx, enum err rc);
enum err factory_reset_new(struct loop *loop, const char *dir, const char *card,
    factory_fn *done, void *ctx, struct factory_reset **out) MUST_CHECK;
void factory_reset_free(struct factory_reset *reset); /* accepts NULL */

#endif
