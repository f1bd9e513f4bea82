#include "device/entry.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_OCTETS = 64, DIGITS_MOST = 18, LABEL_MOST = 63 };

static const char yes_and_no[] = "no|yes";

/* ---- alphabets; of ASCII, whatever the locale ---- */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_word(struct bytes typed, const char *word)
{
	return *word != '\0' && typed.octets == strlen(word) &&
	       strncasecmp((const char *)typed.at, word, typed.octets) == 0;
}

/* ---- texts: each puts into `out` what is to be kept ---- */

static bool
keep(struct bytes typed, char out[ENTRY_OCTETS])
{
	if (typed.octets >= ENTRY_OCTETS)
		return false;
	if (typed.octets != 0)
		memcpy(out, typed.at, typed.octets);
	out[typed.octets] = '\0';
	return true;
}

/* Parts of letters, digits and hyphens, none of them at a part's ends. */
static bool
read_host_name(struct bytes typed, char out[ENTRY_OCTETS])
{
	size_t part = 0; /* octets of this one so far */
	size_t k;

	for (k = 0; k < typed.octets; k++) {
		uint8_t c = typed.at[k];

		if (c == '.' || c == '-') {
			if (part == 0)
				return false;
		} else if (!is_letter(c) && !is_digit(c)) {
			return false;
		}
		if (c == '.' && typed.at[k - 1] == '-')
			return false;
		part = c == '.' ? 0 : part + 1;
		if (part > LABEL_MOST)
			return false;
	}
	return part != 0 && typed.at[typed.octets - 1] != '-' &&
	       keep(typed, out);
}

/* One that a socket can have: no net, no group. */
static bool
read_address(struct bytes typed, char out[ENTRY_OCTETS])
{
	struct in6_addr six;
	struct in_addr four;
	char text[ENTRY_OCTETS];

	/* a NUL would hide what stands behind it */
	if (!keep(typed, text) || strlen(text) != typed.octets)
		return false;
	if (inet_pton(AF_INET, text, &four) == 1) {
		uint32_t address = ntohl(four.s_addr);

		return address >> 24 != 0 && address >> 28 < 0xe &&
		       inet_ntop(AF_INET, &four, out, ENTRY_OCTETS) != NULL;
	}
	return inet_pton(AF_INET6, text, &six) == 1 &&
	       !IN6_IS_ADDR_UNSPECIFIED(&six) && !IN6_IS_ADDR_MULTICAST(&six) &&
	       inet_ntop(AF_INET6, &six, out, ENTRY_OCTETS) != NULL;
}

/* Only digits and periods: meant to be an address, and none. */
static bool
is_like_address(struct bytes typed)
{
	size_t k;

	for (k = 0; k < typed.octets; k++)
		if (!is_digit(typed.at[k]) && typed.at[k] != '.')
			return false;
	return true;
}

static bool
read_host(struct bytes typed, char out[ENTRY_OCTETS])
{
	if (typed.octets == 0)
		return keep(typed, out);
	return read_address(typed, out) ||
	       (!is_like_address(typed) && read_host_name(typed, out));
}

static bool
read_listen(struct bytes typed, char out[ENTRY_OCTETS])
{
	static const char all[] = "All";

	/* as the guide's pages have it, too */
	if (is_word(typed, all) || is_word(typed, "[All]"))
		return keep(bytes_of_text(all), out);
	return read_address(typed, out);
}

static bool
read_name(struct bytes typed, char out[ENTRY_OCTETS])
{
	size_t k;

	if (typed.octets == 0 || !is_letter(typed.at[0]))
		return false;
	for (k = 1; k < typed.octets; k++) {
		uint8_t c = typed.at[k];

		if (!is_letter(c) && !is_digit(c) && c != '_' && c != '.' &&
		    c != '-')
			return false;
	}
	return keep(typed, out);
}

static bool
read_certificate(struct bytes typed, char out[ENTRY_OCTETS])
{
	if (bytes_equal_text(typed, "[Default]"))
		return keep(typed, out);
	return read_name(typed, out);
}

static bool
read_key_certificate(struct bytes typed, char out[ENTRY_OCTETS])
{
	static const char none[] = "[None]";

	if (is_word(typed, none) || is_word(typed, "None"))
		return keep(bytes_of_text(none), out);
	return read_name(typed, out);
}

/* "8:05" is kept as "08:05". */
static bool
read_time_of_day(struct bytes typed, char out[ENTRY_OCTETS])
{
	char padded[ENTRY_OCTETS] = "0";
	const char *c = padded;

	if (!keep(typed, typed.octets == 4 ? padded + 1 : padded))
		return false;
	return is_digit((uint8_t)c[0]) && is_digit((uint8_t)c[1]) &&
	       c[2] == ':' && is_digit((uint8_t)c[3]) &&
	       is_digit((uint8_t)c[4]) && memcmp(c, "24", 2) < 0 &&
	       c[3] < '6' && keep(bytes_of_text(padded), out);
}

static bool
read_rotation_time(struct bytes typed, char out[ENTRY_OCTETS])
{
	static const char own[] = "Default";

	if (is_word(typed, own))
		return keep(bytes_of_text(own), out);
	return typed.octets <= 5 && read_time_of_day(typed, out);
}

/* What another machine has a name for: its rules are its own. */
static bool
read_remote(struct bytes typed, char out[ENTRY_OCTETS])
{
	size_t k;

	for (k = 0; k < typed.octets; k++)
		if (typed.at[k] <= ' ' || typed.at[k] > '~')
			return false;
	return keep(typed, out);
}

static const struct kind {
	bool (*read)(struct bytes typed, char out[ENTRY_OCTETS]);
	size_t least;
	size_t most;
	const char *rule;
} kinds[] = {
#define KIND(symbol, reader, least, most, rule) \
	[symbol] = {read_##reader, least, most, rule},
#include "device/entry_kind.def"
#undef KIND
};

static bool
read_text(const struct kind *kind, struct bytes typed, char out[ENTRY_OCTETS])
{
	return typed.octets >= kind->least && typed.octets <= kind->most &&
	       kind->read(typed, out);
}

/* ---- numbers ---- */

static bool
read_digits(struct bytes typed, int64_t *number)
{
	size_t k;

	*number = 0;
	if (typed.octets == 0 || typed.octets > DIGITS_MOST)
		return false;
	for (k = 0; k < typed.octets; k++) {
		if (!is_digit(typed.at[k]))
			return false;
		*number = *number * 10 + (typed.at[k] - '0');
	}
	return true;
}

/* The limits are those of what was typed, not of what it is rounded to. */
static bool
read_number(const struct entry_rule *rule, struct bytes typed,
    char out[ENTRY_OCTETS], int64_t *number)
{
	if (is_word(typed, rule->zero)) {
		*number = 0;
		return keep(bytes_of_text(rule->zero), out);
	}
	if (!read_digits(typed, number) || *number < rule->least ||
	    *number > rule->most)
		return false;
	*number -= *number % rule->step;
	(void)snprintf(out, ENTRY_OCTETS, "%" PRId64, *number);
	return true;
}

/* ---- one of some words ---- */

/* The next word of "a|b|c"; false: there is none left. */
static bool
next_word(const char **at, struct bytes *word)
{
	if (**at == '\0')
		return false;
	*word = (struct bytes){(const uint8_t *)*at, strcspn(*at, "|")};
	*at += word->octets;
	*at += **at == '|';
	return true;
}

/* One of them, or a beginning that only one has. */
static bool
read_choice(const char *choices, struct bytes typed, char out[ENTRY_OCTETS],
    int64_t *number)
{
	struct bytes found = BYTES_NONE;
	struct bytes word;
	unsigned beginnings = 0;
	int64_t place = 0;

	if (typed.octets == 0)
		return false;
	for (; next_word(&choices, &word); place++) {
		if (typed.octets > word.octets ||
		    strncasecmp((const char *)word.at, (const char *)typed.at,
			typed.octets) != 0)
			continue;
		found = word;
		*number = place;
		beginnings++;
		if (typed.octets == word.octets) {
			beginnings = 1;
			break;
		}
	}
	return beginnings == 1 && keep(found, out);
}

enum err
entry_read(const struct entry_rule *rule, struct bytes typed,
    char out[ENTRY_OCTETS], int64_t *number)
{
	bool good = false;

	*number = 0;
	switch (rule->type) {
	case ENTRY_TEXT:
		good = read_text(&kinds[rule->kind], typed, out);
		break;
	case ENTRY_NUMBER:
		good = read_number(rule, typed, out, number);
		break;
	case ENTRY_YESNO:
		good = read_choice(yes_and_no, typed, out, number);
		break;
	case ENTRY_CHOICE:
		good = read_choice(rule->choices, typed, out, number);
		break;
	}
	return good ? OK : ERR_FIELD;
}

/* ---- for people ---- */

static enum err
describe_choices(const char *choices, struct buf *out)
{
	struct bytes word;
	bool first = true;
	enum err rc = OK;

	while (next_word(&choices, &word)) {
		if (!first)
			TRY(buf_put_text(
			    out, *choices != '\0' ? ", " : " or "));
		TRY(buf_put(out, word));
		first = false;
	}
out:
	return rc;
}

const char *
entry_kind_rule(enum entry_kind kind)
{
	return kinds[kind].rule;
}

const char *
entry_yesno(bool yes)
{
	return yes ? "yes" : "no";
}

enum err
entry_describe(const struct entry_rule *rule, struct buf *out)
{
	enum err rc = OK;

	switch (rule->type) {
	case ENTRY_TEXT:
		return buf_put_text(out, entry_kind_rule(rule->kind));
	case ENTRY_YESNO:
		return buf_put_text(out, "yes or no");
	case ENTRY_CHOICE:
		return describe_choices(rule->choices, out);
	case ENTRY_NUMBER:
		break;
	}
	TRY(buf_printf(
	    out, "%" PRId64 " to %" PRId64, rule->least, rule->most));
	if (rule->step != 1)
		TRY(buf_printf(out, ", rounded down to a multiple of %" PRId64,
		    rule->step));
	if (*rule->zero != '\0')
		TRY(buf_printf(out, ", or %s", rule->zero));
out:
	return rc;
}

/* Each octet takes at most four; what is cut ends in "...". */
static void
show(struct bytes typed, char out[SHOWN_OCTETS * 4 + 4])
{
	size_t octets =
	    typed.octets > SHOWN_OCTETS ? SHOWN_OCTETS : typed.octets;
	size_t used = 0;
	size_t k;

	for (k = 0; k < octets; k++) {
		uint8_t c = typed.at[k];

		if (c == '\\')
			out[used++] = '\\';
		if (c >= ' ' && c <= '~')
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, 5, "\\x%02x", c);
	}
	(void)strcpy(out + used, octets < typed.octets ? "..." : "");
}

void
entry_refuse(const char *name, struct bytes typed, const char *text,
    char why[ENTRY_WHY_OCTETS])
{
	char value[SHOWN_OCTETS * 4 + 4];

	show(typed, value);
	(void)snprintf(why, ENTRY_WHY_OCTETS, "%s: %s: %s", name,
	    typed.octets != 0 ? value : "(empty)", text);
}

enum err
entry_take(const char *name, const struct entry_rule *rule, struct bytes typed,
    char out[ENTRY_OCTETS], int64_t *number, char why[ENTRY_WHY_OCTETS])
{
	struct buf text;
	enum err rc = entry_read(rule, typed, out, number);

	if (rc != ERR_FIELD)
		return rc;
	buf_init(&text, ENTRY_WHY_OCTETS);
	TRY(entry_describe(rule, &text));
	TRY(buf_put(&text, (struct bytes){(const uint8_t *)"", 1}));
	entry_refuse(name, typed, (const char *)buf_peek(&text).at, why);
	rc = ERR_FIELD;
out:
	buf_clear(&text);
	return rc;
}
