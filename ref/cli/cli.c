#include "cli/cli.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cli/hsm.h"
#include "cli/session.h"
#include "device/syslog.h"

/* ---- saying ---- */

static void
put(struct cli *cli, enum cli_mark mark, const char *text)
{
	cli->line(cli->ctx, mark, bytes_of_text(text));
}

static void __attribute__((format(printf, 2, 0)))
say(struct cli *cli, const char *format, va_list args)
{
	char text[SAY_OCTETS];

	(void)vsnprintf(text, sizeof(text), format, args);
	put(cli, CLI_SAY, text);
}

void
cli_say(struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(cli, format, args);
	va_end(args);
}

void
cli_say_text(struct cli *cli, struct bytes text)
{
	cli->line(cli->ctx, CLI_SAY, text);
}

void
cli_say_lines(struct cli *cli, struct bytes text)
{
	while (text.octets != 0) {
		const uint8_t *end = memchr(text.at, '\n', text.octets);
		size_t octets =
		    end != NULL ? (size_t)(end - text.at) : text.octets;

		cli_say_text(cli, (struct bytes){text.at, octets});
		octets += end != NULL;
		text.at += octets;
		text.octets -= octets;
	}
}

/* Whoever leaves the session alone is logged out. */
static void
watch_idle(struct cli *cli)
{
	int64_t minutes =
	    setting_number(cli->appliance->settings, SETTING_AUTOLOGOUT);

	if (minutes == 0)
		loop_timer_stop(cli->idle);
	else
		loop_timer_set(cli->idle,
		    loop_now_ms(cli->appliance->loop) + minutes * 60000);
}

static void
idle_too_long(void *ctx)
{
	struct cli *cli = ctx;

	/* a command that waits for the HSM is not idle */
	if (!cli_waits(cli)) {
		watch_idle(cli);
		return;
	}
	cli_say(cli, "Autologout: the session was idle too long.");
	cli_bye(cli);
}

/* req: KS-05-018 KS-05-118 */
static void
prompt(struct cli *cli)
{
	char text[PROMPT_OCTETS];

	(void)snprintf(text, sizeof(text), "%s%s# ",
	    setting_text(cli->appliance->settings, SETTING_HOST_NAME),
	    cli->mode == CLI_CONFIG ? " (config)" : "");
	watch_idle(cli);
	put(cli, CLI_PROMPT, text);
}

/* ---- a slice at a time ---- */

static void
room_comes(void *ctx)
{
	struct cli *cli = ctx;

	if (cli->room != NULL && !cli->room(cli->ctx))
		cli->stuck = true;
	else
		cli->then(cli);
}

void
cli_go_on(struct cli *cli, void (*then)(struct cli *cli))
{
	assert(cli->busy);
	cli->then = then;
	cli->room_task = (struct loop_task){.fn = room_comes, .ctx = cli};
	loop_later(cli->appliance->loop, &cli->room_task);
}

void
cli_has_room(struct cli *cli)
{
	if (!cli->stuck)
		return;
	cli->stuck = false;
	loop_later(cli->appliance->loop, &cli->room_task);
}

/* ---- the end of a command ---- */

void
cli_drop(struct cli *cli)
{
	loop_task_cancel(&cli->room_task);
	cli->stuck = false;
	if (cli->drop != NULL)
		cli->drop(cli->state);
	cli->state = NULL;
	cli->drop = NULL;
}

/* Not from within the command that has ended. */
static void
step(void *ctx)
{
	struct cli *cli = ctx;
	const char *line = *cli->steps++;

	cli->busy = false;
	cli_input(cli, bytes_of_text(line));
}

static void
go_on(struct cli *cli, bool failed)
{
	if (failed || (cli->steps != NULL && *cli->steps == NULL))
		cli->steps = NULL;
	if (cli->steps == NULL) {
		prompt(cli);
		return;
	}
	cli->busy = true;
	cli->step = (struct loop_task){.fn = step, .ctx = cli};
	loop_later(cli->appliance->loop, &cli->step);
}

static void
end(struct cli *cli, bool failed)
{
	assert(cli->busy);
	cli_drop(cli);
	cli->busy = false;
	cli->command = NULL;
	cli->answer = NULL;
	put(cli, CLI_END, failed ? "1" : "0");
	go_on(cli, failed);
}

void
cli_done(struct cli *cli)
{
	end(cli, false);
}

void
cli_fail(struct cli *cli, const char *format, ...)
{
	char text[SAY_OCTETS];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cli_say(cli, "Error: %s", text);
	end(cli, true);
}

void
cli_end(struct cli *cli, enum err rc)
{
	if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	else
		cli_done(cli);
}

void
cli_audit(struct cli *cli, const char *format, ...)
{
	char text[SAY_OCTETS];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	change_refused(cli->appliance, &cli->who, text);
}

/*
 * What was refused: as it stands among access controls, or, of a command that
 * takes none by itself, its words. Some of these ask for passwords later.
 */
static struct bytes
refused_what(const struct cli *cli)
{
	const struct command *command = cli->command;
	const char *rest;

	if (command == NULL)
		return bytes_of_text("command line");
	if (command->act != ACT_LOOK)
		return bytes_of_text(act_row(command->act)->name);
	rest = strstr(command->words, " ...");
	if (rest == NULL)
		return bytes_of_text(command->words);
	return (struct bytes){
	    (const uint8_t *)command->words, (size_t)(rest - command->words)};
}

static void
audit_refusal(struct cli *cli, const char *text)
{
	struct bytes what = refused_what(cli);

	cli_audit(cli, "Refused: %.*s: %s", (int)what.octets,
	    (const char *)what.at, text);
}

void
cli_refuse(struct cli *cli, const char *format, ...)
{
	char text[SAY_OCTETS];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	audit_refusal(cli, text);
	cli_fail(cli, "%s", text);
}

void
cli_refuse_word(struct cli *cli, const char *written, const char *format, ...)
{
	char text[SAY_OCTETS];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	audit_refusal(cli, written);
	cli_fail(cli, "%s", text);
}

void
cli_leave(struct cli *cli, bool failed)
{
	cli_drop(cli);
	loop_timer_stop(cli->idle);
	put(cli, CLI_END, failed ? "1" : "0");
	put(cli, CLI_BYE, "");
}

void
cli_bye(struct cli *cli)
{
	cli_leave(cli, false);
}

void
cli_ask(
    struct cli *cli, enum cli_mark mark, const char *text, cli_answer_fn *then)
{
	assert(cli->busy);
	cli->answer = then;
	watch_idle(cli);
	put(cli, mark, text);
}

void
cli_hold(struct cli *cli, void *state, cli_drop_fn *drop)
{
	assert(cli->busy && cli->drop == NULL);
	cli->state = state;
	cli->drop = drop;
}

void *
cli_keep(struct cli *cli, size_t octets, cli_drop_fn *drop)
{
	void *state = mem_zalloc(1, octets);

	if (state == NULL)
		cli_fail(cli, "%s", err_text(ERR_NOMEM));
	else
		cli_hold(cli, state, drop);
	return state;
}

void *
cli_state(const struct cli *cli)
{
	return cli->state;
}

/* ---- changes ---- */

static void
changed(struct change *change, enum err rc)
{
	struct cli *cli = change->ctx;
	char why[CHANGE_WHY_OCTETS];

	cli->change = NULL;
	if (rc == OK && cli->effect != NULL)
		rc = cli->effect(cli, change);
	/* `change` may lie in the command's memory, which goes with it */
	memcpy(why, change->why, sizeof(why));
	if (rc != OK) {
		cli_fail(cli, "%s", why[0] != '\0' ? why : err_text(rc));
		return;
	}
	if (cli->said[0] != '\0')
		cli_say(cli, "%s", cli->said);
	cli_done(cli);
}

void
cli_change(struct cli *cli, struct change *change, cli_effect_fn *effect,
    const char *said)
{
	assert(cli->busy && cli->change == NULL && cli->command != NULL);
	cli->change = change;
	cli->effect = effect;
	cli->said = said;
	change->by = cli->who;
	change->act = cli->command->act;
	change->approvals = &cli->approvals;
	change->done = changed;
	change->ctx = cli;
	change_run(cli->appliance, change);
}

/* ---- a line that was typed ---- */

static void
show_next(void *ctx, struct bytes word, const char *help)
{
	cli_say(ctx, "  %-24.*s  %s", (int)word.octets, (const char *)word.at,
	    help != NULL ? help : "...");
}

/* clang-format off */
static const char *const refusals[] = {
	[COMMAND_FOUND] = "",
	[COMMAND_UNKNOWN] = "unknown command",
	[COMMAND_AMBIGUOUS] = "ambiguous command",
	[COMMAND_INCOMPLETE] = "incomplete command",
	[COMMAND_ELSEWHERE] = "a command of the other mode",
};
/* clang-format on */

/*
 * Words are printed back, but not written down: what is no command may be a
 * password that was typed too early.
 */
static void
refuse(struct cli *cli, enum command_match match, size_t at_word)
{
	struct bytes word = BYTES_NONE;

	if (at_word < cli->words.count)
		word = cli->words.word[at_word];
	audit_refusal(cli, refusals[match]);
	switch (match) {
	case COMMAND_FOUND:
		break;
	case COMMAND_UNKNOWN:
		cli_fail(cli, "unknown command: \"%.*s\"; ? lists commands",
		    (int)word.octets, (const char *)word.at);
		break;
	case COMMAND_AMBIGUOUS:
		cli_fail(cli, "ambiguous command: \"%.*s\"", (int)word.octets,
		    (const char *)word.at);
		break;
	case COMMAND_INCOMPLETE:
		cli_fail(cli, "incomplete command; ? lists what can follow");
		break;
	case COMMAND_ELSEWHERE:
		cli_fail(cli, cli->mode == CLI_PLAIN
				  ? "a command of configuration mode; enter "
				    "it with config"
				  : "not a command of configuration mode; "
				    "leave it with exit");
		break;
	}
}

/* May they, and how many others does it take? */
static enum err
permit(struct cli *cli, char why[CHANGE_WHY_OCTETS])
{
	size_t more;
	size_t k;
	enum err rc = OK;

	cli->more = 0;
	for (k = 0; k < cli->act_count; k++) {
		TRY(change_permit(cli->appliance, &cli->who, cli->acts[k],
		    &cli->approvals, &more, why));
		if (more > cli->more)
			cli->more = more;
	}
out:
	return rc;
}

void
cli_permit_now(struct cli *cli)
{
	char why[CHANGE_WHY_OCTETS] = "";
	enum err rc = permit(cli, why);

	if (rc != OK)
		cli_refuse(cli, "%s", why[0] != '\0' ? why : err_text(rc));
	else if (cli->more != 0)
		confirm_begin(cli);
	else
		cli->permitted(cli);
}

void
cli_permit(struct cli *cli, const enum act *acts, size_t count,
    void (*then)(struct cli *cli))
{
	assert(cli->busy && count < CLI_ACTS_MOST);
	cli->acts[0] = cli->command->act;
	if (count != 0)
		memcpy(cli->acts + 1, acts, count * sizeof(*acts));
	cli->act_count = count + 1;
	cli->permitted = then;
	cli_permit_now(cli);
}

static void
run_command(struct cli *cli)
{
	cli->command->run(cli, cli->words.word + cli->at_word,
	    cli->words.count - cli->at_word);
}

/* What can follow: words of commands, and of the settings to be edited. */
static enum command_match
next(struct cli *cli, const struct words *words, command_each_fn *each,
    void *ctx)
{
	enum command_match match = command_next(words, cli->mode, each, ctx);
	size_t place = words->count - (words->open ? 1 : 0);
	const struct command *command;
	size_t at_word;

	if (command_find(words, cli->mode, &command, &at_word) !=
		COMMAND_FOUND ||
	    command->run != settings_edit || place < at_word)
		return match;
	if ((place - at_word) % 2 == 0)
		settings_each_word(command->section,
		    words->open ? words->word[place] : BYTES_NONE, each, ctx);
	return COMMAND_FOUND;
}

static void
run(struct cli *cli)
{
	const struct command *command;
	enum command_match match;
	size_t at_word = 0;

	if (cli->words.asks) {
		match = next(cli, &cli->words, show_next, cli);
		if (match == COMMAND_FOUND)
			cli_done(cli);
		else
			cli_fail(cli, "no command begins so");
		return;
	}
	match = command_find(&cli->words, cli->mode, &command, &at_word);
	if (match != COMMAND_FOUND) {
		refuse(cli, match, at_word);
		return;
	}
	cli->command = command;
	cli->at_word = at_word;
	cli->approvals.count = 0;
	cli_permit(cli, NULL, 0, run_command);
}

/* What cannot be kept is not there to be looked at again. */
static void
remember(struct cli *cli, struct bytes line)
{
	char *text = NULL;

	if (mem_printf(
		&text, "%.*s", (int)line.octets, (const char *)line.at) != OK)
		return;
	if (cli->history_count == HISTORY_LINES) {
		mem_free(cli->history[0]);
		memmove(cli->history, cli->history + 1,
		    (HISTORY_LINES - 1) * sizeof(cli->history[0]));
		cli->history_count--;
	}
	cli->history[cli->history_count++] = text;
}

void
cli_history(const struct cli *cli, cli_line_each_fn *each, void *ctx)
{
	size_t k;

	for (k = 0; k < cli->history_count; k++)
		each(ctx, cli->history[k]);
}

void
cli_input(struct cli *cli, struct bytes line)
{
	cli_answer_fn *answer = cli->answer;
	enum err rc;

	assert(cli_waits(cli));
	if (answer != NULL) {
		cli->answer = NULL;
		answer(cli, line);
		return;
	}
	cli->command = NULL;
	rc = words_read(line, &cli->words);
	if (rc == OK && cli->words.count == 0 && !cli->words.asks) {
		prompt(cli);
		return;
	}
	cli->busy = true;
	if (rc == ERR_LENGTH) {
		cli_refuse(cli, "the line is too long: at most %d octets",
		    COMMAND_LINE_OCTETS);
		return;
	}
	if (rc != OK) {
		cli_refuse(cli, "the line cannot be read: %s", err_text(rc));
		return;
	}
	remember(cli, line);
	run(cli);
}

/* ---- how it could go on ---- */

/* The words that can follow, and what all of them begin with. */
struct rest {
	struct cli *cli;
	size_t begun; /* octets that were typed of it */
	struct bytes common;
	size_t count;
};

static void
count_rest(void *ctx, struct bytes word, const char *help)
{
	struct rest *rest = ctx;
	size_t k = 0;

	(void)help;
	if (bytes_equal_text(word, COMMAND_END))
		return;
	if (rest->count++ == 0) {
		rest->common = word;
		return;
	}
	while (k < rest->common.octets && k < word.octets &&
	       rest->common.at[k] == word.at[k])
		k++;
	rest->common.octets = k;
}

static void
put_rest(struct cli *cli, const struct rest *rest)
{
	char text[COMMAND_LINE_OCTETS + 2];

	(void)snprintf(text, sizeof(text), "%.*s%s",
	    (int)(rest->common.octets - rest->begun),
	    (const char *)rest->common.at + rest->begun,
	    rest->count == 1 ? " " : "");
	put(cli, CLI_COMPLETE, text);
}

void
cli_complete(struct cli *cli, struct bytes begun)
{
	uint8_t asked[COMMAND_LINE_OCTETS];
	struct rest rest = {.cli = cli};
	struct words words;

	assert(cli_waits_for_command(cli));
	watch_idle(cli);
	if (begun.octets < sizeof(asked)) {
		memcpy(asked, begun.at, begun.octets);
		asked[begun.octets] = '?';
		if (words_read((struct bytes){asked, begun.octets + 1},
			&words) == OK) {
			(void)next(cli, &words, count_rest, &rest);
			if (words.open)
				rest.begun = words.word[words.count - 1].octets;
		}
	}
	if (rest.count == 0) {
		put(cli, CLI_COMPLETE, "");
		return;
	}
	if (rest.count != 1 && rest.common.octets == rest.begun)
		(void)next(cli, &words, show_next, cli);
	put_rest(cli, &rest);
}

void
cli_break(struct cli *cli)
{
	assert(cli_waits(cli));
	if (cli->answer == NULL) {
		prompt(cli);
		return;
	}
	cli->answer = NULL;
	if (cli->command != NULL)
		cli_fail(cli, "given up");
	else
		cli_leave(cli, true);
}

bool
cli_waits(const struct cli *cli)
{
	return !cli->busy || cli->answer != NULL;
}

bool
cli_waits_for_command(const struct cli *cli)
{
	return !cli->busy;
}

/* ---- life ---- */

void
cli_entered(struct cli *cli)
{
	cli->busy = false;
	cli->answer = NULL;
	go_on(cli, false);
}

void
cli_begins(struct cli *cli, const struct principal *who)
{
	cli->who = *who;
	cli->who.syslog_session = syslog_session_begin(cli->appliance);
}

enum err
cli_new(struct appliance *appliance, const struct cli_entry *entry,
    cli_line_fn *line, void *ctx, struct cli **out)
{
	struct cli *cli = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(cli));
	cli->appliance = appliance;
	cli->line = line;
	cli->room = entry->room;
	cli->ctx = ctx;
	cli->mode = CLI_PLAIN;
	cli->door = entry->door;
	(void)snprintf(cli->peer, sizeof(cli->peer), "%s", entry->peer);
	if (entry->who != NULL)
		cli_begins(cli, entry->who);
	cli->must = entry->must;
	TRY(loop_timer_new(appliance->loop, idle_too_long, cli, &cli->idle));
	*out = cli;
	enter_begin(cli);
	cli = NULL;
out:
	cli_free(cli);
	return rc;
}

void
cli_free(struct cli *cli)
{
	size_t k;

	if (cli == NULL)
		return;
	if (cli->change != NULL)
		change_leave(cli->change);
	loop_task_cancel(&cli->step);
	enter_leave(cli);
	cli_drop(cli);
	hsm_session_free(cli->hsm);
	loop_timer_free(cli->idle);
	if (cli->who.syslog_session != 0)
		syslog_session_end(cli->appliance, cli->who.syslog_session);
	for (k = 0; k < cli->history_count; k++)
		mem_free(cli->history[k]);
	secret_wipe(cli, sizeof(*cli));
	mem_free(cli);
}

struct appliance *
cli_appliance(const struct cli *cli)
{
	return cli->appliance;
}

const struct principal *
cli_principal(const struct cli *cli)
{
	return &cli->who;
}

const struct command *
cli_command(const struct cli *cli)
{
	return cli->command;
}

struct hsm_session **
cli_hsm(struct cli *cli)
{
	return &cli->hsm;
}

const struct approvals *
cli_approvals(const struct cli *cli)
{
	return &cli->approvals;
}

enum cli_mode
cli_mode(const struct cli *cli)
{
	return cli->mode;
}

void
cli_set_mode(struct cli *cli, enum cli_mode mode)
{
	cli->mode = mode;
}
