/*
 * NAE-XML as connections speak it: a request after another, whose data comes in
 * pieces.
 *
 * The protocol's ctx is a struct key_gate whose engine is a struct nae.
 */
#ifndef NET_NAE_PORT_H
#define NET_NAE_PORT_H

#include "net/conn.h"

extern const struct protocol nae_protocol;

#endif
