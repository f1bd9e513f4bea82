#include "device/logs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/line.h"

/* An escape that no octet has: what came behind it was cut. */
#define CUT "\\..."

/* One of the five, but for what the store has of the audit log. */
struct log {
	enum log_type type;
	int fd; /* current, appended to; only when is_open */
	bool is_open;
	char *lines; /* of this turn */
	size_t octets;
	uint64_t lost; /* lines, since it was last written */
};

struct logs {
	struct appliance *appliance;
	struct log log[LOG_TYPE_COUNT];
	struct logs_watch *watches;
	struct loop_task flush;
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

/* ---- adding ---- */

static void
flush_one(struct log *log)
{
	ssize_t done;

	if (log->octets == 0)
		return;
	done = log->is_open ? write(log->fd, log->lines, log->octets) : 0;
	if (done != (ssize_t)log->octets)
		log_line("device", LOG_ERROR, "the %s Log is not written",
		    rows[log->type].title);
	log->octets = 0;
}

static void
flush(void *ctx)
{
	struct logs *logs = ctx;
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++)
		flush_one(&logs->log[k]);
}

void
logs_add(struct appliance *appliance, enum log_type type, struct bytes line)
{
	struct logs *logs = appliance->logs;
	struct logs_watch *watch;
	struct log *log;
	size_t octets = line.octets;
	size_t k;

	assert(type != LOG_AUDIT);
	if (logs == NULL)
		return;
	log = &logs->log[type];
	if (octets > LOGS_LINE_MAX_OCTETS)
		octets = LOGS_LINE_MAX_OCTETS - (sizeof(CUT) - 1);
	if (LOGS_BUFFER_OCTETS - log->octets < LOGS_LINE_MAX_OCTETS + 1)
		flush_one(log);
	for (k = 0; k < octets; k++) {
		uint8_t c = line.at[k];

		log->lines[log->octets + k] =
		    c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	if (octets < line.octets) {
		memcpy(log->lines + log->octets + octets, CUT, sizeof(CUT) - 1);
		octets += sizeof(CUT) - 1;
	}
	line =
	    (struct bytes){(const uint8_t *)log->lines + log->octets, octets};
	for (watch = logs->watches; watch != NULL; watch = watch->next)
		if (watch->added != NULL)
			watch->added(watch->ctx, type, line);
	log->lines[log->octets + octets] = '\n';
	log->octets += octets + 1;
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

/* ---- life ---- */

static void
open_one(struct log *log, const char *dir)
{
	char *path = NULL;

	if (mem_printf(&path, "%s/%s", dir, rows[log->type].word) == OK)
		(void)mkdir(path, 0700);
	mem_free(path);
	path = NULL;
	if (mem_printf(&path, "%s/%s/current", dir, rows[log->type].word) == OK)
		log->fd =
		    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	log->is_open = path != NULL && log->fd >= 0;
	mem_free(path);
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
	if (appliance->logs_dir != NULL)
		(void)mkdir(appliance->logs_dir, 0700);
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		struct log *log = &logs->log[k];

		log->type = (enum log_type)k;
		if (log->type == LOG_AUDIT)
			continue;
		TRY(MEM_ARRAY(log->lines, LOGS_BUFFER_OCTETS));
		if (appliance->logs_dir != NULL)
			open_one(log, appliance->logs_dir);
	}
	logs->flush = (struct loop_task){.fn = flush, .ctx = logs};
	loop_each_turn(appliance->loop, &logs->flush);
out:
	if (rc != OK)
		logs_close(appliance);
	return rc;
}

void
logs_close(struct appliance *appliance)
{
	struct logs *logs = appliance->logs;
	unsigned k;

	if (logs == NULL)
		return;
	flush(logs);
	loop_task_cancel(&logs->flush);
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		if (logs->log[k].is_open)
			(void)close(logs->log[k].fd);
		mem_free(logs->log[k].lines);
	}
	mem_free(logs);
	appliance->logs = NULL;
}
