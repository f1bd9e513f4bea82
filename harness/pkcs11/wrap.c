/* Keys that leave and enter the token wrapped, and keys made of others. */
#include "known.h"
#include "module.h"
#include "trial.h"

#include <string.h>

/* Wrapping with a known key, of a known key: published answers. */
static const struct wrapping {
	const char *source, *name;
	CK_MECHANISM_TYPE type;
	const char *wrapping_key, *key, *wrapped;
	const char *or_wrapped; /* another right answer; NULL: none */
} wrappings[] = {
    {"RFC3394-4.1", "CKM_AES_KEY_WRAP", CKM_AES_KEY_WRAP,
	"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
	"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5", NULL},
    {"RFC3394-4.6", "CKM_AES_KEY_WRAP", CKM_AES_KEY_WRAP,
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	"00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
	"28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
	"fb988b9b7a02dd21",
	NULL},
    /* 2.13 says "the usual padding" and no more: RFC 5649, or PKCS #7 under
     * RFC 3394, which 3.1 made of the name */
    {"RFC5649-6-20-octets", "CKM_AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD,
	"5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
	"c37b7e6492584340bed12207808941155068f738",
	"138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
	"44bfbc91df7939f52728eb0c6287a43cb268367ead991a471290544c21f20477"},
    {"RFC5649-6-7-octets", "CKM_AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD,
	"5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", "466f7250617369",
	"afbeb0f07dfbf5419200f2ccb50bb24f", NULL},
};

static CK_OBJECT_HANDLE
secret(CK_SESSION_HANDLE s, CK_KEY_TYPE type, const char *value,
    CK_ATTRIBUTE_TYPE usage)
{
	struct attrs a = {0};

	secret_template(&a, type, hex(value));
	if (usage != 0)
		attr_bool(&a, usage, true);
	attr_bool(&a, CKA_EXTRACTABLE, true);
	return key_import(s, &a);
}

/* A template for what is unwrapped: readable where the token allows it. */
static void
unwrapped_template(struct attrs *a, CK_KEY_TYPE type)
{
	attr_number(a, CKA_CLASS, CKO_SECRET_KEY);
	attr_number(a, CKA_KEY_TYPE, type);
	attr_bool(a, CKA_TOKEN, false);
	attr_bool(a, CKA_PRIVATE, true);
	attr_text(a, CKA_LABEL, LABEL);
	attr_bool(a, CKA_SENSITIVE, false);
	attr_bool(a, CKA_EXTRACTABLE, true);
}

static void
wrap_known(const struct trial *t)
{
	const struct wrapping *w = t->row;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {w->type, NULL, 0};
	CK_OBJECT_HANDLE with = secret(s, CKK_AES, w->wrapping_key, CKA_WRAP);
	CK_OBJECT_HANDLE key = secret(s, CKK_GENERIC_SECRET, w->key, 0);
	CK_BYTE out[128];
	CK_ULONG n = 0, asked;
	struct bytes got, right = hex(w->wrapped);

	MUST(C_WrapKey, (s, &m, with, key, NULL, &n));
	holds(n >= right.octets, "the length asked for", "enough");
	asked = n;
	n = right.octets - 1;
	WANT(C_WrapKey, (s, &m, with, key, out, &n), CKR_BUFFER_TOO_SMALL);
	holds(n >= right.octets, "the length that it tells", "enough");
	n = asked;
	MUST(C_WrapKey, (s, &m, with, key, out, &n));
	got = (struct bytes){out, n};
	if (w->or_wrapped == NULL || !bytes_equal(got, hex(w->or_wrapped)))
		same_octets("the wrapped key", got, right);
}

static void
unwrap_known(const struct trial *t)
{
	const struct wrapping *w = t->row;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {w->type, NULL, 0};
	CK_OBJECT_HANDLE with = secret(s, CKK_AES, w->wrapping_key, CKA_UNWRAP);
	struct bytes in = hex(w->wrapped);
	struct attrs a = {0};
	CK_OBJECT_HANDLE key;
	CK_RV rv;

	unwrapped_template(&a, CKK_GENERIC_SECRET);
	rv = ASK(C_UnwrapKey,
	    (s, &m, with, (CK_BYTE *)in.at, in.octets, a.at, a.count, &key));
	if (rv != CKR_OK && w->or_wrapped != NULL) {
		in = hex(w->or_wrapped);
		rv = ASK(C_UnwrapKey, (s, &m, with, (CK_BYTE *)in.at, in.octets,
					  a.at, a.count, &key));
	}
	JUDGE(rv, CKR_OK);
	same_octets("CKA_VALUE", get_octets(s, key, CKA_VALUE), hex(w->key));
	holds(!get_bool(s, key, CKA_LOCAL), "CKA_LOCAL", "CK_FALSE");
	holds(!get_bool(s, key, CKA_ALWAYS_SENSITIVE), "CKA_ALWAYS_SENSITIVE",
	    "CK_FALSE");
	holds(!get_bool(s, key, CKA_NEVER_EXTRACTABLE), "CKA_NEVER_EXTRACTABLE",
	    "CK_FALSE");
}

static void
unwrap_tampered(const struct trial *t)
{
	const struct wrapping *w = t->row;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {w->type, NULL, 0};
	CK_OBJECT_HANDLE with = secret(s, CKK_AES, w->wrapping_key, CKA_UNWRAP);
	struct bytes in = hex(w->wrapped);
	struct attrs a = {0};
	CK_OBJECT_HANDLE key;
	CK_BYTE bad[128];

	unwrapped_template(&a, CKK_GENERIC_SECRET);
	memcpy(bad, in.at, in.octets);
	bad[in.octets - 1] ^= 1;
	WANT(C_UnwrapKey, (s, &m, with, bad, in.octets, a.at, a.count, &key),
	    CKR_WRAPPED_KEY_INVALID);
	WANT(C_UnwrapKey,
	    (s, &m, with, (CK_BYTE *)in.at, in.octets - 1, a.at, a.count, &key),
	    CKR_WRAPPED_KEY_LEN_RANGE, CKR_WRAPPED_KEY_INVALID);
}

/* --- who may be wrapped, and by whom ------------------------------------- */

static CK_OBJECT_HANDLE
wrapping_key(CK_SESSION_HANDLE s)
{
	return aes_key(s, CKA_WRAP);
}

static CK_OBJECT_HANDLE
generated(CK_SESSION_HANDLE s, CK_ATTRIBUTE_TYPE type, bool value)
{
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;
	CK_RV rv;

	attr_bool(&a, CKA_TOKEN, false);
	attr_bool(&a, CKA_PRIVATE, true);
	attr_text(&a, CKA_LABEL, LABEL);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_bool(&a, CKA_EXTRACTABLE, true);
	attr_bool(&a, type, value);
	rv = ASK(C_GenerateKey, (s, &m, a.at, a.count, &o));
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID)
		not_claimed("the token does not have that attribute");
	JUDGE(rv, CKR_OK);
	return o;
}

/* Answers to C_WrapKey, of keys that are generated for it. */
struct refusal {
	CK_MECHANISM_TYPE by;
	bool may;                /* the wrapping key's CKA_WRAP */
	CK_ATTRIBUTE_TYPE about; /* the wrapped key, and what it has there */
	bool value;
	CK_RV right[3];
};

enum { UNEXTRACTABLE, ONLY_WITH_TRUSTED, NOT_PERMITTED, OTHER_MECHANISM };

static const struct refusal refusals[] = {
    [UNEXTRACTABLE] = {CKM_AES_KEY_WRAP, true, CKA_EXTRACTABLE, false,
	{CKR_KEY_UNEXTRACTABLE, RV_END}},
    [ONLY_WITH_TRUSTED] = {CKM_AES_KEY_WRAP, true, CKA_WRAP_WITH_TRUSTED, true,
	{CKR_KEY_NOT_WRAPPABLE, CKR_KEY_UNEXTRACTABLE, RV_END}},
    [NOT_PERMITTED] = {CKM_AES_KEY_WRAP, false, CKA_EXTRACTABLE, true,
	{CKR_KEY_FUNCTION_NOT_PERMITTED, RV_END}},
    [OTHER_MECHANISM] = {CKM_SHA256, true, CKA_EXTRACTABLE, true,
	{CKR_MECHANISM_INVALID, RV_END}},
};

static void
wrap_refused(const struct trial *t)
{
	const struct refusal *r = t->row;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {r->by, NULL, 0};
	CK_OBJECT_HANDLE key = generated(s, r->about, r->value);
	CK_OBJECT_HANDLE with =
	    r->may ? wrapping_key(s) : generated(s, CKA_WRAP, false);
	CK_BYTE out[64];
	CK_ULONG n = sizeof out;

	module_judge(ASK(C_WrapKey, (s, &m, with, key, out, &n)), r->right);
}

static void
wrap_sensitive(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_OBJECT_HANDLE key = generated(s, CKA_SENSITIVE, true);
	CK_OBJECT_HANDLE with = wrapping_key(s);
	CK_BYTE out[64];
	CK_ULONG n = sizeof out;

	(void)t;
	MUST(C_WrapKey, (s, &m, with, key, out, &n));
	same_number("octets of the wrapped key", n, 24);
}

static void
user_makes_no_trusted_key(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	attr_bool(&a, CKA_TOKEN, false);
	attr_text(&a, CKA_LABEL, LABEL);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_bool(&a, CKA_TRUSTED, true);
	WANT(C_GenerateKey, (s, &m, a.at, a.count, &o), CKR_ATTRIBUTE_READ_ONLY,
	    CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID,
	    CKR_ATTRIBUTE_VALUE_INVALID);
}

static void
wrap_handles(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_OBJECT_HANDLE with = wrapping_key(s);
	CK_OBJECT_HANDLE key = generated(s, CKA_EXTRACTABLE, true);
	CK_BYTE out[64];
	CK_ULONG n = sizeof out;

	(void)t;
	WANT(C_WrapKey, (s, &m, no_object(), key, out, &n),
	    CKR_WRAPPING_KEY_HANDLE_INVALID);
	WANT(C_WrapKey, (s, &m, with, no_object(), out, &n),
	    CKR_KEY_HANDLE_INVALID);
}

static void
unwrap_handles(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_BYTE in[24] = {0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE key;

	(void)t;
	unwrapped_template(&a, CKK_AES);
	WANT(C_UnwrapKey,
	    (s, &m, no_object(), in, sizeof in, a.at, a.count, &key),
	    CKR_UNWRAPPING_KEY_HANDLE_INVALID);
}

static void
unwrap_not_permitted(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_OBJECT_HANDLE with = generated(s, CKA_UNWRAP, false);
	CK_BYTE in[24] = {0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE key;

	(void)t;
	unwrapped_template(&a, CKK_AES);
	WANT(C_UnwrapKey, (s, &m, with, in, sizeof in, a.at, a.count, &key),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* --- a private key, out and in again ------------------------------------- */

static void
wrap_private_key(const struct trial *t)
{
	const struct known ec = {.name = "EC", .key = KEY_EC};
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	CK_MECHANISM sign = {CKM_ECDSA, NULL, 0};
	CK_MECHANISM aes = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0}, both = {0};
	CK_OBJECT_HANDLE with, key, public, back;
	CK_BYTE wrapped[512], data[32] = "thirty-two octets to be signed..";
	CK_BYTE signature[64];
	CK_ULONG n = sizeof wrapped, octets = sizeof signature;

	(void)t;
	known_template(&ec, OP_SIGN, &a);
	attr_bool(&a, CKA_EXTRACTABLE, true);
	key = key_import(s, &a);
	public = known_key(s, &ec, OP_VERIFY, true);
	attr_bool(&both, CKA_TOKEN, false);
	attr_text(&both, CKA_LABEL, LABEL);
	attr_number(&both, CKA_VALUE_LEN, 32);
	attr_bool(&both, CKA_WRAP, true);
	attr_bool(&both, CKA_UNWRAP, true);
	MUST(C_GenerateKey, (s, &aes, both.at, both.count, &with));
	MUST(C_WrapKey, (s, &m, with, key, wrapped, &n));
	MUST(C_DestroyObject, (s, key));
	attr_drop(&a, CKA_VALUE);
	attr_drop(&a, CKA_EC_PARAMS);
	MUST(C_UnwrapKey, (s, &m, with, wrapped, n, a.at, a.count, &back));
	MUST(C_SignInit, (s, &sign, back));
	MUST(C_Sign, (s, data, sizeof data, signature, &octets));
	MUST(C_VerifyInit, (s, &sign, public));
	MUST(C_Verify, (s, data, sizeof data, signature, octets));
	data[0] ^= 1;
	MUST(C_VerifyInit, (s, &sign, public));
	WANT(C_Verify, (s, data, sizeof data, signature, octets),
	    CKR_SIGNATURE_INVALID);
}

static void
wrap_with_rsa(const struct trial *t)
{
	const struct known rsa = {.name = "RSA", .key = KEY_RSA};
	CK_MECHANISM_TYPE type =
	    t->variant == 0 ? CKM_RSA_PKCS : CKM_RSA_PKCS_OAEP;
	CK_RSA_PKCS_OAEP_PARAMS oaep = {
	    CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_MECHANISM m = {type, t->variant == 0 ? NULL : &oaep,
	    t->variant == 0 ? 0 : sizeof oaep};
	CK_SESSION_HANDLE s = session_user();
	struct attrs out = {0}, in = {0}, a = {0};
	CK_OBJECT_HANDLE key =
	    secret(s, CKK_AES, "00112233445566778899aabbccddeeff", 0);
	CK_OBJECT_HANDLE with, from, back;
	CK_BYTE wrapped[256];
	CK_ULONG n = sizeof wrapped;

	known_template(&rsa, OP_VERIFY, &out);
	attr_bool(&out, CKA_WRAP, true);
	known_template(&rsa, OP_SIGN, &in);
	attr_bool(&in, CKA_UNWRAP, true);
	with = key_import(s, &out);
	from = key_import(s, &in);
	MUST(C_WrapKey, (s, &m, with, key, wrapped, &n));
	same_number("octets of the wrapped key", n, 256);
	unwrapped_template(&a, CKK_AES);
	MUST(C_UnwrapKey, (s, &m, from, wrapped, n, a.at, a.count, &back));
	same_octets("CKA_VALUE", get_octets(s, back, CKA_VALUE),
	    hex("00112233445566778899aabbccddeeff"));
}

/* --- derivation ---------------------------------------------------------- */

/* RFC 5903 section 8.1: the initiator's key, the responder's point. */
#define ECDH_PRIVATE                                               \
	"c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57" \
	"862d1433"
#define ECDH_POINT                                                           \
	"04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63" \
	"56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab"
#define ECDH_SHARED                                                \
	"d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d0" \
	"4b9442de"

static CK_OBJECT_HANDLE
ecdh_key(CK_SESSION_HANDLE s, bool may)
{
	const struct known ec = {.name = "EC", .key = KEY_EC};
	struct attrs a = {0};

	known_template(&ec, OP_SIGN, &a);
	attr_octets(&a, CKA_VALUE, hex(ECDH_PRIVATE));
	attr_drop(&a, CKA_SIGN);
	attr_bool(&a, CKA_DERIVE, may);
	return key_import(s, &a);
}

static void
ecdh_mechanism(CK_MECHANISM *m, CK_ECDH1_DERIVE_PARAMS *p, struct bytes point)
{
	*p = (CK_ECDH1_DERIVE_PARAMS){.kdf = CKD_NULL,
	    .ulPublicDataLen = point.octets,
	    .pPublicData = (CK_BYTE *)point.at};
	*m = (CK_MECHANISM){CKM_ECDH1_DERIVE, p, sizeof *p};
}

static void
ecdh(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m;
	CK_ECDH1_DERIVE_PARAMS p;
	struct bytes point = hex(ECDH_POINT);
	struct attrs a = {0};
	CK_OBJECT_HANDLE base = ecdh_key(s, true), key;

	/* 2.3.9: the point as it is, or in an OCTET STRING */
	ecdh_mechanism(&m, &p, t->variant == 0 ? point : octet_string(point));
	unwrapped_template(&a, CKK_GENERIC_SECRET);
	attr_number(&a, CKA_VALUE_LEN, 32);
	MUST(C_DeriveKey, (s, &m, base, a.at, a.count, &key));
	same_octets(
	    "CKA_VALUE", get_octets(s, key, CKA_VALUE), hex(ECDH_SHARED));
	holds(!get_bool(s, key, CKA_LOCAL), "CKA_LOCAL", "CK_FALSE");
}

static void
ecdh_off_curve(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m;
	CK_ECDH1_DERIVE_PARAMS p;
	struct bytes point = hex(ECDH_POINT);
	CK_BYTE bad[65];
	struct attrs a = {0};
	CK_OBJECT_HANDLE base = ecdh_key(s, true), key;

	(void)t;
	memcpy(bad, point.at, sizeof bad);
	bad[64] ^= 1;
	ecdh_mechanism(&m, &p, (struct bytes){bad, sizeof bad});
	unwrapped_template(&a, CKK_GENERIC_SECRET);
	attr_number(&a, CKA_VALUE_LEN, 32);
	WANT(C_DeriveKey, (s, &m, base, a.at, a.count, &key),
	    CKR_MECHANISM_PARAM_INVALID, CKR_PUBLIC_KEY_INVALID,
	    CKR_DOMAIN_PARAMS_INVALID);
}

static void
derive_not_permitted(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m;
	CK_ECDH1_DERIVE_PARAMS p;
	struct attrs a = {0};
	CK_OBJECT_HANDLE base = ecdh_key(s, false), key;

	(void)t;
	ecdh_mechanism(&m, &p, hex(ECDH_POINT));
	unwrapped_template(&a, CKK_GENERIC_SECRET);
	attr_number(&a, CKA_VALUE_LEN, 32);
	WANT(C_DeriveKey, (s, &m, base, a.at, a.count, &key),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	WANT(C_DeriveKey, (s, &m, no_object(), a.at, a.count, &key),
	    CKR_KEY_HANDLE_INVALID);
}

/* 2.14: AES of the data is the key. */
static void
derive_by_encryption(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	struct bytes data = hex("6bc1bee22e409f96e93d7e117393172a");
	CK_KEY_DERIVATION_STRING_DATA p = {(CK_BYTE *)data.at, data.octets};
	CK_MECHANISM m = {CKM_AES_ECB_ENCRYPT_DATA, &p, sizeof p};
	CK_OBJECT_HANDLE base =
	    secret(s, CKK_AES, "2b7e151628aed2a6abf7158809cf4f3c", CKA_DERIVE);
	struct attrs a = {0};
	CK_OBJECT_HANDLE key;

	(void)t;
	unwrapped_template(&a, CKK_AES);
	attr_number(&a, CKA_VALUE_LEN, 16);
	MUST(C_DeriveKey, (s, &m, base, a.at, a.count, &key));
	same_octets("CKA_VALUE", get_octets(s, key, CKA_VALUE),
	    hex("3ad77bb40d7a3660a89ecaf32466ef97"));
}

#define KW(flag)                                      \
	{                                             \
		CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE), \
		    CLAIM(CKM_AES_KEY_WRAP, flag)     \
	}
#define ECDH                                        \
	{                                           \
		CLAIM(CKM_ECDH1_DERIVE, CKF_DERIVE) \
	}

static const struct trial trials[] = {
    {"wrap/unextractable", "An unextractable key is not wrapped", BASE "5.14",
	NEED_PIN, KW(CKF_WRAP), .run = wrap_refused,
	.row = &refusals[UNEXTRACTABLE]},
    {"wrap/sensitive", "A sensitive key that is extractable is wrapped",
	BASE "5.14", NEED_PIN, KW(CKF_WRAP), .run = wrap_sensitive},
    {"wrap/only-with-trusted",
	"A key to be wrapped by trusted ones is not wrapped by another",
	BASE "4.10", NEED_PIN, KW(CKF_WRAP), .run = wrap_refused,
	.row = &refusals[ONLY_WITH_TRUSTED]},
    {"wrap/user-makes-no-trusted-key", "The user cannot make a key trusted",
	BASE "4.10", NEED_PIN, {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)},
	.run = user_makes_no_trusted_key},
    {"wrap/not-permitted", "A key without CKA_WRAP does not wrap", BASE "5.14",
	NEED_PIN, KW(CKF_WRAP), .run = wrap_refused,
	.row = &refusals[NOT_PERMITTED]},
    {"wrap/handles", "Handles of no key are told apart", BASE "5.14", NEED_PIN,
	KW(CKF_WRAP), .run = wrap_handles},
    {"wrap/unwrap-handles", "A handle of no unwrapping key is refused",
	BASE "5.14", NEED_PIN, KW(CKF_UNWRAP), .run = unwrap_handles},
    {"wrap/unwrap-not-permitted", "A key without CKA_UNWRAP does not unwrap",
	BASE "5.14", NEED_PIN, KW(CKF_UNWRAP), .run = unwrap_not_permitted},
    {"wrap/mechanism-of-other-kind",
	"A mechanism for another purpose is refused", BASE "5.14", NEED_PIN,
	KW(CKF_WRAP), .run = wrap_refused, .row = &refusals[OTHER_MECHANISM]},
    {"wrap/private-key", "A private key works after it was out and in again",
	MECH "2.5", NEED_PIN,
	{CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE),
	    CLAIM(CKM_AES_KEY_WRAP_PAD, CKF_WRAP | CKF_UNWRAP),
	    CLAIM(CKM_ECDSA, CKF_SIGN)},
	.run = wrap_private_key},
    {"wrap/with-rsa-pkcs", "An AES key goes out and in under RSA PKCS #1",
	MECH "2.1.6", NEED_PIN, {CLAIM(CKM_RSA_PKCS, CKF_WRAP | CKF_UNWRAP)},
	.run = wrap_with_rsa},
    {"wrap/with-rsa-oaep", "An AES key goes out and in under RSA OAEP",
	MECH "2.1.8", NEED_PIN,
	{CLAIM(CKM_RSA_PKCS_OAEP, CKF_WRAP | CKF_UNWRAP)}, .run = wrap_with_rsa,
	.variant = 1},
    {"wrap/ecdh", "ECDH with a point gives the known secret", MECH "2.3.9",
	NEED_PIN, ECDH, .run = ecdh},
    {"wrap/ecdh-octet-string",
	"ECDH with a point in an OCTET STRING gives the known secret",
	MECH "2.3.9", NEED_PIN, ECDH, .run = ecdh, .variant = 1},
    {"wrap/ecdh-off-curve", "ECDH refuses a point that is not on the curve",
	MECH "2.3.9", NEED_PIN, ECDH, .run = ecdh_off_curve},
    {"wrap/derive-not-permitted",
	"Nothing is derived from a key that may not, or from none", BASE "5.14",
	NEED_PIN, ECDH, .run = derive_not_permitted},
    {"wrap/derive-by-encryption", "A key derived by AES of data is known",
	MECH "2.14", NEED_PIN, {CLAIM(CKM_AES_ECB_ENCRYPT_DATA, CKF_DERIVE)},
	.run = derive_by_encryption},
};

static void
add(struct trials *ts, const struct wrapping *w, const char *how,
    const char *sentence, CK_FLAGS flag, void (*run)(const struct trial *))
{
	trials_add(
	    ts, (struct trial){.id = arena_printf(ts->arena, "wrap/%s/%s/%s",
				   w->name, how, w->source),
		    .title = arena_printf(ts->arena, "%s: %s of %s", w->name,
			sentence, w->source),
		    .clause = MECH "2.13",
		    .needs = NEED_PIN,
		    .claims = {{w->name, w->type, flag, 0}},
		    .run = run,
		    .row = w});
}

void
wrap_trials(struct trials *ts)
{
	for (size_t i = 0; i < sizeof wrappings / sizeof *wrappings; i++) {
		const struct wrapping *w = &wrappings[i];

		add(ts, w, "wrap", "the wrapped key", CKF_WRAP, wrap_known);
		add(ts, w, "unwrap", "the unwrapped key", CKF_UNWRAP,
		    unwrap_known);
		add(ts, w, "tampered", "refuses an altered copy", CKF_UNWRAP,
		    unwrap_tampered);
	}
	TRIALS_ADD(ts, trials);
}
