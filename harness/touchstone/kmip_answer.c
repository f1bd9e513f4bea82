#include "escape.h"
#include "kmip.h"
#include "attribute.h"
#include "schema.h"
#include "show.h"
#include "touchstone_tags.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A value on one line; the parts of a structure in braces. */
static void
tell_value(const struct node *n)
{
	struct buf text = {0};

	if (n->type == TYPE_STRUCTURE) {
		putchar('{');
		for (const struct node *p = n->first; p != NULL; p = p->next) {
			printf("%s%s=", p == n->first ? "" : " ",
			    schema_tag_name(p->tag));
			tell_value(p);
		}
		putchar('}');
		return;
	}
	show_value(n, SHOW_SECRETS, &text);
	escape_line(stdout, buf_peek_text(&text));
	buf_clear(&text);
}

static void
tell(const char *name, const struct node *n)
{
	if (n == NULL)
		return;
	printf("%s=", name);
	tell_value(n);
	putchar('\n');
}

/* Each item with that tag, a line. */
static void
tell_each(const struct node *payload, uint32_t tag)
{
	const struct node *n = payload != NULL ? payload->first : NULL;

	for (; n != NULL; n = n->next) {
		if (n->tag != tag)
			continue;
		tell_value(n);
		putchar('\n');
	}
}

enum err
kmip_tell_ids(struct call *c, const struct node *payload)
{
	(void)c;
	tell_each(payload, TAG_UNIQUE_IDENTIFIER);
	return OK;
}

enum err
kmip_tell_pair(struct call *c, const struct node *payload)
{
	(void)c;
	tell("private", node_find(payload, TAG_PRIVATE_KEY_UNIQUE_IDENTIFIER));
	tell("public", node_find(payload, TAG_PUBLIC_KEY_UNIQUE_IDENTIFIER));
	return OK;
}

static enum err
write_material(struct call *c, struct bytes octets)
{
	const char *path = c->option[OPT_OUT];
	int fd = STDOUT_FILENO;
	enum err rc = OK;

	if (strcmp(path, "-") != 0)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_say(&c->f, ERR_OPEN, "%s cannot be written", path);
	while (octets.octets > 0 && rc == OK) {
		ssize_t n = write(fd, octets.at, octets.octets);

		if (n <= 0) {
			rc = fault_say(
			    &c->f, ERR_WRITE, "%s cannot be written", path);
			break;
		}
		octets.at += n;
		octets.octets -= (size_t)n;
	}
	if (fd != STDOUT_FILENO && close(fd) != 0 && rc == OK)
		rc = fault_say(&c->f, ERR_WRITE, "%s cannot be written", path);
	return rc;
}

/* The octets of an object, wherever its type keeps them. */
static const struct node *
material_of(const struct node *object)
{
	static const uint32_t in_block[] = {
	    TAG_KEY_BLOCK, TAG_KEY_VALUE, TAG_KEY_MATERIAL, 0};
	static const uint32_t wrapped[] = {TAG_KEY_BLOCK, TAG_KEY_VALUE, 0};
	const struct node *n = node_find_path(object, in_block);

	if (n == NULL)
		n = node_find_path(object, wrapped);
	if (n == NULL)
		n = node_find(object, TAG_CERTIFICATE_VALUE);
	return n != NULL ? n : node_find(object, TAG_OPAQUE_DATA_VALUE);
}

enum err
kmip_tell_object(struct call *c, const struct node *payload)
{
	const struct node *object = payload != NULL ? payload->first : NULL;
	const struct node *block, *material;
	enum err rc = OK;

	while (object != NULL && !schema_is_object(object->tag))
		object = object->next;
	if (object == NULL)
		TRY(fault_say(&c->f, ERR_MISSING, "the answer has no object"));
	block = node_find(object, TAG_KEY_BLOCK);
	material = material_of(object);
	if (c->option[OPT_OUT] == NULL ||
	    strcmp(c->option[OPT_OUT], "-") != 0) {
		tell("type", node_find(payload, TAG_OBJECT_TYPE));
		tell("id", node_find(payload, TAG_UNIQUE_IDENTIFIER));
		tell("format", node_find(block, TAG_KEY_FORMAT_TYPE));
		tell(
		    "algorithm", node_find(block, TAG_CRYPTOGRAPHIC_ALGORITHM));
		tell("length", node_find(block, TAG_CRYPTOGRAPHIC_LENGTH));
	}
	if (c->option[OPT_OUT] == NULL)
		tell("material", material);
	else if (material == NULL || material->type != TYPE_BYTE_STRING)
		TRY(fault_say(&c->f, ERR_MISSING,
		    "the object's material is not one octet string"));
	else
		TRY(write_material(c, node_value(material)));
out:
	return rc;
}

enum err
kmip_tell_attributes(struct call *c, const struct node *payload)
{
	const struct node *at = NULL, *value, *parent = payload;
	const char *name;

	if (c->version >= 0x20)
		parent = node_find(payload, TAG_ATTRIBUTES);
	if (parent == NULL)
		return OK;
	while ((at = attribute_next(c->a, parent, at, &name, &value)) != NULL) {
		escape_line(stdout, name);
		putchar('=');
		/* of a name only the name: that is what scripts look for */
		if (value->type == TYPE_STRUCTURE &&
		    node_find(value, TAG_NAME_VALUE) != NULL)
			value = node_find(value, TAG_NAME_VALUE);
		tell_value(value);
		putchar('\n');
	}
	return OK;
}

enum err
kmip_tell_references(struct call *c, const struct node *payload)
{
	const struct node *n = payload != NULL ? payload->first : NULL;

	for (; n != NULL; n = n->next) {
		if (n->tag == TAG_UNIQUE_IDENTIFIER)
			continue;
		escape_line(stdout, attribute_reference(c->a, n));
		putchar('\n');
	}
	return OK;
}

enum err
kmip_tell_items(struct call *c, const struct node *payload)
{
	const struct node *n = payload != NULL ? payload->first : NULL;

	(void)c;
	for (; n != NULL; n = n->next)
		tell(schema_tag_name(n->tag), n);
	return OK;
}

enum err
kmip_tell_versions(struct call *c, const struct node *payload)
{
	const struct node *n = payload != NULL ? payload->first : NULL;

	(void)c;
	for (; n != NULL; n = n->next) {
		const struct node *major =
				      node_find(n, TAG_PROTOCOL_VERSION_MAJOR),
				  *minor =
				      node_find(n, TAG_PROTOCOL_VERSION_MINOR);

		if (major != NULL && minor != NULL)
			printf("%lld.%lld\n", (long long)node_number(major),
			    (long long)node_number(minor));
	}
	return OK;
}
