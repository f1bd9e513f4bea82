#include "device/backup_item.h"

#include <string.h>

#include "device/settings.h"

static const struct backup_part_row parts[] = {
#define PART(symbol, make, restore, title) [symbol] = {make, restore, title},
#include "device/backup_item.def"
};

static const struct backup_item_row items[] = {
#define ITEM(symbol, word, title, page, part, chosen, clause) \
	[symbol] = {word, title, page, part, chosen},
#include "device/backup_item.def"
};

static const struct backup_kind_row kinds[] = {
#define KIND(...) {__VA_ARGS__},
#include "device/backup_item.def"
};

enum { KIND_ROWS = sizeof(kinds) / sizeof(*kinds) };

const struct backup_part_row *
backup_part_row(enum backup_part part)
{
	return &parts[part];
}

const struct backup_item_row *
backup_item_row(enum backup_item item)
{
	return &items[item];
}

bool
backup_item_find(struct bytes word, enum backup_item *out)
{
	unsigned k;

	for (k = 0; k < ITEM_COUNT; k++) {
		if (bytes_equal_text(word, items[k].word)) {
			*out = (enum backup_item)k;
			return true;
		}
	}
	return false;
}

const struct backup_kind_row *
backup_kind_nth(size_t n)
{
	return n < KIND_ROWS ? &kinds[n] : NULL;
}

const struct backup_kind_row *
backup_kind_find(struct bytes kind, struct bytes key)
{
	size_t k;

	for (k = 0; k < KIND_ROWS; k++)
		if (bytes_equal_text(kind, kinds[k].kind) &&
		    (*kinds[k].key == '\0' ||
			bytes_equal_text(key, kinds[k].key)))
			return &kinds[k];
	return NULL;
}

bool
backup_is_fleeting(const struct backup_kind_row *row, struct bytes name)
{
	const char *at = row->fleeting;

	while (*at != '\0') {
		size_t octets = strcspn(at, " ");

		if (bytes_equal(
			name, (struct bytes){(const uint8_t *)at, octets}))
			return true;
		at += octets + (at[octets] != '\0');
	}
	return false;
}

enum backup_item
backup_item_of_record(struct bytes kind, struct bytes key)
{
	const struct backup_kind_row *row = backup_kind_find(kind, key);
	enum setting which;

	if (row == NULL)
		return ITEM_NONE;
	if (row->item != ITEM_OF_ROW)
		return row->item;
	return setting_of_record(key, &which) ? setting_row(which)->item
					      : ITEM_NONE;
}
