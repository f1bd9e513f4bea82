/*
 * First-time initialization as a dialogue: at the serial console of an
 * appliance that has no administrator yet.
 */
#include "device/initialize.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cli/session.h"

enum { QUESTION_OCTETS = 256 };

struct setup {
	struct initialization *init;
	enum answer at;
	struct secret *password; /* typed once */
	bool hsm_asked;
	bool hsm; /* initialize it */
};

/*
 * What the HSM takes, once somebody has logged in to say so.
 *
 * req: KS-01-014 KS-01-109
 */
static const char *const hsm_steps[] = {"config", "hsm initialize",
    "hsm login security officer", "hsm create partition", "exit", NULL};

static void ask(struct cli *cli);

static void
drop(void *state)
{
	struct setup *setup = state;

	initialization_free(setup->init);
	secret_free(setup->password);
	mem_free(setup);
}

/* req: KS-02-042 */
static void
refuse(struct cli *cli, const char *why)
{
	cli_audit(cli, "Refused: first-time initialization: %s", why);
	cli_say(cli, "Error: %s", why);
}

/* ---- at its end ---- */

/* Of the answers only the password is judged so late. */
static void
carried_out(void *ctx, enum err rc, const char *why)
{
	struct cli *cli = ctx;
	struct setup *setup = cli_state(cli);

	if (rc == OK) {
		cli_say(cli, "The appliance is initialized; log in as %s.",
		    INITIALIZATION_ADMIN);
		cli->steps = setup->hsm ? hsm_steps : NULL;
		cli_drop(cli);
		enter_begin(cli);
	} else if (rc == ERR_FIELD) {
		refuse(cli, why);
		setup->at = ANSWER_PASSWORD;
		ask(cli);
	} else {
		refuse(cli, why);
		cli_leave(cli, true);
	}
}

/* ---- one answer ---- */

static void
take(struct cli *cli, struct bytes line)
{
	struct setup *setup = cli_state(cli);
	char why[CHANGE_WHY_OCTETS] = "";
	enum err rc = initialization_set(setup->init, setup->at, line, why);

	if (rc == OK)
		setup->at++;
	else
		refuse(cli, *why != '\0' ? why : err_text(rc));
	ask(cli);
}

static void
confirmed(struct cli *cli, struct bytes line)
{
	struct setup *setup = cli_state(cli);

	if (secret_equal_bytes(secret_peek(setup->password), line)) {
		take(cli, line);
		return;
	}
	refuse(cli, "the two passwords are not the same");
	ask(cli);
}

static void
password_typed(struct cli *cli, struct bytes line)
{
	struct setup *setup = cli_state(cli);

	secret_free(setup->password);
	setup->password = NULL;
	if (secret_copy(line, &setup->password) != OK)
		cli_leave(cli, true);
	else
		cli_ask(cli, CLI_SECRET, "Confirm Password:", confirmed);
}

/* Nothing typed: it stays as it is shown. */
static void
answered(struct cli *cli, struct bytes line)
{
	struct setup *setup = cli_state(cli);

	if (line.octets != 0) {
		take(cli, line);
		return;
	}
	setup->at++;
	ask(cli);
}

static void
hsm_answered(struct cli *cli, struct bytes line)
{
	static const struct entry_rule rule = {.type = ENTRY_YESNO};
	struct setup *setup = cli_state(cli);
	char value[ENTRY_OCTETS], why[ENTRY_WHY_OCTETS];
	int64_t number = 1;

	setup->hsm_asked =
	    line.octets == 0 || entry_read(&rule, line, value, &number) == OK;
	setup->hsm = number == 1;
	if (!setup->hsm_asked) {
		entry_refuse("Initialize the HSM", line, "yes or no", why);
		refuse(cli, why);
	}
	ask(cli);
}

/* Only a device with a card is asked. */
static void
ask_hsm(struct cli *cli)
{
	struct setup *setup = cli_state(cli);
	struct root *root = cli->appliance->root;

	if (!setup->hsm_asked && root != NULL &&
	    root_config(root)->card != NULL)
		cli_ask(
		    cli, CLI_VALUE, "Initialize the HSM [yes]:", hsm_answered);
	else
		initialization_run(setup->init, carried_out, cli);
}

static void
ask(struct cli *cli)
{
	struct setup *setup = cli_state(cli);
	char text[QUESTION_OCTETS];
	const char *shown;

	while (setup->at < ANSWER_COUNT && !answer_is_there(setup->at))
		setup->at++;
	if (setup->at == ANSWER_COUNT) {
		ask_hsm(cli);
		return;
	}
	shown = initialization_shown(setup->init, setup->at);
	(void)snprintf(text, sizeof(text), "%s%s%s%s:", answer_name(setup->at),
	    shown != NULL && *shown != '\0' ? " [" : "",
	    shown != NULL ? shown : "",
	    shown != NULL && *shown != '\0' ? "]" : "");
	if (setup->at == ANSWER_PASSWORD)
		cli_ask(cli, CLI_SECRET, text, password_typed);
	else
		cli_ask(cli, CLI_VALUE, text, answered);
}

void
setup_begin(struct cli *cli)
{
	struct setup *setup = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(setup));
	cli_hold(cli, setup, drop);
	TRY(initialization_new(cli->appliance, &setup->init));
	cli_say(cli, "First-time initialization: an empty answer keeps what is "
		     "in brackets.");
	ask(cli);
out:
	if (rc != OK)
		cli_leave(cli, true);
}
