#include "crypto/keyformat.h"

#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>

#include "crypto/curve.h"
#include "crypto/hex_test.h"
#include "crypto/ossl.h"

#define ALG(a)    CRYPTOGRAPHIC_ALGORITHM_##a
#define FORMAT(f) KEY_FORMAT_TYPE_##f

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	return ossl_init() != OK || arena_new(8 << 20, &arena) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static int
fresh_arena(void **state)
{
	(void)state;
	arena_reset(arena);
	return 0;
}

/* ---- OpenSSL as the witness ---- */

static EVP_PKEY *
generated(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	if (params != NULL)
		assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *
generated_of_text(const char *type, const char *name, const char *value)
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0),
	    OSSL_PARAM_END};

	return generated(type, params);
}

static EVP_PKEY *
generated_dsa(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	size_t bits = 1024;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_PBITS, &bits),
	    OSSL_PARAM_END};
	EVP_PKEY *domain = NULL, *pkey = NULL;

	assert_int_equal(EVP_PKEY_paramgen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &domain), 1);
	EVP_PKEY_CTX_free(ctx);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, domain, NULL);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(domain);
	return pkey;
}

static EVP_PKEY *
generated_rsa(size_t bits)
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
	    OSSL_PARAM_END};

	return generated("RSA", params);
}

/* What OpenSSL writes of it. */
static struct bytes
encoded(EVP_PKEY *pkey, bool is_private, uint32_t format)
{
	const char *structure = format == FORMAT(PKCS_8) ? "PrivateKeyInfo"
				: format == FORMAT(X_509)
				    ? "SubjectPublicKeyInfo"
				    : "type-specific";
	OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(pkey,
	    is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, "DER",
	    structure, NULL);
	unsigned char *der = NULL;
	struct bytes copy;
	size_t octets = 0;

	assert_int_equal(OSSL_ENCODER_to_data(ctx, &der, &octets), 1);
	assert_int_equal(
	    arena_copy(arena, (struct bytes){der, octets}, &copy), OK);
	OPENSSL_free(der);
	OSSL_ENCODER_CTX_free(ctx);
	return copy;
}

static struct keyparts
parts_of(uint32_t format, bool is_private, struct bytes in)
{
	struct keyparts parts;
	struct fault f = {""};
	enum err rc = keyformat_read(format, is_private, in, &parts, &f);

	if (rc != OK)
		print_message("%s\n", f.text);
	assert_int_equal(rc, OK);
	assert_int_equal(parts.is_private, is_private);
	return parts;
}

static struct bytes
written(uint32_t format, bool is_private, const struct keyparts *parts)
{
	struct fault f = {""};
	struct bytes out;
	enum err rc =
	    keyformat_write(format, is_private, parts, arena, &out, &f);

	if (rc != OK)
		print_message("%s\n", f.text);
	assert_int_equal(rc, OK);
	return out;
}

static void
same(struct bytes got, struct bytes want)
{
	assert_string_equal(hex_text(arena, got), hex_text(arena, want));
}

struct formats {
	uint32_t privates[3]; /* 0 ends the list */
	uint32_t publics[3];
};

/*
 * From each format that OpenSSL writes to each other one, as OpenSSL writes
 * it, octet by octet; and from the private half to the public one.
 */
static void
convert_all(EVP_PKEY *pkey, const struct formats *formats, uint32_t algorithm,
    uint32_t key_bits, uint32_t curve)
{
	const uint32_t *from, *to;
	struct keyparts parts;

	for (from = formats->privates; *from != 0; from++) {
		parts = parts_of(*from, true, encoded(pkey, true, *from));
		assert_int_equal(parts.algorithm, algorithm);
		assert_int_equal(parts.key_bits, key_bits);
		assert_int_equal(parts.curve, curve);
		for (to = formats->privates; *to != 0; to++)
			same(written(*to, true, &parts),
			    encoded(pkey, true, *to));
		for (to = formats->publics; *to != 0; to++)
			same(written(*to, false, &parts),
			    encoded(pkey, false, *to));
	}
	for (from = formats->publics; *from != 0; from++) {
		parts = parts_of(*from, false, encoded(pkey, false, *from));
		assert_int_equal(parts.algorithm, algorithm);
		assert_int_equal(parts.key_bits, key_bits);
		assert_int_equal(parts.curve, curve);
		for (to = formats->publics; *to != 0; to++)
			same(written(*to, false, &parts),
			    encoded(pkey, false, *to));
	}
	EVP_PKEY_free(pkey);
}

static const struct formats rsa_formats = {
    {FORMAT(PKCS_1), FORMAT(PKCS_8)}, {FORMAT(PKCS_1), FORMAT(X_509)}};
static const struct formats ec_formats = {
    {FORMAT(ECPRIVATEKEY), FORMAT(PKCS_8)}, {FORMAT(X_509)}};
static const struct formats other_formats = {{FORMAT(PKCS_8)}, {FORMAT(X_509)}};

static void
rsa_keys_go_from_each_format_to_each(void **state)
{
	static const size_t bits[] = {512, 1024, 1031, 2048};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(bits); k++)
		convert_all(generated_rsa(bits[k]), &rsa_formats, ALG(RSA),
		    (uint32_t)bits[k], 0);
}

static void
ec_keys_go_from_each_format_to_each(void **state)
{
	const struct curve *curve;
	size_t k;

	(void)state;
	for (k = 0; (curve = curve_at(k)) != NULL; k++) {
		print_message("%s\n", curve->name);
		convert_all(generated_of_text(
				"EC", OSSL_PKEY_PARAM_GROUP_NAME, curve->name),
		    &ec_formats, ALG(EC), curve->bits, curve->number);
		arena_reset(arena);
	}
}

static void
other_keys_go_from_each_format_to_each(void **state)
{
	(void)state;
	convert_all(generated_dsa(), &other_formats, ALG(DSA), 1024, 0);
	convert_all(
	    generated_of_text("DH", OSSL_PKEY_PARAM_GROUP_NAME, "dh_1024_160"),
	    &other_formats, ALG(DH), 1024, 0);
	convert_all(
	    generated_of_text("DHX", OSSL_PKEY_PARAM_GROUP_NAME, "dh_1024_160"),
	    &other_formats, ALG(DH), 1024, 0);
	convert_all(
	    generated("ED25519", NULL), &other_formats, ALG(ED25519), 256, 0);
	convert_all(
	    generated("ED448", NULL), &other_formats, ALG(ED448), 448, 0);
}

/* ---- what is absent and follows ---- */

static void
rsa_numbers_follow_from_the_others(void **state)
{
	/* which of n e d p q dp dq qi are taken away */
	static const struct {
		const char *absent;
		enum err want;
	} cases[] = {
	    {"", OK},
	    {"qi", OK},
	    {"dp dq qi", OK},
	    {"d", OK},
	    {"d dp dq qi", OK},
	    {"e", OK},
	    {"p q dp dq qi", OK},
	    {"p", OK},
	    {"n", ERR_FIELD},
	    {"d p q dp dq qi", ERR_FIELD},
	    {"e p q dp dq qi", ERR_FIELD},
	    {"e d", ERR_FIELD},
	};
	/* from 2048 bits on OpenSSL takes the smallest d, as we do */
	EVP_PKEY *pkey = generated_rsa(2048);
	struct bytes want = encoded(pkey, true, FORMAT(PKCS_1));
	struct keyparts whole = parts_of(FORMAT(PKCS_1), true, want);
	size_t k, n;

	(void)state;
	EVP_PKEY_free(pkey);
	for (k = 0; k < LENGTH(cases); k++) {
		struct keyparts parts = whole;
		const struct {
			const char *name;
			struct bytes *number;
		} all[] = {
		    {"n", &parts.modulus},
		    {"e", &parts.public_exponent},
		    {"d", &parts.private_exponent},
		    {"p", &parts.prime_p},
		    {"q", &parts.prime_q},
		    {"dp", &parts.exponent_p},
		    {"dq", &parts.exponent_q},
		    {"qi", &parts.coefficient},
		};
		struct bytes word, out;
		struct fault f = {""};
		char list[64];
		char *at;

		print_message("without %s\n", cases[k].absent);
		(void)snprintf(list, sizeof(list), "%s", cases[k].absent);
		for (at = strtok(list, " "); at; at = strtok(NULL, " ")) {
			word = bytes_of_text(at);
			for (n = 0; n < LENGTH(all); n++) {
				if (bytes_equal_text(word, all[n].name))
					*all[n].number = BYTES_NONE;
			}
		}
		assert_int_equal(keyformat_write(FORMAT(PKCS_1), true, &parts,
				     arena, &out, &f),
		    cases[k].want);
		if (cases[k].want == OK)
			same(out, want);
		else
			assert_string_not_equal(f.text, "");
	}
}

static void
numbers_that_contradict_are_noticed_when_computing(void **state)
{
	EVP_PKEY *pkey = generated_rsa(1024);
	struct keyparts whole =
	    parts_of(FORMAT(PKCS_1), true, encoded(pkey, true, FORMAT(PKCS_1)));
	struct keyparts parts = whole;
	struct bytes out, wrong;
	struct fault f;

	(void)state;
	EVP_PKEY_free(pkey);
	assert_int_equal(arena_copy(arena, whole.private_exponent, &wrong), OK);
	((uint8_t *)(uintptr_t)wrong.at)[wrong.octets - 2] ^= 1;
	parts.private_exponent = wrong;
	parts.prime_p = parts.prime_q = BYTES_NONE;
	assert_int_equal(
	    keyformat_write(FORMAT(PKCS_1), true, &parts, arena, &out, &f),
	    ERR_FIELD);
	/* an even modulus, primes of 1, of 0, equal ones */
	parts = whole;
	parts.modulus = hex_read(arena, "0100000000000000");
	parts.prime_p = BYTES_NONE;
	assert_int_equal(keyformat_complete(&parts, arena, &f), ERR_FIELD);
	parts = whole;
	parts.prime_p = hex_read(arena, "01");
	parts.private_exponent = BYTES_NONE;
	assert_int_equal(keyformat_complete(&parts, arena, &f), ERR_FIELD);
	parts = whole;
	parts.prime_p = parts.prime_q;
	parts.coefficient = BYTES_NONE;
	assert_int_equal(keyformat_complete(&parts, arena, &f), ERR_FIELD);
}

/* A server that stores keys takes what it is given. */
static void
a_key_whose_primes_are_not_is_read(void **state)
{
	EVP_PKEY *pkey = generated_rsa(1024);
	struct bytes der = encoded(pkey, true, FORMAT(PKCS_1));
	struct keyparts parts = parts_of(FORMAT(PKCS_1), true, der);
	const struct {
		const char *name;
		struct bytes *number;
	} cases[] = {
	    {"p", &parts.prime_p},
	    {"q", &parts.prime_q},
	    {"modulus", &parts.modulus},
	    {"exponents", &parts.private_exponent},
	    {"exponent of p", &parts.exponent_p},
	    {"exponent of q", &parts.exponent_q},
	    {"coefficient", &parts.coefficient},
	};
	struct fault f;
	size_t k;

	(void)state;
	EVP_PKEY_free(pkey);
	for (k = 0; k < LENGTH(cases); k++) {
		uint8_t *last = (uint8_t *)(uintptr_t)cases[k].number->at +
				cases[k].number->octets - 1;
		struct keyparts read;

		print_message("%s\n", cases[k].name);
		/* even, so never prime; the numbers lie in `der` itself */
		*last ^= 1;
		assert_int_equal(
		    keyformat_read(FORMAT(PKCS_1), true, der, &read, &f), OK);
		assert_int_equal(read.key_bits, 1024);
		same(written(FORMAT(PKCS_1), true, &read), der);
		*last ^= 1;
	}
}

/* RFC 6979 appendix A.2.5: the private and the public number on P-256 */
static void
a_public_point_follows_from_d(void **state)
{
	struct keyparts parts = {
	    .algorithm = ALG(ECDSA),
	    .curve = RECOMMENDED_CURVE_P_256,
	    .is_private = true,
	};
	struct fault f;

	(void)state;
	parts.d = hex_read(arena,
	    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
	assert_int_equal(keyformat_complete(&parts, arena, &f), OK);
	assert_int_equal(parts.algorithm, ALG(EC));
	assert_string_equal(hex_text(arena, parts.point),
	    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
	/* 0, the order itself, and one octet more than the order has */
	parts.point = BYTES_NONE;
	parts.d = hex_read(arena, "00");
	assert_int_equal(keyformat_complete(&parts, arena, &f), ERR_FIELD);
	parts.d = hex_read(arena,
	    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
	assert_int_equal(keyformat_complete(&parts, arena, &f), ERR_FIELD);
	parts.d = hex_read(arena,
	    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550");
	assert_int_equal(keyformat_complete(&parts, arena, &f), OK);
	parts.point = BYTES_NONE;
	parts.d = hex_read(arena,
	    "00c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f67"
	    "21");
	assert_int_equal(keyformat_complete(&parts, arena, &f), ERR_FIELD);
	parts.d = BYTES_NONE;
	assert_int_equal(keyformat_complete(&parts, arena, &f), ERR_FIELD);
}

/* A short d is written with the octets that the curve's order has. */
static void
a_short_d_is_filled_up(void **state)
{
	struct keyparts parts = {
	    .algorithm = ALG(EC),
	    .curve = RECOMMENDED_CURVE_P_521,
	    .is_private = true,
	};
	struct keyparts back;
	struct bytes der;

	(void)state;
	parts.d = hex_read(arena, "05");
	der = written(FORMAT(ECPRIVATEKEY), true, &parts);
	back = parts_of(FORMAT(ECPRIVATEKEY), true, der);
	assert_int_equal(back.d.octets, 66);
	assert_int_equal(back.d.at[65], 5);
	assert_int_equal(back.d.at[0], 0);
}

/* ---- refusals ---- */

/* openssl genrsa -traditional 512, in DER: nothing protects this one */
static const char rsa_512[] =
    "30820139020100024100ab9ffe78cd464ed4ba2b0fe286dd9098705af3e911651158"
    "e1d9cb122580c5f6bc6634e3e754f704f81bd16d51493eacddfae306addee25f6149"
    "b8b144ceb57702030100010240039d26da9c57f2a90012900f110ff14f846e25dcae"
    "85164c6cd50d35a09c898e93a7428105a85ac2396f8f38262979e43b2d857d9379f1"
    "5ed9e07792739694c1022100e151a8e1e68e8ddbfa9dbf86f283b84ebfcdae2d2981"
    "46aa097b04553deb6029022100c2fea0bb7af456df7e464bd50c1ad9287e50b3297a"
    "1105abd6142fbca57d9c9f0220290dbcecb41a8344728c6d8a4403b6003b3859a506"
    "ebf419253311de0a3329c902204099bb0661a5b16239a3705c14b6905b29fdf25d3b"
    "63884d758f1a81951218610220216c6c5b0fdd2beded5826a40f5968257b3edf16e7"
    "984fd559fed73213b4a0b7";

/* clang-format off */
static const struct {
	const char *name;
	uint32_t format;
	bool is_private;
	const char *hex;
	enum err want;
	const char *says;
} ders[] = {
	{ "RSA public key", FORMAT(PKCS_1), false,
	  "300a 0203 00c001 0203 010001", OK, "" },
	{ "nothing", FORMAT(PKCS_1), false, "", ERR_FIELD, "RSAPublicKey" },
	{ "a SET", FORMAT(PKCS_1), false,
	  "310a 0203 00c001 0203 010001", ERR_FIELD, "RSAPublicKey" },
	{ "one octet short", FORMAT(PKCS_1), false,
	  "300a 0203 00c001 0203 0100", ERR_FIELD, "RSAPublicKey" },
	{ "one octet more", FORMAT(PKCS_1), false,
	  "300a 0203 00c001 0203 010001 00", ERR_FIELD, "after the end" },
	{ "one octet more inside", FORMAT(PKCS_1), false,
	  "300b 0203 00c001 0203 010001 00", ERR_FIELD, "after the end" },
	{ "indefinite length", FORMAT(PKCS_1), false,
	  "3080 0203 00c001 0203 010001 0000", ERR_FIELD, "length" },
	{ "length in more octets than needed", FORMAT(PKCS_1), false,
	  "30810a 0203 00c001 0203 010001", ERR_FIELD, "length" },
	{ "length of four octets", FORMAT(PKCS_1), false,
	  "30840000000a 0203 00c001 0203 010001", ERR_FIELD, "length" },
	{ "negative modulus", FORMAT(PKCS_1), false,
	  "3009 0202 c001 0203 010001", ERR_FIELD, "modulus" },
	{ "modulus with a zero too many", FORMAT(PKCS_1), false,
	  "300a 0203 004001 0203 010001", ERR_FIELD, "modulus" },
	{ "modulus without octets", FORMAT(PKCS_1), false,
	  "3007 0200 0203 010001", ERR_FIELD, "modulus" },
	{ "modulus zero", FORMAT(PKCS_1), false,
	  "3008 0201 00 0203 010001", ERR_FIELD, "modulus" },
	{ "no public exponent", FORMAT(PKCS_1), false,
	  "3005 0203 00c001", ERR_FIELD, "public exponent" },
	{ "a third number", FORMAT(PKCS_1), false,
	  "300d 0203 00c001 0203 010001 0201 01", ERR_FIELD, "after the end" },

	{ "RSA private key", FORMAT(PKCS_1), true,
	  "301b 0201 00 0201 0f 0201 03 0201 03 0201 05 0201 03 0201 03"
	  "     0201 01 0201 02", OK, "" },
	{ "RSA of more primes", FORMAT(PKCS_1), true,
	  "301b 0201 01 0201 0f 0201 03 0201 03 0201 05 0201 03 0201 03"
	  "     0201 01 0201 02", ERR_KEY_FORMAT, "two primes" },
	{ "a version of two octets", FORMAT(PKCS_1), true,
	  "301c 0202 0100 0201 0f 0201 03 0201 03 0201 05 0201 03 0201 03"
	  "     0201 01 0201 02", ERR_FIELD, "version" },
	{ "no coefficient", FORMAT(PKCS_1), true,
	  "3018 0201 00 0201 0f 0201 03 0201 03 0201 05 0201 03 0201 03"
	  "     0201 01", ERR_FIELD, "coefficient" },
	{ "the public half", FORMAT(PKCS_1), true,
	  "300a 0203 00c001 0203 010001", ERR_FIELD, "version" },

	{ "RSA in X.509", FORMAT(X_509), false,
	  "301e 300d 0609 2a864886f70d010101 0500"
	  "     030d 00 300a 0203 00c001 0203 010001", OK, "" },
	{ "without the NULL, as some write it", FORMAT(X_509), false,
	  "301c 300b 0609 2a864886f70d010101"
	  "     030d 00 300a 0203 00c001 0203 010001", OK, "" },
	{ "a NULL with an octet in it", FORMAT(X_509), false,
	  "301f 300e 0609 2a864886f70d010101 050100"
	  "     030d 00 300a 0203 00c001 0203 010001", ERR_FIELD, "parameters" },
	{ "an algorithm we do not know", FORMAT(X_509), false,
	  "301e 300d 0609 2a864886f70d01010a 0500"
	  "     030d 00 300a 0203 00c001 0203 010001", ERR_KEY_FORMAT,
	  "algorithm" },
	{ "bits that fill no octets", FORMAT(X_509), false,
	  "301e 300d 0609 2a864886f70d010101 0500"
	  "     030d 01 300a 0203 00c001 0203 010001", ERR_FIELD, "X.509" },
	{ "no bits", FORMAT(X_509), false,
	  "3011 300d 0609 2a864886f70d010101 0500 0300", ERR_FIELD, "X.509" },

	/* RFC 8410 section 10.3 */
	{ "Ed25519", FORMAT(PKCS_8), true,
	  "302e 020100 3005 0603 2b6570 0422 0420"
	  "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
	  OK, "" },
	{ "with attributes and the public key", FORMAT(PKCS_8), true,
	  "3072 020101 3005 0603 2b6570 0422 0420"
	  "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
	  "a01f 301d 060a 2a864886f70d01090914 310f 0c0d"
	  "437572646c6520436861697273"
	  "8121 0019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad70"
	  "3166e1", OK, "" },
	{ "the public key in version 0", FORMAT(PKCS_8), true,
	  "3051 020100 3005 0603 2b6570 0422 0420"
	  "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
	  "8121 0019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad70"
	  "3166e1", ERR_FIELD, "after the end" },
	{ "version 2", FORMAT(PKCS_8), true,
	  "302e 020102 3005 0603 2b6570 0422 0420"
	  "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
	  ERR_FIELD, "version" },
	{ "with parameters", FORMAT(PKCS_8), true,
	  "3030 020100 3007 0603 2b6570 0500 0422 0420"
	  "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
	  ERR_FIELD, "parameters" },
	{ "of 31 octets", FORMAT(PKCS_8), true,
	  "302d 020100 3005 0603 2b6570 0421 041f"
	  "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f447558",
	  ERR_FIELD, "length" },
	{ "encrypted", FORMAT(PKCS_8), true,
	  "3013 300d 0609 2a864886f70d01050d 0500 0402 0000",
	  ERR_KEY_FORMAT, "encrypted" },

	{ "EC", FORMAT(ECPRIVATEKEY), true,
	  "3020 020101 040e 0102030405060708090a0b0c0d0e"
	  "     a007 0605 2b81040006 a102 0300", ERR_FIELD, "public key" },
	{ "EC without its point", FORMAT(ECPRIVATEKEY), true,
	  "301c 020101 040e 0102030405060708090a0b0c0d0e"
	  "     a007 0605 2b81040006", OK, "" },
	{ "EC of version 0", FORMAT(ECPRIVATEKEY), true,
	  "301c 020100 040e 0102030405060708090a0b0c0d0e"
	  "     a007 0605 2b81040006", ERR_FIELD, "version" },
	{ "EC without a curve", FORMAT(ECPRIVATEKEY), true,
	  "3013 020101 040e 0102030405060708090a0b0c0d0e",
	  ERR_KEY_FORMAT, "curve" },
	{ "EC on a curve without a name", FORMAT(ECPRIVATEKEY), true,
	  "3017 020101 040e 0102030405060708090a0b0c0d0e a002 3000",
	  ERR_KEY_FORMAT, "named" },
	{ "EC on a curve we do not know", FORMAT(ECPRIVATEKEY), true,
	  "301c 020101 040e 0102030405060708090a0b0c0d0e"
	  "     a007 0605 2b8104007f", ERR_KEY_FORMAT, "curve" },
	{ "EC, d zero", FORMAT(ECPRIVATEKEY), true,
	  "301c 020101 040e 0000000000000000000000000000"
	  "     a007 0605 2b81040006", ERR_FIELD, "zero" },
	{ "EC, d too long", FORMAT(ECPRIVATEKEY), true,
	  "301d 020101 040f 0102030405060708090a0b0c0d0e0f"
	  "     a007 0605 2b81040006", ERR_FIELD, "longer" },
	{ "EC in PKCS#8, the curve named twice", FORMAT(PKCS_8), true,
	  "3033 020100 3010 0607 2a8648ce3d0201 0605 2b81040006"
	  "     041c 301a 020101 040c 0102030405060708090a0b0c"
	  "     a007 0605 2b81040006", OK, "" },
	{ "and differently", FORMAT(PKCS_8), true,
	  "3033 020100 3010 0607 2a8648ce3d0201 0605 2b81040006"
	  "     041c 301a 020101 040c 0102030405060708090a0b0c"
	  "     a007 0605 2b81040007", ERR_FIELD, "twice" },

	{ "a private key in X.509", FORMAT(X_509), true, "3000",
	  ERR_KEY_FORMAT, "X.509 does not hold a private key" },
	{ "a public key in PKCS#8", FORMAT(PKCS_8), false, "3000",
	  ERR_KEY_FORMAT, "PKCS#8 does not hold a public key" },
	{ "a public key in ECPrivateKey", FORMAT(ECPRIVATEKEY), false, "3000",
	  ERR_KEY_FORMAT, "does not hold" },
	{ "Raw", FORMAT(RAW), true, "3000", ERR_KEY_FORMAT, "Raw" },
	{ "no format", 0, true, "3000", ERR_KEY_FORMAT, "does not hold" },
};
/* clang-format on */

static void
only_der_of_a_key_is_read(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(ders); k++) {
		struct fault f = {""};
		struct keyparts parts;

		print_message("%s\n", ders[k].name);
		assert_int_equal(
		    keyformat_read(ders[k].format, ders[k].is_private,
			hex_read(arena, ders[k].hex), &parts, &f),
		    ders[k].want);
		assert_non_null(strstr(f.text, ders[k].says));
		if (ders[k].want != OK)
			assert_int_equal(parts.algorithm, 0);
	}
}

/* No prefix of a key is a key, nor a key with an octet behind it. */
static void
a_key_ends_where_it_ends(void **state)
{
	struct bytes whole = hex_read(arena, rsa_512);
	struct keyparts parts = parts_of(FORMAT(PKCS_1), true, whole);
	struct bytes ders_[2];
	uint32_t formats[2] = {FORMAT(PKCS_1), FORMAT(PKCS_8)};
	struct fault f;
	size_t k, octets;

	(void)state;
	assert_int_equal(parts.key_bits, 512);
	ders_[0] = whole;
	ders_[1] = written(FORMAT(PKCS_8), true, &parts);
	for (k = 0; k < 2; k++) {
		uint8_t *longer;

		for (octets = 0; octets < ders_[k].octets; octets++)
			assert_int_equal(
			    keyformat_read(formats[k], true,
				(struct bytes){ders_[k].at, octets}, &parts,
				&f),
			    ERR_FIELD);
		assert_int_equal(
		    ARENA_ARRAY(arena, longer, ders_[k].octets + 1), OK);
		memcpy(longer, ders_[k].at, ders_[k].octets);
		assert_int_equal(
		    keyformat_read(formats[k], true,
			(struct bytes){longer, ders_[k].octets + 1}, &parts,
			&f),
		    ERR_FIELD);
	}
}

static void
a_format_holds_only_its_keys(void **state)
{
	struct keyparts rsa =
	    parts_of(FORMAT(PKCS_1), true, hex_read(arena, rsa_512));
	struct keyparts half = rsa;
	struct keyparts ec = {
	    .algorithm = ALG(EC),
	    .curve = RECOMMENDED_CURVE_P_256,
	    .is_private = true,
	};
	const struct {
		uint32_t format;
		bool is_private;
		const struct keyparts *parts;
		enum err want;
	} cases[] = {
	    {FORMAT(PKCS_1), true, &rsa, OK},
	    {FORMAT(PKCS_1), true, &half, ERR_KEY_FORMAT},
	    {FORMAT(PKCS_1), false, &half, OK},
	    {FORMAT(PKCS_1), true, &ec, ERR_KEY_FORMAT},
	    {FORMAT(PKCS_1), false, &ec, ERR_KEY_FORMAT},
	    {FORMAT(PKCS_8), true, &ec, OK},
	    {FORMAT(PKCS_8), true, &half, ERR_KEY_FORMAT},
	    {FORMAT(PKCS_8), false, &rsa, ERR_KEY_FORMAT},
	    {FORMAT(ECPRIVATEKEY), true, &ec, OK},
	    {FORMAT(ECPRIVATEKEY), true, &rsa, ERR_KEY_FORMAT},
	    {FORMAT(X_509), false, &ec, OK},
	    {FORMAT(X_509), true, &ec, ERR_KEY_FORMAT},
	    {FORMAT(TRANSPARENT_RSA_PRIVATE_KEY), true, &rsa, ERR_KEY_FORMAT},
	};
	struct bytes out;
	struct fault f;
	size_t k;

	(void)state;
	half.is_private = false;
	ec.d = hex_read(arena, "05");
	for (k = 0; k < LENGTH(cases); k++)
		assert_int_equal(
		    keyformat_write(cases[k].format, cases[k].is_private,
			cases[k].parts, arena, &out, &f),
		    cases[k].want);
}

static void
lengths_come_from_the_numbers(void **state)
{
	static const struct {
		const char *modulus;
		uint32_t bits;
	} cases[] = {{"01", 1}, {"ff", 8}, {"0100", 9}, {"8000", 16}, {"", 0}};
	struct keyparts parts;
	struct fault f;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		parts = (struct keyparts){.algorithm = ALG(RSA)};
		parts.modulus = hex_read(arena, cases[k].modulus);
		assert_int_equal(keyformat_measure(&parts, &f),
		    cases[k].bits != 0 ? OK : ERR_FIELD);
		assert_int_equal(parts.key_bits, cases[k].bits);
	}
	parts = (struct keyparts){.algorithm = ALG(AES)};
	assert_int_equal(keyformat_measure(&parts, &f), ERR_FEATURE);
	parts = (struct keyparts){.algorithm = ALG(ECDH), .curve = 0x47};
	assert_int_equal(keyformat_measure(&parts, &f), ERR_FEATURE);
}

static void
big_integers_are_eight_octets_and_signed(void **state)
{
	static const struct {
		const char *number;
		const char *big_integer;
	} cases[] = {
	    {"", "0000000000000000"},
	    {"01", "0000000000000001"},
	    {"7fffffffffffffff", "7fffffffffffffff"},
	    {"8000000000000000", "00000000000000008000000000000000"},
	    {"010000000000000000", "00000000000000010000000000000000"},
	};
	struct bytes out, back;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_int_equal(
		    keyformat_big_integer(
			hex_read(arena, cases[k].number), arena, &out),
		    OK);
		assert_string_equal(hex_text(arena, out), cases[k].big_integer);
		assert_int_equal(keyformat_number(out, &back), OK);
		assert_string_equal(hex_text(arena, back), cases[k].number);
	}
	assert_int_equal(
	    keyformat_number(hex_read(arena, "8000000000000000"), &back),
	    ERR_FIELD);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup(t, fresh_arena)
	const struct CMUnitTest tests[] = {
	    TEST(rsa_keys_go_from_each_format_to_each),
	    TEST(ec_keys_go_from_each_format_to_each),
	    TEST(other_keys_go_from_each_format_to_each),
	    TEST(rsa_numbers_follow_from_the_others),
	    TEST(numbers_that_contradict_are_noticed_when_computing),
	    TEST(a_key_whose_primes_are_not_is_read),
	    TEST(a_public_point_follows_from_d),
	    TEST(a_short_d_is_filled_up),
	    TEST(only_der_of_a_key_is_read),
	    TEST(a_key_ends_where_it_ends),
	    TEST(a_format_holds_only_its_keys),
	    TEST(lengths_come_from_the_numbers),
	    TEST(big_integers_are_eight_octets_and_signed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
