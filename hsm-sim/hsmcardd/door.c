#include "hsmcardd/door.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

struct guest {
	struct door *door;
	struct guest *next;
	pthread_t thread;
	int fd;
	atomic_bool left; /* but for its thread's last steps */
};

struct door {
	struct loop *loop;
	const struct door_config *config;
	pthread_attr_t attr;
	sem_t inside; /* the guest's thread is on its errand */
	int fd;
	struct loop_fd *watch;
	int leave_fd;
	struct loop_fd *leaving;
	struct guest *guests;
	unsigned count;
};

static void *
host(void *ctx)
{
	const uint64_t one = 1;
	struct guest *guest = ctx;
	struct door *door = guest->door;

	wait_errand_begin(door->config->waits);
	(void)sem_post(&door->inside);
	door->config->serve(door->config->ctx, guest->fd);
	wait_errand_end(door->config->waits);
	atomic_store(&guest->left, true);
	(void)!write(door->leave_fd, &one, sizeof(one));
	return NULL;
}

static enum err
let_in(struct door *door, int fd)
{
	struct guest *guest = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(guest));
	guest->door = door;
	guest->fd = fd;
	if (pthread_create(&guest->thread, &door->attr, host, guest) != 0)
		TRY(ERR_SYSTEM);
	while (sem_wait(&door->inside) != 0)
		;
	guest->next = door->guests;
	door->guests = guest;
	door->count++;
	guest = NULL; /* now the door's */
out:
	mem_free(guest);
	return rc;
}

static void
somebody_came(void *ctx, unsigned ready)
{
	struct door *door = ctx;
	struct bytes refusal = door->config->refusal;
	int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC);
	enum err rc = ERR_LIMIT;

	(void)ready;
	if (fd < 0)
		return;
	if (door->count < door->config->guests_max)
		rc = let_in(door, fd);
	if (rc == OK)
		return;
	log_line("hsmcardd", LOG_WARN, "%s: a connection is refused: %s",
	    door->config->path, err_text(rc));
	/* fits into a new socket, or is not worth waiting for */
	(void)!send(
	    fd, refusal.at, refusal.octets, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void
somebody_left(void *ctx, unsigned ready)
{
	struct door *door = ctx;
	struct guest **at = &door->guests;
	uint64_t count;

	(void)ready;
	(void)!read(door->leave_fd, &count, sizeof(count));
	while (*at != NULL) {
		struct guest *guest = *at;

		if (!atomic_load(&guest->left)) {
			at = &guest->next;
			continue;
		}
		*at = guest->next;
		(void)pthread_join(guest->thread, NULL);
		close(guest->fd);
		mem_free(guest);
		door->count--;
	}
}

static enum err
open_socket(struct door *door)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const char *path = door->config->path;
	enum err rc = OK;

	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof(at.sun_path))
		TRY(ERR_SYSTEM);
	memcpy(at.sun_path, path, strlen(path));
	door->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (door->fd < 0 || (unlink(path) != 0 && errno != ENOENT) ||
	    bind(door->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    chmod(path, 0600) != 0 || listen(door->fd, SOMAXCONN) != 0)
		TRY(ERR_SYSTEM);
out:
	if (rc != OK)
		log_line(
		    "hsmcardd", LOG_ERROR, "%s: %s", path, strerror(errno));
	return rc;
}

enum err
door_new(struct loop *loop, const struct door_config *config, struct door **out)
{
	struct door *door = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(door));
	door->loop = loop;
	door->config = config;
	door->fd = -1;
	(void)pthread_attr_init(&door->attr);
	(void)pthread_attr_setstacksize(&door->attr, DOOR_STACK_OCTETS);
	(void)sem_init(&door->inside, 0, 0);
	door->leave_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (door->leave_fd < 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(loop, door->leave_fd, LOOP_READ, somebody_left, door,
	    &door->leaving));
	TRY(open_socket(door));
	TRY(loop_fd_new(
	    loop, door->fd, LOOP_READ, somebody_came, door, &door->watch));
	*out = door;
	door = NULL;
out:
	door_free(door);
	return rc;
}

void
door_close(struct door *door)
{
	loop_fd_free(door->watch);
	door->watch = NULL;
	if (door->fd < 0)
		return;
	close(door->fd);
	door->fd = -1;
	(void)unlink(door->config->path);
}

unsigned
door_guests(const struct door *door)
{
	return door->count;
}

void
door_free(struct door *door)
{
	if (door == NULL)
		return;
	assert(door->count == 0);
	door_close(door);
	loop_fd_free(door->leaving);
	if (door->leave_fd >= 0)
		close(door->leave_fd);
	(void)sem_destroy(&door->inside);
	(void)pthread_attr_destroy(&door->attr);
	mem_free(door);
}
