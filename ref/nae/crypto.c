/*
 * Cryptographic operations: with one version of a key or with all of them, one
 * operation or a batch, over data that comes in pieces.
 *
 * Each operation has a data element of its own. What it makes goes into the
 * answer as it is made, and its data is not kept: an operation takes the memory
 * of its answer. Those with all versions are the exception: there the data is
 * kept until it has all come, and a worker does the rest.
 *
 * In a batch an operation that fails leaves the others alone, and its data is
 * passed over.
 *
 * Source: protocol note sections 2.5 and 2.8
 */
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "crypto/keyuse.h"
#include "device/access.h"
#include "model/object.h"
#include "nae/key_select.h"
#include "nae/request.h"
#include "nae/text.h"

enum {
	/* before what is made with a versioned key: 1, and the number */
	MARK_OCTETS = 3,
	MARK_FIRST = 0x01,
	/* keys that are opened in one step */
	OPEN_AT_A_TIME = 64,
	/* what is encrypted with all versions, taken together: it is copied
	 * in one step */
	ALL_OCTETS = 4 << 20,
	/* the elements of an error */
	SAID_OCTETS = 1024,
};

struct task {
	enum transform_action action;
	const struct transform *transform;
	struct key_select select;
	bool has_iv;
	struct bytes iv;
	struct bytes value; /* to be verified; without its mark */

	struct keyuse *use;
	bool begun; /* its data element of the answer */
	bool wants_mark;
	uint8_t mark[MARK_OCTETS];
	size_t mark_octets;
	bool wrong; /* the value is, by its mark */

	/* what came of it */
	enum nae_error error;
	char detail[NAE_DETAIL_OCTETS]; /* of the error, in a batch */
	struct buf said;                /* likewise */
	bool verified;
	size_t results; /* of all versions; 0: it was for one */
};

/* One of all versions, and what comes of it. */
struct branch {
	uint32_t number;
	struct bytes iv;
	struct bytes key;
	struct buf out;
};

/* rq->state, and all that a worker sees. */
struct crypto {
	struct task *tasks;
	size_t count;
	bool batch;
	bool activated;   /* what has to be feature-activated */
	struct task *now; /* whose data is being read */

	enum err rc; /* the worker's */
	uint8_t end[KEYUSE_END_OCTETS];
	size_t end_octets;

	/* of an operation with all versions */
	struct branch *versions; /* newest first */
	size_t version_count;
	size_t version_room;
	uint32_t next_version; /* to be opened; 0: all are */
	uint32_t key_algorithm;
	struct nae_block *kept; /* the data */
	struct nae_block *kept_last;
	size_t kept_octets;
};

static bool
verifies(const struct task *t)
{
	return t->action == ACTION_MACV || t->action == ACTION_SIGNV;
}

/* Are the other side's octets as many as the data's? */
static bool
is_cipher(const struct task *t)
{
	return t->transform->kind == TRANSFORM_CIPHER;
}

static void
versions_free(struct crypto *c)
{
	size_t k;

	for (k = 0; k < c->version_count; k++)
		buf_clear(&c->versions[k].out);
	while (c->kept != NULL) {
		struct nae_block *block = c->kept;

		c->kept = block->next;
		buf_clear(&block->octets);
		mem_free(block);
	}
	c->versions = NULL;
	c->version_count = 0;
	c->kept_last = NULL;
	c->kept_octets = 0;
}

static void
task_clear(struct task *t)
{
	keyuse_free(t->use);
	buf_clear(&t->said);
}

static void
crypto_free(void *state)
{
	struct crypto *c = state;
	size_t k;

	for (k = 0; k < c->count; k++)
		task_clear(&c->tasks[k]);
	versions_free(c);
	secret_wipe(c->end, sizeof(c->end));
	mem_free(c);
}

/* ---- what is asked for ---- */

/* Those of an operation; in a batch they stand in each Operation. */
static const enum element_name fields[] = {
    EL_ACTION, EL_KEY_NAME, EL_ALGORITHM, EL_IV, EL_VALUE};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static bool
is_batch(const struct element *root)
{
	return element_find(root, EL_OPERATION) != NULL;
}

static size_t
elements(const struct element *root)
{
	size_t count = 0;

	ELEMENT_EACH (root, child)
		count += child->what == EL_OPERATION;
	return count != 0 ? count : 1;
}

/* None twice; in strict mode, no others. */
static enum err
check_operation(struct nae_request *rq, const struct element *from)
{
	bool seen[EL_COUNT] = {false};
	size_t k;

	ELEMENT_EACH (from, child) {
		for (k = 0; k < FIELDS && fields[k] != child->what; k++)
			;
		if (k == FIELDS && rq->config->strict)
			return nae_refuse_named(rq, NAE_VALUE, child->name);
		if (k != FIELDS && seen[child->what])
			return nae_refuse_element(rq, NAE_VALUE, child->what);
		seen[child->what] = true;
	}
	return OK;
}

static enum err
need(struct nae_request *rq, const struct element *from, enum element_name what,
    struct bytes *out)
{
	const struct element *e = element_find(from, what);

	if (e == NULL)
		return nae_refuse_element(rq, NAE_MISSING, what);
	*out = e->text;
	return OK;
}

static enum err
read_iv(struct nae_request *rq, const struct element *from, struct task *t)
{
	const struct element *e = element_find(from, EL_IV);

	if (e == NULL)
		return OK;
	t->has_iv = true;
	if (hex_read(rq->arena, e->text, &t->iv) != OK || t->iv.octets == 0)
		return ERR_IV;
	return OK;
}

static enum err
read_value(struct nae_request *rq, const struct element *from, struct task *t)
{
	const struct element *e = element_find(from, EL_VALUE);

	if (e == NULL && verifies(t))
		return nae_refuse_element(rq, NAE_MISSING, EL_VALUE);
	if (e != NULL &&
	    (!verifies(t) || hex_read(rq->arena, e->text, &t->value) != OK))
		return nae_refuse_element(rq, NAE_VALUE, EL_VALUE);
	return OK;
}

static enum err
read_operation(
    struct nae_request *rq, const struct element *from, struct task *t)
{
	struct bytes text;
	enum err rc = OK;

	TRY(check_operation(rq, from));
	TRY(need(rq, from, EL_ACTION, &text));
	if (!transform_action_find(text, &t->action))
		TRY(nae_refuse_element(rq, NAE_VALUE, EL_ACTION));
	TRY(need(rq, from, EL_ALGORITHM, &text));
	TRY(transform_find(t->action, text, &t->transform));
	TRY(need(rq, from, EL_KEY_NAME, &text));
	TRY(key_select_read(text, &t->select));
	if (t->select.which == SELECT_EMPTY)
		TRY(ERR_KEY_VERSION);
	if (t->select.which == SELECT_ALL && !transform_action_makes(t->action))
		TRY(nae_refuse_element(rq, NAE_VALUE, EL_KEY_NAME));
	TRY(read_iv(rq, from, t));
	TRY(read_value(rq, from, t));
out:
	return rc;
}

/* ---- an operation that fails ---- */

/*
 * Without a batch the request fails, and in one the operation alone, unless it
 * is the end of the connection.
 */
static enum err
outcome(struct nae_request *rq, struct task *t, enum err rc)
{
	struct crypto *c = rq->state;
	enum nae_error why;

	if (rc == OK)
		return OK;
	keyuse_free(t->use);
	t->use = NULL;
	versions_free(c);
	why = nae_reason(rq, rc);
	if (!c->batch || nae_error_row(why)->fatal)
		return rc;
	if (t->begun)
		nae_data_cancel(rq);
	t->error = why;
	(void)memcpy(t->detail, rq->detail, sizeof(t->detail));
	buf_init(&t->said, SAID_OCTETS);
	rc = nae_put_error(rq, why, &t->said);
	nae_forgive(rq);
	nae_count(rq, STAT_CRYPTO, false);
	return rc;
}

/* ---- one version ---- */

static enum err
order_of(const struct crypto *c, const struct task *t, uint32_t key_algorithm,
    struct bytes key, struct bytes default_iv, struct keyparts *parts,
    struct keyuse_order *out)
{
	struct fault f;
	enum err rc = OK;

	*out = (struct keyuse_order){
	    .action = t->action,
	    .transform = t->transform,
	    .key_algorithm = key_algorithm,
	    .key = key,
	    .iv = t->iv,
	    .activated = c->activated,
	};
	if (!t->has_iv && t->transform->iv_octets != 0)
		out->iv = default_iv;
	if (key_algorithm == CRYPTOGRAPHIC_ALGORITHM_RSA) {
		TRY(keyformat_read(
		    KEY_FORMAT_TYPE_PKCS_1, true, key, parts, &f));
		out->rsa = parts;
	}
out:
	return rc;
}

/* req: KS-28-045 KS-28-186  a restricted version decrypts and verifies */
static enum err
check_state(const struct task *t, enum card_state state)
{
	if (state == CARD_ACTIVE ||
	    (state == CARD_RESTRICTED && !transform_action_makes(t->action)))
		return OK;
	return ERR_VERSION_STATE;
}

static void
mark_make(uint32_t version, uint8_t mark[static MARK_OCTETS])
{
	mark[0] = MARK_FIRST;
	bytes_put_u16(mark + 1, version);
}

/* The number of a version, if that is what it says; 0: no mark. */
static uint32_t
mark_read(const uint8_t *mark)
{
	return mark[0] == MARK_FIRST ? bytes_u16(mark + 1) : 0;
}

static enum err
put(struct nae_request *rq, struct bytes octets)
{
	struct bytes part;
	uint8_t *at;
	size_t space;
	enum err rc = OK;

	while (octets.octets != 0) {
		space = nae_data_space(rq);
		TRY(bytes_split(&octets,
		    octets.octets < space ? octets.octets : space, &part));
		TRY(nae_data_room(rq, part.octets, &at));
		memcpy(at, part.at, part.octets);
		nae_data_added(rq, part.octets);
	}
out:
	return rc;
}

/* Its key is known: begin. */
static enum err
open_version(struct nae_request *rq, struct task *t, const struct object *key,
    uint32_t number)
{
	const struct crypto *c = rq->state;
	uint8_t mark[MARK_OCTETS];
	struct key_material m;
	struct keyuse_order order;
	struct keyparts parts;
	struct fault f;
	enum err rc = OK;

	TRY(key_bytes(&rq->call, key, number, &m));
	TRY(check_state(t, m.state));
	TRY(order_of(c, t, m.algorithm, m.octets, m.iv, &parts, &order));
	TRY(keyuse_new(&order, &f, &t->use));
	if (verifies(t))
		return OK;
	TRY(nae_data_begin(rq));
	t->begun = true;
	if (m.version != 0 && transform_action_makes(t->action)) {
		mark_make(m.version, mark);
		TRY(put(rq, (struct bytes){mark, sizeof(mark)}));
	}
out:
	return rc;
}

static enum err
find_key(
    struct nae_request *rq, const struct task *t, const struct object **out)
{
	return key_find(&rq->call, rq->user->scopes, rq->user->scope_count,
	    t->select.name, out);
}

/* The mark of the value: whose it is, if it can be anybody's. */
static enum err
open_marked(struct nae_request *rq, struct task *t, const struct object *key)
{
	uint32_t number =
	    t->value.octets >= MARK_OCTETS ? mark_read(t->value.at) : 0;

	if (number == 0 ||
	    (t->select.number != 0 && t->select.number != number)) {
		t->wrong = true;
		return OK;
	}
	t->value.at += MARK_OCTETS;
	t->value.octets -= MARK_OCTETS;
	return open_version(rq, t, key, number);
}

/* The mark of the data, as much of it as has come. */
static enum err
take_mark(struct nae_request *rq, struct task *t, struct bytes *in)
{
	size_t octets = MARK_OCTETS - t->mark_octets;
	const struct object *key;
	struct bytes head;
	uint32_t number;
	enum err rc = OK;

	if (in->octets < octets)
		octets = in->octets;
	TRY(bytes_split(in, octets, &head));
	memcpy(t->mark + t->mark_octets, head.at, octets);
	t->mark_octets += octets;
	if (t->mark_octets < MARK_OCTETS)
		return OK;
	t->wants_mark = false;
	number = mark_read(t->mark);
	if (number == 0 ||
	    (t->select.number != 0 && t->select.number != number))
		return ERR_DECRYPT;
	TRY(find_key(rq, t, &key));
	TRY(open_version(rq, t, key, number));
out:
	return rc;
}

/* Into the answer, up to a block before the present chunk's end... */
static enum err
code_long(struct nae_request *rq, struct task *t, struct bytes *in)
{
	size_t octets = nae_data_space(rq) - KEYUSE_BLOCK_OCTETS;
	struct bytes piece;
	uint8_t *at;
	size_t made;
	enum err rc = OK;

	if (in->octets < octets)
		octets = in->octets;
	TRY(bytes_split(in, octets, &piece));
	TRY(nae_data_room(rq, octets + KEYUSE_BLOCK_OCTETS, &at));
	TRY(keyuse_update(t->use, piece, at, &made));
	nae_data_added(rq, made);
out:
	return rc;
}

/* ... and over it. */
static enum err
code_short(struct nae_request *rq, struct task *t, struct bytes *in)
{
	uint8_t out[2 * KEYUSE_BLOCK_OCTETS];
	struct bytes piece;
	size_t made;
	enum err rc = OK;

	TRY(bytes_split(in,
	    in->octets < KEYUSE_BLOCK_OCTETS ? in->octets : KEYUSE_BLOCK_OCTETS,
	    &piece));
	TRY(keyuse_update(t->use, piece, out, &made));
	TRY(put(rq, (struct bytes){out, made}));
out:
	secret_wipe(out, sizeof(out));
	return rc;
}

static enum err
feed(struct nae_request *rq, struct task *t, struct bytes in)
{
	size_t made;
	enum err rc = OK;

	if (!is_cipher(t))
		return keyuse_update(t->use, in, NULL, &made);
	while (in.octets != 0) {
		if (nae_data_space(rq) > KEYUSE_BLOCK_OCTETS)
			TRY(code_long(rq, t, &in));
		else
			TRY(code_short(rq, t, &in));
	}
out:
	return rc;
}

/* ---- all versions ---- */

static void
nothing(void *state)
{
	(void)state;
}

static enum err
open_next(struct nae_request *rq, struct task *t, const struct object *key)
{
	struct crypto *c = rq->state;
	struct branch *v = &c->versions[c->version_count];
	struct key_version info;
	struct key_material m;
	enum err rc = OK;

	TRY(key_version_info(&rq->call, key, c->next_version, &info));
	if (check_state(t, info.state) != OK)
		return OK;
	/* there are more than a moment ago */
	if (c->version_count == c->version_room)
		TRY(ERR_VERSION_STATE);
	TRY(key_bytes(&rq->call, key, c->next_version, &m));
	*v = (struct branch){.number = m.version, .key = m.octets};
	TRY(arena_copy(rq->arena, m.iv, &v->iv));
	buf_init(&v->out, SIZE_MAX);
	c->key_algorithm = m.algorithm;
	c->version_count++;
out:
	return rc;
}

/* Some at a time: there may be thousands. */
static enum err
open_some(struct nae_request *rq)
{
	struct crypto *c = rq->state;
	struct task *t = c->now;
	const struct object *key;
	unsigned k;
	enum err rc = OK;

	TRY(find_key(rq, t, &key));
	for (k = 0; k < OPEN_AT_A_TIME && c->next_version != 0; k++) {
		TRY(open_next(rq, t, key));
		c->next_version--;
	}
	if (c->next_version != 0)
		TRY(nae_soon(rq, nothing, open_some));
out:
	return outcome(rq, t, rc);
}

static enum err
open_all(struct nae_request *rq, struct task *t, const struct object *key,
    uint32_t active)
{
	struct crypto *c = rq->state;
	enum err rc = OK;

	c->next_version = key_versions(key);
	if (c->next_version == 0)
		TRY(ERR_NOT_VERSIONED);
	if (active == 0)
		TRY(ERR_VERSION_STATE);
	TRY(ARENA_ARRAY(rq->arena, c->versions, active));
	c->version_room = active;
	t->results = active;
	TRY(open_some(rq));
out:
	return rc;
}

static enum err
keep(struct nae_request *rq, const struct task *t, struct bytes in)
{
	struct crypto *c = rq->state;
	struct nae_block *block;
	struct bytes part;
	enum err rc = OK;

	c->kept_octets += in.octets;
	if (is_cipher(t) && c->kept_octets * c->version_count > ALL_OCTETS)
		return nae_refuse(rq, NAE_TOO_LARGE);
	while (in.octets != 0) {
		block = c->kept_last;
		if (block == NULL || block->octets.octets == NAE_CHUNK_OCTETS) {
			TRY(MEM_NEW(block));
			buf_init(&block->octets, NAE_CHUNK_OCTETS);
			if (c->kept_last != NULL)
				c->kept_last->next = block;
			else
				c->kept = block;
			c->kept_last = block;
		}
		part.octets = NAE_CHUNK_OCTETS - block->octets.octets;
		if (part.octets > in.octets)
			part.octets = in.octets;
		TRY(bytes_split(&in, part.octets, &part));
		TRY(buf_put(&block->octets, part));
	}
out:
	return rc;
}

static enum err
version_work(const struct crypto *c, struct branch *v)
{
	const struct task *t = c->now;
	struct keyuse *use = NULL;
	struct nae_block *block;
	struct keyuse_order order;
	struct keyparts parts;
	struct fault f;
	uint8_t *at;
	size_t made;
	enum err rc = OK;

	TRY(order_of(c, t, c->key_algorithm, v->key, v->iv, &parts, &order));
	TRY(keyuse_new(&order, &f, &use));
	TRY(buf_reserve(&v->out,
	    MARK_OCTETS + (is_cipher(t) ? c->kept_octets : 0) +
		KEYUSE_BLOCK_OCTETS + KEYUSE_END_OCTETS,
	    &at));
	mark_make(v->number, at);
	buf_added(&v->out, MARK_OCTETS);
	for (block = c->kept; block != NULL; block = block->next) {
		TRY(keyuse_update(use, buf_peek(&block->octets),
		    v->out.at + v->out.octets, &made));
		buf_added(&v->out, made);
	}
	TRY(keyuse_end(use, v->out.at + v->out.octets, &made));
	buf_added(&v->out, made);
out:
	keyuse_free(use);
	return rc;
}

static void
all_work(void *state)
{
	struct crypto *c = state;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < c->version_count; k++)
		TRY(version_work(c, &c->versions[k]));
out:
	c->rc = rc;
}

static enum err
all_put(struct nae_request *rq, struct task *t)
{
	struct crypto *c = rq->state;
	size_t k;
	enum err rc = OK;

	TRY(c->rc);
	for (k = 0; k < c->version_count; k++) {
		TRY(nae_data_begin(rq));
		t->begun = true;
		TRY(put(rq, buf_peek(&c->versions[k].out)));
		TRY(nae_data_end(rq));
	}
	t->results = c->version_count;
	for (k = 0; k < c->version_count; k++)
		nae_count(rq, STAT_CRYPTO, true);
	versions_free(c);
	return OK;
out:
	/* elements that are whole cannot be taken back */
	return t->begun ? nae_refuse(rq, NAE_INTERNAL) : rc;
}

static enum err
all_done(struct nae_request *rq)
{
	struct crypto *c = rq->state;

	return outcome(rq, c->now, all_put(rq, c->now));
}

/* ---- steps ---- */

static enum err
begin(struct nae_request *rq, struct task *t)
{
	char why[ACCESS_WHY_OCTETS];
	const struct object *key;
	bool all = t->select.which == SELECT_ALL;
	uint32_t active = 1;
	enum err rc = OK;

	TRY(find_key(rq, t, &key));
	if (all && key->card != NULL)
		active = key->card->count[CARD_ACTIVE];
	TRY(access_check(rq->config->appliance, rq->user, key,
	    transform_action_use(t->action), active != 0 ? active : 1, why));
	if (all)
		return open_all(rq, t, key, active);
	if (key_versions(key) == 0 || transform_action_makes(t->action))
		return open_version(rq, t, key, t->select.number);
	if (verifies(t))
		return open_marked(rq, t, key);
	t->wants_mark = true;
out:
	return rc;
}

static enum err
data_begin(struct nae_request *rq)
{
	struct crypto *c = rq->state;

	c->now = &c->tasks[rq->data_number];
	if (c->now->error != NAE_SUCCESS)
		return OK;
	return outcome(rq, c->now, begin(rq, c->now));
}

static enum err
take(struct nae_request *rq, struct task *t, struct bytes in)
{
	struct crypto *c = rq->state;
	enum err rc = OK;

	if (c->versions != NULL)
		return keep(rq, t, in);
	if (t->wants_mark)
		TRY(take_mark(rq, t, &in));
	TRY(feed(rq, t, in));
out:
	return rc;
}

static enum err
data_piece(struct nae_request *rq, struct bytes in)
{
	struct crypto *c = rq->state;

	if (c->now->error != NAE_SUCCESS || c->now->wrong)
		return OK;
	return outcome(rq, c->now, take(rq, c->now, in));
}

static void
end_work(void *state)
{
	struct crypto *c = state;
	struct task *t = c->now;

	c->end_octets = 0;
	c->rc = verifies(t) ? keyuse_verify(t->use, t->value, &t->verified)
			    : keyuse_end(t->use, c->end, &c->end_octets);
}

static enum err
end_put(struct nae_request *rq, struct task *t)
{
	struct crypto *c = rq->state;
	enum err rc = OK;

	TRY(c->rc);
	if (t->begun) {
		TRY(put(rq, (struct bytes){c->end, c->end_octets}));
		TRY(nae_data_end(rq));
	}
	keyuse_free(t->use);
	t->use = NULL;
	nae_count(rq, STAT_CRYPTO, true);
out:
	secret_wipe(c->end, sizeof(c->end));
	return rc;
}

static enum err
end_done(struct nae_request *rq)
{
	struct crypto *c = rq->state;

	return outcome(rq, c->now, end_put(rq, c->now));
}

/* Private keys, and all versions, on a worker. */
static enum err
data_end(struct nae_request *rq)
{
	struct crypto *c = rq->state;
	struct task *t = c->now;
	enum err rc = OK;

	if (t->error != NAE_SUCCESS)
		return OK;
	c->rc = OK;
	if (t->wants_mark)
		TRY(ERR_DECRYPT);
	if (t->wrong)
		return end_done(rq);
	if (c->versions != NULL)
		TRY(nae_later(rq, all_work, all_done));
	else if (keyuse_is_slow(t->use))
		TRY(nae_soon(rq, end_work, end_done));
	else {
		end_work(c);
		return end_done(rq);
	}
out:
	return outcome(rq, t, rc);
}

/* ---- the answer's elements ---- */

static enum err
put_success(struct nae_request *rq, const struct task *t)
{
	enum err rc = OK;

	if (verifies(t))
		TRY(element_put_flag(&rq->body, EL_VERIFIED, t->verified));
	if (t->results != 0)
		TRY(element_put_number(&rq->body, EL_RESULT_COUNT, t->results));
out:
	return rc;
}

static enum err
put_result(struct nae_request *rq, const struct task *t)
{
	bool success = t->error == NAE_SUCCESS;
	enum err rc = OK;

	TRY(element_open(&rq->body, EL_RESULT));
	TRY(element_put_flag(&rq->body, EL_SUCCESS, success));
	if (success) {
		TRY(put_success(rq, t));
	} else {
		TRY(buf_put(&rq->body, buf_peek(&t->said)));
	}
	TRY(element_close(&rq->body, EL_RESULT));
out:
	return rc;
}

static enum err
finish(struct nae_request *rq)
{
	struct crypto *c = rq->state;
	size_t k;
	enum err rc = OK;

	if (!c->batch)
		return put_success(rq, c->tasks);
	for (k = 0; k < c->count; k++)
		TRY(put_result(rq, &c->tasks[k]));
out:
	return rc;
}

const struct nae_data nae_crypto_data = {
    .elements = elements,
    .begin = data_begin,
    .piece = data_piece,
    .end = data_end,
    .finish = finish,
};

/* ---- the log ---- */

/* Those that are named; t: NULL where none was read. req: KS-21-045 */
static void
log_operation(const struct nae_request *rq, const struct activity *request,
    const struct element *from, const struct task *t, size_t ordinal)
{
	char text[NAE_ERROR_TEXT_OCTETS];
	struct activity line = *request;

	line.key = element_text(from, EL_KEY_NAME);
	activity_number(&line, ordinal);
	activity_word(&line, element_text(from, EL_ACTION));
	activity_word(&line, t != NULL && t->transform != NULL
				 ? bytes_of_text(t->transform->name)
				 : element_text(from, EL_ALGORITHM));
	if (t != NULL && t->error != NAE_SUCCESS && !line.failed) {
		nae_error_text(t->error, t->detail, text);
		line.failed = true;
		line.code = nae_error_row(t->error)->code;
		line.message = bytes_of_text(text);
	}
	activity_add(rq->config->appliance, &line);
}

/*
 * A batch that fails as a whole has failed for each operation: none has an
 * answer. req: KS-21-016 KS-21-017
 */
void
nae_log_crypto(struct nae_request *rq, struct activity *line)
{
	const struct crypto *c = rq->state;
	size_t tasks = c != NULL ? c->count : 0;
	size_t k = 0;

	if (!is_batch(rq->root)) {
		log_operation(
		    rq, line, rq->root, tasks != 0 ? c->tasks : NULL, 1);
		return;
	}
	ELEMENT_EACH (rq->root, child) {
		if (child->what != EL_OPERATION || k == NAE_OPERATIONS_MOST)
			continue;
		log_operation(
		    rq, line, child, k < tasks ? &c->tasks[k] : NULL, k + 1);
		k++;
	}
}

/* ---- the header ---- */

static enum err
check_batch(struct nae_request *rq, size_t count)
{
	size_t k;

	if (count > NAE_OPERATIONS_MOST)
		return nae_refuse_element(rq, NAE_VALUE, EL_OPERATION);
	for (k = 0; k < FIELDS; k++) {
		if (element_find(rq->root, fields[k]) != NULL)
			return nae_refuse_element(rq, NAE_VALUE, fields[k]);
	}
	return OK;
}

static enum err
read_batch(struct nae_request *rq, struct crypto *c)
{
	struct task *t = c->tasks;
	enum err rc = OK;

	TRY(check_batch(rq, c->count));
	ELEMENT_EACH (rq->root, child) {
		if (child->what != EL_OPERATION)
			continue;
		TRY(outcome(rq, t, read_operation(rq, child, t)));
		t++;
	}
out:
	return rc;
}

enum err
nae_crypto(struct nae_request *rq)
{
	struct crypto *c = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(c));
	rq->state = c;
	rq->state_free = crypto_free;
	c->batch = is_batch(rq->root);
	c->activated =
	    setting_number(rq->config->appliance->settings, SETTING_SEED) != 0;
	TRY(ARENA_ARRAY(rq->arena, c->tasks, elements(rq->root)));
	c->count = elements(rq->root);
	if (c->batch)
		return read_batch(rq, c);
	TRY(read_operation(rq, rq->root, c->tasks));
out:
	return rc;
}
