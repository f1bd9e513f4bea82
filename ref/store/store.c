#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/cache.h"
#include "store/index.h"
#include "store/names.h"
#include "store/record.h"
#include "store/sql.h"
#include "store/vfs.h"

#define FILE_NAME "store.db"

enum {
	APPLICATION_ID = 0x54534b53, /* "TSKS" */
	SAVEPOINTS_MAX = 8,
	LIGHT_MAX = 8,      /* inserts that are undone without a savepoint */
	OWNERS_CACHED = 64, /* a power of two */
	/* pages in the log that there is no waiting for idle time with: 15 to
	 * 45 ms in one turn, which is rare because they are many */
	LOG_PAGES_MAX = 16000,
	/* an object's terms before and after a change */
	SCRATCH_CAP_OCTETS = 4 * OBJECT_CAP_OCTETS,
};

/* user_version: the schema's version and the oldest that can read it. */
#define FILE_VERSION(version, oldest) ((oldest) << 16 | (version))

static const struct {
	const char *name;
	const char *sql;
} statements[STATEMENT_COUNT] = {
#define STATEMENT(symbol, sql) {#symbol, sql},
#include "store/statement.def"
#undef STATEMENT
};

static const struct {
	int version;
	int oldest_reader;
	const char *sql;
} migrations[] = {
#define MIGRATION(version, oldest_reader, sql) {version, oldest_reader, sql},
#include "store/migration.def"
#undef MIGRATION
};

enum { MIGRATIONS = sizeof(migrations) / sizeof(migrations[0]) };

/* An owner's number, so that it need not be looked up for every object. */
struct owner {
	int64_t number; /* 0: this place is free */
	size_t octets;
	uint8_t name[OBJECT_OWNER_MAX_OCTETS];
};

/* A savepoint that was asked for. */
struct point {
	uint64_t change;     /* the cache's last one then */
	unsigned light;      /* how many light inserts there were then ... */
	unsigned light_made; /* ... and when the database made it */
};

struct group {
	bool open;
	enum err rc;       /* what its waiters will hear */
	bool all_may_wait; /* an undone change may show through clean reads */
	/*
	 * Savepoints asked for, and those the database knows: the others are
	 * made with the first write, for many batches only read. An insert
	 * does without: for a savepoint the database keeps a copy of each
	 * page that changes, which costs as much as the insert, and to undo
	 * it is to delete the row. Such inserts are light.
	 */
	unsigned depth;
	unsigned made;
	struct point point[SAVEPOINTS_MAX];
	unsigned light_count;
	const struct cached *light[LIGHT_MAX]; /* perhaps retired by now */
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENT_COUNT];
	pthread_t thread;
	bool usable;
	struct cache cache;
	bool fails; /* the last group did */
	struct group group;
	struct store_waiter *waiting;
	struct store_waiter **waiting_end;
	struct store_waiter *answering; /* not yet, of the last group */
	bool request_waits;
	int64_t last_row;
	int64_t next_due_s;    /* never later than the truth */
	struct arena *scratch; /* for one call */
	struct buf attrs;      /* likewise */
	int log_pages;
	int idle_pages;
	int bulk_pages;
	char *path;
	int fd;          /* of the database, for copies; -1: none was made */
	unsigned copies; /* under way */
	bool is_copy;
	struct owner owners[OWNERS_CACHED];
	struct names names;
	struct store_stats stats;
};

/* ---------------------------------------------------------------------------
 * The database
 */

static enum err
db_err(struct store *st, int code, const char *what)
{
	if (code == SQLITE_CONSTRAINT_UNIQUE)
		return ERR_EXISTS;
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_FULL:
		log_line("store", LOG_WARN, "%s: no space left", what);
		return ERR_DISK_FULL;
	case SQLITE_NOTADB:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		log_line(
		    "store", LOG_ERROR, "%s: %s", what, sqlite3_errmsg(st->db));
		return ERR_CONFIG;
	default:
		log_line("store", LOG_ERROR, "%s: %s (%d)", what,
		    sqlite3_errmsg(st->db), code);
		return ERR_STORE;
	}
}

/* Cannot fail: every length is far below the engine's limit. */
void
sql_bind_number(struct store *st, enum statement s, int at, int64_t number)
{
	(void)sqlite3_bind_int64(st->statement[s], at, number);
}

void
sql_bind_text(struct store *st, enum statement s, int at, struct bytes b)
{
	(void)sqlite3_bind_text64(st->statement[s], at,
	    b.octets != 0 ? (const char *)b.at : "", b.octets, SQLITE_STATIC,
	    SQLITE_UTF8);
}

void
sql_bind_blob(struct store *st, enum statement s, int at, struct bytes b)
{
	(void)sqlite3_bind_blob64(st->statement[s], at,
	    b.octets != 0 ? (const void *)b.at : "", b.octets, SQLITE_STATIC);
}

struct bytes
sql_bytes(struct store *st, enum statement s, int at)
{
	const void *octets = sqlite3_column_blob(st->statement[s], at);

	return (struct bytes){
	    octets, (size_t)sqlite3_column_bytes(st->statement[s], at)};
}

int64_t
sql_number(struct store *st, enum statement s, int at)
{
	return sqlite3_column_int64(st->statement[s], at);
}

enum err
sql_step(struct store *st, enum statement s, bool *row)
{
	int code;

	assert(pthread_equal(st->thread, pthread_self()));
	code = sqlite3_step(st->statement[s]);
	*row = code == SQLITE_ROW;
	return db_err(st, code, statements[s].name);
}

void
sql_reset(struct store *st, enum statement s)
{
	/* an error in it has been told by sql_step() */
	(void)sqlite3_reset(st->statement[s]);
}

enum err
sql_run(struct store *st, enum statement s)
{
	bool row;
	enum err rc = sql_step(st, s, &row);

	sql_reset(st, s);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Opening
 */

static enum err
exec(struct store *st, const char *sql)
{
	return db_err(
	    st, sqlite3_exec(st->db, sql, NULL, NULL, NULL), "schema");
}

/* The first number that a query answers. */
static enum err
query_number(struct store *st, const char *sql, int64_t *out)
{
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(st->db, sql, -1, &s, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return db_err(st, code, "header");
}

/* Is it one of ours, and which version? 0 for a file that is still empty. */
static enum err
file_version(struct store *st, int64_t *version)
{
	int64_t application;
	int64_t tables;
	int64_t packed;
	int64_t oldest;
	enum err rc = OK;

	TRY(query_number(st, "PRAGMA application_id", &application));
	TRY(query_number(st, "PRAGMA user_version", &packed));
	TRY(query_number(st, "SELECT count(*) FROM sqlite_schema", &tables));
	*version = packed & 0xffff;
	oldest = packed >> 16;
	if (application == 0 && packed == 0 && tables == 0)
		return OK;
	if (application != APPLICATION_ID || *version == 0) {
		log_line("store", LOG_ERROR, "the database is not a store");
		TRY(ERR_CONFIG);
	}
	if (oldest > migrations[MIGRATIONS - 1].version) {
		log_line("store", LOG_ERROR,
		    "schema %d, to be read by %d or newer; this is %d",
		    (int)*version, (int)oldest,
		    migrations[MIGRATIONS - 1].version);
		TRY(ERR_STORE_VERSION);
	}
out:
	return rc;
}

unsigned
store_schema(void)
{
	return (unsigned)migrations[MIGRATIONS - 1].version;
}

enum err
store_oldest_reader(struct store *st, unsigned *schema)
{
	int64_t packed;
	enum err rc = OK;

	TRY(query_number(st, "PRAGMA user_version", &packed));
	*schema = (unsigned)(packed >> 16);
out:
	return rc;
}

static enum err
migrate(struct store *st, int64_t version)
{
	char pragmas[128];
	size_t k;
	enum err rc = OK;

	if (version >= migrations[MIGRATIONS - 1].version)
		return OK;
	TRY(exec(st, "BEGIN EXCLUSIVE"));
	for (k = 0; k < MIGRATIONS; k++) {
		if (migrations[k].version <= version)
			continue;
		TRY(exec(st, migrations[k].sql));
		(void)sqlite3_snprintf(sizeof(pragmas), pragmas,
		    "PRAGMA application_id = %d; PRAGMA user_version = %d",
		    APPLICATION_ID,
		    FILE_VERSION(
			migrations[k].version, migrations[k].oldest_reader));
		TRY(exec(st, pragmas));
	}
	TRY(exec(st, "COMMIT"));
out:
	return rc;
}

/* Called after each commit. */
static int
log_grown(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct store *st = ctx;

	(void)db;
	(void)name;
	st->log_pages = pages;
	return SQLITE_OK;
}

static enum err
head_set_id(struct row_head *head, struct bytes id)
{
	if (id.octets > sizeof(head->id))
		return ERR_STORE;
	head->id_octets = (uint8_t)id.octets;
	memcpy(head->id, id.at, id.octets);
	return OK;
}

static enum err
due_read(struct store *st, int64_t *due_s, struct row_head *head)
{
	bool row;
	enum err rc = OK;

	*due_s = INT64_MAX;
	TRY(sql_step(st, DUE_NEXT, &row));
	if (row) {
		*due_s = sql_number(st, DUE_NEXT, 0);
		TRY(head_set_id(head, sql_bytes(st, DUE_NEXT, 1)));
	}
out:
	sql_reset(st, DUE_NEXT);
	return rc;
}

static enum err
counters_read(struct store *st)
{
	struct row_head head;
	bool row;
	enum err rc = OK;

	TRY(sql_step(st, LAST_ROW, &row));
	st->last_row = sql_number(st, LAST_ROW, 0);
	TRY(due_read(st, &st->next_due_s, &head));
out:
	sql_reset(st, LAST_ROW);
	return rc;
}

static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

/*
 * Nobody reads the engine's statistics of memory, and it keeps them under one
 * lock. Where somebody else in this process uses it already, it keeps them.
 */
static void
engine_set_up(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum err
db_open(struct store *st, const char *path, const char *vfs)
{
	int64_t version;
	size_t k;
	enum err rc = OK;

	TRY(db_err(st,
	    sqlite3_open_v2(path, &st->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		vfs),
	    "open"));
	/* the log is emptied by store_close(), where its failure is seen */
	TRY(db_err(st,
	    sqlite3_db_config(
		st->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
	    "open"));
	/* exclusive: no other process, and no shared memory beside the file */
	TRY(exec(st, "PRAGMA locking_mode = EXCLUSIVE;"
		     "PRAGMA trusted_schema = OFF;"
		     "PRAGMA cell_size_check = ON;"));
	TRY(file_version(st, &version));
	TRY(exec(st, "PRAGMA journal_mode = WAL;"
		     "PRAGMA synchronous = FULL;"
		     "PRAGMA wal_autocheckpoint = 0;"
		     "PRAGMA secure_delete = ON;"
		     "PRAGMA temp_store = MEMORY;"
		     "PRAGMA cache_size = -65536;"));
	if (st->is_copy)
		TRY(exec(st, "PRAGMA synchronous = OFF;"));
	TRY(migrate(st, version));
	(void)sqlite3_wal_hook(st->db, log_grown, st);
	for (k = 0; k < STATEMENT_COUNT; k++)
		TRY(db_err(st,
		    sqlite3_prepare_v3(st->db, statements[k].sql, -1,
			SQLITE_PREPARE_PERSISTENT, &st->statement[k], NULL),
		    statements[k].name));
	TRY(counters_read(st));
	st->usable = true;
out:
	return rc;
}

/*
 * The file, readable by us alone, and its name durable; the laboratory's layer
 * loses no names.
 */
static enum err
file_make(const char *dir, const char *path, bool lab)
{
	int dir_fd = -1;
	int fd = -1;
	enum err rc = OK;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || dir_fd < 0 || (!lab && fsync(dir_fd) != 0)) {
		log_line("store", LOG_ERROR, "%s: %s", path, strerror(errno));
		rc = errno == ENOSPC ? ERR_DISK_FULL : ERR_STORE;
	}
	if (fd >= 0)
		close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
	return rc;
}

/* The database, its log, and that log's index. */
enum err
store_erase(const char *dir)
{
	enum err rc = OK;

	TRY(erase_in(dir, FILE_NAME));
	TRY(erase_in(dir, FILE_NAME "-wal"));
	TRY(erase_in(dir, FILE_NAME "-shm"));
out:
	return rc;
}

enum err
store_open(const char *dir, struct env *env,
    const struct store_options *options, struct store **out)
{
	struct store *st = NULL;
	char *path = NULL;
	uint64_t seed;
	enum err rc = OK;

	*out = NULL;
	(void)pthread_once(&engine_once, engine_set_up);
	TRY(MEM_NEW(st));
	st->thread = pthread_self();
	st->waiting_end = &st->waiting;
	st->next_due_s = INT64_MAX;
	st->fd = -1;
	st->is_copy = options->copy;
	st->idle_pages =
	    options->log_pages != 0 ? options->log_pages : STORE_LOG_PAGES;
	st->bulk_pages = st->idle_pages < STORE_BULK_PAGES ? st->idle_pages
							   : STORE_BULK_PAGES;
	buf_init(&st->attrs, OBJECT_CAP_OCTETS);
	TRY(arena_new(SCRATCH_CAP_OCTETS, &st->scratch));
	TRY(env_random(env, (uint8_t *)&seed, sizeof(seed)));
	TRY(cache_init(&st->cache,
	    options->cache_octets != 0 ? options->cache_octets
				       : STORE_CACHE_OCTETS,
	    seed));
	if (options->lab)
		TRY(vfs_register());
	path = sqlite3_mprintf("%s/%s", dir, FILE_NAME);
	if (path == NULL)
		TRY(ERR_NOMEM);
	if ((st->path = mem_strdup(path)) == NULL)
		TRY(ERR_NOMEM);
	TRY(file_make(dir, path, options->lab));
	TRY(db_open(st, path, options->lab ? VFS_NAME : NULL));
	*out = st;
	st = NULL;
out:
	sqlite3_free(path);
	store_close(st);
	return rc;
}

static enum err
peek_code(int code)
{
	return code == SQLITE_NOMEM ? ERR_NOMEM : ERR_STORE;
}

/* A store of the first release has no such table. */
static enum err
peek_record(sqlite3 *db, const char *kind, struct bytes key, struct buf *out)
{
	static const char sql[] =
	    "SELECT value FROM record WHERE kind = ?1 AND key = ?2";
	sqlite3_stmt *statement = NULL;
	int code;
	enum err rc = OK;

	code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (code != SQLITE_OK)
		TRY(code == SQLITE_ERROR ? ERR_NOT_FOUND : peek_code(code));
	if (sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC) !=
		SQLITE_OK ||
	    sqlite3_bind_blob(statement, 2, key.at, (int)key.octets,
		SQLITE_STATIC) != SQLITE_OK)
		TRY(ERR_NOMEM);
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		TRY(code == SQLITE_DONE ? ERR_NOT_FOUND : peek_code(code));
	TRY(buf_put(out, (struct bytes){sqlite3_column_blob(statement, 0),
			     (size_t)sqlite3_column_bytes(statement, 0)}));
out:
	sqlite3_finalize(statement);
	return rc;
}

static enum err
peek_oldest_reader(sqlite3 *db, unsigned *schema)
{
	sqlite3_stmt *statement = NULL;
	int code;

	code =
	    sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*schema = (unsigned)sqlite3_column_int(statement, 0) >> 16;
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? OK : peek_code(code);
}

enum err
record_peek(const char *dir, const char *kind, struct bytes key,
    struct buf *out, unsigned *oldest_reader)
{
	sqlite3 *db = NULL;
	char *path = NULL;
	int code;
	enum err rc = OK;

	(void)pthread_once(&engine_once, engine_set_up);
	TRY(mem_printf(&path, "%s/" FILE_NAME, dir));
	if (access(path, F_OK) != 0)
		TRY(ERR_NOT_FOUND);
	/* the log of a store that lost its power is read, and left there */
	code = sqlite3_open_v2(path, &db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(
		    db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(
		    db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		TRY(peek_code(code));
	TRY(peek_record(db, kind, key, out));
	TRY(peek_oldest_reader(db, oldest_reader));
out:
	sqlite3_close(db);
	mem_free(path);
	return rc;
}

void
store_close(struct store *st)
{
	size_t k;

	if (st == NULL)
		return;
	if (st->group.open)
		(void)store_commit(st);
	for (k = 0; k < STATEMENT_COUNT; k++)
		sqlite3_finalize(st->statement[k]);
	assert(st->copies == 0);
	if (st->usable && !st->is_copy)
		(void)db_err(st,
		    sqlite3_wal_checkpoint_v2(
			st->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
		    "last checkpoint");
	sqlite3_close(st->db);
	if (st->fd >= 0)
		(void)close(st->fd);
	mem_free(st->path);
	cache_clear(&st->cache);
	names_clear(&st->names);
	buf_clear(&st->attrs);
	arena_free(st->scratch);
	mem_free(st);
}

/* ---------------------------------------------------------------------------
 * Groups
 */

/* Memory must not know what the database has forgotten. */
static void
forget_since(struct store *st, uint64_t change)
{
	struct row_head head;

	cache_forget_since(&st->cache, change);
	memset(st->owners, 0, sizeof(st->owners));
	names_drop_all(&st->names);
	/* when it cannot be read, now: store_tick() will look again */
	if (due_read(st, &st->next_due_s, &head) != OK)
		st->next_due_s = INT64_MIN;
}

static void
group_undo(struct store *st, enum err why)
{
	/* after some errors the engine has rolled back by itself */
	if (!sqlite3_get_autocommit(st->db))
		(void)sql_run(st, ROLLBACK);
	st->group.rc = why;
	st->group.made = 0;
	st->group.light_count = 0;
	forget_since(st, 0);
}

static enum err
group_begin(struct store *st)
{
	struct group *g = &st->group;
	enum err rc = OK;

	TRY(g->rc);
	st->request_waits = true;
	if (!g->open) {
		TRY(sql_run(st, BEGIN));
		g->open = true;
	}
out:
	return rc;
}

enum err
sql_write_begin(struct store *st)
{
	struct group *g = &st->group;
	enum err rc = OK;

	TRY(group_begin(st));
	while (g->made < g->depth) {
		rc = sql_run(st, SAVEPOINT);
		if (rc != OK) {
			group_undo(st, rc);
			goto out;
		}
		g->point[g->made++].light_made = g->light_count;
	}
out:
	return rc;
}

enum err
sql_write_end(struct store *st, enum err rc)
{
	struct group *g = &st->group;

	if (rc == OK)
		return OK;
	g->rc = rc;
	if (g->made == 0 || sqlite3_get_autocommit(st->db))
		group_undo(st, rc);
	return rc;
}

enum err
store_savepoint(struct store *st)
{
	struct group *g = &st->group;

	assert(g->depth < SAVEPOINTS_MAX);
	if (g->rc == OK)
		g->point[g->depth++] = (struct point){
		    .change = st->cache.change, .light = g->light_count};
	return g->rc;
}

enum err
store_release(struct store *st)
{
	struct group *g = &st->group;
	enum err rc = OK;

	assert(g->depth > 0);
	g->depth--;
	if (g->made > g->depth) {
		g->made--;
		rc = sql_run(st, RELEASE);
		if (g->rc == OK)
			(void)sql_write_end(st, rc);
		else if (g->made == 0)
			group_undo(st, g->rc);
	}
	if (g->depth == 0)
		g->light_count = 0;
	return g->rc;
}

static enum err
object_erase(struct store *st, const struct object *o, int64_t row) MUST_CHECK;

/*
 * Delete again what was inserted since the point. What a savepoint further out
 * would bring back is still noted, to be deleted once more then.
 */
static enum err
light_undo(struct store *st, const struct point *point)
{
	struct group *g = &st->group;
	unsigned kept = point->light;
	unsigned k;
	enum err rc = OK;

	for (k = g->light_count; k-- > point->light;)
		TRY(object_erase(st, g->light[k]->object, g->light[k]->row));
	if (g->made != 0 && g->point[g->made - 1].light_made > kept)
		kept = g->point[g->made - 1].light_made;
	if (g->light_count > kept)
		g->light_count = kept;
out:
	return rc;
}

enum err
store_rollback_to(struct store *st)
{
	struct group *g = &st->group;
	const struct point *point;
	bool undone = false;
	enum err rc = OK;

	assert(g->depth > 0);
	point = &g->point[--g->depth];
	if (g->made > g->depth) {
		g->made--;
		TRY(sql_run(st, ROLLBACK_TO));
		TRY(sql_run(st, RELEASE));
		g->rc = OK;
		undone = true;
		/* the later ones went with it */
		if (g->light_count > point->light_made)
			g->light_count = point->light_made;
	}
	if (g->light_count > point->light) {
		TRY(light_undo(st, point));
		undone = true;
	}
	if (undone) {
		g->all_may_wait = true;
		forget_since(st, point->change);
	}
	return g->rc;
out:
	group_undo(st, rc);
	return rc;
}

enum err
store_savepoint_end(struct store *st, enum err rc)
{
	enum err lost;

	if (rc == OK)
		return store_release(st);
	lost = store_rollback_to(st);
	return lost != OK ? lost : rc;
}

void
store_request(struct store *st)
{
	st->request_waits = false;
}

bool
store_must_wait(const struct store *st)
{
	return st->request_waits && st->group.open;
}

void
store_wait(struct store *st, struct store_waiter *w)
{
	assert(st->group.open);
	w->next = NULL;
	*st->waiting_end = w;
	st->waiting_end = &w->next;
}

static bool
waiter_remove(struct store_waiter **at, const struct store_waiter *w)
{
	while (*at != NULL && *at != w)
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	*at = w->next;
	return true;
}

void
store_unwait(struct store *st, struct store_waiter *w)
{
	if (waiter_remove(&st->answering, w))
		return;
	(void)waiter_remove(&st->waiting, w);
	for (st->waiting_end = &st->waiting; *st->waiting_end != NULL;)
		st->waiting_end = &(*st->waiting_end)->next;
}

static void
checkpoint(struct store *st)
{
	enum err rc = db_err(st,
	    sqlite3_wal_checkpoint_v2(
		st->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
	    "checkpoint");

	/* where it failed, the log keeps everything; wait for more of it */
	st->log_pages = 0;
	st->stats.checkpoints += rc == OK;
}

static enum err
group_end(struct store *st)
{
	struct group *g = &st->group;
	struct store_waiter *w;
	enum err rc;

	assert(g->depth == 0);
	rc = g->rc;
	if (rc == OK) {
		rc = sql_run(st, COMMIT);
		if (rc != OK)
			group_undo(st, rc);
	}
	if (rc == OK) {
		cache_settle(&st->cache);
		st->stats.groups++;
	}
	st->fails = rc != OK;
	*g = (struct group){0};
	/* those who come now wait for the next group */
	st->answering = st->waiting;
	st->waiting = NULL;
	st->waiting_end = &st->waiting;
	while ((w = st->answering) != NULL) {
		st->answering = w->next;
		w->done(w, rc);
	}
	return rc;
}

enum err
store_commit(struct store *st)
{
	enum err first = OK;

	while (st->group.open) {
		enum err rc = group_end(st);

		if (first == OK)
			first = rc;
	}
	cache_turn_end(&st->cache);
	if (st->log_pages >= LOG_PAGES_MAX && st->copies == 0)
		checkpoint(st);
	return first;
}

void
store_trim(struct store *st)
{
	assert(st->group.depth == 0);
	/* who reads it again finds what this group has */
	st->group.all_may_wait = true;
	cache_forget_since(&st->cache, 0);
	cache_turn_end(&st->cache);
}

bool
store_group_is_open(const struct store *st)
{
	return st->group.open;
}

bool
store_fails(const struct store *st)
{
	return st->fails;
}

void
store_fail(struct store *st, enum err why)
{
	assert(st->group.depth == 0 && why != OK);
	if (st->group.open)
		group_undo(st, why);
}

uint64_t
store_groups(const struct store *st)
{
	return st->stats.groups;
}

static void
checkpoint_from(struct store *st, int pages)
{
	if (!st->group.open && st->log_pages >= pages && st->copies == 0)
		checkpoint(st);
}

void
store_idle(struct store *st)
{
	checkpoint_from(st, st->idle_pages);
}

void
store_relieve(struct store *st)
{
	checkpoint_from(st, st->bulk_pages);
}

/* ---------------------------------------------------------------------------
 * Copies
 *
 * The database is changed by checkpoints only, and these are held off. The log
 * is added to, which a copy of it may have some of: half a transaction at its
 * end is none. It begins anew behind a checkpoint with a header of its own,
 * written before anything else; so a log whose header is the same before and
 * after was only added to.
 */

enum { LOG_HEADER_OCTETS = 32, COPY_STEP_OCTETS = 1 << 20, COPY_TRIES = 3 };

struct store_copy {
	struct store *st;
	int fd; /* borrowed */
	char *log_path;
	char *to_path;
	char *to_log_path;
	enum err rc;
};

static void
copy_free(struct store_copy *copy)
{
	mem_free(copy->log_path);
	mem_free(copy->to_path);
	mem_free(copy->to_log_path);
	mem_free(copy);
}

enum err
store_copy_new(struct store *st, const char *to_dir, struct store_copy **out)
{
	struct store_copy *copy = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(copy));
	/* To close it would give up the engine's lock on the file, which is the
	 * process's: once open it stays. */
	if (st->fd < 0)
		st->fd = open(st->path, O_RDONLY | O_CLOEXEC);
	if (st->fd < 0)
		TRY(ERR_SYSTEM);
	copy->fd = st->fd;
	TRY(mem_printf(&copy->log_path, "%s-wal", st->path));
	TRY(mem_printf(&copy->to_path, "%s/" FILE_NAME, to_dir));
	TRY(mem_printf(&copy->to_log_path, "%s/" FILE_NAME "-wal", to_dir));
	copy->rc = ERR_CLOSED; /* until the work is done */
	copy->st = st;
	st->copies++;
	*out = copy;
	copy = NULL;
out:
	if (copy != NULL)
		copy_free(copy);
	return rc;
}

static enum err
copy_file(int from, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	off_t at = 0;
	ssize_t done = 1;
	enum err rc = OK;

	if (to < 0)
		return ERR_SYSTEM;
	while (done > 0)
		done =
		    copy_file_range(from, &at, to, NULL, COPY_STEP_OCTETS, 0);
	if (done < 0) {
		log_line("store", LOG_ERROR, "%s: %s", path, strerror(errno));
		rc = errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL
							: ERR_SYSTEM;
	}
	(void)close(to);
	return rc;
}

/* No octets: there is none. */
static size_t
log_header(int fd, uint8_t at[LOG_HEADER_OCTETS])
{
	ssize_t octets = pread(fd, at, LOG_HEADER_OCTETS, 0);

	return octets > 0 ? (size_t)octets : 0;
}

static enum err
copy_log(struct store_copy *copy)
{
	uint8_t before[LOG_HEADER_OCTETS];
	uint8_t after[LOG_HEADER_OCTETS];
	int fd = open(copy->log_path, O_RDONLY | O_CLOEXEC);
	size_t octets;
	unsigned tries;
	enum err rc = OK;

	if (fd < 0)
		return errno == ENOENT ? OK : ERR_SYSTEM;
	for (tries = 0; tries < COPY_TRIES; tries++) {
		octets = log_header(fd, before);
		if (octets == 0)
			goto out;
		TRY(copy_file(fd, copy->to_log_path));
		if (log_header(fd, after) == octets &&
		    memcmp(before, after, octets) == 0)
			goto out;
	}
	rc = ERR_SYSTEM;
out:
	(void)close(fd);
	return rc;
}

void
store_copy_work(void *work)
{
	struct store_copy *copy = work;
	enum err rc = OK;

	TRY(copy_file(copy->fd, copy->to_path));
	TRY(copy_log(copy));
out:
	copy->rc = rc;
}

enum err
store_copy_end(struct store_copy *copy)
{
	enum err rc = copy->rc;

	copy->st->copies--;
	copy_free(copy);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Terms and owners
 */

void
index_term_key(struct bytes term, struct term_key *out)
{
	out->cut = term.octets > TERM_WHOLE_OCTETS;
	if (!out->cut) {
		out->octets = (uint8_t)term.octets;
		memcpy(out->at, term.at, term.octets);
		return;
	}
	out->octets = TERM_KEY_OCTETS;
	memcpy(out->at, term.at, TERM_CUT_OCTETS);
	bytes_put_u64(out->at + TERM_CUT_OCTETS, bytes_hash(term, 0));
	out->at[TERM_CUT_OCTETS + 8] = 0;
}

static struct bytes
key_bytes(const struct term_key *key)
{
	return (struct bytes){key->at, key->octets};
}

static int
key_compare(const void *a, const void *b)
{
	return bytes_compare(key_bytes(a), key_bytes(b));
}

bool
index_is_gone(uint32_t state)
{
	return state == STATE_DESTROYED || state == STATE_DESTROYED_COMPROMISED;
}

/*
 * An attribute instance's term in the index of terms: none for what has
 * columns and indexes of its own.
 */
static enum err
indexed_term(struct arena *a, const struct attr *one, struct bytes *out)
{
	*out = BYTES_NONE;
	if (one->def->tag == TAG_UNIQUE_IDENTIFIER ||
	    one->def->tag == TAG_OBJECT_TYPE || one->def->tag == TAG_STATE)
		return OK;
	return object_term(a, one, out);
}

/* Each of an object's terms once, in order; in the arena. */
static enum err
object_keys(struct arena *a, const struct object *o, struct term_key **keys,
    size_t *count)
{
	struct bytes term;
	size_t all = 0;
	size_t k;
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, *keys, o->attrs.count));
	ATTR_EACH (&o->attrs, one) {
		TRY(indexed_term(a, one, &term));
		if (term.octets != 0)
			index_term_key(term, &(*keys)[all++]);
	}
	qsort(*keys, all, sizeof(**keys), key_compare);
	*count = all != 0;
	for (k = 1; k < all; k++) {
		if (key_compare(&(*keys)[k], &(*keys)[*count - 1]) != 0)
			(*keys)[(*count)++] = (*keys)[k];
	}
out:
	return rc;
}

enum err
index_has_term(
    struct arena *a, const struct object *o, struct bytes term, bool *has)
{
	struct bytes own;
	enum err rc = OK;

	*has = false;
	ATTR_EACH (&o->attrs, one) {
		TRY(indexed_term(a, one, &own));
		*has = *has || bytes_equal(own, term);
	}
out:
	return rc;
}

static enum err
term_run(struct store *st, enum statement s, const struct term_key *key,
    bool gone, int64_t owner, int64_t row)
{
	sql_bind_blob(st, s, 1, key_bytes(key));
	sql_bind_number(st, s, 2, gone);
	sql_bind_number(st, s, 3, owner);
	sql_bind_number(st, s, 4, row);
	return sql_run(st, s);
}

static struct owner *
owner_place(struct store *st, struct bytes name)
{
	return &st->owners[bytes_hash(name, 0) & (OWNERS_CACHED - 1)];
}

static void
owner_keep(struct store *st, struct bytes name, int64_t number)
{
	struct owner *place = owner_place(st, name);

	place->number = number;
	place->octets = name.octets;
	/* whose objects are global has none */
	if (name.octets != 0)
		memcpy(place->name, name.at, name.octets);
}

/* ERR_NOT_FOUND when nothing was ever written for it. */
static enum err
owner_find(struct store *st, struct bytes owner, int64_t *number)
{
	struct owner *place = owner_place(st, owner);
	bool row;
	enum err rc = OK;

	if (place->number != 0 &&
	    bytes_equal((struct bytes){place->name, place->octets}, owner)) {
		*number = place->number;
		return OK;
	}
	sql_bind_text(st, OWNER_OF_NAME, 1, owner);
	TRY(sql_step(st, OWNER_OF_NAME, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	*number = sql_number(st, OWNER_OF_NAME, 0);
	if (owner.octets <= OBJECT_OWNER_MAX_OCTETS)
		owner_keep(st, owner, *number);
out:
	sql_reset(st, OWNER_OF_NAME);
	return rc;
}

/* The owner's number, a new one for a new owner. */
static enum err
owner_number(struct store *st, struct bytes owner, int64_t *number)
{
	enum err rc = owner_find(st, owner, number);

	if (rc != ERR_NOT_FOUND)
		return rc;
	sql_bind_text(st, OWNER_INSERT, 1, owner);
	rc = sql_run(st, OWNER_INSERT);
	if (rc == OK) {
		*number = sqlite3_last_insert_rowid(st->db);
		owner_keep(st, owner, *number);
	}
	return rc;
}

enum err
index_scope(struct store *st, struct bytes name, struct row_scope *out)
{
	*out = (struct row_scope){.shared = card_scope_is_shared(name)};
	return owner_find(st, name, &out->number);
}

/* ---------------------------------------------------------------------------
 * Reading objects
 */

/* The object on whose row OBJECT_OF_ID or OBJECT_OF_ROW stands. */
static enum err
object_read(
    struct store *st, enum statement s, int64_t *row, struct object **out)
{
	struct object *o = NULL;
	enum err rc = OK;

	TRY(object_decode(sql_bytes(st, s, 1), sql_bytes(st, s, 2),
	    (uint32_t)sql_number(st, s, 3), sql_bytes(st, s, 6), &o));
	TRY(object_set_value(
	    o, sql_bytes(st, s, 7), sql_number(st, s, 4) != 0));
	o->value_version = (uint64_t)sql_number(st, s, 5);
	*row = sql_number(st, s, 0);
	*out = o;
	o = NULL;
out:
	if (rc != OK && rc != ERR_NOMEM) {
		log_line("store", LOG_ERROR, "object in row %lld: %s",
		    (long long)sql_number(st, s, 0), err_text(rc));
		rc = ERR_STORE;
	}
	object_free(o);
	return rc;
}

static enum err
entry_find(struct store *st, struct bytes id, struct cached **out)
{
	struct cached *e = NULL;
	struct object *o;
	int64_t at;
	bool row;
	enum err rc = OK;

	*out = cache_find(&st->cache, id);
	if (*out != NULL) {
		st->stats.cache_hits++;
		return OK;
	}
	st->stats.cache_misses++;
	TRY(cache_entry_new(&e));
	sql_bind_text(st, OBJECT_OF_ID, 1, id);
	TRY(sql_step(st, OBJECT_OF_ID, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	TRY(object_read(st, OBJECT_OF_ID, &at, &o));
	*out = e;
	/* what is read again after something was undone may go with more */
	cache_put(&st->cache, e, o, at, st->group.all_may_wait);
	e = NULL;
out:
	sql_reset(st, OBJECT_OF_ID);
	cache_entry_free(e);
	return rc;
}

enum err
store_find(struct store *st, struct bytes id, const struct object **out)
{
	struct cached *e;
	enum err rc = OK;

	*out = NULL;
	rc = entry_find(st, id, &e);
	/* what is not there may have been deleted in this group */
	if (rc != OK || e->change != 0 || st->group.all_may_wait)
		st->request_waits = true;
	if (rc == OK)
		*out = e->object;
	return rc;
}

enum err
index_object(struct store *st, int64_t row, struct bytes id,
    const struct object **out, struct object **own)
{
	struct cached *e = cache_find(&st->cache, id);
	int64_t at;
	bool found;
	enum err rc = OK;

	if (e != NULL) {
		*out = e->object;
		return OK;
	}
	sql_bind_number(st, OBJECT_OF_ROW, 1, row);
	TRY(sql_step(st, OBJECT_OF_ROW, &found));
	if (!found)
		TRY(ERR_STORE);
	TRY(object_read(st, OBJECT_OF_ROW, &at, own));
	*out = *own;
out:
	sql_reset(st, OBJECT_OF_ROW);
	return rc;
}

enum err
index_head(struct store *st, int64_t row, struct row_head *out)
{
	bool found;
	enum err rc = OK;

	sql_bind_number(st, HEAD_OF_ROW, 1, row);
	TRY(sql_step(st, HEAD_OF_ROW, &found));
	if (!found)
		TRY(ERR_STORE);
	TRY(head_set_id(out, sql_bytes(st, HEAD_OF_ROW, 0)));
	out->state = (uint32_t)sql_number(st, HEAD_OF_ROW, 1);
	out->type = (uint32_t)sql_number(st, HEAD_OF_ROW, 2);
out:
	sql_reset(st, HEAD_OF_ROW);
	return rc;
}

/* No row has this owner: its number is none. */
enum { NOBODY = -1 };

/* Bind what is before "row <= ?". */
static enum err
rows_bind(
    struct store *st, const struct row_source *from, enum statement *s, int *at)
{
	int64_t hidden = NOBODY;
	enum err rc = OK;

	if (from->scope.all) {
		*s = ALL_ROWS;
		rc = owner_find(st, card_version_owner(), &hidden);
		TRY(rc == ERR_NOT_FOUND ? OK : rc);
		rc = OK;
		sql_bind_number(st, *s, 2, hidden);
		*at = 1;
		return OK;
	}
	*s = from->term != NULL   ? TERM_ROWS
	     : from->scope.shared ? SHARE_ROWS
				  : KIND_ROWS;
	if (from->term != NULL) {
		sql_bind_blob(st, *s, 1, key_bytes(from->term));
		sql_bind_number(st, *s, 2, from->gone);
		sql_bind_number(st, *s, 3, from->scope.number);
	} else {
		sql_bind_number(st, *s, 1, from->scope.number);
		sql_bind_number(st, *s, 2, from->state);
		sql_bind_number(st, *s, 3, from->type);
	}
	*at = 4;
out:
	return rc;
}

enum err
index_rows(struct store *st, const struct row_source *from, int64_t at_most,
    int64_t *rows, size_t room, size_t *count)
{
	enum statement s = ALL_ROWS;
	bool row;
	int at;
	enum err rc = OK;

	*count = 0;
	TRY(rows_bind(st, from, &s, &at));
	sql_bind_number(st, s, at, at_most);
	sql_bind_number(st, s, at == 1 ? 3 : 5, (int64_t)room);
	for (;;) {
		TRY(sql_step(st, s, &row));
		if (!row)
			break;
		rows[(*count)++] = sql_number(st, s, 0);
	}
	st->stats.index_rows += *count;
out:
	sql_reset(st, s);
	return rc;
}

enum err
index_next_kind(struct store *st, const struct row_scope *scope, int64_t *state,
    int64_t *type)
{
	enum statement s = scope->shared ? SHARE_NEXT : KIND_NEXT;
	bool row;
	enum err rc = OK;

	sql_bind_number(st, s, 1, scope->number);
	sql_bind_number(st, s, 2, *state);
	sql_bind_number(st, s, 3, *type);
	TRY(sql_step(st, s, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	*state = sql_number(st, s, 0);
	*type = sql_number(st, s, 1);
	st->stats.index_rows++;
out:
	sql_reset(st, s);
	return rc;
}

/* Is the row on which HEAD_OF_ID stands in that scope? */
static enum err
head_in_scope(struct store *st, const struct row_scope *scope, bool *is_in)
{
	int64_t owner = sql_number(st, HEAD_OF_ID, 1);
	int64_t hidden = NOBODY;
	enum err rc = OK;

	*is_in = false;
	if (scope->all) {
		rc = owner_find(st, card_version_owner(), &hidden);
		*is_in = owner != hidden;
		return rc == ERR_NOT_FOUND ? OK : rc;
	}
	*is_in = owner == scope->number;
	if (!scope->shared)
		return OK;
	sql_bind_number(st, SHARE_HAS, 1, scope->number);
	sql_bind_number(st, SHARE_HAS, 2, sql_number(st, HEAD_OF_ID, 2));
	sql_bind_number(st, SHARE_HAS, 3, sql_number(st, HEAD_OF_ID, 3));
	sql_bind_number(st, SHARE_HAS, 4, sql_number(st, HEAD_OF_ID, 0));
	TRY(sql_step(st, SHARE_HAS, is_in));
out:
	sql_reset(st, SHARE_HAS);
	return rc;
}

enum err
index_row_of_id(struct store *st, struct bytes id,
    const struct row_scope *scope, int64_t *row)
{
	bool found;
	enum err rc = OK;

	sql_bind_text(st, HEAD_OF_ID, 1, id);
	TRY(sql_step(st, HEAD_OF_ID, &found));
	if (found)
		TRY(head_in_scope(st, scope, &found));
	if (!found)
		TRY(ERR_NOT_FOUND);
	*row = sql_number(st, HEAD_OF_ID, 0);
out:
	sql_reset(st, HEAD_OF_ID);
	return rc;
}

void
index_was_read(struct store *st)
{
	st->request_waits = true;
}

/* Does that row hold the name for somebody else than `except`? */
static enum err
row_holds(struct store *st, int64_t row, const struct term_key *key,
    struct bytes term, struct bytes except, bool *holds)
{
	struct row_head head;
	struct bytes id;
	const struct object *o;
	struct object *own = NULL;
	enum err rc = OK;

	*holds = false;
	TRY(index_head(st, row, &head));
	id = (struct bytes){head.id, head.id_octets};
	if (bytes_equal(id, except))
		goto out;
	*holds = true;
	if (key->cut) {
		arena_reset(st->scratch);
		TRY(index_object(st, row, id, &o, &own));
		TRY(index_has_term(st->scratch, o, term, holds));
	}
out:
	object_free(own);
	return rc;
}

enum err
store_name_taken(struct store *st, struct bytes owner, struct bytes name_term,
    struct bytes except, bool *taken)
{
	enum statement s = owner.octets != 0 ? TERM_ROWS : TERM_ALL_OWNERS;
	struct term_key key;
	int64_t number = 0;
	bool row = true;
	enum err rc = OK;

	*taken = false;
	st->request_waits = true;
	if (owner.octets != 0)
		rc = owner_find(st, owner, &number);
	if (rc == ERR_NOT_FOUND)
		return OK;
	TRY(rc);
	index_term_key(name_term, &key);
	sql_bind_blob(st, s, 1, key_bytes(&key));
	sql_bind_number(st, s, 2, false);
	sql_bind_number(st, s, 3, number);
	if (s == TERM_ROWS) {
		sql_bind_number(st, s, 4, INT64_MAX);
		sql_bind_number(st, s, 5, -1); /* no limit */
	}
	while (row && !*taken) {
		TRY(sql_step(st, s, &row));
		if (row)
			TRY(row_holds(st, sql_number(st, s, 0), &key, name_term,
			    except, taken));
	}
out:
	sql_reset(st, s);
	return rc;
}

/*
 * Which of these scopes comes first for an object: its place; `count` for none.
 */
static size_t
scope_place(const struct object *o, const struct bytes *scopes, size_t count)
{
	size_t k;

	for (k = 0; k < count; k++) {
		if (object_has_scope(o, scopes[k]))
			break;
	}
	return k;
}

struct named {
	struct bytes name;
	const struct bytes *scopes;
	size_t scope_count;
	struct cached *best; /* so far */
	size_t place;        /* its scope's */
	size_t holders;      /* different objects that have the name */
	int64_t last_row;
};

static bool
has_name(const struct object *o, struct bytes name)
{
	ATTR_EACH (&o->attrs, one) {
		if (one->def->tag == TAG_NAME &&
		    bytes_equal(item_octets(one->value, TAG_NAME_VALUE), name))
			return true;
	}
	return false;
}

/* A row that the index has for the name: is it a better one? */
static enum err
name_consider(struct store *st, int64_t row, struct named *n)
{
	struct row_head head;
	struct cached *e;
	size_t place = 0;
	enum err rc = OK;

	/* one that is in several lists */
	if (row == n->last_row)
		return OK;
	n->last_row = row;
	TRY(index_head(st, row, &head));
	TRY(entry_find(st, (struct bytes){head.id, head.id_octets}, &e));
	/* a long one is cut in the index, which then has others too */
	if (!has_name(e->object, n->name))
		return OK;
	n->holders++;
	if (n->scope_count != 0)
		place = scope_place(e->object, n->scopes, n->scope_count);
	if (n->best == NULL || place < n->place ||
	    (place == n->place && e->row < n->best->row)) {
		n->best = e;
		n->place = place;
	}
out:
	return rc;
}

static enum err
name_search(struct store *st, const struct term_key *key, struct named *n)
{
	enum statement s = TERM_ALL_OWNERS;
	bool row = true;
	enum err rc = OK;

	sql_bind_blob(st, s, 1, key_bytes(key));
	sql_bind_number(st, s, 2, false);
	sql_bind_number(st, s, 3, 0);
	while (row) {
		TRY(sql_step(st, s, &row));
		if (row)
			TRY(name_consider(st, sql_number(st, s, 0), n));
	}
out:
	sql_reset(st, s);
	return rc;
}

enum err
store_find_name(struct store *st, const struct bytes *scopes,
    size_t scope_count, struct bytes name, const struct object **out)
{
	struct named n = {
	    .name = name, .scopes = scopes, .scope_count = scope_count};
	struct term_key key;
	struct bytes term;
	struct bytes id;
	enum err rc = OK;

	*out = NULL;
	arena_reset(st->scratch);
	TRY(object_name_term(st->scratch, name, &term));
	index_term_key(term, &key);
	id = names_find(&st->names, &key);
	if (id.octets != 0) {
		TRY(entry_find(st, id, &n.best));
		n.place = scope_place(n.best->object, scopes, scope_count);
	} else {
		TRY(name_search(st, &key, &n));
		if (n.holders == 1 && !key.cut)
			names_put(&st->names, &key, n.best->object->id);
	}
	if (n.best == NULL || (scope_count != 0 && n.place == scope_count))
		TRY(ERR_NOT_FOUND);
	if (n.best->change != 0)
		st->request_waits = true;
	*out = n.best->object;
out:
	if (rc != OK || st->group.all_may_wait)
		st->request_waits = true;
	return rc;
}

/* Identifiers of those that have a name, each once. */
struct holders {
	struct bytes name;
	struct arena *arena;
	struct holder *first;
};

struct holder {
	struct bytes id;
	struct holder *next;
};

static enum err
holder_add(struct store *st, int64_t row, struct holders *holders)
{
	struct row_head head;
	struct bytes id;
	struct cached *e;
	struct holder *holder;
	enum err rc = OK;

	TRY(index_head(st, row, &head));
	id = (struct bytes){head.id, head.id_octets};
	for (holder = holders->first; holder != NULL; holder = holder->next) {
		if (bytes_equal(holder->id, id))
			return OK;
	}
	TRY(entry_find(st, id, &e));
	/* a long one is cut in the index, which then has others too */
	if (!has_name(e->object, holders->name))
		return OK;
	TRY(ARENA_NEW(holders->arena, holder));
	TRY(arena_copy(holders->arena, id, &holder->id));
	holder->next = holders->first;
	holders->first = holder;
out:
	return rc;
}

static enum err
holders_find(struct store *st, struct holders *holders)
{
	struct term_key key;
	struct bytes term;
	bool row = true;
	enum err rc = OK;

	TRY(object_name_term(holders->arena, holders->name, &term));
	index_term_key(term, &key);
	sql_bind_blob(st, TERM_ALL_OWNERS, 1, key_bytes(&key));
	sql_bind_number(st, TERM_ALL_OWNERS, 2, false);
	sql_bind_number(st, TERM_ALL_OWNERS, 3, 0);
	while (row) {
		TRY(sql_step(st, TERM_ALL_OWNERS, &row));
		if (row)
			TRY(holder_add(
			    st, sql_number(st, TERM_ALL_OWNERS, 0), holders));
	}
out:
	sql_reset(st, TERM_ALL_OWNERS);
	return rc;
}

enum err
store_name_each(
    struct store *st, struct bytes name, store_object_fn *each, void *ctx)
{
	struct holders holders = {.name = name};
	const struct holder *holder;
	const struct object *o;
	enum err rc = OK;

	st->request_waits = true;
	TRY(arena_new(SCRATCH_CAP_OCTETS, &holders.arena));
	TRY(holders_find(st, &holders));
	for (holder = holders.first; holder != NULL; holder = holder->next) {
		TRY(store_find(st, holder->id, &o));
		TRY(each(ctx, o));
	}
out:
	arena_free(holders.arena);
	return rc;
}

/* What a statement that has its first bound finds. */
static enum err
object_take(
    struct store *st, enum statement s, int64_t *row, struct object **out)
{
	bool found;
	enum err rc = OK;

	*out = NULL;
	st->request_waits = true;
	TRY(sql_step(st, s, &found));
	if (!found)
		TRY(ERR_NOT_FOUND);
	TRY(object_read(st, s, row, out));
out:
	sql_reset(st, s);
	return rc;
}

enum err
store_next(struct store *st, int64_t *row, struct object **out)
{
	sql_bind_number(st, OBJECT_AFTER, 1, *row);
	return object_take(st, OBJECT_AFTER, row, out);
}

enum err
store_next_id(struct store *st, struct bytes after, struct object **out)
{
	int64_t row;

	sql_bind_text(st, OBJECT_AFTER_ID, 1, after);
	return object_take(st, OBJECT_AFTER_ID, &row, out);
}

/* ---------------------------------------------------------------------------
 * Writing objects
 */

/* Where an object stands in the indexes; in the scratch arena. */
struct index_entry {
	struct bytes *scopes; /* the owner's first */
	size_t scope_count;   /* 0: nowhere */
	struct term_key *keys;
	size_t key_count;
	bool gone;
	uint32_t state;
	uint32_t type;
};

static enum err
index_entry_make(
    struct store *st, const struct object *o, struct index_entry *out)
{
	enum err rc = OK;

	*out = (struct index_entry){
	    .state = object_state(o), .type = o->object_type};
	out->gone = index_is_gone(out->state);
	TRY(object_keys(st->scratch, o, &out->keys, &out->key_count));
	TRY(object_scopes(st->scratch, o, &out->scopes, &out->scope_count));
out:
	return rc;
}

/* All that can be refused or run out of memory, before the first write. */
struct prepared {
	struct cached *entry;
	struct index_entry index;
};

static enum err
prepare(struct store *st, const struct object *o, struct prepared *out)
{
	enum err rc = OK;

	*out = (struct prepared){0};
	if (o->id.octets == 0 || o->id.octets > OBJECT_ID_MAX_OCTETS ||
	    o->owner.octets > OBJECT_OWNER_MAX_OCTETS)
		TRY(ERR_LIMIT);
	arena_reset(st->scratch);
	buf_reset(&st->attrs);
	TRY(object_encode_attrs(o, &st->attrs));
	TRY(index_entry_make(st, o, &out->index));
	TRY(cache_entry_new(&out->entry));
out:
	return rc;
}

/* What insert and update have in common; the others are bound already. */
static enum err
object_write(
    struct store *st, enum statement s, const struct object *o, int64_t row)
{
	int64_t due_s = object_due_s(o);

	sql_bind_number(st, s, 1, row);
	sql_bind_number(st, s, 4, object_state(o));
	if (due_s != INT64_MAX)
		sql_bind_number(st, s, 6, due_s);
	else
		(void)sqlite3_bind_null(st->statement[s], 6);
	sql_bind_number(st, s, 7, o->value_sealed);
	sql_bind_number(st, s, 8, (int64_t)o->value_version);
	sql_bind_blob(st, s, 9, buf_peek(&st->attrs));
	sql_bind_blob(st, s, 10, o->value);
	return sql_run(st, s);
}

static void
written(struct store *st, struct prepared *p, struct object *take, int64_t row)
{
	int64_t due_s = object_due_s(take);

	if (due_s < st->next_due_s)
		st->next_due_s = due_s;
	cache_put(&st->cache, p->entry, take, row, true);
	p->entry = NULL;
}

/* With savepoints that only were asked for, and room to note it. */
static bool
may_be_light(const struct group *g)
{
	return g->made < g->depth && g->light_count < LIGHT_MAX;
}

/* As write_end: half of it may be there, and no savepoint before it. */
static void
light_end(struct store *st, const struct cached *e, enum err rc)
{
	if (rc == OK)
		st->group.light[st->group.light_count++] = e;
	else
		group_undo(st, rc);
}

/* Make the index say `now` where it said `was`, in one scope. */
static enum err
terms_change(struct store *st, const struct index_entry *was,
    const struct index_entry *now, int64_t owner, int64_t row)
{
	bool all = was->gone != now->gone;
	size_t w = 0;
	size_t n = 0;
	int order;
	enum err rc = OK;

	while (w < was->key_count || n < now->key_count) {
		if (w == was->key_count)
			order = 1;
		else if (n == now->key_count)
			order = -1;
		else
			order = key_compare(&was->keys[w], &now->keys[n]);
		if (order < 0 || (order == 0 && all))
			TRY(term_run(st, TERM_DELETE, &was->keys[w], was->gone,
			    owner, row));
		if (order > 0 || (order == 0 && all))
			TRY(term_run(st, TERM_INSERT, &now->keys[n], now->gone,
			    owner, row));
		w += order <= 0;
		n += order >= 0;
	}
out:
	return rc;
}

static enum err
share_run(struct store *st, enum statement s, const struct index_entry *entry,
    int64_t owner, int64_t row)
{
	sql_bind_number(st, s, 1, owner);
	sql_bind_number(st, s, 2, entry->state);
	sql_bind_number(st, s, 3, entry->type);
	sql_bind_number(st, s, 4, row);
	return sql_run(st, s);
}

/* The place of a scope; the count where it is not there. */
static size_t
scope_find(const struct index_entry *entry, struct bytes scope)
{
	size_t k;

	for (k = 0; k < entry->scope_count; k++) {
		if (bytes_equal(entry->scopes[k], scope))
			break;
	}
	return k;
}

/* From `was` to `now` in one scope; where one of them is not, it is empty. */
static enum err
scope_change(struct store *st, struct bytes scope,
    const struct index_entry *was, const struct index_entry *now, int64_t row)
{
	static const struct index_entry none;
	size_t w = scope_find(was, scope);
	size_t n = scope_find(now, scope);
	bool was_in = w < was->scope_count;
	bool is_in = n < now->scope_count;
	/* an owner's list is a column of the object */
	bool was_shared = was_in && w != 0;
	bool is_shared = is_in && n != 0;
	bool same = was_shared == is_shared && was->state == now->state;
	int64_t owner;
	enum err rc = OK;

	TRY(owner_number(st, scope, &owner));
	TRY(terms_change(
	    st, was_in ? was : &none, is_in ? now : &none, owner, row));
	if (was_shared && !same)
		TRY(share_run(st, SHARE_DELETE, was, owner, row));
	if (is_shared && !same)
		TRY(share_run(st, SHARE_INSERT, now, owner, row));
out:
	return rc;
}

/* What is known of names in memory may be so no more. */
static void
names_forget(struct store *st, const struct index_entry *entry)
{
	size_t k;

	for (k = 0; k < entry->key_count; k++) {
		if (bytes_u24(entry->keys[k].at) == TAG_NAME)
			names_drop(&st->names, &entry->keys[k]);
	}
}

/* From `was` to `now` in all indexes but the object's own columns. */
static enum err
index_change(struct store *st, const struct index_entry *was,
    const struct index_entry *now, int64_t row)
{
	size_t k;
	enum err rc = OK;

	names_forget(st, was);
	names_forget(st, now);
	for (k = 0; k < was->scope_count; k++)
		TRY(scope_change(st, was->scopes[k], was, now, row));
	for (k = 0; k < now->scope_count; k++) {
		if (scope_find(was, now->scopes[k]) == was->scope_count)
			TRY(scope_change(st, now->scopes[k], was, now, row));
	}
out:
	return rc;
}

enum err
store_insert(struct store *st, struct object *take)
{
	static const struct index_entry none;
	struct object *o = take;
	struct prepared p = {0};
	const struct cached *e = NULL;
	int64_t owner;
	int64_t row = st->last_row + 1;
	bool light = may_be_light(&st->group);
	bool begun = false;
	enum err rc = OK;

	TRY(prepare(st, o, &p));
	TRY(light ? group_begin(st) : sql_write_begin(st));
	begun = true;
	TRY(owner_number(st, o->owner, &owner));
	sql_bind_text(st, OBJECT_INSERT, 2, o->id);
	sql_bind_number(st, OBJECT_INSERT, 3, owner);
	sql_bind_number(st, OBJECT_INSERT, 5, o->object_type);
	rc = object_write(st, OBJECT_INSERT, o, row);
	if (rc == ERR_EXISTS) {
		begun = false;
		goto out;
	}
	TRY(rc);
	TRY(index_change(st, &none, &p.index, row));
	st->last_row = row;
	e = p.entry;
	written(st, &p, o, row);
	o = NULL;
out:
	if (begun && light)
		light_end(st, e, rc);
	else if (begun)
		(void)sql_write_end(st, rc);
	cache_entry_free(p.entry);
	object_free(o);
	return rc;
}

enum err
store_update(struct store *st, struct object *take)
{
	struct object *o = take;
	struct prepared p = {0};
	struct index_entry was;
	struct cached *e;
	int64_t owner;
	int64_t row;
	bool begun = false;
	enum err rc = OK;

	TRY(entry_find(st, o->id, &e));
	assert(e->object->object_type == o->object_type);
	row = e->row;
	TRY(prepare(st, o, &p));
	TRY(index_entry_make(st, e->object, &was));
	TRY(sql_write_begin(st));
	begun = true;
	TRY(owner_number(st, o->owner, &owner));
	sql_bind_number(st, OBJECT_UPDATE, 3, owner);
	TRY(object_write(st, OBJECT_UPDATE, o, row));
	TRY(index_change(st, &was, &p.index, row));
	written(st, &p, o, row);
	o = NULL;
out:
	if (begun)
		(void)sql_write_end(st, rc);
	cache_entry_free(p.entry);
	object_free(o);
	return rc;
}

/* Its row and what the index says of it. */
static enum err
object_erase(struct store *st, const struct object *o, int64_t row)
{
	static const struct index_entry none;
	struct index_entry was;
	enum err rc = OK;

	arena_reset(st->scratch);
	TRY(index_entry_make(st, o, &was));
	TRY(index_change(st, &was, &none, row));
	sql_bind_number(st, OBJECT_DELETE, 1, row);
	TRY(sql_run(st, OBJECT_DELETE));
out:
	return rc;
}

enum err
store_delete(struct store *st, struct bytes id)
{
	struct cached *e;
	bool begun = false;
	enum err rc = OK;

	TRY(entry_find(st, id, &e));
	TRY(sql_write_begin(st));
	begun = true;
	TRY(object_erase(st, e->object, e->row));
	cache_drop(&st->cache, e);
out:
	if (begun)
		(void)sql_write_end(st, rc);
	return rc;
}

int64_t
store_next_due_s(const struct store *st)
{
	return st->next_due_s;
}

static enum err
tick_one(struct store *st, const struct row_head *head, int64_t now_s)
{
	struct cached *e;
	struct object *o = NULL;
	struct object *take;
	bool changed;
	enum err rc = OK;

	TRY(entry_find(st, (struct bytes){head->id, head->id_octets}, &e));
	TRY(object_clone(e->object, &o));
	TRY(object_tick(o, now_s, &changed));
	if (!changed) {
		log_line("store", LOG_ERROR, "an object's due date is wrong");
		TRY(ERR_STORE);
	}
	take = o;
	o = NULL;
	TRY(store_update(st, take));
out:
	object_free(o);
	return rc;
}

enum err
store_tick(struct store *st, int64_t now_s)
{
	struct row_head head;
	int64_t due_s;
	enum err rc = OK;

	for (;;) {
		TRY(due_read(st, &due_s, &head));
		if (due_s > now_s)
			break;
		TRY(tick_one(st, &head, now_s));
	}
	st->next_due_s = due_s;
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * Small named values
 */

enum err
store_meta_get(struct store *st, const char *key, struct buf *out)
{
	bool row;
	enum err rc = OK;

	st->request_waits = true;
	sql_bind_text(st, META_GET, 1, bytes_of_text(key));
	TRY(sql_step(st, META_GET, &row));
	if (!row)
		TRY(ERR_NOT_FOUND);
	TRY(buf_put(out, sql_bytes(st, META_GET, 0)));
out:
	sql_reset(st, META_GET);
	return rc;
}

enum err
store_meta_put(struct store *st, const char *key, struct bytes value)
{
	enum err rc = OK;

	if (*key == '\0' || strlen(key) > STORE_META_KEY_MAX_OCTETS ||
	    value.octets > STORE_META_VALUE_MAX_OCTETS)
		return ERR_LIMIT;
	TRY(sql_write_begin(st));
	sql_bind_text(st, META_PUT, 1, bytes_of_text(key));
	sql_bind_blob(st, META_PUT, 2, value);
	rc = sql_write_end(st, sql_run(st, META_PUT));
out:
	return rc;
}

enum err
store_meta_delete(struct store *st, const char *key)
{
	enum err rc = OK;

	TRY(sql_write_begin(st));
	sql_bind_text(st, META_DELETE, 1, bytes_of_text(key));
	rc = sql_write_end(st, sql_run(st, META_DELETE));
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * For tests and reports
 */

enum err
store_stats(struct store *st, struct store_stats *out)
{
	int64_t objects;
	enum err rc = OK;

	TRY(query_number(st, "SELECT count(*) FROM object", &objects));
	st->stats.objects = (uint64_t)objects;
	st->stats.cached_objects = st->cache.count;
	st->stats.cached_octets = st->cache.octets;
	*out = st->stats;
out:
	return rc;
}

static enum err
plan(struct store *st, size_t k, store_plan_fn *line, void *ctx)
{
	sqlite3_stmt *s = NULL;
	char *sql = NULL;
	int code = SQLITE_NOMEM;

	sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statements[k].sql);
	if (sql != NULL)
		code = sqlite3_prepare_v2(st->db, sql, -1, &s, NULL);
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(s);
		if (code == SQLITE_ROW)
			line(ctx, statements[k].name,
			    (const char *)sqlite3_column_text(s, 3));
	}
	sqlite3_finalize(s);
	sqlite3_free(sql);
	return db_err(st, code, "plan");
}

enum err
store_plans(struct store *st, store_plan_fn *line, void *ctx)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < STATEMENT_COUNT; k++)
		TRY(plan(st, k, line, ctx));
out:
	return rc;
}

/* Has the row all its terms in that scope, and is it shared with it? */
static enum err
check_scope(struct store *st, const struct index_entry *entry,
    struct bytes scope, int64_t row)
{
	struct row_source from = {
	    .gone = entry->gone, .state = entry->state, .type = entry->type};
	size_t count = entry->key_count;
	int64_t here;
	size_t got;
	size_t k;
	enum err rc = OK;

	TRY(index_scope(st, scope, &from.scope));
	/* its kind stands behind its terms */
	for (k = 0; k <= count; k++) {
		from.term = k < count ? &entry->keys[k] : NULL;
		TRY(index_rows(st, &from, row, &here, 1, &got));
		if (got == 0 || here != row) {
			log_line("store", LOG_ERROR, "row %lld lacks a term",
			    (long long)row);
			TRY(ERR_STORE);
		}
	}
out:
	return rc;
}

/* What stands in the indexes beside the objects' own columns. */
struct tally {
	uint64_t terms;
	uint64_t shares;
};

static enum err
check_row(
    struct store *st, const struct object *o, int64_t row, struct tally *tally)
{
	struct index_entry entry;
	size_t k;
	enum err rc = OK;

	arena_reset(st->scratch);
	TRY(index_entry_make(st, o, &entry));
	for (k = 0; k < entry.scope_count; k++)
		TRY(check_scope(st, &entry, entry.scopes[k], row));
	tally->terms += entry.key_count * entry.scope_count;
	tally->shares += entry.scope_count - 1;
out:
	return rc;
}

static enum err
check_rows(struct store *st, struct tally *tally)
{
	struct object *o = NULL;
	int64_t at = 0;
	enum err rc;

	while ((rc = store_next(st, &at, &o)) == OK) {
		TRY(check_row(st, o, at, tally));
		object_free(o);
		o = NULL;
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	object_free(o);
	return rc;
}

enum err
store_check(struct store *st)
{
	struct tally tally = {0};
	int64_t damages;
	int64_t terms;
	int64_t shares;
	enum err rc = OK;

	TRY(query_number(st,
	    "SELECT count(*) FROM pragma_integrity_check"
	    " WHERE integrity_check <> 'ok'",
	    &damages));
	TRY(check_rows(st, &tally));
	TRY(query_number(st, "SELECT count(*) FROM term", &terms));
	TRY(query_number(st, "SELECT count(*) FROM share", &shares));
	if (damages != 0 || tally.terms != (uint64_t)terms ||
	    tally.shares != (uint64_t)shares) {
		log_line("store", LOG_ERROR,
		    "damages %lld; terms and shares of objects %llu and %llu, "
		    "in the index %lld and %lld",
		    (long long)damages, (unsigned long long)tally.terms,
		    (unsigned long long)tally.shares, (long long)terms,
		    (long long)shares);
		TRY(ERR_STORE);
	}
out:
	return rc;
}
