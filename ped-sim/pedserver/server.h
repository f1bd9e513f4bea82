/*
 * A PedServer at work: where a remote PED is plugged in, and a PedClient finds
 * it.
 *
 * One PED (at the usb socket) and one PedClient (at the server port) at a time
 * make a pair. Whoever comes first waits for the other. A pair ends as a whole,
 * with either of them: the channel through it belongs to these two.
 *
 * A PedClient begins with a line that says who it is,
 *
 *	PedClient VERSION HOSTNAME
 *
 * and then there are frames of a channel whose keys the server has not. At the
 * admin port a line is a command: "show" or "stop"; its answer ends with what
 * `PedServer -m` then prints last.
 *
 * Times are virtual in the laboratory.
 */
#ifndef PEDSERVER_SERVER_H
#define PEDSERVER_SERVER_H

#include "base/buf.h"
#include "base/loop.h"
#include "pedserver/background.h"
#include "pedserver/settings.h"

#define SERVER_VERSION  "1.0.5 (10005)"
#define SHOW_PASSED     "Show command passed."
#define SHUTDOWN_PASSED "Shutdown passed."

struct server;

/*
 * loop, settings  borrowed for as long as it lives
 * stopped         called once, when somebody said "stop"
 * why             what could not be had, for a person
 *
 * ERR_NOMEM
 * ERR_SYSTEM  a port or the socket cannot be listened at
 */
enum err server_new(struct loop *loop, const struct settings *settings,
    void (*stopped)(void *ctx), void *ctx, struct server **out,
    char why[BACKGROUND_WORDS_OCTETS]) MUST_CHECK;
void server_free(struct server *server); /* accepts NULL */

/* The block of "show", as the guide prints it. */
enum err server_show(struct server *server, struct buf *out) MUST_CHECK;

/* " ped=attached|none client=connected|none": for the laboratory. */
enum err server_status(struct server *server, struct buf *out) MUST_CHECK;

#endif
