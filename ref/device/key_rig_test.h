/*
 * For tests of keys: a bench with a keystore that is ready, a clock, settings
 * and policies.
 */
#ifndef DEVICE_KEY_RIG_TEST_H
#define DEVICE_KEY_RIG_TEST_H

#include "device/rig_test.h"

#include "crypto/softhsm_test.h"
#include "device/key.h"
#include "device/policy.h"
#include "device/user.h"

struct key_rig {
	struct bench bench;
	struct softhsm token;
	struct hsm *hsm;
	struct keystore *keystore;
	struct arena *arena;
	struct key_call call;
};

/* Monday, 2026-01-05 10:00:00 UTC */
enum { KEY_RIG_WALL_S = 1767607200 };

static inline void
key_rig_make(struct key_rig *rig)
{
	struct appliance *appliance = &rig->bench.appliance;

	memset(rig, 0, sizeof(*rig));
	softhsm_make(&rig->token);
	rig->hsm = softhsm_open(&rig->token);
	bench_make(&rig->bench);
	env_set_random(rig->bench.rig.env, random_drbg, NULL);
	env_set_wall_s(rig->bench.rig.env, KEY_RIG_WALL_S);
	assert_ok(
	    clock_new(appliance->store, rig->bench.rig.env, &appliance->clock));
	assert_ok(settings_new(appliance->store, &appliance->settings));
	assert_ok(policies_new(appliance, &appliance->policies));
	assert_ok(keystore_new(
	    rig->token.env, rig->hsm, BYTES_NONE, 1000, &rig->keystore));
	assert_true(keystore_probe_begin(rig->keystore));
	keystore_probe_work(rig->keystore);
	keystore_probe_done(rig->keystore, OK);
	keystore_stored(rig->keystore);
	assert_ok(keystore_check(rig->keystore));
	assert_ok(arena_new(64 << 20, &rig->arena));
	key_call_init(&rig->call, appliance, rig->arena);
	rig->call.keystore = rig->keystore;
}

static inline void
key_rig_clear(struct key_rig *rig)
{
	struct appliance *appliance = &rig->bench.appliance;

	arena_free(rig->arena);
	keystore_free(rig->keystore);
	hsm_free(rig->hsm);
	policies_free(appliance->policies);
	settings_free(appliance->settings);
	clock_free(appliance->clock);
	bench_remove(&rig->bench);
	softhsm_clear(&rig->token);
}

/* The end of a turn, and of all that was borrowed in it. */
static inline void
key_rig_turn(struct key_rig *rig)
{
	assert_ok(store_commit(rig->bench.appliance.store));
	arena_reset(rig->arena);
	rig->call.why[0] = '\0';
}

/* What is made of AES-256 unless the test says otherwise. */
static inline struct key_spec
key_rig_spec(const char *name, const char *owner)
{
	return (struct key_spec){.name = bytes_of_text(name),
	    .owner = bytes_of_text(owner),
	    .algorithm = key_algorithm_named(bytes_of_text("AES-256")),
	    .exportable = true,
	    .deletable = true};
}

static inline const struct object *
key_rig_find(struct key_rig *rig, const char *name)
{
	const struct object *key;

	assert_ok(key_find(&rig->call, NULL, 0, bytes_of_text(name), &key));
	return key;
}

static inline bool
key_rig_has(struct key_rig *rig, const char *name)
{
	const struct object *key;
	enum err rc = key_find(&rig->call, NULL, 0, bytes_of_text(name), &key);

	assert_true(rc == OK || rc == ERR_NOT_FOUND);
	return rc == OK;
}

#endif
