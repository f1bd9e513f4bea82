#include "device/transfer_work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/percent.h"
#include "crypto/digest.h"
#include "wire/schema_enums.h"

#define PART ".part"

enum {
	/* How long it may take that somebody who cannot wake a thread is seen:
	 * progress is looked at so often. */
	LOOK_MS = 200,
	URL_OCTETS = 8 * 1024, /* each octet may become three */
	COMMAND_OCTETS = 4 * 1024,
	NEW_FILE_MODE = 0640,
};

_Static_assert(TRANSFER_ERROR_OCTETS >= CURL_ERROR_SIZE, "libcurl's texts");

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

unsigned
transfer_port(enum transfer_protocol protocol)
{
	return protocols[protocol].port;
}

bool
transfer_is_ssh(enum transfer_protocol protocol)
{
	return protocols[protocol].is_ssh;
}

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

void
transfer_say(struct transfer_work *work, enum err rc, const char *format, ...)
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
	transfer_say(work, ERR_DENIED,
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
		transfer_say(work, ERR_CLOSED, "cancelled");
	else if (work->is_stalled)
		transfer_say(work, ERR_TIMEOUT,
		    work->was_connected ? "the host does not answer any more"
					: "the host does not answer");
	else if (work->file_rc == ERR_LIMIT)
		transfer_say(work, ERR_LIMIT, "the file is too large");
	else if (work->file_rc != OK)
		transfer_say(work, work->file_rc,
		    work->file_rc == ERR_DISK_FULL
			? "no space left on this device"
			: "the file on this device cannot be used");
	else if (is_full(work))
		transfer_say(work, ERR_DISK_FULL, "no space left on the host");
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		say_refused_key(work);
	else if (code == CURLE_LOGIN_DENIED)
		transfer_say(work, outcome->rc, "%s (user %s)", outcome->text,
		    work->place.user);
	else if (outcome->text != NULL)
		transfer_say(work, outcome->rc, "%s", outcome->text);
	else
		transfer_say(work, outcome->rc, "%s",
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
	char password[TRANSFER_PASSWORD_OCTETS + 1];
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
		transfer_say(work, rc, "%s",
		    rc == ERR_NOMEM ? err_text(rc)
				    : "the file cannot be transferred so");
}

/* ---- the thread ---- */

void
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
		transfer_say(work, rc, "%s", err_text(rc));
	if (curl != NULL)
		curl_easy_cleanup(curl);
	if (multi != NULL)
		(void)curl_multi_cleanup(multi);
}

void
transfer_cancel(struct transfer_work *work)
{
	pthread_mutex_lock(&work->lock);
	work->is_cancelled = true;
	if (work->multi != NULL)
		(void)curl_multi_wakeup(work->multi);
	pthread_mutex_unlock(&work->lock);
}

/* ---- the library ---- */

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
transfer_library(void)
{
	(void)pthread_once(&library_once, library_begin);
	return library_code == CURLE_OK ? OK : ERR_SYSTEM;
}
