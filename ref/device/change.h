/*
 * The one way in which anything about the appliance is changed.
 *
 *	principal -> access control -> multiple credentials -> validation
 *	-> transaction -> audit line -> durable -> effect -> told
 *
 * The command line, the first-time set-up, and later the console, requests,
 * restore and replication come through here; nothing else writes settings,
 * accounts, certificates or whatever the appliance keeps. The command line's
 * frame has most of it done before a handler sees anything (cli/cli.h); what
 * it cannot know, such as that the account has been deleted meanwhile, is
 * found out here, where it counts.
 *
 * A refusal leaves nothing behind but its audit line.
 */
#ifndef DEVICE_CHANGE_H
#define DEVICE_CHANGE_H

#include "device/admin.h"
#include "device/audit.h"
#include "base/loop.h"
#include "device/act.h"
#include "device/principal.h"

struct appliance;

enum { CHANGE_EVENT_OCTETS = 1024, CHANGE_WHY_OCTETS = 512 };

/* Those who confirm a change beside the one who asks, each of whom has logged
 * in for it; the same one counts once. req: ESKM-189 */
enum { APPROVALS_MOST = 15 };
struct approvals {
	struct principal by[APPROVALS_MOST];
	size_t count;
};

/* How the device ends. Of several that are asked for, the last one here. */
enum leave {
	LEAVE_NOT,
	LEAVE_RESTART,
	LEAVE_HALT,
	LEAVE_RESET, /* see device/factory.h */
};

/*
 * In the caller's memory, from change_run to done; zeroed but for what is set.
 */
struct change {
	/* ---- set by who asks ---- */
	struct principal by;
	enum act act;
	const struct approvals *approvals; /* NULL: none */
	/*
	 * Validate against what is there now, and write. Called once, from
	 * change_run, in a savepoint of its own: on any error all that it
	 * wrote is undone. It touches nothing but the store; memory, sockets
	 * and services follow in `done`. An error of the user's puts the
	 * field, the value and the rule into `why`; `event` becomes the audit
	 * line. Neither ever has a secret in it.
	 */
	enum err (*apply)(struct change *change);
	/* From the loop, later, once; OK: it is durable, and then the place
	 * for effects. The struct is the caller's again. */
	void (*done)(struct change *change, enum err rc);
	void *ctx;
	/* How the device ends when it is durable, whether or not anybody is
	 * left to be told; who is has been told by then. */
	enum leave leave;
	/* ---- for both ---- */
	struct appliance *appliance;     /* set by change_run */
	char event[CHANGE_EVENT_OCTETS]; /* "" is the act's name */
	char why[CHANGE_WHY_OCTETS];     /* on failure: what to tell */
	/* ---- change_run's own ---- */
	struct store_waiter waiter;
	struct loop_task task;
	enum err rc;
};

/* ERR_DENIED in done: access control or credentials; why says which. Others:
 * apply's, the store's. */
void change_run(struct appliance *appliance, struct change *change);

/* Who asked is gone: no `done`. What is in the group stays in it. */
void change_leave(struct change *change);

/*
 * May they? And what is missing.
 *
 * *more  how many others have to confirm it, beyond `approvals` and those whose
 *        grants stand for them
 *
 * ERR_DENIED  never, whoever else confirms it; or one of `approvals` is not
 *             another administrator, or may not do it itself: why says which
 */
enum err change_permit(struct appliance *appliance, const struct principal *by,
    enum act act, const struct approvals *approvals, size_t *more,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* Somebody typed what cannot be: an audit line of its own.
 * req: KS-02-041 KS-02-042 */
void change_refused(
    struct appliance *appliance, const struct principal *by, const char *event);

#endif
