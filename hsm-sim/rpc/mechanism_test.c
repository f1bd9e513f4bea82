#include "rpc/mechanism.h"

#include "base/mem.h"
#include "rpc/hex_test.h"

static uint8_t iv[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static uint8_t aad[] = {0xaa, 0xbb};
static CK_GCM_PARAMS gcm = {iv, sizeof(iv), 96, aad, sizeof(aad), 128};
static CK_GCM_PARAMS gcm_bare = {NULL, 0, 0, NULL, 7, 128};
static CK_AES_CTR_PARAMS ctr = {
    32, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
static CK_RSA_PKCS_OAEP_PARAMS oaep = {
    CKM_SHA256, CKG_MGF1_SHA256, 1, aad, sizeof(aad)};
static CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
static CK_ECDH1_DERIVE_PARAMS ecdh = {CKD_NULL, 0, NULL, sizeof(aad), aad};
static CK_KEY_DERIVATION_STRING_DATA string = {aad, sizeof(aad)};
static CK_DES_CBC_ENCRYPT_DATA_PARAMS iv8_data = {
    {1, 2, 3, 4, 5, 6, 7, 8}, aad, sizeof(aad)};
static CK_AES_CBC_ENCRYPT_DATA_PARAMS iv16_data = {
    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, aad, sizeof(aad)};
static CK_ULONG mac_octets = 4;

/* What goes, the octets that it is, and its shape where that is less. */
static const struct {
	const char *name;
	CK_MECHANISM in;
	const char *octets;
	const char *shape;
} goes[] = {
    {"GCM", {CKM_AES_GCM, &gcm, sizeof(gcm)},
	"01 #1087 03  01 #c 0102030405060708090a0b0c #60  01 #2 aabb #80",
	"01 #1087 03  01 #c #60  01 #2 #80"},
    {"GCM without pointers", {CKM_AES_GCM, &gcm_bare, sizeof(gcm_bare)},
	"01 #1087 03  00 #0 #0  00 #7 #80", NULL},
    {"GCM of another length", {CKM_AES_GCM, &gcm, sizeof(gcm) - 1},
	"01 #1087 00 #2f", NULL},
    {"GCM without a parameter", {CKM_AES_GCM, NULL, 0}, "01 #1087 00 #0", NULL},
    {"CTR", {CKM_AES_CTR, &ctr, sizeof(ctr)},
	"01 #1086 03 #20 000102030405060708090a0b0c0d0e0f", "01 #1086 03 #20"},
    {"OAEP", {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)},
	"01 #9 03 #250 #2 #1 01 #2 aabb", "01 #9 03 #250 #2 #1 01 #2"},
    {"PSS", {CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof(pss)},
	"01 #43 03 #250 #2 #20", NULL},
    {"ECDH", {CKM_ECDH1_DERIVE, &ecdh, sizeof(ecdh)},
	"01 #1050 03 #1 00 #0 01 #2 aabb", "01 #1050 03 #1 00 #0 01 #2"},
    {"string data", {CKM_AES_ECB_ENCRYPT_DATA, &string, sizeof(string)},
	"01 #1104 03 01 #2 aabb", "01 #1104 03 01 #2"},
    {"an IV of 8 and data",
	{CKM_DES3_CBC_ENCRYPT_DATA, &iv8_data, sizeof(iv8_data)},
	"01 #1103 03 0102030405060708 01 #2 aabb", "01 #1103 03 01 #2"},
    {"an IV of 16 and data",
	{CKM_AES_CBC_ENCRYPT_DATA, &iv16_data, sizeof(iv16_data)},
	"01 #1105 03 0102030405060708090a0b0c0d0e0f10 01 #2 aabb",
	"01 #1105 03 01 #2"},
    {"an IV", {CKM_AES_CBC, iv, 3}, "01 #1082 01 #3 010203", "01 #1082 01 #3"},
    {"an IV of no octets", {CKM_AES_CBC, iv, 0}, "01 #1082 01 #0", NULL},
    {"key wrap's IV", {CKM_AES_KEY_WRAP_PAD, iv, 2}, "01 #210a 01 #2 0102",
	"01 #210a 01 #2"},
    {"the length of a MAC", {CKM_AES_MAC_GENERAL, &mac_octets, 8},
	"01 #1084 02 #4", NULL},
    {"the same, of another length", {CKM_AES_MAC_GENERAL, &mac_octets, 4},
	"01 #1084 00 #4", NULL},
    {"nothing", {CKM_AES_ECB, NULL, 0}, "01 #1081 00 #0", NULL},
    {"a vendor's, with a pointer to nothing", {0x80001234, iv, 0},
	"01 #80001234 00 #0", NULL},
};

static void
a_mechanism_is_these_octets(void **state)
{
	struct buf out;
	size_t k;

	(void)state;
	buf_init(&out, HEX_OCTETS_MAX);
	for (k = 0; k < sizeof(goes) / sizeof(goes[0]); k++) {
		assert_int_equal(mechanism_write(&goes[k].in, true, &out), OK);
		assert_hex(goes[k].name, buf_peek(&out), goes[k].octets);
		buf_reset(&out);
		assert_int_equal(mechanism_write(&goes[k].in, false, &out), OK);
		assert_hex(goes[k].name, buf_peek(&out),
		    goes[k].shape != NULL ? goes[k].shape : goes[k].octets);
		buf_reset(&out);
	}
	assert_int_equal(mechanism_write(NULL, true, &out), OK);
	assert_hex("none", buf_peek(&out), "00");
	buf_clear(&out);
}

/* One octet, of what may be a pointer. */
static void
a_parameter_that_nobody_knows_does_not_go(void **state)
{
	static const CK_MECHANISM strange[] = {
	    {0x80001234, iv, 1},
	    {0x80001234, NULL, 1},
	    {CKM_AES_ECB, iv, 12},
	    {CKM_SHA256, iv, 1},
	};
	struct buf out;
	size_t k;

	(void)state;
	buf_init(&out, HEX_OCTETS_MAX);
	for (k = 0; k < sizeof(strange) / sizeof(strange[0]); k++)
		assert_int_equal(
		    mechanism_write(&strange[k], true, &out), ERR_CHOICE);
	buf_clear(&out);
}

/* What is read is written as it was, and each of its octets is needed. */
static void
a_mechanism_comes_as_it_went(void **state)
{
	struct arena *arena;
	struct buf again;
	size_t k, cut;

	(void)state;
	assert_int_equal(arena_new(1 << 20, &arena), OK);
	buf_init(&again, HEX_OCTETS_MAX);
	for (k = 0; k < sizeof(goes) / sizeof(goes[0]); k++) {
		struct hex h = hex(goes[k].octets);
		struct bytes in = {h.at, h.octets};
		CK_MECHANISM *m;

		assert_int_equal(mechanism_read(arena, &in, &m), OK);
		assert_int_equal(in.octets, 0);
		assert_int_equal(m->mechanism, goes[k].in.mechanism);
		assert_int_equal(m->ulParameterLen, goes[k].in.ulParameterLen);
		assert_int_equal(mechanism_write(m, true, &again), OK);
		assert_hex(goes[k].name, buf_peek(&again), goes[k].octets);
		buf_reset(&again);
		for (cut = 0; cut < h.octets; cut++) {
			in = (struct bytes){h.at, cut};
			assert_int_equal(
			    mechanism_read(arena, &in, &m), ERR_TRUNCATED);
		}
		arena_reset(arena);
	}
	buf_clear(&again);
	arena_free(arena);
}

static void
what_is_no_mechanism_is_refused(void **state)
{
	static const struct {
		const char *name;
		const char *octets;
		enum err want;
	} rows[] = {
	    {"a flag of 2", "02 #1081 00 #0", ERR_VALUE},
	    {"GCM as octets", "01 #1087 01 #0", ERR_CHOICE},
	    {"an IV as a number", "01 #1082 02 #0", ERR_CHOICE},
	    {"a number as octets", "01 #1084 01 #8 #4", ERR_CHOICE},
	    {"a vendor's with octets", "01 #80001234 01 #1 00", ERR_CHOICE},
	    {"a vendor's with a length", "01 #80001234 00 #1", ERR_CHOICE},
	    {"a form that there is not", "01 #1087 04 #0", ERR_CHOICE},
	    {"a pointer's flag of 2", "01 #1087 03  02 #0 #0  00 #0 #80",
		ERR_VALUE},
	    {"an IV longer than what there is",
		"01 #1087 03  01 #ffffffffffffffff 00", ERR_LIMIT},
	    {"octets longer than what there is",
		"01 #1082 01 #ffffffffffffffff 00", ERR_TRUNCATED},
	};
	struct arena *arena;
	size_t k;

	(void)state;
	assert_int_equal(arena_new(1 << 20, &arena), OK);
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct hex h = hex(rows[k].octets);
		struct bytes in = {h.at, h.octets};
		CK_MECHANISM *m;

		print_message("%s\n", rows[k].name);
		assert_int_equal(mechanism_read(arena, &in, &m), rows[k].want);
		assert_null(m);
	}
	arena_free(arena);
}

static void
rows_are_sorted(void **state)
{
	static const CK_MECHANISM_TYPE types[] = {
#define MECHANISM(type, parameter) type,
#include "rpc/mechanism.def"
#undef MECHANISM
	};
	size_t k;

	(void)state;
	for (k = 1; k < sizeof(types) / sizeof(types[0]); k++)
		assert_true(types[k - 1] < types[k]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mechanism_is_these_octets),
	    cmocka_unit_test(a_parameter_that_nobody_knows_does_not_go),
	    cmocka_unit_test(a_mechanism_comes_as_it_went),
	    cmocka_unit_test(what_is_no_mechanism_is_refused),
	    cmocka_unit_test(rows_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
