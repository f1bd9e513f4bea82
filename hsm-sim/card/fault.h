/*
 * Faults of the laboratory: which PKCS#11 call fails, with what, and how long
 * each takes. Ordered; each that strikes is logged with its number. From any
 * thread.
 *
 *	fault add op=C_WrapKey|* nth=3 [times=2] rv=CKR_DEVICE_ERROR|0x30
 *	fault latency op=C_Sign|* ms=5 [jitter=2]
 *	fault rng stuck|ok
 *	fault full on|off
 *	fault list
 *	fault clear
 *
 * nth counts calls of the op from the line on; times defaults to 1. Of several
 * for one call the first in the list strikes. jitter adds 0 to that many
 * milliseconds, the same ones in each run.
 */
#ifndef CARD_FAULT_H
#define CARD_FAULT_H

#include "card/card.h"

enum { FAULTS_MAX = 32, FAULT_OP_OCTETS = 32 };

struct faults;

/* ERR_NOMEM */
enum err faults_new(struct faults **out) MUST_CHECK;
void faults_free(struct faults *f); /* accepts NULL */

/*
 * A call of `op` begins.
 *
 * delay_ms  how long it is to take before anything else
 *
 * true: it fails with *rv
 */
bool
faults_strike(struct faults *f, const char *op, CK_RV *rv, unsigned *delay_ms);

/* Is the source of randomness stuck? */
bool faults_rng_stuck(struct faults *f);

/*
 * The words after "fault" of a line above; the answer is "ok ..." or
 * "error ...", without an end of line.
 *
 * ERR_NOT_FOUND  a word of somebody else's; nothing was answered
 * ERR_LIMIT, ERR_NOMEM
 */
enum err faults_command(
    struct faults *f, const char *words, struct buf *answer) MUST_CHECK;

#endif
