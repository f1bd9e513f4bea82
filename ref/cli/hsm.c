/*
 * The commands about the HSM card.
 *
 * Each is a chain of steps: what the card is asked over the session's own
 * connection (crypto/card_admin.h), where a person may have to attend to the
 * PED, and what the root of trust (device/root.h) does with the outcome.
 */
#include "cli/hsm.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "crypto/card_admin.h"
#include "device/program.h"
#include "device/root.h"

enum {
	PASSWORD_TRIES = 3,
	CLIENT_PATH_OCTETS = 120, /* of a socket */
	QUESTION_OCTETS = 120,
};

enum text {
#define TEXT(symbol, source, text) symbol,
#include "cli/hsm_text.def"
#undef TEXT
};

static const char *const texts[] = {
#define TEXT(symbol, source, text) [symbol] = (text),
#include "cli/hsm_text.def"
#undef TEXT
};

/* The next step; after the root of trust it hears how that went. */
typedef void step_fn(struct hsm_session *s);
typedef void heard_fn(struct hsm_session *s, enum err rc);

struct hsm_session {
	struct cli *cli;
	struct root *root;
	struct card_admin *admin;
	step_fn *step;   /* when the card has done it */
	heard_fn *heard; /* when the root of trust has */
	struct root_wait wait;
	struct secret *password; /* typed, and not tried yet */
	unsigned tries;
	struct program *client;    /* PedClient, while it runs */
	struct root_remote remote; /* as it is being typed */
};

/* ---- saying ---- */

static void
say(struct hsm_session *s, enum text text)
{
	cli_say(s->cli, "%s", texts[text]);
}

static void
say_value(struct hsm_session *s, enum text label, const char *value)
{
	cli_say(s->cli, "%s%s", texts[label], value);
}

/* What was tried at the HSM is written down, whatever became of it. */
static bool
is_written_down(struct hsm_session *s)
{
	return cli_command(s->cli)->act != ACT_HSM_LOOK;
}

static void
fail_with(struct hsm_session *s, struct bytes text)
{
	if (is_written_down(s))
		cli_audit(s->cli, "Failed: %s: %.*s",
		    cli_command(s->cli)->words, (int)text.octets,
		    (const char *)text.at);
	cli_fail(s->cli, "%.*s", (int)text.octets, (const char *)text.at);
}

static void
fail(struct hsm_session *s, enum text text)
{
	fail_with(s, bytes_of_text(texts[text]));
}

/* req: KS-02-040 */
static void
succeed(struct hsm_session *s)
{
	if (is_written_down(s))
		cli_audit(s->cli, "%s", cli_command(s->cli)->words);
	cli_done(s->cli);
}

/* Refusals of the card that the appliance has more to say about. */
static const struct {
	const char *name;
	enum text text;
} refusals[] = {
    {"CARD_INITIALIZED", INITIALIZED_ALREADY},
    {"CARD_NOT_INITIALIZED", NOT_INITIALIZED},
    {"CARD_NO_PARTITION", NO_PARTITION},
    {"CARD_NOT_LOGGED_IN", SO_NOT_LOGGED_IN},
};

static void
fail_as_card(struct hsm_session *s, const struct card_answer *answer)
{
	size_t k;

	if (answer->rc != ERR_DENIED) {
		fail(s, NO_ANSWER);
		return;
	}
	for (k = 0; k < sizeof(refusals) / sizeof(refusals[0]); k++) {
		if (bytes_equal_text(answer->name, refusals[k].name)) {
			fail(s, refusals[k].text);
			return;
		}
	}
	fail_with(s, answer->text);
}

/* ---- steps ---- */

/* What the card says is meant for tools that have no words of their own. */
static void
card_says(void *ctx, struct bytes text)
{
	(void)ctx;
	(void)text;
}

static void
card_done(void *ctx, const struct card_answer *answer)
{
	struct hsm_session *s = ctx;

	if (answer->rc == OK)
		s->step(s);
	else
		fail_as_card(s, answer);
}

/* Ask the card; a refusal ends the command, else it goes on with `step`. */
static void
ask_card(struct hsm_session *s, const char *command, const char *label,
    step_fn *step)
{
	const struct card_arg arg = {
	    "label", bytes_of_text(label != NULL ? label : "")};

	s->step = step;
	if (card_admin_ask(s->admin, command, &arg, label != NULL, card_says,
		card_done, s) != OK)
		fail(s, NO_ANSWER);
}

static void
root_done(struct root_wait *wait, enum err rc)
{
	struct hsm_session *s = wait->ctx;

	s->heard(s, rc);
}

static struct root_wait *
hear(struct hsm_session *s, heard_fn *heard)
{
	s->heard = heard;
	s->wait = (struct root_wait){.done = root_done, .ctx = s};
	return &s->wait;
}

static void
asked_again(struct hsm_session *s, enum err rc)
{
	(void)rc;
	succeed(s);
}

/* Done, once the appliance has seen what has become of the card. */
static void
succeed_seen(struct hsm_session *s)
{
	root_refresh(s->root, hear(s, asked_again));
}

/* ---- a session's life ---- */

void
hsm_session_free(struct hsm_session *s)
{
	if (s == NULL)
		return;
	root_unwait(s->root, &s->wait);
	card_admin_free(s->admin);
	program_leave(s->client);
	secret_free(s->password);
	mem_free(s);
}

static enum err
session_new(struct cli *cli, struct root *root, struct hsm_session **out)
{
	struct hsm_session *s = NULL;
	char *path = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(s));
	s->cli = cli;
	s->root = root;
	TRY(mem_printf(&path, "%s/admin.sock", root_config(root)->card));
	TRY(card_admin_new(root_config(root)->loop, path, &s->admin));
	*out = s;
	s = NULL;
out:
	mem_free(path);
	hsm_session_free(s);
	return rc;
}

/*
 * What this session has at the card, made with the first command; NULL, and the
 * command has failed, where there is none.
 *
 * req: KS-05-001 KS-05-106 KS-AB-003
 */
static struct hsm_session *
session_of(struct cli *cli)
{
	struct root *root = cli_appliance(cli)->root;
	struct hsm_session **s = cli_hsm(cli);

	if (root == NULL || root_config(root)->card == NULL) {
		cli_fail(cli, "%s", texts[NO_CARD]);
		return NULL;
	}
	if (*s == NULL && session_new(cli, root, s) != OK) {
		cli_fail(cli, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	(*s)->tries = 0;
	return *s;
}

/* A command, whose first step gets the session. */
#define HSM_COMMAND(name, first)                                           \
	void name(struct cli *cli, const struct bytes *args, size_t count) \
	{                                                                  \
		struct hsm_session *session = session_of(cli);             \
                                                                           \
		(void)args;                                                \
		(void)count;                                               \
		if (session != NULL)                                       \
			first(session);                                    \
	}

/* ---- status ---- */

static const char *
state_of(const struct root_status *status, enum err rc)
{
	if (!status->known)
		return "Not responding";
	if (status->tampered)
		return "Tampered";
	if (rc == ERR_HSM_OTHER)
		return "Initialized, with another key";
	return status->initialized ? "Initialized" : "Not initialized";
}

/* req: KS-05-118 KS-05-119 KS-05-120 KS-05-121 */
static void
show_status(struct hsm_session *s, enum err rc)
{
	const struct root_status *status = root_status(s->root);
	bool cache = keystore_cache(root_keystore(s->root));

	say_value(s, STATUS, state_of(status, rc));
	say_value(s, STATUS_LOGIN, rc == OK ? "yes" : "no");
	say_value(s, STATUS_CACHE, cache ? "Enabled" : "Disabled");
	succeed(s);
}

static void
status(struct hsm_session *s)
{
	root_refresh(s->root, hear(s, show_status));
}
HSM_COMMAND(hsm_show_status, status)

/* ---- the Security Officer's ---- */

static void
initialized(struct hsm_session *s)
{
	say(s, INITIALIZED);
	succeed_seen(s);
}

/* req: KS-01-100 KS-01-109 KS-05-005 */
static void
initialize(struct hsm_session *s)
{
	say(s, INITIALIZE_PED);
	ask_card(s, "initialize", root_config(s->root)->token, initialized);
}
HSM_COMMAND(hsm_initialize, initialize)

static void
so_logged_in(struct hsm_session *s)
{
	say(s, SO_LOGGED_IN);
	succeed(s);
}

/* req: KS-01-104 */
static void
so_login(struct hsm_session *s)
{
	say(s, SO_LOGIN_PED);
	ask_card(s, "so-login", NULL, so_logged_in);
}
HSM_COMMAND(hsm_login_so, so_login)

static void
so_logged_out(struct hsm_session *s)
{
	say(s, SO_LOGGED_OUT);
	succeed(s);
}

/* req: KS-05-158 */
static void
so_logout(struct hsm_session *s)
{
	ask_card(s, "so-logout", NULL, so_logged_out);
}
HSM_COMMAND(hsm_logout_so, so_logout)

/* ---- the Crypto User's password ---- */

static void password_ask(struct hsm_session *s);

/* A login that has come to nothing. */
static enum text
why_not(enum err rc)
{
	if (rc == ERR_HSM_OTHER)
		return OTHER_HSM;
	return rc == ERR_HSM_LOGGED_OUT ? LOGIN_REFUSED : NO_ANSWER;
}

static void
password_tried(struct hsm_session *s, enum err rc)
{
	switch ((int)rc) {
	case OK:
		say(s, LOGGED_IN);
		succeed(s);
		break;
	case ERR_HSM_LOGGED_OUT:
		say(s, PASSWORD_WRONG);
		password_ask(s);
		break;
	case ERR_HSM:
	case ERR_HSM_OTHER:
		fail(s, why_not(rc));
		break;
	default:
		fail(s, NOT_STORED);
		break;
	}
}

static void
password_try(struct hsm_session *s)
{
	struct secret *password = s->password;

	s->password = NULL;
	root_password(s->root, secret_peek(password), hear(s, password_tried));
	secret_free(password);
}

/* The card has to be activated, to say whether the password is right. */
static void
password_card_seen(struct hsm_session *s, enum err rc)
{
	(void)rc;
	if (!root_status(s->root)->known) {
		fail(s, NO_ANSWER);
	} else if (root_status(s->root)->activated) {
		password_try(s);
	} else {
		say(s, LOGIN_PED);
		ask_card(s, "activate", NULL, password_try);
	}
}

/* Four groups of four letters or digits: the card need not be asked more. */
static bool
is_password(struct bytes line)
{
	size_t k;

	if (line.octets != 19)
		return false;
	for (k = 0; k < line.octets; k++) {
		uint8_t c = line.at[k];
		bool letter = (c >= 'a' && c <= 'z') ||
			      (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (k % 5 == 4 ? c != '-' : !letter)
			return false;
	}
	return true;
}

static void
password_typed(struct cli *cli, struct bytes line)
{
	struct hsm_session *s = *cli_hsm(cli);

	if (!is_password(line)) {
		say(s, PASSWORD_WRONG);
		password_ask(s);
		return;
	}
	secret_free(s->password);
	s->password = NULL;
	if (secret_copy(line, &s->password) != OK)
		cli_fail(cli, "%s", err_text(ERR_NOMEM));
	else
		root_refresh(s->root, hear(s, password_card_seen));
}

/* req: KS-01-073 */
static void
password_ask(struct hsm_session *s)
{
	if (s->tries++ == PASSWORD_TRIES)
		fail(s, PASSWORD_REFUSED);
	else
		cli_ask(
		    s->cli, CLI_SECRET, texts[PASSWORD_ASK], password_typed);
}

static void
created(struct hsm_session *s)
{
	say(s, CREATED);
	password_ask(s);
}

/* req: KS-01-017 KS-01-102 KS-05-094 */
static void
create(struct hsm_session *s)
{
	say(s, CREATE_PED);
	ask_card(s, "create-partition", root_config(s->root)->token, created);
}
HSM_COMMAND(hsm_create_partition, create)

static void
password_reset(struct hsm_session *s)
{
	say(s, PASSWORD_RESET);
	password_ask(s);
}

/* req: KS-01-075 */
static void
set_password(struct hsm_session *s)
{
	say(s, PASSWORD_PED);
	ask_card(s, "reset-password", NULL, password_reset);
}
HSM_COMMAND(hsm_set_password, set_password)

/* ---- the Crypto User's login ---- */

static void
user_login_done(struct hsm_session *s, enum err rc)
{
	if (rc == OK) {
		say(s, LOGGED_IN);
		succeed(s);
	} else {
		fail(s, why_not(rc));
	}
}

static void
login(struct hsm_session *s)
{
	root_login(s->root, hear(s, user_login_done));
}

/* NULL: the Crypto User can log in; else what stands against it. */
static const enum text *
login_hindered(struct root *root)
{
	static const enum text why[] = {
	    NO_ANSWER, NOT_INITIALIZED, NO_PARTITION, NO_PASSWORD};
	const struct root_status *status = root_status(root);
	const bool is[] = {!status->known, !status->initialized,
	    !status->partition, !root_has_password(root)};
	size_t k;

	for (k = 0; k < sizeof(is) / sizeof(is[0]); k++) {
		if (is[k])
			return &why[k];
	}
	return NULL;
}

/*
 * A card that is activated, or has its activation in the battery, wants no
 * iKey; any other is activated first.
 *
 * req: KS-01-019 KS-01-020 KS-01-105 KS-05-093 KS-05-095 KS-05-098
 */
static void
login_seen(struct hsm_session *s, enum err rc)
{
	const struct root_status *status = root_status(s->root);
	const enum text *hindered = login_hindered(s->root);

	if (rc == OK) {
		say(s, LOGGED_IN_ALREADY);
		succeed(s);
	} else if (hindered != NULL) {
		fail(s, *hindered);
	} else if (status->activated || status->battery) {
		login(s);
	} else {
		say(s, LOGIN_PED);
		ask_card(s, "activate", NULL, login);
	}
}

static void
user_login_begin(struct hsm_session *s)
{
	root_refresh(s->root, hear(s, login_seen));
}
HSM_COMMAND(hsm_login_user, user_login_begin)

static void
logout_done(struct hsm_session *s, enum err rc)
{
	if (rc != OK) {
		fail(s, NOT_STORED);
		return;
	}
	say(s, LOGGED_OUT);
	succeed_seen(s);
}

/* The guide knows that the Crypto User is logged out explicitly, not how. */
static void
logout(struct hsm_session *s)
{
	root_logout(s->root, hear(s, logout_done));
}
HSM_COMMAND(hsm_logout_user, logout)

/* ---- activation ---- */

static void
activated_login_done(struct hsm_session *s, enum err rc)
{
	if (rc == OK)
		succeed(s);
	else
		fail(s, why_not(rc));
}

static void
activated(struct hsm_session *s)
{
	say(s, ACTIVATED);
	root_login(s->root, hear(s, activated_login_done));
}

/* req: KS-05-090 KS-05-093 KS-05-155 */
static void
activate(struct hsm_session *s)
{
	say(s, ACTIVATE_PED);
	ask_card(s, "activate", NULL, activated);
}
HSM_COMMAND(hsm_activate, activate)

static void
deactivated(struct hsm_session *s)
{
	say(s, DEACTIVATED);
	succeed_seen(s);
}

/* req: KS-05-088 KS-05-089 */
static void
deactivate(struct hsm_session *s)
{
	ask_card(s, "deactivate", NULL, deactivated);
}
HSM_COMMAND(hsm_deactivate, deactivate)

/* ---- the remote PED ---- */

/* What it prints is shown, line by line. */
static void
client_ended(void *ctx, bool passed, struct bytes prints)
{
	struct hsm_session *s = ctx;

	s->client = NULL;
	cli_say_lines(s->cli, prints);
	if (passed)
		s->step(s);
	else
		fail(s, CLIENT_FAILED);
}

/*
 * Run PedClient in a mode. It knows the card and its own socket as we do.
 */
static void
run_client(struct hsm_session *s, const char *mode, step_fn *step)
{
	const struct root_config *config = root_config(s->root);
	const struct root_remote *remote = root_remote(s->root);
	char card[CLIENT_PATH_OCTETS], ctl[CLIENT_PATH_OCTETS], port[12];
	const char *const argv[] = {config->ped_client, "-m", mode, "-card",
	    card, "-ctl", ctl, "-ip", remote->address, "-port", port, NULL};

	s->step = step;
	(void)snprintf(card, sizeof(card), "%s/ped.sock", config->card);
	(void)snprintf(ctl, sizeof(ctl), "%s/pedclient.sock", config->card);
	(void)snprintf(port, sizeof(port), "%u", remote->port);
	if (config->ped_client == NULL)
		fail(s, NO_CLIENT);
	else if (program_run(config->loop, argv, client_ended, s, &s->client) !=
		 OK)
		fail(s, CLIENT_FAILED);
}

static void
remote_initialized(struct hsm_session *s)
{
	run_client(s, "stop", succeed);
}

/* req: KS-01-106 KS-05-039 KS-05-052 */
static void
remote_init(struct hsm_session *s)
{
	say(s, REMOTE_INIT_PED);
	ask_card(s, "remote-init", NULL, remote_initialized);
}
HSM_COMMAND(hsm_remote_init, remote_init)

static void
remote_connected(struct hsm_session *s)
{
	say(s, REMOTE_CONNECTED);
	succeed(s);
}

static void
remote_client_runs(struct hsm_session *s)
{
	say(s, REMOTE_PED);
	ask_card(s, "remote-connect", NULL, remote_connected);
}

static void
remote_client_stopped(struct hsm_session *s)
{
	run_client(s, "start", remote_client_runs);
}

/* Whichever was there may be to another server. */
static void
remote_dial(struct hsm_session *s)
{
	root_set_remote(s->root, &s->remote);
	run_client(s, "stop", remote_client_stopped);
}

/* Ask for a value that has one already: nothing typed leaves it. */
static void
ask_with(struct hsm_session *s, enum text text, const char *present,
    cli_answer_fn *then)
{
	char question[QUESTION_OCTETS];

	(void)snprintf(
	    question, sizeof(question), "%s [%s]:", texts[text], present);
	cli_ask(s->cli, CLI_VALUE, question, then);
}

static bool
read_port(struct bytes line, unsigned *port)
{
	size_t k;

	*port = 0;
	for (k = 0; k < line.octets && k < 6; k++) {
		if (line.at[k] < '0' || line.at[k] > '9')
			return false;
		*port = *port * 10 + (unsigned)(line.at[k] - '0');
	}
	return *port >= 1 && *port <= UINT16_MAX;
}

static void
remote_port_typed(struct cli *cli, struct bytes line)
{
	struct hsm_session *s = *cli_hsm(cli);

	if (line.octets != 0 && !read_port(line, &s->remote.port))
		fail(s, NO_PORT);
	else
		remote_dial(s);
}

static void
remote_address_typed(struct cli *cli, struct bytes line)
{
	struct hsm_session *s = *cli_hsm(cli);
	struct in_addr address;
	char port[12];

	if (line.octets >= sizeof(s->remote.address)) {
		fail(s, NO_ADDRESS);
		return;
	}
	if (line.octets != 0) {
		memcpy(s->remote.address, line.at, line.octets);
		s->remote.address[line.octets] = '\0';
	}
	if (inet_pton(AF_INET, s->remote.address, &address) != 1) {
		fail(s, NO_ADDRESS);
		return;
	}
	(void)snprintf(port, sizeof(port), "%u", s->remote.port);
	ask_with(s, REMOTE_PORT, port, remote_port_typed);
}

/* req: KS-01-107 KS-05-087 */
static void
remote_connect(struct hsm_session *s)
{
	s->remote = *root_remote(s->root);
	ask_with(s, REMOTE_ADDRESS, s->remote.address, remote_address_typed);
}
HSM_COMMAND(hsm_remote_connect, remote_connect)

/* ---- the secure key cache ---- */

static void
cache_enabled(struct hsm_session *s, enum err rc)
{
	if (rc != OK) {
		fail(s, NOT_STORED);
		return;
	}
	say(s, CACHE_ENABLED);
	succeed_seen(s);
}

static void
cache_disabled(struct hsm_session *s, enum err rc)
{
	if (rc != OK) {
		fail(s, NOT_STORED);
		return;
	}
	say(s, CACHE_DISABLED);
	succeed(s);
}

/* req: KS-05-114 KS-05-122 KS-05-123 */
static void
cache_enable(struct hsm_session *s)
{
	struct keystore *ks = root_keystore(s->root);

	if (keystore_check(ks) != OK) {
		fail(s, NOT_LOGGED_IN);
	} else if (keystore_cache(ks)) {
		say(s, CACHE_ENABLED_ALREADY);
		succeed(s);
	} else {
		root_set_cache(s->root, true, hear(s, cache_enabled));
	}
}
HSM_COMMAND(hsm_enable_cache, cache_enable)

/* req: KS-05-114 KS-05-123 KS-05-126 */
static void
cache_disable(struct hsm_session *s)
{
	struct keystore *ks = root_keystore(s->root);

	if (keystore_check(ks) != OK) {
		fail(s, NOT_LOGGED_IN);
	} else if (!keystore_cache(ks)) {
		say(s, CACHE_DISABLED_ALREADY);
		succeed(s);
	} else {
		root_set_cache(s->root, false, hear(s, cache_disabled));
	}
}
HSM_COMMAND(hsm_disable_cache, cache_disable)
