/*
 * The commands about time-limited credentials.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/form_field.h"

enum {
	/* all names of grant.def with ", " between them */
	LIST_OCTETS =
#define GRANT(symbol, word, name, control, clause) sizeof(name) + 1 +
#include "device/grant.def"
#undef GRANT
	    sizeof("none"),
};

static void
list_grants(uint32_t grants, char out[LIST_OCTETS])
{
	size_t used = 0;
	enum grant k;

	out[0] = '\0';
	for (k = 0; k < GRANT_COUNT; k++) {
		if ((grants & GRANT_BIT(k)) != 0)
			used += (size_t)snprintf(out + used, LIST_OCTETS - used,
			    "%s%s", used != 0 ? ", " : "", grant_row(k)->name);
	}
}

struct work {
	struct form form;
	struct change change;
	struct credential_grant grant;
	bool found;
};

static void
work_drop(void *state)
{
	mem_free(state);
}

/* NULL: the command has ended. */
static struct work *
work_new(struct cli *cli)
{
	struct work *work = NULL;

	work = cli_keep(cli, sizeof(*work), work_drop);
	if (work == NULL)
		return NULL;
	memcpy(
	    work->grant.by, cli_principal(cli)->name, sizeof(work->grant.by));
	return work;
}

/* ---- show ---- */

static void
say_grant(void *ctx, const struct credential_grant *grant)
{
	struct cli *cli = ctx;
	char list[LIST_OCTETS];
	char until[CLOCK_TEXT_OCTETS];

	list_grants(grant->grants, list);
	clock_text(cli_appliance(cli)->clock, grant->until_wall_s, until);
	cli_say(cli, "Credential %llu", (unsigned long long)grant->number);
	cli_say(cli, "  Grant to: %s", grant->to);
	cli_say(cli, "  Grant by: %s", grant->by);
	cli_say(cli, "  Expiration: %s", until);
	cli_say(cli, "  Allowed Operations: %s", list);
}

/* req: KS-18-058 KS-18-060 KS-18-061 KS-18-062 KS-18-064 */
void
several_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	credential_each(cli_appliance(cli), cli_principal(cli), say_grant, cli);
	cli_done(cli);
}

/* ---- grant ---- */

static enum err
take_name(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	const char *rule;

	if (!admin_name_is_valid(line, &rule)) {
		entry_refuse("Grant to", line, rule, why);
		return ERR_FIELD;
	}
	memcpy(work->grant.to, line.at, line.octets);
	work->grant.to[line.octets] = '\0';
	return OK;
}

static enum err
take_minutes(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	/* the maximum is a setting, and credential_check's */
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = 525600,
	    .step = 1,
	    .zero = ""};
	struct work *work = cli_state(cli);
	char kept[ENTRY_OCTETS];

	if (entry_read(&rule, line, kept, &work->grant.minutes) == OK)
		return OK;
	entry_refuse("Duration (minutes)", line, "a number of minutes", why);
	return ERR_FIELD;
}

static const char grant_words[] = "words with commas between:"
#define GRANT(symbol, word, name, control, clause) " " word
#include "device/grant.def"
#undef GRANT
    ;

static enum err
take_grants(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);
	enum grant grant;
	struct bytes word;

	while (form_list_next(&line, &word)) {
		if (!grant_find(word, &grant))
			return form_refuse(
			    "Allowed Operations", word, grant_words, why);
		work->grant.grants |= GRANT_BIT(grant);
	}
	return OK;
}

/* Nothing is kept but the audit line: grants live in memory. */
static enum err
check(struct change *change)
{
	struct work *work = cli_state(change->ctx);
	char list[LIST_OCTETS];
	enum err rc = credential_check(
	    change->appliance, &change->by, &work->grant, change->why);

	list_grants(work->grant.grants, list);
	(void)snprintf(change->event, sizeof(change->event),
	    "granted credentials to %s for %lld minutes: %s", work->grant.to,
	    (long long)work->grant.minutes, list);
	return rc;
}

static enum err
add(struct cli *cli, struct change *change)
{
	struct work *work = cli_state(cli);
	enum err rc = credential_add(change->appliance, &work->grant);

	if (rc == OK)
		say_grant(cli, &work->grant);
	return rc;
}

static void
grant(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change.apply = check;
	cli_change(cli, &work->change, add, "");
}

static const struct form_field fields[] = {
    {CLI_VALUE, "Grant to:", take_name},
    {CLI_VALUE, "Duration (minutes):", take_minutes},
    {CLI_VALUE, "Allowed Operations:", take_grants},
};

/* to NAME for MINUTES OPERATIONS */
static bool
take_words(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const size_t places[] = {1, 3, 4};
	char why[FORM_WHY_OCTETS];
	size_t k;

	if (arg_count != 5 || !bytes_equal_text(args[0], "to") ||
	    !bytes_equal_text(args[2], "for")) {
		cli_refuse(cli, "grant credential to NAME for MINUTES "
				"OPERATION,...");
		return false;
	}
	for (k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
		if (fields[k].take(cli, args[places[k]], why) == OK)
			continue;
		cli_refuse(cli, "%s", why);
		return false;
	}
	return true;
}

/*
 * req: KS-18-024 KS-18-025 KS-18-026 KS-18-027 KS-18-028 KS-18-047 KS-18-049
 * req: KS-18-050
 */
void
several_grant(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = work_new(cli);

	if (work == NULL)
		return;
	if (arg_count == 0)
		form_run(cli, &work->form, fields, 3, grant);
	else if (take_words(cli, args, arg_count))
		grant(cli);
}

/* ---- revoke ---- */

static void
look_for(void *ctx, const struct credential_grant *grant)
{
	struct work *work = ctx;

	if (grant->number != work->grant.number)
		return;
	work->grant = *grant;
	work->found = true;
}

static enum err
find(struct change *change)
{
	struct work *work = cli_state(change->ctx);

	credential_each(change->appliance, &change->by, look_for, work);
	(void)snprintf(change->event, sizeof(change->event),
	    "revoked credential %llu: granted to %s by %s",
	    (unsigned long long)work->grant.number, work->grant.to,
	    work->grant.by);
	if (work->found)
		return OK;
	(void)snprintf(change->event, sizeof(change->event),
	    "revoke credential %llu", (unsigned long long)work->grant.number);
	(void)snprintf(
	    change->why, sizeof(change->why), "there is no such credential");
	return ERR_FIELD;
}

static enum err
revoke(struct cli *cli, struct change *change)
{
	struct work *work = cli_state(cli);

	(void)change;
	return credential_revoke(
	    cli_appliance(cli), cli_principal(cli), work->grant.number);
}

/* req: KS-18-065 */
void
several_revoke(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = INT64_MAX,
	    .step = 1,
	    .zero = ""};
	struct work *work;
	int64_t number;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_new(cli);
	if (work == NULL || !args_read(cli, "Credential", &rule,
				arg_count == 1 ? args[0] : BYTES_NONE, &number))
		return;
	work->grant.number = (uint64_t)number;
	work->change.apply = find;
	cli_change(cli, &work->change, revoke, "");
}
