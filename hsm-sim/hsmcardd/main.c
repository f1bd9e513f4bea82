/*
 * hsmcardd: the card, as a process of its own.
 *
 *	hsmcardd --dir DIR [options]; --help lists them
 *
 * DIR is what the card keeps without power, and the only one in it at a time
 * is this process. When its sockets listen it prints "ready":
 *
 *	DIR/p11.sock    PKCS#11, for the module libhsm-sim.so (rpc/serve.h)
 *	DIR/admin.sock  administration (card/admin.h)
 *
 * A thread serves each connection; the loop's own lets them in, keeps time and
 * obeys the laboratory. SIGTERM ends it in order: calls under way are brought
 * to their end, dialogues at the PED are given up; a second one, or
 * DAEMON_END_S later, ends it at once.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/lab.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/version.h"
#include "card/admin.h"
#include "hsmcardd/door.h"
#include "rpc/serve.h"
#include "rpc/wire.h"
#include "token/token.h"

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"
/* in the words of card/admin.h */
#define TOO_MANY "error CARD_NO_MEMORY too many administrators\n"

enum {
	BEAT_MS = 1000, /* of the card, where time goes by itself */
	P11_GUESTS_MAX = 512,
	ADMIN_GUESTS_MAX = 16,
};

enum { CODES_STANDARD, CODES_LUNA }; /* of --rv */

struct options {
	const char *dir;
	const char *softhsm;
	unsigned model;   /* enum card_model */
	unsigned lockout; /* enum card_lockout */
	unsigned codes;
	unsigned slots;
	bool deactivate_ends_auto;
	bool fips;
	const char *lab;
	const char *clock;
};

struct program {
	struct options options;
	struct env *env;
	struct loop *loop;
	struct wait_room *waits;
	struct card *card;
	struct token *token;
	struct rpc_server *rpc;
	struct admin_config admin_config;
	char *p11_path, *admin_path;
	uint8_t p11_refusal[WIRE_HELLO_OCTETS];
	struct door_config p11_config, admin_door_config;
	struct door *p11, *admin;
	struct loop_timer *beat; /* NULL in the laboratory */
	struct lab_config lab_config;
	struct lab *lab;
	struct daemon_end *end;
};

/* ---- the command line ---- */

static const struct options_form form = {
    .name = "hsmcardd",
    .version = VERSION,
    .usage = "usage: hsmcardd --dir DIR [options]\n",
};

static const char *const models[] = {
    [CARD_K6] = "k6", [CARD_LUNA7] = "luna7", NULL};
static const char *const lockouts[] = {
    [CARD_LOCKOUT_SO_RESET] = "so-reset",
    [CARD_LOCKOUT_TIMED] = "timed",
    [CARD_LOCKOUT_PERMANENT] = "permanent",
    NULL,
};
static const char *const codes[] = {
    [CODES_STANDARD] = "standard", [CODES_LUNA] = "luna", NULL};

static void
read_options(int argc, char **argv, struct options *o)
{
	const struct options_row rows[] = {
	    {"dir", "DIR", "what the card keeps; made where it is not there",
		.text = &o->dir},
	    {"model", NULL,
		"the built-in card, with a PED; or partitions with passwords "
		"(k6)",
		.choice = &o->model, .choices = models},
	    {"slots", "N", "luna7: partitions (1)", .number = &o->slots,
		.least = 1, .most = CARD_SLOTS_MAX},
	    {"rv", NULL, "PKCS#11's return codes, or the vendor's (standard)",
		.choice = &o->codes, .choices = codes},
	    {"lockout", NULL,
		"of a role with too many failed logins (so-reset)",
		.choice = &o->lockout, .choices = lockouts},
	    {"deactivate-ends-auto", NULL,
		"k6: after it the black iKey is needed, as with a Luna",
		.flag = &o->deactivate_ends_auto},
	    {"fips", NULL,
		"in FIPS 140-2 approved operation mode: no MD5, no DES",
		.flag = &o->fips},
	    {"softhsm", "FILE", "SoftHSM's module (" SOFTHSM ")",
		.text = &o->softhsm},
	    {"lab", "SOCKET",
		"laboratory: virtual time, faults, tamper, battery and the "
		"power switch; for tests only",
		.text = &o->lab},
	    {"clock", "FILE", "of the laboratory", .text = &o->clock},
	};

	*o = (struct options){.softhsm = SOFTHSM, .slots = 1};
	options_read(&form, rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
	if (o->dir == NULL)
		options_refuse(&form, "--dir DIR is needed");
	if (o->model == CARD_K6 && o->slots != 1)
		options_refuse(&form, "--slots: a K6 has one partition");
	if ((o->lab == NULL) != (o->clock == NULL))
		options_refuse(&form, "--lab and --clock go together");
}

/* ---- time ---- */

static enum err
open_env(struct program *p)
{
	enum err rc = OK;

	TRY(daemon_env("hsmcardd", p->options.clock, &p->env));
	if (p->options.clock != NULL)
		log_line("hsmcardd", LOG_WARN,
		    "laboratory mode: not for keys that matter");
out:
	return rc;
}

/* ---- the end ---- */

static void
end_begins(void *ctx)
{
	struct program *p = ctx;

	door_close(p->p11);
	door_close(p->admin);
	wait_room_close(p->waits);
}

static bool
end_is_over(void *ctx)
{
	struct program *p = ctx;

	return door_guests(p->p11) == 0 && door_guests(p->admin) == 0;
}

static enum err
open_end(struct program *p)
{
	const struct daemon_end_config end = {
	    .begin = end_begins, .over = end_is_over, .ctx = p};

	return daemon_end_new(p->loop, &end, &p->end);
}

/* ---- the laboratory ---- */

static void
power_off(void *ctx, bool tear, uint64_t seed, unsigned nth)
{
	struct program *p = ctx;
	char line[64];
	struct buf answer;

	(void)seed; /* what the card writes is there whole, or not at all */
	if (!tear || nth == 0)
		(void)kill(getpid(), SIGKILL);
	buf_init(&answer, LAB_LINE_OCTETS);
	(void)snprintf(line, sizeof(line), "fault cut nth=%u", nth);
	if (card_lab_command(p->card, line, &answer) != OK)
		log_line("hsmcardd", LOG_ERROR, "laboratory: %s: failed", line);
	buf_clear(&answer);
}

static enum err
lab_status(void *ctx, struct buf *out)
{
	struct program *p = ctx;
	struct card_slot slot;
	unsigned k;
	enum err rc = OK;

	TRY(buf_printf(out, " model=%s applications=%u administrators=%u",
	    models[p->options.model], door_guests(p->p11),
	    door_guests(p->admin)));
	for (k = 1; k <= card_slots(p->card); k++) {
		if (card_slot(p->card, k, &slot) != CARD_OK)
			continue;
		TRY(buf_printf(out, " slot-%u=%s", k,
		    slot.activated     ? "activated"
		    : slot.initialized ? "initialized"
		    : slot.present     ? "blank"
				       : "none"));
	}
out:
	return rc;
}

static enum err
lab_command(void *ctx, const char *line, struct buf *out)
{
	struct program *p = ctx;

	return card_lab_command(p->card, line, out);
}

static void
time_moved(void *ctx)
{
	struct program *p = ctx;

	card_tick(p->card);
}

static enum err
open_lab(struct program *p)
{
	if (p->options.lab == NULL)
		return OK;
	p->lab_config = (struct lab_config){
	    .path = p->options.lab,
	    .power_off = power_off,
	    .status = lab_status,
	    .command = lab_command,
	    .moved = time_moved,
	    .ctx = p,
	    .waits = p->waits,
	};
	return lab_new(p->loop, p->env, &p->lab_config, &p->lab);
}

/* ---- the service ---- */

static enum err
open_card(struct program *p)
{
	const struct options *o = &p->options;
	const struct card_config card = {
	    .dir = o->dir,
	    .env = p->env,
	    .waits = p->waits,
	    .softhsm_module = o->softhsm,
	    .model = (enum card_model)o->model,
	    .slots = o->slots,
	    .lockout = (enum card_lockout)o->lockout,
	    .deactivate_ends_auto = o->deactivate_ends_auto,
	    .fips = o->fips,
	    .lab = o->lab != NULL,
	};
	enum card_rv rv;
	enum err rc = OK;

	TRY(daemon_dir("hsmcardd", o->dir));
	rv = card_new(&card, &p->card);
	if (rv != CARD_OK) {
		log_line(
		    "hsmcardd", LOG_ERROR, "%s: %s", o->dir, card_rv_text(rv));
		TRY(ERR_HSM);
	}
	TRY(token_new(p->card, p->env, o->codes == CODES_LUNA, &p->token));
out:
	return rc;
}

static void
serve_p11(void *ctx, int fd)
{
	struct program *p = ctx;

	rpc_serve(p->rpc, fd);
}

static enum err
open_p11(struct program *p)
{
	const struct rpc_server_config server = {
	    .token = p->token,
	    .calls = &token_calls,
	    .app_new = token_app_new,
	    .app_free = token_app_free,
	    .env = p->env,
	    .waits = p->waits,
	};
	const struct wire_hello full = {
	    .version = WIRE_VERSION, .status = WIRE_HELLO_FULL};
	enum err rc = OK;

	TRY(rpc_server_new(&server, &p->rpc));
	wire_hello_write(&full, p->p11_refusal);
	TRY(mem_printf(&p->p11_path, "%s/p11.sock", p->options.dir));
	p->p11_config = (struct door_config){
	    .path = p->p11_path,
	    .guests_max = P11_GUESTS_MAX,
	    .refusal = {p->p11_refusal, sizeof(p->p11_refusal)},
	    .waits = p->waits,
	    .serve = serve_p11,
	    .ctx = p,
	};
	TRY(door_new(p->loop, &p->p11_config, &p->p11));
out:
	return rc;
}

/* What objects take is the token's to know; in the words of card/admin.h. */
static enum err
put_storage(void *ctx, unsigned slot, struct buf *out)
{
	struct program *p = ctx;
	struct token_storage storage;

	if (token_storage(p->token, slot, &storage) != CARD_OK ||
	    !storage.known)
		return OK;
	return buf_printf(out, " total=%llu used=%llu objects=%lu",
	    (unsigned long long)storage.total_octets,
	    (unsigned long long)storage.used_octets, storage.objects);
}

static void
serve_admin(void *ctx, int fd)
{
	struct program *p = ctx;

	admin_serve(&p->admin_config, fd);
}

static enum err
open_admin(struct program *p)
{
	enum err rc = OK;

	p->admin_config = (struct admin_config){
	    .card = p->card,
	    .model = (enum card_model)p->options.model,
	    .waits = p->waits,
	    .storage = put_storage,
	    .ctx = p,
	};
	TRY(mem_printf(&p->admin_path, "%s/admin.sock", p->options.dir));
	p->admin_door_config = (struct door_config){
	    .path = p->admin_path,
	    .guests_max = ADMIN_GUESTS_MAX,
	    .refusal = bytes_of_text(TOO_MANY),
	    .waits = p->waits,
	    .serve = serve_admin,
	    .ctx = p,
	};
	TRY(door_new(p->loop, &p->admin_door_config, &p->admin));
out:
	return rc;
}

static void
beat(void *ctx)
{
	struct program *p = ctx;

	card_tick(p->card);
	loop_timer_set(p->beat, loop_now_ms(p->loop) + BEAT_MS);
}

static enum err
open_beat(struct program *p)
{
	enum err rc = OK;

	if (p->options.lab != NULL)
		return OK;
	TRY(loop_timer_new(p->loop, beat, p, &p->beat));
	loop_timer_set(p->beat, loop_now_ms(p->loop) + BEAT_MS);
out:
	return rc;
}

static enum err
start(struct program *p)
{
	enum err rc = OK;

	TRY(open_env(p));
	TRY(loop_new(p->env, &p->loop));
	TRY(open_end(p));
	TRY(wait_room_new(p->env, &p->waits));
	TRY(open_card(p));
	TRY(open_p11(p));
	TRY(open_admin(p));
	TRY(open_beat(p));
	TRY(open_lab(p));
	daemon_ready("");
out:
	return rc;
}

/* false: a thread hangs, and is left to the end of the process. */
static bool
stop(struct program *p)
{
	if ((p->p11 != NULL && door_guests(p->p11) != 0) ||
	    (p->admin != NULL && door_guests(p->admin) != 0))
		return false;
	lab_free(p->lab);
	loop_timer_free(p->beat);
	door_free(p->p11);
	door_free(p->admin);
	mem_free(p->p11_path);
	mem_free(p->admin_path);
	rpc_server_free(p->rpc);
	token_free(p->token);
	card_free(p->card);
	wait_room_free(p->waits);
	daemon_end_free(p->end);
	loop_free(p->loop);
	env_free(p->env);
	return true;
}

int
main(int argc, char **argv)
{
	struct program p = {.end = NULL};
	enum err rc = OK;

	log_init();
	read_options(argc, argv, &p.options);
	daemon_shield(false);
	TRY(start(&p));
	TRY(loop_run(p.loop));
out:
	if (rc != OK)
		log_line("hsmcardd", LOG_ERROR, "stopped: %s", err_text(rc));
	if (!stop(&p))
		_exit(rc == OK ? 0 : 1);
	return rc == OK ? 0 : 1;
}
