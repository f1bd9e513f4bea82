#include "check.h"

#include "schema.h"
#include "touchstone_tags.h"

#include <string.h>

/* What decides about one structure, besides its tag. */
struct context {
	unsigned version;
	bool response;
	int64_t status;     /* of the Batch Item; -1: none told */
	uint32_t operation; /* of the Batch Item; 0: none named */
	struct finding *f;
};

static enum err check_item(struct context c, const struct node *n);

unsigned
check_version_of(const struct node *message)
{
	const struct node *header, *version, *major, *minor;

	header = node_find(message, TAG_REQUEST_HEADER);
	if (header == NULL)
		header = node_find(message, TAG_RESPONSE_HEADER);
	version = node_find(header, TAG_PROTOCOL_VERSION);
	major = node_find(version, TAG_PROTOCOL_VERSION_MAJOR);
	minor = node_find(version, TAG_PROTOCOL_VERSION_MINOR);
	if (major == NULL || minor == NULL || node_number(major) < 0 ||
	    node_number(major) > 15 || node_number(minor) < 0 ||
	    node_number(minor) > 15)
		return VERSION_NONE;
	return (unsigned)(node_number(major) << 4 | node_number(minor));
}

uint32_t
check_meaning_of(const struct node *n)
{
	const struct attribute_row *row;
	const struct node *name;

	if (n->tag != TAG_ATTRIBUTE_VALUE || n->parent == NULL)
		return n->tag;
	/* 2.x: vendor attributes only, their values are of any type */
	if (node_find(n->parent, TAG_VENDOR_IDENTIFICATION) != NULL)
		return 0;
	name = node_find(n->parent, TAG_ATTRIBUTE_NAME);
	if (name == NULL || name->value == NULL)
		return 0;
	row = schema_attribute((const char *)name->value, name->length);
	return row == NULL ? 0 : row->tag;
}

static const char *
types_text(unsigned types)
{
	static char text[128];

	text[0] = 0;
	for (enum item_type t = TYPE_STRUCTURE; t < TYPE_END; t++) {
		if ((types >> t & 1) == 0)
			continue;
		if (text[0] != 0)
			strcat(text, " or ");
		strcat(text, type_name(t));
	}
	return text;
}

static enum err
check_type(struct context c, const struct node *n, unsigned types)
{
	if (types == 0 || (types >> n->type & 1) != 0)
		return OK;
	finding_expected(c.f, "type %s", types_text(types));
	finding_got(c.f, "%s", type_name(n->type));
	return finding_at(c.f, ERR_TYPE, n);
}

static enum err
check_mask(struct context c, const struct node *n, uint32_t meaning)
{
	uint32_t bits = (uint32_t)node_number(n);
	/* spec: kmip-1.4 9.1.3.3  XXX00000 and XXXXXXX0 are extensions */
	uint32_t extensions =
	    meaning == TAG_CRYPTOGRAPHIC_USAGE_MASK ? 0x100000 : 0x10;

	for (int i = 0; i < 32; i++) {
		uint32_t bit = (uint32_t)1 << i;
		const struct value_row *row;

		if ((bits & bit) == 0 || bit >= extensions)
			continue;
		row = schema_value(meaning, bit);
		if (row != NULL && row->since <= c.version)
			continue;
		finding_expected(c.f, "bits that %s has a name for",
		    version_name(c.version));
		finding_got(c.f, "0x%08x", bit);
		return finding_at(c.f, row == NULL ? ERR_VALUE : ERR_NEWER, n);
	}
	return OK;
}

static enum err
check_value(struct context c, const struct node *n, uint32_t meaning)
{
	const struct value_row *row;
	uint32_t value;

	if (n->type == TYPE_INTEGER && schema_is_mask(meaning))
		return check_mask(c, n, meaning);
	value = (uint32_t)node_number(n);
	if (n->type == TYPE_ENUMERATION && schema_has_tags(meaning) &&
	    !schema_tag_in(value, c.version)) {
		finding_expected(c.f, "a tag of %s", version_name(c.version));
		finding_got(c.f, "%s", schema_tag_name(value));
		return finding_at(c.f, ERR_VALUE, n);
	}
	if (n->type != TYPE_ENUMERATION || !schema_has_values(meaning))
		return OK;
	if (value >> 28 == 8) /* an extension */
		return OK;
	/* spec: kmip-1.4 7.2: a failed item names the operation that its
	 * request named, though the version may have none of that number */
	if (n->tag == TAG_OPERATION &&
	    c.status == RESULT_STATUS_OPERATION_FAILED)
		return OK;
	row = schema_value(meaning, value);
	if (row != NULL && schema_alive(row->since, row->until, c.version))
		return OK;
	finding_expected(c.f, "a value of %s %s", schema_tag_name(meaning),
	    version_name(c.version));
	finding_got(c.f, "%s", schema_value_name(meaning, value));
	return finding_at(c.f, row == NULL ? ERR_VALUE : ERR_NEWER, n);
}

static enum err
check_attribute_name(struct context c, const struct node *n)
{
	const struct attribute_row *row;
	const char *name = (const char *)n->value;
	int i = version_index(c.version);

	/* from 2.0 on only a vendor's attributes go by name */
	if (i < 0 || c.version >= 0x20)
		return OK;
	if (n->length >= 2 && (name[0] == 'x' || name[0] == 'y') &&
	    name[1] == '-')
		return OK;
	row = schema_attribute(name, n->length);
	if (row != NULL && (row->versions >> i & 1) != 0)
		return OK;
	finding_expected(c.f, "an attribute of %s, or x-... or y-...",
	    version_name(c.version));
	finding_got(c.f, "%.*s", (int)n->length, name);
	return finding_at(c.f, row == NULL ? ERR_VALUE : ERR_NEWER, n);
}

static bool
fits(const struct field *field, const struct node *n, unsigned version)
{
	const struct attribute_row *row;
	int i = version_index(version);

	switch (field->tag) {
	case GROUP_ANY:
		return true;
	case GROUP_OBJECT:
		return schema_is_object(n->tag);
	case GROUP_ATTRIBUTE:
		if (n->tag == TAG_ATTRIBUTE || n->tag >> 16 == 0x54)
			return true;
		row = schema_attribute_by_tag(n->tag);
		return row != NULL && i >= 0 && (row->versions >> i & 1) != 0;
	default:
		return field->tag == n->tag;
	}
}

static const char *
field_name(const struct field *field)
{
	switch (field->tag) {
	case GROUP_ANY:
		return "any item";
	case GROUP_OBJECT:
		return "an object";
	case GROUP_ATTRIBUTE:
		return "an attribute";
	default:
		return schema_tag_name(field->tag);
	}
}

static bool
is_required(struct context c, const struct field *field)
{
	return (field->flags & FIELD_REQUIRED) != 0 ||
	       ((field->flags & FIELD_ON_SUCCESS) != 0 &&
		   c.status == RESULT_STATUS_SUCCESS) ||
	       ((field->flags & FIELD_ON_FAILURE) != 0 &&
		   c.status == RESULT_STATUS_OPERATION_FAILED);
}

/* Does the structure have that item in another version? */
static bool
is_of_another_version(const struct shape *s, const struct node *n)
{
	for (int v = 0; v < VERSIONS; v++) {
		const struct shape *other =
		    schema_shape(version_at(v), s->kind, s->tag, s->key);

		for (unsigned i = 0; other != NULL && i < other->count; i++)
			if (fits(schema_field(other, i), n, version_at(v)))
				return true;
	}
	return false;
}

static enum err
missing(struct context c, const struct node *parent, const struct node *at,
    const struct field *field)
{
	enum err rc;

	finding_expected(c.f, "%s", field_name(field));
	finding_got(c.f, "%s",
	    at == NULL ? "the end of the structure" : schema_tag_name(at->tag));
	rc = finding_at(c.f, ERR_MISSING, parent);
	if (at != NULL)
		c.f->offset = at->offset;
	return rc;
}

/* An item that is not the next field: why may it not stand here? */
static enum err
misplaced(struct context c, const struct shape *s, const struct node *n)
{
	enum err kind = ERR_SURPLUS;

	for (unsigned i = 0; i < s->count; i++) {
		const struct field *field = schema_field(s, i);

		if (!fits(field, n, c.version))
			continue;
		if ((field->flags & FIELD_REPEATED) == 0 &&
		    node_find(n->parent, n->tag) != n) {
			finding_expected(c.f, "one %s", field_name(field));
			finding_got(c.f, "another");
			return finding_at(c.f, ERR_REPEATED, n);
		}
		kind = ERR_ORDER;
	}
	if (kind == ERR_SURPLUS && is_of_another_version(s, n))
		kind = ERR_NEWER;
	finding_expected(c.f, "no %s here in %s", schema_tag_name(n->tag),
	    version_name(c.version));
	finding_got(c.f, "%s", schema_tag_name(n->tag));
	return finding_at(c.f, kind, n);
}

static enum err
check_fields(struct context c, const struct node *n, const struct shape *s)
{
	const struct node *at = n->first;
	enum err rc = OK;

	for (unsigned i = 0; i < s->count; i++) {
		const struct field *field = schema_field(s, i);
		bool found = false;

		while (at != NULL && fits(field, at, c.version)) {
			if (found && (field->flags & FIELD_REPEATED) == 0)
				break;
			TRY(check_type(c, at, field->types));
			TRY(check_item(c, at));
			found = true;
			at = at->next;
		}
		if (found || !is_required(c, field))
			continue;
		/* what stands in its place is the fault if it comes later */
		if (at != NULL && node_find(n, field->tag) != NULL)
			return misplaced(c, s, at);
		return missing(c, n, at, field);
	}
	if (at != NULL)
		rc = misplaced(c, s, at);
out:
	return rc;
}

/* The shape of a structure, NULL where anything may stand. */
static const struct shape *
find_shape(struct context c, const struct node *n, uint32_t meaning)
{
	static const struct {
		uint32_t tag, chooser;
	} variants[] = {
	    {TAG_CREDENTIAL_VALUE, TAG_CREDENTIAL_TYPE},
	    {TAG_KEY_MATERIAL, TAG_KEY_FORMAT_TYPE},
	    {TAG_DERIVATION_PARAMETERS, TAG_DERIVATION_METHOD},
	};
	const struct shape *s;

	if (meaning == TAG_BATCH_ITEM || meaning == TAG_REQUEST_PAYLOAD ||
	    meaning == TAG_RESPONSE_PAYLOAD) {
		bool is_request = meaning == TAG_REQUEST_PAYLOAD ||
				  (meaning == TAG_BATCH_ITEM && !c.response);

		return schema_shape(c.version,
		    is_request ? SHAPE_REQUEST : SHAPE_RESPONSE, meaning,
		    meaning == TAG_BATCH_ITEM ? 0 : c.operation);
	}
	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
		const struct node *by = NULL;

		if (variants[i].tag != meaning)
			continue;
		/* Key Material's chooser stands two levels up */
		for (const struct node *p = n->parent; p != NULL && by == NULL;
		     p = p->parent)
			by = node_find(p, variants[i].chooser);
		if (by == NULL)
			continue;
		s = schema_shape(c.version, SHAPE_VARIANT, meaning,
		    (uint32_t)node_number(by));
		if (s != NULL)
			return s;
	}
	return schema_shape(c.version, SHAPE_PLAIN, meaning, 0);
}

static enum err
check_structure(struct context c, const struct node *n, uint32_t meaning)
{
	const struct shape *s;
	const struct node *part;

	if (n->tag == TAG_BATCH_ITEM) {
		part = node_find(n, TAG_OPERATION);
		c.operation = part == NULL ? 0 : (uint32_t)node_number(part);
		part = node_find(n, TAG_RESULT_STATUS);
		c.response =
		    part != NULL || (n->parent != NULL &&
					n->parent->tag == TAG_RESPONSE_MESSAGE);
		c.status = part == NULL ? -1 : node_number(part);
	}
	s = find_shape(c, n, meaning);
	if (s == NULL)
		return OK;
	return check_fields(c, n, s);
}

static enum err
check_item(struct context c, const struct node *n)
{
	uint32_t meaning = check_meaning_of(n);
	enum err rc = OK;

	if (n->tag == TAG_ATTRIBUTE_NAME)
		TRY(check_attribute_name(c, n));
	if (n->tag == TAG_ATTRIBUTE_VALUE && meaning != 0)
		TRY(check_type(c, n, schema_tag_types(meaning, c.version)));
	if (n->type == TYPE_STRUCTURE)
		TRY(check_structure(c, n, meaning));
	else
		TRY(check_value(c, n, meaning));
out:
	return rc;
}

static enum err
check_batch_count(struct context c, const struct node *message)
{
	const struct node *count;
	unsigned items = node_count(message, TAG_BATCH_ITEM);

	count = node_find(message->first, TAG_BATCH_COUNT);
	if (count == NULL || node_number(count) == (int64_t)items)
		return OK;
	finding_expected(c.f, "%u, as many Batch Items follow", items);
	finding_got(c.f, "%lld", (long long)node_number(count));
	return finding_at(c.f, ERR_BATCH, count);
}

enum err
check_tree(const struct node *root, unsigned version, struct finding *f)
{
	struct context c = {.version = version, .status = -1, .f = f};
	enum err rc = OK;

	*f = (struct finding){0};
	c.response = root->tag == TAG_RESPONSE_MESSAGE;
	TRY(check_type(c, root, schema_tag_types(root->tag, version)));
	TRY(check_item(c, root));
	if (root->tag == TAG_REQUEST_MESSAGE ||
	    root->tag == TAG_RESPONSE_MESSAGE)
		TRY(check_batch_count(c, root));
out:
	return rc;
}
