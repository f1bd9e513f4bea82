#include "cli/form_field.h"

#include <stdio.h>
#include <string.h>

#include "cli/session.h"

void
form_aim(struct cli *cli, const struct form_target *target)
{
	cli->target = target;
}

/* ---- a file on another host ---- */

static bool
port_read(const char *zero, struct bytes line, unsigned *out)
{
	const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = UINT16_MAX,
	    .step = 1,
	    .zero = zero};
	char kept[ENTRY_OCTETS];
	int64_t port;

	if (entry_read(&rule, line, kept, &port) != OK)
		return false;
	*out = (unsigned)port;
	return true;
}

/* req: KS-23-025 */
enum err
form_host(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct transfer_place *place = cli->target->place;
	char *colon;
	enum err rc = OK;

	TRY(form_text("Host", line, 1, place->host, sizeof(place->host), why));
	colon = strchr(place->host, ':');
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		return OK; /* IPv6 has more of them */
	if (!port_read("", bytes_of_text(colon + 1), &place->port))
		return form_refuse("Host", line, "HOST or HOST:PORT", why);
	*colon = '\0';
out:
	return rc;
}

enum err
form_port(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	if (!port_read("Default", line, &cli->target->place->port))
		return form_refuse("Port", line, "1 to 65535, or Default", why);
	return OK;
}

/* req: KS-23-026 ESKM-232 ESKM-233 */
enum err
form_directory(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct transfer_place *place = cli->target->place;

	return form_text("Directory", line, 0, place->directory,
	    sizeof(place->directory), why);
}

/* req: KS-23-027 */
enum err
form_user(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct transfer_place *place = cli->target->place;

	return form_text(
	    "Username", line, 1, place->user, sizeof(place->user), why);
}

enum err
form_user_password(
    struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct secret **password = &cli->target->place->password;

	(void)why;
	if (line.octets != 0)
		return form_secret(line, password);
	secret_free(*password);
	*password = NULL;
	return OK;
}

enum err
form_file(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return form_text("Filename", line, 1, cli->target->file,
	    TRANSFER_NAME_OCTETS + 1, why);
}

enum err
form_path(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct transfer_place *place = cli->target->place;
	struct bytes directory = line;
	struct bytes name = line;
	size_t k;
	enum err rc = OK;

	for (k = line.octets; k != 0 && line.at[k - 1] != '/'; k--)
		;
	name.at += k;
	name.octets -= k;
	directory.octets = k > 1 ? k - 1 : k; /* "/" is the root */
	TRY(form_file(cli, name, why));
	TRY(form_text("Filename", directory, 0, place->directory,
	    sizeof(place->directory), why));
out:
	return rc;
}

/* ---- where a file comes from ---- */

static const struct {
	const char *word;
	enum transfer_protocol protocol; /* of another host */
} sources[] = {
    [SOURCE_INTERNAL] = {"internal", TRANSFER_SCP},
    [SOURCE_UPLOAD] = {"upload", TRANSFER_SCP},
    [SOURCE_SCP] = {"scp", TRANSFER_SCP},
    [SOURCE_SFTP] = {"sftp", TRANSFER_SFTP},
    [SOURCE_FTP] = {"ftp", TRANSFER_FTP},
};

enum err
form_source(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	const struct form_target *target = cli->target;
	unsigned k;

	for (k = target->internal ? SOURCE_INTERNAL : SOURCE_UPLOAD;
	     k < SOURCE_COUNT; k++) {
		if (bytes_equal_text(line, sources[k].word)) {
			*target->source = (enum form_source)k;
			target->place->protocol = sources[k].protocol;
			return OK;
		}
	}
	return form_refuse("Source", line,
	    target->internal ? "internal, upload, scp, sftp or ftp"
			     : "upload, scp, sftp or ftp",
	    why);
}

/* req: KS-23-074 KS-23-076 KS-25-020 KS-25-031 KS-AA-035 */
const struct form_field form_host_fields[FORM_HOST_FIELDS] = {
    {CLI_VALUE, "Host:", form_host},
    {CLI_VALUE, "Filename:", form_path},
    {CLI_VALUE, "Username:", form_user},
    {CLI_SECRET, "Password:", form_user_password},
};

bool
form_leading(struct cli *cli, const struct form_field *fields, size_t count,
    const struct bytes *args, size_t arg_count)
{
	char why[FORM_WHY_OCTETS] = "";
	size_t k;
	enum err rc = OK;

	if (arg_count < count) {
		cli_refuse(cli, "%s it is missing", fields[arg_count].text);
		return false;
	}
	for (k = 0; rc == OK && k < count; k++)
		rc = fields[k].take(cli, args[k], why);
	if (rc != OK)
		cli_refuse(cli, "%s", why[0] != '\0' ? why : err_text(rc));
	return rc == OK;
}

/* ---- a backup ---- */

/* req: KS-23-013 */
enum err
form_backup_name(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	const char *rule;

	if (!backup_name_is_valid(line, &rule))
		return form_refuse("Backup Name", line, rule, why);
	form_copy(line, cli->target->name);
	return OK;
}

/* req: KS-23-016 */
enum err
form_backup_description(
    struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	const char *rule;

	if (!backup_description_is_valid(line, &rule))
		return form_refuse("Backup Description", line, rule, why);
	form_copy(line, cli->target->description);
	return OK;
}

/* req: KS-23-017 ESKM-126 */
enum err
form_backup_password(
    struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	const char *rule;

	if (!backup_password_is_valid(line, &rule)) {
		(void)snprintf(
		    why, FORM_WHY_OCTETS, "Backup Password: %s", rule);
		return ERR_FIELD;
	}
	return form_secret(line, cli->target->password);
}

/* req: ESKM-242 */
enum err
form_backup_password_again(
    struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return form_again(*cli->target->password, line, why);
}

/* ---- what is selected ---- */

static void
step(struct bytes *list)
{
	list->at++;
	list->octets--;
}

static void
skip_blanks(struct bytes *list)
{
	while (list->octets != 0 && *list->at == ' ')
		step(list);
}

bool
form_list_next(struct bytes *list, struct bytes *word)
{
	skip_blanks(list);
	if (list->octets == 0)
		return false;
	*word = (struct bytes){list->at, 0};
	for (; list->octets != 0 && *list->at != ',' && *list->at != ' ';
	     step(list))
		word->octets++;
	skip_blanks(list);
	if (list->octets != 0 && *list->at == ',')
		step(list);
	return true;
}

static enum err
choice_take(struct backup_choice *choice, const char *field, struct bytes line,
    char why[FORM_WHY_OCTETS])
{
	struct bytes rest = line;
	struct bytes word;
	enum err rc = OK;

	buf_reset(&choice->names);
	choice->which = BACKUP_ALL;
	if (bytes_equal_text(line, "all"))
		return OK;
	if (bytes_equal_text(line, "none")) {
		choice->which = BACKUP_NONE;
		return OK;
	}
	while (form_list_next(&rest, &word)) {
		if (word.octets == 0)
			TRY(form_refuse(
			    field, line, "all, none, or names", why));
		TRY(backup_choose(choice, word));
	}
out:
	return rc;
}

/* What a query finds is shown by "show keys query NAME".
 * req: KS-23-007 KS-23-008 */
enum err
form_keys(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct backup_choice *choice = &cli->target->selection->keys;
	struct bytes name;

	if (!cli->target->queries || !bytes_behind(line, "query:", &name) ||
	    name.octets == 0)
		return choice_take(choice, "Keys", line, why);
	buf_reset(&choice->names);
	choice->which = BACKUP_QUERY;
	return backup_choose(choice, name);
}

/* req: KS-23-009 */
enum err
form_certificates(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return choice_take(
	    &cli->target->selection->certificates, "Certificates", line, why);
}

/* req: KS-23-010 */
enum err
form_cas(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	return choice_take(&cli->target->selection->cas,
	    "Local Certificate Authorities", line, why);
}
