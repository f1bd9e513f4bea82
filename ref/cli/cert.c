/*
 * The commands about certificates and certificate authorities.
 *
 * What takes text in PEM asks for line after line; the last line of the block
 * ends it, and so does a period alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/cert.h"
#include "device/ca.h"
#include "device/cert_work.h"

enum { FACTS_OCTETS = 256 * 1024, PROMPT_ROOM_OCTETS = 64 };

static const struct entry_rule days_rule = {.type = ENTRY_NUMBER,
    .least = 1,
    .most = CERT_DAYS_MOST,
    .step = 1,
    .zero = ""};
static const struct entry_rule purpose_rule = {
    .type = ENTRY_CHOICE, .choices = "server|client|intermediate"};
static const char days_field[] = "Certificate Duration (days)";
static const char ca_days_field[] = "CA Certificate Duration (days)";
static const char most_days_field[] =
    "Maximum User Certificate Duration (days)";

/* What a command has gathered. */
struct gather {
	struct change change;
	struct cert_work *work;
	struct buf text;
	enum cert_kind kind;
	enum pki_field field; /* the next that is asked for */
	cli_answer_fn *then;  /* when the text is whole */
	bool two_blocks;      /* only a period ends it */
	char name[CERT_NAME_OCTETS + 1];
	char other[CERT_NAME_OCTETS + 1];
	int64_t days;
};

static void
gather_drop(void *state)
{
	struct gather *g = state;

	cert_work_drop(g->work);
	buf_clear(&g->text);
	mem_free(g);
}

/* An argument, a name; what is no name is told as such. */
static bool
take_name(struct cli *cli, enum cert_kind kind, const char *field,
    struct bytes typed, char name[CERT_NAME_OCTETS + 1])
{
	char why[CHANGE_WHY_OCTETS];
	enum err rc = cert_check_name(kind, typed, why);

	if (rc == ERR_FIELD) {
		/* the name of a profile is of the same kind */
		const char *rule = strchr(why, ':');

		cli_refuse(cli, "%s%s", field, rule != NULL ? rule : "");
	} else if (rc != OK) {
		cli_fail(cli, "%s", err_text(rc));
	} else {
		memcpy(name, typed.at, typed.octets);
	}
	return rc == OK;
}

/* NULL: the command has ended. */
static struct gather *
gather_named(struct cli *cli, enum cert_kind kind, const char *field,
    const struct bytes *args, size_t arg_count, size_t most)
{
	struct gather *g = NULL;

	if (!args_at_most(cli, args, arg_count, most))
		return NULL;
	if (arg_count == 0) {
		cli_refuse(cli, "%s: it is missing", field);
		return NULL;
	}
	g = cli_keep(cli, sizeof(*g), gather_drop);
	if (g == NULL)
		return NULL;
	buf_init(&g->text, PKI_TEXT_MAX_OCTETS);
	g->kind = kind;
	return take_name(cli, kind, field, args[0], g->name) ? g : NULL;
}

static struct gather *
gather_new(struct cli *cli, enum cert_kind kind, const struct bytes *args,
    size_t arg_count)
{
	return gather_named(
	    cli, kind, cert_name_field(kind), args, arg_count, 1);
}

/* ---- text ---- */

static void text_ask(struct cli *cli, const char *prompt);

static void
text_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);
	bool ends = bytes_equal_text(line, ".");
	enum err rc = OK;

	if (!ends) {
		rc = buf_put(&g->text, line);
		if (rc == OK)
			rc = buf_put_text(&g->text, "\n");
		ends = !g->two_blocks && line.octets >= 9 &&
		       memcmp(line.at, "-----END ", 9) == 0;
	}
	if (rc == ERR_LIMIT)
		cli_refuse(cli, "the text is longer than 65536 octets");
	else if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	else if (ends)
		g->then(cli, buf_peek(&g->text));
	else
		text_ask(cli, "");
}

/* A private key is not shown while it is pasted. */
static void
text_ask(struct cli *cli, const char *prompt)
{
	const struct gather *g = cli_state(cli);

	cli_ask(cli, g->two_blocks ? CLI_SECRET : CLI_VALUE, prompt, text_take);
}

static void
gather_text(struct cli *cli, const char *prompt, cli_answer_fn *then)
{
	struct gather *g = cli_state(cli);

	g->then = then;
	text_ask(cli, prompt);
}

/* ---- work, and the change that keeps it ---- */

static enum err
keep_work(struct change *change)
{
	const struct gather *g = cli_state(change->ctx);

	return cert_work_write(g->work, change);
}

enum err
cert_say_pem(struct cli *cli, enum pki_pem kind, struct bytes der)
{
	struct buf text;
	enum err rc = OK;

	buf_init(&text, 2 * PKI_TEXT_MAX_OCTETS);
	TRY(pki_pem_write(kind, der, &text));
	cli_say_lines(cli, buf_peek(&text));
out:
	buf_clear(&text);
	return rc;
}

/* req: KS-19-050 KS-19-052 KS-03-119 KS-03-113 KS-34-020 */
static enum err
show_result(struct cli *cli, struct change *change)
{
	const struct cert_work *work =
	    ((const struct gather *)cli_state(cli))->work;

	(void)change;
	if (work->task == CERT_REQUEST)
		return cert_say_pem(
		    cli, PKI_REQUEST, buf_peek(&work->cert.request));
	return cert_say_pem(
	    cli, PKI_CERTIFICATE, buf_peek(&work->cert.certificate));
}

static void
worked(struct cert_work *work, enum err rc)
{
	struct cli *cli = work->ctx;
	struct gather *g = cli_state(cli);

	if (rc == ERR_FIELD) {
		cli_refuse(cli, "%s", work->why);
	} else if (rc != OK) {
		cli_fail(
		    cli, "%s", work->why[0] != '\0' ? work->why : err_text(rc));
	} else {
		g->change.apply = keep_work;
		cli_change(cli, &g->change, show_result, "");
	}
}

/* NULL: the command has ended. */
static struct cert_work *
work_new(struct cli *cli, enum cert_task task)
{
	struct gather *g = cli_state(cli);
	enum err rc = cert_work_new(cli_appliance(cli), &g->work);

	if (rc != OK) {
		cli_fail(cli, "%s", err_text(rc));
		return NULL;
	}
	g->work->task = task;
	g->work->kind = g->kind;
	memcpy(g->work->name, g->name, sizeof(g->work->name));
	g->work->done = worked;
	g->work->ctx = cli;
	return g->work;
}

static void
work_begin(struct cli *cli)
{
	cert_work_begin(((struct gather *)cli_state(cli))->work);
}

/* ---- subjects ---- */

static bool
take_days(struct cli *cli, const char *field, struct bytes line, int64_t *days)
{
	return args_read(cli, field, &days_rule, line, days);
}

static void
most_days_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);

	if (take_days(cli, most_days_field, line, &g->work->most_days))
		work_begin(cli);
}

static void
ca_days_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);

	if (take_days(cli, ca_days_field, line, &g->work->days))
		cli_ask(cli, CLI_VALUE,
		    "Maximum User Certificate Duration (days):",
		    most_days_take);
}

static void
key_size_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);
	const struct entry_rule *rule = cert_key_sizes(g->kind);
	char kept[ENTRY_OCTETS];
	int64_t place;
	unsigned bits = 0;
	const char *c;

	if (!args_read(cli, "Key Size", rule, line, &place))
		return;
	/* it has just been read: these are digits */
	if (entry_read(rule, line, kept, &place) == OK)
		for (c = kept; *c != '\0'; c++)
			bits = bits * 10 + (unsigned)(*c - '0');
	g->work->key_bits = bits;
	if (g->work->task == CERT_ROOT)
		cli_ask(cli, CLI_VALUE,
		    "CA Certificate Duration (days):", ca_days_take);
	else
		work_begin(cli);
}

static void subject_ask(struct cli *cli);

static void
subject_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);
	const char *name = pki_field_name(g->field);
	char text[ENTRY_WHY_OCTETS];
	const char *why;

	if (pki_subject_set(&g->work->subject, g->field, line, &why) != OK) {
		entry_refuse(name, line, why, text);
		cli_refuse(cli, "%s", text);
		return;
	}
	g->field++;
	subject_ask(cli);
}

/* req: KS-34-012 KS-34-031 KS-35-037 KS-35-050 */
static void
subject_ask(struct cli *cli)
{
	const struct gather *g = cli_state(cli);
	char prompt[PROMPT_ROOM_OCTETS + ENTRY_OCTETS];

	if (g->field != PKI_FIELD_COUNT) {
		(void)snprintf(
		    prompt, sizeof(prompt), "%s:", pki_field_name(g->field));
		cli_ask(cli, CLI_VALUE, prompt, subject_take);
		return;
	}
	(void)snprintf(prompt, sizeof(prompt),
	    "Key Size (%s):", cert_key_sizes(g->kind)->choices);
	cli_ask(cli, CLI_VALUE, prompt, key_size_take);
}

static void
make_new(struct cli *cli, enum cert_task task, enum cert_kind kind,
    const struct bytes *args, size_t arg_count)
{
	if (gather_new(cli, kind, args, arg_count) != NULL &&
	    work_new(cli, task) != NULL)
		subject_ask(cli);
}

/* req: KS-03-111 KS-34-010 KS-34-030 */
void
cert_request(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	make_new(cli, CERT_REQUEST, CERT_DEVICE, args, arg_count);
}

/* req: KS-03-093 KS-03-097 KS-03-107 KS-35-035 */
void
cert_ca_local(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	make_new(cli, CERT_ROOT, CERT_LOCAL_CA, args, arg_count);
}

/* req: KS-03-097 KS-35-049 KS-35-051 KS-35-053 */
void
cert_ca_request(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	make_new(cli, CERT_REQUEST, CERT_LOCAL_CA, args, arg_count);
}

/* ---- self-signed ---- */

static void
self_days_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);

	if (take_days(cli, days_field, line, &g->work->days))
		work_begin(cli);
}

void
cert_self_sign(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (gather_new(cli, CERT_DEVICE, args, arg_count) != NULL &&
	    work_new(cli, CERT_SELF_SIGN) != NULL)
		cli_ask(cli, CLI_VALUE,
		    "Certificate Duration (days):", self_days_take);
}

/* ---- import ---- */

static void
import_password_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);
	enum err rc = OK;

	if (line.octets != 0)
		rc = secret_copy(line, &g->work->password);
	if (rc == OK)
		work_begin(cli);
	else
		cli_fail(cli, "%s", err_text(rc));
}

static void
import_text_take(struct cli *cli, struct bytes text)
{
	struct gather *g = cli_state(cli);
	enum err rc = buf_put(&g->work->text, text);

	buf_reset(&g->text);
	if (rc == OK)
		cli_ask(cli, CLI_SECRET,
		    "Private Key Password:", import_password_take);
	else
		cli_fail(cli, "%s", err_text(rc));
}

/* req: KS-34-041 KS-34-042 KS-34-043 KS-34-050 KS-34-051 */
void
cert_import(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct gather *g = gather_new(cli, CERT_DEVICE, args, arg_count);

	if (g == NULL || work_new(cli, CERT_IMPORT) == NULL)
		return;
	g->two_blocks = true;
	gather_text(cli,
	    "Certificate and private key in PEM, then a period alone:",
	    import_text_take);
}

/* ---- signing ---- */

static void
sign_text_take(struct cli *cli, struct bytes text)
{
	struct gather *g = cli_state(cli);
	enum err rc = buf_put(&g->work->text, text);

	if (rc == OK)
		work_begin(cli);
	else
		cli_fail(cli, "%s", err_text(rc));
}

static void
sign_days_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);

	if (take_days(cli, days_field, line, &g->work->days))
		gather_text(cli, "Certificate Request:", sign_text_take);
}

static void
sign_purpose_take(struct cli *cli, struct bytes line)
{
	static const enum pki_purpose purposes[] = {
	    PKI_SERVER, PKI_CLIENT, PKI_CA}; /* as in purpose_rule */
	struct gather *g = cli_state(cli);
	int64_t place;

	if (!args_read(cli, "Certificate Purpose", &purpose_rule, line, &place))
		return;
	g->work->purpose = purposes[place];
	cli_ask(cli, CLI_VALUE, "Certificate Duration (days):", sign_days_take);
}

/* req: KS-19-043 KS-19-046 KS-19-047 KS-19-048 KS-19-049 KS-34-024 */
void
cert_ca_sign(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (gather_new(cli, CERT_LOCAL_CA, args, arg_count) != NULL &&
	    work_new(cli, CERT_SIGN) != NULL)
		cli_ask(cli, CLI_VALUE,
		    "Certificate Purpose (server/client/intermediate):",
		    sign_purpose_take);
}

/* ---- installing ---- */

static enum err
install(struct change *change)
{
	const struct gather *g = cli_state(change->ctx);
	struct bytes name = bytes_of_text(g->name);

	if (g->kind == CERT_KNOWN_CA)
		return cert_install_known(change, name, buf_peek(&g->text));
	return cert_install(change, g->kind, name, buf_peek(&g->text), g->days);
}

static void
install_text_take(struct cli *cli, struct bytes text)
{
	struct gather *g = cli_state(cli);

	(void)text;
	g->change.apply = install;
	cli_change(cli, &g->change, NULL, "");
}

/* req: KS-34-027 KS-34-028 KS-34-036 KS-03-123 */
void
cert_install_response(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (gather_new(cli, CERT_DEVICE, args, arg_count) != NULL)
		gather_text(cli, "Certificate Response:", install_text_take);
}

static void
response_days_take(struct cli *cli, struct bytes line)
{
	struct gather *g = cli_state(cli);

	if (take_days(cli, most_days_field, line, &g->days))
		gather_text(cli, "Certificate Response:", install_text_take);
}

/* req: KS-03-105 KS-35-047 KS-35-056 KS-35-059 */
void
cert_ca_response(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (gather_new(cli, CERT_LOCAL_CA, args, arg_count) != NULL)
		cli_ask(cli, CLI_VALUE,
		    "Maximum User Certificate Duration (days):",
		    response_days_take);
}

/* req: KS-35-061 KS-35-062 */
void
cert_ca_install(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (gather_new(cli, CERT_KNOWN_CA, args, arg_count) != NULL)
		gather_text(cli, "Certificate:", install_text_take);
}

/* ---- deleting ---- */

static enum err
remove_it(struct change *change)
{
	const struct gather *g = cli_state(change->ctx);

	return cert_delete(change, g->kind, bytes_of_text(g->name));
}

static void
remove_one(struct cli *cli, enum cert_kind kind, const struct bytes *args,
    size_t arg_count)
{
	struct gather *g = gather_new(cli, kind, args, arg_count);

	if (g == NULL)
		return;
	g->change.apply = remove_it;
	cli_change(cli, &g->change, NULL, "");
}

void
cert_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	remove_one(cli, CERT_DEVICE, args, arg_count);
}

void
cert_ca_remove_local(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	remove_one(cli, CERT_LOCAL_CA, args, arg_count);
}

void
cert_ca_remove_known(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	remove_one(cli, CERT_KNOWN_CA, args, arg_count);
}

/* ---- profiles ---- */

static const char profile_field[] = "Trusted CA List Profile";
static const char member_field[] = "Certificate Authority";

static enum err
profile_create(struct change *change)
{
	const struct gather *g = cli_state(change->ctx);

	return ca_profile_create(change, bytes_of_text(g->name));
}

static enum err
profile_delete(struct change *change)
{
	const struct gather *g = cli_state(change->ctx);

	return ca_profile_delete(change, bytes_of_text(g->name));
}

static enum err
profile_add(struct change *change)
{
	const struct gather *g = cli_state(change->ctx);

	return ca_profile_add(
	    change, bytes_of_text(g->name), bytes_of_text(g->other));
}

static enum err
profile_drop(struct change *change)
{
	const struct gather *g = cli_state(change->ctx);

	return ca_profile_remove(
	    change, bytes_of_text(g->name), bytes_of_text(g->other));
}

/* words: how many the command takes, a profile's name and a CA's. */
static void
profile_change(struct cli *cli, const struct bytes *args, size_t arg_count,
    size_t words, enum err (*apply)(struct change *change))
{
	struct gather *g = gather_named(
	    cli, CERT_KNOWN_CA, profile_field, args, arg_count, words);

	if (g == NULL)
		return;
	if (words == 2 && arg_count == 1) {
		cli_refuse(cli, "%s: it is missing", member_field);
		return;
	}
	if (words == 2 &&
	    !take_name(cli, CERT_KNOWN_CA, member_field, args[1], g->other))
		return;
	g->change.apply = apply;
	cli_change(cli, &g->change, NULL, "");
}

/* req: KS-35-013 */
void
cert_profile_create(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	profile_change(cli, args, arg_count, 1, profile_create);
}

/* req: KS-35-014 KS-35-015 */
void
cert_profile_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	profile_change(cli, args, arg_count, 1, profile_delete);
}

/* req: KS-35-009 KS-35-018 */
void
cert_profile_add(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	profile_change(cli, args, arg_count, 2, profile_add);
}

void
cert_profile_drop(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	profile_change(cli, args, arg_count, 2, profile_drop);
}

/* ---- show ---- */

struct show {
	struct cli *cli;
	struct arena *arena;
	uint64_t serial; /* of the one that is shown; 0: all */
	bool found;
};

static void
show_end(struct show *show, enum err rc)
{
	arena_free(show->arena);
	if (rc != OK)
		cli_fail(show->cli, "%s", err_text(rc));
	else
		cli_done(show->cli);
}

static enum err
show_line(void *ctx, const struct cert *cert)
{
	struct show *show = ctx;
	bool made = cert->certificate.octets != 0;
	struct pki_facts facts;
	enum cert_state state;
	enum err rc = OK;

	arena_reset(show->arena);
	TRY(cert_state(
	    cert, env_wall_s(cli_appliance(show->cli)->env), &state));
	TRY(pki_facts(made ? PKI_CERTIFICATE : PKI_REQUEST,
	    buf_peek(made ? &cert->certificate : &cert->request), show->arena,
	    &facts));
	cli_say(show->cli, "  %-24s  %-30s  %s", cert->name,
	    cert_state_text(cert->kind, state), facts.subject);
out:
	return rc;
}

static void
say_time(struct cli *cli, const char *what, int64_t wall_s)
{
	char text[CLOCK_TEXT_OCTETS];

	clock_text(cli_appliance(cli)->clock, wall_s, text);
	cli_say(cli, "%s: %s", what, text);
}

/* req: KS-35-021 KS-35-032 */
enum err
cert_say(struct cli *cli, enum pki_pem kind, struct bytes der)
{
	struct pki_facts facts;
	struct arena *a = NULL;
	enum err rc = OK;

	TRY(arena_new(FACTS_OCTETS, &a));
	TRY(pki_facts(kind, der, a, &facts));
	cli_say(cli, "Subject: %s", facts.subject);
	cli_say(cli, "Key Size: %u", facts.key_bits);
	if (kind == PKI_CERTIFICATE) {
		cli_say(cli, "Issuer: %s", facts.issuer);
		cli_say(cli, "Serial Number: %s", facts.serial);
		say_time(cli, "Valid From", facts.from_s);
		say_time(cli, "Expires", facts.until_s);
	}
	TRY(cert_say_pem(cli, kind, der));
out:
	arena_free(a);
	return rc;
}

static void
show_one(struct cli *cli, enum cert_kind kind, struct bytes name)
{
	struct show show = {.cli = cli};
	struct cert cert = {.most_days = 0};
	char why[CHANGE_WHY_OCTETS] = "";
	enum cert_state state;
	bool made;
	enum err rc = OK;

	TRY(arena_new(FACTS_OCTETS, &show.arena));
	rc = cert_find(cli_appliance(cli)->store, kind, name, &cert, why);
	if (rc == ERR_FIELD) {
		arena_free(show.arena);
		cli_fail(cli, "%s", why);
		return;
	}
	TRY(rc);
	made = cert.certificate.octets != 0;
	TRY(cert_state(&cert, env_wall_s(cli_appliance(cli)->env), &state));
	cli_say(cli, "%s: %s", cert_name_field(kind), cert.name);
	cli_say(cli, "Status: %s", cert_state_text(kind, state));
	if (cert.most_days != 0)
		cli_say(cli, "%s: %lld", most_days_field,
		    (long long)cert.most_days);
	TRY(cert_say(cli, made ? PKI_CERTIFICATE : PKI_REQUEST,
	    buf_peek(made ? &cert.certificate : &cert.request)));
out:
	cert_clear(&cert);
	show_end(&show, rc);
}

static void
show_kind(struct cli *cli, enum cert_kind kind, const struct bytes *args,
    size_t arg_count)
{
	struct show show = {.cli = cli};
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	if (arg_count == 1) {
		show_one(cli, kind, args[0]);
		return;
	}
	TRY(arena_new(FACTS_OCTETS, &show.arena));
	cli_say(cli, "  %-24s  %-30s  %s", "Name", "Status", "Subject");
	TRY(cert_each(cli_appliance(cli)->store, kind, show_line, &show));
out:
	show_end(&show, rc);
}

/* req: KS-03-111 KS-34-014 KS-34-038 */
void
cert_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	show_kind(cli, CERT_DEVICE, args, arg_count);
}

/* req: KS-35-021 KS-35-024 */
void
cert_show_local(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	show_kind(cli, CERT_LOCAL_CA, args, arg_count);
}

/* req: KS-35-062 */
void
cert_show_known(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	show_kind(cli, CERT_KNOWN_CA, args, arg_count);
}

static enum err
issued_line(void *ctx, const struct ca_issued *issued)
{
	struct show *show = ctx;
	struct cli *cli = show->cli;
	struct pki_facts facts;
	enum err rc = OK;

	arena_reset(show->arena);
	if (show->serial != 0) {
		if (issued->serial != show->serial)
			return OK;
		show->found = true;
		return cert_say(cli, PKI_CERTIFICATE, issued->certificate);
	}
	TRY(pki_facts(
	    PKI_CERTIFICATE, issued->certificate, show->arena, &facts));
	cli_say(cli, "  %-18s  %-10s  %s", facts.serial,
	    cert_state_text(CERT_DEVICE,
		cert_state_at(&facts, env_wall_s(cli_appliance(cli)->env))),
	    facts.subject);
out:
	return rc;
}

/* "0x1f" or "1f" */
static bool
read_serial(struct bytes typed, uint64_t *out)
{
	char text[20];
	char *end;

	if (typed.octets == 0 || typed.octets >= sizeof(text))
		return false;
	memcpy(text, typed.at, typed.octets);
	text[typed.octets] = '\0';
	if (strspn(text, "0123456789abcdefABCDEFx") != typed.octets)
		return false;
	*out = strtoull(text, &end, 16);
	return *end == '\0' && *out != 0;
}

/* The CA stands first, with 0x0. */
static enum err
issued_all(struct show *show, const struct cert *ca)
{
	struct pki_facts facts;
	enum err rc = OK;

	cli_say(show->cli, "  %-18s  %-10s  %s", "Serial Number", "Status",
	    "Subject Name");
	if (ca->certificate.octets != 0) {
		TRY(pki_facts(PKI_CERTIFICATE, buf_peek(&ca->certificate),
		    show->arena, &facts));
		cli_say(show->cli, "  %-18s  %-10s  %s", "0x0",
		    cert_state_text(ca->kind,
			cert_state_at(
			    &facts, env_wall_s(cli_appliance(show->cli)->env))),
		    facts.subject);
	}
	TRY(ca_issued_each(cli_appliance(show->cli)->store,
	    bytes_of_text(ca->name), issued_line, show));
out:
	return rc;
}

/* req: KS-35-019 KS-35-025 KS-35-026 KS-35-029 KS-35-031 KS-35-032 KS-35-034 */
void
cert_show_signed(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct show show = {.cli = cli};
	struct cert ca = {.most_days = 0};
	char why[CHANGE_WHY_OCTETS] = "";
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 2))
		return;
	if (arg_count == 0) {
		cli_refuse(
		    cli, "%s: it is missing", cert_name_field(CERT_LOCAL_CA));
		return;
	}
	if (arg_count == 2 && !read_serial(args[1], &show.serial)) {
		entry_refuse("Serial Number", args[1], "as 0x1f", why);
		cli_refuse(cli, "%s", why);
		return;
	}
	rc = cert_find(
	    cli_appliance(cli)->store, CERT_LOCAL_CA, args[0], &ca, why);
	if (rc == ERR_FIELD) {
		cli_fail(cli, "%s", why);
		return;
	}
	TRY(rc);
	TRY(arena_new(FACTS_OCTETS, &show.arena));
	if (show.serial == 0)
		TRY(issued_all(&show, &ca));
	else
		TRY(ca_issued_each(
		    cli_appliance(cli)->store, args[0], issued_line, &show));
	if (show.serial != 0 && !show.found)
		TRY(ERR_NOT_FOUND);
out:
	cert_clear(&ca);
	show_end(&show, rc);
}

static enum err
profile_name(void *ctx, struct bytes name)
{
	cli_say(ctx, "  %.*s", (int)name.octets, (const char *)name.at);
	return OK;
}

struct members {
	struct cli *cli;
	struct bytes profile;
	bool available; /* list those that are not in it */
	struct bytes wanted;
	bool found;
};

static enum err
member_line(void *ctx, const struct cert *ca)
{
	cli_say(ctx, "  %-24s  %s", ca->name,
	    ca->kind == CERT_LOCAL_CA ? "local" : "known");
	return OK;
}

static enum err
member_seek(void *ctx, const struct cert *ca)
{
	struct members *m = ctx;

	m->found = m->found || bytes_equal_text(m->wanted, ca->name);
	return OK;
}

static enum err
available_line(void *ctx, const struct cert *ca)
{
	struct members *m = ctx;
	enum err rc = OK;

	m->wanted = bytes_of_text(ca->name);
	m->found = false;
	TRY(ca_profile_members(
	    cli_appliance(m->cli)->store, m->profile, member_seek, m));
	if (!m->found && ca->certificate.octets != 0)
		TRY(member_line(m->cli, ca));
out:
	return rc;
}

/* req: KS-35-016 KS-35-017 KS-19-026 */
void
cert_show_profile(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct store *st = cli_appliance(cli)->store;
	struct members m = {.cli = cli};
	char why[ENTRY_WHY_OCTETS];
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	if (arg_count == 0) {
		TRY(ca_profile_each(st, profile_name, cli));
		goto out;
	}
	m.profile = args[0];
	rc = ca_profile_members(st, m.profile, member_seek, &m);
	if (rc == ERR_NOT_FOUND) {
		entry_refuse(
		    profile_field, args[0], "there is no such profile", why);
		cli_fail(cli, "%s", why);
		return;
	}
	TRY(rc);
	cli_say(cli, "Trusted CAs");
	TRY(ca_profile_members(st, m.profile, member_line, cli));
	cli_say(cli, "Available CAs");
	TRY(cert_each(st, CERT_LOCAL_CA, available_line, &m));
	TRY(cert_each(st, CERT_KNOWN_CA, available_line, &m));
out:
	cli_end(cli, rc);
}
