#include "crypto/hsm.h"

#include <pthread.h>
#include <stdatomic.h>

#include "crypto/softhsm_test.h"

static struct softhsm soft;
static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	softhsm_make(&soft);
	return arena_new(1 << 16, &arena) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	softhsm_clear(&soft);
	return 0;
}

/* Logged in, with a KEK. */
static struct hsm *
ready(void)
{
	struct hsm *hsm = softhsm_open(&soft);

	assert_int_equal(hsm_login(hsm), OK);
	assert_int_equal(hsm_kek(hsm, true), OK);
	return hsm;
}

static struct secret *
key_of(int octet)
{
	struct secret *key;

	assert_int_equal(secret_new(32, &key), OK);
	memset(secret_fill(key), octet, 32);
	return key;
}

static void
the_files_of_the_token_are_ours_alone(void **state)
{
	static const char *const names[] = {
	    "pin", "so-pin", "softhsm2.conf", "tokens"};
	struct stat st;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(names); k++) {
		assert_int_equal(stat(softhsm_path(&soft, names[k]), &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
}

static void
a_key_needs_a_login(void **state)
{
	struct hsm *hsm = softhsm_open(&soft);
	struct secret *key = key_of(1);
	struct secret *back = NULL;
	uint8_t octets[60] = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(hsm_probe(hsm), ERR_HSM_LOGGED_OUT);
	assert_int_equal(hsm_kek(hsm, true), ERR_HSM_LOGGED_OUT);
	assert_int_equal(
	    hsm_wrap(hsm, key, BYTES_NONE, &out), ERR_HSM_LOGGED_OUT);
	assert_int_equal(out.octets, 0);
	assert_int_equal(
	    hsm_unwrap(hsm, (struct bytes){octets, 60}, BYTES_NONE, &back),
	    ERR_HSM_LOGGED_OUT);
	assert_null(back);
	assert_int_equal(hsm_login(hsm), OK);
	assert_int_equal(hsm_login(hsm), OK); /* again is harmless */
	assert_int_equal(hsm_probe(hsm), OK);
	assert_int_equal(hsm_kek(hsm, true), OK);
	assert_int_equal(hsm_wrap(hsm, key, BYTES_NONE, &out), OK);
	assert_int_equal(hsm_logout(hsm), OK);
	assert_int_equal(hsm_logout(hsm), OK);
	assert_int_equal(hsm_unwrap(hsm, buf_peek(&out), BYTES_NONE, &back),
	    ERR_HSM_LOGGED_OUT);
	buf_clear(&out);
	secret_free(key);
	hsm_free(hsm);
}

static void
a_lost_kek_is_not_made_anew_unasked(void **state)
{
	struct hsm_config config = {.module_path = MODULE_PATH,
	    .token_label = TOKEN_LABEL,
	    .pin_path = soft.pin_path,
	    .kek_label = "another"};
	struct hsm *hsm;

	(void)state;
	assert_int_equal(hsm_new(&config, &hsm), OK);
	assert_int_equal(hsm_login(hsm), OK);
	assert_int_equal(hsm_kek(hsm, false), ERR_NOT_FOUND);
	assert_int_equal(hsm_kek(hsm, false), ERR_NOT_FOUND);
	assert_int_equal(hsm_kek(hsm, true), OK);
	assert_int_equal(hsm_kek(hsm, false), OK);
	hsm_free(hsm);
}

static void
the_kek_stays_over_a_restart(void **state)
{
	struct bytes aad = bytes_of_text("master key 1");
	struct hsm *hsm = ready();
	struct secret *key = key_of(7);
	struct secret *back = NULL;
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(hsm_wrap(hsm, key, aad, &out), OK);
	assert_int_equal(out.octets, HSM_NONCE_OCTETS + 32 + HSM_TAG_OCTETS);
	assert_null(memmem(out.at, out.octets, secret_peek(key).at, 8));
	hsm_free(hsm);
	/* what is there already is kept, PINs and all */
	softhsm_start(&soft);
	hsm = softhsm_open(&soft);
	assert_int_equal(hsm_login(hsm), OK);
	assert_int_equal(hsm_unwrap(hsm, buf_peek(&out), aad, &back), OK);
	assert_true(secret_equal(key, back));
	secret_free(back);
	secret_free(key);
	buf_clear(&out);
	hsm_free(hsm);
}

/* Each octet of what was wrapped, its length, and what was bound to it. */
static void
what_was_changed_does_not_unwrap(void **state)
{
	struct bytes aad = bytes_of_text("master key 1");
	struct hsm *hsm = ready();
	struct secret *key = key_of(7);
	struct secret *back = NULL;
	struct bytes in;
	struct buf out;
	size_t k;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(hsm_wrap(hsm, key, aad, &out), OK);
	for (k = 0; k < out.octets; k += 5) {
		out.at[k] ^= 0x80;
		assert_int_equal(
		    hsm_unwrap(hsm, buf_peek(&out), aad, &back), ERR_SEAL);
		assert_null(back);
		out.at[k] ^= 0x80;
	}
	for (k = 0; k < out.octets; k += 7) {
		in = (struct bytes){out.at, k};
		assert_int_equal(hsm_unwrap(hsm, in, aad, &back), ERR_SEAL);
	}
	assert_int_equal(hsm_unwrap(hsm, buf_peek(&out),
			     bytes_of_text("master key 2"), &back),
	    ERR_SEAL);
	/* and the token is as able as before */
	assert_int_equal(hsm_unwrap(hsm, buf_peek(&out), aad, &back), OK);
	assert_true(secret_equal(key, back));
	secret_free(back);
	secret_free(key);
	buf_clear(&out);
	hsm_free(hsm);
}

static void
no_two_wraps_share_a_nonce(void **state)
{
	struct hsm *hsm = ready();
	struct secret *key = key_of(7);
	struct buf a, b;

	(void)state;
	buf_init(&a, 100);
	buf_init(&b, 100);
	assert_int_equal(hsm_wrap(hsm, key, BYTES_NONE, &a), OK);
	assert_int_equal(hsm_wrap(hsm, key, BYTES_NONE, &b), OK);
	assert_memory_not_equal(a.at, b.at, HSM_NONCE_OCTETS);
	buf_clear(&a);
	buf_clear(&b);
	secret_free(key);
	hsm_free(hsm);
}

/* clang-format off */
static const struct {
	const char *name;
	const char *text;
	mode_t mode;
	enum err want;
} pins[] = {
	{ "wrong", "0000000000000000\n", 0600, ERR_HSM_LOGGED_OUT },
	{ "too short for any token", "1\n", 0600, ERR_HSM_LOGGED_OUT },
	{ "empty", "", 0600, ERR_CONFIG },
	{ "an empty line", "\n1234\n", 0600, ERR_CONFIG },
	{ "the group may read it", "1234\n", 0640, ERR_CONFIG },
	{ "others may read it", "1234\n", 0604, ERR_CONFIG },
};
/* clang-format on */

static void
a_pin_that_is_not_the_users_is_refused(void **state)
{
	struct hsm_config config = {.module_path = MODULE_PATH,
	    .token_label = TOKEN_LABEL,
	    .kek_label = KEK_LABEL};
	char path[300];
	struct hsm *hsm;
	size_t k;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/other-pin", soft.dir);
	config.pin_path = path;
	assert_int_equal(hsm_new(&config, &hsm), OK);
	assert_int_equal(hsm_login(hsm), ERR_CONFIG); /* no such file */
	for (k = 0; k < LENGTH(pins); k++) {
		print_message("%s\n", pins[k].name);
		softhsm_write(&soft, "other-pin", pins[k].text, pins[k].mode);
		assert_int_equal(hsm_login(hsm), pins[k].want);
		assert_int_equal(hsm_probe(hsm), ERR_HSM_LOGGED_OUT);
	}
	hsm_free(hsm);
}

static void
a_pin_of_255_octets_is_read_and_one_of_256_is_not(void **state)
{
	struct secret *pin = NULL;
	char text[300];

	(void)state;
	memset(text, 'p', sizeof(text));
	text[255] = '\0';
	softhsm_write(&soft, "long-pin", text, 0600);
	assert_int_equal(
	    hsm_pin_read(softhsm_path(&soft, "long-pin"), &pin), OK);
	assert_int_equal(secret_peek(pin).octets, 255);
	secret_free(pin);
	text[255] = 'p';
	text[256] = '\0';
	softhsm_write(&soft, "long-pin", text, 0600);
	assert_int_equal(
	    hsm_pin_read(softhsm_path(&soft, "long-pin"), &pin), ERR_CONFIG);
	assert_null(pin);
}

static void
a_pin_file_that_is_a_link_is_not_followed(void **state)
{
	char link[300];
	struct secret *pin = NULL;

	(void)state;
	(void)snprintf(link, sizeof(link), "%s/link", soft.dir);
	assert_int_equal(symlink("pin", link), 0);
	assert_int_equal(hsm_pin_read(link, &pin), ERR_CONFIG);
	assert_int_equal(hsm_pin_read(soft.pin_path, &pin), OK);
	secret_free(pin);
}

/* clang-format off */
static const struct hsm_config unusable[] = {
	{ .module_path = "/nonexistent.so", .token_label = TOKEN_LABEL, .pin_path = "pin", .kek_label = KEK_LABEL },
	{ .module_path = "libm.so.6", .token_label = TOKEN_LABEL, .pin_path = "pin", .kek_label = KEK_LABEL }, /* no PKCS#11 */
	{ .module_path = MODULE_PATH, .token_label = "touchston", .pin_path = "pin", .kek_label = KEK_LABEL },
	{ .module_path = MODULE_PATH, .token_label = "touchstone2", .pin_path = "pin", .kek_label = KEK_LABEL },
	{ .module_path = MODULE_PATH, .token_label = "", .pin_path = "pin", .kek_label = KEK_LABEL }, /* the blank token has no label */
};
/* clang-format on */

static void
a_token_that_is_not_there_does_not_answer(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(unusable); k++) {
		struct hsm *hsm;

		assert_int_equal(hsm_new(&unusable[k], &hsm), OK);
		assert_int_equal(hsm_probe(hsm), ERR_HSM);
		assert_int_equal(hsm_login(hsm), ERR_HSM);
		hsm_free(hsm);
	}
}

static void
a_pulled_token_is_missed_and_found_again(void **state)
{
	struct hsm *hsm = ready();

	(void)state;
	softhsm_pull(&soft, true);
	assert_int_equal(hsm_probe(hsm), ERR_HSM);
	assert_int_equal(hsm_probe(hsm), ERR_HSM);
	softhsm_pull(&soft, false);
	assert_int_equal(hsm_probe(hsm), ERR_HSM_LOGGED_OUT);
	assert_int_equal(hsm_login(hsm), OK);
	assert_int_equal(hsm_kek(hsm, false), OK);
	hsm_free(hsm);
}

static void
a_failing_token_fails_until_it_is_mended(void **state)
{
	struct hsm *hsm = ready();

	(void)state;
	hsm_set_fault(hsm, HSM_FAULT_FAILING);
	assert_int_equal(hsm_probe(hsm), ERR_HSM);
	assert_int_equal(hsm_login(hsm), ERR_HSM);
	assert_int_equal(hsm_kek(hsm, false), ERR_HSM);
	hsm_set_fault(hsm, HSM_FAULT_NONE);
	assert_int_equal(hsm_login(hsm), OK);
	assert_int_equal(hsm_kek(hsm, false), OK);
	hsm_free(hsm);
}

struct hanging {
	struct hsm *hsm;
	atomic_bool released;
	bool released_at_return;
	enum err rc;
};

static void *
hang(void *ctx)
{
	struct hanging *h = ctx;

	h->rc = hsm_probe(h->hsm);
	h->released_at_return = atomic_load(&h->released);
	return NULL;
}

static void
a_hanging_token_returns_when_it_is_released(void **state)
{
	static struct hanging h;
	pthread_t thread;

	(void)state;
	h = (struct hanging){.hsm = ready(), .rc = ERR_END};
	hsm_set_fault(h.hsm, HSM_FAULT_HANGING);
	assert_int_equal(pthread_create(&thread, NULL, hang, &h), 0);
	while (!hsm_busy(h.hsm))
		(void)sched_yield();
	/* nothing is torn down under a call: this leaves it all alone */
	hsm_free(h.hsm);
	atomic_store(&h.released, true);
	hsm_set_fault(h.hsm, HSM_FAULT_NONE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(h.released_at_return);
	assert_int_equal(h.rc, OK);
	hsm_free(h.hsm);
}

enum { THREADS = 4, ROUNDS = 50 };

static void *
wrap_and_unwrap(void *ctx)
{
	struct hsm *hsm = ctx;
	struct secret *key, *back;
	struct buf out;
	int k;
	enum err rc = OK;

	buf_init(&out, 100);
	TRY(secret_new(32, &key));
	for (k = 0; k < ROUNDS; k++) {
		buf_reset(&out);
		TRY(hsm_wrap(hsm, key, BYTES_NONE, &out));
		TRY(hsm_unwrap(hsm, buf_peek(&out), BYTES_NONE, &back));
		if (!secret_equal(key, back))
			rc = ERR_CRYPTO;
		secret_free(back);
		TRY(rc);
	}
out:
	secret_free(key);
	buf_clear(&out);
	return rc == OK ? ctx : NULL;
}

static void
threads_take_turns(void **state)
{
	struct hsm *hsm = ready();
	pthread_t threads[THREADS];
	void *results[THREADS];
	int k;

	(void)state;
	for (k = 0; k < THREADS; k++)
		assert_int_equal(
		    pthread_create(&threads[k], NULL, wrap_and_unwrap, hsm), 0);
	/* all of them end before the first is judged */
	for (k = 0; k < THREADS; k++)
		assert_int_equal(pthread_join(threads[k], &results[k]), 0);
	for (k = 0; k < THREADS; k++)
		assert_ptr_equal(results[k], hsm);
	hsm_free(hsm);
}

/* What another program says of the KEK: opensc's pkcs11-tool. */
static void
another_witness_cannot_read_the_kek(void **state)
{
	static const char command[] =
	    "exec pkcs11-tool --module " MODULE_PATH
	    " --token-label " TOKEN_LABEL " --login --pin env:PIN"
	    " --list-objects --type secrkey 2>&1";
	struct secret *pin = NULL;
	char text[8192] = "";
	char value[256];
	struct bytes b;
	size_t used;
	FILE *from;

	(void)state;
	hsm_free(ready());
	assert_int_equal(hsm_pin_read(soft.pin_path, &pin), OK);
	b = secret_peek(pin);
	(void)snprintf(
	    value, sizeof(value), "%.*s", (int)b.octets, (const char *)b.at);
	secret_free(pin);
	assert_int_equal(setenv("PIN", value, 1), 0);
	from = popen(command, "r");
	assert_non_null(from);
	used = fread(text, 1, sizeof(text) - 1, from);
	text[used] = '\0';
	assert_int_equal(pclose(from), 0);
	assert_int_equal(unsetenv("PIN"), 0);
	print_message("%s\n", text);
	assert_non_null(strstr(text, KEK_LABEL));
	assert_non_null(strstr(text, "AES length 32"));
	assert_non_null(strstr(text,
	    "Access:     sensitive, always sensitive, never extractable, "
	    "local"));
	assert_null(strstr(text, "VALUE:"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_files_of_the_token_are_ours_alone),
	    cmocka_unit_test(a_key_needs_a_login),
	    cmocka_unit_test(a_lost_kek_is_not_made_anew_unasked),
	    cmocka_unit_test(the_kek_stays_over_a_restart),
	    cmocka_unit_test(what_was_changed_does_not_unwrap),
	    cmocka_unit_test(no_two_wraps_share_a_nonce),
	    cmocka_unit_test(a_pin_that_is_not_the_users_is_refused),
	    cmocka_unit_test(a_pin_of_255_octets_is_read_and_one_of_256_is_not),
	    cmocka_unit_test(a_pin_file_that_is_a_link_is_not_followed),
	    cmocka_unit_test(a_token_that_is_not_there_does_not_answer),
	    cmocka_unit_test(a_pulled_token_is_missed_and_found_again),
	    cmocka_unit_test(a_failing_token_fails_until_it_is_mended),
	    cmocka_unit_test(a_hanging_token_returns_when_it_is_released),
	    cmocka_unit_test(threads_take_turns),
	    cmocka_unit_test(another_witness_cannot_read_the_kek),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
