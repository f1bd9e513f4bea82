/*
 * Files of logs: their list, and what is in them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "device/audit.h"
#include "device/logs_work.h"

#define CURRENT_NAME "Current"

enum { BLOCK_OCTETS = 64 * 1024, AUDIT_LINES = 200 };

/* ---- the list ---- */

/* What is in it now, that of this turn included. */
static void
describe_current(struct logs *logs, struct log *log, struct logs_file *out)
{
	*out = (struct logs_file){.type = log->type, .name = CURRENT_NAME};
	logs_flush(logs, log);
	if (log->type == LOG_AUDIT)
		out->octets = logs->audit.octets;
	else if (log->is_open)
		out->octets = disk_octets(log->folder.current);
}

enum err
logs_files(struct appliance *appliance, enum log_type type, logs_file_fn *each,
    void *ctx)
{
	struct log *log = logs_of(appliance, type);
	struct logs_file file;
	enum err rc = OK;
	size_t k;

	(void)logs_is_open(appliance->logs, log);
	describe_current(appliance->logs, log, &file);
	TRY(each(ctx, &file));
	for (k = log->folder.count; k > 0; k--) {
		if (log->folder.archives[k - 1].kind == LOG_NAME_OUT)
			continue;
		logs_describe(log, &log->folder.archives[k - 1], &file);
		TRY(each(ctx, &file));
	}
out:
	return rc;
}

enum err
logs_files_out(struct appliance *appliance, enum log_type type,
    logs_file_fn *each, void *ctx)
{
	struct log *log = logs_of(appliance, type);
	struct logs_file file;
	enum err rc = OK;
	size_t k;

	for (k = 0; k < log->folder.count; k++) {
		if (log->folder.archives[k].kind != LOG_NAME_OUT)
			continue;
		logs_describe(log, &log->folder.archives[k], &file);
		TRY(each(ctx, &file));
	}
out:
	return rc;
}

struct search {
	struct bytes name;
	struct logs_file *out;
	bool found;
};

static enum err
look(void *ctx, const struct logs_file *file)
{
	struct search *search = ctx;
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", file->number);
	if (!bytes_equal_text(search->name, file->name) &&
	    (file->number == 0 || !bytes_equal_text(search->name, number)))
		return OK;
	*search->out = *file;
	search->found = true;
	return OK;
}

enum err
logs_find(struct appliance *appliance, enum log_type type, struct bytes name,
    struct logs_file *out)
{
	struct search search = {.name = name, .out = out};
	enum err rc = logs_files(appliance, type, look, &search);

	return rc == OK && !search.found ? ERR_NOT_FOUND : rc;
}

enum err
logs_find_serial(struct appliance *appliance, enum log_type type,
    uint64_t serial, struct logs_file *out)
{
	struct log *log = logs_of(appliance, type);
	enum err rc = OK;
	size_t at;

	if (serial == 0) {
		(void)logs_is_open(appliance->logs, log);
		describe_current(appliance->logs, log, out);
		return OK;
	}
	if (!logs_is_open(appliance->logs, log))
		TRY(ERR_SYSTEM);
	TRY(log_folder_find(&log->folder, serial, &at));
	logs_describe(log, &log->folder.archives[at], out);
out:
	return rc;
}

/* ---- octets ---- */

struct logs_reader {
	struct logs *logs;
	int fd; /* is_file */
	bool is_file;
	uint64_t octets;
	uint64_t left; /* of them */
	/* the audit log's lines */
	bool is_audit;
	uint64_t next;
	uint64_t last;
	struct buf lines;
	size_t done; /* of lines */
};

static enum err
read_file(struct log *log, uint64_t serial, struct logs_reader *reader)
{
	struct log_archive archive;
	char name[LOG_NAME_OCTETS] = "current";
	enum err rc = OK;
	size_t at;

	if (serial != 0) {
		TRY(log_folder_find(&log->folder, serial, &at));
		archive = log->folder.archives[at];
		log_name_write(&archive, name);
	}
	if (!log->is_open) /* nothing has been written */
		goto out;
	TRY(disk_read_fd(log->folder.dir, name, &reader->fd, &reader->octets));
	reader->is_file = true;
out:
	return rc;
}

static enum err
read_audit(struct logs *logs, struct logs_reader *reader)
{
	struct store *st = logs->appliance->store;
	uint64_t lines;
	enum err rc = OK;

	reader->next = logs->audit.begin;
	TRY(store_log_last(st, AUDIT_LOG, &reader->last));
	TRY(store_log_size(st, AUDIT_LOG, reader->next, reader->last, &lines,
	    &reader->octets));
	reader->is_audit = true;
	log_audit_reads(logs, true);
out:
	return rc;
}

enum err
logs_reader_new(struct appliance *appliance, enum log_type type,
    uint64_t serial, struct logs_reader **out)
{
	struct logs *logs = appliance->logs;
	struct log *log = &logs->log[type];
	struct logs_reader *reader = NULL;
	enum err rc = OK;

	*out = NULL;
	(void)logs_is_open(logs, log);
	TRY(MEM_NEW(reader));
	buf_init(&reader->lines, BLOCK_OCTETS);
	reader->logs = logs;
	if (type == LOG_AUDIT && serial == 0) {
		TRY(read_audit(logs, reader));
	} else {
		logs_flush(logs, log);
		TRY(read_file(log, serial, reader));
	}
	reader->left = reader->octets;
	*out = reader;
	reader = NULL;
out:
	mem_free(reader);
	return rc;
}

void
logs_reader_free(struct logs_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->is_file)
		(void)close(reader->fd);
	else if (reader->is_audit)
		log_audit_reads(reader->logs, false);
	buf_clear(&reader->lines);
	mem_free(reader);
}

uint64_t
logs_reader_octets(const struct logs_reader *reader)
{
	return reader->octets;
}

int
logs_reader_fd(const struct logs_reader *reader)
{
	return reader->is_file ? reader->fd : -1;
}

static enum err
gather(void *ctx, const struct store_log_line *line)
{
	struct logs_reader *reader = ctx;
	enum err rc = OK;

	if (line->number > reader->last ||
	    reader->lines.octets + line->text.octets + 1 > BLOCK_OCTETS)
		return OK;
	if (line->number != reader->next)
		return OK; /* behind one that did not fit */
	TRY(buf_put(&reader->lines, line->text));
	TRY(buf_put_text(&reader->lines, "\n"));
	reader->next = line->number + 1;
out:
	return rc;
}

static enum err
read_lines(struct logs_reader *reader, uint8_t *at, size_t room, size_t *octets)
{
	enum err rc = OK;

	if (reader->done == reader->lines.octets) {
		buf_reset(&reader->lines);
		reader->done = 0;
		TRY(store_log_each(reader->logs->appliance->store, AUDIT_LOG,
		    reader->next, AUDIT_LINES, gather, reader));
		if (reader->lines.octets == 0)
			TRY(ERR_STORE);
	}
	if (room > reader->lines.octets - reader->done)
		room = reader->lines.octets - reader->done;
	memcpy(at, reader->lines.at + reader->done, room);
	reader->done += room;
	*octets = room;
out:
	return rc;
}

enum err
logs_read(struct logs_reader *reader, uint8_t *at, size_t room, size_t *octets)
{
	ssize_t n;
	enum err rc = OK;

	*octets = 0;
	if (room > reader->left)
		room = (size_t)reader->left;
	if (room == 0)
		goto out;
	if (!reader->is_file) {
		TRY(read_lines(reader, at, room, octets));
	} else {
		n = pread(reader->fd, at, room,
		    (off_t)(reader->octets - reader->left));
		if (n <= 0)
			TRY(ERR_SYSTEM);
		*octets = (size_t)n;
	}
	reader->left -= *octets;
out:
	return rc;
}

/* ---- the last lines ---- */

struct tail {
	int fd;
	uint64_t from; /* where the first of them begins */
	uint8_t block[BLOCK_OCTETS];
};

/* Backwards, until there are as many line feeds, and one that ends the line
 * before. */
static enum err
find_tail(struct tail *tail, uint64_t octets, size_t lines)
{
	uint64_t end = octets;
	uint64_t feeds = 0;
	enum err rc = OK;

	tail->from = 0;
	while (end > 0) {
		size_t have = end < BLOCK_OCTETS ? (size_t)end : BLOCK_OCTETS;
		size_t k;

		TRY(file_read_at(tail->fd, tail->block, have, end - have));
		for (k = have; k > 0; k--) {
			if (tail->block[k - 1] != '\n' || ++feeds <= lines)
				continue;
			tail->from = end - have + k;
			goto out;
		}
		end -= have;
	}
out:
	return rc;
}

/* A line that is longer than a block, which none of ours is, comes in parts. */
static enum err
show_tail(struct tail *tail, uint64_t octets, logs_line_fn *each, void *ctx)
{
	uint64_t at = tail->from;
	enum err rc = OK;

	while (at < octets) {
		size_t have = octets - at < BLOCK_OCTETS ? (size_t)(octets - at)
							 : BLOCK_OCTETS;
		size_t used = 0;

		TRY(file_read_at(tail->fd, tail->block, have, at));
		while (used < have) {
			const uint8_t *line = tail->block + used;
			const uint8_t *feed = memchr(line, '\n', have - used);
			size_t length =
			    feed != NULL ? (size_t)(feed - line) : have - used;

			if (feed == NULL && used != 0)
				break; /* its end is in the next block */
			TRY(each(ctx, (struct bytes){line, length}));
			used += length + (feed != NULL);
		}
		at += used;
	}
out:
	return rc;
}

enum err
logs_last(struct appliance *appliance, enum log_type type, uint64_t serial,
    size_t lines, logs_line_fn *each, void *ctx)
{
	struct logs_reader *reader = NULL;
	struct tail *tail = NULL;
	enum err rc = OK;

	if (type == LOG_AUDIT && serial == 0)
		return audit_last(appliance->store, lines, each, ctx);
	if (lines == 0)
		return OK;
	TRY(logs_reader_new(appliance, type, serial, &reader));
	if (!reader->is_file)
		goto out;
	TRY(MEM_NEW(tail));
	tail->fd = reader->fd;
	TRY(find_tail(tail, reader->octets, lines));
	TRY(show_tail(tail, reader->octets, each, ctx));
out:
	mem_free(tail);
	logs_reader_free(reader);
	return rc;
}
