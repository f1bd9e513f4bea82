#include "device/package.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/keyfile.h"
#include "crypto/keyuse.h"
#include "crypto/pki.h"
#include "device/package_format.h"

struct package_trust {
	struct buf der;
	struct keyparts signer;                 /* points into it */
	uint8_t fingerprint[DIGEST_MAX_OCTETS]; /* SHA-256 of der */
	struct secret *key;                     /* of the encryption */
};

struct package {
	int fd;
	uint64_t body;  /* octets of the file without its signature */
	uint64_t plain; /* ... of what its chunks hold */
	uint8_t key[AEAD_KEY_OCTETS];
	uint64_t content; /* where the components begin, in the plain text */
	struct package_manifest manifest;
};

static enum err
refuse(char why[PACKAGE_WHY_OCTETS], enum err rc, const char *text)
{
	(void)snprintf(why, PACKAGE_WHY_OCTETS, "%s", text);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Trust
 */

enum {
	SIGNER_LEAST_BITS = 2048,
	SIGNER_MOST_BITS = 8 * PACKAGE_SIGNATURE_MOST_OCTETS,
};

#define KEY_BEGIN "-----BEGIN PACKAGE KEY-----\n"
#define KEY_END   "-----END PACKAGE KEY-----\n"

/* What stands before `mark` in *text, which goes on behind it. */
static enum err
split_at(struct bytes *text, const char *mark, struct bytes *before)
{
	const uint8_t *found = NULL;
	struct bytes skipped;
	enum err rc = OK;

	if (text->octets != 0)
		found = memmem(text->at, text->octets, mark, strlen(mark));
	if (found == NULL)
		return ERR_CONFIG;
	TRY(bytes_split(text, (size_t)(found - text->at), before));
	TRY(bytes_split(text, strlen(mark), &skipped));
out:
	return rc;
}

static enum err
read_signer(struct package_trust *trust, struct bytes text)
{
	struct fault f = {""};
	const char *why = "";
	enum err rc = OK;

	TRY(pki_pem_read(PKI_RSA_PUBLIC, text, &trust->der, &why));
	TRY(keyformat_read(KEY_FORMAT_TYPE_PKCS_1, false, buf_peek(&trust->der),
	    &trust->signer, &f));
	TRY(keyformat_measure(&trust->signer, &f));
	if (trust->signer.key_bits < SIGNER_LEAST_BITS ||
	    trust->signer.key_bits > SIGNER_MOST_BITS)
		TRY(ERR_CONFIG);
	TRY(digest_make(HASHING_ALGORITHM_SHA_256, buf_peek(&trust->der),
	    trust->fingerprint, NULL));
out:
	return rc;
}

static enum err
read_key(struct package_trust *trust, struct bytes text)
{
	/* a group more, so that a longer key is seen to be one */
	uint8_t at[AEAD_KEY_OCTETS + BASE64_GROUP_OCTETS];
	struct base64 base64 = {0};
	size_t octets;
	enum err rc = OK;

	TRY(base64_read(&base64, &text, true, at, sizeof(at), &octets));
	TRY(base64_end(&base64));
	if (text.octets != 0 || octets != AEAD_KEY_OCTETS)
		TRY(ERR_CONFIG);
	TRY(secret_copy((struct bytes){at, octets}, &trust->key));
out:
	secret_wipe(at, sizeof(at));
	return rc;
}

enum err
package_trust_read(struct bytes text, struct package_trust **out)
{
	struct package_trust *trust = NULL;
	struct bytes signer;
	struct bytes key;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(trust));
	buf_init(&trust->der, PACKAGE_TRUST_MAX_OCTETS);
	TRY(split_at(&text, KEY_BEGIN, &signer));
	TRY(split_at(&text, KEY_END, &key));
	if (text.octets != 0)
		TRY(ERR_CONFIG);
	TRY(read_signer(trust, signer));
	TRY(read_key(trust, key));
	*out = trust;
	trust = NULL;
out:
	package_trust_free(trust);
	return rc == OK || rc == ERR_NOMEM || rc == ERR_CRYPTO ? rc
							       : ERR_CONFIG;
}

enum err
package_trust_load(const char *path, struct package_trust **out)
{
	struct secret *text = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(keyfile_read(path, PACKAGE_TRUST_MAX_OCTETS, &text));
	TRY(package_trust_read(secret_peek(text), out));
out:
	secret_free(text);
	if (rc != OK)
		log_line("device", LOG_ERROR, "trust file %s: %s", path,
		    err_text(rc));
	return rc;
}

void
package_trust_free(struct package_trust *trust)
{
	if (trust == NULL)
		return;
	buf_clear(&trust->der);
	secret_free(trust->key);
	mem_free(trust);
}

/* ---------------------------------------------------------------------------
 * Versions
 */

/* Digits, without a zero before others. */
static enum err
take_number(struct bytes *in, unsigned *out)
{
	size_t k = 0;

	*out = 0;
	while (k < in->octets && in->at[k] >= '0' && in->at[k] <= '9') {
		if (k == PACKAGE_NUMBER_DIGITS || (k == 1 && *out == 0))
			return ERR_VALUE;
		*out = *out * 10 + (unsigned)(in->at[k] - '0');
		k++;
	}
	in->at += k;
	in->octets -= k;
	return k != 0 ? OK : ERR_VALUE;
}

static enum err
take_mark(struct bytes *in, uint8_t mark)
{
	if (in->octets == 0 || in->at[0] != mark)
		return ERR_VALUE;
	in->at++;
	in->octets--;
	return OK;
}

enum err
package_version_read(struct bytes text, struct package_version *out)
{
	enum err rc = OK;

	*out = (struct package_version){0};
	if (text.octets > PACKAGE_VERSION_OCTETS)
		TRY(ERR_VALUE);
	TRY(take_number(&text, &out->major));
	TRY(take_mark(&text, '.'));
	TRY(take_number(&text, &out->minor));
	TRY(take_mark(&text, '.'));
	TRY(take_number(&text, &out->update));
	if (text.octets == 0)
		return OK;
	TRY(take_mark(&text, 'p'));
	TRY(take_number(&text, &out->patch));
	if (out->patch == 0 || text.octets != 0)
		TRY(ERR_VALUE);
out:
	return rc;
}

static int
order(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

int
package_version_compare(
    const struct package_version *a, const struct package_version *b)
{
	int by = order(a->major, b->major);

	if (by == 0)
		by = order(a->minor, b->minor);
	if (by == 0)
		by = order(a->update, b->update);
	if (by == 0)
		by = order(a->patch, b->patch);
	return by;
}

/* ---------------------------------------------------------------------------
 * The manifest
 */

/* A line of it: what stands before " = ", and what behind. */
struct line {
	struct bytes name;
	struct bytes value;
};

static enum err
next_line(struct bytes *text, struct line *out)
{
	static const char between[] = " = ";
	const uint8_t *end = memchr(text->at, '\n', text->octets);
	const uint8_t *mark;
	struct bytes line, rest;
	size_t k;

	if (end == NULL)
		return ERR_VALUE;
	line = (struct bytes){text->at, (size_t)(end - text->at)};
	text->octets -= line.octets + 1;
	text->at = end + 1;
	for (k = 0; k < line.octets; k++)
		if (line.at[k] < ' ' || line.at[k] == 0x7F)
			return ERR_VALUE;
	mark = memmem(line.at, line.octets, between, strlen(between));
	if (mark == NULL || !bytes_is_utf8(line))
		return ERR_VALUE;
	rest = (struct bytes){mark + strlen(between),
	    line.octets - (size_t)(mark - line.at) - strlen(between)};
	*out = (struct line){
	    .name = {line.at, (size_t)(mark - line.at)}, .value = rest};
	return OK;
}

static enum err
take_text(struct bytes value, size_t most, char *out)
{
	if (value.octets == 0 || value.octets > most)
		return ERR_VALUE;
	memcpy(out, value.at, value.octets);
	out[value.octets] = '\0';
	return OK;
}

/* All of it digits, as many as fit without a thought. */
static enum err
take_count(struct bytes value, uint64_t *out)
{
	enum { DIGITS = 18 };
	size_t k;

	*out = 0;
	if (value.octets == 0 || value.octets > DIGITS)
		return ERR_VALUE;
	for (k = 0; k < value.octets; k++) {
		if (value.at[k] < '0' || value.at[k] > '9')
			return ERR_VALUE;
		*out = *out * 10 + (uint64_t)(value.at[k] - '0');
	}
	return OK;
}

/* ---- one function for each kind of line ---- */

static enum err
take_type(struct package_manifest *m, struct bytes value)
{
	if (bytes_equal_text(value, "software"))
		m->type = PACKAGE_SOFTWARE;
	else if (bytes_equal_text(value, "licence"))
		m->type = PACKAGE_LICENCE;
	else
		return ERR_VALUE;
	return OK;
}

static enum err
take_product(struct package_manifest *m, struct bytes value)
{
	(void)m;
	return bytes_equal_text(value, PACKAGE_PRODUCT) ? OK : ERR_FEATURE;
}

static enum err
take_version(struct package_manifest *m, struct bytes value)
{
	struct package_version version;
	enum err rc = OK;

	TRY(package_version_read(value, &version));
	TRY(take_text(value, PACKAGE_VERSION_OCTETS, m->version));
out:
	return rc;
}

static enum err
take_made(struct package_manifest *m, struct bytes value)
{
	uint64_t made_s;
	enum err rc = OK;

	TRY(take_count(value, &made_s));
	m->made_s = (int64_t)made_s;
out:
	return rc;
}

static enum err
take_notes(struct package_manifest *m, struct bytes value)
{
	return take_text(value, PACKAGE_NOTES_OCTETS, m->notes);
}

static enum err
take_clients(struct package_manifest *m, struct bytes value)
{
	uint64_t clients;
	enum err rc = OK;

	TRY(take_count(value, &clients));
	if (clients == 0 || clients > UINT32_MAX)
		TRY(ERR_VALUE);
	m->clients = (uint32_t)clients;
out:
	return rc;
}

/* The name is part of a path: of these characters, and no dot first. */
static bool
names_component(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	return name[0] != '.' && strspn(name, allowed) == strlen(name);
}

static enum err
take_component(struct package_manifest *m, struct bytes value)
{
	struct package_component *c = &m->components[m->component_count];
	const uint8_t *blank = memchr(value.at, ' ', value.octets);
	struct bytes name, octets;
	size_t k;
	enum err rc = OK;

	if (blank == NULL || m->component_count == PACKAGE_COMPONENTS_MOST)
		return ERR_VALUE;
	name = (struct bytes){value.at, (size_t)(blank - value.at)};
	octets = (struct bytes){blank + 1, value.octets - name.octets - 1};
	TRY(take_text(name, PACKAGE_NAME_OCTETS, c->name));
	TRY(take_count(octets, &c->octets));
	if (!names_component(c->name) || c->octets > PACKAGE_MOST_OCTETS)
		TRY(ERR_VALUE);
	for (k = 0; k < m->component_count; k++)
		if (strcmp(m->components[k].name, c->name) == 0)
			TRY(ERR_VALUE);
	m->component_count++;
out:
	return rc;
}

/* Which packages have such a line. */
enum has { HAS_MAY, HAS_MUST, HAS_SOFTWARE, HAS_LICENCE };

static const struct {
	const char *name;
	enum err (*take)(struct package_manifest *m, struct bytes value);
	enum has has;
	bool several;
} lines[] = {
    {"type", take_type, HAS_MUST, false},
    {"product", take_product, HAS_MUST, false},
    {"version", take_version, HAS_SOFTWARE, false},
    {"made", take_made, HAS_MUST, false},
    {"notes", take_notes, HAS_MAY, false},
    {"clients", take_clients, HAS_LICENCE, false},
    {"component", take_component, HAS_SOFTWARE, true},
};

enum { LINES = sizeof(lines) / sizeof(lines[0]) };

static bool
must_have(const struct package_manifest *m, enum has has)
{
	return has == HAS_MUST ||
	       has ==
		   (m->type == PACKAGE_SOFTWARE ? HAS_SOFTWARE : HAS_LICENCE);
}

enum err
package_manifest_read(struct bytes text, struct package_manifest *out)
{
	bool seen[LINES] = {false};
	struct line line;
	size_t k;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	while (text.octets != 0) {
		TRY(next_line(&text, &line));
		for (k = 0; k < LINES; k++)
			if (bytes_equal_text(line.name, lines[k].name))
				break;
		if (k == LINES)
			continue; /* a later release's */
		if (seen[k] && !lines[k].several)
			TRY(ERR_VALUE);
		seen[k] = true;
		TRY(lines[k].take(out, line.value));
	}
	for (k = 0; k < LINES; k++)
		if (must_have(out, lines[k].has) && !seen[k])
			TRY(ERR_VALUE);
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * The file
 */

/* Of the header, in the clear. */
struct head {
	uint8_t oldest_reader;
	uint8_t cipher;
	uint8_t signature;
	uint32_t signature_octets;
	uint64_t octets; /* of the file */
	uint8_t at[PACKAGE_HEAD_OCTETS];
};

/* Fewer are there than were, or than there should be: ERR_SEAL. */
static enum err
read_at(int fd, uint8_t *at, size_t octets, uint64_t place)
{
	enum err rc = file_read_at(fd, at, octets, place);

	return rc == ERR_TRUNCATED ? ERR_SEAL : rc;
}

static enum err
read_head(int fd, uint64_t octets, struct head *h, char *why)
{
	enum err rc = OK;

	if (octets < PACKAGE_HEAD_OCTETS)
		TRY(refuse(why, ERR_VALUE, "this is no package"));
	TRY(read_at(fd, h->at, sizeof(h->at), 0));
	if (memcmp(h->at, PACKAGE_MAGIC, strlen(PACKAGE_MAGIC)) != 0)
		TRY(refuse(why, ERR_VALUE, "this is no package"));
	h->oldest_reader = h->at[PACKAGE_AT_OLDEST_READER];
	h->cipher = h->at[PACKAGE_AT_CIPHER];
	h->signature = h->at[PACKAGE_AT_SIGNATURE];
	h->signature_octets = bytes_u32(h->at + PACKAGE_AT_SIGNATURE_OCTETS);
	h->octets = (uint64_t)bytes_u32(h->at + PACKAGE_AT_OCTETS) << 32 |
		    bytes_u32(h->at + PACKAGE_AT_OCTETS + 4);
	if (h->oldest_reader > PACKAGE_VERSION)
		TRY(refuse(why, ERR_STORE_VERSION,
		    "the package is of a later release, which this one cannot "
		    "read"));
out:
	return rc;
}

/* Nothing of it is verified yet; what it says of itself is held against it. */
static enum err
judge_head(const struct head *h, const struct package_trust *trust,
    uint64_t octets, char *why)
{
	if (h->signature != PACKAGE_RSA_SHA_256)
		return refuse(why, ERR_DENIED, "the package is not signed");
	if (memcmp(h->at + PACKAGE_AT_FINGERPRINT, trust->fingerprint,
		PACKAGE_FINGERPRINT_OCTETS) != 0)
		return refuse(why, ERR_DENIED,
		    "the package is signed by another key than the one that "
		    "this device trusts");
	if (h->octets != octets ||
	    h->signature_octets != trust->signer.modulus.octets ||
	    octets < PACKAGE_HEAD_OCTETS + h->signature_octets)
		return refuse(why, ERR_SEAL,
		    "the package is damaged: octets are missing");
	return OK;
}

static enum err
digest_file(struct keyuse *use, int fd, uint64_t octets)
{
	uint8_t piece[PACKAGE_CHUNK_OCTETS];
	uint64_t place = 0;
	size_t none;
	enum err rc = OK;

	while (place < octets) {
		size_t room = sizeof(piece);

		if (octets - place < room)
			room = (size_t)(octets - place);
		TRY(read_at(fd, piece, room, place));
		TRY(keyuse_update(
		    use, (struct bytes){piece, room}, NULL, &none));
		place += room;
	}
out:
	return rc;
}

static enum err
verify(int fd, const struct head *h, const struct package_trust *trust,
    uint64_t body, char *why)
{
	struct keyuse_order order = {.action = ACTION_SIGNV,
	    .key_algorithm = CRYPTOGRAPHIC_ALGORITHM_RSA,
	    .rsa = &trust->signer};
	uint8_t signature[PACKAGE_SIGNATURE_MOST_OCTETS];
	struct keyuse *use = NULL;
	struct fault f = {""};
	bool right = false;
	enum err rc = OK;

	TRY(transform_find(
	    order.action, bytes_of_text("SHA256withRSA"), &order.transform));
	TRY(keyuse_new(&order, &f, &use));
	TRY(digest_file(use, fd, body));
	TRY(read_at(fd, signature, h->signature_octets, body));
	TRY(keyuse_verify(
	    use, (struct bytes){signature, h->signature_octets}, &right));
	if (!right)
		TRY(refuse(why, ERR_SEAL,
		    "the package is damaged: its signature does not fit what "
		    "is in it"));
out:
	keyuse_free(use);
	return rc;
}

/* ---- what is encrypted ---- */

/* "touchstone package", and the salt of this one */
static enum err
derive_key(const struct package_trust *trust, const struct head *h,
    uint8_t key[AEAD_KEY_OCTETS])
{
	static const char purpose[] = "touchstone package";
	uint8_t in[sizeof(purpose) - 1 + PACKAGE_SALT_OCTETS];
	uint8_t out[DIGEST_MAX_OCTETS];
	enum err rc = OK;

	memcpy(in, purpose, sizeof(purpose) - 1);
	memcpy(in + sizeof(purpose) - 1, h->at + PACKAGE_AT_SALT,
	    PACKAGE_SALT_OCTETS);
	TRY(digest_hmac(HASHING_ALGORITHM_SHA_256, secret_peek(trust->key),
	    (struct bytes){in, sizeof(in)}, out, NULL));
	memcpy(key, out, AEAD_KEY_OCTETS);
out:
	secret_wipe(out, sizeof(out));
	return rc;
}

enum { CHUNK_FILE_OCTETS = PACKAGE_CHUNK_OCTETS + AEAD_TAG_OCTETS };

/* All chunks but the last are full; the last has an octet at least. */
static enum err
count_plain(struct package *package)
{
	uint64_t sealed = package->body - PACKAGE_HEAD_OCTETS;
	uint64_t full = sealed / CHUNK_FILE_OCTETS;
	uint64_t last = sealed % CHUNK_FILE_OCTETS;

	if (last != 0 && last <= AEAD_TAG_OCTETS)
		return ERR_VALUE;
	package->plain = full * PACKAGE_CHUNK_OCTETS;
	if (last != 0)
		package->plain += last - AEAD_TAG_OCTETS;
	return OK;
}

static enum err
open_chunk(const struct package *package, uint64_t number,
    uint8_t plain[PACKAGE_CHUNK_OCTETS], size_t *octets)
{
	uint64_t left = package->plain - number * PACKAGE_CHUNK_OCTETS;
	uint8_t sealed[CHUNK_FILE_OCTETS];
	uint8_t nonce[AEAD_NONCE_OCTETS] = {0};
	uint8_t is_last = left <= PACKAGE_CHUNK_OCTETS;
	enum err rc = OK;

	*octets = is_last ? (size_t)left : PACKAGE_CHUNK_OCTETS;
	TRY(read_at(package->fd, sealed, *octets + AEAD_TAG_OCTETS,
	    PACKAGE_HEAD_OCTETS + number * CHUNK_FILE_OCTETS));
	bytes_put_u64(nonce + 4, number);
	TRY(aead_open(package->key, nonce, (struct bytes){&is_last, 1},
	    (struct bytes){sealed, *octets + AEAD_TAG_OCTETS}, plain));
out:
	return rc;
}

/* That many octets of the plain text. */
static enum err
read_plain(const struct package *package, uint64_t from, uint64_t octets,
    package_sink_fn *sink, void *ctx)
{
	uint8_t plain[PACKAGE_CHUNK_OCTETS];
	size_t have, skip, take;
	enum err rc = OK;

	if (from > package->plain || octets > package->plain - from)
		TRY(ERR_VALUE);
	while (octets != 0) {
		TRY(open_chunk(
		    package, from / PACKAGE_CHUNK_OCTETS, plain, &have));
		skip = (size_t)(from % PACKAGE_CHUNK_OCTETS);
		take = have - skip;
		if (take > octets)
			take = (size_t)octets;
		TRY(sink(ctx, (struct bytes){plain + skip, take}));
		from += take;
		octets -= take;
	}
out:
	secret_wipe(plain, sizeof(plain));
	return rc;
}

static enum err
keep_octets(void *ctx, struct bytes octets)
{
	return buf_put(ctx, octets);
}

static enum err
forget_octets(void *ctx, struct bytes octets)
{
	(void)ctx;
	(void)octets;
	return OK;
}

static enum err
read_manifest(struct package *package)
{
	struct buf text;
	struct buf count;
	uint64_t content = PACKAGE_COUNT_OCTETS;
	uint32_t octets;
	size_t k;
	enum err rc = OK;

	buf_init(&count, PACKAGE_COUNT_OCTETS);
	buf_init(&text, PACKAGE_MANIFEST_MAX_OCTETS);
	TRY(read_plain(package, 0, PACKAGE_COUNT_OCTETS, keep_octets, &count));
	octets = bytes_u32(count.at);
	if (octets > PACKAGE_MANIFEST_MAX_OCTETS)
		TRY(ERR_VALUE);
	TRY(read_plain(
	    package, PACKAGE_COUNT_OCTETS, octets, keep_octets, &text));
	TRY(package_manifest_read(buf_peek(&text), &package->manifest));
	content += octets;
	package->content = content;
	for (k = 0; k < package->manifest.component_count; k++)
		content += package->manifest.components[k].octets;
	if (content != package->plain)
		TRY(ERR_VALUE);
out:
	buf_clear(&count);
	buf_clear(&text);
	return rc;
}

/* All of it opens, and is what it has to be. */
static enum err
read_body(struct package *package, char *why)
{
	enum err rc = count_plain(package);

	if (rc == OK)
		rc =
		    read_plain(package, 0, package->plain, forget_octets, NULL);
	if (rc == ERR_SEAL)
		return refuse(why, rc,
		    "the package is encrypted under another key than this "
		    "device has");
	if (rc == OK)
		rc = read_manifest(package);
	if (rc == ERR_VALUE)
		return refuse(why, rc, "the package is malformed");
	if (rc == ERR_FEATURE)
		return refuse(why, rc, "the package is for another product");
	return rc;
}

static enum err
file_octets(int fd, uint64_t *octets, char *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ERR_SYSTEM;
	if (!S_ISREG(st.st_mode))
		return refuse(why, ERR_VALUE, "this is no package");
	*octets = (uint64_t)st.st_size;
	if (*octets > PACKAGE_MOST_OCTETS)
		return refuse(why, ERR_LIMIT, "the package is too large");
	return OK;
}

static enum err
open_trusted(int fd, const struct package_trust *trust, struct package *package,
    char *why)
{
	struct head h;
	uint64_t octets;
	enum err rc = OK;

	TRY(file_octets(fd, &octets, why));
	TRY(read_head(fd, octets, &h, why));
	TRY(judge_head(&h, trust, octets, why));
	package->body = octets - h.signature_octets;
	TRY(verify(fd, &h, trust, package->body, why));
	if (h.cipher != PACKAGE_AES_256_GCM)
		TRY(refuse(why, ERR_DENIED, "the package is not encrypted"));
	TRY(derive_key(trust, &h, package->key));
	package->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (package->fd < 0)
		TRY(ERR_SYSTEM);
	TRY(read_body(package, why));
out:
	return rc;
}

enum err
package_open(int fd, const struct package_trust *trust, struct package **out,
    char why[PACKAGE_WHY_OCTETS])
{
	struct package *package = NULL;
	enum err rc = OK;

	*out = NULL;
	*why = '\0';
	if (trust == NULL)
		TRY(refuse(why, ERR_CONFIG,
		    "nothing can be installed: this device was given no trust "
		    "file"));
	TRY(MEM_NEW(package));
	package->fd = -1;
	TRY(open_trusted(fd, trust, package, why));
	*out = package;
	package = NULL;
out:
	if (rc != OK && *why == '\0')
		(void)refuse(why, rc, err_text(rc));
	package_close(package);
	return rc;
}

void
package_close(struct package *package)
{
	if (package == NULL)
		return;
	if (package->fd >= 0)
		(void)close(package->fd);
	secret_wipe(package->key, sizeof(package->key));
	mem_free(package);
}

const struct package_manifest *
package_manifest(const struct package *package)
{
	return &package->manifest;
}

enum err
package_find(const struct package *package, const char *name, size_t *number)
{
	const struct package_manifest *m = &package->manifest;

	for (*number = 0; *number < m->component_count; ++*number)
		if (strcmp(m->components[*number].name, name) == 0)
			return OK;
	return ERR_NOT_FOUND;
}

enum err
package_read(struct package *package, size_t number, uint64_t from,
    uint64_t octets, package_sink_fn *sink, void *ctx)
{
	const struct package_component *c = package->manifest.components;
	uint64_t content = package->content;
	size_t k;
	enum err rc;

	assert(number < package->manifest.component_count);
	assert(from <= c[number].octets && octets <= c[number].octets - from);
	for (k = 0; k < number; k++)
		content += c[k].octets;
	rc = read_plain(package, content + from, octets, sink, ctx);
	return rc == ERR_VALUE ? ERR_SEAL : rc;
}
