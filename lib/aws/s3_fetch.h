/* Objects of S3 on their way into files, several at a time. */
#ifndef RYDE_AWS_S3_FETCH_H
#define RYDE_AWS_S3_FETCH_H

struct ryde_aws;
struct ryde_err;
struct ryde_s3_fetch;

/*
 * Begins to bring the object's bytes into file (open, writable, empty, borrowed until
 * ryde_s3_fetch_free). It goes on whenever the client is waited for. NULL with err set
 * where it cannot begin.
 */
struct ryde_s3_fetch *ryde_s3_fetch_start(struct ryde_aws *aws, const char *bucket,
    const char *key, int file, struct ryde_err *err);
/*
 * Waits until all bytes are there. What breaks off in the middle is begun anew. -1:
 * RYDE_ENOINPUT where there is no such object, RYDE_ENOPERM where it may not be read,
 * RYDE_ETEMPFAIL after a signal.
 */
int ryde_s3_fetch_wait(struct ryde_s3_fetch *f, struct ryde_err *err);
/* Gives up what is under way. Takes NULL. */
void ryde_s3_fetch_free(struct ryde_s3_fetch *f);

#endif
