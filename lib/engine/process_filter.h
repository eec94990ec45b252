/*
 * Filter criteria: which records the handler is to see. Source: event filtering of
 * Lambda's Kinesis mappings. A file holds
 *
 *	{"Filters":[{"Pattern":"{\"data\":{\"Distance\":[{\"numeric\":[\">\",30]}]}}"},…]}
 *
 * A pattern may stand there as the string that Lambda's API takes, or as an object. A
 * record passes where one of them matches it (json/pattern.h). A pattern sees the
 * record's metadata at the top, as in the event, and its payload under `data`; where it
 * asks for data, a payload that is no JSON object does not match.
 */
#ifndef RYDE_ENGINE_PROCESS_FILTER_H
#define RYDE_ENGINE_PROCESS_FILTER_H

#include <stdbool.h>

struct ryde_err;
struct ryde_process_batch_record;
struct ryde_process_event_source;
struct ryde_process_filter;

#define RYDE_PROCESS_FILTER_MAX 10	     /* patterns */
#define RYDE_PROCESS_FILTER_PATTERN_MAX 4096 /* bytes of each */

/* Reads a file of criteria. NULL with RYDE_ECONFIG, or what reading it says. */
struct ryde_process_filter *ryde_process_filter_open(
    const char *path, struct ryde_err *err);
void ryde_process_filter_free(struct ryde_process_filter *f);
/* 1 where the record passes, 0 where not, -1 without memory. Its data has been checked.
 */
int ryde_process_filter_passes(struct ryde_process_filter *f,
    const struct ryde_process_event_source *source,
    const struct ryde_process_batch_record *r, struct ryde_err *err);

#endif
