#include "card/admin.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "card/rig_test.h"

enum { STACK_OCTETS = 512 * 1024, ANSWER_OCTETS = 8192 };

/* ---- lines ---- */

static void
test_lines_are_read(void **state)
{
	static const struct {
		const char *line;
		enum err want;
		const char *text[ADMIN_ARGS_MAX];
	} cases[] = {
	    {"slots", OK, {NULL}},
	    {"slots ", ERR_UNEXPECTED, {NULL}},
	    {"Slots", ERR_NOT_FOUND, {NULL}},
	    {"", ERR_NOT_FOUND, {NULL}},
	    {" slots", ERR_NOT_FOUND, {NULL}},
	    {"slots slot=1", ERR_UNEXPECTED, {NULL}},
	    {"role-list slot=1", OK, {"1"}},
	    {"role-list  slot=1", ERR_UNEXPECTED, {NULL}},
	    {"role-list", ERR_MISSING, {NULL}},
	    {"role-list slot", ERR_UNEXPECTED, {NULL}},
	    {"role-list slot=", ERR_VALUE, {NULL}},
	    {"role-list slot=x", ERR_VALUE, {NULL}},
	    {"role-list slot=1x", ERR_VALUE, {NULL}},
	    {"role-list slot=-1", ERR_VALUE, {NULL}},
	    {"role-list slot=999999999", OK, {"999999999"}},
	    {"role-list slot=1000000000", ERR_VALUE, {NULL}},
	    {"role-list slot=1 slot=1", ERR_REPEATED, {NULL}},
	    {"role-list slo=1", ERR_UNEXPECTED, {NULL}},
	    {"role-list slot#=1", ERR_UNEXPECTED, {NULL}},
	    {"role-list =1", ERR_UNEXPECTED, {NULL}},
	    {"role-init role=cu password=%41%c3%a9%3D", OK,
		{"cu", "A\xc3\xa9="}},
	    {"role-init role=cu password=", OK, {"cu", ""}},
	    {"role-init role=CU password=", ERR_VALUE, {NULL}},
	    {"role-init role=c password=", ERR_VALUE, {NULL}},
	    {"role-init role=cu password=a=b", ERR_VALUE, {NULL}},
	    {"role-init role=cu password=%", ERR_VALUE, {NULL}},
	    {"role-init role=cu password=%4", ERR_VALUE, {NULL}},
	    {"role-init role=cu password=%4g", ERR_VALUE, {NULL}},
	    {"role-init role=cu password=a%00", ERR_VALUE, {NULL}},
	    {"role-init role=cu password=%c3", ERR_VALUE, {NULL}},
	    {"role-changepw new=n old=o role=co", OK, {"co", "o", "n"}},
	    {"partition-init domain=d password=p label=l%20l slot=2", OK,
		{"2", "l l", "p", "d"}},
	};
	size_t k, at;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct admin_request r;
		char line[128];
		enum err got;

		(void)snprintf(line, sizeof(line), "%s", cases[k].line);
		got = admin_read(line, &r);
		if (got != cases[k].want)
			fail_msg("%s: want %s, got %s", cases[k].line,
			    err_name(cases[k].want), err_name(got));
		for (at = 0; got == OK && at < ADMIN_ARGS_MAX; at++) {
			const char *want = cases[k].text[at];

			assert_int_equal(want == NULL, r.text[at] == NULL);
			if (want != NULL)
				assert_string_equal(r.text[at], want);
		}
	}
}

/* ---- a session ---- */

struct place {
	struct card_rig rig;
	struct admin_config config;
	int fd, card_fd;
	pthread_t thread;
	void *stack;
};

static struct place place;

static void *
serve(void *ctx)
{
	(void)ctx;
	admin_serve(&place.config, place.card_fd);
	close(place.card_fd);
	return NULL;
}

static void
session_begin(void)
{
	pthread_attr_t attr;
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	place.fd = fds[0];
	place.card_fd = fds[1];
	pthread_attr_init(&attr);
	assert_int_equal(
	    pthread_attr_setstack(&attr, place.stack, STACK_OCTETS), 0);
	assert_int_equal(pthread_create(&place.thread, &attr, serve, NULL), 0);
	pthread_attr_destroy(&attr);
}

static void
session_end(void)
{
	if (place.fd < 0)
		return;
	(void)shutdown(place.fd, SHUT_WR);
	pthread_join(place.thread, NULL);
	close(place.fd);
	place.fd = -1;
}

static enum err
put_storage(void *ctx, unsigned slot, struct buf *out)
{
	(void)ctx;
	return buf_printf(out, " used=%u", 100 * slot);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&place, 0, sizeof(place));
	place.fd = -1;
	card_rig_init(&place.rig, CARD_LUNA7);
	card_rig_on(&place.rig);
	place.config = (struct admin_config){
	    .card = place.rig.card,
	    .model = CARD_LUNA7,
	    .waits = place.rig.waits,
	    .storage = put_storage,
	};
	place.stack = mmap(NULL, STACK_OCTETS, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(place.stack, MAP_FAILED);
	session_begin();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	session_end();
	munmap(place.stack, STACK_OCTETS);
	card_rig_clear(&place.rig);
	return 0;
}

/* Until the end of a line, which is left out; "" at the end. */
static const char *
hear(void)
{
	static char heard[ANSWER_OCTETS];
	size_t octets = 0;

	while (octets + 1 < sizeof(heard)) {
		ssize_t got = recv(place.fd, heard + octets, 1, 0);

		if (got <= 0 || heard[octets] == '\n')
			break;
		octets++;
	}
	heard[octets] = '\0';
	return heard;
}

static const char *
ask(const char *line)
{
	assert_int_equal(
	    send(place.fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	return hear();
}

struct exchange {
	const char *ask;
	const char *want; /* how the answer begins */
};

static void
converse(const struct exchange *lines, size_t count)
{
	size_t k;

	for (k = 0; k < count; k++) {
		const char *got = ask(lines[k].ask);

		if (strncmp(got, lines[k].want, strlen(lines[k].want)) != 0)
			fail_msg("%swant: %s\ngot:  %s", lines[k].ask,
			    lines[k].want, got);
	}
}

#define CONVERSE(lines) converse(lines, LENGTH(lines))

static const struct exchange making[] = {
    {"partition-init slot=1 label=foundry%20one password=po-pass "
     "domain=dom\n",
	"ok"},
    {"role-login slot=1 role=po password=po-pass\n", "ok expired=no"},
    {"role-init role=co password=co-first\n", "ok"},
    {"role-logout\n", "ok"},
    {"role-login slot=1 role=co password=co-first\n", "ok expired=yes"},
    {"role-changepw role=co old=co-first new=co-second\n", "ok"},
    {"role-init role=cu password=cu-pass\n", "ok"},
};

static void
test_a_partition_is_made_and_its_roles(void **state)
{
	static const struct exchange before[] = {
	    {"slots\n", "ok slots=2"},
	    {"role-list slot=1\n", "ok po=no co=no cu=no "},
	    {"role-login slot=1 role=po password=po-pass\n",
		"error CARD_NO_PARTITION"},
	};
	static const struct exchange after[] = {
	    {"role-list slot=1\n", "ok po=yes co=yes cu=yes po-locked=no"},
	    {"role-list slot=2\n", "ok po=no co=no cu=no "},
	    {"role-login slot=1 role=cu password=cu-pass\n",
		"error CARD_OTHER_LOGGED_IN another"},
	    {"role-login slot=1 role=co password=co-second\n",
		"error CARD_ALREADY_LOGGED_IN the"},
	    {"role-logout\n", "ok"},
	    {"role-logout\n", "error CARD_NOT_LOGGED_IN the"},
	    {"role-login slot=1 role=cu password=cu-pasS\n",
		"error CARD_PIN_INCORRECT the"},
	    {"role-login slot=1 role=cu password=cu-pass\n", "ok expired=no"},
	    {"role-init role=cu password=another\n", "error CARD_RIGHTS the"},
	};

	(void)state;
	CONVERSE(before);
	CONVERSE(making);
	CONVERSE(after);
}

static void
test_a_partition_tells_what_it_is(void **state)
{
	const char *got;

	(void)state;
	CONVERSE(making);
	got = ask("partition-info slot=1\n");
	assert_non_null(strstr(got, "ok slot=1 label=foundry%20one serial="));
	assert_non_null(strstr(got,
	    " manufacturer=SafeNet model=Cryptovisor7 firmware=7.1.3 "
	    "initialized=yes ped=no user-initialized=yes fips=no login=co "
	    "used=100"));
	got = ask("partition-info slot=2\n");
	assert_non_null(strstr(got, "ok slot=2 label= serial="));
	assert_non_null(strstr(got, " initialized=no"));
	assert_null(strstr(got, "login="));
	got = ask("partition-info slot=3\n");
	assert_non_null(strstr(got, "error CARD_ARGUMENT an argument"));
}

static void
test_what_cannot_be_asked_is_refused_and_nothing_ends(void **state)
{
	static const struct exchange lines[] = {
	    {"open-sesame\n", "error CARD_ARGUMENT no such command"},
	    {"role-list\n",
		"error CARD_ARGUMENT role-list: a required item is missing"},
	    {"role-login slot=1 role=po\n",
		"error CARD_ARGUMENT role-login: a required item is missing"},
	    {"role-init role=co password=co-pass\n",
		"error CARD_NOT_LOGGED_IN the"},
	    {"role-changepw role=co old=a new=b\n",
		"error CARD_NOT_LOGGED_IN the"},
	    {"slots\n", "ok slots=2"},
	};
	static const struct exchange others[] = {
	    {"role-changepw role=po old=co-second new=co-third\n",
		"error CARD_RIGHTS the"},
	    {"role-changepw role=co old=wrong-one new=co-third\n",
		"error CARD_PIN_INCORRECT the"},
	    {"role-changepw role=co old=co-second new=co-third\n", "ok"},
	};

	(void)state;
	CONVERSE(lines);
	CONVERSE(making);
	CONVERSE(others);
}

/* req: KSC-136  a login ends with the session that it belongs to */
static void
test_a_login_ends_with_its_session(void **state)
{
	static const struct exchange lines[] = {
	    {"role-init role=cu password=cu-other\n",
		"error CARD_NOT_LOGGED_IN the"},
	    {"role-login slot=1 role=co password=co-second\n", "ok expired=no"},
	};

	(void)state;
	CONVERSE(making);
	session_end();
	session_begin();
	CONVERSE(lines);
}

/* Somebody else makes the partition anew: who was logged in is not any more. */
static void
test_a_login_that_is_over_makes_room_for_another(void **state)
{
	static const struct exchange lines[] = {
	    {"partition-init slot=1 label=again password=po-pass domain=d\n",
		"ok"},
	    {"role-login slot=1 role=po password=po-pass\n", "ok expired=no"},
	};

	(void)state;
	CONVERSE(making);
	CONVERSE(lines);
}

static void
test_what_is_no_line_ends_the_session(void **state)
{
	static const char *const ends[] = {"slots\nslots\n", "slots\n\n"};
	char line[ADMIN_LINE_OCTETS + 1];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(ends); k++) {
		assert_string_equal(ask(ends[k]), "");
		session_end();
		session_begin();
	}
	memset(line, 'x', sizeof(line));
	line[ADMIN_LINE_OCTETS - 1] = '\n';
	line[ADMIN_LINE_OCTETS] = '\0';
	assert_string_equal(ask(line), "error CARD_ARGUMENT no such command");
	line[ADMIN_LINE_OCTETS - 1] = 'x';
	assert_string_equal(ask(line), "");
	session_end();
	session_begin();
	/* NUL would hide what is behind it */
	assert_int_equal(send(place.fd, "slots\0\n", 7, MSG_NOSIGNAL), 7);
	assert_string_equal(hear(), "");
}

static void
test_a_command_of_the_other_model_is_refused(void **state)
{
	(void)state;
	place.config.model = CARD_K6;
	assert_string_equal(ask("role-list slot=1\n"),
	    "error CARD_ARGUMENT role-list: not with this model of the card");
	assert_string_equal(ask("slots\n"), "ok slots=2");
}

/* The thread's stack is all that a password went through, but for secrets. */
static void
test_no_password_stays_behind(void **state)
{
	static const char *const words[] = {
	    "po-pass", "co-first", "co-second", "cu-pass"};
	size_t k;

	(void)state;
	CONVERSE(making);
	session_end();
	for (k = 0; k < LENGTH(words); k++)
		assert_null(memmem(
		    place.stack, STACK_OCTETS, words[k], strlen(words[k])));
	session_begin();
	(void)ask("role-login slot=1 role=po password=left-behind\n");
	(void)send(place.fd, "role-init role=co password=cut-off", 34, 0);
	session_end();
	assert_null(memmem(place.stack, STACK_OCTETS, "left-behind", 11));
	assert_null(memmem(place.stack, STACK_OCTETS, "cut-off", 7));
}

int
main(void)
{
#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_are_read),
	    PLACE_TEST(test_a_partition_is_made_and_its_roles),
	    PLACE_TEST(test_a_partition_tells_what_it_is),
	    PLACE_TEST(test_what_cannot_be_asked_is_refused_and_nothing_ends),
	    PLACE_TEST(test_a_login_ends_with_its_session),
	    PLACE_TEST(test_a_login_that_is_over_makes_room_for_another),
	    PLACE_TEST(test_what_is_no_line_ends_the_session),
	    PLACE_TEST(test_a_command_of_the_other_model_is_refused),
	    PLACE_TEST(test_no_password_stays_behind),
	};
#undef PLACE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
