/*
 * The store: managed objects and a little more, durable, in one directory.
 *
 * Nothing outside this folder knows what is behind it (an SQLite database in
 * WAL mode, DIR/store.db). It belongs to the thread that opened it.
 *
 * Turns and groups. All writes of one turn of the loop form a group: one
 * transaction, begun by the first write, made durable by store_commit() at the
 * turn's end. A change is seen at once by whoever reads later in the same
 * thread, but it may be told to a client only when its group is durable:
 *
 *	store_request(st);                  a request begins
 *	...                                 reads and writes
 *	if (store_must_wait(st))            it wrote, or saw a group's rows
 *		store_wait(st, &conn->waiter);  answered from waiter->done
 *	else
 *		answer now
 *	...
 *	store_commit(st);                   the turn's end
 *
 * When a group fails, all of it is undone, memory included, and each waiter
 * hears the error. After disk full or an I/O error the store goes on serving
 * reads, and takes writes again as soon as it can.
 *
 * Borrowed objects (store_find) are valid until the store_commit() that ends
 * the turn, even when they are updated or deleted meanwhile. Objects that have
 * been taken are immutable: to change one, object_clone, change, store_update.
 *
 * Scopes say whose objects are meant: the owner's name, or a group's as
 * card_group_scope has it (model/card.h). No scopes are all that there are but
 * older versions of keys.
 *
 * Errors of every function here that returns one, beside those it names:
 *
 *   ERR_STORE      an I/O error or a damaged file; the log has the detail
 *   ERR_DISK_FULL  no space for the write
 *   ERR_NOMEM
 *
 * A write that fails with one of these fails its whole group, unless it is
 * undone with store_rollback_to().
 *
 * Source: KMIP 1.4 section 4.9 (Locate), KMIP 2.1 sections 6.1.28 and 4.32
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "model/object.h"

struct store;

struct store_options {
	size_t cache_octets; /* memory for objects; 0: STORE_CACHE_OCTETS */
	int log_pages; /* what store_idle() waits for; 0: STORE_LOG_PAGES */
	bool lab;      /* through the laboratory's file layer, vfs.h */
	bool copy; /* of another one, to be thrown away: nothing is synced */
};

enum {
	STORE_CACHE_OCTETS = 256 * 1024 * 1024,
	STORE_LOG_PAGES = 4000,
	STORE_BULK_PAGES = 250, /* what store_relieve() waits for */
	STORE_META_KEY_MAX_OCTETS = 128,
	STORE_META_VALUE_MAX_OCTETS = 1024 * 1024,
};

/*
 * Open the store in a directory that exists; made when there is none, brought
 * up to this release's schema when it is older. What a power cut left is
 * recovered here.
 *
 * ERR_STORE_VERSION  written by a release whose files this one cannot read;
 *                    nothing was changed
 * ERR_CONFIG         DIR/store.db is something else, or in use by another
 *                    process
 */
enum err store_open(const char *dir, struct env *env,
    const struct store_options *options, struct store **out) MUST_CHECK;

/*
 * The schema that this release brings a store up to; and the oldest one that a
 * release has to know to read this store, as it is now.
 */
unsigned store_schema(void);
enum err store_oldest_reader(struct store *st, unsigned *schema) MUST_CHECK;

/*
 * Did the last group of writes fail, for want of space or otherwise? The next
 * one that is made durable says that all is well again.
 */
bool store_fails(const struct store *st);

/* Commits what is open, then closes; accepts NULL. */
void store_close(struct store *st);

/* No store is open there: its files are gone for good, wherever a crash leaves
 * off. ERR_SYSTEM  something is left; the log says what */
enum err store_erase(const char *dir) MUST_CHECK;

/*
 * One object, whoever owns it. Borrowed until the turn's end.
 *
 * ERR_NOT_FOUND  no object has this identifier
 */
enum err store_find(
    struct store *st, struct bytes id, const struct object **out) MUST_CHECK;

/*
 * Add, replace or remove one object. `take` is the store's from here on, on
 * failure too. An update may change anything but identifier and type.
 *
 * ERR_EXISTS     insert: an object with this identifier is there
 * ERR_NOT_FOUND  update, delete: there is none
 * ERR_LIMIT      identifier, owner or attributes beyond the limits of
 *                model/object.h
 *
 * These three change nothing and leave the group as it was.
 */
enum err store_insert(struct store *st, struct object *take) MUST_CHECK;
enum err store_update(struct store *st, struct object *take) MUST_CHECK;
enum err store_delete(struct store *st, struct bytes id) MUST_CHECK;

/*
 * Which objects in any of these scopes satisfy all of these, most recently
 * created first: the order that KMIP 2.1 demands and 1.x permits.
 *
 * Terms, type and states are looked up in indexes and intersected there; the
 * cost goes with the shortest of their lists, never with the objects in the
 * store, unless there are no scopes: then each object is asked. `filter` then
 * sees each object that is left and judges what has no index; what it is shown
 * is valid during the call only.
 */
typedef bool store_filter_fn(void *ctx, const struct object *o);

struct store_query {
	const struct bytes *scopes;
	size_t scope_count; /* 0: all */
	struct bytes id;    /* Unique Identifier; BYTES_NONE: any */
	/* object_term() of other attributes than those with a field here: the
	 * object has all of them; one without octets has no index, so leave
	 * it to the filter */
	const struct bytes *terms;
	size_t term_count;
	uint32_t object_type;    /* 0: any */
	unsigned states;         /* STORE_STATE(STATE_ACTIVE) | ...; 0: any */
	store_filter_fn *filter; /* NULL: no more to judge */
	void *ctx;
	size_t offset_items; /* pass over that many matches */
	size_t max_items;    /* then stop after that many; 0: no maximum */
	bool count_all;      /* go on to the end, to count every match */
};

/* STORE_STATE(0) stands for the types that have no state. */
#define STORE_STATE(state) (1u << (state))
#define STORE_STATES_ALL   (~0u)

struct store_found {
	struct bytes *ids; /* in the arena */
	size_t id_count;
	size_t located; /* all matches, where count_all asked for it */
};

enum err store_locate(struct store *st, struct arena *a,
    const struct store_query *query, struct store_found *out) MUST_CHECK;

/*
 * The object of this name in the first scope that has one; of several there,
 * the one made first. Destroyed objects have no name here. What was asked for
 * before is answered from memory. Borrowed as by store_find.
 *
 * ERR_NOT_FOUND
 */
enum err store_find_name(struct store *st, const struct bytes *scopes,
    size_t scope_count, struct bytes name,
    const struct object **out) MUST_CHECK;

/*
 * Does another object hold this Name already? Destroyed objects hold none.
 * `name_term` is object_term() of a Name; `owner` without octets asks for the
 * whole server, since names of global objects are everybody's; `except`, an
 * identifier, may be BYTES_NONE.
 */
enum err store_name_taken(struct store *st, struct bytes owner,
    struct bytes name_term, struct bytes except, bool *taken) MUST_CHECK;

/*
 * Each object that holds this Name, whoever owns it, once. `each` is shown it
 * as store_find has it, and may write. Its error ends the walk and is returned.
 */
typedef enum err store_object_fn(void *ctx, const struct object *o);
enum err store_name_each(struct store *st, struct bytes name,
    store_object_fn *each, void *ctx) MUST_CHECK;

/*
 * A walk through all that there is, older versions of keys and destroyed
 * objects included, which leaves memory as it is. *out is the caller's.
 *
 * store_next     in the order of creation: the one behind *row, which is 0 at
 *                first, and then that one's
 * store_next_id  in the order of their identifiers: the one behind `after`
 *
 * ERR_NOT_FOUND  behind the last
 */
enum err
store_next(struct store *st, int64_t *row, struct object **out) MUST_CHECK;
enum err store_next_id(
    struct store *st, struct bytes after, struct object **out) MUST_CHECK;

/*
 * State changes that come by themselves (object_due_s). store_next_due_s costs
 * nothing; INT64_MAX for never. store_tick makes, in the group, every change
 * that is due by now_s: call it before a request is looked at when
 * store_next_due_s(st) <= now, and set a timer for the next.
 */
int64_t store_next_due_s(const struct store *st);
enum err store_tick(struct store *st, int64_t now_s) MUST_CHECK;

/*
 * Small named values: wrapped master keys, counters, switches. The key is text
 * with the module first: "crypto.master.1". Writes are part of the group.
 * store_meta_get appends to out.
 *
 * ERR_NOT_FOUND  no such key; store_meta_delete does not mind
 * ERR_LIMIT      key or value too long
 */
enum err
store_meta_get(struct store *st, const char *key, struct buf *out) MUST_CHECK;
enum err store_meta_put(
    struct store *st, const char *key, struct bytes value) MUST_CHECK;
enum err store_meta_delete(struct store *st, const char *key) MUST_CHECK;

/*
 * A point to return to within the turn. They nest; each is ended by exactly
 * one of store_release (keep) and store_rollback_to (undo what was written
 * since). store_rollback_to fails only when the whole group is lost.
 *
 * A batch with Undo takes one around itself; an operation that writes twice
 * takes one too, so that no half of it can stay.
 */
enum err store_savepoint(struct store *st) MUST_CHECK;
enum err store_release(struct store *st) MUST_CHECK;
enum err store_rollback_to(struct store *st) MUST_CHECK;

/*
 * The one or the other, by what came of writing:
 *
 *	TRY(store_savepoint(st));
 *	rc = ... what writes ...
 *	return store_savepoint_end(st, rc);
 *
 * Returns rc, or what keeping or undoing failed with.
 */
enum err store_savepoint_end(struct store *st, enum err rc) MUST_CHECK;

/* A request begins: nothing written or seen yet. */
void store_request(struct store *st);

/* Since then, did it write to the group that is open, or read of it? */
bool store_must_wait(const struct store *st);

/*
 * Whom to call when the open group is durable (OK) or undone (the error).
 * It lies in the caller's own memory, so waiting cannot fail. `done` may call
 * the store, and its writes begin the next group.
 */
struct store_waiter {
	struct store_waiter *next; /* the store's */
	void (*done)(struct store_waiter *w, enum err rc);
	void *ctx;
};
void store_wait(struct store *st, struct store_waiter *w);

/*
 * In the middle of a group that writes more than memory should hold: end all
 * borrowing, and keep no object that the group has written. Outside of all
 * savepoints, and with nobody else in the group.
 */
void store_trim(struct store *st);

/* Has a group begun that is not durable yet? */
bool store_group_is_open(const struct store *st);

/* The open group is undone at once, and fails with `why`. */
void store_fail(struct store *st, enum err why);

/*
 * How many groups have been made durable. What is written now belongs to the
 * one after these, also for a waiter that is just being called.
 */
uint64_t store_groups(const struct store *st);

/* Whoever waits is gone before the group ends: do not call. */
void store_unwait(struct store *st, struct store_waiter *w);

/*
 * The turn's end: make the group durable (one fsync, on this thread), call the
 * waiters, end all borrowing. Without a group it only ends borrowing.
 *
 * Returns what the waiters heard; no savepoint may be open.
 */
enum err store_commit(struct store *st);

/*
 * The loop has nothing to do: move what the log gathered into the database, if
 * it is worth it. 4 ms of processor time where the store is small, 25 ms where
 * it has 300,000 objects, and the disk's time beside. Never needed for
 * correctness.
 */
void store_idle(struct store *st);

/*
 * The same in portions of 0.5 to 3 ms, for who writes much over many turns,
 * and is in no hurry: he calls it in each of them, before he writes, so that
 * no turn has all of it to move.
 */
void store_relieve(struct store *st);

/*
 * A copy of the store as it was durable at one moment, for who reads all of it
 * and takes his time (a backup): the store itself goes on meanwhile.
 *
 *	store_copy_new -> store_copy_work, on any thread -> store_copy_end
 *
 * From the first to the last the log is not moved into the database, and
 * grows. What has been made durable before store_copy_new is in the copy, and
 * of what follows the groups of some beginning. The copy is opened with
 * store_open, options.copy; store_erase removes it.
 *
 * to_dir  exists; copied
 *
 * store_copy_end says what came of it, and frees; the store is still open.
 * ERR_SYSTEM, ERR_DISK_FULL, ERR_NOMEM
 */
struct store_copy;
enum err store_copy_new(
    struct store *st, const char *to_dir, struct store_copy **out) MUST_CHECK;
void store_copy_work(void *copy);
enum err store_copy_end(struct store_copy *copy) MUST_CHECK;

/* For tests and reports. */
struct store_stats {
	uint64_t objects;
	uint64_t cached_objects;
	uint64_t cached_octets;
	uint64_t cache_hits;
	uint64_t cache_misses;
	uint64_t index_rows; /* read by Locate so far */
	uint64_t groups;     /* made durable */
	uint64_t checkpoints;
};
enum err store_stats(struct store *st, struct store_stats *out) MUST_CHECK;

/*
 * How the database engine would run each statement that the store uses: `line`
 * gets the statement's name and one step of its plan.
 */
typedef void store_plan_fn(void *ctx, const char *statement, const char *step);
enum err
store_plans(struct store *st, store_plan_fn *line, void *ctx) MUST_CHECK;

/* Walk the whole file: ERR_STORE when it is damaged, or indexes and objects do
 * not agree. */
enum err store_check(struct store *st) MUST_CHECK;

#endif
