/* --from and --to: where reading begins and ends. */
#ifndef RYDE_ENGINE_CONSUME_START_H
#define RYDE_ENGINE_CONSUME_START_H

#include "store/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;

/* start, end, a time, -DURATION before now, or a sequence number. -1 with RYDE_EUSAGE. */
int ryde_consume_start_from(
    const char *text, struct ryde_stream_start *out, struct ryde_err *err);
/* end (*to_end), or a time: no record that arrived later is printed. */
int ryde_consume_start_to(
    const char *text, bool *to_end, int64_t *to_ms, struct ryde_err *err);

#endif
