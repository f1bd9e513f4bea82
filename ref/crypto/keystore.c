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
	NONCES = 256,
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
	bool login; /* the wish, and which wish it is */
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

struct keystore {
	struct env *env;
	struct hsm *hsm;
	int64_t probe_limit_ms;

	enum keystore_state state;
	bool wants_login;
	unsigned wish; /* counts changes of it */

	struct buf wrapped; /* the master key, as stored or to be stored */
	bool unstored;
	uint8_t header[HEADER_OCTETS]; /* of what is sealed under it */

	/* while READY, or waiting to be stored */
	struct secret *master;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *sealer;
	EVP_CIPHER_CTX *opener;

	uint8_t nonces[NONCES][NONCE_OCTETS];
	size_t nonces_left;

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
	EVP_CIPHER_CTX_free(ks->sealer);
	EVP_CIPHER_CTX_free(ks->opener);
	ks->sealer = NULL;
	ks->opener = NULL;
	secret_free(ks->master);
	ks->master = NULL;
}

/* Contexts that keep the key schedule; a nonce is all that changes. */
static enum err
master_use(struct keystore *ks, struct secret *master)
{
	const uint8_t *key = secret_peek(master).at;
	enum err rc = OK;

	master_wipe(ks);
	ks->master = master;
	if (secret_peek(master).octets != MASTER_OCTETS)
		TRY(ERR_SEAL);
	ks->sealer = EVP_CIPHER_CTX_new();
	ks->opener = EVP_CIPHER_CTX_new();
	if (ks->sealer == NULL || ks->opener == NULL ||
	    EVP_EncryptInit_ex2(ks->sealer, ks->cipher, key, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex2(ks->opener, ks->cipher, key, NULL, NULL) != 1)
		TRY(ossl_err("AES-256-GCM", ERR_CRYPTO));
out:
	if (rc != OK)
		master_wipe(ks);
	return rc;
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
	buf_init(&ks->wrapped, WRAPPED_OCTETS);
	buf_init(&ks->probe.wrapped, WRAPPED_OCTETS);
	TRY(buf_put(&ks->wrapped, wrapped));
	ks->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (ks->cipher == NULL)
		TRY(ossl_err("EVP_CIPHER_fetch", ERR_CRYPTO));
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

enum keystore_state
keystore_state(struct keystore *ks)
{
	if (ks->probing && !ks->overdue &&
	    env_elapsed_ms(ks->env) - ks->probe_began_ms > ks->probe_limit_ms) {
		ks->overdue = true;
		state_set(ks, KEYSTORE_UNREACHABLE);
	}
	return ks->state;
}

void
keystore_login(struct keystore *ks)
{
	ks->wants_login = true;
	ks->wish++;
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

struct bytes
keystore_to_store(const struct keystore *ks)
{
	return ks->unstored ? buf_peek(&ks->wrapped) : BYTES_NONE;
}

void
keystore_stored(struct keystore *ks)
{
	ks->unstored = false;
	if (ks->master != NULL && ks->wants_login)
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
	p->login = ks->wants_login;
	p->wish = ks->wish;
	p->need_master = ks->master == NULL;
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

	if (rc == ERR_HSM_LOGGED_OUT && p->login) {
		rc = hsm_login(hsm);
		p->refused = rc == ERR_HSM_LOGGED_OUT || rc == ERR_CONFIG;
	} else if (rc == OK && !p->login) {
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
		TRY(master_use(ks, master));
		header_put(ks->header, sealed_magic, p->header + ID_AT);
	}
	/* wiped since, because this probe took too long */
	if (ks->master == NULL)
		TRY(ERR_TIMEOUT);
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
	else
		state_set(ks, KEYSTORE_UNREACHABLE);
	if (rc != OK && rc != ks->probe.rc)
		log_line("crypto", LOG_WARN, "key store: %s", err_text(rc));
	if (ks->probe.rc == ERR_SEAL || ks->probe.rc == ERR_NOT_FOUND)
		log_line("crypto", LOG_ERROR,
		    "key store: the stored master key is not of this HSM's "
		    "key-encryption key");
	probe_clear(&ks->probe);
}

/* ---- sealing ---- */

static enum err
need_ready(struct keystore *ks)
{
	switch (keystore_state(ks)) {
	case KEYSTORE_READY:
		return OK;
	case KEYSTORE_LOGGED_OUT:
		return ERR_HSM_LOGGED_OUT;
	case KEYSTORE_UNREACHABLE:
		break;
	}
	return ERR_HSM;
}

/* Drawn by the hundred: a nonce is public, it only must not come twice. */
static enum err
nonce_next(struct keystore *ks, uint8_t *out)
{
	enum err rc = OK;

	if (ks->nonces_left == 0) {
		TRY(env_random(ks->env, ks->nonces[0], sizeof(ks->nonces)));
		ks->nonces_left = NONCES;
	}
	memcpy(out, ks->nonces[--ks->nonces_left], NONCE_OCTETS);
out:
	return rc;
}

/* The associated data, for either direction. */
static enum err
bind(EVP_CIPHER_CTX *ctx, const uint8_t *header, struct bytes object_id,
    uint64_t object_version)
{
	uint8_t version[8];
	int octets;
	enum err rc = OK;

	bytes_put_u64(version, object_version);
	if (EVP_CipherUpdate(ctx, NULL, &octets, header, HEADER_OCTETS) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &octets, version, sizeof(version)) !=
		1 ||
	    EVP_CipherUpdate(
		ctx, NULL, &octets, object_id.at, (int)object_id.octets) != 1)
		TRY(ossl_err("associated data", ERR_CRYPTO));
out:
	return rc;
}

enum err
keystore_seal(struct keystore *ks, struct bytes object_id,
    uint64_t object_version, struct bytes plain, struct arena *a,
    struct bytes *sealed)
{
	uint8_t *at, *nonce, *body;
	int octets = 0;
	enum err rc = OK;

	*sealed = BYTES_NONE;
	TRY(need_ready(ks));
	if (plain.octets > INT_MAX || object_id.octets > INT_MAX)
		TRY(ERR_LIMIT);
	TRY(ARENA_ARRAY(a, at, KEYSTORE_OVERHEAD_OCTETS + plain.octets));
	nonce = at + HEADER_OCTETS;
	body = nonce + NONCE_OCTETS;
	memcpy(at, ks->header, HEADER_OCTETS);
	TRY(nonce_next(ks, nonce));
	if (EVP_EncryptInit_ex2(ks->sealer, NULL, NULL, nonce, NULL) != 1)
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
	return rc;
}

enum err
keystore_open(struct keystore *ks, struct bytes object_id,
    uint64_t object_version, struct bytes sealed, struct arena *a,
    struct bytes *plain)
{
	struct bytes header, nonce, body;
	uint8_t *at;
	int octets = 0;
	enum err rc = OK;

	*plain = BYTES_NONE;
	TRY(need_ready(ks));
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
	if (EVP_DecryptInit_ex2(ks->opener, NULL, NULL, nonce.at, NULL) != 1 ||
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
	return rc;
}
