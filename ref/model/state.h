/*
 * The life cycle as a table: state now, event, state then.
 *
 * Source: KMIP 1.4 section 3.22, KMIP 2.1 section 4.57
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "wire/schema.h"

enum event {
	EVENT_ACTIVATE,
	EVENT_DEACTIVATE, /* Revoke for any reason but a compromise, or a date
			   */
	EVENT_COMPROMISE,
	EVENT_DESTROY,
	EVENT_COUNT
};

/*
 * ERR_LIFECYCLE  the state does not allow it; *then is untouched
 */
enum err state_next(uint32_t now, enum event event, uint32_t *then) MUST_CHECK;

/* May a key in this state protect (encrypt, sign, wrap) or only process? */
bool state_allows_protect(uint32_t state);
bool state_allows_process(uint32_t state);

#endif
