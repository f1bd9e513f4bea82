/*
 * Restores that wait for a restart.
 */
#include <stdio.h>
#include <string.h>

#include "device/fields.h"
#include "device/restore.h"
#include "device/restore_row.h"

static enum err
number_of(struct bytes value, const char *name, uint64_t *out)
{
	int64_t number = 0;
	enum err rc = fields_number(value, name, &number);

	*out = number > 0 ? (uint64_t)number : 0;
	return rc;
}

static void
keep_text(struct bytes text, char *out, size_t room)
{
	(void)snprintf(
	    out, room, "%.*s", (int)text.octets, (const char *)text.at);
}

static enum err
read_one(struct bytes key, struct bytes value, struct restore_pending *out)
{
	struct bytes left = value;
	struct field field;
	enum backup_item item;
	enum err rc = OK;

	*out = (struct restore_pending){.number = restore_number(key)};
	while ((rc = fields_next(&left, &field)) == OK) {
		if (bytes_equal_text(field.name, "item") &&
		    backup_item_find(field.value, &item))
			out->items[item] = true;
		else if (bytes_equal_text(field.name, "name"))
			keep_text(field.value, out->base, sizeof(out->base));
		else if (bytes_equal_text(field.name, "by"))
			keep_text(field.value, out->by, sizeof(out->by));
	}
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	TRY(fields_number(value, "asked", &out->asked_s));
	TRY(number_of(value, "records", &out->records));
	TRY(number_of(value, "objects", &out->objects));
out:
	return rc;
}

struct walk {
	restore_pending_fn *each;
	void *ctx;
};

static enum err
show_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;
	struct restore_pending one;
	enum err rc = OK;

	TRY(read_one(key, value, &one));
	TRY(walk->each(walk->ctx, &one));
out:
	return rc;
}

enum err
restore_pending_each(struct store *st, restore_pending_fn *each, void *ctx)
{
	struct walk walk = {each, ctx};

	return record_each(st, RESTORE_KIND, show_one, &walk);
}

static enum err
count_one(void *ctx, const struct restore_pending *pending)
{
	unsigned *count = ctx;

	(void)pending;
	++*count;
	return OK;
}

enum err
restores_pending(struct store *st, unsigned *count)
{
	*count = 0;
	return restore_pending_each(st, count_one, count);
}

enum err
restore_pending_find(
    struct store *st, uint64_t number, struct restore_pending *out)
{
	uint8_t room[RESTORE_NUMBER_OCTETS];
	struct bytes key = {room, sizeof(room)};
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	bytes_put_u64(room, number);
	TRY(record_get(st, RESTORE_KIND, key, &value));
	TRY(read_one(key, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

size_t
restore_pending_acts(
    const struct restore_pending *pending, enum act acts[PART_COUNT])
{
	bool parts[PART_COUNT] = {false};
	enum backup_item item;
	enum backup_part part;
	size_t count = 0;

	for (item = 0; item < ITEM_COUNT; item++)
		if (pending->items[item])
			parts[backup_item_row(item)->part] = true;
	for (part = 0; part < PART_COUNT; part++)
		if (parts[part])
			acts[count++] = backup_part_row(part)->restore;
	return count;
}

enum err
restore_permit(struct change *change, const enum act *acts, size_t count)
{
	size_t more;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < count; k++) {
		TRY(change_permit(change->appliance, &change->by, acts[k],
		    change->approvals, &more, change->why));
		if (more != 0) {
			(void)snprintf(change->why, sizeof(change->why),
			    "Access denied: %zu more administrator%s must "
			    "confirm it.",
			    more, more == 1 ? "" : "s");
			TRY(ERR_DENIED);
		}
	}
out:
	return rc;
}

enum err
restore_give_up(struct change *change, uint64_t number)
{
	struct store *st = change->appliance->store;
	uint8_t key[RESTORE_NUMBER_OCTETS];
	struct restore_pending pending;
	enum act acts[PART_COUNT];
	enum err rc = OK;

	TRY(restore_pending_find(st, number, &pending));
	(void)snprintf(change->event, sizeof(change->event),
	    "Restore %s given up: it does not come into force", pending.base);
	TRY(restore_permit(change, acts, restore_pending_acts(&pending, acts)));
	bytes_put_u64(key, number);
	TRY(record_delete(st, RESTORE_KIND, (struct bytes){key, sizeof(key)}));
	restores_tidy(change->appliance->restores);
out:
	return rc;
}
