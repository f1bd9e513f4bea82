#include "lunacm/phrase.h"

#include <string.h>
#include <strings.h>

/* ---- tables ---- */

static const struct luna_command commands[] = {
#define LUNACM(words, run, syntax, clause, help) \
	{words, run, syntax, clause, help},
#include "lunacm/lunacm.def"
#undef LUNACM
};

static const struct {
	const char *word, *whole;
} shorts[] = {
#define LUNACM_SHORT(word, whole) {word, whole},
#include "lunacm/lunacm.def"
#undef LUNACM_SHORT
};

static const struct luna_role roles[] = {
#define LUNACM_ROLE(name, whole, state) {name, whole, state},
#include "lunacm/lunacm.def"
#undef LUNACM_ROLE
};

enum {
	COMMANDS = sizeof(commands) / sizeof(commands[0]),
	SHORTS = sizeof(shorts) / sizeof(shorts[0]),
	ROLES = sizeof(roles) / sizeof(roles[0]),
};

const struct luna_command *
luna_command_row(size_t row)
{
	return row < COMMANDS ? &commands[row] : NULL;
}

const struct luna_role *
luna_role_row(size_t row)
{
	return row < ROLES ? &roles[row] : NULL;
}

/* ASCII letters of any case are the same. */
static bool
same(struct bytes a, struct bytes b)
{
	return a.octets == b.octets && strncasecmp((const char *)a.at,
					   (const char *)b.at, a.octets) == 0;
}

/* req: KSC-077  short names stand for the full ones */
const struct luna_role *
luna_role_find(struct bytes name)
{
	size_t k;

	for (k = 0; k < ROLES; k++) {
		if (same(name, bytes_of_text(roles[k].name)) ||
		    same(name, bytes_of_text(roles[k].whole)))
			return &roles[k];
	}
	return NULL;
}

/* ---- words ---- */

struct word {
	struct bytes text; /* in the phrase's text */
	bool quoted;       /* began with a quotation mark: no option */
};

struct words {
	struct word word[PHRASE_WORDS_MAX];
	size_t count;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* One word from *in, its marks taken off, and a blank, behind what `text` has.
 */
static enum err
read_word(struct bytes *in, struct words *out, uint8_t *text, size_t *used)
{
	struct word *word = &out->word[out->count];
	bool inside = false;

	if (out->count == PHRASE_WORDS_MAX)
		return ERR_COUNT;
	word->text = (struct bytes){text + *used, 0};
	word->quoted = *in->at == '"';
	while (in->octets != 0 && (inside || !is_blank(*in->at))) {
		if (*in->at == '"') {
			inside = !inside;
		} else {
			text[(*used)++] = *in->at;
			word->text.octets++;
		}
		in->at++;
		in->octets--;
	}
	text[(*used)++] = ' ';
	out->count++;
	return inside ? ERR_TRUNCATED : OK;
}

static enum err
read_words(struct bytes line, struct words *out, uint8_t *text)
{
	size_t used = 0;
	size_t k;
	enum err rc = OK;

	out->count = 0;
	if (line.octets > PHRASE_OCTETS)
		TRY(ERR_LENGTH);
	for (k = 0; k < line.octets; k++) {
		if ((line.at[k] < ' ' && line.at[k] != '\t') ||
		    line.at[k] == 0x7f)
			TRY(ERR_VALUE);
	}
	if (!bytes_is_utf8(line))
		TRY(ERR_UTF8);
	while (line.octets != 0) {
		if (is_blank(*line.at)) {
			line.at++;
			line.octets--;
			continue;
		}
		TRY(read_word(&line, out, text, &used));
	}
out:
	return rc;
}

/* ---- the command ---- */

/* The first word of *rest, which keeps what is behind it; or no octets. */
static struct bytes
next_word(const char **rest)
{
	size_t octets = strcspn(*rest, " ");
	struct bytes word = {(const uint8_t *)*rest, octets};

	*rest += octets;
	*rest += **rest == ' ';
	return word;
}

/* req: KSC-086  par is partition */
static struct bytes
whole(struct bytes word)
{
	size_t k;

	for (k = 0; k < SHORTS; k++) {
		if (same(word, bytes_of_text(shorts[k].word)))
			return bytes_of_text(shorts[k].whole);
	}
	return word;
}

/* How many words of the line are the row's; 0 when they are not. */
static size_t
matches(const struct luna_command *row, const struct words *words)
{
	const char *rest = row->words;
	size_t k = 0;

	while (*rest != '\0') {
		struct bytes word = next_word(&rest);

		if (k == words->count || words->word[k].quoted ||
		    !same(whole(words->word[k].text), word))
			return 0;
		k++;
	}
	return k;
}

/* ---- its options ---- */

enum value_kind { VALUE_NONE, VALUE_WORD, VALUE_WORDS };

struct option {
	struct bytes name; /* without "-" */
	enum value_kind kind;
	bool needed;
};

/* The next option of a row's syntax; false: there is none. */
static bool
next_option(const char **syntax, struct option *out)
{
	struct bytes word = next_word(syntax);

	if (word.octets == 0)
		return false;
	out->needed = word.at[0] != '[';
	out->name.at = word.at + (out->needed ? 1 : 2);
	out->name.octets = strcspn((const char *)out->name.at, " ]");
	out->kind = VALUE_NONE;
	if (**syntax == '<') {
		out->kind = strncmp(*syntax, "<role>", 6) == 0 ? VALUE_WORDS
							       : VALUE_WORD;
		(void)next_word(syntax);
	}
	return true;
}

static bool
find_option(
    const char *syntax, struct bytes name, struct option *out, size_t *at)
{
	for (*at = 0; next_option(&syntax, out); ++*at) {
		if (same(name, out->name))
			return true;
	}
	return false;
}

static bool
is_option(const struct word *word)
{
	return !word->quoted && word->text.octets > 1 && *word->text.at == '-';
}

/*
 * The words of a value become one, with the blank that is between them.
 *
 * req: KSC-103
 */
static struct bytes
join(struct bytes value, struct bytes more)
{
	if (value.octets == 0)
		return more;
	value.octets = (size_t)(more.at + more.octets - value.at);
	return value;
}

/* The option at *k, and its value; *k goes behind them. */
static enum err
read_option(const struct words *words, size_t *k, struct phrase *out)
{
	struct bytes name = words->word[*k].text;
	struct option option;
	struct bytes value;
	size_t at;
	size_t taken = 0;
	enum err rc = OK;

	out->blamed = name;
	if (!is_option(&words->word[*k]))
		TRY(ERR_UNEXPECTED);
	name.at++;
	name.octets--;
	if (!find_option(out->command->syntax, name, &option, &at))
		TRY(ERR_UNEXPECTED);
	if (out->value[at].at != NULL)
		TRY(ERR_REPEATED);
	value = (struct bytes){name.at + name.octets, 0};
	for (++*k; *k < words->count && !is_option(&words->word[*k]); ++*k) {
		if (option.kind == VALUE_NONE ||
		    (option.kind == VALUE_WORD && taken == 1))
			break;
		value = join(value, words->word[*k].text);
		taken++;
	}
	if (option.kind != VALUE_NONE && value.octets == 0)
		TRY(ERR_MISSING);
	out->value[at] = value;
out:
	return rc;
}

static enum err
read_options(const struct words *words, size_t k, struct phrase *out)
{
	const char *syntax = out->command->syntax;
	struct option option;
	size_t at;
	enum err rc = OK;

	while (k < words->count)
		TRY(read_option(words, &k, out));
	for (at = 0; next_option(&syntax, &option); at++) {
		out->blamed = option.name;
		if (option.needed && out->value[at].at == NULL)
			TRY(ERR_MISSING);
	}
out:
	return rc;
}

enum err
phrase_read(struct bytes line, struct phrase *out)
{
	struct words words;
	size_t taken = 0;
	size_t k;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	TRY(read_words(line, &words, out->text));
	if (words.count == 0)
		return OK;
	for (k = 0; k < COMMANDS && taken == 0; k++) {
		taken = matches(&commands[k], &words);
		if (taken != 0)
			out->command = &commands[k];
	}
	out->blamed = words.word[0].text;
	if (out->command == NULL)
		TRY(ERR_NOT_FOUND);
	TRY(read_options(&words, taken, out));
out:
	return rc;
}
