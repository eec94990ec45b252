/*
 * What the path of an object says of its rows: the hour in yyyy/MM/dd/HH, and Hive's
 * key=value.
 */
#ifndef RYDE_ENGINE_QUERY_PARTITION_H
#define RYDE_ENGINE_QUERY_PARTITION_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;

/* The parts of yyyy/MM/dd/HH, in that order. */
enum ryde_query_hour {
	RYDE_QUERY_YEAR,
	RYDE_QUERY_MONTH,
	RYDE_QUERY_DAY,
	RYDE_QUERY_HOUR,
	RYDE_QUERY_HOUR_PARTS,
};

/* Finds the last yyyy/MM/dd/HH among the folders of path; parts are slices of it. */
bool ryde_query_partition_hour(
    struct ryde_view path, struct ryde_view parts[RYDE_QUERY_HOUR_PARTS]);
/* Takes the next folder of the form key=value from the front of *path. */
bool ryde_query_partition_next(
    struct ryde_view *path, struct ryde_view *key, struct ryde_view *value);
/* Appends a key or a value with its %XX undone. Source: Hive's names of partitions. */
void ryde_query_partition_decode(struct ryde_buf *to, struct ryde_view v);

#endif
