#include "cli/cli.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/hsm.h"

enum { SAY_OCTETS = 2048, PROMPT_OCTETS = 160 };

struct cli {
	const struct cli_config *config;
	cli_line_fn *line;
	void *ctx;
	enum cli_mode mode;
	bool busy;             /* a command is under way */
	cli_answer_fn *answer; /* who gets the next line; NULL: a command */
	struct hsm_session *hsm;
	struct words words; /* of the command that is under way */
};

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

/* req: KS-05-018 KS-05-118 */
static void
prompt(struct cli *cli)
{
	char text[PROMPT_OCTETS];

	(void)snprintf(text, sizeof(text), "%s%s# ", cli->config->host_name,
	    cli->mode == CLI_CONFIG ? " (config)" : "");
	put(cli, CLI_PROMPT, text);
}

/* ---- the end of a command ---- */

static void
end(struct cli *cli, bool failed)
{
	assert(cli->busy);
	cli->busy = false;
	cli->answer = NULL;
	put(cli, CLI_END, failed ? "1" : "0");
	prompt(cli);
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
cli_bye(struct cli *cli)
{
	put(cli, CLI_END, "0");
	put(cli, CLI_BYE, "");
}

void
cli_ask(
    struct cli *cli, enum cli_mark mark, const char *text, cli_answer_fn *then)
{
	assert(cli->busy);
	cli->answer = then;
	put(cli, mark, text);
}

/* ---- a line that was typed ---- */

static void
show_next(void *ctx, struct bytes word, const char *help)
{
	cli_say(ctx, "  %-24.*s  %s", (int)word.octets, (const char *)word.at,
	    help != NULL ? help : "...");
}

/* Words are printed back only where they are no answer to a question. */
static void
refuse(struct cli *cli, enum command_match match, size_t at_word)
{
	struct bytes word = BYTES_NONE;

	if (at_word < cli->words.count)
		word = cli->words.word[at_word];
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

static void
run(struct cli *cli)
{
	const struct command *command;
	enum command_match match;
	size_t at_word = 0;

	if (cli->words.asks) {
		match = command_next(&cli->words, cli->mode, show_next, cli);
		if (match == COMMAND_FOUND)
			cli_done(cli);
		else
			cli_fail(cli, "no command begins so");
		return;
	}
	match = command_find(&cli->words, cli->mode, &command, &at_word);
	if (match != COMMAND_FOUND)
		refuse(cli, match, at_word);
	else
		command->run(
		    cli, cli->words.word + at_word, cli->words.count - at_word);
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
	rc = words_read(line, &cli->words);
	if (rc == OK && cli->words.count == 0 && !cli->words.asks) {
		prompt(cli);
		return;
	}
	cli->busy = true;
	if (rc != OK)
		cli_fail(cli, "the line cannot be read: %s", err_text(rc));
	else
		run(cli);
}

bool
cli_waits(const struct cli *cli)
{
	return !cli->busy || cli->answer != NULL;
}

/* ---- life ---- */

enum err
cli_new(const struct cli_config *config, cli_line_fn *line, void *ctx,
    struct cli **out)
{
	struct cli *cli = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(cli));
	cli->config = config;
	cli->line = line;
	cli->ctx = ctx;
	cli->mode = CLI_PLAIN;
	*out = cli;
	prompt(cli);
out:
	return rc;
}

void
cli_free(struct cli *cli)
{
	if (cli == NULL)
		return;
	hsm_session_free(cli->hsm);
	mem_free(cli);
}

const struct cli_config *
cli_config(const struct cli *cli)
{
	return cli->config;
}

struct hsm_session **
cli_hsm(struct cli *cli)
{
	return &cli->hsm;
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
