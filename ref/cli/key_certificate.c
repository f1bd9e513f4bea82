/*
 * The commands about certificates that are keys.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/cert.h"
#include "cli/key.h"
#include "device/entry.h"
#include "device/transfer.h"

/* ---- key certificate import ---- */

static enum err
import(struct key_command *work)
{
	const struct key_spec *spec = &work->spec;
	const struct object *key;
	struct key_info info;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "imported certificate %.*s", (int)work->name.octets,
	    (const char *)work->name.at);
	TRY(key_import_certificate(
	    &work->call, spec, 0, &work->job.bundle, &key));
	TRY(key_info(&work->call, key, &info));
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "imported certificate %.*s as a key: %s, owner %.*s, deletable %s, "
	    "exportable %s",
	    (int)work->name.octets, (const char *)work->name.at, info.row->name,
	    spec->owner.octets != 0 ? (int)spec->owner.octets : 1,
	    spec->owner.octets != 0 ? (const char *)spec->owner.at : "-",
	    entry_yesno(spec->deletable), entry_yesno(spec->exportable));
out:
	return rc;
}

static void
password_take(struct cli *cli, struct bytes line)
{
	struct key_command *work = cli_state(cli);
	enum err rc = OK;

	if (line.octets != 0)
		TRY(secret_copy(line, &work->password));
	TRY(secret_copy(buf_peek(&work->text), &work->bundle));
	buf_reset(&work->text);
	key_command_run_prepared(work, NULL, import);
	return;
out:
	cli_fail(cli, "%s", err_text(rc));
}

/* All of the text is there. */
static void
password_ask(struct key_command *work)
{
	if (work->text.octets == 0)
		cli_refuse(work->cli, "Certificate: it is missing");
	else
		cli_ask(work->cli, CLI_SECRET,
		    "Private Key Password:", password_take);
}

/* ---- pasted ---- */

static void
text_line(struct cli *cli, struct bytes line)
{
	struct key_command *work = cli_state(cli);
	enum err rc;

	if (bytes_equal_text(line, ".")) {
		password_ask(work);
		return;
	}
	rc = buf_put(&work->text, line);
	if (rc == OK)
		rc = buf_put_text(&work->text, "\n");
	if (rc != OK)
		cli_refuse(cli, "Certificate: it is too long");
	else
		cli_ask(cli, CLI_SECRET, "", text_line);
}

/* ---- fetched ---- */

static enum err
text_read(struct key_command *work)
{
	uint8_t *tail;
	ssize_t octets;
	enum err rc = OK;

	TRY(buf_reserve(&work->text, KEY_TEXT_OCTETS, &tail));
	octets = pread(work->fd, tail, KEY_TEXT_OCTETS, 0);
	if (octets < 0)
		TRY(ERR_SYSTEM);
	buf_added(&work->text, (size_t)octets);
out:
	return rc;
}

static void
fetched(struct transfer *transfer, enum err rc)
{
	struct key_command *work = transfer->ctx;

	if (rc == OK)
		rc = text_read(work);
	if (rc != OK)
		cli_refuse(work->cli, "Source: scp: %s",
		    transfer->why[0] != '\0' ? transfer->why : err_text(rc));
	else
		password_ask(work);
}

static void
fetch(struct cli *cli)
{
	struct key_command *work = cli_state(cli);

	transfer_begin(work->transfer);
}

static enum err
take_file(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct key_command *work = cli_state(cli);
	enum err rc = OK;

	TRY(form_path(cli, line, why));
	work->fd = memfd_create("certificate", MFD_CLOEXEC);
	if (work->fd < 0)
		TRY(ERR_SYSTEM);
	rc = transfer_add(work->transfer, work->file, work->fd);
	if (rc == ERR_FIELD)
		(void)snprintf(why, FORM_WHY_OCTETS, "Filename: %.*s",
		    FORM_WHY_OCTETS - 16, work->transfer->why);
out:
	return rc;
}

/* req: KS-28-303 */
static void
fetch_ask(struct key_command *work)
{
	static const struct form_field fields[] = {
	    {CLI_VALUE, "Host:", form_host},
	    {CLI_VALUE, "Filename:", take_file},
	    {CLI_VALUE, "Username:", form_user},
	    {CLI_SECRET, "Password:", form_user_password},
	};
	enum err rc = OK;

	TRY(transfer_new(cli_appliance(work->cli), &work->transfer));
	work->transfer->direction = TRANSFER_FETCH;
	work->transfer->place.protocol = TRANSFER_SCP;
	work->transfer->most_octets = KEY_TEXT_OCTETS;
	work->transfer->done = fetched;
	work->transfer->ctx = work;
	work->target = (struct form_target){
	    .place = &work->transfer->place, .file = work->file};
	form_aim(work->cli, &work->target);
	form_run(work->cli, &work->form, fields,
	    sizeof(fields) / sizeof(fields[0]), fetch);
	return;
out:
	cli_fail(work->cli, "%s", err_text(rc));
}

/* ---- the command ---- */

static void
import_begin(struct key_command *work)
{
	enum err rc;

	if (!key_command_words(work, 0, ON_CERTIFICATE))
		return;
	work->spec.name = work->name;
	work->spec.certified = true;
	work->spec.algorithm = key_algorithm_imported(bytes_of_text("RSA"));
	rc = key_check(&work->call, &work->spec);
	if (rc != OK)
		key_command_refuse(work, rc);
	else if (work->by_scp)
		fetch_ask(work);
	else
		cli_ask(work->cli, CLI_SECRET,
		    "Certificate, with its private key, in PEM; then a period "
		    "alone:",
		    text_line);
}

/* req: KS-28-288 KS-28-289 KS-28-290 KS-28-292 KS-28-294 KS-28-298 KS-28-299
 * req: KS-28-304 */
void
key_certificate_import(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Object Name:", NULL},
	    {ASK_WORD, "Owner Username:", "owner"},
	    {ASK_WORD, "Source (paste/scp):", "source"},
	};

	key_command_gather(
	    cli, args, arg_count, 2, KEY_QUESTIONS(questions), import_begin);
}

/* ---- show key certificate ---- */

static void
say_time(struct cli *cli, const char *field, int64_t wall_s)
{
	char text[CLOCK_TEXT_OCTETS];

	clock_text(cli_appliance(cli)->clock, wall_s, text);
	cli_say(cli, "%s: %s", field, text);
}

static enum err
say_one(struct key_command *work, struct bytes der)
{
	struct pki_facts facts;
	enum err rc = OK;

	TRY(pki_facts(PKI_CERTIFICATE, der, work->arena, &facts));
	cli_say(work->cli, "Subject: %s", facts.subject);
	cli_say(work->cli, "Issuer: %s", facts.issuer);
	cli_say(work->cli, "Serial Number: %s", facts.serial);
	say_time(work->cli, "Start Date", facts.from_s);
	say_time(work->cli, "Expiration", facts.until_s);
	TRY(cert_say_pem(work->cli, PKI_CERTIFICATE, der));
out:
	return rc;
}

/* Its own first. req: KS-28-292 */
void
key_certificate_show(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work =
	    key_command_on(cli, args, arg_count, 1, 1, "NAME");
	const struct object *key;
	struct bytes der;
	unsigned n;
	enum err rc = OK;

	if (work == NULL)
		return;
	TRY(key_command_key(work, work->name, &key));
	for (n = 1;; n++) {
		rc = key_certificate(&work->call, key, n, &der);
		if (rc == ERR_NOT_FOUND)
			break;
		TRY(rc);
		TRY(say_one(work, der));
	}
	if (n == 1)
		cli_refuse(cli, "Key Name: %.*s: it has no certificate",
		    (int)work->name.octets, (const char *)work->name.at);
	else
		cli_done(cli);
	return;
out:
	key_command_refuse(work, rc);
}
