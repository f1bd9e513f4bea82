#include "base/queue.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

struct queue {
	pthread_mutex_t lock; /* for all that follows but fd */
	struct message *first;
	struct message **end;
	size_t octets;
	size_t max_octets;
	bool closed;
	int fd; /* its counter is 1 while it can be read, else 0 */
};

enum err
queue_new(size_t max_octets, struct queue **out)
{
	struct queue *queue = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(queue));
	queue->end = &queue->first;
	queue->max_octets = max_octets;
	(void)pthread_mutex_init(&queue->lock, NULL); /* never fails on Linux */
	queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->fd < 0)
		TRY(ERR_SYSTEM);
	*out = queue;
	queue = NULL;
out:
	queue_free(queue);
	return rc;
}

void
queue_free(struct queue *queue)
{
	struct message *message;

	if (queue == NULL)
		return;
	while ((message = queue->first) != NULL) {
		queue->first = message->next;
		message_free(message);
	}
	pthread_mutex_destroy(&queue->lock);
	if (queue->fd >= 0)
		close(queue->fd);
	mem_free(queue);
}

int
queue_fd(const struct queue *queue)
{
	return queue->fd;
}

/* With the queue locked. */
static void
raise_flag(struct queue *queue)
{
	const uint64_t one = 1;

	(void)!write(queue->fd, &one, sizeof(one));
}

static void
lower_flag(struct queue *queue)
{
	uint64_t count;

	(void)!read(queue->fd, &count, sizeof(count));
}

static bool
is_up(const struct queue *queue)
{
	return queue->closed || queue->first != NULL;
}

enum err
message_new(void *from, int kind, struct bytes text, struct message **out)
{
	struct message *message = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(message));
	message->from = from;
	message->kind = kind;
	if (text.octets != 0) {
		TRY(MEM_ARRAY(message->at, text.octets));
		memcpy(message->at, text.at, text.octets);
		message->octets = text.octets;
	}
	*out = message;
	message = NULL;
out:
	message_free(message);
	return rc;
}

enum err
queue_take_in(struct queue *queue, struct message *message)
{
	enum err rc = OK;

	pthread_mutex_lock(&queue->lock);
	if (queue->closed) {
		rc = ERR_CLOSED;
	} else if (queue->max_octets - queue->octets < message->octets) {
		rc = ERR_LIMIT;
	} else {
		if (!is_up(queue))
			raise_flag(queue);
		*queue->end = message;
		queue->end = &message->next;
		queue->octets += message->octets;
		message = NULL;
	}
	pthread_mutex_unlock(&queue->lock);
	message_free(message);
	return rc;
}

enum err
queue_put(struct queue *queue, void *from, int kind, struct bytes text)
{
	struct message *message;
	enum err rc = OK;

	TRY(message_new(from, kind, text, &message));
	TRY(queue_take_in(queue, message));
out:
	return rc;
}

size_t
queue_octets(struct queue *queue)
{
	size_t octets;

	pthread_mutex_lock(&queue->lock);
	octets = queue->octets;
	pthread_mutex_unlock(&queue->lock);
	return octets;
}

void
queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	if (!is_up(queue))
		raise_flag(queue);
	queue->closed = true;
	pthread_mutex_unlock(&queue->lock);
}

bool
queue_is_closed(struct queue *queue)
{
	bool closed;

	pthread_mutex_lock(&queue->lock);
	closed = queue->closed;
	pthread_mutex_unlock(&queue->lock);
	return closed;
}

struct message *
queue_take(struct queue *queue)
{
	struct message *message;

	pthread_mutex_lock(&queue->lock);
	message = queue->first;
	if (message != NULL) {
		queue->first = message->next;
		if (queue->first == NULL)
			queue->end = &queue->first;
		queue->octets -= message->octets;
		if (!is_up(queue))
			lower_flag(queue);
	}
	pthread_mutex_unlock(&queue->lock);
	return message;
}

struct bytes
message_text(const struct message *message)
{
	return (struct bytes){message->at, message->octets};
}

void
message_free(struct message *message)
{
	if (message == NULL)
		return;
	if (message->at != NULL)
		secret_wipe(message->at, message->octets);
	mem_free(message->at);
	mem_free(message);
}
