#include "answer.h"

#include "touchstone_tags.h"

/* A text that a server sent: cut at its first NUL octet. */
const char *
answer_text(struct arena *a, const struct node *n)
{
	if (n == NULL || n->type != TYPE_TEXT_STRING)
		return NULL;
	return arena_printf(a, "%.*s", (int)n->length, (const char *)n->value);
}

enum err
answer_read(
    struct arena *a, const struct node *root, unsigned n, struct answer *out)
{
	const struct node *item, *status, *reason;

	if (root == NULL || root->tag != TAG_RESPONSE_MESSAGE)
		return ERR_MISSING;
	item = node_find(root, TAG_BATCH_ITEM);
	for (; item != NULL && n > 0; n--)
		for (item = item->next;
		     item != NULL && item->tag != TAG_BATCH_ITEM;
		     item = item->next)
			;
	status = node_find(item, TAG_RESULT_STATUS);
	if (status == NULL)
		return ERR_MISSING;
	reason = node_find(item, TAG_RESULT_REASON);
	out->status = (uint32_t)node_number(status);
	out->reason = reason != NULL ? (uint32_t)node_number(reason) : 0;
	out->text = answer_text(a, node_find(item, TAG_RESULT_MESSAGE));
	out->payload = node_find(item, TAG_RESPONSE_PAYLOAD);
	return OK;
}
