/*
 * Restoring a backup: where it is from, its password, what it has, what of it
 * is to be restored, and the password again.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/form_field.h"
#include "cli/upload.h"
#include "device/restore.h"
#include "device/restore_files.h"

struct work {
	struct form form;
	struct form_target target; /* in here */
	struct cli *cli;
	enum form_source source;
	struct transfer_place place;
	char file[TRANSFER_NAME_OCTETS + 1];
	char base[BACKUP_BASE_OCTETS + 1];
	char *dir;
	struct upload upload;
	struct restore_files *files;
	struct restore *restore;
	struct backup_selection selection;
	bool chosen;   /* by words of the command */
	size_t choice; /* the next of `choices` */
};

static void
work_drop(void *state)
{
	struct work *work = state;

	restore_drop(work->restore);
	restore_files_free(work->files);
	secret_free(work->place.password);
	backup_selection_clear(&work->selection);
	mem_free(work->dir);
	mem_free(work);
}

/* ---- what is selected ---- */

static enum err
choose_item(struct work *work, struct bytes word, char why[FORM_WHY_OCTETS])
{
	enum backup_item item;

	if (backup_item_find(word, &item) &&
	    (work->restore == NULL ||
		backup_reader_has(restore_reader(work->restore), item))) {
		work->selection.items[item] = true;
		return OK;
	}
	return form_refuse("Items", word,
	    "words of the items that the backup has, or all", why);
}

/* "all" is what the backup has; what it has not is not missed. */
static enum err
take_items(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	struct bytes word;
	unsigned k;
	enum err rc = OK;

	work->chosen = true;
	if (bytes_equal_text(line, "all")) {
		for (k = 0; k < ITEM_COUNT; k++)
			work->selection.items[k] = true;
		return OK;
	}
	while (form_list_next(&line, &word))
		TRY(choose_item(work, word, why));
out:
	return rc;
}

static const struct form_word words[] = {
    {"items", take_items},
    {"keys", form_keys},
    {"certificates", form_certificates},
    {"local-cas", form_cas},
    {"port", form_port},
};

/* ---- the end ---- */

/* req: KS-23-085 KS-23-086 */
static void
restored(void *ctx, enum err rc, const char *why)
{
	struct work *work = ctx;
	struct cli *cli = work->cli;
	const struct restore_outcome *outcome = restore_outcome(work->restore);
	size_t k;

	if (rc != OK) {
		cli_fail(cli, "%s", why);
		return;
	}
	cli_say(cli, "Action Completed");
	cli_say(cli, "%llu keys and objects, %llu records",
	    (unsigned long long)outcome->objects,
	    (unsigned long long)outcome->records);
	for (k = 0; k < outcome->told_count; k++)
		cli_say(cli, "Not restored: %s", outcome->told[k]);
	if (outcome->left_out > outcome->told_count)
		cli_say(cli, "Not restored: %llu more",
		    (unsigned long long)(outcome->left_out -
					 outcome->told_count));
	cli_say(cli, "For changes to take effect, restart the device.");
	cli_done(cli);
}

static void
permitted(struct cli *cli)
{
	struct work *work = cli_state(cli);

	restore_begin(work->restore, &work->selection, cli_principal(cli),
	    cli_approvals(cli), restored, work);
}

/* req: KS-23-084 */
static void
take_password_again(struct cli *cli, struct bytes line)
{
	struct work *work = cli_state(cli);
	enum act acts[PART_COUNT];
	size_t count;

	if (!restore_password_is(work->restore, line)) {
		cli_refuse(cli, "Backup Password: it is another one");
		return;
	}
	count = restore_acts(&work->selection, acts);
	cli_permit(cli, acts, count, permitted);
}

static void
ask_again(struct cli *cli)
{
	cli_ask(
	    cli, CLI_SECRET, "Backup Password, again:", take_password_again);
}

/* What the backup does not have takes nobody's access control. */
static void
take_what_there_is(struct work *work)
{
	unsigned k;

	for (k = 0; k < ITEM_COUNT; k++)
		if (!backup_reader_has(
			restore_reader(work->restore), (enum backup_item)k))
			work->selection.items[k] = false;
}

/* ---- what it has ---- */

static void
show_item(struct work *work, enum backup_item item)
{
	const struct backup_reader *reader = restore_reader(work->restore);

	if (backup_reader_has(reader, item))
		cli_say(work->cli, "  %-16s  %-46s  %llu",
		    backup_item_row(item)->word, backup_item_row(item)->title,
		    (unsigned long long)backup_reader_rows(reader, item));
}

/* Of these, which; asked for where the item is selected. */
static const struct {
	enum backup_item item;
	struct form_field field;
} choices[] = {
    {ITEM_KEYS, {CLI_VALUE, "Keys (all, none, or names):", form_keys}},
    {ITEM_CERTIFICATES,
	{CLI_VALUE, "Certificates (all, none, or names):", form_certificates}},
    {ITEM_LOCAL_CAS,
	{CLI_VALUE,
	    "Local Certificate Authorities (all, none, or names):", form_cas}},
};

enum { CHOICES = sizeof(choices) / sizeof(choices[0]) };

static void
ask_choice(struct cli *cli)
{
	struct work *work = cli_state(cli);
	size_t k;

	for (k = work->choice; k < CHOICES; k++)
		if (backup_selects(&work->selection, choices[k].item))
			break;
	work->choice = k + 1;
	if (k < CHOICES)
		form_run(cli, &work->form, &choices[k].field, 1, ask_choice);
	else
		ask_again(cli);
}

static void
items_taken(struct cli *cli)
{
	take_what_there_is(cli_state(cli));
	ask_choice(cli);
}

static const struct form_field items_question = {
    CLI_VALUE, "Items to restore (all, or words):", take_items};

/* req: KS-23-016 KS-23-034 KS-23-083 ESKM-128 */
static void
show_contents(struct work *work)
{
	const struct backup_header *header =
	    backup_reader_header(restore_reader(work->restore));
	struct cli *cli = work->cli;
	char made[CLOCK_TEXT_OCTETS];
	unsigned k;

	clock_text(cli_appliance(cli)->clock, header->made_s, made);
	cli_say(cli, "Backup Restore Information");
	cli_say(cli, "  Backup Name: %s", header->base);
	cli_say(cli, "  Backup Date: %s", made);
	cli_say(cli, "  Backup Description: %s", header->description);
	cli_say(cli, "  Backup Size: %llu octets, %u file%s",
	    (unsigned long long)header->octets, header->files,
	    header->files == 1 ? "" : "s");
	for (k = 0; k < ITEM_COUNT; k++)
		show_item(work, (enum backup_item)k);
}

static void
opened(void *ctx, enum err rc, const char *why)
{
	struct work *work = ctx;
	struct cli *cli = work->cli;

	if (rc != OK) {
		cli_refuse(cli, "%s", why);
		return;
	}
	show_contents(work);
	if (work->chosen) {
		take_what_there_is(work);
		ask_again(cli);
	} else {
		form_run(cli, &work->form, &items_question, 1, items_taken);
	}
}

static void
take_password(struct cli *cli, struct bytes line)
{
	struct work *work = cli_state(cli);
	const char *dir =
	    work->files != NULL ? restore_files_dir(work->files) : work->dir;
	const char *base =
	    work->files != NULL ? restore_files_base(work->files) : work->base;
	enum err rc = restore_open(
	    cli_appliance(cli), dir, base, line, opened, work, &work->restore);

	if (rc != OK)
		cli_end(cli, rc);
}

static void
ask_password(struct cli *cli)
{
	cli_ask(cli, CLI_SECRET, "Backup Password:", take_password);
}

/* ---- where it is from ---- */

static enum err
take_base(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	enum err rc = ERR_NOT_FOUND;

	if (line.octets <= BACKUP_BASE_OCTETS)
		rc = backup_dir(cli_appliance(cli), line, &work->dir);
	if (rc == ERR_NOT_FOUND)
		return form_refuse(
		    "Backup Name", line, "there is no such backup", why);
	if (rc == OK)
		memcpy(work->base, line.at, line.octets);
	return rc;
}

static void
fetched(void *ctx, enum err rc, const char *why)
{
	struct work *work = ctx;

	if (rc == ERR_COUNT)
		cli_refuse(work->cli,
		    "Filename: it is not the zeroth file of its backup");
	else if (rc != OK)
		cli_refuse(work->cli, "%s", why);
	else
		ask_password(work->cli);
}

/* req: KS-23-071 KS-23-073 KS-23-075 */
static void
fetch(struct cli *cli)
{
	struct work *work = cli_state(cli);

	restore_files_fetch(
	    work->files, &work->place, work->file, fetched, work);
}

static const struct form_field internal_fields[] = {
    {CLI_VALUE, "Backup Name:", take_base},
};

/* ---- upload ---- */

static enum err
add_octets(struct cli *cli, struct bytes octets)
{
	struct work *work = cli_state(cli);

	return restore_files_add(work->files, octets);
}

/* req: KS-23-077 KS-23-078 */
static void
refuse_upload(struct cli *cli, enum err rc)
{
	if (rc == ERR_LIMIT)
		cli_refuse(
		    cli, "the file is larger than 100 MB: use SCP or FTP");
	else if (rc == ERR_COUNT)
		cli_refuse(cli, "the backup has several files: use SCP or FTP");
	else
		cli_refuse(cli, "the file is no backup: %s", err_text(rc));
}

static void
uploaded(struct cli *cli, enum err rc)
{
	struct work *work = cli_state(cli);

	if (rc == OK)
		rc = restore_files_end(work->files);
	if (rc != OK)
		refuse_upload(cli, rc);
	else
		ask_password(cli);
}

static void
upload(struct work *work)
{
	work->upload = (struct upload){.begin = "-----BEGIN BACKUP FILE ",
	    .end = "-----END BACKUP FILE ",
	    .add = add_octets,
	    .done = uploaded};
	upload_begin(work->cli, &work->upload);
}

/* ---- the command ---- */

/* Files of this source come from elsewhere. false: the command has ended */
static bool
make_place(struct work *work)
{
	enum err rc = OK;

	if (work->source != SOURCE_INTERNAL)
		rc = restore_files_new(cli_appliance(work->cli), &work->files);
	if (rc != OK)
		cli_end(work->cli, rc);
	return rc == OK;
}

static void
ask_source_fields(struct cli *cli)
{
	struct work *work = cli_state(cli);

	if (!make_place(work))
		return;
	if (work->source == SOURCE_INTERNAL) {
		form_run(cli, &work->form, internal_fields, 1, ask_password);
	} else if (work->source == SOURCE_UPLOAD) {
		upload(work);
	} else {
		form_run(cli, &work->form, form_host_fields, FORM_HOST_FIELDS,
		    fetch);
	}
}

static const struct form_field source_field = {
    CLI_VALUE, "Source (internal, upload, scp, sftp or ftp):", form_source};

static void
begin_with_words(struct work *work, const struct bytes *args, size_t arg_count)
{
	struct cli *cli = work->cli;
	const struct form_field *fields = form_host_fields;
	size_t count = FORM_HOST_WORDS;

	if (!form_leading(cli, &source_field, 1, args, arg_count))
		return;
	if (work->source == SOURCE_INTERNAL) {
		fields = internal_fields;
		count = 1;
	} else if (work->source == SOURCE_UPLOAD) {
		count = 0;
	}
	if (!form_leading(cli, fields, count, args + 1, arg_count - 1) ||
	    !form_words(cli, words, sizeof(words) / sizeof(words[0]),
		args + 1 + count, arg_count - 1 - count) ||
	    !make_place(work))
		return;
	if (work->source == SOURCE_INTERNAL) {
		ask_password(cli);
	} else if (work->source == SOURCE_UPLOAD) {
		upload(work);
	} else {
		form_run(cli, &work->form, &form_host_fields[FORM_HOST_WORDS],
		    1, fetch);
	}
}

/* Who may restore no part of any backup is not asked for its password. */
static bool
may_any(struct cli *cli)
{
	char why[CHANGE_WHY_OCTETS];
	size_t more;
	unsigned k;

	for (k = 0; k < PART_COUNT; k++)
		if (change_permit(cli_appliance(cli), cli_principal(cli),
			backup_part_row((enum backup_part)k)->restore, NULL,
			&more, why) == OK)
			return true;
	cli_refuse(cli,
	    "it takes one of the access controls \"%s\", \"%s\" and \"%s\"",
	    control_row(CONTROL_RESTORE_CONFIG)->name,
	    control_row(CONTROL_RESTORE_KEYS)->name,
	    control_row(CONTROL_RESTORE_CAS)->name);
	return false;
}

/* req: KS-23-069 KS-23-070 KS-23-072 */
void
restore_backup(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;

	if (!may_any(cli))
		return;
	work = cli_keep(cli, sizeof(*work), work_drop);
	if (work == NULL)
		return;
	work->cli = cli;
	backup_selection_init(&work->selection);
	work->target = (struct form_target){.place = &work->place,
	    .source = &work->source,
	    .internal = true,
	    .file = work->file,
	    .selection = &work->selection};
	form_aim(cli, &work->target);
	if (arg_count != 0)
		begin_with_words(work, args, arg_count);
	else
		form_run(cli, &work->form, &source_field, 1, ask_source_fields);
}
