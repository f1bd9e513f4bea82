/*
 * Private to this folder: the laboratory's faults (vfs.h), for disk.c. Without
 * a laboratory there are none.
 */
#ifndef STORE_FAULT_H
#define STORE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Is there one? What could be lost has to be remembered then. */
bool fault_lab(void);

/* Before each write, truncation, sync, and change of a name: the power may go
 * now. */
void fault_maybe_cut(void);
bool fault_fails(void);
bool fault_full(uint64_t octets);

/* Called in the moment of the cut, to lose what is not durable: all of it, or
 * what fault_random says. */
typedef void fault_lose_fn(bool all);
void fault_at_cut(fault_lose_fn *lose);
uint64_t fault_random(void);

#endif
