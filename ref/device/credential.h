/*
 * Multiple Credentials: how many administrators a change takes, and grants.
 *
 * The settings are a section of settings.def. Grants live in memory only: a
 * restart ends them, and no backup has them. They end by elapsed time, so that
 * NTP's changes of the clock do not end them early; an administrator's change
 * of the clock ends all.
 *
 * req: KS-18-024 to KS-18-045, KS-18-063
 */
#ifndef DEVICE_CREDENTIAL_H
#define DEVICE_CREDENTIAL_H

#include "device/change.h"

struct credentials;

struct credential_grant {
	uint64_t number; /* to revoke it by */
	char to[ADMIN_NAME_OCTETS + 1];
	char by[ADMIN_NAME_OCTETS + 1];
	uint32_t grants; /* GRANT_BIT(...) */
	int64_t minutes;
	int64_t until_ms;     /* elapsed */
	int64_t until_wall_s; /* as shown: when it began, plus its length */
};

/*
 * For the apply of a change with ACT_GRANT: nothing is done yet. The caller
 * has set to, by, grants and minutes.
 *
 * ERR_FIELD  why says which rule: not by another, not to oneself, not what one
 *            may not do oneself, not as long as the maximum, not unless both
 *            settings are on
 */
enum err credential_check(struct appliance *appliance,
    const struct principal *by, const struct credential_grant *grant,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* From its done: it begins, and has its number and end. ERR_NOMEM */
enum err credential_add(
    struct appliance *appliance, struct credential_grant *grant) MUST_CHECK;

/* ERR_NOT_FOUND  none that this administrator gave or received */
enum err credential_revoke(struct appliance *appliance,
    const struct principal *by, uint64_t number) MUST_CHECK;

/*
 * Those given or received by this administrator, and still valid.
 *
 * req: KS-18-058
 *
 * Each grant is its giver's own credentials and counts as that one's, so that
 * what was received cannot be passed on. req: KS-18-029 KS-18-030
 */
typedef void credential_fn(void *ctx, const struct credential_grant *grant);
void credential_each(struct appliance *appliance, const struct principal *of,
    credential_fn *each, void *ctx);

/*
 * Something has changed, durably: what rests on it no more is ended. Both
 * accounts have to exist, the giver may still do it itself, and both settings
 * are on. device/change.c calls it; the clock is watched.
 */
void credential_settle(struct appliance *appliance);

/* Also judges settings and accounts: enough High Access Administrators for
 * what Multiple Credentials require. req: KS-18-020 KS-18-056 */
enum err credentials_new(
    struct appliance *appliance, struct credentials **out) MUST_CHECK;
void credentials_free(struct credentials *credentials); /* accepts NULL */

#endif
