#include "device/log_transfer.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/fields.h"
#include "device/log_sign.h"
#include "device/logs.h"
#include "device/transfer.h"

#define KIND   "log.transfer"
#define SOURCE "Log Transfer" /* in the system log */

enum {
	WAIT_OCTETS = 32, /* of one in the record */
};

/* One log's, from the oldest to the newest. */
struct queue_of {
	struct log_transfers *of;
	enum log_type type;
	uint64_t seen;
	uint64_t *serials;
	size_t count;
	size_t room;
	struct loop_timer *timer; /* the next time */
	struct loop_task begin;   /* a rotation, a start */
	/* ---- under way ---- */
	bool is_busy;
	bool again;      /* it has rotated meanwhile */
	uint64_t serial; /* the file; those before it have been tried */
	struct logs_file file;
	struct logs_reader *reader;
	int signed_fd;
	struct log_sign *sign;
	struct transfer *transfer;
};

struct log_transfers {
	struct appliance *appliance;
	struct logs_watch watch;
	struct settings_watch settings;
	struct queue_of queues[LOG_TYPE_COUNT];
};

static int64_t
field_number(const struct queue_of *queue, enum logs_field field)
{
	return setting_number(
	    queue->of->appliance->settings, logs_setting(queue->type, field));
}

static const char *
field_text(const struct queue_of *queue, enum logs_field field)
{
	return setting_text(
	    queue->of->appliance->settings, logs_setting(queue->type, field));
}

static bool
has_destination(const struct queue_of *queue)
{
	return field_number(queue, LOGS_DESTINATION) != LOGS_NONE;
}

/* ---- what can be set ---- */

static bool
changes(const struct queue_of *queue, enum logs_field field)
{
	return setting_changes(
	    queue->of->appliance->settings, logs_setting(queue->type, field));
}

/* What no transfer can do without. One that was there already is told of at
 * each rotation, and does not stand in the way of other settings. */
static enum err
judge_one(const struct queue_of *queue, char why[SETTING_WHY_OCTETS])
{
	static const enum logs_field needed[] = {LOGS_HOST, LOGS_USER};
	const struct settings *settings = queue->of->appliance->settings;
	size_t k;

	if (!has_destination(queue) ||
	    !(changes(queue, LOGS_DESTINATION) || changes(queue, LOGS_HOST) ||
		changes(queue, LOGS_USER)))
		return OK;
	for (k = 0; k < sizeof(needed) / sizeof(*needed); k++) {
		if (*field_text(queue, needed[k]) != '\0')
			continue;
		(void)snprintf(why, SETTING_WHY_OCTETS,
		    "%s: it is missing, and the Transfer Destination is %s",
		    setting_row(logs_setting(queue->type, needed[k]))->name,
		    setting_shown(
			settings, logs_setting(queue->type, LOGS_DESTINATION)));
		return ERR_FIELD;
	}
	return OK;
}

/* req: KS-20-091 */
static enum err
judge(void *ctx, struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	const struct log_transfers *transfers = ctx;
	unsigned k;
	enum err rc = OK;

	(void)settings;
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		TRY(judge_one(&transfers->queues[k], why));
out:
	return rc;
}

/* ---- the queue, and its record ---- */

static enum err
write_record(struct queue_of *queue)
{
	struct bytes key = bytes_of_text(log_row(queue->type)->word);
	struct buf value;
	size_t k;
	enum err rc = OK;

	buf_init(&value, WAIT_OCTETS * (queue->count + 1));
	TRY(fields_put_number(&value, "seen", (int64_t)queue->seen));
	for (k = 0; k < queue->count; k++)
		TRY(fields_put_number(
		    &value, "wait", (int64_t)queue->serials[k]));
	TRY(record_put(
	    queue->of->appliance->store, KIND, key, buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

/* What is not written is seen again at the next start, and sent twice. */
static void
keep(struct queue_of *queue)
{
	enum err rc = write_record(queue);

	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "the log files that wait for their transfer: %s",
		    err_text(rc));
}

static bool
is_queued(const struct queue_of *queue, uint64_t serial)
{
	size_t k;

	for (k = 0; k < queue->count; k++)
		if (queue->serials[k] == serial)
			return true;
	return false;
}

/* In their order, each once. */
static enum err
enqueue(struct queue_of *queue, uint64_t serial)
{
	size_t at = queue->count;
	enum err rc = OK;

	if (is_queued(queue, serial))
		return OK;
	if (queue->count == queue->room) {
		size_t room = queue->room * 2 + 8;
		uint64_t *longer =
		    mem_regrow(queue->serials, room, sizeof(*queue->serials));

		if (longer == NULL)
			TRY(ERR_NOMEM);
		queue->serials = longer;
		queue->room = room;
	}
	for (; at > 0 && queue->serials[at - 1] > serial; at--)
		queue->serials[at] = queue->serials[at - 1];
	queue->serials[at] = serial;
	queue->count++;
out:
	return rc;
}

static void
dequeue(struct queue_of *queue, uint64_t serial)
{
	size_t left = 0;
	size_t k;

	for (k = 0; k < queue->count; k++)
		if (queue->serials[k] != serial)
			queue->serials[left++] = queue->serials[k];
	if (left == queue->count)
		return;
	queue->count = left;
	keep(queue);
}

/* ---- a file's end ---- */

static void go_on(struct queue_of *queue);

static void
put_down(struct queue_of *queue)
{
	transfer_drop(queue->transfer);
	queue->transfer = NULL;
	log_sign_drop(queue->sign);
	queue->sign = NULL;
	logs_reader_free(queue->reader);
	queue->reader = NULL;
	if (queue->signed_fd >= 0)
		(void)close(queue->signed_fd);
	queue->signed_fd = -1;
}

static void
finish(struct queue_of *queue)
{
	struct loop *loop = queue->of->appliance->loop;

	queue->is_busy = false;
	if (queue->again && queue->count != 0)
		loop_later(loop, &queue->begin);
	else if (queue->count != 0)
		loop_timer_set(
		    queue->timer, loop_now_ms(loop) + LOG_TRANSFER_AGAIN_MS);
	queue->again = false;
}

static void
sent(struct queue_of *queue)
{
	struct appliance *appliance = queue->of->appliance;
	struct logs_file file;

	put_down(queue);
	dequeue(queue, queue->serial);
	/* it may have gone out meanwhile */
	if (logs_find_serial(appliance, queue->type, queue->serial, &file) ==
		OK &&
	    file.is_out)
		logs_release(appliance, queue->type, queue->serial);
	go_on(queue);
}

/* Is it this file's own trouble? */
static bool
is_of_file(enum err rc)
{
	return rc == ERR_DISK_FULL || rc == ERR_SYSTEM || rc == ERR_TRUNCATED;
}

/*
 * The name that the file would have there is not told: it is seen nowhere.
 *
 * req: KS-20-010 KS-20-045
 */
static void
failed(struct queue_of *queue, enum err rc, const char *why)
{
	put_down(queue);
	logs_add_system(queue->of->appliance, SOURCE,
	    "Failed to transfer the %s Log of %s: %s.",
	    log_row(queue->type)->title, queue->file.name, why);
	if (is_of_file(rc))
		go_on(queue);
	else
		finish(queue);
}

/* ---- a file's way ---- */

struct place {
	uint64_t serial;
	unsigned newer;
};

static enum err
count_newer(void *ctx, const struct logs_file *file)
{
	struct place *place = ctx;

	if (file->serial > place->serial && !file->is_out)
		place->newer++;
	return OK;
}

/* Its place in the archive; out of it, where it would stand. req: KS-20-040 */
static enum err
place_of(struct queue_of *queue, unsigned *number)
{
	struct appliance *appliance = queue->of->appliance;
	struct place place = {.serial = queue->file.serial};
	struct logs_file file;
	size_t k;
	enum err rc = OK;

	*number = queue->file.number;
	if (!queue->file.is_out)
		goto out;
	TRY(logs_files(appliance, queue->type, count_newer, &place));
	for (k = 0; k < queue->count; k++)
		if (queue->serials[k] > place.serial &&
		    logs_find_serial(appliance, queue->type, queue->serials[k],
			&file) == OK &&
		    file.is_out)
			place.newer++;
	*number = place.newer + 1;
out:
	return rc;
}

/* req: KS-20-038 KS-20-039 KS-20-041 KS-20-043 KS-20-044 */
static enum err
name_of(struct queue_of *queue, char name[TRANSFER_NAME_OCTETS + 1])
{
	unsigned number;
	enum err rc = OK;

	TRY(place_of(queue, &number));
	(void)snprintf(name, TRANSFER_NAME_OCTETS + 1, "%s.log.%u.%s.%s",
	    log_row(queue->type)->word, number, queue->file.name,
	    setting_text(queue->of->appliance->settings, SETTING_HOST_NAME));
out:
	return rc;
}

/* req: KS-20-091 KS-20-094 KS-AA-034 */
static enum err
set_place(struct queue_of *queue, struct transfer_place *place)
{
	static const enum transfer_protocol protocols[] = {
	    [LOGS_FTP] = TRANSFER_FTP,
	    [LOGS_SCP] = TRANSFER_SCP,
	    [LOGS_SFTP] = TRANSFER_SFTP,
	};
	struct settings *settings = queue->of->appliance->settings;
	enum err rc;

	place->protocol = protocols[field_number(queue, LOGS_DESTINATION)];
	place->port = (unsigned)field_number(queue, LOGS_PORT);
	(void)snprintf(place->host, sizeof(place->host), "%s",
	    field_text(queue, LOGS_HOST));
	(void)snprintf(place->directory, sizeof(place->directory), "%s",
	    field_text(queue, LOGS_DIRECTORY));
	(void)snprintf(place->user, sizeof(place->user), "%s",
	    field_text(queue, LOGS_USER));
	rc = setting_secret(settings, logs_setting(queue->type, LOGS_PASSWORD),
	    &place->password);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static void
transferred(struct transfer *transfer, enum err rc)
{
	struct queue_of *queue = transfer->ctx;
	char why[CHANGE_WHY_OCTETS];

	(void)snprintf(why, sizeof(why), "%s", transfer->why);
	if (rc == OK)
		sent(queue);
	else
		failed(queue, rc, why);
}

static void
send_file(struct queue_of *queue, int fd)
{
	char name[TRANSFER_NAME_OCTETS + 1];
	enum err rc = OK;

	TRY(name_of(queue, name));
	TRY(transfer_new(queue->of->appliance, &queue->transfer));
	TRY(set_place(queue, &queue->transfer->place));
	TRY(transfer_add(queue->transfer, name, fd));
	queue->transfer->done = transferred;
	queue->transfer->ctx = queue;
	transfer_begin(queue->transfer);
out:
	if (rc != OK)
		failed(queue, rc, err_text(rc));
}

static void
signed_done(struct log_sign *sign, enum err rc)
{
	struct queue_of *queue = sign->ctx;

	if (rc == OK)
		send_file(queue, queue->signed_fd);
	else
		failed(queue, rc, err_text(rc));
}

/* It is signed right before it leaves. */
static enum err
sign_file(struct queue_of *queue)
{
	struct appliance *appliance = queue->of->appliance;
	enum err rc = OK;

	TRY(file_nameless(appliance->logs_dir, &queue->signed_fd));
	TRY(log_sign_new(appliance, &queue->sign));
	queue->sign->form = field_number(queue, LOGS_FORM) == LOGS_OPAQUE
				? SMIME_OPAQUE
				: SMIME_MULTIPART;
	queue->sign->from =
	    fcntl(logs_reader_fd(queue->reader), F_DUPFD_CLOEXEC, 0);
	queue->sign->to = fcntl(queue->signed_fd, F_DUPFD_CLOEXEC, 0);
	if (queue->sign->from < 0 || queue->sign->to < 0)
		TRY(ERR_SYSTEM);
	queue->sign->octets = logs_reader_octets(queue->reader);
	queue->sign->done = signed_done;
	queue->sign->ctx = queue;
	TRY(log_sign_begin(queue->sign));
out:
	return rc;
}

/* ERR_NOT_FOUND  it is not there any more */
static enum err
take_up(struct queue_of *queue)
{
	struct appliance *appliance = queue->of->appliance;
	enum err rc = OK;

	TRY(logs_find_serial(
	    appliance, queue->type, queue->serial, &queue->file));
	TRY(logs_reader_new(
	    appliance, queue->type, queue->serial, &queue->reader));
out:
	return rc;
}

static void
send_off(struct queue_of *queue)
{
	enum err rc = OK;

	if (field_number(queue, LOGS_SIGN) == 0)
		send_file(queue, logs_reader_fd(queue->reader));
	else
		rc = sign_file(queue);
	if (rc == ERR_NOT_FOUND)
		failed(queue, rc, "there is no log signing certificate");
	else if (rc != OK)
		failed(queue, rc, err_text(rc));
}

/* Nothing is sent any more: what is out of the archive has no place left.
 * req: KS-20-093 */
static void
give_up(struct queue_of *queue)
{
	struct appliance *appliance = queue->of->appliance;
	struct logs_file file;
	size_t k;

	for (k = 0; k < queue->count; k++)
		if (logs_find_serial(appliance, queue->type, queue->serials[k],
			&file) == OK &&
		    file.is_out)
			logs_release(appliance, queue->type, file.serial);
	logs_add_system(appliance, SOURCE,
	    "The %s Log has no Transfer Destination any more: %zu files are "
	    "not sent.",
	    log_row(queue->type)->title, queue->count);
	queue->count = 0;
	keep(queue);
}

/* The first behind the last. */
static void
go_on(struct queue_of *queue)
{
	size_t k;
	enum err rc;

	if (queue->count != 0 && !has_destination(queue))
		give_up(queue);
	for (k = 0; k < queue->count; k++)
		if (queue->serials[k] > queue->serial)
			break;
	if (k == queue->count) {
		finish(queue);
		return;
	}
	queue->serial = queue->serials[k];
	rc = take_up(queue);
	if (rc == OK)
		send_off(queue);
	else if (rc == ERR_NOT_FOUND)
		sent(queue);
	else
		failed(queue, rc, err_text(rc));
}

static void
try_all(void *ctx)
{
	struct queue_of *queue = ctx;

	assert(!queue->is_busy);
	if (queue->count == 0)
		return;
	loop_timer_stop(queue->timer);
	queue->is_busy = true;
	queue->serial = 0;
	go_on(queue);
}

/* ---- rotations ---- */

static void
see(struct queue_of *queue, uint64_t serial)
{
	enum err rc = OK;

	queue->seen = serial;
	if (has_destination(queue))
		rc = enqueue(queue, serial);
	if (rc != OK)
		logs_add_system(queue->of->appliance, SOURCE,
		    "The %s Log is not transferred: %s.",
		    log_row(queue->type)->title, err_text(rc));
}

/* req: KS-20-035 KS-20-037 ESKM-210 ESKM-217 */
static void
rotated(void *ctx, const struct logs_file *archive)
{
	struct log_transfers *transfers = ctx;
	struct queue_of *queue = &transfers->queues[archive->type];

	see(queue, archive->serial);
	keep(queue);
	queue->again = queue->is_busy;
	if (!queue->is_busy)
		loop_later(transfers->appliance->loop, &queue->begin);
}

static unsigned
count_out(const struct queue_of *queue)
{
	struct logs_file file;
	unsigned count = 0;
	size_t k;

	for (k = 0; k < queue->count; k++)
		if (logs_find_serial(queue->of->appliance, queue->type,
			queue->serials[k], &file) == OK &&
		    file.is_out)
			count++;
	return count;
}

static bool
displaced(void *ctx, const struct logs_file *archive)
{
	struct log_transfers *transfers = ctx;
	struct queue_of *queue = &transfers->queues[archive->type];

	if (!is_queued(queue, archive->serial))
		return false;
	if (count_out(queue) < LOG_TRANSFER_OUT_MOST)
		return true;
	logs_add_system(transfers->appliance, SOURCE,
	    "The %s Log of %s is removed, and was not transferred: too many "
	    "files wait.",
	    log_row(queue->type)->title, archive->name);
	dequeue(queue, archive->serial);
	return false;
}

static void
cleared(void *ctx, const struct logs_file *archive)
{
	struct log_transfers *transfers = ctx;

	dequeue(&transfers->queues[archive->type], archive->serial);
}

/* ---- life ---- */

static enum err
read_record(struct queue_of *queue)
{
	struct bytes key = bytes_of_text(log_row(queue->type)->word);
	struct buf value;
	struct bytes left;
	struct bytes from;
	struct field field;
	int64_t number = 0;
	enum err rc = OK;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	rc = record_get(queue->of->appliance->store, KIND, key, &value);
	if (rc == ERR_NOT_FOUND) {
		rc = OK;
		goto out;
	}
	TRY(rc);
	left = buf_peek(&value);
	TRY(fields_number(left, "seen", &number));
	queue->seen = (uint64_t)number;
	for (from = left; (rc = fields_next(&left, &field)) == OK;
	     from = left) {
		if (!bytes_equal_text(field.name, "wait"))
			continue;
		TRY(fields_number(from, "wait", &number));
		TRY(enqueue(queue, (uint64_t)number));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	buf_clear(&value);
	return rc;
}

static enum err
take_unseen(void *ctx, const struct logs_file *file)
{
	struct queue_of *queue = ctx;

	return file->serial > queue->seen && has_destination(queue)
		   ? enqueue(queue, file->serial)
		   : OK;
}

/* It was to be sent, or would not be there. */
static enum err
take_out(void *ctx, const struct logs_file *file)
{
	return enqueue(ctx, file->serial);
}

static enum err
find_last(void *ctx, const struct logs_file *file)
{
	struct queue_of *queue = ctx;

	if (file->serial > queue->seen)
		queue->seen = file->serial;
	return OK;
}

static enum err
queue_open(struct queue_of *queue)
{
	struct appliance *appliance = queue->of->appliance;
	enum err rc = OK;

	queue->signed_fd = -1;
	queue->begin = (struct loop_task){.fn = try_all, .ctx = queue};
	TRY(loop_timer_new(appliance->loop, try_all, queue, &queue->timer));
	TRY(read_record(queue));
	TRY(logs_files(appliance, queue->type, take_unseen, queue));
	TRY(logs_files(appliance, queue->type, find_last, queue));
	TRY(logs_files_out(appliance, queue->type, take_out, queue));
	if (queue->count != 0)
		loop_later(appliance->loop, &queue->begin);
out:
	return rc;
}

static void
queue_close(struct queue_of *queue)
{
	if (queue->of == NULL)
		return;
	put_down(queue);
	loop_task_cancel(&queue->begin);
	loop_timer_free(queue->timer);
	mem_free(queue->serials);
}

enum err
log_transfers_new(struct appliance *appliance, struct log_transfers **out)
{
	struct log_transfers *transfers = NULL;
	unsigned k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(transfers));
	transfers->appliance = appliance;
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		transfers->queues[k].of = transfers;
		transfers->queues[k].type = (enum log_type)k;
		TRY(queue_open(&transfers->queues[k]));
	}
	transfers->watch = (struct logs_watch){
	    .rotated = rotated,
	    .displaced = displaced,
	    .cleared = cleared,
	    .ctx = transfers,
	};
	logs_watch(appliance, &transfers->watch);
	transfers->settings =
	    (struct settings_watch){.judge = judge, .ctx = transfers};
	settings_watch(appliance->settings, &transfers->settings);
	*out = transfers;
	transfers = NULL;
out:
	log_transfers_free(transfers);
	return rc;
}

void
log_transfers_free(struct log_transfers *transfers)
{
	unsigned k;

	if (transfers == NULL)
		return;
	logs_unwatch(transfers->appliance, &transfers->watch);
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		queue_close(&transfers->queues[k]);
	mem_free(transfers);
}

unsigned
log_transfers_waiting(const struct log_transfers *transfers)
{
	unsigned count = 0;
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++)
		count += (unsigned)transfers->queues[k].count;
	return count;
}
