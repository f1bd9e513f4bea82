/*
 * Cases of NAE-XML against a peer with a script: it waits for octets, says
 * others, and closes. What the runner makes of it is judged.
 */
#include "nae_play.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "title: t\nclause: nae-xml 2.3\nmark: C\n\nconnect\n"
#define ASK  "send\n <RandGenRequest><ID>1</ID><Size>2</Size></RandGenRequest>\n"
#define GOOD \
	"<RandGenResponse><ID>1</ID><Success>true</Success></RandGenResponse>"
#define ALIVE "<DeviceInfoResponse><Success>true</Success></DeviceInfoResponse>"
#define BAD                                                          \
	"<RandGenResponse><ID>1</ID><Success>false</Success>"        \
	"<FatalError>false</FatalError><ErrorID>10004</ErrorID>"     \
	"<ErrorString>Invalid value for element: Size</ErrorString>" \
	"</RandGenResponse>"
#define FATAL                                                   \
	"<RandGenResponse><ID>1</ID><Success>false</Success>"   \
	"<FatalError>true</FatalError><ErrorID>10001</ErrorID>" \
	"<ErrorString>Malformed request</ErrorString></RandGenResponse>"

/* What the peer says to one connection after the other, each as soon as
 * something has come; a `!` closes. NULL: it only closes. */
struct script {
	const char *says[6];
};

enum { PEER_CONNECTIONS = 8 };

struct peer {
	int listener;
	pthread_t thread;
	const struct script *script;
	struct caller {
		pthread_t thread;
		const struct script *script; /* NULL: one of the runner's own */
		int fd;
	} callers[PEER_CONNECTIONS];
	unsigned count;
};

static void
say(int fd, const char *text)
{
	size_t octets = strlen(text);
	bool closes = octets > 0 && text[octets - 1] == '!';

	(void)!write(fd, text, octets - closes);
	if (closes)
		shutdown(fd, SHUT_WR);
}

static void *
caller_main(void *of)
{
	static const char alive[] =
	    "<VersionResponse><Success>true</Success></VersionResponse>";
	struct caller *c = of;
	char in[4096];

	for (unsigned i = 0; read(c->fd, in, sizeof in) > 0; i++) {
		const char *text =
		    c->script == NULL ? alive : c->script->says[i];

		if (text == NULL)
			break;
		say(c->fd, text);
	}
	close(c->fd);
	return NULL;
}

/*
 * The first connection has the script; those that follow are the runner's own,
 * who wants to know whether the target lives.
 */
static void *
peer_main(void *of)
{
	struct peer *p = of;
	int fd;

	while (p->count < PEER_CONNECTIONS &&
	       (fd = accept(p->listener, NULL, NULL)) >= 0) {
		struct caller *c = &p->callers[p->count];

		*c = (struct caller){
		    .script = p->count == 0 ? p->script : NULL, .fd = fd};
		p->count++;
		assert_int_equal(
		    pthread_create(&c->thread, NULL, caller_main, c), 0);
	}
	for (unsigned i = 0; i < p->count; i++)
		assert_int_equal(pthread_join(p->callers[i].thread, NULL), 0);
	return NULL;
}

static void
peer_start(struct peer *p, const struct script *script, struct arena *a,
    struct target *t)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof at;
	struct fault f;
	const char *text;

	p->script = script;
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(p->listener >= 0);
	assert_int_equal(bind(p->listener, (void *)&at, sizeof at), 0);
	assert_int_equal(listen(p->listener, 8), 0);
	assert_int_equal(getsockname(p->listener, (void *)&at, &size), 0);
	text = arena_printf(a,
	    "[target]\nhost = 127.0.0.1\nanswer-timeout-ms = 300\n"
	    "[nae]\nport = %u\n[user A]\nuser = alice\npassword = p\n"
	    "[claims]\nfamilies = *\nnae-versions = 2.2\n"
	    "nae-requests = Version Auth RandGen DeviceInfo\n"
	    "[rules]\nnae-order = off\n",
	    ntohs(at.sin_port));
	assert_int_equal(
	    target_parse(a, "t.conf", bytes_of_text(text), t, &f), OK);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

static void
peer_stop(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	close(p->listener);
}

#define EXPECT(text) "expect\n " text "\n"
#define DATA(text)   "<Data><Size>2</Size>" text "</Data>"

static const struct row {
	const char *name, *steps;
	struct script script;
	enum verdict want;
	enum err kind;
	size_t offset;
	const char *expected, *got; /* parts of the finding */
} rows[] = {
    {"what is expected", ASK EXPECT(GOOD "{data any 2}"),
	{{GOOD DATA("ab"), ALIVE}}, VERDICT_PASS, OK, 0, "", ""},
    {"one octet of data too many", ASK EXPECT(GOOD "{data any 1}"),
	{{GOOD DATA("ab"), ALIVE}}, VERDICT_FAIL, ERR_LENGTH,
	sizeof GOOD - 1 + 21, "1 octets", "2 octets"},
    {"one octet of data too few", ASK EXPECT(GOOD "{data any 3}"),
	{{GOOD DATA("ab"), ALIVE}}, VERDICT_FAIL, ERR_LENGTH,
	sizeof GOOD - 1 + 29, "octet 2 of data: {any 3}", "2 octets"},
    {"the second octet differs", ASK EXPECT(GOOD "{data hex 61 63}"),
	{{GOOD DATA("ab"), ALIVE}}, VERDICT_FAIL, ERR_VALUE,
	sizeof GOOD - 1 + 21, "octet 1 of data: {hex 61 63}", ""},
    {"data that did not come", ASK EXPECT(GOOD "{data any 2}"), {{GOOD, ALIVE}},
	VERDICT_FAIL, ERR_TIMEOUT, 0, "<Data>", "the time allowed"},
    {"another value",
	ASK EXPECT("<RandGenResponse><ID>2</ID><Success>true"
		   "</Success></RandGenResponse>"),
	{{GOOD, ALIVE}}, VERDICT_FAIL, ERR_VALUE, 21, "2", "1"},
    {"another answer", ASK EXPECT("<KeyGenResponse>{more}</KeyGenResponse>"),
	{{GOOD, ALIVE}}, VERDICT_FAIL, ERR_TAG, 0, "<KeyGenResponse>",
	"<RandGenResponse>"},
    {"an element too many",
	ASK EXPECT("<RandGenResponse><ID>1</ID>"
		   "</RandGenResponse>"),
	{{GOOD, ALIVE}}, VERDICT_FAIL, ERR_SURPLUS, 27, "(absent)",
	"<Success>"},
    {"others may stand there",
	ASK EXPECT("<RandGenResponse><ID>1</ID>{more}</RandGenResponse>"),
	{{GOOD, ALIVE}}, VERDICT_PASS, OK, 0, "", ""},
    {"an element too few",
	ASK EXPECT("<RandGenResponse><ID>1</ID><Success>true</Success>"
		   "<Size>2</Size></RandGenResponse>"),
	{{GOOD, ALIVE}}, VERDICT_FAIL, ERR_MISSING, 0, "<Size>", "(absent)"},
    {"elements in another order",
	ASK EXPECT("<RandGenResponse><Success>true</Success><ID>1</ID>"
		   "</RandGenResponse>"),
	{{GOOD, ALIVE}}, VERDICT_FAIL, ERR_ORDER, 17, "<ID> further up",
	"<ID> here"},
    {"a variable that is bound, and is the same",
	ASK EXPECT("<RandGenResponse><ID>$N</ID>{more}</RandGenResponse>")
	    ASK EXPECT("<RandGenResponse><ID>$N</ID>{more}</RandGenResponse>"),
	{{GOOD, GOOD, ALIVE}}, VERDICT_PASS, OK, 0, "", ""},
    {"a variable that is bound, and is not the same",
	ASK EXPECT("<RandGenResponse><ID>$N</ID>{more}</RandGenResponse>")
	    ASK EXPECT("<RandGenResponse>{more}<Success>$N</Success>"
		       "</RandGenResponse>"),
	{{GOOD, GOOD, ALIVE}}, VERDICT_FAIL, ERR_VALUE, 36, "1", "true"},
    {"two answers that one send has", ASK EXPECT(GOOD GOOD),
	{{GOOD GOOD, ALIVE}}, VERDICT_PASS, OK, 0, "", ""},
    {"an answer nobody asked for", ASK EXPECT(GOOD), {{GOOD GOOD, ALIVE}},
	VERDICT_FAIL, ERR_TAG, 0, "<DeviceInfoResponse>", "<RandGenResponse>"},
    {"a refusal", ASK EXPECT(BAD), {{BAD, ALIVE}}, VERDICT_PASS, OK, 0, "", ""},
    {"a refusal that closes all the same", ASK EXPECT(BAD), {{BAD "!"}},
	VERDICT_FAIL, ERR_CLOSED, 0, "the connection is open",
	"the connection was closed"},
    {"a fatal error closes", ASK EXPECT(FATAL), {{FATAL "!"}}, VERDICT_PASS, OK,
	0, "", ""},
    {"a fatal error that does not close", ASK EXPECT(FATAL), {{FATAL, ALIVE}},
	VERDICT_FAIL, ERR_TIMEOUT, sizeof FATAL - 1, "the connection closed",
	"nothing in the time allowed"},
    {"a fatal error and more", ASK EXPECT(FATAL), {{FATAL ALIVE "!"}},
	VERDICT_FAIL, ERR_SURPLUS, sizeof FATAL - 1, "the connection closed",
	"more octets"},
    {"closed", ASK "closed\n", {{"!"}}, VERDICT_PASS, OK, 0, "", ""},
    {"not closed", ASK "closed\n", {{""}}, VERDICT_FAIL, ERR_TIMEOUT, 0,
	"the connection closed", "nothing in the time allowed"},
    {"a failure without a word",
	ASK EXPECT("<RandGenResponse>{more}</RandGenResponse>"),
	{{"<RandGenResponse><Success>false</Success><FatalError>false"
	  "</FatalError></RandGenResponse>"}},
	VERDICT_FAIL, ERR_MISSING, 0, "<ErrorString>", "(absent)"},
    {"neither success nor failure",
	ASK EXPECT("<RandGenResponse>{more}</RandGenResponse>"),
	{{"<RandGenResponse><Success>yes</Success></RandGenResponse>"}},
	VERDICT_FAIL, ERR_VALUE, 26, "true or false", "yes"},
    {"no XML", ASK EXPECT(GOOD), {{"<RandGenResponse id=\"1\">"}}, VERDICT_FAIL,
	ERR_SURPLUS, 16, "no attributes", " id="},
};

static struct outcome
play(struct arena *a, const char *text, const struct script *script,
    struct target *t)
{
	struct bench b = {.target = t, .seed = 1};
	struct outcome o = {.verdict = VERDICT_UNKNOWN};
	struct nae_case *c =
	    nae_case_parse(a, "nae", "x/y.nae", bytes_of_text(text));
	struct test *test = nae_play_test(a, c);
	struct peer p = {.listener = -1};
	struct fault f;

	peer_start(&p, script, a, t);
	assert_int_equal(doors_new(t, &b.doors, &f), OK);
	o.wire = wire_new(a, b.doors, 0);
	o.reason = test->unclaimed(a, test, t);
	if (o.reason != NULL)
		o.verdict = VERDICT_NOT_CLAIMED;
	else
		test->run(a, test, &b, &o);
	doors_free(b.doors);
	peer_stop(&p);
	return o;
}

static void
verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct target t;
		struct outcome o = play(
		    a, arena_printf(a, "%s%s", HEAD, r->steps), &r->script, &t);
		const struct finding *f = &o.finding;

		if (o.verdict != r->want ||
		    (r->want == VERDICT_FAIL &&
			(f->kind != r->kind || f->offset != r->offset ||
			    strstr(f->expected, r->expected) == NULL ||
			    strstr(f->got, r->got) == NULL)))
			fail_msg("%s: %s (%s): %s at %zu, expected `%s`, got "
				 "`%s`",
			    r->name, verdict_word(o.verdict),
			    o.reason == NULL ? "" : o.reason, err_name(f->kind),
			    f->offset, f->expected, f->got);
		arena_free(a);
	}
}

/* What is on the record is what was said, and the difference is in it. */
static void
recorded(void **state)
{
	static const struct script script = {{GOOD, ALIVE}};
	struct arena *a = arena_new();
	struct target t;
	struct outcome o = play(a, HEAD ASK EXPECT(BAD), &script, &t);
	const struct exchange *x;
	size_t count;

	(void)state;
	assert_int_equal(o.verdict, VERDICT_FAIL);
	x = wire_record(o.wire, &count);
	assert_int_equal(count, 1);
	assert_int_equal(x[0].n, 2);
	assert_int_equal(o.step, 2);
	assert_string_equal(x[0].received_xml, GOOD);
	assert_non_null(strstr(x[0].sent_xml, "<RandGenRequest>"));
	assert_non_null(strstr(o.reason, "step 3, line 8"));
	arena_free(a);
}

static void
claims(void **state)
{
	static const struct {
		const char *text, *lacks;
	} of[] = {
	    {HEAD "send\n <KeyGenRequest/>\n", "request KeyGen"},
	    {HEAD ASK EXPECT(GOOD "{data any 2}"), NULL},
	    {"version: 2.10\n" HEAD ASK, "NAE-XML 2.10"},
	    {"needs: nae-large\n" HEAD ASK, "feature nae-large"},
	    {HEAD "send\n <RandGenRequest><Algorithm>SEED</Algorithm>"
		  "</RandGenRequest>\n",
		"algorithm SEED"},
	};
	static const struct script script = {{GOOD DATA("ab"), ALIVE}};

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct arena *a = arena_new();
		struct target t;
		struct outcome o = play(a, of[i].text, &script, &t);

		if (of[i].lacks == NULL)
			assert_int_equal(o.verdict, VERDICT_PASS);
		else
			assert_string_equal(o.reason, of[i].lacks);
		arena_free(a);
	}
}

static void
not_set_up(void **state)
{
	static const struct script script = {{NULL}};
	struct arena *a = arena_new();
	struct target t;
	struct outcome o = play(
	    a, "title: t\nclause: c\nmark: F\n\nconnect as B\n", &script, &t);

	(void)state;
	assert_int_equal(o.verdict, VERDICT_NOT_RUN);
	assert_non_null(strstr(o.reason, "takes user B"));
	o = play(a, HEAD "sned\n", &script, &t);
	assert_int_equal(o.verdict, VERDICT_NOT_RUN);
	assert_non_null(strstr(o.reason, "no step `sned`"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts),
	    cmocka_unit_test(recorded),
	    cmocka_unit_test(claims),
	    cmocka_unit_test(not_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
