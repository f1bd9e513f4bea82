#include <semaphore.h>

#include "device/key.h"
#include "nae/request.h"
#include "nae/rig_test.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct desk desk;
static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_keys(&desk);
	assert_ok(arena_new(64 << 20, &arena));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	desk_remove(&desk);
	return 0;
}

/* ---- keys ---- */

#define AES_128 "2B7E151628AED2A6ABF7158809CF4F3C"
#define AES_256 \
	"603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4"
#define DES  "0123456789ABCDEF"
#define TDEA "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"
#define B20  "0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B"
#define IV   "000102030405060708090A0B0C0D0E0F"

/* Everybody's, of those bytes. */
static const struct object *
import_key(
    const char *name, const char *algorithm, const char *hex, bool versioned)
{
	struct key_spec spec = {
	    .name = bytes_of_text(name),
	    .exportable = true,
	    .deletable = true,
	    .versioned = versioned,
	};
	const struct object *key;
	struct key_call call;

	key_call_init(&call, &desk.bench.appliance, arena);
	call.keystore = desk.keystore;
	spec.algorithm = key_algorithm_named(bytes_of_text(algorithm));
	assert_non_null(spec.algorithm);
	assert_ok(key_import(&call, &spec, 0, bytes_of_text(hex), &key));
	bench_turn(&desk.bench);
	return key;
}

static const struct object *
find(struct key_call *call, const char *name)
{
	const struct object *key;

	key_call_init(call, &desk.bench.appliance, arena);
	call->keystore = desk.keystore;
	assert_ok(key_find(call, NULL, 0, bytes_of_text(name), &key));
	return key;
}

static void
new_version(const char *name)
{
	const struct object *key;
	struct key_call call;
	uint32_t number;

	key = find(&call, name);
	assert_ok(key_version_new(&call, key, CARD_ACTIVE, NULL, &number));
	bench_turn(&desk.bench);
}

static void
set_version(const char *name, uint32_t number, enum card_state how)
{
	const struct object *key;
	struct key_call call;

	key = find(&call, name);
	assert_ok(key_version_state(&call, key, number, how));
	bench_turn(&desk.bench);
}

/* ---- asking ---- */

static struct bytes
hex(const char *text)
{
	size_t octets = strlen(text) / 2;
	uint8_t *at;
	unsigned value;
	size_t k;

	assert_ok(ARENA_ARRAY(arena, at, octets + 1));
	for (k = 0; k < octets; k++) {
		assert_int_equal(sscanf(text + 2 * k, "%2x", &value), 1);
		at[k] = (uint8_t)value;
	}
	return (struct bytes){at, octets};
}

static const char *
text_of_hex(struct bytes b)
{
	char *text;
	size_t k;

	assert_ok(ARENA_ARRAY(arena, text, 2 * b.octets + 1));
	for (k = 0; k < b.octets; k++)
		(void)snprintf(text + 2 * k, 3, "%02X", b.at[k]);
	return text;
}

/* A data element, in chunks of that size. */
static void
put_data(struct buf *out, struct bytes data, size_t chunk_octets)
{
	struct bytes chunk;

	assert_ok(buf_put_text(out, "<Data>"));
	do {
		assert_ok(bytes_split(&data,
		    data.octets < chunk_octets ? data.octets : chunk_octets,
		    &chunk));
		assert_ok(buf_printf(out, "<Size>%zu</Size>", chunk.octets));
		assert_ok(buf_put(out, chunk));
	} while (data.octets != 0);
	assert_ok(buf_put_text(out, "</Data>"));
}

/* A request and its data, given portion by portion; what is answered. */
static struct bytes
ask_portions(struct bytes request, size_t portion_octets)
{
	struct bytes portion;

	buf_reset(&desk.heard);
	while (request.octets != 0) {
		assert_ok(bytes_split(&request,
		    request.octets < portion_octets ? request.octets
						    : portion_octets,
		    &portion));
		desk_feed(&desk, portion);
	}
	return buf_peek(&desk.heard);
}

/* `header` is what stands in the CryptoRequest. */
static struct bytes
ask(const char *header, struct bytes data)
{
	struct buf request;
	struct bytes answer;

	buf_init(&request, 16 << 20);
	assert_ok(
	    buf_printf(&request, "<CryptoRequest>%s</CryptoRequest>", header));
	put_data(&request, data, SIZE_MAX);
	answer = ask_portions(buf_peek(&request), SIZE_MAX);
	buf_clear(&request);
	return answer;
}

static const char *
header_of(const char *action, const char *key, const char *algorithm,
    const char *more)
{
	const char *text;

	assert_ok(arena_printf(arena, &text,
	    "<Action>%s</Action><KeyName>%s</KeyName>"
	    "<Algorithm>%s</Algorithm>%s",
	    action, key, algorithm, more));
	return text;
}

static bool
begins_with(struct bytes b, const char *text)
{
	return b.octets >= strlen(text) &&
	       memcmp(b.at, text, strlen(text)) == 0;
}

static void
expect(struct bytes *b, const char *text)
{
	if (!begins_with(*b, text))
		fail_msg("expected \"%s\" at \"%.*s\"", text,
		    (int)(b->octets < 300 ? b->octets : 300),
		    (const char *)b->at);
	b->at += strlen(text);
	b->octets -= strlen(text);
}

/* What a data element holds, all its chunks together. */
static struct bytes
take_data(struct bytes *answer)
{
	struct bytes out = BYTES_NONE;
	struct bytes chunk;
	uint8_t *at;
	size_t octets;
	int used;

	assert_ok(ARENA_ARRAY(arena, at, answer->octets + 1));
	out.at = at;
	expect(answer, "<Data>");
	do {
		char number[32] = "";

		/* spec: nae-xml 2.8  only the last is shorter */
		assert_int_equal(out.octets % (64 << 10), 0);
		memcpy(number, answer->at,
		    answer->octets < 31 ? answer->octets : 31);
		assert_int_equal(
		    sscanf(number, "<Size>%zu</Size>%n", &octets, &used), 1);
		assert_true(octets <= 64 << 10);
		answer->at += used;
		answer->octets -= (size_t)used;
		assert_ok(bytes_split(answer, octets, &chunk));
		memcpy(at + out.octets, chunk.at, octets);
		out.octets += octets;
	} while (begins_with(*answer, "<Size>"));
	expect(answer, "</Data>");
	return out;
}

#define WELL "<CryptoResponse><Success>true</Success></CryptoResponse>"

/* The one data element of an answer that has nothing else to say. */
static struct bytes
made(const char *action, const char *key, const char *algorithm,
    const char *more, struct bytes data)
{
	struct bytes answer =
	    ask(header_of(action, key, algorithm, more), data);
	struct bytes out;

	expect(&answer, WELL);
	out = take_data(&answer);
	assert_int_equal(answer.octets, 0);
	return out;
}

static void
assert_octets(struct bytes got, struct bytes want)
{
	assert_string_equal(text_of_hex(got), text_of_hex(want));
}

static void
assert_answer(const char *what, struct bytes got, const char *want)
{
	if (!bytes_equal_text(got, want))
		fail_msg("%s: expected\n%s\ngot\n%.*s", what, want,
		    (int)(got.octets < 2000 ? got.octets : 2000),
		    (const char *)got.at);
}

#define REFUSED(fatal, code, text)                                   \
	"<CryptoResponse><Success>false</Success><FatalError>" fatal \
	"</FatalError><ErrorID>" code "</ErrorID><ErrorString>" text \
	"</ErrorString></CryptoResponse>"

#define VERIFIED(is)                                                         \
	"<CryptoResponse><Success>true</Success><Verified>" is "</Verified>" \
	"</CryptoResponse>"

#define ONE(action, key, algorithm, more)                       \
	"<Action>" action "</Action><KeyName>" key "</KeyName>" \
	"<Algorithm>" algorithm "</Algorithm>" more

#define OPERATION(action, key, algorithm, more) \
	"<Operation>" ONE(action, key, algorithm, more) "</Operation>"
#define RESULT(content) "<Result>" content "</Result>"
#define RESULT_ERROR(code, text)                                     \
	RESULT(                                                      \
	    "<Success>false</Success><FatalError>false</FatalError>" \
	    "<ErrorID>" code "</ErrorID><ErrorString>" text "</ErrorString>")

/* ---- one operation ---- */

/* SP 800-38A F.2.5, however the octets come and the data is cut. */
static void
test_known_answer(void **state)
{
	static const size_t sizes[] = {1, 7, 16, 4096};
	struct bytes plain = hex(
	    "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51");
	struct bytes want = hex(
	    "F58C4C04D6E5F1BA779EABFB5F7BFBD69CFC4E967EDB808D679F777BC6702C7D");
	struct buf request;
	struct bytes answer;
	size_t p, c;

	(void)state;
	(void)import_key("f", "AES-256", AES_256, false);
	desk_call(&desk);
	buf_init(&request, 4096);
	for (p = 0; p < LENGTH(sizes); p++) {
		for (c = 0; c < LENGTH(sizes); c++) {
			buf_reset(&request);
			assert_ok(buf_printf(&request,
			    "<CryptoRequest><ID>%zu</ID>%s</CryptoRequest>", c,
			    header_of("ENCRYPT", "f", "AES/CBC/NoPadding",
				"<IV>" IV "</IV>")));
			put_data(&request, plain, sizes[c]);
			answer = ask_portions(buf_peek(&request), sizes[p]);
			expect(&answer, "<CryptoResponse><ID>");
			answer.at++;
			answer.octets--;
			expect(&answer,
			    "</ID><Success>true</Success></CryptoResponse>");
			assert_octets(take_data(&answer), want);
			assert_int_equal(answer.octets, 0);
		}
	}
	buf_clear(&request);
}

/* clang-format off */
static const struct {
	const char *key;
	const char *algorithm; /* of the key */
	const char *hex;
	const char *names[4];  /* of the transformations */
} ciphers[] = {
	{ "aes",  "AES-128", AES_128, { "AES/CBC/PKCS5Padding",
	  "AES/CBC/NoPadding", "AES/ECB/PKCS5Padding", "AES/ECB/NoPadding" } },
	{ "tdea", "DES-EDE-168", TDEA, { "DESede/CBC/PKCS5Padding",
	  "DESede/CBC/NoPadding", "DESede", "DESede/ECB/NoPadding" } },
	{ "des",  "DES", DES, { "DES/CBC/PKCS5Padding", "DES/CBC/NoPadding",
	  "DES/ECB/PKCS5Padding", "DES/ECB/NoPadding" } },
	{ "rc4",  "RC4-128", AES_128, { "RC4" } },
};
/* clang-format on */

/* More than a chunk of it. */
enum { LONG_OCTETS = 150000 - 150000 % 16 };

static void
test_there_and_back(void **state)
{
	struct bytes plain, coded;
	uint8_t *at;
	size_t k, n, length;

	(void)state;
	assert_ok(ARENA_ARRAY(arena, at, LONG_OCTETS));
	for (k = 0; k < LONG_OCTETS; k++)
		at[k] = (uint8_t)(k * 7 + k / 251);
	for (k = 0; k < LENGTH(ciphers); k++) {
		(void)import_key(ciphers[k].key, ciphers[k].algorithm,
		    ciphers[k].hex, false);
		desk_call(&desk);
		for (n = 0; n < 4 && ciphers[k].names[n] != NULL; n++) {
			const char *name = ciphers[k].names[n];
			bool pads = strstr(name, "NoPadding") == NULL &&
				    strcmp(name, "RC4") != 0;
			const size_t lengths[] = {
			    0, 16, pads ? 1001 : 992, LONG_OCTETS};

			for (length = 0; length < LENGTH(lengths); length++) {
				plain = (struct bytes){at, lengths[length]};
				coded = made(
				    "ENCRYPT", ciphers[k].key, name, "", plain);
				assert_int_equal(
				    coded.octets > plain.octets, pads);
				if (plain.octets != 0)
					assert_memory_not_equal(
					    coded.at, plain.at, plain.octets);
				assert_octets(made("DECRYPT", ciphers[k].key,
						  name, "", coded),
				    plain);
			}
		}
	}
}

/* req: KS-28-037  the key's own IV, where none is given */
static void
test_default_iv(void **state)
{
	struct bytes plain = bytes_of_text("attack at dawn");
	const struct object *key;
	struct key_version info;
	struct key_call call;
	const char *given;
	struct bytes coded;

	(void)state;
	(void)import_key("a", "AES-128", AES_128, false);
	key = find(&call, "a");
	assert_ok(key_version_info(&call, key, 0, &info));
	assert_int_equal(info.iv.octets, 16);
	assert_ok(
	    arena_printf(arena, &given, "<IV>%s</IV>", text_of_hex(info.iv)));
	desk_call(&desk);
	coded = made("ENCRYPT", "a", "AES/CBC/PKCS5Padding", "", plain);
	assert_octets(
	    made("ENCRYPT", "a", "AES/CBC/PKCS5Padding", given, plain), coded);
	assert_octets(
	    made("DECRYPT", "a", "AES/CBC/PKCS5Padding", given, coded), plain);
}

static void
activate_seed(const char *yes)
{
	struct settings *settings = desk.bench.appliance.settings;
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(
	    settings, SETTING_SEED, bytes_of_text(yes), &changed, why));
	settings_settle(settings, true);
	bench_turn(&desk.bench);
}

/* RFC 4269 appendix B.2. req: KS-28-091  a key that is there is of no use where
 * SEED is not activated */
static void
test_seed(void **state)
{
	struct bytes plain = hex("00000000000000000000000000000000");
	struct bytes coded = hex("C11F22F20140505084483597E4370F43");

	(void)state;
	activate_seed("yes");
	(void)import_key("s", "SEED", IV, false);
	desk_call(&desk);
	assert_octets(
	    made("ENCRYPT", "s", "SEED/ECB/NoPadding", "", plain), coded);
	assert_octets(
	    made("DECRYPT", "s", "SEED/ECB/NoPadding", "", coded), plain);
	activate_seed("no");
	assert_answer("not activated",
	    ask(header_of("ENCRYPT", "s", "SEED/ECB/NoPadding", ""), plain),
	    REFUSED("false", "10301", "Unsupported algorithm"));
}

/* RFC 2202 section 3, test case 1 */
#define MAC "B617318655057264E28BC0B6FB378C8EF146BE00"

static void
test_macs(void **state)
{
	struct bytes data = bytes_of_text("Hi There");

	(void)state;
	(void)import_key("h", "HmacSHA1", B20, false);
	desk_call(&desk);
	assert_octets(made("MAC", "h", "HmacSHA1", "", data), hex(MAC));
	assert_answer("the right one",
	    ask(header_of("MACV", "h", "HmacSHA1", "<Value>" MAC "</Value>"),
		data),
	    "<CryptoResponse><Success>true</Success><Verified>true</Verified>"
	    "</CryptoResponse>");
	data.octets--;
	assert_answer("of other data",
	    ask(header_of("MACV", "h", "HmacSHA1", "<Value>" MAC "</Value>"),
		data),
	    "<CryptoResponse><Success>true</Success><Verified>false</Verified>"
	    "</CryptoResponse>");
}

/* ---- RSA ---- */

/* Made with openssl genrsa; what was signed and encrypted with it is python's,
 * by RFC 8017's formulas. */
/* clang-format off */
#define RSA_512 \
	"-----BEGIN RSA PRIVATE KEY-----\n" \
	"MIIBOwIBAAJBALFrQa1RLfF901n/7wj9417NmS13AAO0tAv+/U+0cNQ4QUTDmPJ3\n" \
	"FhdlBJxgnixxpsUmA3ynhpmamt46Ejb2vPsCAwEAAQJBAIOY/f8znrNoVDOGjeQK\n" \
	"hfMU51B82wrkp0PaoEPVoHcYAsoFse7yj9x/GMVan67PCMrhgBjxOFaeNl0v19Jl\n" \
	"bmECIQDX9GswEAHSaI+2Go4lYglvYX22WFBPpLPj5SEcXxyrCwIhANJRgbP2e7IP\n" \
	"GJpwgn9lx7kHujZOEbQNmj+JXILWJOvRAiEA1316B/exGbhkzx4ogX0WVSI/Q1lU\n" \
	"qmR7bQkSxTDTdokCICxdBP7w/yaQCKCLGvvEfFyLRLwvu4w/UkoUr27pvOABAiBT\n" \
	"ISS62BUeeDI6gVyx4lqUT5x5LLYSG7kdtU1UKkrJkg==\n" \
	"-----END RSA PRIVATE KEY-----\n"
#define SIGNED_SHA1 \
	"53CA6B0945B833DB113997DB6B3D165103BD3B5019358DD892F1DD3A0DF7E7" \
	"0751BB6BC51103D259528116FAE61148FA98F958119E9D86BEE6D4F99C4859E119"
#define SIGNED_SHA256 \
	"9CD67522239495F490A4E535885B2B7EF77D47391872953D6447A2D2205D7C" \
	"B82CEB23694AEAAC57B1E26D1237EADBC583A0AC1312DA69B9809CF0777C882CA8"
#define ENCRYPTED \
	"7D1201E94AE22D8219F2301064EE6B27C40EC9188E3F136F3BD52B15D995BB" \
	"D7D8E70B494E7B3CAABAFE374FBBAF218BFC67F50962964A325DE010A11376E978"
#define SIGNATURE_TYPE \
	"6047A08309676C81096563807E19D7A5198CC66297DA55BB6344C4DEE76834" \
	"355E4AE840430489546D3B7E77BC2754050E16A71A4E5CF0D119BD214A7FDF9EF8"
/* clang-format on */

static void
test_rsa(void **state)
{
	struct bytes data = bytes_of_text("Hi There");
	struct bytes coded;

	(void)state;
	(void)import_key("r", "RSA-512", RSA_512, false);
	desk_call(&desk);
	assert_octets(made("SIGN", "r", "RSA", "", data), hex(SIGNED_SHA1));
	assert_octets(
	    made("SIGN", "r", "SHA256withRSA", "", data), hex(SIGNED_SHA256));
	assert_answer("the right one",
	    ask(header_of("SIGNV", "r", "SHA256withRSA",
		    "<Value>" SIGNED_SHA256 "</Value>"),
		data),
	    VERIFIED("true"));
	assert_answer("of another digest",
	    ask(header_of("SIGNV", "r", "SHA256withRSA",
		    "<Value>" SIGNED_SHA1 "</Value>"),
		data),
	    VERIFIED("false"));
	assert_octets(made("DECRYPT", "r", "RSA", "", hex(ENCRYPTED)), data);
	assert_answer("padding of a signature",
	    ask(header_of("DECRYPT", "r", "RSA", ""), hex(SIGNATURE_TYPE)),
	    REFUSED("false", "10306", "Bad padding or ciphertext"));
	coded = made("ENCRYPT", "r", "RSA/ECB/PKCS1Padding", "", data);
	assert_int_equal(coded.octets, 64);
	assert_octets(made("DECRYPT", "r", "RSA", "", coded), data);
	assert_answer("more than a block",
	    ask(header_of("ENCRYPT", "r", "RSA", ""),
		(struct bytes){coded.at, 54}),
	    REFUSED("false", "10305", "Invalid data length"));
	assert_answer("too short for the digest",
	    ask(header_of("SIGN", "r", "SHA512withRSA", ""), data),
	    REFUSED("false", "10302", "Algorithm does not fit key"));
}

/* Two that sign on a worker, and what comes behind them in its order. */
static void
test_rsa_in_a_batch(void **state)
{
	struct buf request;
	struct bytes answer;

	(void)state;
	(void)import_key("r", "RSA-512", RSA_512, false);
	desk_call(&desk);
	buf_init(&request, 4096);
	assert_ok(buf_put_text(&request,
	    "<CryptoRequest>" OPERATION("SIGN", "r", "RSA", "")
		OPERATION("DECRYPT", "r", "RSA", "") OPERATION(
		    "SIGN", "r", "SHA256withRSA", "") "</CryptoRequest>"));
	put_data(&request, bytes_of_text("Hi There"), 1);
	put_data(&request, bytes_of_text("Hi There"), 1);
	put_data(&request, bytes_of_text("Hi There"), 1);
	assert_ok(buf_put_text(&request, "<DeviceInfoRequest/>"));
	answer = ask_portions(buf_peek(&request), SIZE_MAX);
	expect(&answer,
	    "<CryptoResponse><Success>true</Success>" RESULT(
		"<Success>true</Success>")
		RESULT_ERROR("10306", "Bad padding or ciphertext")
		    RESULT("<Success>true</Success>") "</CryptoResponse>");
	assert_octets(take_data(&answer), hex(SIGNED_SHA1));
	assert_octets(take_data(&answer), hex(SIGNED_SHA256));
	expect(&answer, "<DeviceInfoResponse>");
	buf_clear(&request);
}

/* ---- what is refused ---- */

/* clang-format off */
static const struct {
	const char *what;
	const char *header;
	size_t data_octets;
	const char *want; /* NULL: it goes well */
} refusals[] = {
	{ "its twin", ONE("ENCRYPT", "a", "AES/CBC/NoPadding", "<IV>" IV "</IV>"), 16, NULL },
	{ "no Action", "<KeyName>a</KeyName><Algorithm>AES</Algorithm>", 16,
	  REFUSED("false", "10003", "Missing element: Action") },
	{ "no Algorithm", "<Action>ENCRYPT</Action><KeyName>a</KeyName>", 16,
	  REFUSED("false", "10003", "Missing element: Algorithm") },
	{ "no KeyName", "<Action>ENCRYPT</Action><Algorithm>AES</Algorithm>", 16,
	  REFUSED("false", "10003", "Missing element: KeyName") },
	{ "an Action that is none", ONE("Encrypt", "a", "AES", ""), 16,
	  REFUSED("false", "10004", "Invalid value for element: Action") },
	{ "two of them", ONE("ENCRYPT", "a", "AES", "<Action>ENCRYPT</Action>"), 16,
	  REFUSED("false", "10004", "Invalid value for element: Action") },
	{ "no such key", ONE("ENCRYPT", "b", "AES", ""), 16,
	  REFUSED("false", "10201", "Key not found") },
	{ "no versions", ONE("ENCRYPT", "a#1", "AES", ""), 16,
	  REFUSED("false", "10206", "Key is not versioned") },
	{ "no versions at all", ONE("ENCRYPT", "a#all", "AES", ""), 16,
	  REFUSED("false", "10206", "Key is not versioned") },
	{ "no number of a version", ONE("ENCRYPT", "a#0", "AES", ""), 16,
	  REFUSED("false", "10207", "Key version not found") },
	{ "to be made", ONE("ENCRYPT", "a#", "AES", ""), 16,
	  REFUSED("false", "10207", "Key version not found") },
	{ "all versions decrypt", ONE("DECRYPT", "a#all", "AES", ""), 16,
	  REFUSED("false", "10004", "Invalid value for element: KeyName") },
	{ "no algorithm", ONE("ENCRYPT", "a", "AES/GCM/NoPadding", ""), 16,
	  REFUSED("false", "10301", "Unsupported algorithm") },
	{ "another action's", ONE("SIGN", "a", "HmacSHA1", ""), 16,
	  REFUSED("false", "10301", "Unsupported algorithm") },
	{ "another cipher's key", ONE("ENCRYPT", "a", "DES", ""), 16,
	  REFUSED("false", "10302", "Algorithm does not fit key") },
	{ "another kind of key", ONE("MAC", "a", "HmacSHA1", ""), 16,
	  REFUSED("false", "10302", "Algorithm does not fit key") },
	{ "a short IV", ONE("ENCRYPT", "a", "AES/CBC/NoPadding", "<IV>00</IV>"), 16,
	  REFUSED("false", "10304", "Invalid IV") },
	{ "an IV of no digits", ONE("ENCRYPT", "a", "AES/CBC/NoPadding", "<IV>xy</IV>"), 16,
	  REFUSED("false", "10304", "Invalid IV") },
	{ "an empty IV", ONE("ENCRYPT", "a", "AES/CBC/NoPadding", "<IV></IV>"), 16,
	  REFUSED("false", "10304", "Invalid IV") },
	{ "an IV in ECB", ONE("ENCRYPT", "a", "AES", "<IV>" IV "</IV>"), 16,
	  REFUSED("false", "10304", "Invalid IV") },
	{ "no whole block", ONE("ENCRYPT", "a", "AES/ECB/NoPadding", ""), 15,
	  REFUSED("false", "10305", "Invalid data length") },
	{ "no whole block to decrypt", ONE("DECRYPT", "a", "AES/ECB/NoPadding", ""), 17,
	  REFUSED("false", "10305", "Invalid data length") },
	{ "no ciphertext", ONE("DECRYPT", "a", "AES", ""), 16,
	  REFUSED("false", "10306", "Bad padding or ciphertext") },
	{ "none of it", ONE("DECRYPT", "a", "AES", ""), 0,
	  REFUSED("false", "10306", "Bad padding or ciphertext") },
	{ "a piece of one", ONE("DECRYPT", "a", "AES", ""), 100001,
	  REFUSED("false", "10306", "Bad padding or ciphertext") },
	{ "nothing to verify", ONE("MACV", "h", "HmacSHA1", ""), 16,
	  REFUSED("false", "10003", "Missing element: Value") },
	{ "no value", ONE("MACV", "h", "HmacSHA1", "<Value>0</Value>"), 16,
	  REFUSED("false", "10004", "Invalid value for element: Value") },
	{ "a value that nobody asked for", ONE("MAC", "h", "HmacSHA1", "<Value>00</Value>"), 16,
	  REFUSED("false", "10004", "Invalid value for element: Value") },
	{ "an IV for a MAC", ONE("MAC", "h", "HmacSHA1", "<IV>" IV "</IV>"), 16,
	  REFUSED("false", "10304", "Invalid IV") },
	{ "its twin", ONE("MAC", "h", "HmacSHA1", ""), 0, NULL },
};
/* clang-format on */

/* Its data is passed over, and the next request is answered. */
static void
test_refusals(void **state)
{
	static const uint8_t data[100001];
	struct bytes answer;
	size_t k;

	(void)state;
	(void)import_key("a", "AES-128", AES_128, false);
	(void)import_key("h", "HmacSHA1", B20, false);
	desk_call(&desk);
	for (k = 0; k < LENGTH(refusals); k++) {
		answer = ask(refusals[k].header,
		    (struct bytes){data, refusals[k].data_octets});
		if (refusals[k].want != NULL)
			assert_answer(
			    refusals[k].what, answer, refusals[k].want);
		else
			expect(&answer, WELL "<Data>");
		assert_false(desk.finished);
	}
}

/* ---- versions ---- */

/* spec: nae-xml 2.5  1, then the number; there or not, and the right one */
static void
test_marks(void **state)
{
	struct bytes plain = bytes_of_text("attack at dawn");
	struct bytes first, second, bad;

	(void)state;
	(void)import_key("v", "AES-128", AES_128, true);
	desk_call(&desk);
	first = made("ENCRYPT", "v", "AES", "", plain);
	assert_int_equal(first.octets, 3 + 16);
	assert_memory_equal(first.at, "\x01\x00\x01", 3);
	new_version("v");
	second = made("ENCRYPT", "v", "AES", "", plain);
	assert_memory_equal(second.at, "\x01\x00\x02", 3);
	assert_memory_not_equal(first.at + 3, second.at + 3, 16);
	/* an older one, asked for */
	assert_octets(made("ENCRYPT", "v#1", "AES", "", plain), first);

	assert_octets(made("DECRYPT", "v", "AES", "", first), plain);
	assert_octets(made("DECRYPT", "v", "AES", "", second), plain);
	assert_octets(made("DECRYPT", "v#1", "AES", "", first), plain);
	assert_answer("another version's",
	    ask(header_of("DECRYPT", "v#2", "AES", ""), first),
	    REFUSED("false", "10306", "Bad padding or ciphertext"));
	assert_answer("no mark",
	    ask(header_of("DECRYPT", "v", "AES", ""),
		(struct bytes){first.at + 3, 16}),
	    REFUSED("false", "10306", "Bad padding or ciphertext"));
	assert_answer("half a mark",
	    ask(header_of("DECRYPT", "v", "AES", ""),
		(struct bytes){first.at, 2}),
	    REFUSED("false", "10306", "Bad padding or ciphertext"));
	bad = hex("01000300112233445566778899AABBCCDDEEFF");
	assert_answer("a version that is not there",
	    ask(header_of("DECRYPT", "v", "AES", ""), bad),
	    REFUSED("false", "10207", "Key version not found"));
	assert_answer("nor to encrypt",
	    ask(header_of("ENCRYPT", "v#3", "AES", ""), plain),
	    REFUSED("false", "10207", "Key version not found"));
}

static struct bytes
verify(const char *key, struct bytes value, struct bytes data)
{
	const char *more;

	assert_ok(arena_printf(
	    arena, &more, "<Value>%s</Value>", text_of_hex(value)));
	return ask(header_of("MACV", key, "HmacSHA1", more), data);
}

static void
test_marks_of_macs(void **state)
{
	struct bytes data = bytes_of_text("attack at dawn");
	struct bytes first, second;

	(void)state;
	(void)import_key("w", "HmacSHA1", B20, true);
	new_version("w");
	desk_call(&desk);
	first = made("MAC", "w#1", "HmacSHA1", "", data);
	second = made("MAC", "w", "HmacSHA1", "", data);
	assert_int_equal(first.octets, 3 + 20);
	assert_memory_equal(first.at, "\x01\x00\x01", 3);
	assert_answer(
	    "the first's", verify("w", first, data), VERIFIED("true"));
	assert_answer(
	    "the second's", verify("w", second, data), VERIFIED("true"));
	assert_answer(
	    "asked for", verify("w#1", first, data), VERIFIED("true"));
	assert_answer("another was asked for", verify("w#2", first, data),
	    VERIFIED("false"));
	first.at += 3;
	first.octets -= 3;
	assert_answer("no mark", verify("w", first, data), VERIFIED("false"));
	first.octets = 1;
	assert_answer("an octet", verify("w", first, data), VERIFIED("false"));
}

/* req: KS-28-045 KS-28-186  what a version in which state does */
static void
test_states(void **state)
{
	static const struct {
		enum card_state state;
		bool encrypts, decrypts;
	} rows[] = {
	    {CARD_ACTIVE, true, true},
	    {CARD_RESTRICTED, false, true},
	    {CARD_RETIRED, false, false},
	};
	static const char no[] =
	    REFUSED("false", "10208", "Key version state forbids operation");
	struct bytes plain = bytes_of_text("attack at dawn");
	struct bytes coded, mac;
	size_t k;

	(void)state;
	(void)import_key("v", "AES-128", AES_128, true);
	(void)import_key("w", "HmacSHA1", B20, true);
	new_version("v");
	new_version("w");
	desk_call(&desk);
	coded = made("ENCRYPT", "v#1", "AES", "", plain);
	mac = made("MAC", "w#1", "HmacSHA1", "", plain);
	for (k = 0; k < LENGTH(rows); k++) {
		set_version("v", 1, rows[k].state);
		set_version("w", 1, rows[k].state);
		if (rows[k].encrypts) {
			assert_octets(
			    made("ENCRYPT", "v#1", "AES", "", plain), coded);
			assert_octets(
			    made("MAC", "w#1", "HmacSHA1", "", plain), mac);
		} else {
			assert_answer("encrypts",
			    ask(header_of("ENCRYPT", "v#1", "AES", ""), plain),
			    no);
			assert_answer("MAC",
			    ask(header_of("MAC", "w#1", "HmacSHA1", ""), plain),
			    no);
		}
		if (rows[k].decrypts) {
			assert_octets(
			    made("DECRYPT", "v", "AES", "", coded), plain);
			assert_answer("verifies", verify("w", mac, plain),
			    VERIFIED("true"));
		} else {
			assert_answer("decrypts",
			    ask(header_of("DECRYPT", "v", "AES", ""), coded),
			    no);
			assert_answer("verifies", verify("w", mac, plain), no);
		}
	}
}

/* Newest first; those that are not active are left out. */
static void
test_all_versions(void **state)
{
	struct bytes plain = bytes_of_text("attack at dawn");
	struct bytes answer, one;
	uint32_t number;
	unsigned k;

	(void)state;
	(void)import_key("v", "AES-128", AES_128, true);
	for (k = 0; k < 99; k++)
		new_version("v");
	set_version("v", 7, CARD_RESTRICTED);
	set_version("v", 8, CARD_RETIRED);
	desk_call(&desk);
	answer = ask(header_of("ENCRYPT", "v#all", "AES", ""), plain);
	expect(&answer, "<CryptoResponse><Success>true</Success>"
			"<ResultCount>98</ResultCount></CryptoResponse>");
	for (number = 100; number != 0; number--) {
		if (number == 7 || number == 8)
			continue;
		one = take_data(&answer);
		assert_int_equal(one.octets, 3 + 16);
		assert_int_equal(one.at[0], 1);
		assert_int_equal(one.at[1] << 8 | one.at[2], number);
	}
	assert_int_equal(answer.octets, 0);
	/* the last of them is what it is alone */
	assert_octets(one, made("ENCRYPT", "v#1", "AES", "", plain));
}

/* What all versions make together has a limit, and it is the end. */
static void
test_all_versions_have_a_limit(void **state)
{
	static const uint8_t data[(2 << 20) + 1];
	struct bytes answer;

	(void)state;
	(void)import_key("v", "AES-128", AES_128, true);
	new_version("v");
	desk_call(&desk);
	answer = ask(header_of("ENCRYPT", "v#all", "AES/CBC/NoPadding", ""),
	    (struct bytes){data, sizeof(data) - 1});
	expect(&answer, "<CryptoResponse><Success>true</Success>"
			"<ResultCount>2</ResultCount></CryptoResponse>");
	assert_int_equal(take_data(&answer).octets, 3 + (2 << 20));
	assert_int_equal(take_data(&answer).octets, 3 + (2 << 20));
	assert_answer("an octet more",
	    ask(header_of("ENCRYPT", "v#all", "AES/CBC/PKCS5Padding", ""),
		(struct bytes){data, sizeof(data)}),
	    REFUSED("true", "10005", "Request too large"));
	assert_true(desk.finished);
}

/* ---- batches ---- */

/* Those that fail, each for its reason, leave the others alone. */
static void
test_batch(void **state)
{
	static const char header[] = OPERATION("ENCRYPT", "a", "AES",
	    "") OPERATION("ENCRYPT", "nokey", "AES", "") OPERATION("DECRYPT",
	    "a", "AES", "") OPERATION("MAC", "h", "HmacSHA1",
	    "") "<Operation><KeyName>a</KeyName></Operation>" OPERATION("MACV",
	    "h", "HmacSHA1", "<Value>" MAC "</Value>")
	    OPERATION("ENCRYPT", "v#all", "AES", "")
		OPERATION("ENCRYPT", "a", "AES/ECB/NoPadding", "");
	struct bytes data = bytes_of_text("Hi There");
	struct buf request;
	struct bytes answer, one;
	size_t k;

	(void)state;
	(void)import_key("a", "AES-128", AES_128, false);
	(void)import_key("h", "HmacSHA1", B20, false);
	(void)import_key("v", "AES-128", AES_128, true);
	new_version("v");
	desk_call(&desk);
	one = made("ENCRYPT", "a", "AES", "", data);
	buf_init(&request, 1 << 16);
	assert_ok(buf_printf(
	    &request, "<CryptoRequest><ID>b</ID>%s</CryptoRequest>", header));
	for (k = 0; k < 8; k++)
		put_data(&request, data, 5);
	/* what comes behind it is not lost */
	assert_ok(buf_put_text(&request, "<DeviceInfoRequest/>"));
	answer = ask_portions(buf_peek(&request), 11);
	expect(&answer,
	    "<CryptoResponse><ID>b</ID><Success>true</Success>" RESULT(
		"<Success>true</Success>") RESULT_ERROR("10201",
		"Key not found") RESULT_ERROR("10306",
		"Bad padding or ciphertext") RESULT("<Success>true</Success>")
		RESULT_ERROR("10003", "Missing element: Action") RESULT(
		    "<Success>true</Success><Verified>true</Verified>")
		    RESULT(
			"<Success>true</Success><ResultCount>2</ResultCount>")
			RESULT_ERROR("10305",
			    "Invalid data length") "</CryptoResponse>");
	assert_octets(take_data(&answer), one);
	assert_octets(take_data(&answer), hex(MAC));
	assert_memory_equal(take_data(&answer).at, "\x01\x00\x02", 3);
	assert_memory_equal(take_data(&answer).at, "\x01\x00\x01", 3);
	expect(&answer, "<DeviceInfoResponse>");
	buf_clear(&request);
}

/* A thousand operations, and one more. */
static void
test_batch_of_a_thousand(void **state)
{
	size_t count, k;
	struct buf request;
	struct bytes answer;

	(void)state;
	(void)import_key("h", "HmacSHA1", B20, false);
	buf_init(&request, 1 << 20);
	for (count = 1000; count <= 1001; count++) {
		desk_call(&desk);
		buf_reset(&request);
		assert_ok(buf_put_text(&request, "<CryptoRequest>"));
		for (k = 0; k < count; k++)
			assert_ok(buf_put_text(
			    &request, OPERATION("MAC", "h", "HmacSHA1", "")));
		assert_ok(buf_put_text(&request, "</CryptoRequest>"));
		for (k = 0; k < count; k++)
			put_data(&request, bytes_of_text("x"), 1);
		answer = ask_portions(buf_peek(&request), SIZE_MAX);
		if (count == 1000)
			expect(&answer,
			    "<CryptoResponse><Success>true</Success><Result>");
		else
			assert_answer("too many", answer,
			    REFUSED("false", "10004",
				"Invalid value for element: Operation"));
		assert_false(desk.finished);
	}
	buf_clear(&request);
}

static void
test_batch_and_one_do_not_mix(void **state)
{
	(void)state;
	(void)import_key("h", "HmacSHA1", B20, false);
	desk_call(&desk);
	assert_answer("mixed",
	    ask("<KeyName>h</KeyName>" OPERATION("MAC", "h", "HmacSHA1", ""),
		BYTES_NONE),
	    REFUSED("false", "10004", "Invalid value for element: KeyName"));
}

/* ---- counting ---- */

static void
test_operations_are_counted(void **state)
{
	const struct statistics_tally *crypto =
	    nae_statistic(desk.nae, STAT_CRYPTO);
	const struct statistics_tally *total =
	    nae_statistic(desk.nae, STAT_TOTAL);
	struct buf request;

	(void)state;
	(void)import_key("h", "HmacSHA1", B20, false);
	(void)import_key("v", "AES-128", AES_128, true);
	new_version("v");
	desk_call(&desk);
	(void)ask(header_of("MAC", "h", "HmacSHA1", ""), BYTES_NONE);
	assert_int_equal(crypto->successful, 1);
	(void)ask(header_of("MAC", "nokey", "HmacSHA1", ""), BYTES_NONE);
	assert_int_equal(crypto->failed, 1);
	(void)ask(header_of("ENCRYPT", "v#all", "AES", ""), BYTES_NONE);
	assert_int_equal(crypto->successful, 3);
	assert_int_equal(total->successful, 2);
	assert_int_equal(total->failed, 1);
	buf_init(&request, 4096);
	assert_ok(buf_put_text(&request,
	    "<CryptoRequest>" OPERATION("MAC", "h", "HmacSHA1", "")
		OPERATION("MAC", "nokey", "HmacSHA1", "") OPERATION("MAC", "h",
		    "HmacSHA1", "") "</CryptoRequest><Data/><Data/><Data/>"));
	(void)ask_portions(buf_peek(&request), SIZE_MAX);
	assert_int_equal(crypto->successful, 5);
	assert_int_equal(crypto->failed, 2);
	assert_int_equal(total->successful, 3);
	buf_clear(&request);
}

/* ---- those who take long ---- */

static void
hold_up(void *ctx)
{
	sem_t *go_on = ctx;

	(void)sem_wait(go_on);
}

static void
held_up(void *ctx, enum err rc)
{
	(void)ctx;
	(void)rc;
}

/* All workers make key pairs: signatures do not wait for them. */
static void
test_signatures_do_not_wait_for_key_pairs(void **state)
{
	sem_t go_on;

	(void)state;
	(void)import_key("r", "RSA-512", RSA_512, false);
	desk_call(&desk);
	assert_int_equal(sem_init(&go_on, 0, 0), 0);
	assert_ok(loop_submit(desk.workers, hold_up, held_up, &go_on));
	assert_octets(made("SIGN", "r", "RSA", "", bytes_of_text("Hi There")),
	    hex(SIGNED_SHA1));
	assert_int_equal(sem_post(&go_on), 0);
	loop_end_jobs(desk.bench.rig.loop);
	(void)sem_destroy(&go_on);
}

/* ---- the master key ---- */

/* Not kept: the HSM lends it to each operation, and to no more. */
static void
test_without_the_key_cache(void **state)
{
	static const char batch[] = OPERATION("ENCRYPT", "v", "AES", "")
	    OPERATION("DECRYPT", "v", "AES", "")
		OPERATION("ENCRYPT", "v#all", "AES", "");
	struct bytes plain = bytes_of_text("attack at dawn");
	struct buf request;
	struct bytes coded, answer;

	(void)state;
	(void)import_key("v", "AES-128", AES_128, true);
	new_version("v");
	desk_call(&desk);
	coded = made("ENCRYPT", "v#1", "AES", "", plain);
	keystore_set_cache(desk.keystore, false);
	assert_octets(made("ENCRYPT", "v#1", "AES", "", plain), coded);
	assert_octets(made("DECRYPT", "v", "AES", "", coded), plain);
	buf_init(&request, 4096);
	assert_ok(
	    buf_printf(&request, "<CryptoRequest>%s</CryptoRequest>", batch));
	put_data(&request, plain, 3);
	put_data(&request, coded, 1);
	put_data(&request, plain, SIZE_MAX);
	answer = ask_portions(buf_peek(&request), 7);
	expect(&answer,
	    "<CryptoResponse><Success>true</Success>" RESULT(
		"<Success>true</Success>") RESULT("<Success>true</Success>")
		RESULT("<Success>true</Success><ResultCount>2</"
		       "ResultCount>") "</CryptoResponse>");
	assert_int_equal(take_data(&answer).octets, 3 + 16);
	assert_octets(take_data(&answer), plain);
	assert_memory_equal(take_data(&answer).at, "\x01\x00\x02", 3);
	assert_octets(take_data(&answer), coded);
	assert_int_equal(answer.octets, 0);
	buf_clear(&request);
}

static void
test_without_the_hsm(void **state)
{
	struct bytes data = bytes_of_text("Hi There");

	(void)state;
	(void)import_key("h", "HmacSHA1", B20, false);
	desk_call(&desk);
	keystore_logout(desk.keystore);
	assert_answer("logged out",
	    ask(header_of("MAC", "h", "HmacSHA1", ""), data),
	    REFUSED("false", "10903", "HSM unavailable"));
	assert_false(desk.finished);
	keystore_login(desk.keystore);
	assert_true(keystore_probe_begin(desk.keystore));
	keystore_probe_work(desk.keystore);
	keystore_probe_done(desk.keystore, OK);
	assert_octets(made("MAC", "h", "HmacSHA1", "", data), hex(MAC));
}

/* ---- limits ---- */

/* One operation's data has a limit; the data of each in a batch its own. */
static void
test_data_limit(void **state)
{
	static const uint8_t data[1001];
	struct bytes answer;

	(void)state;
	(void)import_key("h", "HmacSHA1", B20, false);
	desk.config.data_octets = 1000;
	desk_anew(&desk);
	desk_call(&desk);
	answer = ask(
	    header_of("MAC", "h", "HmacSHA1", ""), (struct bytes){data, 1000});
	expect(&answer, WELL "<Data>");
	assert_answer("an octet more",
	    ask(header_of("MAC", "h", "HmacSHA1", ""),
		(struct bytes){data, 1001}),
	    REFUSED("true", "10005", "Request too large"));
	assert_true(desk.finished);
}

/* The peer goes away at any point of a request. */
static void
test_hang_up_anywhere(void **state)
{
	static const char header[] =
	    "<CryptoRequest>" OPERATION("ENCRYPT", "v#all", "AES", "")
		OPERATION("DECRYPT", "v", "AES",
		    "") "</CryptoRequest><Data><Size>4</Size>abcd</Data>"
			"<Data><Size>4</Size>abcd</Data>";
	size_t octets;

	(void)state;
	(void)import_key("v", "AES-128", AES_128, true);
	for (octets = 0; octets < sizeof(header); octets++) {
		struct bytes in = {(const uint8_t *)header, octets};

		desk_call(&desk);
		nae_feed(desk.conn, &in);
		desk_hang_up(&desk);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_known_answer),
	    TEST(test_there_and_back),
	    TEST(test_default_iv),
	    TEST(test_seed),
	    TEST(test_macs),
	    TEST(test_rsa),
	    TEST(test_rsa_in_a_batch),
	    TEST(test_refusals),
	    TEST(test_marks),
	    TEST(test_marks_of_macs),
	    TEST(test_states),
	    TEST(test_all_versions),
	    TEST(test_all_versions_have_a_limit),
	    TEST(test_batch),
	    TEST(test_batch_of_a_thousand),
	    TEST(test_batch_and_one_do_not_mix),
	    TEST(test_operations_are_counted),
	    TEST(test_signatures_do_not_wait_for_key_pairs),
	    TEST(test_without_the_key_cache),
	    TEST(test_without_the_hsm),
	    TEST(test_data_limit),
	    TEST(test_hang_up_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
