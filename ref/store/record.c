#include "store/record.h"

#include <string.h>

#include "store/index.h"
#include "store/sql.h"

/* ---------------------------------------------------------------------------
 * Records
 */

static bool
name_fits(const char *name, size_t max_octets)
{
	return *name != '\0' && strlen(name) <= max_octets;
}

static bool
record_fits(const char *kind, struct bytes key, struct bytes value)
{
	return name_fits(kind, RECORD_KIND_MAX_OCTETS) &&
	       key.octets <= RECORD_KEY_MAX_OCTETS &&
	       value.octets <= RECORD_VALUE_MAX_OCTETS;
}

static void
record_bind(
    struct store *st, enum statement s, const char *kind, struct bytes key)
{
	sql_bind_text(st, s, 1, bytes_of_text(kind));
	sql_bind_blob(st, s, 2, key);
}

enum err
record_get(
    struct store *st, const char *kind, struct bytes key, struct buf *out)
{
	bool row;
	enum err rc = OK;

	index_was_read(st);
	record_bind(st, RECORD_GET, kind, key);
	TRY(sql_step(st, RECORD_GET, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	TRY(buf_put(out, sql_bytes(st, RECORD_GET, 0)));
out:
	sql_reset(st, RECORD_GET);
	return rc;
}

enum err
record_put(
    struct store *st, const char *kind, struct bytes key, struct bytes value)
{
	enum err rc = OK;

	if (!record_fits(kind, key, value))
		return ERR_LIMIT;
	TRY(sql_write_begin(st));
	record_bind(st, RECORD_PUT, kind, key);
	sql_bind_blob(st, RECORD_PUT, 3, value);
	rc = sql_write_end(st, sql_run(st, RECORD_PUT));
out:
	return rc;
}

static enum err
record_exists(struct store *st, const char *kind, struct bytes key)
{
	bool row;
	enum err rc;

	index_was_read(st);
	record_bind(st, RECORD_GET, kind, key);
	rc = sql_step(st, RECORD_GET, &row);
	sql_reset(st, RECORD_GET);
	return rc == OK && !row ? ERR_NOT_FOUND : rc;
}

enum err
record_delete(struct store *st, const char *kind, struct bytes key)
{
	enum err rc = OK;

	TRY(record_exists(st, kind, key));
	TRY(sql_write_begin(st));
	record_bind(st, RECORD_DELETE, kind, key);
	rc = sql_write_end(st, sql_run(st, RECORD_DELETE));
out:
	return rc;
}

/* The first record at `at` or behind: replaces both. ERR_NOT_FOUND */
static enum err
record_from(
    struct store *st, const char *kind, struct buf *at, struct buf *value)
{
	bool row;
	enum err rc = OK;

	record_bind(st, RECORD_FROM, kind, buf_peek(at));
	TRY(sql_step(st, RECORD_FROM, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	buf_reset(value);
	TRY(buf_put(value, sql_bytes(st, RECORD_FROM, 1)));
	buf_reset(at);
	TRY(buf_put(at, sql_bytes(st, RECORD_FROM, 0)));
out:
	sql_reset(st, RECORD_FROM);
	return rc;
}

/* Behind a key comes, first of all, the key with an octet 0 more. */
static enum err
step_behind(struct buf *at)
{
	static const uint8_t end[] = {0};

	return buf_put(at, (struct bytes){end, sizeof(end)});
}

enum err
record_each_prefix(struct store *st, const char *kind, struct bytes prefix,
    struct bytes after, size_t most, record_fn *each, void *ctx)
{
	struct buf at;
	struct buf value;
	size_t shown = 0;
	enum err rc = OK;

	index_was_read(st);
	buf_init(&at, RECORD_KEY_MAX_OCTETS + 1);
	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	if (bytes_compare(after, prefix) >= 0 && after.octets != 0) {
		TRY(buf_put(&at, after));
		TRY(step_behind(&at));
	} else {
		TRY(buf_put(&at, prefix));
	}
	while (most == 0 || shown++ < most) {
		rc = record_from(st, kind, &at, &value);
		if (rc != OK || !bytes_begin(buf_peek(&at), prefix))
			break;
		TRY(each(ctx, buf_peek(&at), buf_peek(&value)));
		TRY(step_behind(&at));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	buf_clear(&at);
	buf_clear(&value);
	return rc;
}

enum err
record_each(struct store *st, const char *kind, record_fn *each, void *ctx)
{
	return record_each_prefix(
	    st, kind, BYTES_NONE, BYTES_NONE, 0, each, ctx);
}

enum err
record_kind_next(struct store *st, char kind[RECORD_KIND_MAX_OCTETS + 1])
{
	struct bytes next;
	bool row;
	enum err rc = OK;

	index_was_read(st);
	sql_bind_text(st, RECORD_KIND_NEXT, 1, bytes_of_text(kind));
	TRY(sql_step(st, RECORD_KIND_NEXT, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	next = sql_bytes(st, RECORD_KIND_NEXT, 0);
	if (next.octets > RECORD_KIND_MAX_OCTETS)
		TRY(ERR_STORE);
	memcpy(kind, next.at, next.octets);
	kind[next.octets] = '\0';
out:
	sql_reset(st, RECORD_KIND_NEXT);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Logs
 */

static bool
has_control(struct bytes line)
{
	size_t k;

	for (k = 0; k < line.octets; k++)
		if (line.at[k] < 0x20 || line.at[k] == 0x7f)
			return true;
	return false;
}

enum err
store_log_add(
    struct store *st, const char *log, int64_t wall_ms, struct bytes line)
{
	uint64_t last;
	enum err rc = OK;

	if (!name_fits(log, STORE_LOG_NAME_MAX_OCTETS) ||
	    line.octets > STORE_LOG_LINE_MAX_OCTETS)
		return ERR_LIMIT;
	if (has_control(line))
		return ERR_VALUE;
	TRY(store_log_last(st, log, &last));
	TRY(sql_write_begin(st));
	sql_bind_text(st, LOG_INSERT, 1, bytes_of_text(log));
	sql_bind_number(st, LOG_INSERT, 2, (int64_t)last + 1);
	sql_bind_number(st, LOG_INSERT, 3, wall_ms);
	sql_bind_blob(st, LOG_INSERT, 4, line);
	rc = sql_write_end(st, sql_run(st, LOG_INSERT));
out:
	return rc;
}

enum err
store_log_last(struct store *st, const char *log, uint64_t *number)
{
	bool row;
	enum err rc = OK;

	*number = 0;
	index_was_read(st);
	sql_bind_text(st, LOG_LAST, 1, bytes_of_text(log));
	TRY(sql_step(st, LOG_LAST, &row));
	if (row)
		*number = (uint64_t)sql_number(st, LOG_LAST, 0);
out:
	sql_reset(st, LOG_LAST);
	return rc;
}

static void
bind_range(struct store *st, enum statement s, const char *log, uint64_t first,
    uint64_t last)
{
	sql_bind_text(st, s, 1, bytes_of_text(log));
	sql_bind_number(st, s, 2, (int64_t)first);
	sql_bind_number(st, s, 3, (int64_t)last);
}

enum err
store_log_size(struct store *st, const char *log, uint64_t first, uint64_t last,
    uint64_t *lines, uint64_t *octets)
{
	bool row;
	enum err rc = OK;

	*lines = 0;
	*octets = 0;
	index_was_read(st);
	bind_range(st, LOG_SIZE, log, first, last);
	TRY(sql_step(st, LOG_SIZE, &row));
	if (row) {
		*lines = (uint64_t)sql_number(st, LOG_SIZE, 0);
		*octets = (uint64_t)sql_number(st, LOG_SIZE, 1);
	}
out:
	sql_reset(st, LOG_SIZE);
	return rc;
}

enum err
store_log_drop(struct store *st, const char *log, uint64_t first, uint64_t last)
{
	uint64_t end;
	enum err rc = OK;

	TRY(store_log_last(st, log, &end));
	if (end == 0)
		goto out;
	if (last >= end)
		last = end - 1;
	TRY(sql_write_begin(st));
	bind_range(st, LOG_DROP, log, first, last);
	rc = sql_write_end(st, sql_run(st, LOG_DROP));
out:
	return rc;
}

/* The line `from` or the first behind it. ERR_NOT_FOUND */
static enum err
log_from(struct store *st, const char *log, uint64_t from,
    struct store_log_line *line, struct buf *text)
{
	bool row = false;
	enum err rc = OK;

	sql_bind_text(st, LOG_FROM, 1, bytes_of_text(log));
	sql_bind_number(st, LOG_FROM, 2, (int64_t)from);
	if (from <= INT64_MAX)
		TRY(sql_step(st, LOG_FROM, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	line->number = (uint64_t)sql_number(st, LOG_FROM, 0);
	line->wall_ms = sql_number(st, LOG_FROM, 1);
	buf_reset(text);
	TRY(buf_put(text, sql_bytes(st, LOG_FROM, 2)));
	line->text = buf_peek(text);
out:
	sql_reset(st, LOG_FROM);
	return rc;
}

enum err
store_log_each(struct store *st, const char *log, uint64_t from, size_t lines,
    store_log_fn *each, void *ctx)
{
	struct store_log_line line;
	struct buf text;
	enum err rc = OK;

	index_was_read(st);
	buf_init(&text, STORE_LOG_LINE_MAX_OCTETS);
	for (; lines != 0; lines--) {
		rc = log_from(st, log, from, &line, &text);
		if (rc != OK)
			break;
		TRY(each(ctx, &line));
		from = line.number + 1;
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	buf_clear(&text);
	return rc;
}
