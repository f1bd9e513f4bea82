#include "device/root.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/erase.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/card_admin.h"
#include "crypto/vault.h"

/*
 * Among the store's values. All but the first belong to this card: they are in
 * no backup and are not replicated.
 */
static const char master_key[] = "crypto.master";
static const char password_key[] = "hsm.password";
static const char cache_key[] = "hsm.secure-key-cache";
static const char logout_key[] = "hsm.logged-out";
static const char remote_key[] = "hsm.remote-ped"; /* "ADDRESS PORT" */

/* The name under which the vault seals it. */
static const char password_name[] = "hsm.password";

enum {
	MASTER_MAX_OCTETS = 4096,
	PASSWORD_MAX_OCTETS = VAULT_OVERHEAD_OCTETS + VAULT_SECRET_MAX_OCTETS,
};

/* A change that is on its way to the disk. */
struct errand {
	struct store_waiter waiter;
	struct errand *next;
	struct root *root;
	struct root_wait *wait; /* NULL: nobody waits */
	void (*stored)(struct root *root);
};

struct root {
	struct root_config config;
	char *hsm_dir;
	char *pin_path; /* of a token of our own */
	char *vault_path;
	char *admin_path;
	struct hsm *hsm;
	struct keystore *keystore;
	struct loop_pool *pool; /* may hang without harm to others */
	struct card_admin *admin;
	struct root_status status;
	struct root_remote remote;
	struct loop_timer *timer;
	struct store_waiter master_waiter;
	enum keystore_state state; /* as it was logged last */
	bool asked;                /* the first probe is done */
	bool again;                /* probe once more after this one */

	/* Sealed passwords. A candidate is kept once it has opened the card;
	 * `trying` is the one that the probe under way logs in with, and the
	 * worker's while that works. */
	struct buf password;
	struct buf candidate;
	struct buf trying;
	struct root_wait *candidate_wait;
	bool trying_candidate;

	/* A login that was asked for may use what the battery holds. */
	bool wants_battery;
	bool may_use_battery;

	struct root_wait *waiting; /* for the next probe */
	struct root_wait *served;  /* by the one under way */
	struct root_wait *told;    /* in the next turn */
	struct loop_task tell_told;
	struct errand *errands;
};

static const char *const state_names[] = {
    [KEYSTORE_READY] = "ready",
    [KEYSTORE_LOGGED_OUT] = "logged out",
    [KEYSTORE_OTHER] = "not the one that sealed the keys",
    [KEYSTORE_UNREACHABLE] = "unreachable",
};

/* ---- who waits ---- */

static void
wait_put(struct root_wait **list, struct root_wait *wait)
{
	while (*list != NULL)
		list = &(*list)->next;
	wait->next = NULL;
	*list = wait;
}

static bool
wait_take(struct root_wait **list, const struct root_wait *wait)
{
	while (*list != NULL && *list != wait)
		list = &(*list)->next;
	if (*list == NULL)
		return false;
	*list = (*list)->next;
	return true;
}

/*
 * In the next turn, one by one: who is told may wait again, or end the waiting
 * of others.
 */
static void
tell(struct root *root, struct root_wait *wait, enum err rc)
{
	wait->rc = rc;
	wait_put(&root->told, wait);
	loop_later(root->config.loop, &root->tell_told);
}

static void
tell_all(struct root *root, struct root_wait **list, enum err rc)
{
	while (*list != NULL) {
		struct root_wait *wait = *list;

		*list = wait->next;
		tell(root, wait, rc);
	}
}

static void
told_due(void *ctx)
{
	struct root *root = ctx;

	while (root->told != NULL) {
		struct root_wait *wait = root->told;

		root->told = wait->next;
		wait->done(wait, wait->rc);
	}
}

void
root_unwait(struct root *root, struct root_wait *wait)
{
	struct errand *errand;

	(void)wait_take(&root->waiting, wait);
	(void)wait_take(&root->served, wait);
	(void)wait_take(&root->told, wait);
	for (errand = root->errands; errand != NULL; errand = errand->next) {
		if (errand->wait == wait)
			errand->wait = NULL;
	}
	if (root->candidate_wait == wait) {
		root->candidate_wait = NULL;
		buf_clear(&root->candidate);
	}
}

/* ---- changes of what is stored ---- */

static void
errand_done(struct store_waiter *waiter, enum err rc)
{
	struct errand *errand = waiter->ctx;
	struct root *root = errand->root;
	struct errand **at = &root->errands;
	struct root_wait *wait = errand->wait;

	while (*at != errand)
		at = &(*at)->next;
	*at = errand->next;
	if (rc == OK && errand->stored != NULL)
		errand->stored(root);
	mem_free(errand);
	if (wait != NULL)
		tell(root, wait, rc);
}

/* Put a value, or take it away (no octets), and tell when that is durable. */
static void
keep(struct root *root, const char *key, struct bytes value,
    void (*stored)(struct root *root), struct root_wait *wait)
{
	struct store *st = root->config.store;
	struct errand *errand = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(errand));
	errand->waiter =
	    (struct store_waiter){.done = errand_done, .ctx = errand};
	errand->root = root;
	errand->wait = wait;
	errand->stored = stored;
	TRY(value.octets != 0 ? store_meta_put(st, key, value)
			      : store_meta_delete(st, key));
	errand->next = root->errands;
	root->errands = errand;
	store_wait(st, &errand->waiter);
	errand = NULL;
out:
	mem_free(errand);
	if (rc != OK) {
		log_line("device", LOG_ERROR, "%s is not stored: %s", key,
		    err_text(rc));
		if (wait != NULL)
			tell(root, wait, rc);
	}
}

/* ---- the probe ---- */

static void
tell_state(struct root *root)
{
	enum keystore_state now = keystore_state(root->keystore);

	if (root->asked && now == root->state)
		return;
	log_line("device", now == KEYSTORE_READY ? LOG_INFO : LOG_WARN,
	    "the HSM is %s", state_names[now]);
	root->state = now;
}

static void
password_stored(struct root *root)
{
	log_line("device", LOG_INFO, "the Crypto User's password is kept");
	(void)root;
}

/* The candidate opened the card, or it did not. */
static void
judge_candidate(struct root *root, enum err rc)
{
	struct root_wait *wait = root->candidate_wait;

	if (!root->trying_candidate || wait == NULL)
		return;
	(void)wait_take(&root->served, wait);
	root->candidate_wait = NULL;
	root->trying_candidate = false;
	if (rc == OK) {
		buf_reset(&root->password);
		rc = buf_put(&root->password, buf_peek(&root->candidate));
	}
	if (rc == OK)
		keep(root, password_key, buf_peek(&root->password),
		    password_stored, wait);
	buf_clear(&root->candidate);
	if (rc != OK)
		tell(root, wait, rc);
}

/*
 * A card that was there and has failed may be back already, with the session
 * alone gone: whoever waits is told what the next probe finds, with a new one.
 */
static void
ask_once_more(struct root *root)
{
	while (root->waiting != NULL) {
		struct root_wait *wait = root->waiting;

		root->waiting = wait->next;
		wait_put(&root->served, wait);
	}
	root->waiting = root->served;
	root->served = NULL;
	root->wants_battery |= root->may_use_battery;
	root_probe(root);
}

/* The HSM has been asked: what came of it. */
static void
settled(struct root *root)
{
	enum err rc = keystore_check(root->keystore);
	bool lost =
	    root->asked && rc == ERR_HSM && root->state != KEYSTORE_UNREACHABLE;

	tell_state(root);
	if (lost) {
		ask_once_more(root);
		return;
	}
	judge_candidate(root, rc);
	tell_all(root, &root->served, rc);
	if (!root->asked) {
		root->asked = true;
		root->config.ready(root->config.ctx);
	}
	if (root->again || root->waiting != NULL)
		root_probe(root);
}

/* A new master key counts once it is durable. */
static void
master_stored(struct store_waiter *waiter, enum err rc)
{
	struct root *root = waiter->ctx;

	if (rc == OK)
		keystore_stored(root->keystore);
	else
		log_line("device", LOG_ERROR,
		    "the master key is not stored: %s", err_text(rc));
	settled(root);
}

static void
store_master(struct root *root)
{
	struct store *st = root->config.store;
	enum err rc =
	    store_meta_put(st, master_key, keystore_to_store(root->keystore));

	root->master_waiter =
	    (struct store_waiter){.done = master_stored, .ctx = root};
	if (rc == OK)
		store_wait(st, &root->master_waiter);
	else
		master_stored(&root->master_waiter, rc);
}

static void
probe(void *ctx)
{
	struct root *root = ctx;

	keystore_probe_work(root->keystore);
}

static void
probed(void *ctx, enum err rc)
{
	struct root *root = ctx;

	keystore_probe_done(root->keystore, rc);
	if (keystore_to_store(root->keystore).octets != 0)
		store_master(root);
	else
		settled(root);
}

/*
 * Which password the login takes, and whether there may be one. A login by
 * itself is for a card that is activated; what the battery holds is for who
 * asks for it. Neither ever waits for a person at the PED.
 *
 * req: KS-01-074 KS-05-009 KS-05-095
 */
static enum err
prepare_login(struct root *root)
{
	const struct root_status *status = &root->status;
	bool may = root->config.card == NULL;
	struct bytes sealed;
	enum err rc = OK;

	root->trying_candidate = root->candidate.octets != 0;
	sealed = buf_peek(
	    root->trying_candidate ? &root->candidate : &root->password);
	buf_reset(&root->trying);
	TRY(buf_put(&root->trying, sealed));
	if (status->known && sealed.octets != 0)
		may = status->activated ||
		      (status->battery && root->may_use_battery);
out:
	keystore_allow_login(root->keystore, rc == OK && may);
	return rc;
}

static void
submit(struct root *root)
{
	enum err rc = OK;

	TRY(prepare_login(root));
	TRY(loop_submit(root->pool, probe, probed, root));
out:
	if (rc != OK) {
		log_line("device", LOG_ERROR, "the HSM cannot be asked: %s",
		    err_text(rc));
		keystore_probe_done(root->keystore, rc);
		settled(root);
	}
}

static void
ignore_say(void *ctx, struct bytes text)
{
	(void)ctx;
	(void)text;
}

static void
status_came(void *ctx, const struct card_answer *answer)
{
	struct root *root = ctx;

	root->status = (struct root_status){
	    .known = answer->rc == OK,
	    .initialized = card_answer_is(answer, "initialized", "yes"),
	    .partition = card_answer_is(answer, "partition", "yes"),
	    .activated = card_answer_is(answer, "activated", "yes"),
	    .battery = card_answer_is(answer, "auto-activation", "yes"),
	    .tampered = card_answer_is(answer, "tampered", "yes"),
	    .user_locked = card_answer_is(answer, "user-locked", "yes"),
	};
	submit(root);
}

void
root_probe(struct root *root)
{
	root->again = !keystore_probe_begin(root->keystore);
	if (root->again)
		return;
	root->served = root->waiting;
	root->waiting = NULL;
	root->may_use_battery = root->wants_battery;
	root->wants_battery = false;
	if (root->config.card != NULL &&
	    card_admin_ask(root->admin, "status", NULL, 0, ignore_say,
		status_came, root) == OK)
		return;
	root->status = (struct root_status){.known = false};
	submit(root);
}

/*
 * The probe under way takes too long: nobody waits for it any longer. What a
 * thread waits for goes on; a socket is given up.
 */
static void
give_up(struct root *root)
{
	enum err rc = OK;

	judge_candidate(root, ERR_HSM);
	tell_all(root, &root->served, ERR_HSM);
	tell_all(root, &root->waiting, ERR_HSM);
	if (!root->asked) {
		root->asked = true;
		root->config.ready(root->config.ctx);
	}
	if (root->admin == NULL || !card_admin_busy(root->admin))
		return;
	card_admin_free(root->admin);
	root->admin = NULL;
	root->status = (struct root_status){.known = false};
	TRY(card_admin_new(root->config.loop, root->admin_path, &root->admin));
out:
	keystore_probe_done(root->keystore, ERR_TIMEOUT);
	if (rc != OK)
		log_line("device", LOG_ERROR, "the card is asked no more: %s",
		    err_text(rc));
}

static void
tick(void *ctx)
{
	struct root *root = ctx;

	loop_timer_set(
	    root->timer, loop_now_ms(root->config.loop) + ROOT_PROBE_EVERY_MS);
	keystore_end_overdue(root->keystore);
	/* one that hangs is told by its age */
	if (keystore_overdue(root->keystore))
		give_up(root);
	if (root->asked)
		tell_state(root);
	if (!root->again)
		root_probe(root);
	root->again = false;
}

/* ---- the password ---- */

/* On the thread that logs in: nobody else touches `trying` meanwhile. */
static enum err
pin(void *ctx, struct secret **out)
{
	struct root *root = ctx;

	*out = NULL;
	if (root->trying.octets == 0)
		return ERR_HSM_LOGGED_OUT;
	return vault_open(
	    root->vault_path, password_name, buf_peek(&root->trying), out);
}

bool
root_has_password(const struct root *root)
{
	return root->password.octets != 0;
}

/* req: KS-01-073 */
void
root_password(struct root *root, struct bytes password, struct root_wait *wait)
{
	enum err rc = OK;

	/* one at a time */
	TRY(root->candidate_wait == NULL ? OK : ERR_LIMIT);
	buf_reset(&root->candidate);
	TRY(vault_seal(root->config.env, root->vault_path, password_name,
	    password, &root->candidate));
	root->candidate_wait = wait;
	keystore_login_anew(root->keystore);
	root_login(root, wait);
out:
	if (rc != OK)
		tell(root, wait, rc);
}

/* ---- what is asked for ---- */

void
root_refresh(struct root *root, struct root_wait *wait)
{
	if (keystore_overdue(root->keystore)) {
		if (root->candidate_wait == wait)
			root_unwait(root, wait);
		tell(root, wait, ERR_HSM);
		return;
	}
	wait_put(&root->waiting, wait);
	root_probe(root);
}

/* req: KS-01-105 */
void
root_login(struct root *root, struct root_wait *wait)
{
	keep(root, logout_key, BYTES_NONE, NULL, NULL);
	root->wants_battery = true;
	keystore_login(root->keystore);
	root_refresh(root, wait);
}

static void
logged_out(struct root *root)
{
	root_probe(root);
}

/* req: KS-01-065 */
void
root_logout(struct root *root, struct root_wait *wait)
{
	keystore_logout(root->keystore);
	keep(root, logout_key, bytes_of_text("yes"), logged_out, wait);
}

static void
cache_on(struct root *root)
{
	keystore_set_cache(root->keystore, true);
	root_probe(root);
}

static void
cache_off(struct root *root)
{
	keystore_set_cache(root->keystore, false);
}

/* req: KS-05-104 */
void
root_set_cache(struct root *root, bool on, struct root_wait *wait)
{
	keep(root, cache_key, bytes_of_text(on ? "on" : "off"),
	    on ? cache_on : cache_off, wait);
}

const struct root_remote *
root_remote(const struct root *root)
{
	return &root->remote;
}

void
root_set_remote(struct root *root, const struct root_remote *remote)
{
	char text[ROOT_ADDRESS_OCTETS + 16];

	root->remote = *remote;
	(void)snprintf(
	    text, sizeof(text), "%s %u", remote->address, remote->port);
	keep(root, remote_key, bytes_of_text(text), NULL, NULL);
}

/* ---- life ---- */

/* As root_set_remote wrote it, or as it is at first. */
static void
read_remote(struct root *root, struct bytes value)
{
	struct root_remote *remote = &root->remote;
	char text[ROOT_ADDRESS_OCTETS + 16] = "";

	if (value.octets < sizeof(text) && value.octets != 0)
		memcpy(text, value.at, value.octets);
	if (sscanf(text, "%45s %u", remote->address, &remote->port) != 2)
		*remote = (struct root_remote){"127.0.0.1", ROOT_REMOTE_PORT};
}

/* What it has in DIR. */
static const char vault_file[] = "vault.key";
static const char hsm_folder[] = "hsm";

static enum err
open_softhsm(struct root *root)
{
	const struct root_config *config = &root->config;
	enum err rc = OK;

	TRY(mem_printf(&root->hsm_dir, "%s/%s", config->dir, hsm_folder));
	if (mkdir(root->hsm_dir, 0700) != 0 && errno != EEXIST) {
		log_line("device", LOG_ERROR, "%s: %s", root->hsm_dir,
		    strerror(errno));
		TRY(ERR_SYSTEM);
	}
	TRY(hsm_softhsm_setup(config->env, config->module, root->hsm_dir,
	    config->token, &root->pin_path));
out:
	return rc;
}

/* The module finds the card by the environment. */
static enum err
open_card(struct root *root)
{
	const struct root_config *config = &root->config;
	char *p11 = NULL;
	enum err rc = OK;

	TRY(mem_printf(&p11, "%s/p11.sock", config->card));
	if (setenv("HSM_SIM_SOCKET", p11, 1) != 0)
		TRY(ERR_NOMEM);
	TRY(mem_printf(&root->admin_path, "%s/admin.sock", config->card));
	TRY(card_admin_new(config->loop, root->admin_path, &root->admin));
	TRY(mem_printf(&root->vault_path, "%s/%s", config->dir, vault_file));
out:
	mem_free(p11);
	return rc;
}

static enum err
open_hsm(struct root *root)
{
	struct hsm_config hsm = {
	    .module_path = root->config.module,
	    .token_label = root->config.token,
	    .pin_path = root->config.pin_path,
	    .kek_label = root->config.kek,
	};
	enum err rc = OK;

	if (root->config.card != NULL) {
		TRY(open_card(root));
		hsm.pin_path = NULL;
		hsm.pin = pin;
		hsm.pin_ctx = root;
	} else if (hsm.pin_path == NULL) {
		TRY(open_softhsm(root));
		hsm.pin_path = root->pin_path;
	}
	TRY(hsm_new(&hsm, &root->hsm));
out:
	return rc;
}

/* A value that is not there is an empty one. */
static enum err
meta(struct root *root, const char *key, struct buf *out)
{
	enum err rc;

	buf_reset(out);
	rc = store_meta_get(root->config.store, key, out);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/*
 * What the store has. A card starts with its cache off.
 *
 * req: KS-05-116
 */
static enum err
open_keystore(struct root *root)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, MASTER_MAX_OCTETS);
	TRY(meta(root, master_key, &value));
	TRY(keystore_new(root->config.env, root->hsm, buf_peek(&value),
	    ROOT_PROBE_LIMIT_MS, &root->keystore));
	if (root->config.card == NULL)
		goto out;
	TRY(meta(root, password_key, &root->password));
	TRY(meta(root, remote_key, &value));
	read_remote(root, buf_peek(&value));
	TRY(meta(root, cache_key, &value));
	keystore_set_cache(
	    root->keystore, bytes_equal_text(buf_peek(&value), "on"));
	TRY(meta(root, logout_key, &value));
	if (value.octets != 0)
		keystore_logout(root->keystore);
out:
	buf_clear(&value);
	return rc;
}

enum err
root_new(const struct root_config *config, struct root **out)
{
	struct root *root = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(root));
	root->config = *config;
	root->tell_told = (struct loop_task){.fn = told_due, .ctx = root};
	buf_init(&root->password, PASSWORD_MAX_OCTETS);
	buf_init(&root->candidate, PASSWORD_MAX_OCTETS);
	buf_init(&root->trying, PASSWORD_MAX_OCTETS);
	TRY(open_hsm(root));
	TRY(open_keystore(root));
	TRY(loop_pool_new(config->loop, "hsm", 1, &root->pool));
	TRY(loop_timer_new(config->loop, tick, root, &root->timer));
	loop_timer_patient(root->timer);
	loop_timer_set(root->timer, loop_now_ms(config->loop));
	*out = root;
	root = NULL;
out:
	root_free(root);
	return rc;
}

enum err
root_erase(const char *dir)
{
	enum err rc = OK;

	TRY(erase_in(dir, vault_file));
	TRY(erase_in(dir, hsm_folder));
out:
	return rc;
}

static void
errands_free(struct root *root)
{
	while (root->errands != NULL) {
		struct errand *errand = root->errands;

		root->errands = errand->next;
		store_unwait(root->config.store, &errand->waiter);
		mem_free(errand);
	}
}

void
root_free(struct root *root)
{
	if (root == NULL)
		return;
	loop_timer_free(root->timer);
	loop_task_cancel(&root->tell_told);
	/* one that has not come to its work holds nothing */
	if (root->admin != NULL && card_admin_busy(root->admin))
		keystore_probe_done(root->keystore, ERR_CLOSED);
	card_admin_free(root->admin);
	errands_free(root);
	/* a probe that hangs is never done, and keeps what it uses */
	if (root->pool != NULL && loop_pool_jobs(root->pool) != 0)
		return;
	keystore_free(root->keystore);
	hsm_free(root->hsm);
	buf_clear(&root->password);
	buf_clear(&root->candidate);
	buf_clear(&root->trying);
	mem_free(root->hsm_dir);
	mem_free(root->pin_path);
	mem_free(root->vault_path);
	mem_free(root->admin_path);
	mem_free(root);
}

struct hsm *
root_hsm(struct root *root)
{
	return root->hsm;
}

struct keystore *
root_keystore(struct root *root)
{
	return root->keystore;
}

struct loop_pool *
root_pool(struct root *root)
{
	return root->pool;
}

const struct root_config *
root_config(const struct root *root)
{
	return &root->config;
}

const struct root_status *
root_status(const struct root *root)
{
	return &root->status;
}
