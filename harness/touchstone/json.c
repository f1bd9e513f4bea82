#include "json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "bytes.h"
#include "mem.h"

#ifdef TORTURE
/* The library's own allocations fail in their turn as ours do. */
static void *
torture_alloc(size_t octets)
{
	return mem_zalloc(1, octets);
}

__attribute__((constructor)) static void
torture_start(void)
{
	json_set_alloc_funcs(torture_alloc, mem_free);
}
#endif

/* struct js is the library's json_t under a name of ours. */
static json_t *
in(const struct js *v)
{
	return (json_t *)v;
}

static enum err
made(json_t *v, struct js **out)
{
	*out = (struct js *)v;
	return v == NULL ? ERR_NOMEM : OK;
}

enum err
js_object_new(struct js **out)
{
	return made(json_object(), out);
}

enum err
js_array_new(struct js **out)
{
	return made(json_array(), out);
}

void
js_free(struct js *v)
{
	json_decref(in(v));
}

static enum err
string_new(const char *text, struct js **out)
{
	static const char replacement[] = "\xef\xbf\xbd";
	struct bytes rest;
	char *clean = NULL, *to;
	size_t bad = 0;
	enum err rc = OK;

	*out = NULL;
	if (text == NULL)
		return made(json_null(), out);
	rest = bytes_of_text(text);
	if (bytes_is_utf8(rest, NULL))
		return made(json_string_nocheck(text), out);
	TRY(MEM_ARRAY(clean, 3 * rest.octets + 1));
	to = clean;
	while (!bytes_is_utf8(rest, &bad)) {
		to = mempcpy(to, rest.at, bad);
		to = stpcpy(to, replacement);
		rest.at += bad + 1;
		rest.octets -= bad + 1;
	}
	memcpy(to, rest.at, rest.octets);
	TRY(made(json_string_nocheck(clean), out));
out:
	mem_free(clean);
	return rc;
}

enum err
js_put(struct js *object, const char *name, struct js *v)
{
	/* json_object_set_new releases its value when it fails */
	if (json_object_set_new_nocheck(in(object), name, in(v)) != 0)
		return ERR_NOMEM;
	return OK;
}

enum err
js_put_string(struct js *object, const char *name, const char *text)
{
	struct js *v = NULL;
	enum err rc = OK;

	TRY(string_new(text, &v));
	TRY(js_put(object, name, v));
out:
	return rc;
}

enum err
js_put_integer(struct js *object, const char *name, int64_t n)
{
	return js_put(object, name, (struct js *)json_integer(n));
}

enum err
js_put_real(struct js *object, const char *name, double x)
{
	return js_put(object, name, (struct js *)json_real(x));
}

enum err
js_put_bool(struct js *object, const char *name, bool b)
{
	return js_put(object, name, (struct js *)json_boolean(b));
}

enum err
js_add(struct js *array, struct js *v)
{
	return json_array_append_new(in(array), in(v)) == 0 ? OK : ERR_NOMEM;
}

enum err
js_add_string(struct js *array, const char *text)
{
	struct js *v = NULL;
	enum err rc = OK;

	TRY(string_new(text, &v));
	TRY(js_add(array, v));
out:
	return rc;
}

enum err
js_write_line(FILE *to, const struct js *v)
{
	/* digits of a double: enough to name what was measured, without the
	 * noise of the 17th */
	if (json_dumpf(in(v), to, JSON_COMPACT | JSON_REAL_PRECISION(12)) != 0)
		return ERR_WRITE;
	return putc('\n', to) == EOF ? ERR_WRITE : OK;
}

enum err
js_parse(const char *text, size_t count, struct js **out, struct fault *f)
{
	json_error_t why;

	*out =
	    (struct js *)json_loadb(text, count, JSON_REJECT_DUPLICATES, &why);
	if (*out != NULL)
		return OK;
	if (json_error_code(&why) == json_error_out_of_memory)
		return ERR_NOMEM;
	return fault_say(
	    f, ERR_SYNTAX, "JSON, column %d: %s", why.column, why.text);
}

enum err
js_read_line(FILE *from, struct js **out, struct fault *f)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	enum err rc = OK;

	*out = NULL;
	errno = 0;
	n = getline(&line, &room, from);
	if (n < 0 && ferror(from) != 0)
		TRY(fault_say(f, ERR_READ, "%s", strerror(errno)));
	if (n <= 0)
		goto out;
	if (line[n - 1] != '\n')
		TRY(fault_say(
		    f, ERR_TRUNCATED, "the last line is not complete"));
	TRY(js_parse(line, (size_t)n, out, f));
out:
	mem_free(line);
	return rc;
}

const struct js *
js_find(const struct js *object, const char *name)
{
	json_t *v = json_object_get(in(object), name);

	return json_is_null(v) ? NULL : (const struct js *)v;
}

const char *
js_find_string(const struct js *object, const char *name)
{
	return json_string_value(in(js_find(object, name)));
}

bool
js_find_integer(const struct js *object, const char *name, int64_t *out)
{
	json_t *v = in(js_find(object, name));

	if (!json_is_integer(v))
		return false;
	*out = json_integer_value(v);
	return true;
}

bool
js_find_real(const struct js *object, const char *name, double *out)
{
	json_t *v = in(js_find(object, name));

	if (!json_is_number(v))
		return false;
	*out = json_number_value(v);
	return true;
}

bool
js_find_bool(const struct js *object, const char *name, bool *out)
{
	json_t *v = in(js_find(object, name));

	if (!json_is_boolean(v))
		return false;
	*out = json_is_true(v);
	return true;
}

size_t
js_count(const struct js *array)
{
	return json_array_size(in(array));
}

const struct js *
js_at(const struct js *array, size_t n)
{
	return (const struct js *)json_array_get(in(array), n);
}

const char *
js_string_at(const struct js *array, size_t n)
{
	return json_string_value(in(js_at(array, n)));
}
