/* The last bytes of a program: out to the pipe, but not for ever once it was told to
 * stop. */
#ifndef RYDE_ENGINE_OUTLET_H
#define RYDE_ENGINE_OUTLET_H

#include <stdint.h>

struct ryde_err;
struct ryde_writer;

/*
 * Writes all that w has gathered. Waits as long as it takes, after SIGINT or SIGTERM at
 * most grace_ms. -1 with RYDE_ETEMPFAIL when that is over, or as ryde_writer_flush (see
 * ryde_writer_closed).
 */
int ryde_outlet_drain(struct ryde_writer *w, int64_t grace_ms, struct ryde_err *err);

#endif
