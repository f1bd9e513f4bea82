#include "token/call.h"

#include <stddef.h>

#define KIND(kind, n) CALL_##kind,

const struct call calls[CALL_COUNT] = {
#define CALL(number, name, effect, ...) \
	{number, #name, effect, {CALL_EACH(KIND, __VA_ARGS__) CALL_END}},
#include "token/call.def"
#undef CALL
};

enum call_id
call_find(unsigned number)
{
	/* the rows stand in the function list's order, without a gap */
	if (number < calls[0].number || number - calls[0].number >= CALL_COUNT)
		return CALL_COUNT;
	return (enum call_id)(number - calls[0].number);
}
