/*
 * The commands about keys: to make, import, clone, change and delete them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cli/args.h"
#include "cli/key.h"
#include "device/entry.h"
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
    size_t least, size_t most, const char *usage)
{
	struct key_command *work;

	if (arg_count < least) {
		cli_refuse(cli, "%s", usage);
		return NULL;
	}
	if (!args_at_most(cli, args, arg_count, most))
		return NULL;
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
	    key_command_on(cli, args, arg_count, 1, 1, "NAME");

	if (work != NULL)
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

static void
run_prepared(struct key_command *work)
{
	key_command_run(work, work->run);
}

void
key_command_run_prepared(struct key_command *work,
    const struct key_algorithm *algorithm,
    enum err (*run)(struct key_command *work))
{
	work->run = run;
	key_command_prepare(work, algorithm, run_prepared);
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
	struct bytes name = word_value(work, from, KEY_TEMPLATE_WORD);
	const struct object *template;
	enum err rc;

	if (name.octets == 0)
		return true;
	rc = key_find(&work->call, NULL, 0, name, &template);
	if (rc == OK)
		rc = key_spec_load(&work->call, template, &work->spec);
	if (rc == ERR_NOT_FOUND || rc == ERR_OBJECT_TYPE || rc == ERR_FEATURE)
		return key_command_refuse_value(work, "Template", name,
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
	    entry_yesno(spec->deletable), entry_yesno(spec->exportable),
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
		return key_command_refuse_value(work, "Algorithm",
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
	if (work->spec.is_template)
		key_command_run(work, generate);
	else
		key_command_run_prepared(work, work->spec.algorithm, generate);
}

/* req: KS-28-027 KS-28-059 KS-28-060 KS-28-103 KS-28-189 KS-28-190 */
void
key_generate(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_WORD, "Template:", KEY_TEMPLATE_WORD},
	    {ASK_WORD, "Owner Username:", "owner"},
	    {ASK_MAYBE, "Algorithm:", NULL},
	    {ASK_WORD, "Deletable (yes/no):", "deletable"},
	    {ASK_WORD, "Exportable (yes/no):", "exportable"},
	    {ASK_WORD, "Versioned Key Bytes (yes/no):", "versioned"},
	};

	key_command_gather(
	    cli, args, arg_count, 2, KEY_QUESTIONS(questions), generate_begin);
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
		key_command_run_prepared(work, NULL, import);
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
	    {ASK_WORD, "Template:", KEY_TEMPLATE_WORD},
	    {ASK_WORD, "Owner Username:", "owner"},
	    {ASK_MAYBE, "Algorithm:", NULL},
	    {ASK_WORD, "Deletable (yes/no):", "deletable"},
	    {ASK_WORD, "Exportable (yes/no):", "exportable"},
	};

	key_command_gather(
	    cli, args, arg_count, 2, KEY_QUESTIONS(questions), import_begin);
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
	key_command_run_prepared(work, NULL, clone);
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
	    cli, args, arg_count, 2, KEY_QUESTIONS(questions), clone_begin);
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
	    cli, args, arg_count, 2, KEY_QUESTIONS(questions), modify_begin);
}

static enum err
key_gone(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "deleted key %.*s", (int)work->name.octets,
	    (const char *)work->name.at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_delete(&work->call, key));
out:
	return rc;
}

/* Whatever the key's mark says. req: KS-03-058 KS-28-309 KS-28-310 */
void
key_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	key_command_run_named(cli, args, arg_count, key_gone);
}
