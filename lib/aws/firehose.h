/*
 * Firehose: records into a delivery stream. Calls here wait for their end.
 *
 * Source: the model of PutRecordBatch; aws-facts 7.
 */
#ifndef RYDE_AWS_FIREHOSE_H
#define RYDE_AWS_FIREHOSE_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;
struct ryde_firehose;
struct ryde_store_settings;

#define RYDE_FIREHOSE_RECORDS_MAX 500		  /* of one call */
#define RYDE_FIREHOSE_BYTES_MAX ((size_t)4 << 20) /* of one call */
#define RYDE_FIREHOSE_RECORD_MAX 1024000	  /* bytes of one record */

/* -1 with RYDE_EUSAGE where name is no delivery stream's. No call is made. */
struct ryde_firehose *ryde_firehose_open(
    const struct ryde_store_settings *settings, const char *name, struct ryde_err *err);
void ryde_firehose_close(struct ryde_firehose *f);
/*
 * Puts n records in one call. 0: failed[i] says which ones were not taken, which is to be
 * tried again later; *why (a buffer of 200 bytes) then says why the first one was not.
 * -1: none was taken for sure; RYDE_EUNAVAILABLE and RYDE_ETEMPFAIL can be tried again.
 */
int ryde_firehose_put(struct ryde_firehose *f, const struct ryde_view *records, size_t n,
    bool *failed, char *why, struct ryde_err *err);

#endif
