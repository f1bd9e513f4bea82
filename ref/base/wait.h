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

/* env is borrowed. ERR_NOMEM, ERR_SYSTEM: no descriptor is left */
enum err wait_room_new(struct env *env, struct wait_room **out) MUST_CHECK;
/* Nobody waits any more. Accepts NULL. */
void wait_room_free(struct wait_room *room);

/*
 * Wait until fd can be read (or has ended), or elapsed time is due_ms.
 * INT64_MAX waits for as long as it takes. From any thread. What can be read
 * goes before a time that is over.
 *
 * ERR_TIMEOUT  the time came first
 * ERR_CLOSED   wait_room_close was called, now or before
 * ERR_SYSTEM   fd is none, or no descriptor is left
 */
enum err
wait_readable(struct wait_room *room, int fd, int64_t due_ms) MUST_CHECK;

/*
 * What comes from a socket that blocks, once something does: one system call
 * where time is the machine's. From any thread.
 *
 * ERR_CLOSED  its other end has closed it; or wait_room_close was called, now
 *             or before: then what comes later is not heard, and what is sent
 *             still goes out
 * ERR_SYSTEM  fd is none
 */
enum err wait_receive(struct wait_room *room, int fd, void *to, size_t octets,
    size_t *got) MUST_CHECK;

/* Until a time, and nothing else. OK: it has come. ERR_CLOSED, ERR_SYSTEM */
enum err wait_until(struct wait_room *room, int64_t due_ms) MUST_CHECK;

/* End all waiting, now and from now on: the program ends. */
void wait_room_close(struct wait_room *room);

/*
 * A thread's errand: from begin to end it counts as busy while it does not
 * wait. Without one, wait_settled knows nothing of it. A thread may begin one
 * inside another in the same room; the first counts.
 */
void wait_errand_begin(struct wait_room *room);
void wait_errand_end(struct wait_room *room);

/* ---- for laboratory control (base/lab.h), from one thread ---- */

/*
 * The first due time of all who wait and have not been woken; false: none has
 * one.
 */
bool wait_next_due(struct wait_room *room, int64_t *due_ms);

/*
 * Time was moved: is everything done that follows from it? While somebody on
 * an errand is busy, or waits for a descriptor that can be read: no. Then
 * whoever is due is woken, one after the other in the order of the times, so
 * that ask until it is true.
 */
bool wait_settled(struct wait_room *room);

/* Who is busy now hangs: wait_settled does not wait for this errand again
 * before it has waited or ended. */
void wait_give_up(struct wait_room *room);

/*
 * A descriptor, borrowed, that can be read (8 octets, and then no more) when
 * an errand has come to rest since; as long as wait_tell is on.
 */
int wait_fd(const struct wait_room *room);
void wait_tell(struct wait_room *room, bool on);

#endif
