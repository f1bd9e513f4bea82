/*
 * The commands about key servers.
 *
 * A new one and an edited one are filled in the same way: by WORD VALUE behind
 * the command, or in a dialogue, in which an empty answer leaves a field as it
 * is.
 */
#include "device/key_server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/form.h"

enum { PROMPT_OCTETS = 160 };

static const char number_name[] = "Key Server";

/* What a command has gathered. */
struct work {
	struct form form;
	struct change change;
	struct key_server server;
	/* the dialogue's, one for each field that the protocol has */
	struct form_field ask[KEY_SERVER_FIELD_COUNT];
	enum key_server_field field[KEY_SERVER_FIELD_COUNT];
	char prompt[KEY_SERVER_FIELD_COUNT][PROMPT_OCTETS];
	size_t asks;
};

static void
work_drop(void *state)
{
	mem_free(state);
}

/* The first argument; false: the command has ended. */
static bool
take_number(struct cli *cli, const struct bytes *args, size_t arg_count,
    int64_t *number)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = KEY_SERVERS_MOST,
	    .step = 1,
	    .zero = ""};

	if (arg_count == 0) {
		cli_refuse(cli, "%s: its number is missing", number_name);
		return false;
	}
	return args_read(cli, number_name, &rule, args[0], number);
}

/* false: the command has ended. */
static bool
read_server(struct cli *cli, int64_t number, struct key_server *out)
{
	enum err rc =
	    key_server_read(cli_appliance(cli)->store, (unsigned)number, out);

	if (rc == ERR_NOT_FOUND)
		cli_refuse(cli, "%s: %lld: there is no such key server",
		    number_name, (long long)number);
	else if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	return rc == OK;
}

/* ---- show ---- */

static void
status_text(struct cli *cli, unsigned number, char out[PROMPT_OCTETS])
{
	struct key_server_status status;

	key_server_status(cli_appliance(cli)->key_servers, number, &status);
	if (status.listens)
		(void)snprintf(
		    out, PROMPT_OCTETS, "listens on port %u", status.port);
	else if (status.why[0] != '\0')
		(void)snprintf(
		    out, PROMPT_OCTETS, "not open: %.120s", status.why);
	else
		(void)snprintf(out, PROMPT_OCTETS, "stopped");
}

static enum err
show_line(void *ctx, const struct key_server *server)
{
	char status[PROMPT_OCTETS];
	struct cli *cli = ctx;

	status_text(cli, server->number, status);
	cli_say(cli, "  %-3u  %-8s  %-15s  %-5s  %-7s  %s", server->number,
	    key_protocol_name(server->protocol),
	    key_server_shown(server, KEY_SERVER_IP),
	    key_server_shown(server, KEY_SERVER_PORT),
	    key_server_shown(server, KEY_SERVER_SSL), status);
	return OK;
}

/* req: ESKM-023 ESKM-088 ESKM-089 KS-31-006 KS-AA-050 KS-AA-051 */
static void
show_one(struct cli *cli, const struct key_server *server)
{
	const struct settings *settings = cli_appliance(cli)->settings;
	char status[PROMPT_OCTETS];
	enum key_server_field k;

	status_text(cli, server->number, status);
	cli_say(cli, "Cryptographic Key Server Properties");
	cli_say(cli, "  %s: %u", number_name, server->number);
	cli_say(cli, "  Protocol: %s", key_protocol_name(server->protocol));
	cli_say(cli, "  Status: %s", status);
	for (k = 0; k < KEY_SERVER_FIELD_COUNT; k++) {
		/* the guide has two sections of it */
		if (k == KEY_SERVER_PASSWORD) {
			cli_say(cli, "Authentication Settings");
			cli_say(cli, "  %s: %s",
			    setting_row(SETTING_USER_DIRECTORY)->name,
			    setting_shown(settings, SETTING_USER_DIRECTORY));
		}
		if (key_server_row(k)->has[server->protocol])
			cli_say(cli, "  %s: %s", key_server_row(k)->name,
			    key_server_shown(server, k));
	}
}

void
key_server_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_server server;
	int64_t number;
	enum err rc;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	if (arg_count == 1) {
		if (!take_number(cli, args, arg_count, &number) ||
		    !read_server(cli, number, &server))
			return;
		show_one(cli, &server);
		cli_done(cli);
		return;
	}
	cli_say(cli, "  %-3s  %-8s  %-15s  %-5s  %-7s  %s", "No.", "Protocol",
	    "IP", "Port", "Use SSL", "Status");
	rc = key_server_each(cli_appliance(cli)->store, show_line, cli);
	cli_end(cli, rc);
}

/* ---- a new one, an edited one ---- */

static enum err
apply(struct change *change)
{
	struct work *work = cli_state(change->ctx);

	return key_server_write(change, &work->server);
}

static enum err
tell_number(struct cli *cli, struct change *change)
{
	const struct work *work = cli_state(cli);

	(void)change;
	cli_say(cli, "%s: %u", number_name, work->server.number);
	return OK;
}

static void
write_server(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change.apply = apply;
	cli_change(cli, &work->change, tell_number, "");
}

/* In the dialogue. */
static enum err
take_field(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	if (line.octets == 0)
		return OK;
	return key_server_set(
	    &work->server, work->field[work->form.at], line, why);
}

static void
ask_all(struct cli *cli)
{
	struct work *work = cli_state(cli);
	enum key_server_field k;

	for (k = 0; k < KEY_SERVER_FIELD_COUNT; k++) {
		/* a copy: some compilers cannot see that they are apart */
		struct key_server_value now = work->server.field[k];
		size_t at = work->asks;

		if (!key_server_row(k)->has[work->server.protocol])
			continue;
		(void)snprintf(work->prompt[at], PROMPT_OCTETS,
		    "%s [%s]:", key_server_row(k)->name, now.text);
		work->ask[at] = (struct form_field){
		    CLI_VALUE, work->prompt[at], take_field};
		work->field[at] = k;
		work->asks++;
	}
	form_run(cli, &work->form, work->ask, work->asks, write_server);
}

/* WORD VALUE ...; false: the command has ended. */
static bool
take_words(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = cli_state(cli);
	char why[CHANGE_WHY_OCTETS] = "";
	enum key_server_field field;
	size_t k;
	enum err rc;

	for (k = 0; k < arg_count; k += 2) {
		const char *wrong = NULL;

		if (!key_server_field_find(
			work->server.protocol, args[k], &field))
			wrong = "is no field of such a key server";
		else if (k + 1 == arg_count)
			wrong = "it has no value";
		if (wrong != NULL) {
			cli_refuse(cli, "\"%.*s\": %s", (int)args[k].octets,
			    (const char *)args[k].at, wrong);
			return false;
		}
		rc = key_server_set(&work->server, field, args[k + 1], why);
		if (rc != OK) {
			cli_refuse(
			    cli, "%s", *why != '\0' ? why : err_text(rc));
			return false;
		}
	}
	return true;
}

/* The words behind the first, or a dialogue. */
static void
fill_in(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (arg_count == 1)
		ask_all(cli);
	else if (take_words(cli, args + 1, arg_count - 1))
		write_server(cli);
}

/* req: KS-03-001 */
void
key_server_create(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = cli_keep(cli, sizeof(*work), work_drop);
	enum key_protocol protocol;

	if (work == NULL)
		return;
	if (arg_count == 0 || !key_protocol_find(args[0], &protocol)) {
		cli_refuse(cli, "Protocol: nae-xml or kmip");
		return;
	}
	key_server_init(&work->server, protocol);
	fill_in(cli, args, arg_count);
}

void
key_server_edit(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = cli_keep(cli, sizeof(*work), work_drop);
	int64_t number;

	if (work == NULL || !take_number(cli, args, arg_count, &number) ||
	    !read_server(cli, number, &work->server))
		return;
	fill_in(cli, args, arg_count);
}

/* ---- and one that goes ---- */

static enum err
apply_delete(struct change *change)
{
	const struct work *work = cli_state(change->ctx);

	return key_server_delete(change, work->server.number);
}

void
key_server_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = cli_keep(cli, sizeof(*work), work_drop);
	int64_t number;

	if (work == NULL || !args_at_most(cli, args, arg_count, 1) ||
	    !take_number(cli, args, arg_count, &number) ||
	    !read_server(cli, number, &work->server))
		return;
	work->change.apply = apply_delete;
	cli_change(
	    cli, &work->change, NULL, "The key server has been deleted.");
}
