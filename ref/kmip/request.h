/*
 * A request in flight, and what the operations share.
 *
 * One request is one message: a header and batch items, worked off in order,
 * in one turn of the loop. Its memory is one arena. Operations get a payload
 * that the schema has checked, and fill the answer's payload with whatever
 * fields they know: the schema sorts them and leaves out what the request's
 * version does not have, so an operation asks for the version only where the
 * same request means something else there.
 */
#ifndef KMIP_REQUEST_H
#define KMIP_REQUEST_H

#include "device/user.h"
#include "kmip/kmip.h"
#include "model/object.h"
#include "wire/item.h"

/*
 * Work for a worker, made by an operation's prepare, run before the batch
 * begins. work touches nothing but its own struct, of which this is the first
 * member.
 */
struct slow {
	enum err rc; /* what work came to */
	void (*work)(struct slow *job);
	void (*free)(struct slow *job); /* wipes */
};

struct made {
	struct made *next;
	struct bytes id;
	uint32_t by; /* UNIQUE_IDENTIFIER_CREATE ... */
};

struct request {
	const struct kmip_config *config;
	struct arena *arena;
	enum version version;
	const struct key_door *door; /* what the client came in through */
	struct bytes identity;       /* the client's: owns what it makes */
	/* whose objects it sees: its own, global ones, and (KEY_KEYSECURE)
	 * those of its groups */
	const struct bytes *scopes;
	size_t scope_count;
	struct bytes own[2];
	struct key_user user; /* KEY_KEYSECURE: who it is */
	int64_t now_s;
	struct fault fault;
	/* the ID Placeholder; no octets: empty */
	struct bytes placeholder;
	/* Unique Identifiers the batch has come by so far, the latest first */
	struct made *made;
	/* prepared for the present batch item, NULL for nothing */
	struct slow *slow;
	/* the master key, where the HSM had to be asked for it; or NULL */
	const struct keystore_loan *loan;
};

/*
 * Resolve a Unique Identifier field of `in`: an identifier, the ID Placeholder
 * where the field is absent, or (2.x) one that an earlier item of the batch
 * came by, named by its operation or counted from the first.
 *
 * ERR_NOT_FOUND  there is none
 */
enum err request_id(
    struct request *rq, const struct item *in, struct bytes *id) MUST_CHECK;

/*
 * The same for identifiers among attributes, Links above all: each becomes the
 * text that it stands for, since what is kept is shown to other requests.
 *
 * ERR_NOT_FOUND  the batch has not come by such an object
 */
enum err
request_identifiers(struct request *rq, struct attr_list *list) MUST_CHECK;

/*
 * The object that request_id names, as it is at this moment (state changes
 * that are due have been made), if it is one that the client sees. Borrowed
 * from the store. Absent and somebody else's are the same answer.
 *
 * ERR_NOT_FOUND
 */
enum err request_object(struct request *rq, const struct item *in,
    const struct object **out) MUST_CHECK;

/* The same by identifier, for links and batches. */
enum err request_object_of(
    struct request *rq, struct bytes id, const struct object **out) MUST_CHECK;

/* Is it the client's own, or everybody's? Others are a group's. */
bool request_owns(const struct request *rq, const struct object *o);

/*
 * A clone of it to change; put back with request_put, or freed.
 *
 * ERR_DENIED  it is neither the client's own nor global
 */
enum err request_object_edit(
    struct request *rq, const struct item *in, struct object **out) MUST_CHECK;

/* Store a changed object; sets Last Change Date. Takes it, on failure too. */
enum err request_put(struct request *rq, struct object *take) MUST_CHECK;

/* Store a new object; takes it, on failure too. */
enum err request_insert(struct request *rq, struct object *take) MUST_CHECK;

/*
 * ERR_DESTROYED  all that is left of it are attributes
 */
enum err request_check_live(const struct object *o) MUST_CHECK;

/*
 * Bring an object that may be changed into the state that the event leads to,
 * as of now.
 *
 * ERR_OBJECT_TYPE  objects of its type have no State
 * ERR_LIFECYCLE    the event is not for the state it is in
 */
enum err request_change_state(
    struct request *rq, struct object *o, enum event event) MUST_CHECK;

/*
 * Will one of the Protection Storage Masks (2.x) in this field do? Keys are
 * sealed in software here. Without the field, anything does.
 *
 * ERR_STORAGE_MASK     none will
 * ERR_STORAGE_PRIVATE  for the private key of a pair, or for both keys
 * ERR_STORAGE_PUBLIC   for the public key
 */
enum err request_check_storage(
    struct request *rq, const struct item *in, enum tag masks) MUST_CHECK;

/* Put Unique Identifier into the answer. */
enum err request_answer_id(
    struct request *rq, struct item *out, const struct object *o) MUST_CHECK;

/*
 * The batch has come by this identifier: put it into the ID Placeholder, and
 * keep it for later items.
 */
enum err
request_made(struct request *rq, struct bytes id, uint32_t by) MUST_CHECK;

#endif
