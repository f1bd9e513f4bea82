/*
 * A Unix socket whose guests are served by a thread each.
 *
 * Guests are let in and seen off in the loop's thread. Each is on an errand of
 * the wait room (base/wait.h) from before the loop goes on until it has left.
 */
#ifndef HSMCARDD_DOOR_H
#define HSMCARDD_DOOR_H

#include "base/bytes.h"
#include "base/loop.h"
#include "base/wait.h"

struct door;

enum { DOOR_GUESTS_MOST = 1024, DOOR_STACK_OCTETS = 512 * 1024 };

/* Borrowed for as long as the door lives. */
struct door_config {
	const char *path;    /* what is there is replaced; for the owner only */
	unsigned guests_max; /* 1 to DOOR_GUESTS_MOST */
	struct bytes refusal; /* said to one too many, who is then sent off */
	struct wait_room *waits;
	/* Serve one guest on a blocking descriptor, which the door closes; in
	 * its thread. Returns soon after the wait room was closed. */
	void (*serve)(void *ctx, int fd);
	void *ctx;
};

/*
 * ERR_NOMEM
 * ERR_SYSTEM  the socket cannot be made; the log says why
 */
enum err door_new(struct loop *loop, const struct door_config *config,
    struct door **out) MUST_CHECK;

/* Nobody is let in any more; the socket is gone. */
void door_close(struct door *door);

/* Those who have not been seen off yet. */
unsigned door_guests(const struct door *door);

/* There are no guests. Accepts NULL. */
void door_free(struct door *door);

#endif
