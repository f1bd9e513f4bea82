/*
 * Threads that wait for a descriptor until a time, where time may be virtual.
 *
 * A program whose work is done by threads (the card: a thread for each
 * connection) waits through one room. In the laboratory time stands still
 * until it is moved; then the loop's thread wakes whoever is due, in the
 * order of the times, and "clock" is answered when each has gone on and is
 * waiting again, or done.
 */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include "base/env.h"

struct wait_room;

/* env is borrowed. ERR_NOMEM, ERR_SYSTEM */
enum err wait_room_new(struct env *env, struct wait_room **out) MUST_CHECK;
/* Nobody waits any more. Accepts NULL. */
void wait_room_free(struct wait_room *room);

/*
 * Wait until fd can be read (or has ended), or elapsed time is due_ms.
 * INT64_MAX waits for as long as it takes. From any thread.
 *
 * ERR_TIMEOUT  the time came first
 * ERR_CLOSED   wait_room_close was called
 * ERR_SYSTEM
 */
enum err
wait_readable(struct wait_room *room, int fd, int64_t due_ms) MUST_CHECK;

/* Until a time, and nothing else. OK: it has come. */
enum err wait_until(struct wait_room *room, int64_t due_ms) MUST_CHECK;

/* End all waiting, now and from now on: the program ends. */
void wait_room_close(struct wait_room *room);

/* ---- for laboratory control (base/lab.h) ---- */

/* The first due time of all who wait; false: none has one. */
bool wait_next_due(struct wait_room *room, int64_t *due_ms);

/*
 * Time was moved. Wakes those who are due; false as long as one of them has
 * not come to wait again or ended its errand (see wait_errand).
 */
bool wait_settled(struct wait_room *room);

/*
 * A thread's errand: from begin to end it counts as busy while it does not
 * wait. Without one, wait_settled knows nothing of it.
 */
void wait_errand_begin(struct wait_room *room);
void wait_errand_end(struct wait_room *room);

#endif
