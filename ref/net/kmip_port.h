/*
 * KMIP over a connection: frames for the dispatcher of kmip/.
 */
#ifndef NET_KMIP_PORT_H
#define NET_KMIP_PORT_H

#include "net/key_gate.h"

/* Its ctx is a struct key_gate, whose engine is a struct kmip. */
extern const struct protocol kmip_protocol;

#endif
