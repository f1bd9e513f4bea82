/*
 * A dialogue: questions in a row, each answer looked at as it comes.
 */
#ifndef CLI_FORM_H
#define CLI_FORM_H

#include "base/secret.h"
#include "cli/cli.h"

enum { FORM_WHY_OCTETS = 512 };

/* Of a field or a word: the answer, borrowed. An error ends the command with
 * `why`, or, where that is empty, with the error's text. */
typedef enum err
form_take_fn(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS]);

/*
 * mark  CLI_VALUE or CLI_SECRET
 * text  what is asked
 *
 * What several commands ask for has its takes in form_field.h.
 */
struct form_field {
	enum cli_mark mark;
	const char *text;
	form_take_fn *take;
};

/* The same field as a word of the command, with its value behind it. */
struct form_word {
	const char *word;
	form_take_fn *take;
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

/* WORD VALUE ..., each taken as an answer would be. false: the command has
 * ended. */
bool form_words(struct cli *cli, const struct form_word *word, size_t count,
    const struct bytes *args, size_t arg_count);

/* ---- for `take` ---- */

/* ERR_FIELD, with why: "FIELD: LINE: RULE". */
enum err form_refuse(const char *field, struct bytes line, const char *rule,
    char why[FORM_WHY_OCTETS]) MUST_CHECK;

/* With a NUL behind it; `out` has room for both. */
void form_copy(struct bytes line, char *out);

/* UTF-8 without control characters, of `least` octets or more, into an array of
 * `room` octets. ERR_FIELD otherwise. */
enum err form_text(const char *field, struct bytes line, size_t least,
    char *out, size_t room, char why[FORM_WHY_OCTETS]) MUST_CHECK;

/* It takes the place of *out, which may be NULL. */
enum err form_secret(struct bytes line, struct secret **out) MUST_CHECK;

/* A new password that was typed twice: ERR_FIELD when it was not. */
enum err form_again(const struct secret *first, struct bytes line,
    char why[FORM_WHY_OCTETS]) MUST_CHECK;

#endif
