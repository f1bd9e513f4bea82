#include "pedclient/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "pedserver/relay.h"
#include "pedserver/server.h"

enum { WHY_OCTETS = 200 };

struct client {
	const struct client_config *config;
	struct sockaddr_in at;
	int fd; /* to the server, until both are connected */
	struct loop_fd *connecting;
	struct relay_config relay_config;
	struct relay *relay;
	int retry_fd;
	struct loop_fd *retry;
	int64_t retry_ms;
	bool tried;
};

/* ---- trying again ---- */

static void
retry_later(struct client *client)
{
	const struct itimerspec at = {
	    .it_value = {.tv_sec = client->retry_ms / 1000,
		.tv_nsec = client->retry_ms % 1000 * 1000000}};

	(void)timerfd_settime(client->retry_fd, 0, &at, NULL);
	client->retry_ms *= 2;
	if (client->retry_ms > CLIENT_RETRY_MOST_MS)
		client->retry_ms = CLIENT_RETRY_MOST_MS;
}

static void
tell(struct client *client, bool connected, const char *why)
{
	if (client->tried)
		return;
	client->tried = true;
	client->config->tried(client->config->ctx, connected, why);
}

static void
hang_up(struct client *client)
{
	loop_fd_free(client->connecting);
	client->connecting = NULL;
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	relay_free(client->relay);
	client->relay = NULL;
}

static void
failed(struct client *client, const char *what)
{
	char why[WHY_OCTETS];

	(void)snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	hang_up(client);
	retry_later(client);
	tell(client, false, why);
}

static void
relay_over(void *ctx)
{
	struct client *client = ctx;

	log_line("pedclient", LOG_INFO, "the connection is over");
	hang_up(client);
	retry_later(client);
}

/* ---- connecting: the server first, then the card ---- */

static enum err
reach_card(const char *path, int *out)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = -1;
	enum err rc = OK;

	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof(at.sun_path))
		TRY(ERR_SYSTEM);
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    send(fd, "remote\n", 7, MSG_NOSIGNAL) != 7)
		TRY(ERR_SYSTEM);
	*out = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

static enum err
introduce(int fd)
{
	char line[128];
	char host[64] = "localhost";
	int octets;

	(void)gethostname(host, sizeof(host) - 1);
	octets = snprintf(
	    line, sizeof(line), "PedClient %s %s\n", SERVER_VERSION, host);
	return send(fd, line, (size_t)octets, MSG_NOSIGNAL) == octets
		   ? OK
		   : ERR_SYSTEM;
}

static enum err
join(struct client *client, int card_fd)
{
	struct relay_end server = {.fd = client->fd};
	struct relay_end card = {.fd = card_fd};

	buf_init(&server.in, RELAY_FRAME_OCTETS);
	buf_init(&card.in, RELAY_FRAME_OCTETS);
	client->fd = -1;
	return relay_new_take(
	    &client->relay_config, &server, &card, &client->relay);
}

static void
server_answered(void *ctx, unsigned ready)
{
	struct client *client = ctx;
	const int on = 1;
	socklen_t octets = sizeof(int);
	int card_fd;
	int error = 0;

	(void)ready;
	loop_fd_free(client->connecting);
	client->connecting = NULL;
	(void)getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &octets);
	errno = error;
	if (error != 0 || introduce(client->fd) != OK) {
		failed(client, "the Ped Server");
		return;
	}
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (reach_card(client->config->card, &card_fd) != OK) {
		failed(client, client->config->card);
		return;
	}
	if (join(client, card_fd) != OK) {
		failed(client, "relay");
		return;
	}
	client->retry_ms = CLIENT_RETRY_LEAST_MS;
	tell(client, true, "");
}

static void
reach_server(struct client *client)
{
	client->fd =
	    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0 ||
	    (connect(client->fd, (const struct sockaddr *)&client->at,
		 sizeof(client->at)) != 0 &&
		errno != EINPROGRESS) ||
	    loop_fd_new(client->config->loop, client->fd, LOOP_WRITE,
		server_answered, client, &client->connecting) != OK)
		failed(client, "the Ped Server");
}

static void
retry_rang(void *ctx, unsigned ready)
{
	struct client *client = ctx;
	uint64_t count;

	(void)ready;
	if (read(client->retry_fd, &count, sizeof(count)) == sizeof(count))
		reach_server(client);
}

/* ---- life ---- */

enum err
client_new(const struct client_config *config, struct client **out)
{
	struct client *client = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(client));
	client->config = config;
	client->fd = -1;
	client->retry_ms = CLIENT_RETRY_LEAST_MS;
	client->relay_config = (struct relay_config){
	    .loop = config->loop, .over = relay_over, .ctx = client};
	client->at.sin_family = AF_INET;
	client->at.sin_port = htons((uint16_t)config->port);
	client->retry_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (inet_pton(AF_INET, config->ip, &client->at.sin_addr) != 1)
		TRY(ERR_CONFIG);
	if (client->retry_fd < 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(config->loop, client->retry_fd, LOOP_READ, retry_rang,
	    client, &client->retry));
	*out = client;
	reach_server(client);
	client = NULL;
out:
	client_free(client);
	return rc;
}

void
client_free(struct client *client)
{
	if (client == NULL)
		return;
	hang_up(client);
	loop_fd_free(client->retry);
	if (client->retry_fd >= 0)
		close(client->retry_fd);
	mem_free(client);
}

bool
client_is_connected(const struct client *client)
{
	return client->relay != NULL;
}
