/*
 * What a person types into lunacm: a command, and options behind it.
 *
 * A line is words between blanks; a part in quotation marks keeps its blanks
 * and is never taken for an option. Commands and options are not sensitive to
 * case, and are written out, but for the short words of lunacm.def; values are
 * kept as they were typed. The value of -name is all words up to the next
 * option, so that `-name Crypto Officer` needs no quotation marks.
 */
#ifndef LUNACM_PHRASE_H
#define LUNACM_PHRASE_H

#include "base/bytes.h"

enum {
	PHRASE_OCTETS = 1024,
	PHRASE_WORDS_MAX = 32,
	PHRASE_OPTIONS_MAX = 4,
};

struct tool;
struct phrase;
struct result;

/* tool.h */
typedef enum err
tool_fn(struct tool *tool, const struct phrase *phrase, struct result *out);

/* A row of lunacm.def. */
struct luna_command {
	const char *words;
	tool_fn *run;
	const char *syntax;
	const char *clause;
	const char *help;
};

/* The rows in order: NULL behind the last. */
const struct luna_command *luna_command_row(size_t row);

struct luna_role {
	const char *name, *whole, *state;
};

/* Likewise; and by what a person calls it, in any case: NULL, nobody. */
const struct luna_role *luna_role_row(size_t row);
const struct luna_role *luna_role_find(struct bytes name);

struct phrase {
	const struct luna_command *command; /* NULL: the line was empty */
	/* In the order of the row's syntax. at is NULL where the option is not
	 * there; one that has no value has no octets. In text. */
	struct bytes value[PHRASE_OPTIONS_MAX];
	struct bytes blamed; /* on failure: the word that it is about */
	uint8_t text[PHRASE_OCTETS + 1]; /* each word, and a blank */
};

/*
 * Read a line, without its end. Does not keep `line`.
 *
 * ERR_LENGTH      longer than PHRASE_OCTETS
 * ERR_COUNT       more than PHRASE_WORDS_MAX words
 * ERR_UTF8
 * ERR_VALUE       a control character
 * ERR_TRUNCATED   a quotation mark is not closed
 * ERR_NOT_FOUND   no such command
 * ERR_UNEXPECTED  an option that the command has not, or a word too many
 * ERR_REPEATED    an option stands twice
 * ERR_MISSING     an option that the command needs, or its value
 */
enum err phrase_read(struct bytes line, struct phrase *out) MUST_CHECK;

#define LUNACM(words, run, syntax, clause, help) tool_fn run;
#include "lunacm/lunacm.def"
#undef LUNACM

#endif
