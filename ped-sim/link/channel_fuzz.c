/*
 * A stream from the other side, cut into frames and taken: before the hello,
 * and behind a good one (where the first octet is odd), when nothing that was
 * not sealed may come out.
 */
#include <stdlib.h>
#include <string.h>

#include "link/channel.h"

static enum err
fixed_random(void *ctx, uint8_t *out, size_t octets)
{
	(void)ctx;
	memset(out, 0x11, octets);
	return OK;
}

static void
say_hello(struct env *env, struct channel *to, struct buf *room)
{
	struct channel *card = NULL;
	struct bytes message;
	struct buf wire;

	buf_init(&wire, 64);
	if (channel_new(env, CHANNEL_CARD, &card) != OK ||
	    channel_hello(card, &wire) != OK ||
	    channel_take(to, buf_peek(&wire), room, &message) != OK)
		abort();
	channel_free(card);
	buf_clear(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct channel *ch = NULL;
	struct env *env = NULL;
	struct bytes head;
	struct bytes message;
	struct buf room;
	size_t frame;

	if (bytes_split(&in, 1, &head) != OK)
		return 0;
	buf_init(&room, CHANNEL_FRAME_MOST_OCTETS);
	if (env_new(&env) != OK)
		abort();
	env_set_random(env, fixed_random, NULL);
	if (channel_new(env, CHANNEL_PED, &ch) != OK)
		abort();
	if ((head.at[0] & 1) != 0)
		say_hello(env, ch, &room);
	while (channel_frame(in, &frame) == OK && frame != 0) {
		if (bytes_split(&in, frame, &head) != OK)
			abort();
		if (channel_take(ch, head, &room, &message) == OK &&
		    message.octets != 0)
			abort(); /* forged */
	}
	buf_clear(&room);
	channel_free(ch);
	env_free(env);
	return 0;
}
