#include "kmip/kmip.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/statistics.h"
#include "kmip/activity.h"
#include "kmip/op.h"
#include "kmip/reason.h"
#include "kmip/request.h"
#include "wire/ttlv.h"

enum {
	SPARE_REQUESTS = 64,    /* kept for reuse, arenas and all */
	TALLIES = 1 + OP_COUNT, /* of requests, then of each operation */
	/* what the largest answer may come to; a Maximum Response Size in the
	 * request only lowers it */
	ANSWER_MAX_OCTETS = 32 << 20,
};

/* A batch item and what came of it. */
struct part {
	const struct item *in; /* the Batch Item of the request */
	const struct op *op;
	uint32_t operation; /* 0: none understood */
	struct bytes id;    /* Unique Batch Item ID */
	struct slow *slow;
	bool done;
	uint32_t status;
	uint32_t reason;
	const char *text;       /* Result Message, NULL for none */
	struct item *answer;    /* the payload */
	struct mention mention; /* where the answer waits */
};

struct flight {
	struct request rq; /* what operations see of it */
	struct kmip *kmip;
	struct flight *next; /* among the spare ones */
	struct buf message;  /* a copy, where a worker comes first */
	struct buf answer;
	struct part *parts;
	size_t part_count;
	uint32_t on_error;    /* BATCH_ERROR_CONTINUATION_OPTION_... */
	bool correlate;       /* the client wants correlation values */
	size_t answer_octets; /* the most that may be sent */
	enum err whole; /* why the whole message fails; OK when it does not */
	struct part failure; /* done: what is told of that */
	bool waits;          /* for the store; the message is gone */
	struct keystore_loan loan;
	struct store_waiter waiter;
	/* where the answer goes */
	kmip_answer_fn *answer_fn;
	void *answer_ctx;
	uint64_t number;
};

struct kmip {
	struct kmip_config config;
	struct flight *spare;
	unsigned spare_count;
	unsigned busy;
	struct statistics_tally tallies[TALLIES];
	uint32_t boot; /* half of the Server Correlation Value */
	uint64_t answers;
};

static const char *
tally_name(size_t row)
{
	if (row == 0)
		return "Total";
	return schema_value_name(TAG_OPERATION, op_row(row - 1)->code);
}

/* Without an appliance, in tests, nobody looks. */
static enum err
lend_tallies(struct kmip *k)
{
	if (k->config.appliance == NULL)
		return OK;
	return statistics_lend(k->config.appliance->statistics, PROTOCOL_KMIP,
	    k->tallies, TALLIES, tally_name);
}

enum err
kmip_new(const struct kmip_config *config, struct kmip **out)
{
	struct kmip *k = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(k));
	k->config = *config;
	TRY(env_random(config->env, (uint8_t *)&k->boot, sizeof(k->boot)));
	TRY(lend_tallies(k));
	*out = k;
	k = NULL;
out:
	mem_free(k);
	return rc;
}

static void
flight_free(struct flight *f)
{
	if (f == NULL)
		return;
	arena_free(f->rq.arena);
	buf_clear(&f->message);
	buf_clear(&f->answer);
	mem_free(f);
}

void
kmip_free(struct kmip *k)
{
	if (k == NULL)
		return;
	assert(k->busy == 0);
	if (k->config.appliance != NULL)
		statistics_take_back(
		    k->config.appliance->statistics, PROTOCOL_KMIP);
	while (k->spare != NULL) {
		struct flight *f = k->spare;

		k->spare = f->next;
		flight_free(f);
	}
	mem_free(k);
}

unsigned
kmip_busy(const struct kmip *k)
{
	return k->busy;
}

static enum err
flight_new(struct kmip *k, struct flight **out)
{
	struct flight *f = k->spare;
	enum err rc = OK;

	*out = NULL;
	if (f != NULL) {
		k->spare = f->next;
		k->spare_count--;
	} else {
		TRY(MEM_NEW(f));
		f->kmip = k;
		buf_init(&f->message, ANSWER_MAX_OCTETS);
		buf_init(&f->answer, ANSWER_MAX_OCTETS);
		TRY(arena_new(KMIP_ARENA_CAP_OCTETS, &f->rq.arena));
	}
	k->busy++;
	*out = f;
	f = NULL;
out:
	flight_free(f);
	return rc;
}

static void
flight_done(struct flight *f)
{
	struct kmip *k = f->kmip;
	struct arena *a = f->rq.arena;
	size_t n;

	for (n = 0; n < f->part_count; n++) {
		if (f->parts[n].slow != NULL)
			f->parts[n].slow->free(f->parts[n].slow);
	}
	keystore_loan_end(&f->loan);
	key_user_clear(&f->rq.user);
	f->parts = NULL;
	f->part_count = 0;
	arena_reset(a);
	buf_reset(&f->message);
	buf_reset(&f->answer);
	memset(&f->rq, 0, sizeof(f->rq));
	f->rq.arena = a;
	k->busy--;
	if (k->spare_count == SPARE_REQUESTS) {
		flight_free(f);
		return;
	}
	f->next = k->spare;
	k->spare = f;
	k->spare_count++;
}

/*
 * Reading the message
 */

static bool
version_known(int64_t major, int64_t minor)
{
	size_t k;

	for (k = 0; k < VERSION_COUNT; k++) {
		if (major == schema_versions[k] >> 8 &&
		    minor == (schema_versions[k] & 0xff))
			return true;
	}
	return false;
}

/* What to answer in where the request's version is none of ours. */
static enum version
version_nearest(int64_t major)
{
	return major < 1 ? V1_0 : major == 1 ? V1_4 : V_LAST;
}

/*
 * The version a message names at the place where it must stand, even if what
 * follows cannot be parsed.
 */
static enum version
version_guess(struct bytes message)
{
	static const uint8_t head[] = {0x42, 0x00, 0x69, STRUCTURE};
	enum { MAJOR_AT = 8 + 8 + 8 + 8, MINOR_AT = MAJOR_AT + 16 };
	uint32_t major;
	uint32_t minor;

	if (message.octets < MINOR_AT + 8 ||
	    memcmp(message.at + 16, head, sizeof(head)) != 0)
		return V1_0;
	major = bytes_u32(message.at + MAJOR_AT);
	minor = bytes_u32(message.at + MINOR_AT);
	if (!version_known(major, minor))
		return version_nearest(major);
	return (enum version)(major << 8 | minor);
}

/* spec: kmip-1.4 6.1 */
static enum err
read_version(struct flight *f, const struct item *root)
{
	const struct item *header = item_find(root, TAG_REQUEST_HEADER);
	const struct item *version = NULL;
	const struct item *major = NULL;
	const struct item *minor = NULL;

	if (header != NULL && header->type == STRUCTURE)
		version = item_find(header, TAG_PROTOCOL_VERSION);
	if (version != NULL && version->type == STRUCTURE) {
		major = item_find(version, TAG_PROTOCOL_VERSION_MAJOR);
		minor = item_find(version, TAG_PROTOCOL_VERSION_MINOR);
	}
	if (major == NULL || major->type != INTEGER || minor == NULL ||
	    minor->type != INTEGER) {
		fault_set(&f->rq.fault, "no Protocol Version in the header");
		return ERR_MESSAGE;
	}
	if (!version_known(major->number, minor->number)) {
		f->rq.version = version_nearest(major->number);
		fault_set(&f->rq.fault, "protocol version %lld.%lld",
		    (long long)major->number, (long long)minor->number);
		return ERR_VERSION;
	}
	f->rq.version = (enum version)(major->number << 8 | minor->number);
	return OK;
}

/* spec: kmip-1.4 6.7, kmip-2.1 9.2: nothing here is done asynchronously */
static enum err
read_asynchronous(struct flight *f, const struct item *header)
{
	const struct item *indicator;

	indicator = item_find(header, TAG_ASYNCHRONOUS_INDICATOR);
	if (indicator != NULL && indicator->type == ENUMERATION &&
	    indicator->number == ASYNCHRONOUS_INDICATOR_MANDATORY) {
		fault_set(
		    &f->rq.fault, "asynchronous operation is not offered");
		return ERR_FEATURE;
	}
	return OK;
}

/* spec: kmip-1.4 6.3, 6.6, 6.13 and 6.14 */
static enum err
read_header(struct flight *f, const struct item *root)
{
	const struct item *header = item_find(root, TAG_REQUEST_HEADER);
	int64_t octets;
	enum err rc = OK;

	octets =
	    item_number(header, TAG_MAXIMUM_RESPONSE_SIZE, ANSWER_MAX_OCTETS);
	if (octets < 0) {
		fault_set(&f->rq.fault, "Maximum Response Size is negative");
		TRY(ERR_FIELD);
	}
	if (octets < ANSWER_MAX_OCTETS)
		f->answer_octets = (size_t)octets;
	f->on_error =
	    (uint32_t)item_number(header, TAG_BATCH_ERROR_CONTINUATION_OPTION,
		BATCH_ERROR_CONTINUATION_OPTION_STOP);
	f->correlate =
	    item_find(header, TAG_CLIENT_CORRELATION_VALUE) != NULL ||
	    item_find(header, TAG_SERVER_CORRELATION_VALUE) != NULL;
	TRY(read_asynchronous(f, header));
	/* a client is known by its certificate; what it says beside that
	 * could not be verified */
	if (item_find(header, TAG_AUTHENTICATION) != NULL) {
		fault_set(&f->rq.fault, "no user directory for credentials");
		TRY(ERR_AUTHENTICATION);
	}
	if (item_number(header, TAG_BATCH_COUNT, 0) != (int64_t)f->part_count) {
		fault_set(&f->rq.fault,
		    "Batch Count is %lld, batch items are %zu",
		    (long long)item_number(header, TAG_BATCH_COUNT, 0),
		    f->part_count);
		TRY(ERR_MESSAGE);
	}
out:
	return rc;
}

/* spec: kmip-1.4 7.2, kmip-2.1 8.3: each of several items has an identifier */
static enum err
read_parts(struct flight *f, const struct item *root)
{
	struct part *part;
	size_t count = 0;
	enum err rc = OK;

	ITEM_EACH (root, item)
		count += item->tag == TAG_BATCH_ITEM;
	if (count == 0 || count > KMIP_BATCH_MAX) {
		fault_set(&f->rq.fault, "%zu batch items, 1 to %d are taken",
		    count, KMIP_BATCH_MAX);
		TRY(ERR_MESSAGE);
	}
	TRY(ARENA_ARRAY(f->rq.arena, part, count));
	f->parts = part;
	f->part_count = count;
	ITEM_EACH (root, item) {
		if (item->tag != TAG_BATCH_ITEM)
			continue;
		part->in = item;
		part->operation = (uint32_t)item_number(item, TAG_OPERATION, 0);
		part->op = op_find(part->operation, f->rq.version);
		part->id = item_octets(item, TAG_UNIQUE_BATCH_ITEM_ID);
		if (part->id.octets == 0 && count > 1) {
			fault_set(
			    &f->rq.fault, "a Unique Batch Item ID is missing");
			TRY(ERR_MISSING);
		}
		part++;
	}
out:
	return rc;
}

static enum err
read_message(struct flight *f, struct bytes message)
{
	struct item *root;
	enum err rc = OK;

	f->rq.version = version_guess(message);
	TRY(ttlv_parse(f->rq.arena, message, &root));
	item_log("request", root);
	if (root->tag != TAG_REQUEST_MESSAGE || root->type != STRUCTURE) {
		fault_set(&f->rq.fault, "not a Request Message");
		TRY(ERR_MESSAGE);
	}
	TRY(read_version(f, root));
	TRY(schema_check_request(root, f->rq.version, &f->rq.fault));
	TRY(read_parts(f, root));
	TRY(read_header(f, root));
out:
	return rc;
}

/*
 * Working the batch off
 */

/* spec: kmip-1.4 6.16: an extension nobody here knows may not be critical */
static enum err
check_extensions(struct request *rq, const struct item *in)
{
	ITEM_EACH (in, item) {
		if (item->tag == TAG_MESSAGE_EXTENSION &&
		    item_number(item, TAG_CRITICALITY_INDICATOR, 0) != 0) {
			fault_set(&rq->fault, "unknown critical extension");
			return ERR_FEATURE;
		}
	}
	if (item_number(in, TAG_EPHEMERAL, 0) != 0) {
		fault_set(&rq->fault, "Ephemeral is not offered");
		return ERR_FEATURE;
	}
	return OK;
}

/* A refusal with something to say. */
static bool
explains(const struct op *op, const struct item *out)
{
	return out != NULL && out->first != NULL &&
	       (op->flags & OP_EXPLAINS) != 0;
}

/* req: KS-03-145 KS-03-146 KS-03-147 */
static enum err
check_door(struct request *rq, const struct op *op)
{
	if ((op->flags & OP_CONFIG) == 0 || rq->door->allows_config)
		return OK;
	fault_set(&rq->fault, "this key server does not allow key and policy "
			      "configuration operations");
	return ERR_DENIED;
}

static enum err
run_part(struct flight *f, struct part *part)
{
	struct request *rq = &f->rq;
	const struct item *in = item_find(part->in, TAG_REQUEST_PAYLOAD);
	struct store *st = f->kmip->config.store;
	struct item *out = NULL;
	bool saved = false;
	enum err rc = OK;

	rq->fault.text[0] = '\0';
	rq->slow = part->slow;
	if (part->op == NULL) {
		fault_set(&rq->fault, "operation %s is not offered",
		    schema_value_in(TAG_OPERATION, part->operation, rq->version)
			? schema_value_name(TAG_OPERATION, part->operation)
			: "unknown and");
		TRY(ERR_OPERATION);
	}
	TRY(check_extensions(rq, part->in));
	TRY(schema_check_payload(in, part->operation, rq->version, &rq->fault));
	TRY(check_door(rq, part->op));
	if ((part->op->flags & OP_KEYS) != 0)
		TRY(keystore_check(f->kmip->config.keystore));
	TRY(item_add_structure(rq->arena, NULL, TAG_RESPONSE_PAYLOAD, &out));
	if ((part->op->flags & OP_WRITES) != 0) {
		TRY(store_savepoint(st));
		saved = true;
	}
	TRY(part->op->run(rq, in, out));
out:
	rq->slow = NULL;
	if (saved)
		rc = store_savepoint_end(st, rc);
	if (rc == OK || explains(part->op, out))
		part->answer = out;
	return rc;
}

static void
part_fail(struct flight *f, struct part *part, enum err rc)
{
	const char *text = f->rq.fault.text;

	part->status = RESULT_STATUS_OPERATION_FAILED;
	part->reason = reason_of(rc, part->operation, f->rq.version);
	part->text = err_text(rc);
	/* without memory for the detail there is still the text */
	if (text[0] != '\0' && arena_printf(f->rq.arena, &part->text, "%s: %s",
				   err_text(rc), text) != OK)
		part->text = err_text(rc);
	log_line("kmip", LOG_DEBUG, "operation %u failed: %s: %s",
	    part->operation, err_name(rc), text);
}

/* spec: kmip-1.4 6.13 and 11.43 */
static void
run_batch(struct flight *f)
{
	bool undo = f->on_error == BATCH_ERROR_CONTINUATION_OPTION_UNDO;
	struct store *st = f->kmip->config.store;
	enum err failed = OK;
	enum err rc;
	size_t n;
	size_t k;

	if (undo)
		f->whole = store_savepoint(st);
	if (f->whole != OK)
		return;
	for (n = 0; n < f->part_count; n++) {
		struct part *part = &f->parts[n];

		rc = run_part(f, part);
		part->done = true;
		part->status = RESULT_STATUS_SUCCESS;
		if (rc == OK)
			continue;
		part_fail(f, part, rc);
		failed = rc;
		if (f->on_error != BATCH_ERROR_CONTINUATION_OPTION_CONTINUE)
			break;
	}
	if (!undo)
		return;
	rc = store_savepoint_end(st, failed);
	/* a rollback that worked hands back the error it was called with */
	if (rc != failed)
		f->whole = rc;
	for (k = 0; failed != OK && k < n; k++)
		f->parts[k].status = RESULT_STATUS_OPERATION_UNDONE;
}

/*
 * Writing the answer
 */

static enum err
write_header(struct flight *f, struct item *root, size_t count)
{
	struct arena *a = f->rq.arena;
	const char *correlation;
	struct item *header;
	struct item *version;
	enum err rc = OK;

	TRY(item_add_structure(a, root, TAG_RESPONSE_HEADER, &header));
	TRY(item_add_structure(a, header, TAG_PROTOCOL_VERSION, &version));
	TRY(item_add_number(a, version, TAG_PROTOCOL_VERSION_MAJOR, INTEGER,
	    f->rq.version >> 8));
	TRY(item_add_number(a, version, TAG_PROTOCOL_VERSION_MINOR, INTEGER,
	    f->rq.version & 0xff));
	TRY(item_add_number(a, header, TAG_TIME_STAMP, DATE_TIME, f->rq.now_s));
	/* clients of before 1.4, and some of later ones, stumble over it */
	if (f->correlate) {
		TRY(arena_printf(a, &correlation, "%08X-%llu", f->kmip->boot,
		    (unsigned long long)f->kmip->answers));
		TRY(item_add_text(
		    a, header, TAG_SERVER_CORRELATION_VALUE, correlation));
	}
	TRY(item_add_number(
	    a, header, TAG_BATCH_COUNT, INTEGER, (int64_t)count));
out:
	return rc;
}

static enum err
write_part(struct flight *f, struct item *root, const struct part *part)
{
	struct arena *a = f->rq.arena;
	struct item *item;
	enum err rc = OK;

	TRY(item_add_structure(a, root, TAG_BATCH_ITEM, &item));
	if (part->operation != 0)
		TRY(item_add_number(
		    a, item, TAG_OPERATION, ENUMERATION, part->operation));
	if (part->id.octets != 0)
		TRY(item_add_octets(
		    a, item, TAG_UNIQUE_BATCH_ITEM_ID, BYTE_STRING, part->id));
	TRY(item_add_number(
	    a, item, TAG_RESULT_STATUS, ENUMERATION, part->status));
	if (part->status == RESULT_STATUS_OPERATION_FAILED) {
		TRY(item_add_number(
		    a, item, TAG_RESULT_REASON, ENUMERATION, part->reason));
		TRY(item_add_text(a, item, TAG_RESULT_MESSAGE, part->text));
	}
	if (part->answer != NULL)
		item_append(item, part->answer);
out:
	return rc;
}

/*
 * spec: kmip-1.4 6.3. An answer that the client could not take undoes what
 * was done, since it would not learn of it.
 *
 * ERR_TOO_LARGE
 */
static enum err
write_parts(struct flight *f, const struct part *parts, size_t count)
{
	struct item *root;
	size_t shown = 0;
	size_t n;
	enum err rc = OK;

	f->kmip->answers++;
	TRY(item_add_structure(f->rq.arena, NULL, TAG_RESPONSE_MESSAGE, &root));
	for (n = 0; n < count; n++)
		shown += parts[n].done;
	TRY(write_header(f, root, shown));
	for (n = 0; n < count; n++) {
		if (parts[n].done)
			TRY(write_part(f, root, &parts[n]));
	}
	TRY(schema_shape_response(root, f->rq.version, &f->rq.fault));
	if (ttlv_octets(root) > f->answer_octets)
		TRY(ERR_TOO_LARGE);
	buf_reset(&f->answer);
	item_log("answer", root);
	TRY(ttlv_write(root, &f->answer));
out:
	return rc;
}

/* The answer to a message that failed as a whole. */
static void
write_failure(struct flight *f, enum err why)
{
	struct part *part = &f->failure;

	*part = (struct part){.done = true};
	/* the answer that says "too large" cannot be refused for its size */
	f->answer_octets = ANSWER_MAX_OCTETS;
	if (f->part_count == 1 && f->parts[0].operation != 0) {
		part->operation = f->parts[0].operation;
		part->id = f->parts[0].id;
	}
	part_fail(f, part, why);
	if (write_parts(f, part, 1) != OK)
		buf_reset(&f->answer);
}

/*
 * The Activity Log
 */

/* Keep what is borrowed from the message; without memory it is lost. */
static void
keep(struct flight *f, struct bytes *octets)
{
	if (arena_copy(f->rq.arena, *octets, octets) != OK)
		*octets = BYTES_NONE;
}

/* The answer waits, and what it will be told with has to outlive the message.
 */
static void
keep_parts(struct flight *f)
{
	size_t n;

	f->waits = true;
	for (n = 0; n < f->part_count; n++) {
		struct part *part = &f->parts[n];

		mention_read(part->in, part->op, part->answer, &part->mention);
		keep(f, &part->id);
		keep(f, &part->mention.key);
	}
}

/* req: KS-21-029 KS-21-024 KS-21-030 KS-21-033 KS-21-034 */
static void
log_part(
    const struct flight *f, const struct part *part, const struct part *outcome)
{
	struct appliance *appliance = f->kmip->config.appliance;
	struct mention mention = part->mention;
	const char *type = NULL;
	struct activity line = {
	    .door = f->rq.door,
	    .user = f->rq.identity,
	    .id = part->id,
	    .failed = outcome->status != RESULT_STATUS_SUCCESS,
	    .code = outcome->reason,
	};

	if (!activity_wanted(appliance, line.failed))
		return;
	if (!f->waits)
		mention_read(part->in, part->op, part->answer, &mention);
	if (part->operation != 0)
		type = schema_value_xml_name(TAG_OPERATION, part->operation);
	if (type != NULL)
		line.type = bytes_of_text(type);
	if (outcome->text != NULL)
		line.message = bytes_of_text(outcome->text);
	else if (line.failed) /* it went well, and was taken back */
		line.message = bytes_of_text(
		    schema_value_name(TAG_RESULT_STATUS, outcome->status));
	mention_put(&mention, &line);
	activity_add(appliance, &line);
}

/*
 * A line for each item that was worked off; a message that fails as a whole has
 * failed for each that was read, and one of which none was is a line as well.
 *
 * req: KS-20-002 KS-21-015 KS-21-016
 */
static void
log_parts(const struct flight *f)
{
	size_t n;

	if (f->kmip->config.appliance == NULL)
		return;
	if (f->failure.done && f->part_count == 0)
		log_part(f, &f->failure, &f->failure);
	for (n = 0; n < f->part_count; n++) {
		const struct part *part = &f->parts[n];

		if (f->failure.done)
			log_part(f, part, &f->failure);
		else if (part->done)
			log_part(f, part, part);
	}
}

static void
count(struct statistics_tally *tally, bool success)
{
	if (success)
		tally->successful++;
	else
		tally->failed++;
}

/*
 * What came of it. A message that fails as a whole has failed in each of its
 * operations; one behind a failure that ended the batch was not even begun.
 *
 * req: KS-22-074 KS-22-077 KS-22-092
 */
static void
count_all(const struct flight *f)
{
	struct statistics_tally *tallies = f->kmip->tallies;
	bool all = !f->failure.done;
	size_t n;

	for (n = 0; n < f->part_count; n++) {
		const struct part *part = &f->parts[n];
		bool success = !f->failure.done && part->done &&
			       part->status == RESULT_STATUS_SUCCESS;

		all = all && success;
		if (part->op != NULL && (part->done || f->failure.done))
			count(&tallies[1 + (part->op - op_row(0))], success);
	}
	count(&tallies[0], all);
}

static void
send(struct flight *f)
{
	log_parts(f);
	count_all(f);
	f->answer_fn(f->answer_ctx, f->number, buf_peek(&f->answer));
	flight_done(f);
}

/* The group that this request wrote to or read from is durable, or lost. */
static void
committed(struct store_waiter *waiter, enum err rc)
{
	struct flight *f = waiter->ctx;

	if (rc != OK) {
		f->rq.fault.text[0] = '\0';
		write_failure(f, rc);
	}
	send(f);
}

static void
execute(struct flight *f)
{
	struct store *st = f->kmip->config.store;
	enum err rc = OK;

	store_request(st);
	TRY(f->whole);
	/* around everything: an answer that cannot be sent undoes the batch */
	TRY(store_savepoint(st));
	run_batch(f);
	rc = f->whole;
	if (rc == OK)
		rc = write_parts(f, f->parts, f->part_count);
	rc = store_savepoint_end(st, rc);
out:
	if (rc != OK)
		write_failure(f, rc);
	if (!store_must_wait(st)) {
		send(f);
		return;
	}
	keep_parts(f);
	f->waiter = (struct store_waiter){.done = committed, .ctx = f};
	store_wait(st, &f->waiter);
}

/*
 * Slow work first, then the master key where the HSM has to be asked for it:
 * it is lent for as short as can be.
 */

static bool
any_part(const struct flight *f, enum op_flag flag)
{
	size_t n;

	for (n = 0; n < f->part_count; n++) {
		if (f->parts[n].op != NULL &&
		    (f->parts[n].op->flags & flag) != 0)
			return true;
	}
	return false;
}

static bool
needs_loan(const struct flight *f)
{
	return keystore_lends(f->kmip->config.keystore) &&
	       any_part(f, OP_VALUES);
}

/* What came of it is told by the first value that needs it. */
static void
lent(struct keystore_loan *loan)
{
	struct flight *f = loan->ctx;

	f->rq.loan = loan;
	f->rq.now_s = env_wall_s(f->kmip->config.env);
	execute(f);
}

static void
borrow(struct flight *f)
{
	const struct kmip_config *config = &f->kmip->config;

	if (f->whole == OK && needs_loan(f)) {
		f->loan.done = lent;
		f->loan.ctx = f;
		f->whole =
		    keystore_lend(config->keystore, config->hsm_pool, &f->loan);
		if (f->whole == OK)
			return;
	}
	execute(f);
}

static void
work(void *ctx)
{
	struct flight *f = ctx;
	size_t n;

	for (n = 0; n < f->part_count; n++) {
		struct slow *slow = f->parts[n].slow;

		if (slow != NULL) {
			slow->work(slow);
			/* what follows a failure in a batch that stops there
			 * is not wanted any more */
			if (slow->rc != OK &&
			    f->on_error !=
				BATCH_ERROR_CONTINUATION_OPTION_CONTINUE)
				break;
		}
	}
}

static void
worked(void *ctx, enum err rc)
{
	struct flight *f = ctx;

	f->whole = rc;
	f->rq.now_s = env_wall_s(f->kmip->config.env);
	borrow(f);
}

static bool
has_slow(const struct flight *f)
{
	size_t n;

	for (n = 0; n < f->part_count; n++) {
		if (f->parts[n].op != NULL && f->parts[n].op->prepare != NULL)
			return true;
	}
	return false;
}

/* Read the message again from a copy that stays, and see what is to do. */
static enum err
prepare(struct flight *f, struct bytes message, bool *slow)
{
	size_t n;
	enum err rc = OK;

	*slow = false;
	arena_reset(f->rq.arena);
	f->parts = NULL;
	f->part_count = 0;
	TRY(buf_put(&f->message, message));
	TRY(read_message(f, buf_peek(&f->message)));
	for (n = 0; n < f->part_count; n++) {
		struct part *part = &f->parts[n];
		const struct item *in;

		if (part->op == NULL || part->op->prepare == NULL)
			continue;
		in = item_find(part->in, TAG_REQUEST_PAYLOAD);
		/* what is wrong with a payload is told when its turn comes */
		if (schema_check_payload(in, part->operation, f->rq.version,
			&f->rq.fault) != OK ||
		    check_door(&f->rq, part->op) != OK ||
		    part->op->prepare(&f->rq, in, &part->slow) != OK)
			continue;
		*slow = *slow || part->slow != NULL;
	}
	f->rq.fault.text[0] = '\0';
out:
	return rc;
}

/* req: KS-03-021 KS-28-071 */
static enum err
choose_scopes(struct request *rq)
{
	struct appliance *appliance = rq->config->appliance;
	enum err rc = OK;

	rq->own[0] = rq->identity;
	rq->own[1] = BYTES_NONE; /* global */
	rq->scopes = rq->own;
	rq->scope_count = rq->identity.octets != 0 ? 2 : 1;
	key_user_global(&rq->user);
	if (rq->door->profile != KEY_KEYSECURE || appliance == NULL ||
	    rq->identity.octets == 0)
		return OK;
	rc = key_user_take(appliance, rq->identity, &rq->user);
	if (rc == ERR_NOT_FOUND) {
		rq->identity = BYTES_NONE; /* nobody's who is let in */
		rc = ERR_AUTHENTICATION;
	}
	TRY(rc);
	rq->scopes = rq->user.scopes;
	rq->scope_count = rq->user.scope_count;
out:
	return rc;
}

void
kmip_message(struct kmip *k, const struct key_door *door, struct bytes message,
    kmip_answer_fn *answer, void *ctx, uint64_t number)
{
	struct flight *f = NULL;
	bool slow = false;
	enum err rc = OK;

	if (flight_new(k, &f) != OK) {
		/* not even an answer: the connection has to close */
		answer(ctx, number, BYTES_NONE);
		return;
	}
	f->answer_fn = answer;
	f->answer_ctx = ctx;
	f->number = number;
	f->answer_octets = ANSWER_MAX_OCTETS;
	f->whole = OK;
	f->failure.done = false;
	f->waits = false;
	f->correlate = false;
	f->rq.config = &k->config;
	f->rq.door = door;
	f->rq.identity = door->user;
	f->rq.now_s = env_wall_s(k->config.env);
	TRY(read_message(f, message));
	TRY(choose_scopes(&f->rq));
	/* what has to wait is read again from a copy that stays */
	if (has_slow(f) || needs_loan(f))
		TRY(prepare(f, message, &slow));
	if (slow)
		TRY(loop_submit(k->config.workers, work, worked, f));
	else
		borrow(f);
	return;
out:
	write_failure(f, rc);
	send(f);
}
