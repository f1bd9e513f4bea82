#include "crypto/keystore.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include "crypto/softhsm_test.h"

enum { LIMIT_MS = 2000 };

static struct softhsm soft;
static struct hsm *hsm;
static struct arena *arena;
static struct buf stored; /* what a store would keep */

/* Laboratory time, so that a probe is late when the test says so. */
static struct env_clock_file *lab_clock;
static struct env *env;

static int
set_up(void **state)
{
	const char *path;
	int fd;

	(void)state;
	softhsm_make(&soft);
	path = softhsm_path(&soft, "clock");
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, sizeof(*lab_clock)), 0);
	lab_clock = mmap(NULL, sizeof(*lab_clock), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	assert_ptr_not_equal(lab_clock, MAP_FAILED);
	memcpy(lab_clock->magic, "TSCLOCK1", 8);
	assert_int_equal(close(fd), 0);
	assert_int_equal(env_new_lab(path, &env), OK);
	env_set_random(env, random_drbg, NULL);
	buf_init(&stored, 1000);
	return arena_new(1 << 20, &arena) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_clear(&stored);
	arena_free(arena);
	hsm_free(hsm);
	env_free(env);
	munmap(lab_clock, sizeof(*lab_clock));
	softhsm_clear(&soft);
	return 0;
}

/* One process has one login: the hsm with another key, or another PIN. */
static void
reopen(const char *kek_label, const char *pin_path)
{
	struct hsm_config config = {.module_path = MODULE_PATH,
	    .token_label = TOKEN_LABEL,
	    .pin_path = pin_path,
	    .kek_label = kek_label};

	hsm_free(hsm);
	hsm = NULL;
	assert_int_equal(hsm_new(&config, &hsm), OK);
}

/* Each test starts from a token that works, logged out. */
static int
calm(void **state)
{
	(void)state;
	env_break_random(env, false);
	if (hsm != NULL)
		hsm_set_fault(hsm, HSM_FAULT_NONE);
	reopen(KEK_LABEL, soft.pin_path);
	return 0;
}

static void
probe(struct keystore *ks)
{
	assert_true(keystore_probe_begin(ks));
	keystore_probe_work(ks);
	keystore_probe_done(ks, OK);
}

/* Ready, with the master key of earlier tests. */
static struct keystore *
ready(void)
{
	struct keystore *ks;

	assert_int_equal(
	    keystore_new(env, hsm, buf_peek(&stored), LIMIT_MS, &ks), OK);
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	probe(ks);
	if (keystore_to_store(ks).octets != 0) {
		assert_int_equal(buf_put(&stored, keystore_to_store(ks)), OK);
		keystore_stored(ks);
	}
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	return ks;
}

static struct bytes
sealed_by(
    struct keystore *ks, const char *id, uint64_t version, const char *plain)
{
	struct bytes sealed;

	assert_int_equal(keystore_seal(ks, NULL, bytes_of_text(id), version,
			     bytes_of_text(plain), arena, &sealed),
	    OK);
	return sealed;
}

static void
a_new_master_key_is_used_only_once_it_is_stored(void **state)
{
	struct bytes plain = bytes_of_text("k"), sealed;
	struct keystore *ks;

	(void)state;
	assert_int_equal(keystore_new(env, hsm, BYTES_NONE, LIMIT_MS, &ks), OK);
	assert_int_equal(keystore_to_store(ks).octets, 0);
	probe(ks);
	assert_int_not_equal(keystore_to_store(ks).octets, 0);
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	assert_int_equal(
	    keystore_seal(ks, NULL, plain, 1, plain, arena, &sealed), ERR_HSM);
	/* still the same one, however long the store takes */
	assert_int_equal(buf_put(&stored, keystore_to_store(ks)), OK);
	probe(ks);
	assert_true(bytes_equal(keystore_to_store(ks), buf_peek(&stored)));
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	keystore_stored(ks);
	assert_int_equal(keystore_to_store(ks).octets, 0);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	assert_int_equal(
	    keystore_seal(ks, NULL, plain, 1, plain, arena, &sealed), OK);
	keystore_free(ks);
}

static void
what_is_sealed_opens_after_a_restart(void **state)
{
	struct keystore *ks = ready();
	struct bytes sealed = sealed_by(ks, "object-1", 1, "0123456789abcdef");
	struct bytes plain;

	(void)state;
	assert_int_equal(sealed.octets, 16 + KEYSTORE_OVERHEAD_OCTETS);
	assert_null(memmem(sealed.at, sealed.octets, "0123", 4));
	keystore_free(ks);
	ks = ready();
	assert_int_equal(keystore_open(ks, NULL, bytes_of_text("object-1"), 1,
			     sealed, arena, &plain),
	    OK);
	assert_true(bytes_equal_text(plain, "0123456789abcdef"));
	keystore_free(ks);
}

static void
nothing_and_a_lot_can_be_sealed(void **state)
{
	static const char id[] = "object-1";
	struct keystore *ks = ready();
	struct bytes sealed, plain, lot;
	uint8_t *at;

	(void)state;
	assert_int_equal(keystore_seal(ks, NULL, bytes_of_text(id), 1,
			     BYTES_NONE, arena, &sealed),
	    OK);
	assert_int_equal(sealed.octets, KEYSTORE_OVERHEAD_OCTETS);
	assert_int_equal(keystore_open(ks, NULL, bytes_of_text(id), 1, sealed,
			     arena, &plain),
	    OK);
	assert_int_equal(plain.octets, 0);

	assert_int_equal(ARENA_ARRAY(arena, at, 100000), OK);
	memset(at, 0x5a, 100000);
	lot = (struct bytes){at, 100000};
	assert_int_equal(
	    keystore_seal(ks, NULL, bytes_of_text(id), 1, lot, arena, &sealed),
	    OK);
	assert_int_equal(keystore_open(ks, NULL, bytes_of_text(id), 1, sealed,
			     arena, &plain),
	    OK);
	assert_true(bytes_equal(plain, lot));
	keystore_free(ks);
}

static void
another_object_or_version_does_not_open_it(void **state)
{
	static const struct {
		const char *id;
		uint64_t version;
		enum err want;
	} cases[] = {
	    {"object-1", 7, OK},
	    {"object-2", 7, ERR_SEAL},
	    {"object-", 7, ERR_SEAL},
	    {"object-11", 7, ERR_SEAL},
	    {"", 7, ERR_SEAL},
	    {"object-1", 6, ERR_SEAL},
	    {"object-1", 8, ERR_SEAL},
	    {"object-1", 7ULL << 32, ERR_SEAL},
	};
	struct keystore *ks = ready();
	struct bytes sealed = sealed_by(ks, "object-1", 7, "secret");
	struct bytes plain;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_int_equal(
		    keystore_open(ks, NULL, bytes_of_text(cases[k].id),
			cases[k].version, sealed, arena, &plain),
		    cases[k].want);
		assert_int_equal(plain.octets, cases[k].want == OK ? 6 : 0);
	}
	keystore_free(ks);
}

/* Every single octet of it, and every length. */
static void
what_was_changed_or_cut_does_not_open(void **state)
{
	struct bytes id = bytes_of_text("object-1");
	struct keystore *ks = ready();
	struct bytes sealed = sealed_by(ks, "object-1", 1, "secret");
	uint8_t *at = (uint8_t *)(uintptr_t)sealed.at;
	struct bytes plain;
	size_t k;

	(void)state;
	for (k = 0; k < sealed.octets; k++) {
		at[k] ^= 1;
		assert_int_equal(
		    keystore_open(ks, NULL, id, 1, sealed, arena, &plain),
		    ERR_SEAL);
		at[k] ^= 1;
		assert_int_equal(keystore_open(ks, NULL, id, 1,
				     (struct bytes){at, k}, arena, &plain),
		    ERR_SEAL);
	}
	assert_int_equal(
	    keystore_open(ks, NULL, id, 1, sealed, arena, &plain), OK);
	keystore_free(ks);
}

/* A refused opening leaves no clear octets in the arena. */
static void
what_does_not_prove_itself_is_not_handed_out(void **state)
{
	static const char clear[] = "an easily recognised clear text";
	struct bytes id = bytes_of_text("object-1");
	struct keystore *ks = ready();
	struct bytes sealed = sealed_by(ks, "object-1", 1, clear);
	struct arena *own;
	struct bytes plain;
	uint8_t *before;

	(void)state;
	assert_int_equal(arena_new(4096, &own), OK);
	assert_int_equal(ARENA_ARRAY(own, before, 1), OK);
	assert_int_equal(
	    keystore_open(ks, NULL, id, 2, sealed, own, &plain), ERR_SEAL);
	assert_null(memmem(before, arena_octets(own), clear, 8));
	assert_int_equal(
	    keystore_open(ks, NULL, id, 1, sealed, own, &plain), OK);
	assert_non_null(memmem(before, arena_octets(own), clear, 8));
	arena_free(own);
	keystore_free(ks);
}

/* AES-256-GCM and nothing else: opened by hand with the format's own words. */
static void
the_format_is_as_the_manual_says(void **state)
{
	struct keystore *ks = ready();
	struct bytes sealed = sealed_by(ks, "object-1", 0x0102, "secret");
	struct bytes wrapped = buf_peek(&stored);
	struct secret *master = NULL;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t clear[6];
	int octets;

	(void)state;
	assert_memory_equal(sealed.at, "TSSK\x01\x01\0\0", 8);
	assert_memory_equal(wrapped.at, "TSMK\x01\x01\0\0", 8);
	assert_memory_equal(sealed.at + 8, wrapped.at + 8, 8);
	assert_int_equal(
	    hsm_unwrap(hsm,
		(struct bytes){wrapped.at + 16, wrapped.octets - 16},
		(struct bytes){wrapped.at, 16}, &master),
	    OK);
	assert_int_equal(EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL,
			     secret_peek(master).at, sealed.at + 16),
	    1);
	assert_int_equal(
	    EVP_DecryptUpdate(ctx, NULL, &octets, sealed.at, 16), 1);
	assert_int_equal(EVP_DecryptUpdate(ctx, NULL, &octets,
			     (const uint8_t *)"\0\0\0\0\0\0\x01\x02"
					      "object-1",
			     16),
	    1);
	assert_int_equal(
	    EVP_DecryptUpdate(ctx, clear, &octets, sealed.at + 28, 6), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16,
			     (void *)(uintptr_t)(sealed.at + 34)),
	    1);
	assert_int_equal(EVP_DecryptFinal_ex(ctx, clear, &octets), 1);
	assert_memory_equal(clear, "secret", 6);
	EVP_CIPHER_CTX_free(ctx);
	secret_free(master);
	keystore_free(ks);
}

static int
by_octets(const void *a, const void *b)
{
	return memcmp(a, b, 12);
}

/* More than a batch of them is drawn. */
static void
no_nonce_comes_twice(void **state)
{
	static uint8_t nonces[1000][12];
	struct keystore *ks = ready();
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(nonces); k++)
		memcpy(nonces[k], sealed_by(ks, "o", 1, "p").at + 16, 12);
	qsort(nonces, LENGTH(nonces), 12, by_octets);
	for (k = 1; k < LENGTH(nonces); k++)
		assert_memory_not_equal(nonces[k - 1], nonces[k], 12);
	keystore_free(ks);
}

static void
a_broken_source_seals_nothing(void **state)
{
	struct bytes id = bytes_of_text("o"), sealed;
	struct keystore *ks = ready();

	(void)state;
	assert_int_equal(
	    keystore_seal(ks, NULL, id, 1, id, arena, &sealed), OK);
	env_break_random(env, true);
	assert_int_equal(
	    keystore_seal(ks, NULL, id, 1, id, arena, &sealed), ERR_ENTROPY);
	assert_int_equal(sealed.octets, 0);
	env_break_random(env, false);
	assert_int_equal(
	    keystore_seal(ks, NULL, id, 1, id, arena, &sealed), OK);
	keystore_free(ks);
}

static void
a_broken_source_makes_no_master_key(void **state)
{
	struct keystore *ks;

	(void)state;
	assert_int_equal(keystore_new(env, hsm, BYTES_NONE, LIMIT_MS, &ks), OK);
	env_break_random(env, true);
	assert_false(keystore_probe_begin(ks));
	env_break_random(env, false);
	assert_true(keystore_probe_begin(ks));
	keystore_probe_done(ks, ERR_CLOSED); /* the work was never begun */
	assert_int_equal(keystore_to_store(ks).octets, 0);
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	keystore_free(ks);
}

static void
a_logout_stops_at_once_and_a_login_resumes(void **state)
{
	struct keystore *ks = ready();
	struct bytes sealed = sealed_by(ks, "o", 1, "secret");
	struct bytes id = bytes_of_text("o"), out;

	(void)state;
	keystore_logout(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_LOGGED_OUT);
	assert_int_equal(keystore_seal(ks, NULL, id, 1, id, arena, &out),
	    ERR_HSM_LOGGED_OUT);
	assert_int_equal(keystore_open(ks, NULL, id, 1, sealed, arena, &out),
	    ERR_HSM_LOGGED_OUT);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_LOGGED_OUT);
	assert_int_equal(hsm_probe(hsm), ERR_HSM_LOGGED_OUT); /* the card too */
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_LOGGED_OUT);
	keystore_login(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_LOGGED_OUT);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	assert_int_equal(
	    keystore_open(ks, NULL, id, 1, sealed, arena, &out), OK);
	assert_true(bytes_equal_text(out, "secret"));
	keystore_free(ks);
}

/* The logout that came while the card was busy with a probe. */
static void
a_wish_overtakes_the_probe_under_way(void **state)
{
	struct keystore *ks = ready();

	(void)state;
	assert_true(keystore_probe_begin(ks));
	assert_false(keystore_probe_begin(ks)); /* one at a time */
	keystore_probe_work(ks);
	keystore_logout(ks);
	keystore_probe_done(ks, OK);
	assert_int_equal(keystore_state(ks), KEYSTORE_LOGGED_OUT);
	keystore_free(ks);
}

static void
a_refused_pin_is_tried_once(void **state)
{
	char path[300];
	struct keystore *ks;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/other-pin", soft.dir);
	softhsm_write(&soft, "other-pin", "00000000\n", 0600);
	reopen(KEK_LABEL, path);
	assert_int_equal(
	    keystore_new(env, hsm, buf_peek(&stored), LIMIT_MS, &ks), OK);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_LOGGED_OUT);
	/* the right PIN is there now, but nobody said so */
	assert_int_equal(remove(path), 0);
	assert_int_equal(link(soft.pin_path, path), 0);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_LOGGED_OUT);
	keystore_login(ks);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	keystore_free(ks);
}

static void
a_failing_hsm_stops_keys_until_it_is_mended(void **state)
{
	struct keystore *ks = ready();
	struct bytes id = bytes_of_text("o"), out;

	(void)state;
	hsm_set_fault(hsm, HSM_FAULT_FAILING);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	assert_int_equal(
	    keystore_seal(ks, NULL, id, 1, id, arena, &out), ERR_HSM);
	hsm_set_fault(hsm, HSM_FAULT_NONE);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	keystore_free(ks);
}

static void
a_pulled_token_stops_keys_until_it_is_back(void **state)
{
	struct keystore *ks = ready();

	(void)state;
	softhsm_pull(&soft, true);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	softhsm_pull(&soft, false);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	keystore_free(ks);
}

static void *
work(void *ctx)
{
	keystore_probe_work(ctx);
	return NULL;
}

/* The clock decides, not the thread that hangs. */
static void
a_hanging_hsm_counts_as_gone_after_the_limit(void **state)
{
	struct keystore *ks = ready();
	struct bytes id = bytes_of_text("o"), out;
	pthread_t thread;

	(void)state;
	hsm_set_fault(hsm, HSM_FAULT_HANGING);
	assert_true(keystore_probe_begin(ks));
	assert_int_equal(pthread_create(&thread, NULL, work, ks), 0);
	while (!hsm_busy(hsm))
		(void)sched_yield();
	assert_int_equal(keystore_seal(ks, NULL, id, 1, id, arena, &out), OK);
	lab_clock->elapsed_ms += LIMIT_MS;
	assert_int_equal(keystore_seal(ks, NULL, id, 1, id, arena, &out), OK);
	lab_clock->elapsed_ms += 1;
	assert_int_equal(
	    keystore_seal(ks, NULL, id, 1, id, arena, &out), ERR_HSM);
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	assert_false(keystore_probe_begin(ks)); /* that one still hangs */

	hsm_set_fault(hsm, HSM_FAULT_NONE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* it found a card, but had no master key to unwrap: the next one has */
	keystore_probe_done(ks, OK);
	assert_int_equal(keystore_state(ks), KEYSTORE_UNREACHABLE);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	keystore_free(ks);
}

static void
an_hsm_with_another_kek_opens_nothing(void **state)
{
	struct keystore *ks;

	(void)state;
	keystore_free(ready()); /* so that there is something stored */
	reopen("another", soft.pin_path);
	assert_int_equal(
	    keystore_new(env, hsm, buf_peek(&stored), LIMIT_MS, &ks), OK);
	/* a KEK that is lost is not replaced by a new one */
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_OTHER);
	assert_int_equal(hsm_kek(hsm, false), ERR_NOT_FOUND);
	assert_int_equal(hsm_kek(hsm, true), OK);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_OTHER);
	assert_int_equal(keystore_check(ks), ERR_HSM_OTHER);
	assert_int_equal(keystore_to_store(ks).octets, 0);
	keystore_free(ks);
}

static void
only_a_wrapped_master_key_is_taken(void **state)
{
	struct keystore *ks = ready();
	struct bytes in = buf_peek(&stored);

	(void)state;
	keystore_free(ks);
	ks = NULL;
	assert_int_equal(
	    keystore_new(
		env, hsm, (struct bytes){in.at, in.octets - 1}, LIMIT_MS, &ks),
	    ERR_SEAL);
	assert_int_equal(
	    keystore_new(env, hsm, bytes_of_text("TSSK"), LIMIT_MS, &ks),
	    ERR_SEAL);
	stored.at[0] ^= 1;
	assert_int_equal(keystore_new(env, hsm, in, LIMIT_MS, &ks), ERR_SEAL);
	stored.at[0] ^= 1;
	stored.at[5]++; /* the oldest release that can read it */
	assert_int_equal(
	    keystore_new(env, hsm, in, LIMIT_MS, &ks), ERR_STORE_VERSION);
	stored.at[5]--;
	assert_null(ks);
	/* the header is bound in: one octet of the key's identifier */
	stored.at[15] ^= 1;
	assert_int_equal(keystore_new(env, hsm, in, LIMIT_MS, &ks), OK);
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_OTHER);
	stored.at[15] ^= 1;
	keystore_free(ks);
}

/* The other key's seals are refused before any of it is decrypted. */
static void
another_master_key_does_not_open_it(void **state)
{
	struct bytes id = bytes_of_text("o"), plain;
	struct keystore *ks = ready();
	struct bytes sealed = sealed_by(ks, "o", 1, "secret");

	(void)state;
	keystore_free(ks);
	assert_int_equal(keystore_new(env, hsm, BYTES_NONE, LIMIT_MS, &ks), OK);
	probe(ks);
	keystore_stored(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	assert_int_equal(
	    keystore_open(ks, NULL, id, 1, sealed, arena, &plain), ERR_SEAL);
	keystore_free(ks);
}

/* ---- the secure key cache ---- */

static struct loop *loop;
static struct loop_pool *pool;
static unsigned told;

static void
loan_done(struct keystore_loan *loan)
{
	(void)loan;
	told++;
	loop_stop(loop);
}

static void
stop_loop(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

static void
loop_open(void)
{
	told = 0;
	assert_int_equal(loop_new(env, &loop), OK);
	assert_int_equal(loop_pool_new(loop, "hsm", 1, &pool), OK);
}

static struct keystore *
uncached(void)
{
	struct keystore *ks = ready();

	keystore_set_cache(ks, false);
	assert_false(keystore_cache(ks));
	assert_true(keystore_lends(ks));
	return ks;
}

/* req: KS-05-108 */
static void
without_the_cache_the_hsm_lends_the_key_for_each_use(void **state)
{
	struct keystore_loan loan = {.done = loan_done};
	struct bytes id = bytes_of_text("o"), sealed, plain;
	struct keystore *ks = uncached();

	(void)state;
	loop_open();
	assert_int_equal(
	    keystore_seal(ks, NULL, id, 1, id, arena, &sealed), ERR_HSM);
	assert_int_equal(keystore_lend(ks, pool, &loan), OK);
	assert_int_equal(
	    keystore_seal(ks, &loan, id, 1, id, arena, &sealed), ERR_HSM);
	assert_int_equal(loop_run(loop), OK);
	assert_int_equal(told, 1);
	assert_int_equal(loan.rc, OK);
	assert_int_equal(
	    keystore_seal(ks, &loan, id, 1, id, arena, &sealed), OK);
	keystore_loan_end(&loan);
	assert_null(loan.master);
	/* it was for once; the next probe leaves nothing behind either */
	probe(ks);
	assert_int_equal(keystore_state(ks), KEYSTORE_READY);
	assert_int_equal(
	    keystore_open(ks, NULL, id, 1, sealed, arena, &plain), ERR_HSM);
	/* what was sealed without the cache opens with it */
	keystore_set_cache(ks, true);
	assert_true(keystore_lends(ks)); /* until it is filled */
	probe(ks);
	assert_false(keystore_lends(ks));
	assert_int_equal(
	    keystore_open(ks, NULL, id, 1, sealed, arena, &plain), OK);
	loop_free(loop);
	keystore_free(ks);
}

static void
what_was_lent_is_no_use_after_a_logout(void **state)
{
	struct keystore_loan loan = {.done = loan_done};
	struct bytes id = bytes_of_text("o"), sealed;
	struct keystore *ks = uncached();

	(void)state;
	loop_open();
	assert_int_equal(keystore_lend(ks, pool, &loan), OK);
	assert_int_equal(loop_run(loop), OK);
	keystore_logout(ks);
	assert_false(keystore_lends(ks));
	assert_int_equal(keystore_seal(ks, &loan, id, 1, id, arena, &sealed),
	    ERR_HSM_LOGGED_OUT);
	keystore_loan_end(&loan);
	probe(ks); /* the card is logged out too, */
	loan.done = loan_done;
	assert_int_equal(keystore_lend(ks, pool, &loan), OK);
	assert_int_equal(loop_run(loop), OK);
	assert_int_equal(loan.rc, ERR_HSM_LOGGED_OUT); /* and lends nothing */
	assert_null(loan.master);
	keystore_loan_end(&loan);
	loop_free(loop);
	keystore_free(ks);
}

static void
a_card_that_hangs_lends_nothing_after_the_limit(void **state)
{
	struct keystore_loan loan = {.done = loan_done};
	struct keystore *ks = uncached();

	(void)state;
	loop_open();
	hsm_set_fault(hsm, HSM_FAULT_HANGING);
	assert_int_equal(keystore_lend(ks, pool, &loan), OK);
	while (!hsm_busy(hsm))
		(void)sched_yield();
	lab_clock->elapsed_ms += LIMIT_MS;
	keystore_end_overdue(ks);
	assert_int_equal(told, 0);
	lab_clock->elapsed_ms += 1;
	keystore_end_overdue(ks);
	assert_int_equal(told, 1);
	assert_int_equal(loan.rc, ERR_HSM);
	keystore_loan_end(&loan);
	/* the answer comes, and nobody wants it */
	hsm_set_fault(hsm, HSM_FAULT_NONE);
	while (loop_pool_jobs(pool) != 0) {
		struct loop_task stop = {.fn = stop_loop};

		loop_later(loop, &stop);
		assert_int_equal(loop_run(loop), OK);
	}
	assert_int_equal(told, 1);
	loop_free(loop);
	keystore_free(ks);
}

/* One's own memory, as a core file or a debugger has it. */
static size_t
found_in_memory(const uint8_t *masked, size_t octets, uint8_t mask)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int fd = open("/proc/self/mem", O_RDONLY);
	static uint8_t chunk[65536];
	char line[512];
	size_t found = 0;

	assert_non_null(maps);
	assert_true(fd >= 0);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to, at;
		char mode[5];

		assert_int_equal(
		    sscanf(line, "%lx-%lx %4s", &from, &to, mode), 3);
		if (mode[0] != 'r' || mode[1] != 'w' || to - from > 1UL << 30)
			continue;
		for (at = from; at < to; at += sizeof(chunk) - octets) {
			size_t want =
			    to - at < sizeof(chunk) ? to - at : sizeof(chunk);
			ssize_t got = pread(fd, chunk, want, (off_t)at);
			const uint8_t *hit = chunk;

			/* what is looked for is nowhere else */
			while (got >= (ssize_t)octets &&
			       (hit = memchr(hit, masked[0] ^ mask,
				    (size_t)(chunk + got - hit))) != NULL &&
			       hit + octets <= chunk + got) {
				size_t n = 1;

				while (
				    n < octets && (hit[n] ^ mask) == masked[n])
					n++;
				found += n == octets;
				hit++;
			}
			secret_wipe(chunk, sizeof(chunk));
			if (to - at <= sizeof(chunk))
				break;
		}
	}
	assert_int_equal(fclose(maps), 0);
	assert_int_equal(close(fd), 0);
	return found;
}

/* req: KS-05-109 */
static void
the_cache_has_no_master_key_in_the_clear(void **state)
{
	struct bytes id = bytes_of_text("o"), sealed, plain, wrapped;
	struct keystore *ks = ready();
	struct secret *master = NULL;
	uint8_t masked[32];
	size_t k;

	(void)state;
	wrapped = buf_peek(&stored);
	assert_int_equal(
	    hsm_unwrap(hsm,
		(struct bytes){wrapped.at + 16, wrapped.octets - 16},
		(struct bytes){wrapped.at, 16}, &master),
	    OK);
	for (k = 0; k < sizeof(masked); k++)
		masked[k] = secret_peek(master).at[k] ^ 0xa5;
	/* what would be found: this one, and maybe what SoftHSM has of it */
	assert_true(found_in_memory(masked, sizeof(masked), 0xa5) >= 1);
	secret_free(master);
	assert_int_equal(
	    keystore_seal(ks, NULL, id, 1, id, arena, &sealed), OK);
	assert_int_equal(
	    keystore_open(ks, NULL, id, 1, sealed, arena, &plain), OK);
	assert_int_equal(found_in_memory(masked, sizeof(masked), 0xa5), 0);
	keystore_free(ks);
}

/* AddressSanitizer does not let a process lock its memory. */
#ifdef __SANITIZE_ADDRESS__
static const char locked[] = "";
#else
static const char locked[] = " lo ";
#endif

/* Is there a slot of locked memory that differs from this one by the key? */
static bool
has_counterpart(const uint8_t *from, const uint8_t *to, const uint8_t *slot,
    const uint8_t *key)
{
	const uint8_t *other;
	size_t n;

	for (other = from; other < to; other += 64) {
		for (n = 0; n < 32 && (other[n] ^ slot[n]) == key[n]; n++)
			;
		if (n == 32)
			return true;
	}
	return false;
}

/*
 * The masked key and its pad lie in pages that are locked, and so never
 * swapped: secrets are cut from such pages in slots of 64 octets.
 *
 * req: KS-05-110
 */
static void
the_cache_is_in_locked_pages(void **state)
{
	struct keystore *ks = ready();
	struct bytes wrapped = buf_peek(&stored);
	struct secret *master = NULL;
	FILE *maps = fopen("/proc/self/smaps", "r");
	const uint8_t *from = NULL, *to = NULL, *slot;
	uint8_t key[32];
	char line[512];
	bool found = false;

	(void)state;
	assert_non_null(maps);
	assert_int_equal(
	    hsm_unwrap(hsm,
		(struct bytes){wrapped.at + 16, wrapped.octets - 16},
		(struct bytes){wrapped.at, 16}, &master),
	    OK);
	memcpy(key, secret_peek(master).at, sizeof(key));
	secret_free(master);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long first, end;
		char mode[5];

		if (sscanf(line, "%lx-%lx %4s", &first, &end, mode) == 3) {
			/* a slab, or some: no shadow of a sanitizer's */
			if (mode[1] != 'w' || end - first > 1UL << 20)
				end = first;
			from = (const uint8_t *)first;
			to = (const uint8_t *)end;
		}
		if (strncmp(line, "VmFlags:", 8) != 0 ||
		    strstr(line, locked) == NULL ||
		    strstr(line, " dd ") == NULL)
			continue;
		for (slot = from; slot < to && !found; slot += 64)
			found = has_counterpart(from, to, slot, key);
	}
	assert_int_equal(fclose(maps), 0);
	assert_true(found);
	keystore_free(ks);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup(t, calm)
	const struct CMUnitTest tests[] = {
	    TEST(a_new_master_key_is_used_only_once_it_is_stored),
	    TEST(what_is_sealed_opens_after_a_restart),
	    TEST(nothing_and_a_lot_can_be_sealed),
	    TEST(another_object_or_version_does_not_open_it),
	    TEST(what_was_changed_or_cut_does_not_open),
	    TEST(what_does_not_prove_itself_is_not_handed_out),
	    TEST(the_format_is_as_the_manual_says),
	    TEST(no_nonce_comes_twice),
	    TEST(a_broken_source_seals_nothing),
	    TEST(a_broken_source_makes_no_master_key),
	    TEST(a_logout_stops_at_once_and_a_login_resumes),
	    TEST(a_wish_overtakes_the_probe_under_way),
	    TEST(a_refused_pin_is_tried_once),
	    TEST(a_failing_hsm_stops_keys_until_it_is_mended),
	    TEST(a_pulled_token_stops_keys_until_it_is_back),
	    TEST(a_hanging_hsm_counts_as_gone_after_the_limit),
	    TEST(an_hsm_with_another_kek_opens_nothing),
	    TEST(only_a_wrapped_master_key_is_taken),
	    TEST(another_master_key_does_not_open_it),
	    TEST(without_the_cache_the_hsm_lends_the_key_for_each_use),
	    TEST(what_was_lent_is_no_use_after_a_logout),
	    TEST(a_card_that_hangs_lends_nothing_after_the_limit),
	    TEST(the_cache_has_no_master_key_in_the_clear),
	    TEST(the_cache_is_in_locked_pages),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
