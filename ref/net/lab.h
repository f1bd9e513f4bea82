/*
 * Laboratory mode: a control socket for tests, and virtual time.
 *
 * Exists only where the program was started with --lab, on a Unix socket that
 * only its owner can reach; no protocol under test leads here. A line is a
 * command, its answer is one line: "ok ..." or "error ...".
 *
 *	status            ok pid=N generation=N next=MS connections=N ...
 *	clock             time was moved: fire what is due; ok as status
 *	fault NAME VALUE  set a fault, e.g. "fault disk-full on"
 *	fault             ok, each fault as NAME=VALUE|VALUE...
 *	power cut SEED    lose what was not synced, as SEED says, and die
 *
 * "clock" is answered at the end of the turn in which no timer was due any
 * more: all that follows from the passing of time and does not wait for a
 * job is then done.
 */
#ifndef NET_LAB_H
#define NET_LAB_H

#include "base/buf.h"
#include "base/loop.h"

struct lab;

/* One thing that can be made to fail. */
struct lab_fault {
	const char *name;   /* "disk-full" */
	const char *values; /* "off|on": the first is the state at start */
	/* value is one of values; ctx is the row's own */
	enum err (*set)(void *ctx, const char *value);
	void *ctx;
};

struct lab_config {
	const char *path; /* of the socket; what is there is replaced */
	const struct lab_fault *faults;
	size_t fault_count;
	/* Forget unsynced writes, or tear them as the seed says. */
	void (*power_cut)(uint64_t seed);
	/* " connections=3 ...": what the program adds to status; may be NULL */
	enum err (*status)(void *ctx, struct buf *out);
	void *ctx;
};

/*
 * The config and all it points to are borrowed for good.
 *
 * ERR_SYSTEM  the socket cannot be made; the log says why
 */
enum err lab_new(struct loop *loop, struct env *env,
    const struct lab_config *config, struct lab **out) MUST_CHECK;
void lab_free(struct lab *lab); /* accepts NULL; removes the socket */

#endif
