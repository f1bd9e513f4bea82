/*
 * Answers: an element, and data elements behind it. What handlers use of this
 * is in request.h; here is what the dispatcher does with it.
 *
 * Source: protocol note sections 2.1, 2.3 and 2.8
 */
#ifndef NAE_ANSWER_H
#define NAE_ANSWER_H

#include "nae/request.h"

/* Room for a chunk, and for what comes between it and the next: the end of an
 * element, and a Size. It is taken at once, and no more of it. */
enum { ANSWER_CHUNK_OCTETS = NAE_CHUNK_OCTETS + 64 };

/* NAMEResponse, ID and Success: what an answer to rq begins with. */
enum err answer_begin(struct nae_request *rq) MUST_CHECK;

/* All of it anew: a refusal, and no data. */
enum err answer_refuse(struct nae_request *rq, enum nae_error why) MUST_CHECK;

/* The end of the element; what is short comes to stand behind it. */
enum err answer_end(struct nae_request *rq) MUST_CHECK;

/* Nothing of it is left: wiped. */
void answer_forget(struct nae_request *rq);
void answer_clear(struct nae_request *rq); /* memory too */

#endif
