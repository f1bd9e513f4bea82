#include "nae/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { DATA_OCTETS = 100 };

/*
 * What became of a stream: "H<a/>" for a header, "(" data ")" around the octets
 * of a data element, "!ERR_..." for the end.
 */
static void
run(struct buf *out, struct bytes all, size_t portion)
{
	enum frame_part part = FRAME_MORE;
	struct frame f;
	enum err rc = OK;

	frame_init(&f, DATA_OCTETS);
	while (rc == OK && all.octets != 0) {
		struct bytes in = {
		    all.at, all.octets < portion ? all.octets : portion};
		struct bytes octets;

		all.at += in.octets;
		all.octets -= in.octets;
		do {
			rc = frame_next(&f, &in, &part, &octets);
			if (rc != OK)
				break;
			if (part == FRAME_HEADER)
				assert_int_equal(buf_put_text(out, "H"), OK);
			if (part == FRAME_DATA)
				assert_int_equal(buf_put_text(out, "("), OK);
			assert_int_equal(buf_put(out, octets), OK);
			if (part == FRAME_END)
				assert_int_equal(buf_put_text(out, ")"), OK);
		} while (part != FRAME_MORE);
	}
	if (rc != OK)
		assert_int_equal(buf_printf(out, "!%s", err_name(rc)), OK);
	else if (!frame_is_idle(&f))
		assert_int_equal(buf_put_text(out, "..."), OK);
	frame_clear(&f);
}

/* "*": how much was given before is not asked. */
static bool
as_wanted(struct bytes got, const char *want)
{
	size_t octets;

	if (want[0] != '*')
		return bytes_equal_text(got, want);
	octets = strlen(want + 1);
	return got.octets >= octets &&
	       memcmp(got.at + got.octets - octets, want + 1, octets) == 0;
}

/* spec: nae-xml 1.2 2.1 */
static void
test_streams(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *want;
	} cases[] = {
	    /* the octets of the one client that is known */
	    {"bare roots, one after another",
		"<VersionRequest><MessageVersion>1.0</MessageVersion><ID>1</ID>"
		"<VersionList><Version>2.9</Version></VersionList>"
		"</VersionRequest><AuthRequest><ID>2</ID><User>u</User>"
		"<Passwd>p</Passwd></AuthRequest><KeyExportRequest><ID>2</ID>"
		"<KeyName>k</KeyName></KeyExportRequest>\n",
		"H<VersionRequest><MessageVersion>1.0</MessageVersion>"
		"<ID>1</ID><VersionList><Version>2.9</Version></VersionList>"
		"</VersionRequest>H<AuthRequest><ID>2</ID><User>u</User>"
		"<Passwd>p</Passwd></AuthRequest>H<KeyExportRequest><ID>2</ID>"
		"<KeyName>k</KeyName></KeyExportRequest>"},
	    {"white space between", " \r\n\t<A/>\n<B></B> ", "H<A/>H<B></B>"},
	    {"text between", "<A/>x<B/>", "H<A/>!ERR_MESSAGE"},
	    {"a tag in a value", "<A b='</A>'></A>", "!ERR_MESSAGE"},
	    {"a '>' in a value", "<A b='>' c=\"/>'\"/><B/>",
		"H<A b='>' c=\"/>'\"/>H<B/>"},
	    {"not whole", "<A><B></B>", "..."},
	    {"elements in it of the same name", "<A><A></A><A/></A><B/>",
		"H<A><A></A><A/></A>H<B/>"},
	    {"a slash in a tag", "<A /b></A>", "H<A /b></A>"},
	    {"an end without a beginning", "</A>", "!ERR_MESSAGE"},
	    {"a document type", "<!DOCTYPE a><A/>", "!ERR_MESSAGE"},
	    {"a comment", "<A><!-- --></A>", "!ERR_MESSAGE"},
	    {"CDATA", "<A><![CDATA[x]]></A>", "!ERR_MESSAGE"},
	    {"an instruction", "<A><?x ?></A>", "!ERR_MESSAGE"},
	    {"a tag in a tag", "<A <B>></A>", "!ERR_MESSAGE"},
	    {"no name", "< A></A>", "!ERR_MESSAGE"},
	    {"an XML declaration", "<?xml version='1.0'?>\n<A/>", "H<A/>"},
	    {"two", "<?xml version='1.0'?><?xml version='1.0'?><A/>",
		"!ERR_MESSAGE"},
	    {"one later", "<A/><?xml version='1.0'?><B/>", "H<A/>!ERR_MESSAGE"},
	    {"another instruction first", "<?xsl a?><A/>", "!ERR_MESSAGE"},
	    {"depth 16",
		"<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a>"
		"</a></a></a></a></a></a></a></a></a></a></a></a>",
		"H<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a>"
		"</a></a></a></a></a></a></a></a></a></a></a></a></a>"},
	    {"depth 17",
		"<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a>"
		"</a></a></a></a></a></a></a></a></a></a></a></a></a></a>",
		"!ERR_LIMIT"},
	    /* data */
	    {"a chunk", "<Data><Size>5</Size>a<b>c</Data><A/>", "(a<b>c)H<A/>"},
	    {"two chunks", "<Data><Size>2</Size>ab<Size>1</Size>c</Data>",
		"(abc)"},
	    {"blanks around chunks",
		"<Data>\n <Size>2</Size>ab\n<Size>1</Size>c </Data>", "(abc)"},
	    {"a blank is an octet", "<Data><Size>2</Size> a</Data>", "( a)"},
	    {"a blank too much", "<Data><Size>1</Size> a</Data>",
		"( !ERR_VALUE"},
	    {"no octets", "<Data><Size>0</Size></Data>", "()"},
	    {"no chunk", "<Data></Data>", "()"},
	    {"nothing at all", "<Data/><A/>", "()H<A/>"},
	    {"a header with such a name within", "<A><Data></Data></A>",
		"H<A><Data></Data></A>"},
	    {"its end is not its own", "<Data><Size>1</Size>a</DataSingle>",
		"(a!ERR_VALUE"},
	    {"no digits", "<Data><Size></Size></Data>", "(!ERR_VALUE"},
	    {"a blank among digits", "<Data><Size> 1</Size>a</Data>",
		"(!ERR_VALUE"},
	    {"a sign", "<Data><Size>-1</Size></Data>", "(!ERR_VALUE"},
	    {"an element of another name", "<Data><Sise>1</Sise>a</Data>",
		"(!ERR_VALUE"},
	    {"the end of another", "<Data><Size>1</Sise>a</Data>",
		"(!ERR_VALUE"},
	    {"text instead", "<Data>a</Data>", "(!ERR_VALUE"},
	    {"a tag without end",
		"<Data><Sizeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
		"eeeeeeeeeee>",
		"(!ERR_VALUE"},
	    {"as many as are taken",
		"<Data><Size>99</Size>"
		"012345678901234567890123456789012345678901234567890123456789"
		"012345678901234567890123456789012345678<Size>1</Size>x</Data>",
		"("
		"012345678901234567890123456789012345678901234567890123456789"
		"012345678901234567890123456789012345678x)"},
	    {"one more", "<Data><Size>101</Size>", "(!ERR_LIMIT"},
	    {"one more together", "<Data><Size>3</Size>abc<Size>98</Size>",
		"(abc!ERR_LIMIT"},
	    {"more than a number holds",
		"<Data><Size>99999999999999999999999</Size>", "(!ERR_LIMIT"},
	    {"a single", "<DataSingle><Size>2</Size>ab</DataSingle>", "(ab)"},
	    {"twice in a single",
		"<DataSingle><Size>1</Size>a<Size>1</Size>b</DataSingle>",
		"(a!ERR_VALUE"},
	    {"base64",
		"<Base64Data><Size>4</Size>YWJj<Size>4</Size>ZA=="
		"</Base64Data>",
		"(abcd)"},
	    {"base64 cut within a group",
		"<Base64Data><Size>3</Size>YWJ<Size>1</Size>j</Base64Data>",
		"(!ERR_VALUE"},
	    {"blanks are no base64", "<Base64Data><Size>5</Size>YW Jj",
		"(!ERR_VALUE"},
	    {"no base64", "<Base64Data><Size>4</Size>YW-j", "(!ERR_VALUE"},
	    {"base64 that loses bits",
		"<Base64Data><Size>4</Size>ZB==", "(!ERR_VALUE"},
	    {"base64 after padding", "<Base64Data><Size>8</Size>ZA==YWJj",
		"*!ERR_VALUE"},
	    {"padding at the front", "<Base64Data><Size>4</Size>=WJj",
		"(!ERR_VALUE"},
	    {"padding in the middle", "<Base64Data><Size>4</Size>YW=j",
		"(!ERR_VALUE"},
	    {"base64 without sizes",
		"<Base64DataSingle>YW\nJjZA =\t=\r\n</Base64DataSingle>",
		"(abcd)"},
	    {"with one", "<Base64DataSingle><Size>4</Size>YWJj", "(!ERR_VALUE"},
	    {"none", "<Base64DataSingle></Base64DataSingle><A/>", "()H<A/>"},
	    {"not whole base64", "<Base64DataSingle>YWJ</Base64DataSingle>",
		"(!ERR_VALUE"},
	    {"too much base64",
		"<Base64DataSingle>"
		"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
		"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
		"*!ERR_LIMIT"},
	};
	size_t portion;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct bytes in = bytes_of_text(cases[k].in);

		for (portion = in.octets; portion != 0; portion--) {
			struct buf out;
			struct bytes got;

			buf_init(&out, 1 << 20);
			run(&out, in, portion);
			got = buf_peek(&out);
			if (!as_wanted(got, cases[k].want))
				fail_msg("%s, %zu at a time: expected %s, got "
					 "%.*s",
				    cases[k].name, portion, cases[k].want,
				    (int)got.octets, (const char *)got.at);
			buf_clear(&out);
#ifdef TORTURE
			break;
#endif
		}
	}
}

/* A header of a mebibyte is taken, one octet more is not. */
static void
test_header_limit(void **state)
{
	size_t octets = FRAME_HEADER_OCTETS;
	int more;

	(void)state;
	for (more = 0; more <= 1; more++) {
		size_t all = octets + (size_t)more;
		size_t portion;
		char *text = malloc(all);

		assert_non_null(text);
		memset(text, 'x', all);
		memcpy(text, "<A>", 3);
		memcpy(text + all - 4, "</A>", 4);
		for (portion = all; portion > 1000; portion /= 31) {
			struct bytes in = {(const uint8_t *)text, all};
			struct buf out;

			buf_init(&out, 4 << 20);
			run(&out, in, portion);
			if (more == 0)
				assert_int_equal(out.octets, all + 1);
			else
				assert_true(bytes_equal_text(
				    buf_peek(&out), "!ERR_LIMIT"));
			buf_clear(&out);
		}
		free(text);
	}
}

/* A chunk may not announce more than 16 MiB, whatever the data may have. */
static void
test_chunk_limit(void **state)
{
	static const struct {
		const char *in;
		enum err want;
	} cases[] = {
	    {"<Data><Size>16777216</Size>", OK},
	    {"<Data><Size>16777217</Size>", ERR_LIMIT},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct bytes in = bytes_of_text(cases[k].in);
		enum frame_part part;
		struct bytes octets;
		struct frame f;

		frame_init(&f, FRAME_DATA_OCTETS);
		assert_int_equal(frame_next(&f, &in, &part, &octets), OK);
		assert_int_equal(part, FRAME_DATA);
		assert_int_equal(
		    frame_next(&f, &in, &part, &octets), cases[k].want);
		frame_clear(&f);
	}
}

/* What is looked at in advance ends where something begins or is complete. */
static void
test_peek(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *before; /* what has come already */
		size_t want;
	} cases[] = {
	    {"one header", "<A><B/></A><C/>", "", 11},
	    {"a blank first", " \n<A/><C/>", "", 6},
	    {"not whole", "<A><B/>", "", 7},
	    {"blanks only", "  ", "", 2},
	    {"a declaration", "<?xml a?><A/>", "", 9},
	    {"the rest of one", "></A><C/>", "<A><B/", 5},
	    {"the rest of its first tag", "b='1'><B/></A>", "<A ", 6},
	    {"data begins", "<Data><Size>1</Size>a</Data><A/>", "", 6},
	    {"in parts", "ta><Size>1</Size>a</Data><A/>", "<Da", 3},
	    {"data", "<Size>1</Size>a</Data><A/>", "<Data>", 22},
	    {"within a chunk", "bc</Data><A/>", "<Data><Size>3</Size>a", 9},
	    {"a part of a chunk", "bc", "<Data><Size>9</Size>a", 2},
	    {"base64", "YWJj</Base64DataSingle><A/>", "<Base64DataSingle>", 23},
	    {"a part of it", "YWJj", "<Base64DataSingle>", 4},
	    {"something else", "x<A/>", "<Data>", 5},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct bytes before = bytes_of_text(cases[k].before);
		enum frame_part part = FRAME_HEADER;
		struct bytes octets;
		struct frame f;
		size_t got;

		frame_init(&f, DATA_OCTETS);
		while (part != FRAME_MORE)
			assert_int_equal(
			    frame_next(&f, &before, &part, &octets), OK);
		got = frame_peek(&f, bytes_of_text(cases[k].in));
		if (got != cases[k].want)
			fail_msg("%s: expected %zu, got %zu", cases[k].name,
			    cases[k].want, got);
		frame_clear(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_streams),
	    cmocka_unit_test(test_header_limit),
	    cmocka_unit_test(test_chunk_limit),
	    cmocka_unit_test(test_peek),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
