#include "device/backup_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/mem.h"
#include "crypto/hex_test.h"
#include "crypto/ossl.h"
#include "crypto/random.h"
#include "device/backup_format.h"
#include "device/fields.h"
#include "store/record.h"
#include "wire/schema_enums.h"

#define PASSWORD "correct horse"
#define TEXT(s)  bytes_of_text(s)

enum { ITERATIONS = 3, LARGE_ROW_OCTETS = 50000, LARGE_ROWS = 12 };

static char dir[256];
static struct env *env;
static struct backup_keys *keys;

/* Not by chance, so that what fails fails again. */
static const uint8_t salt[BACKUP_SALT_OCTETS] = "sixteen octets.";
static const uint8_t other_salt[BACKUP_SALT_OCTETS] = "sixteen others.";

static void
must(enum err rc)
{
	if (rc != OK)
		fail_msg("%s", err_name(rc));
}

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	must(ossl_init());
	must(env_new(&env));
	env_set_random(env, random_drbg, NULL);
	(void)snprintf(
	    dir, sizeof(dir), "%s/backup.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	must(backup_keys_new(TEXT(PASSWORD), salt, ITERATIONS, &keys));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	backup_keys_free(keys);
	env_free(env);
	return erase_path(dir) != OK;
}

/* ---- files ---- */

static const char *
path_of(const char *base, unsigned file)
{
	static char path[512];
	char name[BACKUP_FILE_NAME_OCTETS];

	backup_file_name(base, file, name);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct buf
file_read(const char *base, unsigned file)
{
	int fd = open(path_of(base, file), O_RDONLY);
	struct stat st;
	struct buf b;
	uint8_t *at;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	buf_init(&b, (size_t)st.st_size);
	must(buf_reserve(&b, (size_t)st.st_size, &at));
	assert_int_equal(read(fd, at, (size_t)st.st_size), st.st_size);
	buf_added(&b, (size_t)st.st_size);
	(void)close(fd);
	return b;
}

static void
file_write(const char *base, unsigned file, struct bytes in)
{
	int fd = open(path_of(base, file), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, in.at, in.octets), in.octets);
	(void)close(fd);
}

static struct backup_writer *
begin(const char *base, const uint8_t *with_salt,
    const struct backup_keys *with_keys, uint64_t limit_octets)
{
	const struct backup_writer_config config = {.dir = dir,
	    .base = base,
	    .description = "all of it",
	    .made_s = 1893456000,
	    .salt = with_salt,
	    .iterations = ITERATIONS,
	    .keys = with_keys,
	    .limit_octets = limit_octets};
	struct backup_writer *w;

	must(backup_writer_new(&config, &w));
	return w;
}

static void
put(struct backup_writer *w, enum backup_item item, const char *kind,
    const char *key, struct bytes value, struct bytes secrets)
{
	const struct backup_row row = {
	    item, TEXT(kind), TEXT(key), value, secrets};

	must(backup_writer_put(w, &row));
}

/* Two settings, and a certificate's record with its key. */
static void
make_small(const char *base)
{
	struct backup_writer *w = begin(base, salt, keys, 0);
	struct buf secrets;

	buf_init(&secrets, 1000);
	must(backup_secret_wrap(keys, env, TEXT("certificate"), TEXT("web"),
	    "key", TEXT("a private key"), &secrets));
	put(w, ITEM_CERTIFICATES, "item", "", BYTES_NONE, BYTES_NONE);
	put(w, ITEM_CERTIFICATES, "certificate", "web", TEXT("its fields"),
	    buf_peek(&secrets));
	put(w, ITEM_NTP, "item", "", BYTES_NONE, BYTES_NONE);
	put(w, ITEM_NTP, "setting", "ntp/enable", TEXT("yes"), BYTES_NONE);
	put(w, ITEM_NTP, "clock", "zone", TEXT("UTC"), BYTES_NONE);
	must(backup_writer_end(w));
	assert_int_equal(backup_writer_header(w)->files, 1);
	backup_writer_free(w);
	buf_clear(&secrets);
}

/* Rows of some chunks, in files of at most `limit_octets`. */
static unsigned
make_large(const char *base, const uint8_t *with_salt,
    const struct backup_keys *with_keys, uint64_t limit_octets)
{
	struct backup_writer *w =
	    begin(base, with_salt, with_keys, limit_octets);
	uint8_t *value = NULL;
	unsigned files;
	unsigned k;

	must(MEM_ARRAY(value, LARGE_ROW_OCTETS));
	put(w, ITEM_USERS, "item", "", BYTES_NONE, BYTES_NONE);
	for (k = 0; k < LARGE_ROWS; k++) {
		char name[16];

		memset(value, (int)k, LARGE_ROW_OCTETS);
		(void)snprintf(name, sizeof(name), "user%u", k);
		put(w, ITEM_USERS, "user", name,
		    (struct bytes){value, LARGE_ROW_OCTETS}, BYTES_NONE);
	}
	mem_free(value);
	must(backup_writer_end(w));
	files = backup_writer_header(w)->files;
	backup_writer_free(w);
	return files;
}

static enum err
try_open(const char *base, const char *password)
{
	struct backup_reader *r;
	char why[BACKUP_WHY_OCTETS];
	enum err rc = backup_reader_open(dir, base, TEXT(password), &r, why);

	assert_int_equal(rc == OK, *why == '\0');
	assert_int_equal(rc == OK, r != NULL);
	backup_reader_close(r);
	return rc;
}

static void
must_refuse(const char *what, size_t where)
{
	enum err rc = try_open("bad", PASSWORD);

	if (rc == OK || rc == ERR_NOMEM)
		fail_msg("%s at %zu: %s", what, where, err_name(rc));
}

/* ---- names ---- */

/* req: KS-23-014 KS-23-055 */
static void
test_names_of_files(void **state)
{
	static const struct {
		const char *name;
		const char *base; /* NULL: it is none */
		unsigned number;
	} cases[] = {
	    {"foo_0_bkp", "foo", 0},
	    {"foo_1_bkp", "foo", 1},
	    {"foo_999_bkp", "foo", 999},
	    {"foo_1000_bkp", NULL, 0},
	    {"foo_01_bkp", NULL, 0},
	    {"foo__bkp", NULL, 0},
	    {"foo_bkp", NULL, 0},
	    {"foo0_bkp", NULL, 0},
	    {"_0_bkp", NULL, 0},
	    {"foo_0_bkp.tar", NULL, 0},
	    {"../foo_0_bkp", NULL, 0},
	    {".foo_0_bkp", NULL, 0},
	    {"foo_0_1_bkp", "foo_0", 1},
	    {"foo-scheduled-2030-01-01-000000_0_bkp",
		"foo-scheduled-2030-01-01-000000", 0},
	    {"", NULL, 0},
	    {"_bkp", NULL, 0},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		char base[BACKUP_BASE_OCTETS + 1] = "";
		char name[BACKUP_FILE_NAME_OCTETS];
		unsigned number = 0;
		bool is = backup_file_parse(TEXT(cases[k].name), base, &number);

		if (is != (cases[k].base != NULL))
			fail_msg("\"%s\"", cases[k].name);
		if (!is)
			continue;
		assert_string_equal(base, cases[k].base);
		assert_int_equal(number, cases[k].number);
		backup_file_name(base, number, name);
		assert_string_equal(name, cases[k].name);
	}
}

/* ---- what was put is what is read ---- */

static void
test_rows_come_back_in_order(void **state)
{
	struct backup_reader *r;
	struct backup_row row;
	char why[BACKUP_WHY_OCTETS];
	struct secret *key;

	(void)state;
	make_small("small");
	must(backup_reader_open(dir, "small", TEXT(PASSWORD), &r, why));
	assert_true(backup_reader_has(r, ITEM_NTP));
	assert_false(backup_reader_has(r, ITEM_KEYS));
	assert_int_equal(backup_reader_rows(r, ITEM_NTP), 2);
	assert_int_equal(backup_reader_rows(r, ITEM_CERTIFICATES), 1);
	assert_string_equal(backup_reader_header(r)->base, "small");
	must(backup_reader_next(r, &row));
	assert_int_equal(row.item, ITEM_CERTIFICATES);
	assert_true(bytes_equal_text(row.kind, "item"));
	must(backup_reader_next(r, &row));
	assert_true(bytes_equal_text(row.kind, "certificate"));
	assert_true(bytes_equal_text(row.key, "web"));
	assert_true(bytes_equal_text(row.value, "its fields"));
	must(backup_secret_open(backup_reader_keys(r), row.kind, row.key, "key",
	    row.secrets, &key));
	assert_true(bytes_equal_text(secret_peek(key), "a private key"));
	secret_free(key);
	assert_int_equal(backup_secret_open(backup_reader_keys(r), row.kind,
			     TEXT("other"), "key", row.secrets, &key),
	    ERR_SEAL);
	assert_int_equal(backup_secret_open(backup_reader_keys(r), row.kind,
			     row.key, "pin", row.secrets, &key),
	    ERR_NOT_FOUND);
	must(backup_reader_next(r, &row));
	must(backup_reader_next(r, &row));
	assert_true(bytes_equal_text(row.value, "yes"));
	must(backup_reader_next(r, &row));
	assert_int_equal(backup_reader_next(r, &row), ERR_NOT_FOUND);
	backup_reader_rewind(r);
	must(backup_reader_next(r, &row));
	assert_int_equal(row.item, ITEM_CERTIFICATES);
	backup_reader_close(r);
}

/* req: KS-23-015 */
static void
test_a_large_backup_is_several_files(void **state)
{
	static const uint64_t limits[] = {1, 100000, 200000, 400000, 0};
	static const unsigned files[] = {10, 10, 4, 2, 1};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(limits); k++) {
		struct backup_reader *r;
		struct backup_row row;
		char why[BACKUP_WHY_OCTETS];
		char base[16];
		unsigned n;

		(void)snprintf(base, sizeof(base), "large%zu", k);
		assert_int_equal(
		    make_large(base, salt, keys, limits[k]), files[k]);
		for (n = 0; limits[k] > 1 && n < files[k]; n++) {
			struct stat st;

			assert_int_equal(stat(path_of(base, n), &st), 0);
			assert_in_range(st.st_size, 1, limits[k]);
		}
		must(backup_reader_open(dir, base, TEXT(PASSWORD), &r, why));
		assert_int_equal(backup_reader_rows(r, ITEM_USERS), LARGE_ROWS);
		must(backup_reader_next(r, &row));
		for (n = 0; n < LARGE_ROWS; n++) {
			must(backup_reader_next(r, &row));
			assert_int_equal(row.value.octets, LARGE_ROW_OCTETS);
			assert_int_equal(row.value.at[0], n);
			assert_int_equal(row.value.at[LARGE_ROW_OCTETS - 1], n);
		}
		backup_reader_close(r);
	}
}

/* ---- what was touched is refused ---- */

/* req: KS-23-018 ESKM-129 */
static void
test_only_its_password_opens_it(void **state)
{
	(void)state;
	make_small("small");
	must(try_open("small", PASSWORD));
	assert_int_equal(try_open("small", "correct horsf"), ERR_SEAL);
	assert_int_equal(try_open("small", ""), ERR_SEAL);
	assert_int_equal(try_open("small", PASSWORD " "), ERR_SEAL);
	assert_int_equal(try_open("smell", PASSWORD), ERR_NOT_FOUND);
}

static void
test_every_octet_counts(void **state)
{
	struct buf whole;
	size_t k;

	(void)state;
	make_small("good");
	whole = file_read("good", 0);
	for (k = 0; k < whole.octets; k++) {
		/* what it costs to derive keys is for whoever made it */
		if (k >= 12 && k < 15)
			continue;
		whole.at[k] ^= 1;
		file_write("bad", 0, buf_peek(&whole));
		must_refuse("flipped", k);
		whole.at[k] ^= 1;
	}
	for (k = 0; k < whole.octets; k++) {
		file_write("bad", 0, (struct bytes){whole.at, k});
		must_refuse("cut", k);
	}
	file_write("bad", 0, buf_peek(&whole));
	must(try_open("bad", PASSWORD)); /* whatever it is called */
	buf_clear(&whole);
}

static void
append(struct buf *b, struct bytes in)
{
	must(buf_put(b, in));
}

static void
test_chunks_stay_where_they_are(void **state)
{
	enum { CHUNK = BACKUP_CHUNK_FILE_OCTETS };
	struct buf whole;
	struct buf bad;
	size_t head;
	size_t chunks;
	size_t a;

	(void)state;
	assert_int_equal(make_large("good", salt, keys, 0), 1);
	whole = file_read("good", 0);
	head = BACKUP_FIXED_OCTETS + strlen("good") + strlen("all of it") +
	       BACKUP_MAC_OCTETS;
	chunks = (whole.octets - head) / CHUNK;
	assert_true(chunks > 3);
	buf_init(&bad, 2 * whole.octets);
	for (a = 0; a + 1 < chunks; a++) {
		const uint8_t *one = whole.at + head + a * CHUNK;
		struct bytes before = {whole.at, head + a * CHUNK};
		struct bytes after = {one + 2 * (size_t)CHUNK,
		    whole.octets - before.octets - 2 * (size_t)CHUNK};

		/* swapped */
		buf_reset(&bad);
		append(&bad, before);
		append(&bad, (struct bytes){one + CHUNK, CHUNK});
		append(&bad, (struct bytes){one, CHUNK});
		append(&bad, after);
		file_write("bad", 0, buf_peek(&bad));
		must_refuse("swapped", a);
		/* gone */
		buf_reset(&bad);
		append(&bad, before);
		append(&bad, (struct bytes){one + CHUNK, CHUNK});
		append(&bad, after);
		file_write("bad", 0, buf_peek(&bad));
		must_refuse("left out", a);
		/* twice */
		buf_reset(&bad);
		append(&bad, before);
		append(&bad, (struct bytes){one, CHUNK});
		append(&bad, (struct bytes){one, whole.octets - before.octets});
		file_write("bad", 0, buf_peek(&bad));
		must_refuse("repeated", a);
	}
	buf_reset(&bad);
	append(&bad, buf_peek(&whole));
	append(&bad, TEXT("x"));
	file_write("bad", 0, buf_peek(&bad));
	must_refuse("appended", 1);
	buf_clear(&bad);
	buf_clear(&whole);
}

static void
copy(const char *from, unsigned from_file, const char *to, unsigned to_file)
{
	struct buf b = file_read(from, from_file);

	file_write(to, to_file, buf_peek(&b));
	buf_clear(&b);
}

static void
copy_all(const char *from, const char *to, unsigned files)
{
	unsigned k;

	for (k = 0; k < files; k++)
		copy(from, k, to, k);
}

static void
test_files_belong_together(void **state)
{
	enum { LIMIT = 200000, FILES = 4 };
	struct backup_keys *others;

	(void)state;
	must(backup_keys_new(TEXT(PASSWORD), other_salt, ITERATIONS, &others));
	assert_int_equal(make_large("good", salt, keys, LIMIT), FILES);
	/* another backup under the same password, the same rows and name */
	assert_int_equal(make_large("two", other_salt, others, LIMIT), FILES);
	backup_keys_free(others);

	copy_all("good", "bad", FILES);
	must(try_open("bad", PASSWORD));
	copy("two", 2, "bad", 2);
	must_refuse("another backup's file", 2);
	copy_all("good", "bad", FILES);
	copy("good", 1, "bad", 2);
	must_refuse("a file twice", 2);
	copy_all("good", "bad", FILES);
	copy("good", 2, "bad", 3);
	copy("good", 3, "bad", 2);
	must_refuse("two files swapped", 2);
	copy_all("good", "bad", FILES);
	copy("good", 1, "bad", 0);
	must_refuse("another first file", 0);
	copy_all("good", "bad", FILES);
	assert_int_equal(unlink(path_of("bad", FILES - 1)), 0);
	assert_int_equal(try_open("bad", PASSWORD), ERR_NOT_FOUND);
	assert_int_equal(unlink(path_of("bad", 0)), 0);
	assert_int_equal(try_open("bad", PASSWORD), ERR_NOT_FOUND);
}

static void
put_object(struct backup_writer *w, size_t id_octets)
{
	char id[OBJECT_ID_MAX_OCTETS + 2];
	struct object *o;
	struct buf value;

	memset(id, 'k', id_octets);
	id[id_octets] = '\0';
	buf_init(&value, BACKUP_ROW_MAX_OCTETS);
	must(object_new_as(
	    env, TEXT(id), OBJECT_TYPE_CERTIFICATE, TEXT("alice"), &o));
	must(backup_object_write(o, &value));
	put(w, ITEM_KEYS, "object", id, buf_peek(&value), BYTES_NONE);
	object_free(o);
	buf_clear(&value);
}

/* What names a row has a place of its size, here as in the store. */
static void
test_names_of_rows_have_their_size(void **state)
{
	static const struct {
		const char *name;
		bool is_object;
		size_t octets;
		enum err want;
	} cases[] = {
	    {"a record", false, RECORD_KEY_MAX_OCTETS, OK},
	    {"a record", false, RECORD_KEY_MAX_OCTETS + 1, ERR_VALUE},
	    {"an object", true, OBJECT_ID_MAX_OCTETS, OK},
	    {"an object", true, OBJECT_ID_MAX_OCTETS + 1, ERR_VALUE},
	};
	char key[RECORD_KEY_MAX_OCTETS + 2];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct backup_writer *w = begin("long", salt, keys, 0);
		enum err rc;

		put(w, ITEM_KEYS, "item", "", BYTES_NONE, BYTES_NONE);
		put(w, ITEM_CERTIFICATES, "item", "", BYTES_NONE, BYTES_NONE);
		memset(key, 'k', cases[k].octets);
		key[cases[k].octets] = '\0';
		if (cases[k].is_object)
			put_object(w, cases[k].octets);
		else
			put(w, ITEM_CERTIFICATES, "certificate", key, TEXT("x"),
			    BYTES_NONE);
		must(backup_writer_end(w));
		backup_writer_free(w);
		rc = try_open("long", PASSWORD);
		if (rc != cases[k].want)
			fail_msg("%s of %zu octets: %s, got %s", cases[k].name,
			    cases[k].octets, err_name(cases[k].want),
			    err_name(rc));
		assert_int_equal(unlink(path_of("long", 0)), 0);
	}
}

/* Who knows the password can write what he likes; it has to be well formed. */
static void
test_rows_are_judged(void **state)
{
	static const struct {
		const char *name;
		enum backup_item item;
		const char *kind;
		const char *key;
		bool announced;
		enum err want;
	} cases[] = {
	    {"a user", ITEM_USERS, "user", "u", true, OK},
	    {"its item was not announced", ITEM_USERS, "user", "u", false,
		ERR_VALUE},
	    {"an item twice", ITEM_USERS, "item", "", true, ERR_VALUE},
	    {"a user among services", ITEM_SERVICES, "user", "u", true,
		ERR_VALUE},
	    {"a setting of another item", ITEM_NTP, "setting", "host/name",
		true, ERR_VALUE},
	    {"a setting of a later release", ITEM_NTP, "setting", "ntp/new",
		true, OK},
	    {"a kind of a later release", ITEM_NTP, "new", "k", true,
		ERR_STORE_VERSION},
	    {"what is in no backup", ITEM_USERS, "rate", "u", true,
		ERR_STORE_VERSION},
	    {"an object among users", ITEM_USERS, "object", "1", true,
		ERR_VALUE},
	    {"an object that is none", ITEM_KEYS, "object", "1", true,
		ERR_VALUE},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct backup_writer *w;
		enum err rc;
		char base[16];

		(void)snprintf(base, sizeof(base), "rows%zu", k);
		w = begin(base, salt, keys, 0);
		if (cases[k].announced)
			put(w, cases[k].item, "item", "", BYTES_NONE,
			    BYTES_NONE);
		put(w, cases[k].item, cases[k].kind, cases[k].key, TEXT("x"),
		    BYTES_NONE);
		must(backup_writer_end(w));
		backup_writer_free(w);
		rc = try_open(base, PASSWORD);
		if (rc != cases[k].want)
			fail_msg("%s: %s, got %s", cases[k].name,
			    err_name(cases[k].want), err_name(rc));
	}
}

/* ---- in the clear ---- */

/* req: KS-23-016 KS-23-056 ESKM-127 */
static void
test_a_header_says_what_it_may(void **state)
{
	static const char *const hidden[] = {
	    "a private key", "certificate", "web", "its fields", "ntp"};
	struct backup_header header;
	struct buf whole;
	size_t k;

	(void)state;
	make_small("small");
	must(backup_header_of(path_of("small", 0), &header));
	whole = file_read("small", 0);
	assert_string_equal(header.base, "small");
	assert_string_equal(header.description, "all of it");
	assert_int_equal(header.made_s, 1893456000);
	assert_int_equal(header.files, 1);
	assert_int_equal(header.octets, whole.octets);
	assert_int_equal(header.iterations, ITERATIONS);
	for (k = 0; k < LENGTH(hidden); k++)
		assert_null(memmem(
		    whole.at, whole.octets, hidden[k], strlen(hidden[k])));
	whole.at[9]++; /* the oldest reader is newer than this one */
	file_write("bad", 0, buf_peek(&whole));
	assert_int_equal(
	    backup_header_of(path_of("bad", 0), &header), ERR_STORE_VERSION);
	assert_int_equal(try_open("bad", PASSWORD), ERR_STORE_VERSION);
	file_write("bad", 0, TEXT("PK\3\4 an archive, or whatever it may be"));
	assert_int_equal(
	    backup_header_of(path_of("bad", 0), &header), ERR_VALUE);
	assert_int_equal(
	    backup_header_of(path_of("none", 0), &header), ERR_NOT_FOUND);
	buf_clear(&whole);
}

/*
 * A header is believed by who has no password yet: what it asks for has bounds.
 * The code behind it is not looked at before.
 */
static void
test_a_header_asks_for_no_more(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		size_t octets;
		uint8_t is[4];
		enum err want;
	} cases[] = {
	    {"as it was written", 8, 0, {0}, OK},
	    {"as many iterations as can be", 12, 4, {0x00, 0x98, 0x96, 0x80},
		OK},
	    {"one more", 12, 4, {0x00, 0x98, 0x96, 0x81}, ERR_VALUE},
	    {"for years", 12, 4, {0xff, 0xff, 0xff, 0xff}, ERR_VALUE},
	    {"none", 12, 4, {0, 0, 0, 0}, ERR_VALUE},
	    {"a thousand files", 48, 2, {0x03, 0xe8}, OK},
	    {"a thousand and one", 48, 2, {0x03, 0xe9}, ERR_VALUE},
	    {"no file", 48, 2, {0, 0}, ERR_VALUE},
	    {"a file behind the last", 50, 2, {0, 1}, ERR_VALUE},
	    {"no name", 52, 1, {0}, ERR_VALUE},
	    {"a name that leads away", 55, 4, {'.', '.', '/', 'l'}, ERR_VALUE},
	    {"a name that is hidden", 55, 1, {'.'}, ERR_VALUE},
	    {"a name with a line feed", 55, 1, {'\n'}, ERR_VALUE},
	    {"a name with a NUL", 55, 1, {0}, ERR_VALUE},
	    {"a description with an escape", 60, 1, {0x1b}, ERR_VALUE},
	    {"a description that is no text", 60, 1, {0xff}, ERR_VALUE},
	    {"a description of another length", 53, 2, {0, 11}, ERR_VALUE},
	};
	struct backup_header header;
	struct buf whole;
	size_t k;

	(void)state;
	make_small("small");
	whole = file_read("small", 0);
	assert_memory_equal(whole.at + 55, "smallall of it", 14);
	for (k = 0; k < LENGTH(cases); k++) {
		uint8_t was[4];
		enum err rc;

		memcpy(was, whole.at + cases[k].at, sizeof(was));
		memcpy(whole.at + cases[k].at, cases[k].is, cases[k].octets);
		rc = backup_header_read(buf_peek(&whole), &header, NULL);
		memcpy(whole.at + cases[k].at, was, sizeof(was));
		if (rc != cases[k].want)
			fail_msg("%s: %s, got %s", cases[k].name,
			    err_name(cases[k].want), err_name(rc));
	}
	buf_clear(&whole);
}

/* ---- without its end ---- */

static void
test_what_was_not_ended_leaves_nothing(void **state)
{
	struct backup_writer *w;
	struct backup_header header;

	(void)state;
	w = begin("half", salt, keys, 0);
	put(w, ITEM_USERS, "item", "", BYTES_NONE, BYTES_NONE);
	/* and whoever finds it before then finds no backup */
	assert_int_not_equal(backup_header_of(path_of("half", 0), &header), OK);
	assert_int_not_equal(try_open("half", PASSWORD), OK);
	backup_writer_free(w);
	assert_int_equal(access(path_of("half", 0), F_OK), -1);
}

/* Whatever the process gives away otherwise. */
static void
test_a_file_is_its_owners(void **state)
{
	mode_t umask_was = umask(0);
	struct stat st;

	(void)state;
	make_small("small");
	(void)umask(umask_was);
	assert_int_equal(stat(path_of("small", 0), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* ---- objects ---- */

static void
test_an_object_comes_back(void **state)
{
	struct backup_row row = {
	    ITEM_KMIP, TEXT("object"), BYTES_NONE, BYTES_NONE, BYTES_NONE};
	struct object *o;
	struct object *back;
	struct buf value;
	bool sealed;

	(void)state;
	buf_init(&value, BACKUP_ROW_MAX_OCTETS);
	must(object_new(env, OBJECT_TYPE_CERTIFICATE, TEXT("alice"), &o));
	must(object_set_value(o, TEXT("in the clear"), false));
	o->value_version = 7;
	must(backup_object_write(o, &value));
	row.key = o->id;
	row.value = buf_peek(&value);
	must(backup_object_read(&row, &back, &sealed));
	assert_false(sealed);
	assert_true(bytes_equal(back->id, o->id));
	assert_true(bytes_equal_text(back->owner, "alice"));
	assert_true(bytes_equal_text(back->value, "in the clear"));
	assert_int_equal(back->value_version, 7);
	assert_int_equal(back->object_type, OBJECT_TYPE_CERTIFICATE);
	assert_int_equal(back->attrs.count, o->attrs.count);
	object_free(back);
	/* what is sealed stays behind */
	buf_reset(&value);
	must(object_set_value(o, TEXT("of this HSM"), true));
	must(backup_object_write(o, &value));
	assert_null(memmem(value.at, value.octets, "of this HSM", 11));
	row.value = buf_peek(&value);
	row.secrets = TEXT("x");
	must(backup_object_read(&row, &back, &sealed));
	assert_true(sealed);
	assert_int_equal(back->value.octets, 0);
	object_free(back);
	object_free(o);
	buf_clear(&value);
}

int
main(void)
{
#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    FILE_TEST(test_names_of_files),
	    FILE_TEST(test_rows_come_back_in_order),
	    FILE_TEST(test_a_large_backup_is_several_files),
	    FILE_TEST(test_only_its_password_opens_it),
	    FILE_TEST(test_every_octet_counts),
	    FILE_TEST(test_chunks_stay_where_they_are),
	    FILE_TEST(test_files_belong_together),
	    FILE_TEST(test_names_of_rows_have_their_size),
	    FILE_TEST(test_rows_are_judged),
	    FILE_TEST(test_a_header_says_what_it_may),
	    FILE_TEST(test_a_header_asks_for_no_more),
	    FILE_TEST(test_what_was_not_ended_leaves_nothing),
	    FILE_TEST(test_a_file_is_its_owners),
	    FILE_TEST(test_an_object_comes_back),
	};
#undef FILE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
