#include "target.h"

#include "file.h"
#include "nae_case.h"
#include "schema.h"
#include "tls.h"
#include "touchstone_tags.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum key_kind { KIND_TEXT, KIND_PATH, KIND_NUMBER, KIND_BOOL, KIND_WORDS };

/* What a section of the table fills. */
#define OWNER_target   struct target
#define OWNER_claims   struct target
#define OWNER_nae      struct target
#define OWNER_identity struct identity
#define OWNER_user     struct user

static const struct key {
	const char *section, *name;
	enum key_kind kind;
	size_t offset; /* in what the section fills */
} keys[] = {
#define KEY(section, name, kind, member, meaning) \
	{#section, name, KIND_##kind, offsetof(OWNER_##section, member)},
#include "target.def"
#undef KEY
};

static const char *const features[] = {
#define FEATURE(word, meaning) word,
#include "feature.def"
#undef FEATURE
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

struct reader {
	struct arena *a;
	const char *path;
	unsigned line;
	unsigned includes; /* how deep */
	struct buf *all;   /* every file's text, for the digest */
	const char *section;
	void *owner; /* what the section's keys fill */
	struct target *t;
	struct fault *f;
};

static enum err
refuse(struct reader *r, enum err rc, const char *what, const char *word)
{
	return fault_say(
	    r->f, rc, "%s:%u: %s `%s`", r->path, r->line, what, word);
}

/* A relative path starts where the target file is. */
static const char *
beside(struct reader *r, const char *path)
{
	const char *slash = strrchr(r->path, '/');

	if (path[0] == '/' || slash == NULL)
		return path;
	return arena_printf(
	    r->a, "%.*s/%s", (int)(slash - r->path), r->path, path);
}

static bool
is_section(const char *word)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(keys[i].section, word) == 0)
			return true;
	return strcmp(word, "rules") == 0;
}

/* [identity A], [user A]: the one of that name, perhaps a new one. */
static enum err
open_named(struct reader *r, const char *name)
{
	struct target *t = r->t;
	bool is_user = strcmp(r->section, "user") == 0;
	unsigned count = is_user ? t->user_count : t->identity_count;

	for (unsigned i = 0; i < count; i++) {
		r->owner =
		    is_user ? (void *)&t->users[i] : (void *)&t->identities[i];
		if (strcmp(*(const char **)r->owner, name) == 0)
			return OK;
	}
	if (*name == 0 ||
	    count == (is_user ? TARGET_MAX_USERS : TARGET_MAX_IDENTITIES))
		return refuse(r, ERR_SYNTAX,
		    "an identity or user without a name, or one too many",
		    name);
	r->owner = is_user ? (void *)&t->users[t->user_count++]
			   : (void *)&t->identities[t->identity_count++];
	*(const char **)r->owner = name;
	return OK;
}

_Static_assert(
    offsetof(struct identity, name) == 0 && offsetof(struct user, name) == 0,
    "open_named() takes the first member for the name");

static enum err
open_section(struct reader *r, char *line)
{
	char *name = NULL;

	line[strcspn(line, "]")] = 0;
	r->section = strtok_r(line + 1, " \t", &name);
	name = text_trim(r->a, name == NULL ? "" : name);
	r->owner = r->t;
	if (r->section == NULL)
		r->section = "";
	if (strcmp(r->section, "identity") == 0 ||
	    strcmp(r->section, "user") == 0)
		return open_named(r, name);
	if (!is_section(r->section) || *name != 0)
		return refuse(r, ERR_SYNTAX, "no section", r->section);
	return OK;
}

static enum err
set_rule(struct reader *r, const char *name, const char *value)
{
	enum rule rule;

	if (!rule_of_name(name, &rule))
		return refuse(r, ERR_SYNTAX, "no rule", name);
	if (strcmp(value, "off") == 0)
		r->t->rules.off |= (uint64_t)1 << rule;
	else if (strcmp(value, "on") == 0)
		r->t->rules.off &= ~((uint64_t)1 << rule);
	else
		return refuse(r, ERR_SYNTAX, "neither on nor off", value);
	return OK;
}

static enum err
set_key(struct reader *r, const char *name, const char *value)
{
	const struct key *k = NULL;
	void *member;
	char *end;

	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(keys[i].section, r->section) == 0 &&
		    strcmp(keys[i].name, name) == 0)
			k = &keys[i];
	if (k == NULL)
		return refuse(r, ERR_SYNTAX, "no key", name);
	member = (char *)r->owner + k->offset;
	switch (k->kind) {
	case KIND_TEXT:
		*(const char **)member = value;
		break;
	case KIND_PATH:
		*(const char **)member = beside(r, value);
		break;
	case KIND_WORDS:
		*(struct words *)member = (struct words){0};
		words_split(r->a, member, value);
		break;
	case KIND_BOOL:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return refuse(
			    r, ERR_SYNTAX, "neither yes nor no", value);
		*(bool *)member = value[0] == 'y';
		break;
	case KIND_NUMBER:
		errno = 0;
		*(int64_t *)member = strtoll(value, &end, 10);
		if (errno != 0 || end == value || *end != 0 ||
		    *(int64_t *)member < 0 || *(int64_t *)member > INT32_MAX)
			return refuse(r, ERR_RANGE, "not a number here", value);
		break;
	}
	return OK;
}

static enum err read_text(struct reader *r, struct bytes text);

/* Another file's lines, as if they stood here. */
static enum err
include(struct reader *r, const char *path)
{
	struct reader inner = *r;
	struct buf text = {0};
	enum err rc = OK;

	if (r->includes == TARGET_MAX_INCLUDES)
		return refuse(r, ERR_LIMIT, "files include one another:", path);
	inner.path = path;
	inner.includes++;
	TRY(file_read(path, TARGET_MAX_OCTETS, &text, r->f));
	TRY(read_text(&inner, buf_peek(&text)));
out:
	buf_clear(&text);
	return rc;
}

static enum err
read_line(struct reader *r, char *line)
{
	char *value;

	if (line[0] == '[')
		return open_section(r, line);
	value = strchr(line, '=');
	if (value == NULL)
		return refuse(
		    r, ERR_SYNTAX, "neither [section] nor key = value:", line);
	*value++ = 0;
	line = text_trim(r->a, line);
	value = text_trim(r->a, value);
	if (r->section == NULL && strcmp(line, "include") == 0)
		return include(r, beside(r, value));
	if (r->section == NULL)
		return refuse(r, ERR_SYNTAX, "outside a section:", line);
	if (strcmp(r->section, "rules") == 0)
		return set_rule(r, line, value);
	return set_key(r, line, value);
}

/* Each word means something: a mistyped claim selects nothing, quietly. */
static enum err
check_words(const struct target *t, struct fault *f)
{
	const char *bad = NULL, *what = "";

	for (size_t i = 0; i < t->versions.count; i++)
		if (version_parse(t->versions.at[i]) == VERSION_NONE) {
			bad = t->versions.at[i];
			what = "version";
		}
	for (size_t i = 0; i < t->operations.count; i++)
		if (schema_value_by_xml(TAG_OPERATION, t->operations.at[i]) ==
		    NULL) {
			bad = t->operations.at[i];
			what = "operation";
		}
	for (size_t i = 0; i < t->objects.count; i++)
		if (schema_value_by_xml(TAG_OBJECT_TYPE, t->objects.at[i]) ==
		    NULL) {
			bad = t->objects.at[i];
			what = "object type";
		}
	for (size_t i = 0; i < t->features.count; i++) {
		bool known = false;

		for (size_t k = 0; k < COUNT(features); k++)
			known |= strcmp(features[k], t->features.at[i]) == 0;
		if (!known) {
			bad = t->features.at[i];
			what = "feature";
		}
	}
	for (size_t i = 0; i < t->nae_requests.count; i++)
		if (!nae_is_request(t->nae_requests.at[i])) {
			bad = t->nae_requests.at[i];
			what = "request";
		}
	for (size_t i = 0; i < t->nae_algorithms.count; i++)
		if (!nae_is_algorithm(t->nae_algorithms.at[i])) {
			bad = t->nae_algorithms.at[i];
			what = "algorithm";
		}
	if (bad != NULL)
		return fault_say(
		    f, ERR_SYNTAX, "%s: no %s `%s`", t->path, what, bad);
	return OK;
}

static bool
is_port(int64_t port)
{
	return port >= 1 && port <= 65535;
}

/* What a KMIP server needs, or NULL. */
static const char *
kmip_lacks(const struct target *t)
{
	if (t->host == NULL)
		return "host";
	if (t->identity_count == 0)
		return "[identity A]";
	if (t->versions.count == 0)
		return "versions";
	if (t->operations.count == 0)
		return "operations";
	return NULL;
}

/* What an NAE-XML server needs, or NULL. */
static const char *
nae_lacks(const struct target *t)
{
	if (t->nae_host == NULL)
		return "host";
	if (t->nae_versions.count == 0)
		return "nae-versions";
	if (t->nae_requests.count == 0)
		return "nae-requests";
	if (t->nae_tls && target_identity(t, t->nae_identity) == NULL)
		return "the identity of [nae]";
	for (unsigned i = 0; i < t->user_count; i++) {
		const struct user *u = &t->users[i];

		if (u->user == NULL || u->password == NULL)
			return "user or password of a [user]";
		if (u->identity != NULL &&
		    target_identity(t, u->identity) == NULL)
			return "the identity of a [user]";
	}
	return NULL;
}

static enum err
check_target(const struct target *t, struct fault *f)
{
	const char *lacks = NULL;

	if ((t->port != 0 || t->nae_port == 0) && t->host != NULL &&
	    !is_port(t->port))
		return fault_say(
		    f, ERR_RANGE, "%s: port takes 1 to 65535", t->path);
	if (t->nae_port != 0 && !is_port(t->nae_port))
		return fault_say(
		    f, ERR_RANGE, "%s: [nae] port takes 1 to 65535", t->path);
	if (t->port != 0 || t->nae_port == 0)
		lacks = kmip_lacks(t);
	if (lacks == NULL && t->nae_port != 0)
		lacks = nae_lacks(t);
	if (lacks == NULL && t->families.count == 0)
		lacks = "families";
	for (unsigned i = 0; i < t->identity_count; i++)
		if (t->identities[i].certificate == NULL ||
		    t->identities[i].key == NULL || t->identities[i].ca == NULL)
			lacks = "certificate, key or ca of an identity";
	if (lacks != NULL)
		return fault_say(
		    f, ERR_MISSING, "%s: %s is not there", t->path, lacks);
	return check_words(t, f);
}

static enum err
read_text(struct reader *r, struct bytes text)
{
	char *rest = (char *)arena_copy(r->a, text), *line, *whole = NULL;
	unsigned whole_line = 0;
	enum err rc = OK;

	buf_put(r->all, text);
	if (strlen(rest) != text.octets)
		return fault_say(r->f, ERR_SYNTAX, "%s: a NUL octet", r->path);
	for (unsigned n = 1;; n++) {
		line = strsep(&rest, "\n");
		if (line != NULL) {
			line[strcspn(line, "#")] = 0;
			if (whole != NULL && (*line == ' ' || *line == '\t')) {
				whole = arena_printf(r->a, "%s %s", whole,
				    text_trim(r->a, line));
				continue;
			}
		}
		r->line = whole_line;
		if (whole != NULL)
			TRY(read_line(r, whole));
		if (line == NULL)
			break;
		whole = text_trim(r->a, line);
		whole = *whole == 0 ? NULL : whole;
		whole_line = n;
	}
out:
	return rc;
}

enum err
target_parse(struct arena *a, const char *path, struct bytes text,
    struct target *out, struct fault *f)
{
	struct buf all = {0};
	struct reader r = {.a = a, .path = path, .all = &all, .t = out, .f = f};
	enum err rc = OK;

	*out = (struct target){.path = path,
	    .name = path,
	    .connect_timeout_ms = 10000,
	    .answer_timeout_ms = 10000,
	    .poll_timeout_ms = 30000,
	    .poll_every_ms = 200,
	    .now_tolerance_s = 60,
	    .test_identifiers = true,
	    .nae_identity = "A"};
	TRY(read_text(&r, text));
	out->sha256 = tls_sha256(a, buf_peek(&all));
	if (out->nae_host == NULL)
		out->nae_host = out->host;
	TRY(check_target(out, f));
out:
	buf_clear(&all);
	return rc;
}

enum err
target_read(
    struct arena *a, const char *path, struct target *out, struct fault *f)
{
	struct buf text = {0};
	enum err rc = OK;

	TRY(file_read(path, TARGET_MAX_OCTETS, &text, f));
	TRY(target_parse(a, arena_strdup(a, path), buf_peek(&text), out, f));
out:
	buf_clear(&text);
	return rc;
}

const struct identity *
target_identity(const struct target *t, const char *name)
{
	for (unsigned i = 0; i < t->identity_count; i++)
		if (strcmp(t->identities[i].name, name) == 0)
			return &t->identities[i];
	return NULL;
}

const struct user *
target_user(const struct target *t, const char *name)
{
	for (unsigned i = 0; i < t->user_count; i++)
		if (strcmp(t->users[i].name, name) == 0)
			return &t->users[i];
	return NULL;
}

bool
target_claims_version(const struct target *t, unsigned version)
{
	return words_have(&t->versions, version_name(version));
}

bool
target_claims_operation(const struct target *t, uint32_t operation)
{
	const struct value_row *row = schema_value(TAG_OPERATION, operation);

	return row != NULL && words_have(&t->operations, row->xml);
}

bool
target_claims_object(const struct target *t, uint32_t object_type)
{
	const struct value_row *row =
	    schema_value(TAG_OBJECT_TYPE, object_type);

	return row != NULL && words_have(&t->objects, row->xml);
}

bool
target_claims_family(const struct target *t, const char *family)
{
	bool claimed = false;

	for (size_t i = 0; i < t->families.count; i++) {
		const char *glob = t->families.at[i];
		bool without = glob[0] == '!';

		if (text_matches(glob + without, family))
			claimed = !without;
	}
	return claimed;
}

bool
target_claims_feature(const struct target *t, const char *feature)
{
	return words_have(&t->features, feature);
}
