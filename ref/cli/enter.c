/*
 * Who comes in at the serial console, and whose password has to be changed
 * before anything else is done.
 */
#include <string.h>

#include "base/secret.h"
#include "cli/session.h"

/* ---- a name and a password ---- */

static void
logged_in(struct login *login, enum login_verdict verdict)
{
	struct cli *cli = login->ctx;

	cli->logging_in = false;
	cli->entered(cli, verdict);
}

static void
password_typed(struct cli *cli, struct bytes line)
{
	enum err rc;

	/* kept for a change that may have to follow, which asks for it */
	secret_free(cli->current);
	cli->current = NULL;
	rc = secret_copy(line, &cli->current);
	cli->login = (struct login){
	    .door = cli->door,
	    .peer = cli->peer,
	    .name = bytes_of_text(cli->name),
	    .password = line,
	    .done = logged_in,
	    .ctx = cli,
	};
	cli->logging_in = true;
	if (rc == OK)
		rc = login_begin(cli->appliance, &cli->login);
	if (rc != OK) {
		cli->login.rc = rc;
		logged_in(&cli->login, LOGIN_FAILED);
	}
}

static void
name_typed(struct cli *cli, struct bytes line)
{
	size_t octets =
	    line.octets < NAME_TYPED_OCTETS ? line.octets : NAME_TYPED_OCTETS;

	memcpy(cli->name, line.at, octets);
	cli->name[octets] = '\0';
	cli_ask(cli, CLI_SECRET, "Password:", password_typed);
}

void
enter_ask(struct cli *cli, const char *name_text, enter_fn *then)
{
	cli->entered = then;
	cli_ask(cli, CLI_VALUE, name_text, name_typed);
}

/* ---- a password that has to be changed ---- */

static void ask_fresh(struct cli *cli);

static const char *
why_changed(enum admin_must must)
{
	switch (must) {
	case ADMIN_MUST_NOT:
		break;
	case ADMIN_MUST_FIRST:
		return "This is the first login: the password has to be "
		       "changed.";
	case ADMIN_MUST_RESET:
		return "The password was set by another administrator, and "
		       "has to be changed.";
	case ADMIN_MUST_EXPIRED:
		return "The password has expired, and has to be changed.";
	}
	return "";
}

static void
forget(struct cli *cli)
{
	secret_free(cli->current);
	secret_free(cli->fresh);
	cli->current = NULL;
	cli->fresh = NULL;
}

static enum err
write_password(struct change *change)
{
	struct cli *cli = change->ctx;

	return cli_write_password(change, cli->who.name, &cli->request.hash);
}

static void
password_written(struct change *change, enum err rc)
{
	struct cli *cli = change->ctx;

	cli->change = NULL;
	if (rc != OK) {
		cli_say(cli, "Error: %s",
		    change->why[0] != '\0' ? change->why : err_text(rc));
		cli_leave(cli, true);
		return;
	}
	cli_forget_account(cli, cli->who.name);
	cli_say(cli, "The password has been changed.");
	forget(cli);
	cli->must = ADMIN_MUST_NOT;
	cli_entered(cli);
}

static void
password_judged(struct new_password *request, enum err rc)
{
	struct cli *cli = request->ctx;

	cli->requesting = false;
	if (rc == OK) {
		cli->own = (struct change){
		    .by = cli->who,
		    .act = ACT_OWN_PASSWORD,
		    .apply = write_password,
		    .done = password_written,
		    .ctx = cli,
		};
		cli->change = &cli->own;
		change_run(cli->appliance, cli->change);
		return;
	}
	cli_say(cli, "Error: %s",
	    request->why[0] != '\0' ? request->why : err_text(rc));
	if (++cli->tries >= ENTER_TRIES)
		cli_leave(cli, true);
	else
		ask_fresh(cli);
}

static void
fresh_again(struct cli *cli, struct bytes line)
{
	enum err rc;

	if (!secret_equal_bytes(secret_peek(cli->fresh), line)) {
		cli_say(cli, "Error: the two are not the same");
		ask_fresh(cli);
		return;
	}
	cli->request = (struct new_password){
	    .user = cli->who.name,
	    .own = true,
	    .current = secret_peek(cli->current),
	    .password = line,
	    .door = cli->door,
	    .done = password_judged,
	    .ctx = cli,
	};
	cli->requesting = true;
	rc = new_password_begin(cli->appliance, &cli->request);
	if (rc != OK)
		password_judged(&cli->request, rc);
}

static void
fresh_typed(struct cli *cli, struct bytes line)
{
	secret_free(cli->fresh);
	cli->fresh = NULL;
	if (secret_copy(line, &cli->fresh) != OK) {
		cli_leave(cli, true);
		return;
	}
	cli_ask(cli, CLI_SECRET, "Confirm New Password:", fresh_again);
}

static void
ask_fresh(struct cli *cli)
{
	cli_ask(cli, CLI_SECRET, "New Password:", fresh_typed);
}

/* Who came by a door that has asked for the password is asked once more. */
static void
current_typed(struct cli *cli, struct bytes line)
{
	if (secret_copy(line, &cli->current) != OK) {
		cli_leave(cli, true);
		return;
	}
	ask_fresh(cli);
}

/* req: KS-15-050 KS-15-051 KS-15-058 KS-17-015 */
static void
somebody(struct cli *cli)
{
	if (cli->must == ADMIN_MUST_NOT) {
		forget(cli);
		cli_entered(cli);
		return;
	}
	cli_say(cli, "%s", why_changed(cli->must));
	cli->tries = 0;
	if (cli->current != NULL)
		ask_fresh(cli);
	else
		cli_ask(cli, CLI_SECRET, "Current Password:", current_typed);
}

/* ---- the serial console's login ---- */

static void
serial_entered(struct cli *cli, enum login_verdict verdict)
{
	switch (verdict) {
	case LOGIN_OK:
		cli_begins(cli, &cli->login.principal);
		cli->must = cli->login.must;
		somebody(cli);
		return;
	case LOGIN_WRONG:
		cli_say(cli, "Login incorrect.");
		break;
	case LOGIN_LOCKED: /* req: KS-15-016 */
		cli_say(cli, LOGIN_LOCKED_TEXT);
		break;
	case LOGIN_DOOR:
		cli_say(cli, "Access denied.");
		break;
	case LOGIN_FAILED:
		cli_say(cli, "Error: %s", err_text(cli->login.rc));
		break;
	}
	forget(cli);
	if (++cli->tries >= ENTER_TRIES)
		cli_leave(cli, true);
	else
		enter_ask(cli, "login:", serial_entered);
}

void
enter_begin(struct cli *cli)
{
	cli->busy = true;
	if (cli->door == DOOR_NONE)
		cli_entered(cli);
	else if (cli->who.name[0] != '\0')
		somebody(cli);
	else if (!appliance_is_initialized(cli->appliance))
		setup_begin(cli);
	else
		enter_ask(cli, "login:", serial_entered);
}

void
enter_leave(struct cli *cli)
{
	if (cli->logging_in)
		login_leave(&cli->login);
	if (cli->requesting)
		new_password_leave(&cli->request);
	forget(cli);
}
