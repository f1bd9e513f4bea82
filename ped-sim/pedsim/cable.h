/*
 * The PED's cable: a connection to the card's socket (local mode) or to that
 * of a PedServer (remote mode), made anew as often as it is lost.
 *
 * At the card's socket who connects says which end he is, "local\n". To find
 * out that somebody listens again there is no event: the cable tries every
 * CABLE_RETRY_MS of real time.
 */
#ifndef PEDSIM_CABLE_H
#define PEDSIM_CABLE_H

#include "ped/ped.h"

enum { CABLE_RETRY_MS = 20 };

struct cable;

/* Borrowed for good. A path that is NULL leads nowhere. */
struct cable_config {
	struct loop *loop;
	const char *local_path;
	const char *remote_path;
	void (*up)(void *ctx);
	void (*down)(void *ctx);
	void (*octets)(void *ctx, struct bytes octets);
	void *ctx;
};

/* ERR_SYSTEM, ERR_NOMEM */
enum err
cable_new(const struct cable_config *config, struct cable **out) MUST_CHECK;
void cable_free(struct cable *cable); /* accepts NULL */

/* Hang up, and go there, in the next turn; up() says when. */
void cable_to(struct cable *cable, enum ped_line line);

/* Hang up, without down(), and go there again. */
void cable_drop(struct cable *cable);

/* Harmless where nobody is connected. */
void cable_send(struct cable *cable, struct bytes octets);

#endif
