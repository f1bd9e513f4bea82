#include "net/server.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"

static const char master_key[] = "crypto.master"; /* among the store's values */

enum { MASTER_MAX_OCTETS = 4096 };

struct server {
	struct server_config config;
	char *hsm_dir;
	char *pin_path; /* of a token of our own */
	struct store *store;
	struct hsm *hsm;
	struct keystore *keystore;
	struct loop_pool *hsm_pool; /* may hang without harm to others */
	struct loop_pool *workers;
	struct kmip *kmip;
	struct loop_task commit;
	struct loop_timer *probe_timer;
	struct loop_timer *due_timer; /* objects whose state changes by date */
	int64_t due_not_before_ms;    /* after a failure */
	struct store_waiter master_waiter;
	enum keystore_state state; /* as it was logged last */
	bool asked;                /* the first probe is done */
	bool again;                /* probe once more after this one */
};

static const char *const state_names[] = {
    [KEYSTORE_READY] = "ready",
    [KEYSTORE_LOGGED_OUT] = "logged out",
    [KEYSTORE_UNREACHABLE] = "unreachable",
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
	due_schedule(s);
	if (kmip_busy(s->kmip) == 0)
		store_idle(s->store);
}

static void
tell_state(struct server *s)
{
	enum keystore_state now = keystore_state(s->keystore);

	if (s->asked && now == s->state)
		return;
	log_line("net", now == KEYSTORE_READY ? LOG_INFO : LOG_WARN,
	    "the HSM is %s", state_names[now]);
	s->state = now;
}

static void
first_asked(struct server *s)
{
	if (s->asked)
		return;
	s->asked = true;
	s->config.ready(s->config.ctx);
}

/* A new master key counts once it is durable. */
static void
master_stored(struct store_waiter *waiter, enum err rc)
{
	struct server *s = waiter->ctx;

	if (rc == OK)
		keystore_stored(s->keystore);
	else
		log_line("net", LOG_ERROR, "the master key is not stored: %s",
		    err_text(rc));
	tell_state(s);
	first_asked(s);
}

static void
store_master(struct server *s)
{
	enum err rc = store_meta_put(
	    s->store, master_key, keystore_to_store(s->keystore));

	s->master_waiter =
	    (struct store_waiter){.done = master_stored, .ctx = s};
	if (rc == OK)
		store_wait(s->store, &s->master_waiter);
	else
		master_stored(&s->master_waiter, rc);
}

static void
probe(void *ctx)
{
	struct server *s = ctx;

	keystore_probe_work(s->keystore);
}

static void
probed(void *ctx, enum err rc)
{
	struct server *s = ctx;

	keystore_probe_done(s->keystore, rc);
	if (keystore_to_store(s->keystore).octets != 0) {
		store_master(s);
	} else {
		tell_state(s);
		first_asked(s);
	}
	if (s->again)
		server_probe(s);
}

void
server_probe(struct server *s)
{
	s->again = !keystore_probe_begin(s->keystore);
	if (s->again)
		return;
	if (loop_submit(s->hsm_pool, probe, probed, s) != OK) {
		log_line("net", LOG_ERROR, "no thread to ask the HSM");
		keystore_probe_done(s->keystore, ERR_SYSTEM);
	}
}

static void
probe_due(void *ctx)
{
	struct server *s = ctx;

	loop_timer_set(s->probe_timer,
	    loop_now_ms(s->config.loop) + SERVER_PROBE_EVERY_MS);
	/* one that hangs is told by its age */
	if (s->asked)
		tell_state(s);
	if (!s->again)
		server_probe(s);
	s->again = false;
}

static enum err
open_hsm(struct server *s)
{
	struct hsm_config hsm = {
	    .module_path = s->config.hsm_module,
	    .token_label = s->config.hsm_token,
	    .pin_path = s->config.hsm_pin_path,
	    .kek_label = s->config.hsm_kek,
	};
	enum err rc = OK;

	if (hsm.pin_path == NULL) {
		TRY(mem_printf(&s->hsm_dir, "%s/hsm", s->config.dir));
		if (mkdir(s->hsm_dir, 0700) != 0 && errno != EEXIST) {
			log_line("net", LOG_ERROR, "%s: %s", s->hsm_dir,
			    strerror(errno));
			TRY(ERR_SYSTEM);
		}
		TRY(hsm_softhsm_setup(s->config.env, hsm.module_path,
		    s->hsm_dir, hsm.token_label, &s->pin_path));
		hsm.pin_path = s->pin_path;
	}
	TRY(hsm_new(&hsm, &s->hsm));
out:
	return rc;
}

static enum err
open_keystore(struct server *s)
{
	struct buf wrapped;
	enum err rc = OK;

	buf_init(&wrapped, MASTER_MAX_OCTETS);
	rc = store_meta_get(s->store, master_key, &wrapped);
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	TRY(keystore_new(s->config.env, s->hsm, buf_peek(&wrapped),
	    SERVER_PROBE_LIMIT_MS, &s->keystore));
out:
	buf_clear(&wrapped);
	return rc;
}

static enum err
open_kmip(struct server *s)
{
	struct kmip_config kmip = {
	    .env = s->config.env,
	    .store = s->store,
	    .keystore = s->keystore,
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

enum err
server_new(const struct server_config *config, struct server **out)
{
	struct store_options options = {
	    .cache_octets = config->cache_octets, .lab = config->lab};
	struct server *s = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(s));
	s->config = *config;
	s->commit = (struct loop_task){.fn = commit, .ctx = s};
	TRY(store_open(config->dir, config->env, &options, &s->store));
	TRY(open_hsm(s));
	TRY(open_keystore(s));
	TRY(loop_pool_new(config->loop, "hsm", 1, &s->hsm_pool));
	TRY(open_kmip(s));
	TRY(loop_timer_new(config->loop, probe_due, s, &s->probe_timer));
	TRY(loop_timer_new(config->loop, states_due, s, &s->due_timer));
	loop_each_turn(config->loop, &s->commit);
	probe_due(s);
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
	loop_timer_free(s->probe_timer);
	loop_timer_free(s->due_timer);
	kmip_free(s->kmip);
	/* a probe that hangs is never done, and keeps what it uses */
	if (s->hsm_pool == NULL || loop_pool_jobs(s->hsm_pool) == 0) {
		keystore_free(s->keystore);
		hsm_free(s->hsm);
	}
	store_close(s->store);
	mem_free(s->hsm_dir);
	mem_free(s->pin_path);
	mem_free(s);
}

struct kmip *
server_kmip(struct server *s)
{
	return s->kmip;
}

struct hsm *
server_hsm(struct server *s)
{
	return s->hsm;
}

struct keystore *
server_keystore(struct server *s)
{
	return s->keystore;
}
