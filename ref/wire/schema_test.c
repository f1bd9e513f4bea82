#include "wire/testing.h"

#include <stdint.h>

#include "wire/item.h"
#include "wire/xml.h"

enum { ARENA_OCTETS = 1 << 20 };

/* Short forms for the tables below. */
#define TEXT(name, value) "<" name " type=\"TextString\" value=\"" value "\"/>"
#define INT(name, value)  "<" name " type=\"Integer\" value=\"" value "\"/>"
#define ENUM(name, value) "<" name " type=\"Enumeration\" value=\"" value "\"/>"
#define BOOL(name, value) "<" name " type=\"Boolean\" value=\"" value "\"/>"
#define HEX(name, value)  "<" name " type=\"ByteString\" value=\"" value "\"/>"
#define BIG(name, value)  "<" name " type=\"BigInteger\" value=\"" value "\"/>"
#define DATE(name) \
	"<" name " type=\"DateTime\" value=\"2020-02-02T20:20:20Z\"/>"
#define IN(name, ...)     "<" name ">" __VA_ARGS__ "</" name ">"
#define ASK(...)          IN("RequestPayload", __VA_ARGS__)
#define ANSWER(...)       IN("ResponsePayload", __VA_ARGS__)
#define UID               TEXT("UniqueIdentifier", "7")
#define AES               ENUM("CryptographicAlgorithm", "AES")
#define ATTR(name, value) IN("Attribute", TEXT("AttributeName", name) value)
#define VALUE_TEXT        TEXT("AttributeValue", "a")
#define KEY_BLOCK(format, value, more)                                         \
	IN("SymmetricKey",                                                     \
	    IN("KeyBlock", ENUM("KeyFormatType", format) IN("KeyValue", value) \
			       AES INT("CryptographicLength", "128") more))
#define WRAPPING                                                \
	IN("KeyWrappingData", ENUM("WrappingMethod", "Encrypt") \
				  IN("EncryptionKeyInformation", UID))
#define REGISTER(key) \
	ASK(ENUM("ObjectType", "SymmetricKey") IN("TemplateAttribute", "") key)
#define VERSION(minor)                                         \
	IN("ProtocolVersion", INT("ProtocolVersionMajor", "1") \
				  INT("ProtocolVersionMinor", minor))
#define HEADER(more) IN("RequestHeader", VERSION("4") more)
#define ITEM         IN("BatchItem", ENUM("Operation", "Get") ASK())
#define REQUEST(...) IN("RequestMessage", __VA_ARGS__)
#define ONE          INT("BatchCount", "1")

struct payload_case {
	const char *name;
	uint32_t operation;
	enum version v;
	const char *xml;
	enum err want;
	const char *fault; /* in it */
};

/* clang-format off */
#define OP(name) OPERATION_##name
static const struct payload_case payload_cases[] = {
    {"all there", OP(GET), V1_4, ASK(UID ENUM("KeyFormatType", "Raw")), OK, ""},
    {"all may be absent", OP(GET), V1_4, ASK(), OK, ""},
    {"out of order", OP(GET), V1_4, ASK(ENUM("KeyFormatType", "Raw") UID), ERR_UNEXPECTED, "RequestPayload/UniqueIdentifier: out of order"},
    {"twice", OP(GET), V1_4, ASK(UID UID), ERR_REPEATED, "RequestPayload/UniqueIdentifier[2]: only once"},
    {"not expected", OP(GET), V1_4, ASK(UID DATE("ActivationDate")), ERR_UNEXPECTED, "RequestPayload/ActivationDate: not expected here"},
    {"not in the version", OP(GET), V1_3, ASK(UID ENUM("KeyWrapType", "NotWrapped")), ERR_UNEXPECTED, "RequestPayload/KeyWrapType: not in KMIP 1.3"},
    {"in the version", OP(GET), V1_4, ASK(UID ENUM("KeyWrapType", "NotWrapped")), OK, ""},
    {"vendors' tags", OP(GET), V1_4, ASK(UID "<TTLV tag=\"0x540001\" type=\"Integer\" value=\"1\"/>"), ERR_UNEXPECTED, "RequestPayload/0x540001: not expected here"},
    {"a type too many", OP(GET), V1_4, ASK(INT("UniqueIdentifier", "7")), ERR_TYPE, "RequestPayload/UniqueIdentifier: expected TextString, got Integer"},
    {"a type of 2.x", OP(GET), V2_0, ASK(INT("UniqueIdentifier", "7")), OK, ""},
    {"a placeholder of 2.x", OP(GET), V2_0, ASK(ENUM("UniqueIdentifier", "IDPlaceholder")), OK, ""},
    {"no such placeholder", OP(GET), V2_0, ASK(ENUM("UniqueIdentifier", "0x00000099")), ERR_CHOICE, "UniqueIdentifier: no such value 0x00000099 in KMIP 2.0"},
    {"a value of 1.4", OP(GET), V1_4, ASK(ENUM("KeyFormatType", "PKCS_12")), OK, ""},
    {"not of 1.3", OP(GET), V1_3, ASK(ENUM("KeyFormatType", "PKCS_12")), ERR_CHOICE, "no such value 0x00000016 in KMIP 1.3"},
    {"a value taken away", OP(GET), V2_0, ASK(ENUM("KeyFormatType", "TransparentECDSAPrivateKey")), ERR_CHOICE, "in KMIP 2.0"},
    {"an extension's value", OP(GET), V1_4, ASK(ENUM("KeyFormatType", "0x80000001")), ERR_CHOICE, "0x80000001"},
    {"required", OP(REVOKE), V1_4, ASK(UID), ERR_MISSING, "RequestPayload: RevocationReason is missing"},
    {"required and there", OP(REVOKE), V1_4, ASK(UID IN("RevocationReason", ENUM("RevocationReasonCode", "Unspecified"))), OK, ""},
    {"required in it", OP(REVOKE), V1_4, ASK(UID IN("RevocationReason", TEXT("RevocationMessage", "lost"))), ERR_MISSING, "RequestPayload/RevocationReason: RevocationReasonCode is missing"},
    {"required, too late", OP(CREATE), V1_4, ASK(IN("TemplateAttribute", "") ENUM("ObjectType", "SymmetricKey")), ERR_UNEXPECTED, "RequestPayload: ObjectType is out of order"},
    {"no structure", OP(CREATE), V1_4, ASK(ENUM("ObjectType", "SymmetricKey") TEXT("TemplateAttribute", "")), ERR_TYPE, "expected Structure, got TextString"},
    {"many", OP(QUERY), V1_4, ASK(ENUM("QueryFunction", "QueryOperations") ENUM("QueryFunction", "QueryObjects")), OK, ""},
    {"at least one", OP(QUERY), V1_4, ASK(), ERR_MISSING, "QueryFunction is missing"},
    {"no such operation yet", OP(DISCOVER_VERSIONS), V1_0, ASK(), ERR_OPERATION, "no such operation 0x0000001e in KMIP 1.0"},
    {"now there is", OP(DISCOVER_VERSIONS), V1_1, ASK(), OK, ""},
    {"no such operation at all", 0x7fffffff, V2_1, ASK(), ERR_OPERATION, "no such operation"},
    {"no operation", 0, V2_1, ASK(), ERR_OPERATION, "no such operation"},
    {"an answer", OP(ACTIVATE), V1_4, ANSWER(UID), OK, ""},
    {"an answer lacks", OP(ACTIVATE), V1_4, ANSWER(), ERR_MISSING, "ResponsePayload: UniqueIdentifier is missing"},
    {"no payload", OP(ACTIVATE), V1_4, IN("Attributes", ""), ERR_UNEXPECTED, "Attributes: expected a payload"},

    {"an attribute's number", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("Cryptographic Length", INT("AttributeValue", "128"))), OK, ""},
    {"an attribute's type", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("Cryptographic Length", VALUE_TEXT)), ERR_TYPE, "RequestPayload/Attribute/AttributeValue: expected Integer, got TextString"},
    {"an attribute's value", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("State", ENUM("AttributeValue", "0x63"))), ERR_CHOICE, "no such value"},
    {"an attribute's mask", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("Cryptographic Usage Mask", INT("AttributeValue", "Encrypt 0x00080000"))), OK, ""},
    {"a bit too many", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("Cryptographic Usage Mask", INT("AttributeValue", "Encrypt 0x00100000"))), ERR_CHOICE, "no such bit 0x00100000 in KMIP 1.4"},
    {"an attribute's structure", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("Name", IN("AttributeValue", TEXT("NameValue", "a") ENUM("NameType", "URI")))), OK, ""},
    {"half of it", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("Name", IN("AttributeValue", TEXT("NameValue", "a")))), ERR_MISSING, "Attribute/AttributeValue: NameType is missing"},
    {"no value", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("Name", "")), ERR_MISSING, "Attribute: AttributeValue is missing"},
    {"no value is told", OP(NOTIFY), V1_4, ASK(UID ATTR("Name", "")), OK, ""},
    {"custom, any type", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("x-a", DATE("AttributeValue"))), OK, ""},
    {"custom structure", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("x-a", IN("AttributeValue", TEXT("NameValue", "a")))), OK, ""},
    {"custom, deeper", OP(ADD_ATTRIBUTE), V1_4, ASK(ATTR("x-a", IN("AttributeValue", IN("Name", "")))), ERR_UNEXPECTED, "a structure in a structure"},
    {"2.x form in 1.4", OP(ADD_ATTRIBUTE), V1_4, ASK(IN("NewAttribute", INT("CryptographicLength", "128"))), ERR_UNEXPECTED, "NewAttribute: not in KMIP 1.4"},
    {"2.x form", OP(ADD_ATTRIBUTE), V2_0, ASK(IN("NewAttribute", INT("CryptographicLength", "128"))), OK, ""},
    {"1.x form in 2.0", OP(ADD_ATTRIBUTE), V2_0, ASK(ATTR("Cryptographic Length", INT("AttributeValue", "128"))), ERR_UNEXPECTED, "Attribute: not in KMIP 2.0"},
    {"one new attribute", OP(ADD_ATTRIBUTE), V2_0, ASK(IN("NewAttribute", INT("CryptographicLength", "128") AES)), ERR_REPEATED, "NewAttribute/CryptographicAlgorithm: only once"},
    {"no new attribute", OP(ADD_ATTRIBUTE), V2_0, ASK(IN("NewAttribute", "")), ERR_MISSING, "NewAttribute: an attribute is missing"},
    {"no attribute", OP(ADD_ATTRIBUTE), V2_0, ASK(IN("NewAttribute", INT("MaximumItems", "128"))), ERR_UNEXPECTED, "NewAttribute/MaximumItems: not expected here"},
    {"an attribute of 2.1", OP(ADD_ATTRIBUTE), V2_1, ASK(IN("NewAttribute", BOOL("RotateAutomatic", "true"))), OK, ""},
    {"not of 2.0", OP(ADD_ATTRIBUTE), V2_0, ASK(IN("NewAttribute", BOOL("RotateAutomatic", "true"))), ERR_UNEXPECTED, "not in KMIP 2.0"},
    {"a vendor's attribute", OP(ADD_ATTRIBUTE), V2_0, ASK(IN("NewAttribute", IN("Attribute", TEXT("VendorIdentification", "x") TEXT("AttributeName", "a") VALUE_TEXT))), OK, ""},
    {"of no vendor", OP(ADD_ATTRIBUTE), V2_0, ASK(IN("NewAttribute", ATTR("a", VALUE_TEXT))), ERR_MISSING, "VendorIdentification is missing"},
    {"any order of attributes", OP(CREATE), V2_0, ASK(ENUM("ObjectType", "SymmetricKey") IN("Attributes", INT("CryptographicLength", "128") AES INT("CryptographicUsageMask", "Encrypt"))), OK, ""},
    {"a structure in attributes", OP(CREATE), V2_0, ASK(ENUM("ObjectType", "SymmetricKey") IN("Attributes", IN("Name", TEXT("NameValue", "a")))), ERR_MISSING, "Attributes/Name: NameType is missing"},
    {"partial where searched", OP(LOCATE), V2_0, ASK(IN("Attributes", IN("Name", TEXT("NameValue", "a")))), OK, ""},
    {"partial where searched, 1.x", OP(LOCATE), V1_0, ASK(ATTR("Name", IN("AttributeValue", TEXT("NameValue", "a")))), OK, ""},
    {"partial, but in order", OP(LOCATE), V1_0, ASK(ATTR("Name", IN("AttributeValue", ENUM("NameType", "URI") TEXT("NameValue", "a")))), ERR_UNEXPECTED, "out of order"},
    {"a search names its attribute", OP(LOCATE), V1_0, ASK(IN("Attribute", VALUE_TEXT)), ERR_MISSING, "AttributeName is missing"},

    {"a raw key", OP(REGISTER), V1_4, REGISTER(KEY_BLOCK("Raw", HEX("KeyMaterial", "00"), "")), OK, ""},
    {"a raw key's structure", OP(REGISTER), V1_4, REGISTER(KEY_BLOCK("Raw", IN("KeyMaterial", HEX("Key", "00")), "")), ERR_TYPE, "SymmetricKey/KeyBlock/KeyValue/KeyMaterial: expected ByteString, got Structure"},
    {"a transparent key", OP(REGISTER), V1_4, REGISTER(KEY_BLOCK("TransparentSymmetricKey", IN("KeyMaterial", HEX("Key", "00")), "")), OK, ""},
    {"its octets", OP(REGISTER), V1_4, REGISTER(KEY_BLOCK("TransparentSymmetricKey", HEX("KeyMaterial", "00"), "")), ERR_TYPE, "KeyMaterial: expected Structure, got ByteString"},
    {"its octets, wrapped", OP(REGISTER), V1_4, REGISTER(KEY_BLOCK("TransparentSymmetricKey", HEX("KeyMaterial", "00"), WRAPPING)), OK, ""},
    {"another key's parts", OP(REGISTER), V1_4, REGISTER(KEY_BLOCK("TransparentSymmetricKey", IN("KeyMaterial", BIG("Modulus", "0000000000000001")), "")), ERR_UNEXPECTED, "KeyMaterial/Modulus"},
    {"an object of 1.2", OP(REGISTER), V1_2, ASK(ENUM("ObjectType", "PGPKey") IN("TemplateAttribute", "") IN("PGPKey", INT("PGPKeyVersion", "4") IN("KeyBlock", ENUM("KeyFormatType", "Raw")))), OK, ""},
    {"not of 1.1", OP(REGISTER), V1_1, ASK(ENUM("ObjectType", "SymmetricKey") IN("TemplateAttribute", "") IN("PGPKey", INT("PGPKeyVersion", "4") IN("KeyBlock", ENUM("KeyFormatType", "Raw")))), ERR_UNEXPECTED, "PGPKey: not in KMIP 1.1"},
    {"no object", OP(REGISTER), V1_4, REGISTER(""), ERR_MISSING, "a managed object is missing"},
    {"two objects", OP(REGISTER), V1_4, REGISTER(KEY_BLOCK("Raw", HEX("KeyMaterial", "00"), "") KEY_BLOCK("Raw", HEX("KeyMaterial", "00"), "")), ERR_REPEATED, "SymmetricKey[2]: only once"},
    {"data", OP(ENCRYPT), V2_0, ASK(UID HEX("Data", "00")), OK, ""},
    {"data of an earlier item", OP(ENCRYPT), V2_0, ASK(UID ENUM("Data", "Decrypt")), OK, ""},
    {"not in 1.4", OP(ENCRYPT), V1_4, ASK(UID ENUM("Data", "Decrypt")), ERR_TYPE, "expected ByteString, got Enumeration"},
    {"a hash of a mask generator", OP(ENCRYPT), V1_4, ASK(IN("CryptographicParameters", ENUM("MaskGeneratorHashingAlgorithm", "0x06"))), OK, ""},
    {"no such hash", OP(ENCRYPT), V1_4, ASK(IN("CryptographicParameters", ENUM("MaskGeneratorHashingAlgorithm", "0x60"))), ERR_CHOICE, "no such value"},
};

static const struct {
	const char *name;
	enum version v;
	const char *xml;
	enum err want;
	const char *fault;
} request_cases[] = {
    {"whole", V1_4, REQUEST(HEADER(ONE) ITEM), OK, ""},
    {"a bad payload is not looked at", V1_4, REQUEST(HEADER(ONE) IN("BatchItem", ENUM("Operation", "Get") ASK(ONE))), OK, ""},
    {"nor an operation", V1_4, REQUEST(HEADER(ONE) IN("BatchItem", ENUM("Operation", "0x80000001") ASK())), OK, ""},
    {"but its type", V1_4, REQUEST(HEADER(ONE) IN("BatchItem", TEXT("Operation", "Get") ASK())), ERR_TYPE, "RequestMessage/BatchItem/Operation: expected Enumeration, got TextString"},
    {"no payload", V1_4, REQUEST(HEADER(ONE) IN("BatchItem", ENUM("Operation", "Get"))), ERR_MISSING, "RequestMessage/BatchItem: RequestPayload is missing"},
    {"no item", V1_4, REQUEST(HEADER(ONE)), ERR_MISSING, "RequestMessage: BatchItem is missing"},
    {"second item", V1_4, REQUEST(HEADER(ONE) ITEM IN("BatchItem", ENUM("Operation", "Get"))), ERR_MISSING, "RequestMessage/BatchItem[2]: RequestPayload is missing"},
    {"no header", V1_4, REQUEST(ITEM), ERR_MISSING, "RequestHeader is missing"},
    {"no count", V1_4, REQUEST(HEADER("") ITEM), ERR_MISSING, "RequestMessage/RequestHeader: BatchCount is missing"},
    {"asynchronous, 1.4", V1_4, REQUEST(HEADER(BOOL("AsynchronousIndicator", "true") ONE) ITEM), OK, ""},
    {"asynchronous, 2.0", V2_0, REQUEST(HEADER(BOOL("AsynchronousIndicator", "true") ONE) ITEM), ERR_TYPE, "expected Enumeration, got Boolean"},
    {"asynchronous as in 2.0", V2_0, REQUEST(HEADER(ENUM("AsynchronousIndicator", "Optional") ONE) ITEM), OK, ""},
    {"asynchronous, too early", V1_4, REQUEST(HEADER(ENUM("AsynchronousIndicator", "Optional") ONE) ITEM), ERR_TYPE, "expected Boolean, got Enumeration"},
    {"correlation value", V1_4, REQUEST(HEADER(TEXT("ClientCorrelationValue", "a") ONE) ITEM), OK, ""},
    {"correlation value, too early", V1_3, REQUEST(HEADER(TEXT("ClientCorrelationValue", "a") ONE) ITEM), ERR_UNEXPECTED, "not in KMIP 1.3"},
    {"one credential", V1_1, REQUEST(HEADER(IN("Authentication", IN("Credential", ENUM("CredentialType", "UsernameAndPassword") IN("CredentialValue", TEXT("Username", "Fred")))) ONE) ITEM), OK, ""},
    {"of another type", V1_1, REQUEST(HEADER(IN("Authentication", IN("Credential", ENUM("CredentialType", "Device") IN("CredentialValue", TEXT("Username", "Fred")))) ONE) ITEM), ERR_UNEXPECTED, "Credential/CredentialValue/Username: not expected here"},
    {"a message extension", V1_4, REQUEST(HEADER(ONE) IN("BatchItem", ENUM("Operation", "Get") ASK() IN("MessageExtension", TEXT("VendorIdentification", "x") BOOL("CriticalityIndicator", "false") IN("VendorExtension", "<TTLV tag=\"0x540001\"/>")))), OK, ""},
    {"a second, 1.4", V1_4, REQUEST(HEADER(ONE) IN("BatchItem", ENUM("Operation", "Get") ASK() IN("MessageExtension", TEXT("VendorIdentification", "x") BOOL("CriticalityIndicator", "false") IN("VendorExtension", "")) IN("MessageExtension", ""))), ERR_REPEATED, "MessageExtension[2]"},
    {"a response", V1_4, IN("ResponseMessage", ""), ERR_UNEXPECTED, "ResponseMessage: expected RequestMessage"},
};

/* What a handler built, and what the version makes of it. */
static const struct {
	const char *name;
	uint32_t operation;
	enum version v;
	const char *xml;
	enum err want;
	const char *shaped; /* or what is in the fault */
} shape_cases[] = {
    {"order", OP(GET), V1_4, ANSWER(UID KEY_BLOCK("Raw", HEX("KeyMaterial", "00"), "") ENUM("ObjectType", "SymmetricKey")), OK, ANSWER(ENUM("ObjectType", "SymmetricKey") UID KEY_BLOCK("Raw", HEX("KeyMaterial", "00"), ""))},
    {"order of repeated ones", OP(LOCATE), V1_3, ANSWER(TEXT("UniqueIdentifier", "1") INT("LocatedItems", "2") TEXT("UniqueIdentifier", "2")), OK, ANSWER(INT("LocatedItems", "2") TEXT("UniqueIdentifier", "1") TEXT("UniqueIdentifier", "2"))},
    {"an item of 1.3", OP(LOCATE), V1_2, ANSWER(TEXT("UniqueIdentifier", "1") INT("LocatedItems", "2") TEXT("UniqueIdentifier", "2")), OK, ANSWER(TEXT("UniqueIdentifier", "1") TEXT("UniqueIdentifier", "2"))},
    {"an item of no version", OP(LOCATE), V1_2, ANSWER(INT("MaximumItems", "2")), ERR_UNEXPECTED, "MaximumItems: not expected here"},
    {"values of 1.1", OP(QUERY), V1_0, ANSWER(ENUM("Operation", "Get") ENUM("Operation", "DiscoverVersions") ENUM("Operation", "Query")), OK, ANSWER(ENUM("Operation", "Get") ENUM("Operation", "Query"))},
    {"missing", OP(ACTIVATE), V1_0, ANSWER(), ERR_MISSING, "UniqueIdentifier is missing"},
    {"twice", OP(ACTIVATE), V1_0, ANSWER(UID UID), ERR_REPEATED, "UniqueIdentifier[2]: only once"},
    {"a type", OP(ACTIVATE), V1_0, ANSWER(INT("UniqueIdentifier", "7")), ERR_TYPE, "expected TextString, got Integer"},
    {"attributes of 1.1", OP(GET_ATTRIBUTES), V1_0, ANSWER(UID ATTR("Fresh", BOOL("AttributeValue", "true")) ATTR("State", ENUM("AttributeValue", "Active"))), OK, ANSWER(UID ATTR("State", ENUM("AttributeValue", "Active")))},
    {"and in 1.1", OP(GET_ATTRIBUTES), V1_1, ANSWER(UID ATTR("Fresh", BOOL("AttributeValue", "true"))), OK, ANSWER(UID ATTR("Fresh", BOOL("AttributeValue", "true")))},
    {"an attribute's value of 1.2", OP(GET_ATTRIBUTES), V1_1, ANSWER(UID ATTR("Link", IN("AttributeValue", ENUM("LinkType", "ParentLink") TEXT("LinkedObjectIdentifier", "1")))), OK, ANSWER(UID)},
    {"its twin", OP(GET_ATTRIBUTES), V1_2, ANSWER(UID ATTR("Link", IN("AttributeValue", TEXT("LinkedObjectIdentifier", "1") ENUM("LinkType", "ParentLink")))), OK, ANSWER(UID ATTR("Link", IN("AttributeValue", ENUM("LinkType", "ParentLink") TEXT("LinkedObjectIdentifier", "1"))))},
    {"an attribute's part of 1.1", OP(GET_ATTRIBUTES), V1_0, ANSWER(UID ATTR("Digest", IN("AttributeValue", ENUM("HashingAlgorithm", "SHA_256") HEX("DigestValue", "00") ENUM("KeyFormatType", "Raw")))), OK, ANSWER(UID ATTR("Digest", IN("AttributeValue", ENUM("HashingAlgorithm", "SHA_256") HEX("DigestValue", "00"))))},
    {"custom", OP(GET_ATTRIBUTES), V1_0, ANSWER(UID ATTR("x-a", VALUE_TEXT)), OK, ANSWER(UID ATTR("x-a", VALUE_TEXT))},
    {"bits of 2.0", OP(GET_ATTRIBUTES), V1_4, ANSWER(UID ATTR("Cryptographic Usage Mask", INT("AttributeValue", "0x00100004"))), OK, ANSWER(UID ATTR("Cryptographic Usage Mask", INT("AttributeValue", "Encrypt")))},
    {"attributes of 2.1", OP(GET_ATTRIBUTES), V2_0, ANSWER(UID IN("Attributes", BOOL("RotateAutomatic", "true") BOOL("Fresh", "true"))), OK, ANSWER(UID IN("Attributes", BOOL("Fresh", "true")))},
    {"both forms, 1.x", OP(GET_ATTRIBUTES), V1_4, ANSWER(IN("Attributes", BOOL("Fresh", "true")) ATTR("Fresh", BOOL("AttributeValue", "true")) UID), OK, ANSWER(UID ATTR("Fresh", BOOL("AttributeValue", "true")))},
    {"both forms, 2.x", OP(GET_ATTRIBUTES), V2_0, ANSWER(IN("Attributes", BOOL("Fresh", "true")) ATTR("Fresh", BOOL("AttributeValue", "true")) UID), OK, ANSWER(UID IN("Attributes", BOOL("Fresh", "true")))},
    {"a required value of 1.3", OP(GET), V1_2, ANSWER(UID ENUM("ObjectType", "PrivateKey") IN("PrivateKey", IN("KeyBlock", ENUM("KeyFormatType", "TransparentECPrivateKey") IN("KeyValue", IN("KeyMaterial", ENUM("RecommendedCurve", "P_256") BIG("D", "0000000000000001")))))), ERR_VALUE, "what it needs is not in KMIP 1.2"},
    {"a wrapped key", OP(GET), V1_4, ANSWER(ENUM("ObjectType", "SymmetricKey") UID KEY_BLOCK("TransparentSymmetricKey", HEX("KeyMaterial", "00"), WRAPPING)), OK, ANSWER(ENUM("ObjectType", "SymmetricKey") UID KEY_BLOCK("TransparentSymmetricKey", HEX("KeyMaterial", "00"), WRAPPING))},
    {"no such operation", OP(PING), V2_0, ANSWER(), ERR_OPERATION, "no such operation"},
};

static const struct {
	const char *name;
	enum version v;
	const char *xml;
	enum err want;
} value_cases[] = {
    {"an object", V1_0, KEY_BLOCK("Raw", HEX("KeyMaterial", "00"), ""), OK},
    {"an object of 2.0", V2_0, IN("CertificateRequest", ENUM("CertificateRequestType", "PEM") HEX("CertificateRequestValue", "00")), OK},
    {"not in 1.4", V1_4, IN("CertificateRequest", ENUM("CertificateRequestType", "PEM") HEX("CertificateRequestValue", "00")), ERR_UNEXPECTED},
    {"no object", V1_0, IN("KeyBlock", ENUM("KeyFormatType", "Raw")), ERR_UNEXPECTED},
    {"half an object", V1_0, IN("SymmetricKey", ""), ERR_MISSING},
    {"an attribute", V1_0, INT("CryptographicLength", "128"), OK},
    {"its type", V1_0, TEXT("CryptographicLength", "128"), ERR_TYPE},
    {"not yet one", V1_0, BOOL("Fresh", "true"), ERR_UNEXPECTED},
    {"no attribute", V1_0, INT("MaximumItems", "128"), ERR_UNEXPECTED},
    {"a structure", V1_0, IN("Name", TEXT("NameValue", "a") ENUM("NameType", "URI")), OK},
    {"half of it", V1_0, IN("Name", TEXT("NameValue", "a")), ERR_MISSING},
};
/* clang-format on */

static struct item *
parse(struct arena *a, const char *name, const char *xml)
{
	struct item *item;
	enum err rc = xml_parse(a, bytes_of_text(xml), &item);

	if (rc != OK)
		fail_msg("%s: the case is no XML: %s", name, err_name(rc));
	return item;
}

static void
assert_answer(const char *name, enum err want, enum err got, const char *in,
    const struct fault *f)
{
	if (got != want)
		fail_msg("%s: expected %s, got %s (%s)", name, err_name(want),
		    err_name(got), f->text);
	if (want != OK && strstr(f->text, in) == NULL)
		fail_msg("%s: expected \"%s\", got \"%s\"", name, in, f->text);
}

static void
payloads_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(payload_cases); i++) {
		const struct payload_case *k = &payload_cases[i];
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct fault f = {""};

		assert_answer(k->name, k->want,
		    schema_check_payload(
			parse(a, k->name, k->xml), k->operation, k->v, &f),
		    k->fault, &f);
		arena_free(a);
	}
}

static void
requests_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(request_cases); i++) {
		const char *name = request_cases[i].name;
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct fault f = {""};

		assert_answer(name, request_cases[i].want,
		    schema_check_request(parse(a, name, request_cases[i].xml),
			request_cases[i].v, &f),
		    request_cases[i].fault, &f);
		arena_free(a);
	}
}

static void
objects_and_attributes_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(value_cases); i++) {
		const char *name = value_cases[i].name;
		bool is_object = strstr(name, "object") != NULL ||
				 strcmp(name, "not in 1.4") == 0;
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct item *item = parse(a, name, value_cases[i].xml);
		struct fault f = {""};

		assert_answer(name, value_cases[i].want,
		    is_object
			? schema_check_object(item, value_cases[i].v, &f)
			: schema_check_attribute(item, value_cases[i].v, &f),
		    "", &f);
		/* nobody need want to know */
		assert_int_equal(value_cases[i].want,
		    is_object
			? schema_check_object(item, value_cases[i].v, NULL)
			: schema_check_attribute(item, value_cases[i].v, NULL));
		arena_free(a);
	}
}

static void
answers_are_shaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shape_cases); i++) {
		const char *name = shape_cases[i].name;
		const char *shaped = shape_cases[i].shaped;
		struct arena *a = testing_arena(ARENA_OCTETS);
		struct item *item = parse(a, name, shape_cases[i].xml);
		struct fault f = {""};

		assert_answer(name, shape_cases[i].want,
		    schema_shape_payload(
			item, shape_cases[i].operation, shape_cases[i].v, &f),
		    shaped, &f);
		if (shape_cases[i].want == OK) {
			if (!item_equal(item, parse(a, name, shaped)))
				fail_msg("%s: shaped otherwise", name);
			assert_answer(name, OK,
			    schema_check_payload(item, shape_cases[i].operation,
				shape_cases[i].v, &f),
			    "", &f);
			/* item_append goes on where the children end */
			item_append(item, parse(a, name, UID));
			assert_ptr_equal(item->last->next, NULL);
		}
		arena_free(a);
	}
}

/* From a message down to its payloads, by the operation beside them. */
static void
a_whole_answer_is_shaped(void **state)
{
	static const char built[] = IN("ResponseMessage",
	    IN("BatchItem",
		ANSWER(INT("LocatedItems", "1") UID) ENUM("ResultStatus",
		    "Success") ENUM("Operation", "Locate")) IN("ResponseHeader",
		ONE DATE("TimeStamp") TEXT("ServerCorrelationValue", "a")
		    VERSION("2")));
	static const char want[] = IN("ResponseMessage",
	    IN("ResponseHeader", VERSION("2") DATE("TimeStamp") ONE)
		IN("BatchItem", ENUM("Operation", "Locate") ENUM(
				    "ResultStatus", "Success") ANSWER(UID)));
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *item = parse(a, "built", built);
	struct fault f = {""};

	(void)state;
	assert_answer(
	    "whole", OK, schema_shape_response(item, V1_2, &f), "", &f);
	assert_true(item_equal(item, parse(a, "want", want)));
	assert_answer(
	    "again", OK, schema_shape_response(item, V1_2, &f), "", &f);
	assert_true(item_equal(item, parse(a, "want", want)));
	assert_answer("a payload", ERR_UNEXPECTED,
	    schema_shape_response(parse(a, "", ANSWER()), V1_2, &f),
	    "expected a response", &f);
	arena_free(a);
}

static const unsigned tag_count = 0
#define TAG(symbol, value, name, xml_name, since, until) +1
#include "wire/schema.def"
    ;

static void
names_find_their_numbers(void **state)
{
	unsigned count = 0;
	uint32_t tag;

	(void)state;
	for (uint32_t t = 0x410000; t < 0x550000; t++) {
		const char *name = schema_tag_name(t);

		if (name == NULL) {
			assert_null(schema_tag_xml_name(t));
			assert_false(schema_tag_in(t, V2_1));
			continue;
		}
		count++;
		assert_true(schema_tag_find(bytes_of_text(name), &tag));
		assert_int_equal(tag, t);
		assert_true(schema_tag_find(
		    bytes_of_text(schema_tag_xml_name(t)), &tag));
		assert_int_equal(tag, t);
	}
	assert_int_equal(count, tag_count);
	assert_false(schema_tag_find(bytes_of_text("No Such Tag"), &tag));
	assert_false(schema_tag_find(bytes_of_text(""), &tag));
	assert_true(schema_tag_in(TAG_TEMPLATE, V1_4));
	assert_false(schema_tag_in(TAG_TEMPLATE, V2_0));
	assert_false(schema_tag_in(TAG_ATTRIBUTES, V1_4));
	assert_true(schema_tag_in(TAG_ATTRIBUTES, V2_0));
}

static void
value_names_find_their_numbers(void **state)
{
	static const struct {
		enum tag tag; /* of the rows that follow */
		uint32_t value;
		const char *name;
		const char *xml_name;
	} rows[] = {
#define ENUMERATION(symbol, c_name, tag, name) {tag, 0, NULL, NULL},
#define ENUMERATION_END
#define VALUE(enumeration, symbol, value, name, xml_name, since, until) \
	{0, value, name, xml_name},
#include "wire/schema.def"
	};
	enum tag tag = 0;
	uint32_t value;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].name == NULL) {
			tag = rows[i].tag;
			continue;
		}
		/* bisected */
		if (rows[i - 1].name != NULL)
			assert_true(rows[i - 1].value < rows[i].value);
		assert_string_equal(
		    schema_value_name(tag, rows[i].value), rows[i].name);
		assert_string_equal(schema_value_xml_name(tag, rows[i].value),
		    rows[i].xml_name);
		assert_true(schema_value_find(
		    tag, bytes_of_text(rows[i].name), &value));
		assert_int_equal(value, rows[i].value);
		assert_true(schema_value_find(
		    tag, bytes_of_text(rows[i].xml_name), &value));
		assert_int_equal(value, rows[i].value);
		assert_null(schema_value_name(tag, 0x80000001));
	}
	assert_false(schema_value_find(
	    TAG_STATE, bytes_of_text("No Such State"), &value));
	assert_false(schema_has_values(TAG_OPAQUE_DATA_TYPE));
	assert_true(schema_has_values(TAG_MASK_GENERATOR_HASHING_ALGORITHM));
	/* second spellings are read, never written */
	assert_true(schema_value_find(
	    TAG_RESULT_REASON, bytes_of_text("NotAuthorized"), &value));
	assert_string_equal(
	    schema_value_xml_name(TAG_RESULT_REASON, value), "NotAuthorised");
	/* references to attributes are their tags */
	assert_true(schema_value_find(
	    TAG_ATTRIBUTE_REFERENCE, bytes_of_text("Fresh"), &value));
	assert_int_equal(value, TAG_FRESH);
	assert_true(schema_value_in(TAG_ATTRIBUTE_REFERENCE, TAG_FRESH, V2_0));
	assert_false(schema_value_in(TAG_ATTRIBUTE_REFERENCE, 1, V2_0));
}

static void
versions_have_their_values(void **state)
{
	(void)state;
	assert_true(schema_value_in(TAG_OPERATION, OPERATION_QUERY, V1_0));
	assert_false(schema_value_in(TAG_OPERATION, OPERATION_PING, V2_0));
	assert_true(schema_value_in(TAG_OPERATION, OPERATION_PING, V2_1));
	assert_true(
	    schema_value_in(TAG_OBJECT_TYPE, OBJECT_TYPE_TEMPLATE, V1_4));
	assert_false(
	    schema_value_in(TAG_OBJECT_TYPE, OBJECT_TYPE_TEMPLATE, V2_0));
	assert_false(schema_value_in(TAG_OBJECT_TYPE, 0, V1_4));
	assert_true(schema_is_mask(TAG_CRYPTOGRAPHIC_USAGE_MASK));
	assert_false(schema_is_mask(TAG_CRYPTOGRAPHIC_LENGTH));
	assert_true(schema_is_secret(TAG_KEY_MATERIAL));
	assert_false(schema_is_secret(TAG_KEY_BLOCK));
}

/* A structure's rows for one version never compete for an item. */
static void
rows_do_not_compete(void **state)
{
	static const struct {
		const char *structure;
		const char *tag;
		unsigned least;
		unsigned most;
		enum version since;
		enum version until;
	} rows[] = {
#define STRUCTURE(tag) {#tag, "", 0, 1, V1_0, V_LAST},
#define BODY(symbol)   {#symbol, "", 0, 1, V1_0, V_LAST},
#define FIELD(tag, types, least, most, since, until) \
	{NULL, #tag, least, most, since, until},
#define FIELD_OF(tag, types, least, most, since, until, inside) \
	{NULL, #tag, least, most, since, until},
#define STRUCTURE_END
#define MANY 0
#include "wire/schema.def"
#undef MANY
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(rows[i].since <= rows[i].until);
		assert_true(rows[i].least <= 1 && rows[i].most <= 1);
		if (rows[i].structure != NULL)
			continue;
		for (size_t k = i + 1;
		     k < COUNT(rows) && rows[k].structure == NULL; k++)
			if (strcmp(rows[i].tag, rows[k].tag) == 0 &&
			    rows[i].until >= rows[k].since &&
			    rows[k].until >= rows[i].since)
				fail_msg(
				    "%s twice in one version", rows[i].tag);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(payloads_are_checked),
	    cmocka_unit_test(requests_are_checked),
	    cmocka_unit_test(objects_and_attributes_are_checked),
	    cmocka_unit_test(answers_are_shaped),
	    cmocka_unit_test(a_whole_answer_is_shaped),
	    cmocka_unit_test(names_find_their_numbers),
	    cmocka_unit_test(value_names_find_their_numbers),
	    cmocka_unit_test(versions_have_their_values),
	    cmocka_unit_test(rows_do_not_compete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
