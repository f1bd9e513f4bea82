#include "crypto/kdf.h"

#include "crypto/hex_test.h"
#include "crypto/ossl.h"

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	return ossl_init() != OK || arena_new(1 << 20, &arena) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/*
 * RFC 7914 section 11 has the first two; the other two are python's, by hmac
 * and the formula of RFC 8018.
 */
/* clang-format off */
static const struct {
	const char *password, *salt;
	unsigned iterations;
	const char *want;
} cases[] = {
	{ "passwd", "salt", 1,
	  "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
	  "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783" },
	{ "Password", "NaCl", 80000,
	  "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
	  "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d" },
	{ "", "salt", 2,
	  "62384466264daadc4144018c6bd864648272b34da8980d31521ffcce92ae003b" },
	{ "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt",
	  4096, "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd"
	  "53e1c635518c7dac47e9" },
};
/* clang-format on */

static void
vectors(void **state)
{
	uint8_t got[64];
	struct bytes want;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		want = hex_read(arena, cases[k].want);
		assert_int_equal(kdf_pbkdf2(bytes_of_text(cases[k].password),
				     bytes_of_text(cases[k].salt),
				     cases[k].iterations, got, want.octets),
		    OK);
		assert_string_equal(
		    hex_text(arena, (struct bytes){got, want.octets}),
		    cases[k].want);
	}
}

static void
no_iterations_are_refused(void **state)
{
	uint8_t got[32];

	(void)state;
	assert_int_equal(kdf_pbkdf2(bytes_of_text("passwd"),
			     bytes_of_text("salt"), 0, got, sizeof(got)),
	    ERR_CRYPTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(no_iterations_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
