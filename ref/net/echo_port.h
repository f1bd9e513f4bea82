/*
 * Each TTLV message answered with itself: what connections, TLS and the loop
 * cost without anything behind them.
 */
#ifndef NET_ECHO_PORT_H
#define NET_ECHO_PORT_H

#include "net/conn.h"

/* Needs no ctx. */
extern const struct protocol echo_protocol;

#endif
