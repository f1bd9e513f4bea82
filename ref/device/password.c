#include "device/password.h"

#include <ctype.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

#include <crack.h>

#include "base/base64.h"
#include "crypto/kdf.h"

enum {
	SALT_OCTETS = 16,
	HASH_OCTETS = 32,
	MOST_ITERATIONS = 10000000, /* some seconds; more is a damaged line */
};

/* ---- how they are kept ---- */

static const char scheme[] = "pbkdf2-sha256$";

struct parts {
	unsigned iterations;
	uint8_t salt[SALT_OCTETS];
	uint8_t hash[HASH_OCTETS];
};

/* Exactly so many octets. */
static bool
read_octets(struct bytes text, uint8_t *out, size_t octets)
{
	struct base64 base64 = {0};
	uint8_t at[HASH_OCTETS + BASE64_GROUP_OCTETS];
	size_t got;

	if (text.octets != BASE64_CHARACTERS(octets) ||
	    base64_read(&base64, &text, false, at, sizeof(at), &got) != OK ||
	    base64_end(&base64) != OK || got != octets)
		return false;
	memcpy(out, at, octets);
	return true;
}

static bool
read_line(const struct password_hash *hash, struct parts *out)
{
	struct bytes in = {(const uint8_t *)hash->line, 0}, part;
	const char *end = memchr(hash->line, '\0', sizeof(hash->line));

	if (end == NULL)
		return false;
	in.octets = (size_t)(end - hash->line);
	if (bytes_split(&in, sizeof(scheme) - 1, &part) != OK ||
	    !bytes_equal_text(part, scheme))
		return false;
	if (in.octets == 0 || in.at[0] == '0')
		return false;
	out->iterations = 0;
	while (in.octets != 0 && in.at[0] != '$') {
		if (in.at[0] < '0' || in.at[0] > '9')
			return false;
		out->iterations =
		    10 * out->iterations + (unsigned)(in.at[0] - '0');
		if (out->iterations > MOST_ITERATIONS)
			return false;
		in.at++;
		in.octets--;
	}
	if (bytes_split(&in, 1, &part) != OK || out->iterations == 0 ||
	    bytes_split(&in, BASE64_CHARACTERS(SALT_OCTETS), &part) != OK ||
	    !read_octets(part, out->salt, SALT_OCTETS) ||
	    bytes_split(&in, 1, &part) != OK || !bytes_equal_text(part, "$"))
		return false;
	return read_octets(in, out->hash, HASH_OCTETS);
}

bool
password_hash_is_valid(const struct password_hash *hash)
{
	struct parts parts;

	return read_line(hash, &parts);
}

enum err
password_hash(struct env *env, unsigned iterations, struct bytes password,
    struct password_hash *out)
{
	char salt_text[BASE64_CHARACTERS(SALT_OCTETS) + 1];
	char hash_text[BASE64_CHARACTERS(HASH_OCTETS) + 1];
	uint8_t salt[SALT_OCTETS], hash[HASH_OCTETS];
	enum err rc = OK;

	if (password.octets > PASSWORD_MAX_OCTETS)
		return ERR_LENGTH;
	TRY(env_random(env, salt, sizeof(salt)));
	TRY(kdf_pbkdf2(password, (struct bytes){salt, sizeof(salt)}, iterations,
	    hash, sizeof(hash)));
	base64_write((struct bytes){salt, sizeof(salt)}, salt_text);
	base64_write((struct bytes){hash, sizeof(hash)}, hash_text);
	memset(out, 0, sizeof(*out));
	(void)snprintf(out->line, sizeof(out->line), "%s%u$%s$%s", scheme,
	    iterations, salt_text, hash_text);
out:
	return rc;
}

enum err
password_verify(const struct password_hash *hash, unsigned iterations,
    struct bytes password, bool *match)
{
	struct parts parts;
	uint8_t made[HASH_OCTETS];
	bool known = hash != NULL && read_line(hash, &parts);
	enum err rc = OK;

	*match = false;
	if (!known)
		parts = (struct parts){.iterations = iterations};
	TRY(kdf_pbkdf2(password, (struct bytes){parts.salt, SALT_OCTETS},
	    parts.iterations, made, sizeof(made)));
	*match = secret_equal_bytes((struct bytes){parts.hash, HASH_OCTETS},
		     (struct bytes){made, sizeof(made)}) &&
		 known;
out:
	secret_wipe(made, sizeof(made));
	return rc;
}

/* ---- which are good enough ---- */

/* The next character of what is UTF-8. */
static uint32_t
take_character(struct bytes *in)
{
	uint32_t c = in->at[0];
	size_t octets = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	size_t k;

	if (octets > 1)
		c &= 0x7fu >> octets;
	for (k = 1; k < octets; k++)
		c = c << 6 | (in->at[k] & 0x3fu);
	in->at += octets;
	in->octets -= octets;
	return c;
}

enum { DIFFERENT = 5 };

static bool
has_five_different(struct bytes in)
{
	uint32_t seen[DIFFERENT], c = 0;
	size_t k, count = 0;

	while (in.octets != 0 && count < DIFFERENT) {
		c = take_character(&in);
		for (k = 0; k < count && seen[k] != c; k++)
			;
		if (k == count)
			seen[count++] = c;
	}
	secret_wipe(seen, sizeof(seen));
	return count == DIFFERENT;
}

/* The C library does not count blanks at which no line may be broken. */
static bool
is_space(uint32_t c, locale_t unicode)
{
	return iswspace_l(c, unicode) || c == 0xa0 || c == 0x2007 ||
	       c == 0x202f;
}

/* What is in it, of each kind. */
struct census {
	int64_t characters, spaces, lower, upper, numbers, special;
};

static enum err
take_census(struct bytes in, struct census *out)
{
	/* any locale would do that has Unicode; the C library has this one
	 * built in */
	locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	uint32_t c;

	if (unicode == (locale_t)0)
		return ERR_SYSTEM;
	*out = (struct census){0};
	while (in.octets != 0) {
		c = take_character(&in);
		out->characters++;
		out->spaces += is_space(c, unicode);
		out->lower += iswlower_l(c, unicode) != 0;
		out->upper += iswupper_l(c, unicode) != 0;
		out->numbers += iswdigit_l(c, unicode) != 0;
		out->special += !iswalnum_l(c, unicode);
	}
	freelocale(unicode);
	return OK;
}

/* "x12", "ext. 1234": to the end of it. */
static bool
is_extension(const char *text)
{
	size_t digits;

	if (strncasecmp(text, "ext", 3) == 0)
		text += 3;
	else if (text[0] == 'x' || text[0] == 'X')
		text++;
	else
		return false;
	text += strspn(text, " .");
	digits = strspn(text, "0123456789");
	return digits >= 1 && digits <= 6 && text[digits] == '\0';
}

static bool
is_phone_number(const char *text)
{
	size_t digits = 0;

	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9')
			digits++;
		else if (strchr(" \t+-./()", *text) == NULL)
			break;
	}
	return digits >= 7 && digits <= 15 &&
	       (*text == '\0' || is_extension(text));
}

/* clang-format off */
static const struct {
	const char *cracklib;
	const char *why;
} easy[] = {
	{ "it is based on a dictionary word",
	  "Passwords must not resemble a dictionary word" },
	{ "it is based on a (reversed) dictionary word",
	  "Passwords must not resemble a reversed dictionary word" },
	{ "it is based on your username",
	  "Passwords must not be based on the username" },
	{ "it is too short", /* fewer than four octets have been refused */
	  "Passwords must be at least 6 characters long" },
	{ "it is too simplistic/systematic",
	  "Passwords must not be simplistic" },
};
/* clang-format on */

static const char no_dictionary[] = "error loading dictionary";

/*
 * cracklib copies what it looks at into buffers of its functions, static ones
 * and on the stack. Of this the last octets, as many as the password has or a
 * few more, are looked at next and write over all of them: they have what its
 * rules look for, a letter, a digit and a mark of each kind that it replaces.
 * It sees no more than SHEET_MOST octets of anything.
 */
enum { SHEET_LEAST = 32, SHEET_MOST = 255 };
/* clang-format off */
static const char blank_sheet[] =
    "0k3$w1@q5!h2|z7#t4%x6&f9*m8+Jb0k3$w1@q5!h2|z7#t4%x6&f9*m8+Jb0k3"
    "$w1@q5!h2|z7#t4%x6&f9*m8+Jb0k3$w1@q5!h2|z7#t4%x6&f9*m8+Jb0k3$w1@"
    "q5!h2|z7#t4%x6&f9*m8+Jb0k3$w1@q5!h2|z7#t4%x6&f9*m8+Jb0k3$w1@q5!h"
    "2|z7#t4%x6&f9*m8+Jb0k3$w1@q5!h2|z7#t4%x6&f9*m8+Jb0k3$w1@q5!h2|z7";
/* clang-format on */
_Static_assert(sizeof(blank_sheet) == SHEET_MOST + 1, "not a whole sheet");

static enum err refuse(char why[PASSWORD_WHY_OCTETS], const char *format,
    ...) MUST_CHECK __attribute__((format(printf, 2, 3)));

static enum err
refuse(char why[PASSWORD_WHY_OCTETS], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, PASSWORD_WHY_OCTETS, format, args);
	va_end(args);
	return ERR_FIELD;
}

static enum err
ask_cracklib(const char *dictionary, const char *user, const char *password,
    char why[PASSWORD_WHY_OCTETS])
{
	/* Who has no name has one that nobody's password resembles: "" is
	 * what is left of many. */
	char name[256] = "\001";
	size_t octets = strlen(password);
	const char *says;
	size_t k;

	if (octets < SHEET_LEAST)
		octets = SHEET_LEAST;
	if (octets > SHEET_MOST)
		octets = SHEET_MOST;
	if (dictionary == NULL)
		dictionary = GetDefaultCracklibDict();
	/* its own copy of the password is in lower case, the name is not */
	for (k = 0; user[k] != '\0' && k < sizeof(name) - 1; k++)
		name[k] = (char)tolower((unsigned char)user[k]);
	says = FascistCheckUser(password, dictionary, name, NULL);
	(void)FascistCheckUser(
	    blank_sheet + SHEET_MOST - octets, dictionary, name, NULL);
	if (says == NULL)
		return OK;
	if (strcmp(says, no_dictionary) == 0)
		return ERR_CONFIG;
	for (k = 0; k < sizeof(easy) / sizeof(easy[0]); k++) {
		if (strcmp(says, easy[k].cracklib) == 0)
			return refuse(why, "%s", easy[k].why);
	}
	return refuse(why, "Passwords must not be easy to guess");
}

/* The guide's own rules, and the length. `text` ends with a NUL. */
static enum err
check_base(const struct password_rules *rules, const char *user,
    const char *text, const struct census *census,
    char why[PASSWORD_WHY_OCTETS])
{
	if (!has_five_different(bytes_of_text(text)))
		return refuse(why,
		    "Passwords must contain at least five different "
		    "characters");
	if (census->spaces == census->characters)
		return refuse(
		    why, "Passwords must not contain only whitespace");
	if (is_phone_number(text))
		return refuse(
		    why, "Passwords must not resemble a phone number");
	if (census->characters < rules->least)
		return refuse(why,
		    "Passwords must be at least %lld characters long",
		    (long long)rules->least);
	return ask_cracklib(rules->dictionary, user, text, why);
}

static enum err
check_classes(const struct password_rules *rules, const struct census *census,
    char why[PASSWORD_WHY_OCTETS])
{
	const struct {
		bool wanted;
		int64_t count;
		const char *what;
	} classes[] = {
	    {rules->lower, census->lower, "lower case letter"},
	    {rules->upper, census->upper, "upper case letter"},
	    {rules->number, census->numbers, "number"},
	    {rules->special, census->special, "special character"},
	};
	size_t k;

	for (k = 0; k < sizeof(classes) / sizeof(classes[0]); k++) {
		if (classes[k].wanted && classes[k].count == 0)
			return refuse(why,
			    "Passwords must contain at least one %s",
			    classes[k].what);
	}
	return OK;
}

enum err
password_check(const struct password_rules *rules, const char *user,
    struct bytes password, char why[PASSWORD_WHY_OCTETS])
{
	char text[PASSWORD_MAX_OCTETS + 1] = "";
	struct census census = {0};
	enum err rc = OK;

	why[0] = '\0';
	if (password.octets <= PASSWORD_MAX_OCTETS) {
		if (password.octets != 0)
			memcpy(text, password.at, password.octets);
		if (!bytes_is_utf8(password) || strlen(text) != password.octets)
			TRY(refuse(why, "Passwords must be UTF-8 text"));
		TRY(take_census(password, &census));
	}
	if (password.octets > PASSWORD_MAX_OCTETS ||
	    census.characters > PASSWORD_MAX_CHARACTERS)
		TRY(refuse(why, "Passwords must be at most %d characters long",
		    PASSWORD_MAX_CHARACTERS));
	TRY(check_base(rules, user, text, &census, why));
	TRY(check_classes(rules, &census, why));
out:
	secret_wipe(text, sizeof(text));
	secret_wipe(&census, sizeof(census));
	return rc;
}
