/*
 * Certificates as keys: what they become, and what goes with them.
 */
#include <stdio.h>
#include <string.h>

#include "crypto/bundle.h"
#include "crypto/pki.h"
#include "device/access.h"
#include "device/fields.h"
#include "device/key_rig_test.h"

enum { DAY_S = 24 * 3600 };

static struct key_rig rig;
static struct bundle bundle; /* a certificate, the root that signed it, a key */
#define CALL       (&rig.call)
#define STORE      (rig.bench.appliance.store)
#define NAME(text) bytes_of_text(text)

/* A root, and what it has signed, with its key. */
static void
bundle_make(unsigned bits)
{
	struct pki_subject subject = {.field = {"crane"}};
	struct secret *root_key = NULL;
	struct buf request, root;
	struct pki_order order = {.purpose = PKI_CA,
	    .serial = 1,
	    .from_s = KEY_RIG_WALL_S,
	    .until_s = KEY_RIG_WALL_S + DAY_S};
	const char *why;
	size_t k;

	buf_init(&request, PKI_TEXT_MAX_OCTETS);
	buf_init(&root, PKI_TEXT_MAX_OCTETS);
	bundle = (struct bundle){.count = 2};
	for (k = 0; k < bundle.count; k++)
		buf_init(&bundle.certificate[k], BUNDLE_TEXT_OCTETS);
	assert_ok(pki_key_new(1024, NAME("seed"), &root_key));
	assert_ok(
	    pki_request_new(secret_peek(root_key), &subject, &request, &why));
	order.request = buf_peek(&request);
	order.key = secret_peek(root_key);
	assert_ok(pki_issue(&order, &bundle.certificate[1], &why));
	assert_ok(pki_key_new(bits, NAME("seed"), &bundle.key));
	buf_reset(&request);
	assert_ok(
	    pki_request_new(secret_peek(bundle.key), &subject, &request, &why));
	order.purpose = PKI_CLIENT;
	order.request = buf_peek(&request);
	order.issuer = buf_peek(&bundle.certificate[1]);
	assert_ok(pki_issue(&order, &bundle.certificate[0], &why));
	secret_free(root_key);
	buf_clear(&request);
	buf_clear(&root);
}

static int
set_up(void **state)
{
	(void)state;
	key_rig_make(&rig);
	bundle_make(1024);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bundle_clear(&bundle);
	key_rig_clear(&rig);
	return 0;
}

static const struct object *
import(const char *name, const char *owner)
{
	struct key_spec spec = key_rig_spec(name, owner);

	assert_ok(key_import_certificate(CALL, &spec, 0, &bundle, NULL));
	key_rig_turn(&rig);
	return key_rig_find(&rig, name);
}

/* Number n of that key's as an object; NULL: it is not there. */
static const struct object *
certificate(struct bytes key_id, unsigned n)
{
	const struct object *o;
	char id[128];
	enum err rc;

	(void)snprintf(id, sizeof(id), "%.*s.c%u", (int)key_id.octets,
	    (const char *)key_id.at, n);
	rc = store_find(STORE, NAME(id), &o);
	assert_true(rc == OK || rc == ERR_NOT_FOUND);
	return rc == OK ? o : NULL;
}

static bool
links(const struct object *from, uint32_t type, const struct object *to)
{
	ATTR_EACH (&from->attrs, one) {
		if (one->def->tag == TAG_LINK &&
		    item_number(one->value, TAG_LINK_TYPE, 0) ==
			(int64_t)type &&
		    bytes_equal(
			item_octets(one->value, TAG_LINKED_OBJECT_IDENTIFIER),
			to->id))
			return true;
	}
	return false;
}

/* req: KS-28-292 KS-28-293 KS-28-298 KS-37-016 */
static void
test_a_key_and_its_certificates(void **state)
{
	const struct object *key = import("crane", "alice");
	struct key_material material;
	struct key_info info;
	struct bytes der;
	unsigned n;

	(void)state;
	assert_ok(key_info(CALL, key, &info));
	assert_int_equal(info.object_type, OBJECT_TYPE_PRIVATE_KEY);
	assert_int_equal(info.key_bits, 1024);
	assert_true(bytes_equal_text(info.owner, "alice"));
	assert_true(key_is_certified(CALL, key));
	assert_ok(key_bytes(CALL, key, 0, &material));
	assert_true(key->value_sealed);
	for (n = 1; n <= 2; n++) {
		const struct object *o = certificate(key->id, n);

		assert_non_null(o);
		assert_int_equal(o->object_type, OBJECT_TYPE_CERTIFICATE);
		assert_true(bytes_equal_text(o->owner, "alice"));
		assert_ok(key_certificate(CALL, key, n, &der));
		assert_true(
		    bytes_equal(der, buf_peek(&bundle.certificate[n - 1])));
		assert_int_equal(
		    attr_number(&o->attrs, TAG_CERTIFICATE_TYPE, 0),
		    CERTIFICATE_TYPE_X_509);
		assert_non_null(
		    attr_find(&o->attrs, TAG_X_509_CERTIFICATE_SUBJECT));
		assert_int_equal(object_state(o), STATE_ACTIVE);
	}
	assert_err(key_certificate(CALL, key, 3, &der), ERR_NOT_FOUND);
	assert_true(
	    links(key, LINK_TYPE_CERTIFICATE_LINK, certificate(key->id, 1)));
	assert_true(
	    links(certificate(key->id, 1), LINK_TYPE_PRIVATE_KEY_LINK, key));
	assert_true(links(certificate(key->id, 1), LINK_TYPE_CERTIFICATE_LINK,
	    certificate(key->id, 2)));
	assert_false(
	    links(certificate(key->id, 2), LINK_TYPE_PRIVATE_KEY_LINK, key));
}

/* A key that was imported bare, or made by another, has none. */
static void
test_other_keys_have_none(void **state)
{
	struct key_spec spec = key_rig_spec("k", "alice");
	const struct object *key;
	struct bytes der;

	(void)state;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_false(key_is_certified(CALL, key));
	assert_err(key_certificate(CALL, key, 1, &der), ERR_NOT_FOUND);
}

/* req: KS-28-296 KS-28-297 */
static void
test_names_are_as_of_keys(void **state)
{
	static const struct {
		const char *name;
		enum err want;
	} names[] = {
	    {"c", OK},
	    {"C.a-b_1", OK},
	    {"a23456789012345678901234567890123456789012345678901234567890123"
	     "4",
		OK},
	    {"a23456789012345678901234567890123456789012345678901234567890123"
	     "45",
		ERR_KEY_NAME},
	    {"1c", ERR_KEY_NAME},
	    {"a c", ERR_KEY_NAME},
	    {"taken", ERR_NAME_TAKEN},
	};
	size_t k;

	(void)state;
	(void)import("taken", "bob");
	for (k = 0; k < LENGTH(names); k++) {
		struct key_spec spec = key_rig_spec(names[k].name, "alice");

		assert_err(
		    key_import_certificate(CALL, &spec, 0, &bundle, NULL),
		    names[k].want);
		key_rig_turn(&rig);
		if (names[k].want == ERR_KEY_NAME)
			assert_false(key_rig_has(&rig, names[k].name));
	}
}

/* Of a size that keys here have, and of the one that is asked for. */
static void
test_sizes(void **state)
{
	struct key_spec spec = key_rig_spec("crane", "alice");

	(void)state;
	assert_err(key_import_certificate(CALL, &spec, 2048, &bundle, NULL),
	    ERR_KEY_DATA);
	assert_ok(key_import_certificate(CALL, &spec, 1024, &bundle, NULL));
	bundle_clear(&bundle);
	bundle_make(1032);
	spec = key_rig_spec("other", "alice");
	assert_err(key_import_certificate(CALL, &spec, 0, &bundle, NULL),
	    ERR_KEY_DATA);
	assert_false(key_rig_has(&rig, "other"));
}

static void
test_it_has_no_versions(void **state)
{
	struct key_spec spec = key_rig_spec("crane", "alice");

	(void)state;
	spec.versioned = true;
	assert_err(
	    key_import_certificate(CALL, &spec, 0, &bundle, NULL), ERR_FIELD);
	spec.versioned = false;
	assert_ok(key_import_certificate(CALL, &spec, 0, &bundle, NULL));
}

/* Without periods. As device/policy.h has it. */
static void
policy_make(const char *name)
{
	struct buf value;

	buf_init(&value, 256);
	assert_ok(fields_put_number(&value, "operations", 5));
	assert_ok(record_put(STORE, "policy", NAME(name), buf_peek(&value)));
	buf_clear(&value);
	policies_settle(rig.bench.appliance.policies);
}

/* req: KS-28-300 KS-29-032 KS-28-058 */
static void
test_permissions_but_no_policies(void **state)
{
	struct card_permission staff = {.group = NAME("staff")};
	struct key_spec spec = key_rig_spec("crane", "alice");
	struct key_change change = {.permissions = &staff,
	    .permission_count = 1,
	    .has_permissions = true};
	struct key_spec bare = key_rig_spec("bare", "alice");
	struct keygen_pair pair = {0};
	struct fault f = {{0}};

	(void)state;
	assert_ok(group_create(&rig.bench.appliance, NAME("staff")));
	policy_make("slow");
	spec.permissions = &staff;
	spec.permission_count = 1;
	staff.use[USE_SIGN].grant = CARD_POLICY;
	staff.use[USE_SIGN].policy = NAME("slow");
	assert_err(
	    key_import_certificate(CALL, &spec, 0, &bundle, NULL), ERR_FIELD);
	staff.use[USE_SIGN].grant = CARD_ALWAYS;
	assert_ok(key_import_certificate(CALL, &spec, 0, &bundle, NULL));
	key_rig_turn(&rig);
	/* nor later; of the same key without a certificate they are */
	staff.use[USE_SIGN].grant = CARD_POLICY;
	assert_err(
	    key_modify(CALL, key_rig_find(&rig, "crane"), &change), ERR_FIELD);
	bare.algorithm = key_algorithm_named(NAME("RSA-1024"));
	assert_ok(keygen_pair_begin(
	    &pair, rig.token.env, CRYPTOGRAPHIC_ALGORITHM_RSA, 1024, 0, &f));
	assert_ok(keygen_pair_work(&pair));
	assert_ok(key_create(CALL, &bare, &pair, NULL));
	key_rig_turn(&rig);
	assert_ok(key_modify(CALL, key_rig_find(&rig, "bare"), &change));
	keygen_pair_clear(&pair);
}

/* Their owner and their mark are the key's. */
static void
test_certificates_follow_their_key(void **state)
{
	const struct object *key = import("crane", "alice");
	struct bytes bob = NAME("bob");
	bool deletable = false;
	struct key_change change = {.owner = &bob, .deletable = &deletable};
	unsigned n;

	(void)state;
	assert_ok(key_modify(CALL, key, &change));
	key_rig_turn(&rig);
	key = key_rig_find(&rig, "crane");
	for (n = 1; n <= 2; n++) {
		const struct object *o = certificate(key->id, n);

		assert_true(bytes_equal_text(o->owner, "bob"));
		assert_false(o->card->deletable);
	}
}

static void
test_certificates_go_with_their_key(void **state)
{
	const struct object *key = import("crane", "alice");
	struct bytes id;

	(void)state;
	assert_ok(arena_copy(rig.arena, key->id, &id));
	/* one of them has gone before */
	assert_ok(store_delete(STORE, certificate(id, 1)->id));
	assert_null(certificate(id, 1));
	assert_non_null(certificate(id, 2));
	assert_ok(key_delete(CALL, key_rig_find(&rig, "crane")));
	assert_null(certificate(id, 2));
	assert_false(key_rig_has(&rig, "crane"));
}

/* A clone has its own; one with versions has none. */
static void
test_clones(void **state)
{
	const struct object *key = import("crane", "alice");
	struct key_clone how = {.name = NAME("copy"), .owner = NAME("bob")};
	const struct object *copy;
	struct bytes der;

	(void)state;
	assert_ok(key_clone(CALL, key, &how, &copy));
	assert_ok(key_certificate(CALL, copy, 2, &der));
	assert_true(bytes_equal(der, buf_peek(&bundle.certificate[1])));
	assert_true(bytes_equal_text(certificate(copy->id, 1)->owner, "bob"));
	assert_true(
	    links(copy, LINK_TYPE_CERTIFICATE_LINK, certificate(copy->id, 1)));
	how.name = NAME("versioned");
	how.versioned = true;
	assert_ok(key_clone(CALL, key_rig_find(&rig, "crane"), &how, &copy));
	assert_false(key_is_certified(CALL, copy));
}

/* req: KS-28-299 */
static void
test_ownership_is_not_maintained(void **state)
{
	const struct object *key = import("crane", "alice");
	struct key_info info;

	(void)state;
	assert_ok(key_delete(CALL, key));
	key_rig_turn(&rig);
	key = import("crane", "");
	assert_ok(key_info(CALL, key, &info));
	assert_int_equal(info.owner.octets, 0);
	assert_int_equal(certificate(key->id, 1)->owner.octets, 0);
}

int
main(void)
{
#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    RIG_TEST(test_a_key_and_its_certificates),
	    RIG_TEST(test_other_keys_have_none),
	    RIG_TEST(test_names_are_as_of_keys),
	    RIG_TEST(test_sizes),
	    RIG_TEST(test_it_has_no_versions),
	    RIG_TEST(test_permissions_but_no_policies),
	    RIG_TEST(test_certificates_follow_their_key),
	    RIG_TEST(test_certificates_go_with_their_key),
	    RIG_TEST(test_clones),
	    RIG_TEST(test_ownership_is_not_maintained),
	};
#undef RIG_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
