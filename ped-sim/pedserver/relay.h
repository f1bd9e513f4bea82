/*
 * Frames of a channel that is not ours, from one descriptor to another and
 * back. Nothing of them is looked at but their lengths.
 *
 * Of each direction one frame is on its way at most: who does not read stops
 * who sends. It is over when an end hangs up; what it sent before has gone on
 * by then, if the other reads.
 */
#ifndef PEDSERVER_RELAY_H
#define PEDSERVER_RELAY_H

#include "base/buf.h"
#include "base/loop.h"

struct relay;

enum { RELAY_FRAME_OCTETS = 2 + 4096 };

struct relay_end {
	int fd;        /* nonblocking */
	struct buf in; /* what has come from there already */
};

struct relay_config {
	struct loop *loop;
	void (*frame)(void *ctx); /* one has passed; NULL: nobody asks */
	void (*over)(void *ctx);  /* called once, from the loop; then free it */
	void *ctx;
};

/*
 * config is borrowed for as long as the relay lives; the ends, both their
 * descriptors and their bufs, are taken, on failure too.
 */
enum err
relay_new_take(const struct relay_config *config, struct relay_end *one,
    struct relay_end *other, struct relay **out) MUST_CHECK;

/* Hangs up. Accepts NULL. */
void relay_free(struct relay *relay);

#endif
