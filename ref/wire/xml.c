#include "wire/xml.h"

#include <inttypes.h>
#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>

#include "base/mem.h"
#include "base/secret.h"
#include "wire/ttlv.h"

/* ------------------------------------------------------------------------
 * libxml2's memory: each block knows its size, so that it can be wiped.
 */

struct block {
	_Alignas(max_align_t) size_t octets;
	_Alignas(max_align_t) uint8_t at[];
};

static struct block *
block_of(void *p)
{
	return (
	    struct block *)(void *)((uint8_t *)p - offsetof(struct block, at));
}

static void *
xml_alloc(size_t octets)
{
	struct block *b;

	if (octets > SIZE_MAX - sizeof(*b))
		return NULL;
	b = mem_zalloc(1, sizeof(*b) + octets);
	if (b == NULL)
		return NULL;
	b->octets = octets;
	return b->at;
}

static void
xml_release(void *p)
{
	struct block *b;

	if (p == NULL)
		return;
	b = block_of(p);
	secret_wipe(b->at, b->octets);
	mem_free(b);
}

static void *
xml_regrow(void *p, size_t octets)
{
	void *grown = xml_alloc(octets);
	size_t kept;

	if (grown == NULL || p == NULL)
		return grown;
	kept = block_of(p)->octets;
	memcpy(grown, p, kept < octets ? kept : octets);
	xml_release(p);
	return grown;
}

static char *
xml_copy_text(const char *s)
{
	size_t octets = strlen(s) + 1;
	char *copy = xml_alloc(octets);

	if (copy != NULL)
		memcpy(copy, s, octets);
	return copy;
}

static once_flag xml_once = ONCE_FLAG_INIT;

static void
xml_init(void)
{
	(void)xmlMemSetup(xml_release, xml_alloc, xml_regrow, xml_copy_text);
	xmlInitParser();
}

/* ------------------------------------------------------------------------
 * Values.
 */

static enum err
number_parse(struct bytes text, int64_t least, uint64_t most, int64_t *out)
{
	bool is_hex = text.octets > 2 && text.at[0] == '0' &&
		      (text.at[1] == 'x' || text.at[1] == 'X');
	bool is_negative = !is_hex && text.octets > 1 && text.at[0] == '-';
	size_t i = is_hex ? 2 : is_negative;
	unsigned base = is_hex ? 16 : 10;
	uint64_t number = 0;

	if (i == text.octets)
		return ERR_VALUE;
	for (; i < text.octets; i++) {
		unsigned c = text.at[i];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (is_hex && (c | 0x20U) >= 'a' && (c | 0x20U) <= 'f')
			digit = (c | 0x20U) - 'a' + 10;
		else
			return ERR_VALUE;
		if (number > (UINT64_MAX - digit) / base)
			return ERR_VALUE;
		number = number * base + digit;
	}
	if (is_negative) {
		/* least is as far below zero as this is above */
		if (least > 0 || number > (uint64_t)0 - (uint64_t)least)
			return ERR_VALUE;
		*out = (int64_t)(0 - number);
		return OK;
	}
	/* in hexadecimal, all bits may be set */
	if (is_hex && least < 0)
		most = most * 2 + 1;
	if (number > most)
		return ERR_VALUE;
	*out = (int64_t)number;
	return OK;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* An integer that is a mask: names and numbers, blanks or bars between. */
static enum err
mask_parse(enum tag tag, struct bytes text, int64_t *out)
{
	uint32_t mask = 0;
	enum err rc = OK;

	while (text.octets != 0) {
		struct bytes word;
		size_t octets = 0;
		uint32_t bit;
		int64_t number;

		while (octets < text.octets &&
		       strchr(" \t\r\n|", text.at[octets]) == NULL)
			octets++;
		TRY(bytes_split(&text, octets, &word));
		if (octets != 0) {
			if (schema_value_find(tag, word, &bit)) {
				mask |= bit;
			} else {
				TRY(number_parse(
				    word, INT32_MIN, INT32_MAX, &number));
				mask |= (uint32_t)number;
			}
		}
		if (text.octets != 0)
			TRY(bytes_split(&text, 1, &word));
	}
	*out = (int32_t)mask;
out:
	return rc;
}

static enum err
hex_parse(struct arena *a, struct bytes text, struct bytes *out)
{
	uint8_t *at;
	enum err rc = OK;

	if (text.octets % 2 != 0)
		return ERR_VALUE;
	TRY(ARENA_ARRAY(a, at, text.octets / 2));
	for (size_t i = 0; i < text.octets; i++) {
		unsigned c = text.at[i];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'f')
			digit = (c | 0x20U) - 'a' + 10;
		else
			return ERR_VALUE;
		at[i / 2] = (uint8_t)((unsigned)at[i / 2] << 4 | digit);
	}
	*out = (struct bytes){at, text.octets / 2};
out:
	return rc;
}

/* Digits from *text on, exactly that many. */
static bool
digits_take(struct bytes *text, size_t count, int64_t *out)
{
	struct bytes digits;

	*out = 0;
	if (bytes_split(text, count, &digits) != OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		*out = *out * 10 + (digits.at[i] - '0');
	}
	return true;
}

static bool
mark_take(struct bytes *text, char mark)
{
	struct bytes head;

	return text->octets != 0 && text->at[0] == (uint8_t)mark &&
	       bytes_split(text, 1, &head) == OK;
}

/* Days from 1970-01-01 in the Gregorian calendar; the year begins in March. */
static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t month_from_march = month > 2 ? month - 3 : month + 9;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - 719468;
}

static void
date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t from_era = days + 719468;
	int64_t era = (from_era >= 0 ? from_era : from_era - 146096) / 146097;
	int64_t day_of_era = from_era - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 +
				  day_of_era / 36524 - day_of_era / 146096) /
			      365;
	int64_t day_of_year =
	    day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	*day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	*month =
	    month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

static bool
date_is(int64_t year, int64_t month, int64_t day)
{
	int64_t y, m, d;

	if (month < 1 || month > 12 || day < 1)
		return false;
	date_from_days(days_from_date(year, month, day), &y, &m, &d);
	return m == month && d == day;
}

/* ISO 8601, 2001-02-03T04:05:06.789+01:00, or a hexadecimal number. */
static enum err
date_parse(struct bytes text, bool is_extended, int64_t *out)
{
	int64_t year, month, day, hour, minute, second, digit;
	int64_t zone_hour = 0;
	int64_t zone_minute = 0;
	int64_t sign = 1;
	int64_t micro_s = 0;
	int64_t unit_us = 100000;
	int64_t wall_s;

	if (text.octets > 1 && text.at[1] == 'x')
		return number_parse(text, INT64_MIN, INT64_MAX, out);
	if (!digits_take(&text, 4, &year) || !mark_take(&text, '-') ||
	    !digits_take(&text, 2, &month) || !mark_take(&text, '-') ||
	    !digits_take(&text, 2, &day) || !mark_take(&text, 'T') ||
	    !digits_take(&text, 2, &hour) || !mark_take(&text, ':') ||
	    !digits_take(&text, 2, &minute) || !mark_take(&text, ':') ||
	    !digits_take(&text, 2, &second))
		return ERR_VALUE;
	if (mark_take(&text, '.')) {
		if (!digits_take(&text, 1, &digit))
			return ERR_VALUE;
		do {
			micro_s += digit * unit_us;
			unit_us /= 10;
		} while (text.octets != 0 && text.at[0] >= '0' &&
			 text.at[0] <= '9' && digits_take(&text, 1, &digit));
	}
	if (!mark_take(&text, 'Z') && text.octets != 0) {
		sign = text.at[0] == '-' ? -1 : 1;
		if ((!mark_take(&text, '+') && !mark_take(&text, '-')) ||
		    !digits_take(&text, 2, &zone_hour) ||
		    !mark_take(&text, ':') ||
		    !digits_take(&text, 2, &zone_minute))
			return ERR_VALUE;
	}
	if (text.octets != 0 || !date_is(year, month, day) || hour > 23 ||
	    minute > 59 || second > 59 || zone_hour > 23 || zone_minute > 59 ||
	    (!is_extended && micro_s != 0))
		return ERR_VALUE;
	wall_s = days_from_date(year, month, day) * 86400 + hour * 3600 +
		 minute * 60 + second -
		 sign * (zone_hour * 3600 + zone_minute * 60);
	*out = is_extended ? wall_s * 1000000 + micro_s : wall_s;
	return OK;
}

static enum err
enumeration_parse(enum tag tag, struct bytes text, int64_t *out)
{
	uint32_t value;

	if (schema_value_find(tag, text, &value)) {
		*out = value;
		return OK;
	}
	return number_parse(text, 0, UINT32_MAX, out);
}

static enum err
boolean_parse(struct bytes text, int64_t *out)
{
	bool is_true =
	    bytes_equal_text(text, "true") || bytes_equal_text(text, "1");

	*out = is_true;
	if (!is_true && !bytes_equal_text(text, "false") &&
	    !bytes_equal_text(text, "0"))
		return ERR_VALUE;
	return OK;
}

/* `tag`: whose enumeration it is. */
static enum err
value_parse(struct arena *a, struct item *item, enum tag tag, struct bytes text)
{
	enum err rc = OK;

	switch (item->type) {
	case STRUCTURE:
		return ERR_TYPE;
	case INTEGER:
		if (schema_is_mask(tag))
			return mask_parse(tag, text, &item->number);
		TRY(number_parse(text, INT32_MIN, INT32_MAX, &item->number));
		item->number = (int32_t)item->number;
		break;
	case LONG_INTEGER:
		return number_parse(text, INT64_MIN, INT64_MAX, &item->number);
	case BIG_INTEGER:
		TRY(hex_parse(a, text, &item->octets));
		if (item->octets.octets == 0 || item->octets.octets % 8 != 0)
			return ERR_VALUE;
		break;
	case ENUMERATION:
		return enumeration_parse(tag, text, &item->number);
	case BOOLEAN:
		return boolean_parse(text, &item->number);
	case TEXT_STRING:
		return arena_copy(a, text, &item->octets);
	case BYTE_STRING:
		return hex_parse(a, text, &item->octets);
	case DATE_TIME:
	case DATE_TIME_EXTENDED:
		return date_parse(
		    text, item->type == DATE_TIME_EXTENDED, &item->number);
	case INTERVAL:
		return number_parse(text, 0, UINT32_MAX, &item->number);
	}
out:
	return rc;
}

/* ------------------------------------------------------------------------
 * Elements.
 */

struct reader {
	struct arena *arena;
	xmlParserCtxtPtr context;
	struct item *root;
	struct item *open[TTLV_MAX_DEPTH];
	size_t depth;
	size_t item_count;
	bool in_value; /* inside an element that has no children */
	enum err rc;   /* the first thing that was wrong */
};

/* What an element says of its item. */
struct element {
	struct bytes tag;
	struct bytes type;
	struct bytes value;
	bool has_tag;
	bool has_type;
	bool has_value;
};

static enum err
attributes_read(const xmlChar **attributes, int count, struct element *out)
{
	*out = (struct element){.has_tag = false};
	for (int i = 0; i < count; i++, attributes += 5) {
		struct bytes name = bytes_of_text((const char *)attributes[0]);
		struct bytes text = {
		    attributes[3], (size_t)(attributes[4] - attributes[3])};

		if (attributes[1] != NULL)
			return ERR_MESSAGE;
		if (bytes_equal_text(name, "type")) {
			out->type = text;
			out->has_type = true;
		} else if (bytes_equal_text(name, "value")) {
			out->value = text;
			out->has_value = true;
		} else if (bytes_equal_text(name, "tag")) {
			out->tag = text;
			out->has_tag = true;
		} else if (!bytes_equal_text(name, "name")) {
			return ERR_MESSAGE;
		}
	}
	return OK;
}

static enum err
element_tag(struct bytes name, const struct element *e, uint32_t *tag)
{
	int64_t number;
	enum err rc = OK;

	if (!bytes_equal_text(name, "TTLV")) {
		if (e->has_tag)
			return ERR_MESSAGE;
		/* by the XML name only */
		if (!schema_tag_find(name, tag) ||
		    !bytes_equal_text(name, schema_tag_xml_name(*tag)))
			return ERR_UNEXPECTED;
		return OK;
	}
	if (!e->has_tag)
		return ERR_MESSAGE;
	TRY(number_parse(e->tag, 0, 0xffffff, &number));
	*tag = (uint32_t)number;
out:
	return rc;
}

static enum err
element_start(struct reader *r, const xmlChar *name, const xmlChar *prefix,
    const xmlChar **attributes, int attribute_count)
{
	struct item *parent = r->depth != 0 ? r->open[r->depth - 1] : NULL;
	struct element e;
	struct item *item;
	enum item_type type = STRUCTURE;
	uint32_t tag;
	enum err rc = OK;

	if (prefix != NULL)
		return ERR_MESSAGE;
	if (r->in_value)
		return ERR_TYPE;
	if (r->item_count == TTLV_MAX_ITEMS)
		return ERR_COUNT;
	TRY(attributes_read(attributes, attribute_count, &e));
	TRY(element_tag(bytes_of_text((const char *)name), &e, &tag));
	if (e.has_type && !schema_type_find(e.type, &type))
		return ERR_TYPE;
	if (e.has_value != (type != STRUCTURE))
		return ERR_TYPE;
	if (type == STRUCTURE && r->depth == TTLV_MAX_DEPTH)
		return ERR_DEPTH;
	TRY(item_add(r->arena, parent, tag, type, &item));
	r->item_count++;
	if (parent == NULL)
		r->root = item;
	if (type == STRUCTURE) {
		r->open[r->depth++] = item;
		return OK;
	}
	r->in_value = true;
	TRY(value_parse(r->arena, item, item_value_tag(item, parent), e.value));
out:
	return rc;
}

/* libxml2's callbacks: the first error ends the parsing. */

static void
reader_fail(struct reader *r, enum err rc)
{
	if (rc == OK || r->rc != OK)
		return;
	r->rc = rc;
	xmlStopParser(r->context);
}

static void
on_start(void *reader, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int namespace_count, const xmlChar **namespaces,
    int attribute_count, int defaulted_count, const xmlChar **attributes)
{
	struct reader *r = reader;

	(void)uri;
	(void)namespace_count;
	(void)namespaces;
	(void)defaulted_count;
	if (r->rc == OK)
		reader_fail(r, element_start(r, name, prefix, attributes,
				   attribute_count));
}

static void
on_end(void *reader, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri)
{
	struct reader *r = reader;

	(void)name;
	(void)prefix;
	(void)uri;
	if (r->in_value)
		r->in_value = false;
	else if (r->depth != 0)
		r->depth--;
}

static void
on_text(void *reader, const xmlChar *text, int octets)
{
	for (int i = 0; i < octets; i++) {
		if (!is_blank(text[i])) {
			/* which frees the text */
			reader_fail(reader, ERR_MESSAGE);
			return;
		}
	}
}

static void
on_cdata(void *reader, const xmlChar *text, int octets)
{
	(void)text;
	(void)octets;
	reader_fail(reader, ERR_MESSAGE);
}

static void
on_document_type(
    void *reader, const xmlChar *name, const xmlChar *id, const xmlChar *system)
{
	(void)name;
	(void)id;
	(void)system;
	reader_fail(reader, ERR_MESSAGE);
}

static void
on_error(void *reader, xmlErrorPtr error)
{
	if (error->level == XML_ERR_WARNING)
		return;
	reader_fail(
	    reader, error->code == XML_ERR_NO_MEMORY ? ERR_NOMEM : ERR_MESSAGE);
}

enum err
xml_parse(struct arena *a, struct bytes in, struct item **out)
{
	xmlSAXHandler handler = {
	    .initialized = XML_SAX2_MAGIC,
	    .startElementNs = on_start,
	    .endElementNs = on_end,
	    .characters = on_text,
	    .cdataBlock = on_cdata,
	    .internalSubset = on_document_type,
	    .serror = on_error,
	};
	struct reader r = {.arena = a};

	*out = NULL;
	call_once(&xml_once, xml_init);
	if (in.octets == 0 || in.octets > INT_MAX)
		return ERR_MESSAGE;
	r.context = xmlCreatePushParserCtxt(&handler, &r, NULL, 0, NULL);
	if (r.context == NULL)
		return ERR_NOMEM;
	/* NOENT: without it, &amp; comes as &#38;. There are no entities but
	 * XML's own, for without a document type none can be declared. */
	(void)xmlCtxtUseOptions(
	    r.context, XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOENT);
	if (xmlParseChunk(r.context, (const char *)in.at, (int)in.octets, 1) !=
		0 &&
	    r.rc == OK)
		r.rc = ERR_MESSAGE;
	if (r.context->myDoc != NULL)
		xmlFreeDoc(r.context->myDoc);
	xmlFreeParserCtxt(r.context);
	if (r.rc == OK && r.root == NULL)
		r.rc = ERR_MESSAGE;
	if (r.rc == OK)
		*out = r.root;
	return r.rc;
}

/* ------------------------------------------------------------------------
 * Writing.
 */

static enum err
text_write(struct bytes text, struct buf *out)
{
	static const char *const escapes[] = {
	    ['&'] = "&amp;",
	    ['<'] = "&lt;",
	    ['>'] = "&gt;",
	    ['"'] = "&quot;",
	    ['\t'] = "&#9;",
	    ['\n'] = "&#10;",
	    ['\r'] = "&#13;",
	};
	enum err rc = OK;

	for (size_t i = 0; i < text.octets; i++) {
		uint8_t c = text.at[i];

		if (c < sizeof(escapes) / sizeof(escapes[0]) &&
		    escapes[c] != NULL)
			TRY(buf_put_text(out, escapes[c]));
		else if (c < 0x20)
			return ERR_VALUE;
		else
			TRY(buf_put(out, (struct bytes){&c, 1}));
	}
out:
	return rc;
}

static enum err
hex_write(struct bytes octets, struct buf *out)
{
	uint8_t *tail;
	enum err rc = OK;

	TRY(buf_reserve(out, octets.octets * 2, &tail));
	for (size_t i = 0; i < octets.octets; i++) {
		tail[2 * i] = (uint8_t) "0123456789abcdef"[octets.at[i] >> 4];
		tail[2 * i + 1] =
		    (uint8_t) "0123456789abcdef"[octets.at[i] & 0xf];
	}
	buf_added(out, octets.octets * 2);
out:
	return rc;
}

static enum err
date_write(int64_t when, bool is_extended, struct buf *out)
{
	int64_t unit = is_extended ? 1000000 : 1;
	int64_t wall_s = when / unit - (when % unit < 0);
	int64_t day = wall_s / 86400 - (wall_s % 86400 < 0);
	int64_t second_of_day = wall_s - day * 86400;
	int64_t year, month, day_of_month;
	enum err rc = OK;

	/* before year 1 and after 9999 there is no ISO 8601 */
	if (day < days_from_date(1, 1, 1) || day > days_from_date(9999, 12, 31))
		return buf_printf(out, "0x%016" PRIx64, (uint64_t)when);
	date_from_days(day, &year, &month, &day_of_month);
	TRY(buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year,
	    (int)month, (int)day_of_month, (int)(second_of_day / 3600),
	    (int)(second_of_day / 60 % 60), (int)(second_of_day % 60)));
	if (is_extended)
		TRY(buf_printf(out, ".%06d", (int)(when - wall_s * unit)));
	TRY(buf_put_text(out, "+00:00"));
out:
	return rc;
}

static enum err
mask_write(enum tag tag, uint32_t mask, struct buf *out)
{
	const char *blank = "";
	enum err rc = OK;

	if (mask == 0)
		return buf_put_text(out, "0");
	for (; mask != 0; mask &= mask - 1) {
		uint32_t bit = mask & -mask;
		const char *name = schema_value_xml_name(tag, bit);

		TRY(buf_put_text(out, blank));
		if (name != NULL)
			TRY(buf_put_text(out, name));
		else
			TRY(buf_printf(out, "0x%08" PRIx32, bit));
		blank = " ";
	}
out:
	return rc;
}

static enum err
value_write(const struct item *item, enum tag tag, struct buf *out)
{
	const char *name;

	switch (item->type) {
	case STRUCTURE:
		break;
	case INTEGER:
		if (schema_is_mask(tag))
			return mask_write(tag, (uint32_t)item->number, out);
		return buf_printf(out, "%" PRId64, item->number);
	case LONG_INTEGER:
	case INTERVAL:
		return buf_printf(out, "%" PRId64, item->number);
	case ENUMERATION:
		name = schema_value_xml_name(tag, (uint32_t)item->number);
		if (name != NULL)
			return buf_put_text(out, name);
		return buf_printf(out, "0x%08" PRIx32, (uint32_t)item->number);
	case BOOLEAN:
		return buf_put_text(out, item->number != 0 ? "true" : "false");
	case TEXT_STRING:
		return text_write(item->octets, out);
	case BIG_INTEGER:
	case BYTE_STRING:
		return hex_write(item->octets, out);
	case DATE_TIME:
	case DATE_TIME_EXTENDED:
		return date_write(
		    item->number, item->type == DATE_TIME_EXTENDED, out);
	}
	return OK;
}

static enum err
item_write(const struct item *item, const struct item *parent, int depth,
    struct buf *out)
{
	const char *name = schema_tag_xml_name(item->tag);
	enum err rc = OK;

	TRY(buf_printf(out, "%*s<%s", 2 * depth, "", name ? name : "TTLV"));
	if (name == NULL)
		TRY(buf_printf(out, " tag=\"0x%06" PRIx32 "\"", item->tag));
	if (item->type != STRUCTURE) {
		TRY(buf_printf(out, " type=\"%s\" value=\"",
		    schema_type_name(item->type)));
		TRY(value_write(item, item_value_tag(item, parent), out));
		return buf_put_text(out, "\"/>\n");
	}
	if (item->first == NULL)
		return buf_put_text(out, "/>\n");
	TRY(buf_put_text(out, ">\n"));
	ITEM_EACH (item, child)
		TRY(item_write(child, item, depth + 1, out));
	TRY(buf_printf(out, "%*s</%s>\n", 2 * depth, "", name ? name : "TTLV"));
out:
	return rc;
}

enum err
xml_write(const struct item *item, struct buf *out)
{
	return item_write(item, NULL, 0, out);
}
