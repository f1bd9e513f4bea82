/*
 * PedClient: on the appliance, between a remote PED's PedServer and the card.
 *
 *	PedClient -m start -ip ADDRESS [-port 1503] [-card card/ped.sock]
 *	PedClient -m show
 *	PedClient -m stop
 *
 * start leaves a process running, which the others reach by the socket -ctl
 * (pedclient.sock). -m stop prints what the guide shows, whether there was one
 * or not: after it there is none.
 *
 * req: KS-05-052
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/env.h"
#include "base/log.h"
#include "base/options.h"
#include "pedclient/client.h"
#include "pedserver/server.h"

enum { ANSWER_S = 20, COMMAND_OCTETS = 16 };

struct options {
	const char *mode;
	const char *ip;
	unsigned port;
	const char *card;
	const char *ctl;
	const char *log;
};

struct program {
	struct options *options;
	struct env *env;
	struct loop *loop;
	struct client_config client_config;
	struct client *client;
	int tell;
	bool at_work;
	int ctl_fd;
	struct loop_fd *ctl;
	struct daemon_end *end;
	enum err rc;
};

/* ---- the command line ---- */

static const struct options_form form = {
    .name = "PedClient",
    .version = SERVER_VERSION,
    .usage = "usage: PedClient -m start -ip ADDRESS [options]\n"
	     "       PedClient -m show|stop [-ctl SOCKET]\n",
    .is_vendors = true,
};

static void
read_options(int argc, char **argv, struct options *o)
{
	const struct options_row rows[] = {
	    {"mode", "MODE", "what to do: start, show or stop",
		.text = &o->mode},
	    {"ip", "ADDRESS", "of the PedServer", .text = &o->ip},
	    {"port", "N", "its server port (1503)", .number = &o->port,
		.least = 1, .most = 65535},
	    {"card", "SOCKET", "the card's (card/ped.sock)", .text = &o->card},
	    {"ctl", "SOCKET", "the client's own (pedclient.sock)",
		.text = &o->ctl},
	    {"log", "FILE", "of the client in the background", .text = &o->log},
	};

	*o = (struct options){
	    .port = 1503, .card = "card/ped.sock", .ctl = "pedclient.sock"};
	options_read(&form, rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
	if (o->mode == NULL)
		options_refuse(&form, "You must specify a mode.");
}

/* ---- the control socket ---- */

static bool
ctl_address(const char *path, struct sockaddr_un *at)
{
	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof(at->sun_path))
		return false;
	memcpy(at->sun_path, path, strlen(path));
	return true;
}

/* -1: no client is there. */
static int
ctl_reach(const char *path)
{
	const struct timeval patience = {.tv_sec = ANSWER_S};
	struct sockaddr_un at;
	int fd;

	if (!ctl_address(path, &at))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void
somebody_asks(void *ctx, unsigned ready)
{
	struct program *p = ctx;
	const struct timeval patience = {.tv_sec = 1};
	char line[COMMAND_OCTETS];
	int fd = accept4(p->ctl_fd, NULL, NULL, SOCK_CLOEXEC);
	ssize_t got;

	(void)ready;
	if (fd < 0)
		return;
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	got = recv(fd, line, sizeof(line), 0);
	if (got == 5 && memcmp(line, "show\n", 5) == 0) {
		dprintf(fd, "Ped Server: %s port %u, %s\n", p->options->ip,
		    p->options->port,
		    client_is_connected(p->client) ? "Connected"
						   : "Disconnected");
	} else if (got == 5 && memcmp(line, "stop\n", 5) == 0) {
		/* stays open: its end tells that all has been let go of */
		loop_stop(p->loop);
		return;
	}
	close(fd);
}

static enum err
ctl_open(struct program *p)
{
	const char *path = p->options->ctl;
	struct sockaddr_un at;
	enum err rc = OK;

	if (!ctl_address(path, &at))
		TRY(ERR_SYSTEM);
	p->ctl_fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)unlink(path);
	if (p->ctl_fd < 0 ||
	    bind(p->ctl_fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(p->ctl_fd, 1) != 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(
	    p->loop, p->ctl_fd, LOOP_READ, somebody_asks, p, &p->ctl));
out:
	return rc;
}

/* ---- the background process ---- */

/* The first attempt decides whether there will be a client at all. */
static void
tried(void *ctx, bool connected, const char *why)
{
	struct program *p = ctx;

	if (connected) {
		p->rc = background_ready(p->tell, p->options->log);
	} else {
		background_failed(p->tell, why);
		p->rc = ERR_CLOSED;
	}
	p->at_work = true;
	if (p->rc != OK)
		loop_stop(p->loop);
}

static int
serve(void *ctx, int tell)
{
	struct options *o = ctx;
	const struct daemon_end_config end = {.hang_up = false};
	struct program p = {.options = o, .tell = tell, .ctl_fd = -1};
	enum err rc = OK;

	daemon_shield(false);
	TRY(env_new(&p.env));
	TRY(loop_new(p.env, &p.loop));
	TRY(daemon_end_new(p.loop, &end, &p.end));
	TRY(ctl_open(&p));
	p.client_config = (struct client_config){
	    .loop = p.loop,
	    .ip = o->ip,
	    .port = o->port,
	    .card = o->card,
	    .tried = tried,
	    .ctx = &p,
	};
	TRY(client_new(&p.client_config, &p.client));
	TRY(loop_run(p.loop));
	rc = p.rc;
out:
	if (rc != OK && !p.at_work)
		background_failed(tell, err_text(rc));
	client_free(p.client);
	loop_fd_free(p.ctl);
	if (p.ctl_fd >= 0) {
		close(p.ctl_fd);
		(void)unlink(o->ctl);
	}
	daemon_end_free(p.end);
	loop_free(p.loop);
	env_free(p.env);
	return rc == OK ? 0 : 1;
}

/* ---- modes ---- */

static int
start(struct options *o)
{
	int fd = ctl_reach(o->ctl);

	if (o->ip == NULL)
		options_refuse(&form, "-m start needs -ip ADDRESS");
	if (fd >= 0)
		close(fd);
	return background_start("Ped Client",
	    fd >= 0 ? "a Ped Client is running already" : NULL, serve, o);
}

/* What it answers until it hangs up, on standard output. */
static bool
ask(struct options *o, const char *line)
{
	char answer[512];
	int fd = ctl_reach(o->ctl);
	ssize_t got;

	if (fd < 0)
		return false;
	(void)!send(fd, line, strlen(line), MSG_NOSIGNAL);
	while ((got = recv(fd, answer, sizeof(answer), 0)) > 0)
		(void)fwrite(answer, 1, (size_t)got, stdout);
	close(fd);
	return got == 0;
}

static int
show(struct options *o)
{
	if (ask(o, "show\n")) {
		puts("Show command passed.");
		return 0;
	}
	puts("Show command failed. : no Ped Client is running.");
	return 1;
}

/* None is running: that is what was wanted. */
static int
stop(struct options *o)
{
	int fd = ctl_reach(o->ctl);

	if (fd >= 0) {
		close(fd);
		if (!ask(o, "stop\n")) {
			puts("Shutdown failed. : the Ped Client does not "
			     "answer.");
			return 1;
		}
	}
	puts(SHUTDOWN_PASSED);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *mode;
		const char *says;
		int (*run)(struct options *o);
	} modes[] = {
	    {"start", "startup", start},
	    {"show", "status", show},
	    {"stop", "shutdown", stop},
	};
	struct options o;
	size_t k;

	log_init();
	puts("Ped Client Version " SERVER_VERSION);
	read_options(argc, argv, &o);
	for (k = 0; k < sizeof(modes) / sizeof(modes[0]); k++) {
		if (strcmp(modes[k].mode, o.mode) != 0)
			continue;
		printf("Ped Client launched in %s mode.\n", modes[k].says);
		return modes[k].run(&o);
	}
	options_refuse(&form, "no such mode: %s", o.mode);
}
