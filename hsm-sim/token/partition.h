/*
 * A partition, as all applications share it: the index of its token objects,
 * sessions of SoftHSM to work in, and what the objects take.
 *
 * req: KSC-033, KSC-167
 *
 * SoftHSM is as busy with a token object as with twenty session objects: it
 * looks at the files again before each use. So each AES or other secret key
 * that is used is copied to a session object, its shadow, and the shadow is
 * used. It dies when the key is changed or destroyed, and when the partition
 * is logged out.
 *
 * Everything here is called between card_backing_begin and _end.
 */
#ifndef TOKEN_PARTITION_H
#define TOKEN_PARTITION_H

#include <pthread.h>

#include "token/index.h"
#include "token/token.h"

enum {
	PARTITION_SHADOWS = 64, /* then the oldest goes */
	PARTITION_IDLE = 32,    /* sessions kept for the next operation */
};

struct partition {
	struct card *card;
	CK_FUNCTION_LIST *softhsm;
	unsigned slot;
	uint64_t capacity_octets;
	uint64_t epoch_first; /* of what was there when the power came */

	/* What makes objects and what lists them may not overlap: the list
	 * would have some twice. Makers share it. Taken before `lock`. */
	pthread_rwlock_t making;

	pthread_mutex_t lock;            /* of all below; held for moments */
	_Atomic uint64_t epoch, logouts; /* what is below belongs to them */
	CK_SLOT_ID backing;
	bool has_public, has_private; /* their token objects are indexed */
	struct index index;
	CK_SESSION_HANDLE idle[PARTITION_IDLE];
	unsigned idle_count;
	CK_SESSION_HANDLE shadows; /* the session that shadows belong to */
	struct object *shadowed[PARTITION_SHADOWS];
	unsigned shadow_next;
	/* Kept while it is logged out: nothing private changes meanwhile. */
	bool private_known;
	uint64_t private_octets;
	unsigned long private_count;
};

enum err partition_init(
    struct partition *part, struct card *card, unsigned slot) MUST_CHECK;
/* Closes its sessions. Harmless when zeroed. */
void partition_clear(struct partition *part);

/*
 * Forget what the card has ended since. Cheap where it has ended nothing.
 * false: there is no partition at present.
 */
bool partition_sync(struct partition *part);

/* A session of SoftHSM that nobody else uses. Give it back; clean: no
 * operation is under way in it, so that it may be used again. */
CK_RV partition_take(struct partition *part, CK_SESSION_HANDLE *session);
void
partition_give(struct partition *part, CK_SESSION_HANDLE session, bool clean);

/* Have its token objects in the index; the private ones only if asked for. */
CK_RV partition_load(struct partition *part, bool with_private);

/*
 * Of token objects, and of a partition that is loaded; makers hold `making`
 * from before SoftHSM makes it.
 *
 * CKR_DEVICE_MEMORY  there is no room for it: destroy it again
 * CKR_HOST_MEMORY    likewise
 */
CK_RV partition_add(struct partition *part, struct object *object);
/* It was destroyed. */
void partition_remove(struct partition *part, struct object *object);
/* Read it anew, its attributes were changed. */
CK_RV partition_changed(
    struct partition *part, CK_SESSION_HANDLE session, struct object *object);

/*
 * What to hand to SoftHSM for the use of a key: the shadow, if it is one that
 * has one. CK_INVALID_HANDLE: it has been destroyed.
 */
CK_OBJECT_HANDLE partition_use(struct partition *part, struct object *key);

void partition_storage(struct partition *part, struct token_storage *out);

#endif
