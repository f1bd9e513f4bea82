#include "load.h"

#include "attribute.h"
#include "mem.h"
#include "message.h"
#include "schema.h"
#include "touchstone_tags.h"
#include "ttlv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names are "load-", the seed and the object's number in hexadecimal: always
 * as long, so that a request is a copy with these octets put in. */
enum { NAME_OCTETS = 5 + 8 + 1 + 16, ID_MAX_OCTETS = 128 };

/* A request with holes. */
struct form {
	struct buf octets;
	size_t name_at; /* of the Name Value's text; 0: none */
	size_t key_at;  /* of the Key Material's octets; 0: none */
	size_t item_at; /* of what is in the Batch Item */
};

struct object {
	uint8_t octets; /* of the identifier; 0: not made */
	char id[ID_MAX_OCTETS];
};

struct mix {
	struct mix_plan plan;
	struct form form[OP_COUNT];
	struct object *object;
	double *zipf; /* up to which draw an object is meant; NULL: uniform */
	unsigned weights;
};

/* What comes behind the population has numbers of its own per thread. */
static const uint64_t NEW_OBJECTS = (uint64_t)1 << 40;

static const struct {
	const char *word;
	uint32_t operation;
} ops[OP_COUNT] = {
#define LOAD_OP(code, word, text) [OP_##code] = {word, OPERATION_##code},
    LOAD_OPS
#undef LOAD_OP
};

const char *
load_op_word(enum load_op op)
{
	return ops[op].word;
}

const char *
load_class_word(enum load_class c)
{
	static const char *const words[CLASS_COUNT] = {
	    [CLASS_SUCCESS] = "success",
	    [CLASS_REFUSED] = "refused",
	    [CLASS_WRONG] = "wrong-answer",
	    [CLASS_CLOSED] = "closed",
	    [CLASS_TIMEOUT] = "timeout",
	    [CLASS_LATE] = "late",
	};

	return words[c];
}

/* --- requests ------------------------------------------------------------- */

static void
name_write(const struct mix *m, uint64_t subject, char *out)
{
	char text[NAME_OCTETS + 1];

	snprintf(text, sizeof text, "load-%08x-%016llx",
	    (unsigned)(m->plan.seed & 0xffffffff), (unsigned long long)subject);
	memcpy(out, text, NAME_OCTETS);
}

/* The key of an object follows from the seed and its number. */
static void
key_of(const struct mix *m, uint64_t subject, uint8_t *out)
{
	uint64_t state = m->plan.seed ^ subject * 0xd1342543de82ef95u;

	for (size_t i = 0; i < LOAD_KEY_OCTETS; i += 8)
		bytes_put_number(out + i, 8, load_random(&state));
}

/* Where the value of the first item with that tag begins. */
static size_t
value_at(const struct node *n, uint32_t tag)
{
	size_t found = 0;

	if (n->tag == tag)
		return n->offset + TTLV_HEADER_OCTETS;
	for (const struct node *c = n->first; c != NULL && found == 0;
	     c = c->next)
		found = value_at(c, tag);
	return found;
}

static enum err
put_all(struct arena *a, struct node *parent, unsigned version,
    const char *const (*pairs)[2], size_t count)
{
	enum err rc = OK;

	for (size_t i = 0; i < count; i++)
		TRY(attribute_put(
		    a, parent, version, pairs[i][0], pairs[i][1], NULL));
out:
	return rc;
}

static enum err
fill(
    struct arena *a, const struct mix *m, enum load_op op, struct node *payload)
{
	static const uint8_t key[LOAD_KEY_OCTETS];
	const unsigned version = m->plan.version;
	char name[NAME_OCTETS + 1] = "";
	const char *const pairs[][2] = {
	    {"Cryptographic Algorithm", "AES"},
	    {"Cryptographic Length", op == OP_CREATE ? "128" : "256"},
	    {"Cryptographic Usage Mask", "Encrypt Decrypt"},
	    {"Name", name},
	};
	struct node *n = payload;
	enum err rc = OK;

	name_write(m, 0, name);
	switch (op) {
	case OP_GET: /* the identifier is put in by mix_write() */
		break;
	case OP_LOCATE:
		if (version >= 0x20)
			n = attribute_list(a, n, version, WHOSE_OBJECT);
		TRY(attribute_put(a, n, version, "Name", name, NULL));
		break;
	case OP_CREATE:
		put_enum(a, n, TAG_OBJECT_TYPE, OBJECT_TYPE_SYMMETRIC_KEY);
		n = attribute_list(a, n, version, WHOSE_OBJECT);
		TRY(put_all(a, n, version, pairs, 4));
		break;
	case OP_REGISTER:
		put_enum(a, n, TAG_OBJECT_TYPE, OBJECT_TYPE_SYMMETRIC_KEY);
		n = attribute_list(a, n, version, WHOSE_OBJECT);
		TRY(put_all(a, n, version, pairs + 2, 2));
		n = put_structure(a, payload, TAG_SYMMETRIC_KEY);
		n = put_structure(a, n, TAG_KEY_BLOCK);
		put_enum(a, n, TAG_KEY_FORMAT_TYPE, 1); /* Raw */
		put_bytes(a, put_structure(a, n, TAG_KEY_VALUE),
		    TAG_KEY_MATERIAL, TYPE_BYTE_STRING,
		    (struct bytes){key, sizeof key});
		put_enum(a, n, TAG_CRYPTOGRAPHIC_ALGORITHM, 3); /* AES */
		put_number(a, n, TAG_CRYPTOGRAPHIC_LENGTH, TYPE_INTEGER,
		    8 * LOAD_KEY_OCTETS);
		break;
	case OP_COUNT:
		break;
	}
out:
	return rc;
}

static enum err
form_new(struct mix *m, enum load_op op)
{
	struct form *f = &m->form[op];
	struct arena *a = arena_new();
	struct node *root = message_new(a, m->plan.version);
	struct node *payload;
	enum err rc = OK;

	if (m->plan.username != NULL)
		message_authenticate(
		    a, root, m->plan.username, m->plan.password);
	payload = message_item(a, root, ops[op].operation);
	TRY(fill(a, m, op, payload));
	ttlv_encode(root, &f->octets);
	f->name_at = value_at(root, TAG_NAME_VALUE);
	f->key_at = value_at(root, TAG_KEY_MATERIAL);
	f->item_at = value_at(root, TAG_BATCH_ITEM);
out:
	arena_free(a);
	return rc;
}

/* A Get: the identifier stands last, so three lengths grow with it. */
static void
write_get(const struct mix *m, const struct object *o, struct buf *out)
{
	const struct form *f = &m->form[OP_GET];
	const size_t start = out->octets, tail = f->octets.octets;
	const size_t padded = (o->octets + 7u) & ~(size_t)7;
	const size_t item = TTLV_HEADER_OCTETS + padded;
	uint8_t *at = buf_reserve(out, tail + item);

	memcpy(at, f->octets.at, tail);
	/* of the message, the Batch Item and the payload, which is empty */
	bytes_put_number(at + 4, 4, tail - TTLV_HEADER_OCTETS + item);
	bytes_put_number(at + f->item_at - 4, 4, tail - f->item_at + item);
	bytes_put_number(at + tail - 4, 4, item);
	at += tail;
	bytes_put_number(at, 3, TAG_UNIQUE_IDENTIFIER);
	at[3] = TYPE_TEXT_STRING;
	bytes_put_number(at + 4, 4, o->octets);
	memset(at + TTLV_HEADER_OCTETS, 0, padded);
	memcpy(at + TTLV_HEADER_OCTETS, o->id, o->octets);
	out->octets = start + tail + item;
}

void
mix_write(const struct mix *m, const struct flight *f, struct buf *out)
{
	const struct form *form = &m->form[f->op];
	uint8_t *at;

	if (f->op == OP_GET) {
		write_get(m, &m->object[f->subject], out);
		return;
	}
	at = buf_reserve(out, form->octets.octets);
	memcpy(at, form->octets.at, form->octets.octets);
	if (form->name_at != 0)
		name_write(m, f->subject, (char *)at + form->name_at);
	if (form->key_at != 0)
		key_of(m, f->subject, at + form->key_at);
	out->octets += form->octets.octets;
}

/* --- what is asked for ---------------------------------------------------- */

/* Zipf's law with exponent 1: the n-th object is asked for 1/n as often. */
static enum err
zipf_new(struct mix *m)
{
	double sum = 0;
	enum err rc = OK;

	TRY(MEM_ARRAY(m->zipf, m->plan.objects));
	for (size_t i = 0; i < m->plan.objects; i++) {
		sum += 1 / ((double)i + 1);
		m->zipf[i] = sum;
	}
	for (size_t i = 0; i < m->plan.objects; i++)
		m->zipf[i] /= sum;
out:
	return rc;
}

static double
fraction(uint64_t *random)
{
	return (double)(load_random(random) >> 11) * 0x1p-53;
}

static size_t
pick(const struct mix *m, uint64_t *random)
{
	size_t low = 0, high = m->plan.objects - 1;
	double at = fraction(random);

	if (m->zipf == NULL)
		return (size_t)(at * (double)m->plan.objects);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (m->zipf[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
mix_draw(
    const struct mix *m, uint64_t *random, uint64_t *serial, struct flight *f)
{
	unsigned at = (unsigned)(fraction(random) * m->weights);

	for (f->op = 0; at >= m->plan.weight[f->op]; f->op++)
		at -= m->plan.weight[f->op];
	if (f->op == OP_GET || f->op == OP_LOCATE)
		f->subject = pick(m, random);
	else
		f->subject = NEW_OBJECTS + (*serial)++;
}

void
mix_populate(uint64_t n, struct flight *f)
{
	f->op = OP_REGISTER;
	f->subject = n;
}

enum err
mix_new(const struct mix_plan *plan, struct mix **out)
{
	struct mix *m = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(m));
	m->plan = *plan;
	TRY(MEM_ARRAY(m->object, plan->objects));
	if (plan->pick == PICK_ZIPF)
		TRY(zipf_new(m));
	for (enum load_op op = 0; op < OP_COUNT; op++) {
		m->weights += plan->weight[op];
		TRY(form_new(m, op));
	}
	*out = m;
	m = NULL; /* now the caller's */
out:
	mix_free(m);
	return rc;
}

void
mix_free(struct mix *m)
{
	if (m == NULL)
		return;
	for (enum load_op op = 0; op < OP_COUNT; op++)
		buf_clear(&m->form[op].octets);
	mem_free(m->object);
	mem_free(m->zipf);
	mem_free(m);
}

/* --- the population, kept ------------------------------------------------- */

static const char magic[] = "touchstone-population 1";

enum err
mix_save(const struct mix *m, const char *path, struct fault *f)
{
	FILE *to = fopen(path, "we");
	bool bad;

	if (to == NULL)
		return fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno));
	fprintf(to, "%s %llu\n", magic, (unsigned long long)m->plan.seed);
	for (size_t i = 0; i < m->plan.objects; i++)
		fprintf(to, "%.*s\n", m->object[i].octets, m->object[i].id);
	bad = ferror(to) != 0;
	bad |= fclose(to) != 0;
	return bad ? fault_say(f, ERR_WRITE, "%s: %s", path, strerror(errno))
		   : OK;
}

static enum err
load_object(struct object *o, FILE *from, const char *path, struct fault *f)
{
	char line[ID_MAX_OCTETS + 2];
	size_t octets;

	if (fgets(line, sizeof line, from) == NULL)
		return fault_say(f, ERR_RANGE, "%s has too few objects", path);
	octets = strcspn(line, "\n");
	if (octets == 0 || line[octets] != '\n')
		return fault_say(f, ERR_SYNTAX, "%s: no identifier", path);
	memcpy(o->id, line, octets);
	o->octets = (uint8_t)octets;
	return OK;
}

enum err
mix_load(struct mix *m, const char *path, struct fault *f)
{
	FILE *from = fopen(path, "re");
	unsigned long long seed;
	char line[64], *end;
	enum err rc = OK;

	if (from == NULL)
		return fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno));
	if (fgets(line, sizeof line, from) == NULL ||
	    strncmp(line, magic, sizeof magic - 1) != 0)
		TRY(fault_say(f, ERR_SYNTAX, "%s is no population", path));
	seed = strtoull(line + sizeof magic - 1, &end, 10);
	if (*end != '\n')
		TRY(fault_say(f, ERR_SYNTAX, "%s has no seed", path));
	m->plan.seed = seed;
	for (size_t i = 0; i < m->plan.objects; i++)
		TRY(load_object(&m->object[i], from, path, f));
out:
	fclose(from);
	return rc;
}

/* --- answers -------------------------------------------------------------- */

/*
 * Look for an item among the children of a structure, in place: building a
 * tree would cost the client more than the server spends on the answer. Only
 * bounds are checked here; the suite's cases check the rest.
 */
static bool
find(struct bytes in, uint32_t tag, struct bytes *value)
{
	while (in.octets >= TTLV_HEADER_OCTETS) {
		size_t octets = bytes_number(in.at + 4, 4);
		size_t padded = (octets + 7) & ~(size_t)7;

		in.octets -= TTLV_HEADER_OCTETS;
		if (octets > in.octets)
			return false;
		if (bytes_number(in.at, 3) == tag) {
			*value =
			    (struct bytes){in.at + TTLV_HEADER_OCTETS, octets};
			return true;
		}
		if (padded > in.octets)
			return false;
		in.at += TTLV_HEADER_OCTETS + padded;
		in.octets -= padded;
	}
	return false;
}

static bool
find_path(struct bytes in, const uint32_t *tags, struct bytes *value)
{
	for (; *tags != 0; tags++) {
		if (!find(in, *tags, value))
			return false;
		in = *value;
	}
	return true;
}

static bool
is_id(const struct object *o, struct bytes id)
{
	return o->octets == id.octets && memcmp(o->id, id.at, o->octets) == 0;
}

static bool
is_right_key(const struct mix *m, const struct flight *f, struct bytes payload)
{
	static const uint32_t path[] = {TAG_SYMMETRIC_KEY, TAG_KEY_BLOCK,
	    TAG_KEY_VALUE, TAG_KEY_MATERIAL, 0};
	uint8_t want[LOAD_KEY_OCTETS];
	struct bytes got;

	if (!find_path(payload, path, &got) || got.octets != sizeof want)
		return false;
	key_of(m, f->subject, want);
	return memcmp(want, got.at, sizeof want) == 0;
}

/* Nothing else may be found: a name is one object's. */
static bool
is_alone(struct bytes payload, struct bytes id)
{
	size_t end =
	    (size_t)(id.at - payload.at) + ((id.octets + 7) & ~(size_t)7);
	struct bytes other;

	return end >= payload.octets ||
	       !find((struct bytes){payload.at + end, payload.octets - end},
		   TAG_UNIQUE_IDENTIFIER, &other);
}

static enum load_class
judge_payload(struct mix *m, const struct flight *f, struct bytes payload)
{
	const bool known = f->subject < m->plan.objects;
	struct object *o = known ? &m->object[f->subject] : NULL;
	struct bytes id;
	bool right = false;

	if (!find(payload, TAG_UNIQUE_IDENTIFIER, &id) || id.octets == 0 ||
	    id.octets > ID_MAX_OCTETS)
		return CLASS_WRONG;
	switch (f->op) {
	case OP_GET:
		right = is_id(o, id) && is_right_key(m, f, payload);
		break;
	case OP_LOCATE:
		right = is_id(o, id) && is_alone(payload, id);
		break;
	case OP_CREATE:
	case OP_REGISTER:
		right = true;
		if (!known)
			break;
		memcpy(o->id, id.at, id.octets);
		o->octets = (uint8_t)id.octets;
		break;
	case OP_COUNT:
		break;
	}
	return right ? CLASS_SUCCESS : CLASS_WRONG;
}

enum load_class
mix_judge(struct mix *m, const struct flight *f, struct bytes answer,
    uint32_t *reason)
{
	static const uint32_t to_item[] = {
	    TAG_RESPONSE_MESSAGE, TAG_BATCH_ITEM, 0};
	struct bytes item, status, payload;

	*reason = 0;
	if (!find_path(answer, to_item, &item) ||
	    !find(item, TAG_RESULT_STATUS, &status) || status.octets != 4)
		return CLASS_WRONG;
	if (bytes_number(status.at, 4) != RESULT_STATUS_SUCCESS) {
		if (find(item, TAG_RESULT_REASON, &status) &&
		    status.octets == 4)
			*reason = (uint32_t)bytes_number(status.at, 4);
		return CLASS_REFUSED;
	}
	if (!find(item, TAG_RESPONSE_PAYLOAD, &payload))
		return CLASS_WRONG;
	return judge_payload(m, f, payload);
}
