#include "nae/answer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

enum {
	/* a chunk so short is copied behind what comes before it */
	SHORT_OCTETS = 4096,
};

/* ---- the element ---- */

static enum err
put_name(struct nae_request *rq, const char *before)
{
	struct buf *b = &rq->body;
	enum err rc = OK;

	TRY(buf_put_text(b, before));
	if (rq->name.octets != 0)
		TRY(buf_put(b, rq->name));
	else
		TRY(buf_put_text(b, "Error"));
	TRY(buf_put_text(b, "Response>"));
out:
	return rc;
}

static enum err
begin(struct nae_request *rq, bool success)
{
	enum err rc = OK;

	answer_forget(rq);
	TRY(put_name(rq, "<"));
	if (rq->id.octets != 0)
		TRY(element_put(&rq->body, EL_ID, rq->id));
	TRY(element_put_flag(&rq->body, EL_SUCCESS, success));
out:
	return rc;
}

enum err
answer_begin(struct nae_request *rq)
{
	return begin(rq, true);
}

/* An element's name takes the place of a text's %s. */
void
nae_error_text(
    enum nae_error why, const char *detail, char out[NAE_ERROR_TEXT_OCTETS])
{
	const char *text = nae_error_row(why)->text;

	if (why == NAE_MISSING || why == NAE_VALUE)
		(void)snprintf(out, NAE_ERROR_TEXT_OCTETS, "%.*s%s",
		    (int)strlen(text) - 2, text, detail);
	else
		(void)snprintf(out, NAE_ERROR_TEXT_OCTETS, "%s", text);
}

enum err
nae_put_error(const struct nae_request *rq, enum nae_error why, struct buf *out)
{
	const struct nae_error_row *row = nae_error_row(why);
	char text[NAE_ERROR_TEXT_OCTETS];
	enum err rc = OK;

	nae_error_text(why, rq->detail, text);
	TRY(element_put_flag(out, EL_FATAL_ERROR, row->fatal));
	TRY(element_put_number(out, EL_ERROR_ID, row->code));
	TRY(element_put_text(out, EL_ERROR_STRING, text));
out:
	return rc;
}

enum err
answer_refuse(struct nae_request *rq, enum nae_error why)
{
	enum err rc = OK;

	TRY(begin(rq, false));
	TRY(nae_put_error(rq, why, &rq->body));
	TRY(answer_end(rq));
out:
	return rc;
}

enum err
answer_end(struct nae_request *rq)
{
	enum err rc = OK;

	TRY(put_name(rq, "</"));
	TRY(buf_put(&rq->body, buf_peek(&rq->data)));
	buf_reset(&rq->data);
out:
	return rc;
}

static void
block_free(struct nae_block *block)
{
	buf_clear(&block->octets);
	mem_free(block);
}

/* Those behind `keep`, or all. */
static void
blocks_free(struct nae_request *rq, struct nae_block *keep)
{
	struct nae_block **at = keep != NULL ? &keep->next : &rq->blocks;

	while (*at != NULL) {
		struct nae_block *block = *at;

		*at = block->next;
		block_free(block);
	}
	rq->last_block = keep;
}

void
answer_forget(struct nae_request *rq)
{
	buf_reset(&rq->body);
	buf_reset(&rq->data);
	buf_reset(&rq->chunk);
	blocks_free(rq, NULL);
	rq->has_chunk = false;
}

void
answer_clear(struct nae_request *rq)
{
	answer_forget(rq);
	buf_clear(&rq->body);
	buf_clear(&rq->data);
	buf_clear(&rq->chunk);
}

/* ---- data elements ---- */

/* Where the next octets go that are not a chunk's. */
static struct buf *
tail_of(struct nae_request *rq)
{
	return rq->last_block != NULL ? &rq->last_block->octets : &rq->data;
}

/* The chunk becomes a block: moved, not copied. */
static enum err
chunk_to_block(struct nae_request *rq)
{
	struct nae_block *block;
	enum err rc = OK;

	TRY(MEM_NEW(block));
	block->octets = rq->chunk;
	block->octets.max_octets = rq->data.max_octets;
	buf_init(&rq->chunk, rq->chunk.max_octets);
	if (rq->last_block != NULL)
		rq->last_block->next = block;
	else
		rq->blocks = block;
	rq->last_block = block;
out:
	return rc;
}

static enum err
chunk_end(struct nae_request *rq)
{
	struct buf *tail = tail_of(rq);
	enum err rc = OK;

	TRY(element_put_number(tail, EL_SIZE, rq->chunk.octets));
	rq->has_chunk = true;
	if (rq->chunk.octets > SHORT_OCTETS) {
		TRY(chunk_to_block(rq));
	} else {
		TRY(buf_put(tail, buf_peek(&rq->chunk)));
		buf_reset(&rq->chunk);
	}
out:
	return rc;
}

enum err
nae_data_begin(struct nae_request *rq)
{
	rq->mark_block = rq->last_block;
	rq->mark_octets = tail_of(rq)->octets;
	rq->has_chunk = false;
	return buf_put_text(tail_of(rq), "<Data>");
}

size_t
nae_data_space(const struct nae_request *rq)
{
	return rq->chunk.octets < NAE_CHUNK_OCTETS
		   ? NAE_CHUNK_OCTETS - rq->chunk.octets
		   : NAE_CHUNK_OCTETS;
}

enum err
nae_data_room(struct nae_request *rq, size_t octets, uint8_t **at)
{
	enum err rc = OK;

	assert(octets <= NAE_CHUNK_OCTETS);
	if (rq->chunk.octets + octets > NAE_CHUNK_OCTETS)
		TRY(chunk_end(rq));
	/* all that it will ever need: it does not move */
	if (rq->chunk.octets == 0)
		TRY(buf_reserve(&rq->chunk, ANSWER_CHUNK_OCTETS, at));
	TRY(buf_reserve(&rq->chunk, octets, at));
out:
	return rc;
}

void
nae_data_added(struct nae_request *rq, size_t octets)
{
	buf_added(&rq->chunk, octets);
}

enum err
nae_data_end(struct nae_request *rq)
{
	enum err rc = OK;

	if (rq->chunk.octets != 0 || !rq->has_chunk)
		TRY(chunk_end(rq));
	TRY(buf_put_text(tail_of(rq), "</Data>"));
out:
	return rc;
}

void
nae_data_cancel(struct nae_request *rq)
{
	struct buf *tail;

	buf_reset(&rq->chunk);
	blocks_free(rq, rq->mark_block);
	tail = tail_of(rq);
	secret_wipe(tail->at + rq->mark_octets, tail->octets - rq->mark_octets);
	tail->octets = rq->mark_octets;
}
