/*
 * External tables: names for archives that lie anywhere, as CREATE EXTERNAL TABLE made
 * them. The embedded store keeps the statement, DIR/externals/NAME.sql. Letter case does
 * not matter in names, as in Athena.
 */
#ifndef RYDE_STORE_EXTERNAL_H
#define RYDE_STORE_EXTERNAL_H

#include "base/view.h"

struct ryde_buf;
struct ryde_err;
struct ryde_store_settings;

/* Keeps the statement under name, in place of an older one. */
int ryde_external_save(const struct ryde_store_settings *s, const char *name,
    struct ryde_view sql, struct ryde_err *err);
/* Appends the statement: 1, 0 where there is no such table (nor could be), -1 with err
 * set. */
int ryde_external_load(const struct ryde_store_settings *s, const char *name,
    struct ryde_buf *sql, struct ryde_err *err);
/* Forgets the table; the archive stays. RYDE_ENOINPUT where there is none. */
int ryde_external_delete(
    const struct ryde_store_settings *s, const char *name, struct ryde_err *err);

#endif
