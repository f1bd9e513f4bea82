#include "device/service.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/logs.h"

#define KIND_NAME "service"

enum { VALUE_OCTETS = 16 };

static const struct service_row rows[] = {
#define SERVICE(symbol, word, name, startup, clause) \
	[symbol] = {word, name, startup},
#include "device/service.def"
#undef SERVICE
};

struct one {
	struct service_functions functions;
	enum service_status status; /* but for RESTARTING */
	bool again; /* it is stopped in order to be started, or is */
};

struct services {
	struct appliance *appliance;
	struct one one[SERVICE_COUNT];
};

const struct service_row *
service_row(enum service service)
{
	return &rows[service];
}

/* req: KS-24-011 */
const char *
service_status_text(enum service_status status)
{
	static const char *const texts[] = {
	    [SERVICE_ABSENT] = "Not available",
	    [SERVICE_STOPPED] = "Stopped",
	    [SERVICE_STARTING] = "Starting...",
	    [SERVICE_STARTED] = "Started",
	    [SERVICE_STOPPING] = "Stopping...",
	    [SERVICE_RESTARTING] = "Restarting...",
	};

	return texts[status];
}

bool
service_find(struct bytes word, enum service *out)
{
	unsigned beginnings = 0;
	unsigned k;

	for (k = 0; k < SERVICE_COUNT; k++) {
		const char *own = rows[k].word;

		if (word.octets == 0 || word.octets > strlen(own) ||
		    memcmp(own, word.at, word.octets) != 0)
			continue;
		*out = (enum service)k;
		if (word.octets == strlen(own))
			return true;
		beginnings++;
	}
	return beginnings == 1;
}

enum err
services_new(struct appliance *appliance, struct services **out)
{
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(*out));
	(*out)->appliance = appliance;
out:
	return rc;
}

void
services_free(struct services *services)
{
	mem_free(services);
}

/* ---- coming and going ---- */

enum service_status
service_status(const struct services *services, enum service service)
{
	const struct one *one = &services->one[service];

	return one->again ? SERVICE_RESTARTING : one->status;
}

void
service_offer(struct services *services, enum service service,
    const struct service_functions *functions)
{
	struct one *one = &services->one[service];

	assert(one->status == SERVICE_ABSENT);
	one->functions = *functions;
	one->status = SERVICE_STOPPED;
}

/*
 * One line for what was asked for, or happens by itself: "2005-09-12 10:23:47
 * you.com NAE Server: Starting NAE Server".
 *
 * req: KS-20-006 KS-21-005
 */
static void
tell(const struct services *services, enum service service, const char *what)
{
	const char *name = rows[service].name;

	logs_add_system(services->appliance, name, "%s %s", what, name);
}

static enum err
go_up(struct services *services, enum service service)
{
	struct one *one = &services->one[service];
	enum err rc;

	one->status = SERVICE_STARTING;
	rc = one->functions.start(one->functions.ctx);
	if (rc != OK) {
		one->status = SERVICE_STOPPED;
		one->again = false;
		log_line("device", LOG_ERROR, "%s cannot be started: %s",
		    rows[service].name, err_text(rc));
		logs_add_system(services->appliance, rows[service].name,
		    "Cannot start %s: %s", rows[service].name, err_text(rc));
	}
	return rc;
}

static void
go_down(struct services *services, enum service service)
{
	struct one *one = &services->one[service];

	one->status = SERVICE_STOPPING;
	one->functions.stop(one->functions.ctx);
}

void
service_started(struct services *services, enum service service)
{
	struct one *one = &services->one[service];

	if (one->status != SERVICE_STARTING)
		return; /* it has been told to stop meanwhile */
	one->status = SERVICE_STARTED;
	one->again = false;
	log_line("device", LOG_INFO, "%s is started", rows[service].name);
}

void
service_stopped(struct services *services, enum service service)
{
	struct one *one = &services->one[service];
	bool is_asked = one->status == SERVICE_STOPPING;

	if (one->status == SERVICE_STOPPED)
		return;
	one->status = SERVICE_STOPPED;
	log_line("device", LOG_INFO, "%s is stopped", rows[service].name);
	if (!is_asked)
		tell(services, service, "Lost");
	if (one->again && is_asked)
		(void)go_up(services, service); /* the log has its error */
	else
		one->again = false;
}

void
services_start(struct services *services)
{
	unsigned k;

	for (k = 0; k < SERVICE_COUNT; k++) {
		if (services->one[k].status != SERVICE_STOPPED ||
		    !service_startup(services, (enum service)k))
			continue;
		tell(services, (enum service)k, "Starting");
		(void)go_up(services, (enum service)k);
	}
}

/* ---- what administrators ask for ---- */

enum err
service_start(struct services *services, enum service service)
{
	struct one *one = &services->one[service];

	switch (service_status(services, service)) {
	case SERVICE_ABSENT:
		return ERR_FEATURE;
	case SERVICE_STOPPED:
		tell(services, service, "Starting");
		return go_up(services, service);
	case SERVICE_STOPPING:
		tell(services, service, "Restarting");
		one->again = true;
		return OK;
	case SERVICE_STARTING:
	case SERVICE_STARTED:
	case SERVICE_RESTARTING:
		break;
	}
	return ERR_FIELD;
}

enum err
service_stop(struct services *services, enum service service)
{
	struct one *one = &services->one[service];
	bool was_again = one->again;

	one->again = false;
	switch (one->status) {
	case SERVICE_ABSENT:
		return ERR_FEATURE;
	case SERVICE_STARTING:
	case SERVICE_STARTED:
		tell(services, service, "Stopping");
		go_down(services, service);
		return OK;
	case SERVICE_STOPPING:
		if (was_again)
			tell(services, service, "Stopping");
		return was_again ? OK : ERR_FIELD; /* not up again, then */
	case SERVICE_STOPPED:
	case SERVICE_RESTARTING:
		break;
	}
	return ERR_FIELD;
}

enum err
service_restart(struct services *services, enum service service)
{
	struct one *one = &services->one[service];

	switch (service_status(services, service)) {
	case SERVICE_STARTING:
	case SERVICE_STARTED:
		tell(services, service, "Restarting");
		one->again = true;
		go_down(services, service);
		return OK;
	case SERVICE_ABSENT:
	case SERVICE_STOPPED:
	case SERVICE_STOPPING:
	case SERVICE_RESTARTING:
		break;
	}
	return service_start(services, service);
}

/* ---- with the device ---- */

bool
service_startup(const struct services *services, enum service service)
{
	const struct service_row *row = &rows[service];
	struct buf value;
	bool enabled = row->startup;
	enum err rc;

	buf_init(&value, VALUE_OCTETS);
	rc = record_get(services->appliance->store, KIND_NAME,
	    bytes_of_text(row->word), &value);
	if (rc != ERR_NOT_FOUND)
		enabled =
		    rc == OK && bytes_equal_text(buf_peek(&value), "enabled");
	if (rc != OK && rc != ERR_NOT_FOUND)
		log_line("device", LOG_ERROR, "startup of %s: %s", row->name,
		    err_text(rc));
	buf_clear(&value);
	return enabled;
}

enum err
service_keep_startup(
    struct services *services, enum service service, bool enabled)
{
	return record_put(services->appliance->store, KIND_NAME,
	    bytes_of_text(rows[service].word),
	    bytes_of_text(enabled ? "enabled" : "disabled"));
}
