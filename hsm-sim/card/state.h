/*
 * What a card keeps without power: card.nv.
 *
 * The file, numbers big-endian:
 *
 *	 8  "TSCARD1\n"
 *	 2  version of the format, 2 the oldest version that can read it
 *	 4  octets of the body
 *	    body: the fields in the order of struct state, each partition's in
 *	    the order of struct state_partition; docs/card.md has them one by
 *	    one
 *	32  seal_check() of all before
 *
 * It is written anew with every change, before the change counts.
 */
#ifndef CARD_STATE_H
#define CARD_STATE_H

#include "card/card.h"
#include "card/file.h"
#include "card/seal.h"

enum {
	STATE_VERSION = 1,
	STATE_SERIAL_OCTETS = 16,
	STATE_UUID_OCTETS = 24,
	STATE_ROLES = CARD_LIMITED + 1,
	STATE_WRAPPED_OCTETS = SEAL_KEY_OCTETS + SEAL_MORE_OCTETS,
};

/* Something that a secret opens: a key, sealed under what the secret makes. */
struct lock {
	bool set;
	uint32_t rounds; /* 0: the secret is an iKey's */
	uint8_t salt[SEAL_SALT_OCTETS];
	uint8_t wrapped[STATE_WRAPPED_OCTETS];
};

struct state_role {
	struct lock lock;
	bool expired;      /* its first password is to be changed */
	uint8_t failures;  /* since the last right secret */
	int64_t failed_ms; /* when the last one was, by the card's clock */
};

struct state_partition {
	bool present;     /* K6: it has been created */
	bool initialized; /* it has a label, a token and roles */
	char label[CARD_LABEL_OCTETS + 1];
	char serial[STATE_SERIAL_OCTETS + 1];
	char uuid[STATE_UUID_OCTETS + 1];
	char token[STATE_SERIAL_OCTETS + 1]; /* of SoftHSM: its serial number */
	struct lock domain;
	struct lock challenge;
	struct state_role roles[STATE_ROLES]; /* by enum card_role */
	uint8_t policies[CARD_POLICIES];
};

struct state {
	uint8_t model; /* enum card_model */
	char serial[STATE_SERIAL_OCTETS + 1];
	char label[CARD_LABEL_OCTETS + 1];
	bool initialized;
	bool zeroized; /* and not initialized again since */
	bool tampered;
	bool battery_out;
	uint8_t key[SEAL_KEY_OCTETS]; /* new with each zeroization */
	struct state_role so;         /* K6 */
	struct lock domain;           /* K6 */
	bool has_rpv;
	uint8_t rpv[STATE_WRAPPED_OCTETS]; /* sealed under the card's key */
	uint32_t slots;
	struct state_partition partitions[CARD_SLOTS_MAX]; /* slot 1 first */
};

/*
 * To octets and back.
 *
 * ERR_VERSION                  not this format, or too new for us
 * ERR_TRUNCATED, ERR_TRAILING  not as long as it says
 * ERR_SEAL                     changed since it was written
 * ERR_VALUE                    a field that no card has
 */
enum err state_write(const struct state *state, struct buf *out) MUST_CHECK;
enum err state_read(struct bytes in, struct state *out) MUST_CHECK;

/* The file. ERR_NOT_FOUND, those of state_read, file_get and file_put */
enum err state_load(int dir_fd, struct state *out) MUST_CHECK;
enum err state_save(
    int dir_fd, const struct state *state, struct steps *steps) MUST_CHECK;

#endif
