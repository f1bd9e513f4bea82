#include "card/dialogue.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "card/rv.h"
#include "ikey/shamir.h"

enum { LINES_OCTETS = 512, SHARES_MOST = 16 };

enum text {
	TEXT_NOTHING,
#define TEXT(code, origin, text) code,
#include "card/text.def"
	TEXT_END
};

static const struct {
	enum ikey_colour colour;
	const char *text;
} titles[] = {
#define TITLE(code, colour, origin, text) [code] = {colour, text},
#include "card/text.def"
};

static const char *const inserts[] = {
#define INSERT(colour, origin, text) [colour] = text,
#include "card/text.def"
};

static const char *const texts[] = {
    [TEXT_NOTHING] = "",
#define TEXT(code, origin, text) [code] = text,
#include "card/text.def"
};

struct dialogue {
	struct env *env;
	struct port *port;
	enum title title;
	int64_t due_ms; /* of all of it; INT64_MAX: each prompt has its own */
};

/* What is on an iKey that is being made, and in which iKeys it is. */
struct keyset {
	unsigned m, n;
	uint8_t id[IKEY_KEYSET_OCTETS];
	struct secret *shares[SHARES_MOST];
	uint8_t serials[SHARES_MOST][IKEY_SERIAL_OCTETS];
	unsigned written;
};

/* ---- asking ---- */

/* The title, a note where the last try needs one, and the prompt. */
struct lines {
	char text[LINES_OCTETS];
};

/* A text of the table, filled in: its arguments are the row's matter. */
static void
lines_text(struct lines *lines, enum text text, ...)
{
	size_t used = strlen(lines->text);
	va_list args;

	lines->text[used++] = '\n';
	va_start(args, text);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)vsnprintf(
	    lines->text + used, sizeof(lines->text) - used, texts[text], args);
#pragma GCC diagnostic pop
	va_end(args);
}

static void
lines_begin(struct lines *lines, const struct dialogue *d, enum text note)
{
	memset(lines, 0, sizeof(*lines));
	(void)snprintf(
	    lines->text, sizeof(lines->text), "%s", titles[d->title].text);
	if (note != TEXT_NOTHING)
		lines_text(lines, note);
}

static void
lines_insert(struct lines *lines, const struct dialogue *d)
{
	size_t used = strlen(lines->text);

	(void)snprintf(lines->text + used, sizeof(lines->text) - used, "\n%s",
	    inserts[titles[d->title].colour]);
}

static enum card_rv
ask(struct dialogue *d, const struct ped_message *m, struct ped_message *answer)
{
	int64_t due_ms = env_elapsed_ms(d->env) + CARD_PED_MS;

	if (d->due_ms != INT64_MAX)
		due_ms = d->due_ms;
	return port_ask(d->port, m, due_ms, answer);
}

/* Of a kind, or the PED does not keep to what may be answered. */
static enum card_rv
ask_for(struct dialogue *d, enum ped_code code, const struct lines *lines,
    enum ped_code wanted, struct ped_message *answer)
{
	struct ped_message m = {
	    .code = code, .text = bytes_of_text(lines->text)};
	enum card_rv rc = CARD_OK;

	TRY(ask(d, &m, answer));
	if (answer->code != wanted)
		TRY(CARD_PED_LINK);
out:
	return rc;
}

static enum card_rv
ask_yes(struct dialogue *d, const struct lines *lines, bool *yes)
{
	struct ped_message m = {
	    .code = PED_YES_NO, .text = bytes_of_text(lines->text)};
	struct ped_message answer;
	enum card_rv rc = CARD_OK;

	TRY(ask(d, &m, &answer));
	if (answer.code != PED_YES && answer.code != PED_NO)
		TRY(CARD_PED_LINK);
	*yes = answer.code == PED_YES;
out:
	return rc;
}

static enum card_rv
ask_number(struct dialogue *d, enum text text, unsigned least, unsigned *out)
{
	struct ped_message m = {
	    .code = PED_NUMBER, .number = {(uint8_t)least, IKEY_SHARES_MAX}};
	struct ped_message answer;
	struct lines lines;
	unsigned value = 0;
	size_t k;
	enum card_rv rc = CARD_OK;

	lines_begin(&lines, d, TEXT_NOTHING);
	lines_text(&lines, text, least);
	m.text = bytes_of_text(lines.text);
	do {
		TRY(ask(d, &m, &answer));
		if (answer.code != PED_DIGITS || answer.octets.octets > 2)
			TRY(CARD_PED_LINK);
		value = answer.octets.octets == 0 ? least : 0;
		for (k = 0; k < answer.octets.octets; k++)
			value =
			    value * 10 + (unsigned)(answer.octets.at[k] - '0');
		/* req: KS-05-043, KS-05-046 */
	} while (value < least || value > IKEY_SHARES_MAX);
	*out = value;
out:
	return rc;
}

/* Digits, maybe none; the caller's. */
static enum card_rv
ask_pin(struct dialogue *d, enum text text, enum text note, struct secret **out)
{
	struct ped_message answer;
	struct lines lines;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	lines_begin(&lines, d, note);
	lines_text(&lines, text);
	TRY(ask_for(d, PED_PIN, &lines, PED_DIGITS, &answer));
	TRY(rv_of(secret_copy(answer.octets, out)));
out:
	return rc;
}

/* ---- iKeys ---- */

/*
 * Have an iKey inserted.
 *
 * share  its number and how many there are, where they matter; 0: not
 * note   what to say about the last one; written when this one is no better
 *
 * req: KS-05-021  no PIN before an iKey has been read
 */
static enum card_rv
insert(struct dialogue *d, enum text which, unsigned share, unsigned of,
    enum text *note, struct ikey *key)
{
	static const struct ped_message read = {.code = PED_KEY_READ};
	struct ped_message answer;
	struct lines lines;
	enum card_rv rc = CARD_OK;

	for (;;) {
		lines_begin(&lines, d, *note);
		if (of > 1)
			lines_text(&lines, which, share, of);
		lines_insert(&lines, d);
		TRY(ask_for(d, PED_ENTER, &lines, PED_OK, &answer));
		TRY(ask(d, &read, &answer));
		*note = TEXT_NOTHING;
		if (answer.code == PED_NO_KEY)
			*note = TEXT_NO_KEY;
		else if (answer.code != PED_KEY)
			TRY(CARD_PED_LINK);
		else if (ikey_read(answer.octets, key) != OK)
			*note = TEXT_UNREADABLE;
		if (*note == TEXT_NOTHING)
			break;
	}
out:
	return rc;
}

/*
 * req: KS-01-095  asked for on every presentation, once one was imposed
 *
 * An empty one is nothing delivered, and asked for again.
 */
static enum card_rv
open_key(struct dialogue *d, const struct ikey *key, struct secret **share)
{
	struct secret *pin = NULL;
	enum text note = TEXT_NOTHING;
	enum card_rv rc = CARD_OK;

	*share = NULL;
	do {
		secret_free(pin);
		pin = NULL;
		if (!key->has_pin)
			break;
		TRY(ask_pin(d, TEXT_PIN, note, &pin));
		note = TEXT_PIN_NONE;
	} while (secret_peek(pin).octets == 0);
	TRY(rv_of(ikey_open(
	    key, pin != NULL ? secret_peek(pin) : BYTES_NONE, share)));
out:
	secret_free(pin);
	return rc;
}

/* ---- reading a keyset ---- */

struct collection {
	unsigned m, count;
	uint8_t keyset[IKEY_KEYSET_OCTETS];
	uint8_t indices[SHARES_MOST];
	struct secret *shares[SHARES_MOST];
};

static void
collection_clear(struct collection *c)
{
	while (c->count != 0)
		secret_free(c->shares[--c->count]);
}

static bool
has_index(const struct collection *c, uint8_t index)
{
	return memchr(c->indices, index, c->count) != NULL;
}

/* What is wrong with it as the next one; TEXT_NOTHING: nothing. */
static enum text
unfit(const struct dialogue *d, const struct collection *c,
    const struct ikey *key)
{
	if (key->colour != titles[d->title].colour)
		return TEXT_OTHER_KIND;
	if (c->count == 0)
		return TEXT_NOTHING;
	if (memcmp(c->keyset, key->keyset, sizeof(c->keyset)) != 0)
		return TEXT_OTHER_SET;
	return has_index(c, key->index) ? TEXT_USED : TEXT_NOTHING;
}

/* req: KS-01-085  any M of the N iKeys, each once */
static enum card_rv
collect(struct dialogue *d, struct collection *c)
{
	enum text note = TEXT_NOTHING;
	struct ikey key;
	enum card_rv rc = CARD_OK;

	do {
		TRY(insert(d, TEXT_SHARE, c->count + 1, c->m, &note, &key));
		note = unfit(d, c, &key);
		if (note != TEXT_NOTHING)
			continue;
		TRY(open_key(d, &key, &c->shares[c->count]));
		c->m = key.m;
		memcpy(c->keyset, key.keyset, sizeof(c->keyset));
		c->indices[c->count++] = key.index;
	} while (c->count == 0 || c->count < c->m);
out:
	return rc;
}

/*
 * What counts is the secret, whichever iKey it is on.
 *
 * req: KS-01-038, KS-05-151, KS-05-157
 */
enum card_rv
dialogue_login(struct dialogue *d, enum title title, struct secret **secret)
{
	struct collection c = {.count = 0};
	enum card_rv rc = CARD_OK;

	*secret = NULL;
	d->title = title;
	TRY(collect(d, &c));
	TRY(rv_of(shamir_join(c.shares, c.indices, c.count, secret)));
out:
	collection_clear(&c);
	return rc;
}

/* ---- imprinting ---- */

/*
 * req: KS-01-093, KS-01-094  asked for whenever a secret is put on an iKey
 * req: KS-01-091  4 to 48 digits
 * req: KS-05-050  the same again, or both once more
 *
 * None at all is a choice too: see docs/decisions.md, KS-01-096.
 */
static enum card_rv
new_pin(struct dialogue *d, struct secret **out)
{
	struct secret *again = NULL;
	struct secret *pin = NULL;
	enum text note = TEXT_NOTHING;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	for (;;) {
		TRY(ask_pin(d, TEXT_NEW_PIN, note, &pin));
		if (!ikey_pin_is_valid(secret_peek(pin))) {
			note = TEXT_PIN_LENGTH;
		} else {
			TRY(ask_pin(d, TEXT_CONFIRM, TEXT_NOTHING, &again));
			if (secret_equal(pin, again))
				break;
			note = TEXT_PIN_DIFFERS;
		}
		secret_free(pin);
		secret_free(again);
		pin = again = NULL;
	}
	*out = pin;
	pin = NULL;
out:
	secret_free(pin);
	secret_free(again);
	return rc;
}

/* req: KS-05-148  not without a warning */
static enum card_rv
may_overwrite(struct dialogue *d, const struct ikey *key, bool *may)
{
	struct lines lines;

	*may = true;
	if (key->colour == IKEY_BLANK)
		return CARD_OK;
	lines_begin(&lines, d, TEXT_NOTHING);
	lines_text(&lines, TEXT_OVERWRITE, ikey_colour_name(key->colour));
	return ask_yes(d, &lines, may);
}

static bool
is_of_set(const struct keyset *set, const struct ikey *key)
{
	unsigned k;

	for (k = 0; k < set->written; k++) {
		if (memcmp(set->serials[k], key->serial, sizeof(key->serial)) ==
		    0)
			return true;
	}
	return false;
}

/* The iKey is in the slot still, or there is a note. */
static enum card_rv
write_key(struct dialogue *d, const struct ikey *key, enum text *note)
{
	uint8_t image[IKEY_OCTETS];
	struct ped_message m = {
	    .code = PED_KEY_WRITE, .octets = {image, sizeof(image)}};
	struct ped_message answer;
	enum card_rv rc = CARD_OK;

	TRY(rv_of(ikey_write(key, image)));
	TRY(ask(d, &m, &answer));
	if (answer.code == PED_NO_KEY)
		*note = TEXT_NO_KEY;
	else if (answer.code == PED_FAILED)
		*note = TEXT_UNWRITABLE;
	else if (answer.code != PED_OK)
		rc = CARD_PED_LINK;
out:
	secret_wipe(image, sizeof(image));
	return rc;
}

/* One share onto one iKey. */
static enum card_rv
imprint_one(
    struct dialogue *d, struct keyset *set, unsigned share, enum text which)
{
	struct ikey_imprint what = {
	    .colour = titles[d->title].colour,
	    .m = (uint8_t)set->m,
	    .n = (uint8_t)set->n,
	    .index = (uint8_t)share,
	    .keyset = set->id,
	    .share = secret_peek(set->shares[share - 1]),
	};
	struct secret *pin = NULL;
	enum text note = TEXT_NOTHING;
	struct ikey key;
	bool may;
	enum card_rv rc = CARD_OK;

	do {
		TRY(insert(d, which, share, set->n, &note, &key));
		if (is_of_set(set, &key)) {
			note = TEXT_USED;
			continue;
		}
		TRY(may_overwrite(d, &key, &may));
		if (!may) {
			note = TEXT_NOTHING;
			continue;
		}
		secret_free(pin);
		TRY(new_pin(d, &pin));
		what.pin = secret_peek(pin);
		TRY(rv_of(ikey_imprint(d->env, &what, &key)));
		note = TEXT_NOTHING;
		TRY(write_key(d, &key, &note));
		if (note == TEXT_NOTHING)
			break;
	} while (true);
	/* A duplicate may be overwritten by the next one; the first may not. */
	if (which == TEXT_SHARE)
		memcpy(set->serials[set->written++], key.serial,
		    sizeof(key.serial));
out:
	secret_free(pin);
	return rc;
}

/* Every share once. */
static enum card_rv
imprint_all(struct dialogue *d, struct keyset *set, enum text which)
{
	unsigned share;
	enum card_rv rc = CARD_OK;

	for (share = 1; share <= set->n; share++)
		TRY(imprint_one(d, set, share, which));
out:
	return rc;
}

/* req: KS-01-087, KS-05-130 */
static enum card_rv
duplicate(struct dialogue *d, struct keyset *set)
{
	struct lines lines;
	bool yes;
	enum card_rv rc = CARD_OK;

	lines_begin(&lines, d, TEXT_NOTHING);
	lines_text(&lines, TEXT_DUPLICATE);
	for (;;) {
		TRY(ask_yes(d, &lines, &yes));
		if (!yes)
			break;
		TRY(imprint_all(d, set, TEXT_COPY_SHARE));
	}
out:
	return rc;
}

/* req: KS-05-040  the order: M, N, iKey, PIN twice, duplicates */
static enum card_rv
imprint_fresh(struct dialogue *d, const struct secret *fresh)
{
	struct keyset set = {.written = 0};
	unsigned k;
	enum card_rv rc = CARD_OK;

	TRY(ask_number(d, TEXT_M, 1, &set.m));
	TRY(ask_number(d, TEXT_N, set.m, &set.n));
	TRY(rv_of(env_random(d->env, set.id, sizeof(set.id))));
	TRY(rv_of(shamir_split(d->env, fresh, set.m, set.n, set.shares)));
	TRY(imprint_all(d, &set, TEXT_SHARE));
	TRY(duplicate(d, &set));
out:
	for (k = 0; k < SHARES_MOST; k++)
		secret_free(set.shares[k]);
	return rc;
}

enum card_rv
dialogue_imprint(struct dialogue *d, enum title title,
    const struct secret *fresh, struct secret **secret)
{
	struct lines lines;
	bool reuse;
	enum card_rv rc = CARD_OK;

	*secret = NULL;
	d->title = title;
	lines_begin(&lines, d, TEXT_NOTHING);
	lines_text(&lines, TEXT_REUSE);
	TRY(ask_yes(d, &lines, &reuse));
	/* req: KS-01-084 */
	if (reuse)
		return dialogue_login(d, title, secret);
	TRY(imprint_fresh(d, fresh));
	TRY(rv_of(secret_copy(secret_peek(fresh), secret)));
out:
	return rc;
}

enum card_rv
dialogue_challenge(struct dialogue *d, const char challenge[CHALLENGE_ROOM])
{
	struct ped_message answer;
	struct lines lines;
	enum card_rv rc;

	lines_begin(&lines, d, TEXT_NOTHING);
	lines_text(&lines, TEXT_CHALLENGE, challenge);
	rc = ask_for(d, PED_ENTER, &lines, PED_OK, &answer);
	secret_wipe(&lines, sizeof(lines));
	return rc;
}

/* ---- the remote PED ---- */

/*
 * One share of the vector, which the PED keeps to itself; or a note.
 *
 * req: KS-05-156  from a duplicate as from the original
 */
static enum card_rv
vector_share(struct dialogue *d, struct collection *c, enum text *note)
{
	struct ped_message m = {.code = PED_RPV_READ};
	struct ped_message answer;
	struct lines lines;
	enum card_rv rc = CARD_OK;

	lines_begin(&lines, d, *note);
	if (c->m > 1)
		lines_text(&lines, TEXT_SHARE, c->count + 1, c->m);
	lines_insert(&lines, d);
	TRY(ask_for(d, PED_ENTER, &lines, PED_OK, &answer));
	lines_begin(&lines, d, TEXT_NOTHING);
	lines_text(&lines, TEXT_PIN);
	m.text = bytes_of_text(lines.text);
	TRY(ask(d, &m, &answer));
	*note = TEXT_NOTHING;
	if (answer.code == PED_NO_KEY) {
		*note = TEXT_NO_KEY;
	} else if (answer.code == PED_FAILED) {
		*note = TEXT_OTHER_KIND;
	} else if (answer.code != PED_SHARE ||
		   answer.octets.octets != sizeof(c->keyset) ||
		   answer.number[0] > SHARES_MOST) {
		rc = CARD_PED_LINK;
	} else {
		/* Of another split than before: it begins anew. */
		if (c->count != 0 &&
		    memcmp(c->keyset, answer.octets.at, sizeof(c->keyset)) != 0)
			c->count = 0;
		if (has_index(c, answer.number[2])) {
			*note = TEXT_USED;
		} else {
			c->m = answer.number[0];
			memcpy(c->keyset, answer.octets.at, sizeof(c->keyset));
			c->indices[c->count++] = answer.number[2];
		}
	}
out:
	return rc;
}

/* Both sides prove that they know it, the card first: it has nothing to lose.
 */
static enum card_rv
vector_confirm(struct dialogue *d, const struct secret *vector)
{
	uint8_t ours[CHANNEL_PROOF_OCTETS], theirs[CHANNEL_PROOF_OCTETS];
	struct ped_message m = {
	    .code = PED_RPV_CONFIRM, .octets = {ours, sizeof(ours)}};
	struct ped_message answer;
	enum card_rv rc = CARD_OK;

	TRY(port_proof(d->port, CHANNEL_CARD, vector, ours));
	TRY(port_proof(d->port, CHANNEL_PED, vector, theirs));
	TRY(ask(d, &m, &answer));
	if (answer.code == PED_FAILED)
		TRY(CARD_PIN_INCORRECT);
	if (answer.code != PED_PROOF)
		TRY(CARD_PED_LINK);
	if (!secret_equal_bytes(
		answer.octets, (struct bytes){theirs, sizeof(theirs)}))
		TRY(CARD_PIN_INCORRECT);
out:
	return rc;
}

/*
 * req: KS-01-079, KS-05-079, KS-05-080  the orange iKey, its PIN, connected
 * req: KS-05-082, KS-05-083  480 s for all of it
 * req: KS-05-153, KS-05-154  again after remote mode was left, before all else
 */
static enum card_rv
vouch(struct dialogue *d, const struct secret *vector)
{
	struct collection c = {.count = 0};
	enum text note = TEXT_NOTHING;
	enum card_rv rc = CARD_OK;

	d->title = TITLE_SESSION_KEY;
	d->due_ms = env_elapsed_ms(d->env) + CARD_RPV_MS;
	while (c.count == 0 || c.count < c.m)
		TRY(vector_share(d, &c, &note));
	TRY(vector_confirm(d, vector));
	port_vouch(d->port, true);
	d->due_ms = INT64_MAX;
out:
	return rc;
}

enum card_rv
dialogue_new(struct env *env, struct port *port, enum port_which which,
    const struct secret *vector, struct dialogue **out)
{
	struct dialogue *d = NULL;
	bool begun = false;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	TRY(rv_of(MEM_NEW(d)));
	d->env = env;
	d->port = port;
	d->due_ms = INT64_MAX;
	TRY(port_begin(port, which));
	begun = true;
	if (port_is_strange(port))
		TRY(vector != NULL ? vouch(d, vector) : CARD_NO_VECTOR);
	*out = d;
	d = NULL;
out:
	if (d != NULL && begun)
		port_end(port);
	mem_free(d);
	return rc;
}

void
dialogue_free(struct dialogue *d)
{
	if (d == NULL)
		return;
	port_end(d->port);
	mem_free(d);
}
