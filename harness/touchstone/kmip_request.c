#include "file.h"
#include "form.h"
#include "kmip.h"
#include "attribute.h"
#include "message.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <string.h>

/* What an object may hold at most; more could not be sent. */
#define MATERIAL_MAX_OCTETS ((size_t)16 << 20)

static bool
is_2(const struct call *c)
{
	return c->version >= 0x20;
}

static enum err
put_value(struct call *c, struct node *parent, uint32_t tag,
    enum item_type type, const char *text)
{
	struct bytes octets;

	if (form_value(c->a, tag, type, text, &octets) != OK)
		return fault_say(&c->f, ERR_SYNTAX, "`%s` is no %s", text,
		    schema_tag_name(tag));
	node_append(parent, node_new(c->a, tag, type, octets));
	return OK;
}

/* The same when the option is given. */
static enum err
put_option(struct call *c, struct node *parent, uint32_t tag,
    enum item_type type, enum option_id id)
{
	if (c->option[id] == NULL)
		return OK;
	return put_value(c, parent, tag, type, c->option[id]);
}

enum err
kmip_fill_id(struct call *c, struct node *payload)
{
	if (c->argument_count > 0)
		put_text(c->a, payload, TAG_UNIQUE_IDENTIFIER, c->argument[0]);
	return OK;
}

/* "NAME=VALUE" into its halves. */
static enum err
halves(struct call *c, const char *text, const char **name, const char **value)
{
	const char *is = strchr(text, '=');

	if (is == NULL || is == text)
		return fault_say(
		    &c->f, ERR_SYNTAX, "`%s` is not NAME=VALUE", text);
	*name = arena_printf(c->a, "%.*s", (int)(is - text), text);
	*value = is + 1;
	return OK;
}

static enum err
put_pair(struct call *c, struct node *attributes, const char *text)
{
	const char *name = NULL, *value = NULL;
	enum err rc = OK;

	TRY(halves(c, text, &name, &value));
	TRY(attribute_put(c->a, attributes, c->version, name, value, &c->f));
out:
	return rc;
}

static enum err
put_attribute(struct call *c, struct node *attributes, const char *name,
    enum option_id id)
{
	if (c->option[id] == NULL)
		return OK;
	return attribute_put(
	    c->a, attributes, c->version, name, c->option[id], &c->f);
}

/* What --name and --attribute say. */
static enum err
put_common(struct call *c, struct node *attributes)
{
	enum err rc = OK;

	TRY(put_attribute(c, attributes, "Name", OPT_NAME));
	for (size_t i = 0; i < c->attribute_count; i++)
		TRY(put_pair(c, attributes, c->attribute[i]));
out:
	return rc;
}

/* What is taken where nothing is said. */
static void
by_default(struct call *c, enum option_id id, const char *text)
{
	if (c->option[id] == NULL)
		c->option[id] = text;
}

enum err
kmip_fill_create(struct call *c, struct node *payload)
{
	struct node *attributes;
	enum err rc = OK;

	by_default(c, OPT_ALG, "AES");
	by_default(c, OPT_LENGTH, "128");
	by_default(c, OPT_MASK, "Encrypt Decrypt");
	put_number(c->a, payload, TAG_OBJECT_TYPE, TYPE_ENUMERATION,
	    OBJECT_TYPE_SYMMETRIC_KEY);
	attributes = attribute_list(c->a, payload, c->version, WHOSE_OBJECT);
	TRY(put_attribute(c, attributes, "Cryptographic Algorithm", OPT_ALG));
	TRY(put_attribute(c, attributes, "Cryptographic Length", OPT_LENGTH));
	TRY(put_attribute(c, attributes, "Cryptographic Usage Mask", OPT_MASK));
	TRY(put_common(c, attributes));
out:
	return rc;
}

enum err
kmip_fill_create_key_pair(struct call *c, struct node *payload)
{
	struct node *attributes;
	enum err rc = OK;

	by_default(c, OPT_ALG, "RSA");
	by_default(c, OPT_LENGTH, "2048");
	by_default(c, OPT_PRIVATE_MASK, "Sign");
	by_default(c, OPT_PUBLIC_MASK, "Verify");
	attributes = attribute_list(c->a, payload, c->version, WHOSE_BOTH);
	TRY(put_attribute(c, attributes, "Cryptographic Algorithm", OPT_ALG));
	TRY(put_attribute(c, attributes, "Cryptographic Length", OPT_LENGTH));
	TRY(put_common(c, attributes));
	attributes = attribute_list(c->a, payload, c->version, WHOSE_PRIVATE);
	TRY(put_attribute(
	    c, attributes, "Cryptographic Usage Mask", OPT_PRIVATE_MASK));
	attributes = attribute_list(c->a, payload, c->version, WHOSE_PUBLIC);
	TRY(put_attribute(
	    c, attributes, "Cryptographic Usage Mask", OPT_PUBLIC_MASK));
out:
	return rc;
}

/* The objects that can be registered. */
enum material { IN_KEY_BLOCK, IN_VALUE };

static const struct registered {
	const char *type, *format; /* by --type; --format unless it says else */
	enum material material;
	uint32_t tag;
	uint32_t kind_tag; /* what the object is of; 0: no such field */
	const char *kind;
	uint32_t value_tag;
	bool sized; /* has an algorithm and a length */
} registered[] = {
    /* clang-format off */
	{ "SymmetricKey", "Raw",    IN_KEY_BLOCK, TAG_SYMMETRIC_KEY,
	  0, NULL, 0, true },
	{ "PrivateKey",   "PKCS_1", IN_KEY_BLOCK, TAG_PRIVATE_KEY,
	  0, NULL, 0, true },
	{ "PublicKey",    "PKCS_1", IN_KEY_BLOCK, TAG_PUBLIC_KEY,
	  0, NULL, 0, true },
	{ "SecretData",   "Opaque", IN_KEY_BLOCK, TAG_SECRET_DATA,
	  TAG_SECRET_DATA_TYPE, "Password", 0, false },
	{ "Certificate",  NULL,     IN_VALUE,     TAG_CERTIFICATE,
	  TAG_CERTIFICATE_TYPE, "X_509",
	  TAG_CERTIFICATE_VALUE, false },
	/* the standard names no type of opaque data, only the range for ours */
	{ "OpaqueObject", NULL,     IN_VALUE,     TAG_OPAQUE_OBJECT,
	  TAG_OPAQUE_DATA_TYPE, "0x80000001", TAG_OPAQUE_DATA_VALUE, false },
    /* clang-format on */
};

static enum err
put_key_block(struct call *c, struct node *object, const struct registered *o)
{
	struct node *block, *value;
	enum err rc = OK;

	by_default(c, OPT_FORMAT, o->format);
	block = put_structure(c->a, object, TAG_KEY_BLOCK);
	TRY(put_option(
	    c, block, TAG_KEY_FORMAT_TYPE, TYPE_ENUMERATION, OPT_FORMAT));
	value = put_structure(c->a, block, TAG_KEY_VALUE);
	put_bytes(c->a, value, TAG_KEY_MATERIAL, TYPE_BYTE_STRING,
	    buf_peek(&c->material));
	if (!o->sized)
		goto out;
	TRY(put_option(
	    c, block, TAG_CRYPTOGRAPHIC_ALGORITHM, TYPE_ENUMERATION, OPT_ALG));
	TRY(put_option(
	    c, block, TAG_CRYPTOGRAPHIC_LENGTH, TYPE_INTEGER, OPT_LENGTH));
out:
	return rc;
}

static const struct registered *
registered_find(const char *type)
{
	for (size_t i = 0; i < sizeof registered / sizeof *registered; i++)
		if (strcmp(registered[i].type, type) == 0)
			return &registered[i];
	return NULL;
}

enum err
kmip_fill_register(struct call *c, struct node *payload)
{
	const struct registered *o;
	struct node *attributes, *object;
	enum err rc = OK;

	by_default(c, OPT_TYPE, "SymmetricKey");
	o = registered_find(c->option[OPT_TYPE]);
	if (o == NULL)
		TRY(fault_say(&c->f, ERR_USAGE, "cannot register a `%s`",
		    c->option[OPT_TYPE]));
	if (c->option[OPT_MATERIAL] == NULL)
		TRY(fault_say(&c->f, ERR_USAGE,
		    "--material FILE, or - for standard input"));
	TRY(file_read(
	    c->option[OPT_MATERIAL], MATERIAL_MAX_OCTETS, &c->material, &c->f));
	if (o->tag == TAG_SYMMETRIC_KEY) {
		by_default(c, OPT_ALG, "AES");
		by_default(c, OPT_LENGTH,
		    arena_printf(c->a, "%zu", 8 * c->material.octets));
		by_default(c, OPT_MASK, "Encrypt Decrypt");
	}
	TRY(put_option(
	    c, payload, TAG_OBJECT_TYPE, TYPE_ENUMERATION, OPT_TYPE));
	attributes = attribute_list(c->a, payload, c->version, WHOSE_OBJECT);
	TRY(put_attribute(c, attributes, "Cryptographic Usage Mask", OPT_MASK));
	TRY(put_common(c, attributes));
	object = put_structure(c->a, payload, o->tag);
	if (o->kind_tag != 0)
		TRY(put_value(
		    c, object, o->kind_tag, TYPE_ENUMERATION, o->kind));
	if (o->material == IN_KEY_BLOCK)
		TRY(put_key_block(c, object, o));
	else
		put_bytes(c->a, object, o->value_tag, TYPE_BYTE_STRING,
		    buf_peek(&c->material));
out:
	return rc;
}

enum err
kmip_fill_get(struct call *c, struct node *payload)
{
	enum err rc = OK;

	TRY(kmip_fill_id(c, payload));
	TRY(put_option(
	    c, payload, TAG_KEY_FORMAT_TYPE, TYPE_ENUMERATION, OPT_FORMAT));
out:
	return rc;
}

enum err
kmip_fill_attributes(struct call *c, struct node *payload)
{
	enum err rc = OK;

	TRY(kmip_fill_id(c, payload));
	for (size_t i = 1; i < c->argument_count; i++)
		TRY(attribute_put_reference(
		    c->a, payload, c->version, c->argument[i], &c->f));
out:
	return rc;
}

/* An attribute as Add and Modify Attribute take it. */
static enum err
put_single(struct call *c, struct node *payload, uint32_t tag, const char *text)
{
	struct node *parent = payload;

	if (is_2(c))
		parent = put_structure(c->a, payload, tag);
	return put_pair(c, parent, text);
}

enum err
kmip_fill_add_attribute(struct call *c, struct node *payload)
{
	enum err rc = OK;

	TRY(kmip_fill_id(c, payload));
	TRY(put_single(c, payload, TAG_NEW_ATTRIBUTE, c->argument[1]));
out:
	return rc;
}

/* The third word is what the attribute was: which of several is meant. */
enum err
kmip_fill_modify_attribute(struct call *c, struct node *payload)
{
	enum err rc = OK;

	TRY(kmip_fill_id(c, payload));
	if (c->argument_count > 2 && !is_2(c))
		TRY(fault_say(&c->f, ERR_USAGE,
		    "only KMIP 2.x tells instances apart by their value"));
	if (c->argument_count > 2)
		TRY(put_single(
		    c, payload, TAG_CURRENT_ATTRIBUTE, c->argument[2]));
	TRY(put_single(c, payload, TAG_NEW_ATTRIBUTE, c->argument[1]));
out:
	return rc;
}

enum err
kmip_fill_delete_attribute(struct call *c, struct node *payload)
{
	bool by_value = strchr(c->argument[1], '=') != NULL;
	enum err rc = OK;

	TRY(kmip_fill_id(c, payload));
	if (by_value && !is_2(c))
		TRY(fault_say(&c->f, ERR_USAGE,
		    "KMIP 1.x deletes by --index, not by value"));
	if (by_value)
		TRY(put_single(
		    c, payload, TAG_CURRENT_ATTRIBUTE, c->argument[1]));
	else
		TRY(attribute_put_reference(
		    c->a, payload, c->version, c->argument[1], &c->f));
	TRY(put_option(
	    c, payload, TAG_ATTRIBUTE_INDEX, TYPE_INTEGER, OPT_INDEX));
out:
	return rc;
}

enum err
kmip_fill_locate(struct call *c, struct node *payload)
{
	struct node *attributes = payload;
	enum err rc = OK;

	TRY(put_option(c, payload, TAG_MAXIMUM_ITEMS, TYPE_INTEGER, OPT_MAX));
	TRY(put_option(c, payload, TAG_OFFSET_ITEMS, TYPE_INTEGER, OPT_OFFSET));
	if (is_2(c))
		attributes =
		    attribute_list(c->a, payload, c->version, WHOSE_OBJECT);
	TRY(put_attribute(c, attributes, "Object Type", OPT_TYPE));
	TRY(put_attribute(c, attributes, "Cryptographic Algorithm", OPT_ALG));
	TRY(put_attribute(c, attributes, "Cryptographic Length", OPT_LENGTH));
	TRY(put_attribute(c, attributes, "Cryptographic Usage Mask", OPT_MASK));
	TRY(put_common(c, attributes));
out:
	return rc;
}

enum err
kmip_fill_revoke(struct call *c, struct node *payload)
{
	struct node *reason;
	enum err rc = OK;

	by_default(c, OPT_REASON, "Unspecified");
	TRY(kmip_fill_id(c, payload));
	reason = put_structure(c->a, payload, TAG_REVOCATION_REASON);
	TRY(put_option(c, reason, TAG_REVOCATION_REASON_CODE, TYPE_ENUMERATION,
	    OPT_REASON));
	TRY(put_option(
	    c, reason, TAG_REVOCATION_MESSAGE, TYPE_TEXT_STRING, OPT_MESSAGE));
	TRY(put_option(c, payload, TAG_COMPROMISE_OCCURRENCE_DATE,
	    TYPE_DATE_TIME, OPT_SINCE));
out:
	return rc;
}

enum err
kmip_fill_check(struct call *c, struct node *payload)
{
	enum err rc = OK;

	TRY(kmip_fill_id(c, payload));
	TRY(put_option(
	    c, payload, TAG_CRYPTOGRAPHIC_USAGE_MASK, TYPE_INTEGER, OPT_MASK));
out:
	return rc;
}

enum err
kmip_fill_query(struct call *c, struct node *payload)
{
	static const char *const asked[] = {
	    "QueryOperations", "QueryObjects", "QueryServerInformation"};
	const size_t count = sizeof asked / sizeof *asked;
	enum err rc = OK;

	for (size_t i = 0; c->argument_count == 0 && i < count; i++)
		TRY(put_value(c, payload, TAG_QUERY_FUNCTION, TYPE_ENUMERATION,
		    asked[i]));
	for (size_t i = 0; i < c->argument_count; i++)
		TRY(put_value(c, payload, TAG_QUERY_FUNCTION, TYPE_ENUMERATION,
		    c->argument[i]));
out:
	return rc;
}

enum err
kmip_fill_discover(struct call *c, struct node *payload)
{
	enum err rc = OK;

	for (size_t i = 0; i < c->argument_count; i++) {
		unsigned v = version_parse(c->argument[i]);
		struct node *n;

		if (v == VERSION_NONE)
			TRY(fault_say(&c->f, ERR_USAGE, "`%s` is no version",
			    c->argument[i]));
		n = put_structure(c->a, payload, TAG_PROTOCOL_VERSION);
		put_number(
		    c->a, n, TAG_PROTOCOL_VERSION_MAJOR, TYPE_INTEGER, v >> 4);
		put_number(
		    c->a, n, TAG_PROTOCOL_VERSION_MINOR, TYPE_INTEGER, v & 15);
	}
out:
	return rc;
}
