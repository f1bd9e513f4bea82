/*
 * `show` and `edit` of each section of settings.def.
 *
 * `edit SECTION WORD VALUE ...` sets what is named; without words the fields
 * are asked for, one by one, and an empty answer leaves one as it is. All of it
 * is one change. A secret's word has no value with it: it is asked for, with
 * nothing echoed, and "None" takes it away.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/session.h"

/* ---- show ---- */

void
settings_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	enum section section = cli_command(cli)->section;
	const struct settings *settings = cli_appliance(cli)->settings;
	enum setting k;

	(void)args;
	(void)arg_count;
	cli_say(cli, "%s", section_row(section)->title);
	for (k = 0; k < SETTING_COUNT; k++) {
		if (setting_row(k)->section == section)
			cli_say(cli, "  %s: %s", setting_row(k)->name,
			    setting_shown(settings, k));
	}
	cli_done(cli);
}

/* ---- edit ---- */

/* Typed for a secret: there is to be none. */
#define SECRET_NONE "None"

void
settings_each_word(
    enum section section, struct bytes begun, command_each_fn *each, void *ctx)
{
	enum setting k;

	for (k = 0; k < SETTING_COUNT; k++) {
		struct bytes word = bytes_of_text(setting_row(k)->word);

		if (setting_row(k)->section == section &&
		    setting_row(k)->state == DONE &&
		    word.octets >= begun.octets &&
		    bytes_equal((struct bytes){word.at, begun.octets}, begun))
			each(ctx, word, setting_row(k)->name);
	}
}

struct edit {
	struct change change;
	enum setting at;          /* being asked for */
	bool asks[SETTING_COUNT]; /* of words: secrets */
	bool has_words;
	char *value[SETTING_COUNT]; /* as typed; NULL: it stays */
};

static void
forget(char *value)
{
	if (value != NULL)
		secret_wipe(value, strlen(value));
	mem_free(value);
}

static void
drop(void *state)
{
	struct edit *edit = state;
	size_t k;

	for (k = 0; k < SETTING_COUNT; k++)
		forget(edit->value[k]);
	mem_free(edit);
}

/* Append to the event; what does not fit is cut, which the log says. */
static void __attribute__((format(printf, 2, 3)))
tell(struct change *change, const char *format, ...)
{
	size_t used = strlen(change->event);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(
	    change->event + used, sizeof(change->event) - used, format, args);
	va_end(args);
}

static enum err
apply(struct change *change)
{
	struct settings *settings = change->appliance->settings;
	struct edit *edit = cli_state(change->ctx);
	bool any = false;
	enum err rc = OK;
	enum setting k;

	for (k = 0; k < SETTING_COUNT; k++) {
		bool changed;

		if (edit->value[k] == NULL)
			continue;
		TRY(setting_set(settings, k, bytes_of_text(edit->value[k]),
		    &changed, change->why));
		if (!changed)
			continue;
		tell(change, "%s%s: %s", any ? ", " : "", setting_row(k)->name,
		    setting_shown(settings, k));
		any = true;
	}
	if (!any)
		tell(change, "%s: nothing was changed",
		    section_row(cli_command(change->ctx)->section)->title);
out:
	return rc;
}

static void
finish(struct cli *cli)
{
	struct edit *edit = cli_state(cli);

	edit->change.apply = apply;
	cli_change(cli, &edit->change, NULL, "");
}

/* false: the command has ended. */
static bool
take(struct cli *cli, enum setting which, struct bytes value)
{
	struct edit *edit = cli_state(cli);
	char kept[SETTING_VALUE_OCTETS];
	char why[SETTING_WHY_OCTETS] = "";
	enum err rc = setting_check(which, value, kept, why);
	char *copy = NULL;

	if (rc != OK) {
		cli_refuse(cli, "%s", why[0] != '\0' ? why : err_text(rc));
		return false;
	}
	copy = mem_strdup(kept);
	secret_wipe(kept, sizeof(kept));
	forget(edit->value[which]);
	edit->value[which] = copy;
	if (copy == NULL) {
		cli_fail(cli, "%s", err_text(ERR_NOMEM));
		return false;
	}
	return true;
}

static void answered(struct cli *cli, struct bytes line);

/* The next field of the section that there is already, or of the words. */
static void
ask_next(struct cli *cli)
{
	struct edit *edit = cli_state(cli);
	const struct setting_row *row;
	struct buf text;

	for (;; edit->at++) {
		if (edit->at == SETTING_COUNT) {
			finish(cli);
			return;
		}
		row = setting_row(edit->at);
		if (row->section == cli_command(cli)->section &&
		    row->state == DONE &&
		    (!edit->has_words || edit->asks[edit->at]))
			break;
	}
	buf_init(&text, SETTING_VALUE_OCTETS + SETTING_WHY_OCTETS);
	if (buf_printf(&text, "%s (", row->name) != OK ||
	    setting_rule(edit->at, &text) != OK ||
	    buf_printf(&text, ") [%s]:%c",
		setting_shown(cli_appliance(cli)->settings, edit->at), 0) != OK)
		cli_fail(cli, "%s", err_text(ERR_NOMEM));
	else
		cli_ask(cli, row->is_secret ? CLI_SECRET : CLI_VALUE,
		    (const char *)buf_peek(&text).at, answered);
	buf_clear(&text);
}

static void
answered(struct cli *cli, struct bytes line)
{
	struct edit *edit = cli_state(cli);

	if (setting_row(edit->at)->is_secret &&
	    bytes_equal_text(line, SECRET_NONE))
		line.octets = 0;
	else if (line.octets == 0) {
		edit->at++;
		ask_next(cli);
		return;
	}
	if (!take(cli, edit->at, line))
		return;
	edit->at++;
	ask_next(cli);
}

static bool
take_words(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	enum section section = cli_command(cli)->section;
	struct edit *edit = cli_state(cli);
	enum setting which;
	size_t k;

	for (k = 0; k < arg_count; k++) {
		enum err rc = setting_find(section, args[k], &which);

		if (rc != OK) {
			cli_refuse_word(cli, "unknown field",
			    "%s: %s field: \"%.*s\"",
			    section_row(section)->title,
			    rc == ERR_COUNT ? "ambiguous" : "unknown",
			    (int)args[k].octets, (const char *)args[k].at);
			return false;
		}
		if (setting_row(which)->is_secret) {
			edit->asks[which] = true;
			continue;
		}
		if (++k == arg_count) {
			cli_refuse(cli, "%s: \"%.*s\" has no value",
			    section_row(section)->title,
			    (int)args[k - 1].octets,
			    (const char *)args[k - 1].at);
			return false;
		}
		if (!take(cli, which, args[k]))
			return false;
	}
	return true;
}

void
settings_edit(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct edit *edit = NULL;

	edit = cli_keep(cli, sizeof(*edit), drop);
	if (edit == NULL)
		return;
	edit->has_words = arg_count != 0;
	if (take_words(cli, args, arg_count))
		ask_next(cli);
}
