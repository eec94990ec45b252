/* What client.c and call.c share: the client and the call. Private to lib/aws. */
#ifndef RYDE_AWS_CALL_H
#define RYDE_AWS_CALL_H

#include "aws/client.h"
#include "aws/endpoint.h"
#include "aws/http.h"
#include "aws/retry.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "flow/backoff.h"
#include "store/name.h"

struct ryde_aws_config;
struct ryde_aws_credentials;
struct ryde_sigv4;

#define RYDE_AWS_PACES 32

/* The pace of one operation of one service. */
struct ryde_aws_lane {
	char name[80]; /* "kinesis.PutRecords" */
	struct ryde_aws_pace pace;
};

struct ryde_aws {
	struct ryde_aws *next; /* the clients of this process */
	unsigned opened;
	struct ryde_store_settings settings; /* strings owned */
	/* NULL until the first call */
	struct ryde_http *http;
	struct ryde_sigv4 *sigv4;
	struct ryde_aws_config *config;
	struct ryde_aws_credentials *credentials;
	struct ryde_backoff_budget quotas[RYDE_AWS_SERVICES];
	struct ryde_aws_lane lanes[RYDE_AWS_PACES];
	size_t n_lanes;
	struct ryde_random random;
	int64_t skew_ms;
	struct ryde_aws_call *calls; /* a doubly linked list, newest first */
};

enum ryde_aws_call_state {
	RYDE_AWS_CALL_WAITING, /* until due_mono_ms, for the next attempt */
	RYDE_AWS_CALL_SENT,    /* an exchange is under way */
	RYDE_AWS_CALL_SETTLED, /* done; on_done is to be called */
	RYDE_AWS_CALL_DONE,
};

struct ryde_aws_call {
	struct ryde_aws *aws;
	struct ryde_aws_call *next, *prev;
	struct ryde_aws_request
	    request; /* pointers into `text`, except body and functions */
	struct ryde_buf text;
	enum ryde_aws_call_state state;
	struct ryde_aws_endpoint endpoint;
	struct ryde_buf url;
	size_t path_at, path_n, query_at, query_n; /* in url */
	char region[64];
	char payload_hash[65];
	char id[37]; /* of all its attempts */
	struct ryde_aws_tries tries;
	int64_t due_mono_ms;
	int64_t signed_at_ms; /* the time in the last signature */
	struct ryde_http_exchange *exchange;
	struct ryde_aws_lane *lane; /* NULL where the caller paces itself */
	struct ryde_aws_reply reply;
	struct ryde_err err; /* set where an attempt could not be made */
};

/* Copies the request and finds out where it goes. */
int ryde_aws_call_prepare(struct ryde_aws_call *call,
    const struct ryde_aws_request *request, struct ryde_err *err);
/* ryde_aws_describe, once it is prepared. */
int ryde_aws_call_describe(
    struct ryde_aws_call *call, struct ryde_buf *to, struct ryde_err *err);
/* Signs and sends, or finds that it must wait (state). */
int ryde_aws_call_attempt(struct ryde_aws_call *call, struct ryde_err *err);
/* The exchange has an answer: the call is settled, or will be tried again. */
void ryde_aws_call_judge(struct ryde_aws_call *call);
void ryde_aws_call_settle(struct ryde_aws_call *call);

#endif
