#include "device/key.h"
#include "device/key_work.h"

/* What each date can still be changed in. req: KS-28-249 KS-28-252 */
static const struct {
	enum tag date;
	unsigned states;
} dates[] = {
    {TAG_ACTIVATION_DATE, STORE_STATE(STATE_PRE_ACTIVE)},
    {TAG_PROCESS_START_DATE, STORE_STATE(STATE_PRE_ACTIVE)},
    {TAG_PROTECT_STOP_DATE,
	STORE_STATE(STATE_PRE_ACTIVE) | STORE_STATE(STATE_ACTIVE)},
    {TAG_DEACTIVATION_DATE,
	STORE_STATE(STATE_PRE_ACTIVE) | STORE_STATE(STATE_ACTIVE)},
};

/* A state, of which a key with versions has none. */
static uint32_t
state_of(const struct object *key)
{
	return key_versions(key) == 0 ? object_state(key) : 0;
}

bool
key_date_is_open(const struct object *key, enum tag date)
{
	uint32_t state = state_of(key);
	size_t k;

	for (k = 0; k < sizeof(dates) / sizeof(dates[0]); k++) {
		if (dates[k].date == date)
			return state != 0 &&
			       (dates[k].states & STORE_STATE(state)) != 0;
	}
	return false;
}

/* req: KS-28-247 KS-28-248 */
static enum err
next_state(uint32_t now, uint32_t then)
{
	uint32_t reached;
	enum err rc = OK;

	TRY(state_next(now,
	    then == STATE_ACTIVE ? EVENT_ACTIVATE : EVENT_DEACTIVATE,
	    &reached));
	if (reached != then)
		TRY(ERR_LIFECYCLE);
out:
	return rc;
}

enum err
key_set_state(struct key_call *call, const struct object *key, uint32_t state)
{
	struct object *o = NULL;
	enum err rc = OK;

	TRY(key_edit(call, key, &o));
	if (state_of(o) == 0)
		TRY(ERR_OBJECT_TYPE);
	TRY(next_state(state_of(o), state));
	TRY(object_set_state(o, state, env_wall_s(call->appliance->env)));
	TRY(key_save(call, &o));
out:
	object_free(o);
	return rc;
}

/* req: KS-28-254 KS-28-255 */
enum err
key_set_date(struct key_call *call, const struct object *key, enum tag date,
    int64_t wall_s)
{
	struct object *o = NULL;
	struct fault f = {{0}};
	bool changed;
	enum err rc = OK;

	TRY(key_edit(call, key, &o));
	if (state_of(o) == 0)
		TRY(ERR_OBJECT_TYPE);
	if (!key_date_is_open(o, date))
		TRY(ERR_LIFECYCLE);
	TRY(attr_set_number(o->arena, &o->attrs, date, wall_s));
	rc = object_check_dates(o, &f);
	if (rc == ERR_FIELD)
		TRY(key_refuse(
		    call, rc, attr_def_any(date)->name, BYTES_NONE, f.text));
	TRY(rc);
	TRY(object_tick(o, env_wall_s(call->appliance->env), &changed));
	TRY(key_save(call, &o));
out:
	object_free(o);
	return rc;
}
