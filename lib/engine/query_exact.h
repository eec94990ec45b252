/*
 * Exact aggregates for SQLite: sum, total and avg over decimals, as whole columns, groups
 * and windows; min and max where a column has numbers that neither fit an INTEGER nor a
 * REAL.
 *
 * A number that no REAL stands for (more than about 16 digits), in data or as a result,
 * has to be ordered and compared as a number, so it is given as a REAL all the same, and
 * its digits are kept beside it: that REAL is a nearby double that is given to no other
 * number, long ones of the data that are doubles themselves included.
 * ryde_query_exact_text says what it stands for. Limits: SQL compares such numbers with
 * 16 digits, and computes on from the double; after RYDE_QUERY_EXACT_DATA different ones
 * data gets BLOBs (query_number.h), after RYDE_QUERY_EXACT_MAX results are an error.
 */
#ifndef RYDE_ENGINE_QUERY_EXACT_H
#define RYDE_ENGINE_QUERY_EXACT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

#define RYDE_QUERY_EXACT_MAX 2000000
#define RYDE_QUERY_EXACT_DATA 200000

struct ryde_err;
struct ryde_query_exact;
struct sqlite3;

/* Registers sum, total, avg and exact(X) with db; free it after db is closed. */
struct ryde_query_exact *ryde_query_exact_new(struct sqlite3 *db, struct ryde_err *err);
void ryde_query_exact_free(struct ryde_query_exact *x);
/*
 * Puts exact min(X) and max(X) in place of SQLite's own from now on. SQLite's are better
 * as long as no column needs these: other columns beside max(X) then come from its row,
 * which no function but SQLite's own can do, and they work as window functions.
 */
int ryde_query_exact_min_max(
    struct ryde_query_exact *x, struct sqlite3 *db, struct ryde_err *err);
/*
 * The double that stands for the number in text (as ryde_decimal_put has it), to which
 * `real` is the nearest one. 0 where there is none: too many, or no memory.
 */
double ryde_query_exact_handle(
    struct ryde_query_exact *x, double real, struct ryde_view text);
/*
 * A REAL of the data, or a result, whose number was written with so many bytes: the
 * double to give to SQL. Mostly it is `real`, and it is noted that it stands for itself;
 * another one where that stands for another number already.
 */
double ryde_query_exact_real(struct ryde_query_exact *x, double real, size_t written);
/* True where x stands for a number with more digits; *text is good until the free. */
bool ryde_query_exact_text(
    const struct ryde_query_exact *x, double real, struct ryde_view *text);

#endif
