/* What groups may do with a key, at the command line. */
#include "cli/desk_test.h"
#include "device/key_work.h"
#include "device/policy.h"
#include "device/user.h"
#include "wire/schema_enums.h"

#define NAME(text) bytes_of_text(text)

static struct desk desk;

static void
keep_key(const char *name, const char *owner, uint32_t type, uint32_t algorithm)
{
	struct object *o = NULL;

	assert_ok(object_new(desk.bench.rig.env, type, NAME(owner), &o));
	assert_ok(key_add_name(o, NAME(name)));
	assert_ok(attr_set_number(
	    o->arena, &o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, algorithm));
	assert_ok(ARENA_NEW(o->arena, o->card));
	assert_ok(store_insert(desk.bench.appliance.store, o));
}

static int
set_up(void **state)
{
	struct appliance *appliance = desk_appliance(&desk);

	(void)state;
	desk_make(&desk);
	desk_account(&desk, "root", false, CONTROL_BIT(CONTROL_KEYS));
	desk_account(
	    &desk, "weak", false, CONTROLS_ALL & ~CONTROL_BIT(CONTROL_KEYS));
	keep_key("aes", "alice", OBJECT_TYPE_SYMMETRIC_KEY,
	    CRYPTOGRAPHIC_ALGORITHM_AES);
	keep_key("mac", "alice", OBJECT_TYPE_SYMMETRIC_KEY,
	    CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA256);
	keep_key("pair", "alice", OBJECT_TYPE_PRIVATE_KEY,
	    CRYPTOGRAPHIC_ALGORITHM_RSA);
	keep_key("global", "", OBJECT_TYPE_SYMMETRIC_KEY,
	    CRYPTOGRAPHIC_ALGORITHM_AES);
	assert_ok(group_create(appliance, NAME("staff")));
	assert_ok(group_create(appliance, NAME("guests")));
	assert_ok(
	    record_put(appliance->store, "policy", NAME("office"), BYTES_NONE));
	bench_turn(&desk.bench);
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

static void
says(const char *lines, const char *want)
{
	desk_says(&desk, lines, want);
}

/* req: KS-28-135 KS-28-136 KS-28-143 KS-29-026 KS-29-030 */
static void
test_permissions_are_set_shown_and_removed(void **state)
{
	(void)state;
	says("show key permissions aes", ".0\n>");
	says(
	    "key permission set aes staff Encrypt always Decrypt Policy office",
	    ".0\n");
	assert_non_null(strstr(desk_audited(&desk),
	    "Key aes: permissions of group staff changed"));
	says("show key permissions aes",
	    "=Group: staff\n"
	    "=  Encrypt: Always\n"
	    "=  Decrypt: Authorization Policy: office\n"
	    "=  Export: Never\n.0\n");
	/* another group's beside them, and what is not named stays */
	says("key permission set aes guests export always", ".0\n");
	says("key permission set aes staff encrypt never", ".0\n");
	says("show key permissions aes",
	    "=Group: staff\n"
	    "=  Encrypt: Never\n"
	    "=  Decrypt: Authorization Policy: office\n"
	    "=  Export: Never\n"
	    "=Group: guests\n"
	    "=  Encrypt: Never\n"
	    "=  Decrypt: Never\n"
	    "=  Export: Always\n.0\n");
	says("key permission remove aes staff", ".0\n");
	assert_non_null(strstr(desk_audited(&desk),
	    "Key aes: permissions of group staff removed"));
	says("show key permissions aes", "=Group: guests\n");
	says("key permission remove aes guests", ".0\n");
	says("show key permissions aes", ".0\n>");
}

/* req: KS-28-146 KS-28-147 */
static void
test_the_dialogue_asks_for_what_the_key_can_do(void **state)
{
	(void)state;
	says("key permission set mac staff",
	    "?MAC (Never, Always or Policy NAME):\n");
	says("always", "?MAC Verify (Never, Always or Policy NAME):\n");
	says("policy office", "?Export (Never, Always or Policy NAME):\n");
	says("\n", ".0\n");
	says("show key permissions mac",
	    "=Group: staff\n"
	    "=  MAC: Always\n"
	    "=  MAC Verify: Authorization Policy: office\n"
	    "=  Export: Never\n.0\n");
	says("key permission set pair staff\nalways\nnever\nalways\nalways",
	    "?Export (Never, Always or Policy NAME):\n");
	says("never", ".0\n");
	says("show key permissions pair", "=Group: staff\n"
					  "=  Encrypt: Always\n"
					  "=  Decrypt: Never\n"
					  "=  Sign: Always\n"
					  "=  Sign Verify: Always\n"
					  "=  Export: Never\n.0\n");
}

/* A policy that a permission names stays. req: KS-28-141 */
static void
test_a_policy_is_named_that_there_is(void **state)
{
	(void)state;
	says("key permission set aes staff encrypt policy offices",
	    "Error: Encrypt: offices: there is no such authorization policy");
	says("key permission set aes staff encrypt policy office", ".0\n");
	says("no authorization policy office",
	    "Policy Name: office: the permissions of the key ");
	says("key permission set aes staff encrypt always", ".0\n");
	says("no authorization policy office", ".0\n");
}

static const struct {
	const char *line;
	const char *said;
} refused[] = {
    {"key permission set", "Key Name: it is missing"},
    {"key permission set aes", "Group: it is missing"},
    {"key permission set nokey staff encrypt always",
	"Key Name: nokey: there is no such key"},
    {"key permission set nokey staff", "Key Name: nokey: there is no such key"},
    /* req: KS-28-137 */
    {"key permission set aes nobody encrypt always",
	"Group: nobody: there is no such group"},
    /* req: KS-28-139 KS-28-140 */
    {"key permission set global staff encrypt always",
	"a global key has no group permissions"},
    /* req: KS-28-143 */
    {"key permission set aes staff sign always",
	"Sign: staff: keys of this kind have no such permission"},
    {"key permission set aes staff read always",
	"Permission: read: Encrypt, Decrypt, MAC, MACVerify, Sign"},
    {"key permission set aes staff encrypt sometimes",
	"Encrypt: sometimes: Never, Always or Policy"},
    {"key permission set aes staff encrypt",
	"Encrypt: (empty): Never, Always or Policy"},
    {"key permission set aes staff encrypt policy",
	"Encrypt: policy: the name of an authorization policy is missing"},
    {"key permission remove aes", "Group: it is missing"},
    {"key permission remove aes staff",
	"Group: staff: it has no permissions on this key"},
    {"key permission remove aes staff encrypt", "what is \"encrypt\" for?"},
    {"show key permissions", "Key Name: it is missing"},
    {"show key permissions nokey", "Key Name: nokey: there is no such key"},
};

static void
test_what_is_against_the_rules_changes_nothing(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(refused); k++)
		says(refused[k].line, refused[k].said);
	says("show key permissions aes", ".0\n>");
	says("show key permissions global", ".0\n>");
}

static void
test_permissions_need_the_access_control(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "weak");
	says("config", ".0\n");
	says("key permission set aes staff encrypt always",
	    "\"Keys and Authorization Policies\" access control is required");
	says("key permission remove aes staff",
	    "\"Keys and Authorization Policies\" access control is required");
}

int
main(void)
{
#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    DESK_TEST(test_permissions_are_set_shown_and_removed),
	    DESK_TEST(test_the_dialogue_asks_for_what_the_key_can_do),
	    DESK_TEST(test_a_policy_is_named_that_there_is),
	    DESK_TEST(test_what_is_against_the_rules_changes_nothing),
	    DESK_TEST(test_permissions_need_the_access_control),
	};
#undef DESK_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
