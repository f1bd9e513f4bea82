#include "check.h"

#include "schema.h"
#include "tree_test.h"
#include "ttlv.h"

#include <string.h>

/* Pairs: what the version has, and its neighbour that it has not. */
/* clang-format off */
static const struct row {
	const char *name;
	unsigned version;
	const char *xml;
	enum err want;
	const char *path, *spec;
} rows[] = {
    {"an answer", 0x14, ANSWER("1", "4", "Create",
        ENUM("ObjectType", "SymmetricKey") TEXT("UniqueIdentifier", "1")),
        OK, "", "kmip-1.4 4.1"},
    {"its fields in another order", 0x14, ANSWER("1", "4", "Create",
        TEXT("UniqueIdentifier", "1") ENUM("ObjectType", "SymmetricKey")),
        ERR_ORDER,
        "ResponseMessage/BatchItem[0]/ResponsePayload/UniqueIdentifier",
        "kmip-1.4 4.1"},
    {"a required field left out", 0x14, ANSWER("1", "4", "Create",
        ENUM("ObjectType", "SymmetricKey")),
        ERR_MISSING, "ResponseMessage/BatchItem[0]/ResponsePayload",
        "kmip-1.4 4.1"},
    {"a field twice", 0x14, ANSWER("1", "4", "Create",
        ENUM("ObjectType", "SymmetricKey") TEXT("UniqueIdentifier", "1")
        TEXT("UniqueIdentifier", "2")),
        ERR_REPEATED,
        "ResponseMessage/BatchItem[0]/ResponsePayload/UniqueIdentifier[1]",
        "kmip-1.4 4.1"},
    {"a field that may stand twice", 0x14, ANSWER("1", "4", "Locate",
        TEXT("UniqueIdentifier", "1") TEXT("UniqueIdentifier", "2")),
        OK, "", "kmip-1.4 4.9"},
    {"Object Type in a Register answer", 0x14, ANSWER("1", "4", "Register",
        ENUM("ObjectType", "SymmetricKey") TEXT("UniqueIdentifier", "1")),
        ERR_SURPLUS, "ResponseMessage/BatchItem[0]/ResponsePayload/ObjectType",
        "kmip-1.4 4.3"},
    {"an operation of 1.1 refused in 1.0", 0x10, IN("BatchItem",
        ENUM("Operation", "DiscoverVersions")
        ENUM("ResultStatus", "OperationFailed")
        ENUM("ResultReason", "OperationNotSupported")), OK, "", "kmip-1.0 7.2"},
    {"the same done in 1.0", 0x10, IN("BatchItem",
        ENUM("Operation", "DiscoverVersions") ENUM("ResultStatus", "Success")
        IN("ResponsePayload")), ERR_NEWER, "BatchItem/Operation",
        "kmip-1.0 9.1.3.2.26"},
    {"Located Items in 1.3", 0x13, ANSWER("1", "3", "Locate",
        NUMBER("LocatedItems", "0")),
        OK, "", "kmip-1.3 4.9"},
    {"Located Items in 1.2", 0x12, ANSWER("1", "2", "Locate",
        NUMBER("LocatedItems", "0")),
        ERR_NEWER, "ResponseMessage/BatchItem[0]/ResponsePayload/LocatedItems",
        "kmip-1.2 4.9"},
    {"another type", 0x14, ANSWER("1", "4", "Locate",
        OCTETS("UniqueIdentifier", "31")),
        ERR_TYPE,
        "ResponseMessage/BatchItem[0]/ResponsePayload/UniqueIdentifier",
        "kmip-1.4 3.1"},
    {"an identifier as Enumeration in 2.0", 0x20,
        REQUEST("2", "0", "Destroy", ENUM("UniqueIdentifier", "IDPlaceholder")),
        OK, "", "kmip-2.0 4.51"},
    {"an identifier as Enumeration in 1.4", 0x14,
        REQUEST("1", "4", "Destroy", ENUM("UniqueIdentifier", "1")),
        ERR_TYPE,
        "RequestMessage/BatchItem[0]/RequestPayload/UniqueIdentifier",
        "kmip-1.4 3.1"},
    {"PGP Key as an object type of 1.2", 0x12, ANSWER("1", "2", "Query",
        ENUM("ObjectType", "PGPKey")), OK, "", "kmip-1.2 9.1.3.2.12"},
    {"PGP Key as an object type of 1.1", 0x11, ANSWER("1", "1", "Query",
        ENUM("ObjectType", "PGPKey")), ERR_NEWER,
        "ResponseMessage/BatchItem[0]/ResponsePayload/ObjectType",
        "kmip-1.1 9.1.3.2.12"},
    {"an object type of nobody", 0x14, ANSWER("1", "4", "Query",
        ENUM("ObjectType", "0x77")), ERR_VALUE,
        "ResponseMessage/BatchItem[0]/ResponsePayload/ObjectType",
        "kmip-1.4 9.1.3.2.12"},
    {"an object type of a vendor", 0x14, ANSWER("1", "4", "Query",
        ENUM("ObjectType", "0x80000077")), OK, "", "kmip-1.4 9.1.3.2.12"},
    {"Destroyed Storage in 2.0", 0x20, REQUEST("2", "0", "Locate",
        NUMBER("StorageStatusMask", "4") IN("Attributes")), OK, "",
        "kmip-2.0 11.50"},
    {"Destroyed Storage in 1.4", 0x14, REQUEST("1", "4", "Locate",
        NUMBER("StorageStatusMask", "4")), ERR_NEWER,
        "RequestMessage/BatchItem[0]/RequestPayload/StorageStatusMask",
        "kmip-1.4 9.1.3.3.2"},
    {"a mask bit without a meaning", 0x20, REQUEST("2", "0", "Locate",
        NUMBER("StorageStatusMask", "8") IN("Attributes")), ERR_VALUE,
        "RequestMessage/BatchItem[0]/RequestPayload/StorageStatusMask",
        "kmip-2.0 11.50"},
    {"an attribute's own type", 0x14, IN("Attribute",
        TEXT("AttributeName", "State") ENUM("AttributeValue", "Active")),
        OK, "", "kmip-1.4 3.22"},
    {"not an attribute's own type", 0x14, IN("Attribute",
        TEXT("AttributeName", "State") TEXT("AttributeValue", "Active")),
        ERR_TYPE, "Attribute/AttributeValue", "kmip-1.4 3.22"},
    {"a structure as attribute", 0x14, IN("Attribute",
        TEXT("AttributeName", "Name") IN("AttributeValue",
            TEXT("NameValue", "n") ENUM("NameType", "URI"))),
        OK, "", "kmip-1.4 3.2"},
    {"the same without a required field", 0x14, IN("Attribute",
        TEXT("AttributeName", "Name") IN("AttributeValue",
            TEXT("NameValue", "n"))),
        ERR_MISSING, "Attribute/AttributeValue", "kmip-1.4 3.2"},
    {"a custom attribute", 0x14, IN("Attribute",
        TEXT("AttributeName", "x-any") NUMBER("AttributeValue", "1")),
        OK, "", "kmip-1.4 3.39"},
    {"an attribute of nobody", 0x14, IN("Attribute",
        TEXT("AttributeName", "any") NUMBER("AttributeValue", "1")),
        ERR_VALUE, "Attribute/AttributeName", "kmip-1.4 3"},
    {"an attribute of 1.4", 0x14, IN("Attribute",
        TEXT("AttributeName", "Sensitive")
        ITEM("AttributeValue", "Boolean", "true")), OK, "", "kmip-1.4 3.48"},
    {"the same in 1.3", 0x13, IN("Attribute",
        TEXT("AttributeName", "Sensitive")
        ITEM("AttributeValue", "Boolean", "true")), ERR_NEWER,
        "Attribute/AttributeName", "kmip-1.3 3"},
    {"attributes of 2.x in any order", 0x20, IN("Attributes",
        ENUM("State", "Active") NUMBER("CryptographicLength", "128")
        ENUM("CryptographicAlgorithm", "AES")), OK, "", "kmip-2.0 5.1"},
    {"what is no attribute", 0x20, IN("Attributes",
        ENUM("State", "Active") NUMBER("MaximumItems", "128")), ERR_SURPLUS,
        "Attributes/MaximumItems", "kmip-2.0 5.1"},
    {"an attribute of 2.1", 0x21, IN("Attributes",
        NUMBER("RotateGeneration", "1")), OK, "", "kmip-2.1 4.50"},
    {"the same in 2.0", 0x20, IN("Attributes",
        NUMBER("RotateGeneration", "1")), ERR_NEWER,
        "Attributes/RotateGeneration", "kmip-2.0 4"},
    {"a key in its format", 0x14, IN("KeyBlock",
        ENUM("KeyFormatType", "TransparentSymmetricKey")
        IN("KeyValue", IN("KeyMaterial", OCTETS("Key", "00")))),
        OK, "", "kmip-1.4 2.1.7.1"},
    {"a key in another format", 0x14, IN("KeyBlock",
        ENUM("KeyFormatType", "TransparentRSAPublicKey")
        IN("KeyValue", IN("KeyMaterial", OCTETS("Key", "00")))),
        ERR_MISSING, "KeyBlock/KeyValue/KeyMaterial", "kmip-1.4 2.1.7.5"},
    {"a credential of its type", 0x14, IN("Credential",
        ENUM("CredentialType", "UsernameAndPassword")
        IN("CredentialValue", TEXT("Username", "u"))), OK, "",
        "kmip-1.4 2.1.2"},
    {"a credential of another type", 0x14, IN("Credential",
        ENUM("CredentialType", "Device")
        IN("CredentialValue", TEXT("Username", "u"))), ERR_SURPLUS,
        "Credential/CredentialValue/Username", "kmip-1.4 2.1.2"},
};
/* clang-format on */

static void
pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct node *n = tree_of(a, r->xml);
		struct finding f;

		if (check_tree(n, r->version, &f) != r->want ||
		    strcmp(f.path, r->path) != 0)
			fail_msg("%s: expected %s at %s; got %s at %s: "
				 "expected %s, got %s (%s)",
			    r->name, err_name(r->want), r->path,
			    err_name(f.kind), f.path, f.expected, f.got,
			    r->spec);
		arena_free(a);
	}
}

static const char *const failures[] = {
    /* a failure: with its reason, without, and with a payload it has not */
    IN("BatchItem",
	ENUM("Operation", "Get") ENUM("ResultStatus", "OperationFailed")
	    ENUM("ResultReason", "ItemNotFound")),
    IN("BatchItem",
	ENUM("Operation", "Get") ENUM("ResultStatus", "OperationFailed")),
    IN("BatchItem", ENUM("Operation", "Get") ENUM("ResultStatus", "Success")),
};

/* spec: kmip-1.4 7.2 */
static void
failure_needs_a_reason_success_a_payload(void **state)
{
	static const enum err want[] = {OK, ERR_MISSING, ERR_MISSING};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct arena *a = arena_new();
		struct node *n = tree_of(a, failures[i]);
		struct finding f;

		assert_int_equal(check_tree(n, 0x14, &f), want[i]);
		arena_free(a);
	}
}

/* spec: kmip-1.4 6.14 */
static void
batch_count_is_the_number_of_items(void **state)
{
	static const char one[] =
	    REQUEST("1", "4", "Query", ENUM("QueryFunction", "QueryObjects"));
	struct arena *a = arena_new();
	struct node *n = tree_of(a, one), *item;
	struct finding f;

	(void)state;
	assert_int_equal(check_tree(n, 0x14, &f), OK);
	assert_int_equal(check_version_of(n), 0x14);
	item = node_copy(a, n->last);
	node_append(n, item);
	assert_int_equal(check_tree(n, 0x14, &f), ERR_BATCH);
	assert_string_equal(f.path, "RequestMessage/RequestHeader/BatchCount");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pairs),
	    cmocka_unit_test(failure_needs_a_reason_success_a_payload),
	    cmocka_unit_test(batch_count_is_the_number_of_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
