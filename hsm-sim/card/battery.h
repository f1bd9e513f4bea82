/*
 * Battery-backed memory, card.batt: what is left of an activation while there
 * is no power, or while the partition is deactivated; and since when.
 *
 * The file has 160 octets, numbers big-endian:
 *
 *	 at octets
 *	  0  8  "TSBATT1\n"
 *	  8  2  version of the format, 10 2 the oldest version that can read it
 *	 12  1  flags: 1 it holds an activation, 2 which was deactivated
 *	 13  3  0
 *	 16  8  when that was, by the card's clock, in milliseconds
 *	 24 32  half of the key; the card's key in card.nv is the other
 *	 56 60  the partition's key, sealed under both
 *	116 32  seal_check() of all before
 *	148  4  0
 *	152  8  when there was power last; mapped, and written without ceremony
 *
 * A file that is missing or damaged is a dead battery: it holds nothing. So
 * does one whose other half, the card's key, was replaced.
 */
#ifndef CARD_BATTERY_H
#define CARD_BATTERY_H

#include "base/env.h"
#include "base/secret.h"
#include "card/file.h"

struct battery;

/*
 * env and steps are borrowed for good; dir_fd is used, not closed.
 *
 * ERR_NOMEM, ERR_SYSTEM
 */
enum err battery_new(struct env *env, int dir_fd, struct steps *steps,
    struct battery **out) MUST_CHECK;
void battery_free(struct battery *b); /* accepts NULL */

/* There is power at this moment. */
void battery_beat(struct battery *b);

/*
 * An activation, held from now on. ERR_SYSTEM, ERR_ENTROPY, ERR_NOMEM
 *
 * card_key  the other half of the key
 */
enum err battery_hold(struct battery *b, struct bytes card_key,
    const struct secret *partition_key) MUST_CHECK;

/* It was deactivated: its time runs from now on. ERR_SYSTEM */
enum err battery_stop(struct battery *b) MUST_CHECK;

/* Erase it. ERR_SYSTEM */
enum err battery_drop(struct battery *b) MUST_CHECK;

/*
 * Does it hold an activation?
 *
 * stopped  by a deactivation, which a return of power does not undo
 * age_ms   since the deactivation, or since power was lost; less than 0 where
 *          the clock went backwards
 */
bool battery_holds(const struct battery *b, bool *stopped, int64_t *age_ms);

/* ERR_SEAL: not under this card's key; ERR_NOT_FOUND: it holds nothing. */
enum err battery_open(const struct battery *b, struct bytes card_key,
    struct secret **partition_key) MUST_CHECK;

#endif
