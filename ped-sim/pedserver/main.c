/*
 * PedServer: on the machine that a remote PED is plugged in.
 *
 *	PedServer -m config -create     make the configuration
 *	PedServer -m start              leave a server running
 *	PedServer -m show               what it is doing
 *	PedServer -m stop
 *
 * What it prints is the guide's where the guide has it: -m stop, and what it
 * says when something fails, it has not.
 *
 * req: KS-05-054, KS-05-055, KS-05-056, KS-05-059, KS-05-071
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/lab.h"
#include "base/log.h"
#include "base/options.h"
#include "pedserver/server.h"

enum { ANSWER_S = 20 };

struct options {
	const char *mode;
	const char *file;
	bool create, set, show;
	const char *lab;
	const char *clock;
	const char *given[SETTINGS];
	struct settings settings;
};

struct program {
	struct options *options;
	struct env *env;
	struct loop *loop;
	struct server *server;
	struct lab_config lab_config;
	struct lab *lab;
	struct daemon_end *end;
};

/* ---- the command line ---- */

static const struct options_form form = {
    .name = "PedServer",
    .version = SERVER_VERSION,
    .usage = "usage: PedServer -m config -create|-set|-show [settings]\n"
	     "       PedServer -m start [settings] [-lab SOCKET -clock FILE]\n"
	     "       PedServer -m show|stop\n"
	     "\n"
	     "The settings are -hostname and what follows it; -create and -set "
	     "keep them in\n"
	     "the file.\n",
    .is_vendors = true,
};

/* Over what the file has, or has not. */
static void
take_given(struct options *o)
{
	const char *wrong;

	if (settings_take(&o->settings, o->given, &wrong) != OK)
		options_refuse(&form, "not a value of %s", wrong);
}

static void
read_options(int argc, char **argv, struct options *o)
{
	enum { OTHERS = 7 };
	struct options_row rows[OTHERS + SETTINGS] = {
	    {"mode", "MODE", "what to do: config, start, show or stop",
		.text = &o->mode},
	    {"create", NULL, "make the file", .flag = &o->create},
	    {"set", NULL, "change it", .flag = &o->set},
	    {"show", NULL, "print it", .flag = &o->show},
	    {"configfile", "FILE", "pedServer.ini", .text = &o->file},
	    {"lab", "SOCKET", "laboratory mode: virtual time, and faults",
		.text = &o->lab},
	    {"clock", "FILE", "of the laboratory", .text = &o->clock},
	};

	*o = (struct options){.file = "pedServer.ini"};
	settings_options(o->given, rows + OTHERS);
	options_read(&form, rows, OTHERS + SETTINGS, argc, argv);
	if (o->mode == NULL)
		options_refuse(&form, "You must specify a mode.");
	if ((o->lab == NULL) != (o->clock == NULL))
		options_refuse(&form, "-lab and -clock go together");
	settings_default(&o->settings);
	take_given(o);
}

/* ---- files ---- */

/*
 * What the file has. Its words where it has not are those of a public
 * transcript.
 */
static bool
load(struct options *o)
{
	char fault[SETTINGS_FAULT_OCTETS];

	o->settings = (struct settings){.port = 0};
	if (settings_load(&o->settings, o->file, fault) != OK)
		printf("%s: %s\n", o->file, fault);
	else if (o->settings.ip[0] != '\0')
		return true;
	else
		puts("readIPFromConfigFile() : config file did not contain an "
		     "IP address.");
	return false;
}

/* ---- -m config ---- */

static int
show_settings(const struct settings *settings)
{
	struct buf text;
	int status = 1;

	buf_init(&text, SETTINGS_FILE_OCTETS);
	if (settings_write(settings, &text) == OK) {
		(void)fwrite(text.at, 1, text.octets, stdout);
		status = 0;
	}
	buf_clear(&text);
	return status;
}

/* The file, with what the command line sets. */
static int
configure(struct options *o)
{
	int status = 1;

	if (o->create + o->set + o->show != 1)
		options_refuse(
		    &form, "-m config needs one of -create, -set, -show");
	if (o->create)
		settings_default(&o->settings);
	else if (!load(o))
		goto out;
	take_given(o);
	if (o->show)
		status = show_settings(&o->settings);
	else if (settings_save(&o->settings, o->file) == OK)
		status = 0;
	else
		printf("%s: %s\n", o->file, strerror(errno));
out:
	puts(status == 0 ? "Configuration command passed."
			 : "Configuration command failed.");
	return status;
}

/* ---- the background process ---- */

static void
stopped(void *ctx)
{
	struct program *p = ctx;

	loop_stop(p->loop);
}

static enum err
lab_status(void *ctx, struct buf *out)
{
	struct program *p = ctx;

	return server_status(p->server, out);
}

static enum err
open_lab(struct program *p)
{
	if (p->options->lab == NULL)
		return OK;
	p->lab_config = (struct lab_config){
	    .path = p->options->lab,
	    .power_off = daemon_power_off,
	    .status = lab_status,
	    .ctx = p,
	};
	return lab_new(p->loop, p->env, &p->lab_config, &p->lab);
}

/* Until it is told to stop. */
static int
serve(void *ctx, int tell)
{
	struct options *o = ctx;
	const struct daemon_end_config end = {.hang_up = false};
	struct program p = {.options = o};
	char why[BACKGROUND_WORDS_OCTETS] = "";
	bool at_work = false;
	enum err rc = OK;

	daemon_shield(o->lab != NULL);
	TRY(o->clock != NULL ? env_new_lab(o->clock, &p.env) : env_new(&p.env));
	TRY(loop_new(p.env, &p.loop));
	TRY(daemon_end_new(p.loop, &end, &p.end));
	TRY(server_new(p.loop, &o->settings, stopped, &p, &p.server, why));
	TRY(open_lab(&p));
	TRY(background_ready(
	    tell, *o->settings.log != '\0' ? o->settings.log : NULL));
	at_work = true;
	TRY(loop_run(p.loop));
out:
	if (rc != OK && !at_work)
		background_failed(tell, *why != '\0' ? why : err_text(rc));
	lab_free(p.lab);
	server_free(p.server);
	daemon_end_free(p.end);
	loop_free(p.loop);
	env_free(p.env);
	return rc == OK ? 0 : 1;
}

/* req: KS-05-057, KS-05-058 */
static int
start(struct options *o)
{
	if (!load(o)) {
		puts("Startup failed. : 0xc0000404 RC_FILE_ERROR");
		return 1;
	}
	take_given(o);
	return background_start("Ped Server", NULL, serve, o);
}

/* ---- asking it ---- */

/* All that it answers; -1: nobody does. */
static ssize_t
ask(unsigned port, const char *line, char *answer, size_t room)
{
	const struct sockaddr_in at = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct timeval patience = {.tv_sec = ANSWER_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t octets = -1;
	ssize_t got = 1;

	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		goto out;
	octets = 0;
	while (got > 0 && (size_t)octets < room) {
		got = recv(fd, answer + octets, room - (size_t)octets, 0);
		octets += got > 0 ? got : 0;
	}
out:
	if (fd >= 0)
		close(fd);
	return octets;
}

/* Its answer is printed; it is whole when it ends in `last`. */
static int
ask_and_print(
    struct options *o, const char *line, const char *last, const char *failed)
{
	char answer[8192];
	size_t octets;
	ssize_t got = -1;

	if (load(o))
		got = ask(
		    o->settings.admin_port, line, answer, sizeof(answer) - 1);
	answer[got > 0 ? got : 0] = '\0';
	octets = strlen(answer);
	if (octets > strlen(last) && answer[octets - 1] == '\n' &&
	    strncmp(answer + octets - 1 - strlen(last), last, strlen(last)) ==
		0) {
		fputs(answer, stdout);
		return 0;
	}
	printf("%s : no Ped Server answers at the admin port.\n", failed);
	return 1;
}

static int
show(struct options *o)
{
	putchar('\n');
	return ask_and_print(o, "show\n", SHOW_PASSED, "Show command failed.");
}

static int
stop(struct options *o)
{
	return ask_and_print(o, "stop\n", SHUTDOWN_PASSED, "Shutdown failed.");
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *mode;
		const char *says;
		int (*run)(struct options *o);
	} modes[] = {
	    {"config", "configuration", configure},
	    {"start", "startup", start},
	    {"show", "status", show},
	    {"stop", "shutdown", stop},
	};
	struct options o;
	size_t k;

	log_init();
	puts("Ped Server Version " SERVER_VERSION);
	read_options(argc, argv, &o);
	for (k = 0; k < sizeof(modes) / sizeof(modes[0]); k++) {
		if (strcmp(modes[k].mode, o.mode) == 0)
			break;
	}
	if (k == sizeof(modes) / sizeof(modes[0]))
		options_refuse(&form, "no such mode: %s", o.mode);
	printf("Ped Server launched in %s mode.\n", modes[k].says);
	return modes[k].run(&o);
}
