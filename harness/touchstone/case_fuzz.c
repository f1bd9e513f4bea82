/* A case is read or said to be none; its requests can be sent either way. */
#include "case.h"
#include "ttlv.h"
#include "vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = arena_new();
	struct test_case *c =
	    case_parse(a, "fuzz", "f.xml", (struct bytes){data, octets});
	struct vars *v = vars_new(a, 1, "p");
	struct buf out = {0};
	struct node *n;
	struct fault f;

	for (const struct step *s = c->steps; s != NULL; s = s->next)
		if (vars_fill(v, a, s->request, 0, &n, &f) == OK)
			ttlv_encode(n, &out);
	buf_clear(&out);
	arena_free(a);
	return 0;
}
