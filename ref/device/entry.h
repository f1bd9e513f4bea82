/*
 * What people enter into fields: read, checked, written as it is kept, and
 * refused in words. Settings are made of these; so is whatever asks for a
 * number or a name beside them.
 *
 * A value comes as typed, which may be any octets.
 */
#ifndef DEVICE_ENTRY_H
#define DEVICE_ENTRY_H

#include "base/buf.h"

enum { ENTRY_OCTETS = 1024, ENTRY_WHY_OCTETS = 512 };

enum entry_type { ENTRY_TEXT, ENTRY_NUMBER, ENTRY_YESNO, ENTRY_CHOICE };

enum entry_kind {
#define KIND(symbol, ...) symbol,
#include "device/entry_kind.def"
#undef KIND
	ENTRY_KIND_COUNT,
};

struct entry_rule {
	enum entry_type type;
	enum entry_kind kind; /* TEXT */
	/* NUMBER */
	int64_t least;
	int64_t most;
	int64_t step;     /* rounded down to a multiple of it; 1: any */
	const char *zero; /* the word for 0, "" where there is none */
	/* CHOICE: "a|b|c" */
	const char *choices;
};

/*
 * out     as it is kept: "never" becomes "Never", 07 becomes 7, and with step
 *         5 63 becomes 60; "y" becomes "yes", the beginning of a choice the
 *         choice, a long form of an address its short one
 * number  NUMBER: it, 0 for its word; YESNO: 1 or 0; CHOICE: its place; TEXT: 0
 *
 * ERR_FIELD  against the rule: tell it with entry_refuse
 */
enum err entry_read(const struct entry_rule *rule, struct bytes typed,
    char out[ENTRY_OCTETS], int64_t *number) MUST_CHECK;

/* YESNO as it is kept: "yes" or "no". */
const char *entry_yesno(bool yes);

/* What a text of that kind can be: "1 to 64 letters, ...". Static. */
const char *entry_kind_rule(enum entry_kind kind);

/* What can be entered: "1 to 365, or Never". Appended. */
enum err
entry_describe(const struct entry_rule *rule, struct buf *out) MUST_CHECK;

/*
 * "NAME: VALUE: TEXT", with the value made harmless: what is not printable
 * ASCII stands as \xHH, a backslash as \\, what is long is cut.
 */
void entry_refuse(const char *name, struct bytes typed, const char *text,
    char why[ENTRY_WHY_OCTETS]);

/* entry_read, with entry_refuse and the rule. ERR_FIELD: why; ERR_NOMEM */
enum err entry_take(const char *name, const struct entry_rule *rule,
    struct bytes typed, char out[ENTRY_OCTETS], int64_t *number,
    char why[ENTRY_WHY_OCTETS]) MUST_CHECK;

#endif
