#include "crypto/keystore.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/ossl.h"
#include "crypto/random.h"

enum {
	FORMAT_VERSION = 1,
	HEADER_OCTETS = 16, /* magic, version, oldest reader, 0 0, key id */
	ID_AT = 8,
	ID_OCTETS = 8,
	NONCE_OCTETS = 12,
	TAG_OCTETS = 16,
	MASTER_OCTETS = 32,
	WRAPPED_OCTETS =
	    HEADER_OCTETS + HSM_NONCE_OCTETS + MASTER_OCTETS + HSM_TAG_OCTETS,
};

_Static_assert(KEYSTORE_OVERHEAD_OCTETS ==
		   (int)HEADER_OCTETS + (int)NONCE_OCTETS + (int)TAG_OCTETS,
    "the header's promise");

static const char master_magic[4] = {'T', 'S', 'M', 'K'};
static const char sealed_magic[4] = {'T', 'S', 'S', 'K'};

/* Between begin and done this belongs to the worker's thread. */
struct probe {
	bool wants_login; /* the wish, and which wish it is */
	bool login;       /* ... and log in for it */
	bool anew;        /* ... whether or not it is logged in */
	unsigned wish;
	bool need_master;
	struct secret *fresh; /* to be wrapped: there is no master key yet */
	struct bytes stored;  /* to be unwrapped */
	uint8_t header[HEADER_OCTETS];

	enum err rc;
	bool refused; /* the PIN, not the card */
	struct secret *master;
	struct buf wrapped;
};

/*
 * A loan that the HSM was asked for. The worker's thread has `stored`, `rc` and
 * `master` from begin to done; the rest is the loop's. It outlives an owner who
 * did not wait for it.
 */
struct keystore_job {
	struct keystore *ks;
	struct keystore_job *next;  /* among those that are waited for */
	struct keystore_loan *loan; /* NULL: nobody waits any more */
	int64_t began_ms;
	struct hsm *hsm;
	uint8_t stored[WRAPPED_OCTETS];
	enum err rc;
	struct secret *master;
};

struct keystore {
	struct env *env;
	struct hsm *hsm;
	int64_t probe_limit_ms;

	enum keystore_state state;
	bool wants_login;
	bool may_login; /* by itself */
	bool anew;      /* the next login is not to rest on an older one */
	unsigned wish;  /* counts changes of it */

	struct buf wrapped; /* the master key, as stored or to be stored */
	bool unstored;
	uint8_t header[HEADER_OCTETS]; /* of what is sealed under it */

	/* while READY, or waiting to be stored: the HSM has shown that it has
	 * the master key, and where the cache is on, here it is */
	bool proven;
	bool cache;
	struct secret *masked; /* the master key XOR the pad; NULL: none */
	struct secret *pad;
	struct secret *open; /* in the clear, while it is used */
	struct keystore_job *jobs;

	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *sealer;
	EVP_CIPHER_CTX *opener;

	bool probing;
	bool overdue;
	int64_t probe_began_ms;
	struct probe probe;
};

static void
header_put(uint8_t *header, const char magic[4], const uint8_t *id)
{
	memset(header, 0, HEADER_OCTETS);
	memcpy(header, magic, 4);
	header[4] = FORMAT_VERSION;
	header[5] = FORMAT_VERSION; /* the oldest that can read it */
	memcpy(header + ID_AT, id, ID_OCTETS);
}

/* ---- the master key in memory ---- */

static void
master_wipe(struct keystore *ks)
{
	secret_free(ks->masked);
	ks->masked = NULL;
	ks->proven = false;
}

/* a ^= b */
static void
mask(struct secret *a, const struct secret *b)
{
	uint8_t *at = secret_fill(a);
	const uint8_t *with = secret_peek(b).at;
	size_t k;

	for (k = 0; k < MASTER_OCTETS; k++)
		at[k] ^= with[k];
}

/*
 * Keep it behind a pad of its own.
 *
 * req: KS-05-108 KS-05-109 KS-05-110
 */
static enum err
cache_fill(struct keystore *ks, struct secret *master)
{
	enum err rc = OK;

	TRY(env_random(ks->env, secret_fill(ks->pad), MASTER_OCTETS));
	mask(master, ks->pad);
	secret_free(ks->masked);
	ks->masked = master;
	master = NULL;
out:
	secret_free(master);
	return rc;
}

/* Another pad, now and then: what was read of memory at two times is nothing.
 */
static void
cache_repad(struct keystore *ks)
{
	struct secret *next = NULL;

	if (ks->masked == NULL ||
	    random_secret(ks->env, MASTER_OCTETS, &next) != OK)
		return;
	mask(ks->masked, next);
	mask(ks->masked, ks->pad);
	secret_free(ks->pad);
	ks->pad = next;
}

/* In the clear until master_close. */
static struct bytes
master_open(struct keystore *ks, const struct keystore_loan *loan)
{
	uint8_t *at = secret_fill(ks->open);
	const uint8_t *masked, *pad;
	size_t k;

	if (loan != NULL)
		return secret_peek(loan->master);
	masked = secret_peek(ks->masked).at;
	pad = secret_peek(ks->pad).at;
	for (k = 0; k < MASTER_OCTETS; k++)
		at[k] = masked[k] ^ pad[k];
	return secret_peek(ks->open);
}

/* The cipher forgets a key by taking another one, which costs less than a new
 * context. */
static void
master_close(struct keystore *ks, EVP_CIPHER_CTX *ctx)
{
	static const uint8_t nothing[MASTER_OCTETS];

	secret_wipe(secret_fill(ks->open), MASTER_OCTETS);
	(void)EVP_CipherInit_ex2(ctx, NULL, nothing, NULL, -1, NULL);
}

/* ---- life ---- */

static enum err
wrapped_check(struct bytes wrapped)
{
	if (wrapped.octets < HEADER_OCTETS ||
	    memcmp(wrapped.at, master_magic, 4) != 0)
		return ERR_SEAL;
	if (wrapped.at[5] > FORMAT_VERSION)
		return ERR_STORE_VERSION;
	return wrapped.octets == WRAPPED_OCTETS ? OK : ERR_SEAL;
}

/* Contexts that are made once; key and nonce change with each use. */
static enum err
cipher_make(struct keystore *ks)
{
	enum err rc = OK;

	ks->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	ks->sealer = EVP_CIPHER_CTX_new();
	ks->opener = EVP_CIPHER_CTX_new();
	if (ks->cipher == NULL || ks->sealer == NULL || ks->opener == NULL ||
	    EVP_EncryptInit_ex2(ks->sealer, ks->cipher, NULL, NULL, NULL) !=
		1 ||
	    EVP_DecryptInit_ex2(ks->opener, ks->cipher, NULL, NULL, NULL) != 1)
		TRY(ossl_err("AES-256-GCM", ERR_CRYPTO));
out:
	return rc;
}

enum err
keystore_new(struct env *env, struct hsm *hsm, struct bytes wrapped,
    int64_t probe_limit_ms, struct keystore **out)
{
	struct keystore *ks = NULL;
	enum err rc = OK;

	*out = NULL;
	if (wrapped.octets != 0)
		TRY(wrapped_check(wrapped));
	TRY(MEM_NEW(ks));
	ks->env = env;
	ks->hsm = hsm;
	ks->probe_limit_ms = probe_limit_ms;
	ks->state = KEYSTORE_UNREACHABLE;
	ks->wants_login = true;
	ks->may_login = true;
	ks->cache = true;
	buf_init(&ks->wrapped, WRAPPED_OCTETS);
	buf_init(&ks->probe.wrapped, WRAPPED_OCTETS);
	TRY(buf_put(&ks->wrapped, wrapped));
	TRY(secret_new(MASTER_OCTETS, &ks->pad));
	TRY(secret_new(MASTER_OCTETS, &ks->open));
	TRY(cipher_make(ks));
	*out = ks;
	ks = NULL;
out:
	keystore_free(ks);
	return rc;
}

static void
probe_clear(struct probe *p)
{
	secret_free(p->fresh);
	secret_free(p->master);
	buf_clear(&p->wrapped);
	p->fresh = NULL;
	p->master = NULL;
}

void
keystore_free(struct keystore *ks)
{
	if (ks == NULL)
		return;
	master_wipe(ks);
	if (ks->probing)
		return;
	probe_clear(&ks->probe);
	secret_free(ks->pad);
	secret_free(ks->open);
	EVP_CIPHER_CTX_free(ks->sealer);
	EVP_CIPHER_CTX_free(ks->opener);
	EVP_CIPHER_free(ks->cipher);
	buf_clear(&ks->wrapped);
	mem_free(ks);
}

/* ---- the state ---- */

static void
state_set(struct keystore *ks, enum keystore_state state)
{
	static const char *const names[] = {
	    [KEYSTORE_READY] = "ready",
	    [KEYSTORE_LOGGED_OUT] = "the Crypto User is not logged in",
	    [KEYSTORE_OTHER] = ("the stored master key is not of this HSM's "
				"key-encryption key"),
	    [KEYSTORE_UNREACHABLE] = "the HSM does not answer",
	};

	if (state != KEYSTORE_READY)
		master_wipe(ks);
	if (state != ks->state)
		log_line("crypto",
		    state == KEYSTORE_READY ? LOG_INFO : LOG_ERROR,
		    "key store: %s", names[state]);
	ks->state = state;
}

static bool
is_overdue(const struct keystore *ks, int64_t began_ms)
{
	return env_elapsed_ms(ks->env) - began_ms > ks->probe_limit_ms;
}

enum keystore_state
keystore_state(struct keystore *ks)
{
	if (ks->probing && !ks->overdue && is_overdue(ks, ks->probe_began_ms)) {
		ks->overdue = true;
		state_set(ks, KEYSTORE_UNREACHABLE);
	}
	return ks->state;
}

bool
keystore_overdue(struct keystore *ks)
{
	(void)keystore_state(ks);
	return ks->probing && ks->overdue;
}

/* req: KS-01-012 KS-01-061 KS-01-063 KS-05-017 KS-05-115 */
enum err
keystore_check(struct keystore *ks)
{
	switch (keystore_state(ks)) {
	case KEYSTORE_READY:
		return OK;
	case KEYSTORE_LOGGED_OUT:
		return ERR_HSM_LOGGED_OUT;
	case KEYSTORE_OTHER:
		return ERR_HSM_OTHER;
	case KEYSTORE_UNREACHABLE:
		break;
	}
	return ERR_HSM;
}

void
keystore_login(struct keystore *ks)
{
	ks->wants_login = true;
	ks->wish++;
}

void
keystore_login_anew(struct keystore *ks)
{
	keystore_login(ks);
	ks->anew = true;
}

void
keystore_logout(struct keystore *ks)
{
	ks->wants_login = false;
	ks->wish++;
	if (ks->state == KEYSTORE_READY)
		state_set(ks, KEYSTORE_LOGGED_OUT);
	else
		master_wipe(ks);
}

void
keystore_allow_login(struct keystore *ks, bool allowed)
{
	ks->may_login = allowed;
	if (ks->probing)
		ks->probe.login = ks->probe.wants_login && allowed;
}

/* req: KS-05-104 */
void
keystore_set_cache(struct keystore *ks, bool on)
{
	ks->cache = on;
	if (on)
		return;
	secret_free(ks->masked);
	ks->masked = NULL;
}

bool
keystore_cache(const struct keystore *ks)
{
	return ks->cache;
}

struct bytes
keystore_to_store(const struct keystore *ks)
{
	return ks->unstored ? buf_peek(&ks->wrapped) : BYTES_NONE;
}

void
keystore_stored(struct keystore *ks)
{
	ks->unstored = false;
	if (ks->proven && ks->wants_login)
		state_set(ks, KEYSTORE_READY);
}

/* ---- probes ---- */

static enum err
probe_prepare(struct keystore *ks)
{
	struct probe *p = &ks->probe;
	uint8_t id[ID_OCTETS];
	enum err rc = OK;

	probe_clear(p);
	p->wants_login = ks->wants_login;
	p->login = ks->wants_login && ks->may_login;
	p->anew = ks->anew;
	ks->anew = false;
	p->wish = ks->wish;
	p->need_master = !ks->proven || (ks->cache && ks->masked == NULL);
	p->refused = false;
	p->stored = buf_peek(&ks->wrapped);
	if (p->stored.octets != 0) {
		memcpy(p->header, p->stored.at, HEADER_OCTETS);
	} else {
		TRY(env_random(ks->env, id, sizeof(id)));
		header_put(p->header, master_magic, id);
		TRY(random_secret(ks->env, MASTER_OCTETS, &p->fresh));
	}
out:
	return rc;
}

bool
keystore_probe_begin(struct keystore *ks)
{
	enum err rc;

	if (ks->probing)
		return false;
	rc = probe_prepare(ks);
	if (rc != OK) {
		log_line("crypto", LOG_ERROR, "key store: no probe: %s",
		    err_text(rc));
		return false;
	}
	ks->probing = true;
	ks->overdue = false;
	ks->probe_began_ms = env_elapsed_ms(ks->env);
	return true;
}

static enum err
probe_login(struct probe *p, struct hsm *hsm)
{
	enum err rc = hsm_probe(hsm);

	if (rc == OK && p->login && p->anew)
		rc = hsm_logout(hsm) == OK ? ERR_HSM_LOGGED_OUT : ERR_HSM;
	if (rc == ERR_HSM_LOGGED_OUT && p->login) {
		rc = hsm_login(hsm);
		p->refused = rc == ERR_HSM_LOGGED_OUT || rc == ERR_CONFIG;
	} else if (rc == OK && !p->wants_login) {
		rc = hsm_logout(hsm);
		if (rc == OK)
			rc = ERR_HSM_LOGGED_OUT;
	}
	return rc;
}

static enum err
probe_master(struct probe *p, struct hsm *hsm)
{
	struct bytes header = {p->header, HEADER_OCTETS};
	struct bytes wrapped = p->stored;
	enum err rc = OK;

	TRY(hsm_kek(hsm, p->fresh != NULL));
	if (p->fresh != NULL) {
		TRY(buf_put(&p->wrapped, header));
		TRY(hsm_wrap(hsm, p->fresh, header, &p->wrapped));
		wrapped = buf_peek(&p->wrapped);
	}
	/* a new one too: what cannot be unwrapped is not worth storing */
	TRY(bytes_split(&wrapped, HEADER_OCTETS, &header));
	TRY(hsm_unwrap(hsm, wrapped, header, &p->master));
	if (p->fresh != NULL && !secret_equal(p->fresh, p->master))
		TRY(ERR_HSM);
out:
	return rc;
}

void
keystore_probe_work(void *ctx)
{
	struct keystore *ks = ctx;
	struct probe *p = &ks->probe;
	enum err rc = OK;

	TRY(probe_login(p, ks->hsm));
	if (p->need_master)
		TRY(probe_master(p, ks->hsm));
out:
	p->rc = rc;
}

static enum err
master_adopt(struct keystore *ks, struct secret *master)
{
	enum err rc = OK;

	if (secret_peek(master).octets != MASTER_OCTETS)
		TRY(ERR_SEAL);
	ks->proven = true;
	if (ks->cache) {
		rc = cache_fill(ks, master);
		master = NULL;
	}
out:
	secret_free(master);
	return rc;
}

/* What the probe brought; the state is UNREACHABLE unless all is well. */
static enum err
probe_adopt(struct keystore *ks)
{
	struct probe *p = &ks->probe;
	struct secret *master = p->master;
	enum err rc = OK;

	TRY(p->rc);
	/* the wish has changed while the card was busy: the next probe sees */
	if (!ks->wants_login)
		TRY(ERR_HSM_LOGGED_OUT);
	if (master != NULL) {
		p->master = NULL;
		TRY(master_adopt(ks, master));
		header_put(ks->header, sealed_magic, p->header + ID_AT);
	}
	/* wiped since, because this probe took too long */
	if (!ks->proven)
		TRY(ERR_TIMEOUT);
	cache_repad(ks);
	if (p->fresh != NULL) {
		TRY(buf_put(&ks->wrapped, buf_peek(&p->wrapped)));
		ks->unstored = true;
	}
out:
	return rc;
}

void
keystore_probe_done(void *ctx, enum err rc)
{
	struct keystore *ks = ctx;

	ks->probing = false;
	if (rc != OK) {
		probe_clear(&ks->probe);
		return;
	}
	rc = probe_adopt(ks);
	if (ks->probe.refused && ks->probe.wish == ks->wish) {
		log_line("crypto", LOG_ERROR,
		    "key store: the PIN was refused; waiting for a new login");
		ks->wants_login = false;
	}
	if (rc == OK && ks->unstored)
		log_line("crypto", LOG_INFO,
		    "key store: a new master key waits to be stored");
	else if (rc == OK)
		state_set(ks, KEYSTORE_READY);
	else if (rc == ERR_HSM_LOGGED_OUT || ks->probe.refused)
		state_set(ks, KEYSTORE_LOGGED_OUT);
	else if (rc == ERR_SEAL || rc == ERR_NOT_FOUND)
		state_set(ks, KEYSTORE_OTHER);
	else
		state_set(ks, KEYSTORE_UNREACHABLE);
	if (rc != OK && rc != ks->probe.rc)
		log_line("crypto", LOG_WARN, "key store: %s", err_text(rc));
	probe_clear(&ks->probe);
}

/* ---- loans ---- */

bool
keystore_lends(const struct keystore *ks)
{
	return ks->state == KEYSTORE_READY && ks->masked == NULL;
}

static void
job_work(void *ctx)
{
	struct keystore_job *job = ctx;
	struct bytes wrapped = {job->stored, sizeof(job->stored)};
	struct bytes header;
	enum err rc = OK;

	TRY(bytes_split(&wrapped, HEADER_OCTETS, &header));
	TRY(hsm_unwrap(job->hsm, wrapped, header, &job->master));
	if (secret_peek(job->master).octets != MASTER_OCTETS)
		TRY(ERR_SEAL);
out:
	job->rc = rc;
}

/* Nobody waits for it any more. */
static void
job_forget(struct keystore_job *job)
{
	struct keystore_job **at = &job->ks->jobs;

	while (*at != NULL && *at != job)
		at = &(*at)->next;
	if (*at == job)
		*at = job->next;
	job->loan->job = NULL;
	job->loan = NULL;
}

static void
job_free(struct keystore_job *job)
{
	secret_free(job->master);
	mem_free(job);
}

static void
job_done(void *ctx, enum err rc)
{
	struct keystore_job *job = ctx;
	struct keystore_loan *loan = job->loan;
	struct keystore *ks = job->ks;

	if (loan != NULL) {
		job_forget(job);
		loan->rc = rc == OK ? job->rc : ERR_HSM;
		loan->master = job->master;
		job->master = NULL;
		if (loan->rc == ERR_HSM_LOGGED_OUT)
			state_set(ks, KEYSTORE_LOGGED_OUT);
	}
	job_free(job);
	if (loan != NULL)
		loan->done(loan);
}

enum err
keystore_lend(
    struct keystore *ks, struct loop_pool *pool, struct keystore_loan *loan)
{
	struct keystore_job *job = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(job));
	job->ks = ks;
	job->hsm = ks->hsm;
	job->loan = loan;
	job->began_ms = env_elapsed_ms(ks->env);
	memcpy(job->stored, buf_peek(&ks->wrapped).at, sizeof(job->stored));
	TRY(loop_submit(pool, job_work, job_done, job));
	loan->job = job;
	job->next = ks->jobs;
	ks->jobs = job;
	job = NULL;
out:
	mem_free(job);
	return rc;
}

void
keystore_loan_end(struct keystore_loan *loan)
{
	if (loan->job != NULL)
		job_forget(loan->job);
	secret_free(loan->master);
	*loan = (struct keystore_loan){.rc = OK};
}

/* Those that wait for a card that hangs hear that it does. */
void
keystore_end_overdue(struct keystore *ks)
{
	struct keystore_job *job = ks->jobs;

	while (job != NULL) {
		struct keystore_loan *loan = job->loan;

		if (!is_overdue(ks, job->began_ms)) {
			job = job->next;
			continue;
		}
		job_forget(job);
		loan->rc = ERR_HSM;
		loan->done(loan);
		job = ks->jobs; /* the list may be another one now */
	}
}

/* ---- sealing ---- */

static enum err
need_master(struct keystore *ks, const struct keystore_loan *loan)
{
	enum err rc = OK;

	TRY(keystore_check(ks));
	if (loan == NULL)
		TRY(ks->masked != NULL ? OK : ERR_HSM);
	else
		TRY(loan->rc == OK && loan->master == NULL ? ERR_HSM
							   : loan->rc);
out:
	return rc;
}

/* The associated data, for either direction. */
static enum err
bind(EVP_CIPHER_CTX *ctx, const uint8_t *header, struct bytes object_id,
    uint64_t object_version)
{
	uint8_t first[HEADER_OCTETS + 8];
	int octets;
	enum err rc = OK;

	memcpy(first, header, HEADER_OCTETS);
	bytes_put_u64(first + HEADER_OCTETS, object_version);
	if (EVP_CipherUpdate(ctx, NULL, &octets, first, sizeof(first)) != 1 ||
	    EVP_CipherUpdate(
		ctx, NULL, &octets, object_id.at, (int)object_id.octets) != 1)
		TRY(ossl_err("associated data", ERR_CRYPTO));
out:
	return rc;
}

enum err
keystore_seal(struct keystore *ks, const struct keystore_loan *loan,
    struct bytes object_id, uint64_t object_version, struct bytes plain,
    struct arena *a, struct bytes *sealed)
{
	uint8_t *at, *nonce, *body;
	int octets = 0;
	enum err rc = OK;

	*sealed = BYTES_NONE;
	TRY(need_master(ks, loan));
	if (plain.octets > INT_MAX || object_id.octets > INT_MAX)
		TRY(ERR_LIMIT);
	TRY(ARENA_ARRAY(a, at, KEYSTORE_OVERHEAD_OCTETS + plain.octets));
	nonce = at + HEADER_OCTETS;
	body = nonce + NONCE_OCTETS;
	memcpy(at, ks->header, HEADER_OCTETS);
	/* a nonce is public, it only must not come twice */
	TRY(env_random_public(ks->env, nonce, NONCE_OCTETS));
	if (EVP_EncryptInit_ex2(
		ks->sealer, NULL, master_open(ks, loan).at, nonce, NULL) != 1)
		TRY(ossl_err("EVP_EncryptInit_ex2", ERR_CRYPTO));
	TRY(bind(ks->sealer, at, object_id, object_version));
	if (EVP_EncryptUpdate(
		ks->sealer, body, &octets, plain.at, (int)plain.octets) != 1 ||
	    EVP_EncryptFinal_ex(ks->sealer, body + octets, &octets) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ks->sealer, EVP_CTRL_AEAD_GET_TAG, TAG_OCTETS,
		body + plain.octets) != 1)
		TRY(ossl_err("seal", ERR_CRYPTO));
	*sealed = (struct bytes){at, KEYSTORE_OVERHEAD_OCTETS + plain.octets};
out:
	master_close(ks, ks->sealer);
	return rc;
}

enum err
keystore_open(struct keystore *ks, const struct keystore_loan *loan,
    struct bytes object_id, uint64_t object_version, struct bytes sealed,
    struct arena *a, struct bytes *plain)
{
	struct bytes header, nonce, body;
	uint8_t *at;
	int octets = 0;
	enum err rc = OK;

	*plain = BYTES_NONE;
	TRY(need_master(ks, loan));
	if (sealed.octets < KEYSTORE_OVERHEAD_OCTETS ||
	    sealed.octets > INT_MAX || object_id.octets > INT_MAX)
		TRY(ERR_SEAL);
	TRY(bytes_split(&sealed, HEADER_OCTETS, &header));
	TRY(bytes_split(&sealed, NONCE_OCTETS, &nonce));
	TRY(bytes_split(&sealed, sealed.octets - TAG_OCTETS, &body));
	/* another format, another version or another master key */
	if (memcmp(header.at, ks->header, HEADER_OCTETS) != 0)
		TRY(ERR_SEAL);
	TRY(ARENA_ARRAY(a, at, body.octets));
	if (EVP_DecryptInit_ex2(ks->opener, NULL, master_open(ks, loan).at,
		nonce.at, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ks->opener, EVP_CTRL_AEAD_SET_TAG, TAG_OCTETS,
		(void *)(uintptr_t)sealed.at) != 1)
		TRY(ossl_err("EVP_DecryptInit_ex2", ERR_CRYPTO));
	TRY(bind(ks->opener, header.at, object_id, object_version));
	if (EVP_DecryptUpdate(
		ks->opener, at, &octets, body.at, (int)body.octets) != 1)
		TRY(ossl_err("open", ERR_CRYPTO));
	if (EVP_DecryptFinal_ex(ks->opener, at + octets, &octets) != 1) {
		/* what does not prove itself is not handed out */
		secret_wipe(at, body.octets);
		ossl_forget();
		TRY(ERR_SEAL);
	}
	*plain = (struct bytes){at, body.octets};
out:
	master_close(ks, ks->opener);
	return rc;
}
