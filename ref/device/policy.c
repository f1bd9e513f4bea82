#include "device/policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/fields.h"

#define RECORD_KIND "policy"

enum {
	PERIOD_OCTETS = 4,
	DAY_MINUTES = 24 * 60,
	HOUR_MINUTES = 60,
	/* each field has its name and its lengths as well */
	POLICY_MAX_OCTETS = 64 + POLICY_PERIODS_MOST * (PERIOD_OCTETS + 16),
	ROWS_AT_ONCE = 16,
	USE_MAX_OCTETS = 64 * 1024,
};

static const char name_field[] = "Policy Name";
static const char period_field[] = "Usage Period";
static const struct entry_rule name_rule = {
    .type = ENTRY_TEXT, .kind = TEXT_NAME};

/* ---------------------------------------------------------------------------
 * Records
 */

static enum err
policy_encode(const struct policy *policy, struct buf *out)
{
	uint8_t octets[PERIOD_OCTETS];
	size_t k;
	enum err rc = OK;

	if (policy->operations != 0)
		TRY(fields_put_number(out, "operations", policy->operations));
	for (k = 0; k < policy->period_count; k++) {
		bytes_put_u16(octets, policy->periods[k].first);
		bytes_put_u16(octets + 2, policy->periods[k].last);
		TRY(fields_put(
		    out, "period", (struct bytes){octets, sizeof(octets)}));
	}
out:
	return rc;
}

static enum err
period_decode(struct bytes value, struct policy *policy)
{
	struct usage_period *period = &policy->periods[policy->period_count];

	if (policy->period_count == POLICY_PERIODS_MOST ||
	    value.octets != PERIOD_OCTETS)
		return ERR_VALUE;
	period->first = (uint16_t)bytes_u16(value.at);
	period->last = (uint16_t)bytes_u16(value.at + 2);
	policy->period_count++;
	if (period->first >= CLOCK_WEEK_MINUTES ||
	    period->last >= CLOCK_WEEK_MINUTES)
		return ERR_VALUE;
	return OK;
}

static enum err
policy_decode(struct bytes name, struct bytes value, struct policy *out)
{
	struct field field;
	enum err rc = OK;

	*out = (struct policy){.operations = 0};
	if (name.octets == 0 || name.octets > POLICY_NAME_OCTETS)
		TRY(ERR_VALUE);
	memcpy(out->name, name.at, name.octets);
	TRY(fields_number(value, "operations", &out->operations));
	while ((rc = fields_next(&value, &field)) == OK)
		if (bytes_equal_text(field.name, "period"))
			TRY(period_decode(field.value, out));
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	if (rc == OK)
		return OK;
	log_line("device", LOG_ERROR, "the policy %.*s cannot be read: %s",
	    (int)name.octets, (const char *)name.at, err_text(rc));
	return ERR_STORE;
}

static enum err
policy_write(struct store *st, const struct policy *policy)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, POLICY_MAX_OCTETS);
	TRY(policy_encode(policy, &value));
	TRY(record_put(
	    st, RECORD_KIND, bytes_of_text(policy->name), buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

/* ---------------------------------------------------------------------------
 * In memory
 */

struct policies {
	struct appliance *appliance;
	bool is_read;       /* else the records are newer */
	struct policy *row; /* in the order of names */
	size_t count;
	size_t room;
	/* the minute of the week, and when it was that */
	int64_t wall_s;
	unsigned minute;
};

enum err
policies_new(struct appliance *appliance, struct policies **out)
{
	enum err rc = OK;

	TRY(MEM_NEW(*out));
	(*out)->appliance = appliance;
out:
	return rc;
}

void
policies_free(struct policies *policies)
{
	if (policies == NULL)
		return;
	mem_free(policies->row);
	mem_free(policies);
}

void
policies_settle(struct policies *policies)
{
	if (policies == NULL)
		return;
	policies->is_read = false;
	policies->wall_s = 0; /* the zone may be another */
}

static enum err
row_add(void *ctx, struct bytes key, struct bytes value)
{
	struct policies *policies = ctx;
	struct policy *row;

	if (policies->count == policies->room) {
		size_t room = policies->room + ROWS_AT_ONCE;

		row = mem_regrow(policies->row, room, sizeof(*row));
		if (row == NULL)
			return ERR_NOMEM;
		policies->row = row;
		policies->room = room;
	}
	return policy_decode(key, value, &policies->row[policies->count++]);
}

static enum err
policies_read(struct policies *policies)
{
	enum err rc = OK;

	if (policies->is_read)
		return OK;
	policies->count = 0;
	TRY(record_each(
	    policies->appliance->store, RECORD_KIND, row_add, policies));
	policies->is_read = true;
out:
	return rc;
}

static int
row_compare(const void *name, const void *row)
{
	return bytes_compare(*(const struct bytes *)name,
	    bytes_of_text(((const struct policy *)row)->name));
}

enum err
policy_find(
    struct policies *policies, struct bytes name, const struct policy **out)
{
	enum err rc = OK;

	*out = NULL;
	TRY(policies_read(policies));
	if (policies->count != 0)
		*out = bsearch(&name, policies->row, policies->count,
		    sizeof(*policies->row), row_compare);
	if (*out == NULL)
		rc = ERR_NOT_FOUND;
out:
	return rc;
}

enum err
policy_each(struct policies *policies, policy_fn *each, void *ctx)
{
	size_t k;
	enum err rc = OK;

	TRY(policies_read(policies));
	for (k = 0; k < policies->count; k++)
		each(ctx, &policies->row[k]);
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * Hours
 */

unsigned
policies_minute(struct policies *policies)
{
	const struct appliance *appliance = policies->appliance;
	int64_t wall_s = env_wall_s(appliance->env);

	if (wall_s != policies->wall_s) {
		policies->minute = clock_week_minute(appliance->clock, wall_s);
		policies->wall_s = wall_s;
	}
	return policies->minute;
}

static bool
period_has(const struct usage_period *period, unsigned minute)
{
	bool begun = minute >= period->first;
	bool not_over = minute <= period->last;

	/* req: KS-29-024 KS-29-025 */
	return period->first <= period->last ? begun && not_over
					     : begun || not_over;
}

bool
policy_is_open(const struct policy *policy, unsigned minute)
{
	size_t k;

	for (k = 0; k < policy->period_count; k++)
		if (period_has(&policy->periods[k], minute))
			return true;
	return policy->period_count == 0;
}

/* ---------------------------------------------------------------------------
 * What is entered
 */

static const char days[] =
    "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday";
static const struct entry_rule day_rule = {
    .type = ENTRY_CHOICE, .choices = days};
static const struct entry_rule time_rule = {
    .type = ENTRY_TEXT, .kind = TEXT_TIME_OF_DAY};

const char policy_operations_field[] = "Maximum Operations per Hour";
/* req: KS-29-040 KS-29-041 */
const struct entry_rule policy_operations_rule = {.type = ENTRY_NUMBER,
    .least = 1,
    .most = POLICY_OPERATIONS_MOST,
    .step = 1,
    .zero = "Unlimited"};

/* req: KS-29-042 */
static const char *const period_fields[PERIOD_FIELD_COUNT] = {
    [PERIOD_START_DAY] = "Start Day",
    [PERIOD_START_TIME] = "Start Time",
    [PERIOD_END_DAY] = "End Day",
    [PERIOD_END_TIME] = "End Time",
};

const char *
period_field_name(enum period_field field)
{
	return period_fields[field];
}

enum err
period_set(struct usage_period *period, enum period_field field,
    struct bytes typed, char why[CHANGE_WHY_OCTETS])
{
	bool starts = field == PERIOD_START_DAY || field == PERIOD_START_TIME;
	bool is_day = field == PERIOD_START_DAY || field == PERIOD_END_DAY;
	uint16_t *minute = starts ? &period->first : &period->last;
	char kept[ENTRY_OCTETS];
	int64_t number;
	enum err rc = OK;

	TRY(entry_take(period_fields[field], is_day ? &day_rule : &time_rule,
	    typed, kept, &number, why));
	if (is_day)
		*minute =
		    (uint16_t)(number * DAY_MINUTES + *minute % DAY_MINUTES);
	else /* HH:MM */
		*minute = (uint16_t)(*minute / DAY_MINUTES * DAY_MINUTES +
				     strtol(kept, NULL, 10) * HOUR_MINUTES +
				     strtol(kept + 3, NULL, 10));
out:
	return rc;
}

/* The word of a choice. */
static struct bytes
day_name(unsigned day)
{
	const char *at = days;

	while (day-- > 0)
		at = strchr(at, '|') + 1;
	return (struct bytes){(const uint8_t *)at, strcspn(at, "|")};
}

void
period_text(const struct usage_period *period, char text[PERIOD_TEXT_OCTETS])
{
	struct bytes from = day_name(period->first / DAY_MINUTES);
	struct bytes to = day_name(period->last / DAY_MINUTES);

	(void)snprintf(text, PERIOD_TEXT_OCTETS,
	    "%.*s %02d:%02d to %.*s %02d:%02d", (int)from.octets,
	    (const char *)from.at, period->first % DAY_MINUTES / HOUR_MINUTES,
	    period->first % HOUR_MINUTES, (int)to.octets, (const char *)to.at,
	    period->last % DAY_MINUTES / HOUR_MINUTES,
	    period->last % HOUR_MINUTES);
}

/* ---------------------------------------------------------------------------
 * Changes
 */

static enum err
refuse(struct change *change, const char *field, struct bytes value,
    const char *rule)
{
	entry_refuse(field, value, rule, change->why);
	return ERR_FIELD;
}

static void
event(struct change *change, struct bytes name, const char *what)
{
	(void)snprintf(change->event, sizeof(change->event),
	    "Authorization policy %.*s: %s", (int)name.octets,
	    (const char *)name.at, what);
}

/* From its record, and not from memory: this change may not be its first. */
static enum err
policy_get(struct change *change, struct bytes name, struct policy *out)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, POLICY_MAX_OCTETS);
	rc = record_get(change->appliance->store, RECORD_KIND, name, &value);
	if (rc == ERR_NOT_FOUND)
		rc = refuse(change, name_field, name, "there is none");
	TRY(rc);
	TRY(policy_decode(name, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

static enum err
count_one(void *ctx, struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	++*(size_t *)ctx;
	return OK;
}

enum err
policy_create(struct change *change, struct bytes name)
{
	struct store *st = change->appliance->store;
	char kept[ENTRY_OCTETS];
	struct policy policy = {.operations = 0};
	size_t count = 0;
	int64_t number;
	enum err rc = OK;

	event(change, name, "created");
	TRY(entry_take(
	    name_field, &name_rule, name, kept, &number, change->why));
	rc = policy_get(change, name, &policy);
	if (rc == OK)
		TRY(refuse(change, name_field, name,
		    "there is one of this name already"));
	if (rc != ERR_FIELD)
		TRY(rc);
	TRY(record_each(st, RECORD_KIND, count_one, &count));
	if (count >= POLICIES_MOST)
		TRY(refuse(change, name_field, name, "there are 1000 already"));
	memcpy(policy.name, kept, name.octets);
	*change->why = '\0';
	TRY(policy_write(st, &policy));
out:
	return rc;
}

enum err
policy_set_operations(
    struct change *change, struct bytes name, struct bytes typed)
{
	char what[ENTRY_WHY_OCTETS];
	char kept[ENTRY_OCTETS];
	struct policy policy;
	enum err rc = OK;

	event(change, name, "edited");
	TRY(policy_get(change, name, &policy));
	TRY(entry_take(policy_operations_field, &policy_operations_rule, typed,
	    kept, &policy.operations, change->why));
	(void)snprintf(
	    what, sizeof(what), "%s: %.64s", policy_operations_field, kept);
	event(change, name, what);
	TRY(policy_write(change->appliance->store, &policy));
out:
	return rc;
}

static void
event_period(struct change *change, struct bytes name, const char *what,
    const struct usage_period *period)
{
	char line[PERIOD_TEXT_OCTETS + 64];
	char text[PERIOD_TEXT_OCTETS];

	period_text(period, text);
	(void)snprintf(
	    line, sizeof(line), "%s %s %s", period_field, text, what);
	event(change, name, line);
}

enum err
policy_add_period(
    struct change *change, struct bytes name, const struct usage_period *period)
{
	char text[PERIOD_TEXT_OCTETS];
	struct policy policy;
	size_t k;
	enum err rc = OK;

	period_text(period, text);
	event_period(change, name, "added", period);
	TRY(policy_get(change, name, &policy));
	for (k = 0; k < policy.period_count; k++)
		if (policy.periods[k].first == period->first &&
		    policy.periods[k].last == period->last)
			TRY(refuse(change, period_field, bytes_of_text(text),
			    "the policy has it already"));
	if (policy.period_count == POLICY_PERIODS_MOST)
		TRY(refuse(change, period_field, bytes_of_text(text),
		    "the policy has 100 already"));
	policy.periods[policy.period_count++] = *period;
	TRY(policy_write(change->appliance->store, &policy));
out:
	return rc;
}

enum err
policy_remove_period(struct change *change, struct bytes name, int64_t number)
{
	char text[ENTRY_OCTETS];
	struct policy policy;
	size_t k;
	enum err rc = OK;

	event(change, name, "edited");
	TRY(policy_get(change, name, &policy));
	if (number < 1 || number > (int64_t)policy.period_count) {
		(void)snprintf(text, sizeof(text), "%" PRId64, number);
		TRY(refuse(change, period_field, bytes_of_text(text),
		    "the policy has none of this number"));
	}
	k = (size_t)number - 1;
	event_period(change, name, "removed", &policy.periods[k]);
	memmove(&policy.periods[k], &policy.periods[k + 1],
	    (policy.period_count - k - 1) * sizeof(policy.periods[0]));
	policy.period_count--;
	TRY(policy_write(change->appliance->store, &policy));
out:
	return rc;
}

/* ERR_FIELD: a permission of a key names it. */
static enum err
check_unused(struct change *change, struct bytes name)
{
	struct arena *a = NULL;
	struct store_query query = {.scope_count = 1, .max_items = 1};
	struct store_found found;
	struct bytes scope;
	char rule[CHANGE_WHY_OCTETS];
	enum err rc = OK;

	TRY(arena_new(USE_MAX_OCTETS, &a));
	TRY(card_policy_scope(a, name, &scope));
	query.scopes = &scope;
	TRY(store_locate(change->appliance->store, a, &query, &found));
	if (found.id_count == 0)
		goto out;
	(void)snprintf(rule, sizeof(rule),
	    "the permissions of the key %.*s have it", (int)found.ids[0].octets,
	    (const char *)found.ids[0].at);
	TRY(refuse(change, name_field, name, rule));
out:
	arena_free(a);
	return rc;
}

enum err
policy_delete(struct change *change, struct bytes name)
{
	struct policy policy;
	enum err rc = OK;

	event(change, name, "deleted");
	TRY(policy_get(change, name, &policy));
	TRY(check_unused(change, name));
	TRY(record_delete(change->appliance->store, RECORD_KIND, name));
out:
	return rc;
}
