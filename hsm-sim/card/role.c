/*
 * Roles: what a secret opens, what a wrong one costs, and how long a login
 * lasts.
 */
#include <string.h>

#include "base/log.h"
#include "card/engine.h"

/* ---- secrets ---- */

static const char lock_purpose[] = "role";

enum card_rv
card_lock_set(struct card *card, struct lock *lock, struct bytes secret,
    unsigned rounds, const struct secret *key)
{
	struct secret *over = NULL;
	enum card_rv rc = CARD_OK;

	TRY(rv_of(env_random(card->env, lock->salt, sizeof(lock->salt))));
	TRY(rv_of(seal_key(secret, lock->salt, rounds, lock_purpose, &over)));
	TRY(rv_of(seal_put(card->env, over, secret_peek(key), lock->wrapped)));
	lock->rounds = rounds;
	lock->set = true;
out:
	secret_free(over);
	return rc;
}

enum card_rv
card_lock_open(
    const struct lock *lock, struct bytes secret, struct secret **key)
{
	struct secret *over = NULL;
	enum card_rv rc = CARD_OK;

	*key = NULL;
	TRY(rv_of(
	    seal_key(secret, lock->salt, lock->rounds, lock_purpose, &over)));
	TRY(rv_of(seal_open(
	    over, (struct bytes){lock->wrapped, sizeof(lock->wrapped)}, key)));
out:
	secret_free(over);
	return rc;
}

enum card_rv
card_lock_try(const struct lock *lock, struct bytes secret)
{
	struct secret *key;
	enum card_rv rc = card_lock_open(lock, secret, &key);

	secret_free(key);
	return rc;
}

/* ---- attempts ---- */

struct state_role *
card_role_of(struct state *state, unsigned slot, enum card_role role)
{
	if (role <= CARD_NOBODY || role > CARD_LIMITED ||
	    (slot == 0 && role != CARD_SO))
		return NULL;
	return slot == 0 ? &state->so
			 : &state->partitions[slot - 1].roles[role];
}

unsigned
card_attempts(const struct card *card, unsigned slot, enum card_role role)
{
	if (slot == 0)
		return CARD_SO_ATTEMPTS;
	if (role == CARD_SO)
		return CARD_PARTITION_SO_ATTEMPTS;
	return card->state.partitions[slot - 1].policies[POLICY_ATTEMPTS];
}

unsigned
card_failures(struct card *card, unsigned slot, enum card_role role)
{
	const struct state_role *r = card_role_of(&card->state, slot, role);

	if (r->failures >= card_attempts(card, slot, role) &&
	    card->config.lockout == CARD_LOCKOUT_TIMED &&
	    env_hsm_ms(card->env) - r->failed_ms >= CARD_LOCKOUT_MS)
		return 0;
	return r->failures;
}

enum card_rv
card_role_ready(struct card *card, unsigned slot, enum card_role role)
{
	const struct state_role *r = card_role_of(&card->state, slot, role);

	if (card->broken)
		return CARD_STATE;
	if (r == NULL)
		return CARD_ROLE_INVALID;
	/* The Security Officer is who looks into it. */
	if (card->state.tampered && role != CARD_SO)
		return CARD_TAMPERED;
	if (!r->lock.set)
		return CARD_ROLE_NOT_INITIALIZED;
	if (card_failures(card, slot, role) >= card_attempts(card, slot, role))
		return CARD_PIN_LOCKED;
	return CARD_OK;
}

static enum card_rv
count(struct card *card, unsigned slot, enum card_role role, unsigned failures)
{
	struct state_role *r = card_role_of(card_change(card), slot, role);

	r->failures = (uint8_t)failures;
	r->failed_ms = failures != 0 ? env_hsm_ms(card->env) : 0;
	return card_commit(card);
}

/*
 * req: KS-01-097, KS-01-098  whatever made it wrong, it counts alike
 *
 * A right secret costs no write, unless it ends a count. A wrong one is counted
 * before anybody is told; cutting the power meanwhile, an attacker who watches
 * the card's supply could tell a wrong one by that it is being counted.
 * Counting each attempt first would close that, and three power cuts amid the
 * Security Officer's right logins would then destroy the HSM.
 */
enum card_rv
card_verdict(
    struct card *card, unsigned slot, enum card_role role, enum card_rv verdict)
{
	unsigned failures = card_failures(card, slot, role);
	enum card_rv rc = CARD_OK;

	if (verdict == CARD_OK) {
		if (card_role_of(&card->state, slot, role)->failures != 0)
			TRY(count(card, slot, role, 0));
		return CARD_OK;
	}
	/* Whatever is not about the secret is no attempt. */
	if (verdict != CARD_PIN_INCORRECT &&
	    verdict != CARD_CHALLENGE_INCORRECT)
		return verdict;
	if (failures + 1 < card_attempts(card, slot, role) || role != CARD_SO) {
		TRY(count(card, slot, role, failures + 1));
		return verdict;
	}
	log_line("card", LOG_WARN, "slot %u: too many failed logins of the SO",
	    slot);
	TRY(slot == 0 ? card_zeroize_locked(card)
		      : card_partition_destroy(card, slot));
	rc = CARD_SO_THRESHOLD;
out:
	return rc;
}

/* ---- logins ---- */

enum card_rv
card_login_begin(struct card *card, unsigned slot, enum card_role role,
    const struct secret *key, struct card_login *out)
{
	struct part *part = &card->parts[slot];
	const struct state_role *r = card_role_of(&card->state, slot, role);
	enum card_rv rc = CARD_OK;

	if (slot != 0 && part->key == NULL)
		TRY(rv_of(secret_copy(secret_peek(key), &part->key)));
	if (slot != 0 && role != CARD_SO) {
		rc = backing_login(card->backing, &part->token, part->key);
		/* The role's secret was right: this is a damaged token. */
		TRY(rc == CARD_PIN_INCORRECT ? CARD_STATE : rc);
	}
	part->logins[role]++;
	*out = (struct card_login){
	    .role = role,
	    .slot = slot,
	    .epoch = part->epoch,
	    .generation = part->generations[role],
	    .expired = r->expired,
	};
out:
	if (rc != CARD_OK)
		card_rest(card, slot);
	return rc;
}

void
card_rest(struct card *card, unsigned slot)
{
	struct part *part = &card->parts[slot];
	bool users = part->activated || part->logins[CARD_USER] != 0 ||
		     part->logins[CARD_LIMITED] != 0;

	if (!users && part->token.logged_in) {
		pthread_rwlock_wrlock(&part->use);
		backing_logout(card->backing, &part->token);
		part->logouts++;
		pthread_rwlock_unlock(&part->use);
	}
	if (!users && part->logins[CARD_SO] == 0) {
		secret_free(part->key);
		part->key = NULL;
	}
}

void
card_logins_end(struct card *card, unsigned slot, enum card_role role)
{
	struct part *part = &card->parts[slot];

	part->generations[role]++;
	part->logins[role] = 0;
}

void
card_logins_end_all(struct card *card, unsigned slot)
{
	unsigned role;

	for (role = CARD_SO; role < STATE_ROLES; role++)
		card_logins_end(card, slot, (enum card_role)role);
}

/* Did it begin, and has nothing ended it? */
static bool
login_lasts(struct card *card, const struct card_login *login)
{
	const struct part *part = &card->parts[login->slot];

	return login->role != CARD_NOBODY && part->epoch == login->epoch &&
	       part->generations[login->role] == login->generation;
}

enum card_rv
card_login_check(struct card *card, const struct card_login *login)
{
	if (!login_lasts(card, login))
		return CARD_NOT_LOGGED_IN;
	/* req: KSC-120 */
	if (login->expired && card->parts[login->slot].expired[login->role])
		return CARD_PIN_EXPIRED;
	return CARD_OK;
}

void
card_logout(struct card *card, struct card_login *login)
{
	pthread_mutex_lock(&card->lock);
	if (login_lasts(card, login)) {
		card->parts[login->slot].logins[login->role]--;
		card_rest(card, login->slot);
	}
	memset(login, 0, sizeof(*login));
	pthread_mutex_unlock(&card->lock);
}

/* Locked. req: KSC-047, KSC-104, KSC-161 */
static enum card_rv
login_by_password(struct card *card, unsigned slot, enum card_role role,
    struct bytes password, struct card_login *out)
{
	struct state_partition *p;
	struct secret *key = NULL;
	enum card_rv rc = CARD_OK;

	TRY(card_partition(card, slot, &p));
	/* req: KSC-104, KSC-119 */
	TRY(card_role_ready(card, slot, role));
	rc = card_lock_open(&p->roles[role].lock, password, &key);
	TRY(card_verdict(card, slot, role, rc));
	TRY(card_login_begin(card, slot, role, key, out));
out:
	secret_free(key);
	return rc;
}

enum card_rv
card_login(struct card *card, unsigned slot, enum card_role role,
    struct bytes password, struct card_login *out)
{
	enum card_rv rc;

	if (slot < 1 || slot > card->config.slots)
		return CARD_ARGUMENT;
	if (card->config.model == CARD_K6)
		return card_login_trusted(card, slot, role, password, out);
	pthread_mutex_lock(&card->lock);
	rc = login_by_password(card, slot, role, password, out);
	pthread_mutex_unlock(&card->lock);
	return rc;
}

/* ---- passwords ---- */

static bool
password_fits(struct bytes password)
{
	return password.octets >= CARD_PASSWORD_LEAST_OCTETS &&
	       password.octets <= CARD_PASSWORD_MOST_OCTETS;
}

/*
 * req: KSC-016, KSC-020, KSC-107, KSC-108, KSC-118, KSC-133  the Partition SO
 * makes the Crypto Officer, who makes the Crypto User; nobody else does
 */
static enum card_rv
may_init(const struct card_login *by, enum card_role role)
{
	if (role == CARD_USER)
		return by->role == CARD_SO ? CARD_OK : CARD_RIGHTS;
	if (role == CARD_LIMITED)
		return by->role == CARD_USER ? CARD_OK : CARD_RIGHTS;
	return CARD_ROLE_INVALID;
}

/* Locked. */
static enum card_rv
role_init(struct card *card, unsigned slot, enum card_role role,
    struct bytes password)
{
	struct part *part = &card->parts[slot];
	struct state_role *r;
	bool again;
	enum card_rv rc = card_role_ready(card, slot, role);

	if (rc == CARD_PIN_LOCKED &&
	    card->config.lockout == CARD_LOCKOUT_PERMANENT)
		return rc;
	if (rc == CARD_STATE)
		return rc;
	again = rc != CARD_ROLE_NOT_INITIALIZED;
	r = card_role_of(card_change(card), slot, role);
	memset(r, 0, sizeof(*r));
	r->expired = role == CARD_USER; /* req: KSC-119 */
	TRY(card_lock_set(
	    card, &r->lock, password, card_rounds(card), part->key));
	TRY(card_commit(card));
	part->expired[role] = role == CARD_USER;
	if (again) {
		card_logins_end(card, slot, role);
		card_rest(card, slot);
	}
out:
	return rc;
}

/* req: KSC-134 */
enum card_rv
card_role_init(struct card *card, const struct card_login *by,
    enum card_role role, struct bytes password)
{
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_LUNA7)
		return CARD_ROLE_INVALID;
	pthread_mutex_lock(&card->lock);
	TRY(card_login_check(card, by));
	TRY(may_init(by, role));
	if (!password_fits(password))
		TRY(CARD_PIN_LENGTH);
	TRY(role_init(card, by->slot, role, password));
out:
	pthread_mutex_unlock(&card->lock);
	return rc;
}

/* Locked. req: KSC-121, KSC-122, KSC-126, KSC-130, KSC-132 */
static enum card_rv
password_change(struct card *card, const struct card_login *login,
    struct bytes old_password, struct bytes new_password)
{
	struct state_role *r =
	    card_role_of(&card->state, login->slot, login->role);
	struct secret *key = NULL;
	enum card_rv rc = CARD_OK;

	TRY(card_role_ready(card, login->slot, login->role));
	rc = card_lock_open(&r->lock, old_password, &key);
	TRY(card_verdict(card, login->slot, login->role, rc));
	r = card_role_of(card_change(card), login->slot, login->role);
	r->expired = false;
	TRY(card_lock_set(
	    card, &r->lock, new_password, card_rounds(card), key));
	TRY(card_commit(card));
	card->parts[login->slot].expired[login->role] = false;
out:
	secret_free(key);
	return rc;
}

/* req: KSC-121, KSC-122, KSC-126, KSC-130, KSC-132, KSC-162 */
enum card_rv
card_password(struct card *card, struct card_login *login,
    struct bytes old_password, struct bytes new_password)
{
	enum card_rv rc = CARD_OK;

	if (card->config.model != CARD_LUNA7)
		return CARD_POLICY;
	if (!password_fits(new_password))
		return CARD_PIN_LENGTH;
	pthread_mutex_lock(&card->lock);
	if (!login_lasts(card, login))
		TRY(CARD_NOT_LOGGED_IN);
	TRY(password_change(card, login, old_password, new_password));
	login->expired = false;
out:
	pthread_mutex_unlock(&card->lock);
	return rc;
}
