/* Whatever a server sends is an answer or is found not to be one; what is one
 * can be held against itself, shown and checked. */
#include "nae_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = arena_new();
	struct bytes in = {data, octets};
	struct target t = {0};
	struct nae_vars *v = nae_vars_new(a, &t, 1, "fuzz");
	struct nae_expected x = {0};
	const struct rules rules = {~(uint64_t)0};
	struct buf hex = {0}, text = {0};
	struct nae_message m;
	struct finding f;
	size_t offset = 0, need;

	while (nae_read(a, in, offset, &m, &need, &f) == OK) {
		(void)!nae_check_envelope(&m, &f);
		if (!nae_is_data(&m))
			(void)!nae_match(a, &x, &m, &m, v, &rules, &f);
		(void)nae_data(a, &m);
		offset += m.octets;
	}
	nae_show(in, 0, &hex, &text);
	buf_clear(&hex);
	buf_clear(&text);
	arena_free(a);
	return 0;
}
