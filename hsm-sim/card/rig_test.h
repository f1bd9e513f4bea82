/*
 * For tests of the card: one in a directory of its own, on laboratory time.
 */
#ifndef CARD_RIG_TEST_H
#define CARD_RIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rig_test.h"
#include "base/wait.h"
#include "card/card.h"

#define LENGTH(a)   (sizeof(a) / sizeof((a)[0]))
#define MODULE_PATH "/usr/lib/softhsm/libsofthsm2.so"
#define TEXT(s)     bytes_of_text(s)

struct card_rig {
	struct rig rig;
	char dir[256];
	struct wait_room *waits;
	struct card_config config;
	struct card *card;
};

static inline int
card_rig_remove(
    const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

static inline void
card_rig_on(struct card_rig *r)
{
	assert_int_equal(card_new(&r->config, &r->card), CARD_OK);
}

static inline void
card_rig_off(struct card_rig *r)
{
	card_free(r->card);
	r->card = NULL;
}

/* Everything but the card itself. */
static inline void
card_rig_init(struct card_rig *r, enum card_model model)
{
	const char *tmp = getenv("TMPDIR");

	memset(r, 0, sizeof(*r));
	assert_int_equal(rig_init(&r->rig), OK);
	assert_int_equal(wait_room_new(r->rig.env, &r->waits), OK);
	(void)snprintf(r->dir, sizeof(r->dir), "%s/card.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(r->dir));
	r->config = (struct card_config){
	    .dir = r->dir,
	    .env = r->rig.env,
	    .waits = r->waits,
	    .softhsm_module = MODULE_PATH,
	    .model = model,
	    .slots = model == CARD_K6 ? 1 : 2,
	    .kdf_rounds = 2,
	    .lab = true,
	};
}

static inline void
card_rig_clear(struct card_rig *r)
{
	card_rig_off(r);
	wait_room_free(r->waits);
	assert_int_equal(
	    nftw(r->dir, card_rig_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
	rig_clear(&r->rig);
}

/* The card's own clock: goes on while there is no power. */
static inline void
card_rig_pass(struct card_rig *r, int64_t ms)
{
	__atomic_add_fetch(&r->rig.clock->hsm_ms, ms, __ATOMIC_RELEASE);
	__atomic_add_fetch(&r->rig.clock->elapsed_ms, ms, __ATOMIC_RELEASE);
	__atomic_add_fetch(&r->rig.clock->generation, 1, __ATOMIC_RELEASE);
	if (r->card != NULL)
		card_tick(r->card);
}

static inline const char *
card_rig_lab(struct card_rig *r, const char *line)
{
	static char text[1024];
	struct buf answer;

	buf_init(&answer, sizeof(text) - 1);
	assert_int_equal(card_lab_command(r->card, line, &answer), OK);
	memcpy(text, answer.at, answer.octets);
	text[answer.octets] = '\0';
	buf_clear(&answer);
	return text;
}

#endif
