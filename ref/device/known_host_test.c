#include "device/known_host.h"

#include <stdio.h>
#include <string.h>

#include "device/rig_test.h"

static struct bench bench;
static char listed[256];

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bench_remove(&bench);
	return 0;
}

static enum err
list(void *ctx, const struct known_host *host)
{
	size_t used = strlen(listed);

	(void)ctx;
	(void)snprintf(listed + used, sizeof(listed) - used, "%.*s %.*s %.*s|",
	    (int)host->name.octets, (const char *)host->name.at,
	    (int)host->type.octets, (const char *)host->type.at,
	    (int)host->fingerprint.octets, (const char *)host->fingerprint.at);
	return OK;
}

static void
assert_listed(const char *want)
{
	listed[0] = '\0';
	assert_ok(known_host_each(bench.appliance.store, list, NULL));
	assert_string_equal(listed, want);
}

static void
assert_known(const char *name, const char *want)
{
	char got[KNOWN_HOST_FINGERPRINT_OCTETS] = "?";

	assert_ok(known_host_find(bench.appliance.store, name, got));
	assert_string_equal(got, want);
}

static void
keep(const char *name, const char *fingerprint)
{
	assert_ok(known_host_keep(
	    &bench.appliance, name, "ssh-ed25519", fingerprint));
}

/* Two transfers may have seen their first key at one time. */
static void
the_first_key_of_a_host_stays(void **state)
{
	(void)state;
	assert_known("b.example:22", "");
	keep("b.example:22", "SHA256:one");
	keep("b.example:22", "SHA256:other");
	assert_known("b.example:22", "SHA256:one");
	/* another port is another server */
	assert_known("b.example:2222", "");
	keep("b.example:2222", "SHA256:other");
	keep("a.example:22", "SHA256:third");
	assert_listed("a.example:22 ssh-ed25519 SHA256:third|"
		      "b.example:22 ssh-ed25519 SHA256:one|"
		      "b.example:2222 ssh-ed25519 SHA256:other|");
}

static void
a_host_that_is_forgotten_may_have_another_key(void **state)
{
	struct store *st = bench.appliance.store;

	(void)state;
	keep("b.example:22", "SHA256:one");
	assert_err(known_host_forget(st, "b.example"), ERR_NOT_FOUND);
	assert_known("b.example:22", "SHA256:one");
	assert_ok(known_host_forget(st, "b.example:22"));
	assert_known("b.example:22", "");
	assert_listed("");
	assert_err(known_host_forget(st, "b.example:22"), ERR_NOT_FOUND);
	keep("b.example:22", "SHA256:other");
	assert_known("b.example:22", "SHA256:other");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	    TEST(the_first_key_of_a_host_stays),
	    TEST(a_host_that_is_forgotten_may_have_another_key),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
