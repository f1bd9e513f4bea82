/*
 * The words of the commands about keys, each with a value behind it.
 */
#include <string.h>

#include "base/secret.h"
#include "cli/args.h"
#include "cli/key.h"
#include "device/entry.h"

bool
key_command_refuse_value(struct key_command *work, const char *field,
    struct bytes value, const char *rule)
{
	char why[ENTRY_WHY_OCTETS];

	entry_refuse(field, value, rule, why);
	cli_refuse(work->cli, "%s", why);
	return false;
}

bool
key_command_version(struct key_command *work, struct bytes word)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = CARD_VERSIONS_MOST,
	    .step = 1,
	    .zero = ""};
	int64_t number;

	if (!args_read(work->cli, "Version", &rule, word, &number))
		return false;
	work->number = (uint32_t)number;
	return true;
}

static bool
take_yesno(struct key_command *work, const char *field, struct bytes value,
    bool *out, bool *given)
{
	static const struct entry_rule rule = {.type = ENTRY_YESNO};
	char kept[ENTRY_OCTETS];
	int64_t number;

	if (entry_read(&rule, value, kept, &number) != OK)
		return key_command_refuse_value(
		    work, field, value, "yes or no");
	*out = number != 0;
	*given = true;
	return true;
}

static bool
take_name(struct key_command *work, struct bytes value)
{
	work->new_name = value;
	work->given[GIVEN_NAME] = true;
	return true;
}

/* "-" is nobody: a global key. */
static bool
take_owner(struct key_command *work, struct bytes value)
{
	work->spec.owner = bytes_equal_text(value, "-") ? BYTES_NONE : value;
	work->given[GIVEN_OWNER] = true;
	return true;
}

static bool
take_deletable(struct key_command *work, struct bytes value)
{
	return take_yesno(work, "Deletable", value, &work->spec.deletable,
	    &work->given[GIVEN_DELETABLE]);
}

static bool
take_exportable(struct key_command *work, struct bytes value)
{
	return take_yesno(work, "Exportable", value, &work->spec.exportable,
	    &work->given[GIVEN_EXPORTABLE]);
}

static bool
take_versioned(struct key_command *work, struct bytes value)
{
	return take_yesno(work, "Versioned Key Bytes", value,
	    &work->spec.versioned, &work->given[GIVEN_VERSIONED]);
}

static bool
take_is_template(struct key_command *work, struct bytes value)
{
	return take_yesno(work, "Template", value, &work->spec.is_template,
	    &work->given[GIVEN_TEMPLATE]);
}

static bool
take_permissions(struct key_command *work, struct bytes value)
{
	return take_yesno(work, "Copy Group Permissions", value,
	    &work->clone.permissions, &work->given[GIVEN_PERMISSIONS]);
}

static bool
take_attributes(struct key_command *work, struct bytes value)
{
	return take_yesno(work, "Copy Custom Attributes", value,
	    &work->clone.attributes, &work->given[GIVEN_ATTRIBUTES]);
}

/* req: KS-28-361 KS-28-362 */
static bool
take_bytes(struct key_command *work, struct bytes value)
{
	if (bytes_equal_text(value, "versioned"))
		work->clone.versioned = true;
	else if (!bytes_equal_text(value, "copy"))
		return key_command_refuse_value(work, "Key Bytes", value,
		    "copy (Copy from original key) or versioned (Create "
		    "versioned key bytes from non-versioned key)");
	return true;
}

/* One of NAME=VALUE. */
static bool
take_attribute(struct key_command *work, struct bytes value)
{
	const uint8_t *at =
	    value.octets != 0 ? memchr(value.at, '=', value.octets) : NULL;
	struct key_attribute *one = &work->attributes[work->attribute_count];

	if (at == NULL || work->attribute_count == KEY_COMMAND_ATTRIBUTES)
		return key_command_refuse_value(
		    work, "Custom Attribute", value, "NAME=VALUE, up to 16");
	one->name = (struct bytes){value.at, (size_t)(at - value.at)};
	one->value =
	    (struct bytes){at + 1, value.octets - one->name.octets - 1};
	work->attribute_count++;
	return true;
}

static bool
take_no_attribute(struct key_command *work, struct bytes value)
{
	if (work->attribute_count == KEY_COMMAND_ATTRIBUTES)
		return key_command_refuse_value(
		    work, "Custom Attribute", value, "up to 16 of them");
	work->attributes[work->attribute_count++] =
	    (struct key_attribute){.name = value};
	return true;
}

/* A list with commas; "-": none. req: KS-28-110 */
static bool
take_other_names(struct key_command *work, struct bytes value)
{
	work->given[GIVEN_OTHER_NAMES] = true;
	if (bytes_equal_text(value, "-"))
		return true;
	while (value.octets != 0) {
		const uint8_t *comma = memchr(value.at, ',', value.octets);
		size_t octets =
		    comma != NULL ? (size_t)(comma - value.at) : value.octets;
		struct bytes head;

		if (work->other_name_count == KEY_COMMAND_NAMES)
			return key_command_refuse_value(
			    work, "Other Key Names", value, "up to 16 of them");
		if (bytes_split(&value, octets,
			&work->other_names[work->other_name_count++]) != OK ||
		    (comma != NULL && bytes_split(&value, 1, &head) != OK))
			return false;
	}
	return true;
}

/* There is no browser here that could upload it. req: KS-28-303 */
static bool
take_source(struct key_command *work, struct bytes value)
{
	work->by_scp = bytes_equal_text(value, "scp");
	if (work->by_scp || bytes_equal_text(value, "paste"))
		return true;
	return key_command_refuse_value(
	    work, "Source", value, "paste (Paste in text area below) or scp");
}

/* Loaded before any other word, whose values stand instead of its own. */
static bool
take_load(struct key_command *work, struct bytes value)
{
	(void)work;
	(void)value;
	return true;
}

static const struct {
	const char *word;
	unsigned on;
	bool (*take)(struct key_command *work, struct bytes value);
} words[] = {
    /* req: KS-28-067 KS-28-270 */
    {KEY_TEMPLATE_WORD, ON_GENERATE | ON_IMPORT, take_load},
    {"name", ON_MODIFY, take_name},
    /* req: KS-28-070 KS-28-272 */
    {"owner", ON_GENERATE | ON_IMPORT | ON_MODIFY | ON_CLONE | ON_CERTIFICATE,
	take_owner},
    {"deletable", ON_GENERATE | ON_IMPORT | ON_MODIFY | ON_CERTIFICATE,
	take_deletable},
    {"exportable", ON_GENERATE | ON_IMPORT | ON_MODIFY | ON_CERTIFICATE,
	take_exportable},
    /* req: KS-28-099 */
    {"versioned", ON_GENERATE | ON_IMPORT, take_versioned},
    /* req: KS-28-212 */
    {"as-template", ON_GENERATE, take_is_template},
    {"attribute", ON_GENERATE | ON_IMPORT | ON_MODIFY, take_attribute},
    {"no-attribute", ON_MODIFY, take_no_attribute},
    {"other-names", ON_MODIFY, take_other_names},
    {"bytes", ON_CLONE, take_bytes},
    /* req: KS-28-364 KS-28-365 */
    {"permissions", ON_CLONE, take_permissions},
    {"attributes", ON_CLONE, take_attributes},
    {"source", ON_CERTIFICATE, take_source},
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static void
refuse_word(struct key_command *work, struct bytes word, unsigned on)
{
	struct buf list;
	size_t k;

	buf_init(&list, 512);
	for (k = 0; k < WORDS; k++) {
		if ((words[k].on & on) != 0 &&
		    buf_printf(&list, "%s%s", list.octets != 0 ? ", " : "",
			words[k].word) != OK)
			break;
	}
	cli_refuse(work->cli, "\"%.*s\": WORD VALUE, with one of %.*s",
	    (int)word.octets, (const char *)word.at, (int)list.octets,
	    (const char *)list.at);
	buf_clear(&list);
}

bool
key_command_words(struct key_command *work, size_t from, unsigned on)
{
	size_t k;
	size_t w;

	for (k = from; k < work->arg_count; k += 2) {
		for (w = 0; w < WORDS; w++) {
			if ((words[w].on & on) != 0 &&
			    bytes_equal_text(work->args[k], words[w].word))
				break;
		}
		if (w == WORDS || k + 1 == work->arg_count) {
			refuse_word(work, work->args[k], on);
			return false;
		}
		if (!words[w].take(work, work->args[k + 1]))
			return false;
	}
	return true;
}
