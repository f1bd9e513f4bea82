#include "play.h"

#include "check.h"
#include "clock.h"
#include "compare.h"
#include "message.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct stage {
	struct arena *a;
	const struct test_case *c;
	const struct bench *b;
	struct outcome *o;
	struct vars *vars;
	struct story *story;
	const char *server_says; /* in the last answer */
};

static const char *
unclaimed(struct arena *a, const struct test *test, const struct target *t)
{
	const struct test_case *c = test->own;

	if (c->broken != NULL && c->version == VERSION_NONE)
		return NULL;
	if (!target_claims_version(t, c->version))
		return arena_printf(a, "KMIP %s", version_name(c->version));
	if (!target_claims_family(t, c->family))
		return arena_printf(a, "family %s", c->family);
	for (size_t i = 0; i < c->needs.count; i++)
		if (!target_claims_feature(t, c->needs.at[i]))
			return arena_printf(a, "feature %s", c->needs.at[i]);
	for (unsigned i = 0; i < c->operation_count; i++)
		if (!target_claims_operation(t, c->operations[i]))
			return arena_printf(a, "operation %s",
			    schema_value_name(TAG_OPERATION, c->operations[i]));
	for (unsigned i = 0; i < c->object_count; i++)
		if (!target_claims_object(t, c->objects[i]))
			return arena_printf(a, "object type %s",
			    schema_value_name(TAG_OBJECT_TYPE, c->objects[i]));
	return NULL;
}

static void
pause_ms(int64_t ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/*
 * What the server itself says of a failure that the case does not expect: it
 * helps a reader more than the difference does.
 */
static const char *
server_words(struct arena *a, const struct node *response)
{
	static const uint32_t item[] = {TAG_BATCH_ITEM, TAG_RESULT_REASON, 0};
	static const uint32_t words[] = {TAG_BATCH_ITEM, TAG_RESULT_MESSAGE, 0};
	const struct node *reason = node_find_path(response, item);
	const struct node *message = node_find_path(response, words);

	if (reason == NULL)
		return "";
	return arena_printf(a, "; the server says %s%s%.*s",
	    schema_value_name(TAG_RESULT_REASON, (uint32_t)node_number(reason)),
	    message == NULL ? "" : ": ",
	    message == NULL ? 0 : (int)message->length,
	    message == NULL ? "" : (const char *)message->value);
}

static enum err
judge(struct stage *s, const struct step *step, const struct node *request,
    const struct node *response)
{
	struct comparison c = {.rules = &s->b->target->rules,
	    .vars = s->vars,
	    .story = s->story,
	    .request = request,
	    .version = check_version_of(request),
	    .now = clock_now(s->b->clock),
	    .now_tolerance_s = s->b->target->now_tolerance_s};
	enum err rc = OK;

	if (response->tag != TAG_RESPONSE_MESSAGE) {
		finding_expected(&s->o->finding, "ResponseMessage");
		finding_got(
		    &s->o->finding, "%s", schema_tag_name(response->tag));
		return finding_at(&s->o->finding, ERR_TAG, response);
	}
	/* asked in a version that nobody knows: the answer names its own */
	if (version_index(c.version) < 0)
		c.version = check_version_of(response);
	TRY(check_tree(response, c.version, &s->o->finding));
	TRY(compare_answer(&c, step->response, response, &s->o->finding));
out:
	return rc;
}

/* One request and what came of it; ERR_NOT_FOUND: it could not be made. */
static enum err
ask_once(struct stage *s, const struct step *step, struct fault *why)
{
	struct node *request, *response = NULL;
	enum err rc = OK;

	s->o->finding = (struct finding){0};
	s->server_says = "";
	TRY(vars_fill(s->vars, s->a, step->request, clock_now(s->b->clock),
	    &request, why));
	rc = wire_ask(s->o->wire, step->n, step->client, request, &response,
	    &s->o->finding, why);
	/* before it is judged: a batch may create a key and get it */
	story_add(s->story, request, response);
	if (rc != OK)
		goto out;
	TRY(judge(s, step, request, response));
out:
	if (response != NULL) {
		s->server_says = server_words(s->a, response);
		vars_see(s->vars, response);
	}
	return rc;
}

static enum err
ask(struct stage *s, const struct step *step, struct fault *why)
{
	int64_t left_ms = s->b->target->poll_timeout_ms;
	int64_t every_ms = s->b->target->poll_every_ms;
	enum err rc;

	for (;;) {
		rc = ask_once(s, step, why);
		if (!step->repeat || rc == OK || left_ms <= 0 ||
		    s->o->finding.kind == OK)
			return rc;
		pause_ms(every_ms);
		left_ms -= every_ms > 0 ? every_ms : 1;
	}
}

static void
fail(struct stage *s, const struct step *step, enum err rc,
    const struct fault *why)
{
	s->o->step = step->n;
	if (s->o->finding.kind == OK &&
	    (rc == ERR_NOT_FOUND || rc == ERR_LENGTH)) {
		outcome_not_run(s->a, s->o,
		    arena_printf(s->a, "step %u: %s", step->n, why->text));
		return;
	}
	if (rc == ERR_CONNECT || rc == ERR_HANDSHAKE) {
		outcome_unknown(s->a, s->o,
		    arena_printf(s->a, "step %u: %s", step->n, why->text));
		return;
	}
	if (s->o->finding.kind == OK) {
		/* the codec never saw it: closed, or no answer in time */
		finding_expected(&s->o->finding, "an answer");
		finding_got(&s->o->finding, "%s", err_text(rc));
		s->o->finding.kind = rc;
	}
	outcome_fail(s->a, s->b, s->o,
	    arena_printf(
		s->a, "step %u: %s%s", step->n, err_text(rc), s->server_says));
}

/* The last item of the answer, the Destroy, tells of success. */
static bool
has_destroyed(const struct node *response)
{
	const struct node *status;

	if (response == NULL || response->last == NULL)
		return false;
	status = node_find(response->last, TAG_RESULT_STATUS);
	return status != NULL && node_number(status) == RESULT_STATUS_SUCCESS;
}

void
play_clear_away(struct arena *a, const struct bench *b, unsigned version)
{
	struct wire *w = wire_new(a, b->doors, b->flags);
	const struct bytes *id;

	wire_mute(w);
	for (size_t n = 0; (id = story_left(b->story, n)) != NULL; n++) {
		for (unsigned k = 0; k < b->target->identity_count; k++) {
			struct node *m = message_new(a, version);
			struct node *p, *reason, *response;
			struct finding f;
			struct fault why;

			message_continue(a, m);
			p = message_item(a, m, OPERATION_REVOKE);
			put_bytes(
			    a, p, TAG_UNIQUE_IDENTIFIER, TYPE_TEXT_STRING, *id);
			reason = put_structure(a, p, TAG_REVOCATION_REASON);
			put_enum(a, reason, TAG_REVOCATION_REASON_CODE,
			    REVOCATION_REASON_CODE_CESSATION_OF_OPERATION);
			p = message_item(a, m, OPERATION_DESTROY);
			put_bytes(
			    a, p, TAG_UNIQUE_IDENTIFIER, TYPE_TEXT_STRING, *id);
			(void)!wire_ask(w, 0, k, m, &response, &f, &why);
			if (has_destroyed(response))
				break;
		}
	}
	wire_close(w);
}

static void
run(struct arena *a, const struct test *t, const struct bench *b,
    struct outcome *o)
{
	const struct test_case *c = t->own;
	struct stage s = {.a = a, .c = c, .b = b, .o = o, .server_says = ""};
	struct fault why = {""};
	enum err rc = OK;

	if (c->broken != NULL) {
		outcome_not_run(a, o,
		    arena_printf(a, "the file is no case: %s", c->broken));
		return;
	}
	if (c->clients > b->target->identity_count) {
		outcome_not_run(a, o,
		    arena_printf(a, "takes %u clients, the target file has %u",
			c->clients, b->target->identity_count));
		return;
	}
	s.vars = vars_new(a, vars_seed(b->seed, c->id),
	    b->target->name_prefix
		? arena_printf(a, "ts%04x-", (unsigned)(b->seed & 0xffff))
		: NULL);
	if (!b->target->test_identifiers)
		vars_leave_out(s.vars);
	s.story = b->story;
	o->verdict = VERDICT_PASS;
	for (const struct step *step = c->steps; step != NULL && rc == OK;
	     step = step->next) {
		rc = ask(&s, step, &why);
		if (rc != OK)
			fail(&s, step, rc, &why);
	}
}

struct test *
play_test(struct arena *a, const struct test_case *c)
{
	struct test *t = ARENA_NEW(a, struct test);

	t->id = c->id;
	t->family = c->family;
	t->version = arena_strdup(a, version_name(c->version));
	t->level = c->level;
	t->title = c->title;
	t->clauses = c->clauses;
	t->after = c->after;
	t->unclaimed = unclaimed;
	t->run = run;
	t->own = c;
	return t;
}

const struct test_case *
play_case(const struct test *t)
{
	return t->run == run ? t->own : NULL;
}
