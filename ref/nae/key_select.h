/*
 * Names of keys as requests have them, with what chooses a version.
 *
 *	name       the default version
 *	name#2     version 2
 *	name#all   all of them
 *	name#      of a key that is to be made: one with versions
 *
 * Source: protocol note sections 1.3 and 2.5
 */
#ifndef NAE_KEY_SELECT_H
#define NAE_KEY_SELECT_H

#include "base/bytes.h"

enum key_select_which {
	SELECT_DEFAULT,
	SELECT_ONE,
	SELECT_ALL,
	SELECT_EMPTY /* '#' and nothing */
};

struct key_select {
	struct bytes name; /* borrowed; whether it can be one is not asked */
	enum key_select_which which;
	uint32_t number; /* SELECT_ONE; from 1. 0: the default one */
};

/*
 * ERR_KEY_VERSION  what follows the '#' is no number of a version, nor "all"
 */
enum err key_select_read(struct bytes text, struct key_select *out) MUST_CHECK;

#endif
