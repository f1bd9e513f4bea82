#include "nae_mutate.h"

#include "mutate.h"
#include "nae_match.h"
#include "nae_talk.h"

#include <string.h>

/* A request and its tags; those of data stand at its end. */
struct victim {
	struct bytes in;
	struct tag {
		size_t at, end; /* of its `<`, behind its `>` */
	} * tags;
	unsigned count;
	struct buf *out;
};

/* The k-th broken copy, appended to the victim's `out`; false: there is none.
 */
typedef bool mutator_fn(struct victim *v, unsigned k);

static void
put(struct victim *v, size_t from, size_t to)
{
	buf_put(v->out, (struct bytes){v->in.at + from, to - from});
}

/* Something behind the k-th tag, in the first root element. */
static bool
insert(struct victim *v, unsigned k, struct bytes what)
{
	size_t at;

	if (k + 1 >= v->count)
		return false;
	at = v->tags[k].end;
	put(v, 0, at);
	buf_put(v->out, what);
	put(v, at, v->in.octets);
	return true;
}

static bool
cut_short(struct victim *v, unsigned k)
{
	if (k + 1 >= v->count)
		return false;
	put(v, 0, v->tags[k + 1].at);
	return true;
}

static bool
end_other(struct victim *v, unsigned k)
{
	for (unsigned i = 0; i < v->count; i++) {
		if (v->in.at[v->tags[i].at + 1] != '/' || k-- > 0)
			continue;
		put(v, 0, v->tags[i].end - 1);
		buf_text(v->out, "x");
		put(v, v->tags[i].end - 1, v->in.octets);
		return true;
	}
	return false;
}

static bool
tag_open(struct victim *v, unsigned k)
{
	if (k + 1 >= v->count)
		return false;
	put(v, 0, v->tags[k].end - 1);
	put(v, v->tags[k].end, v->in.octets);
	return true;
}

static bool
reference(struct victim *v, unsigned k)
{
	static const char password[] = "<Passw";

	/* in a password it is text: put it before */
	if (k > 0 && k < v->count &&
	    v->in.octets - v->tags[k].at > strlen(password) &&
	    memcmp(v->in.at + v->tags[k].at, password, strlen(password)) == 0)
		k--;
	return insert(v, k, bytes_of_text("&nobody;"));
}

static bool
control(struct victim *v, unsigned k)
{
	return insert(v, k, bytes_of_text("\001"));
}

static bool
latin_1(struct victim *v, unsigned k)
{
	return insert(v, k, bytes_of_text("\344"));
}

static bool
comment(struct victim *v, unsigned k)
{
	return insert(v, k, bytes_of_text("<!-- -->"));
}

static bool
deep(struct victim *v, unsigned k)
{
	if (k > 0)
		return false;
	put(v, 0, v->tags[0].end);
	for (unsigned i = 0; i < MUTATE_DEPTH; i++)
		buf_text(v->out, "<D>");
	for (unsigned i = 0; i < MUTATE_DEPTH; i++)
		buf_text(v->out, "</D>");
	put(v, v->tags[0].end, v->in.octets);
	return true;
}

/* The k-th size of a chunk becomes another one. */
static bool
size_is(struct victim *v, unsigned k, const char *(*say)(size_t))
{
	static const char data[] = "<Data>", size[] = "<Size>";
	const uint8_t *at = memmem(v->in.at, v->in.octets, data, strlen(data));
	size_t from, to, octets = 0;

	for (unsigned i = 0; at != NULL && i <= k; i++)
		at = memmem(at + 1, v->in.octets - (size_t)(at + 1 - v->in.at),
		    size, strlen(size));
	if (at == NULL)
		return false;
	from = to = (size_t)(at - v->in.at) + strlen(size);
	while (to < v->in.octets && v->in.at[to] >= '0' && v->in.at[to] <= '9')
		octets = octets * 10 + (size_t)(v->in.at[to++] - '0');
	put(v, 0, from);
	buf_text(v->out, say(octets));
	put(v, to, v->in.octets);
	return true;
}

static const char *
number(size_t octets)
{
	static char text[24];

	snprintf(text, sizeof text, "%zu", octets);
	return text;
}

static const char *
one_less(size_t octets)
{
	return number(octets - 1);
}

static const char *
one_more(size_t octets)
{
	return number(octets + 1);
}

static const char *
forty_digits(size_t octets)
{
	(void)octets;
	return "1000000000000000000000000000000000000000";
}

static bool
size_less(struct victim *v, unsigned k)
{
	return size_is(v, k, one_less);
}

static bool
size_more(struct victim *v, unsigned k)
{
	return size_is(v, k, one_more);
}

static bool
size_huge(struct victim *v, unsigned k)
{
	return size_is(v, k, forty_digits);
}

static bool
in_octets(struct victim *v, unsigned k)
{
	put(v, 0, v->in.octets);
	return k == 0;
}

static const struct mutator {
	mutator_fn *make;
	const char *name, *what, *clause;
} mutators[] = {
#define NAE_MUTATOR(function, name, what, clause) \
	{function, name, what, clause},
#include "mutator.def"
};

#define MUTATORS (sizeof mutators / sizeof *mutators)

/* Tags of the first root element: what follows may be data. */
static struct victim
new_victim(struct arena *a, struct bytes request, struct buf *out)
{
	struct victim v = {.in = request, .out = out};
	unsigned depth = 0;

	v.tags = ARENA_ARRAY(a, request.octets / 2 + 1, struct tag);
	for (size_t i = 0; i < request.octets; i++) {
		const uint8_t *end;
		struct tag *t = &v.tags[v.count];

		if (request.at[i] != '<')
			continue;
		end = memchr(request.at + i, '>', request.octets - i);
		if (end == NULL)
			break;
		*t = (struct tag){i, (size_t)(end - request.at) + 1};
		v.count++;
		if (request.at[i + 1] == '/')
			depth--;
		else if (end[-1] != '/')
			depth++;
		i = t->end - 1;
		if (depth == 0)
			break;
	}
	return v;
}

static bool
make_copy(struct arena *a, const struct mutator *m, struct bytes request,
    unsigned k, struct bytes *out)
{
	struct buf copy = {0};
	struct victim v = new_victim(a, request, &copy);
	bool made = v.count > 0 && m->make(&v, k);

	*out = (struct bytes){arena_copy(a, buf_peek(&copy)), copy.octets};
	buf_clear(&copy);
	return made;
}

bool
nae_mutate_copy(struct arena *a, const char *name, struct bytes request,
    unsigned k, struct bytes *out)
{
	for (size_t i = 0; i < MUTATORS; i++)
		if (strcmp(mutators[i].name, name) == 0)
			return make_copy(a, &mutators[i], request, k, out);
	return false;
}

/* --- tests --------------------------------------------------------------- */

static const char *const own_requests[] = {
    "<RandGenRequest><ID>1</ID><Size>2</Size></RandGenRequest>",
    "<CryptoRequest><ID>1</ID><Action>ENCRYPT</Action><KeyName>nobody"
    "</KeyName><Algorithm>AES</Algorithm></CryptoRequest>"
    "<Data><Size>3</Size>abc<Size>1</Size>d</Data>",
};

/* What one of these tests breaks, and how. */
struct mutation {
	const struct mutator *mutator;
	const struct nae_case *c; /* NULL: a request of our own */
	const char *own;
};

/* What the case sends first, and as whom; NULL: it sends nothing. */
static const struct nae_step *
first_send(const struct nae_case *c, const char **user)
{
	*user = NULL;
	for (const struct nae_step *s = c->steps; s != NULL; s = s->next) {
		if (s->act == NAE_CONNECT)
			*user = s->user;
		if (s->act == NAE_SEND)
			return s;
	}
	return NULL;
}

/* The connection as the case has it: logged in, where it is. */
static enum err
open_as(struct arena *a, const struct bench *b, struct outcome *o,
    const char *name, struct nae_talk **out, struct fault *why)
{
	const struct user *u =
	    name == NULL ? NULL : target_user(b->target, name);
	struct nae_message answer;
	struct buf auth = {0};
	enum err rc = OK;

	TRY(nae_talk_open(
	    a, doors_nae(b->doors, u), o->wire, b->flags, "mutant", out, why));
	if (u == NULL)
		goto out;
	nae_put_auth(&auth, bytes_of_text(u->user), bytes_of_text(u->password));
	TRY(nae_talk_send(*out, 0, buf_peek(&auth), 0, why));
	TRY(nae_talk_receive(*out, &answer, &o->finding));
out:
	buf_clear(&auth);
	return rc;
}

/* A refusal, or the end; of what is whole, an answer. */
static enum err
judge(struct nae_talk *t, bool is_whole, struct finding *f)
{
	struct nae_message answer;
	enum err rc = nae_talk_receive(t, &answer, f);

	if (rc == ERR_CLOSED && !is_whole)
		return OK;
	if (rc == OK && !is_whole && !nae_is_failure(&answer)) {
		finding_expected(f, "Success false, or the connection closed");
		finding_got(f, "<%s>", answer.root->name);
		rc =
		    nae_finding(f, ERR_VALUE, answer.root, answer.root->offset);
	}
	if (rc == OK || f->kind != OK)
		return rc;
	finding_expected(f, "%s", is_whole ? "an answer" : "a refusal");
	finding_got(f, "%s", err_text(rc));
	return nae_finding(f, rc, NULL, 0);
}

static bool
send_copy(struct arena *a, const struct mutation *m, const struct bench *b,
    struct outcome *o, unsigned n, struct bytes copy, const char *user)
{
	bool is_whole = m->mutator->make == in_octets;
	bool is_cut = m->mutator->make == cut_short;
	struct nae_talk *t = NULL;
	struct fault why = {""};
	enum err rc;

	o->step = n;
	o->finding = (struct finding){0};
	rc = open_as(a, b, o, user, &t, &why);
	if (rc == OK)
		rc = nae_talk_send(t, n, copy, is_whole ? 1 : 0, &why);
	if (t == NULL || (rc != OK && rc != ERR_CLOSED)) {
		nae_talk_close(t);
		outcome_unknown(a, o, why.text);
		return false;
	}
	rc = is_cut ? OK : judge(t, is_whole, &o->finding);
	nae_talk_close(t);
	if (rc != OK) {
		outcome_fail(
		    a, b, o, arena_printf(a, "copy %u: %s", n, err_text(rc)));
		return false;
	}
	if (!nae_is_alive(a, b, &why)) {
		outcome_unknown(a, o,
		    arena_printf(a, "copy %u, then the target was dead: %s", n,
			why.text));
		return false;
	}
	return true;
}

static unsigned
count_copies(struct arena *a, const struct mutator *m, struct bytes request)
{
	struct bytes copy;
	unsigned count = 0;

	while (make_copy(a, m, request, count, &copy))
		count++;
	return count;
}

static void
run(struct arena *a, const struct test *t, const struct bench *b,
    struct outcome *o)
{
	const struct mutation *m = t->own;
	const char *user = NULL;
	struct buf request = {0};
	unsigned count, stride, n = 0;
	struct bytes copy;

	o->is_alive = nae_is_alive;
	if (m->c == NULL)
		buf_text(&request, m->own);
	else
		nae_body_send(first_send(m->c, &user)->body,
		    nae_vars_new(a, b->target, b->seed, t->id), &request);
	count = count_copies(a, m->mutator, buf_peek(&request));
	stride = count / MUTATE_MAX_COPIES + 1;
	o->verdict = VERDICT_PASS;
	if (count == 0)
		outcome_not_run(a, o, "the request has nothing of the kind");
	for (unsigned k = (unsigned)(b->seed % stride);
	     make_copy(a, m->mutator, buf_peek(&request), k, &copy);
	     k += stride)
		if (!send_copy(a, m, b, o, ++n, copy, user))
			break;
	buf_clear(&request);
}

static const char *
unclaimed(struct arena *a, const struct test *t, const struct target *target)
{
	const struct mutation *m = t->own;

	(void)a;
	if (!target_claims_family(target, "mutate"))
		return "family mutate";
	if (m->c != NULL)
		for (size_t i = 0; i < m->c->requests.count; i++)
			if (!words_have(
				&target->nae_requests, m->c->requests.at[i]))
				return arena_printf(
				    a, "request %s", m->c->requests.at[i]);
	return target->nae_port == 0 ? "NAE-XML" : NULL;
}

static void
add(struct arena *a, struct tests *list, struct mutation mutation,
    const char *of)
{
	struct test *t = ARENA_NEW(a, struct test);
	struct mutation *m = ARENA_NEW(a, struct mutation);

	*m = mutation;
	t->version = "NAE-XML";
	t->id = arena_printf(a, "mutate/%s/%s", m->mutator->name, of);
	t->family = "mutate";
	t->level = "must";
	t->mark = "C";
	t->title = m->mutator->what;
	words_add(a, &t->clauses, m->mutator->clause);
	t->unclaimed = unclaimed;
	t->run = run;
	t->own = m;
	tests_add(list, t);
}

void
nae_mutate_add(struct arena *a, const struct target *t, struct tests *list)
{
	(void)t;
	for (size_t i = 0; i < sizeof own_requests / sizeof *own_requests; i++)
		for (size_t k = 0; k < MUTATORS; k++) {
			struct bytes copy;

			if (make_copy(a, &mutators[k],
				bytes_of_text(own_requests[i]), 0, &copy))
				add(a, list,
				    (struct mutation){
					&mutators[k], NULL, own_requests[i]},
				    arena_printf(a, "own-%zu", i + 1));
		}
}

static bool
has_data(const struct nae_piece *p)
{
	for (; p != NULL; p = p->next)
		if (p->kind == PIECE_DATA)
			return true;
	return false;
}

static bool
is_of_data(const struct mutator *m)
{
	return m->make == size_less || m->make == size_more ||
	       m->make == size_huge;
}

void
nae_mutate_add_case(
    struct arena *a, const struct nae_case *c, struct tests *list)
{
	const struct nae_step *s;
	const char *user;

	/* of requests that are good: what a refused case sends may be broken */
	if (c->broken != NULL || c->is_refusal)
		return;
	s = first_send(c, &user);
	for (size_t k = 0; s != NULL && k < MUTATORS; k++)
		if (!is_of_data(&mutators[k]) || has_data(s->body))
			add(a, list, (struct mutation){&mutators[k], c, NULL},
			    c->id);
}
