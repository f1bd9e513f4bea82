#include "token/making.h"

#include <string.h>

#include "base/mem.h"

CK_RV
template_check(const CK_ATTRIBUTE *templ, CK_ULONG count)
{
	CK_ULONG i, k;

	if ((templ == NULL && count > 0) || count > TOKEN_ATTRIBUTES_MAX)
		return CKR_ARGUMENTS_BAD;
	for (i = 0; i < count; i++) {
		if (templ[i].ulValueLen == CK_UNAVAILABLE_INFORMATION ||
		    (templ[i].pValue == NULL && templ[i].ulValueLen > 0))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		for (k = 0; k < i; k++)
			if (templ[k].type == templ[i].type)
				return CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_OK;
}

const CK_ATTRIBUTE *
template_find(const CK_ATTRIBUTE *templ, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG i;

	for (i = 0; i < count; i++)
		if (templ[i].type == type)
			return &templ[i];
	return NULL;
}

/* A truth that the template may say; *value stays where it does not. */
static CK_RV
template_bool(const CK_ATTRIBUTE *templ, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
    CK_BBOOL *value)
{
	const CK_ATTRIBUTE *attribute = template_find(templ, count, type);

	if (attribute == NULL)
		return CKR_OK;
	if (attribute->ulValueLen != sizeof(*value))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	*value = *(const CK_BBOOL *)attribute->pValue ? CK_TRUE : CK_FALSE;
	return CKR_OK;
}

/* A number that the template may say; *value stays where it does not. */
static CK_RV
template_number(const CK_ATTRIBUTE *templ, CK_ULONG count,
    CK_ATTRIBUTE_TYPE type, CK_ULONG *value)
{
	const CK_ATTRIBUTE *attribute = template_find(templ, count, type);

	if (attribute == NULL)
		return CKR_OK;
	if (attribute->ulValueLen != sizeof(*value))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	memcpy(value, attribute->pValue, sizeof(*value));
	return CKR_OK;
}

CK_RV
template_key_type(const CK_ATTRIBUTE *templ, CK_ULONG count, CK_KEY_TYPE wanted)
{
	CK_KEY_TYPE type = wanted;
	CK_RV rv = template_number(templ, count, CKA_KEY_TYPE, &type);

	if (rv == CKR_OK && type != wanted)
		rv = CKR_TEMPLATE_INCONSISTENT;
	return rv;
}

/* SoftHSM makes an AES key of as many octets as it is given. */
CK_RV
template_key_length(const CK_ATTRIBUTE *templ, CK_ULONG count)
{
	CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
	const CK_ATTRIBUTE *value = template_find(templ, count, CKA_VALUE);
	CK_RV rv = template_number(templ, count, CKA_KEY_TYPE, &type);
	CK_ULONG n;
	bool fits = true;

	if (rv != CKR_OK || value == NULL)
		return rv;
	n = value->ulValueLen;
	if (type == CKK_AES)
		fits = n == 16 || n == 24 || n == 32;
	else if (type == CKK_DES)
		fits = n == 8;
	else if (type == CKK_DES2)
		fits = n == 16;
	else if (type == CKK_DES3)
		fits = n == 24;
	return fits ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static CK_RV
template_class(
    const CK_ATTRIBUTE *templ, CK_ULONG count, CK_OBJECT_CLASS *class)
{
	const CK_ATTRIBUTE *attribute = template_find(templ, count, CKA_CLASS);
	CK_OBJECT_CLASS wanted = *class;

	if (attribute == NULL)
		return *class == CK_UNAVAILABLE_INFORMATION
			   ? CKR_TEMPLATE_INCOMPLETE
			   : CKR_OK;
	if (attribute->ulValueLen != sizeof(*class))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	memcpy(class, attribute->pValue, sizeof(*class));
	return wanted == CK_UNAVAILABLE_INFORMATION || wanted == *class
		   ? CKR_OK
		   : CKR_TEMPLATE_INCONSISTENT;
}

/* With CKA_TOKEN and CKA_PRIVATE in front, and not said again. */
static CK_RV
attributes_fill(struct making *m, const CK_ATTRIBUTE *templ, CK_ULONG count)
{
	CK_ULONG i;

	m->attributes = mem_zalloc(count + 2, sizeof(*m->attributes));
	if (m->attributes == NULL)
		return CKR_HOST_MEMORY;
	m->attributes[m->count++] =
	    (CK_ATTRIBUTE){CKA_TOKEN, &m->on_token, sizeof(m->on_token)};
	m->attributes[m->count++] =
	    (CK_ATTRIBUTE){CKA_PRIVATE, &m->is_private, sizeof(m->is_private)};
	for (i = 0; i < count; i++)
		if (templ[i].type != CKA_TOKEN && templ[i].type != CKA_PRIVATE)
			m->attributes[m->count++] = templ[i];
	return CKR_OK;
}

static CK_RV
may_make(const struct making *m)
{
	const struct turn *turn = m->turn;

	if (m->on_token && (turn->session->flags & CKF_RW_SESSION) == 0)
		return CKR_SESSION_READ_ONLY;
	if (m->is_private && !turn_sees_private(turn))
		return token_rv(turn->token, CARD_NOT_LOGGED_IN);
	/* req: KSC-117 */
	if ((m->on_token || m->is_private) && turn->login.role == CARD_LIMITED)
		return token_rv(turn->token, CARD_RIGHTS);
	return CKR_OK;
}

CK_RV
making_begin(struct making *m, struct turn *turn, CK_OBJECT_CLASS class,
    const struct object *like, const CK_ATTRIBUTE *templ, CK_ULONG count)
{
	CK_BBOOL always = CK_FALSE;
	CK_RV rv = template_check(templ, count);

	memset(m, 0, sizeof(*m));
	m->turn = turn;
	if (rv == CKR_OK)
		rv = template_class(templ, count, &class);
	/* Keys are secrets of the logged in unless somebody says otherwise. */
	m->is_private = class == CKO_SECRET_KEY || class == CKO_PRIVATE_KEY;
	if (like != NULL) {
		m->on_token = like->on_token;
		m->is_private = like->is_private;
	}
	if (rv == CKR_OK)
		rv = template_bool(templ, count, CKA_TOKEN, &m->on_token);
	if (rv == CKR_OK)
		rv = template_bool(templ, count, CKA_PRIVATE, &m->is_private);
	/* SoftHSM would want the partition's PIN before each use: nobody
	 * outside the card has it. */
	if (rv == CKR_OK)
		rv = template_bool(
		    templ, count, CKA_ALWAYS_AUTHENTICATE, &always);
	if (rv == CKR_OK && always)
		rv = CKR_ATTRIBUTE_VALUE_INVALID;
	if (rv == CKR_OK)
		rv = may_make(m);
	if (rv == CKR_OK && m->on_token)
		rv = partition_load(turn->part, turn_sees_private(turn));
	if (rv == CKR_OK)
		rv = attributes_fill(m, templ, count);
	return rv;
}

CK_RV
making_session(
    struct making *m, const struct making *other, CK_SESSION_HANDLE *backing)
{
	struct partition *part = m->turn->part;
	CK_RV rv;

	if (m->on_token && (other == NULL || other->on_token)) {
		rv = partition_take(part, &m->backing);
		m->taken = rv == CKR_OK;
	} else {
		rv = session_backing(m->turn, &m->backing);
	}
	if (rv == CKR_OK && (m->on_token || (other && other->on_token))) {
		pthread_rwlock_rdlock(&part->making);
		m->sharing = true;
	}
	*backing = m->backing;
	return rv;
}

static CK_RV
session_object_add(struct turn *turn, struct object *object)
{
	struct app_slot *slot = turn_slot(turn);
	const uint64_t room = turn->part->capacity_octets;
	CK_RV rv = CKR_DEVICE_MEMORY;

	object->owner = turn->session->handle;
	pthread_mutex_lock(&turn->app->lock);
	if (object->octets <= room &&
	    slot->objects.octets <= room - object->octets) {
		rv = CKR_HOST_MEMORY;
		if (index_add(&slot->objects, object) == OK) {
			object_ref(object);
			rv = CKR_OK;
		}
	}
	pthread_mutex_unlock(&turn->app->lock);
	return rv;
}

/* SoftHSM does not have it any more: neither have we. */
static void
object_forget(struct turn *turn, struct object *object)
{
	app_handle_drop(turn->app, object);
	if (object->on_token) {
		partition_remove(turn->part, object);
		return;
	}
	pthread_mutex_lock(&turn->app->lock);
	index_remove(&turn_slot(turn)->objects, object);
	object->backing = CK_INVALID_HANDLE;
	object_unref(object);
	pthread_mutex_unlock(&turn->app->lock);
}

CK_RV
making_adopt(struct making *m, CK_OBJECT_HANDLE made, CK_OBJECT_HANDLE *handle)
{
	struct turn *turn = m->turn;
	struct object *object;
	CK_SESSION_HANDLE backing;
	CK_RV rv = session_backing(turn, &backing);

	if (rv == CKR_OK)
		rv = object_new(
		    turn->softhsm, backing, made, turn->session->slot, &object);
	if (rv != CKR_OK) {
		turn->softhsm->C_DestroyObject(backing, made);
		return rv;
	}
	rv = object->on_token ? partition_add(turn->part, object)
			      : session_object_add(turn, object);
	if (rv == CKR_DEVICE_MEMORY)
		rv = token_rv(turn->token, CARD_FULL);
	if (rv != CKR_OK) {
		turn->softhsm->C_DestroyObject(backing, made);
	} else {
		rv = app_handle(turn->app, object, handle);
		if (rv != CKR_OK) {
			turn->softhsm->C_DestroyObject(backing, made);
			object_forget(turn, object);
		}
	}
	object_unref(object);
	return rv;
}

void
making_end(struct making *m)
{
	if (m->sharing)
		pthread_rwlock_unlock(&m->turn->part->making);
	if (m->taken)
		partition_give(m->turn->part, m->backing, true);
	mem_free(m->attributes);
	memset(m, 0, sizeof(*m));
}

CK_RV
object_writable(const struct turn *turn, const struct object *object)
{
	if (object->on_token && (turn->session->flags & CKF_RW_SESSION) == 0)
		return CKR_SESSION_READ_ONLY;
	/* req: KSC-117 */
	if ((object->on_token || object->is_private) &&
	    turn->login.role == CARD_LIMITED)
		return token_rv(turn->token, CARD_RIGHTS);
	return CKR_OK;
}

/* With the partition's `making`, where it is a token object. */
static CK_RV
destroy(struct turn *turn, struct object *object)
{
	CK_SESSION_HANDLE session;
	CK_RV rv = partition_take(turn->part, &session);

	if (rv != CKR_OK)
		return rv;
	rv = turn->softhsm->C_DestroyObject(session, object->backing);
	if (rv == CKR_OK)
		object_forget(turn, object);
	partition_give(turn->part, session, true);
	return rv;
}

CK_RV
object_destroy(struct turn *turn, struct object *object)
{
	CK_RV rv;

	if (object->on_token)
		pthread_rwlock_rdlock(&turn->part->making);
	rv = destroy(turn, object);
	if (object->on_token)
		pthread_rwlock_unlock(&turn->part->making);
	return rv;
}

void
making_undo(struct making *m, CK_OBJECT_HANDLE handle)
{
	struct object *object = turn_object(m->turn, handle);

	if (object != NULL)
		(void)destroy(m->turn, object);
	object_unref(object);
}
