/*
 * When the next rotation is due by a schedule, in the appliance's time zone.
 *
 * req: KS-20-020 KS-20-022 KS-20-082 KS-20-083 KS-20-084 KS-20-085
 */
#ifndef DEVICE_LOG_SCHEDULE_H
#define DEVICE_LOG_SCHEDULE_H

#include "device/clock.h"
#include "device/logs.h"

/*
 * Each day, each Sunday, or each first day of a month.
 *
 * time   "hh:mm", or anything else for the schedule's own: 03:05, 03:15, 03:25
 * after  seconds since 1970: what is due at that very second is not the next
 *
 * INT64_MAX: never, which is after year 9999.
 */
int64_t log_schedule_next(const struct clock *clock,
    enum logs_schedule schedule, const char *time, int64_t after_wall_s);

#endif
