/*
 * The commands about administrators.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cli/args.h"
#include "cli/session.h"

enum {
	/* all names of control.def with ", " between them */
	LIST_OCTETS =
#define CONTROL(symbol, word, name, clause) sizeof(name) + 1 +
#include "device/control.def"
#undef CONTROL
	    sizeof("none"),
	STATUS_OCTETS = 80,
	DAY_MS = 24 * 3600 * 1000,
};

static const char no_such[] = "there is no such administrator";

/* What a command about an account has gathered. */
struct work {
	struct form form;
	struct change change;
	char name[ADMIN_NAME_OCTETS + 1];
	/* what it is to be; NULL or not set: as it is */
	char *full_name, *description;
	bool sets_high, high;
	bool sets_controls;
	uint32_t controls;
	/* the password that it is to have */
	struct secret *current, *fresh;
	struct new_password request;
	bool requesting;
};

static void
work_drop(void *state)
{
	struct work *work = state;

	if (work->requesting)
		new_password_leave(&work->request);
	mem_free(work->full_name);
	mem_free(work->description);
	secret_free(work->current);
	secret_free(work->fresh);
	mem_free(work);
}

/* With the first argument, a name; NULL: the command has ended. */
static struct work *
work_on(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = cli_keep(cli, sizeof(struct work), work_drop);
	char text[FORM_WHY_OCTETS];
	const char *why;

	if (work == NULL)
		return NULL;
	if (arg_count == 0) {
		cli_refuse(cli, "Username: it is missing");
		return NULL;
	}
	if (!admin_name_is_valid(args[0], &why)) {
		entry_refuse("Username", args[0], why, text);
		cli_refuse(cli, "%s", text);
		return NULL;
	}
	memcpy(work->name, args[0].at, args[0].octets);
	return work;
}

/* ---- show ---- */

/* "Keys and Authorization Policies, Users and Groups, ..." */
static void
list_controls(uint32_t controls, char out[LIST_OCTETS])
{
	size_t used = 0;
	enum control k;

	for (k = 0; k < CONTROL_COUNT; k++) {
		if ((controls & CONTROL_BIT(k)) != 0)
			used += (size_t)snprintf(out + used, LIST_OCTETS - used,
			    "%s%s", used != 0 ? ", " : "",
			    control_row(k)->name);
	}
	if (used == 0)
		(void)snprintf(out, LIST_OCTETS, "none");
}

static void
password_status(
    struct cli *cli, const struct admin *admin, char out[STATUS_OCTETS])
{
	struct appliance *a = cli_appliance(cli);
	int64_t left_ms = admin_expires_in_ms(admin,
	    setting_number(a->settings, SETTING_PASSWORD_AGE),
	    env_elapsed_ms(a->env));

	if (admin->ldap)
		(void)snprintf(out, STATUS_OCTETS, "on the LDAP server");
	else if (admin->must != ADMIN_MUST_NOT)
		(void)snprintf(
		    out, STATUS_OCTETS, "to be changed at the next login");
	else if (left_ms == INT64_MAX)
		(void)snprintf(out, STATUS_OCTETS, "never expires");
	else if (left_ms == 0)
		(void)snprintf(out, STATUS_OCTETS, "expired");
	else
		(void)snprintf(out, STATUS_OCTETS, "expires in %lld days",
		    (long long)((left_ms + DAY_MS - 1) / DAY_MS));
}

/* req: KS-17-048 */
static enum err
show_line(void *ctx, const struct admin *admin)
{
	struct cli *cli = ctx;
	char status[STATUS_OCTETS];

	password_status(cli, admin, status);
	cli_say(cli, "  %-30s  %-5s  %-4s  %s", admin->name,
	    admin->ldap ? "LDAP" : "Local", entry_yesno(admin->high), status);
	return OK;
}

static void
say_account(struct cli *cli, const struct admin *admin)
{
	char list[LIST_OCTETS];
	char status[STATUS_OCTETS];

	list_controls(admin->controls, list);
	password_status(cli, admin, status);
	cli_say(cli, "Username: %s", admin->name);
	cli_say(cli, "Type: %s", admin->ldap ? "LDAP" : "Local");
	cli_say(cli, "Full Name: %s", admin->full_name);
	cli_say(cli, "Description: %s", admin->description);
	cli_say(cli, "High Access Administrator: %s", entry_yesno(admin->high));
	cli_say(cli, "Access Control: %s", list);
	cli_say(cli, "Password: %s", status);
}

/* false: the command has ended. */
static bool
show_one(struct cli *cli, struct bytes name)
{
	struct admin admin = {0};
	char text[FORM_WHY_OCTETS];
	enum err rc = admin_read(cli_appliance(cli)->store, name, &admin);

	if (rc == OK) {
		say_account(cli, &admin);
		admin_drop(&admin);
	} else if (rc == ERR_NOT_FOUND) {
		entry_refuse("Username", name, no_such, text);
		cli_refuse(cli, "%s", text);
	} else
		cli_fail(cli, "%s", err_text(rc));
	return rc == OK;
}

void
admin_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	enum err rc;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	if (arg_count == 1) {
		if (show_one(cli, args[0]))
			cli_done(cli);
		return;
	}
	cli_say(cli, "  %-30s  %-5s  %-4s  %s", "Username", "Type", "High",
	    "Password");
	rc = admin_each(cli_appliance(cli)->store, show_line, cli);
	cli_end(cli, rc);
}

/* req: KS-15-070 KS-15-071 KS-15-072 */
void
admin_show_controls(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	enum control k;

	(void)args;
	(void)arg_count;
	for (k = 0; k < CONTROL_COUNT; k++)
		cli_say(cli, "  %-16s  %s", control_row(k)->word,
		    control_row(k)->name);
	cli_done(cli);
}

/* ---- fields; an empty answer leaves one as it is ---- */

static enum err
take_text(struct bytes line, const char *field,
    bool (*is_valid)(struct bytes text, const char **why), char **out,
    char why[FORM_WHY_OCTETS])
{
	const char *rule;
	enum err rc = OK;

	if (!is_valid(line, &rule)) {
		entry_refuse(field, line, rule, why);
		TRY(ERR_FIELD);
	}
	mem_free(*out);
	*out = NULL;
	if (line.octets != 0)
		TRY(mem_printf(
		    out, "%.*s", (int)line.octets, (const char *)line.at));
out:
	return rc;
}

static enum err
take_full_name(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	return take_text(
	    line, "Full Name", admin_full_name_is_valid, &work->full_name, why);
}

static enum err
take_description(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	return take_text(line, "Description", admin_description_is_valid,
	    &work->description, why);
}

/* req: KS-15-025 */
static enum err
take_high(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	static const struct entry_rule rule = {.type = ENTRY_YESNO};
	char kept[ENTRY_OCTETS];
	int64_t number;
	enum err rc = OK;

	if (line.octets == 0)
		return OK;
	TRY(entry_take(
	    "High Access Administrator", &rule, line, kept, &number, why));
	work->sets_high = true;
	work->high = number != 0;
out:
	return rc;
}

static enum err
read_controls(struct bytes line, uint32_t *out, char why[FORM_WHY_OCTETS])
{
	enum control control;
	struct bytes word;

	*out = 0;
	while (form_list_next(&line, &word)) {
		if (!control_find(word, &control))
			return form_refuse("Access Control", word,
			    "all, none, or words of `show access controls` "
			    "with commas between",
			    why);
		*out |= CONTROL_BIT(control);
	}
	return OK;
}

/* req: KS-15-069 */
static enum err
take_controls(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	work->sets_controls = line.octets != 0;
	if (bytes_equal_text(line, "all"))
		work->controls = CONTROLS_ALL;
	else if (bytes_equal_text(line, "none"))
		work->controls = 0;
	else
		return read_controls(line, &work->controls, why);
	return OK;
}

/* What a word sets, as the dialogue would. */
static const struct form_word words[] = {
    {"full-name", take_full_name},
    {"description", take_description},
    {"high-access", take_high},
    {"access-control", take_controls},
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

/* WORD VALUE ... behind the name. false: the command has ended. */
static bool
takes_words(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	return form_words(cli, words, WORDS, args + 1, arg_count - 1);
}

/* ---- passwords ---- */

static enum err
take_current(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	(void)why;
	return secret_copy(line, &work->current);
}

static enum err
take_fresh(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	(void)why;
	return secret_copy(line, &work->fresh);
}

static enum err
take_again(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	const struct work *work = cli_state(cli);

	return form_again(work->fresh, line, why);
}

static enum err
effect(struct cli *cli, struct change *change)
{
	struct work *work = cli_state(cli);

	(void)change;
	cli_forget_account(cli, work->name);
	return OK;
}

static void
judged(struct new_password *request, enum err rc)
{
	struct cli *cli = request->ctx;
	struct work *work = cli_state(cli);

	work->requesting = false;
	if (rc == OK)
		cli_change(
		    cli, &work->change, effect, "The password has been set.");
	else
		cli_refuse(cli, "%s",
		    request->why[0] != '\0' ? request->why : err_text(rc));
}

/* Its rules and its hash, on a worker; then the change. */
static void
judge(struct cli *cli)
{
	struct work *work = cli_state(cli);
	bool own = work->current != NULL;
	enum err rc;

	work->request = (struct new_password){
	    .user = work->name,
	    .own = own,
	    .current = own ? secret_peek(work->current) : BYTES_NONE,
	    .password = secret_peek(work->fresh),
	    .door = cli_principal(cli)->door,
	    .done = judged,
	    .ctx = cli,
	};
	work->requesting = true;
	rc = new_password_begin(cli_appliance(cli), &work->request);
	if (rc != OK)
		judged(&work->request, rc);
}

void
cli_forget_account(struct cli *cli, const char *name)
{
	login_forget(cli_appliance(cli), bytes_of_text(name));
}

/* The account, or why there is none. */
static enum err
find(struct change *change, const char *name, struct admin *out)
{
	enum err rc =
	    admin_read(change->appliance->store, bytes_of_text(name), out);

	if (rc == ERR_NOT_FOUND)
		entry_refuse(
		    "Username", bytes_of_text(name), no_such, change->why);
	return rc;
}

static enum err
put(struct change *change, const struct admin *admin)
{
	const char *why = "";
	enum err rc = admin_write(change->appliance->store, admin, &why);

	if (rc == ERR_DENIED)
		(void)snprintf(change->why, sizeof(change->why), "%s", why);
	return rc;
}

/* req: KS-15-048 KS-15-049 KS-15-050 KS-17-012 */
enum err
cli_write_password(
    struct change *change, const char *name, const struct password_hash *hash)
{
	struct admin admin = {0};
	bool own = strcmp(name, change->by.name) == 0;
	enum err rc = OK;

	TRY(find(change, name, &admin));
	if (admin.ldap) {
		entry_refuse("Username", bytes_of_text(name),
		    "its password is changed on the LDAP server", change->why);
		TRY(ERR_FIELD);
	}
	admin_set_password(change->appliance, &admin, hash,
	    own ? ADMIN_MUST_NOT : ADMIN_MUST_RESET);
	TRY(put(change, &admin));
	(void)snprintf(change->event, sizeof(change->event),
	    own ? "changed own password"
		: "changed password of administrator %s",
	    name);
out:
	admin_drop(&admin);
	return rc;
}

static enum err
write_password(struct change *change)
{
	struct work *work = cli_state(change->ctx);

	return cli_write_password(change, work->name, &work->request.hash);
}

/* req: KS-17-032 KS-17-033 */
void
admin_own_password(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct form_field fields[] = {
	    {CLI_SECRET, "Current Password:", take_current},
	    {CLI_SECRET, "New Password:", take_fresh},
	    {CLI_SECRET, "Confirm New Password:", take_again},
	};
	struct work *work;

	(void)args;
	(void)arg_count;
	if (cli_principal(cli)->name[0] == '\0') {
		cli_fail(cli, "nobody is logged in");
		return;
	}
	work = cli_keep(cli, sizeof(struct work), work_drop);
	if (work == NULL)
		return;
	memcpy(work->name, cli_principal(cli)->name, sizeof(work->name));
	work->change.apply = write_password;
	form_run(cli, &work->form, fields, 3, judge);
}

/* req: KS-15-029 KS-15-048 KS-17-033 */
void
admin_reset_password(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct form_field fields[] = {
	    {CLI_SECRET, "New Password:", take_fresh},
	    {CLI_SECRET, "Confirm New Password:", take_again},
	};
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_on(cli, args, arg_count);
	if (work == NULL)
		return;
	if (strcmp(work->name, cli_principal(cli)->name) == 0) {
		cli_refuse(cli,
		    "Username: %s: your own password is changed "
		    "with password",
		    work->name);
		return;
	}
	work->change.apply = write_password;
	form_run(cli, &work->form, fields, 2, judge);
}

/* ---- create ---- */

static void
tell(struct change *change, const char *done, const struct admin *admin)
{
	char list[LIST_OCTETS];

	list_controls(admin->controls, list);
	(void)snprintf(change->event, sizeof(change->event),
	    "%s administrator %s: High Access Administrator: %s, Access "
	    "Control: %s",
	    done, admin->name, entry_yesno(admin->high), list);
}

/* req: KS-15-058 */
static enum err
write_new(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	struct admin admin = {0};
	char none[] = "";
	enum err rc = OK;

	rc = admin_read(
	    change->appliance->store, bytes_of_text(work->name), &admin);
	if (rc == OK) {
		admin_drop(&admin);
		entry_refuse("Username", bytes_of_text(work->name),
		    "there is an administrator of this name", change->why);
		TRY(ERR_FIELD);
	}
	if (rc != ERR_NOT_FOUND)
		TRY(rc);
	admin = (struct admin){
	    .full_name = work->full_name != NULL ? work->full_name : none,
	    .description = work->description != NULL ? work->description : none,
	    .high = work->high,
	    .controls = work->controls,
	};
	memcpy(admin.name, work->name, sizeof(admin.name));
	admin_set_password(
	    change->appliance, &admin, &work->request.hash, ADMIN_MUST_FIRST);
	tell(change, "created", &admin);
	TRY(put(change, &admin));
out:
	return rc;
}

/*
 * A High Access Administrator has them all unless it is said otherwise.
 *
 * req: KS-15-026 KS-15-031 KS-15-067
 */
static void
complete(struct cli *cli)
{
	struct work *work = cli_state(cli);

	if (!work->sets_controls && work->high)
		work->controls = CONTROLS_ALL;
	judge(cli);
}

/* The password of a new account, then what may be edited. */
static const struct form_field account_fields[] = {
    {CLI_SECRET, "Password:", take_fresh},
    {CLI_SECRET, "Confirm Password:", take_again},
    {CLI_VALUE, "Full Name:", take_full_name},
    {CLI_VALUE, "Description:", take_description},
    {CLI_VALUE, "High Access Administrator (yes/no):", take_high},
    {CLI_VALUE, "Access Control (all, none, or words):", take_controls},
};

enum {
	ACCOUNT_FIELDS = sizeof(account_fields) / sizeof(account_fields[0]),
	PASSWORD_FIELDS = 2,
};

/* req: KS-15-027 KS-15-052 KS-15-055 */
void
admin_create(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = work_on(cli, args, arg_count);

	if (work == NULL || !takes_words(cli, args, arg_count))
		return;
	work->change.apply = write_new;
	form_run(cli, &work->form, account_fields,
	    arg_count > 1 ? PASSWORD_FIELDS : ACCOUNT_FIELDS, complete);
}

/* ---- edit ---- */

static void
exchange(char **a, char **b)
{
	char *kept = *a;

	*a = *b;
	*b = kept;
}

/* req: KS-15-030 KS-15-031 KS-15-068 */
static enum err
write_edited(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	struct admin admin = {0};
	enum err rc = OK;

	TRY(find(change, work->name, &admin));
	if (work->full_name != NULL)
		exchange(&admin.full_name, &work->full_name);
	if (work->description != NULL)
		exchange(&admin.description, &work->description);
	if (work->sets_high && work->high && !admin.high)
		admin.controls = CONTROLS_ALL;
	if (work->sets_high)
		admin.high = work->high;
	if (work->sets_controls)
		admin.controls = work->controls;
	TRY(put(change, &admin));
	tell(change, "edited", &admin);
out:
	admin_drop(&admin);
	return rc;
}

static void
edit(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change.apply = write_edited;
	cli_change(cli, &work->change, effect, "");
}

void
admin_edit(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = work_on(cli, args, arg_count);

	if (work == NULL || !takes_words(cli, args, arg_count))
		return;
	if (arg_count > 1)
		edit(cli);
	else if (show_one(cli, args[0])) {
		cli_say(cli, "An empty answer leaves a field as it is.");
		form_run(cli, &work->form, account_fields + PASSWORD_FIELDS,
		    ACCOUNT_FIELDS - PASSWORD_FIELDS, edit);
	}
}

/* ---- delete ---- */

static enum err
remove_it(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	const char *why = "";
	enum err rc = admin_delete(
	    change->appliance->store, bytes_of_text(work->name), &why);

	if (rc == ERR_NOT_FOUND)
		why = no_such;
	if (rc == ERR_NOT_FOUND || rc == ERR_DENIED)
		entry_refuse(
		    "Username", bytes_of_text(work->name), why, change->why);
	(void)snprintf(change->event, sizeof(change->event),
	    "deleted administrator %s", work->name);
	return rc;
}

static void
approved(struct cli *cli, struct bytes line)
{
	struct work *work = cli_state(cli);

	if (!bytes_equal_text(line, "yes")) {
		cli_fail(cli, "Secondary Approval: not yes: nothing was done");
		return;
	}
	work->change.apply = remove_it;
	cli_change(cli, &work->change, effect, "");
}

/* req: KS-15-028 KS-15-104 KS-15-106 */
void
admin_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	char text[ADMIN_NAME_OCTETS + 80];
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_on(cli, args, arg_count);
	if (work == NULL)
		return;
	(void)snprintf(text, sizeof(text),
	    "Secondary Approval: delete administrator %s (yes/no):",
	    work->name);
	cli_ask(cli, CLI_VALUE, text, approved);
}
