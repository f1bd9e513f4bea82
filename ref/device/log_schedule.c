#include "device/log_schedule.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	DAY_S = 24 * 60 * 60,
	DAY_MINUTES = 24 * 60,
	/* between two that are due, and one more at each end */
	MOST_DAYS = 31 + 2,
};

static const char *const own_time[] = {
    [LOGS_DAILY] = "03:05",
    [LOGS_WEEKLY] = "03:15",
    [LOGS_MONTHLY] = "03:25",
};

static bool
is_day(enum logs_schedule schedule, const struct tm *day)
{
	switch (schedule) {
	case LOGS_DAILY:
		return true;
	case LOGS_WEEKLY:
		return day->tm_wday == 0;
	case LOGS_MONTHLY:
		return day->tm_mday == 1;
	}
	return false;
}

/*
 * That minute of that day. Where summer time leaves it out, the first minute
 * behind it that there is.
 */
static bool
at_minute(const struct clock *clock, const struct tm *day, int minute,
    int64_t *wall_s)
{
	char text[64];

	for (; minute < DAY_MINUTES; minute++) {
		(void)snprintf(text, sizeof(text),
		    "%04d-%02d-%02d %02d:%02d:00", day->tm_year + 1900,
		    day->tm_mon + 1, day->tm_mday, minute / 60, minute % 60);
		if (clock_read(clock, bytes_of_text(text), wall_s) == OK)
			return true;
	}
	return false;
}

static int
minute_of(const char *time)
{
	return (time[0] - '0') * 600 + (time[1] - '0') * 60 +
	       (time[3] - '0') * 10 + (time[4] - '0');
}

int64_t
log_schedule_next(const struct clock *clock, enum logs_schedule schedule,
    const char *time, int64_t after_wall_s)
{
	char today[CLOCK_TEXT_OCTETS];
	struct tm tm = {0};
	time_t at; /* the days of the calendar, as if in UTC */
	int64_t due_s;
	unsigned k;

	if (strlen(time) != strlen("hh:mm"))
		time = own_time[schedule];
	clock_text(clock, after_wall_s, today);
	if (sscanf(today, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon,
		&tm.tm_mday) != 3)
		return INT64_MAX;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	at = timegm(&tm);
	for (k = 0; k < MOST_DAYS; k++, at += DAY_S) {
		if (gmtime_r(&at, &tm) == NULL)
			return INT64_MAX;
		if (is_day(schedule, &tm) &&
		    at_minute(clock, &tm, minute_of(time), &due_s) &&
		    due_s > after_wall_s)
			return due_s;
	}
	return INT64_MAX;
}
