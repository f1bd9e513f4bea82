/*
 * The built-in card: the trusted path, activation, the battery.
 *
 * req: KS-01-008  no role of it has a password that would do without the PED
 *
 * Each operation looks at what it may do, then asks people through the PED
 * without a lock, and then looks again: minutes may have passed.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "card/dialogue.h"
#include "card/engine.h"

enum { SLOT = 1, GROUPS = 4, GROUP_OCTETS = 4 };

/* ---- conditions ---- */

/* Locked. CARD_STATE, CARD_TAMPERED, CARD_NOT_INITIALIZED */
static enum card_rv
ready(const struct card *card)
{
	if (card->broken)
		return CARD_STATE;
	if (card->state.tampered)
		return CARD_TAMPERED;
	return card->state.initialized ? CARD_OK : CARD_NOT_INITIALIZED;
}

/* Locked. It is a K6, ready, and its Security Officer is logged in. */
static enum card_rv
ready_for_so(struct card *card, const struct card_login *so)
{
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_K6)
		return CARD_ROLE_INVALID;
	TRY(ready(card));
	if (so->role != CARD_SO)
		TRY(CARD_NOT_LOGGED_IN);
	TRY(card_login_check(card, so));
out:
	return rc;
}

/* Locked. The partition is there, and its user may try. */
static enum card_rv
ready_for_user(struct card *card, struct state_partition **out)
{
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_K6)
		return CARD_ROLE_INVALID;
	TRY(ready(card));
	TRY(card_partition(card, SLOT, out));
	TRY(card_role_ready(card, SLOT, CARD_USER));
out:
	return rc;
}

/* Take the lock, look, and let it go: before the PED is asked. */
static enum card_rv
glance_so(struct card *card, const struct card_login *so)
{
	enum card_rv rc;

	pthread_mutex_lock(&card->lock);
	rc = ready_for_so(card, so);
	pthread_mutex_unlock(&card->lock);
	return rc;
}

static enum card_rv
vector_open(struct card *card, struct secret **out)
{
	static const uint8_t salt[SEAL_SALT_OCTETS];
	struct secret *key = NULL;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	pthread_mutex_lock(&card->lock);
	if (card->state.has_rpv) {
		TRY(rv_of(seal_key(
		    (struct bytes){card->state.key, sizeof(card->state.key)},
		    salt, 0, "remote PED", &key)));
		rc = rv_of(seal_open(key,
		    (struct bytes){card->state.rpv, sizeof(card->state.rpv)},
		    out));
		TRY(rc == CARD_PIN_INCORRECT ? CARD_STATE : rc);
	}
out:
	pthread_mutex_unlock(&card->lock);
	secret_free(key);
	return rc;
}

/* A dialogue with the PED that `which` allows. */
static enum card_rv
begin(struct card *card, enum port_which which, struct dialogue **out)
{
	struct secret *vector = NULL;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	TRY(vector_open(card, &vector));
	TRY(dialogue_new(card->env, card->port, which, vector, out));
out:
	secret_free(vector);
	return rc;
}

/* One iKey's secret, and the PED is free again. */
static enum card_rv
present(struct card *card, enum title title, struct secret **secret)
{
	struct dialogue *d = NULL;
	enum card_rv rc = CARD_OK;

	*secret = NULL;
	TRY(begin(card, PORT_ANY, &d));
	TRY(dialogue_login(d, title, secret));
out:
	dialogue_free(d);
	return rc;
}

/* ---- activation ---- */

/*
 * Locked. The battery has it before it counts; a crash in between leaves an
 * activation that the right iKey did reach.
 */
static enum card_rv
activate(struct card *card, const struct secret *key)
{
	const struct state_partition *p = &card->state.partitions[SLOT - 1];
	struct part *part = &card->parts[SLOT];
	struct secret *kept = NULL;
	enum card_rv rc = CARD_OK;

	if (part->key == NULL)
		TRY(rv_of(secret_copy(secret_peek(key), &kept)));
	if (p->policies[POLICY_AUTO_ACTIVATION] != 0 &&
	    !card->state.battery_out)
		TRY(rv_of(battery_hold(card->battery,
		    (struct bytes){card->state.key, sizeof(card->state.key)},
		    key)));
	rc = backing_login(card->backing, &part->token, key);
	TRY(rc == CARD_PIN_INCORRECT ? CARD_STATE : rc);
	if (part->key == NULL) {
		part->key = kept;
		kept = NULL;
	}
	part->activated = true;
out:
	secret_free(kept);
	return rc;
}

/* Locked. */
static void
deactivate(struct card *card)
{
	card->parts[SLOT].activated = false;
	card_logins_end_all(card, SLOT);
	card_rest(card, SLOT);
}

/* Locked. Does it hold an activation that is not over its time? */
static bool
battery_is_good(struct card *card, bool *stopped)
{
	int64_t age_ms;

	/* req: KS-05-011  at 7200 s it is over: the guide leaves that open */
	return battery_holds(card->battery, stopped, &age_ms) && age_ms >= 0 &&
	       age_ms < CARD_BATTERY_MS;
}

/* Locked. Activate from the battery. */
static enum card_rv
restore(struct card *card)
{
	struct secret *key = NULL;
	enum card_rv rc = CARD_OK;

	TRY(rv_of(battery_open(card->battery,
	    (struct bytes){card->state.key, sizeof(card->state.key)}, &key)));
	TRY(activate(card, key));
out:
	secret_free(key);
	return rc;
}

/*
 * req: KS-05-009, KSC-028  less than two hours: as it was, activated or not
 * req: KS-05-010, KS-05-016, KS-01-018  more: the black iKey
 */
enum card_rv
card_power_on(struct card *card)
{
	const struct state_partition *p = &card->state.partitions[SLOT - 1];
	enum card_rv rc = CARD_OK;
	bool stopped;
	bool good = battery_is_good(card, &stopped) && ready(card) == CARD_OK &&
		    p->initialized && p->policies[POLICY_ACTIVATION] != 0 &&
		    p->policies[POLICY_AUTO_ACTIVATION] != 0;

	if (good && !stopped) {
		rc = restore(card);
		good = rc == CARD_OK;
	}
	if (!good)
		rc = rv_of(battery_drop(card->battery));
	battery_beat(card->battery);
	return rc;
}

void
card_battery_tick(struct card *card)
{
	bool stopped;
	bool good = battery_is_good(card, &stopped);

	if (!good && stopped && battery_drop(card->battery) != OK)
		card->broken = true;
}

enum card_rv
card_forget(struct card *card)
{
	enum card_rv rc = rv_of(battery_drop(card->battery));
	unsigned slot;

	for (slot = 0; slot <= card->state.slots; slot++) {
		card->parts[slot].activated = false;
		card_logins_end_all(card, slot);
		card_rest(card, slot);
	}
	return rc;
}

enum card_rv
card_activate(struct card *card)
{
	struct state_partition *p;
	struct secret *secret = NULL;
	struct secret *key = NULL;
	enum card_rv rc = CARD_OK;

	pthread_mutex_lock(&card->lock);
	rc = ready_for_user(card, &p);
	if (rc == CARD_OK && card->parts[SLOT].activated)
		rc = CARD_ALREADY_ACTIVATED;
	else if (rc == CARD_OK && p->policies[POLICY_ACTIVATION] == 0)
		rc = CARD_POLICY;
	pthread_mutex_unlock(&card->lock);
	if (rc != CARD_OK)
		return rc;
	/* req: KS-05-152  always the black iKey, whatever the battery holds */
	rc = present(card, TITLE_USER_LOGIN, &secret);
	pthread_mutex_lock(&card->lock);
	TRY(rc);
	TRY(ready_for_user(card, &p));
	rc = card_lock_open(
	    &p->roles[CARD_USER].lock, secret_peek(secret), &key);
	TRY(card_verdict(card, SLOT, CARD_USER, rc));
	if (p->policies[POLICY_ACTIVATION] == 0)
		TRY(CARD_POLICY);
	TRY(activate(card, key));
out:
	pthread_mutex_unlock(&card->lock);
	secret_free(secret);
	secret_free(key);
	return rc;
}

enum card_rv
card_deactivate(struct card *card)
{
	struct state_partition *p;
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_K6)
		return CARD_ROLE_INVALID;
	pthread_mutex_lock(&card->lock);
	TRY(ready(card));
	TRY(card_partition(card, SLOT, &p));
	if (card->parts[SLOT].activated)
		TRY(rv_of(card->config.deactivate_ends_auto
			      ? battery_drop(card->battery)
			      : battery_stop(card->battery)));
	deactivate(card);
out:
	pthread_mutex_unlock(&card->lock);
	return rc;
}

/* ---- logins ---- */

/* req: KS-01-051, KS-01-103, KS-05-038 */
enum card_rv
card_so_login(struct card *card, struct card_login *out)
{
	struct secret *secret = NULL;
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_K6)
		return CARD_ROLE_INVALID;
	pthread_mutex_lock(&card->lock);
	rc = card->state.initialized ? card_role_ready(card, 0, CARD_SO)
				     : CARD_NOT_INITIALIZED;
	pthread_mutex_unlock(&card->lock);
	if (rc != CARD_OK)
		return rc;
	rc = present(card, TITLE_SO_LOGIN, &secret);
	pthread_mutex_lock(&card->lock);
	TRY(rc);
	TRY(card_role_ready(card, 0, CARD_SO));
	rc = card_lock_try(&card->state.so.lock, secret_peek(secret));
	TRY(card_verdict(card, 0, CARD_SO, rc));
	TRY(card_login_begin(card, 0, CARD_SO, NULL, out));
out:
	pthread_mutex_unlock(&card->lock);
	secret_free(secret);
	return rc;
}

/* Locked. The challenge is judged, and counted. */
static enum card_rv
challenge_verdict(struct card *card, struct bytes challenge)
{
	const struct lock *lock = &card->state.partitions[SLOT - 1].challenge;
	enum card_rv rc = card_lock_try(lock, challenge);

	if (rc == CARD_PIN_INCORRECT)
		rc = CARD_CHALLENGE_INCORRECT;
	return card_verdict(card, SLOT, CARD_USER, rc);
}

/* Locked. */
static enum card_rv
login_with_key(struct card *card, const struct secret *secret,
    struct bytes challenge, struct card_login *out)
{
	struct state_partition *p;
	struct secret *key = NULL;
	enum card_rv rc = CARD_OK;

	TRY(ready_for_user(card, &p));
	rc = card_lock_open(
	    &p->roles[CARD_USER].lock, secret_peek(secret), &key);
	/* One attempt, whichever of the two was wrong. */
	if (rc == CARD_OK && challenge.octets != 0)
		TRY(challenge_verdict(card, challenge));
	else
		TRY(card_verdict(card, SLOT, CARD_USER, rc));
	if (p->policies[POLICY_ACTIVATION] != 0 && !card->parts[SLOT].activated)
		TRY(activate(card, key));
	TRY(card_login_begin(card, SLOT, CARD_USER, key, out));
out:
	secret_free(key);
	return rc;
}

/*
 * Locked. Without the PED: the partition is activated, or its battery has it
 * still. CARD_PED_UNPLUGGED: this takes the PED.
 */
static enum card_rv
login_without_key(
    struct card *card, struct bytes challenge, struct card_login *out)
{
	struct state_partition *p;
	bool stopped;
	bool activated = card->parts[SLOT].activated;
	enum card_rv rc = CARD_OK;

	TRY(ready_for_user(card, &p));
	/* Nothing given always means the PED. */
	if (challenge.octets == 0 ||
	    (!activated && !battery_is_good(card, &stopped)))
		TRY(CARD_PED_UNPLUGGED);
	TRY(challenge_verdict(card, challenge));
	/* req: KS-05-095, KS-05-096, KS-05-097 */
	if (!activated)
		TRY(restore(card));
	TRY(card_login_begin(card, SLOT, CARD_USER, NULL, out));
out:
	return rc;
}

/*
 * req: KS-01-009, KS-01-010, KS-01-011, KS-01-060  the black iKey and its PIN
 * req: KS-01-039, KSC-027  unless it is activated
 */
enum card_rv
card_login_trusted(struct card *card, unsigned slot, enum card_role role,
    struct bytes challenge, struct card_login *out)
{
	struct secret *secret = NULL;
	enum card_rv rc;

	(void)slot;
	if (role == CARD_SO)
		return card_so_login(card, out);
	if (role != CARD_USER)
		return CARD_ROLE_INVALID;
	pthread_mutex_lock(&card->lock);
	rc = login_without_key(card, challenge, out);
	pthread_mutex_unlock(&card->lock);
	if (rc != CARD_PED_UNPLUGGED)
		return rc;
	rc = present(card, TITLE_USER_LOGIN, &secret);
	if (rc == CARD_OK) {
		pthread_mutex_lock(&card->lock);
		rc = login_with_key(card, secret, challenge, out);
		pthread_mutex_unlock(&card->lock);
	}
	secret_free(secret);
	return rc;
}

/* ---- initialization ---- */

/* A keyset of a role: its secret, new or one that there is. */
static enum card_rv
make_keyset(struct card *card, struct dialogue *d, enum title title,
    struct secret **secret)
{
	struct secret *fresh = NULL;
	enum card_rv rc = CARD_OK;

	/* req: KS-01-036  generated here, and not by the PED */
	*secret = NULL;
	TRY(card_draw(card, &fresh));
	TRY(dialogue_imprint(d, title, fresh, secret));
out:
	secret_free(fresh);
	return rc;
}

/* Locked. A lock to a key of its own, which proves the secret and no more. */
static enum card_rv
proof_set(
    struct card *card, struct lock *lock, struct bytes secret, unsigned rounds)
{
	struct secret *key = NULL;
	enum card_rv rc = CARD_OK;

	TRY(card_draw(card, &key));
	TRY(card_lock_set(card, lock, secret, rounds, key));
out:
	secret_free(key);
	return rc;
}

/*
 * Locked. May it be initialized? Once: one Security Officer, one domain. What
 * the loss of an iKey makes necessary begins with zeroizing.
 *
 * req: KS-01-053, KS-01-055, KS-05-134
 */
static enum card_rv
ready_to_initialize(const struct card *card)
{
	enum card_rv rc = ready(card);

	if (rc == CARD_NOT_INITIALIZED)
		return CARD_OK;
	return rc == CARD_OK ? CARD_INITIALIZED : rc;
}

/*
 * Locked.
 *
 * req: KS-01-056  the domain is what the red iKey has, whatever HSMs share it
 */
static enum card_rv
initialized(struct card *card, const char *label, const struct secret *blue,
    const struct secret *red)
{
	struct state *next;
	enum card_rv rc = CARD_OK;

	TRY(ready_to_initialize(card));
	next = card_change(card);
	next->initialized = true;
	next->zeroized = false;
	(void)snprintf(next->label, sizeof(next->label), "%s", label);
	TRY(rv_of(env_random(card->env, next->key, sizeof(next->key))));
	TRY(proof_set(card, &next->so.lock, secret_peek(blue), 0));
	TRY(proof_set(card, &next->domain, secret_peek(red), 0));
	TRY(card_commit(card));
out:
	return rc;
}

enum card_rv
card_initialize(struct card *card, const char *label)
{
	struct dialogue *d = NULL;
	struct secret *blue = NULL;
	struct secret *red = NULL;
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_K6)
		return CARD_ROLE_INVALID;
	if (!card_label_is_valid(label))
		return CARD_ARGUMENT;
	pthread_mutex_lock(&card->lock);
	rc = ready_to_initialize(card);
	pthread_mutex_unlock(&card->lock);
	TRY(rc);
	/* req: KS-01-043  not through a remote PED */
	TRY(begin(card, PORT_ONLY_LOCAL, &d));
	/* req: KS-01-016, KS-01-057, KS-01-076, KS-01-083, KS-01-099
	 * req: KS-05-007 */
	TRY(make_keyset(card, d, TITLE_SETTING_SO, &blue));
	TRY(make_keyset(card, d, TITLE_SETTING_DOMAIN, &red));
	pthread_mutex_lock(&card->lock);
	rc = initialized(card, label, blue, red);
	pthread_mutex_unlock(&card->lock);
out:
	dialogue_free(d);
	secret_free(blue);
	secret_free(red);
	return rc;
}

/* req: KS-01-072  four groups of four letters or digits */
static enum card_rv
challenge_draw(struct card *card, char out[CHALLENGE_ROOM])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789";
	enum { LETTERS = sizeof(alphabet) - 1 };
	uint8_t octet;
	unsigned k = 0;
	enum card_rv rc = CARD_OK;

	while (k < CARD_CHALLENGE_OCTETS) {
		if (k % (GROUP_OCTETS + 1) == GROUP_OCTETS) {
			out[k++] = '-';
			continue;
		}
		TRY(rv_of(env_random(card->env, &octet, 1)));
		if (octet < 256 / LETTERS * LETTERS)
			out[k++] = alphabet[octet % LETTERS];
	}
	out[k] = '\0';
out:
	return rc;
}

_Static_assert(
    GROUPS *(GROUP_OCTETS + 1) - 1 == CARD_CHALLENGE_OCTETS, "its form");

/* Locked. The red iKey is that of this HSM's domain; nothing is counted. */
static enum card_rv
domain_check(struct card *card, const struct secret *red)
{
	return card_lock_try(&card->state.domain, secret_peek(red));
}

/*
 * Locked.
 *
 * req: KS-01-015, KS-01-059  its key is behind the black iKey alone
 */
static enum card_rv
partition_created(struct card *card, const struct card_login *so,
    const char *label, const struct secret *black, const char *challenge)
{
	struct backing_token token = {.open = false};
	struct secret *key = NULL;
	struct state_partition *p;
	enum card_rv rc = CARD_OK;

	TRY(ready_for_so(card, so));
	if (card->state.partitions[SLOT - 1].present)
		TRY(CARD_PARTITION_EXISTS);
	TRY(card_draw(card, &key));
	p = &card_change(card)->partitions[SLOT - 1];
	p->present = p->initialized = true;
	(void)snprintf(p->label, sizeof(p->label), "%s", label);
	p->domain = card->state.domain;
	/* req: KS-05-009  as the guide has it from the start */
	p->policies[POLICY_ACTIVATION] = 1;
	p->policies[POLICY_AUTO_ACTIVATION] = 1;
	TRY(card_lock_set(
	    card, &p->roles[CARD_USER].lock, secret_peek(black), 0, key));
	TRY(proof_set(
	    card, &p->challenge, bytes_of_text(challenge), card_rounds(card)));
	TRY(backing_make(card->backing, card->env, key, p->token, &token));
	TRY(card_commit(card));
	TRY(card_token_change(card, SLOT, "", &token));
out:
	secret_free(key);
	return rc;
}

/* req: KS-01-048, KS-01-049, KS-01-101  the blue iKey is the login's */
enum card_rv
card_create_partition(
    struct card *card, const struct card_login *so, const char *label)
{
	struct dialogue *d = NULL;
	struct secret *red = NULL;
	struct secret *black = NULL;
	char challenge[CHALLENGE_ROOM] = "";
	enum card_rv rc = CARD_OK;

	if (!card_label_is_valid(label))
		return CARD_ARGUMENT;
	pthread_mutex_lock(&card->lock);
	rc = ready_for_so(card, so);
	if (rc == CARD_OK && card->state.partitions[SLOT - 1].present)
		rc = CARD_PARTITION_EXISTS;
	pthread_mutex_unlock(&card->lock);
	TRY(rc);
	TRY(begin(card, PORT_ANY, &d));
	/* req: KS-01-058 */
	TRY(dialogue_login(d, TITLE_DOMAIN_LOGIN, &red));
	pthread_mutex_lock(&card->lock);
	rc = domain_check(card, red);
	pthread_mutex_unlock(&card->lock);
	TRY(rc);
	TRY(make_keyset(card, d, TITLE_SETTING_USER, &black));
	TRY(challenge_draw(card, challenge));
	/* Before the partition is there: one nobody has seen is of no use. */
	TRY(dialogue_challenge(d, challenge));
	pthread_mutex_lock(&card->lock);
	rc = partition_created(card, so, label, black, challenge);
	pthread_mutex_unlock(&card->lock);
out:
	dialogue_free(d);
	secret_free(red);
	secret_free(black);
	secret_wipe(challenge, sizeof(challenge));
	return rc;
}

/*
 * Locked. What the black iKey opens, for the Security Officer to give a new
 * challenge. A role that is locked is past counting.
 */
static enum card_rv
user_judged(
    struct card *card, const struct card_login *so, const struct secret *black)
{
	struct state_partition *p;
	enum card_rv rc = CARD_OK;

	TRY(ready_for_so(card, so));
	TRY(card_partition(card, SLOT, &p));
	rc = card_lock_try(&p->roles[CARD_USER].lock, secret_peek(black));
	if (card_role_ready(card, SLOT, CARD_USER) == CARD_OK)
		rc = card_verdict(card, SLOT, CARD_USER, rc);
out:
	return rc;
}

/* Locked. */
static enum card_rv
challenge_changed(
    struct card *card, const struct card_login *so, const char *challenge)
{
	struct state_partition *p;
	enum card_rv rc = CARD_OK;

	TRY(ready_for_so(card, so));
	TRY(card_partition(card, SLOT, &p));
	p = &card_change(card)->partitions[SLOT - 1];
	p->roles[CARD_USER].failures = 0;
	TRY(proof_set(
	    card, &p->challenge, bytes_of_text(challenge), card_rounds(card)));
	TRY(card_commit(card));
out:
	return rc;
}

enum card_rv
card_reset_password(struct card *card, const struct card_login *so)
{
	struct dialogue *d = NULL;
	struct secret *black = NULL;
	struct state_partition *p;
	char challenge[CHALLENGE_ROOM] = "";
	enum card_rv rc = CARD_OK;

	pthread_mutex_lock(&card->lock);
	rc = ready_for_so(card, so);
	if (rc == CARD_OK)
		rc = card_partition(card, SLOT, &p);
	if (rc == CARD_OK && card->config.lockout == CARD_LOCKOUT_PERMANENT)
		rc = card_role_ready(card, SLOT, CARD_USER);
	pthread_mutex_unlock(&card->lock);
	TRY(rc);
	TRY(begin(card, PORT_ANY, &d));
	TRY(dialogue_login(d, TITLE_USER_LOGIN, &black));
	pthread_mutex_lock(&card->lock);
	rc = user_judged(card, so, black);
	pthread_mutex_unlock(&card->lock);
	TRY(rc);
	TRY(challenge_draw(card, challenge));
	TRY(dialogue_challenge(d, challenge));
	pthread_mutex_lock(&card->lock);
	rc = challenge_changed(card, so, challenge);
	pthread_mutex_unlock(&card->lock);
out:
	dialogue_free(d);
	secret_free(black);
	secret_wipe(challenge, sizeof(challenge));
	return rc;
}

/* ---- the remote PED ---- */

/* Locked. */
static enum card_rv
vector_set(
    struct card *card, const struct card_login *so, const struct secret *vector)
{
	static const uint8_t salt[SEAL_SALT_OCTETS];
	struct secret *key = NULL;
	struct state *next;
	enum card_rv rc = CARD_OK;

	TRY(ready_for_so(card, so));
	TRY(rv_of(
	    seal_key((struct bytes){card->state.key, sizeof(card->state.key)},
		salt, 0, "remote PED", &key)));
	next = card_change(card);
	TRY(rv_of(seal_put(card->env, key, secret_peek(vector), next->rpv)));
	next->has_rpv = true;
	TRY(card_commit(card));
	port_distrust(card->port);
out:
	secret_free(key);
	return rc;
}

/* req: KS-01-078, KS-05-008, KS-05-133  again too: the vector before is void */
enum card_rv
card_remote_init(struct card *card, const struct card_login *so)
{
	struct dialogue *d = NULL;
	struct secret *vector = NULL;
	enum card_rv rc = CARD_OK;

	/* req: KS-05-037, KS-01-080 */
	TRY(glance_so(card, so));
	/* req: KS-05-026, KS-05-035 */
	TRY(begin(card, PORT_ONLY_LOCAL, &d));
	TRY(make_keyset(card, d, TITLE_SETTING_RPV, &vector));
	pthread_mutex_lock(&card->lock);
	rc = vector_set(card, so, vector);
	pthread_mutex_unlock(&card->lock);
out:
	dialogue_free(d);
	secret_free(vector);
	return rc;
}

enum card_rv
card_remote_connect(struct card *card)
{
	struct dialogue *d = NULL;
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_K6)
		return CARD_ROLE_INVALID;
	pthread_mutex_lock(&card->lock);
	rc = ready(card); /* req: KS-05-025 */
	/* req: KS-01-041 */
	if (rc == CARD_OK && !card->state.has_rpv)
		rc = CARD_NO_VECTOR;
	pthread_mutex_unlock(&card->lock);
	TRY(rc);
	TRY(begin(card, PORT_NEW_REMOTE, &d));
out:
	dialogue_free(d);
	return rc;
}

void
card_remote_disconnect(struct card *card)
{
	if (card->port != NULL)
		port_disconnect(card->port);
}

/* ---- status and policies ---- */

void
card_status(struct card *card, struct card_status *out)
{
	const struct state *s = &card->state;
	const struct state_partition *p = &s->partitions[SLOT - 1];
	enum port_state ped =
	    card->port != NULL ? port_state(card->port) : PORT_NONE;
	unsigned so_slot = card->config.model == CARD_K6 ? 0 : SLOT;
	unsigned failures;
	bool stopped;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&card->lock);
	out->initialized = s->initialized;
	out->tampered = s->tampered;
	out->zeroized = s->zeroized;
	out->has_partition = p->present && p->initialized;
	out->activated = card->parts[SLOT].activated;
	out->auto_activation = battery_is_good(card, &stopped);
	out->has_rpv = s->has_rpv;
	out->ped = ped == PORT_REMOTE  ? CARD_PED_REMOTE_ON
		   : ped == PORT_LOCAL ? CARD_PED_LOCAL
				       : CARD_PED_NONE;
	failures = card_failures(card, so_slot, CARD_SO);
	out->so_attempts_left =
	    card_attempts(card, so_slot, CARD_SO) - failures;
	failures = card_failures(card, SLOT, CARD_USER);
	out->user_attempts_left =
	    failures < card_attempts(card, SLOT, CARD_USER)
		? card_attempts(card, SLOT, CARD_USER) - failures
		: 0;
	out->user_locked = out->user_attempts_left == 0;
	memcpy(out->label, s->label, sizeof(out->label));
	memcpy(out->serial, s->serial, sizeof(out->serial));
	memcpy(out->policies, p->policies, sizeof(out->policies));
	pthread_mutex_unlock(&card->lock);
}

/* What each policy may be, and of which model it is. */
static const struct {
	unsigned number;
	unsigned char least, most;
	bool trusted_path; /* req: KSC-029  only with a PED */
} policies[] = {
    {POLICY_ATTEMPTS, 1, CARD_USER_ATTEMPTS, false},
    {POLICY_ACTIVATION, 0, 1, true},
    {POLICY_AUTO_ACTIVATION, 0, 1, true},
};

static bool
policy_allows(const struct card *card, unsigned policy, unsigned value)
{
	size_t k;

	for (k = 0; k < sizeof(policies) / sizeof(policies[0]); k++) {
		if (policies[k].number == policy)
			return value >= policies[k].least &&
			       value <= policies[k].most &&
			       (!policies[k].trusted_path ||
				   card->config.model == CARD_K6);
	}
	return false;
}

/* Locked. What is activated, and what the battery holds, follows the policies.
 */
static enum card_rv
policies_follow(struct card *card)
{
	const struct state_partition *p = &card->state.partitions[SLOT - 1];
	struct part *part = &card->parts[SLOT];
	bool automatic = p->policies[POLICY_ACTIVATION] != 0 &&
			 p->policies[POLICY_AUTO_ACTIVATION] != 0;
	enum card_rv rc = CARD_OK;

	if (!automatic)
		TRY(rv_of(battery_drop(card->battery)));
	if (part->activated && p->policies[POLICY_ACTIVATION] == 0)
		deactivate(card);
	if (part->activated && automatic)
		TRY(activate(card, part->key));
out:
	return rc;
}

enum card_rv
card_policy_set(struct card *card, const struct card_login *so, unsigned policy,
    unsigned value)
{
	unsigned slot = so->slot != 0 ? so->slot : SLOT;
	struct state_partition *p;
	enum card_rv rc = CARD_OK;

	pthread_mutex_lock(&card->lock);
	if (so->role != CARD_SO)
		TRY(CARD_NOT_LOGGED_IN);
	TRY(card_login_check(card, so));
	TRY(card_partition(card, slot, &p));
	if (!policy_allows(card, policy, value))
		TRY(CARD_POLICY);
	card_change(card)->partitions[slot - 1].policies[policy] =
	    (uint8_t)value;
	TRY(card_commit(card));
	if (card->config.model == CARD_K6)
		TRY(policies_follow(card));
out:
	pthread_mutex_unlock(&card->lock);
	return rc;
}
