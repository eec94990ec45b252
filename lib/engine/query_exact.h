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

#define RYDE_QUERY_EXACT_MAX 2000000
#define RYDE_QUERY_EXACT_DATA 200000
#define RYDE_QUERY_EXACT_LONG                                     \
	16 /* bytes of a number that may have more than 15 digits \
	    */

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
 * Notes that the data has this double, and that it stands for itself. Where it stands for
 * another number already: the double to give in its place. 0 where there is none. To be
 * called for each REAL that is written with RYDE_QUERY_EXACT_LONG bytes or more.
 */
double ryde_query_exact_real(struct ryde_query_exact *x, double real);
/* True where x stands for a number with more digits; *text is good until the free. */
bool ryde_query_exact_text(
    const struct ryde_query_exact *x, double real, struct ryde_view *text);

#endif
