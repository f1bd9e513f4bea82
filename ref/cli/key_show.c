/*
 * The commands that tell of keys, and queries.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/key.h"
#include "device/entry.h"
#include "device/key_query.h"

enum {
	ITEMS = 20,      /* on a page, unless somebody says so */
	ITEMS_MOST = 50, /* req: KS-28-311 KS-28-316 */
};

static void
say_text(struct cli *cli, const char *field, struct bytes text)
{
	cli_say(cli, "%s: %.*s", field, (int)text.octets,
	    text.octets != 0 ? (const char *)text.at : "");
}

static void
say_time(struct cli *cli, const char *field, int64_t wall_s)
{
	char text[CLOCK_TEXT_OCTETS];

	clock_text(cli_appliance(cli)->clock, wall_s, text);
	cli_say(cli, "%s: %s", field, text);
}

static void
say_hex(struct cli *cli, const char *field, struct bytes octets)
{
	char text[2 * 64 + 1] = "";
	size_t k;

	for (k = 0; k < octets.octets && k < 64; k++)
		(void)snprintf(text + 2 * k, 3, "%02X", octets.at[k]);
	cli_say(cli, "%s: %s", field, text);
}

/* ---- show key algorithms ---- */

/* req: KS-28-074 KS-28-075 KS-28-076 */
void
key_show_algorithms(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	const struct key_algorithm *row;
	size_t k;

	(void)args;
	(void)arg_count;
	cli_say(cli, "  %-12s  %s", "Algorithm", "imported as");
	for (k = 0; (row = key_algorithm_nth(k)) != NULL; k++)
		cli_say(cli, "  %-12s  %s", row->name, row->import);
	cli_done(cli);
}

/* ---- show key properties ---- */

static enum err
say_names(struct key_command *work, const struct object *key)
{
	struct bytes *names;
	size_t count;
	size_t k;
	enum err rc = OK;

	TRY(key_other_names(&work->call, key, &names, &count));
	for (k = 0; k < count; k++)
		say_text(work->cli, "Other Key Name", names[k]);
out:
	return rc;
}

static enum err
say_attributes(struct key_command *work, const struct object *key)
{
	struct key_attribute *attributes;
	size_t count;
	size_t k;
	enum err rc = OK;

	TRY(key_attributes(&work->call, key, &attributes, &count));
	cli_say(work->cli, "Custom Attributes:");
	for (k = 0; k < count; k++)
		cli_say(work->cli, "  %.*s[%d] = %.*s",
		    (int)attributes[k].name.octets,
		    (const char *)attributes[k].name.at,
		    (int)attributes[k].index, (int)attributes[k].value.octets,
		    attributes[k].value.octets != 0
			? (const char *)attributes[k].value.at
			: "");
out:
	return rc;
}

/* Its box is there where it has one. req: KS-28-008 KS-28-010 KS-28-015
 * req: KS-28-244 KS-28-249 */
static void
say_life(struct key_command *work, const struct object *key,
    const struct key_info *info)
{
	static const enum tag dates[] = {TAG_ACTIVATION_DATE,
	    TAG_PROCESS_START_DATE, TAG_PROTECT_STOP_DATE,
	    TAG_DEACTIVATION_DATE};
	size_t k;

	if (info->state == 0)
		return;
	cli_say(work->cli, "Life Cycle:");
	cli_say(
	    work->cli, "State: %s", schema_value_name(TAG_STATE, info->state));
	for (k = 0; k < sizeof(dates) / sizeof(dates[0]); k++) {
		const struct attr *one = attr_find(&key->attrs, dates[k]);

		if (one != NULL)
			say_time(work->cli, one->def->name, one->value->number);
		if (key_date_is_open(key, dates[k]))
			cli_say(work->cli, "%s: can be changed",
			    attr_def_any(dates[k])->name);
	}
}

static enum err
say_key(struct key_command *work, const struct object *key)
{
	struct cli *cli = work->cli;
	struct key_version version;
	struct key_info info;
	struct bytes algorithm;
	enum err rc = OK;

	TRY(key_info(&work->call, key, &info));
	TRY(key_field_text(&work->call, key, KEY_FIELD_ALGORITHM, &algorithm));
	say_text(cli, "Key Name", info.name);
	TRY(say_names(work, key));
	say_text(cli, "Unique ID", info.id);
	say_text(cli, "Owner Username", info.owner);
	cli_say(cli, "Object Type: %s",
	    schema_value_name(TAG_OBJECT_TYPE, info.object_type));
	say_text(cli, "Algorithm", algorithm);
	cli_say(cli, "Key Size: %" PRIu32, info.key_bits);
	say_time(cli, "Creation Date", info.created_s);
	cli_say(cli, "Deletable: %s", entry_yesno(info.deletable));
	cli_say(cli, "Exportable: %s", entry_yesno(info.exportable));
	cli_say(cli, "Versioned Key Bytes: %s",
	    entry_yesno(key_versions(key) != 0));
	cli_say(cli, "Template: %s", entry_yesno(info.is_template));
	if (!info.is_template && info.card != NULL) {
		TRY(key_version_info(&work->call, key, 0, &version));
		say_hex(cli, "Default IV", version.iv);
		say_hex(cli, "Fingerprint", version.fingerprint);
	}
	say_life(work, key, &info);
	TRY(say_attributes(work, key));
out:
	return rc;
}

/* req: KS-28-062 KS-28-135 KS-28-219 */
void
key_show_properties(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work =
	    key_command_on(cli, args, arg_count, 1, 1, "NAME");
	const struct object *key;
	enum err rc;

	if (work == NULL)
		return;
	rc = key_command_key(work, work->name, &key);
	if (rc == OK)
		rc = say_key(work, key);
	if (rc != OK)
		key_command_refuse(work, rc);
	else
		cli_done(cli);
}

/* ---- show key versions ---- */

static enum err
say_versions(struct key_command *work, const struct object *key)
{
	struct key_version version;
	char created[CLOCK_TEXT_OCTETS];
	uint32_t n;
	enum err rc = OK;

	/* the newest first; a page of them */
	for (n = key_versions(key); n > 0 && work->shown < ITEMS_MOST; n--) {
		if (n > work->number)
			continue;
		TRY(key_version_info(&work->call, key, n, &version));
		clock_text(cli_appliance(work->cli)->clock, version.created_s,
		    created);
		cli_say(work->cli, "  %4" PRIu32 "  %-10s  %s  %.*s%s", n,
		    card_state_text(version.state), created,
		    (int)version.unique_id.octets,
		    (const char *)version.unique_id.at,
		    n == key_versions(key) ? "  default" : "");
		work->shown++;
	}
out:
	return rc;
}

/* req: KS-28-171 KS-28-173 KS-28-179 */
void
key_show_versions(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(cli, args, arg_count, 1, 2,
	    "NAME, and from which version downwards");
	const struct object *key;
	enum err rc;

	if (work == NULL)
		return;
	work->number = CARD_VERSIONS_MOST;
	if (arg_count == 2 && !key_command_version(work, args[1]))
		return;
	rc = key_command_key(work, work->name, &key);
	if (rc == OK && key_versions(key) == 0)
		rc = ERR_NOT_VERSIONED;
	if (rc == OK)
		rc = say_versions(work, key);
	if (rc != OK)
		key_command_refuse(work, rc);
	else
		cli_done(cli);
}

/* ---- show key public ---- */

static void
say_public(struct key_command *work)
{
	const struct object *key;
	struct bytes text;
	enum err rc = OK;

	work->call.loan = key_job_loan(&work->job);
	TRY(key_command_key(work, work->name, &key));
	rc = key_public_text(&work->call, key, work->number, &text);
	if (rc == ERR_KEY_FORMAT)
		entry_refuse(
		    "Key Name", work->name, "it is no RSA key", work->call.why);
	TRY(rc);
	cli_say_lines(work->cli, text);
	cli_done(work->cli);
	return;
out:
	key_command_refuse(work, rc);
}

/* req: KS-28-305 KS-28-306 KS-28-307 */
void
key_show_public(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(
	    cli, args, arg_count, 1, 2, "NAME, and which version of it");

	if (work == NULL)
		return;
	if (arg_count == 2 && !key_command_version(work, args[1]))
		return;
	key_command_prepare(work, NULL, say_public);
}

/* ---- lists: show keys, and what is deleted by the page ---- */

struct listing {
	struct key_command *work;
	const struct key_query *query;
};

static enum err
say_row(void *ctx, const struct object *key)
{
	const struct listing *listing = ctx;
	struct key_command *work = listing->work;
	struct buf line;
	struct bytes text;
	size_t k;
	enum err rc = OK;

	buf_init(&line, 4096);
	for (k = 0; k < listing->query->column_count; k++) {
		TRY(key_field_text(
		    &work->call, key, listing->query->columns[k], &text));
		TRY(buf_printf(&line, "  %-19.*s", (int)text.octets,
		    text.octets != 0 ? (const char *)text.at : ""));
	}
	cli_say_text(work->cli, buf_peek(&line));
	work->shown++;
out:
	buf_clear(&line);
	return rc;
}

/* req: KS-28-344 KS-28-347 */
static enum err
say_page(struct key_command *work, const struct key_query *query)
{
	struct listing listing = {work, query};
	struct buf line;
	size_t count;
	size_t k;
	enum err rc = OK;

	buf_init(&line, 1024);
	cli_say(work->cli, "Query Name: %s", query->name);
	for (k = 0; k < query->column_count; k++)
		TRY(buf_printf(
		    &line, "  %-19s", key_field_title(query->columns[k])));
	cli_say_text(work->cli, buf_peek(&line));
	TRY(key_query_run(&work->call, query, (work->page - 1) * work->most,
	    work->most, say_row, &listing, &count));
	cli_say(work->cli, "%zu of %zu keys", work->shown, count);
out:
	buf_clear(&line);
	return rc;
}

/* query QUERY, page N, items N. false: the command has ended. */
static bool
read_page(struct key_command *work, const struct bytes *args, size_t arg_count,
    struct key_query *query)
{
	static const struct entry_rule page_rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = 1000000,
	    .step = 1,
	    .zero = ""};
	static const struct entry_rule items_rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = ITEMS_MOST,
	    .step = 1,
	    .zero = ""};
	struct bytes name = bytes_of_text(KEY_QUERY_ALL);
	int64_t page = 1;
	int64_t items = ITEMS;
	char why[ENTRY_WHY_OCTETS];
	size_t k;
	enum err rc;

	for (k = 0; k + 1 < arg_count; k += 2) {
		if (bytes_equal_text(args[k], "query"))
			name = args[k + 1];
		else if (bytes_equal_text(args[k], "page")) {
			if (!args_read(work->cli, "Page", &page_rule,
				args[k + 1], &page))
				return false;
		} else if (bytes_equal_text(args[k], "items")) {
			if (!args_read(work->cli, "Items per page", &items_rule,
				args[k + 1], &items))
				return false;
		} else
			break;
	}
	if (k < arg_count) {
		cli_refuse(work->cli, "query NAME, page NUMBER, items NUMBER");
		return false;
	}
	rc = key_query_read(cli_appliance(work->cli)->store, name, query);
	if (rc == ERR_NOT_FOUND) {
		entry_refuse("Query Name", name, "there is no such query", why);
		cli_refuse(work->cli, "%s", why);
		return false;
	}
	if (rc != OK) {
		cli_fail(work->cli, "%s", err_text(rc));
		return false;
	}
	work->page = (size_t)page;
	work->most = (size_t)items;
	return true;
}

/* req: KS-28-107 KS-28-329 KS-28-335 */
void
key_show_list(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_new(cli);
	struct key_query query;
	enum err rc;

	if (work == NULL || !read_page(work, args, arg_count, &query))
		return;
	rc = say_page(work, &query);
	cli_end(cli, rc);
}

/* ---- key delete-page ---- */

struct gone {
	struct key_command *work;
	struct bytes ids[ITEMS_MOST];
	size_t count;
	/* what came of it */
	size_t deleted;
	enum err rc;
	struct bytes failed; /* the name of the key that was not */
};

static enum err
take_id(void *ctx, const struct object *key)
{
	struct gone *gone = ctx;

	return arena_copy(
	    gone->work->arena, key->id, &gone->ids[gone->count++]);
}

/*
 * What was listed, and no more; what was deleted before something failed stays
 * deleted, and the log names what failed.
 *
 * req: KS-28-312 KS-28-321 KS-28-322 KS-28-323 KS-28-325 KS-28-330 KS-28-331
 */
static enum err
delete_listed(struct key_command *work)
{
	struct gone *gone = work->list;
	const struct object *key;
	struct key_info info;
	size_t k;

	gone->rc = OK;
	gone->failed = BYTES_NONE;
	for (k = 0; k < gone->count && gone->rc == OK; k++) {
		gone->rc = store_find(
		    work->change.appliance->store, gone->ids[k], &key);
		if (gone->rc == ERR_NOT_FOUND) {
			gone->rc = OK;
			continue;
		}
		if (gone->rc == OK)
			gone->rc = key_info(&work->call, key, &info);
		if (gone->rc == OK) {
			gone->failed = info.name;
			gone->rc = key_delete(&work->call, key);
		}
		gone->deleted += gone->rc == OK;
	}
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "deleted %zu keys of a page", gone->deleted);
	if (gone->rc != OK)
		(void)snprintf(work->change.event, sizeof(work->change.event),
		    "deleted %zu keys of a page, then an error: key %.*s: %s",
		    gone->deleted, (int)gone->failed.octets,
		    (const char *)gone->failed.at, err_text(gone->rc));
	return gone->deleted != 0 ? OK : gone->rc;
}

static enum err
tell_deleted(struct cli *cli, struct change *change)
{
	const struct key_command *work = cli_state(cli);
	const struct gone *gone = work->list;

	(void)change;
	if (gone->rc == OK)
		cli_say(cli, "Keys deleted.");
	else
		cli_say(cli, "%zu keys deleted, then an error: key %.*s: %s",
		    gone->deleted, (int)gone->failed.octets,
		    (const char *)gone->failed.at, err_text(gone->rc));
	return OK;
}

/* req: KS-28-326 KS-28-327 KS-28-328 */
static void
confirmed(struct cli *cli, struct bytes line)
{
	struct key_command *work = cli_state(cli);

	if (!bytes_equal_text(line, "Confirm")) {
		cli_refuse(cli, "Confirmation Required: nothing was deleted");
		return;
	}
	work->effect = tell_deleted;
	key_command_run(work, delete_listed);
}

/* req: KS-28-315 KS-28-318 KS-28-319 KS-28-324 */
void
key_delete_page(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_new(cli);
	struct key_query query;
	struct gone *gone;
	size_t count;
	enum err rc = OK;

	if (work == NULL || !read_page(work, args, arg_count, &query))
		return;
	TRY(say_page(work, &query));
	TRY(ARENA_NEW(work->arena, gone));
	gone->work = work;
	work->list = gone;
	TRY(key_query_run(&work->call, &query, (work->page - 1) * work->most,
	    work->most, take_id, gone, &count));
	if (gone->count == 0) {
		cli_refuse(cli, "there are no keys on this page");
		return;
	}
	cli_ask(cli, CLI_VALUE,
	    "Confirmation Required: all keys on this page are deleted; type "
	    "Confirm:",
	    confirmed);
	return;
out:
	cli_fail(cli, "%s", err_text(rc));
}

/* ---- queries ---- */

static void
say_query(struct cli *cli, const struct key_query *query)
{
	struct buf line;
	size_t k;

	buf_init(&line, 16 * 1024);
	for (k = 0; k < query->condition_count; k++) {
		const struct key_condition *c = &query->conditions[k];

		if (buf_printf(&line, "%s%s %s %s",
			k == 0  ? ""
			: c->or ? " or "
				: " and ",
			key_field_word(c->field), key_compare_word(c->compare),
			c->value) != OK)
			break;
	}
	cli_say(cli, "  %-30s  %s", query->name, query->description);
	if (line.octets != 0)
		cli_say(cli, "    where %.*s", (int)line.octets,
		    (const char *)line.at);
	buf_clear(&line);
}

static enum err
say_one_query(void *ctx, const struct key_query *query)
{
	say_query(ctx, query);
	return OK;
}

/* req: KS-28-350 */
void
key_query_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	enum err rc;

	(void)args;
	(void)arg_count;
	rc = key_query_each(cli_appliance(cli)->store, say_one_query, cli);
	cli_end(cli, rc);
}

static bool
copy_text(char *out, size_t room, struct bytes text)
{
	if (text.octets >= room)
		return false;
	if (text.octets != 0)
		memcpy(out, text.at, text.octets);
	out[text.octets] = '\0';
	return true;
}

static bool
read_columns(struct bytes list, struct key_query *query)
{
	query->column_count = 0;
	while (list.octets != 0) {
		const uint8_t *comma = memchr(list.at, ',', list.octets);
		struct bytes word = {list.at,
		    comma != NULL ? (size_t)(comma - list.at) : list.octets};
		unsigned field;

		if (!key_field_find(word, &field) || field >= KEY_FIELDS ||
		    query->column_count == KEY_FIELDS)
			return false;
		query->columns[query->column_count++] = (enum key_field)field;
		list.at += word.octets + (comma != NULL);
		list.octets -= word.octets + (comma != NULL);
	}
	return query->column_count != 0;
}

/* FIELD COMPARISON VALUE [and|or FIELD ...]. req: KS-28-342 KS-30-086
 * req: KS-30-087 */
static bool
read_conditions(
    const struct bytes *args, size_t arg_count, struct key_query *query)
{
	size_t k;

	for (k = 0; k < arg_count; k += 4) {
		struct key_condition *c =
		    &query->conditions[query->condition_count];

		if (k + 3 > arg_count ||
		    query->condition_count == KEY_QUERY_CONDITIONS ||
		    !key_field_find(args[k], &c->field) ||
		    !key_compare_find(args[k + 1], &c->compare) ||
		    !copy_text(c->value, sizeof(c->value), args[k + 2]))
			return false;
		if (k != 0)
			c->or = bytes_equal_text(args[k - 1], "or");
		query->condition_count++;
		if (k + 3 < arg_count &&
		    !bytes_equal_text(args[k + 3], "and") &&
		    !bytes_equal_text(args[k + 3], "or"))
			return false;
		if (k + 4 == arg_count)
			return false; /* "and" of nothing */
	}
	return true;
}

static const char query_usage[] =
    "[columns NAME,OWNER,...] [description TEXT] where FIELD "
    "is|is-not|contains|begins VALUE [and|or ...]";

/* columns, description, where. false: the command has ended. */
static bool
read_query(struct key_command *work, const struct bytes *args, size_t arg_count)
{
	struct key_query *query = work->list;
	size_t k;
	bool good = true;

	for (k = 0; k + 1 < arg_count && good; k += 2) {
		if (bytes_equal_text(args[k], "columns"))
			good = read_columns(args[k + 1], query);
		else if (bytes_equal_text(args[k], "description"))
			good = copy_text(query->description,
			    sizeof(query->description), args[k + 1]);
		else
			break;
	}
	if (good && k < arg_count)
		good = bytes_equal_text(args[k], "where") &&
		       read_conditions(args + k + 1, arg_count - k - 1, query);
	if (!good)
		cli_refuse(work->cli, "%s", query_usage);
	return good;
}

static enum err
query_write(struct key_command *work)
{
	const struct key_query *query = work->list;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "saved key query %s", query->name);
	return key_query_write(
	    work->change.appliance->store, query, work->call.why);
}

static enum err
query_show_page(struct cli *cli, struct change *change)
{
	struct key_command *work = cli_state(cli);

	(void)change;
	work->page = 1;
	work->most = ITEMS;
	return say_page(work, work->list);
}

/* A new query in the arena. NULL: the command has ended. */
static struct key_query *
query_new(struct key_command *work, struct bytes name)
{
	struct key_query *query;
	char text[KEY_QUERY_NAME_OCTETS + 1];

	if (!copy_text(text, sizeof(text), name)) {
		cli_refuse(work->cli, "Query Name: it is too long");
		return NULL;
	}
	if (ARENA_NEW(work->arena, query) != OK) {
		cli_fail(work->cli, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	key_query_init(query, text);
	work->list = query;
	return query;
}

static void
query_save(
    struct cli *cli, const struct bytes *args, size_t arg_count, bool runs)
{
	struct key_command *work = key_command_on(
	    cli, args, arg_count, 1, COMMAND_WORDS_MAX, query_usage);

	if (work == NULL || query_new(work, work->name) == NULL ||
	    !read_query(work, work->args, work->arg_count))
		return;
	work->effect = runs ? query_show_page : NULL;
	key_command_run(work, query_write);
}

/* req: KS-28-336 KS-28-337 KS-28-339 KS-28-341 KS-28-346 KS-28-351 */
void
key_query_save(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	query_save(cli, args, arg_count, false);
}

/* req: KS-28-320 KS-28-345 */
void
key_query_save_and_run(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	query_save(cli, args, arg_count, true);
}

/* req: KS-28-340 KS-28-347 KS-28-348 KS-28-349 */
void
key_query_run_unsaved(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_new(cli);

	if (work == NULL ||
	    query_new(work, bytes_of_text(KEY_QUERY_UNNAMED)) == NULL ||
	    !read_query(work, args, arg_count))
		return;
	work->effect = query_show_page;
	key_command_run(work, query_write);
}

static enum err
query_copy(struct key_command *work)
{
	struct store *st = work->change.appliance->store;
	struct key_query *query = work->list;
	char name[KEY_QUERY_NAME_OCTETS + 1];
	enum err rc = OK;

	memcpy(name, query->name, sizeof(name));
	rc = key_query_read(st, work->name, query);
	if (rc == ERR_NOT_FOUND) {
		entry_refuse("Query Name", work->name, "there is no such query",
		    work->call.why);
		TRY(ERR_FIELD);
	}
	TRY(rc);
	memcpy(query->name, name, sizeof(name));
	TRY(query_write(work));
out:
	return rc;
}

void
key_query_copy(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work =
	    key_command_on(cli, args, arg_count, 2, 2, "NAME NEW-NAME");

	if (work != NULL && query_new(work, work->args[0]) != NULL)
		key_command_run(work, query_copy);
}

static enum err
query_delete(struct key_command *work)
{
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "deleted key query %.*s", (int)work->name.octets,
	    (const char *)work->name.at);
	return key_query_delete(
	    work->change.appliance->store, work->name, work->call.why);
}

void
key_query_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	key_command_run_named(cli, args, arg_count, query_delete);
}
