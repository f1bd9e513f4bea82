#include "device/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/log.h"
#include "base/mem.h"
#include "device/backup_store.h"
#include "device/cert.h"
#include "device/entry.h"
#include "device/key_query.h"

#define FOLDER "backup"

/* ---- the place ---- */

enum err
backups_path(const struct backups *backups, const char *base, char **out)
{
	return mem_printf(out, "%s/%s", backups->appliance->backup_dir, base);
}

enum err
backups_tidy(const struct backups *backups)
{
	enum err rc = OK;

	TRY(erase_path(backups->making));
	TRY(erase_path(backups->gone));
out:
	return rc;
}

enum err
backups_new(struct appliance *appliance, struct backups **out)
{
	struct backups *backups = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(backups));
	backups->appliance = appliance;
	if (appliance->backup_dir != NULL) {
		if (mkdir(appliance->backup_dir, 0700) != 0 && errno != EEXIST)
			TRY(ERR_SYSTEM);
		TRY(backups_path(backups, ".making", &backups->making));
		TRY(backups_path(backups, ".making/copy", &backups->copy));
		TRY(backups_path(backups, ".making/files", &backups->files));
		TRY(backups_path(backups, ".gone", &backups->gone));
		TRY(backups_tidy(backups));
		TRY(loop_pool_new(
		    appliance->loop, "backup", 1, &backups->pool));
	}
	*out = backups;
	backups = NULL;
out:
	if (rc != OK && rc != ERR_NOMEM)
		log_line("backup", LOG_ERROR,
		    "the place of backups cannot be used: %s", err_text(rc));
	backups_free(backups);
	return rc;
}

void
backups_free(struct backups *backups)
{
	if (backups == NULL)
		return;
	backup_jobs_free(backups->jobs);
	mem_free(backups->making);
	mem_free(backups->copy);
	mem_free(backups->files);
	mem_free(backups->gone);
	mem_free(backups);
}

enum err
backups_erase(const char *dir)
{
	return erase_in(dir, FOLDER);
}

unsigned
backups_running(const struct backups *backups)
{
	return backups->pool != NULL ? loop_pool_jobs(backups->pool) : 0;
}

/* ---- what can be entered ---- */

bool
backup_name_is_valid(struct bytes name, const char **rule)
{
	bool good = name.octets != 0 && name.octets <= BACKUP_NAME_OCTETS;
	size_t k;

	for (k = 0; k < name.octets && good; k++) {
		uint8_t c = name.at[k];

		good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		       (c >= 'a' && c <= 'z');
	}
	*rule = good ? NULL
		     : "1 to 64 letters and digits, without special "
		       "characters and whitespace";
	return good;
}

bool
backup_description_is_valid(struct bytes text, const char **rule)
{
	bool good =
	    text.octets <= BACKUP_DESCRIPTION_OCTETS && bytes_is_utf8(text);
	size_t k;

	for (k = 0; k < text.octets && good; k++)
		good = text.at[k] >= ' ' && text.at[k] != 0x7f;
	*rule = good ? NULL : "up to 1024 octets of text in one line";
	return good;
}

bool
backup_password_is_valid(struct bytes password, const char **rule)
{
	bool good =
	    password.octets != 0 && password.octets <= BACKUP_PASSWORD_OCTETS;

	*rule = good ? NULL : "1 to 30 characters";
	return good;
}

/* ---- who may, and what there is ---- */

static enum err
permit_parts(struct appliance *appliance, const struct principal *by,
    const struct backup_selection *selection, char why[CHANGE_WHY_OCTETS])
{
	bool any = false;
	size_t more;
	unsigned k;
	enum err rc = OK;

	for (k = 0; k < PART_COUNT; k++) {
		if (!backup_selects_part(selection, (enum backup_part)k))
			continue;
		any = true;
		TRY(change_permit(appliance, by,
		    backup_part_row((enum backup_part)k)->make, NULL, &more,
		    why));
	}
	if (!any) {
		(void)snprintf(why, CHANGE_WHY_OCTETS, "no item is selected");
		TRY(ERR_FIELD);
	}
out:
	return rc;
}

static enum err
missing(enum err rc, const char *field, struct bytes name,
    char why[CHANGE_WHY_OCTETS])
{
	if (rc != ERR_NOT_FOUND)
		return rc;
	entry_refuse(field, name, "there is none of this name", why);
	return ERR_FIELD;
}

typedef enum err find_fn(struct appliance *appliance, struct bytes name);

static enum err
find_key(struct appliance *appliance, struct bytes name)
{
	const struct object *key;

	return store_find_name(appliance->store, NULL, 0, name, &key);
}

static enum err
find_query(struct appliance *appliance, struct bytes name)
{
	struct key_query query;

	return key_query_read(appliance->store, name, &query);
}

static enum err
find_cert(struct appliance *appliance, enum cert_kind kind, struct bytes name)
{
	struct cert cert = {.kind = kind};
	enum err rc = cert_read(appliance->store, kind, name, &cert);

	cert_clear(&cert);
	return rc;
}

static enum err
find_device_cert(struct appliance *appliance, struct bytes name)
{
	return find_cert(appliance, CERT_DEVICE, name);
}

static enum err
find_local_ca(struct appliance *appliance, struct bytes name)
{
	return find_cert(appliance, CERT_LOCAL_CA, name);
}

static enum err
find_all(struct appliance *appliance, const struct backup_choice *choice,
    find_fn *find, const char *field, char why[CHANGE_WHY_OCTETS])
{
	struct bytes names = buf_peek(&choice->names);
	struct bytes name;
	enum err rc = OK;

	if (choice->which != BACKUP_NAMED && choice->which != BACKUP_QUERY)
		return OK;
	while (backup_choice_next(&names, &name))
		TRY(missing(find(appliance, name), field, name, why));
out:
	return rc;
}

enum err
backup_permit(struct appliance *appliance, const struct principal *by,
    const struct backup_selection *selection, char why[CHANGE_WHY_OCTETS])
{
	bool queries = selection->keys.which == BACKUP_QUERY;
	enum err rc = OK;

	TRY(permit_parts(appliance, by, selection, why));
	if (selection->items[ITEM_KEYS])
		TRY(find_all(appliance, &selection->keys,
		    queries ? find_query : find_key,
		    queries ? "Query Name" : "Key Name", why));
	if (selection->items[ITEM_CERTIFICATES])
		TRY(find_all(appliance, &selection->certificates,
		    find_device_cert, "Certificate Name", why));
	if (selection->items[ITEM_LOCAL_CAS])
		TRY(find_all(appliance, &selection->cas, find_local_ca,
		    "Certificate Authority Name", why));
out:
	return rc;
}

/* ---- internal backups ---- */

struct names {
	char (*at)[BACKUP_BASE_OCTETS + 1];
	size_t count;
	size_t room;
};

static enum err
names_add(struct names *names, const char *name)
{
	if (*name == '.' || strlen(name) > BACKUP_BASE_OCTETS)
		return OK;
	if (names->count == names->room) {
		size_t room = names->room == 0 ? 16 : 2 * names->room;
		void *more = mem_regrow(names->at, room, sizeof(*names->at));

		if (more == NULL)
			return ERR_NOMEM;
		names->at = more;
		names->room = room;
	}
	(void)strcpy(names->at[names->count++], name);
	return OK;
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum err
names_read(const char *dir, struct names *names)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	enum err rc = OK;

	if (d == NULL)
		return ERR_SYSTEM;
	while (rc == OK && (entry = readdir(d)) != NULL)
		rc = names_add(names, entry->d_name);
	(void)closedir(d);
	if (names->count != 0)
		qsort(
		    names->at, names->count, sizeof(*names->at), name_compare);
	return rc;
}

static enum err
header_in(
    const struct backups *backups, const char *base, struct backup_header *out)
{
	char name[BACKUP_FILE_NAME_OCTETS];
	char *path = NULL;
	enum err rc = OK;

	backup_file_name(base, 0, name);
	TRY(mem_printf(
	    &path, "%s/%s/%s", backups->appliance->backup_dir, base, name));
	TRY(backup_header_of(path, out));
out:
	if (rc != OK && rc != ERR_NOMEM && rc != ERR_NOT_FOUND)
		log_line(
		    "backup", LOG_WARN, "backup %s: %s", base, err_text(rc));
	mem_free(path);
	return rc;
}

enum err
backup_each(struct appliance *appliance, backup_fn *each, void *ctx)
{
	struct names names = {.at = NULL};
	size_t k;
	enum err rc = OK;

	if (appliance->backup_dir == NULL)
		return OK;
	TRY(names_read(appliance->backup_dir, &names));
	for (k = 0; k < names.count; k++) {
		struct backup_header header;

		rc = header_in(appliance->backups, names.at[k], &header);
		if (rc == OK)
			TRY(each(ctx, &header));
		else if (rc == ERR_NOMEM)
			goto out;
		rc = OK; /* the log has it */
	}
out:
	mem_free(names.at);
	return rc;
}

/* As a name of one of those folders: nothing leads out of the place. */
static bool
base_take(struct bytes base, char out[BACKUP_BASE_OCTETS + 1])
{
	char name[BACKUP_FILE_NAME_OCTETS];
	unsigned number;

	if (base.octets == 0 || base.octets > BACKUP_BASE_OCTETS)
		return false;
	memcpy(out, base.at, base.octets);
	out[base.octets] = '\0';
	if (strlen(out) != base.octets)
		return false;
	backup_file_name(out, 0, name);
	return backup_file_parse(bytes_of_text(name), out, &number);
}

enum err
backup_find(
    struct appliance *appliance, struct bytes base, struct backup_header *out)
{
	char name[BACKUP_BASE_OCTETS + 1];

	if (appliance->backup_dir == NULL || !base_take(base, name))
		return ERR_NOT_FOUND;
	return header_in(appliance->backups, name, out);
}

enum err
backup_dir(struct appliance *appliance, struct bytes base, char **out)
{
	struct backup_header header;
	char name[BACKUP_BASE_OCTETS + 1];
	enum err rc = OK;

	*out = NULL;
	TRY(backup_find(appliance, base, &header));
	if (!base_take(base, name))
		TRY(ERR_NOT_FOUND);
	TRY(backups_path(appliance->backups, name, out));
out:
	return rc;
}

enum err
backup_open(
    struct appliance *appliance, struct bytes base, unsigned file, int *fd)
{
	struct backup_header header;
	char name[BACKUP_FILE_NAME_OCTETS];
	char *dir = NULL;
	char *path = NULL;
	enum err rc = OK;

	TRY(backup_find(appliance, base, &header));
	TRY(backup_dir(appliance, base, &dir));
	backup_file_name(header.base, file, name);
	TRY(mem_printf(&path, "%s/%s", dir, name));
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		TRY(errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM);
out:
	mem_free(dir);
	mem_free(path);
	return rc;
}

enum err
backup_delete(struct appliance *appliance, struct bytes base)
{
	struct backups *backups = appliance->backups;
	char *path = NULL;
	enum err rc = OK;

	TRY(backup_dir(appliance, base, &path));
	TRY(erase_path(backups->gone));
	if (rename(path, backups->gone) != 0)
		TRY(ERR_SYSTEM);
	TRY(erase_sync_dir(appliance->backup_dir));
	TRY(erase_path(backups->gone));
out:
	mem_free(path);
	return rc;
}
