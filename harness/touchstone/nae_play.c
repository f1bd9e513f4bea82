#include "nae_play.h"

#include "nae_match.h"
#include "nae_talk.h"

#include <string.h>

/* A connection of the case. */
struct line {
	struct nae_talk *talk;
	bool is_ended;   /* by a fatal error, by us, by the server */
	bool is_waiting; /* an answer is due */
};

struct stage {
	struct arena *a;
	const struct nae_case *c;
	const struct bench *b;
	struct outcome *o;
	struct nae_vars *vars;
	struct line lines[NAE_MAX_CONNECTIONS];
	const char *server_says;
};

static const char *
unclaimed(struct arena *a, const struct test *test, const struct target *t)
{
	const struct nae_case *c = test->own;
	const struct {
		const char *what;
		const struct words *needs, *claimed;
	} lists[] = {{"NAE-XML", &c->versions, &t->nae_versions},
	    {"request", &c->requests, &t->nae_requests},
	    {"algorithm", &c->algorithms, &t->nae_algorithms},
	    {"feature", &c->needs, &t->features}};

	if (t->nae_port == 0)
		return "NAE-XML";
	if (!target_claims_family(t, c->family))
		return arena_printf(a, "family %s", c->family);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		for (size_t k = 0; k < lists[i].needs->count; k++)
			if (!words_have(
				lists[i].claimed, lists[i].needs->at[k]))
				return arena_printf(a, "%s %s", lists[i].what,
				    lists[i].needs->at[k]);
	return NULL;
}

/* --- how it fails -------------------------------------------------------- */

/* What the server says of a failure that the case does not expect. */
static const char *
server_words(struct arena *a, const struct nae_message *m)
{
	const char *id = nae_text(m->root, "ErrorID");
	const char *words = nae_text(m->root, "ErrorString");

	if (!nae_is_failure(m))
		return "";
	return arena_printf(a, "; the server says %s%s%s", id == NULL ? "" : id,
	    id == NULL ? "" : ": ", words == NULL ? "(nothing)" : words);
}

/* The finding is of that connection: offsets count from its exchange's start.
 */
static void
fail(struct stage *s, const struct nae_step *step, enum err rc)
{
	struct nae_talk *t = s->lines[step->connection].talk;
	struct finding *f = &s->o->finding;
	size_t start = nae_talk_start(t);

	if (f->kind == OK) {
		if (f->expected[0] == 0)
			finding_expected(f, "an answer");
		finding_got(f, "%s", err_text(rc));
		f->kind = rc;
	}
	f->offset = f->offset > start ? f->offset - start : 0;
	s->o->step = nae_talk_step(t);
	outcome_fail(s->a, s->b, s->o,
	    arena_printf(s->a, "step %u, line %u: %s%s", step->n, step->line,
		err_text(rc), s->server_says));
}

static void
give_up(struct stage *s, const struct nae_step *step, const char *why)
{
	outcome_unknown(s->a, s->o,
	    arena_printf(
		s->a, "step %u, line %u: %s", step->n, step->line, why));
}

/* The next root element; `what` is to come. */
static enum err
receive(struct stage *s, unsigned connection, const char *what,
    struct nae_message *got)
{
	struct finding *f = &s->o->finding;
	enum err rc = nae_talk_receive(s->lines[connection].talk, got, f);

	if (rc != OK && f->kind == OK)
		finding_expected(f, "%s", what);
	return rc;
}

/* --- steps --------------------------------------------------------------- */

/* The words behind `as`, as octets. */
static struct bytes
value_of(struct stage *s, const char *word)
{
	const struct bytes *value =
	    word[0] == '$' ? nae_vars_find(s->vars, word + 1) : NULL;

	return value != NULL ? *value : bytes_of_text(word);
}

static void
put_auth(struct stage *s, const struct nae_step *step, struct buf *out)
{
	const struct user *u = target_user(s->b->target, step->user);
	struct bytes name, password;

	name = u != NULL ? bytes_of_text(u->user) : value_of(s, step->user);
	password = u != NULL ? bytes_of_text(u->password)
			     : value_of(s, step->password);
	nae_put_auth(out, name, password);
}

/* Authenticate, and see that it went well. */
static enum err
authenticate(struct stage *s, const struct nae_step *step)
{
	struct nae_talk *t = s->lines[step->connection].talk;
	struct finding *f = &s->o->finding;
	struct nae_message answer;
	struct fault why = {""};
	struct buf out = {0};
	enum err rc = OK;

	put_auth(s, step, &out);
	TRY(nae_talk_send(t, step->n, buf_peek(&out), 0, &why));
	TRY(receive(s, step->connection, "<AuthResponse>", &answer));
	TRY(nae_check_envelope(&answer, f));
	if (strcmp(answer.root->name, "AuthResponse") != 0 ||
	    nae_is_failure(&answer)) {
		s->server_says = server_words(s->a, &answer);
		finding_expected(f, "<AuthResponse>, Success true");
		finding_got(f, "<%s>, Success %s", answer.root->name,
		    nae_text(answer.root, "Success"));
		rc =
		    nae_finding(f, ERR_VALUE, answer.root, answer.root->offset);
	}
out:
	buf_clear(&out);
	if (rc != OK)
		fail(s, step, rc);
	return rc;
}

static enum err
do_connect(struct stage *s, const struct nae_step *step)
{
	const struct target *target = s->b->target;
	struct line *l = &s->lines[step->connection];
	struct fault why = {""};
	const struct user *u =
	    step->user == NULL ? NULL : target_user(target, step->user);
	enum err rc;

	nae_talk_close(l->talk);
	*l = (struct line){0};
	rc = nae_talk_open(s->a, doors_nae(s->b->doors, u), s->o->wire,
	    s->b->flags, s->c->connections[step->connection], &l->talk, &why);
	if (rc != OK) {
		give_up(s, step, why.text);
		return rc;
	}
	return step->user == NULL ? OK : authenticate(s, step);
}

static enum err
do_send(struct stage *s, const struct nae_step *step)
{
	struct line *l = &s->lines[step->connection];
	struct fault why = {""};
	struct buf out = {0};
	enum err rc;

	nae_body_send(step->body, s->vars, &out);
	rc = nae_talk_send(
	    l->talk, step->n, buf_peek(&out), step->split_octets, &why);
	buf_clear(&out);
	l->is_waiting = true;
	/* a server may close before it has all: what it says decides */
	if (rc == ERR_CLOSED)
		rc = OK;
	if (rc != OK)
		fail(s, step, rc);
	return rc;
}

static enum err
do_closed(struct stage *s, const struct nae_step *step)
{
	struct line *l = &s->lines[step->connection];
	enum err rc = nae_talk_closed(l->talk, &s->o->finding);

	l->is_ended = true;
	if (rc != OK)
		fail(s, step, rc);
	return rc;
}

/* One root element more. */
static enum err
expect_one(struct stage *s, const struct nae_step *step,
    const struct nae_expected *x, const struct nae_message *expected,
    struct nae_message *got)
{
	struct finding *f = &s->o->finding;
	enum err rc = OK;

	TRY(receive(s, step->connection,
	    arena_printf(s->a, "<%s>", expected->root->name), got));
	s->server_says = nae_is_data(got) ? "" : server_words(s->a, got);
	TRY(nae_match(
	    s->a, x, expected, got, s->vars, &s->b->target->rules, f));
	TRY(nae_check_envelope(got, f));
out:
	return rc;
}

static enum err
do_expect(struct stage *s, const struct nae_step *step)
{
	struct line *l = &s->lines[step->connection];
	struct nae_message got;
	struct nae_expected x;
	struct fault why = {""};
	enum err rc;

	rc = nae_body_expect(s->a, step->body, s->vars, &x, &why);
	if (rc != OK) {
		give_up(s, step, why.text);
		return rc;
	}
	for (size_t i = 0; i < x.message_count; i++) {
		rc = expect_one(s, step, &x, &x.messages[i], &got);
		if (rc != OK) {
			fail(s, step, rc);
			return rc;
		}
	}
	s->server_says = "";
	l->is_waiting = false;
	return x.message_count > 0 && nae_is_fatal(&got) ? do_closed(s, step)
							 : OK;
}

static enum err
do_quiet(struct stage *s, const struct nae_step *step)
{
	struct nae_talk *t = s->lines[step->connection].talk;
	struct nae_message got;

	if (nae_talk_is_quiet(t))
		return OK;
	s->o->finding = (struct finding){0};
	(void)!nae_talk_receive(t, &got, &s->o->finding);
	finding_expected(&s->o->finding, "nothing yet");
	finding_got(&s->o->finding, "an answer, or the end");
	fail(s, step,
	    nae_finding(&s->o->finding, ERR_SURPLUS, NULL, nae_talk_start(t)));
	return ERR_SURPLUS;
}

static enum err
do_step(struct stage *s, const struct nae_step *step)
{
	struct line *l = &s->lines[step->connection];

	s->server_says = "";
	s->o->finding = (struct finding){0};
	if (step->act != NAE_CONNECT && l->talk == NULL) {
		give_up(s, step, "the case connects later");
		return ERR_NOT_FOUND;
	}
	switch (step->act) {
	case NAE_CONNECT:
		return do_connect(s, step);
	case NAE_SEND:
		return do_send(s, step);
	case NAE_EXPECT:
		return do_expect(s, step);
	case NAE_CLOSED:
		return do_closed(s, step);
	case NAE_QUIET:
		return do_quiet(s, step);
	case NAE_CLOSE:
		nae_talk_close(l->talk);
		l->is_ended = true;
		return OK;
	}
	return OK;
}

/*
 * A connection that nothing has ended answers still, and has nothing to say
 * before that.
 */
static enum err
see_life(struct stage *s, unsigned connection)
{
	static const char request[] = "<DeviceInfoRequest></DeviceInfoRequest>";
	struct line *l = &s->lines[connection];
	const struct nae_step step = {
	    .n = s->c->step_count + 1 + connection, .connection = connection};
	struct finding *f = &s->o->finding;
	struct nae_message got;
	struct fault why;
	enum err rc = OK;

	if (l->talk == NULL || l->is_ended || l->is_waiting ||
	    !words_have(&s->b->target->nae_requests, "DeviceInfo"))
		return OK;
	*f = (struct finding){0};
	TRY(nae_talk_send(l->talk, step.n, bytes_of_text(request), 0, &why));
	TRY(receive(s, connection,
	    "<DeviceInfoResponse>: the connection is open", &got));
	if (strcmp(got.root->name, "DeviceInfoResponse") != 0) {
		finding_expected(f, "<DeviceInfoResponse>");
		finding_got(f, "<%s>", got.root->name);
		TRY(nae_finding(f, ERR_TAG, NULL, got.root->offset));
	}
out:
	if (rc != OK)
		fail(s, &step, rc);
	return rc;
}

/* --- clearing away ------------------------------------------------------- */

/* A request with one name in it; 1, or 0 where the name was never chosen. */
static unsigned
put_deletion(struct stage *s, struct buf *out, const char *request,
    const char *tag, const char *variable, const char *more)
{
	const struct bytes *name = nae_vars_find(s->vars, variable);

	if (name == NULL)
		return 0;
	buf_printf(out, "<%sRequest><%s>", request, tag);
	nae_escape(out, *name);
	buf_printf(out, "</%s>%s</%sRequest>", tag, more, request);
	return 1;
}

/* As one of those who were connected: what is not theirs stays. */
static void
clear_as(struct stage *s, const struct nae_step *who)
{
	const struct nae_case *c = s->c;
	const struct user *u =
	    who->user == NULL ? NULL : target_user(s->b->target, who->user);
	struct nae_talk *t = NULL;
	struct nae_message got;
	struct finding f;
	struct fault why;
	struct buf out = {0};
	unsigned due = 0;

	if (who->user != NULL) {
		put_auth(s, who, &out);
		due++;
	}
	for (size_t i = 0; i < c->made_keys.count; i++) {
		due += put_deletion(s, &out, "KeyModify", "KeyName",
		    c->made_keys.at[i], "<Deletable>true</Deletable>");
		due += put_deletion(
		    s, &out, "KeyDel", "KeyName", c->made_keys.at[i], "");
	}
	for (size_t i = 0; u != NULL && i < c->made_groups.count; i++)
		due += put_deletion(s, &out, "UserGroupDelete", "Group",
		    c->made_groups.at[i], "");
	for (size_t i = 0; u != NULL && i < c->made_users.count; i++)
		if (target_user(s->b->target, "A") == u)
			due += put_deletion(s, &out, "UserDelete", "User",
			    c->made_users.at[i], "");
	if (due > (who->user != NULL) &&
	    nae_talk_open(
		s->a, doors_nae(s->b->doors, u), NULL, 0, "", &t, &why) == OK &&
	    nae_talk_send(t, 0, buf_peek(&out), 0, &why) == OK)
		while (due-- > 0 && nae_talk_receive(t, &got, &f) == OK)
			;
	nae_talk_close(t);
	buf_clear(&out);
}

/* Owners first: who owns a key cannot be deleted, so A goes last. */
static void
clear_away(struct stage *s)
{
	const struct nae_case *c = s->c;
	struct words done = {0};
	const struct nae_step a = {.act = NAE_CONNECT, .user = "A"};

	for (const struct nae_step *step = c->steps; step != NULL;
	     step = step->next) {
		const char *name = step->user == NULL ? "" : step->user;

		if (step->act != NAE_CONNECT || words_have(&done, name) ||
		    strcmp(name, "A") == 0)
			continue;
		words_add(s->a, &done, name);
		if (c->made_keys.count > 0)
			clear_as(s, step);
	}
	if (target_user(s->b->target, "A") != NULL &&
	    (words_have(&c->users, "A") || c->made_users.count > 0 ||
		c->made_groups.count > 0))
		clear_as(s, &a);
}

/* --- the test ------------------------------------------------------------ */

static bool
is_ready(struct stage *s)
{
	const struct nae_case *c = s->c;

	if (c->broken != NULL) {
		outcome_not_run(s->a, s->o,
		    arena_printf(
			s->a, "%s is no case: %s", c->path, c->broken));
		return false;
	}
	for (size_t i = 0; i < c->users.count; i++) {
		if (target_user(s->b->target, c->users.at[i]) != NULL)
			continue;
		outcome_not_run(s->a, s->o,
		    arena_printf(s->a,
			"takes user %s, the target file has none",
			c->users.at[i]));
		return false;
	}
	return true;
}

static void
run(struct arena *a, const struct test *t, const struct bench *b,
    struct outcome *o)
{
	const struct nae_case *c = t->own;
	struct stage s = {.a = a, .c = c, .b = b, .o = o, .server_says = ""};
	enum err rc = OK;

	o->is_alive = nae_is_alive;
	if (!is_ready(&s))
		return;
	s.vars = nae_vars_new(a, b->target, b->seed, c->id);
	o->verdict = VERDICT_PASS;
	for (const struct nae_step *step = c->steps; step != NULL && rc == OK;
	     step = step->next)
		rc = do_step(&s, step);
	for (unsigned i = 0; i < c->connection_count && rc == OK; i++)
		rc = see_life(&s, i);
	for (unsigned i = 0; i < c->connection_count; i++)
		nae_talk_close(s.lines[i].talk);
	clear_away(&s);
}

struct test *
nae_play_test(struct arena *a, const struct nae_case *c)
{
	struct test *t = ARENA_NEW(a, struct test);

	t->id = c->id;
	t->family = c->family;
	t->version = "NAE-XML";
	t->level = c->level;
	t->title = c->title;
	t->mark = c->mark;
	t->clauses = c->clauses;
	t->after = c->after;
	t->unclaimed = unclaimed;
	t->run = run;
	t->own = c;
	return t;
}

const struct nae_case *
nae_play_case(const struct test *t)
{
	return t->run == run ? t->own : NULL;
}
