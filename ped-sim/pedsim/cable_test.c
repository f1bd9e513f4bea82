#include "pedsim/cable.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/rig_test.h"
#include "ikey/sample_test.h"

/* The test listens where the card does, and where PedServer does. */
struct world {
	struct rig rig;
	struct cable_config config;
	struct cable *cable;
	char dir[200];
	char local[256], remote[256];
	unsigned ups, downs;
	struct buf heard;
};

static void
is_up(void *ctx)
{
	struct world *w = ctx;

	w->ups++;
	loop_stop(w->rig.loop);
}

static void
is_down(void *ctx)
{
	struct world *w = ctx;

	w->downs++;
	loop_stop(w->rig.loop);
}

static void
says(void *ctx, struct bytes octets)
{
	struct world *w = ctx;

	assert_int_equal(buf_put(&w->heard, octets), OK);
	loop_stop(w->rig.loop);
}

static int
listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void
world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(rig_init(&w->rig), OK);
	buf_init(&w->heard, 4096);
	/* short, as the paths of sockets are */
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/cable.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->local, sizeof(w->local), "%s/card", w->dir);
	(void)snprintf(w->remote, sizeof(w->remote), "%s/usb", w->dir);
	w->config = (struct cable_config){
	    .loop = w->rig.loop,
	    .local_path = w->local,
	    .remote_path = w->remote,
	    .up = is_up,
	    .down = is_down,
	    .octets = says,
	    .ctx = w,
	};
	assert_int_equal(cable_new(&w->config, &w->cable), OK);
}

static void
world_clear(struct world *w)
{
	cable_free(w->cable);
	buf_clear(&w->heard);
	(void)unlink(w->local);
	(void)unlink(w->remote);
	assert_int_equal(rmdir(w->dir), 0);
	rig_clear(&w->rig);
}

/* Turn until one of the functions above has been called. */
static void
turn(struct world *w)
{
	assert_int_equal(loop_run(w->rig.loop), OK);
}

static void
assert_said(int fd, const char *want)
{
	char got[64];
	size_t octets = strlen(want);

	assert_int_equal(recv(fd, got, octets, MSG_WAITALL), octets);
	assert_memory_equal(got, want, octets);
	assert_int_equal(recv(fd, got, 1, MSG_DONTWAIT), -1);
}

static void
at_the_card_it_says_which_end_it_is(void **state)
{
	struct world w;
	int card;
	int end;

	(void)state;
	world_init(&w);
	card = listen_at(w.local);
	cable_to(w.cable, PED_LINE_LOCAL);
	turn(&w);
	assert_int_equal(w.ups, 1);
	end = accept(card, NULL, NULL);
	assert_said(end, "local\n");
	cable_send(w.cable, bytes_of_text("hello"));
	assert_said(end, "hello");
	assert_int_equal(send(end, "frame", 5, 0), 5);
	turn(&w);
	assert_true(bytes_equal_text(buf_peek(&w.heard), "frame"));
	close(end);
	close(card);
	world_clear(&w);
}

static void
at_a_pedserver_it_says_nothing_of_its_own(void **state)
{
	struct world w;
	int server;
	int end;

	(void)state;
	world_init(&w);
	server = listen_at(w.remote);
	cable_to(w.cable, PED_LINE_REMOTE);
	turn(&w);
	end = accept(server, NULL, NULL);
	cable_send(w.cable, bytes_of_text("hello"));
	assert_said(end, "hello");
	close(end);
	close(server);
	world_clear(&w);
}

/* A card that starts later, ends, and starts again. */
static void
it_is_connected_again_as_often_as_it_is_lost(void **state)
{
	struct world w;
	int card;
	int end;

	(void)state;
	world_init(&w);
	cable_to(w.cable, PED_LINE_LOCAL);
	assert_int_equal(rig_turns(&w.rig, 2), OK);
	assert_int_equal(w.ups, 0);
	card = listen_at(w.local);
	turn(&w);
	assert_int_equal(w.ups, 1);
	end = accept(card, NULL, NULL);
	assert_said(end, "local\n");
	close(end);
	turn(&w);
	assert_int_equal(w.downs, 1);
	turn(&w);
	assert_int_equal(w.ups, 2);
	end = accept(card, NULL, NULL);
	assert_said(end, "local\n");
	/* by its own wish: it does not say so to itself */
	cable_drop(w.cable);
	turn(&w);
	assert_int_equal(w.downs, 1);
	assert_int_equal(w.ups, 3);
	assert_int_equal(recv(end, &(char){0}, 1, 0), 0);
	close(end);
	close(card);
	world_clear(&w);
}

static void
it_goes_where_it_is_wanted_and_nowhere_else(void **state)
{
	struct world w;
	int card;
	int server;
	int end;
	char one;
	char bye[3];

	(void)state;
	world_init(&w);
	card = listen_at(w.local);
	server = listen_at(w.remote);
	cable_to(w.cable, PED_LINE_LOCAL);
	turn(&w);
	end = accept(card, NULL, NULL);
	assert_said(end, "local\n");
	cable_send(w.cable, bytes_of_text("bye"));
	cable_to(w.cable, PED_LINE_REMOTE);
	assert_int_equal(recv(end, bye, 3, MSG_WAITALL), 3);
	assert_memory_equal(bye, "bye", 3);
	turn(&w);
	assert_int_equal(recv(end, &one, 1, 0), 0);
	close(end);
	end = accept(server, NULL, NULL);
	assert_true(end >= 0);
	cable_to(w.cable, PED_LINE_NONE);
	assert_int_equal(rig_turns(&w.rig, 3), OK);
	assert_int_equal(recv(end, &one, 1, 0), 0);
	assert_int_equal(w.ups, 2);
	assert_int_equal(w.downs, 0);
	cable_send(w.cable, bytes_of_text("nobody hears this"));
	close(end);
	close(card);
	close(server);
	world_clear(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_the_card_it_says_which_end_it_is),
	    cmocka_unit_test(at_a_pedserver_it_says_nothing_of_its_own),
	    cmocka_unit_test(it_is_connected_again_as_often_as_it_is_lost),
	    cmocka_unit_test(it_goes_where_it_is_wanted_and_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
