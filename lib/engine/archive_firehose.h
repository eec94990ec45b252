/* Lines into a delivery stream: ryde-archive firehose:NAME. */
#ifndef RYDE_ENGINE_ARCHIVE_FIREHOSE_H
#define RYDE_ENGINE_ARCHIVE_FIREHOSE_H

struct ryde_archive_opts;
struct ryde_err;
struct ryde_intake;

/*
 * Puts each payload as one record, with the newline that Firehose does not add. Runs to
 * the end of the input; returns the exit status, err set where a message is due.
 */
int ryde_archive_firehose(const struct ryde_archive_opts *opts,
    struct ryde_intake *intake, struct ryde_err *err);

#endif
