#include "device/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "device/backup_format.h"
#include "device/fields.h"
#include "store/record.h"
#include "wire/schema_enums.h"

enum {
	KEY_OCTETS = 32,
	SECRET_OVERHEAD_OCTETS = AEAD_NONCE_OCTETS + AEAD_TAG_OCTETS,
	/* kind, name and key, with a NUL between them */
	BOUND_OCTETS = 64 + 64 + 1024,
};

static const uint8_t magic[8] = {'T', 'S', 'B', 'A', 'C', 'K', 'U', 'P'};

/* ---- names ---- */

void
backup_file_name(
    const char *base, unsigned number, char out[BACKUP_FILE_NAME_OCTETS])
{
	(void)snprintf(out, BACKUP_FILE_NAME_OCTETS, "%s_%u_bkp", base, number);
}

/* What can be a part of a path, and of what others put beside it: letters,
 * digits and hyphens; underscores, which the names of a cluster's have. */
static bool
base_is_valid(struct bytes base)
{
	size_t k;

	for (k = 0; k < base.octets; k++) {
		uint8_t c = base.at[k];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') || c == '-' || c == '_'))
			return false;
	}
	return base.octets != 0 && base.octets <= BACKUP_BASE_OCTETS;
}

bool
backup_file_parse(
    struct bytes file_name, char base[BACKUP_BASE_OCTETS + 1], unsigned *number)
{
	static const char tail[] = "_bkp";
	size_t octets = file_name.octets;
	size_t digits = 0;
	unsigned value = 0;
	unsigned unit = 1;
	struct bytes head;

	if (octets < sizeof(tail) - 1 ||
	    memcmp(file_name.at + octets - (sizeof(tail) - 1), tail,
		sizeof(tail) - 1) != 0)
		return false;
	octets -= sizeof(tail) - 1;
	for (; octets > 0 && digits < 4; digits++, unit *= 10) {
		uint8_t c = file_name.at[octets - 1];

		if (c < '0' || c > '9')
			break;
		value += (unsigned)(c - '0') * unit;
		octets--;
	}
	if (digits == 0 || octets == 0 || file_name.at[octets - 1] != '_' ||
	    (digits > 1 && file_name.at[octets] == '0') ||
	    value >= BACKUP_FILES_MOST)
		return false;
	head = (struct bytes){file_name.at, octets - 1};
	if (!base_is_valid(head))
		return false;
	memcpy(base, head.at, head.octets);
	base[head.octets] = '\0';
	*number = value;
	return true;
}

/* ---- headers ---- */

static uint64_t
get_u64(const uint8_t *p)
{
	return (uint64_t)bytes_u32(p) << 32 | bytes_u32(p + 4);
}

static bool
description_is_valid(struct bytes text)
{
	size_t k;

	for (k = 0; k < text.octets; k++)
		if (text.at[k] < ' ' || text.at[k] == 0x7f)
			return false;
	return text.octets <= BACKUP_DESCRIPTION_OCTETS && bytes_is_utf8(text);
}

static enum err
header_mac(struct bytes header, const struct backup_keys *keys,
    uint8_t mac[DIGEST_MAX_OCTETS])
{
	return digest_hmac(HASHING_ALGORITHM_SHA_256, secret_peek(keys->header),
	    header, mac, NULL);
}

enum err
backup_header_write(const struct backup_header *header,
    const struct backup_keys *keys, struct buf *out)
{
	struct bytes base = bytes_of_text(header->base);
	struct bytes description = bytes_of_text(header->description);
	size_t octets = BACKUP_FIXED_OCTETS + base.octets + description.octets +
			BACKUP_MAC_OCTETS;
	uint8_t fixed[BACKUP_FIXED_OCTETS] = {0};
	uint8_t mac[DIGEST_MAX_OCTETS];
	enum err rc = OK;

	if (!base_is_valid(base) || !description_is_valid(description))
		TRY(ERR_LIMIT);
	memcpy(fixed, magic, sizeof(magic));
	fixed[8] = BACKUP_VERSION;
	fixed[9] = BACKUP_OLDEST_READER;
	bytes_put_u16(fixed + 10, (uint32_t)octets);
	bytes_put_u32(fixed + 12, header->iterations);
	memcpy(fixed + 16, header->salt, BACKUP_SALT_OCTETS);
	bytes_put_u64(fixed + 32, (uint64_t)header->made_s);
	bytes_put_u64(fixed + 40, header->octets);
	bytes_put_u16(fixed + 48, header->files);
	bytes_put_u16(fixed + 50, header->file);
	fixed[52] = (uint8_t)base.octets;
	bytes_put_u16(fixed + 53, (uint32_t)description.octets);
	buf_reset(out);
	TRY(buf_put(out, (struct bytes){fixed, sizeof(fixed)}));
	TRY(buf_put(out, base));
	TRY(buf_put(out, description));
	TRY(header_mac(buf_peek(out), keys, mac));
	TRY(buf_put(out, (struct bytes){mac, BACKUP_MAC_OCTETS}));
out:
	return rc;
}

static bool
header_is_sound(const struct backup_header *header)
{
	return header->iterations != 0 &&
	       header->iterations <= BACKUP_ITERATIONS_MOST &&
	       header->files != 0 && header->files <= BACKUP_FILES_MOST &&
	       header->file < header->files;
}

enum err
backup_header_read(struct bytes in, struct backup_header *out, size_t *octets)
{
	struct bytes rest = in;
	struct bytes fixed;
	struct bytes base;
	struct bytes description;
	struct bytes mac;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	if (in.octets >= sizeof(magic) &&
	    memcmp(in.at, magic, sizeof(magic)) != 0)
		TRY(ERR_VALUE);
	TRY(bytes_split(&rest, BACKUP_FIXED_OCTETS, &fixed));
	if (fixed.at[9] > BACKUP_VERSION)
		TRY(ERR_STORE_VERSION);
	TRY(bytes_split(&rest, fixed.at[52], &base));
	TRY(bytes_split(&rest, bytes_u16(fixed.at + 53), &description));
	TRY(bytes_split(&rest, BACKUP_MAC_OCTETS, &mac));
	if (bytes_u16(fixed.at + 10) != in.octets - rest.octets ||
	    !base_is_valid(base) || !description_is_valid(description))
		TRY(ERR_VALUE);
	out->iterations = bytes_u32(fixed.at + 12);
	memcpy(out->salt, fixed.at + 16, BACKUP_SALT_OCTETS);
	out->made_s = (int64_t)get_u64(fixed.at + 32);
	out->octets = get_u64(fixed.at + 40);
	out->files = bytes_u16(fixed.at + 48);
	out->file = bytes_u16(fixed.at + 50);
	memcpy(out->base, base.at, base.octets);
	if (description.octets != 0)
		memcpy(out->description, description.at, description.octets);
	if (!header_is_sound(out))
		TRY(ERR_VALUE);
	if (octets != NULL)
		*octets = in.octets - rest.octets;
out:
	return rc;
}

enum err
backup_header_verify(struct bytes header, const struct backup_keys *keys)
{
	uint8_t mac[DIGEST_MAX_OCTETS];
	struct bytes said;
	struct bytes body;
	enum err rc = OK;

	TRY(bytes_split(&header, header.octets - BACKUP_MAC_OCTETS, &body));
	said = header;
	TRY(header_mac(body, keys, mac));
	if (!secret_equal_bytes(said, (struct bytes){mac, BACKUP_MAC_OCTETS}))
		TRY(ERR_SEAL);
out:
	return rc;
}

enum err
backup_header_of(const char *path, struct backup_header *out)
{
	uint8_t at[BACKUP_HEADER_MAX_OCTETS];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t octets;
	enum err rc = OK;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	octets = pread(fd, at, sizeof(at), 0);
	if (octets < 0)
		TRY(ERR_SYSTEM);
	TRY(backup_header_read((struct bytes){at, (size_t)octets}, out, NULL));
out:
	(void)close(fd);
	return rc;
}

/* ---- keys ---- */

static enum err
key_derive(const struct secret *from, const char *label, struct secret **out)
{
	struct secret *made = NULL;
	enum err rc = OK;

	TRY(secret_new(DIGEST_MAX_OCTETS, &made));
	TRY(digest_hmac(HASHING_ALGORITHM_SHA_256, secret_peek(from),
	    bytes_of_text(label), secret_fill(made), NULL));
	TRY(secret_copy((struct bytes){secret_peek(made).at, KEY_OCTETS}, out));
out:
	secret_free(made);
	return rc;
}

enum err
backup_keys_new(struct bytes password, const uint8_t salt[BACKUP_SALT_OCTETS],
    unsigned iterations, struct backup_keys **out)
{
	struct backup_keys *keys = NULL;
	struct secret *root = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(keys));
	TRY(secret_new(KEY_OCTETS, &root));
	TRY(kdf_pbkdf2(password, (struct bytes){salt, BACKUP_SALT_OCTETS},
	    iterations, secret_fill(root), KEY_OCTETS));
	TRY(key_derive(root, "touchstone backup header", &keys->header));
	TRY(key_derive(root, "touchstone backup chunks", &keys->chunks));
	TRY(key_derive(root, "touchstone backup secrets", &keys->secrets));
	*out = keys;
	keys = NULL;
out:
	secret_free(root);
	backup_keys_free(keys);
	return rc;
}

void
backup_keys_free(struct backup_keys *keys)
{
	if (keys == NULL)
		return;
	secret_free(keys->header);
	secret_free(keys->chunks);
	secret_free(keys->secrets);
	mem_free(keys);
}

/* ---- secrets ---- */

static enum err
secret_bind(
    struct bytes kind, struct bytes key, const char *name, struct buf *out)
{
	static const struct bytes nul = {(const uint8_t *)"", 1};
	enum err rc = OK;

	TRY(buf_put(out, kind));
	TRY(buf_put(out, nul));
	TRY(buf_put_text(out, name));
	TRY(buf_put(out, nul));
	TRY(buf_put(out, key));
out:
	return rc;
}

enum err
backup_secret_wrap(const struct backup_keys *keys, struct env *env,
    struct bytes kind, struct bytes key, const char *name, struct bytes plain,
    struct buf *out)
{
	struct buf aad;
	struct buf wrapped;
	uint8_t *at;
	enum err rc = OK;

	buf_init(&aad, BOUND_OCTETS);
	buf_init(&wrapped, SECRET_OVERHEAD_OCTETS + plain.octets);
	TRY(secret_bind(kind, key, name, &aad));
	TRY(buf_reserve(&wrapped, SECRET_OVERHEAD_OCTETS + plain.octets, &at));
	TRY(env_random(env, at, AEAD_NONCE_OCTETS));
	TRY(aead_seal(secret_peek(keys->secrets).at, at, buf_peek(&aad), plain,
	    at + AEAD_NONCE_OCTETS));
	buf_added(&wrapped, SECRET_OVERHEAD_OCTETS + plain.octets);
	TRY(fields_put(out, name, buf_peek(&wrapped)));
out:
	buf_clear(&aad);
	buf_clear(&wrapped);
	return rc;
}

enum err
backup_secret_open(const struct backup_keys *keys, struct bytes kind,
    struct bytes key, const char *name, struct bytes secrets,
    struct secret **out)
{
	struct secret *room = NULL;
	struct bytes wrapped;
	struct bytes nonce;
	struct buf aad;
	enum err rc = OK;

	*out = NULL;
	buf_init(&aad, BOUND_OCTETS);
	TRY(fields_find(secrets, name, &wrapped));
	if (wrapped.octets <= SECRET_OVERHEAD_OCTETS)
		TRY(ERR_SEAL);
	TRY(secret_bind(kind, key, name, &aad));
	TRY(bytes_split(&wrapped, AEAD_NONCE_OCTETS, &nonce));
	TRY(secret_new(wrapped.octets - AEAD_TAG_OCTETS, &room));
	TRY(aead_open(secret_peek(keys->secrets).at, nonce.at, buf_peek(&aad),
	    wrapped, secret_fill(room)));
	*out = room;
	room = NULL;
out:
	secret_free(room);
	buf_clear(&aad);
	return rc;
}

/* ---- chunks ---- */

void
backup_chunk_head(enum backup_mark mark, size_t octets,
    uint8_t head[BACKUP_CHUNK_HEAD_OCTETS])
{
	head[0] = (uint8_t)mark;
	bytes_put_u24(head + 1, (uint32_t)octets);
}

bool
backup_chunk_parse(const uint8_t head[BACKUP_CHUNK_HEAD_OCTETS],
    enum backup_mark *mark, size_t *octets)
{
	if (head[0] > MARK_END)
		return false;
	*mark = (enum backup_mark)head[0];
	*octets = bytes_u24(head + 1);
	return *octets <= BACKUP_CHUNK_OCTETS &&
	       (*mark == MARK_END || *octets == BACKUP_CHUNK_OCTETS);
}

void
backup_chunk_bind(const struct backup_place *place,
    const uint8_t head[BACKUP_CHUNK_HEAD_OCTETS],
    uint8_t nonce[AEAD_NONCE_OCTETS], uint8_t aad[BACKUP_AAD_OCTETS])
{
	memset(nonce, 0, AEAD_NONCE_OCTETS - 8);
	bytes_put_u64(nonce + AEAD_NONCE_OCTETS - 8, place->number);
	memcpy(aad, head, BACKUP_CHUNK_HEAD_OCTETS);
	bytes_put_u16(aad + BACKUP_CHUNK_HEAD_OCTETS, place->file);
}

/* ---- rows ---- */

enum err
backup_row_write(const struct backup_row *row, struct buf *out)
{
	uint8_t length[BACKUP_ROW_HEAD_OCTETS];
	struct buf body;
	enum err rc = OK;

	buf_init(&body, BACKUP_ROW_MAX_OCTETS);
	TRY(fields_put_text(&body, "item", backup_item_row(row->item)->word));
	TRY(fields_put(&body, "kind", row->kind));
	TRY(fields_put(&body, "key", row->key));
	TRY(fields_put(&body, "value", row->value));
	TRY(fields_put(&body, "secrets", row->secrets));
	bytes_put_u32(length, (uint32_t)body.octets);
	TRY(buf_put(out, (struct bytes){length, sizeof(length)}));
	TRY(buf_put(out, buf_peek(&body)));
out:
	buf_clear(&body);
	return rc;
}

/* Can rows of this kind be of that item? */
static enum err
kind_fits(const struct backup_row *row)
{
	const struct backup_kind_row *kind;
	enum backup_item item;

	if (bytes_equal_text(row->kind, BACKUP_KIND_ITEM))
		return OK;
	if (bytes_equal_text(row->kind, BACKUP_KIND_OBJECT))
		return row->item == ITEM_KEYS || row->item == ITEM_KMIP
			   ? OK
			   : ERR_VALUE;
	kind = backup_kind_find(row->kind, row->key);
	if (kind == NULL || kind->item == ITEM_NONE)
		return ERR_STORE_VERSION;
	/* a setting that was there once is no reason to refuse the others */
	item = backup_item_of_record(row->kind, row->key);
	return item == row->item || item == ITEM_NONE ? OK : ERR_VALUE;
}

/* No longer than the store takes: others make room for a key by that. */
static bool
key_fits(const struct backup_row *row)
{
	if (bytes_equal_text(row->kind, BACKUP_KIND_OBJECT))
		return row->key.octets <= OBJECT_ID_MAX_OCTETS;
	return row->key.octets <= RECORD_KEY_MAX_OCTETS;
}

static enum err
need(struct bytes in, const char *name, struct bytes *out)
{
	enum err rc = fields_find(in, name, out);

	return rc == ERR_NOT_FOUND || rc == ERR_TRUNCATED ? ERR_VALUE : rc;
}

enum err
backup_row_read(struct bytes in, struct backup_row *out)
{
	struct bytes item;
	enum err rc = OK;

	TRY(need(in, "item", &item));
	TRY(need(in, "kind", &out->kind));
	TRY(need(in, "key", &out->key));
	TRY(need(in, "value", &out->value));
	TRY(need(in, "secrets", &out->secrets));
	if (!backup_item_find(item, &out->item))
		TRY(ERR_STORE_VERSION);
	TRY(kind_fits(out));
	if (!key_fits(out))
		TRY(ERR_VALUE);
out:
	return rc;
}

/* ---- objects ---- */

enum err
backup_object_write(const struct object *o, struct buf *out)
{
	struct buf attrs;
	enum err rc = OK;

	buf_init(&attrs, BACKUP_ROW_MAX_OCTETS);
	TRY(fields_put_number(out, "type", o->object_type));
	TRY(fields_put(out, "owner", o->owner));
	TRY(object_encode_attrs(o, &attrs));
	TRY(fields_put(out, "attributes", buf_peek(&attrs)));
	TRY(fields_put_number(out, "value-version", (int64_t)o->value_version));
	if (!o->value_sealed && o->value.octets != 0)
		TRY(fields_put(out, "value", o->value));
out:
	buf_clear(&attrs);
	return rc;
}

enum err
backup_object_read(
    const struct backup_row *row, struct object **out, bool *sealed)
{
	struct object *o = NULL;
	struct bytes owner;
	struct bytes attrs;
	struct bytes value;
	int64_t type = 0;
	int64_t version = 0;
	enum err rc = OK;

	*out = NULL;
	*sealed = row->secrets.octets != 0;
	TRY(fields_number(row->value, "type", &type));
	TRY(need(row->value, "owner", &owner));
	TRY(need(row->value, "attributes", &attrs));
	TRY(fields_number(row->value, "value-version", &version));
	if (type <= 0 || type > INT32_MAX || version < 0)
		TRY(ERR_VALUE);
	TRY(object_decode(row->key, owner, (uint32_t)type, attrs, &o));
	rc = fields_find(row->value, "value", &value);
	if (rc == OK)
		TRY(object_set_value(o, value, false));
	else if (rc != ERR_NOT_FOUND)
		TRY(ERR_VALUE);
	rc = OK;
	o->value_version = (uint64_t)version;
	*out = o;
	o = NULL;
out:
	object_free(o);
	return rc;
}
