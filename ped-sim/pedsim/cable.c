#include "pedsim/cable.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { UNSENT_OCTETS = 1 << 16, READ_OCTETS = 4096 };

struct cable {
	const struct cable_config *config;
	enum ped_line line;
	int fd; /* -1: not connected */
	struct loop_fd *watch;
	struct buf unsent;
	int retry_fd;
	struct loop_fd *retry;
	struct loop_task connect;
};

static const char *
path_of(const struct cable *cable)
{
	switch (cable->line) {
	case PED_LINE_LOCAL:
		return cable->config->local_path;
	case PED_LINE_REMOTE:
		return cable->config->remote_path;
	case PED_LINE_NONE:
		break;
	}
	return NULL;
}

static void
hang_up(struct cable *cable)
{
	loop_fd_free(cable->watch);
	cable->watch = NULL;
	if (cable->fd >= 0)
		close(cable->fd);
	cable->fd = -1;
	buf_reset(&cable->unsent);
}

static void
retry_in(struct cable *cable, int64_t ms)
{
	const struct itimerspec at = {.it_value = {.tv_nsec = ms * 1000000}};

	(void)timerfd_settime(cable->retry_fd, 0, &at, NULL);
}

/* The other end is gone. */
static void
lost(struct cable *cable)
{
	hang_up(cable);
	retry_in(cable, CABLE_RETRY_MS);
	cable->config->down(cable->config->ctx);
}

/* ---- octets ---- */

static void
send_some(struct cable *cable)
{
	while (cable->unsent.octets != 0) {
		ssize_t sent = send(cable->fd, cable->unsent.at,
		    cable->unsent.octets, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0)
			break; /* full, or gone: reading will show it */
		buf_drop(&cable->unsent, (size_t)sent);
	}
}

void
cable_send(struct cable *cable, struct bytes octets)
{
	enum err rc = OK;

	if (cable->fd < 0)
		return;
	TRY(buf_put(&cable->unsent, octets));
	send_some(cable);
	TRY(loop_fd_want(cable->watch,
	    cable->unsent.octets != 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ));
out:
	if (rc != OK) {
		log_line("pedsim", LOG_WARN, "cable: %s", err_text(rc));
		shutdown(cable->fd, SHUT_RDWR);
	}
}

static void
ready(void *ctx, unsigned what)
{
	struct cable *cable = ctx;
	uint8_t octets[READ_OCTETS];
	ssize_t got;

	(void)what;
	cable_send(cable, BYTES_NONE);
	got = recv(cable->fd, octets, sizeof(octets), MSG_DONTWAIT);
	if (got > 0)
		cable->config->octets(
		    cable->config->ctx, (struct bytes){octets, (size_t)got});
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		lost(cable);
}

/* ---- connecting ---- */

static enum err
connect_to(struct cable *cable, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	enum err rc = OK;

	if (strlen(path) >= sizeof(at.sun_path))
		TRY(ERR_CONFIG);
	memcpy(at.sun_path, path, strlen(path));
	cable->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (cable->fd < 0 ||
	    connect(cable->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(cable->config->loop, cable->fd, LOOP_READ, ready, cable,
	    &cable->watch));
out:
	if (rc != OK)
		hang_up(cable);
	return rc;
}

static void
try_to_connect(void *ctx)
{
	struct cable *cable = ctx;
	const char *path = path_of(cable);

	if (path == NULL || cable->fd >= 0)
		return;
	if (connect_to(cable, path) != OK) {
		retry_in(cable, CABLE_RETRY_MS);
		return;
	}
	if (cable->line == PED_LINE_LOCAL)
		cable_send(cable, bytes_of_text("local\n"));
	cable->config->up(cable->config->ctx);
}

static void
retry_rang(void *ctx, unsigned what)
{
	struct cable *cable = ctx;
	uint64_t count;

	(void)what;
	(void)!read(cable->retry_fd, &count, sizeof(count));
	try_to_connect(cable);
}

void
cable_to(struct cable *cable, enum ped_line line)
{
	hang_up(cable);
	cable->line = line;
	loop_later(cable->config->loop, &cable->connect);
}

void
cable_drop(struct cable *cable)
{
	hang_up(cable);
	retry_in(cable, CABLE_RETRY_MS);
}

/* ---- birth and end ---- */

enum err
cable_new(const struct cable_config *config, struct cable **out)
{
	struct cable *cable = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(cable));
	cable->config = config;
	cable->fd = -1;
	cable->connect.fn = try_to_connect;
	cable->connect.ctx = cable;
	buf_init(&cable->unsent, UNSENT_OCTETS);
	cable->retry_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (cable->retry_fd < 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(config->loop, cable->retry_fd, LOOP_READ, retry_rang,
	    cable, &cable->retry));
	*out = cable;
	cable = NULL;
out:
	cable_free(cable);
	return rc;
}

void
cable_free(struct cable *cable)
{
	if (cable == NULL)
		return;
	hang_up(cable);
	loop_task_cancel(&cable->connect);
	loop_fd_free(cable->retry);
	if (cable->retry_fd >= 0)
		close(cable->retry_fd);
	buf_clear(&cable->unsent);
	mem_free(cable);
}
