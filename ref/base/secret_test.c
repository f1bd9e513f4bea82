#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* AddressSanitizer does not let a process lock its memory. */
#ifdef __SANITIZE_ADDRESS__
static const char locked[] = "";
#else
static const char locked[] = " lo";
#endif

/* "VmFlags: ... lo ... dd": locked, and left out of core files. */
static bool
is_guarded(const void *p)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long from = 0;
	unsigned long to = 0;
	char line[512];
	bool guarded = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long a;
		unsigned long b;

		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			from = a;
			to = b;
		}
		if (strncmp(line, "VmFlags:", 8) == 0 &&
		    (unsigned long)p >= from && (unsigned long)p < to)
			guarded = strstr(line, locked) != NULL &&
				  strstr(line, " dd") != NULL;
	}
	fclose(maps);
	return guarded;
}

/* Small ones share pages, a large one has its own. */
static void
secrets_are_locked_and_not_dumped(void **state)
{
	static const size_t sizes[] = {1, 32, 64, 65, 4096, 4097, 20000};
	static const uint8_t zeros[20000];
	struct secret *s;
	uint8_t ours[8] = {0};
	size_t k;

	(void)state;
	assert_false(is_guarded(ours));
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		assert_int_equal(secret_new(sizes[k], &s), OK);
		assert_int_equal(secret_peek(s).octets, sizes[k]);
		assert_memory_equal(secret_peek(s).at, zeros, sizes[k]);
		assert_true(is_guarded(secret_peek(s).at));
		memset(secret_fill(s), 's', sizes[k]);
		secret_free(s);
	}
	secret_free(NULL);
}

/* The slot a secret leaves is the next one's, so it can be looked into. */
static void
a_freed_secret_leaves_nothing(void **state)
{
	static const uint8_t zeros[32];
	const uint8_t *at;
	struct secret *s;

	(void)state;
	assert_int_equal(secret_copy(bytes_of_text("0123456789abcdef"
						   "0123456789abcdef"),
			     &s),
	    OK);
	at = secret_peek(s).at;
	secret_free(s);
	/* the pool keeps a pointer in the first octets of a free slot */
	assert_memory_equal(at + sizeof(void *), zeros, 32 - sizeof(void *));
	assert_int_equal(secret_new(32, &s), OK);
	assert_ptr_equal(secret_peek(s).at, at);
	assert_memory_equal(at, zeros, 32);
	secret_free(s);
}

static void
secrets_are_equal_in_length_and_octets(void **state)
{
	struct secret *a;
	struct secret *b;

	(void)state;
	assert_int_equal(secret_copy(bytes_of_text("abc"), &a), OK);
	assert_int_equal(secret_copy(bytes_of_text("abc"), &b), OK);
	assert_true(secret_equal(a, b));
	secret_fill(b)[2] = 'd';
	assert_false(secret_equal(a, b));
	assert_false(
	    secret_equal_bytes(bytes_of_text("abc"), bytes_of_text("abcd")));
	assert_true(secret_equal_bytes(BYTES_NONE, BYTES_NONE));
	secret_free(a);
	secret_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_locked_and_not_dumped),
	    cmocka_unit_test(a_freed_secret_leaves_nothing),
	    cmocka_unit_test(secrets_are_equal_in_length_and_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
