/*
 * Attributes: what the specification says of each, and the two forms in which
 * they travel.
 *
 * 1.x  Attribute { Attribute Name, Attribute Index, Attribute Value }, alone
 *      in a payload or inside a Template-Attribute
 * 2.x  an item with the attribute's own tag inside an Attributes structure;
 *      vendor attributes are Attribute { Vendor Identification, Attribute
 *      Name, Attribute Value }
 *
 * In memory there is one form, struct attr; attr_read_* and attr_write_*
 * alone know the two, so a handler never asks for the version.
 *
 * A 1.x custom attribute "x-ID" and the 2.x vendor attribute ("x", "ID") are
 * the same attribute, "y-" likewise; a vendor other than x or y is "x-VENDOR-
 * NAME" to a 1.x client.
 *
 * attr.def has the rows: name, tag, and for each range of versions the
 * specification's own rule box. Checked against spec-tests/facts by a test.
 *
 * Source: KMIP 1.4 section 3, KMIP 2.1 section 4
 */
#ifndef MODEL_ATTR_H
#define MODEL_ATTR_H

#include "wire/item.h"

enum attr_rule {
	ATTR_ALWAYS = 1 << 0,          /* shall always have a value */
	ATTR_SET_BY_CLIENT = 1 << 1,   /* initially set by the client */
	ATTR_SET_BY_SERVER = 1 << 2,   /* initially set by the server */
	ATTR_MODIFY_SERVER = 1 << 3,   /* modifiable by the server */
	ATTR_MODIFY_CLIENT = 1 << 4,   /* modifiable by the client */
	ATTR_DELETE_CLIENT = 1 << 5,   /* deletable by the client */
	ATTR_MULTIPLE = 1 << 6,        /* multiple instances permitted */
	ATTR_ONLY_PRE_ACTIVE = 1 << 7, /* modifiable in Pre-Active only */
	ATTR_ONLY_WHILE_NONE = 1 << 8, /* modifiable only if it has no value */
	/* further conditions of a rule box: "as long as not yet passed" ... */
	ATTR_ONLY_FUTURE = 1 << 9,
};

struct attr_def {
	enum tag tag;     /* TAG_ATTRIBUTE for custom (vendor) attributes */
	const char *name; /* "Cryptographic Algorithm" */
	enum item_type type;
	bool indexed; /* Locate finds it without a scan */
};

/*
 * The attribute with this tag or this name, at that version; NULL when that
 * version has none. A name "x-..." or "y-..." answers the custom attribute.
 */
const struct attr_def *attr_def_of_tag(uint32_t tag, enum version v);
const struct attr_def *attr_def_of_name(struct bytes name, enum version v);

/* enum attr_rule flags at that version. */
unsigned attr_rules(const struct attr_def *def, enum version v);

/* Does an object of that type (enum object_type) have the attribute? */
bool
attr_applies(const struct attr_def *def, uint32_t object_type, enum version v);

/* One instance. */
struct attr {
	struct attr *next;
	const struct attr_def *def;
	int32_t index;       /* Attribute Index; kept when others are deleted */
	struct bytes vendor; /* custom only: "x" */
	struct bytes name;   /* custom only: "ID" */
	struct item
	    *value; /* its tag is def->tag; TAG_ATTRIBUTE_VALUE if custom */
};

struct attr_list {
	struct attr *first;
	struct attr *last;
};

#define ATTR_EACH(list, a) \
	for (struct attr *a = (list)->first; a != NULL; a = a->next)

/* The same attribute (and the same vendor and name), whatever the instance? */
bool attr_same_kind(const struct attr *a, const struct attr *b);

/* The first instance of the attribute with that tag; NULL when none. */
struct attr *attr_find(const struct attr_list *list, enum tag tag);

/* A number or the octets of a single-valued attribute. */
int64_t
attr_number(const struct attr_list *list, enum tag tag, int64_t fallback);
struct bytes attr_octets(const struct attr_list *list, enum tag tag);

/* Append; a new instance gets the next free index of its kind. Copies. */
enum err attr_add(struct arena *a, struct attr_list *list,
    const struct attr *from) MUST_CHECK;
enum err attr_add_number(struct arena *a, struct attr_list *list, enum tag tag,
    int64_t number) MUST_CHECK;
enum err attr_add_octets(struct arena *a, struct attr_list *list, enum tag tag,
    struct bytes octets) MUST_CHECK;
enum err attr_add_item(struct arena *a, struct attr_list *list,
    struct item *value) MUST_CHECK; /* tag of the item names the attribute */

/* Set the single value, adding it when there is none. */
enum err attr_set_number(struct arena *a, struct attr_list *list, enum tag tag,
    int64_t number) MUST_CHECK;

/* Take one instance out; the others keep their index. */
void attr_remove(struct attr_list *list, struct attr *one);

/*
 * Read every attribute in `holder`, appending to `list`, each value checked
 * against the schema of the version:
 *   - a Template-Attribute (1.x; also Common, Private Key, Public Key ...)
 *   - a payload or Key Value with Attribute children (1.x)
 *   - an Attributes structure (2.x; also Common Attributes ...), or Current
 *     Attribute / New Attribute
 * NULL as holder reads nothing. Values are borrowed from the message.
 *
 * ERR_ATTR_UNKNOWN  a name or tag that this version has no attribute for, the
 *               fault naming it
 * ERR_TYPE ...  from the schema
 * ERR_INDEX     an Attribute Index in a request that may not have one
 */
enum err attr_read_list(struct arena *a, const struct item *holder,
    enum version v, struct attr_list *list, struct fault *f) MUST_CHECK;

/*
 * What a request names without a value: Attribute Name (1.x) or Attribute
 * Reference (2.x) children of `payload`.
 */
struct attr_ref {
	struct attr_ref *next;
	const struct attr_def
	    *def; /* NULL: a custom attribute or none there is */
	struct bytes vendor;
	struct bytes name;
	int32_t index; /* Attribute Index given with it; -1 when none was */
};
enum err attr_read_refs(struct arena *a, const struct item *payload,
    enum version v, struct attr_ref **first, struct fault *f) MUST_CHECK;

/* Is `one` an instance of what the reference names? */
bool attr_ref_matches(const struct attr_ref *ref, const struct attr *one);

/*
 * Write into an answer: 1.x appends Attribute children to `payload`; 2.x finds
 * or makes the Attributes child of `payload` and appends there. An attribute
 * (or a value in it) that the version does not have is left out.
 */
enum err attr_write(struct arena *a, struct item *payload, enum version v,
    const struct attr *one) MUST_CHECK;

/* Write its name only, for Get Attribute List: Attribute Name or Attribute
 * Reference. */
enum err attr_write_ref(struct arena *a, struct item *payload, enum version v,
    const struct attr *one) MUST_CHECK;

/*
 * Does `one` satisfy what a Locate asks for? Text and structures by equality;
 * a usage mask when every bit asked for is set; Name by value (and type when
 * given); a date pair as a range (two instances of the same date attribute)
 * is the caller's.
 */
bool attr_matches(const struct attr *asked, const struct attr *one);

#endif
