/*
 * The laboratory's lines to a card, two of them: each has an answer, or is none
 * of the card's; and what they did is undone by three that do.
 */
#include <stdlib.h>
#include <string.h>

#include "card/engine.h"

static struct card *card;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
set_up(void)
{
	static char dir[] = "/dev/shm/card.XXXXXX";
	struct card_config config = {
	    .dir = dir,
	    .softhsm_module = "/usr/lib/softhsm/libsofthsm2.so",
	    .model = CARD_K6,
	    .slots = 1,
	    .kdf_rounds = 2,
	    .lab = true,
	};

	must(mkdtemp(dir) != NULL && env_new(&config.env) == OK);
	must(wait_room_new(config.env, &config.waits) == OK);
	must(card_new(&config, &card) == CARD_OK);
}

/* The answer, a line; "": it is none of the card's. */
static void
say(const char *line, char *answer, size_t room)
{
	struct buf out;
	enum err rc;

	buf_init(&out, 4096);
	rc = card_lab_command(card, line, &out);
	must(rc == OK || rc == ERR_NOT_FOUND);
	must((rc == OK) == (out.octets != 0));
	must(out.octets < room);
	if (out.octets != 0)
		memcpy(answer, out.at, out.octets);
	answer[out.octets] = '\0';
	buf_clear(&out);
	card->steps.left = 0; /* this power does not fail */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static const char *const undo[] = {
	    "fault clear", "tamper clear", "battery replace", "ped plug"};
	char answer[4097];
	char lines[512];
	char *second;
	size_t k;

	if (card == NULL)
		set_up();
	if (octets >= sizeof(lines))
		return 0;
	if (octets != 0)
		memcpy(lines, data, octets);
	lines[octets] = '\0';
	second = strchr(lines, '\n');
	if (second != NULL)
		*second++ = '\0';
	say(lines, answer, sizeof(answer));
	if (second != NULL)
		say(second, answer, sizeof(answer));
	for (k = 0; k < sizeof(undo) / sizeof(undo[0]); k++) {
		say(undo[k], answer, sizeof(answer));
		must(strcmp(answer, "ok") == 0);
	}
	return 0;
}
