#include "attribute.h"

#include "answer.h"
#include "form.h"
#include "message.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <string.h>

static bool
is_2(unsigned version)
{
	return version >= 0x20;
}

struct node *
attribute_list(struct arena *a, struct node *payload, unsigned version,
    enum attribute_whose whose)
{
	static const uint32_t tags[][2] = {
	    [WHOSE_OBJECT] = {TAG_TEMPLATE_ATTRIBUTE, TAG_ATTRIBUTES},
	    [WHOSE_BOTH] = {TAG_COMMON_TEMPLATE_ATTRIBUTE,
		TAG_COMMON_ATTRIBUTES},
	    [WHOSE_PRIVATE] = {TAG_PRIVATE_KEY_TEMPLATE_ATTRIBUTE,
		TAG_PRIVATE_KEY_ATTRIBUTES},
	    [WHOSE_PUBLIC] = {TAG_PUBLIC_KEY_TEMPLATE_ATTRIBUTE,
		TAG_PUBLIC_KEY_ATTRIBUTES},
	};

	return put_structure(a, payload, tags[whose][is_2(version)]);
}

static bool
is_custom(const char *name)
{
	return (name[0] == 'x' || name[0] == 'y') && name[1] == '-';
}

/* The tag of an attribute by either of its names; 0: there is none. */
static uint32_t
attribute_tag(const char *name)
{
	const struct attribute_row *row = schema_attribute(name, strlen(name));
	const struct tag_row *tag;

	if (row != NULL)
		return row->tag;
	tag = schema_tag_by_xml(name);
	if (tag == NULL)
		tag = schema_tag_by_name(name);
	if (tag == NULL || schema_attribute_by_tag(tag->tag) == NULL)
		return 0;
	return tag->tag;
}

static bool
in_version(uint32_t tag, unsigned version)
{
	const struct attribute_row *row = schema_attribute_by_tag(tag);
	int i = version_index(version);

	return row != NULL && i >= 0 && (row->versions >> i & 1) != 0;
}

/* "Cryptographic Length" where the version writes names out. */
static const char *
attribute_name(uint32_t tag)
{
	const struct attribute_row *row = schema_attribute_by_tag(tag);

	return row != NULL ? row->name : schema_tag_name(tag);
}

static enum err
attribute_find(
    const char *name, unsigned version, uint32_t *tag, struct fault *f)
{
	*tag = attribute_tag(name);
	if (*tag == 0)
		return fault_say(f, ERR_SYNTAX, "no attribute `%s`", name);
	if (!in_version(*tag, version))
		return fault_say(f, ERR_SYNTAX, "KMIP %s has no attribute `%s`",
		    version_name(version), name);
	return OK;
}

/* A custom attribute: from 2.0 on its prefix is the vendor. */
static void
put_custom(struct arena *a, struct node *parent, unsigned version,
    const char *name, const char *value)
{
	struct node *n = put_structure(a, parent, TAG_ATTRIBUTE);

	if (is_2(version)) {
		put_text(a, n, TAG_VENDOR_IDENTIFICATION,
		    name[0] == 'x' ? "x" : "y");
		name += 2;
	}
	put_text(a, n, TAG_ATTRIBUTE_NAME, name);
	put_text(a, n, TAG_ATTRIBUTE_VALUE, value);
}

static void
put_name(struct arena *a, struct node *n, const char *value)
{
	put_text(a, n, TAG_NAME_VALUE, value);
	put_enum(a, n, TAG_NAME_TYPE, NAME_TYPE_UNINTERPRETED_TEXT_STRING);
}

static enum err
put_application(
    struct arena *a, struct node *n, const char *value, struct fault *f)
{
	const char *colon = strchr(value, ':');

	if (colon == NULL)
		return fault_say(
		    f, ERR_SYNTAX, "`%s` is not NAMESPACE:DATA", value);
	put_text(a, n, TAG_APPLICATION_NAMESPACE,
	    arena_printf(a, "%.*s", (int)(colon - value), value));
	put_text(a, n, TAG_APPLICATION_DATA, colon + 1);
	return OK;
}

/* The type of an attribute that is no structure, the first that it may have. */
static enum item_type
scalar_type(uint32_t tag, unsigned version)
{
	unsigned types = schema_tag_types(tag, version);

	for (enum item_type t = TYPE_INTEGER; t < TYPE_END; t++)
		if ((types >> t & 1) != 0)
			return t;
	return TYPE_STRUCTURE;
}

enum err
attribute_put(struct arena *a, struct node *parent, unsigned version,
    const char *name, const char *value, struct fault *f)
{
	struct bytes octets = BYTES_NONE;
	struct node *n;
	enum item_type type;
	uint32_t tag, at;
	enum err rc = OK;

	if (is_custom(name)) {
		put_custom(a, parent, version, name, value);
		goto out;
	}
	TRY(attribute_find(name, version, &tag, f));
	type = tag == TAG_NAME ? TYPE_STRUCTURE : scalar_type(tag, version);
	if (type != TYPE_STRUCTURE &&
	    form_value(a, tag, type, value, &octets) != OK)
		TRY(fault_say(f, ERR_SYNTAX, "`%s` is no value of %s (%s)",
		    value, attribute_name(tag), type_name(type)));
	at = tag;
	if (!is_2(version)) {
		parent = put_structure(a, parent, TAG_ATTRIBUTE);
		put_text(a, parent, TAG_ATTRIBUTE_NAME, attribute_name(tag));
		at = TAG_ATTRIBUTE_VALUE;
	}
	n = put_bytes(a, parent, at, type, octets);
	if (tag == TAG_NAME)
		put_name(a, n, value);
	else if (tag == TAG_APPLICATION_SPECIFIC_INFORMATION)
		TRY(put_application(a, n, value, f));
	else if (type == TYPE_STRUCTURE)
		TRY(fault_say(f, ERR_SYNTAX,
		    "%s is a structure: send it with `raw`",
		    attribute_name(tag)));
out:
	return rc;
}

enum err
attribute_put_reference(struct arena *a, struct node *payload, unsigned version,
    const char *name, struct fault *f)
{
	struct node *n;
	uint32_t tag;
	enum err rc = OK;

	if (is_custom(name) && is_2(version)) {
		n = put_structure(a, payload, TAG_ATTRIBUTE_REFERENCE);
		put_text(a, n, TAG_VENDOR_IDENTIFICATION,
		    name[0] == 'x' ? "x" : "y");
		put_text(a, n, TAG_ATTRIBUTE_NAME, name + 2);
		goto out;
	}
	if (is_custom(name)) {
		put_text(a, payload, TAG_ATTRIBUTE_NAME, name);
		goto out;
	}
	TRY(attribute_find(name, version, &tag, f));
	if (is_2(version))
		put_enum(a, payload, TAG_ATTRIBUTE_REFERENCE, tag);
	else
		put_text(a, payload, TAG_ATTRIBUTE_NAME, attribute_name(tag));
out:
	return rc;
}

static const char *
name_of(struct arena *a, const struct node *n)
{
	const char *vendor =
		       answer_text(a, node_find(n, TAG_VENDOR_IDENTIFICATION)),
		   *name = answer_text(a, node_find(n, TAG_ATTRIBUTE_NAME));

	if (name == NULL)
		return "?";
	if (vendor == NULL && schema_attribute(name, strlen(name)) != NULL)
		return schema_tag_name(
		    schema_attribute(name, strlen(name))->tag);
	return vendor == NULL ? name : arena_printf(a, "%s-%s", vendor, name);
}

const char *
attribute_reference(struct arena *a, const struct node *reference)
{
	const struct attribute_row *row;
	const char *name = answer_text(a, reference);

	if (reference->type == TYPE_STRUCTURE)
		return name_of(a, reference);
	if (name == NULL)
		return schema_tag_name((uint32_t)node_number(reference));
	row = schema_attribute(name, strlen(name));
	return row != NULL ? schema_tag_name(row->tag) : name;
}

const struct node *
attribute_next(struct arena *a, const struct node *parent,
    const struct node *at, const char **name, const struct node **value)
{
	at = at == NULL ? parent->first : at->next;
	while (at != NULL && at->tag == TAG_UNIQUE_IDENTIFIER &&
	       parent->tag == TAG_RESPONSE_PAYLOAD)
		at = at->next;
	if (at == NULL)
		return NULL;
	if (at->tag == TAG_ATTRIBUTE) {
		*name = name_of(a, at);
		*value = node_find(at, TAG_ATTRIBUTE_VALUE);
		if (*value == NULL)
			*value = at;
	} else {
		*name = schema_tag_name(at->tag);
		*value = at;
	}
	return at;
}
