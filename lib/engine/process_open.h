/* What all lanes share, as the settings say, before the first line is read. */
#ifndef RYDE_ENGINE_PROCESS_OPEN_H
#define RYDE_ENGINE_PROCESS_OPEN_H

struct ryde_err;
struct ryde_process_lane_common;

/*
 * Fills c, whose settings, in, out and books are set: the rules and limits, the command's
 * path and environment, the destination of failures, the filter criteria. -1 as
 * ryde_process_run; what is set by then is freed with the rest of c.
 */
int ryde_process_open(struct ryde_process_lane_common *c, struct ryde_err *err);

#endif
