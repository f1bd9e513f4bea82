#include "ikey/ikey.h"

#include "ikey/crypt.h"
#include "ikey/sample_test.h"

static struct env *env;

static int
set_up(void **state)
{
	(void)state;
	return env_new(&env) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	env_free(env);
	return 0;
}

/* ---- a known iKey ---- */

static const uint8_t known_serial[] = {1, 2, 3, 4, 5, 6, 7, 8};
static const char known_keyset[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
static const char known_salt[] = "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf";
static const char known_share[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/* Made by Python's hashlib and hmac from ikey.h; PIN 1234. */
static const char known[] = "5453494b4559310a 03 01 02 03 02 000000"
			    "0102030405060708"
			    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
			    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
			    "84ca98f7edbfb4da79db82eaf1e3e906"
			    "bcd697f776880f7c05cb220e6453fbcc"
			    "cdd22fb6bcc684e3f363be481a882292"
			    "baa99b42a2d97301695fdac4db620ce5";

static struct ikey
make_known(void)
{
	uint8_t keyset[IKEY_KEYSET_OCTETS];
	uint8_t share[IKEY_SECRET_OCTETS];
	uint8_t salt[IKEY_SALT_OCTETS];
	struct bytes chosen = {salt, sizeof(salt)};
	struct env *fixed;
	struct ikey key = {0};

	(void)hex_read(known_keyset, keyset, sizeof(keyset));
	(void)hex_read(known_share, share, sizeof(share));
	(void)hex_read(known_salt, salt, sizeof(salt));
	memcpy(key.serial, known_serial, sizeof(known_serial));
	assert_int_equal(env_new(&fixed), OK);
	env_set_random(fixed, chosen_random, &chosen);
	assert_int_equal(ikey_imprint(fixed,
			     &(struct ikey_imprint){.colour = IKEY_BLACK,
				 .m = 2,
				 .n = 3,
				 .index = 2,
				 .keyset = keyset,
				 .share = {share, sizeof(share)},
				 .pin = bytes_of_text("1234")},
			     &key),
	    OK);
	env_free(fixed);
	return key;
}

static void
an_ikey_is_written_as_its_format_says(void **state)
{
	const struct ikey key = make_known();
	uint8_t octets[IKEY_OCTETS];
	struct ikey back;

	(void)state;
	assert_int_equal(ikey_write(&key, octets), OK);
	assert_hex((struct bytes){octets, sizeof(octets)}, known);
	assert_int_equal(
	    ikey_read((struct bytes){octets, sizeof(octets)}, &back), OK);
	assert_memory_equal(&back, &key, sizeof(key));
}

/* ---- what is refused ---- */

static void
each_bit_that_is_changed_is_noticed(void **state)
{
	uint8_t octets[IKEY_OCTETS];
	const struct bytes in = {octets, sizeof(octets)};
	struct ikey key;
	size_t k;
	unsigned bit;

	(void)state;
	(void)hex_read(known, octets, sizeof(octets));
	for (k = 0; k < IKEY_OCTETS; k++) {
		for (bit = 0; bit < 8; bit++) {
			octets[k] ^= (uint8_t)(1 << bit);
			assert_int_equal(ikey_read(in, &key),
			    k < 8 ? ERR_VERSION : ERR_SEAL);
			octets[k] ^= (uint8_t)(1 << bit);
		}
	}
	assert_int_equal(ikey_read(in, &key), OK);
}

static void
an_ikey_has_its_length(void **state)
{
	uint8_t octets[IKEY_OCTETS + 1] = {0};
	struct ikey key;

	(void)state;
	(void)hex_read(known, octets, sizeof(octets));
	assert_int_equal(ikey_read(BYTES_NONE, &key), ERR_TRUNCATED);
	assert_int_equal(
	    ikey_read((struct bytes){octets, IKEY_OCTETS - 1}, &key),
	    ERR_TRUNCATED);
	assert_int_equal(
	    ikey_read((struct bytes){octets, IKEY_OCTETS}, &key), OK);
	assert_int_equal(
	    ikey_read((struct bytes){octets, IKEY_OCTETS + 1}, &key),
	    ERR_TRAILING);
}

/* One octet of the known iKey, or of a blank one, with a right MAC. */
/* clang-format off */
static const struct {
	const char *name;
	bool blank;
	size_t at;
	uint8_t value;
	enum err want;
} forged[] = {
	{ "black",                  false,  8,  3, OK },
	{ "orange",                 false,  8,  4, OK },
	{ "no colour",              false,  8,  5, ERR_VALUE },
	{ "a blank with a share",   false,  8,  0, ERR_VALUE },
	{ "no PIN",                 false,  9,  0, OK },
	{ "a flag that is none",    false,  9,  2, ERR_VALUE },
	{ "M is N",                 false, 10,  3, OK },
	{ "M above N",              false, 10,  4, ERR_VALUE },
	{ "M 0",                    false, 10,  0, ERR_VALUE },
	{ "N 16",                   false, 11, 16, OK },
	{ "N 17",                   false, 11, 17, ERR_VALUE },
	{ "N below the index",      false, 11,  1, ERR_VALUE },
	{ "index N",                false, 12,  3, OK },
	{ "index above N",          false, 12,  4, ERR_VALUE },
	{ "index 0",                false, 12,  0, ERR_VALUE },
	{ "not zero, first",        false, 13,  1, ERR_VALUE },
	{ "not zero, last",         false, 15,  1, ERR_VALUE },
	{ "a blank",                true,  16,  9, OK },
	{ "a blank of a colour",    true,   8,  1, ERR_VALUE },
	{ "a blank with a PIN",     true,   9,  1, ERR_VALUE },
	{ "a blank with M",         true,  10,  1, ERR_VALUE },
	{ "a blank with a keyset",  true,  24,  1, ERR_VALUE },
	{ "a blank with a salt",    true,  40,  1, ERR_VALUE },
	{ "a blank that has data",  true,  87,  1, ERR_VALUE },
};
/* clang-format on */

static void
what_no_ikey_is_is_refused(void **state)
{
	uint8_t octets[IKEY_OCTETS];
	struct ikey key;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(forged); k++) {
		print_message("%s\n", forged[k].name);
		key = forged[k].blank ? (struct ikey){0} : make_known();
		assert_int_equal(ikey_write(&key, octets), OK);
		octets[forged[k].at] = forged[k].value;
		assert_int_equal(crypt_hmac(bytes_of_text(IKEY_PRODUCT_KEY),
				     (struct bytes){octets, 88}, octets + 88),
		    OK);
		assert_int_equal(
		    ikey_read((struct bytes){octets, sizeof(octets)}, &key),
		    forged[k].want);
	}
}

/* ---- PINs ---- */

static bool
opens(const struct ikey *key, const char *pin)
{
	uint8_t want[IKEY_SECRET_OCTETS];
	struct secret *share;
	bool right;

	(void)hex_read(known_share, want, sizeof(want));
	assert_int_equal(ikey_open(key, bytes_of_text(pin), &share), OK);
	right = secret_equal_bytes(
	    secret_peek(share), (struct bytes){want, sizeof(want)});
	secret_free(share);
	return right;
}

/*
 * There is always a share, and only the PIN gives the right one.
 *
 * req: KS-01-090
 */
static void
a_wrong_pin_opens_to_another_share(void **state)
{
	static const char *const wrong[] = {
	    "", "1", "123", "1233", "12340", "4321", "0000"};
	const struct ikey key = make_known();
	size_t k;

	(void)state;
	assert_true(opens(&key, "1234"));
	for (k = 0; k < LENGTH(wrong); k++)
		assert_false(opens(&key, wrong[k]));
}

/* clang-format off */
static const struct {
	const char *pin;
	bool valid;
} pins[] = {
	{ "", true },
	{ "1", false },
	{ "123", false },
	{ "1234", true },
	{ "123456789012345678901234567890123456789012345678", true },
	{ "1234567890123456789012345678901234567890123456789", false },
	{ "123a", false },
	{ "/234", false },
	{ ":234", false },
};
/* clang-format on */

/* req: KS-01-091 */
static void
a_pin_has_4_to_48_digits_or_none(void **state)
{
	const uint8_t share[IKEY_SECRET_OCTETS] = {1};
	const struct ikey before = make_known();
	struct ikey key;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(pins); k++) {
		struct bytes pin = bytes_of_text(pins[k].pin);

		print_message("\"%s\"\n", pins[k].pin);
		key = before;
		assert_int_equal(ikey_pin_is_valid(pin), pins[k].valid);
		assert_int_equal(ikey_imprint(env,
				     &(struct ikey_imprint){.colour = IKEY_BLUE,
					 .m = 1,
					 .n = 1,
					 .index = 1,
					 .keyset = share,
					 .share = {share, sizeof(share)},
					 .pin = pin},
				     &key),
		    pins[k].valid ? OK : ERR_LENGTH);
		if (!pins[k].valid)
			assert_memory_equal(&key, &before, sizeof(key));
		else
			assert_int_equal(key.has_pin, pin.octets != 0);
	}
}

/* ---- imprinting ---- */

/* req: KS-01-037 */
static void
a_share_is_never_on_an_ikey_in_clear(void **state)
{
	static const char *const each[] = {"", "1234"};
	uint8_t share[IKEY_SECRET_OCTETS];
	uint8_t octets[2][IKEY_OCTETS];
	struct ikey key;
	size_t k;
	size_t n;

	(void)state;
	(void)hex_read(known_share, share, sizeof(share));
	for (k = 0; k < LENGTH(each); k++) {
		for (n = 0; n < 2; n++) {
			assert_int_equal(ikey_blank(env, &key), OK);
			assert_int_equal(
			    ikey_imprint(env,
				&(struct ikey_imprint){.colour = IKEY_RED,
				    .m = 1,
				    .n = 1,
				    .index = 1,
				    .keyset = share,
				    .share = {share, sizeof(share)},
				    .pin = bytes_of_text(each[k])},
				&key),
			    OK);
			assert_true(opens(&key, each[k]));
			assert_int_equal(ikey_write(&key, octets[n]), OK);
			assert_null(
			    memmem(octets[n] + 40, IKEY_OCTETS - 40, share, 4));
		}
		assert_memory_not_equal(
		    octets[0] + 40, octets[1] + 40, 16 + 32);
	}
}

static void
a_serial_number_is_its_own_and_stays(void **state)
{
	const uint8_t share[IKEY_SECRET_OCTETS] = {1};
	struct ikey one;
	struct ikey other;
	struct ikey used;

	(void)state;
	assert_int_equal(ikey_blank(env, &one), OK);
	assert_int_equal(ikey_blank(env, &other), OK);
	assert_memory_not_equal(one.serial, other.serial, sizeof(one.serial));
	assert_int_equal(one.colour, IKEY_BLANK);
	used = one;
	assert_int_equal(ikey_imprint(env,
			     &(struct ikey_imprint){.colour = IKEY_ORANGE,
				 .m = 1,
				 .n = 1,
				 .index = 1,
				 .keyset = share,
				 .share = {share, sizeof(share)}},
			     &used),
	    OK);
	assert_int_equal(used.colour, IKEY_ORANGE);
	assert_memory_equal(used.serial, one.serial, sizeof(one.serial));
}

static void
without_randomness_nothing_is_made(void **state)
{
	const uint8_t share[IKEY_SECRET_OCTETS] = {1};
	const struct ikey before = make_known();
	struct ikey key = before;

	(void)state;
	env_break_random(env, true);
	assert_int_equal(ikey_imprint(env,
			     &(struct ikey_imprint){.colour = IKEY_BLUE,
				 .m = 1,
				 .n = 1,
				 .index = 1,
				 .keyset = share,
				 .share = {share, sizeof(share)}},
			     &key),
	    ERR_ENTROPY);
	assert_memory_equal(&key, &before, sizeof(key));
	assert_int_equal(ikey_blank(env, &key), ERR_ENTROPY);
	env_break_random(env, false);
	assert_int_equal(ikey_blank(env, &key), OK);
}

static void
colours_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(ikey_colour_name(IKEY_BLANK), "blank");
	assert_string_equal(ikey_colour_name(IKEY_BLUE), "blue");
	assert_string_equal(ikey_colour_name(IKEY_RED), "red");
	assert_string_equal(ikey_colour_name(IKEY_BLACK), "black");
	assert_string_equal(ikey_colour_name(IKEY_ORANGE), "orange");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_ikey_is_written_as_its_format_says),
	    cmocka_unit_test(each_bit_that_is_changed_is_noticed),
	    cmocka_unit_test(an_ikey_has_its_length),
	    cmocka_unit_test(what_no_ikey_is_is_refused),
	    cmocka_unit_test(a_wrong_pin_opens_to_another_share),
	    cmocka_unit_test(a_pin_has_4_to_48_digits_or_none),
	    cmocka_unit_test(a_share_is_never_on_an_ikey_in_clear),
	    cmocka_unit_test(a_serial_number_is_its_own_and_stays),
	    cmocka_unit_test(without_randomness_nothing_is_made),
	    cmocka_unit_test(colours_have_their_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
