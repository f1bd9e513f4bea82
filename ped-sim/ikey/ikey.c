#include "ikey/ikey.h"

#include <assert.h>
#include <string.h>

#include "ikey/crypt.h"

/* Where each field is; see ikey.h. */
enum {
	AT_COLOUR = 8,
	AT_FLAGS = 9,
	AT_M = 10,
	AT_N = 11,
	AT_INDEX = 12,
	AT_ZEROS = 13,
	AT_SERIAL = 16,
	AT_KEYSET = 24,
	AT_SALT = 40,
	AT_MASKED = 56,
	AT_MAC = 88,
};

enum { FLAG_PIN = 1 };

_Static_assert(AT_SERIAL + IKEY_SERIAL_OCTETS == AT_KEYSET &&
		   AT_KEYSET + IKEY_KEYSET_OCTETS == AT_SALT &&
		   AT_SALT + IKEY_SALT_OCTETS == AT_MASKED &&
		   AT_MASKED + IKEY_SECRET_OCTETS == AT_MAC &&
		   AT_MAC + CRYPT_MAC_OCTETS == IKEY_OCTETS,
    "a format, not a detail");

static const uint8_t magic[AT_COLOUR] = "TSIKEY1\n";

static const char *const colour_names[] = {
    [IKEY_BLANK] = "blank",
    [IKEY_BLUE] = "blue",
    [IKEY_RED] = "red",
    [IKEY_BLACK] = "black",
    [IKEY_ORANGE] = "orange",
};

static const unsigned colours = sizeof(colour_names) / sizeof(colour_names[0]);

const char *
ikey_colour_name(enum ikey_colour colour)
{
	assert(colour < colours);
	return colour_names[colour];
}

enum err
ikey_blank(struct env *env, struct ikey *out)
{
	memset(out, 0, sizeof(*out));
	return env_random(env, out->serial, sizeof(out->serial));
}

static enum err
mac_of(const uint8_t octets[AT_MAC], uint8_t mac[CRYPT_MAC_OCTETS])
{
	return crypt_hmac(bytes_of_text(IKEY_PRODUCT_KEY),
	    (struct bytes){octets, AT_MAC}, mac);
}

enum err
ikey_write(const struct ikey *key, uint8_t out[IKEY_OCTETS])
{
	memset(out, 0, IKEY_OCTETS);
	memcpy(out, magic, sizeof(magic));
	out[AT_COLOUR] = (uint8_t)key->colour;
	out[AT_FLAGS] = key->has_pin ? FLAG_PIN : 0;
	out[AT_M] = key->m;
	out[AT_N] = key->n;
	out[AT_INDEX] = key->index;
	memcpy(out + AT_SERIAL, key->serial, sizeof(key->serial));
	memcpy(out + AT_KEYSET, key->keyset, sizeof(key->keyset));
	memcpy(out + AT_SALT, key->salt, sizeof(key->salt));
	memcpy(out + AT_MASKED, key->masked, sizeof(key->masked));
	return mac_of(out, out + AT_MAC);
}

static bool
is_zero(const uint8_t *at, size_t octets)
{
	while (octets != 0 && *at == 0) {
		at++;
		octets--;
	}
	return octets == 0;
}

/* Whole, and not tampered with: could we have written it? */
static bool
is_possible(const uint8_t *at)
{
	if (at[AT_COLOUR] >= colours || (at[AT_FLAGS] & ~FLAG_PIN) != 0 ||
	    !is_zero(at + AT_ZEROS, AT_SERIAL - AT_ZEROS))
		return false;
	if (at[AT_COLOUR] == IKEY_BLANK)
		return is_zero(at + AT_FLAGS, AT_ZEROS - AT_FLAGS) &&
		       is_zero(at + AT_KEYSET, AT_MAC - AT_KEYSET);
	return at[AT_M] >= 1 && at[AT_M] <= at[AT_N] &&
	       at[AT_N] <= IKEY_SHARES_MAX && at[AT_INDEX] >= 1 &&
	       at[AT_INDEX] <= at[AT_N];
}

enum err
ikey_read(struct bytes in, struct ikey *out)
{
	uint8_t mac[CRYPT_MAC_OCTETS];
	enum err rc = OK;

	if (in.octets != IKEY_OCTETS)
		TRY(in.octets < IKEY_OCTETS ? ERR_TRUNCATED : ERR_TRAILING);
	if (memcmp(in.at, magic, sizeof(magic)) != 0)
		TRY(ERR_VERSION);
	TRY(mac_of(in.at, mac));
	if (!secret_equal_bytes((struct bytes){mac, sizeof(mac)},
		(struct bytes){in.at + AT_MAC, CRYPT_MAC_OCTETS}))
		TRY(ERR_SEAL);
	if (!is_possible(in.at))
		TRY(ERR_VALUE);
	*out = (struct ikey){
	    .colour = in.at[AT_COLOUR],
	    .has_pin = in.at[AT_FLAGS] == FLAG_PIN,
	    .m = in.at[AT_M],
	    .n = in.at[AT_N],
	    .index = in.at[AT_INDEX],
	};
	memcpy(out->serial, in.at + AT_SERIAL, sizeof(out->serial));
	memcpy(out->keyset, in.at + AT_KEYSET, sizeof(out->keyset));
	memcpy(out->salt, in.at + AT_SALT, sizeof(out->salt));
	memcpy(out->masked, in.at + AT_MASKED, sizeof(out->masked));
out:
	return rc;
}

static void
xor_into(uint8_t *to, const uint8_t *a, const uint8_t *b, size_t octets)
{
	while (octets-- != 0)
		to[octets] = a[octets] ^ b[octets];
}

static enum err
mask_of(
    const uint8_t salt[IKEY_SALT_OCTETS], struct bytes pin, struct secret **out)
{
	struct secret *mask = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(secret_new(IKEY_SECRET_OCTETS, &mask));
	TRY(crypt_pbkdf2(pin, (struct bytes){salt, IKEY_SALT_OCTETS},
	    IKEY_PIN_ROUNDS, mask));
	*out = mask;
	mask = NULL;
out:
	secret_free(mask);
	return rc;
}

enum err
ikey_imprint(struct env *env, const struct ikey_imprint *what, struct ikey *key)
{
	struct secret *mask = NULL;
	struct ikey next = {
	    .colour = what->colour,
	    .has_pin = what->pin.octets != 0,
	    .m = what->m,
	    .n = what->n,
	    .index = what->index,
	};
	enum err rc = OK;

	assert(what->colour > IKEY_BLANK && what->colour < colours);
	assert(what->m >= 1 && what->m <= what->n &&
	       what->n <= IKEY_SHARES_MAX && what->index >= 1 &&
	       what->index <= what->n);
	assert(what->share.octets == IKEY_SECRET_OCTETS);
	if (!ikey_pin_is_valid(what->pin))
		TRY(ERR_LENGTH);
	memcpy(next.serial, key->serial, sizeof(next.serial));
	memcpy(next.keyset, what->keyset, sizeof(next.keyset));
	TRY(env_random(env, next.salt, sizeof(next.salt)));
	TRY(mask_of(next.salt, what->pin, &mask));
	xor_into(next.masked, what->share.at, secret_peek(mask).at,
	    sizeof(next.masked));
	*key = next;
out:
	secret_free(mask);
	return rc;
}

/* req: KS-01-090 */
enum err
ikey_open(const struct ikey *key, struct bytes pin, struct secret **share)
{
	enum err rc = OK;

	TRY(mask_of(key->salt, pin, share));
	xor_into(secret_fill(*share), secret_peek(*share).at, key->masked,
	    sizeof(key->masked));
out:
	return rc;
}

/* req: KS-01-091 */
bool
ikey_pin_is_valid(struct bytes pin)
{
	size_t k;

	if (pin.octets == 0)
		return true;
	if (pin.octets < IKEY_PIN_LEAST_DIGITS ||
	    pin.octets > IKEY_PIN_MOST_DIGITS)
		return false;
	for (k = 0; k < pin.octets; k++)
		if (pin.at[k] < '0' || pin.at[k] > '9')
			return false;
	return true;
}
