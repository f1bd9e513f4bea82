#include "device/clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/entry.h"
#include "device/fields.h"

#define KIND_NAME "clock"
#define TZ_DIR    "/usr/share/zoneinfo/"

enum { RECORD_OCTETS = 1024, DAY_S = 86400 };

/* 2000-01-01 and 2100-01-01, both 0:00 UTC */
static const int64_t wall_least_s = 946684800;
static const int64_t wall_end_s = 4102444800;

/* What can be changed. */
struct face {
	bool is_set; /* else wall time is the machine's */
	int64_t offset_ms;
	char zone[CLOCK_ZONE_OCTETS];
};

struct clock {
	struct store *st;
	struct env *env;
	struct face kept; /* as the store has it, the open group included */
	struct face face; /* in force: the durable one */
	uint64_t group;   /* that has `kept`, by store_groups */
	struct clock_watch *watches;
	struct loop *loop;
	struct loop_timer *timer;
	/* what clock_stamp said last */
	int64_t stamp_s;
	char stamp_zone[CLOCK_ZONE_OCTETS];
	char stamp[CLOCK_TEXT_OCTETS];
};

/* ---- zones ---- */

/*
 * libc has one zone for the process. It takes it from TZ, whose place in the
 * environment is this array from the first use on: a change of zone changes
 * its octets, and no list that another thread may be walking. Nobody else in
 * the process uses local time (make lint).
 */
static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;
static char zone_variable[sizeof("TZ=:" TZ_DIR) + CLOCK_ZONE_OCTETS] =
    "TZ=:" TZ_DIR "UTC";
static char *const zone_name = zone_variable + sizeof("TZ=:" TZ_DIR) - 1;

/* Under the lock. */
static void
zone_take(const char *zone)
{
	static bool is_ours;

	if (is_ours && strcmp(zone_name, zone) == 0)
		return;
	(void)strcpy(zone_name, zone);
	/* fails without memory only; then it is UTC, which is wrong by hours
	 * and not a danger */
	if (!is_ours)
		is_ours = putenv(zone_variable) == 0;
	tzset();
}

static void
local_time(const char *zone, int64_t wall_s, struct tm *out)
{
	time_t t = (time_t)wall_s;

	(void)pthread_mutex_lock(&zone_lock);
	zone_take(zone);
	if (localtime_r(&t, out) == NULL) /* a year beyond an int */
		*out = (struct tm){0};
	(void)pthread_mutex_unlock(&zone_lock);
}

/*
 * "right" counts leap seconds, as nothing here does, and "posix" has all zones
 * once more.
 */
static bool
is_zone_name(struct bytes name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789+-_/";
	static const char *const other[] = {"right/", "posix/"};
	size_t k;

	if (name.octets == 0 || name.octets >= CLOCK_ZONE_OCTETS ||
	    name.at[0] == '/')
		return false;
	for (k = 0; k < name.octets; k++)
		if (memchr(letters, name.at[k], sizeof(letters) - 1) == NULL)
			return false;
	for (k = 0; k < sizeof(other) / sizeof(other[0]); k++)
		if (name.octets >= 6 && memcmp(name.at, other[k], 6) == 0)
			return false;
	return true;
}

/* Compiled zones begin with "TZif"; the directory has other files as well. */
static bool
is_zone(const char *zone)
{
	char path[sizeof(TZ_DIR) + CLOCK_ZONE_OCTETS];
	char magic[4] = "";
	ssize_t got = -1;
	int fd;

	(void)snprintf(path, sizeof(path), TZ_DIR "%s", zone);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, magic, sizeof(magic));
		close(fd);
	}
	return got == (ssize_t)sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
}

static enum err
zone_read(struct bytes name, char out[CLOCK_ZONE_OCTETS])
{
	if (!is_zone_name(name))
		return ERR_FIELD;
	memcpy(out, name.at, name.octets);
	out[name.octets] = '\0';
	return strcmp(out, "UTC") == 0 || is_zone(out) ? OK : ERR_FIELD;
}

/* ---- what is kept of wall time ---- */

/* Appended; nothing: there is no such record. */
static enum err
get(struct clock *clock, const char *key, struct buf *out)
{
	enum err rc = record_get(clock->st, KIND_NAME, bytes_of_text(key), out);

	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err
put(struct clock *clock, const char *key, const struct buf *value)
{
	return record_put(
	    clock->st, KIND_NAME, bytes_of_text(key), buf_peek(value));
}

static enum err
face_read(struct clock *clock, struct face *out)
{
	struct face face = {.zone = "UTC"};
	struct buf value;
	struct bytes zone;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(get(clock, "wall", &value));
	face.is_set = value.octets != 0;
	TRY(fields_number(buf_peek(&value), "offset", &face.offset_ms));
	buf_reset(&value);
	TRY(get(clock, "zone", &value));
	if (value.octets != 0) {
		TRY(fields_find(buf_peek(&value), "name", &zone));
		/* without tzdata, or with another: wrong by hours at most,
		 * and that is no reason not to start */
		if (zone_read(zone, face.zone) != OK) {
			log_line("device", LOG_ERROR,
			    "no time zone %.*s on this machine: UTC",
			    (int)zone.octets, (const char *)zone.at);
			(void)strcpy(face.zone, "UTC");
		}
	}
	*out = face;
out:
	buf_clear(&value);
	return rc;
}

static void
face_show(struct clock *clock, const struct face *face)
{
	clock->face = *face;
	if (face->is_set)
		env_set_wall_offset_ms(clock->env, face->offset_ms);
}

/* ---- elapsed time ---- */

static int64_t
machine_ms(const struct clock *clock)
{
	return env_elapsed_ms(clock->env) - env_ahead_ms(clock->env);
}

/* reached_ms: a time that is not passed before the next mark */
static enum err
mark(struct clock *clock, int64_t reached_ms)
{
	char boot[ENV_BOOT_OCTETS];
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	env_boot(clock->env, boot);
	TRY(fields_put_text(&value, "boot", boot));
	TRY(fields_put_number(&value, "ahead", env_ahead_ms(clock->env)));
	TRY(fields_put_number(&value, "reached", reached_ms));
	TRY(put(clock, "elapsed", &value));
out:
	buf_clear(&value);
	return rc;
}

/* The next mark comes in one CLOCK_MARK_S; it may come late by another. */
static enum err
mark_ahead(struct clock *clock)
{
	return mark(
	    clock, env_elapsed_ms(clock->env) + 2 * CLOCK_MARK_S * 1000);
}

static enum err
elapsed_take_up(struct clock *clock)
{
	char boot[ENV_BOOT_OCTETS];
	struct bytes kept_boot = BYTES_NONE;
	int64_t ahead_ms = 0;
	int64_t now_ms = 0;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(get(clock, "elapsed", &value));
	if (value.octets != 0) {
		TRY(fields_find(buf_peek(&value), "boot", &kept_boot));
		TRY(fields_number(buf_peek(&value), "ahead", &ahead_ms));
		TRY(fields_number(buf_peek(&value), "reached", &now_ms));
	}
	env_boot(clock->env, boot);
	if (boot[0] == '\0' || !bytes_equal_text(kept_boot, boot)) {
		if (now_ms < env_hsm_ms(clock->env))
			now_ms = env_hsm_ms(clock->env);
		ahead_ms = now_ms - machine_ms(clock);
	}
	env_set_ahead_ms(clock->env, ahead_ms);
	TRY(mark_ahead(clock));
out:
	buf_clear(&value);
	return rc;
}

static void
mark_due(void *ctx)
{
	struct clock *clock = ctx;
	enum err rc = mark_ahead(clock);

	if (rc != OK)
		log_line("device", LOG_WARN, "elapsed time is not kept: %s",
		    err_text(rc));
	loop_timer_set(
	    clock->timer, loop_now_ms(clock->loop) + CLOCK_MARK_S * 1000);
}

/* ---- all of it ---- */

enum err
clock_new(struct store *st, struct env *env, struct clock **out)
{
	struct clock *clock = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(clock));
	clock->st = st;
	clock->env = env;
	if (!env_is_lab(env))
		TRY(elapsed_take_up(clock));
	TRY(face_read(clock, &clock->kept));
	face_show(clock, &clock->kept);
	*out = clock;
	clock = NULL;
out:
	mem_free(clock);
	return rc == OK || rc == ERR_NOMEM ? rc : ERR_STORE;
}

void
clock_free(struct clock *clock)
{
	enum err rc = OK;

	if (clock == NULL)
		return;
	if (!env_is_lab(clock->env))
		rc = mark(clock, env_elapsed_ms(clock->env));
	if (rc != OK)
		log_line("device", LOG_WARN, "elapsed time is not kept: %s",
		    err_text(rc));
	loop_timer_free(clock->timer);
	mem_free(clock);
}

enum err
clock_start(struct clock *clock, struct loop *loop)
{
	enum err rc = OK;

	if (env_is_lab(clock->env))
		return OK;
	clock->loop = loop;
	TRY(loop_timer_new(loop, mark_due, clock, &clock->timer));
	loop_timer_set(clock->timer, loop_now_ms(loop) + CLOCK_MARK_S * 1000);
out:
	return rc;
}

/* ---- changes ---- */

static void
kept_now(struct clock *clock)
{
	clock->group = store_groups(clock->st) + 1;
}

enum err
clock_keep(struct clock *clock, int64_t wall_s, char why[CLOCK_WHY_OCTETS])
{
	int64_t others_ms =
	    env_wall_ms(clock->env) - env_wall_offset_ms(clock->env);
	int64_t offset_ms;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	if (wall_s < wall_least_s || wall_s >= wall_end_s) {
		(void)snprintf(why, CLOCK_WHY_OCTETS,
		    "Date: a day from 2000-01-01 to 2099-12-31");
		TRY(ERR_FIELD);
	}
	offset_ms = wall_s * 1000 - others_ms;
	TRY(fields_put_number(&value, "offset", offset_ms));
	TRY(put(clock, "wall", &value));
	clock->kept.is_set = true;
	clock->kept.offset_ms = offset_ms;
	kept_now(clock);
out:
	buf_clear(&value);
	return rc;
}

enum err
clock_check_zone(
    struct bytes zone, char name[CLOCK_ZONE_OCTETS], char why[CLOCK_WHY_OCTETS])
{
	enum err rc = zone_read(zone, name);

	if (rc != OK)
		entry_refuse("Time Zone", zone,
		    "a name of the tz database such as Europe/Berlin, or UTC",
		    why);
	return rc;
}

enum err
clock_keep_zone(
    struct clock *clock, struct bytes zone, char why[CLOCK_WHY_OCTETS])
{
	char name[CLOCK_ZONE_OCTETS];
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(clock_check_zone(zone, name, why));
	TRY(fields_put_text(&value, "name", name));
	TRY(put(clock, "zone", &value));
	(void)strcpy(clock->kept.zone, name);
	kept_now(clock);
out:
	buf_clear(&value);
	return rc;
}

void
clock_settle(struct clock *clock, bool durable)
{
	struct clock_watch *watch;
	int64_t from_s;
	int64_t to_s;
	bool jumps;
	bool zones;
	enum err rc;

	if (!durable) {
		rc = face_read(clock, &clock->kept);
		if (rc != OK) {
			log_line("device", LOG_ERROR,
			    "the clock's record cannot be read anew: %s",
			    err_text(rc));
			clock->kept = clock->face;
		}
		return;
	}
	if (clock->group > store_groups(clock->st))
		return; /* the next group's */
	from_s = env_wall_s(clock->env);
	jumps = clock->kept.is_set != clock->face.is_set ||
		clock->kept.offset_ms != clock->face.offset_ms;
	zones = strcmp(clock->kept.zone, clock->face.zone) != 0;
	if (jumps)
		face_show(clock, &clock->kept);
	else
		clock->face = clock->kept;
	to_s = env_wall_s(clock->env);
	for (watch = clock->watches; watch != NULL; watch = watch->next) {
		if (zones && watch->zoned != NULL)
			watch->zoned(watch->ctx);
		if (jumps && watch->jumped != NULL)
			watch->jumped(watch->ctx, from_s, to_s);
	}
}

void
clock_watch(struct clock *clock, struct clock_watch *watch)
{
	watch->next = clock->watches;
	clock->watches = watch;
}

/* ---- text ---- */

const char *
clock_zone(const struct clock *clock)
{
	return clock->face.zone;
}

void
clock_text(
    const struct clock *clock, int64_t wall_s, char out[CLOCK_TEXT_OCTETS])
{
	struct tm tm;

	local_time(clock->face.zone, wall_s, &tm);
	if (strftime(out, CLOCK_TEXT_OCTETS, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)strcpy(out, "0000-00-00 00:00:00"); /* year 10000 */
}

const char *
clock_stamp(struct clock *clock, int64_t wall_s)
{
	if (clock->stamp_s == wall_s &&
	    strcmp(clock->stamp_zone, clock->face.zone) == 0)
		return clock->stamp;
	clock_text(clock, wall_s, clock->stamp);
	clock->stamp_s = wall_s;
	(void)strcpy(clock->stamp_zone, clock->face.zone);
	return clock->stamp;
}

unsigned
clock_week_minute(const struct clock *clock, int64_t wall_s)
{
	struct tm tm;

	local_time(clock->face.zone, wall_s, &tm);
	/* libc's weeks begin on Sunday */
	return (unsigned)((tm.tm_wday + 6) % 7 * 24 * 60 + tm.tm_hour * 60 +
			  tm.tm_min);
}

/* Digits where `form` has '0', itself elsewhere. */
static bool
looks_like(struct bytes text, const char *form)
{
	size_t k;

	if (text.octets != strlen(form))
		return false;
	for (k = 0; k < text.octets; k++) {
		uint8_t c = text.at[k];

		if (form[k] == '0' ? c < '0' || c > '9' : c != form[k])
			return false;
	}
	return true;
}

static int
digits(struct bytes text, size_t at, size_t count)
{
	int number = 0;

	while (count-- > 0)
		number = number * 10 + (text.at[at++] - '0');
	return number;
}

static bool
same_time(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon &&
	       a->tm_mday == b->tm_mday && a->tm_hour == b->tm_hour &&
	       a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/*
 * Whatever the zone does on that day, its offset is the one of the day before
 * or of the day after; before comes first, and is tried first.
 */
enum err
clock_read_in(const char *zone, struct bytes text, int64_t *wall_s)
{
	static const int64_t days[] = {-DAY_S, DAY_S};
	struct tm want = {0};
	struct tm tm;
	int64_t as_utc_s;
	size_t k;

	if (!looks_like(text, "0000-00-00 00:00:00"))
		return ERR_VALUE;
	want.tm_year = digits(text, 0, 4) - 1900;
	want.tm_mon = digits(text, 5, 2) - 1;
	want.tm_mday = digits(text, 8, 2);
	want.tm_hour = digits(text, 11, 2);
	want.tm_min = digits(text, 14, 2);
	want.tm_sec = digits(text, 17, 2);
	tm = want;
	as_utc_s = timegm(&tm);
	if (!same_time(&tm, &want)) /* 30 February became something else */
		return ERR_VALUE;
	for (k = 0; k < sizeof(days) / sizeof(days[0]); k++) {
		local_time(zone, as_utc_s + days[k], &tm);
		*wall_s = as_utc_s - tm.tm_gmtoff;
		local_time(zone, *wall_s, &tm);
		if (same_time(&tm, &want))
			return OK;
	}
	return ERR_VALUE;
}

enum err
clock_read(const struct clock *clock, struct bytes text, int64_t *wall_s)
{
	return clock_read_in(clock->face.zone, text, wall_s);
}
