/*
 * Clients: the addresses that have connections to key servers now, and how
 * many. Administrators are not among them.
 *
 * req: KS-22-046 KS-22-047
 */
#ifndef DEVICE_CLIENTS_H
#define DEVICE_CLIENTS_H

#include "base/bytes.h"

struct clients;
struct client; /* an address that is connected */

enum err clients_new(struct clients **out) MUST_CHECK;
void clients_free(struct clients *clients); /* accepts NULL; all have left */

/* A connection from that address, until client_leave. */
enum err client_enter(struct clients *clients, struct bytes address,
    struct client **out) MUST_CHECK;
void client_leave(struct clients *clients, struct client *client);

/* How many addresses. */
size_t clients_count(const struct clients *clients);

/* In the order in which they came. */
typedef void client_fn(void *ctx, const char *address, unsigned connections);
void clients_each(const struct clients *clients, client_fn *each, void *ctx);

#endif
