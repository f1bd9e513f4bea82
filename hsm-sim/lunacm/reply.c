#include "lunacm/reply.h"

#include <string.h>

#include "base/percent.h"

static bool
is_control(uint8_t c)
{
	return c < ' ' || c == 0x7f;
}

/* Everything up to the next blank, which goes too. */
static struct bytes
take_word(struct bytes *in)
{
	struct bytes word = {in->at, 0};

	while (word.octets != in->octets && in->at[word.octets] != ' ')
		word.octets++;
	in->at += word.octets;
	in->octets -= word.octets;
	if (in->octets != 0) {
		in->at++;
		in->octets--;
	}
	return word;
}

/* In place: what it stands for is no longer than it is. */
static enum err
decode(uint8_t *at, struct bytes *value)
{
	size_t k;
	enum err rc = OK;

	TRY(percent_decode(at, &value->octets));
	for (k = 0; k < value->octets; k++) {
		if (is_control(at[k]))
			TRY(ERR_VALUE);
	}
	if (!bytes_is_utf8(*value))
		TRY(ERR_UTF8);
out:
	return rc;
}

static enum err
read_field(struct bytes word, struct reply *out)
{
	struct reply_field *field = &out->field[out->fields];
	size_t k;
	enum err rc = OK;

	if (out->fields == REPLY_FIELDS_MAX)
		TRY(ERR_COUNT);
	field->name = (struct bytes){word.at, 0};
	while (field->name.octets != word.octets &&
	       word.at[field->name.octets] != '=')
		field->name.octets++;
	if (field->name.octets == 0 || field->name.octets == word.octets)
		TRY(ERR_MISSING);
	field->value.at = word.at + field->name.octets + 1;
	field->value.octets = word.octets - field->name.octets - 1;
	TRY(decode(out->text + (field->value.at - out->text), &field->value));
	for (k = 0; k < out->fields; k++) {
		if (bytes_equal(out->field[k].name, field->name))
			TRY(ERR_REPEATED);
	}
	out->fields++;
out:
	return rc;
}

static enum err
read_fields(struct bytes rest, struct reply *out)
{
	enum err rc = OK;

	while (rest.octets != 0)
		TRY(read_field(take_word(&rest), out));
out:
	return rc;
}

static enum err
read_error(struct bytes rest, struct reply *out)
{
	struct bytes code = take_word(&rest);

	if (code.octets == 0 || code.octets >= sizeof(out->code))
		return ERR_LENGTH;
	memcpy(out->code, code.at, code.octets);
	out->code[code.octets] = '\0';
	out->said = rest;
	return OK;
}

enum err
reply_read(struct bytes in, struct reply *out)
{
	struct bytes word;
	size_t k;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	if (in.octets > REPLY_OCTETS)
		TRY(ERR_LENGTH);
	for (k = 0; k < in.octets; k++) {
		if (is_control(in.at[k]))
			TRY(ERR_VALUE);
		out->text[k] = in.at[k];
	}
	in.at = out->text;
	if (!bytes_is_utf8(in))
		TRY(ERR_UTF8);
	word = take_word(&in);
	if (bytes_equal_text(word, "ok")) {
		out->kind = REPLY_OK;
		TRY(read_fields(in, out));
	} else if (bytes_equal_text(word, "error")) {
		out->kind = REPLY_ERROR;
		TRY(read_error(in, out));
	} else if (bytes_equal_text(word, "say")) {
		out->kind = REPLY_SAY;
		out->said = in;
	} else
		rc = ERR_UNEXPECTED;
out:
	return rc;
}

bool
reply_find(const struct reply *reply, const char *name, struct bytes *value)
{
	size_t k;

	for (k = 0; k < reply->fields; k++) {
		if (bytes_equal_text(reply->field[k].name, name)) {
			*value = reply->field[k].value;
			return true;
		}
	}
	return false;
}

enum err
reply_number(const struct reply *reply, const char *name, uint64_t *out)
{
	struct bytes value;
	uint64_t number = 0;
	size_t k;
	enum err rc = OK;

	if (!reply_find(reply, name, &value))
		TRY(ERR_MISSING);
	if (value.octets == 0)
		TRY(ERR_VALUE);
	for (k = 0; k < value.octets; k++) {
		unsigned digit = (unsigned)value.at[k] - '0';

		if (digit > 9 || number > (UINT64_MAX - digit) / 10)
			TRY(ERR_VALUE);
		number = number * 10 + digit;
	}
	*out = number;
out:
	return rc;
}
