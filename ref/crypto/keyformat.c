#include "crypto/keyformat.h"

#include <string.h>

#include "crypto/curve.h"
#include "crypto/der.h"

#define ALG(a) CRYPTOGRAPHIC_ALGORITHM_##a

/* A number of struct keyparts, by its name and its place. */
struct number {
	const char *name;
	size_t offset;
};
#define NUMBER(field, name)                              \
	{                                                \
		(name), offsetof(struct keyparts, field) \
	}

static struct bytes *
number_of(struct keyparts *parts, const struct number *n)
{
	return (struct bytes *)(void *)((uint8_t *)parts + n->offset);
}

static struct bytes
number_peek(const struct keyparts *parts, const struct number *n)
{
	return *(const struct bytes *)(const void *)((const uint8_t *)parts +
						     n->offset);
}

/* Lists end with a row without a name. The first of RSA's are the public. */
/* clang-format off */
static const struct number rsa_private[] = {
	NUMBER(modulus,          "modulus"),
	NUMBER(public_exponent,  "public exponent"),
	NUMBER(private_exponent, "private exponent"),
	NUMBER(prime_p,          "prime p"),
	NUMBER(prime_q,          "prime q"),
	NUMBER(exponent_p,       "exponent of p"),
	NUMBER(exponent_q,       "exponent of q"),
	NUMBER(coefficient,      "coefficient"),
	{ NULL, 0 },
};
static const struct number rsa_public[] = {
	NUMBER(modulus,          "modulus"),
	NUMBER(public_exponent,  "public exponent"),
	{ NULL, 0 },
};
static const struct number dsa_domain[] = {
	NUMBER(p, "p"), NUMBER(q, "q"), NUMBER(g, "g"), { NULL, 0 },
};
static const struct number dh_domain[] = {
	NUMBER(p, "p"), NUMBER(g, "g"), { NULL, 0 },
};
static const struct number dhx_domain[] = {
	NUMBER(p, "p"), NUMBER(g, "g"), NUMBER(q, "q"), { NULL, 0 },
};
/* clang-format on */

/* ---- refusals ---- */

static enum err
refuse(struct fault *f, const char *what, const char *why)
{
	fault_set(f, "key: %s %s", what, why);
	return ERR_FIELD;
}

/* What der.h says of a value, as a fault of the field. */
static enum err
judge(struct fault *f, const char *what, enum err rc)
{
	if (rc == OK || rc == ERR_NOMEM)
		return rc;
	return refuse(f, what, err_text(rc));
}

static enum err
at_end(struct fault *f, const char *what, struct bytes left)
{
	return judge(f, what, left.octets == 0 ? OK : ERR_TRAILING);
}

/* ---- reading ---- */

static enum err
read_numbers(struct bytes *in, const struct number *list,
    struct keyparts *parts, struct fault *f)
{
	enum err rc = OK;

	for (; list->name != NULL; list++)
		TRY(judge(f, list->name,
		    der_take_number(in, number_of(parts, list))));
out:
	return rc;
}

/* A version that is one octet, as all of them are. */
static enum err
read_version(struct bytes *in, unsigned *version, struct fault *f)
{
	struct bytes number;
	enum err rc = OK;

	TRY(judge(f, "version", der_take_number(in, &number)));
	if (number.octets > 1)
		TRY(refuse(f, "version", "is not one that is known"));
	*version = number.octets != 0 ? number.at[0] : 0;
out:
	return rc;
}

static enum err
rsa_read_private(struct bytes in, struct keyparts *parts, struct fault *f)
{
	struct bytes body;
	unsigned version;
	enum err rc = OK;

	TRY(judge(f, "RSAPrivateKey", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "RSAPrivateKey", in));
	TRY(read_version(&body, &version, f));
	if (version != 0) {
		fault_set(f, "key: RSA keys have two primes here");
		TRY(ERR_KEY_FORMAT);
	}
	TRY(read_numbers(&body, rsa_private, parts, f));
	TRY(at_end(f, "RSAPrivateKey", body));
out:
	return rc;
}

static enum err
rsa_read_public(struct bytes in, struct keyparts *parts, struct fault *f)
{
	struct bytes body;
	enum err rc = OK;

	TRY(judge(f, "RSAPublicKey", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "RSAPublicKey", in));
	TRY(read_numbers(&body, rsa_public, parts, f));
	TRY(at_end(f, "RSAPublicKey", body));
out:
	return rc;
}

/* Some leave it out, though it has to be there. */
static enum err
null_read_params(struct bytes in, struct keyparts *parts, struct fault *f)
{
	struct bytes none;
	enum err rc = OK;

	(void)parts;
	if (in.octets == 0)
		return OK;
	TRY(judge(f, "parameters", der_take(&in, DER_NULL, &none)));
	TRY(at_end(f, "parameters", none));
	TRY(at_end(f, "parameters", in));
out:
	return rc;
}

static enum err
no_read_params(struct bytes in, struct keyparts *parts, struct fault *f)
{
	(void)parts;
	return at_end(f, "parameters", in);
}

static enum err
dsa_read_params(struct bytes in, struct keyparts *parts, struct fault *f)
{
	struct bytes body;
	enum err rc = OK;

	TRY(judge(f, "parameters", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "parameters", in));
	TRY(read_numbers(&body, dsa_domain, parts, f));
	TRY(at_end(f, "parameters", body));
out:
	return rc;
}

/* PKCS#3: p, g and perhaps the length of x, which x itself tells. */
static enum err
dh_read_params(struct bytes in, struct keyparts *parts, struct fault *f)
{
	struct bytes body, x_bits;
	enum err rc = OK;

	TRY(judge(f, "parameters", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "parameters", in));
	TRY(read_numbers(&body, dh_domain, parts, f));
	if (body.octets != 0)
		TRY(judge(f, "length of x", der_take_number(&body, &x_bits)));
	TRY(at_end(f, "parameters", body));
out:
	return rc;
}

/* X9.42: p, g, q, and perhaps j, and how p was found. */
static enum err
dhx_read_params(struct bytes in, struct keyparts *parts, struct fault *f)
{
	struct bytes body, found;
	enum err rc = OK;

	TRY(judge(f, "parameters", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "parameters", in));
	TRY(read_numbers(&body, dhx_domain, parts, f));
	if (der_next_is(body, DER_INTEGER))
		TRY(judge(f, "j", der_take_number(&body, &parts->j)));
	if (body.octets != 0)
		TRY(judge(
		    f, "parameters", der_take(&body, DER_SEQUENCE, &found)));
	TRY(at_end(f, "parameters", body));
out:
	return rc;
}

static enum err
x_read_private(struct bytes in, struct keyparts *parts, struct fault *f)
{
	enum err rc = OK;

	TRY(judge(f, "x", der_take_number(&in, &parts->x)));
	TRY(at_end(f, "x", in));
out:
	return rc;
}

static enum err
y_read_public(struct bytes in, struct keyparts *parts, struct fault *f)
{
	enum err rc = OK;

	TRY(judge(f, "y", der_take_number(&in, &parts->y)));
	TRY(at_end(f, "y", in));
out:
	return rc;
}

static enum err
ec_read_params(struct bytes in, struct keyparts *parts, struct fault *f)
{
	const struct curve *curve;
	struct bytes oid;
	enum err rc = OK;

	if (!der_next_is(in, DER_OID)) {
		fault_set(f, "key: its curve is not a named one");
		TRY(ERR_KEY_FORMAT);
	}
	TRY(judge(f, "curve", der_take(&in, DER_OID, &oid)));
	TRY(at_end(f, "curve", in));
	curve = curve_find_oid(oid);
	if (curve == NULL) {
		fault_set(f, "key: its curve is not known here");
		TRY(ERR_KEY_FORMAT);
	}
	/* ECPrivateKey inside PKCS#8 may name it again, and must agree */
	if (parts->curve != 0 && parts->curve != curve->number)
		TRY(refuse(f, "curve", "is named twice, and differently"));
	parts->curve = curve->number;
out:
	return rc;
}

static enum err
ec_read_private(struct bytes in, struct keyparts *parts, struct fault *f)
{
	struct bytes body, content;
	unsigned version;
	enum err rc = OK;

	TRY(judge(f, "ECPrivateKey", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "ECPrivateKey", in));
	TRY(read_version(&body, &version, f));
	if (version != 1)
		TRY(refuse(f, "version", "is not 1, as ECPrivateKey has it"));
	TRY(judge(f, "d", der_take(&body, DER_OCTET_STRING, &parts->d)));
	if (der_next_is(body, DER_CONTEXT)) {
		TRY(judge(f, "curve", der_take(&body, DER_CONTEXT, &content)));
		TRY(ec_read_params(content, parts, f));
	}
	if (der_next_is(body, DER_CONTEXT + 1)) {
		TRY(judge(f, "public key",
		    der_take(&body, DER_CONTEXT + 1, &content)));
		TRY(judge(
		    f, "public key", der_take_bits(&content, &parts->point)));
		TRY(at_end(f, "public key", content));
	}
	TRY(at_end(f, "ECPrivateKey", body));
	if (parts->curve == 0) {
		fault_set(f, "key: its curve is not a named one");
		TRY(ERR_KEY_FORMAT);
	}
out:
	return rc;
}

static enum err
ed_read_private(struct bytes in, struct keyparts *parts, struct fault *f)
{
	enum err rc = OK;

	TRY(judge(f, "d", der_take(&in, DER_OCTET_STRING, &parts->d)));
	TRY(at_end(f, "d", in));
out:
	return rc;
}

static enum err
point_read_public(struct bytes in, struct keyparts *parts, struct fault *f)
{
	(void)f;
	parts->point = in;
	return OK;
}

/* ---- writing, from the end to the front ---- */

static void
put_numbers(
    struct der *d, const struct number *list, const struct keyparts *parts)
{
	const struct number *n = list;

	while (n->name != NULL)
		n++;
	while (n-- != list)
		der_put_number(d, number_peek(parts, n));
}

static void
put_sequence(
    struct der *d, const struct number *list, const struct keyparts *parts)
{
	const uint8_t *end = d->at;

	put_numbers(d, list, parts);
	der_put_header(d, DER_SEQUENCE, end);
}

/* version: 0 or 1 */
static void
put_version(struct der *d, bool one)
{
	static const uint8_t octet = 1;

	der_put_number(d, one ? (struct bytes){&octet, 1} : BYTES_NONE);
}

static void
rsa_put_private(struct der *d, const struct keyparts *parts)
{
	const uint8_t *end = d->at;

	put_numbers(d, rsa_private, parts);
	put_version(d, false);
	der_put_header(d, DER_SEQUENCE, end);
}

static void
rsa_put_public(struct der *d, const struct keyparts *parts)
{
	put_sequence(d, rsa_public, parts);
}

static void
null_put_params(struct der *d, const struct keyparts *parts)
{
	(void)parts;
	der_put_value(d, DER_NULL, BYTES_NONE);
}

static void
no_put_params(struct der *d, const struct keyparts *parts)
{
	(void)d;
	(void)parts;
}

static void
dsa_put_params(struct der *d, const struct keyparts *parts)
{
	put_sequence(d, dsa_domain, parts);
}

static void
dh_put_params(struct der *d, const struct keyparts *parts)
{
	put_sequence(d, dh_domain, parts);
}

static void
dhx_put_params(struct der *d, const struct keyparts *parts)
{
	const uint8_t *end = d->at;

	if (parts->j.octets != 0)
		der_put_number(d, parts->j);
	put_numbers(d, dhx_domain, parts);
	der_put_header(d, DER_SEQUENCE, end);
}

static void
x_put_private(struct der *d, const struct keyparts *parts)
{
	der_put_number(d, parts->x);
}

static void
y_put_public(struct der *d, const struct keyparts *parts)
{
	der_put_number(d, parts->y);
}

static void
ec_put_params(struct der *d, const struct keyparts *parts)
{
	der_put_value(d, DER_OID, curve_find(parts->curve)->oid);
}

/* with_curve: ECPrivateKey alone names it, inside PKCS#8 others have done so */
static void
put_ec_key(struct der *d, const struct keyparts *parts, bool with_curve)
{
	static const uint8_t zeros[128];
	size_t order_octets = curve_find(parts->curve)->order_octets;
	const uint8_t *end = d->at;
	const uint8_t *inner = d->at;

	if (parts->point.octets != 0) {
		der_put_value(d, DER_BIT_STRING, parts->point);
		der_put_header(d, DER_CONTEXT + 1, inner);
	}
	inner = d->at;
	if (with_curve) {
		ec_put_params(d, parts);
		der_put_header(d, DER_CONTEXT, inner);
	}
	inner = d->at;
	der_put(d, parts->d);
	der_put(d, (struct bytes){zeros, order_octets - parts->d.octets});
	der_put_header(d, DER_OCTET_STRING, inner);
	put_version(d, true);
	der_put_header(d, DER_SEQUENCE, end);
}

static void
ec_put_private(struct der *d, const struct keyparts *parts)
{
	put_ec_key(d, parts, false);
}

static void
ed_put_private(struct der *d, const struct keyparts *parts)
{
	der_put_value(d, DER_OCTET_STRING, parts->d);
}

static void
point_put_public(struct der *d, const struct keyparts *parts)
{
	der_put(d, parts->point);
}

/* ---- the kinds of keys ---- */

typedef enum err
read_fn(struct bytes in, struct keyparts *parts, struct fault *f);
typedef void put_fn(struct der *d, const struct keyparts *parts);

/* clang-format off */
#define OID(octets) { (const uint8_t *)(octets), sizeof(octets) - 1 }

static const struct kind {
	uint32_t algorithm;
	bool needs_q; /* DH: X9.42 has it, PKCS#3 does not */
	struct bytes oid;
	read_fn *read_params;
	read_fn *read_private;
	read_fn *read_public;
	put_fn *put_params;
	put_fn *put_private;
	put_fn *put_public;
} kinds[] = {
	{ ALG(RSA), false, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"),
	  null_read_params, rsa_read_private, rsa_read_public,
	  null_put_params, rsa_put_private, rsa_put_public },
	{ ALG(DSA), false, OID("\x2a\x86\x48\xce\x38\x04\x01"),
	  dsa_read_params, x_read_private, y_read_public,
	  dsa_put_params, x_put_private, y_put_public },
	{ ALG(EC), false, OID("\x2a\x86\x48\xce\x3d\x02\x01"),
	  ec_read_params, ec_read_private, point_read_public,
	  ec_put_params, ec_put_private, point_put_public },
	{ ALG(DH), true, OID("\x2a\x86\x48\xce\x3e\x02\x01"),
	  dhx_read_params, x_read_private, y_read_public,
	  dhx_put_params, x_put_private, y_put_public },
	{ ALG(DH), false, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01"),
	  dh_read_params, x_read_private, y_read_public,
	  dh_put_params, x_put_private, y_put_public },
	{ ALG(ED25519), false, OID("\x2b\x65\x70"),
	  no_read_params, ed_read_private, point_read_public,
	  no_put_params, ed_put_private, point_put_public },
	{ ALG(ED448), false, OID("\x2b\x65\x71"),
	  no_read_params, ed_read_private, point_read_public,
	  no_put_params, ed_put_private, point_put_public },
};
/* clang-format on */

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const struct kind *
kind_of_oid(struct bytes oid)
{
	size_t k;

	for (k = 0; k < KINDS; k++) {
		if (bytes_equal(kinds[k].oid, oid))
			return &kinds[k];
	}
	return NULL;
}

static const struct kind *
kind_of(const struct keyparts *parts)
{
	size_t k;

	for (k = 0; k < KINDS; k++) {
		if (kinds[k].algorithm == parts->algorithm &&
		    (!kinds[k].needs_q || parts->q.octets != 0))
			return &kinds[k];
	}
	return NULL;
}

uint32_t
keyformat_family(uint32_t algorithm)
{
	if (algorithm == ALG(ECDSA) || algorithm == ALG(ECDH) ||
	    algorithm == ALG(ECMQV))
		return ALG(EC);
	return algorithm;
}

/* ---- containers ---- */

/* AlgorithmIdentifier: which kind, and the parameters of its keys. */
static enum err
read_algorithm(struct bytes *in, struct keyparts *parts,
    const struct kind **kind, struct fault *f)
{
	struct bytes body, oid;
	enum err rc = OK;

	TRY(judge(f, "algorithm", der_take(in, DER_SEQUENCE, &body)));
	TRY(judge(f, "algorithm", der_take(&body, DER_OID, &oid)));
	*kind = kind_of_oid(oid);
	if (*kind == NULL) {
		fault_set(f, "key: its algorithm is not known here");
		TRY(ERR_KEY_FORMAT);
	}
	parts->algorithm = (*kind)->algorithm;
	TRY((*kind)->read_params(body, parts, f));
out:
	return rc;
}

static enum err
pkcs8_read(struct bytes in, struct keyparts *parts, struct fault *f)
{
	const struct kind *kind;
	struct bytes body, key, other;
	unsigned version;
	enum err rc = OK;

	TRY(judge(f, "PKCS#8", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "PKCS#8", in));
	if (der_next_is(body, DER_SEQUENCE)) {
		fault_set(f, "key: encrypted PKCS#8 is not read here");
		TRY(ERR_KEY_FORMAT);
	}
	TRY(read_version(&body, &version, f));
	if (version > 1)
		TRY(refuse(f, "version", "is not one that is known"));
	TRY(read_algorithm(&body, parts, &kind, f));
	TRY(judge(f, "PKCS#8", der_take(&body, DER_OCTET_STRING, &key)));
	TRY(kind->read_private(key, parts, f));
	/* attributes, and from version 1 on the public key in a form that
	 * depends on the algorithm: nothing that is not known already */
	if (der_next_is(body, DER_CONTEXT))
		TRY(judge(
		    f, "attributes", der_take(&body, DER_CONTEXT, &other)));
	if (version == 1 && der_next_is(body, DER_PUBLIC_KEY))
		TRY(judge(
		    f, "public key", der_take(&body, DER_PUBLIC_KEY, &other)));
	TRY(at_end(f, "PKCS#8", body));
out:
	return rc;
}

static enum err
x509_read(struct bytes in, struct keyparts *parts, struct fault *f)
{
	const struct kind *kind;
	struct bytes body, key;
	enum err rc = OK;

	TRY(judge(f, "X.509", der_take(&in, DER_SEQUENCE, &body)));
	TRY(at_end(f, "X.509", in));
	TRY(read_algorithm(&body, parts, &kind, f));
	TRY(judge(f, "X.509", der_take_bits(&body, &key)));
	TRY(at_end(f, "X.509", body));
	TRY(kind->read_public(key, parts, f));
out:
	return rc;
}

static enum err
refuse_format(uint32_t format, const char *what, struct fault *f)
{
	const char *name = schema_value_name(TAG_KEY_FORMAT_TYPE, format);

	fault_set(f, "Key Format Type %s does not hold %s",
	    name != NULL ? name : "?", what);
	return ERR_KEY_FORMAT;
}

static const char *
half_name(bool is_private)
{
	return is_private ? "a private key" : "a public key";
}

enum err
keyformat_read(uint32_t format, bool is_private, struct bytes in,
    struct keyparts *out, struct fault *f)
{
	struct keyparts parts = {.is_private = is_private};
	enum err rc = OK;

	*out = (struct keyparts){.algorithm = 0};
	if (format == KEY_FORMAT_TYPE_PKCS_1) {
		parts.algorithm = ALG(RSA);
		TRY(is_private ? rsa_read_private(in, &parts, f)
			       : rsa_read_public(in, &parts, f));
	} else if (format == KEY_FORMAT_TYPE_ECPRIVATEKEY && is_private) {
		parts.algorithm = ALG(EC);
		TRY(ec_read_private(in, &parts, f));
	} else if (format == KEY_FORMAT_TYPE_PKCS_8 && is_private) {
		TRY(pkcs8_read(in, &parts, f));
	} else if (format == KEY_FORMAT_TYPE_X_509 && !is_private) {
		TRY(x509_read(in, &parts, f));
	} else {
		TRY(refuse_format(format, half_name(is_private), f));
	}
	TRY(keyformat_measure(&parts, f));
	*out = parts;
out:
	return rc;
}

/* ---- lengths ---- */

static uint32_t
bits_of(struct bytes number)
{
	if (number.octets == 0 || number.octets > UINT32_MAX / 8)
		return 0;
	return (uint32_t)number.octets * 8 -
	       ((uint32_t)__builtin_clz(number.at[0] | 1U) - 24);
}

static enum err
measure_number(struct keyparts *parts, struct bytes number, const char *name,
    struct fault *f)
{
	parts->key_bits = bits_of(number);
	return parts->key_bits != 0 ? OK : refuse(f, name, "is absent or zero");
}

static bool
is_zero(struct bytes number)
{
	size_t k;

	for (k = 0; k < number.octets && number.at[k] == 0; k++)
		;
	return k == number.octets;
}

static enum err
measure_ec(struct keyparts *parts, struct fault *f)
{
	const struct curve *curve = curve_find(parts->curve);
	size_t field_octets;

	if (curve == NULL) {
		fault_set(f, "key: its curve is not known here");
		return ERR_FEATURE;
	}
	field_octets = (curve->bits + 7) / 8;
	if (parts->d.octets > curve->order_octets)
		return refuse(f, "d", "is longer than its curve has it");
	if (parts->is_private && is_zero(parts->d))
		return refuse(f, "d", "is absent or zero");
	if (parts->point.octets != 0 &&
	    parts->point.octets != 1 + field_octets &&
	    parts->point.octets != 1 + 2 * field_octets)
		return refuse(f, "public key", "is no point of its curve");
	parts->key_bits = curve->bits;
	return OK;
}

static enum err
measure_edwards(struct keyparts *parts, size_t octets, struct fault *f)
{
	if ((parts->d.octets != 0 && parts->d.octets != octets) ||
	    (parts->point.octets != 0 && parts->point.octets != octets))
		return refuse(f, "it", "has another length than its curve");
	parts->key_bits = octets == 32 ? 256 : 448;
	return OK;
}

enum err
keyformat_measure(struct keyparts *parts, struct fault *f)
{
	enum err rc = OK;

	parts->algorithm = keyformat_family(parts->algorithm);
	if (parts->algorithm == ALG(RSA)) {
		TRY(measure_number(parts, parts->modulus, "modulus", f));
	} else if (parts->algorithm == ALG(DSA) ||
		   parts->algorithm == ALG(DH)) {
		TRY(measure_number(parts, parts->p, "p", f));
	} else if (parts->algorithm == ALG(EC)) {
		TRY(measure_ec(parts, f));
	} else if (parts->algorithm == ALG(ED25519)) {
		TRY(measure_edwards(parts, 32, f));
	} else if (parts->algorithm == ALG(ED448)) {
		TRY(measure_edwards(parts, 57, f));
	} else {
		fault_set(f, "key: its algorithm is not known here");
		TRY(ERR_FEATURE);
	}
out:
	return rc;
}

/* ---- writing ---- */

/* More than all headers, versions, identifiers and signs of a key take. */
enum { WRITE_EXTRA_OCTETS = 512 };

static size_t
room_for(const struct keyparts *parts)
{
	return parts->modulus.octets + parts->public_exponent.octets +
	       parts->private_exponent.octets + parts->prime_p.octets +
	       parts->prime_q.octets + parts->exponent_p.octets +
	       parts->exponent_q.octets + parts->coefficient.octets +
	       parts->p.octets + parts->q.octets + parts->g.octets +
	       parts->j.octets + parts->y.octets + parts->x.octets +
	       parts->d.octets + parts->point.octets + WRITE_EXTRA_OCTETS;
}

static void
put_algorithm(
    struct der *d, const struct kind *kind, const struct keyparts *parts)
{
	const uint8_t *end = d->at;

	kind->put_params(d, parts);
	der_put_value(d, DER_OID, kind->oid);
	der_put_header(d, DER_SEQUENCE, end);
}

static void
pkcs8_put(struct der *d, const struct kind *kind, const struct keyparts *parts)
{
	const uint8_t *end = d->at;

	kind->put_private(d, parts);
	der_put_header(d, DER_OCTET_STRING, end);
	put_algorithm(d, kind, parts);
	put_version(d, false);
	der_put_header(d, DER_SEQUENCE, end);
}

static void
x509_put(struct der *d, const struct kind *kind, const struct keyparts *parts)
{
	const uint8_t *end = d->at;

	kind->put_public(d, parts);
	der_put_header(d, DER_BIT_STRING, end);
	put_algorithm(d, kind, parts);
	der_put_header(d, DER_SEQUENCE, end);
}

/* Put it, when the format can hold it. */
static enum err
put_key(struct der *d, uint32_t format, bool is_private,
    const struct keyparts *parts, struct fault *f)
{
	const struct kind *kind = kind_of(parts);

	if (format == KEY_FORMAT_TYPE_PKCS_8 && is_private)
		pkcs8_put(d, kind, parts);
	else if (format == KEY_FORMAT_TYPE_X_509 && !is_private)
		x509_put(d, kind, parts);
	else if (format == KEY_FORMAT_TYPE_PKCS_1 &&
		 kind->algorithm == ALG(RSA))
		(is_private ? kind->put_private : kind->put_public)(d, parts);
	else if (format == KEY_FORMAT_TYPE_ECPRIVATEKEY && is_private &&
		 kind->algorithm == ALG(EC))
		put_ec_key(d, parts, true);
	else
		return refuse_format(format, half_name(is_private), f);
	return OK;
}

enum err
keyformat_write(uint32_t format, bool is_private, const struct keyparts *parts,
    struct arena *a, struct bytes *out, struct fault *f)
{
	struct keyparts whole = *parts;
	struct der d;
	enum err rc = OK;

	*out = BYTES_NONE;
	if (is_private && !parts->is_private) {
		fault_set(f, "key: the private half is not here");
		TRY(ERR_KEY_FORMAT);
	}
	TRY(keyformat_measure(&whole, f));
	TRY(keyformat_complete(&whole, a, f));
	TRY(der_new(a, room_for(&whole), &d));
	TRY(put_key(&d, format, is_private, &whole, f));
	*out = der_peek(&d);
out:
	return rc;
}

/* ---- a message's numbers ---- */

enum { BIG_INTEGER_OCTETS = 8 }; /* it is a multiple of */

enum err
keyformat_number(struct bytes big_integer, struct bytes *number)
{
	struct bytes zero;
	enum err rc = OK;

	*number = BYTES_NONE;
	if (big_integer.octets != 0 && big_integer.at[0] >= 0x80)
		TRY(ERR_FIELD);
	while (big_integer.octets != 0 && big_integer.at[0] == 0)
		TRY(bytes_split(&big_integer, 1, &zero));
	*number = big_integer;
out:
	return rc;
}

enum err
keyformat_big_integer(
    struct bytes number, struct arena *a, struct bytes *big_integer)
{
	/* at least one bit in front says that it is positive */
	size_t sign = number.octets == 0 || number.at[0] >= 0x80;
	size_t octets = (number.octets + sign + BIG_INTEGER_OCTETS - 1) /
			BIG_INTEGER_OCTETS * BIG_INTEGER_OCTETS;
	uint8_t *at;
	enum err rc = OK;

	*big_integer = BYTES_NONE;
	TRY(ARENA_ARRAY(a, at, octets));
	if (number.octets != 0)
		memcpy(at + octets - number.octets, number.at, number.octets);
	*big_integer = (struct bytes){at, octets};
out:
	return rc;
}
