#include "nae_talk.h"

#include <string.h>

struct nae_talk {
	struct arena *a;
	struct link *link;
	struct wire *wire;
	unsigned flags, n;
	const char *name;
	size_t exchange; /* its place on the record */
	struct buf in;
	size_t at;    /* what is before has been read */
	size_t start; /* of what the exchange received */
	bool is_closed;
};

enum err
nae_talk_open(struct arena *a, struct door *door, struct wire *wire,
    unsigned flags, const char *name, struct nae_talk **out, struct fault *why)
{
	struct nae_talk *t = ARENA_NEW(a, struct nae_talk);
	enum err rc = OK;

	*out = NULL;
	t->a = a;
	t->wire = wire;
	t->flags = flags;
	t->name = name;
	TRY(link_open(door, &t->link, why));
	*out = t;
out:
	return rc;
}

void
nae_talk_close(struct nae_talk *t)
{
	if (t == NULL)
		return;
	link_close(t->link);
	t->link = NULL;
	t->is_closed = true;
	t->at = t->start = 0;
	buf_clear(&t->in);
}

static void
show(struct nae_talk *t, struct bytes octets, const char **hex_out,
    const char **text_out)
{
	struct buf hex = {0}, text = {0};

	nae_show(octets, t->flags, &hex, &text);
	*hex_out = arena_strdup(t->a, buf_peek_text(&hex));
	*text_out = arena_strdup(t->a, buf_peek_text(&text));
	buf_clear(&hex);
	buf_clear(&text);
}

static void
record_received(struct nae_talk *t)
{
	struct exchange *x;

	if (t->wire == NULL || t->n == 0)
		return;
	x = wire_at(t->wire, t->exchange);
	show(t, (struct bytes){t->in.at + t->start, t->in.octets - t->start},
	    &x->received_hex, &x->received_xml);
}

enum err
nae_talk_send(struct nae_talk *t, unsigned n, struct bytes octets,
    size_t split_octets, struct fault *why)
{
	enum err rc = OK;

	t->n = n;
	t->start = t->at;
	if (t->wire != NULL) {
		struct exchange *x =
		    wire_put(t->wire, n, t->name, &t->exchange);

		show(t, octets, &x->sent_hex, &x->sent_xml);
	}
	if (t->is_closed)
		return fault_say(why, ERR_CLOSED, "it was closed before");
	TRY(link_send(t->link, octets, split_octets, why));
out:
	return rc;
}

enum err
nae_talk_receive(struct nae_talk *t, struct nae_message *out, struct finding *f)
{
	size_t need;
	enum err rc;

	(void)buf_reserve(&t->in, 1);
	for (;;) {
		rc = nae_read(t->a, buf_peek(&t->in), t->at, out, &need, f);
		if (rc != ERR_TRUNCATED)
			break;
		rc = t->is_closed ? ERR_CLOSED
				  : link_receive_more(t->link, need, &t->in);
		t->is_closed |= rc == ERR_CLOSED;
		if (rc != OK)
			break;
	}
	if (rc == OK)
		t->at += out->octets;
	record_received(t);
	return rc;
}

struct bytes
nae_talk_octets(const struct nae_talk *t, const struct nae_message *m)
{
	return (struct bytes){t->in.at + t->at - m->octets, m->octets};
}

enum err
nae_talk_closed(struct nae_talk *t, struct finding *f)
{
	enum err rc = t->is_closed ? ERR_CLOSED : OK;

	*f = (struct finding){0};
	if (rc == OK && t->at == t->in.octets)
		rc = link_receive_more(t->link, 1, &t->in);
	t->is_closed |= rc == ERR_CLOSED;
	record_received(t);
	if (rc == ERR_CLOSED && t->at == t->in.octets)
		return OK;
	finding_expected(f, "the connection closed");
	finding_got(f, "%s",
	    rc == ERR_TIMEOUT ? "nothing in the time allowed" : "more octets");
	return nae_finding(
	    f, rc == ERR_TIMEOUT ? rc : ERR_SURPLUS, NULL, t->at);
}

bool
nae_talk_is_quiet(struct nae_talk *t)
{
	return !t->is_closed && t->at == t->in.octets && link_is_quiet(t->link);
}

unsigned
nae_talk_step(const struct nae_talk *t)
{
	return t->n;
}

size_t
nae_talk_start(const struct nae_talk *t)
{
	return t->start;
}

bool
nae_is_alive(struct arena *a, const struct bench *b, struct fault *why)
{
	struct nae_talk *t = NULL;
	struct nae_message answer;
	struct finding f;
	struct buf out = {0};
	enum err rc = OK;

	buf_text(&out, "<VersionRequest><MessageVersion>1.0</MessageVersion>"
		       "<ID>1</ID><VersionList>");
	for (size_t i = 0; i < b->target->nae_versions.count; i++)
		buf_printf(&out, "<Version>%s</Version>",
		    b->target->nae_versions.at[i]);
	buf_text(&out, "</VersionList></VersionRequest>");
	TRY(nae_talk_open(
	    a, doors_nae(b->doors, NULL), NULL, b->flags, "alive", &t, why));
	TRY(nae_talk_send(t, 0, buf_peek(&out), 0, why));
	rc = nae_talk_receive(t, &answer, &f);
	if (rc != OK)
		rc = fault_say(why, rc, "%s", err_text(rc));
	else if (strcmp(answer.root->name, "VersionResponse") != 0)
		rc = fault_say(why, ERR_TAG, "<%s> to a VersionRequest",
		    answer.root->name);
out:
	nae_talk_close(t);
	buf_clear(&out);
	return rc == OK;
}
