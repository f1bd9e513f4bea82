/*
 * The tool's one door to jansson: build, write and read JSON values, one value
 * a line (https://jsonlines.org).  Names start with js_, because json_ is the
 * library's own prefix.
 *
 * A value that was put into an object or array belongs to it; values that are
 * found are borrowed and live as long as the root they came from.
 */
#ifndef TOUCHSTONE_JSON_H
#define TOUCHSTONE_JSON_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct js;

enum err js_object_new(struct js **out) MUST_CHECK;
enum err js_array_new(struct js **out) MUST_CHECK;

/* Accepts NULL. */
void js_free(struct js *v);

/*
 * Put a member into an object; a member of that name is replaced.
 *
 * js_put         takes `v`, on failure too
 * js_put_string  `text` NULL puts null; octets that are not UTF-8 are replaced
 *                by U+FFFD, one for one, because a peer's text is evidence and
 *                must not stop the report
 *
 * ERR_NOMEM
 */
enum err js_put(struct js *object, const char *name, struct js *v) MUST_CHECK;
enum err
js_put_string(struct js *object, const char *name, const char *text) MUST_CHECK;
enum err
js_put_integer(struct js *object, const char *name, int64_t n) MUST_CHECK;
enum err js_put_real(struct js *object, const char *name, double x) MUST_CHECK;
enum err js_put_bool(struct js *object, const char *name, bool b) MUST_CHECK;

/* Append to an array; ownership and text as above. */
enum err js_add(struct js *array, struct js *v) MUST_CHECK;
enum err js_add_string(struct js *array, const char *text) MUST_CHECK;

/*
 * Write the value, members in the order they were put, and a line feed.  No
 * line feed occurs inside: one value is one line.
 *
 * ERR_WRITE  the stream refused; errno says why
 */
enum err js_write_line(FILE *to, const struct js *v) MUST_CHECK;

/*
 * Read one value from `count` octets.
 *
 * ERR_SYNTAX  not one JSON value, a member twice, or nested beyond the
 *             library's limit; `f` says where
 */
enum err js_parse(const char *text, size_t count, struct js **out,
    struct fault *f) MUST_CHECK;

/*
 * Read the value of the next line.
 *
 * out   NULL at the end of the file, which is OK
 *
 * ERR_SYNTAX     see js_parse
 * ERR_TRUNCATED  the last line has no line feed: its writer was cut off
 * ERR_READ       errno says why
 */
enum err js_read_line(FILE *from, struct js **out, struct fault *f) MUST_CHECK;

/*
 * Look into an object.  A member that is absent, null or of another type is
 * "not there": NULL, or false and *out untouched.
 */
const struct js *js_find(const struct js *object, const char *name);
const char *js_find_string(const struct js *object, const char *name);
bool js_find_integer(const struct js *object, const char *name, int64_t *out);
bool js_find_real(const struct js *object, const char *name, double *out);
bool js_find_bool(const struct js *object, const char *name, bool *out);

/* Look into an array: 0, NULL when it is none. */
size_t js_count(const struct js *array);
const struct js *js_at(const struct js *array, size_t n);
const char *js_string_at(const struct js *array, size_t n);

#endif
