/*
 * For the tests of the logs: an appliance that has them in a folder of its own,
 * and time that goes from one timer to the next.
 */
#ifndef DEVICE_LOGS_RIG_TEST_H
#define DEVICE_LOGS_RIG_TEST_H

#include "device/rig_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "device/audit.h"
#include "device/logs.h"

enum { DAY_S = 24 * 60 * 60, TEXT_OCTETS = 4 * 1024 * 1024 };

struct shelf {
	struct bench bench;
	char logs_dir[300];
};

static inline struct appliance *
shelf_appliance(struct shelf *shelf)
{
	return &shelf->bench.appliance;
}

static inline void
shelf_open(struct shelf *shelf)
{
	struct appliance *a = shelf_appliance(shelf);

	(void)snprintf(shelf->logs_dir, sizeof(shelf->logs_dir), "%s/logs",
	    shelf->bench.dir);
	a->logs_dir = shelf->logs_dir;
	assert_ok(settings_new(a->store, &a->settings));
	assert_ok(clock_new(a->store, a->env, &a->clock));
	assert_ok(logs_open(a));
}

static inline void
shelf_close(struct shelf *shelf)
{
	struct appliance *a = shelf_appliance(shelf);

	loop_end_jobs(a->loop);
	logs_close(a);
	clock_free(a->clock);
	a->clock = NULL;
	settings_free(a->settings);
	a->settings = NULL;
}

static inline int64_t
utc(const char *text)
{
	int64_t wall_s = 0;

	assert_ok(clock_read_in("UTC", bytes_of_text(text), &wall_s));
	return wall_s;
}

/* Before anything is open. */
static inline void
shelf_stand_at(struct shelf *shelf, const char *when)
{
	struct rig *rig = &shelf->bench.rig;

	rig->clock->wall_offset_ms = utc(when) * 1000 - rig->clock->elapsed_ms;
}

static inline void
shelf_make(struct shelf *shelf, const char *when)
{
	bench_make(&shelf->bench);
	shelf_stand_at(shelf, when);
	shelf_open(shelf);
	bench_turn(&shelf->bench);
}

/* With a disk that works again. */
static inline void
shelf_remove(struct shelf *shelf)
{
	vfs_disk_full(UINT64_MAX);
	vfs_fail_io(0, false);
	shelf_close(shelf);
	bench_remove(&shelf->bench);
}

/* To that moment of wall time; each timer fires at its own. */
static inline void
shelf_run_to(struct shelf *shelf, int64_t wall_s)
{
	struct rig *rig = &shelf->bench.rig;
	int64_t end_ms =
	    env_elapsed_ms(rig->env) + wall_s * 1000 - env_wall_ms(rig->env);
	int64_t due_ms;

	while (loop_next_due(rig->loop, &due_ms) && due_ms <= end_ms) {
		if (due_ms > env_elapsed_ms(rig->env))
			rig_move_to(rig, due_ms);
		bench_turn(&shelf->bench);
	}
	rig_move_to(rig, end_ms);
	bench_turn(&shelf->bench);
}

static inline void
shelf_run(struct shelf *shelf, int64_t seconds)
{
	shelf_run_to(shelf, env_wall_s(shelf->bench.rig.env) + seconds);
}

/* As the apply of a change does. */
static inline void
shelf_put(struct shelf *shelf, enum log_type type, enum logs_field field,
    const char *value)
{
	struct settings *settings = shelf_appliance(shelf)->settings;
	char why[SETTING_WHY_OCTETS] = "";
	bool changed;

	if (setting_set(settings, logs_setting(type, field),
		bytes_of_text(value), &changed, why) != OK)
		fail_msg("%s", why);
}

/* Up to where an administrator is told that it is so. */
static inline void
shelf_settle(struct shelf *shelf, enum log_type type, enum logs_field field,
    const char *value)
{
	shelf_put(shelf, type, field, value);
	bench_turn(&shelf->bench);
	settings_settle(shelf_appliance(shelf)->settings, true);
}

static inline void
shelf_set(struct shelf *shelf, enum log_type type, enum logs_field field,
    const char *value)
{
	shelf_settle(shelf, type, field, value);
	bench_turn(&shelf->bench);
}

static inline void
shelf_add(struct shelf *shelf, enum log_type type, const char *line)
{
	static const struct principal anna = {.name = "anna", .door = DOOR_SSH};

	if (type == LOG_AUDIT)
		assert_ok(audit_add(shelf_appliance(shelf), &anna, line));
	else
		logs_add(shelf_appliance(shelf), type, bytes_of_text(line));
}

/* Whole, as a reader has it. */
static inline const char *
shelf_read(struct shelf *shelf, enum log_type type, uint64_t serial)
{
	static char text[TEXT_OCTETS];
	struct logs_reader *reader;
	size_t used = 0;
	size_t octets;

	assert_ok(
	    logs_reader_new(shelf_appliance(shelf), type, serial, &reader));
	do {
		assert_ok(logs_read(reader, (uint8_t *)text + used,
		    sizeof(text) - 1 - used, &octets));
		used += octets;
	} while (octets != 0);
	assert_int_equal(used, logs_reader_octets(reader));
	text[used] = '\0';
	logs_reader_free(reader);
	return text;
}

/* "Current NAME NAME ...", the newest first. */
static inline enum err
shelf_name(void *ctx, const struct logs_file *file)
{
	char *names = ctx;

	if (*names != '\0')
		(void)strcat(names, " ");
	(void)strcat(names, file->name);
	return OK;
}

static inline const char *
shelf_names(struct shelf *shelf, enum log_type type)
{
	static char names[8192];

	*names = '\0';
	assert_ok(logs_files(shelf_appliance(shelf), type, shelf_name, names));
	return names;
}

#endif
