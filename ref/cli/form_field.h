/*
 * Fields that several commands have: a file on another host, a backup, what is
 * selected of it. Each is a `take` for a row of form.h, in dialogues and as a
 * word of the command alike; the text that asks is the row's own:
 *
 *	static const struct form_field fields[] = {
 *	    {CLI_VALUE, "Host:", form_host},
 *	    {CLI_VALUE, "Filename:", form_path},
 *	    {CLI_VALUE, "Username:", form_user},
 *	    {CLI_SECRET, "Password:", form_user_password},
 *	};
 *	static const struct form_word words[] = {{"port", form_port}};
 *
 *	work->target = (struct form_target){.place = &work->place,
 *	    .file = work->file};
 *	form_aim(cli, &work->target);
 *	form_run(cli, &work->form, fields, ...);
 *
 * An answer that is given again takes the place of the one before.
 */
#ifndef CLI_FORM_FIELD_H
#define CLI_FORM_FIELD_H

#include "cli/form.h"
#include "device/backup.h"

/* Where a file that is read comes from. */
enum form_source {
	SOURCE_INTERNAL, /* the device has it */
	SOURCE_UPLOAD,
	SOURCE_SCP, /* these: another host, in form_host_fields */
	SOURCE_SFTP,
	SOURCE_FTP,
	SOURCE_COUNT,
};

/*
 * Where the answers go: in the command's state, and so is this. What the
 * command has no field for stays NULL.
 */
struct form_target {
	struct transfer_place *place;
	enum form_source *source;
	bool internal;     /* Source: also internal */
	char *file;        /* TRANSFER_NAME_OCTETS + 1 */
	char *name;        /* BACKUP_NAME_OCTETS + 1 */
	char *description; /* BACKUP_DESCRIPTION_OCTETS + 1 */
	struct secret **password;
	struct backup_selection *selection;
	bool queries; /* Keys: also query:NAME */
};

/* Before the first of these fields is taken. Borrowed until the command ends.
 */
void form_aim(struct cli *cli, const struct form_target *target);

/* place */
form_take_fn form_host; /* HOST, or HOST:PORT; an IPv6 address has no port */
form_take_fn form_port; /* 1 to 65535, or "Default" */
form_take_fn form_directory;     /* empty: the user's home */
form_take_fn form_user;          /* not empty */
form_take_fn form_user_password; /* empty: none */

form_take_fn form_file; /* file: a name */
form_take_fn form_path; /* place->directory, before the last slash, and file */

/* source, and place->protocol where that is another host */
form_take_fn form_source;

/* Host, Filename, Username; and the password, which is no word of a command. */
enum { FORM_HOST_WORDS = 3, FORM_HOST_FIELDS };
extern const struct form_field form_host_fields[FORM_HOST_FIELDS];

/*
 * The first words of a command are these fields' values.
 *
 * false: one is missing or is none, and the command has ended
 */
bool form_leading(struct cli *cli, const struct form_field *fields,
    size_t count, const struct bytes *args, size_t arg_count);

/* name, description: as device/backup.h has their rules */
form_take_fn form_backup_name;
form_take_fn form_backup_description;
/* password; the rules that all passwords have: cli/backup_password.h */
form_take_fn form_backup_password;
form_take_fn form_backup_password_again;

/* selection: all or nothing for all; none; or names */
form_take_fn form_keys;
form_take_fn form_certificates;
form_take_fn form_cas;

/* The next word of a list with commas or blanks between. Where a comma has no
 * word before it that is an empty one, for the caller to refuse. */
bool form_list_next(struct bytes *list, struct bytes *word);

#endif
