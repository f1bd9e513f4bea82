/*
 * Attributes in requests and answers, in the form that each protocol version
 * has: 1.x writes their names out, 2.x has them as items of their own.
 *
 * Trees and texts are in the arena given.
 */
#ifndef TOUCHSTONE_ATTRIBUTE_H
#define TOUCHSTONE_ATTRIBUTE_H

#include "err.h"
#include "node.h"

/* Whose attributes: 1.x has a Template-Attribute for each, 2.x Attributes. */
enum attribute_whose { WHOSE_OBJECT, WHOSE_BOTH, WHOSE_PRIVATE, WHOSE_PUBLIC };

struct node *attribute_list(struct arena *a, struct node *payload,
    unsigned version, enum attribute_whose whose);

/*
 * Put an attribute into attributes, or into a Locate payload of 1.x.
 *
 * name   by either spelling, "Cryptographic Length", "CryptographicLength";
 *        x-... and y-... are custom attributes, which hold a text
 * value  as the XML form writes it; of the structures only Name and
 *        Application Specific Information ("namespace:data") can be said
 *
 * ERR_SYNTAX  no such attribute, or a value it does not take; `f` says which
 */
enum err attribute_put(struct arena *a, struct node *parent, unsigned version,
    const char *name, const char *value, struct fault *f) MUST_CHECK;

/* Put the name of an attribute: Attribute Name, from 2.0 on Attribute
 * Reference. ERR_SYNTAX as above. */
enum err attribute_put_reference(struct arena *a, struct node *payload,
    unsigned version, const char *name, struct fault *f) MUST_CHECK;

/*
 * Walk the attributes of a payload or of Attributes, in both forms.
 *
 * at    the item the walk stands on, NULL to begin; NULL at its end
 * name  "x-purpose", "CryptographicLength"; in the arena or static
 * value the value's item
 */
const struct node *attribute_next(struct arena *a, const struct node *parent,
    const struct node *at, const char **name, const struct node **value);

/* The name that an Attribute Name or Attribute Reference holds, likewise. */
const char *attribute_reference(struct arena *a, const struct node *reference);

#endif
