#include "device/admin.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/fields.h"

#define KIND_NAME "admin"

/* Two lockouts, 26 hashes and the longest texts: some 16 KB. */
enum { VALUE_MAX_OCTETS = 65536, DAY_MS = 24 * 60 * 60 * 1000 };

static const char last_local[] =
    "the last local administrator of a device stays";
static const char last_high[] =
    "the last High Access Administrator of a device stays one";

void
admin_drop(struct admin *admin)
{
	mem_free(admin->full_name);
	mem_free(admin->description);
	*admin = (struct admin){.full_name = NULL};
}

/* ---- what can be entered ---- */

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
admin_name_is_valid(struct bytes name, const char **why)
{
	size_t k;

	*why = NULL;
	if (name.octets == 0)
		*why = "a username is needed";
	for (k = 0; k < name.octets; k++) {
		/* req: KS-15-041 KS-15-054 */
		if (!is_letter(name.at[k]) &&
		    !(name.at[k] >= '0' && name.at[k] <= '9'))
			*why = "letters and digits only";
	}
	/* req: KS-15-042 */
	if (*why == NULL && !is_letter(name.at[0]))
		*why = "must start with a letter";
	/* req: KS-15-043 */
	if (*why == NULL && name.octets > ADMIN_NAME_OCTETS)
		*why = "at most 30 characters";
	return *why == NULL;
}

static bool
text_is_valid(
    struct bytes text, size_t most, const char *too_long, const char **why)
{
	size_t k, characters = 0;

	*why = NULL;
	if (!bytes_is_utf8(text))
		*why = "must be UTF-8 text";
	for (k = 0; k < text.octets; k++) {
		if (text.at[k] < 0x20 || text.at[k] == 0x7f)
			*why = "must be one line of text";
		characters += (text.at[k] & 0xc0) != 0x80;
	}
	if (*why == NULL && characters > most)
		*why = too_long;
	return *why == NULL;
}

bool
admin_full_name_is_valid(struct bytes text, const char **why)
{
	return text_is_valid(
	    text, ADMIN_FULL_NAME_CHARACTERS, "at most 256 characters", why);
}

bool
admin_description_is_valid(struct bytes text, const char **why)
{
	return text_is_valid(
	    text, ADMIN_DESCRIPTION_CHARACTERS, "at most 2048 characters", why);
}

/* ---- the record ---- */

/* The numbers of a record, each of which is not negative. */
/* clang-format off */
static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{ "password-set",    offsetof(struct admin, password_ms) },
	{ "serial-failures", offsetof(struct admin, serial.failures) },
	{ "serial-until",    offsetof(struct admin, serial.until_ms) },
	{ "remote-failures", offsetof(struct admin, remote.failures) },
	{ "remote-until",    offsetof(struct admin, remote.until_ms) },
};
/* clang-format on */

enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static const char *const musts[] = {
    [ADMIN_MUST_NOT] = "not",
    [ADMIN_MUST_FIRST] = "first",
    [ADMIN_MUST_RESET] = "reset",
};

enum { MUSTS = sizeof(musts) / sizeof(musts[0]) };

static int64_t
number_of(const struct admin *admin, size_t k)
{
	int64_t number;

	memcpy(
	    &number, (const char *)admin + numbers[k].offset, sizeof(number));
	return number;
}

enum err
admin_encode(const struct admin *admin, struct buf *out)
{
	enum control control;
	size_t k;
	enum err rc = OK;

	assert((size_t)admin->must < MUSTS);
	assert(admin->history_count <= ADMIN_HISTORY_MOST);
	TRY(fields_put_text(out, "full-name", admin->full_name));
	TRY(fields_put_text(out, "description", admin->description));
	TRY(fields_put_number(out, "high", admin->high));
	TRY(fields_put_number(out, "ldap", admin->ldap));
	for (control = 0; control < CONTROL_COUNT; control++) {
		if ((admin->controls & CONTROL_BIT(control)) != 0)
			TRY(fields_put_text(
			    out, "control", control_row(control)->word));
	}
	TRY(fields_put_text(out, "must", musts[admin->must]));
	for (k = 0; k < NUMBERS; k++)
		TRY(fields_put_number(
		    out, numbers[k].name, number_of(admin, k)));
	TRY(fields_put_text(out, "password", admin->password.line));
	for (k = 0; k < admin->history_count; k++)
		TRY(fields_put_text(out, "history", admin->history[k].line));
out:
	return rc;
}

static enum err
read_text(struct bytes in, const char *name, char **out)
{
	struct bytes text = BYTES_NONE;
	enum err rc = OK;

	TRY(fields_find(in, name, &text));
	if (!bytes_is_utf8(text) ||
	    (text.octets != 0 && memchr(text.at, '\0', text.octets) != NULL))
		TRY(ERR_VALUE);
	TRY(mem_printf(out, "%.*s", (int)text.octets, (const char *)text.at));
out:
	return rc;
}

static enum err
read_switch(struct bytes in, const char *name, bool *out)
{
	int64_t number = 0;
	enum err rc = OK;

	TRY(fields_number(in, name, &number));
	if (number != 0 && number != 1)
		TRY(ERR_VALUE);
	*out = number == 1;
out:
	return rc;
}

static enum err
read_must(struct bytes in, enum admin_must *out)
{
	struct bytes word;
	size_t k;
	enum err rc = OK;

	TRY(fields_find(in, "must", &word));
	for (k = 0; k < MUSTS && !bytes_equal_text(word, musts[k]); k++)
		;
	if (k == MUSTS)
		TRY(ERR_VALUE);
	*out = (enum admin_must)k;
out:
	return rc;
}

static enum err
read_hash(struct bytes line, struct password_hash *out)
{
	if (line.octets >= sizeof(out->line))
		return ERR_VALUE;
	*out = (struct password_hash){.line = ""};
	memcpy(out->line, line.at, line.octets);
	/* a NUL in it would hide what follows */
	return strlen(out->line) == line.octets && password_hash_is_valid(out)
		   ? OK
		   : ERR_VALUE;
}

/* Controls and the history stand as often as there are some. What a newer
 * release has beyond ours is left out. */
static enum err
read_lists(struct bytes in, struct admin *out)
{
	struct field field;
	enum control control;
	enum err rc = OK;

	while ((rc = fields_next(&in, &field)) == OK) {
		if (bytes_equal_text(field.name, "control")) {
			if (control_find(field.value, &control))
				out->controls |= CONTROL_BIT(control);
		} else if (bytes_equal_text(field.name, "history") &&
			   out->history_count < ADMIN_HISTORY_MOST) {
			TRY(read_hash(
			    field.value, &out->history[out->history_count]));
			out->history_count++;
		}
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	return rc;
}

enum err
admin_decode(struct bytes name, struct bytes value, struct admin *out)
{
	struct bytes line;
	const char *why;
	int64_t number;
	size_t k;
	enum err rc = OK;

	*out = (struct admin){.full_name = NULL};
	if (!admin_name_is_valid(name, &why))
		TRY(ERR_VALUE);
	memcpy(out->name, name.at, name.octets);
	TRY(read_text(value, "full-name", &out->full_name));
	TRY(read_text(value, "description", &out->description));
	TRY(read_switch(value, "high", &out->high));
	TRY(read_switch(value, "ldap", &out->ldap));
	TRY(read_must(value, &out->must));
	for (k = 0; k < NUMBERS; k++) {
		number = 0;
		TRY(fields_number(value, numbers[k].name, &number));
		if (number < 0)
			TRY(ERR_VALUE);
		memcpy(
		    (char *)out + numbers[k].offset, &number, sizeof(number));
	}
	TRY(fields_find(value, "password", &line));
	if (!out->ldap || line.octets != 0)
		TRY(read_hash(line, &out->password));
	TRY(read_lists(value, out));
out:
	if (rc != OK)
		admin_drop(out);
	if (rc != OK && rc != ERR_NOMEM) {
		log_line("device", LOG_ERROR,
		    "the account of %.*s cannot be read: %s",
		    (int)(name.octets < ADMIN_NAME_OCTETS ? name.octets
							  : ADMIN_NAME_OCTETS),
		    (const char *)name.at,
		    err_text(rc == ERR_NOT_FOUND ? ERR_MISSING : rc));
		rc = ERR_STORE;
	}
	return rc;
}

enum err
admin_read(struct store *st, struct bytes name, struct admin *out)
{
	struct buf value;
	const char *why;
	enum err rc = OK;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	*out = (struct admin){.full_name = NULL};
	/* whatever somebody types: what no account is called, none is */
	if (!admin_name_is_valid(name, &why))
		TRY(ERR_NOT_FOUND);
	TRY(record_get(st, KIND_NAME, name, &value));
	TRY(admin_decode(name, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

struct walk {
	admin_fn *each;
	void *ctx;
};

static enum err
walk_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;
	struct admin admin;
	enum err rc = OK;

	TRY(admin_decode(key, value, &admin));
	rc = walk->each(walk->ctx, &admin);
	admin_drop(&admin);
out:
	return rc;
}

enum err
admin_each(struct store *st, admin_fn *each, void *ctx)
{
	struct walk walk = {each, ctx};

	return record_each(st, KIND_NAME, walk_one, &walk);
}

static enum err
count_one(void *ctx, const struct admin *admin)
{
	struct admin_count *count = ctx;

	count->local += !admin->ldap;
	count->high += admin->high;
	return OK;
}

enum err
admin_count(struct store *st, struct admin_count *out)
{
	*out = (struct admin_count){0};
	return admin_each(st, count_one, out);
}

/* May `was` become `is`, or, with NULL, be gone? */
static enum err
guard(struct store *st, const struct admin *was, const struct admin *is,
    const char **why)
{
	bool local_goes = !was->ldap && (is == NULL || is->ldap);
	bool high_goes = was->high && (is == NULL || !is->high);
	struct admin_count count;
	enum err rc = OK;

	if (!local_goes && !high_goes)
		return OK;
	TRY(admin_count(st, &count));
	if (local_goes && count.local == 1) {
		*why = last_local;
		TRY(ERR_DENIED);
	}
	if (high_goes && count.high == 1) {
		*why = last_high;
		TRY(ERR_DENIED);
	}
out:
	return rc;
}

enum err
admin_write(struct store *st, const struct admin *admin, const char **why)
{
	struct bytes name = bytes_of_text(admin->name);
	struct admin was;
	struct buf value;
	enum err rc = OK;

	*why = NULL;
	assert(admin_name_is_valid(name, why));
	buf_init(&value, VALUE_MAX_OCTETS);
	rc = admin_read(st, name, &was);
	if (rc == OK)
		rc = guard(st, &was, admin, why);
	else if (rc == ERR_NOT_FOUND)
		rc = OK;
	TRY(rc);
	TRY(admin_encode(admin, &value));
	TRY(record_put(st, KIND_NAME, name, buf_peek(&value)));
out:
	admin_drop(&was);
	buf_clear(&value);
	return rc;
}

enum err
admin_delete(struct store *st, struct bytes name, const char **why)
{
	struct admin was;
	enum err rc = OK;

	*why = NULL;
	TRY(admin_read(st, name, &was));
	TRY(guard(st, &was, NULL, why));
	TRY(record_delete(st, KIND_NAME, name));
out:
	admin_drop(&was);
	return rc;
}

/* ---- what an account may, and for how long its password is good ---- */

bool
admin_may(const struct admin *admin, enum act act)
{
	enum control needs = act_row(act)->needs;

	if (needs == NEEDS_NONE)
		return true;
	if (needs == NEEDS_HIGH)
		return admin->high;
	return (admin->controls & CONTROL_BIT(needs)) != 0;
}

int64_t
admin_expires_in_ms(
    const struct admin *admin, int64_t max_age_days, int64_t now_ms)
{
	int64_t most_ms = max_age_days * DAY_MS;
	int64_t age_ms;

	/* req: KS-17-012 KS-17-034 */
	if (max_age_days == 0 || admin->ldap)
		return INT64_MAX;
	/* req: KS-17-017 KS-17-047: by its own age, in elapsed time */
	age_ms = now_ms > admin->password_ms ? now_ms - admin->password_ms : 0;
	return age_ms < most_ms ? most_ms - age_ms : 0;
}
