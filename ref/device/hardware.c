#include "device/hardware.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/keyfile.h"
#include "device/appliance.h"

enum {
	LINE_OCTETS = 80,
	TRAP_OCTETS = 80,
	WORD_OCTETS = 16,
	BOX_OCTETS = 11, /* "TS-1234ABCD" */
	BOX_RANDOM_OCTETS = 4,
};

struct model {
	const char *name;
	unsigned supplies;
	unsigned fans;
};

static const struct model models[] = {
#define MODEL(name, supplies, fans, clause) {name, supplies, fans},
#define SUPPLY(...)
#define FAN(...)
#include "device/hardware.def"
#undef MODEL
#undef SUPPLY
};

struct supply_row {
	const char *word;
	const char *status;
	const char *warning;
};

static const struct supply_row supply_rows[] = {
#define MODEL(...)
#define SUPPLY(symbol, word, status, warning, clause) \
	[symbol] = {word, status, warning},
#include "device/hardware.def"
#undef SUPPLY
#undef FAN
};

static const char *const fan_words[] = {
#define SUPPLY(...)
#define FAN(symbol, word, clause) [symbol] = word,
#include "device/hardware.def"
#undef MODEL
#undef SUPPLY
#undef FAN
};

struct hardware {
	struct appliance *appliance;
	const struct model *model;
	char *path;
	enum supply supply[HARDWARE_SUPPLIES_MOST];
	enum fan fan[HARDWARE_FANS_MOST];
	bool warns; /* of a fan */
	char box_id[BOX_OCTETS + 1];
};

static bool
any_fan_fails(const struct hardware *hw)
{
	unsigned n;

	for (n = 0; n < hw->model->fans; n++)
		if (hw->fan[n] != FAN_OK)
			return true;
	return false;
}

/* Does one of them but that give power? */
static bool
has_power_without(const struct hardware *hw, unsigned n)
{
	unsigned k;

	for (k = 0; k < hw->model->supplies; k++)
		if (k != n && hw->supply[k] == SUPPLY_OK)
			return true;
	return false;
}

/* ---- the file: "supply 1 unplugged", "fan 2 broken", "fan-warning" ---- */

static enum err
keep(const struct hardware *hw)
{
	FILE *file;
	unsigned n;
	enum err rc = OK;

	if (hw->path == NULL)
		return OK;
	file = fopen(hw->path, "w");
	if (file == NULL)
		TRY(ERR_SYSTEM);
	for (n = 0; n < hw->model->supplies; n++)
		(void)fprintf(file, "supply %u %s\n", n + 1,
		    supply_rows[hw->supply[n]].word);
	for (n = 0; n < hw->model->fans; n++)
		(void)fprintf(
		    file, "fan %u %s\n", n + 1, fan_words[hw->fan[n]]);
	if (hw->warns)
		(void)fputs("fan-warning\n", file);
	if (fclose(file) != 0)
		rc = ERR_SYSTEM;
out:
	if (rc != OK)
		log_line(
		    "device", LOG_ERROR, "%s: %s", hw->path, strerror(errno));
	return rc;
}

static void
take_line(struct hardware *hw, const char *line)
{
	char word[WORD_OCTETS];
	unsigned n = 0;
	unsigned k;

	hw->warns = hw->warns || strcmp(line, "fan-warning\n") == 0;
	if (sscanf(line, "supply %u %15s", &n, word) == 2 && n != 0 &&
	    n <= hw->model->supplies) {
		for (k = 0; k < SUPPLY_STATES; k++)
			if (strcmp(supply_rows[k].word, word) == 0)
				hw->supply[n - 1] = (enum supply)k;
	}
	if (sscanf(line, "fan %u %15s", &n, word) == 2 && n != 0 &&
	    n <= hw->model->fans) {
		for (k = 0; k < FAN_STATES; k++)
			if (strcmp(fan_words[k], word) == 0)
				hw->fan[n - 1] = (enum fan)k;
	}
}

static enum err
read_file(struct hardware *hw)
{
	char line[LINE_OCTETS];
	FILE *file = hw->path != NULL ? fopen(hw->path, "r") : NULL;

	if (file == NULL && (hw->path == NULL || errno == ENOENT))
		return OK;
	if (file == NULL) {
		log_line(
		    "device", LOG_ERROR, "%s: %s", hw->path, strerror(errno));
		return ERR_SYSTEM;
	}
	while (fgets(line, sizeof(line), file) != NULL)
		take_line(hw, line);
	(void)fclose(file);
	return OK;
}

/* ---- the Box ID ---- */

static enum err
make_box(struct hardware *hw, const char *path)
{
	uint8_t by_chance[BOX_RANDOM_OCTETS];
	enum err rc = OK;

	TRY(env_random(hw->appliance->env, by_chance, sizeof(by_chance)));
	(void)snprintf(hw->box_id, sizeof(hw->box_id), "TS-%08X",
	    (unsigned)bytes_u32(by_chance));
	TRY(keyfile_put(path, bytes_of_text(hw->box_id)));
out:
	return rc;
}

static enum err
find_box(struct hardware *hw, const char *path)
{
	struct secret *text = NULL;
	struct bytes id;
	enum err rc = OK;

	if (access(path, F_OK) != 0)
		return make_box(hw, path);
	TRY(keyfile_read(path, BOX_OCTETS, &text));
	id = secret_peek(text);
	if (id.octets != BOX_OCTETS || memcmp(id.at, "TS-", 3) != 0)
		TRY(ERR_CONFIG);
	memcpy(hw->box_id, id.at, id.octets);
out:
	secret_free(text);
	if (rc == ERR_CONFIG)
		log_line("device", LOG_ERROR, "%s has no Box ID", path);
	return rc;
}

/* ---- all of it ---- */

enum err
hardware_new(const struct hardware_config *config, struct hardware **out)
{
	struct hardware *hw = NULL;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(hw));
	hw->appliance = config->appliance;
	for (k = 0; k < sizeof(models) / sizeof(models[0]); k++)
		if (strcmp(models[k].name, config->model) == 0)
			hw->model = &models[k];
	if (hw->model == NULL)
		TRY(ERR_CONFIG);
	if (config->path != NULL) {
		hw->path = mem_strdup(config->path);
		if (hw->path == NULL)
			TRY(ERR_NOMEM);
	}
	if (config->box_path != NULL)
		TRY(find_box(hw, config->box_path));
	TRY(read_file(hw));
	/* it runs: the file is of a model with more. req: KS-26-010 */
	if (!has_power_without(hw, hw->model->supplies))
		hw->supply[0] = SUPPLY_OK;
	/* power was removed: what was resolved is forgotten */
	if (config->powered_on && hw->warns != any_fan_fails(hw)) {
		hw->warns = any_fan_fails(hw);
		TRY(keep(hw));
	}
	*out = hw;
	hw = NULL;
out:
	hardware_free(hw);
	return rc;
}

void
hardware_free(struct hardware *hw)
{
	if (hw == NULL)
		return;
	mem_free(hw->path);
	mem_free(hw);
}

const char *
hardware_model(const struct hardware *hw)
{
	return hw->model->name;
}

const char *
hardware_box_id(const struct hardware *hw)
{
	return hw->box_id;
}

unsigned
hardware_supplies(const struct hardware *hw)
{
	return hw->model->supplies;
}

/* req: KS-26-011 KS-26-013 KS-26-015 */
const char *
hardware_supply_status(const struct hardware *hw, unsigned n)
{
	return supply_rows[hw->supply[n]].status;
}

/* req: KS-26-005 */
const char *
hardware_supply_warning(const struct hardware *hw, unsigned n)
{
	return supply_rows[hw->supply[n]].warning;
}

/* req: KS-26-019 KS-26-020 KS-26-021 */
const char *
hardware_fan_status(const struct hardware *hw)
{
	return any_fan_fails(hw) ? "Failure" : "Operational";
}

/* req: KS-26-022 KS-26-023 */
const char *
hardware_fan_warning(const struct hardware *hw)
{
	return hw->warns ? "Fan failure; please contact support immediately."
			 : NULL;
}

/* ---- the laboratory ---- */

/* req: KS-26-007 KS-26-008 KS-26-009 */
enum err
hardware_set_supply(struct hardware *hw, unsigned n, enum supply state)
{
	char text[TRAP_OCTETS];
	const char *before;

	if (n >= hw->model->supplies)
		return ERR_NOT_FOUND;
	if (state != SUPPLY_OK && !has_power_without(hw, n))
		return ERR_FEATURE;
	before = supply_rows[hw->supply[n]].status;
	hw->supply[n] = state;
	/* a device cannot tell one that was removed from a damaged one */
	if (strcmp(before, supply_rows[state].status) != 0) {
		(void)snprintf(text, sizeof(text), "Power supply %u: %s", n + 1,
		    supply_rows[state].status);
		appliance_trap(hw->appliance, TRAP_POWER_SUPPLY, text);
	}
	return keep(hw);
}

enum err
hardware_set_fan(struct hardware *hw, unsigned n, enum fan state)
{
	char text[TRAP_OCTETS];
	bool was_well;

	if (n >= hw->model->fans)
		return ERR_NOT_FOUND;
	was_well = hw->fan[n] == FAN_OK;
	hw->fan[n] = state;
	hw->warns = hw->warns || state != FAN_OK;
	if (was_well && state != FAN_OK) {
		(void)snprintf(text, sizeof(text), "Fan %u: Failure", n + 1);
		appliance_trap(hw->appliance, TRAP_FAN, text);
	}
	return keep(hw);
}
