#include "device/password.h"

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/ossl.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Few enough for a test, which proves nothing about how slow it is. */
enum { ITERATIONS = 1000 };

static struct env *env;

static int
set_up(void **state)
{
	(void)state;
	return ossl_init() != OK || env_new(&env) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	env_free(env);
	return 0;
}

/* ---- how they are kept ---- */

/* Made by python's hmac and base64, from RFC 8018. */
#define LINE                                          \
	"pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==" \
	"$T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw="
#define PASSWORD "p\xc3\xa4ssword"

/* clang-format off */
static const struct {
	const char *name, *line, *password;
	bool valid, match;
} lines[] = {
	{ "somebody else's line", LINE, PASSWORD, true, true },
	{ "one letter less", LINE, "p\xc3\xa4sswor", true, false },
	{ "another case", LINE, "P\xc3\xa4ssword", true, false },
	{ "no password", LINE, "", true, false },
	{ "one iteration less",
	  "pbkdf2-sha256$999$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, true, false },
	{ "one bit of the salt",
	  "pbkdf2-sha256$1000$BAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, true, false },
	{ "one bit of the hash, the last",
	  "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSj0=", PASSWORD, true, false },
	{ "empty", "", "", false, false },
	{ "another scheme",
	  "pbkdf2-sha512$1000$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "a leading zero",
	  "pbkdf2-sha256$01000$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "no iterations",
	  "pbkdf2-sha256$$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "a letter among the iterations",
	  "pbkdf2-sha256$10a0$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "iterations for an hour",
	  "pbkdf2-sha256$10000001$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "iterations past 32 bits",
	  "pbkdf2-sha256$4294968296$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "bits behind the salt's end",
	  "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODx==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "a salt without its padding",
	  "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "no base 64",
	  "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0O!w==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "something in place of the last dollar",
	  "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==:"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw=", PASSWORD, false, false },
	{ "a hash that ends too soon",
	  "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==$"
	  "T0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4s", PASSWORD, false, false },
	{ "something behind it", LINE " ", PASSWORD, false, false },
};
/* clang-format on */

static void
lines_are_read_and_verified(void **state)
{
	struct password_hash hash;
	bool match = false;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(lines); k++) {
		memset(&hash, 0, sizeof(hash));
		(void)snprintf(
		    hash.line, sizeof(hash.line), "%s", lines[k].line);
		if (password_hash_is_valid(&hash) != lines[k].valid)
			fail_msg("%s: expected %svalid", lines[k].name,
			    lines[k].valid ? "" : "not ");
		assert_int_equal(password_verify(&hash, ITERATIONS,
				     bytes_of_text(lines[k].password), &match),
		    OK);
		if (match != lines[k].match)
			fail_msg("%s: expected %d", lines[k].name,
			    (int)lines[k].match);
	}
}

static void
a_line_without_an_end_is_none(void **state)
{
	struct password_hash hash;

	(void)state;
	memset(hash.line, 'A', sizeof(hash.line));
	assert_false(password_hash_is_valid(&hash));
}

/* An account that is not there is verified all the same, and never right;
 * an empty salt and a hash of zeros are nobody's password. */
static void
nobody_has_no_password(void **state)
{
	bool match = true;

	(void)state;
	assert_int_equal(
	    password_verify(NULL, ITERATIONS, bytes_of_text("any"), &match),
	    OK);
	assert_false(match);
	/* it is the work that is asked for: none cannot be done */
	assert_int_equal(
	    password_verify(NULL, 0, bytes_of_text("any"), &match), ERR_CRYPTO);
}

/* req: KS-15-047 */
static void
what_is_made_can_be_verified(void **state)
{
	char most[PASSWORD_MAX_OCTETS + 1];
	struct password_hash one, two;
	struct bytes longest = {(uint8_t *)most, PASSWORD_MAX_OCTETS};
	bool match = false;

	(void)state;
	memset(most, 'm', sizeof(most));
	assert_int_equal(password_hash(env, ITERATIONS, longest, &one), OK);
	assert_int_equal(password_hash(env, ITERATIONS, longest, &two), OK);
	assert_true(password_hash_is_valid(&one));
	assert_memory_equal(one.line, "pbkdf2-sha256$1000$", 19);
	assert_string_not_equal(one.line, two.line); /* each has its salt */
	assert_int_equal(password_verify(&one, 1, longest, &match), OK);
	assert_true(match);
	longest.octets--;
	assert_int_equal(password_verify(&one, 1, longest, &match), OK);
	assert_false(match);
	longest.octets = sizeof(most);
	assert_int_equal(
	    password_hash(env, ITERATIONS, longest, &one), ERR_LENGTH);
}

static enum err
no_randomness(void *ctx, uint8_t *out, size_t octets)
{
	(void)ctx;
	memset(out, 0, octets);
	return ERR_ENTROPY;
}

static void
no_hash_without_randomness(void **state)
{
	struct password_hash hash;
	struct env *broken;

	(void)state;
	assert_int_equal(env_new(&broken), OK);
	env_set_random(broken, no_randomness, NULL);
	assert_int_equal(password_hash(broken, ITERATIONS,
			     bytes_of_text("x9Kq!m2Zt"), &hash),
	    ERR_ENTROPY);
	env_free(broken);
}

/* ---- which are good enough ---- */

#define DIFFERENT  "Passwords must contain at least five different characters"
#define WHITESPACE "Passwords must not contain only whitespace"
#define PHONE      "Passwords must not resemble a phone number"
#define WORD       "Passwords must not resemble a dictionary word"
#define REVERSED   "Passwords must not resemble a reversed dictionary word"
#define NAME       "Passwords must not be based on the username"
#define SIMPLE     "Passwords must not be simplistic"
#define TEXT       "Passwords must be UTF-8 text"
#define LEAST(n)   "Passwords must be at least " #n " characters long"
#define LACKS(x)   "Passwords must contain at least one " x

static const struct password_rules eight = {.least = 8};
static const struct password_rules twelve = {.least = 12};
static const struct password_rules one = {.least = 1};
static const struct password_rules lower = {.least = 8, .lower = true};
static const struct password_rules upper = {.least = 8, .upper = true};
static const struct password_rules number = {.least = 8, .number = true};
static const struct password_rules special = {.least = 8, .special = true};
static const struct password_rules all = {
    .least = 8, .lower = true, .upper = true, .number = true, .special = true};

#define A_UMLAUT "\xc3\xa4"
#define O_UMLAUT "\xc3\xb6"
#define EM_SPACE "\xe2\x80\x83"

/* clang-format off */
static const struct {
	const struct password_rules *rules;
	const char *user, *password, *why; /* NULL: it may be one */
} cases[] = {
	/* req: KS-17-001 KS-17-005 */
	{ &eight, "bob", "kzqkzqkzqx", DIFFERENT },
	{ &eight, "bob", "kzqkzqkxqw", NULL },
	{ &eight, "bob", "", DIFFERENT },
	{ &eight, "bob", A_UMLAUT O_UMLAUT "\xc3\xbc" "\xc3\x9f"
	  A_UMLAUT O_UMLAUT "\xc3\xbc" "\xc3\x9f", DIFFERENT },
	{ &eight, "bob", A_UMLAUT O_UMLAUT "\xc3\xbc" "\xc3\x9f"
	  A_UMLAUT O_UMLAUT "\xc3\xbc" "\xc3\xb1", NULL },
	/* req: KS-17-006 */
	{ &eight, "bob", " \t\n\v\f\r \t", WHITESPACE },
	{ &eight, "bob", " \t\n\v\f\rxk9#qzm7", NULL },
	{ &eight, "bob", "\xe2\x80\x80" "\xe2\x80\x81" "\xe2\x80\x82" EM_SPACE
	  "\xe2\x80\x84" "\xc2\xa0" "\xe2\x80\x87" "\xe2\x80\xaf", WHITESPACE },
	{ &eight, "bob", "\xe2\x80\x80" "\xe2\x80\x81" "\xe2\x80\x82" EM_SPACE
	  "\xe2\x80\x84" "\xc2\xa0" "\xe2\x80\x87" "xk9#qzm7", NULL },
	/* req: KS-17-007 */
	{ &eight, "bob", "555-123-4967", PHONE },
	{ &eight, "bob", "555-123-4967q", NULL },
	{ &eight, "bob", "+49 (0)89 / 4967-12", PHONE },
	{ &eight, "bob", "(408) 555.1796", PHONE },
	{ &one, "bob", "5791463", PHONE },
	{ &one, "bob", "579146", NULL },
	{ &eight, "bob", "579146380257914", PHONE },
	{ &eight, "bob", "5791463802579146", NULL },
	{ &eight, "bob", "555-1796 x214", PHONE },
	{ &eight, "bob", "555-1796 Ext. 214", PHONE },
	{ &eight, "bob", "555-1796 ext.2145793", NULL },
	{ &eight, "bob", "555-1796 xt 214", NULL },
	{ &eight, "bob", "555-1796#214", NULL },
	/* req: KS-17-008 */
	{ &eight, "bob", "elephants", WORD },
	{ &eight, "bob", "El3phant$", WORD },
	{ &eight, "bob", "elephxnts", NULL },
	/* req: KS-17-009 */
	{ &eight, "bob", "stnahpele", REVERSED },
	{ &eight, "bob", "stnxhpele", NULL },
	/* req: KS-17-010 */
	{ &eight, "jsmith42", "jsmith42x", NAME },
	{ &eight, "JSmith42", "jsmith42x", NAME },
	{ &eight, "jsmith42", "JSMITH42!", NAME },
	{ &eight, "jsmith42", "24htimsj", NAME },
	{ &eight, "jsmith43", "jsmith42x", NULL },
	{ &eight, "", "jsmith42x", NULL },
	{ &eight, "", "90210657 148302759", NULL },
	/* cracklib's own */
	{ &eight, "bob", "abcdefghij", SIMPLE },
	{ &one, "bob", "xK9#q", LEAST(6) },
	{ &one, "bob", "xK9#qz", NULL },
	/* req: KS-17-054 */
	{ &eight, "bob", "xk9#qzm", LEAST(8) },
	{ &eight, "bob", "xk9#qzm7", NULL },
	{ &twelve, "bob", "xk9#qzm7t4v", LEAST(12) },
	{ &twelve, "bob", "xk9#qzm7t4vw", NULL },
	{ &eight, "bob", "xk9#qz" A_UMLAUT, LEAST(8) },
	{ &eight, "bob", "xk9#qz" A_UMLAUT O_UMLAUT, NULL },
	/* req: KS-17-055 */
	{ &lower, "bob", "XK9#QZM7", LACKS("lower case letter") },
	{ &lower, "bob", "XK9#QzM7", NULL },
	{ &lower, "bob", "XK9#Q" A_UMLAUT "M7", NULL },
	/* req: KS-17-056 */
	{ &upper, "bob", "xk9#qzm7", LACKS("upper case letter") },
	{ &upper, "bob", "xk9#qZm7", NULL },
	{ &upper, "bob", "xk9#q\xc3\x84m7", NULL },
	/* req: KS-17-057 */
	{ &number, "bob", "xkt#qzmv", LACKS("number") },
	{ &number, "bob", "xkt#qzm0", NULL },
	/* req: KS-17-058 */
	{ &special, "bob", "xk9tqzm7", LACKS("special character") },
	{ &special, "bob", "xk9tqz" A_UMLAUT O_UMLAUT, LACKS("special character") },
	{ &special, "bob", "xk9tqzm_", NULL },
	{ &special, "bob", "xk9t qzm", NULL },
	{ &special, "bob", "xk9tqzm\xe2\x82\xac", NULL },
	/* req: KS-17-059 */
	{ &all, "bob", "XK9#QZM7", LACKS("lower case letter") },
	{ &all, "bob", "xk9#qzm7", LACKS("upper case letter") },
	{ &all, "bob", "xkT#qzmv", LACKS("number") },
	{ &all, "bob", "xK9tqzm7", LACKS("special character") },
	{ &all, "bob", "xK9#qzm7", NULL },
	/* what is no text */
	{ &eight, "bob", "xk9#qzm7\xff", TEXT },
	{ &eight, "bob", "xk9#qzm7\xc3", TEXT },
};
/* clang-format on */

static void
rules(void **state)
{
	char why[PASSWORD_WHY_OCTETS];
	const char *want;
	enum err rc;
	size_t k, wrong = 0;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		want = cases[k].why != NULL ? cases[k].why : "";
		rc = password_check(cases[k].rules, cases[k].user,
		    bytes_of_text(cases[k].password), why);
		if (rc == (cases[k].why != NULL ? ERR_FIELD : OK) &&
		    strcmp(why, want) == 0)
			continue;
		print_error("'%s' of '%s': expected '%s', got %s '%s'\n",
		    cases[k].password, cases[k].user, want, err_name(rc), why);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* Characters, not octets. */
static void
at_most_256_characters(void **state)
{
	char text[PASSWORD_MAX_OCTETS + 8] = "";
	char why[PASSWORD_WHY_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < PASSWORD_MAX_CHARACTERS; k++)
		memcpy(text + 3 * k, k % 3 != 0 ? "\xe2\x82\xac" : EM_SPACE, 3);
	memcpy(text, "x\xc3\xa4q\xc3\xb6z\xc3\xbc", 9);
	memcpy(text + 9, "9#k", 3);
	/* 9 characters stand where there were 4 */
	assert_int_equal(password_check(&eight, "bob",
			     (struct bytes){(uint8_t *)text, 3 * 251}, why),
	    OK);
	assert_int_equal(password_check(&eight, "bob",
			     (struct bytes){(uint8_t *)text, 3 * 252}, why),
	    ERR_FIELD);
	assert_string_equal(
	    why, "Passwords must be at most 256 characters long");
	assert_int_equal(
	    password_check(&eight, "bob",
		(struct bytes){(uint8_t *)text, sizeof(text)}, why),
	    ERR_FIELD);
	assert_string_equal(
	    why, "Passwords must be at most 256 characters long");
}

static void
a_nul_is_no_text(void **state)
{
	static const uint8_t octets[] = "xk9#\0qzm7";
	char why[PASSWORD_WHY_OCTETS];

	(void)state;
	assert_int_equal(
	    password_check(&eight, "bob", (struct bytes){octets, 9}, why),
	    ERR_FIELD);
	assert_string_equal(why, TEXT);
}

/* Without its dictionary nothing is let through; what needs none is told. */
static void
no_dictionary(void **state)
{
	const struct password_rules lost = {
	    .least = 8, .dictionary = "/nonexistent/dictionary"};
	char why[PASSWORD_WHY_OCTETS];

	(void)state;
	assert_int_equal(
	    password_check(&lost, "bob", bytes_of_text("xk9#qzm7"), why),
	    ERR_CONFIG);
	assert_string_equal(why, "");
	assert_int_equal(
	    password_check(&lost, "bob", bytes_of_text("555-123-4967"), why),
	    ERR_FIELD);
}

/* ---- nothing of it stays in memory ---- */

#define MARK "Vq7Rm2Xk9Tb4Zw6"
static const char *const traces[] = {
    MARK,
    "vq7rm2xk9tb4zw6",
    "VQ7RM2XK9TB4ZW6",
    "6wZ4bT9kX2mR7qV",
    "6wz4bt9kx2mr7qv",
};

/* Does anything that can be written have it? It stands in what cannot. */
static bool
is_in_memory(const char *trace)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	uintptr_t from, to;
	bool found = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " rw", &from, &to) !=
			2 ||
		    strstr(line, " rw") == NULL)
			continue;
		if (memmem((const void *)from, to - from, trace,
			strlen(trace)) != NULL)
			found = true;
	}
	(void)fclose(maps);
	return found;
}

static void *
check_mark(void *ctx)
{
	char why[PASSWORD_WHY_OCTETS];
	struct secret *password = ctx;
	enum err rc;

	rc = password_check(&all, "bob", secret_peek(password), why);
	assert_true(rc == OK || rc == ERR_FIELD);
	return NULL;
}

static void
cracklib_keeps_nothing(void **state)
{
	struct secret *password;
	pthread_t thread;
	size_t k, octets;
	uint8_t *at;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	print_message("most of memory may not be read under a sanitizer\n");
	skip();
#endif
	assert_int_equal(secret_new(2 * sizeof(MARK), &password), OK);
	at = secret_fill(password);
	for (octets = 0; octets < sizeof(MARK) - 1; octets++)
		at[octets] = (uint8_t)MARK[octets];
	assert_true(is_in_memory(MARK)); /* or the next would prove nothing */
	for (; octets < 2 * sizeof(MARK); octets++)
		at[octets] = '!';
	assert_int_equal(
	    pthread_create(&thread, NULL, check_mark, password), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	secret_free(password);
	for (k = 0; k < LENGTH(traces); k++) {
		if (is_in_memory(traces[k]))
			fail_msg("%s is still in memory", traces[k]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read_and_verified),
	    cmocka_unit_test(a_line_without_an_end_is_none),
	    cmocka_unit_test(nobody_has_no_password),
	    cmocka_unit_test(what_is_made_can_be_verified),
	    cmocka_unit_test(no_hash_without_randomness),
	    cmocka_unit_test(rules),
	    cmocka_unit_test(at_most_256_characters),
	    cmocka_unit_test(a_nul_is_no_text),
	    cmocka_unit_test(no_dictionary),
	    cmocka_unit_test(cracklib_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
