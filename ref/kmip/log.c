#include "base/log.h"
#include "kmip/op.h"

/* spec: kmip-2.1 6.1.29 */
enum err
op_log(struct request *rq, const struct item *in, struct item *out)
{
	struct bytes text = item_octets(in, TAG_LOG_MESSAGE);

	(void)out;
	log_line("kmip", LOG_INFO, "%.*s logs: %.*s", (int)rq->identity.octets,
	    (const char *)rq->identity.at, (int)text.octets,
	    (const char *)text.at);
	return OK;
}
