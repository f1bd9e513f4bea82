#include "net/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum kind { TEXT, PATH, NUMBER, CHOICE };

struct row {
	const char *key;
	enum kind kind;
	size_t offset;    /* in struct config */
	const char *text; /* the default of all but NUMBER */
	int64_t number;
	int64_t least;
	int64_t most;
	const char *choices;
	const char *help;
};

#define ROW(k, ...)                                                          \
	{                                                                    \
		.key = #k, .offset = offsetof(struct config, k), __VA_ARGS__ \
	}
static const struct row rows[] = {
#define TEXT(k, value, h) ROW(k, .kind = TEXT, .text = (value), .help = (h)),
#define PATH(k, value, h) ROW(k, .kind = PATH, .text = (value), .help = (h)),
#define NUMBER(k, value, lo, hi, h)                                            \
	ROW(k, .kind = NUMBER, .number = (value), .least = (lo), .most = (hi), \
	    .help = (h)),
#define CHOICE(k, value, c, h) \
	ROW(k, .kind = CHOICE, .text = (value), .choices = (c), .help = (h)),
#include "net/config.def"
#undef TEXT
#undef PATH
#undef NUMBER
#undef CHOICE
};
#undef ROW
enum { ROWS = sizeof(rows) / sizeof(rows[0]), KEY_MAX_OCTETS = 40 };

/* Where in the file we are, and what was seen so far. */
struct reader {
	const char *dir;
	struct config *config;
	struct config_fault *fault;
	unsigned line;
	bool seen[ROWS];
};

static void *
field(struct config *c, const struct row *row)
{
	return (char *)c + row->offset;
}

/* Say what is wrong; key may be NULL. */
static enum err __attribute__((format(printf, 3, 4)))
refuse(struct reader *r, const char *key, const char *format, ...)
{
	char *at = r->fault->text;
	size_t room = sizeof(r->fault->text);
	va_list args;
	int used = snprintf(at, room, "line %u: %s%s", r->line,
	    key != NULL ? key : "", key != NULL ? ": " : "");

	va_start(args, format);
	(void)vsnprintf(at + used, room - (size_t)used, format, args);
	va_end(args);
	return ERR_CONFIG;
}

/* ---- values ---- */

static enum err
copy_text(char **out, const char *dir, struct bytes value)
{
	size_t dir_octets = dir != NULL ? strlen(dir) + 1 : 0;
	enum err rc = OK;

	mem_free(*out);
	*out = mem_zalloc(1, dir_octets + value.octets + 1);
	if (*out == NULL)
		TRY(ERR_NOMEM);
	if (dir != NULL) {
		memcpy(*out, dir, dir_octets - 1);
		(*out)[dir_octets - 1] = '/';
	}
	if (value.octets != 0)
		memcpy(*out + dir_octets, value.at, value.octets);
out:
	return rc;
}

/* Digits only: no sign, no blanks, no leading zero, nothing behind. */
static bool
read_number(struct bytes value, int64_t *out)
{
	size_t k;

	*out = 0;
	if (value.octets == 0 || value.octets > 18 ||
	    (value.octets > 1 && value.at[0] == '0'))
		return false;
	for (k = 0; k < value.octets; k++) {
		if (value.at[k] < '0' || value.at[k] > '9')
			return false;
		*out = *out * 10 + (value.at[k] - '0');
	}
	return true;
}

static bool
find_choice(const char *choices, struct bytes value, unsigned *out)
{
	for (*out = 0; *choices != '\0'; ++*out) {
		size_t octets = strcspn(choices, "|");
		struct bytes one = {(const uint8_t *)choices, octets};

		if (bytes_equal(one, value))
			return true;
		choices += octets;
		choices += *choices == '|';
	}
	return false;
}

static enum err
set(struct reader *r, const struct row *row, struct bytes value)
{
	void *at = field(r->config, row);
	int64_t number;

	switch (row->kind) {
	case TEXT:
		return copy_text(at, NULL, value);
	case PATH:
		/* no path stays none */
		return copy_text(at,
		    value.octets == 0 || value.at[0] == '/' ? NULL : r->dir,
		    value);
	case NUMBER:
		if (!read_number(value, &number))
			return refuse(r, row->key, "not a number");
		if (number < row->least || number > row->most)
			return refuse(r, row->key,
			    "%" PRId64 " is not in %" PRId64 "..%" PRId64,
			    number, row->least, row->most);
		*(int64_t *)at = number;
		return OK;
	case CHOICE:
		if (!find_choice(row->choices, value, at))
			return refuse(r, row->key, "none of %s", row->choices);
		return OK;
	}
	return OK;
}

static enum err
set_defaults(struct reader *r)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < ROWS; k++) {
		if (rows[k].kind == NUMBER)
			*(int64_t *)field(r->config, &rows[k]) = rows[k].number;
		else
			TRY(set(r, &rows[k], bytes_of_text(rows[k].text)));
	}
out:
	return rc;
}

/* ---- lines ---- */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct bytes
trim(struct bytes in)
{
	while (in.octets != 0 && is_blank(in.at[0])) {
		in.at++;
		in.octets--;
	}
	while (in.octets != 0 && is_blank(in.at[in.octets - 1]))
		in.octets--;
	return in;
}

static bool
is_plain(struct bytes line)
{
	size_t k;

	for (k = 0; k < line.octets; k++) {
		if ((line.at[k] < 0x20 && line.at[k] != '\t') ||
		    line.at[k] == 0x7f)
			return false;
	}
	return bytes_is_utf8(line);
}

static enum err
read_line(struct reader *r, struct bytes line)
{
	const uint8_t *eq;
	struct bytes key;
	struct bytes value;
	size_t k;

	if (!is_plain(line))
		return refuse(r, NULL, "not plain text");
	line = trim(line);
	if (line.octets == 0 || line.at[0] == '#')
		return OK;
	eq = memchr(line.at, '=', line.octets);
	if (eq == NULL)
		return refuse(r, NULL, "not \"key = value\"");
	key = trim((struct bytes){line.at, (size_t)(eq - line.at)});
	value = trim(
	    (struct bytes){eq + 1, line.octets - (size_t)(eq + 1 - line.at)});
	for (k = 0; k < ROWS && !bytes_equal_text(key, rows[k].key); k++)
		;
	if (k == ROWS)
		return refuse(r, NULL, "%.*s: no such key",
		    (int)(key.octets < KEY_MAX_OCTETS ? key.octets
						      : KEY_MAX_OCTETS),
		    (const char *)key.at);
	if (r->seen[k])
		return refuse(r, rows[k].key, "stands twice");
	r->seen[k] = true;
	if (value.octets == 0)
		return refuse(r, rows[k].key, "no value");
	return set(r, &rows[k], value);
}

enum err
config_parse(struct bytes text, const char *dir, struct config *out,
    struct config_fault *fault)
{
	struct reader r = {.dir = dir, .config = out, .fault = fault};
	enum err rc = OK;

	*out = (struct config){0};
	fault->text[0] = '\0';
	TRY(set_defaults(&r));
	if (text.octets > CONFIG_MAX_OCTETS)
		TRY(refuse(&r, NULL, "more than %d octets", CONFIG_MAX_OCTETS));
	while (text.octets != 0) {
		const uint8_t *end = memchr(text.at, '\n', text.octets);
		size_t octets =
		    end != NULL ? (size_t)(end - text.at) : text.octets;
		struct bytes line = {text.at, octets};

		r.line++;
		TRY(read_line(&r, line));
		octets += end != NULL;
		text.at += octets;
		text.octets -= octets;
	}
out:
	if (rc == ERR_NOMEM)
		(void)snprintf(
		    fault->text, sizeof(fault->text), "%s", err_text(rc));
	if (rc != OK)
		config_clear(out);
	return rc;
}

/* ---- the file ---- */

static enum err
read_file(const char *path, struct buf *out)
{
	uint8_t *tail;
	ssize_t got = 0;
	enum err rc = OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return OK;
	if (fd < 0)
		return ERR_SYSTEM;
	do {
		TRY(buf_reserve(out, 4096, &tail));
		got = read(fd, tail, 4096);
		if (got < 0)
			TRY(ERR_SYSTEM);
		buf_added(out, (size_t)got);
	} while (got != 0 && out->octets <= CONFIG_MAX_OCTETS);
out:
	close(fd);
	return rc;
}

enum err
config_load(const char *dir, struct config *out, struct config_fault *fault)
{
	struct buf text;
	char *path = NULL;
	enum err rc = OK;

	*out = (struct config){0};
	fault->text[0] = '\0';
	buf_init(&text, CONFIG_MAX_OCTETS + 8192);
	TRY(copy_text(&path, dir, bytes_of_text("touchstone.conf")));
	TRY(read_file(path, &text));
	TRY(config_parse(buf_peek(&text), dir, out, fault));
out:
	if (rc != OK && fault->text[0] == '\0')
		(void)snprintf(fault->text, sizeof(fault->text), "%s",
		    rc == ERR_SYSTEM ? strerror(errno) : err_text(rc));
	mem_free(path);
	buf_clear(&text);
	return rc;
}

void
config_clear(struct config *c)
{
	size_t k;

	for (k = 0; k < ROWS; k++) {
		if (rows[k].kind == TEXT || rows[k].kind == PATH)
			mem_free(*(char **)field(c, &rows[k]));
	}
	*c = (struct config){0};
}

void
config_help(FILE *to)
{
	size_t k;

	for (k = 0; k < ROWS; k++) {
		const struct row *row = &rows[k];

		fprintf(to, "  %s\n      %s\n", row->key, row->help);
		if (row->kind == NUMBER)
			fprintf(to,
			    "      %" PRId64 "..%" PRId64 ", default %" PRId64
			    "\n",
			    row->least, row->most, row->number);
		else if (row->kind == CHOICE)
			fprintf(to, "      %s, default %s\n", row->choices,
			    row->text);
		else if (*row->text != '\0')
			fprintf(to, "      default %s\n", row->text);
	}
}
