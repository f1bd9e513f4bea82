/*
 * What an administrator types: words, and the command that they name.
 *
 * A line is words between blanks. A word may be put in quotation marks, and
 * within them \" and \\ stand for what they hide. Each word of a command may be
 * shortened as far as it stays the only one that begins so. A `?` at the end
 * asks what can follow: behind a blank the next word, else the rest of this.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/bytes.h"
#include "device/settings.h"

struct cli;

/* Room for a description of 2048 characters, and the words around it. */
enum { COMMAND_LINE_OCTETS = 4 * 2048 + 512, COMMAND_WORDS_MAX = 32 };

struct words {
	struct bytes word[COMMAND_WORDS_MAX]; /* in text */
	size_t count;
	bool asks; /* it ended with a `?` */
	bool open; /* ... that touched the last word, which goes on */
	uint8_t text[COMMAND_LINE_OCTETS];
};

/*
 * Read a line, without its end. Does not keep `line`.
 *
 * ERR_LENGTH     longer than COMMAND_LINE_OCTETS
 * ERR_COUNT      more than COMMAND_WORDS_MAX words
 * ERR_UTF8
 * ERR_VALUE      a control character
 * ERR_TRUNCATED  a quotation mark is not closed
 */
enum err words_read(struct bytes line, struct words *out) MUST_CHECK;

enum cli_mode { CLI_PLAIN = 1, CLI_CONFIG = 2, CLI_ANY = 3 };

/* args: the words behind the command's own */
typedef void
command_fn(struct cli *cli, const struct bytes *args, size_t arg_count);

struct command {
	const char *words;
	enum cli_mode mode;
	enum act act;
	command_fn *run;
	const char *clause;
	const char *help;
	enum section section; /* of the settings that it shows or edits */
};

/*
 * The rows in order, NULL behind the last: those of command.def, then a `show`
 * and an `edit` for each section of settings.def.
 */
const struct command *command_row(size_t row);

enum command_match {
	COMMAND_FOUND,
	COMMAND_UNKNOWN,
	COMMAND_AMBIGUOUS,  /* a word is the beginning of several */
	COMMAND_INCOMPLETE, /* words are missing */
	COMMAND_ELSEWHERE,  /* a command of the other mode */
};

/*
 * *out      COMMAND_FOUND: the command
 * *at_word  COMMAND_FOUND: the first word behind its own; UNKNOWN and
 *           AMBIGUOUS: the word that is to blame
 */
enum command_match command_find(const struct words *words, enum cli_mode mode,
    const struct command **out, size_t *at_word);

#define COMMAND_END "<cr>"

/*
 * What can follow these words: `each` gets every word once, with the help of
 * the command that ends there, or NULL where words must follow it. Where the
 * line could end here, the word is COMMAND_END. The outcome is COMMAND_FOUND
 * unless nothing can follow.
 */
typedef void command_each_fn(void *ctx, struct bytes word, const char *help);
enum command_match command_next(const struct words *words, enum cli_mode mode,
    command_each_fn *each, void *ctx);

#define COMMAND(words, mode, act, run, clause, help) command_fn run;
#include "cli/command.def"
#undef COMMAND
command_fn settings_show, settings_edit;

#endif
