/*
 * A transfer as a thread does it, file by file. The one door of libcurl; who
 * asks, is told and may leave is device/transfer.c's.
 */
#ifndef DEVICE_TRANSFER_WORK_H
#define DEVICE_TRANSFER_WORK_H

#include <pthread.h>

#include "device/known_host.h"
#include "device/transfer.h"

enum { TRANSFER_ERROR_OCTETS = 256 }; /* libcurl's */

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
	char host[KNOWN_HOST_NAME_OCTETS];
	char known[KNOWN_HOST_FINGERPRINT_OCTETS]; /* "": none */
	char seen[KNOWN_HOST_FINGERPRINT_OCTETS];
	char seen_type[KNOWN_HOST_TYPE_OCTETS];
	enum transfer_protocol protocol; /* as spoken now */
	struct transfer_file *file;
	uint64_t moved_octets; /* by the callbacks, of this file */
	int64_t progress_octets;
	int64_t progress_us;
	bool is_stalled;
	bool was_connected;
	enum err file_rc; /* the local file's */
	long reply;       /* the FTP server's last; 0: none */
	char error[TRANSFER_ERROR_OCTETS];
	enum err rc;
	char why[CHANGE_WHY_OCTETS];
	/* ---- both ---- */
	pthread_mutex_t lock;
	void *multi; /* CURLM, to wake it; NULL: it is not waiting */
	bool is_cancelled;
};

/* libcurl made ready, once in a process, before the first thread. ERR_SYSTEM */
enum err transfer_library(void) MUST_CHECK;

/* What place.port 0 stands for; has the host a key? */
unsigned transfer_port(enum transfer_protocol protocol);
bool transfer_is_ssh(enum transfer_protocol protocol);

/* On a thread: until all files have arrived, one has not, or it is cancelled.
 * rc and why say what came of it. */
void transfer_run(void *work);

/* From any thread. */
void transfer_cancel(struct transfer_work *work);

/* What came of it: `why` is the host's name and these words, as far as there is
 * room. */
void transfer_say(struct transfer_work *work, enum err rc, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

#endif
