#include "nae_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----"

/* What a case expects, what came, and what is found. */
static const struct row {
	const char *name, *expected, *got;
	enum err want;
	size_t offset;
	const char *path;
	int off; /* the rule that is switched off; -1: none */
} rows[] = {
    {"the same", "<A><B>x</B></A>", "<A><B>x</B></A>", OK, 0, "", -1},
    {"another letter", "<A><B>xyz</B></A>", "<A><B>xYz</B></A>", ERR_VALUE, 7,
	"A/B", -1},
    {"a letter more", "<A><B>x</B></A>", "<A><B>xx</B></A>", ERR_VALUE, 7,
	"A/B", -1},
    {"a letter less", "<A><B>xx</B></A>", "<A><B>x</B></A>", ERR_VALUE, 7,
	"A/B", -1},
    {"another root", "<A/>", "<B/>", ERR_TAG, 0, "(root)", -1},
    {"children for text", "<A><B>x</B></A>", "<A><B><C/></B></A>", ERR_SURPLUS,
	6, "A/B/C", -1},
    {"text for children", "<A><B><C/></B></A>", "<A><B>x</B></A>", ERR_MISSING,
	3, "A/B", -1},
    {"one of two the same", "<A><B>1</B><B>2</B></A>",
	"<A><B>1</B><B>3</B></A>", ERR_VALUE, 14, "A/B[1]", -1},
    {"one of two", "<A><B>1</B><B>2</B></A>", "<A><B>1</B></A>", ERR_MISSING, 0,
	"A", -1},
    {"two of one", "<A><B>1</B></A>", "<A><B>1</B><B>1</B></A>", ERR_SURPLUS,
	11, "A/B[1]", -1},
    {"another order", "<A><B/><C/></A>", "<A><C/><B/></A>", OK, 0, "", -1},
    {"another order, and the rule off", "<A><B/><C/></A>", "<A><C/><B/></A>",
	ERR_ORDER, 3, "A/C", RULE_NAE_ORDER},
    {"white space", "<A><B/></A>", "<A> <B/></A>", OK, 0, "", -1},
    {"white space, and the rule off", "<A><B/></A>", "<A> <B/></A>", ERR_SYNTAX,
	3, "A", RULE_NAE_BLANKS},
    {"another error", "<A><ErrorID>1</ErrorID><B/></A>",
	"<A><ErrorID>2</ErrorID><B/></A>", OK, 0, "", -1},
    {"no number of the error", "<A><ErrorID>1</ErrorID><B/></A>", "<A><B/></A>",
	OK, 0, "", -1},
    {"another error, and the rule off", "<A><ErrorID>1</ErrorID></A>",
	"<A><ErrorID>2</ErrorID></A>", ERR_VALUE, 12, "A/ErrorID",
	RULE_NAE_ERROR},
    {"other words, and the rule off", "<A><ErrorString>a</ErrorString></A>",
	"<A><ErrorString>b</ErrorString></A>", ERR_VALUE, 16, "A/ErrorString",
	RULE_NAE_ERROR},
    {"one among others", "<A>{more}<B>2</B></A>", "<A><B>1</B><B>2</B><C/></A>",
	OK, 0, "", -1},
    {"two among others, in another order, and the rule off",
	"<A>{more}<B>2</B><B>1</B></A>", "<A><B>1</B><B>2</B><C/></A>", OK, 0,
	"", RULE_NAE_ORDER},
    {"two, in another order, and the rule off", "<A><B/><B>1</B><C/></A>",
	"<A><B/><C/><B>1</B></A>", ERR_ORDER, 7, "A/C", RULE_NAE_ORDER},
    {"none among others", "<A>{more}<B>4</B></A>",
	"<A><B>1</B><B>2</B><C/></A>", ERR_VALUE, 14, "A/B[1]", -1},
    {"others, and what is nowhere", "<A>{more}<D/></A>", "<A><B/></A>",
	ERR_MISSING, 0, "A", -1},
    {"anything", "<A><B>{any}</B></A>", "<A><B><C/></B></A>", OK, 0, "", -1},
    {"anything of three", "<A>{any 3}</A>", "<A>abc</A>", OK, 0, "", -1},
    {"anything of three, and four came", "<A>{any 3}</A>", "<A>abcd</A>",
	ERR_VALUE, 3, "A", -1},
    {"digits", "<A>{upper-hex 4}</A>", "<A>01AF</A>", OK, 0, "", -1},
    {"small digits", "<A>{upper-hex 4}</A>", "<A>01af</A>", ERR_VALUE, 3, "A",
	-1},
    {"digits too few", "<A>{upper-hex 4}</A>", "<A>01A</A>", ERR_VALUE, 3, "A",
	-1},
    {"digits behind text", "<A>key-{upper-hex 2}</A>", "<A>key-0F</A>", OK, 0,
	"", -1},
    {"digits behind other text", "<A>key-{upper-hex 2}</A>", "<A>kex-0F</A>",
	ERR_VALUE, 5, "A", -1},
    {"a number", "<A>{number}</A>", "<A>12</A>", OK, 0, "", -1},
    {"no number", "<A>{number}</A>", "<A>1x</A>", ERR_VALUE, 3, "A", -1},
    {"an empty number", "<A>{number}</A>", "<A></A>", ERR_VALUE, 3, "A", -1},
    {"a boolean", "<A>{boolean}</A>", "<A>true</A>", OK, 0, "", -1},
    {"no boolean", "<A>{boolean}</A>", "<A>True</A>", ERR_VALUE, 3, "A", -1},
    {"a date", "<A>{date}</A>", "<A>2026-11-21 20:00:00</A>", OK, 0, "", -1},
    {"a date of RFC 3339", "<A>{date}</A>", "<A>2026-11-21T20:00:00</A>",
	ERR_VALUE, 3, "A", -1},
    {"a certificate", "<A>{pem CERTIFICATE}</A>", "<A>" PEM "\n</A>", OK, 0, "",
	-1},
    {"two certificates", "<A>{pem CERTIFICATE}</A>",
	"<A>" PEM "\n" PEM "\n</A>", OK, 0, "", -1},
    {"another label", "<A>{pem RSA PRIVATE KEY}</A>", "<A>" PEM "</A>",
	ERR_VALUE, 3, "A", -1},
    {"a certificate and more", "<A>{pem CERTIFICATE}</A>", "<A>" PEM "\nx</A>",
	ERR_VALUE, 3, "A", -1},
    {"a user of the target", "<A>$USER_A</A>", "<A>al&lt;ice</A>", OK, 0, "",
	-1},
    {"a name, twice", "<A><B>$X</B><C>$X</C></A>", "<A><B>1</B><C>1</C></A>",
	OK, 0, "", -1},
    {"a name, and another", "<A><B>$X</B><C>$X</C></A>",
	"<A><B>1</B><C>2</C></A>", ERR_VALUE, 14, "A/C", -1},
    {"what a file says", "<A>{text a<b}</A>", "<A>a&lt;b</A>", OK, 0, "", -1},
    {"data", "{data hex 61 62}", "<Data><Size>2</Size>ab</Data>", OK, 0, "",
	-1},
    {"data in other chunks", "{data hex 61 62}",
	"<Data><Size>1</Size>a<Size>1</Size>b</Data>", OK, 0, "", -1},
    {"chunks of two", "{data/2 text abc}",
	"<Data><Size>2</Size>ab<Size>1</Size>c</Data>", OK, 0, "", -1},
    {"one chunk for two", "{data/2 text abc}", "<Data><Size>3</Size>abc</Data>",
	ERR_LENGTH, 20, "Data", -1},
    {"a short chunk first", "{data/2 text abc}",
	"<Data><Size>1</Size>a<Size>2</Size>bc</Data>", ERR_LENGTH, 20, "Data",
	-1},
    {"an octet in the second chunk", "{data text abc}",
	"<Data><Size>2</Size>ab<Size>1</Size>d</Data>", ERR_VALUE, 36, "Data",
	-1},
    {"octets that fill", "{data fill 3 61, counting 1}",
	"<Data><Size>4</Size>aaa\001</Data>", ERR_VALUE, 23, "Data", -1},
    {"any octets between", "{data text a, any 1, text c}",
	"<Data><Size>3</Size>abc</Data>", OK, 0, "", -1},
    {"any octets, and then others", "{data text a, any 1, text c}",
	"<Data><Size>3</Size>abd</Data>", ERR_VALUE, 22, "Data", -1},
    {"no data", "{data}", "<Data></Data>", OK, 0, "", -1},
    {"no data, and a chunk of none", "{data}", "<Data><Size>0</Size></Data>",
	OK, 0, "", -1},
    {"no data, and an octet came", "{data}", "<Data><Size>1</Size>a</Data>",
	ERR_LENGTH, 20, "Data", -1},
    {"what is left", "{data text a, $REST}", "<Data><Size>3</Size>abc</Data>",
	OK, 0, "", -1},
};

static enum err
match(
    struct arena *a, const struct row *r, struct nae_vars *v, struct finding *f)
{
	struct rules rules = {r->off < 0 ? 0 : (uint64_t)1 << (unsigned)r->off};
	struct nae_piece *body;
	struct nae_expected x;
	struct nae_message got;
	struct fault why = {""};
	size_t need;

	if (nae_body_read(a, r->expected, ".", false, &body, &why) != OK ||
	    nae_body_expect(a, body, v, &x, &why) != OK)
		fail_msg("%s: %s", r->name, why.text);
	assert_int_equal(x.message_count, 1);
	if (nae_read(a, bytes_of_text(r->got), 0, &got, &need, f) != OK)
		fail_msg("%s: %s at %zu", r->name, f->expected, f->offset);
	return nae_match(a, &x, x.messages, &got, v, &rules, f);
}

static struct nae_vars *
vars_of(struct arena *a, struct target *t)
{
	*t = (struct target){.user_count = 1};
	t->users[0] =
	    (struct user){.name = "A", .user = "al<ice", .password = "p"};
	return nae_vars_new(a, t, 1, "test");
}

static void
matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct target t;
		struct finding f;
		enum err rc = match(a, r, vars_of(a, &t), &f);

		if (rc != r->want || f.kind != rc || f.offset != r->offset ||
		    strcmp(f.path, r->path) != 0)
			fail_msg("%s: expected %s at %zu, %s; got %s at %zu, "
				 "%s: expected `%s`, got `%s`",
			    r->name, err_name(r->want), r->offset, r->path,
			    err_name(rc), f.offset, f.path, f.expected, f.got);
		if (rc != OK && r->off >= 0 &&
		    strcmp(f.rule, rule_name((enum rule)r->off)) != 0)
			fail_msg("%s: rule %s", r->name, f.rule);
		arena_free(a);
	}
}

/* Each rule of ours has a row in which it is off and matters. */
static void
every_rule_has_a_row(void **state)
{
	(void)state;
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		bool has = strncmp(rule_name((enum rule)rule), "nae-", 4) != 0;

		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			has |= rows[i].off == rule && rows[i].want != OK;
		if (!has)
			fail_msg("no row for the rule %s",
			    rule_name((enum rule)rule));
	}
}

static void
sent(void **state)
{
	static const struct {
		const char *body, *want;
	} of[] = {
	    {"<A>$USER_A</A>", "<A>al&lt;ice</A>"},
	    {"<A>{hex 00}</A>", NULL}, /* a NUL: see below */
	    {"{text <}{fill 2 41}{counting 0}", "<AA"},
	    {"{data}", "<Data><Size>0</Size></Data>"},
	    {"{data text a, fill 2 62, $USER_A}",
		"<Data><Size>9</Size>abbal<ice</Data>"},
	    {"{data/2 text abc}",
		"<Data><Size>2</Size>ab<Size>1</Size>c</Data>"},
	    {"a$b $ $C{text x}", "a$b $ ts-c-"},
	};
	struct arena *a = arena_new();
	struct target t;

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct nae_piece *body;
		struct buf out = {0};
		struct fault f;

		assert_int_equal(
		    nae_body_read(a, of[i].body, ".", true, &body, &f), OK);
		nae_body_send(body, vars_of(a, &t), &out);
		if (of[i].want == NULL)
			assert_memory_equal(out.at, "<A>\0</A>", out.octets);
		else if (strncmp(buf_peek_text(&out), of[i].want,
			     strlen(of[i].want)) != 0)
			fail_msg("%s: %s", of[i].body, buf_peek_text(&out));
		buf_clear(&out);
	}
	arena_free(a);
}

/* A name that nobody has said is the tool's to choose: one for each test. */
static void
chosen(void **state)
{
	struct arena *a = arena_new();
	struct nae_piece *body;
	struct target t = {0};
	struct buf out[3] = {{0}};
	struct fault f;

	(void)state;
	assert_int_equal(nae_body_read(a, "$KEY", ".", true, &body, &f), OK);
	for (unsigned i = 0; i < 3; i++) {
		struct nae_vars *v =
		    nae_vars_new(a, &t, 1, i == 2 ? "other" : "test");

		nae_body_send(body, v, &out[i]);
		assert_non_null(nae_vars_find(v, "KEY"));
		assert_int_equal(out[i].octets, strlen("ts-key-0123456789"));
	}
	assert_true(bytes_equal(buf_peek(&out[0]), buf_peek(&out[1])));
	assert_false(bytes_equal(buf_peek(&out[0]), buf_peek(&out[2])));
	for (unsigned i = 0; i < 3; i++)
		buf_clear(&out[i]);
	arena_free(a);
}

static void
refused(void **state)
{
	static const struct {
		const char *body, *says;
		bool is_request;
	} of[] = {
	    {"{hexx 00}", "{hexx 00} is nothing", true},
	    {"{hex 0}", "octet", true},
	    {"{hex 00", "no }", true},
	    {"{fill x 00}", "is no count", true},
	    {"{fill 1 00 00}", "too much", true},
	    {"{number 3}", "too much", false},
	    {"{any 3}", "no place in a request", true},
	    {"{data any 3}", "no place in a request", true},
	    {"{file no/such}", "no/such", true},
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct nae_piece *body;
		struct fault f = {""};

		if (nae_body_read(a, of[i].body, ".", of[i].is_request, &body,
			&f) == OK ||
		    strstr(f.text, of[i].says) == NULL)
			fail_msg("%s: %s", of[i].body, f.text);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(matches),
	    cmocka_unit_test(every_rule_has_a_row),
	    cmocka_unit_test(sent),
	    cmocka_unit_test(chosen),
	    cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
