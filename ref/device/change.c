#include "device/change.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "device/appliance.h"
#include "device/key_server.h"
#include "device/licence.h"
#include "device/policy.h"

_Static_assert((int)CHANGE_WHY_OCTETS == (int)SETTING_WHY_OCTETS,
    "a judge writes into a change's why");

enum {
	LACKS_OCTETS = 128,
	OTHERS_OCTETS = APPROVALS_MOST * (ADMIN_NAME_OCTETS + 16),
	LINE_OCTETS =
	    CHANGE_EVENT_OCTETS + CHANGE_WHY_OCTETS + OTHERS_OCTETS + 64,
};

/* ---------------------------------------------------------------------------
 * Who may
 */

/* Those who stand for it beside the one who asks: each once. */
struct others {
	char name[APPROVALS_MOST][ADMIN_NAME_OCTETS + 1];
	size_t granted_from; /* these by grants, those before in person */
	size_t count;
};

static bool
others_have(const struct others *others, const char *name)
{
	size_t k;

	for (k = 0; k < others->count; k++)
		if (strcmp(others->name[k], name) == 0)
			return true;
	return false;
}

static void
others_add(struct others *others, const char *name)
{
	(void)snprintf(
	    others->name[others->count++], sizeof(others->name[0]), "%s", name);
}

/* What keeps this account from it: "" is nothing. */
static enum err
account_lacks(struct appliance *appliance, const char *name, enum act act,
    char lacks[LACKS_OCTETS])
{
	enum control needs = act_row(act)->needs;
	struct admin admin = {.high = false};
	enum err rc = OK;

	*lacks = '\0';
	rc = admin_read(appliance->store, bytes_of_text(name), &admin);
	if (rc == ERR_NOT_FOUND) {
		(void)snprintf(
		    lacks, LACKS_OCTETS, "there is no such administrator");
		rc = OK;
	} else if (rc == OK && !admin_may(&admin, act)) {
		(void)snprintf(lacks, LACKS_OCTETS,
		    "\"%s\" access control is required",
		    needs == NEEDS_HIGH ? "High Access Administrator"
					: control_row(needs)->name);
	}
	admin_drop(&admin);
	return rc;
}

static enum err
approvals_count(struct appliance *appliance, const struct principal *by,
    enum act act, const struct approvals *approvals, struct others *others,
    char why[CHANGE_WHY_OCTETS])
{
	char lacks[LACKS_OCTETS];
	size_t k;
	enum err rc = OK;

	for (k = 0; k < approvals->count; k++) {
		const char *name = approvals->by[k].name;

		TRY(account_lacks(appliance, name, act, lacks));
		if (strcmp(name, by->name) == 0 || others_have(others, name))
			(void)snprintf(
			    lacks, sizeof(lacks), "has confirmed it already");
		if (*lacks != '\0') {
			(void)snprintf(why, CHANGE_WHY_OCTETS,
			    "Additional administrator: %s: %s", name, lacks);
			TRY(ERR_DENIED);
		}
		others_add(others, name);
	}
out:
	return rc;
}

struct grants {
	const struct principal *to;
	enum grant grant;
	size_t most;
	struct others *others;
};

/*
 * Granted to the account, whatever door it has come through. req: KS-18-025
 * req: KS-18-027 KS-18-028 ESKM-198 ESKM-199
 */
static void
grant_count(void *ctx, const struct credential_grant *grant)
{
	const struct grants *g = ctx;

	if (strcmp(grant->to, g->to->name) == 0 &&
	    (grant->grants & GRANT_BIT(g->grant)) != 0 &&
	    g->others->count < g->most && !others_have(g->others, grant->by))
		others_add(g->others, grant->by);
}

/*
 * How many others it takes.
 *
 * req: KS-18-001 KS-18-002 ESKM-188 ESKM-191 ESKM-192 ESKM-193
 */
static size_t
others_needed(struct appliance *appliance, enum act act)
{
	const struct settings *settings = appliance->settings;
	enum several several = act_row(act)->several;

	if (setting_number(settings, SETTING_SEVERAL) == 0 ||
	    several == SEVERAL_NO)
		return 0;
	if (several == SEVERAL_ESKM && !settings_are_eskm(settings))
		return 0;
	return (size_t)setting_number(settings, SETTING_SEVERAL_COUNT) - 1;
}

static enum err
permit(struct appliance *appliance, const struct principal *by, enum act act,
    const struct approvals *approvals, struct others *others, size_t *more,
    char why[CHANGE_WHY_OCTETS])
{
	enum grant grant = act_row(act)->grant;
	struct grants grants = {by, grant, 0, others};
	char lacks[LACKS_OCTETS];
	enum err rc = OK;

	*others = (struct others){.count = 0};
	*more = 0;
	if (by->door == DOOR_NONE)
		return OK;
	/* first, whatever others lend. req: KS-18-039 ESKM-201 */
	TRY(account_lacks(appliance, by->name, act, lacks));
	if (*lacks != '\0') {
		(void)snprintf(
		    why, CHANGE_WHY_OCTETS, "Access denied: %s.", lacks);
		TRY(ERR_DENIED);
	}
	if (approvals != NULL)
		TRY(approvals_count(
		    appliance, by, act, approvals, others, why));
	others->granted_from = others->count;
	grants.most = others_needed(appliance, act);
	/* req: KS-18-038 */
	if (grant != GRANT_NONE)
		credential_each(appliance, by, grant_count, &grants);
	if (grants.most > others->count)
		*more = grants.most - others->count;
out:
	return rc;
}

enum err
change_permit(struct appliance *appliance, const struct principal *by,
    enum act act, const struct approvals *approvals, size_t *more,
    char why[CHANGE_WHY_OCTETS])
{
	struct others others;

	return permit(appliance, by, act, approvals, &others, more, why);
}

/* ---------------------------------------------------------------------------
 * Audit lines
 */

static const char *
change_event(const struct change *change)
{
	return *change->event != '\0' ? change->event
				      : act_row(change->act)->name;
}

/* " (confirmed by bob, carol by grant)" */
static void
others_text(const struct others *others, char text[OTHERS_OCTETS])
{
	size_t octets = 0;
	size_t k;

	*text = '\0';
	for (k = 0; k < others->count; k++)
		octets += (size_t)snprintf(text + octets,
		    OTHERS_OCTETS - octets, "%s%s%s",
		    k == 0 ? " (confirmed by " : ", ", others->name[k],
		    k >= others->granted_from ? " by grant" : "");
	if (octets != 0)
		(void)snprintf(text + octets, OTHERS_OCTETS - octets, ")");
}

/* req: KS-21-009 */
static enum err
audit_done(const struct change *change, const struct others *others)
{
	char who[OTHERS_OCTETS];
	char line[LINE_OCTETS];

	others_text(others, who);
	(void)snprintf(line, sizeof(line), "%s%s", change_event(change), who);
	return audit_add(change->appliance, &change->by, line);
}

static void
audit_not_done(const struct change *change)
{
	char line[LINE_OCTETS];

	(void)snprintf(line, sizeof(line), "Refused: %s: %s",
	    change_event(change), change->why);
	change_refused(change->appliance, &change->by, line);
}

/* req: KS-20-004 */
void
change_refused(
    struct appliance *appliance, const struct principal *by, const char *event)
{
	enum err rc = audit_add(appliance, by, event);

	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "an audit line cannot be written: %s", err_text(rc));
}

/* ---------------------------------------------------------------------------
 * The change
 */

/* Behind those who are told. */
static void
leave(void *ctx)
{
	struct appliance *appliance = ctx;
	enum leave how = appliance->leaving;

	if (how == LEAVE_NOT)
		return;
	appliance->leaving = LEAVE_NOT;
	if (how == LEAVE_RESET)
		appliance_trap(appliance, TRAP_FACTORY_RESET,
		    "The system is reset to factory settings");
	if (appliance->leave != NULL)
		appliance->leave(appliance->leave_ctx, how);
}

/* The group is durable, or undone: memory follows, before anybody is told. */
static void
settle(struct store_waiter *w, enum err rc)
{
	struct appliance *appliance = w->ctx;

	appliance->settles = false;
	settings_settle(appliance->settings, rc == OK);
	clock_settle(appliance->clock, rc == OK);
	credential_settle(appliance);
	policies_settle(appliance->policies);
	licence_settle(appliance->licences);
	if (rc == OK)
		key_servers_settle(appliance->key_servers);
	if (rc != OK)
		appliance->leaving = LEAVE_NOT;
	if (appliance->leaving == LEAVE_NOT)
		return;
	appliance->leaver.fn = leave;
	appliance->leaver.ctx = appliance;
	loop_later(appliance->loop, &appliance->leaver);
}

static void
settle_with_the_group(struct appliance *appliance)
{
	if (appliance->settles)
		return;
	appliance->settles = true;
	appliance->settling.done = settle;
	appliance->settling.ctx = appliance;
	store_wait(appliance->store, &appliance->settling);
}

/* Validation, transaction, audit line: all of it, or nothing. */
static enum err
carry_out(struct change *change, const struct others *others)
{
	struct appliance *appliance = change->appliance;
	enum err rc = OK;

	rc = store_savepoint(appliance->store);
	if (rc != OK)
		return rc;
	TRY(change->apply(change));
	TRY(settings_judge(appliance->settings, change->why));
	TRY(audit_done(change, others));
out:
	if (rc == OK)
		rc = store_release(appliance->store);
	else if (store_rollback_to(appliance->store) != OK)
		log_line("device", LOG_ERROR, "all changes of this turn fail");
	if (rc != OK) {
		settings_settle(appliance->settings, false);
		clock_settle(appliance->clock, false);
		policies_settle(appliance->policies);
	}
	return rc;
}

static enum err
attempt(struct change *change)
{
	struct others others;
	size_t more;
	enum err rc = OK;

	TRY(permit(change->appliance, &change->by, change->act,
	    change->approvals, &others, &more, change->why));
	/* req: KS-18-017 */
	if (more != 0) {
		(void)snprintf(change->why, sizeof(change->why),
		    "Access denied: %zu more administrator%s must confirm it.",
		    more, more == 1 ? "" : "s");
		TRY(ERR_DENIED);
	}
	TRY(carry_out(change, &others));
	settle_with_the_group(change->appliance);
	if (change->leave > change->appliance->leaving)
		change->appliance->leaving = change->leave;
out:
	return rc;
}

/* The store's errors have no words of their own. */
static void
failed(struct change *change, enum err rc)
{
	change->rc = rc;
	if (*change->why == '\0')
		(void)snprintf(
		    change->why, sizeof(change->why), "%s", err_text(rc));
	audit_not_done(change);
}

static void
tell(void *ctx)
{
	struct change *change = ctx;

	change->done(change, change->rc);
}

static void
group_ended(struct store_waiter *w, enum err rc)
{
	struct change *change = w->ctx;

	if (change->rc == OK && rc != OK)
		failed(change, rc);
	tell(change);
}

void
change_run(struct appliance *appliance, struct change *change)
{
	enum err rc;

	change->appliance = appliance;
	change->waiter.done = group_ended;
	change->waiter.ctx = change;
	change->task = (struct loop_task){.fn = tell, .ctx = change};
	change->rc = OK;
	*change->why = '\0';
	rc = attempt(change);
	if (rc != OK)
		failed(change, rc);
	/* a line could not be written, and no group is open to wait for */
	if (store_must_wait(appliance->store))
		store_wait(appliance->store, &change->waiter);
	else
		loop_later(appliance->loop, &change->task);
}

void
change_leave(struct change *change)
{
	if (change->appliance == NULL)
		return;
	store_unwait(change->appliance->store, &change->waiter);
	loop_task_cancel(&change->task);
}
