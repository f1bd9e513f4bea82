/*
 * Whoever comes to a PedServer's three doors, and says anything in any order:
 * an octet is the visitor and what he does, what he says follows it.
 */
#include "pedserver/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/visit_test.h"

enum { PORT = 24000, PORTS = 4000, DOORS = 3, SAYS = 0x3f, LEAVES = 0x40 };
enum { TURNS_MOST = 100000 }; /* what was sent may be late */

static struct rig rig;
static struct settings settings;
static bool is_stopped;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
stopped(void *ctx)
{
	(void)ctx;
	visit_must(!is_stopped);
	is_stopped = true;
}

/* Ports of this process, as long as nobody else has taken them. */
static void
set_up(void)
{
	char dir[] = "/dev/shm/ped.XXXXXX";

	visit_must(mkdtemp(dir) != NULL);
	visit_must(rig_init(&rig) == OK);
	unlink(rig.clock_path);
	settings_default(&settings);
	settings.port = PORT + (unsigned)getpid() % PORTS * 2;
	settings.admin_port = settings.port + 1;
	(void)snprintf(settings.usb, sizeof(settings.usb), "%s/usb", dir);
}

/* Each from an address of its own: one alone runs out of ports in no time. */
static int
go_to(size_t door)
{
	static unsigned visitors;
	const struct sockaddr_in from = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + visitors++ % 65536),
	};
	struct sockaddr_in tcp = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)(settings.port + door)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un usb = {.sun_family = AF_UNIX};
	/* no trace of so many connections stays */
	const struct linger at_once = {.l_onoff = 1};
	/* not waited for: the fuzzer's own clock interrupts */
	int fd = socket(door < 2 ? AF_INET : AF_UNIX,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	visit_must(door == 2 ||
		   bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0);
	(void)snprintf(
	    usb.sun_path, sizeof(usb.sun_path), "%.100s", settings.usb);
	visit_must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
		       sizeof(at_once)) == 0);
	rc = door < 2 ? connect(fd, (struct sockaddr *)&tcp, sizeof(tcp))
		      : connect(fd, (struct sockaddr *)&usb, sizeof(usb));
	visit_must(rc == 0 || errno == EINPROGRESS || is_stopped);
	return fd;
}

static void
leave(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
act(int *fd, struct bytes *in)
{
	char heard[4096];
	struct bytes head;
	size_t door, octets;

	visit_must(bytes_split(in, 1, &head) == OK);
	door = head.at[0] >> 7 != 0 ? 2 : head.at[0] % 2;
	if ((head.at[0] & LEAVES) != 0) {
		leave(&fd[door]);
		return;
	}
	if (fd[door] < 0)
		fd[door] = go_to(door);
	octets = head.at[0] & SAYS;
	if (octets > in->octets)
		octets = in->octets;
	visit_must(bytes_split(in, octets, &head) == OK);
	(void)!send(
	    fd[door], head.at, head.octets, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (door = 0; door < DOORS; door++)
		while (fd[door] >= 0 &&
		       recv(fd[door], heard, sizeof(heard), MSG_DONTWAIT) > 0)
			;
}

static struct server *
open_doors(void)
{
	struct server *server = NULL;
	char why[BACKGROUND_WORDS_OCTETS];

	while (server_new(rig.loop, &settings, stopped, NULL, &server, why) !=
	       OK) {
		settings.port += DOORS;
		settings.admin_port = settings.port + 1;
		visit_must(settings.port < PORT + 3 * PORTS);
	}
	return server;
}

/* Nobody is there any more, or soon will not be. */
static void
wait_for_peace(struct server *server)
{
	struct buf out;
	unsigned turns;
	bool is_quiet = is_stopped;

	buf_init(&out, 4096);
	for (turns = 0; turns < TURNS_MOST && !is_quiet; turns++) {
		visit_must(rig_turns(&rig, 1) == OK);
		buf_reset(&out);
		visit_must(server_status(server, &out) == OK);
		is_quiet = bytes_equal_text(
		    buf_peek(&out), " ped=none client=none pair=no");
	}
	visit_must(is_quiet);
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct server *server;
	int fd[DOORS] = {-1, -1, -1};
	size_t k;

	if (rig.loop == NULL)
		set_up();
	is_stopped = false;
	server = open_doors();
	while (in.octets != 0 && !is_stopped) {
		act(fd, &in);
		visit_must(rig_turns(&rig, 2) == OK);
	}
	for (k = 0; k < DOORS; k++)
		leave(&fd[k]);
	wait_for_peace(server);
	server_free(server);
	return 0;
}
