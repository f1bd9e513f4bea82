/*
 * What can be done to the appliance: the rows of act.def, control.def
 * and grant.def.
 */
#ifndef DEVICE_ACT_H
#define DEVICE_ACT_H

#include "base/bytes.h"

enum control {
#define CONTROL(symbol, word, name, clause) symbol,
#include "device/control.def"
#undef CONTROL
	CONTROL_COUNT,
	NEEDS_NONE, /* what acts may need beside them */
	NEEDS_HIGH,
};

#define CONTROL_BIT(control) (UINT32_C(1) << (control))
#define CONTROLS_ALL         (CONTROL_BIT(CONTROL_COUNT) - 1)

enum grant {
#define GRANT(symbol, word, name, control, clause) symbol,
#include "device/grant.def"
#undef GRANT
	GRANT_COUNT,
	GRANT_NONE,
};

#define GRANT_BIT(grant) (UINT32_C(1) << (grant))

enum several { SEVERAL_NO, SEVERAL_ESKM, SEVERAL_YES };

enum act {
#define ACT(symbol, needs, several, grant, name) symbol,
#include "device/act.def"
#undef ACT
	ACT_COUNT,
};

struct control_row {
	const char *word;
	const char *name;
};
const struct control_row *control_row(enum control control);
/* By its word; false: there is none. */
bool control_find(struct bytes word, enum control *out);

struct grant_row {
	const char *word;
	const char *name;
	enum control control;
};
const struct grant_row *grant_row(enum grant grant);
bool grant_find(struct bytes word, enum grant *out);

struct act_row {
	enum control needs;
	enum several several;
	enum grant grant;
	const char *name;
};
const struct act_row *act_row(enum act act);

#endif
