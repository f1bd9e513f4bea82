/*
 * The page "System Information & Upgrade": what the device is, software and
 * license packages that are installed, and the way back.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/args.h"
#include "cli/form_field.h"
#include "cli/session.h"
#include "device/hardware.h"
#include "device/software.h"
#include "device/software_install.h"

/* ---- what it is ---- */

/* req: KS-25-001 KS-25-002 KS-25-003 KS-25-004 KS-25-005 KS-25-007 */
static void
say_hardware(struct cli *cli)
{
	const struct hardware *hw = cli_appliance(cli)->hardware;

	if (hw == NULL)
		return;
	cli_say(cli, "Product: Touchstone %s", hardware_model(hw));
	cli_say(cli, "Box ID: %s", hardware_box_id(hw));
}

static enum err
say_software(struct cli *cli)
{
	struct appliance *a = cli_appliance(cli);
	char text[CLOCK_TEXT_OCTETS];
	struct software software;
	enum err rc = OK;

	TRY(software_read(a->store, &software));
	cli_say(cli, "Software Version: %s", software.version);
	clock_text(a->clock, software.installed_s, text);
	if (software.installed_s != 0)
		cli_say(cli, "Software Install Date: %s", text);
	cli_say(cli, "Software Rollback: %s",
	    software.previous[0] != '\0' ? software.previous : "none");
out:
	return rc;
}

void
upgrade_show_device(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct appliance *a = cli_appliance(cli);
	char text[CLOCK_TEXT_OCTETS];
	enum err rc = OK;

	(void)args;
	(void)arg_count;
	clock_text(a->clock, env_wall_s(a->env), text);
	cli_say(
	    cli, "Hostname: %s", setting_shown(a->settings, SETTING_HOST_NAME));
	say_hardware(cli);
	TRY(say_software(cli));
	cli_say(cli, "Personality: %s",
	    setting_shown(a->settings, SETTING_PERSONALITY));
	cli_say(cli, "HSM: %s",
	    a->root != NULL && root_config(a->root)->card != NULL ? "yes"
								  : "no");
	cli_say(cli, "Date and Time: %s %s", text, clock_zone(a->clock));
out:
	cli_end(cli, rc);
}

struct work {
	struct form form;
	struct form_target target; /* in here */
	struct cli *cli;
	enum form_source source;
	struct upload upload;
	struct transfer_place place;
	char file[TRANSFER_NAME_OCTETS + 1];
	struct transfer *transfer;
	int fd; /* of the package; its octets so far */
	uint64_t octets;
	struct software_install *install;
};

static void
work_drop(void *state)
{
	struct work *work = state;

	software_install_drop(work->install);
	transfer_drop(work->transfer);
	secret_free(work->place.password);
	if (work->fd >= 0)
		(void)close(work->fd);
	mem_free(work);
}

/* ---- installing it ---- */

/* req: KS-25-025 */
static void
stage(void *ctx, const char *text)
{
	const struct work *work = ctx;

	cli_say(work->cli, "%s", text);
}

/* All sessions end with the restart, this one first. req: KS-25-032 */
static void
installed(void *ctx, enum err rc, const char *why)
{
	struct work *work = ctx;
	struct cli *cli = work->cli;

	if (rc != OK) {
		cli_fail(cli, "%s", why);
		return;
	}
	cli_say(cli, "The package is installed. The device restarts.");
	cli_bye(cli);
}

static void
install(struct cli *cli)
{
	struct work *work = cli_state(cli);
	const struct software_install_config config = {
	    .appliance = cli_appliance(cli),
	    .fd = work->fd,
	    .by = cli_principal(cli),
	    .approvals = cli_approvals(cli),
	    .stage = stage,
	    .done = installed,
	    .ctx = work,
	};
	enum err rc;

	cli_say(cli, "Verifying the package");
	rc = software_install_new(&config, &work->install);
	if (rc == ERR_EXISTS)
		cli_refuse(cli, "another package is being installed");
	else if (rc != OK)
		cli_end(cli, rc);
}

/* ---- upload ---- */

static enum err
add_octets(struct cli *cli, struct bytes octets)
{
	struct work *work = cli_state(cli);

	if (octets.octets > PACKAGE_MOST_OCTETS - work->octets)
		return ERR_LIMIT;
	work->octets += octets.octets;
	return file_write(work->fd, octets);
}

static void
uploaded(struct cli *cli, enum err rc)
{
	if (rc == OK)
		install(cli);
	else if (rc == ERR_VALUE)
		cli_refuse(cli, "the file is no package: no base 64");
	else
		cli_refuse(cli, "the file: %s", err_text(rc));
}

/* req: KS-25-019 KS-25-030 */
static void
upload(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->upload = (struct upload){.begin = "-----BEGIN PACKAGE-----",
	    .end = "-----END PACKAGE-----",
	    .add = add_octets,
	    .done = uploaded};
	upload_begin(cli, &work->upload);
}

/* ---- another host ---- */

static const struct form_word words[] = {{"port", form_port}};

static void
fetched(struct transfer *transfer, enum err rc)
{
	struct work *work = transfer->ctx;
	struct cli *cli = work->cli;

	if (rc != OK) {
		cli_refuse(cli, "%s",
		    transfer->why[0] != '\0' ? transfer->why : err_text(rc));
		return;
	}
	cli_say(cli, "Fetched %llu octets",
	    (unsigned long long)transfer->files[0].octets);
	install(cli);
}

static void
fetch(struct cli *cli)
{
	struct work *work = cli_state(cli);
	enum err rc = OK;

	TRY(transfer_new(cli_appliance(cli), &work->transfer));
	work->transfer->direction = TRANSFER_FETCH;
	work->transfer->place = work->place;
	work->place.password = NULL;
	work->transfer->most_octets = PACKAGE_MOST_OCTETS;
	work->transfer->done = fetched;
	work->transfer->ctx = work;
	TRY(transfer_add(work->transfer, work->file, work->fd));
	cli_say(cli, "Fetching %s from %s", work->file, work->place.host);
	transfer_begin(work->transfer);
out:
	if (rc == ERR_FIELD)
		cli_refuse(cli, "%s", work->transfer->why);
	else if (rc != OK)
		cli_end(cli, rc);
}

/* ---- the command ---- */

static const struct form_field source_field = {
    CLI_VALUE, "Source (upload, scp, sftp or ftp):", form_source};

static void
ask_source_fields(struct cli *cli)
{
	struct work *work = cli_state(cli);

	if (work->source == SOURCE_UPLOAD)
		upload(cli);
	else
		form_run(cli, &work->form, form_host_fields, FORM_HOST_FIELDS,
		    fetch);
}

/* false: the command has ended */
static bool
take_words(struct work *work, const struct bytes *args, size_t arg_count)
{
	size_t count;

	if (!form_leading(work->cli, &source_field, 1, args, arg_count))
		return false;
	count = work->source == SOURCE_UPLOAD ? 0 : FORM_HOST_WORDS;
	if (!form_leading(
		work->cli, form_host_fields, count, args + 1, arg_count - 1))
		return false;
	return form_words(work->cli, words, count == 0 ? 0 : 1,
	    args + 1 + count, arg_count - 1 - count);
}

/* req: KS-25-014 KS-25-021 */
void
upgrade_install(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = cli_keep(cli, sizeof(*work), work_drop);
	enum err rc;

	if (work == NULL)
		return;
	work->cli = cli;
	work->target = (struct form_target){
	    .place = &work->place, .source = &work->source, .file = work->file};
	form_aim(cli, &work->target);
	rc = software_file(cli_appliance(cli), &work->fd);
	if (rc != OK)
		cli_end(cli, rc);
	else if (arg_count == 0)
		form_run(cli, &work->form, &source_field, 1, ask_source_fields);
	else if (!take_words(work, args, arg_count))
		return;
	else if (work->source == SOURCE_UPLOAD)
		upload(cli);
	else
		form_run(cli, &work->form, &form_host_fields[FORM_HOST_WORDS],
		    1, fetch);
}

/* ---- the way back ---- */

struct rollback {
	struct change change;
};

static void
rollback_drop(void *state)
{
	mem_free(state);
}

/* All sessions end with it, this one first. */
static void
rolled_back(struct change *change, enum err rc)
{
	struct cli *cli = change->ctx;

	cli->change = NULL;
	if (rc != OK) {
		cli_fail(cli, "%s",
		    change->why[0] != '\0' ? change->why : err_text(rc));
		return;
	}
	cli_say(cli, "The software is rolled back. The device restarts.");
	cli_bye(cli);
}

static void
approved(struct cli *cli, struct bytes line)
{
	struct rollback *rollback = cli_state(cli);

	if (!bytes_equal_text(line, "yes")) {
		cli_fail(cli, "not yes: nothing was done");
		return;
	}
	rollback->change.by = cli->who;
	rollback->change.act = cli->command->act;
	rollback->change.approvals = &cli->approvals;
	rollback->change.apply = software_rollback;
	rollback->change.done = rolled_back;
	rollback->change.leave = LEAVE_RESTART;
	rollback->change.ctx = cli;
	cli->change = &rollback->change;
	change_run(cli->appliance, cli->change);
}

/* req: KS-18-014 KS-25-036 KS-25-040 KS-25-041 KS-25-044 */
void
upgrade_rollback(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct rollback *rollback;
	struct software software;
	enum err rc;

	if (!args_at_most(cli, args, arg_count, 0))
		return;
	rollback = cli_keep(cli, sizeof(*rollback), rollback_drop);
	if (rollback == NULL)
		return;
	rc = software_read(cli_appliance(cli)->store, &software);
	if (rc != OK) {
		cli_end(cli, rc);
		return;
	}
	if (software.previous[0] == '\0') {
		cli_refuse(cli, "there is no version to roll back to");
		return;
	}
	cli_say(cli, "The software goes back from %s to %s.", software.version,
	    software.previous);
	cli_say(cli,
	    "Administrators, their passwords and their settings will be as "
	    "they were before the");
	cli_say(cli,
	    "last upgrade: who does not know the passwords of then cannot "
	    "log in.");
	cli_say(cli, "Make a backup that is kept elsewhere first.");
	cli_ask(cli, CLI_VALUE, "Roll the software back (yes/no):", approved);
}
