/*
 * The channel between card and PED: encrypted, authenticated, in order.
 *
 * A frame is a length (2, big-endian, of what follows) and octets. The first
 * frame of each side is its hello; all others are sealed messages.
 *
 *	hello   "TSPED1"  side (1: 'C' card, 'P' PED)  X25519 public key (32)
 *	sealed  AES-256-GCM ciphertext and tag (16) of one message
 *
 * Keys: HKDF-SHA256 of the X25519 secret, salt: both hellos, card's first;
 * info "card to PED" and "PED to card" give a key (32) and a nonce base (12)
 * each. The nonce is the base XOR the number of the frame in its direction, so
 * that a frame that is lost, repeated, moved or changed ends the channel.
 *
 * On the local cable nobody can step between. On the way to a remote PED
 * somebody can, so there both sides prove that they know the remote PED vector
 * (the orange iKey): HMAC-SHA256 under the vector of the side that proves (1
 * octet) and both hellos, card's first.
 * Until that is done the card sends nothing but texts and PED_RPV_ messages.
 *
 * No function here does any input or output: octets go in and out of bufs.
 */
#ifndef LINK_CHANNEL_H
#define LINK_CHANNEL_H

#include "base/buf.h"
#include "base/env.h"
#include "base/secret.h"

enum {
	CHANNEL_FRAME_MOST_OCTETS = 4096, /* without the length itself */
	CHANNEL_PROOF_OCTETS = 32,
};

enum channel_side { CHANNEL_CARD = 'C', CHANNEL_PED = 'P' };

struct channel;

/* ERR_ENTROPY, ERR_NOMEM, ERR_CRYPTO */
enum err channel_new(
    struct env *env, enum channel_side side, struct channel **out) MUST_CHECK;
void channel_free(struct channel *ch); /* wipes; accepts NULL */

/* Our hello, as a frame, behind what `out` has. Once, first. */
enum err channel_hello(struct channel *ch, struct buf *out) MUST_CHECK;

/*
 * How many octets the first frame of `in` has, its length included; 0: more
 * are needed to tell, or for the frame. For relays too, which have no channel.
 *
 * ERR_LENGTH  longer than a frame can be, or empty: close
 */
enum err channel_frame(struct bytes in, size_t *octets) MUST_CHECK;

/*
 * Is this whole frame a hello of that side? Where the channel is open it then
 * has ended at the other end, which begins anew: what is sealed looks like this
 * once in 2^56.
 */
bool channel_is_hello(struct bytes frame, enum channel_side from);

/*
 * Take one whole frame: the peer's hello (then *message has no octets), or a
 * sealed message, opened into `room`, which is reset first. After a failure the
 * channel has ended: each further call fails too.
 *
 * ERR_LENGTH   not one whole frame
 * ERR_SEAL     changed, repeated, out of order: close
 * ERR_VERSION  not a hello of this protocol, or of our own side: close
 * ERR_NOMEM, ERR_LIMIT, ERR_CRYPTO
 */
enum err channel_take(struct channel *ch, struct bytes frame, struct buf *room,
    struct bytes *message) MUST_CHECK;

/* Has the peer's hello come? */
bool channel_is_open(const struct channel *ch);

/*
 * Seal one message, of one octet at least, into a frame behind what `out` has.
 * Not before the channel is open.
 *
 * ERR_LENGTH  it does not fit a frame
 * ERR_CLOSED  the channel has ended
 * ERR_NOMEM, ERR_LIMIT, ERR_CRYPTO
 */
enum err channel_put(
    struct channel *ch, struct bytes message, struct buf *out) MUST_CHECK;

/*
 * What `side` proves its knowledge of the vector with. Not before the channel
 * is open.
 *
 * ERR_NOMEM, ERR_LIMIT, ERR_CRYPTO
 */
enum err channel_proof(const struct channel *ch, enum channel_side side,
    const struct secret *vector,
    uint8_t proof[CHANNEL_PROOF_OCTETS]) MUST_CHECK;

#endif
