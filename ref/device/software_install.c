#include "device/software_install.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/licence.h"
#include "device/software.h"
#include "store/disk.h"

enum {
	SLICE_OCTETS = 256 * 1024, /* of a program, in one turn */
	STAGES = 4,                /* of it, that are told */
};

/* ---- a package comes ---- */

enum err
software_file(struct appliance *appliance, int *fd)
{
	enum err rc = OK;

	*fd = -1;
	if (appliance->software_dir == NULL)
		return ERR_FEATURE;
	TRY(disk_make_dir(appliance->software_dir));
	TRY(file_nameless(appliance->software_dir, fd));
out:
	return rc;
}

/* ---- what is under way ---- */

struct software_install {
	struct software_install_config config;
	int fd;
	struct package *package; /* once it is verified */
	char why[PACKAGE_WHY_OCTETS];
	enum err rc;  /* of the job */
	bool works;   /* a worker has it */
	bool dropped; /* ... and nobody waits for it */
	bool changing;
	/* writing */
	char *folder;
	size_t component;
	struct disk_file *file;
	uint64_t written;
	unsigned told;
	int sync_fd;
	uint64_t sync_octets;
	struct loop_task task;
	struct change change;
};

static void
finish(struct software_install *install, enum err rc, const char *why)
{
	struct appliance *appliance = install->config.appliance;
	char event[CHANGE_EVENT_OCTETS];

	if (appliance->installing == install)
		appliance->installing = NULL;
	if (rc != OK && *why == '\0')
		why = err_text(rc);
	/* what a change refused has its line */
	if (rc != OK && install->change.appliance == NULL) {
		(void)snprintf(event, sizeof(event),
		    "A package is not installed: %s", why);
		change_refused(appliance, install->config.by, event);
	}
	install->config.done(install->config.ctx, rc, why);
}

/* Nobody waits for what a worker had. */
static bool
was_dropped(struct software_install *install)
{
	bool dropped = install->dropped;

	install->works = false;
	if (dropped)
		software_install_drop(install);
	return dropped;
}

static enum err
submit(struct software_install *install, loop_fn *work, loop_done_fn *done)
{
	struct appliance *appliance = install->config.appliance;
	enum err rc = OK;

	if (appliance->software_pool == NULL)
		TRY(loop_pool_new(
		    appliance->loop, "software", 1, &appliance->software_pool));
	TRY(loop_submit(appliance->software_pool, work, done, install));
	install->works = true;
out:
	return rc;
}

/* ---- the change ---- */

/* req: KS-25-014 KS-25-016 */
static enum err
apply_licence(struct change *change)
{
	const struct software_install *install = change->ctx;
	struct licence licence;

	licence_of_package(package_manifest(install->package), &licence);
	return licence_install(change, &licence);
}

static void
changed(struct change *change, enum err rc)
{
	struct software_install *install = change->ctx;

	install->changing = false;
	finish(install, rc, change->why);
}

static enum err
apply_software(struct change *change)
{
	const struct software_install *install = change->ctx;

	return software_upgrade(
	    change, package_manifest(install->package)->version);
}

static void
switch_on(struct software_install *install)
{
	struct change *change = &install->change;
	bool is_software =
	    package_manifest(install->package)->type == PACKAGE_SOFTWARE;

	change->by = *install->config.by;
	change->act = ACT_UPGRADE;
	change->approvals = install->config.approvals;
	change->apply = is_software ? apply_software : apply_licence;
	change->done = changed;
	change->ctx = install;
	change->leave = LEAVE_RESTART; /* req: KS-25-022 */
	install->changing = true;
	change_run(install->config.appliance, change);
}

/* ---- its files ---- */

static void
sync_work(void *ctx)
{
	struct software_install *install = ctx;

	install->rc = disk_sync_fd(install->sync_fd);
}

static const struct package_component *
component(const struct software_install *install)
{
	return &package_manifest(install->package)
		    ->components[install->component];
}

static void
synced(void *ctx, enum err rc)
{
	struct software_install *install = ctx;

	(void)close(install->sync_fd);
	install->sync_fd = -1;
	if (was_dropped(install))
		return;
	TRY(rc);
	TRY(install->rc);
	disk_was_synced(install->file, install->sync_octets);
	disk_close(install->file);
	install->file = NULL;
	install->component++;
	install->written = 0;
	install->told = 0;
	loop_later(install->config.appliance->loop, &install->task);
out:
	if (rc != OK)
		finish(install, rc, "");
}

/* All of it is written. What runs has to be allowed to. */
static enum err
end_file(struct software_install *install)
{
	const char *name = component(install)->name;
	char *path = NULL;
	enum err rc = OK;

	TRY(mem_printf(&path, "%s/%s", install->folder, name));
	if (strcmp(name, SOFTWARE_PROGRAM) == 0 && chmod(path, 0700) != 0)
		TRY(ERR_SYSTEM);
	TRY(disk_dup(install->file, &install->sync_fd));
	install->sync_octets = disk_octets(install->file);
	rc = submit(install, sync_work, synced);
	if (rc != OK) {
		(void)close(install->sync_fd);
		install->sync_fd = -1;
	}
out:
	mem_free(path);
	return rc;
}

/* req: KS-25-025 */
static void
tell_progress(struct software_install *install)
{
	const struct package_component *c = component(install);
	unsigned stage =
	    c->octets == 0 ? STAGES
			   : (unsigned)(install->written * STAGES / c->octets);
	char text[SOFTWARE_STAGE_OCTETS + PACKAGE_NAME_OCTETS];

	if (stage == install->told)
		return;
	install->told = stage;
	(void)snprintf(text, sizeof(text), "Installing %s: %u %%", c->name,
	    stage * 100 / STAGES);
	install->config.stage(install->config.ctx, text);
}

static enum err
append(void *ctx, struct bytes octets)
{
	struct software_install *install = ctx;

	install->written += octets.octets;
	return disk_append(install->file, octets);
}

static enum err
write_some(struct software_install *install)
{
	uint64_t left = component(install)->octets - install->written;
	enum err rc = OK;

	if (install->file == NULL)
		TRY(disk_open(
		    install->folder, component(install)->name, &install->file));
	if (left > SLICE_OCTETS)
		left = SLICE_OCTETS;
	TRY(package_read(install->package, install->component, install->written,
	    left, append, install));
	tell_progress(install);
	if (install->written == component(install)->octets)
		return end_file(install);
	loop_later(install->config.appliance->loop, &install->task);
out:
	return rc;
}

static void
write_slice(void *ctx)
{
	struct software_install *install = ctx;
	enum err rc = OK;

	if (install->component <
	    package_manifest(install->package)->component_count) {
		TRY(write_some(install));
		return;
	}
	TRY(software_folder_done(install->folder));
	install->config.stage(
	    install->config.ctx, "Setting administrators aside for a rollback");
	switch_on(install);
	return;
out:
	finish(install, rc, "");
}

static enum err
begin_files(struct software_install *install)
{
	struct appliance *appliance = install->config.appliance;
	const struct package_manifest *m = package_manifest(install->package);
	enum err rc = OK;

	TRY(software_folder_new(appliance, m->version, &install->folder));
	loop_later(appliance->loop, &install->task);
out:
	return rc;
}

/* ---- its verification ---- */

struct beginning {
	uint8_t at[4];
	size_t octets;
};

static enum err
take_beginning(void *ctx, struct bytes octets)
{
	struct beginning *b = ctx;

	memcpy(b->at + b->octets, octets.at, octets.octets);
	b->octets += octets.octets;
	return OK;
}

/* A file that cannot be executed would end the device for good. */
static enum err
judge_program(struct software_install *install)
{
	static const uint8_t elf[] = {0x7F, 'E', 'L', 'F'};
	const struct package_manifest *m = package_manifest(install->package);
	struct beginning b = {.octets = 0};
	size_t number;
	enum err rc = OK;

	rc = package_find(install->package, SOFTWARE_PROGRAM, &number);
	if (rc == OK && m->components[number].octets >= sizeof(elf))
		TRY(package_read(install->package, number, 0, sizeof(elf),
		    take_beginning, &b));
	if (b.octets != sizeof(elf) || memcmp(b.at, elf, sizeof(elf)) != 0) {
		(void)snprintf(install->why, sizeof(install->why),
		    "the package has no program");
		return ERR_FIELD;
	}
out:
	return rc;
}

static enum err
judge(struct software_install *install)
{
	struct store *st = install->config.appliance->store;
	const struct package_manifest *m = package_manifest(install->package);
	enum err rc = OK;

	TRY(software_judge(st, m->version, install->why, sizeof(install->why)));
	TRY(judge_program(install));
out:
	return rc;
}

static void
verify_work(void *ctx)
{
	struct software_install *install = ctx;

	install->rc = package_open(install->fd,
	    install->config.appliance->trust, &install->package, install->why);
}

static void
tell_contents(struct software_install *install)
{
	const struct package_manifest *m = package_manifest(install->package);
	char text[SOFTWARE_STAGE_OCTETS + PACKAGE_NOTES_OCTETS];

	(void)snprintf(text, sizeof(text), "The package is genuine: %s %s",
	    m->type == PACKAGE_SOFTWARE ? "software" : "license", m->version);
	install->config.stage(install->config.ctx, text);
	if (m->notes[0] == '\0')
		return;
	(void)snprintf(text, sizeof(text), "Notes: %s", m->notes);
	install->config.stage(install->config.ctx, text);
}

static void
verified(void *ctx, enum err rc)
{
	struct software_install *install = ctx;

	if (was_dropped(install))
		return;
	TRY(rc);
	TRY(install->rc);
	tell_contents(install);
	if (package_manifest(install->package)->type == PACKAGE_LICENCE) {
		switch_on(install);
		return;
	}
	TRY(judge(install));
	TRY(begin_files(install));
out:
	if (rc != OK)
		finish(install, rc, install->why);
}

enum err
software_install_new(
    const struct software_install_config *config, struct software_install **out)
{
	struct software_install *install = NULL;
	enum err rc = OK;

	*out = NULL;
	if (config->appliance->installing != NULL)
		return ERR_EXISTS;
	TRY(MEM_NEW(install));
	install->config = *config;
	install->sync_fd = -1;
	install->task = (struct loop_task){.fn = write_slice, .ctx = install};
	install->fd = fcntl(config->fd, F_DUPFD_CLOEXEC, 0);
	if (install->fd < 0)
		TRY(ERR_SYSTEM);
	TRY(submit(install, verify_work, verified));
	config->appliance->installing = install;
	*out = install;
	install = NULL;
out:
	software_install_drop(install);
	return rc;
}

void
software_install_drop(struct software_install *install)
{
	if (install == NULL)
		return;
	if (install->config.appliance->installing == install)
		install->config.appliance->installing = NULL;
	if (install->works) {
		install->dropped = true;
		return;
	}
	if (install->changing)
		change_leave(&install->change);
	loop_task_cancel(&install->task);
	disk_close(install->file);
	package_close(install->package);
	if (install->fd >= 0)
		(void)close(install->fd);
	mem_free(install->folder);
	mem_free(install);
}
