/*
 * The parts of `touchstone load`: the words it takes and what it prints
 * (load.c), threads and connections (load_run.c), requests and the checking of
 * answers (load_mix.c).
 *
 * An unchecked answer is not a request: every one is held against what was
 * asked, down to the key's octets.
 */
#ifndef TOUCHSTONE_LOAD_H
#define TOUCHSTONE_LOAD_H

#include "buf.h"
#include "err.h"
#include "hist.h"
#include "target.h"

#include <pthread.h>

/* --- what is asked -------------------------------------------------------- */

/* LOAD_OP(code, word, what it does) */
#define LOAD_OPS                                                          \
	LOAD_OP(GET, "get", "fetch a key, and compare its octets")        \
	LOAD_OP(CREATE, "create", "make an AES-128 key with a name")      \
	LOAD_OP(REGISTER, "register", "store an AES-256 key with a name") \
	LOAD_OP(LOCATE, "locate", "find the one key of a name")

enum load_op {
#define LOAD_OP(code, word, text) OP_##code,
	LOAD_OPS
#undef LOAD_OP
	    OP_COUNT
};

const char *load_op_word(enum load_op op);

/* How a request ended. */
enum load_class {
	CLASS_SUCCESS,
	CLASS_REFUSED, /* the server's Result Reason says why */
	CLASS_WRONG,   /* an answer, but not to what was asked */
	CLASS_CLOSED,  /* the connection broke, or was refused */
	CLASS_TIMEOUT, /* no answer within the target's answer-timeout-ms */
	CLASS_LATE,    /* due, and not answered when the time was over */
	CLASS_COUNT,
};

const char *load_class_word(enum load_class c);

/* The highest Result Reason that is told apart. */
enum { REASON_MAX = 0x100 };

/* Key octets of what is registered. */
enum { LOAD_KEY_OCTETS = 32 };

/* Seeded, and the same on every machine: splitmix64. */
static inline uint64_t
load_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/*
 * Objects and requests. Shared by all threads: objects are written only while
 * they are made, each by the one thread that makes it.
 */
struct mix;

enum pick { PICK_UNIFORM, PICK_ZIPF };

struct mix_plan {
	unsigned version;
	uint64_t seed;
	const char *username, *password; /* NULL: none */
	unsigned weight[OP_COUNT];
	size_t objects; /* that get and locate choose from */
	enum pick pick;
};

enum err mix_new(const struct mix_plan *plan, struct mix **out) MUST_CHECK;
void mix_free(struct mix *m);

/*
 * Keep the population for later runs, and use it again: its objects are as
 * many as the plan's.
 *
 * ERR_OPEN, ERR_READ, ERR_WRITE  errno's text is in `f`
 * ERR_SYNTAX, ERR_RANGE  no population, or of fewer objects
 */
enum err
mix_save(const struct mix *m, const char *path, struct fault *f) MUST_CHECK;
enum err mix_load(struct mix *m, const char *path, struct fault *f) MUST_CHECK;

/* One request under way. */
struct flight {
	enum load_op op;
	uint64_t subject; /* the object, or the number of a new one */
	uint64_t due_ns;
};

/* Draw the next request of a thread. `serial` counts its new objects. */
void mix_draw(
    const struct mix *m, uint64_t *random, uint64_t *serial, struct flight *f);

/* The n-th object of the population, to be registered. */
void mix_populate(uint64_t n, struct flight *f);

/* The request's octets, behind what `out` holds. */
void mix_write(const struct mix *m, const struct flight *f, struct buf *out);

/*
 * Judge the whole answer to a request.
 *
 * reason  of CLASS_REFUSED
 */
enum load_class mix_judge(struct mix *m, const struct flight *f,
    struct bytes answer, uint32_t *reason);

/* --- how it is asked ------------------------------------------------------ */

enum handshake { HANDSHAKE_NONE, HANDSHAKE_FULL, HANDSHAKE_RESUME };

struct load_plan {
	const struct target *target;
	const struct identity *identity;
	struct mix *mix;
	unsigned connections, threads, depth;
	double rate;  /* requests a second; 0: a closed loop */
	bool poisson; /* gaps of an open loop are drawn, not equal */
	enum handshake handshake;
	double seconds;   /* of measuring */
	uint64_t count;   /* or so many requests; 0: by time */
	uint64_t warm_up; /* requests before, cut off */
	bool populating;  /* requests are mix_populate(0 ... count - 1) */
	uint64_t seed;
	int server_pid; /* whose CPU time is read; 0: nobody's */
};

enum { LOAD_SECONDS_MAX = 3600 };

struct load_tally {
	struct hist all[OP_COUNT]; /* every class, late ones too */
	struct hist by_class[OP_COUNT][CLASS_COUNT];
	uint64_t reason[OP_COUNT][REASON_MAX];
};

struct load_result {
	struct load_tally *tally;
	struct hist *lag;  /* how late due requests left, in an open loop */
	double seconds;    /* measured */
	uint64_t answered; /* by the server, whatever it said */
	uint64_t resumed, connected;
	double client_cpus;          /* of the busiest thread, of one core */
	double client_us, server_us; /* CPU time for each answered request */
	uint64_t second[LOAD_SECONDS_MAX]; /* answered in each */
	struct fault why; /* the first that went wrong with a connection */
};

/*
 * Run it.
 *
 * ERR_CONNECT, ERR_HANDSHAKE, ERR_OPEN  there is no talking to the target
 * ERR_NOT_FOUND  no such server process
 */
enum err load_run(const struct load_plan *plan, struct load_result **out,
    struct fault *f) MUST_CHECK;
void load_result_free(struct load_result *r);

#endif
