#include "kmip/op.h"

static bool
is_asked_for(const struct item *in, enum version v)
{
	bool any = false;

	ITEM_EACH (in, item) {
		if (item->tag != TAG_PROTOCOL_VERSION)
			continue;
		any = true;
		if (item_number(item, TAG_PROTOCOL_VERSION_MAJOR, 0) ==
			v >> 8 &&
		    item_number(item, TAG_PROTOCOL_VERSION_MINOR, 0) ==
			(v & 0xff))
			return true;
	}
	return !any;
}

/* spec: kmip-1.4 4.26, kmip-2.1 6.1.16 */
enum err
op_discover_versions(
    struct request *rq, const struct item *in, struct item *out)
{
	struct item *version;
	enum err rc = OK;
	size_t k;

	/* the most preferred one first: the newest */
	for (k = VERSION_COUNT; k-- > 0;) {
		enum version v = schema_versions[k];

		if (!is_asked_for(in, v))
			continue;
		TRY(item_add_structure(
		    rq->arena, out, TAG_PROTOCOL_VERSION, &version));
		TRY(item_add_number(rq->arena, version,
		    TAG_PROTOCOL_VERSION_MAJOR, INTEGER, v >> 8));
		TRY(item_add_number(rq->arena, version,
		    TAG_PROTOCOL_VERSION_MINOR, INTEGER, v & 0xff));
	}
out:
	return rc;
}
