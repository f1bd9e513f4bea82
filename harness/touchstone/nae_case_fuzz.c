/* A conversation is read or said to be none; what it sends can be made and
 * broken, what it expects be read. */
#include "nae_case.h"
#include "nae_mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = arena_new();
	struct nae_case *c =
	    nae_case_parse(a, "fuzz", "x/f.nae", (struct bytes){data, octets});
	struct target t = {0};
	struct nae_vars *v = nae_vars_new(a, &t, 1, "fuzz");
	struct nae_expected x;
	struct buf out = {0};
	struct bytes copy;
	struct fault f;

	for (const struct nae_step *s = c->steps; s != NULL; s = s->next) {
		/* a fill of 64 MiB is nothing to be learned from */
		for (struct nae_piece *p = s->body; p != NULL; p = p->next) {
			p->count %= 4096;
			for (struct nae_piece *i = p->inner; i != NULL;
			     i = i->next)
				i->count %= 4096;
		}
		if (s->act == NAE_SEND)
			nae_body_send(s->body, v, &out);
		if (s->act == NAE_EXPECT)
			(void)!nae_body_expect(a, s->body, v, &x, &f);
	}
	for (unsigned k = 0; k < 4; k++)
		(void)nae_mutate_copy(
		    a, "nae-tag-open", buf_peek(&out), k, &copy);
	buf_clear(&out);
	arena_free(a);
	return 0;
}
