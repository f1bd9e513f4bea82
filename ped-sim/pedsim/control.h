/*
 * The PED's control socket: hands and eyes for scripts (pedctl).
 *
 * Who connects sends lines, each answered by any number of "say TEXT" and then
 * "ok WORDS" or "error TEXT":
 *
 *	screen          a display (see below), ok
 *	watch           the same; from now on each display, also of a new
 *	                link or slot, is told unasked
 *	timer MS        ok; "timeout" is told MS from now, in virtual time;
 *	                another timer replaces it, 0 stops it
 *	key NAME...     press keys, one after the other: ok taken=N ignored=N
 *	down NAME       hold a key: ok taken=N ignored=N
 *	up NAME         let it go
 *	insert PATH     an iKey's file, to the end of the line
 *	remove
 *	log             say each recent action, newest first
 *
 * The words of ok are those of control_status. A display is nine lines:
 *
 *	screen WORDS
 *	line TEXT       eight times
 */
#ifndef PEDSIM_CONTROL_H
#define PEDSIM_CONTROL_H

#include "ped/ped.h"

enum {
	CONTROL_LINE_OCTETS = 4200, /* a path, and its command */
	CONTROL_PEERS_MAX = 16,
	CONTROL_UNREAD_OCTETS = 1 << 18, /* who reads no more is hung up */
};

struct control;

/* ERR_SYSTEM  the socket cannot be made; the log says why */
enum err control_new(struct loop *loop, struct ped *ped, const char *path,
    struct control **out) MUST_CHECK;
void control_free(struct control *control); /* accepts NULL */

/* There is another display: tell who watches. */
void control_shown(struct control *control);

/* " revision=7 mode=local state=AT_LOCAL link=down|up|trusted slot=empty|full"
 */
enum err control_status(const struct ped *ped, struct buf *out) MUST_CHECK;

#endif
