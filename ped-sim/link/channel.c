#include "link/channel.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

#include "base/mem.h"
#include "ikey/crypt.h"

enum {
	LENGTH_OCTETS = 2,
	POINT_OCTETS = 32,
	HELLO_OCTETS = 6 + 1 + POINT_OCTETS,
	AT_SIDE = 6,
	AT_POINT = 7,
	KEY_OCTETS = 32,
	NONCE_OCTETS = 12,
	TAG_OCTETS = 16,
};

static const uint8_t magic[AT_SIDE] = "TSPED1";

/* One direction: its key, its nonce base, and how many frames have gone. */
struct way {
	struct secret *keys; /* KEY_OCTETS, NONCE_OCTETS */
	uint64_t frames;
	EVP_CIPHER_CTX *ctx;
};

struct channel {
	enum channel_side side;
	bool is_open;
	bool has_ended;
	uint8_t hellos[2][HELLO_OCTETS]; /* the card's, the PED's */
	EVP_PKEY *own;
	struct way out, in;
};

/* OpenSSL's error queue is the thread's: leave nothing in it. */
static enum err
failed(enum err rc)
{
	ERR_clear_error();
	return rc;
}

static enum channel_side
other(enum channel_side side)
{
	return side == CHANNEL_CARD ? CHANNEL_PED : CHANNEL_CARD;
}

static uint8_t *
hello_of(struct channel *ch, enum channel_side side)
{
	return ch->hellos[side == CHANNEL_PED];
}

static struct bytes
hellos_of(const struct channel *ch)
{
	return (struct bytes){ch->hellos[0], sizeof(ch->hellos)};
}

/* ---- birth and end ---- */

static enum err
make_own(struct channel *ch, struct env *env)
{
	struct secret *number = NULL;
	uint8_t *hello = hello_of(ch, ch->side);
	size_t octets = POINT_OCTETS;
	enum err rc = OK;

	TRY(secret_new(POINT_OCTETS, &number));
	TRY(env_random(env, secret_fill(number), POINT_OCTETS));
	ch->own = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_X25519, NULL, secret_peek(number).at, POINT_OCTETS);
	memcpy(hello, magic, sizeof(magic));
	hello[AT_SIDE] = (uint8_t)ch->side;
	if (ch->own == NULL || EVP_PKEY_get_raw_public_key(
				   ch->own, hello + AT_POINT, &octets) != 1)
		TRY(failed(ERR_CRYPTO));
out:
	secret_free(number);
	return rc;
}

enum err
channel_new(struct env *env, enum channel_side side, struct channel **out)
{
	struct channel *ch = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(ch));
	ch->side = side;
	TRY(make_own(ch, env));
	*out = ch;
	ch = NULL;
out:
	channel_free(ch);
	return rc;
}

static void
way_clear(struct way *way)
{
	secret_free(way->keys);
	EVP_CIPHER_CTX_free(way->ctx);
}

void
channel_free(struct channel *ch)
{
	if (ch == NULL)
		return;
	EVP_PKEY_free(ch->own);
	way_clear(&ch->out);
	way_clear(&ch->in);
	mem_free(ch);
}

/* ---- frames ---- */

enum err
channel_frame(struct bytes in, size_t *octets)
{
	size_t body;

	*octets = 0;
	if (in.octets < LENGTH_OCTETS)
		return OK;
	body = bytes_u16(in.at);
	if (body == 0 || body > CHANNEL_FRAME_MOST_OCTETS)
		return ERR_LENGTH;
	if (in.octets - LENGTH_OCTETS >= body)
		*octets = LENGTH_OCTETS + body;
	return OK;
}

enum err
channel_hello(struct channel *ch, struct buf *out)
{
	uint8_t length[LENGTH_OCTETS];
	enum err rc = OK;

	bytes_put_u16(length, HELLO_OCTETS);
	TRY(buf_put(out, (struct bytes){length, sizeof(length)}));
	TRY(buf_put(out, (struct bytes){hello_of(ch, ch->side), HELLO_OCTETS}));
out:
	return rc;
}

static bool
is_hello(struct bytes body, enum channel_side from)
{
	return body.octets == HELLO_OCTETS &&
	       memcmp(body.at, magic, sizeof(magic)) == 0 &&
	       body.at[AT_SIDE] == (uint8_t)from;
}

bool
channel_is_hello(struct bytes frame, enum channel_side from)
{
	struct bytes length;

	return bytes_split(&frame, LENGTH_OCTETS, &length) == OK &&
	       is_hello(frame, from);
}

bool
channel_is_open(const struct channel *ch)
{
	return ch->is_open;
}

/* ---- agreement ---- */

/* The peer's point may be one that no secret comes from: then he is none. */
static enum err
agree(struct channel *ch, const uint8_t *point, struct secret **out)
{
	EVP_PKEY *peer = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	size_t octets = POINT_OCTETS;
	enum err rc = OK;

	TRY(secret_new(POINT_OCTETS, out));
	peer = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_X25519, NULL, point, POINT_OCTETS);
	if (peer != NULL)
		ctx = EVP_PKEY_CTX_new(ch->own, NULL);
	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1)
		TRY(failed(ERR_CRYPTO));
	if (EVP_PKEY_derive(ctx, secret_fill(*out), &octets) != 1)
		TRY(failed(ERR_SEAL));
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return rc;
}

static enum err
way_init(struct way *way, const struct channel *ch, enum channel_side from,
    struct secret *agreed)
{
	static const char *const infos[] = {"card to PED", "PED to card"};
	const char *info = infos[from == CHANNEL_PED];
	const struct bytes salt = hellos_of(ch);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = NULL;
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_utf8_string(
		OSSL_KDF_PARAM_DIGEST, (void *)(uintptr_t) "SHA256", 0),
	    OSSL_PARAM_octet_string(
		OSSL_KDF_PARAM_KEY, secret_fill(agreed), POINT_OCTETS),
	    OSSL_PARAM_octet_string(
		OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.at, salt.octets),
	    OSSL_PARAM_octet_string(
		OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info)),
	    OSSL_PARAM_END,
	};
	enum err rc = OK;

	TRY(secret_new(KEY_OCTETS + NONCE_OCTETS, &way->keys));
	if (kdf != NULL)
		ctx = EVP_KDF_CTX_new(kdf);
	way->ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL || way->ctx == NULL ||
	    EVP_KDF_derive(ctx, secret_fill(way->keys),
		KEY_OCTETS + NONCE_OCTETS, params) != 1 ||
	    EVP_CipherInit_ex(way->ctx, EVP_aes_256_gcm(), NULL,
		secret_peek(way->keys).at, NULL, from == ch->side ? 1 : 0) != 1)
		TRY(failed(ERR_CRYPTO));
out:
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

static enum err
take_hello(struct channel *ch, struct bytes body)
{
	const enum channel_side from = other(ch->side);
	struct secret *agreed = NULL;
	enum err rc = OK;

	if (!is_hello(body, from))
		TRY(ERR_VERSION);
	memcpy(hello_of(ch, from), body.at, HELLO_OCTETS);
	TRY(agree(ch, body.at + AT_POINT, &agreed));
	TRY(way_init(&ch->out, ch, ch->side, agreed));
	TRY(way_init(&ch->in, ch, from, agreed));
	ch->is_open = true;
out:
	secret_free(agreed);
	return rc;
}

/* ---- sealed messages ---- */

/* The next frame's nonce: the base XOR its number, from 0. */
static enum err
next_nonce(struct way *way)
{
	uint8_t nonce[NONCE_OCTETS] = {0};
	size_t k;

	bytes_put_u64(nonce + NONCE_OCTETS - 8, way->frames++);
	for (k = 0; k < NONCE_OCTETS; k++)
		nonce[k] ^= secret_peek(way->keys).at[KEY_OCTETS + k];
	if (EVP_CipherInit_ex(way->ctx, NULL, NULL, NULL, nonce, -1) != 1)
		return failed(ERR_CRYPTO);
	return OK;
}

static enum err
open_sealed(struct way *way, struct bytes body, struct buf *room)
{
	uint8_t tag[TAG_OCTETS];
	uint8_t *tail;
	int octets;
	int rest;
	enum err rc = OK;

	if (body.octets <= TAG_OCTETS)
		TRY(ERR_SEAL);
	body.octets -= TAG_OCTETS;
	memcpy(tag, body.at + body.octets, TAG_OCTETS);
	TRY(next_nonce(way));
	TRY(buf_reserve(room, body.octets, &tail));
	if (EVP_CipherUpdate(
		way->ctx, tail, &octets, body.at, (int)body.octets) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		way->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_OCTETS, tag) != 1)
		TRY(failed(ERR_CRYPTO));
	buf_added(room, (size_t)octets);
	/* until here it is anybody's */
	if (EVP_CipherFinal_ex(way->ctx, tail + octets, &rest) != 1)
		TRY(failed(ERR_SEAL));
out:
	if (rc != OK)
		buf_reset(room);
	return rc;
}

enum err
channel_take(struct channel *ch, struct bytes frame, struct buf *room,
    struct bytes *message)
{
	struct bytes body = frame;
	struct bytes length;
	size_t octets;
	enum err rc = OK;

	buf_reset(room);
	*message = BYTES_NONE;
	if (ch->has_ended)
		return ERR_SEAL;
	TRY(channel_frame(frame, &octets));
	if (octets == 0 || octets != frame.octets)
		TRY(ERR_LENGTH);
	TRY(bytes_split(&body, LENGTH_OCTETS, &length));
	if (!ch->is_open) {
		TRY(take_hello(ch, body));
	} else {
		TRY(open_sealed(&ch->in, body, room));
		*message = buf_peek(room);
	}
out:
	ch->has_ended |= rc != OK;
	return rc;
}

enum err
channel_put(struct channel *ch, struct bytes message, struct buf *out)
{
	uint8_t *tail;
	int octets;
	int rest;
	enum err rc = OK;

	assert(ch->is_open && message.octets != 0);
	if (ch->has_ended)
		return ERR_CLOSED;
	if (message.octets > CHANNEL_FRAME_MOST_OCTETS - TAG_OCTETS)
		return ERR_LENGTH;
	TRY(buf_reserve(
	    out, LENGTH_OCTETS + message.octets + TAG_OCTETS, &tail));
	bytes_put_u16(tail, (uint32_t)(message.octets + TAG_OCTETS));
	tail += LENGTH_OCTETS;
	TRY(next_nonce(&ch->out));
	if (EVP_CipherUpdate(ch->out.ctx, tail, &octets, message.at,
		(int)message.octets) != 1 ||
	    EVP_CipherFinal_ex(ch->out.ctx, tail + octets, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ch->out.ctx, EVP_CTRL_AEAD_GET_TAG, TAG_OCTETS,
		tail + octets) != 1)
		TRY(failed(ERR_CRYPTO));
	buf_added(out, LENGTH_OCTETS + message.octets + TAG_OCTETS);
out:
	ch->has_ended |= rc != OK;
	return rc;
}

enum err
channel_proof(const struct channel *ch, enum channel_side side,
    const struct secret *vector, uint8_t proof[CHANNEL_PROOF_OCTETS])
{
	const uint8_t role = (uint8_t)side;
	struct buf said;
	enum err rc = OK;

	assert(ch->is_open);
	buf_init(&said, 1 + sizeof(ch->hellos));
	TRY(buf_put(&said, (struct bytes){&role, 1}));
	TRY(buf_put(&said, hellos_of(ch)));
	TRY(crypt_hmac(secret_peek(vector), buf_peek(&said), proof));
out:
	buf_clear(&said);
	return rc;
}
