/*
 * The settings: rows of settings.def, values in the store.
 *
 * A value is text, as it is typed and shown; each row's type reads it. Records
 * of the kind "setting", with the key "SECTION-WORDS/WORD", hold those that
 * are not at their default.
 *
 * Values are kept in memory as the store has them, the open group included,
 * and go back with it when it fails. Who has to follow a setting (a listener
 * its port) is told when it is durable, and not before.
 */
#ifndef DEVICE_SETTINGS_H
#define DEVICE_SETTINGS_H

#include "base/secret.h"
#include "device/act.h"
#include "device/backup_item.h"
#include "device/entry.h"
#include "store/record.h"

struct settings;

enum section {
#define SECTION(symbol, ...) symbol,
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
	SECTION_COUNT,
};

enum setting {
#define SECTION(...)
#define TEXT(symbol, ...)   symbol,
#define NUMBER(symbol, ...) symbol,
#define YESNO(symbol, ...)  symbol,
#define CHOICE(symbol, ...) symbol,
#define SECRET(symbol, ...) symbol,
#include "device/settings.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef YESNO
#undef CHOICE
#undef SECRET
	SETTING_COUNT,
};

enum {
	SETTING_VALUE_OCTETS = ENTRY_OCTETS,
	SETTING_WHY_OCTETS = ENTRY_WHY_OCTETS,
};

/*
 * Records without a row are left alone: a newer release may have written them.
 *
 * ERR_STORE  a stored value cannot be read by its row: the log says which
 */
enum err settings_new(struct store *st, struct settings **out) MUST_CHECK;
void settings_free(struct settings *settings); /* accepts NULL */

/* Borrowed until the next turn. For TEXT. */
const char *setting_text(const struct settings *settings, enum setting which);
/* NUMBER (0 for its zero word), CHOICE (place), YESNO (0 or 1). */
int64_t setting_number(const struct settings *settings, enum setting which);

/* Is the personality that of ESKM, and not KeySecure 6.2's? The one switch for
 * all that the two do otherwise. */
bool settings_are_eskm(const struct settings *settings);
/* As it is shown, whatever the type; a SECRET as "(set)" or nothing. Borrowed
 * until the next turn. */
const char *setting_shown(const struct settings *settings, enum setting which);

/*
 * A SECRET in the clear.
 *
 * ERR_NOT_FOUND  there is none
 * ERR_SEAL ...   it cannot be opened: see vault_open
 */
enum err setting_secret(struct settings *settings, enum setting which,
    struct secret **out) MUST_CHECK;

/* What seals them; both are borrowed. Without it there are none. */
void settings_use_vault(
    struct settings *settings, struct env *env, const char *vault);

/*
 * What would it be as a value of this row? `value` as typed becomes `out` as
 * kept: "never" becomes "Never", 07 becomes 7, 63 with step 5 becomes 60.
 *
 * ERR_FIELD    why: the field's name, the value, the rule
 * ERR_FEATURE  the row is not yet there: why says so
 */
enum err setting_check(enum setting which, struct bytes value,
    char out[SETTING_VALUE_OCTETS], char why[SETTING_WHY_OCTETS]) MUST_CHECK;

/*
 * In the apply of a change: check, and write. Rules over several settings, or
 * with what else there is (a number of administrators), are those of
 * `settings_judge`. *changed: it was another before.
 */
enum err setting_set(struct settings *settings, enum setting which,
    struct bytes value, bool *changed, char why[SETTING_WHY_OCTETS]) MUST_CHECK;

/*
 * Asked once at the end of an apply that has set something: a module that
 * knows better says no. ERR_FIELD with why.
 */
typedef enum err settings_judge_fn(
    void *ctx, struct settings *settings, char why[SETTING_WHY_OCTETS]);
typedef void settings_follow_fn(void *ctx, enum setting which);
struct settings_watch {
	settings_judge_fn *judge;   /* or NULL */
	settings_follow_fn *follow; /* or NULL: it is durable now */
	void *ctx;
	struct settings_watch *next;
};
void settings_watch(struct settings *settings, struct settings_watch *watch);
enum err settings_judge(
    struct settings *settings, char why[SETTING_WHY_OCTETS]) MUST_CHECK;

/* For who judges: is it to be another than what everybody was told last? */
bool setting_changes(const struct settings *settings, enum setting which);

/*
 * The group is durable: followers are told of what differs from what they were
 * told last. Or a change was undone: values are read anew, from what is left of
 * the group, and nobody is told. device/change.c calls it.
 */
void settings_settle(struct settings *settings, bool durable);

/* ---- the rows ---- */

struct section_row {
	const char *words;
	const char *title;
	enum act act;
	const char *page;
};
const struct section_row *section_row(enum section section);

enum setting_spread { LOCAL, REPLICATED };
enum setting_state { NOT_YET, DONE };
#define FIPS_NONE NULL

struct setting_row {
	enum section section;
	const char *word;
	const char *name;
	const char *initial;
	struct entry_rule rule;
	bool is_secret;
	enum setting_spread spread;
	enum backup_item item;
	const char *fips; /* the value that compliance needs; NULL: any */
	enum setting_state state;
	const char *clause;
};
const struct setting_row *setting_row(enum setting which);

/* By its word within a section; a beginning that only one has will do.
 * ERR_NOT_FOUND, ERR_COUNT: several begin so */
enum err setting_find(
    enum section section, struct bytes word, enum setting *out) MUST_CHECK;

/* By the key of its record; false: there is none, in this release. */
bool setting_of_record(struct bytes key, enum setting *out);

/* What can be put into it, for people: "1 to 365, or Never". Appended. */
enum err setting_rule(enum setting which, struct buf *out) MUST_CHECK;

/* All rows as a page of the manual (Markdown): docs/settings.md. Appended. */
enum err settings_manual(struct buf *out) MUST_CHECK;

#endif
