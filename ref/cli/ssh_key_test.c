#include "cli/ssh_key.h"

#include "cli/desk_test.h"
#include "cli/ssh.h"
#include "crypto/vault.h"

#define KIND "ssh"
#define NAME "ssh-key"

enum { SEALED_OCTETS = VAULT_OVERHEAD_OCTETS + HOSTKEY_OCTETS };

static struct desk desk;

static int
set_up(void **state)
{
	const struct cli_entry everybody = {.door = DOOR_NONE, .peer = ""};

	(void)state;
	desk_make(&desk);
	(void)desk_sit(&desk, &everybody);
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
is_read(enum err want)
{
	struct secret *key = NULL;

	assert_err(ssh_key_read(desk_appliance(&desk), &key), want);
	assert_true((key != NULL) == (want == OK));
	secret_free(key);
}

static void
keep(struct bytes sealed)
{
	assert_ok(record_put(
	    desk_appliance(&desk)->store, KIND, bytes_of_text(NAME), sealed));
}

static void
keep_sealed(const char *name, const char *text)
{
	struct appliance *appliance = desk_appliance(&desk);
	struct buf sealed;

	buf_init(&sealed, SEALED_OCTETS);
	assert_ok(vault_seal(appliance->env, appliance->vault, name,
	    bytes_of_text(text), &sealed));
	keep(buf_peek(&sealed));
	buf_clear(&sealed);
}

/* req: KS-19-010 */
static void
what_is_kept_is_sealed_and_a_key(void **state)
{
	struct appliance *appliance = desk_appliance(&desk);
	struct buf sealed;
	struct secret *key = NULL;

	(void)state;
	is_read(ERR_NOT_FOUND);
	assert_ok(ssh_key_renew(appliance));
	is_read(OK);
	assert_ok(ssh_key_read(appliance, &key));
	assert_true(ssh_hostkey_is_valid(secret_peek(key)));
	/* in the store nobody can read it */
	buf_init(&sealed, SEALED_OCTETS);
	assert_ok(
	    record_get(appliance->store, KIND, bytes_of_text(NAME), &sealed));
	assert_null(memmem(sealed.at, sealed.octets, secret_peek(key).at, 32));
	secret_free(key);
	/* an octet is another; another's seal; and what is none */
	sealed.at[sealed.octets - 1] ^= 1;
	keep(buf_peek(&sealed));
	buf_clear(&sealed);
	is_read(ERR_SEAL);
	keep_sealed("another", "a key");
	is_read(ERR_SEAL);
	keep_sealed(NAME, "no key");
	is_read(ERR_VALUE);
	assert_ok(ssh_key_renew(appliance));
	is_read(OK);
}

/* req: KS-19-060 */
static void
an_administrator_makes_another(void **state)
{
	struct secret *before = NULL, *after = NULL;

	(void)state;
	assert_ok(ssh_key_renew(desk_appliance(&desk)));
	assert_ok(ssh_key_read(desk_appliance(&desk), &before));
	assert_non_null(
	    strstr(desk_type(&desk, "ssh key recreate now"), "=Error: "));
	assert_ok(ssh_key_read(desk_appliance(&desk), &after));
	assert_true(secret_equal(before, after));
	secret_free(after);
	assert_non_null(strstr(desk_type(&desk, "ssh key recreate"), ".0\n"));
	assert_non_null(strstr(desk_audited(&desk), "SSH key: recreated"));
	assert_ok(ssh_key_read(desk_appliance(&desk), &after));
	assert_false(secret_equal(before, after));
	secret_free(after);
	secret_free(before);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_kept_is_sealed_and_a_key),
	    TEST(an_administrator_makes_another),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
