/*
 * touchstone-ref --print-state: what a server that is stopped holds, on
 * standard output (device/state.h).
 *
 * It waits until the HSM lets keys be opened: with a card that may take the
 * login that a restart does.
 */
#ifndef NET_PRINT_STATE_H
#define NET_PRINT_STATE_H

#include "base/loop.h"
#include "device/root.h"

struct print_state;

/* Borrowed, strings included, until print_state_free. */
struct print_state_config {
	struct root_config root; /* without ready and ctx */
	const char *key_path;    /* of the HMACs: a file of its owner's */
	bool digest;             /* one line, of all of them */
	/* It has been printed, or not: why is in the log. From the loop. */
	void (*done)(void *ctx, enum err rc);
	void *ctx;
};

enum { PRINT_STATE_PATIENCE_MS = 10000 };

/* ERR_CONFIG ... what cannot be opened; the log says why */
enum err print_state_new(const struct print_state_config *config,
    struct print_state **out) MUST_CHECK;
void print_state_free(struct print_state *print); /* accepts NULL */

#endif
