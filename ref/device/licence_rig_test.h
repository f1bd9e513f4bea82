/*
 * For tests: a license that is installed by a change, and not by a package.
 */
#ifndef DEVICE_LICENCE_RIG_TEST_H
#define DEVICE_LICENCE_RIG_TEST_H

#include "device/clients.h"
#include "device/licence.h"
#include "device/rig_test.h"

struct licence_change {
	struct change change;
	struct licence licence;
	enum err fails; /* after it was written */
	bool is_done;
	enum err rc;
};

static inline enum err
licence_change_apply(struct change *change)
{
	const struct licence_change *c = change->ctx;
	enum err rc = OK;

	TRY(licence_install(change, &c->licence));
	TRY(c->fails);
out:
	return rc;
}

static inline void
licence_change_done(struct change *change, enum err rc)
{
	struct licence_change *c = change->ctx;

	c->is_done = true;
	c->rc = rc;
}

/* By nobody in particular. It stays where it is until it is done. */
static inline void
licence_change_run(
    struct appliance *appliance, struct licence_change *c, uint32_t clients)
{
	c->licence.clients = clients;
	c->is_done = false;
	c->change = (struct change){.act = ACT_UPGRADE,
	    .apply = licence_change_apply,
	    .done = licence_change_done,
	    .ctx = c};
	change_run(appliance, &c->change);
}

/* So many clients from now on. */
static inline void
licence_put(struct bench *bench, uint32_t clients)
{
	static struct licence_change c;

	c = (struct licence_change){.fails = OK};
	licence_change_run(&bench->appliance, &c, clients);
	bench_turn(bench);
	bench_turn(bench);
	assert_true(c.is_done);
	assert_ok(c.rc);
}

#endif
