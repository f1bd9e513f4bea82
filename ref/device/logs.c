#include "device/logs.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/log.h"
#include "base/mem.h"
#include "device/audit.h"
#include "device/line.h"
#include "device/log_schedule.h"
#include "device/logs_work.h"

enum {
	/* of the LOGS_SYNC_MS: the rest is the disk's */
	SYNC_AFTER_MS = LOGS_SYNC_MS / 2,
	AGAIN_MS = 1000, /* what the disk has refused */
	ROTATE_AGAIN_S = 60,
};

static const struct log_row rows[] = {
#define LOG(symbol, SETTINGS, ...) [symbol] = {__VA_ARGS__},
#include "device/logs.def"
#undef LOG
};

const struct log_row *
log_row(enum log_type type)
{
	return &rows[type];
}

enum err
log_find(struct bytes word, enum log_type *out)
{
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		if (bytes_equal_text(word, rows[k].word)) {
			*out = (enum log_type)k;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

/* ---- settings ---- */

static const enum setting settings_of[LOG_TYPE_COUNT][LOGS_FIELD_COUNT] = {
#define FIELD(LOG, NAME) [LOGS_##NAME] = SETTING_LOG_##LOG##_##NAME
#define LOG(symbol, SETTINGS, ...)        \
	[symbol] = {                      \
	    FIELD(SETTINGS, SCHEDULE),    \
	    FIELD(SETTINGS, TIME),        \
	    FIELD(SETTINGS, ARCHIVES),    \
	    FIELD(SETTINGS, SIZE_MB),     \
	    FIELD(SETTINGS, DESTINATION), \
	    FIELD(SETTINGS, HOST),        \
	    FIELD(SETTINGS, PORT),        \
	    FIELD(SETTINGS, DIRECTORY),   \
	    FIELD(SETTINGS, USER),        \
	    FIELD(SETTINGS, PASSWORD),    \
	    FIELD(SETTINGS, SYSLOG),      \
	    FIELD(SETTINGS, SERVER_1),    \
	    FIELD(SETTINGS, PORT_1),      \
	    FIELD(SETTINGS, PROTOCOL_1),  \
	    FIELD(SETTINGS, SERVER_2),    \
	    FIELD(SETTINGS, PORT_2),      \
	    FIELD(SETTINGS, PROTOCOL_2),  \
	    FIELD(SETTINGS, FACILITY),    \
	    FIELD(SETTINGS, SIGN),        \
	    FIELD(SETTINGS, FORM),        \
	},
#include "device/logs.def"
#undef LOG
#undef FIELD
};

enum setting
logs_setting(enum log_type type, enum logs_field field)
{
	return settings_of[type][field];
}

bool
logs_setting_of(enum setting which, enum log_type *type, enum logs_field *field)
{
	unsigned t;
	unsigned f;

	for (t = 0; t < LOG_TYPE_COUNT; t++) {
		for (f = 0; f < LOGS_FIELD_COUNT; f++) {
			if (settings_of[t][f] != which)
				continue;
			*type = (enum log_type)t;
			*field = (enum logs_field)f;
			return true;
		}
	}
	return false;
}

/* ---- the disk ---- */

static void
break_down(struct logs *logs, struct log *log, enum err rc)
{
	if (log->broken == OK)
		log->broken = rc;
	logs->stirred = true;
}

bool
logs_is_open(struct logs *logs, struct log *log)
{
	struct appliance *appliance = logs->appliance;
	enum err rc;

	if (log->is_open || log->folder.dir == NULL)
		return log->is_open;
	if (loop_now_ms(appliance->loop) < log->open_at_ms)
		return false;
	rc = log_folder_open(&log->folder, log->type != LOG_AUDIT, log->taken);
	log->is_open = rc == OK;
	log->open_at_ms = loop_now_ms(appliance->loop) + AGAIN_MS;
	if (rc != OK)
		break_down(logs, log, rc);
	else
		log->told_serial = log->folder.last_serial;
	return log->is_open;
}

static uint64_t
lines_in(struct bytes in)
{
	uint64_t lines = 0;
	size_t k;

	for (k = 0; k < in.octets; k++)
		lines += in.at[k] == '\n';
	return lines;
}

static void
write_lines(struct logs *logs, struct log *log, struct bytes in)
{
	enum err rc = ERR_SYSTEM;

	if (logs_is_open(logs, log))
		rc = disk_append(log->folder.current, in);
	if (rc != OK) {
		log->lost += lines_in(in);
		break_down(logs, log, rc);
	} else if (log->broken != OK) {
		log->broken = OK;
		logs->stirred = true;
	}
}

uint64_t
logs_size_limit(const struct logs *logs, enum log_type type)
{
	int64_t mb = setting_number(
	    logs->appliance->settings, logs_setting(type, LOGS_SIZE_MB));

	return mb != 0 ? (uint64_t)mb * LOGS_MB_OCTETS : UINT64_MAX;
}

/* As many whole lines as the current file may still have. */
static size_t
lines_that_fit(const struct log *log, uint64_t limit, struct bytes in)
{
	uint64_t has = log->is_open ? disk_octets(log->folder.current) : 0;
	size_t fit;

	if (has >= limit)
		return 0;
	if (in.octets <= limit - has)
		return in.octets;
	fit = (size_t)(limit - has);
	while (fit > 0 && in.at[fit - 1] != '\n')
		fit--;
	return fit;
}

static enum err
rotate_file(struct logs *logs, struct log *log)
{
	struct appliance *appliance = logs->appliance;
	char stamp[LOGS_STAMP_OCTETS];
	char now[CLOCK_TEXT_OCTETS];
	char line[512];
	int octets;
	enum err rc = OK;

	clock_text(appliance->clock, env_wall_s(appliance->env), now);
	octets = snprintf(line, sizeof(line),
	    "%s %s Log Rotation: Successfully rotated %s Log.\n", now,
	    setting_text(appliance->settings, SETTING_HOST_NAME),
	    rows[log->type].title);
	logs_stamp(logs, log, stamp);
	TRY(log_folder_rotate(&log->folder, stamp,
	    (struct bytes){(const uint8_t *)line, (size_t)octets}));
	log->generation++;
	logs->stirred = true;
out:
	return rc;
}

/* A disk that refuses it is not asked for each line. */
static bool
rotate_by_size(struct logs *logs, struct log *log)
{
	int64_t now_ms = loop_now_ms(logs->appliance->loop);

	if (now_ms < log->rotate_at_ms)
		return false;
	if (rotate_file(logs, log) == OK)
		return true;
	log->rotate_at_ms = now_ms + AGAIN_MS;
	return false;
}

/*
 * A file does not grow over its limit: what does not fit goes into the next
 * one. Where it cannot be rotated, it grows.
 *
 * req: KS-20-021 KS-20-024 KS-20-025 KS-20-089 KS-20-090
 */
void
logs_flush(struct logs *logs, struct log *log)
{
	uint64_t limit = logs_size_limit(logs, log->type);
	struct bytes left = {(const uint8_t *)log->lines, log->octets};

	if (log->folder.dir == NULL) /* in tests */
		left.octets = 0;
	while (left.octets != 0) {
		size_t fit = lines_that_fit(log, limit, left);

		if (fit != 0)
			write_lines(logs, log, (struct bytes){left.at, fit});
		left.at += fit;
		left.octets -= fit;
		if (left.octets != 0 && !rotate_by_size(logs, log))
			limit = UINT64_MAX;
	}
	log->octets = 0;
}

/* ---- synced within a second, by a thread of its own ---- */

struct sync_job {
	struct logs *logs; /* NULL: they are gone */
	struct {
		int fd;
		enum log_type type;
		uint64_t generation;
		uint64_t octets;
	} file[LOG_TYPE_COUNT];
	size_t count;
	enum err rc;
};

static void
sync_set(struct logs *logs)
{
	if (logs->sync_set || logs->sync == NULL)
		return;
	logs->sync_set = true;
	loop_timer_set(
	    logs->sync, loop_now_ms(logs->appliance->loop) + SYNC_AFTER_MS);
}

static void
sync_work(void *ctx)
{
	struct sync_job *job = ctx;
	size_t k;

	for (k = 0; k < job->count; k++)
		if (disk_sync_fd(job->file[k].fd) != OK)
			job->rc = ERR_SYSTEM;
}

static bool
is_unsynced(const struct log *log)
{
	return log->is_open && log->folder.current != NULL &&
	       disk_synced(log->folder.current) <
		   disk_octets(log->folder.current);
}

static void
sync_done(void *ctx, enum err rc)
{
	struct sync_job *job = ctx;
	struct logs *logs = job->logs;
	size_t k;

	for (k = 0; k < job->count; k++) {
		struct log *log;

		(void)close(job->file[k].fd);
		if (logs == NULL || rc != OK || job->rc != OK)
			continue;
		log = &logs->log[job->file[k].type];
		if (log->is_open && log->generation == job->file[k].generation)
			disk_was_synced(
			    log->folder.current, job->file[k].octets);
	}
	if (logs != NULL) {
		logs->job = NULL;
		for (k = 0; k < LOG_TYPE_COUNT; k++)
			if (is_unsynced(&logs->log[k]))
				sync_set(logs);
	}
	mem_free(job);
}

static void
sync_file(struct sync_job *job, struct log *log)
{
	int fd;

	if (!is_unsynced(log) || disk_dup(log->folder.current, &fd) != OK)
		return;
	job->file[job->count].fd = fd;
	job->file[job->count].type = log->type;
	job->file[job->count].generation = log->generation;
	job->file[job->count].octets = disk_octets(log->folder.current);
	job->count++;
}

static void
sync_due(void *ctx)
{
	struct logs *logs = ctx;
	struct sync_job *job = NULL;
	enum err rc = OK;
	unsigned k;

	logs->sync_set = false;
	if (logs->job != NULL) {
		sync_set(logs);
		return;
	}
	TRY(MEM_NEW(job));
	job->logs = logs;
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		logs_flush(logs, &logs->log[k]);
		sync_file(job, &logs->log[k]);
	}
	if (job->count == 0)
		goto out;
	TRY(loop_submit(logs->pool, sync_work, sync_done, job));
	logs->job = job;
	job = NULL;
out:
	if (rc != OK)
		sync_set(logs);
	for (k = 0; job != NULL && k < job->count; k++)
		(void)close(job->file[k].fd);
	mem_free(job);
}

/* ---- adding ---- */

void
logs_tell_line(struct logs *logs, enum log_type type, struct bytes line)
{
	struct logs_watch *watch;

	for (watch = logs->watches; watch != NULL; watch = watch->next)
		if (watch->added != NULL)
			watch->added(watch->ctx, type, line);
}

void
logs_add(struct appliance *appliance, enum log_type type, struct bytes line)
{
	struct logs *logs = appliance->logs;
	size_t octets = line.octets;
	struct log *log;
	char *at;

	assert(type != LOG_AUDIT);
	if (logs == NULL)
		return;
	log = &logs->log[type];
	if (LOGS_BUFFER_OCTETS - log->octets < LOGS_LINE_MAX_OCTETS + 1)
		logs_flush(logs, log);
	if (octets > LOGS_LINE_MAX_OCTETS)
		octets = LOGS_LINE_MAX_OCTETS - LINE_CUT_OCTETS;
	at = log->lines + log->octets;
	memcpy(at, line.at, octets);
	line_scrub(at, octets);
	if (octets < line.octets) {
		memcpy(at + octets, LINE_CUT, LINE_CUT_OCTETS);
		octets += LINE_CUT_OCTETS;
	}
	at[octets] = '\n';
	log->octets += octets + 1;
	sync_set(logs);
	logs_tell_line(logs, type, (struct bytes){(const uint8_t *)at, octets});
}

void
logs_add_system(
    struct appliance *appliance, const char *source, const char *format, ...)
{
	char text[LOGS_LINE_MAX_OCTETS + 1];
	struct line line;
	va_list args;

	if (appliance->logs == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	line_begin(&line);
	line_put_text(
	    &line, clock_stamp(appliance->clock, env_wall_s(appliance->env)));
	line_put_text(&line, " ");
	line_put_text(
	    &line, setting_text(appliance->settings, SETTING_HOST_NAME));
	line_put_text(&line, " ");
	line_put_text(&line, source);
	line_put_text(&line, ": ");
	line_escape(&line, bytes_of_text(text), "");
	logs_add(appliance, LOG_SYSTEM, line_end(&line));
}

void
logs_watch(struct appliance *appliance, struct logs_watch *watch)
{
	watch->next = appliance->logs->watches;
	appliance->logs->watches = watch;
}

void
logs_unwatch(struct appliance *appliance, struct logs_watch *watch)
{
	struct logs_watch **p;

	if (appliance->logs == NULL)
		return;
	for (p = &appliance->logs->watches; *p != NULL; p = &(*p)->next) {
		if (*p == watch) {
			*p = watch->next;
			return;
		}
	}
}

/* ---- after a turn, and after a rotation ---- */

void
logs_describe(const struct log *log, const struct log_archive *archive,
    struct logs_file *out)
{
	size_t k;

	*out = (struct logs_file){.type = log->type,
	    .serial = archive->serial,
	    .octets = archive->octets,
	    .is_out = archive->kind == LOG_NAME_OUT};
	(void)strcpy(out->name, archive->stamp);
	if (out->is_out)
		return;
	out->number = 1;
	for (k = 0; k < log->folder.count; k++)
		out->number += log->folder.archives[k].kind != LOG_NAME_OUT &&
			       log->folder.archives[k].serial > archive->serial;
}

static void
tell_rotations(struct logs *logs, struct log *log)
{
	struct logs_watch *watch;
	struct logs_file file;
	size_t k;

	for (k = 0; k < log->folder.count; k++) {
		if (log->folder.archives[k].serial <= log->told_serial)
			continue;
		log->told_serial = log->folder.archives[k].serial;
		logs_describe(log, &log->folder.archives[k], &file);
		for (watch = logs->watches; watch != NULL; watch = watch->next)
			if (watch->rotated != NULL)
				watch->rotated(watch->ctx, &file);
	}
}

static bool
is_wanted(struct logs *logs, const struct logs_file *file)
{
	struct logs_watch *watch;
	bool wanted = false;

	for (watch = logs->watches; watch != NULL; watch = watch->next)
		if (watch->displaced != NULL)
			wanted = watch->displaced(watch->ctx, file) || wanted;
	return wanted;
}

/* The oldest goes, as long as there are more than are to be kept.
 * req: KS-20-018 KS-20-026 KS-20-027 KS-20-028 KS-20-030 KS-20-031 KS-20-087
 * req: ESKM-209 */
static void
displace(struct logs *logs, struct log *log)
{
	uint64_t most = (uint64_t)setting_number(
	    logs->appliance->settings, logs_setting(log->type, LOGS_ARCHIVES));
	uint64_t have = 0;
	size_t k;

	for (k = 0; k < log->folder.count; k++)
		have += log->folder.archives[k].kind != LOG_NAME_OUT;
	for (k = 0; k < log->folder.count && have > most;) {
		struct logs_file file;
		enum err rc;

		if (log->folder.archives[k].kind == LOG_NAME_OUT) {
			k++;
			continue;
		}
		logs_describe(log, &log->folder.archives[k], &file);
		have--;
		if (is_wanted(logs, &file))
			rc = log_folder_put_out(&log->folder, k);
		else
			rc = log_folder_remove(&log->folder, k);
		if (rc != OK) { /* the next rotation tries again */
			log_line("device", LOG_ERROR,
			    "the %s Log keeps an archive too many: %s",
			    rows[log->type].title, err_text(rc));
			return;
		}
	}
}

/* req: KS-20-010's like: what happens to logs themselves is in the system log,
 * once that can be written. */
static void
alarm_of(struct logs *logs, struct log *log)
{
	const char *title = rows[log->type].title;
	char text[256];

	if (log->broken != OK && !log->raised) {
		log->raised = true;
		(void)snprintf(text, sizeof(text),
		    "The %s Log cannot be written: %s", title,
		    err_text(log->broken));
		appliance_trap(logs->appliance, TRAP_LOG, text);
	} else if (log->broken == OK && log->raised) {
		log->raised = false;
		logs_add_system(logs->appliance, "Log",
		    "The %s Log can be written again; lines lost: %" PRIu64,
		    title, log->lost);
		log->lost = 0;
	}
}

/* Watchers hear of rotations, archives that are too many go, alarms are raised
 * and withdrawn. */
static void
settle(struct logs *logs)
{
	unsigned k;

	logs->stirred = false;
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		struct log *log = &logs->log[k];

		if (log->is_open) {
			tell_rotations(logs, log);
			displace(logs, log);
		}
		alarm_of(logs, log);
	}
}

void
logs_write(struct appliance *appliance)
{
	struct logs *logs = appliance->logs;
	unsigned k;

	for (k = 0; logs != NULL && k < LOG_TYPE_COUNT; k++)
		if (logs->log[k].octets != 0)
			logs_flush(logs, &logs->log[k]);
}

/* The turn's end: one write for each log that has got lines. */
static void
turn_end(void *ctx)
{
	struct logs *logs = ctx;

	logs_write(logs->appliance);
	if (logs->stirred)
		settle(logs);
}

/* ---- rotation ---- */

/* Nor one that has left: elsewhere it would take the place of that.
 * req: KS-20-044 */
void
logs_stamp(
    const struct logs *logs, struct log *log, char stamp[LOGS_STAMP_OCTETS])
{
	const struct appliance *appliance = logs->appliance;
	int64_t wall_s = env_wall_s(appliance->env);
	char text[CLOCK_TEXT_OCTETS];

	if (wall_s <= log->stamped_s)
		wall_s = log->stamped_s + 1;
	for (;; wall_s++) {
		clock_text(appliance->clock, wall_s, text);
		log_stamp(text, stamp);
		if (!log_folder_has(&log->folder, stamp))
			break;
	}
	log->stamped_s = wall_s;
}

static enum err
rotate(struct logs *logs, struct log *log)
{
	if (!logs_is_open(logs, log))
		return ERR_SYSTEM;
	if (log->type == LOG_AUDIT)
		return log_audit_rotate(logs);
	logs_flush(logs, log);
	return rotate_file(logs, log);
}

enum err
logs_rotate(struct appliance *appliance, enum log_type type)
{
	struct logs *logs = appliance->logs;
	enum err rc = OK;

	if (!rows[type].by_hand)
		return ERR_DENIED;
	TRY(rotate(logs, &logs->log[type]));
	settle(logs);
out:
	return rc;
}

enum err
logs_clear(struct appliance *appliance, enum log_type type, uint64_t serial)
{
	struct logs *logs = appliance->logs;
	struct log *log = &logs->log[type];
	struct logs_watch *watch;
	struct logs_file file;
	size_t at;
	enum err rc = OK;

	if (!rows[type].by_hand)
		return ERR_DENIED;
	if (!logs_is_open(logs, log))
		return ERR_SYSTEM;
	if (serial == 0) {
		TRY(log_folder_empty(&log->folder));
		log->octets = 0;
		log->generation++;
		return OK;
	}
	TRY(log_folder_find(&log->folder, serial, &at));
	if (log->folder.archives[at].kind == LOG_NAME_OUT)
		return ERR_NOT_FOUND;
	logs_describe(log, &log->folder.archives[at], &file);
	TRY(log_folder_remove(&log->folder, at));
	for (watch = logs->watches; watch != NULL; watch = watch->next)
		if (watch->cleared != NULL)
			watch->cleared(watch->ctx, &file);
out:
	return rc;
}

void
logs_release(struct appliance *appliance, enum log_type type, uint64_t serial)
{
	struct log *log = logs_of(appliance, type);
	enum err rc;
	size_t at;

	if (log == NULL || !log->is_open ||
	    log_folder_find(&log->folder, serial, &at) != OK ||
	    log->folder.archives[at].kind != LOG_NAME_OUT)
		return;
	rc = log_folder_remove(&log->folder, at);
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "the %s Log keeps a file that was sent: %s",
		    rows[type].title, err_text(rc));
}

/* ---- the schedule ---- */

static void
plan(struct logs *logs, struct log *log, int64_t after_s)
{
	const struct settings *settings = logs->appliance->settings;

	log->due_s = log_schedule_next(logs->appliance->clock,
	    (enum logs_schedule)setting_number(
		settings, logs_setting(log->type, LOGS_SCHEDULE)),
	    setting_text(settings, logs_setting(log->type, LOGS_TIME)),
	    after_s);
}

int64_t
logs_next_rotation_s(const struct appliance *appliance, enum log_type type)
{
	return appliance->logs->log[type].due_s;
}

static void
schedule_set(struct logs *logs)
{
	struct appliance *appliance = logs->appliance;
	int64_t due_s = INT64_MAX;
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++)
		if (logs->log[k].due_s < due_s)
			due_s = logs->log[k].due_s;
	if (due_s == INT64_MAX)
		loop_timer_stop(logs->schedule);
	else
		loop_timer_set(logs->schedule, loop_now_ms(appliance->loop) +
						   due_s * 1000 -
						   env_wall_ms(appliance->env));
}

/* From now on, whatever was planned before.
 * req: KS-07-015 KS-07-017 */
static void
plan_all(struct logs *logs)
{
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++)
		plan(logs, &logs->log[k], env_wall_s(logs->appliance->env));
	schedule_set(logs);
}

/* req: KS-20-020 */
static void
schedule_due(void *ctx)
{
	struct logs *logs = ctx;
	int64_t now_s = env_wall_s(logs->appliance->env);
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		struct log *log = &logs->log[k];
		enum err rc;

		if (log->due_s > now_s)
			continue;
		rc = rotate(logs, log);
		if (rc != OK)
			log_line("device", LOG_ERROR,
			    "the %s Log is not rotated: %s", rows[k].title,
			    err_text(rc));
		if (rc != OK)
			log->due_s = now_s + ROTATE_AGAIN_S;
		else
			plan(logs, log, now_s);
	}
	settle(logs);
	schedule_set(logs);
}

static void
jumped(void *ctx, int64_t from_wall_s, int64_t to_wall_s)
{
	struct logs *logs = ctx;
	unsigned k;

	(void)from_wall_s;
	(void)to_wall_s;
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		logs->log[k].stamped_s = 0;
	plan_all(logs);
}

static void
zoned(void *ctx)
{
	plan_all(ctx);
}

static void
follow(void *ctx, enum setting which)
{
	struct logs *logs = ctx;
	enum log_type type;
	enum logs_field field;

	if (!logs_setting_of(which, &type, &field))
		return;
	if (field == LOGS_SCHEDULE || field == LOGS_TIME) {
		plan(logs, &logs->log[type], env_wall_s(logs->appliance->env));
		schedule_set(logs);
	} else if (field == LOGS_ARCHIVES && logs->log[type].is_open) {
		/* now: before anybody is told that it is so */
		tell_rotations(logs, &logs->log[type]);
		displace(logs, &logs->log[type]);
	}
}

/* ---- life ---- */

static enum err
open_one(struct logs *logs, enum log_type type)
{
	struct log *log = &logs->log[type];
	enum err rc = OK;

	log->type = type;
	log->due_s = INT64_MAX;
	if (type != LOG_AUDIT)
		TRY(MEM_ARRAY(log->lines, LOGS_BUFFER_OCTETS));
	if (logs->appliance->logs_dir == NULL)
		goto out;
	TRY(mem_printf(&log->folder.dir, "%s/%s", logs->appliance->logs_dir,
	    rows[type].word));
	log->open_at_ms = INT64_MIN;
	if (type != LOG_AUDIT)
		(void)logs_is_open(logs, log);
out:
	return rc;
}

enum err
logs_open(struct appliance *appliance)
{
	struct logs *logs = NULL;
	enum err rc = OK;
	unsigned k;

	TRY(MEM_NEW(logs));
	appliance->logs = logs;
	logs->appliance = appliance;
	logs->turn = (struct loop_task){.fn = turn_end, .ctx = logs};
	/* what is wrong with it is found, and said, by what is in it */
	if (appliance->logs_dir != NULL)
		(void)!disk_make_dir(appliance->logs_dir);
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		TRY(open_one(logs, (enum log_type)k));
	TRY(log_audit_open(logs));
	TRY(loop_pool_new(appliance->loop, "logs", 1, &logs->pool));
	loop_each_turn(appliance->loop, &logs->turn);
	/* a power cut may have left an archive too many */
	logs->stirred = true;
	if (appliance->logs_dir == NULL)
		goto out;
	logs->settings = (struct settings_watch){.follow = follow, .ctx = logs};
	settings_watch(appliance->settings, &logs->settings);
	logs->clock =
	    (struct clock_watch){.jumped = jumped, .zoned = zoned, .ctx = logs};
	clock_watch(appliance->clock, &logs->clock);
	TRY(loop_timer_new(appliance->loop, sync_due, logs, &logs->sync));
	TRY(loop_timer_new(
	    appliance->loop, schedule_due, logs, &logs->schedule));
	plan_all(logs);
out:
	if (rc != OK)
		logs_close(appliance);
	return rc;
}

static void
close_one(struct logs *logs, struct log *log)
{
	logs_flush(logs, log);
	if (is_unsynced(log))
		(void)!disk_sync(log->folder.current);
	log_folder_close(&log->folder);
	mem_free(log->folder.dir);
	mem_free(log->lines);
}

void
logs_close(struct appliance *appliance)
{
	struct logs *logs = appliance->logs;
	unsigned k;

	if (logs == NULL)
		return;
	log_audit_close(logs);
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		close_one(logs, &logs->log[k]);
	loop_task_cancel(&logs->turn);
	loop_timer_free(logs->sync);
	loop_timer_free(logs->schedule);
	if (logs->job != NULL)
		logs->job->logs = NULL;
	mem_free(logs);
	appliance->logs = NULL;
}

enum err
logs_erase(const char *dir)
{
	return erase_path(dir);
}
