/*
 * For the tests of this folder: a SoftHSMv2 token in a directory of its own.
 */
#ifndef CRYPTO_SOFTHSM_TEST_H
#define CRYPTO_SOFTHSM_TEST_H

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/hex_test.h"
#include "crypto/hsm.h"
#include "crypto/ossl.h"
#include "crypto/random.h"

#define MODULE_PATH "/usr/lib/softhsm/libsofthsm2.so"
#define TOKEN_LABEL "touchstone"
#define KEK_LABEL   "kek-1"

struct softhsm {
	char dir[256];
	char pin_path[300];
	struct env *env;
};

static inline int
softhsm_remove(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

static inline void
softhsm_start(struct softhsm *s)
{
	char *pin_path;

	assert_int_equal(hsm_softhsm_setup(s->env, MODULE_PATH, s->dir,
			     TOKEN_LABEL, &pin_path),
	    OK);
	(void)snprintf(s->pin_path, sizeof(s->pin_path), "%s", pin_path);
	mem_free(pin_path);
}

static inline void
softhsm_make(struct softhsm *s)
{
	const char *tmp = getenv("TMPDIR");

	assert_int_equal(ossl_init(), OK);
	assert_int_equal(env_new(&s->env), OK);
	env_set_random(s->env, random_drbg, NULL);
	(void)snprintf(s->dir, sizeof(s->dir), "%s/softhsm.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(s->dir));
	softhsm_start(s);
}

static inline void
softhsm_clear(struct softhsm *s)
{
	assert_int_equal(
	    nftw(s->dir, softhsm_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
	env_free(s->env);
}

static inline struct hsm *
softhsm_open(const struct softhsm *s)
{
	struct hsm_config config = {.module_path = MODULE_PATH,
	    .token_label = TOKEN_LABEL,
	    .pin_path = s->pin_path,
	    .kek_label = KEK_LABEL};
	struct hsm *hsm;

	assert_int_equal(hsm_new(&config, &hsm), OK);
	return hsm;
}

/* A file beside the token. */
static inline const char *
softhsm_path(const struct softhsm *s, const char *name)
{
	static char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

static inline void
softhsm_write(
    const struct softhsm *s, const char *name, const char *text, mode_t mode)
{
	const char *path = softhsm_path(s, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* The token directory goes away, as a card that is pulled, and comes back. */
static inline void
softhsm_pull(const struct softhsm *s, bool out)
{
	char tokens[300], away[300];

	(void)snprintf(tokens, sizeof(tokens), "%s/tokens", s->dir);
	(void)snprintf(away, sizeof(away), "%s/away", s->dir);
	assert_int_equal(rename(out ? tokens : away, out ? away : tokens), 0);
}

#endif
