/*
 * The commands about users and groups.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cli/args.h"
#include "cli/form.h"
#include "device/user.h"

enum {
	A_TURN = 64, /* names of a list that are shown in one turn */
	/* what a command can have, so that its audit line names it all */
	PAIRS_MOST = 8,
	MEMBERS_MOST = 10,
	EVENT_NAMES_OCTETS = MEMBERS_MOST * (USER_NAME_OCTETS + 1) + 1,
};

static const char user_field[] = "Username";
static const char group_field[] = "Group";
static const char no_such_user[] = "there is no such local user";
static const char no_such_group[] = "there is no such local group";
static const char administration[] = "User Administration Permission";
static const char password_permission[] = "Change Password Permission";

/* What a command about a user or a group has gathered. */
struct work {
	struct form form;
	struct change change;
	char name[USER_NAME_OCTETS + 1];
	/* what it is to be; not set: as it is */
	bool sets_administers, administers;
	bool sets_changes, changes_password;
	/* words behind the name, in the session: WORD VALUE ..., or users */
	const struct bytes *words;
	size_t word_count;
	/* the password that it is to have */
	struct secret *fresh;
	struct new_password request;
	bool requesting;
	/* a list that is shown some at a time */
	struct cli *cli;
	struct loop_task more;
	enum err (*page)(struct work *work);
	char after[USER_NAME_OCTETS + 1];
	size_t shown;
};

static void
work_drop(void *state)
{
	struct work *work = state;

	loop_task_cancel(&work->more);
	if (work->requesting)
		new_password_leave(&work->request);
	secret_free(work->fresh);
	mem_free(work);
}

/* NULL: the command has ended. */
static struct work *
work_new(struct cli *cli)
{
	struct work *work = cli_keep(cli, sizeof(struct work), work_drop);

	if (work != NULL)
		work->cli = cli;
	return work;
}

/* With the first argument, a name of a user or of a group. */
static struct work *
work_on(struct cli *cli, const char *field, const struct bytes *args,
    size_t arg_count)
{
	struct work *work;
	char text[ENTRY_WHY_OCTETS];
	const char *why;

	if (arg_count == 0) {
		cli_refuse(cli, "%s: it is missing", field);
		return NULL;
	}
	if (!user_name_is_valid(args[0], &why)) {
		entry_refuse(field, args[0], why, text);
		cli_refuse(cli, "%s", text);
		return NULL;
	}
	work = work_new(cli);
	if (work == NULL)
		return NULL;
	memcpy(work->name, args[0].at, args[0].octets);
	work->words = args + 1;
	work->word_count = arg_count - 1;
	return work;
}

/* What is wrong with a name, for the change. */
static void
name_refuse(struct change *change, const char *field, struct bytes name,
    const char *why)
{
	char text[ENTRY_WHY_OCTETS];

	entry_refuse(field, name, why, text);
	(void)snprintf(change->why, sizeof(change->why), "%s", text);
}

/* ---- lists, some names in each turn ---- */

static void
show_more(void *ctx)
{
	struct work *work = ctx;
	struct cli *cli = work->cli;
	enum err rc;

	work->shown = 0;
	rc = work->page(work);
	if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	else if (work->shown == A_TURN)
		loop_later(cli_appliance(cli)->loop, &work->more);
	else
		cli_done(cli);
}

static void
show_list(struct work *work, enum err (*page)(struct work *work))
{
	work->page = page;
	work->more = (struct loop_task){.fn = show_more, .ctx = work};
	show_more(work);
}

static void
shown(struct work *work, struct bytes name)
{
	memcpy(work->after, name.at, name.octets);
	work->after[name.octets] = '\0';
	work->shown++;
}

static enum err
show_name(void *ctx, struct bytes name)
{
	struct work *work = ctx;

	cli_say(work->cli, "  %.*s", (int)name.octets, (const char *)name.at);
	shown(work, name);
	return OK;
}

/* ---- show user ---- */

/* Whatever its length, a password is shown as eight asterisks.
 * req: KS-31-023 */
static const char masked[] = "********";

static enum err
show_user_line(void *ctx, struct bytes name)
{
	struct work *work = ctx;
	struct user user;
	enum err rc = OK;

	TRY(user_read(cli_appliance(work->cli)->store, name, &user));
	cli_say(work->cli, "  %-30s  %s  %-14s  %s", user.name, masked,
	    entry_yesno(user.administers),
	    entry_yesno(user.administers || user.changes_password));
	shown(work, name);
out:
	return rc;
}

static enum err
show_users(struct work *work)
{
	return user_each(cli_appliance(work->cli)->store,
	    bytes_of_text(work->after), A_TURN, show_user_line, work);
}

/* What cannot stand in a line, and what is typed for it behind a backslash. */
static const char plain[] = "\t\n\r\\";
static const char typed_for[] = "tnr\\";

static enum err
value_escape(struct bytes value, struct buf *out)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < value.octets; k++) {
		const char *at = memchr(plain, value.at[k], sizeof(plain) - 1);

		if (at != NULL)
			TRY(buf_printf(out, "\\%c", typed_for[at - plain]));
		else
			TRY(buf_put(out, (struct bytes){value.at + k, 1}));
	}
out:
	return rc;
}

static enum err
show_attribute(void *ctx, struct bytes attribute, struct bytes value)
{
	struct cli *cli = ctx;
	struct buf line;
	enum err rc = OK;

	buf_init(&line, USER_ATTRIBUTE_OCTETS + 2 * USER_VALUE_OCTETS + 8);
	TRY(buf_printf(&line, "  %.*s = ", (int)attribute.octets,
	    (const char *)attribute.at));
	TRY(value_escape(value, &line));
	cli_say_text(cli, buf_peek(&line));
out:
	buf_clear(&line);
	return rc;
}

static enum err
show_groups_of(struct work *work)
{
	return group_of_user_each(cli_appliance(work->cli)->store,
	    bytes_of_text(work->name), bytes_of_text(work->after), A_TURN,
	    show_name, work);
}

/* req: KS-31-023 KS-31-030 */
static enum err
show_one(struct work *work)
{
	struct cli *cli = work->cli;
	struct store *st = cli_appliance(cli)->store;
	struct user user;
	enum err rc = OK;

	TRY(user_read(st, bytes_of_text(work->name), &user));
	cli_say(cli, "%s: %s", user_field, user.name);
	cli_say(cli, "Password: %s", masked);
	cli_say(cli, "%s: %s", administration, entry_yesno(user.administers));
	cli_say(cli, "%s: %s", password_permission,
	    entry_yesno(user.administers || user.changes_password));
	cli_say(cli, "Account Lockout: %s",
	    lockout_is_locked(
		&user.lockout, env_elapsed_ms(cli_appliance(cli)->env))
		? "locked"
		: "none");
	cli_say(cli, "Custom Attributes:");
	TRY(user_attribute_each(
	    st, bytes_of_text(user.name), show_attribute, cli));
	cli_say(cli, "Groups:");
out:
	return rc;
}

static void
refuse_name(
    struct cli *cli, const char *field, const char *name, const char *why)
{
	char text[ENTRY_WHY_OCTETS];

	entry_refuse(field, bytes_of_text(name), why, text);
	cli_refuse(cli, "%s", text);
}

void
users_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;
	enum err rc;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	if (arg_count == 0) {
		work = work_new(cli);
		if (work == NULL)
			return;
		cli_say(cli, "  %-30s  %s  %-14s  %s", user_field, "Password",
		    "Administration", "Change Password");
		show_list(work, show_users);
		return;
	}
	work = work_on(cli, user_field, args, arg_count);
	if (work == NULL)
		return;
	rc = show_one(work);
	if (rc == ERR_NOT_FOUND)
		refuse_name(cli, user_field, work->name, no_such_user);
	else if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	else
		show_list(work, show_groups_of);
}

/* ---- fields; an empty answer leaves one as it is ---- */

static enum err
take_yesno(const char *field, struct bytes line, bool *sets, bool *out,
    char why[FORM_WHY_OCTETS])
{
	static const struct entry_rule rule = {.type = ENTRY_YESNO};
	char kept[ENTRY_OCTETS];
	int64_t number;
	enum err rc = OK;

	if (line.octets == 0)
		return OK;
	TRY(entry_take(field, &rule, line, kept, &number, why));
	*sets = true;
	*out = number != 0;
out:
	return rc;
}

/* req: KS-31-025 */
static enum err
take_administers(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	return take_yesno(administration, line, &work->sets_administers,
	    &work->administers, why);
}

/* req: KS-31-028 */
static enum err
take_changes(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	return take_yesno(password_permission, line, &work->sets_changes,
	    &work->changes_password, why);
}

/* NAME=VALUE */
static bool
split_attribute(struct bytes word, struct bytes *name, struct bytes *value)
{
	const uint8_t *at =
	    word.octets != 0 ? memchr(word.at, '=', word.octets) : NULL;

	if (at == NULL)
		return false;
	*name = (struct bytes){word.at, (size_t)(at - word.at)};
	*value = (struct bytes){at + 1, word.octets - name->octets - 1};
	return true;
}

/* What value_escape writes; false: a backslash before something else. */
static bool
value_unescape(struct bytes typed, struct buf *out)
{
	size_t k;

	for (k = 0; k < typed.octets; k++) {
		const uint8_t *c = typed.at + k;
		const char *at;

		if (*c == '\\') {
			if (++k == typed.octets)
				return false;
			at = memchr(
			    typed_for, typed.at[k], sizeof(typed_for) - 1);
			if (at == NULL)
				return false;
			c = (const uint8_t *)&plain[at - typed_for];
		}
		if (buf_put(out, (struct bytes){c, 1}) != OK)
			return false;
	}
	return true;
}

/*
 * One attribute, as its name and its value; false: why says what is wrong.
 *
 * req: KS-31-031 KS-31-034
 */
static bool
read_attribute(struct bytes word, struct bytes *name, struct buf *value,
    char why[FORM_WHY_OCTETS])
{
	struct bytes typed;
	const char *rule = NULL;

	if (!split_attribute(word, name, &typed)) {
		entry_refuse("Attribute", word, "NAME=VALUE", why);
		return false;
	}
	if (!user_attribute_is_valid(*name, &rule)) {
		entry_refuse("Attribute Name", *name, rule, why);
		return false;
	}
	if (!value_unescape(typed, value))
		rule = "a backslash hides t, n, r or a backslash; at most 1000 "
		       "characters";
	else
		(void)user_value_is_valid(buf_peek(value), &rule);
	if (rule != NULL)
		entry_refuse("Attribute Value", typed, rule, why);
	return rule == NULL;
}

static enum err
take_attribute(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct bytes name;
	struct buf value;
	bool good;

	(void)cli;
	buf_init(&value, USER_VALUE_OCTETS);
	good = read_attribute(line, &name, &value, why);
	buf_clear(&value);
	return good ? OK : ERR_FIELD;
}

static enum err
take_attribute_name(
    struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	const char *rule;

	(void)cli;
	if (user_attribute_is_valid(line, &rule))
		return OK;
	entry_refuse("Attribute Name", line, rule, why);
	return ERR_FIELD;
}

static const char attribute_word[] = "attribute";
static const char no_attribute_word[] = "no-attribute";

/*
 * What a word sets, as the dialogue would; attributes are set by the change.
 * The last one is for a user that there is.
 */
static const struct form_word words[] = {
    {"administration", take_administers},
    {"change-password", take_changes},
    {attribute_word, take_attribute},
    {no_attribute_word, take_attribute_name},
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

/* WORD VALUE ... behind the name. false: the command has ended. */
static bool
takes_words(struct cli *cli, bool edits)
{
	const struct work *work = cli_state(cli);

	return form_words(cli, words, edits ? WORDS : WORDS - 1, work->words,
	    work->word_count);
}

/* In the change: the attributes that the words set and drop, in their order. */
static enum err
write_attribute(struct change *change, struct bytes word, struct bytes argument)
{
	const struct work *work = cli_state(change->ctx);
	struct store *st = change->appliance->store;
	struct bytes user = bytes_of_text(work->name);
	struct bytes name = argument;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, USER_VALUE_OCTETS);
	if (bytes_equal_text(word, attribute_word)) {
		if (!read_attribute(argument, &name, &value, change->why))
			TRY(ERR_FIELD);
		TRY(user_attribute_put(st, user, name, buf_peek(&value)));
	} else if (bytes_equal_text(word, no_attribute_word)) {
		TRY(user_attribute_delete(st, user, name));
	}
out:
	if (rc == ERR_LIMIT)
		name_refuse(change, "Attribute Name", name,
		    "a user has at most 100 attributes");
	if (rc == ERR_NOT_FOUND)
		name_refuse(change, "Attribute Name", name,
		    "the user has no such attribute");
	buf_clear(&value);
	return rc;
}

static enum err
write_attributes(struct change *change)
{
	const struct work *work = cli_state(change->ctx);
	size_t k;
	enum err rc = OK;

	for (k = 0; k + 1 < work->word_count; k += 2)
		TRY(write_attribute(
		    change, work->words[k], work->words[k + 1]));
out:
	return rc;
}

/* "created user alice: User Administration Permission: no, ...; attribute team
 * set" */
static void
tell(struct change *change, const char *done, const struct user *user)
{
	const struct work *work = cli_state(change->ctx);
	char *at = change->event;
	size_t room = sizeof(change->event);
	size_t k;

	(void)snprintf(at, room, "%s user %s: %s: %s, %s: %s", done, user->name,
	    administration, entry_yesno(user->administers), password_permission,
	    entry_yesno(user->administers || user->changes_password));
	for (k = 0; k + 1 < work->word_count; k += 2) {
		struct bytes word = work->words[k];
		struct bytes name = work->words[k + 1], value;
		bool drops = bytes_equal_text(word, no_attribute_word);
		size_t used = strlen(at);

		if (drops || split_attribute(name, &name, &value))
			(void)snprintf(at + used, room - used,
			    ", attribute %.*s %s", (int)name.octets,
			    (const char *)name.at, drops ? "deleted" : "set");
	}
}

/* ---- passwords ---- */

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

static void
judged(struct new_password *request, enum err rc)
{
	struct cli *cli = request->ctx;
	struct work *work = cli_state(cli);

	work->requesting = false;
	if (rc == OK)
		cli_change(cli, &work->change, NULL, "");
	else
		cli_refuse(cli, "%s",
		    request->why[0] != '\0' ? request->why : err_text(rc));
}

/* Its rules and its hash, on a worker; then the change. */
static void
judge(struct cli *cli)
{
	struct work *work = cli_state(cli);
	enum err rc;

	work->request = (struct new_password){
	    .user = work->name,
	    .of_user = true,
	    .password = secret_peek(work->fresh),
	    .done = judged,
	    .ctx = cli,
	};
	work->requesting = true;
	rc = new_password_begin(cli_appliance(cli), &work->request);
	if (rc != OK)
		judged(&work->request, rc);
}

/* ---- create ---- */

/* req: KS-31-015 KS-31-019 KS-31-046 */
static enum err
write_new(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	struct user user = {
	    .administers = work->administers,
	    .changes_password = work->changes_password,
	    .password = work->request.hash,
	};
	enum err rc = OK;

	memcpy(user.name, work->name, sizeof(user.name));
	tell(change, "created", &user);
	rc = user_create(change->appliance, &user);
	if (rc == ERR_EXISTS) {
		name_refuse(change, user_field, bytes_of_text(work->name),
		    "there is a local user of this name");
		TRY(ERR_FIELD);
	}
	TRY(rc);
	TRY(write_attributes(change));
out:
	return rc;
}

/* The password of a new user, then what may be edited. */
static const struct form_field account_fields[] = {
    {CLI_SECRET, "Password:", take_fresh},
    {CLI_SECRET, "Confirm Password:", take_again},
    {CLI_VALUE, "User Administration Permission (yes/no):", take_administers},
    {CLI_VALUE, "Change Password Permission (yes/no):", take_changes},
};

enum {
	ACCOUNT_FIELDS = sizeof(account_fields) / sizeof(account_fields[0]),
	PASSWORD_FIELDS = 2,
};

/* The user that it is about, and the words; NULL: the command has ended. */
static struct work *
work_with_words(
    struct cli *cli, const struct bytes *args, size_t arg_count, bool edits)
{
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1 + 2 * PAIRS_MOST))
		return NULL;
	work = work_on(cli, user_field, args, arg_count);
	return work != NULL && takes_words(cli, edits) ? work : NULL;
}

/* req: KS-31-013 KS-31-014 KS-31-015 KS-31-016 KS-31-017 KS-31-018 */
void
users_create(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = work_with_words(cli, args, arg_count, false);

	if (work == NULL)
		return;
	work->change.apply = write_new;
	form_run(cli, &work->form, account_fields,
	    arg_count > 1 ? PASSWORD_FIELDS : ACCOUNT_FIELDS, judge);
}

/* ---- edit ---- */

/* The user, or why there is none. */
static enum err
find(struct change *change, struct user *user)
{
	const struct work *work = cli_state(change->ctx);
	struct bytes name = bytes_of_text(work->name);
	enum err rc = user_read(change->appliance->store, name, user);

	if (rc == ERR_NOT_FOUND)
		name_refuse(change, user_field, name, no_such_user);
	return rc;
}

static enum err
write_edited(struct change *change)
{
	const struct work *work = cli_state(change->ctx);
	struct user user;
	enum err rc = OK;

	TRY(find(change, &user));
	if (work->sets_administers)
		user.administers = work->administers;
	if (work->sets_changes)
		user.changes_password = work->changes_password;
	tell(change, "edited", &user);
	TRY(user_write(change->appliance, &user));
	TRY(write_attributes(change));
out:
	return rc;
}

static void
edit(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change.apply = write_edited;
	cli_change(cli, &work->change, NULL, "");
}

/* req: KS-31-019 KS-31-030 */
void
users_edit(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = work_with_words(cli, args, arg_count, true);

	if (work == NULL)
		return;
	if (arg_count > 1) {
		edit(cli);
		return;
	}
	cli_say(cli, "An empty answer leaves a field as it is.");
	form_run(cli, &work->form, account_fields + PASSWORD_FIELDS,
	    ACCOUNT_FIELDS - PASSWORD_FIELDS, edit);
}

/* A new password ends no lockout: that is what its duration is for. */
static enum err
write_password(struct change *change)
{
	const struct work *work = cli_state(change->ctx);
	struct user user;
	enum err rc = OK;

	TRY(find(change, &user));
	user.password = work->request.hash;
	TRY(user_write(change->appliance, &user));
	(void)snprintf(change->event, sizeof(change->event),
	    "changed password of user %s", user.name);
out:
	return rc;
}

/* req: ESKM-145 */
void
users_reset_password(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct form_field fields[] = {
	    {CLI_SECRET, "New Password:", take_fresh},
	    {CLI_SECRET, "Confirm New Password:", take_again},
	};
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_on(cli, user_field, args, arg_count);
	if (work == NULL)
		return;
	work->change.apply = write_password;
	form_run(cli, &work->form, fields, 2, judge);
}

/* ---- delete ---- */

static enum err
remove_user(struct change *change)
{
	const struct work *work = cli_state(change->ctx);
	struct bytes name = bytes_of_text(work->name);
	char why[USER_WHY_OCTETS];
	enum err rc = user_delete(change->appliance, name, why);

	if (rc == ERR_NOT_FOUND)
		name_refuse(change, user_field, name, no_such_user);
	if (rc == ERR_DENIED)
		name_refuse(change, user_field, name, why);
	(void)snprintf(change->event, sizeof(change->event), "deleted user %s",
	    work->name);
	return rc;
}

static void
run_on_name(struct cli *cli, const char *field, const struct bytes *args,
    size_t arg_count, enum err (*apply)(struct change *change))
{
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_on(cli, field, args, arg_count);
	if (work == NULL)
		return;
	work->change.apply = apply;
	cli_change(cli, &work->change, NULL, "");
}

/* req: KS-31-048 KS-31-049 KS-31-050 */
void
users_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run_on_name(cli, user_field, args, arg_count, remove_user);
}

/* ---- groups ---- */

static enum err
show_groups(struct work *work)
{
	return group_each(cli_appliance(work->cli)->store,
	    bytes_of_text(work->after), A_TURN, show_name, work);
}

static enum err
show_members(struct work *work)
{
	return group_member_each(cli_appliance(work->cli)->store,
	    bytes_of_text(work->name), bytes_of_text(work->after), A_TURN,
	    show_name, work);
}

/* req: KS-31-037 KS-31-040 KS-31-044 */
void
groups_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;
	enum err rc;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = arg_count == 0 ? work_new(cli)
			      : work_on(cli, group_field, args, arg_count);
	if (work == NULL)
		return;
	if (arg_count == 0) {
		cli_say(cli, "  %s", group_field);
		show_list(work, show_groups);
		return;
	}
	rc = group_find(cli_appliance(cli)->store, bytes_of_text(work->name));
	if (rc == ERR_NOT_FOUND) {
		refuse_name(cli, group_field, work->name, no_such_group);
	} else if (rc != OK) {
		cli_fail(cli, "%s", err_text(rc));
	} else {
		cli_say(cli, "%s: %s", group_field, work->name);
		cli_say(cli, "User List:");
		show_list(work, show_members);
	}
}

static enum err
write_group(struct change *change)
{
	const struct work *work = cli_state(change->ctx);
	struct bytes group = bytes_of_text(work->name);
	enum err rc = group_create(change->appliance, group);

	if (rc == ERR_EXISTS) {
		name_refuse(change, group_field, group,
		    "there is a local group of this name");
		rc = ERR_FIELD;
	}
	(void)snprintf(change->event, sizeof(change->event), "created group %s",
	    work->name);
	return rc;
}

/* req: KS-31-036 KS-31-038 */
void
groups_create(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run_on_name(cli, group_field, args, arg_count, write_group);
}

static enum err
remove_group(struct change *change)
{
	const struct work *work = cli_state(change->ctx);
	struct bytes group = bytes_of_text(work->name);
	enum err rc = group_delete(change->appliance, group);

	if (rc == ERR_NOT_FOUND)
		name_refuse(change, group_field, group, no_such_group);
	(void)snprintf(change->event, sizeof(change->event), "deleted group %s",
	    work->name);
	return rc;
}

/* req: KS-31-051 KS-31-052 */
void
groups_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run_on_name(cli, group_field, args, arg_count, remove_group);
}

/* ---- members: all of those that are named, or none ---- */

typedef enum err member_fn(struct appliance *appliance, struct bytes group,
    struct bytes user, char why[USER_WHY_OCTETS]);

static enum err
write_members(struct change *change, member_fn *write, const char *done,
    const char *where)
{
	const struct work *work = cli_state(change->ctx);
	struct bytes group = bytes_of_text(work->name);
	char names[EVENT_NAMES_OCTETS] = "";
	char why[USER_WHY_OCTETS];
	size_t k;
	enum err rc = group_find(change->appliance->store, group);

	if (rc == ERR_NOT_FOUND)
		name_refuse(change, group_field, group, no_such_group);
	TRY(rc);
	for (k = 0; k < work->word_count; k++) {
		struct bytes user = work->words[k];
		size_t used = strlen(names);

		rc = write(change->appliance, group, user, why);
		if (*why != '\0')
			name_refuse(change, user_field, user, why);
		TRY(rc);
		(void)snprintf(names + used, sizeof(names) - used, " %.*s",
		    (int)user.octets, (const char *)user.at);
	}
out:
	(void)snprintf(change->event, sizeof(change->event), "%s%s %s group %s",
	    done, names, where, work->name);
	return rc;
}

static enum err
add_members(struct change *change)
{
	return write_members(change, group_add, "added", "to");
}

static enum err
remove_members(struct change *change)
{
	return write_members(change, group_remove, "removed", "from");
}

static void
run_members(struct cli *cli, const struct bytes *args, size_t arg_count,
    enum err (*apply)(struct change *change))
{
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1 + MEMBERS_MOST))
		return;
	work = work_on(cli, group_field, args, arg_count);
	if (work == NULL)
		return;
	if (work->word_count == 0) {
		cli_refuse(cli, "%s: it is missing", user_field);
		return;
	}
	work->change.apply = apply;
	cli_change(cli, &work->change, NULL, "");
}

/* req: KS-31-039 KS-31-041 KS-31-042 */
void
groups_add(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run_members(cli, args, arg_count, add_members);
}

/* req: KS-31-043 KS-31-045 */
void
groups_drop(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run_members(cli, args, arg_count, remove_members);
}
