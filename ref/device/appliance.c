#include "device/appliance.h"

#include "base/log.h"
#include "device/backup.h"
#include "device/backup_schedule.h"
#include "device/cert_work.h"
#include "device/clients.h"
#include "device/key_server.h"
#include "device/licence.h"
#include "device/logs.h"
#include "device/log_sign.h"
#include "device/log_transfer.h"
#include "device/policy.h"
#include "device/rate.h"
#include "device/restore.h"
#include "device/statistics.h"
#include "device/syslog.h"
#include "device/transfer.h"
#include "device/user.h"

/* req: KS-07-004 */
static void
clock_stepped(void *ctx, int64_t from_wall_s, int64_t to_wall_s)
{
	struct appliance *appliance = ctx;
	char from[CLOCK_TEXT_OCTETS];
	char to[CLOCK_TEXT_OCTETS];

	clock_text(appliance->clock, from_wall_s, from);
	clock_text(appliance->clock, to_wall_s, to);
	logs_add_system(
	    appliance, "Date & Time", "Stepped from %s to %s", from, to);
}

enum err
appliance_open(struct appliance *appliance)
{
	enum err rc = OK;

	TRY(statistics_new(appliance->loop,
	    appliance->proc != NULL ? appliance->proc : "/proc",
	    appliance->ethernet != NULL ? appliance->ethernet : "",
	    &appliance->statistics));
	TRY(clients_new(&appliance->clients));
	TRY(settings_new(appliance->store, &appliance->settings));
	settings_use_vault(
	    appliance->settings, appliance->env, appliance->vault);
	TRY(clock_new(appliance->store, appliance->env, &appliance->clock));
	TRY(logs_open(appliance));
	TRY(syslogs_new(appliance, &appliance->syslogs));
	appliance->steps =
	    (struct clock_watch){.jumped = clock_stepped, .ctx = appliance};
	clock_watch(appliance->clock, &appliance->steps);
	TRY(credentials_new(appliance, &appliance->credentials));
	TRY(services_new(appliance, &appliance->services));
	TRY(logins_open(appliance));
	TRY(users_open(appliance));
	TRY(cert_shop_new(
	    appliance->loop, appliance->store, &appliance->certs));
	TRY(log_signer_new(appliance, &appliance->log_signer));
	TRY(key_servers_new(&appliance->key_servers));
	TRY(licences_new(appliance, &appliance->licences));
	TRY(policies_new(appliance, &appliance->policies));
	TRY(rates_new(appliance, 0, &appliance->rates));
	TRY(transfers_new(appliance, &appliance->transfers));
	TRY(backups_new(appliance, &appliance->backups));
	TRY(backup_runs_new(appliance, &appliance->backup_runs));
	TRY(log_transfers_new(appliance, &appliance->log_transfers));
	TRY(restores_new(appliance, &appliance->restores));
out:
	if (rc != OK)
		appliance_close(appliance);
	return rc;
}

void
appliance_close(struct appliance *appliance)
{
	if (appliance->settles)
		store_unwait(appliance->store, &appliance->settling);
	appliance->settles = false;
	loop_task_cancel(&appliance->leaver);
	backup_runs_free(appliance->backup_runs);
	appliance->backup_runs = NULL;
	backups_free(appliance->backups);
	appliance->backups = NULL;
	log_transfers_free(appliance->log_transfers);
	appliance->log_transfers = NULL;
	restores_free(appliance->restores);
	appliance->restores = NULL;
	transfers_free(appliance->transfers);
	appliance->transfers = NULL;
	rates_free(appliance->rates);
	appliance->rates = NULL;
	policies_free(appliance->policies);
	appliance->policies = NULL;
	licences_free(appliance->licences);
	appliance->licences = NULL;
	key_servers_free(appliance->key_servers);
	appliance->key_servers = NULL;
	log_signer_free(appliance->log_signer);
	appliance->log_signer = NULL;
	cert_shop_free(appliance->certs);
	appliance->certs = NULL;
	users_close(appliance);
	logins_close(appliance);
	services_free(appliance->services);
	appliance->services = NULL;
	credentials_free(appliance->credentials);
	appliance->credentials = NULL;
	logs_close(appliance);
	syslogs_free(appliance->syslogs);
	appliance->syslogs = NULL;
	clock_free(appliance->clock);
	appliance->clock = NULL;
	settings_free(appliance->settings);
	appliance->settings = NULL;
	clients_free(appliance->clients);
	appliance->clients = NULL;
	statistics_free(appliance->statistics);
	appliance->statistics = NULL;
}

struct keystore *
appliance_keystore(const struct appliance *appliance)
{
	return appliance->root != NULL ? root_keystore(appliance->root)
				       : appliance->keystore;
}

bool
appliance_is_initialized(struct appliance *appliance)
{
	struct admin_count count = {.local = 0};
	enum err rc = admin_count(appliance->store, &count);

	if (rc != OK)
		log_line("device", LOG_ERROR, "accounts cannot be counted: %s",
		    err_text(rc));
	return rc != OK || count.local != 0;
}

/* docs/decisions.md, KS-04-007 */
const char *
appliance_outage(const struct appliance *appliance)
{
	struct keystore *keys =
	    appliance->root != NULL ? root_keystore(appliance->root) : NULL;

	if (store_fails(appliance->store))
		return "what is changed cannot be stored";
	if (keys != NULL && keystore_state(keys) == KEYSTORE_UNREACHABLE)
		return "the HSM cannot be reached";
	return NULL;
}

/* req: KS-20-007 KS-20-008 KS-21-005 KS-21-006 */
void
appliance_trap(struct appliance *appliance, enum trap trap, const char *text)
{
	struct trap_watch *watch;

	log_line("device", LOG_WARN, "%s", text);
	logs_add_system(appliance, "SNMP Trap", "%s", text);
	for (watch = appliance->trap_watches; watch != NULL;
	     watch = watch->next)
		watch->raised(watch->ctx, trap, text);
}

void
appliance_watch_traps(struct appliance *appliance, struct trap_watch *watch)
{
	watch->next = appliance->trap_watches;
	appliance->trap_watches = watch;
}
