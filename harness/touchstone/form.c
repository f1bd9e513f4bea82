#include "form.h"

#include "check.h"
#include "hex.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct bytes
number(struct arena *a, size_t octets, uint64_t v)
{
	uint8_t *p = arena_take(a, octets);

	bytes_put_number(p, octets, v);
	return (struct bytes){p, octets};
}

/* Decimal, or hexadecimal behind 0x, within [low, high]. */
static enum err
read_number(const char *text, int64_t low, int64_t high, int64_t *out)
{
	bool is_hex = strncmp(text, "0x", 2) == 0;
	char *end;

	errno = 0;
	*out = strtoll(text, &end, is_hex ? 16 : 10);
	if (errno != 0 || end == text || *end != 0 || *out < low || *out > high)
		return ERR_SYNTAX;
	return OK;
}

/* One name of an enumeration or mask, or its number. */
static enum err
read_name(uint32_t tag, const char *name, uint32_t *out)
{
	const struct value_row *row = schema_value_by_xml(tag, name);
	int64_t v;

	/* both spellings are in use; the text of the standard has the `s` */
	if (row == NULL && tag == TAG_RESULT_REASON &&
	    strcmp(name, "NotAuthorized") == 0)
		row = schema_value_by_xml(tag, "NotAuthorised");
	if (schema_has_tags(tag) && schema_tag_by_xml(name) != NULL) {
		*out = schema_tag_by_xml(name)->tag;
		return OK;
	}
	if (row != NULL) {
		*out = row->value;
		return OK;
	}
	if (read_number(name, 0, UINT32_MAX, &v) != OK)
		return ERR_SYNTAX;
	*out = (uint32_t)v;
	return OK;
}

/* Names separated by blanks or bars; their bits together. */
static enum err
read_mask(uint32_t tag, const char *text, uint32_t *out)
{
	char name[64];

	*out = 0;
	for (;;) {
		size_t octets;
		uint32_t bit;

		text += strspn(text, " |");
		octets = strcspn(text, " |");
		if (octets == 0)
			return OK;
		if (octets >= sizeof name)
			return ERR_SYNTAX;
		memcpy(name, text, octets);
		name[octets] = 0;
		if (read_name(tag, name, &bit) != OK)
			return ERR_SYNTAX;
		*out |= bit;
		text += octets;
	}
}

/* spec: RFC 3339; seconds since 1970, fractions in *micros */
static enum err
read_date(const char *text, int64_t *seconds, int64_t *micros)
{
	int year, month, day, hour, minute, second, used = 0;
	int offset_hours = 0, offset_minutes = 0;
	struct tm tm = {0};

	*micros = 0;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day,
		&hour, &minute, &second, &used) != 6)
		return ERR_SYNTAX;
	text += used;
	if (*text == '.') {
		int64_t unit = 100000;

		for (text++; *text >= '0' && *text <= '9'; text++) {
			*micros += (*text - '0') * unit;
			unit /= 10;
		}
	}
	used = 0;
	if (strcmp(text, "Z") != 0 && *text != 0 &&
	    ((*text != '+' && *text != '-') ||
		sscanf(text + 1, "%2d:%2d%n", &offset_hours, &offset_minutes,
		    &used) != 2 ||
		text[1 + used] != 0))
		return ERR_SYNTAX;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	*seconds = timegm(&tm);
	*seconds -=
	    (*text == '-' ? -1 : 1) * 60 * (offset_hours * 60 + offset_minutes);
	return OK;
}

static enum err
read_hex(struct arena *a, const char *text, struct bytes *out)
{
	struct buf octets = {0};
	enum err rc;

	rc = hex_read(bytes_of_text(text), &octets, NULL);
	if (rc == OK)
		*out = (struct bytes){
		    arena_copy(a, buf_peek(&octets)), octets.octets};
	buf_clear(&octets);
	return rc;
}

/* spec: kmip-1.4 9.1.1.4  padded in front with its sign, to eight octets */
static enum err
read_big(struct arena *a, const char *text, struct bytes *out)
{
	struct bytes plain;
	size_t octets;
	uint8_t *p;

	if (read_hex(a, text, &plain) != OK || plain.octets == 0)
		return ERR_SYNTAX;
	octets = (plain.octets + 7) / 8 * 8;
	p = arena_take(a, octets);
	memset(p, plain.at[0] >= 0x80 ? 0xff : 0, octets - plain.octets);
	memcpy(p + octets - plain.octets, plain.at, plain.octets);
	*out = (struct bytes){p, octets};
	return OK;
}

enum err
form_value(struct arena *a, uint32_t tag, enum item_type type, const char *text,
    struct bytes *out)
{
	int64_t v = 0, micros;
	uint32_t bits;
	enum err rc = OK;

	switch (type) {
	case TYPE_STRUCTURE:
	case TYPE_END:
		return ERR_SYNTAX;
	case TYPE_INTEGER:
		if (read_number(text, INT32_MIN, UINT32_MAX, &v) == OK)
			bits = (uint32_t)v;
		else
			TRY(read_mask(tag, text, &bits));
		*out = number(a, 4, bits);
		break;
	case TYPE_LONG_INTEGER:
		TRY(read_number(text, INT64_MIN, INT64_MAX, &v));
		*out = number(a, 8, (uint64_t)v);
		break;
	case TYPE_BIG_INTEGER:
		TRY(read_big(a, text, out));
		break;
	case TYPE_ENUMERATION:
		TRY(read_name(tag, text, &bits));
		*out = number(a, 4, bits);
		break;
	case TYPE_BOOLEAN:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return ERR_SYNTAX;
		*out = number(a, 8, text[0] == 't');
		break;
	case TYPE_TEXT_STRING:
		*out = bytes_of_text(text);
		break;
	case TYPE_BYTE_STRING:
		TRY(read_hex(a, text, out));
		break;
	case TYPE_DATE_TIME:
		if (read_date(text, &v, &micros) != OK)
			TRY(read_number(text, INT64_MIN, INT64_MAX, &v));
		*out = number(a, 8, (uint64_t)v);
		break;
	case TYPE_DATE_TIME_EXTENDED:
		if (read_date(text, &v, &micros) == OK)
			v = v * 1000000 + micros;
		else
			TRY(read_number(text, INT64_MIN, INT64_MAX, &v));
		*out = number(a, 8, (uint64_t)v);
		break;
	case TYPE_INTERVAL:
		TRY(read_number(text, 0, UINT32_MAX, &v));
		*out = number(a, 4, (uint64_t)v);
		break;
	}
out:
	return rc;
}

static enum err
read_tag(const struct element *e, uint32_t *tag, struct fault *f)
{
	const struct tag_row *row;
	const char *number_text = xml_attribute(e, "tag");
	int64_t v;

	if (strcmp(e->name, "TTLV") == 0 && number_text != NULL &&
	    read_number(number_text, 1, 0xffffff, &v) == OK) {
		*tag = (uint32_t)v;
		return OK;
	}
	row = schema_tag_by_xml(e->name);
	if (row == NULL)
		return fault_say(
		    f, ERR_SYNTAX, "line %u: no tag <%s>", e->line, e->name);
	*tag = row->tag;
	return OK;
}

/* The values of match="one-of A B": nodes like this one, chained by next. */
static enum err
read_alternatives(
    struct arena *a, struct node *n, const char *text, const struct node **out)
{
	struct node *first = NULL;

	for (;;) {
		struct bytes value;
		struct node *one;
		size_t octets;

		text += strspn(text, " ");
		octets = strcspn(text, " ");
		if (octets == 0)
			break;
		if (form_value(a, check_meaning_of(n), n->type,
			arena_printf(a, "%.*s", (int)octets, text),
			&value) != OK)
			return ERR_SYNTAX;
		one = node_new(a, n->tag, n->type, value);
		one->next = first;
		first = one;
		text += octets;
	}
	*out = first;
	return first == NULL ? ERR_SYNTAX : OK;
}

static enum err
read_leniency(struct arena *a, const struct element *e, struct node *n,
    bool is_expected, struct fault *f)
{
	const char *match = xml_attribute(e, "match");
	const char *why = xml_attribute(e, "why");
	struct leniency *l;

	if (match == NULL)
		return OK;
	if (!is_expected || why == NULL || *why == 0)
		return fault_say(f, ERR_SYNTAX,
		    "line %u: `match` stands in responses, with a `why`",
		    e->line);
	l = ARENA_NEW(a, struct leniency);
	l->why = why;
	l->any = strcmp(match, "any") == 0;
	l->absent_ok = strcmp(match, "absent-ok") == 0;
	if (!l->any && !l->absent_ok &&
	    (strncmp(match, "one-of ", 7) != 0 || n->type == TYPE_STRUCTURE ||
		read_alternatives(a, n, match + 7, &l->one_of) != OK))
		return fault_say(f, ERR_SYNTAX,
		    "line %u: match=\"%s\": any, absent-ok or one-of and "
		    "values",
		    e->line, match);
	n->lenient = l;
	return OK;
}

/*
 * The transcribed cases of 1.0 to 1.2 break lines inside names, "Unique
 * Identifier": no attribute's name has two blanks in a row.
 */
static const char *
one_blank(struct arena *a, const char *text)
{
	char *out = arena_strdup(a, text), *to = out;

	for (const char *p = text; *p != 0; p++)
		if (*p != ' ' || p[1] != ' ')
			*to++ = *p;
	*to = 0;
	return out;
}

static enum err
read_element(struct arena *a, const struct element *e, struct node *parent,
    bool is_expected, struct node **out, struct fault *f)
{
	const char *type_text = xml_attribute(e, "type");
	const char *value_text = xml_attribute(e, "value");
	enum item_type type = TYPE_STRUCTURE;
	struct bytes value = BYTES_NONE;
	struct node *n;
	uint32_t tag = 0;
	enum err rc = OK;

	TRY(read_tag(e, &tag, f));
	if (type_text != NULL)
		type = type_by_name(type_text);
	if (type == 0 || (type != TYPE_STRUCTURE) != (value_text != NULL))
		return fault_say(f, ERR_SYNTAX,
		    "line %u: <%s> with type `%s`%s", e->line, e->name,
		    type_text == NULL ? "" : type_text,
		    value_text == NULL ? " and no value" : "");
	n = node_new(a, tag, type, BYTES_NONE);
	if (parent != NULL)
		node_append(parent, n);
	*out = n;
	if (value_text != NULL && tag == TAG_ATTRIBUTE_NAME)
		value_text = one_blank(a, value_text);
	if (value_text != NULL && value_text[0] == '$' &&
	    value_text[1] >= 'A' && value_text[1] <= 'Z') {
		n->placeholder = value_text;
	} else if (value_text != NULL) {
		if (form_value(
			a, check_meaning_of(n), type, value_text, &value) != OK)
			return fault_say(f, ERR_SYNTAX,
			    "line %u: <%s type=\"%s\"> cannot be `%.60s`",
			    e->line, e->name, type_text, value_text);
		n->value = value.at;
		n->length = (uint32_t)value.octets;
	}
	TRY(read_leniency(a, e, n, is_expected, f));
	for (const struct element *c = e->first; c != NULL; c = c->next) {
		struct node *child;

		if (c->kind == ELEMENT_TAG)
			TRY(read_element(a, c, n, is_expected, &child, f));
	}
out:
	return rc;
}

enum err
form_read(struct arena *a, const struct element *e, bool is_expected,
    struct node **out, struct fault *f)
{
	return read_element(a, e, NULL, is_expected, out, f);
}
