/*
 * The commands about backups that are made by themselves.
 */
#include "device/backup_schedule.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/backup_password.h"
#include "cli/form_field.h"

static const char *const weekdays[] = {"Monday", "Tuesday", "Wednesday",
    "Thursday", "Friday", "Saturday", "Sunday"};
static const char *const ordinals[] = {
    "", "First", "Second", "Third", "Fourth", "Last"};

enum { WEEKDAYS = 7, ORDINALS = 6, SUNDAY = 6, WHEN_OCTETS = 64 };

struct work {
	struct form form;
	struct form_target target; /* in here */
	struct change change;
	struct backup_schedule schedule;
	struct secret *password;
	struct backup_password judge;
	enum backup_every every;
};

static void
work_drop(void *state)
{
	struct work *work = state;

	backup_password_leave(&work->judge);
	backup_schedule_clear(&work->schedule);
	secret_free(work->password);
	mem_free(work);
}

/* NULL: the command has ended. */
static struct work *
work_new(struct cli *cli)
{
	struct work *work = cli_keep(cli, sizeof(*work), work_drop);

	if (work == NULL)
		return NULL;
	backup_schedule_init(&work->schedule);
	work->target = (struct form_target){.place = &work->schedule.place,
	    .name = work->schedule.name,
	    .description = work->schedule.description,
	    .password = &work->password};
	form_aim(cli, &work->target);
	return work;
}

/* ---- show ---- */

static void
when_text(const struct backup_schedule *s, char out[WHEN_OCTETS])
{
	switch (s->every) {
	case EVERY_NONE:
		(void)snprintf(out, WHEN_OCTETS, "None");
		break;
	case EVERY_DAY:
		(void)snprintf(out, WHEN_OCTETS, "Daily");
		break;
	case EVERY_WEEK:
		(void)snprintf(
		    out, WHEN_OCTETS, "Weekly every: %s", weekdays[s->weekday]);
		break;
	case EVERY_MONTH:
		(void)snprintf(out, WHEN_OCTETS, "Monthly on day: %u", s->day);
		break;
	case EVERY_ORDINAL:
		(void)snprintf(out, WHEN_OCTETS, "Monthly on the: %s %s",
		    ordinals[s->ordinal], weekdays[s->weekday]);
		break;
	}
}

static enum err
show_one(void *ctx, const struct backup_schedule *s)
{
	struct cli *cli = ctx;
	char when[WHEN_OCTETS];
	char at[CLOCK_TEXT_OCTETS] = "";

	when_text(s, when);
	cli_say(cli, "Backup Name: %s", s->name);
	cli_say(cli, "  Backup Description: %s", s->description);
	cli_say(cli, "  Schedule: %s", when);
	if (s->every != EVERY_NONE)
		cli_say(cli, "  Time: %02u:%02u", s->hour, s->minute);
	cli_say(cli, "  Destination: %s",
	    s->destination == BACKUP_INTERNAL ? "Internal" : "SCP");
	if (s->destination != BACKUP_INTERNAL) {
		cli_say(cli, "  SCP Host: %s", s->place.host);
		cli_say(
		    cli, "  SCP Destination Directory: %s", s->place.directory);
		cli_say(cli, "  SCP Username: %s", s->place.user);
	}
	cli_say(cli, "  Last Automated Remote Backup Status");
	if (s->last_s == 0)
		return OK;
	clock_text(cli_appliance(cli)->clock, s->last_s, at);
	cli_say(cli, "    Time: %s", at);
	cli_say(cli, "    File: %s", s->file);
	cli_say(cli, "    Status: %s", s->status);
	return OK;
}

/* req: KS-23-044 KS-23-048 KS-23-052 */
void
backup_schedule_show(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	cli_say(cli, "Automated Remote Backup Schedule");
	cli_end(cli,
	    backup_schedule_each(cli_appliance(cli)->store, show_one, cli));
}

/* ---- keysecure-6.2: when the one that is saved is made ---- */

static enum err
permit(struct change *change, const struct backup_schedule *schedule)
{
	return backup_permit(
	    change->appliance, &change->by, &schedule->selection, change->why);
}

struct edit {
	struct change *change;
	struct work *work;
	bool found;
	char name[BACKUP_NAME_OCTETS + 1];
};

static enum err
edit_one(void *ctx, const struct backup_schedule *schedule)
{
	struct edit *edit = ctx;

	edit->found = true;
	(void)strcpy(edit->name, schedule->name);
	/* what there is no more is no reason to keep the schedule */
	return edit->work->every == EVERY_NONE ? OK
					       : permit(edit->change, schedule);
}

/* req: KS-23-046 KS-23-047 KS-23-049 KS-23-050 */
static enum err
edit_write(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	struct edit edit = {.change = change, .work = work};
	struct store *st = change->appliance->store;
	char when[WHEN_OCTETS];
	enum err rc = OK;

	TRY(backup_schedule_each(st, edit_one, &edit));
	if (!edit.found) {
		(void)snprintf(change->why, sizeof(change->why),
		    "no settings for an automated remote backup are saved");
		TRY(ERR_FIELD);
	}
	if (work->every == EVERY_NONE) {
		TRY(backup_schedule_delete_all(st));
	} else {
		TRY(backup_schedule_read(
		    st, bytes_of_text(edit.name), &work->schedule));
		work->schedule.every = work->every;
		work->schedule.weekday = SUNDAY;
		work->schedule.day = 1;
		TRY(backup_schedule_write(st, &work->schedule));
	}
	when_text(&work->schedule, when);
	(void)snprintf(change->event, sizeof(change->event),
	    "automated remote backup schedule: %s",
	    work->every == EVERY_NONE ? "None" : when);
out:
	return rc;
}

static enum err
follow(struct cli *cli, struct change *change)
{
	(void)change;
	backup_schedules_follow(cli_appliance(cli));
	return OK;
}

/* req: KS-23-045 */
void
backup_schedule_edit(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct entry_rule rule = {
	    .type = ENTRY_CHOICE, .choices = "none|daily|weekly|monthly"};
	struct work *work;
	int64_t every;

	if (settings_are_eskm(cli_appliance(cli)->settings)) {
		cli_refuse(cli, "with this personality: schedule backup");
		return;
	}
	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_new(cli);
	if (work == NULL || !args_read(cli, "Schedule", &rule,
				arg_count != 0 ? args[0] : BYTES_NONE, &every))
		return;
	work->every = (enum backup_every)every;
	work->change.apply = edit_write;
	cli_change(cli, &work->change, follow, "");
}

/* ---- eskm: "Schedule a Backup" ---- */

/* Which of the five boxes has an item. */
static bool
in_box(enum backup_item item, struct bytes box)
{
	const struct backup_item_row *row = backup_item_row(item);
	bool own = item == ITEM_KMIP || item == ITEM_KEYS ||
		   item == ITEM_CERTIFICATES || item == ITEM_LOCAL_CAS;

	if (own)
		return bytes_equal_text(box, row->word);
	return row->part == PART_CONFIG &&
	       bytes_equal_text(box, "configuration");
}

/* req: ESKM-243 ESKM-244 ESKM-245 */
static enum err
take_items(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	bool *items = work->schedule.selection.items;
	struct bytes box;
	unsigned k;

	if (line.octets == 0) {
		backup_selection_all(&work->schedule.selection);
		return OK;
	}
	while (form_list_next(&line, &box)) {
		bool found = false;

		for (k = 0; k < ITEM_COUNT; k++) {
			if (!in_box((enum backup_item)k, box))
				continue;
			items[k] = true;
			found = true;
		}
		if (!found)
			return form_refuse("Items to Backup", box,
			    "kmip, keys, certificates, local-cas or "
			    "configuration",
			    why);
	}
	return OK;
}

static bool
name_find(struct bytes typed, const char *const *names, unsigned count,
    unsigned first, unsigned *out)
{
	unsigned k;

	for (k = first; k < count; k++) {
		if (bytes_equal_text(typed, names[k])) {
			*out = k;
			return true;
		}
	}
	return false;
}

static bool
ordinal_take(struct bytes in, struct backup_schedule *s)
{
	const uint8_t *blank =
	    in.octets != 0 ? memchr(in.at, ' ', in.octets) : NULL;
	struct bytes ordinal = in;
	struct bytes day;

	if (blank == NULL)
		return false;
	ordinal.octets = (size_t)(blank - in.at);
	day = (struct bytes){blank + 1, in.octets - ordinal.octets - 1};
	return name_find(ordinal, ordinals, ORDINALS, 1, &s->ordinal) &&
	       name_find(day, weekdays, WEEKDAYS, 0, &s->weekday);
}

static bool
number_take(struct bytes in, unsigned least, unsigned most, unsigned *out)
{
	const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = least,
	    .most = most,
	    .step = 1,
	    .zero = ""};
	char kept[ENTRY_OCTETS];
	int64_t number;

	if (entry_read(&rule, in, kept, &number) != OK)
		return false;
	*out = (unsigned)number;
	return true;
}

/* req: ESKM-251 ESKM-252 */
static enum err
take_when(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	struct backup_schedule *s = &work->schedule;
	struct bytes rest;

	s->every = EVERY_NONE;
	if (line.octets == 0 || bytes_equal_text(line, "Daily"))
		s->every = EVERY_DAY;
	else if (bytes_behind(line, "Weekly every: ", &rest) &&
		 name_find(rest, weekdays, WEEKDAYS, 0, &s->weekday))
		s->every = EVERY_WEEK;
	else if (bytes_behind(line, "Monthly on day: ", &rest) &&
		 number_take(rest, 1, 31, &s->day))
		s->every = EVERY_MONTH;
	else if (bytes_behind(line, "Monthly on the: ", &rest) &&
		 ordinal_take(rest, s))
		s->every = EVERY_ORDINAL;
	if (s->every != EVERY_NONE)
		return OK;
	return form_refuse("Schedule", line,
	    "\"Daily\", \"Weekly every: Tuesday\", \"Monthly on day: 1\" or "
	    "\"Monthly on the: First Sunday\"",
	    why);
}

/* req: ESKM-253 ESKM-255 */
static enum err
take_hour(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	if (line.octets == 0 || number_take(line, 0, 23, &work->schedule.hour))
		return OK;
	return form_refuse("Time", line, "an hour, 00 to 23", why);
}

static enum err
take_minute(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	if (line.octets == 0 ||
	    number_take(line, 0, 59, &work->schedule.minute))
		return OK;
	return form_refuse("Time", line, "a minute, 00 to 59", why);
}

/* req: ESKM-256 ESKM-257 ESKM-258 */
static enum err
take_destination(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	if (bytes_equal_text(line, "Internal"))
		work->schedule.destination = BACKUP_INTERNAL;
	else if (line.octets == 0 || bytes_equal_text(line, "SCP"))
		work->schedule.destination = BACKUP_SENT;
	else
		return form_refuse("Destination", line, "Internal or SCP", why);
	work->schedule.place.protocol = TRANSFER_SCP;
	return OK;
}

/* Of an internal one the fields about SCP may stay empty. */
static bool
is_left_out(struct cli *cli, struct bytes line)
{
	const struct work *work = cli_state(cli);

	return line.octets == 0 && work->schedule.destination != BACKUP_SENT;
}

/* req: ESKM-260 */
static enum err
take_host(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return is_left_out(cli, line) ? OK : form_host(cli, line, why);
}

static enum err
take_user(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return is_left_out(cli, line) ? OK : form_user(cli, line, why);
}

/* req: ESKM-241 */
static const struct form_field password_fields[] = {
    {CLI_VALUE, "Backup Name:", form_backup_name},
    {CLI_VALUE, "Backup Description:", form_backup_description},
    {CLI_SECRET, "Backup Password:", form_backup_password},
    {CLI_SECRET, "Confirm Backup Password:", form_backup_password_again},
};

/* req: ESKM-241 ESKM-259 */
static const struct form_field fields[] = {
    {CLI_VALUE,
	"Items to Backup: KMIP, Keys, Certificates, Local Certificate "
	"Authorities, Configuration (kmip keys certificates local-cas "
	"configuration):",
	take_items},
    {CLI_VALUE,
	"Schedule (Daily, Weekly every: Tuesday, Monthly on day: 1, Monthly on "
	"the: First Sunday) [Daily]:",
	take_when},
    {CLI_VALUE, "Time, hour [00 (12 am)]:", take_hour},
    {CLI_VALUE, "Time, minute [00]:", take_minute},
    {CLI_VALUE, "Destination (Internal, SCP) [SCP]:", take_destination},
    {CLI_VALUE, "SCP Host:", take_host},
    {CLI_VALUE, "SCP Destination Directory:", form_directory},
    {CLI_VALUE, "SCP Username:", take_user},
    {CLI_SECRET, "SCP Password:", form_user_password},
};

static enum err
schedule_write(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	char when[WHEN_OCTETS];
	enum err rc = OK;

	TRY(permit(change, &work->schedule));
	TRY(backup_schedule_seal(change->appliance, &work->schedule,
	    work->password, work->schedule.place.password));
	TRY(backup_schedule_write(change->appliance->store, &work->schedule));
	when_text(&work->schedule, when);
	(void)snprintf(change->event, sizeof(change->event),
	    "scheduled backup %s: %s at %02u:%02u", work->schedule.name, when,
	    work->schedule.hour, work->schedule.minute);
out:
	return rc;
}

static void
schedule_save(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change.apply = schedule_write;
	cli_change(cli, &work->change, follow, "");
}

static void
ask_rest(struct cli *cli)
{
	struct work *work = cli_state(cli);

	form_run(cli, &work->form, fields, sizeof(fields) / sizeof(*fields),
	    schedule_save);
}

static void
judge(struct cli *cli)
{
	struct work *work = cli_state(cli);

	backup_password_judge(cli, &work->judge, work->password, ask_rest);
}

/* req: ESKM-239 ESKM-263 */
void
backup_schedule_create(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;

	if (!settings_are_eskm(cli_appliance(cli)->settings)) {
		cli_refuse(
		    cli, "with this personality: backup save, backup schedule");
		return;
	}
	if (!args_at_most(cli, args, arg_count, 0))
		return;
	work = work_new(cli);
	if (work == NULL)
		return;
	cli_say(cli, "Schedule a Backup");
	form_run(cli, &work->form, password_fields,
	    sizeof(password_fields) / sizeof(*password_fields), judge);
}

static enum err
remove_write(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	struct bytes name = bytes_of_text(work->schedule.name);
	enum err rc = backup_schedule_delete(change->appliance->store, name);

	if (rc == ERR_NOT_FOUND) {
		entry_refuse("Backup Name", name,
		    "there is no scheduled backup of this name", change->why);
		rc = ERR_FIELD;
	}
	(void)snprintf(change->event, sizeof(change->event),
	    "deleted scheduled backup: %s", work->schedule.name);
	return rc;
}

void
backup_schedule_remove(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;
	char why[FORM_WHY_OCTETS];

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_new(cli);
	if (work == NULL)
		return;
	if (form_backup_name(cli, arg_count != 0 ? args[0] : BYTES_NONE, why) !=
	    OK) {
		cli_refuse(cli, "%s", why);
		return;
	}
	work->change.apply = remove_write;
	cli_change(cli, &work->change, follow, "");
}
