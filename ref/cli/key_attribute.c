/*
 * The commands about custom attributes: their names, and one instance of a
 * key's.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/key.h"
#include "device/entry.h"
#include "device/key_attribute.h"

/* ---- one instance of a key's attribute ---- */

static enum err
instance_add(struct key_command *work)
{
	struct key_attribute attribute = {
	    .name = work->args[0], .value = work->args[1]};
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "added attribute %.*s to key %.*s: %.*s",
	    (int)attribute.name.octets, (const char *)attribute.name.at,
	    (int)work->name.octets, (const char *)work->name.at,
	    (int)attribute.value.octets, (const char *)attribute.value.at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_attribute_append(&work->call, key, &attribute));
out:
	return rc;
}

/* Without a value it goes. */
static enum err
instance_edit(struct key_command *work)
{
	bool goes = work->arg_count < 3;
	struct bytes value = goes ? BYTES_NONE : work->args[2];
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "%s attribute %.*s, index %" PRIu32 ", of key %.*s%s%.*s",
	    goes ? "deleted" : "changed", (int)work->args[0].octets,
	    (const char *)work->args[0].at, work->number,
	    (int)work->name.octets, (const char *)work->name.at,
	    goes ? "" : ": ", goes ? 0 : (int)value.octets,
	    goes ? "" : (const char *)value.at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_attribute_edit(
	    &work->call, key, work->args[0], (int32_t)work->number, value));
out:
	return rc;
}

static void
instance_add_begin(struct key_command *work)
{
	key_command_run(work, instance_add);
}

static void
instance_edit_begin(struct key_command *work)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 0,
	    .most = INT32_MAX,
	    .step = 1,
	    .zero = "0"};
	int64_t number;

	if (!args_read(work->cli, "Index", &rule, work->args[1], &number))
		return;
	work->number = (uint32_t)number;
	key_command_run(work, instance_edit);
}

/* req: KS-28-153 */
void
key_instance_add(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_NEEDED, "Attribute Name:", NULL},
	    {ASK_NEEDED, "Value:", NULL},
	};

	key_command_gather(cli, args, arg_count, 3, KEY_QUESTIONS(questions),
	    instance_add_begin);
}

/* The last one is not asked of an instance that goes. */
static const struct key_question instance_questions[] = {
    {ASK_NAME, "Key Name:", NULL},
    {ASK_NEEDED, "Attribute Name:", NULL},
    {ASK_NEEDED, "Index:", NULL},
    {ASK_NEEDED, "Value:", NULL},
};

/* req: KS-28-157 */
void
key_instance_change(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	key_command_gather(cli, args, arg_count, 4, instance_questions, 4,
	    instance_edit_begin);
}

/* req: KS-28-157 */
void
key_instance_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	key_command_gather(cli, args, arg_count, 3, instance_questions, 3,
	    instance_edit_begin);
}

/* ---- attribute names ---- */

static enum err
attribute_create(struct key_command *work)
{
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "created key attribute %.*s, %s", (int)work->name.octets,
	    (const char *)work->name.at, key_attribute_type_text(work->type));
	return key_attribute_name_create(work->change.appliance->store,
	    work->name, buf_peek(&work->text), work->type, work->call.why);
}

static enum err
attribute_describe(struct key_command *work)
{
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "changed the description of key attribute %.*s",
	    (int)work->name.octets, (const char *)work->name.at);
	return key_attribute_name_describe(work->change.appliance->store,
	    work->name, buf_peek(&work->text), work->call.why);
}

static enum err
attribute_delete(struct key_command *work)
{
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "deleted key attribute %.*s", (int)work->name.octets,
	    (const char *)work->name.at);
	return key_attribute_name_delete(
	    work->change.appliance->store, work->name, work->call.why);
}

/* The words from there on are a description. */
static bool
read_description(struct key_command *work, size_t from)
{
	enum err rc = OK;
	size_t k;

	for (k = from; k < work->arg_count && rc == OK; k++) {
		if (k != from)
			rc = buf_put_text(&work->text, " ");
		if (rc == OK)
			rc = buf_put(&work->text, work->args[k]);
	}
	if (rc != OK)
		cli_fail(work->cli, "%s", err_text(rc));
	return rc == OK;
}

/* Of two words, as "Long Integer", is one with a hyphen here. */
static bool
read_type(struct key_command *work, struct bytes word)
{
	char typed[32];
	size_t k;
	size_t n;

	for (k = 0; k < KEY_ATTRIBUTE_TYPES; k++) {
		work->type = (enum key_attribute_type)k;
		(void)snprintf(typed, sizeof(typed), "%s",
		    key_attribute_type_text(work->type));
		for (n = 0; typed[n] != '\0'; n++) {
			if (typed[n] == ' ')
				typed[n] = '-';
		}
		if (bytes_equal_text(word, typed))
			return true;
	}
	return key_command_refuse_value(work, "Type", word,
	    "String, Integer, Long-Integer, Big-Integer, Enumeration, Boolean, "
	    "Byte-String, Date/Time or Interval");
}

/* req: KS-28-111 KS-28-115 KS-28-134 */
void
key_attribute_add(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(cli, args, arg_count, 2,
	    COMMAND_WORDS_MAX, "NAME TYPE, and a description");

	if (work != NULL && read_type(work, work->args[0]) &&
	    read_description(work, 1))
		key_command_run(work, attribute_create);
}

void
key_attribute_change(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(
	    cli, args, arg_count, 1, COMMAND_WORDS_MAX, "NAME DESCRIPTION");

	if (work != NULL && read_description(work, 0))
		key_command_run(work, attribute_describe);
}

void
key_attribute_remove(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	key_command_run_named(cli, args, arg_count, attribute_delete);
}

static enum err
say_attribute_name(void *ctx, const struct key_attribute_name *name)
{
	cli_say(ctx, "  %-30s  %-12s  %s", name->name,
	    key_attribute_type_text(name->type), name->description);
	return OK;
}

/* req: KS-28-111 KS-28-112 */
void
key_attribute_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	enum err rc;

	(void)args;
	(void)arg_count;
	cli_say(cli, "  %-30s  %-12s  %s", "Name", "Type", "Description");
	rc = key_attribute_name_each(
	    cli_appliance(cli)->store, say_attribute_name, cli);
	cli_end(cli, rc);
}
