#include "device/birth.h"
#include "device/key.h"
#include "device/key_attribute.h"
#include "device/key_work.h"

/* How many active versions a key may have. */
static uint32_t
active_most(struct key_call *call)
{
	const struct settings *settings = call->appliance->settings;

	return settings == NULL ? CARD_VERSIONS_MOST
				: (uint32_t)setting_number(
				      settings, SETTING_ACTIVE_VERSIONS);
}

/* One more active one? req: KS-28-183 */
static enum err
check_active(struct key_call *call, const struct card *card)
{
	return card->count[CARD_ACTIVE] < active_most(call)
		   ? OK
		   : ERR_ACTIVE_VERSIONS;
}

/* An older version's object: its bytes are `from`'s, sealed anew. */
static enum err
version_put(struct key_call *call, struct bytes key_id, uint32_t number,
    const struct object *from)
{
	struct key_octets octets;
	struct object *o = NULL;
	struct object *take;
	struct bytes id;
	enum err rc = OK;

	TRY(key_version_id(call->arena, key_id, number, &id));
	TRY(key_value_open(call, from, &octets));
	TRY(object_new_as(call->appliance->env, id, from->object_type,
	    card_version_owner(), &o));
	/* no life cycle of its own */
	attr_remove(&o->attrs, attr_find(&o->attrs, TAG_STATE));
	TRY(card_copy(o->arena, from->card, &o->card));
	TRY(card_set_permissions(o->arena, o->card, NULL, 0));
	o->card->version = number;
	o->card->newest = 0;
	TRY(key_value_set(call, o, &octets,
	    (uint32_t)attr_number(&from->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0),
	    (uint32_t)attr_number(&from->attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0)));
	take = o;
	o = NULL;
	TRY(store_insert(call->appliance->store, take));
out:
	object_free(o);
	return rc;
}

static enum err
add_version(struct key_call *call, const struct object *key,
    enum card_state state, const struct keygen_pair *pair, uint32_t *number)
{
	const struct key_algorithm *row = key_row(key);
	struct key_octets octets;
	struct object *o = NULL;
	struct object *take;
	enum err rc = OK;

	if (row == NULL)
		TRY(ERR_KEY_FORMAT);
	TRY(key_octets_new(call, row, pair, &octets));
	TRY(key_edit(call, key, &o));
	TRY(version_put(call, o->id, o->card->newest, o));
	o->card->newest++;
	o->card->count[state]++;
	o->card->state = state;
	TRY(key_card_fill(call, o->arena, &octets, row, o->card));
	TRY(key_bytes_set(call, o, &octets));
	*number = o->card->newest;
	take = o;
	o = NULL;
	TRY(key_put(call, take));
out:
	object_free(o);
	return rc;
}

/* req: KS-28-035 KS-28-036 KS-28-102 KS-28-174 */
enum err
key_version_new(struct key_call *call, const struct object *key,
    enum card_state state, const struct keygen_pair *pair, uint32_t *number)
{
	struct store *st = call->appliance->store;
	enum err rc = OK;

	*number = 0;
	if (key_versions(key) == 0)
		TRY(ERR_NOT_VERSIONED);
	if (key_versions(key) >= CARD_VERSIONS_MOST)
		TRY(ERR_VERSIONS);
	if (state == CARD_ACTIVE)
		TRY(check_active(call, key->card));
	TRY(store_savepoint(st));
	rc = store_savepoint_end(
	    st, add_version(call, key, state, pair, number));
out:
	return rc;
}

/* The version's own state, and how many the key has of each. */
static enum err
set_state(struct key_call *call, const struct object *key, uint32_t number,
    enum card_state state)
{
	const struct object *old;
	struct object *version = NULL;
	struct object *o = NULL;
	struct object *take;
	struct bytes id;
	enum card_state was;
	enum err rc = OK;

	TRY(key_version_id(call->arena, key->id, number, &id));
	rc = store_find(call->appliance->store, id, &old);
	TRY(rc == ERR_NOT_FOUND ? ERR_STORE : rc);
	was = old->card->state;
	if (was == state)
		goto out;
	if (state == CARD_ACTIVE)
		TRY(check_active(call, key->card));
	TRY(key_edit(call, old, &version));
	version->card->state = state;
	take = version;
	version = NULL;
	TRY(key_put(call, take));
	TRY(key_edit(call, key, &o));
	o->card->count[was]--;
	o->card->count[state]++;
	take = o;
	o = NULL;
	TRY(key_put(call, take));
out:
	object_free(version);
	object_free(o);
	return rc;
}

/* req: KS-28-038 KS-28-041 KS-28-181 ESKM-158 */
enum err
key_version_state(struct key_call *call, const struct object *key,
    uint32_t number, enum card_state state)
{
	struct store *st = call->appliance->store;
	uint32_t newest = key_versions(key);
	enum err rc = OK;

	if (newest == 0)
		TRY(ERR_NOT_VERSIONED);
	if (number == 0 || number > newest)
		TRY(ERR_KEY_VERSION);
	if (number == newest)
		TRY(ERR_VERSION_STATE);
	TRY(store_savepoint(st));
	rc = store_savepoint_end(st, set_state(call, key, number, state));
out:
	return rc;
}

enum err
key_delete_versions(struct store *st, struct arena *a, const struct object *key)
{
	uint32_t newest = key_versions(key);
	struct bytes id;
	uint32_t n;
	enum err rc = OK;

	for (n = 1; n < newest; n++) {
		TRY(key_version_id(a, key->id, n, &id));
		rc = store_delete(st, id);
		TRY(rc == ERR_NOT_FOUND ? ERR_STORE : rc);
	}
out:
	return rc;
}

/* ---- cloning ---- */

/* What of the original's attributes the clone has. */
static bool
is_cloned(const struct attr *one, const struct key_clone *how)
{
	static const enum tag tags[] = {
	    TAG_CRYPTOGRAPHIC_ALGORITHM,
	    TAG_CRYPTOGRAPHIC_LENGTH,
	    TAG_CRYPTOGRAPHIC_USAGE_MASK,
	    TAG_CRYPTOGRAPHIC_PARAMETERS,
	    TAG_CRYPTOGRAPHIC_DOMAIN_PARAMETERS,
	    TAG_EXTRACTABLE,
	    TAG_SENSITIVE,
	    TAG_RANDOM_NUMBER_GENERATOR,
	    TAG_ORIGINAL_CREATION_DATE,
	};
	struct bytes name;
	size_t k;

	/* req: KS-28-354 KS-28-365 */
	if (key_attribute_is(one, &name))
		return how->attributes;
	for (k = 0; k < sizeof(tags) / sizeof(tags[0]); k++) {
		if (one->def->tag == tags[k])
			return true;
	}
	return false;
}

static enum err
clone_card(struct key_call *call, const struct object *from,
    const struct key_clone *how, const struct key_octets *octets,
    struct object *o)
{
	const struct key_algorithm *row = key_row(from);
	enum err rc = OK;

	if (from->card != NULL)
		TRY(card_copy(o->arena, from->card, &o->card));
	else
		TRY(key_card_need(o));
	/* req: KS-28-354 KS-28-364 */
	if (!how->permissions)
		TRY(card_set_permissions(o->arena, o->card, NULL, 0));
	if (how->deletable != NULL)
		o->card->deletable = *how->deletable;
	if (octets != NULL && o->card->fingerprint.octets == 0)
		TRY(key_card_fill(call, o->arena, octets, row, o->card));
	/* req: KS-28-355 KS-28-362 */
	if (how->versioned && o->card->newest == 0) {
		o->card->newest = 1;
		o->card->state = CARD_ACTIVE;
		o->card->count[CARD_ACTIVE] = 1;
	}
out:
	return rc;
}

/* Everything but the bytes. */
static enum err
clone_object(struct key_call *call, const struct object *from,
    const struct key_clone *how, const struct key_octets *octets,
    struct object **out)
{
	struct object *o = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(object_new(
	    call->appliance->env, from->object_type, how->owner, &o));
	TRY(key_add_name(o, how->name));
	ATTR_EACH (&from->attrs, one) {
		if (is_cloned(one, how))
			TRY(attr_add(o->arena, &o->attrs, one));
	}
	if (how->exportable != NULL)
		TRY(attr_set_number(
		    o->arena, &o->attrs, TAG_EXTRACTABLE, *how->exportable));
	TRY(clone_card(call, from, how, octets, o));
	*out = o;
	o = NULL; /* now the caller's */
out:
	object_free(o);
	return rc;
}

static enum err
clone_versions(
    struct key_call *call, const struct object *from, struct bytes id)
{
	struct store *st = call->appliance->store;
	const struct object *version;
	struct bytes version_id;
	uint32_t n;
	enum err rc = OK;

	for (n = 1; n < key_versions(from); n++) {
		TRY(key_version_id(call->arena, from->id, n, &version_id));
		rc = store_find(st, version_id, &version);
		TRY(rc == ERR_NOT_FOUND ? ERR_STORE : rc);
		TRY(version_put(call, id, n, version));
	}
out:
	return rc;
}

static enum err
make_clone(struct key_call *call, const struct object *from,
    const struct key_clone *how, struct bytes *id)
{
	bool is_template = from->object_type == OBJECT_TYPE_TEMPLATE;
	int64_t now_s = env_wall_s(call->appliance->env);
	struct key_octets octets;
	struct object *o = NULL;
	struct object *take;
	enum err rc = OK;

	if (!is_template)
		TRY(key_value_open(call, from, &octets));
	TRY(clone_object(call, from, how, is_template ? NULL : &octets, &o));
	if (is_template) {
		TRY(object_set_value(o, from->value, false));
	} else {
		TRY(key_bytes_set(call, o, &octets));
		TRY(birth_complete(o, 0, now_s, false));
		TRY(object_set_state(o, STATE_ACTIVE, now_s));
	}
	TRY(arena_copy(call->arena, o->id, id));
	/* a certificate is of one key */
	if (key_versions(o) == 0)
		TRY(key_certificates_copy(call, from, o));
	take = o;
	o = NULL;
	TRY(store_insert(call->appliance->store, take));
	TRY(clone_versions(call, from, *id));
out:
	object_free(o);
	return rc;
}

/* req: KS-28-353 KS-28-361 KS-28-363 */
enum err
key_clone(struct key_call *call, const struct object *from,
    const struct key_clone *how, const struct object **out)
{
	struct store *st = call->appliance->store;
	struct bytes id;
	enum err rc = OK;

	if (out != NULL)
		*out = NULL;
	TRY(key_check_name(call, "New Key Name", how->name, BYTES_NONE));
	if (how->versioned && from->object_type == OBJECT_TYPE_TEMPLATE)
		TRY(key_refuse(call, ERR_FIELD, "Key Bytes", how->name,
		    "a template has no key bytes"));
	/* req: KS-28-139 */
	if (how->owner.octets == 0 && how->permissions && from->card != NULL &&
	    from->card->permission_count != 0)
		TRY(key_refuse(call, ERR_FIELD, "Copy Group Permissions",
		    how->name, "a global key has no group permissions"));
	TRY(store_savepoint(st));
	TRY(store_savepoint_end(st, make_clone(call, from, how, &id)));
	if (out != NULL)
		TRY(store_find(st, id, out));
out:
	return rc;
}
