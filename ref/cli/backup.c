/*
 * Making a backup: what is asked for, the summary, and the last word.
 */
#include "device/backup_schedule.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/backup_password.h"
#include "cli/backup_say.h"
#include "cli/form_field.h"

enum {
	LIST_OCTETS = 512,
};

static const char items_field[] = "Items";
static const char destination_field[] = "Destination";

struct work {
	struct form form; /* of one question */
	struct change change;
	bool changing;
	struct backup_make *make;
	struct form_target target; /* in it */
	struct backup_password judge;
	size_t at;   /* the question that comes next */
	bool dialog; /* or words of the command */
	bool saves;  /* for an automated remote backup, and makes none now */
	bool has_items;
	char file_name[TRANSFER_NAME_OCTETS + 1]; /* of a download */
	struct backup_say say;
	struct cli *cli;
};

static void
work_drop(void *state)
{
	struct work *work = state;

	if (work->changing)
		change_leave(&work->change);
	backup_password_leave(&work->judge);
	backup_make_drop(work->make);
	mem_free(work);
}

/* NULL: the command has ended. */
static struct work *
work_new(struct cli *cli)
{
	struct work *work = cli_keep(cli, sizeof(*work), work_drop);

	if (work != NULL)
		work->cli = cli;
	return work;
}

/* ---------------------------------------------------------------------------
 * show
 */

/* req: KS-23-006 KS-23-012 ESKM-243 */
void
backup_show_items(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	unsigned k;

	(void)args;
	(void)arg_count;
	for (k = 0; k < ITEM_COUNT; k++) {
		const struct backup_item_row *row =
		    backup_item_row((enum backup_item)k);

		cli_say(cli, "  %-16s  page %u  %s%s", row->word, row->page,
		    row->title,
		    row->chosen == ALONE ? " (has to be asked for)" : "");
	}
	cli_done(cli);
}

/* ---------------------------------------------------------------------------
 * What is answered, in a dialogue or as words
 */

static bool
on_page(unsigned item, unsigned page)
{
	return page == 0 ||
	       backup_item_row((enum backup_item)item)->page == page;
}

/* Those that "Select All" means, or none. */
static void
items_choose(bool *items, unsigned page, bool all)
{
	unsigned k;

	for (k = 0; k < ITEM_COUNT; k++)
		if (on_page(k, page))
			items[k] =
			    all &&
			    backup_item_row((enum backup_item)k)->chosen ==
				WITH_ALL;
}

/* page  0: both */
static enum err
items_take(struct cli *cli, unsigned page, struct bytes line,
    char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	bool *items = work->make->selection.items;
	struct bytes rest = line;
	struct bytes word;
	enum backup_item item;

	work->has_items = true;
	items_choose(items, page, false);
	if (bytes_equal_text(line, "none"))
		return OK;
	while (form_list_next(&rest, &word)) {
		if (bytes_equal_text(word, "all")) {
			items_choose(items, page, true);
			continue;
		}
		if (!backup_item_find(word, &item) || !on_page(item, page))
			return form_refuse(items_field, word,
			    "all, none, or words of \"show backup items\"",
			    why);
		items[item] = true;
	}
	return OK;
}

static enum err
take_items(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return items_take(cli, 0, line, why);
}

/* req: KS-23-006 */
static enum err
take_page_1(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return items_take(cli, 1, line, why);
}

static const char back[] = "back";

/* From the first page on. */
static void
begin_anew(struct work *work)
{
	work->at = 0;
	work->file_name[0] = '\0';
	work->make->place.port = 0;
}

/* req: KS-23-011 KS-23-012 */
static enum err
take_page_2(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	if (!bytes_equal_text(line, back))
		return items_take(cli, 2, line, why);
	begin_anew(cli_state(cli));
	return OK;
}

static const char *const destinations[] = {
    "internal", "download", "ftp", "scp"};

/* req: KS-23-019 ESKM-226 ESKM-227 ESKM-228 */
static enum err
take_destination(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	static const struct entry_rule rule = {
	    .type = ENTRY_CHOICE, .choices = "internal|download|ftp|scp"};
	struct work *work = cli_state(cli);
	char kept[ENTRY_OCTETS];
	int64_t place;

	if (entry_read(&rule, line, kept, &place) != OK)
		return form_refuse(destination_field, line,
		    "internal, download, ftp or scp", why);
	work->make->destination =
	    place < 2 ? (enum backup_destination)place : BACKUP_SENT;
	work->make->place.protocol = place == 2 ? TRANSFER_FTP : TRANSFER_SCP;
	return OK;
}

/* ---- the questions, in the guide's order ---- */

static bool
always(const struct work *work)
{
	(void)work;
	return true;
}

static bool
in_dialogue(const struct work *work)
{
	return work->dialog;
}

static bool
with_keys(const struct work *work)
{
	return work->dialog && work->make->selection.items[ITEM_KEYS];
}

static bool
with_certificates(const struct work *work)
{
	return work->dialog && work->make->selection.items[ITEM_CERTIFICATES];
}

static bool
with_cas(const struct work *work)
{
	return work->dialog && work->make->selection.items[ITEM_LOCAL_CAS];
}

/* req: KS-23-022 KS-23-023 */
static bool
to_download(const struct work *work)
{
	return work->make->destination == BACKUP_DOWNLOAD &&
	       work->file_name[0] == '\0';
}

static bool
to_host(const struct work *work)
{
	return work->dialog && work->make->destination == BACKUP_SENT;
}

static bool
to_host_by_words(const struct work *work)
{
	return work->make->destination == BACKUP_SENT;
}

static const struct question {
	bool (*asked)(const struct work *work);
	struct form_field field;
} questions[] = {
    {in_dialogue,
	{CLI_VALUE, "Items of page 1 (all, none, or words):", take_page_1}},
    {with_keys,
	{CLI_VALUE, "Keys (all, none, query:NAME, or names):", form_keys}},
    {with_certificates,
	{CLI_VALUE, "Certificates (all, none, or names):", form_certificates}},
    {with_cas,
	{CLI_VALUE,
	    "Local Certificate Authorities (all, none, or names):", form_cas}},
    {in_dialogue, {CLI_VALUE, "Items of page 2 (all, none, or words; or back):",
		      take_page_2}},
    {in_dialogue, {CLI_VALUE, "Backup Name:", form_backup_name}},
    {in_dialogue, {CLI_VALUE, "Backup Description:", form_backup_description}},
    {always, {CLI_SECRET, "Backup Password:", form_backup_password}},
    {always,
	{CLI_SECRET, "Confirm Backup Password:", form_backup_password_again}},
    {in_dialogue, {CLI_VALUE, "Destination (internal, download, ftp or scp):",
		      take_destination}},
    {to_download, {CLI_VALUE, "File Name:", form_file}},
    {to_host, {CLI_VALUE, "Host:", form_host}},
    {to_host, {CLI_VALUE, "Directory:", form_directory}},
    {to_host, {CLI_VALUE, "Username:", form_user}},
    {to_host_by_words, {CLI_SECRET, "Password:", form_user_password}},
};

enum { QUESTIONS = sizeof(questions) / sizeof(*questions) };

/* The same as words of the command; secrets are asked for in any case. */
static const struct form_word words[] = {
    {"items", take_items},
    {"keys", form_keys},
    {"certificates", form_certificates},
    {"local-cas", form_cas},
    {"description", form_backup_description},
    {"destination", take_destination},
    {"file", form_file},
    {"host", form_host},
    {"port", form_port},
    {"directory", form_directory},
    {"user", form_user},
};

static void ask(struct cli *cli);
static void answered_all(struct cli *cli);

static void
judge(struct cli *cli)
{
	struct work *work = cli_state(cli);

	backup_password_judge(cli, &work->judge, work->make->password, ask);
}

static void
ask(struct cli *cli)
{
	struct work *work = cli_state(cli);
	const struct form_field *field;

	while (work->at < QUESTIONS && !questions[work->at].asked(work))
		work->at++;
	if (work->at == QUESTIONS) {
		answered_all(cli);
		return;
	}
	field = &questions[work->at++].field;
	form_run(cli, &work->form, field, 1,
	    field->take == form_backup_password_again ? judge : ask);
}

/* ---------------------------------------------------------------------------
 * Making it
 */

static const char *
destination_of(const struct backup_make *make)
{
	if (make->destination != BACKUP_SENT)
		return destinations[make->destination];
	return destinations[make->place.protocol == TRANSFER_FTP ? 2 : 3];
}

/* ---- the end of it ---- */

static void
audit_made(struct work *work, enum err rc)
{
	struct backup_make *make = work->make;

	if (rc == OK)
		cli_audit(work->cli, "backup %s (%s): %u file%s, %llu octets",
		    make->base, destination_of(make), make->header.files,
		    make->header.files == 1 ? "" : "s",
		    (unsigned long long)make->header.octets);
	else
		cli_audit(work->cli, "backup %s (%s) failed: %s", make->base,
		    destination_of(make), make->why);
}

static void
download(struct cli *cli)
{
	struct work *work = cli_state(cli);

	backup_say_some(cli, &work->say, download);
}

static void
made(struct backup_make *make, enum err rc)
{
	struct work *work = make->ctx;
	struct cli *cli = work->cli;

	audit_made(work, rc);
	if (rc != OK) {
		cli_fail(
		    cli, "%s", make->why[0] != '\0' ? make->why : err_text(rc));
		return;
	}
	if (make->destination == BACKUP_DOWNLOAD) {
		work->say = (struct backup_say){.header = &make->header,
		    .fds = make->fds,
		    .end = make->header.files,
		    .name = work->file_name};
		download(cli);
		return;
	}
	backup_say_header(cli, &make->header);
	cli_done(cli);
}

/* ---- before it: who may, and what ---- */

static void
list_items(const struct backup_selection *selection, char out[LIST_OCTETS])
{
	size_t used = 0;
	unsigned k;

	out[0] = '\0';
	for (k = 0; k < ITEM_COUNT && used < LIST_OCTETS; k++)
		if (backup_selects(selection, (enum backup_item)k))
			used += (size_t)snprintf(out + used, LIST_OCTETS - used,
			    "%s%s", used != 0 ? ", " : "",
			    backup_item_row((enum backup_item)k)->word);
}

static enum err
check(struct change *change)
{
	struct work *work = change->ctx;
	struct backup_make *make = work->make;
	char list[LIST_OCTETS];
	enum err rc = backup_permit(
	    change->appliance, &change->by, &make->selection, change->why);

	list_items(&make->selection, list);
	(void)snprintf(change->event, sizeof(change->event),
	    "backup %s (%s) begun: %s", make->base, destination_of(make), list);
	return rc;
}

static void
checked(struct change *change, enum err rc)
{
	struct work *work = change->ctx;

	work->changing = false;
	if (rc != OK) {
		cli_fail(work->cli, "%s",
		    change->why[0] != '\0' ? change->why : err_text(rc));
		return;
	}
	work->make->done = made;
	work->make->ctx = work;
	backup_make_begin(work->make);
}

/* req: KS-23-031 KS-23-033 */
static void
begin(struct work *work)
{
	work->change = (struct change){.by = *cli_principal(work->cli),
	    .act = ACT_LOOK,
	    .apply = check,
	    .done = checked,
	    .ctx = work};
	work->changing = true;
	change_run(cli_appliance(work->cli), &work->change);
}

/* ---- the summary, and the last word ---- */

static void
say_choice(
    struct cli *cli, const char *title, const struct backup_choice *choice)
{
	struct bytes names = buf_peek(&choice->names);
	struct bytes name;

	if (choice->which == BACKUP_ALL) {
		cli_say(cli, "  %s: all", title);
		return;
	}
	while (backup_choice_next(&names, &name))
		cli_say(cli, "  %s: %s%.*s", title,
		    choice->which == BACKUP_QUERY ? "query " : "",
		    (int)name.octets, (const char *)name.at);
}

/* req: KS-23-028 */
static void
say_summary(struct cli *cli, const struct backup_make *make)
{
	const struct backup_selection *selection = &make->selection;
	unsigned k;

	cli_say(cli, "Backup Summary");
	for (k = 0; k < ITEM_COUNT; k++) {
		const char *title = backup_item_row((enum backup_item)k)->title;

		if (!backup_selects(selection, (enum backup_item)k))
			continue;
		if (k == ITEM_KEYS)
			say_choice(cli, title, &selection->keys);
		else if (k == ITEM_CERTIFICATES)
			say_choice(cli, title, &selection->certificates);
		else if (k == ITEM_LOCAL_CAS)
			say_choice(cli, title, &selection->cas);
		else
			cli_say(cli, "  %s", title);
	}
	cli_say(cli, "  Backup Name: %s", make->base);
	cli_say(cli, "  Backup Description: %s", make->description);
	cli_say(cli, "  Destination: %s", destination_of(make));
	if (make->destination == BACKUP_SENT) {
		cli_say(cli, "  Host: %s", make->place.host);
		cli_say(cli, "  Directory: %s", make->place.directory);
		cli_say(cli, "  Username: %s", make->place.user);
	}
}

/* ---- settings for an automated remote backup ---- */

static enum err
save(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	struct backup_make *make = work->make;
	struct store *st = change->appliance->store;
	struct backup_schedule schedule;
	enum err rc = OK;

	backup_schedule_init(&schedule);
	TRY(backup_permit(
	    change->appliance, &change->by, &make->selection, change->why));
	(void)strcpy(schedule.name, make->base);
	(void)strcpy(schedule.description, make->description);
	schedule.destination = make->destination;
	schedule.place = make->place;
	schedule.place.password = NULL;
	backup_selection_clear(&schedule.selection);
	schedule.selection = make->selection;
	backup_selection_init(&make->selection);
	TRY(backup_schedule_seal(change->appliance, &schedule, make->password,
	    make->place.password));
	TRY(backup_schedule_delete_all(st));
	TRY(backup_schedule_write(st, &schedule));
	(void)snprintf(change->event, sizeof(change->event),
	    "saved settings for automated remote backup: %s", make->base);
out:
	backup_schedule_clear(&schedule);
	return rc;
}

static enum err
saved(struct cli *cli, struct change *change)
{
	(void)change;
	backup_schedules_follow(cli_appliance(cli));
	return OK;
}

/* req: KS-23-042 KS-23-043 */
static void
save_now(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change.apply = save;
	cli_change(cli, &work->change, saved,
	    "The backup settings will not take effect until an Automate "
	    "Backup Schedule is set up and enabled.");
}

/* req: KS-23-035 KS-23-037 */
static void
save_confirmed(struct cli *cli, struct bytes line)
{
	if (bytes_equal_text(line, "yes")) {
		save_now(cli);
		return;
	}
	cli_say(cli, "No settings were saved.");
	cli_done(cli);
}

static enum err
find_one(void *ctx, const struct backup_schedule *schedule)
{
	(void)snprintf(ctx, BACKUP_NAME_OCTETS + 1, "%s", schedule->name);
	return OK;
}

/* req: KS-23-020 KS-23-036 KS-23-040 ESKM-231 */
static void
save_ask(struct cli *cli)
{
	struct work *work = cli_state(cli);
	char name[BACKUP_NAME_OCTETS + 1] = "";
	enum err rc;

	if (work->make->destination != BACKUP_SENT ||
	    work->make->place.protocol != TRANSFER_SCP) {
		cli_refuse(
		    cli, "Destination: an automated remote backup goes by scp");
		return;
	}
	if (work->make->place.directory[0] == '\0') {
		cli_refuse(cli, "Directory: it is missing");
		return;
	}
	rc = backup_schedule_each(cli_appliance(cli)->store, find_one, name);
	if (rc != OK) {
		cli_end(cli, rc);
		return;
	}
	if (name[0] != '\0')
		cli_say(cli,
		    "Settings for an automated remote backup are saved "
		    "already (%s). They will be replaced.",
		    name);
	cli_ask(cli, CLI_VALUE,
	    "Save Settings for Automated Remote Backup (yes or no)?",
	    save_confirmed);
}

/* req: KS-23-030 */
static void
confirmed(struct cli *cli, struct bytes line)
{
	struct work *work = cli_state(cli);

	if (bytes_equal_text(line, "yes")) {
		begin(work);
	} else if (bytes_equal_text(line, "save")) {
		save_ask(cli);
	} else if (bytes_equal_text(line, back)) {
		begin_anew(work);
		ask(cli);
	} else {
		cli_say(cli, "No backup was made.");
		cli_done(cli);
	}
}

static void
answered_all(struct cli *cli)
{
	struct work *work = cli_state(cli);
	bool scp = work->make->destination == BACKUP_SENT &&
		   work->make->place.protocol == TRANSFER_SCP;

	if (work->saves) {
		save_ask(cli);
	} else if (!work->dialog) {
		begin(work);
	} else {
		say_summary(cli, work->make);
		cli_ask(cli, CLI_VALUE,
		    scp ? "Backup Now (yes or no), Save Settings for Automated "
			  "Remote Backup (save), or back?"
			: "Backup Now (yes or no), or back?",
		    confirmed);
	}
}

/* What words may leave out, and nobody can be sent a backup without.
 * NULL: nothing. */
static const char *
missing(const struct backup_make *make)
{
	if (make->destination != BACKUP_SENT)
		return NULL;
	if (make->place.host[0] == '\0')
		return "Host";
	return make->place.user[0] == '\0' ? "Username" : NULL;
}

/* NAME WORD VALUE ..., or a dialogue. */
static void
gather(struct cli *cli, const struct bytes *args, size_t arg_count, bool saves)
{
	struct work *work = work_new(cli);
	char why[FORM_WHY_OCTETS] = "";
	enum err rc;

	if (work == NULL)
		return;
	rc = backup_make_new(cli_appliance(cli), &work->make);
	if (rc != OK) {
		cli_end(cli, rc);
		return;
	}
	work->target = (struct form_target){.place = &work->make->place,
	    .file = work->file_name,
	    .name = work->make->base,
	    .description = work->make->description,
	    .password = &work->make->password,
	    .selection = &work->make->selection,
	    .queries = true};
	form_aim(cli, &work->target);
	work->dialog = arg_count == 0;
	work->saves = saves;
	if (arg_count != 0) {
		if (form_backup_name(cli, args[0], why) != OK) {
			cli_refuse(cli, "%s", why);
			return;
		}
		if (!form_words(cli, words, sizeof(words) / sizeof(*words),
			args + 1, arg_count - 1))
			return;
		if (missing(work->make) != NULL) {
			cli_refuse(
			    cli, "%s: it is missing", missing(work->make));
			return;
		}
		if (!work->has_items)
			backup_selection_all(&work->make->selection);
	}
	ask(cli);
}

/* req: KS-23-004 KS-23-019 KS-23-031 */
void
backup_create(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	gather(cli, args, arg_count, false);
}

/* req: KS-23-038 KS-23-040 */
void
backup_save(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (settings_are_eskm(cli_appliance(cli)->settings))
		cli_refuse(cli, "with this personality: schedule backup");
	else
		gather(cli, args, arg_count, true);
}
