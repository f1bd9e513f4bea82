#include "nae/element.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nae/text.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	return (int)arena_new(16 << 20, &arena);
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* How many tags open an element, as frame.c counts them. */
static size_t
elements_in(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += text[0] == '<' && text[1] != '/';
	return count;
}

/* "A(B=text C)" */
static void
describe(struct buf *out, const struct element *e)
{
	assert_int_equal(buf_put(out, e->name), OK);
	if (e->span == 1 && e->text.octets != 0) {
		assert_int_equal(buf_put_text(out, "="), OK);
		assert_int_equal(buf_put(out, e->text), OK);
	}
	if (e->span == 1)
		return;
	assert_int_equal(buf_put_text(out, "("), OK);
	ELEMENT_EACH (e, child) {
		if (child != e + 1)
			assert_int_equal(buf_put_text(out, " "), OK);
		describe(out, child);
	}
	assert_int_equal(buf_put_text(out, ")"), OK);
}

/* spec: nae-xml 2.1 */
static void
test_read(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *want; /* or the error */
	} cases[] = {
	    {"nested", "<A><B>x</B><C><D/><E>y</E></C><F></F></A>",
		"A(B=x C(D E=y) F)"},
	    {"white space between", "<A>\n <B>x</B>\r\n\t</A >", "A(B=x)"},
	    {"white space within", "<A><B> x </B></A>", "A(B= x )"},
	    {"text between", "<A>x<B/></A>", "ERR_MESSAGE"},
	    {"text behind", "<A><B/>x</A>", "ERR_MESSAGE"},
	    {"attributes", "<A b='1' c = \"2>\"><B d='&'/></A>", "A(B)"},
	    {"attributes together", "<A b='1'c='2'/>", "ERR_MESSAGE"},
	    {"an attribute without a value", "<A b/>", "ERR_MESSAGE"},
	    {"an attribute without quotes", "<A b=1/>", "ERR_MESSAGE"},
	    {"ends crossed", "<A><B></A></B>", "ERR_MESSAGE"},
	    {"an end that begins as its own", "<A></AB>", "ERR_MESSAGE"},
	    {"an end that is shorter", "<AB></A>", "ERR_MESSAGE"},
	    {"a slash within", "<A/b/>", "ERR_MESSAGE"},
	    {"the entities", "<A>&lt;&gt;&amp;&quot;&apos;</A>", "A=<>&\"'"},
	    {"numbers", "<A>&#65;&#x42;&#x1F600;</A>", "A=AB\xf0\x9f\x98\x80"},
	    {"an entity of none", "<A>&foo;</A>", "ERR_MESSAGE"},
	    {"an entity without end", "<A>&lt</A>", "ERR_MESSAGE"},
	    {"an ampersand", "<A>a&b</A>", "ERR_MESSAGE"},
	    {"a number that is no character", "<A>&#0;</A>", "ERR_MESSAGE"},
	    {"a surrogate", "<A>&#xD800;</A>", "ERR_MESSAGE"},
	    {"beyond Unicode", "<A>&#x110000;</A>", "ERR_MESSAGE"},
	    {"no digits", "<A>&#;</A>", "ERR_MESSAGE"},
	    {"no hexadecimal digits", "<A>&#x;</A>", "ERR_MESSAGE"},
	    {"an entity is not looked at twice", "<A>&amp;lt;</A>", "A=&lt;"},
	    /* passwords */
	    {"an ampersand in a password", "<A><Passwd>a&b</Passwd></A>",
		"A(Passwd=a&b)"},
	    {"one at its end", "<A><Password>a&</Password></A>",
		"A(Password=a&)"},
	    {"a reference in a password", "<A><Passwd>a&lt;&b;</Passwd></A>",
		"A(Passwd=a<&b;)"},
	    {"no character in a password", "<A><Passwd>&#0;</Passwd></A>",
		"A(Passwd=&#0;)"},
	    /* octets */
	    {"UTF-8", "<A>\xc3\xa4</A>", "A=\xc3\xa4"},
	    {"no UTF-8", "<A>\xc3</A>", "ERR_MESSAGE"},
	    {"a control character", "<A>\x01</A>", "ERR_MESSAGE"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		const struct element *root;
		struct buf out;
		enum err rc;

		arena_reset(arena);
		buf_init(&out, 1 << 20);
		rc = element_read(arena, bytes_of_text(cases[k].in),
		    elements_in(cases[k].in), &root);
		if (rc == OK)
			describe(&out, root);
		else
			assert_int_equal(buf_put_text(&out, err_name(rc)), OK);
		if (!bytes_equal_text(buf_peek(&out), cases[k].want))
			fail_msg("%s: expected %s, got %.*s", cases[k].name,
			    cases[k].want, (int)out.octets,
			    (const char *)out.at);
		buf_clear(&out);
	}
}

/* Texts of 64 KiB, of 512 KiB where keys and messages are. */
static void
test_limits(void **state)
{
	static const struct {
		const char *name;
		size_t octets;
		enum err want;
	} cases[] = {
	    {"KeyName", 64 << 10, OK},
	    {"KeyName", (64 << 10) + 1, ERR_LIMIT},
	    {"Foreign", 64 << 10, OK},
	    {"Foreign", (64 << 10) + 1, ERR_LIMIT},
	    {"KeyData", 512 << 10, OK},
	    {"KeyData", (512 << 10) + 1, ERR_LIMIT},
	    {"Message", 512 << 10, OK},
	    {"Message", (512 << 10) + 1, ERR_LIMIT},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		const struct element *root;
		struct buf in;
		uint8_t *at;

		buf_init(&in, 1 << 20);
		assert_int_equal(buf_printf(&in, "<A><%s>", cases[k].name), OK);
		assert_int_equal(buf_reserve(&in, cases[k].octets, &at), OK);
		memset(at, 'x', cases[k].octets);
		buf_added(&in, cases[k].octets);
		assert_int_equal(
		    buf_printf(&in, "</%s></A>", cases[k].name), OK);
		assert_int_equal(element_read(arena, buf_peek(&in), 2, &root),
		    cases[k].want);
		buf_clear(&in);
	}
}

static void
test_fields(void **state)
{
	static const struct {
		const char *in;
		enum err flag_rc;
		bool flag;
		enum err number_rc;
		uint64_t number;
	} cases[] = {
	    {"<A><Exportable/></A>", OK, true, ERR_VALUE, 0},
	    {"<A><Exportable></Exportable></A>", OK, true, ERR_VALUE, 0},
	    {"<A><Exportable>true</Exportable></A>", OK, true, ERR_VALUE, 0},
	    {"<A><Exportable>false</Exportable></A>", OK, false, ERR_VALUE, 0},
	    {"<A><Exportable>TRUE</Exportable></A>", ERR_VALUE, true, ERR_VALUE,
		0},
	    {"<A><Exportable><B/></Exportable></A>", ERR_VALUE, false,
		ERR_VALUE, 0},
	    {"<A><Exportable>99</Exportable></A>", ERR_VALUE, true, OK, 99},
	    {"<A><Exportable>100</Exportable></A>", ERR_VALUE, true, OK, 100},
	    {"<A><Exportable>0</Exportable></A>", ERR_VALUE, true, OK, 0},
	    {"<A><Exportable>007</Exportable></A>", ERR_VALUE, true, OK, 7},
	    {"<A><Exportable>101</Exportable></A>", ERR_VALUE, true, ERR_VALUE,
		0},
	    {"<A><Exportable>18446744073709551617</Exportable></A>", ERR_VALUE,
		true, ERR_VALUE, 0},
	    {"<A><Exportable>1 </Exportable></A>", ERR_VALUE, true, ERR_VALUE,
		0},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		const struct element *root;
		uint64_t number;
		bool flag;

		assert_int_equal(element_read(arena, bytes_of_text(cases[k].in),
				     elements_in(cases[k].in), &root),
		    OK);
		assert_int_equal(
		    element_flag(root, EL_EXPORTABLE, &flag), cases[k].flag_rc);
		assert_int_equal(flag, cases[k].flag);
		assert_int_equal(
		    element_number(
			element_find(root, EL_EXPORTABLE), 100, &number),
		    cases[k].number_rc);
		if (cases[k].number_rc == OK)
			assert_int_equal(number, cases[k].number);
		assert_int_equal(element_flag(root, EL_DELETABLE, &flag), OK);
		assert_false(flag);
		assert_int_equal(element_text(root, EL_DELETABLE).octets, 0);
	}
}

/* The names: sorted, and each resolves to itself. */
static void
test_names(void **state)
{
	int k;

	(void)state;
	for (k = EL_UNKNOWN + 1; k < EL_COUNT; k++) {
		const char *word = element_word((enum element_name)k);

		assert_int_equal(element_named(bytes_of_text(word)), k);
		assert_true(
		    k == 1 ||
		    strcmp(element_word((enum element_name)(k - 1)), word) < 0);
	}
	assert_int_equal(element_named(bytes_of_text("keyName")), EL_UNKNOWN);
	assert_int_equal(element_named(bytes_of_text("KeyNam")), EL_UNKNOWN);
	assert_int_equal(element_named(bytes_of_text("KeyNamea")), EL_UNKNOWN);
	assert_int_equal(element_named(BYTES_NONE), EL_UNKNOWN);
}

static void
test_write(void **state)
{
	static const char want[] =
	    "<Key><KeyName>a&lt;b&gt;&amp;\"'?\n</KeyName>"
	    "<Exportable>false</Exportable><KeySize>256</KeySize>"
	    "<IV>00FFA0</IV></Key>";
	static const uint8_t iv[] = {0x00, 0xff, 0xa0};
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_int_equal(element_open(&out, EL_KEY), OK);
	assert_int_equal(
	    element_put_text(&out, EL_KEY_NAME, "a<b>&\"'\x01\n"), OK);
	assert_int_equal(element_put_flag(&out, EL_EXPORTABLE, false), OK);
	assert_int_equal(element_put_number(&out, EL_KEY_SIZE, 256), OK);
	assert_int_equal(
	    element_put_hex(&out, EL_IV, (struct bytes){iv, sizeof(iv)}), OK);
	assert_int_equal(element_close(&out, EL_KEY), OK);
	assert_true(bytes_equal_text(buf_peek(&out), want));
	buf_clear(&out);
}

static void
test_hex(void **state)
{
	static const struct {
		const char *in;
		const char *want; /* NULL: refused */
	} cases[] = {
	    {"", ""},
	    {"41", "A"},
	    {"4a4B", "JK"},
	    {"4", NULL},
	    {"4g", NULL},
	    {"4 ", NULL},
	};
	struct bytes out;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_int_equal(
		    hex_read(arena, bytes_of_text(cases[k].in), &out),
		    cases[k].want != NULL ? OK : ERR_VALUE);
		if (cases[k].want != NULL)
			assert_true(bytes_equal_text(out, cases[k].want));
	}
}

#define ELEMENT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ELEMENT_TEST(test_read),
	    ELEMENT_TEST(test_limits),
	    ELEMENT_TEST(test_fields),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_write),
	    ELEMENT_TEST(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
