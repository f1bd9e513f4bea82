/*
 * A card that says anything, and a hand that presses anything: no crash, no
 * leak, and a display of printable lines. An octet is the length of a message
 * that follows; or where its top bit is set a key (its low bits), or one of the
 * last ones: something else that happens.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ikey/ikey.h"
#include "link/channel.h"
#include "ped/ped.h"

enum { SLOT = 0xfe, UNPLUG = 0xff };

static char key_path[] = "/dev/shm/ped.XXXXXX";

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

/* An orange iKey without a PIN: the vector's one share. Made once, as that
 * takes its time; put anew each time. */
static void
put_key(struct env *env)
{
	static const uint8_t octets[IKEY_SECRET_OCTETS];
	static uint8_t image[IKEY_OCTETS];
	static int fd = -1;
	const struct ikey_imprint what = {
	    .colour = IKEY_ORANGE,
	    .m = 1,
	    .n = 1,
	    .index = 1,
	    .keyset = octets,
	    .share = {octets, sizeof(octets)},
	};
	struct ikey key;

	if (fd < 0) {
		fd = mkstemp(key_path);
		if (fd < 0 || ikey_blank(env, &key) != OK ||
		    ikey_imprint(env, &what, &key) != OK ||
		    ikey_write(&key, image) != OK)
			abort();
	}
	if (pwrite(fd, image, sizeof(image), 0) != sizeof(image))
		abort();
}

static void
happens(struct env *env, struct ped *ped, struct end *end,
    struct channel **card, uint8_t what)
{
	if (what == SLOT && ped_slot(ped) == NULL) {
		put_key(env);
		if (ped_insert(ped, key_path) != OK)
			abort();
	} else if (what == SLOT) {
		ped_remove(ped);
	} else if (what == UNPLUG) {
		ped_line_down(ped);
		channel_free(*card);
		greet(env, ped, end, card);
	} else {
		(void)ped_press(ped, (enum ped_key)(what % KEY_END));
	}
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
			happens(config.env, ped, &end, &card, what);
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
