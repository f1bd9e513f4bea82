/*
 * The key service: what can be made, imported, changed and deleted, and what
 * is refused and then has changed nothing.
 */
#include "device/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/key_attribute.h"
#include "device/key_rig_test.h"

/* The guide's figures, not those of the headers. */
enum {
	NAME_MOST = 255,
	DESCRIPTION_MOST = 4095,
	VALUE_MOST = 4096,
	ATTRIBUTES_MOST = 100,
};

static struct key_rig rig;
#define CALL       (&rig.call)
#define STORE      (rig.bench.appliance.store)
#define NAME(text) bytes_of_text(text)

static int
set_up(void **state)
{
	(void)state;
	key_rig_make(&rig);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	key_rig_clear(&rig);
	return 0;
}

static void
assert_text(struct bytes got, const char *want)
{
	if (!bytes_equal_text(got, want))
		fail_msg("expected \"%s\", got \"%.*s\"", want, (int)got.octets,
		    got.octets != 0 ? (const char *)got.at : "");
}

static void
pair_make(struct keygen_pair *pair, uint32_t key_bits)
{
	struct fault f = {{0}};

	*pair = (struct keygen_pair){0};
	assert_ok(key_bits == 512
		      ? keygen_pair_begin_short(pair, rig.token.env,
			    CRYPTOGRAPHIC_ALGORITHM_RSA, key_bits, &f)
		      : keygen_pair_begin(pair, rig.token.env,
			    CRYPTOGRAPHIC_ALGORITHM_RSA, key_bits, 0, &f));
	assert_ok(keygen_pair_work(pair));
}

/* ---- every algorithm ---- */

/*
 * req: KS-28-074 KS-28-075 KS-28-076 KS-28-077 KS-28-078 KS-28-079 KS-28-080
 * req: KS-28-081 KS-28-082 KS-28-083 KS-28-084 KS-28-085 KS-28-089 KS-28-090
 * req: KS-28-037 KS-28-001
 */
static const struct {
	const char *name;
	uint32_t algorithm;
	uint32_t key_bits;
	size_t octets; /* 0: RSA */
	size_t iv_octets;
} made[] = {
    {"AES-256", CRYPTOGRAPHIC_ALGORITHM_AES, 256, 32, 16},
    {"AES-192", CRYPTOGRAPHIC_ALGORITHM_AES, 192, 24, 16},
    {"AES-128", CRYPTOGRAPHIC_ALGORITHM_AES, 128, 16, 16},
    {"DES-EDE-168", CRYPTOGRAPHIC_ALGORITHM_3DES, 168, 24, 8},
    {"DES-EDE-112", CRYPTOGRAPHIC_ALGORITHM_3DES, 112, 16, 8},
    {"DES", CRYPTOGRAPHIC_ALGORITHM_DES, 56, 8, 8},
    {"RC4-128", CRYPTOGRAPHIC_ALGORITHM_RC4, 128, 16, 0},
    {"RC4-40", CRYPTOGRAPHIC_ALGORITHM_RC4, 40, 5, 0},
    {"HmacSHA512", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA512, 512, 64, 0},
    {"HmacSHA384", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA384, 384, 48, 0},
    {"HmacSHA256", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA256, 256, 32, 0},
    {"HmacSHA1", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA1, 160, 20, 0},
    {"RSA-1024", CRYPTOGRAPHIC_ALGORITHM_RSA, 1024, 0, 0},
    {"RSA-512", CRYPTOGRAPHIC_ALGORITHM_RSA, 512, 0, 0},
};

static void
test_every_algorithm_makes_a_key(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(made); k++) {
		struct key_spec spec = key_rig_spec("k", "alice");
		struct keygen_pair pair = {0};
		const struct object *key;
		struct key_material material;
		struct key_version version;
		struct key_info info;

		spec.algorithm = key_algorithm_named(NAME(made[k].name));
		assert_non_null(spec.algorithm);
		if (made[k].octets == 0)
			pair_make(&pair, made[k].key_bits);
		assert_ok(key_create(CALL, &spec, &pair, &key));
		key_rig_turn(&rig);
		key = key_rig_find(&rig, "k");
		assert_ok(key_info(CALL, key, &info));
		assert_ptr_equal(info.row, spec.algorithm);
		assert_int_equal(info.algorithm, made[k].algorithm);
		assert_int_equal(info.key_bits, made[k].key_bits);
		assert_text(info.owner, "alice");
		assert_ok(key_bytes(CALL, key, 0, &material));
		assert_int_equal(material.iv.octets, made[k].iv_octets);
		if (made[k].octets != 0)
			assert_int_equal(
			    material.octets.octets, made[k].octets);
		else
			assert_true(bytes_equal(
			    material.octets, secret_peek(pair.private_key)));
		/* the clear bytes are not what lies in the store */
		assert_true(key->value_sealed);
		assert_null(memmem(key->value.at, key->value.octets,
		    material.octets.at, material.octets.octets));
		assert_ok(key_version_info(CALL, key, 0, &version));
		assert_int_equal(version.fingerprint.octets, 20);
		assert_int_equal(version.number, 0);
		assert_ok(key_delete(CALL, key));
		assert_false(key_rig_has(&rig, "k"));
		keygen_pair_clear(&pair);
		key_rig_turn(&rig);
	}
	assert_ok(store_check(STORE));
}

/* req: KS-28-091 KS-28-205 KS-28-284 */
static void
test_seed_has_to_be_activated(void **state)
{
	struct key_spec spec = key_rig_spec("seed", "");
	struct key_spec template = key_rig_spec("template", "");
	char why[SETTING_WHY_OCTETS];
	bool changed;

	(void)state;
	spec.algorithm = key_algorithm_named(NAME("SEED"));
	template.algorithm = spec.algorithm;
	template.is_template = true;
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_FEATURE);
	assert_err(key_create(CALL, &template, NULL, NULL), ERR_FEATURE);
	assert_err(key_import(CALL, &spec, 0,
		       NAME("00112233445566778899AABBCCDDEEFF"), NULL),
	    ERR_FEATURE);
	assert_false(key_rig_has(&rig, "seed"));
	assert_ok(setting_set(rig.bench.appliance.settings, SETTING_SEED,
	    NAME("yes"), &changed, why));
	settings_settle(rig.bench.appliance.settings, true);
	assert_ok(key_create(CALL, &spec, NULL, NULL));
	assert_ok(key_create(CALL, &template, NULL, NULL));
}

static void
test_an_rsa_key_needs_its_pair(void **state)
{
	struct key_spec spec = key_rig_spec("rsa", "");
	struct keygen_pair pair;

	(void)state;
	spec.algorithm = key_algorithm_named(NAME("RSA-1024"));
	pair_make(&pair, 512);
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_CRYPTO);
	assert_err(key_create(CALL, &spec, &pair, NULL), ERR_CRYPTO);
	keygen_pair_clear(&pair);
}

/* ---- names ---- */

/*
 * req: KS-28-061 KS-28-063 KS-28-064 KS-28-065 KS-28-191 KS-28-192 KS-28-193
 * req: KS-28-194
 */
static const struct {
	const char *name;
	enum err want;
} names[] = {
    {"k", OK},
    {"K-1_2.3", OK},
    {"A23456789012345678901234567890123456789012345678901234567890abcd", OK},
    {"A23456789012345678901234567890123456789012345678901234567890abcde",
	ERR_KEY_NAME},
    {"1k", ERR_KEY_NAME},
    {"_k", ERR_KEY_NAME},
    {"k k", ERR_KEY_NAME},
    {"k#1", ERR_KEY_NAME},
    {"k/", ERR_KEY_NAME},
    {"taken", ERR_NAME_TAKEN},
    {"other", ERR_NAME_TAKEN},
};

static void
test_names_follow_the_rule_and_are_nobody_elses(void **state)
{
	struct key_spec taken = key_rig_spec("taken", "bob");
	struct bytes other = NAME("other");
	struct key_change change = {.other_names = &other,
	    .other_name_count = 1,
	    .has_other_names = true};
	const struct object *key;
	size_t k;

	(void)state;
	assert_ok(key_create(CALL, &taken, NULL, &key));
	assert_ok(key_modify(CALL, key, &change));
	for (k = 0; k < LENGTH(names); k++) {
		struct key_spec spec = key_rig_spec(names[k].name, "alice");
		unsigned template;

		for (template = 0; template <2; template ++) {
			spec.is_template = template != 0;
			assert_err(key_check(CALL, &spec), names[k].want);
			assert_err(
			    key_create(CALL, &spec, NULL, &key), names[k].want);
			if (names[k].want != OK) {
				assert_true(CALL->why[0] != '\0');
				continue;
			}
			assert_ok(key_delete(CALL, key));
		}
		key_rig_turn(&rig);
	}
}

static void
test_a_key_without_a_name_gets_one(void **state)
{
	struct key_spec spec = key_rig_spec("", "alice");
	const struct object *key;
	struct key_info info;

	(void)state;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_info(CALL, key, &info));
	assert_int_equal(info.name.octets, 20);
	assert_memory_equal(info.name.at, "key-", 4);
	assert_true(key_name_is_good(info.name));
}

/* ---- importing ---- */

#define RSA_PEM                                                              \
	"-----BEGIN RSA PRIVATE KEY-----\n"                                  \
	"MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n" \
	"KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEm\n" \
	"o3qGy0t6z09AIJtH+5OeRV1be+N4cDYJKffGzDa88vQENZiRm0GRq6a+HPGQMd2k\n" \
	"TQIhAKMSvzIBnni7ot/OSie2TmJLY4SwTQAevXysE2RbFDYdAiEBCUEaRQnMnbp7\n" \
	"9mxDXDf6AU0cN/RPBjb9qSHDcWZHGzUCIG2Es59z8ugGrDY+pxLQnwfotadxd+Uy\n" \
	"v/Ow5T0q5gIJAiEAyS4RaI9YG8EWx/2w0T67ZUVAw8eOMB6BIUg0Xcu+3okCIBOs\n" \
	"/5OiPgoTdSy7bcF9IGpSE8ZgGKzgYQVZeN97YE00\n"                         \
	"-----END RSA PRIVATE KEY-----\n"

/*
 * req: KS-28-257 KS-28-258 KS-28-259 KS-28-260 KS-28-261 KS-28-262 KS-28-275
 * req: KS-28-276 KS-28-277 KS-28-278 KS-28-279 KS-28-280 KS-28-281 KS-28-282
 * req: KS-28-283
 */
static const struct {
	const char *name;
	const char *algorithm;
	const char *data;
	uint32_t key_bits;
	uint32_t want_bits;
	enum err want;
} imports[] = {
    {"AES of 16", "AES", "00112233445566778899AABBCCDDEEFF", 0, 128, OK},
    {"small letters, a line end", "AES", "00112233445566778899aabbccddeeff\n",
	128, 128, OK},
    {"another size than said", "AES", "00112233445566778899AABBCCDDEEFF", 256,
	0, ERR_KEY_DATA},
    {"AES of 15", "AES", "00112233445566778899AABBCCDDEE", 0, 0, ERR_KEY_DATA},
    {"half an octet", "AES", "00112233445566778899AABBCCDDEEF", 0, 0,
	ERR_KEY_DATA},
    {"no digit", "AES", "0011223344556677889 AABBCCDDEEFF", 0, 0, ERR_KEY_DATA},
    {"nothing", "AES", "", 0, 0, ERR_KEY_DATA},
    {"DES", "DES", "0123456789ABCDEF", 0, 56, OK},
    {"DES, with its parity counted", "DES", "0123456789ABCDEF", 64, 56, OK},
    {"DES, wrong parity", "DES", "0023456789ABCDEF", 0, 0, ERR_WEAK_KEY},
    {"DES, weak", "DES", "0101010101010101", 0, 0, ERR_WEAK_KEY},
    {"DES, half weak", "DES", "01FE01FE01FE01FE", 0, 0, ERR_WEAK_KEY},
    {"two parts", "DES-EDE", "0123456789ABCDEFFEDCBA9876543210", 0, 112, OK},
    {"three parts", "DES-EDE",
	"0123456789ABCDEFFEDCBA98765432108080808080808080", 192, 168, OK},
    {"two parts, the same", "DES-EDE", "0123456789ABCDEF0123456789ABCDEF", 0, 0,
	ERR_WEAK_KEY},
    {"the last two the same", "DES-EDE",
	"0123456789ABCDEFFEDCBA9876543210FEDCBA9876543210", 0, 0, ERR_WEAK_KEY},
    {"a weak part", "DES-EDE", "0123456789ABCDEF0101010101010101", 0, 0,
	ERR_WEAK_KEY},
    {"parity of the last part", "DES-EDE",
	"0123456789ABCDEFFEDCBA98765432108080808080808081", 0, 0, ERR_WEAK_KEY},
    {"RC4 of 40 bits", "RC4", "0102030405", 0, 40, OK},
    {"RC4 of 48 bits", "RC4", "010203040506", 0, 0, ERR_KEY_DATA},
    {"HmacSHA1", "HmacSHA1", "000102030405060708090a0b0c0d0e0f10111213", 0, 160,
	OK},
    {"HmacSHA1, too short", "HmacSHA1", "000102030405060708090a0b0c0d0e0f1011",
	0, 0, ERR_KEY_DATA},
    {"HmacSHA256", "HmacSHA256",
	"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f", 0,
	256, OK},
    {"HmacSHA384", "HmacSHA384",
	"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
	"000102030405060708090a0b0c0d0e0f",
	0, 384, OK},
    {"HmacSHA512", "HmacSHA512",
	"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
	"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f",
	0, 512, OK},
    {"RSA", "RSA", RSA_PEM, 0, 512, OK},
    {"RSA of another size", "RSA", RSA_PEM, 1024, 0, ERR_KEY_DATA},
    {"RSA in base 16", "RSA", "30820122", 0, 0, ERR_KEY_DATA},
};

static void
test_what_can_be_imported_comes_back_and_nothing_else_is_taken(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(imports); k++) {
		struct key_spec spec = key_rig_spec("imported", "alice");
		const struct object *key;
		struct key_info info;
		struct bytes text;
		enum err rc;

		spec.algorithm =
		    key_algorithm_imported(NAME(imports[k].algorithm));
		assert_non_null(spec.algorithm);
		rc = key_import(CALL, &spec, imports[k].key_bits,
		    NAME(imports[k].data), &key);
		if (rc != imports[k].want)
			fail_msg("%s: expected %s, got %s", imports[k].name,
			    err_name(imports[k].want), err_name(rc));
		if (rc != OK) {
			assert_false(key_rig_has(&rig, "imported"));
			assert_true(CALL->why[0] != '\0');
			/* what was sent is not told to anybody */
			assert_null(strstr(CALL->why, "0123"));
			key_rig_turn(&rig);
			continue;
		}
		assert_ok(key_info(CALL, key, &info));
		assert_int_equal(info.key_bits, imports[k].want_bits);
		assert_ok(key_text(CALL, key, 0, &text));
		assert_int_equal(strncasecmp((const char *)text.at,
				     imports[k].data, text.octets),
		    0);
		assert_ok(key_delete(CALL, key));
		key_rig_turn(&rig);
	}
}

/* req: KS-28-307 */
static void
test_the_public_half_is_all_that_is_downloaded(void **state)
{
	struct key_spec spec = key_rig_spec("rsa", "alice");
	struct key_spec aes = key_rig_spec("aes", "alice");
	const struct object *key;
	struct bytes text;

	(void)state;
	spec.algorithm = key_algorithm_imported(NAME("RSA"));
	assert_ok(key_import(CALL, &spec, 0, NAME(RSA_PEM), &key));
	assert_ok(key_public_text(CALL, key, 0, &text));
	assert_memory_equal(text.at, "-----BEGIN RSA PUBLIC KEY-----\n", 31);
	assert_null(memmem(text.at, text.octets, "PRIVATE", 7));
	/* the modulus and no more: 74 octets of DER are 100 of base 64 */
	assert_true(text.octets < 31 + 104 + 30);
	assert_ok(key_create(CALL, &aes, NULL, &key));
	assert_err(key_public_text(CALL, key, 0, &text), ERR_KEY_FORMAT);
}

/* ---- permissions and owners ---- */

/* req: KS-28-016 KS-28-018 KS-28-073 KS-28-139 KS-28-222 */
static void
test_a_global_key_has_no_permissions(void **state)
{
	struct card_permission staff = {.group = NAME("staff"),
	    .use = {[USE_ENCRYPT] = {.grant = CARD_ALWAYS}}};
	struct card_permission wrong = {.group = NAME("staff"),
	    .use = {[USE_MAC] = {.grant = CARD_ALWAYS}}};
	struct key_spec spec = key_rig_spec("k", "");
	struct bytes nobody = NAME("");
	struct bytes bob = NAME("bob");
	struct key_change to_all = {.owner = &nobody};
	struct key_change to_bob = {.owner = &bob};
	struct key_change none = {.owner = &nobody, .has_permissions = true};
	struct bytes scope = NAME("\1staff");
	const struct object *key;

	(void)state;
	spec.permissions = &staff;
	spec.permission_count = 1;
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_FIELD);
	spec.owner = NAME("alice");
	/* nor of a group that there is not */
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_FIELD);
	assert_ok(group_create(&rig.bench.appliance, NAME("staff")));
	spec.permissions = &wrong;
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_FIELD);
	spec.permissions = &staff;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_find(CALL, &scope, 1, NAME("k"), &key));
	assert_err(key_modify(CALL, key, &to_all), ERR_FIELD);
	assert_ok(key_modify(CALL, key, &to_bob));
	assert_ok(key_find(CALL, &bob, 1, NAME("k"), &key));
	assert_ok(key_modify(CALL, key, &none));
	assert_err(key_find(CALL, &bob, 1, NAME("k"), &key), ERR_NOT_FOUND);
	assert_err(key_find(CALL, &scope, 1, NAME("k"), &key), ERR_NOT_FOUND);
	assert_ok(key_find(CALL, &nobody, 1, NAME("k"), &key));
	assert_ok(store_commit(STORE));
	assert_ok(store_check(STORE));
}

/* ---- changing ---- */

/* req: KS-28-066 KS-28-094 KS-28-098 KS-28-109 KS-28-195 KS-28-208 KS-28-209 */
static void
test_a_key_is_changed_whole_or_not_at_all(void **state)
{
	struct key_spec spec = key_rig_spec("old", "alice");
	struct key_spec taken = key_rig_spec("taken", "bob");
	struct bytes new_name = NAME("new");
	struct bytes taken_name = NAME("taken");
	struct bytes others[] = {NAME("second"), NAME("third")};
	bool no = false;
	struct key_change change = {.name = &new_name,
	    .exportable = &no,
	    .deletable = &no,
	    .other_names = others,
	    .other_name_count = 2,
	    .has_other_names = true};
	struct key_change bad = {.exportable = &no, .name = &taken_name};
	const struct object *key;
	struct key_info info;
	struct bytes *told;
	size_t count;

	(void)state;
	assert_ok(key_create(CALL, &taken, NULL, NULL));
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_err(key_modify(CALL, key, &bad), ERR_NAME_TAKEN);
	assert_ok(key_info(CALL, key_rig_find(&rig, "old"), &info));
	assert_true(info.exportable);
	assert_true(info.deletable);
	assert_ok(key_modify(CALL, key, &change));
	key_rig_turn(&rig);
	assert_false(key_rig_has(&rig, "old"));
	key = key_rig_find(&rig, "third");
	assert_ok(key_info(CALL, key, &info));
	assert_text(info.name, "new");
	assert_false(info.exportable);
	assert_false(info.deletable);
	assert_ok(key_other_names(CALL, key, &told, &count));
	assert_int_equal(count, 2);
	assert_text(told[0], "second");
	assert_text(told[1], "third");
	/* its own name is no other one, and none stands twice */
	others[0] = NAME("new");
	change = (struct key_change){.other_names = others,
	    .other_name_count = 1,
	    .has_other_names = true};
	assert_err(key_modify(CALL, key, &change), ERR_NAME_TAKEN);
	others[0] = others[1];
	change.other_name_count = 2;
	assert_err(key_modify(CALL, key, &change), ERR_NAME_TAKEN);
	change.other_name_count = 0;
	assert_ok(key_modify(CALL, key, &change));
	assert_false(key_rig_has(&rig, "second"));
}

/* ---- custom attributes ---- */

/*
 * req: KS-28-112 KS-28-113 KS-28-114 KS-28-116 KS-28-117 KS-28-118 KS-28-119
 * req: KS-28-120 KS-28-121 KS-28-213 KS-28-214 KS-28-215 KS-28-216
 */
static void
test_names_of_attributes(void **state)
{
	static char longest[NAME_MOST + 2];
	static char lengthy[DESCRIPTION_MOST + 2];
	struct key_attribute_name name;
	char why[CHANGE_WHY_OCTETS];
	static const char *const bad[] = {"", "1a", "-a", "a b", "a\tb", "a/b",
	    "a\xc3\xa4", "Contact Information", "Object Group"};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(bad); k++)
		assert_err(key_attribute_name_create(STORE, NAME(bad[k]),
			       BYTES_NONE, KEY_STRING, why),
		    ERR_FIELD);
	memset(longest, 'a', NAME_MOST + 1);
	assert_err(key_attribute_name_create(
		       STORE, NAME(longest), BYTES_NONE, KEY_STRING, why),
	    ERR_FIELD);
	longest[NAME_MOST] = '\0';
	memset(lengthy, ' ', DESCRIPTION_MOST + 1);
	lengthy[0] = '\t';
	lengthy[1] = '\r';
	lengthy[2] = '\n';
	assert_err(key_attribute_name_create(
		       STORE, NAME(longest), NAME(lengthy), KEY_DATE, why),
	    ERR_FIELD);
	lengthy[DESCRIPTION_MOST] = '\0';
	assert_ok(key_attribute_name_create(
	    STORE, NAME(longest), NAME(lengthy), KEY_DATE, why));
	assert_ok(key_attribute_name_read(STORE, NAME(longest), &name));
	assert_string_equal(name.description, lengthy);
	assert_int_equal(name.type, KEY_DATE);
	assert_err(key_attribute_name_create(
		       STORE, NAME(longest), BYTES_NONE, KEY_STRING, why),
	    ERR_FIELD);
	assert_err(key_attribute_name_describe(
		       STORE, NAME(longest), NAME("\x01"), why),
	    ERR_FIELD);
	assert_ok(key_attribute_name_describe(
	    STORE, NAME(longest), NAME("now"), why));
	assert_ok(key_attribute_name_read(STORE, NAME(longest), &name));
	assert_string_equal(name.description, "now");
	/* req: KS-28-122 */
	assert_int_equal(name.type, KEY_DATE);
	for (k = LENGTH(bad) - 2; k < LENGTH(bad); k++) {
		assert_ok(key_attribute_name_read(STORE, NAME(bad[k]), &name));
		assert_err(key_attribute_name_describe(
			       STORE, NAME(bad[k]), NAME("now"), why),
		    ERR_FIELD);
		assert_err(key_attribute_name_delete(STORE, NAME(bad[k]), why),
		    ERR_FIELD);
	}
	assert_ok(key_attribute_name_delete(STORE, NAME(longest), why));
	assert_err(
	    key_attribute_name_delete(STORE, NAME(longest), why), ERR_FIELD);
}

/*
 * req: KS-28-123 KS-28-124 KS-28-125 KS-28-126 KS-28-127 KS-28-128 KS-28-129
 * req: KS-28-130 KS-28-131 KS-28-160 KS-28-217
 */
static const struct {
	enum key_attribute_type type;
	const char *value;
	const char *told; /* NULL: refused */
} values[] = {
    {KEY_STRING, "a value,\t\r\nof two lines", "a value,\t\r\nof two lines"},
    {KEY_STRING, "\x01", NULL},
    {KEY_STRING, "\xc3\xa4", NULL},
    {KEY_INTEGER, "-2147483648", "-2147483648"},
    {KEY_INTEGER, "007", "7"},
    {KEY_INTEGER, "2147483648", NULL},
    {KEY_INTEGER, "-", NULL},
    {KEY_INTEGER, "1x", NULL},
    {KEY_LONG, "9223372036854775807", "9223372036854775807"},
    {KEY_LONG, "9223372036854775808", NULL},
    {KEY_BIG, "80", "FFFFFFFFFFFFFF80"},
    {KEY_BIG, "0102030405060708ff", "00000000000000010203040506070 8FF"},
    {KEY_BIG, "1", NULL},
    {KEY_ENUMERATION, "4294967295", "4294967295"},
    {KEY_ENUMERATION, "-1", NULL},
    {KEY_BOOLEAN, "true", "true"},
    {KEY_BOOLEAN, "false", "false"},
    {KEY_BOOLEAN, "yes", NULL},
    {KEY_BYTES, "00ff", "00FF"},
    {KEY_BYTES, "0", NULL},
    {KEY_DATE, "2026-02-28 23:59:59", "2026-02-28 23:59:59"},
    {KEY_DATE, "2026-02-30 00:00:00", NULL},
    {KEY_DATE, "2026-02-28", NULL},
    {KEY_INTERVAL, "86400", "86400"},
    {KEY_INTERVAL, "1.5", NULL},
};

static void
test_values_have_the_type_of_their_name(void **state)
{
	char why[CHANGE_WHY_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(values); k++) {
		struct key_attribute attribute = {
		    .name = NAME("A"), .value = NAME(values[k].value)};
		struct key_spec spec = key_rig_spec("k", "alice");
		const struct object *key;
		struct key_attribute *told;
		char want[64];
		size_t count;
		size_t n = 0;
		const char *c;

		assert_ok(key_attribute_name_create(
		    STORE, NAME("A"), BYTES_NONE, values[k].type, why));
		spec.attributes = &attribute;
		spec.attribute_count = 1;
		if (values[k].told == NULL) {
			assert_err(
			    key_create(CALL, &spec, NULL, NULL), ERR_FIELD);
			assert_false(key_rig_has(&rig, "k"));
		} else {
			/* blanks in the table are for the eye, in numbers */
			for (c = values[k].told; *c != '\0'; c++)
				if (*c != ' ' || values[k].type != KEY_BIG)
					want[n++] = *c;
			want[n] = '\0';
			assert_ok(key_create(CALL, &spec, NULL, NULL));
			key_rig_turn(&rig);
			key = key_rig_find(&rig, "k");
			assert_ok(key_attributes(CALL, key, &told, &count));
			assert_int_equal(count, 1);
			assert_text(told[0].name, "A");
			assert_text(told[0].value, want);
			assert_int_equal(told[0].index, 0);
			assert_ok(key_delete(CALL, key));
		}
		assert_ok(key_attribute_name_delete(STORE, NAME("A"), why));
		key_rig_turn(&rig);
	}
}

/*
 * req: KS-28-154 KS-28-155 KS-28-156 KS-28-157 KS-28-158 KS-28-159 KS-28-161
 * req: KS-28-228 KS-28-229 KS-28-230
 */
static void
test_how_many_attributes_a_key_has(void **state)
{
	static struct key_attribute many[ATTRIBUTES_MOST + 1];
	static char long_value[VALUE_MOST + 2];
	struct key_attribute contacts[] = {
	    {.name = NAME("Contact Information"), .value = NAME("a")},
	    {.name = NAME("Contact Information"), .value = NAME("b")}};
	struct key_attribute unknown = {
	    .name = NAME("Unknown"), .value = NAME("a")};
	struct key_spec spec = key_rig_spec("k", "alice");
	const struct object *key;
	struct key_attribute *told;
	size_t count;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(many); k++)
		many[k] = (struct key_attribute){
		    .name = NAME("Object Group"), .value = NAME("g")};
	spec.attributes = many;
	spec.attribute_count = LENGTH(many);
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_ATTRIBUTES);
	spec.attribute_count--;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_attributes(CALL, key, &told, &count));
	assert_int_equal(count, ATTRIBUTES_MOST);
	for (k = 0; k < count; k++)
		assert_int_equal(told[k].index, k);
	assert_ok(key_delete(CALL, key));
	spec.attributes = contacts;
	spec.attribute_count = 2;
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_ATTR_SINGLE);
	spec.attribute_count = 1;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_attributes(CALL, key, &told, &count));
	assert_int_equal(told[0].index, 0);
	assert_ok(key_delete(CALL, key));
	spec.attributes = &unknown;
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_FIELD);
	memset(long_value, 'v', VALUE_MOST + 1);
	contacts[0].value = NAME(long_value);
	spec.attributes = contacts;
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_FIELD);
	contacts[0].value.octets--;
	assert_ok(key_create(CALL, &spec, NULL, &key));
}

static void
test_attributes_are_set_and_taken_away(void **state)
{
	struct key_attribute both[] = {
	    {.name = NAME("Object Group"), .value = NAME("one")},
	    {.name = NAME("Object Group"), .value = NAME("two")},
	    {.name = NAME("Contact Information"), .value = NAME("me")}};
	struct key_attribute less[] = {
	    {.name = NAME("Object Group"), .value = BYTES_NONE},
	    {.name = NAME("Contact Information"), .value = NAME("you")}};
	struct key_change change = {
	    .attributes = less, .attribute_count = LENGTH(less)};
	struct key_spec spec = key_rig_spec("k", "alice");
	const struct object *key;
	struct key_attribute *told;
	size_t count;

	(void)state;
	spec.attributes = both;
	spec.attribute_count = LENGTH(both);
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_attributes(CALL, key, &told, &count));
	assert_int_equal(count, 3);
	assert_int_equal(told[1].index, 1);
	assert_ok(key_modify(CALL, key, &change));
	key = key_rig_find(&rig, "k");
	assert_ok(key_attributes(CALL, key, &told, &count));
	assert_int_equal(count, 1);
	assert_text(told[0].value, "you");
}

/* ---- templates ---- */

/* req: KS-28-004 KS-28-005 KS-28-007 KS-28-009 KS-28-206 KS-28-210 */
static void
test_a_template_is_metadata_alone(void **state)
{
	struct key_spec spec = key_rig_spec("t", "alice");
	const struct object *key;
	struct key_material material;
	struct key_info info;
	struct bytes text;

	(void)state;
	spec.is_template = true;
	spec.versioned = true;
	assert_err(key_create(CALL, &spec, NULL, NULL), ERR_FIELD);
	spec.versioned = false;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_info(CALL, key, &info));
	assert_true(info.is_template);
	assert_int_equal(info.state, 0);
	assert_int_equal(info.key_bits, 256);
	assert_false(key->value_sealed);
	assert_err(key_bytes(CALL, key, 0, &material), ERR_KEY_FORMAT);
	assert_err(key_text(CALL, key, 0, &text), ERR_KEY_FORMAT);
}

/*
 * req: KS-28-086 KS-28-087 KS-28-088 KS-28-191 KS-28-196 KS-28-199 KS-28-200
 * req: KS-28-201 KS-28-202 KS-28-203 KS-28-204
 */
static void
test_a_template_names_any_algorithm(void **state)
{
	static const char *const algorithms[] = {"AES-256", "AES-192",
	    "AES-128", "DES-EDE-168", "DES-EDE-112", "DES", "RC4-128", "RC4-40",
	    "HmacSHA512", "HmacSHA384", "HmacSHA256", "HmacSHA1", "RSA-4096",
	    "RSA-3072", "RSA-2048", "RSA-1024", "RSA-512"};
	const char *const owners[] = {"", "alice"};
	struct keygen_pair pair;
	struct fault f = {{0}};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(algorithms); k++) {
		struct key_spec spec = key_rig_spec("t", owners[k % 2]);
		const struct object *key;
		struct key_spec loaded;

		spec.algorithm = key_algorithm_named(NAME(algorithms[k]));
		assert_non_null(spec.algorithm);
		spec.is_template = true;
		assert_ok(key_create(CALL, &spec, NULL, &key));
		assert_ok(key_spec_load(CALL, key, &loaded));
		assert_string_equal(loaded.algorithm->name, algorithms[k]);
		assert_text(loaded.owner, owners[k % 2]);
		/* and pairs of these sizes are made */
		if (spec.algorithm->family == FAMILY_RSA &&
		    spec.algorithm->key_bits >= 1024) {
			pair = (struct keygen_pair){0};
			assert_ok(keygen_pair_begin(&pair, rig.token.env,
			    spec.algorithm->algorithm, spec.algorithm->key_bits,
			    0, &f));
			keygen_pair_clear(&pair);
		}
		assert_ok(key_delete(CALL, key));
		key_rig_turn(&rig);
	}
	assert_null(key_algorithm_named(NAME("AES")));
	assert_null(key_algorithm_named(NAME("RSA-1536")));
}

/*
 * req: KS-28-068 KS-28-197 KS-28-198 KS-28-220 KS-28-222 KS-28-226 KS-28-231
 */
static void
test_a_template_is_somebodys_and_lends_its_permissions(void **state)
{
	struct card_permission staff = {.group = NAME("staff"),
	    .use = {[USE_ENCRYPT] = {.grant = CARD_ALWAYS},
		[USE_DECRYPT] = {.grant = CARD_NEVER}}};
	struct key_spec spec = key_rig_spec("t", "alice");
	struct bytes alice = NAME("alice");
	struct bytes bob = NAME("bob");
	struct key_change change = {.owner = &bob};
	struct key_spec loaded;
	const struct object *key;

	(void)state;
	assert_ok(group_create(&rig.bench.appliance, NAME("staff")));
	spec.is_template = true;
	spec.permissions = &staff;
	spec.permission_count = 1;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_find(CALL, &alice, 1, NAME("t"), &key));
	assert_err(key_find(CALL, &bob, 1, NAME("t"), &key), ERR_NOT_FOUND);
	assert_ok(key_find(CALL, &alice, 1, NAME("t"), &key));
	assert_ok(key_modify(CALL, key, &change));
	assert_err(key_find(CALL, &alice, 1, NAME("t"), &key), ERR_NOT_FOUND);
	assert_ok(key_find(CALL, &bob, 1, NAME("t"), &key));
	assert_ok(key_spec_load(CALL, key, &loaded));
	assert_int_equal(loaded.permission_count, 1);
	loaded.name = NAME("made");
	assert_ok(key_create(CALL, &loaded, NULL, &key));
	assert_int_equal(key->card->permission_count, 1);
	assert_int_equal(
	    key->card->permissions[0].use[USE_ENCRYPT].grant, CARD_ALWAYS);
	assert_int_equal(
	    key->card->permissions[0].use[USE_DECRYPT].grant, CARD_NEVER);
	/* a key is no template */
	assert_err(key_spec_load(CALL, key, &loaded), ERR_OBJECT_TYPE);
}

/*
 * req: KS-28-266 KS-28-267 KS-28-268 KS-28-269 KS-28-272 KS-28-273 KS-28-274
 * req: KS-28-285 KS-28-286
 */
static void
test_an_imported_key_is_whose_it_is_said_to_be(void **state)
{
	static const char octets[] = "00112233445566778899AABBCCDDEEFF";
	struct bytes alice = NAME("alice");
	struct bytes bob = NAME("bob");
	struct bytes global = NAME("");
	bool no = false;
	struct key_change change = {.exportable = &no, .deletable = &no};
	const struct object *key;
	struct key_info info;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(names); k++) {
		struct key_spec spec = key_rig_spec(names[k].name, "");

		if (names[k].want != ERR_KEY_NAME)
			continue;
		assert_err(key_import(CALL, &spec, 0, NAME(octets), NULL),
		    ERR_KEY_NAME);
	}
	{
		struct key_spec spec = key_rig_spec("own", "alice");

		assert_ok(key_import(CALL, &spec, 0, NAME(octets), NULL));
		assert_err(key_import(CALL, &spec, 0, NAME(octets), NULL),
		    ERR_NAME_TAKEN);
		spec = key_rig_spec("all", "");
		assert_ok(key_import(CALL, &spec, 0, NAME(octets), NULL));
	}
	assert_ok(key_find(CALL, &alice, 1, NAME("own"), &key));
	assert_err(key_find(CALL, &bob, 1, NAME("own"), &key), ERR_NOT_FOUND);
	assert_ok(key_find(CALL, &global, 1, NAME("all"), &key));
	assert_ok(key_find(CALL, &alice, 1, NAME("own"), &key));
	assert_ok(key_info(CALL, key, &info));
	assert_true(info.exportable);
	assert_true(info.deletable);
	assert_ok(key_modify(CALL, key, &change));
	key = key_rig_find(&rig, "own");
	assert_ok(key_info(CALL, key, &info));
	assert_false(info.exportable);
	assert_false(info.deletable);
}

/* ---- the life cycle, which is KMIP's ---- */

/* req: KS-28-012 KS-28-013 KS-28-236 KS-28-241 */
static void
test_the_life_cycle_has_no_effect_here(void **state)
{
	struct key_spec spec = key_rig_spec("k", "alice");
	const struct object *key;
	struct key_material material;

	(void)state;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_int_equal(object_state(key), STATE_ACTIVE);
	assert_err(key_set_state(CALL, key, STATE_ACTIVE), ERR_LIFECYCLE);
	assert_err(key_set_state(CALL, key, STATE_PRE_ACTIVE), ERR_LIFECYCLE);
	assert_ok(key_set_state(CALL, key, STATE_DEACTIVATED));
	key = key_rig_find(&rig, "k");
	assert_int_equal(object_state(key), STATE_DEACTIVATED);
	assert_ok(key_bytes(CALL, key, 0, &material));
	assert_err(key_set_state(CALL, key, STATE_ACTIVE), ERR_LIFECYCLE);
	spec.name = NAME("v");
	spec.versioned = true;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_err(
	    key_set_state(CALL, key, STATE_DEACTIVATED), ERR_OBJECT_TYPE);
	assert_err(
	    key_set_date(CALL, key, TAG_DEACTIVATION_DATE, 1), ERR_OBJECT_TYPE);
}

/* req: ESKM-159 ESKM-160 */
static void
test_an_expiry_date_is_kept_and_does_nothing(void **state)
{
	struct key_attribute expires = {
	    .name = NAME("Expires"), .value = NAME("2026-01-06 00:00:00")};
	struct key_spec spec = key_rig_spec("k", "alice");
	char why[CHANGE_WHY_OCTETS];
	struct key_material material;
	struct key_attribute *told;
	const struct object *key;
	size_t count;

	(void)state;
	assert_ok(key_attribute_name_create(
	    STORE, NAME("Expires"), NAME("rekey then"), KEY_DATE, why));
	spec.attributes = &expires;
	spec.attribute_count = 1;
	assert_ok(key_create(CALL, &spec, NULL, NULL));
	env_set_wall_s(rig.bench.rig.env, KEY_RIG_WALL_S + 30 * 24 * 3600);
	assert_ok(store_tick(STORE, env_wall_s(rig.bench.rig.env)));
	key = key_rig_find(&rig, "k");
	assert_ok(key_attributes(CALL, key, &told, &count));
	assert_text(told[0].value, "2026-01-06 00:00:00");
	assert_ok(key_bytes(CALL, key, 0, &material));
	assert_int_equal(object_state(key), STATE_ACTIVE);
}

/* req: KS-28-133 KS-28-157 */
static void
test_an_index_stays_with_its_attribute(void **state)
{
	struct key_attribute groups[] = {
	    {.name = NAME("Object Group"), .value = NAME("a")},
	    {.name = NAME("Object Group"), .value = NAME("b")},
	    {.name = NAME("Object Group"), .value = NAME("c")}};
	struct key_spec spec = key_rig_spec("k", "alice");
	struct key_attribute *told;
	const struct object *key;
	size_t count;
	size_t k;

	(void)state;
	spec.attributes = groups;
	spec.attribute_count = 3;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_ok(key_attribute_edit(
	    CALL, key, NAME("Object Group"), 1, NAME("new")));
	key = key_rig_find(&rig, "k");
	assert_ok(
	    key_attribute_edit(CALL, key, NAME("Object Group"), 0, BYTES_NONE));
	key = key_rig_find(&rig, "k");
	assert_err(
	    key_attribute_edit(CALL, key, NAME("Object Group"), 0, NAME("x")),
	    ERR_ATTR_INSTANCE);
	assert_ok(key_attributes(CALL, key, &told, &count));
	assert_int_equal(count, 2);
	for (k = 0; k < count; k++)
		assert_text(told[k].value, told[k].index == 1 ? "new" : "c");
}

/* ---- what is left of a deleted key ---- */

static bool
file_has(const char *name, struct bytes octets)
{
	char path[300];
	uint8_t *all;
	size_t got;
	bool has;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", rig.bench.dir, name);
	f = fopen(path, "rb");
	if (f == NULL)
		return false;
	all = calloc(1, 4 << 20);
	assert_non_null(all);
	got = fread(all, 1, 4 << 20, f);
	assert_int_equal(fclose(f), 0);
	has = memmem(all, got, octets.at, octets.octets) != NULL;
	free(all);
	return has;
}

/* req: KS-38-043 KS-28-034 KS-28-308 VLT-081 */
static void
test_nothing_is_left_of_a_deleted_key(void **state)
{
	struct key_spec spec = key_rig_spec("k", "alice");
	const struct object *key;
	struct bytes sealed;
	uint8_t copy[64];
	unsigned deleted;

	(void)state;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	/* the end of the sealed octets, its tag among them */
	memcpy(copy, key->value.at + key->value.octets - sizeof(copy),
	    sizeof(copy));
	sealed = (struct bytes){copy, sizeof(copy)};
	for (deleted = 0; deleted < 2; deleted++) {
		if (deleted != 0)
			assert_ok(key_delete(CALL, key_rig_find(&rig, "k")));
		/* what the log has gathered is in the file then */
		store_close(STORE);
		bench_open(&rig.bench);
		assert_int_equal(file_has("store.db", sealed), deleted == 0);
		assert_false(file_has("store.db-wal", sealed));
	}
	assert_false(key_rig_has(&rig, "k"));
	/* the same name is another key */
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_memory_not_equal(
	    key->value.at + key->value.octets - sizeof(copy), copy,
	    sizeof(copy));
}

/* ---- lists ---- */

static enum err
take_name(void *ctx, const struct object *key)
{
	char *names_told = ctx;
	struct key_info info;

	assert_ok(key_info(CALL, key, &info));
	(void)snprintf(names_told + strlen(names_told),
	    256 - strlen(names_told), "%.*s ", (int)info.name.octets,
	    (const char *)info.name.at);
	return OK;
}

static void
test_lists_are_of_scopes_the_newest_first(void **state)
{
	struct bytes scopes[] = {NAME("alice"), NAME("")};
	struct key_list list = {
	    .scopes = scopes, .scope_count = 2, .count_all = true};
	struct key_list all = {.most = 2, .offset = 1, .count_all = true};
	const char *const made_by[][2] = {
	    {"a1", "alice"}, {"b1", "bob"}, {"g1", ""}, {"a2", "alice"}};
	char told[256] = "";
	size_t count;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(made_by); k++) {
		struct key_spec spec =
		    key_rig_spec(made_by[k][0], made_by[k][1]);

		spec.versioned = true;
		assert_ok(key_create(CALL, &spec, NULL, NULL));
	}
	assert_ok(key_each(CALL, &list, take_name, told, &count));
	assert_string_equal(told, "a2 g1 a1 ");
	assert_int_equal(count, 3);
	told[0] = '\0';
	assert_ok(key_each(CALL, &all, take_name, told, &count));
	assert_string_equal(told, "g1 b1 ");
	assert_int_equal(count, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	    TEST(test_every_algorithm_makes_a_key),
	    TEST(test_seed_has_to_be_activated),
	    TEST(test_an_rsa_key_needs_its_pair),
	    TEST(test_names_follow_the_rule_and_are_nobody_elses),
	    TEST(test_a_key_without_a_name_gets_one),
	    TEST(
		test_what_can_be_imported_comes_back_and_nothing_else_is_taken),
	    TEST(test_the_public_half_is_all_that_is_downloaded),
	    TEST(test_a_global_key_has_no_permissions),
	    TEST(test_a_key_is_changed_whole_or_not_at_all),
	    TEST(test_names_of_attributes),
	    TEST(test_values_have_the_type_of_their_name),
	    TEST(test_how_many_attributes_a_key_has),
	    TEST(test_attributes_are_set_and_taken_away),
	    TEST(test_a_template_is_metadata_alone),
	    TEST(test_a_template_names_any_algorithm),
	    TEST(test_a_template_is_somebodys_and_lends_its_permissions),
	    TEST(test_an_imported_key_is_whose_it_is_said_to_be),
	    TEST(test_the_life_cycle_has_no_effect_here),
	    TEST(test_an_expiry_date_is_kept_and_does_nothing),
	    TEST(test_an_index_stays_with_its_attribute),
	    TEST(test_nothing_is_left_of_a_deleted_key),
	    TEST(test_lists_are_of_scopes_the_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
