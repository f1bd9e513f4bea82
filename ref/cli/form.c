#include "cli/form.h"

#include <stdio.h>
#include <string.h>

#include "cli/session.h"

static void ask(struct cli *cli);

static void
answered(struct cli *cli, struct bytes line)
{
	struct form *form = cli->form;
	char why[FORM_WHY_OCTETS] = "";
	enum err rc = form->field[form->at].take(cli, line, why);

	if (rc != OK) {
		cli_refuse(cli, "%s", why[0] != '\0' ? why : err_text(rc));
		return;
	}
	form->at++;
	ask(cli);
}

static void
ask(struct cli *cli)
{
	struct form *form = cli->form;

	if (form->at == form->count)
		form->done(cli);
	else
		cli_ask(cli, form->field[form->at].mark,
		    form->field[form->at].text, answered);
}

void
form_run(struct cli *cli, struct form *form, const struct form_field *field,
    size_t count, void (*done)(struct cli *cli))
{
	*form = (struct form){.field = field, .count = count, .done = done};
	cli->form = form;
	ask(cli);
}

static const struct form_word *
word_find(const struct form_word *word, size_t count, struct bytes typed)
{
	size_t k;

	for (k = 0; k < count; k++) {
		if (bytes_equal_text(typed, word[k].word))
			return &word[k];
	}
	return NULL;
}

/* "full-name, description or high-access" would have been taken. */
static void
refuse_word(struct cli *cli, const struct form_word *word, size_t count,
    struct bytes typed)
{
	char list[FORM_WHY_OCTETS] = "nothing more";
	size_t used = 0;
	size_t k;

	for (k = 0; k < count; k++)
		used +=
		    (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
			k == 0          ? ""
			: k + 1 < count ? ", "
					: " or ",
			word[k].word);
	cli_refuse_word(cli, "unknown word", "\"%.*s\": %s", (int)typed.octets,
	    (const char *)typed.at, list);
}

bool
form_words(struct cli *cli, const struct form_word *word, size_t count,
    const struct bytes *args, size_t arg_count)
{
	char why[FORM_WHY_OCTETS] = "";
	size_t k;

	for (k = 0; k < arg_count; k += 2) {
		const struct form_word *w = word_find(word, count, args[k]);
		enum err rc;

		if (w == NULL) {
			refuse_word(cli, word, count, args[k]);
			return false;
		}
		if (k + 1 == arg_count) {
			cli_refuse(cli, "\"%s\": it has no value", w->word);
			return false;
		}
		rc = w->take(cli, args[k + 1], why);
		if (rc != OK) {
			cli_refuse(
			    cli, "%s", why[0] != '\0' ? why : err_text(rc));
			return false;
		}
	}
	return true;
}

enum err
form_refuse(const char *field, struct bytes line, const char *rule,
    char why[FORM_WHY_OCTETS])
{
	entry_refuse(field, line, rule, why);
	return ERR_FIELD;
}

void
form_copy(struct bytes line, char *out)
{
	if (line.octets != 0)
		memcpy(out, line.at, line.octets);
	out[line.octets] = '\0';
}

static bool
is_plain(struct bytes line)
{
	size_t k;

	for (k = 0; k < line.octets; k++)
		if (line.at[k] < ' ' || line.at[k] == 0x7f)
			return false;
	return bytes_is_utf8(line);
}

enum err
form_text(const char *field, struct bytes line, size_t least, char *out,
    size_t room, char why[FORM_WHY_OCTETS])
{
	if (line.octets < least) {
		(void)snprintf(
		    why, FORM_WHY_OCTETS, "%s: it is missing", field);
		return ERR_FIELD;
	}
	if (line.octets >= room)
		return form_refuse(field, line, "it is too long", why);
	if (!is_plain(line))
		return form_refuse(
		    field, line, "text without control characters", why);
	form_copy(line, out);
	return OK;
}

enum err
form_secret(struct bytes line, struct secret **out)
{
	secret_free(*out);
	*out = NULL;
	return secret_copy(line, out);
}

enum err
form_again(
    const struct secret *first, struct bytes line, char why[FORM_WHY_OCTETS])
{
	if (secret_equal_bytes(secret_peek(first), line))
		return OK;
	(void)snprintf(
	    why, FORM_WHY_OCTETS, "Confirm Password: the two are not the same");
	return ERR_FIELD;
}
