/*
 * What has to be there before the bytes of a key are made, opened or sealed: an
 * RSA pair, made by a worker, or a certificate with its key, read by one; and
 * the master key where the HSM has to lend it.
 *
 *	job = {.appliance, .algorithm, .ready, .ctx}
 *	key_job_begin(&job)  ...  ready: key_create(call, spec, &job.pair, ...)
 *	key_job_end(&job)    whenever
 */
#ifndef DEVICE_KEY_JOB_H
#define DEVICE_KEY_JOB_H

#include "crypto/bundle.h"
#include "device/key.h"

struct key_making;

/* In the caller's memory; zeroed but for what is set. */
struct key_job {
	struct appliance *appliance;
	const struct key_algorithm *algorithm; /* NULL: no key is made */
	struct secret *text;     /* of a bundle to be read; NULL: none */
	struct secret *password; /* ... and its password; both the job's */
	/* Once, perhaps before key_job_begin returns. Not OK: what is missing,
	 * and why says so. */
	void (*ready)(struct key_job *job, enum err rc);
	void *ctx;
	char why[CHANGE_WHY_OCTETS];
	/* ---- for ready ---- */
	struct keygen_pair pair; /* of an RSA key; zeroed for others */
	struct bundle bundle;
	/* ---- its own ---- */
	struct keystore_loan loan;
	struct key_making *making;
};

void key_job_begin(struct key_job *job);

/* For struct key_call; NULL: the cache has it. */
const struct keystore_loan *key_job_loan(const struct key_job *job);

/* Nobody waits any longer, and nothing is left of it. Harmless on a zeroed one.
 */
void key_job_end(struct key_job *job);

#endif
