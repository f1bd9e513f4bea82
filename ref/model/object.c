#include "model/object.h"

#include <string.h>

#include "base/secret.h"
#include "wire/ttlv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { UUID_OCTETS = 16, UUID_TEXT_OCTETS = 36 };

/* Enough for what object_new adds, and the value of a key. */
enum { NEW_OCTETS = 4096 };

/* ---- birth and death ---- */

/* An object without attributes, in an arena of its own. */
static enum err
shell_new(size_t first_octets, struct bytes owner, uint32_t object_type,
    struct object **out)
{
	struct arena *a = NULL;
	struct object *o;
	enum err rc = OK;

	*out = NULL;
	if (owner.octets > OBJECT_OWNER_MAX_OCTETS)
		return ERR_LIMIT;
	TRY(arena_new_sized(OBJECT_CAP_OCTETS, first_octets, &a));
	TRY(ARENA_NEW(a, o));
	TRY(arena_copy(a, owner, &o->owner));
	o->object_type = object_type;
	o->arena = a;
	a = NULL; /* now the object's */
	*out = o;
out:
	arena_free(a);
	return rc;
}

/*
 * A UUID by time and chance (RFC 9562, version 7) as text: 48 bits are the
 * milliseconds, 74 are random. What is made together then lies together in the
 * store's index, and a group of objects touches one page of it, not one each.
 */
static enum err
id_new(struct env *env, struct arena *a, struct bytes *out)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t now_ms = (uint64_t)env_wall_ms(env);
	uint8_t uuid[UUID_OCTETS];
	uint8_t *text;
	size_t at = 0;
	enum err rc = OK;

	TRY(env_random_public(env, uuid, sizeof(uuid)));
	TRY(ARENA_ARRAY(a, text, UUID_TEXT_OCTETS));
	bytes_put_u32(uuid, (uint32_t)(now_ms >> 16));
	bytes_put_u16(uuid + 4, (uint32_t)now_ms & 0xffff);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x70);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(uuid); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		text[at++] = (uint8_t)digits[uuid[i] >> 4];
		text[at++] = (uint8_t)digits[uuid[i] & 0x0f];
	}
	*out = (struct bytes){text, UUID_TEXT_OCTETS};
out:
	return rc;
}

enum err
object_new_as(struct env *env, struct bytes id, uint32_t object_type,
    struct bytes owner, struct object **out)
{
	int64_t now_s = env_wall_s(env);
	struct object *o = NULL;
	struct arena *a;
	enum err rc = OK;

	*out = NULL;
	TRY(shell_new(NEW_OCTETS, owner, object_type, &o));
	a = o->arena;
	if (id.octets == 0)
		TRY(id_new(env, a, &o->id));
	else
		TRY(arena_copy(a, id, &o->id));
	TRY(attr_add_octets(a, &o->attrs, TAG_UNIQUE_IDENTIFIER, o->id));
	TRY(attr_add_number(a, &o->attrs, TAG_OBJECT_TYPE, object_type));
	if (object_type != OBJECT_TYPE_TEMPLATE)
		TRY(attr_add_number(a, &o->attrs, TAG_STATE, STATE_PRE_ACTIVE));
	TRY(attr_add_number(a, &o->attrs, TAG_INITIAL_DATE, now_s));
	TRY(attr_add_number(a, &o->attrs, TAG_LAST_CHANGE_DATE, now_s));
	*out = o;
	o = NULL; /* now the caller's */
out:
	object_free(o);
	return rc;
}

enum err
object_new(struct env *env, uint32_t object_type, struct bytes owner,
    struct object **out)
{
	return object_new_as(env, BYTES_NONE, object_type, owner, out);
}

enum err
object_clone(const struct object *from, struct object **out)
{
	struct object *o = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(shell_new(
	    arena_octets(from->arena), from->owner, from->object_type, &o));
	TRY(arena_copy(o->arena, from->id, &o->id));
	ATTR_EACH (&from->attrs, one) {
		struct attr *copy;

		TRY(attr_copy(o->arena, one, &copy));
		attr_append(&o->attrs, copy);
	}
	TRY(object_set_value(o, from->value, from->value_sealed));
	o->value_version = from->value_version;
	if (from->card != NULL)
		TRY(card_copy(o->arena, from->card, &o->card));
	*out = o;
	o = NULL; /* now the caller's */
out:
	object_free(o);
	return rc;
}

void
object_free(struct object *o)
{
	if (o != NULL)
		arena_free(o->arena); /* which holds the object, too */
}

/* ---- the value ---- */

void
object_drop_value(struct object *o)
{
	/* the object's own copy, borrowed as const by everybody else */
	if (o->value.octets != 0)
		secret_wipe((uint8_t *)o->value.at, o->value.octets);
	o->value = BYTES_NONE;
	o->value_sealed = false;
	o->value_version = 0;
}

enum err
object_set_value(struct object *o, struct bytes value, bool sealed)
{
	struct bytes copy = BYTES_NONE;
	enum err rc = OK;

	if (value.octets > OBJECT_VALUE_MAX_OCTETS)
		return ERR_LIMIT;
	if (value.octets != 0)
		TRY(arena_copy(o->arena, value, &copy));
	object_drop_value(o);
	o->value = copy;
	o->value_sealed = sealed;
out:
	return rc;
}

bool
object_type_is_secret(uint32_t object_type)
{
	return object_type == OBJECT_TYPE_SYMMETRIC_KEY ||
	       object_type == OBJECT_TYPE_PRIVATE_KEY ||
	       object_type == OBJECT_TYPE_SPLIT_KEY ||
	       object_type == OBJECT_TYPE_SECRET_DATA ||
	       object_type == OBJECT_TYPE_OPAQUE_OBJECT ||
	       object_type == OBJECT_TYPE_PGP_KEY;
}

/* ---- states and dates ---- */

uint32_t
object_state(const struct object *o)
{
	return (uint32_t)attr_number(&o->attrs, TAG_STATE, 0);
}

/*
 * The date that goes with coming into a state. Destroyed Compromised is come
 * to from both sides.
 *
 * spec: kmip-1.4 3.24, 3.27, 3.28, 3.30
 */
static enum tag
date_of(uint32_t before, uint32_t state)
{
	switch (state) {
	case STATE_ACTIVE:
		return TAG_ACTIVATION_DATE;
	case STATE_DEACTIVATED:
		return TAG_DEACTIVATION_DATE;
	case STATE_COMPROMISED:
		return TAG_COMPROMISE_DATE;
	case STATE_DESTROYED_COMPROMISED:
		return before == STATE_DESTROYED ? TAG_COMPROMISE_DATE
						 : TAG_DESTROY_DATE;
	default: /* nothing leads back to Pre-Active */
		return TAG_DESTROY_DATE;
	}
}

enum err
object_set_state(struct object *o, uint32_t state, int64_t now_s)
{
	struct attr_list *attrs = &o->attrs;
	enum tag date = date_of(object_state(o), state);
	enum err rc = OK;

	TRY(attr_set_number(o->arena, attrs, date, now_s));
	if (attr_find(attrs, TAG_STATE) != NULL)
		TRY(attr_set_number(o->arena, attrs, TAG_STATE, state));
	TRY(attr_set_number(o->arena, attrs, TAG_LAST_CHANGE_DATE, now_s));
out:
	return rc;
}

/* The state that a date brings next; 0 for none. */
static uint32_t
due_state(const struct object *o, int64_t *due_s)
{
	uint32_t then = 0;

	*due_s = INT64_MAX;
	switch (object_state(o)) {
	case STATE_PRE_ACTIVE:
		then = STATE_ACTIVE;
		break;
	case STATE_ACTIVE:
		then = STATE_DEACTIVATED;
		break;
	default:
		return 0;
	}
	*due_s = attr_number(&o->attrs, date_of(0, then), INT64_MAX);
	return then;
}

int64_t
object_due_s(const struct object *o)
{
	int64_t due_s;

	(void)due_state(o, &due_s);
	return due_s;
}

enum err
object_tick(struct object *o, int64_t now_s, bool *changed)
{
	enum err rc = OK;

	*changed = false;
	for (;;) {
		/* a date that was past when the object came does not move its
		 * last change back */
		int64_t last_s =
		    attr_number(&o->attrs, TAG_LAST_CHANGE_DATE, INT64_MIN);
		int64_t due_s;
		uint32_t then = due_state(o, &due_s);

		/* kmip-1.4 4.9: the largest date is none */
		if (due_s == INT64_MAX || due_s > now_s)
			return OK;
		TRY(object_set_state(o, then, due_s));
		if (due_s < last_s)
			TRY(attr_set_number(
			    o->arena, &o->attrs, TAG_LAST_CHANGE_DATE, last_s));
		*changed = true;
	}
out:
	return rc;
}

enum err
object_check_dates(const struct object *o, struct fault *f)
{
	/* spec: kmip-1.4 3.25, 3.26 */
	static const struct {
		enum tag first;
		enum tag then;
	} orders[] = {
	    {TAG_ACTIVATION_DATE, TAG_PROCESS_START_DATE},
	    {TAG_PROTECT_STOP_DATE, TAG_DEACTIVATION_DATE},
	};

	for (size_t i = 0; i < COUNT(orders); i++) {
		const struct attr *first =
		    attr_find(&o->attrs, orders[i].first);
		const struct attr *then = attr_find(&o->attrs, orders[i].then);

		if (first == NULL || then == NULL ||
		    first->value->number <= then->value->number)
			continue;
		fault_set(
		    f, "%s is after %s", first->def->name, then->def->name);
		return ERR_FIELD;
	}
	return OK;
}

/* ---- the stored form ---- */

/*
 * "TSOB", format version, oldest reader (two octets each), and then one TTLV
 * item:
 *
 *	Attributes {
 *		the value under its own tag             index 0
 *		Attribute { Attribute Index, value }    any other
 *		Attribute { Vendor Identification, Attribute Name,
 *		    Attribute Index, Attribute Value }  custom; no index: 0
 *	}
 *
 * Version 2 has the card (model/card.h) behind it; an object without one is
 * still written as version 1, so that older releases can read it.
 */
static const uint8_t magic[4] = {'T', 'S', 'O', 'B'};

enum {
	FORMAT_PLAIN = 1,
	FORMAT_CARD = 2,
	MAGIC_OCTETS = 8,
};

static enum err
encode_one(const struct attr *one, struct buf *out)
{
	bool custom = one->def->tag == TAG_ATTRIBUTE;
	struct item holder = {.tag = TAG_ATTRIBUTE, .type = STRUCTURE};
	struct item vendor = {.tag = TAG_VENDOR_IDENTIFICATION,
	    .type = TEXT_STRING,
	    .octets = one->vendor};
	struct item name = {.tag = TAG_ATTRIBUTE_NAME,
	    .type = TEXT_STRING,
	    .octets = one->name};
	struct item index = {
	    .tag = TAG_ATTRIBUTE_INDEX, .type = INTEGER, .number = one->index};
	struct item value = *one->value;

	if (!custom && one->index == 0)
		return ttlv_write(one->value, out);
	if (custom) {
		item_append(&holder, &vendor);
		item_append(&holder, &name);
	}
	if (one->index != 0)
		item_append(&holder, &index);
	item_append(&holder, &value);
	return ttlv_write(&holder, out);
}

enum err
object_encode_attrs(const struct object *o, struct buf *out)
{
	size_t start = out->octets;
	uint8_t *head;
	size_t body_octets;
	/* no older reader would know what a card forbids */
	uint32_t format = o->card != NULL ? FORMAT_CARD : FORMAT_PLAIN;
	enum err rc = OK;

	TRY(buf_reserve(out, MAGIC_OCTETS + TTLV_HEADER_OCTETS, &head));
	memcpy(head, magic, sizeof(magic));
	bytes_put_u16(head + 4, format);
	bytes_put_u16(head + 6, format); /* the oldest that can read it */
	bytes_put_u24(head + 8, TAG_ATTRIBUTES);
	head[11] = STRUCTURE;
	buf_added(out, MAGIC_OCTETS + TTLV_HEADER_OCTETS);
	ATTR_EACH (&o->attrs, one)
		TRY(encode_one(one, out));
	body_octets = out->octets - start - MAGIC_OCTETS - TTLV_HEADER_OCTETS;
	bytes_put_u32(out->at + start + 12, (uint32_t)body_octets);
	if (o->card != NULL)
		TRY(card_encode(o->card, out));
out:
	return rc;
}

/* How many items stand side by side; a bad length ends it, for the parser. */
static size_t
count_items(struct bytes in)
{
	size_t count = 0;
	struct bytes head;

	while (bytes_split(&in, TTLV_HEADER_OCTETS, &head) == OK) {
		size_t body = bytes_u32(head.at + 4);

		if (body > in.octets ||
		    bytes_split(&in, (body + 7) / 8 * 8, &head) != OK)
			break;
		count++;
	}
	return count;
}

/* Take the next child if it is that; NULL (and nothing taken) if not. */
static struct item *
take_child(struct item **at, enum tag tag, enum item_type type)
{
	struct item *child = *at;

	if (child == NULL || child->tag != tag || child->type != type)
		return NULL;
	*at = child->next;
	return child;
}

static enum err
decode_one(struct item *in, struct attr *one)
{
	struct item *at = in;

	if (in->tag == TAG_ATTRIBUTE) {
		const struct item *vendor;
		const struct item *name;
		const struct item *index;

		at = in->first; /* none, when it is no structure */
		vendor =
		    take_child(&at, TAG_VENDOR_IDENTIFICATION, TEXT_STRING);
		if (vendor != NULL) {
			name = take_child(&at, TAG_ATTRIBUTE_NAME, TEXT_STRING);
			if (name == NULL)
				return ERR_VALUE;
			one->def = attr_def_any(TAG_ATTRIBUTE);
			one->vendor = vendor->octets;
			one->name = name->octets;
		}
		index = take_child(&at, TAG_ATTRIBUTE_INDEX, INTEGER);
		if (index != NULL && index->number <= 0)
			return ERR_VALUE;
		if (index != NULL)
			one->index = (int32_t)index->number;
		if (at == NULL || at->next != NULL ||
		    (vendor == NULL && index == NULL))
			return ERR_VALUE;
	}
	if (one->def != NULL) {
		if (at->tag != TAG_ATTRIBUTE_VALUE)
			return ERR_VALUE;
	} else {
		one->def = attr_def_any(at->tag);
		/* which a custom one is not: it has no type */
		if (one->def == NULL || at->type != one->def->type)
			return ERR_VALUE;
	}
	at->next = NULL;
	one->value = at;
	return OK;
}

static enum err
decode_all(struct object *o, struct bytes body, size_t count)
{
	struct attr *one = NULL;
	struct item *root;
	struct item *next;
	struct bytes copy;
	enum err rc = OK;

	TRY(arena_copy(o->arena, body, &copy));
	TRY(ARENA_ARRAY(o->arena, one, count));
	TRY(ttlv_parse(o->arena, copy, &root));
	if (root->tag != TAG_ATTRIBUTES)
		return ERR_VALUE;
	for (struct item *child = root->first; child != NULL; child = next) {
		next = child->next;
		TRY(decode_one(child, one));
		attr_append(&o->attrs, one++);
	}
out:
	return rc;
}

/* What a card takes in an arena: of each group seven octets make a row. */
static size_t
card_room(struct bytes card)
{
	return card.octets == 0 ? 0
				: sizeof(struct card) + 32 + card.octets +
				      card.octets / (1 + KEY_PERMISSIONS) *
					  sizeof(struct card_permission);
}

/* The attributes' item, of what is behind the magic; the rest is the card. */
static enum err
split_card(struct bytes *attrs, struct bytes *body, struct bytes *card)
{
	struct bytes head;
	enum err rc = OK;

	*card = *attrs;
	TRY(bytes_split(card, TTLV_HEADER_OCTETS, &head));
	TRY(bytes_split(card, bytes_u32(head.at + 4), body));
	attrs->octets -= card->octets;
out:
	return rc;
}

enum err
object_decode(struct bytes id, struct bytes owner, uint32_t object_type,
    struct bytes attrs, struct object **out)
{
	struct object *o = NULL;
	struct bytes head;
	struct bytes body;
	struct bytes card;
	uint32_t reader; /* the oldest that can read it */
	size_t count;
	enum err rc = OK;

	*out = NULL;
	if (bytes_split(&attrs, MAGIC_OCTETS, &head) != OK ||
	    memcmp(head.at, magic, sizeof(magic)) != 0)
		return ERR_VALUE;
	reader = bytes_u16(head.at + 6);
	if (reader > FORMAT_CARD)
		return ERR_STORE_VERSION;
	if (split_card(&attrs, &body, &card) != OK ||
	    (reader < FORMAT_CARD && card.octets != 0))
		return ERR_VALUE;
	count = count_items(body);
	if (count > ATTR_LIST_MAX)
		return ERR_LIMIT;
	/* an item takes at least 16 octets of the encoding, or 8 for the
	 * structure around others: three times is always enough for them */
	TRY(shell_new(sizeof(*o) + 64 + id.octets + owner.octets +
			  4 * attrs.octets + count * sizeof(struct attr) +
			  card_room(card),
	    owner, object_type, &o));
	TRY(arena_copy(o->arena, id, &o->id));
	rc = decode_all(o, attrs, count);
	if (rc == OK && reader == FORMAT_CARD)
		rc = card_decode(o->arena, card, &o->card);
	/* what the octets are is for the store to know */
	if (rc != OK && rc != ERR_NOMEM)
		rc = ERR_VALUE;
	TRY(rc);
	if (!bytes_equal(attr_octets(&o->attrs, TAG_UNIQUE_IDENTIFIER), id) ||
	    attr_number(&o->attrs, TAG_OBJECT_TYPE, 0) != object_type) {
		rc = ERR_VALUE;
		goto out;
	}
	*out = o;
	o = NULL; /* now the caller's */
out:
	object_free(o);
	return rc;
}

/* ---- what Locate finds it by ---- */

/* The field that stands for a structured attribute. */
static const struct {
	enum tag tag;
	enum tag field;
} term_fields[] = {
    {TAG_NAME, TAG_NAME_VALUE},
    {TAG_ALTERNATIVE_NAME, TAG_ALTERNATIVE_NAME_VALUE},
    {TAG_LINK, TAG_LINKED_OBJECT_IDENTIFIER},
    {TAG_APPLICATION_SPECIFIC_INFORMATION, TAG_APPLICATION_DATA},
};

/* The item that the key is made of; NULL for the kind alone. */
static const struct item *
term_value(const struct attr *one, bool *is_found)
{
	*is_found = one->def->indexed;
	if (one->value->type != STRUCTURE)
		return one->value;
	for (size_t i = 0; i < COUNT(term_fields); i++) {
		const struct item *field;

		if (term_fields[i].tag != one->def->tag)
			continue;
		field = item_find(one->value, term_fields[i].field);
		if (field == NULL)
			*is_found = false;
		return field;
	}
	return NULL;
}

static uint8_t *
put(uint8_t *at, struct bytes octets)
{
	if (octets.octets != 0)
		memcpy(at, octets.at, octets.octets);
	return at + octets.octets;
}

/*
 * tag (3), then of a custom attribute the lengths of its vendor and name (2
 * each) and these, then the item type (1) and the value: its octets, or the
 * number (8)
 */
enum err
object_term(struct arena *a, const struct attr *one, struct bytes *out)
{
	bool is_found;
	const struct item *value = term_value(one, &is_found);
	size_t octets = 3 + 4 + one->vendor.octets + one->name.octets + 1 + 8;
	uint8_t *term;
	uint8_t *at;
	enum err rc = OK;

	*out = BYTES_NONE;
	if (!is_found)
		return OK;
	if (value != NULL && item_has_octets(value))
		octets += value->octets.octets;
	TRY(ARENA_ARRAY(a, term, octets));
	bytes_put_u24(term, one->def->tag);
	at = term + 3;
	if (one->def->tag == TAG_ATTRIBUTE) {
		bytes_put_u16(at, (uint32_t)one->vendor.octets);
		bytes_put_u16(at + 2, (uint32_t)one->name.octets);
		at = put(at + 4, one->vendor);
		at = put(at, one->name);
	}
	if (value != NULL) {
		*at++ = (uint8_t)value->type;
		if (item_has_octets(value)) {
			at = put(at, value->octets);
		} else {
			bytes_put_u64(at, (uint64_t)value->number);
			at += 8;
		}
	}
	*out = (struct bytes){term, (size_t)(at - term)};
out:
	return rc;
}

enum err
object_name_term(struct arena *a, struct bytes name, struct bytes *out)
{
	struct item field = {
	    .tag = TAG_NAME_VALUE, .type = TEXT_STRING, .octets = name};
	struct item value = {.tag = TAG_NAME, .type = STRUCTURE};
	struct attr one = {.def = attr_def_any(TAG_NAME), .value = &value};

	item_append(&value, &field);
	return object_term(a, &one, out);
}

/* ---- whose it is ---- */

enum err
object_scopes(
    struct arena *a, const struct object *o, struct bytes **out, size_t *count)
{
	const struct card *card = o->card;
	size_t of_card = 0;
	struct bytes *scopes;
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, scopes,
	    1 + (card != NULL ? card->permission_count : 0) *
		    CARD_SCOPES_MOST));
	scopes[0] = o->owner;
	if (card != NULL)
		TRY(card_scopes(a, card, scopes + 1, &of_card));
	*count = 1 + of_card;
	*out = scopes;
out:
	return rc;
}

bool
object_has_scope(const struct object *o, struct bytes scope)
{
	return bytes_equal(o->owner, scope) || card_in_scope(o->card, scope);
}
