#include "device/licence.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/clients.h"
#include "device/fields.h"
#include "device/line.h"
#include "device/logs.h"
#include "store/record.h"

#define KIND_NAME "licence"
#define KEY_NAME  "installed"

enum {
	RECORD_OCTETS = PACKAGE_NOTES_OCTETS + 256,
	ADDRESS_OCTETS = 64,
	TEXT_OCTETS = 256,
};

struct licences {
	struct appliance *appliance;
	bool changed; /* perhaps: it was installed in the open group */
	/* since quiet was broken */
	uint64_t refused; /* connections */
	char told[LICENCE_TOLD_MOST][ADDRESS_OCTETS];
	size_t told_count;
	struct loop_timer *quiet;
};

/* ---------------------------------------------------------------------------
 * The record
 */

static enum err
read_value(struct bytes value, struct licence *out)
{
	struct bytes notes = BYTES_NONE;
	int64_t clients = 0;
	enum err rc = OK;

	TRY(fields_number(value, "clients", &clients));
	TRY(fields_number(value, "made", &out->made_s));
	TRY(fields_number(value, "installed", &out->installed_s));
	TRY(fields_find(value, "notes", &notes));
	if (clients < 1 || clients > UINT32_MAX ||
	    notes.octets > PACKAGE_NOTES_OCTETS)
		TRY(ERR_VALUE);
	out->clients = (uint32_t)clients;
	memcpy(out->notes, notes.at, notes.octets);
out:
	return rc;
}

enum err
licence_read(struct store *st, struct licence *out)
{
	struct buf value;
	enum err rc = OK;

	*out = (struct licence){.clients = 0};
	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	TRY(record_get(st, KIND_NAME, bytes_of_text(KEY_NAME), &value));
	rc = read_value(buf_peek(&value), out);
	if (rc == OK)
		goto out;
	log_line("device", LOG_ERROR, "the license's record is damaged: %s",
	    err_text(rc));
	rc = ERR_STORE;
out:
	if (rc != OK)
		*out = (struct licence){.clients = 0};
	buf_clear(&value);
	return rc;
}

static enum err
write_value(const struct licence *licence, struct buf *out)
{
	enum err rc = OK;

	TRY(fields_put_number(out, "clients", licence->clients));
	TRY(fields_put_number(out, "made", licence->made_s));
	TRY(fields_put_number(out, "installed", licence->installed_s));
	TRY(fields_put_text(out, "notes", licence->notes));
out:
	return rc;
}

void
licence_of_package(const struct package_manifest *manifest, struct licence *out)
{
	assert(manifest->type == PACKAGE_LICENCE);
	*out = (struct licence){
	    .clients = manifest->clients, .made_s = manifest->made_s};
	(void)memcpy(out->notes, manifest->notes, sizeof(out->notes));
}

/* req: KS-25-014 KS-25-016 */
enum err
licence_install(struct change *change, const struct licence *licence)
{
	struct appliance *appliance = change->appliance;
	struct licence now = *licence;
	struct licence before;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	if (licence->clients == 0) {
		(void)snprintf(change->why, sizeof(change->why),
		    "This license is for no clients.");
		TRY(ERR_FIELD);
	}
	rc = licence_read(appliance->store, &before);
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	now.installed_s = env_wall_s(appliance->env);
	TRY(write_value(&now, &value));
	TRY(record_put(appliance->store, KIND_NAME, bytes_of_text(KEY_NAME),
	    buf_peek(&value)));
	appliance->licences->changed = true;
	(void)snprintf(change->event, sizeof(change->event),
	    "Installed a license: licensed clients: %" PRIu32
	    ", before: %" PRIu32,
	    now.clients, before.clients);
out:
	buf_clear(&value);
	return rc;
}

/* ---------------------------------------------------------------------------
 * In force
 */

static enum err
take_effect(struct licences *licences)
{
	struct appliance *appliance = licences->appliance;
	struct licence licence;
	enum err rc = licence_read(appliance->store, &licence);

	if (rc == OK || rc == ERR_NOT_FOUND) {
		clients_limit(appliance->clients, licence.clients);
		rc = OK;
	}
	return rc;
}

void
licence_settle(struct licences *licences)
{
	enum err rc;

	if (licences == NULL || !licences->changed)
		return;
	licences->changed = false;
	rc = take_effect(licences);
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "the license is in force after a restart: %s",
		    err_text(rc));
}

/* ---------------------------------------------------------------------------
 * Who is refused
 */

static bool
is_told(const struct licences *licences, struct bytes address)
{
	size_t k;

	for (k = 0; k < licences->told_count; k++)
		if (bytes_equal_text(address, licences->told[k]))
			return true;
	return false;
}

/* req: KS-14-142 */
static void
raise_trap(struct appliance *appliance)
{
	char text[TEXT_OCTETS];

	(void)snprintf(text, sizeof(text),
	    "No licenses available: connected clients: %zu, licensed: %zu",
	    clients_count(appliance->clients),
	    clients_most(appliance->clients));
	appliance_trap(appliance, TRAP_LICENCE, text);
}

static void
is_quiet(void *ctx)
{
	struct licences *licences = ctx;

	if (licences->refused > licences->told_count)
		logs_add_system(licences->appliance, "License",
		    "Connections refused in the last %d minutes: %" PRIu64,
		    LICENCE_QUIET_MS / 60000, licences->refused);
	licences->refused = 0;
	licences->told_count = 0;
}

/* req: KS-20-011 KS-21-005 */
static void
tell(struct licences *licences, struct bytes address)
{
	struct appliance *appliance = licences->appliance;
	size_t most = clients_most(appliance->clients);
	char *told = licences->told[licences->told_count++];

	(void)snprintf(told, ADDRESS_OCTETS, "%.*s", (int)address.octets,
	    (const char *)address.at);
	if (most == 0)
		logs_add_system(appliance, "License",
		    "Client %s refused: no license is installed", told);
	else
		logs_add_system(appliance, "License",
		    "Client %s refused: the licensed number of clients, %zu, "
		    "is connected",
		    told, most);
}

void
licence_refused(struct appliance *appliance, struct bytes address)
{
	struct licences *licences = appliance->licences;

	if (licences->refused++ == 0) {
		raise_trap(appliance);
		loop_timer_set(licences->quiet,
		    loop_now_ms(appliance->loop) + LICENCE_QUIET_MS);
	}
	if (licences->told_count < LICENCE_TOLD_MOST &&
	    !is_told(licences, address))
		tell(licences, address);
}

/* ---------------------------------------------------------------------------
 * Life
 */

enum err
licences_new(struct appliance *appliance, struct licences **out)
{
	struct licences *licences = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(licences));
	licences->appliance = appliance;
	TRY(loop_timer_new(
	    appliance->loop, is_quiet, licences, &licences->quiet));
	TRY(take_effect(licences));
	*out = licences;
	licences = NULL;
out:
	licences_free(licences);
	return rc;
}

void
licences_free(struct licences *licences)
{
	if (licences == NULL)
		return;
	loop_timer_free(licences->quiet);
	mem_free(licences);
}
