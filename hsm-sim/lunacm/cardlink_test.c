#include "lunacm/cardlink.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* What the card hears, and answers; NULL: it hangs up instead. */
struct turn {
	const char *heard;
	const char *answer;
};

/* A card that says what it is told to. */
static struct {
	char dir[64];
	struct sockaddr_un at;
	int listener;
	const struct turn *turns;
	size_t count;
	char heard[8192]; /* all of it */
	pthread_t thread;
} card;

static bool
hear_line(int fd)
{
	size_t used = strlen(card.heard);

	while (used + 1 < sizeof(card.heard) &&
	       recv(fd, card.heard + used, 1, 0) == 1) {
		if (card.heard[used++] == '\n')
			return true;
	}
	return false;
}

static void *
be_the_card(void *ctx)
{
	int fd = -1;
	size_t k = 0;

	(void)ctx;
	while (k < card.count) {
		const char *answer = card.turns[k].answer;

		if (fd < 0)
			fd = accept(card.listener, NULL, NULL);
		if (fd < 0)
			break;
		if (!hear_line(fd)) { /* they hung up */
			close(fd);
			fd = -1;
			continue;
		}
		if (answer != NULL)
			(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
		else {
			close(fd);
			fd = -1;
		}
		k++;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void
card_on(const struct turn *turns, size_t count)
{
	const char *tmp = getenv("TMPDIR");

	memset(&card, 0, sizeof(card));
	card.turns = turns;
	card.count = count;
	(void)snprintf(card.dir, sizeof(card.dir), "%s/link.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(card.dir));
	card.at.sun_family = AF_UNIX;
	(void)snprintf(
	    card.at.sun_path, sizeof(card.at.sun_path), "%s/s", card.dir);
	card.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(card.listener >= 0);
	assert_int_equal(
	    bind(card.listener, (struct sockaddr *)&card.at, sizeof(card.at)),
	    0);
	assert_int_equal(listen(card.listener, 4), 0);
	assert_int_equal(
	    pthread_create(&card.thread, NULL, be_the_card, NULL), 0);
}

/* It has heard what it was to hear, and no more. */
static void
card_off(void)
{
	char expected[sizeof(card.heard)] = "";
	size_t k;

	shutdown(card.listener, SHUT_RDWR);
	pthread_join(card.thread, NULL);
	close(card.listener);
	unlink(card.at.sun_path);
	rmdir(card.dir);
	for (k = 0; k < card.count; k++) {
		(void)strncat(expected, card.turns[k].heard,
		    sizeof(expected) - strlen(expected) - 1);
		(void)strcat(expected, "\n");
	}
	assert_string_equal(card.heard, expected);
}

static void
a_question_is_encoded_and_answered(void **state)
{
	static const struct turn turns[] = {
	    {"slots", "ok slots=2\n"},
	    {"role-login slot=1 password=p%20w%25%0A%3D",
		"say attend to it\nsay still\nerror CARD_PIN_INCORRECT it is "
		"wrong\n"},
	};
	const struct cardlink_arg args[] = {
	    {"slot", bytes_of_text("1")},
	    {"password", bytes_of_text("p w%\n=")},
	};
	struct cardlink link;
	struct reply reply;
	uint64_t slots = 0;

	(void)state;
	card_on(turns, LENGTH(turns));
	cardlink_init(&link, card.at.sun_path);
	assert_int_equal(cardlink_ask(&link, "slots", NULL, 0, &reply), OK);
	assert_int_equal(reply_number(&reply, "slots", &slots), OK);
	assert_true(slots == 2);
	assert_int_equal(
	    cardlink_ask(&link, "role-login", args, 2, &reply), OK);
	assert_int_equal(reply.kind, REPLY_ERROR);
	assert_string_equal(reply.code, "CARD_PIN_INCORRECT");
	cardlink_close(&link);
	cardlink_close(&link);
	card_off();
}

static void
who_hangs_up_is_asked_anew(void **state)
{
	static const struct turn turns[] = {
	    {"one", NULL},
	    {"two", "ok\n"},
	    {"three", "what?\n"},
	    {"four", "ok\n"},
	};
	struct cardlink link;
	struct reply reply;

	(void)state;
	card_on(turns, LENGTH(turns));
	cardlink_init(&link, card.at.sun_path);
	assert_int_equal(
	    cardlink_ask(&link, "one", NULL, 0, &reply), ERR_CLOSED);
	assert_int_equal(cardlink_ask(&link, "two", NULL, 0, &reply), OK);
	/* who answers nonsense is not believed any more: another session */
	assert_int_equal(
	    cardlink_ask(&link, "three", NULL, 0, &reply), ERR_UNEXPECTED);
	assert_int_equal(link.fd, -1);
	assert_int_equal(cardlink_ask(&link, "four", NULL, 0, &reply), OK);
	cardlink_close(&link);
	card_off();
}

static void
an_answer_without_an_end_is_none(void **state)
{
	static char endless[REPLY_OCTETS + 1024];
	static const struct turn turns[] = {{"one", endless}};
	struct cardlink link;
	struct reply reply;
	enum err rc;

	(void)state;
	memset(endless, 'a', sizeof(endless) - 1);
	card_on(turns, LENGTH(turns));
	cardlink_init(&link, card.at.sun_path);
	rc = cardlink_ask(&link, "one", NULL, 0, &reply);
	assert_int_equal(rc, ERR_LENGTH);
	assert_int_equal(link.fd, -1);
	card_off();
}

/* Nothing is sent of a question that is too long, and the session stays. */
static void
a_question_has_a_limit(void **state)
{
	static const struct turn turns[] = {
	    {"one", "ok\n"},
	    {"two", "ok\n"},
	};
	static char text[REPLY_OCTETS];
	struct cardlink_arg longest = {.name = "label"};
	struct cardlink link;
	struct reply reply;
	int fd;

	(void)state;
	memset(text, ' ', sizeof(text) - 1);
	longest.value = bytes_of_text(text);
	card_on(turns, LENGTH(turns));
	cardlink_init(&link, card.at.sun_path);
	assert_int_equal(cardlink_ask(&link, "one", NULL, 0, &reply), OK);
	fd = link.fd;
	assert_int_equal(
	    cardlink_ask(&link, "x", &longest, 1, &reply), ERR_LIMIT);
	assert_int_equal(link.fd, fd);
	assert_int_equal(cardlink_ask(&link, "two", NULL, 0, &reply), OK);
	cardlink_close(&link);
	card_off();
}

static void
nobody_there_is_told(void **state)
{
	char path[sizeof(card.at.sun_path) + 10];
	struct cardlink link;
	struct reply reply;

	(void)state;
	cardlink_init(&link, "nobody/listens.sock");
	assert_int_equal(
	    cardlink_ask(&link, "one", NULL, 0, &reply), ERR_CLOSED);
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	cardlink_init(&link, path);
	assert_int_equal(
	    cardlink_ask(&link, "one", NULL, 0, &reply), ERR_CLOSED);
	assert_int_equal(link.fd, -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_question_is_encoded_and_answered),
	    cmocka_unit_test(who_hangs_up_is_asked_anew),
	    cmocka_unit_test(an_answer_without_an_end_is_none),
	    cmocka_unit_test(a_question_has_a_limit),
	    cmocka_unit_test(nobody_there_is_told),
	};

	return cmocka_run_group_tests_name("cardlink", tests, NULL, NULL);
}
