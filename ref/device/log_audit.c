#include "device/log_audit.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/audit.h"
#include "device/fields.h"
#include "device/logs_work.h"

#define KIND_NAME "log"
#define KEY_NAME  "audit"

enum {
	RECORD_OCTETS = 256,
	/* of a turn */
	SLICE_LINES = 500,
	SLICE_OCTETS = SLICE_LINES * 128 + LOGS_LINE_MAX_OCTETS + 1,
	DROP_LINES = 1000,
};

/* ---- the record ---- */

struct mark {
	int64_t begin;
	int64_t serial;
};

static enum err
mark_read(struct store *st, struct mark *mark)
{
	struct buf value;
	enum err rc = OK;

	*mark = (struct mark){.begin = 1};
	buf_init(&value, RECORD_OCTETS);
	rc = record_get(st, KIND_NAME, bytes_of_text(KEY_NAME), &value);
	if (rc == ERR_NOT_FOUND) {
		rc = OK;
		goto out;
	}
	TRY(rc);
	TRY(fields_number(buf_peek(&value), "begin", &mark->begin));
	TRY(fields_number(buf_peek(&value), "serial", &mark->serial));
out:
	buf_clear(&value);
	return rc;
}

static enum err
mark_write(struct store *st, const struct mark *mark)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(fields_put_number(&value, "begin", mark->begin));
	TRY(fields_put_number(&value, "serial", mark->serial));
	rc = record_put(
	    st, KIND_NAME, bytes_of_text(KEY_NAME), buf_peek(&value));
out:
	buf_clear(&value);
	return rc;
}

enum err
log_audit_begin(struct store *st, uint64_t *begin)
{
	struct mark mark;
	enum err rc = mark_read(st, &mark);

	*begin = (uint64_t)mark.begin;
	return rc;
}

/* ---- lines that are durable ---- */

static enum err
tell_line(void *ctx, const struct store_log_line *line)
{
	struct logs *logs = ctx;

	logs->audit.told = line->number;
	logs->audit.octets += line->text.octets + 1;
	logs_tell_line(logs, LOG_AUDIT, line->text);
	return OK;
}

static void durable(struct store_waiter *waiter, enum err rc);

static void
wait_for_group(struct logs *logs)
{
	struct log_audit *audit = &logs->audit;

	if (audit->waits)
		return;
	audit->waits = true;
	audit->waiter = (struct store_waiter){.done = durable, .ctx = logs};
	store_wait(logs->appliance->store, &audit->waiter);
}

static void
durable(struct store_waiter *waiter, enum err rc)
{
	struct logs *logs = waiter->ctx;
	struct log_audit *audit = &logs->audit;
	struct store *st = logs->appliance->store;

	audit->waits = false;
	/* somebody who was called before has begun the next group, which after
	 * one that failed has the same number */
	if (audit->group > store_groups(st) && store_group_is_open(st))
		wait_for_group(logs);
	if (rc != OK) /* it is undone, and its lines with it */
		return;
	if (audit->group <= store_groups(st))
		rc = store_log_last(st, AUDIT_LOG, &audit->durable);
	if (rc == OK && audit->durable > audit->told)
		rc = store_log_each(st, AUDIT_LOG, audit->told + 1,
		    audit->durable - audit->told, tell_line, logs);
	if (rc != OK)
		log_line("device", LOG_ERROR, "audit lines are not told: %s",
		    err_text(rc));
	if (audit->octets < logs_size_limit(logs, LOG_AUDIT) ||
	    !logs_is_open(logs, &logs->log[LOG_AUDIT]))
		return;
	rc = log_audit_rotate(logs);
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "the Audit Log is not rotated: %s", err_text(rc));
}

/* What is durable when a group's first line comes is all that was before. */
void
log_audit_added(struct appliance *appliance)
{
	struct logs *logs = appliance->logs;
	struct log_audit *audit;
	uint64_t last;

	if (logs == NULL)
		return;
	audit = &logs->audit;
	if (audit->group != store_groups(appliance->store) + 1) {
		audit->group = store_groups(appliance->store) + 1;
		if (store_log_last(appliance->store, AUDIT_LOG, &last) == OK)
			audit->durable = last - 1;
	}
	wait_for_group(logs);
}

/* ---- lines that are in an archive ---- */

static void
drop_some(void *ctx)
{
	struct logs *logs = ctx;
	struct log_audit *audit = &logs->audit;
	struct store *st = logs->appliance->store;
	uint64_t to = audit->drop_from + DROP_LINES - 1;
	enum err rc = OK;

	if (audit->readers != 0 || audit->drop_from >= audit->begin)
		return;
	if (to >= audit->begin)
		to = audit->begin - 1;
	rc = store_log_drop(st, AUDIT_LOG, audit->drop_from, to);
	if (rc != OK) { /* after the next rotation, or start */
		log_line("device", LOG_ERROR,
		    "audit lines that are in an archive stay: %s",
		    err_text(rc));
		return;
	}
	audit->drop_from = to + 1;
	if (audit->drop_from < audit->begin)
		loop_later(logs->appliance->loop, &audit->drop);
}

static enum err
first_line(void *ctx, const struct store_log_line *line)
{
	*(uint64_t *)ctx = line->number;
	return OK;
}

static enum err
find_drops(struct logs *logs)
{
	struct log_audit *audit = &logs->audit;
	enum err rc = OK;

	audit->drop_from = audit->begin;
	TRY(store_log_each(logs->appliance->store, AUDIT_LOG, 1, 1, first_line,
	    &audit->drop_from));
	if (audit->drop_from < audit->begin)
		loop_later(logs->appliance->loop, &audit->drop);
out:
	return rc;
}

void
log_audit_reads(struct logs *logs, bool comes)
{
	struct log_audit *audit = &logs->audit;

	audit->readers += comes;
	audit->readers -= !comes;
	if (audit->readers == 0 && audit->drop_from < audit->begin)
		loop_later(logs->appliance->loop, &audit->drop);
}

/* ---- rotation ---- */

static void
give_up(struct logs *logs, enum err rc)
{
	struct log_audit *audit = &logs->audit;

	log_line("device", LOG_ERROR, "the Audit Log is not rotated: %s",
	    err_text(rc));
	disk_close(audit->file);
	audit->file = NULL;
	log_folder_drop(&logs->log[LOG_AUDIT].folder, &audit->part);
	audit->rotating = false;
}

/* The record is durable: the part is an archive. */
static void
committed(struct store_waiter *waiter, enum err rc)
{
	struct logs *logs = waiter->ctx;
	struct log_audit *audit = &logs->audit;
	struct log *log = &logs->log[LOG_AUDIT];
	uint64_t lines;

	audit->committing = false;
	if (rc != OK) {
		give_up(logs, rc);
		return;
	}
	audit->part.octets = disk_octets(audit->file);
	disk_close(audit->file);
	audit->file = NULL;
	audit->rotating = false;
	audit->begin = audit->last + 1;
	log->taken = audit->part.serial;
	log_folder_take(&log->folder, &audit->part);
	/* those behind it that are not told yet are counted when they are */
	rc = store_log_size(logs->appliance->store, AUDIT_LOG, audit->begin,
	    audit->told, &lines, &audit->octets);
	if (rc == OK)
		rc = find_drops(logs);
	if (rc != OK)
		log_line("device", LOG_ERROR, "the Audit Log's lines: %s",
		    err_text(rc));
	logs->stirred = true;
}

static enum err
commit(struct logs *logs)
{
	static const struct principal nobody = {.door = DOOR_NONE};
	struct log_audit *audit = &logs->audit;
	struct store *st = logs->appliance->store;
	const struct mark mark = {
	    .begin = (int64_t)audit->last + 1,
	    .serial = (int64_t)audit->part.serial,
	};
	enum err rc = OK;

	TRY(disk_sync(audit->file));
	TRY(store_savepoint(st));
	rc = mark_write(st, &mark);
	if (rc == OK)
		rc = audit_add(logs->appliance, &nobody,
		    "Log Rotation: Successfully rotated Audit Log.");
	TRY(store_savepoint_end(st, rc));
	audit->committing = true;
	audit->commit = (struct store_waiter){.done = committed, .ctx = logs};
	store_wait(st, &audit->commit);
out:
	return rc;
}

struct slice {
	struct log_audit *audit;
	struct buf text;
};

static enum err
put_line(void *ctx, const struct store_log_line *line)
{
	struct slice *slice = ctx;
	enum err rc = OK;

	/* the others next time */
	if (slice->text.octets + line->text.octets + 1 > SLICE_OCTETS)
		return OK;
	if (line->number != slice->audit->next)
		return OK;
	TRY(buf_put(&slice->text, line->text));
	TRY(buf_put_text(&slice->text, "\n"));
	slice->audit->next = line->number + 1;
out:
	return rc;
}

static void
write_slice(void *ctx)
{
	struct logs *logs = ctx;
	struct log_audit *audit = &logs->audit;
	struct slice slice = {.audit = audit};
	uint64_t left = audit->last - audit->next + 1;
	enum err rc = OK;

	buf_init(&slice.text, SLICE_OCTETS);
	TRY(store_log_each(logs->appliance->store, AUDIT_LOG, audit->next,
	    left < SLICE_LINES ? (size_t)left : SLICE_LINES, put_line, &slice));
	if (slice.text.octets == 0) /* a line is missing */
		TRY(ERR_STORE);
	TRY(disk_append(audit->file, buf_peek(&slice.text)));
	TRY(disk_sync(audit->file));
	if (audit->next <= audit->last)
		loop_later(logs->appliance->loop, &audit->slice);
	else
		TRY(commit(logs));
out:
	buf_clear(&slice.text);
	if (rc != OK)
		give_up(logs, rc);
}

enum err
log_audit_rotate(struct logs *logs)
{
	struct log_audit *audit = &logs->audit;
	struct log *log = &logs->log[LOG_AUDIT];
	char stamp[LOGS_STAMP_OCTETS];
	enum err rc = OK;

	if (audit->rotating)
		goto out;
	logs_stamp(logs, log, stamp);
	TRY(log_folder_part(&log->folder, stamp, &audit->part, &audit->file));
	audit->rotating = true;
	audit->next = audit->begin;
	audit->last = audit->told;
	if (audit->next <= audit->last)
		loop_later(logs->appliance->loop, &audit->slice);
	else
		rc = commit(logs);
	if (rc != OK)
		give_up(logs, rc);
out:
	return rc;
}

/* ---- life ---- */

enum err
log_audit_open(struct logs *logs)
{
	struct log_audit *audit = &logs->audit;
	struct log *log = &logs->log[LOG_AUDIT];
	struct store *st = logs->appliance->store;
	struct mark mark;
	uint64_t lines;
	enum err rc = OK;

	audit->slice = (struct loop_task){.fn = write_slice, .ctx = logs};
	audit->drop = (struct loop_task){.fn = drop_some, .ctx = logs};
	TRY(mark_read(st, &mark));
	audit->begin = (uint64_t)mark.begin;
	TRY(store_log_last(st, AUDIT_LOG, &audit->told));
	audit->durable = audit->told;
	TRY(store_log_size(
	    st, AUDIT_LOG, audit->begin, audit->told, &lines, &audit->octets));
	TRY(find_drops(logs));
	log->taken = (uint64_t)mark.serial;
	(void)logs_is_open(logs, log);
out:
	return rc;
}

void
log_audit_close(struct logs *logs)
{
	struct log_audit *audit = &logs->audit;

	if (audit->waits)
		store_unwait(logs->appliance->store, &audit->waiter);
	if (audit->committing)
		store_unwait(logs->appliance->store, &audit->commit);
	loop_task_cancel(&audit->slice);
	loop_task_cancel(&audit->drop);
	disk_close(
	    audit->file); /* the next start takes the part, or drops it */
}
