#include "base/log.h"
#include "kmip/op.h"

/*
 * A tester tells where a test begins and ends.
 *
 * spec: kmip-2.1 6.1.26
 */
enum err
op_interop(struct request *rq, const struct item *in, struct item *out)
{
	struct bytes id = item_octets(in, TAG_INTEROP_IDENTIFIER);
	int64_t function = item_number(in, TAG_INTEROP_FUNCTION, 0);

	(void)rq;
	(void)out;
	log_line("kmip", LOG_DEBUG, "interop %s %.*s",
	    function == INTEROP_FUNCTION_BEGIN ? "begin" : "end",
	    (int)id.octets, (const char *)id.at);
	return OK;
}
