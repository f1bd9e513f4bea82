/*
 * touchstone-ref: the reference key server.
 *
 *	touchstone-ref --dir DIR [--listen ADDRESS:PORT] [--lab SOCKET]
 *	               [--initialize FILE]
 *	touchstone-ref console DIR [OPTIONS] [COMMAND...]
 *	touchstone-ref --print-settings
 *	touchstone-ref --dir DIR --print-state KEY [--digest]
 *
 * DIR holds everything: touchstone.conf, certificates, store and token. When
 * the server serves it prints "ready port=N server1=N ...", with the ports of
 * the key servers that are open; one that has not been initialized has no port,
 * and prints "ready uninitialized". Before that, where there is much to do, it
 * prints "starting: ..." now and then, which is in its log as well. SIGTERM
 * ends it in order: what has been received is answered, what is answered is
 * durable; a second one, or DAEMON_END_S later, ends it at once. A restart of
 * the device is the same, and then the same program again in the same process;
 * a halt ends the process.
 *
 * The second form is a terminal at the console of the server in DIR.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/env.h"
#include "base/lab.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/version.h"
#include "cli/console.h"
#include "cli/ssh_door.h"
#include "cli/terminal.h"
#include "crypto/keyfile.h"
#include "crypto/random.h"
#include "device/backup.h"
#include "device/factory.h"
#include "device/hardware.h"
#include "device/initialize.h"
#include "device/log_transfer.h"
#include "device/logs.h"
#include "device/password.h"
#include "device/restore.h"
#include "device/settings.h"
#include "device/software.h"
#include "device/transfer.h"
#include "net/config.h"
#include "net/echo_port.h"
#include "net/fill.h"
#include "net/key_ports.h"
#include "net/kmip_port.h"
#include "net/listen.h"
#include "net/nae_port.h"
#include "net/print_state.h"
#include "net/server.h"
#include "net/service_port.h"
#include "net/status_ports.h"
#include "net/tls.h"
#include "store/vfs.h"

/*
 * What a program says to the next one in the same process: the descriptor of
 * the lock, with a '+' where power has come just now; and the path of the
 * built-in program.
 */
#define LOCK_VARIABLE     "TOUCHSTONE_LOCK"
#define BUILT_IN_VARIABLE "TOUCHSTONE_BUILT_IN"

enum {
	SETTINGS_PAGE_OCTETS = 1024 * 1024,
	READY_OCTETS = 4096,
	STARTING_OCTETS = 128,
};

/*
 * The choices of config.def, in its order; the first two have a card.
 *
 * req: KS-05-001 KS-05-105 KS-AB-001 KS-AB-002
 */
enum model { MODEL_K460, MODEL_I460, MODEL_K150, MODEL_I150, MODEL_I450 };
static const char *const models[] = {
    [MODEL_K460] = "k460",
    [MODEL_I460] = "i460",
    [MODEL_K150] = "k150",
    [MODEL_I150] = "i150",
    [MODEL_I450] = "i450",
};

struct options {
	const char *dir;
	const char *listen;
	const char *lab;
	const char *initialize; /* the answer file */
	const char *state_key;  /* print the state, and end */
	bool digest;
};

struct program {
	struct options options;
	char *dir;       /* absolute */
	char *card;      /* as --dir has it: paths of sockets are short */
	int lock_fd;     /* given back by the end of the process, not before */
	bool restarted;  /* the device, and not its power: in this process */
	bool falls_back; /* from a version that did not come up, to this one */
	char fell_back[SOFTWARE_EVENT_OCTETS]; /* once it has; otherwise "" */
	struct config config;
	struct env *env;
	struct loop *loop;
	struct tls *tls;
	struct store *store;
	struct server *server; /* NULL: echo */
	struct listener *echo;
	struct service_port *key_server;
	struct key_gate gate;    /* of that port */
	struct key_ports *ports; /* of the key servers that are set */
	struct service_fellows fellows;
	struct status_ports *status_ports;
	struct initialization *initialization;
	struct factory_reset *reset; /* it is all that is done then */
	struct print_state *print;   /* likewise */
	struct lab_config lab_config;
	struct lab *lab;
	struct console *console;
	struct ssh_door *ssh;
	struct daemon_end *end;
	struct loop_task telling; /* that it is ready */
	bool ready;      /* services have been started, but for late ones */
	enum err rc;     /* of what went wrong inside the loop */
	bool again;      /* start again when it has ended */
	bool attached;   /* what lets a restart hang */
	char *last_port; /* and listen there; NULL: as it began */
};

/* ---- the command line ---- */

static void
answers_help(FILE *to)
{
	struct buf page;

	buf_init(&page, SETTINGS_PAGE_OCTETS);
	if (initialization_help(&page) == OK)
		(void)fwrite(buf_peek(&page).at, 1, page.octets, to);
	buf_clear(&page);
}

static void
more_help(FILE *to)
{
	fputs("\nDIR/touchstone.conf has lines of \"key = value\":\n\n", to);
	config_help(to);
	fputs("\nAn answer file has lines of \"key = value\" as well:\n\n", to);
	answers_help(to);
}

static const struct options_form form = {
    .name = "touchstone-ref",
    .version = VERSION,
    .usage = "usage: touchstone-ref --dir DIR [--listen ADDRESS:PORT] "
	     "[--lab SOCKET]\n"
	     "                      [--initialize FILE]\n"
	     "       " TERMINAL_USAGE_TEXT "\n"
	     "       touchstone-ref --print-settings\n"
	     "       touchstone-ref --dir DIR --print-state KEY "
	     "[--digest]\n",
    .more = more_help,
};

/* docs/settings.md */
static int
print_settings(void)
{
	struct buf page;
	enum err rc = OK;

	buf_init(&page, SETTINGS_PAGE_OCTETS);
	TRY(settings_manual(&page));
	(void)fwrite(buf_peek(&page).at, 1, buf_peek(&page).octets, stdout);
	if (fflush(stdout) != 0)
		rc = ERR_SYSTEM;
out:
	buf_clear(&page);
	return rc == OK ? 0 : 1;
}

/* Ends the program for what only prints, and for what cannot be read. */
static void
read_options(int argc, char **argv, struct options *o)
{
	bool settings = false;
	const struct options_row rows[] = {
	    {"dir", "DIR",
		"everything the server has: configuration, certificates, store",
		.text = &o->dir},
	    {"listen", "ADDRESS:PORT",
		"instead of what DIR/touchstone.conf says", .text = &o->listen},
	    {"lab", "SOCKET",
		"laboratory mode: virtual time from DIR/clock, faults and the "
		"power switch on a control socket; for tests only",
		.text = &o->lab},
	    {"initialize", "FILE",
		"first-time initialization with the answers in the file, see "
		"below; otherwise it is done at the serial console",
		.text = &o->initialize},
	    {"print-settings", NULL, "all settings of the device, as a page",
		.flag = &settings},
	    {"print-state", "KEY",
		"what a stopped server has in DIR, a line for each thing; "
		"secrets as HMACs under the key in the file KEY",
		.text = &o->state_key},
	    {"digest", NULL, "one digest of these lines", .flag = &o->digest},
	};

	options_read(&form, rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
	if (settings)
		exit(print_settings());
	if (o->dir == NULL)
		options_refuse(&form, "--dir DIR is needed");
}

/* ---- the process ---- */

/*
 * The lock of the one that started us, which had it to its end: nobody came in
 * between.
 */
static int
inherited_lock(bool *restarted)
{
	const char *text = getenv(LOCK_VARIABLE);
	int fd = text != NULL ? atoi(text) : -1;

	*restarted = text != NULL && strchr(text, '+') == NULL;
	(void)unsetenv(LOCK_VARIABLE);
	if (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return fd;
	return -1;
}

static void
bequeath_lock(const struct program *p, bool restarted)
{
	char lock[16];

	(void)snprintf(
	    lock, sizeof(lock), "%d%s", p->lock_fd, restarted ? "" : "+");
	(void)setenv(LOCK_VARIABLE, lock, 1);
	(void)fcntl(p->lock_fd, F_SETFD, 0);
}

/* One server to a directory, as long as it lives. */
static enum err
lock_dir(struct program *p)
{
	char *path = NULL;
	enum err rc = OK;

	p->dir = realpath(p->options.dir, NULL);
	if (p->dir == NULL) {
		log_line("main", LOG_ERROR, "%s: %s", p->options.dir,
		    strerror(errno));
		TRY(ERR_SYSTEM);
	}
	p->lock_fd = inherited_lock(&p->restarted);
	if (p->lock_fd >= 0)
		return OK;
	TRY(mem_printf(&path, "%s/lock", p->dir));
	p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->lock_fd < 0) {
		log_line("main", LOG_ERROR, "%s: %s", path, strerror(errno));
		TRY(ERR_SYSTEM);
	}
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		log_line(
		    "main", LOG_ERROR, "%s: another server runs here", p->dir);
		TRY(ERR_CONFIG);
	}
out:
	mem_free(path);
	return rc;
}

/* ---- which program it is to be ---- */

/* Both exist, and are one file. */
static bool
is_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 &&
	       of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/*
 * An upgrade or a rollback has said that it is another one: before anything is
 * opened, that one takes over. An installed program knows from the built-in one
 * where that is. A new version has one start to come up with, and whoever
 * starts after that goes back. req: KS-25-032 KS-25-036
 */
static enum err
give_way(struct program *p, char **argv)
{
	const char *base = getenv(BUILT_IN_VARIABLE);
	struct software_start to;
	char self[PATH_MAX] = "";
	const char *next;
	enum err rc = OK;

	if (factory_is_marked(p->dir))
		return OK;
	TRY(software_program(p->dir, &to));
	next = to.path[0] != '\0' ? to.path : base;
	if (next == NULL || is_file(next, "/proc/self/exe"))
		return OK;
	if (to.trial == SOFTWARE_TRIED) {
		p->falls_back = true;
		next = to.back[0] != '\0' ? to.back : base;
		if (next == NULL || is_file(next, "/proc/self/exe"))
			return OK;
	}
	/* to print what is there is no start */
	if (p->options.state_key == NULL)
		software_try(&to);
	if (base == NULL) {
		(void)!readlink("/proc/self/exe", self, sizeof(self) - 1);
		(void)setenv(BUILT_IN_VARIABLE, self, 1);
	}
	bequeath_lock(p, p->restarted);
	daemon_become(next, argv);
	rc = ERR_CONFIG;
out:
	return rc;
}

static enum err
load_config(struct program *p)
{
	struct config_fault fault;
	enum err rc = config_load(p->dir, &p->config, &fault);

	if (rc == OK && p->options.lab == NULL &&
	    p->options.state_key == NULL &&
	    p->config.password_iterations < PASSWORD_ITERATIONS) {
		(void)snprintf(fault.text, sizeof(fault.text),
		    "password_iterations: less than %d only with --lab",
		    PASSWORD_ITERATIONS);
		rc = ERR_CONFIG;
	}
	if (rc != OK)
		log_line("main", LOG_ERROR, "%s/touchstone.conf: %s", p->dir,
		    fault.text);
	return rc;
}

static enum err
open_env(struct program *p)
{
	char *path = NULL;
	enum err rc = OK;

	if (p->options.lab != NULL)
		TRY(mem_printf(&path, "%s/clock", p->dir));
	TRY(daemon_env("main", path, &p->env));
	if (path != NULL)
		log_line("main", LOG_WARN,
		    "laboratory mode: not for keys that matter");
	if (p->config.password_iterations < PASSWORD_ITERATIONS)
		log_line("main", LOG_WARN,
		    "laboratory mode: passwords cost %" PRId64 " iterations",
		    p->config.password_iterations);
	env_set_random(p->env, random_drbg, NULL);
out:
	mem_free(path);
	return rc;
}

/* ---- the end ---- */

/* NULL: it is not open. */
static struct listener *
listener_of(const struct program *p)
{
	return p->key_server != NULL ? service_port_listener(p->key_server)
				     : p->echo;
}

/* Of clients, all together. */
static unsigned
connections(const struct program *p)
{
	if (p->key_server != NULL)
		return service_port_connections(p->key_server);
	return p->echo != NULL ? listener_connections(p->echo) : 0;
}

static void
end_begins(void *ctx)
{
	struct program *p = ctx;

	if (p->key_server != NULL)
		service_port_finish(p->key_server);
	if (p->echo != NULL)
		listener_finish(p->echo);
	if (p->status_ports != NULL)
		status_ports_close(p->status_ports);
}

static bool
end_is_over(void *ctx)
{
	return connections(ctx) == 0;
}

static enum err
open_end(struct program *p)
{
	const struct daemon_end_config end = {
	    .begin = end_begins, .over = end_is_over, .ctx = p};

	return daemon_end_new(p->loop, &end, &p->end);
}

/* ---- the laboratory ---- */

static enum err
fault_disk_full(void *ctx, unsigned on)
{
	(void)ctx;
	vfs_disk_full(on ? 0 : UINT64_MAX);
	return OK;
}

static enum err
fault_entropy(void *ctx, unsigned on)
{
	struct program *p = ctx;

	env_break_random(p->env, on);
	return OK;
}

static enum err
fault_hsm(void *ctx, unsigned value)
{
	struct program *p = ctx;

	if (p->server == NULL)
		return ERR_FEATURE;
	hsm_set_fault(root_hsm(server_root(p->server)), (enum hsm_fault)value);
	root_probe(server_root(p->server));
	return OK;
}

static enum err
fault_sync(void *ctx, unsigned stop)
{
	(void)ctx;
	vfs_stop_sync(stop);
	return OK;
}

/* Something is at the ports of keyboard, mouse and video. */
static enum err
fault_peripherals(void *ctx, unsigned attached)
{
	struct program *p = ctx;

	p->attached = attached != 0;
	return OK;
}

static enum err
harm_supply(struct program *p, unsigned n, unsigned state)
{
	if (p->server == NULL)
		return ERR_FEATURE;
	return hardware_set_supply(
	    server_appliance(p->server)->hardware, n, (enum supply)state);
}

static enum err
fault_supply_1(void *ctx, unsigned state)
{
	return harm_supply(ctx, 0, state);
}

static enum err
fault_supply_2(void *ctx, unsigned state)
{
	return harm_supply(ctx, 1, state);
}

static enum err
harm_fan(struct program *p, unsigned n, unsigned state)
{
	if (p->server == NULL)
		return ERR_FEATURE;
	return hardware_set_fan(
	    server_appliance(p->server)->hardware, n, (enum fan)state);
}

static enum err
fault_fan_1(void *ctx, unsigned state)
{
	return harm_fan(ctx, 0, state);
}

static enum err
fault_fan_2(void *ctx, unsigned state)
{
	return harm_fan(ctx, 1, state);
}

static const struct lab_fault faults[] = {
    {"disk-full", "off|on", fault_disk_full},
    {"entropy", "off|on", fault_entropy},
    /* as enum fan */
    {"fan-1", "ok|stopped|no-power|broken", fault_fan_1},
    {"fan-2", "ok|stopped|no-power|broken", fault_fan_2},
    {"hsm", "ok|fail|hang", fault_hsm}, /* as enum hsm_fault */
    {"peripherals", "none|attached", fault_peripherals},
    /* as enum supply */
    {"supply-1", "ok|unplugged|removed|damaged", fault_supply_1},
    {"supply-2", "ok|unplugged|removed|damaged", fault_supply_2},
    {"sync", "go|stop", fault_sync},
};

static void
lab_power_off(void *ctx, bool tear, uint64_t seed, unsigned nth)
{
	(void)ctx;
	vfs_power_off(tear ? VFS_TEAR : VFS_DROP, seed, nth);
}

/* ... and does not come by itself. */
static bool
ssh_is_stopped(const struct program *p)
{
	const struct services *services = server_appliance(p->server)->services;

	return p->ready && !daemon_is_ending(p->end) &&
	       service_status(services, SERVICE_SSH) == SERVICE_STOPPED;
}

/* " server2=40001": where key server 2 listens */
static enum err
say_port(void *ctx, unsigned number, unsigned port)
{
	return buf_printf(ctx, " server%u=%u", number, port);
}

/* " health-check=9080" */
static enum err
say_status_port(void *ctx, const char *word, unsigned port)
{
	return buf_printf(ctx, " %s=%u", word, port);
}

static enum err
lab_status(void *ctx, struct buf *out)
{
	static const char *const states[] = {
	    [KEYSTORE_READY] = "ready",
	    [KEYSTORE_LOGGED_OUT] = "logged-out",
	    [KEYSTORE_OTHER] = "other",
	    [KEYSTORE_UNREACHABLE] = "unreachable",
	};
	struct program *p = ctx;
	struct listener *listener = listener_of(p);
	enum err rc = OK;

	/* who waits for the port after a restart waits for the next one's */
	if (listener != NULL && !daemon_is_ending(p->end))
		TRY(buf_printf(out, " port=%u", listener_port(listener)));
	if (listener != NULL)
		TRY(buf_printf(out, " connections=%u", connections(p)));
	if (p->ports != NULL && !daemon_is_ending(p->end))
		TRY(key_ports_each(p->ports, say_port, out));
	if (p->ssh != NULL && ssh_door_port(p->ssh) != 0)
		TRY(buf_printf(out, " ssh=%u guests=%u", ssh_door_port(p->ssh),
		    ssh_door_connections(p->ssh)));
	else if (p->ssh != NULL && ssh_is_stopped(p))
		TRY(buf_put_text(out, " ssh=stopped"));
	if (p->status_ports != NULL)
		TRY(status_ports_each(p->status_ports, say_status_port, out));
	if (p->server != NULL)
		TRY(buf_printf(out, " requests=%u hsm=%s initialized=%s",
		    server_busy(p->server),
		    states[keystore_state(
			root_keystore(server_root(p->server)))],
		    appliance_is_initialized(server_appliance(p->server))
			? "yes"
			: "no"));
	if (p->server != NULL)
		TRY(buf_printf(out, " transfers=%u unsent=%u",
		    transfers_running(server_appliance(p->server)->transfers),
		    log_transfers_waiting(
			server_appliance(p->server)->log_transfers)));
out:
	return rc;
}

static enum err
lab_command(void *ctx, const char *line, struct buf *out)
{
	struct program *p = ctx;

	return p->server != NULL ? fill_line(p->server, line, out)
				 : ERR_NOT_FOUND;
}

static enum err
open_lab(struct program *p)
{
	if (p->options.lab == NULL)
		return OK;
	p->lab_config = (struct lab_config){
	    .path = p->options.lab,
	    .faults = faults,
	    .fault_count = sizeof(faults) / sizeof(faults[0]),
	    .power_off = lab_power_off,
	    .status = lab_status,
	    .command = lab_command,
	    .ctx = p,
	};
	return lab_new(p->loop, p->env, &p->lab_config, &p->lab);
}

/* The serial console; only the owner of the server reaches it. */
static enum err
open_console(struct program *p)
{
	char *path = NULL;
	enum err rc = OK;

	if (p->server == NULL)
		return OK;
	/* as --dir has it: paths of sockets are short */
	TRY(mem_printf(&path, "%s/console.sock", p->options.dir));
	TRY(console_new(
	    path, server_appliance(p->server), DOOR_SERIAL, &p->console));
out:
	mem_free(path);
	return rc;
}

/* ---- the service ---- */

static enum err
open_tls(struct program *p)
{
	const struct tls_config tls = {
	    .certificate = p->config.certificate,
	    .key = p->config.key,
	    .trust = p->config.trust,
	    .ciphers = p->config.ciphers,
	    .suites = p->config.suites,
	};

	return tls_new(&tls, &p->tls);
}

static struct listen_config
listen_config(const struct program *p)
{
	const struct config *c = &p->config;

	return (struct listen_config){
	    .address =
		p->options.listen != NULL ? p->options.listen : c->listen,
	    .backlog = (unsigned)c->backlog,
	    .connections = (unsigned)c->connections_max,
	    .rules = {.tls = p->tls,
		.limits = {.message_octets = (size_t)c->message_max_octets,
		    .unanswered = (unsigned)c->unanswered_max,
		    .handshake_ms = c->handshake_timeout_s * 1000,
		    .message_ms = c->message_timeout_s * 1000,
		    .idle_ms = c->idle_timeout_s * 1000},
		.counts = p->server != NULL
			      ? statistics_counts(
				    server_appliance(p->server)->statistics)
			      : NULL},
	};
}

static enum err
write_ready(struct program *p, struct buf *out)
{
	const struct listener *listener = listener_of(p);
	enum err rc = OK;

	if (listener != NULL)
		TRY(buf_printf(out, " port=%u", listener_port(listener)));
	else if (!appliance_is_initialized(server_appliance(p->server)))
		TRY(buf_put_text(out, " uninitialized"));
	if (p->ports != NULL)
		TRY(key_ports_each(p->ports, say_port, out));
	TRY(buf_put(out, (struct bytes){(const uint8_t *)"", 1}));
out:
	return rc;
}

/* At the end of a turn: key servers may wait for the HSM, for their keys. */
static void
tell_ready_now(void *ctx)
{
	struct program *p = ctx;
	struct buf detail;

	if (p->ports != NULL && key_ports_wait(p->ports))
		return;
	loop_task_cancel(&p->telling);
	p->ready = true;
	buf_init(&detail, READY_OCTETS);
	if (write_ready(p, &detail) == OK)
		daemon_ready((const char *)buf_peek(&detail).at);
	buf_clear(&detail);
}

static void
tell_ready(struct program *p)
{
	p->telling = (struct loop_task){.fn = tell_ready_now, .ctx = p};
	loop_each_turn(p->loop, &p->telling);
}

static enum err
open_echo(struct program *p)
{
	struct listen_config listen = listen_config(p);
	enum err rc = OK;

	listen.rules.protocol = &echo_protocol;
	TRY(listener_new(p->loop, &listen, &p->echo));
	tell_ready(p);
out:
	return rc;
}

static void
fellows_open(void *ctx)
{
	key_ports_open(ctx);
}

static void
fellows_finish(void *ctx)
{
	key_ports_finish(ctx);
}

static unsigned
fellows_connections(void *ctx)
{
	return key_ports_connections(ctx);
}

static void
fellows_close(void *ctx)
{
	key_ports_close(ctx);
}

/* The key servers that administrators set. */
static enum err
open_key_ports(struct program *p)
{
	const struct key_ports_config ports = {
	    .appliance = server_appliance(p->server),
	    .engine = {[KEY_NAE] = {&nae_protocol, server_nae(p->server)},
		[KEY_KMIP] = {&kmip_protocol, server_kmip(p->server)}},
	    .listen = listen_config(p),
	    .ciphers = p->config.ciphers,
	    .suites = p->config.suites,
	};

	return key_ports_new(&ports, &p->ports);
}

/* The one of touchstone.conf, and with it the others. */
static enum err
open_key_server(struct program *p)
{
	struct service_port_config port = {
	    .loop = p->loop,
	    .services = server_appliance(p->server)->services,
	    .service = SERVICE_KEY_SERVER,
	    .listen = listen_config(p),
	    .fellows = &p->fellows,
	};

	p->fellows = (struct service_fellows){
	    .open = fellows_open,
	    .finish = fellows_finish,
	    .connections = fellows_connections,
	    .close = fellows_close,
	    .ctx = p->ports,
	};
	/* of touchstone.conf: an owner is whoever the certificate names */
	p->gate = (struct key_gate){
	    .appliance = server_appliance(p->server),
	    .engine = server_kmip(p->server),
	    .door = {.protocol = KEY_KMIP,
		.profile = KEY_STANDARD,
		.uses_ssl = true,
		.allows_config = true,
		.allows_export = true},
	    .client = KEY_CLIENT_USER,
	    .user_field = KEY_USER_CN,
	};
	port.listen.rules.protocol = &kmip_protocol;
	port.listen.rules.ctx = &p->gate;
	return service_port_new(&port, &p->key_server);
}

/* ---- first-time initialization ---- */

static void
initialized(void *ctx, enum err rc, const char *why)
{
	struct program *p = ctx;

	if (rc == OK) {
		tell_ready(p);
		return;
	}
	log_line("main", LOG_ERROR, "%s: %s", p->options.initialize, why);
	p->rc = rc;
	loop_stop(p->loop);
}

static enum err
initialize(struct program *p)
{
	char why[CHANGE_WHY_OCTETS] =
	    "it cannot be read, or others than its owner can";
	struct secret *file = NULL;
	enum err rc = OK;

	TRY(initialization_new(
	    server_appliance(p->server), &p->initialization));
	TRY(keyfile_read(
	    p->options.initialize, INITIALIZATION_FILE_OCTETS, &file));
	TRY(initialization_read(p->initialization, secret_peek(file), why));
	initialization_run(p->initialization, initialized, p);
out:
	secret_free(file);
	if (rc != OK)
		log_line(
		    "main", LOG_ERROR, "%s: %s", p->options.initialize, why);
	return rc;
}

/* The HSM has been asked. Until it is initialized there are no services. */
static void
server_ready(void *ctx)
{
	struct program *p = ctx;

	if (daemon_is_ending(p->end))
		return;
	if (p->options.initialize != NULL) {
		p->rc = initialize(p);
		if (p->rc != OK)
			loop_stop(p->loop);
		return;
	}
	if (appliance_is_initialized(server_appliance(p->server)))
		services_start(server_appliance(p->server)->services);
	tell_ready(p);
}

/* ---- restart, halt, and reset to factory settings ---- */

static void
leave(void *ctx, enum leave leave)
{
	struct program *p = ctx;
	const struct listener *listener = listener_of(p);

	if (leave == LEAVE_RESET)
		p->rc = factory_mark(p->dir);
	p->again = leave != LEAVE_HALT;
	/* whoever took a free port finds it again */
	if (listener != NULL && p->last_port == NULL)
		p->last_port = mem_strdup(listener_address(listener));
	daemon_end_begin(p->end);
}

static void
reset_done(void *ctx, enum err rc)
{
	struct program *p = ctx;

	p->rc = rc;
	p->again = true;
	loop_stop(p->loop);
}

/* Until it is switched off. req: KS-24-015 */
static void
hang(void)
{
	sigset_t none;

	log_line("main", LOG_WARN,
	    "the restart hangs: keyboard, mouse or video is attached");
	sigemptyset(&none);
	for (;;)
		(void)sigsuspend(&none);
}

/* Only if it cannot be does it return. */
static void
start_again(const struct program *p, char *name)
{
	const char *listen =
	    p->last_port != NULL ? p->last_port : p->options.listen;
	const char *args[8] = {name, "--dir", p->options.dir};
	size_t count = 3;

	if (listen != NULL) {
		args[count++] = "--listen";
		args[count++] = listen;
	}
	if (p->options.lab != NULL) {
		args[count++] = "--lab";
		args[count++] = p->options.lab;
	}
	bequeath_lock(p, true);
	daemon_again((char *const *)args);
}

/* ---- all of it ---- */

static enum err
find_card(struct program *p)
{
	const struct config *c = &p->config;
	enum err rc = OK;

	if (*c->card == '\0')
		return OK;
	if (c->model != MODEL_K460 && c->model != MODEL_I460) {
		log_line("main", LOG_ERROR,
		    "touchstone.conf: card: this model has none");
		TRY(ERR_CONFIG);
	}
	TRY(mem_printf(&p->card, "%s/%s", p->options.dir, c->card));
out:
	return rc;
}

static enum err
open_store(struct program *p)
{
	const struct store_options options = {.lab = p->options.lab != NULL};

	return store_open(p->dir, p->env, &options, &p->store);
}

static void
restores_proceed(void *ctx, uint64_t done, uint64_t all)
{
	char detail[STARTING_OCTETS];

	(void)ctx;
	(void)snprintf(detail, sizeof(detail),
	    "a restored backup comes into force, step %" PRIu64 " of %" PRIu64,
	    done, all);
	daemon_starting("main", detail);
}

/* Without it the device starts as it was. req: KS-23-086 */
static void
apply_restores(struct program *p)
{
	unsigned count;
	enum err rc = restore_apply(p->store, restores_proceed, NULL, &count);

	if (rc != OK)
		log_line("main", LOG_ERROR,
		    "a restore does not come into force: %s", err_text(rc));
}

/* Without it the device runs as well; the next start tries again. */
static void
fall_back(struct program *p)
{
	enum err rc = software_fall_back(p->store, p->fell_back);

	if (rc != OK) {
		log_line("main", LOG_ERROR,
		    "the software is not rolled back: %s", err_text(rc));
		p->fell_back[0] = '\0';
		return;
	}
	log_line("main", LOG_WARN, "%s", p->fell_back);
}

/* Nobody has been let in yet: from here on administrators roll back. */
static void
come_up(struct program *p)
{
	struct appliance *appliance = server_appliance(p->server);

	if (!p->falls_back)
		software_trust(appliance);
	if (p->fell_back[0] != '\0')
		logs_add_system(appliance, "Software", "%s", p->fell_back);
}

static void
printed(void *ctx, enum err rc)
{
	struct program *p = ctx;

	p->rc = rc;
	loop_stop(p->loop);
}

static enum err
open_print(struct program *p)
{
	const struct config *c = &p->config;
	const struct print_state_config print = {
	    .root = {.dir = p->dir,
		.env = p->env,
		.loop = p->loop,
		.store = p->store,
		.module = c->hsm_module,
		.token = c->hsm_token,
		.kek = c->hsm_kek,
		.card = p->card,
		.pin_path = *c->hsm_pin != '\0' ? c->hsm_pin : NULL},
	    .key_path = p->options.state_key,
	    .digest = p->options.digest,
	    .done = printed,
	    .ctx = p,
	};

	return print_state_new(&print, &p->print);
}

static enum err
open_server(struct program *p)
{
	const struct config *c = &p->config;
	struct server_config server = {
	    .dir = p->dir,
	    .env = p->env,
	    .loop = p->loop,
	    .store = p->store,
	    .hsm_module = c->hsm_module,
	    .hsm_token = c->hsm_token,
	    .hsm_pin_path = *c->hsm_pin != '\0' ? c->hsm_pin : NULL,
	    .hsm_kek = c->hsm_kek,
	    .model = models[c->model],
	    .ethernet = c->ethernet,
	    .powered_on = !p->restarted,
	    .workers = (unsigned)c->workers,
	    .lease_s = (uint32_t)c->lease_time_s,
	    .card = p->card,
	    .ped_client = p->card != NULL && *c->ped_client != '\0'
			      ? c->ped_client
			      : NULL,
	    .package_trust =
		*c->package_trust != '\0' ? c->package_trust : NULL,
	    .password_iterations = (unsigned)c->password_iterations,
	    .dictionary = *c->dictionary != '\0' ? c->dictionary : NULL,
	    .ready = server_ready,
	    .leave = leave,
	    .ctx = p,
	};
	enum err rc = OK;

	TRY(server_new(&server, &p->server));
	TRY(open_key_ports(p));
	TRY(open_key_server(p));
	TRY(ssh_door_new(server_appliance(p->server), c->ssh_listen, &p->ssh));
	TRY(status_ports_new(server_appliance(p->server), &p->status_ports));
out:
	return rc;
}

static enum err
start(struct program *p, char **argv)
{
	enum err rc = OK;

	TRY(lock_dir(p));
	TRY(give_way(p, argv));
	TRY(load_config(p));
	TRY(open_env(p));
	TRY(loop_new(p->env, &p->loop));
	TRY(open_end(p));
	TRY(find_card(p));
	if (factory_is_marked(p->dir))
		return factory_reset_new(
		    p->loop, p->dir, p->card, reset_done, p, &p->reset);
	if (p->options.state_key != NULL) {
		TRY(open_store(p));
		return open_print(p);
	}
	TRY(open_tls(p));
	if (p->config.protocol == 0) {
		TRY(open_store(p));
		if (factory_is_asked(p->store)) {
			leave(p, LEAVE_RESET);
			return OK;
		}
		if (p->falls_back)
			fall_back(p);
		apply_restores(p);
		TRY(open_server(p));
	}
	TRY(open_lab(p));
	TRY(open_console(p));
	if (p->server != NULL)
		come_up(p);
	else
		TRY(open_echo(p));
out:
	return rc;
}

/*
 * false: a job hangs and holds what it works on, which is left to the end of
 * the process. Everything that was answered is durable by then.
 */
static bool
stop(struct program *p)
{
	loop_task_cancel(&p->telling);
	console_free(p->console);
	ssh_door_free(p->ssh);
	status_ports_free(p->status_ports);
	service_port_free(p->key_server);
	key_ports_free(p->ports);
	listener_free(p->echo);
	if (p->server != NULL)
		transfers_stop(server_appliance(p->server)->transfers);
	if (p->loop != NULL)
		loop_end_jobs(p->loop);
	if (p->server != NULL &&
	    (server_busy(p->server) != 0 ||
		backups_running(server_appliance(p->server)->backups) != 0))
		return false;
	initialization_free(p->initialization);
	factory_reset_free(p->reset);
	print_state_free(p->print);
	server_free(p->server);
	store_close(p->store);
	lab_free(p->lab);
	tls_free(p->tls);
	daemon_end_free(p->end);
	loop_free(p->loop);
	env_free(p->env);
	config_clear(&p->config);
	mem_free(p->dir); /* realpath allocates as mem does */
	mem_free(p->card);
	return true;
}

int
main(int argc, char **argv)
{
	struct program p = {.lock_fd = -1};
	bool is_whole;
	enum err rc = OK;

	if (argc > 2 && strcmp(argv[1], "console") == 0)
		return terminal_run(argc - 2, argv + 2);
	log_init();
	read_options(argc, argv, &p.options);
	/* the laboratory looks into memory on purpose */
	daemon_shield(p.options.lab != NULL);
	TRY(start(&p, argv));
	TRY(loop_run(p.loop));
	rc = p.rc;
out:
	if (rc != OK)
		log_line("main", LOG_ERROR, "stopped: %s", err_text(rc));
	is_whole = stop(&p);
	if (rc == OK && p.again) {
		if (p.attached)
			hang();
		start_again(&p, argv[0]);
		rc = ERR_SYSTEM;
	}
	mem_free(p.last_port);
	if (!is_whole)
		_exit(rc == OK ? 0 : 1);
	return rc == OK ? 0 : 1;
}
