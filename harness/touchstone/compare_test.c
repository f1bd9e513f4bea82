#include "compare.h"

#include "check.h"
#include "tree_test.h"

#include <stdio.h>
#include <string.h>

/*
 * One exchange after another: what the case asks, what it expects and what
 * came. Each named rule has a difference that it allows, and the same with
 * the rule off; and a neighbour that it does not.
 */
struct exchange_row {
	const char *name;
	const char *request, *expected, *got;
	const char *rule; /* that is needed for OK; NULL: none */
	enum err want;
	const char *path, *words; /* of the difference: "expected / got" */
};

/* clang-format off */
#define UID(v) TEXT("UniqueIdentifier", v)
#define GET REQUEST("1", "4", "Get", UID("1"))
#define PAYLOAD "ResponseMessage/BatchItem[0]/ResponsePayload/"
#define ATTRIBUTE(name, value) \
	IN("Attribute", TEXT("AttributeName", name) value)
#define ATTRIBUTES_ASKED(...) \
	REQUEST("1", "4", "GetAttributes", UID("1") __VA_ARGS__)
#define ATTRIBUTES_ARE(...) \
	ANSWER("1", "4", "GetAttributes", UID("1") __VA_ARGS__)
#define STATE(v) ATTRIBUTE("State", ENUM("AttributeValue", v))
#define LENGTH(v) \
	ATTRIBUTE("Cryptographic Length", NUMBER("AttributeValue", v))
#define DATED(name, v) ATTRIBUTE(name, DATE("AttributeValue", v))
#define QUERY(...) REQUEST("1", "4", "Query", __VA_ARGS__)
#define QUERY_IS(...) ANSWER("1", "4", "Query", __VA_ARGS__)
#define OPERATIONS ENUM("QueryFunction", "QueryOperations")
#define SERVER_INFORMATION ENUM("QueryFunction", "QueryServerInformation")
#define KEY(material)                                                     \
	ANSWER("1", "4", "Get", ENUM("ObjectType", "SymmetricKey") UID("1") \
	    IN("SymmetricKey", IN("KeyBlock", ENUM("KeyFormatType", "Raw") \
	        IN("KeyValue", OCTETS("KeyMaterial", material)))))
#define REFUSES(operation, more)                                  \
	IN("ResponseMessage",                                     \
	    IN("ResponseHeader", VERSION_OF("1", "4")             \
	        DATE("TimeStamp", "2026-01-01T00:00:00Z")         \
	        NUMBER("BatchCount", "1"))                        \
	    IN("BatchItem", ENUM("Operation", operation)          \
	        ENUM("ResultStatus", "OperationFailed")           \
	        ENUM("ResultReason", "ItemNotFound") more))
#define FAILS(message) REFUSES("Get", message)
#define CHECK \
	REQUEST("1", "4", "Check", UID("1") NUMBER("LeaseTime", "9"))

static const struct exchange_row rows[] = {
    {"the same", GET, KEY("00"), KEY("00"), NULL, OK, "", ""},
    {"another status", GET, FAILS(""), KEY("00"), NULL, ERR_VALUE,
        "ResponseMessage/BatchItem[0]/ResultStatus",
        "Enumeration OperationFailed / Enumeration Success"},
    {"a literal identifier", GET, ANSWER("1", "4", "Destroy", UID("1")),
        ANSWER("1", "4", "Destroy", UID("2")), "identifier", OK, "", ""},
    {"a placeholder that is bound", GET,
        ANSWER("1", "4", "Destroy", UID("$UNIQUE_IDENTIFIER_0")),
        ANSWER("1", "4", "Destroy", UID("bound")), NULL, OK, "", ""},
    {"a placeholder bound otherwise", GET,
        ANSWER("1", "4", "Destroy", UID("$UNIQUE_IDENTIFIER_0")),
        ANSWER("1", "4", "Destroy", UID("other")), NULL, ERR_VALUE,
        PAYLOAD "UniqueIdentifier",
        "TextString $UNIQUE_IDENTIFIER_0 / another value"},
    {"another time stamp", GET,
        IN("ResponseMessage", IN("ResponseHeader",
            DATE("TimeStamp", "2010-01-01T00:00:00Z"))),
        IN("ResponseMessage", IN("ResponseHeader",
            DATE("TimeStamp", "2026-01-01T00:00:00Z"))),
        "time-stamp", OK, "", ""},
    {"now, within the tolerance", GET,
        IN("ResponseMessage", DATE("InitialDate", "$NOW")),
        IN("ResponseMessage", DATE("InitialDate", "1970-01-01T00:17:10Z")),
        "now", OK, "", ""},
    {"now, a second beyond it", GET,
        IN("ResponseMessage", DATE("InitialDate", "$NOW")),
        IN("ResponseMessage", DATE("InitialDate", "1970-01-01T00:17:41Z")),
        NULL, ERR_VALUE, "ResponseMessage/InitialDate",
        "DateTime $NOW / another date"},
    {"a date of the server's", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(DATED("Initial Date", "2010-01-01T00:00:00Z")),
        ATTRIBUTES_ARE(DATED("Initial Date", "2026-01-01T00:00:00Z")),
        "server-date", OK, "", ""},
    {"a date that a request has set",
        REQUEST("1", "4", "AddAttribute",
            DATED("Activation Date", "2010-01-01T00:00:00Z")),
        ATTRIBUTES_ARE(DATED("Activation Date", "2010-01-01T00:00:00Z")),
        ATTRIBUTES_ARE(DATED("Activation Date", "2026-01-01T00:00:00Z")),
        NULL, ERR_VALUE, PAYLOAD "Attribute/AttributeValue",
        "DateTime 2010-01-01T00:00:00+00:00 / "
        "DateTime 2026-01-01T00:00:00+00:00"},
    {"key material that was registered", GET, KEY("00"), KEY("01"), NULL,
        ERR_VALUE, PAYLOAD "SymmetricKey/KeyBlock/KeyValue/KeyMaterial",
        "ByteString (secret, 1 octets) / ByteString (secret, 1 octets)"},
    {"a digest", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(ATTRIBUTE("Digest", IN("AttributeValue",
            ENUM("HashingAlgorithm", "SHA_1") OCTETS("DigestValue", "00")))),
        ATTRIBUTES_ARE(ATTRIBUTE("Digest", IN("AttributeValue",
            ENUM("HashingAlgorithm", "SHA_256")
            OCTETS("DigestValue", "01")))),
        "digest", OK, "", ""},
    {"an operation more than asked for by the case", QUERY(OPERATIONS),
        QUERY_IS(ENUM("Operation", "Get")),
        QUERY_IS(ENUM("Operation", "Create") ENUM("Operation", "Get")),
        "query-extra", OK, "", ""},
    {"an operation less", QUERY(OPERATIONS),
        QUERY_IS(ENUM("Operation", "Get") ENUM("Operation", "Create")),
        QUERY_IS(ENUM("Operation", "Create")), NULL, ERR_MISSING,
        PAYLOAD "Operation[0]", "Enumeration Get / (absent)"},
    {"an object type that nobody asked for", QUERY(OPERATIONS),
        QUERY_IS(ENUM("Operation", "Get")),
        QUERY_IS(ENUM("Operation", "Get")
            ENUM("ObjectType", "SymmetricKey")),
        NULL, ERR_SURPLUS, PAYLOAD "ObjectType",
        "(absent) / Enumeration SymmetricKey"},
    {"another vendor", QUERY(SERVER_INFORMATION),
        QUERY_IS(TEXT("VendorIdentification", "a")),
        QUERY_IS(TEXT("VendorIdentification", "b")),
        "vendor-identification", OK, "", ""},
    {"another vendor that nobody asked for", QUERY(OPERATIONS),
        QUERY_IS(TEXT("VendorIdentification", "a")),
        QUERY_IS(TEXT("VendorIdentification", "b")), NULL, ERR_VALUE,
        PAYLOAD "VendorIdentification", "TextString a / TextString b"},
    {"other capabilities",
        QUERY(ENUM("QueryFunction", "QueryCapabilities")),
        QUERY_IS(IN("CapabilityInformation",
            ITEM("StreamingCapability", "Boolean", "true"))),
        QUERY_IS(""), "query-shape", OK, "", ""},
    {"a version more, without a list in the request",
        REQUEST("1", "4", "DiscoverVersions", ""),
        ANSWER("1", "4", "DiscoverVersions", VERSION_OF("1", "4")),
        ANSWER("1", "4", "DiscoverVersions",
            VERSION_OF("2", "0") VERSION_OF("1", "4")),
        "discover-versions-extra", OK, "", ""},
    {"a version more, with a list",
        REQUEST("1", "4", "DiscoverVersions", VERSION_OF("1", "4")),
        ANSWER("1", "4", "DiscoverVersions", VERSION_OF("1", "4")),
        ANSWER("1", "4", "DiscoverVersions",
            VERSION_OF("1", "4") VERSION_OF("1", "3")),
        NULL, ERR_SURPLUS, PAYLOAD "ProtocolVersion[1]",
        "(absent) / Structure"},
    {"a message of the server's", GET, FAILS(""),
        FAILS(TEXT("ResultMessage", "no such key")), "result-message", OK,
        "", ""},
    {"another message", GET, FAILS(TEXT("ResultMessage", "a")),
        FAILS(TEXT("ResultMessage", "b")), "result-message", OK, "", ""},
    {"what led to the refusal of a Check", CHECK, REFUSES("Check", ""),
        REFUSES("Check", IN("ResponsePayload", NUMBER("LeaseTime", "9"))),
        "check-refused", OK, "", ""},
    {"something else", CHECK, REFUSES("Check", ""),
        REFUSES("Check", IN("ResponsePayload", NUMBER("LeaseTime", "8"))),
        NULL, ERR_SURPLUS, "ResponseMessage/BatchItem[0]/ResponsePayload",
        "(absent) / Structure"},
    {"Attribute Index 0", ATTRIBUTES_ASKED(), ATTRIBUTES_ARE(STATE("Active")),
        ATTRIBUTES_ARE(ATTRIBUTE("State", NUMBER("AttributeIndex", "0")
            ENUM("AttributeValue", "Active"))),
        "attribute-index-zero", OK, "", ""},
    {"Attribute Index 1", ATTRIBUTES_ASKED(), ATTRIBUTES_ARE(STATE("Active")),
        ATTRIBUTES_ARE(ATTRIBUTE("State", NUMBER("AttributeIndex", "1")
            ENUM("AttributeValue", "Active"))),
        NULL, ERR_SURPLUS, PAYLOAD "Attribute/AttributeIndex",
        "(absent) / Integer 1"},
    {"Template-Attribute", REQUEST("1", "4", "Create", ""),
        ANSWER("1", "4", "Create", UID("1")),
        ANSWER("1", "4", "Create", UID("1") "<TemplateAttribute/>"),
        "template-attribute", OK, "", ""},
    {"attributes in another order", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(STATE("Active") LENGTH("128")),
        ATTRIBUTES_ARE(LENGTH("128") STATE("Active")), "attribute-order",
        OK, "", ""},
    {"an attribute more", ATTRIBUTES_ASKED(), ATTRIBUTES_ARE(STATE("Active")),
        ATTRIBUTES_ARE(STATE("Active") LENGTH("128")),
        "additional-attributes", OK, "", ""},
    {"an attribute more than the request names",
        ATTRIBUTES_ASKED(TEXT("AttributeName", "State")),
        ATTRIBUTES_ARE(STATE("Active")),
        ATTRIBUTES_ARE(STATE("Active") LENGTH("128")), NULL, ERR_SURPLUS,
        PAYLOAD "Attribute[1]",
        "(absent) / Structure (Cryptographic Length)"},
    {"another value among attributes in any order", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(STATE("Active") LENGTH("128")),
        ATTRIBUTES_ARE(LENGTH("256") STATE("Active")), NULL, ERR_VALUE,
        PAYLOAD "Attribute[0]/AttributeValue", "Integer 128 / Integer 256"},
    {"an Object Group of the server's", ATTRIBUTES_ASKED(
            TEXT("AttributeName", "State")),
        ATTRIBUTES_ARE(STATE("Active")
            ATTRIBUTE("Object Group", TEXT("AttributeValue", "g"))),
        ATTRIBUTES_ARE(STATE("Active")), "object-group", OK, "", ""},
    {"an Object Group that a request has set",
        REQUEST("1", "4", "AddAttribute",
            ATTRIBUTE("Object Group", TEXT("AttributeValue", "g"))),
        ATTRIBUTES_ARE(STATE("Active")
            ATTRIBUTE("Object Group", TEXT("AttributeValue", "g"))),
        ATTRIBUTES_ARE(STATE("Active")), NULL, ERR_MISSING,
        PAYLOAD "Attribute[1]", "Structure (Object Group) / (absent)"},
    {"another generator", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(ATTRIBUTE("Random Number Generator",
            IN("AttributeValue", ENUM("RNGAlgorithm", "ANSIX9_31")))),
        ATTRIBUTES_ARE(ATTRIBUTE("Random Number Generator",
            IN("AttributeValue", ENUM("RNGAlgorithm", "DRBG")
                ENUM("DRBGAlgorithm", "CTR")))),
        "random-number-generator", OK, "", ""},
    {"no generator", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(ATTRIBUTE("Random Number Generator",
            IN("AttributeValue", ENUM("RNGAlgorithm", "ANSIX9_31")))),
        ATTRIBUTES_ARE(""), NULL, ERR_MISSING, PAYLOAD "Attribute",
        "Structure (Random Number Generator) / (absent)"},
    {"names of attributes, another one last",
        REQUEST("1", "4", "GetAttributeList", UID("1")),
        ANSWER("1", "4", "GetAttributeList",
            UID("1") TEXT("AttributeName", "State")
            TEXT("AttributeName", "Name")),
        ANSWER("1", "4", "GetAttributeList",
            UID("1") TEXT("AttributeName", "Name")
            TEXT("AttributeName", "State")), "attribute-order", OK, "", ""},
    {"another capability in a Query answer",
        QUERY(ENUM("QueryFunction", "QueryCapabilities")),
        QUERY_IS(IN("CapabilityInformation",
            ITEM("StreamingCapability", "Boolean", "true"))),
        QUERY_IS(IN("CapabilityInformation",
            ITEM("StreamingCapability", "Boolean", "false"))),
        "query-shape", OK, "", ""},
    {"found in another order", REQUEST("1", "4", "Locate", ""),
        ANSWER("1", "4", "Locate", UID("a") UID("b")),
        ANSWER("1", "4", "Locate", UID("b") UID("a")), NULL, OK, "", ""},
    {"Located Items", REQUEST("1", "4", "Locate", ""),
        ANSWER("1", "4", "Locate", ""),
        ANSWER("1", "4", "Locate", NUMBER("LocatedItems", "0")),
        "located-items", OK, "", ""},
    {"an extension that is not critical", GET,
        IN("ResponseMessage", "<BatchItem/>"),
        IN("ResponseMessage", IN("BatchItem", IN("MessageExtension",
            ITEM("CriticalityIndicator", "Boolean", "false")))),
        "message-extension", OK, "", ""},
    {"an extension that is critical", GET,
        IN("ResponseMessage", "<BatchItem/>"),
        IN("ResponseMessage", IN("BatchItem", IN("MessageExtension",
            ITEM("CriticalityIndicator", "Boolean", "true")))),
        NULL, ERR_SURPLUS, "ResponseMessage/BatchItem[0]/MessageExtension",
        "(absent) / Structure"},
    {"Server Correlation Value", GET,
        IN("ResponseMessage", "<ResponseHeader/>"),
        IN("ResponseMessage", IN("ResponseHeader",
            TEXT("ServerCorrelationValue", "s"))),
        "correlation-header", OK, "", ""},
    {"Client Correlation Value", GET,
        IN("ResponseMessage", "<ResponseHeader/>"),
        IN("ResponseMessage", IN("ResponseHeader",
            TEXT("ClientCorrelationValue", "s"))),
        NULL, ERR_SURPLUS,
        "ResponseMessage/ResponseHeader/ClientCorrelationValue",
        "(absent) / TextString s"},
    {"the request's version, another printed", GET,
        ANSWER("1", "3", "Get", UID("1")), ANSWER("1", "4", "Get", UID("1")),
        "protocol-version", OK, "", ""},
    {"a version that is not the request's", GET,
        ANSWER("1", "4", "Get", UID("1")), ANSWER("1", "3", "Get", UID("1")),
        NULL, ERR_VALUE,
        "ResponseMessage/ResponseHeader/ProtocolVersion/"
        "ProtocolVersionMinor",
        "Integer 4 / Integer 3"},
    {"a test identifier left out", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(STATE("Active")
            ATTRIBUTE("x-ID", TEXT("AttributeValue", "t"))),
        ATTRIBUTES_ARE(STATE("Active")), "test-identifier", OK, "", ""},
    {"another attribute left out", ATTRIBUTES_ASKED(),
        ATTRIBUTES_ARE(STATE("Active")
            ATTRIBUTE("x-IX", TEXT("AttributeValue", "t"))),
        ATTRIBUTES_ARE(STATE("Active")), NULL, ERR_MISSING,
        PAYLOAD "Attribute[1]", "Structure (x-IX) / (absent)"},
    {"a correlation value", GET,
        ANSWER("1", "4", "Encrypt", OCTETS("CorrelationValue", "00")),
        ANSWER("1", "4", "Encrypt", OCTETS("CorrelationValue", "01")),
        "correlation-value", OK, "", ""},
    {"data of a registered key", REQUEST("1", "4", "Encrypt", ""),
        ANSWER("1", "4", "Encrypt", OCTETS("Data", "00")),
        ANSWER("1", "4", "Encrypt", OCTETS("Data", "01")), NULL, ERR_VALUE,
        PAYLOAD "Data", "ByteString 00 / ByteString 01"},
    {"data with a random IV",
        REQUEST("1", "4", "Encrypt", IN("CryptographicParameters",
            ITEM("RandomIV", "Boolean", "true"))),
        ANSWER("1", "4", "Encrypt", OCTETS("Data", "00")),
        ANSWER("1", "4", "Encrypt", OCTETS("Data", "01")),
        "cryptographic-output", OK, "", ""},
    {"any, by the vector", GET,
        ANSWER("1", "4", "Get",
            "<Data type=\"ByteString\" value=\"00\" match=\"any\" "
            "why=\"w\"/>"),
        ANSWER("1", "4", "Get", OCTETS("Data", "01")), NULL, OK, "", ""},
    {"one of two, by the vector", GET,
        ANSWER("1", "4", "Get",
            "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\" "
            "match=\"one-of SymmetricKey SecretData\" why=\"w\"/>"),
        ANSWER("1", "4", "Get", ENUM("ObjectType", "SecretData")), NULL, OK,
        "", ""},
    {"neither of two", GET,
        ANSWER("1", "4", "Get",
            "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\" "
            "match=\"one-of SymmetricKey SecretData\" why=\"w\"/>"),
        ANSWER("1", "4", "Get", ENUM("ObjectType", "PublicKey")), NULL,
        ERR_VALUE, PAYLOAD "ObjectType",
        "Enumeration SymmetricKey / Enumeration PublicKey"},
    {"absent, by the vector", GET,
        ANSWER("1", "4", "Get",
            "<Data type=\"ByteString\" value=\"00\" match=\"absent-ok\" "
            "why=\"w\"/>"),
        ANSWER("1", "4", "Get", ""), NULL, OK, "", ""},
};

/* The server has made object 1 before. */
static const struct exchange_row made_rows[] = {
    {"key material that the server made", GET, KEY("00"), KEY("01"),
        "key-material", OK, "", ""},
    {"its format", GET, KEY("00"),
        ANSWER("1", "4", "Get", ENUM("ObjectType", "SymmetricKey") UID("1")
            IN("SymmetricKey", IN("KeyBlock",
                ENUM("KeyFormatType", "Opaque")
                IN("KeyValue", OCTETS("KeyMaterial", "00"))))),
        "key-format-type", OK, "", ""},
    {"data under a key that the server made",
        REQUEST("1", "4", "Encrypt", ""),
        ANSWER("1", "4", "Encrypt", UID("1") OCTETS("Data", "00")),
        ANSWER("1", "4", "Encrypt", UID("1") OCTETS("Data", "01")),
        "cryptographic-output", OK, "", ""},
};
/* clang-format on */

static enum err
compare_row(struct arena *a, const struct exchange_row *r, bool made,
    uint64_t off, struct finding *f)
{
	struct rules rules = {off};
	struct node *request = tree_of(a, r->request);
	struct story *story = story_new(a);
	struct comparison c = {.rules = &rules,
	    .vars = vars_new(a, 1, NULL),
	    .story = story,
	    .request = request,
	    .version = check_version_of(request),
	    .now = 1000,
	    .now_tolerance_s = 60};
	struct node *bound = tree_of(a, UID("bound"));

	if (made)
		story_add(story, tree_of(a, REQUEST("1", "4", "Create", "")),
		    tree_of(
			a, ANSWER("1", "4", "Create",
			       ENUM("ObjectType", "SymmetricKey") UID("1"))));
	story_add(story, request, NULL);
	vars_bind(c.vars, "$UNIQUE_IDENTIFIER_0", bound);
	return compare_answer(
	    &c, tree_of(a, r->expected), tree_of(a, r->got), f);
}

static void
check_row(const struct exchange_row *r, bool made)
{
	struct arena *a = arena_new();
	char words[700];
	struct finding f;
	enum rule rule;
	enum err rc;

	rc = compare_row(a, r, made, 0, &f);
	snprintf(words, sizeof words, "%s%s%s", f.expected,
	    f.expected[0] == 0 ? "" : " / ", f.got);
	if (rc != r->want || strcmp(f.path, r->path) != 0 ||
	    strcmp(words, r->words) != 0)
		fail_msg("%s: expected %s at %s, %s; got %s at %s, %s", r->name,
		    err_name(r->want), r->path, r->words, err_name(rc), f.path,
		    words);
	/* with all rules off but the one that is named, it is OK; with that one
	 * off it is a difference, and the report names the rule */
	if (r->rule != NULL) {
		assert_true(rule_of_name(r->rule, &rule));
		rc = compare_row(a, r, made, (uint64_t)1 << rule, &f);
		if (rc == OK || f.rule == NULL || strcmp(f.rule, r->rule) != 0)
			fail_msg("%s without %s: got %s, rule %s", r->name,
			    r->rule, err_name(rc), f.rule);
	}
	arena_free(a);
}

static void
exchanges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_row(&rows[i], false);
	for (size_t i = 0; i < sizeof made_rows / sizeof *made_rows; i++)
		check_row(&made_rows[i], true);
}

/* Every rule of the table stands in a row above, but for the two of order;
 * nae_match_test.c has those of NAE-XML. */
static void
every_rule_has_a_row(void **state)
{
	static const char *const elsewhere[] = {
	    "locate-order", "batch-item-order"};

	(void)state;
	for (int r = 0; r < RULE_COUNT; r++) {
		const char *name = rule_name((enum rule)r);
		bool found = strcmp(name, elsewhere[0]) == 0 ||
			     strcmp(name, elsewhere[1]) == 0 ||
			     strncmp(name, "nae-", 4) == 0;

		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			found |= rows[i].rule != NULL &&
				 strcmp(rows[i].rule, name) == 0;
		for (size_t i = 0; i < sizeof made_rows / sizeof *made_rows;
		     i++)
			found |= made_rows[i].rule != NULL &&
				 strcmp(made_rows[i].rule, name) == 0;
		if (!found)
			fail_msg("no row for the rule %s", name);
	}
}

#define ID_ITEM(id, payload)                                                  \
	IN("BatchItem",                                                       \
	    ENUM("Operation", "Locate") OCTETS("UniqueBatchItemID", id) ENUM( \
		"ResultStatus", "Success") IN("ResponsePayload", payload))
#define BATCH(...) IN("ResponseMessage", __VA_ARGS__)

/* The two rules of order, without help from the rule on identifiers. */
static void
orders(void **state)
{
	static const struct exchange_row order_rows[] = {
	    {"batch items in another order", GET,
		BATCH(ID_ITEM("01", UID("a")) ID_ITEM("02", UID("b"))),
		BATCH(ID_ITEM("02", UID("b")) ID_ITEM("01", UID("a"))),
		"batch-item-order", OK, "", ""},
	    {"identifiers in another order", REQUEST("1", "4", "Locate", ""),
		ANSWER("1", "4", "Locate", UID("a") UID("b")),
		ANSWER("1", "4", "Locate", UID("b") UID("a")), "locate-order",
		OK, "", ""},
	};

	static const struct exchange_row youngest_first = {
	    "in 2.0 they have one",
	    REQUEST("2", "0", "Locate", IN("Attributes")),
	    ANSWER("2", "0", "Locate", UID("a") UID("b")),
	    ANSWER("2", "0", "Locate", UID("b") UID("a")), "", OK, "", ""};
	struct arena *b = arena_new();
	struct finding g;

	(void)state;
	assert_int_not_equal(compare_row(b, &youngest_first, false,
				 (uint64_t)1 << RULE_IDENTIFIER, &g),
	    OK);
	arena_free(b);
	for (size_t i = 0; i < 2; i++) {
		uint64_t identifier = (uint64_t)1 << RULE_IDENTIFIER;
		struct arena *a = arena_new();
		struct finding f;
		enum rule rule;

		assert_true(rule_of_name(order_rows[i].rule, &rule));
		assert_int_equal(
		    compare_row(a, &order_rows[i], false, identifier, &f), OK);
		assert_int_not_equal(compare_row(a, &order_rows[i], false,
					 identifier | (uint64_t)1 << rule, &f),
		    OK);
		assert_string_equal(f.rule, order_rows[i].rule);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exchanges),
	    cmocka_unit_test(every_rule_has_a_row),
	    cmocka_unit_test(orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
