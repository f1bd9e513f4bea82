/*
 * For tests of the card: a PED and the person at it, who follows a script.
 *
 * Each step waits for a prompt that has its words in it, and does one thing;
 * what the PED does by itself (reading and writing the iKey in its slot) needs
 * none. A prompt that is not the script's next one, or no prompt where there is
 * a step left, is kept as a complaint for person_done().
 */
#ifndef CARD_PERSON_TEST_H
#define CARD_PERSON_TEST_H

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "card/rig_test.h"
#include "ikey/ikey.h"
#include "ikey/shamir.h"
#include "link/channel.h"
#include "link/message.h"

enum act {
	PRESS,  /* ENTER, with what is in the slot */
	INSERT, /* that iKey, then ENTER */
	REMOVE, /* take it out, then ENTER */
	TYPE,   /* digits, ENTER */
	YES,
	NO,
	CLEAR, /* give it up */
	LEAVE, /* give it up and leave remote mode */
	WAIT,  /* let so many ms pass, and then no answer comes */
	LATE,  /* let so many ms pass, then as INSERT, or as TYPE */
	BUSY,  /* another operation is tried meanwhile, in vain; then INSERT */
	CUT,   /* hang up */
};

struct step {
	const char *words; /* some that the prompt has; NULL: the end */
	enum act act;
	const char *digits;
	unsigned key;
	int64_t ms;
};

enum { PERSON_KEYS = 24 };

struct person {
	struct card_rig *rig;
	struct env *env; /* of the system: iKeys and channels are random */
	uint8_t keys[PERSON_KEYS][IKEY_OCTETS];
	int slot; /* -1: empty */

	/* One connection, and its thread. */
	pthread_t thread;
	int fd;
	bool running;
	const char *line; /* "local", "remote" */
	const struct step *next;
	char complaint[2048];
	char challenge[32]; /* that was shown last */
	char shown[1024];   /* the last prompt */
	unsigned prompts;
	struct channel *channel;
	struct secret *shares[IKEY_SHARES_MAX];
	uint8_t indices[IKEY_SHARES_MAX];
	unsigned count, m;
	bool owes; /* an answer to what the card gives up */
};

/* Not an iKey that was anything yet. */
static inline void
person_blank(struct person *p, unsigned k)
{
	struct ikey key;

	assert_int_equal(ikey_blank(p->env, &key), OK);
	assert_int_equal(ikey_write(&key, p->keys[k]), OK);
}

static inline struct ikey
person_key(const struct person *p, unsigned k)
{
	struct ikey key;

	assert_int_equal(
	    ikey_read((struct bytes){p->keys[k], IKEY_OCTETS}, &key), OK);
	return key;
}

static inline void
person_init(struct person *p, struct card_rig *rig)
{
	unsigned k;

	memset(p, 0, sizeof(*p));
	p->rig = rig;
	p->slot = -1;
	p->fd = -1;
	p->line = "local";
	assert_int_equal(env_new(&p->env), OK);
	for (k = 0; k < PERSON_KEYS; k++)
		person_blank(p, k);
}

/* One message, or two of them at once; the other may be NULL. */
static inline bool
person_send_both(struct person *p, const struct ped_message *one,
    const struct ped_message *other)
{
	const struct ped_message *both[] = {one, other};
	struct buf plain, wire;
	bool sent = true;
	size_t k;

	buf_init(&plain, 4096);
	buf_init(&wire, 16384);
	for (k = 0; k < LENGTH(both) && both[k] != NULL; k++) {
		buf_reset(&plain);
		sent = sent && ped_message_write(both[k], &plain) == OK &&
		       channel_put(p->channel, buf_peek(&plain), &wire) == OK;
	}
	sent = sent && send(p->fd, wire.at, wire.octets, MSG_NOSIGNAL) ==
			   (ssize_t)wire.octets;
	buf_clear(&plain);
	buf_clear(&wire);
	return sent;
}

static inline bool
person_send(struct person *p, const struct ped_message *m)
{
	return person_send_both(p, m, NULL);
}

static inline void
person_complain(struct person *p, const char *what, const char *prompt)
{
	if (p->complaint[0] == '\0')
		(void)snprintf(p->complaint, sizeof(p->complaint),
		    "%s: wanted \"%s\", prompt \"%s\"", what,
		    p->next->words != NULL ? p->next->words : "(the end)",
		    prompt);
}

/* The step for a prompt; NULL: it is not the script's. */
static inline const struct step *
person_step(struct person *p, struct bytes text)
{
	const char *secret = "Login secret value:\n";
	const char *at;

	p->prompts++;
	(void)snprintf(p->shown, sizeof(p->shown), "%.*s", (int)text.octets,
	    (const char *)text.at);
	at = strstr(p->shown, secret);
	if (at != NULL)
		(void)snprintf(p->challenge, sizeof(p->challenge), "%.*s",
		    CARD_CHALLENGE_OCTETS, at + strlen(secret));
	if (p->next->words == NULL ||
	    strstr(p->shown, p->next->words) == NULL) {
		person_complain(p, "unexpected", p->shown);
		return NULL;
	}
	return p->next++;
}

static inline void
person_pass(struct person *p, int64_t ms)
{
	card_rig_pass(p->rig, ms);
	(void)wait_settled(p->rig->waits);
}

static inline bool
person_say(struct person *p, enum ped_code code)
{
	return person_send(p, &(struct ped_message){.code = code});
}

/* false: hang up */
static inline bool
person_prompted(struct person *p, struct bytes text)
{
	const struct step *step = person_step(p, text);

	if (step == NULL)
		return false;
	switch (step->act) {
	case INSERT:
		p->slot = (int)step->key;
		return person_say(p, PED_OK);
	case REMOVE:
		p->slot = -1;
		return person_say(p, PED_OK);
	case LATE:
		person_pass(p, step->ms);
		p->slot = (int)step->key;
		return person_say(p, PED_OK);
	case BUSY:
		if (card_activate(p->rig->card) != CARD_PED_BUSY)
			person_complain(p, "not busy", p->shown);
		p->slot = (int)step->key;
		return person_say(p, PED_OK);
	case PRESS:
		return person_say(p, PED_OK);
	case TYPE:
		return person_send(
		    p, &(struct ped_message){.code = PED_DIGITS,
			   .octets = bytes_of_text(step->digits)});
	case YES:
		return person_say(p, PED_YES);
	case NO:
		return person_say(p, PED_NO);
	case CLEAR:
		return person_say(p, PED_CLEARED);
	case LEAVE:
		return person_send_both(p,
		    &(struct ped_message){.code = PED_CLEARED},
		    &(struct ped_message){.code = PED_LEAVING});
	case WAIT:
		p->owes = true;
		person_pass(p, step->ms);
		return true;
	case CUT:
		break;
	}
	return false;
}

static inline bool
person_key_write(struct person *p, struct bytes image)
{
	if (p->slot < 0)
		return person_say(p, PED_NO_KEY);
	memcpy(p->keys[p->slot], image.at, IKEY_OCTETS);
	return person_say(p, PED_OK);
}

static inline bool
person_rpv_read(struct person *p, struct bytes text)
{
	struct ped_message m = {.code = PED_SHARE};
	const struct step *step = NULL;
	struct ikey key;

	if (p->slot < 0)
		return person_say(p, PED_NO_KEY);
	if (ikey_read((struct bytes){p->keys[p->slot], IKEY_OCTETS}, &key) !=
		OK ||
	    key.colour != IKEY_ORANGE)
		return person_say(p, PED_FAILED);
	if (key.has_pin) {
		step = person_step(p, text);
		if (step == NULL)
			return false;
		if (step->act == WAIT) {
			p->owes = true;
			person_pass(p, step->ms);
			return true;
		}
		if (step->act == LATE)
			person_pass(p, step->ms);
	}
	if (ikey_open(&key,
		step != NULL ? bytes_of_text(step->digits) : BYTES_NONE,
		&p->shares[p->count]) != OK)
		return false;
	p->indices[p->count++] = key.index;
	p->m = key.m;
	m.number[0] = key.m;
	m.number[1] = key.n;
	m.number[2] = key.index;
	m.octets = (struct bytes){key.keyset, sizeof(key.keyset)};
	return person_send(p, &m);
}

static inline bool
person_rpv_confirm(struct person *p, struct bytes theirs)
{
	uint8_t want[CHANNEL_PROOF_OCTETS], ours[CHANNEL_PROOF_OCTETS];
	struct ped_message m = {
	    .code = PED_PROOF, .octets = {ours, sizeof(ours)}};
	struct secret *vector = NULL;
	bool right =
	    shamir_join(p->shares, p->indices, p->count, &vector) == OK &&
	    channel_proof(p->channel, CHANNEL_CARD, vector, want) == OK &&
	    channel_proof(p->channel, CHANNEL_PED, vector, ours) == OK &&
	    secret_equal_bytes(theirs, (struct bytes){want, sizeof(want)});

	secret_free(vector);
	while (p->count != 0)
		secret_free(p->shares[--p->count]);
	return right ? person_send(p, &m) : person_say(p, PED_FAILED);
}

static inline bool
person_hear(struct person *p, struct bytes octets)
{
	struct ped_message m;

	if (ped_message_read(octets, &m) != OK)
		return false;
	if (p->owes && !person_say(p, PED_CLEARED))
		return false;
	p->owes = false;
	switch ((int)m.code) {
	case PED_IDLE:
	case PED_SHOW:
		return true;
	case PED_KEY_READ:
		if (p->slot < 0)
			return person_say(p, PED_NO_KEY);
		return person_send(
		    p, &(struct ped_message){.code = PED_KEY,
			   .octets = {p->keys[p->slot], IKEY_OCTETS}});
	case PED_KEY_WRITE:
		return person_key_write(p, m.octets);
	case PED_RPV_READ:
		return person_rpv_read(p, m.text);
	case PED_RPV_CONFIRM:
		return person_rpv_confirm(p, m.octets);
	default:
		return person_prompted(p, m.text);
	}
}

static inline void *
person_run(void *ctx)
{
	struct person *p = ctx;
	struct buf in, room;
	struct bytes message;
	uint8_t *tail;
	size_t octets;
	ssize_t got;
	bool on = true;

	p->owes = false;
	buf_init(&in, 65536);
	buf_init(&room, 65536);
	while (on) {
		if (channel_frame(buf_peek(&in), &octets) != OK)
			break;
		if (octets == 0) {
			if (buf_reserve(&in, 4096, &tail) != OK)
				break;
			got = recv(p->fd, tail, 4096, 0);
			if (got <= 0)
				break;
			buf_added(&in, (size_t)got);
			continue;
		}
		if (channel_take(p->channel, (struct bytes){in.at, octets},
			&room, &message) != OK)
			break;
		buf_drop(&in, octets);
		on = message.octets == 0 || person_hear(p, message);
	}
	(void)shutdown(p->fd, SHUT_RDWR);
	while (p->count != 0)
		secret_free(p->shares[--p->count]);
	buf_clear(&in);
	buf_clear(&room);
	return NULL;
}

/* Plug in, and follow the script from now on. */
static inline void
person_begin(struct person *p, const struct step *script)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct buf hello;
	char path[300];

	p->next = script;
	p->complaint[0] = '\0';
	p->prompts = 0;
	if (p->running)
		return;
	assert_in_range(
	    snprintf(path, sizeof(path), "%s/ped.sock", p->rig->dir), 1,
	    sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, path, strlen(path));
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(channel_new(p->env, CHANNEL_PED, &p->channel), OK);
	buf_init(&hello, 4096);
	assert_int_equal(buf_printf(&hello, "%s\n", p->line), OK);
	assert_int_equal(channel_hello(p->channel, &hello), OK);
	assert_int_equal(send(p->fd, hello.at, hello.octets, MSG_NOSIGNAL),
	    (ssize_t)hello.octets);
	buf_clear(&hello);
	assert_int_equal(pthread_create(&p->thread, NULL, person_run, p), 0);
	p->running = true;
}

/* Pull the plug. */
static inline void
person_end(struct person *p)
{
	if (!p->running)
		return;
	(void)shutdown(p->fd, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->fd);
	channel_free(p->channel);
	p->channel = NULL;
	p->running = false;
}

/* All of the script was followed, and nothing else was asked. */
static inline void
person_done(struct person *p)
{
	if (p->complaint[0] != '\0')
		fail_msg("%s", p->complaint);
	if (p->next->words != NULL)
		fail_msg("never asked for \"%s\"; last: \"%s\"", p->next->words,
		    p->shown);
}

static inline void
person_clear(struct person *p)
{
	person_end(p);
	env_free(p->env);
}

#endif
