#include "nae.h"

#include "show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OK_HEAD "<RandGenResponse><ID>5</ID><Success>true</Success>"

/* Answers, and what the codec says of them. */
static const struct row {
	const char *name, *in;
	size_t octets; /* 0: to its NUL */
	enum err want;
	size_t offset; /* of the finding */
	const char *spec;
} rows[] = {
    {"an answer", OK_HEAD "</RandGenResponse>", 0, OK, 0, "2.3"},
    {"cut short", OK_HEAD "</RandGenRespons", 0, ERR_TRUNCATED, 0, "2.1"},
    {"nothing", "", 0, ERR_TRUNCATED, 0, "2.1"},
    {"an empty element", "<A/>", 0, OK, 0, "2.1"},
    {"a declaration", "<?xml version=\"1.0\"?><A/>", 0, ERR_SURPLUS, 1, "2.1"},
    {"an attribute", "<A b=\"1\"/>", 0, ERR_SURPLUS, 2, "2.1"},
    {"a comment", "<A><!-- --></A>", 0, ERR_SURPLUS, 4, "2.1"},
    {"CDATA", "<A><![CDATA[x]]></A>", 0, ERR_SURPLUS, 4, "2.1"},
    {"another end", "<A><B></A></B>", 0, ERR_TAG, 6, "2.1"},
    {"an end alone", "</A>", 0, ERR_TAG, 0, "2.1"},
    {"text outside", "x<A/>", 0, ERR_SYNTAX, 0, "2.1"},
    {"text beside elements", "<A>x<B/></A>", 0, ERR_TYPE, 3, "2.1"},
    {"text behind elements", "<A><B/>x</A>", 0, ERR_TYPE, 7, "2.1"},
    {"the five references", "<A>&lt;&gt;&amp;&quot;&apos;</A>", 0, OK, 0,
	"2.1"},
    {"numbers as references", "<A>&#65;&#x1F600;</A>", 0, OK, 0, "2.1"},
    {"a reference of nobody", "<A>&nbsp;</A>", 0, ERR_SYNTAX, 3, "2.1"},
    {"a reference to nothing", "<A>&#0;</A>", 0, ERR_SYNTAX, 3, "2.1"},
    {"half a surrogate", "<A>&#xD800;</A>", 0, ERR_SYNTAX, 3, "2.1"},
    {"an & alone", "<A>a & b</A>", 0, ERR_SYNTAX, 5, "2.1"},
    {"a > in text", "<A>a>b</A>", 0, ERR_SYNTAX, 4, "2.1"},
    {"a control character", "<A>a\001</A>", 0, ERR_SYNTAX, 4, "2.1"},
    {"a line feed", "<A>a\nb</A>", 0, OK, 0, "2.1"},
    {"UTF-8", "<A>\303\244</A>", 0, OK, 0, "2.1"},
    {"Latin 1", "<A>a\344</A>", 0, ERR_UTF8, 4, "2.1"},
    {"16 deep",
	"<A><A><A><A><A><A><A><A><A><A><A><A><A><A><A><A>"
	"</A></A></A></A></A></A></A></A></A></A></A></A></A></A></A></A>",
	0, OK, 0, "2.1"},
    {"17 deep", "<A><A><A><A><A><A><A><A><A><A><A><A><A><A><A><A><A>", 0,
	ERR_DEPTH, 48, "2.1"},
    {"data", "<Data><Size>3</Size><a>\001</Data>", 0, ERR_SYNTAX, 23, "2.1"},
    {"data of any octets", "<Data><Size>4</Size><a>\001</Data>", 0, OK, 0,
	"2.1"},
    {"data with a NUL", "<Data><Size>1</Size>\0</Data>", 28, OK, 0, "2.1"},
    {"data in chunks", "<Data><Size>1</Size>a<Size>2</Size>bc</Data>", 0, OK, 0,
	"2.1"},
    {"no octets in a chunk", "<Data><Size>0</Size></Data>", 0, OK, 0, "2.8"},
    {"no chunk", "<Data></Data>", 0, OK, 0, "2.8"},
    {"a chunk cut short", "<Data><Size>4</Size>abc", 0, ERR_TRUNCATED, 0,
	"2.1"},
    {"a chunk without size", "<Data>abc</Data>", 0, ERR_SYNTAX, 6, "2.1"},
    {"an empty size", "<Data><Size></Size></Data>", 0, ERR_SYNTAX, 12, "2.1"},
    {"a negative size", "<Data><Size>-1</Size></Data>", 0, ERR_SYNTAX, 12,
	"2.1"},
    {"a size with a blank", "<Data><Size>1 </Size>a</Data>", 0, ERR_SYNTAX, 13,
	"2.1"},
    {"a chunk of 16 MiB", "<Data><Size>16777216</Size>", 0, ERR_TRUNCATED, 0,
	"2.1"},
    {"a chunk of 16 MiB and one", "<Data><Size>16777217</Size>", 0, ERR_SIZE,
	19, "2.1"},
    {"a size beyond all", "<Data><Size>99999999999999999999999</Size>", 0,
	ERR_SIZE, 19, "2.1"},
};

static void
answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct bytes in = {(const uint8_t *)r->in,
		    r->octets > 0 ? r->octets : strlen(r->in)};
		struct nae_message m;
		struct finding f;
		size_t need;
		enum err rc = nae_read(a, in, 0, &m, &need, &f);

		if (rc != r->want || (rc == ERR_TRUNCATED) != (need > 0) ||
		    f.offset != r->offset)
			fail_msg("%s (nae-xml %s): expected %s at %zu, got %s "
				 "at %zu, %zu needed",
			    r->name, r->spec, err_name(r->want), r->offset,
			    err_name(rc), f.offset, need);
		if (rc == OK && m.octets != in.octets)
			fail_msg("%s: %zu of %zu octets", r->name, m.octets,
			    in.octets);
		arena_free(a);
	}
}

/* However an answer arrives, it is the same; and no octet too many is asked
 * for. */
static void
in_parts(void **state)
{
	static const char two[] = OK_HEAD
	    "</RandGenResponse><Data><Size>2</Size></<Size>1</Size>x</Data>";
	struct arena *a = arena_new();
	struct nae_message m;
	struct finding f;
	size_t need, first = strlen(OK_HEAD "</RandGenResponse>");

	(void)state;
	for (size_t n = 0; n < first; n++) {
		assert_int_equal(
		    nae_read(a, (struct bytes){(const uint8_t *)two, n}, 0, &m,
			&need, &f),
		    ERR_TRUNCATED);
		assert_in_range(need, 1, first - n);
	}
	for (size_t n = first; n < sizeof two - 1; n++) {
		assert_int_equal(
		    nae_read(a, (struct bytes){(const uint8_t *)two, n}, first,
			&m, &need, &f),
		    ERR_TRUNCATED);
		assert_in_range(need, 1, sizeof two - 1 - n);
	}
	assert_int_equal(
	    nae_read(a, bytes_of_text(two), first, &m, &need, &f), OK);
	assert_int_equal(m.octets, sizeof two - 1 - first);
	assert_int_equal(m.chunk_count, 2);
	assert_true(bytes_equal(nae_data(a, &m), bytes_of_text("</x")));
	assert_int_equal(m.chunks[0].offset, first + 20);
	arena_free(a);
}

static void
tree(void **state)
{
	static const char text[] =
	    "<R><ID>a&amp;b</ID><L><K>1</K><K>2</K></L></R>";
	struct arena *a = arena_new();
	struct nae_message m;
	struct finding f;
	struct nae_element *k;
	size_t need;
	char path[32];

	(void)state;
	assert_int_equal(
	    nae_read(a, bytes_of_text(text), 0, &m, &need, &f), OK);
	assert_false(m.has_blank);
	assert_string_equal(nae_text(m.root, "ID"), "a&b");
	assert_null(nae_text(m.root, "K"));
	k = nae_find(m.root, "L")->last;
	assert_string_equal(k->text, "2");
	nae_path(k, path, sizeof path);
	assert_string_equal(path, "R/L/K[1]");
	nae_path(k, path, 5);
	assert_string_equal(path, "R/L/");
	assert_memory_equal(text + k->offset, "<K>2", 4);
	assert_memory_equal(text + k->text_offset, "2</K>", 5);
	arena_free(a);
}

static void
blanks(void **state)
{
	static const struct {
		const char *text;
		bool has_blank;
		size_t at;
	} of[] = {{"<A><B>x y</B></A>", false, 0}, {"\n<A/>", true, 0},
	    {"<A>\n<B/></A>", true, 3}, {"<A><B/> </A>", true, 7},
	    {"<A> </A>", false, 0}, {"<Data> <Size>0</Size></Data>", true, 6}};

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct arena *a = arena_new();
		struct nae_message m;
		struct finding f;
		size_t need;

		assert_int_equal(
		    nae_read(a, bytes_of_text(of[i].text), 0, &m, &need, &f),
		    OK);
		if (m.has_blank != of[i].has_blank || m.blank != of[i].at)
			fail_msg(
			    "%s: %d at %zu", of[i].text, m.has_blank, m.blank);
		arena_free(a);
	}
}

static void
data_written(void **state)
{
	static const struct {
		const char *data;
		size_t chunk_octets;
		const char *want;
	} of[] = {{"", 0, "<Data><Size>0</Size></Data>"},
	    {"abc", 0, "<Data><Size>3</Size>abc</Data>"},
	    {"abc", 2, "<Data><Size>2</Size>ab<Size>1</Size>c</Data>"},
	    {"abcd", 2, "<Data><Size>2</Size>ab<Size>2</Size>cd</Data>"}};

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct buf out = {0};

		nae_put_data(
		    &out, bytes_of_text(of[i].data), of[i].chunk_octets);
		assert_string_equal(buf_peek_text(&out), of[i].want);
		buf_clear(&out);
	}
}

static void
shown(void **state)
{
	static const char in[] = "<Passwd>p\001w</Passwd><Size>2</Size>"
				 "\002\003<KeyData>00</KeyData>";
	struct buf hex = {0}, text = {0};

	(void)state;
	nae_show(bytes_of_text(in), 0, &hex, &text);
	assert_string_equal(buf_peek_text(&text),
	    "<Passwd>***</Passwd><Size>2</Size>{hex 0203}"
	    "<KeyData>***</KeyData>");
	assert_int_equal(hex.octets, 2 * strlen(in));
	assert_null(strstr(buf_peek_text(&hex), "7001"));
	assert_non_null(strstr(buf_peek_text(&hex), "****"));
	buf_clear(&hex);
	buf_clear(&text);
	nae_show(bytes_of_text(in), SHOW_SECRETS, &hex, &text);
	assert_string_equal(buf_peek_text(&text),
	    "<Passwd>p{hex 01}w</Passwd><Size>2</Size>{hex 0203}"
	    "<KeyData>00</KeyData>");
	assert_non_null(strstr(buf_peek_text(&hex), "700177"));
	buf_clear(&hex);
	buf_clear(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(in_parts),
	    cmocka_unit_test(tree),
	    cmocka_unit_test(blanks),
	    cmocka_unit_test(data_written),
	    cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
