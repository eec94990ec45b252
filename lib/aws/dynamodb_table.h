/*
 * Tables on DynamoDB, behind store/table.h's interface. A batch is written with
 * BatchWriteItem, 25 items a request, several requests side by side: within a batch no
 * two items have the same key (the later one wins before anything is sent), and batches
 * follow each other.
 */
#ifndef RYDE_AWS_DYNAMODB_TABLE_H
#define RYDE_AWS_DYNAMODB_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_aws;
struct ryde_buf;
struct ryde_err;
struct ryde_store_name;
struct ryde_store_settings;
struct ryde_table;

/* Opens a table that exists and waits until it can be used. RYDE_ENOINPUT, with the
 * command that creates it, where it does not. settings are copied. */
struct ryde_table *ryde_dynamodb_table_open(const struct ryde_store_settings *settings,
    const struct ryde_store_name *name, struct ryde_err *err);

/* A table's name and keys; their fields are strings. sort may be NULL. */
struct ryde_dynamodb_shape {
	const char *name, *key, *sort;
};
/* Creates a table that is billed by request, and waits until it can be used. One that
 * exists with the same keys is no error, with others RYDE_ECANTCREAT. region may be NULL.
 */
int ryde_dynamodb_table_make(struct ryde_aws *aws, const char *region,
    const struct ryde_dynamodb_shape *shape, struct ryde_err *err);
/* As ryde_catalog_delete. */
int ryde_dynamodb_table_delete(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err);
int ryde_dynamodb_table_exists(struct ryde_aws *aws, const struct ryde_store_name *name,
    bool *exists, struct ryde_err *err);
/* Calls fn for each table of the region. */
int ryde_dynamodb_table_list(struct ryde_aws *aws,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err);

#endif
