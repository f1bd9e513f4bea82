#include "target.h"

#include "touchstone_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WHERE "[target]\nhost = h\nport = 5696\n"
#define CLIENT \
	"[identity A]\ncertificate = a.pem\nkey = /k/a.key\nca = ca.pem\n"
#define CLAIMS                                                              \
	"[claims]\nversions = 1.0 2.1\noperations = Create, Get\n Locate\n" \
	"objects = SymmetricKey\nfamilies = SKLC* ttlv\n"

#define NAE_CLAIMS \
	"[claims]\nfamilies = *\nnae-versions = 2.2\nnae-requests = KeyGen\n"
#define NAE  "[nae]\nhost = h\nport = 9000\n"
#define USER "[user A]\nuser = alice\npassword = secret\n"

static const struct row {
	const char *name, *text;
	enum err want;
	const char *says; /* part of the fault */
} rows[] = {
    {"whole", WHERE CLIENT CLAIMS, OK, ""},
    {"comments and blank lines", "# c\n\n" WHERE "# c\n" CLIENT CLAIMS, OK, ""},
    {"a rule off", WHERE CLIENT CLAIMS "[rules]\ntime-stamp = off\n", OK, ""},
    {"no such rule", WHERE CLIENT CLAIMS "[rules]\ntime-stamps = off\n",
	ERR_SYNTAX, "no rule `time-stamps`"},
    {"a rule half off", WHERE CLIENT CLAIMS "[rules]\ntime-stamp = of\n",
	ERR_SYNTAX, "neither on nor off"},
    {"no such key", WHERE "prot = 1\n" CLIENT CLAIMS, ERR_SYNTAX,
	"t.conf:4: no key `prot`"},
    {"no such section", WHERE CLIENT CLAIMS "[claim]\n", ERR_SYNTAX,
	"no section `claim`"},
    {"a key outside a section", "host = h\n", ERR_SYNTAX, "outside a section"},
    {"no key at all", WHERE "host\n", ERR_SYNTAX, "neither [section]"},
    {"port 65535", "[target]\nhost = h\nport = 65535\n" CLIENT CLAIMS, OK, ""},
    {"port 65536", "[target]\nhost = h\nport = 65536\n" CLIENT CLAIMS,
	ERR_RANGE, "1 to 65535"},
    {"port 0", "[target]\nhost = h\nport = 0\n" CLIENT CLAIMS, ERR_RANGE,
	"1 to 65535"},
    {"a port of letters", "[target]\nhost = h\nport = kmip\n", ERR_RANGE,
	"not a number"},
    {"no host", "[target]\nport = 1\n" CLIENT CLAIMS, ERR_MISSING, "host"},
    {"no client", WHERE CLAIMS, ERR_MISSING, "identity"},
    {"a client without a key",
	WHERE "[identity A]\ncertificate = a\nca = c\n" CLAIMS, ERR_MISSING,
	"certificate, key or ca"},
    {"no claims", WHERE CLIENT, ERR_MISSING, "versions"},
    {"a version of nobody", WHERE CLIENT CLAIMS "versions = 1.7\n", ERR_SYNTAX,
	"no version `1.7`"},
    {"an operation of nobody", WHERE CLIENT CLAIMS "operations = Crate\n",
	ERR_SYNTAX, "no operation `Crate`"},
    {"an object type of nobody", WHERE CLIENT CLAIMS "objects = Key\n",
	ERR_SYNTAX, "no object type `Key`"},
    {"a feature of nobody", WHERE CLIENT CLAIMS "features = magic\n",
	ERR_SYNTAX, "no feature `magic`"},
    {"yes and no", WHERE "name-prefix = maybe\n", ERR_SYNTAX,
	"neither yes nor no"},
    {"NAE-XML alone", NAE USER NAE_CLAIMS, OK, ""},
    {"NAE-XML beside KMIP", WHERE CLIENT CLAIMS "[nae]\nport = 9\n" NAE_CLAIMS,
	OK, ""},
    {"NAE-XML without a host", "[nae]\nport = 9\n" NAE_CLAIMS, ERR_MISSING,
	"host"},
    {"NAE-XML at port 65536", "[nae]\nhost = h\nport = 65536\n" NAE_CLAIMS,
	ERR_RANGE, "[nae] port takes 1 to 65535"},
    {"NAE-XML that claims no version",
	NAE "[claims]\nfamilies = *\nnae-requests = KeyGen\n", ERR_MISSING,
	"nae-versions"},
    {"NAE-XML that claims no request",
	NAE "[claims]\nfamilies = *\nnae-versions = 2.2\n", ERR_MISSING,
	"nae-requests"},
    {"NAE-XML over TLS", NAE "tls = yes\n" CLIENT NAE_CLAIMS, OK, ""},
    {"NAE-XML over TLS without identity", NAE "tls = yes\n" NAE_CLAIMS,
	ERR_MISSING, "identity of [nae]"},
    {"a user without a password", NAE "[user A]\nuser = alice\n" NAE_CLAIMS,
	ERR_MISSING, "user or password"},
    {"a user with an identity of nobody", NAE USER "identity = B\n" NAE_CLAIMS,
	ERR_MISSING, "identity of a [user]"},
    {"a user without a name", NAE "[user]\nuser = alice\n", ERR_SYNTAX,
	"without a name"},
    {"a request of nobody", NAE NAE_CLAIMS "nae-requests = KeyGem\n",
	ERR_SYNTAX, "no request `KeyGem`"},
    {"an algorithm of nobody", NAE NAE_CLAIMS "nae-algorithms = aes\n",
	ERR_SYNTAX, "no algorithm `aes`"},
    {"a section with a word too many", "[target A]\n", ERR_SYNTAX,
	"no section `target`"},
    {"a file that is not there", "include = none.conf\n", ERR_OPEN,
	"none.conf"},
};

static void
lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new();
		struct fault f = {""};
		struct target t;
		enum err rc;

		rc = target_parse(a, "t.conf", bytes_of_text(r->text), &t, &f);
		if (rc != r->want || strstr(f.text, r->says) == NULL)
			fail_msg("%s: expected %s, %s; got %s, %s", r->name,
			    err_name(r->want), r->says, err_name(rc), f.text);
		arena_free(a);
	}
}

static void
values(void **state)
{
	struct arena *a = arena_new();
	struct target t;
	struct fault f;

	(void)state;
	assert_int_equal(target_parse(a, "/etc/t.conf",
			     bytes_of_text(WHERE "name = a # b\n" CLIENT CLAIMS
						 "[rules]\ntime-stamp = off\n"),
			     &t, &f),
	    OK);
	assert_string_equal(t.name, "a");
	assert_int_equal(t.port, 5696);
	assert_string_equal(t.identities[0].certificate, "/etc/a.pem");
	assert_string_equal(t.identities[0].key, "/k/a.key");
	assert_int_equal(strlen(t.sha256), 64);
	assert_false(rule_is_on(&t.rules, RULE_TIME_STAMP));
	assert_true(rule_is_on(&t.rules, RULE_NOW));
	assert_true(target_claims_version(&t, 0x21));
	assert_false(target_claims_version(&t, 0x20));
	assert_true(target_claims_operation(&t, OPERATION_LOCATE));
	assert_false(target_claims_operation(&t, OPERATION_REGISTER));
	assert_true(target_claims_object(&t, OBJECT_TYPE_SYMMETRIC_KEY));
	assert_false(target_claims_object(&t, OBJECT_TYPE_PUBLIC_KEY));
	assert_true(target_claims_family(&t, "SKLC-M"));
	assert_false(target_claims_family(&t, "AKLC-M"));
	assert_false(target_claims_feature(&t, "credentials"));
	arena_free(a);
}

static void
users(void **state)
{
	struct arena *a = arena_new();
	struct target t;
	struct fault f;

	(void)state;
	assert_int_equal(
	    target_parse(a, "t.conf",
		bytes_of_text(NAE USER "[user B]\nuser = bob\npassword = p\n"
				       "[user A]\npassword = new\n" NAE_CLAIMS),
		&t, &f),
	    OK);
	assert_int_equal(t.user_count, 2);
	assert_string_equal(target_user(&t, "A")->user, "alice");
	assert_string_equal(target_user(&t, "A")->password, "new");
	assert_string_equal(target_user(&t, "B")->user, "bob");
	assert_null(target_user(&t, "C"));
	assert_null(target_identity(&t, "A"));
	assert_string_equal(t.nae_host, "h");
	assert_int_equal(t.nae_port, 9000);
	assert_false(t.nae_tls);
	arena_free(a);
}

/* The last glob that matches a family decides. */
static void
families(void **state)
{
	static const struct {
		const char *globs, *family;
		bool claimed;
	} rows_of[] = {
	    {"*", "TC-WRAP", true},
	    {"* !TC-WRAP", "TC-WRAP", false},
	    {"* !TC-WRAP", "TC-WRAPS", true},
	    {"* !TC-* TC-ECC", "TC-ECC", true},
	    {"* !TC-* TC-ECC", "TC-MDO", false},
	    {"!SKLC* *", "SKLC-M", true},
	    {"!SKLC*", "TL-M", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows_of / sizeof *rows_of; i++) {
		struct arena *a = arena_new();
		struct fault f = {""};
		struct target t;
		const char *text = arena_printf(a,
		    WHERE CLIENT "[claims]\nversions = 1.0\n"
				 "operations = Get\nobjects = SymmetricKey\n"
				 "families = %s\n",
		    rows_of[i].globs);

		assert_int_equal(
		    target_parse(a, "t.conf", bytes_of_text(text), &t, &f), OK);
		if (target_claims_family(&t, rows_of[i].family) !=
		    rows_of[i].claimed)
			fail_msg(
			    "`%s` and %s", rows_of[i].globs, rows_of[i].family);
		arena_free(a);
	}
}

static void
write_file(const char *path, const char *text)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static void
later_files_win(void **state)
{
	char dir[] = "/tmp/target_test.XXXXXX", base[64], top[64], self[64];
	struct arena *a = arena_new();
	struct target t;
	struct fault f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(base, sizeof base, "%s/base.conf", dir);
	snprintf(top, sizeof top, "%s/top.conf", dir);
	snprintf(self, sizeof self, "%s/self.conf", dir);
	write_file(base, WHERE CLIENT CLAIMS);
	write_file(top, "include = base.conf\n[target]\nport = 7\n"
			"[identity A]\nkey = other.key\n"
			"[claims]\nversions = 1.4\n");
	write_file(self, "include = self.conf\n");
	assert_int_equal(target_read(a, top, &t, &f), OK);
	assert_int_equal(t.port, 7);
	assert_int_equal(t.identity_count, 1);
	assert_non_null(strstr(t.identities[0].key, "/other.key"));
	assert_non_null(strstr(t.identities[0].certificate, "/a.pem"));
	assert_false(target_claims_version(&t, 0x21));
	assert_int_equal(target_read(a, self, &t, &f), ERR_LIMIT);
	unlink(base);
	unlink(top);
	unlink(self);
	rmdir(dir);
	arena_free(a);
}

/* The files that the project hands out are understood. */
static void
our_own_files(void **state)
{
	static const char *const paths[] = {"harness/targets/example.conf"};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct arena *a = arena_new();
		struct fault f = {""};
		struct target t;

		if (target_read(a, paths[i], &t, &f) != OK)
			fail_msg("%s", f.text);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines),
	    cmocka_unit_test(values),
	    cmocka_unit_test(users),
	    cmocka_unit_test(families),
	    cmocka_unit_test(later_files_win),
	    cmocka_unit_test(our_own_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
