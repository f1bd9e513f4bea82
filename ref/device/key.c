#include "device/key.h"

#include <stdio.h>
#include <string.h>

#include "crypto/keyformat.h"
#include "crypto/pki.h"
#include "device/access.h"
#include "device/birth.h"
#include "device/entry.h"
#include "device/key_attribute.h"
#include "device/key_work.h"
#include "wire/ttlv.h"

static const char name_field[] = "Key Name";

void
key_call_init(
    struct key_call *call, struct appliance *appliance, struct arena *arena)
{
	*call = (struct key_call){.appliance = appliance, .arena = arena};
	if (appliance->root != NULL)
		call->keystore = root_keystore(appliance->root);
}

/* ---- what the functions that write have in common ---- */

enum err
key_refuse(struct key_call *call, enum err rc, const char *field,
    struct bytes value, const char *rule)
{
	entry_refuse(field, value, rule, call->why);
	return rc;
}

enum err
key_edit(struct key_call *call, const struct object *key, struct object **out)
{
	const struct object *now;
	enum err rc = OK;

	*out = NULL;
	/* as it is, not as the caller has come by it */
	TRY(store_find(call->appliance->store, key->id, &now));
	TRY(object_clone(now, out));
out:
	return rc;
}

enum err
key_card_need(struct object *o)
{
	enum err rc = OK;

	if (o->card != NULL)
		return OK;
	TRY(ARENA_NEW(o->arena, o->card));
	o->card->deletable = true;
	o->card->created_s = attr_number(&o->attrs, TAG_INITIAL_DATE, 0);
out:
	return rc;
}

/* What a template gives to keys that KMIP makes from it. */
static bool
is_lent(const struct attr *one)
{
	struct bytes name;

	return one->def->tag == TAG_CRYPTOGRAPHIC_ALGORITHM ||
	       one->def->tag == TAG_CRYPTOGRAPHIC_LENGTH ||
	       one->def->tag == TAG_CRYPTOGRAPHIC_USAGE_MASK ||
	       key_attribute_is(one, &name);
}

/* One of the appliance's own; KMIP's are as their client has them. */
static enum err
template_write(struct key_call *call, struct object *o)
{
	struct item *value;
	struct buf encoded;
	enum err rc = OK;

	buf_init(&encoded, OBJECT_VALUE_MAX_OCTETS);
	if (attr_find(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM) == NULL)
		goto out;
	TRY(item_add_structure(call->arena, NULL, TAG_TEMPLATE, &value));
	ATTR_EACH (&o->attrs, one) {
		if (is_lent(one))
			TRY(attr_write(call->arena, value, V1_4, one));
	}
	TRY(ttlv_write(value, &encoded));
	TRY(object_set_value(o, buf_peek(&encoded), false));
out:
	buf_clear(&encoded);
	return rc;
}

enum err
key_put(struct key_call *call, struct object *take)
{
	struct object *o = take;
	enum err rc = OK;

	if (o->object_type == OBJECT_TYPE_TEMPLATE)
		TRY(template_write(call, o));
	TRY(attr_set_number(o->arena, &o->attrs, TAG_LAST_CHANGE_DATE,
	    env_wall_s(call->appliance->env)));
	take = NULL;
	TRY(store_update(call->appliance->store, o));
out:
	object_free(take);
	return rc;
}

enum err
key_save(struct key_call *call, struct object **o)
{
	struct store *st = call->appliance->store;
	struct object *take = *o;
	enum err rc = OK;

	TRY(store_savepoint(st));
	*o = NULL;
	rc = store_savepoint_end(st, key_put(call, take));
out:
	return rc;
}

static void
take_all(struct attr_list *list, enum tag tag)
{
	struct attr *one;

	while ((one = attr_find(list, tag)) != NULL)
		attr_remove(list, one);
}

enum err
key_bytes_set(
    struct key_call *call, struct object *o, const struct key_octets *octets)
{
	enum err rc = OK;

	take_all(&o->attrs, TAG_DIGEST);
	TRY(attr_set_number(
	    o->arena, &o->attrs, TAG_KEY_FORMAT_TYPE, octets->format));
	TRY(birth_add_digest(o, octets->octets, octets->format));
	TRY(key_value_set(call, o, octets,
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0),
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0)));
out:
	return rc;
}

const struct key_algorithm *
key_row(const struct object *o)
{
	return key_algorithm_of(
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0),
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0));
}

/* ---- names ---- */

/* req: KS-28-063 KS-28-064 KS-28-065 KS-28-192 KS-28-193 KS-28-194
 * req: KS-28-267 KS-28-269 KS-28-358 */
static const struct entry_rule name_rule = {
    .type = ENTRY_TEXT, .kind = TEXT_NAME};

bool
key_name_is_good(struct bytes name)
{
	char kept[ENTRY_OCTETS];
	int64_t number;

	return entry_read(&name_rule, name, kept, &number) == OK;
}

/* req: KS-28-061 KS-28-191 KS-28-266 */
enum err
key_check_name(struct key_call *call, const char *field, struct bytes name,
    struct bytes except)
{
	struct bytes term;
	bool taken;
	enum err rc = OK;

	if (!key_name_is_good(name))
		TRY(key_refuse(call, ERR_KEY_NAME, field, name,
		    entry_kind_rule(TEXT_NAME)));
	TRY(object_name_term(call->arena, name, &term));
	TRY(store_name_taken(
	    call->appliance->store, BYTES_NONE, term, except, &taken));
	if (taken)
		TRY(key_refuse(call, ERR_NAME_TAKEN, field, name,
		    "another key has this name"));
out:
	return rc;
}

enum err
key_add_name(struct object *o, struct bytes name)
{
	struct item *value;
	enum err rc = OK;

	TRY(arena_copy(o->arena, name, &name));
	TRY(item_add_structure(o->arena, NULL, TAG_NAME, &value));
	TRY(item_add_octets(
	    o->arena, value, TAG_NAME_VALUE, TEXT_STRING, name));
	TRY(item_add_number(o->arena, value, TAG_NAME_TYPE, ENUMERATION,
	    NAME_TYPE_UNINTERPRETED_TEXT_STRING));
	TRY(attr_add_item(o->arena, &o->attrs, value));
out:
	return rc;
}

/* "key-" and 16 digits of base 16. */
static enum err
make_name(struct key_call *call, struct bytes *out)
{
	uint8_t random[8];
	struct bytes text;
	const char *name;
	enum err rc = OK;

	TRY(env_random_public(call->appliance->env, random, sizeof(random)));
	TRY(key_hex_text(
	    call->arena, (struct bytes){random, sizeof(random)}, &text));
	TRY(arena_printf(call->arena, &name, "key-%.*s", (int)text.octets,
	    (const char *)text.at));
	*out = bytes_of_text(name);
out:
	return rc;
}

/* ---- finding ---- */

enum err
key_find(struct key_call *call, const struct bytes *scopes, size_t scope_count,
    struct bytes name, const struct object **out)
{
	return store_find_name(
	    call->appliance->store, scopes, scope_count, name, out);
}

uint32_t
key_versions(const struct object *key)
{
	return key->card != NULL ? key->card->newest : 0;
}

static struct bytes
first_name(const struct object *key)
{
	const struct attr *one = attr_find(&key->attrs, TAG_NAME);

	return one != NULL ? item_octets(one->value, TAG_NAME_VALUE)
			   : BYTES_NONE;
}

/* The algorithm that a Template of KMIP's lends. */
static enum err
template_read(
    struct key_call *call, const struct object *key, struct attr_list *list)
{
	struct fault f = {{0}};
	struct bytes copy;
	struct item *value;
	enum err rc = OK;

	if (key->value.octets == 0)
		return OK;
	TRY(arena_copy(call->arena, key->value, &copy));
	TRY(ttlv_parse(call->arena, copy, &value));
	TRY(attr_read_list(call->arena, value, V1_4, list, &f));
out:
	return rc;
}

/* req: KS-28-002 KS-28-003 KS-28-008 KS-28-009 KS-28-010 KS-28-011 */
enum err
key_info(struct key_call *call, const struct object *key, struct key_info *out)
{
	const struct card *card = key->card;
	const struct attr_list *attrs = &key->attrs;
	struct attr_list lent = {0};
	enum err rc = OK;

	*out = (struct key_info){.id = key->id,
	    .name = first_name(key),
	    .owner = key->owner,
	    .object_type = key->object_type,
	    .is_template = key->object_type == OBJECT_TYPE_TEMPLATE,
	    .exportable = attr_number(attrs, TAG_EXTRACTABLE, 1) != 0,
	    .deletable = card == NULL || card->deletable,
	    .created_s = attr_number(attrs, TAG_INITIAL_DATE, 0),
	    .card = card};
	if (key_versions(key) == 0)
		out->state = object_state(key);
	if (out->is_template &&
	    attr_find(attrs, TAG_CRYPTOGRAPHIC_ALGORITHM) == NULL) {
		TRY(template_read(call, key, &lent));
		attrs = &lent;
	}
	out->algorithm =
	    (uint32_t)attr_number(attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0);
	out->key_bits =
	    (uint32_t)attr_number(attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0);
	out->row = key_algorithm_of(out->algorithm, out->key_bits);
out:
	return rc;
}

enum err
key_other_names(struct key_call *call, const struct object *key,
    struct bytes **out, size_t *count)
{
	const struct attr *first = attr_find(&key->attrs, TAG_NAME);
	enum err rc = OK;

	*count = 0;
	TRY(ARENA_ARRAY(call->arena, *out, key->attrs.count + 1));
	ATTR_EACH (&key->attrs, one) {
		if (one->def->tag == TAG_NAME && one != first)
			(*out)[(*count)++] =
			    item_octets(one->value, TAG_NAME_VALUE);
	}
out:
	return rc;
}

/* ---- making ---- */

static enum err
check_permissions(struct key_call *call, struct bytes owner,
    enum key_family family, const struct card_permission *permissions,
    size_t count)
{
	return access_check_permissions(
	    call->appliance, owner, family, permissions, count, call->why);
}

/* req: KS-28-091 KS-28-205 KS-28-284 */
static enum err
check_activated(struct key_call *call, const struct key_algorithm *algorithm)
{
	const struct settings *settings = call->appliance->settings;

	if (algorithm->algorithm != CRYPTOGRAPHIC_ALGORITHM_SEED ||
	    (settings != NULL && setting_number(settings, SETTING_SEED) != 0))
		return OK;
	return key_refuse(call, ERR_FEATURE, "Algorithm",
	    bytes_of_text(algorithm->name), "this algorithm is not activated");
}

enum err
key_check(struct key_call *call, const struct key_spec *spec)
{
	struct attr_list list = {0};
	enum err rc = OK;
	size_t k;

	if (spec->name.octets != 0)
		TRY(key_check_name(call, name_field, spec->name, BYTES_NONE));
	/* req: KS-28-210 */
	if (spec->is_template && spec->versioned)
		TRY(key_refuse(call, ERR_FIELD, "Versioned Key Bytes",
		    spec->name, "a template has no key bytes"));
	if (spec->certified && spec->versioned)
		TRY(key_refuse(call, ERR_FIELD, "Versioned Key Bytes",
		    spec->name, "a certificate is of one key"));
	TRY(check_activated(call, spec->algorithm));
	TRY(check_permissions(call, spec->owner,
	    key_family_with(spec->algorithm->family, spec->certified),
	    spec->permissions, spec->permission_count));
	for (k = 0; k < spec->attribute_count; k++)
		TRY(key_attribute_give(
		    call, call->arena, &list, &spec->attributes[k]));
out:
	return rc;
}

/* Usage Mask, as KMIP clients see it. */
static int64_t
usage_of(enum key_family family)
{
	switch (family) {
	case FAMILY_HMAC:
		return CRYPTOGRAPHIC_USAGE_MASK_MAC_GENERATE |
		       CRYPTOGRAPHIC_USAGE_MASK_MAC_VERIFY;
	case FAMILY_RSA:
		return CRYPTOGRAPHIC_USAGE_MASK_SIGN |
		       CRYPTOGRAPHIC_USAGE_MASK_DECRYPT;
	case FAMILY_CIPHER:
	case FAMILY_OTHER:
	case FAMILY_ANY:
	case FAMILY_CERTIFIED:
		break;
	}
	return CRYPTOGRAPHIC_USAGE_MASK_ENCRYPT |
	       CRYPTOGRAPHIC_USAGE_MASK_DECRYPT;
}

/* All but its bytes. */
static enum err
object_of_spec(struct key_call *call, const struct key_spec *spec,
    uint32_t object_type, struct object **out)
{
	const struct key_algorithm *algorithm = spec->algorithm;
	struct env *env = call->appliance->env;
	struct bytes name = spec->name;
	struct object *o = NULL;
	struct arena *a;
	enum err rc = OK;
	size_t k;

	*out = NULL;
	if (name.octets == 0)
		TRY(make_name(call, &name));
	TRY(object_new(env, object_type, spec->owner, &o));
	a = o->arena;
	TRY(key_add_name(o, name));
	TRY(attr_add_number(
	    a, &o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, algorithm->algorithm));
	TRY(attr_add_number(
	    a, &o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, algorithm->key_bits));
	TRY(attr_add_number(a, &o->attrs, TAG_CRYPTOGRAPHIC_USAGE_MASK,
	    usage_of(algorithm->family)));
	TRY(attr_add_number(a, &o->attrs, TAG_EXTRACTABLE, spec->exportable));
	for (k = 0; k < spec->attribute_count; k++)
		TRY(key_attribute_give(
		    call, a, &o->attrs, &spec->attributes[k]));
	TRY(key_card_need(o));
	o->card->deletable = spec->deletable;
	TRY(card_set_permissions(
	    a, o->card, spec->permissions, spec->permission_count));
	/* req: KS-28-101 */
	if (spec->versioned) {
		o->card->newest = 1;
		o->card->count[spec->version_state] = 1;
		o->card->state = spec->version_state;
	}
	*out = o;
	o = NULL; /* now the caller's */
out:
	object_free(o);
	return rc;
}

static enum err
insert(struct key_call *call, struct object *take, const struct object **out)
{
	struct store *st = call->appliance->store;
	struct object *o = take;
	struct bytes id;
	enum err rc = OK;

	TRY(arena_copy(call->arena, o->id, &id));
	TRY(store_savepoint(st));
	take = NULL;
	TRY(store_savepoint_end(st, store_insert(st, o)));
	if (out != NULL)
		TRY(store_find(st, id, out));
out:
	object_free(take);
	return rc;
}

enum err
key_build(struct key_call *call, const struct key_spec *spec,
    const struct key_octets *octets, bool generated, struct object **out)
{
	struct object *o = NULL;
	int64_t now_s = env_wall_s(call->appliance->env);
	enum err rc = OK;

	*out = NULL;
	TRY(object_of_spec(call, spec, octets->object_type, &o));
	TRY(key_card_fill(call, o->arena, octets, spec->algorithm, o->card));
	TRY(key_bytes_set(call, o, octets));
	TRY(birth_complete(o, 0, now_s, generated));
	TRY(object_set_state(o, STATE_ACTIVE, now_s));
	*out = o;
	o = NULL; /* now the caller's */
out:
	object_free(o);
	return rc;
}

static enum err
make_key(struct key_call *call, const struct key_spec *spec,
    const struct key_octets *octets, bool generated, const struct object **out)
{
	struct object *o;
	enum err rc = OK;

	TRY(key_build(call, spec, octets, generated, &o));
	TRY(insert(call, o, out));
out:
	return rc;
}

/* req: KS-28-005 KS-28-007 */
static enum err
make_template(struct key_call *call, const struct key_spec *spec,
    const struct object **out)
{
	struct object *o = NULL;
	struct object *take;
	enum err rc = OK;

	TRY(object_of_spec(call, spec, OBJECT_TYPE_TEMPLATE, &o));
	TRY(template_write(call, o));
	take = o;
	o = NULL;
	TRY(insert(call, take, out));
out:
	object_free(o);
	return rc;
}

enum err
key_create(struct key_call *call, const struct key_spec *spec,
    const struct keygen_pair *pair, const struct object **out)
{
	struct key_octets octets;
	enum err rc = OK;

	if (out != NULL)
		*out = NULL;
	TRY(key_check(call, spec));
	if (spec->is_template) {
		TRY(make_template(call, spec, out));
		goto out;
	}
	TRY(key_octets_new(call, spec->algorithm, pair, &octets));
	TRY(make_key(call, spec, &octets, true, out));
out:
	return rc;
}

enum err
key_spec_load(
    struct key_call *call, const struct object *template, struct key_spec *out)
{
	struct attr_list lent = {0};
	struct key_info info;
	struct key_attribute *attributes;
	struct object as_key = *template;
	struct card *card;
	size_t k;
	enum err rc = OK;

	*out = (struct key_spec){.exportable = true, .deletable = true};
	if (template->object_type != OBJECT_TYPE_TEMPLATE)
		TRY(ERR_OBJECT_TYPE);
	TRY(key_info(call, template, &info));
	if (info.row == NULL)
		TRY(ERR_FEATURE);
	/* one of KMIP's has all in what it lends */
	if (key_row(template) == NULL) {
		TRY(template_read(call, template, &lent));
		as_key.attrs = lent;
	}
	out->algorithm = info.row;
	out->exportable = info.exportable;
	out->deletable = info.deletable;
	TRY(arena_copy(call->arena, template->owner, &out->owner));
	TRY(key_attributes(call, &as_key, &attributes, &out->attribute_count));
	for (k = 0; k < out->attribute_count; k++) {
		TRY(arena_copy(
		    call->arena, attributes[k].name, &attributes[k].name));
		if (attributes[k].value.octets != 0)
			TRY(arena_copy(call->arena, attributes[k].value,
			    &attributes[k].value));
	}
	out->attributes = attributes;
	if (template->card == NULL)
		return OK;
	TRY(card_copy(call->arena, template->card, &card));
	out->permissions = card->permissions;
	out->permission_count = card->permission_count;
out:
	return rc;
}

/* ---- importing ---- */

static bool
odd_parity(struct bytes key)
{
	size_t k;

	for (k = 0; k < key.octets; k++) {
		if (__builtin_popcount(key.at[k]) % 2 == 0)
			return false;
	}
	return true;
}

/* Of several parts none is weak, and the first differs from the next. */
static bool
is_weak_des(struct bytes key)
{
	const size_t part_octets = 8;
	size_t k;

	for (k = 0; k < key.octets; k += part_octets) {
		struct bytes part = {key.at + k, part_octets};
		struct bytes next = {part.at + part_octets, part_octets};

		if (keygen_des_weak(part) ||
		    (k + part_octets < key.octets &&
			secret_equal_bytes(part, next)))
			return true;
	}
	return false;
}

/* req: KS-28-260 KS-28-261 KS-28-262 */
static enum err
check_des(
    struct key_call *call, const struct key_algorithm *row, struct bytes key)
{
	if (row->algorithm != CRYPTOGRAPHIC_ALGORITHM_DES &&
	    row->algorithm != CRYPTOGRAPHIC_ALGORITHM_3DES)
		return OK;
	if (!odd_parity(key))
		return key_refuse(call, ERR_WEAK_KEY, "Algorithm",
		    bytes_of_text(row->name),
		    "the parity bits of the key are wrong");
	if (is_weak_des(key))
		return key_refuse(call, ERR_WEAK_KEY, "Algorithm",
		    bytes_of_text(row->name), "the key is weak");
	return OK;
}

static struct bytes
without_ends(struct bytes text)
{
	while (text.octets != 0 && (text.at[text.octets - 1] == '\n' ||
				       text.at[text.octets - 1] == '\r' ||
				       text.at[text.octets - 1] == ' '))
		text.octets--;
	return text;
}

/* req: KS-28-259 */
static enum err
read_symmetric(struct key_call *call, struct bytes data, uint32_t algorithm,
    struct key_octets *out, uint32_t *key_bits)
{
	enum err rc = OK;

	out->object_type = OBJECT_TYPE_SYMMETRIC_KEY;
	out->format = KEY_FORMAT_TYPE_RAW;
	rc = key_hex_read(call->arena, without_ends(data), &out->octets);
	if (rc == ERR_VALUE || (rc == OK && out->octets.octets == 0))
		rc = key_refuse(call, ERR_KEY_DATA, "Key", BYTES_NONE,
		    "a symmetric key is imported in base 16");
	TRY(rc);
	*key_bits = keygen_symmetric_bits(algorithm, out->octets.octets);
out:
	return rc;
}

/* req: KS-28-257 KS-28-258 */
static enum err
read_rsa(struct key_call *call, struct bytes data, struct key_octets *out,
    uint32_t *key_bits)
{
	struct keyparts parts;
	struct fault f = {{0}};
	struct buf der;
	const char *why;
	enum err rc = OK;

	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	out->object_type = OBJECT_TYPE_PRIVATE_KEY;
	out->format = KEY_FORMAT_TYPE_PKCS_1;
	rc = pki_pem_read(PKI_RSA_PRIVATE, data, &der, &why);
	if (rc == OK)
		rc = arena_copy(call->arena, buf_peek(&der), &out->octets);
	if (rc == OK)
		rc = keyformat_read(
		    KEY_FORMAT_TYPE_PKCS_1, true, out->octets, &parts, &f);
	if (rc == ERR_FIELD || rc == ERR_KEY_FORMAT)
		rc = key_refuse(call, ERR_KEY_DATA, "Key", BYTES_NONE,
		    "an RSA key is imported as PEM, with its private and its "
		    "public part (PKCS#1)");
	TRY(rc);
	*key_bits = parts.key_bits;
out:
	buf_clear(&der);
	return rc;
}

enum err
key_import(struct key_call *call, const struct key_spec *spec,
    uint32_t key_bits, struct bytes data, const struct object **out)
{
	struct key_spec real = *spec;
	struct key_octets octets = {0};
	uint32_t bits = 0;
	enum err rc = OK;

	if (out != NULL)
		*out = NULL;
	if (spec->is_template)
		TRY(ERR_FIELD);
	TRY(key_check(call, spec));
	TRY(spec->algorithm->family == FAMILY_RSA
		? read_rsa(call, data, &octets, &bits)
		: read_symmetric(
		      call, data, spec->algorithm->algorithm, &octets, &bits));
	real.algorithm = key_algorithm_of(spec->algorithm->algorithm, bits);
	if (real.algorithm == NULL ||
	    (key_bits != 0 &&
		real.algorithm !=
		    key_algorithm_of(spec->algorithm->algorithm, key_bits)))
		TRY(key_refuse(call, ERR_KEY_DATA, "Key", BYTES_NONE,
		    "its length is not one of the algorithm's"));
	TRY(check_des(call, real.algorithm, octets.octets));
	TRY(make_key(call, &real, &octets, false, out));
out:
	return rc;
}

/* ---- changing ---- */

/* In place of the first one. req: KS-28-066 KS-28-195 */
static enum err
rename_key(struct key_call *call, struct object *o, struct bytes name)
{
	struct attr *first = attr_find(&o->attrs, TAG_NAME);
	struct bytes copy;
	enum err rc = OK;

	if (first != NULL &&
	    bytes_equal(item_octets(first->value, TAG_NAME_VALUE), name))
		return OK;
	TRY(key_check_name(call, name_field, name, BYTES_NONE));
	if (first == NULL) {
		TRY(key_add_name(o, name));
		return OK;
	}
	TRY(arena_copy(o->arena, name, &copy));
	item_find(first->value, TAG_NAME_VALUE)->octets = copy;
out:
	return rc;
}

/* req: KS-28-109 */
static enum err
set_other_names(
    struct key_call *call, struct object *o, const struct key_change *change)
{
	struct attr *next;
	struct bytes key_name = first_name(o);
	enum err rc = OK;
	size_t k;
	size_t n;

	if (change->other_name_count > KEY_OTHER_NAMES_MOST)
		TRY(ERR_ATTRIBUTES);
	for (struct attr *one = o->attrs.first; one != NULL; one = next) {
		next = one->next;
		if (one->def->tag == TAG_NAME &&
		    !bytes_equal(
			item_octets(one->value, TAG_NAME_VALUE), key_name))
			attr_remove(&o->attrs, one);
	}
	for (k = 0; k < change->other_name_count; k++) {
		struct bytes name = change->other_names[k];
		bool twice = bytes_equal(name, key_name);

		TRY(key_check_name(call, "Other Key Names", name, o->id));
		for (n = 0; n < k; n++)
			twice =
			    twice || bytes_equal(name, change->other_names[n]);
		if (twice)
			TRY(key_refuse(call, ERR_NAME_TAKEN, "Other Key Names",
			    name, "the key has this name already"));
		TRY(key_add_name(o, name));
	}
out:
	return rc;
}

static enum err
set_attributes(
    struct key_call *call, struct object *o, const struct key_change *change)
{
	enum err rc = OK;
	size_t k;

	for (k = 0; k < change->attribute_count; k++)
		key_attribute_take(&o->attrs, change->attributes[k].name);
	for (k = 0; k < change->attribute_count; k++) {
		if (change->attributes[k].value.octets != 0)
			TRY(key_attribute_give(
			    call, o->arena, &o->attrs, &change->attributes[k]));
	}
out:
	return rc;
}

/* Owner and permissions, which depend on each other. req: KS-28-073 */
static enum err
set_access(
    struct key_call *call, struct object *o, const struct key_change *change)
{
	const struct key_algorithm *row = key_row(o);
	enum key_family family = row != NULL ? row->family : key_family(o);
	enum err rc = OK;

	if (change->owner != NULL)
		TRY(arena_copy(o->arena, *change->owner, &o->owner));
	if (change->has_permissions) {
		TRY(check_permissions(call, o->owner,
		    key_family_with(family, key_is_certified(call, o)),
		    change->permissions, change->permission_count));
		TRY(key_card_need(o));
		TRY(card_set_permissions(o->arena, o->card, change->permissions,
		    change->permission_count));
	}
	/* req: KS-28-139 KS-28-222 */
	if (o->owner.octets == 0 && o->card != NULL &&
	    o->card->permission_count != 0)
		TRY(key_refuse(call, ERR_FIELD, "Owner Username", BYTES_NONE,
		    "a global key has no group permissions"));
out:
	return rc;
}

static enum err
change_key(
    struct key_call *call, struct object *o, const struct key_change *change)
{
	enum err rc = OK;

	if (change->name != NULL)
		TRY(rename_key(call, o, *change->name));
	if (change->has_other_names)
		TRY(set_other_names(call, o, change));
	/* req: KS-28-098 KS-28-209 */
	if (change->exportable != NULL)
		TRY(attr_set_number(
		    o->arena, &o->attrs, TAG_EXTRACTABLE, *change->exportable));
	/* req: KS-28-094 KS-28-208 */
	if (change->deletable != NULL) {
		TRY(key_card_need(o));
		o->card->deletable = *change->deletable;
	}
	TRY(set_access(call, o, change));
	TRY(set_attributes(call, o, change));
out:
	return rc;
}

/* What is the key's own, and what its certificates have from it. */
static enum err
put_changed(struct key_call *call, struct object **o)
{
	struct object *take;
	enum err rc = OK;

	TRY(key_certificates_follow(call, *o));
	take = *o;
	*o = NULL;
	TRY(key_put(call, take));
out:
	return rc;
}

enum err
key_modify(struct key_call *call, const struct object *key,
    const struct key_change *change)
{
	struct store *st = call->appliance->store;
	struct object *o = NULL;
	enum err rc = OK;

	TRY(key_edit(call, key, &o));
	TRY(change_key(call, o, change));
	TRY(store_savepoint(st));
	rc = store_savepoint_end(st, put_changed(call, &o));
out:
	object_free(o);
	return rc;
}

enum err
key_attribute_append(struct key_call *call, const struct object *key,
    const struct key_attribute *attribute)
{
	struct object *o = NULL;
	enum err rc = OK;

	TRY(key_edit(call, key, &o));
	TRY(key_attribute_give(call, o->arena, &o->attrs, attribute));
	TRY(key_save(call, &o));
out:
	object_free(o);
	return rc;
}

enum err
key_attribute_edit(struct key_call *call, const struct object *key,
    struct bytes name, int32_t index, struct bytes value)
{
	struct key_attribute attribute = {.name = name, .value = value};
	struct object *o = NULL;
	enum err rc = OK;

	TRY(key_edit(call, key, &o));
	rc = key_attribute_take_one(&o->attrs, name, index);
	if (rc == ERR_ATTR_INSTANCE)
		TRY(key_refuse(call, rc, "Attribute Name", name,
		    "the key has no such attribute"));
	TRY(rc);
	if (value.octets != 0) {
		TRY(key_attribute_give(call, o->arena, &o->attrs, &attribute));
		/* req: KS-28-133 KS-28-157: where it was */
		o->attrs.last->index = index;
	}
	TRY(key_save(call, &o));
out:
	object_free(o);
	return rc;
}

static enum err
delete_all(struct key_call *call, const struct object *key)
{
	struct store *st = call->appliance->store;
	enum err rc = OK;

	TRY(key_delete_versions(st, call->arena, key));
	TRY(key_certificates_delete(call, key));
	TRY(store_delete(st, key->id));
out:
	return rc;
}

/* req: KS-38-043 */
enum err
key_delete(struct key_call *call, const struct object *key)
{
	struct store *st = call->appliance->store;
	enum err rc = OK;

	TRY(store_savepoint(st));
	rc = store_savepoint_end(st, delete_all(call, key));
out:
	return rc;
}

/* ---- lists ---- */

enum {
	NOT_GONE = ~(int)(STORE_STATE(STATE_DESTROYED) |
			  STORE_STATE(STATE_DESTROYED_COMPROMISED)),
};

enum err
key_each(struct key_call *call, const struct key_list *list, key_fn *each,
    void *ctx, size_t *count)
{
	struct store *st = call->appliance->store;
	struct store_query query = {
	    .scopes = list->scopes,
	    .scope_count = list->scope_count,
	    .states = (unsigned)NOT_GONE,
	    .filter = list->filter,
	    .ctx = list->ctx,
	    .offset_items = list->offset,
	    .max_items = list->most,
	    .count_all = list->count_all,
	};
	struct store_found found;
	const struct object *key;
	enum err rc = OK;
	size_t k;

	TRY(store_locate(st, call->arena, &query, &found));
	for (k = 0; k < found.id_count; k++) {
		TRY(store_find(st, found.ids[k], &key));
		TRY(each(ctx, key));
	}
	if (count != NULL)
		*count = found.located;
out:
	return rc;
}
