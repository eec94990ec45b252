/* Tables of the embedded store, tables/NAME.db. The interface is store/table.h's. */
#ifndef RYDE_LOCAL_TABLE_H
#define RYDE_LOCAL_TABLE_H

#include "line/store_ops.h"

struct ryde_table *ryde_table_local_open(
    const char *dir, const char *name, struct ryde_err *err);
/* As ryde_catalog_create_table; sort may be NULL. */
int ryde_table_local_create(const char *dir, const char *name, const char *key,
    const char *sort, struct ryde_err *err);
int ryde_table_local_delete(const char *dir, const char *name, struct ryde_err *err);

#endif
