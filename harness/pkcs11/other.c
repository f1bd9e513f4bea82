/*
 * Random numbers, the parallel functions of 1.0, and keys whose attributes
 * allow an attack: the standard does not forbid those, so that what the token
 * does about them is told and not judged.
 */
#include "known.h"
#include "module.h"
#include "trial.h"

#include <string.h>

static void
random_differs(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_BYTE one[64] = {0}, two[64] = {0};

	(void)t;
	if (!(token.flags & CKF_RNG)) {
		WANT(C_GenerateRandom, (s, one, sizeof one), CKR_RANDOM_NO_RNG,
		    CKR_FUNCTION_NOT_SUPPORTED);
		not_claimed("the token's flags have no CKF_RNG");
	}
	MUST(C_GenerateRandom, (s, one, sizeof one));
	MUST(C_GenerateRandom, (s, two, sizeof two));
	holds(memcmp(one, two, sizeof one) != 0, "64 octets, twice",
	    "not the same");
	/* one octet in 2^8 is 0, four in a row at an end one in 2^32 */
	holds(memcmp(one + 60, "\0\0\0", 4) != 0 ||
		  memcmp(two + 60, "\0\0\0", 4) != 0,
	    "the last octets", "written");
}

static void
random_exact(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_BYTE out[34];

	(void)t;
	if (!(token.flags & CKF_RNG))
		not_claimed("the token's flags have no CKF_RNG");
	memset(out, 0xa5, sizeof out);
	MUST(C_GenerateRandom, (s, out + 1, 32));
	holds(memcmp(out, out + 1, 32) != 0, "the buffer", "written");
	holds(out[0] == 0xa5 && out[33] == 0xa5, "the octets around the buffer",
	    "untouched");
	MUST(C_GenerateRandom, (s, out, 0));
}

static void
seed_random(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_BYTE seed[16] = "sixteen octets..";

	(void)t;
	WANT(C_SeedRandom, (s, seed, sizeof seed), CKR_OK,
	    CKR_RANDOM_SEED_NOT_SUPPORTED, CKR_RANDOM_NO_RNG,
	    CKR_FUNCTION_NOT_SUPPORTED);
}

static void
function_status(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);

	(void)t;
	WANT(C_GetFunctionStatus, (s), CKR_FUNCTION_NOT_PARALLEL);
	WANT(C_CancelFunction, (s), CKR_FUNCTION_NOT_PARALLEL);
}

/* --- two kinds at once --------------------------------------------------- */

static void
digest_and_encrypt(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM digest = {CKM_SHA256, NULL, 0},
		     aes = {CKM_AES_ECB, NULL, 0};
	CK_OBJECT_HANDLE key = aes_key(s, CKA_ENCRYPT);
	CK_BYTE in[16] = "sixteen octets..", out[64], hash[32];
	CK_ULONG n = sizeof out, octets = sizeof hash;
	CK_RV rv;

	(void)t;
	if (!(token.flags & CKF_DUAL_CRYPTO_OPERATIONS))
		not_claimed("its flags have no CKF_DUAL_CRYPTO_OPERATIONS");
	MUST(C_DigestInit, (s, &digest));
	MUST(C_EncryptInit, (s, &aes, key));
	rv = WANT(C_DigestEncryptUpdate, (s, in, sizeof in, out, &n), CKR_OK,
	    CKR_FUNCTION_NOT_SUPPORTED);
	if (rv != CKR_OK)
		not_claimed("it answers CKR_FUNCTION_NOT_SUPPORTED");
	same_number("octets of the part", n, 16);
	n = sizeof out;
	MUST(C_EncryptFinal, (s, out, &n));
	MUST(C_DigestFinal, (s, hash, &octets));
	MUST(C_DigestInit, (s, &digest));
	octets = sizeof out;
	MUST(C_Digest, (s, in, sizeof in, out, &octets));
	same_octets("the digest", (struct bytes){hash, sizeof hash},
	    (struct bytes){out, octets});
}

/* --- attributes that conflict (Bortolozzo, Centenaro, Focardi, Steel:
 * "Attacking and fixing PKCS#11 security tokens", CCS 2010)
 * -------------------------- */

static const struct conflict {
	const char *name, *what;
	CK_ATTRIBUTE_TYPE one, two;
} conflicts[] = {
    {"wrap-and-decrypt", "wrap a key and decrypt it", CKA_WRAP, CKA_DECRYPT},
    {"unwrap-and-encrypt", "encrypt a key and unwrap it", CKA_UNWRAP,
	CKA_ENCRYPT},
};

static void
conflicting(const struct trial *t)
{
	const struct conflict *c = t->row;
	CK_SESSION_HANDLE s = session_user();
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs a = {0};
	CK_OBJECT_HANDLE o;
	CK_RV rv;

	attr_bool(&a, CKA_TOKEN, false);
	attr_text(&a, CKA_LABEL, LABEL);
	attr_number(&a, CKA_VALUE_LEN, 16);
	attr_bool(&a, CKA_SENSITIVE, true);
	attr_bool(&a, c->one, true);
	attr_bool(&a, c->two, true);
	rv = WANT(C_GenerateKey, (s, &m, a.at, a.count, &o), CKR_OK,
	    CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID);
	if (rv == CKR_OK)
		not_claimed("told, not judged: one key may %s", c->what);
}

static const struct trial trials[] = {
    {"other/random", "C_GenerateRandom gives other octets each time",
	BASE "5.15", .run = random_differs},
    {"other/random-exact", "C_GenerateRandom writes as much as it was asked",
	BASE "5.15", .run = random_exact},
    {"other/seed-random", "C_SeedRandom takes a seed or says that it does not",
	BASE "5.15", .run = seed_random},
    {"other/function-status",
	"The parallel functions answer that nothing is parallel", BASE "5.16",
	.run = function_status},
    {"other/digest-and-encrypt", "A part is digested and encrypted at once",
	BASE "5.13", NEED_PIN,
	{CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE), CLAIM(CKM_AES_ECB, CKF_ENCRYPT),
	    CLAIM(CKM_SHA256, CKF_DIGEST)},
	.run = digest_and_encrypt},
};

void
other_trials(struct trials *ts)
{
	TRIALS_ADD(ts, trials);
	for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++)
		trials_add(
		    ts, (struct trial){.id = arena_printf(ts->arena, "other/%s",
					   conflicts[i].name),
			    .title = arena_printf(ts->arena,
				"No key may both %s, which would show it",
				conflicts[i].what),
			    .clause = BASE "4.10",
			    .needs = NEED_PIN,
			    .claims = {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)},
			    .run = conflicting,
			    .row = &conflicts[i]});
}
