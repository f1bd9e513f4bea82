#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "card/engine.h"

enum {
	SERIAL_DIGITS = 7,            /* of a card */
	PARTITION_SERIAL_DIGITS = 13, /* of a partition */
	KDF_ROUNDS = 20000,
};

struct model {
	const char *manufacturer, *name, *firmware;
	uint64_t capacity_octets;
};

/* req: KSC-070, KSC-140, KSC-151  the service's partition as the guide shows it
 */
static const struct model models[] = {
    [CARD_K6] = {"Touchstone (simulated hardware)", "K6 Base", "6.2.1",
	2097152},
    [CARD_LUNA7] = {"SafeNet", "Cryptovisor7", "7.1.3", 159744},
};

/* ---- state ---- */

struct state *
card_change(struct card *card)
{
	card->next = card->state;
	return &card->next;
}

enum card_rv
card_commit(struct card *card)
{
	enum card_rv rc = CARD_OK;

	if (card->broken)
		return CARD_STATE;
	rc = rv_of(state_save(card->dir_fd, &card->next, &card->steps));
	if (rc == CARD_OK)
		card->state = card->next;
	else
		card->broken = true;
	secret_wipe(&card->next, sizeof(card->next));
	return rc;
}

unsigned
card_rounds(const struct card *card)
{
	return card->config.kdf_rounds != 0 ? card->config.kdf_rounds
					    : KDF_ROUNDS;
}

enum card_rv
card_draw(struct card *card, struct secret **out)
{
	struct secret *drawn = NULL;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	TRY(rv_of(secret_new(SEAL_KEY_OCTETS, &drawn)));
	TRY(rv_of(env_random(card->env, secret_fill(drawn), SEAL_KEY_OCTETS)));
	*out = drawn;
	drawn = NULL;
out:
	secret_free(drawn);
	return rc;
}

bool
card_label_is_valid(const char *label)
{
	struct bytes text = bytes_of_text(label);

	return text.octets >= 1 && text.octets <= CARD_LABEL_OCTETS &&
	       bytes_is_utf8(text);
}

/* Random decimal digits, the first of them not 0. */
static enum err
draw_digits(struct env *env, char *out, size_t digits)
{
	uint8_t octet;
	size_t k = 0;
	enum err rc = OK;

	while (k < digits) {
		TRY(env_random(env, &octet, 1));
		if (octet >= 250 || (k == 0 && octet % 10 == 0))
			continue;
		out[k++] = (char)('0' + octet % 10);
	}
	out[digits] = '\0';
out:
	return rc;
}

static enum err
draw_uuid(struct env *env, char out[STATE_UUID_OCTETS + 1])
{
	uint8_t octets[STATE_UUID_OCTETS / 2];
	size_t k;
	enum err rc = OK;

	TRY(env_random(env, octets, sizeof(octets)));
	for (k = 0; k < sizeof(octets); k++)
		(void)snprintf(out + 2 * k, 3, "%02x", octets[k]);
out:
	return rc;
}

void
card_partition_blank(const struct card *card, struct state_partition *p)
{
	struct state_partition blank = {0};

	memcpy(blank.serial, p->serial, sizeof(blank.serial));
	memcpy(blank.uuid, p->uuid, sizeof(blank.uuid));
	/* req: KSC-017, KSC-058, KS-01-013  there, or not yet; and empty */
	blank.present = card->config.model == CARD_LUNA7;
	blank.policies[POLICY_ATTEMPTS] = CARD_USER_ATTEMPTS;
	secret_wipe(p, sizeof(*p));
	*p = blank;
}

/*
 * Partitions that the configuration has and the state has not.
 *
 * req: KSC-015, KSC-058
 */
static enum card_rv
add_partitions(struct card *card)
{
	struct state *next = card_change(card);
	enum card_rv rc = CARD_OK;

	if (next->slots >= card->config.slots)
		return CARD_OK;
	while (next->slots < card->config.slots) {
		struct state_partition *p = &next->partitions[next->slots++];

		TRY(rv_of(draw_digits(
		    card->env, p->serial, PARTITION_SERIAL_DIGITS)));
		TRY(rv_of(draw_uuid(card->env, p->uuid)));
		card_partition_blank(card, p);
	}
	TRY(card_commit(card));
out:
	return rc;
}

static enum card_rv
state_start(struct card *card)
{
	enum err found = state_load(card->dir_fd, &card->state);
	enum card_rv rc = CARD_OK;

	if (found == ERR_NOT_FOUND) {
		memset(&card->state, 0, sizeof(card->state));
		card->state.model = (uint8_t)card->config.model;
		TRY(rv_of(
		    draw_digits(card->env, card->state.serial, SERIAL_DIGITS)));
	} else if (found != OK) {
		TRY(found == ERR_NOMEM ? CARD_NO_MEMORY : CARD_STATE);
	}
	if (card->state.model != (uint8_t)card->config.model) {
		log_line("card", LOG_ERROR, "%s: a card of another model",
		    card->config.dir);
		TRY(CARD_STATE);
	}
	TRY(add_partitions(card));
out:
	return rc;
}

/* ---- power ---- */

static enum card_rv
dir_open(struct card *card)
{
	const char *dir = card->config.dir;

	card->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (card->dir_fd < 0) {
		log_line("card", LOG_ERROR, "%s: %s", dir, strerror(errno));
		return CARD_STATE;
	}
	if (flock(card->dir_fd, LOCK_EX | LOCK_NB) != 0) {
		log_line(
		    "card", LOG_ERROR, "%s: another card is using it", dir);
		return CARD_STATE;
	}
	return CARD_OK;
}

static enum card_rv
tokens_open(struct card *card)
{
	unsigned slot;
	enum card_rv rc = CARD_OK;

	for (slot = 1; slot <= card->state.slots; slot++) {
		struct state_partition *p = &card->state.partitions[slot - 1];
		struct part *part = &card->parts[slot];

		if (!p->initialized)
			continue;
		TRY(backing_open(card->backing, p->token, &part->token));
		part->backing_slot = part->token.slot;
		part->expired[CARD_USER] = p->roles[CARD_USER].expired;
	}
out:
	return rc;
}

static enum card_rv
parts_init(struct card *card)
{
	pthread_rwlockattr_t attr;
	unsigned slot;
	enum card_rv rc = CARD_OK;

	/* Whoever takes a token away must get its turn among many users. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
	    &attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (slot = 0; slot <= CARD_SLOTS_MAX; slot++) {
		card->parts[slot].backing_slot = NO_SLOT;
		card->parts[slot].epoch = 1;
		if (pthread_rwlock_init(&card->parts[slot].use, &attr) != 0)
			rc = CARD_NO_MEMORY;
	}
	pthread_rwlockattr_destroy(&attr);
	return rc;
}

enum card_rv
card_new(const struct card_config *config, struct card **out)
{
	struct card *card = NULL;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	if (config->slots < 1 || config->slots > CARD_SLOTS_MAX ||
	    (config->model == CARD_K6 &&
		(config->slots != 1 || config->waits == NULL)))
		return CARD_ARGUMENT;
	TRY(rv_of(MEM_NEW(card)));
	card->config = *config;
	card->env = config->env;
	card->dir_fd = -1;
	card->steps.left = config->lab ? config->cut : 0;
	pthread_mutex_init(&card->lock, NULL);
	TRY(parts_init(card));
	TRY(rv_of(faults_new(&card->faults)));
	TRY(dir_open(card));
	TRY(state_start(card));
	TRY(rv_of(battery_new(
	    card->env, card->dir_fd, &card->steps, &card->battery)));
	TRY(backing_new(config->softhsm_module, config->dir, &card->state,
	    &card->steps, &card->backing));
	TRY(tokens_open(card));
	if (config->model == CARD_K6) {
		TRY(card_power_on(card));
		TRY(port_new(
		    card->env, config->waits, config->dir, &card->port));
	}
	*out = card;
	card = NULL;
out:
	card_free(card);
	return rc;
}

void
card_free(struct card *card)
{
	unsigned slot;

	if (card == NULL)
		return;
	port_free(card->port);
	backing_free(card->backing);
	battery_free(card->battery);
	for (slot = 0; slot <= CARD_SLOTS_MAX; slot++) {
		secret_free(card->parts[slot].key);
		pthread_rwlock_destroy(&card->parts[slot].use);
	}
	if (card->dir_fd >= 0)
		close(card->dir_fd);
	faults_free(card->faults);
	pthread_mutex_destroy(&card->lock);
	secret_wipe(card, sizeof(*card));
	mem_free(card);
}

void
card_tick(struct card *card)
{
	pthread_mutex_lock(&card->lock);
	battery_beat(card->battery);
	card_battery_tick(card);
	pthread_mutex_unlock(&card->lock);
	if (card->port != NULL)
		port_tick(card->port);
}

/* ---- slots ---- */

unsigned
card_slots(const struct card *card)
{
	return card->config.slots;
}

bool
card_fips(const struct card *card)
{
	return card->config.fips;
}

enum card_rv
card_partition(struct card *card, unsigned slot, struct state_partition **out)
{
	struct state_partition *p;

	if (slot < 1 || slot > card->config.slots)
		return CARD_ARGUMENT;
	p = &card->state.partitions[slot - 1];
	/* req: KSC-026 */
	if (!p->present || !p->initialized)
		return CARD_NO_PARTITION;
	*out = p;
	return CARD_OK;
}

/* Of a role that may be there: what is left of its attempts. */
static void
attempts_show(struct card *card, unsigned slot, enum card_role role, bool *low,
    bool *final, bool *locked)
{
	unsigned failures = card_failures(card, slot, role);
	unsigned limit = card_attempts(card, slot, role);

	*low = failures > 0;
	*final = failures + 1 == limit;
	*locked = failures >= limit;
}

enum card_rv
card_slot(struct card *card, unsigned slot, struct card_slot *out)
{
	const struct model *model = &models[card->config.model];
	const struct state_partition *p;

	if (slot < 1 || slot > card->config.slots)
		return CARD_ARGUMENT;
	pthread_mutex_lock(&card->lock);
	p = &card->state.partitions[slot - 1];
	memset(out, 0, sizeof(*out));
	out->present = p->present;
	out->initialized = p->initialized;
	out->ped = card->config.model == CARD_K6;
	out->has_user = p->roles[CARD_USER].lock.set;
	out->has_limited = p->roles[CARD_LIMITED].lock.set;
	out->activated = card->parts[slot].activated;
	attempts_show(card, slot, CARD_USER, &out->user_low, &out->user_final,
	    &out->user_locked);
	attempts_show(card, card->config.model == CARD_K6 ? 0 : slot, CARD_SO,
	    &out->so_low, &out->so_final, &out->so_locked);
	memcpy(out->label, p->label, sizeof(out->label));
	/* req: KSC-069, KSC-135, KSC-149 */
	memcpy(out->serial, p->serial, sizeof(out->serial));
	memcpy(out->uuid, p->uuid, sizeof(out->uuid));
	out->manufacturer = model->manufacturer;
	out->model = model->name;
	out->firmware = model->firmware;
	out->capacity_octets = model->capacity_octets;
	pthread_mutex_unlock(&card->lock);
	return CARD_OK;
}

CK_FUNCTION_LIST *
card_backing(struct card *card)
{
	return backing_calls(card->backing);
}

void
card_backing_begin(struct card *card, unsigned slot)
{
	pthread_rwlock_rdlock(&card->parts[slot].use);
}

void
card_backing_end(struct card *card, unsigned slot)
{
	pthread_rwlock_unlock(&card->parts[slot].use);
}

bool
card_backing_slot(struct card *card, unsigned slot, CK_SLOT_ID *out)
{
	uint64_t found = card->parts[slot].backing_slot;

	*out = found;
	return found != NO_SLOT;
}

uint64_t
card_backing_logouts(struct card *card, unsigned slot)
{
	return card->parts[slot].logouts;
}

uint64_t
card_epoch(struct card *card, unsigned slot)
{
	return card->parts[slot].epoch;
}

/* ---- partitions ---- */

enum card_rv
card_token_change(struct card *card, unsigned slot, const char *old,
    const struct backing_token *token)
{
	struct part *part = &card->parts[slot];
	enum card_rv rc = CARD_OK;

	pthread_rwlock_wrlock(&part->use);
	if (old[0] != '\0')
		rc = backing_remove(card->backing, old, &part->token);
	part->token =
	    token != NULL ? *token : (struct backing_token){.open = false};
	part->backing_slot = token != NULL ? token->slot : NO_SLOT;
	part->activated = false;
	card_logins_end_all(card, slot);
	secret_free(part->key);
	part->key = NULL;
	part->epoch++;
	pthread_rwlock_unlock(&part->use);
	return rc;
}

/*
 * Without the wrapped keys what is in the token is lost already; then it goes
 * too. A crash in between leaves a token that nobody names: see backing_new.
 */
enum card_rv
card_partition_destroy(struct card *card, unsigned slot)
{
	char old[STATE_SERIAL_OCTETS + 1];
	struct state *next;
	enum card_rv committed, changed;

	memcpy(old, card->state.partitions[slot - 1].token, sizeof(old));
	next = card_change(card);
	card_partition_blank(card, &next->partitions[slot - 1]);
	committed = card_commit(card);
	changed = card_token_change(card, slot, old, NULL);
	return committed != CARD_OK ? committed : changed;
}

enum card_rv
card_zeroize_locked(struct card *card)
{
	static const struct state_role no_role;
	static const struct lock no_lock;
	struct state old = card->state;
	struct state *next = card_change(card);
	enum card_rv rc, step;
	unsigned slot;

	next->initialized = false;
	next->zeroized = true;
	memset(next->label, 0, sizeof(next->label));
	secret_wipe(next->key, sizeof(next->key));
	next->so = no_role;
	next->domain = no_lock;
	next->has_rpv = false;
	secret_wipe(next->rpv, sizeof(next->rpv));
	for (slot = 1; slot <= next->slots; slot++)
		card_partition_blank(card, &next->partitions[slot - 1]);
	/* From here on nothing opens; all else goes as far as it can. */
	rc = card_commit(card);
	step = rv_of(battery_drop(card->battery));
	rc = rc != CARD_OK ? rc : step;
	for (slot = 0; slot <= old.slots; slot++) {
		step = card_token_change(card, slot,
		    slot != 0 ? old.partitions[slot - 1].token : "", NULL);
		rc = rc != CARD_OK ? rc : step;
	}
	secret_wipe(&old, sizeof(old));
	if (card->port != NULL)
		port_disconnect(card->port);
	log_line("card", LOG_WARN, "zeroized");
	return rc;
}

enum card_rv
card_zeroize(struct card *card)
{
	enum card_rv rc;

	pthread_mutex_lock(&card->lock);
	rc = card_zeroize_locked(card);
	pthread_mutex_unlock(&card->lock);
	return rc;
}

/* Locked. The record of a new partition, in card->next. */
static enum card_rv
partition_fill(struct card *card, struct state_partition *p, const char *label,
    struct bytes so_password, struct bytes domain, const struct secret *key)
{
	struct secret *domain_key = NULL;
	enum card_rv rc = CARD_OK;

	card_partition_blank(card, p);
	p->initialized = true;
	(void)snprintf(p->label, sizeof(p->label), "%s", label);
	/* The SO's copy is for giving users new passwords, no more. */
	TRY(card_lock_set(card, &p->roles[CARD_SO].lock, so_password,
	    card_rounds(card), key));
	TRY(card_draw(card, &domain_key));
	TRY(card_lock_set(
	    card, &p->domain, domain, card_rounds(card), domain_key));
out:
	secret_free(domain_key);
	return rc;
}

/*
 * req: KSC-015, KSC-019, KSC-100  its new owner makes its Security Officer
 * req: KSC-099, KSC-101
 * req: KSC-093  the old token goes with all that was in it
 */
enum card_rv
card_partition_init(struct card *card, unsigned slot, const char *label,
    struct bytes so_password, struct bytes domain)
{
	char old[STATE_SERIAL_OCTETS + 1];
	struct backing_token token = {.open = false};
	struct secret *key = NULL;
	struct state_partition *p;
	struct state *next;
	enum card_rv rc = CARD_OK;

	if (slot < 1 || slot > card->config.slots ||
	    !card_label_is_valid(label) || domain.octets == 0)
		return CARD_ARGUMENT;
	if (so_password.octets < CARD_PASSWORD_LEAST_OCTETS ||
	    so_password.octets > CARD_PASSWORD_MOST_OCTETS)
		return CARD_PIN_LENGTH;
	if (card->config.model != CARD_LUNA7)
		return CARD_POLICY;
	pthread_mutex_lock(&card->lock);
	memcpy(old, card->state.partitions[slot - 1].token, sizeof(old));
	TRY(card_draw(card, &key));
	next = card_change(card);
	p = &next->partitions[slot - 1];
	TRY(partition_fill(card, p, label, so_password, domain, key));
	TRY(backing_make(card->backing, card->env, key, p->token, &token));
	TRY(card_commit(card));
	TRY(card_token_change(card, slot, old, &token));
out:
	secret_free(key);
	pthread_mutex_unlock(&card->lock);
	return rc;
}
