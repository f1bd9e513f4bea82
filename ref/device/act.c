#include "device/act.h"

static const struct control_row controls[CONTROL_COUNT] = {
#define CONTROL(symbol, word, name, clause) [symbol] = {word, name},
#include "device/control.def"
#undef CONTROL
};

static const struct grant_row grants[GRANT_COUNT] = {
#define GRANT(symbol, word, name, control, clause) \
	[symbol] = {word, name, control},
#include "device/grant.def"
#undef GRANT
};

static const struct act_row acts[ACT_COUNT] = {
#define ACT(symbol, needs, several, grant, name) \
	[symbol] = {needs, several, grant, name},
#include "device/act.def"
#undef ACT
};

_Static_assert((int)CONTROL_COUNT < 32 && (int)GRANT_COUNT < 32,
    "they are bits of a uint32_t");

/*
 * Who grants has to be able to do it himself: what a grant stands for needs the
 * control that granting it needs. And an act that never takes several has no
 * use for a grant.
 */
enum {
#define GRANT(symbol, word, name, control, clause) NEEDED_##symbol = control,
#include "device/grant.def"
#undef GRANT
	NEEDED_GRANT_NONE = -1,
};
#define ACT(symbol, needs, several, grant, name)                              \
	_Static_assert(                                                       \
	    (int)NEEDED_##grant == -1 || (int)NEEDED_##grant == (int)(needs), \
	    #symbol ": its grant needs another control");                     \
	_Static_assert(                                                       \
	    (int)(grant) == GRANT_NONE || (int)(several) == SEVERAL_YES,      \
	    #symbol ": its grant stands for nobody");                         \
	_Static_assert((int)(needs) != CONTROL_COUNT,                         \
	    #symbol ": needs nothing that exists");
#include "device/act.def"
#undef ACT

const struct control_row *
control_row(enum control control)
{
	return &controls[control];
}

bool
control_find(struct bytes word, enum control *out)
{
	enum control k;

	for (k = 0; k < CONTROL_COUNT; k++)
		if (bytes_equal_text(word, controls[k].word)) {
			*out = k;
			return true;
		}
	return false;
}

const struct grant_row *
grant_row(enum grant grant)
{
	return &grants[grant];
}

bool
grant_find(struct bytes word, enum grant *out)
{
	enum grant k;

	for (k = 0; k < GRANT_COUNT; k++)
		if (bytes_equal_text(word, grants[k].word)) {
			*out = k;
			return true;
		}
	return false;
}

const struct act_row *
act_row(enum act act)
{
	return &acts[act];
}
