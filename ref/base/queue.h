/*
 * Messages from threads to one thread that waits for a descriptor: the one way
 * by which a thread of a connection and the loop speak to each other.
 *
 * Nobody waits in here: a queue that is full takes nothing more. What was put
 * by one thread is taken in the order in which it was put.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/bytes.h"

struct queue;

/* It may carry a secret, and is wiped by message_free. */
struct message {
	void *from; /* as the sender says */
	int kind;
	size_t octets;
	uint8_t *at;
	struct message *next; /* the queue's */
};

/*
 * max_octets  of all the texts in it
 *
 * ERR_NOMEM
 * ERR_SYSTEM  no descriptor is left
 */
enum err queue_new(size_t max_octets, struct queue **out) MUST_CHECK;

/* Nobody puts or takes any more. What is in it is wiped. Accepts NULL. */
void queue_free(struct queue *queue);

/* Can be read while there is a message in it, and once it is closed. Not to be
 * read from. */
int queue_fd(const struct queue *queue);

/*
 * From any thread. The text is copied.
 *
 * ERR_LIMIT   it is full
 * ERR_CLOSED
 * ERR_NOMEM
 */
enum err queue_put(
    struct queue *queue, void *from, int kind, struct bytes text) MUST_CHECK;

/*
 * The same in two steps, for what must not fail later: one without a text
 * always finds room. queue_take_in owns the message, on failure too.
 *
 * ERR_LIMIT, ERR_CLOSED
 */
enum err message_new(
    void *from, int kind, struct bytes text, struct message **out) MUST_CHECK;
enum err queue_take_in(struct queue *queue, struct message *message) MUST_CHECK;

/* From any thread: nothing is put any more; what is in it can be taken. */
void queue_close(struct queue *queue);
bool queue_is_closed(struct queue *queue);

/* From any thread: of the texts that are in it. */
size_t queue_octets(struct queue *queue);

/* By the one thread that takes: the first, which is then the caller's; NULL:
 * there is none. */
struct message *queue_take(struct queue *queue);
struct bytes message_text(const struct message *message);
void message_free(struct message *message); /* accepts NULL */

#endif
