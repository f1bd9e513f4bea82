#include "device/key_job.h"

#include <stdio.h>

#include "base/mem.h"

enum { THREADS = 2 };

/* The worker's own, so that who asked can leave. */
struct key_making {
	struct key_job *job; /* NULL: it has left */
	struct keygen_pair pair;
	struct secret *text;
	struct secret *password;
	struct bundle bundle;
	const char *why;
	enum err rc;
};

static void
making_free(struct key_making *making)
{
	if (making == NULL)
		return;
	keygen_pair_clear(&making->pair);
	secret_free(making->text);
	secret_free(making->password);
	bundle_clear(&making->bundle);
	mem_free(making);
}

static void
told(struct key_job *job, enum err rc)
{
	job->ready(job, rc);
}

/* May keys be made and used now? req: KS-01-061 */
static enum err
check_ready(struct key_job *job)
{
	struct root *root = job->appliance->root;
	enum err rc =
	    root != NULL ? keystore_check(root_keystore(root)) : ERR_HSM;

	if (rc != OK)
		(void)snprintf(job->why, sizeof(job->why),
		    "keys cannot be used: %s", err_text(rc));
	return rc;
}

static void
lent(struct keystore_loan *loan)
{
	told(loan->ctx, loan->rc);
}

static void
borrow(struct key_job *job)
{
	struct root *root = job->appliance->root;
	struct keystore *ks = root_keystore(root);
	enum err rc = OK;

	TRY(check_ready(job));
	if (keystore_lends(ks)) {
		job->loan.done = lent;
		job->loan.ctx = job;
		TRY(keystore_lend(ks, root_pool(root), &job->loan));
		return;
	}
out:
	told(job, rc);
}

static void
make_work(void *ctx)
{
	struct key_making *making = ctx;

	if (making->text == NULL)
		making->rc = keygen_pair_work(&making->pair);
	else
		making->rc = bundle_read(secret_peek(making->text),
		    making->password != NULL ? secret_peek(making->password)
					     : BYTES_NONE,
		    &making->bundle, &making->why);
}

static void
make_done(void *ctx, enum err rc)
{
	struct key_making *making = ctx;
	struct key_job *job = making->job;

	if (rc == OK)
		rc = making->rc;
	if (job != NULL) {
		job->making = NULL;
		job->pair = making->pair;
		making->pair = (struct keygen_pair){0};
		job->bundle = making->bundle;
		making->bundle = (struct bundle){.count = 0};
		if (rc == ERR_FIELD)
			(void)snprintf(job->why, sizeof(job->why),
			    "Certificate: %s", making->why);
	}
	making_free(making);
	if (job == NULL)
		return;
	if (rc == OK)
		borrow(job);
	else
		told(job, rc);
}

static enum err
pair_begin(struct key_job *job, struct keygen_pair *pair)
{
	struct env *env = job->appliance->env;
	uint32_t bits = job->algorithm->key_bits;
	struct fault f = {{0}};

	/* one that KMIP does not make */
	if (bits < 1024)
		return keygen_pair_begin_short(
		    pair, env, job->algorithm->algorithm, bits, &f);
	return keygen_pair_begin(
	    pair, env, job->algorithm->algorithm, bits, 0, &f);
}

static enum err
make(struct key_job *job)
{
	struct appliance *appliance = job->appliance;
	struct key_making *making = NULL;
	enum err rc = OK;

	if (appliance->key_pool == NULL)
		TRY(loop_pool_new(
		    appliance->loop, "keys", THREADS, &appliance->key_pool));
	TRY(MEM_NEW(making));
	making->job = job;
	making->text = job->text;
	making->password = job->password;
	job->text = NULL;
	job->password = NULL;
	if (making->text == NULL)
		TRY(pair_begin(job, &making->pair));
	TRY(loop_submit(appliance->key_pool, make_work, make_done, making));
	job->making = making;
	making = NULL; /* the worker's */
out:
	making_free(making);
	return rc;
}

void
key_job_begin(struct key_job *job)
{
	enum err rc = OK;

	TRY(check_ready(job));
	if (job->text == NULL &&
	    (job->algorithm == NULL || job->algorithm->family != FAMILY_RSA)) {
		borrow(job);
		return;
	}
	TRY(make(job));
	return;
out:
	told(job, rc);
}

const struct keystore_loan *
key_job_loan(const struct key_job *job)
{
	return job->loan.done != NULL ? &job->loan : NULL;
}

void
key_job_end(struct key_job *job)
{
	if (job->making != NULL)
		job->making->job = NULL;
	job->making = NULL;
	keystore_loan_end(&job->loan);
	keygen_pair_clear(&job->pair);
	secret_free(job->text);
	job->text = NULL;
	secret_free(job->password);
	job->password = NULL;
	bundle_clear(&job->bundle);
}
