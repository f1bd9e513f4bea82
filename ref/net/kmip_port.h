/*
 * KMIP over a connection: frames for the dispatcher of kmip/.
 */
#ifndef NET_KMIP_PORT_H
#define NET_KMIP_PORT_H

#include "net/conn.h"

/* Its ctx is a struct kmip, borrowed for as long as connections speak it. */
extern const struct protocol kmip_protocol;

#endif
