#include "token/pad.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/secret.h"

static const struct {
	const EVP_MD *(*md)(void);
	size_t octets;
} hashes[PAD_HASHES] = {
    [PAD_SHA1] = {EVP_sha1, 20},
    [PAD_SHA224] = {EVP_sha224, 28},
    [PAD_SHA256] = {EVP_sha256, 32},
    [PAD_SHA384] = {EVP_sha384, 48},
    [PAD_SHA512] = {EVP_sha512, 64},
};

/* spec: rfc8017 B.2.1  XOR MGF1 of the seed into the mask's place. */
static enum err
mgf1_xor(enum pad_hash hash, struct bytes seed, uint8_t *to, size_t octets)
{
	const size_t block = hashes[hash].octets;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t mask[EVP_MAX_MD_SIZE], count[4];
	enum err rc = ctx != NULL ? OK : ERR_NOMEM;
	size_t done, i;
	uint32_t n = 0;

	for (done = 0; rc == OK && done < octets; done += block, n++) {
		bytes_put_u32(count, n);
		if (EVP_DigestInit_ex(ctx, hashes[hash].md(), NULL) != 1 ||
		    EVP_DigestUpdate(ctx, seed.at, seed.octets) != 1 ||
		    EVP_DigestUpdate(ctx, count, sizeof(count)) != 1 ||
		    EVP_DigestFinal_ex(ctx, mask, NULL) != 1)
			rc = ERR_CRYPTO;
		for (i = 0; i < block && done + i < octets; i++)
			to[done + i] ^= mask[i];
	}
	EVP_MD_CTX_free(ctx);
	secret_wipe(mask, sizeof(mask));
	return rc;
}

static enum err
digest(enum pad_hash hash, struct bytes in, uint8_t *out)
{
	return EVP_Digest(
		   in.at, in.octets, out, NULL, hashes[hash].md(), NULL) == 1
		   ? OK
		   : ERR_CRYPTO;
}

size_t
pad_oaep_room(const struct pad_oaep *oaep, size_t modulus_octets)
{
	size_t around = 2 * hashes[oaep->hash].octets + 2;

	return modulus_octets > around ? modulus_octets - around : 0;
}

/* spec: rfc8017 7.1.1  00, masked seed, masked (label hash, 00.., 01, message)
 */
enum err
pad_oaep_close(const struct pad_oaep *oaep, struct env *env,
    struct bytes message, uint8_t *out, size_t modulus_octets)
{
	const size_t hash_octets = hashes[oaep->hash].octets;
	const size_t db_octets = modulus_octets - hash_octets - 1;
	uint8_t *seed = out + 1, *db = out + 1 + hash_octets;
	enum err rc = OK;

	if (modulus_octets < 2 * hash_octets + 2 ||
	    message.octets > modulus_octets - 2 * hash_octets - 2)
		return ERR_LENGTH;
	memset(out, 0, modulus_octets);
	TRY(env_random(env, seed, hash_octets));
	TRY(digest(oaep->hash, oaep->label, db));
	db[db_octets - message.octets - 1] = 1;
	if (message.octets > 0)
		memcpy(db + db_octets - message.octets, message.at,
		    message.octets);
	TRY(mgf1_xor(
	    oaep->mgf, (struct bytes){seed, hash_octets}, db, db_octets));
	TRY(mgf1_xor(
	    oaep->mgf, (struct bytes){db, db_octets}, seed, hash_octets));
out:
	if (rc != OK)
		secret_wipe(out, modulus_octets);
	return rc;
}

/* All ones where x is zero, else zero. */
static size_t
mask_zero(size_t x)
{
	return (size_t)0 - ((~x & (x - 1)) >> (sizeof(x) * 8 - 1));
}

/* spec: rfc8017 7.1.2 */
enum err
pad_oaep_open(const struct pad_oaep *oaep, uint8_t *padded,
    size_t modulus_octets, struct bytes *message)
{
	const size_t hash_octets = hashes[oaep->hash].octets;
	const size_t db_octets = modulus_octets - hash_octets - 1;
	uint8_t *seed = padded + 1, *db = padded + 1 + hash_octets;
	uint8_t label[EVP_MAX_MD_SIZE];
	size_t good, looking, at = 0, i;
	enum err rc = OK;

	*message = BYTES_NONE;
	if (modulus_octets < 2 * hash_octets + 2)
		return ERR_CRYPTO;
	TRY(mgf1_xor(
	    oaep->mgf, (struct bytes){db, db_octets}, seed, hash_octets));
	TRY(mgf1_xor(
	    oaep->mgf, (struct bytes){seed, hash_octets}, db, db_octets));
	TRY(digest(oaep->hash, oaep->label, label));
	good = mask_zero(padded[0]);
	for (i = 0; i < hash_octets; i++)
		good &= mask_zero((size_t)(db[i] ^ label[i]));
	looking = ~(size_t)0;
	for (i = hash_octets; i < db_octets; i++) {
		size_t one = mask_zero((size_t)(db[i] ^ 1));
		size_t zero = mask_zero(db[i]);

		at |= looking & one & i;
		good &= ~looking | one | zero;
		looking &= ~one;
	}
	good &= ~looking;
	if (good == 0)
		rc = ERR_CRYPTO;
	else
		*message = (struct bytes){db + at + 1, db_octets - at - 1};
out:
	if (rc != OK)
		secret_wipe(padded, modulus_octets);
	return rc;
}
