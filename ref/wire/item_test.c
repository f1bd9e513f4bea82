#include "wire/testing.h"

#include <stdint.h>

#include "base/log.h"
#include "wire/item.h"
#include "wire/ttlv.h"

enum { ARENA_OCTETS = 1 << 20 };

/* A request of the name's owner, with a key and a password. */
static struct item *
example(struct arena *a)
{
	struct item *root, *item, *block, *value;
	uint8_t *key;

	assert_int_equal(ARENA_ARRAY(a, key, 16), OK);
	memset(key, 0x5a, 16);
	assert_int_equal(
	    item_add_structure(a, NULL, TAG_REQUEST_PAYLOAD, &root), OK);
	assert_int_equal(item_add_number(a, root, TAG_OBJECT_TYPE, ENUMERATION,
			     OBJECT_TYPE_SYMMETRIC_KEY),
	    OK);
	assert_int_equal(item_add_structure(a, root, TAG_ATTRIBUTE, &item), OK);
	assert_int_equal(item_add_text(a, item, TAG_ATTRIBUTE_NAME,
			     "Cryptographic Usage Mask"),
	    OK);
	assert_int_equal(
	    item_add_number(a, item, TAG_ATTRIBUTE_VALUE, INTEGER, 12), OK);
	assert_int_equal(
	    item_add_structure(a, root, TAG_KEY_BLOCK, &block), OK);
	assert_int_equal(
	    item_add_structure(a, block, TAG_KEY_VALUE, &value), OK);
	assert_int_equal(item_add_octets(a, value, TAG_KEY_MATERIAL,
			     BYTE_STRING, (struct bytes){key, 16}),
	    OK);
	assert_int_equal(
	    item_add_number(a, block, TAG_CRYPTOGRAPHIC_LENGTH, INTEGER, 128),
	    OK);
	assert_int_equal(
	    item_add_structure(a, root, TAG_CREDENTIAL, &item), OK);
	assert_int_equal(item_add_text(a, item, TAG_USERNAME, "Fr\ne\"d"), OK);
	assert_int_equal(item_add_text(a, item, TAG_PASSWORD, "sesame"), OK);
	assert_int_equal(
	    item_add_text(a, root, (enum tag)0x540001, "of a vendor"), OK);
	return root;
}

static void
fields_are_found(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *root = example(a);
	struct item *twice;
	struct item *found;

	(void)state;
	assert_int_equal(
	    item_number(root, TAG_OBJECT_TYPE, 99), OBJECT_TYPE_SYMMETRIC_KEY);
	assert_int_equal(item_number(root, TAG_STATE, 99), 99);
	assert_null(item_find(root, TAG_STATE));
	assert_null(item_octets(root, TAG_STATE).at);
	found = item_find(root, TAG_CREDENTIAL);
	assert_true(
	    bytes_equal_text(item_octets(found, TAG_PASSWORD), "sesame"));
	/* only children, not their children */
	assert_null(item_find(root, TAG_PASSWORD));
	assert_int_equal(
	    item_add(a, root, TAG_CREDENTIAL, STRUCTURE, &twice), OK);
	assert_ptr_equal(item_find(root, TAG_CREDENTIAL), found);
	arena_free(a);
}

static void
copies_are_equal_and_apart(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct arena *b = testing_arena(ARENA_OCTETS);
	struct item *root = example(a);
	struct item *copy;
	struct item *other;

	(void)state;
	assert_int_equal(item_copy(b, root, &copy), OK);
	assert_true(item_equal(root, copy));
	/* one field away, each */
	item_find(copy, TAG_OBJECT_TYPE)->number++;
	assert_false(item_equal(root, copy));
	item_find(copy, TAG_OBJECT_TYPE)->number--;
	item_find(copy, TAG_OBJECT_TYPE)->type = INTEGER;
	assert_false(item_equal(root, copy));
	item_find(copy, TAG_OBJECT_TYPE)->type = ENUMERATION;
	assert_true(item_equal(root, copy));
	assert_int_equal(item_add_text(b, copy, TAG_COMMENT, ""), OK);
	assert_false(item_equal(root, copy));
	assert_false(item_equal(copy, root));
	/* the octets are copied, too */
	assert_int_equal(item_copy(b, root, &copy), OK);
	assert_int_equal(item_copy(b, copy, &other), OK);
	arena_free(a);
	assert_true(item_equal(copy, other));
	arena_free(b);
}

static void
memory_may_be_out(void **state)
{
	struct arena *outer = testing_arena(ARENA_OCTETS);
	struct arena *a = testing_arena(256);
	struct item *root = example(outer);
	struct item *copy;

	(void)state;
	assert_int_equal(item_copy(a, root, &copy), ERR_NOMEM);
	assert_null(copy);
	arena_free(a);
	arena_free(outer);
}

static void
secrets_are_not_printed(void **state)
{
	static const char want[] =
	    "RequestPayload\n"
	    "  ObjectType 0x00000002 (SymmetricKey)\n"
	    "  Attribute\n"
	    "    AttributeName \"Cryptographic Usage Mask\"\n"
	    "    AttributeValue 0x0000000c (Encrypt|Decrypt)\n"
	    "  KeyBlock\n"
	    "    KeyValue\n"
	    "      KeyMaterial <secret, 16 octets>\n"
	    "    CryptographicLength 128\n"
	    "  Credential\n"
	    "    Username \"Fr\\x0ae\\x22d\"\n"
	    "    Password <secret, 6 octets>\n"
	    "  0x540001 <secret, 11 octets>\n";
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct buf out;

	(void)state;
	testing_buf(&out, 4096);
	assert_int_equal(item_print(example(a), &out), OK);
	testing_put(&out, "", 1);
	assert_string_equal((char *)out.at, want);
	buf_clear(&out);
	testing_buf(&out, 100);
	assert_int_equal(item_print(example(a), &out), ERR_LIMIT);
	buf_clear(&out);
	arena_free(a);
}

/* What item_log writes to standard error when LOG is so. */
static void
log_text(const char *log, char *out, size_t room)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);

	assert_non_null(file);
	assert_true(kept >= 0);
	assert_int_equal(setenv("LOG", log, 1), 0);
	log_init();
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	item_log("request", example(a));
	(void)fflush(stderr);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	(void)close(kept);
	rewind(file);
	out[fread(out, 1, room - 1, file)] = '\0';
	(void)fclose(file);
	arena_free(a);
}

static void
the_log_traces_trees(void **state)
{
	char text[8192];

	(void)state;
	log_text("wire:debug", text, sizeof(text));
	assert_string_equal(text, "");
	log_text("wire:trace", text, sizeof(text));
	assert_non_null(strstr(text, "request: RequestPayload"));
	assert_non_null(
	    strstr(text, "request:     Password <secret, 6 octets>"));
	assert_null(strstr(text, "sesame"));
	assert_null(strstr(text, "5a5a"));
	/* what a peer sent does not begin lines of the log */
	assert_null(strstr(text, "\ne\"d"));
}

/* Whatever stands inside a secret is one: the parts of a transparent key. */
static void
parts_of_secrets_are_not_printed(void **state)
{
	static const char want[] = "KeyMaterial\n"
				   "  RecommendedCurve <secret>\n"
				   "  D <secret, 8 octets>\n";
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *material;
	struct buf out;

	(void)state;
	testing_buf(&out, 4096);
	assert_int_equal(
	    ttlv_parse(a,
		testing_hex(a,
		    "4200430100000020 4200750500000004 0000000600000000"
		    "42002e0400000008 5a5a5a5a5a5a5a5a"),
		&material),
	    OK);
	assert_int_equal(item_print(material, &out), OK);
	testing_put(&out, "", 1);
	assert_string_equal((char *)out.at, want);
	buf_clear(&out);
	arena_free(a);
}

static void
long_octets_are_cut(void **state)
{
	struct arena *a = testing_arena(ARENA_OCTETS);
	struct item *item;
	struct buf out;
	uint8_t octets[65];

	(void)state;
	memset(octets, 0xab, sizeof(octets));
	assert_int_equal(
	    item_add(a, NULL, TAG_DIGEST_VALUE, BYTE_STRING, &item), OK);
	for (size_t count = 64; count <= 65; count++) {
		testing_buf(&out, 4096);
		item->octets = (struct bytes){octets, count};
		assert_int_equal(item_print(item, &out), OK);
		assert_int_equal(out.octets,
		    strlen("DigestValue ") + 128 + 1 +
			(count == 65 ? strlen("... (65 octets)") : 0));
		buf_clear(&out);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_found),
	    cmocka_unit_test(copies_are_equal_and_apart),
	    cmocka_unit_test(memory_may_be_out),
	    cmocka_unit_test(secrets_are_not_printed),
	    cmocka_unit_test(parts_of_secrets_are_not_printed),
	    cmocka_unit_test(long_octets_are_cut),
	    cmocka_unit_test(the_log_traces_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
