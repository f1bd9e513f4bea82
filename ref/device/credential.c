#include "device/credential.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "device/appliance.h"

enum { GRANTS_MOST = 1000, MINUTE_MS = 60 * 1000 };

struct held {
	struct credential_grant grant;
	struct held *next;
};

/* Nothing of it is stored. req: KS-18-041 */
struct credentials {
	struct appliance *appliance;
	struct held *first; /* in the order of their numbers */
	size_t count;
	uint64_t last_number;
	struct settings_watch settings_watch;
	struct clock_watch clock_watch;
};

/* Ends the one that *at points to. */
static void
held_end(struct credentials *credentials, struct held **at)
{
	struct held *held = *at;

	*at = held->next;
	mem_free(held);
	credentials->count--;
}

static void
held_end_all(struct credentials *credentials)
{
	while (credentials->first != NULL)
		held_end(credentials, &credentials->first);
}

/* req: KS-18-026 ESKM-200 */
static void
held_end_expired(struct credentials *credentials)
{
	int64_t now_ms = env_elapsed_ms(credentials->appliance->env);
	struct held **at = &credentials->first;

	while (*at != NULL) {
		if ((*at)->grant.until_ms <= now_ms)
			held_end(credentials, at);
		else
			at = &(*at)->next;
	}
}

/* ---------------------------------------------------------------------------
 * Granting
 */

/* Those of `grants` that the account may do itself; 0 when it is gone. */
static enum err
grants_of_account(struct appliance *appliance, const char *name,
    uint32_t grants, uint32_t *own)
{
	struct admin admin = {.high = false};
	enum grant k;
	enum err rc = OK;

	*own = 0;
	rc = admin_read(appliance->store, bytes_of_text(name), &admin);
	for (k = 0; rc == OK && k < GRANT_COUNT; k++)
		if ((admin.controls & CONTROL_BIT(grant_row(k)->control)) != 0)
			*own |= grants & GRANT_BIT(k);
	admin_drop(&admin);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err
account_is_there(struct appliance *appliance, const char *name, bool *there)
{
	struct admin admin = {.high = false};
	enum err rc = admin_read(appliance->store, bytes_of_text(name), &admin);

	*there = rc == OK;
	admin_drop(&admin);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static bool
is_on(const struct settings *settings, enum setting which)
{
	return setting_number(settings, which) != 0;
}

/* req: KS-18-045 ESKM-196 */
static enum err
check_settings(struct appliance *appliance, char why[CHANGE_WHY_OCTETS])
{
	static const enum setting both[] = {SETTING_SEVERAL, SETTING_GRANTS};
	size_t k;

	for (k = 0; k < sizeof(both) / sizeof(both[0]); k++)
		if (!is_on(appliance->settings, both[k])) {
			(void)snprintf(why, CHANGE_WHY_OCTETS,
			    "%s: no: nothing can be granted",
			    setting_row(both[k])->name);
			return ERR_FIELD;
		}
	return OK;
}

static enum err
check_names(struct appliance *appliance, const struct principal *by,
    const struct credential_grant *grant, char why[CHANGE_WHY_OCTETS])
{
	bool there;
	enum err rc = OK;

	if (strcmp(grant->by, by->name) != 0) {
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "Grant by: %s: only one's own credentials can be granted",
		    grant->by);
		TRY(ERR_FIELD);
	}
	if (strcmp(grant->to, by->name) == 0) {
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "Grant to: %s: another administrator is needed", grant->to);
		TRY(ERR_FIELD);
	}
	TRY(account_is_there(appliance, grant->to, &there));
	if (!there) {
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "Grant to: %s: there is no such administrator", grant->to);
		TRY(ERR_FIELD);
	}
out:
	return rc;
}

/* req: KS-18-037 */
static enum err
check_operations(struct appliance *appliance,
    const struct credential_grant *grant, char why[CHANGE_WHY_OCTETS])
{
	uint32_t own;
	enum grant k;
	enum err rc = OK;

	if (grant->grants == 0 || grant->grants >= GRANT_BIT(GRANT_COUNT)) {
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "Allowed Operations: one or several of those that can be "
		    "granted");
		TRY(ERR_FIELD);
	}
	TRY(grants_of_account(appliance, grant->by, grant->grants, &own));
	for (k = 0; k < GRANT_COUNT; k++) {
		const struct grant_row *row = grant_row(k);

		if ((grant->grants & ~own & GRANT_BIT(k)) == 0)
			continue;
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "Allowed Operations: %s: \"%s\" access control is required",
		    row->name, control_row(row->control)->name);
		TRY(ERR_FIELD);
	}
out:
	return rc;
}

/* req: KS-18-048 ESKM-197 */
static enum err
check_duration(struct appliance *appliance,
    const struct credential_grant *grant, char why[CHANGE_WHY_OCTETS])
{
	int64_t most =
	    setting_number(appliance->settings, SETTING_GRANT_MINUTES);

	if (grant->minutes >= 1 && grant->minutes < most)
		return OK;
	(void)snprintf(why, CHANGE_WHY_OCTETS,
	    "Duration (minutes): %lld: 1 or more, and less than %lld",
	    (long long)grant->minutes, (long long)most);
	return ERR_FIELD;
}

enum err
credential_check(struct appliance *appliance, const struct principal *by,
    const struct credential_grant *grant, char why[CHANGE_WHY_OCTETS])
{
	enum err rc = OK;

	TRY(check_settings(appliance, why));
	TRY(check_names(appliance, by, grant, why));
	TRY(check_operations(appliance, grant, why));
	TRY(check_duration(appliance, grant, why));
	held_end_expired(appliance->credentials);
	if (appliance->credentials->count >= GRANTS_MOST) {
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "there are %d grants already", GRANTS_MOST);
		TRY(ERR_FIELD);
	}
out:
	return rc;
}

enum err
credential_add(struct appliance *appliance, struct credential_grant *grant)
{
	struct credentials *credentials = appliance->credentials;
	struct held **end = &credentials->first;
	struct held *held;
	enum err rc = OK;

	TRY(MEM_NEW(held));
	grant->number = ++credentials->last_number;
	grant->until_ms =
	    env_elapsed_ms(appliance->env) + grant->minutes * MINUTE_MS;
	grant->until_wall_s = env_wall_s(appliance->env) + grant->minutes * 60;
	held->grant = *grant;
	while (*end != NULL)
		end = &(*end)->next;
	*end = held;
	credentials->count++;
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * What has been granted
 */

static bool
concerns(const struct credential_grant *grant, const struct principal *of)
{
	return strcmp(grant->to, of->name) == 0 ||
	       strcmp(grant->by, of->name) == 0;
}

enum err
credential_revoke(
    struct appliance *appliance, const struct principal *by, uint64_t number)
{
	struct credentials *credentials = appliance->credentials;
	struct held **at;

	held_end_expired(credentials);
	for (at = &credentials->first; *at != NULL; at = &(*at)->next) {
		if ((*at)->grant.number != number ||
		    !concerns(&(*at)->grant, by))
			continue;
		held_end(credentials, at);
		return OK;
	}
	return ERR_NOT_FOUND;
}

void
credential_each(struct appliance *appliance, const struct principal *of,
    credential_fn *each, void *ctx)
{
	const struct held *held;

	held_end_expired(appliance->credentials);
	for (held = appliance->credentials->first; held != NULL;
	     held = held->next)
		if (concerns(&held->grant, of))
			each(ctx, &held->grant);
}

/* What cannot be found out counts as lost. */
static uint32_t
grants_left(struct appliance *appliance, const struct credential_grant *grant)
{
	uint32_t own;
	bool there;
	enum err rc = OK;

	TRY(account_is_there(appliance, grant->to, &there));
	TRY(grants_of_account(appliance, grant->by, grant->grants, &own));
out:
	return rc == OK && there ? own : 0;
}

void
credential_settle(struct appliance *appliance)
{
	struct credentials *credentials = appliance->credentials;
	bool on = is_on(appliance->settings, SETTING_SEVERAL) &&
		  is_on(appliance->settings, SETTING_GRANTS);
	struct held **at = &credentials->first;

	while (*at != NULL) {
		struct credential_grant *grant = &(*at)->grant;

		grant->grants = on ? grants_left(appliance, grant) : 0;
		if (grant->grants == 0)
			held_end(credentials, at);
		else
			at = &(*at)->next;
	}
}

/* ---------------------------------------------------------------------------
 * The appliance around it
 */

static enum err
judge(void *ctx, struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	const struct credentials *credentials = ctx;
	struct admin_count count;
	int64_t needed = setting_number(settings, SETTING_SEVERAL_COUNT);
	enum err rc = OK;

	if (!is_on(settings, SETTING_SEVERAL))
		return OK;
	TRY(admin_count(credentials->appliance->store, &count));
	if ((int64_t)count.high < needed) {
		(void)snprintf(why, SETTING_WHY_OCTETS,
		    "%s: %lld: not with %zu High Access Administrators",
		    setting_row(SETTING_SEVERAL_COUNT)->name, (long long)needed,
		    count.high);
		TRY(ERR_FIELD);
	}
out:
	return rc;
}

/* req: KS-18-040 KS-18-063 */
static void
clock_jumped(void *ctx, int64_t from_wall_s, int64_t to_wall_s)
{
	(void)from_wall_s;
	(void)to_wall_s;
	held_end_all(ctx);
}

enum err
credentials_new(struct appliance *appliance, struct credentials **out)
{
	struct credentials *credentials;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(credentials));
	credentials->appliance = appliance;
	credentials->settings_watch.judge = judge;
	credentials->settings_watch.ctx = credentials;
	settings_watch(appliance->settings, &credentials->settings_watch);
	credentials->clock_watch.jumped = clock_jumped;
	credentials->clock_watch.ctx = credentials;
	clock_watch(appliance->clock, &credentials->clock_watch);
	*out = credentials;
out:
	return rc;
}

void
credentials_free(struct credentials *credentials)
{
	if (credentials == NULL)
		return;
	held_end_all(credentials);
	mem_free(credentials);
}
