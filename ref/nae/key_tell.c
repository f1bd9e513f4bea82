/*
 * What is told of keys, and the keys themselves.
 *
 * Source: protocol note section 2.7; guide chapter 28
 */
#include "device/access.h"
#include "nae/attribute.h"
#include "nae/key_request.h"
#include "nae/text.h"

enum { LIST_MOST = 1000 }; /* keys in an answer */

/* ---- a key ---- */

static enum err
version_put(struct nae_request *rq, const struct key_version *version)
{
	struct appliance *appliance = rq->config->appliance;
	char date[CLOCK_TEXT_OCTETS];
	struct buf *out = &rq->body;
	enum err rc = OK;

	clock_text(appliance->clock, version->created_s, date);
	TRY(element_put_text(out, EL_CREATION_DATE, date));
	if (version->iv.octets != 0)
		TRY(element_put_hex(out, EL_DEFAULT_IV, version->iv));
	if (version->fingerprint.octets != 0)
		TRY(element_put_hex(out, EL_FINGERPRINT, version->fingerprint));
out:
	return rc;
}

static enum err
version_list_put(
    struct nae_request *rq, const struct object *key, uint32_t count)
{
	struct buf *out = &rq->body;
	struct key_version version;
	uint32_t number;
	enum err rc = OK;

	TRY(element_open(out, EL_KEY_VERSION_LIST));
	for (number = 1; number <= count; number++) {
		TRY(key_version_info(&rq->call, key, number, &version));
		TRY(element_open(out, EL_KEY_VERSION));
		TRY(element_put_number(out, EL_KEY_VERSION_NUMBER, number));
		TRY(element_put_text(
		    out, EL_KEY_VERSION_STATE, card_state_text(version.state)));
		TRY(version_put(rq, &version));
		TRY(element_close(out, EL_KEY_VERSION));
	}
	TRY(element_close(out, EL_KEY_VERSION_LIST));
out:
	return rc;
}

/* How many versions there are, and in which states. */
static enum err
version_counts_put(
    struct nae_request *rq, const struct card *card, uint32_t count)
{
	struct buf *out = &rq->body;
	enum err rc = OK;

	TRY(element_put_number(out, EL_NUM_VERSIONS, count));
	TRY(element_put_number(out, EL_NUM_ACTIVE, card->count[CARD_ACTIVE]));
	TRY(element_put_number(
	    out, EL_NUM_RESTRICTED, card->count[CARD_RESTRICTED]));
	TRY(element_put_number(out, EL_NUM_RETIRED, card->count[CARD_RETIRED]));
out:
	return rc;
}

static enum err
attributes_put(struct nae_request *rq, const struct object *key)
{
	struct key_attribute *attributes;
	struct buf *out = &rq->body;
	size_t count;
	size_t k;
	enum err rc = OK;

	TRY(key_attributes(&rq->call, key, &attributes, &count));
	TRY(element_open(out, EL_CUSTOM_ATTRIBUTES));
	for (k = 0; k < count; k++) {
		TRY(element_open(out, EL_CUSTOM_ATTRIBUTE));
		TRY(element_put(out, EL_NAME, attributes[k].name));
		TRY(element_put(out, EL_VALUE, attributes[k].value));
		TRY(element_close(out, EL_CUSTOM_ATTRIBUTE));
	}
	TRY(element_close(out, EL_CUSTOM_ATTRIBUTES));
out:
	return rc;
}

static enum err
names_put(struct nae_request *rq, const struct key_info *info)
{
	struct buf *out = &rq->body;
	enum err rc = OK;

	TRY(element_put(out, EL_KEY_NAME, info->name));
	if (info->row != NULL) {
		TRY(element_put_text(out, EL_ALGORITHM, info->row->word));
		TRY(element_put_number(out, EL_KEY_SIZE, info->row->key_bits));
	}
	if (info->owner.octets != 0)
		TRY(element_put(out, EL_OWNER, info->owner));
	TRY(element_put_flag(out, EL_EXPORTABLE, info->exportable));
	TRY(element_put_flag(out, EL_DELETABLE, info->deletable));
out:
	return rc;
}

/* What is told of a key, and of one version of it. */
static enum err
key_put(struct nae_request *rq, const struct object *key,
    const struct key_version *version)
{
	uint32_t versions = key_versions(key);
	struct buf *out = &rq->body;
	struct key_info info;
	enum err rc = OK;

	TRY(key_info(&rq->call, key, &info));
	TRY(names_put(rq, &info));
	TRY(element_put_flag(out, EL_VERSIONED_KEY, versions != 0));
	TRY(element_put(out, EL_UNIQUE_ID, version->unique_id));
	TRY(version_put(rq, version));
	if (versions != 0) {
		TRY(version_counts_put(rq, info.card, versions));
		TRY(version_list_put(rq, key, versions));
	}
	TRY(key_permissions_put(out, info.card));
	TRY(attributes_put(rq, key));
out:
	return rc;
}

/* req: KS-28-042 KS-28-176 */
enum err
nae_key_info(struct nae_request *rq)
{
	struct key_version version;
	const struct object *key;
	struct key_select select;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_ONE, &select));
	TRY(key_asked(rq, select.name, USE_INFO, &key));
	TRY(key_version_asked(rq, key, select.number, USE_INFO, &version));
	TRY(key_put(rq, key, &version));
out:
	return rc;
}

/* ---- lists ---- */

struct listing {
	struct nae_request *rq;
	struct bytes fingerprint; /* none: any */
	struct nae_attribute *attributes;
	size_t attribute_count;
	bool any; /* one of them will do */
	const struct object **page;
	size_t page_count;
	size_t shown;
	size_t total;
};

/* Has the key this attribute, with this value? */
static bool
has_attribute(const struct key_attribute *attributes, size_t count,
    const struct nae_attribute *wanted)
{
	size_t k;

	for (k = 0; k < count; k++) {
		if (bytes_equal(attributes[k].name, wanted->name) &&
		    bytes_equal(attributes[k].value, wanted->value))
			return true;
	}
	return false;
}

static bool
attributes_match(const struct listing *l, const struct object *key)
{
	struct key_attribute *attributes;
	size_t count;
	size_t k;

	if (l->attribute_count == 0)
		return true;
	if (key_attributes(&l->rq->call, key, &attributes, &count) != OK)
		return false;
	for (k = 0; k < l->attribute_count; k++) {
		bool has = has_attribute(attributes, count, &l->attributes[k]);

		if (has == l->any)
			return has;
	}
	return !l->any;
}

static bool
is_listed(void *ctx, const struct object *key)
{
	const struct listing *l = ctx;
	struct key_info info;

	if (key_info(&l->rq->call, key, &info) != OK)
		return false;
	if (l->fingerprint.octets != 0 &&
	    (info.card == NULL ||
		!bytes_equal(info.card->fingerprint, l->fingerprint)))
		return false;
	return attributes_match(l, key);
}

/* Offset and MaxKeys. */
static enum err
page_asked(struct nae_request *rq, size_t *offset, size_t *most)
{
	uint64_t number = 0;
	enum err rc = OK;

	if (element_find(rq->root, EL_OFFSET) != NULL)
		TRY(nae_number(rq, EL_OFFSET, 0, UINT32_MAX, &number));
	*offset = (size_t)number;
	number = LIST_MOST;
	if (element_find(rq->root, EL_MAX_KEYS) != NULL)
		TRY(nae_number(rq, EL_MAX_KEYS, 1, UINT32_MAX, &number));
	*most = number < LIST_MOST ? (size_t)number : LIST_MOST;
out:
	return rc;
}

static enum err
filter_asked(struct nae_request *rq, struct listing *l)
{
	const struct element *list =
	    element_find(rq->root, EL_CUSTOM_ATTRIBUTES);
	const struct element *fingerprint =
	    element_find(rq->root, EL_FINGERPRINT);
	struct bytes match = BYTES_NONE;
	enum err rc = OK;

	if (fingerprint != NULL &&
	    (hex_read(rq->arena, fingerprint->text, &l->fingerprint) != OK ||
		l->fingerprint.octets == 0))
		return nae_refuse_element(rq, NAE_VALUE, EL_FINGERPRINT);
	TRY(nae_attributes_read(
	    rq, rq->root, &l->attributes, &l->attribute_count));
	if (list != NULL)
		match = element_text(list, EL_MATCH);
	l->any = bytes_equal_text(match, "ANY");
	if (match.octets != 0 && !l->any && !bytes_equal_text(match, "ALL"))
		TRY(nae_refuse_element(rq, NAE_VALUE, EL_MATCH));
out:
	return rc;
}

typedef enum err put_fn(struct nae_request *rq, const struct object *key,
    const struct key_info *info);

static enum err
put_name(struct nae_request *rq, const struct object *key,
    const struct key_info *info)
{
	(void)key;
	return element_put(&rq->body, EL_KEY_NAME, info->name);
}

static enum err
put_key(struct nae_request *rq, const struct object *key,
    const struct key_info *info)
{
	struct key_version version;
	enum err rc = OK;

	(void)info;
	TRY(key_version_info(&rq->call, key, 0, &version));
	TRY(element_open(&rq->body, EL_KEY));
	TRY(key_put(rq, key, &version));
	TRY(element_close(&rq->body, EL_KEY));
out:
	return rc;
}

/* What KMIP has made without a name has none here. */
static enum err
put_named(struct listing *l, const struct object *key, put_fn *put)
{
	struct key_info info;
	enum err rc = OK;

	TRY(key_info(&l->rq->call, key, &info));
	if (info.name.octets == 0)
		return OK;
	TRY(put(l->rq, key, &info));
	l->shown++;
out:
	return rc;
}

/* A page of keys as the store has them, the most recent first. */
static enum err
keep_key(void *ctx, const struct object *key)
{
	struct listing *l = ctx;

	l->page[l->page_count++] = key;
	return OK;
}

/*
 * The session's keys, the oldest first, so that what is made meanwhile moves
 * no page.
 */
static enum err
list(struct nae_request *rq, struct listing *l, enum element_name around,
    put_fn *put)
{
	struct key_list keys = {
	    .scopes = rq->user->scopes,
	    .scope_count = rq->user->scope_count,
	    .most = 1,
	    .count_all = true,
	    .ctx = l,
	};
	size_t offset;
	size_t most;
	enum err rc = OK;

	if (l->fingerprint.octets != 0 || l->attribute_count != 0)
		keys.filter = is_listed;
	TRY(page_asked(rq, &offset, &most));
	TRY(ARENA_ARRAY(rq->arena, l->page, most + 1));
	TRY(key_each(&rq->call, &keys, keep_key, l, &l->total));
	l->page_count = 0;
	if (offset < l->total) {
		keys.most = most < l->total - offset ? most : l->total - offset;
		keys.offset = l->total - offset - keys.most;
		keys.count_all = false;
		TRY(key_each(&rq->call, &keys, keep_key, l, NULL));
	}
	TRY(element_open(&rq->body, around));
	while (l->page_count != 0)
		TRY(put_named(l, l->page[--l->page_count], put));
	TRY(element_close(&rq->body, around));
out:
	return rc;
}

enum err
nae_key_names(struct nae_request *rq)
{
	struct listing l = {.rq = rq};
	enum err rc = OK;

	TRY(filter_asked(rq, &l));
	TRY(list(rq, &l, EL_KEY_NAME_LIST, put_name));
	TRY(element_put_number(&rq->body, EL_KEY_COUNT, l.shown));
	TRY(element_put_number(&rq->body, EL_TOTAL_KEYS, l.total));
out:
	return rc;
}

enum err
nae_key_query(struct nae_request *rq)
{
	struct listing l = {.rq = rq};

	return list(rq, &l, EL_KEY_LIST, put_key);
}

/* ---- keys themselves ---- */

static enum err
data_put(struct nae_request *rq, const struct object *key,
    const struct key_version *version)
{
	struct bytes text;
	enum err rc = OK;

	TRY(key_text(&rq->call, key, version->number, &text));
	TRY(element_put(&rq->body, EL_KEY_DATA, text));
out:
	return rc;
}

/* All versions, the latest first; those that cannot be exported are passed
 * over. */
static enum err
all_data_put(struct nae_request *rq, const struct object *key)
{
	struct buf *out = &rq->body;
	uint32_t number = key_versions(key);
	struct key_version version;
	enum err rc = OK;

	if (number == 0)
		return ERR_NOT_VERSIONED;
	TRY(element_open(out, EL_KEY_VERSION_LIST));
	for (; number != 0; number--) {
		TRY(key_version_info(&rq->call, key, number, &version));
		if (version.state != CARD_ACTIVE)
			continue;
		TRY(element_open(out, EL_KEY_VERSION));
		TRY(element_put_number(out, EL_KEY_VERSION_NUMBER, number));
		TRY(element_put_hex(out, EL_FINGERPRINT, version.fingerprint));
		TRY(data_put(rq, key, &version));
		TRY(element_close(out, EL_KEY_VERSION));
	}
	TRY(element_close(out, EL_KEY_VERSION_LIST));
out:
	return rc;
}

/* req: KS-03-062 KS-03-148 KS-28-097 KS-38-095 ESKM-068 */
enum err
nae_key_export(struct nae_request *rq)
{
	struct key_version version;
	const struct object *key;
	struct key_select select;
	struct key_info info;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_ONE | MAY_SELECT_ALL, &select));
	TRY(key_asked(rq, select.name, USE_EXPORT, &key));
	TRY(key_info(&rq->call, key, &info));
	TRY(element_put(&rq->body, EL_KEY_NAME, info.name));
	if (info.row != NULL)
		TRY(element_put_text(&rq->body, EL_ALGORITHM, info.row->word));
	if (select.which == SELECT_ALL)
		return all_data_put(rq, key);
	TRY(key_version_asked(rq, key, select.number, USE_EXPORT, &version));
	TRY(data_put(rq, key, &version));
out:
	return rc;
}

enum err
nae_public_key_export(struct nae_request *rq)
{
	struct key_version version;
	const struct object *key;
	struct key_select select;
	struct bytes text;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_ONE, &select));
	TRY(key_asked(rq, select.name, USE_PUBLIC, &key));
	TRY(key_version_asked(rq, key, select.number, USE_INFO, &version));
	TRY(key_public_text(&rq->call, key, select.number, &text));
	TRY(element_put(&rq->body, EL_KEY_DATA, text));
out:
	return rc;
}
