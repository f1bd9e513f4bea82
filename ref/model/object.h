/*
 * A Managed Object: its identity, its attributes, and its value, sealed.
 *
 * Objects in the store's cache are shared and never change: to change one,
 * clone it, change the clone and put that. Everything an object has lives in
 * its own arena.
 *
 * Unique Identifier, Object Type, State and every date are attributes like any
 * other in `attrs`; the fields beside them are what is asked for often.
 */
#ifndef MODEL_OBJECT_H
#define MODEL_OBJECT_H

#include "base/buf.h"
#include "base/env.h"
#include "model/attr.h"
#include "model/card.h"
#include "model/state.h"

enum {
	OBJECT_ID_MAX_OCTETS = 64,     /* a Unique Identifier */
	OBJECT_OWNER_MAX_OCTETS = 256, /* a client's identity */
	OBJECT_VALUE_MAX_OCTETS = 512 * 1024,
	OBJECT_CAP_OCTETS = 1024 * 1024, /* an object's arena */
};

struct object {
	struct arena *arena;
	struct bytes id;
	struct bytes owner;   /* a user, or a client's identity; none: global */
	uint32_t object_type; /* enum object_type */
	struct attr_list attrs;
	/* the TTLV encoding of its structure (Symmetric Key { Key Block ... }):
	 * sealed, or clear for types that hold no secret; empty for a Template
	 * and after Destroy */
	struct bytes value;
	bool value_sealed;
	uint64_t value_version; /* associated data of the seal */
	struct card *card;      /* NULL: none */
};

/*
 * A new object, with Unique Identifier (a UUID by time and chance, as text),
 * Object Type, Initial Date, Last Change Date and, where its type has one,
 * State.
 */
enum err object_new(struct env *env, uint32_t object_type, struct bytes owner,
    struct object **out) MUST_CHECK;
/* The same with an identifier that nobody else has. */
enum err object_new_as(struct env *env, struct bytes id, uint32_t object_type,
    struct bytes owner, struct object **out) MUST_CHECK;
enum err
object_clone(const struct object *from, struct object **out) MUST_CHECK;
void object_free(struct object *o);

/*
 * Copy the value in; the old one is wiped.
 *
 * ERR_LIMIT  OBJECT_VALUE_MAX_OCTETS
 */
enum err
object_set_value(struct object *o, struct bytes value, bool sealed) MUST_CHECK;

/* Wipe and drop it (Destroy). */
void object_drop_value(struct object *o);

/*
 * Does this type's value hold a secret, so that it is sealed? Nobody knows what
 * is in an Opaque Object, so it may.
 */
bool object_type_is_secret(uint32_t object_type);

/* STATE_... ; 0 for a type without one. */
uint32_t object_state(const struct object *o);

/*
 * Set State, the date that goes with it (Activation, Deactivation, Compromise,
 * Destroy Date), and Last Change Date. A type without a state gets the dates.
 */
enum err
object_set_state(struct object *o, uint32_t state, int64_t now_s) MUST_CHECK;

/*
 * States that come by themselves: at Activation Date a Pre-Active object
 * becomes Active, at Deactivation Date an Active one Deactivated.
 *
 * object_due_s    when the next such change is due; INT64_MAX for never
 * object_tick     make every change due by now_s, at its own date; *changed
 *                 says whether there was one
 */
int64_t object_due_s(const struct object *o);
enum err object_tick(struct object *o, int64_t now_s, bool *changed) MUST_CHECK;

/*
 * Do its dates agree? Process Start Date is not before Activation Date, and
 * Protect Stop Date not after Deactivation Date; the specification binds no
 * others to each other.
 *
 * ERR_FIELD  with the fault naming the two
 */
enum err object_check_dates(const struct object *o, struct fault *f) MUST_CHECK;

/*
 * What the store keeps beside the columns: all attributes as TTLV, with magic,
 * format version and oldest reader. object_decode makes an object of it.
 *
 * ERR_VALUE          not what object_encode_attrs writes
 * ERR_STORE_VERSION  written by a newer release, and not readable by this one
 * ERR_LIMIT          ATTR_LIST_MAX
 */
enum err
object_encode_attrs(const struct object *o, struct buf *out) MUST_CHECK;
enum err object_decode(struct bytes id, struct bytes owner,
    uint32_t object_type, struct bytes attrs, struct object **out) MUST_CHECK;

/*
 * The key under which an attribute instance is found by Locate: its canonical
 * octets (kind, vendor, name, value), the same for equal values. Only for
 * definitions that say `indexed`, and custom attributes; Name is found by its
 * Name Value alone, Alternative Name, Link and Application Specific Information
 * likewise by one field, and a structured custom attribute by its kind. Long
 * values are cut to a digest-like bound by the store. What is found still
 * needs attr_matches.
 *
 * out  no octets when this value is not found by a key: not indexed, or asked
 *      for without the field that the key is made of
 */
enum err object_term(
    struct arena *a, const struct attr *one, struct bytes *out) MUST_CHECK;

/* The same of a Name with this Name Value. */
enum err object_name_term(
    struct arena *a, struct bytes name, struct bytes *out) MUST_CHECK;

/*
 * In whose lists it is: the owner's first, then those of each group that may do
 * anything with it. In the arena, or borrowed from the object.
 */
enum err object_scopes(struct arena *a, const struct object *o,
    struct bytes **out, size_t *count) MUST_CHECK;
bool object_has_scope(const struct object *o, struct bytes scope);

#endif
