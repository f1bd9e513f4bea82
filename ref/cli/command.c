#include "cli/command.h"

#include <string.h>

static const struct command commands[] = {
#define COMMAND(words, mode, act, run, clause, help) \
	{words, mode, act, run, clause, help, SECTION_COUNT},
#include "cli/command.def"
#undef COMMAND
#define SECTION(symbol, words, title, act, page)                               \
	{"show " words, CLI_ANY, ACT_LOOK, settings_show, "settings", title,   \
	    symbol},                                                           \
	    {"edit " words " ...", CLI_CONFIG, act, settings_edit, "settings", \
		"change them; WORD VALUE ..., or a dialogue", symbol},
#define TEXT(...)
#define NUMBER(...)
#define YESNO(...)
#define CHOICE(...)
#define SECRET(...)
#include "device/settings.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef YESNO
#undef CHOICE
#undef SECRET
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const struct command *
command_row(size_t row)
{
	return row < COMMANDS ? &commands[row] : NULL;
}

/* ---- a line ---- */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool
is_control(uint8_t c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* One word from *in, its marks taken off, behind what `out` has so far. */
static enum err
read_word(struct bytes *in, struct words *out, size_t *used)
{
	struct bytes *word = &out->word[out->count];
	bool quoted = false;

	if (out->count == COMMAND_WORDS_MAX)
		return ERR_COUNT;
	*word = (struct bytes){out->text + *used, 0};
	while (in->octets != 0 && (quoted || !is_blank(*in->at))) {
		uint8_t c = *in->at;
		bool hides = quoted && c == '\\' && in->octets > 1 &&
			     (in->at[1] == '"' || in->at[1] == '\\');

		in->at += hides ? 2 : 1;
		in->octets -= hides ? 2 : 1;
		if (hides)
			c = in->at[-1];
		else if (c == '"') {
			quoted = !quoted;
			continue;
		}
		out->text[(*used)++] = c;
		word->octets++;
	}
	out->count++;
	return quoted ? ERR_TRUNCATED : OK;
}

/* Is the `?` at the end of the line outside quotation marks? */
static bool
ends_with_question(struct bytes line)
{
	bool quoted = false;
	size_t k;

	if (line.octets == 0 || line.at[line.octets - 1] != '?')
		return false;
	for (k = 0; k + 1 < line.octets; k++) {
		if (quoted && line.at[k] == '\\')
			k++;
		else if (line.at[k] == '"')
			quoted = !quoted;
	}
	return !quoted;
}

enum err
words_read(struct bytes line, struct words *out)
{
	size_t used = 0;
	size_t k;
	enum err rc = OK;

	out->count = 0;
	out->asks = false;
	out->open = false;
	if (line.octets > COMMAND_LINE_OCTETS)
		TRY(ERR_LENGTH);
	for (k = 0; k < line.octets; k++) {
		if (is_control(line.at[k]))
			TRY(ERR_VALUE);
	}
	if (!bytes_is_utf8(line))
		TRY(ERR_UTF8);
	while (line.octets != 0 && is_blank(line.at[line.octets - 1]))
		line.octets--;
	if (ends_with_question(line)) {
		line.octets--;
		out->asks = true;
		out->open =
		    line.octets != 0 && !is_blank(line.at[line.octets - 1]);
	}
	for (;;) {
		while (line.octets != 0 && is_blank(*line.at)) {
			line.at++;
			line.octets--;
		}
		if (line.octets == 0)
			break;
		TRY(read_word(&line, out, &used));
	}
out:
	return rc;
}

/* ---- the command ---- */

/* The word of a row at that place; no octets: the row ends before it. */
static struct bytes
row_word(const struct command *row, size_t place)
{
	const char *at = row->words;
	size_t octets = strcspn(at, " ");

	while (place-- != 0 && *at != '\0') {
		at += octets;
		at += *at == ' ';
		octets = strcspn(at, " ");
	}
	return (struct bytes){(const uint8_t *)at, octets};
}

static bool
takes_rest(struct bytes word)
{
	return bytes_equal_text(word, "...");
}

/* Rows that the words so far leave over. */
struct choice {
	bool in[COMMANDS];
};

/*
 * Leave over the rows whose word at `place` is the one that is meant: the same,
 * or the only one that begins so.
 */
static enum command_match
narrow(struct choice *choice, struct bytes typed, size_t place)
{
	struct bytes meant = BYTES_NONE;
	bool several = false;
	size_t k;

	for (k = 0; k < COMMANDS; k++) {
		struct bytes word = row_word(&commands[k], place);

		if (!choice->in[k] || word.octets == 0 || takes_rest(word) ||
		    !bytes_begin(word, typed))
			continue;
		if (word.octets == typed.octets) {
			meant = word;
			several = false;
			break;
		}
		several =
		    several || (meant.octets != 0 && !bytes_equal(meant, word));
		meant = word;
	}
	if (meant.octets == 0 || typed.octets == 0)
		return COMMAND_UNKNOWN;
	if (several)
		return COMMAND_AMBIGUOUS;
	for (k = 0; k < COMMANDS; k++)
		choice->in[k] =
		    choice->in[k] &&
		    bytes_equal(row_word(&commands[k], place), meant);
	return COMMAND_FOUND;
}

/* The row among them that takes all words from `place` on, or NULL. */
static const struct command *
taking_rest(const struct choice *choice, size_t place)
{
	size_t k;

	for (k = 0; k < COMMANDS; k++) {
		if (choice->in[k] && takes_rest(row_word(&commands[k], place)))
			return &commands[k];
	}
	return NULL;
}

/* The row among them that ends at `place`, or takes what follows; or NULL. */
static const struct command *
ending_at(const struct choice *choice, size_t place)
{
	size_t k;

	for (k = 0; k < COMMANDS; k++) {
		if (choice->in[k] && row_word(&commands[k], place).octets == 0)
			return &commands[k];
	}
	return taking_rest(choice, place);
}

static enum command_match
find_in(const struct words *words, enum cli_mode mode,
    const struct command **out, size_t *at_word)
{
	struct choice choice;
	enum command_match match;
	size_t k;

	*out = NULL;
	for (k = 0; k < COMMANDS; k++)
		choice.in[k] = (commands[k].mode & mode) != 0;
	for (k = 0; k < words->count; k++) {
		*at_word = k;
		*out = taking_rest(&choice, k);
		if (*out != NULL)
			return COMMAND_FOUND;
		match = narrow(&choice, words->word[k], k);
		if (match != COMMAND_FOUND)
			return match;
	}
	*at_word = k;
	*out = ending_at(&choice, k);
	return *out != NULL ? COMMAND_FOUND : COMMAND_INCOMPLETE;
}

enum command_match
command_find(const struct words *words, enum cli_mode mode,
    const struct command **out, size_t *at_word)
{
	enum command_match match = find_in(words, mode, out, at_word);
	const struct command *other;
	size_t at;

	if (match == COMMAND_UNKNOWN &&
	    find_in(words, CLI_ANY & ~mode, &other, &at) == COMMAND_FOUND)
		return COMMAND_ELSEWHERE;
	return match;
}

/* Was this word told by an earlier row? */
static bool
told(const struct choice *choice, size_t row, size_t place)
{
	struct bytes word = row_word(&commands[row], place);
	size_t k;

	for (k = 0; k < row; k++) {
		if (choice->in[k] &&
		    bytes_equal(row_word(&commands[k], place), word))
			return true;
	}
	return false;
}

/* The help of the command that ends with this word, or NULL. */
static const char *
help_of(const struct choice *choice, struct bytes word, size_t place)
{
	size_t k;

	for (k = 0; k < COMMANDS; k++) {
		struct bytes next = row_word(&commands[k], place + 1);

		if (choice->in[k] &&
		    bytes_equal(row_word(&commands[k], place), word) &&
		    (next.octets == 0 || takes_rest(next)))
			return commands[k].help;
	}
	return NULL;
}

enum command_match
command_next(const struct words *words, enum cli_mode mode,
    command_each_fn *each, void *ctx)
{
	size_t place = words->count - (words->open ? 1 : 0);
	struct bytes begun = words->open ? words->word[place] : BYTES_NONE;
	enum command_match match = COMMAND_UNKNOWN;
	struct choice choice;
	size_t k;

	for (k = 0; k < COMMANDS; k++)
		choice.in[k] = (commands[k].mode & mode) != 0;
	for (k = 0; k < place; k++) {
		match = narrow(&choice, words->word[k], k);
		if (match != COMMAND_FOUND)
			return match;
	}
	match = COMMAND_UNKNOWN;
	for (k = 0; k < COMMANDS; k++) {
		struct bytes word = row_word(&commands[k], place);

		if (!choice.in[k] || word.octets == 0 || takes_rest(word) ||
		    (begun.octets != 0 && !bytes_begin(word, begun)) ||
		    told(&choice, k, place))
			continue;
		each(ctx, word, help_of(&choice, word, place));
		match = COMMAND_FOUND;
	}
	if (!words->open && place != 0 && ending_at(&choice, place) != NULL) {
		each(ctx, bytes_of_text(COMMAND_END),
		    ending_at(&choice, place)->help);
		match = COMMAND_FOUND;
	}
	return match;
}
