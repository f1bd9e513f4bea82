#include "crypto/keyuse.h"

#include <sys/wait.h>
#include <unistd.h>

#include "crypto/hex_test.h"
#include "crypto/keygen.h"
#include "crypto/ossl.h"

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	return ossl_init() != OK || arena_new(1 << 24, &arena) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define ALG(a) CRYPTOGRAPHIC_ALGORITHM_##a

/* ---- one after another ---- */

static struct keyuse_order
order_of(enum transform_action action, const char *name)
{
	struct keyuse_order order = {.action = action, .activated = true};

	if (transform_find(action, bytes_of_text(name), &order.transform) != OK)
		fail_msg("no transformation %s", name);
	order.key_algorithm = order.transform->algorithm;
	return order;
}

/*
 * The whole of it, the data in pieces of that size. Torture refuses memory in
 * any call: ERR_NOMEM comes back like any other answer.
 */
static enum err
run(const struct keyuse_order *order, struct bytes in, size_t piece_octets,
    struct bytes value, struct bytes *out, bool *right)
{
	struct keyuse *use = NULL;
	struct fault f = {{0}};
	struct bytes piece;
	uint8_t *room;
	size_t octets, made = 0;
	enum err rc = OK;

	assert_int_equal(
	    ARENA_ARRAY(arena, room,
		in.octets + KEYUSE_BLOCK_OCTETS + KEYUSE_END_OCTETS),
	    OK);
	TRY(keyuse_new(order, &f, &use));
	while (in.octets != 0) {
		TRY(bytes_split(&in,
		    in.octets < piece_octets ? in.octets : piece_octets,
		    &piece));
		TRY(keyuse_update(use, piece, room + made, &octets));
		made += octets;
	}
	if (right != NULL) {
		TRY(keyuse_verify(use, value, right));
	} else {
		TRY(keyuse_end(use, room + made, &octets));
		made += octets;
	}
	if (out != NULL)
		*out = (struct bytes){room, made};
out:
	keyuse_free(use);
	return rc;
}

static const size_t pieces[] = {1, 7, 16, 1 << 20};

/* ---- known answers ---- */

/*
 * AES: SP 800-38A appendix F.1 and F.2. DES: FIPS 81 appendices B and C. TDEA:
 * SP 800-67 appendix B. RC4: RFC 6229 section 2, the keystream's first octets.
 * SEED: RFC 4269 appendix B.
 */
/* clang-format off */
#define F_PLAIN \
	"6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51" \
	"30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710"
#define F_IV "000102030405060708090a0b0c0d0e0f"
#define F_128 "2b7e151628aed2a6abf7158809cf4f3c"
#define F_192 "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
#define F_256 "603deb1015ca71be2b73aef0857d7781" \
	      "1f352c073b6108d72d9810a30914dff4"
#define NOW_IS "4e6f77206973207468652074696d6520666f7220616c6c20"

static const struct {
	const char *name;
	const char *key;
	const char *iv;
	const char *plain;
	const char *coded;
} ciphers[] = {
	{ "AES/ECB/NoPadding", F_128, "", F_PLAIN,
	  "3ad77bb40d7a3660a89ecaf32466ef97 f5d3d58503b9699de785895a96fdbaaf"
	  "43b1cd7f598ece23881b00e3ed030688 7b0c785e27e8ad3f8223207104725dd4" },
	{ "AES/ECB/NoPadding", F_192, "", F_PLAIN,
	  "bd334f1d6e45f25ff712a214571fa5cc 974104846d0ad3ad7734ecb3ecee4eef"
	  "ef7afd2270e2e60adce0ba2face6444e 9a4b41ba738d6c72fb16691603c18e0e" },
	{ "AES/ECB/NoPadding", F_256, "", F_PLAIN,
	  "f3eed1bdb5d2a03c064b5a7e3db181f8 591ccb10d410ed26dc5ba74a31362870"
	  "b6ed21b99ca6f4f9f153e7b1beafed1d 23304b7a39f9f3ff067d8d8f9e24ecc7" },
	{ "AES/CBC/NoPadding", F_128, F_IV, F_PLAIN,
	  "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2"
	  "73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7" },
	{ "AES/CBC/NoPadding", F_192, F_IV, F_PLAIN,
	  "4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a"
	  "571b242012fb7ae07fa9baac3df102e0 08b0e27988598881d920a9e64f5615cd" },
	{ "AES/CBC/NoPadding", F_256, F_IV, F_PLAIN,
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d"
	  "39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b" },
	{ "DES/ECB/NoPadding", "0123456789abcdef", "", NOW_IS,
	  "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53" },
	{ "DES/CBC/NoPadding", "0123456789abcdef", "1234567890abcdef", NOW_IS,
	  "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6" },
	{ "DESede/ECB/NoPadding",
	  "0123456789abcdef23456789abcdef01456789abcdef0123", "",
	  "5468652071756663 6b2062726f776e20 666f78206a756d70",
	  "a826fd8ce53b855f cce21c8112256fe6 68d5c05dd9b6b900" },
	{ "RC4", "0102030405", "", "00000000000000000000000000000000",
	  "b2396305f03dc027ccc3524a0a1118a8" },
	{ "RC4", "0102030405060708090a0b0c0d0e0f10", "",
	  "00000000000000000000000000000000",
	  "9ac7cc9a609d1ef7b2932899cde41b97" },
	{ "SEED/ECB/NoPadding", "00000000000000000000000000000000", "", F_IV,
	  "5ebac6e0054e166819aff1cc6d346cdb" },
	{ "SEED/ECB/NoPadding", F_IV, "", "00000000000000000000000000000000",
	  "c11f22f20140505084483597e4370f43" },
};
/* clang-format on */

static void
ciphers_have_their_known_answers(void **state)
{
	struct keyuse_order order;
	struct bytes plain, coded, got;
	size_t k, p;

	(void)state;
	for (k = 0; k < LENGTH(ciphers); k++) {
		for (p = 0; p < LENGTH(pieces); p++) {
			plain = hex_read(arena, ciphers[k].plain);
			coded = hex_read(arena, ciphers[k].coded);
			order = order_of(ACTION_ENCRYPT, ciphers[k].name);
			order.key = hex_read(arena, ciphers[k].key);
			order.iv = hex_read(arena, ciphers[k].iv);
			assert_int_equal(run(&order, plain, pieces[p],
					     BYTES_NONE, &got, NULL),
			    OK);
			assert_string_equal(
			    hex_text(arena, got), hex_text(arena, coded));
			order.action = ACTION_DECRYPT;
			assert_int_equal(run(&order, coded, pieces[p],
					     BYTES_NONE, &got, NULL),
			    OK);
			assert_string_equal(
			    hex_text(arena, got), hex_text(arena, plain));
		}
		arena_reset(arena);
	}
}

/*
 * What has no vector of its own follows from one that has. CBC by hand: each
 * block with the one before. Two-key TDEA: the three keys K1, K2, K1.
 */
/* clang-format off */
static const struct {
	const char *algorithm;
	const char *key;
	size_t block;
} chained[] = {
	{ "AES",    F_192, 16 },
	{ "DESede", "0123456789abcdef23456789abcdef01", 8 },
	{ "DESede", "0123456789abcdef23456789abcdef01456789abcdef0123", 8 },
	{ "DES",    "0123456789abcdef", 8 },
	{ "SEED",   F_128, 16 },
};
/* clang-format on */

static struct keyuse_order
order_mode(const char *algorithm, const char *mode, const char *key)
{
	const char *name;
	struct keyuse_order order;

	assert_int_equal(
	    arena_printf(arena, &name, "%s/%s", algorithm, mode), OK);
	order = order_of(ACTION_ENCRYPT, name);
	order.key = hex_read(arena, key);
	return order;
}

static void
cbc_is_ecb_of_each_block_with_the_one_before(void **state)
{
	struct bytes plain, got, one, iv;
	struct keyuse_order ecb, cbc;
	uint8_t mixed[16];
	const uint8_t *before;
	size_t k, at, b;

	(void)state;
	for (k = 0; k < LENGTH(chained); k++) {
		plain = hex_read(arena, F_PLAIN);
		iv = (struct bytes){hex_read(arena, F_IV).at, chained[k].block};
		ecb = order_mode(
		    chained[k].algorithm, "ECB/NoPadding", chained[k].key);
		cbc = order_mode(
		    chained[k].algorithm, "CBC/NoPadding", chained[k].key);
		cbc.iv = iv;
		assert_int_equal(
		    run(&cbc, plain, 16, BYTES_NONE, &got, NULL), OK);
		assert_int_equal(got.octets, plain.octets);
		before = iv.at;
		for (at = 0; at < plain.octets; at += chained[k].block) {
			for (b = 0; b < chained[k].block; b++)
				mixed[b] = plain.at[at + b] ^ before[b];
			assert_int_equal(
			    run(&ecb, (struct bytes){mixed, chained[k].block},
				16, BYTES_NONE, &one, NULL),
			    OK);
			assert_memory_equal(
			    one.at, got.at + at, chained[k].block);
			before = got.at + at;
		}
		arena_reset(arena);
	}
}

static void
two_keys_of_tdea_are_three_with_the_first_again(void **state)
{
	struct bytes plain = hex_read(arena, F_PLAIN);
	struct keyuse_order two, three;
	struct bytes a, b;

	(void)state;
	two = order_mode(
	    "DESede", "ECB/NoPadding", "0123456789abcdef23456789abcdef01");
	three = order_mode("DESede", "ECB/NoPadding",
	    "0123456789abcdef23456789abcdef010123456789abcdef");
	assert_int_equal(run(&two, plain, 16, BYTES_NONE, &a, NULL), OK);
	assert_int_equal(run(&three, plain, 16, BYTES_NONE, &b, NULL), OK);
	assert_true(bytes_equal(a, b));
	arena_reset(arena);
}

/* spec: rfc-5652 6.3  as many octets as are missing, each their count; seen by
 * decrypting without */
static void
padding_fills_the_last_block(void **state)
{
	struct bytes plain, got, bare;
	struct keyuse_order order, look;
	size_t k, octets, pad, b;

	(void)state;
	for (k = 0; k < LENGTH(chained); k++) {
		order = order_mode(
		    chained[k].algorithm, "ECB/PKCS5Padding", chained[k].key);
		look = order_mode(
		    chained[k].algorithm, "ECB/NoPadding", chained[k].key);
		look.action = ACTION_DECRYPT;
		for (octets = 0; octets <= 33; octets++) {
			plain =
			    (struct bytes){hex_read(arena, F_PLAIN).at, octets};
			order.action = ACTION_ENCRYPT;
			assert_int_equal(
			    run(&order, plain, 5, BYTES_NONE, &got, NULL), OK);
			pad = chained[k].block - octets % chained[k].block;
			assert_int_equal(got.octets, octets + pad);
			assert_int_equal(
			    run(&look, got, 5, BYTES_NONE, &bare, NULL), OK);
			assert_memory_equal(bare.at, plain.at, octets);
			for (b = octets; b < bare.octets; b++)
				assert_int_equal(bare.at[b], pad);
			order.action = ACTION_DECRYPT;
			assert_int_equal(
			    run(&order, got, 5, BYTES_NONE, &bare, NULL), OK);
			assert_true(bytes_equal(bare, plain));
		}
		arena_reset(arena);
	}
}

/* RFC 2202 section 3 and RFC 4231 section 4, test cases 1 and 2 */
/* clang-format off */
#define B20 "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"
#define JEFE "4a656665"
#define WHAT "what do ya want for nothing?"

static const struct {
	const char *name;
	const char *key;
	const char *data;
	const char *mac;
} macs[] = {
	{ "HmacSHA1", B20, "Hi There",
	  "b617318655057264e28bc0b6fb378c8ef146be00" },
	{ "HmacSHA1", JEFE, WHAT, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ "HmacSHA256", B20, "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "HmacSHA256", JEFE, WHAT,
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "HmacSHA384", B20, "Hi There",
	  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	  "faea9ea9076ede7f4af152e8b2fa9cb6" },
	{ "HmacSHA512", B20, "Hi There",
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
};
/* clang-format on */

static void
macs_have_their_known_answers(void **state)
{
	struct keyuse_order order;
	struct bytes got, data;
	size_t k, p;

	(void)state;
	for (k = 0; k < LENGTH(macs); k++) {
		for (p = 0; p < LENGTH(pieces); p++) {
			order = order_of(ACTION_MAC, macs[k].name);
			order.key = hex_read(arena, macs[k].key);
			data = bytes_of_text(macs[k].data);
			assert_int_equal(run(&order, data, pieces[p],
					     BYTES_NONE, &got, NULL),
			    OK);
			assert_string_equal(hex_text(arena, got), macs[k].mac);
		}
	}
	arena_reset(arena);
}

/* ---- RSA ---- */

/*
 * Two keys, made with openssl genrsa; signatures and ciphertexts are python's,
 * by RFC 8017's formulas and pow().
 */
/* clang-format off */
#define KEY_512 \
	"3082013b020100024100b16b41ad512df17dd359ffef08fde35ecd992d7700" \
	"03b4b40bfefd4fb470d4384144c398f277161765049c609e2c71a6c526037c" \
	"a786999a9ade3a1236f6bcfb02030100010241008398fdff339eb368543386" \
	"8de40a85f314e7507cdb0ae4a743daa043d5a0771802ca05b1eef28fdc7f18" \
	"c55a9faecf08cae18018f138569e365d2fd7d2656e61022100d7f46b301001" \
	"d2688fb61a8e2562096f617db658504fa4b3e3e5211c5f1cab0b022100d251" \
	"81b3f67bb20f189a70827f65c7b907ba364e11b40d9a3f895c82d624ebd102" \
	"2100d77d7a07f7b119b864cf1e28817d1655223f435954aa647b6d0912c530" \
	"d3768902202c5d04fef0ff269008a08b1afbc47c5c8b44bc2fbb8c3f524a14" \
	"af6ee9bce0010220532124bad8151e78323a815cb1e25a944f9c792cb6121b" \
	"b91db54d542a4ac992"
#define KEY_1024 \
	"3082025f02010002818100c0144fb11aaa3c9a5d85936585f6a0c94bc54626" \
	"f95ea23089c38761ffc4cb0e6892871e7865b141f2faa210f485afd665f01c" \
	"5f3b330e2c3936a1b4ce860e7b2d06a944b8f5e3d251a004438e326ebe25d0" \
	"26e3f72ed069dcb87c8b9dd125130a6928ab22a020a3370f974373059c23e9" \
	"63079fb7fbd599e8dde50e4fb2bd8f020301000102818100ac9b5405d5ed77" \
	"2a4cb275833d0024fadf5136ba5d4b523a8602248dc73704363d78b75d8559" \
	"f5114b9538c03dcc48f84480a22e5dd7827bf12a0be49bd651f9860de9df30" \
	"4f17aa7ae5722d0c483e2e7587e565416add084e37fff031d5245daaba53ce" \
	"28ba7ded3d1c7331255831323c9fa3f01241b33a3cfb18616a268ad1024100" \
	"e3a41a9778200bf0a99f62bafd09c20bdfbab374a5a3070efb3449d6d76b67" \
	"daf77f4ef81357db75b1218f3532d0222bf99561b7ec6853582b4371ff3941" \
	"4da7024100d8021436499597a534cf926ad1c6170a172510afb8f756cf5bc4" \
	"2eea32efecd6fc787b57044ed81c9d1ab3f0f35ad5dd1e0a9d61eb69e4e7a4" \
	"696a4c3b941dd9024100c7750f73ae666defd5bff8d31c498383c1e9a5b9cc" \
	"33f7485224f399d230a2d4024dc314ac662bbd88917e183fc88c58799c40fd" \
	"d59f677f7690e6fe98dd363b024100d107d1ff66ddf84dcaf943bb531cda96" \
	"cd26f52ad757a30e2ec37e92ec8ff9256254452743e7f8825815cb23d49b86" \
	"71dfec6db8a0536d4c2c72468756f052a1024100cce7c543cd5ee74f4d9d9c" \
	"02b0074478cae1f148b0f245532fd558e6ffc67fc35435ea53f99895d4e4e3" \
	"8ed977390e18b0c819403c78c78ddb3022a28fab88bb"

static const struct {
	const char *name;
	const char *key;
	const char *value; /* for "Hi There" */
} signatures[] = {
	{ "SHA1withRSA", KEY_512,
	  "53ca6b0945b833db113997db6b3d165103bd3b5019358dd892f1dd3a0df7e7"
	  "0751bb6bc51103d259528116fae61148fa98f958119e9d86bee6d4f99c4859"
	  "e119" },
	{ "SHA256withRSA", KEY_512,
	  "9cd67522239495f490a4e535885b2b7ef77d47391872953d6447a2d2205d7c"
	  "b82ceb23694aeaac57b1e26d1237eadbc583a0ac1312da69b9809cf0777c88"
	  "2ca8" },
	{ "SHA384withRSA", KEY_1024,
	  "bf8ea63e1b661af88a95d16734b4096ad3ffc6c52a66111200d0456a0e5ff8"
	  "0db6378da8699e956b99a67f83a344c020c788d542d66c61f30c56932ba7da"
	  "8aa461f5e05470fd8c99e7330684865326f62fcd3c3c2c553526caace0bf1e"
	  "2d37f0629d8a9f5580cd66b8f78529185d2b5f584c70967d379844eb9a2d32"
	  "ebe15ba3" },
	{ "SHA512withRSA", KEY_1024,
	  "1a78f5affae72bfa6daebcd8508bfc3d288a3e1609405cdf24f2d41196a2e6"
	  "945ca051a07539a961beab3f2d7be63ba861b2b0acd6a49bf59862a8b915bc"
	  "b7e400d4e3afe990c12743970c987b78e780bfc802ee7c1a1280a655f47f1b"
	  "438165158f0692ffa5dd1215392dc3176c5c31f5be6eb53d61174254ca63ce"
	  "bd84e7ed" },
};

/* Under KEY_512. */
static const struct {
	const char *what;
	enum err want;
	const char *plain;
	const char *value;
} blocks[] = {
	{ "good", OK, "Hi There",
	  "7d1201e94ae22d8219f2301064ee6b27c40ec9188e3f136f3bd52b15d995bb"
	  "d7d8e70b494e7b3caabafe374fbbaf218bfc67f50962964a325de010a11376"
	  "e978" },
	{ "nothing in it", OK, "",
	  "61166f047090c08406cf05579f1c8fee7e49ae50c3f18d4dfdf70a383c4eb5"
	  "1a56365055d0622044d6b8c8e659a0c96fe2ce372f78b576f8588326cf8f98"
	  "a8cf" },
	{ "a signature's padding", ERR_DECRYPT, NULL,
	  "6047a08309676c81096563807e19d7a5198cc66297da55bb6344c4dee76834"
	  "355e4ae840430489546d3b7e77bc2754050e16a71a4e5cf0d119bd214a7fdf"
	  "9ef8" },
	{ "first octet not zero", ERR_DECRYPT, NULL,
	  "319d0b4bfe1bc16ea378a3c87dbd9eed9c80ce4bc9396b71dc091395067033"
	  "3f077c9c66a56e9643757ada75b735a4d961d1c85455fe482156a033b6c81c"
	  "4526" },
	{ "seven octets of padding", ERR_DECRYPT, NULL,
	  "556cd9a08af6580b1dc5a6b07a2264da8107dee3d541567475a7e9228bcf63"
	  "f32c71958cde481d83d33bb9c34993280bd82e4a0ce6d09e87a5ed9ff55247"
	  "8dae" },
	{ "padding without end", ERR_DECRYPT, NULL,
	  "5c74cb5f4719866ac4f7fede038224e88c8646d06e6bfd977332112d628886"
	  "d2b94222f2a2f4cb828451fbe5775fcd1f36b0479c0451c0f85167f2b1ccea"
	  "2759" },
	{ "as large as the modulus", ERR_DECRYPT, NULL,
	  "b16b41ad512df17dd359ffef08fde35ecd992d770003b4b40bfefd4fb470d4"
	  "384144c398f277161765049c609e2c71a6c526037ca786999a9ade3a1236f6"
	  "bcfb" },
	{ "an octet short", ERR_DECRYPT, NULL,
	  "7d1201e94ae22d8219f2301064ee6b27c40ec9188e3f136f3bd52b15d995bb"
	  "d7d8e70b494e7b3caabafe374fbbaf218bfc67f50962964a325de010a11376"
	  "e9" },
};
/* clang-format on */

static const struct keyparts *
rsa_read(const char *pkcs1)
{
	struct keyparts *parts;
	struct fault f;

	assert_int_equal(ARENA_NEW(arena, parts), OK);
	assert_int_equal(keyformat_read(KEY_FORMAT_TYPE_PKCS_1, true,
			     hex_read(arena, pkcs1), parts, &f),
	    OK);
	return parts;
}

/* The half that everybody may have. */
static const struct keyparts *
public_half(const struct keyparts *whole)
{
	struct keyparts *half;

	assert_int_equal(ARENA_NEW(arena, half), OK);
	half->algorithm = whole->algorithm;
	half->key_bits = whole->key_bits;
	half->modulus = whole->modulus;
	half->public_exponent = whole->public_exponent;
	return half;
}

static void
signatures_have_their_known_answers(void **state)
{
	struct bytes data = bytes_of_text("Hi There");
	struct keyuse_order order;
	struct keyparts *plain;
	struct bytes got, want;
	bool right;
	size_t k, p;

	(void)state;
	for (k = 0; k < LENGTH(signatures); k++) {
		for (p = 0; p < LENGTH(pieces); p++) {
			order = order_of(ACTION_SIGN, signatures[k].name);
			order.rsa = rsa_read(signatures[k].key);
			want = hex_read(arena, signatures[k].value);
			assert_int_equal(run(&order, data, pieces[p],
					     BYTES_NONE, &got, NULL),
			    OK);
			assert_string_equal(
			    hex_text(arena, got), hex_text(arena, want));

			order = order_of(ACTION_SIGNV, signatures[k].name);
			order.rsa = public_half(rsa_read(signatures[k].key));
			assert_int_equal(
			    run(&order, data, pieces[p], want, NULL, &right),
			    OK);
			assert_true(right);
		}
		/* n, e and d are enough */
		order = order_of(ACTION_SIGN, signatures[k].name);
		assert_int_equal(ARENA_NEW(arena, plain), OK);
		*plain = *rsa_read(signatures[k].key);
		plain->coefficient = BYTES_NONE;
		order.rsa = plain;
		assert_int_equal(
		    run(&order, data, 8, BYTES_NONE, &got, NULL), OK);
		assert_true(bytes_equal(got, want));
		arena_reset(arena);
	}
}

static void
rsa_decrypts_what_others_encrypted(void **state)
{
	struct keyuse_order order;
	struct bytes in, got, back;
	enum err rc;
	size_t k, p;

	(void)state;
	for (k = 0; k < LENGTH(blocks); k++) {
		for (p = 0; p < LENGTH(pieces); p++) {
			order = order_of(ACTION_DECRYPT, "RSA");
			order.rsa = rsa_read(KEY_512);
			in = hex_read(arena, blocks[k].value);
			rc = run(&order, in, pieces[p], BYTES_NONE, &got, NULL);
			if (rc != blocks[k].want)
				fail_msg(
				    "%s: %s", blocks[k].what, err_name(rc));
			if (rc != OK)
				continue;
			assert_true(bytes_equal_text(got, blocks[k].plain));
			order.action = ACTION_ENCRYPT;
			order.rsa = public_half(order.rsa);
			assert_int_equal(run(&order, got, pieces[p], BYTES_NONE,
					     &back, NULL),
			    OK);
			assert_int_equal(back.octets, 64);
			/* its padding is random */
			assert_false(bytes_equal(back, in));
			order.action = ACTION_DECRYPT;
			order.rsa = rsa_read(KEY_512);
			assert_int_equal(
			    run(&order, back, 64, BYTES_NONE, &got, NULL), OK);
			assert_true(bytes_equal_text(got, blocks[k].plain));
		}
	}
	arena_reset(arena);
}

/* The guide's shortest and longest, with keys of their own making. */
static void
rsa_of_512_bits_to_4096(void **state)
{
	static const uint32_t bits[] = {512, 1024, 4096};
	struct bytes data = bytes_of_text("attack at dawn");
	struct bytes coded, got;
	struct keyuse_order order;
	struct keygen_pair pair;
	struct keyparts parts;
	struct env *env;
	struct fault f;
	bool right;
	size_t k;

	(void)state;
	assert_int_equal(env_new(&env), OK);
	for (k = 0; k < LENGTH(bits); k++) {
		assert_int_equal(
		    keygen_pair_begin_short(&pair, env, ALG(RSA), bits[k], &f),
		    OK);
		assert_int_equal(keygen_pair_work(&pair), OK);
		assert_int_equal(keyformat_read(KEY_FORMAT_TYPE_PKCS_1, true,
				     secret_peek(pair.private_key), &parts, &f),
		    OK);
		order = order_of(ACTION_ENCRYPT, "RSA");
		order.rsa = &parts;
		assert_int_equal(
		    run(&order, data, 64, BYTES_NONE, &coded, NULL), OK);
		assert_int_equal(coded.octets, bits[k] / 8);
		order.action = ACTION_DECRYPT;
		assert_int_equal(
		    run(&order, coded, 64, BYTES_NONE, &got, NULL), OK);
		assert_true(bytes_equal(got, data));
		order = order_of(ACTION_SIGN, "SHA256withRSA");
		order.rsa = &parts;
		assert_int_equal(
		    run(&order, data, 64, BYTES_NONE, &coded, NULL), OK);
		order.action = ACTION_SIGNV;
		assert_int_equal(
		    run(&order, data, 64, coded, NULL, &right), OK);
		assert_true(right);
		keygen_pair_clear(&pair);
	}
	env_free(env);
	arena_reset(arena);
}

/* ---- what is refused ---- */

static void
a_value_that_differs_anywhere_is_wrong(void **state)
{
	struct bytes data = bytes_of_text("Hi There");
	struct keyuse_order order;
	struct bytes good;
	uint8_t *bad;
	bool right;
	size_t k, octet, octets;

	(void)state;
	for (k = 0; k < 2; k++) {
		if (k == 0) {
			order = order_of(ACTION_MACV, macs[0].name);
			order.key = hex_read(arena, macs[0].key);
			good = hex_read(arena, macs[0].mac);
		} else {
			order = order_of(ACTION_SIGNV, signatures[0].name);
			order.rsa = public_half(rsa_read(signatures[0].key));
			good = hex_read(arena, signatures[0].value);
		}
		assert_int_equal(run(&order, data, 3, good, NULL, &right), OK);
		assert_true(right);
		assert_int_equal(run(&order, bytes_of_text("Hi there"), 3, good,
				     NULL, &right),
		    OK);
		assert_false(right);
		assert_int_equal(ARENA_ARRAY(arena, bad, good.octets + 1), OK);
		for (octet = 0; octet < good.octets; octet++) {
			memcpy(bad, good.at, good.octets);
			bad[octet] ^= 0x01;
			assert_int_equal(
			    run(&order, data, 8,
				(struct bytes){bad, good.octets}, NULL, &right),
			    OK);
			assert_false(right);
		}
		/* one shorter, one longer, none */
		memcpy(bad, good.at, good.octets);
		for (octets = 0; octets <= good.octets + 1; octets++) {
			if (octets == good.octets)
				continue;
			assert_int_equal(
			    run(&order, data, 8, (struct bytes){bad, octets},
				NULL, &right),
			    OK);
			assert_false(right);
		}
	}
	arena_reset(arena);
}

/* Two blocks of AES, whose last octets say what follows the plaintext. */
/* clang-format off */
static const struct {
	const char *what;
	const char *plain; /* as it is encrypted, padding and all */
	size_t cut;
	enum err want;
} paddings[] = {
	{ "one octet of padding", "00112233445566778899aabbccddee01", 0, OK },
	{ "a block of it", "10101010101010101010101010101010", 0, OK },
	{ "none", "00112233445566778899aabbccddee00", 0, ERR_DECRYPT },
	{ "more than a block", "11111111111111111111111111111111", 0,
	  ERR_DECRYPT },
	{ "the first octet of it is another",
	  "00112233445566778899aabb03040404", 0, ERR_DECRYPT },
	{ "not a whole block", "00112233445566778899aabbccddee01", 1,
	  ERR_DECRYPT },
	{ "nothing at all", "", 0, ERR_DECRYPT },
};
/* clang-format on */

static void
whatever_does_not_decrypt_has_one_error(void **state)
{
	struct keyuse_order make, order;
	struct bytes coded, got;
	enum err rc;
	size_t k, p;

	(void)state;
	for (k = 0; k < LENGTH(paddings); k++) {
		make = order_mode("AES", "CBC/NoPadding", F_128);
		make.iv = hex_read(arena, F_IV);
		order = order_of(ACTION_DECRYPT, "AES/CBC/PKCS5Padding");
		order.key = make.key;
		order.iv = make.iv;
		assert_int_equal(run(&make, hex_read(arena, paddings[k].plain),
				     16, BYTES_NONE, &coded, NULL),
		    OK);
		coded.octets -= paddings[k].cut;
		for (p = 0; p < LENGTH(pieces); p++) {
			rc = run(
			    &order, coded, pieces[p], BYTES_NONE, &got, NULL);
			if (rc != paddings[k].want)
				fail_msg(
				    "%s: %s", paddings[k].what, err_name(rc));
		}
	}
	arena_reset(arena);
}

/* clang-format off */
static const struct {
	const char *name;
	const char *key;
	const char *iv;
	size_t good_octets;
	size_t bad_octets;
} lengths[] = {
	{ "AES/ECB/NoPadding", F_128, "", 32, 31 },
	{ "AES/CBC/NoPadding", F_256, F_IV, 16, 17 },
	{ "DES/ECB/NoPadding", "0123456789abcdef", "", 8, 7 },
	{ "DESede/CBC/NoPadding", "0123456789abcdef23456789abcdef01",
	  "0123456789abcdef", 24, 1 },
	{ "SEED/CBC/NoPadding", F_128, F_IV, 0, 8 },
};
/* clang-format on */

static void
blocks_that_nothing_pads_are_whole(void **state)
{
	struct bytes data = hex_read(arena, F_PLAIN);
	struct keyuse_order order;
	size_t k;
	int way;

	(void)state;
	for (k = 0; k < LENGTH(lengths); k++) {
		for (way = 0; way < 2; way++) {
			order =
			    order_of(way == 0 ? ACTION_ENCRYPT : ACTION_DECRYPT,
				lengths[k].name);
			order.key = hex_read(arena, lengths[k].key);
			order.iv = hex_read(arena, lengths[k].iv);
			data.octets = lengths[k].good_octets;
			assert_int_equal(
			    run(&order, data, 5, BYTES_NONE, NULL, NULL), OK);
			data.octets = lengths[k].bad_octets;
			assert_int_equal(
			    run(&order, data, 5, BYTES_NONE, NULL, NULL),
			    ERR_DATA_LENGTH);
		}
	}
	arena_reset(arena);
}

/* spec: rfc-8017 7.2.1  eleven octets less than the modulus; and data without
 * end is counted, not kept */
static void
rsa_encrypts_one_block(void **state)
{
	static const uint8_t data[100000];
	struct keyuse_order order = order_of(ACTION_ENCRYPT, "RSA");
	struct bytes got;

	(void)state;
	order.rsa = rsa_read(KEY_512);
	assert_int_equal(
	    run(&order, (struct bytes){data, 53}, 10, BYTES_NONE, &got, NULL),
	    OK);
	assert_int_equal(
	    run(&order, (struct bytes){data, 54}, 10, BYTES_NONE, &got, NULL),
	    ERR_DATA_LENGTH);
	assert_int_equal(run(&order, (struct bytes){data, sizeof(data)}, 999,
			     BYTES_NONE, &got, NULL),
	    ERR_DATA_LENGTH);
	order.action = ACTION_DECRYPT;
	assert_int_equal(run(&order, (struct bytes){data, sizeof(data)}, 999,
			     BYTES_NONE, &got, NULL),
	    ERR_DECRYPT);
	arena_reset(arena);
}

/* clang-format off */
static const struct {
	const char *what;
	enum transform_action action;
	const char *name;
	uint32_t key_algorithm;
	const char *key;
	const char *iv;
	enum err want;
} orders[] = {
	{ "the key is another cipher's", ACTION_ENCRYPT, "AES/ECB/NoPadding",
	  ALG(SEED), F_128, "", ERR_TRANSFORM },
	{ "its twin", ACTION_ENCRYPT, "AES/ECB/NoPadding", ALG(AES), F_128, "", OK },
	{ "the MAC's key has another digest", ACTION_MAC, "HmacSHA256",
	  ALG(HMAC_SHA1), F_128, "", ERR_TRANSFORM },
	{ "its twin", ACTION_MAC, "HmacSHA256", ALG(HMAC_SHA256), F_128, "", OK },
	{ "no RSA key", ACTION_SIGN, "SHA1withRSA", ALG(AES), F_128, "",
	  ERR_TRANSFORM },
	{ "no length of AES", ACTION_ENCRYPT, "AES/ECB/NoPadding", ALG(AES),
	  "0123456789abcdef", "", ERR_TRANSFORM },
	{ "no length of TDEA", ACTION_ENCRYPT, "DESede", ALG(3DES),
	  "0123456789abcdef", "", ERR_TRANSFORM },
	{ "no octets", ACTION_MAC, "HmacSHA1", ALG(HMAC_SHA1), "", "",
	  ERR_TRANSFORM },
	{ "an IV of another block", ACTION_ENCRYPT, "AES/CBC/NoPadding",
	  ALG(AES), F_128, "0123456789abcdef", ERR_IV },
	{ "its twin", ACTION_ENCRYPT, "AES/CBC/NoPadding", ALG(AES), F_128,
	  F_IV, OK },
	{ "no IV", ACTION_ENCRYPT, "AES/CBC/NoPadding", ALG(AES), F_128, "",
	  ERR_IV },
	{ "an IV in ECB", ACTION_DECRYPT, "AES/ECB/NoPadding", ALG(AES), F_128,
	  F_IV, ERR_IV },
	{ "an IV for RC4", ACTION_ENCRYPT, "RC4", ALG(RC4), F_128, F_IV, ERR_IV },
	{ "its twin", ACTION_ENCRYPT, "RC4", ALG(RC4), F_128, "", OK },
	{ "an IV for a MAC", ACTION_MAC, "HmacSHA1", ALG(HMAC_SHA1), F_128,
	  F_IV, ERR_IV },
};
/* clang-format on */

static void
orders_that_do_not_fit(void **state)
{
	struct bytes data = hex_read(arena, F_PLAIN);
	struct keyuse_order order;
	enum err rc;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(orders); k++) {
		order = order_of(orders[k].action, orders[k].name);
		order.key_algorithm = orders[k].key_algorithm;
		order.key = hex_read(arena, orders[k].key);
		order.iv = hex_read(arena, orders[k].iv);
		rc = run(&order, data, 64, BYTES_NONE, NULL, NULL);
		if (rc != orders[k].want)
			fail_msg("%s: %s", orders[k].what, err_name(rc));
	}
	arena_reset(arena);
}

/* A number that RSA keys of 4096 bits do not have room for. */
enum { LONG_OCTETS = 513 };

static void
rsa_keys_that_do_not_fit(void **state)
{
	static uint8_t ff[LONG_OCTETS];
	struct bytes data = bytes_of_text("Hi There");
	struct keyuse_order order;
	struct keyparts parts;
	bool right;

	(void)state;
	memset(ff, 0xff, sizeof(ff));
	/* a public key does not sign or decrypt, and verifies and encrypts */
	order = order_of(ACTION_SIGN, "SHA1withRSA");
	order.rsa = public_half(rsa_read(KEY_512));
	assert_int_equal(
	    run(&order, data, 8, BYTES_NONE, NULL, NULL), ERR_TRANSFORM);
	order = order_of(ACTION_DECRYPT, "RSA");
	order.rsa = public_half(rsa_read(KEY_512));
	assert_int_equal(
	    run(&order, data, 8, BYTES_NONE, NULL, NULL), ERR_TRANSFORM);
	order.action = ACTION_ENCRYPT;
	assert_int_equal(run(&order, data, 8, BYTES_NONE, NULL, NULL), OK);
	/* there is no room in 512 bits for what SHA-384 makes */
	order = order_of(ACTION_SIGN, "SHA384withRSA");
	order.rsa = rsa_read(KEY_512);
	assert_int_equal(
	    run(&order, data, 8, BYTES_NONE, NULL, NULL), ERR_TRANSFORM);
	order = order_of(ACTION_SIGNV, "SHA512withRSA");
	order.rsa = rsa_read(KEY_512);
	assert_int_equal(
	    run(&order, data, 8, data, NULL, &right), ERR_TRANSFORM);
	/* longer than 4096 bits, and an exponent longer than its modulus */
	order = order_of(ACTION_ENCRYPT, "RSA");
	parts = *rsa_read(KEY_512);
	order.rsa = &parts;
	parts.modulus = (struct bytes){ff, LONG_OCTETS};
	parts.key_bits = 8 * LONG_OCTETS;
	assert_int_equal(
	    run(&order, data, 8, BYTES_NONE, NULL, NULL), ERR_TRANSFORM);
	parts = *rsa_read(KEY_512);
	parts.private_exponent = (struct bytes){ff, 65};
	assert_int_equal(
	    run(&order, data, 8, BYTES_NONE, NULL, NULL), ERR_TRANSFORM);
	parts = *rsa_read(KEY_512);
	assert_int_equal(run(&order, data, 8, BYTES_NONE, NULL, NULL), OK);
	/* numbers that are no key: nothing comes out */
	order = order_of(ACTION_SIGN, "SHA1withRSA");
	order.rsa = &parts;
	ff[63] = 0xfe;
	parts.modulus = (struct bytes){ff, 64};
	assert_int_equal(
	    run(&order, data, 8, BYTES_NONE, NULL, NULL), ERR_CRYPTO);
	arena_reset(arena);
}

static void
seed_only_where_it_is_activated(void **state)
{
	struct keyuse_order order = order_of(ACTION_ENCRYPT, "SEED");
	struct keyuse *use;
	struct fault f;

	(void)state;
	order.key = hex_read(arena, F_128);
	order.activated = false;
	assert_int_equal(keyuse_new(&order, &f, &use), ERR_FEATURE);
	assert_null(use);
	assert_string_equal(
	    f.text, "SEED/ECB/PKCS5Padding: not feature-activated");
	/* what is not SEED does not ask */
	order = order_of(ACTION_ENCRYPT, "AES");
	order.key = hex_read(arena, F_128);
	order.activated = false;
	assert_int_equal(keyuse_new(&order, &f, &use), OK);
	keyuse_free(use);
	arena_reset(arena);
}

/* ---- how long it takes ---- */

static bool
is_slow(
    enum transform_action action, const char *name, const struct keyparts *rsa)
{
	struct keyuse_order order = order_of(action, name);
	struct keyuse *use;
	struct fault f;
	bool slow;

	order.rsa = rsa;
	order.key = hex_read(arena, F_128);
	assert_int_equal(keyuse_new(&order, &f, &use), OK);
	slow = keyuse_is_slow(use);
	keyuse_free(use);
	return slow;
}

static void
only_private_keys_are_slow(void **state)
{
	const struct keyparts *whole = rsa_read(KEY_1024);
	struct keyparts odd = *whole;

	(void)state;
	assert_true(is_slow(ACTION_SIGN, "RSA", whole));
	assert_true(is_slow(ACTION_DECRYPT, "RSA", whole));
	assert_false(is_slow(ACTION_SIGNV, "RSA", whole));
	assert_false(is_slow(ACTION_ENCRYPT, "RSA", whole));
	assert_false(is_slow(ACTION_ENCRYPT, "AES", NULL));
	assert_false(is_slow(ACTION_MAC, "HmacSHA1", NULL));
	/* a public exponent as long as the modulus */
	odd.public_exponent = odd.private_exponent;
	assert_true(is_slow(ACTION_ENCRYPT, "RSA", &odd));
	arena_reset(arena);
}

/* ---- a machine without the legacy provider ---- */

/* Before anything else here, in a process of its own: OpenSSL looks for it
 * once. */
static int
without_legacy(void)
{
	struct keyuse_order order = {.action = ACTION_ENCRYPT};
	static const uint8_t key[16] = {1};
	struct fault f = {{0}};
	struct keyuse *use;

	/* make torture is at the tests of the other process */
	if (unsetenv("TORTURE_NTH") != 0)
		return 6;
	if (setenv("OPENSSL_MODULES", "/nowhere", 1) != 0 || ossl_init() != OK)
		return 1;
	if (transform_find(
		ACTION_ENCRYPT, bytes_of_text("RC4"), &order.transform) != OK)
		return 2;
	order.key_algorithm = order.transform->algorithm;
	order.key = (struct bytes){key, sizeof(key)};
	if (keyuse_new(&order, &f, &use) != ERR_FEATURE ||
	    strcmp(f.text, "RC4: OpenSSL has no RC4 on this machine") != 0)
		return 3;
	if (transform_find(
		ACTION_ENCRYPT, bytes_of_text("AES"), &order.transform) != OK)
		return 4;
	order.key_algorithm = order.transform->algorithm;
	if (keyuse_new(&order, &f, &use) != OK)
		return 5;
	keyuse_free(use);
	return 0;
}

static int
status_of(int (*check)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(check());
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int status_without_legacy;

static void
without_the_legacy_provider_the_rest_works(void **state)
{
	(void)state;
	assert_int_equal(status_without_legacy, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_the_legacy_provider_the_rest_works),
	    cmocka_unit_test(ciphers_have_their_known_answers),
	    cmocka_unit_test(cbc_is_ecb_of_each_block_with_the_one_before),
	    cmocka_unit_test(two_keys_of_tdea_are_three_with_the_first_again),
	    cmocka_unit_test(padding_fills_the_last_block),
	    cmocka_unit_test(macs_have_their_known_answers),
	    cmocka_unit_test(signatures_have_their_known_answers),
	    cmocka_unit_test(rsa_decrypts_what_others_encrypted),
	    cmocka_unit_test(rsa_of_512_bits_to_4096),
	    cmocka_unit_test(a_value_that_differs_anywhere_is_wrong),
	    cmocka_unit_test(whatever_does_not_decrypt_has_one_error),
	    cmocka_unit_test(blocks_that_nothing_pads_are_whole),
	    cmocka_unit_test(rsa_encrypts_one_block),
	    cmocka_unit_test(orders_that_do_not_fit),
	    cmocka_unit_test(rsa_keys_that_do_not_fit),
	    cmocka_unit_test(seed_only_where_it_is_activated),
	    cmocka_unit_test(only_private_keys_are_slow),
	};

	status_without_legacy = status_of(without_legacy);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
