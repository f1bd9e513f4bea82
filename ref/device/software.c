#include "device/software.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "device/appliance.h"
#include "device/backup_item.h"
#include "device/fields.h"
#include "device/restore.h"
#include "store/disk.h"
#include "store/record.h"

#define KIND_STATE   "software"
#define KEY_STATE    "state"
#define KIND_ACCOUNT "software.account"
#define FOLDER       "software" /* in the device's directory */

/* In a version's folder: no component has such a name. */
#define MARK_NEW   ".new"
#define MARK_TRIED ".tried"

enum { STATE_OCTETS = 1024 };

/* ---------------------------------------------------------------------------
 * What the store knows
 */

/* A version and where its program is. */
struct release {
	char version[PACKAGE_VERSION_OCTETS + 1]; /* "": there is none */
	char folder[PACKAGE_VERSION_OCTETS + 1];  /* "": built in */
	int64_t installed_s;
};

struct releases {
	struct release now;
	struct release previous;
	int64_t schema; /* that the previous one's program knows */
};

static enum err
text_field(
    struct bytes in, const char *name, char out[PACKAGE_VERSION_OCTETS + 1])
{
	struct bytes value;
	enum err rc = fields_find(in, name, &value);

	if (rc == ERR_NOT_FOUND)
		return OK;
	if (rc == OK && value.octets > PACKAGE_VERSION_OCTETS)
		rc = ERR_VALUE;
	if (rc != OK)
		return rc;
	memcpy(out, value.at, value.octets);
	out[value.octets] = '\0';
	return OK;
}

static enum err
state_parse(struct bytes in, struct releases *out)
{
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	TRY(text_field(in, "version", out->now.version));
	TRY(text_field(in, "folder", out->now.folder));
	TRY(fields_number(in, "installed", &out->now.installed_s));
	TRY(text_field(in, "previous", out->previous.version));
	TRY(text_field(in, "previous-folder", out->previous.folder));
	TRY(fields_number(
	    in, "previous-installed", &out->previous.installed_s));
	TRY(fields_number(in, "previous-schema", &out->schema));
out:
	return rc;
}

/* Where nothing has been written it is the built-in release. */
static enum err
state_get(struct store *st, struct releases *out)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, STATE_OCTETS);
	memset(out, 0, sizeof(*out));
	(void)snprintf(
	    out->now.version, sizeof(out->now.version), "%s", VERSION);
	rc = record_get(st, KIND_STATE, bytes_of_text(KEY_STATE), &value);
	if (rc == OK)
		rc = state_parse(buf_peek(&value), out);
	buf_clear(&value);
	if (rc == ERR_VALUE || rc == ERR_TRUNCATED)
		return ERR_STORE;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err
state_put(struct store *st, const struct releases *s)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, STATE_OCTETS);
	TRY(fields_put_text(&value, "version", s->now.version));
	TRY(fields_put_text(&value, "folder", s->now.folder));
	TRY(fields_put_number(&value, "installed", s->now.installed_s));
	TRY(fields_put_text(&value, "previous", s->previous.version));
	TRY(fields_put_text(&value, "previous-folder", s->previous.folder));
	TRY(fields_put_number(
	    &value, "previous-installed", s->previous.installed_s));
	TRY(fields_put_number(&value, "previous-schema", s->schema));
	TRY(record_put(
	    st, KIND_STATE, bytes_of_text(KEY_STATE), buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

enum err
software_read(struct store *st, struct software *out)
{
	struct releases s;
	enum err rc = state_get(st, &s);

	memset(out, 0, sizeof(*out));
	if (rc != OK)
		return rc;
	memcpy(out->version, s.now.version, sizeof(out->version));
	out->installed_s = s.now.installed_s;
	memcpy(out->previous, s.previous.version, sizeof(out->previous));
	return OK;
}

/* req: KS-25-004 KS-25-035 */
void
software_version(
    struct appliance *appliance, char out[PACKAGE_VERSION_OCTETS + 1])
{
	struct software software;

	if (software_read(appliance->store, &software) != OK)
		(void)snprintf(
		    software.version, sizeof(software.version), "%s", VERSION);
	memcpy(out, software.version, sizeof(software.version));
}

/* ---------------------------------------------------------------------------
 * Folders of programs
 */

static enum err
folder_path(const struct appliance *appliance, const char *folder, char **out)
{
	return mem_printf(out, "%s/%s", appliance->software_dir, folder);
}

static enum err
remove_stale(
    struct appliance *appliance, const struct releases *s, const char *name)
{
	if (*name == '.' || strcmp(name, s->now.folder) == 0 ||
	    strcmp(name, s->previous.folder) == 0)
		return OK;
	return erase_in(appliance->software_dir, name);
}

/* req: KS-25-037 */
static enum err
tidy(struct appliance *appliance)
{
	const struct dirent *entry;
	struct releases s;
	DIR *d = NULL;
	enum err rc = OK;

	if (appliance->software_dir != NULL)
		d = opendir(appliance->software_dir);
	if (d == NULL)
		return OK; /* nothing has been installed */
	TRY(state_get(appliance->store, &s));
	while (rc == OK && (entry = readdir(d)) != NULL)
		rc = remove_stale(appliance, &s, entry->d_name);
out:
	(void)closedir(d);
	return rc;
}

enum err
software_erase(const char *dir)
{
	return erase_in(dir, FOLDER);
}

/* Whoever has put another built-in release there has installed it. */
static enum err
note_built_in(struct appliance *appliance)
{
	struct releases s;
	enum err rc = OK;

	TRY(state_get(appliance->store, &s));
	if (s.now.installed_s != 0 &&
	    (s.now.folder[0] != '\0' || strcmp(s.now.version, VERSION) == 0))
		return OK;
	(void)snprintf(s.now.version, sizeof(s.now.version), "%s", VERSION);
	s.now.installed_s = env_wall_s(appliance->env);
	TRY(state_put(appliance->store, &s));
out:
	return rc;
}

void
software_ready(struct appliance *appliance)
{
	enum err rc = OK;

	TRY(note_built_in(appliance));
	TRY(tidy(appliance));
out:
	if (rc != OK)
		log_line("device", LOG_WARN, "software: %s", err_text(rc));
}

/* ---------------------------------------------------------------------------
 * What starts
 */

/* A version is a name of a folder, and no other path. */
static bool
is_version(const char *folder)
{
	struct package_version version;

	return package_version_read(bytes_of_text(folder), &version) == OK;
}

static bool
has_mark(const char *folder, const char *mark)
{
	char path[SOFTWARE_PATH_OCTETS + sizeof("/" MARK_TRIED)];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, mark);
	return access(path, F_OK) == 0;
}

enum err
software_program(const char *dir, struct software_start *out)
{
	struct releases s;
	struct buf value;
	unsigned oldest;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	buf_init(&value, STATE_OCTETS);
	TRY(record_peek(
	    dir, KIND_STATE, bytes_of_text(KEY_STATE), &value, &oldest));
	TRY(state_parse(buf_peek(&value), &s));
	if (!is_version(s.now.folder))
		goto out;
	(void)snprintf(out->folder, sizeof(out->folder), "%s/" FOLDER "/%s",
	    dir, s.now.folder);
	(void)snprintf(out->path, sizeof(out->path),
	    "%s/" FOLDER "/%s/" SOFTWARE_PROGRAM, dir, s.now.folder);
	if (is_version(s.previous.folder))
		(void)snprintf(out->back, sizeof(out->back),
		    "%s/" FOLDER "/%s/" SOFTWARE_PROGRAM, dir,
		    s.previous.folder);
	if (has_mark(out->folder, MARK_NEW))
		out->trial = SOFTWARE_NEW;
	/* where there is no way back it is started once more */
	else if (has_mark(out->folder, MARK_TRIED) &&
		 s.previous.version[0] != '\0' &&
		 oldest <= (uint64_t)s.schema &&
		 (out->back[0] == '\0' || access(out->back, X_OK) == 0))
		out->trial = SOFTWARE_TRIED;
out:
	buf_clear(&value);
	return rc == ERR_NOMEM ? rc : OK;
}

void
software_try(const struct software_start *start)
{
	enum err rc = OK;

	if (start->trial != SOFTWARE_NEW)
		return;
	TRY(disk_rename(start->folder, MARK_NEW, MARK_TRIED));
	TRY(disk_sync_dir(start->folder));
out:
	if (rc != OK)
		log_line("device", LOG_WARN,
		    "software: there is no way back by itself: %s",
		    err_text(rc));
}

void
software_trust(struct appliance *appliance)
{
	struct releases s;
	char *folder = NULL;
	enum err rc = OK;

	TRY(state_get(appliance->store, &s));
	TRY(folder_path(appliance, s.now.folder, &folder));
	if (s.now.folder[0] == '\0' || !has_mark(folder, MARK_TRIED))
		goto out;
	TRY(disk_remove(folder, MARK_TRIED));
	TRY(disk_sync_dir(folder));
out:
	mem_free(folder);
	if (rc != OK)
		log_line("device", LOG_WARN,
		    "software: it is not noted that it came up: %s",
		    err_text(rc));
}

/* ---------------------------------------------------------------------------
 * Administrators, set aside and brought back
 */

static bool
is_account(struct bytes kind, struct bytes key)
{
	return backup_item_of_record(kind, key) == ITEM_ADMINS;
}

/* Each kind of backup_item.def that has some, once. */
static const char *
account_kind(size_t n)
{
	const struct backup_kind_row *row;
	const struct backup_kind_row *before;
	size_t k, j;

	for (k = 0; (row = backup_kind_nth(k)) != NULL; k++) {
		if (row->item != ITEM_ADMINS && row->item != ITEM_OF_ROW)
			continue;
		for (j = 0; j < k; j++) {
			before = backup_kind_nth(j);
			if (strcmp(before->kind, row->kind) == 0)
				break;
		}
		if (j == k && n-- == 0)
			return row->kind;
	}
	return NULL;
}

struct walk {
	struct store *st;
	const char *kind;
};

static enum err
forget_aside(void *ctx, struct bytes key, struct bytes value)
{
	(void)value;
	return record_delete(ctx, KIND_ACCOUNT, key);
}

static enum err
set_one_aside(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;
	struct buf name;
	enum err rc = OK;

	buf_init(&name, RECORD_KEY_MAX_OCTETS);
	if (!is_account(bytes_of_text(walk->kind), key))
		return OK;
	TRY(buf_put(&name, (struct bytes){(const uint8_t *)walk->kind,
			       strlen(walk->kind) + 1}));
	TRY(buf_put(&name, key));
	TRY(record_put(walk->st, KIND_ACCOUNT, buf_peek(&name), value));
out:
	buf_clear(&name);
	return rc;
}

static enum err
set_aside(struct store *st)
{
	struct walk walk = {.st = st};
	size_t k;
	enum err rc = OK;

	TRY(record_each(st, KIND_ACCOUNT, forget_aside, st));
	for (k = 0; (walk.kind = account_kind(k)) != NULL; k++)
		TRY(record_each(st, walk.kind, set_one_aside, &walk));
out:
	return rc;
}

static enum err
drop_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;

	(void)value;
	if (!is_account(bytes_of_text(walk->kind), key))
		return OK;
	return record_delete(walk->st, walk->kind, key);
}

static enum err
bring_one_back(void *ctx, struct bytes key, struct bytes value)
{
	const uint8_t *end = memchr(key.at, '\0', key.octets);
	const char *kind = (const char *)key.at;
	struct bytes rest = key;
	struct bytes skipped;
	enum err rc = OK;

	if (end == NULL)
		return ERR_STORE;
	TRY(bytes_split(&rest, (size_t)(end - key.at) + 1, &skipped));
	TRY(record_put(ctx, kind, rest, value));
	TRY(record_delete(ctx, KIND_ACCOUNT, key));
out:
	return rc;
}

/* req: KS-25-044 KS-25-045 */
static enum err
bring_back(struct store *st)
{
	struct walk walk = {.st = st};
	size_t k;
	enum err rc = OK;

	for (k = 0; (walk.kind = account_kind(k)) != NULL; k++)
		TRY(record_each(st, walk.kind, drop_one, &walk));
	TRY(record_each(st, KIND_ACCOUNT, bring_one_back, st));
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * Another version
 */

/* req: KS-25-037 */
enum err
software_judge(struct store *st, const char *version, char *why, size_t room)
{
	struct package_version fresh, now;
	struct releases s;
	enum err rc = OK;

	TRY(state_get(st, &s));
	TRY(package_version_read(bytes_of_text(version), &fresh));
	TRY(package_version_read(bytes_of_text(s.now.version), &now));
	if (package_version_compare(&fresh, &now) <= 0) {
		(void)snprintf(why, room,
		    "Version %s is not newer than %s, which runs", version,
		    s.now.version);
		rc = ERR_FIELD;
	}
out:
	return rc;
}

static enum err
remove_file(void *ctx, const char *name, uint64_t octets)
{
	(void)octets;
	return disk_remove(ctx, name);
}

enum err
software_folder_new(
    struct appliance *appliance, const char *version, char **out)
{
	char *folder = NULL;
	enum err rc = OK;

	*out = NULL;
	if (appliance->software_dir == NULL)
		return ERR_FEATURE;
	TRY(disk_make_dir(appliance->software_dir));
	TRY(folder_path(appliance, version, &folder));
	TRY(disk_make_dir(folder));
	TRY(disk_each(folder, remove_file, folder));
	TRY(disk_remove(folder, MARK_TRIED));
	TRY(disk_sync_dir(folder));
	*out = folder;
	folder = NULL;
out:
	mem_free(folder);
	return rc;
}

enum err
software_folder_done(const char *folder)
{
	struct disk_file *mark = NULL;
	enum err rc = OK;

	TRY(disk_open(folder, MARK_NEW, &mark));
	TRY(disk_sync_dir(folder));
out:
	disk_close(mark);
	return rc;
}

enum err
software_upgrade(struct change *change, const char *version)
{
	struct store *st = change->appliance->store;
	struct releases s;
	enum err rc = OK;

	TRY(software_judge(st, version, change->why, sizeof(change->why)));
	TRY(state_get(st, &s));
	(void)snprintf(change->event, sizeof(change->event),
	    "Upgraded the software from %s to %s", s.now.version, version);
	s.previous = s.now;
	s.schema = store_schema();
	(void)snprintf(s.now.version, sizeof(s.now.version), "%s", version);
	(void)snprintf(s.now.folder, sizeof(s.now.folder), "%s", version);
	s.now.installed_s = env_wall_s(change->appliance->env);
	TRY(state_put(st, &s));
	TRY(set_aside(st));
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * Rolling back
 */

static enum err
refuse(struct change *change, const char *why)
{
	(void)snprintf(change->why, sizeof(change->why), "%s", why);
	return ERR_FIELD;
}

/* Is the previous version's program there, and does it know this store? */
static enum err
judge_previous(struct change *change, const struct releases *s)
{
	struct appliance *appliance = change->appliance;
	unsigned oldest, pending;
	char *path = NULL;
	enum err rc = OK;

	/* req: KS-25-037 */
	if (s->previous.version[0] == '\0')
		TRY(refuse(change, "there is no version to roll back to"));
	TRY(restores_pending(appliance->store, &pending));
	if (pending != 0)
		TRY(refuse(change,
		    "a restore waits for a restart of the device: restart it "
		    "first"));
	TRY(store_oldest_reader(appliance->store, &oldest));
	if (oldest > (uint64_t)s->schema)
		TRY(refuse(change,
		    "the previous version cannot read what is stored now"));
	if (s->previous.folder[0] == '\0')
		return OK;
	TRY(mem_printf(&path, "%s/%s/" SOFTWARE_PROGRAM,
	    appliance->software_dir, s->previous.folder));
	if (access(path, X_OK) != 0)
		TRY(refuse(
		    change, "the program of the previous version is gone"));
out:
	mem_free(path);
	return rc;
}

static enum err
go_back(struct store *st, struct releases *s)
{
	enum err rc = OK;

	s->now = s->previous;
	memset(&s->previous, 0, sizeof(s->previous));
	s->schema = 0;
	TRY(state_put(st, s));
	TRY(bring_back(st));
out:
	return rc;
}

/* req: KS-25-036 KS-25-039 KS-25-042 KS-25-043 */
enum err
software_rollback(struct change *change)
{
	struct store *st = change->appliance->store;
	struct releases s;
	enum err rc = OK;

	TRY(state_get(st, &s));
	TRY(judge_previous(change, &s));
	(void)snprintf(change->event, sizeof(change->event),
	    "Rolled the software back from %s to %s", s.now.version,
	    s.previous.version);
	TRY(go_back(st, &s));
out:
	return rc;
}

enum err
software_fall_back(struct store *st, char event[SOFTWARE_EVENT_OCTETS])
{
	struct releases s;
	enum err rc = OK;

	TRY(state_get(st, &s));
	(void)snprintf(event, SOFTWARE_EVENT_OCTETS,
	    "Version %s did not come up; rolled back to %s", s.now.version,
	    s.previous.version);
	TRY(store_savepoint(st));
	TRY(store_savepoint_end(st, go_back(st, &s)));
	TRY(store_commit(st));
out:
	return rc;
}
