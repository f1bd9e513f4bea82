/*
 * The time as a target has it: the machine's, or a laboratory's.
 *
 * A laboratory's clock stands still until somebody moves it. It is a file of 64
 * octets in host byte order, mapped by every process of an appliance and
 * written by harness/labctl alone; who reads it loads each field whole.
 */
#ifndef TOUCHSTONE_CLOCK_H
#define TOUCHSTONE_CLOCK_H

#include "err.h"

#include <stdint.h>

#define CLOCK_MAGIC "TSCLOCK1"

struct clock_file {
	char magic[8];
	int64_t elapsed_ms;     /* since it was made */
	int64_t wall_offset_ms; /* wall time, since 1970: elapsed and this */
	int64_t hsm_ms;         /* the HSM card's own, since 1970 */
	uint64_t generation;    /* one more with each change */
	int64_t reserved[3];
};

/*
 * path  a laboratory's clock; NULL: this machine's
 * out   NULL for the machine's; else clock_close's
 *
 * ERR_OPEN    there is no such file, or it cannot be mapped
 * ERR_SYNTAX  it is not a clock
 */
enum err clock_open(const char *path, const struct clock_file **out,
    struct fault *f) MUST_CHECK;
void clock_close(const struct clock_file *clock); /* accepts NULL */

/* Seconds since 1970. */
int64_t clock_now(const struct clock_file *clock);

#endif
