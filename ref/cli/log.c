/*
 * The log viewer: files of logs shown, downloaded, rotated and cleared.
 *
 * A download is the session's own output, octet by octet: lines that end with
 * LF, or those of a signed log with CR LF. Where somebody sits at a terminal it
 * is shown there; `ssh admin@device 'log download system' > FILE` keeps it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/args.h"
#include "device/log_sign.h"
#include "device/logs.h"

_Static_assert((int)LOGS_MULTIPART == (int)SMIME_MULTIPART &&
		   (int)LOGS_OPAQUE == (int)SMIME_OPAQUE,
    "the setting has the forms of smime.h");

enum {
	SHOWN_LINES = 20,
	MOST_LINES = 1000,
	LEAST_COLUMNS = 20,
	MOST_COLUMNS = 1000,
	/* what is shown, each line cut into pieces */
	SHOWN_OCTETS = MOST_LINES * 2 * LOGS_LINE_MAX_OCTETS,
	PENDING_OCTETS = 2 * CLI_SLICE_OCTETS,
};

static const char log_field[] = "Log";
static const char file_field[] = "Log File";

/* What a command is about. */
struct viewing {
	struct change change;
	enum log_type type;
	struct logs_file file;
	/* of what is shown */
	int64_t lines;
	int64_t columns; /* 0: as long as they are */
	/* of a download: the log, and the signed log */
	struct logs_reader *reader;
	struct log_sign *sign;
	int spool;     /* the log, which is to be signed; -1: none */
	int signed_fd; /* -1: none */
	uint64_t spooled_octets;
	struct cli *cli;
	struct buf pending; /* what is said next, from `said` on */
	size_t said;
};

static void
viewing_drop(void *state)
{
	struct viewing *v = state;

	log_sign_drop(v->sign);
	logs_reader_free(v->reader);
	if (v->spool >= 0)
		close(v->spool);
	if (v->signed_fd >= 0)
		close(v->signed_fd);
	buf_clear(&v->pending);
	mem_free(v);
}

/* NULL: the command has ended. */
static struct viewing *
viewing_new(struct cli *cli)
{
	struct viewing *v = cli_keep(cli, sizeof(*v), viewing_drop);

	if (v == NULL)
		return NULL;
	v->cli = cli;
	v->spool = v->signed_fd = -1;
	v->lines = SHOWN_LINES;
	buf_init(&v->pending, PENDING_OCTETS);
	return v;
}

/* ---- what was typed ---- */

static void
refuse(struct cli *cli, const char *field, struct bytes typed, const char *rule)
{
	char why[ENTRY_WHY_OCTETS];

	entry_refuse(field, typed, rule, why);
	cli_refuse(cli, "%s", why);
}

/* req: KS-20-013 KS-21-002 KS-21-056 */
static bool
is_there(struct cli *cli, enum log_type type)
{
	if (type != LOG_KMIP_AGENT ||
	    setting_number(
		cli_appliance(cli)->settings, SETTING_HSM_MANAGEMENT) != 0)
		return true;
	cli_refuse(cli, "KMIP Agent Log: only where the HSM Management feature "
			"is activated");
	return false;
}

/* req: KS-21-064 */
static bool
take_type(struct cli *cli, struct viewing *v, struct bytes typed)
{
	char rule[ENTRY_WHY_OCTETS] = "one of";
	size_t k, octets;

	if (log_find(typed, &v->type) == OK)
		return is_there(cli, v->type);
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		octets = strlen(rule);
		(void)snprintf(rule + octets, sizeof(rule) - octets, " %s",
		    log_row((enum log_type)k)->word);
	}
	refuse(cli, log_field, typed, rule);
	return false;
}

/* req: KS-21-065 KS-21-070 */
static bool
take_file(struct cli *cli, struct viewing *v, struct bytes typed)
{
	enum err rc = logs_find(cli_appliance(cli), v->type, typed, &v->file);

	if (rc == ERR_NOT_FOUND)
		refuse(cli, file_field, typed,
		    "there is no such file; show log files lists them");
	else if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	return rc == OK;
}

/* TYPE, and a file of it where `most` is 2: Current. NULL: the command has
 * ended. */
static struct viewing *
viewing_take(
    struct cli *cli, const struct bytes *args, size_t arg_count, size_t most)
{
	struct viewing *v;

	if (!args_at_most(cli, args, arg_count, most))
		return NULL;
	if (arg_count == 0) {
		cli_refuse(cli, "%s: it is missing", log_field);
		return NULL;
	}
	v = viewing_new(cli);
	if (v == NULL || !take_type(cli, v, args[0]) ||
	    !take_file(
		cli, v, arg_count == 2 ? args[1] : bytes_of_text("Current")))
		return NULL;
	return v;
}

/* ---- saying much ---- */

/* More of what is said, behind the rest of it. *ended: there is none. */
static enum err
fill(struct viewing *v, bool *ended)
{
	size_t octets = 0;
	uint8_t *tail;
	ssize_t got;
	enum err rc = OK;

	buf_drop(&v->pending, v->said);
	v->said = 0;
	TRY(buf_reserve(&v->pending, CLI_SLICE_OCTETS, &tail));
	if (v->signed_fd >= 0) {
		got = read(v->signed_fd, tail, CLI_SLICE_OCTETS);
		if (got < 0)
			TRY(ERR_SYSTEM);
		octets = (size_t)got;
	} else if (v->reader != NULL) {
		TRY(logs_read(v->reader, tail, CLI_SLICE_OCTETS, &octets));
	}
	buf_added(&v->pending, octets);
	*ended = octets == 0;
out:
	return rc;
}

/* The lines of it that are whole; at the end what is left, too. */
static void
say_pending(struct viewing *v, bool ended)
{
	const uint8_t *end;
	struct bytes line;

	while (v->said < v->pending.octets) {
		line.at = v->pending.at + v->said;
		line.octets = v->pending.octets - v->said;
		end = memchr(line.at, '\n', line.octets);
		if (end == NULL && !ended)
			return;
		if (end != NULL)
			line.octets = (size_t)(end - line.at);
		cli_say_text(v->cli, line);
		v->said += line.octets + (end != NULL);
	}
}

static void
pour(struct cli *cli)
{
	struct viewing *v = cli_state(cli);
	bool ended = false;
	enum err rc = fill(v, &ended);

	if (rc != OK) {
		cli_fail(cli, "%s", err_text(rc));
		return;
	}
	say_pending(v, ended);
	if (ended)
		cli_done(cli);
	else
		cli_go_on(cli, pour);
}

/* ---- show ---- */

/* A line in pieces of so many characters. req: KS-21-067 */
static enum err
wrap(struct buf *out, struct bytes line, size_t columns)
{
	size_t k, column = 0;
	enum err rc = OK;

	for (k = 0; k < line.octets; k++) {
		if ((line.at[k] & 0xc0) != 0x80 && column++ == columns) {
			TRY(buf_put_text(out, "\n"));
			column = 1;
		}
		TRY(buf_put(out, (struct bytes){line.at + k, 1}));
	}
	TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

static enum err
gather_line(void *ctx, struct bytes line)
{
	struct viewing *v = ctx;
	enum err rc = OK;

	if (v->columns != 0) {
		TRY(wrap(&v->pending, line, (size_t)v->columns));
	} else {
		TRY(buf_put(&v->pending, line));
		TRY(buf_put_text(&v->pending, "\n"));
	}
out:
	return rc;
}

/* A slice of what was gathered. */
static void
show_gathered(struct cli *cli)
{
	struct viewing *v = cli_state(cli);
	size_t until = v->said + CLI_SLICE_OCTETS;
	struct bytes line;

	while (v->said < v->pending.octets && v->said < until) {
		const uint8_t *at = v->pending.at + v->said;
		const uint8_t *end =
		    memchr(at, '\n', v->pending.octets - v->said);

		line = (struct bytes){at, (size_t)(end - at)};
		cli_say_text(cli, line);
		v->said += line.octets + 1;
	}
	if (v->said == v->pending.octets)
		cli_done(cli);
	else
		cli_go_on(cli, show_gathered);
}

static bool
take_lines(struct cli *cli, struct viewing *v, struct bytes typed)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = MOST_LINES,
	    .step = 1,
	    .zero = ""};

	return args_read(cli, "Lines", &rule, typed, &v->lines);
}

static bool
take_columns(struct cli *cli, struct viewing *v, struct bytes typed)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = LEAST_COLUMNS,
	    .most = MOST_COLUMNS,
	    .step = 1,
	    .zero = "No"};

	return args_read(cli, "Wrap Lines", &rule, typed, &v->columns);
}

/* clang-format off */
static const struct option {
	const char *word;
	bool (*take)(struct cli *cli, struct viewing *v, struct bytes typed);
} options[] = {
	{ "file", take_file },
	{ "lines", take_lines },
	{ "wrap", take_columns },
};
/* clang-format on */

static const struct option *
option_find(struct bytes word)
{
	size_t k;

	for (k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
		if (bytes_equal_text(word, options[k].word))
			return &options[k];
	}
	return NULL;
}

/* The number of lines may stand first, by itself. */
static bool
take_options(struct cli *cli, struct viewing *v, const struct bytes *args,
    size_t arg_count)
{
	const struct option *option;
	size_t k = 0;

	if (arg_count != 0 && option_find(args[0]) == NULL &&
	    !take_lines(cli, v, args[k++]))
		return false;
	for (; k < arg_count; k += 2) {
		option = option_find(args[k]);
		if (option == NULL || k + 1 == arg_count) {
			refuse(cli, "Show Log", args[k],
			    option == NULL ? "file, lines or wrap"
					   : "its value is missing");
			return false;
		}
		if (!option->take(cli, v, args[k + 1]))
			return false;
	}
	return true;
}

/* Whose row of command.def is it? */
static enum log_type
type_of_command(const struct cli *cli)
{
	static const char before[] = "show log ";
	const char *words = cli_command(cli)->words + strlen(before);
	enum log_type type = LOG_SYSTEM;

	(void)!log_find(
	    (struct bytes){(const uint8_t *)words, strcspn(words, " ")}, &type);
	return type;
}

/* req: KS-21-001 KS-21-064 KS-21-066 KS-21-068 KS-21-070 */
void
log_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct viewing *v = viewing_new(cli);
	enum err rc;

	if (v == NULL)
		return;
	v->type = type_of_command(cli);
	if (!is_there(cli, v->type) || !take_options(cli, v, args, arg_count))
		return;
	buf_init(&v->pending, SHOWN_OCTETS);
	rc = logs_last(cli_appliance(cli), v->type, v->file.serial,
	    (size_t)v->lines, gather_line, v);
	if (rc == OK)
		show_gathered(cli);
	else
		cli_fail(cli, "%s", err_text(rc));
}

static enum err
say_file(void *ctx, const struct logs_file *file)
{
	cli_say(ctx, "  %6u  %-20s  %12llu", file->number, file->name,
	    (unsigned long long)file->octets);
	return OK;
}

/* req: KS-21-065 KS-21-071 */
void
log_show_files(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct viewing *v = viewing_take(cli, args, arg_count, 1);

	if (v == NULL)
		return;
	cli_say(cli, "  Number  %-20s  %12s", file_field, "Size (bytes)");
	cli_end(cli, logs_files(cli_appliance(cli), v->type, say_file, cli));
}

/* ---- download ---- */

static void
signed_it(struct log_sign *sign, enum err rc)
{
	struct cli *cli = sign->ctx;
	const struct viewing *v = cli_state(cli);

	if (rc == OK && lseek(v->signed_fd, 0, SEEK_SET) != 0)
		rc = ERR_SYSTEM;
	if (rc == OK)
		pour(cli);
	else
		cli_fail(cli, "the log is not signed: %s", err_text(rc));
}

static enum err
sign_begin(struct viewing *v)
{
	struct appliance *appliance = cli_appliance(v->cli);
	int64_t form = setting_number(
	    appliance->settings, logs_setting(v->type, LOGS_FORM));
	enum err rc = OK;

	TRY(file_nameless(appliance->logs_dir, &v->signed_fd));
	TRY(log_sign_new(appliance, &v->sign));
	v->sign->form = (enum smime_form)form;
	v->sign->from = v->spool;
	v->spool = -1;
	v->sign->octets = v->spooled_octets;
	v->sign->to = fcntl(v->signed_fd, F_DUPFD_CLOEXEC, 0);
	v->sign->done = signed_it;
	v->sign->ctx = v->cli;
	TRY(log_sign_begin(v->sign));
out:
	return rc;
}

static enum err
spool_some(struct viewing *v, bool *ended)
{
	uint8_t *at;
	size_t octets;
	enum err rc = OK;

	TRY(buf_reserve(&v->pending, CLI_SLICE_OCTETS, &at));
	TRY(logs_read(v->reader, at, CLI_SLICE_OCTETS, &octets));
	TRY(file_write(v->spool, (struct bytes){at, octets}));
	v->spooled_octets += octets;
	*ended = octets == 0;
out:
	return rc;
}

/* What is signed is a copy: neither lines that come later nor a rotation is in
 * its way. */
static void
spool(struct cli *cli)
{
	struct viewing *v = cli_state(cli);
	bool ended = false;
	enum err rc = spool_some(v, &ended);

	if (rc == OK && ended)
		rc = sign_begin(v);
	if (rc != OK)
		cli_fail(cli, "the log is not signed: %s", err_text(rc));
	else if (!ended)
		cli_go_on(cli, spool);
}

/*
 * Signed where its setting says so.
 *
 * req: KS-20-063 KS-20-066 KS-20-103 KS-20-112 KS-21-076
 */
void
log_download(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct viewing *v = viewing_take(cli, args, arg_count, 2);
	struct appliance *appliance = cli_appliance(cli);
	bool sign;
	enum err rc = OK;

	if (v == NULL)
		return;
	sign = setting_number(
		   appliance->settings, logs_setting(v->type, LOGS_SIGN)) != 0;
	rc = logs_reader_new(appliance, v->type, v->file.serial, &v->reader);
	if (rc == OK && sign)
		rc = file_nameless(appliance->logs_dir, &v->spool);
	if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	else if (sign)
		spool(cli);
	else
		pour(cli);
}

/* ---- rotating and clearing ---- */

/* req: KS-21-007 KS-21-008 KS-21-069 KS-21-074 */
static bool
is_by_hand(struct cli *cli, const struct viewing *v, const char *what)
{
	const struct log_row *row = log_row(v->type);

	if (!row->by_hand)
		cli_refuse(
		    cli, "%s Log: it cannot be %s by hand", row->title, what);
	return row->by_hand;
}

static enum err
rotate_apply(struct change *change)
{
	const struct viewing *v = cli_state(change->ctx);

	(void)snprintf(change->event, sizeof(change->event), "%s Log: rotated",
	    log_row(v->type)->title);
	return OK;
}

static enum err
rotate_effect(struct cli *cli, struct change *change)
{
	const struct viewing *v = cli_state(cli);

	(void)change;
	return logs_rotate(cli_appliance(cli), v->type);
}

/* req: KS-21-069 KS-21-071 KS-21-072 KS-07-016 */
void
log_rotate(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct viewing *v = viewing_take(cli, args, arg_count, 1);

	if (v == NULL || !is_by_hand(cli, v, "rotated"))
		return;
	v->change.apply = rotate_apply;
	cli_change(cli, &v->change, rotate_effect, "");
}

static enum err
clear_apply(struct change *change)
{
	const struct viewing *v = cli_state(change->ctx);

	(void)snprintf(change->event, sizeof(change->event),
	    "%s Log: %s cleared", log_row(v->type)->title, v->file.name);
	return OK;
}

static enum err
clear_effect(struct cli *cli, struct change *change)
{
	const struct viewing *v = cli_state(cli);

	(void)change;
	return logs_clear(cli_appliance(cli), v->type, v->file.serial);
}

/* req: KS-21-075 */
void
log_clear(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct viewing *v = viewing_take(cli, args, arg_count, 2);

	if (v == NULL || !is_by_hand(cli, v, "cleared"))
		return;
	v->change.apply = clear_apply;
	cli_change(cli, &v->change, clear_effect, "");
}
