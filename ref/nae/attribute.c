#include "nae/attribute.h"

static enum err
attribute_read(
    struct nae_request *rq, const struct element *e, struct nae_attribute *out)
{
	const struct element *name = element_find(e, EL_NAME);
	const struct element *value = element_find(e, EL_VALUE);

	if (name == NULL)
		return nae_refuse_element(rq, NAE_MISSING, EL_NAME);
	if (value == NULL)
		return nae_refuse_element(rq, NAE_MISSING, EL_VALUE);
	out->name = name->text;
	out->value = value->text;
	return OK;
}

enum err
nae_attributes_read(struct nae_request *rq, const struct element *parent,
    struct nae_attribute **out, size_t *count)
{
	const struct element *list = element_find(parent, EL_CUSTOM_ATTRIBUTES);
	size_t k = 0;
	enum err rc = OK;

	*out = NULL;
	*count = 0;
	if (list == NULL)
		return OK;
	ELEMENT_EACH (list, child)
		k += child->what == EL_CUSTOM_ATTRIBUTE;
	TRY(ARENA_ARRAY(rq->arena, *out, k + 1));
	ELEMENT_EACH (list, each) {
		if (each->what == EL_CUSTOM_ATTRIBUTE)
			TRY(attribute_read(rq, each, &(*out)[(*count)++]));
	}
out:
	return rc;
}
