#include "device/transfer.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/percent.h"
#include "crypto/digest.h"
#include "device/appliance.h"
#include "device/fields.h"
#include "device/logs.h"
#include "store/record.h"
#include "wire/schema_enums.h"

#define HOST_KIND "ssh.host"
#define PART      ".part"

enum {
	THREADS = 4,
	/* How long it may take that somebody who cannot wake a thread is seen:
	 * progress is looked at so often. */
	LOOK_MS = 200,
	FINGERPRINT_OCTETS = 64, /* "SHA256:" and 43 digits */
	KEY_TYPE_OCTETS = 64,
	HOST_NAME_OCTETS = TRANSFER_HOST_OCTETS + 16, /* and the port */
	FIELDS_OCTETS = 256,
	URL_OCTETS = 8 * 1024, /* each octet may become three */
	COMMAND_OCTETS = 4 * 1024,
	PASSWORD_OCTETS = 256,
	NEW_FILE_MODE = 0640,
};

/* The thread's own, so that who asked can leave. */
struct transfer_work {
	/* ---- the loop's ---- */
	struct transfer *transfer;   /* NULL: nobody waits for it */
	struct transfers *transfers; /* NULL: they are gone */
	struct transfer_work *next;
	struct loop_task later;
	bool is_submitted;
	bool is_quiet; /* nobody is told */
	/* ---- the thread's, between submit and done ---- */
	enum transfer_direction direction;
	struct transfer_place place;
	uint64_t most_octets;
	int64_t connect_us;
	int64_t stall_us;
	struct transfer_file *files;
	size_t file_count;
	char host[HOST_NAME_OCTETS];
	char known[FINGERPRINT_OCTETS]; /* "": it is the first time */
	char seen[FINGERPRINT_OCTETS];
	char seen_type[KEY_TYPE_OCTETS];
	enum transfer_protocol protocol; /* as spoken now */
	struct transfer_file *file;
	uint64_t moved_octets; /* by the callbacks, of this file */
	int64_t progress_octets;
	int64_t progress_us;
	bool is_stalled;
	bool was_connected;
	enum err file_rc; /* the local file's */
	long reply;       /* the FTP server's last; 0: none */
	char error[CURL_ERROR_SIZE];
	enum err rc;
	char why[CHANGE_WHY_OCTETS];
	/* ---- both ---- */
	pthread_mutex_t lock;
	CURLM *multi; /* to wake it; NULL: it is not waiting */
	bool is_cancelled;
};

struct transfers {
	struct appliance *appliance;
	struct loop_pool *pool;
	struct transfer_work *works;                 /* submitted */
	void (*stand_in)(struct transfer *transfer); /* NULL: the network */
};

/* ---- protocols ---- */

/* Connections are ours, FTP's for data too, and from any port of ours.
 * req: KS-AA-005 KS-AA-032 KS-AA-043 ESKM-238 */
static const struct protocol {
	const char *scheme;
	unsigned port;
	bool is_ssh;
	bool renames;
	/* %1 and %2: the file as it is sent, and as it is called then */
	const char *forget; /* what is there; '*': it may fail */
	const char *from;
	const char *to;
} protocols[] = {
    [TRANSFER_SCP] = {"scp", 22, true, false, NULL, NULL, NULL},
    [TRANSFER_SFTP] = {"sftp", 22, true, true, "*rm ", "rename ", " "},
    [TRANSFER_FTP] = {"ftp", 21, false, true, "*DELE ", "RNFR ", "RNTO "},
};

/* ---- what a result means ---- */

/* req: KS-20-092 */
static const struct outcome {
	CURLcode code;
	enum err rc;
	const char *text; /* NULL: libcurl's own */
} outcomes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NOT_FOUND,
	"the name of the host cannot be resolved"},
    {CURLE_COULDNT_CONNECT, ERR_CLOSED, "the host cannot be reached"},
    {CURLE_LOGIN_DENIED, ERR_DENIED, "the login was refused"},
    {CURLE_REMOTE_ACCESS_DENIED, ERR_DENIED,
	"the directory is not there, or the user may not use it"},
    {CURLE_UPLOAD_FAILED, ERR_DENIED,
	"the user may not write to the directory"},
    {CURLE_REMOTE_FILE_NOT_FOUND, ERR_NOT_FOUND, "no such file or directory"},
    {CURLE_FTP_COULDNT_RETR_FILE, ERR_NOT_FOUND, "no such file"},
    {CURLE_REMOTE_DISK_FULL, ERR_DISK_FULL, "no space left on the host"},
    {CURLE_QUOTE_ERROR, ERR_DENIED,
	"the file cannot be given its name on the host"},
    {CURLE_GOT_NOTHING, ERR_CLOSED, "the host broke the connection"},
    {CURLE_SEND_ERROR, ERR_CLOSED, "the host broke the connection"},
    {CURLE_RECV_ERROR, ERR_CLOSED, "the host broke the connection"},
    {CURLE_PARTIAL_FILE, ERR_CLOSED, "the host broke the connection"},
    {CURLE_OUT_OF_MEMORY, ERR_NOMEM, "out of memory"},
};

static const struct outcome *
outcome_of(CURLcode code)
{
	static const struct outcome other = {CURLE_OK, ERR_SYSTEM, NULL};
	size_t k;

	for (k = 0; k < sizeof(outcomes) / sizeof(*outcomes); k++)
		if (outcomes[k].code == code)
			return &outcomes[k];
	return &other;
}

/* spec: RFC 959 4.2.2: there is no room for the file, or the user's is used up
 */
static bool
is_full(const struct transfer_work *work)
{
	return work->reply == 452 || work->reply == 552;
}

/* Behind the host's name; what has no room is cut. */
static void __attribute__((format(printf, 3, 4)))
say(struct transfer_work *work, enum err rc, const char *format, ...)
{
	size_t octets;
	va_list args;

	work->rc = rc;
	octets =
	    (size_t)snprintf(work->why, sizeof(work->why), "%s: ", work->host);
	va_start(args, format);
	(void)vsnprintf(
	    work->why + octets, sizeof(work->why) - octets, format, args);
	va_end(args);
}

static bool
is_cancelled(struct transfer_work *work)
{
	bool is;

	pthread_mutex_lock(&work->lock);
	is = work->is_cancelled;
	pthread_mutex_unlock(&work->lock);
	return is;
}

static void
say_refused_key(struct transfer_work *work)
{
	say(work, ERR_DENIED,
	    "the host key is %s, and was %s: refused until the known host is "
	    "removed",
	    work->seen, work->known);
}

/* What went wrong, best reason first. */
static void
explain(struct transfer_work *work, CURLcode code)
{
	const struct outcome *outcome = outcome_of(code);

	if (is_cancelled(work))
		say(work, ERR_CLOSED, "cancelled");
	else if (work->is_stalled)
		say(work, ERR_TIMEOUT,
		    work->was_connected ? "the host does not answer any more"
					: "the host does not answer");
	else if (work->file_rc == ERR_LIMIT)
		say(work, ERR_LIMIT, "the file is too large");
	else if (work->file_rc != OK)
		say(work, work->file_rc,
		    work->file_rc == ERR_DISK_FULL
			? "no space left on this device"
			: "the file on this device cannot be used");
	else if (is_full(work))
		say(work, ERR_DISK_FULL, "no space left on the host");
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		say_refused_key(work);
	else if (code == CURLE_LOGIN_DENIED)
		say(work, outcome->rc, "%s (user %s)", outcome->text,
		    work->place.user);
	else if (outcome->text != NULL)
		say(work, outcome->rc, "%s", outcome->text);
	else
		say(work, outcome->rc, "%s",
		    work->error[0] != '\0' ? work->error
					   : curl_easy_strerror(code));
}

/* ---- libcurl's questions, on the thread ---- */

static size_t
read_file(char *at, size_t size, size_t count, void *ctx)
{
	struct transfer_work *work = ctx;
	ssize_t got;

	got =
	    pread(work->file->fd, at, size * count, (off_t)work->moved_octets);
	if (got < 0) {
		work->file_rc = ERR_SYSTEM;
		return CURL_READFUNC_ABORT;
	}
	work->moved_octets += (uint64_t)got;
	return (size_t)got;
}

static size_t
write_file(char *at, size_t size, size_t count, void *ctx)
{
	struct transfer_work *work = ctx;
	size_t octets = size * count;

	if (work->most_octets != 0 &&
	    octets > work->most_octets - work->moved_octets) {
		work->file_rc = ERR_LIMIT;
		return 0;
	}
	work->file_rc = file_write_at(work->file->fd,
	    (struct bytes){(const uint8_t *)at, octets}, work->moved_octets);
	if (work->file_rc != OK)
		return 0;
	work->moved_octets += octets;
	return octets;
}

/* After whatever happened to the connection, and now and then: not 0 ends it.
 */
static int
look(void *ctx, curl_off_t fetch_total, curl_off_t fetched,
    curl_off_t send_total, curl_off_t sent)
{
	struct transfer_work *work = ctx;
	int64_t octets = fetched + sent;

	(void)fetch_total;
	(void)send_total;
	if (octets > 0)
		work->was_connected = true;
	if (octets != work->progress_octets)
		work->progress_us = -1; /* from now on */
	work->progress_octets = octets;
	return is_cancelled(work) ? 1 : 0;
}

/*
 * spec: RFC 4253 6.6: a key's octets begin with the name of its type
 */
static enum err
name_key(struct transfer_work *work, struct bytes key)
{
	struct bytes left = key;
	struct bytes octets;
	struct bytes type;
	uint8_t digest[DIGEST_MAX_OCTETS];
	size_t digest_length;
	char text[BASE64_CHARACTERS(DIGEST_MAX_OCTETS) + 1];
	enum err rc = OK;

	TRY(bytes_split(&left, 4, &octets));
	TRY(bytes_split(&left, bytes_u32(octets.at), &type));
	if (type.octets >= sizeof(work->seen_type))
		TRY(ERR_LENGTH);
	memcpy(work->seen_type, type.at, type.octets);
	work->seen_type[type.octets] = '\0';
	TRY(digest_make(
	    HASHING_ALGORITHM_SHA_256, key, digest, &digest_length));
	base64_write((struct bytes){digest, digest_length}, text);
	/* 256 bits are 43 characters; nobody writes the padding */
	(void)snprintf(work->seen, sizeof(work->seen), "SHA256:%.43s", text);
out:
	return rc;
}

static int
judge_key(void *ctx, int type, const char *key, size_t octets)
{
	struct transfer_work *work = ctx;
	struct bytes in = {(const uint8_t *)key, octets};

	(void)type; /* the key says it, too */
	if (name_key(work, in) != OK)
		return CURLKHMATCH_MISMATCH;
	if (work->known[0] == '\0' || strcmp(work->known, work->seen) == 0)
		return CURLKHMATCH_OK;
	return CURLKHMATCH_MISMATCH;
}

/* ---- addresses and names ---- */

/* An IPv6 address has its brackets in an address only. */
static enum err
put_host(const struct transfer_work *work, struct buf *out)
{
	const char *host = work->place.host;
	bool is_bare = strchr(host, ':') != NULL && host[0] != '[';

	return buf_printf(out, is_bare ? "[%s]" : "%s", host);
}

static enum err
put_path(struct bytes path, struct buf *out)
{
	enum err rc = OK;

	while (path.octets != 0) {
		const uint8_t *end = memchr(path.at, '/', path.octets);
		struct bytes part = {path.at,
		    end != NULL ? (size_t)(end - path.at) : path.octets};

		TRY(percent_put(out, part));
		if (end != NULL)
			TRY(buf_put_text(out, "/"));
		path.at += part.octets + (end != NULL ? 1 : 0);
		path.octets -= part.octets + (end != NULL ? 1 : 0);
	}
out:
	return rc;
}

/*
 * The directory with its slash behind it. With SSH a path is the host's, and
 * "/~/" stands for the user's home; a second slash keeps a directory that is
 * called ~ apart from it. With FTP a path is the home's, and the root's first
 * slash is escaped.
 */
static enum err
put_url(const struct transfer_work *work, const char *name, struct buf *out)
{
	const struct protocol *protocol = &protocols[work->protocol];
	struct bytes directory = bytes_of_text(work->place.directory);
	enum err rc = OK;

	TRY(buf_printf(out, "%s://", protocol->scheme));
	TRY(put_host(work, out));
	TRY(buf_printf(out, ":%u/", work->place.port));
	if (directory.octets != 0 && directory.at[0] == '/')
		TRY(buf_put_text(out, protocol->is_ssh ? "/" : "%2F"));
	else if (protocol->is_ssh)
		TRY(buf_put_text(out, "~/"));
	while (directory.octets != 0 && directory.at[0] == '/')
		TRY(bytes_split(&directory, 1, &(struct bytes){0}));
	TRY(put_path(directory, out));
	if (directory.octets != 0)
		TRY(buf_put_text(out, "/"));
	TRY(percent_put(out, bytes_of_text(name)));
	TRY(buf_put(out, (struct bytes){(const uint8_t *)"", 1}));
out:
	return rc;
}

/* A file's name in a command: SFTP's in quotes, with the path; FTP's as it is,
 * in the directory where the connection is. */
static enum err
put_name(const struct transfer_work *work, const char *name, const char *ending,
    struct buf *out)
{
	const char *directory = work->place.directory;
	const char *parts[] = {
	    directory, directory[0] != '\0' ? "/" : "", name, ending};
	size_t k;
	const char *p;
	enum err rc = OK;

	if (work->protocol == TRANSFER_FTP)
		return buf_printf(out, "%s%s", name, ending);
	TRY(buf_put_text(out, "\""));
	for (k = 0; k < sizeof(parts) / sizeof(*parts); k++)
		for (p = parts[k]; *p != '\0'; p++)
			TRY(buf_printf(out,
			    strchr("\"'\\", *p) != NULL ? "\\%c" : "%c", *p));
	TRY(buf_put_text(out, "\""));
out:
	return rc;
}

static enum err
add_command(struct buf *command, struct curl_slist **list)
{
	struct curl_slist *longer;
	enum err rc = OK;

	TRY(buf_put(command, (struct bytes){(const uint8_t *)"", 1}));
	longer = curl_slist_append(*list, (const char *)command->at);
	if (longer == NULL)
		TRY(ERR_NOMEM);
	*list = longer;
	buf_reset(command);
out:
	return rc;
}

/* What is done when the file is there under its first name. */
static enum err
rename_commands(const struct transfer_work *work, struct curl_slist **list)
{
	const struct protocol *protocol = &protocols[work->protocol];
	const char *name = work->file->name;
	struct buf command;
	enum err rc = OK;

	buf_init(&command, COMMAND_OCTETS);
	TRY(buf_put_text(&command, protocol->forget));
	TRY(put_name(work, name, "", &command));
	TRY(add_command(&command, list));
	TRY(buf_put_text(&command, protocol->from));
	TRY(put_name(work, name, PART, &command));
	if (work->protocol == TRANSFER_FTP)
		TRY(add_command(&command, list));
	TRY(buf_put_text(&command, protocol->to));
	TRY(put_name(work, name, "", &command));
	TRY(add_command(&command, list));
out:
	buf_clear(&command);
	return rc;
}

/* ---- one file ---- */

/* libcurl takes options one by one, and copies strings; only memory can be
 * missing. */
#define SET(curl, option, value)                                           \
	do {                                                               \
		CURLcode set_code =                                        \
		    curl_easy_setopt((curl), (option), (value));           \
		if (set_code != CURLE_OK)                                  \
			TRY(set_code == CURLE_OUT_OF_MEMORY ? ERR_NOMEM    \
							    : ERR_SYSTEM); \
	} while (0)

static enum err
set_connection(CURL *curl, struct transfer_work *work)
{
	char password[PASSWORD_OCTETS + 1];
	struct bytes secret = BYTES_NONE;
	enum err rc = OK;

	if (work->place.password != NULL)
		secret = secret_peek(work->place.password);
	if (secret.octets != 0)
		memcpy(password, secret.at, secret.octets);
	password[secret.octets] = '\0';
	SET(curl, CURLOPT_PROTOCOLS_STR, "scp,sftp,ftp");
	SET(curl, CURLOPT_NOSIGNAL, 1L);
	SET(curl, CURLOPT_QUICK_EXIT, 1L);
	SET(curl, CURLOPT_PROXY, ""); /* nor the environment's */
	SET(curl, CURLOPT_USERNAME, work->place.user);
	SET(curl, CURLOPT_PASSWORD, password);
	SET(curl, CURLOPT_SSH_AUTH_TYPES,
	    CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD);
	SET(curl, CURLOPT_SSH_HOSTKEYFUNCTION, judge_key);
	SET(curl, CURLOPT_SSH_HOSTKEYDATA, work);
	SET(curl, CURLOPT_NEW_FILE_PERMS, (long)NEW_FILE_MODE);
	SET(curl, CURLOPT_FTP_FILEMETHOD, (long)CURLFTPMETHOD_SINGLECWD);
	SET(curl, CURLOPT_NOPROGRESS, 0L);
	SET(curl, CURLOPT_XFERINFOFUNCTION, look);
	SET(curl, CURLOPT_XFERINFODATA, work);
	SET(curl, CURLOPT_ERRORBUFFER, work->error);
	/* look() and stalled() end it: libcurl's own time is no limit */
	SET(curl, CURLOPT_CONNECTTIMEOUT_MS, 24L * 3600 * 1000);
	SET(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, 24L * 3600);
out:
	secret_wipe(password, sizeof(password));
	return rc;
}

static enum err
set_file(CURL *curl, struct transfer_work *work, struct buf *url,
    struct curl_slist **commands)
{
	const struct protocol *protocol = &protocols[work->protocol];
	bool sends = work->direction == TRANSFER_SEND;
	char name[TRANSFER_NAME_OCTETS + sizeof(PART)];
	struct stat about;
	enum err rc = OK;

	(void)snprintf(name, sizeof(name), "%s%s", work->file->name,
	    sends && protocol->renames ? PART : "");
	TRY(put_url(work, name, url));
	SET(curl, CURLOPT_URL, (const char *)url->at);
	SET(curl, CURLOPT_UPLOAD, sends ? 1L : 0L);
	SET(curl, CURLOPT_READFUNCTION, read_file);
	SET(curl, CURLOPT_READDATA, work);
	SET(curl, CURLOPT_WRITEFUNCTION, write_file);
	SET(curl, CURLOPT_WRITEDATA, work);
	if (sends) {
		if (fstat(work->file->fd, &about) != 0) {
			work->file_rc = ERR_SYSTEM;
			TRY(ERR_SYSTEM);
		}
		SET(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)about.st_size);
	}
	if (sends && protocol->renames)
		TRY(rename_commands(work, commands));
	SET(curl, CURLOPT_POSTQUOTE, *commands);
out:
	return rc;
}

/* Has it been too long since anything was heard? */
static bool
is_stalled(CURL *curl, struct transfer_work *work)
{
	curl_off_t now_us = 0;
	curl_off_t connected_us = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &now_us);
	(void)curl_easy_getinfo(
	    curl, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
	if (connected_us > 0 && !work->was_connected) {
		work->was_connected = true;
		work->progress_us = connected_us;
	}
	if (work->progress_us < 0)
		work->progress_us = now_us;
	return now_us - work->progress_us >
	       (work->was_connected ? work->stall_us : work->connect_us);
}

static void
waits(struct transfer_work *work, CURLM *multi)
{
	pthread_mutex_lock(&work->lock);
	work->multi = multi;
	pthread_mutex_unlock(&work->lock);
}

/* One transfer by libcurl, until its end. */
static CURLcode
perform(CURLM *multi, CURL *curl, struct transfer_work *work)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;
	CURLMsg *message;
	int running = 1;
	int left;

	if (curl_multi_add_handle(multi, curl) != CURLM_OK)
		return code;
	while (running != 0 && !is_cancelled(work) && !work->is_stalled) {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			break;
		if (running != 0)
			(void)curl_multi_poll(multi, NULL, 0, LOOK_MS, NULL);
		work->is_stalled = is_stalled(curl, work);
	}
	if (running == 0)
		work->is_stalled = false;
	while ((message = curl_multi_info_read(multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &work->reply);
	(void)curl_multi_remove_handle(multi, curl);
	return code;
}

/* Begin again, with the file as with the clock. */
static void
rewind_file(struct transfer_work *work)
{
	work->moved_octets = 0;
	work->progress_octets = 0;
	work->progress_us = 0;
	work->is_stalled = false;
	work->was_connected = false;
	work->file_rc = OK;
	work->reply = 0;
	work->error[0] = '\0';
	work->seen[0] = '\0';
}

static enum err
move_once(CURLM *multi, CURL *curl, struct transfer_work *work, CURLcode *code)
{
	struct curl_slist *commands = NULL;
	struct buf url;
	enum err rc = OK;

	buf_init(&url, URL_OCTETS);
	rewind_file(work);
	*code = CURLE_FAILED_INIT;
	TRY(set_file(curl, work, &url, &commands));
	*code = perform(multi, curl, work);
	(void)curl_easy_setopt(curl, CURLOPT_POSTQUOTE, NULL);
out:
	curl_slist_free_all(commands);
	buf_clear(&url);
	return rc;
}

/* It is an SSH server that lets us in, and has no SFTP. */
static bool
has_no_sftp(const struct transfer_work *work, CURLcode code)
{
	return code == CURLE_FAILED_INIT && work->seen[0] != '\0' &&
	       work->place.protocol == TRANSFER_SCP &&
	       work->protocol == TRANSFER_SFTP;
}

static void
move_file(CURLM *multi, CURL *curl, struct transfer_work *work)
{
	CURLcode code;
	enum err rc = OK;

	TRY(move_once(multi, curl, work, &code));
	if (has_no_sftp(work, code)) {
		work->protocol = TRANSFER_SCP;
		TRY(move_once(multi, curl, work, &code));
	}
	work->file->octets = work->moved_octets;
	if (code == CURLE_OK && !is_cancelled(work))
		work->file->arrived = true;
	else
		explain(work, code);
out:
	if (rc != OK)
		say(work, rc, "%s",
		    rc == ERR_NOMEM ? err_text(rc)
				    : "the file cannot be transferred so");
}

/* ---- the thread ---- */

static void
transfer_run(void *ctx)
{
	struct transfer_work *work = ctx;
	CURLM *multi = curl_multi_init();
	CURL *curl = curl_easy_init();
	size_t k;
	enum err rc = OK;

	if (multi == NULL || curl == NULL)
		TRY(ERR_NOMEM);
	TRY(set_connection(curl, work));
	waits(work, multi);
	for (k = 0; k < work->file_count && work->rc == OK; k++) {
		work->file = &work->files[k];
		move_file(multi, curl, work);
	}
out:
	waits(work, NULL);
	if (rc != OK)
		say(work, rc, "%s", err_text(rc));
	if (curl != NULL)
		curl_easy_cleanup(curl);
	if (multi != NULL)
		(void)curl_multi_cleanup(multi);
}

/* ---- host keys, on the loop ---- */

static enum err
host_known(struct store *st, struct transfer_work *work)
{
	struct bytes fingerprint;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, FIELDS_OCTETS);
	rc = record_get(st, HOST_KIND, bytes_of_text(work->host), &value);
	if (rc == ERR_NOT_FOUND) {
		rc = OK;
		goto out;
	}
	TRY(rc);
	TRY(fields_find(buf_peek(&value), "fingerprint", &fingerprint));
	(void)snprintf(work->known, sizeof(work->known), "%.*s",
	    (int)fingerprint.octets, (const char *)fingerprint.at);
out:
	buf_clear(&value);
	return rc;
}

/* It is the key of that host from now on, unless another transfer was first. */
static enum err
host_keep(struct store *st, struct transfer_work *work)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, FIELDS_OCTETS);
	if (work->known[0] != '\0' || work->seen[0] == '\0')
		goto out;
	TRY(host_known(st, work));
	if (work->known[0] != '\0')
		goto out;
	TRY(fields_put_text(&value, "type", work->seen_type));
	TRY(fields_put_text(&value, "fingerprint", work->seen));
	TRY(record_put(
	    st, HOST_KIND, bytes_of_text(work->host), buf_peek(&value)));
	logs_add_system(work->transfers->appliance, "Transfer",
	    "The SSH server %s is known from now on by its key: %s %s",
	    work->host, work->seen_type, work->seen);
out:
	buf_clear(&value);
	return rc;
}

struct host_walk {
	transfer_host_fn *each;
	void *ctx;
};

static enum err
host_show(void *ctx, struct bytes key, struct bytes value)
{
	struct host_walk *walk = ctx;
	struct transfer_host host = {.name = key};
	enum err rc = OK;

	TRY(fields_find(value, "type", &host.type));
	TRY(fields_find(value, "fingerprint", &host.fingerprint));
	TRY(walk->each(walk->ctx, &host));
out:
	return rc;
}

enum err
transfer_host_each(struct store *st, transfer_host_fn *each, void *ctx)
{
	struct host_walk walk = {each, ctx};

	return record_each(st, HOST_KIND, host_show, &walk);
}

enum err
transfer_host_forget(struct store *st, const char *name)
{
	return record_delete(st, HOST_KIND, bytes_of_text(name));
}

/* ---- work, on the loop ---- */

static void
work_free(struct transfer_work *work)
{
	size_t k;

	if (work == NULL)
		return;
	for (k = 0; k < work->file_count; k++)
		(void)close(work->files[k].fd);
	mem_free(work->files);
	secret_free(work->place.password);
	pthread_mutex_destroy(&work->lock);
	mem_free(work);
}

static void
work_cancel(struct transfer_work *work)
{
	pthread_mutex_lock(&work->lock);
	work->is_cancelled = true;
	if (work->multi != NULL)
		(void)curl_multi_wakeup(work->multi);
	pthread_mutex_unlock(&work->lock);
}

static void
work_unlink(struct transfer_work *work)
{
	struct transfer_work **p;

	if (work->transfers == NULL)
		return;
	for (p = &work->transfers->works; *p != work; p = &(*p)->next)
		;
	*p = work->next;
	work->transfers = NULL;
}

static void
tell(void *ctx)
{
	struct transfer_work *work = ctx;
	struct transfer *transfer = work->transfer;

	work_unlink(work);
	(void)snprintf(transfer->why, sizeof(transfer->why), "%s", work->why);
	transfer->done(transfer, work->rc);
}

static void
ran(void *ctx, enum err rc)
{
	struct transfer_work *work = ctx;

	work->is_submitted = false;
	if (work->transfers != NULL && rc == OK) {
		struct store *st = work->transfers->appliance->store;
		enum err kept = host_keep(st, work);

		if (kept != OK)
			log_line("device", LOG_ERROR,
			    "host key of %s: not kept: %s", work->host,
			    err_text(kept));
	}
	if (work->transfer == NULL) {
		work_unlink(work);
		work_free(work);
		return;
	}
	if (work->is_quiet)
		return;
	if (rc != OK)
		say(work, rc, "%s", err_text(rc));
	tell(work);
}

/* ---- what can be asked for ---- */

static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static enum err
refuse(struct transfer *transfer, const char *field, const char *rule)
{
	(void)snprintf(
	    transfer->why, sizeof(transfer->why), "%s: %s", field, rule);
	return ERR_FIELD;
}

/* req: KS-20-091 */
static enum err
check_place(struct transfer *transfer)
{
	static const char host_letters[] = "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-._:[]";
	const struct transfer_place *place = &transfer->place;
	const char *host = place->host;
	enum err rc = OK;

	if (host[0] == '\0' || host[strspn(host, host_letters)] != '\0')
		TRY(refuse(transfer, "Host", "a host name or an IP address"));
	if (place->user[0] == '\0' || !is_plain(place->user))
		TRY(refuse(transfer, "Username", "the name of a user there"));
	if (!is_plain(place->directory))
		TRY(refuse(transfer, "Directory",
		    "no control character can be in it"));
	if (place->password != NULL &&
	    secret_peek(place->password).octets > PASSWORD_OCTETS)
		TRY(refuse(transfer, "Password", "256 octets at most"));
	if (transfer->file_count == 0)
		TRY(refuse(transfer, "File", "there is none"));
out:
	return rc;
}

/* ---- what others call ---- */

enum err
transfer_new(struct appliance *appliance, struct transfer **out)
{
	struct transfer *transfer = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(transfer));
	TRY(MEM_NEW(transfer->work));
	(void)pthread_mutex_init(&transfer->work->lock, NULL);
	transfer->work->transfer = transfer;
	transfer->of = appliance->transfers;
	*out = transfer;
	transfer = NULL;
out:
	mem_free(transfer);
	return rc;
}

enum err
transfer_add(struct transfer *transfer, const char *name, int fd)
{
	struct transfer_work *work = transfer->work;
	struct transfer_file *files;
	struct transfer_file *file;
	enum err rc = OK;

	if (name[0] == '\0' || strlen(name) > TRANSFER_NAME_OCTETS ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strchr(name, '/') != NULL || !is_plain(name))
		TRY(refuse(transfer, "File", "no file can be called so"));
	if (work->file_count == TRANSFER_FILES_MOST)
		TRY(ERR_COUNT);
	files =
	    mem_regrow(work->files, work->file_count + 1, sizeof(*work->files));
	if (files == NULL)
		TRY(ERR_NOMEM);
	work->files = files;
	transfer->files = files;
	file = &files[work->file_count];
	*file = (struct transfer_file){.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
	if (file->fd < 0)
		TRY(ERR_SYSTEM);
	memcpy(file->name, name, strlen(name) + 1);
	transfer->file_count = ++work->file_count;
out:
	return rc;
}

static enum err
begin(struct transfer *transfer)
{
	struct transfers *transfers = transfer->of;
	struct transfer_work *work = transfer->work;
	struct transfer_place *place = &work->place;
	enum err rc = OK;

	rc = check_place(transfer);
	if (rc != OK)
		(void)snprintf(
		    work->why, sizeof(work->why), "%s", transfer->why);
	TRY(rc);
	*place = transfer->place;
	transfer->place.password = NULL;
	if (place->port == 0)
		place->port = protocols[place->protocol].port;
	(void)snprintf(
	    work->host, sizeof(work->host), "%s:%u", place->host, place->port);
	/* see transfer.h: SCP begins as SFTP */
	work->protocol =
	    place->protocol == TRANSFER_SCP ? TRANSFER_SFTP : place->protocol;
	work->direction = transfer->direction;
	work->most_octets = transfer->most_octets;
	work->connect_us =
	    1000 * (int64_t)(transfer->connect_ms != 0 ? transfer->connect_ms
						       : TRANSFER_CONNECT_MS);
	work->stall_us =
	    1000 * (int64_t)(transfer->stall_ms != 0 ? transfer->stall_ms
						     : TRANSFER_STALL_MS);
	if (protocols[place->protocol].is_ssh)
		TRY(host_known(transfers->appliance->store, work));
	TRY(loop_submit(transfers->pool, transfer_run, ran, work));
	work->is_submitted = true;
out:
	return rc;
}

void
transfer_begin(struct transfer *transfer)
{
	struct transfer_work *work = transfer->work;
	enum err rc;

	if (transfer->of->stand_in != NULL) {
		transfer->of->stand_in(transfer);
		return;
	}
	work->transfers = transfer->of;
	work->next = transfer->of->works;
	transfer->of->works = work;
	/* a thread has it from here on, unless it failed */
	rc = begin(transfer);
	if (rc == OK)
		return;
	work->rc = rc;
	if (work->why[0] == '\0')
		say(work, rc, "%s", err_text(rc));
	work->later = (struct loop_task){.fn = tell, .ctx = work};
	loop_later(transfer->of->appliance->loop, &work->later);
}

void
transfer_drop(struct transfer *transfer)
{
	struct transfer_work *work;

	if (transfer == NULL)
		return;
	work = transfer->work;
	work->transfer = NULL;
	if (work->is_submitted) {
		work_cancel(work);
	} else {
		loop_task_cancel(&work->later);
		work_unlink(work);
		work_free(work);
	}
	secret_free(transfer->place.password);
	mem_free(transfer);
}

/* ---- the appliance's ---- */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static CURLcode library_code;

static char *
library_strdup(const char *s)
{
	size_t octets = strlen(s) + 1;
	char *copy = mem_library_new(octets);

	if (copy != NULL)
		memcpy(copy, s, octets);
	return copy;
}

static void *
library_calloc(size_t count, size_t octets)
{
	size_t all;
	void *p;

	if (__builtin_mul_overflow(count, octets, &all))
		return NULL;
	p = mem_library_new(all);
	if (p != NULL)
		memset(p, 0, all);
	return p;
}

/*
 * Once in a process, and never undone: a thread that hangs may be in it. Its
 * blocks hold passwords, and are wiped.
 */
static void
library_begin(void)
{
	library_code = curl_global_init_mem(CURL_GLOBAL_NOTHING,
	    mem_library_new, mem_library_free, mem_library_regrow,
	    library_strdup, library_calloc);
}

enum err
transfers_new(struct appliance *appliance, struct transfers **out)
{
	struct transfers *transfers = NULL;
	enum err rc = OK;

	*out = NULL;
	(void)pthread_once(&library_once, library_begin);
	if (library_code != CURLE_OK)
		TRY(ERR_SYSTEM);
	TRY(MEM_NEW(transfers));
	transfers->appliance = appliance;
	TRY(loop_pool_new(
	    appliance->loop, "transfer", THREADS, &transfers->pool));
	*out = transfers;
	transfers = NULL;
out:
	mem_free(transfers);
	return rc;
}

void
transfers_stop(struct transfers *transfers)
{
	struct transfer_work *work;

	for (work = transfers->works; work != NULL; work = work->next) {
		work->is_quiet = true;
		loop_task_cancel(&work->later);
		if (work->is_submitted)
			work_cancel(work);
	}
}

void
transfers_free(struct transfers *transfers)
{
	if (transfers == NULL)
		return;
	transfers_stop(transfers);
	while (transfers->works != NULL)
		work_unlink(transfers->works);
	mem_free(transfers); /* the loop has the pool */
}

void
transfers_stand_in(
    struct transfers *transfers, void (*other)(struct transfer *transfer))
{
	transfers->stand_in = other;
}

unsigned
transfers_running(const struct transfers *transfers)
{
	return loop_pool_jobs(transfers->pool);
}
