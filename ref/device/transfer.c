#include "device/transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/known_host.h"
#include "device/transfer_work.h"

enum { THREADS = 4 };

struct transfers {
	struct appliance *appliance;
	struct loop_pool *pool;
	struct transfer_work *works;                 /* submitted */
	void (*stand_in)(struct transfer *transfer); /* NULL: the network */
};

/* ---- work, on the loop ---- */

static void
work_free(struct transfer_work *work)
{
	size_t k;

	if (work == NULL)
		return;
	for (k = 0; k < work->file_count; k++)
		(void)close(work->files[k].fd);
	mem_free(work->files);
	secret_free(work->place.password);
	pthread_mutex_destroy(&work->lock);
	mem_free(work);
}

static void
work_unlink(struct transfer_work *work)
{
	struct transfer_work **p;

	if (work->transfers == NULL)
		return;
	for (p = &work->transfers->works; *p != work; p = &(*p)->next)
		;
	*p = work->next;
	work->transfers = NULL;
}

static void
tell(void *ctx)
{
	struct transfer_work *work = ctx;
	struct transfer *transfer = work->transfer;

	work_unlink(work);
	(void)snprintf(transfer->why, sizeof(transfer->why), "%s", work->why);
	transfer->done(transfer, work->rc);
}

/* It was seen, and nobody knew one: see known_host.h. */
static enum err
keep_key(struct transfer_work *work)
{
	if (work->known[0] != '\0' || work->seen[0] == '\0')
		return OK;
	return known_host_keep(work->transfers->appliance, work->host,
	    work->seen_type, work->seen);
}

static void
ran(void *ctx, enum err rc)
{
	struct transfer_work *work = ctx;

	work->is_submitted = false;
	if (work->transfers != NULL && rc == OK) {
		enum err kept = keep_key(work);

		if (kept != OK)
			log_line("device", LOG_ERROR,
			    "host key of %s: not kept: %s", work->host,
			    err_text(kept));
	}
	if (work->transfer == NULL) {
		work_unlink(work);
		work_free(work);
		return;
	}
	if (work->is_quiet)
		return;
	if (rc != OK)
		transfer_say(work, rc, "%s", err_text(rc));
	tell(work);
}

/* ---- what can be asked for ---- */

static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static enum err
refuse(struct transfer *transfer, const char *field, const char *rule)
{
	(void)snprintf(
	    transfer->why, sizeof(transfer->why), "%s: %s", field, rule);
	return ERR_FIELD;
}

/* req: KS-20-091 */
static enum err
check_place(struct transfer *transfer)
{
	static const char host_letters[] = "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-._:[]";
	const struct transfer_place *place = &transfer->place;
	const char *host = place->host;
	enum err rc = OK;

	if (host[0] == '\0' || host[strspn(host, host_letters)] != '\0')
		TRY(refuse(transfer, "Host", "a host name or an IP address"));
	if (place->user[0] == '\0' || !is_plain(place->user))
		TRY(refuse(transfer, "Username", "the name of a user there"));
	if (!is_plain(place->directory))
		TRY(refuse(transfer, "Directory",
		    "no control character can be in it"));
	if (place->password != NULL &&
	    secret_peek(place->password).octets > TRANSFER_PASSWORD_OCTETS)
		TRY(refuse(transfer, "Password", "256 octets at most"));
	if (transfer->file_count == 0)
		TRY(refuse(transfer, "File", "there is none"));
out:
	return rc;
}

/* ---- what others call ---- */

enum err
transfer_new(struct appliance *appliance, struct transfer **out)
{
	struct transfer *transfer = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(transfer));
	TRY(MEM_NEW(transfer->work));
	(void)pthread_mutex_init(&transfer->work->lock, NULL);
	transfer->work->transfer = transfer;
	transfer->of = appliance->transfers;
	*out = transfer;
	transfer = NULL;
out:
	mem_free(transfer);
	return rc;
}

enum err
transfer_add(struct transfer *transfer, const char *name, int fd)
{
	struct transfer_work *work = transfer->work;
	struct transfer_file *files;
	struct transfer_file *file;
	enum err rc = OK;

	if (name[0] == '\0' || strlen(name) > TRANSFER_NAME_OCTETS ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strchr(name, '/') != NULL || !is_plain(name))
		TRY(refuse(transfer, "File", "no file can be called so"));
	if (work->file_count == TRANSFER_FILES_MOST)
		TRY(ERR_COUNT);
	files =
	    mem_regrow(work->files, work->file_count + 1, sizeof(*work->files));
	if (files == NULL)
		TRY(ERR_NOMEM);
	work->files = files;
	transfer->files = files;
	file = &files[work->file_count];
	*file = (struct transfer_file){.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
	if (file->fd < 0)
		TRY(ERR_SYSTEM);
	memcpy(file->name, name, strlen(name) + 1);
	transfer->file_count = ++work->file_count;
out:
	return rc;
}

static enum err
begin(struct transfer *transfer)
{
	struct transfers *transfers = transfer->of;
	struct transfer_work *work = transfer->work;
	struct transfer_place *place = &work->place;
	enum err rc = OK;

	rc = check_place(transfer);
	if (rc != OK)
		(void)snprintf(
		    work->why, sizeof(work->why), "%s", transfer->why);
	TRY(rc);
	*place = transfer->place;
	transfer->place.password = NULL;
	if (place->port == 0)
		place->port = transfer_port(place->protocol);
	(void)snprintf(
	    work->host, sizeof(work->host), "%s:%u", place->host, place->port);
	/* see transfer.h: SCP begins as SFTP */
	work->protocol =
	    place->protocol == TRANSFER_SCP ? TRANSFER_SFTP : place->protocol;
	work->direction = transfer->direction;
	work->most_octets = transfer->most_octets;
	work->connect_us =
	    1000 * (int64_t)(transfer->connect_ms != 0 ? transfer->connect_ms
						       : TRANSFER_CONNECT_MS);
	work->stall_us =
	    1000 * (int64_t)(transfer->stall_ms != 0 ? transfer->stall_ms
						     : TRANSFER_STALL_MS);
	if (transfer_is_ssh(place->protocol))
		TRY(known_host_find(
		    transfers->appliance->store, work->host, work->known));
	TRY(loop_submit(transfers->pool, transfer_run, ran, work));
	work->is_submitted = true;
out:
	return rc;
}

void
transfer_begin(struct transfer *transfer)
{
	struct transfer_work *work = transfer->work;
	enum err rc;

	if (transfer->of->stand_in != NULL) {
		transfer->of->stand_in(transfer);
		return;
	}
	work->transfers = transfer->of;
	work->next = transfer->of->works;
	transfer->of->works = work;
	/* a thread has it from here on, unless it failed */
	rc = begin(transfer);
	if (rc == OK)
		return;
	work->rc = rc;
	if (work->why[0] == '\0')
		transfer_say(work, rc, "%s", err_text(rc));
	work->later = (struct loop_task){.fn = tell, .ctx = work};
	loop_later(transfer->of->appliance->loop, &work->later);
}

void
transfer_drop(struct transfer *transfer)
{
	struct transfer_work *work;

	if (transfer == NULL)
		return;
	work = transfer->work;
	work->transfer = NULL;
	if (work->is_submitted) {
		transfer_cancel(work);
	} else {
		loop_task_cancel(&work->later);
		work_unlink(work);
		work_free(work);
	}
	secret_free(transfer->place.password);
	mem_free(transfer);
}

/* ---- the appliance's ---- */

enum err
transfers_new(struct appliance *appliance, struct transfers **out)
{
	struct transfers *transfers = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(transfer_library());
	TRY(MEM_NEW(transfers));
	transfers->appliance = appliance;
	TRY(loop_pool_new(
	    appliance->loop, "transfer", THREADS, &transfers->pool));
	*out = transfers;
	transfers = NULL;
out:
	mem_free(transfers);
	return rc;
}

void
transfers_stop(struct transfers *transfers)
{
	struct transfer_work *work;

	for (work = transfers->works; work != NULL; work = work->next) {
		work->is_quiet = true;
		loop_task_cancel(&work->later);
		if (work->is_submitted)
			transfer_cancel(work);
	}
}

void
transfers_free(struct transfers *transfers)
{
	if (transfers == NULL)
		return;
	transfers_stop(transfers);
	while (transfers->works != NULL)
		work_unlink(transfers->works);
	mem_free(transfers); /* the loop has the pool */
}

void
transfers_stand_in(
    struct transfers *transfers, void (*other)(struct transfer *transfer))
{
	transfers->stand_in = other;
}

unsigned
transfers_running(const struct transfers *transfers)
{
	return loop_pool_jobs(transfers->pool);
}
