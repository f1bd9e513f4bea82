/*
 * A PED that answers anything, local or remote, in each dialogue, and then
 * hangs up. What it says is sealed or is not; its iKeys, though made up, have
 * right MACs, and where it proves the remote PED vector it may be right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "card/dialogue.h"

enum { SAID_OCTETS = 1 << 14, IKEY_FIELDS = 6, SEALED = 14, BARE = 15 };

static struct env *env;
static struct wait_room *waits;
static struct secret *vector;
static char dir[] = "/dev/shm/fuzz.XXXXXX";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(bool so)
{
	if (!so)
		abort();
}

static enum err
fixed_random(void *ctx, uint8_t *out, size_t octets)
{
	(void)ctx;
	memset(out, 0x11, octets);
	return OK;
}

static void
set_up(void)
{
	must(mkdtemp(dir) != NULL && env_new(&env) == OK);
	env_set_random(env, fixed_random, NULL);
	must(wait_room_new(env, &waits) == OK);
	must(secret_new(IKEY_SECRET_OCTETS, &vector) == OK);
}

/* Octets, as many as there are. */
static struct bytes
take(struct bytes *in, size_t octets)
{
	struct bytes head = BYTES_NONE;

	if (octets > in->octets)
		octets = in->octets;
	must(bytes_split(in, octets, &head) == OK);
	return head;
}

static uint8_t
take_octet(struct bytes *in)
{
	struct bytes head = take(in, 1);

	return head.octets != 0 ? head.at[0] : 0;
}

static void
make_key(struct bytes *in, uint8_t image[IKEY_OCTETS])
{
	uint8_t fields[IKEY_FIELDS] = {0};
	struct bytes said = take(in, sizeof(fields));
	struct ikey key = {.colour = IKEY_BLANK};

	if (said.octets != 0)
		memcpy(fields, said.at, said.octets);
	key.colour = (enum ikey_colour)(fields[0] % (IKEY_ORANGE + 1));
	key.has_pin = (fields[1] & 1) != 0;
	key.serial[0] = fields[1] >> 1;
	key.m = fields[2];
	key.n = fields[3];
	key.index = fields[4];
	key.keyset[0] = fields[5];
	must(ikey_write(&key, image) == OK);
}

/* What is no message by itself: octets, sealed or not; else one of a PED. */
static void
say(struct channel *ped, struct bytes *in, struct buf *wire)
{
	const uint8_t what = take_octet(in) & 15;
	struct ped_message m = {.code = (enum ped_code)(PED_OK + what)};
	uint8_t image[IKEY_OCTETS];
	uint8_t proof[CHANNEL_PROOF_OCTETS];
	uint8_t digits[64];
	struct buf plain;
	size_t k;

	buf_init(&plain, SAID_OCTETS);
	if (what >= SEALED) {
		must(buf_put(&plain, take(in, take_octet(in))) == OK);
	} else if (ped_message_name(m.code) != NULL) {
		for (k = 0; m.code == PED_SHARE && k < sizeof(m.number); k++)
			m.number[k] = take_octet(in);
		m.octets = take(in, m.code == PED_KEY ? 0 : take_octet(in));
		if (m.code == PED_DIGITS) {
			m.octets.octets %= sizeof(digits);
			for (k = 0; k < m.octets.octets; k++)
				digits[k] = '0' + m.octets.at[k] % 10;
			m.octets.at = digits;
		}
		if (m.code == PED_KEY) {
			make_key(in, image);
			m.octets = (struct bytes){image, sizeof(image)};
		}
		if (m.code == PED_PROOF && m.octets.octets == 0) {
			must(channel_proof(ped, CHANNEL_PED, vector, proof) ==
			     OK);
			m.octets = (struct bytes){proof, sizeof(proof)};
		}
		must(ped_message_write(&m, &plain) == OK);
	}
	if (what == BARE)
		must(buf_put(wire, buf_peek(&plain)) == OK);
	else if (plain.octets != 0)
		must(channel_put(ped, buf_peek(&plain), wire) == OK);
	buf_clear(&plain);
}

/* Plug it in, and say all at once. */
static int
plug_in(struct port *port, const char *word, struct bytes in)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	uint8_t hello[128];
	struct channel *ped = NULL;
	struct buf wire, room;
	struct bytes none;
	ssize_t got;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	buf_init(&wire, 1 << 20);
	buf_init(&room, CHANNEL_FRAME_MOST_OCTETS);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/ped.sock", dir);
	must(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	must(send(fd, word, strlen(word), 0) == (ssize_t)strlen(word));
	(void)port_state(port); /* it lets him in */
	got = recv(fd, hello, sizeof(hello), MSG_DONTWAIT);
	must(got > 0 && channel_new(env, CHANNEL_PED, &ped) == OK);
	must(channel_take(
		 ped, (struct bytes){hello, (size_t)got}, &room, &none) == OK);
	must(channel_hello(ped, &wire) == OK);
	while (in.octets != 0 && wire.octets < SAID_OCTETS)
		say(ped, &in, &wire);
	must(send(fd, wire.at, wire.octets, MSG_DONTWAIT) > 0);
	must(shutdown(fd, SHUT_WR) == 0);
	channel_free(ped);
	buf_clear(&room);
	buf_clear(&wire);
	return fd;
}

static void
talk(struct port *port, unsigned what, enum port_which which)
{
	static const char challenge[CHALLENGE_ROOM] = "MxCT-c7F9-HHX5-YtH3";
	const enum title title = (enum title)(what % TITLE_END);
	struct dialogue *d = NULL;
	struct secret *secret = NULL;

	if (dialogue_new(env, port, which, vector, &d) != CARD_OK)
		return;
	if (what / TITLE_END % 3 == 2)
		(void)dialogue_challenge(d, challenge);
	else if (what / TITLE_END % 3 == 1)
		must((dialogue_imprint(d, title, vector, &secret) == CARD_OK) ==
		     (secret != NULL));
	else
		must((dialogue_login(d, title, &secret) == CARD_OK) ==
		     (secret != NULL));
	must(
	    secret == NULL || secret_peek(secret).octets == IKEY_SECRET_OCTETS);
	secret_free(secret);
	dialogue_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct port *port = NULL;
	uint8_t what;
	bool remote;
	int fd;

	if (env == NULL)
		set_up();
	what = take_octet(&in);
	remote = (what & 1) != 0;
	must(port_new(env, waits, dir, &port) == CARD_OK);
	fd = plug_in(port, remote ? "remote\n" : "local\n", in);
	talk(port, what >> 1, remote ? PORT_NEW_REMOTE : PORT_ANY);
	(void)port_state(port);
	close(fd);
	port_free(port);
	return 0;
}
