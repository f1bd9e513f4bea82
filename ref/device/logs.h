/*
 * The appliance's five logs: rows of logs.def.
 *
 * Each has a file that is written to, "Current", and archives of it: the closed
 * files that rotations have left, which no line is added to any more.
 *
 *	DIR/logs/WORD/current
 *	DIR/logs/WORD/00000012.2002-04-04_160146      an archive
 *	DIR/logs/WORD/00000012.2002-04-04_160146.out  no archive any more, and
 *	                                              not yet sent
 *
 * The number counts the log's rotations, whatever the clock does; the stamp is
 * the wall time of the rotation, in the zone of that moment, and no two files
 * of a log have the same one: a second rotation within a second has the next.
 * The folder is the only list of the archives. A line ends with a line feed,
 * is UTF-8, and has no other control character.
 *
 * What a rotation does is one step: a power cut at any moment leaves all of it
 * or nothing. The same holds for clearing.
 *
 * The audit log's current lines are the store's (device/audit.h): they ride in
 * the transaction of what they tell of. A rotation writes them into a file,
 * some at a time, and one transaction then makes that file the archive and has
 * the log begin behind it. The other logs' lines gather in memory during a turn
 * of the loop, go out in one write at its end, and are synced within
 * LOGS_SYNC_MS by a thread of their own: a power cut takes what was younger.
 *
 * A disk that is full or broken costs these lines, and nobody else anything:
 * they are counted, TRAP_LOG is raised once, and when writing works again a
 * line of the system log says how many are missing in which log.
 *
 * Rotations happen by schedule, by size, or by hand. Schedules go by wall time:
 * what the clock is set over does not happen, what it is set back before comes
 * again. A time of day that the beginning of summer time leaves out is the
 * first one behind it; one that comes twice is the first of the two. What
 * should have happened while the appliance was off does not happen either.
 *
 * All of it belongs to the loop's thread, but for logs_read.
 *
 * req: KS-20-016 KS-20-017 KS-20-019 KS-07-015 KS-07-017 ESKM-207 ESKM-208
 */
#ifndef DEVICE_LOGS_H
#define DEVICE_LOGS_H

#include "base/bytes.h"
#include "device/settings.h"

struct appliance;
struct logs;

/* clang-format off */
enum log_type {
#define LOG(symbol, ...) symbol,
#include "device/logs.def"
#undef LOG
	LOG_TYPE_COUNT,
};
/* clang-format on */

struct log_row {
	const char *word;
	const char *title;
	bool by_hand;
	const char *clause;
};
const struct log_row *log_row(enum log_type type);

/* ERR_NOT_FOUND  no log has this word */
enum err log_find(struct bytes word, enum log_type *out) MUST_CHECK;

enum {
	LOGS_SYNC_MS = 1000,
	LOGS_BUFFER_OCTETS = 256 * 1024, /* of each, in a turn */
	LOGS_LINE_MAX_OCTETS = 8192,
	LOGS_STAMP_OCTETS = sizeof("2002-04-04_160146"),
	LOGS_MB_OCTETS = 1024 * 1024,
};

/* ---- settings: the same rows for each log, under their own symbols ---- */

enum logs_field {
	LOGS_SCHEDULE, /* enum logs_schedule */
	LOGS_TIME,     /* "Default", or hh:mm */
	LOGS_ARCHIVES,
	LOGS_SIZE_MB,     /* 0: no limit */
	LOGS_DESTINATION, /* enum logs_destination */
	LOGS_HOST,
	LOGS_PORT, /* 0: the protocol's own */
	LOGS_DIRECTORY,
	LOGS_USER,
	LOGS_PASSWORD, /* setting_secret */
	LOGS_SYSLOG,
	LOGS_SERVER_1,
	LOGS_PORT_1,
	LOGS_PROTOCOL_1, /* enum logs_protocol */
	LOGS_SERVER_2,
	LOGS_PORT_2,
	LOGS_PROTOCOL_2,
	LOGS_FACILITY, /* 0: local0 */
	LOGS_SIGN,
	LOGS_FORM, /* enum logs_form */
	LOGS_FIELD_COUNT,
};
enum logs_schedule { LOGS_DAILY, LOGS_WEEKLY, LOGS_MONTHLY };
enum logs_destination { LOGS_NONE, LOGS_FTP, LOGS_SCP, LOGS_SFTP };
enum logs_protocol { LOGS_UDP, LOGS_TCP };
enum logs_form { LOGS_MULTIPART, LOGS_OPAQUE };

enum setting logs_setting(enum log_type type, enum logs_field field);

/* Whose setting is it? false: nobody's. For settings_follow_fn. */
bool logs_setting_of(
    enum setting which, enum log_type *type, enum logs_field *field);

/* ---- life ---- */

/*
 * appliance_open calls it, behind settings and clock. What a power cut left of
 * a rotation is finished or undone. appliance->logs_dir is made when it is not
 * there; with NULL for it there are no files, and lines go nowhere: in tests.
 *
 * A folder that cannot be read or written is no error: see above.
 *
 * ERR_NOMEM, the store's
 */
enum err logs_open(struct appliance *appliance) MUST_CHECK;
void logs_close(struct appliance *appliance); /* harmless when closed */

/* No appliance is open there: all logs in a folder are gone for good.
 * ERR_SYSTEM  something is left; the log says what */
enum err logs_erase(const char *dir) MUST_CHECK;

/* ---- adding ---- */

/*
 * A line, without its end; of the audit log: audit_add. Whoever calls this has
 * escaped what others sent (device/line.h); control characters that are left
 * become '?', and what is longer than LOGS_LINE_MAX_OCTETS is cut and ends with
 * "\...". It costs a copy of the line.
 */
void
logs_add(struct appliance *appliance, enum log_type type, struct bytes line);

/*
 * Lines go out at the turn's end. Whoever commits then, and answers, calls this
 * in between: nobody hears of what is not yet in a log.
 */
void logs_write(struct appliance *appliance);

/*
 * The same, in the form of the system log: "yyyy-mm-dd hh:mm:ss HOST SOURCE:
 * TEXT". source is a part of the appliance, as "Key Server". What others had a
 * say in is made harmless here.
 *
 * req: KS-20-062
 */
void logs_add_system(struct appliance *appliance, const char *source,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- files ---- */

struct logs_file {
	enum log_type type;
	uint64_t serial; /* of the rotation; 0: Current */
	unsigned number; /* place in the archive: 1 is the newest; 0: Current */
	char name[LOGS_STAMP_OCTETS]; /* "Current", or the stamp */
	uint64_t octets;
	bool is_out; /* see logs_watch.displaced; number is 0 */
};

/* Current, then the archives from the newest to the oldest. Its error ends the
 * walk and is returned. */
typedef enum err logs_file_fn(void *ctx, const struct logs_file *file);
enum err logs_files(struct appliance *appliance, enum log_type type,
    logs_file_fn *each, void *ctx) MUST_CHECK;

/* Those that are out, the oldest first. */
enum err logs_files_out(struct appliance *appliance, enum log_type type,
    logs_file_fn *each, void *ctx) MUST_CHECK;

/* By "Current", its stamp, or its number: one of logs_files.
 * ERR_NOT_FOUND */
enum err logs_find(struct appliance *appliance, enum log_type type,
    struct bytes name, struct logs_file *out) MUST_CHECK;

/*
 * By its serial, those that are out included.
 *
 * ERR_NOT_FOUND  it is not there
 * ERR_SYSTEM     the folder cannot be read: who knows?
 */
enum err logs_find_serial(struct appliance *appliance, enum log_type type,
    uint64_t serial, struct logs_file *out) MUST_CHECK;

/* ---- reading ---- */

/*
 * The octets of a file as they are now: lines that come later are not in it,
 * and a rotation or a clearing meanwhile does not change what is read.
 *
 * An archive's may be read by any thread, one at a time.
 *
 * ERR_NOT_FOUND  it is not there
 * ERR_SYSTEM     it cannot be read now
 * ERR_NOMEM, the store's
 */
struct logs_reader;
enum err logs_reader_new(struct appliance *appliance, enum log_type type,
    uint64_t serial, struct logs_reader **out) MUST_CHECK;
void logs_reader_free(struct logs_reader *reader); /* accepts NULL */

uint64_t logs_reader_octets(const struct logs_reader *reader);

/* An archive's file, the reader's, not to be written to; -1: not a file. */
int logs_reader_fd(const struct logs_reader *reader);

/* *octets: how many were read into `at`; 0: that was all. ERR_SYSTEM, ERR_STORE
 */
enum err logs_read(struct logs_reader *reader, uint8_t *at, size_t room,
    size_t *octets) MUST_CHECK;

/* The last `lines` lines of a file, oldest first, each without its end. As
 * logs_reader_new; its error ends the walk and is returned. */
typedef enum err logs_line_fn(void *ctx, struct bytes line);
enum err logs_last(struct appliance *appliance, enum log_type type,
    uint64_t serial, size_t lines, logs_line_fn *each, void *ctx) MUST_CHECK;

/* ---- rotation and clearing ---- */

/*
 * By hand. The new file begins with "... Log Rotation: Successfully rotated
 * System Log.". In the done of a change.
 *
 * ERR_DENIED  not this log
 * ERR_SYSTEM  the disk: nothing has happened
 *
 * req: KS-21-069 KS-21-071 KS-21-072
 */
enum err
logs_rotate(struct appliance *appliance, enum log_type type) MUST_CHECK;

/* When the next one is due by the schedule: wall time; INT64_MAX: never. */
int64_t
logs_next_rotation_s(const struct appliance *appliance, enum log_type type);

/*
 * Current is emptied, an archive removed. In the done of a change.
 *
 * ERR_DENIED     not this log
 * ERR_NOT_FOUND  no such archive
 * ERR_SYSTEM     the disk: nothing has happened
 */
enum err logs_clear(struct appliance *appliance, enum log_type type,
    uint64_t serial) MUST_CHECK;

/* It was out, and has been sent: it is removed. */
void
logs_release(struct appliance *appliance, enum log_type type, uint64_t serial);

/* ---- those who care ---- */

/* Any of them may be NULL. They do not rotate or clear. */
struct logs_watch {
	/* A line has been added, without its end; the audit log's when it is
	 * durable, in the order of its lines. */
	void (*added)(void *ctx, enum log_type type, struct bytes line);
	/* The file that was Current is archive number 1. */
	void (*rotated)(void *ctx, const struct logs_file *archive);
	/*
	 * There are more archives than are to be kept, and this is the oldest.
	 * true: it still has to be sent. It is out then: no archive, but there
	 * until logs_release. false from all: it is removed.
	 */
	bool (*displaced)(void *ctx, const struct logs_file *archive);
	/* An administrator has removed it. */
	void (*cleared)(void *ctx, const struct logs_file *archive);
	void *ctx;
	struct logs_watch *next; /* the logs' */
};
void logs_watch(struct appliance *appliance, struct logs_watch *watch);
/* Not any more. Harmless when the logs are closed. */
void logs_unwatch(struct appliance *appliance, struct logs_watch *watch);

#endif
