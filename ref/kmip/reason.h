/*
 * From our own errors to the Result Reason on the wire.
 */
#ifndef KMIP_REASON_H
#define KMIP_REASON_H

#include "wire/schema.h"

/*
 * The Result Reason that this operation has for the error at this version;
 * operation 0 where none was understood. Never one that the version lacks.
 */
uint32_t reason_of(enum err rc, uint32_t operation, enum version v);

#endif
