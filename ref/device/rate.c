#include "device/rate.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/fields.h"

#define RECORD_KIND "rate"

enum {
	PART_OCTETS = 64, /* a user's name, an identifier */
	KEY_OCTETS = 2 * PART_OCTETS + 1,
	RECORD_OCTETS = 128,
	BUCKETS = 16384, /* a power of two */
};

_Static_assert((int)PART_OCTETS == (int)OBJECT_ID_MAX_OCTETS, "an identifier");

/* used <= durable, unless somebody waits for what is written. */
struct counter {
	struct counter *next;  /* of its bucket */
	struct counter *older; /* by when they came into memory */
	struct counter *newer;
	struct counter *next_due;
	struct counter *next_written;
	int64_t begun_ms;
	uint64_t used;
	uint64_t durable; /* a record says that so many may have been */
	uint64_t written; /* so does one of the open group; 0: none */
	uint64_t reserve; /* how far, where the next block is due */
	bool is_due;
	uint8_t key_octets;
	uint8_t key[KEY_OCTETS];
};

struct rates {
	struct appliance *appliance;
	struct counter **bucket;
	struct counter *oldest;
	struct counter *newest;
	size_t count;
	size_t most;
	/* whose next block is due, and who writes it */
	struct counter *due;
	struct loop_task task;
	/* whose record is in the open group */
	struct counter *written;
	struct store_waiter waiter;
	/* over the records of hours that have passed */
	struct loop_timer *sweep;
	uint8_t swept[KEY_OCTETS]; /* up to this one */
	size_t swept_octets;
	size_t sweep_shown;
};

static struct bytes
counter_key(const struct counter *c)
{
	return (struct bytes){c->key, c->key_octets};
}

static int64_t
now_ms(const struct rates *rates)
{
	return env_elapsed_ms(rates->appliance->env);
}

static bool
is_over(int64_t begun_ms, int64_t at_ms)
{
	return at_ms - begun_ms >= RATE_HOUR_MS;
}

/* ---------------------------------------------------------------------------
 * Records
 */

static enum err
record_write(struct rates *rates, const struct counter *c, uint64_t count)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(fields_put_number(&value, "begun", c->begun_ms));
	TRY(fields_put_number(&value, "count", (int64_t)count));
	TRY(record_put(rates->appliance->store, RECORD_KIND, counter_key(c),
	    buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

static enum err
record_decode(
    struct bytes key, struct bytes value, int64_t *begun_ms, uint64_t *count)
{
	int64_t number = 0;
	enum err rc = OK;

	*begun_ms = 0;
	TRY(fields_number(value, "begun", begun_ms));
	TRY(fields_number(value, "count", &number));
	*count = (uint64_t)number;
out:
	if (rc == OK && number >= 0)
		return OK;
	log_line("device", LOG_ERROR, "the count of %.*s cannot be read",
	    (int)key.octets, (const char *)key.at);
	return ERR_STORE;
}

/* What was counted in this hour before: in an earlier run, or until it was
 * dropped from memory. Nothing: it begins now. */
static enum err
record_read(
    struct rates *rates, struct bytes key, int64_t *begun_ms, uint64_t *count)
{
	int64_t at_ms = now_ms(rates);
	struct buf value;
	int64_t kept_ms;
	uint64_t kept;
	enum err rc = OK;

	*begun_ms = at_ms;
	*count = 0;
	buf_init(&value, RECORD_OCTETS);
	rc = record_get(rates->appliance->store, RECORD_KIND, key, &value);
	if (rc == OK)
		rc = record_decode(key, buf_peek(&value), &kept_ms, &kept);
	if (rc == OK && !is_over(kept_ms, at_ms)) {
		/* behind now, whatever became of elapsed time */
		*begun_ms = kept_ms < at_ms ? kept_ms : at_ms;
		*count = kept;
	}
	buf_clear(&value);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* ---------------------------------------------------------------------------
 * Counters in memory
 */

/* Who could choose names of users has no need to fill a bucket. */
static struct counter **
bucket_of(const struct rates *rates, struct bytes key)
{
	uint64_t h = bytes_hash(key, 0);

	return &rates->bucket[(h ^ h >> 32) & (BUCKETS - 1)];
}

static void
age_take(struct rates *rates, struct counter *c)
{
	*(c->older != NULL ? &c->older->newer : &rates->oldest) = c->newer;
	*(c->newer != NULL ? &c->newer->older : &rates->newest) = c->older;
}

static void
age_put(struct rates *rates, struct counter *c)
{
	c->older = rates->newest;
	c->newer = NULL;
	*(c->older != NULL ? &c->older->newer : &rates->oldest) = c;
	rates->newest = c;
}

static bool
is_under_way(const struct counter *c)
{
	return c->is_due || c->written != 0;
}

static void
counter_drop(struct rates *rates, struct counter *c)
{
	struct counter **at = bucket_of(rates, counter_key(c));

	assert(!is_under_way(c));
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	age_take(rates, c);
	rates->count--;
	mem_free(c);
}

/* A full memory has the oldest go; its record says what was used. Those whose
 * record is on its way stay, so it may hold some more for a turn. */
static enum err
make_room(struct rates *rates)
{
	struct counter *c = rates->oldest;
	enum err rc = OK;

	if (rates->count < rates->most)
		return OK;
	while (c != NULL && is_under_way(c))
		c = c->newer;
	if (c == NULL)
		return OK;
	if (c->used != c->durable)
		TRY(record_write(rates, c, c->used));
	counter_drop(rates, c);
out:
	return rc;
}

static enum err
counter_find(struct rates *rates, struct bytes key, struct counter **out)
{
	struct counter **bucket = bucket_of(rates, key);
	struct counter *c;
	enum err rc = OK;

	for (c = *bucket; c != NULL; c = c->next)
		if (bytes_equal(key, counter_key(c))) {
			*out = c;
			return OK;
		}
	*out = NULL;
	TRY(MEM_NEW(c));
	c->key_octets = (uint8_t)key.octets;
	memcpy(c->key, key.at, key.octets);
	TRY(record_read(rates, key, &c->begun_ms, &c->durable));
	c->used = c->durable;
	TRY(make_room(rates));
	c->next = *bucket;
	*bucket = c;
	age_put(rates, c);
	rates->count++;
	*out = c;
	c = NULL; /* now the table's */
out:
	mem_free(c);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Reservations
 */

/*
 * The group is durable, or undone. What was written may have been rolled back
 * before that: it counts for what the record says now.
 */
static void
group_ended(struct store_waiter *w, enum err rc)
{
	struct rates *rates = w->ctx;
	struct counter *c = rates->written;
	struct counter *next;
	int64_t begun_ms;
	uint64_t count;

	rates->written = NULL;
	for (; c != NULL; c = next) {
		next = c->next_written;
		c->written = 0;
		if (rc == OK &&
		    record_read(rates, counter_key(c), &begun_ms, &count) ==
			OK &&
		    begun_ms == c->begun_ms)
			c->durable = count;
	}
}

static enum err
reserve(struct rates *rates, struct counter *c, uint64_t count)
{
	enum err rc = OK;

	TRY(record_write(rates, c, count));
	if (rates->written == NULL) {
		rates->waiter.done = group_ended;
		rates->waiter.ctx = rates;
		store_wait(rates->appliance->store, &rates->waiter);
	}
	if (c->written == 0) {
		c->next_written = rates->written;
		rates->written = c;
	}
	c->written = count;
out:
	return rc;
}

/* In a turn of its own, so that no request has to wait for it. */
static void
write_due(void *ctx)
{
	struct rates *rates = ctx;
	struct counter *c = rates->due;
	struct counter *next;
	enum err rc = OK;

	rates->due = NULL;
	for (; c != NULL; c = next) {
		next = c->next_due;
		c->is_due = false;
		if (rc == OK && c->reserve > c->written)
			rc = reserve(rates, c, c->reserve);
	}
	/* then an operation tries it again, and fails itself */
	if (rc != OK)
		log_line("device", LOG_WARN,
		    "operations cannot be reserved: %s", err_text(rc));
}

static void
reserve_later(struct rates *rates, struct counter *c, uint64_t count)
{
	c->reserve = count;
	if (c->is_due)
		return;
	c->is_due = true;
	c->next_due = rates->due;
	rates->due = c;
	loop_later(rates->appliance->loop, &rates->task);
}

static void
hour_begin(struct rates *rates, struct counter *c)
{
	c->begun_ms = now_ms(rates);
	c->used = c->durable = c->reserve = 0;
	age_take(rates, c);
	age_put(rates, c);
}

/* Up to a block ahead, and not beyond the limit: what is never done need not be
 * counted after a crash. */
static uint64_t
block_end(uint64_t used, uint64_t block, uint64_t limit)
{
	uint64_t end = used + block;

	return limit != 0 && end > limit ? limit : end;
}

enum err
rate_count(struct rates *rates, struct bytes user, struct bytes key,
    uint64_t limit, uint64_t operations)
{
	uint64_t block =
	    limit == 0 ? RATE_UNLIMITED_BLOCK : limit / RATE_BLOCKS;
	uint8_t name[KEY_OCTETS];
	struct counter *c;
	uint64_t used, end;
	enum err rc = OK;

	assert(user.octets <= PART_OCTETS && key.octets <= PART_OCTETS);
	block = block == 0 ? 1 : block;
	memcpy(name, user.at, user.octets);
	name[user.octets] = '/';
	memcpy(name + user.octets + 1, key.at, key.octets);
	TRY(counter_find(
	    rates, (struct bytes){name, user.octets + 1 + key.octets}, &c));
	/* req: KS-29-011 KS-29-012 */
	if (is_over(c->begun_ms, now_ms(rates)))
		hour_begin(rates, c);
	/* req: KS-29-005 KS-29-007 KS-29-013 */
	if (limit != 0 && (c->used >= limit || operations > limit - c->used))
		TRY(ERR_RATE);
	used = c->used + operations;
	end = block_end(used, block, limit);
	if (used > c->durable)
		TRY(reserve(rates, c, end));
	else if (used + (block + 1) / 2 > c->durable && end > c->durable)
		reserve_later(rates, c, end);
	c->used = used;
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * Hours that are over
 */

static enum err
sweep_one(void *ctx, struct bytes key, struct bytes value)
{
	struct rates *rates = ctx;
	int64_t begun_ms;
	uint64_t count;
	enum err rc = OK;

	rates->sweep_shown++;
	rates->swept_octets = key.octets < KEY_OCTETS ? key.octets : KEY_OCTETS;
	memcpy(rates->swept, key.at, rates->swept_octets);
	/* one that cannot be read lets nobody pass: it stays, for who looks */
	if (record_decode(key, value, &begun_ms, &count) == OK &&
	    is_over(begun_ms, now_ms(rates)))
		TRY(record_delete(rates->appliance->store, RECORD_KIND, key));
out:
	return rc;
}

static void
sweep_memory(struct rates *rates)
{
	unsigned left = RATE_SWEEP_RECORDS;
	struct counter *c;

	while (left-- > 0 && (c = rates->oldest) != NULL && !is_under_way(c) &&
	       is_over(c->begun_ms, now_ms(rates)))
		counter_drop(rates, c);
}

/* Some of them in a turn, and then a while later the next. */
static void
sweep(void *ctx)
{
	struct rates *rates = ctx;
	struct bytes after = {rates->swept, rates->swept_octets};
	int64_t again_ms = RATE_SWEEP_STEP_MS;
	enum err rc;

	sweep_memory(rates);
	rates->sweep_shown = 0;
	rc = record_each_prefix(rates->appliance->store, RECORD_KIND,
	    BYTES_NONE, after, RATE_SWEEP_RECORDS, sweep_one, rates);
	if (rc != OK)
		log_line("device", LOG_WARN,
		    "counts of operations are not cleared: %s", err_text(rc));
	if (rc != OK || rates->sweep_shown < RATE_SWEEP_RECORDS) {
		rates->swept_octets = 0;
		again_ms = RATE_SWEEP_EVERY_MS;
	}
	loop_timer_set(
	    rates->sweep, loop_now_ms(rates->appliance->loop) + again_ms);
}

/* ---------------------------------------------------------------------------
 * All of it
 */

enum err
rates_new(struct appliance *appliance, size_t counters, struct rates **out)
{
	struct rates *rates = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(rates));
	rates->appliance = appliance;
	rates->most = counters != 0 ? counters : RATE_COUNTERS_MOST;
	rates->task = (struct loop_task){.fn = write_due, .ctx = rates};
	TRY(MEM_ARRAY(rates->bucket, BUCKETS));
	TRY(loop_timer_new(appliance->loop, sweep, rates, &rates->sweep));
	loop_timer_patient(rates->sweep);
	loop_timer_set(
	    rates->sweep, loop_now_ms(appliance->loop) + RATE_SWEEP_EVERY_MS);
	*out = rates;
	rates = NULL;
out:
	rates_free(rates);
	return rc;
}

static void
counters_end(struct rates *rates)
{
	int64_t at_ms = now_ms(rates);
	struct counter *c;
	enum err rc = OK;

	if (rates->written != NULL)
		store_unwait(rates->appliance->store, &rates->waiter);
	while ((c = rates->oldest) != NULL) {
		if (rc == OK && c->used != c->durable &&
		    !is_over(c->begun_ms, at_ms))
			rc = record_write(rates, c, c->used);
		c->is_due = false;
		c->written = 0;
		counter_drop(rates, c);
	}
	if (rc != OK)
		log_line("device", LOG_WARN, "operations count as reserved: %s",
		    err_text(rc));
}

void
rates_free(struct rates *rates)
{
	if (rates == NULL)
		return;
	loop_task_cancel(&rates->task);
	loop_timer_free(rates->sweep);
	if (rates->bucket != NULL)
		counters_end(rates);
	mem_free(rates->bucket);
	mem_free(rates);
}

size_t
rates_in_memory(const struct rates *rates)
{
	return rates->count;
}
