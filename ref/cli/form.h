/*
 * A dialogue: questions in a row, each answer looked at as it comes.
 */
#ifndef CLI_FORM_H
#define CLI_FORM_H

#include "base/secret.h"
#include "cli/cli.h"

enum { FORM_WHY_OCTETS = 512 };

/*
 * mark  CLI_VALUE or CLI_SECRET
 * text  what is asked
 * take  the answer, borrowed; an error ends the command with
 *       `why`, or, where that is empty, with the error's text
 */
struct form_field {
	enum cli_mark mark;
	const char *text;
	enum err (*take)(
	    struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS]);
};

/* The same field as a word of the command, with its value behind it. */
struct form_word {
	const char *word;
	enum err (*take)(
	    struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS]);
};

/* Embedded in the command's state, and zeroed. */
struct form {
	const struct form_field *field; /* borrowed */
	size_t count;
	size_t at;
	void (*done)(struct cli *cli);
};

/* Ask them all, then call `done`. The form lies in the command's state. */
void
form_run(struct cli *cli, struct form *form, const struct form_field *field,
    size_t count, void (*done)(struct cli *cli));

/*
 * WORD VALUE ..., each taken as an answer would be; `rule` says which words
 * there are. false: the command has ended.
 */
bool form_words(struct cli *cli, const struct form_word *word, size_t count,
    const struct bytes *args, size_t arg_count, const char *rule);

/* A new password that was typed twice, for `take`: ERR_FIELD when it was not.
 */
enum err form_again(const struct secret *first, struct bytes line,
    char why[FORM_WHY_OCTETS]) MUST_CHECK;

#endif
