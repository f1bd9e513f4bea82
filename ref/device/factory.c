#include "device/factory.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/card_admin.h"
#include "crypto/keyfile.h"
#include "device/appliance.h"
#include "device/backup.h"
#include "device/logs.h"
#include "device/software.h"

#define KIND_NAME "device"
#define KEY_NAME  "factory-reset"
#define MARK_NAME "factory-reset"

struct factory_reset {
	struct loop *loop;
	const char *dir;
	struct card_admin *card;
	factory_fn *done;
	void *ctx;
	struct loop_task task;
	enum err rc; /* of the card */
};

/* ---- it is asked for ---- */

enum err
factory_apply(struct change *change)
{
	(void)snprintf(change->event, sizeof(change->event),
	    "Reset the appliance to factory settings");
	return record_put(change->appliance->store, KIND_NAME,
	    bytes_of_text(KEY_NAME), bytes_of_text("asked"));
}

bool
factory_is_asked(struct store *st)
{
	struct buf value;
	enum err rc;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	rc = record_get(st, KIND_NAME, bytes_of_text(KEY_NAME), &value);
	buf_clear(&value);
	return rc == OK;
}

/* ---- the mark ---- */

enum err
factory_mark(const char *dir)
{
	char path[KEYFILE_PATH_OCTETS];
	enum err rc = OK;

	(void)snprintf(path, sizeof(path), "%s/" MARK_NAME, dir);
	TRY(keyfile_put(path, bytes_of_text("asked\n")));
	rc = erase_sync_dir(dir);
out:
	return rc;
}

bool
factory_is_marked(const char *dir)
{
	char path[KEYFILE_PATH_OCTETS];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/" MARK_NAME, dir);
	return lstat(path, &st) == 0;
}

static enum err
unmark(const char *dir)
{
	char path[KEYFILE_PATH_OCTETS];

	(void)snprintf(path, sizeof(path), "%s/" MARK_NAME, dir);
	return unlink(path) == 0 ? erase_sync_dir(dir) : ERR_SYSTEM;
}

/* ---- carrying it out ---- */

/* The store last: nothing else says what belongs to it. */
static enum err
erase(const char *dir)
{
	char logs[KEYFILE_PATH_OCTETS];
	enum err rc = OK;

	(void)snprintf(logs, sizeof(logs), "%s/logs", dir);
	TRY(root_erase(dir));
	TRY(logs_erase(logs));
	TRY(backups_erase(dir));
	TRY(software_erase(dir));
	TRY(store_erase(dir));
	rc = erase_sync_dir(dir);
out:
	return rc;
}

static void
finish(void *ctx)
{
	struct factory_reset *reset = ctx;
	enum err rc = erase(reset->dir);

	if (rc == OK)
		rc = reset->rc;
	if (rc == OK)
		rc = unmark(reset->dir);
	if (rc == OK)
		log_line("device", LOG_WARN, "reset to factory settings");
	else
		log_line("device", LOG_ERROR,
		    "the reset to factory settings has to go on: %s",
		    err_text(rc));
	reset->done(reset->ctx, rc);
}

static void
ignore_say(void *ctx, struct bytes text)
{
	(void)ctx;
	(void)text;
}

static void
zeroized(void *ctx, const struct card_answer *answer)
{
	struct factory_reset *reset = ctx;

	reset->rc = answer->rc == OK ? OK : ERR_HSM;
	if (answer->rc != OK)
		log_line("device", LOG_ERROR,
		    "the HSM card is not zeroized: %.*s",
		    (int)answer->text.octets, (const char *)answer->text.at);
	finish(reset);
}

static void
zeroize(struct factory_reset *reset, const char *folder)
{
	char path[KEYFILE_PATH_OCTETS];
	enum err rc = OK;

	(void)snprintf(path, sizeof(path), "%s/admin.sock", folder);
	TRY(card_admin_new(reset->loop, path, &reset->card));
	TRY(card_admin_ask(
	    reset->card, "zeroize", NULL, 0, ignore_say, zeroized, reset));
out:
	if (rc == OK)
		return;
	log_line("device", LOG_ERROR, "the HSM card is not zeroized: %s",
	    err_text(rc));
	reset->rc = ERR_HSM;
	loop_later(reset->loop, &reset->task);
}

enum err
factory_reset_new(struct loop *loop, const char *dir, const char *card,
    factory_fn *done, void *ctx, struct factory_reset **out)
{
	struct factory_reset *reset = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(reset));
	reset->loop = loop;
	reset->dir = dir;
	reset->done = done;
	reset->ctx = ctx;
	reset->task = (struct loop_task){.fn = finish, .ctx = reset};
	if (card != NULL)
		zeroize(reset, card);
	else
		loop_later(loop, &reset->task);
	*out = reset;
out:
	return rc;
}

void
factory_reset_free(struct factory_reset *reset)
{
	if (reset == NULL)
		return;
	loop_task_cancel(&reset->task);
	card_admin_free(reset->card);
	mem_free(reset);
}
