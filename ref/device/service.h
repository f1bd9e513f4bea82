/*
 * The services of the device: what can be started, stopped and restarted, and
 * whether it starts with the device. One row each in service.def.
 *
 * Startup is kept (records of the kind "service"); running is not: a restart
 * of the device starts those whose startup is enabled.
 *
 * A service comes and goes in its own time, in the loop's thread, and says
 * when it has:
 *
 *	           start             settled
 *	STOPPED ---------> STARTING ---------> STARTED
 *	   ^                                      |
 *	   |    settled              stop         |
 *	   +------------- STOPPING <--------------+
 *
 * A restart goes round by way of STOPPED, and is RESTARTING all the way.
 *
 * req: KS-24-001
 */
#ifndef DEVICE_SERVICE_H
#define DEVICE_SERVICE_H

#include "store/record.h"

struct appliance;
struct services;

enum service {
#define SERVICE(symbol, word, name, startup, clause) symbol,
#include "device/service.def"
#undef SERVICE
	SERVICE_COUNT,
};

enum service_status {
	SERVICE_ABSENT, /* its feature is not there yet */
	SERVICE_STOPPED,
	SERVICE_STARTING,
	SERVICE_STARTED,
	SERVICE_STOPPING,
	SERVICE_RESTARTING,
};

/* "Started", "Starting...": what is shown. req: KS-24-011 */
const char *service_status_text(enum service_status status);

/*
 * What a module gives for its service. Both return at once; the module calls
 * service_started or service_stopped when it has come so far, which may be
 * while it is still in them. One that cannot start returns its error from
 * `start`, or is service_stopped later. `stop` may come before it has started.
 */
struct service_functions {
	enum err (*start)(void *ctx);
	void (*stop)(void *ctx);
	void *ctx;
};

/* What comes and goes is told by the system log. */
enum err
services_new(struct appliance *appliance, struct services **out) MUST_CHECK;
void services_free(struct services *services); /* accepts NULL */

/* From here on it is there, and stopped. `functions` is copied. */
void service_offer(struct services *services, enum service service,
    const struct service_functions *functions);
void service_started(struct services *services, enum service service);
void service_stopped(struct services *services, enum service service);

/* Those whose startup is enabled; failures are in the log. */
void services_start(struct services *services);

/*
 * In the done of a change: they do it, and do not ask who may.
 *
 * ERR_FEATURE  it is not there yet
 * ERR_FIELD    it is so already, or on its way
 *
 * and what its `start` returns. A restart starts what is stopped.
 */
enum err
service_start(struct services *services, enum service service) MUST_CHECK;
enum err
service_stop(struct services *services, enum service service) MUST_CHECK;
enum err
service_restart(struct services *services, enum service service) MUST_CHECK;

/* In the apply of a change. Also for one that is not there yet. */
enum err service_keep_startup(
    struct services *services, enum service service, bool enabled) MUST_CHECK;

struct service_row {
	const char *word;
	const char *name;
	bool startup; /* on a new device */
};
const struct service_row *service_row(enum service service);

/* By its word, or a beginning that only one has. */
bool service_find(struct bytes word, enum service *out);

enum service_status
service_status(const struct services *services, enum service service);

/* As the store has it now; what it cannot tell is not enabled. */
bool service_startup(const struct services *services, enum service service);

#endif
