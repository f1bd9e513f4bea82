/*
 * Requests of `touchstone kmip`: each follows the schema of its version, and
 * what a person mistypes is refused before anything is sent.
 */
#include "check.h"
#include "kmip.h"
#include "message.h"
#include "schema.h"
#include "touchstone_tags.h"
#include "ttlv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char material_path[] = "/tmp/kmip_test.XXXXXX";

static const struct row {
	const char *name;
	uint32_t operation;
	kmip_fill *fill;
	const char *argument[4]; /* to the first NULL */
	struct {
		enum option_id id;
		const char *text;
	} option[5]; /* to the first without a text */
	const char *attribute;
	unsigned since, until; /* the versions that take it */
	const char *refused;   /* in the fault; NULL: not refused */
} rows[] = {
    /* clang-format off */
	{ .name = "create", .operation = OPERATION_CREATE,
	  .fill = kmip_fill_create, .since = 0x10, .until = 0x21 },
	{ .name = "create, all of it", .operation = OPERATION_CREATE,
	  .fill = kmip_fill_create,
	  .option = { { OPT_NAME, "n" }, { OPT_ALG, "DES3" },
	    { OPT_LENGTH, "168" }, { OPT_MASK, "Encrypt Decrypt MACGenerate" } },
	  .attribute = "ActivationDate=2026-11-21T00:00:00+00:00",
	  .since = 0x10, .until = 0x21 },
	{ .name = "create, a length that is none", .operation = OPERATION_CREATE,
	  .fill = kmip_fill_create, .option = { { OPT_LENGTH, "12x" } },
	  .since = 0x10, .until = 0x21,
	  .refused = "`12x` is no value of Cryptographic Length (Integer)" },
	{ .name = "create, an algorithm that is none",
	  .operation = OPERATION_CREATE, .fill = kmip_fill_create,
	  .option = { { OPT_ALG, "AES128" } }, .since = 0x10, .until = 0x21,
	  .refused = "`AES128` is no value of Cryptographic Algorithm" },
	{ .name = "an application's data", .operation = OPERATION_CREATE,
	  .fill = kmip_fill_create,
	  .attribute = "ApplicationSpecificInformation=ssl:www.example",
	  .since = 0x10, .until = 0x21 },
	{ .name = "an application's data without a namespace",
	  .operation = OPERATION_CREATE, .fill = kmip_fill_create,
	  .attribute = "ApplicationSpecificInformation=www",
	  .since = 0x10, .until = 0x21, .refused = "NAMESPACE:DATA" },
	{ .name = "a custom attribute", .operation = OPERATION_CREATE,
	  .fill = kmip_fill_create, .attribute = "x-purpose=a=b",
	  .since = 0x10, .until = 0x21 },
	{ .name = "an attribute without a value",
	  .operation = OPERATION_CREATE, .fill = kmip_fill_create,
	  .attribute = "ObjectGroup", .since = 0x10, .until = 0x21,
	  .refused = "`ObjectGroup` is not NAME=VALUE" },
	{ .name = "no such attribute", .operation = OPERATION_CREATE,
	  .fill = kmip_fill_create, .attribute = "Colour=red",
	  .since = 0x10, .until = 0x21, .refused = "no attribute `Colour`" },
	{ .name = "an attribute, by its name in words",
	  .operation = OPERATION_CREATE, .fill = kmip_fill_create,
	  .attribute = "Object Group=g", .since = 0x10, .until = 0x21 },
	{ .name = "an attribute of later versions",
	  .operation = OPERATION_CREATE, .fill = kmip_fill_create,
	  .attribute = "Sensitive=true", .since = 0x14, .until = 0x21 },
	{ .name = "an attribute before its time",
	  .operation = OPERATION_CREATE, .fill = kmip_fill_create,
	  .attribute = "Sensitive=true", .since = 0x10, .until = 0x13,
	  .refused = "has no attribute `Sensitive`" },
	{ .name = "a structure that cannot be said",
	  .operation = OPERATION_CREATE, .fill = kmip_fill_create,
	  .attribute = "CryptographicParameters=CBC",
	  .since = 0x10, .until = 0x21, .refused = "is a structure" },
	{ .name = "create-key-pair", .operation = OPERATION_CREATE_KEY_PAIR,
	  .fill = kmip_fill_create_key_pair, .option = { { OPT_NAME, "n" } },
	  .since = 0x10, .until = 0x21 },
	{ .name = "register a key", .operation = OPERATION_REGISTER,
	  .fill = kmip_fill_register,
	  .option = { { OPT_MATERIAL, material_path }, { OPT_NAME, "n" } },
	  .since = 0x10, .until = 0x21 },
	{ .name = "register a private key", .operation = OPERATION_REGISTER,
	  .fill = kmip_fill_register,
	  .option = { { OPT_MATERIAL, material_path }, { OPT_TYPE, "PrivateKey" },
	    { OPT_FORMAT, "PKCS_8" }, { OPT_ALG, "RSA" }, { OPT_LENGTH, "2048" } },
	  .since = 0x10, .until = 0x21 },
	{ .name = "register secret data", .operation = OPERATION_REGISTER,
	  .fill = kmip_fill_register,
	  .option = { { OPT_MATERIAL, material_path }, { OPT_TYPE, "SecretData" } },
	  .since = 0x10, .until = 0x21 },
	{ .name = "register a certificate", .operation = OPERATION_REGISTER,
	  .fill = kmip_fill_register,
	  .option = { { OPT_MATERIAL, material_path },
	    { OPT_TYPE, "Certificate" } },
	  .since = 0x10, .until = 0x21 },
	{ .name = "register an opaque object", .operation = OPERATION_REGISTER,
	  .fill = kmip_fill_register,
	  .option = { { OPT_MATERIAL, material_path },
	    { OPT_TYPE, "OpaqueObject" } },
	  .since = 0x10, .until = 0x21 },
	{ .name = "register nothing", .operation = OPERATION_REGISTER,
	  .fill = kmip_fill_register, .since = 0x10, .until = 0x21,
	  .refused = "--material" },
	{ .name = "register a template", .operation = OPERATION_REGISTER,
	  .fill = kmip_fill_register, .option = { { OPT_TYPE, "Template" } },
	  .since = 0x10, .until = 0x21, .refused = "`Template`" },
	{ .name = "get", .operation = OPERATION_GET, .fill = kmip_fill_get,
	  .argument = { "1" }, .since = 0x10, .until = 0x21 },
	{ .name = "get in a format", .operation = OPERATION_GET,
	  .fill = kmip_fill_get, .argument = { "1" },
	  .option = { { OPT_FORMAT, "Raw" } }, .since = 0x10, .until = 0x21 },
	{ .name = "get in no format", .operation = OPERATION_GET,
	  .fill = kmip_fill_get, .argument = { "1" },
	  .option = { { OPT_FORMAT, "Cooked" } }, .since = 0x10, .until = 0x21,
	  .refused = "`Cooked` is no KeyFormatType" },
	{ .name = "attributes", .operation = OPERATION_GET_ATTRIBUTES,
	  .fill = kmip_fill_attributes, .argument = { "1", "State", "x-a" },
	  .since = 0x10, .until = 0x21 },
	{ .name = "attributes that are none",
	  .operation = OPERATION_GET_ATTRIBUTES, .fill = kmip_fill_attributes,
	  .argument = { "1", "Sate" }, .since = 0x10, .until = 0x21,
	  .refused = "no attribute `Sate`" },
	{ .name = "attribute-list", .operation = OPERATION_GET_ATTRIBUTE_LIST,
	  .fill = kmip_fill_id, .argument = { "1" },
	  .since = 0x10, .until = 0x21 },
	{ .name = "add-attribute", .operation = OPERATION_ADD_ATTRIBUTE,
	  .fill = kmip_fill_add_attribute, .argument = { "1", "x-a=b" },
	  .since = 0x10, .until = 0x21 },
	{ .name = "modify-attribute", .operation = OPERATION_MODIFY_ATTRIBUTE,
	  .fill = kmip_fill_modify_attribute,
	  .argument = { "1", "ObjectGroup=b" }, .since = 0x10, .until = 0x21 },
	{ .name = "modify one of several",
	  .operation = OPERATION_MODIFY_ATTRIBUTE,
	  .fill = kmip_fill_modify_attribute,
	  .argument = { "1", "Name=b", "Name=a" }, .since = 0x20, .until = 0x21 },
	{ .name = "modify one of several before 2.0",
	  .operation = OPERATION_MODIFY_ATTRIBUTE,
	  .fill = kmip_fill_modify_attribute,
	  .argument = { "1", "Name=b", "Name=a" }, .since = 0x10, .until = 0x14,
	  .refused = "only KMIP 2.x" },
	{ .name = "delete-attribute", .operation = OPERATION_DELETE_ATTRIBUTE,
	  .fill = kmip_fill_delete_attribute, .argument = { "1", "x-a" },
	  .since = 0x10, .until = 0x21 },
	{ .name = "delete an instance", .operation = OPERATION_DELETE_ATTRIBUTE,
	  .fill = kmip_fill_delete_attribute, .argument = { "1", "Name" },
	  .option = { { OPT_INDEX, "1" } }, .since = 0x10, .until = 0x14 },
	{ .name = "delete by value", .operation = OPERATION_DELETE_ATTRIBUTE,
	  .fill = kmip_fill_delete_attribute, .argument = { "1", "Name=a" },
	  .since = 0x20, .until = 0x21 },
	{ .name = "delete by value before 2.0",
	  .operation = OPERATION_DELETE_ATTRIBUTE,
	  .fill = kmip_fill_delete_attribute, .argument = { "1", "Name=a" },
	  .since = 0x10, .until = 0x14, .refused = "by --index" },
	{ .name = "locate", .operation = OPERATION_LOCATE,
	  .fill = kmip_fill_locate,
	  .option = { { OPT_NAME, "n" }, { OPT_TYPE, "SymmetricKey" },
	    { OPT_MAX, "7" }, { OPT_ALG, "AES" } },
	  .attribute = "State=Active", .since = 0x10, .until = 0x21 },
	{ .name = "locate everything", .operation = OPERATION_LOCATE,
	  .fill = kmip_fill_locate, .since = 0x10, .until = 0x21 },
	{ .name = "locate, but not a number", .operation = OPERATION_LOCATE,
	  .fill = kmip_fill_locate, .option = { { OPT_MAX, "many" } },
	  .since = 0x10, .until = 0x21, .refused = "`many` is no MaximumItems" },
	{ .name = "activate", .operation = OPERATION_ACTIVATE,
	  .fill = kmip_fill_id, .argument = { "1" },
	  .since = 0x10, .until = 0x21 },
	{ .name = "revoke", .operation = OPERATION_REVOKE,
	  .fill = kmip_fill_revoke, .argument = { "1" },
	  .option = { { OPT_REASON, "KeyCompromise" }, { OPT_MESSAGE, "lost" },
	    { OPT_SINCE, "2026-01-01T00:00:00+00:00" } },
	  .since = 0x10, .until = 0x21 },
	{ .name = "revoke for no reason", .operation = OPERATION_REVOKE,
	  .fill = kmip_fill_revoke, .argument = { "1" },
	  .option = { { OPT_REASON, "Boredom" } }, .since = 0x10, .until = 0x21,
	  .refused = "`Boredom` is no RevocationReasonCode" },
	{ .name = "check", .operation = OPERATION_CHECK,
	  .fill = kmip_fill_check, .argument = { "1" },
	  .option = { { OPT_MASK, "Encrypt" } }, .since = 0x10, .until = 0x21 },
	{ .name = "query", .operation = OPERATION_QUERY,
	  .fill = kmip_fill_query, .since = 0x10, .until = 0x21 },
	{ .name = "query one thing", .operation = OPERATION_QUERY,
	  .fill = kmip_fill_query, .argument = { "QueryObjects" },
	  .since = 0x10, .until = 0x21 },
	{ .name = "query nothing", .operation = OPERATION_QUERY,
	  .fill = kmip_fill_query, .argument = { "Objects" },
	  .since = 0x10, .until = 0x21, .refused = "is no QueryFunction" },
	{ .name = "discover", .operation = OPERATION_DISCOVER_VERSIONS,
	  .fill = kmip_fill_discover, .argument = { "2.1", "1.0" },
	  .since = 0x11, .until = 0x21 },
	{ .name = "discover no version",
	  .operation = OPERATION_DISCOVER_VERSIONS,
	  .fill = kmip_fill_discover, .argument = { "4.2" },
	  .since = 0x11, .until = 0x21, .refused = "`4.2` is no version" },
    /* clang-format on */
};

static void
take(struct call *c, const struct row *row)
{
	for (size_t i = 0; i < 4 && row->argument[i] != NULL; i++)
		c->argument[c->argument_count++] = row->argument[i];
	for (size_t i = 0; i < 5 && row->option[i].text != NULL; i++)
		c->option[row->option[i].id] = row->option[i].text;
	if (row->attribute != NULL)
		c->attribute[c->attribute_count++] = row->attribute;
}

/* The request goes over the wire and follows the schema there. */
static void
assert_follows_schema(struct call *c, const struct row *row, struct node *root)
{
	struct finding found;
	struct node *back;
	enum err rc;

	ttlv_encode(root, &c->sent);
	rc = ttlv_decode(c->a, buf_peek(&c->sent), &back, &found);
	if (rc == OK)
		rc = check_tree(back, c->version, &found);
	if (rc != OK)
		fail_msg("%s, %s: %s: %s: expected %s, got %s", row->name,
		    version_name(c->version), err_name(rc), found.path,
		    found.expected, found.got);
}

static void
requests_follow_the_schema_or_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];

		for (int v = 0; v < VERSIONS; v++) {
			struct call c = {.version = version_at(v)};
			struct node *root, *payload;
			enum err rc;

			if (c.version < row->since || c.version > row->until)
				continue;
			c.a = arena_new();
			take(&c, row);
			root = message_new(c.a, c.version);
			payload = message_item(c.a, root, row->operation);
			rc = row->fill(&c, payload);
			if ((rc != OK) != (row->refused != NULL) ||
			    (rc != OK &&
				strstr(c.f.text, row->refused) == NULL))
				fail_msg("%s, %s: %s: %s", row->name,
				    version_name(c.version), err_name(rc),
				    c.f.text);
			if (rc == OK)
				assert_follows_schema(&c, row, root);
			buf_clear(&c.material);
			buf_clear(&c.sent);
			arena_free(c.a);
		}
	}
}

static int
make_material(void **state)
{
	int fd = mkstemp(material_path);

	(void)state;
	if (fd < 0 || write(fd, "0123456789abcdef", 16) != 16)
		return -1;
	return close(fd);
}

static int
remove_material(void **state)
{
	(void)state;
	return unlink(material_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_follow_the_schema_or_are_refused),
	};

	return cmocka_run_group_tests(tests, make_material, remove_material);
}
