/*
 * Custom attributes, as users and keys have them alike.
 *
 * Source: protocol note section 2.7
 */
#ifndef NAE_ATTRIBUTE_H
#define NAE_ATTRIBUTE_H

#include "nae/request.h"

struct nae_attribute {
	struct bytes name;
	struct bytes value; /* none: it is to be removed */
};

/*
 * Those of the CustomAttributeList directly in `parent`, none where there is no
 * list; borrowed from the header. A name is there; whether it is a good one is
 * for others to say.
 */
enum err
nae_attributes_read(struct nae_request *rq, const struct element *parent,
    struct nae_attribute **out, size_t *count) MUST_CHECK;

#endif
