#include "crypto/card_admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/rig_test.h"

/* A card that says what the test has it say. */
static struct rig rig;
static struct card_admin *admin;
static char path[300];
static int listens = -1;
static int card = -1;

static char told[1000]; /* what was said, a line each */
static unsigned done;   /* how often it was the end */
static enum err done_rc;
static bool free_it; /* when it is done */

static int
set_up(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	assert_int_equal(rig_init(&rig), OK);
	(void)snprintf(path, sizeof(path), "%s.sock", rig.clock_path);
	assert(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listens, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listens, 4), 0);
	told[0] = '\0';
	done = 0;
	free_it = false;
	return card_admin_new(rig.loop, path, &admin) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	card_admin_free(admin);
	admin = NULL;
	close(listens);
	if (card >= 0)
		close(card);
	card = -1;
	assert_int_equal(unlink(path), 0);
	rig_clear(&rig);
	return 0;
}

static void
said(void *ctx, struct bytes text)
{
	assert_ptr_equal(ctx, &rig);
	(void)snprintf(told + strlen(told), sizeof(told) - strlen(told),
	    "%.*s\n", (int)text.octets, (const char *)text.at);
}

static void
answered(void *ctx, const struct card_answer *answer)
{
	char text[200] = "";
	struct buf label;

	assert_ptr_equal(ctx, &rig);
	done++;
	done_rc = answer->rc;
	buf_init(&label, 100);
	if (answer->rc == ERR_DENIED)
		(void)snprintf(text, sizeof(text), "%.*s: %.*s\n",
		    (int)answer->name.octets, (const char *)answer->name.at,
		    (int)answer->text.octets, (const char *)answer->text.at);
	else if (card_answer_value(answer, "label", &label) == OK)
		(void)snprintf(text, sizeof(text), "label %.*s\n",
		    (int)label.octets, (const char *)label.at);
	strcat(told, text);
	buf_clear(&label);
	if (free_it) {
		card_admin_free(admin);
		admin = NULL;
	}
}

static enum err
ask(const char *command, const char *label)
{
	const struct card_arg arg = {"label", bytes_of_text(label)};

	return card_admin_ask(admin, command, &arg, 1, said, answered, &rig);
}

/* What the card got, and what it answers. */
static void
card_hears(const char *line)
{
	char got[500] = "";

	if (card < 0)
		card = accept(listens, NULL, NULL);
	assert_true(recv(card, got, sizeof(got) - 1, 0) > 0);
	assert_string_equal(got, line);
}

static void
card_says(const char *text)
{
	assert_int_equal(send(card, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
	assert_int_equal(rig_turns(&rig, 4), OK);
}

static void
progress_and_answer_come_in_order(void **state)
{
	(void)state;
	assert_int_equal(ask("initialize", "a b"), OK);
	assert_true(card_admin_busy(admin));
	card_hears("initialize label=a%20b\n");
	card_says("say Please attend to the PED.\nsay now");
	assert_string_equal(told, "Please attend to the PED.\n");
	assert_int_equal(done, 0);
	card_says(" another\nok label=a%20b%25 x=y\n");
	assert_string_equal(
	    told, "Please attend to the PED.\nnow another\nlabel a b%\n");
	assert_int_equal(done, 1);
	assert_int_equal(done_rc, OK);
	assert_false(card_admin_busy(admin));
	/* on the same connection */
	assert_int_equal(ask("so-logout", "x"), OK);
	card_hears("so-logout label=x\n");
	card_says("error CARD_NOT_LOGGED_IN the role is not logged in\n");
	assert_int_equal(done_rc, ERR_DENIED);
	assert_non_null(
	    strstr(told, "CARD_NOT_LOGGED_IN: the role is not logged in\n"));
}

static void
a_card_that_is_gone_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(ask("activate", "x"), OK);
	card_hears("activate label=x\n");
	close(card);
	card = -1;
	assert_int_equal(rig_turns(&rig, 4), OK);
	assert_int_equal(done, 1);
	assert_int_equal(done_rc, ERR_HSM);
	/* and one that is back is found */
	assert_int_equal(ask("activate", "x"), OK);
	card_hears("activate label=x\n");
	card_says("ok\n");
	assert_int_equal(done, 2);
	assert_int_equal(done_rc, OK);
}

static void
nobody_listens(void **state)
{
	struct card_admin *other;
	const struct card_arg none = {"x", BYTES_NONE};

	(void)state;
	assert_int_equal(
	    card_admin_new(rig.loop, "/nonexistent/sock", &other), OK);
	assert_int_equal(
	    card_admin_ask(other, "status", &none, 0, said, answered, &rig),
	    ERR_HSM);
	assert_false(card_admin_busy(other));
	assert_int_equal(done, 0);
	card_admin_free(other);
}

/* Neither is taken for an answer. */
static void
what_is_no_answer_breaks_the_connection(void **state)
{
	static const char *const others[] = {
	    "yes\n", "\n", "saying x\n", " ok\n", "OK\n"};
	static char lot[CARD_ADMIN_LINE_OCTETS + 2];
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
		assert_int_equal(ask("status", "x"), OK);
		card_hears("status label=x\n");
		card_says(others[k]);
		assert_int_equal(done, k + 1);
		assert_int_equal(done_rc, ERR_HSM);
		close(card);
		card = -1;
	}
	assert_int_equal(ask("status", "x"), OK);
	card_hears("status label=x\n");
	memset(lot, 'a', sizeof(lot) - 1);
	memcpy(lot, "ok ", 3);
	card_says(lot);
	assert_int_equal(done_rc, ERR_HSM);
	/* what nobody asked for is no answer to the next question */
	close(card);
	card = -1;
	assert_int_equal(ask("status", "x"), OK);
	card_hears("status label=x\n");
	done = 0;
	card_says("ok\nok\n");
	assert_int_equal(done, 1);
	assert_int_equal(done_rc, OK);
	assert_int_equal(ask("status", "x"), OK);
	close(card);
	card = -1;
	card_hears("status label=x\n");
}

static void
what_is_given_up_is_not_told(void **state)
{
	char got[10];

	(void)state;
	assert_int_equal(ask("activate", "x"), OK);
	card_hears("activate label=x\n");
	card_admin_free(admin);
	admin = NULL;
	assert_int_equal(rig_turns(&rig, 4), OK);
	assert_int_equal(done, 0);
	/* the card sees it */
	assert_int_equal(recv(card, got, sizeof(got), MSG_DONTWAIT), 0);
}

static void
who_is_told_may_end_it(void **state)
{
	(void)state;
	free_it = true;
	assert_int_equal(ask("status", "x"), OK);
	card_hears("status label=x\n");
	card_says("ok\nsay more\n");
	assert_int_equal(done, 1);
	assert_null(admin);
}

static void
values_are_decoded_or_refused(void **state)
{
	static const struct {
		const char *words;
		enum err want;
	} cases[] = {
	    {"label=x", OK},
	    {"label=", OK},
	    {"labels=x", ERR_NOT_FOUND},
	    {"x=label=y", ERR_NOT_FOUND},
	    {"a=b label=%41", OK},
	    {"label=%4", ERR_VALUE},
	    {"label=%", ERR_VALUE},
	    {"label=%4g", ERR_VALUE},
	    {"", ERR_NOT_FOUND},
	};
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		const struct card_answer answer = {
		    .words = bytes_of_text(cases[k].words)};
		struct buf out;

		buf_init(&out, 100);
		assert_int_equal(
		    card_answer_value(&answer, "label", &out), cases[k].want);
		buf_clear(&out);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(progress_and_answer_come_in_order),
	    TEST(a_card_that_is_gone_says_nothing),
	    TEST(nobody_listens),
	    TEST(what_is_no_answer_breaks_the_connection),
	    TEST(what_is_given_up_is_not_told),
	    TEST(who_is_told_may_end_it),
	    TEST(values_are_decoded_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
