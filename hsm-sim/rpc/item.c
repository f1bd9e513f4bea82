#include "rpc/item.h"

enum err
item_put_octet(struct buf *out, uint8_t v)
{
	return buf_put(out, (struct bytes){&v, 1});
}

enum err
item_put_flag(struct buf *out, bool v)
{
	return item_put_octet(out, v ? 1 : 0);
}

enum err
item_put_number(struct buf *out, CK_ULONG v)
{
	uint8_t octets[ITEM_NUMBER_OCTETS];

	bytes_put_u64(octets, v);
	return buf_put(out, (struct bytes){octets, sizeof(octets)});
}

enum err
item_put_octets(struct buf *out, const void *at, CK_ULONG octets)
{
	enum err rc = OK;

	TRY(item_put_flag(out, at != NULL));
	TRY(item_put_number(out, octets));
	if (at != NULL && octets > RPC_OCTETS_MAX)
		TRY(ERR_LIMIT);
	if (at != NULL)
		TRY(buf_put(out, (struct bytes){at, octets}));
out:
	return rc;
}

enum err
item_take_octet(struct bytes *in, uint8_t *v)
{
	struct bytes head;
	enum err rc = OK;

	TRY(bytes_split(in, 1, &head));
	*v = head.at[0];
out:
	return rc;
}

enum err
item_take_flag(struct bytes *in, bool *v)
{
	uint8_t octet;
	enum err rc = OK;

	TRY(item_take_octet(in, &octet));
	if (octet > 1)
		TRY(ERR_VALUE);
	*v = octet == 1;
out:
	return rc;
}

enum err
item_take_number(struct bytes *in, CK_ULONG *v)
{
	struct bytes head;
	enum err rc = OK;

	TRY(bytes_split(in, ITEM_NUMBER_OCTETS, &head));
	*v = (CK_ULONG)bytes_u32(head.at) << 32 | bytes_u32(head.at + 4);
out:
	return rc;
}

enum err
item_take_octets(struct bytes *in, void **at, CK_ULONG *octets)
{
	struct bytes body;
	bool there;
	enum err rc = OK;

	*at = NULL;
	TRY(item_take_flag(in, &there));
	TRY(item_take_number(in, octets));
	if (there && *octets > RPC_OCTETS_MAX)
		TRY(ERR_LIMIT);
	if (there) {
		TRY(bytes_split(in, *octets, &body));
		*at = item_unconst(body.at);
	}
out:
	return rc;
}

void *
item_unconst(const void *at)
{
	return (void *)(uintptr_t)at;
}
