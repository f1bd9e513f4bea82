/*
 * Keys: generated, wrapped, unwrapped and derived.
 *
 * Source: PKCS#11 2.40 base, section 5.13
 */
#include "token/making.h"
#include "token/wrap.h"

enum { USE = TURN_USE | TURN_BACKING };

static CK_OBJECT_CLASS
generated_class(CK_MECHANISM_TYPE type)
{
	return type == CKM_DSA_PARAMETER_GEN ||
		       type == CKM_DH_PKCS_PARAMETER_GEN
		   ? CKO_DOMAIN_PARAMETERS
		   : CKO_SECRET_KEY;
}

/* req: KSC-005, KSC-009, KSC-112 */
CK_RV
token_C_GenerateKey(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_ATTRIBUTE *templ, CK_ULONG count,
    CK_OBJECT_HANDLE *key)
{
	struct making m = {.turn = NULL};
	const struct mechanism *row;
	struct turn turn;
	CK_SESSION_HANDLE backing;
	CK_OBJECT_HANDLE made;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (key == NULL || (templ == NULL && count > 0))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mechanism_check(
		    mechanism, CKF_GENERATE, app->token->fips, &row);
	if (rv == CKR_OK)
		rv = making_begin(
		    &m, &turn, generated_class(row->type), NULL, templ, count);
	if (rv == CKR_OK)
		rv = making_session(&m, NULL, &backing);
	if (rv == CKR_OK)
		rv = turn.softhsm->C_GenerateKey(
		    backing, mechanism, m.attributes, m.count, &made);
	if (rv == CKR_OK)
		rv = making_adopt(&m, made, key);
	making_end(&m);
	return turn_end(&turn, rv);
}

/* Both of a pair, or neither. */
static CK_RV
adopt_pair(struct making *public, struct making *private,
    const CK_OBJECT_HANDLE made[2], CK_OBJECT_HANDLE *public_key,
    CK_OBJECT_HANDLE *private_key)
{
	struct turn *turn = public->turn;
	CK_OBJECT_HANDLE handle;
	CK_RV rv = making_adopt(public, made[0], &handle);

	if (rv != CKR_OK) {
		turn->softhsm->C_DestroyObject(private->backing, made[1]);
		return rv;
	}
	rv = making_adopt(private, made[1], private_key);
	if (rv == CKR_OK)
		*public_key = handle;
	else
		making_undo(public, handle);
	return rv;
}

/* req: KSC-005, KSC-009, KSC-112 */
CK_RV
token_C_GenerateKeyPair(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_templ, CK_ULONG public_count,
    CK_ATTRIBUTE *private_templ, CK_ULONG private_count,
    CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	struct making public = {.turn = NULL}, private = {.turn = NULL};
	const struct mechanism *row;
	struct turn turn;
	CK_SESSION_HANDLE backing;
	CK_OBJECT_HANDLE made[2];
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (public_key == NULL || private_key == NULL ||
	    (public_templ == NULL && public_count > 0) ||
	    (private_templ == NULL && private_count > 0))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mechanism_check(
		    mechanism, CKF_GENERATE_KEY_PAIR, app->token->fips, &row);
	if (rv == CKR_OK)
		rv = making_begin(&public, &turn, CKO_PUBLIC_KEY, NULL,
		    public_templ, public_count);
	if (rv == CKR_OK)
		rv = making_begin(&private, &turn, CKO_PRIVATE_KEY, NULL,
		    private_templ, private_count);
	if (rv == CKR_OK)
		rv = template_key_type(
		    public_templ, public_count, mechanism_key_type(row));
	if (rv == CKR_OK)
		rv = template_key_type(
		    private_templ, private_count, mechanism_key_type(row));
	if (rv == CKR_OK)
		rv = making_session(&public, &private, &backing);
	private.backing = public.backing;
	if (rv == CKR_OK)
		rv = turn.softhsm->C_GenerateKeyPair(backing, mechanism,
		    public.attributes, public.count, private.attributes,
		    private.count, &made[0], &made[1]);
	/* OpenSSL does not like the numbers that the template has. */
	if (rv == CKR_GENERAL_ERROR)
		rv = CKR_DOMAIN_PARAMS_INVALID;
	if (rv == CKR_OK)
		rv = adopt_pair(
		    &public, &private, made, public_key, private_key);
	making_end(&private);
	making_end(&public);
	return turn_end(&turn, rv);
}

/* A key that wraps or unwraps; what is wrong with it, in words of that. */
static CK_RV
wrapping_key(struct turn *turn, const struct mechanism *row, CK_FLAGS flag,
    CK_OBJECT_HANDLE handle, struct object **key)
{
	const bool wraps = flag == CKF_WRAP;
	CK_RV rv;

	*key = turn_object(turn, handle);
	if (*key == NULL)
		return wraps ? CKR_WRAPPING_KEY_HANDLE_INVALID
			     : CKR_UNWRAPPING_KEY_HANDLE_INVALID;
	rv = mechanism_key(row, flag, *key);
	if (rv == CKR_KEY_TYPE_INCONSISTENT)
		return wraps ? CKR_WRAPPING_KEY_TYPE_INCONSISTENT
			     : CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
	return rv;
}

/* A shadow went while it was taken: try again with another. */
static bool
key_went(CK_RV rv)
{
	return rv == CKR_WRAPPING_KEY_HANDLE_INVALID ||
	       rv == CKR_UNWRAPPING_KEY_HANDLE_INVALID ||
	       rv == CKR_OBJECT_HANDLE_INVALID;
}

static CK_RV
wrap(struct turn *turn, CK_MECHANISM *mechanism, struct object *with,
    struct object *key, CK_BYTE *out, CK_ULONG *out_len)
{
	CK_SESSION_HANDLE backing;
	int tries;
	CK_RV rv = partition_take(turn->part, &backing);

	if (rv != CKR_OK)
		return rv;
	for (tries = 0; tries < 3; tries++) {
		rv = turn->softhsm->C_WrapKey(backing, mechanism,
		    partition_use(turn->part, with), key->backing, out,
		    out_len);
		if (!key_went(rv))
			break;
	}
	partition_give(turn->part, backing, true);
	if (rv == CKR_ARGUMENTS_BAD)
		return CKR_MECHANISM_PARAM_INVALID;
	return rv == CKR_GENERAL_ERROR ? CKR_FUNCTION_FAILED : rv;
}

CK_RV
token_C_WrapKey(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
    CK_BYTE *wrapped_key, CK_ULONG *wrapped_key_len)
{
	const struct mechanism *row;
	struct object *with = NULL, *what = NULL;
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (wrapped_key_len == NULL)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mechanism_check(
		    mechanism, CKF_WRAP, app->token->fips, &row);
	if (rv == CKR_OK)
		rv = wrapping_key(&turn, row, CKF_WRAP, wrapping, &with);
	if (rv == CKR_OK && (what = turn_object(&turn, key)) == NULL)
		rv = CKR_KEY_HANDLE_INVALID;
	/* spec: rfc3394 2  SoftHSM would fill up a half of a block. */
	if (rv == CKR_OK && row->type == CKM_AES_KEY_WRAP &&
	    what->class == CKO_SECRET_KEY && what->value_octets % 8 != 0)
		rv = CKR_KEY_SIZE_RANGE;
	if (rv == CKR_OK)
		rv = row->type == CKM_AES_KEY_WRAP_PAD &&
			     wrap_needs_padding(what)
			 ? wrap_padded(
			       &turn, with, what, wrapped_key, wrapped_key_len)
			 : wrap(&turn, mechanism, with, what, wrapped_key,
			       wrapped_key_len);
	object_unref(with);
	object_unref(what);
	return turn_end(&turn, rv);
}

static CK_RV
unwrap(struct making *m, CK_MECHANISM *mechanism, struct object *with,
    CK_BYTE *wrapped, CK_ULONG wrapped_len, CK_OBJECT_HANDLE *made)
{
	struct turn *turn = m->turn;
	CK_SESSION_HANDLE backing;
	int tries;
	CK_RV rv = making_session(m, NULL, &backing);

	for (tries = 0; rv == CKR_OK && tries < 3; tries++) {
		rv = turn->softhsm->C_UnwrapKey(backing, mechanism,
		    partition_use(turn->part, with), wrapped, wrapped_len,
		    m->attributes, m->count, made);
		if (!key_went(rv))
			break;
	}
	return rv == CKR_GENERAL_ERROR ? CKR_WRAPPED_KEY_INVALID : rv;
}

CK_RV
token_C_UnwrapKey(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE unwrapping, CK_BYTE *wrapped_key,
    CK_ULONG wrapped_key_len, CK_ATTRIBUTE *templ, CK_ULONG count,
    CK_OBJECT_HANDLE *key)
{
	struct making m = {.turn = NULL};
	const struct mechanism *row;
	struct object *with = NULL;
	struct turn turn;
	CK_OBJECT_HANDLE made;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (key == NULL || wrapped_key == NULL || (templ == NULL && count > 0))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mechanism_check(
		    mechanism, CKF_UNWRAP, app->token->fips, &row);
	if (rv == CKR_OK)
		rv = wrapping_key(&turn, row, CKF_UNWRAP, unwrapping, &with);
	if (rv == CKR_OK)
		rv = making_begin(
		    &m, &turn, CK_UNAVAILABLE_INFORMATION, NULL, templ, count);
	if (rv == CKR_OK)
		rv = unwrap(
		    &m, mechanism, with, wrapped_key, wrapped_key_len, &made);
	if (rv == CKR_OK)
		rv = making_adopt(&m, made, key);
	making_end(&m);
	object_unref(with);
	return turn_end(&turn, rv);
}

CK_RV
token_C_DeriveKey(struct token_app *app, CK_SESSION_HANDLE session,
    CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base_key, CK_ATTRIBUTE *templ,
    CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	struct making m = {.turn = NULL};
	const struct mechanism *row;
	struct object *base = NULL;
	struct turn turn;
	CK_SESSION_HANDLE backing;
	CK_OBJECT_HANDLE made;
	CK_RV rv = turn_begin(&turn, app, __func__, session, USE);

	if (rv != CKR_OK)
		return rv;
	if (key == NULL || (templ == NULL && count > 0))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mechanism_check(
		    mechanism, CKF_DERIVE, app->token->fips, &row);
	if (rv == CKR_OK && (base = turn_object(&turn, base_key)) == NULL)
		rv = CKR_KEY_HANDLE_INVALID;
	if (rv == CKR_OK)
		rv = mechanism_key(row, CKF_DERIVE, base);
	if (rv == CKR_OK)
		rv =
		    making_begin(&m, &turn, CKO_SECRET_KEY, NULL, templ, count);
	if (rv == CKR_OK)
		rv = making_session(&m, NULL, &backing);
	if (rv == CKR_OK)
		rv = turn.softhsm->C_DeriveKey(backing, mechanism,
		    base->backing, m.attributes, m.count, &made);
	/* The other side's value is none that this key goes with. */
	if (rv == CKR_GENERAL_ERROR || rv == CKR_ARGUMENTS_BAD)
		rv = CKR_MECHANISM_PARAM_INVALID;
	if (rv == CKR_OK)
		rv = making_adopt(&m, made, key);
	making_end(&m);
	object_unref(base);
	return turn_end(&turn, rv);
}
