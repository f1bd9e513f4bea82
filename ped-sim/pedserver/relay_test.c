#include "pedserver/relay.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/rig_test.h"

enum { ONE, OTHER, TURNS = 8 };

struct bench {
	struct rig rig;
	struct relay_config config;
	struct relay *relay;
	int far[2]; /* what the relay talks to */
	unsigned frames, overs;
};

static void
frame(void *ctx)
{
	struct bench *b = ctx;

	b->frames++;
}

static void
over(void *ctx)
{
	struct bench *b = ctx;

	b->overs++;
	relay_free(b->relay);
	b->relay = NULL;
}

static struct relay_end
end_make(int *far, const char *come, size_t octets)
{
	struct relay_end end;
	int fds[2];

	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	*far = fds[0];
	end.fd = fds[1];
	buf_init(&end.in, RELAY_FRAME_OCTETS);
	assert_int_equal(
	    buf_put(&end.in, (struct bytes){(const uint8_t *)come, octets}),
	    OK);
	return end;
}

static int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	*state = b;
	if (b == NULL || rig_init(&b->rig) != OK)
		return -1;
	b->far[ONE] = -1;
	b->far[OTHER] = -1;
	b->config = (struct relay_config){
	    .loop = b->rig.loop, .frame = frame, .over = over, .ctx = b};
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;

	relay_free(b->relay);
	close(b->far[ONE]);
	close(b->far[OTHER]);
	rig_clear(&b->rig);
	free(b);
	return 0;
}

static void
begin(struct bench *b, const char *come, size_t octets)
{
	struct relay_end one = end_make(&b->far[ONE], come, octets);
	struct relay_end other = end_make(&b->far[OTHER], "", 0);

	assert_int_equal(
	    relay_new_take(&b->config, &one, &other, &b->relay), OK);
	assert_int_equal(rig_turns(&b->rig, TURNS), OK);
}

static void
say(struct bench *b, int side, const void *octets, size_t count)
{
	assert_int_equal(
	    send(b->far[side], octets, count, MSG_NOSIGNAL), count);
	assert_int_equal(rig_turns(&b->rig, TURNS), OK);
}

/* Exactly this has come there, and no more. */
static void
assert_heard(struct bench *b, int side, const char *want, size_t octets)
{
	char heard[2 * RELAY_FRAME_OCTETS];
	ssize_t got = recv(b->far[side], heard, sizeof(heard), 0);

	assert_int_equal(got < 0 ? 0 : got, octets);
	assert_memory_equal(heard, want, octets);
}

static bool
is_hung_up(struct bench *b, int side)
{
	char octet;

	return recv(b->far[side], &octet, 1, 0) == 0;
}

static void
test_frames_pass_both_ways_as_they_are(void **state)
{
	struct bench *b = *state;

	begin(b, "", 0);
	say(b, ONE, "\0\3abc", 5);
	assert_heard(b, OTHER, "\0\3abc", 5);
	say(b, OTHER, "\0\1x\0\2yz", 7);
	assert_heard(b, ONE, "\0\1x\0\2yz", 7);
	assert_int_equal(b->frames, 3);
	assert_int_equal(b->overs, 0);
}

static void
test_a_frame_passes_when_it_is_whole(void **state)
{
	struct bench *b = *state;

	begin(b, "", 0);
	say(b, ONE, "\0", 1);
	say(b, ONE, "\3ab", 3);
	assert_heard(b, OTHER, "", 0);
	assert_int_equal(b->frames, 0);
	say(b, ONE, "c\0", 2);
	assert_heard(b, OTHER, "\0\3abc", 5);
}

/* What came before there was a relay goes first. */
static void
test_what_has_come_already_is_not_lost(void **state)
{
	struct bench *b = *state;

	begin(b, "\0\2hi\0\1", 6);
	assert_heard(b, OTHER, "\0\2hi", 4);
	say(b, ONE, "!", 1);
	assert_heard(b, OTHER, "\0\1!", 3);
}

static void
test_frames_have_a_length(void **state)
{
	static char longest[RELAY_FRAME_OCTETS] = {0x10, 0x00};
	struct bench *b = *state;

	begin(b, "", 0);
	say(b, ONE, longest, sizeof(longest));
	assert_heard(b, OTHER, longest, sizeof(longest));
	assert_int_equal(b->overs, 0);
	say(b, ONE, "\x10\x01", 2);
	assert_int_equal(b->overs, 1);
	assert_true(is_hung_up(b, OTHER));
	assert_true(is_hung_up(b, ONE));
}

static void
test_an_empty_frame_is_none(void **state)
{
	struct bench *b = *state;

	begin(b, "", 0);
	say(b, OTHER, "\0\0", 2);
	assert_int_equal(b->overs, 1);
	assert_true(is_hung_up(b, ONE));
}

static void
test_it_ends_with_either_end_but_not_before_the_last_frame(void **state)
{
	struct bench *b = *state;

	begin(b, "", 0);
	assert_int_equal(send(b->far[ONE], "\0\2no\0\2ha", 7, MSG_NOSIGNAL), 7);
	(void)shutdown(b->far[ONE], SHUT_WR);
	assert_int_equal(rig_turns(&b->rig, TURNS), OK);
	assert_heard(b, OTHER, "\0\2no", 4);
	assert_true(is_hung_up(b, OTHER));
	assert_int_equal(b->overs, 1);
}

/* Who does not read stops who sends, and nothing is lost by it. */
static void
test_who_does_not_read_is_waited_for(void **state)
{
	static char longest[RELAY_FRAME_OCTETS] = {0x10, 0x00};
	struct bench *b = *state;
	char heard[RELAY_FRAME_OCTETS];
	size_t sent = 0;
	size_t came = 0;
	ssize_t got;

	begin(b, "", 0);
	while (send(b->far[ONE], longest, sizeof(longest), MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(longest)) {
		sent += sizeof(longest);
		assert_int_equal(rig_turns(&b->rig, 2), OK);
		assert_true(b->overs == 0);
	}
	assert_true(b->frames * sizeof(longest) < sent);
	while (came < sent) {
		got = recv(b->far[OTHER], heard, sizeof(heard), 0);
		came += got > 0 ? (size_t)got : 0;
		assert_int_equal(rig_turns(&b->rig, TURNS), OK);
		assert_int_equal(b->overs, 0);
	}
	assert_int_equal(came, sent);
}

int
main(void)
{
#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(test_frames_pass_both_ways_as_they_are),
	    BENCH_TEST(test_a_frame_passes_when_it_is_whole),
	    BENCH_TEST(test_what_has_come_already_is_not_lost),
	    BENCH_TEST(test_frames_have_a_length),
	    BENCH_TEST(test_an_empty_frame_is_none),
	    BENCH_TEST(
		test_it_ends_with_either_end_but_not_before_the_last_frame),
	    BENCH_TEST(test_who_does_not_read_is_waited_for),
	};
#undef BENCH_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
