#include "model/state.h"

/*
 * spec: kmip-1.4 3.22, kmip-2.1 4.57  rows: the state now; columns: the event;
 * NO: refused, for only the transitions that the specification lists are
 * permitted. A row that no state has is all zeros, and 0 is NO.
 */
enum { NO = 0, STATE_ROOM = STATE_DESTROYED_COMPROMISED + 1 };

/* clang-format off */
static const uint8_t next_state[STATE_ROOM][EVENT_COUNT] = {
	/*                              activate      deactivate         compromise                   destroy */
	[STATE_PRE_ACTIVE]           = {STATE_ACTIVE, NO,                STATE_COMPROMISED,           STATE_DESTROYED},
	[STATE_ACTIVE]               = {NO,           STATE_DEACTIVATED, STATE_COMPROMISED,           NO},
	[STATE_DEACTIVATED]          = {NO,           NO,                STATE_COMPROMISED,           STATE_DESTROYED},
	[STATE_COMPROMISED]          = {NO,           NO,                NO,                          STATE_DESTROYED_COMPROMISED},
	[STATE_DESTROYED]            = {NO,           NO,                STATE_DESTROYED_COMPROMISED, NO},
	[STATE_DESTROYED_COMPROMISED] = {NO,          NO,                NO,                          NO},
};
/* clang-format on */

enum err
state_next(uint32_t now, enum event event, uint32_t *then)
{
	if (now >= STATE_ROOM || next_state[now][event] == NO)
		return ERR_LIFECYCLE;
	*then = next_state[now][event];
	return OK;
}

bool
state_allows_protect(uint32_t state)
{
	return state == STATE_ACTIVE;
}

bool
state_allows_process(uint32_t state)
{
	return state == STATE_ACTIVE || state == STATE_DEACTIVATED ||
	       state == STATE_COMPROMISED;
}
