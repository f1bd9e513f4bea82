#include <stdlib.h>

#include "crypto/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A word and a name. What is found has just that one, whole or short. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct transform *t;
	enum transform_action action;
	struct bytes name = {data, size};
	size_t k;

	if (transform_action_find(name, &action) &&
	    !bytes_equal_text(name, transform_action_word(action)))
		abort();
	for (k = 0; k < ACTION_COUNT; k++) {
		action = (enum transform_action)k;
		if (transform_find(action, name, &t) != OK)
			continue;
		if (!transform_does(t, action) ||
		    (!bytes_equal_text(name, t->name) &&
			!bytes_equal_text(name, t->short_name)))
			abort();
	}
	return 0;
}
