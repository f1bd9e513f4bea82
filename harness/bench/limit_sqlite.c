/*
 * limit_sqlite: what one durable row costs here.
 *
 *   limit_sqlite [-s full|normal] [-b rows to a commit] [-n octets of a row]
 *                [-t seconds] [-d directory]
 *
 * Rows with a unique text key and a blob, in a write-ahead log, as many to a
 * commit as a server would group. One line of key=value pairs: commit_* is the
 * wait for one commit, which a grouping server adds to each of its requests.
 */
#include "bench.h"
#include "touchstone/hist.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *sync, *directory;
	int batch, octets;
	double seconds;
} o = {"full", NULL, 32, 1024, 2};

static struct hist took;

static void
sql(sqlite3 *db, const char *text)
{
	char *why = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		die("%s: %s", text, why);
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *text)
{
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK)
		die("%s: %s", text, sqlite3_errmsg(db));
	return s;
}

static void
step(sqlite3 *db, sqlite3_stmt *s)
{
	if (sqlite3_step(s) != SQLITE_DONE)
		die("%s", sqlite3_errmsg(db));
	sqlite3_reset(s);
}

/* Keys in no order, as random identifiers are. */
static void
insert(sqlite3 *db, sqlite3_stmt *s, const char *blob, uint64_t serial)
{
	char id[40];

	snprintf(id, sizeof id, "%08llx-0000-4000-8000-%012llx",
	    (unsigned long long)(serial * 2654435761u & 0xffffffffu),
	    (unsigned long long)serial);
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)serial);
	sqlite3_bind_blob(s, 3, blob, o.octets, SQLITE_STATIC);
	step(db, s);
}

static void
run(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *row, *begin, *commit;
	char *blob = malloc((size_t)o.octets), pragma[64];
	uint64_t start_ns, last_ns, end_ns, cpu_ns, rows = 0;
	double n, seconds;

	if (blob == NULL)
		die("out of memory");
	memset(blob, 0x5a, (size_t)o.octets);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die("%s: %s", path, sqlite3_errmsg(db));
	sql(db, "PRAGMA journal_mode=WAL");
	snprintf(pragma, sizeof pragma, "PRAGMA synchronous=%s", o.sync);
	sql(db, pragma);
	sql(db, "CREATE TABLE object(rowid INTEGER PRIMARY KEY,"
		" uid TEXT NOT NULL UNIQUE, state INTEGER, body BLOB)");
	row = prepare(db, "INSERT INTO object(uid,state,body) VALUES(?,?,?)");
	begin = prepare(db, "BEGIN IMMEDIATE");
	commit = prepare(db, "COMMIT");
	hist_init(&took);
	cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	start_ns = last_ns = now_ns();
	end_ns = start_ns + (uint64_t)(o.seconds * 1e9);
	while (last_ns < end_ns) {
		uint64_t at_ns;

		step(db, begin);
		for (int i = 0; i < o.batch; i++)
			insert(db, row, blob, ++rows);
		step(db, commit);
		at_ns = now_ns();
		hist_add(&took, at_ns - last_ns);
		last_ns = at_ns;
	}
	cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	n = (double)rows;
	seconds = (double)(last_ns - start_ns) / 1e9;
	printf("sync=%s batch=%d octets=%d rows_per_s=%.0f commit_p50_us=%.1f "
	       "commit_p99_us=%.1f row_us=%.3f n=%.0f\n",
	    o.sync, o.batch, o.octets, n / seconds,
	    (double)hist_percentile_ns(&took, 50) / 1e3,
	    (double)hist_percentile_ns(&took, 99) / 1e3,
	    (double)cpu_ns / 1e3 / n, n);
	sqlite3_finalize(row);
	sqlite3_finalize(begin);
	sqlite3_finalize(commit);
	sqlite3_close(db);
	free(blob);
}

static void
options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:b:n:t:d:")) != -1) {
		switch (c) {
		case 's':
			o.sync = optarg;
			break;
		case 'b':
			o.batch = atoi(optarg);
			break;
		case 'n':
			o.octets = atoi(optarg);
			break;
		case 't':
			o.seconds = atof(optarg);
			break;
		case 'd':
			o.directory = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (o.batch < 1 || o.octets < 1 || o.seconds <= 0)
		die("an option is out of its range");
	if (o.directory == NULL)
		o.directory = getenv("TMPDIR");
	if (o.directory == NULL)
		o.directory = "/tmp";
}

int
main(int argc, char **argv)
{
	char directory[4096], path[4200];

	options(argc, argv);
	snprintf(directory, sizeof directory, "%s/limit.XXXXXX", o.directory);
	if (mkdtemp(directory) == NULL)
		die("%s: %s", directory, strerror(errno));
	snprintf(path, sizeof path, "%s/db", directory);
	run(path);
	if (unlink(path) != 0 || rmdir(directory) != 0)
		die("%s: %s", directory, strerror(errno));
	return 0;
}
