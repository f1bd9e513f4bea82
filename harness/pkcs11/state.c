/*
 * The life of an operation: what begins it, what keeps it going, what ends it.
 *
 * Each rule is put to each mechanism that known.c marks, for each kind of
 * operation it has. After everything that must have ended the operation, the
 * next call must find none; after everything that must not, it must go on and
 * give the known answer.
 */
#include "known.h"
#include "module.h"
#include "op.h"
#include "trial.h"

#include <string.h>

enum { OUT_OCTETS = 1024 };

/* A row of known.c and one kind of operation: what a rule is put to. */
struct subject {
	const struct known *known;
	enum op_kind kind;
};

/* A subject with a session, a key and an input, ready to begin. */
struct scene {
	const struct known *known;
	enum op_kind kind;
	const struct op *op;
	CK_SESSION_HANDLE s;
	struct mechanism m;
	CK_OBJECT_HANDLE key;
	struct bytes in, right; /* right: also the signature to verify */
	CK_BYTE out[OUT_OCTETS];
	CK_ULONG n;
};

static void
scene_set(struct scene *c, const struct trial *t)
{
	const struct subject *of = t->row;
	bool backwards = of->kind == OP_DECRYPT;

	memset(c, 0, sizeof *c);
	c->known = of->known;
	c->kind = of->kind;
	c->op = &ops[of->kind];
	c->s = of->kind == OP_DIGEST ? session_open(false) : session_user();
	c->in = hex(backwards ? of->known->out : of->known->in);
	c->right = hex(backwards ? of->known->in : of->known->out);
	known_mechanism(of->known, &c->m);
	if (c->op->takes_key)
		c->key = known_key(c->s, of->known, of->kind, true);
}

static void
begin(struct scene *c)
{
	JUDGE(op_init(c->kind, c->s, &c->m.m, c->key), CKR_OK);
}

/* The one call, with room for the answer, or with the right signature. */
static CK_RV
one(struct scene *c)
{
	c->n = sizeof c->out;
	if (c->kind == OP_VERIFY) {
		c->n = c->right.octets;
		memcpy(c->out, c->right.at, c->n);
	}
	return op_one(c->kind, c->s, c->in, c->out, &c->n);
}

static bool
is_fixed(const struct scene *c)
{
	return c->op->has_output &&
	       (!c->known->random_output || c->kind == OP_DECRYPT);
}

static void
answer_is_right(const struct scene *c)
{
	if (is_fixed(c))
		same_octets(
		    "the answer", (struct bytes){c->out, c->n}, c->right);
}

static void
ended(struct scene *c)
{
	JUDGE(one(c), CKR_OPERATION_NOT_INITIALIZED);
}

static void
goes_on(struct scene *c)
{
	JUDGE(one(c), CKR_OK);
	answer_is_right(c);
}

/* --- rules for each mechanism -------------------------------------------- */

static void
active_twice(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	begin(&c);
	JUDGE(op_init(c.kind, c.s, &c.m.m, c.key), CKR_OPERATION_ACTIVE);
}

static void
answer_ends_it(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	begin(&c);
	goes_on(&c);
	ended(&c);
	begin(&c);
	goes_on(&c);
}

static void
other_session(const struct trial *t)
{
	struct scene c;
	CK_SESSION_HANDLE first, second;

	scene_set(&c, t);
	first = c.s;
	second = session_open(false);
	begin(&c);
	c.s = second;
	begin(&c);
	goes_on(&c);
	c.s = first;
	goes_on(&c);
	ended(&c);
}

static void
length_query(const struct trial *t)
{
	struct scene c;
	CK_ULONG asked = 0;

	scene_set(&c, t);
	begin(&c);
	JUDGE(op_one(c.kind, c.s, c.in, NULL, &asked), CKR_OK);
	holds(asked >= c.right.octets, "the length asked for",
	    "enough for the answer");
	goes_on(&c);
	ended(&c);
}

static void
too_small(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	begin(&c);
	c.n = c.right.octets - 1;
	JUDGE(op_one(c.kind, c.s, c.in, c.out, &c.n), CKR_BUFFER_TOO_SMALL);
	holds(c.n >= c.right.octets, "the length that it tells",
	    "enough for the answer");
	goes_on(&c);
	ended(&c);
}

/* An input that the mechanism cannot take, or a signature that is not right;
 * with the answer that says so. */
static bool
spoil(const struct scene *c, struct bytes *in, struct bytes *signature,
    CK_RV *right)
{
	static CK_BYTE octets[OUT_OCTETS];
	const struct known *k = c->known;

	*in = c->in;
	*signature = c->right;
	memcpy(octets, c->in.at, c->in.octets);
	if (c->kind == OP_VERIFY) {
		memcpy(octets, c->right.at, c->right.octets);
		octets[c->right.octets / 2] ^= 1;
		signature->at = octets;
		*right = CKR_SIGNATURE_INVALID;
		return true;
	}
	if (k->key == KEY_RSA && c->kind == OP_DECRYPT) {
		*in = (struct bytes){octets, c->in.octets - 1};
		*right = CKR_ENCRYPTED_DATA_LEN_RANGE;
		return true;
	}
	if (k->most_octets != 0) {
		*in = (struct bytes){octets, k->most_octets + 1};
		*right = CKR_DATA_LEN_RANGE;
		return true;
	}
	if (k->param == PARAM_GCM && c->kind == OP_DECRYPT) {
		octets[c->in.octets - 1] ^= 1;
		in->at = octets;
		*right = CKR_ENCRYPTED_DATA_INVALID;
		return true;
	}
	if (k->block_octets != 0 && (!k->pads || c->kind == OP_DECRYPT)) {
		*in = (struct bytes){octets, c->in.octets - 1};
		*right = c->kind == OP_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE
					       : CKR_DATA_LEN_RANGE;
		return true;
	}
	return false;
}

static void
error_ends_it(const struct trial *t)
{
	struct scene c;
	struct bytes in, signature;
	CK_RV right;

	scene_set(&c, t);
	if (!spoil(&c, &in, &signature, &right))
		not_claimed("no input is wrong for it");
	begin(&c);
	c.n = sizeof c.out;
	if (c.kind == OP_VERIFY) {
		c.n = signature.octets;
		memcpy(c.out, signature.at, c.n);
	}
	JUDGE(op_one(c.kind, c.s, in, c.out, &c.n), right);
	ended(&c);
	begin(&c);
	goes_on(&c);
}

static void
one_after_update(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	begin(&c);
	c.n = sizeof c.out;
	JUDGE(op_update(c.kind, c.s, c.in, c.out, &c.n), CKR_OK);
	JUDGE(one(&c), CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED);
}

/* All of the input in one part. Octets of output so far. */
static CK_ULONG
update_all(struct scene *c)
{
	CK_ULONG n = sizeof c->out;

	JUDGE(op_update(c->kind, c->s, c->in, c->out, &n), CKR_OK);
	return c->op->parts_have_output ? n : 0;
}

/* The end, behind `so_far` octets of output. */
static CK_RV
end(struct scene *c, CK_ULONG so_far)
{
	CK_ULONG n = sizeof c->out - so_far;
	CK_RV rv;

	if (c->kind == OP_VERIFY) {
		n = c->right.octets;
		memcpy(c->out, c->right.at, n);
	}
	rv = op_final(c->kind, c->s, c->out + so_far, &n);
	c->n = so_far + n;
	return rv;
}

static void
end_ends_it(const struct trial *t)
{
	struct scene c;
	CK_ULONG so_far;

	scene_set(&c, t);
	begin(&c);
	so_far = update_all(&c);
	JUDGE(end(&c, so_far), CKR_OK);
	answer_is_right(&c);
	JUDGE(end(&c, 0), CKR_OPERATION_NOT_INITIALIZED);
	c.n = sizeof c.out;
	JUDGE(op_update(c.kind, c.s, c.in, c.out, &c.n),
	    CKR_OPERATION_NOT_INITIALIZED);
}

static void
end_length_query(const struct trial *t)
{
	struct scene c;
	CK_ULONG so_far, asked = 0;

	scene_set(&c, t);
	begin(&c);
	so_far = update_all(&c);
	JUDGE(op_final(c.kind, c.s, NULL, &asked), CKR_OK);
	if (is_fixed(&c))
		holds(so_far + asked >= c.right.octets, "the length asked for",
		    "enough for what is left");
	JUDGE(end(&c, so_far), CKR_OK);
	answer_is_right(&c);
}

static void
end_too_small(const struct trial *t)
{
	struct scene c;
	CK_ULONG so_far, left;

	scene_set(&c, t);
	begin(&c);
	so_far = update_all(&c);
	left = c.right.octets - so_far;
	if (left == 0)
		not_claimed("nothing is left for the end");
	c.n = left - 1;
	JUDGE(
	    op_final(c.kind, c.s, c.out + so_far, &c.n), CKR_BUFFER_TOO_SMALL);
	JUDGE(end(&c, so_far), CKR_OK);
	answer_is_right(&c);
	JUDGE(end(&c, 0), CKR_OPERATION_NOT_INITIALIZED);
}

static void
part_too_small(const struct trial *t)
{
	struct scene c;
	CK_ULONG so_far, room = 1;
	CK_RV rv;

	scene_set(&c, t);
	begin(&c);
	rv = op_update(c.kind, c.s, c.in, c.out, &room);
	if (rv == CKR_OK && room <= 1)
		not_claimed("it gives nothing before the end");
	JUDGE(rv, CKR_BUFFER_TOO_SMALL);
	so_far = update_all(&c);
	JUDGE(end(&c, so_far), CKR_OK);
	answer_is_right(&c);
}

static void
part_length_query(const struct trial *t)
{
	struct scene c;
	CK_ULONG so_far, asked = 0;

	scene_set(&c, t);
	begin(&c);
	JUDGE(op_update(c.kind, c.s, c.in, NULL, &asked), CKR_OK);
	so_far = update_all(&c);
	holds(asked >= so_far, "the length asked for", "enough for the part");
	JUDGE(end(&c, so_far), CKR_OK);
	answer_is_right(&c);
}

static void
broken_block(const struct trial *t)
{
	struct scene c;
	CK_ULONG so_far = sizeof c.out;
	CK_RV right;

	scene_set(&c, t);
	right = c.kind == OP_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE
				     : CKR_DATA_LEN_RANGE;
	begin(&c);
	JUDGE(op_update(c.kind, c.s, (struct bytes){c.in.at, c.in.octets - 1},
		  c.out, &so_far),
	    CKR_OK);
	JUDGE(end(&c, so_far), right);
	JUDGE(end(&c, 0), CKR_OPERATION_NOT_INITIALIZED);
}

static void
signature_length(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	begin(&c);
	memcpy(c.out, c.right.at, c.right.octets);
	c.n = c.right.octets - 1;
	JUDGE(op_one(c.kind, c.s, c.in, c.out, &c.n), CKR_SIGNATURE_LEN_RANGE);
	ended(&c);
}

static void
key_handle(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	JUDGE(
	    op_init(c.kind, c.s, &c.m.m, no_object()), CKR_KEY_HANDLE_INVALID);
	JUDGE(op_init(c.kind, c.s, &c.m.m, CK_INVALID_HANDLE),
	    CKR_KEY_HANDLE_INVALID);
	ended(&c);
}

/* A key that may do it, but is of another kind. */
static CK_OBJECT_HANDLE
key_of_other_type(const struct scene *c)
{
	static const struct known aes = {.name = "AES",
	    .key = KEY_AES,
	    .key_hex = "2b7e151628aed2a6abf7158809cf4f3c"};
	static const struct known generic = {.name = "generic",
	    .key = KEY_GENERIC,
	    .key_hex = "2b7e151628aed2a6abf7158809cf4f3c"};

	return known_key(
	    c->s, c->known->key == KEY_AES ? &generic : &aes, c->kind, true);
}

static void
key_type(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	JUDGE(op_init(c.kind, c.s, &c.m.m, key_of_other_type(&c)),
	    CKR_KEY_TYPE_INCONSISTENT);
	ended(&c);
}

static void
key_function(const struct trial *t)
{
	struct scene c;

	scene_set(&c, t);
	c.key = known_key(c.s, c.known, c.kind, false);
	JUDGE(op_init(c.kind, c.s, &c.m.m, c.key),
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	ended(&c);
}

/* None, one octet too few, one too many. */
static void
parameter_length(const struct trial *t)
{
	struct scene c;
	CK_BYTE longer[64] = {0};
	CK_ULONG right;

	scene_set(&c, t);
	right = c.m.m.ulParameterLen;
	memcpy(longer, c.m.m.pParameter, right);
	c.m.m.pParameter = NULL;
	c.m.m.ulParameterLen = 0;
	JUDGE(op_init(c.kind, c.s, &c.m.m, c.key), CKR_MECHANISM_PARAM_INVALID,
	    CKR_ARGUMENTS_BAD);
	c.m.m.pParameter = longer;
	c.m.m.ulParameterLen = right - 1;
	JUDGE(op_init(c.kind, c.s, &c.m.m, c.key), CKR_MECHANISM_PARAM_INVALID,
	    CKR_ARGUMENTS_BAD);
	c.m.m.ulParameterLen = right + 1;
	JUDGE(op_init(c.kind, c.s, &c.m.m, c.key), CKR_MECHANISM_PARAM_INVALID,
	    CKR_ARGUMENTS_BAD);
	ended(&c);
	c.m.m.ulParameterLen = right;
	begin(&c);
	goes_on(&c);
}

/* --- which rule is for which --------------------------------------------- */

enum {
	FOR_KEYS = 1 << 0,   /* it takes a key */
	FOR_OUTPUT = 1 << 1, /* the one call has output */
	FOR_PARTS = 1 << 2,  /* the mechanism works in parts */
	FOR_STREAM = 1 << 3, /* the parts have output */
	FOR_BLOCKS = 1 << 4, /* no other length but of whole blocks */
	FOR_VERIFY = 1 << 5,
	FOR_PARAM = 1 << 6, /* it has a parameter of one length */
};

static unsigned
features(const struct known *k, enum op_kind kind)
{
	const struct op *op = &ops[kind];

	return (op->takes_key ? FOR_KEYS : 0U) |
	       (op->has_output ? FOR_OUTPUT : 0U) |
	       (k->no_parts ? 0U : FOR_PARTS) |
	       (op->parts_have_output ? FOR_STREAM : 0U) |
	       (k->block_octets != 0 && !k->pads ? FOR_BLOCKS : 0U) |
	       (kind == OP_VERIFY ? FOR_VERIFY : 0U) |
	       (k->param != PARAM_NONE ? FOR_PARAM : 0U);
}

static const struct rule {
	const char *name, *title; /* "%s" is the mechanism */
	unsigned needs;           /* of the features above */
	void (*run)(const struct trial *t);
} rules[] = {
    {"active-twice", "a second beginning is refused", 0, active_twice},
    {"answer-ends-it", "the answer ends it", 0, answer_ends_it},
    {"other-session", "each session has an operation of its own", 0,
	other_session},
    {"length-query", "asking for the length does not end it", FOR_OUTPUT,
	length_query},
    {"too-small", "too small a buffer does not end it", FOR_OUTPUT, too_small},
    {"error-ends-it", "wrong input is told apart and ends it", 0,
	error_ends_it},
    {"one-after-update", "the one call is refused after a part", FOR_PARTS,
	one_after_update},
    {"end-ends-it", "the last call ends it", FOR_PARTS, end_ends_it},
    {"end-length-query", "asking for the last length does not end it",
	FOR_PARTS | FOR_OUTPUT, end_length_query},
    {"end-too-small", "too small a buffer for the last part does not end it",
	FOR_PARTS | FOR_OUTPUT, end_too_small},
    {"part-too-small", "too small a buffer for a part takes nothing in",
	FOR_PARTS | FOR_STREAM, part_too_small},
    {"part-length-query", "asking for a part's length takes nothing in",
	FOR_PARTS | FOR_STREAM, part_length_query},
    {"broken-block", "half a block at the end is told and ends it",
	FOR_PARTS | FOR_BLOCKS, broken_block},
    {"signature-length", "a short signature is told apart and ends it",
	FOR_VERIFY, signature_length},
    {"key-handle", "a handle of no key is refused and begins nothing", FOR_KEYS,
	key_handle},
    {"key-type", "a key of another type is refused and begins nothing",
	FOR_KEYS, key_type},
    {"key-function", "a key that may not is refused and begins nothing",
	FOR_KEYS, key_function},
    {"parameter-length",
	"a parameter of another length is refused and begins nothing",
	FOR_PARAM, parameter_length},
};

/* --- rules for each kind, whatever the mechanism ------------------------- */

/* For each kind a mechanism that takes any 16 octets, and no parameter. */
static const struct claim common[OP_COUNT] = {
    [OP_ENCRYPT] = CLAIM(CKM_AES_ECB, CKF_ENCRYPT),
    [OP_DECRYPT] = CLAIM(CKM_AES_ECB, CKF_DECRYPT),
    [OP_DIGEST] = CLAIM(CKM_SHA256, CKF_DIGEST),
    [OP_SIGN] = CLAIM(CKM_AES_CMAC, CKF_SIGN),
    [OP_VERIFY] = CLAIM(CKM_AES_CMAC, CKF_VERIFY),
};

static void
nothing_begun(const struct trial *t)
{
	enum op_kind kind = (enum op_kind)t->variant;
	CK_SESSION_HANDLE s = session_open(false);
	CK_BYTE out[OUT_OCTETS] = {0};
	CK_ULONG n = 32;

	JUDGE(op_one(kind, s, text("0123456789abcdef"), out, &n),
	    CKR_OPERATION_NOT_INITIALIZED);
	n = 32;
	JUDGE(op_update(kind, s, text("0123456789abcdef"), out, &n),
	    CKR_OPERATION_NOT_INITIALIZED);
	n = 32;
	JUDGE(op_final(kind, s, out, &n), CKR_OPERATION_NOT_INITIALIZED);
}

static CK_OBJECT_HANDLE
some_key(CK_SESSION_HANDLE s, enum op_kind kind)
{
	return ops[kind].takes_key ? aes_key(s, ops[kind].usage) : 0;
}

static void
mechanism_unknown(const struct trial *t)
{
	enum op_kind kind = (enum op_kind)t->variant;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_VENDOR_DEFINED | 0x7ffe1234, NULL, 0};

	JUDGE(op_init(kind, s, &m, some_key(s, kind)), CKR_MECHANISM_INVALID);
}

static void
mechanism_of_other_kind(const struct trial *t)
{
	enum op_kind kind = (enum op_kind)t->variant;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};

	JUDGE(op_init(kind, s, &m, some_key(s, kind)), CKR_MECHANISM_INVALID);
}

static void
no_mechanism(const struct trial *t)
{
	enum op_kind kind = (enum op_kind)t->variant;
	CK_SESSION_HANDLE s = session_user();

	/* 3.0 made of it the way to cancel, for which there is nothing here */
	JUDGE(op_init(kind, s, NULL, some_key(s, kind)), CKR_ARGUMENTS_BAD,
	    CKR_MECHANISM_INVALID);
}

static void
close_ends_it(const struct trial *t)
{
	enum op_kind kind = (enum op_kind)t->variant;
	CK_SESSION_HANDLE s = session_user(), other;
	CK_MECHANISM m = {common[kind].type, NULL, 0};
	CK_BYTE out[64] = {0};
	CK_ULONG n = 16;

	JUDGE(op_init(kind, s, &m, some_key(s, kind)), CKR_OK);
	MUST(C_CloseSession, (s));
	other = session_user();
	JUDGE(op_one(kind, other, text("0123456789abcdef"), out, &n),
	    CKR_OPERATION_NOT_INITIALIZED);
}

static const struct claim generates = CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE);

static const struct kind_rule {
	const char *name, *title;
	unsigned needs;
	bool makes_key;
	void (*run)(const struct trial *t);
} kind_rules[] = {
    {"nothing-begun", "no call is answered when none was begun", 0, false,
	nothing_begun},
    {"mechanism-unknown", "a mechanism that nobody has is refused", NEED_PIN,
	true, mechanism_unknown},
    {"mechanism-of-other-kind", "a mechanism for another purpose is refused",
	NEED_PIN, true, mechanism_of_other_kind},
    {"no-mechanism", "NULL for the mechanism is refused", NEED_PIN, true,
	no_mechanism},
    {"close-ends-it", "it ends with its session", NEED_PIN, true,
	close_ends_it},
};

/* --- and a few that only one kind has ------------------------------------ */

static void
digest_key(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE key;
	CK_BYTE out[32];
	CK_ULONG n = sizeof out;
	CK_RV rv;

	(void)t;
	secret_template(
	    &a, CKK_GENERIC_SECRET, text("abcdbcdecdefdefgefghfghighij"));
	key = key_import(s, &a);
	MUST(C_DigestInit, (s, &m));
	rv = WANT(C_DigestKey, (s, key), CKR_OK, CKR_KEY_INDIGESTIBLE,
	    CKR_FUNCTION_NOT_SUPPORTED);
	if (rv != CKR_OK)
		not_claimed("it answers %s", rv_name(rv));
	MUST(
	    C_DigestUpdate, (s, (CK_BYTE *)"hijkijkljklmklmnlmnomnopnopq", 28));
	MUST(C_DigestFinal, (s, out, &n));
	same_octets("the digest", (struct bytes){out, n},
	    hex("248d6a61d20638b8e5c026930c3e6039"
		"a33ce45964ff2167f6ecedd419db06c1"));
}

static void
digest_key_handle(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	CK_RV rv;

	(void)t;
	MUST(C_DigestInit, (s, &m));
	rv = WANT(C_DigestKey, (s, no_object()), CKR_KEY_HANDLE_INVALID,
	    CKR_FUNCTION_NOT_SUPPORTED);
	if (rv != CKR_KEY_HANDLE_INVALID)
		not_claimed("it answers %s", rv_name(rv));
}

/* 5.6: C_Logout may or may not end what is going on, but voids the key. */
static void
logout_voids_key(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	CK_OBJECT_HANDLE key = aes_key(s, CKA_ENCRYPT);

	(void)t;
	MUST(C_Logout, (s));
	WANT(C_EncryptInit, (s, &m, key), CKR_KEY_HANDLE_INVALID,
	    CKR_USER_NOT_LOGGED_IN);
	JUDGE(ask_login(s, CKU_USER, user_pin), CKR_OK);
	WANT(C_EncryptInit, (s, &m, key), CKR_KEY_HANDLE_INVALID);
}

static const struct trial trials[] = {
    {"state/digest/key", "C_DigestKey digests a key's octets, or says not",
	BASE "5.10", NEED_PIN, {CLAIM(CKM_SHA256, CKF_DIGEST)},
	.run = digest_key},
    {"state/digest/key-handle", "C_DigestKey refuses a handle of no key",
	BASE "5.10", 0, {CLAIM(CKM_SHA256, CKF_DIGEST)},
	.run = digest_key_handle},
    {"state/encrypt/logout-voids-key",
	"A private key of the session is void after the login", BASE "5.6",
	NEED_PIN,
	{CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE), CLAIM(CKM_AES_ECB, CKF_ENCRYPT)},
	.run = logout_voids_key},
};

static void
add_rules(struct trials *ts, const struct known *k, enum op_kind kind)
{
	struct subject *of = ARENA_NEW(ts->arena, struct subject);
	unsigned has = features(k, kind);

	of->known = k;
	of->kind = kind;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct rule *r = &rules[i];

		if ((r->needs & has) != r->needs)
			continue;
		trials_add(
		    ts, (struct trial){
			    .id = arena_printf(ts->arena, "state/%s/%s/%s",
				k->name, ops[kind].word, r->name),
			    .title = arena_printf(ts->arena, "%s, %s: %s",
				k->name, ops[kind].word, r->title),
			    .clause = ops[kind].clause,
			    .needs = ops[kind].takes_key ? NEED_PIN : 0,
			    .claims = {{k->name, k->type, ops[kind].flag, 0}},
			    .run = r->run,
			    .row = of});
	}
}

static void
add_kind_rules(struct trials *ts, enum op_kind kind)
{
	for (size_t i = 0; i < sizeof kind_rules / sizeof *kind_rules; i++) {
		const struct kind_rule *r = &kind_rules[i];
		size_t n = 0;
		struct trial t = {.id = arena_printf(ts->arena, "state/%s/%s",
				      ops[kind].word, r->name),
		    .title = arena_printf(
			ts->arena, "To %s: %s", ops[kind].word, r->title),
		    .clause = ops[kind].clause,
		    .needs = r->needs,
		    .run = r->run,
		    .variant = (int)kind};

		if (r->run == close_ends_it)
			t.claims[n++] = common[kind];
		if (r->makes_key && ops[kind].takes_key)
			t.claims[n++] = generates;
		trials_add(ts, t);
	}
}

void
state_trials(struct trials *ts)
{
	for (enum op_kind kind = 0; kind < OP_COUNT; kind++)
		add_kind_rules(ts, kind);
	TRIALS_ADD(ts, trials);
	for (size_t i = 0; i < known_count; i++)
		for (enum op_kind kind = 0; kind < OP_COUNT; kind++)
			if (knowns[i].lives && (knowns[i].kinds & 1U << kind))
				add_rules(ts, &knowns[i], kind);
}
