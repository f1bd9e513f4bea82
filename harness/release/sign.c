#include "sign.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "mem.h"
#include "x509.h"

enum {
	KEY_BITS = 3072,
	KEY_OCTETS = 32,
	KEY_BASE64_OCTETS = 44,
	SALT_OCTETS = 32,
	TAG_OCTETS = 16,
	NONCE_OCTETS = 12,
	CHUNK_OCTETS = 65536,
	HEAD_OCTETS = 88,
	FILE_MAX_OCTETS = 16 * 1024,
	PATH_OCTETS = 4096,
	/* octets of the header that name what is used */
	FORMAT_VERSION = 1,
	CIPHER_AES_256_GCM = 1,
	SIGNATURE_RSA_SHA_256 = 1,
};

#define KEY_BEGIN "-----BEGIN PACKAGE KEY-----\n"
#define KEY_END   "\n-----END PACKAGE KEY-----\n"

struct release {
	EVP_PKEY *signer;
	uint8_t fingerprint[X509_SHA256_OCTETS];
	uint8_t key[KEY_OCTETS];
};

static enum err
crypto_failed(struct fault *f, const char *what)
{
	return fault_say(f, ERR_VALUE, "OpenSSL: %s failed", what);
}

/* ---- files ---- */

enum err
release_write(
    const char *path, unsigned mode, struct bytes octets, struct fault *f)
{
	char draft[PATH_OCTETS + 8];
	int fd;
	bool good;
	enum err rc = OK;

	(void)snprintf(draft, sizeof draft, "%s.new", path);
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return fault_say(f, ERR_OPEN, "%s: %s", draft, strerror(errno));
	while (octets.octets != 0) {
		ssize_t done = write(fd, octets.at, octets.octets);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			break;
		octets.at += done;
		octets.octets -= (size_t)done;
	}
	good = octets.octets == 0 && fsync(fd) == 0;
	if (close(fd) != 0 || !good || rename(draft, path) != 0)
		rc = fault_say(f, ERR_WRITE, "%s: %s", path, strerror(errno));
	return rc;
}

static void
path_of(const char *dir, const char *name, char out[PATH_OCTETS])
{
	(void)snprintf(out, PATH_OCTETS, "%s/%s", dir, name);
}

static enum err
write_bio(BIO *bio, const char *dir, const char *name, struct fault *f)
{
	char path[PATH_OCTETS];
	char *at;
	long octets = BIO_get_mem_data(bio, &at);

	path_of(dir, name, path);
	return release_write(
	    path, 0600, (struct bytes){(const uint8_t *)at, (size_t)octets}, f);
}

/* ---- making keys ---- */

/* Its public half first, in PKCS#1, for `openssl dgst -verify`. */
static bool
print_trust(BIO *bio, EVP_PKEY *signer)
{
	uint8_t key[KEY_OCTETS];
	char text[KEY_BASE64_OCTETS + 1];
	unsigned char *der = NULL;
	int octets = i2d_PublicKey(signer, &der);
	bool good = octets > 0 &&
		    PEM_write_bio(bio, "RSA PUBLIC KEY", "", der, octets) > 0 &&
		    RAND_bytes(key, sizeof key) == 1;

	if (good) {
		(void)EVP_EncodeBlock((unsigned char *)text, key, sizeof key);
		good = BIO_printf(bio, KEY_BEGIN "%s" KEY_END, text) > 0;
	}
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(text, sizeof text);
	OPENSSL_free(der);
	return good;
}

static enum err
make_keys(const char *dir, struct fault *f)
{
	EVP_PKEY *signer = EVP_RSA_gen(KEY_BITS);
	BIO *key = BIO_new(BIO_s_secmem());
	BIO *trust = BIO_new(BIO_s_secmem());
	enum err rc = OK;

	if (signer == NULL || key == NULL || trust == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(
		key, signer, NULL, NULL, 0, NULL, NULL) != 1 ||
	    !print_trust(trust, signer))
		TRY(crypto_failed(f, "making the keys"));
	/* the trust last: where it is, all of it is */
	TRY(write_bio(key, dir, "release.key", f));
	TRY(write_bio(trust, dir, "trust", f));
out:
	BIO_free(key);
	BIO_free(trust);
	EVP_PKEY_free(signer);
	return rc;
}

enum err
release_make(const char *dir, struct fault *f)
{
	char path[PATH_OCTETS];
	int fd;
	enum err rc = OK;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return fault_say(f, ERR_OPEN, "%s: %s", dir, strerror(errno));
	/* of two at the same time the second finds those of the first */
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		TRY(fault_say(f, ERR_OPEN, "%s: %s", dir, strerror(errno)));
	path_of(dir, "trust", path);
	if (access(path, F_OK) != 0)
		TRY(make_keys(dir, f));
out:
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* ---- having them ---- */

static enum err
read_signer(struct release *release, const char *dir, struct fault *f)
{
	char path[PATH_OCTETS];
	unsigned char *der = NULL;
	struct buf text = {0};
	BIO *bio = NULL;
	int octets = 0;
	enum err rc = OK;

	path_of(dir, "release.key", path);
	TRY(file_read(path, FILE_MAX_OCTETS, &text, f));
	bio = BIO_new_mem_buf(text.at, (int)text.octets);
	release->signer = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (release->signer != NULL &&
	    EVP_PKEY_is_a(release->signer, "RSA") == 1)
		octets = i2d_PublicKey(release->signer, &der);
	if (octets <= 0)
		TRY(fault_say(f, ERR_SYNTAX, "%s: no private key", path));
	x509_sha256((struct bytes){der, (size_t)octets}, release->fingerprint);
out:
	OPENSSL_free(der);
	BIO_free(bio);
	buf_clear(&text);
	return rc;
}

static enum err
read_key(struct release *release, const char *dir, struct fault *f)
{
	uint8_t room[KEY_OCTETS + 1]; /* what stands for the padding as well */
	char path[PATH_OCTETS];
	struct buf text = {0};
	const char *at;
	enum err rc = OK;

	path_of(dir, "trust", path);
	TRY(file_read(path, FILE_MAX_OCTETS, &text, f));
	at = strstr(buf_peek_text(&text), KEY_BEGIN);
	if (at == NULL ||
	    strcspn(at + strlen(KEY_BEGIN), "\n") != KEY_BASE64_OCTETS ||
	    EVP_DecodeBlock(room, (const uint8_t *)at + strlen(KEY_BEGIN),
		KEY_BASE64_OCTETS) != sizeof room)
		TRY(fault_say(f, ERR_SYNTAX, "%s: no trust file", path));
	memcpy(release->key, room, KEY_OCTETS);
out:
	OPENSSL_cleanse(room, sizeof room);
	buf_clear(&text);
	return rc;
}

enum err
release_open(const char *dir, struct release **out, struct fault *f)
{
	struct release *release = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(release));
	TRY(read_signer(release, dir, f));
	TRY(read_key(release, dir, f));
	*out = release;
	release = NULL;
out:
	release_free(release);
	return rc;
}

void
release_free(struct release *release)
{
	if (release == NULL)
		return;
	EVP_PKEY_free(release->signer);
	OPENSSL_cleanse(release->key, sizeof release->key);
	mem_free(release);
}

/* ---- packages ---- */

static bool
derive_key(const struct release *release, const uint8_t *salt, uint8_t *out)
{
	static const char purpose[] = "touchstone package";
	uint8_t in[sizeof purpose - 1 + SALT_OCTETS];
	unsigned octets = 0;

	memcpy(in, purpose, sizeof purpose - 1);
	memcpy(in + sizeof purpose - 1, salt, SALT_OCTETS);
	return HMAC(EVP_sha256(), release->key, KEY_OCTETS, in, sizeof in, out,
		   &octets) != NULL &&
	       octets == KEY_OCTETS;
}

static bool
seal_chunk(EVP_CIPHER_CTX *ctx, const uint8_t *key, uint64_t number,
    bool is_last, struct bytes plain, struct buf *out)
{
	uint8_t *at = buf_reserve(out, plain.octets + TAG_OCTETS);
	uint8_t nonce[NONCE_OCTETS] = {0};
	uint8_t mark = is_last;
	int octets;

	bytes_put_number(nonce + 4, 8, number);
	if (EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &octets, &mark, 1) != 1 ||
	    EVP_EncryptUpdate(ctx, at, &octets, plain.at, (int)plain.octets) !=
		1 ||
	    EVP_EncryptFinal_ex(ctx, at + octets, &octets) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_AEAD_GET_TAG, TAG_OCTETS, at + plain.octets) != 1)
		return false;
	out->octets += plain.octets + TAG_OCTETS;
	return true;
}

static bool
seal_chunks(const uint8_t *key, struct bytes plain, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint64_t number;
	bool good = ctx != NULL;

	for (number = 0; good && plain.octets != 0; number++) {
		bool is_last = plain.octets <= CHUNK_OCTETS;
		size_t octets = is_last ? plain.octets : CHUNK_OCTETS;

		good = seal_chunk(ctx, key, number, is_last,
		    (struct bytes){plain.at, octets}, out);
		plain.at += octets;
		plain.octets -= octets;
	}
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

/* Its length is known from the text's. */
static void
write_head(const struct release *release, const uint8_t *salt,
    size_t plain_octets, struct buf *out)
{
	size_t chunks = (plain_octets + CHUNK_OCTETS - 1) / CHUNK_OCTETS;
	size_t signature = (size_t)EVP_PKEY_get_size(release->signer);
	uint8_t at[HEAD_OCTETS] = "TSPACKGE";

	at[8] = FORMAT_VERSION;
	at[9] = FORMAT_VERSION;
	at[10] = CIPHER_AES_256_GCM;
	at[11] = SIGNATURE_RSA_SHA_256;
	bytes_put_number(at + 12, 4, signature);
	bytes_put_number(at + 16, 8,
	    HEAD_OCTETS + plain_octets + chunks * TAG_OCTETS + signature);
	memcpy(at + 24, salt, SALT_OCTETS);
	memcpy(at + 56, release->fingerprint, sizeof release->fingerprint);
	buf_put(out, (struct bytes){at, sizeof at});
}

static bool
sign(const struct release *release, size_t from, struct buf *out)
{
	size_t octets = (size_t)EVP_PKEY_get_size(release->signer);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *at = buf_reserve(out, octets);
	bool good = ctx != NULL &&
		    EVP_DigestSignInit(
			ctx, NULL, EVP_sha256(), NULL, release->signer) == 1 &&
		    EVP_DigestSign(ctx, at, &octets, out->at + from,
			out->octets - from) == 1;

	if (good)
		out->octets += octets;
	EVP_MD_CTX_free(ctx);
	return good;
}

enum err
release_seal(const struct release *release, struct bytes plain, struct buf *out,
    struct fault *f)
{
	uint8_t salt[SALT_OCTETS];
	uint8_t key[KEY_OCTETS];
	size_t from = out->octets;
	enum err rc = OK;

	if (RAND_bytes(salt, sizeof salt) != 1 ||
	    !derive_key(release, salt, key))
		TRY(crypto_failed(f, "making a key"));
	write_head(release, salt, plain.octets, out);
	if (!seal_chunks(key, plain, out))
		TRY(crypto_failed(f, "encrypting"));
	if (!sign(release, from, out))
		TRY(crypto_failed(f, "signing"));
out:
	OPENSSL_cleanse(key, sizeof key);
	return rc;
}
