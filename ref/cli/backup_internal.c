/*
 * The commands about internal backups: which there are, one's files, and one
 * that goes.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/backup_say.h"

struct work {
	struct cli *cli;
	struct change change;
	bool changing;
	char base[BACKUP_BASE_OCTETS + 1];
	struct backup_header header;
	struct backup_say say;
	int fd; /* of the file that is said; -1: none */
};

static void
work_drop(void *state)
{
	struct work *work = state;

	if (work->changing)
		change_leave(&work->change);
	if (work->fd >= 0)
		(void)close(work->fd);
	mem_free(work);
}

static enum err
show_one(void *ctx, const struct backup_header *header)
{
	backup_say_header(ctx, header);
	return OK;
}

/* req: KS-23-087 KS-23-088 ESKM-226 */
void
backup_show_list(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	cli_say(cli, "Internal Backups");
	cli_end(cli, backup_each(cli_appliance(cli), show_one, cli));
}

/* What is in one is not known without its password: who may have any. */
static enum err
permit_any(struct change *change)
{
	size_t more;
	unsigned k;
	enum err rc = OK;

	for (k = 0; k < PART_COUNT; k++)
		TRY(change_permit(change->appliance, &change->by,
		    backup_part_row((enum backup_part)k)->make, NULL, &more,
		    change->why));
out:
	return rc;
}

/* NAME, and no more than `most` words. NULL: the command has ended. */
static struct work *
find(struct cli *cli, const struct bytes *args, size_t arg_count, size_t most)
{
	struct work *work;
	char why[ENTRY_WHY_OCTETS];
	enum err rc;

	if (!args_at_most(cli, args, arg_count, most))
		return NULL;
	work = cli_keep(cli, sizeof(*work), work_drop);
	if (work == NULL)
		return NULL;
	work->fd = -1;
	work->cli = cli;
	rc = backup_find(cli_appliance(cli),
	    arg_count != 0 ? args[0] : BYTES_NONE, &work->header);
	if (rc == ERR_NOT_FOUND) {
		entry_refuse("Backup Name",
		    arg_count != 0 ? args[0] : BYTES_NONE,
		    "there is no internal backup of this name", why);
		cli_refuse(cli, "%s", why);
		return NULL;
	}
	if (rc != OK) {
		cli_end(cli, rc);
		return NULL;
	}
	memcpy(work->base, args[0].at, args[0].octets);
	return work;
}

static enum err
check_delete(struct change *change)
{
	struct work *work = cli_state(change->ctx);

	(void)snprintf(change->event, sizeof(change->event),
	    "deleted backup: %s", work->base);
	return permit_any(change);
}

static enum err
delete_it(struct cli *cli, struct change *change)
{
	struct work *work = cli_state(cli);

	(void)change;
	return backup_delete(cli_appliance(cli), bytes_of_text(work->base));
}

/* req: KS-23-089 */
void
backup_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = find(cli, args, arg_count, 1);

	if (work == NULL)
		return;
	work->change.apply = check_delete;
	cli_change(cli, &work->change, delete_it, "");
}

static enum err
check_download(struct change *change)
{
	struct work *work = change->ctx;

	(void)snprintf(change->event, sizeof(change->event),
	    "downloaded backup: %s, file %u", work->base, work->say.file);
	return permit_any(change);
}

static void
download(struct cli *cli)
{
	struct work *work = cli_state(cli);

	backup_say_some(cli, &work->say, download);
}

static void
checked_download(struct change *change, enum err rc)
{
	struct work *work = change->ctx;

	work->changing = false;
	if (rc == OK)
		rc = backup_open(change->appliance, bytes_of_text(work->base),
		    work->say.file, &work->fd);
	if (rc == OK)
		download(work->cli);
	else
		cli_fail(work->cli, "%s",
		    change->why[0] != '\0' ? change->why : err_text(rc));
}

/* NAME, and the number of a file: 0 unless it is said. req: KS-23-088 */
void
backup_download(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 0,
	    .most = BACKUP_FILES_MOST,
	    .step = 1,
	    .zero = ""};
	struct work *work = find(cli, args, arg_count, 2);
	int64_t number = 0;

	if (work == NULL || (arg_count == 2 && !args_read(cli, "File", &rule,
						   args[1], &number)))
		return;
	if (number >= work->header.files) {
		cli_refuse(cli, "File: the backup has %u file%s",
		    work->header.files, work->header.files == 1 ? "" : "s");
		return;
	}
	work->say = (struct backup_say){.header = &work->header,
	    .fds = &work->fd,
	    .file = (unsigned)number,
	    .end = (unsigned)number + 1,
	    .name = ""};
	work->change = (struct change){.by = *cli_principal(cli),
	    .act = ACT_LOOK,
	    .apply = check_download,
	    .done = checked_download,
	    .ctx = work};
	work->changing = true;
	change_run(cli_appliance(cli), &work->change);
}
