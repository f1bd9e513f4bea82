/*
 * What is chosen for a backup, or of one.
 */
#include <string.h>

#include "device/backup.h"
#include "device/backup_format.h"
#include "device/fields.h"

enum { NAMES_OCTETS = 1024 * 1024 };

void
backup_selection_init(struct backup_selection *selection)
{
	memset(selection, 0, sizeof(*selection));
	buf_init(&selection->keys.names, NAMES_OCTETS);
	buf_init(&selection->certificates.names, NAMES_OCTETS);
	buf_init(&selection->cas.names, NAMES_OCTETS);
}

void
backup_selection_clear(struct backup_selection *selection)
{
	buf_clear(&selection->keys.names);
	buf_clear(&selection->certificates.names);
	buf_clear(&selection->cas.names);
}

void
backup_selection_all(struct backup_selection *selection)
{
	unsigned k;

	for (k = 0; k < ITEM_COUNT; k++)
		selection->items[k] =
		    backup_item_row((enum backup_item)k)->chosen == WITH_ALL;
}

enum err
backup_choose(struct backup_choice *choice, struct bytes name)
{
	static const struct bytes nul = {(const uint8_t *)"", 1};
	uint8_t *at;
	enum err rc = OK;

	/* all of it or nothing */
	TRY(buf_reserve(&choice->names, name.octets + nul.octets, &at));
	TRY(buf_put(&choice->names, name));
	TRY(buf_put(&choice->names, nul));
	if (choice->which != BACKUP_QUERY)
		choice->which = BACKUP_NAMED;
out:
	return rc;
}

bool
backup_choice_next(struct bytes *names, struct bytes *name)
{
	const uint8_t *end =
	    names->octets != 0 ? memchr(names->at, '\0', names->octets) : NULL;

	if (end == NULL)
		return false;
	*name = (struct bytes){names->at, (size_t)(end - names->at)};
	names->at = end + 1;
	names->octets -= name->octets + 1;
	return true;
}

bool
backup_choice_has(const struct backup_choice *choice, struct bytes name)
{
	struct bytes names = buf_peek(&choice->names);
	struct bytes one;

	switch (choice->which) {
	case BACKUP_ALL:
		return true;
	case BACKUP_NONE:
	case BACKUP_QUERY: /* whoever asks runs it */
		return false;
	case BACKUP_NAMED:
		break;
	}
	while (backup_choice_next(&names, &one))
		if (bytes_equal(one, name))
			return true;
	return false;
}

/* NULL: the item is chosen as a whole. */
static const struct backup_choice *
choice_of(const struct backup_selection *selection, enum backup_item item)
{
	if (item == ITEM_KEYS)
		return &selection->keys;
	if (item == ITEM_CERTIFICATES)
		return &selection->certificates;
	if (item == ITEM_LOCAL_CAS)
		return &selection->cas;
	return NULL;
}

bool
backup_selects(const struct backup_selection *selection, enum backup_item item)
{
	const struct backup_choice *choice = choice_of(selection, item);

	return selection->items[item] &&
	       (choice == NULL || choice->which != BACKUP_NONE);
}

bool
backup_selects_part(
    const struct backup_selection *selection, enum backup_part part)
{
	unsigned k;

	for (k = 0; k < ITEM_COUNT; k++)
		if (backup_item_row((enum backup_item)k)->part == part &&
		    backup_selects(selection, (enum backup_item)k))
			return true;
	return false;
}

/* Of "ca.issued" what stands before the blank; "ca.serial" is everybody's. */
static bool
selects_ca(
    const struct backup_choice *choice, struct bytes kind, struct bytes key)
{
	const uint8_t *blank;

	if (bytes_equal_text(kind, "ca.serial"))
		return choice->which != BACKUP_NONE;
	if (bytes_equal_text(kind, "ca.issued")) {
		blank =
		    key.octets != 0 ? memchr(key.at, ' ', key.octets) : NULL;
		if (blank != NULL)
			key.octets = (size_t)(blank - key.at);
	}
	return backup_choice_has(choice, key);
}

bool
backup_selects_row(const struct backup_selection *selection,
    const struct backup_row *row, struct bytes key_name)
{
	const struct backup_choice *choice = choice_of(selection, row->item);

	if (!backup_selects(selection, row->item))
		return false;
	if (choice == NULL || bytes_equal_text(row->kind, BACKUP_KIND_ITEM))
		return true;
	if (row->item == ITEM_KEYS)
		return backup_choice_has(choice, key_name);
	return selects_ca(choice, row->kind, row->key);
}

/* ---- kept, for a schedule ---- */

static const struct {
	const char *word; /* of the field that has it */
	enum backup_item item;
} choices[] = {
    {"keys", ITEM_KEYS},
    {"certificates", ITEM_CERTIFICATES},
    {"local-cas", ITEM_LOCAL_CAS},
};

static const char *const which_words[] = {
    [BACKUP_ALL] = "all",
    [BACKUP_NONE] = "none",
    [BACKUP_NAMED] = "named",
    [BACKUP_QUERY] = "query",
};

enum { CHOICES = sizeof(choices) / sizeof(*choices), WHICH = 4 };

enum err
backup_selection_write(
    const struct backup_selection *selection, struct buf *out)
{
	unsigned k;
	enum err rc = OK;

	for (k = 0; k < ITEM_COUNT; k++)
		if (selection->items[k])
			TRY(fields_put_text(out, "item",
			    backup_item_row((enum backup_item)k)->word));
	for (k = 0; k < CHOICES; k++) {
		const struct backup_choice *choice =
		    choice_of(selection, choices[k].item);
		struct bytes names = buf_peek(&choice->names);
		struct bytes name;

		TRY(fields_put_text(
		    out, choices[k].word, which_words[choice->which]));
		while (backup_choice_next(&names, &name))
			TRY(fields_put(out, choices[k].word, name));
	}
out:
	return rc;
}

/* The first field of a choice says which, the others are its names. */
static enum err
choice_read(struct backup_choice *choice, bool *begun, struct bytes value)
{
	unsigned k;

	if (*begun)
		return backup_choose(choice, value);
	*begun = true;
	for (k = 0; k < WHICH; k++) {
		if (bytes_equal_text(value, which_words[k])) {
			choice->which = (enum backup_which)k;
			return OK;
		}
	}
	return ERR_VALUE;
}

enum err
backup_selection_read(struct bytes in, struct backup_selection *selection)
{
	bool begun[CHOICES] = {false};
	struct field field;
	enum backup_item item;
	unsigned k;
	enum err rc;

	while ((rc = fields_next(&in, &field)) == OK) {
		/* an item that is gone is one less */
		if (bytes_equal_text(field.name, "item") &&
		    backup_item_find(field.value, &item))
			selection->items[item] = true;
		for (k = 0; k < CHOICES; k++)
			if (bytes_equal_text(field.name, choices[k].word))
				TRY(choice_read(
				    (struct backup_choice *)choice_of(
					selection, choices[k].item),
				    &begun[k], field.value));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	return rc;
}
