#include "token/partition.h"

#include <string.h>

enum err
partition_init(struct partition *part, struct card *card, unsigned slot)
{
	struct card_slot here;
	pthread_rwlockattr_t attr;

	memset(part, 0, sizeof(*part));
	part->card = card;
	part->softhsm = card_backing(card);
	part->slot = slot;
	if (card_slot(card, slot, &here) == CARD_OK)
		part->capacity_octets = here.capacity_octets;
	/* None has it: the first call finds out what the card has. */
	part->epoch = UINT64_MAX;
	part->epoch_first = card_epoch(card, slot);
	if (pthread_rwlockattr_init(&attr) != 0)
		return ERR_NOMEM;
	/* Else a busy partition would never be listed. */
	pthread_rwlockattr_setkind_np(
	    &attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&part->making, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&part->lock, NULL);
	return OK;
}

/* An object is out of the index, and of everybody's reach. */
static void
drop(struct partition *part, struct object *object)
{
	index_remove(&part->index, object);
	object->backing = CK_INVALID_HANDLE;
	object->shadow = CK_INVALID_HANDLE;
	object_unref(object);
}

static void
drop_all(struct partition *part, bool is_private)
{
	struct object *object = index_first(&part->index, BY_ALL, BYTES_NONE);
	struct object *next;

	for (; object != NULL; object = next) {
		next = index_next(object, BY_ALL);
		if (object->is_private == is_private)
			drop(part, object);
	}
}

/*
 * SoftHSM has closed the sessions (all), or logged the token out: then its
 * private objects have lost their handles there, and private session objects,
 * shadows among them, are gone.
 */
static void
forget(struct partition *part, bool all)
{
	unsigned i;

	drop_all(part, true);
	if (all)
		drop_all(part, false);
	for (i = 0; i < PARTITION_SHADOWS; i++) {
		if (part->shadowed[i] == NULL ||
		    part->shadowed[i]->shadow != CK_INVALID_HANDLE)
			continue;
		object_unref(part->shadowed[i]);
		part->shadowed[i] = NULL;
	}
	part->has_private = false;
	if (all) {
		part->has_public = false;
		part->idle_count = 0;
		part->shadows = CK_INVALID_HANDLE;
		part->private_octets = 0;
		part->private_count = 0;
		part->private_known = false;
	}
}

void
partition_clear(struct partition *part)
{
	if (part->card == NULL)
		return;
	card_backing_begin(part->card, part->slot);
	if (part->epoch == card_epoch(part->card, part->slot)) {
		if (part->shadows != CK_INVALID_HANDLE)
			part->softhsm->C_CloseSession(part->shadows);
		while (part->idle_count > 0)
			part->softhsm->C_CloseSession(
			    part->idle[--part->idle_count]);
	}
	card_backing_end(part->card, part->slot);
	forget(part, true);
	index_clear(&part->index);
	pthread_rwlock_destroy(&part->making);
	pthread_mutex_destroy(&part->lock);
	memset(part, 0, sizeof(*part));
}

bool
partition_sync(struct partition *part)
{
	const uint64_t epoch = card_epoch(part->card, part->slot);
	const uint64_t logouts = card_backing_logouts(part->card, part->slot);
	CK_SLOT_ID backing;

	if (atomic_load(&part->epoch) == epoch &&
	    atomic_load(&part->logouts) == logouts)
		return true;
	if (!card_backing_slot(part->card, part->slot, &backing))
		return false;
	pthread_mutex_lock(&part->lock);
	if (part->epoch != epoch || part->logouts != logouts) {
		forget(part, part->epoch != epoch);
		/* Made anew under our eyes: there was nothing in it. */
		if (part->epoch != epoch)
			part->private_known = epoch != part->epoch_first;
		part->backing = backing;
		atomic_store(&part->epoch, epoch);
		atomic_store(&part->logouts, logouts);
	}
	pthread_mutex_unlock(&part->lock);
	return true;
}

static CK_RV
open_session(struct partition *part, CK_SESSION_HANDLE *session)
{
	return part->softhsm->C_OpenSession(part->backing,
	    CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session);
}

CK_RV
partition_take(struct partition *part, CK_SESSION_HANDLE *session)
{
	*session = CK_INVALID_HANDLE;
	pthread_mutex_lock(&part->lock);
	if (part->idle_count > 0)
		*session = part->idle[--part->idle_count];
	pthread_mutex_unlock(&part->lock);
	return *session != CK_INVALID_HANDLE ? CKR_OK
					     : open_session(part, session);
}

void
partition_give(struct partition *part, CK_SESSION_HANDLE session, bool clean)
{
	pthread_mutex_lock(&part->lock);
	if (clean && part->idle_count < PARTITION_IDLE) {
		part->idle[part->idle_count++] = session;
		session = CK_INVALID_HANDLE;
	}
	pthread_mutex_unlock(&part->lock);
	if (session != CK_INVALID_HANDLE)
		part->softhsm->C_CloseSession(session);
}

/* With the lock: into the index, which then has a count on it. */
static CK_RV
put(struct partition *part, struct object *object)
{
	if (index_add(&part->index, object) != OK)
		return CKR_HOST_MEMORY;
	object_ref(object);
	return CKR_OK;
}

/* Index the token objects that are private, or those that are not. */
static CK_RV
load(struct partition *part, CK_SESSION_HANDLE session, CK_BBOOL is_private)
{
	CK_FUNCTION_LIST *f = part->softhsm;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE which[] = {
	    {CKA_TOKEN, &yes, sizeof(yes)},
	    {CKA_PRIVATE, &is_private, sizeof(is_private)},
	};
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count = 0, i;
	uint64_t octets = 0;
	unsigned long objects = 0;
	CK_RV rv = f->C_FindObjectsInit(session, which, 2);

	if (rv != CKR_OK)
		return rv;
	do {
		rv = f->C_FindObjects(session, found, 64, &count);
		for (i = 0; rv == CKR_OK && i < count; i++) {
			struct object *object = NULL;

			rv = object_new(
			    f, session, found[i], part->slot, &object);
			if (rv == CKR_OBJECT_HANDLE_INVALID) {
				rv = CKR_OK; /* its file is damaged */
				continue;
			}
			if (rv == CKR_OK) {
				pthread_mutex_lock(&part->lock);
				rv = put(part, object);
				pthread_mutex_unlock(&part->lock);
				octets += object->octets;
				objects++;
			}
			object_unref(object);
		}
	} while (rv == CKR_OK && count > 0);
	f->C_FindObjectsFinal(session);
	pthread_mutex_lock(&part->lock);
	if (rv != CKR_OK) {
		drop_all(part, is_private);
	} else if (is_private) {
		part->has_private = true;
		part->private_known = true;
		part->private_octets = octets;
		part->private_count = objects;
	} else {
		part->has_public = true;
	}
	pthread_mutex_unlock(&part->lock);
	return rv;
}

static bool
loaded(struct partition *part, bool with_private)
{
	bool done;

	pthread_mutex_lock(&part->lock);
	done = part->has_public && (part->has_private || !with_private);
	pthread_mutex_unlock(&part->lock);
	return done;
}

CK_RV
partition_load(struct partition *part, bool with_private)
{
	CK_SESSION_HANDLE session;
	CK_RV rv;

	if (loaded(part, with_private))
		return CKR_OK;
	rv = partition_take(part, &session);
	if (rv != CKR_OK)
		return rv;
	pthread_rwlock_wrlock(&part->making);
	if (!part->has_public)
		rv = load(part, session, CK_FALSE);
	if (rv == CKR_OK && with_private && !part->has_private)
		rv = load(part, session, CK_TRUE);
	pthread_rwlock_unlock(&part->making);
	partition_give(part, session, rv == CKR_OK);
	return rv;
}

/* With the lock: what all objects take, listed or not. */
static uint64_t
used_octets(const struct partition *part)
{
	return part->index.octets +
	       (part->has_private ? 0 : part->private_octets);
}

CK_RV
partition_add(struct partition *part, struct object *object)
{
	CK_RV rv = CKR_DEVICE_MEMORY;

	pthread_mutex_lock(&part->lock);
	if (object->octets <= part->capacity_octets &&
	    used_octets(part) <= part->capacity_octets - object->octets)
		rv = put(part, object);
	if (rv == CKR_OK && object->is_private) {
		part->private_octets += object->octets;
		part->private_count++;
	}
	pthread_mutex_unlock(&part->lock);
	return rv;
}

/* With the lock. The key that it is a shadow of stays. */
static void
drop_shadow(struct partition *part, struct object *key)
{
	CK_OBJECT_HANDLE shadow =
	    atomic_exchange(&key->shadow, CK_INVALID_HANDLE);

	if (shadow != CK_INVALID_HANDLE)
		part->softhsm->C_DestroyObject(part->shadows, shadow);
}

void
partition_remove(struct partition *part, struct object *object)
{
	pthread_mutex_lock(&part->lock);
	drop_shadow(part, object);
	if (object->is_private) {
		part->private_octets -= object->octets;
		part->private_count--;
	}
	drop(part, object);
	pthread_mutex_unlock(&part->lock);
}

CK_RV
partition_changed(
    struct partition *part, CK_SESSION_HANDLE session, struct object *object)
{
	CK_RV rv;

	pthread_mutex_lock(&part->lock);
	index_remove(&part->index, object);
	if (object->is_private)
		part->private_octets -= object->octets;
	drop_shadow(part, object);
	rv = object_read(part->softhsm, session, object);
	if (object->is_private)
		part->private_octets += object->octets;
	/* What was in there has room in there. */
	(void)!index_add(&part->index, object);
	pthread_mutex_unlock(&part->lock);
	return rv;
}

/* With the lock. Where it cannot be copied it is used itself. */
static void
make_shadow(struct partition *part, struct object *key)
{
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE session_object = {CKA_TOKEN, &no, sizeof(no)};
	CK_OBJECT_HANDLE shadow;
	struct object **place = &part->shadowed[part->shadow_next];

	if (part->shadows == CK_INVALID_HANDLE &&
	    open_session(part, &part->shadows) != CKR_OK)
		return;
	if (part->softhsm->C_CopyObject(part->shadows, key->backing,
		&session_object, 1, &shadow) != CKR_OK) {
		key->no_shadow = true;
		return;
	}
	if (*place != NULL) {
		drop_shadow(part, *place);
		object_unref(*place);
	}
	*place = object_ref(key);
	key->shadow = shadow;
	part->shadow_next = (part->shadow_next + 1) % PARTITION_SHADOWS;
}

CK_OBJECT_HANDLE
partition_use(struct partition *part, struct object *key)
{
	CK_OBJECT_HANDLE shadow = atomic_load(&key->shadow);

	if (shadow == CK_INVALID_HANDLE && key->on_token &&
	    key->class == CKO_SECRET_KEY && !atomic_load(&key->no_shadow)) {
		pthread_mutex_lock(&part->lock);
		if (key->shadow == CK_INVALID_HANDLE &&
		    key->backing != CK_INVALID_HANDLE)
			make_shadow(part, key);
		shadow = key->shadow;
		pthread_mutex_unlock(&part->lock);
	}
	return shadow != CK_INVALID_HANDLE ? shadow
					   : atomic_load(&key->backing);
}

/*
 * Have in the index what can be seen: private objects where any application,
 * or an administrator, is logged in as a user.
 */
static void
survey(struct partition *part)
{
	CK_SESSION_INFO info = {.state = CKS_RW_PUBLIC_SESSION};
	CK_SESSION_HANDLE session;

	if (loaded(part, false) && part->private_known)
		return;
	if (partition_take(part, &session) != CKR_OK)
		return;
	(void)part->softhsm->C_GetSessionInfo(session, &info);
	partition_give(part, session, true);
	(void)partition_load(part, info.state == CKS_RW_USER_FUNCTIONS);
}

void
partition_storage(struct partition *part, struct token_storage *out)
{
	survey(part);
	pthread_mutex_lock(&part->lock);
	out->total_octets = part->capacity_octets;
	out->used_octets = used_octets(part);
	out->objects =
	    part->index.count + (part->has_private ? 0 : part->private_count);
	out->known = part->has_public && part->private_known;
	pthread_mutex_unlock(&part->lock);
}
