/*
 * The ports that say how the device is, over plain HTTP and to whoever asks:
 *
 *	Health Check  is it there and does it work? 200 or 500, for load
 *	              balancers and clients
 *	Metrics       what it measures of itself (device/metrics.h), at /metrics
 *
 * Each is open while its settings say so, whatever becomes of services and key
 * servers, and follows them: another address or port closes the old one. One
 * that cannot be opened is told of in the log, and tried again every
 * STATUS_PORTS_RETRY_MS.
 *
 * req: KS-01-113 KS-04-001 KS-04-002 KS-04-005 KS-AA-013
 */
#ifndef NET_STATUS_PORTS_H
#define NET_STATUS_PORTS_H

#include "device/appliance.h"

struct status_ports;

enum { STATUS_PORTS_RETRY_MS = 5000 };

/* appliance  borrowed, and its settings are there. ERR_NOMEM */
enum err status_ports_new(
    struct appliance *appliance, struct status_ports **out) MUST_CHECK;

/* Accepts NULL. */
void status_ports_free(struct status_ports *ports);

/* At the end of the device: a stopped one does not answer. */
void status_ports_close(struct status_ports *ports);

/* Those that are open: "health-check", "metrics". Its error ends the walk. */
typedef enum err status_port_fn(void *ctx, const char *word, unsigned port);
enum err status_ports_each(const struct status_ports *ports,
    status_port_fn *each, void *ctx) MUST_CHECK;

#endif
