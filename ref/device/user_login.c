#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "device/appliance.h"
#include "device/remembered.h"
#include "device/user_known.h"

enum {
	THREADS = 2,
	REMEMBERED = 32768, /* passwords, a power of two */
	KNOWN = 32768,      /* users, a power of two */
	MINUTE_MS = 60 * 1000,
};

struct user_job {
	struct user_job *next, **at; /* of all */
	struct appliance *appliance;
	struct user_login *login;
	char name[USER_NAME_OCTETS + 1]; /* "": no user can have it */
	struct secret *password;
	struct password_hash hash; /* to verify with; "" is nobody's */
	/* the worker's, while it works */
	bool works;
	bool match;
	enum err work_rc;
	/* the verdict */
	enum user_verdict verdict;
	struct key_user user;
	enum err rc;
	struct store_waiter waiter;
	struct loop_task task;
};

struct users {
	struct appliance *appliance;
	struct loop_pool *pool;
	struct user_job *all;
	struct remembered *remembered;
	struct known_users *known;
	uint64_t generation;
	struct store_waiter undone; /* while it waits for the open group */
	bool waits;
	struct settings_watch watch;
};

static void start(struct user_job *job);

/* ---------------------------------------------------------------------------
 * Who has to look again
 */

static void
group_ended(struct store_waiter *w, enum err rc)
{
	struct users *users = w->ctx;

	users->waits = false;
	users->generation += rc != OK;
}

void
users_changed(struct appliance *appliance)
{
	struct users *users = appliance->users;

	users->generation++;
	if (users->waits || !store_must_wait(appliance->store))
		return;
	users->waits = true;
	users->undone =
	    (struct store_waiter){.done = group_ended, .ctx = users};
	store_wait(appliance->store, &users->undone);
}

uint64_t
users_generation(const struct appliance *appliance)
{
	return appliance->users->generation;
}

/* ---------------------------------------------------------------------------
 * Jobs
 */

static void
job_free(struct user_job *job)
{
	if (job == NULL)
		return;
	if (job->at != NULL) {
		*job->at = job->next;
		if (job->next != NULL)
			job->next->at = job->at;
	}
	key_user_clear(&job->user);
	secret_free(job->password);
	mem_free(job);
}

/* Whoever is told may do anything, such as close all of this. */
static void
tell(struct user_job *job)
{
	struct user_login *login = job->login;
	enum user_verdict verdict = job->verdict;

	login->rc = job->rc;
	login->user = job->user;
	key_user_global(&job->user);
	job_free(job);
	login->done(login, verdict);
}

static void
tell_later(void *ctx)
{
	tell(ctx);
}

static void
group_written(struct store_waiter *w, enum err rc)
{
	struct user_job *job = w->ctx;

	if (rc != OK) {
		key_user_clear(&job->user);
		job->verdict = USER_FAILED;
		job->rc = rc;
	}
	tell(job);
}

/* The verdict is there; what was written or seen for it is made durable. */
static void
finish(struct user_job *job, enum user_verdict verdict, enum err rc)
{
	struct appliance *appliance = job->appliance;

	job->verdict = verdict;
	job->rc = rc;
	if (store_must_wait(appliance->store)) {
		job->waiter =
		    (struct store_waiter){.done = group_written, .ctx = job};
		store_wait(appliance->store, &job->waiter);
		return;
	}
	job->task = (struct loop_task){.fn = tell_later, .ctx = job};
	loop_later(appliance->loop, &job->task);
}

/* ---------------------------------------------------------------------------
 * The verdict
 */

static struct lockout_rule
rule_of(const struct appliance *appliance)
{
	const struct settings *settings = appliance->settings;

	/* req: KS-03-076 */
	if (setting_number(settings, SETTING_USER_LOCKOUT) == 0)
		return (struct lockout_rule){.failures = 0};
	return (struct lockout_rule){
	    .failures = setting_number(settings, SETTING_USER_LOCKOUT_FAILURES),
	    .duration_ms =
		setting_number(settings, SETTING_USER_LOCKOUT_MINUTES) *
		MINUTE_MS,
	    /* req: KS-03-079 */
	    .restarts = false,
	};
}

/*
 * An attempt begins, and is ignored while the user is locked out. Once the
 * time is over the failures are forgotten: *changed.
 *
 * req: KS-03-079 KS-03-080 KS-03-082
 */
static bool
is_locked(const struct user_job *job, struct user *user, bool *changed)
{
	struct appliance *appliance = job->appliance;
	struct lockout_rule rule = rule_of(appliance);

	return lockout_begin(&user->lockout, &rule,
		   env_elapsed_ms(appliance->env), changed) == LOCKOUT_LOCKED;
}

static enum err
was_right(struct user_job *job, struct user *user, bool changed)
{
	struct appliance *appliance = job->appliance;
	struct users *users = appliance->users;
	enum err rc = OK;

	if (lockout_succeeded(&user->lockout))
		changed = true;
	if (changed)
		TRY(user_lockout_write(appliance->store, user));
	TRY(key_user_make(appliance, user, &job->user));
	remembered_add(users->remembered, job->name, &job->hash,
	    secret_peek(job->password));
	/* what may still be undone is not known for good */
	if (!store_must_wait(appliance->store))
		known_users_put(users->known, &job->user, &job->hash);
	finish(job, USER_OK, OK);
out:
	return rc;
}

/* req: KS-03-075 KS-03-078 */
static enum err
was_wrong(struct user_job *job, struct user *user, bool changed)
{
	struct appliance *appliance = job->appliance;
	struct lockout_rule rule = rule_of(appliance);
	enum err rc = OK;

	if (lockout_failed(
		&user->lockout, &rule, env_elapsed_ms(appliance->env)))
		log_line("device", LOG_WARN,
		    "the user %s is locked out: %lld failed logins", user->name,
		    (long long)rule.failures);
	known_users_drop(appliance->users->known, bytes_of_text(user->name));
	if (changed || rule.failures != 0)
		TRY(user_lockout_write(appliance->store, user));
	finish(job, USER_REFUSED, OK);
out:
	return rc;
}

/* It is known whether the password was right; what follows? */
static enum err
judge(struct user_job *job, struct user *user, bool changed)
{
	if (job->match)
		return was_right(job, user, changed);
	return was_wrong(job, user, changed);
}

/* ---------------------------------------------------------------------------
 * On a worker
 */

static void
work(void *ctx)
{
	struct user_job *job = ctx;

	job->work_rc =
	    password_verify(*job->hash.line != '\0' ? &job->hash : NULL,
		job->appliance->password_iterations, secret_peek(job->password),
		&job->match);
}

/* The user is read again: what has changed meanwhile counts. */
static enum err
conclude(struct user_job *job)
{
	struct appliance *appliance = job->appliance;
	struct user user;
	bool changed;
	enum err rc = OK;

	TRY(job->work_rc);
	rc = user_read(appliance->store, bytes_of_text(job->name), &user);
	if (rc == ERR_NOT_FOUND) {
		finish(job, USER_REFUSED, OK);
		return OK;
	}
	TRY(rc);
	if (is_locked(job, &user, &changed)) {
		if (changed)
			TRY(user_lockout_write(job->appliance->store, &user));
		finish(job, USER_REFUSED, OK);
	} else if (strcmp(user.password.line, job->hash.line) != 0)
		start(job); /* it was another one */
	else
		TRY(judge(job, &user, changed));
out:
	return rc;
}

static void
worked(void *ctx, enum err rc)
{
	struct user_job *job = ctx;

	job->works = false;
	if (rc != OK)
		job->work_rc = rc;
	rc = conclude(job);
	if (rc != OK)
		finish(job, USER_FAILED, rc);
}

/* Nothing is counted against this user, and this is the password. */
static bool
is_known(struct user_job *job)
{
	struct users *users = job->appliance->users;
	const struct known_user *known = known_users_find(
	    users->known, bytes_of_text(job->name), users->generation);

	if (known == NULL || !remembered_has(users->remembered, job->name,
				 &known->hash, secret_peek(job->password)))
		return false;
	key_user_share(&known->user, &job->user);
	return true;
}

/*
 * What is there of the user, and is its password remembered? One who is locked
 * out, and one who does not exist, is verified with nobody's hash, so that all
 * who are refused have waited as long.
 */
static enum err
look(struct user_job *job, bool *known)
{
	struct user user;
	bool changed;
	enum err rc = OK;

	*known = false;
	job->hash = (struct password_hash){.line = ""};
	job->match = false;
	rc = user_read(job->appliance->store, bytes_of_text(job->name), &user);
	if (rc == ERR_NOT_FOUND)
		return OK;
	TRY(rc);
	if (is_locked(job, &user, &changed))
		return OK;
	job->hash = user.password;
	job->match = remembered_has(job->appliance->users->remembered,
	    job->name, &job->hash, secret_peek(job->password));
	*known = job->match;
	if (*known)
		TRY(judge(job, &user, changed));
out:
	return rc;
}

static void
start(struct user_job *job)
{
	bool known;
	enum err rc = OK;

	if (is_known(job)) {
		finish(job, USER_OK, OK);
		return;
	}
	TRY(look(job, &known));
	if (!known) {
		TRY(loop_submit(
		    job->appliance->users->pool, work, worked, job));
		job->works = true;
	}
out:
	if (rc != OK)
		finish(job, USER_FAILED, rc);
}

/* ---------------------------------------------------------------------------
 * Who asks
 */

/* A longer one is nobody's, and one octet too many shows it. */
static enum err
password_copy(struct bytes password, struct secret **out)
{
	if (password.octets > PASSWORD_MAX_OCTETS)
		password.octets = PASSWORD_MAX_OCTETS + 1;
	return secret_copy(password, out);
}

enum err
user_login_begin(struct appliance *appliance, struct user_login *login)
{
	struct users *users = appliance->users;
	struct user_job *job = NULL;
	const char *why;
	enum err rc = OK;

	TRY(MEM_NEW(job));
	job->appliance = appliance;
	key_user_global(&job->user);
	if (user_name_is_valid(login->name, &why))
		memcpy(job->name, login->name.at, login->name.octets);
	TRY(password_copy(login->password, &job->password));
	job->next = users->all;
	if (job->next != NULL)
		job->next->at = &job->next;
	job->at = &users->all;
	users->all = job;
	job->login = login;
	login->rc = OK;
	key_user_global(&login->user);
	start(job);
	job = NULL;
out:
	job_free(job);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Beginning and end
 */

/* Of the two user directories, one is there. req: KS-31-002 */
static enum err
directory_is_there(
    void *ctx, struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	(void)ctx;
	if (setting_number(settings, SETTING_USER_DIRECTORY) == 0)
		return OK;
	(void)snprintf(why, SETTING_WHY_OCTETS,
	    "User Directory: %s is not available on this device yet",
	    setting_shown(settings, SETTING_USER_DIRECTORY));
	return ERR_FEATURE;
}

enum err
users_open(struct appliance *appliance)
{
	struct users *users = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(users));
	users->appliance = appliance;
	users->generation = 1;
	users->watch = (struct settings_watch){.judge = directory_is_there};
	TRY(remembered_new(appliance->env, REMEMBERED, &users->remembered));
	TRY(known_users_new(KNOWN, &users->known));
	TRY(loop_pool_new(appliance->loop, "user", THREADS, &users->pool));
	settings_watch(appliance->settings, &users->watch);
	appliance->users = users;
	users = NULL;
out:
	if (users != NULL) {
		known_users_free(users->known);
		remembered_free(users->remembered);
	}
	mem_free(users);
	return rc;
}

void
users_close(struct appliance *appliance)
{
	struct users *users = appliance->users;
	struct user_job *job, *next;

	if (users == NULL)
		return;
	if (users->waits)
		store_unwait(appliance->store, &users->undone);
	for (job = users->all; job != NULL; job = next) {
		next = job->next;
		store_unwait(appliance->store, &job->waiter);
		loop_task_cancel(&job->task);
		/* a worker that was left behind has its memory for good */
		if (!job->works)
			job_free(job);
	}
	known_users_free(users->known);
	remembered_free(users->remembered);
	mem_free(users);
	appliance->users = NULL;
}
