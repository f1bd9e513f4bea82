/*
 * An operation of the server: its row of op.def.
 */
#ifndef KMIP_OP_H
#define KMIP_OP_H

#include "kmip/request.h"

enum op_flag {
	OP_WRITES = 1 << 0,   /* may change the store: in a savepoint */
	OP_EXPLAINS = 1 << 1, /* a refusal's payload tells what led to it */
	OP_KEYS = 1 << 2,     /* makes, hands out or manages objects: not
				 while the HSM is logged out or gone */
	OP_VALUES = 1 << 3,   /* seals or opens their values */
	OP_CONFIG = 1 << 4,   /* makes or deletes objects: where the key server
				 allows it */
};

/* What the Activity Log has of it; see kmip/activity.h. */
enum op_tell { TELL_NOTHING, TELL_OBJECT, TELL_MADE };

struct op {
	uint32_t code; /* OPERATION_... */
	/* in: the checked payload; out: the answer's, empty so far. An error
	 * leaves nothing changed; its detail is in rq->fault, and in out
	 * where OP_EXPLAINS. */
	enum err (*run)(
	    struct request *rq, const struct item *in, struct item *out);
	/* Say what a worker has to do before run, on the loop. An error, or
	 * no job, leaves it to run to tell. */
	enum err (*prepare)(
	    struct request *rq, const struct item *in, struct slow **job);
	enum op_tell tell;
	unsigned flags;
	const char *clause; /* "kmip-1.4 4.1, kmip-2.1 6.1.8" */
};

/* NULL when this server does not have the operation, or the version not. */
const struct op *op_find(uint32_t code, enum version v);

/* The rows in order, for Query and for statistics: NULL behind the last. */
const struct op *op_row(size_t row);

enum {
	OP_COUNT = 0
#define OP(...) +1
#include "kmip/op.def"
#undef OP
};

#define OP(symbol, run, ...)                                    \
	enum err run(struct request *rq, const struct item *in, \
	    struct item *out) MUST_CHECK;
#include "kmip/op.def"
#undef OP
enum err op_create_key_pair_prepare(
    struct request *rq, const struct item *in, struct slow **job) MUST_CHECK;

#endif
