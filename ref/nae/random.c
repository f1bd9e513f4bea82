#include "nae/request.h"

/* spec: nae-xml 2.8 */
enum err
nae_random(struct nae_request *rq)
{
	struct env *env = rq->config->appliance->env;
	uint64_t left;
	uint8_t *at;
	enum err rc = OK;

	TRY(nae_number(rq, EL_SIZE, 1, NAE_RANDOM_OCTETS, &left));
	TRY(nae_data_begin(rq));
	while (left != 0) {
		size_t some =
		    left < NAE_CHUNK_OCTETS ? (size_t)left : NAE_CHUNK_OCTETS;

		TRY(nae_data_room(rq, some, &at));
		TRY(env_random(env, at, some));
		nae_data_added(rq, some);
		left -= some;
	}
	TRY(nae_data_end(rq));
out:
	return rc;
}
