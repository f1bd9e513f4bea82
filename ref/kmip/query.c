#include "device/birth.h"
#include "kmip/attributes.h"
#include "kmip/op.h"
#include "kmip/value.h"

static enum err
operations(struct request *rq, struct item *out)
{
	const struct op *op;
	enum err rc = OK;
	size_t row;

	for (row = 0; (op = op_row(row)) != NULL; row++) {
		if (op_find(op->code, rq->version) != NULL)
			TRY(item_add_number(rq->arena, out, TAG_OPERATION,
			    ENUMERATION, op->code));
	}
out:
	return rc;
}

static enum err
objects(struct request *rq, struct item *out)
{
	uint32_t type;
	enum err rc = OK;

	for (type = OBJECT_TYPE_CERTIFICATE;
	     type <= OBJECT_TYPE_CERTIFICATE_REQUEST; type++) {
		if (value_tag(type) != 0 &&
		    schema_value_in(TAG_OBJECT_TYPE, type, rq->version))
			TRY(item_add_number(rq->arena, out, TAG_OBJECT_TYPE,
			    ENUMERATION, type));
	}
out:
	return rc;
}

static enum err
server_information(struct request *rq, struct item *out)
{
	struct item *information;
	enum err rc = OK;

	TRY(item_add_text(
	    rq->arena, out, TAG_VENDOR_IDENTIFICATION, rq->config->vendor));
	/* spec: kmip-1.4 4.25: a structure of the vendor's own */
	TRY(item_add_structure(
	    rq->arena, out, TAG_SERVER_INFORMATION, &information));
out:
	return rc;
}

static enum err
rngs(struct request *rq, struct item *out)
{
	struct item *rng;
	enum err rc = OK;

	TRY(item_add_structure(rq->arena, out, TAG_RNG_PARAMETERS, &rng));
	TRY(birth_add_rng(rq->arena, rng));
out:
	return rc;
}

static enum err
storage_protection_masks(struct request *rq, struct item *out)
{
	struct item *masks;
	enum err rc = OK;

	TRY(item_add_structure(
	    rq->arena, out, TAG_PROTECTION_STORAGE_MASKS, &masks));
	TRY(item_add_number(rq->arena, masks, TAG_PROTECTION_STORAGE_MASK,
	    INTEGER, PROTECTION_STORAGE_MASK_SOFTWARE));
out:
	return rc;
}

static enum err
capabilities(struct request *rq, struct item *out)
{
	static const struct {
		enum tag tag;
		bool has;
	} rows[] = {
	    {TAG_STREAMING_CAPABILITY, false},
	    {TAG_ASYNCHRONOUS_CAPABILITY, false},
	    {TAG_ATTESTATION_CAPABILITY, false},
	    {TAG_BATCH_UNDO_CAPABILITY, true},
	    {TAG_BATCH_CONTINUE_CAPABILITY, true},
	};
	struct item *information;
	enum err rc = OK;
	size_t k;

	TRY(item_add_structure(
	    rq->arena, out, TAG_CAPABILITY_INFORMATION, &information));
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
		TRY(item_add_number(
		    rq->arena, information, rows[k].tag, BOOLEAN, rows[k].has));
out:
	return rc;
}

/*
 * A function that is not here has nothing to tell.
 *
 * req: KS-AE-093
 */
static const struct {
	uint32_t function;
	enum err (*tell)(struct request *rq, struct item *out);
} functions[] = {
    {QUERY_FUNCTION_QUERY_OPERATIONS, operations},
    {QUERY_FUNCTION_QUERY_OBJECTS, objects},
    {QUERY_FUNCTION_QUERY_SERVER_INFORMATION, server_information},
    {QUERY_FUNCTION_QUERY_RNGS, rngs},
    {QUERY_FUNCTION_QUERY_CAPABILITIES, capabilities},
    {QUERY_FUNCTION_QUERY_STORAGE_PROTECTION_MASKS, storage_protection_masks},
};

/*
 * spec: kmip-1.4 4.25, kmip-2.1 6.1.40
 * req: KS-AE-091
 */
enum err
op_query(struct request *rq, const struct item *in, struct item *out)
{
	bool told[sizeof(functions) / sizeof(functions[0])] = {false};
	enum err rc = OK;
	size_t k;

	ITEM_EACH (in, item) {
		for (k = 0; k < sizeof(told); k++) {
			if (item->tag != TAG_QUERY_FUNCTION ||
			    item->number != functions[k].function || told[k])
				continue;
			told[k] = true;
			TRY(functions[k].tell(rq, out));
		}
	}
out:
	return rc;
}
