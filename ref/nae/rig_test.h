/*
 * For the tests of this folder: an appliance with users, and a connection that
 * is fed octets and whose answers are kept.
 */
#ifndef NAE_RIG_TEST_H
#define NAE_RIG_TEST_H

#include "crypto/ossl.h"
#include "crypto/softhsm_test.h"
#include "device/ear_test.h"
#include "device/rig_test.h"
#include "crypto/random.h"
#include "device/user.h"
#include "nae/nae.h"

#define PASSWORD "xk9#qzm7"

enum { TURNS = 200 };

struct desk {
	struct bench bench;
	struct loop_pool *workers;
	struct loop_pool *signers;
	struct softhsm token;
	struct hsm *hsm;
	struct keystore *keystore; /* NULL: no keys in this test */
	struct nae *nae;
	struct nae_config config;
	struct key_door door;
	struct nae_conn *conn;
	struct ear ear;   /* its logs */
	struct buf heard; /* all answers */
	bool finished;
	bool last; /* that was a whole answer */
	bool ready;
};

static inline void
desk_answer(void *ctx, struct buf *octets, bool last)
{
	struct desk *desk = ctx;

	desk->last = last;
	assert_ok(buf_put(&desk->heard, buf_peek(octets)));
	buf_reset(octets);
}

static inline void
desk_finish(void *ctx)
{
	struct desk *desk = ctx;

	desk->finished = true;
}

static inline void
desk_ready(void *ctx)
{
	struct desk *desk = ctx;

	desk->ready = true;
}

static inline void
desk_make(struct desk *desk)
{
	memset(desk, 0, sizeof(*desk));
	assert_ok(ossl_init());
	bench_make(&desk->bench);
	desk->bench.appliance.password_iterations = 10;
	assert_ok(loop_pool_new(desk->bench.rig.loop, "passwords", 1,
	    &desk->bench.appliance.passwords));
	assert_ok(appliance_open(&desk->bench.appliance));
	ear_open(&desk->ear, &desk->bench.appliance);
	assert_ok(
	    loop_pool_new(desk->bench.rig.loop, "work", 1, &desk->workers));
	assert_ok(
	    loop_pool_new(desk->bench.rig.loop, "sign", 1, &desk->signers));
	desk->config = (struct nae_config){
	    .appliance = &desk->bench.appliance,
	    .workers = desk->workers,
	    .signers = desk->signers,
	    .model = "Model",
	    .box_id = "Box",
	};
	desk->door = (struct key_door){
	    .protocol = KEY_NAE,
	    .allows_config = true,
	    .allows_export = true,
	    .origin = bytes_of_text("10.0.0.5 [-]"),
	};
	assert_ok(nae_new(&desk->config, &desk->nae));
	buf_init(&desk->heard, 256 << 20);
}

/* Before anything else: keys can be made. */
static inline void
desk_keys(struct desk *desk)
{
	softhsm_make(&desk->token);
	desk->hsm = softhsm_open(&desk->token);
	env_set_random(desk->bench.rig.env, random_drbg, NULL);
	assert_ok(keystore_new(
	    desk->token.env, desk->hsm, BYTES_NONE, 1000, &desk->keystore));
	assert_true(keystore_probe_begin(desk->keystore));
	keystore_probe_work(desk->keystore);
	keystore_probe_done(desk->keystore, OK);
	keystore_stored(desk->keystore);
	assert_ok(keystore_check(desk->keystore));
	desk->config.keystore = desk->keystore;
	desk->config.hsm_pool = desk->workers;
	nae_free(desk->nae);
	desk->nae = NULL;
	assert_ok(nae_new(&desk->config, &desk->nae));
}

/* As the config has become. */
static inline void
desk_anew(struct desk *desk)
{
	nae_free(desk->nae);
	desk->nae = NULL;
	assert_ok(nae_new(&desk->config, &desk->nae));
}

static inline void
desk_hang_up(struct desk *desk)
{
	nae_conn_free(desk->conn);
	desk->conn = NULL;
	desk->finished = false;
	desk->ready = false;
	buf_reset(&desk->heard);
}

static inline void
desk_call(struct desk *desk)
{
	struct nae_way way = {
	    .answer = desk_answer,
	    .finish = desk_finish,
	    .ready = desk_ready,
	    .ctx = desk,
	};

	desk_hang_up(desk);
	assert_ok(nae_conn_new(desk->nae, &desk->door, &way, &desk->conn));
}

static inline void
desk_remove(struct desk *desk)
{
	unsigned k;

	desk_hang_up(desk);
	for (k = 0; k < TURNS && nae_busy(desk->nae) != 0; k++)
		bench_turn(&desk->bench);
	loop_end_jobs(desk->bench.rig.loop);
	nae_free(desk->nae);
	appliance_close(&desk->bench.appliance);
	ear_close(&desk->ear);
	buf_clear(&desk->heard);
	if (desk->keystore != NULL) {
		keystore_free(desk->keystore);
		hsm_free(desk->hsm);
		softhsm_clear(&desk->token);
	}
	bench_remove(&desk->bench);
}

/* All of it, however long the answers take; what follows an end is lost. */
static inline void
desk_feed(struct desk *desk, struct bytes in)
{
	unsigned k;

	for (k = 0; k < TURNS; k++) {
		nae_feed(desk->conn, &in);
		if (!nae_conn_is_busy(desk->conn) && in.octets == 0)
			return;
		desk->ready = false;
		while (!desk->ready && !desk->finished)
			bench_turn(&desk->bench);
	}
	fail_msg("%s", "it never ends");
}

/* What is answered to these octets, as text. */
static inline const char *
desk_ask(struct desk *desk, const char *text)
{
	buf_reset(&desk->heard);
	desk_feed(desk, bytes_of_text(text));
	assert_ok(buf_put(&desk->heard, (struct bytes){(uint8_t *)"", 1}));
	return (const char *)desk->heard.at;
}

static inline void
desk_user(struct desk *desk, const char *name, bool administers)
{
	struct user user = {.administers = administers};

	(void)snprintf(user.name, sizeof(user.name), "%s", name);
	assert_ok(password_hash(desk->bench.rig.env,
	    desk->bench.appliance.password_iterations, bytes_of_text(PASSWORD),
	    &user.password));
	assert_ok(user_create(&desk->bench.appliance, &user));
	bench_turn(&desk->bench);
}

#endif
