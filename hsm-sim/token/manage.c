/*
 * Objects: made, copied, destroyed, read, changed and found.
 *
 * Source: PKCS#11 2.40 base, section 5.7
 */
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "token/making.h"

enum { USE = TURN_USE | TURN_BACKING };

/* req: KSC-112 */
CK_RV
token_C_CreateObject(struct token_app *app, CK_SESSION_HANDLE session,
    CK_ATTRIBUTE *templ, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
	struct making m = {.turn = NULL};
	struct turn turn;
	CK_SESSION_HANDLE backing;
	CK_OBJECT_HANDLE made;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (templ == NULL || object == NULL)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = making_begin(
		    &m, &turn, CK_UNAVAILABLE_INFORMATION, NULL, templ, count);
	if (rv == CKR_OK)
		rv = template_key_length(templ, count);
	if (rv == CKR_OK)
		rv = making_session(&m, NULL, &backing);
	if (rv == CKR_OK)
		rv = turn.softhsm->C_CreateObject(
		    backing, m.attributes, m.count, &made);
	if (rv == CKR_OK)
		rv = making_adopt(&m, made, object);
	making_end(&m);
	return turn_end(&turn, rv);
}

CK_RV
token_C_CopyObject(struct token_app *app, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_ATTRIBUTE *templ, CK_ULONG count,
    CK_OBJECT_HANDLE *new_object)
{
	struct making m = {.turn = NULL};
	struct object *from = NULL;
	struct turn turn;
	CK_SESSION_HANDLE backing;
	CK_OBJECT_HANDLE made;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (new_object == NULL || (templ == NULL && count > 0))
		rv = CKR_ARGUMENTS_BAD;
	else if ((from = turn_object(&turn, object)) == NULL)
		rv = CKR_OBJECT_HANDLE_INVALID;
	/* What it is does not change by copying. */
	else if (template_find(templ, count, CKA_CLASS) != NULL ||
		 template_find(templ, count, CKA_KEY_TYPE) != NULL)
		rv = CKR_ATTRIBUTE_READ_ONLY;
	if (rv == CKR_OK)
		rv = making_begin(&m, &turn, from->class, from, templ, count);
	if (rv == CKR_OK)
		rv = making_session(&m, NULL, &backing);
	if (rv == CKR_OK)
		rv = turn.softhsm->C_CopyObject(
		    backing, from->backing, m.attributes, m.count, &made);
	if (rv == CKR_OK)
		rv = making_adopt(&m, made, new_object);
	making_end(&m);
	object_unref(from);
	return turn_end(&turn, rv);
}

/* req: KSC-114 */
CK_RV
token_C_DestroyObject(
    struct token_app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	struct object *which;
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	which = turn_object(&turn, object);
	if (which == NULL)
		rv = CKR_OBJECT_HANDLE_INVALID;
	if (rv == CKR_OK)
		rv = object_writable(&turn, which);
	if (rv == CKR_OK)
		rv = object_destroy(&turn, which);
	object_unref(which);
	return turn_end(&turn, rv);
}

CK_RV
token_C_GetObjectSize(struct token_app *app, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_ULONG *size)
{
	struct object *which = NULL;
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (size == NULL)
		rv = CKR_ARGUMENTS_BAD;
	else if ((which = turn_object(&turn, object)) == NULL)
		rv = CKR_OBJECT_HANDLE_INVALID;
	else
		*size = which->octets;
	object_unref(which);
	return turn_end(&turn, rv);
}

CK_RV
token_C_GetAttributeValue(struct token_app *app, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_ATTRIBUTE *templ, CK_ULONG count)
{
	struct object *which = NULL;
	struct turn turn;
	CK_SESSION_HANDLE backing;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (templ == NULL || count > TOKEN_ATTRIBUTES_MAX)
		rv = CKR_ARGUMENTS_BAD;
	else if ((which = turn_object(&turn, object)) == NULL)
		rv = CKR_OBJECT_HANDLE_INVALID;
	else
		rv = partition_take(turn.part, &backing);
	if (rv == CKR_OK) {
		rv = turn.softhsm->C_GetAttributeValue(
		    backing, which->backing, templ, count);
		partition_give(turn.part, backing, true);
	}
	object_unref(which);
	return turn_end(&turn, rv);
}

/* Attributes of a session object were changed. */
static CK_RV
session_object_changed(
    struct turn *turn, CK_SESSION_HANDLE backing, struct object *object)
{
	struct index *index = &turn_slot(turn)->objects;
	CK_RV rv;

	pthread_mutex_lock(&turn->app->lock);
	index_remove(index, object);
	rv = object_read(turn->softhsm, backing, object);
	/* What was in there has room in there. */
	(void)!index_add(index, object);
	pthread_mutex_unlock(&turn->app->lock);
	return rv;
}

static CK_RV
set_attributes(struct turn *turn, struct object *object, CK_ATTRIBUTE *templ,
    CK_ULONG count)
{
	CK_SESSION_HANDLE backing;
	CK_RV rv = partition_take(turn->part, &backing), read_rv;

	if (rv != CKR_OK)
		return rv;
	rv = turn->softhsm->C_SetAttributeValue(
	    backing, object->backing, templ, count);
	/* Of several, those before the one that is refused are changed. */
	if (object->on_token)
		read_rv = partition_changed(turn->part, backing, object);
	else
		read_rv = session_object_changed(turn, backing, object);
	partition_give(turn->part, backing, true);
	return rv != CKR_OK ? rv : read_rv;
}

/* req: KSC-113 */
CK_RV
token_C_SetAttributeValue(struct token_app *app, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_ATTRIBUTE *templ, CK_ULONG count)
{
	struct object *which = NULL;
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (templ == NULL)
		rv = CKR_ARGUMENTS_BAD;
	else if ((which = turn_object(&turn, object)) == NULL)
		rv = CKR_OBJECT_HANDLE_INVALID;
	if (rv == CKR_OK)
		rv = template_check(templ, count);
	if (rv == CKR_OK)
		rv = object_writable(&turn, which);
	if (rv == CKR_OK)
		rv = set_attributes(&turn, which, templ, count);
	object_unref(which);
	return turn_end(&turn, rv);
}

/* ---- searching ---- */

struct search {
	struct turn *turn;
	const CK_ATTRIBUTE *templ;
	CK_ULONG count;
	bool sees_private;
	struct object **found; /* counted */
	size_t found_count, room;
};

static bool
equals(const CK_ATTRIBUTE *attribute, const void *at, size_t octets)
{
	return attribute->ulValueLen == octets &&
	       (octets == 0 || memcmp(attribute->pValue, at, octets) == 0);
}

/*
 * Compare what is known here. *asked: SoftHSM has to be asked for the rest.
 * With the lock of the index.
 */
static bool
matches_here(const struct search *s, const struct object *object, bool *asked)
{
	const CK_BBOOL on_token = object->on_token;
	const CK_BBOOL is_private = object->is_private;
	bool same = !object->is_private || s->sees_private;
	CK_ULONG i;

	*asked = false;
	for (i = 0; same && i < s->count; i++) {
		const CK_ATTRIBUTE *a = &s->templ[i];

		if (a->type == CKA_CLASS)
			same = equals(a, &object->class, sizeof(object->class));
		else if (a->type == CKA_KEY_TYPE)
			same = object->key_type != CK_UNAVAILABLE_INFORMATION &&
			       equals(a, &object->key_type,
				   sizeof(object->key_type));
		else if (a->type == CKA_LABEL)
			same = object->has_label &&
			       equals(a, object->label, object->label_octets);
		else if (a->type == CKA_ID)
			same = object->has_id &&
			       equals(a, object->id, object->id_octets);
		else if (a->type == CKA_TOKEN)
			same = equals(a, &on_token, sizeof(on_token));
		else if (a->type == CKA_PRIVATE)
			same = equals(a, &is_private, sizeof(is_private));
		else
			*asked = true;
	}
	return same;
}

/* Compare all, value by value. What cannot be read matches nothing. */
static CK_RV
matches_there(const struct search *s, CK_SESSION_HANDLE backing,
    const struct object *object, bool *same)
{
	CK_RV rv = CKR_OK;
	CK_ULONG i;

	*same = true;
	for (i = 0; *same && i < s->count; i++) {
		const CK_ATTRIBUTE *want = &s->templ[i];
		CK_ATTRIBUTE have = {want->type, NULL, want->ulValueLen};

		if (want->ulValueLen > 0 &&
		    (have.pValue = mem_zalloc(want->ulValueLen, 1)) == NULL)
			return CKR_HOST_MEMORY;
		rv = s->turn->softhsm->C_GetAttributeValue(
		    backing, object->backing, &have, 1);
		*same =
		    rv == CKR_OK && equals(want, have.pValue, have.ulValueLen);
		if (have.pValue != NULL)
			secret_wipe(have.pValue, want->ulValueLen);
		mem_free(have.pValue);
	}
	return CKR_OK;
}

static CK_RV
search_add(struct search *s, struct object *object)
{
	if (s->found_count == s->room) {
		size_t room = s->room == 0 ? 16 : s->room * 2;
		struct object **found =
		    mem_regrow(s->found, room, sizeof(struct object *));

		if (found == NULL)
			return CKR_HOST_MEMORY;
		s->found = found;
		s->room = room;
	}
	s->found[s->found_count++] = object_ref(object);
	return CKR_OK;
}

/* By the best that the template names: a label, an identifier, a class. */
static CK_RV
search_index(struct search *s, const struct index *index, bool *asked)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		enum index_way way;
	} ways[] = {
	    {CKA_LABEL, BY_LABEL},
	    {CKA_ID, BY_ID},
	    {CKA_CLASS, BY_CLASS},
	};
	enum index_way way = BY_ALL;
	struct bytes key = BYTES_NONE;
	struct object *object;
	CK_RV rv = CKR_OK;
	bool ask;
	size_t i;

	for (i = 0; i < 3 && way == BY_ALL; i++) {
		const CK_ATTRIBUTE *a =
		    template_find(s->templ, s->count, ways[i].type);

		if (a != NULL) {
			way = ways[i].way;
			key = (struct bytes){a->pValue, a->ulValueLen};
		}
	}
	object = index_first(index, way, key);
	for (; object != NULL && rv == CKR_OK;
	     object = index_next(object, way)) {
		if (!matches_here(s, object, &ask))
			continue;
		*asked |= ask;
		rv = search_add(s, object);
	}
	return rv;
}

/* Of those found so far, keep what SoftHSM says matches too. */
static CK_RV
search_ask(struct search *s)
{
	CK_SESSION_HANDLE backing;
	size_t i, kept = 0;
	bool same = false;
	CK_RV rv = partition_take(s->turn->part, &backing);

	if (rv != CKR_OK)
		return rv;
	for (i = 0; i < s->found_count; i++) {
		if (rv == CKR_OK)
			rv = matches_there(s, backing, s->found[i], &same);
		if (rv == CKR_OK && same)
			s->found[kept++] = s->found[i];
		else
			object_unref(s->found[i]);
	}
	s->found_count = kept;
	partition_give(s->turn->part, backing, true);
	return rv;
}

static CK_RV
search(struct search *s)
{
	struct turn *turn = s->turn;
	bool asked = false;
	CK_RV rv = partition_load(turn->part, s->sees_private);

	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&turn->part->lock);
	rv = search_index(s, &turn->part->index, &asked);
	pthread_mutex_unlock(&turn->part->lock);
	if (rv == CKR_OK) {
		pthread_mutex_lock(&turn->app->lock);
		rv = search_index(s, &turn_slot(turn)->objects, &asked);
		pthread_mutex_unlock(&turn->app->lock);
	}
	if (rv == CKR_OK && asked)
		rv = search_ask(s);
	return rv;
}

CK_RV
token_C_FindObjectsInit(struct token_app *app, CK_SESSION_HANDLE session,
    CK_ATTRIBUTE *templ, CK_ULONG count)
{
	struct search s = {.templ = templ, .count = count};
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	s.turn = &turn;
	s.sees_private = turn_sees_private(&turn);
	if (!op_allowed(turn.session, OP_FIND))
		return turn_end(&turn, CKR_OPERATION_ACTIVE);
	rv = template_check(templ, count);
	if (rv == CKR_OK)
		rv = search(&s);
	turn.session->found = s.found;
	turn.session->found_count = s.found_count;
	turn.session->found_at = 0;
	if (rv == CKR_OK)
		turn.session->ops[OP_FIND].phase = OP_READY;
	else
		op_end(turn.session, OP_FIND, true);
	return turn_end(&turn, rv);
}

CK_RV
token_C_FindObjects(struct token_app *app, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE *object, CK_ULONG max, CK_ULONG *count)
{
	struct session *here;
	struct turn turn;
	CK_ULONG n = 0;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	here = turn.session;
	if (here->ops[OP_FIND].phase == OP_IDLE)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	else if (object == NULL || count == NULL)
		rv = CKR_ARGUMENTS_BAD;
	while (rv == CKR_OK && n < max && here->found_at < here->found_count) {
		struct object *next = here->found[here->found_at++];

		/* Others may have destroyed it meanwhile. */
		if (next->backing == CK_INVALID_HANDLE)
			continue;
		rv = app_handle(app, next, &object[n]);
		n += rv == CKR_OK;
	}
	if (rv == CKR_OK)
		*count = n;
	return turn_end(&turn, rv);
}

CK_RV
token_C_FindObjectsFinal(struct token_app *app, CK_SESSION_HANDLE session)
{
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (turn.session->ops[OP_FIND].phase == OP_IDLE)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	else
		op_end(turn.session, OP_FIND, true);
	return turn_end(&turn, rv);
}
