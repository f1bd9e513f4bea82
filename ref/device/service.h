/*
 * The services of the device: what can be started, stopped and restarted, and
 * whether it starts with the device. One row each in service.def.
 *
 * Startup is kept (records of the kind "service"); running is not: a restart
 * of the device starts those whose startup is enabled.
 *
 * req: KS-24-001 to KS-24-014
 */
#ifndef DEVICE_SERVICE_H
#define DEVICE_SERVICE_H

#include "store/record.h"

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
	SERVICE_STARTING, /* shown as "Starting..." */
	SERVICE_STARTED,
	SERVICE_STOPPING,
	SERVICE_RESTARTING,
};

/* What a module gives for its service. start and stop return at once; the
 * module says service_settled when it has come so far. */
struct service_functions {
	enum err (*start)(void *ctx);
	void (*stop)(void *ctx);
	void *ctx;
};

enum err services_new(struct store *st, struct services **out) MUST_CHECK;
void services_free(struct services *services); /* accepts NULL */

void service_offer(struct services *services, enum service service,
    const struct service_functions *functions);
void service_settled(struct services *services, enum service service,
    enum service_status status);

/* Those whose startup is enabled; failures are in the log. */
void services_start(struct services *services);

/* ERR_FEATURE  it is not there; ERR_FIELD  it is so already */
enum err
service_start(struct services *services, enum service service) MUST_CHECK;
enum err
service_stop(struct services *services, enum service service) MUST_CHECK;
enum err
service_restart(struct services *services, enum service service) MUST_CHECK;

/* In the apply of a change. */
enum err service_keep_startup(
    struct services *services, enum service service, bool enabled) MUST_CHECK;

struct service_row {
	const char *word;
	const char *name;
};
const struct service_row *service_row(enum service service);
bool service_find(struct bytes word, enum service *out);
enum service_status
service_status(const struct services *services, enum service service);
bool service_startup(const struct services *services, enum service service);

#endif
