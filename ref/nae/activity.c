/*
 * What the Activity Log has of each kind of request: its key, and the detail.
 *
 * Source: guide chapter 21, "Activity Logs"
 */
#include "device/key.h"
#include "nae/request.h"

/* req: KS-21-031 KS-21-038 KS-21-039 KS-21-043 KS-21-044 */
void
nae_log_plain(struct nae_request *rq, struct activity *line)
{
	line->key = element_text(rq->root, EL_KEY_NAME);
	activity_add(rq->config->appliance, line);
}

/* req: KS-21-035 */
void
nae_log_user(struct nae_request *rq, struct activity *line)
{
	activity_word(line, element_text(rq->root, EL_USER));
	activity_add(rq->config->appliance, line);
}

/* req: KS-21-040 */
void
nae_log_size(struct nae_request *rq, struct activity *line)
{
	activity_word(line, element_text(rq->root, EL_SIZE));
	activity_add(rq->config->appliance, line);
}

/* If the client has set it: its name, and to what. */
static void
put_mark(
    const struct nae_request *rq, enum element_name what, struct activity *line)
{
	const struct element *e = element_find(rq->root, what);

	if (e == NULL)
		return;
	activity_word(line, bytes_of_text(element_word(what)));
	/* an empty one is set */
	activity_word(
	    line, e->text.octets != 0 ? e->text : bytes_of_text("true"));
}

static void
log_key(struct nae_request *rq, const struct key_algorithm *made,
    struct activity *line)
{
	struct bytes size = element_text(rq->root, EL_KEY_SIZE);

	activity_word(line, element_text(rq->root, EL_ALGORITHM));
	if (size.octets != 0)
		activity_word(line, size);
	else if (made != NULL)
		activity_number(line, made->key_bits);
	put_mark(rq, EL_DELETABLE, line);
	put_mark(rq, EL_EXPORTABLE, line);
	nae_log_plain(rq, line);
}

/* Of a size that was not named it is the algorithm's. req: KS-21-036 */
void
nae_log_made(struct nae_request *rq, struct activity *line)
{
	struct bytes word = element_text(rq->root, EL_ALGORITHM);

	log_key(rq, key_algorithm_of_word(word, 0), line);
}

/* req: KS-21-037 */
void
nae_log_import(struct nae_request *rq, struct activity *line)
{
	log_key(rq, NULL, line);
}
