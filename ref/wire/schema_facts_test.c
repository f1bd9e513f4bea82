/*
 * schema.def and the facts in spec-tests/facts/kmip say the same, both ways:
 * every row of the specifications' tables is in schema.def, in its order, and
 * schema.def has nothing else. Where a table is prose, contradicts the text
 * around it or is contradicted by the test cases, a correction below says what
 * was taken, and why; one that is not needed fails, too.
 */
#include "wire/testing.h"

#include <ctype.h>
#include <stdint.h>

#include "wire/schema_types.h"

static const char facts[] = "spec-tests/facts/kmip/";

enum { SYMBOL_ROOM = 96, COLUMN_ROOM = 8, TABLE_ROWS = 2600 };

/* ------------------------------------------------------------------------
 * schema.def, as data.
 */

static struct tag_row {
	const char *symbol;
	uint32_t value;
	const char *name;
	const char *xml_name;
	enum version since;
	enum version until;
	bool found;
} tags[] = {
#define TAG(symbol, value, name, xml_name, since, until) \
	{#symbol, value, name, xml_name, since, until, false},
#include "wire/schema.def"
};

static struct value_row {
	const char *enumeration; /* as the specification spells it */
	uint32_t value;
	const char *name;
	const char *xml_name;
	enum version since;
	enum version until;
	bool found;
} values[] = {
#define ENUMERATION(symbol, c_name, tag, name) {name, 0, NULL, NULL, 0, 0, 0},
#define ENUMERATION_END
#define VALUE(enumeration, symbol, value, name, xml_name, since, until) \
	{NULL, value, name, xml_name, since, until, false},
#include "wire/schema.def"
};

/* A row with a structure's name begins it. */
static const struct field_row {
	const char *structure;
	const char *tag;
	uint32_t types;
	unsigned least;
	unsigned most;
	enum version since;
	enum version until;
} fields[] = {
#define STRUCTURE(tag) {#tag, NULL, 0, 0, 0, 0, 0},
#define BODY(symbol)   {#symbol, NULL, 0, 0, 0, 0, 0},
#define FIELD(tag, types, least, most, since, until) \
	{NULL, #tag, types, least, most, since, until},
#define FIELD_OF(tag, types, least, most, since, until, inside) \
	{NULL, #tag, types, least, most, since, until},
#define STRUCTURE_END
#include "wire/schema.def"
};

static const struct attribute_row {
	uint32_t tag;
	const char *symbol;
	uint32_t types;
	enum version since;
	enum version until;
} attributes[] = {
#define ATTRIBUTE(tag, types, since, until) \
	{TAG_##tag, #tag, types, since, until},
#include "wire/schema.def"
};

/* ------------------------------------------------------------------------
 * What the tables do not say in so many words.
 */

/* How a table calls a field that schema.def calls otherwise. */
static struct {
	const char *printed;
	const char *tag;
	unsigned count;
} field_names[] = {
    {"Timestamp", "TIME_STAMP", 0},
    {"Alternative failover endpoints", "ALTERNATE_FAILOVER_ENDPOINTS", 0},
    {"Vendor-Specific", "ANY_ITEM", 0},
    {"Any attribute in", "ANY_ATTRIBUTE", 0},
    {"Any Object", "ANY_OBJECT", 0},
    {"All Objects", "ANY_OBJECT", 0},
    {"Certificate, Symmetric Key", "ANY_OBJECT", 0},
    {"Object Type | ObjectTypes", "OBJECT_TYPE", 0},
};

/* Which structure a table is of, where its first row is of several. */
static struct {
	const char *title; /* how it begins */
	const char *structure;
	unsigned count;
} titles[] = {
    {"Credential Value Structure for the Username",
	"USERNAME_AND_PASSWORD_CREDENTIAL", 0},
    {"Credential Value Structure for the Device", "DEVICE_CREDENTIAL", 0},
    {"Credential Value Structure for the Attestation", "ATTESTATION_CREDENTIAL",
	0},
    {"Credential Value Structure for the One Time",
	"ONE_TIME_PASSWORD_CREDENTIAL", 0},
    {"Credential Value Structure for the Hashed", "HASHED_PASSWORD_CREDENTIAL",
	0},
    {"Credential Value Structure for the Ticket", "TICKET_CREDENTIAL", 0},
    {"Template-Attribute Object Structure", "TEMPLATE_ATTRIBUTE", 0},
    {"Common Attributes Definition", "ATTRIBUTES", 0},
    {"Private Key Attributes Definition", "ATTRIBUTES", 0},
    {"Public Key Attributes Definition", "ATTRIBUTES", 0},
};

/* Tables that are not what a structure holds, and why. */
static struct {
	const char *title;
	const char *why;
	unsigned count;
} no_structures[] = {
    {"Derivation Parameters Structure (Except PBKDF2)",
	"one structure with the other Derivation Parameters", 0},
    {"Certificate Attributes", "a list of attributes", 0},
    {"Interop Function Structure", "the fields of the payload", 0},
    {"PKCS#11 Function Structure", "an item that is an enumeration", 0},
    {"PKCS#11 Input Parameters Structure", "an item that is octets", 0},
    {"PKCS#11 Interface Structure", "an item that is a text", 0},
    {"PKCS#11 Output Parameters Structure", "an item that is octets", 0},
    {"PKCS#11 Return Code Structure", "an item that is an enumeration", 0},
    {"Unique Identifier Attribute", "two attributes", 0},
};

/* Structures that no table prints. */
static struct {
	const char *structure;
	const char *why;
	unsigned count;
} unprinted[] = {
    {"NOTIFY_ATTRIBUTE", "Attribute without its value: kmip-1.4 2.1.1", 0},
    {"RANDOM_NUMBER_GENERATOR", "RNG Parameters by another name: 3.46", 0},
    {"PROTECTION_STORAGE_MASKS", "fields only in prose: kmip-2.1 7.33", 0},
    {"COMMON_PROTECTION_STORAGE_MASKS", "likewise", 0},
    {"PRIVATE_PROTECTION_STORAGE_MASKS", "likewise", 0},
    {"PUBLIC_PROTECTION_STORAGE_MASKS", "likewise", 0},
    {"SERVER_INFORMATION", "up to 1.4, whatever the vendor puts there", 0},
    {"POLL_RESPONSE", "what the operation polled for answers", 0},
};

/* Rows of payloads.tsv that stand under a wrong operation. */
static struct {
	const char *version;
	const char *section;
	const char *printed;
	const char *operation;
	unsigned count;
} misnamed[] = {
    {"1.2", "4.37", "MAC", "HASH", 0},
    {"1.4", "4.41", "Export", "IMPORT", 0},
    {"2.1", "6.1.41", "PKCS#11", "QUERY_ASYNCHRONOUS_REQUESTS", 0},
    {"2.1", "6.1.41", "Query Asynchronous", "QUERY_ASYNCHRONOUS_REQUESTS", 0},
};

/* A field that differs from its printed row. */
static struct {
	const char *structure;
	const char *tag;
	enum { LEAST, MOST, TYPE, SURPLUS } what;
	const char *why;
	unsigned count;
} corrections[] = {
    {"USAGE_LIMITS", "USAGE_LIMITS_COUNT", LEAST,
	"the server sets it first: kmip-1.4 3.21, and the test cases", 0},
    {"DERIVATION_PARAMETERS", "SALT", LEAST,
	"only of PBKDF2, which 1.x prints as a table of its own", 0},
    {"DERIVATION_PARAMETERS", "ITERATION_COUNT", LEAST, "likewise", 0},
    {"SIGNATURE_VERIFY_RESPONSE", "VALIDITY_INDICATOR", LEAST,
	"not before the last part of several: kmip-1.4 4.32, test cases", 0},
    {"MAC_VERIFY_RESPONSE", "VALIDITY_INDICATOR", LEAST, "likewise", 0},
    {"QUERY_RESPONSE", "PROTECTION_STORAGE_MASKS", LEAST,
	"what was not asked for is not there: the test cases", 0},
    {"SET_CONSTRAINTS_REQUEST", "CONSTRAINTS", LEAST,
	"without them, there are none from then on: TC-MD-24-21", 0},
    {"CHECK_RESPONSE", "UNIQUE_IDENTIFIER", LEAST,
	"a refusal has what led to it instead: kmip-1.4 4.10", 0},
    {"VALIDATION_INFORMATION", "VALIDATION_PROFILE", MOST,
	"its encoding column says that it may be repeated", 0},
    {"X_509_CERTIFICATE_ISSUER", "ISSUER_ALTERNATIVE_NAME", MOST,
	"likewise, in 2.x", 0},
    {"X_509_CERTIFICATE_SUBJECT", "SUBJECT_ALTERNATIVE_NAME", MOST,
	"likewise, in 2.x", 0},
    {"ATTRIBUTES", "ANY_ATTRIBUTE", MOST, "likewise", 0},
    {"DEFAULTS_INFORMATION", "OBJECT_DEFAULTS", MOST, "likewise", 0},
    {"KEY_WRAPPING_SPECIFICATION", "ATTRIBUTE_NAME", MOST, "likewise, in 2.x",
	0},
    {"SERVER_INFORMATION", "ALTERNATE_FAILOVER_ENDPOINTS", MOST, "likewise", 0},
    {"SERVER_INFORMATION", "ANY_ITEM", MOST, "likewise", 0},
    {"REQUEST_MESSAGE", "BATCH_ITEM", MOST, "likewise, in 2.x", 0},
    {"RESPONSE_MESSAGE", "BATCH_ITEM", MOST, "likewise, in 2.x", 0},
    {"ASYNCHRONOUS_CORRELATION_VALUES", "ASYNCHRONOUS_CORRELATION_VALUE", MOST,
	"zero or more: kmip-2.1 6.1.41", 0},
    {"OBJECT_DEFAULTS", "OBJECT_TYPE", TYPE,
	"one row for Object Type or Object Types", 0},
    {"OBJECT_DEFAULTS", "OBJECT_TYPE", LEAST, "likewise", 0},
    {"OBJECT_DEFAULTS", "OBJECT_TYPES", SURPLUS, "likewise", 0},
};

/* ------------------------------------------------------------------------
 * Files of tab-separated rows.
 */

struct table {
	struct buf text;
	char *cell[TABLE_ROWS][COLUMN_ROOM];
	size_t row_count;
};

static struct table table;

/* Read into `table`; a row's cells that are not there are empty. */
static void
table_read(const char *name)
{
	char path[256];
	char *save = NULL;
	char *row;

	(void)snprintf(path, sizeof(path), "%s%s", facts, name);
	testing_read(path, &table.text);
	table.row_count = 0;
	(void)strtok_r((char *)table.text.at, "\n", &save); /* the header */
	while ((row = strtok_r(NULL, "\n", &save)) != NULL) {
		char **cell = table.cell[table.row_count++];

		assert_true(table.row_count < TABLE_ROWS);
		for (size_t i = 0; i < COLUMN_ROOM; i++) {
			cell[i] = row;
			row += strcspn(row, "\t");
			if (*row == '\t')
				*row++ = '\0';
		}
	}
}

static void
table_clear(void)
{
	buf_clear(&table.text);
}

/* How many rows differ; all are printed before the test fails. */
static unsigned wrong;

#define WRONG(...)                        \
	do {                              \
		wrong++;                  \
		print_error(__VA_ARGS__); \
		print_error("\n");        \
	} while (0)

static enum version
version_of(const char *text)
{
	return (enum version)((text[0] - '0') << 8 | (text[2] - '0'));
}

/* First and last version of a row; later ones are not ours. */
static bool
is_ours(const char *since)
{
	return version_of(since) <= V_LAST;
}

static enum version
until_of(const char *text)
{
	enum version v = text[0] == '\0' ? V_LAST : version_of(text);

	return v > V_LAST ? V_LAST : v;
}

/* "Re-key Key Pair" to "RE_KEY_KEY_PAIR" */
static void
symbol_of(const char *name, char *out)
{
	size_t at = 0;

	for (; *name != '\0' && at < SYMBOL_ROOM - 1; name++) {
		if (isalnum((unsigned char)*name))
			out[at++] = (char)toupper((unsigned char)*name);
		else if (at != 0 && out[at - 1] != '_')
			out[at++] = '_';
	}
	while (at != 0 && out[at - 1] == '_')
		at--;
	out[at] = '\0';
}

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool
has_range(const char *what, const char *name, enum version since,
    enum version until, char **cell)
{
	if (since == version_of(cell[0]) && until == until_of(cell[1]))
		return true;
	WRONG("%s %s: %x to %x, the facts say %s to %s", what, name, since,
	    until, cell[0], cell[1]);
	return false;
}

/* ------------------------------------------------------------------------
 * Tags and values.
 */

/* A name as printed, or as one of the spellings in the notes. */
static bool
is_name(const char *name, const char *printed, const char *notes)
{
	return strcmp(name, printed) == 0 || strstr(notes, name) != NULL;
}

static void
tags_agree(void **state)
{
	(void)state;
	wrong = 0;
	table_read("tags.tsv");
	for (size_t i = 0; i < table.row_count; i++) {
		char **cell = table.cell[i];
		uint32_t value = (uint32_t)strtoul(cell[0], NULL, 16);
		struct tag_row *row = NULL;

		if (!is_ours(cell[3]))
			continue;
		for (size_t t = 0; t < COUNT(tags); t++)
			if (tags[t].value == value)
				row = &tags[t];
		if (row == NULL) {
			WRONG("no tag %s, %s", cell[0], cell[1]);
			continue;
		}
		row->found = true;
		if (!is_name(row->name, cell[1], cell[5]) ||
		    strcmp(row->xml_name, cell[6]) != 0)
			WRONG("tag %s: \"%s\", %s, the facts say \"%s\", %s",
			    cell[0], row->name, row->xml_name, cell[1],
			    cell[6]);
		(void)has_range(
		    "tag", row->name, row->since, row->until, &cell[3]);
	}
	table_clear();
	for (size_t t = 0; t < COUNT(tags); t++)
		if (!tags[t].found)
			WRONG("tag %s is no fact", tags[t].name);
	assert_int_equal(wrong, 0);
}

static struct value_row *
value_find(const char *enumeration, uint32_t value)
{
	bool inside = false;

	for (size_t i = 0; i < COUNT(values); i++) {
		if (values[i].enumeration != NULL)
			inside =
			    strcmp(values[i].enumeration, enumeration) == 0;
		else if (inside && values[i].value == value)
			return &values[i];
	}
	return NULL;
}

/*
 * Enumeration, value, name, since, until, notes, XML name; `until` of Content
 * Commitment: the 2.0 test cases still use it.
 */
static void
value_agrees(const char *enumeration, const char *hex, const char *name,
    char **range, const char *notes, const char *xml_name)
{
	struct value_row *row =
	    value_find(enumeration, (uint32_t)strtoul(hex, NULL, 16));
	bool is_commitment =
	    strcmp(enumeration, "Cryptographic Usage Mask") == 0 &&
	    strcmp(hex, "00000400") == 0;

	if (row == NULL) {
		WRONG("%s has no %s, %s", enumeration, hex, name);
		return;
	}
	row->found = true;
	if (strcmp(row->xml_name, xml_name) != 0 ||
	    (!is_name(row->name, name, notes) && !starts(name, row->name)))
		WRONG("%s %s: \"%s\", %s, the facts say \"%s\", %s",
		    enumeration, hex, row->name, row->xml_name, name, xml_name);
	if (is_commitment)
		assert_int_equal(row->until, V_LAST);
	else
		(void)has_range(
		    enumeration, row->name, row->since, row->until, range);
}

static void
values_agree(void **state)
{
	bool is_foreign = false;

	(void)state;
	wrong = 0;
	table_read("enums.tsv");
	for (size_t i = 0; i < table.row_count; i++) {
		char **cell = table.cell[i];

		if (is_ours(cell[3]))
			value_agrees(cell[0], cell[1], cell[2], &cell[3],
			    cell[5], cell[6]);
	}
	table_clear();
	table_read("operations.tsv");
	for (size_t i = 0; i < table.row_count; i++) {
		char **cell = table.cell[i];

		if (is_ours(cell[2]))
			value_agrees("Operation", cell[0], cell[1], &cell[2],
			    "", cell[5]);
	}
	table_clear();
	for (size_t i = 0; i < COUNT(values); i++) {
		if (values[i].enumeration != NULL)
			/* those two are numbered by PKCS#11 */
			is_foreign = starts(values[i].enumeration, "PKCS#11 ");
		else if (!values[i].found && !is_foreign)
			WRONG("value %s is no fact", values[i].name);
	}
	assert_int_equal(wrong, 0);
}

/* ------------------------------------------------------------------------
 * Attributes.
 */

static bool
is_in(enum version since, enum version until, enum version v)
{
	return since <= v && v <= until;
}

/* Certificate Subject CN ... stand in one row, from 2.0; 1.4 has their tags,
 * and its test cases use them. */
static bool
is_certificate_attribute(uint32_t tag)
{
	return tag >= TAG_CERTIFICATE_SUBJECT_CN &&
	       tag <= TAG_CERTIFICATE_ISSUER_DN_QUALIFIER;
}

/* Is the attribute in attributes.tsv for that version? */
static bool
is_attribute_fact(const char *symbol, enum version v)
{
	char printed[SYMBOL_ROOM];

	for (size_t i = 0; i < table.row_count; i++) {
		symbol_of(table.cell[i][0], printed);
		if (strcmp(printed, symbol) == 0 &&
		    version_of(table.cell[i][1]) == v)
			return true;
	}
	return false;
}

static bool
is_attribute(const char *symbol, enum version v)
{
	for (size_t i = 0; i < COUNT(attributes); i++)
		if (strcmp(attributes[i].symbol, symbol) == 0 &&
		    is_in(attributes[i].since, attributes[i].until, v))
			return true;
	return false;
}

static void
attributes_agree(void **state)
{
	char symbol[SYMBOL_ROOM];

	(void)state;
	wrong = 0;
	table_read("attributes.tsv");
	for (size_t i = 0; i < table.row_count; i++) {
		enum version v = version_of(table.cell[i][1]);

		symbol_of(table.cell[i][0], symbol);
		if (strcmp(symbol, "CUSTOM_ATTRIBUTE") == 0)
			continue; /* any name that begins with x- or y- */
		if (strcmp(symbol, "CERTIFICATE_ATTRIBUTES") == 0)
			strcpy(symbol, "CERTIFICATE_SUBJECT_CN");
		if (!is_attribute(symbol, v))
			WRONG("%s is no attribute of %x", symbol, v);
	}
	for (size_t i = 0; i < COUNT(attributes); i++) {
		const struct attribute_row *row = &attributes[i];

		if (i != 0 && row[-1].tag >= row->tag)
			WRONG("attribute %s is out of order", row->symbol);
		/* Attribute: the vendors' own, from 2.0 */
		if (row->tag == TAG_ATTRIBUTE ||
		    is_certificate_attribute(row->tag))
			continue;
		for (size_t n = 0; n < VERSION_COUNT; n++)
			if (is_in(row->since, row->until, schema_versions[n]) &&
			    !is_attribute_fact(row->symbol, schema_versions[n]))
				WRONG("%s: no fact for %x", row->symbol,
				    schema_versions[n]);
	}
	table_clear();
	assert_int_equal(wrong, 0);
}

/* ------------------------------------------------------------------------
 * Structures and payloads.
 */

/* A printed table: its rows as fields. */
struct printed {
	const char *what; /* for the report */
	enum version v;
	size_t count;
	struct {
		char tag[SYMBOL_ROOM];
		uint32_t types; /* 0: not said */
		unsigned least;
		unsigned most;
	} field[64];
};

static bool covered[COUNT(fields)][VERSION_COUNT];

static uint32_t
types_of(const char *encoding)
{
	static const struct {
		const char *name;
		uint32_t types;
	} names[] = {
	    {"Structure", STRUCT},
	    {"Integer", INT},
	    {"LongInteger", LONG},
	    {"BigInteger", BIG},
	    {"Enumeration", ENUM},
	    {"Boolean", BOOL},
	    {"TextString", TEXT},
	    {"ByteString", OCTETS},
	    {"DateTimeExtended", DATE_US},
	    {"DateTime", DATE},
	    {"Interval", SPAN},
	    {"Attribute Object", STRUCT},
	    {"Object Data Structure", STRUCT},
	    {"RNG Parameters", STRUCT},
	};
	uint32_t types = 0;

	while (*encoding != '\0') {
		for (size_t i = 0; i < COUNT(names); i++) {
			if (starts(encoding, names[i].name)) {
				types |= names[i].types;
				break;
			}
		}
		encoding += strcspn(encoding, "|");
		encoding += *encoding == '|';
	}
	return types;
}

/* "No", "Yes, MAY be repeated", and prose around them. */
static unsigned
least_of(const char *required)
{
	static const char *const conditions[] = {" if ", "if the", "unless the",
	    "MAY be omitted", "except for HMAC", "/ No", "No for multi-part",
	    "depends"};

	if (starts(required, "No") || starts(required, "If and only"))
		return 0;
	for (size_t i = 0; i < COUNT(conditions); i++)
		if (strstr(required, conditions[i]) != NULL)
			return 0;
	return 1;
}

static unsigned
most_of(const char *text)
{
	return strcasestr(text, "repeated") != NULL ? MANY : 1;
}

static void
printed_tag(const char *name, char *out)
{
	char shortened[SYMBOL_ROOM];

	for (size_t i = 0; i < COUNT(field_names); i++) {
		if (starts(name, field_names[i].printed)) {
			field_names[i].count++;
			strcpy(out, field_names[i].tag);
			return;
		}
	}
	(void)snprintf(shortened, sizeof(shortened), "%.*s",
	    (int)strcspn(name, ",("), name);
	symbol_of(shortened, out);
}

static void
printed_add(struct printed *p, const char *name, const char *encoding,
    const char *required)
{
	char tag[SYMBOL_ROOM];

	printed_tag(name, tag);
	assert_true(p->count < COUNT(p->field));
	strcpy(p->field[p->count].tag, tag);
	p->field[p->count].types = types_of(encoding);
	p->field[p->count].least = least_of(required);
	p->field[p->count].most = most_of(required) == MANY ||
					  most_of(name) == MANY ||
					  most_of(encoding) == MANY
				      ? MANY
				      : 1;
	p->count++;
}

static size_t
structure_find(const char *symbol)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (fields[i].structure != NULL &&
		    strcmp(fields[i].structure, symbol) == 0)
			return i;
	return COUNT(fields);
}

static size_t
version_index(enum version v)
{
	size_t i = 0;

	while (schema_versions[i] != v)
		i++;
	return i;
}

static bool
is_corrected(const char *structure, const char *tag, int what)
{
	for (size_t i = 0; i < COUNT(corrections); i++) {
		if ((int)corrections[i].what == what &&
		    strcmp(corrections[i].structure, structure) == 0 &&
		    strcmp(corrections[i].tag, tag) == 0) {
			corrections[i].count++;
			return true;
		}
	}
	return false;
}

/* One row of ours beside one printed. */
static void
field_agrees(const struct printed *p, size_t at, const char *structure,
    const struct field_row *row)
{
	uint32_t types = row->types & TYPE_BITS;
	uint32_t printed = p->field[at].types;

	if (p->v >= V2_0)
		types |= row->types >> BIT_2_SHIFT;
	/* where ID and DATA may be more than a text or octets, some tables
	 * print all of it and some do not */
	if (printed != 0 && types != printed &&
	    !((row->types >> BIT_2_SHIFT) != 0 && (printed & ~types) == 0) &&
	    !is_corrected(structure, row->tag, TYPE))
		WRONG("%s %x %s: types %x, printed %x", structure, p->v,
		    row->tag, types, printed);
	if (row->least != p->field[at].least &&
	    !is_corrected(structure, row->tag, LEAST))
		WRONG("%s %x %s: at least %u, printed %u", structure, p->v,
		    row->tag, row->least, p->field[at].least);
	if (row->most != p->field[at].most &&
	    !is_corrected(structure, row->tag, MOST))
		WRONG("%s %x %s: at most %u, printed %u", structure, p->v,
		    row->tag, row->most, p->field[at].most);
}

/* `some`: the table may leave out rows that we have. */
static void
structure_agrees(const struct printed *p, const char *structure, bool some)
{
	size_t first = structure_find(structure);
	size_t at = 0;

	if (first == COUNT(fields)) {
		WRONG("no structure %s (%s)", structure, p->what);
		return;
	}
	covered[first][version_index(p->v)] = true;
	for (size_t i = first + 1;
	     i < COUNT(fields) && fields[i].structure == NULL; i++) {
		if (!is_in(fields[i].since, fields[i].until, p->v))
			continue;
		if (at < p->count &&
		    strcmp(fields[i].tag, p->field[at].tag) == 0) {
			field_agrees(p, at++, structure, &fields[i]);
			continue;
		}
		if (!some && !is_corrected(structure, fields[i].tag, SURPLUS)) {
			WRONG("%s %x: %s stands where %s is printed (%s)",
			    structure, p->v, fields[i].tag,
			    at < p->count ? p->field[at].tag : "nothing",
			    p->what);
			return;
		}
	}
	if (at < p->count)
		WRONG("%s %x: no %s (%s)", structure, p->v, p->field[at].tag,
		    p->what);
}

/* A table of one row: an attribute, or an item of a header. */
static void
single_agrees(const char *title, char **cell)
{
	enum version v = version_of(cell[0]);
	uint32_t types = types_of(cell[5]);
	char symbol[SYMBOL_ROOM];
	char name[SYMBOL_ROOM];
	size_t length = strlen(title);
	bool is_known = false;

	if (types == 0)
		return;
	/* some of these tables print another attribute's name */
	if (length > 10 && strcmp(title + length - 10, " Attribute") == 0)
		(void)snprintf(
		    name, sizeof(name), "%.*s", (int)length - 10, title);
	else
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(cell[4], ",("), cell[4]);
	symbol_of(name, symbol);
	if (strcmp(symbol, "SP800_57_KEY_TYPE") == 0)
		strcpy(symbol, "NIST_KEY_TYPE");
	for (size_t i = 0; i < COUNT(attributes); i++)
		is_known |=
		    strcmp(attributes[i].symbol, symbol) == 0 &&
		    is_in(attributes[i].since, attributes[i].until, v) &&
		    (attributes[i].types & types) != 0;
	for (size_t i = 0; i < COUNT(fields); i++)
		is_known |= fields[i].tag != NULL &&
			    strcmp(fields[i].tag, symbol) == 0 &&
			    is_in(fields[i].since, fields[i].until, v) &&
			    (fields[i].types & types) != 0;
	if (!is_known)
		WRONG("%s %x: no %s of that type", title, v, symbol);
}

static bool
is_no_structure(const char *title)
{
	for (size_t i = 0; i < COUNT(no_structures); i++) {
		if (strcmp(no_structures[i].title, title) == 0) {
			no_structures[i].count++;
			return true;
		}
	}
	return false;
}

static void
structure_symbol(const char *title, const char *first, char *out)
{
	static const char material[] = "Key Material Object Structure for ";

	for (size_t i = 0; i < COUNT(titles); i++) {
		if (starts(title, titles[i].title)) {
			titles[i].count++;
			strcpy(out, titles[i].structure);
			return;
		}
	}
	if (starts(title, material)) {
		/* "... for Transparent DSA Private Keys" */
		symbol_of(title + strlen(material), out);
		out[strlen(out) - 1] = '\0';
		return;
	}
	printed_tag(first, out);
}

/* Rows of one table: from `at` to before the answer. */
static size_t
structure_rows(size_t at)
{
	char **first = table.cell[at];
	const char *title = first[3][0] != '\0' ? first[3] : first[2];
	struct printed p = {.what = title, .v = version_of(first[0])};
	char symbol[SYMBOL_ROOM];
	size_t end = at;

	while (end < table.row_count &&
	       strcmp(table.cell[end][0], first[0]) == 0 &&
	       strcmp(table.cell[end][1], first[1]) == 0 &&
	       strcmp(table.cell[end][3], first[3]) == 0)
		end++;
	if (is_no_structure(title))
		return end;
	if (end - at == 1) {
		if (strcmp(first[4], "Protection Storage Masks") != 0)
			single_agrees(title, first);
		return end;
	}
	/* the first row is the structure itself */
	structure_symbol(title, first[4], symbol);
	for (size_t i = at + 1; i < end; i++)
		printed_add(
		    &p, table.cell[i][4], table.cell[i][5], table.cell[i][6]);
	structure_agrees(&p, symbol, false);
	return end;
}

/* The structure of a payload, a header or a batch item. */
static void
payload_symbol(char **cell, char *out)
{
	static const struct {
		const char *printed;
		const char *structure;
	} names[] = {
	    {"Request Header Structure", "REQUEST_HEADER"},
	    {"Response Header Structure", "RESPONSE_HEADER"},
	    {"Request Batch Item Structure", "REQUEST_BATCH_ITEM"},
	    {"Response Batch Item Structure", "RESPONSE_BATCH_ITEM"},
	    {"Notify Message Payload", "NOTIFY_REQUEST"},
	    {"Put Message Payload", "PUT_REQUEST"},
	};
	char operation[SYMBOL_ROOM];

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(cell[2], names[i].printed) == 0) {
			strcpy(out, names[i].structure);
			return;
		}
	}
	symbol_of(cell[2], operation);
	for (size_t i = 0; i < COUNT(misnamed); i++) {
		if (strcmp(cell[0], misnamed[i].version) == 0 &&
		    strcmp(cell[1], misnamed[i].section) == 0 &&
		    strcmp(cell[2], misnamed[i].printed) == 0) {
			misnamed[i].count++;
			strcpy(operation, misnamed[i].operation);
		}
	}
	(void)snprintf(out, SYMBOL_ROOM, "%.80s_%s", operation,
	    strcmp(cell[3], "response") == 0 ? "RESPONSE" : "REQUEST");
}

/* Sections of server-to-client operations: with fewer fields. */
static bool
is_to_client(const char *version, const char *section)
{
	return version[0] == '1' ? section[0] == '5' : starts(section, "6.2.");
}

static size_t
payload_rows(size_t at)
{
	char **first = table.cell[at];
	struct printed p = {.what = first[2], .v = version_of(first[0])};
	char symbol[SYMBOL_ROOM];
	char other[SYMBOL_ROOM];
	size_t end = at;

	payload_symbol(first, symbol);
	for (; end < table.row_count; end++) {
		char **cell = table.cell[end];

		payload_symbol(cell, other);
		if (strcmp(cell[0], first[0]) != 0 ||
		    strcmp(cell[1], first[1]) != 0 ||
		    strcmp(other, symbol) != 0)
			break;
		if (cell[4][0] == '\0')
			continue; /* an empty payload */
		/* headers and batch items begin with themselves */
		if (end == at && (strcmp(cell[4], "Batch Item") == 0 ||
				     strstr(cell[4], " Header") != NULL))
			continue;
		printed_add(&p, cell[4], "", cell[5]);
	}
	structure_agrees(&p, symbol, is_to_client(first[0], first[1]));
	return end;
}

static void
unprinted_structure(const char *structure, enum version v)
{
	for (size_t i = 0; i < COUNT(unprinted); i++) {
		if (strcmp(unprinted[i].structure, structure) == 0) {
			unprinted[i].count++;
			return;
		}
	}
	WRONG("%s is not printed in %x", structure, v);
}

/* Does the structure have a field in the version? */
static bool
is_used(size_t structure, enum version v)
{
	for (size_t i = structure + 1;
	     i < COUNT(fields) && fields[i].structure == NULL; i++)
		if (is_in(fields[i].since, fields[i].until, v))
			return true;
	return false;
}

/* Lists of exceptions: what is not needed is wrong. */
#define ALL_USED(list, key)                      \
	for (size_t i = 0; i < COUNT(list); i++) \
		if ((list)[i].count == 0)        \
	WRONG("not needed: %s in " #list, (list)[i].key)

static void
structures_and_payloads_agree(void **state)
{
	size_t at;

	(void)state;
	wrong = 0;
	table_read("structures.tsv");
	for (at = 0; at < table.row_count;)
		at = structure_rows(at);
	table_clear();
	table_read("payloads.tsv");
	for (at = 0; at < table.row_count;)
		at = payload_rows(at);
	table_clear();
	for (size_t i = 0; i < COUNT(fields); i++)
		for (size_t n = 0;
		     fields[i].structure != NULL && n < VERSION_COUNT; n++)
			if (is_used(i, schema_versions[n]) && !covered[i][n])
				unprinted_structure(
				    fields[i].structure, schema_versions[n]);
	ALL_USED(field_names, printed);
	ALL_USED(titles, title);
	ALL_USED(no_structures, title);
	ALL_USED(unprinted, structure);
	ALL_USED(misnamed, printed);
	ALL_USED(corrections, tag);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tags_agree),
	    cmocka_unit_test(values_agree),
	    cmocka_unit_test(attributes_agree),
	    cmocka_unit_test(structures_and_payloads_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
