/*
 * Statistics: how much the device has to do.
 *
 * Whoever does something counts it with a plain increment, on the loop's
 * thread: connections and octets of the key servers in struct
 * statistics_counts, requests in tallies of its own that it lends
 * (statistics_lend). All else is made of these here, out of the way of
 * requests: once a second of elapsed time what the second brought is set beside
 * the most that one ever did, and every STATISTICS_SAMPLE_MS processors and
 * interfaces are asked.
 *
 *	total      since the device was started; a reset leaves it
 *	current    in this second, up to now; of what is sampled, the last
 *	           sample
 *	maximum    of seconds, or samples, since the start or the last reset
 *	average    of samples, likewise: their sum by their count
 *
 * Nothing of it is kept: a restart begins anew.
 *
 * req: KS-22-006 KS-22-007 KS-22-012 KS-22-016
 */
#ifndef DEVICE_STATISTICS_H
#define DEVICE_STATISTICS_H

#include "base/bytes.h"
#include "base/loop.h"

struct statistics;

enum {
	STATISTICS_SECOND_MS = 1000,
	STATISTICS_SAMPLE_MS = 3000, /* req: KS-22-009 */
	STATISTICS_CPUS_MOST = 256,
	STATISTICS_INTERFACES_MOST = 32,
	STATISTICS_NAME_OCTETS = 32,
};

enum connection_row {
#define CONNECTION(symbol, ...) symbol,
#define FLOW(...)
#define PROTOCOL(...)
#include "device/statistics.def"
#undef CONNECTION
#undef FLOW
#undef PROTOCOL
	CONNECTION_ROWS,
};

enum flow {
#define CONNECTION(...)
#define FLOW(symbol, ...) symbol,
#define PROTOCOL(...)
#include "device/statistics.def"
#undef CONNECTION
#undef FLOW
#undef PROTOCOL
	FLOWS,
};

enum statistics_protocol {
#define CONNECTION(...)
#define FLOW(...)
#define PROTOCOL(symbol, ...) symbol,
#include "device/statistics.def"
#undef CONNECTION
#undef FLOW
#undef PROTOCOL
	PROTOCOLS,
};

/* ---- for those who count ---- */

/* Of all key servers. Octets are those of messages, before TLS and after it. */
struct statistics_counts {
	uint64_t came[CONNECTION_ROWS];
	uint64_t gone[CONNECTION_ROWS]; /* of those that can stay */
	uint64_t octets[FLOWS];
};

/* Of an operation. */
struct statistics_tally {
	uint64_t successful;
	uint64_t failed;
};

/*
 * proc      folder in which the system tells of its processors and interfaces,
 *           "/proc"; borrowed
 * ethernet  which of them are the device's, "eth0 eth1"; "": all but the
 *           loopback; borrowed
 *
 * ERR_NOMEM
 */
enum err statistics_new(struct loop *loop, const char *proc,
    const char *ethernet, struct statistics **out) MUST_CHECK;
void statistics_free(struct statistics *s); /* accepts NULL */

/* Borrowed as long as it lives. */
struct statistics_counts *statistics_counts(struct statistics *s);

/*
 * The tallies of a protocol, borrowed until others are lent: the first is of
 * all requests. `name` is asked for those of rows.
 *
 * ERR_NOMEM
 */
typedef const char *statistics_name_fn(size_t row);
enum err statistics_lend(struct statistics *s, enum statistics_protocol which,
    const struct statistics_tally *tallies, size_t count,
    statistics_name_fn *name) MUST_CHECK;

/* They are gone. */
void statistics_take_back(struct statistics *s, enum statistics_protocol which);

/* Averages and maximums begin anew, and so does the sampling: docs/decisions.md
 * req: KS-22-004 */
void statistics_reset(struct statistics *s);

/* ---- for those who look ---- */

/* Milliseconds since the device was started. */
int64_t statistics_uptime_ms(struct statistics *s);

struct statistics_line {
	const char *word; /* "": it has none */
	const char *name;
	uint64_t current; /* a second */
	uint64_t maximum;
	uint64_t total;
	uint64_t open; /* of a row that stays */
	bool stays;
	struct statistics_tally tally; /* of requests; total is their sum */
};
typedef void statistics_line_fn(void *ctx, const struct statistics_line *line);
void statistics_each_connection(
    struct statistics *s, statistics_line_fn *each, void *ctx);
void statistics_each_request(struct statistics *s,
    enum statistics_protocol which, statistics_line_fn *each, void *ctx);
const char *statistics_protocol_name(enum statistics_protocol which);
const char *statistics_protocol_word(enum statistics_protocol which);

/*
 * Processors in the order of the system; how much of its time each was in use
 * in the last sample, in tenths of a percent. None before the first.
 */
size_t statistics_cpus(const struct statistics *s);
unsigned statistics_cpu_permille(const struct statistics *s, size_t cpu);

/* Octets in a second. */
struct statistics_rate {
	double current;
	double average;
	double maximum;
};

/* The first is the key server, the others are the Ethernet interfaces. */
size_t statistics_interfaces(const struct statistics *s);
const char *statistics_interface_name(const struct statistics *s, size_t k);
void statistics_rate(const struct statistics *s, size_t interface,
    enum flow flow, struct statistics_rate *out);
/* As they were at the last sample; the key server's, now. */
uint64_t
statistics_octets(const struct statistics *s, size_t interface, enum flow flow);
const char *flow_name(enum flow flow);
const char *flow_word(enum flow flow);

#endif
