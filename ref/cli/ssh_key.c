#include "cli/ssh_key.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/args.h"
#include "cli/ssh.h"
#include "crypto/vault.h"

#define KIND_NAME "ssh"

static const char key_name[] = "ssh-key";

enum err
ssh_key_read(struct appliance *appliance, struct secret **out)
{
	struct buf sealed;
	enum err rc = OK;

	*out = NULL;
	buf_init(&sealed, VAULT_OVERHEAD_OCTETS + HOSTKEY_OCTETS);
	TRY(record_get(
	    appliance->store, KIND_NAME, bytes_of_text(key_name), &sealed));
	TRY(vault_open(appliance->vault, key_name, buf_peek(&sealed), out));
	if (!ssh_hostkey_is_valid(secret_peek(*out))) {
		secret_free(*out);
		*out = NULL;
		TRY(ERR_VALUE);
	}
out:
	if (rc != OK && rc != ERR_NOT_FOUND)
		log_line("cli", LOG_ERROR, "the SSH key: %s", err_text(rc));
	buf_clear(&sealed);
	return rc;
}

enum err
ssh_key_renew(struct appliance *appliance)
{
	struct secret *key = NULL;
	struct buf sealed;
	enum err rc = OK;

	buf_init(&sealed, VAULT_OVERHEAD_OCTETS + HOSTKEY_OCTETS);
	TRY(ssh_hostkey_make(&key));
	TRY(vault_seal(appliance->env, appliance->vault, key_name,
	    secret_peek(key), &sealed));
	TRY(record_put(appliance->store, KIND_NAME, bytes_of_text(key_name),
	    buf_peek(&sealed)));
out:
	secret_free(key);
	buf_clear(&sealed);
	return rc;
}

/* ---- the command ---- */

static void
work_drop(void *state)
{
	mem_free(state);
}

static enum err
renew(struct change *change)
{
	(void)snprintf(
	    change->event, sizeof(change->event), "SSH key: recreated");
	return ssh_key_renew(change->appliance);
}

/* With the service all its connections end; it comes back with the new key. */
static enum err
use_it(struct cli *cli, struct change *change)
{
	struct services *services = cli_appliance(cli)->services;

	(void)change;
	switch (service_status(services, SERVICE_SSH)) {
	case SERVICE_STARTING:
	case SERVICE_STARTED:
		return service_restart(services, SERVICE_SSH);
	case SERVICE_ABSENT:
	case SERVICE_STOPPED:
	case SERVICE_STOPPING:
	case SERVICE_RESTARTING:
		break;
	}
	return OK;
}

/* req: KS-19-060 KS-19-062 ESKM-165 */
void
ssh_key_recreate(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct change *change = NULL;

	if (!args_at_most(cli, args, arg_count, 0))
		return;
	change = cli_keep(cli, sizeof(*change), work_drop);
	if (change == NULL)
		return;
	change->apply = renew;
	cli_change(cli, change, use_it,
	    "The SSH key was recreated; SSH connections are closed.");
}
