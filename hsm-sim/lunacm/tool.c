#include "lunacm/tool.h"

#include <stdio.h>

/* req: KSC-064  the guide's own example */
static const char greeting[] =
    "LunaCM v1.1.0-1044. Copyright (c) 2006-2017 SafeNet.\n\n";

void
tool_init(struct tool *tool, const char *path)
{
	face_init(&tool->face);
	cardlink_init(&tool->link, path);
	tool->slot = 0;
	tool->over = false;
}

void
tool_clear(struct tool *tool)
{
	cardlink_close(&tool->link);
}

/* ---- the card ---- */

enum err
tool_ask_card(struct tool *tool, const char *command,
    const struct cardlink_arg *args, size_t arg_count, struct reply *reply,
    struct result *result)
{
	enum err rc =
	    cardlink_ask(&tool->link, command, args, arg_count, reply);

	*result = result_ok();
	if (rc == ERR_NOMEM)
		return rc;
	if (rc == ERR_LIMIT)
		*result = result_arguments("it is too long");
	else if (rc != OK)
		*result = result_removed();
	else if (reply->kind == REPLY_ERROR)
		*result = result_of(reply->code);
	return OK;
}

enum err
tool_ask(struct tool *tool, const char *command,
    const struct cardlink_arg *args, size_t arg_count, struct reply *reply,
    struct result *result)
{
	enum { ARGS_MAX = 5 };
	struct cardlink_arg all[ARGS_MAX];
	char number[12];
	size_t k;

	if (tool->slot == 0) {
		*result = result_slot();
		return OK;
	}
	(void)snprintf(number, sizeof(number), "%u", tool->slot);
	all[0] = (struct cardlink_arg){"slot", bytes_of_text(number)};
	for (k = 0; k < arg_count && k + 1 < ARGS_MAX; k++)
		all[k + 1] = args[k];
	return tool_ask_card(tool, command, all, k + 1, reply, result);
}

/* ---- the person ---- */

enum err
tool_ask_secret(struct tool *tool, const char *prompt, struct secret **out,
    struct result *result)
{
	enum err rc = face_ask_secret(&tool->face, prompt, out);

	*result = result_ok();
	if (rc != ERR_LENGTH)
		return rc;
	*result = result_of("CARD_PIN_LENGTH");
	return OK;
}

/* req: KSC-089, KSC-097, KSC-106, KSC-131  the two entries must agree */
enum err
tool_ask_twice(struct tool *tool, const char *prompt, const char *again,
    struct secret **out, struct result *result)
{
	struct secret *first = NULL;
	struct secret *second = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(tool_ask_secret(tool, prompt, &first, result));
	if (first == NULL)
		goto out;
	TRY(tool_ask_secret(tool, again, &second, result));
	if (second == NULL)
		goto out;
	if (!secret_equal(first, second)) {
		*result = result_arguments("the two entries differ");
		goto out;
	}
	*out = first;
	first = NULL; /* now the caller's */
out:
	secret_free(second);
	secret_free(first);
	return rc;
}

/* ---- commands about the tool ---- */

enum err
tool_help(struct tool *tool, const struct phrase *phrase, struct result *out)
{
	const struct luna_command *row;
	size_t k;

	(void)tool;
	(void)phrase;
	for (k = 0; (row = luna_command_row(k)) != NULL; k++)
		face_say("  %s%s%s\n      %s\n", row->words,
		    *row->syntax != '\0' ? " " : "", row->syntax, row->help);
	*out = result_ok();
	return OK;
}

enum err
tool_exit(struct tool *tool, const struct phrase *phrase, struct result *out)
{
	(void)phrase;
	tool->over = true;
	*out = result_ok();
	return OK;
}

/* What phrase_read() found wrong, and with which word. */
static struct result
blame(enum err rc, const struct phrase *phrase)
{
	static const struct {
		enum err rc;
		const char *text;
	} texts[] = {
	    {ERR_NOT_FOUND, "no such command; help lists them"},
	    {ERR_UNEXPECTED, "not expected here"},
	    {ERR_REPEATED, "it stands twice"},
	    {ERR_MISSING, "it, or its value, is missing"},
	    {ERR_TRUNCATED, "a quotation mark is not closed"},
	    {ERR_COUNT, "too many words"},
	};
	size_t k;

	if (phrase->blamed.octets != 0)
		face_say("%.*s: ", (int)phrase->blamed.octets,
		    (const char *)phrase->blamed.at);
	for (k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
		if (texts[k].rc == rc)
			return result_arguments(texts[k].text);
	}
	return result_arguments("the line cannot be read");
}

/* req: KSC-079, KSC-080 */
static void
report(const struct result *result)
{
	if (result->text != NULL)
		face_say("%s\n", result->text);
	if (result->code == CKR_OK)
		face_say("Command Result : No Error\n\n");
	else
		face_say("Command Result : 0x%lx (%s)\n\n", result->code,
		    result->name);
}

static enum err
carry_out(struct tool *tool, struct bytes line)
{
	struct phrase phrase;
	struct result result;
	enum err rc = phrase_read(line, &phrase);

	if (rc != OK) {
		result = blame(rc, &phrase);
		rc = OK;
	} else if (phrase.command == NULL)
		goto out;
	else
		TRY(phrase.command->run(tool, &phrase, &result));
	if (!tool->over)
		report(&result);
out:
	secret_wipe(&phrase, sizeof(phrase)); /* the domain may be in it */
	return rc;
}

enum err
tool_run(struct tool *tool)
{
	struct result result;
	struct buf line;
	enum err rc = OK;

	buf_init(&line, FACE_LINE_OCTETS);
	face_say("%s", greeting);
	TRY(tool_slots_show(tool, &result));
	if (result.code != CKR_OK) {
		face_say("%s\n", result.text);
		TRY(ERR_CLOSED);
	}
	face_say("\n");
	while (!tool->over) {
		/* req: KSC-073 */
		rc = face_ask(&tool->face, "lunacm:>", &line);
		if (rc == ERR_LENGTH) {
			result = result_arguments("the line is too long");
			report(&result);
			continue;
		}
		if (rc == OK)
			rc = carry_out(tool, buf_peek(&line));
		/* What was typed has come to its end. */
		if (rc == ERR_CLOSED)
			tool->over = true;
		else
			TRY(rc);
	}
	rc = OK;
out:
	buf_clear(&line);
	return rc;
}
