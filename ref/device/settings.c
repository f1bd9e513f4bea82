#include "device/settings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/vault.h"
#include "device/fields.h"

#define KIND_NAME    "setting"
#define KIND_SECRET  "setting.secret"
#define FIELD_SECRET "sealed"
/* of a secret that there is */
#define SHOWN_SECRET "(set)"

enum { KEY_OCTETS = 80 };

static const struct section_row sections[] = {
#define SECTION(symbol, words, title, act, page) \
	[symbol] = {words, title, act, page},
#define TEXT(...)
#define NUMBER(...)
#define YESNO(...)
#define CHOICE(...)
#define SECRET(...)
#include "device/settings.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef YESNO
#undef CHOICE
#undef SECRET
};

#define ROW(symbol, section, word, name, initial, rule, ...) \
	[symbol] = {section, word, name, initial, rule, false, __VA_ARGS__},
#define RULE(...)                   \
	{                           \
		.type = __VA_ARGS__ \
	}
static const struct setting_row rows[] = {
#define SECTION(...)
#define TEXT(symbol, section, word, name, initial, text_kind, ...) \
	ROW(symbol, section, word, name, initial,                  \
	    RULE(ENTRY_TEXT, .kind = (text_kind)), __VA_ARGS__)
#define NUMBER(symbol, section, word, name, initial, lo, hi, by, none, ...) \
	ROW(symbol, section, word, name, initial,                           \
	    RULE(ENTRY_NUMBER, .least = (lo), .most = (hi), .step = (by),   \
		.zero = (none)),                                            \
	    __VA_ARGS__)
#define YESNO(symbol, section, word, name, initial, ...)             \
	ROW(symbol, section, word, name, initial, RULE(ENTRY_YESNO), \
	    __VA_ARGS__)
#define CHOICE(symbol, section, word, name, initial, words, ...) \
	ROW(symbol, section, word, name, initial,                \
	    RULE(ENTRY_CHOICE, .choices = (words)), __VA_ARGS__)
#define SECRET(symbol, section, word, name, text_kind, ...) \
	[symbol] = {section, word, name, "",                \
	    RULE(ENTRY_TEXT, .kind = (text_kind)), true, __VA_ARGS__},
#include "device/settings.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef YESNO
#undef CHOICE
#undef SECRET
};
#undef ROW
#undef RULE

#define IN_A_BACKUP(symbol, item, ...)                \
	_Static_assert((int)(item) < (int)ITEM_COUNT, \
	    #symbol ": no backup would have it");
#define SECTION(...)
#define TEXT(symbol, section, word, name, initial, kind, spread, ...) \
	IN_A_BACKUP(symbol, __VA_ARGS__)
#define NUMBER(                                                          \
    symbol, section, word, name, initial, lo, hi, by, none, spread, ...) \
	IN_A_BACKUP(symbol, __VA_ARGS__)
#define YESNO(symbol, section, word, name, initial, spread, ...) \
	IN_A_BACKUP(symbol, __VA_ARGS__)
#define CHOICE(symbol, section, word, name, initial, words, spread, ...) \
	IN_A_BACKUP(symbol, __VA_ARGS__)
#define SECRET(symbol, section, word, name, kind, spread, ...) \
	IN_A_BACKUP(symbol, __VA_ARGS__)
#include "device/settings.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef YESNO
#undef CHOICE
#undef SECRET
#undef IN_A_BACKUP

struct value {
	char shown[SETTING_VALUE_OCTETS];
	int64_t number;
	char told[SETTING_VALUE_OCTETS]; /* what followers know */
	uint64_t group;                  /* that has it, by store_groups */
};

struct settings {
	struct store *st;
	struct env *env;   /* with vault */
	const char *vault; /* NULL: no secrets */
	struct settings_watch *watches;
	struct value values[SETTING_COUNT];
};

const struct section_row *
section_row(enum section section)
{
	return &sections[section];
}

const struct setting_row *
setting_row(enum setting which)
{
	return &rows[which];
}

/* "password-settings/length"; the end of the name is not in the key */
static struct bytes
key_of(enum setting which, char key[KEY_OCTETS])
{
	const struct setting_row *row = &rows[which];
	char *at;

	(void)snprintf(
	    key, KEY_OCTETS, "%s/%s", sections[row->section].words, row->word);
	for (at = key; *at != '\0'; at++)
		if (*at == ' ')
			*at = '-';
	return bytes_of_text(key);
}

/* ---- what the store has ---- */

bool
setting_of_record(struct bytes key, enum setting *out)
{
	char own[KEY_OCTETS];
	unsigned k;

	for (k = 0; k < SETTING_COUNT; k++) {
		if (bytes_equal(key, key_of((enum setting)k, own))) {
			*out = (enum setting)k;
			return true;
		}
	}
	return false;
}

static enum err
read_record(void *ctx, struct bytes key, struct bytes value)
{
	struct settings *settings = ctx;
	enum setting which = SETTING_COUNT;
	struct value *v;
	enum err rc = OK;

	if (!setting_of_record(key, &which)) {
		log_line("device", LOG_WARN,
		    "a setting that this release does not know: %.*s",
		    (int)key.octets, (const char *)key.at);
		return OK;
	}
	if (rows[which].is_secret) /* it says nothing in the clear */
		return ERR_STORE;
	v = &settings->values[which];
	rc = entry_read(&rows[which].rule, value, v->shown, &v->number);
	if (rc != OK) {
		log_line("device", LOG_ERROR, "setting %.*s cannot be read",
		    (int)key.octets, (const char *)key.at);
		rc = ERR_STORE;
	}
	return rc;
}

static enum err
read_secret(void *ctx, struct bytes key, struct bytes value)
{
	struct settings *settings = ctx;
	enum setting which = SETTING_COUNT;

	(void)value;
	if (setting_of_record(key, &which) && rows[which].is_secret)
		(void)strcpy(settings->values[which].shown, SHOWN_SECRET);
	return OK;
}

/* What its row has read once already, or is its default. */
static void
put_back(struct settings *settings, enum setting which, const char *text)
{
	struct value *v = &settings->values[which];
	enum err rc = OK;

	if (rows[which].is_secret)
		(void)strcpy(v->shown, text);
	else
		rc = entry_read(&rows[which].rule, bytes_of_text(text),
		    v->shown, &v->number);
	assert(rc == OK); /* the tests walk the defaults */
	(void)rc;
}

static enum err
read_all(struct settings *settings)
{
	unsigned k;
	enum err rc = OK;

	for (k = 0; k < SETTING_COUNT; k++)
		put_back(settings, (enum setting)k, rows[k].initial);
	TRY(record_each(settings->st, KIND_NAME, read_record, settings));
	rc = record_each(settings->st, KIND_SECRET, read_secret, settings);
out:
	return rc;
}

/*
 * After an undo. A store that cannot be read leaves what was durable when it
 * last spoke, and not the defaults, which may be weaker.
 */
static void
read_anew(struct settings *settings)
{
	enum err rc = read_all(settings);
	unsigned k;

	if (rc == OK)
		return;
	log_line("device", LOG_ERROR, "settings cannot be read anew: %s",
	    err_text(rc));
	for (k = 0; k < SETTING_COUNT; k++)
		put_back(settings, (enum setting)k, settings->values[k].told);
}

enum err
settings_new(struct store *st, struct settings **out)
{
	struct settings *settings = NULL;
	enum err rc = OK;
	unsigned k;

	*out = NULL;
	TRY(MEM_NEW(settings));
	settings->st = st;
	TRY(read_all(settings));
	for (k = 0; k < SETTING_COUNT; k++)
		(void)strcpy(
		    settings->values[k].told, settings->values[k].shown);
	*out = settings;
	settings = NULL;
out:
	settings_free(settings);
	return rc;
}

void
settings_free(struct settings *settings)
{
	mem_free(settings);
}

/* ---- values ---- */

const char *
setting_text(const struct settings *settings, enum setting which)
{
	assert(rows[which].rule.type == ENTRY_TEXT);
	return settings->values[which].shown;
}

bool
settings_are_eskm(const struct settings *settings)
{
	return strcmp(setting_shown(settings, SETTING_PERSONALITY), "eskm") ==
	       0;
}

int64_t
setting_number(const struct settings *settings, enum setting which)
{
	assert(rows[which].rule.type != ENTRY_TEXT);
	return settings->values[which].number;
}

const char *
setting_shown(const struct settings *settings, enum setting which)
{
	return settings->values[which].shown;
}

static enum err
check(enum setting which, struct bytes typed, char out[SETTING_VALUE_OCTETS],
    int64_t *number, char why[SETTING_WHY_OCTETS])
{
	const struct setting_row *row = &rows[which];
	enum err rc;

	if (row->state == NOT_YET) {
		(void)snprintf(why, SETTING_WHY_OCTETS,
		    "%s is not available on this device yet", row->name);
		return ERR_FEATURE;
	}
	if (!row->is_secret)
		return entry_take(
		    row->name, &row->rule, typed, out, number, why);
	rc = entry_read(&row->rule, typed, out, number);
	if (rc == ERR_FIELD)
		(void)snprintf(why, SETTING_WHY_OCTETS, "%s: %s", row->name,
		    entry_kind_rule(row->rule.kind));
	return rc;
}

enum err
setting_check(enum setting which, struct bytes value,
    char out[SETTING_VALUE_OCTETS], char why[SETTING_WHY_OCTETS])
{
	int64_t number;

	return check(which, value, out, &number, why);
}

/* ---- secrets ---- */

void
settings_use_vault(
    struct settings *settings, struct env *env, const char *vault)
{
	settings->env = env;
	settings->vault = vault;
}

/* Under what it is sealed: a value cannot be put into another's place. */
static struct bytes
seal_name(enum setting which, char name[KEY_OCTETS + sizeof(KIND_SECRET)])
{
	size_t used = strlen(KIND_SECRET);

	memcpy(name, KIND_SECRET "/", used + 1);
	return key_of(which, name + used + 1);
}

static enum err
write_secret(struct settings *settings, enum setting which, struct bytes value)
{
	char name[KEY_OCTETS + sizeof(KIND_SECRET)];
	struct bytes key = seal_name(which, name);
	struct buf sealed;
	struct buf record;
	enum err rc = OK;

	buf_init(&sealed, SETTING_VALUE_OCTETS);
	buf_init(&record, SETTING_VALUE_OCTETS);
	if (value.octets == 0) {
		rc = record_delete(settings->st, KIND_SECRET, key);
		rc = rc == ERR_NOT_FOUND ? OK : rc;
		goto out;
	}
	if (settings->vault == NULL)
		TRY(ERR_FEATURE);
	TRY(vault_seal(settings->env, settings->vault, name, value, &sealed));
	TRY(fields_put(&record, FIELD_SECRET, buf_peek(&sealed)));
	rc = record_put(settings->st, KIND_SECRET, key, buf_peek(&record));
out:
	buf_clear(&record);
	buf_clear(&sealed);
	return rc;
}

enum err
setting_secret(
    struct settings *settings, enum setting which, struct secret **out)
{
	char name[KEY_OCTETS + sizeof(KIND_SECRET)];
	struct bytes key = seal_name(which, name);
	struct bytes sealed;
	struct buf record;
	enum err rc = OK;

	*out = NULL;
	buf_init(&record, SETTING_VALUE_OCTETS);
	if (settings->vault == NULL)
		TRY(ERR_NOT_FOUND);
	TRY(record_get(settings->st, KIND_SECRET, key, &record));
	TRY(fields_find(buf_peek(&record), FIELD_SECRET, &sealed));
	rc = vault_open(settings->vault, name, sealed, out);
out:
	buf_clear(&record);
	return rc;
}

static enum err
write_record(struct settings *settings, enum setting which, const char *value)
{
	char room[KEY_OCTETS];
	struct bytes key = key_of(which, room);
	enum err rc;

	if (strcmp(value, rows[which].initial) != 0)
		return record_put(
		    settings->st, KIND_NAME, key, bytes_of_text(value));
	rc = record_delete(settings->st, KIND_NAME, key);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

enum err
setting_set(struct settings *settings, enum setting which, struct bytes value,
    bool *changed, char why[SETTING_WHY_OCTETS])
{
	struct value *v = &settings->values[which];
	char text[SETTING_VALUE_OCTETS];
	int64_t number;
	enum err rc = OK;

	*changed = false;
	TRY(check(which, value, text, &number, why));
	if (rows[which].is_secret) {
		if (*text == '\0' && *v->shown == '\0')
			goto out;
		TRY(write_secret(settings, which, bytes_of_text(text)));
		(void)strcpy(text, *text != '\0' ? SHOWN_SECRET : "");
	} else {
		if (strcmp(text, v->shown) == 0)
			goto out;
		TRY(write_record(settings, which, text));
	}
	(void)strcpy(v->shown, text);
	v->number = number;
	v->group = store_groups(settings->st) + 1;
	*changed = true;
out:
	secret_wipe(text, sizeof(text));
	return rc;
}

/* ---- those who care ---- */

void
settings_watch(struct settings *settings, struct settings_watch *watch)
{
	watch->next = settings->watches;
	settings->watches = watch;
}

enum err
settings_judge(struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	struct settings_watch *watch;
	enum err rc = OK;

	for (watch = settings->watches; watch != NULL; watch = watch->next)
		if (watch->judge != NULL)
			TRY(watch->judge(watch->ctx, settings, why));
out:
	return rc;
}

bool
setting_changes(const struct settings *settings, enum setting which)
{
	const struct value *v = &settings->values[which];

	return strcmp(v->shown, v->told) != 0;
}

static void
tell(struct settings *settings, enum setting which)
{
	struct value *v = &settings->values[which];
	struct settings_watch *watch;

	(void)strcpy(v->told, v->shown);
	for (watch = settings->watches; watch != NULL; watch = watch->next)
		if (watch->follow != NULL)
			watch->follow(watch->ctx, which);
}

void
settings_settle(struct settings *settings, bool durable)
{
	uint64_t groups = store_groups(settings->st);
	unsigned k;

	if (!durable) {
		read_anew(settings);
		return;
	}
	for (k = 0; k < SETTING_COUNT; k++) {
		const struct value *v = &settings->values[k];

		/* what the next group has is told with that */
		if (v->group <= groups &&
		    setting_changes(settings, (enum setting)k))
			tell(settings, (enum setting)k);
	}
}

/* ---- words and pages ---- */

enum err
setting_find(enum section section, struct bytes word, enum setting *out)
{
	unsigned beginnings = 0;
	unsigned k;

	if (word.octets == 0)
		return ERR_NOT_FOUND;
	for (k = 0; k < SETTING_COUNT; k++) {
		const char *own = rows[k].word;

		if (rows[k].section != section || word.octets > strlen(own) ||
		    memcmp(own, word.at, word.octets) != 0)
			continue;
		*out = (enum setting)k;
		if (word.octets == strlen(own))
			return OK;
		beginnings++;
	}
	if (beginnings == 0)
		return ERR_NOT_FOUND;
	return beginnings == 1 ? OK : ERR_COUNT;
}

enum err
setting_rule(enum setting which, struct buf *out)
{
	return entry_describe(&rows[which].rule, out);
}

static enum err
manual_row(enum setting which, struct buf *out)
{
	const struct setting_row *row = &rows[which];
	enum err rc = OK;

	TRY(buf_printf(out, "| `%s` | %s | ", row->word, row->name));
	TRY(setting_rule(which, out));
	TRY(buf_printf(out, " | %s | %s | %s | %s | %s%s |\n",
	    *row->initial != '\0' ? row->initial : "(empty)",
	    row->spread == REPLICATED ? "yes" : "no",
	    backup_item_row(row->item)->word,
	    row->fips != FIPS_NONE ? row->fips : "any", row->clause,
	    row->state == NOT_YET ? ", not yet" : ""));
out:
	return rc;
}

static enum err
manual_section(enum section section, struct buf *out)
{
	const struct section_row *row = &sections[section];
	enum control needs = act_row(row->act)->needs;
	enum err rc = OK;
	unsigned k;

	TRY(buf_printf(out,
	    "\n## %s\n\n"
	    "`show %s`, `edit %s`; console page: %s; access control: %s\n\n"
	    "| word | field | value | default | replicated | backup | "
	    "FIPS compliant | clause |\n"
	    "|---|---|---|---|---|---|---|---|\n",
	    row->title, row->words, row->words, row->page,
	    needs == NEEDS_HIGH ? "High Access Administrator"
				: control_row(needs)->name));
	for (k = 0; k < SETTING_COUNT; k++)
		if (rows[k].section == section)
			TRY(manual_row((enum setting)k, out));
out:
	return rc;
}

enum err
settings_manual(struct buf *out)
{
	enum err rc = OK;
	unsigned k;

	TRY(buf_put_text(out,
	    "# Settings\n"
	    "\n"
	    "Made by `touchstone-ref --print-settings` from "
	    "ref/device/settings.def;\n"
	    "a test holds this page equal to it.\n"
	    "\n"
	    "`edit SECTION` asks for each field; `edit SECTION WORD VALUE` "
	    "sets one. A row that\n"
	    "is \"not yet\" is shown, and refused on edit.\n"));
	for (k = 0; k < SECTION_COUNT; k++)
		TRY(manual_section((enum section)k, out));
out:
	return rc;
}
