/*
 * Events of clients, written into a log of their own.
 *
 *	[<date>] INFO <ip> [<common name>] <user> <request id> <message>
 *
 * A field without data is a dash. What is not printable is escaped, so that no
 * client can write lines of others; a long message is several lines.
 *
 * Source: protocol note sections 1.5 and 2.10; guide chapters 18 and 20
 */
#include "nae/request.h"
#include "nae/text.h"
#include "store/record.h"

#define EVENT_LOG "client"

enum {
	EVENT_OCTETS = 64 << 10,
	/* of a message in a line: each octet may take four */
	LINE_OCTETS = 1024,
	HEAD_OCTETS = 4096, /* the fields before it, escaped */
};

static enum err
escape(struct buf *out, struct bytes text)
{
	bool is_utf8 = bytes_is_utf8(text);
	size_t k;
	enum err rc = OK;

	for (k = 0; k < text.octets; k++) {
		uint8_t c = text.at[k];

		if (c == '\\')
			TRY(buf_put_text(out, "\\\\"));
		else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8))
			TRY(buf_printf(out, "\\x%02X", c));
		else
			TRY(buf_put(out, (struct bytes){&c, 1}));
	}
out:
	return rc;
}

static enum err
put_field(
    struct buf *out, const char *before, struct bytes text, const char *after)
{
	enum err rc = OK;

	TRY(buf_put_text(out, before));
	if (text.octets == 0)
		TRY(buf_put_text(out, "-"));
	TRY(escape(out, text));
	TRY(buf_put_text(out, after));
out:
	return rc;
}

static enum err
put_head(const struct nae_request *rq, struct buf *out)
{
	char date[CLOCK_TEXT_OCTETS];
	enum err rc = OK;

	clock_text(rq->config->appliance->clock, rq->now_s, date);
	TRY(buf_printf(out, "[%s] INFO ", date));
	TRY(put_field(out, "", rq->door->address, " "));
	TRY(put_field(out, "[", rq->door->common_name, "] "));
	TRY(put_field(out, "", bytes_of_text(rq->user->name), " "));
	TRY(put_field(out, "", rq->id, " "));
out:
	return rc;
}

/* As much of the message as a line takes, and no half of a character. */
static struct bytes
next_part(struct bytes *message)
{
	size_t octets = message->octets;
	struct bytes part;

	if (octets > LINE_OCTETS) {
		octets = LINE_OCTETS;
		while (octets > LINE_OCTETS - 4 &&
		       (message->at[octets] & 0xc0) == 0x80)
			octets--;
	}
	part = (struct bytes){message->at, octets};
	message->at += octets;
	message->octets -= octets;
	return part;
}

static enum err
write_lines(struct nae_request *rq, struct bytes message)
{
	struct appliance *appliance = rq->config->appliance;
	size_t head_octets;
	struct buf line;
	enum err rc = OK;

	buf_init(&line, HEAD_OCTETS + 4 * LINE_OCTETS);
	TRY(put_head(rq, &line));
	head_octets = line.octets;
	do {
		line.octets = head_octets;
		TRY(escape(&line, next_part(&message)));
		TRY(store_log_add(appliance->store, EVENT_LOG,
		    env_wall_ms(appliance->env), buf_peek(&line)));
	} while (message.octets != 0);
out:
	buf_clear(&line);
	return rc;
}

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

/* req: KS-20-005 */
enum err
nae_record_event(struct nae_request *rq)
{
	struct bytes text = element_text(rq->root, EL_MESSAGE);
	struct bytes message;
	enum err rc = OK;

	rc = base64_read_all(rq->arena, text, &message);
	if (rc == ERR_VALUE || message.octets > EVENT_OCTETS)
		return nae_refuse_element(rq, NAE_VALUE, EL_MESSAGE);
	TRY(rc);
	TRY(check_size(rq, text, message));
	TRY(write_lines(rq, message));
out:
	return rc;
}
