/*
 * The PED port: the remote PED, its vector, and links that fail.
 */
#include "card/k6_rig_test.h"

static struct k6 k6;
static struct person away; /* at the remote PED */

static int
set_up(void **state)
{
	struct card_login so;

	(void)state;
	k6_init(&k6);
	k6_make(&k6);
	so = k6_so_login(&k6);
	k6_script(&k6, to_init_rpv);
	assert_int_equal(card_remote_init(k6.rig.card, &so), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
	person_end(&k6.person);
	person_init(&away, &k6.rig);
	away.line = "remote";
	memcpy(away.keys, k6.person.keys, sizeof(away.keys));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	person_clear(&away);
	k6_clear(&k6);
	return 0;
}

static int
ped_state(void)
{
	struct card_status status;

	card_status(k6.rig.card, &status);
	return (int)status.ped;
}

static void
connect_remote(void)
{
	person_begin(&away, to_connect);
	assert_int_equal(card_remote_connect(k6.rig.card), CARD_OK);
	person_done(&away);
	assert_int_equal(ped_state(), CARD_PED_REMOTE_ON);
}

/* req: KS-01-022, KS-01-026, KS-01-044, KS-05-080, KS-05-092, KS-05-099 */
static void
all_but_initialization_is_done_through_a_remote_ped(void **state)
{
	static const struct step reset[] = {
	    LOGIN(INSERT_USER, BLACK, BLACK_PIN),
	    {.words = "Login secret value", .act = PRESS},
	    END,
	};
	struct card_login so;

	(void)state;
	so = k6_so_login(&k6);
	person_end(&k6.person);
	assert_int_equal(
	    card_remote_init(k6.rig.card, &so), CARD_PED_UNPLUGGED);
	card_logout(k6.rig.card, &so);
	connect_remote();
	person_begin(&away, to_login_user);
	assert_int_equal(card_activate(k6.rig.card), CARD_OK);
	person_done(&away);
	person_begin(&away, to_login_so);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_OK);
	person_done(&away);
	person_begin(&away, reset);
	assert_int_equal(card_reset_password(k6.rig.card, &so), CARD_OK);
	person_done(&away);
	/* req: KS-01-043, KS-05-026, KS-05-035, KS-05-025 */
	assert_int_equal(card_remote_init(k6.rig.card, &so), CARD_PED_REMOTE);
	assert_int_equal(card_zeroize(k6.rig.card), CARD_OK);
	assert_int_equal(ped_state(), CARD_PED_NONE);
	person_end(&away);
	person_begin(&away, to_initialize);
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_PED_REMOTE);
	assert_int_equal(
	    card_remote_connect(k6.rig.card), CARD_NOT_INITIALIZED);
}

/* req: KS-01-041, KS-01-079, KS-05-154 */
static void
connecting_wants_the_orange_ikey_and_its_pin(void **state)
{
	static const struct step wrong_pin[] = {
	    LOGIN(INSERT_RPK, ORANGE, "9999"), END};
	static const struct step other_kind[] = {PRESENT(INSERT_RPK, BLACK),
	    {.words = "another kind of PED Key.\nInsert a RPK", .act = REMOVE},
	    {.words = "No PED Key is inserted.\nInsert a RPK", .act = CLEAR},
	    END};
	static const struct {
		const struct step *script;
		enum card_rv want;
	} cases[] = {
	    {wrong_pin, CARD_PIN_INCORRECT},
	    {other_kind, CARD_PED_CLEARED},
	    {to_connect, CARD_OK},
	};
	size_t k;

	(void)state;
	assert_int_equal(card_remote_connect(k6.rig.card), CARD_PED_CLIENT);
	for (k = 0; k < LENGTH(cases); k++) {
		person_begin(&away, cases[k].script);
		/* Waiting is not being connected. */
		assert_int_equal(
		    card_activate(k6.rig.card), CARD_PED_UNPLUGGED);
		assert_int_equal(
		    card_remote_connect(k6.rig.card), cases[k].want);
		person_done(&away);
		assert_int_equal(ped_state(), cases[k].want == CARD_OK
						  ? CARD_PED_REMOTE_ON
						  : CARD_PED_NONE);
		person_end(&away);
	}
}

/* req: KS-05-082, KS-05-083  for the iKey and the PIN together */
static void
connecting_may_take_480_seconds(void **state)
{
#define KEY_AFTER(time)                                                       \
	{                                                                     \
		.words = INSERT_RPK, .act = LATE, .key = ORANGE, .ms = (time) \
	}
#define PIN_AFTER(time)                                                       \
	{                                                                     \
		.words = "Enter PED PIN.", .act = LATE, .digits = ORANGE_PIN, \
		.ms = (time)                                                  \
	}
	static const struct step at_479[] = {
	    KEY_AFTER(300 * 1000), PIN_AFTER(179 * 1000), END};
	static const struct step at_480[] = {KEY_AFTER(300 * 1000),
	    {.words = "Enter PED PIN.", .act = WAIT, .ms = 180 * 1000}, END};
	static const struct step key_at_480[] = {
	    {.words = INSERT_RPK, .act = WAIT, .ms = 480 * 1000}, END};
	static const struct {
		const struct step *script;
		enum card_rv want;
	} cases[] = {
	    {at_480, CARD_PED_TIMEOUT},
	    {key_at_480, CARD_PED_TIMEOUT},
	    {at_479, CARD_OK},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		person_begin(&away, cases[k].script);
		assert_int_equal(
		    card_remote_connect(k6.rig.card), cases[k].want);
		person_done(&away);
		person_end(&away);
	}
}

/* The card drops it after as long as PedServer does. */
static void
an_idle_remote_ped_is_dropped(void **state)
{
	(void)state;
	connect_remote();
	card_rig_pass(&k6.rig, 1799 * 1000);
	assert_int_equal(ped_state(), CARD_PED_REMOTE_ON);
	person_begin(&away, to_login_user);
	assert_int_equal(card_activate(k6.rig.card), CARD_OK);
	card_rig_pass(&k6.rig, 1799 * 1000);
	assert_int_equal(ped_state(), CARD_PED_REMOTE_ON);
	card_rig_pass(&k6.rig, 1000);
	assert_int_equal(ped_state(), CARD_PED_NONE);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	assert_int_equal(card_activate(k6.rig.card), CARD_PED_UNPLUGGED);
}

/* To come back is no use of it; nor has it to be there. */
static void
an_idle_remote_ped_that_went_and_came_back_is_dropped(void **state)
{
	(void)state;
	connect_remote();
	card_rig_pass(&k6.rig, 1000 * 1000);
	person_end(&away);
	assert_int_equal(ped_state(), CARD_PED_NONE);
	person_begin(&away, to_connect);
	assert_int_equal(ped_state(), CARD_PED_REMOTE_ON);
	card_rig_pass(&k6.rig, 799 * 1000);
	assert_int_equal(ped_state(), CARD_PED_REMOTE_ON);
	person_end(&away);
	assert_int_equal(ped_state(), CARD_PED_NONE);
	card_rig_pass(&k6.rig, 1000);
	assert_int_equal(ped_state(), CARD_PED_NONE);
	person_begin(&away, to_connect);
	assert_int_equal(ped_state(), CARD_PED_NONE);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	assert_int_equal(card_activate(k6.rig.card), CARD_PED_UNPLUGGED);
	assert_int_equal(card_remote_connect(k6.rig.card), CARD_OK);
	person_done(&away);
}

/* req: KS-05-153, KS-05-154 */
static void
after_leaving_remote_mode_the_orange_ikey_comes_first(void **state)
{
	static const struct step leaves[] = {
	    {.words = INSERT_USER, .act = LEAVE}, END};
	static const struct step wrong_orange[] = {
	    LOGIN(INSERT_RPK, ORANGE, "9999"), END};
	static const struct step orange_then_black[] = {
	    LOGIN("COMPUTE SESSION KEY...\n" INSERT_RPK, ORANGE, ORANGE_PIN),
	    LOGIN("USER LOGIN...\n" INSERT_USER, BLACK, BLACK_PIN), END};

	(void)state;
	connect_remote();
	person_begin(&away, leaves);
	assert_int_equal(card_activate(k6.rig.card), CARD_PED_CLEARED);
	person_begin(&away, wrong_orange);
	assert_int_equal(card_activate(k6.rig.card), CARD_PIN_INCORRECT);
	person_done(&away);
	person_begin(&away, orange_then_black);
	assert_int_equal(card_activate(k6.rig.card), CARD_OK);
	person_done(&away);

	/* The same where the PED comes back on another connection. */
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	person_end(&away);
	assert_int_equal(card_activate(k6.rig.card), CARD_PED_CLIENT);
	person_begin(&away, orange_then_black);
	assert_int_equal(card_activate(k6.rig.card), CARD_OK);
	person_done(&away);
}

/* req: KS-05-085, KS-05-087, KS-05-102 */
static void
after_an_outage_it_has_to_be_connected_again(void **state)
{
	(void)state;
	connect_remote();
	person_end(&away);
	k6_outage(&k6, 1000);
	person_begin(&away, to_connect);
	assert_int_equal(card_activate(k6.rig.card), CARD_PED_UNPLUGGED);
	assert_int_equal(card_remote_connect(k6.rig.card), CARD_OK);
	person_done(&away);
	card_remote_disconnect(k6.rig.card);
	assert_int_equal(ped_state(), CARD_PED_NONE);
	assert_int_equal(card_activate(k6.rig.card), CARD_PED_UNPLUGGED);
}

/* req: KS-05-133  a lost orange iKey: made again, the old one is void */
static void
a_new_vector_ends_the_old_one(void **state)
{
	static const struct step new_rpv[] = {
	    IMPRINT(INSERT_RPK, SPARE, ""), END};
	static const struct step by_spare[] = {PRESENT(INSERT_RPK, SPARE), END};
	struct card_login so;

	(void)state;
	so = k6_so_login(&k6);
	k6_script(&k6, new_rpv);
	assert_int_equal(card_remote_init(k6.rig.card, &so), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
	memcpy(away.keys[SPARE], k6.person.keys[SPARE], IKEY_OCTETS);
	person_begin(&away, to_connect);
	assert_int_equal(card_remote_connect(k6.rig.card), CARD_PIN_INCORRECT);
	person_end(&away);
	person_begin(&away, by_spare);
	assert_int_equal(card_remote_connect(k6.rig.card), CARD_OK);
	person_done(&away);
}

/* The remote PED is asked where both are there. */
static void
the_remote_ped_goes_before_the_local_one(void **state)
{
	static const struct step nothing[] = {END};

	(void)state;
	k6_script(&k6, nothing);
	assert_int_equal(ped_state(), CARD_PED_LOCAL);
	connect_remote();
	person_begin(&away, to_login_user);
	assert_int_equal(card_activate(k6.rig.card), CARD_OK);
	person_done(&away);
	person_done(&k6.person);
	card_remote_disconnect(k6.rig.card);
	assert_int_equal(ped_state(), CARD_PED_LOCAL);
}

/* The laboratory loses or changes a frame on its way to the PED. */
static void
a_link_that_fails_ends_the_operation(void **state)
{
	static const struct step nothing[] = {END};
	struct card_login so;

	(void)state;
	k6_script(&k6, nothing);
	assert_int_equal(ped_state(), CARD_PED_LOCAL);
	assert_string_equal(card_rig_lab(&k6.rig, "fault link garble"), "ok");
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_PED_UNPLUGGED);
	person_done(&k6.person);
	person_end(&k6.person);
	so = k6_so_login(&k6);
	card_logout(k6.rig.card, &so);
	assert_memory_equal(
	    card_rig_lab(&k6.rig, "fault link cut"), "error", 5);
}

/* Who connects says what it is, or is hung up on. */
static void
strangers_are_hung_up_on(void **state)
{
	static const char *const words[] = {
	    "locale\n", "LOCAL\n", "\n", "longer than a word", "l"};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char octet, path[300];
	size_t k;
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/ped.sock", k6.rig.dir);
	memcpy(at.sun_path, path, strlen(path));
	for (k = 0; k < LENGTH(words); k++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
		    connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
		assert_int_equal(send(fd, words[k], strlen(words[k]), 0),
		    (ssize_t)strlen(words[k]));
		if (strlen(words[k]) == 1)
			assert_int_equal(shutdown(fd, SHUT_WR), 0);
		assert_int_equal(ped_state(), CARD_PED_NONE);
		assert_true(recv(fd, &octet, 1, 0) <= 0);
		close(fd);
	}
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(all_but_initialization_is_done_through_a_remote_ped),
	    CASE(connecting_wants_the_orange_ikey_and_its_pin),
	    CASE(connecting_may_take_480_seconds),
	    CASE(an_idle_remote_ped_is_dropped),
	    CASE(an_idle_remote_ped_that_went_and_came_back_is_dropped),
	    CASE(after_leaving_remote_mode_the_orange_ikey_comes_first),
	    CASE(after_an_outage_it_has_to_be_connected_again),
	    CASE(a_new_vector_ends_the_old_one),
	    CASE(the_remote_ped_goes_before_the_local_one),
	    CASE(a_link_that_fails_ends_the_operation),
	    CASE(strangers_are_hung_up_on),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/port", tests, NULL, NULL);
}
