/*
 * scan: where else is this secret?
 *
 *	scan --key FILE [--key FILE]... [--pid PID] [--dir DIR]... [--run N]
 *	     [--await]
 *
 * Looks at every readable mapping of a process and at every file below a
 * directory for runs of at least N octets (16 unless told) of each key, in the
 * forms in which keys travel: as octets, as octets from last to first (numbers
 * of the machine's own order), in hexadecimal of either case, and in base64.
 * Any run counts, wherever in the key it begins: half a key is a find.
 *
 * Prints a line for each find, "memory [heap] 55d0..f0: 32 octets of FILE, in
 * hexadecimal", and last "N found in N octets". With --await it looks again
 * and again until there is a find, for AWAIT_MS.
 *
 * Exit status: 0 nothing found, 1 found, 2 could not look everywhere.
 */
#include "buf.h"
#include "file.h"
#include "hex.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	KEYS_MAX = 16,
	DIRS_MAX = 8,
	KEY_MAX_OCTETS = 65536,
	RUN_OCTETS = 16,
	RUN_LEAST_OCTETS = 8, /* shorter ones are anywhere by chance */
	CHUNK_OCTETS = 1 << 20,
	SIEVE_BITS = 20,
	AWAIT_MS = 20000,
	AWAIT_EVERY_MS = 20,
	EXIT_CLEAN = 0,
	EXIT_FOUND = 1,
	EXIT_COULD_NOT = 2,
};

/* A key in one of its forms: a text, any `run` of which is a find. */
struct form {
	const char *key;  /* the file it is from */
	const char *name; /* "in hexadecimal" */
	struct buf text;
	size_t run; /* of the text, standing for the run of octets */
};

/* The beginning of one run, by its first octets. */
struct window {
	uint64_t head;
	const struct form *form;
	size_t at;
};

static struct {
	const char *keys[KEYS_MAX];
	size_t key_count;
	const char *dirs[DIRS_MAX];
	size_t dir_count;
	int pid;
	size_t run_octets;
	bool await;

	struct form *forms;
	size_t form_count, form_room;
	struct window *windows; /* by head */
	size_t window_count;
	size_t longest; /* text of a form */
	uint8_t sieve[(1 << SIEVE_BITS) / 8];

	uint64_t found, octets;
	bool failed;
} scan;

static void
usage(FILE *to)
{
	fputs("usage: scan --key FILE... [--pid PID] [--dir DIR]... [--run N] "
	      "[--await]\n",
	    to);
}

/* What could not be looked at is no clean bill. */
static void
complain(const char *what)
{
	fprintf(stderr, "scan: %s: %s\n", what, strerror(errno));
	scan.failed = true;
}

/* --- forms ----------------------------------------------------------------
 */

static void
base64_write(struct bytes in, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t three;

	/* what a digit shares with octets that are not the key's is left out */
	for (; in.octets >= 3; in.at += 3, in.octets -= 3) {
		three = (uint32_t)bytes_number(in.at, 3);
		for (unsigned shift = 24; shift > 0; shift -= 6)
			buf_put(out,
			    (struct bytes){
				(const uint8_t *)&digits[three >> (shift - 6) &
							 63],
				1});
	}
}

static enum err
form_add(const char *key, const char *name, size_t run, struct form **out)
{
	enum err rc = OK;

	TRY(MEM_GROW(scan.forms, &scan.form_room, scan.form_count + 1));
	*out = &scan.forms[scan.form_count++];
	**out = (struct form){.key = key, .name = name, .run = run};
out:
	return rc;
}

static enum err
forms_of(const char *path, struct bytes key)
{
	const size_t run = scan.run_octets;
	struct form *f;
	enum err rc = OK;

	TRY(form_add(path, "as octets", run, &f));
	buf_put(&f->text, key);
	TRY(form_add(path, "from last to first", run, &f));
	for (size_t i = key.octets; i-- > 0;)
		buf_put(&f->text, (struct bytes){&key.at[i], 1});
	TRY(form_add(path, "in hexadecimal", 2 * run, &f));
	hex_write(key, &f->text);
	TRY(form_add(path, "in HEXADECIMAL", 2 * run, &f));
	for (size_t i = 0; i < key.octets; i++)
		buf_printf(&f->text, "%02X", key.at[i]);
	/* three ways in which groups of three may lie over the key */
	for (size_t skip = 0; skip < 3 && skip < key.octets; skip++) {
		TRY(form_add(path, "in base64", run * 4 / 3, &f));
		base64_write(
		    (struct bytes){key.at + skip, key.octets - skip}, &f->text);
	}
out:
	return rc;
}

static enum err
read_keys(void)
{
	enum err rc = OK;

	for (size_t i = 0; i < scan.key_count; i++) {
		struct buf key = {0};
		struct fault f = {0};

		rc = file_read(scan.keys[i], KEY_MAX_OCTETS, &key, &f);
		if (rc != OK) {
			fprintf(stderr, "scan: %s\n", f.text);
		} else if (key.octets < scan.run_octets) {
			fprintf(stderr, "scan: %s has less than %zu octets\n",
			    scan.keys[i], scan.run_octets);
			rc = ERR_RANGE;
		} else {
			rc = forms_of(scan.keys[i], buf_peek(&key));
		}
		buf_clear(&key);
		TRY(rc);
	}
out:
	return rc;
}

/* --- windows ---------------------------------------------------------------
 */

static uint64_t
head_of(const uint8_t *p)
{
	uint64_t head;

	memcpy(&head, p, sizeof head);
	return head;
}

static uint32_t
sieve_at(uint64_t head)
{
	return (uint32_t)(head * 0x9e3779b97f4a7c15u >> (64 - SIEVE_BITS));
}

static int
by_head(const void *a, const void *b)
{
	const struct window *x = a, *y = b;

	return x->head < y->head ? -1 : x->head > y->head;
}

/*
 * A run of one value over and over, as in a key of zeros, is anywhere and no
 * find; a key of nothing else cannot be looked for.
 */
static bool
is_dull(const uint8_t *p, size_t octets)
{
	for (size_t i = 1; i < octets; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

static enum err
make_windows(void)
{
	size_t room = 0;
	enum err rc = OK;

	for (size_t i = 0; i < scan.form_count; i++) {
		const struct form *f = &scan.forms[i];

		if (f->text.octets > scan.longest)
			scan.longest = f->text.octets;
		for (size_t at = 0; at + f->run <= f->text.octets; at++) {
			const uint8_t *p = f->text.at + at;
			uint64_t head = head_of(p);

			if (is_dull(p, f->run))
				continue;
			TRY(MEM_GROW(
			    scan.windows, &room, scan.window_count + 1));
			scan.windows[scan.window_count++] =
			    (struct window){head, f, at};
			scan.sieve[sieve_at(head) / 8] |=
			    (uint8_t)(1u << sieve_at(head) % 8);
		}
	}
	if (scan.window_count == 0)
		TRY(ERR_RANGE);
	qsort(scan.windows, scan.window_count, sizeof *scan.windows, by_head);
out:
	return rc;
}

/* How much of the form from `at` on stands at p; 0: less than a run. */
static size_t
matches(const struct window *w, const uint8_t *p, size_t left)
{
	const struct form *f = w->form;
	size_t octets = 0;

	while (octets < left && w->at + octets < f->text.octets &&
	       p[octets] == f->text.at[w->at + octets])
		octets++;
	return octets >= f->run ? octets : 0;
}

static const struct window *
find_window(const uint8_t *p, size_t left, size_t *octets)
{
	const struct window key = {.head = head_of(p)}, *w;

	w = bsearch(&key, scan.windows, scan.window_count, sizeof key, by_head);
	if (w == NULL)
		return NULL;
	while (w > scan.windows && w[-1].head == key.head)
		w--;
	for (; w < scan.windows + scan.window_count && w->head == key.head;
	     w++) {
		*octets = matches(w, p, left);
		if (*octets != 0)
			return w;
	}
	return NULL;
}

/* --- looking --------------------------------------------------------------
 */

/*
 * One stretch. Where what is found reaches the end it may go on in the next
 * one, which begins `longest` octets before that end; it is told there.
 */
static void
look(const char *where, uint64_t base, const uint8_t *in, size_t octets,
    size_t keep)
{
	size_t at = 0;

	while (at + sizeof(uint64_t) <= octets && at < octets - keep) {
		const uint32_t bit = sieve_at(head_of(in + at));
		const struct window *w;
		size_t run;

		if ((scan.sieve[bit / 8] >> bit % 8 & 1) == 0 ||
		    (w = find_window(in + at, octets - at, &run)) == NULL) {
			at++;
			continue;
		}
		printf("%s %" PRIx64 ": %zu octets of %s, %s\n", where,
		    base + at, run, w->form->key, w->form->name);
		scan.found++;
		at += run;
	}
}

/* From..to of a descriptor; `to` is as far as it goes when it is 0. */
static void
look_through(const char *where, int fd, uint64_t from, uint64_t to)
{
	static uint8_t chunk[CHUNK_OCTETS + KEY_MAX_OCTETS * 2];
	size_t kept = 0;
	uint64_t at = from;

	for (;;) {
		size_t want = CHUNK_OCTETS;
		ssize_t got;

		if (to != 0 && to - at < want)
			want = (size_t)(to - at);
		got = want == 0 ? 0 : pread(fd, chunk + kept, want, (off_t)at);
		if (got < 0) {
			complain(where);
			return;
		}
		if (got == 0) {
			look(where, at - kept, chunk, kept, 0);
			return;
		}
		scan.octets += (uint64_t)got;
		at += (uint64_t)got;
		kept += (size_t)got;
		if (kept <= scan.longest)
			continue;
		look(where, at - kept, chunk, kept, scan.longest);
		memmove(chunk, chunk + kept - scan.longest, scan.longest);
		kept = scan.longest;
	}
}

static int
look_at_file(
    const char *path, const struct stat *st, int kind, struct FTW *place)
{
	char where[4096 + 8];
	int fd;

	(void)place;
	if (kind == FTW_DNR || kind == FTW_NS) {
		errno = EACCES;
		complain(path);
		return 0;
	}
	if (kind != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT) /* a journal comes and goes */
			complain(path);
		return 0;
	}
	snprintf(where, sizeof where, "file %s", path);
	look_through(where, fd, 0, 0);
	close(fd);
	return 0;
}

/*
 * All that can be read. What the kernel keeps there ([vvar], [vsyscall]) is
 * nobody's memory.
 */
static void
look_at_process(int pid)
{
	char path[64], line[4096 + 128], where[4096 + 16];
	uint64_t from, to;
	FILE *maps;
	int mem;

	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	if (mem < 0) {
		complain(path);
		return;
	}
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (maps == NULL) {
		complain(path);
		close(mem);
		return;
	}
	while (fgets(line, sizeof line, maps) != NULL) {
		char name[4096] = "", rights[8];

		if (sscanf(line,
			"%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %4095[^\n]",
			&from, &to, rights, name) < 3 ||
		    rights[0] != 'r' || strncmp(name, "[v", 2) == 0)
			continue;
		snprintf(where, sizeof where, "memory %s",
		    *name != '\0' ? name : "[anonymous]");
		look_through(where, mem, from, to);
	}
	fclose(maps);
	close(mem);
}

static void
look_everywhere(void)
{
	scan.found = scan.octets = 0;
	if (scan.pid != 0)
		look_at_process(scan.pid);
	for (size_t i = 0; i < scan.dir_count; i++)
		if (nftw(scan.dirs[i], look_at_file, 16, FTW_PHYS) != 0)
			complain(scan.dirs[i]);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
look_until_found(void)
{
	const int64_t end_ms = now_ms() + AWAIT_MS;

	look_everywhere();
	while (scan.found == 0 && !scan.failed && now_ms() < end_ms) {
		(void)poll(NULL, 0, AWAIT_EVERY_MS);
		look_everywhere();
	}
}

static bool
read_words(int argc, char **argv)
{
	static const struct option known[] = {
	    {"key", required_argument, NULL, 'k'},
	    {"pid", required_argument, NULL, 'p'},
	    {"dir", required_argument, NULL, 'd'},
	    {"run", required_argument, NULL, 'r'},
	    {"await", no_argument, NULL, 'a'},
	    {0},
	};
	int c;

	scan.run_octets = RUN_OCTETS;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'k' && scan.key_count < KEYS_MAX)
			scan.keys[scan.key_count++] = optarg;
		else if (c == 'd' && scan.dir_count < DIRS_MAX)
			scan.dirs[scan.dir_count++] = optarg;
		else if (c == 'p')
			scan.pid = (int)strtol(optarg, NULL, 10);
		else if (c == 'r')
			scan.run_octets = strtoul(optarg, NULL, 10);
		else if (c == 'a')
			scan.await = true;
		else
			return false;
	}
	return optind == argc && scan.key_count != 0 &&
	       scan.run_octets >= RUN_LEAST_OCTETS &&
	       scan.run_octets <= KEY_MAX_OCTETS &&
	       (scan.pid > 0 || scan.dir_count != 0);
}

int
main(int argc, char **argv)
{
	enum err rc = OK;

	if (!read_words(argc, argv)) {
		usage(stderr);
		return EXIT_COULD_NOT;
	}
	TRY(read_keys());
	TRY(make_windows());
	if (scan.await)
		look_until_found();
	else
		look_everywhere();
	printf("%" PRIu64 " found in %" PRIu64 " octets\n", scan.found,
	    scan.octets);
out:
	for (size_t i = 0; i < scan.form_count; i++)
		buf_clear(&scan.forms[i].text);
	mem_free(scan.forms);
	mem_free(scan.windows);
	if (rc != OK)
		fprintf(stderr, "scan: %s\n", err_text(rc));
	if (rc != OK || scan.failed || scan.octets == 0)
		return EXIT_COULD_NOT;
	return scan.found != 0 ? EXIT_FOUND : EXIT_CLEAN;
}
