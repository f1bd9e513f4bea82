/*
 * The commands about keys: to make, import, clone, change and delete them,
 * their versions, their life cycle, and what can be told of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/key.h"
#include "device/entry.h"
#include "device/key_attribute.h"
#include "device/transfer.h"

static const char name_field[] = "Key Name";
static const char no_such_key[] = "there is no such key";

/* ---- what a command has gathered ---- */

static void
work_drop(void *state)
{
	struct key_command *work = state;

	key_job_end(&work->job);
	transfer_drop(work->transfer);
	if (work->fd > 0)
		(void)close(work->fd);
	secret_free(work->bundle);
	secret_free(work->password);
	buf_clear(&work->text);
	arena_free(work->arena); /* which wipes what was opened */
	mem_free(work);
}

struct key_command *
key_command_new(struct cli *cli)
{
	struct key_command *work =
	    cli_keep(cli, sizeof(struct key_command), work_drop);

	if (work == NULL)
		return NULL;
	work->cli = cli;
	buf_init(&work->text, KEY_TEXT_OCTETS);
	if (arena_new(KEY_ARENA_OCTETS, &work->arena) != OK) {
		cli_fail(cli, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	key_call_init(&work->call, cli_appliance(cli), work->arena);
	return work;
}

struct key_command *
key_command_on(struct cli *cli, const struct bytes *args, size_t arg_count,
    size_t least, const char *usage)
{
	struct key_command *work;

	if (arg_count < least) {
		cli_refuse(cli, "%s", usage);
		return NULL;
	}
	work = key_command_new(cli);
	if (work == NULL)
		return NULL;
	work->name = args[0];
	work->args = args + 1;
	work->arg_count = arg_count - 1;
	return work;
}

/* What is wrong, as the refusal of the command. */
void
key_command_refuse(struct key_command *work, enum err rc)
{
	cli_refuse(work->cli, "%s",
	    work->call.why[0] != '\0' ? work->call.why : err_text(rc));
}

enum err
key_command_key(
    struct key_command *work, struct bytes name, const struct object **out)
{
	enum err rc = key_find(&work->call, NULL, 0, name, out);

	if (rc == ERR_NOT_FOUND)
		entry_refuse(name_field, name, no_such_key, work->call.why);
	return rc == ERR_NOT_FOUND ? ERR_FIELD : rc;
}

static enum err
apply(struct change *change)
{
	struct key_command *work = cli_state(change->ctx);
	enum err rc;

	work->call.why[0] = '\0';
	work->call.loan = key_job_loan(&work->job);
	rc = work->run(work);
	if (rc != OK)
		(void)snprintf(
		    change->why, sizeof(change->why), "%s", work->call.why);
	return rc;
}

void
key_command_run(
    struct key_command *work, enum err (*run)(struct key_command *work))
{
	work->run = run;
	work->change.apply = apply;
	cli_change(work->cli, &work->change, work->effect, "");
}

void
key_command_run_named(struct cli *cli, const struct bytes *args,
    size_t arg_count, enum err (*run)(struct key_command *work))
{
	struct key_command *work =
	    key_command_on(cli, args, arg_count, 1, "NAME");

	if (work != NULL && args_at_most(cli, args, arg_count, 1))
		key_command_run(work, run);
}

static void
prepared(struct key_job *job, enum err rc)
{
	struct key_command *work = job->ctx;

	if (rc != OK)
		cli_refuse(work->cli, "%s",
		    job->why[0] != '\0' ? job->why : err_text(rc));
	else
		work->then(work);
}

static void
run_prepared(struct key_command *work)
{
	key_command_run(work, work->run);
}

void
key_command_prepare(struct key_command *work,
    const struct key_algorithm *algorithm,
    void (*then)(struct key_command *work))
{
	work->then = then;
	work->job = (struct key_job){.appliance = cli_appliance(work->cli),
	    .algorithm = algorithm,
	    .text = work->bundle,
	    .password = work->password,
	    .ready = prepared,
	    .ctx = work};
	work->bundle = NULL;
	work->password = NULL; /* the job's */
	key_job_begin(&work->job);
}

/* ---- words ---- */

static bool
refuse_value(struct key_command *work, const char *field, struct bytes value,
    const char *rule)
{
	char why[ENTRY_WHY_OCTETS];

	entry_refuse(field, value, rule, why);
	cli_refuse(work->cli, "%s", why);
	return false;
}

static bool
take_yesno(struct key_command *work, const char *field, struct bytes value,
    bool *out, bool *given)
{
	static const struct entry_rule rule = {.type = ENTRY_YESNO};
	char kept[ENTRY_OCTETS];
	int64_t number;

	if (entry_read(&rule, value, kept, &number) != OK)
		return refuse_value(work, field, value, "yes or no");
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
		return refuse_value(work, "Key Bytes", value,
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
		return refuse_value(
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
		return refuse_value(
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
			return refuse_value(
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
	return refuse_value(
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

static const char load_word[] = "template";

#define QUESTIONS(table) table, sizeof(table) / sizeof(table[0])

static const struct {
	const char *word;
	unsigned on;
	bool (*take)(struct key_command *work, struct bytes value);
} words[] = {
    /* req: KS-28-067 KS-28-270 */
    {load_word, ON_GENERATE | ON_IMPORT, take_load},
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

/* The value behind a word; BYTES_NONE: it is not there. */
static struct bytes
word_value(const struct key_command *work, size_t from, const char *word)
{
	size_t k;

	for (k = from; k + 1 < work->arg_count; k += 2) {
		if (bytes_equal_text(work->args[k], word))
			return work->args[k + 1];
	}
	return BYTES_NONE;
}

/* req: KS-28-067 KS-28-069 KS-28-188 KS-28-270 KS-28-271 */
static bool
load_template(struct key_command *work, size_t from)
{
	struct bytes name = word_value(work, from, load_word);
	const struct object *template;
	enum err rc;

	if (name.octets == 0)
		return true;
	rc = key_find(&work->call, NULL, 0, name, &template);
	if (rc == OK)
		rc = key_spec_load(&work->call, template, &work->spec);
	if (rc == ERR_NOT_FOUND || rc == ERR_OBJECT_TYPE || rc == ERR_FEATURE)
		return refuse_value(work, "Template", name,
		    rc == ERR_FEATURE ? "it names no algorithm"
				      : "there is no such template");
	if (rc != OK) {
		key_command_refuse(work, rc);
		return false;
	}
	return true;
}

/* Those of the words come behind the template's. */
static bool
merge_attributes(struct key_command *work)
{
	struct key_attribute *all;
	size_t loaded = work->spec.attribute_count;

	if (ARENA_ARRAY(work->arena, all, loaded + KEY_COMMAND_ATTRIBUTES) !=
	    OK) {
		cli_fail(work->cli, "%s", err_text(ERR_NOMEM));
		return false;
	}
	if (loaded != 0)
		memcpy(all, work->spec.attributes, loaded * sizeof(*all));
	memcpy(all + loaded, work->attributes,
	    work->attribute_count * sizeof(*all));
	work->spec.attributes = all;
	work->spec.attribute_count = loaded + work->attribute_count;
	return true;
}

static const char *
yes_or_no(bool flag)
{
	return flag ? "yes" : "no";
}

static void
event(struct key_command *work, const char *done)
{
	const struct key_spec *spec = &work->spec;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "%s %s %.*s: %s, owner %.*s, deletable %s, exportable %s%s", done,
	    spec->is_template ? "template" : "key", (int)work->name.octets,
	    (const char *)work->name.at, spec->algorithm->name,
	    spec->owner.octets != 0 ? (int)spec->owner.octets : 1,
	    spec->owner.octets != 0 ? (const char *)spec->owner.at : "-",
	    yes_or_no(spec->deletable), yes_or_no(spec->exportable),
	    spec->versioned ? ", versioned" : "");
}

/* ---- key generate ---- */

static enum err
generate(struct key_command *work)
{
	event(work, "created");
	return key_create(&work->call, &work->spec, &work->job.pair, NULL);
}

/* The algorithm, unless the template says it; then the words. */
static bool
read_spec(struct key_command *work, unsigned on)
{
	bool first_is_word = work->arg_count % 2 == 0;
	size_t from = first_is_word ? 0 : 1;

	if (!load_template(work, from))
		return false;
	if (!first_is_word)
		work->spec.algorithm =
		    on == ON_IMPORT ? key_algorithm_imported(work->args[0])
				    : key_algorithm_named(work->args[0]);
	if (work->spec.algorithm == NULL)
		return refuse_value(work, "Algorithm",
		    first_is_word ? BYTES_NONE : work->args[0],
		    on == ON_IMPORT ? "AES, DES-EDE, RSA, HmacSHA256 and others"
				    : "AES-256, RSA-2048, HmacSHA256 and "
				      "others: show key algorithms");
	if (!key_command_words(work, from, on) || !merge_attributes(work))
		return false;
	work->spec.name = work->name;
	return true;
}

static void
generate_begin(struct key_command *work)
{
	enum err rc;

	if (!read_spec(work, ON_GENERATE))
		return;
	rc = key_check(&work->call, &work->spec);
	if (rc != OK) {
		key_command_refuse(work, rc);
		return;
	}
	work->run = generate;
	if (work->spec.is_template)
		run_prepared(work);
	else
		key_command_prepare(work, work->spec.algorithm, run_prepared);
}

/* req: KS-28-027 KS-28-059 KS-28-060 KS-28-103 KS-28-189 KS-28-190 */
void
key_generate(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_WORD, "Template:", load_word},
	    {ASK_WORD, "Owner Username:", "owner"},
	    {ASK_MAYBE, "Algorithm:", NULL},
	    {ASK_WORD, "Deletable (yes/no):", "deletable"},
	    {ASK_WORD, "Exportable (yes/no):", "exportable"},
	    {ASK_WORD, "Versioned Key Bytes (yes/no):", "versioned"},
	};

	key_command_gather(
	    cli, args, arg_count, 2, QUESTIONS(questions), generate_begin);
}

/* ---- key import ---- */

static enum err
import(struct key_command *work)
{
	const struct object *key;
	struct key_info info;
	enum err rc = OK;

	event(work, "imported");
	TRY(key_import(
	    &work->call, &work->spec, 0, buf_peek(&work->text), &key));
	/* its size is what the bytes say */
	TRY(key_info(&work->call, key, &info));
	work->spec.algorithm = info.row;
	event(work, "imported");
out:
	return rc;
}

static void import_line(struct cli *cli, struct bytes line);

static void
import_ask(struct key_command *work, const char *text)
{
	cli_ask(work->cli, CLI_SECRET, text, import_line);
}

/* A symmetric key is one line; an RSA key ends with a period alone. */
static void
import_line(struct cli *cli, struct bytes line)
{
	struct key_command *work = cli_state(cli);
	bool is_rsa = work->spec.algorithm->family == FAMILY_RSA;
	bool ends = is_rsa && bytes_equal_text(line, ".");
	enum err rc = OK;

	if (!ends)
		rc = buf_put(&work->text, line);
	if (rc == OK && !ends)
		rc = buf_put_text(&work->text, "\n");
	if (rc != OK) {
		cli_refuse(cli, "Key: it is too long");
		return;
	}
	if (is_rsa && !ends)
		import_ask(work, "");
	else
		key_command_prepare(work, NULL, run_prepared);
}

static void
import_begin(struct key_command *work)
{
	enum err rc;

	if (!read_spec(work, ON_IMPORT))
		return;
	rc = key_check(&work->call, &work->spec);
	if (rc != OK) {
		key_command_refuse(work, rc);
		return;
	}
	work->run = import;
	import_ask(work,
	    work->spec.algorithm->family == FAMILY_RSA
		? "Key, private and public, in PEM (PKCS#1); then a period "
		  "alone:"
		: "Key, in base 16:");
}

/* req: KS-28-029 KS-28-256 KS-28-264 KS-28-265 KS-28-287 */
void
key_import_text(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_WORD, "Template:", load_word},
	    {ASK_WORD, "Owner Username:", "owner"},
	    {ASK_MAYBE, "Algorithm:", NULL},
	    {ASK_WORD, "Deletable (yes/no):", "deletable"},
	    {ASK_WORD, "Exportable (yes/no):", "exportable"},
	};

	key_command_gather(
	    cli, args, arg_count, 2, QUESTIONS(questions), import_begin);
}

/* ---- key clone ---- */

static enum err
clone(struct key_command *work)
{
	const struct object *from;
	enum err rc = OK;

	TRY(key_command_key(work, work->args[0], &from));
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "cloned key %.*s from %.*s", (int)work->name.octets,
	    (const char *)work->name.at, (int)work->args[0].octets,
	    (const char *)work->args[0].at);
	if (!work->given[GIVEN_OWNER])
		TRY(arena_copy(work->arena, from->owner, &work->spec.owner));
	work->clone.name = work->name;
	work->clone.owner = work->spec.owner;
	TRY(key_clone(&work->call, from, &work->clone, NULL));
out:
	return rc;
}

static void
clone_begin(struct key_command *work)
{
	if (!key_command_words(work, 1, ON_CLONE))
		return;
	work->run = clone;
	key_command_prepare(work, NULL, run_prepared);
}

/* req: KS-28-356 KS-28-357 KS-28-360 KS-28-366 */
void
key_clone_one(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "New Key Name:", NULL},
	    {ASK_NEEDED, "Cloned From:", NULL},
	    {ASK_WORD, "Owner Username:", "owner"},
	    {ASK_WORD, "Key Bytes (copy/versioned):", "bytes"},
	    {ASK_WORD, "Copy Group Permissions (yes/no):", "permissions"},
	    {ASK_WORD, "Copy Custom Attributes (yes/no):", "attributes"},
	};

	key_command_gather(
	    cli, args, arg_count, 2, QUESTIONS(questions), clone_begin);
}

/* ---- key modify, key delete ---- */

static enum err
modify(struct key_command *work)
{
	const struct object *key;
	struct key_change change = {
	    .other_names = work->other_names,
	    .other_name_count = work->other_name_count,
	    .has_other_names = work->given[GIVEN_OTHER_NAMES],
	    .attributes = work->attributes,
	    .attribute_count = work->attribute_count,
	};
	size_t k;
	size_t used;
	enum err rc = OK;

	if (work->given[GIVEN_NAME])
		change.name = &work->new_name;
	if (work->given[GIVEN_OWNER])
		change.owner = &work->spec.owner;
	if (work->given[GIVEN_DELETABLE])
		change.deletable = &work->spec.deletable;
	if (work->given[GIVEN_EXPORTABLE])
		change.exportable = &work->spec.exportable;
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "changed key %.*s:", (int)work->name.octets,
	    (const char *)work->name.at);
	for (k = 0; k + 1 < work->arg_count; k += 2) {
		used = strlen(work->change.event);
		(void)snprintf(work->change.event + used,
		    sizeof(work->change.event) - used, " %.*s %.*s",
		    (int)work->args[k].octets, (const char *)work->args[k].at,
		    (int)work->args[k + 1].octets,
		    (const char *)work->args[k + 1].at);
	}
	TRY(key_command_key(work, work->name, &key));
	TRY(key_modify(&work->call, key, &change));
out:
	return rc;
}

static void
modify_begin(struct key_command *work)
{
	if (key_command_words(work, 0, ON_MODIFY))
		key_command_run(work, modify);
}

/* An empty answer leaves a field as it is. req: KS-15-073 KS-28-110 KS-28-153
 */
void
key_modify_one(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_WORD, "New Key Name:", "name"},
	    {ASK_WORD, "Owner Username (-: none, a global key):", "owner"},
	    {ASK_WORD, "Deletable (yes/no):", "deletable"},
	    {ASK_WORD, "Exportable (yes/no):", "exportable"},
	    {ASK_WORD,
		"Other Key Names (with commas; -: none):", "other-names"},
	};

	key_command_gather(
	    cli, args, arg_count, 2, QUESTIONS(questions), modify_begin);
}

static enum err delete (struct key_command *work) {
	const struct object *key; enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "deleted key %.*s", (int)work->name.octets,
	    (const char *)work->name.at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_delete(&work->call, key));
	out : return rc;
}

/* Whatever the key's mark says. req: KS-03-058 KS-28-309 KS-28-310 */
void
key_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	key_command_run_named(cli, args, arg_count, delete);
}

/* ---- versions ---- */

static bool
read_state(struct key_command *work, struct bytes word, enum card_state *out)
{
	size_t k;

	for (k = 0; k < CARD_STATE_COUNT; k++) {
		*out = (enum card_state)k;
		if (bytes_equal_text(word, card_state_text(*out)))
			return true;
	}
	return refuse_value(
	    work, "Key State", word, "Active, Restricted or Retired");
}

static bool
read_number(struct key_command *work, struct bytes word, uint32_t *out)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = CARD_VERSIONS_MOST,
	    .step = 1,
	    .zero = ""};
	int64_t number;

	if (!args_read(work->cli, "Version", &rule, word, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

static enum err
version_new(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	TRY(key_command_key(work, work->name, &key));
	TRY(key_version_new(
	    &work->call, key, work->state, &work->job.pair, &work->number));
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "created version %" PRIu32 " of key %.*s", work->number,
	    (int)work->name.octets, (const char *)work->name.at);
out:
	return rc;
}

static void
version_begin(struct key_command *work)
{
	const struct object *key;
	struct key_info info;
	enum err rc;

	if (work->arg_count == 1 &&
	    !read_state(work, work->args[0], &work->state))
		return;
	rc = key_command_key(work, work->name, &key);
	if (rc == OK)
		rc = key_info(&work->call, key, &info);
	if (rc != OK) {
		key_command_refuse(work, rc);
		return;
	}
	work->run = version_new;
	key_command_prepare(work, info.row, run_prepared);
}

static const char ask_state[] = "Key State (Active/Restricted/Retired):";

/* req: KS-28-172 KS-28-173 KS-28-174 */
void
key_version_generate(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_MAYBE, ask_state, NULL},
	};

	if (args_at_most(cli, args, arg_count, 2))
		key_command_gather(cli, args, arg_count, 1,
		    QUESTIONS(questions), version_begin);
}

static enum err
version_state(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "set version %" PRIu32 " of key %.*s to %s", work->number,
	    (int)work->name.octets, (const char *)work->name.at,
	    card_state_text(work->state));
	TRY(key_command_key(work, work->name, &key));
	TRY(key_version_state(&work->call, key, work->number, work->state));
out:
	return rc;
}

static void
version_state_begin(struct key_command *work)
{
	if (read_number(work, work->args[0], &work->number) &&
	    read_state(work, work->args[1], &work->state))
		key_command_run(work, version_state);
}

/* req: KS-28-180 */
void
key_version_set_state(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_NEEDED, "Version:", NULL},
	    {ASK_NEEDED, ask_state, NULL},
	};

	if (args_at_most(cli, args, arg_count, 3))
		key_command_gather(cli, args, arg_count, 3,
		    QUESTIONS(questions), version_state_begin);
}

/* ---- life cycle ---- */

static const struct {
	const char *word;
	uint32_t state;
} life_states[] = {
    {"Active", STATE_ACTIVE},
    {"Deactivated", STATE_DEACTIVATED},
};

static enum err
life_state(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "set the state of key %.*s to %.*s", (int)work->name.octets,
	    (const char *)work->name.at, (int)work->args[0].octets,
	    (const char *)work->args[0].at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_set_state(&work->call, key, work->life));
out:
	return rc;
}

/* req: KS-28-238 KS-28-242 KS-28-243 KS-28-246 */
void
key_life_state(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work =
	    key_command_on(cli, args, arg_count, 2, "NAME Active|Deactivated");
	size_t k;

	if (work == NULL || !args_at_most(cli, args, arg_count, 2))
		return;
	for (k = 0; k < sizeof(life_states) / sizeof(life_states[0]); k++) {
		if (bytes_equal_text(work->args[0], life_states[k].word))
			work->life = life_states[k].state;
	}
	if (work->life == 0) {
		(void)refuse_value(
		    work, "State", work->args[0], "Active or Deactivated");
		return;
	}
	key_command_run(work, life_state);
}

static const struct {
	const char *word;
	enum tag tag;
} life_dates[] = {
    {"activation", TAG_ACTIVATION_DATE},
    {"process-start", TAG_PROCESS_START_DATE},
    {"protect-stop", TAG_PROTECT_STOP_DATE},
    {"deactivation", TAG_DEACTIVATION_DATE},
};

enum { LIFE_DATES = sizeof(life_dates) / sizeof(life_dates[0]) };

/* mm/dd/yyyy hh:mm:ss, all of it. req: KS-28-250 KS-28-251 KS-28-253 */
static bool
read_date(struct key_command *work, struct bytes day, struct bytes time)
{
	char text[CLOCK_TEXT_OCTETS];
	const char *d = (const char *)day.at;

	if (day.octets == 10 && time.octets == 8 && d[2] == '/' &&
	    d[5] == '/') {
		(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2s %.8s", d + 6,
		    d, d + 3, (const char *)time.at);
		if (clock_read(cli_appliance(work->cli)->clock,
			bytes_of_text(text), &work->date_s) == OK)
			return true;
	}
	return refuse_value(
	    work, "Date", day, "date and time, as mm/dd/yyyy hh:mm:ss");
}

static enum err
life_date(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "set the %s of key %.*s", attr_def_any(work->date)->name,
	    (int)work->name.octets, (const char *)work->name.at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_set_date(&work->call, key, work->date, work->date_s));
out:
	return rc;
}

void
key_life_date(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(cli, args, arg_count, 4,
	    "NAME activation|process-start|protect-stop|deactivation "
	    "mm/dd/yyyy hh:mm:ss");
	size_t k;

	if (work == NULL || !args_at_most(cli, args, arg_count, 4))
		return;
	for (k = 0; k < LIFE_DATES; k++) {
		if (bytes_equal_text(work->args[0], life_dates[k].word))
			work->date = life_dates[k].tag;
	}
	if (work->date == 0) {
		(void)refuse_value(work, "Date", work->args[0],
		    "activation, process-start, protect-stop or deactivation");
		return;
	}
	if (read_date(work, work->args[1], work->args[2]))
		key_command_run(work, life_date);
}

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

	if (args_at_most(cli, args, arg_count, 3))
		key_command_gather(cli, args, arg_count, 3,
		    QUESTIONS(questions), instance_add_begin);
}

/* req: KS-28-157 */
void
key_instance_change(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_NEEDED, "Attribute Name:", NULL},
	    {ASK_NEEDED, "Index:", NULL},
	    {ASK_NEEDED, "Value:", NULL},
	};

	if (args_at_most(cli, args, arg_count, 4))
		key_command_gather(cli, args, arg_count, 4,
		    QUESTIONS(questions), instance_edit_begin);
}

/* req: KS-28-157 */
void
key_instance_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_NEEDED, "Attribute Name:", NULL},
	    {ASK_NEEDED, "Index:", NULL},
	};

	if (args_at_most(cli, args, arg_count, 3))
		key_command_gather(cli, args, arg_count, 3,
		    QUESTIONS(questions), instance_edit_begin);
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
	return refuse_value(work, "Type", word,
	    "String, Integer, Long-Integer, Big-Integer, Enumeration, Boolean, "
	    "Byte-String, Date/Time or Interval");
}

/* req: KS-28-111 KS-28-115 KS-28-134 */
void
key_attribute_add(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(
	    cli, args, arg_count, 2, "NAME TYPE, and a description");

	if (work != NULL && read_type(work, work->args[0]) &&
	    read_description(work, 1))
		key_command_run(work, attribute_create);
}

void
key_attribute_change(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work =
	    key_command_on(cli, args, arg_count, 1, "NAME DESCRIPTION");

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
