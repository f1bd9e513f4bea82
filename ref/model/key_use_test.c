#include "model/key_use.h"

#include <stdio.h>
#include <string.h>

#include "model/cmocka_test.h"
#include "model/object.h"
#include "wire/schema_enums.h"

/* Each word means its row, and the columns of permissions come first. */
static void
test_each_row_is_found_and_has_its_place(void **state)
{
	enum key_use found;
	size_t k;

	(void)state;
	for (k = 0; k < USE_COUNT; k++) {
		const struct key_use_row *row = key_use_row((enum key_use)k);

		found = USE_COUNT;
		assert_int_equal(
		    key_use_find(bytes_of_text(row->word), &found), OK);
		assert_int_equal(found, k);
		assert_int_equal(
		    row->right == RIGHT_GROUP, k < KEY_PERMISSIONS);
		assert_true(row->families != 0);
		assert_true(row->title[0] != '\0' && row->clause[0] != '\0');
	}
	assert_int_equal(
	    key_use_find(bytes_of_text("Infos"), &found), ERR_NOT_FOUND);
	assert_int_equal(key_use_find(BYTES_NONE, &found), ERR_NOT_FOUND);
}

struct kind {
	const char *name;
	uint32_t type;
	uint32_t algorithm;
	const char *uses;
};

/* The titles of those that a group is permitted, in order. */
#define CIPHER "Encrypt, Decrypt, Export"
#define HMAC   "MAC, MAC Verify, Export"
#define PAIR   "Encrypt, Decrypt, Sign, Sign Verify, Export"
#define ALG(x) CRYPTOGRAPHIC_ALGORITHM_##x

static const struct kind kinds[] = {
    /* req: KS-28-143 */
    {"AES", OBJECT_TYPE_SYMMETRIC_KEY, ALG(AES), CIPHER},
    /* req: KS-28-144 */
    {"DES", OBJECT_TYPE_SYMMETRIC_KEY, ALG(DES), CIPHER},
    {"DES-EDE", OBJECT_TYPE_SYMMETRIC_KEY, ALG(3DES), CIPHER},
    /* req: KS-28-145 */
    {"RC4", OBJECT_TYPE_SYMMETRIC_KEY, ALG(RC4), CIPHER},
    /* req: KS-28-148 */
    {"SEED", OBJECT_TYPE_SYMMETRIC_KEY, ALG(SEED), CIPHER},
    /* req: KS-28-146 */
    {"HmacSHA1", OBJECT_TYPE_SYMMETRIC_KEY, ALG(HMAC_SHA1), HMAC},
    {"HmacSHA256", OBJECT_TYPE_SYMMETRIC_KEY, ALG(HMAC_SHA256), HMAC},
    {"HmacSHA384", OBJECT_TYPE_SYMMETRIC_KEY, ALG(HMAC_SHA384), HMAC},
    {"HmacSHA512", OBJECT_TYPE_SYMMETRIC_KEY, ALG(HMAC_SHA512), HMAC},
    /* req: KS-28-147 */
    {"RSA", OBJECT_TYPE_PRIVATE_KEY, ALG(RSA), PAIR},
    {"RSA, public", OBJECT_TYPE_PUBLIC_KEY, ALG(RSA), PAIR},
    {"EC", OBJECT_TYPE_PRIVATE_KEY, ALG(EC), "Export"},
    {"a key of no algorithm", OBJECT_TYPE_SYMMETRIC_KEY, 0, "Export"},
    {"certificate", OBJECT_TYPE_CERTIFICATE, ALG(RSA), "Export"},
    {"secret", OBJECT_TYPE_SECRET_DATA, ALG(AES), "Export"},
};

static struct object *
object_of_kind(struct env *env, const struct kind *kind)
{
	struct object *o = NULL;

	assert_int_equal(object_new(env, kind->type, BYTES_NONE, &o), OK);
	if (kind->algorithm != 0)
		assert_int_equal(
		    attr_set_number(o->arena, &o->attrs,
			TAG_CRYPTOGRAPHIC_ALGORITHM, kind->algorithm),
		    OK);
	return o;
}

static void
uses_of(const struct object *o, char text[128])
{
	size_t k;

	*text = '\0';
	for (k = 0; k < KEY_PERMISSIONS; k++) {
		if (!key_has_use(o, (enum key_use)k))
			continue;
		if (*text != '\0')
			(void)strcat(text, ", ");
		(void)strcat(text, key_use_row((enum key_use)k)->title);
	}
}

static void
test_each_kind_of_key_has_the_uses_of_the_guide(void **state)
{
	struct env *env = *state;
	char uses[128];
	size_t k;

	for (k = 0; k < LENGTH(kinds); k++) {
		struct object *o = object_of_kind(env, &kinds[k]);

		uses_of(o, uses);
		if (strcmp(uses, kinds[k].uses) != 0)
			fail_msg("%s: expected %s, got %s", kinds[k].name,
			    kinds[k].uses, uses);
		object_free(o);
	}
}

/* Its permissions are those of its keys, and it is not used itself. */
static void
test_a_template_has_the_family_of_its_keys_and_no_use(void **state)
{
	static const struct kind kind = {
	    "template", OBJECT_TYPE_TEMPLATE, ALG(RSA), ""};
	struct object *o = object_of_kind(*state, &kind);

	/* req: KS-28-225 */
	assert_int_equal(key_family(o), FAMILY_RSA);
	assert_false(key_has_use(o, USE_ENCRYPT));
	assert_false(key_has_use(o, USE_PUBLIC));
	assert_true(key_has_use(o, USE_INFO));
	assert_true(key_has_use(o, USE_MODIFY));
	object_free(o);
}

static int
set_up(void **state)
{
	struct env *env = NULL;
	int failed = env_new(&env) != OK;

	*state = env;
	return failed;
}

static int
tear_down(void **state)
{
	env_free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_row_is_found_and_has_its_place),
	    cmocka_unit_test(test_each_kind_of_key_has_the_uses_of_the_guide),
	    cmocka_unit_test(
		test_a_template_has_the_family_of_its_keys_and_no_use),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
