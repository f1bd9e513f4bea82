#include "device/key.h"

#define YES true
#define NO  false

static const struct key_algorithm rows[] = {
#define ALGORITHM(name, word, import, algorithm, bits, family, iv, is_default) \
	{name, word, import, CRYPTOGRAPHIC_ALGORITHM_##algorithm, bits,        \
	    FAMILY_##family, iv, is_default},
#include "device/key_algorithm.def"
#undef ALGORITHM
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct key_algorithm *
key_algorithm_nth(size_t n)
{
	return n < ROWS ? &rows[n] : NULL;
}

const struct key_algorithm *
key_algorithm_named(struct bytes name)
{
	size_t k;

	for (k = 0; k < ROWS; k++) {
		if (bytes_equal_text(name, rows[k].name))
			return &rows[k];
	}
	return NULL;
}

/* Lengths of DES keys count their parity bits, or do not. */
static uint32_t
without_parity(uint32_t algorithm, uint32_t key_bits)
{
	bool is_des = algorithm == CRYPTOGRAPHIC_ALGORITHM_DES ||
		      algorithm == CRYPTOGRAPHIC_ALGORITHM_3DES;

	return is_des && key_bits % 64 == 0 ? key_bits / 8 * 7 : key_bits;
}

const struct key_algorithm *
key_algorithm_of_word(struct bytes word, uint32_t key_bits)
{
	size_t k;

	for (k = 0; k < ROWS; k++) {
		uint32_t bits = without_parity(rows[k].algorithm, key_bits);

		if (bytes_equal_text(word, rows[k].word) &&
		    (key_bits == 0 ? rows[k].is_default
				   : bits == rows[k].key_bits))
			return &rows[k];
	}
	return NULL;
}

const struct key_algorithm *
key_algorithm_imported(struct bytes import)
{
	size_t k;

	for (k = 0; k < ROWS; k++) {
		if (bytes_equal_text(import, rows[k].import))
			return &rows[k];
	}
	return NULL;
}

bool
key_algorithm_is_word(struct bytes word)
{
	return key_algorithm_of_word(word, 0) != NULL;
}

const struct key_algorithm *
key_algorithm_of(uint32_t algorithm, uint32_t key_bits)
{
	uint32_t bits = without_parity(algorithm, key_bits);
	size_t k;

	for (k = 0; k < ROWS; k++) {
		if (rows[k].algorithm == algorithm && rows[k].key_bits == bits)
			return &rows[k];
	}
	return NULL;
}
