#include "device/backup_schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/vault.h"
#include "device/fields.h"
#include "device/logs.h"

#define RECORD_KIND "backup.schedule"

enum {
	DAY_S = 24 * 3600,
	DAYS_MOST = 62, /* between one run and the next, and some */
	GAP_MINUTES = 180,
	SEAL_NAME_OCTETS = 2 * BACKUP_NAME_OCTETS,
	TEXT_OCTETS = 48,
};

static const char password_field[] = "password";
static const char remote_field[] = "remote-password";

void
backup_schedule_init(struct backup_schedule *schedule)
{
	memset(schedule, 0, sizeof(*schedule));
	backup_selection_init(&schedule->selection);
	buf_init(&schedule->sealed, RECORD_VALUE_MAX_OCTETS);
	schedule->day = 1;
	schedule->ordinal = 1;
	schedule->weekday = 6;
}

void
backup_schedule_clear(struct backup_schedule *schedule)
{
	backup_selection_clear(&schedule->selection);
	buf_clear(&schedule->sealed);
	secret_free(schedule->place.password);
	schedule->place.password = NULL;
}

/* ---- records ---- */

struct number_field {
	const char *name;
	int64_t value;
};

enum { NUMBERS = 10 };

static void
numbers_of(const struct backup_schedule *s, struct number_field out[NUMBERS])
{
	const struct number_field all[NUMBERS] = {
	    {"destination", s->destination},
	    {"protocol", s->place.protocol},
	    {"port", s->place.port},
	    {"every", s->every},
	    {"weekday", s->weekday},
	    {"day", s->day},
	    {"ordinal", s->ordinal},
	    {"hour", s->hour},
	    {"minute", s->minute},
	    {"last", s->last_s},
	};

	memcpy(out, all, sizeof(all));
}

enum err
backup_schedule_write(struct store *st, const struct backup_schedule *s)
{
	struct number_field numbers[NUMBERS];
	struct buf value;
	unsigned k;
	enum err rc = OK;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	numbers_of(s, numbers);
	for (k = 0; k < NUMBERS; k++)
		TRY(fields_put_number(
		    &value, numbers[k].name, numbers[k].value));
	TRY(fields_put_text(&value, "description", s->description));
	TRY(fields_put_text(&value, "host", s->place.host));
	TRY(fields_put_text(&value, "directory", s->place.directory));
	TRY(fields_put_text(&value, "user", s->place.user));
	TRY(fields_put_text(&value, "file", s->file));
	TRY(fields_put_text(&value, "status", s->status));
	TRY(backup_selection_write(&s->selection, &value));
	TRY(buf_put(&value, buf_peek(&s->sealed)));
	TRY(record_put(
	    st, RECORD_KIND, bytes_of_text(s->name), buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

static enum err
text_read(struct bytes in, const char *field, char *out, size_t room)
{
	struct bytes text;
	enum err rc = fields_find(in, field, &text);

	if (rc != OK)
		return rc == ERR_NOT_FOUND ? OK : rc;
	if (text.octets >= room)
		return ERR_VALUE;
	if (text.octets != 0)
		memcpy(out, text.at, text.octets);
	out[text.octets] = '\0';
	return OK;
}

/* In range, whoever wrote it. */
static bool
numbers_take(struct backup_schedule *s, const int64_t n[NUMBERS])
{
	if ((n[0] != BACKUP_INTERNAL && n[0] != BACKUP_SENT) || n[1] < 0 ||
	    n[1] > TRANSFER_FTP || n[2] < 0 || n[2] > 65535 || n[3] < 0 ||
	    n[3] > EVERY_ORDINAL || n[4] < 0 || n[4] > 6 || n[5] < 1 ||
	    n[5] > 31 || n[6] < 1 || n[6] > ORDINAL_LAST || n[7] < 0 ||
	    n[7] > 23 || n[8] < 0 || n[8] > 59)
		return false;
	s->destination = (enum backup_destination)n[0];
	s->place.protocol = (enum transfer_protocol)n[1];
	s->place.port = (unsigned)n[2];
	s->every = (enum backup_every)n[3];
	s->weekday = (unsigned)n[4];
	s->day = (unsigned)n[5];
	s->ordinal = (unsigned)n[6];
	s->hour = (unsigned)n[7];
	s->minute = (unsigned)n[8];
	s->last_s = n[9];
	return true;
}

static enum err
sealed_read(struct bytes in, const char *field, struct buf *out)
{
	struct bytes sealed;
	enum err rc = fields_find(in, field, &sealed);

	if (rc == ERR_NOT_FOUND)
		return OK;
	return rc == OK ? fields_put(out, field, sealed) : rc;
}

static enum err
decode(struct bytes name, struct bytes in, struct backup_schedule *out)
{
	struct number_field numbers[NUMBERS];
	int64_t n[NUMBERS];
	unsigned k;
	enum err rc = OK;

	backup_schedule_init(out);
	if (name.octets > BACKUP_NAME_OCTETS)
		TRY(ERR_VALUE);
	memcpy(out->name, name.at, name.octets);
	numbers_of(out, numbers);
	for (k = 0; k < NUMBERS; k++) {
		n[k] = numbers[k].value;
		TRY(fields_number(in, numbers[k].name, &n[k]));
	}
	if (!numbers_take(out, n))
		TRY(ERR_VALUE);
	TRY(text_read(
	    in, "description", out->description, sizeof(out->description)));
	TRY(text_read(in, "host", out->place.host, sizeof(out->place.host)));
	TRY(text_read(in, "directory", out->place.directory,
	    sizeof(out->place.directory)));
	TRY(text_read(in, "user", out->place.user, sizeof(out->place.user)));
	TRY(text_read(in, "file", out->file, sizeof(out->file)));
	TRY(text_read(in, "status", out->status, sizeof(out->status)));
	TRY(backup_selection_read(in, &out->selection));
	TRY(sealed_read(in, password_field, &out->sealed));
	TRY(sealed_read(in, remote_field, &out->sealed));
out:
	if (rc != OK) {
		log_line("backup", LOG_ERROR,
		    "a scheduled backup cannot be read: %s", err_text(rc));
		backup_schedule_clear(out);
		rc = rc == ERR_NOMEM ? rc : ERR_STORE;
	}
	return rc;
}

enum err
backup_schedule_read(
    struct store *st, struct bytes name, struct backup_schedule *out)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	TRY(record_get(st, RECORD_KIND, name, &value));
	TRY(decode(name, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

struct visit {
	backup_schedule_fn *each;
	void *ctx;
};

static enum err
visit_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct visit *visit = ctx;
	struct backup_schedule schedule;
	enum err rc = OK;

	TRY(decode(key, value, &schedule));
	rc = visit->each(visit->ctx, &schedule);
	backup_schedule_clear(&schedule);
out:
	return rc;
}

enum err
backup_schedule_each(struct store *st, backup_schedule_fn *each, void *ctx)
{
	struct visit visit = {each, ctx};

	return record_each(st, RECORD_KIND, visit_one, &visit);
}

enum err
backup_schedule_delete(struct store *st, struct bytes name)
{
	return record_delete(st, RECORD_KIND, name);
}

static enum err
delete_one(void *ctx, struct bytes key, struct bytes value)
{
	(void)value;
	return record_delete(ctx, RECORD_KIND, key);
}

enum err
backup_schedule_delete_all(struct store *st)
{
	return record_each(st, RECORD_KIND, delete_one, st);
}

/* ---- passwords ---- */

static void
seal_name(const struct backup_schedule *s, const char *field,
    char out[SEAL_NAME_OCTETS])
{
	(void)snprintf(
	    out, SEAL_NAME_OCTETS, "%s/%s/%s", RECORD_KIND, s->name, field);
}

static enum err
seal_one(struct appliance *appliance, struct backup_schedule *s,
    const char *field, const struct secret *secret)
{
	char name[SEAL_NAME_OCTETS];
	struct buf sealed;
	enum err rc = OK;

	buf_init(&sealed, VAULT_OVERHEAD_OCTETS + VAULT_SECRET_MAX_OCTETS);
	if (secret == NULL)
		goto out;
	seal_name(s, field, name);
	TRY(vault_seal(appliance->env, appliance->vault, name,
	    secret_peek(secret), &sealed));
	TRY(fields_put(&s->sealed, field, buf_peek(&sealed)));
out:
	buf_clear(&sealed);
	return rc;
}

enum err
backup_schedule_seal(struct appliance *appliance,
    struct backup_schedule *schedule, const struct secret *password,
    const struct secret *remote)
{
	enum err rc = OK;

	buf_reset(&schedule->sealed);
	TRY(seal_one(appliance, schedule, password_field, password));
	TRY(seal_one(appliance, schedule, remote_field, remote));
out:
	return rc;
}

/* NULL: it has none. */
static enum err
open_one(struct appliance *appliance, const struct backup_schedule *s,
    const char *field, struct secret **out)
{
	char name[SEAL_NAME_OCTETS];
	struct bytes sealed;
	enum err rc = fields_find(buf_peek(&s->sealed), field, &sealed);

	*out = NULL;
	if (rc != OK)
		return rc == ERR_NOT_FOUND ? OK : rc;
	seal_name(s, field, name);
	return vault_open(appliance->vault, name, sealed, out);
}

/* ---- when ---- */

struct date {
	int year;
	unsigned month;
	unsigned day;
	unsigned weekday; /* 0: Monday */
};

static unsigned
days_in(const struct date *d)
{
	static const unsigned days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap =
	    (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;

	return days[d->month - 1] + (d->month == 2 && leap);
}

static void
date_next(struct date *d)
{
	d->weekday = (d->weekday + 1) % 7;
	if (++d->day <= days_in(d))
		return;
	d->day = 1;
	if (++d->month <= 12)
		return;
	d->month = 1;
	d->year++;
}

static bool
date_fits(const struct date *d, const struct backup_schedule *s)
{
	unsigned last = days_in(d);

	switch (s->every) {
	case EVERY_NONE:
		return false;
	case EVERY_DAY:
		return true;
	case EVERY_WEEK:
		return d->weekday == s->weekday;
	case EVERY_MONTH:
		return d->day == (s->day < last ? s->day : last);
	case EVERY_ORDINAL:
		break;
	}
	if (d->weekday != s->weekday)
		return false;
	return s->ordinal == ORDINAL_LAST ? d->day + 7 > last
					  : (d->day - 1) / 7 + 1 == s->ordinal;
}

/* The time of that day, or the first behind a gap. INT64_MAX: there is none */
static int64_t
time_on(const struct clock *clock, const struct date *d,
    const struct backup_schedule *s)
{
	unsigned minute = s->hour * 60 + s->minute;
	unsigned end = minute + GAP_MINUTES;

	for (; minute < end && minute < 24 * 60; minute++) {
		char text[TEXT_OCTETS];
		int64_t wall_s;

		(void)snprintf(text, sizeof(text),
		    "%04d-%02u-%02u %02u:%02u:00", d->year, d->month, d->day,
		    minute / 60, minute % 60);
		if (clock_read(clock, bytes_of_text(text), &wall_s) == OK)
			return wall_s;
	}
	return INT64_MAX;
}

int64_t
backup_schedule_next(const struct clock *clock,
    const struct backup_schedule *schedule, int64_t after_s)
{
	char text[CLOCK_TEXT_OCTETS];
	struct date d = {0};
	unsigned k;

	clock_text(clock, after_s, text);
	if (sscanf(text, "%d-%u-%u", &d.year, &d.month, &d.day) != 3 ||
	    d.month < 1 || d.month > 12)
		return INT64_MAX;
	d.weekday = clock_week_minute(clock, after_s) / (24 * 60);
	for (k = 0; k < DAYS_MOST; k++, date_next(&d)) {
		int64_t at_s = date_fits(&d, schedule)
				   ? time_on(clock, &d, schedule)
				   : INT64_MAX;

		if (at_s != INT64_MAX && at_s > after_s)
			return at_s;
	}
	return INT64_MAX;
}

/* ---------------------------------------------------------------------------
 * Runs
 */

struct run {
	struct run *next;
	struct backup_runs *of;
	char name[BACKUP_NAME_OCTETS + 1]; /* of the schedule */
	int64_t began_s;
	struct backup_make *make;
	struct change change;
	bool changing;
	enum err rc;
};

struct backup_runs {
	struct appliance *appliance;
	struct loop_timer *timer;
	struct clock_watch watch;
	struct run *runs;
	int64_t looked_s; /* what was due until then has been begun */
};

static void
run_free(struct run *run)
{
	struct run **at = &run->of->runs;

	while (*at != NULL && *at != run)
		at = &(*at)->next;
	if (*at == run)
		*at = run->next;
	if (run->changing)
		change_leave(&run->change);
	backup_make_drop(run->make);
	mem_free(run);
}

static void
status_text(const struct run *run, char out[BACKUP_STATUS_OCTETS])
{
	if (run->rc == OK)
		(void)snprintf(out, BACKUP_STATUS_OCTETS,
		    "Success: %u file%s, %llu octets", run->make->header.files,
		    run->make->header.files == 1 ? "" : "s",
		    (unsigned long long)run->make->header.octets);
	else
		(void)snprintf(out, BACKUP_STATUS_OCTETS, "Failure: %.*s",
		    BACKUP_STATUS_OCTETS - 16,
		    run->make->why[0] != '\0' ? run->make->why
					      : err_text(run->rc));
}

/* Who deleted the schedule meanwhile gets no status. */
static enum err
status_write(struct change *change)
{
	struct run *run = change->ctx;
	struct store *st = change->appliance->store;
	struct backup_schedule schedule;
	char status[BACKUP_STATUS_OCTETS];
	enum err rc;

	status_text(run, status);
	(void)snprintf(change->event, sizeof(change->event),
	    "scheduled backup %s: %s", run->make->base, status);
	rc = backup_schedule_read(st, bytes_of_text(run->name), &schedule);
	if (rc == ERR_NOT_FOUND)
		return OK;
	if (rc != OK)
		return rc;
	schedule.last_s = run->began_s;
	(void)strcpy(schedule.file, run->make->base);
	(void)strcpy(schedule.status, status);
	rc = backup_schedule_write(st, &schedule);
	backup_schedule_clear(&schedule);
	return rc;
}

static void
status_written(struct change *change, enum err rc)
{
	struct run *run = change->ctx;

	if (rc != OK)
		log_line("backup", LOG_ERROR,
		    "the status of a scheduled backup is not kept: %s",
		    err_text(rc));
	run->changing = false;
	run_free(run);
}

/* req: KS-23-051 */
static void
run_ended(struct run *run, enum err rc)
{
	struct appliance *appliance = run->of->appliance;
	char status[BACKUP_STATUS_OCTETS];

	run->rc = rc;
	status_text(run, status);
	logs_add_system(appliance, "Backup", "scheduled backup %s: %s",
	    run->make->base, status);
	run->change = (struct change){.act = ACT_BACKUP_CONFIG,
	    .apply = status_write,
	    .done = status_written,
	    .ctx = run};
	run->changing = true;
	change_run(appliance, &run->change);
}

static void
made(struct backup_make *make, enum err rc)
{
	run_ended(make->ctx, rc);
}

/* req: KS-23-053 KS-23-055 ESKM-265 */
static void
name_run(const struct backup_runs *runs, struct run *run)
{
	char text[CLOCK_TEXT_OCTETS];

	clock_text(runs->appliance->clock, run->began_s, text);
	(void)snprintf(run->make->base, sizeof(run->make->base),
	    "%s-scheduled-%.10s-%.2s%.2s%.2s", run->name, text, text + 11,
	    text + 14, text + 17);
}

static enum err
run_fill(struct run *run, const struct backup_schedule *schedule)
{
	struct appliance *appliance = run->of->appliance;
	struct backup_make *make = run->make;
	struct buf kept;
	enum err rc = OK;

	buf_init(&kept, RECORD_VALUE_MAX_OCTETS);
	(void)strcpy(make->description, schedule->description);
	make->destination = schedule->destination;
	make->place = schedule->place;
	make->place.password = NULL;
	TRY(backup_selection_write(&schedule->selection, &kept));
	TRY(backup_selection_read(buf_peek(&kept), &make->selection));
	TRY(open_one(appliance, schedule, password_field, &make->password));
	TRY(open_one(appliance, schedule, remote_field, &make->place.password));
	if (make->password == NULL)
		TRY(ERR_STORE);
out:
	buf_clear(&kept);
	return rc;
}

static enum err
run_begin(struct backup_runs *runs, const struct backup_schedule *schedule,
    int64_t at_s)
{
	struct run *run = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(run));
	run->of = runs;
	run->began_s = at_s;
	(void)strcpy(run->name, schedule->name);
	TRY(backup_make_new(runs->appliance, &run->make));
	name_run(runs, run);
	run->next = runs->runs;
	runs->runs = run;
	run->make->done = made;
	run->make->ctx = run;
	rc = run_fill(run, schedule);
	if (rc == OK)
		backup_make_begin(run->make);
	else
		run_ended(run, rc);
	return OK;
out:
	mem_free(run);
	return rc;
}

/* ---- the timer ---- */

struct look {
	struct backup_runs *runs;
	int64_t now_s;
	int64_t next_s; /* the first that is not due yet */
};

static enum err
look_one(void *ctx, const struct backup_schedule *schedule)
{
	struct look *look = ctx;
	struct clock *clock = look->runs->appliance->clock;
	int64_t due_s =
	    backup_schedule_next(clock, schedule, look->runs->looked_s);
	enum err rc = OK;

	if (due_s <= look->now_s) {
		TRY(run_begin(look->runs, schedule, due_s));
		due_s = backup_schedule_next(clock, schedule, look->now_s);
	}
	if (due_s < look->next_s)
		look->next_s = due_s;
out:
	return rc;
}

static void
look(void *ctx)
{
	struct backup_runs *runs = ctx;
	const struct appliance *a = runs->appliance;
	struct look look = {
	    .runs = runs, .now_s = env_wall_s(a->env), .next_s = INT64_MAX};
	enum err rc = backup_schedule_each(a->store, look_one, &look);

	if (rc != OK)
		log_line("backup", LOG_ERROR,
		    "a scheduled backup was not begun: %s", err_text(rc));
	runs->looked_s = look.now_s;
	loop_timer_stop(runs->timer);
	if (look.next_s != INT64_MAX)
		loop_timer_set(runs->timer, env_elapsed_ms(a->env) +
						look.next_s * 1000 -
						env_wall_ms(a->env));
}

void
backup_schedules_follow(struct appliance *appliance)
{
	struct backup_runs *runs = appliance->backup_runs;

	runs->looked_s = env_wall_s(appliance->env);
	look(runs);
}

static void
jumped(void *ctx, int64_t from_wall_s, int64_t to_wall_s)
{
	struct backup_runs *runs = ctx;

	(void)from_wall_s;
	(void)to_wall_s;
	backup_schedules_follow(runs->appliance);
}

static void
zoned(void *ctx)
{
	struct backup_runs *runs = ctx;

	backup_schedules_follow(runs->appliance);
}

enum err
backup_runs_new(struct appliance *appliance, struct backup_runs **out)
{
	struct backup_runs *runs = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(runs));
	runs->appliance = appliance;
	TRY(loop_timer_new(appliance->loop, look, runs, &runs->timer));
	runs->watch =
	    (struct clock_watch){.jumped = jumped, .zoned = zoned, .ctx = runs};
	clock_watch(appliance->clock, &runs->watch);
	*out = runs;
	appliance->backup_runs = runs;
	backup_schedules_follow(appliance);
	runs = NULL;
out:
	backup_runs_free(runs);
	return rc;
}

void
backup_runs_free(struct backup_runs *runs)
{
	if (runs == NULL)
		return;
	while (runs->runs != NULL)
		run_free(runs->runs);
	loop_timer_free(runs->timer);
	mem_free(runs);
}
