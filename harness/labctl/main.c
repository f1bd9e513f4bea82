/*
 * labctl: the laboratory's clock, and a word with its processes.
 *
 *	labctl make DIR [now]           make DIR/clock: see below
 *	labctl show DIR                 print it
 *	labctl advance DIR DURATION     2h, 1h30m, 45s, 3d, 250ms
 *	labctl set DIR TIME             wall time: 2026-11-21T10:00:00Z or
 *	                                @SECONDS
 *	labctl ask DIR/lab/X.sock WORDS...   one command, its answer printed
 *
 * A laboratory begins at noon of the second Wednesday of a month, the last that
 * has been by this machine: no schedule of days, weeks or months is near, and
 * whatever hour it is outside, the same things happen inside. What it issues is
 * valid outside. With "now" it is this machine's time: for what leaves the
 * laboratory.
 *
 * DIR/clock (clock.h) is mapped by every process of an appliance and written
 * only here. Each process has a control socket DIR/lab/NAME.sock that takes
 * lines; after a change every one that listens is told "clock", and has
 * answered "ok ... next=MS|none ..." before labctl returns. Time goes from one
 * due timer to the next, whichever process it is in, so that each fires at its
 * own time, and processes in their order; after MAX_STEPS of them the rest is
 * one leap.
 *
 * A timer that looks again and again whether something has changed would make
 * each second a step. Where it comes first the process says "firm=MS|none" as
 * well: the first that is of another kind. At the beginning and after each of
 * those, LOOKS of the others fire at their own times, so that what changed is
 * seen and acted upon; then time leaps to the next firm one, or to the end, and
 * the others fire there once.
 *
 * Exit status: 0 done, 1 a process says error or nothing, 2 wrong usage.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum {
	MAX_PROCESSES = 16,
	MAX_STEPS = 10000,
	LOOKS = 5,
	DAY_S = 24 * 60 * 60,
	WEDNESDAY = 3,     /* of struct tm */
	ANSWER_MS = 20000, /* a process that takes longer hangs */
	LINE_OCTETS = 4096,
};

struct process {
	char name[256];
	int fd;
	char answer[LINE_OCTETS];
};

static struct process processes[MAX_PROCESSES];
static size_t process_count;

static void __attribute__((noreturn, format(printf, 2, 3)))
die(int status, const char *format, ...)
{
	va_list args;

	fputs("labctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

/* ---- processes ---- */

/* -1 when nobody listens there any more. */
static int
connect_to(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(at.sun_path))
		die(2, "%s: too long for a socket", path);
	memcpy(at.sun_path, path, strlen(path));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Relative to the present directory, since socket paths are short. */
static void
find_processes(void)
{
	DIR *dir = opendir("lab");
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct process *p = &processes[process_count];
		size_t length = strlen(entry->d_name);
		char path[300];

		if (length < 6 ||
		    strcmp(entry->d_name + length - 5, ".sock") != 0)
			continue;
		if (process_count == MAX_PROCESSES)
			die(1, "more than %d processes", MAX_PROCESSES);
		(void)snprintf(path, sizeof(path), "lab/%s", entry->d_name);
		p->fd = connect_to(path);
		if (p->fd < 0)
			continue;
		(void)snprintf(p->name, sizeof(p->name), "%s", entry->d_name);
		process_count++;
	}
	if (dir != NULL)
		closedir(dir);
}

static void
say(const struct process *p, const char *words)
{
	char line[LINE_OCTETS];
	int length = snprintf(line, sizeof(line), "%s\n", words);

	if (length >= (int)sizeof(line) ||
	    send(p->fd, line, (size_t)length, MSG_NOSIGNAL) != length)
		die(1, "%s: does not listen", p->name);
}

/* One line without its end; "" when it went away instead. */
static void
hear(struct process *p)
{
	size_t length = 0;

	for (;;) {
		struct pollfd ready = {.fd = p->fd, .events = POLLIN};
		ssize_t got;

		if (poll(&ready, 1, ANSWER_MS) != 1)
			die(1, "%s: no answer in %d s", p->name,
			    ANSWER_MS / 1000);
		got = recv(p->fd, p->answer + length,
		    sizeof(p->answer) - length - 1, 0);
		if (got <= 0)
			break;
		length += (size_t)got;
		if (p->answer[length - 1] == '\n')
			break;
		if (length + 1 == sizeof(p->answer))
			die(1, "%s: too long an answer", p->name);
	}
	p->answer[length] = '\0';
	p->answer[strcspn(p->answer, "\n")] = '\0';
}

/* Due times; INT64_MAX: none. */
struct dues {
	int64_t next;
	int64_t firm;
};

/* The number behind `name`, where there is one. */
static bool
due_of(const char *answer, const char *name, int64_t *due)
{
	const char *at = strstr(answer, name);

	*due = INT64_MAX;
	if (at != NULL)
		(void)sscanf(at + strlen(name), "%" SCNd64, due);
	return at != NULL;
}

/* The first ones that any of them named. */
static struct dues
tell_all(const char *words)
{
	struct dues first = {INT64_MAX, INT64_MAX};
	size_t k;

	for (k = 0; k < process_count; k++)
		say(&processes[k], words);
	for (k = 0; k < process_count; k++) {
		struct process *p = &processes[k];
		struct dues due;

		hear(p);
		if (strncmp(p->answer, "ok", 2) != 0)
			die(1, "%s: %s", p->name,
			    p->answer[0] != '\0' ? p->answer : "went away");
		if (!due_of(p->answer, " next=", &due.next))
			die(1, "%s: says no next: %s", p->name, p->answer);
		if (!due_of(p->answer, " firm=", &due.firm))
			due.firm = due.next;
		if (due.next < first.next)
			first.next = due.next;
		if (due.firm < first.firm)
			first.firm = due.firm;
	}
	return first;
}

/* ---- the clock ---- */

/* Locked against others of us until we end. */
static struct clock_file *
open_clock(int flags)
{
	struct clock_file *file;
	int fd = open("clock", O_RDWR | O_CLOEXEC | flags, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		die(1, "clock: %s", strerror(errno));
	if ((flags & O_CREAT) && ftruncate(fd, sizeof(*file)) != 0)
		die(1, "clock: %s", strerror(errno));
	file = mmap(
	    NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		die(1, "clock: %s", strerror(errno));
	if (!(flags & O_CREAT) && memcmp(file->magic, CLOCK_MAGIC, 8) != 0)
		die(1, "clock: is none");
	return file;
}

static void
put(int64_t *field, int64_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

static void
move_on(struct clock_file *file, int64_t by_ms)
{
	put(&file->hsm_ms, file->hsm_ms + by_ms);
	put(&file->elapsed_ms, file->elapsed_ms + by_ms);
	__atomic_add_fetch(&file->generation, 1, __ATOMIC_RELEASE);
}

static time_t
first_noon(void)
{
	time_t now = time(NULL);
	time_t noon = now - now % DAY_S + DAY_S / 2;
	struct tm tm;

	for (;; noon -= DAY_S) {
		(void)gmtime_r(&noon, &tm);
		if (noon <= now && tm.tm_wday == WEDNESDAY && tm.tm_mday > 7 &&
		    tm.tm_mday <= 14)
			return noon;
	}
}

static void
make(bool now)
{
	struct clock_file *file = open_clock(O_CREAT | O_EXCL);

	file->wall_offset_ms =
	    (int64_t)(now ? time(NULL) : first_noon()) * 1000;
	file->hsm_ms = file->wall_offset_ms;
	memcpy(file->magic, CLOCK_MAGIC, 8);
}

static void
show(void)
{
	const struct clock_file *file = open_clock(0);
	int64_t wall_ms = file->elapsed_ms + file->wall_offset_ms;
	time_t wall = (time_t)(wall_ms / 1000);
	struct tm tm;
	char text[40];

	(void)gmtime_r(&wall, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("wall=%s wall_s=%" PRId64 " elapsed_ms=%" PRId64
	       " hsm_ms=%" PRId64 " generation=%" PRIu64 "\n",
	    text, (int64_t)wall, file->elapsed_ms, file->hsm_ms,
	    file->generation);
}

static const struct {
	const char *unit;
	int64_t ms;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

static int64_t
read_duration(const char *text)
{
	const char *at = text;
	int64_t sum = 0;

	do {
		size_t digits = strspn(at, "0123456789");
		size_t letters = strspn(at + digits, "dhms");
		size_t k;

		for (k = 0; k < sizeof(units) / sizeof(units[0]); k++) {
			if (strlen(units[k].unit) == letters &&
			    strncmp(units[k].unit, at + digits, letters) == 0)
				break;
		}
		if (digits == 0 || digits > 9 ||
		    k == sizeof(units) / sizeof(units[0]))
			die(2, "%s: no duration; try 1h30m", text);
		sum += strtoll(at, NULL, 10) * units[k].ms;
		at += digits + letters;
	} while (*at != '\0');
	return sum;
}

static int64_t
read_time(const char *text)
{
	struct tm tm = {0};
	const char *end;
	char *tail;
	long long seconds;

	if (text[0] == '@') {
		errno = 0;
		seconds = strtoll(text + 1, &tail, 10);
		if (text[1] == '\0' || *tail != '\0' || errno != 0 ||
		    seconds > INT64_MAX / 1000 || seconds < INT64_MIN / 1000)
			die(2, "%s: no time", text);
		return seconds * 1000;
	}
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		die(2, "%s: no time; try 2026-11-21T10:00:00Z", text);
	return (int64_t)timegm(&tm) * 1000;
}

static void
advance(const char *duration)
{
	int64_t by_ms = read_duration(duration);
	struct clock_file *file = open_clock(0);
	int64_t target_ms = file->elapsed_ms + by_ms;
	struct dues due;
	int looks = LOOKS;
	int steps = 0;

	find_processes();
	due = tell_all("clock");
	while (file->elapsed_ms < target_ms) {
		int64_t to_ms = looks > 0 ? due.next : due.firm;

		looks = to_ms == due.firm ? LOOKS : looks - 1;
		if (to_ms > target_ms || ++steps > MAX_STEPS)
			to_ms = target_ms;
		move_on(file,
		    to_ms > file->elapsed_ms ? to_ms - file->elapsed_ms : 1);
		due = tell_all("clock");
	}
	printf("elapsed_ms=%" PRId64 " processes=%zu steps=%d\n",
	    file->elapsed_ms, process_count, steps);
}

/* Wall time only: as when somebody sets the appliance's clock. */
static void
set_wall(const char *text)
{
	int64_t wall_ms = read_time(text);
	struct clock_file *file = open_clock(0);

	find_processes();
	put(&file->wall_offset_ms, wall_ms - file->elapsed_ms);
	__atomic_add_fetch(&file->generation, 1, __ATOMIC_RELEASE);
	(void)tell_all("clock");
}

static int
ask(const char *path, char **words, int count)
{
	struct process *p = &processes[0];
	char line[LINE_OCTETS] = "";
	size_t length = 0;
	int k;

	for (k = 0; k < count; k++) {
		length += (size_t)snprintf(line + length, sizeof(line) - length,
		    "%s%s", k > 0 ? " " : "", words[k]);
		if (length >= sizeof(line))
			die(2, "too many words");
	}
	(void)snprintf(p->name, sizeof(p->name), "%s", path);
	p->fd = connect_to(path);
	if (p->fd < 0)
		die(1, "%s: nobody listens", path);
	say(p, line);
	hear(p);
	puts(p->answer);
	return strncmp(p->answer, "ok", 2) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc > 3 && strcmp(verb, "ask") == 0)
		return ask(argv[2], argv + 3, argc - 3);
	if (argc > 2 && chdir(argv[2]) != 0)
		die(1, "%s: %s", argv[2], strerror(errno));
	if (argc == 3 && strcmp(verb, "make") == 0)
		make(false);
	else if (argc == 4 && strcmp(verb, "make") == 0 &&
		 strcmp(argv[3], "now") == 0)
		make(true);
	else if (argc == 3 && strcmp(verb, "show") == 0)
		show();
	else if (argc == 4 && strcmp(verb, "advance") == 0)
		advance(argv[3]);
	else if (argc == 4 && strcmp(verb, "set") == 0)
		set_wall(argv[3]);
	else
		die(2, "usage: labctl make DIR [now] | show DIR | advance DIR "
		       "DURATION | "
		       "set DIR TIME | ask SOCKET WORDS...");
	return 0;
}
