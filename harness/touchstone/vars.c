#include "vars.h"

#include "schema.h"
#include "touchstone_tags.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct var {
	const char *name;
	struct bytes value;
	struct var *next;
};

struct seen {
	uint32_t tag;
	struct bytes value;
	struct seen *next;
};

struct vars {
	struct arena *a;
	struct var *list;
	struct seen *seen;
	uint64_t seed;
	bool leaves_out;
	const char *prefix;
};

struct vars *
vars_new(struct arena *a, uint64_t seed, const char *prefix)
{
	struct vars *v = ARENA_NEW(a, struct vars);

	v->a = a;
	v->seed = seed;
	v->prefix = prefix;
	return v;
}

/* FNV-1a */
uint64_t
vars_seed(uint64_t seed, const char *id)
{
	uint64_t hash = 0xcbf29ce484222325 ^ seed;

	for (const char *p = id; *p != 0; p++)
		hash = (hash ^ (uint8_t)*p) * 0x100000001b3;
	return hash;
}

void
vars_leave_out(struct vars *v)
{
	v->leaves_out = true;
}

bool
vars_is_test_identifier(const struct node *n)
{
	const struct node *name = node_find(n, TAG_ATTRIBUTE_NAME);
	const struct node *vendor = node_find(n, TAG_VENDOR_IDENTIFICATION);

	if (n->tag != TAG_ATTRIBUTE || name == NULL)
		return false;
	if (vendor == NULL)
		return node_is_text(name, "x-ID");
	return node_is_text(vendor, "x") && node_is_text(name, "ID");
}

const char *
vars_prefix(const struct vars *v)
{
	return v->prefix;
}

bool
vars_now_offset(const char *placeholder, int64_t *seconds)
{
	const char *p = placeholder + 4;
	char *end;

	if (strncmp(placeholder, "$NOW", 4) != 0)
		return false;
	*seconds = 0;
	if (*p == 0)
		return true;
	if (*p != '+' && *p != '-')
		return false;
	*seconds = strtoll(p, &end, 10);
	return *end == 0;
}

static struct var *
find(const struct vars *v, const char *name)
{
	for (struct var *x = v->list; x != NULL; x = x->next)
		if (strcmp(x->name, name) == 0)
			return x;
	return NULL;
}

static void
put(struct vars *v, const char *name, struct bytes value)
{
	struct var *x = find(v, name);

	if (x == NULL) {
		x = ARENA_NEW(v->a, struct var);
		x->name = arena_strdup(v->a, name);
		x->next = v->list;
		v->list = x;
	}
	x->value = (struct bytes){arena_copy(v->a, value), value.octets};
}

void
vars_bind(struct vars *v, const char *placeholder, const struct node *got)
{
	put(v, placeholder, node_value(got));
}

/* Names whose first value stays. */
static bool
is_constant(const char *name)
{
	static const char *const prefixes[] = {"$UNIQUE_IDENTIFIER",
	    "$SHORT_UNIQUE_IDENTIFIER", "$KEY_MATERIAL", "$KEY_VALUE",
	    "$DIGEST_VALUE"};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

enum vars_answer
vars_look(
    const struct vars *v, const struct node *expected, const struct node *got)
{
	const struct var *x;
	int64_t offset;

	if (vars_now_offset(expected->placeholder, &offset))
		return VARS_DATE;
	x = find(v, expected->placeholder);
	if (x != NULL && bytes_equal(x->value, node_value(got)))
		return VARS_EQUAL;
	if (x == NULL || !is_constant(expected->placeholder))
		return VARS_UNBOUND;
	return VARS_OTHER;
}

void
vars_see(struct vars *v, const struct node *response)
{
	for (const struct node *n = response->first; n != NULL; n = n->next) {
		struct seen *s;

		vars_see(v, n);
		if (n->value == NULL)
			continue;
		s = ARENA_NEW(v->a, struct seen);
		s->tag = n->tag;
		s->value =
		    (struct bytes){arena_copy(v->a, node_value(n)), n->length};
		s->next = v->seen;
		v->seen = s;
	}
}

/* "$IV_COUNTER_NONCE_0" and "IVCounterNonce" are the same name. */
static bool
is_name_of(const char *placeholder, const char *xml)
{
	for (placeholder++; *xml != 0; placeholder++) {
		if (*placeholder == '_')
			continue;
		if (toupper((unsigned char)*xml++) != *placeholder)
			return false;
	}
	return *placeholder == 0 ||
	       (*placeholder == '_' && isdigit((unsigned char)placeholder[1]));
}

static const struct seen *
find_by_tag(const struct vars *v, const char *placeholder)
{
	for (const struct seen *s = v->seen; s != NULL; s = s->next)
		if (is_name_of(placeholder, schema_tag_name(s->tag)))
			return s;
	return NULL;
}

/* splitmix64: small, and the same everywhere for the same seed */
static uint64_t
next_random(struct vars *v)
{
	uint64_t z = v->seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static struct bytes
choose(struct vars *v, const struct node *n)
{
	uint64_t high = next_random(v), low = next_random(v);
	char *text;
	uint8_t *octets;

	if (n->type == TYPE_TEXT_STRING) {
		text = arena_printf(v->a, "%08x-%04x-4%03x-a%03x-%012llx",
		    (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff),
		    (unsigned)(high & 0xfff), (unsigned)(low >> 52),
		    (unsigned long long)(low & 0xffffffffffff));
		return bytes_of_text(text);
	}
	octets = arena_take(v->a, 8);
	bytes_put_number(octets, 8, high);
	return (struct bytes){octets, 8};
}

static enum err
fill_placeholder(struct vars *v, struct node *n, int64_t now, struct fault *f)
{
	const struct var *x = find(v, n->placeholder);
	const struct seen *s;
	struct bytes value;
	int64_t offset;
	uint8_t *octets;

	if (vars_now_offset(n->placeholder, &offset)) {
		octets = arena_take(v->a, 8);
		now += offset;
		if (n->type == TYPE_DATE_TIME_EXTENDED)
			now *= 1000000;
		bytes_put_number(octets, 8, (uint64_t)now);
		value = (struct bytes){octets, 8};
	} else if (x != NULL) {
		value = x->value;
	} else if (strstr(n->placeholder, "_RANDOM") != NULL) {
		value = choose(v, n);
		put(v, n->placeholder, value);
	} else if ((s = find_by_tag(v, n->placeholder)) != NULL) {
		value = s->value;
	} else {
		return fault_say(f, ERR_NOT_FOUND,
		    "%s stands in a request before any answer gave it",
		    n->placeholder);
	}
	if (type_octets(n->type) != 0 && type_octets(n->type) != value.octets)
		return fault_say(f, ERR_LENGTH, "%s does not fit a %s",
		    n->placeholder, type_name(n->type));
	n->value = value.at;
	n->length = (uint32_t)value.octets;
	n->placeholder = NULL;
	return OK;
}

static enum err
fill(struct vars *v, struct node *n, int64_t now, struct fault *f)
{
	enum err rc = OK;

	if (n->placeholder != NULL)
		TRY(fill_placeholder(v, n, now, f));
	if (v->prefix != NULL && n->tag == TAG_NAME_VALUE && n->value != NULL) {
		const char *text = arena_printf(v->a, "%s%.*s", v->prefix,
		    (int)n->length, (const char *)n->value);

		n->value = (const uint8_t *)text;
		n->length = (uint32_t)strlen(text);
	}
	if (v->leaves_out)
		node_remove(n, vars_is_test_identifier);
	for (struct node *c = n->first; c != NULL; c = c->next)
		TRY(fill(v, c, now, f));
out:
	return rc;
}

enum err
vars_fill(struct vars *v, struct arena *a, const struct node *request,
    int64_t now, struct node **out, struct fault *f)
{
	*out = node_copy(a, request);
	return fill(v, *out, now, f);
}
