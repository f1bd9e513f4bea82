/*
 * iKeys: small USB tokens that carry one share of a secret each.
 *
 * An iKey is a file of IKEY_OCTETS octets; inserting it is naming the file. It
 * holds no PED PIN and nothing to verify one: a wrong PIN opens it to a wrong
 * share, which nobody but the HSM can tell from the right one, and counts.
 * What it does show is a change of any octet.
 *
 * Numbers are big-endian:
 *
 *	at  octets
 *	 0   8   "TSIKEY1\n"
 *	 8   1   colour, enum ikey_colour
 *	 9   1   flags: 1 a PED PIN was imposed
 *	10   1   M, 11 1 N, 12 1 index of this share (1 to N); blank: 0, 0, 0
 *	13   3   0
 *	16   8   serial number of the device, unlike any other; kept through
 *	         imprinting
 *	24  16   keyset: what the shares of one split have in common
 *	40  16   salt
 *	56  32   the share, masked: share XOR PBKDF2-HMAC-SHA256(PIN, salt,
 *	         IKEY_PIN_ROUNDS)
 *	88  32   HMAC-SHA256 of the 88 octets before, under IKEY_PRODUCT_KEY,
 *	         which is no secret (tamper-evident; it keeps nobody out)
 *
 * A blank iKey has zeros from 8 to 88 but for its serial number.
 *
 * req: KS-01-046
 * req: KS-01-037  the secrets reside on the iKeys in encrypted form only
 */
#ifndef IKEY_IKEY_H
#define IKEY_IKEY_H

#include "base/env.h"
#include "base/secret.h"

#define IKEY_PRODUCT_KEY "Touchstone iKey: shows a change, keeps no secret"

enum {
	IKEY_OCTETS = 120,
	IKEY_SECRET_OCTETS = 32,
	IKEY_SERIAL_OCTETS = 8,
	IKEY_KEYSET_OCTETS = 16,
	IKEY_SALT_OCTETS = 16,
	IKEY_PIN_ROUNDS = 10000,
	IKEY_SHARES_MAX = 16,
	IKEY_PIN_LEAST_DIGITS = 4,
	IKEY_PIN_MOST_DIGITS = 48,
};

enum ikey_colour {
	IKEY_BLANK,
	IKEY_BLUE,   /* HSM Admin, Security Officer */
	IKEY_RED,    /* Domain */
	IKEY_BLACK,  /* User, Partition Owner */
	IKEY_ORANGE, /* Remote PED: the remote PED vector */
};

struct ikey {
	enum ikey_colour colour;
	bool has_pin;
	uint8_t m, n, index;
	uint8_t serial[IKEY_SERIAL_OCTETS];
	uint8_t keyset[IKEY_KEYSET_OCTETS];
	uint8_t salt[IKEY_SALT_OCTETS];
	uint8_t masked[IKEY_SECRET_OCTETS];
};

/* "blank", "blue" ... Static. */
const char *ikey_colour_name(enum ikey_colour colour);

/* A blank one, with a serial number of its own. ERR_ENTROPY */
enum err ikey_blank(struct env *env, struct ikey *out) MUST_CHECK;

/*
 * To octets and back.
 *
 * ERR_TRUNCATED, ERR_TRAILING  not IKEY_OCTETS
 * ERR_VERSION                  another format
 * ERR_SEAL                     changed since it was written
 * ERR_VALUE                    a field that no iKey has
 * ERR_CRYPTO                   OpenSSL has no memory
 */
enum err
ikey_write(const struct ikey *key, uint8_t out[IKEY_OCTETS]) MUST_CHECK;
enum err ikey_read(struct bytes in, struct ikey *out) MUST_CHECK;

/*
 * Put a share on it; whatever it was before, its serial number stays.
 *
 * req: KS-01-082
 *
 * pin  digits; no octets: none is imposed
 *
 * On failure the iKey is what it was.
 *
 * ERR_LENGTH  a PIN that is not of 4 to 48 digits
 * ERR_ENTROPY, ERR_NOMEM, ERR_CRYPTO
 */
struct ikey_imprint {
	enum ikey_colour colour;
	uint8_t m, n, index;
	const uint8_t *keyset; /* IKEY_KEYSET_OCTETS */
	struct bytes share;    /* IKEY_SECRET_OCTETS */
	struct bytes pin;
};
enum err ikey_imprint(struct env *env, const struct ikey_imprint *what,
    struct ikey *key) MUST_CHECK;

/*
 * The share, by the PIN, or by none (no octets): right or wrong, there is
 * always one.
 *
 * ERR_NOMEM, ERR_CRYPTO
 */
enum err ikey_open(
    const struct ikey *key, struct bytes pin, struct secret **share) MUST_CHECK;

/* Digits only, none or 4 to 48 of them. */
bool ikey_pin_is_valid(struct bytes pin);

#endif
