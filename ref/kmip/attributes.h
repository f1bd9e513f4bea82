/*
 * The attribute rules, for every operation that gives an object attributes or
 * changes them.
 *
 * Source: KMIP 1.4 sections 3 (rule boxes), 4.1 to 4.3 and 4.14 to 4.16
 */
#ifndef KMIP_ATTRIBUTES_H
#define KMIP_ATTRIBUTES_H

#include "kmip/request.h"

/*
 * The child of a payload that holds attributes, by its name in 1.x, whichever
 * name it goes by in the request's version; NULL when it is not there.
 */
const struct item *attributes_holder(const struct item *in, enum tag template);

/*
 * What holds the attributes of a payload that is about attributes: the payload
 * itself in 1.x, its Attributes, New Attribute or Current Attribute in 2.x.
 */
const struct item *attributes_in(const struct item *in);
const struct item *attributes_current(const struct item *in);

/*
 * The attributes that a request gives a new object: those in `holder` (a
 * Template-Attribute or Attributes structure; NULL for none), then those of the
 * Templates that it names, the last first. What `list` has already, or an
 * earlier of these gives, takes precedence; of attributes that may have several
 * values it is the union.
 *
 * ERR_NOT_FOUND    no such Template
 * ERR_ATTR_SINGLE  one holder gives a single-valued attribute twice
 * what attr_read_list has
 */
enum err attributes_read(struct request *rq, const struct item *holder,
    struct attr_list *list) MUST_CHECK;

/*
 * May a client give a new object of this type these attributes, and give each
 * as often as that?
 *
 * ERR_ATTR_READ_ONLY  only the server sets it
 * ERR_ATTR_APPLIES    objects of this type do not have it
 * ERR_ATTR_SINGLE     more than one value
 */
enum err attributes_check_new(struct request *rq, uint32_t object_type,
    const struct attr_list *list) MUST_CHECK;

/*
 * No other object of this client has one of these Names.
 *
 * ERR_NAME_TAKEN
 */
enum err attributes_check_names(struct request *rq, struct bytes except,
    const struct attr_list *list) MUST_CHECK;

/* Copy all of them into the object. */
enum err
attributes_give(struct object *o, const struct attr_list *list) MUST_CHECK;

/*
 * Set what the object's value says of it, or refuse an attribute that
 * contradicts the value.
 *
 * ERR_FIELD
 */
enum err attributes_learn(struct request *rq, struct object *o, enum tag tag,
    int64_t number) MUST_CHECK;

/*
 * The attributes that the server sets on a new object, where they are not
 * there yet: Lease Time, Fresh, Sensitive and its kin, Protection Storage
 * Mask, Short Unique Identifier; then the states that its dates imply.
 *
 * generated  the server made the value: Original Creation Date, Random Number
 *            Generator
 */
enum err attributes_complete(
    struct request *rq, struct object *o, bool generated) MUST_CHECK;

/*
 * May the client change or delete this attribute of the object?
 *
 * ERR_ATTR_READ_ONLY  never
 * ERR_LIFECYCLE       not in this state
 * ERR_ATTR_APPLIES
 */
enum err attributes_check_change(struct request *rq, const struct object *o,
    const struct attr *one, enum attr_rule rule) MUST_CHECK;

/*
 * Say in the answer which attribute was added, changed or deleted: 1.x does,
 * 2.x has no field for it.
 */
enum err attributes_echo(
    struct request *rq, struct item *out, const struct attr *one) MUST_CHECK;

/*
 * Is it an attribute of this object for the request's version? What a later
 * version gives to more objects is not shown to an earlier one.
 */
bool attributes_shown(
    const struct request *rq, const struct object *o, const struct attr *one);

/*
 * A client adds or changes Usage Limits: the Count in it is the server's.
 *
 * ERR_ATTR_READ_ONLY
 */
enum err
attributes_check_count(struct request *rq, const struct attr *given) MUST_CHECK;

/*
 * Attributes have changed: do the dates agree, which states do they imply, and
 * where does Usage Limits Count begin?
 */
enum err attributes_settle(struct request *rq, struct object *o) MUST_CHECK;

/*
 * The one attribute in `holder`, for the operations on one.
 *
 * ERR_FIELD  none, or several
 */
enum err attributes_read_one(struct request *rq, const struct item *holder,
    struct attr_list *list) MUST_CHECK;

#endif
