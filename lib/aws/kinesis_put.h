/*
 * PutRecords as text: the body of the request, and what its answer says of each record.
 * Source: the service model of Kinesis (PutRecords).
 */
#ifndef RYDE_AWS_KINESIS_PUT_H
#define RYDE_AWS_KINESIS_PUT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_record_in;

#define RYDE_KINESIS_PUT_RECORDS 500

/* {"StreamName":…,"Records":[, or with StreamARN where arn is not empty. */
void ryde_kinesis_put_begin(struct ryde_buf *body, const char *name, const char *arn);
/* One record more; first: of this body. */
void ryde_kinesis_put_add(
    struct ryde_buf *body, const struct ryde_record_in *record, bool first);
void ryde_kinesis_put_end(struct ryde_buf *body);

/* What became of one record. Views are slices of the answer, raw. */
struct ryde_kinesis_outcome {
	struct ryde_view seq, shard; /* seq is empty where it failed */
	struct ryde_view code, message;
};
/*
 * Reads the answer to n records. -1 with RYDE_EUNAVAILABLE where it is none, or tells of
 * another number of records: then nothing is known of any.
 */
int ryde_kinesis_put_read(struct ryde_view answer, struct ryde_kinesis_outcome *out,
    size_t n, struct ryde_err *err);

#endif
