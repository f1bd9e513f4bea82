/*
 * The PED as the card sees it: what it asks for is shown, and answered by a
 * key, or by the slot.
 *
 * Each ask gets one answer, in turn. Where the card gives one up (it says that
 * the operation is over, or asks for something else), that one is answered
 * with PED_CLEARED first, so that both sides count alike.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ped/device.h"

/* ---- answers ---- */

static enum err
send_message(struct ped *ped, const struct ped_message *m)
{
	struct buf plain;
	struct buf wire;
	enum err rc = OK;

	buf_init(&plain, CHANNEL_FRAME_MOST_OCTETS);
	buf_init(&wire, CHANNEL_FRAME_MOST_OCTETS + 2);
	TRY(ped_message_write(m, &plain));
	TRY(channel_put(ped->channel, buf_peek(&plain), &wire));
	ped->config->send(ped->config->ctx, buf_peek(&wire));
out:
	buf_clear(&plain);
	buf_clear(&wire);
	return rc;
}

static enum err
answer(struct ped *ped, enum ped_code code)
{
	return send_message(ped, &(struct ped_message){.code = code});
}

/* The person has answered: until the card says more, there is nothing to do */
static enum err
answered(struct ped *ped, const struct ped_message *m)
{
	enum err rc = OK;

	assert(ped->ask.is_open);
	ped->ask.is_open = false;
	TRY(send_message(ped, m));
	ped_go(ped, AT_WAIT);
out:
	return rc;
}

enum err
ped_do_answer_enter(struct ped *ped)
{
	return answered(ped, &(struct ped_message){.code = PED_OK});
}

enum err
ped_do_answer_yes(struct ped *ped)
{
	return answered(ped, &(struct ped_message){.code = PED_YES});
}

enum err
ped_do_answer_no(struct ped *ped)
{
	return answered(ped, &(struct ped_message){.code = PED_NO});
}

enum err
ped_do_answer_pin(struct ped *ped)
{
	return answered(ped, &(struct ped_message){
				 .code = PED_DIGITS, .octets = ped_entry(ped)});
}

struct bytes
ped_ask_prefilled(const struct ask *ask)
{
	struct bytes text = buf_peek(&ask->text);
	size_t k;

	if (text.octets < NUMBER_DIGITS)
		return BYTES_NONE;
	text.at += text.octets - NUMBER_DIGITS;
	text.octets = NUMBER_DIGITS;
	for (k = 0; k < NUMBER_DIGITS; k++)
		if (text.at[k] < '0' || text.at[k] > '9')
			return BYTES_NONE;
	return text;
}

/*
 * A number outside is not taken: it is asked for again.
 *
 * req: KS-05-043 KS-05-044
 */
enum err
ped_do_answer_number(struct ped *ped)
{
	struct bytes digits = ped_entry(ped);
	uint8_t said[NUMBER_DIGITS + 1];
	unsigned value = 0;
	size_t k;

	if (digits.octets == 0)
		digits = ped_ask_prefilled(&ped->ask);
	for (k = 0; k < digits.octets; k++)
		value = value * 10 + (digits.at[k] - (unsigned)'0');
	if (digits.octets == 0 || value < ped->ask.least ||
	    value > ped->ask.most) {
		ped_go(ped, AT_ASK_NUMBER);
		return OK;
	}
	said[0] = (uint8_t)('0' + value / 10);
	said[1] = (uint8_t)('0' + value % 10);
	return answered(ped, &(struct ped_message){.code = PED_DIGITS,
				 .octets = {said, NUMBER_DIGITS}});
}

/* ---- the remote PED vector ---- */

static void
vector_forget(struct vector *v)
{
	while (v->count != 0)
		secret_free(v->shares[--v->count]);
	memset(v, 0, sizeof(*v));
}

/* Shares of another split, or of none so far: begin anew. Takes the share. */
static void
vector_add(struct vector *v, const struct ikey *key, struct secret *share)
{
	unsigned k = 0;

	if (v->count != 0 && (v->m != key->m || memcmp(v->keyset, key->keyset,
						    sizeof(v->keyset)) != 0))
		vector_forget(v);
	while (k < v->count && v->indices[k] != key->index)
		k++;
	if (k < v->count)
		secret_free(v->shares[k]);
	else
		v->count++;
	v->m = key->m;
	memcpy(v->keyset, key->keyset, sizeof(v->keyset));
	v->indices[k] = key->index;
	v->shares[k] = share;
}

static enum err
share_opened(struct ped *ped, const struct ikey *key, struct bytes pin,
    struct ped_message *m)
{
	struct secret *share = NULL;
	enum err rc = OK;

	TRY(ikey_open(key, pin, &share));
	vector_add(&ped->vector, key, share);
	*m = (struct ped_message){
	    .code = PED_SHARE,
	    .number = {key->m, key->n, key->index},
	    .octets = {key->keyset, sizeof(key->keyset)},
	};
out:
	return rc;
}

enum err
ped_do_answer_rpv(struct ped *ped)
{
	/* its place is wiped where it begins the vector anew */
	const struct ikey key = ped->vector.waiting;
	struct ped_message m;
	enum err rc = OK;

	TRY(share_opened(ped, &key, ped_entry(ped), &m));
	TRY(answered(ped, &m));
out:
	return rc;
}

/* The proof of the card's that it was given, and ours; false: it is wrong. */
static enum err
prove(struct ped *ped, struct bytes theirs, uint8_t ours[CHANNEL_PROOF_OCTETS],
    bool *is_proved)
{
	const struct vector *v = &ped->vector;
	struct secret *whole = NULL;
	uint8_t wanted[CHANNEL_PROOF_OCTETS];
	enum err rc = OK;

	*is_proved = false;
	if (v->count == 0 || v->count < v->m)
		goto out;
	TRY(shamir_join(v->shares, v->indices, v->m, &whole));
	TRY(channel_proof(ped->channel, CHANNEL_CARD, whole, wanted));
	if (!secret_equal_bytes(theirs, (struct bytes){wanted, sizeof(wanted)}))
		goto out;
	TRY(channel_proof(ped->channel, CHANNEL_PED, whole, ours));
	*is_proved = true;
out:
	secret_free(whole);
	return rc;
}

/* ---- what the card says ---- */

/* Its states are the last ones of state.def. */
static bool
is_asked(const struct ped *ped)
{
	return ped->state >= AT_WAIT;
}

/* Not every ask that follows shows something: nobody is to answer this one. */
static enum err
give_up(struct ped *ped)
{
	if (!ped->ask.is_open)
		return OK;
	ped->ask.is_open = false;
	ped_go(ped, AT_WAIT);
	return answer(ped, PED_CLEARED);
}

static enum err
show(struct ped *ped, const struct ped_message *m, enum state state)
{
	const struct bytes title = ped_title(m->text);
	const bool is_new =
	    !bytes_equal(title, ped_title(buf_peek(&ped->ask.text)));
	enum err rc = OK;

	/* titles are no secret; what is only shown may be one */
	if (is_new && state != AT_SHOW)
		ped_log(ped, "%.*s", (int)title.octets,
		    title.octets != 0 ? (const char *)title.at : "");
	buf_reset(&ped->ask.text);
	TRY(buf_put(&ped->ask.text, m->text));
	ped->ask.is_open = state != AT_SHOW;
	ped->ask.least = m->number[0];
	ped->ask.most = m->number[1];
	ped_go(ped, state);
out:
	return rc;
}

/* req: KS-01-030 */
static enum err
hear_idle(struct ped *ped, const struct ped_message *m)
{
	(void)m;
	vector_forget(&ped->vector); /* its card has no use for it any more */
	buf_reset(&ped->ask.text);
	if (is_asked(ped))
		ped_go_home(ped);
	return OK;
}

static enum err
hear_show(struct ped *ped, const struct ped_message *m)
{
	return show(ped, m, AT_SHOW);
}

static enum err
hear_enter(struct ped *ped, const struct ped_message *m)
{
	return show(ped, m, AT_ASK_ENTER);
}

static enum err
hear_yes_no(struct ped *ped, const struct ped_message *m)
{
	return show(ped, m, AT_ASK_YES_NO);
}

static enum err
hear_number(struct ped *ped, const struct ped_message *m)
{
	return show(ped, m, AT_ASK_NUMBER);
}

static enum err
hear_pin(struct ped *ped, const struct ped_message *m)
{
	return show(ped, m, AT_ASK_PIN);
}

/* req: KS-01-047 */
static enum err
hear_key_read(struct ped *ped, const struct ped_message *m)
{
	struct buf octets;
	enum err rc = OK;

	(void)m;
	buf_init(&octets, IKEY_OCTETS + 1);
	if (usb_read_octets(&ped->slot, &octets) != OK)
		TRY(answer(ped, PED_NO_KEY));
	else
		TRY(send_message(ped, &(struct ped_message){.code = PED_KEY,
					  .octets = buf_peek(&octets)}));
out:
	buf_clear(&octets);
	return rc;
}

static enum err
hear_key_write(struct ped *ped, const struct ped_message *m)
{
	struct ikey key;
	enum err rc;

	if (usb_is_empty(&ped->slot))
		return answer(ped, PED_NO_KEY);
	rc = ikey_read(m->octets, &key);
	if (rc == OK)
		rc = usb_write(&ped->slot, &key);
	if (rc == OK)
		ped_log(
		    ped, "PED Key written: %s", ikey_colour_name(key.colour));
	return answer(ped, rc == OK ? PED_OK : PED_FAILED);
}

static enum err
hear_rpv_read(struct ped *ped, const struct ped_message *m)
{
	struct ped_message share;
	struct ikey key;
	enum err rc = usb_read(&ped->slot, &key);

	if (rc == ERR_NOT_FOUND)
		return answer(ped, PED_NO_KEY);
	if (rc != OK || key.colour != IKEY_ORANGE)
		return answer(ped, PED_FAILED);
	if (key.has_pin) {
		ped->vector.waiting = key;
		return show(ped, m, AT_ASK_RPV);
	}
	TRY(share_opened(ped, &key, BYTES_NONE, &share));
	TRY(send_message(ped, &share));
out:
	return rc;
}

static enum err
hear_rpv_confirm(struct ped *ped, const struct ped_message *m)
{
	uint8_t proof[CHANNEL_PROOF_OCTETS];
	bool is_proved;
	enum err rc = OK;

	TRY(prove(ped, m->octets, proof, &is_proved));
	vector_forget(&ped->vector);
	ped_log(ped, "Remote PED session %s",
	    ped_text(is_proved ? TEXT_PASSED : TEXT_FAILED));
	if (!is_proved)
		return answer(ped, PED_FAILED);
	ped->is_trusted = true;
	ped_redraw(ped);
	TRY(send_message(ped, &(struct ped_message){.code = PED_PROOF,
				  .octets = {proof, sizeof(proof)}}));
out:
	return rc;
}

/*
 * Who has not proved the vector yet may be anybody between: he gets no digits
 * and no iKey, and can write none.
 */
static const struct {
	enum ped_code code;
	bool is_open_to_all;
	enum err (*hear)(struct ped *ped, const struct ped_message *m);
} asks[] = {
    {PED_IDLE, true, hear_idle},
    {PED_SHOW, true, hear_show},
    {PED_ENTER, true, hear_enter},
    {PED_YES_NO, false, hear_yes_no},
    {PED_NUMBER, false, hear_number},
    {PED_PIN, false, hear_pin},
    {PED_KEY_READ, false, hear_key_read},
    {PED_KEY_WRITE, false, hear_key_write},
    {PED_RPV_READ, true, hear_rpv_read},
    {PED_RPV_CONFIRM, true, hear_rpv_confirm},
};

static enum err
hear(struct ped *ped, struct bytes octets)
{
	struct ped_message m;
	size_t k = 0;
	enum err rc = OK;

	TRY(ped_message_read(octets, &m));
	while (k < sizeof(asks) / sizeof(asks[0]) && asks[k].code != m.code)
		k++;
	if (k == sizeof(asks) / sizeof(asks[0]))
		TRY(ERR_UNEXPECTED);
	if (!asks[k].is_open_to_all && ped->line == PED_LINE_REMOTE &&
	    !ped->is_trusted)
		TRY(ERR_DENIED);
	TRY(give_up(ped));
	TRY(asks[k].hear(ped, &m));
out:
	return rc;
}

/* ---- the cable ---- */

void
ped_ask_hang_up(struct ped *ped)
{
	channel_free(ped->channel);
	ped->channel = NULL;
	ped->is_trusted = false;
	ped->ask.is_open = false;
	vector_forget(&ped->vector);
	buf_reset(&ped->in);
	buf_reset(&ped->room);
	buf_reset(&ped->ask.text);
}

void
ped_ask_give_up(struct ped *ped)
{
	if (ped->channel != NULL && give_up(ped) != OK) {
		ped->config->drop(ped->config->ctx);
		ped_ask_hang_up(ped);
	}
}

void
ped_ask_leave(struct ped *ped)
{
	ped_ask_give_up(ped);
	if (ped_is_linked(ped))
		/* hanging up says the same */
		(void)!send_message(
		    ped, &(struct ped_message){.code = PED_LEAVING});
}

void
ped_line_down(struct ped *ped)
{
	if (ped->is_trusted)
		ped_log(ped, "Remote PED session over");
	ped_ask_hang_up(ped);
	if (is_asked(ped))
		ped_go_home(ped);
	else
		ped_redraw(ped);
}

static void
break_off(struct ped *ped, enum err why)
{
	ped_log(ped, "Link error: %s", err_name(why));
	ped->config->drop(ped->config->ctx);
	ped_line_down(ped);
}

/* Our hello goes out; what there was of a channel is gone. */
static enum err
begin(struct ped *ped)
{
	struct buf wire;
	enum err rc = OK;

	buf_init(&wire, CHANNEL_FRAME_MOST_OCTETS);
	channel_free(ped->channel);
	ped->channel = NULL;
	TRY(channel_new(ped->config->env, CHANNEL_PED, &ped->channel));
	TRY(channel_hello(ped->channel, &wire));
	ped->config->send(ped->config->ctx, buf_peek(&wire));
out:
	buf_clear(&wire);
	return rc;
}

void
ped_line_up(struct ped *ped)
{
	enum err rc;

	ped_ask_hang_up(ped);
	rc = begin(ped);
	if (rc != OK)
		break_off(ped, rc);
}

/*
 * The card begins anew, where a relay kept the connection: so do we, and what
 * went on before is over.
 */
static enum err
begin_anew(struct ped *ped)
{
	ped->is_trusted = false;
	ped->ask.is_open = false;
	vector_forget(&ped->vector);
	if (is_asked(ped))
		ped_go_home(ped);
	return begin(ped);
}

/* The first frame, if it is whole; *octets 0: it is not. */
static enum err
take_frame(struct ped *ped, size_t *octets)
{
	struct bytes frame;
	struct bytes message;
	enum err rc = OK;

	TRY(channel_frame(buf_peek(&ped->in), octets));
	if (*octets == 0)
		return OK;
	frame = (struct bytes){ped->in.at, *octets};
	if (ped_is_linked(ped) && channel_is_hello(frame, CHANNEL_CARD))
		TRY(begin_anew(ped));
	TRY(channel_take(ped->channel, frame, &ped->room, &message));
	buf_drop(&ped->in, *octets);
	if (message.octets != 0)
		TRY(hear(ped, message));
	else
		ped_redraw(ped);
	buf_reset(&ped->room);
out:
	return rc;
}

void
ped_line_octets(struct ped *ped, struct bytes octets)
{
	size_t frame = 1;
	enum err rc = OK;

	if (ped->channel == NULL)
		return;
	TRY(buf_put(&ped->in, octets));
	while (frame != 0)
		TRY(take_frame(ped, &frame));
out:
	if (rc != OK)
		break_off(ped, rc);
}
