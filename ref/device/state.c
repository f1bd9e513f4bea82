#include "device/state.h"

#include <stdio.h>
#include <string.h>

#include "base/percent.h"
#include "crypto/digest.h"
#include "crypto/vault.h"
#include "device/backup_item.h"
#include "device/fields.h"
#include "store/record.h"
#include "wire/ttlv.h"

enum {
	/* each octet may become three */
	LINE_MAX_OCTETS = 3 * OBJECT_CAP_OCTETS + 4096,
	ARENA_OCTETS = 16 * OBJECT_CAP_OCTETS,
	SEAL_NAME_OCTETS = RECORD_KIND_MAX_OCTETS + RECORD_KEY_MAX_OCTETS + 2,
	SEAL_VERSION = 1,
	FIELD_LEAST_OCTETS = 1 + 1 + 4, /* with a name of one letter */
};

struct walk {
	const struct state_source *source;
	state_fn *each;
	void *ctx;
	struct arena *arena; /* of one line */
	struct buf line;
	const char *kind; /* of the records that are walked */
};

/* out  may be what `first` points to */
static enum err
two_as_one(struct bytes key, struct bytes first, struct bytes second,
    uint8_t out[STATE_DIGEST_OCTETS])
{
	uint8_t macs[STATE_DIGEST_OCTETS + DIGEST_MAX_OCTETS];
	uint8_t one[DIGEST_MAX_OCTETS];
	enum err rc = OK;

	TRY(digest_hmac(HASHING_ALGORITHM_SHA_256, key, first, macs, NULL));
	TRY(digest_hmac(HASHING_ALGORITHM_SHA_256, key, second,
	    macs + STATE_DIGEST_OCTETS, NULL));
	TRY(digest_hmac(HASHING_ALGORITHM_SHA_256, key,
	    (struct bytes){macs, 2 * STATE_DIGEST_OCTETS}, one, NULL));
	memcpy(out, one, STATE_DIGEST_OCTETS);
out:
	return rc;
}

/* ---- words ---- */

static enum err
put_hex(struct walk *w, const uint8_t *at, size_t octets)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t text[128];
	size_t filled = 0;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < octets; k++) {
		text[filled++] = (uint8_t)digits[at[k] >> 4];
		text[filled++] = (uint8_t)digits[at[k] & 15];
		if (filled < sizeof(text) && k + 1 < octets)
			continue;
		TRY(buf_put(&w->line, (struct bytes){text, filled}));
		filled = 0;
	}
out:
	return rc;
}

/* name: so that one secret in two places is two words */
static enum err
put_secret(struct walk *w, struct bytes name, struct bytes secret)
{
	uint8_t mac[STATE_DIGEST_OCTETS];
	enum err rc = OK;

	TRY(two_as_one(w->source->key, name, secret, mac));
	TRY(buf_put_text(&w->line, "hmac:"));
	TRY(put_hex(w, mac, sizeof(mac)));
out:
	return rc;
}

static enum err
put_name(struct walk *w, struct bytes name)
{
	enum err rc = OK;

	TRY(buf_put_text(&w->line, " "));
	TRY(percent_put(&w->line, name));
	TRY(buf_put_text(&w->line, "="));
out:
	return rc;
}

static enum err
line_begin(struct walk *w, const char *what)
{
	buf_reset(&w->line);
	arena_reset(w->arena);
	return buf_put_text(&w->line, what);
}

/* ---- records ---- */

/* Fields whose values would be of use to who guesses passwords. */
static bool
is_hidden(struct bytes name)
{
	return bytes_equal_text(name, "password") ||
	       bytes_equal_text(name, "history");
}

static enum err
put_sealed(struct walk *w, const struct backup_kind_row *row, struct bytes key,
    struct bytes sealed)
{
	char room[SEAL_NAME_OCTETS];
	struct bytes name = {(const uint8_t *)room, 0};
	struct secret *secret = NULL;
	struct bytes plain;
	enum err rc = OK;

	name.octets = (size_t)snprintf(room, sizeof(room), "%s/%.*s", row->kind,
	    (int)key.octets, (const char *)key.at);
	if (row->seal == SEAL_VAULT) {
		TRY(vault_open(w->source->vault, room, sealed, &secret));
		plain = secret_peek(secret);
	} else {
		TRY(keystore_open(w->source->keystore, w->source->loan, name,
		    SEAL_VERSION, sealed, w->arena, &plain));
	}
	TRY(put_secret(w, name, plain));
out:
	secret_free(secret);
	return rc;
}

static enum err
put_field(struct walk *w, const struct backup_kind_row *row, struct bytes key,
    const struct field *field)
{
	enum err rc = OK;

	if (backup_is_fleeting(row, field->name))
		return OK;
	TRY(put_name(w, field->name));
	if (row->seal != SEAL_NONE &&
	    bytes_equal_text(field->name, row->sealed))
		TRY(put_sealed(w, row, key, field->value));
	else if (is_hidden(field->name))
		TRY(put_secret(w, field->name, field->value));
	else
		TRY(percent_put(&w->line, field->value));
out:
	return rc;
}

/*
 * All of them, sorted by name and lists in their order: whoever writes a record
 * may put its fields in any. ERR_VALUE: it is another kind of value
 */
static enum err
fields_sorted(
    struct walk *w, struct bytes value, struct field **out, size_t *count)
{
	struct field field;
	size_t room = value.octets / FIELD_LEAST_OCTETS + 1;
	size_t k;
	enum err rc = OK;

	*count = 0;
	TRY(ARENA_ARRAY(w->arena, *out, room));
	while ((rc = fields_next(&value, &field)) == OK) {
		for (k = *count; k != 0 && bytes_compare(field.name,
					       (*out)[k - 1].name) < 0;
		     k--)
			(*out)[k] = (*out)[k - 1];
		(*out)[k] = field;
		++*count;
	}
	rc = rc == ERR_NOT_FOUND ? OK : ERR_VALUE;
out:
	return rc;
}

static enum err
put_fields(struct walk *w, const struct backup_kind_row *row, struct bytes key,
    struct bytes value)
{
	struct field *fields;
	size_t count;
	size_t k;
	enum err rc;

	rc = fields_sorted(w, value, &fields, &count);
	if (rc == ERR_VALUE) {
		TRY(put_name(w, BYTES_NONE));
		TRY(percent_put(&w->line, value));
		goto out;
	}
	TRY(rc);
	for (k = 0; k < count; k++)
		TRY(put_field(w, row, key, &fields[k]));
out:
	return rc;
}

/* No backup has it and no row says why: it is shown, and so it is missed. */
static const struct backup_kind_row unknown = {
    .kind = "", .key = "", .item = ITEM_NONE, .sealed = "", .fleeting = ""};

static enum err
record_line(void *ctx, struct bytes key, struct bytes value)
{
	struct walk *w = ctx;
	const struct bytes kind = bytes_of_text(w->kind);
	const struct backup_kind_row *row = backup_kind_find(kind, key);
	enum err rc = OK;

	if (row == NULL)
		row = &unknown;
	else if (backup_item_of_record(kind, key) == ITEM_NONE)
		return OK;
	TRY(line_begin(w, "record "));
	TRY(percent_put(&w->line, kind));
	TRY(buf_put_text(&w->line, " "));
	TRY(percent_put(&w->line, key));
	TRY(put_fields(w, row, key, value));
	TRY(w->each(w->ctx, buf_peek(&w->line)));
out:
	return rc;
}

static enum err
records(struct walk *w)
{
	char kind[RECORD_KIND_MAX_OCTETS + 1] = "";
	enum err rc;

	w->kind = kind;
	while ((rc = record_kind_next(w->source->store, kind)) == OK)
		TRY(record_each(w->source->store, kind, record_line, w));
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	return rc;
}

/* ---- objects ---- */

static enum err
put_attr(struct walk *w, const struct attr *one)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, OBJECT_CAP_OCTETS);
	TRY(ttlv_write(one->value, &value));
	TRY(put_name(w, one->def->tag == TAG_ATTRIBUTE
			    ? one->name
			    : bytes_of_text(one->def->name)));
	if (one->def->tag == TAG_ATTRIBUTE) {
		TRY(percent_put(&w->line, one->vendor));
		TRY(buf_put_text(&w->line, ":"));
	}
	TRY(put_hex(w, buf_peek(&value).at, value.octets));
out:
	buf_clear(&value);
	return rc;
}

static enum err
put_card(struct walk *w, const struct card *card)
{
	struct buf octets;
	enum err rc = OK;

	if (card == NULL)
		return OK;
	buf_init(&octets, OBJECT_CAP_OCTETS);
	TRY(card_encode(card, &octets));
	TRY(put_name(w, bytes_of_text("card")));
	TRY(put_hex(w, buf_peek(&octets).at, octets.octets));
out:
	buf_clear(&octets);
	return rc;
}

static enum err
put_value(struct walk *w, const struct object *o)
{
	struct bytes plain = o->value;
	enum err rc = OK;

	TRY(put_name(w, bytes_of_text("value")));
	if (plain.octets == 0)
		return OK;
	if (o->value_sealed)
		TRY(keystore_open(w->source->keystore, w->source->loan, o->id,
		    o->value_version, o->value, w->arena, &plain));
	TRY(put_secret(w, o->id, plain));
out:
	return rc;
}

static enum err
object_line(struct walk *w, const struct object *o)
{
	enum err rc = OK;

	TRY(line_begin(w, "object "));
	TRY(percent_put(&w->line, o->id));
	TRY(put_name(w, bytes_of_text("owner")));
	TRY(percent_put(&w->line, o->owner));
	TRY(buf_printf(&w->line, " type=%u", o->object_type));
	ATTR_EACH (&o->attrs, one)
		TRY(put_attr(w, one));
	TRY(put_card(w, o->card));
	TRY(put_value(w, o));
	TRY(w->each(w->ctx, buf_peek(&w->line)));
out:
	return rc;
}

static enum err
objects(struct walk *w)
{
	struct object *o = NULL;
	struct object *next;
	enum err rc;

	while ((rc = store_next_id(w->source->store,
		    o != NULL ? o->id : BYTES_NONE, &next)) == OK) {
		object_free(o);
		o = next;
		TRY(object_line(w, o));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	object_free(o);
	return rc;
}

/* ---- all of it ---- */

enum err
state_each(const struct state_source *source, state_fn *each, void *ctx)
{
	struct walk w = {.source = source, .each = each, .ctx = ctx};
	enum err rc = OK;

	buf_init(&w.line, LINE_MAX_OCTETS);
	TRY(arena_new(ARENA_OCTETS, &w.arena));
	TRY(keystore_check(source->keystore));
	TRY(records(&w));
	TRY(objects(&w));
out:
	arena_free(w.arena);
	buf_clear(&w.line);
	return rc;
}

/* Each line with all that came before it. */
struct chain {
	struct bytes key;
	uint8_t at[STATE_DIGEST_OCTETS];
};

static enum err
chain_add(void *ctx, struct bytes line)
{
	struct chain *chain = ctx;

	return two_as_one(chain->key,
	    (struct bytes){chain->at, sizeof(chain->at)}, line, chain->at);
}

enum err
state_digest(
    const struct state_source *source, uint8_t digest[STATE_DIGEST_OCTETS])
{
	struct chain chain = {.key = source->key};
	enum err rc = OK;

	TRY(state_each(source, chain_add, &chain));
	memcpy(digest, chain.at, STATE_DIGEST_OCTETS);
out:
	return rc;
}
