/* Who waits for acknowledgement of a batch's records: a reader in one of its lives. */
#ifndef RYDE_ENGINE_PROCESS_SOURCE_H
#define RYDE_ENGINE_PROCESS_SOURCE_H

#include "base/view.h"

#include <stdbool.h>

struct ryde_err;

struct ryde_process_source {
	char *raw; /* the ack as it stands in lines */
	char *ack, *stream;
	bool ended; /* its end mark was passed on */
};

/* Copies both. -1 without memory. */
int ryde_process_source_init(struct ryde_process_source *s, struct ryde_view raw_ack,
    struct ryde_view raw_stream, struct ryde_err *err);
void ryde_process_source_free(struct ryde_process_source *s);

#endif
