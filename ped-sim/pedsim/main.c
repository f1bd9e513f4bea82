/*
 * pedsim: a simulated PED.
 *
 *	pedsim --dir DIR [--card SOCKET] [--usb SOCKET] [--lab SOCKET]
 *	       [--clock FILE] [--tty]
 *
 * Its power is its process: it starts with its self-test, and what it was
 * doing is lost when it ends. It keeps no file but its sockets; iKeys are files
 * of whoever inserts them. When it can be used it prints "ready".
 *
 * req: KS-01-021, KS-01-024
 */
#include "base/daemon.h"
#include "base/lab.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/version.h"
#include "pedsim/cable.h"
#include "pedsim/control.h"
#include "pedsim/face.h"

struct options {
	const char *dir;
	const char *card;
	const char *usb;
	const char *lab;
	const char *clock;
	bool tty;
};

struct program {
	struct options options;
	char *control_path;
	struct env *env;
	struct loop *loop;
	struct ped_config ped_config;
	struct ped *ped;
	struct cable_config cable_config;
	struct cable *cable;
	struct control *control;
	struct face *face; /* NULL: nobody looks */
	struct lab_config lab_config;
	struct lab *lab;
	struct daemon_end *end;
};

/* ---- the command line ---- */

static const struct options_form form = {
    .name = "pedsim",
    .version = VERSION,
    .usage = "usage: pedsim --dir DIR [--card SOCKET] [--usb SOCKET] [--tty]\n"
	     "              [--lab SOCKET [--clock FILE]]\n",
};

static void
read_options(int argc, char **argv, struct options *o)
{
	const struct options_row rows[] = {
	    {"dir", "DIR", "where ctl.sock is made, for pedctl",
		.text = &o->dir},
	    {"card", "SOCKET", "the card's, for local mode (card/ped.sock)",
		.text = &o->card},
	    {"usb", "SOCKET", "PedServer's, for remote mode", .text = &o->usb},
	    {"tty", NULL, "a face on this terminal, for people",
		.flag = &o->tty},
	    {"lab", "SOCKET",
		"laboratory mode: virtual time, and faults on a control socket",
		.text = &o->lab},
	    {"clock", "FILE", "of the laboratory (clock)", .text = &o->clock},
	};

	*o = (struct options){.card = "card/ped.sock", .clock = "clock"};
	options_read(&form, rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
	if (o->dir == NULL)
		options_refuse(&form, "--dir DIR is needed");
}

/* ---- between the device and the world ---- */

static void
shown(void *ctx)
{
	struct program *p = ctx;

	if (p->control != NULL)
		control_shown(p->control);
	if (p->face != NULL)
		face_shown(p->face);
}

static void
line_wanted(void *ctx, enum ped_line line)
{
	struct program *p = ctx;

	cable_to(p->cable, line);
}

static void
drop_wanted(void *ctx)
{
	struct program *p = ctx;

	cable_drop(p->cable);
}

static void
send_wanted(void *ctx, struct bytes octets)
{
	struct program *p = ctx;

	cable_send(p->cable, octets);
}

static void
cable_is_up(void *ctx)
{
	struct program *p = ctx;

	ped_line_up(p->ped);
}

static void
cable_is_down(void *ctx)
{
	struct program *p = ctx;

	ped_line_down(p->ped);
}

static void
cable_says(void *ctx, struct bytes octets)
{
	struct program *p = ctx;

	ped_line_octets(p->ped, octets);
}

static void
switched_off(void *ctx)
{
	struct program *p = ctx;

	loop_stop(p->loop);
}

static enum err
make_device(struct program *p)
{
	enum err rc = OK;

	p->cable_config = (struct cable_config){
	    .loop = p->loop,
	    .local_path = p->options.card,
	    .remote_path = p->options.usb,
	    .up = cable_is_up,
	    .down = cable_is_down,
	    .octets = cable_says,
	    .ctx = p,
	};
	TRY(cable_new(&p->cable_config, &p->cable));
	p->ped_config = (struct ped_config){
	    .env = p->env,
	    .loop = p->loop,
	    .shown = shown,
	    .line = line_wanted,
	    .drop = drop_wanted,
	    .send = send_wanted,
	    .ctx = p,
	};
	TRY(ped_new(&p->ped_config, &p->ped));
	TRY(mem_printf(&p->control_path, "%s/ctl.sock", p->options.dir));
	TRY(control_new(p->loop, p->ped, p->control_path, &p->control));
	if (p->options.tty)
		TRY(face_new(p->loop, p->ped, switched_off, p, &p->face));
out:
	return rc;
}

/* ---- the laboratory ---- */

static enum err
fault_usb(void *ctx, unsigned broken)
{
	struct program *p = ctx;

	ped_break_usb(p->ped, broken != 0);
	return OK;
}

static enum err
fault_display(void *ctx, unsigned broken)
{
	struct program *p = ctx;

	ped_break_display(p->ped, broken != 0);
	return OK;
}

static enum err
fault_entropy(void *ctx, unsigned broken)
{
	struct program *p = ctx;

	env_break_random(p->env, broken != 0);
	return OK;
}

static const struct lab_fault faults[] = {
    {"usb", "ok|broken", fault_usb},
    {"display", "ok|broken", fault_display},
    {"entropy", "ok|broken", fault_entropy},
};

static enum err
lab_status(void *ctx, struct buf *out)
{
	struct program *p = ctx;

	return control_status(p->ped, out);
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
	    .power_off = daemon_power_off,
	    .status = lab_status,
	    .ctx = p,
	};
	return lab_new(p->loop, p->env, &p->lab_config, &p->lab);
}

/* ---- the process ---- */

static enum err
run(struct program *p)
{
	const struct options *o = &p->options;
	const struct daemon_end_config end = {.hang_up = true};
	enum err rc = OK;

	TRY(daemon_dir("pedsim", o->dir));
	TRY(daemon_env("pedsim", o->lab != NULL ? o->clock : NULL, &p->env));
	TRY(loop_new(p->env, &p->loop));
	TRY(daemon_end_new(p->loop, &end, &p->end));
	TRY(make_device(p));
	TRY(open_lab(p));
	ped_power_on(p->ped);
	if (!o->tty)
		daemon_ready("");
	TRY(loop_run(p->loop));
out:
	return rc;
}

static void
clear(struct program *p)
{
	lab_free(p->lab);
	face_free(p->face);
	p->face = NULL;
	control_free(p->control);
	p->control = NULL;
	ped_free(p->ped);
	cable_free(p->cable);
	daemon_end_free(p->end);
	loop_free(p->loop);
	env_free(p->env);
	mem_free(p->control_path);
}

int
main(int argc, char **argv)
{
	struct program p = {.end = NULL};
	enum err rc;

	log_init();
	read_options(argc, argv, &p.options);
	daemon_shield(p.options.lab != NULL);
	rc = run(&p);
	clear(&p);
	if (rc == OK)
		return 0;
	log_line("pedsim", LOG_ERROR, "%s", err_text(rc));
	return 1;
}
