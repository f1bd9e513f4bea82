#include "device/login.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/remembered.h"
#include "device/user.h"

enum {
	FAILURES = 5, /* req: KS-15-006 KS-02-010 */
	MINUTE_MS = 60 * 1000,
	TURN_JOBS = 8,     /* taken up in one turn */
	REMEMBERED = 1024, /* passwords, a power of two */
	/* of what somebody typed as a name: for the audit log */
	NAME_OCTETS = 64,
	EVENT_OCTETS = 512,
};

static const char multiple[] = "Multiple password failures during login";

/* ---------------------------------------------------------------------------
 * What there is of it
 */

/* What is checked for a new password, beside the current one. */
struct fresh {
	struct new_password *request; /* NULL: nobody waits any longer */
	struct secret *password;
	char user[USER_NAME_OCTETS + 1];
	bool own;
	bool of_user;
	bool of_backup;
	struct password_rules rules;
	struct password_hash history[ADMIN_HISTORY_MOST];
	size_t history_count;
	struct password_hash hash;
	char why[PASSWORD_WHY_OCTETS];
};

struct login_job {
	struct login_job *next, **at; /* of all */
	struct login_job *next_due;   /* of those to be taken up */
	struct appliance *appliance;
	struct login *login; /* NULL: nobody waits any longer */
	struct fresh *fresh; /* NULL: a login */
	/* who */
	struct principal by; /* its name is "" if no account can have it */
	char typed[NAME_OCTETS + 1];
	/* what has to be verified; nothing, for somebody else's new password */
	struct secret *password;
	struct password_hash hash; /* with this; "" is nobody's */
	/* the worker's, while it works */
	bool works;
	bool has_worked;
	bool match;
	enum err work_rc;
	/* the verdict, from conclude on */
	enum login_verdict verdict;
	enum admin_must must;
	bool traps;
	enum err rc;
	struct store_waiter waiter;
	struct loop_task task;
};

struct login_memory {
	struct appliance *appliance;
	struct login_job *all;
	struct login_job *first_due, **end_due;
	struct loop_task take_up;
	struct remembered *remembered;
	struct settings_watch watch;
	bool histories; /* accounts may have some */
};

static void start(struct login_job *job);
static void conclude(struct login_job *job);
static void judge(struct login_job *job, struct admin *admin);

void
login_forget(struct appliance *appliance, struct bytes name)
{
	remembered_forget(appliance->logins->remembered, name);
}

/* ---------------------------------------------------------------------------
 * The settings
 */

/* req: KS-15-008 KS-15-009 KS-02-011, and KS-02-044 in docs/decisions.md */
static struct lockout_rule
rule_of(const struct appliance *appliance, enum door door)
{
	const struct settings *settings = appliance->settings;
	enum { BY_DOOR, ONE_MINUTE };
	enum setting minutes = door_is_remote(door) ? SETTING_LOCKOUT_REMOTE
						    : SETTING_LOCKOUT_SERIAL;

	if (setting_number(settings, SETTING_LOCKOUT_RULE) == ONE_MINUTE)
		return (struct lockout_rule){FAILURES, MINUTE_MS, false};
	return (struct lockout_rule){
	    FAILURES, setting_number(settings, minutes) * MINUTE_MS, true};
}

/* req: KS-15-010 KS-15-011 KS-15-019; chapter 2 has one count for an account */
static struct lockout *
lockout_of(const struct login_job *job, const struct lockout_rule *rule,
    struct admin *admin)
{
	if (rule->restarts && !door_is_remote(job->by.door))
		return &admin->serial;
	return &admin->remote;
}

static struct password_rules
rules_of(const struct appliance *appliance)
{
	const struct settings *settings = appliance->settings;

	return (struct password_rules){
	    .least = setting_number(settings, SETTING_PASSWORD_LENGTH),
	    .lower = setting_number(settings, SETTING_PASSWORD_LOWER) != 0,
	    .upper = setting_number(settings, SETTING_PASSWORD_UPPER) != 0,
	    .number = setting_number(settings, SETTING_PASSWORD_NUMBER) != 0,
	    .special = setting_number(settings, SETTING_PASSWORD_SPECIAL) != 0,
	    .dictionary = appliance->dictionary,
	};
}

static size_t
history_most(const struct appliance *appliance)
{
	return (size_t)setting_number(
	    appliance->settings, SETTING_PASSWORD_HISTORY);
}

/* ---------------------------------------------------------------------------
 * Jobs
 */

static void
job_free(struct login_job *job)
{
	if (job == NULL)
		return;
	if (job->at != NULL) {
		*job->at = job->next;
		if (job->next != NULL)
			job->next->at = job->at;
	}
	if (job->fresh != NULL) {
		secret_free(job->fresh->password);
		mem_free(job->fresh);
	}
	secret_free(job->password);
	mem_free(job);
}

/* A longer one is nobody's, and one octet too many shows it. */
static enum err
password_copy(struct bytes password, struct secret **out)
{
	if (password.octets > PASSWORD_MAX_OCTETS)
		password.octets = PASSWORD_MAX_OCTETS + 1;
	return secret_copy(password, out);
}

static enum err
job_new(struct appliance *appliance, enum door door, struct bytes name,
    const char *peer, struct login_job **out)
{
	struct login_job *job;
	const char *why;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(job));
	job->appliance = appliance;
	job->by.door = door;
	(void)snprintf(job->by.peer, sizeof(job->by.peer), "%s", peer);
	if (admin_name_is_valid(name, &why))
		memcpy(job->by.name, name.at, name.octets);
	/* a NUL would end the audit line */
	for (k = 0; k < name.octets && k < NAME_OCTETS; k++)
		job->typed[k] = name.at[k] != '\0' ? (char)name.at[k] : ' ';
	*out = job;
out:
	return rc;
}

/* Some of them are taken up in each turn, however many there are. */
static void
job_due(struct login_job *job)
{
	struct login_memory *logins = job->appliance->logins;

	job->next_due = NULL;
	*logins->end_due = job;
	logins->end_due = &job->next_due;
	loop_later(job->appliance->loop, &logins->take_up);
}

static void
job_add(struct login_job *job)
{
	struct login_memory *logins = job->appliance->logins;

	job->next = logins->all;
	if (job->next != NULL)
		job->next->at = &job->next;
	job->at = &logins->all;
	logins->all = job;
	job_due(job);
}

static void
take_up(void *ctx)
{
	struct login_memory *logins = ctx;
	struct login_job *job;
	unsigned k;

	for (k = 0; k < TURN_JOBS && (job = logins->first_due) != NULL; k++) {
		logins->first_due = job->next_due;
		if (logins->first_due == NULL)
			logins->end_due = &logins->first_due;
		if (job->has_worked)
			conclude(job);
		else
			start(job);
	}
	if (logins->first_due != NULL)
		loop_later(logins->appliance->loop, &logins->take_up);
}

/* The end of a job: what came of it is durable, or cannot be. Whoever is told
 * may do anything, such as close all of this. */
static void
tell(struct login_job *job)
{
	struct login *login = job->login;
	struct new_password *request =
	    job->fresh != NULL ? job->fresh->request : NULL;
	enum login_verdict verdict = job->verdict;
	enum err rc = job->rc;

	if (login != NULL) {
		login->job = NULL;
		login->rc = rc;
		login->must = job->must;
		if (verdict == LOGIN_OK)
			login->principal = job->by;
	}
	if (request != NULL) {
		request->job = NULL;
		request->hash = job->fresh->hash;
		memcpy(request->why, job->fresh->why, sizeof(request->why));
	}
	job_free(job);
	if (login != NULL)
		login->done(login, verdict);
	if (request != NULL)
		request->done(request, rc);
}

static void
tell_later(void *ctx)
{
	tell(ctx);
}

/* Nothing was written: rc for a new password, a failure of a login. */
static void
finish(struct login_job *job, enum err rc)
{
	job->verdict = LOGIN_FAILED;
	job->rc = rc;
	job->task = (struct loop_task){.fn = tell_later, .ctx = job};
	loop_later(job->appliance->loop, &job->task);
}

/* ---------------------------------------------------------------------------
 * On a worker
 */

static enum err
refuse(struct fresh *fresh, const char *why)
{
	(void)snprintf(fresh->why, sizeof(fresh->why), "%s", why);
	return ERR_FIELD;
}

static enum err
check_fresh(struct login_job *job)
{
	struct fresh *fresh = job->fresh;
	struct bytes password = secret_peek(fresh->password);
	bool used = false;
	size_t k;
	const char *rule;
	enum err rc = OK;

	/* who has to change it could keep it otherwise */
	if (fresh->own && secret_equal(fresh->password, job->password))
		TRY(refuse(
		    fresh, "Passwords must differ from the current one"));
	/* req: KS-31-022 */
	if (fresh->of_user && !user_password_is_valid(password, &rule))
		TRY(refuse(fresh, rule));
	TRY(password_check(&fresh->rules, fresh->user, password, fresh->why));
	/* req: KS-17-022 KS-17-052 */
	for (k = 0; k < fresh->history_count; k++) {
		TRY(password_verify(&fresh->history[k],
		    job->appliance->password_iterations, password, &used));
		if (used)
			TRY(refuse(fresh,
			    "Passwords must not be in the password history"));
	}
	if (!fresh->of_backup)
		TRY(password_hash(job->appliance->env,
		    job->appliance->password_iterations, password,
		    &fresh->hash));
out:
	return rc;
}

static void
work(void *ctx)
{
	struct login_job *job = ctx;
	enum err rc = OK;

	job->match = job->password == NULL;
	if (job->password != NULL)
		TRY(password_verify(*job->hash.line != '\0' ? &job->hash : NULL,
		    job->appliance->password_iterations,
		    secret_peek(job->password), &job->match));
	if (job->fresh != NULL && job->match)
		rc = check_fresh(job);
out:
	job->work_rc = rc;
}

static void
worked(void *ctx, enum err rc)
{
	struct login_job *job = ctx;

	job->works = false;
	job->has_worked = true;
	if (rc != OK)
		job->work_rc = rc;
	job_due(job);
}

/* ---------------------------------------------------------------------------
 * Before: is it locked, and what is to be verified?
 */

/* For the audit log: "via SSH from 192.0.2.1" */
static void
describe_door(const struct principal *by, char *out, size_t octets)
{
	static const char *const doors[] = {
	    [DOOR_NONE] = "by the device itself",
	    [DOOR_SERIAL] = "at the serial console",
	    [DOOR_SSH] = "via SSH",
	    [DOOR_WEB] = "via the Management Console",
	};

	(void)snprintf(out, octets, "%s%s%s", doors[by->door],
	    *by->peer != '\0' ? " from " : "", by->peer);
}

/* What there is of the account, for the worker. */
static void
take_account(struct login_job *job, const struct admin *admin)
{
	struct fresh *fresh = job->fresh;
	size_t most = history_most(job->appliance);

	job->hash = admin->password;
	if (fresh == NULL) {
		job->match = remembered_has(job->appliance->logins->remembered,
		    job->by.name, &job->hash, secret_peek(job->password));
		return;
	}
	/* req: KS-17-024 */
	fresh->history_count =
	    admin->history_count < most ? admin->history_count : most;
	memcpy(fresh->history, admin->history, sizeof(fresh->history));
}

static enum err
read_account(const struct login_job *job, struct admin *admin, bool *there)
{
	enum err rc = admin_read(
	    job->appliance->store, bytes_of_text(job->by.name), admin);

	*there = rc == OK;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* Is the verdict known without a worker? */
static bool
is_decided(const struct login_job *job, struct admin *admin)
{
	struct lockout_rule rule = rule_of(job->appliance, job->by.door);

	return job->match || lockout_is_locked(lockout_of(job, &rule, admin),
				 env_elapsed_ms(job->appliance->env));
}

static void
start(struct login_job *job)
{
	struct admin admin = {.full_name = NULL};
	bool there = false;
	enum err rc = OK;

	job->hash = (struct password_hash){.line = ""};
	job->match = job->has_worked = false;
	if (job->fresh != NULL)
		job->fresh->rules = rules_of(job->appliance);
	if (job->password != NULL)
		TRY(read_account(job, &admin, &there));
	if (there)
		take_account(job, &admin);
	if (there && is_decided(job, &admin)) {
		judge(job, &admin);
	} else {
		TRY(loop_submit(job->appliance->passwords, work, worked, job));
		job->works = true;
	}
out:
	admin_drop(&admin);
	if (rc != OK)
		finish(job, rc);
}

/* ---------------------------------------------------------------------------
 * After: the verdict
 */

/* The group has ended. */
static void
recorded(struct store_waiter *w, enum err rc)
{
	struct login_job *job = w->ctx;
	struct appliance *appliance = job->appliance;

	if (rc != OK) {
		job->verdict = LOGIN_FAILED;
		job->rc = rc;
	} else if (job->traps) {
		login_forget(appliance, bytes_of_text(job->by.name));
		appliance_trap(appliance, TRAP_PASSWORD_FAILURES, multiple);
	} else if (job->match && *job->hash.line != '\0') {
		remembered_add(appliance->logins->remembered, job->by.name,
		    &job->hash, secret_peek(job->password));
	}
	tell(job);
}

/* The account, if it has changed, and the audit line: both or none. */
static void
record(struct login_job *job, const struct admin *changed,
    const struct principal *by, const char *event)
{
	struct appliance *appliance = job->appliance;
	const char *why;
	enum err rc = store_savepoint(appliance->store);

	if (rc != OK) {
		finish(job, rc);
		return;
	}
	if (changed != NULL)
		TRY(admin_write(appliance->store, changed, &why));
	if (*event != '\0')
		TRY(audit_add(appliance, by, event));
out:
	if (rc == OK)
		rc = store_release(appliance->store);
	else if (store_rollback_to(appliance->store) != OK)
		log_line("device", LOG_ERROR, "all changes of this turn fail");
	if (rc != OK) {
		finish(job, rc);
		return;
	}
	job->waiter = (struct store_waiter){.done = recorded, .ctx = job};
	store_wait(appliance->store, &job->waiter);
}

/* What this door wants of who comes through it; "" is nothing. */
static const char *
door_lacks(const struct principal *by, const struct admin *admin)
{
	enum control control;

	/* req: KS-15-101 */
	if (!door_is_remote(by->door))
		return "";
	control = by->door == DOOR_SSH ? CONTROL_SSH : CONTROL_WEB;
	if ((admin->controls & CONTROL_BIT(control)) != 0)
		return "";
	return control_row(control)->name;
}

static void
was_right(struct login_job *job, struct admin *admin, bool changed)
{
	struct appliance *appliance = job->appliance;
	const char *lacks = door_lacks(&job->by, admin);
	char where[EVENT_OCTETS / 2], event[EVENT_OCTETS];

	if (job->fresh != NULL) {
		/* the change has its audit line; this is only the count */
		job->rc = job->work_rc;
		if (changed)
			record(job, admin, &job->by, "");
		else
			finish(job, job->rc);
		return;
	}
	describe_door(&job->by, where, sizeof(where));
	job->must = admin->must;
	/* req: KS-17-015 KS-17-062 */
	if (job->must == ADMIN_MUST_NOT &&
	    admin_expires_in_ms(admin,
		setting_number(appliance->settings, SETTING_PASSWORD_AGE),
		env_elapsed_ms(appliance->env)) == 0)
		job->must = ADMIN_MUST_EXPIRED;
	job->verdict = *lacks == '\0' ? LOGIN_OK : LOGIN_DOOR;
	if (*lacks == '\0')
		(void)snprintf(event, sizeof(event), "Logged in %s", where);
	else
		(void)snprintf(event, sizeof(event),
		    "Login refused %s: \"%s\" access control is required",
		    where, lacks);
	record(job, changed ? admin : NULL, &job->by, event);
}

/* How a failure ends: what it was, and for how long it locks. */
static void
was_wrong(struct login_job *job, const struct admin *changed,
    enum login_verdict verdict, const char *what)
{
	static const struct principal nobody = {.door = DOOR_NONE};
	struct fresh *fresh = job->fresh;
	char where[EVENT_OCTETS / 2], event[EVENT_OCTETS];

	job->verdict = verdict;
	job->match = false;
	describe_door(&job->by, where, sizeof(where));
	/* what was typed stands last: nothing can be forged behind it */
	(void)snprintf(event, sizeof(event), "%s %s: %s: %s",
	    job->traps      ? multiple
	    : fresh != NULL ? "Password change failed"
			    : "Login failed",
	    where, what, job->typed);
	if (fresh != NULL && verdict == LOGIN_LOCKED) {
		job->rc = ERR_DENIED;
		(void)snprintf(
		    fresh->why, sizeof(fresh->why), "Account has been locked");
	} else if (fresh != NULL) {
		job->rc = ERR_AUTHENTICATION;
		(void)snprintf(fresh->why, sizeof(fresh->why),
		    "The current password is wrong");
	}
	record(job, changed, &nobody, event);
}

/* It is known whether the password was right; is that still so, and what
 * follows? */
static void
judge(struct login_job *job, struct admin *admin)
{
	struct lockout_rule rule = rule_of(job->appliance, job->by.door);
	struct lockout *lockout = lockout_of(job, &rule, admin);
	int64_t now_ms = env_elapsed_ms(job->appliance->env);
	char what[80];
	bool changed;

	if (lockout_begin(lockout, &rule, now_ms, &changed) == LOCKOUT_LOCKED) {
		/* req: KS-15-012 KS-15-013 KS-15-022 KS-15-023 */
		job->traps = true;
		was_wrong(
		    job, changed ? admin : NULL, LOGIN_LOCKED, "while locked");
	} else if (job->match) {
		if (lockout_succeeded(lockout))
			changed = true;
		was_right(job, admin, changed);
	} else if (lockout_failed(lockout, &rule, now_ms)) {
		/* req: KS-15-020 KS-15-021 */
		job->traps = true;
		(void)snprintf(what, sizeof(what),
		    "locked for %" PRId64 " minute%s",
		    rule.duration_ms / MINUTE_MS,
		    rule.duration_ms == MINUTE_MS ? "" : "s");
		was_wrong(job, admin, LOGIN_WRONG, what);
	} else {
		was_wrong(job, admin, LOGIN_WRONG, "wrong password");
	}
}

static void
conclude(struct login_job *job)
{
	struct admin admin = {.full_name = NULL};
	bool there = false;
	enum err rc = OK;

	if (job->password == NULL) {
		finish(job, job->work_rc);
		return;
	}
	/* the rules on a new password are told when the old one still is it */
	if (job->work_rc != ERR_FIELD)
		TRY(job->work_rc);
	TRY(read_account(job, &admin, &there));
	if (!there) {
		was_wrong(job, NULL, LOGIN_WRONG, "no such administrator");
	} else if (strcmp(admin.password.line, job->hash.line) != 0) {
		start(job); /* it was another one */
	} else if (job->fresh != NULL && admin.ldap) {
		/* req: KS-17-012 */
		(void)snprintf(job->fresh->why, sizeof(job->fresh->why),
		    "LDAP administrators change their passwords on the LDAP "
		    "server");
		finish(job, ERR_DENIED);
	} else {
		judge(job, &admin);
	}
out:
	admin_drop(&admin);
	if (rc != OK)
		finish(job, rc);
}

/* ---------------------------------------------------------------------------
 * Who asks
 */

enum err
login_begin(struct appliance *appliance, struct login *login)
{
	struct login_job *job = NULL;
	enum err rc = OK;

	assert(login->door != DOOR_NONE);
	TRY(job_new(appliance, login->door, login->name, login->peer, &job));
	TRY(password_copy(login->password, &job->password));
	job->login = login;
	login->job = job;
	login->rc = OK;
	login->must = ADMIN_MUST_NOT;
	job_add(job);
	job = NULL;
out:
	job_free(job);
	return rc;
}

void
login_leave(struct login *login)
{
	if (login->job != NULL)
		login->job->login = NULL;
	login->job = NULL;
}

enum err
new_password_begin(struct appliance *appliance, struct new_password *request)
{
	struct login_job *job = NULL;
	enum err rc = OK;

	TRY(job_new(
	    appliance, request->door, bytes_of_text(request->user), "", &job));
	TRY(MEM_NEW(job->fresh));
	TRY(password_copy(request->password, &job->fresh->password));
	if (request->own)
		TRY(password_copy(request->current, &job->password));
	job->fresh->own = request->own;
	job->fresh->of_user = request->of_user;
	job->fresh->of_backup = request->of_backup;
	(void)snprintf(
	    job->fresh->user, sizeof(job->fresh->user), "%s", request->user);
	job->fresh->request = request;
	request->job = job;
	job_add(job);
	job = NULL;
out:
	job_free(job);
	return rc;
}

void
new_password_leave(struct new_password *request)
{
	if (request->job != NULL)
		request->job->fresh->request = NULL;
	request->job = NULL;
}

void
admin_set_password(struct appliance *appliance, struct admin *admin,
    const struct password_hash *hash, enum admin_must must)
{
	size_t most = history_most(appliance);

	login_forget(appliance, bytes_of_text(admin->name));
	admin->password = *hash;
	admin->password_ms = env_elapsed_ms(appliance->env);
	admin->must = must;
	/* req: KS-17-023 KS-17-030 */
	if (must == ADMIN_MUST_NOT && most != 0) {
		memmove(&admin->history[1], &admin->history[0],
		    sizeof(admin->history) - sizeof(admin->history[0]));
		admin->history[0] = *hash;
		admin->history_count++;
		appliance->logins->histories = true;
	}
	if (admin->history_count > most)
		admin->history_count = most;
}

/* ---------------------------------------------------------------------------
 * Histories go when they are disabled
 */

enum { HISTORIES_A_WALK = 64 };

struct history_walk {
	char names[HISTORIES_A_WALK][ADMIN_NAME_OCTETS + 1];
	size_t count;
};

static enum err
has_history(void *ctx, const struct admin *admin)
{
	struct history_walk *walk = ctx;

	if (admin->history_count != 0 && walk->count < HISTORIES_A_WALK)
		memcpy(walk->names[walk->count++], admin->name,
		    sizeof(admin->name));
	return OK;
}

static enum err
history_clear(struct store *st, const char *name)
{
	struct admin admin;
	const char *why;
	enum err rc = OK;

	TRY(admin_read(st, bytes_of_text(name), &admin));
	admin.history_count = 0;
	rc = admin_write(st, &admin, &why);
	admin_drop(&admin);
out:
	return rc;
}

/*
 * In the change that disables them, so that they go with it or not at all.
 *
 * req: KS-17-031 KS-17-053
 */
static enum err
clear_histories(
    void *ctx, struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	const struct login_memory *logins = ctx;
	struct store *st = logins->appliance->store;
	struct history_walk walk;
	size_t k;
	enum err rc = OK;

	(void)why; /* nothing is refused */
	if (!logins->histories ||
	    setting_number(settings, SETTING_PASSWORD_HISTORY) != 0)
		return OK;
	do {
		walk.count = 0;
		TRY(admin_each(st, has_history, &walk));
		for (k = 0; k < walk.count; k++)
			TRY(history_clear(st, walk.names[k]));
	} while (walk.count == HISTORIES_A_WALK);
out:
	return rc;
}

static void
history_follows(void *ctx, enum setting which)
{
	struct login_memory *logins = ctx;

	if (which == SETTING_PASSWORD_HISTORY)
		logins->histories = history_most(logins->appliance) != 0;
}

/* ---------------------------------------------------------------------------
 * Beginning and end
 */

enum err
logins_open(struct appliance *appliance)
{
	struct login_memory *logins = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(logins));
	logins->appliance = appliance;
	logins->end_due = &logins->first_due;
	logins->take_up = (struct loop_task){.fn = take_up, .ctx = logins};
	TRY(remembered_new(appliance->env, REMEMBERED, &logins->remembered));
	logins->histories = history_most(appliance) != 0;
	logins->watch = (struct settings_watch){
	    .judge = clear_histories,
	    .follow = history_follows,
	    .ctx = logins,
	};
	settings_watch(appliance->settings, &logins->watch);
	appliance->logins = logins;
	logins = NULL;
out:
	mem_free(logins);
	return rc;
}

void
logins_close(struct appliance *appliance)
{
	struct login_memory *logins = appliance->logins;
	struct login_job *job, *next;

	if (logins == NULL)
		return;
	loop_task_cancel(&logins->take_up);
	for (job = logins->all; job != NULL; job = next) {
		next = job->next;
		store_unwait(appliance->store, &job->waiter);
		loop_task_cancel(&job->task);
		/* a worker that was left behind has its memory for good */
		if (!job->works)
			job_free(job);
	}
	remembered_free(logins->remembered);
	mem_free(logins);
	appliance->logins = NULL;
}
