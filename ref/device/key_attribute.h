/*
 * The names that custom attributes of keys can have ("Custom Key Attribute
 * Names"), each with a type, and their values as text.
 *
 * Contact Information and Object Group are there from the start and stay as
 * they are: they are KMIP's own attributes. A name that is added here is a
 * custom attribute there ("x-NAME", or NAME of the vendor "x").
 *
 * Records: "key.attribute", by name.
 *
 *	type         a row of key_attribute_type.def, by its name
 *	description
 *
 * Values as text: String as it is; Integer, Long Integer, Interval (seconds)
 * and Enumeration in base 10; Big Integer (two's complement) and Byte String in
 * base 16; Boolean true or false; Date/Time yyyy-mm-dd hh:mm:ss where the
 * appliance is.
 *
 * Source: guide chapter 28
 */
#ifndef DEVICE_KEY_ATTRIBUTE_H
#define DEVICE_KEY_ATTRIBUTE_H

#include "device/key.h"

enum {
	KEY_ATTRIBUTE_NAME_OCTETS = 255,         /* req: KS-28-119 KS-28-215 */
	KEY_ATTRIBUTE_DESCRIPTION_OCTETS = 4095, /* req: KS-28-121 KS-28-216 */
};

enum key_attribute_type {
#define TYPE(symbol, ...) symbol,
#include "device/key_attribute_type.def"
#undef TYPE
	KEY_ATTRIBUTE_TYPES,
};

/* "String" */
const char *key_attribute_type_text(enum key_attribute_type type);

struct key_attribute_name {
	char name[KEY_ATTRIBUTE_NAME_OCTETS + 1];
	char description[KEY_ATTRIBUTE_DESCRIPTION_OCTETS + 1];
	enum key_attribute_type type;
	enum tag tag; /* of KMIP's own; TAG_ATTRIBUTE: custom */
	bool single;  /* a key has one at most */
};

/* ERR_NOT_FOUND */
enum err key_attribute_name_read(struct store *st, struct bytes name,
    struct key_attribute_name *out) MUST_CHECK;

/* The two first, then in the order of their names. It must not write. */
typedef enum err
key_attribute_name_fn(void *ctx, const struct key_attribute_name *name);
enum err key_attribute_name_each(
    struct store *st, key_attribute_name_fn *each, void *ctx) MUST_CHECK;

/*
 * For the apply of a change.
 *
 * ERR_FIELD  a name, a description or a change that is not allowed; there is
 *            one of this name, or none: why
 */
enum err key_attribute_name_create(struct store *st, struct bytes name,
    struct bytes description, enum key_attribute_type type,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;
enum err key_attribute_name_describe(struct store *st, struct bytes name,
    struct bytes description, char why[CHANGE_WHY_OCTETS]) MUST_CHECK;
/* Keys that have it keep it. */
enum err key_attribute_name_delete(struct store *st, struct bytes name,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* ---- of a key ---- */

/*
 * Add one instance.
 *
 * ERR_FIELD        no such name, or a value that its type has not: why
 * ERR_ATTR_SINGLE  it has one already
 * ERR_ATTRIBUTES   it has KEY_ATTRIBUTES_MOST
 */
enum err key_attribute_give(struct key_call *call, struct arena *a,
    struct attr_list *list, const struct key_attribute *attribute) MUST_CHECK;

/* Take out all of that name. */
void key_attribute_take(struct attr_list *list, struct bytes name);

/* One instance. ERR_ATTR_INSTANCE: there is none */
enum err key_attribute_take_one(
    struct attr_list *list, struct bytes name, int32_t index) MUST_CHECK;

/* Is it one of those, and what is it called? */
bool key_attribute_is(const struct attr *one, struct bytes *name);

#endif
