/*
 * Packages: which are believed, and that nothing of the others is.
 */
#include <fcntl.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/ossl.h"
#include "device/package_rig_test.h"

#define SOFTWARE                     \
	"type = software\n"          \
	"product = touchstone-ref\n" \
	"made = 1790000000\n"        \
	"version = 6.2.0p1\n"
#define LICENCE                      \
	"type = licence\n"           \
	"product = touchstone-ref\n" \
	"made = 1790000000\n"        \
	"clients = 10\n"

static struct vendor vendor; /* whom the device trusts */
static struct vendor other;
static struct package_trust *trust;

static struct package_trust *
trust_of(const struct vendor *v)
{
	struct package_trust *out;

	assert_int_equal(package_trust_read(bytes_of_text(v->trust), &out), OK);
	return out;
}

static enum err
try_open(int fd, struct package **out, char why[PACKAGE_WHY_OCTETS])
{
	enum err rc = package_open(fd, trust, out, why);

	assert_true((rc == OK) == (*out != NULL));
	assert_true((rc == OK) == (*why == '\0'));
	return rc;
}

/* ---- a good one ---- */

static enum err
keep(void *ctx, struct bytes octets)
{
	return buf_put(ctx, octets);
}

static void
holds(struct package *p, const char *name, struct bytes want)
{
	struct buf got;
	size_t number;
	uint64_t half = want.octets / 2;

	buf_init(&got, 1024 * 1024);
	assert_int_equal(package_find(p, name, &number), OK);
	assert_int_equal(
	    package_manifest(p)->components[number].octets, want.octets);
	assert_int_equal(package_read(p, number, 0, half, keep, &got), OK);
	assert_int_equal(
	    package_read(p, number, half, want.octets - half, keep, &got), OK);
	assert_true(bytes_equal(buf_peek(&got), want));
	buf_clear(&got);
}

/* Over several chunks, its components where they may be. */
/* req: KS-25-023 KS-25-035 */
static void
test_what_is_in_a_package_comes_out(void **state)
{
	enum { FIRST = 70000, SECOND = 3, THIRD = 140000 };
	static uint8_t content[FIRST + SECOND + THIRD];
	const struct parcel parcel = {.manifest = SOFTWARE
				      "notes = Fixes \xC3\xA4ll\n"
				      "colour = of a later release\n"
				      "component = touchstone-ref 70000\n"
				      "component = notes.txt 3\n"
				      "component = empty 0\n"
				      "component = more 140000\n",
	    .content = {content, sizeof(content)}};
	char why[PACKAGE_WHY_OCTETS];
	const struct package_manifest *m;
	struct package *p;
	size_t k;
	int fd;

	(void)state;
	for (k = 0; k < sizeof(content); k++)
		content[k] = (uint8_t)(k * 7 + (k >> 8));
	fd = parcel_make(&vendor, &parcel);
	assert_int_equal(try_open(fd, &p, why), OK);
	(void)close(fd);
	m = package_manifest(p);
	assert_int_equal(m->type, PACKAGE_SOFTWARE);
	assert_string_equal(m->version, "6.2.0p1");
	assert_string_equal(m->notes, "Fixes \xC3\xA4ll");
	assert_int_equal(m->made_s, 1790000000);
	assert_int_equal(m->component_count, 4);
	holds(p, "touchstone-ref", (struct bytes){content, FIRST});
	holds(p, "notes.txt", (struct bytes){content + FIRST, SECOND});
	holds(p, "empty", BYTES_NONE);
	holds(p, "more", (struct bytes){content + FIRST + SECOND, THIRD});
	assert_int_equal(package_find(p, "mor", &k), ERR_NOT_FOUND);
	package_close(p);
}

/* req: KS-25-014 */
static void
test_a_licence_says_for_how_many(void **state)
{
	const struct parcel parcel = {.manifest = LICENCE};
	char why[PACKAGE_WHY_OCTETS];
	struct package *p;
	int fd = parcel_make(&vendor, &parcel);

	(void)state;
	assert_int_equal(try_open(fd, &p, why), OK);
	assert_int_equal(package_manifest(p)->type, PACKAGE_LICENCE);
	assert_int_equal(package_manifest(p)->clients, 10);
	package_close(p);
	(void)close(fd);
}

/* The plain text fills its chunks, or is one octet off. */
static void
test_chunks_may_be_full(void **state)
{
	static uint8_t content[2 * PACKAGE_CHUNK_OCTETS];
	int off;

	(void)state;
	memset(content, 'c', sizeof(content));
	for (off = -1; off <= 1; off++) {
		char manifest[512];
		char why[PACKAGE_WHY_OCTETS];
		struct package *p;
		size_t octets = sizeof(content) - 300;
		struct parcel parcel = {.manifest = manifest};
		int fd;

		/* its own length is in it: of the same length each time */
		(void)snprintf(manifest, sizeof(manifest),
		    SOFTWARE "component = it %zu\n", octets);
		octets = (size_t)((int)sizeof(content) - 4 -
				  (int)strlen(manifest) + off);
		(void)snprintf(manifest, sizeof(manifest),
		    SOFTWARE "component = it %zu\n", octets);
		parcel.content = (struct bytes){content, octets};
		fd = parcel_make(&vendor, &parcel);
		assert_int_equal(try_open(fd, &p, why), OK);
		holds(p, "it", parcel.content);
		package_close(p);
		(void)close(fd);
	}
}

/* ---- those that are refused ---- */

#define PROGRAM    SOFTWARE "component = touchstone-ref 3\n"
#define OTHER_TEXT "another key"

static const struct {
	const char *name;
	struct parcel parcel;
	bool of_other;     /* packed by the other vendor */
	bool signer_other; /* signed by him */
	enum err want;
	const char *why;
	const char *req;
} refused[] = {
    {"unsigned", {.manifest = PROGRAM, .unsigned_ = true}, false, false,
	ERR_DENIED, "not signed", "KS-25-027"},
    {"another vendor's", {.manifest = PROGRAM}, true, false, ERR_DENIED,
	OTHER_TEXT, "KS-25-027"},
    {"signed by another key", {.manifest = PROGRAM}, false, true, ERR_DENIED,
	OTHER_TEXT, "KS-25-027"},
    {"in the clear", {.manifest = PROGRAM, .in_the_clear = true}, false, false,
	ERR_DENIED, "not encrypted", "KS-25-028"},
    {"of a later format", {.manifest = PROGRAM, .oldest_reader = 2}, false,
	false, ERR_STORE_VERSION, "later release", "ours"},
    {"for another product",
	{.manifest = "type = software\nproduct = other\nmade = 1\n"
		     "version = 6.2.0\ncomponent = touchstone-ref 3\n"},
	false, false, ERR_FEATURE, "another product", "ours"},
    {"a manifest that is longer than it", {.manifest = PROGRAM, .lie = 1000},
	false, false, ERR_VALUE, "malformed", "ours"},
    {"a manifest that is cut", {.manifest = PROGRAM, .lie = -1}, false, false,
	ERR_VALUE, "malformed", "ours"},
    {"less content than said", {.manifest = PROGRAM, .cut = 1}, false, false,
	ERR_VALUE, "malformed", "ours"},
    {"content that nothing names",
	{.manifest = SOFTWARE "component = touchstone-ref 2\n"}, false, false,
	ERR_VALUE, "malformed", "ours"},
};

/* req: KS-25-017 KS-25-027 KS-25-028 */
static void
test_others_are_refused(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(refused) / sizeof(refused[0]); k++) {
		struct parcel parcel = refused[k].parcel;
		char why[PACKAGE_WHY_OCTETS];
		struct package *p;
		enum err rc;
		int fd;

		parcel.content = bytes_of_text("elf");
		if (refused[k].signer_other)
			parcel.signer = &other;
		fd = parcel_make(
		    refused[k].of_other ? &other : &vendor, &parcel);
		rc = try_open(fd, &p, why);
		if (rc != refused[k].want ||
		    strstr(why, refused[k].why) == NULL)
			fail_msg("%s (%s)\nexpected: %s, %s\n     got: %s, %s",
			    refused[k].name, refused[k].req,
			    err_name(refused[k].want), refused[k].why,
			    err_name(rc), why);
		(void)close(fd);
	}
}

/* Signed by the right key, and under another one's cipher. */
static void
test_another_key_does_not_open_it(void **state)
{
	const struct parcel parcel = {
	    .manifest = PROGRAM, .content = bytes_of_text("elf")};
	struct vendor mixed = vendor;
	char why[PACKAGE_WHY_OCTETS];
	struct package *p;
	int fd;

	(void)state;
	mixed.key[31] ^= 1;
	fd = parcel_make(&mixed, &parcel);
	assert_int_equal(try_open(fd, &p, why), ERR_SEAL);
	assert_non_null(strstr(why, "encrypted under another key"));
	(void)close(fd);
}

/* req: KS-25-017 KS-25-027 */
static void
test_without_trust_nothing_is_opened(void **state)
{
	const struct parcel parcel = {.manifest = LICENCE};
	char why[PACKAGE_WHY_OCTETS];
	struct package *p;
	int fd = parcel_make(&vendor, &parcel);

	(void)state;
	assert_int_equal(package_open(fd, NULL, &p, why), ERR_CONFIG);
	assert_null(p);
	assert_non_null(strstr(why, "trust"));
	(void)close(fd);
}

/* Each octet of it changed, in two ways; and it, cut after each octet. */
/* req: KS-25-017 KS-25-027 */
static void
test_an_octet_changed_or_cut_off_is_found(void **state)
{
	const struct parcel parcel = {
	    .manifest = PROGRAM, .content = bytes_of_text("elf")};
	char why[PACKAGE_WHY_OCTETS];
	struct package *p;
	size_t octets;
	uint8_t *at = parcel_write(&vendor, &parcel, &octets);
	int fd = parcel_file(at, octets);
	uint8_t more = 0;
	size_t k;

	(void)state;
	assert_int_equal(try_open(fd, &p, why), OK);
	package_close(p);
	for (k = 0; k < octets; k++) {
		uint8_t low = at[k] ^ 0x01;
		uint8_t high = at[k] ^ 0x80;

		assert_int_equal(pwrite(fd, &low, 1, (off_t)k), 1);
		assert_int_not_equal(try_open(fd, &p, why), OK);
		assert_int_equal(pwrite(fd, &high, 1, (off_t)k), 1);
		assert_int_not_equal(try_open(fd, &p, why), OK);
		assert_int_equal(pwrite(fd, at + k, 1, (off_t)k), 1);
	}
	assert_int_equal(try_open(fd, &p, why), OK);
	package_close(p);
	assert_int_equal(pwrite(fd, &more, 1, (off_t)octets), 1);
	assert_int_equal(try_open(fd, &p, why), ERR_SEAL);
	for (k = octets; k-- > 0;) {
		assert_int_equal(ftruncate(fd, (off_t)k), 0);
		assert_int_not_equal(try_open(fd, &p, why), OK);
	}
	(void)close(fd);
	OPENSSL_free(at);
}

/* What was verified is what is used. */
static void
test_a_change_behind_the_back_is_found(void **state)
{
	const struct parcel parcel = {
	    .manifest = PROGRAM, .content = bytes_of_text("elf")};
	char why[PACKAGE_WHY_OCTETS];
	struct package *p;
	struct buf got;
	size_t octets;
	uint8_t *at = parcel_write(&vendor, &parcel, &octets);
	int fd = parcel_file(at, octets);

	(void)state;
	buf_init(&got, 1024);
	assert_int_equal(try_open(fd, &p, why), OK);
	at[PACKAGE_HEAD_OCTETS + 5] ^= 1;
	assert_int_equal(pwrite(fd, at, octets, 0), (ssize_t)octets);
	assert_int_equal(package_read(p, 0, 0, 3, keep, &got), ERR_SEAL);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(package_read(p, 0, 0, 3, keep, &got), ERR_SEAL);
	package_close(p);
	buf_clear(&got);
	(void)close(fd);
	OPENSSL_free(at);
}

static void
test_a_folder_and_an_empty_file_are_none(void **state)
{
	char why[PACKAGE_WHY_OCTETS];
	struct package *p;
	int fd = parcel_file((const uint8_t *)"", 0);

	(void)state;
	assert_int_equal(try_open(fd, &p, why), ERR_VALUE);
	assert_int_equal(ftruncate(fd, PACKAGE_MOST_OCTETS + 1L), 0);
	assert_int_equal(try_open(fd, &p, why), ERR_LIMIT);
	(void)close(fd);
	fd = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(try_open(fd, &p, why), ERR_VALUE);
	(void)close(fd);
}

/* ---- manifests ---- */

#define BASE "type = software\nproduct = touchstone-ref\nmade = 5\n"
#define TAIL "component = a 1\n"

static const struct {
	const char *name;
	const char *text;
	enum err want;
} manifests[] = {
    {"the least of software", BASE "version = 6.2.0\n" TAIL, OK},
    {"the least of a licence", LICENCE, OK},
    {"a licence with a version", LICENCE "version = 6.2.0\n", OK},
    {"any order",
	"version = 6.2.0\n" TAIL "made = 5\nproduct = touchstone-ref\n"
	"type = software\n",
	OK},
    {"nothing", "", ERR_VALUE},
    {"no end of the line", BASE "version = 6.2.0\n" TAIL "notes = a",
	ERR_VALUE},
    {"no version", BASE TAIL, ERR_VALUE},
    {"no component", BASE "version = 6.2.0\n", ERR_VALUE},
    {"no date",
	"type = software\nproduct = touchstone-ref\nversion = 6.2.0\n" TAIL,
	ERR_VALUE},
    {"no product", "type = software\nmade = 5\nversion = 6.2.0\n" TAIL,
	ERR_VALUE},
    {"no type", "product = touchstone-ref\nmade = 5\nclients = 1\n", ERR_VALUE},
    {"another type", "type = coffee\n" LICENCE, ERR_VALUE},
    {"two types", "type = licence\n" LICENCE, ERR_VALUE},
    {"a licence for nobody",
	"type = licence\nproduct = touchstone-ref\nmade = 5\nclients = 0\n",
	ERR_VALUE},
    {"a licence for more than there are",
	"type = licence\nproduct = touchstone-ref\nmade = 5\n"
	"clients = 4294967296\n",
	ERR_VALUE},
    {"a licence that does not say",
	"type = licence\nproduct = touchstone-ref\nmade = 5\n", ERR_VALUE},
    {"another product",
	"type = licence\nproduct = touchstone\nmade = 5\nclients = 1\n",
	ERR_FEATURE},
    {"a control character", LICENCE "notes = a\tb\n", ERR_VALUE},
    {"no UTF-8", LICENCE "notes = a\xFF\n", ERR_VALUE},
    {"a line without a value", LICENCE "notes\n", ERR_VALUE},
    {"an empty value", LICENCE "notes = \n", ERR_VALUE},
    {"a date that is none",
	"type = licence\nproduct = touchstone-ref\nmade = -5\nclients = 1\n",
	ERR_VALUE},
    {"a component above", BASE "version = 6.2.0\ncomponent = ../a 1\n",
	ERR_VALUE},
    {"a component in a folder", BASE "version = 6.2.0\ncomponent = a/b 1\n",
	ERR_VALUE},
    {"a component that hides", BASE "version = 6.2.0\ncomponent = .a 1\n",
	ERR_VALUE},
    {"a component without a name", BASE "version = 6.2.0\ncomponent =  1\n",
	ERR_VALUE},
    {"a component without a size", BASE "version = 6.2.0\ncomponent = a\n",
	ERR_VALUE},
    {"two of a name", BASE "version = 6.2.0\n" TAIL TAIL, ERR_VALUE},
    {"a component of any size",
	BASE "version = 6.2.0\ncomponent = a 99999999999\n", ERR_VALUE},
    {"a size beyond numbers",
	BASE "version = 6.2.0\ncomponent = a 9999999999999999999\n", ERR_VALUE},
};

static void
test_manifests(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(manifests) / sizeof(manifests[0]); k++) {
		struct package_manifest m;
		enum err rc =
		    package_manifest_read(bytes_of_text(manifests[k].text), &m);

		if (rc != manifests[k].want)
			fail_msg("%s\nexpected: %s\n     got: %s",
			    manifests[k].name, err_name(manifests[k].want),
			    err_name(rc));
	}
}

static void
test_no_more_components_than_there_is_room_for(void **state)
{
	struct package_manifest m;
	struct buf text;
	int k;

	(void)state;
	buf_init(&text, PACKAGE_MANIFEST_MAX_OCTETS);
	assert_int_equal(buf_put_text(&text, BASE "version = 6.2.0\n"), OK);
	for (k = 0; k < PACKAGE_COMPONENTS_MOST; k++)
		assert_int_equal(
		    buf_printf(&text, "component = c%d 1\n", k), OK);
	assert_int_equal(package_manifest_read(buf_peek(&text), &m), OK);
	assert_int_equal(m.component_count, PACKAGE_COMPONENTS_MOST);
	assert_int_equal(buf_put_text(&text, "component = one 1\n"), OK);
	assert_int_equal(package_manifest_read(buf_peek(&text), &m), ERR_VALUE);
	buf_clear(&text);
}

/* ---- versions ---- */

/* Each is older than the next. */
static const char *const versions[] = {"0.1.0", "0.1.0p1", "0.1.0p2",
    "0.1.0p10", "0.1.1", "0.2.0", "5.3.0", "5.3.0p4", "6.2.0", "6.2.0p1",
    "6.10.0", "10.0.0"};
static const char *const no_versions[] = {"", "6", "6.2", "6.2.", "6.2.0.",
    "6.2.0p", "6.2.0p0", "6.2.0p1 ", "6.2.0P1", "6.02.0", "6.2.0p01", "6.2.0q1",
    " 6.2.0", "-6.2.0", "6..0", "6.2.0p1p2", "6.2.1234567"};

/* req: KS-25-035 */
static void
test_versions_have_an_order(void **state)
{
	enum { COUNT = sizeof(versions) / sizeof(versions[0]) };
	struct package_version v[COUNT];
	struct package_version none;
	int a, b;
	size_t k;

	(void)state;
	for (a = 0; a < COUNT; a++)
		assert_int_equal(
		    package_version_read(bytes_of_text(versions[a]), &v[a]),
		    OK);
	for (a = 0; a < COUNT; a++)
		for (b = 0; b < COUNT; b++)
			assert_int_equal(package_version_compare(&v[a], &v[b]),
			    (a > b) - (a < b));
	for (k = 0; k < sizeof(no_versions) / sizeof(no_versions[0]); k++)
		if (package_version_read(
			bytes_of_text(no_versions[k]), &none) != ERR_VALUE)
			fail_msg("\"%s\" is a version", no_versions[k]);
}

/* ---- trust ---- */

/* A trust file with a piece of it replaced. */
static enum err
trust_with(const char *piece, const char *by)
{
	char text[VENDOR_TEXT_OCTETS];
	const char *at = strstr(vendor.trust, piece);
	struct package_trust *out;
	enum err rc;

	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - vendor.trust),
	    vendor.trust, by, at + strlen(piece));
	rc = package_trust_read(bytes_of_text(text), &out);
	package_trust_free(out);
	return rc;
}

static void
test_trust_files(void **state)
{
	struct vendor small;
	struct package_trust *out;

	(void)state;
	assert_int_equal(trust_with("KEY", "KEY"), OK);
	assert_int_equal(trust_with("RSA PUBLIC", "RSA PRIVATE"), ERR_CONFIG);
	assert_int_equal(
	    trust_with("BEGIN PACKAGE", "BEGIN PACKED"), ERR_CONFIG);
	assert_int_equal(trust_with("END PACKAGE", "END PACKED"), ERR_CONFIG);
	assert_int_equal(trust_with("-----END PACKAGE KEY-----\n",
			     "-----END PACKAGE KEY-----\nmore\n"),
	    ERR_CONFIG);
	/* 33 octets, 31, and none at all */
	assert_int_equal(trust_with("VVU=\n", "VVVV\n"), ERR_CONFIG);
	assert_int_equal(trust_with("VVU=\n", "VQ==\n"), ERR_CONFIG);
	assert_int_equal(trust_with("VVU=\n", "V!!=\n"), ERR_CONFIG);
	assert_int_equal(package_trust_read(BYTES_NONE, &out), ERR_CONFIG);
	vendor_make(&small, 1024, 0x55);
	assert_int_equal(
	    package_trust_read(bytes_of_text(small.trust), &out), ERR_CONFIG);
	vendor_clear(&small);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(ossl_init(), OK);
	vendor_make(&vendor, 2048, 0x55);
	vendor_make(&other, 2048, 0xAA);
	trust = trust_of(&vendor);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	package_trust_free(trust);
	vendor_clear(&vendor);
	vendor_clear(&other);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_in_a_package_comes_out),
	    cmocka_unit_test(test_a_licence_says_for_how_many),
	    cmocka_unit_test(test_chunks_may_be_full),
	    cmocka_unit_test(test_others_are_refused),
	    cmocka_unit_test(test_another_key_does_not_open_it),
	    cmocka_unit_test(test_without_trust_nothing_is_opened),
	    cmocka_unit_test(test_an_octet_changed_or_cut_off_is_found),
	    cmocka_unit_test(test_a_change_behind_the_back_is_found),
	    cmocka_unit_test(test_a_folder_and_an_empty_file_are_none),
	    cmocka_unit_test(test_manifests),
	    cmocka_unit_test(test_no_more_components_than_there_is_room_for),
	    cmocka_unit_test(test_versions_have_an_order),
	    cmocka_unit_test(test_trust_files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
