#include "device/access.h"

#include <stdio.h>

#include "device/appliance.h"
#include "device/policy.h"
#include "device/rate.h"

/* What a session is to a key. */
enum standing {
	STANDING_NONE, /* it does not know of it */
	STANDING_GROUP,
	STANDING_OWNER, /* or the key is everybody's */
};

/* req: KS-03-023 KS-28-024 KS-28-025 KS-28-026 KS-28-071 KS-28-072 */
static enum standing
standing_of(const struct key_user *user, const struct object *o)
{
	const struct card *card = o->card;
	size_t k;

	/* req: KS-28-140 KS-03-063 KS-28-138 */
	if (o->owner.octets == 0 || bytes_equal_text(o->owner, user->name))
		return STANDING_OWNER;
	if (card == NULL || key_user_is_global(user))
		return STANDING_NONE;
	for (k = 0; k < card->permission_count; k++)
		if (card_permits_any(&card->permissions[k]) &&
		    key_user_in_group(user, card->permissions[k].group))
			return STANDING_GROUP;
	return STANDING_NONE;
}

static enum err
check_guard(const struct object *o, enum key_guard guard)
{
	switch (guard) {
	case GUARD_NONE:
		return OK;
	case GUARD_EXPORTABLE:
		return attr_number(&o->attrs, TAG_EXTRACTABLE, 1) != 0
			   ? OK
			   : ERR_NOT_EXTRACTABLE;
	case GUARD_DELETABLE:
		return o->card == NULL || o->card->deletable
			   ? OK
			   : ERR_NOT_DELETABLE;
	}
	return ERR_DENIED;
}

/* What the user's groups let it do, so far. */
struct offer {
	bool always;
	bool closed;    /* by a policy at other hours */
	bool open;      /* by one at this hour ... */
	uint64_t limit; /* ... so often, the most of them; 0: without limit */
};

static enum err
offer_policy(
    struct appliance *appliance, struct bytes name, struct offer *offer)
{
	const struct policy *policy;
	uint64_t limit;
	enum err rc = policy_find(appliance->policies, name, &policy);

	/* no policy goes while a permission names it; one that came without
	 * its policy (from a backup) allows nothing */
	if (rc == ERR_NOT_FOUND)
		return OK;
	if (rc != OK)
		return rc;
	if (!policy_is_open(policy, policies_minute(appliance->policies))) {
		offer->closed = true;
		return OK;
	}
	limit = (uint64_t)policy->operations;
	if (!offer->open || limit == 0 ||
	    (offer->limit != 0 && limit > offer->limit))
		offer->limit = limit;
	offer->open = true;
	return OK;
}

/* req: KS-29-003 KS-29-027 KS-29-028 KS-29-029 KS-28-049 KS-28-057 */
static enum err
offer_read(struct appliance *appliance, const struct key_user *user,
    const struct card *card, enum key_use use, struct offer *offer)
{
	size_t k;
	enum err rc = OK;

	*offer = (struct offer){.always = false};
	for (k = 0; k < card->permission_count; k++) {
		const struct card_permission *p = &card->permissions[k];

		if (p->use[use].grant == CARD_NEVER ||
		    !key_user_in_group(user, p->group))
			continue;
		if (p->use[use].grant == CARD_ALWAYS)
			offer->always = true;
		else
			TRY(offer_policy(appliance, p->use[use].policy, offer));
	}
out:
	return rc;
}

static enum err
check_groups(struct appliance *appliance, const struct key_user *user,
    const struct object *o, enum key_use use, uint64_t operations)
{
	struct offer offer;
	enum err rc = OK;

	TRY(offer_read(appliance, user, o->card, use, &offer));
	/* req: KS-28-150 */
	if (offer.always)
		return OK;
	if (offer.open)
		return rate_count(appliance->rates, bytes_of_text(user->name),
		    o->id, offer.limit, operations);
	/* req: KS-29-016 KS-29-018 KS-28-056 KS-28-149 ESKM-003 */
	rc = offer.closed ? ERR_HOURS : ERR_DENIED;
out:
	return rc;
}

static enum err
check(struct appliance *appliance, const struct key_user *user,
    const struct object *o, enum key_use use, uint64_t operations)
{
	const struct key_use_row *row = key_use_row(use);
	enum standing standing = standing_of(user, o);
	enum err rc = OK;

	if (standing == STANDING_NONE)
		TRY(ERR_NOT_FOUND);
	if (!key_has_use(o, use))
		TRY(ERR_KEY_USE);
	TRY(check_guard(o, row->guard));
	/* req: KS-28-138 KS-28-050 KS-29-033 */
	if (standing == STANDING_OWNER)
		return OK;
	switch (row->right) {
	case RIGHT_VISIBLE:
		return OK;
	case RIGHT_OWNER:
		return ERR_DENIED;
	case RIGHT_GROUP:
		return check_groups(appliance, user, o, use, operations);
	}
	rc = ERR_DENIED;
out:
	return rc;
}

enum err
access_check(struct appliance *appliance, const struct key_user *user,
    const struct object *o, enum key_use use, uint64_t operations,
    char why[ACCESS_WHY_OCTETS])
{
	enum err rc = check(appliance, user, o, use, operations);

	if (rc != OK)
		(void)snprintf(why, ACCESS_WHY_OCTETS, "%s: %s",
		    key_use_row(use)->title, err_text(rc));
	return rc;
}

/* ---------------------------------------------------------------------------
 * What permissions can be
 */

static const char group_field[] = "Group";

static enum err
refuse(const char *field, struct bytes value, const char *rule,
    char why[ENTRY_WHY_OCTETS])
{
	entry_refuse(field, value, rule, why);
	return ERR_FIELD;
}

static enum err
check_use(struct appliance *appliance, enum key_family family,
    const struct card_permission *permission, enum key_use use,
    char why[ENTRY_WHY_OCTETS])
{
	const char *title = key_use_row(use)->title;
	struct bytes name = permission->use[use].policy;
	const struct policy *policy;
	enum err rc = OK;

	if (permission->use[use].grant == CARD_NEVER)
		return OK;
	if ((key_use_row(use)->families & family) == 0)
		TRY(refuse(title, permission->group,
		    "keys of this kind have no such permission", why));
	if (permission->use[use].grant != CARD_POLICY)
		return OK;
	/* req: KS-29-032 KS-28-058 */
	if ((family & (FAMILY_OTHER | FAMILY_CERTIFIED)) != 0)
		TRY(refuse(title, name,
		    "authorization policies are for keys only", why));
	rc = policy_find(appliance->policies, name, &policy);
	if (rc == ERR_NOT_FOUND)
		rc = refuse(
		    title, name, "there is no such authorization policy", why);
out:
	return rc;
}

static enum err
check_group(struct appliance *appliance,
    const struct card_permission *permissions, size_t at,
    char why[ENTRY_WHY_OCTETS])
{
	struct bytes group = permissions[at].group;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < at; k++)
		if (bytes_equal(permissions[k].group, group))
			TRY(refuse(group_field, group,
			    "its permissions are there already", why));
	rc = group_find(appliance->store, group);
	if (rc == ERR_NOT_FOUND)
		rc = refuse(group_field, group, "there is no such group", why);
out:
	return rc;
}

enum err
access_check_permissions(struct appliance *appliance, struct bytes owner,
    enum key_family family, const struct card_permission *permissions,
    size_t count, char why[ENTRY_WHY_OCTETS])
{
	size_t k, use;
	enum err rc = OK;

	if (owner.octets == 0 && count != 0)
		TRY(refuse(group_field, permissions[0].group,
		    "a global key has no group permissions", why));
	if (count > CARD_GROUPS_MOST)
		TRY(refuse(group_field, permissions[CARD_GROUPS_MOST].group,
		    "a key has permissions of 1000 groups at most", why));
	for (k = 0; k < count; k++) {
		TRY(check_group(appliance, permissions, k, why));
		for (use = 0; use < KEY_PERMISSIONS; use++)
			TRY(check_use(appliance, family, &permissions[k],
			    (enum key_use)use, why));
	}
out:
	return rc;
}
