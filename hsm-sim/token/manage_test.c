#include "token/rig_test.h"

static struct token_rig rig;
static CK_SESSION_HANDLE s; /* of application a, the user logged in */

static int
group_up(void **state)
{
	(void)state;
	token_rig_init(&rig);
	return 0;
}

static int
group_down(void **state)
{
	(void)state;
	token_rig_clear(&rig);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	token_rig_start(&rig);
	s = rig_user(rig.a);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	token_rig_stop(&rig);
	return 0;
}

static CK_ULONG
find(CK_ATTRIBUTE *templ, CK_ULONG n)
{
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count = 0;

	assert_int_equal(token_C_FindObjectsInit(rig.a, s, templ, n), CKR_OK);
	assert_int_equal(
	    token_C_FindObjects(rig.a, s, found, 64, &count), CKR_OK);
	assert_int_equal(token_C_FindObjectsFinal(rig.a, s), CKR_OK);
	return count;
}

static void
destroy(CK_OBJECT_HANDLE object)
{
	assert_int_equal(token_C_DestroyObject(rig.a, s, object), CKR_OK);
}

/* ---- searching ---- */

static void
searches_compare_every_attribute(void **state)
{
	CK_OBJECT_HANDLE token_key = rig_aes(rig.a, s, "one", true);
	CK_OBJECT_HANDLE session_key = rig_aes(rig.a, s, "one", false);
	CK_OBJECT_HANDLE data = rig_data(rig.a, s, "one", true);
	CK_OBJECT_CLASS secret = CKO_SECRET_KEY, any_data = CKO_DATA;
	CK_KEY_TYPE aes = CKK_AES, des = CKK_DES;
	CK_ULONG len32 = 32, len16 = 16;
	const struct {
		CK_ATTRIBUTE more;
		CK_ULONG want;
	} cases[] = {
	    {LABEL("one"), 3}, {{CKA_CLASS, &secret, sizeof(secret)}, 2},
	    {{CKA_CLASS, &any_data, sizeof(any_data)}, 1}, {YES(CKA_TOKEN), 2},
	    {NO(CKA_TOKEN), 1}, {YES(CKA_PRIVATE), 2}, {NO(CKA_PRIVATE), 1},
	    {{CKA_KEY_TYPE, &aes, sizeof(aes)}, 2},
	    {{CKA_KEY_TYPE, &des, sizeof(des)}, 0},
	    {{CKA_VALUE_LEN, &len32, sizeof(len32)}, 2},
	    {{CKA_VALUE_LEN, &len16, sizeof(len16)}, 0},
	    {{CKA_VALUE_LEN, &len32, 4}, 0},
	    {{CKA_VALUE, octets("value"), 5}, 1},
	    {{CKA_VALUE, octets("valued"), 6}, 0},
	    {{CKA_ID, NULL, 0}, 2}, /* data has none, keys an empty one */
	};
	CK_ATTRIBUTE templ[2] = {LABEL("one")};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		templ[1] = cases[i].more;
		if (find(templ, i == 0 ? 1 : 2) != cases[i].want)
			fail_msg("case %zu: %lu, not %lu", i,
			    find(templ, i == 0 ? 1 : 2), cases[i].want);
		/* The attribute alone finds them too. */
		if (i > 0 && find(&templ[1], 1) != cases[i].want)
			fail_msg("case %zu alone", i);
	}
	destroy(token_key);
	destroy(session_key);
	destroy(data);
	assert_int_equal(find(templ, 1), 0);
}

/* Who may not read a value may not try values either. */
static void
secret_values_are_not_found(void **state)
{
	CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
	CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE templ[] = {
	    {CKA_CLASS, &secret, sizeof(secret)},
	    {CKA_KEY_TYPE, &generic, sizeof(generic)},
	    {CKA_VALUE, octets("0123456789abcdef"), 16},
	    YES(CKA_SENSITIVE),
	    YES(CKA_EXTRACTABLE),
	};
	CK_OBJECT_HANDLE key;

	(void)state;
	assert_int_equal(
	    token_C_CreateObject(rig.a, s, templ, 5, &key), CKR_OK);
	assert_int_equal(find(templ, 2), 1);
	assert_int_equal(find(templ, 3), 0);
	destroy(key);
	templ[3].pValue = &rig_no;
	assert_int_equal(
	    token_C_CreateObject(rig.a, s, templ, 5, &key), CKR_OK);
	assert_int_equal(find(templ, 3), 1);
	destroy(key);
}

static void
search_is_one_at_a_time(void **state)
{
	CK_OBJECT_HANDLE one = rig_data(rig.a, s, "x", false);
	CK_OBJECT_HANDLE two = rig_data(rig.a, s, "x", false), found;
	CK_ATTRIBUTE label = LABEL("x");
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_ULONG count;

	(void)state;
	assert_int_equal(token_C_FindObjects(rig.a, s, &found, 1, &count),
	    CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(token_C_FindObjectsInit(rig.a, s, &label, 1), CKR_OK);
	assert_int_equal(
	    token_C_FindObjectsInit(rig.a, s, &label, 1), CKR_OPERATION_ACTIVE);
	assert_int_equal(
	    token_C_DigestInit(rig.a, s, &sha), CKR_OPERATION_ACTIVE);
	assert_int_equal(
	    token_C_FindObjects(rig.a, s, NULL, 1, &count), CKR_ARGUMENTS_BAD);
	assert_int_equal(
	    token_C_FindObjects(rig.a, s, &found, 1, &count), CKR_OK);
	assert_int_equal(count, 1);
	/* One that goes meanwhile is not found. */
	destroy(found == one ? two : one);
	assert_int_equal(
	    token_C_FindObjects(rig.a, s, &found, 1, &count), CKR_OK);
	assert_int_equal(count, 0);
	assert_int_equal(token_C_FindObjectsFinal(rig.a, s), CKR_OK);
	assert_int_equal(
	    token_C_FindObjectsFinal(rig.a, s), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(token_C_DigestInit(rig.a, s, &sha), CKR_OK);
	assert_int_equal(
	    token_C_FindObjectsInit(rig.a, s, &label, 1), CKR_OPERATION_ACTIVE);
}

/* What was on the token before this application, and before the power. */
static void
objects_are_there_after_a_restart(void **state)
{
	CK_OBJECT_HANDLE key = rig_aes(rig.a, s, "stays", true), found;
	CK_OBJECT_HANDLE data = rig_data(rig.a, s, "stays", true);
	struct token_storage before, after;

	(void)state;
	(void)key;
	(void)data;
	assert_int_equal(token_storage(rig.token, 1, &before), CARD_OK);
	assert_true(before.known);
	token_rig_stop(&rig);
	card_rig_off(&rig.card);
	card_rig_on(&rig.card);
	token_rig_start(&rig);
	/* Private objects are nobody's business yet. */
	s = rig_session(rig.a, CKF_RW_SESSION);
	assert_int_equal(rig_find(rig.a, s, "stays", &found), 1);
	assert_int_equal(token_storage(rig.token, 1, &after), CARD_OK);
	assert_false(after.known);
	assert_int_equal(rig_login(rig.a, s, CKU_USER, USER_PIN), CKR_OK);
	assert_int_equal(rig_find(rig.a, s, "stays", &found), 2);
	assert_int_equal(token_storage(rig.token, 1, &after), CARD_OK);
	assert_true(after.known);
	assert_int_equal(after.used_octets, before.used_octets);
	assert_int_equal(after.objects, before.objects);
	/* And they are counted while it is logged out again. */
	assert_int_equal(token_C_Logout(rig.a, s), CKR_OK);
	assert_int_equal(rig_find(rig.a, s, "stays", &found), 1);
	assert_int_equal(token_storage(rig.token, 1, &after), CARD_OK);
	assert_true(after.known);
	assert_int_equal(after.used_octets, before.used_octets);
	assert_int_equal(rig_login(rig.a, s, CKU_USER, USER_PIN), CKR_OK);
	while (rig_find(rig.a, s, "stays", &found) > 0)
		destroy(found);
}

/* ---- storage ---- */

static void
storage_is_used_and_given_back(void **state)
{
	struct token_storage empty, one, now;
	CK_OBJECT_HANDLE found, object;
	CK_TOKEN_INFO info;
	CK_ATTRIBUTE label = LABEL("a longer label");
	CK_ULONG size;

	(void)state;
	assert_int_equal(rig_find(rig.a, s, "none", &found), 0);
	assert_int_equal(token_storage(rig.token, 1, &empty), CARD_OK);
	assert_int_equal(token_storage(rig.token, 3, &now), CARD_ARGUMENT);
	object = rig_data(rig.a, s, "data", true);
	assert_int_equal(
	    token_C_GetObjectSize(rig.a, s, object, &size), CKR_OK);
	assert_int_equal(token_storage(rig.token, 1, &one), CARD_OK);
	assert_int_equal(one.used_octets, empty.used_octets + size);
	assert_int_equal(one.objects, empty.objects + 1);
	assert_int_equal(one.total_octets, empty.total_octets);
	assert_int_equal(token_C_GetTokenInfo(rig.a, 1, &info), CKR_OK);
	assert_int_equal(info.ulTotalPrivateMemory, one.total_octets);
	assert_int_equal(
	    info.ulFreePrivateMemory, one.total_octets - one.used_octets);
	assert_int_equal(info.ulFreePublicMemory, info.ulFreePrivateMemory);
	assert_int_equal(
	    token_C_SetAttributeValue(rig.a, s, object, &label, 1), CKR_OK);
	assert_int_equal(token_storage(rig.token, 1, &now), CARD_OK);
	assert_int_equal(now.used_octets, one.used_octets + 10);
	/* Session objects take nothing of it. */
	(void)rig_data(rig.a, s, "data", false);
	assert_int_equal(token_storage(rig.token, 1, &now), CARD_OK);
	assert_int_equal(now.objects, one.objects);
	destroy(object);
	assert_int_equal(token_storage(rig.token, 1, &now), CARD_OK);
	assert_int_equal(now.used_octets, empty.used_octets);
	assert_int_equal(now.objects, empty.objects);
}

static CK_RV
make_large(CK_ULONG octets_wanted, bool on_token, CK_OBJECT_HANDLE *object)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BYTE *value = calloc(octets_wanted, 1);
	CK_ATTRIBUTE templ[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_TOKEN, on_token ? &rig_yes : &rig_no, 1},
	    {CKA_VALUE, value, octets_wanted},
	};
	CK_RV rv = token_C_CreateObject(rig.a, s, templ, LENGTH(templ), object);

	free(value);
	return rv;
}

static void
storage_is_full(void **state)
{
	struct token_storage before, now;
	CK_OBJECT_HANDLE first, second;
	CK_ULONG size, room;

	(void)state;
	assert_int_equal(make_large(1, true, &first), CKR_OK);
	assert_int_equal(token_C_GetObjectSize(rig.a, s, first, &size), CKR_OK);
	assert_int_equal(token_storage(rig.token, 1, &before), CARD_OK);
	room = before.total_octets - before.used_octets - (size - 1);
	assert_int_equal(
	    make_large(room + 1, true, &second), CKR_DEVICE_MEMORY);
	assert_int_equal(token_storage(rig.token, 1, &now), CARD_OK);
	assert_int_equal(now.used_octets, before.used_octets);
	assert_int_equal(make_large(room, true, &second), CKR_OK);
	assert_int_equal(token_storage(rig.token, 1, &now), CARD_OK);
	assert_int_equal(now.used_octets, now.total_octets);
	destroy(second);
	destroy(first);
	/* An application's session objects have their bound too. */
	assert_int_equal(make_large(room, false, &second), CKR_OK);
	assert_int_equal(make_large(room, false, &first), CKR_DEVICE_MEMORY);
}

/* ---- templates ---- */

static void
templates_are_looked_at(void **state)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BYTE two[2] = {1, 1};
	CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
	CK_KEY_TYPE aes = CKK_AES;
	const struct {
		CK_ATTRIBUTE templ[4];
		CK_ULONG count;
		CK_RV want;
	} cases[] = {
	    {{{CKA_CLASS, &class, sizeof(class)}}, 1, CKR_OK},
	    {{LABEL("x")}, 1, CKR_TEMPLATE_INCOMPLETE},
	    {{{CKA_CLASS, &class, 4}}, 1, CKR_ATTRIBUTE_VALUE_INVALID},
	    {{{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, two, 2}}, 2,
		CKR_ATTRIBUTE_VALUE_INVALID},
	    {{{CKA_CLASS, &class, sizeof(class)}, {CKA_LABEL, NULL, 3}}, 2,
		CKR_ATTRIBUTE_VALUE_INVALID},
	    {{{CKA_CLASS, &class, sizeof(class)},
		 {CKA_LABEL, two, CK_UNAVAILABLE_INFORMATION}},
		2, CKR_ATTRIBUTE_VALUE_INVALID},
	    {{{CKA_CLASS, &class, sizeof(class)}, LABEL("x"), LABEL("y")}, 3,
		CKR_TEMPLATE_INCONSISTENT},
	    {{{CKA_CLASS, &secret, sizeof(secret)},
		 {CKA_KEY_TYPE, &aes, sizeof(aes)},
		 {CKA_VALUE, octets("0123456789abcdefg"), 17}},
		3, CKR_ATTRIBUTE_VALUE_INVALID},
	    {{{CKA_CLASS, &secret, sizeof(secret)},
		 {CKA_KEY_TYPE, &aes, sizeof(aes)},
		 {CKA_VALUE, octets("0123456789abcdef"), 16}},
		3, CKR_OK},
	    {{{CKA_CLASS, &secret, sizeof(secret)},
		 {CKA_KEY_TYPE, &aes, sizeof(aes)},
		 {CKA_VALUE, octets("0123456789abcdef"), 16},
		 YES(CKA_ALWAYS_AUTHENTICATE)},
		4, CKR_ATTRIBUTE_VALUE_INVALID},
	};
	CK_ATTRIBUTE many[TOKEN_ATTRIBUTES_MAX + 1];
	CK_OBJECT_HANDLE object;
	CK_RV rv;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(cases); i++) {
		CK_ATTRIBUTE templ[4];

		memcpy(templ, cases[i].templ, sizeof(templ));
		rv = token_C_CreateObject(
		    rig.a, s, templ, cases[i].count, &object);
		if (rv != cases[i].want)
			fail_msg(
			    "case %zu: 0x%lx, not 0x%lx", i, rv, cases[i].want);
	}
	memset(many, 0, sizeof(many));
	assert_int_equal(
	    token_C_CreateObject(rig.a, s, many, LENGTH(many), &object),
	    CKR_ARGUMENTS_BAD);
	assert_int_equal(token_C_CreateObject(rig.a, s, NULL, 1, &object),
	    CKR_ARGUMENTS_BAD);
}

static void
copies_stay_what_they_are(void **state)
{
	CK_OBJECT_HANDLE key = rig_aes(rig.a, s, "k", false), copy;
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE other_class = {CKA_CLASS, &class, sizeof(class)};
	CK_ATTRIBUTE public = NO(CKA_PRIVATE), label = LABEL("copy");
	CK_ATTRIBUTE bare = NO(CKA_SENSITIVE);
	CK_OBJECT_HANDLE found;

	(void)state;
	assert_int_equal(
	    token_C_CopyObject(rig.a, s, key, &other_class, 1, &copy),
	    CKR_ATTRIBUTE_READ_ONLY);
	assert_int_not_equal(
	    token_C_CopyObject(rig.a, s, key, &public, 1, &copy), CKR_OK);
	assert_int_not_equal(
	    token_C_CopyObject(rig.a, s, key, &bare, 1, &copy), CKR_OK);
	assert_int_equal(
	    token_C_CopyObject(rig.a, s, key, &label, 1, &copy), CKR_OK);
	assert_int_equal(rig_find(rig.a, s, "copy", &found), 1);
	assert_int_equal(found, copy);
	assert_int_equal(rig_find(rig.a, s, "k", &found), 1);
}

/* ---- shadows: nobody can tell ---- */

static CK_RV
crypts(CK_OBJECT_HANDLE key, bool encrypt)
{
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	CK_BYTE block[16] = {0};
	CK_ULONG n = sizeof(block);
	CK_RV rv = encrypt ? token_C_EncryptInit(rig.a, s, &m, key)
			   : token_C_DecryptInit(rig.a, s, &m, key);

	if (rv != CKR_OK)
		return rv;
	return encrypt ? token_C_Encrypt(rig.a, s, block, 16, block, &n)
		       : token_C_Decrypt(rig.a, s, block, 16, block, &n);
}

static CK_RV
encrypts(CK_OBJECT_HANDLE key)
{
	return crypts(key, true);
}

static void
used_keys_obey_changes(void **state)
{
	CK_OBJECT_HANDLE key = rig_aes(rig.a, s, "shadowed", true);
	CK_SESSION_HANDLE b = rig_user(rig.b);
	CK_OBJECT_HANDLE theirs;
	CK_ATTRIBUTE label = LABEL("shadowed"), may = NO(CKA_ENCRYPT);
	struct token_storage one;

	(void)state;
	assert_int_equal(rig_find(rig.b, b, "shadowed", &theirs), 1);
	assert_int_equal(
	    token_C_SetAttributeValue(rig.b, b, theirs, &may, 1), CKR_OK);
	assert_int_equal(token_storage(rig.token, 1, &one), CARD_OK);
	assert_int_equal(crypts(key, false), CKR_OK);
	assert_int_equal(encrypts(key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	/* The copy that is used is no object of anybody's. */
	assert_int_equal(find(&label, 1), 1);
	assert_int_equal(find(NULL, 0), one.objects);
	may.pValue = &rig_yes;
	assert_int_equal(
	    token_C_SetAttributeValue(rig.b, b, theirs, &may, 1), CKR_OK);
	assert_int_equal(encrypts(key), CKR_OK);
	may.pValue = &rig_no;
	assert_int_equal(
	    token_C_SetAttributeValue(rig.b, b, theirs, &may, 1), CKR_OK);
	assert_int_equal(encrypts(key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(token_C_DestroyObject(rig.b, b, theirs), CKR_OK);
	assert_int_equal(crypts(key, false), CKR_KEY_HANDLE_INVALID);
}

/* More keys in use than there are shadows: the oldest go, and come back. */
static void
many_keys_are_used_in_turn(void **state)
{
	enum { KEYS = 70 }; /* PARTITION_SHADOWS and some */
	static CK_OBJECT_HANDLE keys[KEYS];
	CK_ATTRIBUTE to_token = YES(CKA_TOKEN);
	CK_OBJECT_HANDLE one = rig_aes(rig.a, s, "many", false);
	unsigned round, i;

	(void)state;
	for (i = 0; i < KEYS; i++)
		assert_int_equal(
		    token_C_CopyObject(rig.a, s, one, &to_token, 1, &keys[i]),
		    CKR_OK);
	for (round = 0; round < 2; round++)
		for (i = 0; i < KEYS; i++)
			assert_int_equal(encrypts(keys[i]), CKR_OK);
	for (i = 0; i < KEYS; i++)
		destroy(keys[i]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(searches_compare_every_attribute),
	    T(secret_values_are_not_found),
	    T(search_is_one_at_a_time),
	    T(objects_are_there_after_a_restart),
	    T(storage_is_used_and_given_back),
	    T(storage_is_full),
	    T(templates_are_looked_at),
	    T(copies_stay_what_they_are),
	    T(used_keys_obey_changes),
	    T(many_keys_are_used_in_turn),
	};

	return cmocka_run_group_tests(tests, group_up, group_down);
}
