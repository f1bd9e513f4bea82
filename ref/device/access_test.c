/*
 * Who may do what with whose key: all of the matrix, and what policies make of
 * it.
 */
#include "device/access.h"

#include <stdio.h>
#include <string.h>

#include "device/fields.h"
#include "device/policy.h"
#include "device/rate.h"
#include "device/rig_test.h"
#include "wire/schema_enums.h"

#define NAME(text) bytes_of_text(text)

/* Monday, 2026-01-05 10:00:00 UTC, and times of that day */
enum { MONDAY_10_S = 1767607200, HOUR_S = 3600 };

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

/* As device/policy.h has it. */
static void
policy_put(const char *name, int64_t operations, unsigned first, unsigned last)
{
	uint8_t minutes[4];
	struct buf value;

	buf_init(&value, 128);
	if (operations != 0)
		assert_ok(fields_put_number(&value, "operations", operations));
	bytes_put_u16(minutes, first);
	bytes_put_u16(minutes + 2, last);
	if (first != last)
		assert_ok(fields_put(&value, "period",
		    (struct bytes){minutes, sizeof(minutes)}));
	assert_ok(record_put(STORE, "policy", NAME(name), buf_peek(&value)));
	buf_clear(&value);
	policies_settle(APPLIANCE->policies);
}

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	assert_ok(clock_new(STORE, bench.rig.env, &APPLIANCE->clock));
	assert_ok(policies_new(APPLIANCE, &APPLIANCE->policies));
	assert_ok(rates_new(APPLIANCE, 0, &APPLIANCE->rates));
	env_set_wall_s(bench.rig.env, MONDAY_10_S);
	policy_put("free", 0, 0, 0);
	policy_put("shut", 0, 12 * 60, 13 * 60);
	policy_put("two", 2, 0, 0);
	policy_put("five", 5, 0, 0);
	policy_put("ten-before-noon", 10, 9 * 60, 12 * 60 - 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rates_free(APPLIANCE->rates);
	policies_free(APPLIANCE->policies);
	clock_free(APPLIANCE->clock);
	bench_remove(&bench);
	return 0;
}

/* ---- who asks ---- */

enum { GROUPS_MOST = 3 };

struct asker {
	struct key_user user;
	struct bytes groups[GROUPS_MOST];
};

/* groups: in order, with blanks between */
static struct key_user *
asker(struct asker *a, const char *name, const char *groups)
{
	*a = (struct asker){.user = {.groups = a->groups}};
	(void)snprintf(a->user.name, sizeof(a->user.name), "%s", name);
	while (*groups != '\0') {
		size_t octets = strcspn(groups, " ");

		a->groups[a->user.group_count++] =
		    (struct bytes){(const uint8_t *)groups, octets};
		groups += octets + (groups[octets] == ' ');
	}
	return &a->user;
}

/* ---- what is asked for ---- */

struct key {
	uint32_t type;
	uint32_t algorithm;
	const char *owner; /* "": global */
	bool exportable;
	bool deletable;
	const struct card_permission *permissions;
	size_t permission_count;
};

static struct object *
key_new(const struct key *key)
{
	struct object *o = NULL;

	assert_ok(object_new(bench.rig.env, key->type, NAME(key->owner), &o));
	assert_ok(attr_set_number(
	    o->arena, &o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, key->algorithm));
	if (!key->exportable)
		assert_ok(
		    attr_set_number(o->arena, &o->attrs, TAG_EXTRACTABLE, 0));
	assert_ok(ARENA_NEW(o->arena, o->card));
	o->card->deletable = key->deletable;
	assert_ok(card_set_permissions(
	    o->arena, o->card, key->permissions, key->permission_count));
	return o;
}

/* Permission `grant` for the use, with a policy where it takes one. */
static struct card_permission
permission(const char *group, enum key_use use, enum card_grant grant,
    const char *policy)
{
	struct card_permission p = {.group = NAME(group)};

	p.use[use].grant = grant;
	if (grant == CARD_POLICY)
		p.use[use].policy = NAME(policy);
	return p;
}

/* ---------------------------------------------------------------------------
 * The matrix. What is expected is written down here once more, in the guide's
 * words and not in the tables'.
 */

static const struct kind {
	const char *name;
	uint32_t type;
	uint32_t algorithm;
	const char *uses; /* beside those that all have */
} kinds[] = {
    {"AES", OBJECT_TYPE_SYMMETRIC_KEY, CRYPTOGRAPHIC_ALGORITHM_AES,
	"Encrypt Decrypt"},
    {"HMAC", OBJECT_TYPE_SYMMETRIC_KEY, CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA256,
	"MAC MACVerify"},
    {"RSA", OBJECT_TYPE_PRIVATE_KEY, CRYPTOGRAPHIC_ALGORITHM_RSA,
	"Encrypt Decrypt Sign SignVerify Public"},
    {"certificate", OBJECT_TYPE_CERTIFICATE, CRYPTOGRAPHIC_ALGORITHM_RSA, ""},
};

enum who { GLOBAL, STRANGER, OWNER, MEMBER, USER_ADMINISTRATOR, WHO_COUNT };
static const char *const whos[] = {"a global session", "a stranger",
    "the owner", "a member", "a user administrator"};

/* What the group has for the use that is asked for. */
enum given { NOTHING, NEVER, ALWAYS, FREE, SHUT, USED_UP, GIVEN_COUNT };
static const char *const givens[] = {"nothing", "Never", "Always",
    "an open policy", "a closed policy", "a policy used up"};

struct square {
	const struct kind *kind;
	enum key_use use;
	enum who who;
	enum given given;
	bool global; /* the key */
	bool exportable;
	bool deletable;
};

static bool
has_word(const char *words, const char *word)
{
	size_t octets = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word)) != NULL) {
		if ((at == words || at[-1] == ' ') &&
		    (at[octets] == ' ' || at[octets] == '\0'))
			return true;
		at += octets;
	}
	return false;
}

static enum err
expected(const struct square *q)
{
	const char *word = key_use_row(q->use)->word;
	bool for_groups = has_word(
	    "Encrypt Decrypt MAC MACVerify Sign SignVerify Export", word);
	bool is_member = q->who == MEMBER && q->given != NOTHING;

	/* req: KS-03-020 KS-03-023 KS-28-024 KS-28-025 KS-28-026 KS-28-071 */
	if (!q->global && q->who != OWNER && !is_member)
		return ERR_NOT_FOUND;
	if (!has_word("Export Info Modify Delete", word) &&
	    !has_word(q->kind->uses, word))
		return ERR_KEY_USE;
	/* req: KS-03-052 KS-28-152 */
	if (has_word("Export", word) && !q->exportable)
		return ERR_NOT_EXTRACTABLE;
	/* req: KS-03-056 */
	if (has_word("Delete", word) && !q->deletable)
		return ERR_NOT_DELETABLE;
	/* req: KS-28-138 KS-28-140 KS-03-053 KS-03-062 KS-03-063 KS-29-033 */
	if (q->global || q->who == OWNER)
		return OK;
	/* req: KS-03-057 */
	if (!for_groups)
		return has_word("Info Public", word) ? OK : ERR_DENIED;
	switch (q->given) {
	case NOTHING:
	case NEVER: /* req: KS-28-149 */
	case GIVEN_COUNT:
		return ERR_DENIED;
	case ALWAYS: /* req: KS-28-150 KS-03-054 */
	case FREE:   /* req: KS-28-151 */
		return OK;
	case SHUT:
		return ERR_HOURS;
	case USED_UP:
		return ERR_RATE;
	}
	return ERR_DENIED;
}

/* The member's group has it; what it is asked for, and Never for the use but
 * something else, so that it sees the key. */
static struct card_permission
given_permission(const struct square *q)
{
	static const enum card_grant grants[] = {CARD_NEVER, CARD_NEVER,
	    CARD_ALWAYS, CARD_POLICY, CARD_POLICY, CARD_POLICY};
	static const char *const policies[] = {
	    "", "", "", "free", "shut", "two"};
	bool has_column = (int)q->use < (int)KEY_PERMISSIONS;
	struct card_permission p =
	    permission("group", has_column ? q->use : USE_EXPORT,
		grants[q->given], policies[q->given]);

	if (q->given == NEVER)
		p.use[q->use == USE_MAC ? USE_ENCRYPT : USE_MAC].grant =
		    CARD_ALWAYS;
	return p;
}

static enum err
ask(const struct key_user *user, const struct object *o, enum key_use use)
{
	char why[ACCESS_WHY_OCTETS];

	return access_check(APPLIANCE, user, o, use, 1, why);
}

static void
look_at(const struct square *q)
{
	static const char *const names[] = {
	    "", "bob", "alice", "carol", "dave"};
	const struct card_permission p = given_permission(q);
	const struct key key = {.type = q->kind->type,
	    .algorithm = q->kind->algorithm,
	    .owner = q->global ? "" : "alice",
	    .exportable = q->exportable,
	    .deletable = q->deletable,
	    .permissions = &p,
	    .permission_count = q->given == NOTHING ? 0 : 1};
	struct asker who;
	struct key_user *user =
	    asker(&who, names[q->who], q->who == MEMBER ? "group" : "");
	struct object *o = key_new(&key);
	enum err want = expected(q);
	enum err got;

	user->administers = q->who == USER_ADMINISTRATOR;
	got = ask(user, o, q->use);
	if (q->given == USED_UP && got == OK) {
		got = ask(user, o, q->use);
		assert_int_equal(got, OK);
		got = ask(user, o, q->use);
	}
	if (got != want)
		fail_msg("%s: %s of %s %s key%s%s, given %s: expected %s, got "
			 "%s",
		    whos[q->who], key_use_row(q->use)->title,
		    q->global ? "a global" : "another's", q->kind->name,
		    q->exportable ? ", exportable" : "",
		    q->deletable ? ", deletable" : "", givens[q->given],
		    err_name(want), err_name(got));
	object_free(o);
}

/* req: KS-03-025 KS-03-049 KS-28-018 KS-28-047 KS-03-055 */
static void
test_each_use_is_for_whom_the_guide_says(void **state)
{
	unsigned squares = 0;
	struct square q;
	unsigned n;

	(void)state;
	for (n = 0; n < LENGTH(kinds) * USE_COUNT * WHO_COUNT * GIVEN_COUNT * 8;
	     n++) {
		unsigned left = n;

		q.global = left % 2;
		q.exportable = (left /= 2) % 2;
		q.deletable = (left /= 2) % 2;
		q.given = (enum given)((left /= 2) % GIVEN_COUNT);
		q.who = (enum who)((left /= GIVEN_COUNT) % WHO_COUNT);
		q.use = (enum key_use)((left /= WHO_COUNT) % USE_COUNT);
		q.kind = &kinds[left / USE_COUNT];
		/* no permissions for global keys. req: KS-28-139 */
		if (q.global && q.given != NOTHING)
			continue;
		look_at(&q);
		squares++;
	}
	assert_int_equal(squares,
	    LENGTH(kinds) * USE_COUNT * WHO_COUNT * (GIVEN_COUNT + 1) * 4);
}

/* ---------------------------------------------------------------------------
 * Policies
 */

static struct object *
aes(const struct card_permission *permissions, size_t count)
{
	return key_new(&(struct key){.type = OBJECT_TYPE_SYMMETRIC_KEY,
	    .algorithm = CRYPTOGRAPHIC_ALGORITHM_AES,
	    .owner = "alice",
	    .exportable = true,
	    .permissions = permissions,
	    .permission_count = count});
}

/* It goes so often, and then not. */
static void
assert_times(const struct key_user *user, const struct object *o,
    enum key_use use, unsigned times, enum err then)
{
	char why[ACCESS_WHY_OCTETS] = "";
	unsigned done = 0;
	enum err rc;

	while ((rc = access_check(APPLIANCE, user, o, use, 1, why)) == OK &&
	       done++ < times)
		bench_turn(&bench);
	if (done != times || rc != then)
		fail_msg("%s: expected %u and %s, got %u and %s, %s",
		    user->name, times, err_name(then), done, err_name(rc), why);
	assert_non_null(strstr(why, err_text(then)));
}

static void
assert_unlimited(
    const struct key_user *user, const struct object *o, enum key_use use)
{
	unsigned k;

	for (k = 0; k < 150; k++)
		assert_ok(ask(user, o, use));
	bench_turn(&bench);
}

/* After ten o'clock. */
static void
move_hours(int64_t hours)
{
	rig_move_to(&bench.rig, hours * HOUR_S * 1000);
}

/* req: KS-29-003 KS-28-049 KS-29-009 KS-29-010 KS-28-055 */
static void
test_each_group_has_its_own_policy(void **state)
{
	const struct card_permission p[] = {
	    permission("g2", USE_ENCRYPT, CARD_POLICY, "two"),
	    permission("g5", USE_ENCRYPT, CARD_POLICY, "five")};
	struct object *o = aes(p, LENGTH(p));
	struct asker bob, carol, dave;

	(void)state;
	assert_times(asker(&bob, "bob", "g2"), o, USE_ENCRYPT, 2, ERR_RATE);
	assert_times(asker(&carol, "carol", "g2"), o, USE_ENCRYPT, 2, ERR_RATE);
	assert_times(asker(&dave, "dave", "g5"), o, USE_ENCRYPT, 5, ERR_RATE);
	object_free(o);
}

/* req: KS-29-027 KS-29-028 KS-29-029 KS-28-057 */
static void
test_of_several_policies_the_least_restrictive_at_this_hour_counts(void **state)
{
	const struct card_permission p[] = {
	    permission("a", USE_ENCRYPT, CARD_POLICY, "two"),
	    permission("b", USE_ENCRYPT, CARD_POLICY, "ten-before-noon"),
	    permission("c", USE_ENCRYPT, CARD_POLICY, "shut")};
	struct object *o = aes(p, LENGTH(p));
	struct asker bob, carol;
	struct key_user *user = asker(&bob, "bob", "a b c");

	(void)state;
	assert_times(user, o, USE_ENCRYPT, 10, ERR_RATE);
	/* 12:00: "b" is over and "c", without limit, has begun */
	move_hours(2);
	assert_unlimited(user, o, USE_ENCRYPT);
	/* 14:00: only "a" is open; what was done in this hour is none of it */
	move_hours(4);
	assert_times(user, o, USE_ENCRYPT, 2, ERR_RATE);
	/* who is in "b" and "c" only */
	assert_times(
	    asker(&carol, "carol", "b c"), o, USE_ENCRYPT, 0, ERR_HOURS);
	object_free(o);
}

/* req: KS-28-150 */
static void
test_always_counts_before_any_policy(void **state)
{
	const struct card_permission p[] = {
	    permission("a", USE_ENCRYPT, CARD_POLICY, "shut"),
	    permission("b", USE_ENCRYPT, CARD_POLICY, "two"),
	    permission("c", USE_ENCRYPT, CARD_ALWAYS, "")};
	struct object *o = aes(p, LENGTH(p));
	struct asker bob;

	(void)state;
	assert_unlimited(asker(&bob, "bob", "a b c"), o, USE_ENCRYPT);
	/* none of it was counted */
	assert_times(asker(&bob, "bob", "a b"), o, USE_ENCRYPT, 2, ERR_RATE);
	object_free(o);
}

/* req: KS-29-033 KS-28-050 KS-28-138 KS-28-221 */
static void
test_the_owner_is_bound_by_no_policy_of_its_groups(void **state)
{
	const struct card_permission p[] = {
	    permission("a", USE_ENCRYPT, CARD_POLICY, "shut"),
	    permission("b", USE_ENCRYPT, CARD_POLICY, "two"),
	    permission("c", USE_DECRYPT, CARD_ALWAYS, "")};
	struct object *o = aes(p, LENGTH(p));
	struct asker alice;
	struct key_user *user = asker(&alice, "alice", "a b c");

	(void)state;
	assert_unlimited(user, o, USE_ENCRYPT);
	assert_unlimited(user, o, USE_DECRYPT);
	assert_int_equal(rates_in_memory(APPLIANCE->rates), 0);
	object_free(o);
}

/* The count is the user's and the key's, whatever is done with it; what has no
 * permission of its own is not counted. */
static void
test_all_that_a_policy_allows_counts_together(void **state)
{
	struct card_permission p =
	    permission("a", USE_ENCRYPT, CARD_POLICY, "five");
	struct asker bob;
	struct key_user *user = asker(&bob, "bob", "a");
	struct object *o;

	(void)state;
	p.use[USE_DECRYPT] = p.use[USE_EXPORT] = p.use[USE_ENCRYPT];
	o = aes(&p, 1);
	assert_ok(ask(user, o, USE_ENCRYPT));
	assert_ok(ask(user, o, USE_DECRYPT));
	assert_ok(ask(user, o, USE_EXPORT));
	assert_unlimited(user, o, USE_INFO);
	assert_ok(ask(user, o, USE_ENCRYPT));
	assert_ok(ask(user, o, USE_DECRYPT));
	assert_err(ask(user, o, USE_EXPORT), ERR_RATE);
	assert_err(ask(user, o, USE_ENCRYPT), ERR_RATE);
	assert_ok(ask(user, o, USE_INFO));
	object_free(o);
}

/* req: KS-29-013 */
static void
test_a_limit_that_changes_finds_the_count(void **state)
{
	const struct card_permission p =
	    permission("a", USE_ENCRYPT, CARD_POLICY, "five");
	struct object *o = aes(&p, 1);
	struct asker bob;
	struct key_user *user = asker(&bob, "bob", "a");

	(void)state;
	assert_times(user, o, USE_ENCRYPT, 5, ERR_RATE);
	policy_put("five", 7, 0, 0);
	assert_times(user, o, USE_ENCRYPT, 2, ERR_RATE);
	policy_put("five", 3, 0, 0);
	assert_times(user, o, USE_ENCRYPT, 0, ERR_RATE);
	policy_put("five", 0, 0, 0);
	assert_unlimited(user, o, USE_ENCRYPT);
	object_free(o);
}

/* req: KS-29-018 KS-28-056 KS-03-026 */
static void
test_at_other_hours_nothing_goes_and_nothing_is_counted(void **state)
{
	const struct card_permission p =
	    permission("a", USE_ENCRYPT, CARD_POLICY, "shut");
	struct object *o = aes(&p, 1);
	struct asker bob;
	struct key_user *user = asker(&bob, "bob", "a");

	(void)state;
	assert_times(user, o, USE_ENCRYPT, 0, ERR_HOURS);
	assert_int_equal(rates_in_memory(APPLIANCE->rates), 0);
	move_hours(2);
	assert_unlimited(user, o, USE_ENCRYPT);
	move_hours(3);
	assert_ok(ask(user, o, USE_ENCRYPT));
	move_hours(4);
	assert_times(user, o, USE_ENCRYPT, 0, ERR_HOURS);
	object_free(o);
}

static void
test_a_policy_that_is_not_there_allows_nothing(void **state)
{
	const struct card_permission p[] = {
	    permission("a", USE_ENCRYPT, CARD_POLICY, "nowhere"),
	    permission("b", USE_ENCRYPT, CARD_POLICY, "two")};
	struct object *o = aes(p, LENGTH(p));
	struct asker bob;

	(void)state;
	assert_times(asker(&bob, "bob", "a"), o, USE_ENCRYPT, 0, ERR_DENIED);
	assert_times(asker(&bob, "bob", "a b"), o, USE_ENCRYPT, 2, ERR_RATE);
	object_free(o);
}

static void
test_a_policy_that_cannot_be_read_lets_nobody_pass(void **state)
{
	const struct card_permission p =
	    permission("a", USE_ENCRYPT, CARD_POLICY, "two");
	struct object *o = aes(&p, 1);
	struct asker bob;

	(void)state;
	assert_ok(record_put(STORE, "policy", NAME("two"), NAME("\x01")));
	policies_settle(APPLIANCE->policies);
	assert_err(ask(asker(&bob, "bob", "a"), o, USE_ENCRYPT), ERR_STORE);
	object_free(o);
}

/* A key of KMIP's own, without a card. */
static void
test_a_key_without_a_card_is_its_owners(void **state)
{
	struct object *o = aes(NULL, 0);
	struct asker alice, bob;

	(void)state;
	o->card = NULL;
	assert_ok(ask(asker(&alice, "alice", ""), o, USE_DELETE));
	assert_err(
	    ask(asker(&bob, "bob", "a b c"), o, USE_INFO), ERR_NOT_FOUND);
	object_free(o);
}

/* ---------------------------------------------------------------------------
 * What permissions can be
 */

static const struct {
	const char *name;
	const char *owner;
	enum key_family family;
	const char *group;
	enum key_use use;
	enum card_grant grant;
	const char *policy;
	const char *said; /* NULL: they can be */
} settables[] = {
    /* req: KS-28-143 */
    {"AES, Always", "alice", FAMILY_CIPHER, "g", USE_ENCRYPT, CARD_ALWAYS, "",
	NULL},
    {"AES, by a policy", "alice", FAMILY_CIPHER, "g", USE_EXPORT, CARD_POLICY,
	"two", NULL},
    {"AES, MAC", "alice", FAMILY_CIPHER, "g", USE_MAC, CARD_ALWAYS, "",
	"MAC: g: keys of this kind have no such permission"},
    {"AES, no MAC", "alice", FAMILY_CIPHER, "g", USE_MAC, CARD_NEVER, "", NULL},
    /* req: KS-28-146 KS-28-147 */
    {"HMAC, Encrypt", "alice", FAMILY_HMAC, "g", USE_ENCRYPT, CARD_ALWAYS, "",
	"Encrypt: g: keys of this kind"},
    {"RSA, Sign Verify", "alice", FAMILY_RSA, "g", USE_SIGN_VERIFY, CARD_ALWAYS,
	"", NULL},
    {"RSA, MAC Verify", "alice", FAMILY_RSA, "g", USE_MAC_VERIFY, CARD_ALWAYS,
	"", "MAC Verify: g: keys of this kind"},
    /* req: KS-28-137 KS-28-136 */
    {"no such group", "alice", FAMILY_CIPHER, "alice", USE_ENCRYPT, CARD_ALWAYS,
	"", "Group: alice: there is no such group"},
    {"a group of no name", "alice", FAMILY_CIPHER, "", USE_ENCRYPT, CARD_ALWAYS,
	"", "Group: (empty): there is no such group"},
    /* req: KS-28-141 KS-28-223 */
    {"no such policy", "alice", FAMILY_CIPHER, "g", USE_ENCRYPT, CARD_POLICY,
	"twenty", "Encrypt: twenty: there is no such authorization policy"},
    /* req: KS-28-139 KS-28-222 KS-29-031 KS-28-058 */
    {"a global key", "", FAMILY_CIPHER, "g", USE_ENCRYPT, CARD_ALWAYS, "",
	"Group: g: a global key has no group permissions"},
    {"a global key, by a policy", "", FAMILY_CIPHER, "g", USE_ENCRYPT,
	CARD_POLICY, "two", "a global key has no group permissions"},
    /* req: KS-29-032 KS-28-058 */
    {"a certificate, Always", "alice", FAMILY_OTHER, "g", USE_EXPORT,
	CARD_ALWAYS, "", NULL},
    {"a certificate, by a policy", "alice", FAMILY_OTHER, "g", USE_EXPORT,
	CARD_POLICY, "two", "Export: two: authorization policies are for keys"},
};

static void
test_permissions_are_of_groups_uses_and_policies_that_there_are(void **state)
{
	size_t k;

	(void)state;
	assert_ok(group_create(APPLIANCE, NAME("g")));
	assert_ok(group_create(APPLIANCE, NAME("h")));
	for (k = 0; k < LENGTH(settables); k++) {
		struct card_permission p[] = {{.group = NAME("h")},
		    permission(settables[k].group, settables[k].use,
			settables[k].grant, settables[k].policy)};
		const char *said = settables[k].said;
		bool global = settables[k].owner[0] == '\0';
		char why[ENTRY_WHY_OCTETS] = "";
		enum err rc = access_check_permissions(APPLIANCE,
		    NAME(settables[k].owner), settables[k].family,
		    global ? p + 1 : p, global ? 1 : 2, why);

		if (rc != (said == NULL ? OK : ERR_FIELD) ||
		    (said != NULL && strstr(why, said) == NULL))
			fail_msg("%s: expected %s, got %s, %s",
			    settables[k].name, said, err_name(rc), why);
	}
	assert_ok(access_check_permissions(
	    APPLIANCE, BYTES_NONE, FAMILY_CIPHER, NULL, 0, NULL));
}

static void
test_a_group_has_its_permissions_once(void **state)
{
	const struct card_permission p[] = {
	    permission("g", USE_ENCRYPT, CARD_ALWAYS, ""),
	    permission("g", USE_DECRYPT, CARD_ALWAYS, "")};
	char why[ENTRY_WHY_OCTETS];

	(void)state;
	assert_ok(group_create(APPLIANCE, NAME("g")));
	assert_ok(access_check_permissions(
	    APPLIANCE, NAME("alice"), FAMILY_CIPHER, p, 1, why));
	assert_err(access_check_permissions(
		       APPLIANCE, NAME("alice"), FAMILY_CIPHER, p, 2, why),
	    ERR_FIELD);
	assert_non_null(strstr(why, "Group: g: its permissions are there"));
}

int
main(void)
{
#define ACCESS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    ACCESS_TEST(test_each_use_is_for_whom_the_guide_says),
	    ACCESS_TEST(test_each_group_has_its_own_policy),
	    ACCESS_TEST(
		test_of_several_policies_the_least_restrictive_at_this_hour_counts),
	    ACCESS_TEST(test_always_counts_before_any_policy),
	    ACCESS_TEST(test_the_owner_is_bound_by_no_policy_of_its_groups),
	    ACCESS_TEST(test_all_that_a_policy_allows_counts_together),
	    ACCESS_TEST(test_a_limit_that_changes_finds_the_count),
	    ACCESS_TEST(
		test_at_other_hours_nothing_goes_and_nothing_is_counted),
	    ACCESS_TEST(test_a_policy_that_is_not_there_allows_nothing),
	    ACCESS_TEST(test_a_policy_that_cannot_be_read_lets_nobody_pass),
	    ACCESS_TEST(test_a_key_without_a_card_is_its_owners),
	    ACCESS_TEST(
		test_permissions_are_of_groups_uses_and_policies_that_there_are),
	    ACCESS_TEST(test_a_group_has_its_permissions_once),
	};
#undef ACCESS_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
