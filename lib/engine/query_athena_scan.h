/* How much a statement of Athena's would scan, as far as that can be known before. */
#ifndef RYDE_ENGINE_QUERY_ATHENA_SCAN_H
#define RYDE_ENGINE_QUERY_ATHENA_SCAN_H

#include "base/view.h"

#include <stdint.h>

struct ryde_athena_opts;
struct ryde_err;

/*
 * A table without partitions is scanned whole: SHOW CREATE TABLE (which costs nothing)
 * says where it lies, and S3 how large that is. -1 with RYDE_EDATA where the tables of
 * the statement have more than max_bytes. Of what is partitioned, a view, or not to be
 * listed, nothing is known, and nothing refused.
 */
int ryde_query_athena_scan_check(const struct ryde_athena_opts *athena,
    struct ryde_view statement, int64_t max_bytes, struct ryde_err *err);

#endif
