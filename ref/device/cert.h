/*
 * The certificate store: the device's own certificates with their keys, its
 * local CAs, and the CAs of others that it knows.
 *
 * One record each, of one of three kinds. A certificate of the device and a
 * local CA begin as a request, or come finished (imported, self-signed); their
 * private keys are sealed by the keystore (crypto/keystore.h), are opened on
 * the way to a signature, and leave by no way at all. A known CA is a
 * certificate only.
 *
 *	"certificate", "ca.local", "ca.known"    key: the name
 *	request      DER, PKCS#10; absent where there was none
 *	key          sealed; absent from known CAs
 *	certificate  DER, X.509; absent while it is asked for
 *	most-days    of certificates that a local CA signs
 *
 * Local and known CAs share their names, since lists of trusted CAs have both.
 * Making keys and signing takes long: device/cert_work.h. Lists of trusted CAs
 * and what local CAs have signed: device/ca.h.
 *
 * Functions that write are called by the apply of a struct change, and put
 * their refusals into `why` as it does: field, value, rule.
 */
#ifndef DEVICE_CERT_H
#define DEVICE_CERT_H

#include "device/change.h"

enum cert_kind { CERT_DEVICE, CERT_LOCAL_CA, CERT_KNOWN_CA, CERT_KIND_COUNT };

enum {
	CERT_NAME_OCTETS = 64,
	CERT_DER_MAX_OCTETS = 64 * 1024,
	CERT_DAYS_MOST = 36500,
	CERT_IMPORT_MOST_BITS = 2048, /* req: KS-34-053 */
};

struct cert {
	enum cert_kind kind;
	char name[CERT_NAME_OCTETS + 1];
	struct buf request; /* DER, each; empty: absent */
	struct buf key;
	struct buf certificate;
	int64_t most_days; /* 0: not given */
};

/* Empty, of that kind and name. */
void cert_init(struct cert *cert, enum cert_kind kind, struct bytes name);
void cert_clear(struct cert *cert); /* harmless on a zeroed one */

/* "Certificate Name", "Certificate Authority Name": the field that has it. */
const char *cert_name_field(enum cert_kind kind);

/* "ca.local": of its records, and part of the names that its keys are sealed
 * under. */
const char *cert_record_kind(enum cert_kind kind);

/* ERR_FIELD  no certificate can be called so */
enum err cert_check_name(enum cert_kind kind, struct bytes name,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* Key sizes, as a rule for device/entry.h. req: KS-03-096 KS-03-110 */
const struct entry_rule *cert_key_sizes(enum cert_kind kind);

/*
 * ERR_NOT_FOUND
 * ERR_STORE      the record cannot be read; the log says whose
 */
enum err cert_read(struct store *st, enum cert_kind kind, struct bytes name,
    struct cert *out) MUST_CHECK;

/* The same where somebody has typed the name: ERR_FIELD, and why. */
enum err cert_find(struct store *st, enum cert_kind kind, struct bytes name,
    struct cert *out, char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* A CA, local or known, by its name. ERR_NOT_FOUND */
enum err
cert_read_ca(struct store *st, struct bytes name, struct cert *out) MUST_CHECK;

/* In the order of names; what `each` is shown is gone afterwards. It must not
 * write. */
typedef enum err cert_fn(void *ctx, const struct cert *cert);
enum err cert_each(
    struct store *st, enum cert_kind kind, cert_fn *each, void *ctx) MUST_CHECK;

/* How it stands with it at a time. */
enum cert_state {
	CERT_PENDING, /* requested, and not installed yet */
	CERT_EARLY,   /* not valid yet */
	CERT_ACTIVE,
	CERT_EXPIRED,
};
enum err cert_state(
    const struct cert *cert, int64_t wall_s, enum cert_state *out) MUST_CHECK;
struct pki_facts;
enum cert_state cert_state_at(const struct pki_facts *facts, int64_t wall_s);
/* "Request Pending"; for a CA "CA Certificate Request Pending" */
const char *cert_state_text(enum cert_kind kind, enum cert_state state);

/* In place of what is there. */
enum err cert_write(struct store *st, const struct cert *cert) MUST_CHECK;

/* ERR_FIELD  the name is taken, for a CA by any CA */
enum err cert_check_new(struct store *st, enum cert_kind kind,
    struct bytes name, char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/*
 * May keys be used and made now?
 *
 * ERR_HSM_LOGGED_OUT, ERR_HSM_OTHER, ERR_HSM  no; why says so
 *
 * req: KS-01-062
 */
enum err
cert_ready(struct appliance *appliance, char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* ---- changes that take no time ---- */

/*
 * Install what somebody else has signed for a request of this device, or in
 * place of an older certificate of the same key.
 *
 * name       of a certificate or a local CA
 * text       PEM
 * most_days  for a local CA: of the certificates that it will sign
 *
 * ERR_FIELD  there is none of that name; it is no certificate, or one of
 *            another key; a CA's is no CA's, or of a signer that nobody here
 *            knows; why
 */
enum err cert_install(struct change *change, enum cert_kind kind,
    struct bytes name, struct bytes text, int64_t most_days) MUST_CHECK;

/* A CA of others, from then on known. ERR_FIELD: it is none, or its name is
 * taken */
enum err cert_install_known(
    struct change *change, struct bytes name, struct bytes text) MUST_CHECK;

/*
 * With its key. A local CA takes the list of what it has signed along.
 *
 * ERR_FIELD  there is none of that name, or a setting or a list of trusted CAs
 *            has it
 */
enum err cert_delete(
    struct change *change, enum cert_kind kind, struct bytes name) MUST_CHECK;

#endif
