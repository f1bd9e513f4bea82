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
 * the same attribute, "y-" likewise; what another vendor defines is not there
 * for a 1.x client, which has no name for it.
 *
 * attr.def has the rows: name, tag, and for each range of versions the
 * specification's own rule box. Checked against spec-tests/facts by a test.
 *
 * Source: KMIP 1.4 section 3, KMIP 2.1 section 4
 */
#ifndef MODEL_ATTR_H
#define MODEL_ATTR_H

#include "wire/item.h"

enum {
	ATTR_LIST_MAX = 512,         /* instances in one list */
	ATTR_NAME_MAX_OCTETS = 1024, /* a custom attribute's name, or vendor */
};

enum attr_rule {
	ATTR_ALWAYS = 1 << 0,        /* shall always have a value ... */
	ATTR_ALWAYS_KNOWN = 1 << 1,  /* ... if the server sees what it is of */
	ATTR_NOT_OPAQUE = 1 << 2,    /* ... except for Opaque Object */
	ATTR_NOT_SECRET = 1 << 3,    /* ... except for Secret Data */
	ATTR_SET_BY_CLIENT = 1 << 4, /* initially set by the client */
	ATTR_SET_BY_SERVER = 1 << 5, /* initially set by the server */
	ATTR_SET_BY_MAKER = 1 << 6,  /* ... by whoever made the key */
	ATTR_SET_OMITTED = 1 << 7,   /* ... server: omitted Application Data */
	ATTR_SET_PARTS = 1 << 8,     /* ... client: Total and Unit only */
	/* the client says at creation what the server then sets, as Create's
	 * Cryptographic Algorithm; never added later */
	ATTR_GIVEN = 1 << 9,
	ATTR_MODIFY_SERVER = 1 << 10, /* modifiable by the server */
	ATTR_MODIFY_CLIENT = 1 << 11, /* modifiable by the client */
	ATTR_DELETE_CLIENT = 1 << 12, /* deletable by the client */
	ATTR_MULTIPLE = 1 << 13,      /* multiple instances permitted ... */
	ATTR_MULTIPLE_PGP = 1 << 14,  /* ... for PGP keys only */
	/* conditions on changing it, for server and client */
	ATTR_ONLY_PRE_ACTIVE = 1 << 15, /* in Pre-Active only */
	ATTR_ONLY_LIVE = 1 << 16,       /* in Pre-Active or Active only */
	ATTR_ONLY_FUTURE = 1 << 17,     /* until the date is reached */
	ATTR_ONLY_OWN = 1 << 18, /* y- by the server, others by the client */
	/* conditions on one of the two */
	ATTR_ONLY_WHILE_NONE = 1 << 19, /* server: only if it has no value */
	ATTR_ONLY_OMITTED = 1 << 20,    /* server: omitted Application Data */
	ATTR_ONLY_UNUSED = 1 << 21, /* client: before Get Usage Allocation */
};

struct attr_def {
	enum tag tag;        /* TAG_ATTRIBUTE for custom (vendor) attributes */
	const char *name;    /* "Cryptographic Algorithm" */
	enum item_type type; /* 0 for custom: any */
	bool indexed;        /* Locate finds it without a scan */
};

/*
 * The attribute with this tag or this name, at that version; NULL when that
 * version has none. A name "x-..." or "y-..." answers the custom attribute.
 */
const struct attr_def *attr_def_of_tag(uint32_t tag, enum version v);
const struct attr_def *attr_def_of_name(struct bytes name, enum version v);

/* The attribute with this tag, if any version has one. */
const struct attr_def *attr_def_any(uint32_t tag);

/* enum attr_rule flags at that version; 0 when it does not have it. */
unsigned attr_rules(const struct attr_def *def, enum version v);

/* Does an object of that type (enum object_type) have the attribute? */
bool
attr_applies(const struct attr_def *def, uint32_t object_type, enum version v);

/* One instance. */
struct attr {
	struct attr *next;
	const struct attr_def *def;
	int32_t index;       /* Attribute Index; kept when others are deleted */
	bool index_given;    /* read from a request that said so */
	struct bytes vendor; /* custom only: "x" */
	struct bytes name;   /* custom only: "ID" */
	struct item
	    *value; /* its tag is def->tag; TAG_ATTRIBUTE_VALUE if custom */
};

struct attr_list {
	struct attr *first;
	struct attr *last;
	size_t count;
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

/* A deep copy with the same index, in another arena, on no list. */
enum err attr_copy(
    struct arena *a, const struct attr *from, struct attr **out) MUST_CHECK;

/* Hang it in as it is, its index included. */
void attr_append(struct attr_list *list, struct attr *one);

/*
 * Append. A new instance gets the index behind the highest of its kind, so
 * that no index is given twice while others remain. All but attr_add_item
 * copy.
 *
 * ERR_ATTR_SINGLE  one more of an attribute that has one value only
 * ERR_LIMIT        ATTR_LIST_MAX
 */
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
 * Read every attribute in `holder`, appending to `list`; the schema has
 * checked it, values included:
 *   - a Template-Attribute (1.x; also Common, Private Key, Public Key ...)
 *   - an Attributes structure (2.x; also Common Attributes ...), or Current
 *     Attribute / New Attribute
 *   - a payload or Key Value: its Attribute children (1.x), or those in its
 *     Attributes and New Attribute (2.x)
 * NULL as holder reads nothing. Values are borrowed from the message. An
 * absent Attribute Index is 0; two instances of one attribute are both read,
 * and what that means is the operation's.
 *
 * ERR_ATTR_UNKNOWN  a name or tag that this version has no attribute for,
 *                   with the fault naming it
 * ERR_VALUE         a Vendor Identification with other than [A-Za-z0-9_.]
 * ERR_LIMIT         ATTR_LIST_MAX or ATTR_NAME_MAX_OCTETS
 */
enum err attr_read_list(struct arena *a, const struct item *holder,
    enum version v, struct attr_list *list, struct fault *f) MUST_CHECK;

/*
 * Is the value as an object can have it? Since 1.3 a client may leave out the
 * Application Data of Application Specific Information for the server to make
 * up, which this one does for no namespace. From 2.0 on an identifier may be
 * one that the batch has come by, which request_identifiers makes a text.
 */
bool attr_is_whole(const struct attr *one);

/*
 * What a request names without a value: Attribute Name (1.x) or Attribute
 * Reference (2.x) children of `payload`.
 *
 * ERR_REPEATED  the same one twice
 * ERR_INDEX     an Attribute Index below 0
 * ERR_VALUE     a Vendor Identification with other than [A-Za-z0-9_.]
 * ERR_LIMIT     ATTR_LIST_MAX or ATTR_NAME_MAX_OCTETS
 */
struct attr_ref {
	struct attr_ref *next;
	const struct attr_def *def; /* NULL: none that the version has */
	struct bytes vendor;        /* custom only */
	struct bytes name;          /* custom, or unknown in 1.x */
	int32_t index; /* Attribute Index given with it; -1 when none was */
};
enum err attr_read_refs(struct arena *a, const struct item *payload,
    enum version v, struct attr_ref **first, struct fault *f) MUST_CHECK;

/* Is `one` an instance of what the reference names? */
bool attr_ref_matches(const struct attr_ref *ref, const struct attr *one);

/*
 * Write into an answer, as a copy: 1.x appends Attribute children to
 * `payload`; 2.x finds or makes the Attributes child of `payload` and appends
 * there (or appends to `payload` itself where it is one of the Attributes
 * structures). An attribute that the version does not have is left out; values
 * that it does not have go when the answer is shaped. Whether an object of
 * that type has the attribute is attr_applies, the caller's to ask.
 */
enum err attr_write(struct arena *a, struct item *payload, enum version v,
    const struct attr *one) MUST_CHECK;

/*
 * Write its name only, for Get Attribute List: Attribute Name or Attribute
 * Reference; once, however many instances there are.
 */
enum err attr_write_ref(struct arena *a, struct item *payload, enum version v,
    const struct attr *one) MUST_CHECK;

/*
 * Does the rule box let a client do that to an object in this state, now?
 *
 * one    the instance as it is on the object, or the new one to add
 * rule   ATTR_SET_BY_CLIENT (to add it), ATTR_MODIFY_CLIENT, or
 *        ATTR_DELETE_CLIENT; ATTR_GIVEN to give it at creation
 * state  STATE_...; 0 for an object without one
 *
 * ERR_ATTR_READ_ONLY  never
 * ERR_LIFECYCLE       not in this state, or not any more
 */
enum err attr_check_client(const struct attr *one, enum attr_rule rule,
    enum version v, uint32_t state, int64_t now_s) MUST_CHECK;

/*
 * Does `one` satisfy what a Locate asks for? Values by equality; a usage mask
 * when every bit asked for is set; Usage Limits when at least as large; a
 * structure when each field asked for is there with that value. A date pair
 * as a range (two instances of the same date attribute) is the caller's.
 */
bool attr_matches(const struct attr *asked, const struct attr *one);

#endif
