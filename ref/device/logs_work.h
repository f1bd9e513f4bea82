/*
 * Private to logs.c, log_audit.c and log_read.c: a log as they share it.
 */
#ifndef DEVICE_LOGS_WORK_H
#define DEVICE_LOGS_WORK_H

#include "device/appliance.h"
#include "device/log_audit.h"
#include "device/log_folder.h"
#include "device/logs.h"

struct log {
	enum log_type type;
	struct log_folder folder;
	uint64_t taken; /* see log_folder_open */
	bool is_open;   /* the folder */
	/* elapsed: try again, not before */
	int64_t open_at_ms;
	int64_t rotate_at_ms; /* by size */
	/* lines of this turn, and how many have gone out of it */
	char *lines;
	size_t octets;
	uint64_t generation; /* of the current file */
	int64_t
	    stamped_s; /* wall time of the last stamp; 0: the clock jumped */
	/* the disk */
	enum err broken;      /* OK: it is not */
	bool raised;          /* the trap */
	uint64_t lost;        /* lines */
	uint64_t told_serial; /* rotations that watchers know of */
	/* the schedule; wall time */
	int64_t due_s;
};

/* The audit log's current file, in the store. See log_audit.c. */
struct log_audit {
	uint64_t begin;  /* its first line */
	uint64_t octets; /* of its durable lines */
	uint64_t told;   /* the last durable line; watchers know of it */
	/* the group of the last line that was added, and the last line that
	 * was durable when it began */
	uint64_t group;
	uint64_t durable;
	struct store_waiter waiter;
	bool waits;
	/* a rotation under way */
	bool rotating;
	bool committing;
	struct log_archive part;
	struct disk_file *file;
	uint64_t next; /* line to be written */
	uint64_t last;
	struct store_waiter commit;
	struct loop_task slice;
	/* lines that are no more, and still have to go */
	uint64_t drop_from;
	struct loop_task drop;
	unsigned readers;
};

struct sync_job;

struct logs {
	struct appliance *appliance;
	struct log log[LOG_TYPE_COUNT];
	struct log_audit audit;
	struct logs_watch *watches;
	struct settings_watch settings;
	struct clock_watch clock;
	struct loop_task turn;
	struct loop_pool *pool;
	struct sync_job *job; /* under way; NULL: none */
	struct loop_timer *sync;
	bool sync_set;
	struct loop_timer *schedule;
	bool stirred; /* there is something for settle */
};

static inline struct log *
logs_of(struct appliance *appliance, enum log_type type)
{
	return appliance->logs != NULL ? &appliance->logs->log[type] : NULL;
}

/* The folder, when it can be had. */
bool logs_is_open(struct logs *logs, struct log *log);

/* Lines that wait are written. */
void logs_flush(struct logs *logs, struct log *log);

/* The stamp of a file that is made now, which no other of the log has had. */
void logs_stamp(
    const struct logs *logs, struct log *log, char stamp[LOGS_STAMP_OCTETS]);

/* The limit of the current file; UINT64_MAX: none. */
uint64_t logs_size_limit(const struct logs *logs, enum log_type type);

void logs_tell_line(struct logs *logs, enum log_type type, struct bytes line);
void logs_describe(const struct log *log, const struct log_archive *archive,
    struct logs_file *out);

#endif
