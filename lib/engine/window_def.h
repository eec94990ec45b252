/*
 * What a window computes: its extent, its keys, its time, its columns. Made step by step,
 * finished once, and then only read.
 *
 *	struct ryde_window_def *d = ryde_window_def_new(&err);
 *	d->extent.size_ms = 60000;
 *	ryde_window_def_by(d, ".Name", &err);
 *	ryde_window_def_column(d, "Distance=sum(.Distance)", &err);
 *	ryde_window_def_finish(d, &err);
 */
#ifndef RYDE_ENGINE_WINDOW_DEF_H
#define RYDE_ENGINE_WINDOW_DEF_H

#include "base/view.h"
#include "engine/window_extent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_json_paths;
struct ryde_zone;
struct ryde_window_expr;

#define RYDE_WINDOW_DEF_COLUMNS_MAX 256
#define RYDE_WINDOW_DEF_BY_MAX 32
#define RYDE_WINDOW_DEF_FINGERPRINT 32 /* hexadecimal digits */

enum ryde_window_def_time {
	RYDE_WINDOW_DEF_DEFAULT, /* .StatusTime where the record has it, else its arrival
				  */
	RYDE_WINDOW_DEF_FIELD,	 /* the field, and nothing else */
	RYDE_WINDOW_DEF_ARRIVAL,
	RYDE_WINDOW_DEF_NOW, /* the clock when the record is taken */
};

/* lateness_ms: the usual one, which is 0, and with sessions their gap. */
#define RYDE_WINDOW_DEF_LATENESS (-1)

enum ryde_window_def_function {
	RYDE_WINDOW_DEF_START,
	RYDE_WINDOW_DEF_END,
	RYDE_WINDOW_DEF_COUNT_ALL, /* count() */
	RYDE_WINDOW_DEF_COUNT,
	RYDE_WINDOW_DEF_SUM,
	RYDE_WINDOW_DEF_MIN,
	RYDE_WINDOW_DEF_MAX,
	RYDE_WINDOW_DEF_AVG,
	RYDE_WINDOW_DEF_FIRST,
	RYDE_WINDOW_DEF_LAST,
	RYDE_WINDOW_DEF_STDDEV,
	RYDE_WINDOW_DEF_DISTINCT,
	RYDE_WINDOW_DEF_PERCENTILE,
	RYDE_WINDOW_DEF_LIST,
};

#define RYDE_WINDOW_DEF_ALWAYS SIZE_MAX /* the number of a condition: there is none */
#define RYDE_WINDOW_DEF_DIGITS 17	/* of means; RYDE_WINDOW_DEF_DIGITS_MAX at most */
#define RYDE_WINDOW_DEF_DIGITS_MAX 1000
#define RYDE_WINDOW_DEF_ACCURACY_PPM 10000 /* of percentiles; 1000 to 100000 */
#define RYDE_WINDOW_DEF_LIST_MAX 1000
/* A list that was cut is followed by its name with this behind it, and how many. */
#define RYDE_WINDOW_DEF_OMITTED "Omitted"

struct ryde_window_def_column {
	char *name;
	enum ryde_window_def_function function;
	bool has_path;
	size_t path;	   /* number in paths */
	size_t where;	   /* number in conditions, or ALWAYS */
	uint32_t part, of; /* of percentiles: the one at part / of */
	size_t state;	   /* number of its state, for functions that have one */
	char *label;	   /* `,"name":` as rows carry it */
	size_t label_n;
};

/* What a group keeps for a column, or for several that compute the same. */
struct ryde_window_def_state {
	enum ryde_window_def_function function;
	bool has_path;
	size_t path;
	size_t where;
	size_t slot; /* offset in a group's states */
};

/* A key of --by. */
struct ryde_window_def_key {
	char *name; /* NULL: that of the path */
	size_t path;
	char *label;
	size_t label_n;
};

struct ryde_window_def {
	/* Set by the caller, before finish. */
	struct ryde_window_extent extent; /* its zone by ryde_window_def_zone */
	struct ryde_zone *zone;		  /* NULL: UTC */
	char *zone_name;
	int64_t lateness_ms;   /* how far a shard's time may run back */
	int64_t idle_ms;       /* a shard that is silent for so long holds nothing back */
	unsigned digits;       /* significant digits of means and deviations */
	uint32_t accuracy_ppm; /* of percentiles, in millionths of them */
	size_t list_max;       /* values that list keeps */
	int64_t allow_ms;      /* how long windows that were printed take late records */
	bool early;	       /* rows of open windows are asked for */
	size_t max_bytes;      /* windows that take more are printed early; 0: any size */

	enum ryde_window_def_time time;
	size_t time_path; /* except for arrival */
	struct ryde_json_paths *paths;
	struct ryde_window_def_key keys[RYDE_WINDOW_DEF_BY_MAX];
	size_t n_keys;
	struct ryde_window_def_column columns[RYDE_WINDOW_DEF_COLUMNS_MAX];
	size_t n_columns; /* of rows; the hidden ones of --having follow */
	size_t n_hidden;
	struct ryde_window_expr *conditions[RYDE_WINDOW_DEF_COLUMNS_MAX + 1];
	size_t n_conditions;
	size_t where;			   /* of all records: number in conditions */
	struct ryde_window_expr *having;   /* of rows; NULL: all of them */
	struct ryde_json_paths *row_paths; /* what having reads of a row */

	/* Made by finish. */
	bool bounds; /* rows carry windowStart and windowEnd */
	size_t n_paths;
	size_t *used; /* the paths that columns read */
	size_t n_used;
	bool *numeric; /* by path: a function that wants numbers reads it */
	bool *scalar;  /* by path: one that wants no array and no object */
	struct ryde_window_def_state states[RYDE_WINDOW_DEF_COLUMNS_MAX];
	size_t n_states;
	size_t state_bytes; /* of a group */
	char fingerprint[RYDE_WINDOW_DEF_FINGERPRINT + 1];
};

/* A definition without keys and columns; time is the default. */
struct ryde_window_def *ryde_window_def_new(struct ryde_err *err);
void ryde_window_def_free(struct ryde_window_def *d);
/* Adds a key, PATH or NAME=PATH. -1 with RYDE_EUSAGE where it is none. */
int ryde_window_def_by(struct ryde_window_def *d, const char *path, struct ryde_err *err);
/* Days, and what divides them, as this zone has them; times in rows too. */
int ryde_window_def_zone(
    struct ryde_window_def *d, const char *name, struct ryde_err *err);
/* "arrival", "now", or the path of the time. */
int ryde_window_def_time(
    struct ryde_window_def *d, const char *text, struct ryde_err *err);
/* Only records for which the condition is true are looked at (but all move the time). */
int ryde_window_def_where(
    struct ryde_window_def *d, const char *text, struct ryde_err *err);
/* Only rows for which the condition is true are printed. Its paths are those of the row,
 * and functions stand in it as in columns. */
int ryde_window_def_having(
    struct ryde_window_def *d, const char *text, struct ryde_err *err);
/* The accuracy of percentiles, "1%" or "0.01": 0.1 % to 10 %. */
int ryde_window_def_accuracy(
    struct ryde_window_def *d, const char *text, struct ryde_err *err);
/* Adds a column, NAME=FUNCTION. -1 with RYDE_EUSAGE and a message that names what is
 * wrong in it. */
int ryde_window_def_column(
    struct ryde_window_def *d, const char *text, struct ryde_err *err);
/* Lays out the state and makes the fingerprint. -1 with RYDE_EUSAGE: no column, two of
 * one name, no size. */
int ryde_window_def_finish(struct ryde_window_def *d, struct ryde_err *err);

#endif
