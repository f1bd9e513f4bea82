#include "nae/key_request.h"

#include "base/secret.h"
#include "device/access.h"
#include "device/policy.h"
#include "nae/attribute.h"

/* ---- which key ---- */

enum err
key_named(struct nae_request *rq, unsigned may, struct key_select *out)
{
	struct bytes text = element_text(rq->root, EL_KEY_NAME);
	enum err rc = OK;

	rc = key_select_read(text, out);
	if (out->which != SELECT_DEFAULT && (may & 1u << out->which) == 0)
		return nae_refuse_element(rq, NAE_VALUE, EL_KEY_NAME);
	return rc;
}

enum err
key_asked(struct nae_request *rq, struct bytes name, enum key_use use,
    const struct object **out)
{
	char why[ACCESS_WHY_OCTETS];
	enum err rc = OK;

	TRY(key_find(
	    &rq->call, rq->user->scopes, rq->user->scope_count, name, out));
	TRY(access_check(rq->config->appliance, rq->user, *out, use, 1, why));
out:
	return rc;
}

enum err
key_version_asked(struct nae_request *rq, const struct object *key,
    uint32_t number, enum key_use use, struct key_version *out)
{
	enum err rc = OK;

	TRY(key_version_info(&rq->call, key, number, out));
	if (out->state == CARD_RETIRED ||
	    (use != USE_INFO && out->state != CARD_ACTIVE))
		TRY(ERR_VERSION_STATE);
out:
	return rc;
}

/* ---- fields ---- */

enum err
key_algorithm_asked(struct nae_request *rq, const struct key_algorithm **out,
    uint32_t *key_bits)
{
	struct bytes word = element_text(rq->root, EL_ALGORITHM);
	uint64_t bits = 0;
	enum err rc = OK;

	if (!key_algorithm_is_word(word))
		return nae_refuse(rq, NAE_ALGORITHM);
	if (element_find(rq->root, EL_KEY_SIZE) != NULL)
		TRY(nae_number(rq, EL_KEY_SIZE, 1, UINT32_MAX, &bits));
	*out = key_algorithm_of_word(word, (uint32_t)bits);
	if (*out == NULL)
		TRY(nae_refuse(rq, NAE_KEY_SIZE));
	*key_bits = (uint32_t)bits;
out:
	return rc;
}

enum err
key_state_asked(struct nae_request *rq, enum card_state *out)
{
	const struct element *e = element_find(rq->root, EL_KEY_VERSION_STATE);
	int state;

	*out = CARD_ACTIVE;
	if (e == NULL)
		return OK;
	for (state = 0; state < CARD_STATE_COUNT; state++) {
		*out = (enum card_state)state;
		if (bytes_equal_text(e->text, card_state_text(*out)))
			return OK;
	}
	return nae_refuse_element(rq, NAE_VALUE, EL_KEY_VERSION_STATE);
}

enum err
key_owner_asked(struct nae_request *rq, struct bytes *out)
{
	const struct element *e = element_find(rq->root, EL_OWNER);
	struct bytes self = bytes_of_text(rq->user->name);
	struct user user;
	enum err rc = OK;

	*out = e != NULL ? e->text : self;
	if (out->octets == 0 || bytes_equal(*out, self))
		return OK;
	if (!rq->user->administers)
		return nae_refuse(rq, NAE_PERMISSIONS);
	rc = user_read(rq->config->appliance->store, *out, &user);
	secret_wipe(&user.password, sizeof(user.password));
	return rc == ERR_NOT_FOUND ? nae_refuse(rq, NAE_USER_NOT_FOUND) : rc;
}

static bool
grant_is(const struct card_permission *permission, enum key_use use)
{
	return permission->use[use].grant != CARD_NEVER;
}

/* An Operation of a Permission. */
static enum err
operation_read(struct nae_request *rq, struct bytes word,
    enum key_family family, struct bytes policy, struct card_permission *out)
{
	enum key_use use;

	if (key_use_find(word, &use) != OK || use > USE_EXPORT ||
	    (key_use_row(use)->families & family) == 0 || grant_is(out, use))
		return nae_refuse_element(rq, NAE_VALUE, EL_OPERATION);
	out->use[use].grant = policy.octets != 0 ? CARD_POLICY : CARD_ALWAYS;
	out->use[use].policy = policy;
	return OK;
}

/* What is said of a group, where there is something already or not. */
static struct card_permission *
permission_of(
    struct card_permission *permissions, size_t *count, struct bytes group)
{
	size_t k;

	for (k = 0; k < *count; k++) {
		if (bytes_equal(permissions[k].group, group))
			return &permissions[k];
	}
	permissions[*count].group = group;
	return &permissions[(*count)++];
}

static enum err
check_group(struct nae_request *rq, const struct element *group)
{
	enum err rc;

	if (group == NULL)
		return nae_refuse_element(rq, NAE_MISSING, EL_GROUP);
	rc = group_find(rq->config->appliance->store, group->text);
	return rc == ERR_NOT_FOUND ? nae_refuse(rq, NAE_GROUP_NOT_FOUND) : rc;
}

static enum err
check_policy(struct nae_request *rq, const struct element *policy,
    enum key_family family)
{
	const struct policy *found;
	enum err rc;

	if (policy == NULL)
		return OK;
	/* req: KS-28-058 KS-29-032 */
	if ((family & FAMILY_CERTIFIED) != 0)
		return nae_refuse_element(rq, NAE_VALUE, EL_POLICY);
	rc = policy_find(rq->config->appliance->policies, policy->text, &found);
	return rc == ERR_NOT_FOUND
		   ? nae_refuse_element(rq, NAE_VALUE, EL_POLICY)
		   : rc;
}

static enum err
permission_read(struct nae_request *rq, const struct element *e,
    enum key_family family, struct card_permission *permissions, size_t *count)
{
	const struct element *group = element_find(e, EL_GROUP);
	const struct element *policy = element_find(e, EL_POLICY);
	struct card_permission *permission;
	enum err rc = OK;

	TRY(check_group(rq, group));
	TRY(check_policy(rq, policy, family));
	if (element_find(e, EL_OPERATION) == NULL)
		TRY(nae_refuse_element(rq, NAE_MISSING, EL_OPERATION));
	permission = permission_of(permissions, count, group->text);
	ELEMENT_EACH (e, child) {
		if (child->what == EL_OPERATION)
			TRY(operation_read(rq, child->text, family,
			    policy != NULL ? policy->text : BYTES_NONE,
			    permission));
	}
out:
	return rc;
}

enum err
key_permissions_asked(struct nae_request *rq, enum key_family family,
    struct bytes owner, const struct card_permission **out, size_t *count)
{
	const struct element *list = element_find(rq->root, EL_PERMISSIONS);
	struct card_permission *permissions;
	size_t most = 0;
	enum err rc = OK;

	*out = NULL;
	*count = 0;
	if (list == NULL || list->span == 1)
		return OK;
	if (owner.octets == 0)
		return nae_refuse_element(rq, NAE_VALUE, EL_PERMISSIONS);
	ELEMENT_EACH (list, child)
		most += child->what == EL_PERMISSION;
	if (most > CARD_GROUPS_MOST)
		return nae_refuse_element(rq, NAE_VALUE, EL_PERMISSIONS);
	TRY(ARENA_ARRAY(rq->arena, permissions, most + 1));
	ELEMENT_EACH (list, each) {
		if (each->what == EL_PERMISSION)
			TRY(permission_read(
			    rq, each, family, permissions, count));
	}
	*out = permissions;
out:
	return rc;
}

enum err
key_attributes_asked(
    struct nae_request *rq, const struct key_attribute **out, size_t *count)
{
	struct nae_attribute *asked;
	struct key_attribute *attributes;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(nae_attributes_read(rq, rq->root, &asked, count));
	TRY(ARENA_ARRAY(rq->arena, attributes, *count + 1));
	for (k = 0; k < *count; k++) {
		attributes[k].name = asked[k].name;
		attributes[k].value = asked[k].value;
	}
	*out = attributes;
out:
	return rc;
}

enum err
key_spec_asked(struct nae_request *rq, struct key_spec *out)
{
	struct key_select select;
	bool random;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_EMPTY, &select));
	out->name = select.name;
	TRY(nae_flag(rq, EL_RANDOM_KEY, &random));
	TRY(nae_flag(rq, EL_VERSIONED_KEY, &out->versioned));
	out->versioned = out->versioned || select.which == SELECT_EMPTY;
	if (out->versioned && out->certified)
		TRY(nae_refuse_element(rq, NAE_VALUE, EL_VERSIONED_KEY));
	TRY(nae_flag(rq, EL_EXPORTABLE, &out->exportable));
	TRY(nae_flag(rq, EL_DELETABLE, &out->deletable));
	TRY(key_state_asked(rq, &out->version_state));
	if (!out->versioned &&
	    element_find(rq->root, EL_KEY_VERSION_STATE) != NULL)
		TRY(ERR_NOT_VERSIONED);
	TRY(key_owner_asked(rq, &out->owner));
	TRY(key_permissions_asked(rq,
	    key_family_with(out->algorithm->family, out->certified), out->owner,
	    &out->permissions, &out->permission_count));
	TRY(key_attributes_asked(rq, &out->attributes, &out->attribute_count));
out:
	return rc;
}

enum err
key_refused(struct nae_request *rq, enum err rc)
{
	return rc == ERR_FIELD && rq->refusal == NAE_SUCCESS
		   ? nae_refuse_element(rq, NAE_VALUE, EL_CUSTOM_ATTRIBUTES)
		   : rc;
}

/* ---- what is told ---- */

/* The operations of a group that are granted in the same way. */
static enum err
grants_put(struct buf *out, const struct card_permission *permission,
    enum card_grant grant, struct bytes policy)
{
	enum err rc = OK;
	int use;

	TRY(element_open(out, EL_PERMISSION));
	TRY(element_put(out, EL_GROUP, permission->group));
	for (use = 0; use < KEY_PERMISSIONS; use++) {
		if (permission->use[use].grant == grant &&
		    bytes_equal(permission->use[use].policy, policy))
			TRY(element_put_text(out, EL_OPERATION,
			    key_use_row((enum key_use)use)->word));
	}
	if (grant == CARD_POLICY)
		TRY(element_put(out, EL_POLICY, policy));
	TRY(element_close(out, EL_PERMISSION));
out:
	return rc;
}

/* Was the grant of a use told with one that comes before it? */
static bool
is_told(const struct card_permission *permission, int use)
{
	int k;

	for (k = 0; k < use; k++) {
		if (permission->use[k].grant == permission->use[use].grant &&
		    bytes_equal(
			permission->use[k].policy, permission->use[use].policy))
			return true;
	}
	return false;
}

static enum err
permission_put(struct buf *out, const struct card_permission *permission)
{
	enum err rc = OK;
	int use;

	for (use = 0; use < KEY_PERMISSIONS; use++) {
		if (permission->use[use].grant != CARD_NEVER &&
		    !is_told(permission, use))
			TRY(grants_put(out, permission,
			    permission->use[use].grant,
			    permission->use[use].policy));
	}
out:
	return rc;
}

enum err
key_permissions_put(struct buf *out, const struct card *card)
{
	enum err rc = OK;
	size_t k;

	TRY(element_open(out, EL_PERMISSIONS));
	for (k = 0; card != NULL && k < card->permission_count; k++)
		TRY(permission_put(out, &card->permissions[k]));
	TRY(element_close(out, EL_PERMISSIONS));
out:
	return rc;
}
