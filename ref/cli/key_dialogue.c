/*
 * Dialogues of the commands about keys: what they ask for becomes the words of
 * the command, which are then read as if they had been typed.
 */
#include "base/mem.h"
#include "cli/args.h"
#include "cli/key.h"

struct key_dialogue {
	const struct key_question *questions; /* borrowed */
	size_t count;
	size_t at;
	size_t typed; /* arguments that need not be asked for */
	void (*then)(struct key_command *work);
	/* arguments and words apart, in the order in which they were asked for
	 */
	struct bytes *arguments;
	size_t argument_count;
	struct bytes *words;
	size_t word_count;
};

static void ask(struct key_command *work);

/* The arguments, and the words behind them. */
static void
gathered(struct key_command *work)
{
	struct key_dialogue *d = work->dialogue;
	size_t k;

	for (k = 0; k < d->word_count; k++)
		d->arguments[d->argument_count + k] = d->words[k];
	work->args = d->arguments;
	work->arg_count = d->argument_count + d->word_count;
	d->then(work);
}

static enum err
keep(struct key_command *work, struct bytes line)
{
	struct key_dialogue *d = work->dialogue;
	const struct key_question *q = &d->questions[d->at];
	struct bytes copy;
	enum err rc = OK;

	if (line.octets == 0 && (q->kind == ASK_NAME || q->kind == ASK_NEEDED))
		TRY(ERR_FIELD);
	if (line.octets == 0)
		return OK;
	TRY(arena_copy(work->arena, line, &copy));
	switch (q->kind) {
	case ASK_NAME:
		work->name = copy;
		break;
	case ASK_NEEDED:
	case ASK_MAYBE:
		d->arguments[d->argument_count++] = copy;
		break;
	case ASK_WORD:
		d->words[d->word_count++] = bytes_of_text(q->word);
		d->words[d->word_count++] = copy;
		break;
	}
out:
	return rc;
}

static void
answered(struct cli *cli, struct bytes line)
{
	struct key_command *work = cli_state(cli);
	enum err rc = keep(work, line);

	if (rc == ERR_FIELD) {
		cli_refuse(cli, "%s it is missing",
		    work->dialogue->questions[work->dialogue->at].text);
		return;
	}
	if (rc != OK) {
		cli_fail(cli, "%s", err_text(rc));
		return;
	}
	work->dialogue->at++;
	ask(work);
}

static bool
was_typed(const struct key_command *work, const struct key_question *question)
{
	struct key_dialogue *d = work->dialogue;

	switch (question->kind) {
	case ASK_NAME:
		return work->name.octets != 0;
	case ASK_NEEDED:
	case ASK_MAYBE:
		if (d->typed == 0)
			return false;
		d->typed--;
		return true;
	case ASK_WORD:
		break;
	}
	return false;
}

static void
ask(struct key_command *work)
{
	struct key_dialogue *d = work->dialogue;

	while (d->at < d->count && was_typed(work, &d->questions[d->at]))
		d->at++;
	if (d->at == d->count)
		gathered(work);
	else
		cli_ask(
		    work->cli, CLI_VALUE, d->questions[d->at].text, answered);
}

static enum err
begin(struct key_command *work, const struct key_question *questions,
    size_t count, void (*then)(struct key_command *work))
{
	struct key_dialogue *d;
	size_t k;
	enum err rc = OK;

	TRY(ARENA_NEW(work->arena, d));
	d->questions = questions;
	d->count = count;
	d->then = then;
	/* each question gives two at most */
	TRY(ARENA_ARRAY(
	    work->arena, d->arguments, work->arg_count + 2 * count));
	TRY(ARENA_ARRAY(work->arena, d->words, 2 * count));
	for (k = 0; k < work->arg_count; k++)
		d->arguments[d->argument_count++] = work->args[k];
	d->typed = work->arg_count;
	work->dialogue = d;
out:
	return rc;
}

static bool
has_word(const struct key_question *questions, size_t count)
{
	size_t k;

	for (k = 0; k < count; k++)
		if (questions[k].kind == ASK_WORD)
			return true;
	return false;
}

void
key_command_gather(struct cli *cli, const struct bytes *args, size_t arg_count,
    size_t least, const struct key_question *questions, size_t count,
    void (*then)(struct key_command *work))
{
	struct key_command *work;
	enum err rc;

	if (!has_word(questions, count) &&
	    !args_at_most(cli, args, arg_count, count))
		return;
	work = key_command_new(cli);
	if (work == NULL)
		return;
	if (arg_count != 0) {
		work->name = args[0];
		work->args = args + 1;
		work->arg_count = arg_count - 1;
	}
	if (arg_count >= least) {
		then(work);
		return;
	}
	rc = begin(work, questions, count, then);
	if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	else
		ask(work);
}
