/*
 * For the tests of log transfers: a shelf of logs, and a host to send them to
 * that is a piece of memory. It outlives a process that is killed.
 */
#ifndef DEVICE_LOG_TRANSFER_RIG_TEST_H
#define DEVICE_LOG_TRANSFER_RIG_TEST_H

#include "device/logs_rig_test.h"

#include "device/log_transfer.h"
#include "device/transfer.h"

enum { REMOTE_FILES = 512, REMOTE_TEXT = 512, UNDER_WAY = 16 };

struct remote_file {
	char name[TRANSFER_NAME_OCTETS + 1];
	char text[REMOTE_TEXT]; /* its front */
};

static struct remote {
	enum err refuses; /* each transfer ends so; OK: it has the file */
	enum err refuses_first;
	bool is_silent; /* it does not answer */
	unsigned asked; /* transfers that were begun */
	unsigned count;
	struct remote_file files[REMOTE_FILES];
	struct transfer_place place; /* of the last one, without a password */
} * remote;

/* Those that wait for their answer: the process's own. */
static struct {
	struct shelf *shelf;
	struct transfer *waiting[UNDER_WAY];
	size_t count;
	struct loop_task answer;
} under_way;

static inline enum err
remote_take(const struct transfer *transfer)
{
	struct remote_file *file = &remote->files[remote->count];
	ssize_t octets;

	assert_true(remote->count < REMOTE_FILES);
	assert_int_equal(transfer->file_count, 1);
	octets =
	    pread(transfer->files[0].fd, file->text, sizeof(file->text) - 1, 0);
	assert_true(octets >= 0);
	file->text[octets] = '\0';
	(void)strcpy(file->name, transfer->files[0].name);
	remote->count++;
	return OK;
}

/* The one that has waited longest has its answer. */
static inline void
remote_answer(enum err rc)
{
	struct transfer *transfer = under_way.waiting[0];

	assert_true(under_way.count != 0);
	under_way.count--;
	memmove(under_way.waiting, under_way.waiting + 1,
	    under_way.count * sizeof(under_way.waiting[0]));
	if (rc == OK)
		rc = remote_take(transfer);
	else
		(void)strcpy(transfer->why, "the host is down");
	transfer->done(transfer, rc);
}

/* One in a turn, as threads would have it. */
static inline void
remote_answers(void *ctx)
{
	enum err rc = remote->refuses;

	(void)ctx;
	if (under_way.count == 0 || remote->is_silent)
		return;
	if (under_way.count > 1)
		loop_later(
		    shelf_appliance(under_way.shelf)->loop, &under_way.answer);
	if (rc == OK) {
		rc = remote->refuses_first;
		remote->refuses_first = OK;
	}
	remote_answer(rc);
}

static inline void
remote_asked(struct transfer *transfer)
{
	remote->asked++;
	remote->place = transfer->place;
	assert_true(under_way.count < UNDER_WAY);
	under_way.waiting[under_way.count++] = transfer;
	loop_later(shelf_appliance(under_way.shelf)->loop, &under_way.answer);
}

/* Behind shelf_open. */
static inline void
sender_open(struct shelf *shelf)
{
	struct appliance *a = shelf_appliance(shelf);

	under_way.shelf = shelf;
	under_way.count = 0;
	under_way.answer = (struct loop_task){.fn = remote_answers};
	assert_ok(transfers_new(a, &a->transfers));
	transfers_stand_in(a->transfers, remote_asked);
	assert_ok(log_transfers_new(a, &a->log_transfers));
}

/* Before shelf_close. */
static inline void
sender_close(struct shelf *shelf)
{
	struct appliance *a = shelf_appliance(shelf);

	loop_task_cancel(&under_way.answer);
	log_transfers_free(a->log_transfers);
	a->log_transfers = NULL;
	transfers_free(a->transfers);
	a->transfers = NULL;
}

/* Once in a program. */
static inline void
remote_map(void)
{
	remote = mmap(NULL, sizeof(*remote), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(remote, MAP_FAILED);
}

#endif
