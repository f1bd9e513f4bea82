/*
 * Clients: the addresses that have connections to key servers now, and how
 * many. Administrators are not among them.
 *
 * A client device of the guide is an address: it lists its connections for each
 * of them. As many can be there at one time as the license says
 * (device/licence.h); who is there may open more connections, and its place is
 * free when the last of them has ended.
 *
 * req: KS-22-045 KS-22-046 KS-22-047 KS-25-008 KS-25-009
 */
#ifndef DEVICE_CLIENTS_H
#define DEVICE_CLIENTS_H

#include "base/bytes.h"

struct clients;
struct client; /* an address that is connected */

/* With no place for anybody. ERR_NOMEM */
enum err clients_new(struct clients **out) MUST_CHECK;
void clients_free(struct clients *clients); /* accepts NULL; all have left */

/* How many places there are. With fewer than are taken, nobody has to leave. */
void clients_limit(struct clients *clients, size_t most);
size_t clients_most(const struct clients *clients);

/* Could one from that address come in now? */
bool clients_have_room(const struct clients *clients, struct bytes address);

/*
 * A connection from that address, until client_leave.
 *
 * ERR_LIMIT  all places are taken
 */
enum err client_enter(struct clients *clients, struct bytes address,
    struct client **out) MUST_CHECK;
void client_leave(struct clients *clients, struct client *client);

/* How many addresses. */
size_t clients_count(const struct clients *clients);

/* In the order in which they came. */
typedef void client_fn(void *ctx, const char *address, unsigned connections);
void clients_each(const struct clients *clients, client_fn *each, void *ctx);

#endif
