/* Keys and pairs that the token generates. */
#include "known.h"
#include "module.h"
#include "trial.h"

#include <string.h>

/* The mechanism that made the key is its own, of the rest says the standard
 * what it must be. */
static void
born_here(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_MECHANISM_TYPE by)
{
	holds(get_bool(s, o, CKA_LOCAL), "CKA_LOCAL", "CK_TRUE");
	same_number("CKA_KEY_GEN_MECHANISM",
	    get_number(s, o, CKA_KEY_GEN_MECHANISM), by);
}

static void
never_out(
    CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, bool sensitive, bool extractable)
{
	holds(get_bool(s, o, CKA_ALWAYS_SENSITIVE) == sensitive,
	    "CKA_ALWAYS_SENSITIVE", "what CKA_SENSITIVE was from the start");
	holds(get_bool(s, o, CKA_NEVER_EXTRACTABLE) == !extractable,
	    "CKA_NEVER_EXTRACTABLE",
	    "the opposite of what CKA_EXTRACTABLE was from the start");
}

static void
key_template(struct attrs *t, bool sensitive, bool extractable)
{
	attr_bool(t, CKA_TOKEN, false);
	attr_bool(t, CKA_PRIVATE, true);
	attr_text(t, CKA_LABEL, LABEL);
	attr_bool(t, CKA_SENSITIVE, sensitive);
	attr_bool(t, CKA_EXTRACTABLE, extractable);
}

/* Secret keys, by what makes them. */
static const struct maker {
	CK_MECHANISM_TYPE by;
	CK_KEY_TYPE type;
	CK_ULONG octets; /* 0: the type has one length only */
} makers[] = {
    {CKM_AES_KEY_GEN, CKK_AES, 16},
    {CKM_AES_KEY_GEN, CKK_AES, 24},
    {CKM_AES_KEY_GEN, CKK_AES, 32},
    {CKM_DES3_KEY_GEN, CKK_DES3, 0},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 32},
    {CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 65},
};

static void
generate(const struct trial *t)
{
	const struct maker *make = t->row;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {make->by, NULL, 0};
	CK_ULONG octets = make->octets != 0 ? make->octets : 24;
	struct attrs a = {0};
	CK_OBJECT_HANDLE one, two;
	struct bytes value;

	/* sensitive and unextractable keys first: everyone has those */
	key_template(&a, true, false);
	if (make->octets != 0)
		attr_number(&a, CKA_VALUE_LEN, make->octets);
	MUST(C_GenerateKey, (s, &m, a.at, a.count, &one));
	same_number("CKA_CLASS", get_number(s, one, CKA_CLASS), CKO_SECRET_KEY);
	same_number(
	    "CKA_KEY_TYPE", get_number(s, one, CKA_KEY_TYPE), make->type);
	if (make->octets != 0)
		same_number("CKA_VALUE_LEN", get_number(s, one, CKA_VALUE_LEN),
		    make->octets);
	born_here(s, one, make->by);
	never_out(s, one, true, false);
	key_template(&a, false, true);
	if (ASK(C_GenerateKey, (s, &m, a.at, a.count, &one)) != CKR_OK)
		return; /* a token may keep all of them in */
	MUST(C_GenerateKey, (s, &m, a.at, a.count, &two));
	never_out(s, one, false, true);
	value = get_octets(s, one, CKA_VALUE);
	same_number("octets of CKA_VALUE", value.octets, octets);
	holds(!bytes_equal(value, get_octets(s, two, CKA_VALUE)),
	    "the values of two keys", "not the same");
	for (size_t i = 0; make->type == CKK_DES3 && i < value.octets; i++)
		holds(__builtin_parity(value.at[i]) == 1,
		    "an octet of a DES3 key", "odd parity");
}

static void
generate_without_length(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	key_template(&a, true, false);
	WANT(
	    C_GenerateKey, (s, &m, a.at, a.count, &o), CKR_TEMPLATE_INCOMPLETE);
}

static void
generate_bad_length(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	key_template(&a, true, false);
	attr_number(&a, CKA_VALUE_LEN, 17);
	WANT(C_GenerateKey, (s, &m, a.at, a.count, &o), CKR_KEY_SIZE_RANGE,
	    CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT);
}

static void
generate_conflict(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	key_template(&a, true, false);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_number(&a, CKA_KEY_TYPE, CKK_AES);
	attr_number(&a, CKA_CLASS, CKO_SECRET_KEY);
	MUST(C_GenerateKey, (s, &m, a.at, a.count, &o));
	attr_number(&a, CKA_KEY_TYPE, CKK_DES3);
	WANT(C_GenerateKey, (s, &m, a.at, a.count, &o),
	    CKR_TEMPLATE_INCONSISTENT);
	attr_number(&a, CKA_KEY_TYPE, CKK_AES);
	attr_number(&a, CKA_CLASS, CKO_PRIVATE_KEY);
	WANT(C_GenerateKey, (s, &m, a.at, a.count, &o),
	    CKR_TEMPLATE_INCONSISTENT);
}

static void
generate_with_value(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	key_template(&a, true, false);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_text(&a, CKA_VALUE, "sixteen octets..");
	WANT(C_GenerateKey, (s, &m, a.at, a.count, &o), CKR_ATTRIBUTE_READ_ONLY,
	    CKR_TEMPLATE_INCONSISTENT);
}

static void
generate_by_other_mechanism(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {
	    t->variant == 0 ? CKM_SHA256 : CKM_VENDOR_DEFINED | 0x7ffe1234,
	    NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o, p;

	key_template(&a, true, false);
	attr_number(&a, CKA_VALUE_LEN, 16);
	WANT(C_GenerateKey, (s, &m, a.at, a.count, &o), CKR_MECHANISM_INVALID);
	WANT(C_GenerateKeyPair, (s, &m, a.at, 1, a.at, 1, &o, &p),
	    CKR_MECHANISM_INVALID);
}

static void
generate_private_without_login(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_public();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	key_template(&a, true, false);
	attr_number(&a, CKA_VALUE_LEN, 16);
	WANT(C_GenerateKey, (s, &m, a.at, a.count, &o), CKR_USER_NOT_LOGGED_IN);
}

static void
generate_nowhere(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	key_template(&a, true, false);
	attr_number(&a, CKA_VALUE_LEN, 16);
	WANT(C_GenerateKey, (s, NULL, a.at, a.count, &o), CKR_ARGUMENTS_BAD);
	WANT(C_GenerateKey, (s, &m, a.at, a.count, NULL), CKR_ARGUMENTS_BAD);
	WANT(C_GenerateKey, (s, &m, NULL, 1, &o), CKR_ARGUMENTS_BAD);
}

/* --- pairs --------------------------------------------------------------- */

struct pair {
	CK_SESSION_HANDLE s;
	CK_MECHANISM m;
	struct attrs public, private;
	CK_OBJECT_HANDLE of_public, of_private;
};

static void
pair_begin(struct pair *p, CK_MECHANISM_TYPE by)
{
	memset(p, 0, sizeof *p);
	p->s = session_user();
	p->m.mechanism = by;
	attr_bool(&p->public, CKA_TOKEN, false);
	attr_bool(&p->public, CKA_PRIVATE, false);
	attr_text(&p->public, CKA_LABEL, LABEL);
	attr_bool(&p->public, CKA_VERIFY, true);
	key_template(&p->private, true, false);
	attr_bool(&p->private, CKA_SIGN, true);
}

static void
pair_make(struct pair *p)
{
	MUST(C_GenerateKeyPair,
	    (p->s, &p->m, p->public.at, p->public.count, p->private.at,
		p->private.count, &p->of_public, &p->of_private));
	same_number("CKA_CLASS of the public key",
	    get_number(p->s, p->of_public, CKA_CLASS), CKO_PUBLIC_KEY);
	same_number("CKA_CLASS of the private key",
	    get_number(p->s, p->of_private, CKA_CLASS), CKO_PRIVATE_KEY);
	born_here(p->s, p->of_public, p->m.mechanism);
	born_here(p->s, p->of_private, p->m.mechanism);
	never_out(p->s, p->of_private, true, false);
}

/* What one signs the other verifies, and nothing else. */
static void
pair_works(struct pair *p, CK_MECHANISM_TYPE how)
{
	CK_MECHANISM m = {how, NULL, 0};
	CK_BYTE data[32] = "thirty-two octets to be signed..", out[512];
	CK_ULONG n = sizeof out;

	MUST(C_SignInit, (p->s, &m, p->of_private));
	MUST(C_Sign, (p->s, data, sizeof data, out, &n));
	MUST(C_VerifyInit, (p->s, &m, p->of_public));
	MUST(C_Verify, (p->s, data, sizeof data, out, n));
	data[0] ^= 1;
	MUST(C_VerifyInit, (p->s, &m, p->of_public));
	WANT(
	    C_Verify, (p->s, data, sizeof data, out, n), CKR_SIGNATURE_INVALID);
}

static CK_ATTRIBUTE_TYPE
secret_of(CK_KEY_TYPE type)
{
	return type == CKK_RSA ? CKA_PRIVATE_EXPONENT : CKA_VALUE;
}

static void
pair_keeps_secret(struct pair *p, CK_KEY_TYPE type)
{
	CK_BYTE octets[512];
	CK_ATTRIBUTE a = {secret_of(type), octets, sizeof octets};

	same_number("CKA_KEY_TYPE",
	    get_number(p->s, p->of_private, CKA_KEY_TYPE), type);
	WANT(C_GetAttributeValue, (p->s, p->of_private, &a, 1),
	    CKR_ATTRIBUTE_SENSITIVE);
	a.type = secret_of(type);
	a.ulValueLen = sizeof octets;
	WANT(C_GetAttributeValue, (p->s, p->of_public, &a, 1),
	    CKR_ATTRIBUTE_TYPE_INVALID);
}

static void
pair_rsa(const struct trial *t)
{
	struct pair p;
	struct bytes modulus;

	(void)t;
	pair_begin(&p, CKM_RSA_PKCS_KEY_PAIR_GEN);
	attr_number(&p.public, CKA_MODULUS_BITS, 2048);
	attr_octets(&p.public, CKA_PUBLIC_EXPONENT, hex("010001"));
	pair_make(&p);
	modulus = get_octets(p.s, p.of_public, CKA_MODULUS);
	same_number("octets of CKA_MODULUS", modulus.octets, 256);
	holds((modulus.at[0] & 0x80) != 0 && (modulus.at[255] & 1) != 0,
	    "CKA_MODULUS", "odd, and of 2048 bits");
	same_octets("CKA_MODULUS of the private key",
	    get_octets(p.s, p.of_private, CKA_MODULUS), modulus);
	same_octets("CKA_PUBLIC_EXPONENT",
	    get_octets(p.s, p.of_public, CKA_PUBLIC_EXPONENT), hex("010001"));
	pair_keeps_secret(&p, CKK_RSA);
	pair_works(&p, CKM_RSA_PKCS);
}

/* The arguments of C_GenerateKeyPair. */
#define HALVES(p)                                              \
	(p.s, &p.m, p.public.at, p.public.count, p.private.at, \
	    p.private.count, &p.of_public, &p.of_private)

/* Without what its mechanism needs to know. */
static void
pair_incomplete(const struct trial *t)
{
	struct pair p;

	pair_begin(&p, t->claims[0].type);
	WANT(C_GenerateKeyPair, HALVES(p), CKR_TEMPLATE_INCOMPLETE);
}

static void
pair_ec(const struct trial *t)
{
	struct pair p;
	struct bytes point;

	(void)t;
	pair_begin(&p, CKM_EC_KEY_PAIR_GEN);
	attr_octets(&p.public, CKA_EC_PARAMS, hex(P256_OID));
	pair_make(&p);
	same_octets("CKA_EC_PARAMS of the private key",
	    get_octets(p.s, p.of_private, CKA_EC_PARAMS), hex(P256_OID));
	point = get_octets(p.s, p.of_public, CKA_EC_POINT);
	holds(point.octets == 67 && point.at[0] == 0x04 && point.at[1] == 65 &&
		  point.at[2] == 0x04,
	    "CKA_EC_POINT", "an OCTET STRING of an uncompressed point");
	pair_keeps_secret(&p, CKK_EC);
	pair_works(&p, CKM_ECDSA);
}

static void
pair_ec_unknown_curve(const struct trial *t)
{
	struct pair p;

	(void)t;
	pair_begin(&p, CKM_EC_KEY_PAIR_GEN);
	attr_octets(&p.public, CKA_EC_PARAMS, hex("06032a0304"));
	WANT(C_GenerateKeyPair, HALVES(p), CKR_CURVE_NOT_SUPPORTED,
	    CKR_DOMAIN_PARAMS_INVALID, CKR_ATTRIBUTE_VALUE_INVALID);
}

static void
pair_ed25519(const struct trial *t)
{
	struct pair p;

	(void)t;
	pair_begin(&p, CKM_EC_EDWARDS_KEY_PAIR_GEN);
	attr_octets(
	    &p.public, CKA_EC_PARAMS, hex("130c656477617264733235353139"));
	pair_make(&p);
	pair_keeps_secret(&p, CKK_EC_EDWARDS);
	pair_works(&p, CKM_EDDSA);
}

/* Of a pair that could not be made there is no half. */
static void
pair_all_or_nothing(const struct trial *t)
{
	struct pair p;
	struct attrs mine = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	pair_begin(&p, CKM_EC_KEY_PAIR_GEN);
	attr_octets(&p.public, CKA_EC_PARAMS, hex(P256_OID));
	attr_number(&p.private, CKA_CLASS, CKO_SECRET_KEY);
	WANT(C_GenerateKeyPair, HALVES(p), CKR_TEMPLATE_INCONSISTENT,
	    CKR_ATTRIBUTE_VALUE_INVALID);
	attr_text(&mine, CKA_LABEL, LABEL);
	same_number("objects made all the same", find(p.s, &mine, &o), 0);
}

#define AES_GEN                                      \
	{                                            \
		CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE) \
	}
#define PAIR(by) CLAIM(by, CKF_GENERATE_KEY_PAIR)

static const struct trial trials[] = {
    {"key/aes-128", "An AES key of 16 octets is generated", MECH "2.8.3",
	NEED_PIN, AES_GEN, .run = generate, .row = &makers[0]},
    {"key/aes-192", "An AES key of 24 octets is generated", MECH "2.8.3",
	NEED_PIN, AES_GEN, .run = generate, .row = &makers[1]},
    {"key/aes-256", "An AES key of 32 octets is generated", MECH "2.8.3",
	NEED_PIN, AES_GEN, .run = generate, .row = &makers[2]},
    {"key/des3", "A DES3 key of odd parity is generated", MECH "2.15", NEED_PIN,
	{CLAIM(CKM_DES3_KEY_GEN, CKF_GENERATE)}, .run = generate,
	.row = &makers[3]},
    {"key/generic-32", "A generic secret of 32 octets is generated", MECH "2.6",
	NEED_PIN, {CLAIM(CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE)},
	.run = generate, .row = &makers[4]},
    {"key/generic-65", "A generic secret of 65 octets is generated", MECH "2.6",
	NEED_PIN, {CLAIM(CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE)},
	.run = generate, .row = &makers[5]},
    {"key/without-length", "An AES key needs a length", BASE "5.14", NEED_PIN,
	AES_GEN, .run = generate_without_length},
    {"key/bad-length", "An AES key of 17 octets is refused", BASE "5.14",
	NEED_PIN, AES_GEN, .run = generate_bad_length},
    {"key/conflict", "A template that contradicts the mechanism is refused",
	BASE "5.14", NEED_PIN, AES_GEN, .run = generate_conflict},
    {"key/with-value", "A template with a value is refused", BASE "5.14",
	NEED_PIN, AES_GEN, .run = generate_with_value},
    {"key/mechanism-of-other-kind",
	"A mechanism for another purpose is refused", BASE "5.14", NEED_PIN,
	.run = generate_by_other_mechanism},
    {"key/mechanism-unknown", "A mechanism that nobody has is refused",
	BASE "5.14", NEED_PIN, .run = generate_by_other_mechanism,
	.variant = 1},
    {"key/private-without-login", "A private key needs a login", BASE "5.14", 0,
	AES_GEN, .run = generate_private_without_login},
    {"key/nowhere", "C_GenerateKey refuses NULL", BASE "5.14", NEED_PIN,
	AES_GEN, .run = generate_nowhere},
    {"key/pair-rsa", "An RSA pair is generated, fits and works", MECH "2.1.4",
	NEED_PIN,
	{PAIR(CKM_RSA_PKCS_KEY_PAIR_GEN), CLAIM(CKM_RSA_PKCS, CKF_SIGN)},
	.run = pair_rsa},
    {"key/pair-rsa-without-bits", "An RSA pair needs a length", MECH "2.1.4",
	NEED_PIN, {PAIR(CKM_RSA_PKCS_KEY_PAIR_GEN)}, .run = pair_incomplete},
    {"key/pair-ec", "A pair on P-256 is generated, fits and works",
	MECH "2.3.5", NEED_PIN,
	{PAIR(CKM_EC_KEY_PAIR_GEN), CLAIM(CKM_ECDSA, CKF_SIGN)},
	.run = pair_ec},
    {"key/pair-ec-without-curve", "An EC pair needs a curve", MECH "2.3.5",
	NEED_PIN, {PAIR(CKM_EC_KEY_PAIR_GEN)}, .run = pair_incomplete},
    {"key/pair-ec-unknown-curve", "A curve that nobody has is refused",
	MECH "2.3.5", NEED_PIN, {PAIR(CKM_EC_KEY_PAIR_GEN)},
	.run = pair_ec_unknown_curve},
    {"key/pair-ed25519", "A pair on Ed25519 is generated and works",
	CURR3 "2.3.8", NEED_PIN,
	{PAIR(CKM_EC_EDWARDS_KEY_PAIR_GEN), CLAIM(CKM_EDDSA, CKF_SIGN)},
	.run = pair_ed25519},
    {"key/pair-all-or-nothing", "Of a refused pair no half is left",
	BASE "5.14", NEED_PIN, {PAIR(CKM_EC_KEY_PAIR_GEN)},
	.run = pair_all_or_nothing},
};

void
key_trials(struct trials *ts)
{
	TRIALS_ADD(ts, trials);
}
