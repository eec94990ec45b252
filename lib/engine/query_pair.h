/*
 * The rows of a scan, tallied by two threads where the program may use two cores: one
 * reads (and unpacks), cuts what it read into blocks, and tallies the blocks that the
 * other one has no time for. The result is that of one thread: sums are exact in any
 * order, and bad lines and what ends the scan are dealt with in the order of the rows.
 */
#ifndef RYDE_ENGINE_QUERY_PAIR_H
#define RYDE_ENGINE_QUERY_PAIR_H

#include <stdbool.h>

struct ryde_err;
struct ryde_query_cursor;
struct ryde_query_grouping;
struct ryde_query_pair;
struct ryde_query_row;
struct ryde_query_tally;

/* For the rows of c, which must outlive it, as g must. NULL with err set. */
struct ryde_query_pair *ryde_query_pair_new(const struct ryde_query_grouping *g,
    struct ryde_query_cursor *c, struct ryde_err *err);
/* Ends the other thread, wherever it is. Takes NULL. */
void ryde_query_pair_free(struct ryde_query_pair *p);
/*
 * Takes the row that the cursor stands on, and copies it. RYDE_QUERY_PLAIN where this row
 * or one before it is SQLite's.
 */
int ryde_query_pair_row(
    struct ryde_query_pair *p, const struct ryde_query_row *row, struct ryde_err *err);
/* True where the cursor failed because a row before is SQLite's. */
bool ryde_query_pair_is_plain(const struct ryde_query_pair *p);
/* Behind the last row: *t becomes all groups. It is p's. */
int ryde_query_pair_end(
    struct ryde_query_pair *p, struct ryde_query_tally **t, struct ryde_err *err);

#endif
