/*
 * SSH servers that files were sent to or fetched from, and their keys: see
 * device/known_host.h. A key that has changed is accepted by removing the host.
 */
#include <stdio.h>
#include <string.h>

#include "cli/session.h"
#include "device/appliance.h"
#include "device/known_host.h"

struct work {
	struct change change;
	char name[KNOWN_HOST_NAME_OCTETS];
};

static enum err
say_host(void *ctx, const struct known_host *host)
{
	cli_say(ctx, "%.*s  %.*s  %.*s", (int)host->name.octets,
	    (const char *)host->name.at, (int)host->type.octets,
	    (const char *)host->type.at, (int)host->fingerprint.octets,
	    (const char *)host->fingerprint.at);
	return OK;
}

void
known_host_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	cli_end(cli, known_host_each(cli_appliance(cli)->store, say_host, cli));
}

static enum err
forget(struct change *change)
{
	const struct work *work = cli_state(change->ctx);
	enum err rc = known_host_forget(change->appliance->store, work->name);

	if (rc == ERR_NOT_FOUND) {
		entry_refuse("Known Host", bytes_of_text(work->name),
		    "is not known", change->why);
		return ERR_FIELD;
	}
	(void)snprintf(change->event, sizeof(change->event),
	    "removed known host %s", work->name);
	return rc;
}

void
known_host_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;

	if (arg_count != 1 || args[0].octets == 0 ||
	    args[0].octets >= KNOWN_HOST_NAME_OCTETS) {
		cli_refuse(cli, "Known Host: one of \"show known hosts\"");
		return;
	}
	work = cli_keep(cli, sizeof(*work), NULL);
	if (work == NULL)
		return;
	memcpy(work->name, args[0].at, args[0].octets);
	work->change.apply = forget;
	cli_change(cli, &work->change, NULL, "");
}
