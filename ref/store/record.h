/*
 * What the store keeps beside managed objects: records of the appliance, and
 * logs.
 *
 * A record has a kind ("admin", "setting", "ca.local"; the module's choice,
 * which nobody else writes), a key that is unique in it, and a value. A log is
 * lines that are only ever added, each with the wall time at which that was;
 * they are numbered from 1 in the order of adding.
 *
 * Writes are part of the turn's group, as those of store.h are: a change and
 * its audit line are durable together or not at all, and savepoints undo both.
 *
 * Errors beside those named: ERR_STORE, ERR_DISK_FULL, ERR_NOMEM; see store.h.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "store/store.h"

enum {
	RECORD_KIND_MAX_OCTETS = 32, /* one at least */
	RECORD_KEY_MAX_OCTETS = 512,
	RECORD_VALUE_MAX_OCTETS = 1024 * 1024,
	STORE_LOG_NAME_MAX_OCTETS = 32,
	STORE_LOG_LINE_MAX_OCTETS = 8192,
};

/*
 * Append the value to `out`.
 *
 * ERR_NOT_FOUND  no such record
 */
enum err record_get(struct store *st, const char *kind, struct bytes key,
    struct buf *out) MUST_CHECK;

/*
 * The same of a store that nobody has opened, as whichever release left it:
 * for who has to know which program is to open it. Nothing is changed, and it
 * is brought up to no schema. `oldest_reader` is store_oldest_reader's.
 *
 * ERR_NOT_FOUND  no such record, or no store
 * ERR_STORE      it cannot be read
 */
enum err record_peek(const char *dir, const char *kind, struct bytes key,
    struct buf *out, unsigned *oldest_reader) MUST_CHECK;

/*
 * Write it, new or not.
 *
 * ERR_LIMIT  kind, key or value beyond the limits above; nothing is changed
 */
enum err record_put(struct store *st, const char *kind, struct bytes key,
    struct bytes value) MUST_CHECK;

/* ERR_NOT_FOUND  there is none */
enum err
record_delete(struct store *st, const char *kind, struct bytes key) MUST_CHECK;

/*
 * Each record of a kind, in the order of their keys' octets. What `each` is
 * shown is a copy that is valid during the call only. It may read and write:
 * what it writes at later keys is seen. Its error ends the walk and is
 * returned.
 */
typedef enum err record_fn(void *ctx, struct bytes key, struct bytes value);
enum err record_each(
    struct store *st, const char *kind, record_fn *each, void *ctx) MUST_CHECK;

/*
 * The same for those whose key begins with `prefix` and comes behind `after`,
 * `most` of them at most; BYTES_NONE and 0 for no such bound. The cost goes
 * with what is shown, never with the other records of the kind.
 *
 * after  the whole key: prefix included
 */
enum err
record_each_prefix(struct store *st, const char *kind, struct bytes prefix,
    struct bytes after, size_t most, record_fn *each, void *ctx) MUST_CHECK;

/*
 * The kinds of which there are records, in order: the one behind `kind`, which
 * it replaces; "" at first.
 *
 * ERR_NOT_FOUND  behind the last
 */
enum err record_kind_next(
    struct store *st, char kind[RECORD_KIND_MAX_OCTETS + 1]) MUST_CHECK;

/*
 * Add a line to a log. Who logs has escaped it: no control character is left.
 *
 * ERR_LIMIT  the name or the line is too long
 * ERR_VALUE  a control character in it
 */
enum err store_log_add(struct store *st, const char *log, int64_t wall_ms,
    struct bytes line) MUST_CHECK;

/* The number of the last line of a log; 0: it is empty. */
enum err
store_log_last(struct store *st, const char *log, uint64_t *number) MUST_CHECK;

/*
 * How many lines there are from number `first` to number `last`, and how many
 * octets they have, with one more for each.
 */
enum err store_log_size(struct store *st, const char *log, uint64_t first,
    uint64_t last, uint64_t *lines, uint64_t *octets) MUST_CHECK;

/*
 * Remove the lines from number `first` to number `last`. The last line of a log
 * is never removed: numbers go on from it.
 */
enum err store_log_drop(struct store *st, const char *log, uint64_t first,
    uint64_t last) MUST_CHECK;

/*
 * Lines number `from` and up, in order, no more than `lines` of them. As for
 * record_each.
 */
struct store_log_line {
	uint64_t number;
	int64_t wall_ms;
	struct bytes text;
};
typedef enum err store_log_fn(void *ctx, const struct store_log_line *line);
enum err store_log_each(struct store *st, const char *log, uint64_t from,
    size_t lines, store_log_fn *each, void *ctx) MUST_CHECK;

#endif
