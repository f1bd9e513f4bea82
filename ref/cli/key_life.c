/*
 * The commands about versions of keys, and about their life cycle.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/key.h"

/* ---- versions ---- */

static bool
read_state(struct key_command *work, struct bytes word, enum card_state *out)
{
	size_t k;

	for (k = 0; k < CARD_STATE_COUNT; k++) {
		*out = (enum card_state)k;
		if (bytes_equal_text(word, card_state_text(*out)))
			return true;
	}
	return key_command_refuse_value(
	    work, "Key State", word, "Active, Restricted or Retired");
}

static enum err
version_new(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	TRY(key_command_key(work, work->name, &key));
	TRY(key_version_new(
	    &work->call, key, work->state, &work->job.pair, &work->number));
	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "created version %" PRIu32 " of key %.*s", work->number,
	    (int)work->name.octets, (const char *)work->name.at);
out:
	return rc;
}

static void
version_begin(struct key_command *work)
{
	const struct object *key;
	struct key_info info;
	enum err rc;

	if (work->arg_count == 1 &&
	    !read_state(work, work->args[0], &work->state))
		return;
	rc = key_command_key(work, work->name, &key);
	if (rc == OK)
		rc = key_info(&work->call, key, &info);
	if (rc != OK) {
		key_command_refuse(work, rc);
		return;
	}
	key_command_run_prepared(work, info.row, version_new);
}

static const char ask_state[] = "Key State (Active/Restricted/Retired):";

/* req: KS-28-172 KS-28-173 KS-28-174 */
void
key_version_generate(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_MAYBE, ask_state, NULL},
	};

	key_command_gather(
	    cli, args, arg_count, 1, KEY_QUESTIONS(questions), version_begin);
}

static enum err
version_state(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "set version %" PRIu32 " of key %.*s to %s", work->number,
	    (int)work->name.octets, (const char *)work->name.at,
	    card_state_text(work->state));
	TRY(key_command_key(work, work->name, &key));
	TRY(key_version_state(&work->call, key, work->number, work->state));
out:
	return rc;
}

static void
version_state_begin(struct key_command *work)
{
	if (key_command_version(work, work->args[0]) &&
	    read_state(work, work->args[1], &work->state))
		key_command_run(work, version_state);
}

/* req: KS-28-180 */
void
key_version_set_state(
    struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct key_question questions[] = {
	    {ASK_NAME, "Key Name:", NULL},
	    {ASK_NEEDED, "Version:", NULL},
	    {ASK_NEEDED, ask_state, NULL},
	};

	key_command_gather(cli, args, arg_count, 3, KEY_QUESTIONS(questions),
	    version_state_begin);
}

/* ---- life cycle ---- */

static const struct {
	const char *word;
	uint32_t state;
} life_states[] = {
    {"Active", STATE_ACTIVE},
    {"Deactivated", STATE_DEACTIVATED},
};

static enum err
life_state(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "set the state of key %.*s to %.*s", (int)work->name.octets,
	    (const char *)work->name.at, (int)work->args[0].octets,
	    (const char *)work->args[0].at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_set_state(&work->call, key, work->life));
out:
	return rc;
}

/* req: KS-28-238 KS-28-242 KS-28-243 KS-28-246 */
void
key_life_state(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(
	    cli, args, arg_count, 2, 2, "NAME Active|Deactivated");
	size_t k;

	if (work == NULL)
		return;
	for (k = 0; k < sizeof(life_states) / sizeof(life_states[0]); k++) {
		if (bytes_equal_text(work->args[0], life_states[k].word))
			work->life = life_states[k].state;
	}
	if (work->life == 0) {
		(void)key_command_refuse_value(
		    work, "State", work->args[0], "Active or Deactivated");
		return;
	}
	key_command_run(work, life_state);
}

static const struct {
	const char *word;
	enum tag tag;
} life_dates[] = {
    {"activation", TAG_ACTIVATION_DATE},
    {"process-start", TAG_PROCESS_START_DATE},
    {"protect-stop", TAG_PROTECT_STOP_DATE},
    {"deactivation", TAG_DEACTIVATION_DATE},
};

enum { LIFE_DATES = sizeof(life_dates) / sizeof(life_dates[0]) };

/* mm/dd/yyyy hh:mm:ss, all of it. req: KS-28-250 KS-28-251 KS-28-253 */
static bool
read_date(struct key_command *work, struct bytes day, struct bytes time)
{
	char text[CLOCK_TEXT_OCTETS];
	const char *d = (const char *)day.at;

	if (day.octets == 10 && time.octets == 8 && d[2] == '/' &&
	    d[5] == '/') {
		(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2s %.8s", d + 6,
		    d, d + 3, (const char *)time.at);
		if (clock_read(cli_appliance(work->cli)->clock,
			bytes_of_text(text), &work->date_s) == OK)
			return true;
	}
	return key_command_refuse_value(
	    work, "Date", day, "date and time, as mm/dd/yyyy hh:mm:ss");
}

static enum err
life_date(struct key_command *work)
{
	const struct object *key;
	enum err rc = OK;

	(void)snprintf(work->change.event, sizeof(work->change.event),
	    "set the %s of key %.*s", attr_def_any(work->date)->name,
	    (int)work->name.octets, (const char *)work->name.at);
	TRY(key_command_key(work, work->name, &key));
	TRY(key_set_date(&work->call, key, work->date, work->date_s));
out:
	return rc;
}

void
key_life_date(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct key_command *work = key_command_on(cli, args, arg_count, 4, 4,
	    "NAME activation|process-start|protect-stop|deactivation "
	    "mm/dd/yyyy hh:mm:ss");
	size_t k;

	if (work == NULL)
		return;
	for (k = 0; k < LIFE_DATES; k++) {
		if (bytes_equal_text(work->args[0], life_dates[k].word))
			work->date = life_dates[k].tag;
	}
	if (work->date == 0) {
		(void)key_command_refuse_value(work, "Date", work->args[0],
		    "activation, process-start, protect-stop or deactivation");
		return;
	}
	if (read_date(work, work->args[1], work->args[2]))
		key_command_run(work, life_date);
}
