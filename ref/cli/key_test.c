/*
 * The commands about keys, over a real token: who may, what they do, and what
 * is said to what cannot be.
 */
#include "cli/desk_test.h"

#include "crypto/softhsm_test.h"
#include "device/key.h"
#include "device/user.h"

/* 2026-01-05 10:00:00 UTC */
enum { WALL_S = 1767607200 };

static struct desk desk;
static struct root_config root_settings;

static void
assert_has(const char *said, const char *part)
{
	if (strstr(said, part) == NULL)
		fail_msg("expected \"%s\" in: %s", part, said);
}

static void
assert_lacks(const char *said, const char *part)
{
	if (strstr(said, part) != NULL)
		fail_msg("unexpected \"%s\" in: %s", part, said);
}

static void
ready(void *ctx)
{
	*(bool *)ctx = true;
}

/* One process has one login at the token, so all tests share the appliance. */
static int
set_up(void **state)
{
	static bool is_ready;
	struct appliance *appliance = desk_appliance(&desk);

	(void)state;
	desk_make(&desk);
	env_set_random(desk.bench.rig.env, random_drbg, NULL);
	env_set_wall_s(desk.bench.rig.env, WALL_S);
	root_settings = (struct root_config){
	    .dir = desk.bench.dir,
	    .env = desk.bench.rig.env,
	    .loop = desk.bench.rig.loop,
	    .store = appliance->store,
	    .module = MODULE_PATH,
	    .token = "touchstone",
	    .kek = "kek-1",
	    .ready = ready,
	    .ctx = &is_ready,
	};
	assert_ok(root_new(&root_settings, &appliance->root));
	while (
	    !is_ready || keystore_check(root_keystore(appliance->root)) != OK) {
		assert_ok(rig_turns(&desk.bench.rig, 1));
		if (loop_jobs(desk.bench.rig.loop) == 0)
			desk_advance(&desk, ROOT_PROBE_EVERY_MS);
	}
	desk_account(&desk, "root", true, CONTROLS_ALL);
	desk_account(&desk, "keys", false, CONTROL_BIT(CONTROL_KEYS));
	desk_account(&desk, "users", false, CONTROL_BIT(CONTROL_USERS));
	(void)desk_sit_as(&desk, "keys");
	(void)desk_type(&desk, "config");
	return 0;
}

static int
tear_down(void **state)
{
	struct appliance *appliance = desk_appliance(&desk);

	(void)state;
	desk_stand(&desk);
	loop_end_jobs(desk.bench.rig.loop);
	root_free(appliance->root);
	appliance->root = NULL;
	desk_remove(&desk);
	return 0;
}

/* ---- who may ---- */

/*
 * req: KS-15-073 KS-03-059 KS-28-059 KS-28-163 KS-28-172 KS-28-189 KS-28-242
 * req: KS-28-264 KS-28-305 KS-28-309 KS-28-315 KS-28-336 KS-28-356
 */
static void
keys_are_for_those_who_have_their_control(void **state)
{
	static const char *const commands[] = {
	    "key generate a AES-256",
	    "key import a AES",
	    "key clone a b",
	    "key modify a deletable yes",
	    "key delete a",
	    "key delete-page",
	    "key version generate a",
	    "key version state a 1 Active",
	    "key state a Deactivated",
	    "key date a deactivation 01/01/2027 00:00:00",
	    "key attribute add A String",
	    "key attribute describe A text",
	    "key attribute remove A",
	    "key query save Q",
	    "key query save-and-run Q",
	    "key query run",
	    "key query copy Q R",
	    "key query delete Q",
	    "edit active versions number 3",
	    "show key public a",
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(commands); k++) {
		(void)desk_sit_as(&desk, "users");
		(void)desk_type(&desk, "config");
		assert_has(desk_type(&desk, commands[k]), "Access denied");
		(void)desk_sit_as(&desk, "keys");
		(void)desk_type(&desk, "config");
		assert_lacks(desk_type(&desk, commands[k]), "Access denied");
	}
	(void)desk_sit_as(&desk, "keys");
	(void)desk_types(&desk, "config\nkey delete-page\nConfirm");
	(void)desk_type(&desk, "edit active versions number 4000");
	(void)desk_type(&desk, "key query delete Q");
}

/* ---- life of a key ---- */

/*
 * req: KS-28-002 KS-28-003 KS-28-015 KS-28-027 KS-28-060 KS-28-062 KS-28-103
 * req: KS-28-107 KS-28-110 KS-28-135 KS-28-244 KS-28-310 KS-03-048
 */
static void
a_key_is_made_told_of_changed_and_deleted(void **state)
{
	const char *said;

	(void)state;
	(void)desk_type(&desk, "key generate k1 AES-256 owner alice "
			       "deletable yes exportable no "
			       "attribute \"Contact Information\"=me");
	assert_has(desk_audited(&desk),
	    "created key k1: AES-256, owner alice, deletable yes, "
	    "exportable no");
	said = desk_type(&desk, "show key properties k1");
	assert_has(said, "Key Name: k1");
	assert_has(said, "Owner Username: alice");
	assert_has(said, "Algorithm: AES-256");
	assert_has(said, "Key Size: 256");
	assert_has(said, "Deletable: yes");
	assert_has(said, "Exportable: no");
	assert_has(said, "State: Active");
	assert_has(desk_type(&desk, "show keys"), "k1");
	(void)desk_type(&desk, "key modify k1 name k2 owner - exportable yes "
			       "other-names a1,a2");
	said = desk_type(&desk, "show key properties a2");
	assert_has(said, "Key Name: k2");
	assert_has(said, "Owner Username: \n");
	assert_has(said, "Exportable: yes");
	assert_has(said, "Other Key Name: a1");
	(void)desk_type(&desk, "key modify k2 other-names -");
	assert_has(
	    desk_type(&desk, "show key properties a1"), "there is no such key");
	(void)desk_type(&desk, "key delete k2");
	assert_has(desk_audited(&desk), "deleted key k2");
	assert_has(
	    desk_type(&desk, "show key properties k2"), "there is no such key");
}

/* A key is not deletable for clients; for those who may it is.
 * req: KS-03-058 */
static void
administrators_delete_any_key(void **state)
{
	(void)state;
	(void)desk_type(&desk, "key generate kept AES-128 deletable no");
	assert_has(
	    desk_type(&desk, "show key properties kept"), "Deletable: no");
	(void)desk_type(&desk, "key delete kept");
	assert_has(desk_audited(&desk), "deleted key kept");
}

/* req: KS-28-306 */
static void
an_rsa_key_is_made_by_a_worker(void **state)
{
	const char *said;

	(void)state;
	(void)desk_type(&desk, "key generate rsa RSA-1024");
	assert_has(desk_audited(&desk), "created key rsa: RSA-1024");
	said = desk_type(&desk, "show key public rsa");
	assert_has(said, "-----BEGIN RSA PUBLIC KEY-----");
	assert_lacks(said, "PRIVATE");
	(void)desk_type(&desk, "key generate short RSA-512");
	assert_has(desk_audited(&desk), "created key short: RSA-512");
	(void)desk_type(&desk, "key generate aes AES-256");
	assert_has(desk_type(&desk, "show key public aes"), "it is no RSA key");
	(void)desk_types(&desk, "key delete rsa\nkey delete short\n"
				"key delete aes");
}

/* req: KS-28-029 KS-28-256 KS-28-265 KS-28-270 KS-28-271 KS-28-287 */
static void
a_key_is_imported_unseen(void **state)
{
	(void)state;
	assert_has(desk_type(&desk, "key import imported AES owner alice"),
	    "*Key, in base 16:");
	(void)desk_type(&desk, "00112233445566778899AABBCCDDEEFF");
	assert_has(desk_audited(&desk), "imported key imported");
	assert_lacks(desk_audited(&desk), "AABB");
	assert_has(desk_type(&desk, "show key properties imported"),
	    "Algorithm: AES-128");
	/* with what a template has */
	(void)desk_type(
	    &desk, "key generate t AES-256 as-template yes owner bob");
	assert_has(desk_type(&desk, "key import late template none"),
	    "there is no such template");
	(void)desk_types(&desk, "key import lent template t\n"
				"FFEEDDCCBBAA99887766554433221100");
	assert_has(desk_type(&desk, "show key properties lent"),
	    "Owner Username: bob");
	(void)desk_types(&desk, "key delete lent\nkey delete t");
	(void)desk_type(&desk, "key import weak DES");
	assert_has(desk_type(&desk, "0101010101010101"), "the key is weak");
	assert_has(desk_type(&desk, "show key properties weak"), "no such key");
	(void)desk_type(&desk, "key delete imported");
}

/* ---- templates and clones ---- */

/*
 * req: KS-28-008 KS-28-010 KS-28-067 KS-28-068 KS-28-069 KS-28-099 KS-28-190
 * req: KS-28-206 KS-28-211 KS-28-212 KS-28-219 KS-28-231
 */
static void
a_template_lends_what_it_has(void **state)
{
	const char *said;

	(void)state;
	(void)desk_type(&desk,
	    "key generate t HmacSHA256 as-template yes owner bob "
	    "exportable no deletable no attribute \"Object Group\"=g");
	said = desk_type(&desk, "show key properties t");
	assert_has(said, "Template: yes");
	assert_lacks(said, "Life Cycle");
	(void)desk_type(
	    &desk, "key generate made template t versioned yes deletable yes");
	said = desk_type(&desk, "show key properties made");
	assert_has(said, "Algorithm: HmacSHA256");
	assert_has(said, "Owner Username: bob");
	assert_has(said, "Exportable: no");
	assert_has(said, "Deletable: yes");
	assert_has(said, "Versioned Key Bytes: yes");
	assert_has(said, "Object Group[0] = g");
	assert_lacks(said, "Life Cycle");
	assert_has(desk_type(&desk, "key generate x template none"),
	    "Template: none: there is no such template");
	assert_has(desk_type(&desk, "key generate x template made"),
	    "there is no such template");
	assert_has(desk_type(&desk,
		       "key generate x AES-256 as-template yes versioned yes"),
	    "a template has no key bytes");
	(void)desk_types(&desk, "key delete made\nkey delete t");
}

/* req: KS-28-357 KS-28-360 KS-28-366 */
static void
a_clone_is_made_of_a_key(void **state)
{
	const char *said;

	(void)state;
	(void)desk_type(&desk, "key generate k AES-192 owner alice "
			       "attribute \"Object Group\"=g");
	(void)desk_type(&desk, "key clone c k bytes versioned attributes yes");
	assert_has(desk_audited(&desk), "cloned key c from k");
	said = desk_type(&desk, "show key properties c");
	assert_has(said, "Algorithm: AES-192");
	assert_has(said, "Versioned Key Bytes: yes");
	assert_has(said, "Object Group[0] = g");
	assert_has(said, "Owner Username: alice");
	assert_has(
	    desk_type(&desk, "key clone c k"), "another key has this name");
	assert_has(desk_type(&desk, "key clone d none"), "no such key");
	(void)desk_types(&desk, "key delete c\nkey delete k");
}

/* ---- versions ---- */

/* req: KS-28-164 KS-28-165 KS-28-171 KS-28-173 KS-28-174 KS-28-180 */
static void
versions_are_made_and_their_states_set(void **state)
{
	const char *said;

	(void)state;
	(void)desk_type(&desk, "key generate v AES-256 versioned yes");
	(void)desk_type(&desk, "key version generate v");
	assert_has(desk_audited(&desk), "created version 2 of key v");
	(void)desk_type(&desk, "key version state v 1 Restricted");
	said = desk_type(&desk, "show key versions v");
	assert_has(said, "1  Restricted");
	assert_has(said, "2  Active");
	assert_has(said, ".2  default");
	assert_has(desk_type(&desk, "key version state v 2 Retired"),
	    "the state of the key version does not allow this");
	assert_has(desk_type(&desk, "key version state v 1 Gone"),
	    "Key State: Gone: Active, Restricted or Retired");
	(void)desk_type(&desk, "edit active versions number 1");
	assert_has(desk_type(&desk, "key version generate v"),
	    "as many active versions as are allowed");
	(void)desk_type(&desk, "edit active versions number 4000");
	(void)desk_type(&desk, "key delete v");
}

/* ---- life cycle ---- */

/*
 * req: KS-28-232 KS-28-234 KS-28-235 KS-28-237 KS-28-238 KS-28-243 KS-28-246
 * req: KS-28-247 KS-28-248 KS-28-249 KS-28-250 KS-28-251 KS-28-252 KS-28-253
 * req: KS-28-254 KS-28-255
 */
static void
the_life_of_a_key_goes_one_way(void **state)
{
	const char *said;

	(void)state;
	(void)desk_type(&desk, "key generate k AES-256");
	assert_has(desk_type(&desk, "key state k Active"),
	    "the object's state does not allow this");
	assert_has(desk_type(&desk, "key date k deactivation 2027-01-01"),
	    "NAME activation|");
	assert_has(
	    desk_type(&desk, "key date k deactivation 13/01/2027 10:00:00"),
	    "mm/dd/yyyy hh:mm:ss");
	(void)desk_type(&desk, "key date k protect-stop 02/03/2037 10:11:12");
	said = desk_type(&desk, "show key properties k");
	assert_has(said, "Protect Stop Date: 2037-02-03 10:11:12");
	assert_has(said, "State: Active");
	assert_has(said, "Deactivation Date: can be changed");
	assert_lacks(said, "Activation Date: can be changed\n=Process");
	assert_has(
	    desk_type(&desk, "key date k deactivation 02/03/2036 10:11:12"),
	    "Protect Stop Date is after Deactivation Date");
	(void)desk_type(&desk, "key state k Deactivated");
	said = desk_type(&desk, "show key properties k");
	assert_has(said, "State: Deactivated");
	assert_has(said, "Deactivation Date: ");
	assert_lacks(said, "can be changed");
	assert_has(desk_type(&desk, "key state k Active"),
	    "the object's state does not allow this");
	(void)desk_type(&desk, "key generate past AES-256");
	(void)desk_type(
	    &desk, "key date past deactivation 01/01/1971 00:00:00");
	assert_has(
	    desk_type(&desk, "show key properties past"), "State: Deactivated");
	(void)desk_type(&desk, "key generate v AES-256 versioned yes");
	assert_has(desk_type(&desk, "key state v Deactivated"),
	    "not possible with this object type");
	(void)desk_types(&desk, "key delete k\nkey delete v\nkey delete past");
}

/* ---- attributes ---- */

/* req: KS-28-111 KS-28-112 KS-28-113 KS-28-115 KS-28-134 KS-28-153 KS-28-159 */
static void
attributes_have_names_that_are_known(void **state)
{
	const char *said;

	(void)state;
	said = desk_type(&desk, "show key attributes");
	assert_has(said, "Contact Information");
	assert_has(said, "Object Group");
	assert_has(desk_type(&desk, "key attribute remove \"Object Group\""),
	    "neither modified nor deleted");
	assert_has(desk_type(&desk, "key generate k AES-256 attribute A=1"),
	    "there is no attribute of this name");
	(void)desk_type(&desk, "key attribute add A Long-Integer of a test");
	assert_has(desk_type(&desk, "show key attributes"), "of a test");
	(void)desk_type(&desk, "key generate k AES-256 attribute A=12");
	assert_has(desk_type(&desk, "show key properties k"), "A[0] = 12");
	assert_has(
	    desk_type(&desk, "key modify k attribute A=x"), "no Long Integer");
	(void)desk_type(&desk, "key modify k no-attribute A");
	assert_lacks(desk_type(&desk, "show key properties k"), "A[0]");
	(void)desk_types(&desk, "key delete k\nkey attribute remove A");
}

/* ---- queries, and pages ---- */

/*
 * req: KS-28-009 KS-28-011 KS-28-334 KS-28-335 KS-28-337 KS-28-338 KS-28-339
 * req: KS-28-340 KS-28-341 KS-28-342 KS-28-343 KS-28-344 KS-28-345 KS-28-346
 * req: KS-28-347 KS-28-348 KS-28-349 KS-28-350 KS-28-351 KS-28-352 KS-30-082
 * req: KS-30-086 KS-30-087
 */
static void
queries_find_what_they_ask_for(void **state)
{
	const char *said;

	(void)state;
	(void)desk_types(&desk, "key generate one AES-256 owner alice\n"
				"key generate two AES-128 owner bob\n"
				"key generate three HmacSHA256 owner bob");
	/* what has no life cycle shows no state */
	(void)desk_types(&desk, "key generate t AES-256 as-template yes\n"
				"key generate v AES-256 versioned yes");
	said = desk_type(&desk,
	    "key query run columns name,state where name is t or "
	    "name is v or name is one");
	assert_has(said, "  one                  Active ");
	assert_has(said, "  t                                       \n");
	assert_has(said, "  v                                       \n");
	(void)desk_types(&desk, "key delete t\nkey delete v");
	(void)desk_type(&desk, "key query save bobs description \"Bob's own\" "
			       "where owner is bob");
	said = desk_type(&desk, "show keys query bobs");
	assert_has(said, "two");
	assert_has(said, "three");
	assert_lacks(said, "  one ");
	assert_has(said, "2 of 2 keys");
	said = desk_type(&desk,
	    "key query save-and-run mixed columns name where query is bobs "
	    "and algorithm begins AES or name is one");
	assert_has(said, "Query Name: mixed");
	assert_has(said, "  one ");
	assert_has(said, "  two ");
	assert_lacks(said, "three");
	assert_lacks(said, "Owner");
	said = desk_type(
	    &desk, "key query run where owner is-not bob and name contains n");
	assert_has(said, "Query Name: Unnamed Query");
	assert_has(said, "1 of 1 keys");
	assert_has(desk_type(&desk, "show keys query \"Unnamed Query\""),
	    "1 of 1 keys");
	(void)desk_type(&desk, "key query run where name is three");
	said = desk_type(&desk, "show keys query \"Unnamed Query\"");
	assert_has(said, "three");
	said = desk_type(&desk, "show key queries");
	assert_has(said, "[All]");
	assert_has(said, "bobs");
	assert_has(said, "Bob's own");
	(void)desk_type(&desk, "key query copy bobs again");
	assert_has(desk_type(&desk, "show keys query again"), "2 of 2 keys");
	(void)desk_type(&desk, "key query save [All] columns name,id");
	said = desk_type(&desk, "show keys");
	assert_has(said, "Unique ID");
	assert_lacks(said, "Owner");
	assert_has(desk_type(&desk, "key query save [All] where name is one"),
	    "only its columns can be changed");
	assert_has(
	    desk_type(&desk, "key query delete [All]"), "it cannot be deleted");
	assert_has(desk_type(&desk, "key query save me where query is me"),
	    "a query cannot use itself");
	assert_has(desk_type(&desk, "key query save x where query is none"),
	    "there is no such query");
	assert_has(
	    desk_type(&desk, "key query save x where name is"), "where FIELD");
	assert_has(desk_type(&desk, "key query save x where name is a and"),
	    "where FIELD");
	assert_has(
	    desk_type(&desk, "show keys query none"), "there is no such query");
	(void)desk_types(&desk,
	    "key query delete again\nkey query delete mixed\n"
	    "key query save [All] columns name,owner,type,algorithm,state");
}

/*
 * req: KS-28-311 KS-28-312 KS-28-316 KS-28-318 KS-28-319 KS-28-321 KS-28-322
 * req: KS-28-323 KS-28-324 KS-28-325 KS-28-326 KS-28-327 KS-28-328 KS-28-329
 */
static void
a_page_of_keys_is_deleted_when_that_is_confirmed(void **state)
{
	const char *said;

	(void)state;
	/* those of the test before: one, two, three, and the query bobs */
	assert_has(desk_type(&desk, "key delete-page items 51"), "1 to 50");
	said = desk_type(&desk, "key delete-page query bobs items 1");
	assert_has(said, "three");
	assert_lacks(said, "two ");
	assert_has(said, "Confirmation Required");
	assert_has(desk_type(&desk, "no"), "nothing was deleted");
	assert_has(desk_type(&desk, "show keys"), "3 of 3 keys");
	(void)desk_type(&desk, "key delete-page query bobs items 1");
	assert_has(desk_type(&desk, "Confirm"), "Keys deleted.");
	assert_has(desk_audited(&desk), "deleted 1 keys of a page");
	said = desk_type(&desk, "show keys");
	assert_has(said, "2 of 2 keys");
	assert_lacks(said, "three");
	(void)desk_type(&desk, "key delete-page query bobs");
	assert_has(desk_type(&desk, "Confirm"), "Keys deleted.");
	assert_has(desk_type(&desk, "show keys query bobs"), "0 of 0 keys");
	assert_has(desk_type(&desk, "key delete-page query bobs"),
	    "there are no keys on this page");
	assert_has(desk_type(&desk, "show keys"), "1 of 1 keys");
	(void)desk_types(&desk, "key delete one\nkey query delete bobs");
}

/* req: KS-28-330 KS-28-331 */
static void
what_was_deleted_before_an_error_stays_deleted(void **state)
{
	struct store *st = desk_appliance(&desk)->store;
	const struct object *key;
	struct object *o;
	struct bytes name = bytes_of_text("broken");

	(void)state;
	(void)desk_types(&desk, "key generate last AES-256\n"
				"key generate broken AES-256 versioned yes\n"
				"key generate first AES-256");
	/* it says that it has a version more than there are bytes of */
	assert_ok(store_find_name(st, NULL, 0, name, &key));
	assert_ok(object_clone(key, &o));
	o->card->newest = 2;
	assert_ok(store_update(st, o));
	(void)desk_type(&desk, "key delete-page");
	assert_has(
	    desk_type(&desk, "Confirm"), "1 keys deleted, then an error:");
	assert_has(desk_audited(&desk),
	    "deleted 1 keys of a page, then an error: key broken: ");
	assert_has(desk_type(&desk, "show keys"), "2 of 2 keys");
	assert_has(
	    desk_type(&desk, "show key properties first"), "no such key");
	assert_ok(store_find_name(st, NULL, 0, name, &key));
	assert_ok(object_clone(key, &o));
	o->card->newest = 1;
	assert_ok(store_update(st, o));
	(void)desk_types(&desk, "key delete broken\nkey delete last");
}

/* All that is said to several lines, but for the prompt. */
static const char *
talk(const char *lines)
{
	static char said[8192];
	char line[512];
	size_t used = 0;

	while (*lines != '\0') {
		size_t octets = strcspn(lines, "\n");

		assert_true(octets < sizeof(line));
		memcpy(line, lines, octets);
		line[octets] = '\0';
		used += (size_t)snprintf(said + used, sizeof(said) - used, "%s",
		    desk_type(&desk, line));
		assert_true(used < sizeof(said));
		lines += octets + (lines[octets] == '\n');
	}
	return said;
}

/*
 * What is missing is asked for, by the guide's names; what was typed is not,
 * and an empty answer is none.
 *
 * req: KS-28-060 KS-28-110 KS-28-180 KS-28-265 KS-28-357
 */
static void
what_is_missing_is_asked_for(void **state)
{
	const char *said;

	(void)state;
	said = talk("key generate\nasked\n\nalice\nAES-128\nyes\nno\nyes\n");
	assert_has(said,
	    "?Key Name:\n?Template:\n?Owner Username:\n?Algorithm:\n"
	    "?Deletable (yes/no):\n?Exportable (yes/no):\n"
	    "?Versioned Key Bytes (yes/no):\n.0\n");
	assert_has(desk_audited(&desk),
	    "created key asked: AES-128, owner alice, deletable yes, "
	    "exportable no, versioned");
	said = talk("key version generate\nasked\nRestricted\n");
	assert_has(
	    said, "?Key Name:\n?Key State (Active/Restricted/Retired):\n.0\n");
	assert_has(desk_type(&desk, "key version generate asked"), ".0\n");
	said = talk("key version state asked 1\nRetired\n");
	assert_has(said, "?Key State (Active/Restricted/Retired):\n.0\n");
	assert_lacks(said, "?Version:");
	assert_has(desk_type(&desk, "show key versions asked"), "Retired");
	said = talk("key import typed\n\n\nAES\n\nyes\n"
		    "000102030405060708090a0b0c0d0e0f\n");
	assert_lacks(said, "?Key Name:");
	assert_has(said, "?Exportable (yes/no):\n*Key, in base 16:\n.0\n");
	assert_has(desk_audited(&desk),
	    "imported key typed: AES-128, owner -, deletable no, exportable "
	    "yes");
	said = talk("key clone copy\ntyped\nalice\nversioned\n\n\n");
	assert_has(said, "?Cloned From:\n?Owner Username:\n?Key Bytes");
	assert_has(desk_audited(&desk), "cloned key copy from typed");
	assert_has(desk_type(&desk, "show key versions copy"), "Active");
	said = talk("key modify typed\n\n-\nyes\n\na,b\n");
	assert_has(
	    said, "?New Key Name:\n?Owner Username (-: none, a global key):\n");
	assert_has(desk_audited(&desk),
	    "changed key typed: owner - deletable yes other-names a,b");
	assert_has(
	    desk_type(&desk, "show key properties typed"), "Other Key Name: b");
	(void)desk_types(
	    &desk, "key delete asked\nkey delete typed\nkey delete copy");
}

static void
what_has_to_be_there_is_refused_empty(void **state)
{
	static const struct {
		const char *lines;
		const char *why;
	} rows[] = {
	    {"key generate\n\n", "Error: Key Name: it is missing"},
	    {"key generate k\n\n\n\n\n\n\n", "Error: Algorithm: "},
	    {"key import\n\n", "Error: Key Name: it is missing"},
	    {"key clone k\n\n", "Error: Cloned From: it is missing"},
	    {"key modify\n\n", "Error: Key Name: it is missing"},
	    {"key version state k\n\n", "Error: Version: it is missing"},
	    {"key attribute value add k\n\n",
		"Error: Attribute Name: it is missing"},
	    {"key generate k\nnone\n\n\n\n\n\n", "there is no such template"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++)
		assert_has(talk(rows[k].lines), rows[k].why);
	assert_has(desk_type(&desk, "show keys"), "0 of 0 keys");
}

/* req: KS-28-133 KS-28-153 KS-28-157 */
static void
one_instance_of_an_attribute_is_changed(void **state)
{
	const char *said;

	(void)state;
	(void)desk_types(&desk,
	    "key attribute add Rope Integer\nkey generate k AES-256\n"
	    "key attribute value add k Rope 1\n"
	    "key attribute value add k Rope 2\n");
	assert_has(desk_audited(&desk), "added attribute Rope to key k: 2");
	said = talk("key attribute value add k Rope\n3\n");
	assert_has(said, "?Value:\n.0\n");
	assert_has(
	    desk_type(&desk, "key attribute value edit k Rope 1 22"), ".0\n");
	assert_has(desk_audited(&desk),
	    "changed attribute Rope, index 1, of key k: 22");
	said = desk_type(&desk, "show key properties k");
	assert_has(said, "Rope[0] = 1\n");
	assert_has(said, "Rope[1] = 22\n");
	assert_has(said, "Rope[2] = 3\n");
	said = talk("key attribute value delete k Rope\n0\n");
	assert_has(said, "?Index:\n.0\n");
	assert_has(
	    desk_audited(&desk), "deleted attribute Rope, index 0, of key k");
	said = desk_type(&desk, "show key properties k");
	assert_lacks(said, "Rope[0]");
	assert_has(said, "Rope[1] = 22\n");
	assert_has(desk_type(&desk, "key attribute value edit k Rope 0 5"),
	    "the key has no such attribute");
	assert_has(desk_type(&desk, "key attribute value delete k Rope 7"),
	    "the key has no such attribute");
	assert_has(
	    desk_type(&desk, "key attribute value edit k Rope 1 two"), ".1\n");
	assert_has(desk_type(&desk, "key attribute value edit k Rope x 2"),
	    "Index: x");
	assert_has(
	    desk_type(&desk, "key attribute value add k Hawser 2"), ".1\n");
	assert_has(desk_type(&desk, "show key properties k"), "Rope[1] = 22\n");
	(void)desk_types(&desk, "key delete k\nkey attribute remove Rope");
}

/* What can be read is in spec-tests/managed-certificates.bats. */
static void
a_certificate_is_asked_for_with_its_key(void **state)
{
	static const struct {
		const char *lines;
		const char *want;
	} rows[] = {
	    {"key certificate import\n\n",
		"?Object Name:\n=Error: Object Name: it is missing"},
	    {"key certificate import c\n\n\nrope\n.\n\n",
		"?Owner Username:\n?Source (paste/scp):\n*Certificate, with "
		"its private key, in PEM; then a period alone:\n*\n"
		"*Private Key Password:\n=Error: Certificate: its private key "
		"is missing\n"},
	    {"key certificate import c\n\n\n.\n",
		"Error: Certificate: it is missing"},
	    {"key certificate import c source browser\n",
		"Source: browser: paste (Paste in text area below) or scp"},
	    {"key certificate import c versioned yes\n",
		"\"versioned\": WORD VALUE"},
	    {"key certificate import 1c owner alice\n", "Key Name: 1c: "},
	    {"key certificate import c source scp\n\n",
		"?Host:\n=Error: Host: it is missing"},
	    {"key certificate import c source scp\nh:0\n",
		"?Host:\n=Error: Host: h:0: HOST or HOST:PORT"},
	    {"key certificate import c source scp\nh\nd/..\n",
		"?Filename:\n=Error: Filename: "},
	    {"show key certificate c\n", "there is no such key"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++)
		assert_has(talk(rows[k].lines), rows[k].want);
	(void)desk_type(&desk, "key generate k AES-256");
	assert_has(desk_type(&desk, "show key certificate k"),
	    "it has no certificate");
	(void)desk_type(&desk, "key delete k");
	assert_has(desk_type(&desk, "show keys"), "0 of 0 keys");
}

static void
what_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} rows[] = {
	    {"key generate 1k AES-256", "Key Name: 1k: 1 to 64 letters"},
	    {"key generate k AES-255", "Algorithm: AES-255: "},
	    {"key generate k AES", "Algorithm: AES: "},
	    {"key generate k SEED", "this algorithm is not activated"},
	    {"key generate k AES-256 color red", "\"color\": WORD VALUE"},
	    {"key generate k AES-256 deletable", "Algorithm: "},
	    {"key generate k AES-256 deletable perhaps",
		"Deletable: perhaps: yes or no"},
	    {"key import k AES-256", "Algorithm: AES-256: "},
	    {"key modify none deletable yes", "there is no such key"},
	    {"key delete none", "there is no such key"},
	    {"key version generate none", "there is no such key"},
	    {"show key versions none", "there is no such key"},
	    {"key attribute add 1 String", "Attribute Name: 1: "},
	    {"key attribute add A Text", "Type: Text: "},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++)
		assert_has(desk_type(&desk, rows[k].line), rows[k].why);
	assert_has(desk_type(&desk, "show keys"), "0 of 0 keys");
}

/* req: KS-01-061 KS-01-063 */
static void
without_the_crypto_user_no_key_is_made(void **state)
{
	struct keystore *ks = root_keystore(desk_appliance(&desk)->root);

	(void)state;
	keystore_logout(ks);
	assert_has(desk_type(&desk, "key generate k AES-256"),
	    "keys cannot be used: the Crypto User is not logged in");
	assert_has(desk_type(&desk, "show keys"), "0 of 0 keys");
	keystore_login(ks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_for_those_who_have_their_control),
	    cmocka_unit_test(a_key_is_made_told_of_changed_and_deleted),
	    cmocka_unit_test(administrators_delete_any_key),
	    cmocka_unit_test(an_rsa_key_is_made_by_a_worker),
	    cmocka_unit_test(a_key_is_imported_unseen),
	    cmocka_unit_test(a_template_lends_what_it_has),
	    cmocka_unit_test(a_clone_is_made_of_a_key),
	    cmocka_unit_test(versions_are_made_and_their_states_set),
	    cmocka_unit_test(the_life_of_a_key_goes_one_way),
	    cmocka_unit_test(attributes_have_names_that_are_known),
	    cmocka_unit_test(queries_find_what_they_ask_for),
	    cmocka_unit_test(a_page_of_keys_is_deleted_when_that_is_confirmed),
	    cmocka_unit_test(what_was_deleted_before_an_error_stays_deleted),
	    cmocka_unit_test(what_is_missing_is_asked_for),
	    cmocka_unit_test(what_has_to_be_there_is_refused_empty),
	    cmocka_unit_test(one_instance_of_an_attribute_is_changed),
	    cmocka_unit_test(a_certificate_is_asked_for_with_its_key),
	    cmocka_unit_test(what_cannot_be_is_refused),
	    cmocka_unit_test(without_the_crypto_user_no_key_is_made),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
