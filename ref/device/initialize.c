#include "device/initialize.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/keyfile.h"
#include "device/appliance.h"
#include "device/licence.h"

enum { KEY_OCTETS = 40 };

/* Answers that a file has, and nobody is asked for. */
enum path { PATH_PASSWORD, PATH_LICENCE, PATH_COUNT };
static const struct {
	const char *key;
	const char *help;
} paths[] = {
    [PATH_PASSWORD] = {"password-file", "a file with it"},
    [PATH_LICENCE] = {"license-file", "the package of a license"},
};

struct row {
	const char *key;
	const char *name;     /* NULL: its setting's */
	enum setting setting; /* SETTING_COUNT: none */
	const char *initial;
};

static const struct row rows[] = {
#define SETTING_ANSWER(symbol, key, setting, clause) \
	[symbol] = {key, NULL, setting, NULL},
#define ANSWER(symbol, key, name, initial, clause) \
	[symbol] = {key, name, SETTING_COUNT, initial},
#include "device/answer.def"
#undef SETTING_ANSWER
#undef ANSWER
};

struct initialization {
	struct appliance *appliance;
	char *value[ANSWER_COUNT]; /* as they are kept; never the password */
	struct secret *password;
	char *path[PATH_COUNT];  /* NULL: none was given */
	struct licence *licence; /* NULL: likewise */
	int64_t wall_s;
	initialization_fn *done;
	void *ctx;
	struct new_password request;
	struct change change;
	char why[CHANGE_WHY_OCTETS];
};

/* ---- the rows ---- */

static bool
is_setting(enum answer which)
{
	return rows[which].setting != SETTING_COUNT;
}

const char *
answer_name(enum answer which)
{
	return is_setting(which) ? setting_row(rows[which].setting)->name
				 : rows[which].name;
}

bool
answer_is_there(enum answer which)
{
	return !is_setting(which) ||
	       setting_row(rows[which].setting)->state == DONE;
}

enum err
initialization_help(struct buf *out)
{
	enum answer which;
	enum path path;
	enum err rc = OK;

	for (which = 0; which < ANSWER_COUNT; which++) {
		if (answer_is_there(which))
			TRY(buf_printf(out, "  %-14s %s\n", rows[which].key,
			    answer_name(which)));
	}
	for (path = 0; path < PATH_COUNT; path++)
		TRY(buf_printf(
		    out, "  %-14s %s\n", paths[path].key, paths[path].help));
out:
	return rc;
}

/* ---- one answer ---- */

const char *
initialization_shown(const struct initialization *init, enum answer which)
{
	if (init->value[which] != NULL)
		return init->value[which];
	return is_setting(which) ? setting_row(rows[which].setting)->initial
				 : rows[which].initial;
}

static enum err
keep(struct initialization *init, enum answer which, const char *value)
{
	char *copy = mem_strdup(value);

	if (copy == NULL)
		return ERR_NOMEM;
	mem_free(init->value[which]);
	init->value[which] = copy;
	return OK;
}

static enum err
refuse(enum answer which, struct bytes typed, const char *rule,
    char why[CHANGE_WHY_OCTETS])
{
	entry_refuse(answer_name(which), typed, rule, why);
	return ERR_FIELD;
}

static enum err
set_setting(struct initialization *init, enum answer which, struct bytes typed,
    char why[CHANGE_WHY_OCTETS])
{
	char value[SETTING_VALUE_OCTETS];
	enum err rc = OK;

	TRY(setting_check(rows[which].setting, typed, value, why));
	rc = keep(init, which, value);
out:
	return rc;
}

static enum err
set_zone(struct initialization *init, struct bytes typed,
    char why[CHANGE_WHY_OCTETS])
{
	char zone[CLOCK_ZONE_OCTETS];
	enum err rc = OK;

	TRY(clock_check_zone(typed, zone, why));
	rc = keep(init, ANSWER_ZONE, zone);
out:
	return rc;
}

/* Nothing: the clock stays as it is. */
static enum err
set_time(struct initialization *init, struct bytes typed,
    char why[CHANGE_WHY_OCTETS])
{
	char text[CLOCK_TEXT_OCTETS];
	enum err rc = OK;

	if (typed.octets == 0)
		return keep(init, ANSWER_TIME, "");
	if (clock_read_in(initialization_shown(init, ANSWER_ZONE), typed,
		&init->wall_s) != OK)
		TRY(refuse(ANSWER_TIME, typed,
		    "a date and time as 2026-11-21 10:00:00, or nothing", why));
	(void)snprintf(text, sizeof(text), "%.*s", (int)typed.octets,
	    (const char *)typed.at);
	rc = keep(init, ANSWER_TIME, text);
out:
	return rc;
}

static enum err
set_yes_or_no(struct initialization *init, enum answer which,
    struct bytes typed, char why[CHANGE_WHY_OCTETS])
{
	static const struct entry_rule rule = {.type = ENTRY_YESNO};
	char value[ENTRY_OCTETS];
	int64_t number;
	enum err rc = OK;

	if (entry_read(&rule, typed, value, &number) != OK)
		TRY(refuse(which, typed, "yes or no", why));
	rc = keep(init, which, value);
out:
	return rc;
}

static enum err
set_password(struct initialization *init, struct bytes typed,
    char why[CHANGE_WHY_OCTETS])
{
	enum err rc = OK;

	if (typed.octets == 0)
		TRY(refuse(ANSWER_PASSWORD, typed, "it is needed", why));
	secret_free(init->password);
	init->password = NULL;
	rc = secret_copy(typed, &init->password);
out:
	return rc;
}

enum err
initialization_set(struct initialization *init, enum answer which,
    struct bytes typed, char why[CHANGE_WHY_OCTETS])
{
	if (is_setting(which))
		return set_setting(init, which, typed, why);
	if (which == ANSWER_ZONE)
		return set_zone(init, typed, why);
	if (which == ANSWER_TIME)
		return set_time(init, typed, why);
	if (which == ANSWER_PASSWORD)
		return set_password(init, typed, why);
	return set_yes_or_no(init, which, typed, why);
}

/* ---- a file of them ---- */

/* Where the lines are that have been seen; 0: not yet. */
struct reader {
	struct bytes value[ANSWER_COUNT];
	unsigned line[ANSWER_COUNT];
	struct bytes path[PATH_COUNT];
	unsigned path_line[PATH_COUNT];
};

static enum err __attribute__((format(printf, 3, 4)))
refuse_line(unsigned line, char why[CHANGE_WHY_OCTETS], const char *format, ...)
{
	int used = snprintf(why, CHANGE_WHY_OCTETS, "line %u: ", line);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(
	    why + used, CHANGE_WHY_OCTETS - (size_t)used, format, args);
	va_end(args);
	return ERR_FIELD;
}

static struct bytes
trim(struct bytes in)
{
	while (in.octets != 0 && (in.at[0] == ' ' || in.at[0] == '\t')) {
		in.at++;
		in.octets--;
	}
	while (in.octets != 0 &&
	       (in.at[in.octets - 1] == ' ' || in.at[in.octets - 1] == '\t' ||
		   in.at[in.octets - 1] == '\r'))
		in.octets--;
	return in;
}

static struct bytes
take_line(struct bytes *text)
{
	const uint8_t *end = memchr(text->at, '\n', text->octets);
	struct bytes line = *text;

	if (end == NULL) {
		*text = BYTES_NONE;
		return trim(line);
	}
	line.octets = (size_t)(end - text->at);
	text->at += line.octets + 1;
	text->octets -= line.octets + 1;
	return trim(line);
}

static enum err
read_line(struct reader *r, struct bytes line, unsigned number,
    char why[CHANGE_WHY_OCTETS])
{
	const uint8_t *sign;
	struct bytes key = line;
	struct bytes value;
	struct bytes *to = NULL;
	unsigned *seen = NULL;
	enum answer which;
	enum path path;

	if (line.octets == 0 || line.at[0] == '#')
		return OK;
	sign = memchr(line.at, '=', line.octets);
	if (sign == NULL)
		return refuse_line(number, why, "not \"key = value\"");
	key.octets = (size_t)(sign - line.at);
	value.at = sign + 1;
	value.octets = line.octets - key.octets - 1;
	key = trim(key);
	for (which = 0; which < ANSWER_COUNT; which++) {
		if (bytes_equal_text(key, rows[which].key)) {
			to = &r->value[which];
			seen = &r->line[which];
		}
	}
	for (path = 0; path < PATH_COUNT; path++) {
		if (bytes_equal_text(key, paths[path].key)) {
			to = &r->path[path];
			seen = &r->path_line[path];
		}
	}
	if (to == NULL)
		return refuse_line(number, why, "no such key");
	if (*seen != 0)
		return refuse_line(
		    number, why, "line %u has this key already", *seen);
	*to = trim(value);
	*seen = number;
	return OK;
}

/* In the order of the rows: the time is read in the zone. */
static enum err
take_answers(struct initialization *init, const struct reader *r,
    char why[CHANGE_WHY_OCTETS])
{
	char own[CHANGE_WHY_OCTETS] = "";
	enum answer which;
	enum path path;
	enum err rc = OK;

	for (which = 0; which < ANSWER_COUNT; which++) {
		if (r->line[which] == 0)
			continue;
		rc = initialization_set(init, which, r->value[which], own);
		if (rc == ERR_FIELD || rc == ERR_FEATURE)
			(void)refuse_line(r->line[which], why, "%s", own);
		TRY(rc);
	}
	if (r->path_line[PATH_PASSWORD] != 0 && r->line[ANSWER_PASSWORD] != 0)
		TRY(refuse_line(r->path_line[PATH_PASSWORD], why,
		    "line %u has the password already",
		    r->line[ANSWER_PASSWORD]));
	for (path = 0; path < PATH_COUNT; path++) {
		if (r->path_line[path] == 0)
			continue;
		mem_free(init->path[path]);
		init->path[path] = NULL;
		TRY(mem_printf(&init->path[path], "%.*s",
		    (int)r->path[path].octets, (const char *)r->path[path].at));
	}
out:
	return rc;
}

enum err
initialization_read(
    struct initialization *init, struct bytes text, char why[CHANGE_WHY_OCTETS])
{
	struct reader reader = {.line = {0}};
	unsigned number = 0;
	enum err rc = OK;

	if (text.octets > INITIALIZATION_FILE_OCTETS ||
	    (text.octets != 0 && memchr(text.at, '\0', text.octets) != NULL)) {
		(void)snprintf(why, CHANGE_WHY_OCTETS, "no text of %d octets",
		    INITIALIZATION_FILE_OCTETS);
		TRY(ERR_FIELD);
	}
	while (text.octets != 0)
		TRY(read_line(&reader, take_line(&text), ++number, why));
	TRY(take_answers(init, &reader, why));
out:
	return rc;
}

/* Its first line. */
static enum err
read_password(struct initialization *init)
{
	struct secret *file = NULL;
	struct bytes text;
	enum err rc = OK;

	if (keyfile_read(
		init->path[PATH_PASSWORD], PASSWORD_MAX_OCTETS, &file) != OK) {
		(void)snprintf(init->why, sizeof(init->why),
		    "%s: %s: it cannot be read, or others than its owner can",
		    paths[PATH_PASSWORD].key, init->path[PATH_PASSWORD]);
		TRY(ERR_FIELD);
	}
	text = secret_peek(file);
	TRY(initialization_set(
	    init, ANSWER_PASSWORD, take_line(&text), init->why));
out:
	secret_free(file);
	return rc;
}

static enum err
refuse_licence(struct initialization *init, const char *what)
{
	(void)snprintf(init->why, sizeof(init->why), "%s: %s: %s",
	    paths[PATH_LICENCE].key, init->path[PATH_LICENCE], what);
	return ERR_FIELD;
}

/* In this turn of the loop: nobody is served before it ends. */
static enum err
read_licence(struct initialization *init)
{
	struct package *package = NULL;
	char why[PACKAGE_WHY_OCTETS];
	enum err rc = OK;
	int fd = open(init->path[PATH_LICENCE], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		TRY(refuse_licence(init, strerror(errno)));
	rc = package_open(fd, init->appliance->trust, &package, why);
	if (rc != OK && rc != ERR_NOMEM)
		rc = refuse_licence(init, why);
	TRY(rc);
	if (package_manifest(package)->type != PACKAGE_LICENCE)
		TRY(refuse_licence(init, "no license, but software"));
	if (init->licence == NULL)
		TRY(MEM_NEW(init->licence));
	licence_of_package(package_manifest(package), init->licence);
out:
	package_close(package);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- carrying it out ---- */

static enum err
apply_settings(struct change *change)
{
	struct initialization *init = change->ctx;
	struct settings *settings = change->appliance->settings;
	enum answer which;
	bool changed;
	enum err rc = OK;

	for (which = 0; which < ANSWER_COUNT; which++) {
		if (is_setting(which) && init->value[which] != NULL)
			TRY(setting_set(settings, rows[which].setting,
			    bytes_of_text(init->value[which]), &changed,
			    change->why));
	}
out:
	return rc;
}

static enum err
apply_clock(struct change *change)
{
	struct initialization *init = change->ctx;
	struct clock *clock = change->appliance->clock;
	const char *zone = init->value[ANSWER_ZONE];
	const char *time = init->value[ANSWER_TIME];
	enum err rc = OK;

	if (zone != NULL)
		TRY(clock_keep_zone(clock, bytes_of_text(zone), change->why));
	if (time != NULL && *time != '\0')
		TRY(clock_keep(clock, init->wall_s, change->why));
out:
	return rc;
}

/* req: KS-15-034 KS-15-035 */
static enum err
apply_admin(struct change *change)
{
	struct initialization *init = change->ctx;
	static char none[] = "";
	struct admin admin = {
	    .name = INITIALIZATION_ADMIN,
	    .full_name = none,
	    .description = none,
	    .high = true,
	    .controls = CONTROLS_ALL,
	};
	const char *why = "";
	enum err rc = OK;

	/* his own choice: nothing has to be changed at the first login */
	admin_set_password(
	    change->appliance, &admin, &init->request.hash, ADMIN_MUST_NOT);
	TRY(admin_write(change->appliance->store, &admin, &why));
out:
	return rc;
}

static enum err
apply(struct change *change)
{
	struct initialization *init = change->ctx;
	bool starts =
	    strcmp(initialization_shown(init, ANSWER_KEY_SERVER), "yes") == 0;
	int used;
	enum err rc = OK;

	if (appliance_is_initialized(change->appliance)) {
		(void)snprintf(change->why, sizeof(change->why),
		    "The appliance is initialized already.");
		TRY(ERR_DENIED);
	}
	TRY(apply_settings(change));
	TRY(apply_clock(change));
	TRY(service_keep_startup(
	    change->appliance->services, SERVICE_KEY_SERVER, starts));
	TRY(apply_admin(change));
	if (init->licence != NULL)
		TRY(licence_install(change, init->licence));
	used = snprintf(change->event, sizeof(change->event),
	    "Initialized the appliance: Hostname: %s; administrator: %s",
	    initialization_shown(init, ANSWER_HOST_NAME), INITIALIZATION_ADMIN);
	if (init->licence != NULL)
		(void)snprintf(change->event + used,
		    sizeof(change->event) - (size_t)used,
		    "; licensed clients: %" PRIu32, init->licence->clients);
out:
	return rc;
}

static void
changed(struct change *change, enum err rc)
{
	struct initialization *init = change->ctx;

	(void)snprintf(
	    init->why, sizeof(init->why), "%s", rc == OK ? "" : change->why);
	if (rc == OK)
		services_start(change->appliance->services);
	init->done(init->ctx, rc, init->why);
}

static void
hashed(struct new_password *request, enum err rc)
{
	struct initialization *init = request->ctx;

	if (rc != OK) {
		(void)snprintf(init->why, sizeof(init->why), "%s: %s",
		    answer_name(ANSWER_PASSWORD),
		    rc == ERR_FIELD ? request->why : err_text(rc));
		init->done(init->ctx, rc, init->why);
		return;
	}
	init->change = (struct change){
	    .by = {.door = DOOR_NONE},
	    .act = ACT_INITIALIZE,
	    .apply = apply,
	    .done = changed,
	    .ctx = init,
	};
	change_run(init->appliance, &init->change);
}

static enum err
hash(struct initialization *init)
{
	enum err rc = OK;

	if (init->path[PATH_LICENCE] != NULL)
		TRY(read_licence(init));
	if (init->path[PATH_PASSWORD] != NULL)
		TRY(read_password(init));
	if (init->password == NULL)
		TRY(refuse(
		    ANSWER_PASSWORD, BYTES_NONE, "it is needed", init->why));
	init->request = (struct new_password){
	    .user = INITIALIZATION_ADMIN,
	    .password = secret_peek(init->password),
	    .door = DOOR_NONE,
	    .done = hashed,
	    .ctx = init,
	};
	TRY(new_password_begin(init->appliance, &init->request));
out:
	return rc;
}

static void
failed(void *ctx)
{
	struct initialization *init = ctx;

	init->done(init->ctx, init->change.rc, init->why);
}

void
initialization_run(
    struct initialization *init, initialization_fn *done, void *ctx)
{
	enum err rc;

	init->done = done;
	init->ctx = ctx;
	*init->why = '\0';
	rc = hash(init);
	if (rc == OK)
		return;
	if (*init->why == '\0')
		(void)snprintf(
		    init->why, sizeof(init->why), "%s", err_text(rc));
	init->change.rc = rc;
	init->change.task = (struct loop_task){.fn = failed, .ctx = init};
	loop_later(init->appliance->loop, &init->change.task);
}

/* ---- life ---- */

enum err
initialization_new(struct appliance *appliance, struct initialization **out)
{
	enum err rc = OK;

	TRY(MEM_NEW(*out));
	(*out)->appliance = appliance;
out:
	return rc;
}

void
initialization_free(struct initialization *init)
{
	enum answer which;
	enum path path;

	if (init == NULL)
		return;
	if (init->request.job != NULL)
		new_password_leave(&init->request);
	change_leave(&init->change);
	for (which = 0; which < ANSWER_COUNT; which++)
		mem_free(init->value[which]);
	secret_free(init->password);
	for (path = 0; path < PATH_COUNT; path++)
		mem_free(init->path[path]);
	mem_free(init->licence);
	mem_free(init);
}
