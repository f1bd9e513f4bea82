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

struct credential_grant {
	uint64_t number; /* to revoke it by */
	char to[ADMIN_NAME_OCTETS + 1];
	char by[ADMIN_NAME_OCTETS + 1];
	uint32_t grants;      /* GRANT_BIT(...) */
	int64_t until_ms;     /* elapsed */
	int64_t until_wall_s; /* as shown: when it began, plus its length */
};

/* For the apply of a change with ACT_GRANT: nothing is done yet.
 *
 * ERR_FIELD  why says which rule: not oneself, not what one may not do
 *            oneself, not as long as the maximum, not unless both settings
 *            are on */
enum err credential_check(struct appliance *appliance,
    const struct principal *by, const struct credential_grant *grant,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* From its done: it begins. ERR_NOMEM */
enum err credential_add(struct appliance *appliance,
    const struct credential_grant *grant, uint64_t *number) MUST_CHECK;

/* ERR_NOT_FOUND  none that this administrator gave or received */
enum err credential_revoke(struct appliance *appliance,
    const struct principal *by, uint64_t number) MUST_CHECK;

/* Those given or received by this administrator. req: KS-18-058 */
typedef void credential_fn(void *ctx, const struct credential_grant *grant);
void credential_each(struct appliance *appliance, const struct principal *of,
    credential_fn *each, void *ctx);

/* Has the administrator received this from anybody, now? */
bool
credential_has(struct appliance *appliance, const char *name, enum grant grant);

/* The clock was changed by an administrator; or accounts, of which name.
 * BYTES_NONE: all. */
void credential_end(struct appliance *appliance, struct bytes name);

#endif
