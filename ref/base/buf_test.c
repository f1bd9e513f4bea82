#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
it_grows_to_its_maximum_and_no_further(void **state)
{
	struct buf b;
	uint8_t *tail;
	size_t k;

	(void)state;
	buf_init(&b, 1000);
	for (k = 0; k < 100; k++)
		assert_int_equal(buf_put_text(&b, "0123456789"), OK);
	assert_int_equal(buf_peek(&b).octets, 1000);
	assert_int_equal(buf_put_text(&b, "0"), ERR_LIMIT);
	assert_int_equal(buf_reserve(&b, 1, &tail), ERR_LIMIT);
	assert_int_equal(buf_reserve(&b, SIZE_MAX, &tail), ERR_LIMIT);
	assert_int_equal(buf_peek(&b).octets, 1000);
	assert_memory_equal(buf_peek(&b).at + 990, "0123456789", 10);
	buf_clear(&b);
	assert_int_equal(buf_peek(&b).octets, 0);
	assert_int_equal(buf_put_text(&b, "again"), OK);
	buf_clear(&b);
}

/* What is dropped or forgotten does not stay behind the content. */
static void
what_it_forgets_is_wiped(void **state)
{
	static const uint8_t zeros[16];
	struct buf b;
	const uint8_t *at;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_put_text(&b, "secretsecretsecret"), OK);
	at = b.at;
	buf_drop(&b, 12);
	assert_true(bytes_equal_text(buf_peek(&b), "secret"));
	assert_memory_equal(at + 6, zeros, 12);
	buf_reset(&b);
	assert_ptr_equal(b.at, at);
	assert_memory_equal(at, zeros, 6);
	buf_clear(&b);
}

static void
printing_counts_its_octets(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_printf(&b, "%d-%s", 12, "abcd"), OK);
	assert_true(bytes_equal_text(buf_peek(&b), "12-abcd"));
	/* one octet is left, and no room for the text */
	assert_int_equal(buf_printf(&b, "%s", "xy"), ERR_LIMIT);
	assert_true(bytes_equal_text(buf_peek(&b), "12-abcd"));
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_grows_to_its_maximum_and_no_further),
	    cmocka_unit_test(what_it_forgets_is_wiped),
	    cmocka_unit_test(printing_counts_its_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
