/*
 * The commands about authorization policies.
 */
#include "device/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/form.h"

_Static_assert((int)FORM_WHY_OCTETS == (int)CHANGE_WHY_OCTETS,
    "policy.h writes into a form's why");

/* What a command has gathered. */
struct work {
	struct form form;
	struct change change;
	char name[ENTRY_OCTETS];
	char operations[ENTRY_OCTETS];
	struct usage_period period;
	int64_t number;
};

static void
work_drop(void *state)
{
	mem_free(state);
}

static enum err
keep(struct bytes typed, char out[ENTRY_OCTETS], const char *field,
    char why[FORM_WHY_OCTETS])
{
	if (typed.octets >= ENTRY_OCTETS) {
		entry_refuse(field, typed, "it is too long", why);
		return ERR_FIELD;
	}
	if (typed.octets != 0)
		memcpy(out, typed.at, typed.octets);
	out[typed.octets] = '\0';
	return OK;
}

/* With a name, and `most` words at most. NULL: the command has ended. */
static struct work *
work_new(
    struct cli *cli, const struct bytes *args, size_t arg_count, size_t most)
{
	char why[FORM_WHY_OCTETS];
	struct work *work;

	if (!args_at_most(cli, args, arg_count, most))
		return NULL;
	if (arg_count == 0) {
		cli_refuse(cli, "Policy Name: it is missing");
		return NULL;
	}
	work = cli_keep(cli, sizeof(*work), work_drop);
	if (work == NULL)
		return NULL;
	if (keep(args[0], work->name, "Policy Name", why) != OK) {
		cli_refuse(cli, "%s", why);
		return NULL;
	}
	return work;
}

static void
work_run(struct cli *cli, enum err (*apply)(struct change *change))
{
	struct work *work = cli_state(cli);

	work->change.apply = apply;
	cli_change(cli, &work->change, NULL, "");
}

static struct work *
work_of(const struct change *change)
{
	return cli_state(change->ctx);
}

static struct bytes
name_of(const struct change *change)
{
	return bytes_of_text(work_of(change)->name);
}

/* ---- show ---- */

static void
say_policy(struct cli *cli, const struct policy *policy)
{
	char text[PERIOD_TEXT_OCTETS];
	size_t k;

	cli_say(cli, "Policy Name: %s", policy->name);
	if (policy->operations != 0)
		cli_say(cli, "  %s: %lld", policy_operations_field,
		    (long long)policy->operations);
	else
		cli_say(cli, "  %s: %s", policy_operations_field,
		    policy_operations_rule.zero);
	if (policy->period_count == 0)
		cli_say(cli, "  Usage Periods: Unlimited");
	for (k = 0; k < policy->period_count; k++) {
		period_text(&policy->periods[k], text);
		cli_say(cli, "  Usage Period %zu: %s", k + 1, text);
	}
}

static void
name_line(void *ctx, const struct policy *policy)
{
	cli_say(ctx, "%s", policy->name);
}

/* req: KS-29-036 KS-29-038 */
void
policy_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct policies *policies = cli_appliance(cli)->policies;
	const struct policy *policy;
	char why[ENTRY_WHY_OCTETS];
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	if (arg_count == 0) {
		TRY(policy_each(policies, name_line, cli));
		goto out;
	}
	rc = policy_find(policies, args[0], &policy);
	if (rc == ERR_NOT_FOUND) {
		entry_refuse("Policy Name", args[0], "there is none", why);
		cli_fail(cli, "%s", why);
		return;
	}
	if (rc == OK)
		say_policy(cli, policy);
out:
	cli_end(cli, rc);
}

/* ---- a policy ---- */

static enum err
apply_create(struct change *change)
{
	return policy_create(change, name_of(change));
}

/* req: KS-29-035 KS-29-037 */
void
policy_add(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (work_new(cli, args, arg_count, 1) != NULL)
		work_run(cli, apply_create);
}

static enum err
apply_delete(struct change *change)
{
	return policy_delete(change, name_of(change));
}

/* req: KS-29-045 KS-29-046 */
void
policy_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	if (work_new(cli, args, arg_count, 1) != NULL)
		work_run(cli, apply_delete);
}

/* ---- its limit ---- */

static enum err
apply_operations(struct change *change)
{
	return policy_set_operations(change, name_of(change),
	    bytes_of_text(work_of(change)->operations));
}

static enum err
take_operations(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	return keep(line, work->operations, policy_operations_field, why);
}

static void
operations_taken(struct cli *cli)
{
	work_run(cli, apply_operations);
}

/* req: KS-29-039 */
void
policy_edit(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct form_field fields[] = {
	    {CLI_VALUE,
		"Maximum Operations per Hour (1 to 500000000, or Unlimited):",
		take_operations},
	};
	struct work *work = work_new(cli, args, arg_count, 2);
	char why[FORM_WHY_OCTETS];

	if (work == NULL)
		return;
	if (arg_count == 1)
		form_run(cli, &work->form, fields, 1, operations_taken);
	else if (take_operations(cli, args[1], why) != OK)
		cli_refuse(cli, "%s", why);
	else
		operations_taken(cli);
}

/* ---- its usage periods ---- */

static enum err
apply_period_add(struct change *change)
{
	return policy_add_period(
	    change, name_of(change), &work_of(change)->period);
}

/* The next one that is asked for. */
static enum err
take_period_field(struct cli *cli, struct bytes line, char why[FORM_WHY_OCTETS])
{
	struct work *work = cli_state(cli);

	return period_set(
	    &work->period, (enum period_field)work->form.at, line, why);
}

static void
period_taken(struct cli *cli)
{
	work_run(cli, apply_period_add);
}

/* req: KS-29-042 KS-29-044 */
void
policy_period_add(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct form_field fields[PERIOD_FIELD_COUNT] = {
	    [PERIOD_START_DAY] = {CLI_VALUE, "Start Day:", take_period_field},
	    [PERIOD_START_TIME] = {CLI_VALUE,
		"Start Time (hh:mm):", take_period_field},
	    [PERIOD_END_DAY] = {CLI_VALUE, "End Day:", take_period_field},
	    [PERIOD_END_TIME] = {CLI_VALUE,
		"End Time (hh:mm):", take_period_field},
	};
	struct work *work =
	    work_new(cli, args, arg_count, 1 + PERIOD_FIELD_COUNT);
	char why[FORM_WHY_OCTETS];
	size_t k;

	if (work == NULL)
		return;
	if (arg_count == 1) {
		form_run(
		    cli, &work->form, fields, PERIOD_FIELD_COUNT, period_taken);
		return;
	}
	if (arg_count <= PERIOD_FIELD_COUNT) {
		cli_refuse(cli, "%s: it is missing",
		    period_field_name((enum period_field)(arg_count - 1)));
		return;
	}
	for (k = 0; k < PERIOD_FIELD_COUNT; k++)
		if (period_set(&work->period, (enum period_field)k, args[1 + k],
			why) != OK) {
			cli_refuse(cli, "%s", why);
			return;
		}
	period_taken(cli);
}

static enum err
apply_period_remove(struct change *change)
{
	return policy_remove_period(
	    change, name_of(change), work_of(change)->number);
}

void
policy_period_remove(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = POLICY_PERIODS_MOST,
	    .step = 1,
	    .zero = ""};
	struct work *work = work_new(cli, args, arg_count, 2);

	if (work == NULL)
		return;
	if (arg_count == 1)
		cli_refuse(cli, "Usage Period: its number is missing");
	else if (args_read(cli, "Usage Period", &rule, args[1], &work->number))
		work_run(cli, apply_period_remove);
}
