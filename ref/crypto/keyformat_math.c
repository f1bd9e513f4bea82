/*
 * What follows from a key's numbers: the part of keyformat.h that computes.
 */
#include "crypto/keyformat.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "crypto/curve.h"
#include "crypto/ossl.h"

#define ALG(a) CRYPTOGRAPHIC_ALGORITHM_##a

/* Beyond this a computation would hold up the loop. */
enum { MOST_OCTETS = 8192 / 8 };

static enum err
refuse(struct fault *f, const char *why)
{
	fault_set(f, "key: %s", why);
	return ERR_FIELD;
}

/* Of BN_CTX_get's numbers the last one says whether all are there. */
static enum err
bn_err(const char *call)
{
	return ossl_err(call, ERR_CRYPTO);
}

static enum err
bn_load(struct bytes number, BIGNUM *out)
{
	if (number.octets > MOST_OCTETS)
		return ERR_FIELD;
	if (BN_bin2bn(number.at, (int)number.octets, out) == NULL)
		return bn_err("BN_bin2bn");
	BN_set_flags(out, BN_FLG_CONSTTIME);
	return OK;
}

static enum err
bn_save(const BIGNUM *bn, struct arena *a, struct bytes *out)
{
	size_t octets = (size_t)BN_num_bytes(bn);
	uint8_t *at;
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, at, octets));
	(void)BN_bn2bin(bn, at);
	*out = (struct bytes){at, octets};
out:
	return rc;
}

/* ---- RSA ---- */

struct rsa {
	BN_CTX *ctx;
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
	BIGNUM *p1, *q1, *lcm; /* p - 1, q - 1, their least common multiple */
	BIGNUM *t, *u, *v;
};

static void
rsa_clear(struct rsa *r)
{
	if (r->ctx != NULL)
		BN_CTX_end(r->ctx);
	BN_CTX_free(r->ctx);
}

static enum err
rsa_load(const struct keyparts *parts, struct rsa *r, struct fault *f)
{
	const struct {
		BIGNUM **bn;
		struct bytes number;
	} all[] = {
	    {&r->n, parts->modulus},
	    {&r->e, parts->public_exponent},
	    {&r->d, parts->private_exponent},
	    {&r->p, parts->prime_p},
	    {&r->q, parts->prime_q},
	    {&r->dp, parts->exponent_p},
	    {&r->dq, parts->exponent_q},
	    {&r->qi, parts->coefficient},
	    {&r->p1, BYTES_NONE},
	    {&r->q1, BYTES_NONE},
	    {&r->lcm, BYTES_NONE},
	    {&r->t, BYTES_NONE},
	    {&r->u, BYTES_NONE},
	    {&r->v, BYTES_NONE},
	};
	size_t k;
	enum err rc = OK;

	*r = (struct rsa){.ctx = BN_CTX_new()};
	if (r->ctx == NULL)
		return bn_err("BN_CTX_new");
	BN_CTX_start(r->ctx);
	for (k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
		*all[k].bn = BN_CTX_get(r->ctx);
		if (*all[k].bn == NULL)
			TRY(bn_err("BN_CTX_get"));
		rc = bn_load(all[k].number, *all[k].bn);
		if (rc == ERR_FIELD)
			rc = refuse(f, "its numbers are too large to compute");
		TRY(rc);
	}
out:
	return rc;
}

/*
 * The primes from n, e and d: a square root of 1 that is neither 1 nor -1.
 *
 * Source: SP 800-56B appendix C.1, with small bases for the random ones
 */
static enum err
rsa_find_primes(struct rsa *r, struct fault *f)
{
	static const char contradict[] =
	    "modulus and exponents do not belong together";
	enum { BASES = 100 };
	BIGNUM *k = r->p1, *n1 = r->q1, *y = r->t, *x = r->u, *g = r->v;
	int twos = 0;
	int base, j;

	if (BN_is_zero(r->n) || !BN_is_odd(r->n) || BN_is_zero(r->e) ||
	    BN_is_zero(r->d))
		return refuse(f, contradict);
	if (!BN_mul(k, r->d, r->e, r->ctx) || !BN_sub_word(k, 1) ||
	    BN_copy(n1, r->n) == NULL || !BN_sub_word(n1, 1))
		return bn_err("BN_mul");
	if (BN_is_zero(k) || BN_is_odd(k))
		return refuse(f, contradict);
	while (!BN_is_bit_set(k, twos))
		twos++;
	if (!BN_rshift(k, k, twos))
		return bn_err("BN_rshift");
	for (base = 2; base < BASES; base++) {
		if (!BN_set_word(g, (BN_ULONG)base) ||
		    !BN_mod_exp(y, g, k, r->n, r->ctx))
			return bn_err("BN_mod_exp");
		if (BN_is_one(y) || BN_cmp(y, n1) == 0)
			continue;
		for (j = 0; j < twos; j++) {
			if (!BN_mod_sqr(x, y, r->n, r->ctx))
				return bn_err("BN_mod_sqr");
			if (BN_is_one(x) || BN_cmp(x, n1) == 0)
				break;
			if (BN_copy(y, x) == NULL)
				return bn_err("BN_copy");
		}
		/* g^(de - 1) is not 1 */
		if (j == twos)
			return refuse(f, contradict);
		if (!BN_is_one(x))
			continue;
		if (!BN_sub_word(y, 1) || !BN_gcd(r->p, y, r->n, r->ctx) ||
		    !BN_div(r->q, NULL, r->n, r->p, r->ctx))
			return bn_err("BN_gcd");
		if (BN_cmp(r->p, r->q) < 0)
			BN_swap(r->p, r->q);
		return OK;
	}
	return refuse(f, contradict);
}

/* p - 1, q - 1 and lcm; p and q are there. */
static enum err
rsa_find_orders(struct rsa *r, struct fault *f)
{
	if (BN_is_zero(r->p) || BN_is_zero(r->q) || BN_is_one(r->p) ||
	    BN_is_one(r->q))
		return refuse(f, "a prime is 0 or 1");
	if (!BN_sub(r->p1, r->p, BN_value_one()) ||
	    !BN_sub(r->q1, r->q, BN_value_one()) ||
	    !BN_gcd(r->t, r->p1, r->q1, r->ctx) ||
	    !BN_mul(r->u, r->p1, r->q1, r->ctx) ||
	    !BN_div(r->lcm, NULL, r->u, r->t, r->ctx))
		return bn_err("BN_div");
	return OK;
}

/* out = in^-1 mod m, or a fault: that it has none is no failure of ours */
static enum err
bn_invert(struct rsa *r, BIGNUM *out, const BIGNUM *in, const BIGNUM *m,
    const char *what, struct fault *f)
{
	if (BN_is_zero(m) || BN_is_one(m) ||
	    BN_mod_inverse(out, in, m, r->ctx) == NULL) {
		ossl_forget();
		return refuse(f, what);
	}
	return OK;
}

static enum err
rsa_find_rest(struct rsa *r, struct fault *f)
{
	enum err rc = OK;

	if (BN_is_zero(r->p) || BN_is_zero(r->q))
		TRY(rsa_find_primes(r, f));
	TRY(rsa_find_orders(r, f));
	if (BN_is_zero(r->d))
		TRY(bn_invert(r, r->d, r->e, r->lcm,
		    "the public exponent has no inverse", f));
	if (BN_is_zero(r->e))
		TRY(bn_invert(r, r->e, r->d, r->lcm,
		    "the private exponent has no inverse", f));
	if (BN_is_zero(r->dp) && !BN_mod(r->dp, r->d, r->p1, r->ctx))
		TRY(bn_err("BN_mod"));
	if (BN_is_zero(r->dq) && !BN_mod(r->dq, r->d, r->q1, r->ctx))
		TRY(bn_err("BN_mod"));
	if (BN_is_zero(r->qi))
		TRY(bn_invert(r, r->qi, r->q, r->p,
		    "the primes have a divisor in common", f));
out:
	return rc;
}

static enum err
rsa_complete(struct keyparts *parts, struct arena *a, struct fault *f)
{
	struct rsa r = {.ctx = NULL};
	enum err rc = OK;

	if (!parts->is_private) {
		if (parts->public_exponent.octets == 0)
			TRY(refuse(f, "its public exponent is absent"));
		return OK;
	}
	if (parts->public_exponent.octets != 0 &&
	    parts->private_exponent.octets != 0 && parts->prime_p.octets != 0 &&
	    parts->prime_q.octets != 0 && parts->exponent_p.octets != 0 &&
	    parts->exponent_q.octets != 0 && parts->coefficient.octets != 0)
		return OK;
	TRY(rsa_load(parts, &r, f));
	TRY(rsa_find_rest(&r, f));
	TRY(bn_save(r.e, a, &parts->public_exponent));
	TRY(bn_save(r.d, a, &parts->private_exponent));
	TRY(bn_save(r.p, a, &parts->prime_p));
	TRY(bn_save(r.q, a, &parts->prime_q));
	TRY(bn_save(r.dp, a, &parts->exponent_p));
	TRY(bn_save(r.dq, a, &parts->exponent_q));
	TRY(bn_save(r.qi, a, &parts->coefficient));
out:
	rsa_clear(&r);
	return rc;
}

/* ---- DSA and DH: y = g^x mod p ---- */

static enum err
ffc_find_y(struct keyparts *parts, struct arena *a, struct fault *f)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new();
	BIGNUM *g = BN_new();
	BIGNUM *x = BN_new();
	BIGNUM *y = BN_new();
	enum err rc = OK;

	if (ctx == NULL || p == NULL || g == NULL || x == NULL || y == NULL)
		TRY(bn_err("BN_new"));
	if (bn_load(parts->p, p) != OK || bn_load(parts->g, g) != OK ||
	    bn_load(parts->x, x) != OK)
		TRY(refuse(f, "its numbers are too large to compute"));
	if (!BN_is_odd(p) || BN_is_one(p))
		TRY(refuse(f, "p is not prime"));
	if (!BN_mod_exp(y, g, x, p, ctx))
		TRY(bn_err("BN_mod_exp"));
	TRY(bn_save(y, a, &parts->y));
out:
	BN_clear_free(x);
	BN_free(p);
	BN_free(g);
	BN_free(y);
	BN_CTX_free(ctx);
	return rc;
}

static enum err
ffc_complete(struct keyparts *parts, struct arena *a, struct fault *f)
{
	bool need_q = parts->algorithm == ALG(DSA);

	if (parts->g.octets == 0 || (need_q && parts->q.octets == 0))
		return refuse(f, "its domain parameters are not all here");
	if (parts->is_private && parts->x.octets == 0)
		return refuse(f, "x is absent");
	if (parts->y.octets != 0)
		return OK;
	if (!parts->is_private)
		return refuse(f, "y is absent");
	return ffc_find_y(parts, a, f);
}

/* ---- curves ---- */

static enum err
ec_find_point(struct keyparts *parts, struct arena *a, struct fault *f)
{
	const struct curve *curve = curve_find(parts->curve);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve->name));
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	BIGNUM *d = BN_new();
	size_t octets;
	uint8_t *at;
	enum err rc = OK;

	if (point == NULL || d == NULL)
		TRY(bn_err("EC_POINT_new"));
	TRY(bn_load(parts->d, d));
	if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0)
		TRY(refuse(f, "d is not between 0 and the curve's order"));
	if (!EC_POINT_mul(group, point, d, NULL, NULL, NULL))
		TRY(bn_err("EC_POINT_mul"));
	octets = EC_POINT_point2oct(
	    group, point, POINT_CONVERSION_UNCOMPRESSED, NULL, 0, NULL);
	TRY(ARENA_ARRAY(a, at, octets));
	if (octets == 0 ||
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, at,
		octets, NULL) != octets)
		TRY(bn_err("EC_POINT_point2oct"));
	parts->point = (struct bytes){at, octets};
out:
	BN_clear_free(d);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return rc;
}

static enum err
ed_find_point(struct keyparts *parts, struct arena *a)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(
	    parts->algorithm == ALG(ED25519) ? EVP_PKEY_ED25519
					     : EVP_PKEY_ED448,
	    NULL, parts->d.at, parts->d.octets);
	size_t octets = parts->d.octets;
	uint8_t *at;
	enum err rc = OK;

	if (pkey == NULL)
		TRY(ossl_err("EVP_PKEY_new_raw_private_key", ERR_CRYPTO));
	TRY(ARENA_ARRAY(a, at, octets));
	if (EVP_PKEY_get_raw_public_key(pkey, at, &octets) != 1)
		TRY(ossl_err("EVP_PKEY_get_raw_public_key", ERR_CRYPTO));
	parts->point = (struct bytes){at, octets};
out:
	EVP_PKEY_free(pkey);
	return rc;
}

static enum err
point_complete(struct keyparts *parts, struct arena *a, struct fault *f)
{
	if (parts->is_private && parts->d.octets == 0)
		return refuse(f, "d is absent");
	if (parts->point.octets != 0)
		return OK;
	if (!parts->is_private)
		return refuse(f, "its public point is absent");
	return parts->algorithm == ALG(EC) ? ec_find_point(parts, a, f)
					   : ed_find_point(parts, a);
}

enum err
keyformat_complete(struct keyparts *parts, struct arena *a, struct fault *f)
{
	enum err rc = OK;

	TRY(keyformat_measure(parts, f));
	if (parts->algorithm == ALG(RSA))
		TRY(rsa_complete(parts, a, f));
	else if (parts->algorithm == ALG(DSA) || parts->algorithm == ALG(DH))
		TRY(ffc_complete(parts, a, f));
	else
		TRY(point_complete(parts, a, f));
out:
	return rc;
}
