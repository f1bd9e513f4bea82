/*
 * Users and groups, for users who administer them; and everybody's own.
 *
 * Source: protocol note section 2.11; guide chapter 31
 */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "device/login.h"
#include "nae/attribute.h"

/* ---- a password, judged and hashed by a worker ---- */

struct fresh {
	struct nae_request *rq;
	struct new_password password;
};

static void
password_made(struct new_password *request, enum err rc)
{
	struct fresh *fresh = request->ctx;

	if (rc == ERR_FIELD)
		rc = nae_refuse(fresh->rq, NAE_PASSWORD);
	nae_go_on(fresh->rq, rc);
}

/* rq->state has it then, in the arena. */
static enum err
make_password(struct nae_request *rq, struct bytes user, nae_step_fn *next)
{
	struct fresh *fresh;
	const char *name;
	enum err rc = OK;

	TRY(ARENA_NEW(rq->arena, fresh));
	TRY(arena_printf(
	    rq->arena, &name, "%.*s", (int)user.octets, (const char *)user.at));
	fresh->rq = rq;
	fresh->password = (struct new_password){
	    .user = name,
	    .of_user = true,
	    .password = element_text(rq->root, EL_PASSWD),
	    .door = DOOR_NONE,
	    .done = password_made,
	    .ctx = fresh,
	};
	TRY(new_password_begin(rq->config->appliance, &fresh->password));
	rq->state = fresh;
	TRY(nae_pause(rq, next));
out:
	return rc;
}

/* ---- names and attributes ---- */

static struct store *
store_of(const struct nae_request *rq)
{
	return rq->config->appliance->store;
}

/* A user's or group's name that could be one. */
static enum err
name_read(struct nae_request *rq, enum element_name what, struct bytes *out)
{
	const char *why;

	*out = element_text(rq->root, what);
	if (!user_name_is_valid(*out, &why))
		return nae_refuse(rq, NAE_USER_NAME);
	return OK;
}

static enum err
user_of(struct nae_request *rq, struct bytes name, struct user *out)
{
	enum err rc = user_read(store_of(rq), name, out);

	return rc == ERR_NOT_FOUND ? nae_refuse(rq, NAE_USER_NOT_FOUND) : rc;
}

static enum err
group_of(struct nae_request *rq, struct bytes *group)
{
	enum err rc;

	*group = element_text(rq->root, EL_GROUP);
	rc = group_find(store_of(rq), *group);
	return rc == ERR_NOT_FOUND ? nae_refuse(rq, NAE_GROUP_NOT_FOUND) : rc;
}

/* One of the list: set it or, without a value, remove it.
 * req: KS-31-029 KS-31-031 KS-31-032 KS-31-034 */
static enum err
attribute_write(struct nae_request *rq, struct bytes user,
    const struct nae_attribute *attribute)
{
	const char *why;
	enum err rc = OK;

	if (!user_attribute_is_valid(attribute->name, &why))
		return nae_refuse_element(rq, NAE_VALUE, EL_NAME);
	if (attribute->value.octets == 0) {
		rc = user_attribute_delete(store_of(rq), user, attribute->name);
		return rc == ERR_NOT_FOUND ? OK : rc;
	}
	if (!user_value_is_valid(attribute->value, &why))
		return nae_refuse_element(rq, NAE_VALUE, EL_VALUE);
	rc = user_attribute_put(
	    store_of(rq), user, attribute->name, attribute->value);
	return rc == ERR_LIMIT ? nae_refuse(rq, NAE_ATTRIBUTES) : rc;
}

static enum err
attributes_write(struct nae_request *rq, struct bytes user)
{
	struct nae_attribute *attributes;
	size_t count;
	size_t k;
	enum err rc = OK;

	TRY(nae_attributes_read(rq, rq->root, &attributes, &count));
	for (k = 0; k < count; k++)
		TRY(attribute_write(rq, user, &attributes[k]));
out:
	return rc;
}

/* ---- users ---- */

static enum err
user_made(struct nae_request *rq)
{
	const struct fresh *fresh = rq->state;
	struct bytes name = bytes_of_text(fresh->password.user);
	struct user user = {.password = fresh->password.hash};
	enum err rc = OK;

	(void)snprintf(
	    user.name, sizeof(user.name), "%s", fresh->password.user);
	TRY(nae_flag(rq, EL_MODIFY_USER_INFO, &user.changes_password));
	rc = user_create(rq->config->appliance, &user);
	if (rc == ERR_EXISTS)
		rc = nae_refuse(rq, NAE_USER_EXISTS);
	TRY(rc);
	TRY(attributes_write(rq, name));
out:
	secret_wipe(&user.password, sizeof(user.password));
	return rc;
}

/* req: KS-31-025 */
enum err
nae_user_create(struct nae_request *rq)
{
	struct user there;
	struct bytes name;
	enum err rc = OK;

	TRY(name_read(rq, EL_USER, &name));
	/* before a worker is troubled; user_create asks again */
	rc = user_read(store_of(rq), name, &there);
	secret_wipe(&there.password, sizeof(there.password));
	if (rc == OK)
		TRY(nae_refuse(rq, NAE_USER_EXISTS));
	if (rc != ERR_NOT_FOUND)
		TRY(rc);
	rc = make_password(rq, name, user_made);
out:
	return rc;
}

/* req: KS-31-025 KS-31-050 */
enum err
nae_user_delete(struct nae_request *rq)
{
	char why[USER_WHY_OCTETS];
	enum err rc = user_delete(
	    rq->config->appliance, element_text(rq->root, EL_USER), why);

	return rc == ERR_NOT_FOUND ? nae_refuse(rq, NAE_USER_NOT_FOUND) : rc;
}

static enum err
user_changed(struct nae_request *rq)
{
	struct bytes name = element_text(rq->root, EL_USER);
	const struct fresh *fresh = rq->state;
	struct user user;
	bool changes_password;
	enum err rc = OK;

	TRY(user_of(rq, name, &user));
	if (fresh != NULL)
		user.password = fresh->password.hash;
	TRY(nae_flag(rq, EL_MODIFY_USER_INFO, &changes_password));
	if (element_find(rq->root, EL_MODIFY_USER_INFO) != NULL)
		user.changes_password = changes_password;
	TRY(user_write(rq->config->appliance, &user));
	TRY(attributes_write(rq, name));
out:
	secret_wipe(&user.password, sizeof(user.password));
	return rc;
}

/*
 * Of oneself a password only, with the permission for it; the rest needs the
 * other permission.
 *
 * req: KS-31-025 KS-31-026 KS-31-028
 */
enum err
nae_user_modify(struct nae_request *rq)
{
	struct bytes name = element_text(rq->root, EL_USER);
	bool own = bytes_equal_text(name, rq->user->name);
	bool only_password =
	    element_find(rq->root, EL_MODIFY_USER_INFO) == NULL &&
	    element_find(rq->root, EL_CUSTOM_ATTRIBUTES) == NULL;
	struct user user;
	enum err rc = OK;

	if (!rq->user->administers &&
	    !(own && only_password && rq->user->may_change_password))
		return nae_refuse(rq, NAE_PERMISSIONS);
	TRY(user_of(rq, name, &user));
	secret_wipe(&user.password, sizeof(user.password));
	if (element_find(rq->root, EL_PASSWD) != NULL)
		return make_password(rq, name, user_changed);
	rc = user_changed(rq);
out:
	return rc;
}

static enum err
put_attribute(void *ctx, struct bytes name, struct bytes value)
{
	struct buf *out = ctx;
	enum err rc = OK;

	TRY(element_open(out, EL_CUSTOM_ATTRIBUTE));
	TRY(element_put(out, EL_NAME, name));
	TRY(element_put(out, EL_VALUE, value));
	TRY(element_close(out, EL_CUSTOM_ATTRIBUTE));
out:
	return rc;
}

static enum err
put_user(void *ctx, struct bytes name)
{
	return element_put(ctx, EL_USER, name);
}

static enum err
put_group(void *ctx, struct bytes name)
{
	return element_put(ctx, EL_GROUP, name);
}

/* req: KS-31-025 */
enum err
nae_user_info(struct nae_request *rq)
{
	const struct element *named = element_find(rq->root, EL_USER);
	struct bytes self = bytes_of_text(rq->user->name);
	struct bytes name = named != NULL ? named->text : self;
	struct buf *out = &rq->body;
	struct user user;
	enum err rc = OK;

	if (!rq->user->administers && !bytes_equal(name, self))
		return nae_refuse(rq, NAE_PERMISSIONS);
	TRY(user_of(rq, name, &user));
	secret_wipe(&user.password, sizeof(user.password));
	TRY(element_put(out, EL_USER, name));
	TRY(element_put_flag(out, EL_MODIFY_USER_INFO, user.changes_password));
	TRY(element_open(out, EL_CUSTOM_ATTRIBUTES));
	TRY(user_attribute_each(store_of(rq), name, put_attribute, out));
	TRY(element_close(out, EL_CUSTOM_ATTRIBUTES));
	TRY(element_open(out, EL_GROUP_LIST));
	TRY(group_of_user_each(
	    store_of(rq), name, BYTES_NONE, 0, put_group, out));
	TRY(element_close(out, EL_GROUP_LIST));
out:
	return rc;
}

enum err
nae_user_query(struct nae_request *rq)
{
	struct buf *out = &rq->body;
	enum err rc = OK;

	TRY(element_open(out, EL_USER_LIST));
	TRY(user_each(store_of(rq), BYTES_NONE, 0, put_user, out));
	TRY(element_close(out, EL_USER_LIST));
out:
	return rc;
}

/* ---- groups ---- */

enum err
nae_group_create(struct nae_request *rq)
{
	struct bytes group;
	enum err rc = OK;

	TRY(name_read(rq, EL_GROUP, &group));
	rc = group_create(rq->config->appliance, group);
	if (rc == ERR_EXISTS)
		rc = nae_refuse(rq, NAE_GROUP_EXISTS);
out:
	return rc;
}

enum err
nae_group_delete(struct nae_request *rq)
{
	struct bytes group;
	enum err rc = OK;

	TRY(group_of(rq, &group));
	TRY(group_delete(rq->config->appliance, group));
out:
	return rc;
}

typedef enum err member_fn(struct appliance *appliance, struct bytes group,
    struct bytes user, char why[USER_WHY_OCTETS]);

/* All of them, or none. */
static enum err
members_change(struct nae_request *rq, member_fn *change)
{
	const struct element *list = element_find(rq->root, EL_USER_LIST);
	char why[USER_WHY_OCTETS];
	struct bytes group;
	enum err rc = OK;

	TRY(group_of(rq, &group));
	if (element_find(list, EL_USER) == NULL)
		TRY(nae_refuse_element(rq, NAE_MISSING, EL_USER));
	ELEMENT_EACH (list, child) {
		if (child->what != EL_USER)
			continue;
		rc = change(rq->config->appliance, group, child->text, why);
		if (rc == ERR_NOT_FOUND)
			rc = nae_refuse(rq, NAE_USER_NOT_FOUND);
		if (rc == ERR_EXISTS)
			rc = nae_refuse(rq, NAE_USER_EXISTS);
		TRY(rc);
	}
out:
	return rc;
}

/* req: KS-31-041 */
enum err
nae_group_add(struct nae_request *rq)
{
	return members_change(rq, group_add);
}

/* req: KS-31-045 */
enum err
nae_group_remove(struct nae_request *rq)
{
	return members_change(rq, group_remove);
}

enum err
nae_group_info(struct nae_request *rq)
{
	struct buf *out = &rq->body;
	struct bytes group;
	enum err rc = OK;

	TRY(group_of(rq, &group));
	TRY(element_put(out, EL_GROUP, group));
	TRY(element_open(out, EL_USER_LIST));
	TRY(group_member_each(
	    store_of(rq), group, BYTES_NONE, 0, put_user, out));
	TRY(element_close(out, EL_USER_LIST));
out:
	return rc;
}

enum err
nae_group_query(struct nae_request *rq)
{
	struct buf *out = &rq->body;
	enum err rc = OK;

	TRY(element_open(out, EL_GROUP_LIST));
	TRY(group_each(store_of(rq), BYTES_NONE, 0, put_group, out));
	TRY(element_close(out, EL_GROUP_LIST));
out:
	return rc;
}
