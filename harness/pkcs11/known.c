/*
 * The table is of three sources: NIST's, the IETF's and the GCM authors' own
 * examples, by the names they have there; answers of an independent library
 * (OpenSSL 3.0) to the RSA key that RFC 9500 publishes for tests; and for
 * padding, which has no published example, the same library's.
 */
#include "known.h"

#include <string.h>

#include "buf.h"
#include "die.h"

#define HIST "pkcs11-hist-2.40 " /* mechanisms left to history */
#define OF(mechanism, where, what, with)                                       \
	.name = #mechanism, .type = mechanism, .clause = where, .kinds = what, \
	.key = with

/* testRSA2048, RFC 9500 section 2.1 */
static const char rsa_modulus[] =
    "b0f9e81943a7ae9892aade17ca7c40f8744fed2f8148e6c8eaa27b7d001548fb"
    "5192ab28b56c5060b118ccd131e594874c6ca989b56c27296f09fb93a034df32"
    "e97c6ff0998cfd8e6f42dda58acd1fa97986f144f3d154d67650175e6854b3a9"
    "52003bc06887b8455ac2b19f7b2f76504ebc98ec945571b07892150ddc6a74ca"
    "0fbcd35497ce81534daf9418844b13aea31f9d5a6b9557bbdf619efd4e887f2d"
    "42b8dd8bc987eae1bf89cab85ee21e356305df6c07a8838e3ef41c595dcce43d"
    "afc49123ef4d8abba93d3905e4028d7ba91484a27596e07b4b6ed992f077b524"
    "d3dcfe7ddd5549be7cce8da035cfa0b3fb8f9e46f732b2a86b460165c08f5313";

static const char rsa_private_exponent[] =
    "41188b20cfdbdbc2cf1ffe752dcbaa723906352e2615d49dce80597fcf0a0540"
    "3bef00fa065182f72decfb596f4b0ce8ff5970baf07a89a519ecc816b2f4ffac"
    "5069af1b06bfef7bf6bcd79e4e81c8c5a3a7d9130dc3cfbadae5f6d288f9aee3"
    "f6ff92fae0f81af597bec96ae9fab9402cd5fe41f705bebdb47bb736d3fe6c5a"
    "51e0e20732a97b5e46c1cbdb26d74854c6b6604aed463735ff9076046557caf9"
    "49bf448895c20432c1e09c014ea75660434f1a0f3be294babc5d530e6a10213f"
    "53b60375fc84a7573f2af1215584f5b4bda6d4e8f9e17a78d97e77b86da4a184"
    "6475318a7a10a561014effa23a81ec56e9e4109def8cb3f797223f7d8d0d4351";

static const char rsa_prime_1[] =
    "dd105702382f232b3681f53791e22617c7bf4e9acb81ed48daf6d6995da3eab6"
    "42839aff012d2ea628b90af279fd3e6f7c93cd80f072f01ff2443b3ee8f24ed4"
    "69a79613a41bd24020f92fd11059bd1d0f301b5ba7a9d3637ca8d65c1a981541"
    "7d8eab734b0b4f3a2c661d9a1a82f3ac734c40530669ab8e473045a58e65539d";

static const char rsa_prime_2[] =
    "ccf1e5bb90c8e9781ea75bebf10bc252e11eb023a0260f1887552a56863f4a64"
    "21e8c600bf523d6cb1b0adbdd65bfee4a88a037e3d1a415e5bb95648da5a0ca2"
    "6b54f4a63948522c3d5f89b94a72efff95134d5940ce45758f30898090895658"
    "8eef575b3e4bc4c368cfe813ee9c252c2b02e0df91f1aa01938d38685d60ba6f";

static const char rsa_exponent_1[] =
    "09ed54eaed98f84c557b4a86bf4f578493dcbc6be91da189370404a9087276f4"
    "ce51d8a100ed857dc2b0649474f3f15cd24c54db287110e56e5cb008682f9168"
    "aa81f31458b7431ecc1c44906fda87ca894710c371e9076c1d49fbae51276934"
    "f2ad787789f42d0fa0b4c939855d4212096f70280a4eae7c8a27d9c8d0772e65";

static const char rsa_exponent_2[] =
    "8cb6857a7bd5465f80047e9b87bc002731840581e0626139012a5b505f0a3384"
    "7eb7b8c3289949ad486f3b4b3d539ab5da763021cbc82c1ba234a5668ded0801"
    "b859f343f1ce9304e6faa2b002cad9b78cde5cdc2c1fb4171c42421670a6ab0f"
    "50cc4a194eb36d1c91e935ba01b959d8728b9e64426b3fc3a7506deb5239a8a7";

static const char rsa_coefficient[] =
    "0a81d8a618314a803af61c06711f2c39b266ff414d53476d1da52a4318aafe4b"
    "96f0da07155f8a5134dab88ee29e8168076fcd78ca791ac63442a81cd0693927"
    "d808e335e8d8cbf2121907509a57759b4f9a18fa3a7b333779edde7a459384f8"
    "444adaecffec95fd552b0cfcb6c7f692626dde1ef268a40d2f67b5c8aa387ff7";

/* clang-format off */
/*
 * What the examples have in common. SP 800-38A's keys and its message of four
 * blocks, which SP 800-38B cuts short:
 */
#define AES_KEY_128 "2b7e151628aed2a6abf7158809cf4f3c"
#define AES_KEY_192 "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
#define AES_KEY_256 \
	"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
#define ONE_BLOCK "6bc1bee22e409f96e93d7e117393172a"
#define TWO_AND_A_HALF_BLOCKS \
	ONE_BLOCK "ae2d8a571e03ac9c9eb76fac45af8e51" \
	"30c81c46a35ce411"
#define TWO_AND_THREE_QUARTERS TWO_AND_A_HALF_BLOCKS "e5fbc119"
#define FOUR_BLOCKS \
	TWO_AND_A_HALF_BLOCKS "e5fbc1191a0a52ef" \
	"f69f2445df4f9b17ad2b417be66c3710"
#define COUNTED_16 "000102030405060708090a0b0c0d0e0f"
#define FIRST_COUNTER "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

#define DES3_KEY "8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5"
#define DES3_KEY_2 "0123456789abcdef23456789abcdef01456789abcdef0123"

/* The GCM authors' tests 4 and 16 */
#define GCM_AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_PLAIN \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"

/* FIPS 180: two blocks of 512 bits, and of 1024 */
#define FIPS180_56_OCTETS \
	"6162636462636465636465666465666765666768666768696768696a68696a6b" \
	"696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f6d6e6f706e6f7071"
#define FIPS180_112_OCTETS \
	"61626364656667686263646566676869636465666768696a6465666768696a6b" \
	"65666768696a6b6c666768696a6b6c6d6768696a6b6c6d6e68696a6b6c6d6e6f" \
	"696a6b6c6d6e6f706a6b6c6d6e6f70716b6c6d6e6f7071726c6d6e6f70717273" \
	"6d6e6f70717273746e6f707172737475"

/* Key and message of RFC 4231's tests 1, 2 and 6; RFC 2202 has the first two. */
#define HI_THERE \
	.key_hex = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", \
	.in = "4869205468657265"
#define JEFE \
	.key_hex = "4a656665", \
	.in = "7768617420646f2079612077616e7420666f72206e6f7468696e673f"
#define LONG_KEY \
	.key_hex = \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	    "aaaaaa", \
	.in = \
	    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a" \
	    "65204b6579202d2048617368204b6579204669727374"

/* With the key of RFC 9500: a block of its size; SHA-256 of "abc", signed */
#define RSA_BLOCK \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"00000000000000000000000000000000000102030405060708090a0b0c0d0e0f"
#define SHA256_ABC_SIGNED \
	"4cf6cb1dbc0a039e38f8b37971554b53dd84f3aaefdaa431651446586669576e" \
	"ec17c26a7b48b60c7e9460abc1a482b702e4818ffecf9353ba8658e1d96dc7f5" \
	"32bef86efaa5300bcc89db7d49fb7b6ca333c2b8ee74f4f8badde1030f03166a" \
	"c3b82ca6e585c0a574c8fdd39b8b30453b0c143cd928b20d6df3f685d698e9b4" \
	"cbddfc439959291dae9c32fbf73ccc1f84daf698c68ce961425d23ed1667c692" \
	"37b2facd327b0fcbc9b6a3406d3d672783ee8e52686b1b97627c429fb1037d3e" \
	"aa97df6712a13f3b6b9bf30f6ec051142509b2df43f5c75c11f31b2366969bfa" \
	"9c8fc91529a1502dd5ad1067d23ba29732d25b93939281de7b62a54da9e6e358"
#define SHA256_ABC_PSS \
	"23094ce89f708c95005f10586fc6b0967c9d5cd7e73874f34cb5d35a5388bbdc" \
	"b483eb4812ff498017e7ed91ab57c5362d28e0ccf966afd3c397dfb21c091a15" \
	"bf2a9b6b4793a2cf2ff1db495b5e3ce0d5c7e0792296e34eabfa1d6a00cd39d3" \
	"5f93659056e91a5ab3fca32d8c76b8cd833f16714785c0480669e5cb1cbd97fe" \
	"483e26315372c85b447fa1cbb38f895b1bec32266687d610b9e517bdc32c489d" \
	"3aeade9428720d48311c04613bbc11619c5eb093cd3fe039ac80c9a7655cc15b" \
	"1abcea132b6e4ebd36c76ca9fca1655bea257c8e826e0f8194267eaf4253a813" \
	"7296467e816cf421a2b5a1280d8c6f8ec74bbbd7e3dd5c7dfbc5d9845c7ed5a0"

/* Mechanisms of more than one example. */
#define AES_ECB \
	OF(CKM_AES_ECB, MECH "2.8.4", DO_CRYPT, KEY_AES), .block_octets = 16
#define AES_CBC \
	OF(CKM_AES_CBC, MECH "2.8.5", DO_CRYPT, KEY_AES), .block_octets = 16, \
	.param = PARAM_IV
#define AES_CBC_PAD \
	OF(CKM_AES_CBC_PAD, MECH "2.8.6", DO_CRYPT, KEY_AES), \
	.block_octets = 16, .pads = true, .param = PARAM_IV
#define AES_CTR \
	OF(CKM_AES_CTR, MECH "2.9", DO_CRYPT, KEY_AES), .param = PARAM_CTR
#define AES_GCM \
	OF(CKM_AES_GCM, MECH "2.11", DO_CRYPT, KEY_AES), .param = PARAM_GCM
#define AES_CMAC OF(CKM_AES_CMAC, MECH "2.12", DO_MAC, KEY_AES)
#define DES3_CMAC OF(CKM_DES3_CMAC, MECH "2.16", DO_MAC, KEY_DES3)
#define MD5 OF(CKM_MD5, HIST "2.9", DO_DIGEST, KEY_NONE)
#define SHA_1 OF(CKM_SHA_1, MECH "2.17", DO_DIGEST, KEY_NONE)
#define SHA224 OF(CKM_SHA224, MECH "2.18", DO_DIGEST, KEY_NONE)
#define SHA256 OF(CKM_SHA256, MECH "2.19", DO_DIGEST, KEY_NONE)
#define SHA384 OF(CKM_SHA384, MECH "2.20", DO_DIGEST, KEY_NONE)
#define SHA512 OF(CKM_SHA512, MECH "2.21", DO_DIGEST, KEY_NONE)
#define SHA_1_HMAC OF(CKM_SHA_1_HMAC, MECH "2.17", DO_MAC, KEY_GENERIC)
#define SHA224_HMAC OF(CKM_SHA224_HMAC, MECH "2.18", DO_MAC, KEY_GENERIC)
#define SHA256_HMAC OF(CKM_SHA256_HMAC, MECH "2.19", DO_MAC, KEY_GENERIC)
#define SHA384_HMAC OF(CKM_SHA384_HMAC, MECH "2.20", DO_MAC, KEY_GENERIC)
#define SHA512_HMAC OF(CKM_SHA512_HMAC, MECH "2.21", DO_MAC, KEY_GENERIC)
#define RSA_PKCS_OAEP \
	OF(CKM_RSA_PKCS_OAEP, MECH "2.1.8", DO_CRYPT, KEY_RSA), \
	.no_parts = true, .random_output = true, .param = PARAM_OAEP
#define RSA_PKCS(what) \
	OF(CKM_RSA_PKCS, MECH "2.1.6", what, KEY_RSA), .no_parts = true, \
	.most_octets = 245
#define RSA_X_509(what) \
	OF(CKM_RSA_X_509, MECH "2.1.12", what, KEY_RSA), .no_parts = true

const struct known knowns[] = {
	{AES_ECB, .source = "SP800-38A-F.1.1", .lives = true,
	    .key_hex = AES_KEY_128, .in = FOUR_BLOCKS,
	    .out =
	        "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
	        "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"},
	{AES_ECB, .source = "SP800-38A-F.1.3", .key_hex = AES_KEY_192,
	    .in = FOUR_BLOCKS,
	    .out =
	        "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"
	        "ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e"},
	{AES_ECB, .source = "SP800-38A-F.1.5", .key_hex = AES_KEY_256,
	    .in = FOUR_BLOCKS,
	    .out =
	        "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
	        "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"},
	{AES_CBC, .source = "SP800-38A-F.2.1", .lives = true,
	    .key_hex = AES_KEY_128, .iv = COUNTED_16, .in = FOUR_BLOCKS,
	    .out =
	        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
	        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"},
	{AES_CBC, .source = "SP800-38A-F.2.3", .key_hex = AES_KEY_192,
	    .iv = COUNTED_16, .in = FOUR_BLOCKS,
	    .out =
	        "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
	        "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"},
	{AES_CBC, .source = "SP800-38A-F.2.5", .key_hex = AES_KEY_256,
	    .iv = COUNTED_16, .in = FOUR_BLOCKS,
	    .out =
	        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
	        "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"},
	{AES_CBC_PAD, .source = "independent-128", .lives = true,
	    .key_hex = AES_KEY_128, .iv = COUNTED_16,
	    .in = TWO_AND_THREE_QUARTERS,
	    .out =
	        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
	        "adc9ed1fa38ee64d22143e172f240f95"},
	{AES_CBC_PAD, .source = "independent-256", .key_hex = AES_KEY_256,
	    .iv = COUNTED_16, .in = TWO_AND_THREE_QUARTERS,
	    .out =
	        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
	        "05edf84d13d2838b16f36e7907768020"},
	{AES_CTR, .source = "SP800-38A-F.5.1", .lives = true,
	    .key_hex = AES_KEY_128, .iv = FIRST_COUNTER, .in = FOUR_BLOCKS,
	    .out =
	        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
	        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
	{AES_CTR, .source = "SP800-38A-F.5.3", .key_hex = AES_KEY_192,
	    .iv = FIRST_COUNTER, .in = FOUR_BLOCKS,
	    .out =
	        "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"
	        "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050"},
	{AES_CTR, .source = "SP800-38A-F.5.5", .key_hex = AES_KEY_256,
	    .iv = FIRST_COUNTER, .in = FOUR_BLOCKS,
	    .out =
	        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
	        "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"},
	{AES_GCM, .source = "GCM-spec-test-4", .lives = true,
	    .key_hex = "feffe9928665731c6d6a8f9467308308",
	    .iv = "cafebabefacedbaddecaf888", .aad = GCM_AAD, .in = GCM_PLAIN,
	    .out =
	        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc"
	        "3221a5db94fae95ae7121a47"},
	{AES_GCM, .source = "GCM-spec-test-16",
	    .key_hex = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	    .iv = "cafebabefacedbaddecaf888", .aad = GCM_AAD, .in = GCM_PLAIN,
	    .out =
	        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece"
	        "0f4e1768cddf8853bb2d551b"},
	{AES_GCM, .source = "GCM-spec-test-1",
	    .key_hex = "00000000000000000000000000000000",
	    .iv = "000000000000000000000000", .aad = "", .in = "",
	    .out = "58e2fccefa7e3061367f1d57a4e7455a"},
	{AES_CMAC, .source = "SP800-38B-D.1-1", .key_hex = AES_KEY_128,
	    .in = "", .out = "bb1d6929e95937287fa37d129b756746"},
	{AES_CMAC, .source = "SP800-38B-D.1-2", .key_hex = AES_KEY_128,
	    .in = ONE_BLOCK, .out = "070a16b46b4d4144f79bdd9dd04a287c"},
	{AES_CMAC, .source = "SP800-38B-D.1-3", .lives = true,
	    .key_hex = AES_KEY_128, .in = TWO_AND_A_HALF_BLOCKS,
	    .out = "dfa66747de9ae63030ca32611497c827"},
	{AES_CMAC, .source = "SP800-38B-D.1-4", .key_hex = AES_KEY_128,
	    .in = FOUR_BLOCKS, .out = "51f0bebf7e3b9d92fc49741779363cfe"},
	{AES_CMAC, .source = "SP800-38B-D.3-1", .key_hex = AES_KEY_256,
	    .in = "", .out = "028962f61b7bf89efc6b551f4667d983"},
	{AES_CMAC, .source = "SP800-38B-D.3-2", .key_hex = AES_KEY_256,
	    .in = ONE_BLOCK, .out = "28a7023f452e8f82bd4bf28d8c37c35c"},
	{AES_CMAC, .source = "SP800-38B-D.3-3", .key_hex = AES_KEY_256,
	    .in = TWO_AND_A_HALF_BLOCKS,
	    .out = "aaf3d8f1de5640c232f5b169b9c911e6"},
	{AES_CMAC, .source = "SP800-38B-D.3-4", .key_hex = AES_KEY_256,
	    .in = FOUR_BLOCKS, .out = "e1992190549f6ed5696a2c056c315410"},
	{OF(CKM_DES3_ECB, MECH "2.15", DO_CRYPT, KEY_DES3), .source = "SP800-67-B.1",
	    .block_octets = 8, .lives = true, .key_hex = DES3_KEY_2,
	    .in = "54686520717566636b2062726f776e20666f78206a756d70",
	    .out = "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900"},
	{OF(CKM_DES3_CBC, MECH "2.15", DO_CRYPT, KEY_DES3), .source = "independent",
	    .block_octets = 8, .param = PARAM_IV, .lives = true,
	    .key_hex = DES3_KEY_2, .iv = "f69f2445df4f9b17",
	    .in = "54686520717566636b2062726f776e20666f78206a756d70",
	    .out = "a5c282bad0de3774becd2e04386b589fb5057d8552fc4336"},
	{OF(CKM_DES3_CBC_PAD, MECH "2.15", DO_CRYPT, KEY_DES3), .source = "independent",
	    .block_octets = 8, .pads = true, .param = PARAM_IV, .lives = true,
	    .key_hex = DES3_KEY_2, .iv = "f69f2445df4f9b17",
	    .in = "54686520717566636b2062726f776e20666f7820",
	    .out = "a5c282bad0de3774becd2e04386b589f8dcdd62feeb03805"},
	{DES3_CMAC, .source = "SP800-38B-D.4-1", .key_hex = DES3_KEY, .in = "",
	    .out = "b7a688e122ffaf95"},
	{DES3_CMAC, .source = "SP800-38B-D.4-2", .key_hex = DES3_KEY,
	    .in = "6bc1bee22e409f96", .out = "8e8f293136283797"},
	{DES3_CMAC, .source = "SP800-38B-D.4-3", .lives = true,
	    .key_hex = DES3_KEY,
	    .in = "6bc1bee22e409f96e93d7e117393172aae2d8a57",
	    .out = "743ddbe0ce2dc2ed"},
	{DES3_CMAC, .source = "SP800-38B-D.4-4", .key_hex = DES3_KEY,
	    .in = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	    .out = "33e6b1092400eae5"},
	{MD5, .source = "RFC1321-A.5-empty", .in = "",
	    .out = "d41d8cd98f00b204e9800998ecf8427e"},
	{MD5, .source = "RFC1321-A.5-abc", .in = "616263",
	    .out = "900150983cd24fb0d6963f7d28e17f72"},
	{SHA_1, .source = "FIPS180-empty", .in = "",
	    .out = "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	{SHA_1, .source = "FIPS180-abc", .in = "616263",
	    .out = "a9993e364706816aba3e25717850c26c9cd0d89d"},
	{SHA_1, .source = "FIPS180-two-blocks", .lives = true,
	    .in = FIPS180_56_OCTETS,
	    .out = "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
	{SHA224, .source = "FIPS180-empty", .in = "",
	    .out = "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"},
	{SHA224, .source = "FIPS180-abc", .in = "616263",
	    .out = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
	{SHA224, .source = "FIPS180-two-blocks", .in = FIPS180_56_OCTETS,
	    .out = "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525"},
	{SHA256, .source = "FIPS180-empty", .in = "",
	    .out = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{SHA256, .source = "FIPS180-abc", .in = "616263",
	    .out = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{SHA256, .source = "FIPS180-two-blocks", .lives = true,
	    .in = FIPS180_56_OCTETS,
	    .out = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{SHA384, .source = "FIPS180-empty", .in = "",
	    .out =
	        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
	        "274edebfe76f65fbd51ad2f14898b95b"},
	{SHA384, .source = "FIPS180-abc", .in = "616263",
	    .out =
	        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	        "8086072ba1e7cc2358baeca134c825a7"},
	{SHA384, .source = "FIPS180-two-blocks", .in = FIPS180_112_OCTETS,
	    .out =
	        "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
	        "fcc7c71a557e2db966c3e9fa91746039"},
	{SHA512, .source = "FIPS180-empty", .in = "",
	    .out =
	        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
	{SHA512, .source = "FIPS180-abc", .in = "616263",
	    .out =
	        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	{SHA512, .source = "FIPS180-two-blocks", .in = FIPS180_112_OCTETS,
	    .out =
	        "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	        "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
	{SHA_1_HMAC, .source = "RFC2202-3-test-1", HI_THERE,
	    .out = "b617318655057264e28bc0b6fb378c8ef146be00"},
	{SHA_1_HMAC, .source = "RFC2202-3-test-2", JEFE,
	    .out = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
	{SHA_1_HMAC, .source = "RFC2202-3-test-6",
	    .key_hex =
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    .in =
	        "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
	        "65204b6579202d2048617368204b6579204669727374",
	    .out = "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
	{SHA224_HMAC, .source = "RFC4231-4-test-1", HI_THERE,
	    .out = "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22"},
	{SHA224_HMAC, .source = "RFC4231-4-test-2", JEFE,
	    .out = "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
	{SHA224_HMAC, .source = "RFC4231-4-test-6", LONG_KEY,
	    .out = "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e"},
	{SHA256_HMAC, .source = "RFC4231-4-test-1", HI_THERE,
	    .out = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{SHA256_HMAC, .source = "RFC4231-4-test-2", JEFE,
	    .out = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{SHA256_HMAC, .source = "RFC4231-4-test-6", .lives = true, LONG_KEY,
	    .out = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	{SHA384_HMAC, .source = "RFC4231-4-test-1", HI_THERE,
	    .out =
	        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	        "faea9ea9076ede7f4af152e8b2fa9cb6"},
	{SHA384_HMAC, .source = "RFC4231-4-test-2", JEFE,
	    .out =
	        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	        "8e2240ca5e69e2c78b3239ecfab21649"},
	{SHA384_HMAC, .source = "RFC4231-4-test-6", LONG_KEY,
	    .out =
	        "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
	        "0c2ef6ab4030fe8296248df163f44952"},
	{SHA512_HMAC, .source = "RFC4231-4-test-1", HI_THERE,
	    .out =
	        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	        "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
	{SHA512_HMAC, .source = "RFC4231-4-test-2", JEFE,
	    .out =
	        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
	{SHA512_HMAC, .source = "RFC4231-4-test-6", LONG_KEY,
	    .out =
	        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	        "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
	{RSA_PKCS(DO_MAC), .source = "RFC9500-key", .lives = true,
	    .in =
	        "3031300d060960864801650304020105000420ba7816bf8f01cfea414140de5d"
	        "ae2223b00361a396177a9cb410ff61f20015ad",
	    .out = SHA256_ABC_SIGNED},
	{OF(CKM_SHA1_RSA_PKCS, MECH "2.1.14", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .in = "616263",
	    .out =
	        "4f15d7611a19e2985831c26ac0dc8868a92f1694014471f04b71698214e83122"
	        "a660fb16868dd9a089375fa64156aabf51a11d854accf52a1bf8605375d21975"
	        "bca37476e8ca8c623ce05d18bdac80c5a4c311c2f0c2b2628edc4358e2d1d663"
	        "ba5a740f1b736af8553930aa841aa3e396d694e503cca1a2d94b0565f848d20a"
	        "9e1069c5cf152627c546b0b10c93046991c25047db1fff209365b9cfd7e8cacb"
	        "69fe35a9e92c400d90f624b4b936825fd1205bf691a826307166752d55b44cbc"
	        "81df0a7f1b6e41e9ceb49a0979bd2c9b3d42c8eda27cf48a0391d8b6ec65155d"
	        "7560b590ab97551454f384297bb1e3f8689e3d7180376f160b5ea9f89ca0d898"},
	{OF(CKM_SHA224_RSA_PKCS, MECH "2.1.14", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .in = "616263",
	    .out =
	        "2e4c1105ee00037ce2c63b6cd2a889692aca61f8cf1bf4893974b02cabb1dab1"
	        "9028722711c777f6ee7f6ae0a803f4c4362a0728d127eaa5b203da1f987a1b6b"
	        "dfa33625298c723071fcda3783dbef409005906f792eb10d5bbf1765134680f9"
	        "5720fe6654e1968e63837288fd1113feb76fb44c819b689bb12ccdd937e484a3"
	        "e8c38ec1a0993aad82e52c2a6453caefaad526e28a1507cc337981cdfe67938a"
	        "4c492f464722092005c43d220e31ec8f358537c2e32101f035bdce511e3ff8fe"
	        "e330a4d56dc6076491cce3d243fdeb11bc55f4d49cea0ff1e75345e065d1a79b"
	        "e3a9af2a369449e7f4cd4c523e2836a6d33b7b4f2698e47161219dd6867ae7b7"},
	{OF(CKM_SHA256_RSA_PKCS, MECH "2.1.14", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .lives = true, .in = "616263", .out = SHA256_ABC_SIGNED},
	{OF(CKM_SHA384_RSA_PKCS, MECH "2.1.14", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .in = "616263",
	    .out =
	        "3b685145276a8a6bcd1194255d1ed611bf61850b384658b5d0dfaad12a26a317"
	        "e4d30c70fd7685e1d1bacf2fbd5f998f7ecd9433d13eccaf9e84472b665367aa"
	        "d1c6441d86e31a827f8ebf6565ddfb85d4be64973b87052d1494f7712af0918a"
	        "9dc8b0b1d0e4d9848e45ec705de9c92eb2ceb736ec7ac1f57d703d4a0d3f552e"
	        "218ace6f67035a16cc9170efaf806c22d653be2ae623ded951a194d68e8e0b7c"
	        "842cf2456038ae46bc2d0eea27b08b45f197316c80608b638f5fc63d45ceb765"
	        "af5b0474bf1475fa8677cb72b9a000e87aceaafb731d5c55386282e8225bc635"
	        "541030138921e09b93f57eb279a43043cb27dbdb7efb78cf3c74959113dbc34e"},
	{OF(CKM_SHA512_RSA_PKCS, MECH "2.1.14", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .in = "616263",
	    .out =
	        "a536acc5fa61d0d0a8bef2f8d882a1f9a3f64d79a45c5e16049ee9e402b5b7c9"
	        "3e42de7957241634d95c764bcdb2fcdd89f071e2062e2c2417fb52845673f6ce"
	        "2c25db4c0671ca6800baf5eb42b370ccbb77603c9cd4268c0dd1b90f0cc09789"
	        "c94d7cfe27539052b392e6a876c4759092a851c045e0ba0e993a273c9247e754"
	        "84d6c21bd37c6539cab726fa8a783bb448f5869c6d43467265ed8602b6459860"
	        "a89f35f64a4ed4e04fa28d29e1301af70ba1f454aa1b8e120713dd2af2dd5e81"
	        "e3736c70b62fd385e716703be1e35f56ec520094727f38cb23206d14df27418e"
	        "68929974b2d92904ed0c2097304be91f1eb4728deaf2bbef5c684ed9aa4fe845"},
	{RSA_X_509(DO_MAC), .source = "RFC9500-key-sign", .in = RSA_BLOCK,
	    .out =
	        "38e90e8cad7d70ede29f13a49feed19e0bc89c9146d4f3053d92699faadd0000"
	        "a3d44d8f37ecd08b5e0966ef09b6d9b59c532fc5e7b501c1b0c00459925bd844"
	        "78833c86a87eb7d9c16a2969c0289c9682e59cd2afb7eca7e415df1488d15ec9"
	        "cd3f3690483632bad260a61ca570aabb412eb62b2f9137957ff951ec21026b79"
	        "89bd00bc5bdf8274af17819d65c2748dabfe6bec7e35222dc852bd64014857d2"
	        "ff75caf232b14d843d2b0a3eaaea2a90f13bb811db95b802a706bd784ae6022a"
	        "b12fde4dbabb94e36461997bf49cb46655719a172d04858ac28968c63a0fc024"
	        "40eb8c30b61b6f16c58abdd81da4053ab00ce3a9bc404304e579706ef9b3bf73"},
	{RSA_X_509(DO_CRYPT), .source = "RFC9500-key-encrypt", .in = RSA_BLOCK,
	    .out =
	        "91586bff6ac1f1582de17ff1d25a447f236968f368216a6b57bc2c0cf2aeb2c4"
	        "f74f62cf24666b7929b0feaeaef9395b07bed192914d08fc8508f9fc5c5fdfc0"
	        "f5a6641f9cb631973f20d297df64a0524b25bf1b07a063bd3ed299699924fa44"
	        "ab794f52450c9fda2635a36283b581ce3d2a74b22c48cd32772b1123ef2c8b89"
	        "8b38ce831ca291f49a9f5bc1d5a6bed1b17012e34ef5e6ec8d3990afcc97c4ba"
	        "bae32467f3745189d8e8d543773588dd4e1b61603cc64b51eaaa60c356450fff"
	        "87a275f2fb88377c08b93d9ee8f4f66d23c4cb51d1c5956eefe28cc4d64f1ac8"
	        "5f325ed50b371fd21144c4771d1e3be9126057fc374b3a1c31109ad9dc213e6f"},
	{RSA_PKCS(DO_CRYPT), .source = "RFC9500-key-encrypt", .random_output = true,
	    .lives = true, .in = COUNTED_16,
	    .out =
	        "6a6c91f415766c3178d1cc772a275583f9256e0ff953e96296cf32b3a60f939b"
	        "226e5e81c5041230916efcaf0b094322d9a9bf031fd5913134954f5fab9cc85c"
	        "b8035ed1a5a55bf6f71e9a9561a6089f0173207fa2e97898840b45ccf6a7af6c"
	        "b7d87419af5ccedbdb2588a73ba8747d45aa5dff8eb2e8c1a959259545666e5f"
	        "f0fa2841a4d2d8a0101f8bee239898cd294a4c291abd548799fb82bc27100acc"
	        "7ce5fed497d8b756ca391b3815e9decd5d98f12d23f21e1dc43a7301b8cf066b"
	        "57d545c59ff87b5f46766c3a4e3a2f30673e342fdb32cc150ba422e4319aa696"
	        "c36b58e260b6e19e7744c687a66b32a901913b0f95be04ae90f2b49777c4e914"},
	{RSA_PKCS_OAEP, .source = "RFC9500-key-sha1", .most_octets = 214,
	    .hash = CKM_SHA_1, .lives = true, .in = COUNTED_16,
	    .out =
	        "977dd2ef6ac288f6b0f5676d0f6e4e7cde565c35e9ca52a624371b6b686e5936"
	        "2bd471ac37f3584acec570985dab15ae98d9b78e21b89e54f5239f3431906ff0"
	        "305adda85f4aa4a2134b5b0ee384ad536724bb147436152b4d218096ae97c570"
	        "2e2f8955b39ecc2fdf9b8ccf5ea671b6c50af62c102cbf47d567cb280f0c2861"
	        "1accf410154d47d31960983ca66b5dfecac7ac7294598f459fbe502875a8d6ae"
	        "d96fd27155ad9e171db9e348dcf28d95ede4bc13af411f9e1c13653bdb2e2602"
	        "b21a5e8f224676f8b6686740b95a689da514981b4cc38b8cfc022f02f0ccc5ca"
	        "bed2830eec9f74238234336b58b3d559e46649bd454900fb634b3a9f50a6df8a"},
	{RSA_PKCS_OAEP, .source = "RFC9500-key-sha256", .most_octets = 190,
	    .hash = CKM_SHA256, .in = COUNTED_16,
	    .out =
	        "2956e2997ce4250e75c176cdd5fe1604f54d29e229efe3c9b2bd08cea5d2d9dd"
	        "11a366ed1a2b6969f6acaa95db3362c0167c68bd3b1c76465a62db303b58e49f"
	        "ce039adf768f73cef1b31de042db19eb01d133164f8fa104b64a3a7af6914efe"
	        "e509694fd4e49a51dc083045f225f38d1ff295af61e40f2d6764304d15b4aa8e"
	        "2b690e8f1f017695701edbea1139e76d0e7cb68f7a7ff8eb56ccfee2215e64e8"
	        "320af77a309aa11087e78dc312001da44518ad4c712aca22d49107d844775fde"
	        "7bf78c25b5fcbd12b4184fe7f48babc8e64543fc0c52c8414960c6ac62a6ebbf"
	        "82e32a268880c255d2e1cef8c875b0cc1ba39bf31e040fa58273a9902bb3a645"},
	{OF(CKM_SHA1_RSA_PKCS_PSS, MECH "2.1.15", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .random_output = true, .param = PARAM_PSS, .hash = CKM_SHA_1,
	    .in = "616263",
	    .out =
	        "38033cae36c5ad44361b7e33dc02bbaa35400935c831cba7238eac39e1924d39"
	        "ee100dcd456697eb474d87e36a586c8675dd52372051e7eac994bf0fccfd3cce"
	        "d5f21de73b82d7f2b57626f54612f5d08948d85f6e81cd196268be977e9a8fa7"
	        "dfeaf26a23bacbf296994f9589ccc0cbe26dd893f1f07892b57c94fd572a39a2"
	        "74794c7f092b1b214c367793ebd2ba6dc7bdb532c7a66cb5615d67887e9845ba"
	        "e0080451edf385f70f65bbf22c7df071e79b788a9e5d7cda9d71e32726731e87"
	        "55b34a9d571f5ac0cd8312de1e1a987dbe2e72940df1603ef84bb239046e0e29"
	        "4a9796eaf33b1b8a3f3c862b42612df7859d17cf82603e5f7c24715a3ce15d42"},
	{OF(CKM_RSA_PKCS_PSS, MECH "2.1.10", DO_MAC, KEY_RSA), .source = "RFC9500-key-sha256",
	    .no_parts = true, .random_output = true, .param = PARAM_PSS,
	    .hash = CKM_SHA256, .lives = true,
	    .in = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    .out = SHA256_ABC_PSS},
	{OF(CKM_SHA256_RSA_PKCS_PSS, MECH "2.1.15", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .random_output = true, .param = PARAM_PSS, .hash = CKM_SHA256,
	    .lives = true, .in = "616263", .out = SHA256_ABC_PSS},
	{OF(CKM_SHA384_RSA_PKCS_PSS, MECH "2.1.15", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .random_output = true, .param = PARAM_PSS, .hash = CKM_SHA384,
	    .in = "616263",
	    .out =
	        "7570e154cf05e209bbd1bdecb3672c64632a01fc8e4d4691b85d4c80cbcc2ca5"
	        "48c820dce0a73d2aaab48e7ed9b54cb85d74833918f23ee00897c8ac5bf0ab4f"
	        "05bb062b0fe31b3849524a83f3f1e070e1993924b528da721540f9ee1b7d940d"
	        "c069634484e1be70e531d70f99341b1f04a21c03cc26987ccfee7769d7e40e45"
	        "1f6044b3eee81d923d92c7e044ed1e484cf3d8284a4e2277cdd257c4ff90bcf7"
	        "f709fb3c9617d60194f6b94e7524ea300bb75013f2ae3c46400a208e159c49a4"
	        "0c990cfdab1c6c69341a32b5fb7895daa2c46e70f8e05503ecaa540c64b3dd55"
	        "7151d2bfca09ed3e927119396690bc8c78086e7df38a4056f1524d92a2e5305c"},
	{OF(CKM_SHA512_RSA_PKCS_PSS, MECH "2.1.15", DO_MAC, KEY_RSA), .source = "RFC9500-key",
	    .random_output = true, .param = PARAM_PSS, .hash = CKM_SHA512,
	    .in = "616263",
	    .out =
	        "06626846a6d79a9451ba3d5fb62c24e897d57ca6b9252f24798ba21fbd41f3f1"
	        "f3c49b74088dd1da67aee18a75f6eae3b514b789c51c6976f03a51883d7d3e3d"
	        "d0d16303093bdbf6d16e2bbcda3825ce5124f854b0f20bf129bd8bdbe764d4b5"
	        "e492806193fb28cab0351e0de07723ea21af2c33b1c42d052076e82ad524155c"
	        "67aba2efe0bcb5ee9091420af7f5958fffd6a2a013ee2cd6ada3a5a95f17f331"
	        "30e48a21cc5265c8061dcd490c8d416d77b278abcecec49e356444acab3fc887"
	        "ae9fd8efd68e517bb6030e615b3f08a53daf2e93ce578d5c6ef5733afe4dd188"
	        "5e4f5fad8b579bf0c61d634fc4c490842582caf06baa45045ead3eeed3e4975a"},
	{OF(CKM_ECDSA, MECH "2.3.6", DO_MAC, KEY_EC), .source = "RFC6979-A.2.5",
	    .no_parts = true, .random_output = true, .lives = true,
	    .in = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",
	    .out =
	        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
	        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
	{OF(CKM_ECDSA_SHA256, MECH "2.3.6", DO_MAC, KEY_EC), .source = "RFC6979-A.2.5",
	    .random_output = true, .lives = true, .in = "73616d706c65",
	    .out =
	        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
	        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
	{OF(CKM_EDDSA, CURR3 "2.3.14", DO_MAC, KEY_ED25519), .source = "RFC8032-7.1-test-2",
	    .no_parts = true, .lives = true, .in = "72",
	    .out =
	        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
};
/* clang-format on */
const size_t known_count = sizeof knowns / sizeof *knowns;

static CK_RSA_PKCS_MGF_TYPE
mgf_of(CK_MECHANISM_TYPE hash)
{
	switch (hash) {
	case CKM_SHA_1:
		return CKG_MGF1_SHA1;
	case CKM_SHA256:
		return CKG_MGF1_SHA256;
	case CKM_SHA384:
		return CKG_MGF1_SHA384;
	case CKM_SHA512:
		return CKG_MGF1_SHA512;
	}
	die("no MGF of 0x%lx", hash);
}

/* As long a salt as the hash, as the signatures of the table have it. */
static CK_ULONG
salt_of(CK_MECHANISM_TYPE hash)
{
	switch (hash) {
	case CKM_SHA_1:
		return 20;
	case CKM_SHA256:
		return 32;
	case CKM_SHA384:
		return 48;
	case CKM_SHA512:
		return 64;
	}
	die("no salt of 0x%lx", hash);
}

void
known_mechanism(const struct known *k, struct mechanism *out)
{
	struct bytes iv = k->iv != NULL ? hex(k->iv) : BYTES_NONE;
	struct bytes aad = k->aad != NULL ? hex(k->aad) : BYTES_NONE;

	memset(out, 0, sizeof *out);
	out->m.mechanism = k->type;
	out->m.pParameter = &out->param;
	switch (k->param) {
	case PARAM_NONE:
		out->m.pParameter = NULL;
		break;
	case PARAM_IV:
		out->m.pParameter = (void *)iv.at;
		out->m.ulParameterLen = iv.octets;
		break;
	case PARAM_CTR:
		out->param.ctr.ulCounterBits = 128;
		memcpy(out->param.ctr.cb, iv.at, sizeof out->param.ctr.cb);
		out->m.ulParameterLen = sizeof out->param.ctr;
		break;
	case PARAM_GCM:
		out->param.gcm.pIv = (CK_BYTE *)iv.at;
		out->param.gcm.ulIvLen = iv.octets;
		out->param.gcm.ulIvBits = iv.octets * 8;
		out->param.gcm.pAAD =
		    aad.octets == 0 ? NULL : (CK_BYTE *)aad.at;
		out->param.gcm.ulAADLen = aad.octets;
		out->param.gcm.ulTagBits = 128;
		out->m.ulParameterLen = sizeof out->param.gcm;
		break;
	case PARAM_OAEP:
		out->param.oaep.hashAlg = k->hash;
		out->param.oaep.mgf = mgf_of(k->hash);
		out->param.oaep.source = CKZ_DATA_SPECIFIED;
		out->m.ulParameterLen = sizeof out->param.oaep;
		break;
	case PARAM_PSS:
		out->param.pss.hashAlg = k->hash;
		out->param.pss.mgf = mgf_of(k->hash);
		out->param.pss.sLen = salt_of(k->hash);
		out->m.ulParameterLen = sizeof out->param.pss;
		break;
	}
}

struct bytes
octet_string(struct bytes content)
{
	struct buf b = {0};
	CK_BYTE head[2] = {0x04, (CK_BYTE)content.octets};

	buf_put(&b, (struct bytes){head, sizeof head});
	buf_put(&b, content);
	return buf_peek(&b);
}

void
secret_template(struct attrs *t, CK_KEY_TYPE type, struct bytes value)
{
	attr_number(t, CKA_CLASS, CKO_SECRET_KEY);
	attr_number(t, CKA_KEY_TYPE, type);
	attr_bool(t, CKA_TOKEN, false);
	attr_bool(t, CKA_PRIVATE, true);
	attr_text(t, CKA_LABEL, LABEL);
	attr_octets(t, CKA_VALUE, value);
}

static void
pair_template(struct attrs *t, CK_KEY_TYPE type, bool private)
{
	attr_number(t, CKA_CLASS, private ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY);
	attr_number(t, CKA_KEY_TYPE, type);
	attr_bool(t, CKA_TOKEN, false);
	attr_bool(t, CKA_PRIVATE, private);
	attr_text(t, CKA_LABEL, LABEL);
}

static void
rsa_template(struct attrs *t, bool private)
{
	pair_template(t, CKK_RSA, private);
	attr_octets(t, CKA_MODULUS, hex(rsa_modulus));
	attr_octets(t, CKA_PUBLIC_EXPONENT, hex("010001"));
	if (!private)
		return;
	attr_octets(t, CKA_PRIVATE_EXPONENT, hex(rsa_private_exponent));
	attr_octets(t, CKA_PRIME_1, hex(rsa_prime_1));
	attr_octets(t, CKA_PRIME_2, hex(rsa_prime_2));
	attr_octets(t, CKA_EXPONENT_1, hex(rsa_exponent_1));
	attr_octets(t, CKA_EXPONENT_2, hex(rsa_exponent_2));
	attr_octets(t, CKA_COEFFICIENT, hex(rsa_coefficient));
}

static void
curve_template(struct attrs *t, CK_KEY_TYPE type, bool private,
    const char *params, const char *value, const char *point)
{
	pair_template(t, type, private);
	attr_octets(t, CKA_EC_PARAMS, hex(params));
	if (private)
		attr_octets(t, CKA_VALUE, hex(value));
	else
		attr_octets(t, CKA_EC_POINT, octet_string(hex(point)));
}

void
known_template(const struct known *k, enum op_kind kind, struct attrs *t)
{
	bool private = ops[kind].of_private_key;

	switch (k->key) {
	case KEY_NONE:
		die("%s takes no key", k->name);
	case KEY_AES:
		secret_template(t, CKK_AES, hex(k->key_hex));
		break;
	case KEY_DES3:
		secret_template(t, CKK_DES3, hex(k->key_hex));
		break;
	case KEY_GENERIC:
		secret_template(t, CKK_GENERIC_SECRET, hex(k->key_hex));
		break;
	case KEY_RSA:
		rsa_template(t, private);
		break;
	case KEY_EC:
		curve_template(t, CKK_EC, private, P256_OID,
		    "c9afa9d845ba75166b5c215767b1d693"
		    "4e50c3db36e89b127b8a622b120f6721",
		    RFC6979_POINT);
		break;
	case KEY_ED25519: /* PrintableString "edwards25519" */
		curve_template(t, CKK_EC_EDWARDS, private,
		    "130c656477617264733235353139",
		    "4ccd089b28ff96da9db6c346ec114e0f"
		    "5b8a319f35aba624da8cf6ed4fb8a6fb",
		    "3d4017c3e843895a92b70aa74d1b7ebc"
		    "9c982ccf2ec4968cc0cd55f12af4660c");
		break;
	}
	attr_bool(t, ops[kind].usage, true);
}

/* 4.1.1: a token may refuse what it would have to take on trust. */
static bool
refuses_known_keys(CK_RV rv)
{
	return rv == CKR_FUNCTION_NOT_SUPPORTED ||
	       rv == CKR_TEMPLATE_INCONSISTENT ||
	       rv == CKR_ATTRIBUTE_READ_ONLY ||
	       rv == CKR_ATTRIBUTE_VALUE_INVALID || (rv & CKR_VENDOR_DEFINED);
}

CK_OBJECT_HANDLE
key_import(CK_SESSION_HANDLE s, struct attrs *t)
{
	CK_OBJECT_HANDLE o = CK_INVALID_HANDLE;
	CK_RV rv = ASK(C_CreateObject, (s, t->at, t->count, &o));

	if (refuses_known_keys(rv))
		not_claimed("the token lets no known key of this type in: "
			    "C_CreateObject answers %s",
		    rv_name(rv));
	JUDGE(rv, CKR_OK);
	return o;
}

CK_OBJECT_HANDLE
known_key(
    CK_SESSION_HANDLE s, const struct known *k, enum op_kind kind, bool may)
{
	struct attrs t = {0};

	if (k->key == KEY_NONE)
		return CK_INVALID_HANDLE;
	known_template(k, kind, &t);
	attr_bool(&t, ops[kind].usage, may);
	return key_import(s, &t);
}

CK_OBJECT_HANDLE
aes_key(CK_SESSION_HANDLE s, CK_ATTRIBUTE_TYPE usage)
{
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs t = {0};
	CK_OBJECT_HANDLE o;

	attr_bool(&t, CKA_TOKEN, false);
	attr_bool(&t, CKA_PRIVATE, true);
	attr_text(&t, CKA_LABEL, LABEL);
	attr_number(&t, CKA_VALUE_LEN, 16);
	attr_bool(&t, usage, true);
	MUST(C_GenerateKey, (s, &m, t.at, t.count, &o));
	return o;
}

/* --- the trials ---------------------------------------------------------- */

/* A row and one kind of operation. */
struct answer {
	const struct known *known;
	enum op_kind kind;
};

enum { OUT_OCTETS = 1024 };

/* What the operation takes, and what it must give. */
static void
sides(const struct answer *a, struct bytes *in, struct bytes *out)
{
	bool backwards = a->kind == OP_DECRYPT;

	*in = hex(backwards ? a->known->out : a->known->in);
	*out = hex(backwards ? a->known->in : a->known->out);
}

/*
 * Begin it. Which hashes a padding goes with is the token's affair (5.1.6,
 * CKR_MECHANISM_PARAM_INVALID): it may say that it does not take this one.
 */
static void
begin(CK_SESSION_HANDLE s, const struct known *k, enum op_kind kind,
    struct mechanism *m)
{
	CK_OBJECT_HANDLE key = known_key(s, k, kind, true);
	CK_RV rv = op_init(kind, s, &m->m, key);

	if (k->hash != 0 && rv == CKR_MECHANISM_PARAM_INVALID)
		not_claimed("the token does not take it with this hash");
	JUDGE(rv, CKR_OK);
}

/* The signature is right, and one bit away it is not. */
static void
verify(CK_SESSION_HANDLE s, const struct known *k, struct mechanism *m,
    struct bytes in, CK_BYTE *signature, CK_ULONG n)
{
	JUDGE(op_one(OP_VERIFY, s, in, signature, &n), CKR_OK);
	signature[n / 2] ^= 1;
	begin(s, k, OP_VERIFY, m);
	JUDGE(op_one(OP_VERIFY, s, in, signature, &n), CKR_SIGNATURE_INVALID);
}

/* What is different each time is known by its inverse, in the same token. */
static void
invert(CK_SESSION_HANDLE s, const struct answer *a, struct mechanism *m,
    struct bytes in, CK_BYTE *out, CK_ULONG n)
{
	enum op_kind inverse = ops[a->kind].inverse;
	CK_BYTE back[OUT_OCTETS];
	CK_ULONG octets = sizeof back;

	begin(s, a->known, inverse, m);
	if (inverse == OP_VERIFY) {
		verify(s, a->known, m, in, out, n);
		return;
	}
	JUDGE(
	    op_one(inverse, s, (struct bytes){out, n}, back, &octets), CKR_OK);
	same_octets("what comes back", (struct bytes){back, octets}, in);
}

static void
answers(const struct trial *t)
{
	const struct answer *a = t->row;
	CK_SESSION_HANDLE s =
	    a->kind == OP_DIGEST ? session_open(false) : session_user();
	CK_BYTE out[OUT_OCTETS];
	CK_ULONG n = sizeof out;
	struct mechanism m;
	struct bytes in, right;

	sides(a, &in, &right);
	known_mechanism(a->known, &m);
	begin(s, a->known, a->kind, &m);
	if (a->kind == OP_VERIFY) {
		n = right.octets;
		memcpy(out, right.at, n);
		verify(s, a->known, &m, in, out, n);
		return;
	}
	JUDGE(op_one(a->kind, s, in, out, &n), CKR_OK);
	if (a->known->random_output && a->kind != OP_DECRYPT)
		invert(s, a, &m, in, out, n);
	else
		same_octets("the answer", (struct bytes){out, n}, right);
}

/* In parts of uneven length, the output of all of them together. */
static void
answers_in_parts(const struct trial *t)
{
	const struct answer *a = t->row;
	CK_SESSION_HANDLE s =
	    a->kind == OP_DIGEST ? session_open(false) : session_user();
	CK_BYTE out[OUT_OCTETS];
	CK_ULONG n = 0, room;
	struct mechanism m;
	struct bytes in, right;

	sides(a, &in, &right);
	known_mechanism(a->known, &m);
	begin(s, a->known, a->kind, &m);
	for (size_t at = 0, part = 7; at < in.octets; at += part) {
		if (part > in.octets - at)
			part = in.octets - at;
		room = sizeof out - n;
		JUDGE(op_update(a->kind, s, (struct bytes){in.at + at, part},
			  out + n, &room),
		    CKR_OK);
		if (ops[a->kind].parts_have_output)
			n += room;
	}
	if (a->kind == OP_VERIFY) {
		n = right.octets;
		memcpy(out, right.at, n);
		JUDGE(op_final(a->kind, s, out, &n), CKR_OK);
		begin(s, a->known, a->kind, &m);
		verify(s, a->known, &m, in, out, n);
		return;
	}
	room = sizeof out - n;
	JUDGE(op_final(a->kind, s, out + n, &room), CKR_OK);
	n += room;
	if (a->known->random_output && a->kind != OP_DECRYPT)
		invert(s, a, &m, in, out, n);
	else
		same_octets("the answer", (struct bytes){out, n}, right);
}

/* HMAC counts its keys in octets; the others take what the table has. */
static struct claim
claim_of(const struct known *k, enum op_kind kind)
{
	struct claim c = {k->name, k->type, ops[kind].flag, 0};

	if (k->key == KEY_GENERIC)
		c.key_size = strlen(k->key_hex) / 2;
	return c;
}

static void
add(struct trials *ts, const struct known *k, enum op_kind kind, bool parts)
{
	struct answer *a = ARENA_NEW(ts->arena, struct answer);
	const char *how = parts ? "-parts" : "";

	a->known = k;
	a->kind = kind;
	trials_add(
	    ts, (struct trial){.id = arena_printf(ts->arena, "known/%s/%s%s/%s",
				   k->name, ops[kind].word, how, k->source),
		    .title = arena_printf(ts->arena,
			"%s, %s%s: the answer of %s", k->name, ops[kind].word,
			parts ? " in parts" : "", k->source),
		    .clause = k->clause,
		    .needs = kind == OP_DIGEST ? 0 : NEED_PIN,
		    .claims = {claim_of(k, kind)},
		    .run = parts ? answers_in_parts : answers,
		    .row = a});
}

void
known_trials(struct trials *ts)
{
	for (size_t i = 0; i < known_count; i++)
		for (enum op_kind kind = 0; kind < OP_COUNT; kind++) {
			const struct known *k = &knowns[i];

			if (!(k->kinds & 1U << kind))
				continue;
			add(ts, k, kind, false);
			if (!k->no_parts && k->lives)
				add(ts, k, kind, true);
		}
}
