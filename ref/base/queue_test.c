#include "base/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

enum { MAX_OCTETS = 16, SENDERS = 4, EACH = 500 };

static bool
can_be_read(const struct queue *queue)
{
	struct pollfd fd = {.fd = queue_fd(queue), .events = POLLIN};

	assert_int_not_equal(poll(&fd, 1, 0), -1);
	return fd.revents == POLLIN;
}

static enum err
put(struct queue *queue, int kind, const char *text)
{
	return queue_put(queue, queue, kind, bytes_of_text(text));
}

static void
assert_next(struct queue *queue, int kind, const char *text)
{
	struct message *message = queue_take(queue);

	assert_non_null(message);
	assert_ptr_equal(message->from, queue);
	assert_int_equal(message->kind, kind);
	assert_true(bytes_equal_text(message_text(message), text));
	message_free(message);
}

static void
what_is_put_is_taken_in_order_and_shows_at_the_descriptor(void **state)
{
	struct queue *queue;

	(void)state;
	if (queue_new(MAX_OCTETS, &queue) != OK)
		return;
	assert_false(can_be_read(queue));
	assert_null(queue_take(queue));
	if (put(queue, 1, "one") == OK && put(queue, 2, "") == OK) {
		assert_true(can_be_read(queue));
		assert_next(queue, 1, "one");
		assert_true(can_be_read(queue));
		assert_next(queue, 2, "");
		assert_false(can_be_read(queue));
		assert_null(queue_take(queue));
	}
	queue_free(queue);
}

static void
a_full_one_takes_only_what_has_no_text(void **state)
{
	struct message *message;
	struct queue *queue;

	(void)state;
	if (queue_new(MAX_OCTETS, &queue) != OK)
		return;
	if (put(queue, 1, "0123456789abcdef") == OK) {
		assert_int_not_equal(put(queue, 2, "x"), OK);
		(void)!put(queue, 3, "");
		assert_next(queue, 1, "0123456789abcdef");
		message = queue_take(queue);
		assert_true(message == NULL || message->kind == 3);
		message_free(message);
		assert_null(queue_take(queue));
	}
	assert_int_not_equal(put(queue, 3, "0123456789abcdefg"), OK);
	assert_false(can_be_read(queue));
	queue_free(queue);
}

static void
a_closed_one_gives_what_is_in_it_and_takes_nothing(void **state)
{
	struct queue *queue;
	enum err rc;

	(void)state;
	if (queue_new(MAX_OCTETS, &queue) != OK)
		return;
	rc = put(queue, 1, "last");
	assert_false(queue_is_closed(queue));
	queue_close(queue);
	queue_close(queue);
	assert_true(queue_is_closed(queue));
	assert_int_not_equal(put(queue, 2, "late"), OK);
	if (rc == OK)
		assert_next(queue, 1, "last");
	assert_null(queue_take(queue));
	assert_true(can_be_read(queue));
	queue_free(queue);
}

static void
what_is_left_goes_with_it(void **state)
{
	struct queue *queue;

	(void)state;
	if (queue_new(MAX_OCTETS, &queue) != OK)
		return;
	(void)!put(queue, 1, "left");
	queue_free(queue);
	queue_free(NULL);
	message_free(NULL);
}

struct sender {
	struct queue *queue;
	pthread_t thread;
	int next; /* that is expected of it */
};

static void *
send_many(void *ctx)
{
	struct sender *sender = ctx;
	int k;

	for (k = 0; k < EACH; k++)
		while (queue_put(sender->queue, sender, k,
			   bytes_of_text("four")) != OK)
			;
	return NULL;
}

static void
threads_put_while_one_takes(void **state)
{
	struct sender senders[SENDERS] = {{0}};
	struct queue *queue;
	int left = 0;
	int k;

	(void)state;
	if (queue_new(MAX_OCTETS, &queue) != OK)
		return;
	for (k = 0; k < SENDERS; k++) {
		senders[k].queue = queue;
		assert_int_equal(pthread_create(&senders[k].thread, NULL,
				     send_many, &senders[k]),
		    0);
		left += EACH;
	}
	while (left != 0) {
		struct pollfd fd = {.fd = queue_fd(queue), .events = POLLIN};
		struct message *message;

		assert_int_equal(poll(&fd, 1, -1), 1);
		message = queue_take(queue);
		assert_non_null(message);
		k = ((struct sender *)message->from)->next++;
		assert_int_equal(message->kind, k);
		message_free(message);
		left--;
	}
	for (k = 0; k < SENDERS; k++)
		(void)pthread_join(senders[k].thread, NULL);
	assert_false(can_be_read(queue));
	queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		what_is_put_is_taken_in_order_and_shows_at_the_descriptor),
	    cmocka_unit_test(a_full_one_takes_only_what_has_no_text),
	    cmocka_unit_test(
		a_closed_one_gives_what_is_in_it_and_takes_nothing),
	    cmocka_unit_test(what_is_left_goes_with_it),
	    cmocka_unit_test(threads_put_while_one_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
