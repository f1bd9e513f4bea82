/*
 * Power supplies and fans, as many as the model has: simulated, and all well
 * until the laboratory harms one.
 *
 * What it does to them is kept in a file: they are as they were when the device
 * comes back, and a reset to factory settings mends none. A start of the
 * process is the return of power; a restart of the device goes on in the same
 * process, and is none.
 *
 * Each change of a supply's status raises a trap, and so does a fan that fails.
 * The warning about a fan is there until it is well AND power has been removed.
 *
 * The Box ID is made once, by chance, and is the device's for good: a
 * simulation has no serial number. It lies in a file of its own, which a reset
 * to factory settings leaves.
 *
 * req: KS-26-004 KS-26-022 KS-25-003
 */
#ifndef DEVICE_HARDWARE_H
#define DEVICE_HARDWARE_H

#include "base/bytes.h"

struct appliance;
struct hardware;

enum { HARDWARE_SUPPLIES_MOST = 2, HARDWARE_FANS_MOST = 2 };

enum supply {
#define MODEL(...)
#define SUPPLY(symbol, ...) symbol,
#define FAN(...)
#include "device/hardware.def"
#undef SUPPLY
#undef FAN
	SUPPLY_STATES,
};

enum fan {
#define SUPPLY(...)
#define FAN(symbol, ...) symbol,
#include "device/hardware.def"
#undef MODEL
#undef SUPPLY
#undef FAN
	FAN_STATES,
};

struct hardware_config {
	struct appliance *appliance; /* traps */
	const char *model;           /* a row of hardware.def */
	const char *path;            /* of the file; NULL: there is none */
	const char *box_path;        /* of the Box ID's; NULL: it has none */
	bool powered_on;             /* since this process began */
};

/*
 * config  copied; what it points to is borrowed, but for the strings
 *
 * ERR_CONFIG  there is no such model
 * ERR_SYSTEM  a file cannot be read, or written; the log says why
 * ERR_CONFIG  or the file of the Box ID has none
 */
enum err hardware_new(
    const struct hardware_config *config, struct hardware **out) MUST_CHECK;
void hardware_free(struct hardware *hw); /* accepts NULL */

/* ---- for those who look ---- */

const char *hardware_model(const struct hardware *hw);  /* "k460" */
const char *hardware_box_id(const struct hardware *hw); /* or "" */

unsigned hardware_supplies(const struct hardware *hw);

/* n from 0. "Operational", "Not receiving power" ... */
const char *hardware_supply_status(const struct hardware *hw, unsigned n);
const char *hardware_supply_warning(const struct hardware *hw, unsigned n);

/* Of all of them together. */
const char *hardware_fan_status(const struct hardware *hw);
const char *hardware_fan_warning(const struct hardware *hw); /* NULL: none */

/* ---- for the laboratory ---- */

/*
 * n from 0.
 *
 * ERR_NOT_FOUND  the model has no such one
 * ERR_FEATURE    it is the last supply that gives power: without it the device
 *                is off, which is another switch
 * ERR_SYSTEM     it cannot be kept; it is done all the same
 */
enum err hardware_set_supply(
    struct hardware *hw, unsigned n, enum supply state) MUST_CHECK;
enum err
hardware_set_fan(struct hardware *hw, unsigned n, enum fan state) MUST_CHECK;

#endif
