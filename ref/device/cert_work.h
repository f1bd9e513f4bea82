/*
 * What takes long about certificates: making keys, and signing. It is done on
 * workers before the change that keeps it (device/change.h):
 *
 *	cert_work_new -> fields -> cert_work_begin -> done(OK)
 *	-> change_run, whose apply calls cert_work_write -> cert_work_drop
 *
 * A private key is opened by the keystore for one signature, or sealed as soon
 * as it has been made, and is in locked memory in between.
 */
#ifndef DEVICE_CERT_WORK_H
#define DEVICE_CERT_WORK_H

#include "crypto/keystore.h"
#include "crypto/pki.h"
#include "device/cert.h"

enum cert_task {
	/* a key pair and a request for its certificate: name, kind (of the
	 * device, or of a local CA that another will sign), subject, key_bits
	 */
	CERT_REQUEST,
	/* the certificate of a pending request, signed by its own key: name,
	 * days */
	CERT_SELF_SIGN,
	/* a certificate with its key: name, text, password */
	CERT_IMPORT,
	/* a local CA, signed by its own key: name, subject, key_bits, days,
	 * most_days */
	CERT_ROOT,
	/* sign a request with the local CA `name`: text, purpose, days */
	CERT_SIGN,
};

/* What an ERR_FIELD is about. */
enum cert_subject {
	CERT_OF_NAME,
	CERT_OF_DAYS,
	CERT_OF_REQUEST, /* or of the certificate that is imported */
};

/* The threads of it, and the serial numbers that are in use: the appliance's.
 * ERR_NOMEM, ERR_STORE */
struct cert_shop;
enum err cert_shop_new(
    struct loop *loop, struct store *st, struct cert_shop **out) MUST_CHECK;
void cert_shop_free(struct cert_shop *shop); /* accepts NULL */

struct cert_work {
	/* ---- set by who asks ---- */
	enum cert_task task;
	enum cert_kind kind;
	char name[CERT_NAME_OCTETS + 1];
	struct pki_subject subject;
	unsigned key_bits; /* one of cert_key_sizes */
	int64_t days;
	int64_t most_days;
	enum pki_purpose purpose;
	struct buf text;         /* PEM, as it was pasted */
	struct secret *password; /* of an imported key; NULL: none */
	/* from the loop, later, once */
	void (*done)(struct cert_work *work, enum err rc);
	void *ctx;
	/* ---- what came of it ---- */
	char why[CHANGE_WHY_OCTETS];
	enum cert_subject about;
	struct cert cert; /* as it will be kept; CERT_SIGN: its certificate */
	/* ---- its own ---- */
	struct appliance *appliance;
	struct keystore_loan loan;
	struct loop_task later;
	enum err rc;
	const char *rule;
	struct bytes field; /* what the rule is about */
	struct cert before; /* the CA that signs, the request that is signed */
	struct secret *key;
	struct buf request;
	uint8_t seed[32];
	uint64_t serial;
	int64_t from_s;
	bool has_serial;
	bool works;   /* a worker has it */
	bool dropped; /* ... and nobody waits for it */
};

/* ERR_NOMEM */
enum err
cert_work_new(struct appliance *appliance, struct cert_work **out) MUST_CHECK;

/*
 * done's rc:
 *
 * ERR_FIELD  what was entered cannot be: why
 * ERR_HSM_LOGGED_OUT, ERR_HSM, ERR_HSM_OTHER  keys cannot be used now: why
 * ERR_SEAL   the sealed key does not open
 * others     why is empty
 */
void cert_work_begin(struct cert_work *work);

/*
 * For the apply of a change: write it, unless what it was made from has changed
 * meanwhile.
 *
 * ERR_FIELD  it has: why, in the change
 */
enum err
cert_work_write(struct cert_work *work, struct change *change) MUST_CHECK;

/*
 * The private key of a certificate of this device, or of a local CA, PKCS#8.
 *
 * sealed  as its record has it
 * loan    NULL: the keystore's cache has the master key
 *
 * ERR_HSM, ERR_HSM_LOGGED_OUT, ERR_HSM_OTHER, ERR_SEAL  as keystore_open
 */
enum err cert_key_open(struct appliance *appliance, enum cert_kind kind,
    const char *name, struct bytes sealed, const struct keystore_loan *loan,
    struct secret **out) MUST_CHECK;

/* At any time, when nobody is in need of it any more. Accepts NULL. */
void cert_work_drop(struct cert_work *work);

#endif
