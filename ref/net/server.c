#include "net/server.h"

#include "base/log.h"
#include "base/mem.h"
#include "device/hardware.h"
#include "device/logs.h"
#include "device/log_sign.h"
#include "device/package.h"
#include "device/software.h"

struct server {
	struct server_config config;
	struct store *store;
	struct appliance appliance;
	bool is_open; /* the appliance */
	struct loop_pool *passwords;
	struct package_trust *trust;
	char *vault;
	char *logs_dir;
	char *backup_dir;
	char *software_dir;
	struct root *root;
	struct loop_pool *workers;
	struct loop_pool *signers;
	struct kmip *kmip;
	struct nae *nae;
	struct loop_task commit;
	struct loop_timer *due_timer; /* objects whose state changes by date */
	int64_t due_not_before_ms;    /* after a failure */
};

/*
 * States change at their dates, whether or not somebody asks. Where a change
 * cannot be stored it is tried again, and nobody else's request fails for it.
 */
static void
due_schedule(struct server *s)
{
	int64_t due_s = store_next_due_s(s->store);
	int64_t due_ms;

	if (due_s == INT64_MAX) {
		loop_timer_stop(s->due_timer);
		return;
	}
	due_ms = loop_now_ms(s->config.loop) + due_s * 1000 -
		 env_wall_ms(s->config.env);
	if (due_ms < s->due_not_before_ms)
		due_ms = s->due_not_before_ms;
	loop_timer_set(s->due_timer, due_ms);
}

static void
due_later(struct server *s)
{
	s->due_not_before_ms = loop_now_ms(s->config.loop) + SERVER_RETRY_MS;
}

static void
states_due(void *ctx)
{
	struct server *s = ctx;
	enum err rc = store_tick(s->store, env_wall_s(s->config.env));

	if (rc == OK)
		return;
	log_line("net", LOG_ERROR, "states that are due do not change: %s",
	    err_text(rc));
	due_later(s);
}

/*
 * The turn's end. What the log of the database gathered is moved when nobody
 * waits for an answer.
 */
static void
commit(void *ctx)
{
	struct server *s = ctx;
	enum err rc = store_commit(s->store);

	if (rc != OK) {
		log_line("net", LOG_ERROR, "a group of writes is undone: %s",
		    err_text(rc));
		due_later(s);
	}
	logs_write(&s->appliance);
	due_schedule(s);
	if (server_busy(s) == 0)
		store_idle(s->store);
}

/* Nothing happens to it but in the laboratory. */
static enum err
open_hardware(struct server *s)
{
	struct hardware_config hardware = {.appliance = &s->appliance,
	    .model = s->config.model,
	    .powered_on = s->config.powered_on};
	char *path = NULL;
	char *box = NULL;
	enum err rc = OK;

	TRY(mem_printf(&box, "%s/box-id", s->config.dir));
	hardware.box_path = box;
	if (env_is_lab(s->config.env))
		TRY(mem_printf(&path, "%s/hardware", s->config.dir));
	hardware.path = path;
	TRY(hardware_new(&hardware, &s->appliance.hardware));
out:
	mem_free(path);
	mem_free(box);
	return rc;
}

/*
 * Before anything has a timer: elapsed time goes on where it was, and wall time
 * is what it was set to.
 */
static enum err
open_appliance(struct server *s)
{
	struct appliance *appliance = &s->appliance;
	enum err rc = OK;

	if (s->config.package_trust != NULL)
		TRY(package_trust_load(s->config.package_trust, &s->trust));
	TRY(mem_printf(&s->vault, "%s/vault.key", s->config.dir));
	TRY(mem_printf(&s->logs_dir, "%s/logs", s->config.dir));
	TRY(mem_printf(&s->backup_dir, "%s/backup", s->config.dir));
	TRY(mem_printf(&s->software_dir, "%s/software", s->config.dir));
	TRY(loop_pool_new(s->config.loop, "password", 1, &s->passwords));
	appliance->env = s->config.env;
	appliance->loop = s->config.loop;
	appliance->store = s->store;
	appliance->passwords = s->passwords;
	appliance->password_iterations = s->config.password_iterations;
	appliance->dictionary = s->config.dictionary;
	appliance->ethernet = s->config.ethernet;
	appliance->vault = s->vault;
	appliance->trust = s->trust;
	appliance->logs_dir = s->logs_dir;
	appliance->backup_dir = s->backup_dir;
	appliance->software_dir = s->software_dir;
	appliance->leave = s->config.leave;
	appliance->leave_ctx = s->config.ctx;
	TRY(appliance_open(appliance));
	s->is_open = true;
	TRY(clock_start(appliance->clock, s->config.loop));
	TRY(open_hardware(s));
	log_signer_ready(appliance);
	software_ready(appliance);
out:
	return rc;
}

static enum err
open_root(struct server *s)
{
	const struct root_config root = {
	    .dir = s->config.dir,
	    .env = s->config.env,
	    .loop = s->config.loop,
	    .store = s->store,
	    .module = s->config.hsm_module,
	    .token = s->config.hsm_token,
	    .kek = s->config.hsm_kek,
	    .card = s->config.card,
	    .ped_client = s->config.ped_client,
	    .pin_path = s->config.hsm_pin_path,
	    .ready = s->config.ready,
	    .ctx = s->config.ctx,
	};

	enum err rc = root_new(&root, &s->root);

	s->appliance.root = s->root;
	return rc;
}

static enum err
open_kmip(struct server *s)
{
	struct kmip_config kmip = {
	    .env = s->config.env,
	    .appliance = &s->appliance,
	    .store = s->store,
	    .keystore = root_keystore(s->root),
	    .hsm_pool = root_pool(s->root),
	    .vendor = "Touchstone",
	    .lease_s = s->config.lease_s,
	};
	enum err rc = OK;

	TRY(loop_pool_new(
	    s->config.loop, "work", s->config.workers, &s->workers));
	kmip.workers = s->workers;
	TRY(kmip_new(&kmip, &s->kmip));
out:
	return rc;
}

static enum err
open_nae(struct server *s)
{
	struct nae_config nae = {
	    .appliance = &s->appliance,
	    .keystore = root_keystore(s->root),
	    .workers = s->workers,
	    .hsm_pool = root_pool(s->root),
	    .model = s->config.model,
	    .box_id = hardware_box_id(s->appliance.hardware),
	};
	enum err rc = OK;

	/* one: there is a processor for the loop, too */
	TRY(loop_pool_new(s->config.loop, "sign", 1, &s->signers));
	nae.signers = s->signers;
	TRY(nae_new(&nae, &s->nae));
out:
	return rc;
}

enum err
server_new(const struct server_config *config, struct server **out)
{
	struct server *s = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(s));
	s->config = *config;
	s->commit = (struct loop_task){.fn = commit, .ctx = s};
	s->store = config->store;
	TRY(open_appliance(s));
	TRY(open_root(s));
	TRY(open_kmip(s));
	TRY(open_nae(s));
	TRY(loop_timer_new(config->loop, states_due, s, &s->due_timer));
	loop_each_turn(config->loop, &s->commit);
	*out = s;
	s = NULL;
out:
	server_free(s);
	return rc;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	loop_task_cancel(&s->commit);
	loop_timer_free(s->due_timer);
	nae_free(s->nae);
	kmip_free(s->kmip);
	root_free(s->root);
	if (s->is_open)
		appliance_close(&s->appliance);
	mem_free(s->logs_dir);
	hardware_free(s->appliance.hardware);
	mem_free(s->backup_dir);
	mem_free(s->software_dir);
	mem_free(s->vault);
	package_trust_free(s->trust);
	mem_free(s);
}

struct kmip *
server_kmip(struct server *s)
{
	return s->kmip;
}

struct nae *
server_nae(struct server *s)
{
	return s->nae;
}

unsigned
server_busy(const struct server *s)
{
	return kmip_busy(s->kmip) + nae_busy(s->nae);
}

struct root *
server_root(struct server *s)
{
	return s->root;
}

struct appliance *
server_appliance(struct server *s)
{
	return &s->appliance;
}
