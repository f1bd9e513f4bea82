/* The two forms in which attributes travel. */
#include <assert.h>
#include <string.h>

#include "model/attr.h"

/* spec: kmip-2.1 5.1 to 5.7  structures whose children are attributes */
static bool
is_attributes(uint32_t tag)
{
	return tag == TAG_ATTRIBUTES || tag == TAG_COMMON_ATTRIBUTES ||
	       tag == TAG_PRIVATE_KEY_ATTRIBUTES ||
	       tag == TAG_PUBLIC_KEY_ATTRIBUTES ||
	       tag == TAG_CURRENT_ATTRIBUTE || tag == TAG_NEW_ATTRIBUTE;
}

/* What a peer named, cut and made harmless, for the Result Message. */
struct shown {
	char text[65];
};

static struct shown
show(struct bytes name)
{
	struct shown out = {{0}};

	for (size_t i = 0; i < name.octets && i < sizeof(out.text) - 1; i++)
		out.text[i] = name.at[i] >= 0x20 && name.at[i] < 0x7f
				  ? (char)name.at[i]
				  : '?';
	return out;
}

/* ---- reading ---- */

/* spec: kmip-2.1 4.60  [A-Za-z0-9_.] */
static bool
is_vendor(struct bytes vendor)
{
	for (size_t i = 0; i < vendor.octets; i++) {
		uint8_t c = vendor.at[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '.'))
			return false;
	}
	return vendor.octets != 0;
}

static enum err
check_name(struct bytes name, struct fault *f)
{
	if (name.octets <= ATTR_NAME_MAX_OCTETS)
		return OK;
	fault_set(f, "Attribute Name: at most %d octets", ATTR_NAME_MAX_OCTETS);
	return ERR_LIMIT;
}

/* The 2.x names of a vendor attribute. */
static enum err
read_vendor(const struct item *holder, struct bytes *vendor, struct bytes *name,
    struct fault *f)
{
	enum err rc = OK;

	*vendor = item_octets(holder, TAG_VENDOR_IDENTIFICATION);
	*name = item_octets(holder, TAG_ATTRIBUTE_NAME);
	TRY(check_name(*name, f));
	TRY(check_name(*vendor, f));
	if (!is_vendor(*vendor)) {
		fault_set(f,
		    "Vendor Identification: may have A to Z, a to z, 0 to 9, "
		    "_ and . only");
		rc = ERR_VALUE;
	}
out:
	return rc;
}

/* The 1.x name of an attribute: its definition, and "x" and "ID" of "x-ID". */
static enum err
read_name(struct bytes text, enum version v, const struct attr_def **def,
    struct bytes *vendor, struct bytes *name, struct fault *f)
{
	enum err rc = OK;

	*def = attr_def_of_name(text, v);
	*vendor = BYTES_NONE;
	*name = BYTES_NONE;
	if (*def == NULL) {
		*name = text;
	} else if ((*def)->tag == TAG_ATTRIBUTE) {
		*vendor = (struct bytes){text.at, 1};
		*name = (struct bytes){text.at + 2, text.octets - 2};
	}
	TRY(check_name(*name, f));
out:
	return rc;
}

/* Attribute { Attribute Name, Attribute Index, Attribute Value } */
static enum err
read_1x(const struct item *from, enum version v, struct attr *one,
    const struct item **value, struct fault *f)
{
	const struct item *index = item_find(from, TAG_ATTRIBUTE_INDEX);
	struct bytes text = item_octets(from, TAG_ATTRIBUTE_NAME);
	enum err rc = OK;

	TRY(read_name(text, v, &one->def, &one->vendor, &one->name, f));
	if (one->def == NULL) {
		fault_set(
		    f, "no attribute \"%s\" in this version", show(text).text);
		return ERR_ATTR_UNKNOWN;
	}
	if (index != NULL) {
		one->index_given = true;
		one->index = (int32_t)index->number;
	}
	*value = item_find(from, TAG_ATTRIBUTE_VALUE);
out:
	return rc;
}

/*
 * An attribute under its own tag, or Attribute { Vendor Identification,
 * Attribute Name, Attribute Value }
 */
static enum err
read_2x(const struct item *from, enum version v, struct attr *one,
    const struct item **value, struct fault *f)
{
	one->def = attr_def_of_tag(from->tag, v);
	if (one->def == NULL) {
		const char *name = schema_tag_name(from->tag);

		fault_set(f, "no attribute %06x \"%s\" in this version",
		    (unsigned)from->tag, name != NULL ? name : "");
		return ERR_ATTR_UNKNOWN;
	}
	*value = from;
	if (one->def->tag != TAG_ATTRIBUTE)
		return OK;
	*value = item_find(from, TAG_ATTRIBUTE_VALUE);
	return read_vendor(from, &one->vendor, &one->name, f);
}

static enum err
read_one(struct arena *a, const struct item *from, enum version v,
    struct attr_list *list, struct fault *f)
{
	const struct item *value = NULL;
	struct attr *one;
	enum err rc = OK;

	if (list->count >= ATTR_LIST_MAX) {
		fault_set(f, "more than %d attributes", ATTR_LIST_MAX);
		return ERR_LIMIT;
	}
	TRY(ARENA_NEW(a, one));
	TRY(v < V2_0 ? read_1x(from, v, one, &value, f)
		     : read_2x(from, v, one, &value, f));
	assert(value != NULL); /* by the schema */
	TRY(ARENA_NEW(a, one->value));
	*one->value = *value;
	one->value->next = NULL;
	one->value->tag = one->def->tag != TAG_ATTRIBUTE ? one->def->tag
							 : TAG_ATTRIBUTE_VALUE;
	attr_append(list, one);
out:
	return rc;
}

enum err
attr_read_list(struct arena *a, const struct item *holder, enum version v,
    struct attr_list *list, struct fault *f)
{
	bool every = v >= V2_0 && holder != NULL && is_attributes(holder->tag);
	enum err rc = OK;

	if (holder == NULL)
		return OK;
	ITEM_EACH (holder, child) {
		if (every || (v < V2_0 && child->tag == TAG_ATTRIBUTE))
			TRY(read_one(a, child, v, list, f));
		else if (v >= V2_0 && (child->tag == TAG_ATTRIBUTES ||
					  child->tag == TAG_NEW_ATTRIBUTE))
			TRY(attr_read_list(a, child, v, list, f));
	}
out:
	return rc;
}

bool
attr_is_whole(const struct attr *one)
{
	enum tag tag = one->def->tag;
	const struct item *id = one->value;

	if (tag == TAG_APPLICATION_SPECIFIC_INFORMATION)
		return item_find(one->value, TAG_APPLICATION_DATA) != NULL;
	if (tag == TAG_LINK)
		id = item_find(one->value, TAG_LINKED_OBJECT_IDENTIFIER);
	else if (tag != TAG_UNIQUE_IDENTIFIER)
		return true;
	return id == NULL || id->type == TEXT_STRING;
}

/* ---- references ---- */

static bool
same_ref(const struct attr_ref *a, const struct attr_ref *b)
{
	return a->def == b->def && bytes_equal(a->name, b->name) &&
	       bytes_equal(a->vendor, b->vendor);
}

static enum err
read_ref_1x(const struct item *from, enum version v, struct attr_ref *ref,
    struct fault *f)
{
	const struct item *index = from->next;
	enum err rc = OK;

	TRY(read_name(from->octets, v, &ref->def, &ref->vendor, &ref->name, f));
	if (index == NULL || index->tag != TAG_ATTRIBUTE_INDEX)
		return OK;
	if (index->number < 0) {
		fault_set(f, "Attribute Index: below 0");
		return ERR_INDEX;
	}
	ref->index = (int32_t)index->number;
out:
	return rc;
}

static enum err
read_ref_2x(const struct item *from, enum version v, struct attr_ref *ref,
    struct fault *f)
{
	if (from->type != STRUCTURE) {
		ref->def = attr_def_of_tag((uint32_t)from->number, v);
		/* of the vendor attributes, it does not say which */
		if (ref->def != NULL && ref->def->tag == TAG_ATTRIBUTE)
			ref->def = NULL;
		return OK;
	}
	ref->def = attr_def_of_tag(TAG_ATTRIBUTE, v);
	return read_vendor(from, &ref->vendor, &ref->name, f);
}

enum err
attr_read_refs(struct arena *a, const struct item *payload, enum version v,
    struct attr_ref **first, struct fault *f)
{
	enum tag tag = v < V2_0 ? TAG_ATTRIBUTE_NAME : TAG_ATTRIBUTE_REFERENCE;
	struct attr_ref **tail = first;
	size_t count = 0;
	enum err rc = OK;

	*first = NULL;
	ITEM_EACH (payload, child) {
		struct attr_ref *ref;

		if (child->tag != tag)
			continue;
		if (count++ >= ATTR_LIST_MAX) {
			fault_set(f, "more than %d attributes", ATTR_LIST_MAX);
			return ERR_LIMIT;
		}
		TRY(ARENA_NEW(a, ref));
		ref->index = -1;
		TRY(v < V2_0 ? read_ref_1x(child, v, ref, f)
			     : read_ref_2x(child, v, ref, f));
		for (const struct attr_ref *r = *first; r != NULL; r = r->next)
			if ((r->def != NULL || r->name.octets != 0) &&
			    same_ref(r, ref)) {
				fault_set(f, "the same attribute twice");
				return ERR_REPEATED;
			}
		*tail = ref;
		tail = &ref->next;
	}
out:
	return rc;
}

/* ---- writing ---- */

/* spec: kmip-2.1 1.5  Date Time Extended came with 2.0 */
static bool
has_new_type(const struct item *value)
{
	if (value->type == DATE_TIME_EXTENDED)
		return true;
	if (value->type == STRUCTURE)
		ITEM_EACH (value, child)
			if (has_new_type(child))
				return true;
	return false;
}

/* Has the version a form for it? What values it has, the schema knows. */
static bool
is_written(const struct attr *one, enum version v)
{
	if (attr_rules(one->def, v) == 0)
		return false;
	if (one->def->tag != TAG_ATTRIBUTE || v >= V2_0)
		return true;
	return (bytes_equal_text(one->vendor, "x") ||
		   bytes_equal_text(one->vendor, "y")) &&
	       !has_new_type(one->value);
}

/* "x-ID"; a definition's name is static, and borrowed. */
static enum err
name_1x(struct arena *a, const struct attr *one, struct bytes *out)
{
	uint8_t *name;
	enum err rc = OK;

	if (one->def->tag != TAG_ATTRIBUTE) {
		*out = bytes_of_text(one->def->name);
		return OK;
	}
	TRY(ARENA_ARRAY(a, name, 2 + one->name.octets));
	name[0] = one->vendor.at[0];
	name[1] = '-';
	if (one->name.octets != 0)
		memcpy(name + 2, one->name.at, one->name.octets);
	*out = (struct bytes){name, 2 + one->name.octets};
out:
	return rc;
}

/*
 * A copy: answers outlive the object that a later batch item replaces, and are
 * shaped, while the object in the store's cache must not change.
 */
static enum err
write_value(
    struct arena *a, struct item *holder, enum tag tag, const struct attr *one)
{
	struct item *value;
	enum err rc = OK;

	TRY(item_copy(a, one->value, &value));
	value->tag = tag;
	item_append(holder, value);
out:
	return rc;
}

/* Vendor Identification and Attribute Name, for 2.x. */
static enum err
write_vendor(struct arena *a, struct item *holder, const struct attr *one)
{
	enum err rc = OK;

	TRY(item_add_octets(
	    a, holder, TAG_VENDOR_IDENTIFICATION, TEXT_STRING, one->vendor));
	TRY(item_add_octets(
	    a, holder, TAG_ATTRIBUTE_NAME, TEXT_STRING, one->name));
out:
	return rc;
}

/* spec: kmip-1.4 4.12  an index of 0 may be left out, and is */
static enum err
write_1x(struct arena *a, struct item *payload, const struct attr *one)
{
	struct bytes name;
	struct item *to;
	enum err rc = OK;

	TRY(name_1x(a, one, &name));
	TRY(item_add_structure(a, payload, TAG_ATTRIBUTE, &to));
	TRY(item_add_octets(a, to, TAG_ATTRIBUTE_NAME, TEXT_STRING, name));
	if (one->index != 0)
		TRY(item_add_number(
		    a, to, TAG_ATTRIBUTE_INDEX, INTEGER, one->index));
	TRY(write_value(a, to, TAG_ATTRIBUTE_VALUE, one));
out:
	return rc;
}

static enum err
write_2x(struct arena *a, struct item *payload, const struct attr *one)
{
	struct item *to = payload;
	enum err rc = OK;

	if (!is_attributes(payload->tag)) {
		to = item_find(payload, TAG_ATTRIBUTES);
		if (to == NULL)
			TRY(item_add_structure(
			    a, payload, TAG_ATTRIBUTES, &to));
	}
	if (one->def->tag != TAG_ATTRIBUTE)
		return write_value(a, to, one->def->tag, one);
	TRY(item_add_structure(a, to, TAG_ATTRIBUTE, &to));
	TRY(write_vendor(a, to, one));
	TRY(write_value(a, to, TAG_ATTRIBUTE_VALUE, one));
out:
	return rc;
}

enum err
attr_write(struct arena *a, struct item *payload, enum version v,
    const struct attr *one)
{
	if (!is_written(one, v))
		return OK;
	return v < V2_0 ? write_1x(a, payload, one) : write_2x(a, payload, one);
}

/* The name or reference as an item of its own. */
static enum err
ref_item(
    struct arena *a, enum version v, const struct attr *one, struct item **out)
{
	struct bytes name;
	enum err rc = OK;

	if (v < V2_0) {
		TRY(name_1x(a, one, &name));
		TRY(item_add(a, NULL, TAG_ATTRIBUTE_NAME, TEXT_STRING, out));
		(*out)->octets = name;
	} else if (one->def->tag == TAG_ATTRIBUTE) {
		TRY(item_add_structure(a, NULL, TAG_ATTRIBUTE_REFERENCE, out));
		TRY(write_vendor(a, *out, one));
	} else {
		TRY(item_add(
		    a, NULL, TAG_ATTRIBUTE_REFERENCE, ENUMERATION, out));
		(*out)->number = one->def->tag;
	}
out:
	return rc;
}

enum err
attr_write_ref(struct arena *a, struct item *payload, enum version v,
    const struct attr *one)
{
	struct item *ref;
	enum err rc = OK;

	if (!is_written(one, v))
		return OK;
	TRY(ref_item(a, v, one, &ref));
	ITEM_EACH (payload, child)
		if (item_equal(child, ref))
			return OK;
	item_append(payload, ref);
out:
	return rc;
}
