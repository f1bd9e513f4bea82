/*
 * A card that says anything, and a hand that presses anything: no crash, no
 * leak, and a display of printable lines. An octet is a key (its low bits)
 * where its top bit is set, else the length of a message that follows.
 */
#include <stdlib.h>
#include <string.h>

#include "link/channel.h"
#include "ped/ped.h"

struct end {
	struct buf sent;
	bool is_dropped;
};

static void
end_nothing(void *ctx)
{
	(void)ctx;
}

static void
end_line(void *ctx, enum ped_line line)
{
	(void)ctx;
	(void)line;
}

static void
end_drop(void *ctx)
{
	struct end *end = ctx;

	end->is_dropped = true;
}

static void
end_send(void *ctx, struct bytes octets)
{
	struct end *end = ctx;

	if (buf_put(&end->sent, octets) != OK)
		abort();
}

static void
greet(struct env *env, struct ped *ped, struct end *end, struct channel **card)
{
	struct bytes none;
	struct buf room;
	struct buf hello;

	buf_init(&room, CHANNEL_FRAME_MOST_OCTETS);
	buf_init(&hello, 64);
	buf_reset(&end->sent);
	ped_line_up(ped);
	if (channel_new(env, CHANNEL_CARD, card) != OK ||
	    channel_take(*card, buf_peek(&end->sent), &room, &none) != OK ||
	    channel_hello(*card, &hello) != OK)
		abort();
	ped_line_octets(ped, buf_peek(&hello));
	buf_clear(&hello);
	buf_clear(&room);
}

static void
look(const struct ped *ped)
{
	const struct display *d = ped_display(ped);
	unsigned k;
	const char *c;

	for (k = 0; k < DISPLAY_LINES; k++)
		for (c = d->lines[k]; *c != '\0'; c++)
			if (*c < ' ' || *c > '~')
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct end end = {.is_dropped = false};
	struct ped_config config = {
	    .shown = end_nothing,
	    .line = end_line,
	    .drop = end_drop,
	    .send = end_send,
	    .ctx = &end,
	};
	struct channel *card = NULL;
	struct ped *ped = NULL;
	struct bytes head;
	struct buf wire;

	buf_init(&end.sent, 1 << 22);
	buf_init(&wire, 1 << 16);
	if (env_new(&config.env) != OK ||
	    loop_new(config.env, &config.loop) != OK ||
	    ped_new(&config, &ped) != OK)
		abort();
	ped_power_on(ped);
	greet(config.env, ped, &end, &card);
	while (!end.is_dropped && bytes_split(&in, 1, &head) == OK) {
		const uint8_t what = head.at[0];

		if ((what & 0x80) != 0) {
			(void)ped_press(ped, (enum ped_key)(what % KEY_END));
		} else if (what != 0 && bytes_split(&in, what, &head) == OK) {
			buf_reset(&wire);
			if (channel_put(card, head, &wire) != OK)
				abort();
			ped_line_octets(ped, buf_peek(&wire));
		}
		look(ped);
	}
	ped_free(ped);
	channel_free(card);
	buf_clear(&end.sent);
	buf_clear(&wire);
	loop_free(config.loop);
	env_free(config.env);
	return 0;
}
