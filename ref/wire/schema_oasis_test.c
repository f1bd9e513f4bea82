/*
 * Every message of the OASIS test cases of 1.0 to 2.1 is accepted at the
 * version it names, survives shaping unchanged, and comes back from the binary
 * encoding as it was.
 *
 * OASIS=DIR says where the cases are; ../shared/vectors/oasis is looked at,
 * too. They are not part of the project: without them nothing is run, and the
 * test says so.
 */
#include "wire/testing.h"

#include <ftw.h>

#include "wire/item.h"
#include "wire/ttlv.h"
#include "wire/xml.h"

/* What is wrong in the cases themselves, and so refused. */
static struct {
	const char *file; /* how its path ends */
	enum err want;
	unsigned want_count; /* messages refused */
	const char *why;
	unsigned count;
} faulty[] = {
    {"1.2/mandatory/CS-AC-M-3-12.xml", ERR_MISSING, 1,
	"an Attribute without its name", 0},
    {"1.2/mandatory/CS-AC-M-8-12.xml", ERR_MISSING, 1,
	"an Attribute without its name", 0},
    {"1.2/testcases/TC_NP_2_12_Notify_Put.xml", ERR_UNEXPECTED, 1,
	"one header says 1.0", 0},
    {"1.2/testcases/TC_SJ_1_12_Create_and_SplitJoin.xml", ERR_MISSING, 2,
	"no Object Type in answers: kmip-1.2 4.38 requires it", 0},
    {"1.2/testcases/TC_SJ_2_12_Register_and_Split_Join.xml", ERR_MISSING, 2,
	"likewise", 0},
    {"1.2/testcases/TC_SJ_3_12_Join_Split_Keys.xml", ERR_MISSING, 1, "likewise",
	0},
};

static struct {
	unsigned file_count;
	unsigned request_count;
	unsigned response_count;
	unsigned failure_count;
} seen;

static bool
is_faulty(const char *path, enum err rc)
{
	for (size_t i = 0; i < COUNT(faulty); i++) {
		const char *file = faulty[i].file;

		if (faulty[i].want == rc && strlen(path) >= strlen(file) &&
		    strcmp(path + strlen(path) - strlen(file), file) == 0) {
			faulty[i].count++;
			return true;
		}
	}
	return false;
}

static bool
begins(const char *at, const char *with)
{
	return strncmp(at, with, strlen(with)) == 0;
}

/*
 * A message with its placeholders replaced: times by a time, what a server
 * makes up by octets or, in a text, by itself.
 */
static void
substitute(const char *at, const char *end, struct buf *out)
{
	bool is_octets = false;

	buf_init(out, (size_t)16 << 20);
	while (at < end) {
		if (begins(at, "type=\""))
			is_octets = begins(at, "type=\"ByteString\"");
		if (!begins(at, "\"$") ||
		    (!begins(at, "\"$NOW") && !is_octets)) {
			assert_int_equal(
			    buf_put(
				out, (struct bytes){(const uint8_t *)at, 1}),
			    OK);
			at++;
			continue;
		}
		assert_int_equal(
		    buf_put_text(out,
			is_octets ? "\"00\"" : "\"2020-02-02T20:20:20+00:00\""),
		    OK);
		at = strchr(at + 1, '"') + 1;
	}
}

static enum version
message_version(const struct item *message)
{
	const struct item *v = item_find(message->first, TAG_PROTOCOL_VERSION);

	assert_non_null(v);
	return (enum version)(
	    item_number(v, TAG_PROTOCOL_VERSION_MAJOR, 0) << 8 |
	    item_number(v, TAG_PROTOCOL_VERSION_MINOR, 0));
}

static enum err
check_request(const struct item *message, enum version v, struct fault *f)
{
	enum err rc = OK;

	TRY(schema_check_request(message, v, f));
	ITEM_EACH (message, item) {
		if (item->tag != TAG_BATCH_ITEM)
			continue;
		TRY(schema_check_payload(item_find(item, TAG_REQUEST_PAYLOAD),
		    (uint32_t)item_number(item, TAG_OPERATION, 0), v, f));
	}
out:
	return rc;
}

static enum err
check_message(struct arena *a, struct bytes xml, struct fault *f)
{
	struct buf first;
	struct buf second;
	struct item *message;
	struct item *copy;
	enum version v;
	enum err rc = OK;

	buf_init(&first, (size_t)1 << 20);
	buf_init(&second, (size_t)1 << 20);
	fault_set(f, "not read");
	TRY(xml_parse(a, xml, &message));
	fault_set(f, "not encoded");
	TRY(ttlv_write(message, &first));
	TRY(ttlv_parse(a, buf_peek(&first), &copy));
	assert_true(item_equal(message, copy));
	v = message_version(message);
	if (message->tag == TAG_REQUEST_MESSAGE) {
		seen.request_count++;
		TRY(check_request(message, v, f));
	} else {
		seen.response_count++;
		TRY(schema_check_response(message, v, f));
		TRY(schema_shape_response(copy, v, f));
		if (!item_equal(message, copy)) {
			fault_set(f, "shaping changed it");
			rc = ERR_UNEXPECTED;
		}
	}
out:
	buf_clear(&first);
	buf_clear(&second);
	return rc;
}

static void
check_text(const char *path, const char *text)
{
	static const char *const ends[] = {
	    "</RequestMessage>", "</ResponseMessage>"};
	const char *at = text;

	while ((at = strstr(at, "<Re")) != NULL) {
		struct arena *a;
		struct fault f;
		struct buf xml;
		const char *end;
		enum err rc;

		if (!begins(at, "<RequestMessage>") &&
		    !begins(at, "<ResponseMessage>")) {
			at++;
			continue;
		}
		end = strstr(at, ends[begins(at, "<Res")]);
		if (end == NULL)
			fail_msg("%s: a message without its end", path);
		end += strlen(ends[begins(at, "<Res")]);
		a = testing_arena((size_t)4 << 20);
		substitute(at, end, &xml);
		rc = check_message(a, buf_peek(&xml), &f);
		if (rc != OK && !is_faulty(path, rc)) {
			seen.failure_count++;
			print_error("%s, message %u: %s: %s\n", path,
			    seen.request_count + seen.response_count,
			    err_name(rc), f.text);
		}
		buf_clear(&xml);
		arena_free(a);
		at = end;
	}
}

static int
on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct buf text;

	(void)st;
	(void)ftw;
	if (type != FTW_F || strlen(path) < 4 ||
	    strcmp(path + strlen(path) - 4, ".xml") != 0 ||
	    strstr(path, "/3.0/") != NULL)
		return 0;
	testing_read(path, &text);
	check_text(path, (const char *)text.at);
	buf_clear(&text);
	seen.file_count++;
	return 0;
}

static void
all_cases_are_accepted(void **state)
{
	const char *path =
	    testing_directory("OASIS", "../shared/vectors/oasis");

	(void)state;
	if (path == NULL) {
		print_message("OASIS: not run\n");
		skip();
	}
#ifdef TORTURE
	/* not once for each of so many allocations */
	skip();
#endif
	assert_int_equal(nftw(path, on_file, 16, FTW_PHYS), 0);
	print_message("%u cases, %u requests, %u responses\n", seen.file_count,
	    seen.request_count, seen.response_count);
	assert_true(seen.file_count > 600);
	assert_true(seen.request_count > 3600);
	assert_true(seen.response_count > 3600);
	assert_int_equal(seen.failure_count, 0);
	for (size_t i = 0; i < COUNT(faulty); i++)
		if (faulty[i].count != faulty[i].want_count)
			fail_msg("%s: %u messages refused, expected %u (%s)",
			    faulty[i].file, faulty[i].count,
			    faulty[i].want_count, faulty[i].why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_cases_are_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
