/*
 * Laboratory mode: a control socket for tests, and virtual time.
 *
 * Exists only where the program was started with --lab, on a Unix socket that
 * only its owner can reach; no protocol under test leads here. A line is a
 * command, its answer is one line: "ok ..." or "error ...".
 *
 *	status             ok pid=N elapsed=MS next=MS|none [firm=MS|none] ...,
 *	                   and the program's own words. firm is there where
 *	                   next is a patient timer's (base/loop.h), and is the
 *	                   first that is not
 *	clock              time was moved: do what is due; answered as status
 *	fault              ok, each fault as NAME=VALUE
 *	fault NAME VALUE   set it, e.g. "fault disk-full on"
 *	await WORDS        answered as status, as soon as that has WORDS in it
 *	turns              ok longest_us=N: processor time of the loop's longest
 *	                   turn since this was last asked
 *	power drop         die, and lose what was not synced
 *	power tear SEED N  the same, but of what was not synced some sectors
 *	                   reach the disk, as the seed says; just before the
 *	                   Nth write from now, 0: at once
 *
 * and what else the program takes.
 *
 * "clock" is answered when no timer is due any more, no job is under way and
 * no thread of the wait_room busy: all that follows from the passing of time
 * is then done. What is under way is waited for LAB_PATIENCE_MS of real time,
 * once: a card that hangs does not stop time.
 */
#ifndef BASE_LAB_H
#define BASE_LAB_H

#include "base/buf.h"
#include "base/env.h"
#include "base/loop.h"
#include "base/wait.h"

struct lab;

enum {
	LAB_LINE_OCTETS = 256,
	LAB_PEERS_MAX = 16,
	LAB_FAULTS_MAX = 16,
	LAB_PATIENCE_MS = 500,
};

/* One thing that can be made to fail; at most LAB_FAULTS_MAX of them. */
struct lab_fault {
	const char *name;   /* "disk-full" */
	const char *values; /* "off|on": the first is the state at start */
	/* value is the position of one of them */
	enum err (*set)(void *ctx, unsigned value);
};

struct lab_config {
	const char *path; /* of the socket; what is there is replaced */
	const struct lab_fault *faults;
	size_t fault_count;
	/* Does not return when nth is 0. */
	void (*power_off)(void *ctx, bool tear, uint64_t seed, unsigned nth);
	/* " connections=3 ...": what the program adds to status */
	enum err (*status)(void *ctx, struct buf *out);
	/*
	 * Lines of the program's own, of words or faults that are none here;
	 * NULL: there are none. Writes the whole answer, "ok ..." or "error
	 * ...", without waiting for anything. ERR_NOT_FOUND: no such line.
	 */
	enum err (*command)(void *ctx, const char *line, struct buf *out);
	/* Time was moved, maybe by nothing: before anything of it is done;
	 * NULL: there is nothing to do then. */
	void (*moved)(void *ctx);
	void *ctx;               /* of the five above */
	struct wait_room *waits; /* NULL: no threads wait for a time */
};

/*
 * The config and all it points to are borrowed for good.
 *
 * ERR_SYSTEM  the socket cannot be made; the log says why
 */
enum err lab_new(struct loop *loop, struct env *env,
    const struct lab_config *config, struct lab **out) MUST_CHECK;

/* Removes the socket; accepts NULL. */
void lab_free(struct lab *lab);

#endif
