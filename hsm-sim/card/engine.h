/*
 * What the card's files share: its state in memory, and the moves that all of
 * them make. No part of what others may include.
 *
 * Two locks, in this order: `lock` (state and memory), and each part's `use`
 * (SoftHSM's sessions). What says "locked" wants `lock` held. The PED is held
 * by a dialogue (port.h), and never under a lock: people take their time.
 */
#ifndef CARD_ENGINE_H
#define CARD_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "card/backing.h"
#include "card/battery.h"
#include "card/fault.h"
#include "card/port.h"
#include "card/rv.h"
#include "card/state.h"

/*
 * A slot's partition as long as there is power; [0] is the HSM itself, which
 * has logins but no token.
 */
struct part {
	pthread_rwlock_t use;
	struct backing_token token;
	struct secret *key; /* of the token: activated, or somebody logged in */
	bool activated;
	unsigned logins[STATE_ROLES];
	_Atomic uint64_t epoch;
	_Atomic uint64_t logouts; /* of the token, in SoftHSM */
	_Atomic uint64_t generations[STATE_ROLES];
	_Atomic bool expired[STATE_ROLES];
	_Atomic uint64_t backing_slot; /* NO_SLOT: none */
};

#define NO_SLOT UINT64_MAX

/* Partition policies that the card knows. */
enum {
	POLICY_ATTEMPTS = 20,
	POLICY_ACTIVATION = 22,
	POLICY_AUTO_ACTIVATION = 23,
};

struct card {
	struct card_config config;
	struct env *env;
	int dir_fd; /* locked against another card */
	struct backing *backing;
	pthread_mutex_t lock;
	struct steps steps;
	struct battery *battery;
	bool broken; /* a write failed: until power is off and on */
	struct state state;
	struct state next; /* on its way to the disk: card_change */
	struct part parts[CARD_SLOTS_MAX + 1];
	struct port *port; /* K6 */
	struct faults *faults;
};

/* ---- state ---- */

/* Locked. A copy of the state to change; card_commit makes it durable, and it.
 */
struct state *card_change(struct card *card);
enum card_rv card_commit(struct card *card);

/* In the state or its copy; NULL: there is no such role there. */
struct state_role *
card_role_of(struct state *state, unsigned slot, enum card_role role);

/* Locked. The slot's record, where it has a partition that is initialized. */
enum card_rv
card_partition(struct card *card, unsigned slot, struct state_partition **out);

/* ---- secrets ---- */

/* Have `secret` open the lock to `key`. */
enum card_rv card_lock_set(struct card *card, struct lock *lock,
    struct bytes secret, unsigned rounds, const struct secret *key);

/* CARD_PIN_INCORRECT: not this secret. Counts nothing. */
enum card_rv card_lock_open(
    const struct lock *lock, struct bytes secret, struct secret **key);

/* A new secret of SEAL_KEY_OCTETS. */
enum card_rv card_draw(struct card *card, struct secret **out);

/* Locked. CARD_PIN_INCORRECT: not what opens it; what it opens is no matter. */
enum card_rv card_lock_try(const struct lock *lock, struct bytes secret);

/* How many rounds a password is worth. */
unsigned card_rounds(const struct card *card);

/* ---- roles ---- */

/* Locked. Those that count at present, and how many of them there may be. */
unsigned card_failures(struct card *card, unsigned slot, enum card_role role);
unsigned
card_attempts(const struct card *card, unsigned slot, enum card_role role);

/*
 * Locked. May the role try to log in? CARD_TAMPERED, CARD_PIN_LOCKED,
 * CARD_ROLE_NOT_INITIALIZED, CARD_ROLE_INVALID, CARD_STATE
 */
enum card_rv
card_role_ready(struct card *card, unsigned slot, enum card_role role);

/*
 * Locked. A secret for the role was right or wrong: the verdict is durable when
 * this returns, and what follows from it done.
 *
 * verdict  CARD_OK, or what to answer to a wrong one
 */
enum card_rv card_verdict(struct card *card, unsigned slot, enum card_role role,
    enum card_rv verdict);

/*
 * Locked. One more login; the token's key is in memory for as long, and its
 * token open to users.
 *
 * key  NULL: the part has it
 */
enum card_rv card_login_begin(struct card *card, unsigned slot,
    enum card_role role, const struct secret *key, struct card_login *out);

/* Locked. All logins of a role (of all roles) are over. */
void card_logins_end(struct card *card, unsigned slot, enum card_role role);
void card_logins_end_all(struct card *card, unsigned slot);

/* Locked. Let go of key and token where nobody needs them. */
void card_rest(struct card *card, unsigned slot);

/* ---- K6 (k6.c) ---- */

/* Power has returned: restore or end what the battery holds. */
enum card_rv card_power_on(struct card *card);

/* Locked. Time has passed: what was deactivated for too long is gone. */
void card_battery_tick(struct card *card);

/* Locked. Nobody is logged in, nothing is activated, the battery is empty. */
enum card_rv card_forget(struct card *card);

/* card_login of a K6. */
enum card_rv card_login_trusted(struct card *card, unsigned slot,
    enum card_role role, struct bytes challenge, struct card_login *out);

/* ---- partitions ---- */

/*
 * Locked. The slot's token is replaced: sessions end, the old one is removed,
 * the epoch goes up.
 *
 * old    its serial number; no text: there was none
 * token  the new one; NULL: none
 */
enum card_rv card_token_change(struct card *card, unsigned slot,
    const char *old, const struct backing_token *token);

/* A partition without anything but what it is known by. */
void card_partition_blank(const struct card *card, struct state_partition *p);

/* Locked. */
enum card_rv card_partition_destroy(struct card *card, unsigned slot);
enum card_rv card_zeroize_locked(struct card *card);

/* 1 to CARD_LABEL_OCTETS octets of UTF-8. */
bool card_label_is_valid(const char *label);

#endif
