/*
 * Keys are made, taken in, copied, changed and deleted.
 *
 * Source: protocol note section 2.7; guide chapter 28
 */
#include "base/mem.h"
#include "crypto/bundle.h"
#include "nae/key_request.h"

/* ---- RSA keys, which a worker makes ---- */

struct pair_job {
	struct keygen_pair pair;
	enum err rc;
};

static void
pair_work(void *state)
{
	struct pair_job *job = state;

	job->rc = keygen_pair_work(&job->pair);
}

static void
pair_free(void *state)
{
	struct pair_job *job = state;

	keygen_pair_clear(&job->pair);
	mem_free(job);
}

/* A pair like that row's is made, and then next. */
static enum err
make_pair(struct nae_request *rq, const struct key_algorithm *algorithm,
    nae_step_fn *next)
{
	struct pair_job *job = NULL;
	struct fault fault = {0};
	enum err rc = OK;

	TRY(MEM_NEW(job));
	rq->state = job;
	rq->state_free = pair_free;
	TRY(keygen_pair_begin_short(&job->pair, rq->config->appliance->env,
	    algorithm->algorithm, algorithm->key_bits, &fault));
	TRY(nae_later(rq, pair_work, next));
out:
	return rc;
}

/* What the worker made; NULL where there was nothing to be made. */
static enum err
pair_made(struct nae_request *rq, const struct keygen_pair **out)
{
	struct pair_job *job = rq->state;

	*out = job != NULL ? &job->pair : NULL;
	return job != NULL ? job->rc : OK;
}

/* ---- making ---- */

static enum err
answer_name(struct nae_request *rq, const struct object *key)
{
	struct key_info info;
	enum err rc = OK;

	TRY(key_info(&rq->call, key, &info));
	TRY(element_put(&rq->body, EL_KEY_NAME, info.name));
out:
	return rc;
}

static enum err
generate(struct nae_request *rq)
{
	struct key_spec spec = {0};
	const struct keygen_pair *pair;
	const struct object *key;
	uint32_t bits;
	enum err rc = OK;

	TRY(pair_made(rq, &pair));
	TRY(key_algorithm_asked(rq, &spec.algorithm, &bits));
	TRY(key_spec_asked(rq, &spec));
	TRY(key_refused(rq, key_create(&rq->call, &spec, pair, &key)));
	TRY(answer_name(rq, key));
out:
	return rc;
}

/* req: KS-03-061 KS-03-145 ESKM-002 ESKM-067 */
enum err
nae_key_gen(struct nae_request *rq)
{
	struct key_spec spec = {0};
	uint32_t bits;
	enum err rc = OK;

	TRY(key_algorithm_asked(rq, &spec.algorithm, &bits));
	if (spec.algorithm->family != FAMILY_RSA)
		return generate(rq);
	TRY(key_spec_asked(rq, &spec));
	TRY(key_refused(rq, key_check(&rq->call, &spec)));
	TRY(make_pair(rq, spec.algorithm, generate));
out:
	return rc;
}

static enum err
generate_version(struct nae_request *rq)
{
	const struct keygen_pair *pair;
	const struct object *key;
	struct key_select select;
	enum card_state state;
	uint32_t number;
	enum err rc = OK;

	TRY(pair_made(rq, &pair));
	TRY(key_named(rq, MAY_SELECT_NONE, &select));
	TRY(key_state_asked(rq, &state));
	TRY(key_asked(rq, select.name, USE_MODIFY, &key));
	TRY(key_version_new(&rq->call, key, state, pair, &number));
	TRY(element_put(&rq->body, EL_KEY_NAME, select.name));
	TRY(element_put_number(&rq->body, EL_VERSION, number));
out:
	return rc;
}

/* req: ESKM-155 ESKM-156 */
enum err
nae_key_version_gen(struct nae_request *rq)
{
	const struct object *key;
	struct key_select select;
	struct key_info info;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_NONE, &select));
	TRY(key_asked(rq, select.name, USE_MODIFY, &key));
	TRY(key_info(&rq->call, key, &info));
	if (key_versions(key) == 0)
		TRY(ERR_NOT_VERSIONED);
	if (info.row == NULL || info.row->family != FAMILY_RSA)
		return generate_version(rq);
	TRY(make_pair(rq, info.row, generate_version));
out:
	return rc;
}

/* req: ESKM-158 KS-28-181 */
enum err
nae_key_version_modify(struct nae_request *rq)
{
	const struct object *key;
	struct key_select select;
	enum card_state state;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_ONE, &select));
	if (select.which != SELECT_ONE)
		return nae_refuse_element(rq, NAE_VALUE, EL_KEY_NAME);
	TRY(key_state_asked(rq, &state));
	TRY(key_asked(rq, select.name, USE_MODIFY, &key));
	TRY(key_version_state(&rq->call, key, select.number, state));
out:
	return rc;
}

/* ---- taking in ---- */

static enum err
answer_import(struct nae_request *rq, const struct object *key)
{
	struct key_version version;
	enum err rc = OK;

	TRY(key_version_info(&rq->call, key, 0, &version));
	TRY(element_put_hex(&rq->body, EL_FINGERPRINT, version.fingerprint));
	TRY(answer_name(rq, key));
out:
	return rc;
}

/* A certificate with its key, which a worker reads. */
struct bundle_job {
	struct secret *text;
	struct bundle bundle;
	enum err rc;
};

static void
bundle_work(void *state)
{
	struct bundle_job *job = state;
	const char *why;

	job->rc =
	    bundle_read(secret_peek(job->text), BYTES_NONE, &job->bundle, &why);
}

static void
bundle_free(void *state)
{
	struct bundle_job *job = state;

	secret_free(job->text);
	bundle_clear(&job->bundle);
	mem_free(job);
}

/* req: KS-37-016 KS-37-017 */
static enum err
import_certificate(struct nae_request *rq)
{
	struct bundle_job *job = rq->state;
	struct key_spec spec = {.certified = true};
	const struct object *key;
	uint32_t bits;
	enum err rc = OK;

	TRY(job->rc == ERR_FIELD ? ERR_KEY_DATA : job->rc);
	TRY(key_algorithm_asked(rq, &spec.algorithm, &bits));
	TRY(key_spec_asked(rq, &spec));
	TRY(key_refused(rq, key_import_certificate(
				&rq->call, &spec, bits, &job->bundle, &key)));
	TRY(answer_import(rq, key));
out:
	return rc;
}

static enum err
read_certificate(struct nae_request *rq, struct bytes text)
{
	struct bundle_job *job = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(job));
	rq->state = job;
	rq->state_free = bundle_free;
	TRY(secret_copy(text, &job->text));
	TRY(nae_soon(rq, bundle_work, import_certificate));
out:
	return rc;
}

/* req: KS-03-147 KS-28-030 */
enum err
nae_key_import(struct nae_request *rq)
{
	struct bytes data = element_text(rq->root, EL_KEY_DATA);
	struct key_spec spec = {0};
	const struct object *key;
	uint32_t bits;
	enum err rc = OK;

	TRY(key_algorithm_asked(rq, &spec.algorithm, &bits));
	if (spec.algorithm->family == FAMILY_RSA && bundle_is(data))
		return read_certificate(rq, data);
	TRY(key_spec_asked(rq, &spec));
	TRY(key_refused(rq, key_import(&rq->call, &spec, bits, data, &key)));
	TRY(answer_import(rq, key));
out:
	return rc;
}

/* ---- changing ---- */

/* A flag that was asked for, or NULL. */
static enum err
flag_asked(
    struct nae_request *rq, enum element_name what, bool *is, const bool **out)
{
	*out = element_find(rq->root, what) != NULL ? is : NULL;
	return nae_flag(rq, what, is);
}

/* Whose it is already may copy it: its owner, and everybody what is global. */
enum err
nae_key_clone(struct nae_request *rq)
{
	struct key_clone how = {.permissions = true, .attributes = true};
	const struct object *from;
	const struct object *key;
	struct key_select select;
	bool exportable;
	bool deletable;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_NONE, &select));
	how.name = element_text(rq->root, EL_NEW_KEY_NAME);
	how.owner = bytes_of_text(rq->user->name);
	TRY(nae_flag(rq, EL_VERSIONED_KEY, &how.versioned));
	TRY(flag_asked(rq, EL_EXPORTABLE, &exportable, &how.exportable));
	TRY(flag_asked(rq, EL_DELETABLE, &deletable, &how.deletable));
	TRY(key_asked(rq, select.name, USE_MODIFY, &from));
	TRY(key_clone(&rq->call, from, &how, &key));
	TRY(answer_name(rq, key));
out:
	return rc;
}

static enum err
change_asked(struct nae_request *rq, const struct object *key,
    struct key_change *out, struct bytes *owner)
{
	struct key_info info;
	enum err rc = OK;

	TRY(key_info(&rq->call, key, &info));
	*owner = info.owner;
	if (element_find(rq->root, EL_OWNER) != NULL) {
		TRY(key_owner_asked(rq, owner));
		out->owner = owner;
	}
	if (element_find(rq->root, EL_PERMISSIONS) != NULL) {
		out->has_permissions = true;
		TRY(key_permissions_asked(rq,
		    key_family_with(
			key_family(key), key_is_certified(&rq->call, key)),
		    *owner, &out->permissions, &out->permission_count));
	}
	TRY(key_attributes_asked(rq, &out->attributes, &out->attribute_count));
out:
	return rc;
}

enum err
nae_key_modify(struct nae_request *rq)
{
	const struct element *name = element_find(rq->root, EL_NEW_KEY_NAME);
	struct key_change change = {0};
	const struct object *key;
	struct key_select select;
	struct bytes owner;
	bool exportable;
	bool deletable;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_NONE, &select));
	change.name = name != NULL ? &name->text : NULL;
	TRY(flag_asked(rq, EL_EXPORTABLE, &exportable, &change.exportable));
	TRY(flag_asked(rq, EL_DELETABLE, &deletable, &change.deletable));
	TRY(key_asked(rq, select.name, USE_MODIFY, &key));
	TRY(change_asked(rq, key, &change, &owner));
	TRY(key_refused(rq, key_modify(&rq->call, key, &change)));
out:
	return rc;
}

/* req: KS-03-063 KS-03-146 KS-28-093 */
enum err
nae_key_delete(struct nae_request *rq)
{
	const struct object *key;
	struct key_select select;
	enum err rc = OK;

	TRY(key_named(rq, MAY_SELECT_NONE, &select));
	TRY(key_asked(rq, select.name, USE_DELETE, &key));
	TRY(key_delete(&rq->call, key));
out:
	return rc;
}
