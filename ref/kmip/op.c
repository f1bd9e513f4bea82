#include "kmip/op.h"

static const struct op ops[] = {
#define OP(symbol, run, prepare, tell, flags, clause) \
	{OPERATION_##symbol, run, prepare, tell, flags, clause},
#include "kmip/op.def"
#undef OP
};

const struct op *
op_find(uint32_t code, enum version v)
{
	size_t row;

	for (row = 0; row < OP_COUNT; row++) {
		if (ops[row].code == code)
			return schema_value_in(TAG_OPERATION, code, v)
				   ? &ops[row]
				   : NULL;
	}
	return NULL;
}

const struct op *
op_row(size_t row)
{
	return row < OP_COUNT ? &ops[row] : NULL;
}
