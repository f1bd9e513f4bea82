/*
 * The laboratory's way to many users and keys at once: lines of its socket.
 *
 *	fill users FIRST COUNT        users u000000 and on, from FIRST, all of
 *	                              them in the group "all"; their password is
 *	                              FILL_PASSWORD
 *	fill keys FIRST COUNT USERS   AES keys k000000 and on, from FIRST, each
 *	                              owned by one of the first USERS users in
 *	                              turn, and by the group "all" to be used
 *
 * COUNT is FILL_MOST at most: a line is one turn of the loop, and one group of
 * the store. The answer is "ok".
 */
#ifndef NET_FILL_H
#define NET_FILL_H

#include "base/buf.h"
#include "net/server.h"

enum { FILL_MOST = 1000 };
#define FILL_PASSWORD "Rope7.Candle"

/*
 * Does what the line says, and appends the answer.
 *
 * ERR_NOT_FOUND  it is not a line that begins with "fill"
 * ERR_VALUE      no such things, or no such numbers
 * others         the store's, the keys': those before it have been made
 */
enum err
fill_line(struct server *server, const char *line, struct buf *out) MUST_CHECK;

#endif
