/*
 * Logs are signed on their way out of the appliance, never where they are
 * kept: when they are downloaded, and when they are transferred.
 *
 * The log signing certificate is made at the first start, and with that after
 * each reset to factory settings; administrators can have it made anew. It is
 * signed by its own key, and good for nothing else. Who verifies needs a copy
 * of it from before: the one in a signed log proves nothing.
 *
 *	"log.signer"  key: "current"
 *	    certificate  DER
 *	    key          PKCS#8, sealed by the vault (crypto/vault.h) under
 *	                 LOG_SIGNER_SEAL, as backups have it (device/
 *	                 backup_item.h): logs are signed without the HSM, too
 *
 * req: KS-20-063 KS-20-064 KS-20-065 KS-20-066
 */
#ifndef DEVICE_LOG_SIGN_H
#define DEVICE_LOG_SIGN_H

#include "crypto/smime.h"
#include "device/change.h"

#define LOG_SIGNER_KIND    "log.signer"
#define LOG_SIGNER_CURRENT "current"
#define LOG_SIGNER_SEAL    LOG_SIGNER_KIND "/" LOG_SIGNER_CURRENT
#define LOG_SIGNER_NAME    "logsigner" /* as the audit log has it */

enum { LOG_SIGNER_BITS = 2048, LOG_SIGNER_DAYS = 3650 };

/* ---- signing ---- */

/*
 * One log that is to be signed:
 *
 *	log_sign_new -> fields -> log_sign_begin -> done -> log_sign_drop
 */
struct log_sign {
	/* ---- set by who asks ---- */
	enum smime_form form; /* the setting of the log */
	/* The log: a regular file, read from its beginning on, without moving
	 * its place. Its octets may grow meanwhile, and do not change. */
	int from;
	uint64_t octets; /* so many of them */
	/* Where the signed form goes, from its place on. Nothing waits for a
	 * reader there: a file. */
	int to;
	/* From the loop, later, once. Failed: what is in `to` is nothing. */
	void (*done)(struct log_sign *sign, enum err rc);
	void *ctx;
	/* ---- its own ---- */
	struct appliance *appliance;
	struct buf certificate;
	struct buf key; /* sealed */
	int64_t at_s;
	enum err rc;
	bool works;   /* a worker has it */
	bool dropped; /* ... and nobody waits for it */
};

/* ERR_NOMEM. Descriptors are -1 at first. */
enum err
log_sign_new(struct appliance *appliance, struct log_sign **out) MUST_CHECK;

/*
 * Sign it, on a worker.
 *
 * done's rc, where it is not OK:
 *
 * ERR_NOT_FOUND  there is no log signing certificate
 * ERR_SEAL, ERR_CONFIG  its key cannot be opened; the log says why
 * ERR_TRUNCATED  the file has fewer octets
 * ERR_SYSTEM, ERR_DISK_FULL  reading or writing failed
 *
 * When it cannot be begun: one of these, and done is not called.
 */
enum err log_sign_begin(struct log_sign *sign) MUST_CHECK;

/* At any time: closes both descriptors, as soon as no worker has them. Accepts
 * NULL. */
void log_sign_drop(struct log_sign *sign);

/* ---- the certificate ---- */

/* What appliance_open and appliance_close call. ERR_NOMEM, ERR_SYSTEM */
struct log_signer;
enum err
log_signer_new(struct appliance *appliance, struct log_signer **out) MUST_CHECK;
void log_signer_free(struct log_signer *signer); /* accepts NULL */

/*
 * For the start of the server, before anybody is let in: make it, where there
 * is none. It takes a moment then, and is durable with the first turn.
 *
 * What cannot be made or read is in the log: the appliance goes on without.
 */
void log_signer_ready(struct appliance *appliance);

/* Appended, as DER. ERR_NOT_FOUND: there is none. */
enum err
log_signer_certificate(struct appliance *appliance, struct buf *der) MUST_CHECK;

/*
 * A new one, in place of what is there:
 *
 *	log_renewal_new -> fields -> log_renewal_begin -> done(OK)
 *	-> change_run, whose apply calls log_renewal_write -> log_renewal_drop
 *
 * Logs that were signed before are verified with the old certificate only,
 * which nobody has but those who have downloaded it.
 *
 * req: KS-20-076 KS-20-107
 */
struct log_renewal {
	/* ---- set by who asks ---- */
	void (*done)(struct log_renewal *renewal, enum err rc);
	void *ctx;
	/* ---- its own ---- */
	struct appliance *appliance;
	uint8_t seed[32];
	uint64_t serial;
	int64_t from_s;
	struct secret *key;
	struct buf certificate;
	enum err rc;
	bool works;   /* a worker has it */
	bool dropped; /* ... and nobody waits for it */
};

/* ERR_NOMEM */
enum err log_renewal_new(
    struct appliance *appliance, struct log_renewal **out) MUST_CHECK;
/* ERR_ENTROPY, ERR_NOMEM: done is not called. */
enum err log_renewal_begin(struct log_renewal *renewal) MUST_CHECK;
/* ERR_CONFIG, ERR_SYSTEM: as vault_seal has them; the store's */
enum err log_renewal_write(
    struct log_renewal *renewal, struct change *change) MUST_CHECK;
void log_renewal_drop(struct log_renewal *renewal); /* accepts NULL */

#endif
