/*
 * Private to this folder: running the statements of statement.def, for files
 * that know tables, but not the engine.
 *
 * A statement is bound, stepped and reset; nothing else may use the same one
 * meanwhile. Whoever writes does so between sql_write_begin and sql_write_end.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "store/store.h"

enum statement {
#define STATEMENT(symbol, sql) symbol,
#include "store/statement.def"
#undef STATEMENT
	STATEMENT_COUNT
};

/* Nothing is copied: what is bound must stay until the statement is reset. */
void
sql_bind_number(struct store *st, enum statement s, int at, int64_t number);
void sql_bind_text(struct store *st, enum statement s, int at, struct bytes b);
void sql_bind_blob(struct store *st, enum statement s, int at, struct bytes b);

/* One step: *row says whether there is one. Whoever steps resets. */
enum err sql_step(struct store *st, enum statement s, bool *row) MUST_CHECK;
void sql_reset(struct store *st, enum statement s);

/* Of the row that the statement stands on; valid until its next step. */
struct bytes sql_bytes(struct store *st, enum statement s, int at);
int64_t sql_number(struct store *st, enum statement s, int at);

/* A statement without rows. */
enum err sql_run(struct store *st, enum statement s);

/*
 * Before each write, which must not be tried when it fails; and after it, with
 * what came of it: half of it may be there, so it cannot stay.
 */
enum err sql_write_begin(struct store *st) MUST_CHECK;
enum err sql_write_end(struct store *st, enum err rc);

#endif
