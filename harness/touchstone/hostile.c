#include "hostile.h"

#include "schema.h"
#include "touchstone_tags.h"
#include "ttlv.h"

/* Every Batch Item of the answer tells of failure; of success. */
static bool
all_items(const struct node *answer, bool success)
{
	bool any = false;

	for (const struct node *n = answer->first; n != NULL; n = n->next) {
		const struct node *status;

		if (n->tag != TAG_BATCH_ITEM)
			continue;
		any = true;
		status = node_find(n, TAG_RESULT_STATUS);
		if (status == NULL ||
		    (node_number(status) == RESULT_STATUS_SUCCESS) != success)
			return false;
	}
	return any;
}

static const char *
want_text(enum hostile_want want)
{
	switch (want) {
	case HOSTILE_REFUSAL:
		return "OperationFailed, or the connection closed";
	case HOSTILE_ANSWER:
		return "an answer";
	case HOSTILE_SUCCESS:
		return "Success";
	case HOSTILE_NOTHING:
		break;
	}
	return "nothing";
}

static enum err
judge(struct arena *a, struct outcome *o, struct bytes answer,
    enum hostile_want want)
{
	static const uint32_t path[] = {TAG_BATCH_ITEM, TAG_RESULT_STATUS, 0};
	const struct node *status;
	struct node *root;
	enum err rc = OK;

	TRY(ttlv_decode(a, answer, &root, &o->finding));
	finding_expected(&o->finding, "%s", want_text(want));
	if (root->tag != TAG_RESPONSE_MESSAGE) {
		finding_got(&o->finding, "%s", schema_tag_name(root->tag));
		return finding_at(&o->finding, ERR_TAG, root);
	}
	if (want == HOSTILE_ANSWER || all_items(root, want == HOSTILE_SUCCESS))
		return OK;
	status = node_find_path(root, path);
	finding_got(&o->finding, "%s",
	    status == NULL ? "(absent)"
			   : schema_value_name(TAG_RESULT_STATUS,
				 (uint32_t)node_number(status)));
	rc = finding_at(&o->finding, ERR_VALUE, status == NULL ? root : status);
out:
	return rc;
}

/* The message's own header promises more than is sent. */
static bool
is_short(struct bytes octets)
{
	return octets.octets < TTLV_HEADER_OCTETS ||
	       bytes_number(octets.at + 4, 4) >
		   octets.octets - TTLV_HEADER_OCTETS;
}

bool
hostile_send(struct arena *a, const struct bench *b, struct outcome *o,
    unsigned n, struct bytes octets, size_t record_octets,
    enum hostile_want want)
{
	struct fault why = {""};
	struct bytes answer;
	enum err rc;

	o->step = n;
	o->finding = (struct finding){0};
	if (is_short(octets))
		want = HOSTILE_NOTHING;
	if (want == HOSTILE_NOTHING)
		rc = wire_throw(o->wire, n, 0, octets, &why);
	else
		rc = wire_ask_octets(
		    o->wire, n, 0, octets, record_octets, &answer, &why);
	wire_close(o->wire);
	if (rc == ERR_CONNECT || rc == ERR_HANDSHAKE) {
		outcome_unknown(a, o, why.text);
		return false;
	}
	if (rc == OK && want != HOSTILE_NOTHING)
		rc = judge(a, o, answer, want);
	else if (rc == ERR_CLOSED &&
		 (want == HOSTILE_REFUSAL || want == HOSTILE_NOTHING))
		rc = OK;
	if (rc != OK && o->finding.kind == OK) {
		finding_expected(&o->finding, "%s", want_text(want));
		finding_got(&o->finding, "%s", err_text(rc));
		o->finding.kind = rc;
	}
	if (rc != OK) {
		outcome_fail(a, b, o,
		    arena_printf(a, "message %u: %s", n, err_text(rc)));
		return false;
	}
	if (!wire_is_alive(o->wire, b->version, &why)) {
		outcome_unknown(a, o,
		    arena_printf(a, "message %u, then the target was dead: %s",
			n, why.text));
		return false;
	}
	return true;
}
