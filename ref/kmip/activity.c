#include "kmip/activity.h"

#include "kmip/attributes.h"

/* The attributes of a new object: of a pair the private key's first. */
static const enum tag templates[] = {
    TAG_PRIVATE_KEY_TEMPLATE_ATTRIBUTE,
    TAG_COMMON_TEMPLATE_ATTRIBUTE,
    TAG_TEMPLATE_ATTRIBUTE,
    TAG_PUBLIC_KEY_TEMPLATE_ATTRIBUTE,
};

enum { TEMPLATE_COUNT = sizeof(templates) / sizeof(templates[0]) };

static const struct item *
find(const struct item *in, enum tag tag, enum item_type type)
{
	const struct item *item = NULL;

	if (in != NULL && in->type == STRUCTURE)
		item = item_find(in, tag);
	return item != NULL && item->type == type ? item : NULL;
}

static struct bytes
find_text(const struct item *in, enum tag tag)
{
	const struct item *item = find(in, tag, TEXT_STRING);

	return item != NULL ? item->octets : BYTES_NONE;
}

/* The value of an attribute: in 2.x it goes by its own tag, in 1.x by name. */
static const struct item *
attribute_in(const struct item *holder, enum tag tag, enum item_type type)
{
	const struct item *value = find(holder, tag, type);
	struct bytes name;

	if (value != NULL || holder == NULL || holder->type != STRUCTURE)
		return value;
	ITEM_EACH (holder, attribute) {
		name = find_text(attribute, TAG_ATTRIBUTE_NAME);
		if (!bytes_equal_text(name, schema_tag_name(tag)))
			continue;
		value = find(attribute, TAG_ATTRIBUTE_VALUE, type);
		if (value != NULL)
			return value;
	}
	return NULL;
}

static const struct item *
attribute_of(const struct item *in, enum tag tag, enum item_type type)
{
	const struct item *value;
	size_t k;

	for (k = 0; k < TEMPLATE_COUNT; k++) {
		value = attribute_in(
		    attributes_holder(in, templates[k]), tag, type);
		if (value != NULL)
			return value;
	}
	return NULL;
}

/* The block of a key that is registered, whatever it is in. */
static const struct item *
key_block(const struct item *in)
{
	const struct item *block = NULL;

	ITEM_EACH (in, object) {
		block = find(object, TAG_KEY_BLOCK, STRUCTURE);
		if (block != NULL)
			break;
	}
	return block;
}

static const struct item *
made_of(const struct item *in, enum tag tag, enum item_type type)
{
	const struct item *item = find(key_block(in), tag, type);

	return item != NULL ? item : attribute_of(in, tag, type);
}

static void
read_made(const struct item *in, struct mention *out)
{
	const struct item *name = attribute_of(in, TAG_NAME, STRUCTURE);
	const struct item *algorithm =
	    made_of(in, TAG_CRYPTOGRAPHIC_ALGORITHM, ENUMERATION);
	const struct item *bits =
	    made_of(in, TAG_CRYPTOGRAPHIC_LENGTH, INTEGER);
	const struct item *extractable =
	    attribute_of(in, TAG_EXTRACTABLE, BOOLEAN);
	const char *word = NULL;

	out->key = find_text(name, TAG_NAME_VALUE);
	if (algorithm != NULL)
		word = schema_value_xml_name(
		    TAG_CRYPTOGRAPHIC_ALGORITHM, (uint32_t)algorithm->number);
	if (word != NULL)
		out->algorithm = bytes_of_text(word);
	if (bits != NULL && bits->number > 0)
		out->bits = bits->number;
	out->says_exportable = extractable != NULL;
	out->exportable = extractable != NULL && extractable->number != 0;
}

/* req: KS-21-031 */
void
mention_read(const struct item *item, const struct op *op,
    const struct item *answer, struct mention *out)
{
	const struct item *in = find(item, TAG_REQUEST_PAYLOAD, STRUCTURE);

	*out = (struct mention){.bits = 0};
	if (op == NULL || op->tell == TELL_NOTHING || in == NULL)
		return;
	if (op->tell == TELL_MADE)
		read_made(in, out);
	else
		out->key = find_text(in, TAG_UNIQUE_IDENTIFIER);
	/* it has no name, or it was the ID Placeholder's */
	if (out->key.octets == 0)
		out->key = find_text(answer, TAG_UNIQUE_IDENTIFIER);
	if (out->key.octets == 0)
		out->key = find_text(answer, TAG_PRIVATE_KEY_UNIQUE_IDENTIFIER);
}

/* req: KS-21-036 KS-21-037 */
void
mention_put(const struct mention *mention, struct activity *line)
{
	line->key = mention->key;
	if (mention->algorithm.octets != 0)
		activity_word(line, mention->algorithm);
	if (mention->bits != 0)
		activity_number(line, (uint64_t)mention->bits);
	if (!mention->says_exportable)
		return;
	activity_word(line, bytes_of_text("Exportable"));
	activity_word(
	    line, bytes_of_text(mention->exportable ? "true" : "false"));
}
