#include "show.h"

#include "check.h"
#include "hex.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <string.h>
#include <time.h>

bool
show_is_secret(const struct node *n)
{
	if (n->type == TYPE_STRUCTURE)
		return false;
	if (n->tag == TAG_PASSWORD || n->tag == TAG_ONE_TIME_PASSWORD ||
	    n->tag == TAG_HASHED_PASSWORD || n->tag == TAG_KEY_VALUE)
		return true;
	for (; n != NULL; n = n->parent)
		if (n->tag == TAG_KEY_MATERIAL)
			return true;
	return false;
}

static void
show_date(int64_t seconds, struct buf *out)
{
	char text[40];
	struct tm tm;
	time_t t = (time_t)seconds;

	/* years that ISO 8601 has no four digits for stay numbers */
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 ||
	    tm.tm_year > 9999 - 1900) {
		buf_printf(out, "%lld", (long long)seconds);
		return;
	}
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &tm);
	buf_text(out, text);
}

static void
show_mask(uint32_t tag, uint32_t bits, struct buf *out)
{
	const char *blank = "";

	for (int i = 0; i < 32; i++) {
		uint32_t bit = (uint32_t)1 << i;

		if ((bits & bit) == 0)
			continue;
		buf_printf(out, "%s%s", blank, schema_value_name(tag, bit));
		blank = " ";
	}
	if (bits == 0)
		buf_text(out, "0");
}

static void
show_escaped(struct bytes text, struct buf *out)
{
	for (size_t i = 0; i < text.octets; i++) {
		uint8_t c = text.at[i];

		if (c == '&')
			buf_text(out, "&amp;");
		else if (c == '<')
			buf_text(out, "&lt;");
		else if (c == '"')
			buf_text(out, "&quot;");
		else if (c < ' ')
			buf_printf(out, "&#%u;", c);
		else
			buf_put(out, (struct bytes){&c, 1});
	}
}

void
show_value(const struct node *n, unsigned flags, struct buf *out)
{
	uint32_t meaning = check_meaning_of(n);

	if (n->placeholder != NULL) {
		buf_text(out, n->placeholder);
		return;
	}
	if (show_is_secret(n) && (flags & SHOW_SECRETS) == 0) {
		buf_printf(out, "(secret, %u octets)", n->length);
		return;
	}
	switch (n->type) {
	case TYPE_STRUCTURE:
	case TYPE_END:
		break;
	case TYPE_INTEGER:
		if (schema_is_mask(meaning))
			show_mask(meaning, (uint32_t)node_number(n), out);
		else
			buf_printf(out, "%lld", (long long)node_number(n));
		break;
	case TYPE_LONG_INTEGER:
	case TYPE_INTERVAL:
	case TYPE_DATE_TIME_EXTENDED:
		buf_printf(out, "%lld", (long long)node_number(n));
		break;
	case TYPE_ENUMERATION:
		buf_text(
		    out, schema_value_name(meaning, (uint32_t)node_number(n)));
		break;
	case TYPE_BOOLEAN:
		buf_text(out, node_number(n) != 0 ? "true" : "false");
		break;
	case TYPE_DATE_TIME:
		show_date(node_number(n), out);
		break;
	case TYPE_TEXT_STRING:
		buf_put(out, node_value(n));
		break;
	case TYPE_BIG_INTEGER:
	case TYPE_BYTE_STRING:
		hex_write(node_value(n), out);
		break;
	}
}

static void
tree_line(const struct node *n, unsigned depth, unsigned flags, struct buf *out)
{
	buf_printf(out, "%6zu  %*s%s", n->offset, (int)(2 * depth), "",
	    schema_tag_name(n->tag));
	if (n->type != TYPE_STRUCTURE) {
		buf_printf(out, " %s ", type_name(n->type));
		show_value(n, flags, out);
	}
	buf_text(out, "\n");
	for (const struct node *c = n->first; c != NULL; c = c->next)
		tree_line(c, depth + 1, flags, out);
}

void
show_tree(const struct node *n, unsigned flags, struct buf *out)
{
	tree_line(n, 0, flags, out);
}

void
show_xml(const struct node *n, unsigned depth, unsigned flags, struct buf *out)
{
	const struct tag_row *row = schema_tag(n->tag);
	struct buf value = {0};

	buf_printf(out, "%*s", (int)(2 * depth), "");
	if (row != NULL)
		buf_printf(out, "<%s", row->xml);
	else
		buf_printf(out, "<TTLV tag=\"0x%06x\"", n->tag);
	if (n->type == TYPE_STRUCTURE && n->first == NULL) {
		buf_text(out, "/>\n");
		return;
	}
	if (n->type == TYPE_STRUCTURE) {
		buf_text(out, ">\n");
		for (const struct node *c = n->first; c != NULL; c = c->next)
			show_xml(c, depth + 1, flags, out);
		buf_printf(out, "%*s</%s>\n", (int)(2 * depth), "",
		    row == NULL ? "TTLV" : row->xml);
		return;
	}
	show_value(n, flags, &value);
	buf_printf(out, " type=\"%s\" value=\"", type_name(n->type));
	show_escaped(buf_peek(&value), out);
	buf_text(out, "\"/>\n");
	buf_clear(&value);
}

static void
mask_values(const struct node *n, uint8_t *digits, size_t octets)
{
	size_t at = n->offset + 8;

	if (show_is_secret(n) && at <= octets && n->length <= octets - at)
		memset(digits + 2 * at, '*', 2 * (size_t)n->length);
	for (const struct node *c = n->first; c != NULL; c = c->next)
		mask_values(c, digits, octets);
}

void
show_hex(struct bytes message, const struct node *root, unsigned flags,
    struct buf *out)
{
	size_t start = out->octets;

	hex_write(message, out);
	if (root != NULL && (flags & SHOW_SECRETS) == 0)
		mask_values(root, out->at + start, message.octets);
}
