/*
 * The HSM, through PKCS#11: a key-encryption key that never leaves it.
 *
 * Any call may hang for as long as the card likes: call from worker threads
 * only (hsm_new, hsm_free and hsm_set_fault excepted). One lock makes the
 * calls take turns, and one session is held open as long as the token answers.
 *
 * Which module it is nobody else can tell. req: VLT-010
 *
 * What the module answers goes to the log by its CKR name; the caller sees
 *
 * ERR_HSM             it cannot be loaded, reached or used
 * ERR_HSM_LOGGED_OUT  it is there, and wants a login
 * ERR_CONFIG          the PIN file is absent, empty, or others may read it
 */
#ifndef CRYPTO_HSM_H
#define CRYPTO_HSM_H

#include "base/buf.h"
#include "base/env.h"
#include "base/secret.h"

struct hsm;

struct hsm_config {
	const char *module_path; /* a PKCS#11 module, such as libsofthsm2.so */
	const char *token_label;
	const char *pin_path; /* the Crypto User's PIN, one line, mode 0600 */
	const char *kek_label;
	/* ... or where there is no such file: asked at each login, from the
	 * thread that logs in. An error is the login's. */
	enum err (*pin)(void *ctx, struct secret **out);
	void *pin_ctx;
};

/* Copies the strings; touches no token. ERR_NOMEM */
enum err hsm_new(const struct hsm_config *config, struct hsm **out) MUST_CHECK;

/*
 * Log out, close and unload. Accepts NULL. While a call hangs in the module
 * everything is left behind as it is: for the end of the program.
 */
void hsm_free(struct hsm *hsm);

/* Is a call under way, or waiting for its turn? From any thread. */
bool hsm_busy(const struct hsm *hsm);

/*
 * Is the token there, and is the Crypto User logged in? Loads the module and
 * opens the session where needed; after the token was gone, the next probe
 * connects anew.
 *
 * OK  there, and logged in
 */
enum err hsm_probe(struct hsm *hsm) MUST_CHECK;

/* A wrong PIN: ERR_HSM_LOGGED_OUT. */
enum err hsm_login(struct hsm *hsm) MUST_CHECK;
enum err hsm_logout(struct hsm *hsm) MUST_CHECK;

/*
 * Find the key-encryption key by its label: AES-256, sensitive, not
 * extractable, which is checked.
 *
 * make  make it when there is none (never when something is wrapped under it
 *       already: its loss must be seen, not papered over)
 *
 * ERR_NOT_FOUND  no such key, and make is false
 * ERR_HSM        also for a key that could be read out
 */
enum err hsm_kek(struct hsm *hsm, bool make) MUST_CHECK;

/*
 * Wrap a key under the KEK: AES-256-GCM inside the token.
 *
 * aad    bound to it: the same is needed to unwrap
 * out    what is added to it: nonce, ciphertext, tag
 *
 * ERR_NOT_FOUND  no KEK: hsm_kek comes first
 * ERR_SEAL       unwrap: another KEK, other aad, or changed
 */
enum { HSM_NONCE_OCTETS = 12, HSM_TAG_OCTETS = 16 };
enum err hsm_wrap(struct hsm *hsm, const struct secret *key, struct bytes aad,
    struct buf *out) MUST_CHECK;
enum err hsm_unwrap(struct hsm *hsm, struct bytes wrapped, struct bytes aad,
    struct secret **out) MUST_CHECK;

/*
 * The laboratory's faults, from any thread. A hanging call waits until the
 * fault is set to something else, and then goes on.
 */
enum hsm_fault { HSM_FAULT_NONE, HSM_FAULT_FAILING, HSM_FAULT_HANGING };
void hsm_set_fault(struct hsm *hsm, enum hsm_fault fault);

/*
 * Initialise a blank token of the module: label, security officer's PIN, Crypto
 * User's PIN. What was begun is finished, and what is done is left alone. For
 * a process that has no struct hsm yet.
 */
enum err hsm_token_init(const char *module_path, const char *token_label,
    const struct secret *so_pin, const struct secret *pin) MUST_CHECK;

/* A PIN file's first line. ERR_CONFIG: absent, empty, or others may read it */
enum err hsm_pin_read(const char *path, struct secret **out) MUST_CHECK;

/*
 * A SoftHSMv2 token of our own in `dir`, which exists: writes softhsm2.conf,
 * tokens/, and random PINs in so-pin and pin (mode 0600), and initialises the
 * token. What is there already is kept; what a crash cut short is finished.
 * Sets SOFTHSM2_CONF for this process, so it comes before the first thread.
 *
 * *pin_path  for hsm_config, on the heap: the caller frees it
 *
 * ERR_SYSTEM  a file cannot be written
 */
enum err hsm_softhsm_setup(struct env *env, const char *module_path,
    const char *dir, const char *token_label, char **pin_path) MUST_CHECK;

#endif
