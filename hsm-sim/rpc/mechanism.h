/*
 * Mechanisms as octets, with the parameters of mechanism.def.
 *
 *	flag    is there a mechanism?
 *	number  its type
 *	octet   how its parameter follows:
 *	          0 ABSENT  no pointer; a number, the length that was given
 *	          1 OCTETS  a number, the length, and the octets
 *	          2 NUMBER  a number
 *	          3 RECORD  a struct, as record.def has it
 *
 * A parameter whose length is not its struct's goes as its length alone: what
 * it holds means nothing, and the card refuses it in its turn.
 */
#ifndef RPC_MECHANISM_H
#define RPC_MECHANISM_H

#include "base/arena.h"
#include "rpc/item.h"

/*
 * contents  false: the shape alone (see record.h)
 *
 * ERR_CHOICE  no row has the mechanism, and it has a parameter
 */
enum err mechanism_write(
    const CK_MECHANISM *m, bool contents, struct buf *out) MUST_CHECK;

/*
 * *out  in the arena, NULL where there was none; points into what is read
 *
 * ERR_CHOICE  a form that the mechanism does not have, or a parameter that no
 *             row knows
 */
enum err mechanism_read(
    struct arena *a, struct bytes *in, CK_MECHANISM **out) MUST_CHECK;

#endif
