/*
 * Events of clients, which the Client Event Log has.
 *
 * Source: protocol note sections 1.5 and 2.10; guide chapters 18, 20 and 21
 */
#include "nae/request.h"
#include "nae/text.h"

enum { EVENT_OCTETS = 64 << 10 };

/* MessageSize may count either, since no text says which. */
static enum err
check_size(struct nae_request *rq, struct bytes text, struct bytes message)
{
	uint64_t size;
	enum err rc = OK;

	if (element_find(rq->root, EL_MESSAGE_SIZE) == NULL)
		return OK;
	TRY(nae_number(rq, EL_MESSAGE_SIZE, 0, UINT32_MAX, &size));
	if (size != text.octets && size != message.octets)
		TRY(nae_refuse_element(rq, NAE_VALUE, EL_MESSAGE_SIZE));
out:
	return rc;
}

/* req: KS-20-005 KS-21-047 */
enum err
nae_record_event(struct nae_request *rq)
{
	struct bytes text = element_text(rq->root, EL_MESSAGE);
	struct bytes *message;
	enum err rc = OK;

	TRY(ARENA_NEW(rq->arena, message));
	rc = base64_read_all(rq->arena, text, message);
	if (rc == ERR_VALUE || message->octets > EVENT_OCTETS)
		return nae_refuse_element(rq, NAE_VALUE, EL_MESSAGE);
	TRY(rc);
	rq->state = message;
	TRY(check_size(rq, text, *message));
out:
	return rc;
}

/* req: KS-20-005 KS-21-046 */
void
nae_log_event(struct nae_request *rq, struct activity *line)
{
	const struct bytes *message = rq->state;

	activity_event(rq->config->appliance, line,
	    message != NULL ? *message : BYTES_NONE);
	activity_add(rq->config->appliance, line);
}
