/*
 * Administrators' accounts: records of the kind "admin".
 *
 * Nothing is kept in memory: an account is read where it is needed, so that
 * what a group wrote is seen, and what it undid is not. The functions that
 * write are called by the `apply` of a struct change (device/change.h), which
 * has asked who may; they keep the rules that hold whoever asks.
 *
 * Stamps are elapsed time: neither an administrator nor NTP moves it.
 *
 * req: KS-17-018 KS-17-021 ESKM-183 ESKM-185
 */
#ifndef DEVICE_ADMIN_H
#define DEVICE_ADMIN_H

#include "device/lockout.h"
#include "device/act.h"
#include "device/password.h"
#include "device/principal.h"
#include "store/record.h"

enum {
	ADMIN_FULL_NAME_CHARACTERS = 256,    /* req: KS-15-056 */
	ADMIN_DESCRIPTION_CHARACTERS = 2048, /* req: KS-15-057 */
	ADMIN_HISTORY_MOST = 25,             /* req: KS-17-051 */
};

/* Why a password has to be changed before anything else is done. */
enum admin_must {
	ADMIN_MUST_NOT,
	ADMIN_MUST_FIRST,   /* the one that the account was made with */
	ADMIN_MUST_RESET,   /* somebody else has set it */
	ADMIN_MUST_EXPIRED, /* never stored: told by the age */
};

struct admin {
	char name[ADMIN_NAME_OCTETS + 1];
	char *full_name; /* on the heap, both; never NULL */
	char *description;
	bool high;         /* High Access Administrator */
	bool ldap;         /* its password is not here */
	uint32_t controls; /* bits: CONTROL_BIT(CONTROL_...) */
	enum admin_must must;
	int64_t password_ms; /* when this password was set; elapsed */
	struct password_hash password;
	struct lockout serial, remote;
	/* of own choice, newest first, while the history is on */
	struct password_hash history[ADMIN_HISTORY_MOST];
	size_t history_count;
};

void admin_drop(struct admin *admin); /* what it has on the heap */

/*
 * Can it be entered? why: the rule that it breaks, to stand behind the field's
 * name and the value.
 *
 * A name is letters (a to z) and digits, a letter first; the texts are UTF-8
 * of one line.
 */
bool admin_name_is_valid(struct bytes name, const char **why);
bool admin_full_name_is_valid(struct bytes text, const char **why);
bool admin_description_is_valid(struct bytes text, const char **why);

/*
 * On failure there is nothing in `out` to be dropped.
 *
 * ERR_NOT_FOUND
 * ERR_STORE      the record cannot be read; the log says whose
 */
enum err
admin_read(struct store *st, struct bytes name, struct admin *out) MUST_CHECK;

/* In the order of names; what `each` is shown is gone afterwards. It must not
 * write. */
typedef enum err admin_fn(void *ctx, const struct admin *admin);
enum err admin_each(struct store *st, admin_fn *each, void *ctx) MUST_CHECK;

/*
 * In place of what is there of that name; the account is made when there is
 * none. Name and texts are valid.
 *
 * ERR_DENIED  it would take High Access from the last one that has it, or make
 *             the last local one no local one: *why says which
 */
enum err admin_write(
    struct store *st, const struct admin *admin, const char **why) MUST_CHECK;

/*
 * ERR_NOT_FOUND
 * ERR_DENIED  the last local one, or the last High Access one: *why says which
 *
 * req: KS-15-107
 */
enum err
admin_delete(struct store *st, struct bytes name, const char **why) MUST_CHECK;

/* A record's value and back, for who keeps accounts elsewhere. ERR_STORE,
 * ERR_NOMEM */
enum err admin_encode(const struct admin *admin, struct buf *out) MUST_CHECK;
enum err admin_decode(
    struct bytes name, struct bytes value, struct admin *out) MUST_CHECK;

/* How many there are, for those guards and for Multiple Credentials. */
struct admin_count {
	size_t local;
	size_t high; /* of both kinds */
};
enum err admin_count(struct store *st, struct admin_count *out) MUST_CHECK;

/* Has it what the act needs? High Access is no master key: who has it
 * and lacks a control has to give it to itself first. req: KS-15-068 */
bool admin_may(const struct admin *admin, enum act act);

/* How long until this password expires: 0 it has, INT64_MAX never. */
int64_t admin_expires_in_ms(
    const struct admin *admin, int64_t max_age_days, int64_t now_ms);

#endif
