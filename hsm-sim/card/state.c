#include "card/state.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum {
	MAGIC_OCTETS = 8,
	HEAD_OCTETS = MAGIC_OCTETS + 2 + 2 + 4,
	OLDEST_READER = 1,
	FILE_MOST_OCTETS = 128 * 1024,
};

static const char file_name[] = "card.nv";
static const char magic[] = "TSCARD1\n";

/*
 * One walk over the fields serves both directions, so that what is written is
 * what is read. The first failure stays, and ends it.
 */
struct walk {
	struct buf *out; /* NULL: reading */
	struct bytes in;
	enum err rc;
};

static void
walk_octets(struct walk *w, void *field, size_t octets)
{
	struct bytes part;

	if (w->rc != OK)
		return;
	if (w->out != NULL) {
		w->rc = buf_put(w->out, (struct bytes){field, octets});
		return;
	}
	w->rc = bytes_split(&w->in, octets, &part);
	if (w->rc == OK && octets != 0)
		memcpy(field, part.at, octets);
}

/* Its NUL is not written, and is there already when it is read. */
static void
walk_text(struct walk *w, char *field, size_t room_octets)
{
	walk_octets(w, field, room_octets - 1);
	if (w->rc == OK && w->out == NULL)
		field[room_octets - 1] = '\0';
}

static void
walk_bool(struct walk *w, bool *field)
{
	uint8_t octet = *field ? 1 : 0;

	walk_octets(w, &octet, 1);
	if (w->rc == OK && octet > 1)
		w->rc = ERR_VALUE;
	*field = octet == 1;
}

static void
walk_u32(struct walk *w, uint32_t *field)
{
	uint8_t octets[4];

	bytes_put_u32(octets, *field);
	walk_octets(w, octets, sizeof(octets));
	*field = bytes_u32(octets);
}

static void
walk_time(struct walk *w, int64_t *field)
{
	uint8_t octets[8];

	bytes_put_u64(octets, (uint64_t)*field);
	walk_octets(w, octets, sizeof(octets));
	*field = (int64_t)((uint64_t)bytes_u32(octets) << 32 |
			   bytes_u32(octets + 4));
}

static void
walk_lock(struct walk *w, struct lock *lock)
{
	walk_bool(w, &lock->set);
	walk_u32(w, &lock->rounds);
	walk_octets(w, lock->salt, sizeof(lock->salt));
	walk_octets(w, lock->wrapped, sizeof(lock->wrapped));
}

static void
walk_role(struct walk *w, struct state_role *role)
{
	walk_lock(w, &role->lock);
	walk_bool(w, &role->expired);
	walk_octets(w, &role->failures, 1);
	walk_time(w, &role->failed_ms);
}

static void
walk_partition(struct walk *w, struct state_partition *p)
{
	size_t k;

	walk_bool(w, &p->present);
	walk_bool(w, &p->initialized);
	walk_text(w, p->label, sizeof(p->label));
	walk_text(w, p->serial, sizeof(p->serial));
	walk_text(w, p->uuid, sizeof(p->uuid));
	walk_text(w, p->token, sizeof(p->token));
	walk_lock(w, &p->domain);
	walk_lock(w, &p->challenge);
	for (k = CARD_SO; k < STATE_ROLES; k++)
		walk_role(w, &p->roles[k]);
	walk_octets(w, p->policies, sizeof(p->policies));
}

static void
walk_state(struct walk *w, struct state *s)
{
	size_t k;

	walk_octets(w, &s->model, 1);
	walk_text(w, s->serial, sizeof(s->serial));
	walk_text(w, s->label, sizeof(s->label));
	walk_bool(w, &s->initialized);
	walk_bool(w, &s->zeroized);
	walk_bool(w, &s->tampered);
	walk_bool(w, &s->battery_out);
	walk_octets(w, s->key, sizeof(s->key));
	walk_role(w, &s->so);
	walk_lock(w, &s->domain);
	walk_bool(w, &s->has_rpv);
	walk_octets(w, s->rpv, sizeof(s->rpv));
	walk_u32(w, &s->slots);
	if (w->rc == OK && (s->slots > CARD_SLOTS_MAX || s->model > CARD_LUNA7))
		w->rc = ERR_VALUE;
	for (k = 0; w->rc == OK && k < s->slots; k++)
		walk_partition(w, &s->partitions[k]);
}

enum err
state_write(const struct state *state, struct buf *out)
{
	struct walk w = {.out = out};
	size_t start = out->octets;
	uint8_t head[HEAD_OCTETS];
	uint8_t check[SEAL_CHECK_OCTETS];
	struct bytes all;
	enum err rc = OK;

	memcpy(head, magic, MAGIC_OCTETS);
	bytes_put_u16(head + 8, STATE_VERSION);
	bytes_put_u16(head + 10, OLDEST_READER);
	bytes_put_u32(head + 12, 0);
	TRY(buf_put(out, (struct bytes){head, sizeof(head)}));
	/* Writing, the walk only reads. */
	walk_state(&w, (struct state *)(uintptr_t)state);
	TRY(w.rc);
	bytes_put_u32(out->at + start + 12,
	    (uint32_t)(out->octets - start - HEAD_OCTETS));
	all = (struct bytes){out->at + start, out->octets - start};
	TRY(seal_check(all, check));
	TRY(buf_put(out, (struct bytes){check, sizeof(check)}));
out:
	return rc;
}

enum err
state_read(struct bytes in, struct state *out)
{
	struct walk w = {.in = in};
	uint8_t want[SEAL_CHECK_OCTETS];
	struct bytes head, body, check;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	TRY(bytes_split(&w.in, HEAD_OCTETS, &head));
	if (memcmp(head.at, magic, MAGIC_OCTETS) != 0 ||
	    bytes_u16(head.at + 10) > STATE_VERSION)
		TRY(ERR_VERSION);
	TRY(bytes_split(&w.in, bytes_u32(head.at + 12), &body));
	TRY(bytes_split(&w.in, SEAL_CHECK_OCTETS, &check));
	if (w.in.octets != 0)
		TRY(ERR_TRAILING);
	TRY(seal_check(
	    (struct bytes){in.at, in.octets - SEAL_CHECK_OCTETS}, want));
	if (!bytes_equal(check, (struct bytes){want, sizeof(want)}))
		TRY(ERR_SEAL);
	w.in = body;
	walk_state(&w, out);
	TRY(w.rc);
	if (w.in.octets != 0)
		TRY(ERR_TRAILING);
out:
	return rc;
}

enum err
state_load(int dir_fd, struct state *out)
{
	struct buf file;
	enum err rc = OK;

	buf_init(&file, FILE_MOST_OCTETS);
	TRY(file_get(dir_fd, file_name, &file));
	rc = state_read(buf_peek(&file), out);
	if (rc != OK)
		log_line("card", LOG_ERROR, "%s: %s", file_name, err_text(rc));
out:
	buf_clear(&file);
	return rc;
}

enum err
state_save(int dir_fd, const struct state *state, struct steps *steps)
{
	struct buf file;
	enum err rc = OK;

	buf_init(&file, FILE_MOST_OCTETS);
	TRY(state_write(state, &file));
	TRY(file_put(dir_fd, file_name, buf_peek(&file), steps));
out:
	buf_clear(&file);
	return rc;
}
