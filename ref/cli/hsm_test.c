/*
 * The commands about the HSM, with a SoftHSM token as the partition, and a card
 * whose administration says what the test has it say.
 */
#include "cli/console.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rig_test.h"
#include "crypto/softhsm_test.h"
#include "device/root.h"

#define CARD_LABEL "card"
#define PASSWORD   "MxCT-c7F9-HHX5-YtH3"

enum { SESSIONS = 8, PATIENCE_S = 30 };

static struct rig rig;
static struct softhsm soft;
static char dir[300];
static struct store *store;
static struct loop_task commit;
static struct root *root;
static struct appliance appliance;
static struct console *console;

/* ---- the card ---- */

struct card_flags {
	bool initialized, partition, activated, battery, tampered, locked;
};

/* What it says next time to this command; then it is as the flags have it. */
struct play {
	const char *wants;  /* the whole line, or its beginning */
	const char *answer; /* NULL: none */
	struct card_flags flags;
};

static struct {
	int fd;
	struct loop_fd *watch;
	struct {
		int fd;
		struct loop_fd *watch;
	} peers[SESSIONS];
	struct card_flags flags;
	const struct play *play;
	unsigned asked; /* other than for its status */
	bool silent;
	bool heard_end; /* a session was closed */
} card;

static void
card_answers(int fd, const char *answer)
{
	assert_int_equal(send(fd, answer, strlen(answer), MSG_NOSIGNAL),
	    (ssize_t)strlen(answer));
}

static const char *
yes(bool flag)
{
	return flag ? "yes" : "no";
}

static void
card_line(int fd, const char *line)
{
	char answer[400];

	if (card.silent)
		return;
	if (strcmp(line, "status") == 0) {
		(void)snprintf(answer, sizeof(answer),
		    "ok initialized=%s partition=%s activated=%s "
		    "auto-activation=%s tampered=%s user-locked=%s\n",
		    yes(card.flags.initialized), yes(card.flags.partition),
		    yes(card.flags.activated), yes(card.flags.battery),
		    yes(card.flags.tampered), yes(card.flags.locked));
		card_answers(fd, answer);
		return;
	}
	card.asked++;
	if (card.play == NULL)
		fail_msg("the card is asked: %s", line);
	assert_string_equal(line, card.play->wants);
	card.flags = card.play->flags;
	if (card.play->answer != NULL)
		card_answers(fd, card.play->answer);
	card.play = NULL;
}

static void
card_peer(void *ctx, unsigned ready)
{
	size_t k = (size_t)(uintptr_t)ctx;
	char line[500];
	ssize_t got =
	    recv(card.peers[k].fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	(void)ready;
	if (got <= 0) {
		card.heard_end = true;
		loop_fd_free(card.peers[k].watch);
		close(card.peers[k].fd);
		card.peers[k].fd = -1;
		return;
	}
	assert_int_equal(line[got - 1], '\n');
	line[got - 1] = '\0';
	card_line(card.peers[k].fd, line);
}

static void
card_comes(void *ctx, unsigned ready)
{
	size_t k = 0;

	(void)ctx;
	(void)ready;
	while (card.peers[k].fd >= 0)
		k++;
	assert_true(k < SESSIONS);
	card.peers[k].fd = accept(card.fd, NULL, NULL);
	assert_int_equal(
	    loop_fd_new(rig.loop, card.peers[k].fd, LOOP_READ, card_peer,
		(void *)(uintptr_t)k, &card.peers[k].watch),
	    OK);
}

static void
card_open(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t k;

	memset(&card, 0, sizeof(card));
	for (k = 0; k < SESSIONS; k++)
		card.peers[k].fd = -1;
	(void)snprintf(
	    at.sun_path, sizeof(at.sun_path), "%.80s/admin.sock", dir);
	card.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(card.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(card.fd, SESSIONS), 0);
	assert_int_equal(loop_fd_new(rig.loop, card.fd, LOOP_READ, card_comes,
			     NULL, &card.watch),
	    OK);
}

static void
card_close(void)
{
	size_t k;

	for (k = 0; k < SESSIONS; k++) {
		if (card.peers[k].fd < 0)
			continue;
		loop_fd_free(card.peers[k].watch);
		close(card.peers[k].fd);
	}
	loop_fd_free(card.watch);
	close(card.fd);
}

/* ---- PedClient: it says what it was told ---- */

static char client_path[400];

static void
client_make(int status)
{
	FILE *f;

	(void)snprintf(client_path, sizeof(client_path), "%s/client", dir);
	f = fopen(client_path, "w");
	assert_non_null(f);
	fprintf(
	    f, "#!/bin/sh\necho \"$1 $2 $7 $8 $9 ${10}\"\nexit %d\n", status);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(client_path, 0700), 0);
}

/* ---- the appliance ---- */

/*
 * Go on, until something of the loop's has happened. Work that had no memory is
 * left to a timer: then time goes there, which stands still otherwise.
 */
static void
go_on(void)
{
#ifdef TORTURE
	int64_t due_ms;

	assert_int_equal(rig_turns(&rig, 1), OK);
	if (mem_torture_hit() && loop_jobs(rig.loop) == 0 &&
	    loop_next_due(rig.loop, &due_ms) && due_ms > loop_now_ms(rig.loop))
		rig_move_to(&rig, due_ms);
#else
	assert_int_equal(loop_run(rig.loop), OK);
#endif
}

static bool is_ready;

static void
ready(void *ctx)
{
	(void)ctx;
	is_ready = true;
	loop_stop(rig.loop);
}

static void
end_of_turn(void *ctx)
{
	(void)ctx;
	assert_int_equal(store_commit(store), OK);
}

static void
boot(void)
{
	struct root_config rc = {
	    .dir = dir,
	    .env = rig.env,
	    .loop = rig.loop,
	    .store = store,
	    .module = MODULE_PATH,
	    .token = CARD_LABEL,
	    .kek = KEK_LABEL,
	    .card = dir,
	    .ped_client = client_path,
	    .ready = ready,
	};
	char path[400];

	is_ready = false;
	assert_int_equal(root_new(&rc, &root), OK);
	while (!is_ready)
		go_on();
	appliance = (struct appliance){.env = rig.env,
	    .loop = rig.loop,
	    .store = store,
	    .root = root,
	    .password_iterations = 1};
	assert_int_equal(
	    loop_pool_new(rig.loop, "passwords", 1, &appliance.passwords), OK);
	assert_int_equal(appliance_open(&appliance), OK);
	(void)snprintf(path, sizeof(path), "%s/console.sock", dir);
	assert_int_equal(
	    console_new(path, &appliance, DOOR_NONE, &console), OK);
}

static void
stop(void)
{
	console_free(console);
	console = NULL;
	while (loop_jobs(rig.loop) != 0)
		assert_int_equal(rig_turns(&rig, 1), OK);
	appliance_close(&appliance);
	root_free(root);
	root = NULL;
}

static int
set_up(void **state)
{
	const struct store_options options = {.lab = false};
	struct secret *so_pin, *pin;

	(void)state;
	(void)alarm(PATIENCE_S);
	softhsm_make(&soft);
	/* a second token, whose PIN is what a card's password looks like */
	assert_int_equal(secret_copy(bytes_of_text("0123456789"), &so_pin), OK);
	assert_int_equal(secret_copy(bytes_of_text(PASSWORD), &pin), OK);
	assert_int_equal(
	    hsm_token_init(MODULE_PATH, CARD_LABEL, so_pin, pin), OK);
	secret_free(so_pin);
	secret_free(pin);

	assert_int_equal(rig_init(&rig), OK);
	env_set_random(rig.env, random_drbg, NULL);
	(void)snprintf(dir, sizeof(dir), "%s/appliance", soft.dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(store_open(dir, rig.env, &options, &store), OK);
	commit = (struct loop_task){.fn = end_of_turn};
	loop_each_turn(rig.loop, &commit);
	card_open();
	client_make(0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (root != NULL)
		stop();
	card_close();
	loop_task_cancel(&commit);
	store_close(store);
	rig_clear(&rig);
	softhsm_clear(&soft);
	(void)alarm(0);
	return 0;
}

/* ---- somebody at the console ---- */

static struct {
	int fd;
	struct loop_fd *watch;
	char heard[8192];
	size_t octets;
} person;

static void
person_hears(void *ctx, unsigned ready)
{
	ssize_t got;

	(void)ctx;
	(void)ready;
	got = recv(person.fd, person.heard + person.octets,
	    sizeof(person.heard) - person.octets - 1, MSG_DONTWAIT);
	assert_true(got > 0);
	person.octets += (size_t)got;
	person.heard[person.octets] = '\0';
	loop_stop(rig.loop);
}

static void
sits_down(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)snprintf(
	    at.sun_path, sizeof(at.sun_path), "%.80s/console.sock", dir);
	person.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(person.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(loop_fd_new(rig.loop, person.fd, LOOP_READ,
			     person_hears, NULL, &person.watch),
	    OK);
	person.octets = 0;
	while (strchr(person.heard, '>') == NULL || person.octets == 0)
		go_on();
}

static void
leaves(void)
{
	loop_fd_free(person.watch);
	close(person.fd);
	person.octets = 0;
	person.heard[0] = '\0';
}

/* Type a line, and hear all up to where the next one is waited for. */
static const char *
types(const char *line)
{
	static char heard[8192];
	char *mark;

	person.octets = 0;
	person.heard[0] = '\0';
	assert_int_equal(send(person.fd, line, strlen(line), MSG_NOSIGNAL),
	    (ssize_t)strlen(line));
	assert_int_equal(send(person.fd, "\n", 1, MSG_NOSIGNAL), 1);
	for (;;) {
		/* the last line: a prompt, or a question */
		mark = strrchr(person.heard, '\n');
		while (mark != NULL && mark != person.heard && mark[-1] != '\n')
			mark--;
		if (person.octets > 1 &&
		    person.heard[person.octets - 1] == '\n' &&
		    strchr(">?*", *mark) != NULL)
			break;
		go_on();
	}
	memcpy(heard, person.heard, person.octets + 1);
	return heard;
}

static enum err
audit_line(void *ctx, struct bytes line)
{
	char *last = ctx;

	(void)snprintf(
	    last, 200, "%.*s", (int)line.octets, (const char *)line.at);
	return OK;
}

/* The last line of the audit log, behind the time. */
static const char *
audited(void)
{
	static char last[200];

	last[0] = '\0';
	assert_int_equal(audit_last(store, 1, audit_line, last), OK);
	return strlen(last) > 20 ? last + 20 : last;
}

#define PROMPT ">touchstone (config)# \n"

static void
plays(const struct play *play)
{
	card.play = play;
}

static const struct card_flags fresh = {.initialized = false};
static const struct card_flags initialized = {.initialized = true};
static const struct card_flags deactivated = {
    .initialized = true, .partition = true};
static const struct card_flags active = {
    .initialized = true, .partition = true, .activated = true};
static const struct card_flags battery = {
    .initialized = true, .partition = true, .battery = true};

static enum keystore_state
keys(void)
{
	return keystore_state(root_keystore(root));
}

/* An appliance whose Crypto User is logged in, its password kept. */
static void
imprint(void)
{
	const struct play create = {
	    "create-partition label=card", "ok\n", active};

	card.flags = initialized;
	boot();
	sits_down();
	(void)types("config");
	plays(&create);
	(void)types("hsm create partition");
	assert_string_equal(types(PASSWORD),
	    "=Crypto user successful logged into the HSM\n.0\n" PROMPT);
	assert_int_equal(keys(), KEYSTORE_READY);
}

/* ---- the tests ---- */

/* req: KS-01-100 KS-05-005 KS-05-118 KS-05-119 */
static void
the_hsm_is_initialized_and_the_status_says_so(void **state)
{
	const struct play play = {
	    "initialize label=card", "say x\nok\n", initialized};
	const struct play twin = {"initialize label=card",
	    "error CARD_INITIALIZED the HSM is initialized already\n",
	    initialized};

	(void)state;
	card.flags = fresh;
	boot();
	sits_down();
	assert_string_equal(types("show hsm status"),
	    "=HSM Status:    Not initialized\n"
	    "=Crypto-user logged in: no\n"
	    "=HSM secure-key-cache: Disabled\n.0\n>touchstone# \n");
	(void)types("config");
	plays(&play);
	assert_string_equal(types("hsm initialize"),
	    "=Luna PED operation required to initialize HSM - use Security "
	    "Officer (blue) and Domain (red) PED keys.\n"
	    "=HSM successful initialized\n.0\n" PROMPT);
	assert_string_equal(types("show hsm status"),
	    "=HSM Status:    Initialized\n"
	    "=Crypto-user logged in: no\n"
	    "=HSM secure-key-cache: Disabled\n.0\n" PROMPT);
	plays(&twin);
	assert_non_null(strstr(types("hsm initialize"),
	    "=Error: the HSM is initialized already; restore the factory "
	    "settings first\n.1\n"));
	leaves();
}

/* req: KS-01-073 KS-01-102 KS-05-094 */
static void
a_partition_wants_the_password_that_the_ped_shows(void **state)
{
	const struct play create = {
	    "create-partition label=card", "ok\n", deactivated};
	const struct play activate = {"activate", "ok\n", active};

	(void)state;
	card.flags = initialized;
	boot();
	sits_down();
	(void)types("config");
	plays(&create);
	assert_string_equal(types("hsm create partition"),
	    "=Luna PED operation required to create a partition - use User "
	    "or Partition Owner (black) and Domain (red) PED keys.\n"
	    "='partition create' successful.\n"
	    "*Enter the crypto user password that the PED displays:\n");
	/* no password at all: the card is not asked */
	assert_string_equal(types("MxCT-c7F9-HHX5-YtH"),
	    "=This is not the crypto user password.\n"
	    "*Enter the crypto user password that the PED displays:\n");
	/* one of another letter: the card says no */
	plays(&activate);
	assert_string_equal(types("MxCT-c7F9-HHX5-YtH4"),
	    "=Luna PED operation required for crypto user login on HSM - use "
	    "User or Partition Owner (black) PED key.\n"
	    "=This is not the crypto user password.\n"
	    "*Enter the crypto user password that the PED displays:\n");
	assert_false(root_has_password(root));
	assert_string_equal(types(PASSWORD),
	    "=Crypto user successful logged into the HSM\n.0\n" PROMPT);
	assert_true(root_has_password(root));
	assert_int_equal(keys(), KEYSTORE_READY);
	leaves();
}

/* req: KS-01-073 */
static void
after_three_wrong_passwords_the_command_has_failed(void **state)
{
	const struct play create = {
	    "create-partition label=card", "ok\n", active};

	(void)state;
	card.flags = initialized;
	boot();
	sits_down();
	(void)types("config");
	plays(&create);
	(void)types("hsm create partition");
	(void)types("AAAA-AAAA-AAAA-AAAA");
	(void)types("AAAA-AAAA-AAAA-AAAB");
	assert_string_equal(types("AAAA-AAAA-AAAA-AAAC"),
	    "=This is not the crypto user password.\n"
	    "=Error: the crypto user password was not entered; set it with "
	    "hsm set password\n.1\n" PROMPT);
	assert_false(root_has_password(root));
	assert_int_equal(keys(), KEYSTORE_LOGGED_OUT);
	leaves();
}

/* req: KS-01-074 */
static void
the_password_is_kept_over_a_restart_and_not_in_the_clear(void **state)
{
	struct buf kept;

	(void)state;
	imprint();
	leaves();
	stop();
	buf_init(&kept, 1000);
	assert_int_equal(store_meta_get(store, "hsm.password", &kept), OK);
	assert_null(memmem(kept.at, kept.octets, "MxCT", 4));
	buf_clear(&kept);
	boot();
	assert_int_equal(rig_turns(&rig, 2), OK);
	assert_int_equal(keys(), KEYSTORE_READY);
}

/* req: KS-01-020 KS-01-105 KS-05-009 KS-05-018 KS-05-097 KS-05-098 */
static void
a_restart_logs_in_by_itself_only_where_the_card_is_active(void **state)
{
	const struct play activate = {"activate", "ok\n", active};

	(void)state;
	imprint();
	leaves();
	stop();
	/* within the two hours, but it was not active before: nobody asked */
	card.flags = battery;
	card.asked = 0;
	boot();
	assert_int_equal(keys(), KEYSTORE_LOGGED_OUT);
	sits_down();
	assert_string_equal(types("hsm login crypto user"),
	    "=Error: a command of configuration mode; enter it with config\n"
	    ".1\n>touchstone# \n");
	(void)types("config");
	assert_string_equal(types("hsm login crypto user"),
	    "=Crypto user successful logged into the HSM\n.0\n" PROMPT);
	assert_int_equal(card.asked, 0); /* no PED */
	leaves();
	stop();
	/* after them: the black iKey */
	card.flags = deactivated;
	boot();
	assert_int_equal(keys(), KEYSTORE_LOGGED_OUT);
	sits_down();
	(void)types("config");
	plays(&activate);
	assert_string_equal(types("hsm login crypto user"),
	    "=Luna PED operation required for crypto user login on HSM - use "
	    "User or Partition Owner (black) PED key.\n"
	    "=Crypto user successful logged into the HSM\n.0\n" PROMPT);
	assert_int_equal(card.asked, 1);
	assert_string_equal(types("hsm login crypto user"),
	    "=Crypto user is already logged into the HSM\n.0\n" PROMPT);
	leaves();
}

static void
what_stands_against_a_login_is_told(void **state)
{
	static const struct {
		struct card_flags flags;
		const char *text;
	} cases[] = {
	    {{.initialized = false},
		"the HSM is not initialized; initialize it with hsm "
		"initialize"},
	    {{.initialized = true},
		"the HSM has no partition; make it with hsm create "
		"partition"},
	    {{.initialized = true, .partition = true},
		"no crypto user password is known; set it with hsm set "
		"password"},
	};
	char want[300];
	size_t k;

	(void)state;
	boot();
	sits_down();
	(void)types("config");
	for (k = 0; k < LENGTH(cases); k++) {
		card.flags = cases[k].flags;
		(void)snprintf(want, sizeof(want), "=Error: %s\n.1\n" PROMPT,
		    cases[k].text);
		assert_string_equal(types("hsm login crypto user"), want);
	}
	leaves();
}

static void
a_ped_that_nobody_attends_to_fails_the_login(void **state)
{
	const struct play activate = {"activate",
	    "error CARD_PED_TIMEOUT nobody attended to the PED in time\n",
	    deactivated};

	(void)state;
	imprint();
	leaves();
	stop();
	card.flags = deactivated;
	boot();
	sits_down();
	(void)types("config");
	plays(&activate);
	assert_non_null(strstr(types("hsm login crypto user"),
	    "=Error: nobody attended to the PED in time\n.1\n"));
	assert_int_equal(keys(), KEYSTORE_LOGGED_OUT);
	leaves();
}

/* req: KS-01-065 */
static void
a_logout_lasts_until_the_next_login_restarts_included(void **state)
{
	(void)state;
	imprint();
	assert_string_equal(types("hsm logout crypto user"),
	    "=Crypto user logged out of the HSM\n.0\n" PROMPT);
	assert_int_equal(keys(), KEYSTORE_LOGGED_OUT);
	assert_non_null(
	    strstr(types("show hsm status"), "=Crypto-user logged in: no\n"));
	leaves();
	stop();
	boot();
	assert_int_equal(keys(), KEYSTORE_LOGGED_OUT);
	sits_down();
	(void)types("config");
	(void)types("hsm login crypto user");
	assert_int_equal(keys(), KEYSTORE_READY);
	leaves();
	stop();
	boot();
	assert_int_equal(rig_turns(&rig, 2), OK);
	assert_int_equal(keys(), KEYSTORE_READY);
}

/* req: KS-05-088 KS-05-089 KS-05-090 KS-05-091 KS-05-155 */
static void
deactivation_and_activation_say_what_the_guide_has(void **state)
{
	const struct play off = {"deactivate", "ok\n", battery};
	const struct play on = {"activate", "ok\n", active};
	const struct play no = {"deactivate",
	    "error CARD_NO_PARTITION there is no such partition\n",
	    initialized};

	(void)state;
	imprint();
	plays(&off);
	assert_string_equal(types("hsm deactivate"),
	    "='partition deactivate' successful.\n.0\n" PROMPT);
	plays(&on);
	assert_string_equal(types("hsm activate"),
	    "=Luna PED operation required to activate partition on HSM - use "
	    "User or Partition Owner (black) PED key.\n"
	    "='partition activate' successful.\n.0\n" PROMPT);
	plays(&no);
	assert_string_equal(types("hsm deactivate"),
	    "=Error: the HSM has no partition; make it with hsm create "
	    "partition\n.1\n" PROMPT);
	leaves();
}

/* req: KS-01-104 KS-05-037 KS-05-158 */
static void
a_security_officer_belongs_to_the_session(void **state)
{
	const struct play login = {"so-login", "ok\n", initialized};
	const struct play logout = {"so-logout", "ok\n", initialized};
	const struct play no = {"remote-init",
	    "error CARD_NOT_LOGGED_IN the role is not logged in\n",
	    initialized};

	(void)state;
	card.flags = initialized;
	boot();
	sits_down();
	(void)types("config");
	plays(&no);
	assert_non_null(strstr(types("hsm remote ped init"),
	    "=Error: the security officer must be logged in; log in with hsm "
	    "login security officer\n.1\n"));
	plays(&login);
	assert_string_equal(types("hsm login security officer"),
	    "=Luna PED operation required for security officer login on HSM "
	    "- use Security Officer (blue) PED key.\n"
	    "=Security officer successful logged into the HSM\n"
	    ".0\n" PROMPT);
	plays(&logout);
	assert_string_equal(types("hsm logout security officer"),
	    "=Security officer logged out of the HSM\n.0\n" PROMPT);
	/* who leaves takes the login with him: the card sees the end */
	card.heard_end = false;
	leaves();
	while (!card.heard_end)
		assert_int_equal(rig_turns(&rig, 1), OK);
}

/* req: KS-01-106 KS-05-039 */
static void
the_remote_ped_is_imprinted(void **state)
{
	const struct play init = {"remote-init", "ok\n", initialized};

	(void)state;
	card.flags = initialized;
	boot();
	sits_down();
	(void)types("config");
	plays(&init);
	assert_string_equal(types("hsm remote ped init"),
	    "=Luna PED operation required to initialize remote PED key "
	    "vector - use orange PED key(s).\n"
	    "=-m stop -ip 127.0.0.1 -port 1503\n.0\n" PROMPT);
	client_make(1);
	plays(&init);
	assert_non_null(strstr(types("hsm remote ped init"),
	    "=-m stop -ip 127.0.0.1 -port 1503\n"
	    "=Error: the Ped Client failed\n.1\n"));
	leaves();
}

/* req: KS-01-107 */
static void
the_remote_ped_is_connected_where_it_was_said_to_be(void **state)
{
	const struct play on = {"remote-connect", "ok\n", initialized};
	const struct play no = {"remote-connect",
	    "error CARD_PED_CLIENT the remote PED does not answer\n",
	    initialized};

	(void)state;
	card.flags = initialized;
	boot();
	sits_down();
	(void)types("config");
	assert_string_equal(
	    types("hsm remote ped connect"), "?Remote PED IP [127.0.0.1]:\n");
	assert_string_equal(
	    types("172.17.66.233"), "?Remote PED Port [1503]:\n");
	plays(&on);
	assert_string_equal(types("1504"),
	    "=-m stop -ip 172.17.66.233 -port 1504\n"
	    "=-m start -ip 172.17.66.233 -port 1504\n"
	    "=Luna PED operation required to connect to the remote PED - use "
	    "orange PED key(s).\n"
	    "=Remote PED connected.\n.0\n" PROMPT);
	/* what was said is kept */
	leaves();
	stop();
	boot();
	sits_down();
	(void)types("config");
	assert_string_equal(types("hsm remote ped connect"),
	    "?Remote PED IP [172.17.66.233]:\n");
	assert_string_equal(types(""), "?Remote PED Port [1504]:\n");
	plays(&no);
	assert_non_null(
	    strstr(types(""), "=Error: the remote PED does not answer\n.1\n"));
	leaves();
}

static void
what_is_no_address_and_no_port_is_refused(void **state)
{
	static const char *const addresses[] = {"127.0.0", "localhost",
	    "1.2.3.4.5", "::1", "256.0.0.1",
	    "127.0.0.100000000000000000000000000000000000000"};
	static const char *const ports[] = {
	    "0", "65536", "-1", "15x", "9999999999999"};
	size_t k;

	(void)state;
	card.flags = initialized;
	boot();
	sits_down();
	(void)types("config");
	for (k = 0; k < LENGTH(addresses); k++) {
		(void)types("hsm remote ped connect");
		assert_string_equal(types(addresses[k]),
		    "=Error: this is not an IP address\n.1\n" PROMPT);
	}
	for (k = 0; k < LENGTH(ports); k++) {
		(void)types("hsm remote ped connect");
		(void)types("10.0.0.1");
		assert_string_equal(types(ports[k]),
		    "=Error: a port is a number from 1 to 65535\n"
		    ".1\n" PROMPT);
	}
	assert_string_equal(
	    types("hsm remote ped connect"), "?Remote PED IP [127.0.0.1]:\n");
	leaves();
}

/*
 * req: KS-05-104 KS-05-114 KS-05-116 KS-05-120 KS-05-121 KS-05-122 KS-05-123
 * req: KS-05-124 KS-05-125 KS-05-126 KS-05-127 KS-05-128
 */
static void
the_cache_is_switched_while_the_crypto_user_is_logged_in(void **state)
{
	static const char refused[] =
	    "=Error: the crypto user must be logged in; log in with hsm login "
	    "crypto user\n.1\n" PROMPT;

	(void)state;
	imprint();
	assert_true(keystore_lends(root_keystore(root)));
	assert_string_equal(types("hsm disable secure-key-cache"),
	    "=HSM secure-key-cache is already disabled.\n.0\n" PROMPT);
	assert_string_equal(types("hsm enable secure-key-cache"),
	    "=Successfully enabled HSM secure-key-cache.\n.0\n" PROMPT);
	assert_false(keystore_lends(root_keystore(root)));
	assert_string_equal(types("hsm enable secure-key-cache"),
	    "=HSM secure-key-cache is already enabled.\n.0\n" PROMPT);
	assert_non_null(strstr(types("show hsm status"),
	    "=Crypto-user logged in: yes\n"
	    "=HSM secure-key-cache: Enabled\n"));
	/* at the plain prompt, as the guide shows it */
	(void)types("exit");
	assert_string_equal(types("hsm disable secure-key-cache"),
	    "=Successfully disabled HSM secure-key-cache.\n.0\n>touchstone# "
	    "\n");
	/* what was done there is written down. req: KS-02-040 */
	assert_string_equal(
	    audited(), "[system]: hsm disable secure-key-cache");
	assert_true(keystore_lends(root_keystore(root)));
	(void)types("config");
	(void)types("hsm enable secure-key-cache");
	(void)types("hsm logout crypto user");
	assert_string_equal(types("hsm disable secure-key-cache"), refused);
	assert_string_equal(types("hsm enable secure-key-cache"), refused);
	assert_true(keystore_cache(root_keystore(root)));
	leaves();
	/* it outlives a restart, being a setting */
	stop();
	boot();
	assert_true(keystore_cache(root_keystore(root)));
}

/* req: KS-01-075 */
static void
a_new_password_takes_the_place_of_the_old_one(void **state)
{
	const struct play reset = {"reset-password", "ok\n", active};

	(void)state;
	imprint();
	plays(&reset);
	assert_string_equal(types("hsm set password"),
	    "=Luna PED operation required to reset the crypto user password "
	    "- use User or Partition Owner (black) PED key.\n"
	    "='partition resetPw' successful.\n"
	    "*Enter the crypto user password that the PED displays:\n");
	/* a wrong one is found out, though somebody is logged in, and leaves
	 * what was kept */
	assert_non_null(strstr(types("AAAA-AAAA-AAAA-AAAA"),
	    "=This is not the crypto user password.\n"));
	assert_int_equal(keys(), KEYSTORE_LOGGED_OUT);
	assert_true(root_has_password(root));
	assert_string_equal(types(PASSWORD),
	    "=Crypto user successful logged into the HSM\n.0\n" PROMPT);
	leaves();
}

/* Time stands still until the test moves it: nobody else has to. */
static void
a_card_that_hangs_stops_no_console(void **state)
{
	int k;

	(void)state;
	imprint();
	leaves();
	card.silent = true;
	for (k = 1; k <= 8; k++) {
		rig_move_to(&rig, k * 1000);
		assert_int_equal(rig_turns(&rig, 4), OK);
	}
	assert_int_equal(keys(), KEYSTORE_UNREACHABLE);
	sits_down();
	rig_move_to(&rig, 9000);
	(void)types("config"); /* it answers */
	leaves();
	card.silent = false;
	while (keys() != KEYSTORE_READY) {
		rig_move_to(&rig, ++k * 1000);
		assert_int_equal(rig_turns(&rig, 4), OK);
	}
}

static void
without_a_card_the_commands_are_refused(void **state)
{
	const struct command *row;
	size_t k;

	(void)state;
	card.flags = active;
	boot();
	appliance.root = NULL;
	sits_down();
	(void)types("config");
	for (k = 0; (row = command_row(k)) != NULL; k++) {
		if (strncmp(row->words, "hsm ", 4) == 0 ||
		    strcmp(row->words, "show hsm status") == 0)
			assert_string_equal(types(row->words),
			    "=Error: this appliance has no HSM card\n"
			    ".1\n" PROMPT);
	}
	leaves();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_partition_wants_the_password_that_the_ped_shows),
	    TEST(the_remote_ped_is_connected_where_it_was_said_to_be),
	    TEST(the_hsm_is_initialized_and_the_status_says_so),
	    TEST(after_three_wrong_passwords_the_command_has_failed),
	    TEST(the_password_is_kept_over_a_restart_and_not_in_the_clear),
	    TEST(a_restart_logs_in_by_itself_only_where_the_card_is_active),
	    TEST(what_stands_against_a_login_is_told),
	    TEST(a_ped_that_nobody_attends_to_fails_the_login),
	    TEST(a_logout_lasts_until_the_next_login_restarts_included),
	    TEST(deactivation_and_activation_say_what_the_guide_has),
	    TEST(a_security_officer_belongs_to_the_session),
	    TEST(the_remote_ped_is_imprinted),
	    TEST(what_is_no_address_and_no_port_is_refused),
	    TEST(the_cache_is_switched_while_the_crypto_user_is_logged_in),
	    TEST(a_new_password_takes_the_place_of_the_old_one),
	    TEST(a_card_that_hangs_stops_no_console),
	    TEST(without_a_card_the_commands_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
